"""Products, inverses and determinants of matrices.

Rows are read as in elementwise.py. Leading axes, as in NumPy, count matrices of a stack.
"""

import math
from typing import Any

import numpy as np

from ..data import Array, Operand, Result, shape_of
from ..errors import ShapeError
from ..graph import Primitive
from .elementwise import multiply
from .indexing import getitem, scatter
from .shapes import reshape, transpose


def _matmul(x: Array, y: Array) -> Array:
    try:
        if x.ndim == 2 == y.ndim:
            return x.dot(y)  # the same as matmul, and half a microsecond sooner
        return np.matmul(x, y)
    except (AttributeError, ValueError):  # a number has no ndim
        raise _misaligned(shape_of(x), shape_of(y)) from None


def _misaligned(x: tuple[int, ...], y: tuple[int, ...]) -> ShapeError:
    given = f"matmul of shape {x} and shape {y}"
    if not x or not y:
        return ShapeError(given, "a number has no axis to sum over", "x * y")
    rows = max(len(y) - 2, 0)
    if x[-1] != y[rows]:
        return ShapeError(
            given,
            f"axis {len(x) - 1} of the first, {x[-1]}, must equal axis {rows} of the second, "
            f"{y[rows]}",
            "x @ y.T, x.T @ y, or other shapes: (batch, features) @ (features, units)",
        )
    return ShapeError(given, "the axes before the last two do not broadcast", "equal stacks")


def matrix_transpose(x: Operand) -> Result:
    """Swap the last two axes."""
    ndim = len(x.shape)
    return x.T if ndim == 2 else transpose(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


def _column(x: Operand) -> Result:
    return getitem(x, index=(..., None))


def _row(x: Operand) -> Result:
    return getitem(x, index=(..., None, slice(None)))


def _over_matrices(x: Operand) -> Result:
    """Give one number for each matrix of a stack the axes of the matrices."""
    return getitem(x, index=(..., None, None))


def _matmul_left(g: Operand, x: Operand, y: Operand) -> Result:
    if len(y.shape) == 1:
        return multiply(_column(g) if shape_of(g) else g, y)
    if len(x.shape) == 1:
        return getitem(matmul(y, _column(g)), index=(..., 0))
    return g @ matrix_transpose(y)


def _matmul_right(g: Operand, x: Operand, y: Operand) -> Result:
    if len(x.shape) == 1:
        return multiply(_column(x), _row(g)) if shape_of(g) else multiply(g, x)
    if len(y.shape) == 1:
        return getitem(matmul(_row(g), x), index=(..., 0, slice(None)))
    return matrix_transpose(x) @ g


def _flat(x: Operand) -> Result:
    """Return x as a matrix, whose rows are along its last axis."""
    *rows, columns = shape_of(x)
    return x if len(rows) == 1 else reshape(x, shape=(math.prod(rows), columns))


def _einsum(*operands: Array, subscripts: str, optimize: Any = True) -> Array:
    dtype = np.result_type(*operands)  # a number takes the type of the arrays
    operands = tuple([np.asarray(x, dtype) for x in operands])
    return np.einsum(subscripts, *operands, optimize=optimize)


def _einsum_rule(
    i: int, g: Operand, operands: tuple[Operand, ...], *, subscripts: str, **options: Any
) -> Result:
    """Let the output and operand i change places: sum g with all the others."""
    left, output = subscripts.split("->")
    terms = left.split(",")
    terms[i], output = output, terms[i]
    operands = (*operands[:i], g, *operands[i + 1 :])
    return einsum(*operands, subscripts=f"{','.join(terms)}->{output}", **options)


def _solve_transposed(g: Operand, x: Operand, y: Operand) -> Result:
    if len(shape_of(y)) == 1:
        return getitem(solve(matrix_transpose(x), _column(g)), index=(..., 0))
    return solve(matrix_transpose(x), g)


def _solve_left(g: Operand, out: Operand, x: Operand, y: Operand) -> Result:
    g = _solve_transposed(g, x, y)
    if len(shape_of(y)) == 1:
        return -(_column(g) * _row(out))
    return -(g @ matrix_transpose(out))


def _cofactor(x: Array) -> Array:
    """Return det(x) inv(x).T, by singular values: a singular matrix has cofactors, too.

    Rows and columns are first divided by powers of two, so that their largest elements are near 1:
    a singular value far below the others would be lost to rounding.
    """
    mantissas, exponents = np.frexp(x)
    rows = _largest_exponents(mantissas, exponents, -1)
    columns = _largest_exponents(mantissas, exponents - rows, -2)
    u, s, vh = np.linalg.svd(np.ldexp(mantissas, exponents - rows - columns))
    turns = np.linalg.det(u) * np.linalg.det(vh)
    others = _products_of_others(s)
    out = turns[..., None, None] * (u * others[..., None, :]) @ vh
    other_rows = np.sum(rows, -2, keepdims=True) - rows
    other_columns = np.sum(columns, -1, keepdims=True) - columns
    return np.ldexp(out, other_rows + other_columns)


def _largest_exponents(mantissas: Array, exponents: Array, axis: int) -> Array:
    least = -10_000  # of zeros: less than that of any float
    return np.max(np.where(mantissas, exponents, least), axis, keepdims=True, initial=least)


def _products_of_others(x: Array) -> Array:
    """Return for each number the product of all others along the last axis, by their exponents."""
    mantissas, exponents = np.frexp(x)
    is_itself = np.eye(x.shape[-1], dtype=bool)
    products = np.prod(np.where(is_itself, 1.0, mantissas[..., None, :]), -1)
    return np.ldexp(products, np.sum(exponents, -1, keepdims=True) - exponents)


def _cofactor_rule(g: Operand, x: Operand) -> Result:
    """Differentiate each cofactor: a signed determinant of x without row i and column j."""
    n = shape_of(x)[-1]
    others = np.nonzero(~np.eye(n, dtype=bool))[1].reshape(n, max(n - 1, 0))
    minors = (..., others[:, None, :, None], others[:, None, :])
    g = g * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    g = _over_matrices(g) * cofactor(getitem(x, index=minors))
    return scatter(g, index=minors, shape=shape_of(x))


def _pinv_rule(g: Operand, out: Operand, x: Operand) -> Result:
    p, q, g = out, matrix_transpose(out), matrix_transpose(g)
    beside = (g - x @ (p @ g)) @ p @ q  # (1 - x p) g p q
    above = q @ (p @ (g - (g @ p) @ x))  # q p g (1 - p x)
    return beside + above - q @ matrix_transpose(g) @ q


# fmt: off
# Products
matmul: Primitive = Primitive("matmul", _matmul,
    lambda g, out, x, y: _matmul_left(g, x, y),
    lambda g, out, x, y: _matmul_right(g, x, y),
    linear=True,
    into=np.matmul)
# x W^T, the sum over the last axes of x and of a matrix W, whose gradient has W's order in memory
inner: Primitive = Primitive("inner", lambda x, y: _matmul(x, y.T),
    lambda g, out, x, y: g @ y,
    lambda g, out, x, y: matrix_transpose(_flat(g)) @ _flat(x),
    linear=True,
    into=lambda x, y, out: np.matmul(x, y.T, out))
# an index occurs at most once in an operand, and also in the output or another operand
einsum: Primitive = Primitive("einsum", _einsum,
    each=lambda i, g, out, *operands, **params: _einsum_rule(i, g, operands, **params),
    linear=True)

# Inverses. y of solve is a vector if it has one axis, else a stack of matrices
inv: Primitive = Primitive("inv", np.linalg.inv,
    lambda g, out, x: -(matrix_transpose(out) @ g @ matrix_transpose(out)),
    within_matrices=True)
solve: Primitive = Primitive("solve", np.linalg.solve,
    lambda g, out, x, y: _solve_left(g, out, x, y),
    lambda g, out, x, y: _solve_transposed(g, x, y),
    within_matrices=True)
pinv: Primitive = Primitive("pinv", lambda x, *, rcond: np.linalg.pinv(x, rcond),
    # where the rank of x stays the same (Golub and Pereyra, 1973)
    lambda g, out, x, *, rcond: _pinv_rule(g, out, x),
    within_matrices=True)

# Determinants
cofactor: Primitive = Primitive("cofactor", _cofactor,
    # n * n determinants: expensive for large n, exact for any matrix
    lambda g, out, x: _cofactor_rule(g, x),
    within_matrices=True)
det: Primitive = Primitive("det", np.linalg.det,
    lambda g, out, x: _over_matrices(g) * cofactor(x),
    within_matrices=True)
log_abs_det: Primitive = Primitive("log_abs_det", lambda x: np.linalg.slogdet(x).logabsdet,
    lambda g, out, x: _over_matrices(g) * matrix_transpose(inv(x)),
    within_matrices=True)
sign_det: Primitive = Primitive("sign_det", lambda x: np.linalg.slogdet(x).sign, None)
# fmt: on
