"""Functions of NumPy that are composed of others in a line or two.

`COMPOSED` at the end names them all; the signatures have those options that are supported.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from .. import watching
from ..data import Axis, DTypeLike, Function, Operand, Result, Tree, dtype_of, shape_of
from ..errors import ShapeError
from ..graph import Node, as_operand, node_in, plain
from ..messages import describe
from ..primitives import elementwise, indexing
from ..primitives.elementwise import equal, greater, where
from . import products, statistics
from .rearranging import (
    axis_numbers,
    broadcast_to,
    concatenate,
    getitem,
    moving,
    permuting,
    ravel,
    reshape,
    size_of,
    transpose,
    whole_numbers,
)

# Element by element


def rint(x: Operand) -> Result:
    """Return x rounded to whole numbers, half to even; its derivative is 0."""
    return elementwise.round(x, decimals=0)


def trunc(x: Operand) -> Result:
    """Return x rounded towards 0; its derivative is 0."""
    return where(greater(x, 0.0), elementwise.floor(x), elementwise.ceil(x))


def fmod(x: Operand, y: Operand) -> Result:
    """Return what remains of x after division by y, with the sign of x."""
    x, y = as_operand(x), elementwise.absolute(y)
    return where(greater(0.0, x), -elementwise.mod(-x, y), elementwise.mod(x, y))


def divmod(x: Operand, y: Operand) -> tuple[Result, Result]:
    """Return the quotient of x and y, rounded down, and what remains."""
    return elementwise.floor_divide(x, y), elementwise.mod(x, y)


def copysign(x: Operand, y: Operand) -> Result:
    """Return x with the sign of y."""
    size = elementwise.absolute(x)
    return where(np.signbit(_looked_at(y, "np.copysign()")), -size, size)


def nan_to_num(
    x: Operand, *, nan: Operand = 0.0, posinf: Operand = None, neginf: Operand = None
) -> Result:
    """Return x with numbers for NaN and for infinities: the largest there are, if none is given."""
    x = as_operand(x)
    largest = np.finfo(getattr(x, "dtype", np.float64)).max
    x = where(equal(x, x), x, nan)
    x = where(equal(x, np.inf), largest if posinf is None else posinf, x)
    return where(equal(x, -np.inf), -largest if neginf is None else neginf, x)


def select(
    condlist: Sequence[Operand], choicelist: Sequence[Operand], default: Operand = 0
) -> Result:
    """Return the choice that belongs to the first condition that holds; the default for none."""
    pairs = list(zip(condlist, choicelist, strict=True))
    return reduce(lambda rest, pair: where(pair[0], pair[1], rest), reversed(pairs), default)


def full_like(
    a: Operand, fill_value: Operand, dtype: DTypeLike | None = None, **options: Any
) -> Result:
    """Return one number, or an array, in each place of an array like a."""
    if node_in(fill_value) is None:
        data = plain(a)
        return np.full_like(data, fill_value, dtype, **options)
    dtype = np.result_type(a) if dtype is None else dtype
    filled = broadcast_to(as_operand(fill_value), np.shape(a))
    return elementwise.astype(filled, dtype=np.dtype(dtype)) if np.shape(a) else filled


def linspace(start: Operand, stop: Operand, num: int = 50, endpoint: bool = True) -> Result:
    """Return numbers that divide the way from start to stop evenly, along the first axis."""
    start, stop = as_operand(start), as_operand(stop)
    dtypes = [dtype for x in (start, stop) if (dtype := dtype_of(x)) is not None]
    steps = np.linspace(0.0, 1.0, num, endpoint, dtype=np.result_type(*dtypes or [np.dtype(float)]))
    steps = steps.reshape(-1, *[1] * max(len(shape_of(start)), len(shape_of(stop))))
    return start * (1.0 - steps) + stop * steps


# Sums and products


def average(a: Operand, axis: Axis = None, weights: Operand = None) -> Result:
    """Return the weighted mean over an axis, or all (None); weights of a's shape, or an axis'."""
    a = as_operand(a)
    if weights is None:
        return statistics.mean(a, axis)
    weights, shape = as_operand(weights), shape_of(a)
    if shape_of(weights) != shape:
        axes = () if axis is None else axis_numbers(axis, len(shape), "average")
        if not axes or shape_of(weights) != tuple([shape[i] for i in axes]):
            raise ShapeError(
                f"average of {describe(a)} over axis {axis} with weights of {describe(weights)}",
                "each element needs a weight, or each place along the axis",
                "weights of the shape of a; or those of one axis, with that axis",
            )
        weights = transpose(weights, np.argsort(axes))
        weights = reshape(weights, [n if i in axes else 1 for i, n in enumerate(shape)])
        weights = broadcast_to(weights, shape)
    return statistics.sum(a * weights, axis) / statistics.sum(weights, axis)


def polyval(p: Operand, x: Operand) -> Result:
    """Return the polynomial with coefficients p, those of the highest power first, at x."""
    p, x = as_operand(p), as_operand(x)
    return reduce(lambda y, c: y * x + c, [getitem(p, i) for i in range(size_of(p))], 0.0 * x)


def vander(x: Operand, n: int | None = None, increasing: bool = False) -> Result:
    """Return the matrix of the powers of x, a row for each number, the highest power first."""
    x = as_operand(x)
    powers = np.arange(size_of(x) if n is None else n, dtype=float)
    return elementwise.power(reshape(x, (-1, 1)), powers if increasing else powers[::-1])


def cov(
    m: Operand, y: Operand = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None
) -> Result:
    """Return the covariances of variables, the rows of m; of its columns if not rowvar."""
    rows = _variables(m, rowvar)
    if y is not None:
        rows = concatenate([rows, _variables(y, rowvar)])
    distance = rows - statistics.mean(rows, 1, keepdims=True)
    count = shape_of(rows)[1] - ((0 if bias else 1) if ddof is None else ddof)
    covariances = products.matmul(distance, transpose(distance)) / count
    return getitem(covariances, (0, 0)) if shape_of(covariances) == (1, 1) else covariances


def _variables(m: Operand, rowvar: bool) -> Result:
    m = as_operand(m)
    if len(shape_of(m)) < 2:
        return reshape(m, (1, -1))
    return m if rowvar else transpose(m)


def corrcoef(x: Operand, y: Operand = None, rowvar: bool = True) -> Result:
    """Return the correlations of variables, the rows of x; of its columns if not rowvar."""
    covariances = cov(x, y, rowvar)
    if not shape_of(covariances):
        return covariances / covariances
    deviations = elementwise.sqrt(np.diagonal(covariances))
    return covariances / reshape(deviations, (-1, 1)) / deviations


def bincount(x: Operand, weights: Operand = None, minlength: int = 0) -> Result:
    """Return how often each whole number occurs in x, or the sum of the weights at each."""
    places = _looked_at(x, "np.bincount()")
    places = whole_numbers(x) if isinstance(x, Node) else np.asarray(places)
    counts = np.bincount(places, None, minlength)
    if weights is None:
        return counts
    return indexing.scatter(as_operand(weights), index=places, shape=counts.shape)


def vecdot(x1: Operand, x2: Operand, axis: int = -1) -> Result:
    """Return the sum of products along an axis."""
    return statistics.sum(as_operand(x1) * as_operand(x2), axis)


def matvec(x1: Operand, x2: Operand) -> Result:
    """Return the products of matrices with vectors, the last axis of x2."""
    return getitem(products.matmul(x1, getitem(as_operand(x2), (..., None))), (..., 0))


def vecmat(x1: Operand, x2: Operand) -> Result:
    """Return the products of vectors, the last axis of x1, with matrices."""
    return getitem(
        products.matmul(getitem(as_operand(x1), (..., None, slice(None))), x2),
        (..., 0, slice(None)),
    )


def multi_dot(arrays: Sequence[Operand]) -> Result:
    """Return the product of several matrices, from left to right."""
    return reduce(products.dot, arrays)


# Elements in other places


def append(arr: Operand, values: Operand, axis: int | None = None) -> Result:
    """Return an array with values behind it, along an axis; None: both ravelled."""
    return concatenate([as_operand(arr), as_operand(values)], axis)


def ediff1d(ary: Operand) -> Result:
    """Return the differences of neighbours in the ravelled array."""
    return statistics.diff(ravel(ary))


def block(arrays: Tree) -> Result:
    """Return the array made of nested lists of blocks: the innermost side by side."""
    depth, part = 0, arrays
    while isinstance(part, list):
        depth, part = depth + 1, part[0]
    leaves = _leaves(arrays)
    ndim = max(depth, *[len(shape_of(leaf)) for leaf in leaves])

    def join(part: Tree, axis: int) -> Result:
        if isinstance(part, list):
            return concatenate([join(each, axis + 1) for each in part], axis)
        shape = shape_of(part := as_operand(part))
        return reshape(part, (*[1] * (ndim - len(shape)), *shape))

    return join(arrays, -depth)


def _leaves(arrays: Tree) -> list[Operand]:
    if not isinstance(arrays, list):
        return [as_operand(arrays)]
    return [leaf for part in arrays for leaf in _leaves(part)]


def compress(condition: Operand, a: Operand, axis: int | None = None) -> Result:
    """Return the slices of a along an axis, or its elements (None), where a condition holds."""
    (places,) = np.nonzero(np.asarray(condition))
    return np.take(as_operand(a), places, axis=axis)


def extract(condition: Operand, arr: Operand) -> Result:
    """Return the elements of an array where a condition holds."""
    return compress(np.ravel(condition), ravel(arr))


def unique(
    ar: Operand,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
) -> Result:
    """Return the different numbers of an array in ascending order; and where and how often."""
    data = _looked_at(ar, "np.unique()")
    _, index, *others = np.unique(data, True, return_inverse, return_counts)  # type: ignore[call-overload]
    numbers = getitem(ravel(ar), index)
    others = [index, *others] if return_index else others
    return (numbers, *others) if others else numbers


def _looked_at(x: Operand, how: str) -> Result:
    """Return the data of a Value that decides about positions, unless they would be frozen."""
    if isinstance(x, Node):
        watching.taking(x, how)
    return plain(x)


def matrix_transpose(x: Operand) -> Result:
    """Return x with its last two axes exchanged."""
    return permuting(np.swapaxes)(x, -1, -2)


COMPOSED: dict[Function, Function] = {
    np.rint: rint,
    np.fix: trunc,
    np.trunc: trunc,
    np.fmod: fmod,
    np.divmod: divmod,
    np.copysign: copysign,
    np.conjugate: elementwise.identity,
    np.real: elementwise.identity,
    np.copy: elementwise.identity,
    np.nan_to_num: nan_to_num,
    np.select: select,
    np.full_like: full_like,
    np.linspace: linspace,
    np.average: average,
    np.polyval: polyval,
    np.vander: vander,
    np.cov: cov,
    np.corrcoef: corrcoef,
    np.bincount: bincount,
    np.linalg.multi_dot: multi_dot,
    np.append: append,
    np.ediff1d: ediff1d,
    np.block: block,
    np.compress: compress,
    np.extract: extract,
    np.unique: unique,
    np.diagflat: moving(np.diagflat),
    np.take_along_axis: moving(np.take_along_axis),
    np.resize: moving(np.resize),
    np.vecdot: vecdot,
    np.linalg.matmul: products.matmul,
    np.linalg.outer: products.outer,
    np.linalg.tensordot: products.tensordot,
    np.linalg.cross: products.cross,
    np.linalg.vecdot: vecdot,
    np.matrix_transpose: matrix_transpose,
    np.linalg.matrix_transpose: matrix_transpose,
}
# NumPy 2.2 and later
COMPOSED |= {
    getattr(np, name): ours
    for name, ours in {"matvec": matvec, "vecmat": vecmat}.items()
    if hasattr(np, name)
}
