"""Two views of one network: MLP.to_dense, Sequential.to_scalar; the same numbers and gradients."""

import random
import re

import numpy as np
import pytest

import nn
from autograd_core import OptionError, Value
from nn import MLP, Dense, Layer, Neuron, Sequential, activations
from nn.layers import Activation, Flatten
from nn.layers.dropout import Dropout

X = np.random.default_rng(0).normal(size=(7, 3))
WEIGHTS = np.random.default_rng(1).normal(size=(7, 2))  # make a number of the outputs


def scalar_model(activation="tanh", **options):
    """Return an MLP whose biases, too, are drawn."""
    random.seed(0)
    model = MLP(3, [4, 4, 2], activation=activation, **options)
    for p in model.parameters():
        p.data = random.uniform(-1, 1)
    return model


def array_model(*layers, dtype=np.float64):
    model = Sequential(layers)
    model.build((3,), dtype)
    rng = np.random.default_rng(2)
    for p in model.parameters():
        p.data = rng.uniform(-1, 1, p.shape).astype(dtype)
    return model


def run(model):
    """Return the outputs and the gradients of the inputs; leave those of the parameters there."""
    model.zero_grad()
    x = Value(X)
    out = model(x)
    (out * WEIGHTS).sum().backward()
    return out.data, x.grad


def numbers(layer, what):
    """Return weights and biases, data or grad, of a Dense or of scalar neurons."""
    if isinstance(layer, Dense):
        return getattr(layer.weight, what), getattr(layer.bias, what) if layer.use_bias else None
    rows = [[getattr(w, what) for w in neuron.w] for neuron in layer.neurons]
    biases = [getattr(neuron.b, what) for neuron in layer.neurons if neuron.b is not None]
    return np.array(rows), np.array(biases) if biases else None


def assert_same(scalar, dense):
    """Hold outputs, numbers and gradients of one view to those of the other."""
    for one, other in zip(run(scalar), run(dense), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    arrays = [layer for layer in dense.layers if isinstance(layer, Dense)]
    for neurons, array_layer in zip(scalar.layers, arrays, strict=True):
        for what in ("data", "grad"):
            weights, biases = numbers(neurons, what)
            expected_weights, expected_biases = numbers(array_layer, what)
            np.testing.assert_allclose(weights, expected_weights, rtol=1e-12, atol=1e-12)
            assert (biases is None) == (expected_biases is None)
            if biases is not None:
                np.testing.assert_allclose(biases, expected_biases, rtol=1e-12, atol=1e-12)


class TestBothWays:
    @pytest.mark.parametrize("use_bias", [True, False])
    @pytest.mark.parametrize("name", sorted(activations.BY_NAME))
    def test_every_activation(self, name, use_bias):
        scalar = scalar_model(name, output_activation=name, use_bias=use_bias)
        dense = scalar.to_dense()
        assert_same(scalar, dense)
        back = dense.to_scalar()
        assert repr(back) == repr(scalar)
        assert_same(back, dense)
        assert back.state_dict() == scalar.state_dict()

    @pytest.mark.parametrize("name", sorted(activations.BY_NAME))
    def test_from_arrays_and_back(self, name):
        dense = array_model(Dense(4, name), Dense(2, use_bias=False), Dense(2, "softmax"))
        scalar = dense.to_scalar()
        assert_same(scalar, dense)
        again = scalar.to_dense()
        for key, array in dense.state_dict().items():
            np.testing.assert_array_equal(again.state_dict()[key], array)

    def test_activations_and_biases_may_differ_from_layer_to_layer(self):
        scalar = scalar_model(["relu", "sigmoid"], use_bias=[False, True, False])
        assert_same(scalar, scalar.to_dense())
        assert repr(scalar.to_dense().to_scalar()) == repr(scalar)

    def test_both_learn_alike(self):
        scalar = scalar_model()
        dense = scalar.to_dense()
        for model in (scalar, dense):
            for _ in range(5):
                loss = ((model(X) - WEIGHTS) ** 2).mean()
                model.zero_grad()
                loss.backward()
                for p in model.parameters():
                    p.data = p.data - 0.5 * p.grad
        assert_same(scalar, dense)

    def test_fit_gives_both_the_same_history(self):
        scalar = scalar_model(output_activation="softmax")
        dense = scalar.to_dense()
        y = np.eye(2)[(X @ [1.0, 2.0, -1.0] > 0).astype(int)]
        histories = []
        for model in (scalar, dense):
            nn.set_seed(4)
            model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
            histories.append(model.fit(X, y, batch_size=3, epochs=4, verbose=0).history)
        assert histories[0].keys() == histories[1].keys() == {"loss", "accuracy"}
        for key in histories[0]:
            np.testing.assert_allclose(histories[0][key], histories[1][key], rtol=1e-9)
        np.testing.assert_allclose(scalar.predict(X), dense.predict(X), rtol=1e-9)

    def test_each_learns_on_its_own(self):
        scalar = scalar_model()
        dense = scalar.to_dense()
        before = scalar.state_dict()
        for p in dense.parameters():
            p.data = p.data + 1
        assert scalar.state_dict() == before
        scalar = dense.to_scalar()
        before = {name: array.copy() for name, array in dense.state_dict().items()}
        for p in scalar.parameters():
            p.data += 1
        for name, array in dense.state_dict().items():
            np.testing.assert_array_equal(array, before[name])

    def test_nothing_random_is_drawn(self):
        nn.set_seed(3)
        expected = random.random(), nn.randomness.generator().random()
        scalar = scalar_model()
        nn.set_seed(3)
        scalar.to_dense().to_scalar()
        assert (random.random(), nn.randomness.generator().random()) == expected


class TestToDense:
    def test_the_layers_are_dense_and_float64(self):
        model = scalar_model().to_dense()
        assert isinstance(model, Sequential)
        assert [type(layer) for layer in model.layers] == [Dense] * 3
        assert {p.dtype for p in model.parameters()} == {np.dtype(np.float64)}
        assert [layer.activation for layer in model.layers] == [
            *[activations.tanh] * 2,
            None,
        ]

    def test_a_neuron_changed_afterwards_counts(self):
        layer = Layer(3, 2)
        for neuron in layer.neurons:
            neuron.nonlin = False
        assert layer.to_dense().activation is None
        np.testing.assert_allclose(layer.to_dense()(X).data, layer(X).data)

    @pytest.mark.parametrize("other", [Neuron(3), Neuron(3, activation="tanh", use_bias=False)])
    def test_neurons_of_two_kinds_make_no_dense_layer(self, other):
        layer = Layer(3, 2, activation="tanh")
        layer.neurons[1] = other
        with pytest.raises(OptionError, match=r"Layer of .* as a Dense layer") as caught:
            layer.to_dense()
        assert "differ in activation or bias" in caught.value.why


class TestToScalar:
    def test_activation_layers_become_their_neurons_activation(self):
        dense = array_model(Dense(4), Activation("tanh"), Dense(2, "linear"), Activation("softmax"))
        scalar = dense.to_scalar()
        assert repr(scalar) == (
            f"MLP of [Layer of [{', '.join(['TanhNeuron(3)'] * 4)}], "
            "SoftmaxLayer of [LinearNeuron(4), LinearNeuron(4)]]"
        )
        assert_same(scalar, dense)

    def test_flatten_is_passed_over(self):
        model = Sequential([Flatten(), Dense(2, "relu"), Flatten(), Dense(1)])
        model.build((2, 2), np.float64)
        images = np.random.default_rng(0).normal(size=(5, 2, 2))
        np.testing.assert_allclose(
            model.to_scalar()(images.reshape(5, 4)).data, model(images).data, rtol=1e-12
        )

    def test_float32_weights_are_kept_exactly(self):
        dense = array_model(Dense(2, kernel_initializer="normal"), dtype=np.float32)
        scalar = dense.to_scalar()
        assert {type(p.data) for p in scalar.parameters()} == {float}
        np.testing.assert_array_equal(numbers(scalar.layers[0], "data")[0], dense.layers[0].weight)
        out = scalar(X.astype(np.float32))
        assert out.dtype == np.float32
        np.testing.assert_allclose(out.data, dense(X.astype(np.float32)).data, rtol=1e-6)

    @pytest.mark.parametrize(
        ("layers", "named"),
        [
            ([Dense(2), Dropout(0.5), Dense(1)], "Dropout(rate=0.5) in a scalar network"),
            ([Activation("tanh"), Dense(1)], "Activation(activation=tanh) in a scalar network"),
            ([Dense(2, "relu"), Activation("tanh")], "Activation(activation=tanh) in a scalar"),
            ([Sequential([Dense(2)])], "Sequential"),
        ],
    )
    def test_other_layers(self, layers, named):
        model = Sequential(layers, input_shape=(3,))
        with pytest.raises(OptionError, match=re.escape(named)) as caught:
            model.to_scalar()
        assert caught.value.why == "a neuron is a weighted sum and one activation"

    def test_a_subclass_of_dense_may_compute_otherwise(self):
        class Doubled(Dense):
            def forward(self, x):
                return 2 * super().forward(x)

        with pytest.raises(OptionError, match="Doubled"):
            Sequential([Doubled(1)], input_shape=(3,)).to_scalar()

    def test_layers_without_weights(self):
        with pytest.raises(OptionError, match=r"Dense\(units=2\) in a scalar network") as caught:
            Sequential([Dense(2)]).to_scalar()
        assert "model.build(input_shape)" in caught.value.instead

    def test_sequences(self):
        model = Sequential([Dense(2), Flatten(), Dense(1)], input_shape=(4, 3))
        with pytest.raises(OptionError, match=r"samples of shape \(4, 3\)") as caught:
            model.to_scalar()
        assert "Flatten" in caught.value.instead

    def test_no_layers(self):
        with pytest.raises(OptionError, match="the number of layers = 0"):
            Sequential().to_scalar()
