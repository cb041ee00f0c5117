"""The exercises of notebook 4 know right answers, and say what is wrong with wrong ones."""

from itertools import pairwise

import numpy as np
import pytest
from exercises import networks as exercises
from exercises.exercise import Exercise

from autograd_core import sigmoid

ALL = {name: each for name, each in vars(exercises).items() if isinstance(each, Exercise)}


def solution(name):
    names = {"np": np, "sigmoid": sigmoid}
    exec(str(ALL[name].solution()), names)
    return names["answer"]


def forward(x, weights, biases, last=lambda z: z, hidden=np.tanh):
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        x = hidden(w @ x + b)
    return last(weights[-1] @ x + biases[-1])


def transposed(x, weights, biases):
    return forward(x, [w.T if w.shape == (3, 3) else w for w in weights], biases)


def without_biases(x, weights, biases):
    return forward(x, weights, [0 * b for b in biases])


def pairs_of(sizes):
    return [inputs * units for inputs, units in pairwise(sizes)]


WRONG = {
    "three_layers": [
        (8, "(slope, offset)"),
        ((6, 7), "adds the slopes"),
        ((4, 3), "belongs to 2 layers"),
        ((16, 15), "belongs to 4 layers"),
        ((9, 7), "does not rise by 9"),
        ((8, 3), "multiply the earlier offsets"),
        ((8, 1), "last layer only"),
        ((8, 8), "is not 8"),
    ],
    "tanh_by_sigmoid": [
        (0.5, "a function is asked for"),
        (lambda z: 2 * sigmoid(z) - 1, "the inner factor is missing"),
        (lambda z: sigmoid(2 * z), "runs from 0 to 1, and tanh runs from -1 to 1"),
        (sigmoid, "the sigmoid itself"),
        (np.sum, "shape ()"),
        (lambda z: 1 - 2 * sigmoid(2 * z), "and tanh is"),
    ],
    "slope_of_sigmoid": [
        (0.25, "a function is asked for"),
        (lambda z: z * (1 - z), "has the sum z where its sigmoid a belongs"),
        (lambda z: -sigmoid(z) * (1 - sigmoid(z)), "sign"),
        (sigmoid, "you gave"),
        (lambda z: 1 - np.tanh(z) ** 2, "you gave"),
    ],
    "forward": [
        (3.0, "a function is asked for"),
        (lambda *given: forward(*given, last=np.tanh), "tanh is applied to the last layer too"),
        (lambda *given: forward(*given, hidden=lambda z: z), "one linear layer"),
        (without_biases, "the biases are left out"),
        (transposed, "the weights are transposed"),
        (lambda *given: forward(*given)[:1], "has the shape (1,)"),
        (lambda *given: 2 * forward(*given), "for x ="),
        (lambda x, weights, biases: x @ weights[0], "stops with ValueError"),
    ],
    "merged": [
        (None, "a function is asked for"),
        (lambda w1, b1, w2, b2: (w1 @ w2, w2 @ b1 + b2), "lets x meet W2 first"),
        (lambda w1, b1, w2, b2: (w1 + w2, b1 + b2), "the weights are added"),
        (lambda w1, b1, w2, b2: (w1 * w2, b1 + b2), "write W2 (W1 x + b1) out"),
        (lambda w1, b1, w2, b2: (w2 @ w1, b1 + b2), "passes through the second layer"),
        (lambda w1, b1, w2, b2: (w2 @ w1, b2), "b1 is lost"),
        (lambda w1, b1, w2, b2: (w2 @ w1, w1 @ b2 + b1), "what x = 0 gives"),
    ],
    "parameters": [
        (13_002, "a function is asked for"),
        (lambda sizes: sum(pairs_of(sizes)), "leaves the biases out"),
        (lambda sizes: sum(pairs_of(sizes)) + sum(sizes), "numbers that come in are no neurons"),
        (lambda sizes: sum(pairs_of(sizes)) + len(sizes) - 1, "each neuron has its own"),
        (sum, "counts inputs and neurons"),
        (lambda sizes: 13_002, "gives 13002, and not 13"),
    ],
}


@pytest.mark.parametrize("name", ALL)
def test_the_solution_is_right(name):
    reply = ALL[name].check(solution(name))
    assert reply == "Right."
    assert reply


@pytest.mark.parametrize(
    ("name", "answer", "said"), [(name, *each) for name in WRONG for each in WRONG[name]]
)
def test_says_what_is_wrong(name, answer, said):
    reply = ALL[name].check(answer)
    assert not reply
    assert reply.startswith("Not yet: ")
    assert said in reply
    assert reply.endswith(f"Hint: {ALL[name].hint()}")


def test_every_exercise_has_wrong_answers():
    assert set(WRONG) == set(ALL)
