"""The exercises of notebook 13 know right answers, and say what is wrong with wrong ones."""

import math

import numpy as np
import pytest
from exercises import build_your_own as exercises
from exercises.exercise import Exercise

from autograd_core import Value, grad
from nn import ArrayLayer, Dense

ALL = {name: each for name, each in vars(exercises).items() if isinstance(each, Exercise)}


def solution(name):
    names = {"np": np, "grad": grad, "ArrayLayer": ArrayLayer}
    exec(ALL[name].solution(), names)
    return names["answer"]


def layer(compute=lambda x, weight: x * weight, start="ones", shape=lambda shape: shape):
    """Return a class of layers, with a mistake."""

    class Layer(ArrayLayer):
        def make_parameters(self, input_shape):
            self.make_parameter("weight", shape(input_shape), start)

        def forward(self, x):
            return compute(x, self.weight)

    return Layer


class WithoutParameters(ArrayLayer):
    def forward(self, x):
        return x * np.ones(3)


def adagrad(direction=-1.0, root=np.sqrt, memory=lambda old, square: old + square):
    """Return an update, with a mistake."""

    def update(data, gradient, slots, learning_rate):
        slots["sum"] = memory(slots["sum"], gradient**2)
        return data + direction * learning_rate * gradient / (root(slots["sum"]) + 1e-7)

    return update


def mean_adagrad(data, gradient, slots, learning_rate):
    slots["sum"], slots["steps"] = slots["sum"] + gradient**2, slots["steps"] + 1
    return data - learning_rate * gradient / np.sqrt(slots["sum"] / slots["steps"])


def equation(second=1.0, first=0.5, value=4.0):
    """Return a residual, with a mistake."""

    def residual(u, x):
        return second * grad(grad(u))(x) + first * grad(u)(x) + value * u(x)

    return residual


WRONG = {
    "inverse_rule": [
        (3.0, "a function is asked for"),
        (lambda g, out, x: g * out * out, "off by a sign"),
        (lambda g, out, x: -out * out, "the factor 3 is missing"),
        (lambda g, out, x: -g * out, "stands there once"),
        (lambda g, out, x: -g * x * x, "that is x squared"),
        (lambda g, out, x: -g * float(out) ** 2, "not arrays and Values"),
        (
            lambda g, out, x: -g * (out.data if isinstance(out, Value) else out) ** 2,
            "the first derivative is right",
        ),
    ],
    "sine_rule": [
        (lambda g, out, x: np.cos(x), "the factor 3 is missing"),
        (lambda g, out, x: -g * np.cos(x), "off by a sign"),
        (lambda g, out, x: g * np.sin(x), "that is the sine"),
        (lambda g, out, x: g * -out, "the cosine's derivative"),
        (lambda g, out, x: g * math.cos(x), "not arrays and Values"),
        (
            lambda g, out, x: g * np.cos(x.data if isinstance(x, Value) else x),
            "the first derivative is right",
        ),
    ],
    "scale_layer": [
        (layer()(), "the class itself"),
        (Dense(3), "the class itself"),
        (3, "a subclass"),
        (WithoutParameters, "no parameters"),
        (layer(shape=lambda shape: (1,)), "one of shape (3,)"),
        (layer(start="zeros"), "start with ones"),
        (layer(lambda x, weight: x + weight, start="zeros"), "it starts with zeros and adds"),
        (layer(start="glorot_uniform", shape=lambda shape: shape), "start with ones"),
        (layer(lambda x, weight: np.sum(x * weight, axis=1)), "must keep the shape"),
        (layer(lambda x, weight: x * 1.0), "no part in the output"),
        (layer(lambda x, weight: x + weight), "it adds"),
        (layer(lambda x, weight: x * weight**2), "not each feature times its factor"),
    ],
    "adagrad": [
        (0.5, "a function is asked for"),
        (lambda data, gradient, slots, learning_rate: None, "returns nothing"),
        (adagrad(direction=1.0), "uphill"),
        (lambda data, gradient, slots, rate: data - rate * gradient, "plain gradient descent"),
        (adagrad(root=lambda total: total), "square root"),
        (adagrad(memory=lambda old, square: square), "step 2: it knows only the newest"),
        (mean_adagrad, "not their mean"),
        (adagrad(memory=lambda old, square: old + 2 * square), "step 1: it moves by"),
    ],
    "bending": [
        (1.0, "a function is asked for"),
        (lambda f: 12.0, "a function of x itself"),
        (grad, "slope of the slope"),
        (lambda f: lambda x: grad(f)(x) ** 2, "the square of the slope"),
        (lambda f: grad(grad(grad(f))), "third derivative"),
        (lambda f: f, "it gives"),
    ],
    "residual": [
        (0.0, "a function is asked for"),
        (equation(value=-4.0), "the sign of 4 u"),
        (equation(first=-0.5), "the sign of 0.5 u'"),
        (equation(first=-0.5, value=-4.0), "both signs"),
        (equation(first=0.0), "friction, 0.5 u', is missing"),
        (equation(first=1.0), "half of u'"),
        (equation(value=1.0), "the spring's 4"),
        (equation(second=0.0, first=1.5), "its first term is u'"),
        (lambda u, x: grad(u)(x) ** 2 + 0.5 * grad(u)(x) + 4 * u(x), "the square of u'"),
        (equation(second=2.0), "at x = 0.3 it gives"),
    ],
}


@pytest.mark.parametrize("name", ALL)
def test_an_exercise_without_an_answer_waits_for_one(name):
    assert "Your turn" in ALL[name].check(...)


@pytest.mark.parametrize("name", ALL)
def test_solutions_are_right(name):
    assert ALL[name].check(solution(name))


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


def test_an_equation_turned_to_the_other_side_is_right():
    assert exercises.residual.check(equation(-1.0, -0.5, -4.0))
