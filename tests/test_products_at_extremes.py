"""Products keep NumPy's value, and gradients that are representable, whatever is in between."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from oracle import assert_close

from autograd_core import ShapeError, Value, compile, grad, hessian

quiet = partial(np.errstate, all="ignore")

FACTORS = [
    [1e300, 1e-200, 1e-200, 1e200],
    [0.0, 1e200, 1e200],
    [0.0, 0.0, 1e200, 1e200],
    [2.0, 0.0, 1e200, 1e200],
    [1e200, 1e200, 1e-300, 1e-300],
    [1e-300, 1e-300, 1e200, 1e200, 1e200],
    [1e-320, 1e10, -3.0],
    [-1e308, 0.5, 1e-308, 7.0],
]
WEIGHTS = [3.0, -0.5, 1e-3, 2.0, 0.25]


def rounded(x):
    with mpmath.workprec(4000):
        return float(x)


def product_of(factors):
    return mpmath.fprod(map(mpmath.mpf, factors))


def slope_of_running_products(x, weights):
    """Return, of each factor, the sum of weights times the products without it."""
    with mpmath.workprec(4000):
        return [
            rounded(
                mpmath.fsum(
                    weights[i] * product_of(x[:j] + x[j + 1 : i + 1]) for i in range(j, len(x))
                )
            )
            for j in range(len(x))
        ]


@pytest.mark.parametrize("x", FACTORS, ids=str)
class TestProductsOfExtremes:
    def test_have_the_value_that_numpy_gives(self, x):
        x = np.array(x)
        with quiet():
            assert np.array_equal(np.cumprod(Value(x)).data, np.cumprod(x))
            assert np.prod(Value(x)).data == np.prod(x)
            assert np.array_equal(compile(np.cumprod)(x), np.cumprod(x))

    def test_have_every_gradient_that_is_representable(self, x):
        with quiet():
            last = [0.0] * (len(x) - 1) + [1.0]
            expected = slope_of_running_products(x, last)
            np.testing.assert_allclose(grad(np.prod)(np.array(x)), expected, rtol=1e-14)
            weights = WEIGHTS[: len(x)]
            weighted = grad(lambda x: np.sum(np.cumprod(x) * weights))
            expected = slope_of_running_products(x, weights)
            np.testing.assert_allclose(weighted(np.array(x)), expected, rtol=1e-14)
            np.testing.assert_array_equal(compile(weighted)(np.array(x)), weighted(np.array(x)))


@pytest.mark.parametrize(
    ("x", "weights"),
    [
        # Nothing behind a factor 0 counts, however large it is
        ([2.0, 0.0] + [1e300] * 2000, [3.0, -0.5] + [1.0] * 2000),
        ([0.0, 3.0] + [1e-300] * 2000, [3.0, -0.5] + [1.0] * 2000),
        # Weights as large and as small as numbers can be
        ([1e-100, 1.0, 1.0, 1.0], [1.0, 0.0, 1.5e308, 1.5e308]),
        ([1e300, 1e300, 1e-300, 1e-300], [1e-320, 0.0, 1e-320, 1.0]),
        ([1e-300, 1e-300, 1e300, 1e300], [0.0, 1e308, 1e-308, 0.0]),
    ],
    ids=["after 0", "after a first 0", "large", "small", "mixed"],
)
def test_running_products_have_every_gradient_that_is_representable(x, weights):
    with quiet():
        gradient = grad(lambda x: np.sum(np.cumprod(x) * weights))(np.array(x))
    expected = slope_of_running_products(x[:6], weights[:6])
    np.testing.assert_allclose(gradient[:6], expected, rtol=1e-14)


def test_products_along_an_axis_are_those_of_each_vector():
    x = np.array([FACTORS[0], FACTORS[2], FACTORS[4], FACTORS[7]])
    with quiet():
        each = [grad(lambda x: np.sum(np.cumprod(x)))(row) for row in x]
        along = grad(lambda x: np.sum(np.cumprod(x, axis=1)))(x)
        np.testing.assert_array_equal(along, each)
        across = grad(lambda x: np.sum(np.cumprod(x, axis=0)))(x.T.copy())
        np.testing.assert_array_equal(across.T, each)


def test_the_determinant_of_a_matrix_of_extremes_has_its_cofactors():
    x = np.diag(FACTORS[0])
    expected = grad(np.prod)(np.array(FACTORS[0]))
    np.testing.assert_allclose(np.diag(grad(np.linalg.det)(x)), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "scale", [[1e-200, 1.0, 1.0], [1.0, 1e-200, 1e3], [1e200, 1.0, 1e-150], [0.0, 1e-200, 1.0]]
)
def test_rows_or_columns_of_any_size_beside_others_keep_their_cofactors(scale):
    rows = np.random.default_rng(0).normal(size=(3, 3)) * np.array(scale)[:, None]
    for x in (rows, rows.T):
        cofactors = [np.cross(x[1], x[2]), np.cross(x[2], x[0]), np.cross(x[0], x[1])]
        np.testing.assert_allclose(grad(np.linalg.det)(x), cofactors, rtol=1e-12)


def test_a_long_product_of_numbers_near_one_keeps_its_gradient():
    x = np.random.default_rng(0).uniform(0.9, 1.1, 5000)
    np.testing.assert_allclose(grad(np.prod)(x), np.prod(x) / x, rtol=1e-11)


def test_second_derivatives_of_products_over_several_axes_are_those_that_jax_finds():
    x = np.array([[[2.0, 0.0], [0.5, -1.0]], [[3.0, 1.5], [0.0, 0.0]]])

    def weighted(np, x):
        out = np.prod(x, axis=(0, 2))
        return np.sum(out * np.array([2.0, -3.0])) + np.prod(x)

    ours, theirs = partial(weighted, np), partial(weighted, jnp)
    assert_close(grad(ours)(x), jax.jit(jax.grad(theirs))(x))
    assert_close(hessian(ours)(x), jax.jit(jax.hessian(theirs))(x))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize("name", ["sum", "prod", "cumprod", "cumsum", "linalg.norm"])
def test_the_gradient_of_a_reduction_of_nothing_has_the_shape_of_nothing(name, shape):
    x = np.zeros(shape)
    function = np.linalg.norm if name == "linalg.norm" else getattr(np, name)
    assert np.array_equal(function(Value(x)).data, function(x))
    for f in (lambda x: np.sum(function(x)), lambda x: np.sum(function(x, axis=-1))):
        assert grad(f)(x).shape == compile(grad(f))(x).shape == shape


SHAPES = [(), (3,), (2, 3), (3, 3), (2, 2, 3)]


BILINEAR = {
    "inner": np.inner,
    "dot": np.dot,
    "outer": np.outer,
    "kron": np.kron,
    "vdot": np.vdot,
    "tensordot": lambda x, y: np.tensordot(x, y, 0),
}


def directions(x):
    """Return for each element of x an array, or number, that is 1 there and 0 elsewhere."""
    return np.eye(np.size(x)).reshape(-1, *np.shape(x))


@pytest.mark.parametrize("product", BILINEAR.values(), ids=BILINEAR)
@pytest.mark.parametrize("shapes", list(itertools.product(SHAPES, repeat=2)), ids=str)
def test_products_of_numbers_vectors_and_matrices_are_those_of_numpy(product, shapes):
    rng = np.random.default_rng(0)
    x, y = [rng.normal(size=shape) if shape else float(rng.normal()) for shape in shapes]
    try:
        expected = product(x, y)
    except ValueError:
        with pytest.raises(ShapeError):
            product(Value(x), Value(y))
        return
    for one, other in ((Value(x), Value(y)), (Value(x), y), (x, Value(y))):
        out = product(one, other)
        assert out.shape == np.shape(expected)
        np.testing.assert_allclose(out.data, expected, rtol=1e-14, atol=1e-14)
    weights = rng.normal(size=np.shape(expected))
    by_x, by_y = grad(lambda x, y: np.sum(product(x, y) * weights), (0, 1))(x, y)
    # They are linear in each operand: a derivative is what NumPy gives for a direction
    right = [np.sum(product(direction, y) * weights) for direction in directions(x)]
    np.testing.assert_allclose(np.ravel(by_x), right, rtol=1e-12, atol=1e-12)
    right = [np.sum(product(x, direction) * weights) for direction in directions(y)]
    np.testing.assert_allclose(np.ravel(by_y), right, rtol=1e-12, atol=1e-12)
