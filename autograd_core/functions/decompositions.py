"""Norms, determinants, inverses and decompositions, with the names and signatures of np.linalg.

Axes before the last two count a stack of matrices, as in NumPy.
"""

import math
import operator
from collections import namedtuple
from functools import partial
from typing import Any

import numpy as np

from ..data import Axis, Function, Operand, Result, shape_of
from ..errors import DomainError, ShapeError, UnsupportedError
from ..graph import as_operand
from ..messages import describe
from ..primitives import decompositions as primitives
from ..primitives import linear_algebra, reductions, shapes
from ..primitives.elementwise import absolute, equal, greater, power, square, where
from ..primitives.indexing import getitem
from ..primitives.linear_algebra import matrix_transpose
from .rearranging import axis_numbers

# The named tuples that NumPy returns
SlogdetResult = namedtuple("SlogdetResult", ["sign", "logabsdet"])
EighResult = namedtuple("EighResult", ["eigenvalues", "eigenvectors"])
SVDResult = namedtuple("SVDResult", ["U", "S", "Vh"])


def _matrices(x: Operand, name: str, square: bool = True) -> Result:
    """Return x as an operand, after a check of its shape."""
    x = as_operand(x)
    shape = shape_of(x)
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        raise ShapeError(
            f"{name} of {describe(x)}",
            f"it takes a {'square ' if square else ''}matrix, or a stack of them",
            "shape (..., n, n)" if square else "shape (..., m, n): x[:, None] makes a column",
        )
    return x


def _symmetrized(x: Operand, name: str) -> Result:
    x = _matrices(x, name)
    return (x + matrix_transpose(x)) / 2


def norm(
    x: Operand, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> Result:
    """Return a norm of vectors along one axis, or of matrices in two; at 0 its gradient is 0.

    Args:    x: an array or a number.
             ord: None: the root of the sum of squares. For vectors: any p, for the p-th root of
             the sum of |x|**p; 0, the count of nonzero elements; inf or -inf, the largest or
             smallest |x|. For matrices: 'fro'; 'nuc', 2 and -2, the sum, largest and smallest of
             the singular values; 1 and -1 (inf and -inf), the largest and smallest sum of |x|
             in a column (row).
             axis: an integer: vectors; two: matrices; None: all of x.
             keepdims: keep the axes of the vectors or matrices, with length 1.
    Returns: one norm for each vector or matrix.
    Raises:  DomainError: there is no such norm. IndexRangeError, ShapeError: the axes do not fit.
    Example: >>> norm([3.0, 4.0]), norm([[1.0, 2.0], [3.0, 4.0]], 1)
             (5.0, 6.0)
    """
    x = as_operand(x)
    ndim = len(shape_of(x))
    axes = tuple(range(ndim)) if axis is None else axis_numbers(axis, ndim, "norm")
    if ord is None and (axis is None or len(axes) <= 2):
        return reductions.norm(x, axis=axes, keepdims=keepdims)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ShapeError(
        f"norm of {describe(x)} over {len(axes)} axes with ord={ord}",
        "vectors lie along one axis, matrices in two",
        "axis=-1 for vectors, axis=(-2, -1) for matrices; ord=None for all elements",
    )


def _vector_norm(x: Operand, ord: Any, axis: int, keepdims: bool) -> Result:
    if isinstance(ord, str):
        given = f"norm with ord={ord!r} of vectors"
        raise DomainError(given, "it is a norm of matrices", "ord=None, inf, -inf or a number")
    if ord == 2:
        return reductions.norm(x, axis=axis, keepdims=keepdims)
    size = absolute(x)
    if ord == math.inf:
        return reductions.max(size, axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return reductions.min(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        size = greater(size, 0.0)
    if ord in (0, 1):
        return shapes.sum(size, axis=axis, keepdims=keepdims)
    # Zeros go another way round than through the power, whose derivative at 0 may be infinite
    zero = equal(size, 0.0)
    powers = where(zero, 0.0 if ord > 0 else math.inf, power(size + zero, ord))
    total = shapes.sum(powers, axis=axis, keepdims=keepdims)
    # The root in two steps: where the sum overflows, one slope is inf, the other 0: NaN together
    return square(power(total, 0.5 / ord))


def _sums(x: Operand, axis: int) -> Result:
    return shapes.sum(absolute(x), axis=axis, keepdims=False)


def _sizes(x: Operand) -> Result:
    """Return the singular values, none of which is negative; at 0 their derivative is 0."""
    return absolute(svd(x, compute_uv=False))


_largest = partial(reductions.max, axis=-1, keepdims=False)
_smallest = partial(reductions.min, axis=-1, keepdims=False)
_MATRIX_NORMS: dict[float | str, Function] = {
    "fro": lambda x: reductions.norm(x, axis=(-2, -1), keepdims=False),
    "nuc": lambda x: shapes.sum(_sizes(x), axis=-1, keepdims=False),
    2: lambda x: _largest(_sizes(x)),
    -2: lambda x: _smallest(_sizes(x)),
    1: lambda x: _largest(_sums(x, -2)),
    -1: lambda x: _smallest(_sums(x, -2)),
    math.inf: lambda x: _largest(_sums(x, -1)),
    -math.inf: lambda x: _smallest(_sums(x, -1)),
}


def _matrix_norm(
    x: Operand, ord: float | str | None, axes: tuple[int, ...], keepdims: bool
) -> Result:
    if ord not in _MATRIX_NORMS:
        given = f"norm with ord={ord!r} of matrices"
        known = "ord='fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        raise DomainError(given, "there is no such norm", known)
    shape = shape_of(x)
    rest = [i for i in range(len(shape)) if i not in axes]
    out = _MATRIX_NORMS[ord](shapes.transpose(x, axes=(*rest, *axes)))
    if keepdims:
        kept = tuple([1 if i in axes else n for i, n in enumerate(shape)])
        return shapes.reshape(out, shape=kept)
    return out


def det(a: Operand) -> Result:
    """Return the determinant; its gradient, the cofactors, is exact for singular matrices, too.

    Second derivatives cost n**2 determinants; those of `slogdet` are cheaper.

    Args:    a: shape (..., n, n).
    Returns: shape (...).
    Raises:  ShapeError: the matrices are not square.
    Example: >>> det([[1.0, 2.0], [3.0, 4.0]])
             -2.0
    """
    return linear_algebra.det(_matrices(a, "det"))


def slogdet(a: Operand) -> SlogdetResult:
    """Return the sign of the determinant and the logarithm of its absolute value.

    The sign has derivative 0; that of the logarithm is the transposed inverse.

    Args:    a: shape (..., n, n).
    Returns: `sign` and `logabsdet`, of shape (...).
    Raises:  ShapeError: the matrices are not square. DomainError: the derivative at a singular
             matrix.
    """
    a = _matrices(a, "slogdet")
    return SlogdetResult(linear_algebra.sign_det(a), linear_algebra.log_abs_det(a))


def inv(a: Operand) -> Result:
    """Return the inverse.

    Args:    a: shape (..., n, n).
    Returns: shape (..., n, n).
    Raises:  ShapeError: the matrices are not square. DomainError: one is singular.
    """
    return linear_algebra.inv(_matrices(a, "inv"))


def solve(a: Operand, b: Operand) -> Result:
    """Return the x for which a @ x = b.

    Args:    a: shape (..., n, n).
             b: a vector of shape (n,), or matrices of shape (..., n, k), column by column.
    Returns: shape (..., n) for a vector, else (..., n, k).
    Raises:  ShapeError: a is not square, or b has another number of rows. DomainError: a is
             singular.
    Example: >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
             array([1. , 0.5])
    """
    a, b = _matrices(a, "solve"), as_operand(b)
    n, rows = shape_of(a)[-1], shape_of(b)[-2:][:1]
    if rows != (n,):
        raise ShapeError(
            f"solve of {n} equations with a right-hand side of {describe(b)}",
            "it needs a row for each equation",
            f"shape ({n},) or (..., {n}, k); b[..., None] for a stack of vectors",
        )
    return linear_algebra.solve(a, b)


def pinv(a: Operand, rcond: float | None = None, *, rtol: float | None = None) -> Result:
    """Return the pseudoinverse; its derivative holds as long as the rank stays the same.

    Args:    a: shape (..., m, n).
             rcond, rtol: singular values below this part of the largest count as 0; 1e-15.
    Returns: shape (..., n, m).
    Raises:  ShapeError: a has fewer than two axes.
    """
    a = _matrices(a, "pinv", square=False)
    return linear_algebra.pinv(a, rcond=rcond if rtol is None else rtol)


def matrix_power(a: Operand, n: int) -> Result:
    """Return the matrix product of n factors a; for a negative n, of -n inverses.

    Args:    a: shape (..., m, m).
             n: an integer.
    Returns: shape (..., m, m).
    Raises:  ShapeError: the matrices are not square. DomainError: one is singular, and n negative.
    Example: >>> matrix_power([[1.0, 1.0], [0.0, 1.0]], 5)
             array([[1., 5.],
                    [0., 1.]])
    """
    a, n = _matrices(a, "matrix_power"), operator.index(n)
    if n < 0:
        return matrix_power(linear_algebra.inv(a), -n)
    if n == 0:
        return where(0.0, a, np.eye(shape_of(a)[-1]))
    if n == 1:
        return a
    half = matrix_power(a, n // 2)
    square = linear_algebra.matmul(half, half)
    return linear_algebra.matmul(square, a) if n % 2 else square


def cholesky(a: Operand, *, upper: bool = False) -> Result:
    """Return the lower triangular matrix L for which L @ L.T is the symmetric a.

    What is decomposed is (a + a.T) / 2, so that the gradient is exact for every element of a.

    Args:    a: shape (..., n, n), symmetric and positive definite.
             upper: return L.T.
    Returns: shape (..., n, n).
    Raises:  ShapeError: the matrices are not square. DomainError: one is not positive definite.
    """
    out = primitives.cholesky(_symmetrized(a, "cholesky"))
    return matrix_transpose(out) if upper else out


def eigh(a: Operand) -> EighResult:
    """Return eigenvalues and eigenvectors of the symmetric a.

    What is decomposed is (a + a.T) / 2, so that the gradient is exact for every element of a.
    Vectors of equal eigenvalues are any basis of their space: what uses them has derivative NaN
    there, as in JAX, and what uses eigenvalues alone has its own. Eigenvalues that differ by a part
    d of the largest leave about 16 + log10(d) digits.

    Args:    a: shape (..., n, n), symmetric.
    Returns: `eigenvalues`, shape (..., n), ascending, and `eigenvectors`, as columns, (..., n, n).
    Raises:  ShapeError: the matrices are not square.
    Example: >>> eigh([[2.0, 0.0], [0.0, 1.0]]).eigenvalues
             array([1., 2.])
    """
    values, vectors = primitives.unpack_eigh(primitives.eigh(_symmetrized(a, "eigh")))
    return EighResult(getitem(values, index=(..., 0, slice(None))), vectors)


def eigvalsh(a: Operand) -> Result:
    """Return the eigenvalues of the symmetric a, in ascending order; see `eigh`."""
    return eigh(a).eigenvalues


def svd(a: Operand, full_matrices: bool = True, compute_uv: bool = True) -> Result:
    """Return the singular value decomposition a = U @ diag(S) @ Vh.

    Vectors of equal singular values, and those of 0 where a is not square, are any basis of their
    space: what uses them has derivative NaN there, as in JAX; what uses S alone has its own.

    Args:    a: shape (..., m, n); k is the smaller of m and n.
             full_matrices: as in NumPy; only False, if m and n differ.
             compute_uv: False: return S alone.
    Returns: `U`, shape (..., m, k), `S`, shape (..., k), descending, and `Vh`, shape (..., k, n).
    Raises:  UnsupportedError: full matrices of one that is not square. ShapeError: a has fewer
             than two axes.
    """
    a = _matrices(a, "svd", square=False)
    m, n = shape_of(a)[-2:]
    if compute_uv and full_matrices and m != n:
        raise UnsupportedError(
            f"svd of {describe(a)} with full matrices",
            "the columns that complete U or V are arbitrary, and have no derivative",
            "np.linalg.svd(a, full_matrices=False)",
        )
    u, s, v = primitives.unpack_svd(primitives.svd(a), m)
    s = getitem(s, index=(..., 0, slice(None)))
    return SVDResult(u, s, matrix_transpose(v)) if compute_uv else s
