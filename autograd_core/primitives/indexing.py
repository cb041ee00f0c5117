"""Taking elements out and putting them back: getitem and scatter, reorder and its inverse.

Rows are read as in elementwise.py. Each pair is linear and adjoint: taking out passes the
cotangent back to where it came from, and elements taken twice receive both cotangents.
"""

from typing import Any

import numpy as np

from ..data import shape_of
from ..graph import Primitive


def _scatter(x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, getattr(x, "dtype", np.float64))
    if _takes_twice(index):
        np.add.at(out, index, x)
    else:
        out[index] = x
    return out


def _takes_twice(index: Any) -> bool:
    """Tell whether an index can name an element more than once, as integer arrays can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(p, np.ndarray | list) and np.asarray(p).dtype != bool for p in parts)


def _order(key: Any, axis: int, kth: Any) -> Any:
    if kth is None:
        return np.argsort(key, axis, kind="stable")
    return np.argpartition(key, kth, axis)


def _reorder(x: Any, key: Any, *, axis: int, kth: Any = None) -> Any:
    return np.take_along_axis(x, _order(key, axis, kth), axis)


def _restore(x: Any, key: Any, *, axis: int, kth: Any = None) -> Any:
    out = np.empty_like(x)
    np.put_along_axis(out, _order(key, axis, kth), x, axis)
    return out


# fmt: off
getitem: Primitive = Primitive("getitem", lambda x, *, index: x[index],
    lambda g, out, x, *, index: scatter(g, index=index, shape=shape_of(x)))
scatter: Primitive = Primitive("scatter", _scatter,
    lambda g, out, x, *, index, shape: getitem(g, index=index))

# x in the order that sorts key along an axis (or partitions it at kth), and back again
reorder: Primitive = Primitive("reorder", _reorder,
    lambda g, out, x, key, **where: restore(g, key, **where),
    None)
restore: Primitive = Primitive("restore", _restore,
    lambda g, out, x, key, **where: reorder(g, key, **where),
    None)
# fmt: on
