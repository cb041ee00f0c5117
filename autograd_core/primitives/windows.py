"""Windows that slide along an axis, and their adjoint: what pooling consists of.

Rows are read as in elementwise.py. Both are linear and each is the other's rule. One axis at a
time: windows over several axes are windows of windows, and the adjoint then adds as many slices as
a window is long along each axis, not as many as it has elements.
"""

import numpy as np

from ..data import Array, Operand, Result, shape_of
from ..errors import ShapeError
from ..graph import Primitive


def _windows(x: Operand, *, size: int, axis: int, stride: int, dilation: int) -> Result:
    reach, length = (size - 1) * dilation + 1, x.shape[axis]
    if reach > length:
        raise ShapeError(
            f"windows of shape {x.shape}",
            f"axis {axis} is {length} long, and a window reaches over {reach}",
            "a smaller window or dilation; or np.pad(x, width) before",
        )
    view: Operand = np.lib.stride_tricks.sliding_window_view(x, reach, axis)
    return view[(*_every(axis, 0, stride, None), ..., slice(None, None, dilation))]


def _overlap_add(x: Array, *, length: int, axis: int, stride: int, dilation: int) -> Array:
    piece = x[..., 0]
    shape = [length if i == axis else n for i, n in enumerate(piece.shape)]
    out = np.zeros_like(piece, shape=shape)  # with the axes in memory as they are in x
    reach = (x.shape[axis] - 1) * stride + 1
    for i in range(x.shape[-1]):
        start = i * dilation
        out[_every(axis, start, stride, start + reach)] += x[..., i]
    return out


def _every(axis: int, start: int, step: int, stop: int | None) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop, step),)


# fmt: off
# The windows of x along an axis: one for each position, their elements along a new last axis
windows: Primitive = Primitive("windows", _windows,
    lambda g, out, x, *, axis, size, **steps:
        overlap_add(g, length=shape_of(x)[axis], axis=axis, **steps),
    linear=True)
# Every window's elements added where they were taken from, along an axis of this length
overlap_add: Primitive = Primitive("overlap_add", _overlap_add,
    lambda g, out, x, *, axis, length, **steps:
        windows(g, size=shape_of(x)[-1], axis=axis, **steps),
    linear=True)
# fmt: on
