"""Names of nodes: labels, places of parameters in their module, numbers; no two alike."""

import gc
from pathlib import Path

import numpy as np

import nn
from autograd_core import Value, compare_gradients, draw, explain, scope
from autograd_core.drawing.page import describe
from autograd_core.explanation.names import names_of, parameters_of
from autograd_core.graph import topological_order


def named(output):
    """Return the names of the leaves, and those of what was computed."""
    found = names_of(topological_order(output))
    leaves = [name for node, name in found.items() if node.primitive is None]
    return leaves, [name for node, name in found.items() if node.primitive is not None]


def test_parameters_are_named_by_their_place_in_the_outermost_module():
    neuron = nn.Neuron(2)
    assert named(neuron([1.0, 2.0]))[0] == ["w[0]", "w[1]", "b"]
    layer = nn.Layer(1, 2)
    leaves = ["neurons[0].w[0]", "neurons[0].b", "neurons[1].w[0]", "neurons[1].b"]
    first, second = layer([1.0])
    assert named(first + second)[0] == leaves
    network = nn.MLP(1, [2, 1])
    leaves = [f"layers[0].{name}" for name in leaves]
    leaves += ["layers[1].neurons[0].w[0]", "layers[1].neurons[0].w[1]", "layers[1].neurons[0].b"]
    assert named(network([1.0]) ** 2)[0] == leaves


def test_layers_in_a_row_have_no_name_that_begins_with_a_number():
    model = nn.Sequential([nn.Dense(2), nn.Dense(1)])
    out = model(np.ones((3, 2))).sum()
    expected = ["layers[0].weight", "layers[0].bias", "layers[1].weight", "layers[1].bias"]
    assert named(out)[0] == expected
    assert list(parameters_of(model).values()) == expected
    assert "@ layers[0].weight^T" in str(explain(out))


def test_a_label_comes_first_and_other_leaves_are_numbered():
    neuron = nn.Neuron(2)
    neuron.w[0].label = "slope"
    out = neuron([Value(1.0), Value(2.0, label="w[1]")])
    assert sorted(named(out)[0]) == ["b", "slope", "w[1]", "w[1]_2", "x1"]


def test_modules_called_one_by_one_are_told_apart():
    first, second = nn.Dense(2), nn.Dense(1)
    out = second(first(np.ones((1, 2)))).sum()
    assert named(out)[0] == ["weight", "bias", "weight_2", "bias_2"]


def test_calls_that_a_graph_knows_nothing_of_do_not_count():
    model = nn.Sequential([nn.Dense(2), nn.Dense(1)])
    model.layers[0](np.ones((1, 3)))
    assert named(model(np.ones((1, 3))).sum())[0][0] == "layers[0].weight"


def test_a_module_called_inside_a_scope_or_twice():
    neuron = nn.Neuron(1)
    with scope("loss"):
        out = neuron([1.0]) + neuron([2.0])
    assert named(out)[0] == ["w[0]", "b"]


def test_a_module_that_is_gone_leaves_numbers():
    neuron = nn.Neuron(1)
    out = neuron([1.0])
    del neuron
    gc.collect()
    assert named(out)[0] == ["x1", "x2"]


def test_only_modules_have_parameters():
    assert parameters_of(None) == parameters_of(3.0) == {}


def test_explanations_and_comparisons_use_the_names():
    neuron = nn.Neuron(2, nonlin=False)
    out = neuron([3.0, 4.0])
    out.label = "L"
    assert "dL/dw[1] = 4, through" in str(explain(out, wrt=neuron.w[1]))
    assert r"\frac{\partial L}{\partial w_{0}} &= 3" in explain(out).latex()
    assert "✗ w[1]: dL/dw[1] is off by a sign" in str(compare_gradients(out, {neuron.w[1]: -4.0}))


def test_pictures_in_text_name_parameters_fully_and_tell_what_they_are():
    network = nn.MLP(1, [1, 1])
    rows = [line.split() for line in str(draw(network([2.0]))).splitlines()]
    assert ["layers[1].neurons[0].b", "parameter"] in [row[:2] for row in rows]


def test_the_page_names_parameters_fully_but_in_boxes_whose_frame_tells_the_rest():
    network = nn.MLP(1, [1, 1])
    nodes = describe(topological_order(network([2.0])))["nodes"]
    [weight, *_] = [node for node in nodes if node["name"] == "layers[0].neurons[0].w[0]"]
    assert weight["short"] == "w[0]"
    [product, *_] = [node for node in nodes if node["primitive"] == "multiply"]
    assert product["short"] == "t1 = w[0] * 2"
    assert product["title"] == "t1 = layers[0].neurons[0].w[0] * 2"


def test_a_picture_keeps_the_modules_whose_names_its_page_shows(tmp_path):
    def drawn():
        network = nn.MLP(1, [1, 1])
        return draw(network([2.0]))

    picture = drawn()
    gc.collect()
    path = picture.save(tmp_path / "page.html")
    assert '"name": "layers[0].neurons[0].w[0]"' in Path(path).read_text(encoding="utf-8")
