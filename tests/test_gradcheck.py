"""check_gradients: what a mismatch says, structures, and what passes; see also test_primitives."""

import re

import numpy as np
import pytest

from autograd_core import (
    DataError,
    GradientMismatch,
    Primitive,
    Value,
    check_gradients,
    grad,
    no_grad,
)

# Two thirds of the derivative; the right one, but with half of its own; right but for one element
WRONG = Primitive("wrong", lambda x: x**3, lambda g, out, x: g * 2 * x**2)
HALF = Primitive("half", lambda x: 3 * x**2, lambda g, out, x: g * 3 * x)
WRONG_LATER = Primitive("wrong_later", lambda x: x**3, lambda g, out, x: g * HALF(x))
WRONG_ONCE = Primitive(
    "wrong_once", np.square, lambda g, out, x: g * 2 * x * np.array([[1.0, 1.0], [1.01, 1.0]])
)
MESSAGE = re.compile(
    r"derivative of order (?P<order>\d+) by input (?P<input>\d+)"
    r"(?:, element (?P<element>\(.*\)))?\n"
    r"  why:   analytic (?P<analytic>\S+), numeric (?P<numeric>\S+), "
    r"relative error (?P<error>\S+); (?P<wrong>\d+) of (?P<all>\d+) elements differ\n"
    r"  write: check the rule of the primitive for that input"
)


def cube(x):
    return x**3


def mismatch(f, *inputs, **options):
    """Return what the error says, part by part."""
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(f, *inputs, **options)
    return MESSAGE.match(str(caught.value)).groupdict()


class TestMismatch:
    def test_of_a_number(self):
        said = mismatch(WRONG, 2.0)
        assert (said["order"], said["input"], said["element"]) == ("1", "0", None)
        assert float(said["analytic"]) / float(said["numeric"]) == pytest.approx(2 / 3, rel=1e-8)
        assert said["error"] == "0.333"
        assert (said["wrong"], said["all"]) == ("1", "1")

    def test_of_one_element(self):
        said = mismatch(WRONG_ONCE, np.array([[1.0, 2.0], [3.0, 4.0]]))
        assert (said["order"], said["input"], said["element"]) == ("1", "0", "(1, 0)")
        assert float(said["analytic"]) / float(said["numeric"]) == pytest.approx(1.01, rel=1e-8)
        assert said["error"] == "0.01"
        assert (said["wrong"], said["all"]) == ("1", "4")

    def test_of_the_second_derivative(self):
        check_gradients(WRONG_LATER, 2.0, order=1)
        said = mismatch(WRONG_LATER, 2.0, order=2)
        assert (said["order"], said["input"], said["error"]) == ("2", "0", "0.5")

    def test_of_a_later_input(self):
        def f(x, y, z):
            return x * y + WRONG(z)

        assert mismatch(f, 1.0, 2.0, 4.0)["input"] == "2"

    def test_of_a_leaf_of_a_structure(self):
        def f(parameters, x):
            return parameters["w"] * x, {"b": WRONG(parameters["b"][1])}

        parameters = {"w": np.ones(2), "b": (1.0, np.array([2.0, 3.0]))}
        said = mismatch(f, parameters, 0.5)
        assert (said["input"], said["element"]) == ("2", "(1,)")

    def test_of_a_graph_that_breaks_off(self):
        said = mismatch(lambda x: x * x.data, np.array([1.0, 2.0]))
        assert (said["order"], said["error"]) == ("1", "0.5")

    def test_of_numbers_that_are_not_finite(self):
        with np.errstate(invalid="ignore"):
            said = mismatch(np.log, -1.0)
        assert said["numeric"] == "nan"

    def test_at_a_kink(self):
        assert mismatch(abs, 1e-5)["order"] == "1"
        check_gradients(abs, 1e-3)


class TestAgreement:
    @pytest.mark.parametrize(
        ("f", "inputs"),
        [
            (cube, (2.0,)),
            (cube, (np.array([[1.0, -2.0]]),)),
            (lambda x, y: x @ y, (np.eye(2), np.array([1.0, 2.0]))),
            (lambda x: (x, [x**2, {"cube": cube(x)}]), (1.5,)),
            (lambda p, s: p["w"][0] * s + p["w"][1].sum(), ({"w": [2.0, np.ones(3)]}, 0.5)),
            (lambda x: x * Value(3.0), (2.0,)),
            (lambda x: 3.0, (2.0,)),
            (lambda x: None, (2.0,)),
            (lambda x: x.sum(), (np.zeros((0, 2)),)),
        ],
    )
    def test_right_derivatives_pass(self, f, inputs):
        check_gradients(f, *inputs)

    def test_order_3(self):
        check_gradients(lambda x: np.sin(x) * cube(x), 0.7, order=3, rtol=1e-5)

    def test_tolerances(self):
        check_gradients(WRONG, 2.0, order=1, rtol=0.34)
        check_gradients(WRONG, 2.0, order=1, atol=100.0)
        assert mismatch(WRONG, 2.0, order=1, rtol=0.33)["error"] == "0.333"

    def test_float32_is_checked_in_float64(self):
        check_gradients(lambda x: np.exp(x) * x, np.array([0.5, 1.5], np.float32))

    def test_values_are_taken_for_their_data_and_left_alone(self):
        x = Value([1.0, 2.0])
        check_gradients(cube, x)
        assert not x.has_grad
        np.testing.assert_array_equal(x.data, [1.0, 2.0])

    def test_inside_no_grad(self):
        with no_grad():
            check_gradients(cube, 2.0)
            assert mismatch(WRONG, 2.0)["order"] == "1"

    def test_of_derivatives_themselves(self):
        check_gradients(grad(lambda x: np.tanh(x) * cube(x)), 0.5)

    def test_what_is_no_number_is_refused(self):
        with pytest.raises(DataError, match="text"):
            check_gradients(cube, "text")
