"""Decompositions of matrices: cholesky, eigh, svd.

Rows are read as in elementwise.py. Leading axes, as in NumPy, count matrices of a stack. What has
several results packs them into one array: eigh the row of eigenvalues over the eigenvectors, svd
U over the row of singular values over V.
"""

import math

import numpy as np

from ..data import Array, Operand, Result, dtype_of, shape_of
from ..errors import DomainError
from ..graph import Primitive
from ..messages import describe
from . import reductions
from .elementwise import absolute, equal, greater, reciprocal, where
from .indexing import getitem
from .linear_algebra import matrix_transpose, solve
from .shapes import concatenate


def _rows(x: Operand, start: int | None, stop: int | None) -> Result:
    return getitem(x, index=(..., slice(start, stop), slice(None)))


def _inverse_or_zero(x: Operand) -> Result:
    """Return 1 / x, and 0 where x is 0."""
    zero = equal(x, 0.0)
    return where(zero, 0.0, reciprocal(x + zero))


def _cholesky(x: Array) -> Array:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        raise DomainError(
            f"cholesky of {describe(x)}",
            "a matrix is not positive definite: x @ a @ x > 0 must hold for all x other than 0",
            "a + 1e-6 * np.eye(n), if rounding is to blame; or eigh, which takes any symmetric a",
        ) from None


def _cholesky_rule(g: Operand, out: Operand) -> Result:
    n = shape_of(out)[-1]
    upper = matrix_transpose(out)
    inner = (upper @ g) * (np.tril(np.ones((n, n))) - np.eye(n) / 2)
    return matrix_transpose(solve(upper, matrix_transpose(solve(upper, inner))))


def _packed_eigh(x: Array) -> Array:
    values, vectors = np.linalg.eigh(x)
    return np.concatenate((values[..., None, :], vectors), -2)


def unpack_eigh(x: Operand) -> tuple[Result, Result]:
    """Return from x, packed by `eigh`, the eigenvalues as a row and the eigenvectors."""
    values = _rows(x, None, 1)
    return values, determined(_rows(x, 1, None), values)


def _if_distinct(g: Operand, values: Operand) -> Result:
    """Return g, and NaN for each matrix two of whose values, in a row, are equal to rounding."""
    n = shape_of(values)[-1]
    if n < 2:
        return g
    gaps = absolute(values - matrix_transpose(values)) + np.diag(np.full(n, math.inf))
    smallest = reductions.min(gaps, axis=(-2, -1), keepdims=True)
    rounding = 4 * n * float(np.finfo(dtype_of(values)).eps)
    rounding = rounding * reductions.max(absolute(values), axis=(-2, -1), keepdims=True)
    return where(greater(smallest, rounding), g, math.nan)


def _eigh_rule(g: Operand, out: Operand) -> Result:
    values, vectors = unpack_eigh(out)
    turn = matrix_transpose(vectors) @ _rows(g, 1, None)
    turn = turn * _inverse_or_zero(values - matrix_transpose(values))
    stretch = _rows(g, None, 1) * np.eye(shape_of(out)[-1])
    return vectors @ (turn + stretch) @ matrix_transpose(vectors)


def _packed_svd(x: Array) -> Array:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.concatenate((u, s[..., None, :], matrix_transpose(vh)), -2)


def unpack_svd(x: Operand, m: int) -> tuple[Result, Result, Result]:
    """Return from x, packed by `svd` of an m by n matrix, U, the singular values as a row, V."""
    u, s, v = _rows(x, None, m), _rows(x, m, m + 1), _rows(x, m + 1, None)
    zero = 0.0 * getitem(s, index=(..., slice(1)))  # of the vectors that complete a longer basis

    def determined_by(basis: Operand) -> Result:
        is_whole = shape_of(basis)[-2] == shape_of(s)[-1]
        return determined(basis, s if is_whole else concatenate(s, zero, axis=-1))

    return determined_by(u), s, determined_by(v)


def _svd_rule(g: Operand, out: Operand, x: Operand) -> Result:
    m, n = shape_of(x)[-2:]
    u, s, v = unpack_svd(out, m)
    g_u, g_s, g_v = _rows(g, None, m), _rows(g, m, m + 1), _rows(g, m + 1, None)
    across = matrix_transpose(s)
    inverse_gaps = _inverse_or_zero((s - across) * (s + across))

    def turn(basis: Operand, g_basis: Operand) -> Result:
        product = matrix_transpose(basis) @ g_basis
        return inverse_gaps * (product - matrix_transpose(product))

    inner = turn(u, g_u) * s + across * turn(v, g_v) + g_s * np.eye(min(m, n))
    cotangent = u @ inner @ matrix_transpose(v)
    if m > n:  # what leaves the span of U
        leaving = (g_u - u @ (matrix_transpose(u) @ g_u)) * _inverse_or_zero(s)
        cotangent = cotangent + leaving @ matrix_transpose(v)
    if n > m:
        leaving = (g_v - v @ (matrix_transpose(v) @ g_v)) * _inverse_or_zero(s)
        cotangent = cotangent + u @ matrix_transpose(leaving)
    return cotangent


# fmt: off
cholesky: Primitive = Primitive("cholesky", _cholesky,
    lambda g, out, x: _cholesky_rule(g, out),  # for symmetric x
    within_matrices=True)
eigh: Primitive = Primitive("eigh", _packed_eigh,
    lambda g, out, x: _eigh_rule(g, out),  # for symmetric x; without the turning of equal ones
    within_matrices=True)
svd: Primitive = Primitive("svd", _packed_svd,
    lambda g, out, x: _svd_rule(g, out, x),
    within_matrices=True)
# Vectors, in columns, that belong to a row of values. Those of equal values are any basis of their
# space, and what is computed from them does not determine its derivative: it is NaN
determined: Primitive = Primitive("determined", lambda x, values: x,
    lambda g, out, x, values: _if_distinct(g, values),
    None,
    within_matrices=True)
# fmt: on
