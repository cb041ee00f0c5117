"""Array primitives as scalar operations.

An array is the array of its slots: whatever only moves elements moves slots by its own `forward`,
and whatever computes appends scalar operations. Sums go from left to right. Slots are integers,
whatever the type of the numbers in them, so that a `dtype` does not concern them.
"""

import math
import sys
from typing import Any

import numpy as np

from ..data import Axis, Function, Index, Params
from ..graph import Primitive
from ..primitives import elementwise as table
from ..primitives import indexing, linear_algebra, reductions, shapes
from .scalar_program import Registers, Scalars

MOVING = (
    indexing.getitem,
    shapes.reshape,
    shapes.transpose,
    shapes.broadcast_to,
    shapes.concatenate,
    shapes.windows,
)


def expanded(
    scalars: Scalars, primitive: Primitive, inputs: list[Registers], params: Params
) -> Registers:
    """Return the slots of what a primitive makes of slots, or None if it has no expansion."""
    slots = [np.asarray(x, np.intp) for x in inputs]
    if primitive in MOVING:
        made = primitive.forward(*slots, **{k: v for k, v in params.items() if k != "dtype"})
    elif primitive in EXPANSIONS:
        made = EXPANSIONS[primitive](scalars, *slots, **params)
    else:
        return None
    return made if np.ndim(made) else int(made)


def _round(scalars: Scalars, x: Registers, *, decimals: int) -> Registers:
    if decimals == 0:
        return scalars.apply(table.round, x)
    shift = scalars.number(10.0 ** abs(decimals))
    there, back = (table.multiply, table.divide)[:: 1 if decimals > 0 else -1]
    return scalars.apply(back, scalars.apply(table.round, scalars.apply(there, x, shift)), shift)


def _fold(primitive: Primitive, empty: float) -> Function:
    """Return the expansion of a reduction by a primitive of two inputs."""

    def fold(scalars: Scalars, x: Registers, *, axis: Axis, keepdims: bool) -> Registers:
        ndim = x.ndim
        over = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        axes = sorted({i % ndim for i in over}) if ndim else []  # a number is its own sum
        rest = [i for i in range(ndim) if i not in axes]
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        count = math.prod([x.shape[i] for i in axes])
        terms = x.transpose(*axes, *rest).reshape(count, *[x.shape[i] for i in rest])
        if not len(terms):
            out = np.full(terms.shape[1:], scalars.number(empty))
        else:
            out = terms[0]
            for term in terms[1:]:
                out = np.asarray(scalars.apply(primitive, out, term))
        return out.reshape(shape) if keepdims else out

    return fold


_add_up, _largest = _fold(table.add, 0.0), _fold(table.maximum, -np.inf)


def _matmul(scalars: Scalars, x: Registers, y: Registers) -> Registers:
    rows = x[None, :] if x.ndim == 1 else x
    columns = y[:, None] if y.ndim == 1 else y
    products = scalars.apply(table.multiply, rows[..., :, :, None], columns[..., None, :, :])
    out = _add_up(scalars, products, axis=products.ndim - 2, keepdims=False)
    if x.ndim == 1:
        out = out.squeeze(-2)
    return out.squeeze(-1) if y.ndim == 1 else out


def _scatter(scalars: Scalars, x: Registers, *, index: Index, shape: tuple[int, ...]) -> Registers:
    size, zero = math.prod(shape), scalars.number(0.0)
    positions = np.arange(size).reshape(shape)[index]
    slots = np.broadcast_to(x, positions.shape)
    out = [zero] * size
    for position, slot in zip(positions.ravel().tolist(), slots.ravel().tolist(), strict=True):
        before = out[position]
        out[position] = slot if before == zero else scalars.apply(table.add, before, slot)
    return np.array(out, np.intp).reshape(shape)


def _norm(scalars: Scalars, x: Registers, **over: Any) -> Registers:
    total = _add_up(scalars, scalars.apply(table.multiply, x, x), **over)
    return scalars.apply(table.sqrt, total)


def _accumulate(primitive: Primitive) -> Function:
    """Return the expansion of running results of a primitive of two inputs."""

    def accumulate(scalars: Scalars, x: Registers, *, axis: int) -> Registers:
        parts = list(np.moveaxis(x, axis, 0))
        for i in range(1, len(parts)):
            parts[i] = np.asarray(scalars.apply(primitive, parts[i - 1], parts[i]))
        return np.moveaxis(np.stack(parts), 0, axis) if parts else x

    return accumulate


def _recurrence(scalars: Scalars, x: Registers, y: Registers, *, axis: int) -> Registers:
    parts = list(np.moveaxis(x, axis, 0))
    for i, factor in enumerate(np.moveaxis(y, axis, 0)):
        product = scalars.apply(table.multiply, factor, parts[i])
        parts[i + 1] = np.asarray(scalars.apply(table.add, parts[i + 1], product))
    return np.moveaxis(np.stack(parts), 0, axis) if parts else x


def _exponentials(
    scalars: Scalars, x: Registers, axis: Axis
) -> tuple[Registers, Registers, Registers]:
    """Return x - m, exp(x - m) and m: the largest x, held between 0 and floats if it is none."""
    largest = _largest(scalars, x, axis=axis, keepdims=True)
    largest = scalars.apply(table.minimum, largest, scalars.number(sys.float_info.max))
    nothing = scalars.apply(table.subtract, largest, largest)  # NaN where it is -inf
    zero = scalars.number(0.0)
    is_finite = scalars.apply(table.equal, nothing, zero)
    largest = scalars.apply(table.where, is_finite, largest, zero)
    below = scalars.apply(table.subtract, x, largest)
    return below, scalars.apply(table.exp, below), largest


def _softmax(scalars: Scalars, x: Registers, *, axis: Axis) -> Registers:
    _, powers, _ = _exponentials(scalars, x, axis)
    total = _add_up(scalars, powers, axis=axis, keepdims=True)
    return scalars.apply(table.divide, powers, total)


def _log_softmax(scalars: Scalars, x: Registers, *, axis: Axis) -> Registers:
    below, powers, _ = _exponentials(scalars, x, axis)
    total = _add_up(scalars, powers, axis=axis, keepdims=True)
    return scalars.apply(table.subtract, below, scalars.apply(table.log, total))


def _logsumexp(scalars: Scalars, x: Registers, *, axis: Axis, keepdims: bool) -> Registers:
    _, powers, largest = _exponentials(scalars, x, axis)
    total = _add_up(scalars, powers, axis=axis, keepdims=True)
    out = np.asarray(scalars.apply(table.add, scalars.apply(table.log, total), largest))
    return out if keepdims else out.squeeze(axis)


EXPANSIONS: dict[Primitive, Function] = {
    table.astype: lambda scalars, x, *, dtype: x,
    table.round: _round,
    shapes.sum: _add_up,
    reductions.prod: _fold(table.multiply, 1.0),
    reductions.max: _largest,
    reductions.min: _fold(table.minimum, np.inf),
    reductions.norm: _norm,
    reductions.cumsum: _accumulate(table.add),
    reductions.cumprod: _accumulate(table.multiply),
    reductions.recurrence: _recurrence,
    reductions.logsumexp: _logsumexp,
    reductions.softmax: _softmax,
    reductions.log_softmax: _log_softmax,
    linear_algebra.matmul: _matmul,
    linear_algebra.inner: lambda scalars, x, y: _matmul(scalars, x, y.T),
    indexing.scatter: _scatter,
}
