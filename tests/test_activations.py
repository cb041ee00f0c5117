"""Activations: values and derivatives against Keras on JAX, extreme inputs, kinks, names."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mp

from autograd_core import OptionError, Value, check_gradients, compile, erf, erfc, grad, leaky_relu
from nn import activations
from tests.keras_oracle import as_keras, keras

ours, theirs = activations, keras.activations

# 0.01 and more away from the kinks, at 0, 1, 3 and 6
POINTS = np.concatenate([np.linspace(-9.13, 9.17, 62), [-40.0, -20.0, -0.01, 0.01, 20.0, 40.0]])

CASES = {
    "linear": (ours.linear, theirs.linear),
    "step": (ours.step, lambda x: jnp.heaviside(x, 1.0)),
    "sign": (ours.sign, keras.ops.sign),
    "sigmoid": (ours.sigmoid, theirs.sigmoid),
    "tanh": (ours.tanh, jnp.tanh),  # on JAX, Keras computes it in float32
    "relu": (ours.relu, theirs.relu),
    "leaky_relu": (ours.leaky_relu, theirs.leaky_relu),
    "leaky_relu of 0.01": (
        partial(ours.leaky_relu, negative_slope=0.01),
        partial(theirs.leaky_relu, negative_slope=0.01),
    ),
    "prelu": (ours.prelu, partial(theirs.leaky_relu, negative_slope=0.25)),
    "relu6": (ours.relu6, theirs.relu6),
    "elu": (ours.elu, theirs.elu),
    "elu of 0.3": (partial(ours.elu, alpha=0.3), partial(theirs.elu, alpha=0.3)),
    "selu": (ours.selu, theirs.selu),
    "celu": (ours.celu, theirs.celu),
    "celu of 0.3": (partial(ours.celu, alpha=0.3), partial(theirs.celu, alpha=0.3)),
    "gelu": (ours.gelu, theirs.gelu),
    "gelu, approximate": (
        partial(ours.gelu, approximate=True),
        partial(theirs.gelu, approximate=True),
    ),
    "silu": (ours.silu, theirs.silu),
    "softplus": (ours.softplus, theirs.softplus),
    "softsign": (ours.softsign, theirs.softsign),
    "mish": (ours.mish, theirs.mish),
    "exponential": (ours.exponential, theirs.exponential),
    "hard_sigmoid": (ours.hard_sigmoid, theirs.hard_sigmoid),
    "hard_tanh": (ours.hard_tanh, theirs.hard_tanh),
    "log_sigmoid": (ours.log_sigmoid, theirs.log_sigmoid),
}
each = pytest.mark.parametrize(("f", "peer"), CASES.values(), ids=CASES)
each_of_ours = pytest.mark.parametrize("f", [f for f, _ in CASES.values()], ids=CASES)


def slope(f):
    """Return the derivative of a function that goes element by element."""
    return grad(lambda x: np.sum(f(x)))


@each
class TestAgainstKeras:
    def test_value(self, f, peer):
        expected = np.asarray(peer(as_keras(POINTS)))
        np.testing.assert_allclose(f(POINTS), expected, rtol=1e-13, atol=5e-15)
        np.testing.assert_allclose(f(Value(POINTS)).data, expected, rtol=1e-13, atol=5e-15)

    def test_derivative(self, f, peer):
        expected = jax.jit(jax.grad(lambda x: jnp.sum(peer(x))))(as_keras(POINTS))
        np.testing.assert_allclose(slope(f)(POINTS), expected, rtol=1e-12, atol=5e-14)


@each_of_ours
class TestEveryActivation:
    def test_second_derivative(self, f):
        check_gradients(f, POINTS[abs(POINTS) < 10][::7], order=2)

    def test_third_derivative_at_a_number(self, f):
        check_gradients(f, -0.7, order=3, rtol=1e-5, atol=1e-7)

    def test_numbers_give_numbers(self, f):
        for x in (-1.5, 0.0, 2.0):
            assert isinstance(f(x), float)
            assert f(x) == pytest.approx(f(np.array([x]))[0], rel=1e-15)
            assert f(x) == pytest.approx(f(Value(x)).data, rel=1e-15)

    def test_keeps_float32(self, f):
        x = Value(POINTS[abs(POINTS) < 10].astype(np.float32))
        out = f(x)
        out.sum().backward()
        assert out.dtype == x.grad.dtype == f(x.data).dtype == np.float32

    def test_not_a_number_stays_so(self, f):
        with np.errstate(invalid="ignore"):
            out = f(np.array([math.nan, 1.0]))
        assert np.isnan(out).tolist() == [True, False]


EXTREME = {
    # value at -x and x, derivative at -x and x, for any large x
    "linear": (lambda x: (-x, x), (1, 1)),
    "step": (lambda x: (0, 1), (0, 0)),
    "sign": (lambda x: (-1, 1), (0, 0)),
    "sigmoid": (lambda x: (0, 1), (0, 0)),
    "tanh": (lambda x: (-1, 1), (0, 0)),
    "relu": (lambda x: (0, x), (0, 1)),
    "leaky_relu": (lambda x: (-0.2 * x, x), (0.2, 1)),
    "prelu": (lambda x: (-0.25 * x, x), (0.25, 1)),
    "relu6": (lambda x: (0, 6), (0, 0)),
    "elu": (lambda x: (-1, x), (0, 1)),
    "selu": (lambda x: (-1.7580993408473766, 1.0507009873554805 * x), (0, 1.0507009873554805)),
    "celu of 0.3": (lambda x: (-0.3, x), (0, 1)),
    "gelu": (lambda x: (0, x), (0, 1)),
    "gelu, approximate": (lambda x: (0, x), (0, 1)),
    "silu": (lambda x: (0, x), (0, 1)),
    "softplus": (lambda x: (0, x), (0, 1)),
    "softsign": (lambda x: (-x / (1 + x), x / (1 + x)), (0, 0)),
    "mish": (lambda x: (0, x), (0, 1)),
    "hard_sigmoid": (lambda x: (0, 1), (0, 0)),
    "hard_tanh": (lambda x: (-1, 1), (0, 0)),
    "log_sigmoid": (lambda x: (-x, 0), (1, 0)),
}


@pytest.mark.parametrize(
    ("f", "values", "derivatives"),
    [(CASES[name][0], *expected) for name, expected in EXTREME.items()],
    ids=EXTREME,
)
class TestExtremeInputs:
    @pytest.mark.parametrize("size", [1e4, 1e300])
    def test_in_arrays(self, f, values, derivatives, size):
        x = np.array([-size, size])
        np.testing.assert_allclose(f(x), values(size), rtol=1e-14)
        np.testing.assert_allclose(slope(f)(x), derivatives, rtol=1e-14, atol=2 / size / size)
        np.testing.assert_allclose(slope(slope(f))(x), 0, atol=3 / size / size / size)

    @pytest.mark.parametrize("size", [1e4, 1e300])
    def test_in_numbers(self, f, values, derivatives, size):
        for x, value, derivative in zip((-size, size), values(size), derivatives, strict=True):
            assert f(x) == pytest.approx(value, rel=1e-14)
            assert f(Value(x)).data == pytest.approx(value, rel=1e-14)
            assert grad(f)(x) == pytest.approx(derivative, rel=1e-14, abs=2 / size / size)

    def test_in_float32(self, f, values, derivatives):
        x = np.array([-1e30, 1e30], np.float32)
        np.testing.assert_allclose(f(x), np.float32(values(1e30)), rtol=1e-6)
        np.testing.assert_allclose(slope(f)(x), derivatives, rtol=1e-6)


def test_the_slope_of_softsign_is_exact_far_out():
    assert slope(ours.softsign)(1e4) == pytest.approx(1 / 10001**2, rel=1e-10)


def test_exponential_underflows_silently():
    assert slope(ours.exponential)(np.array([-1e4])).tolist() == [0.0]


KINKS = [
    (ours.relu, 0.0, 0.0),
    (ours.leaky_relu, 0.0, 0.2),
    (ours.prelu, 0.0, 0.25),
    (ours.relu6, 0.0, 0.0),
    (ours.relu6, 6.0, 0.5),
    (ours.sign, 0.0, 0.0),
    (ours.step, 0.0, 0.0),
    (partial(ours.elu, alpha=0.3), 0.0, 0.3),
    (ours.hard_sigmoid, -3.0, 0.0),
    (ours.hard_sigmoid, 3.0, 1 / 12),
    (ours.hard_tanh, -1.0, 0.5),
    (ours.hard_tanh, 1.0, 0.5),
]


@pytest.mark.parametrize(("f", "x", "expected"), KINKS)
def test_derivative_at_a_kink(f, x, expected):
    assert grad(f)(x) == expected
    assert slope(f)(np.array([x, x])).tolist() == [expected] * 2


SMOOTH = ["tanh", "elu", "celu", "celu of 0.3", "gelu", "gelu, approximate", "silu", "mish"]


@pytest.mark.parametrize("name", [*SMOOTH, "softplus", "softsign", "exponential", "log_sigmoid"])
def test_smooth_functions_have_their_derivative_at_zero(name):
    f, peer = CASES[name]
    expected = float(jax.grad(peer)(0.0))
    assert grad(f)(0.0) == pytest.approx(expected, rel=1e-15)
    assert slope(f)(np.zeros(2)).tolist() == pytest.approx([expected] * 2, rel=1e-15)


def test_leaky_relu_keeps_a_hundredth():
    assert leaky_relu(-1.0) == -0.01


def test_step_fires_from_zero_on():
    assert ours.step(np.array([-1e-300, -0.0, 0.0, 1e-300])).tolist() == [0.0, 1.0, 1.0, 1.0]


def test_tanh_is_a_sigmoid():
    np.testing.assert_allclose(
        ours.tanh(POINTS), 2 * ours.sigmoid(2 * POINTS) - 1, rtol=1e-13, atol=1e-15
    )


class TestLearntOptions:
    x = np.array([[-2.0, 0.5, -1.0], [3.0, -4.0, -0.1]])

    @pytest.mark.parametrize("f", [ours.leaky_relu, ours.prelu, ours.elu, ours.celu])
    def test_one_number(self, f):
        check_gradients(f, self.x, 0.3, order=2)

    @pytest.mark.parametrize("f", [ours.leaky_relu, ours.prelu])
    def test_one_for_each_unit(self, f):
        check_gradients(f, self.x, np.array([0.1, 0.2, 0.3]), order=2)

    def test_a_slope_gathers_the_negative_inputs(self):
        slopes = Value([0.1, 0.2, 0.3])
        ours.prelu(self.x, slopes).sum().backward()
        np.testing.assert_allclose(slopes.grad, [-2.0, -4.0, -1.1], rtol=1e-15)

    def test_a_slope_that_is_a_number_keeps_float32(self):
        x, number = Value(self.x.astype(np.float32)), Value(0.25)
        out = ours.prelu(x, number)
        out.sum().backward()
        assert out.dtype == x.grad.dtype == np.float32
        assert number.grad == pytest.approx(-7.1)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
class TestSoftmax:
    x = np.random.default_rng(2).normal(size=(3, 4)) * 5

    @pytest.mark.parametrize("options", [{}, {"axis": 0}])
    def test_against_keras(self, name, options):
        f, peer = getattr(ours, name), getattr(theirs, name)
        weights = np.arange(12.0).reshape(3, 4)
        expected = np.asarray(peer(as_keras(self.x), **options))
        np.testing.assert_allclose(f(self.x, **options), expected, rtol=1e-13)
        weighted = jax.jit(jax.grad(lambda x: jnp.sum(weights * peer(x, **options))))
        derivative = weighted(as_keras(self.x))
        np.testing.assert_allclose(
            grad(lambda x: np.sum(weights * f(x, **options)))(self.x), derivative, rtol=1e-11
        )

    def test_extreme_inputs(self, name):
        f = getattr(ours, name)
        x = np.array([[-1e4, 1e4, 0.0]])
        expected = np.asarray(getattr(theirs, name)(as_keras(x)))
        np.testing.assert_allclose(f(x), expected, rtol=1e-15)
        check_gradients(f, x, order=2)


def test_gelu_is_exact_in_its_left_tail():
    x = np.array([-30.0, -10.0, -8.5, -6.0, -1.0, 0.5, 9.0])
    with mp.workdps(60):
        values = [float(t * mp.ncdf(t)) for t in map(mp.mpf, x.tolist())]
        slopes = [float(mp.ncdf(t) + t * mp.npdf(t)) for t in map(mp.mpf, x.tolist())]
    assert np.allclose(ours.gelu(x), values, rtol=1e-13, atol=0)
    assert np.allclose(compile(ours.gelu)(x), values, rtol=1e-13, atol=0)
    assert np.allclose(slope(ours.gelu)(x), slopes, rtol=1e-12, atol=0)
    assert ours.gelu(-10.0) == pytest.approx(-7.619853024160527e-23, rel=1e-13)


class TestErf:
    @pytest.mark.parametrize("reach", [1e-8, 0.1, 1.0, 7.0])
    def test_is_accurate_for_arrays(self, reach):
        x = np.linspace(-reach, reach, 20_001)
        expected = [math.erf(each) for each in x]
        assert erf(x).tolist() == expected
        assert erfc(x).tolist() == [math.erfc(each) for each in x]

    def test_is_rounded_correctly_in_float32(self):
        x = np.linspace(-4, 4, 2001, dtype=np.float32)
        out = erf(x)
        assert out.dtype == np.float32
        assert out.tolist() == np.float32([math.erf(each) for each in x]).tolist()

    def test_of_numbers_is_that_of_the_mathematics_library(self):
        assert erf(0.3) == erf(Value(0.3)).data == math.erf(0.3)

    def test_far_out_and_at_zero(self):
        x = np.array([-math.inf, -1e300, -0.0, 0.0, 1e300, math.inf])
        assert erf(x).tolist() == [-1.0, -1.0, 0.0, 0.0, 1.0, 1.0]
        assert np.signbit(erf(x)).tolist() == [True, True, True, False, False, False]
        assert slope(erf)(x).tolist() == [0.0, 0.0, *[2 / math.sqrt(math.pi)] * 2, 0.0, 0.0]

    def test_third_derivative(self):
        check_gradients(erf, np.array([-1.3, 0.0, 0.4, 2.0]), order=3, rtol=1e-5, atol=1e-7)


NAMES = """
    celu elu exponential gelu hard_sigmoid hard_tanh leaky_relu linear log_sigmoid log_softmax mish
    prelu relu relu6 selu sigmoid sign silu softmax softplus softsign step swish tanh
"""


class TestByName:
    def test_these_and_no_others(self):
        assert sorted(activations.BY_NAME) == NAMES.split()

    @pytest.mark.parametrize("name", NAMES.split())
    def test_a_name_gives_the_function_of_this_name(self, name):
        assert activations.get(name) is getattr(activations, name)
        assert name in activations.__all__
        assert activations.get(name).__name__ == name.replace("swish", "silu")

    @pytest.mark.parametrize("choice", [None, np.sin, partial(ours.elu, alpha=2.0)])
    def test_other_choices_stay_as_they_are(self, choice):
        assert activations.get(choice) is choice

    def test_an_unknown_name_names_the_nearest(self):
        with pytest.raises(OptionError, match="activation 'Relu'") as caught:
            activations.get("Relu")
        assert caught.value.instead == "'relu'"
        assert "celu, elu, exponential" in caught.value.why
