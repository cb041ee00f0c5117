"""diagnose: each mistake, made on purpose, is the first finding; healthy networks have none."""

import random
from collections import Counter
from functools import partial

import numpy as np
import pytest
from planted_causes import plants

import nn
from autograd_core import (
    DataError,
    OptionError,
    Primitive,
    Value,
    detect_anomaly,
    explain,
    leaky_relu,
    relu,
    scope,
    sigmoid,
    softmax,
)
from autograd_core.diagnosis import diagnose
from autograd_core.diagnosis.examination import Diagnosis, Finding
from nn import (
    GRU,
    LSTM,
    MLP,
    RBF,
    SGD,
    Activation,
    Adam,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Reshape,
    Sequential,
)
from nn.initializers import Normal

nn.set_seed(0)
X, Y = nn.datasets.moons(64, noise=0.1)
X, Y = np.roll(X, -Y.argmax(), 0), np.roll(Y, -Y.argmax())[:, None]  # the first target is 1
IMAGES = np.random.default_rng(0).random((32, 8, 8, 1))
LABELS = np.arange(32) % 10


@pytest.fixture(autouse=True)
def seeded():
    nn.set_seed(0)
    random.seed(0)


def kinds(diagnosis):
    return [finding.kind for finding in diagnosis]


def network(*layers, x=X):
    model = Sequential(layers)
    model.build(x.shape[1:], np.float64)
    return model


def cross_entropy(model, x=X):
    return nn.losses.binary_crossentropy(Y, model(x))


def squares(model, x=X):
    return nn.losses.mean_squared_error(Y, model(x))


class TestHealthyNetworksAreNotAlarmed:
    FRESH = {
        "tanh": ([Dense(16, "tanh"), Dense(1, "sigmoid")], X, "binary_crossentropy", SGD(0.1)),
        "relu": (
            [Dense(16, "relu"), Dense(16, "relu"), Dense(1, "sigmoid")],
            *(X, "binary_crossentropy", Adam(0.01)),
        ),
        "sigmoid": (
            [*(Dense(16, "sigmoid") for _ in range(3)), Dense(1, "sigmoid")],
            *(X, "mse", SGD(1.0)),
        ),
        "hinge": ([Dense(16, "relu"), Dense(1)], X, "hinge", Adam(0.01)),
        "from zeros": ([Dense(1, kernel_initializer="zeros")], X, "mse", SGD(0.1)),
        "radial": ([RBF(16), Dense(1)], X, "mse", Adam(0.01)),
        "deep selu": (
            [*(Dense(16, "selu", kernel_initializer="lecun_normal") for _ in range(10)), Dense(1)],
            *(X, "mse", Adam(0.001)),
        ),
        "convolution": (
            [
                *(Conv2D(4, 3, activation="relu"), BatchNormalization(), Activation("relu")),
                *(Flatten(), Dropout(0.5), Dense(10, "softmax")),
            ],
            *(IMAGES, "sparse_categorical_crossentropy", Adam(0.01)),
        ),
        "lstm": (
            [Reshape((8, 8)), LSTM(8), Dense(10, "softmax")],
            *(IMAGES, "sparse_categorical_crossentropy", Adam(0.01)),
        ),
        "embedding": (
            [Embedding(10, 4), GRU(8), Dense(10, "softmax")],
            *(LABELS.reshape(4, 8)[np.arange(32) % 4], "sparse_categorical_crossentropy", "adam"),
        ),
    }

    @pytest.mark.parametrize("name", FRESH)
    @pytest.mark.parametrize("samples", [1, 4, 32])
    def test_fresh(self, name, samples):
        layers, x, loss, optimizer = self.FRESH[name]
        model = Sequential([type(layer)(**layer.config()) for layer in layers])
        model.compile(optimizer, loss=loss)
        y = Y if x is X else LABELS
        if name == "hinge":
            y = 2 * Y - 1
        loss = model.loss(y[:samples], model(x[:samples]))
        assert diagnose(loss, model) == ()
        assert diagnose(loss) == ()
        loss.backward()
        assert diagnose(loss, model) == ()
        assert diagnose(model) == ()

    TRAINED = {
        "tanh": ([Dense(16, "tanh"), Dense(1, "sigmoid")], "binary_crossentropy", Adam(0.02)),
        "relu": ([*(Dense(16, "relu") for _ in range(4)), Dense(1, "sigmoid")], "mse", Adam(0.01)),
        "sure": ([Dense(16, "tanh"), Dense(1, "sigmoid")], "mse", SGD(2.0, momentum=0.9)),
        "sigmoid": ([Dense(16, "sigmoid"), Dense(1)], "mse", Adam(0.05)),
        "momentum": (
            [Dense(32, "relu"), Dense(1, "sigmoid")],
            "binary_crossentropy",
            SGD(0.1, 0.9),
        ),
        "rmsprop": ([Dense(16, "elu"), Dense(1)], "mse", nn.RMSprop(0.01)),
        "decay": ([Dense(16, "gelu"), Dense(1)], "mse", nn.AdamW(0.01, weight_decay=0.05)),
        "clipped": ([Dense(16, "relu"), Dense(1)], "mse", SGD(0.1, clipnorm=1.0)),
        "dropout": ([Dense(64, "relu"), Dropout(0.2), Dense(1, "sigmoid")], "mse", Adam(0.01)),
        "normalized": (
            [Dense(16, use_bias=False), BatchNormalization(), Activation("relu"), Dense(1)],
            *("mse", Adam(0.01)),
        ),
        "from zeros": ([Dense(1, "sigmoid", kernel_initializer="zeros")], "mse", SGD(1.0)),
        "deep": (
            [*(Dense(16, "selu", kernel_initializer="lecun_normal") for _ in range(6)), Dense(1)],
            *("mse", Adam(0.003)),
        ),
    }

    @pytest.mark.parametrize("name", TRAINED)
    def test_trained(self, name):
        layers, loss, optimizer = self.TRAINED[name]
        model = Sequential(layers)
        model.compile(optimizer, loss=loss)
        history = model.fit(X, Y, epochs=150, verbose=0).history["loss"]
        assert history[-1] < history[0] / 2
        model.zero_grad()
        last = model.loss(Y, model(X))
        last.backward()
        assert diagnose(last, model) == ()
        model.optimizer.step(model)
        assert diagnose(last, model) == ()
        assert diagnose(model.loss(Y, model(X)), model) == ()
        assert diagnose(model(X), model) == ()
        assert diagnose(model) == ()

    def test_a_hinge_that_is_met_has_learnt(self):
        model = network(Dense(1))
        model.layers[0].weight.data = np.array([[5.0, 0.0]])
        x, y = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([[1.0], [-1.0]])
        loss = nn.losses.hinge(y, model(x))
        assert loss.data == 0
        assert diagnose(loss, model) == ()

    @pytest.mark.no_cover
    @pytest.mark.parametrize("activation", ["relu", "tanh"])
    @pytest.mark.parametrize("samples", [1, 8])
    def test_scalar_networks(self, activation, samples):
        model = MLP(2, [16, 16, 1], activation=activation)
        for _ in range(3):
            scores = [model(row) for row in X[:samples].tolist()]
            margins = [
                (1 + (1 - 2 * float(y)) * s).relu() for s, y in zip(scores, Y[:, 0], strict=False)
            ]
            loss = sum(margins) / samples + 1e-4 * sum(p * p for p in model.parameters())
            assert diagnose(loss, model, learning_rate=0.1) == ()
            assert diagnose(loss) == ()
            model.zero_grad()
            loss.backward()
            assert diagnose(loss, model, learning_rate=0.1) == ()
            SGD(0.1).step(model)

    def test_numbers_and_arrays_without_a_module(self):
        a, b = Value(-4.0), Value(2.0)
        c = a * b + b**2 + (b - a).relu()
        assert diagnose(c * c) == ()
        w, v = Value(np.random.default_rng(0).normal(size=(2, 8))), Value(np.ones(8))
        assert diagnose(np.mean((np.maximum(X @ w, 0) @ v - Y[:, 0]) ** 2)) == ()

    def test_an_array_as_output_does_not_cancel(self):
        w = Value(np.array([[0.5, -0.5], [0.25, 1.0]]), label="w")
        assert diagnose(softmax(X @ w)) == ()

    def test_inf_that_does_not_reach_the_output(self):
        x = Value([1.0, 0.0], label="x")
        with np.errstate(divide="ignore"):
            assert diagnose(np.where([True, False], np.log(x), 0.0).sum()) == ()

    def test_values_that_only_decide(self):
        w, mask = Value([2.0, 3.0]), Value([1.0, 0.0])
        where = np.where(mask, w * w, 0.0)
        assert diagnose(where.sum()) == ()


class TestNames:
    def test_are_those_that_explain_gives(self):
        model = network(Dense(2, "tanh"), Dense(1))
        loss = squares(model)
        assert "/dlayers[0].weight = " in str(explain(loss, wrt=model.layers[0].weight))
        model.layers[0].weight.data = np.full((2, 2), np.nan)
        loss = squares(model)
        for diagnosis in (diagnose(model), diagnose(loss, model), diagnose(loss)):
            assert diagnosis[0].cause.startswith("layers[0].weight holds")

    def test_labels_come_first(self):
        model = MLP(2, [1, 1])
        model.layers[1].neurons[0].b.label = "threshold"
        model.layers[0](X).sum().backward()
        assert "threshold" in diagnose(model)[0].cause
        assert "layers[1].neurons[0].w[0]" in diagnose(model)[0].cause


class TestPathsThatAreCut:
    # What is computed of a; its data; the word that names the cut; what is written instead
    CUTS = {
        "relu": (relu, -3.0, "relu, whose derivative is 0 where its input is not", "leaky_relu"),
        "relu by maximum": (lambda a: np.maximum(a, 0), -3.0, "maximum, whose derivative", "leaky"),
        "sign": (np.sign, 2.0, "sign, a step", "smooth"),
        "floor": (np.floor, 2.5, "floor, a step", "smooth"),
        "ceil": (np.ceil, 2.5, "ceil, a step", "smooth"),
        "rounding": (np.round, [1.2, 3.4], "round, a step", "smooth"),
        "whole parts": (lambda a: a // 2, 2.5, "floor_divide, a step", "smooth"),
        "step": (nn.activations.step, 2.0, "sign, a step", "smooth"),
        "clip": (lambda a: np.clip(a, 0, 1), 2.0, "minimum, where the other operand", "bounds"),
        "where": (lambda a: np.where(a > 3, a, 0.0), 2.0, "where, where something else", "condi"),
        "where by a Value": (lambda a: np.where(a, 2.0, 3.0), 2.0, "where, which compares", "sm"),
        "nothing": (lambda a: a[:0].sum() * 2, [1.0, 2.0], "sum, whose derivative is 0", "start"),
        "square": (lambda a: a * a, 0.0, "multiply, whose derivative at 0 is 0", "minimum"),
        "factor": (lambda a: 0 * a, 2.0, "multiply, which multiplies by a constant", "mask"),
        "matrix": (lambda a: a @ np.zeros(2), [1.0, 2.0], "matmul, which multiplies by 0", "rand"),
        "minimum": (lambda a: (a - 2) ** 2, 2.0, "power, whose derivative at 0 is 0", "minimum"),
        "kink": (abs, 0.0, "absolute, whose derivative at 0 is 0", "start elsewhere"),
        "softmax": (lambda a: softmax(a)[0], [0.0, 1e4], "softmax, so saturated", "smaller"),
        "small": (
            lambda a: np.exp(a) * 2,
            -1000.0,
            "exp, whose result is below the sma",
            "smaller",
        ),
        "underflow": (lambda a: a * 1e-200 * 1e-200, 2.0, "multiply, where the product", "log"),
        "named sigmoid": (
            Primitive("sigmoid", np.cbrt, lambda g, out, x: 0 * g),
            *(2.0, "sigmoid, whose derivative is 0 here", "not flat"),
        ),
        "no rule": (
            Primitive("opaque", lambda x: x * 2, None),
            *(2.0, "opaque, which has no derivative for this input", "that has one"),
        ),
    }

    @pytest.mark.parametrize("name", CUTS)
    def test_the_cut_is_named(self, name):
        function, data, cause, fix = self.CUTS[name]
        a = Value(data, label="a")
        (finding,) = diagnose(function(a))
        assert finding.kind == "cut"
        begin = "the gradient of a is 0: every path to the output is cut at "
        assert finding.cause.startswith(begin + cause)
        assert fix in finding.fix

    @pytest.mark.parametrize(
        "function", [lambda a: a - a, lambda a: np.maximum(a, a) - a, lambda a: (a * [1, -1]).sum()]
    )
    def test_contributions_that_cancel(self, function):
        (finding,) = diagnose(function(Value(2.0, label="a")))
        assert finding.cause == (
            "the gradient of a is 0: the contributions of its paths and elements add up to 0"
        )

    def test_paths_are_followed_to_where_they_are_cut(self):
        a, b = Value(-1.0, label="a"), Value(2.0, label="b")
        n = a * b
        n.label = "n"
        (finding,) = diagnose((n * 3 + b * a).relu() + 1)
        assert finding.cause.startswith("the gradient of a and b is 0")
        assert finding.place == "relu of -8"

    def test_different_cuts_are_different_findings(self):
        a, b, c = (Value(-1.0, label=name) for name in "abc")
        found = diagnose(a.relu() + np.sign(b) + c)
        assert [finding.place for finding in found] == ["relu of a = -1", "sign of b = -1"]

    def test_what_is_multiplied_by_what_a_cut_left(self):
        a, w = Value(-1.0, label="a"), Value(2.0, label="w")
        found = diagnose(a.relu() * w)
        assert [finding.place for finding in found] == ["relu of a = -1", "multiply of 0 and w = 2"]

    def test_unlabelled_leaves_are_named_by_what_they_hold(self):
        (finding,) = diagnose(Value(-3.0).relu())
        assert "the leaf -3 is 0" in finding.cause

    def test_an_unlabelled_leaf_behind_a_step(self):
        w, c = Value([1.5, 2.5]), Value(2.0)
        (finding,) = diagnose((np.floor(w) * c).sum())
        assert finding.cause.startswith("the gradient of the leaf shape (2,) from 1.5 to 2.5 is 0")

    def test_many_labels_are_one_finding(self):
        leaves = [Value(-1.0, label=f"w{i}") for i in range(30)]
        (finding,) = diagnose(sum(leaves).relu())
        assert "w0, w1, w2, w3 and 26 more" in finding.cause

    def test_the_line_is_known_of_what_was_watched(self):
        a = Value(-3.0, label="a")
        with detect_anomaly():
            b = a.relu()
        assert diagnose(b)[0].place.endswith("b = a.relu()")
        assert __file__ in diagnose(b)[0].place

    @pytest.mark.parametrize("activation", ["sign", "step"])
    def test_layers_below_a_step(self, activation):
        model = network(Dense(8, "tanh"), Dense(8, activation), Dense(1, "sigmoid"))
        (finding,) = diagnose(cross_entropy(model), model)
        assert finding.cause.startswith(
            "the gradient of layers[0] (Dense) and layers[1] (Dense) is 0"
        )
        assert "cut at sign, a step" in finding.cause
        assert finding.place.endswith("layers[1] (Dense)")

    def test_weights_that_start_at_zero(self):
        zeros = partial(Dense, kernel_initializer="zeros")
        model = network(zeros(8, "relu"), zeros(8, "relu"), zeros(1))
        (finding,) = diagnose(squares(model), model)
        assert "layers[0] (Dense) and layers[1] (Dense) is 0" in finding.cause
        assert "which multiplies by 0" in finding.cause


class TestWhatDoesNotDepend:
    def test_a_value_that_is_not_used(self):
        a, b = Value(1.5, label="a"), Value(2.0, label="b")
        (finding,) = diagnose(a * 3, [a, b])
        assert finding.kind == "unused"
        assert finding.cause.startswith(
            "the gradient of b is missing: the output does not depend on it; plain numbers that may"
        )
        assert finding.place == "multiply of a = 1.5 and 3"

    def test_values_on_the_way_may_be_asked_about(self):
        a = Value(-1.5)
        hidden = a * 3
        assert diagnose(hidden * 2, hidden) == ()
        (finding,) = diagnose(hidden.relu(), {"hidden": hidden})
        assert finding.cause.startswith("the gradient of hidden is 0")

    def test_layers_that_are_not_used(self):
        class Two(nn.Module):
            def __init__(self):
                self.first, self.second = Dense(3), Dense(3)

            def __call__(self, x):
                return self.first(x)

        model = Two()
        model.second.build((2,))
        (finding,) = diagnose((model(X) ** 2).mean(), model)
        assert "second.weight and second.bias is missing" in finding.cause
        assert "does not depend on them" in finding.cause

    def test_data_taken_out_of_a_value(self):
        w, x = Value([1.0, 2.0], label="w"), Value([3.0, 4.0], label="x")
        (finding,) = diagnose((x * w.data).sum(), [w])
        assert finding.kind == "plain data"
        assert "w is missing: its numbers are used as plain data" in finding.cause
        assert finding.place.startswith("multiply of x")
        assert finding.fix.startswith("w instead of w.data")
        w = Value(0.3)
        assert "w.data" in diagnose((x * w.data).sum(), {"w": w})[0].fix

    def test_whole_numbers_may_be_literals(self):
        w, x = Value(2.0), Value(3.0)
        assert kinds(diagnose(x * w.data, w)) == ["unused"]
        assert "parameter 0" in diagnose(x * w.data, w)[0].cause

    @pytest.mark.parametrize(
        "taken", [lambda v: v.data, float, lambda v: np.ones(2) * v.data, lambda v: v > 0]
    )
    def test_an_output_of_plain_data(self, taken):
        w = Value(2.0, label="w")
        (finding,) = diagnose(taken(w * w), w)
        assert finding.cause == "no gradient can be found: the output is plain data"

    def test_an_output_that_was_computed_from_nothing(self):
        w = Value(2.0)
        (finding,) = diagnose(Value((w * w).data), w)
        assert "a Value that was computed from nothing" in finding.cause

    def test_an_output_that_is_asked_about(self):
        w = Value(2.0)
        assert diagnose(w, w) == ()


class TestUnitsAtTheirEnds:
    @pytest.mark.parametrize(
        ("function", "at", "slope"),
        [(np.tanh, -8.0, "4.5e-07"), (np.tanh, 5.0, "0.00018"), (sigmoid, 8.0, "0.00034")],
    )
    def test_a_number(self, function, at, slope):
        n = Value(at, label="n")
        (finding,) = diagnose(function(n))
        assert finding.kind == "saturated"
        assert finding.cause == (
            f"{function.__name__} is saturated: at {at:g} its derivative is {slope}"
        )

    @pytest.mark.parametrize("at", [-2.9, 0.0, 2.9])
    def test_a_number_that_is_not(self, at):
        assert diagnose(np.tanh(Value(at, label="n"))) == ()
        assert diagnose(sigmoid(2 * Value(at, label="n"))) == ()

    def test_a_derivative_that_rounds_to_zero_is_said_once(self):
        assert kinds(diagnose(Value(100.0, label="n").tanh())) == ["saturated"]

    @pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
    def test_inputs_that_are_not_scaled(self, activation):
        model = network(Dense(8, activation), Dense(1, "sigmoid"))
        finding = diagnose(cross_entropy(model, 1000 * X), model)[0]
        assert finding.kind == "saturated"
        assert "of 512 numbers: its inputs lie from -" in finding.cause
        assert finding.place.endswith("layers[0] (Dense)")
        assert "standardised data" in finding.fix

    def test_an_output_that_is_sure_and_wrong(self):
        model = network(Dense(8, "tanh"), Dense(1, "sigmoid"))
        model.layers[1].weight.data = model.layers[1].weight.data * 1000
        finding = diagnose(squares(model), model)[0]
        assert finding.kind == "saturated"
        assert "on the wrong side: the loss wants them back" in finding.cause

    def test_a_number_on_the_wrong_side(self):
        n = Value(-8.0, label="n")
        assert "wrong side: the loss wants it back" in diagnose((n.tanh() - 1) ** 2)[0].cause
        n = Value(8.0, label="n")
        assert diagnose((n.tanh() - 1) ** 2) == ()

    def test_a_constant_factor_on_either_side_is_no_loss(self):
        n = Value(8.0, label="n")
        before, after = [diagnose(x)[0] for x in (2.0 * np.tanh(n), np.tanh(n) * 2.0)]
        assert before == after
        assert "wrong side" not in before.cause

    def test_dead_relus(self):
        model = network(Dense(8, "relu"), Dense(8, "relu"), Dense(1, "sigmoid"))
        bias = model.layers[1].bias
        bias.data = np.array([-50.0] * 6 + [1.0] * 2)
        (finding,) = diagnose(cross_entropy(model), model)
        assert finding.kind == "dead relu"
        assert finding.cause.startswith("6 of 8 relu units are off for every one of 64 inputs")
        assert finding.place.endswith("layers[1] (Dense)")
        bias.data = np.full(8, -50.0)
        (finding,) = diagnose(cross_entropy(model), model)
        assert finding.cause.startswith("all 8 relu units are off")
        bias.data = np.array([-50.0] * 5 + [1.0] * 3)
        (finding,) = diagnose(cross_entropy(model), model)
        assert finding.cause.startswith("5 of 8 relu units are off")
        bias.data = np.array([-50.0] * 4 + [1.0] * 4)
        assert diagnose(cross_entropy(model), model) == ()

    def test_units_that_are_nearly_on_are_not_dead(self):
        model = network(Dense(8, "relu"), Dense(1))
        z = X @ model.layers[0].weight.data.T
        model.layers[0].bias.data = np.array([-1.01] * 5 + [1.0] * 3) * abs(z).max(axis=0)
        assert diagnose(squares(model), model) == ()

    def test_few_samples_say_nothing_unless_all_units_are_off(self):
        model = network(Dense(8, "relu"), Dense(1))
        model.layers[0].bias.data = np.array([-50.0] * 7 + [1.0])
        assert diagnose(model(X[:2]), model) == ()
        model.layers[0].bias.data = np.full(8, -50.0)
        (finding,) = diagnose(model(X[:1]), model)
        assert finding.cause.startswith("all 8 relu units are off for this input")

    def test_dead_relus_without_a_module(self):
        w, v = Value(np.full((2, 4), -1.0), label="w"), Value(np.ones(4), label="v")
        hidden = np.maximum(abs(X) @ w, 0)
        assert diagnose((hidden @ v).sum())[0].cause.startswith("all 4 relu units are off")

    def test_dead_neurons(self):
        model = MLP(2, [4, 4, 1])
        for neuron in model.layers[1].neurons:
            neuron.b.data = -100.0
        loss = sum((model(row) - 1) ** 2 for row in X[:10].tolist())
        for diagnosis, place in (
            (diagnose(loss, model), "layers[1] (Layer)"),
            (diagnose(loss), "Layer 2"),
        ):
            (finding,) = diagnosis
            assert finding.cause.startswith("all 4 relu units are off for every one of 10 inputs")
            assert finding.place.endswith(f"{place}, and 39 more")
        model.layers[1].neurons[0].b.data = 10.0
        found = diagnose(sum((model(row) - 1) ** 2 for row in X[:10].tolist()), model)
        assert found[0].cause.startswith("3 of 4 relu units are off")

    def test_neurons_that_are_called_with_columns(self):
        model = MLP(2, [4, 1])
        for neuron in model.layers[0].neurons:
            neuron.b.data = -100.0
        (finding,) = diagnose(((model(X) - Y) ** 2).mean(), model)
        assert finding.cause.startswith("all 4 relu units are off for every one of 64 inputs")

    def test_a_single_neuron(self):
        neuron = nn.Neuron.of([1.0, 1.0], bias=-10.0)
        (finding,) = diagnose(neuron([1.0, 2.0]), neuron)
        assert finding.cause.startswith("the relu unit is off for this input")

    def test_own_primitives_are_not_taken_for_those_of_their_names(self):
        double = Primitive("tanh", lambda x: 2 * x, lambda g, out, x: 2 * g)
        steep = Primitive("relu", lambda x: x / 2, lambda g, out, x: g / 2)
        n, rows = Value(100.0, label="n"), Value(np.full((20, 3), -1.0))
        assert kinds(diagnose(double(n))) == []
        assert kinds(diagnose(np.sum(steep(rows @ Value(np.ones((3, 4)))) ** 2))) == []


class TestNumbersThatAreNotFinite:
    # What is computed of w; its data; the beginning of the cause; a part of the fix
    FORWARD = {
        "log": (np.log, [1.0, 0.0], "log of w = 0 at [1] is -inf", "1e-12"),
        "divide": (lambda w: 1 / w, 0.0, "divide of 1 and w = 0 is inf", "denominator"),
        "root": (np.sqrt, -1.0, "sqrt of w = -1 is NaN", "1e-12"),
        "overflow": (np.exp, 1000.0, "exp of w = 1000 is inf", "logsumexp"),
        "growth": (lambda w: w * w, 1e200, "multiply of w = 1e+200 and w = 1e+200 is", "smaller"),
        "domain": (np.arcsin, 2.0, "arcsin of w = 2 is NaN", "np.clip"),
        "rows": (lambda w: w @ w, [1e200, 1.0], "matmul of w = shape (2,) from 1 to 1e+200", "sm"),
    }

    @pytest.mark.parametrize("name", FORWARD)
    def test_forward(self, name):
        function, data, cause, fix = self.FORWARD[name]
        with np.errstate(all="ignore"):
            output = np.sum(function(Value(data, label="w")) * 2 + 1)
        (finding,) = diagnose(output)
        assert finding.kind == "not finite"
        assert finding.cause.startswith(cause)
        assert fix in finding.fix

    # What is computed of w; its data; the beginning of the cause; a part of the fix
    BACKWARD = {
        "root": (np.sqrt, [1.0, 0.0], "inf at sqrt of w = 0 at [1], from one of shape", "1e-12"),
        "power": (lambda w: w**0.5, 0.0, "inf at power of w = 0 and 0.5, from one of 1", "above 0"),
        "float": (
            Primitive("pole", lambda x: x, lambda g, out, x: g / x),
            *(0.0, "inf at pole of w = 0", "np.where"),
        ),
        "growth": (
            lambda w: w * 1e-300 * 1e200 * 1e200 * 1e100,
            *(1e-200, "inf at multiply of", "smaller"),
        ),
    }

    @pytest.mark.parametrize("name", BACKWARD)
    def test_backward(self, name):
        function, data, cause, fix = self.BACKWARD[name]
        w = Value(data, label="w")
        scale = 1e-300 if name == "growth" else 1
        output = np.sum(function(w)) * scale if name != "growth" else function(w)
        (finding,) = diagnose(output)
        assert finding.cause.startswith(f"the gradient becomes {cause}")
        assert fix in finding.fix

    def test_an_inf_that_turned_into_a_finite_number_in_between(self):
        z = Value([1000.0, 0.0], label="z")
        with np.errstate(all="ignore"):
            e = np.exp(z)
            p = e / e.sum()
            (finding,) = diagnose(-np.log(p[1]))
            (cut,) = diagnose(p[1])
        assert finding.cause == "exp of z = 1000 at [0] is inf: the first number that is not finite"
        assert "log_softmax or logsumexp of the logits" in finding.fix
        assert cut.cause.startswith("the gradient becomes NaN at exp of z = 1000 at [0], from one")
        assert cut.place == "exp of z = shape (2,) from 0 to 1000"
        assert cut.fix == finding.fix

    def test_an_inf_that_is_not_to_blame_is_not_named(self):
        x, y = Value([1.0, 0.0], label="x"), Value(0.0, label="y")
        with np.errstate(all="ignore"):
            unharmed = np.where([True, False], np.log(x), 0.0).sum()
            (finding,) = diagnose(unharmed + np.log(y))
        assert finding.cause.startswith("log of y = 0 is -inf")

    def test_an_inf_in_the_data_that_cuts_the_way(self):
        x, w = Value(np.inf, label="x"), Value(2.0, label="w")
        (finding,) = diagnose(w / x, w)
        assert finding.place == "divide of w = 2 and x = inf; inf comes from x = inf"
        assert finding.fix.startswith("new weights")

    def test_operands_stand_together_only_where_they_are_combined_one_by_one(self):
        w = Value([[1e200, 1.0], [1.0, 1.0]], label="w")
        with np.errstate(over="ignore"):
            assert diagnose(w @ w)[0].cause.startswith(
                "matmul of w = shape (2, 2) from 1 to 1e+200"
            )

    def test_inside_detect_anomaly(self):
        w = Value(0.0, label="w")
        with detect_anomaly():
            y = np.sqrt(w)
            (finding,) = diagnose(y)
        assert finding.cause.startswith("the gradient becomes inf at sqrt of w = 0")
        assert finding.place.endswith("y = np.sqrt(w)")

    def test_contributions_that_overflow_together(self):
        w = Value(1e-300, label="w")
        (finding,) = diagnose(w * 1.5e308 + w * 1.5e308)
        assert finding.cause == "the gradient of w = 1e-300 is inf, the sum of its contributions"

    def test_data_that_are_not_clean(self):
        x = X.copy()
        x[3, 1] = np.nan
        model = network(Dense(4, "tanh"), Dense(1))
        (finding,) = diagnose(squares(model, x), model)
        assert finding.cause == "the data hold NaN, and so does all that is computed from them"
        assert "layers[0] (Dense)" in finding.place
        assert "1 NaN" in finding.place

    def test_weights_that_are_lost(self):
        model = network(Dense(4, "tanh"), Dense(1))
        model.layers[1].weight.data = np.full((1, 4), np.nan)
        for finding in (diagnose(squares(model), model)[0], diagnose(model)[0]):
            assert finding.kind == "not finite"
            assert finding.cause.startswith("layers[1].weight holds")
        (finding,) = diagnose(Value(np.nan) * 2)
        assert finding.cause.startswith("an input holds NaN")

    def test_lost_weights_that_do_not_reach_the_output(self):
        w = Value([np.nan, 1.0])
        assert diagnose(w[1] * 2, {"w": w})[0].cause.startswith("w holds NaN")

    def test_a_gradient_that_is_lost(self):
        model = network(Dense(1))
        model.layers[0].bias.grad = [np.nan]
        (finding,) = diagnose(model)
        assert finding.cause == "the gradient of layers[0].bias holds numbers that are not finite"


class TestSizesByLayer:
    def deep(self, activation, depth=10, **options):
        return network(*(Dense(16, activation, **options) for _ in range(depth)), Dense(1))

    def test_vanishing(self):
        model = self.deep("sigmoid")
        (finding,) = diagnose(squares(model), model)
        assert finding.kind == "vanishing"
        assert "gradients vanish on their way back: that of the weights" in finding.cause
        assert "from layer to layer" in finding.cause
        assert finding.place.startswith("layers[0] (Dense): ")
        assert "layers[10] (Dense): " in finding.place
        squares(model).backward()
        assert kinds(diagnose(model)) == ["vanishing"]

    def test_vanishing_without_the_model_at_hand(self):
        (finding,) = diagnose(squares(self.deep("sigmoid")))
        assert finding.place.startswith("Dense: ")
        assert "Dense 11: " in finding.place

    def test_exploding(self):
        model = self.deep("relu", kernel_initializer=Normal(stddev=3.0))
        (finding,) = diagnose(squares(model), model)
        assert finding.kind == "exploding"
        assert "gradients explode on their way back: that of the outputs" in finding.cause
        assert "clipnorm" in finding.fix

    def test_scalar_networks(self):
        model = MLP(2, [4] * 8 + [1], activation="sigmoid", initializer="glorot_uniform")
        (finding,) = diagnose((model([1.0, 2.0]) - 1) ** 2, model)
        assert finding.kind == "vanishing"
        assert finding.place.startswith("layers[0] (Layer): ")

    @pytest.mark.parametrize(("factor", "kind"), [(0.5, "vanishing"), (3.0, "exploding")])
    def test_a_chain_without_layers(self, factor, kind):
        z = x = Value(0.1, label="x")
        for _ in range(40):
            z = z * factor
        (finding,) = diagnose(z)
        assert finding.kind == kind
        assert "on its way back to x: from 1 to " in finding.cause
        assert " in 40 operations, " in finding.cause
        assert diagnose(x * 1e-30) == diagnose(x * 1e30) == ()  # units
        assert diagnose(x * 1e-30 * 0.9 * 0.9 * 0.9 * 0.9 * 0.9) == ()

    def test_a_scope_is_no_layer(self):
        x = Value(0.1, label="x")
        with scope("part"):
            y = leaky_relu(x * 2)
        assert diagnose(y) == ()


class TestGradientsOfEarlierPasses:
    def model(self):
        return network(Dense(8, "tanh"), Dense(1, "sigmoid"))

    def test_the_same_twice(self):
        model = self.model()
        for _ in range(3):
            loss = cross_entropy(model)
            loss.backward()
        (finding,) = diagnose(loss, model)
        assert finding.kind == "accumulated"
        assert "is 3 times that of this graph: backward() was called 3 times" in finding.cause
        assert "zero_grad()" in finding.fix

    def test_one_graph_twice(self):
        x = Value(3.0, label="x")
        y = x * x
        y.backward()
        assert diagnose(y) == ()
        y.backward()
        (finding,) = diagnose(y)
        assert finding.cause.startswith("the gradient of x is 2 times that of this graph")
        assert finding.place == "x: .grad of size 12, of this graph alone 6"

    def test_those_before_a_step(self):
        model = self.model()
        cross_entropy(model).backward()
        SGD(0.5).step(model)
        loss = cross_entropy(model)
        assert diagnose(loss, model) == ()  # zero_grad() may still come
        loss.backward()
        assert "holds what earlier backward passes have left" in diagnose(loss, model)[0].cause
        model.zero_grad()
        loss.backward()
        assert diagnose(loss, model) == ()
        SGD(0.5).step(model)
        assert diagnose(loss, model) == ()  # of the loss with the new weights

    def test_a_part_of_a_larger_graph(self):
        a, b = Value(2.0, label="a"), Value(3.0, label="b")
        part = a * b
        (part + a).backward()
        assert diagnose(part) == ()


class TestLearningRates:
    def model(self):
        return network(Dense(8, "tanh"), Dense(1, "sigmoid"))

    LARGE = [{"learning_rate": 1000.0}, {"optimizer": Adam(10.0)}, {"optimizer": SGD(1000.0)}]
    SMALL = [{"learning_rate": 1e-9}, {"optimizer": Adam(1e-9)}, {"learning_rate": 0.0}]
    RIGHT = [{"learning_rate": 0.1}, {"optimizer": Adam(0.01)}, {"optimizer": SGD(0.1, 0.9)}]

    @pytest.mark.parametrize("options", LARGE)
    def test_too_large(self, options):
        model = self.model()
        loss = cross_entropy(model)
        (finding,) = diagnose(loss, model, **options)
        assert finding.kind == "large steps"
        assert "overshoots" in finding.cause
        assert "update / weights = " in finding.place
        assert f"loss of this batch {loss.data:.4g}, after the update " in finding.place
        loss.backward()
        assert kinds(diagnose(model, **options)) == ["large steps"]

    @pytest.mark.parametrize("options", SMALL)
    def test_too_small(self, options):
        model = self.model()
        loss = cross_entropy(model)
        (finding,) = diagnose(loss, model, **options)
        assert finding.kind == "small steps"
        assert finding.fix.startswith("a learning rate around 0.0")
        loss.backward()
        assert kinds(diagnose(model, **options)) == ["small steps"]

    @pytest.mark.parametrize("options", RIGHT)
    def test_right(self, options):
        model = self.model()
        loss = cross_entropy(model)
        assert diagnose(loss, model, **options) == ()
        loss.backward()
        assert diagnose(model, **options) == ()

    def test_that_of_a_compiled_model(self):
        model = self.model()
        model.compile(SGD(1000.0), loss="mse")
        assert kinds(diagnose(cross_entropy(model), model)) == ["large steps"]

    def test_from_zero_every_step_is_large(self):
        w = Value([0.0, 0.0], label="w")
        loss = np.mean((X @ w - Y[:, 0]) ** 2)
        assert diagnose(loss, w, learning_rate=0.1) == ()
        (finding,) = diagnose(loss, w, learning_rate=100.0)
        assert finding.place.startswith("parameters: update / weights = inf")
        assert finding.fix == "a learning rate around 10"

    def test_a_step_into_nan(self):
        w = Value(1.0, label="w")
        loss = np.log(w)
        assert kinds(diagnose(loss, w, learning_rate=10.0)) == ["large steps"]

    def test_small_gradients_are_not_its_fault(self):
        w = Value(1.0, label="w")
        assert diagnose((w - 1.0000001) ** 2, w, learning_rate=0.1) == ()

    def test_what_an_optimizer_remembers_is_used_and_kept(self):
        model, optimizer = self.model(), SGD(0.5, momentum=0.9)
        loss = cross_entropy(model)
        loss.backward()
        for p in model.parameters():
            optimizer.slots[p] = {"momentum": np.full(p.shape, 1000.0)}
        assert kinds(diagnose(loss, model, optimizer=optimizer)) == ["large steps"]
        assert all((slot["momentum"] == 1000).all() for slot in optimizer.slots.values())
        assert optimizer.iterations == 0

    def test_nothing_that_learns_is_reached(self):
        a, w = Value(2.0), Value(1.5)
        assert kinds(diagnose(a * a, w, learning_rate=0.1)) == ["unused"]


class TestAModelAlone:
    def test_before_backward(self):
        (finding,) = diagnose(MLP(2, [2, 1]))
        assert finding.kind == "missing"
        assert finding.cause.startswith("the gradient of every parameter of MLP is missing")
        assert "loss.backward()" in finding.fix

    def test_a_part_that_was_not_reached(self):
        model = network(Dense(4), Dense(1))
        model.layers[0](X).sum().backward()
        (finding,) = diagnose(model)
        assert "layers[1].weight and layers[1].bias is missing" in finding.cause
        assert finding.place == "2 of 4 parameters"

    def test_layers_without_gradient(self):
        model = network(Dense(4, "sign"), Dense(1))
        model(X).sum().backward()
        model.layers[0].weight.grad = model.layers[0].bias.grad = 0.0
        (finding,) = diagnose(model)
        assert finding.cause.startswith("the gradient of layers[0] (Dense) is 0")

    def test_parameters_in_the_way_of_pytorch(self):
        class Pairs:
            weight = Value([1.0, 2.0])

            def named_parameters(self):
                yield "weight", self.weight

        pairs = Pairs()
        assert diagnose((pairs.weight**2).sum(), pairs) == ()
        assert "weight" in diagnose(Value(2.0) * 2, pairs)[0].cause


class TestWhatIsLeftAlone:
    def test_gradients_and_data(self):
        model = network(Dense(8, "relu"), Dense(1, "sigmoid"))
        loss = cross_entropy(model)
        loss.backward()
        before = {p: (p.data, p.grad, p.data.copy(), p.grad.copy()) for p in model.parameters()}
        diagnose(loss, model, learning_rate=10.0)
        diagnose(loss, model, optimizer=Adam(10.0))
        diagnose(model, optimizer=Adam(10.0))
        for p, (data, grad, numbers, gradient) in before.items():
            assert p.data is data
            assert p.grad is grad
            assert (p.data == numbers).all()
            assert (p.grad == gradient).all()
            assert not p.stepped

    def test_gradients_that_are_not_computed(self):
        x = Value(2.0)
        y = x * x
        diagnose(y)
        assert not x.has_grad
        assert not y.has_grad


class TestALargeScalarGraph:
    def test_findings_are_grouped(self):
        model = MLP(2, [16, 16, 1])
        for neuron in model.layers[0].neurons:
            neuron.b.data = -100.0
        loss = sum((model(list(map(Value, row))) - 1) ** 2 for row in X[:20].tolist())
        assert len(str(diagnose(loss, model)).splitlines()) < 10
        assert len(str(diagnose(loss)).splitlines()) < 10


class TestHowFindingsLook:
    def test_nothing(self):
        assert str(Diagnosis()) == repr(Diagnosis()) == "nothing to report"
        assert not Diagnosis()
        assert Diagnosis()._repr_html_() == "<p>nothing to report</p>"

    def test_a_list(self):
        diagnosis = Diagnosis([Finding("k", "cause", "place", "fix")] * 2)
        assert Counter(diagnosis) == {Finding("k", "cause", "place", "fix"): 2}
        part = "cause\n  where: place\n  write: fix"
        assert str(diagnosis) == repr(diagnosis) == f"1. {part}\n2. {part}"

    def test_labels_do_not_become_markup(self):
        label = '<script>alert("1")</script>&\''
        diagnosis = diagnose(Value(-1.0, label=label).relu())
        assert label in str(diagnosis)
        html = diagnosis._repr_html_()
        assert "<script>" not in html
        assert "&lt;script&gt;" in html

    def test_long_labels_are_cut_short(self):
        assert len(diagnose(Value(-1.0, label="x" * 1000).relu())[0].cause) < 300


class TestBadInput:
    @pytest.mark.parametrize("output", ["loss", None, 1j])
    def test_an_output_that_is_none(self, output):
        with pytest.raises(DataError, match="real numbers"):
            diagnose(output)

    def test_options(self):
        w = Value(2.0)
        with pytest.raises(OptionError, match=r"learning rate, and without parameters(.|\n)*model"):
            diagnose(w * w, learning_rate=0.1)
        with pytest.raises(OptionError, match="an optimizer has a learning rate of its own"):
            diagnose(w * w, w, learning_rate=0.1, optimizer=SGD())
        with pytest.raises(OptionError, match="it would increase the loss"):
            diagnose(w * w, w, learning_rate=-0.1)
        with pytest.raises(OptionError, match=r"optimizer='adam'(.|\n)*nn.SGD"):
            diagnose(w * w, w, optimizer="adam")

    @pytest.mark.parametrize("model", [3.0, [1.0], {"w": np.ones(2)}])
    def test_a_model_that_is_none(self, model):
        with pytest.raises(OptionError, match="gradients belong to Values"):
            diagnose(Value(2.0) * 2, model)


class TestPlantedCauses:
    @pytest.mark.parametrize("plant", plants(), ids=lambda plant: plant.name)
    def test_is_named_and_gone_once_cured(self, plant):
        if plant.name == "padding that hides every step":  # as a hinge that is met
            assert not plant.is_named()
            return
        assert plant.is_named()
        assert not (plant.has_cure and plant.is_named(cured=True))

    def test_layers_of_a_stale_graph_have_their_names(self):
        model = network(Dense(8, "sign"), Dense(1))
        loss = squares(model)
        loss.backward()
        SGD(0.1).step(model)
        (finding,) = diagnose(loss, model)
        assert finding.cause.startswith("the gradient of layers[0] (Dense) is 0")

    def test_parameters_are_lacking_before_the_next_step_too(self):
        model, optimizer = network(Dense(4, "tanh"), Dense(1)), Adam(0.01)
        squares(model).backward()
        optimizer.step(model.layers[0].parameters())
        model.zero_grad()
        loss = squares(model)
        loss.backward()
        (finding,) = diagnose(loss, model, optimizer=optimizer)
        assert "lacks layers[1].weight and layers[1].bias" in finding.cause

    def test_the_maximum_of_a_function_is_no_reversed_loss(self):
        x = Value(0.5, label="x")
        assert diagnose(-((x - 2) ** 2), x) == ()

    def test_unused_values_without_any_plain_number(self):
        a, b = Value(0.5, label="a"), Value(0.25, label="b")
        (finding,) = diagnose(a * a, [a, b])
        assert finding.cause == "the gradient of b is missing: the output does not depend on it"
