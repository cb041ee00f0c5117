"""The exercises of notebook 6 know right answers, and say what is wrong with wrong ones."""

import math

import numpy as np
import pytest
from exercises import losses as exercises
from exercises.exercise import Exercise

import nn
from autograd_core import softmax

ALL = {name: each for name, each in vars(exercises).items() if isinstance(each, Exercise)}
P = np.exp([2.0, 1.0, 0.0]) / np.exp([2.0, 1.0, 0.0]).sum()
PAIRS = {
    "price": ("linear", "mean_squared_error"),
    "spam": ("sigmoid", "binary_crossentropy"),
    "digit": ("softmax", "categorical_crossentropy"),
    "topics": ("sigmoid", "binary_crossentropy"),
}


def solution(name):
    names = {"np": np, "nn": nn, "softmax": softmax}
    exec(ALL[name].solution(), names)
    return names["answer"]


def one_hot(labels):
    return np.eye(3)[labels]


def overflowing(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def clipped(z):
    return overflowing(np.clip(z, -700.0, 700.0))


WRONG = {
    "best_constants": [
        (22.0, "two numbers are asked for"),
        ((4.0, 22.0), "the two are swapped"),
        ((4.0, 4.0), "do not sum to 0"),
        ((49.5, 4.0), "at 49.5 is not 0"),
        ((22.0, 22.0), "4 of 5 numbers lie below 22"),
        ((22.0, 5.0), "as many numbers must lie above 5"),
    ],
    "slope_of_half_squared": [
        (0.5, "a function is asked for"),
        (lambda y_true, y_pred: (y_true - y_pred) / len(y_true), "sign"),
        (lambda y_true, y_pred: y_pred - y_true, "the factor"),
        (lambda y_true, y_pred: 2 * (y_pred - y_true) / len(y_true), "2"),
        (lambda y_true, y_pred: np.mean(y_pred - y_true), "each of the 3 predictions"),
        (lambda y_true, y_pred: np.abs(y_pred - y_true), "you gave"),
    ],
    "softmax": [
        (0.5, "a function is asked for"),
        (lambda z: np.exp(z) / np.exp(z).sum(), "all numbers together sum to 1"),
        (lambda z: np.exp(z) / np.exp(z).sum(axis=0), "the columns sum to 1"),
        (np.exp, "does not yet sum to 1"),
        (lambda z: softmax(z)[0], "makes shape (3,)"),
        (lambda z: softmax(-z), "the first row should be"),
        (overflowing, "inf / inf is NaN"),
        (clipped, "must change nothing"),
    ],
    "surprise": [
        (math.log(P[0]), "minus that"),
        (-math.log2(P[0]), "base 2"),
        (-math.log10(P[0]), "base 10"),
        (P[0], "p itself"),
        (1 - P[0], "1 - p"),
        (-math.log(P[1]), "if class 1 were right"),
        (-math.log(P[2]), "if class 2 were right"),
        (-math.log(P[0]) / 3, "a mean over 3 classes"),
        (7.0, "7 is too large"),
    ],
    "slope_of_crossentropy": [
        (0.5, "a function is asked for"),
        (lambda labels, z: softmax(z), "are not taken off"),
        (lambda labels, z: softmax(z) / len(z), "are not taken off"),
        (lambda labels, z: (z - one_hot(labels)) / len(z), "off the logits"),
        (lambda labels, z: (one_hot(labels) - softmax(z)) / len(z), "sign"),
        (lambda labels, z: softmax(z) - one_hot(labels), "the factor"),
        (lambda labels, z: z, "you gave"),
    ],
    "pairs": [
        (None, "a dict is asked for, with the keys price, spam, digit, topics"),
        ({"price": ("linear", "mean_squared_error")}, "a dict is asked for"),
        (PAIRS | {"price": "linear"}, "price: give an activation and a loss"),
        (PAIRS | {"price": ("sigmoid", "mean_squared_error")}, "prices do not"),
        (PAIRS | {"price": ("relu", "mean_squared_error")}, "forbids negative"),
        (PAIRS | {"price": ("linear", "binary_crossentropy")}, "how far a number is from another"),
        (PAIRS | {"spam": ("softmax", "binary_crossentropy")}, "is always 1"),
        (PAIRS | {"spam": ("sigmoid", "mean_squared_error")}, "what counts is each output"),
        (PAIRS | {"spam": ("tanh", "binary_crossentropy")}, "tanh does not give"),
        (PAIRS | {"digit": ("sigmoid", "categorical_crossentropy")}, "do not exclude each other"),
        (PAIRS | {"digit": ("softmax", "accuracy")}, "accuracy measures something else"),
        (PAIRS | {"topics": ("softmax", "categorical_crossentropy")}, "may have several"),
    ],
}


@pytest.mark.parametrize("name", ALL)
def test_the_solution_is_right(name):
    reply = ALL[name].check(solution(name))
    assert reply == "Right."
    assert reply


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("surprise", 0.4076),
        ("best_constants", [22, 4]),
        ("pairs", PAIRS | {"price": ("linear", "huber")}),
        ("pairs", PAIRS | {"digit": ["softmax", "sparse_categorical_crossentropy"]}),
    ],
)
def test_other_right_answers(name, answer):
    assert ALL[name].check(answer)


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
