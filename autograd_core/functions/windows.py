"""Windows that slide along axes: what pooling and convolution look through."""

from collections.abc import Sequence

import numpy as np

from ..data import Operand, Result, shape_of
from ..errors import OptionError, ShapeError
from ..graph import as_operand, as_operands
from ..messages import counted
from ..primitives import convolution, shapes
from .rearranging import axis_number


def sliding_windows(
    x: Operand,
    window_shape: int | Sequence[int],
    axis: int | Sequence[int] | None = None,
    strides: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
) -> Result:
    """Return all windows of x that lie inside it, as NumPy's `sliding_window_view` does.

    Along each axis, a window of size k that begins at p has the elements p, p + dilation, ...,
    p + (k - 1) * dilation, and the next one begins at p + strides.

    Args:    x: any shape.
             window_shape: the size of a window, one for each axis along which it slides.
             axis: those axes; None: all of x.
             strides, dilation: one for all these axes, or one for each.
    Returns: the shape of x, with the number of windows instead of the axes' lengths, and then
             window_shape. From an array: a view, to be read only.
    Raises:  ShapeError: a window is longer than its axis; other numbers of sizes than of axes.
             OptionError: a size, stride or dilation below 1. IndexRangeError: no such axis.
    Example: >>> sliding_windows([1, 2, 3, 4, 5], 3, strides=2)
             array([[1., 2., 3.],
                    [3., 4., 5.]])
    """
    x = as_operand(x)
    ndim = len(shape_of(x))
    axes = range(ndim) if axis is None else np.atleast_1d(axis).tolist()
    sizes = np.atleast_1d(window_shape).tolist()
    if len(sizes) != len(axes):
        raise ShapeError(
            f"windows of shape {tuple(sizes)} along axes {tuple(axes)} of shape {shape_of(x)}",
            f"{counted(len(sizes), 'size')} for {len(axes)} axes",
            "one size for each axis: sliding_windows(x, (3, 3), axis=(1, 2))",
        )
    options = zip(
        _each("window_shape", sizes, len(axes)),
        _each("strides", strides, len(axes)),
        _each("dilation", dilation, len(axes)),
        strict=True,
    )
    for i, (size, stride, spread) in zip(axes, options, strict=True):
        along = axis_number(i, ndim, "sliding_windows")
        x = shapes.windows(x, size=size, axis=along, stride=stride, dilation=spread)
    return x


def convolve(
    x: Operand, weight: Operand, strides: int | Sequence[int] = 1, dilation: int | Sequence[int] = 1
) -> Result:
    """Return the sum of weights times each window of x, one for each filter.

    y[n, p, f] = sum of x[n, p * strides + o * dilation, c] * weight[f, c, o] over the offsets o in
    a window, along each axis, and the channels c. Only windows that lie inside x count. As in all
    libraries of networks, the weights are not reversed: mathematics calls it cross-correlation.

    Args:    x: (batch, height, width, channels), or with any other number of axes between.
             weight: (filters, channels, height, width).
             strides, dilation: one for all these axes, or one for each.
    Returns: (batch, rows of windows, columns of windows, filters).
    Raises:  ShapeError: the channels differ, or a window reaches over more than x has.
             OptionError: a stride or dilation below 1.
    Example: >>> x = np.arange(5.0).reshape(1, 5, 1)
             >>> convolve(x, [[[-1, 0, 1]]]).ravel()
             array([2., 2., 2.])
    """
    x, weight = as_operands(x, weight)
    rank = max(len(shape_of(x)) - 2, 0)
    strides, dilation = _each("strides", strides, rank), _each("dilation", dilation, rank)
    return convolution.convolve(x, weight, strides=strides, dilation=dilation)


def _each(name: str, given: int | Sequence[int], count: int) -> tuple[int, ...]:
    """Return one whole number from 1 for each of the axes."""
    numbers = np.atleast_1d(given)
    if numbers.size not in (1, count) or numbers.dtype.kind not in "iu" or numbers.min() < 1:
        raise OptionError(
            f"{name} = {given!r}",
            "it must be whole numbers from 1",
            f"one for all axes, or {count}, one for each",
        )
    return tuple([int(n) for n in np.broadcast_to(numbers, count)])
