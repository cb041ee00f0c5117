"""Exercises of notebook 03: weights, thresholds, the perceptron rule, and hidden neurons."""

from itertools import product
from typing import Any

import numpy as np

from nn import Neuron, Perceptron

from .answers import Misread, function, number, numbers, plain, shown
from .exercise import Exercise

ROWS = list(product([0, 1], repeat=2))


def _neuron(given: Any) -> Perceptron:
    """Read a neuron: ([weight, weight], bias), three numbers in this order, or a Perceptron."""
    if isinstance(given, Neuron):
        given = ([weight.data for weight in given.w], given.b.data)
    given = plain(given)
    if isinstance(given, list | tuple) and len(given) == 2 and np.size(given[0]) == 2:
        given = [*given[0], given[1]]
    if not isinstance(given, list | tuple | np.ndarray) or len(given) != 3:
        raise Misread(
            f"a neuron is written ([first weight, second weight], bias), and this is {shown(given)}"
        )
    first, second, bias = (number(part) for part in given)
    return Perceptron.of([first, second], bias=bias)


def _three_neurons(answer: Any) -> list[Perceptron]:
    if not isinstance(answer, list | tuple | np.ndarray) or len(answer) != 3:
        raise Misread("the answer has three neurons: two hidden ones, then the output")
    return [_neuron(each) for each in answer]


def _table(neuron: Any) -> list[int]:
    return [int(neuron(row).data) for row in ROWS]


def _mistake_in_only_the_first(neuron: Any) -> str | None:
    right = [0, 0, 1, 0]
    found = _table(neuron)
    if found == right:
        return None
    weights, bias = [weight.data for weight in neuron.w], neuron.b.data
    if _table(Perceptron.of(weights, bias=-bias)) == right:
        return "the bias has the wrong sign: it is minus the threshold"
    if _table(Perceptron.of(weights[::-1], bias=bias)) == right:
        return "this is the second without the first: the weights have changed places"
    row, came = next(
        each[:2] for each in zip(ROWS, found, right, strict=True) if each[1] != each[2]
    )
    z = float(np.dot(weights, row) + bias)
    verb = "fires" if came else "stays silent"
    edge = ", since z = 0 fires" if z == 0 else ""
    return f"for the inputs {row} z is {z:g}, and the neuron {verb}{edge}"


def _mistake_in_three_of_five(answer: Any) -> str | None:
    if -3 <= answer < -2:
        return None
    if answer == 3:
        return "that is the threshold; the bias is minus the threshold"
    least = next((count for count in range(6) if count + answer >= 0), None)
    if least is None:
        return f"with the bias {answer:g} it stays silent even if all five say yes"
    return f"with the bias {answer:g} {least} of five are enough: z = {least} + ({answer:g}) >= 0"


def _mistake_in_one_update(answer: Any) -> str | None:
    found = tuple(map(float, answer))
    known = {
        (0.5, -1.0, 2.0): "nothing has changed; z is -2.5, so the output is -1 and not 1",
        (0.5, 0.0, 1.0): "the weights are right; the bias moves, too, as a weight of the input 1",
        (-0.5, -2.0, 3.0): "it went the wrong way: it should have fired, so d is 1, not -1",
        (2.5, 1.0, 0.0): "the step is twice as long: d is 1, not the difference 1 - (-1)",
        (1.5, 0.0, 3.0): "each weight moves by d times its own input, and the second input is -1",
        (0.0, 1.0, 1.5): "the numbers are right; the bias comes first: (b, w1, w2)",
    }
    if found == (1.5, 0.0, 1.0):
        return None
    if found in known:
        return known[found]
    names = zip(("b", "w1", "w2"), found, (1.5, 0.0, 1.0), strict=True)
    return "not right: " + ", ".join(name for name, given, right in names if given != right)


def _mistake_in_rule(rule: Any) -> str | None:
    rng = np.random.default_rng(0)
    cases = [([1, -1], bias, [1, 0], target) for bias in (-2, -1, 0) for target in (0, 1)]
    for _ in range(20):
        weights, x = rng.integers(-3, 4, 2).tolist(), rng.integers(-2, 3, 2).tolist()
        cases.append((weights, int(rng.integers(-3, 4)), x, int(rng.integers(0, 2))))
    for weights, bias, x, target in cases:
        given = rule(list(weights), bias, list(x), target)
        if not isinstance(given, tuple | list) or [np.size(part) for part in given] != [2, 1]:
            return "it returns a pair: (weights, bias), with two weights"
        z = weights[0] * x[0] + weights[1] * x[1] + bias
        d = target - (z >= 0)
        mistake = _mistake_in_step(given, weights, bias, x, d, z)
        if mistake:
            return f"for weights {weights}, bias {bias}, inputs {x}, target {target}: {mistake}"
    return None


def _mistake_in_step(
    given: Any, weights: list[int], bias: int, x: list[int], d: int, z: int
) -> str | None:
    new_weights, new_bias = [float(w) for w in given[0]], float(number(given[1]))
    right = [w + d * xi for w, xi in zip(weights, x, strict=True)]
    turned = [w - d * xi for w, xi in zip(weights, x, strict=True)]
    if (new_weights, new_bias) == (right, bias + d):
        return None
    if d == 0:
        edge = " (z = 0 fires)" if z == 0 else ""
        return f"the output was right{edge}, and then nothing changes"
    if (new_weights, new_bias) == (weights, bias):
        edge = " (z = 0 fires)" if z == 0 else ""
        return f"the output was wrong{edge}, and nothing has changed"
    if (new_weights, new_bias) == (turned, bias - d):
        return "it went the wrong way: z has moved away from what is wanted"
    if new_weights == right and new_bias == bias:
        return "the bias moves, too, by d"
    if new_bias == bias + d and new_weights == [w + d for w in weights]:
        return "each weight moves by d times its own input"
    return f"it gives {new_weights} and {new_bias:g}"


def _mistake_in_both_or_neither(answer: Any) -> str | None:
    right = [1, 0, 0, 1]
    first, second, output = answer
    hidden = [(int(first(row).data), int(second(row).data)) for row in ROWS]
    found = [int(output(pair).data) for pair in hidden]
    if found == right:
        return None
    if found == [0, 1, 1, 0]:
        return "this is XOR, the opposite: turn the output around"
    for one, other in ((0, 1), (0, 2), (3, 1), (3, 2)):
        if hidden[one] == hidden[other]:
            return (
                f"the hidden neurons say {hidden[one]} for {ROWS[one]} and for {ROWS[other]}, "
                "which need different answers: no output neuron can tell them apart"
            )
    row, pair, came = next(
        each[:3] for each in zip(ROWS, hidden, found, right, strict=True) if each[2] != each[3]
    )
    return f"for {row} the hidden neurons say {pair}, and the output {came}"


only_the_first = Exercise(
    _mistake_in_only_the_first,
    hint="What speaks against needs a weight below 0. Then write down z for each of the four rows.",
    solution="""\
answer = ([1, -1], -1)
# z is -1, -2, 0, -1 for (0, 0), (0, 1), (1, 0), (1, 1): it reaches 0 once.
""",
    reads=_neuron,
)

three_of_five = Exercise(
    _mistake_in_three_of_five,
    hint="The neuron fires from z = 0 on. What is z if three of five are 1?",
    solution="""\
answer = -3
# Three make z = 3 - 3 = 0, which fires; two make -1, which does not.
""",
    reads=number,
)

one_update = Exercise(
    _mistake_in_one_update,
    hint="Compute z first. If the output is wrong, each number moves by d times its input; the "
    "bias has the input 1.",
    solution="""\
b, w1, w2 = 0.5, -1.0, 2.0
z = w1 * 1 + w2 * (-1) + b  # -2.5: the output is -1, and it should be 1
d = 1
answer = (b + d, w1 + d * 1, w2 + d * (-1))
""",
    reads=numbers("b", "w1", "w2"),
)

rule = Exercise(
    _mistake_in_rule,
    hint="With outputs 0 and 1, d is target minus output: 0 if it was right, else 1 or -1.",
    solution="""\
def learn(weights, bias, x, target):
    z = weights[0] * x[0] + weights[1] * x[1] + bias
    d = target - (1 if z >= 0 else 0)
    return [weights[0] + d * x[0], weights[1] + d * x[1]], bias + d


answer = learn
""",
    reads=function,
)

both_or_neither = Exercise(
    _mistake_in_both_or_neither,
    hint="Let one hidden neuron be AND, and the other one fire where neither input is 1.",
    solution="""\
both = ([1, 1], -2)
neither = ([-1, -1], 0)
either_of_them = ([1, 1], -1)
answer = (both, neither, either_of_them)
# The hidden neurons say (0, 1), (0, 0), (0, 0), (1, 0), and the output is OR of them.
""",
    reads=_three_neurons,
)
