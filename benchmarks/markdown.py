"""Reports in Markdown, and how they get into the README."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .timing import THREADS, Times

README = Path(__file__).with_name("README.md")
PACKAGES = (
    "numpy",
    "numba",
    "micrograd",
    "casadi",
    "torch",
    "jax",
    "autograd",
    "mygrad",
    "keras",
    "scikit-learn",
)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, with numbers aligned to the right."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))


def target(wanted: str, measured: str, is_met: bool, times: Iterable[Times] = ()) -> str:
    """Return a line that holds a target against what was measured; it rests on `times`."""
    verdict = "met" if is_met else "missed"
    if not all(each.is_steady for each in times):
        verdict = "undecided, the machine was busy"
    return f"- {wanted}: {measured}, **{verdict}**"


def machine() -> str:
    """Return what the figures depend on: the processor and the versions."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    processor = f"{platform.machine()}, {os.cpu_count()} cores, {THREADS} used"
    return f"{processor}; Python {platform.python_version()}; {', '.join(found)}"


def write(section: str, text: str) -> None:
    """Put `text` between the markers of its section in the README.

    Raises: LookupError: the README has no such section.
    """
    start, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->"
    before, found, rest = README.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise LookupError(f"{README.name} has no lines {start.strip()} and {end}")
    README.write_text(f"{before}{start}{text}\n{end}{after}", encoding="utf-8")
