"""The exercises of notebook 12 know right answers, and say what is wrong with wrong ones."""

import numpy as np
import pytest
from exercises import gallery as exercises
from exercises.exercise import Exercise

from autograd_core import sigmoid

ALL = {name: each for name, each in vars(exercises).items() if isinstance(each, Exercise)}


def step(x, edge, steepness):
    return sigmoid(steepness * (x - edge))


WRONG = {
    "bump": [
        (1.0, "a function is asked for"),
        (lambda x, left, right, s: step(x, left, s), "goes up and stays up"),
        (lambda x, left, right, s: step(x, right, s) - step(x, left, s), "upside down"),
        (lambda x, left, right, s: step(x, left, s) + step(x, right, s), "ends at 2"),
        (lambda x, left, right, s: 1 - step(x, left, s), "it is 1 before left"),
        (
            lambda x, left, right, s: 3 * (step(x, left, s) - step(x, right, s)),
            "0.00, 3.00, 0.00, not 0, 1, 0",
        ),
        (lambda x, left, right, s: step(x, left, 50) - step(x, right, 50), "the steepness"),
        (lambda x, left, right, s: step(x, left + 0.5, s) - step(x, right, s), "halfway up"),
        (lambda x, left, right, s: 0.5, "shape ()"),
    ],
    "radial_unit": [
        (np.exp(-8 / 9), "the 2 in 2"),
        (np.exp(-np.sqrt(8) / 18), "the distance is to be squared"),
        (np.exp(-8 / 6), "the width is to be squared"),
        (np.exp(8 / 18), "negative"),
        (np.exp(-4 / 18), "both coordinates"),
        (8, "squared distance"),
        (0.9, "too large"),
        ("much", "one number"),
    ],
    "through_time": [
        (3.0, "a dict"),
        ({"h1": 0.5, "h0": 0.25}, "missing, for u"),
        ({"h1": 0.5, "h0": 0.25, "u": 2.0}, "the path through u*h0 adds 1"),
        ({"h1": 0.5, "h0": 0.5, "u": 3.0}, "h0: the factor u is missing"),
    ],
    "weights_of_an_lstm": [
        (140, "that is one block"),
        (520, "biases are missing"),
        (160, "from state to state"),
        (600, "not two"),
        (6160, "serve all 11 steps"),
        (420, "four blocks"),
        (2000, "too large"),
    ],
    "shape_of_images": [
        (72, "three numbers"),
        ((8, 3, 3), "channels come last"),
        ((6, 6, 8), "pooling is still to come"),
        ((4, 4, 8), "without padding"),
        ((3, 3, 1), "all of them are kept"),
        ((5, 5, 8), "do not overlap"),
        ((2, 2, 8), "no side of an 8 by 8 image"),
    ],
    "energy": [
        (0.0, "a function is asked for"),
        (lambda w, s: 0.5 * s @ w @ s, "hilltops"),
        (lambda w, s: -s @ w @ s, "counted twice"),
        (lambda w, s: s @ w @ s, "turned and a half is missing"),
        (lambda w, s: -0.5 * w @ s, "one number"),
        (lambda w, s: -0.5 * s @ np.abs(w) @ s, "for one state it is"),
    ],
}


@pytest.mark.parametrize("name", ALL)
def test_an_exercise_without_an_answer_waits_for_one(name):
    assert "Your turn" in ALL[name].check(...)


@pytest.mark.parametrize("name", ALL)
def test_solutions_are_right(name):
    names = {"np": np, "sigmoid": sigmoid}
    exec(ALL[name].solution(), names)
    assert ALL[name].check(names["answer"])


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [(name, answer, words) for name, cases in WRONG.items() for answer, words in cases],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, words):
    reply = ALL[name].check(answer)
    assert not reply
    assert words in reply
    assert str(ALL[name].hint()) in reply


def test_every_exercise_has_wrong_answers():
    assert WRONG.keys() == ALL.keys()


def test_a_bump_may_also_be_a_product():
    def product(x, left, right, steepness):
        return step(x, left, steepness) * step(-x, -right, steepness)

    assert exercises.bump.check(product)
