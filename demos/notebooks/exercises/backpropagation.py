"""Exercises of notebook 5: deltas, gradients of weights, mistakes, vanishing gradients."""

from typing import Any

import numpy as np

from autograd_core import Value, sigmoid, softmax

from .answers import agrees, array, first_mistake, function, mistake_in_gradients, number
from .exercise import Exercise

W2 = np.array([[1.0, -2.0, 0.0], [0.0, 1.0, 3.0]])
A1 = np.array([0.5, 0.2, 0.9])
DELTA2 = np.array([0.5, -1.0])


def _is_close(given: Any, wanted: Any) -> bool:
    return np.shape(given) == np.shape(wanted) and np.allclose(given, wanted, rtol=1e-6, atol=1e-9)


def _mistake_in_hidden_delta(answer: Any) -> str | None:
    passed, slope = W2.T @ DELTA2, A1 * (1 - A1)
    if np.shape(answer) != (3,):
        return f"3 hidden neurons have 3 deltas, shape (3,); yours has shape {np.shape(answer)}"
    typical = {
        "the factor a1 (1 - a1), the derivative of the sigmoid, is missing": passed,
        "the sigmoid's derivative is a1 (1 - a1), and you multiplied by a1 only": passed * A1,
        "you multiplied by 1 - a1 only, and a1 (1 - a1) is the derivative": passed * (1 - A1),
        "all signs are turned": -passed * slope,
        "each of the 3 must have its own a1 (1 - a1)": passed * slope.mean(),
        "W2 has no part in it, but each delta flows back along its weight": DELTA2.sum() * slope,
    }
    if agrees(answer, passed * slope):
        return None
    for what, wrong in typical.items():
        if agrees(answer, wrong):
            return what
    wrong_ones = np.flatnonzero(~np.isclose(answer, passed * slope, rtol=0.006))
    return f"delta number {wrong_ones[0] + 1} is not {np.ravel(answer)[wrong_ones[0]]:g}"


def _mistake_in_weight_gradient(answer: Any) -> str | None:
    if _is_close(answer, W2 * DELTA2[:, None]):
        return "each delta is multiplied by the weight itself, not by what the weight was given: a1"
    if sorted(np.shape(answer)) != [2, 3]:
        return f"6 weights have 6 gradients, shape (2, 3); yours has shape {np.shape(answer)}"
    weight = Value(W2, label="W2")
    z2 = weight @ A1
    z2.label = "z2"
    loss = np.sum(DELTA2 * z2)
    loss.label = "L"
    return first_mistake(loss, {weight: answer})


def _mistake_in_chain(answer: Any) -> str | None:
    w1, b1 = Value(0.5, label="w1"), Value(-1.0, label="b1")
    w2, b2 = Value(6.0, label="w2"), Value(-3.0, label="b2")
    z1 = w1 * 2.0 + b1
    a1 = sigmoid(z1)
    z2 = w2 * a1 + b2
    a2 = sigmoid(z2)
    loss = (a2 - 1.0) ** 2 / 2
    for value, label in ((z1, "z1"), (a1, "a1"), (z2, "z2"), (a2, "a2"), (loss, "L")):
        value.label = label
    return mistake_in_gradients(loss, ["w1", "b1", "w2", "b2"], answer)


def _mistake_in_repaired(answer: Any) -> str | None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, y = rng.normal(size=2), np.eye(2)[rng.integers(2)]
        arrays = [rng.normal(size=shape) for shape in ((3, 2), (3,), (2, 3), (2,))]
        names = ["W1", "b1", "W2", "b2"]
        given = answer(x, y, *arrays)
        if not isinstance(given, dict) or set(given) != set(names):
            return "it should return the four gradients in a dict, as before"
        values = [Value(array, label=name) for array, name in zip(arrays, names, strict=True)]
        z1 = values[0] @ x + values[1]
        z1.label = "z1"
        a1 = sigmoid(z1)
        a1.label = "a1"
        z2 = values[2] @ a1 + values[3]
        z2.label = "z2"
        loss = -np.sum(y * np.log(softmax(z2)))
        loss.label = "L"
        mistake = first_mistake(loss, given)
        if mistake:
            return mistake
    return None


def _mistake_in_batch_bias(answer: Any) -> str | None:
    for samples in (4, 7):
        rng = np.random.default_rng(samples)
        deltas, z = rng.normal(size=(samples, 3)), rng.normal(size=(samples, 3))
        if np.shape(answer(deltas)) == (samples,):
            return "you summed over the neurons, axis 1; what must go is the axis of the samples"
        if np.ndim(answer(deltas)) == 0:
            return "that is one number, but each of the 3 neurons has a bias of its own"
        bias = Value(np.zeros(3), label="b")
        sums = z + bias
        sums.label = "z"
        loss = np.sum(deltas * sums)
        loss.label = "L"
        mistake = first_mistake(loss, {bias: answer(deltas)})
        if mistake:
            return mistake
    return None


def _mistake_in_depth(answer: Any) -> str | None:
    if answer % 1 or answer < 0:
        return "a number of layers is a whole number"
    if answer == 20:
        return "with 20 layers you took a factor of 1/2 a layer, but the largest slope is 1/4"
    if answer == 6:
        return "6 layers would do for a factor of 1/10 a layer"
    factor = 0.25**answer
    if answer < 10:
        return f"after {answer} layers the factor can still be {factor:.1e}, above 1e-6"
    return None if answer == 10 else f"{answer} layers are enough, but fewer are, too"


hidden_delta = Exercise(
    _mistake_in_hidden_delta,
    hint="Carry delta2 back through the columns of W2, then through the sigmoid.",
    solution="answer = W2.T @ delta2 * a1 * (1 - a1)  # [0.125, -0.32, -0.27]",
    reads=array,
)

weight_gradient = Exercise(
    _mistake_in_weight_gradient,
    hint="Each weight's gradient is the delta where it arrives times the number it starts from.",
    solution="answer = np.outer(delta2, a1)  # one row for each delta, as in W2",
    reads=array,
)

chain = Exercise(
    _mistake_in_chain,
    hint="Find z1, a1, z2 and a2 first; then delta2 = (a2 - y) a2 (1 - a2), and so on backward.",
    solution="""# z1 = 0, a1 = 1/2, z2 = 0, a2 = 1/2: both slopes are 1/4
delta2 = (1 / 2 - 1) * 1 / 4
delta1 = delta2 * 6 * 1 / 4
answer = {"w2": delta2 * 1 / 2, "b2": delta2, "w1": delta1 * 2, "b1": delta1}""",
)

repaired = Exercise(
    _mistake_in_repaired,
    hint="Compare delta2 and delta1 in the function with the equations, factor by factor.",
    solution="""def answer(x, y, W1, b1, W2, b2):
    a1 = sigmoid(W1 @ x + b1)
    p = softmax(W2 @ a1 + b2)
    delta2 = p - y  # not y - p
    delta1 = W2.T @ delta2 * a1 * (1 - a1)  # with the sigmoid's slope
    gradients = {"W2": np.outer(delta2, a1), "b2": delta2}
    return gradients | {"W1": np.outer(delta1, x), "b1": delta1}""",
    reads=function,
)

batch_bias = Exercise(
    _mistake_in_batch_bias,
    hint="One bias serves all samples; what uses a number several times adds up its gradients.",
    solution="""def answer(deltas):
    return deltas.sum(axis=0)""",
    reads=function,
)

depth = Exercise(
    _mistake_in_depth,
    hint="Each layer contributes a factor of at most the sigmoid's largest slope.",
    solution="""# (1/4)^9 = 3.8e-06 and (1/4)^10 = 9.5e-07
answer = 10""",
    reads=number,
)
