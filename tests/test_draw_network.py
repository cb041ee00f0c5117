"""draw(model): layers of neurons, weights as lines, activations and gradients of an input."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import nn
from autograd_core import DataError, OptionError, ShapeError, Value
from autograd_core.drawing.draw import draw
from nn.drawing import describe

SVG = "{http://www.w3.org/2000/svg}"


def groups(picture, kind):
    root = ET.fromstring(picture.svg())
    return [g for g in root.iter(f"{SVG}g") if (g.get("class") or "").split()[:1] == [kind]]


def texts(group):
    return [text.text.strip() for text in group.findall(f"{SVG}text")]


def story(group):
    title = group.find(f"{SVG}title")
    return None if title is None else title.text


def neurons(picture, layer):
    """Return the circles of a layer, by their number."""
    found = {}
    for node in groups(picture, "node"):
        match = re.match(rf"{layer}, neuron (\d+)", story(node) or "")
        if match:
            found[int(match[1])] = node
    return found


def weight_lines(picture):
    """Return width and colour of the lines that stand for weights, by what is told of them."""
    return {
        story(edge): (float(edge[1].get("stroke-width") or 1), edge[1].get("stroke"))
        for edge in groups(picture, "edge")
        if "weight" in edge.get("class")
    }


@pytest.fixture
def mlp():
    model = nn.MLP(2, [2, 1], activation="tanh")
    numbers = iter([1.0, -0.5, 0.25, 0.0, 2.0, -2.0])
    for neuron in [*model.layers[0].neurons, *model.layers[1].neurons]:
        neuron.w = [Value(next(numbers)) for _ in neuron.w]
        neuron.b = Value(0.5)
    return model


def test_without_an_input_a_network_shows_its_weights_and_biases(mlp):
    picture = draw(mlp)
    headings = [texts(node) for node in groups(picture, "node") if "heading" in node.get("class")]
    assert headings == [["input", "number"], ["Layer 1", "tanh"], ["Layer 2"]]
    assert [texts(node) for node in neurons(picture, "Layer 1").values()] == [["b 0.5"]] * 2
    assert len(weight_lines(picture)) == 6


def test_width_and_color_of_lines_show_weights(mlp):
    lines = weight_lines(draw(mlp))
    width = {told: look[0] for told, look in lines.items()}
    assert width["weight 2 from 0 to 0"] == width["weight -2 from 1 to 0"] > 4
    assert width["weight 1 from 0 to 0"] > width["weight -0.5 from 1 to 0"]
    assert width["weight 0 from 1 to 1"] == min(width.values()) < 0.5
    positive, negative = lines["weight 2 from 0 to 0"][1], lines["weight -2 from 1 to 0"][1]
    assert positive == lines["weight 1 from 0 to 0"][1] != negative
    assert int(negative[5:], 16) > int(negative[1:3], 16)  # blue


def test_activations_and_gradients_of_an_input_are_filled_in(mlp):
    x = [Value(1.0), Value(-2.0)]
    picture = draw(mlp, x)
    hidden = np.tanh([1.0 + 1.0 + 0.5, 0.25 + 0.5])
    output = 2 * hidden[0] - 2 * hidden[1] + 0.5
    found = neurons(picture, "Layer 1")
    assert [texts(found[i]) for i in (0, 1)] == [
        [f"{hidden[0]:.3g}", "g 2"],
        [f"{hidden[1]:.3g}", "g -2"],
    ]
    assert texts(neurons(picture, "Layer 2")[0]) == [f"{output:.3g}", "g 1"]
    slope = 2 * (1 - hidden[0] ** 2) * 1.0 - 2 * (1 - hidden[1] ** 2) * 0.25
    assert texts(neurons(picture, "input")[0]) == ["1", f"g {slope:.3g}"]
    told = f"weight 1 from 0 to 0, gradient {2 * (1 - hidden[0] ** 2):.6g}"
    assert told in weight_lines(picture)


def test_what_the_loss_does_without_has_gradient_0():
    model = nn.MLP(2, [3, 2], activation="sigmoid", output_activation="softmax")
    x = [Value(1.0), 2.0]
    picture = draw(model, x, loss=lambda p: -np.log(p[0]))
    first, second = neurons(picture, "Layer 2").values()
    assert texts(first)[1] == f"g {-1 / model(x)[0].data:.3g}"
    assert texts(second)[1] == "g 0"
    assert len(texts(neurons(picture, "input")[0])) == 1  # of a plain number there is none
    linear = draw(nn.MLP(2, [3, 2]), x, loss=lambda y: y[0])
    lines = [line for line in weight_lines(linear) if line.endswith("to 1, gradient 0")]
    assert len(lines) >= 3


def test_gradients_are_those_of_the_loss(mlp):
    out = mlp([1.0, -2.0]).data
    picture = draw(mlp, [1.0, -2.0], loss=lambda output: (output - 1.0) ** 2)
    assert texts(neurons(picture, "Layer 2")[0])[1] == f"g {2 * (out - 1.0):.3g}"
    with pytest.raises(DataError, match="a loss that is a float"):
        draw(mlp, [1.0, -2.0], loss=lambda output: output.data)


def test_a_picture_leaves_the_gradients_and_the_mode_of_a_model_alone(mlp):
    draw(mlp, [1.0, 2.0])
    assert not any(p.has_grad for p in mlp.parameters())
    model = nn.Sequential([nn.BatchNormalization(), nn.Dense(2)], input_shape=(3,))
    before = model.state_dict()["0.running_mean"].copy()
    draw(model, np.ones((4, 3)))
    assert model.training
    assert np.array_equal(model.state_dict()["0.running_mean"], before)


def test_colors_show_activations(mlp):
    found = neurons(draw(mlp, [3.0, -3.0]), "input")
    fills = [found[i].find(f"{SVG}ellipse").get("fill") for i in (0, 1)]
    assert fills == ["#ffa042", "#5ca5e6"]


@pytest.mark.parametrize("as_value", [True, False])
def test_a_batch_shows_means(mlp, as_value):
    rows = np.array([[1.0, -2.0], [3.0, 0.0]])
    columns = [Value(rows[:, i]) for i in range(2)] if as_value else rows
    picture = draw(mlp, columns)
    assert texts(neurons(picture, "input")[0])[0] == "2"
    assert "means over 2 samples" in picture.source
    mean = np.mean(mlp(rows).data)
    assert texts(neurons(picture, "Layer 2")[0])[0] == f"{mean:.3g}"


def test_dense_layers_look_like_their_scalar_twins(mlp):
    one, other = draw(mlp, [1.0, -2.0]), draw(mlp.to_dense(), np.array([1.0, -2.0]))
    assert weight_lines(one) == weight_lines(other)
    hidden = [texts(node) for node in neurons(one, "Layer 1").values()]
    assert hidden == [texts(node) for node in neurons(other, "Dense 1").values()]


def test_wide_layers_are_folded():
    nn.set_seed(0)
    model = nn.Sequential([nn.Dense(128, "relu"), nn.Dense(10)], input_shape=(784,))
    picture = draw(model, np.ones(784, np.float32))
    assert list(neurons(picture, "Dense 1")) == [*range(5), *range(123, 128)]
    assert len(neurons(picture, "Dense 2")) == 10
    folded = [texts(node) for node in groups(picture, "node") if "more" in texts(node)[0]]
    assert [lines[0] for lines in folded] == ["... 774 more ...", "... 118 more ..."]
    assert folded[0][1] == "1"
    assert folded[1][2].startswith("g norm ")
    assert "not drawn one by one: 774 of input, 118 of Dense 1" in picture.source
    assert list(neurons(draw(model, limit=3), "Dense 1")) == [0, 126, 127]
    assert list(neurons(draw(model, limit=1), "Dense 1")) == [0]
    assert len(neurons(draw(model, limit=128), "Dense 1")) == 128


@pytest.mark.parametrize(
    ("limit", "shown"), [(3, [0, "more", 18, 19]), (4, [0, 1, "more", 18, 19])]
)
def test_the_neurons_left_out_are_named_where_they_are_missing(limit, shown):
    model = nn.Sequential([nn.Dense(20)], input_shape=(2,))
    circles = re.findall(r'c1_(\w+) \[.*?pos="[^,]*,([-.\d]+)!"', draw(model, limit=limit).source)
    from_top = sorted(circles, key=lambda circle: -float(circle[1]))
    assert [name for name, _ in from_top] == [str(unit) for unit in shown]


def test_texts_of_folded_neurons_fit_their_column():
    layer = nn.Dense(20, "softmax", kernel_initializer="zeros")
    model = nn.Sequential([layer], input_shape=(8,))
    layer.bias.data = np.linspace(-30.0, 0.0, 20)
    picture = draw(model, np.arange(8.0), loss=lambda p: p[0, 3], limit=6)
    inputs, outputs = [texts(node) for node in groups(picture, "node") if "more" in texts(node)[0]]
    assert inputs == ["... 2 more ...", "3 ... 4"]
    p = model(np.arange(8.0)[None]).data[0]
    assert outputs == ["... 14 more ...", f"{p[3]:.4g} ...", f"{p[16]:.4g}", "g norm 1"]
    assert "e-12" in outputs[1]


def test_layers_of_other_kinds_are_boxes_and_elementwise_ones_keep_their_rows():
    nn.set_seed(0)
    layers = [nn.Conv2D(2, 3), nn.Flatten(), nn.Dense(3), nn.Activation("relu"), nn.Dropout(0.5)]
    model = nn.Sequential(layers, input_shape=(4, 4, 1))
    picture = draw(model, np.ones((1, 4, 4, 1)))
    told = Counter(story(node) for node in groups(picture, "node"))
    assert any(line.startswith("shape (1, 2, 2, 2)") for line in told)
    plain = [edge for edge in groups(picture, "edge") if "plain" in edge.get("class")]
    assert len(plain) == 1 + 8 + 3 + 3  # to the convolution, into the row, neuron by neuron
    assert texts(neurons(picture, "Dropout 5")[0]) == texts(neurons(picture, "Activation 4")[0])
    assert "not computed" in draw(model).source


def test_parts_of_networks_can_be_drawn_alone():
    assert len(neurons(draw(nn.Layer(3, 2)), "Layer")) == 2
    assert list(neurons(draw(nn.Neuron(3), [1.0, 2.0, 3.0]), "Neuron")) == [0]
    dense = nn.Dense(2)
    assert list(neurons(draw(dense, np.ones((1, 3))), "Dense")) == [0, 1]
    assert len(weight_lines(draw(nn.Perceptron(2), [1.0, 0.0]))) == 2


def test_softmax_layers_and_networks_without_bias():
    layer = nn.Layer(2, 2, activation="softmax", use_bias=False)
    for neuron in layer.neurons:
        neuron.w = [Value(0.0), Value(0.0)]
    assert [texts(n)[0] for n in neurons(draw(layer, [1.0, 2.0]), "Layer").values()] == ["0.5"] * 2
    assert [texts(n) for n in neurons(draw(layer), "Layer").values()] == [[], []]


def test_masks_go_along():
    model = nn.Sequential([nn.Masking(0.0), nn.LSTM(2)])
    x = np.array([[[1.0], [2.0], [0.0]]])
    found = neurons(draw(model, x), "LSTM 2")
    assert texts(found[0])[0] == f"{model(x).data[0, 0]:.3g}"


class Residual(nn.Module):
    def __init__(self):
        self.inner, self.out = nn.Dense(2, "relu"), nn.Dense(1)

    def __call__(self, x):
        return self.out(x + self.inner(x))


def test_models_whose_layers_are_not_in_a_row_are_drawn_as_graphs():
    picture = draw(Residual(), np.ones((1, 2)))
    frames = [texts(cluster)[0] for cluster in groups(picture, "cluster")]
    assert frames == ["Residual", "Dense 1", "Dense 2"]
    summed = draw(Residual(), np.ones((1, 2)), loss=lambda output: output.sum())
    assert "sum" in str(summed).splitlines()[0]
    with pytest.raises(OptionError, match=r"(?s)Residual without data.*draw\(model, x\)"):
        draw(Residual())


class Shared(nn.Sequential):
    def __call__(self, x):
        return self.layers[0](x) + self.layers[0](x)


def test_a_subclass_with_its_own_way_is_not_taken_for_a_row():
    assert describe(Shared([nn.Dense(2)]), np.ones((1, 2))).columns == []


def test_wrong_inputs_of_models(mlp):
    with pytest.raises(ShapeError, match="3 inputs for"):
        draw(mlp, [1.0, 2.0, 3.0])
    with pytest.raises(OptionError, match="Sequential without data"):
        draw(nn.Sequential())


def test_a_model_without_weights_yet_is_drawn_without_lines():
    picture = draw(nn.Sequential([nn.Dense(3), nn.Dense(2)]))
    assert weight_lines(picture) == {}


def test_weights_that_are_not_finite(mlp):
    mlp.layers[0].neurons[0].w[0].data = np.nan
    picture = draw(mlp, [1.0, 2.0])
    assert texts(neurons(picture, "Layer 1")[0])[0] == "nan"
    assert "weight nan from 0 to 0, gradient nan" in weight_lines(picture)


def test_the_text_form_is_a_table_of_layers(mlp):
    row = str(draw(mlp, [1.0, -2.0])).splitlines()[1]
    assert re.split(r"  +", row) == [
        "Layer 1",
        "2 x tanh",
        "weights -0.5 ... 1",
        "activations 0.6351 ... 0.9866",
        "gradient norm 2.828",
    ]


def test_network_pictures_save_like_all(mlp, tmp_path):
    for ending, start in {"svg": "<svg", "dot": "digraph", "html": "<!doctype html"}.items():
        path = Path(draw(mlp).save(tmp_path / f"network.{ending}"))
        assert path.read_text().startswith(start)
    assert Path(draw(mlp).save(tmp_path / "n.png")).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_networks_can_be_read_in_light_and_dark(mlp, scheme, browser, tmp_path):
    browser.open(Path(draw(mlp, [1.0, 2.0]).save(tmp_path / "n.html")), scheme=scheme)
    script = (
        "return [...document.querySelectorAll(arguments[0])].map(e => getComputedStyle(e).fill)"
    )
    [paper] = browser.run(script, ".paper")
    light = [sum(map(int, re.findall(r"\d+", x)[:3])) for x in browser.run(script, ".heading text")]
    dark = [
        sum(map(int, re.findall(r"\d+", x)[:3]))
        for x in browser.run(script, ".node:not(.heading) text")
    ]
    assert all((x > 600) == (scheme == "dark") for x in light)
    assert all(x < 120 for x in dark)  # inside circles, which keep their colours
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
