"""Exercises of notebook 4: activation functions, layers, forward propagation, parameters."""

from itertools import pairwise
from typing import Any

import numpy as np

from autograd_core import Value, sigmoid

from .answers import first_mistake, function, number, numbers
from .exercise import Exercise


def _network(sizes: list[int]) -> tuple[list[Any], list[Any]]:
    """Return seeded weights (units, inputs) and biases (units,) of layers of these sizes."""
    rng = np.random.default_rng(0)
    pairs = list(pairwise(sizes))
    weights = [rng.normal(size=(units, inputs)) for inputs, units in pairs]
    return weights, [rng.normal(size=units) for _, units in pairs]


def _is_close(given: Any, wanted: Any) -> bool:
    return np.shape(given) == np.shape(wanted) and np.allclose(given, wanted, rtol=1e-6, atol=1e-9)


def _mistake_in_three_layers(answer: Any) -> str | None:
    slope, offset = answer
    if slope == 6:
        return "2 + 2 + 2 = 6 adds the slopes; each layer multiplies what comes in, slope included"
    if slope in (4, 16):
        return f"the slope {slope} belongs to {2 if slope == 4 else 4} layers, and here are 3"
    if slope != 8:
        return f"from x = 0 to x = 1, F(F(F(x))) does not rise by {slope}"
    if offset == 3:
        return "1 + 1 + 1 = 3 forgets that the later layers multiply the earlier offsets"
    if offset == 1:
        return "the offset 1 is that of the last layer only; the earlier ones pass through it"
    return None if offset == 7 else f"the slope is right, but F(F(F(0))) is not {offset}"


def _mistake_in_tanh_by_sigmoid(answer: Any) -> str | None:
    z = np.random.default_rng(0).normal(size=20)
    given = answer(z)
    if _is_close(given, 2 * sigmoid(z) - 1):
        return "the curve runs from -1 to 1, but half as steep as tanh: the inner factor is missing"
    if _is_close(given, sigmoid(2 * z)):
        return "the curve is steep enough, but runs from 0 to 1, and tanh runs from -1 to 1"
    if _is_close(given, sigmoid(z)):
        return "that is the sigmoid itself, which runs from 0 to 1 and is less steep"
    if np.shape(given) != z.shape:
        return f"of {len(z)} numbers it makes shape {np.shape(given)}, not one number for each"
    if not _is_close(given, np.tanh(z)):
        return f"at z = {z[0]:.4f} it gives {given[0]:.4f}, and tanh is {np.tanh(z[0]):.4f}"
    return None


def _mistake_in_slope_of_sigmoid(answer: Any) -> str | None:
    for at in np.random.default_rng(0).normal(size=5).tolist():
        given = number(answer(at))
        if np.isclose(given, at * (1 - at)):
            return "z * (1 - z) has the sum z where its sigmoid a belongs: a * (1 - a)"
        z = Value(at, label="z")
        a = sigmoid(z)
        a.label = "a"
        mistake = first_mistake(a, {z: given})
        if mistake:
            return f"at z = {at:.4f}, {mistake}"
    return None


def _mistake_in_forward(answer: Any) -> str | None:
    weights, biases = _network([2, 3, 3, 2])
    for x in np.random.default_rng(1).normal(size=(3, 2)):
        given = answer(x, weights, biases)
        sums = _outputs(x, weights, biases)
        typical = {
            "tanh is applied to the last layer too, which is linear here": np.tanh(sums),
            "no layer has its tanh, so that all of them together are one linear layer": _outputs(
                x, weights, biases, activation=lambda z: z
            ),
            "the biases are left out": _outputs(x, weights, [0 * b for b in biases]),
            "the weights are transposed: a row belongs to a neuron, so that it is W @ a": _outputs(
                x, [w.T if w.shape == (3, 3) else w for w in weights], biases
            ),
        }
        for what, wrong in typical.items():
            if _is_close(given, wrong):
                return what
        if np.shape(given) != sums.shape:
            return f"2 outputs have the shape (2,), and yours has the shape {np.shape(given)}"
        if not _is_close(given, sums):
            return f"for x = {x.round(4)} it gives {np.round(given, 4)}, not {sums.round(4)}"
    return None


def _outputs(x: Any, weights: list[Any], biases: list[Any], activation: Any = np.tanh) -> Any:
    *hidden, (last_weight, last_bias) = zip(weights, biases, strict=True)
    for weight, bias in hidden:
        x = activation(weight @ x + bias)
    return last_weight @ x + last_bias


def _mistake_in_merged(answer: Any) -> str | None:
    (w1, w2), (b1, b2) = _network([3, 3, 3])
    found = answer(w1, b1, w2, b2)
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "it returns two arrays: the weights and the bias"
    weight, bias = found
    if _is_close(weight, w1 @ w2):
        return "W1 @ W2 lets x meet W2 first; it meets W1 first, which so stands next to it"
    if _is_close(weight, w1 + w2):
        return "the weights are added, but one layer multiplies what the other gives"
    if not _is_close(weight, w2 @ w1):
        return "the weights of the one layer are not those of the two: write W2 (W1 x + b1) out"
    if _is_close(bias, b1 + b2):
        return "b1 is added as it is, though it passes through the second layer's weights"
    if _is_close(bias, b2):
        return "the weights are right, but b1 is lost on the way"
    if not _is_close(bias, w2 @ b1 + b2):
        return "the weights are right, the bias is not: it is what x = 0 gives"
    return None


def _mistake_in_parameters(answer: Any) -> str | None:
    for sizes in ([2, 3, 1], [784, 32, 10], [5, 4]):
        pairs = list(pairwise(sizes))
        products = sum(inputs * units for inputs, units in pairs)
        given, right = number(answer(sizes)), products + sum(sizes[1:])
        if given == right:
            continue
        if given == products:
            return f"for {sizes} it counts {given:,} weights, and leaves the biases out"
        if given == products + sum(sizes):
            return "it gives the inputs biases; numbers that come in are no neurons and have none"
        if given == products + len(pairs):
            return "it counts one bias for each layer, but each neuron has its own"
        if given == sum(sizes):
            return "it counts inputs and neurons; each neuron has a weight for each of its inputs"
        return f"for {sizes} it gives {given}, and not {right:,}"
    return None


three_layers = Exercise(
    _mistake_in_three_layers,
    hint="Substitute F(x) for x in F, and multiply out; then do so once more.",
    solution="""# F(F(x)) = 2 (2x + 1) + 1 = 4x + 3, and F(F(F(x))) = 2 (4x + 3) + 1 = 8x + 7
answer = (8, 7)""",
    reads=numbers("slope", "offset"),
)

tanh_by_sigmoid = Exercise(
    _mistake_in_tanh_by_sigmoid,
    hint="The sigmoid runs from 0 to 1 with slope 1/4 at 0; tanh from -1 to 1 with slope 1.",
    solution="""def answer(z):
    return 2 * sigmoid(2 * z) - 1""",
    reads=function,
)

slope_of_sigmoid = Exercise(
    _mistake_in_slope_of_sigmoid,
    hint="With a = sigmoid(z), the derivative needs a alone: look at its values in the picture.",
    solution="""def answer(z):
    a = sigmoid(z)
    return a * (1 - a)""",
    reads=function,
)

forward = Exercise(
    _mistake_in_forward,
    hint="Go through pairs of a weight and a bias, and remember which layer has no tanh.",
    solution="""def answer(x, weights, biases):
    for W, b in zip(weights[:-1], biases[:-1]):
        x = np.tanh(W @ x + b)
    return weights[-1] @ x + biases[-1]""",
    reads=function,
)

merged = Exercise(
    _mistake_in_merged,
    hint="Write W2 (W1 x + b1) + b2 without the bracket, and see what stands before x.",
    solution="""def answer(W1, b1, W2, b2):
    return W2 @ W1, W2 @ b1 + b2""",
    reads=function,
)

parameters = Exercise(
    _mistake_in_parameters,
    hint="A neuron has a weight for each input, and one number more.",
    solution="""def answer(sizes):
    return sum((inputs + 1) * units for inputs, units in zip(sizes, sizes[1:]))""",
    reads=function,
)
