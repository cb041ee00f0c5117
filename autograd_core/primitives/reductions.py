"""Many numbers into fewer: prod, max, min, norm, cumsum, logsumexp, softmax, log_softmax.

Rows are read as in elementwise.py; `sum` is in shapes.py, beside its adjoint. `axis` is None, an
integer or a tuple of integers, but for cumsum, cumprod and recurrence an integer.
"""

import math

import numpy as np

from ..data import Array, Axis, Operand, Result, dtype_of, shape_of
from ..graph import Primitive
from .elementwise import direction, divide, equal, exp, where, without_factor
from .indexing import getitem
from .shapes import broadcast_to, concatenate, reshape, spread, sum, transpose


def _norm(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    return np.sqrt(np.sum(x * x, axis, keepdims=keepdims))


def _exponentials(x: Array, axis: Axis, out: Array | None = None) -> tuple[Array, Array, Array]:
    """Return exp(x - m), its sum and m, where m is the largest x: nothing overflows."""
    largest = np.maximum.reduce(x, axis, keepdims=True)
    if not math.isfinite(np.vdot(largest, largest)):
        largest = np.nan_to_num(largest, neginf=0.0)  # inf becomes the largest float
    powers = np.subtract(x, largest, out)
    powers = np.exp(powers, powers) if isinstance(powers, np.ndarray) else np.exp(powers)
    return powers, np.add.reduce(powers, axis, keepdims=True), largest


def _logsumexp(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    _, total, largest = _exponentials(x, axis)
    out = np.log(total) + largest
    return out if keepdims else out.squeeze(axis)


def _softmax(x: Array, *, axis: Axis, out: Array | None = None) -> Array:
    powers, total, _ = _exponentials(x, axis, out)
    return np.divide(powers, total, out)


def _recurrence(x: Array, y: Array, *, axis: int) -> Array:
    """Return out[0] = x[0], out[j + 1] = x[j + 1] + y[j] * out[j], along an axis."""
    if x.ndim == 1:  # Python's floats are quicker than NumPy's one at a time
        terms, factors = x.tolist(), y.tolist()
    else:
        terms, factors = np.moveaxis(x, axis, 0), np.moveaxis(y, axis, 0)
    out = list(terms[:1])
    for term, factor in zip(terms[1:], factors, strict=True):
        out.append(term + factor * out[-1])
    return np.moveaxis(np.array(out, x.dtype).reshape(np.shape(terms)), 0, axis)


def _cumprod_adjoint(g: Array, x: Array, *, axis: int) -> Array:
    """Return, for each factor, the sum of g times the derivatives of the running products.

    Factor j occurs in the products i >= j: times all factors before it, and times those from j + 1
    to i. Both parts are computed as numbers near 1 and powers of two, so that only the result can
    overflow or underflow, and factors 0 are as good as others.
    """
    if not x.size:
        return x
    g, x = np.moveaxis(g, axis, 0), np.moveaxis(x, axis, 0)
    sizes = np.cumsum(_log2(x, -1e9), 0)
    before = np.concatenate((np.zeros_like(sizes[:1]), np.floor(sizes[:-1])))
    numbers = np.multiply.accumulate(_scaled(x[:-1], -np.diff(before, axis=0)), 0)
    # The largest of the terms from j on: where a factor is 0, none behind it counts
    largest = np.maximum.accumulate((_log2(g, -1e15) + sizes)[::-1], 0)[::-1]
    behind = np.floor(largest - sizes)
    terms, factors = _scaled(g, -behind), _scaled(x[1:], np.diff(behind, axis=0))
    sums = _recurrence(terms[::-1], factors[::-1], axis=0)[::-1]
    sums[1:] *= numbers
    return np.moveaxis(_scaled(sums, before + behind), 0, axis)


def _log2(x: Array, of_zero: float) -> Array:
    """Return log2 |x|, and 0 where x is not finite."""
    with np.errstate(divide="ignore"):
        sizes = np.log2(np.abs(x, dtype=float))
    return np.nan_to_num(sizes, posinf=0.0, neginf=of_zero)


def _scaled(x: Array, powers: Array) -> Array:
    """Return x * 2 ** powers, for whole powers of any size."""
    return np.ldexp(x, np.clip(powers, -9999, 9999).astype(np.intc))


def _log_softmax(x: Array, *, axis: Axis, out: Array | None = None) -> Array:
    _, total, largest = _exponentials(x, axis, out)
    return np.subtract(np.subtract(x, largest, out), np.log(total), out)


# fmt: off
prod: Primitive = Primitive("prod",
    lambda x, *, axis, keepdims: np.multiply.reduce(x, axis, keepdims=keepdims),
    lambda g, out, x, *, axis, keepdims: to_factors(g, x, axis),
    along_axis=True,
    into=lambda x, out, *, axis, keepdims: np.multiply.reduce(x, axis, out=out, keepdims=keepdims))
max: Primitive = Primitive("max",
    lambda x, *, axis, keepdims: np.maximum.reduce(x, axis, keepdims=keepdims),
    lambda g, out, x, *, axis, keepdims: _to_extreme(g, out, x, axis, keepdims),
    chooses=True,
    into=lambda x, out, *, axis, keepdims: np.maximum.reduce(x, axis, out=out, keepdims=keepdims))
min: Primitive = Primitive("min",
    lambda x, *, axis, keepdims: np.minimum.reduce(x, axis, keepdims=keepdims),
    lambda g, out, x, *, axis, keepdims: _to_extreme(g, out, x, axis, keepdims),
    chooses=True,
    into=lambda x, out, *, axis, keepdims: np.minimum.reduce(x, axis, out=out, keepdims=keepdims))
norm: Primitive = Primitive("norm", _norm,
    lambda g, out, x, *, axis, keepdims: _along_vectors(g, out, x, axis, keepdims),  # 0 at 0
    along_axis=True)
cumsum: Primitive = Primitive("cumsum", lambda x, *, axis: np.add.accumulate(x, axis),
    lambda g, out, x, *, axis: reverse(cumsum(reverse(g, axis), axis=axis), axis),
    linear=True)
cumprod: Primitive = Primitive("cumprod", lambda x, *, axis: np.multiply.accumulate(x, axis),
    lambda g, out, x, *, axis: cumprod_adjoint(g, x, axis=axis),
    along_axis=True)
recurrence: Primitive = Primitive("recurrence", _recurrence,
    lambda g, out, x, y, *, axis: _backwards(g, y, axis),
    lambda g, out, x, y, *, axis:
        _part(_backwards(g, y, axis), axis, 1, None) * _part(out, axis, None, -1),
    along_axis=True)
cumprod_adjoint: Primitive = Primitive("cumprod_adjoint", _cumprod_adjoint,
    lambda g, out, x, y, *, axis: _cumprod_forwards(g, y, axis),
    lambda g, out, x, y, *, axis: _cumprod_twice(g, x, y, axis),
    along_axis=True)
logsumexp: Primitive = Primitive("logsumexp", _logsumexp,
    lambda g, out, x, *, axis, keepdims:
        spread(g, x, axis, keepdims) * _shares(out, x, axis, keepdims),
    along_axis=True)
softmax: Primitive = Primitive("softmax", _softmax,
    lambda g, out, x, *, axis: out * (g - sum(g * out, axis=axis, keepdims=True)),
    along_axis=True,
    into=lambda x, out, *, axis: _softmax(x, axis=axis, out=out))
log_softmax: Primitive = Primitive("log_softmax", _log_softmax,
    lambda g, out, x, *, axis: g - exp(out) * sum(g, axis=axis, keepdims=True),
    along_axis=True,
    into=lambda x, out, *, axis: _log_softmax(x, axis=axis, out=out))
# fmt: on


def _to_extreme(g: Operand, out: Operand, x: Operand, axis: Axis, keepdims: bool) -> Result:
    """Give g to the elements that are the extreme one, in equal shares."""
    chosen = equal(x, spread(out, x, axis, keepdims))
    count = sum(chosen, axis=axis, keepdims=True)
    return spread(g, x, axis, keepdims) * divide(chosen, count)


def _along_vectors(g: Operand, out: Operand, x: Operand, axis: Axis, keepdims: bool) -> Result:
    """Return g times the directions of vectors: see `_along` in elementwise.py."""
    rest = without_factor(g, out)
    if rest is None:
        return spread(g, x, axis, keepdims) * direction(x, spread(out, x, axis, keepdims))
    rest = broadcast_to(rest, shape=shape_of(out), dtype=dtype_of(x))
    return spread(rest, x, axis, keepdims) * x


def _shares(out: Operand, x: Operand, axis: Axis, keepdims: bool) -> Result:
    """Return softmax(x), and 0 where there is nothing but -inf: no element is more than none."""
    return where(equal(spread(out, x, axis, keepdims), -np.inf), 0.0, softmax(x, axis=axis))


def reverse(x: Operand, axis: int) -> Result:
    """Return x with one axis in the opposite order."""
    axis %= len(shape_of(x))
    return getitem(x, index=(slice(None),) * axis + (slice(None, None, -1),))


def _part(x: Operand, axis: int, start: int | None, stop: int | None) -> Result:
    axis %= len(shape_of(x))
    return getitem(x, index=(slice(None),) * axis + (slice(start, stop),))


def _backwards(x: Operand, y: Operand, axis: int) -> Result:
    """Return out[n] = x[n], out[j] = x[j] + y[j] * out[j + 1], for the last place n."""
    return reverse(recurrence(reverse(x, axis), reverse(y, axis), axis=axis), axis)


def _cumprod_forwards(t: Operand, x: Operand, axis: int) -> Result:
    """Return how much the running products of x change if x changes in the direction t."""
    later = _part(t, axis, 1, None) * cumprod(_part(x, axis, None, -1), axis=axis)
    terms = concatenate(_part(t, axis, None, 1), later, axis=axis)
    return recurrence(terms, _part(x, axis, 1, None), axis=axis)


def _cumprod_twice(t: Operand, g: Operand, x: Operand, axis: int) -> Result:
    """Differentiate the sum of t * cumprod_adjoint(g, x) by x."""
    none = 0.0 * _part(x, axis, None, 1)
    onwards = _part(_backwards(g, _part(x, axis, 1, None), axis), axis, 1, None)
    turn = cumprod_adjoint(_part(t, axis, 1, None) * onwards, _part(x, axis, None, -1), axis=axis)
    change = _part(_cumprod_forwards(t, x, axis), axis, None, -1)
    return concatenate(turn, none, axis=axis) + concatenate(none, change * onwards, axis=axis)


def to_factors(g: Operand, x: Operand, axis: Axis) -> Result:
    """Return g times the product of all other elements, for each that a product over `axis` took.

    The axes become one, along which only the last running product counts.
    """
    shape = shape_of(x)
    ndim = len(shape)
    if not ndim:
        return g
    taken = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    taken = tuple(sorted({i % ndim for i in taken}))
    axes = (*[i for i in range(ndim) if i not in taken], *taken)
    moved = transpose(x, axes=axes)
    kept = shape_of(moved)[: ndim - len(taken)]
    flat = reshape(moved, shape=(*kept, math.prod([shape[i] for i in taken])))
    g = reshape(g, shape=(*kept, 1))
    if shape_of(flat)[-1] > 1:
        zeros = np.zeros((*kept, shape_of(flat)[-1] - 1), dtype_of(x))
        g = concatenate(zeros, g, axis=-1)
    out = cumprod_adjoint(g, flat, axis=-1)
    return transpose(reshape(out, shape=shape_of(moved)), axes=tuple(np.argsort(axes).tolist()))
