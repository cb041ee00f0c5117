"""Many numbers into fewer: prod, max, min, norm, cumsum, logsumexp, softmax, log_softmax.

Rows are read as in elementwise.py; `sum` stands in shapes.py, beside its adjoint. `axis` is None,
an integer or a tuple of integers, but for prod and cumsum an integer.
"""

import math
from typing import Any

import numpy as np

from ..data import dtype_of, shape_of
from ..graph import Primitive
from .elementwise import divide, equal, exp, multiply, reciprocal, times
from .indexing import getitem
from .shapes import Axis, concatenate, spread, sum


def _norm(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    return np.sqrt(np.sum(x * x, axis, keepdims=keepdims))


def _exponentials(x: Any, axis: Axis, out: Any = None) -> tuple[Any, Any, Any]:
    """Return exp(x - m), its sum and m, where m is the largest x: nothing overflows."""
    largest = np.maximum.reduce(x, axis, keepdims=True)
    if not math.isfinite(np.vdot(largest, largest)):
        largest = np.where(np.isfinite(largest), largest, 0)
    powers = np.subtract(x, largest, out)
    powers = np.exp(powers, powers) if isinstance(powers, np.ndarray) else np.exp(powers)
    return powers, np.add.reduce(powers, axis, keepdims=True), largest


def _logsumexp(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    _, total, largest = _exponentials(x, axis)
    out = np.log(total) + largest
    return out if keepdims else out.squeeze(axis)


def _softmax(x: Any, *, axis: Axis, out: Any = None) -> Any:
    powers, total, _ = _exponentials(x, axis, out)
    return np.divide(powers, total, out)


def _log_softmax(x: Any, *, axis: Axis, out: Any = None) -> Any:
    _, total, largest = _exponentials(x, axis, out)
    return np.subtract(np.subtract(x, largest, out), np.log(total), out)


# fmt: off
prod: Primitive = Primitive("prod",
    lambda x, *, axis, keepdims: np.multiply.reduce(x, axis, keepdims=keepdims),
    lambda g, out, x, *, axis, keepdims: spread(g, x, axis, keepdims) * prod_of_others(x, axis),
    into=lambda x, out, *, axis, keepdims: np.multiply.reduce(x, axis, out=out, keepdims=keepdims))
max: Primitive = Primitive("max",
    lambda x, *, axis, keepdims: np.maximum.reduce(x, axis, keepdims=keepdims),
    lambda g, out, x, *, axis, keepdims: _to_extreme(g, out, x, axis, keepdims),
    into=lambda x, out, *, axis, keepdims: np.maximum.reduce(x, axis, out=out, keepdims=keepdims))
min: Primitive = Primitive("min",
    lambda x, *, axis, keepdims: np.minimum.reduce(x, axis, keepdims=keepdims),
    lambda g, out, x, *, axis, keepdims: _to_extreme(g, out, x, axis, keepdims),
    into=lambda x, out, *, axis, keepdims: np.minimum.reduce(x, axis, out=out, keepdims=keepdims))
norm: Primitive = Primitive("norm", _norm,
    lambda g, out, x, *, axis, keepdims:  # 0 at 0
        times(x, spread(times(g, reciprocal(out)), x, axis, keepdims)))
cumsum: Primitive = Primitive("cumsum", lambda x, *, axis: np.add.accumulate(x, axis),
    lambda g, out, x, *, axis: reverse(cumsum(reverse(g, axis), axis=axis), axis))
logsumexp: Primitive = Primitive("logsumexp", _logsumexp,
    lambda g, out, x, *, axis, keepdims:
        spread(g, x, axis, keepdims) * softmax(x, axis=axis))
softmax: Primitive = Primitive("softmax", _softmax,
    lambda g, out, x, *, axis: out * (g - sum(g * out, axis=axis, keepdims=True)),
    into=lambda x, out, *, axis: _softmax(x, axis=axis, out=out))
log_softmax: Primitive = Primitive("log_softmax", _log_softmax,
    lambda g, out, x, *, axis: g - exp(out) * sum(g, axis=axis, keepdims=True),
    into=lambda x, out, *, axis: _log_softmax(x, axis=axis, out=out))
# fmt: on


def _to_extreme(g: Any, out: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """Give g to the elements that are the extreme one, in equal shares."""
    chosen = equal(x, spread(out, x, axis, keepdims))
    count = sum(chosen, axis=axis, keepdims=True)
    return times(divide(chosen, count), spread(g, x, axis, keepdims))


def reverse(x: Any, axis: int) -> Any:
    """Return x with one axis in the opposite order."""
    axis %= len(shape_of(x))
    return getitem(x, index=(slice(None),) * axis + (slice(None, None, -1),))


def _part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return getitem(x, index=(slice(None),) * axis + (slice(start, stop),))


def cumprod(x: Any, axis: int) -> Any:
    """Return the running product along one axis.

    Made of multiplications alone, doubling the reach log2(n) times, so that its derivatives are
    exact where factors are 0.
    """
    axis %= len(shape_of(x))
    reach, n = 1, shape_of(x)[axis]
    while reach < n:
        longer = multiply(_part(x, axis, reach, None), _part(x, axis, None, -reach))
        x = concatenate(_part(x, axis, None, reach), longer, axis=axis)
        reach *= 2
    return x


def prod_of_others(x: Any, axis: int) -> Any:
    """Return, for each element along an axis, the product of all the others; exact with zeros."""
    axis %= len(shape_of(x))
    one = np.ones([1 if i == axis else n for i, n in enumerate(shape_of(x))], dtype_of(x))
    before = concatenate(one, _part(cumprod(x, axis), axis, None, -1), axis=axis)
    onwards = reverse(cumprod(reverse(x, axis), axis), axis)
    after = concatenate(_part(onwards, axis, 1, None), one, axis=axis)
    return before * after
