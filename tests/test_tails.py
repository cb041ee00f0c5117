"""Derivatives are exact where a function's own value is rounded: mpmath, over all floats."""

import mpmath
import numpy as np
import pytest
from mpmath import mp

from autograd_core import compile, erf, erfc, grad, sigmoid, softplus
from nn import activations

# fmt: off
SIZES = [
    0.0, 1e-300, 1e-100, 1e-20, 1e-8, 1e-3, 0.1, 0.5, 0.9, 1.0, 1.3, 2.0, 5.0, 9.0, 18.0, 20.0,
    30.0, 36.0, 40.0, 100.0, 300.0, 340.0, 700.0, 745.0, 1e3, 1e5, 1e20, 1e100, 1e200, 1e300,
]
# fmt: on
REAL = sorted({sign * size for size in SIZES for sign in (-1.0, 1.0)})
NEAR_ONE = [1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-9, 1 - 2**-53]
INSIDE = sorted({sign * size for size in NEAR_ONE for sign in (-1.0, 1.0)})


def steps(high):
    return [x for x in REAL if abs(x) <= high]


def positive(low=0.0):
    return [x for x in REAL if x > low]


# Name: the function, its first and second derivatives in mpmath, and where
CASES = {
    "tanh": (np.tanh, lambda x: mp.sech(x) ** 2, lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2, REAL),
    "sigmoid": (
        sigmoid,
        lambda x: mp.sech(x / 2) ** 2 / 4,
        lambda x: -mp.tanh(x / 2) * mp.sech(x / 2) ** 2 / 4,
        REAL,
    ),
    "softplus": (softplus, lambda x: 1 / (1 + mp.exp(-x)), lambda x: mp.sech(x / 2) ** 2 / 4, REAL),
    "exp": (np.exp, mp.exp, mp.exp, steps(700)),
    "expm1": (np.expm1, mp.exp, mp.exp, steps(700)),
    "exp2": (
        np.exp2,
        lambda x: mp.log(2) * mpmath.power(2, x),
        lambda x: mp.log(2) ** 2 * mpmath.power(2, x),
        steps(1000),
    ),
    "log": (np.log, lambda x: 1 / x, lambda x: -1 / x**2, positive(1e-150)),
    "log1p": (
        np.log1p,
        lambda x: 1 / (1 + x),
        lambda x: -1 / (1 + x) ** 2,
        [x for x in REAL if x > -1] + [-1 + 2**-53],
    ),
    "sqrt": (
        np.sqrt,
        lambda x: 1 / (2 * mp.sqrt(x)),
        lambda x: -(x ** (-1.5)) / 4,
        positive(1e-150),
    ),
    "sinh": (np.sinh, mp.cosh, mp.sinh, steps(700)),
    "cosh": (np.cosh, mp.sinh, mp.cosh, steps(700)),
    "arcsin": (
        np.arcsin,
        lambda x: 1 / mp.sqrt((1 - x) * (1 + x)),
        lambda x: x / mp.sqrt((1 - x) * (1 + x)) ** 3,
        INSIDE,
    ),
    "arctan": (
        np.arctan,
        lambda x: 1 / (1 + x**2),
        lambda x: -2 * x / (1 + x**2) ** 2,
        steps(1e50),
    ),
    "arcsinh": (
        np.arcsinh,
        lambda x: 1 / mp.sqrt(1 + x**2),
        lambda x: -x / mp.sqrt(1 + x**2) ** 3,
        REAL,
    ),
    "arccosh": (
        np.arccosh,
        lambda x: 1 / mp.sqrt((x - 1) * (x + 1)),
        lambda x: -x / mp.sqrt((x - 1) * (x + 1)) ** 3,
        [1 + 2**-52, *positive(1.0)],
    ),
    "arctanh": (
        np.arctanh,
        lambda x: 1 / ((1 - x) * (1 + x)),
        lambda x: 2 * x / ((1 - x) * (1 + x)) ** 2,
        INSIDE,
    ),
    "erf": (
        erf,
        lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-(x**2)),
        lambda x: -4 * x / mp.sqrt(mp.pi) * mp.exp(-(x**2)),
        REAL,
    ),
    "erfc": (
        erfc,
        lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-(x**2)),
        lambda x: 4 * x / mp.sqrt(mp.pi) * mp.exp(-(x**2)),
        REAL,
    ),
    "elu": (activations.elu, lambda x: mp.exp(min(x, 0)), lambda x: mp.exp(x) * (x <= 0), REAL),
    "log_sigmoid": (
        activations.log_sigmoid,
        lambda x: 1 / (1 + mp.exp(x)),
        lambda x: -(mp.sech(x / 2) ** 2) / 4,
        REAL,
    ),
    "softsign": (
        activations.softsign,
        lambda x: 1 / (1 + abs(x)) ** 2,
        lambda x: -2 * mp.sign(x) / (1 + abs(x)) ** 3,
        [x for x in steps(1e100) if x],
    ),
}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def right(f, points):
    with mp.workprec(2500):
        return np.array([float(f(mp.mpf(x))) for x in points])


def assert_near(found, expected, rtol):
    """Compare but for numbers so small that they have fewer digits."""
    tiny = np.finfo(np.asarray(found).dtype).tiny
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=4 * tiny)


def slope(f):
    return grad(lambda x: np.sum(f(x)))


@cases
class TestDerivativesOverAllFloats:
    def test_of_arrays_and_compiled(self, case):
        f, first, second, points = case
        x = np.array(points)
        with np.errstate(all="ignore"):
            for order, expected in ((slope(f), first), (slope(slope(f)), second)):
                expected = right(expected, points)
                assert_near(order(x), expected, 1e-12)
                assert_near(compile(order)(x), expected, 1e-12)

    def test_of_numbers(self, case):
        f, first, second, points = case
        with np.errstate(all="ignore"):
            assert_near([grad(f)(x) for x in points], right(first, points), 1e-12)
            assert_near([grad(grad(f))(x) for x in points], right(second, points), 1e-12)

    def test_of_float32_to_its_rounding(self, case):
        f, first, _, points = case
        x = np.float32([x for x in points if 1e-18 < abs(x) < 1e18 and abs(np.float32(x)) != 1])
        with np.errstate(all="ignore"):
            found = slope(f)(x)
            assert found.dtype == np.float32
            assert_near(found, np.float32(right(first, x.tolist())), 2e-6)


@pytest.mark.parametrize("f", [np.tanh, sigmoid])
def test_many_numbers_have_the_slopes_of_each(f):
    x = np.resize(REAL, 10_000)  # from where on the quick formula is looked at
    each = np.resize([grad(f)(number) for number in REAL], 10_000)
    np.testing.assert_allclose(grad(lambda x: np.sum(f(x)))(x), each, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_the_angle_of_vectors_whose_square_is_no_float(size):
    x, y = 0.6 * size, -0.8 * size
    with np.errstate(all="ignore"), mp.workdps(30):
        expected = [float(n) for n in (y / mp.mpf(size) ** 2, -x / mp.mpf(size) ** 2)]
        for slope in (grad(np.arctan2, (0, 1)), compile(grad(np.arctan2, (0, 1)))):
            assert_near(slope(x, y), expected, 1e-15)


@pytest.mark.parametrize("size", [1e-22, 1.0, 1e25])
def test_the_angle_of_vectors_of_float32_whose_square_is_no_float32(size):
    x, y = np.float32([0.6 * size]), np.float32([-0.8 * size])
    found = grad(lambda x, y: np.sum(np.arctan2(x, y)), (0, 1))(x, y)
    assert_near(np.concatenate(found), np.float32([-0.8 / size, -0.6 / size]), 1e-6)


@pytest.mark.parametrize("angle", [lambda v: np.arctan2(v, 2.0), lambda v: np.arctan2(2.0, v)])
def test_the_angle_from_a_fixed_component_is_compiled_for_all_sizes(angle):
    compiled = compile(grad(angle))
    for x in (1.5, 1e-300, 1e200):
        assert compiled(x) == pytest.approx(grad(angle)(x), rel=1e-14, abs=0)
