"""Folding: a graph of any size stays a picture for one page, which says what it folded."""

import random
import sys
import threading
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import nn
from autograd_core import Value, scope
from autograd_core.drawing.draw import draw
from autograd_core.drawing.folding import fold, wires
from autograd_core.explanation.names import DEEPEST, Groups
from autograd_core.graph import topological_order

SVG = "{http://www.w3.org/2000/svg}"


def boxes(picture):
    """Return the lines of all boxes, by the first; constants left out."""
    root = ET.fromstring(picture.svg())
    nodes = [g for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("node")]
    lines = [[text.text.strip() for text in g.findall(f"{SVG}text")] for g in nodes]
    return {
        line[0]: line for g, line in zip(nodes, lines, strict=True) if "const" not in g.get("class")
    }


def size(picture):
    """Return width and height in inches."""
    root = ET.fromstring(picture.svg())
    return [float(root.get(side)[:-2]) / 72 for side in ("width", "height")]


def moons_step(samples=100):
    """Return the loss of micrograd's demo, sample by sample, and the model."""
    nn.set_seed(0)
    model = nn.MLP(2, [16, 16, 1])
    rng = random.Random(0)
    losses = []
    for i in range(samples):
        score = model([Value(rng.random()), Value(rng.random())])
        losses.append((1 + -(i % 2 * 2 - 1) * score).relu())
    loss = sum(losses) * (1 / samples) + 1e-4 * sum(p * p for p in model.parameters())
    return loss, model


def test_a_training_step_of_a_scalar_network_fits_a_page():
    loss, model = moons_step()
    loss.backward()
    picture = draw(loss)
    found = boxes(picture)
    assert len(topological_order(loss)) > 65_000
    assert 10 <= len(found) <= 20
    assert found["Layer 1"][:4] == ["Layer 1", "16 x Neuron", "48 parameters", "8,000 operations:"]
    assert found["Layer 3"][1:3] == ["1 x Neuron", "17 parameters"]
    assert found["200 inputs"][0] == "200 inputs"
    assert "337 x multiply" in found
    gradients = [p.grad for neuron in model.layers[1].neurons for p in neuron.parameters()]
    assert found["Layer 2"][-1] == f"gradient norm {np.linalg.norm(gradients):.4g}"
    width, height = size(picture)
    assert width < 22
    assert height < 8


def test_the_picture_says_what_it_folded():
    loss, _ = moons_step(10)
    caption = (
        f"{len(topological_order(loss)):,} nodes in 13 boxes; folded into one box each: "
        "Layer 1, Layer 2, Layer 3; operations that repeat share a box"
    )
    assert caption in draw(loss).source
    assert str(draw(loss)).splitlines()[-1] == caption


def test_a_higher_limit_shows_more():
    loss, _ = moons_step(10)
    assert "Neuron 16" in boxes(draw(loss, limit=400))
    assert "nodes in" not in draw(Value(1.0) + 1).source


def test_folded_boxes_of_which_no_gradient_is_known_say_so():
    loss, _ = moons_step(5)
    assert boxes(draw(loss))["Layer 1"][-1] == "gradient: not computed"


def test_a_step_with_arrays_is_drawn_whole():
    nn.set_seed(0)
    model = nn.Sequential([nn.Dense(128, "relu"), nn.Dense(10)], input_shape=(784,))
    y = model(np.ones((8, 784), np.float32))
    y.sum().backward()
    source = draw(y.sum()).source
    assert "Dense 1" in source
    assert "Dense 2" in source
    assert "shape (128, 784)" in source


def test_groups_fold_from_the_inside_out():
    def step(x, inner):
        with scope("outer"):
            for i in range(4):
                with scope(f"inner {i}"):
                    for _ in range(inner):
                        x = np.tanh(x) * 1.5
        return x

    x = Value(1.0)
    assert str(draw(step(x, 3))).count("\n") == 4 * 6
    folded = boxes(draw(step(x, 30) + 1.0))
    assert [title for title in folded if title.startswith("inner")] == [
        f"inner {i}" for i in range(4)
    ]
    assert folded["inner 0"][1:3] == ["60 operations:", "30 tanh, 30 multiply"]
    assert "cluster" in draw(step(x, 30)).source  # outer


def test_calls_of_one_module_are_one_group_and_modules_of_one_kind_are_numbered():
    layer = nn.Layer(2, 3)
    out = sum(sum(layer([float(i), 1.0])) for i in range(3))
    order = topological_order(out)
    groups = Groups(order)
    assert [group.title for group in groups.all] == [
        "",
        "Layer",
        "Neuron 1",
        "Neuron 2",
        "Neuron 3",
    ]
    sizes = np.bincount(groups.of)
    assert sizes[2] == sizes[3] == sizes[4]


def test_scopes_of_one_name_are_one_group():
    x = Value(1.0)
    for _ in range(3):
        with scope("step"):
            x = x * 2.0
    assert [group.title for group in Groups(topological_order(x)).all] == ["", "step"]


def test_a_scope_that_holds_its_inputs_is_found():
    with scope("all"):
        x = Value(1.0)
        y = x * x
    assert Groups(topological_order(y)).of.tolist() == [1, 1]


def test_a_folded_group_may_hold_inputs_only():
    with scope("data"):
        values = [Value(float(i)) for i in range(10)]
    x = sum(values)
    for i in range(12):
        x = [np.tanh, np.sin, np.exp][i % 3](x)
    assert boxes(draw(x, limit=20))["data"] == ["data", "gradient: not computed"]


def test_deep_nesting_is_cut():
    def nest(x, depth):
        if not depth:
            return x * 2.0
        with scope(f"level {depth}"):
            return nest(x, depth - 1)

    groups = Groups(topological_order(nest(Value(1.0), 100)))
    assert max(group.depth for group in groups.all) == DEEPEST


def test_a_parameter_that_no_module_owns_belongs_to_none():
    w = Value(1.0)
    with scope("use"):
        y = w * 2.0
    groups = Groups(topological_order(y), [w])
    assert groups.of.tolist() == [0, 1]
    assert w in groups.parameters


def test_scopes_of_other_threads_may_overlap():
    out = []
    started, go = threading.Event(), threading.Event()

    def work():
        with scope("other"):
            x = Value(1.0) * 2.0
            started.set()
            go.wait()
            out.append(x * 3.0)

    thread = threading.Thread(target=work)
    with scope("mine"):
        x = Value(1.0) + 1.0
        thread.start()
        started.wait()
        x = x + 2.0
    go.set()
    thread.join()
    both = x + out[0]
    groups = Groups(topological_order(both))
    assert {group.title for group in groups.all} == {"", "mine", "other"}
    assert groups.all[groups.of[topological_order(both).index(out[0])]].title in ("", "other")
    assert str(draw(both)).count("\n") == 6


def test_repetitions_share_a_box_without_any_scopes():
    w = Value(0.5, label="w")
    loss = sum((w * float(i) - 1.0).relu() for i in range(200)) / 200
    found = boxes(draw(loss))
    assert found.keys() == {
        "w",
        "200 x multiply",
        "200 x subtract",
        "200 x relu",
        "200 x add",
        "divide",
    }
    assert found["200 x multiply"][1] == "data 0 ... 99.5"


def test_what_repeats_with_another_shape_has_a_box_of_its_own():
    terms = [Value(np.ones(1 + i % 3)).sum() for i in range(150)]
    told = str(draw(sum(terms) * 1.0))
    for name in ("50 inputs", "50 inputs (2)", "50 inputs (3)", "50 x sum", "50 x sum (3)"):
        assert f"\n{name} " in told
    assert "50 inputs (4)" not in told


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("pattern", "count"), [(("tanh",), 200_000), (("tanh", "times", "plus"), 60_000)]
)
def test_a_chain_of_200_000_operations(pattern, count):
    x = Value(0.5)
    steps = {"tanh": np.tanh, "times": lambda x: x * 1.5, "plus": lambda x: x + 0.1}
    for i in range(count):
        x = steps[pattern[i % len(pattern)]](x)
    limit = sys.getrecursionlimit()
    picture = draw(x)
    assert sys.getrecursionlimit() == limit
    assert 2 < len(boxes(picture)) <= 14
    assert size(picture)[0] < 40


def test_a_graph_without_order_is_cut_into_parts():
    rng = random.Random(0)
    values = [Value(rng.random()) for _ in range(20)]
    for _ in range(2000):
        a, b = rng.choice(values[-100:]), rng.choice(values[-100:])
        values.append(
            rng.choice([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b])(a, b)
        )
    out = values[-1] + values[-2]
    picture = draw(out)
    found = boxes(picture)
    assert found["part 1 of 12"][0] == "part 1 of 12"
    assert "cut into 12 parts by the number of operations" in picture.source
    counted = sum(
        int(line.split()[0].replace(",", ""))
        for lines in found.values()
        for line in lines
        if line.endswith("operations:")
    )
    assert counted == sum(node.primitive is not None for node in topological_order(out)) - 1


def test_every_edge_between_boxes_is_drawn():
    loss, _ = moons_step(20)
    order = topological_order(loss)
    edges = wires(order)
    folded = fold(order, edges, Groups(order), 120)
    wanted = {
        (tail, head)
        for tail, head in zip(folded.box[edges.tails], folded.box[edges.heads], strict=True)
        if tail != head
    }
    source = draw(loss).source
    assert all(f"n{tail} -> n{head}" in source for tail, head in wanted)


@pytest.mark.parametrize("limit", [1, 2, 5, 10, 50, 120, 1000])
def test_any_limit_is_kept_but_for_the_last_resort(limit):
    loss, _ = moons_step(3)
    assert len(boxes(draw(loss, limit=limit))) <= max(limit, 13)


def test_labels_of_shared_boxes_are_told_when_pointed_at():
    values = [Value(float(i), label=f"input {i}") for i in range(150)]
    root = ET.fromstring(draw(sum(values) * 1.0).svg())
    told = [title.text for title in root.iter(f"{SVG}title")]
    assert "150 inputs: 150 nodes, among them input 0, input 1, input 2" in told


def test_values_of_many_shapes_in_a_folded_module():
    nn.set_seed(0)
    model = nn.Sequential([nn.LSTM(4), nn.Dense(1)])
    x = np.random.default_rng(0).normal(size=(2, 30, 3))
    found = boxes(draw(model(x).sum()))
    [lstm] = [lines for title, lines in found.items() if title.startswith("LSTM")]
    assert any("parameters in (16, 3)" in line for line in lstm)
