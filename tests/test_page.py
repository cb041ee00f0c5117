"""The step-through page: what stands in the file, and what it does in a browser."""

import json
import math
import re

import numpy as np
import pytest
from browser import Keys
from cases import POINTWISE

import nn
from autograd_core import OptionError, Primitive, ShapeError, Value, no_grad, scope
from autograd_core.backprop import sweep
from autograd_core.drawing.draw import draw
from autograd_core.drawing.page import LIMIT, describe, page
from autograd_core.graph import topological_order

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    '"><svg onload=alert(1)>',
    "{{graph}}",
    'a\'b\\n"c" | {x} <y> &amp;',
    "node_0_ (node_1_) __proto__",
]


def small():
    """L = (a * b + e) * f + a * a, whose steps can be counted by hand."""
    a, b, e, f = (
        Value(x, label=name) for name, x in {"a": 2.0, "b": -3.0, "e": 10.0, "f": -2.0}.items()
    )
    c = a * b
    d = c + e
    loss = d * f + a * a
    c.label, d.label, loss.label = "c", "d", "L"
    return loss


def network():
    model = nn.MLP(2, [2, 1], activation="tanh")
    for i, parameter in enumerate(model.parameters()):
        parameter.data, parameter.label = 0.1 * i - 0.4, f"w{i}"
    loss = (model([Value(1.0, label="x1"), Value(-2.0, label="x2")]) - 1) ** 2
    loss.label = "L"
    return loss


def grouped():
    x, w = Value(0.5, label="x"), Value(3.0, label="w")
    with scope("outer"):
        with scope("first"):
            y = np.tanh(x * w)
        with scope("second"):
            z = np.exp(y) * x
    return z + 1


def arrays():
    x, w = Value(np.arange(6.0).reshape(2, 3), label="X"), Value(np.full((3, 2), 0.1), label="W")
    hidden = np.tanh(x @ w)
    return (hidden**2).sum()


def data_of(text):
    """Return the graph that stands in a page."""
    return json.loads(re.search(r'id="graph">(.*?)</script>', text, re.DOTALL).group(1))


class TestTheFile:
    def test_is_complete_in_itself(self):
        text = page(small())
        assert text.startswith("<!doctype html>")
        addresses = set(re.findall(r"https?://[^\s\"'`<>]*", text))
        assert addresses == {"http://www.w3.org/2000/svg"}  # a name, which nobody looks up
        assert not re.search(r"\b(src|href)\s*=|@import|url\(|fetch\(", text)
        assert "{{" not in text.replace("${", "")

    def test_is_what_a_picture_saves_as_html(self, tmp_path):
        loss = small()
        path = draw(loss).save(tmp_path / "page.html")
        with open(path, encoding="utf-8") as file:
            assert file.read() == page(loss)

    def test_has_the_title_asked_for(self):
        assert "<title>A &lt;b&gt;</title>" in page(small(), "A <b>")
        assert "<title>Step by step: L</title>" in page(small())
        assert "<title>Step by step: t1</title>" in page(Value(1.0) + 1)
        assert "<title>?</title>" in page(Value(1.0), "\ud800")

    def test_leaves_gradients_alone(self):
        loss = small()
        page(loss)
        assert [node._gradient for node in topological_order(loss)] == [None] * 9

    def test_holds_numbers_of_the_engine(self):
        loss = small()
        order = topological_order(loss)
        nodes = data_of(page(loss))["nodes"]
        found = sweep(order, 1.0)
        assert [node["name"] for node in nodes] == ["a", "b", "e", "f", "c", "d", "t1", "t2", "L"]
        assert [node["data"] for node in nodes] == [node.data for node in order]
        assert [node["gradient"] for node in nodes] == [found[node] for node in order]

    def test_numbers_that_json_does_not_know_are_text(self):
        x = Value(math.inf)
        nodes = data_of(page(x - x))["nodes"]
        assert [node["data"] for node in nodes] == ["Infinity", "NaN"]
        assert data_of(page(-x))["nodes"][1]["data"] == "-Infinity"

    def test_tells_no_gradient_from_zero(self):
        a, b = Value(2.0), Value(3.0)
        nodes = data_of(page(np.floor(a) * 2 + 0 * b))["nodes"]
        assert [node["gradient"] for node in nodes[:3]] == [None, 0.0, 2.0]

    def test_edges_stand_in_the_order_of_the_sweep_and_add_up(self):
        edges = data_of(page(small()))["edges"]
        to_a = [edge for edge in edges if edge["from"] == 0]
        assert [edge["contribution"] for edge in to_a] == [2.0, 2.0, 6.0]
        assert [edge["before"] for edge in to_a] == [0.0, 2.0, 4.0]
        assert [edge["after"] for edge in to_a] == [2.0, 4.0, 10.0]
        assert [edge["local"] for edge in to_a] == [2.0, 2.0, -3.0]

    def test_arrays_are_described(self):
        graph = data_of(page(arrays()))
        assert graph["nodes"][0]["data"]["text"] == "(2, 3), 0 to 5"
        assert graph["nodes"][1]["gradient"]["text"].startswith("(3, 2), norm ")
        assert "arrays" in graph["obstacle"]
        assert data_of(page(Value([]).sum()))["nodes"][0]["data"]["text"] == "(0,), norm 0"
        unbounded = data_of(page(Value([math.nan, 1.0]).sum()))["nodes"][0]["data"]
        assert unbounded == {"text": "(2,), nan to nan", "norm": None}

    def test_a_broadcast_is_summed_back(self):
        x = Value(2.0, label="x")
        edges = data_of(page((x * np.ones(3)).sum()))["edges"]
        assert [edge["contribution"] for edge in edges if edge["from"] == 0] == [3.0]

    def test_a_constant_array_keeps_a_graph_from_being_edited(self):
        graph = data_of(page((Value(2.0) * np.ones(3))[0]))
        assert "arrays" in graph["obstacle"]

    def test_layouts_place_every_box_once(self):
        graph = data_of(page(network()))
        for layout in graph["layouts"]:
            hidden = set(layout["folded"])
            shown = [i for i, node in enumerate(graph["nodes"]) if node["group"] not in hidden]
            assert [i for i, *_ in layout["nodes"]] == shown
            assert layout["width"] > 0
            for _, x, y in layout["nodes"]:
                assert 0 < x < layout["width"]
                assert 0 < y < layout["height"]
            drawn = sorted(edge for _, edges in layout["edges"] for edge in edges)
            assert len(set(drawn)) == len(drawn)
        everything = next(x for x in graph["layouts"] if not x["folded"])
        assert sum(len(edges) for _, edges in everything["edges"]) == len(graph["edges"])

    def test_groups_nest(self):
        graph = data_of(page(grouped()))
        assert graph["groups"] == [
            {"name": "outer", "parent": None, "size": 4, "last": 5},
            {"name": "first", "parent": 0, "size": 2, "last": 3},
            {"name": "second", "parent": 0, "size": 2, "last": 5},
        ]
        ways = {tuple(layout["folded"]) for layout in graph["layouts"]}
        assert ways == {(), (1,), (2,), (1, 2), (0, 1, 2)}

    def test_neurons_stand_in_their_order(self):
        network = nn.MLP(2, [4, 4, 1])
        described = describe(topological_order(network([1.0, 2.0])))
        names = [group["name"] for group in described["groups"]]
        [first, *_] = described["layouts"]
        columns = {}
        for group, (across, down, *_) in first["groups"]:
            if group in first["folded"]:
                columns.setdefault(across, []).append((down, names[group]))
        four = ["Neuron 1", "Neuron 2", "Neuron 3", "Neuron 4"]
        told = [[name for _, name in sorted(columns[across])] for across in sorted(columns)]
        assert told == [four, four, ["Neuron"]]

    def test_works_inside_no_grad(self):
        loss = small()
        with no_grad():
            assert page(loss) == page(loss)
            assert data_of(page(loss))["obstacle"] is None

    def test_a_large_graph_opens_folded(self):
        x = [Value(0.1 * i) for i in range(4)]
        graph = data_of(page(nn.MLP(4, [6, 6, 1])(x)))
        assert graph["layouts"][0]["folded"]
        assert any(layout["folded"] == [] for layout in graph["layouts"])

    def test_too_large_a_graph_is_refused(self):
        x = Value(1.0)
        for _ in range(LIMIT - 1):
            x = x + 1
        assert page(x)
        with pytest.raises(OptionError, match=r"(?s)page of 401 nodes.*400.*save\('graph.svg'\)"):
            page(x + 1)

    def test_an_output_of_many_numbers_is_refused(self):
        with pytest.raises(ShapeError, match=r"v\.sum\(\)\.backward\(\)"):
            page(Value([1.0, 2.0]) * 2)

    @pytest.mark.parametrize("label", HOSTILE)
    def test_labels_never_become_markup(self, label):
        text = page(Value(1.0, label=label) * Value(2.0, label=label), title=label)
        assert text.count("<script") == page(small()).count("<script")
        assert "<img" not in text
        assert "<svg onload" not in text
        assert data_of(text)["nodes"][0]["name"] == label
        assert data_of(text)["nodes"][1]["name"] == f"{label}_2"


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page of a graph."""

    def open_page(root, title=None, **options):
        path = tmp_path / "page.html"
        path.write_text(page(root, title), encoding="utf-8")
        return browser.open(path, **options)

    return open_page


def sentence(browser):
    return browser.text("#sentence")


def formula(browser):
    return browser.text("#formula")


def shown(browser):
    """Return what the boxes say: data and gradient by name."""
    return browser.run("""return Object.fromEntries([...picture.boxes].map(
        ([id, {data, gradient}]) => [graph.nodes[id].name, [data.textContent, gradient.textContent]]
    ))""")


def box(number):
    return f'[data-node="{number}"]'


START, SEED, END = 0, 6, 17
STORY = [
    "a = 2.0, b = -3.0, e = 10.0, f = -2.0",
    "c = a * b = 2.0 * (-3.0) = -6.0",
    "d = c + e = (-6.0) + 10.0 = 4.0",
    "t1 = d * f = 4.0 * (-2.0) = -8.0",
    "t2 = a * a = 2.0 * 2.0 = 4.0",
    "L = t1 + t2 = (-8.0) + 4.0 = -4.0",
    "dL/dL = 1.0",
    "dL/dt1 += dL/dL * dL/dt1 = 1.0 * 1.0 = 1.0, so far 0.0, now 1.0",
    "dL/dt2 += dL/dL * dL/dt2 = 1.0 * 1.0 = 1.0, so far 0.0, now 1.0",
    "dL/da += dL/dt2 * dt2/da = 1.0 * 2.0 = 2.0, so far 0.0, now 2.0",
    "dL/da += dL/dt2 * dt2/da = 1.0 * 2.0 = 2.0, so far 2.0, now 4.0",
    "dL/dd += dL/dt1 * dt1/dd = 1.0 * (-2.0) = -2.0, so far 0.0, now -2.0",
    "dL/df += dL/dt1 * dt1/df = 1.0 * 4.0 = 4.0, so far 0.0, now 4.0",
    "dL/dc += dL/dd * dd/dc = (-2.0) * 1.0 = -2.0, so far 0.0, now -2.0",
    "dL/de += dL/dd * dd/de = (-2.0) * 1.0 = -2.0, so far 0.0, now -2.0",
    "dL/da += dL/dc * dc/da = (-2.0) * (-3.0) = 6.0, so far 4.0, now 10.0",
    "dL/db += dL/dc * dc/db = (-2.0) * 2.0 = -4.0, so far 0.0, now -4.0",
    "dL/da = 10.0, dL/db = -4.0, dL/de = -2.0, dL/df = 4.0",
]


class TestTheStory:
    def test_is_complete_at_first_sight(self, opened):
        page = opened(small())
        assert sentence(page) == "Done: L = -4.0. How much it changes with each input:"
        assert formula(page) == STORY[-1]
        assert page.text("#where") == "step 17 of 17"
        assert shown(page) == {
            "a": ["2.0", "10.0"],
            "b": ["-3.0", "-4.0"],
            "e": ["10.0", "-2.0"],
            "f": ["-2.0", "4.0"],
            "c": ["-6.0", "-2.0"],
            "d": ["4.0", "-2.0"],
            "t1": ["-8.0", "1.0"],
            "t2": ["4.0", "1.0"],
            "L": ["-4.0", "1.0"],
        }

    def test_each_step_shows_one_number_or_one_edge(self, opened):
        page = opened(small())
        page.click("#reset")
        told = [formula(page)]
        for _ in STORY[1:]:
            page.click("#step")
            told.append(formula(page))
        assert told == STORY

    def test_steps_back_and_begins_again_after_the_last(self, opened):
        page = opened(small())
        page.click("#back")
        assert formula(page) == STORY[-2]
        page.click("#step")
        page.click("#step")
        assert formula(page) == STORY[0]
        assert not page.find("#back").is_enabled()

    def test_backward_says_why(self, opened):
        page = opened(small())
        for _ in range(2):
            page.click("#back")
        assert sentence(page) == "Backward: c = a * b, so dc/da = b = -3.0."
        page.run("go(7)")
        assert sentence(page) == "Backward: L = t1 + t2, so dL/dt1 = 1.0."

    def test_numbers_appear_one_by_one(self, opened):
        page = opened(small())
        page.click("#reset")
        assert shown(page)["a"] == ["2.0", ""]
        assert shown(page)["c"] == ["?", ""]
        page.click("#step")
        assert shown(page)["c"] == ["-6.0", ""]
        page.run("go(10)")
        assert shown(page)["a"] == ["2.0", "4.0"]
        assert shown(page)["b"] == ["-3.0", "?"]
        assert "partial" in page.find(box(0)).get_attribute("class")
        page.run("go(15)")
        assert "partial" not in page.find(box(0)).get_attribute("class")

    def test_highlights_what_a_step_touches(self, opened):
        def marked(kind):
            return page.run(
                f"return [...document.querySelectorAll('.node.{kind}')].map((x) => +x.dataset.node)"
            )

        page = opened(small())
        page.run("go(1)")
        assert (marked("source"), marked("target")) == ([0, 1], [4])
        assert len(page.all(".edge.forward")) == 2
        page.run("go(15)")
        assert (marked("source"), marked("target")) == ([4], [0])
        assert len(page.all(".edge.backward")) == 1
        assert [label.text for label in page.all(".factor") if label.text] == ["* -3.0"]

    def test_keys(self, opened):
        page = opened(small())
        page.press(Keys.HOME)
        assert formula(page) == STORY[0]
        page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        assert formula(page) == STORY[2]
        page.press(Keys.ARROW_LEFT)
        assert formula(page) == STORY[1]
        page.press(Keys.END)
        assert formula(page) == STORY[-1]

    def test_plays_and_pauses(self, opened):
        page = opened(small())
        page.press(Keys.SPACE)
        assert page.text("#play-name") == "Pause"
        page.press(Keys.SPACE)
        assert page.text("#play-name") == "Play"
        page.run("document.getElementById('pace').options[2].value = 5")  # now in a hurry
        page.run("document.getElementById('pace').selectedIndex = 2")
        done = "const done = arguments[0]; const look = () => playing === null ? done(at) : "
        page.click("#play")
        assert page.driver.execute_async_script(done + "setTimeout(look, 5); look()") == END

    def test_a_step_ends_the_play(self, opened):
        page = opened(small())
        page.click("#play")
        page.click("#step")
        assert formula(page) == STORY[1]
        assert page.text("#play-name") == "Play"

    def test_the_slider_goes_anywhere(self, opened):
        page = opened(small())
        slider = page.find("#slider")
        page.run("arguments[0].value = 6; arguments[0].dispatchEvent(new Event('input'))", slider)
        assert formula(page) == STORY[SEED]
        assert slider.get_attribute("aria-valuetext") == "step 6 of 17"

    def test_screen_readers_hear_each_step_and_each_box(self, opened):
        page = opened(small())
        words = page.find("#words")
        assert words.get_attribute("aria-live") == "polite"
        assert words.aria_role == "status"
        node = page.find(box(4))
        assert node.aria_role == "button"
        assert node.accessible_name == "c = a * b, computed, data -6.0, gradient -2.0"
        page.run("go(0)")
        assert node.accessible_name == "c = a * b, computed, data ?, gradient not computed"
        controls = [e for e in page.all("button, input, select") if e.is_displayed()]
        assert len(controls) == 4 + 1 + 1 + 3 + 4
        assert all(control.accessible_name for control in controls)

    def test_what_no_gradient_reaches_looks_different_from_zero(self, opened):
        a, b = Value(2.0, label="a"), Value(3.0, label="b")
        page = opened(np.floor(a) * 2 + 0 * b)
        assert shown(page)["a"] == ["2.0", "not computed"]
        assert shown(page)["b"] == ["3.0", "0.0"]
        assert "dt4/da = none, dt4/db = 0.0" in formula(page)
        assert len(page.all(".edge.cut")) == 1

    def test_a_graph_of_one_node(self, opened):
        page = opened(Value(2.0, label="a"))
        assert formula(page) == "da/da = 1.0"
        for _ in range(3):
            page.click("#step")
        assert page.text("#where") == "step 2 of 2"

    def test_nan_and_inf(self, opened):
        x = Value(math.inf, label="x")
        page = opened(x - x)
        assert shown(page) == {"x": ["inf", "0.0"], "t1": ["nan", "1.0"]}
        page = opened(Value(-math.inf, label="x") * 1e-9)
        assert shown(page) == {"x": ["-inf", "1e-9"], "t1": ["-inf", "1.0"]}

    def test_arrays(self, opened):
        page = opened(arrays())
        assert shown(page)["X"] == ["(2, 3), 0 to 5", "(2, 3), norm 0.255"]
        page.run("go(8)")
        because = "t2 = tanh(t1), so dt2/dt1 = 1 - tanh(t1)^2, element by element."
        assert sentence(page) == f"Backward: {because}"
        page.click("#step")
        norms = "[(2, 3), norm 0.255], so far [(2, 3), norm 0], now [(2, 3), norm 0.255]"
        assert formula(page) == f"dt4/dX += G @ W^T = {norms}"
        because = "t1 = X @ W, with G = dt4/dt1 the rule of matmul gives G @ W^T."
        assert sentence(page) == f"Backward: {because}"
        assert page.all("#inputs input") == []
        assert "holds arrays" in page.text("#edit-note")


def type_into(page, name, text):
    field = page.find(f'[aria-label="Number of {name}"]')
    field.clear()
    field.send_keys(text)


class TestEditing:
    def test_recomputes_the_whole_graph(self, opened):
        page = opened(small())
        type_into(page, "a", "3")
        assert formula(page) == "dL/da = 12.0, dL/db = -6.0, dL/de = -2.0, dL/df = 1.0"
        assert shown(page)["L"] == ["7.0", "1.0"]
        page.run("go(15)")
        assert formula(page) == (
            "dL/da += dL/dc * dc/da = (-2.0) * (-3.0) = 6.0, so far 6.0, now 12.0"
        )

    def test_stays_at_its_step(self, opened):
        page = opened(small())
        page.run("go(1)")
        type_into(page, "b", "-0.5")
        assert formula(page) == "c = a * b = 2.0 * (-0.5) = -1.0"

    def test_can_be_undone(self, opened):
        page = opened(small())
        before = page.run("return JSON.stringify(graph)")
        assert not page.find("#restore").is_displayed()
        type_into(page, "f", "1e3")
        assert page.run("return JSON.stringify(graph)") != before
        page.click("#restore")
        assert page.run("return JSON.stringify(graph)") == before
        assert not page.find("#restore").is_displayed()
        assert page.find('[aria-label="Number of f"]').get_attribute("value") == "-2"

    def test_what_is_no_number_changes_nothing(self, opened):
        page = opened(small())
        field = page.find('[aria-label="Number of a"]')
        field.send_keys(Keys.CONTROL + "a")
        field.send_keys(Keys.DELETE)
        assert shown(page)["a"][0] == "2.0"
        assert page.all("input:invalid") == [field]
        field.send_keys("-1")
        assert shown(page)["a"][0] == "-1.0"
        assert page.all("input:invalid") == []

    def test_nan_and_inf_can_be_seen_and_typed(self, opened):
        a, b = Value(math.nan, label="a"), Value(-math.inf, label="b")
        page = opened(a + b)
        fields = [page.find(f'[aria-label="Number of {name}"]') for name in "ab"]
        assert [field.get_attribute("value") for field in fields] == ["nan", "-inf"]
        type_into(page, "a", "2.5")
        assert shown(page)["t1"] == ["-inf", "1.0"]
        type_into(page, "b", "Infinity")
        assert shown(page)["t1"] == ["inf", "1.0"]
        type_into(page, "a", "-inf")
        assert shown(page)["t1"] == ["nan", "1.0"]
        type_into(page, "b", "NaN")
        assert shown(page)["b"] == ["nan", "1.0"]
        page.click("#restore")
        assert [field.get_attribute("value") for field in fields] == ["nan", "-inf"]

    def test_what_is_no_number_gives_way_to_the_number(self, opened):
        page = opened(small())
        type_into(page, "a", "two")
        assert len(page.all("input:invalid")) == 1
        page.click("#step")
        assert page.all("input:invalid") == []
        assert page.find('[aria-label="Number of a"]').get_attribute("value") == "2"

    def test_arrows_in_a_field_belong_to_the_field(self, opened):
        page = opened(small())
        field = page.find('[aria-label="Number of a"]')
        field.send_keys(Keys.ARROW_LEFT, Keys.HOME, " ")
        assert page.text("#where") == "step 17 of 17"

    def test_agrees_with_the_engine_on_a_network(self, opened):
        page = opened(network())
        again = network()
        order = topological_order(again)
        leaves = [node for node in order if node.primitive is None]
        changed = {leaf: 1.5 * leaf.data + 0.3 for leaf in leaves}
        page.run(
            "arguments[0].forEach((x, i) => (inputs[i].data = x)); recompute(graph); refresh()",
            list(changed.values()),
        )
        data = {}
        for node in order:
            inputs = [data.get(x, x) for x in node.inputs]
            made = node.primitive and node.primitive(*inputs)
            data[node] = Value(changed[node]) if made is None else made
        output = data[order[-1]]
        gradients = sweep(topological_order(output), 1.0)
        found = page.run("return graph.nodes.map((node) => [node.data, node.gradient])")
        assert [x for x, _ in found] == pytest.approx([data[n].data for n in order], rel=1e-12)
        wanted = [gradients[data[node]] for node in order]
        assert [g for _, g in found] == pytest.approx(wanted, rel=1e-12)

    def test_says_what_it_cannot_compute(self, opened):
        page = opened(np.sinc(Value(0.3, label="x")))
        assert page.text("#edit-note") == "Shown only: this page cannot compute sinc."
        assert page.all("#inputs input") == []
        page = opened(Value(2.0).sum())
        assert "cannot compute sum" in page.text("#edit-note")

    def test_does_not_guess_at_primitives_of_ones_own(self, opened):
        mine = Primitive(
            "relu", lambda x: max(x, 0.1 * x), lambda g, out, x: g * (1 if x > 0 else 0.1)
        )
        page = opened(mine(Value(-2.0, label="x")))
        assert shown(page) == {"x": ["-2.0", "0.1"], "t1": ["-0.2", "1.0"]}
        assert page.text("#edit-note") == "Shown only: this page cannot compute relu."


def scalar_cases():
    """Return the primitives that turn numbers into a number, with their options."""
    rows = [row[0] for row in POINTWISE]
    return [row for row in rows if not any(map(np.ndim, row.inputs))]


SPECIAL = [-math.inf, -30.0, -2.5, -1.0, -0.5, -1e-9, 0.0, 0.3, 0.5, 1.0, 2.5, 8.0, 800.0]
SPECIAL += [math.inf, math.nan]
RECOMPUTED = """
const other = read(arguments[0]);
const leaves = other.nodes.filter((node) => node.expression === null);
return [obstacle(other), obstacle(other) ? [] : arguments[1].map((numbers) => {
  leaves.forEach((leaf, i) => (leaf.data = Number(numbers[i])));
  recompute(other);
  return other.nodes.map(({ data, gradient }) => [data, gradient].map(String));
})];
"""


def combinations(count):
    if count < 3:
        return [[x] for x in SPECIAL] if count == 1 else [[x, y] for x in SPECIAL for y in SPECIAL]
    return [[c, x, y] for c in (0.0, 1.0, math.nan) for x in SPECIAL[::3] for y in SPECIAL[::4]]


class TestPrimitives:
    """The page's numbers are the engine's, for every primitive that it knows."""

    @pytest.mark.no_cover
    def test_every_scalar_primitive_agrees_at_usual_and_special_points(self, opened):
        page = opened(small())
        unknown = set()
        for case in scalar_cases():
            leaves = [Value(x) for x in case.inputs]
            order = topological_order(case.primitive(*leaves, **case.params))
            points = [list(case.inputs), *combinations(len(leaves))]
            text = json.dumps(describe(order))
            given = [[str(x).replace("inf", "Infinity") for x in point] for point in points]
            obstacle, found = page.run(RECOMPUTED, text, given)
            if obstacle:
                unknown.add(case.primitive.name)
                continue
            for point, numbers in zip(points, found, strict=True):
                self.compare(case, point, numbers)
        assert unknown == {"sinc", "sinc_derivative", "astype"}

    def compare(self, case, point, numbers):
        leaves = [Value(x) for x in point]
        with np.errstate(all="ignore"):
            out = case.primitive(*leaves, **case.params)
            found = sweep([*leaves, out], 1.0)
        for node, (data, gradient) in zip([*leaves, out], numbers, strict=True):
            assert float(data) == pytest.approx(node.data, rel=1e-12, abs=1e-300, nan_ok=True), (
                f"{case.name} at {point}"
            )
            if node in found:
                assert float(gradient) == pytest.approx(
                    found[node], rel=1e-11, abs=1e-300, nan_ok=True
                ), f"gradient of {case.name} at {point}"
            else:
                assert gradient == "null"

    def test_silent_behind_a_mask(self, opened):
        x = Value(0.0, label="x")
        with np.errstate(divide="ignore"):
            page = opened(np.where(x, np.log(x), x))
        assert shown(page)["x"] == ["0.0", "1.0"]
        type_into(page, "x", "0")
        assert shown(page)["x"] == ["0.0", "1.0"]


class TestANodesHistory:
    def test_a_click_shows_it(self, opened):
        page = opened(small())
        page.click(box(0))
        assert page.text("#panel h2") == "a"
        assert [item.text for item in page.all("#panel li")] == [
            "given: a = 2.0",
            STORY[9],
            STORY[10],
            STORY[15],
            "together: 2.0 + 2.0 + 6.0 = 10.0",
        ]
        assert page.find(box(0)).get_attribute("aria-pressed") == "true"
        page.click(box(4))
        assert [item.text for item in page.all("#panel li")] == [STORY[1], STORY[13]]
        page.click(box(4))
        assert page.text("#panel h2") == "A node's history"

    def test_and_enter_does(self, opened):
        page = opened(small())
        page.find(box(8)).send_keys(Keys.ENTER)
        assert page.text("#panel h2") == "L = t1 + t2"
        assert [item.text for item in page.all("#panel li")] == [STORY[5], STORY[SEED]]
        page.find(box(8)).send_keys(Keys.SPACE)
        assert page.text("#panel h2") == "A node's history"
        assert page.text("#where") == "step 17 of 17"

    def test_leads_to_its_steps(self, opened):
        page = opened(small())
        page.click(box(0))
        page.click('[data-step="10"]')
        assert formula(page) == STORY[10]
        assert page.text("#panel dd:last-of-type") == "4.0 so far"
        assert [item.text for item in page.all("#panel li.later")] == [STORY[15]]
        assert page.run("return document.activeElement.dataset.step") == "10"

    def test_shows_the_factors_at_its_edges(self, opened):
        page = opened(small())
        page.click(box(4))
        assert {label.text for label in page.all(".factor")} == {"", "* -3.0", "* 2.0", "* 1.0"}

    def test_says_where_no_gradient_comes(self, opened):
        page = opened(np.floor(Value(2.5, label="a")) * Value(2.0))
        page.click(box(0))
        assert page.text("#panel li:last-child") == "No gradient: nothing flows back to here."


class TestFolding:
    def names(self, page):
        return sorted(shown(page))

    def test_a_click_folds_a_group_and_another_unfolds_it(self, opened):
        page = opened(grouped())
        assert self.names(page) == ["t1", "t2", "t3", "t4", "t5", "w", "x"]
        page.click('[aria-label="Fold first, 2 nodes"]')
        assert self.names(page) == ["t3", "t4", "t5", "w", "x"]
        assert page.text("#folded-note") == "Folded: first. Click one to unfold it."
        folded = page.find('[aria-label="Unfold first, 2 nodes, gives → 0.9051"]')
        assert folded.get_attribute("aria-expanded") == "false"
        folded.click()
        assert self.names(page) == ["t1", "t2", "t3", "t4", "t5", "w", "x"]
        assert page.text("#folded-note") == ""

    def test_keys_fold_and_keep_the_focus(self, opened):
        page = opened(grouped())
        page.find('[aria-label="Fold outer, 4 nodes"]').send_keys(Keys.ENTER)
        assert self.names(page) == ["t5", "w", "x"]
        page.press(Keys.ENTER)
        assert self.names(page) == ["t5", "w", "x"]  # open, with what is inside folded
        assert len(page.all(".folded")) == 2

    def test_all_at_once(self, opened):
        page = opened(grouped())
        assert not page.find("#unfold-all").is_enabled()
        page.click("#fold-all")
        assert self.names(page) == ["t5", "w", "x"]
        assert not page.find("#fold-all").is_enabled()
        page.click("#unfold-all")
        assert len(self.names(page)) == 7

    def test_a_folded_group_shows_what_happens_inside(self, opened):
        page = opened(grouped())
        page.click("#fold-all")
        page.run("go(0)")
        assert page.text(".folded .number") == "?"
        page.run("go(1)")
        assert "target" in page.find(".folded").get_attribute("class")
        page.run("go(4)")
        assert page.text(".folded .number") == "→ 1.236"
        page.run("go(5)")
        assert "target" not in page.find(".folded").get_attribute("class")

    def test_edges_into_a_folded_group_are_one(self, opened):
        page = opened(grouped())
        before = len(page.all(".edge"))
        page.click("#fold-all")
        assert before == 7
        assert len(page.all(".edge")) == 3

    def test_without_groups_there_is_nothing_to_fold(self, opened):
        page = opened(small())
        assert not page.find("#folding").is_displayed()

    def test_a_large_network_opens_folded_and_says_so(self, opened):
        x = [Value(0.1 * i, label=f"x{i}") for i in range(4)]
        page = opened(nn.MLP(4, [6, 6, 1])(x))
        assert page.text("#folded-note").startswith("Folded: ")
        before = len(page.all(".folded"))
        page.all(".folded")[-1].click()
        assert page.text("#folded-note").startswith("Folded: ")
        assert page.run("return layout.folded.length") >= 0
        assert len(page.all(".fold")) >= 1
        page.click("#unfold-all")
        assert len(page.all(".folded")) == 0 < before


class TestTheLook:
    def test_hostile_labels_are_plain_text(self, opened):
        for label in HOSTILE:
            a = Value(2.0, label=label)
            with scope(label):
                b = a * a
            b.label = label
            page = opened(b, title=label)
            assert page.driver.title == " ".join(label.split())
            assert page.text("h1") == label
            assert [row.text for row in page.all("#inputs th[scope=row]")] == [label]
            assert page.all("img, #picture svg, #picture script") == []
            page.click(box(0))
            page.run("for (let i = 0; i <= story.last; i += 1) go(i)")
            assert page.text("#panel h2") == label
            page.click("#fold-all")

    def test_no_script_but_its_own_may_run(self, opened):
        page = opened(small())
        page.run(
            "const script = document.createElement('script');"
            "script.textContent = 'document.title = 1'; document.body.append(script);"
        )
        assert page.driver.title == "Step by step: L"
        [complaint] = page.complaints()
        assert "Content Security Policy" in complaint

    def test_light_and_dark(self, opened):
        colours = "const { backgroundColor, color } = getComputedStyle(document.body);"
        colours += "return [backgroundColor, color]"
        light = opened(small()).run(colours)
        dark = opened(small(), scheme="dark").run(colours)
        brightness = [
            [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in pair]
            for pair in (light, dark)
        ]
        assert brightness[0][0] > 700 > 150 > brightness[0][1]
        assert brightness[1][0] < 150 < 700 < brightness[1][1]

    @pytest.mark.parametrize("width", [360, 800, 1400, 2400])
    def test_fits_the_window(self, opened, width):
        page = opened(network(), width=width)
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.run("return $('scroller').scrollWidth") <= 1.7 * max(width, 700)

    def test_zooms(self, opened):
        page = opened(small())
        width = page.find("#picture").size["width"]
        page.click("#larger")
        assert page.find("#picture").size["width"] == pytest.approx(1.25 * width, rel=0.01)
        page.click("#fit")
        assert page.find("#picture").size["width"] == width
        page.click("#smaller")
        assert page.find("#picture").size["width"] == pytest.approx(0.8 * width, rel=0.01)

    def test_a_step_scrolls_into_view(self, opened):
        x = Value(1.0, label="x")
        for _ in range(60):
            x = x + 1
        page = opened(x)
        visible = (
            "const [inner, outer] = [picture.places(at).at(-1), $('scroller')]"
            ".map((x) => x.getBoundingClientRect());"
            "return outer.left <= inner.left && inner.right <= outer.right"
            " && outer.top <= inner.top && inner.bottom <= outer.bottom"
        )
        for step in (1, 60, 30, 119):
            page.run(f"go({step})")
            assert page.run(visible)

    def test_the_largest_graph_can_be_stepped_through(self, opened):
        x = Value(1.0, label="x")
        for _ in range(LIMIT // 2 - 1):
            x = x * Value(1.001)
        page = opened(x)
        assert page.text("#where") == "step 599 of 599"  # 199 forward, 398 backward
        told = page.run(
            "return [0, 1, 150, 199, 200, 201, 400, 599].map((i) => (go(i), story.formulaText(at)))"
        )
        assert len(set(told)) == len(told)
