"""The lecture notes' numbers."""

from itertools import product

import numpy as np
import pytest

from autograd_core import Value, sigmoid
from nn import MLP, Dense, Neuron, Sequential, activations
from nn.data import batches
from nn.mistakes import TrainingWarning
from nn.perceptron import Perceptron

CORNERS = np.array(list(product([0.0, 1.0], repeat=2)))
XOR = [0, 1, 1, 0]


def test_1_the_perceptron_rule():
    perceptron = Perceptron.of([0.6, 0.2], bias=-0.9, outputs=(-1, 1))
    samples, targets = [[1, 1], [1, -1], [-1, 1], [-1, -1]], [1, -1, -1, -1]
    updates = perceptron.fit(samples, targets, learning_rate=1.0)
    assert [update.epoch for update in updates] == [1, 1, 1]
    assert [update.sample for update in updates] == [(1, 1), (1, -1), (-1, 1)]
    table = [updates[0].before, *[update.after for update in updates]]
    expected = [(-0.9, 0.6, 0.2), (0.1, 1.6, 1.2), (-0.9, 0.6, 2.2), (-1.9, 1.6, 1.2)]
    np.testing.assert_allclose(table, expected, rtol=0, atol=1e-12)
    assert perceptron.predict(samples).tolist() == targets


class TestDecisions:
    """2. The bias is minus the threshold, and the neuron fires at z >= 0."""

    @pytest.mark.parametrize("x", list(product([0, 1], repeat=3)))
    def test_any_two_of_three(self, x):
        assert Perceptron.of([1, 1, 1], bias=-2)(x).data == (sum(x) >= 2)

    @pytest.mark.parametrize("x", list(product([0, 1], repeat=3)))
    def test_one_input_that_must_be_there_and_one_of_the_others(self, x):
        assert Perceptron.of([1, 1, 10], bias=-11)(x).data == (x[2] and (x[0] or x[1]))


class TestGates:
    """3. One neuron computes AND and OR, none XOR; one hidden layer learns every function."""

    def test_and(self):
        weights, bias = [1, 1], -2
        z = [Neuron.of(weights, bias, nonlin=False)(x).data for x in CORNERS]
        assert z == [-2, -1, -1, 0]
        assert Perceptron.of(weights, bias).predict(CORNERS).tolist() == [0, 0, 0, 1]

    def test_or(self):
        assert Perceptron.of([1, 1], bias=-1).predict(CORNERS).tolist() == [0, 1, 1, 1]

    def test_the_perceptron_rule_finds_no_neuron_for_xor(self):
        perceptron = Perceptron(2)
        with pytest.warns(TrainingWarning, match="perhaps no line separates"):
            updates = perceptron.fit(CORNERS, XOR, epochs=100)
        assert updates[-1].epoch == 100

    def test_no_neuron_computes_xor(self):
        """b < 0 <= w1 + b and w1 + w2 + b < 0 <= w2 + b contradict each other, as sums show.

        Of the 16 functions of two inputs, a grid of neurons has all but XOR and its opposite.
        """
        grid = np.arange(-4, 4.5, 0.5)
        w1, w2, b = (axis[..., None] for axis in np.meshgrid(grid, grid, grid))
        fires = Perceptron.of([0, 0], bias=0)
        fires.w, fires.b = [Value(w1), Value(w2)], Value(b)
        computed = np.unique(fires([CORNERS[:, 0], CORNERS[:, 1]]).data.reshape(-1, 4), axis=0)
        missing = set(product([0, 1], repeat=4)) - set(map(tuple, computed))
        assert missing == {(0, 1, 1, 0), (1, 0, 0, 1)}

    def test_a_hidden_layer_computes_xor(self):
        network = MLP(2, [2, 1], activation="step", output_activation="step")
        network.layers[0].neurons = [Perceptron.of([1, 1], bias=-1), Perceptron.of([1, 1], bias=-2)]
        network.layers[1].neurons = [Perceptron.of([1, -1], bias=-1)]  # OR, but not AND
        assert network(CORNERS).data[:, 0].tolist() == XOR

    @pytest.mark.parametrize("inputs", [1, 2, 3])
    def test_one_hidden_layer_learns_every_function(self, inputs):
        """Each weight of one network holds a column, a number for each of the functions."""
        tables = np.array(list(product([-1.0, 1.0], repeat=2**inputs)))  # (functions, rows)
        columns = list(np.array(list(product([-1.0, 1.0], repeat=inputs))).T)
        network = MLP(inputs, [6, 1], activation="tanh")
        rng = np.random.default_rng(0)
        for neuron in [neuron for layer in network.layers for neuron in layer.neurons]:
            neuron.w = [Value(rng.uniform(-1, 1, (len(tables), 1))) for _ in neuron.w]
            neuron.b = Value(np.zeros((len(tables), 1)))
        parameters = network.parameters()
        speeds = [0.0 for _ in parameters]
        for _ in range(300):
            loss = ((network(columns) - tables) ** 2).sum()
            network.zero_grad()
            loss.backward()
            speeds = [0.9 * v - 0.01 * p.grad for v, p in zip(speeds, parameters, strict=True)]
            for p, v in zip(parameters, speeds, strict=True):
                p.data = p.data + v
        assert len(tables) == 2 ** (2**inputs)
        np.testing.assert_allclose(network(columns).data, tables, atol=0.5)


class TestLinearity:
    """4. Stacked linear layers stay linear; tanh is a sigmoid."""

    @pytest.mark.parametrize(("depth", "slope", "offset"), [(1, 3, -1), (2, 9, -4), (3, 27, -13)])
    def test_layers_compose(self, depth, slope, offset):
        network = Sequential([Dense(1) for _ in range(depth)])
        network.build((1,), np.float64)
        network.load_state_dict(
            {f"{i}.weight": [[3.0]] for i in range(depth)}
            | {f"{i}.bias": [-1.0] for i in range(depth)}
        )
        x = np.linspace(-2, 2, 9)[:, None]
        np.testing.assert_allclose(network(x).data, slope * x + offset, rtol=1e-12)

    def test_tanh_is_a_sigmoid(self):
        z = np.linspace(-5, 5, 101)
        np.testing.assert_allclose(activations.tanh(z), 2 * sigmoid(2 * z) - 1, atol=1e-15)


class TestBackpropagation:
    """6. The notes' delta equations, written out, give the engine's gradients."""

    def deltas(self, x, targets, weights, biases):
        """Return the mean gradients of weights and biases, layer by layer, sample by sample."""
        weight_gradients = [np.zeros_like(w) for w in weights]
        bias_gradients = [np.zeros_like(b) for b in biases]
        for sample, target in zip(x, targets, strict=True):
            a = [sample]
            for w, b in zip(weights[:-1], biases[:-1], strict=True):
                a.append(1 / (1 + np.exp(-(w @ a[-1] + b))))
            z = weights[-1] @ a[-1] + biases[-1]
            a.append(np.exp(z) / np.exp(z).sum())
            delta = a[-1] - target  # softmax and cross-entropy
            for k in reversed(range(len(weights))):
                weight_gradients[k] += np.outer(delta, a[k]) / len(x)
                bias_gradients[k] += delta / len(x)
                delta = weights[k].T @ delta * a[k] * (1 - a[k])  # sigmoid
        return weight_gradients, bias_gradients

    def test_of_both_views(self):
        rng = np.random.default_rng(0)
        x, targets = rng.normal(size=(8, 4)), np.eye(3)[rng.integers(0, 3, 8)]
        dense = Sequential([Dense(5, "sigmoid"), Dense(4, "sigmoid"), Dense(3, "softmax")])
        dense.build((4,), np.float64)
        for p in dense.parameters():
            p.data = rng.normal(size=p.shape)
        weights = [layer.weight.data for layer in dense.layers]
        biases = [layer.bias.data for layer in dense.layers]
        weight_gradients, bias_gradients = self.deltas(x, targets, weights, biases)

        scalar = MLP(4, [5, 4, 3], activation="sigmoid", output_activation="softmax")
        for layer, w, b, kind in zip(
            scalar.layers, weights, biases, ["sigmoid", "sigmoid", None], strict=True
        ):
            layer.neurons = [Neuron.of(*row, activation=kind) for row in zip(w, b, strict=True)]

        for model in (dense, scalar):
            (-(targets * np.log(model(x))).sum() / len(x)).backward()
        for k in range(3):
            layer, neurons = dense.layers[k], scalar.layers[k].neurons
            rows = [[w.grad for w in neuron.w] for neuron in neurons]
            for gradient in (layer.weight.grad, rows):
                np.testing.assert_allclose(gradient, weight_gradients[k], rtol=0, atol=1e-12)
            for gradient in (layer.bias.grad, [neuron.b.grad for neuron in neurons]):
                np.testing.assert_allclose(gradient, bias_gradients[k], rtol=0, atol=1e-12)


def test_7_iterations_of_an_epoch():
    x, y = np.zeros((55_000, 1)), np.zeros(55_000)
    assert len(batches(x, y, batch_size=100)) == 550
    assert sum(1 for _ in batches(x, y, batch_size=100)) == 550
