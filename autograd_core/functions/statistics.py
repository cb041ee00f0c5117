"""Sums, means, extremes, running sums, sorting and choosing, with NumPy's names and signatures."""

import math
import operator
from collections.abc import Sequence

import numpy as np

from ..data import Axis, DTypeLike, Function, Operand, Result, dtype_of, shape_of
from ..errors import DataError, UnsupportedError
from ..graph import Node, as_operand
from ..messages import GradientWarning, warn_once
from ..primitives import elementwise, indexing, reductions, shapes
from ..primitives.elementwise import divide, equal, maximum, minimum
from .rearranging import axis_number, axis_numbers, ravel


def _axis(axis: Axis) -> Axis:
    if axis is None:
        return None
    if isinstance(axis, tuple | list):
        return tuple(operator.index(i) for i in axis)
    return operator.index(axis)


def count(x: Operand, axis: Axis) -> int:
    """Return how many numbers of x a reduction over `axis` makes into one."""
    shape = shape_of(x)
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in axis_numbers(axis, len(shape), "mean"))


def sum(
    x: Operand,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: object = None,
    where: object = None,
) -> Result:
    """Return the sum over an axis, several, or all (None)."""
    if not (dtype is out is initial is where is None):
        x = _in_type(np.sum, x, dtype, out=out, initial=initial, where=where)
    if axis is None:
        _check_pairs(x)
    return shapes.sum(x, axis=_axis(axis), keepdims=keepdims)


def prod(
    x: Operand,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: object = None,
    where: object = None,
) -> Result:
    """Return the product over an axis, several, or all (None); its derivatives allow for zeros."""
    if not (dtype is out is initial is where is None):
        x = _in_type(np.prod, x, dtype, out=out, initial=initial, where=where)
    return reductions.prod(x, axis=_axis(axis), keepdims=keepdims)


def mean(
    x: Operand,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    where: object = None,
) -> Result:
    """Return the arithmetic mean over an axis, several, or all (None)."""
    if not (dtype is out is where is None):
        x = _in_type(np.mean, x, dtype, out=out, where=where)
    return divide(sum(x, axis, keepdims=keepdims), count(x, axis))


def _in_type(function: Function, x: Operand, dtype: DTypeLike | None, **options: object) -> Operand:
    """Return x in the type that a reduction computes with.

    Raises:  DataError: a type that is not one of real numbers. UnsupportedError: another option.
    """
    called = f"np.{function.__name__}"
    for name, given in options.items():
        if given is not None:
            raise UnsupportedError(
                f"{called} of a Value: {name}=",
                "that option has no derivative rule here",
                f"{called}(np.where(mask, v, ...)), or {called}(v[mask])"
                if name == "where"
                else f"{called}(v), which makes a new Value; then what {name} says",
            )
    return x if dtype is None else in_type(as_operand(x), dtype)


def in_type(x: Operand, dtype: DTypeLike) -> Result:
    """Return x as float32 or float64.

    Raises:  DataError: the type is not one of real numbers.
    """
    if np.dtype(dtype).kind != "f":
        raise DataError(
            f"astype({np.dtype(dtype)}) of a Value",
            "a Value holds float32 or float64",
            "np.floor(v) or np.round(v) for whole numbers; v.data.astype(...) for plain ones",
        )
    return elementwise.astype(x, dtype=np.dtype(dtype))


# What a loss makes of the differences p - y before it adds them up
_OF_DIFFERENCES = (
    elementwise.square,
    elementwise.absolute,
    elementwise.power,
    elementwise.multiply,
)
_RESHAPING = (
    shapes.reshape,
    shapes.transpose,
    indexing.getitem,
)  # a column that is meant to broadcast


def _check_pairs(x: Operand) -> None:
    """Warn of a loss that adds up p - y of each prediction (n, 1) with each target (n,)."""
    shape = shape_of(x)
    if len(shape) != 2 or not 1 < shape[0] == shape[1]:
        return
    while isinstance(x, Node) and x.primitive in _OF_DIFFERENCES:
        x = next(part for part in x.inputs if isinstance(part, Node))
    if not isinstance(x, Node) or x.primitive is not elementwise.subtract:
        return
    row, column = sorted(x.inputs, key=lambda part: len(shape_of(part)))
    is_row = shape_of(row) == shape[:1] and not (isinstance(row, Node) and row.primitive)
    if is_row and shape_of(column) == (shape[0], 1) and _is_prediction(column):
        warn_once(
            "broadcast",
            f"a sum or mean over p - y, of shapes {shape_of(column)} and {shape_of(row)}",
            f"they broadcast to {shape}, every p with every y",
            "y[:, None] - p for pairs of rows; p - y[None, :] where all pairs are meant",
            GradientWarning,
        )


def _is_prediction(column: Operand) -> bool:
    """Tell whether a column was computed, and not reshaped in order to broadcast."""
    return getattr(column, "primitive", None) not in (None, *_RESHAPING)


def var(
    x: Operand,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: object = None,
) -> Result:
    """Return the mean squared distance from the mean, with n - ddof instead of n."""
    if not (dtype is out is where is None):
        x = _in_type(np.var, x, dtype, out=out, where=where)
    axis = _axis(axis)
    distance = x - mean(x, axis, keepdims=True)
    total = shapes.sum(elementwise.square(distance), axis=axis, keepdims=keepdims)
    return divide(total, count(x, axis) - ddof)


def std(
    x: Operand,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: object = None,
) -> Result:
    """Return the square root of the variance; its derivative where all elements are equal is 0."""
    if not (dtype is out is where is None):
        x = _in_type(np.std, x, dtype, out=out, where=where)
    axis = _axis(axis)
    distance = x - mean(x, axis, keepdims=True)
    length = reductions.norm(distance, axis=axis, keepdims=keepdims)
    return divide(length, elementwise.sqrt(float(count(x, axis) - ddof)))


def max(
    x: Operand,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: object = None,
    where: object = None,
) -> Result:
    """Return the largest element; elements that tie share the derivative equally."""
    if not (out is initial is where is None):
        x = _in_type(np.max, x, None, out=out, initial=initial, where=where)
    return reductions.max(x, axis=_axis(axis), keepdims=keepdims)


def min(
    x: Operand,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: object = None,
    where: object = None,
) -> Result:
    """Return the smallest element; elements that tie share the derivative equally."""
    if not (out is initial is where is None):
        x = _in_type(np.min, x, None, out=out, initial=initial, where=where)
    return reductions.min(x, axis=_axis(axis), keepdims=keepdims)


def ptp(x: Operand, axis: Axis = None, keepdims: bool = False) -> Result:
    """Return the largest element less the smallest."""
    return max(x, axis, keepdims=keepdims) - min(x, axis, keepdims=keepdims)


def sort(x: Operand, axis: int | None = -1) -> Result:
    """Return x in ascending order along an axis; None: ravelled first."""
    x, axis = _along(x, axis, "sort")
    return indexing.reorder(x, x, axis=axis)


def partition(x: Operand, kth: int | Sequence[int], axis: int | None = -1) -> Result:
    """Return x with its kth smallest elements in place, smaller ones before, larger ones behind."""
    x, axis = _along(x, axis, "partition")
    return indexing.reorder(x, x, axis=axis, kth=kth)


def median(x: Operand, axis: Axis = None, keepdims: bool = False) -> Result:
    """Return the middle element, or the mean of the middle two, over an axis, several, or all."""
    shape = shape_of(x)
    axes = tuple(range(len(shape)) if axis is None else axis_numbers(axis, len(shape), "median"))
    rest = [i for i in range(len(shape)) if i not in axes]
    x = shapes.transpose(x, axes=(*rest, *axes))
    n = math.prod(shape[i] for i in axes)
    ordered = sort(shapes.reshape(x, shape=(*[shape[i] for i in rest], n)))
    middle = indexing.getitem(ordered, index=(..., slice((n - 1) // 2, n // 2 + 1)))
    out = tuple([1 if i in axes else m for i, m in enumerate(shape) if keepdims or i in rest])
    return shapes.reshape(mean(middle, -1, keepdims=True), shape=out)


def cumsum(
    x: Operand, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None
) -> Result:
    """Return the running sum along an axis; None: ravelled first."""
    x, axis = _along(_in_type(np.cumsum, x, dtype, out=out), axis, "cumsum")
    return reductions.cumsum(x, axis=axis)


def cumprod(
    x: Operand, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None
) -> Result:
    """Return the running product along an axis; None: ravelled first."""
    x, axis = _along(_in_type(np.cumprod, x, dtype, out=out), axis, "cumprod")
    return reductions.cumprod(x, axis=axis)


def diff(x: Operand, n: int = 1, axis: int = -1) -> Result:
    """Return the differences of neighbours along an axis, n times over."""
    x, axis = _along(x, axis, "diff")
    before = (slice(None),) * axis
    for _ in range(n):
        later = indexing.getitem(x, index=(*before, slice(1, None)))
        x = later - indexing.getitem(x, index=(*before, slice(None, -1)))
    return x


def trapezoid(y: Operand, x: Operand = None, dx: Operand = 1.0, axis: int = -1) -> Result:
    """Return the integral of y along an axis by the trapezoidal rule, over x or in steps of dx."""
    y, axis = _along(y, axis, "trapezoid")
    if x is not None:
        x = as_operand(x)
        dx = diff(x, axis=axis if len(shape_of(x)) > 1 else -1)
        if len(shape_of(dx)) == 1:
            dx = shapes.reshape(dx, shape=(-1,) + (1,) * (len(shape_of(y)) - axis - 1))
    before = (slice(None),) * axis
    left = indexing.getitem(y, index=(*before, slice(None, -1)))
    right = indexing.getitem(y, index=(*before, slice(1, None)))
    return shapes.sum(dx * (left + right) * 0.5, axis=axis, keepdims=False)


def _along(x: Operand, axis: int | None, name: str) -> tuple[Operand, int]:
    """Return x and its axis counted from the start; for None x ravelled."""
    if axis is None:
        return ravel(x), 0
    x = as_operand(x)
    return x, axis_number(axis, len(shape_of(x)), name)


def clip(
    x: Operand,
    a_min: Operand = None,
    a_max: Operand = None,
    *,
    min: Operand = None,
    max: Operand = None,
) -> Result:
    """Return x held between two bounds, either of which may be None."""
    low = a_min if min is None else min
    high = a_max if max is None else max
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


def fmax(x: Operand, y: Operand) -> Result:
    """Return the larger of x and y, and the other one where one is NaN."""
    return elementwise.where(equal(x, x), elementwise.where(equal(y, y), maximum(x, y), x), y)


def fmin(x: Operand, y: Operand) -> Result:
    """Return the smaller of x and y, and the other one where one is NaN."""
    return elementwise.where(equal(x, x), elementwise.where(equal(y, y), minimum(x, y), x), y)


def where(condition: Operand, *choices: Operand) -> Result:
    """Return x where the condition holds and y elsewhere; without choices, where it holds.

    What is not chosen passes no derivative on, not even an infinite one.
    """
    if not choices:
        return np.nonzero(np.asarray(condition))
    if isinstance(condition, np.ndarray) and condition.dtype.kind == "f":
        condition = condition.copy()  # a mask may be filled anew; one of bools is copied anyway
    return elementwise.where(condition, *choices)


def float_power(x: Operand, y: Operand) -> Result:
    """Return x to the power of y in float64, also where both are float32."""
    return elementwise.float_power(_double(x), _double(y))


def _double(x: Operand) -> Result:
    return elementwise.astype(x, dtype=np.dtype(np.float64)) if dtype_of(x) == np.float32 else x


def round(x: Operand, decimals: int = 0) -> Result:
    """Return x rounded to a number of decimals, half to even; its derivative is 0."""
    return elementwise.round(x, decimals=decimals)
