"""Taking elements out and putting them back: getitem and scatter, reorder and its inverse.

Rows are read as in elementwise.py. Each pair is linear and adjoint: taking out passes the
cotangent back to where it came from, and elements taken twice receive both cotangents.
"""

from types import EllipsisType

import numpy as np

from ..data import Array, Index, Operand, Shape, shape_of
from ..graph import Primitive


def _scatter(x: Array, *, index: Index, shape: Shape) -> Array:
    out = np.zeros(shape, getattr(x, "dtype", np.float64))
    if _takes_twice(index):
        np.add.at(out, index, x)
    else:
        out[index] = x
    return out


def _takes_twice(index: Index) -> bool:
    """Tell whether an index can name an element more than once, as integer arrays can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(
        not isinstance(p, int | slice | None | EllipsisType) and np.asarray(p).dtype != bool
        for p in parts
    )


def _at(index: Index, slots: tuple[int, ...], places: tuple[Operand, ...]) -> Index:
    """Put whole numbers, computed as floats, into the open places of an index."""
    parts = list(index)
    for slot, place in zip(slots, places, strict=True):
        parts[slot] = np.asarray(place).astype(np.intp)
    return tuple(parts)


def _getitem_at(x: Array, *places: Array, index: Index, slots: tuple[int, ...]) -> Array:
    return x[_at(index, slots, places)]


def _scatter_at(
    g: Array, *places: Array, index: Index, slots: tuple[int, ...], shape: Shape
) -> Array:
    return _scatter(g, index=_at(index, slots, places), shape=shape)


def _order(key: Array, axis: int, kth: Index) -> Array:
    if kth is None:
        return np.argsort(key, axis, kind="stable")
    return np.argpartition(key, kth, axis)


def _reorder(x: Array, key: Array, *, axis: int, kth: Index = None) -> Array:
    return np.take_along_axis(x, _order(key, axis, kth), axis)


def _restore(x: Array, key: Array, *, axis: int, kth: Index = None) -> Array:
    out = np.empty_like(x)
    np.put_along_axis(out, _order(key, axis, kth), x, axis)
    return out


# fmt: off
getitem: Primitive = Primitive("getitem", lambda x, *, index: x[index],
    lambda g, out, x, *, index: scatter(g, index=index, shape=shape_of(x)),
    linear=True)
scatter: Primitive = Primitive("scatter", _scatter,
    lambda g, out, x, *, index, shape: getitem(g, index=index),
    linear=True)

# The same with positions that are data, too: `places` fill the `slots` of an index
getitem_at: Primitive = Primitive("getitem_at", _getitem_at,
    each=lambda i, g, out, x, *places, **where:
        scatter_at(g, *places, **where, shape=shape_of(x)) if i == 0 else 0.0 * places[i - 1],
    linear=(0,))
scatter_at: Primitive = Primitive("scatter_at", _scatter_at,
    each=lambda i, g, out, x, *places, shape, **where:
        getitem_at(g, *places, **where) if i == 0 else 0.0 * places[i - 1],
    linear=(0,))

# x in the order that sorts key along an axis (or partitions it at kth), and back again
reorder: Primitive = Primitive("reorder", _reorder,
    lambda g, out, x, key, **where: restore(g, key, **where),
    None,
    linear=(0,))
restore: Primitive = Primitive("restore", _restore,
    lambda g, out, x, key, **where: reorder(g, key, **where),
    None,
    linear=(0,))
# fmt: on
