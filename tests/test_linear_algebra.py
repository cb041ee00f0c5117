"""Linear algebra against JAX in float64: values, first and second derivatives, special points."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from autograd_core import Value, check_gradients, grad, hessian
from autograd_core.errors import DomainError, IndexRangeError, ShapeError, UnsupportedError
from autograd_core.functions import decompositions, products

INF = np.inf
jax.config.update("jax_enable_x64", True)


def transposed(x):
    return x.swapaxes(-1, -2)


def positive_definite(np, x):
    return np.matmul(x, transposed(x)) + np.eye(x.shape[-1])


def eigh(np, x):
    """Return what does not depend on the eigenvectors' signs."""
    values, vectors = np.linalg.eigh(x + transposed(x))
    turned = vectors * np.arange(1.0, x.shape[-1] + 1)
    return values, vectors**2, np.matmul(turned, transposed(vectors))


def svd(np, x):
    """Return what does not depend on the singular vectors' signs."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    turned = u * np.arange(1.0, s.shape[-1] + 1)
    return u**2, s, vh**2, np.matmul(turned, vh)


def norms(orders, **options):
    return lambda np, x: [np.linalg.norm(x, order, **options) for order in orders]


# Name: a function that takes np, which is NumPy or jax.numpy, and arrays; and the arrays' shapes
CASES = {
    "dot": (lambda np, x, y: np.dot(x, y), (2, 3), (3, 2)),
    "dot of vectors": (lambda np, x, y: np.dot(x, y), (3,), (3,)),
    "dot of stacks": (lambda np, x, y: np.dot(x, y), (2, 3), (2, 3, 2)),
    "dot of numbers": (lambda np, x, y: np.dot(np.sum(x), y), (3,), (2,)),
    "vdot": (lambda np, x, y: np.vdot(x, y), (2, 3), (3, 2)),
    "inner": (lambda np, x, y: np.inner(x, y), (2, 3), (2, 2, 3)),
    "outer": (lambda np, x, y: np.outer(x, y), (2, 2), (3,)),
    "matmul": (lambda np, x, y: np.matmul(x, y), (2, 1, 2, 3), (2, 3, 2)),
    "matmul of matrices and a vector": (lambda np, x, y: np.matmul(x, y), (2, 2, 3), (3,)),
    "matmul of a vector and matrices": (lambda np, x, y: np.matmul(x, y), (3,), (2, 3, 2)),
    "tensordot": (lambda np, x, y: np.tensordot(x, y, ([0, -1], [1, 0])), (2, 2, 3), (3, 2)),
    "tensordot over no axes": (lambda np, x, y: np.tensordot(x, y, 0), (2, 3), (2,)),
    "kron": (lambda np, x, y: np.kron(x, y), (2, 3), (2, 1, 2)),
    "cross": (lambda np, x, y: np.cross(x, y), (2, 3), (3,)),
    "cross along axes": (lambda np, x, y: np.cross(x, y, axisa=0, axisc=1), (3, 2, 2), (2, 3)),
    "trace": (lambda np, x: [np.trace(x, k, -1, 0) for k in (-2, 0, 1, 5)], (3, 2, 4)),
    "einsum": (lambda np, x, y: np.einsum("bij,bjk->kb", x, y), (2, 2, 3), (2, 3, 2)),
    "einsum of three": (
        lambda np, *xs: np.einsum("i,ij,j", *xs, optimize=False),
        (2,),
        (2, 3),
        (3,),
    ),
    "einsum without arrow": (lambda np, x, y: np.einsum("ba,bc", x, y), (2, 3), (2, 2)),
    "einsum with diagonals": (
        lambda np, x: [np.einsum(s, x) for s in ("iji->ji", "iji", "iji->")],
        (2, 3, 2),
    ),
    "einsum with dots": (lambda np, x, y: np.einsum("...i,j...->...j", x, y), (2, 1, 3), (2, 3)),
    "inv": (lambda np, x: np.linalg.inv(x), (2, 3, 3)),
    "solve for a vector": (lambda np, x, y: np.linalg.solve(x, y), (2, 3, 3), (3,)),
    "solve for matrices": (lambda np, x, y: np.linalg.solve(x, y), (3, 3), (2, 3, 2)),
    "pinv": (lambda np, x: np.linalg.pinv(x), (3, 2)),
    "pinv of wide matrices": (lambda np, x: np.linalg.pinv(x), (2, 2, 3)),
    "det": (lambda np, x: np.linalg.det(x), (3, 3)),
    "det of stacks": (lambda np, x: np.linalg.det(x), (2, 2, 2)),
    "slogdet": (lambda np, x: np.linalg.slogdet(x)[1], (2, 3, 3)),
    "matrix_power": (
        lambda np, x: [np.linalg.matrix_power(x, n) for n in (-2, -1, 0, 1, 5)],
        (3, 3),
    ),
    "cholesky": (lambda np, x: np.linalg.cholesky(positive_definite(np, x)), (2, 3, 3)),
    "upper cholesky": (
        lambda np, x: np.linalg.cholesky(positive_definite(np, x), upper=True),
        (3, 3),
    ),
    "eigh": (eigh, (3, 3)),
    "eigh of stacks": (eigh, (2, 2, 2)),
    "eigvalsh": (lambda np, x: np.linalg.eigvalsh(x), (3, 3)),
    "svd": (svd, (3, 3)),
    "svd of tall matrices": (svd, (3, 2)),
    "svd of wide stacks": (svd, (2, 2, 3)),
    "singular values": (lambda np, x: np.linalg.svd(x, compute_uv=False), (2, 3)),
    "norm": (norms([None]), (2, 3, 2)),
    "norms of a vector": (norms([None, 2, 1, INF, -INF, 0, 3, 0.5, -1, -2, -2.5]), (4,)),
    "norms of vectors": (norms([None, 1, INF, 3], axis=-2, keepdims=True), (2, 3)),
    "norms of a matrix": (norms([None, "fro", "nuc", 1, -1, 2, -2, INF, -INF]), (2, 3)),
    "norms of matrices": (
        norms([None, "fro", "nuc", 1, -1, INF, -INF], axis=(2, 0), keepdims=True),
        (2, 2, 3),
    ),
}


def outputs(np, function, inputs):
    out = function(np, *inputs)
    return list(out) if isinstance(out, tuple | list) else [out]


def derivatives(np, grad, function, inputs, weights):
    """Return the first and second derivatives by each input, as NumPy and grad are given."""
    positions = tuple(range(len(inputs)))

    def weighted(*xs):
        pairs = zip(weights, outputs(np, function, xs), strict=True)
        return sum(np.sum(weight * y) for weight, y in pairs)

    def steepness(*xs):
        return sum(np.sum(g * g) for g in grad(weighted, positions)(*xs))

    return [*grad(weighted, positions)(*inputs), *grad(steepness, positions)(*inputs)]


@cache
def of_jax(name):
    """Return the inputs of a case, weights for its results, and what JAX makes of them."""
    function, *shapes = CASES[name]
    random = np.random.default_rng(7)
    inputs = [random.normal(size=shape) for shape in shapes]
    results = jax.eval_shape(lambda *xs: outputs(jnp, function, xs), *inputs)
    weights = [random.normal(size=y.shape) for y in results]

    def by_jax(*xs):
        return outputs(jnp, function, xs) + derivatives(jnp, jax.grad, function, xs, weights)

    return inputs, weights, jax.jit(by_jax)(*inputs)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_jax(name):
    function = CASES[name][0]
    inputs, weights, expected = of_jax(name)
    mine = [y.data for y in outputs(np, function, map(Value, inputs))]
    mine += derivatives(np, grad, function, inputs, weights)
    for x, y in zip(mine, expected, strict=True):
        assert np.shape(x) == y.shape
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9 * max(1, np.abs(y).max()))


@pytest.mark.parametrize("name", ["matmul", "solve for matrices", "einsum", "kron", "cross"])
def test_one_operand_may_be_a_constant(name):
    function, *shapes = CASES[name]
    x, y = (np.random.default_rng(7).normal(size=shape) for shape in shapes)
    check_gradients(lambda x: function(np, x, y), x)
    check_gradients(lambda y: function(np, x, y), y)


@pytest.mark.parametrize("order", [None, 2, 1, INF, -INF, 0, 3, 1.5, 0.5, -1, -2.5])
def test_norm_of_a_zero_vector_has_gradient_zero(order):
    assert grad(lambda x: np.linalg.norm(x, order))(np.zeros(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, INF, -INF])
def test_norm_of_a_zero_matrix_has_gradient_zero(order):
    assert not grad(lambda x: np.linalg.norm(x, order))(np.zeros((2, 3))).any()


@pytest.mark.parametrize("order", [3, 0.5, 0, -0.5, -1, -2.5])
@pytest.mark.parametrize("x", [[0.0, 0.0], [1.0, 0.0], [0.0, 4.0]])
def test_norms_of_zeros_are_those_of_numpy(order, x):
    with np.errstate(divide="ignore"):
        expected = pytest.approx(np.linalg.norm(x, order), rel=1e-15, abs=0)
        assert np.linalg.norm(Value(x), order).data == expected


def test_a_squared_norm_of_order_2_has_second_derivatives_at_0():
    assert hessian(lambda x: np.linalg.norm(x, 2) ** 2)(np.zeros(2)).tolist() == [[2, 0], [0, 2]]


def test_stacks_of_stacks_of_matrices():
    x, y = np.random.default_rng(7).normal(size=(2, 2, 3, 2, 2))
    for f in (np.linalg.solve, lambda x, y: np.linalg.matrix_power(x, 0)):
        np.testing.assert_allclose(f(Value(x), y).data, f(x, y), rtol=1e-12)


def test_pinv_leaves_out_small_singular_values():
    for option in ({"rcond": 0.2}, {"rtol": 0.2}):
        x = np.diag([1.0, 0.1])
        np.testing.assert_allclose(np.linalg.pinv(Value(x), **option).data, np.diag([1.0, 0.0]))


def test_zeros_in_a_norm_have_gradient_zero():
    assert grad(lambda x: np.linalg.norm(x, 0.5))(np.array([0.0, 4.0])).tolist() == [0, 1]
    assert grad(lambda x: np.linalg.norm(x, -1))(np.array([0.0, 4.0])).tolist() == [0, 0]


SPECIAL = {
    "zero": np.zeros((3, 3)),
    "identity": np.eye(3),
    "rank 2": np.diag([1.0, 2.0, 0.0]),
    "rank 1": np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]),
}


@pytest.mark.parametrize("matrix", SPECIAL.values(), ids=SPECIAL.keys())
def test_det_of_special_matrices_has_exact_derivatives(matrix):
    def triple_product(x):
        return jnp.vdot(x[0], jnp.cross(x[1], x[2]))

    first = jax.jit(jax.grad(triple_product))(matrix)
    second = jax.jit(jax.hessian(triple_product))(matrix)
    np.testing.assert_allclose(grad(np.linalg.det)(matrix), first, atol=1e-14)
    np.testing.assert_allclose(hessian(np.linalg.det)(matrix), second, atol=1e-14)
    check_gradients(np.linalg.det, matrix, order=3)


def test_det_of_the_smallest_matrices():
    check_gradients(np.linalg.det, np.array([[3.0]]), order=3)
    assert grad(np.linalg.det)(np.zeros((0, 0))).shape == (0, 0)
    assert hessian(np.linalg.det)(np.zeros((0, 0))).shape == (0, 0, 0, 0)


def test_functions_of_equal_eigenvalues_have_exact_gradients():
    matrix = np.diag([2.0, 2.0, 3.0])
    gradient = grad(lambda x: np.sum(np.linalg.eigvalsh(x) ** 3))(matrix)
    np.testing.assert_allclose(gradient, 3 * matrix @ matrix, atol=1e-14)


def test_pinv_where_the_rank_is_less_than_full():
    def closed_form(x, y):
        return jnp.sum(weights * jnp.outer(y, x)) / (jnp.vdot(x, x) * jnp.vdot(y, y))

    def by_pinv(x, y):
        return np.sum(weights * np.linalg.pinv(np.outer(x, y), rcond=1e-10))

    x, y, weights = np.array([1.0, 2.0, -1.0]), np.array([0.5, 3.0]), np.arange(6.0).reshape(2, 3)
    mine, theirs = grad(by_pinv, (0, 1))(x, y), jax.grad(closed_form, (0, 1))(x, y)
    np.testing.assert_allclose(np.concatenate(mine), np.concatenate(theirs), rtol=1e-12)


@pytest.mark.parametrize("function", [np.linalg.cholesky, np.linalg.eigvalsh])
def test_gradients_of_symmetric_decompositions_are_symmetric(function):
    matrix = Value([[2.0, 0.5], [0.5, 1.0]])
    out = function(matrix)
    out.backward(np.arange(1.0, out.size + 1).reshape(out.shape))
    np.testing.assert_array_equal(matrix.grad, matrix.grad.T)


def test_results_have_the_names_of_numpy():
    matrix = Value([[2.0, 1.0], [1.0, 3.0]])
    assert np.linalg.slogdet(matrix)._fields == ("sign", "logabsdet")
    assert np.linalg.eigh(matrix)._fields == ("eigenvalues", "eigenvectors")
    assert np.linalg.svd(matrix)._fields == ("U", "S", "Vh")
    assert grad(lambda x: np.linalg.slogdet(x).sign)(np.eye(2)).tolist() == [[0, 0], [0, 0]]


def test_plain_data_give_plain_results():
    lists = [[2.0, 1.0], [1.0, 3.0]]
    for function in (decompositions.inv, decompositions.cholesky, decompositions.eigvalsh):
        np.testing.assert_array_equal(function(lists), getattr(np.linalg, function.__name__)(lists))
    assert products.dot(2, [1, 2]).tolist() == [2, 4]
    assert (products.kron(2.0, 3.0), products.trace(lists)) == (6.0, 5.0)
    assert decompositions.norm(-3.0) == 3.0


FLOAT32 = (
    np.linalg.inv,
    np.linalg.cholesky,
    np.linalg.det,
    np.linalg.pinv,
    np.linalg.norm,
    lambda x: np.linalg.eigh(x).eigenvectors,
    lambda x: np.linalg.svd(x).U,
    lambda x: np.linalg.solve(x, x[0]),
    lambda x: np.einsum("ij,kj->ik", x, x),
)


@pytest.mark.parametrize("function", FLOAT32)
def test_float32_stays_float32(function):
    matrix = Value(np.array([[2.0, 0.5], [0.5, 1.0]], np.float32))
    out = function(matrix)
    assert not out.shape or out.dtype == np.float32
    np.sum(out).backward()
    assert matrix.grad.dtype == np.float32


def test_broadcast_axes_of_length_one_in_einsum():
    random = np.random.default_rng(7)
    x, y = random.normal(size=(1, 3)), random.normal(size=(2, 1))
    for subscripts in ("ij,ij->j", "ij,ij", "ij,ij->ji", "...,...->...", "...i,...i"):
        mine = np.einsum(subscripts, Value(x), y)
        np.testing.assert_allclose(mine.data, np.einsum(subscripts, x, y))
        check_gradients(lambda x, y, s=subscripts: np.einsum(s, x, y), x, y)


SQUARE, WIDE, VECTOR = Value(np.zeros((2, 2))), Value(np.zeros((2, 3))), Value(np.zeros(2))

REFUSED = (
    (DomainError, lambda: np.linalg.inv(SQUARE), "Singular"),
    (DomainError, lambda: np.linalg.solve(SQUARE, VECTOR), "Singular"),
    (DomainError, np.linalg.slogdet(SQUARE).logabsdet.backward, "Singular"),
    (DomainError, lambda: np.linalg.cholesky(SQUARE), "not positive definite"),
    (ShapeError, lambda: np.linalg.inv(WIDE), r"^inv of shape \(2, 3\)\n.*takes a square matrix"),
    (ShapeError, lambda: np.linalg.inv(WIDE[None]), r"^inv of shape \(1, 2, 3\)\n.*takes a square"),
    (ShapeError, lambda: np.linalg.svd(VECTOR), "stack"),
    (ShapeError, lambda: np.linalg.solve(SQUARE, WIDE.T), "row for each equation"),
    (UnsupportedError, lambda: np.linalg.svd(WIDE), "full_matrices=False"),
    (UnsupportedError, lambda: np.linalg.eigh(SQUARE, UPLO="U"), "UPLO"),
    (DomainError, lambda: np.linalg.norm(VECTOR, "fro"), "norm of matrices"),
    (DomainError, lambda: np.linalg.norm(SQUARE, 3), "no such norm"),
    (ShapeError, lambda: np.linalg.norm(SQUARE, axis=(0, 0)), "twice"),
    (ShapeError, lambda: np.linalg.norm(SQUARE[None], 2), "3 axes"),
    (ShapeError, lambda: np.linalg.norm(SQUARE[None], axis=(0, 1, 2)), "3 axes with ord=None"),
    (IndexRangeError, lambda: np.linalg.norm(SQUARE, axis=2), "no such axis"),
    (ShapeError, lambda: np.dot(WIDE, WIDE), "must equal"),
    (ShapeError, lambda: np.tensordot(WIDE, WIDE, 1), "equal in number and length"),
    (ShapeError, lambda: np.inner(WIDE, WIDE.T), "equal in number and length"),
    (IndexRangeError, lambda: np.trace(VECTOR), "no such axis"),
    (ShapeError, lambda: np.cross(VECTOR, VECTOR), "3 components"),
    (ShapeError, lambda: np.einsum("ij", VECTOR), "1 axes of operand 0"),
    (ShapeError, lambda: np.einsum("i,j", VECTOR), "2 terms for 1 operand"),
    (ShapeError, lambda: np.einsum("ij->k", WIDE), "each once"),
    (ShapeError, lambda: np.einsum("ij->ii", WIDE), "each once\n  write: one letter for"),
    (ShapeError, lambda: np.einsum("i->i", WIDE), "'i' does not name the 2 axes of operand 0"),
    (ShapeError, lambda: np.einsum("...ij->...", VECTOR), "does not name the 1 axes"),
    (ShapeError, lambda: np.einsum("i......->i", VECTOR), "does not name the 1 axes"),
    (ShapeError, lambda: np.einsum("i->i......", VECTOR), "each once"),
    (ShapeError, lambda: np.einsum("i......->i", Value(np.zeros((2,) * 4))), "letters a to z"),
    (ShapeError, lambda: np.einsum("i1->i", WIDE), "letters"),
    (ShapeError, lambda: np.einsum("ii", WIDE), "differ in length"),
    (ShapeError, lambda: np.einsum("ij,ji", WIDE, WIDE), "index . is . long in one operand, "),
    (ShapeError, lambda: np.einsum("...,...", VECTOR, WIDE), "an axis of '...' is 2 long in one"),
    (ShapeError, lambda: np.einsum("...i->i", WIDE), "no '...'"),
    (UnsupportedError, lambda: np.einsum(WIDE, [0, 1]), "letters"),
)


@pytest.mark.parametrize(("error", "call", "words"), REFUSED)
def test_refuses(error, call, words):
    with pytest.raises(error, match=words):
        call()
