"""The exercises of notebook 5 know right answers, and say what is wrong with wrong ones."""

import numpy as np
import pytest
from exercises import backpropagation as exercises
from exercises.exercise import Exercise

from autograd_core import sigmoid, softmax

ALL = {name: each for name, each in vars(exercises).items() if isinstance(each, Exercise)}
W2, A1, DELTA2 = exercises.W2, exercises.A1, exercises.DELTA2
PASSED, SLOPE = np.array([0.5, -2.0, -3.0]), np.array([0.25, 0.16, 0.09])
CHAIN = {"w2": -0.0625, "b2": -0.125, "w1": -0.375, "b1": -0.1875}


def solution(name):
    names = {"np": np, "sigmoid": sigmoid, "softmax": softmax}
    names |= {"W2": W2, "a1": A1, "delta2": DELTA2}
    exec(ALL[name].solution(), names)
    return names["answer"]


def backward(sign=1.0, slope=lambda a: a * (1 - a), outer=np.outer):
    """Return a backward pass, with a mistake."""

    def gradients(x, y, w1, b1, w2, b2):
        a1 = sigmoid(w1 @ x + b1)
        delta2 = sign * (softmax(w2 @ a1 + b2) - y)
        delta1 = w2.T @ delta2 * slope(a1)
        w2_gradient, w1_gradient = outer(delta2, a1), outer(delta1, x)
        return {"W2": w2_gradient, "b2": delta2, "W1": w1_gradient, "b1": delta1}

    return gradients


WRONG = {
    "hidden_delta": [
        (W2.T, "yours has shape (3, 2)"),
        (PASSED, "the derivative of the sigmoid, is missing"),
        (PASSED * A1, "you multiplied by a1 only"),
        (PASSED * (1 - A1), "you multiplied by 1 - a1 only"),
        (-PASSED * SLOPE, "all signs are turned"),
        (PASSED * SLOPE.mean(), "its own a1 (1 - a1)"),
        (-0.5 * SLOPE, "W2 has no part in it"),
        ([0.125, -0.32, 0.27], "delta number 3 is not 0.27"),
    ],
    "weight_gradient": [
        (np.outer(A1, DELTA2), "transposed"),
        (-np.outer(DELTA2, A1), "sign"),
        (W2 * DELTA2[:, None], "not by what the weight was given"),
        (np.zeros((2, 3)), "W2:"),
        (DELTA2, "yours has shape (2,)"),
    ],
    "chain": [
        (CHAIN["w1"], "a dict with a number for each name"),
        ({"w1": 1.0}, "a gradient is missing, for b1 and w2 and b2"),
        (CHAIN | {"w1": -0.1875}, "w1: the factor 2 is missing"),
        (CHAIN | {"w1": -1.5, "b1": -0.75}, "b1: the factor sigmoid(z1) * (1 - sigmoid(z1))"),
        ({name: -number for name, number in CHAIN.items()}, "sign"),
        ({name: 4 * number for name, number in CHAIN.items()}, "sigmoid(z2)"),
        ({name: 2 * number for name, number in CHAIN.items()}, "b2:"),
    ],
    "repaired": [
        (CHAIN, "a function is asked for"),
        (lambda *given: given, "in a dict, as before"),
        (backward(sign=-1.0), "off by a sign"),
        (backward(slope=lambda a: 1.0), "sigmoid(z1)"),
        (backward(slope=lambda a: a), "b1:"),
        (backward(outer=lambda delta, a: np.outer(a, delta)), "W2: dL/dW2 is transposed"),
    ],
    "batch_bias": [
        (0.0, "a function is asked for"),
        (lambda deltas: deltas, "not summed back over axis 0"),
        (lambda deltas: deltas.mean(axis=0), "is averaged instead of summed"),
        (lambda deltas: deltas.sum(axis=1), "you summed over the neurons"),
        (np.sum, "one number"),
        (lambda deltas: -deltas.sum(axis=0), "sign"),
    ],
    "depth": [
        (9.97, "a whole number"),
        (True, "one number is asked for"),
        (20, "a factor of 1/2 a layer"),
        (6, "1/10 a layer"),
        (9, "can still be 3.8e-06, above 1e-6"),
        (11, "fewer are, too"),
    ],
}


@pytest.mark.parametrize("name", ALL)
def test_the_solution_is_right(name):
    reply = ALL[name].check(solution(name))
    assert reply == "Right."
    assert reply


def test_the_chain_in_numbers_is_right():
    assert ALL["chain"].check(CHAIN)


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
