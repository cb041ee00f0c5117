"""The same numbers in another shape: reshape, transpose, broadcast_to and sum, concatenate.

Rows are read as in elementwise.py. All are linear, so each rule is the adjoint of its forward;
sum stands here because it is the adjoint of broadcast_to.
"""

from collections.abc import Sequence

import numpy as np

from ..data import Array, Axis, DType, Index, Operand, Result, Shape, dtype_of, shape_of
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
    axes = tuple([i for i, n in enumerate(given) if i < added or shape[i - added] == 1 != n])
    return reshape(sum(g, axis=axes, keepdims=False), shape=shape)
