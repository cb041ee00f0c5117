"""Eigenvectors of equal eigenvalues give no wrong number: NaN, and the values' own derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from autograd_core import batch, compile, grad, hessian
from autograd_core.primitives.decompositions import determined

jax.config.update("jax_enable_x64", True)

WEIGHTS = np.array([[1.0, 2.0, 0.5], [3.0, -4.0, 1.5], [0.25, 2.5, -1.0]])


def spectral(function):
    """Return the function of a symmetric matrix that works on its eigenvalues."""

    def of_matrix(a):
        values, vectors = np.linalg.eigh(a)
        return np.sum(WEIGHTS * ((vectors * function(values)) @ vectors.T))

    return of_matrix


def polar(a):
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.sum(WEIGHTS[: a.shape[0], : a.shape[1]] * (u @ vh))


def rotation(seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


ROTATED = rotation(0) @ np.diag([2.0, 2.0, 3.0]) @ rotation(0).T
EQUAL = {
    "identity": np.eye(3),
    "diagonal": np.diag([2.0, 3.0, 2.0]),
    "rotated": ROTATED,
    "large": 1e6 * ROTATED,
}
FUNCTIONS = {"root": np.sqrt, "logarithm": np.log, "exponential": np.exp}
equal = pytest.mark.parametrize("a", EQUAL.values(), ids=EQUAL)


@equal
class TestWhereValuesAreEqual:
    @pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
    def test_what_uses_eigenvectors_is_nan_on_every_path(self, a, function):
        f = spectral(lambda values: function(values / a.max()))
        for slope in (grad(f), compile(grad(f)), lambda a: batch(grad(f))(a[None])[0]):
            assert np.isnan(slope(a)).all()
        assert np.isnan(grad(f)(a.astype(np.float32))).all()

    def test_what_uses_singular_vectors_is_nan(self, a):
        assert np.isnan(grad(polar)(a)).all()

    def test_what_uses_values_alone_has_its_own_derivative(self, a):
        cubes = grad(lambda a: np.sum(np.linalg.eigh(a).eigenvalues ** 3))
        np.testing.assert_allclose(cubes(a), 3 * a @ a, atol=1e-13 * a.max() ** 2)
        np.testing.assert_allclose(compile(cubes)(a), cubes(a), atol=1e-13 * a.max() ** 2)
        squares = grad(lambda a: np.sum(np.linalg.svd(a).S ** 2))
        np.testing.assert_allclose(squares(a), 2 * a, atol=1e-13 * a.max())

    def test_a_second_derivative_of_values_is_nan(self, a):
        assert np.isnan(hessian(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2))(a)).all()


@pytest.mark.parametrize("apart", [0.5, 1e-2, 1e-4, 1e-6, 1e-8])
def test_values_that_are_nearly_equal_lose_as_many_digits_as_they_share(apart):
    a = rotation(1) @ np.diag([2.0, 2.0 + apart, 3.0]) @ rotation(1).T
    a = (a + a.T) / 2
    values, vectors = np.linalg.eigh(a)
    root = vectors * np.sqrt(values) @ vectors.T
    # The root's derivative in a direction d solves root @ x + x @ root = d
    system = np.kron(root, np.eye(3)) + np.kron(np.eye(3), root)
    expected = np.linalg.solve(system, ((WEIGHTS + WEIGHTS.T) / 2).ravel()).reshape(3, 3)
    found = grad(spectral(np.sqrt))(a)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 / apart)


def test_one_matrix_of_a_stack_leaves_the_others_alone():
    stack = np.array([1e-16 * np.diag([1.0, 2.0, 4.0]), np.eye(3), 1e6 * ROTATED])

    def roots(a):
        values, vectors = np.linalg.eigh(a)
        return np.sum(WEIGHTS * ((vectors * np.sqrt(values)[:, None]) @ vectors.swapaxes(-1, -2)))

    found = grad(roots)(stack)
    np.testing.assert_array_equal(found[0], grad(roots)(stack[:1])[0])
    assert np.isnan(found[1:]).all()


class TestSingularValuesOfZero:
    tall = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])

    def test_vectors_that_complete_a_basis_are_not_determined(self):
        assert np.isnan(grad(polar)(self.tall)).all()
        assert np.isnan(grad(polar)(self.tall.T)).all()
        assert np.isnan(grad(polar)(np.zeros((2, 2)))).all()

    def test_the_others_are(self):
        def first(a):
            return np.sum(np.linalg.svd(a, full_matrices=False)[2][0] ** 2 * [1.0, 3.0])

        direction = np.array([[0.1, -0.2], [0.3, 0.1], [-0.2, 0.4]])

        step = 1e-6 * direction
        slope = (first(self.tall + step) - first(self.tall - step)) / 2e-6
        assert np.sum(grad(first)(self.tall) * direction) == pytest.approx(slope, rel=1e-7)

    @pytest.mark.parametrize("smallest", [0.0, 1e-12])
    def test_vectors_of_square_matrices_are_determined_in_stacks_too(self, smallest):
        left, right = (rotation(seed)[:2, :2] for seed in (2, 3))
        left, right = np.linalg.qr(left)[0], np.linalg.qr(right)[0]
        a = np.stack([left * s @ right for s in ([2.0, smallest], [3.0, 1.0], [1.5, smallest])])

        def squares(a):
            u, _, vh = np.linalg.svd(a)
            return np.sum(u**2 * WEIGHTS[:2, :2]) + np.sum(vh**2 * WEIGHTS[1:, 1:])

        def squares_of_eigenvectors(a):
            u, v = (
                jnp.linalg.eigh(product)[1][..., ::-1]
                for product in (a @ a.swapaxes(1, 2), a.swapaxes(1, 2) @ a)
            )
            return jnp.sum(u**2 * WEIGHTS[:2, :2]) + jnp.sum(v**2 * WEIGHTS[1:, 1:].T)

        expected = jax.grad(squares_of_eigenvectors)(a)
        np.testing.assert_allclose(grad(squares)(a), expected, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("order", ["nuc", 2])
    def test_norms_use_values_alone(self, order):
        assert np.isfinite(grad(lambda a: np.linalg.norm(a, order))(self.tall)).all()
        assert np.linalg.norm(grad(lambda a: np.linalg.norm(a, "nuc"))(np.eye(2)) - np.eye(2)) == 0


def test_no_numbers_have_no_derivative():
    f = grad(lambda a: np.sum(np.linalg.eigh(a).eigenvectors))
    assert f(np.zeros((0, 0))).shape == (0, 0)


def test_a_matrix_of_one_number_has_nothing_equal():
    def root(a):
        values, vectors = np.linalg.eigh(a)
        return np.sum((vectors * np.sqrt(values)) @ vectors.T)

    assert grad(root)(np.array([[4.0]])) == 0.25


@pytest.mark.parametrize(("roundings", "is_determined"), [(8, False), (9, True)])
def test_values_are_equal_if_they_differ_by_no_more_than_four_roundings_each(
    roundings, is_determined
):
    values = np.array([[2.0, 2.0 - roundings * np.spacing(1.0) * 2.0]])
    slope = grad(lambda x: np.sum(determined(x, values)))(np.eye(2))
    assert np.isfinite(slope).all() == is_determined
