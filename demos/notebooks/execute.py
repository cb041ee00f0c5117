"""Run the notebooks from top to bottom, and compare their key figures with those committed.

python -m demos.notebooks.execute [--write] [names ...]

A cell with the tag `key-figure` must print the same text again. `--write` keeps what the run has
put out; its pictures get a palette of 256 colours, which makes them a third of the size.
"""

import argparse
import base64
import io
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

FOLDER = Path(__file__).parent
SECONDS = 600  # that a cell may take on a busy machine
TAG = "key-figure"


def main() -> int:
    """Run the notebooks that are named, or all; return how many failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as 01_nudging; none: all")
    parser.add_argument("--write", action="store_true", help="keep the outputs")
    options = parser.parse_args()
    paths = sorted(FOLDER.glob("*.ipynb"))
    if options.names:
        paths = [path for path in paths if path.stem in options.names]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # two notebooks run at a time
    # Kernels start in this folder, and find both packages whether they are installed or not
    os.environ["PYTHONPATH"] = os.pathsep.join([str(FOLDER.parent.parent), *sys.path])
    failed = 0
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for path, (seconds, faults) in zip(
            paths, pool.map(execute, paths, [options.write] * len(paths)), strict=True
        ):
            print(f"{path.stem:22} {seconds:5.1f} s  {'failed' if faults else 'as committed'}")
            print("".join(f"    {fault}\n" for fault in faults), end="", flush=True)
            failed += bool(faults)
    return failed


def execute(path: Path, write: bool) -> tuple[float, list[str]]:
    """Run one notebook; return the seconds it took, and what failed or changed."""
    book = nbformat.read(path, as_version=4)
    before = [figure(cell) for cell in book.cells]
    start = time.perf_counter()
    client = NotebookClient(
        book,
        timeout=SECONDS,
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return time.perf_counter() - start, [str(error)]
    seconds = time.perf_counter() - start
    tidy(book)
    pairs = zip(before, [figure(cell) for cell in book.cells], book.cells, strict=True)
    changed = [
        f"cell {cell.id}: {old!r} is now {new!r}"
        for old, new, cell in pairs
        if TAG in cell.metadata.get("tags", ()) and old != new
    ]
    if write:
        nbformat.write(book, path)
        return seconds, []
    return seconds, changed


def figure(cell: Any) -> str:
    """Return what a cell has put out as text."""
    parts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", ())
    ]
    return "".join("".join(part) for part in parts)


def tidy(book: Any) -> None:
    """Leave out what differs from run to run, and make the pictures small."""
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in book.cells:
        cell.metadata = {name: tags for name, tags in cell.metadata.items() if name == "tags"}
        outputs: list[Any] = []
        for output in cell.get("outputs", ()):
            last = outputs[-1] if outputs else None
            streams = last and output.output_type == last.output_type == "stream"
            if streams and output.name == last.name:  # one text, however it was cut on its way
                last.text += output.text
                continue
            png = output.get("data", {}).get("image/png")
            if png:
                output.data["image/png"] = with_palette(png)
                output.metadata = {}
            outputs.append(output)
        if "outputs" in cell:
            cell.outputs = outputs


def with_palette(png: str) -> str:
    """Return a picture in base64 with at most 256 colours."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    out = io.BytesIO()
    small = image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    small.save(out, "png", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


if __name__ == "__main__":
    sys.exit(main())
