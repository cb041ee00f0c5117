"""Convolution, with its adjoints by the input and by the weights.

Rows are read as in elementwise.py. All three come from one form, linear in each of x, w and y:
the sum of x[n, p * stride + o * dilation, c] * w[f, c, o] * y[n, p, f] over samples n, places p,
offsets o in a window, channels c and filters f. What stands before one of the three is a function
of the other two; so the rules of each are the other two, and derivatives of any order are at hand.

Windows are copied into a matrix, one a row, to be multiplied by BLAS; for a part of the samples at
a time, so that the matrix stays in the cache, and nothing of its size stays in the graph.
"""

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from ..data import Array, Operand, shape_of
from ..errors import ShapeError
from ..graph import Primitive

Lengths: TypeAlias = tuple[int, ...]

PART = 2**19  # how many numbers of windows are copied at a time
FEW_CHANNELS = 8  # with fewer, windows are copied quicker offset by offset than place by place


def _rows(x: Array, size: Lengths, strides: Lengths, dilation: Lengths) -> Array:
    """Return the windows of x, one a row: (samples * places, offsets * channels)."""
    rank, channels = len(size), x.shape[-1]
    reaches = reach(size, dilation)
    seen = np.lib.stride_tricks.sliding_window_view(x, reaches, tuple(range(1, rank + 1)))
    steps = (*[slice(None, None, n) for n in strides], slice(None))
    seen = seen[(slice(None), *steps, *[slice(None, None, n) for n in dilation])]
    places, window = range(rank + 1), (*range(rank + 2, 2 * rank + 2), rank + 1)
    count, numbers = math.prod(seen.shape[: rank + 1]), channels * math.prod(size)
    if channels < FEW_CHANNELS:
        return seen.transpose(*window, *places).reshape(numbers, count).T
    return seen.transpose(*places, *window).reshape(count, numbers)


def _matrix(x: Array) -> Array:
    """Return an array as a matrix, whose rows are along its last axis."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def reach(size: Lengths, dilation: Lengths) -> Lengths:
    """Return over how many elements of each axis a window reaches."""
    return tuple([(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)])


def _parts(samples: int, numbers: int) -> Iterator[slice]:
    step = max(1, PART // max(numbers, 1))
    return (slice(i, i + step) for i in range(0, samples, step))


def _convolve(x: Array, w: Array, *, strides: Lengths, dilation: Lengths) -> Array:
    _check(x, w, dilation)
    filters, _, *size = w.shape
    reaches = zip(x.shape[1:-1], reach(size, dilation), strides, strict=True)
    places = [(n - r) // s + 1 for n, r, s in reaches]
    kernel = _matrix(np.moveaxis(w, (0, 1), (-1, -2)))
    out = np.empty((len(x), *places, filters), np.result_type(x, w))
    for part in _parts(len(x), math.prod(places) * len(kernel)):
        rows = _rows(x[part], size, strides, dilation)
        np.dot(rows, kernel, out=_matrix(out[part]))
    return out


def _check(x: Array, w: Array, dilation: Lengths) -> None:
    given = f"convolve of shape {np.shape(x)} and shape {np.shape(w)}"
    if x.ndim != w.ndim or w.ndim < 3 or x.shape[-1] != w.shape[1]:
        raise ShapeError(
            given,
            "the last axis of the first, its channels, must be axis 1 of the weights",
            "x of shape (batch, height, width, channels) and weights of shape (filters, channels, "
            "height, width); or with any other number of axes instead of height and width",
        )
    reaches = reach(w.shape[2:], dilation)
    if any(n < r for n, r in zip(x.shape[1:-1], reaches, strict=True)):
        raise ShapeError(
            given,
            f"windows reach over {' x '.join(map(str, reaches))}, more than there is",
            "a smaller window or dilation; or np.pad(x, width) before",
        )


def _spread(y: Array, w: Array, *, lengths: Lengths, strides: Lengths, dilation: Lengths) -> Array:
    _, channels, *size = w.shape
    kernel = np.ascontiguousarray(np.moveaxis(w, (0, 1), (-2, -1)))
    places = y.shape[1:-1]
    out = np.zeros((len(y), *lengths, channels), np.result_type(y, w))
    for part in _parts(len(y), math.prod(places) * channels):
        rows = _matrix(y[part])
        for offset in np.ndindex(*size):
            taken = [
                slice(o * d, o * d + (n - 1) * s + 1, s)
                for o, d, n, s in zip(offset, dilation, places, strides, strict=True)
            ]
            reached = out[(part, *taken)]
            reached += rows.dot(kernel[offset]).reshape(reached.shape)
    return out


def _match(x: Array, y: Array, *, size: Lengths, strides: Lengths, dilation: Lengths) -> Array:
    channels, filters = x.shape[-1], y.shape[-1]
    numbers = channels * math.prod(size)
    total = np.zeros((numbers, filters), np.result_type(x, y))
    for part in _parts(len(x), math.prod(y.shape[1:-1]) * numbers):
        total += _rows(x[part], size, strides, dilation).T.dot(_matrix(y[part]))
    out = np.moveaxis(total.reshape(*size, channels, filters), (-1, -2), (0, 1))
    return np.ascontiguousarray(out)


def _inner(x: Operand) -> Lengths:
    return shape_of(x)[1:-1]


def _size(w: Operand) -> Lengths:
    return shape_of(w)[2:]


# fmt: off
convolve: Primitive = Primitive("convolve", _convolve,
    lambda g, out, x, w, **steps: spread_windows(g, w, lengths=_inner(x), **steps),
    lambda g, out, x, w, **steps: match_windows(x, g, size=_size(w), **steps),
    linear=True)
# Each y times the filter that made it, added where the filter had looked
spread_windows: Primitive = Primitive("spread_windows", _spread,
    lambda g, out, y, w, *, lengths, **steps: convolve(g, w, **steps),
    lambda g, out, y, w, *, lengths, **steps: match_windows(g, y, size=_size(w), **steps),
    linear=True)
# Each window of x times the y at its place, summed over all places
match_windows: Primitive = Primitive("match_windows", _match,
    lambda g, out, x, y, *, size, **steps: spread_windows(y, g, lengths=_inner(x), **steps),
    lambda g, out, x, y, *, size, **steps: convolve(x, g, **steps),
    linear=True)
# fmt: on
