"""The same numbers in another shape: reshape, transpose, broadcast, concatenate, windows.

Rows are read as in elementwise.py. All are linear, so each rule is the adjoint of its forward;
sum stands here because it is the adjoint of broadcast_to. Windows slide along one axis at a time:
those over several axes are windows of windows, and the adjoint then adds as many slices as a
window is long along each axis, not as many as it has elements.
"""

from collections.abc import Sequence

import numpy as np

from ..data import Array, Axis, DType, Index, Operand, Result, Shape, dtype_of, shape_of
from ..errors import ShapeError
from ..graph import Primitive
from .indexing import getitem


def _broadcast_to(x: Array, *, shape: Shape, dtype: DType | None = None) -> Array:
    if not shape:
        return x
    out = np.empty(shape, dtype or x.dtype)  # when small, much faster than np.broadcast_to
    out[...] = x
    return out


def _sum(x: Operand, axis: Axis, keepdims: bool, out: Operand = None) -> Result:
    leading = (*range(x.ndim - 1),) if x.ndim > 2 else None
    if leading and axis == leading and x.size and not keepdims and x.flags.c_contiguous:
        rows = x.reshape(-1, x.shape[-1])  # as for a bias of images: a product is much quicker
        return np.ones(len(rows), x.dtype).dot(rows, out)
    return np.add.reduce(x, axis, out=out, keepdims=keepdims)


def _concatenate(*inputs: Array, axis: int) -> Array:
    return np.concatenate(inputs, axis)


def _places(g: Operand, inputs: Sequence[Operand], axis: int) -> list[Index]:
    """Return for each input the index at which it lies in the concatenation."""
    axis %= len(shape_of(g))
    before = (slice(None),) * axis
    places, stop = [], 0
    for x in inputs:
        start, stop = stop, stop + shape_of(x)[axis]
        places.append((*before, slice(start, stop)))
    return places


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
reshape: Primitive = Primitive("reshape", lambda x, *, shape: x.reshape(shape),
    lambda g, out, x, *, shape: reshape(g, shape=shape_of(x)),
    linear=True)
transpose: Primitive = Primitive("transpose", lambda x, *, axes: x.transpose(axes),
    lambda g, out, x, *, axes: transpose(g, axes=tuple(np.argsort(axes).tolist())),
    linear=True)
broadcast_to: Primitive = Primitive("broadcast_to", _broadcast_to,
    lambda g, out, x, *, shape, dtype=None: unbroadcast(g, shape_of(x)),
    linear=True,
    into=lambda x, out, *, shape, dtype=None: np.copyto(out, x, "same_kind"))
sum: Primitive = Primitive("sum",
    lambda x, *, axis, keepdims: _sum(x, axis, keepdims),
    lambda g, out, x, *, axis, keepdims:
        broadcast_to(spread(g, x, axis, keepdims), shape=shape_of(x), dtype=dtype_of(x)),
    linear=True,
    into=lambda x, out, *, axis, keepdims: _sum(x, axis, keepdims, out))
concatenate: Primitive = Primitive("concatenate", _concatenate,
    each=lambda i, g, out, *inputs, axis: getitem(g, index=_places(g, inputs, axis)[i]),
    split=lambda g, out, *inputs, axis: [getitem(g, index=i) for i in _places(g, inputs, axis)],
    linear=True,
    into=lambda *inputs_and_out, axis:
        np.concatenate(inputs_and_out[:-1], axis, out=inputs_and_out[-1]))
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


def spread(g: Operand, x: Operand, axis: Axis, keepdims: bool) -> Result:
    """Give g, which a reduction over `axis` has made from x, the reduced axes with length 1."""
    if keepdims or not shape_of(g):
        return g
    ndim = len(shape_of(x))
    axes = (axis,) if isinstance(axis, int) else range(ndim) if axis is None else axis
    reduced = {i % ndim for i in axes}
    shape = tuple([1 if i in reduced else n for i, n in enumerate(shape_of(x))])
    return reshape(g, shape=shape)


def unbroadcast(g: Operand, shape: Shape) -> Result:
    """Sum g over the axes that broadcasting had added or stretched, back to `shape`."""
    given = shape_of(g)
    added = len(given) - len(shape)
    if given[added:] == shape:
        return sum(g, axis=0 if added == 1 else tuple(range(added)), keepdims=False)
    axes = tuple(summed_axes(given, shape))
    return reshape(sum(g, axis=axes, keepdims=False), shape=shape)


def summed_axes(given: Shape, wanted: Shape) -> list[int]:
    """Return the axes that broadcasting added or stretched, over which gradients are summed."""
    added = len(given) - len(wanted)
    return [i for i, n in enumerate(given) if i < added or wanted[i - added] == 1 != n]
