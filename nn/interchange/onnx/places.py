"""Operators of ONNX that take elements out, put them elsewhere, or look through windows."""

import math
from typing import Any

import numpy as np

from autograd_core import UnsupportedError

from .graph import Graph, Operation
from .operators import Entry

_END = 2**63 - 1  # as a bound of a slice: the axis's end, however long it is


def _getitem(graph: Graph, operation: Operation, x: str) -> str:
    parts = _parts(operation.params["index"], len(operation.shapes[0]))
    arrays = [part for part in parts if isinstance(part, np.ndarray | list)]
    if arrays:
        return _take(graph, operation, x, parts)
    axes = [part for part in parts if part is not None]
    slices = {i: p for i, p in enumerate(axes) if isinstance(p, slice) and p != slice(None)}
    if slices:
        x = _slice(graph, x, slices)
    kept = 0
    for part in axes:
        if isinstance(part, slice):
            kept += 1
        else:
            x = graph.node("Gather", x, graph.number(part, np.int64), axis=kept)
    left = [part for part in parts if part is None or isinstance(part, slice)]
    new = [i for i, part in enumerate(left) if part is None]
    return graph.node("Unsqueeze", x, graph.integers(new)) if new else x


def _parts(index: Any, rank: int) -> list[Any]:
    """Return an index with one entry for every axis, and None for each new one."""
    parts = [*index] if isinstance(index, tuple) else [index]
    at = next((i for i, part in enumerate(parts) if part is ...), len(parts))
    before, after = parts[:at], parts[at + 1 :]
    taken = sum(_axes(part) for part in before + after)
    return [*before, *[slice(None)] * (rank - taken), *after]


def _axes(part: Any) -> int:
    """Return over how many axes a part of an index goes: a mask over each of its own."""
    if part is None:
        return 0
    is_mask = isinstance(part, np.ndarray) and part.dtype == bool
    return part.ndim if is_mask else 1


def _slice(graph: Graph, x: str, slices: dict[int, slice]) -> str:
    steps = {axis: 1 if part.step is None else part.step for axis, part in slices.items()}
    bounds = [
        (_bound(part.start, 0 if steps[axis] > 0 else _END),
         _bound(part.stop, _END if steps[axis] > 0 else -_END))
        for axis, part in slices.items()
    ]  # fmt: skip
    starts, ends = zip(*bounds, strict=True)
    given = (starts, ends, slices, steps.values())
    return graph.node("Slice", x, *[graph.integers(numbers) for numbers in given])


def _bound(bound: int | None, otherwise: int) -> int:
    return otherwise if bound is None else bound


def _take(graph: Graph, operation: Operation, x: str, parts: list[Any]) -> str:
    """Take elements by arrays of positions: along one axis, or by their numbers in x."""
    chosen = [i for i, part in enumerate(parts) if not _is_whole(part)]
    places = np.asarray(parts[chosen[0]])
    if len(chosen) == 1 and places.dtype != bool:
        return graph.node("Gather", x, graph.constant(places.astype(np.int64)), axis=chosen[0])
    shape = operation.fixed(operation.shapes[0], operation.larger.shapes[0])
    numbers = np.arange(math.prod(shape)).reshape(shape)[operation.params["index"]]
    flat = graph.node("Reshape", x, graph.integers([-1]))
    return graph.node("Gather", flat, graph.constant(numbers.astype(np.int64)), axis=0)


def _is_whole(part: Any) -> bool:
    return isinstance(part, slice) and part == slice(None)


def _getitem_at(graph: Graph, operation: Operation, x: str, *places: str) -> str:
    """Take elements along one axis, where positions are data, too."""
    index, slots = operation.params["index"], operation.params["slots"]
    parts = _parts(index, len(operation.shapes[0]))
    if len(slots) != 1 or not all(_is_whole(p) for i, p in enumerate(parts) if i != slots[0]):
        raise _places_error("getitem with positions along several axes")
    return graph.node("Gather", x, graph.cast(places[0], np.int64), axis=slots[0])


def _scatter(graph: Graph, operation: Operation, x: str) -> str:
    """Put zeros around x, as np.pad does."""
    widths = _widths(operation)
    return graph.node("Pad", x, graph.integers(operation.fixed(widths, _widths(operation.larger))))


def _widths(operation: Operation) -> list[int]:
    """Return how many zeros stand before and after x, all axes before first.

    Raises:  UnsupportedError: the elements of x do not stay side by side.
    """
    index, (inside,), shape = operation.params["index"], operation.shapes, operation.shape
    parts = index if isinstance(index, tuple) else (index,)
    parts = (*parts, *[slice(None)] * (len(shape) - len(parts)))
    if len(inside) != len(shape) or any(
        not isinstance(part, slice) or part.step not in (None, 1) for part in parts
    ):
        raise _places_error("scatter, other than the border of np.pad,")
    before = [part.indices(n)[0] for part, n in zip(parts, shape, strict=True)]
    after = [n - a - m for n, a, m in zip(shape, before, inside, strict=True)]
    return before + after


def _windows(graph: Graph, operation: Operation, x: str) -> str:
    axis, options = operation.params["axis"], operation.params
    count = operation.fixed(operation.shape[axis], operation.larger.shape[axis])
    first = np.arange(count)[:, None] * options["stride"]
    seen = graph.constant(first + np.arange(options["size"]) * options["dilation"])
    taken = graph.node("Gather", x, seen, axis=axis)
    rank = len(operation.shape)
    order = [i for i in range(rank) if i != axis + 1]
    return graph.node("Transpose", taken, perm=[*order, axis + 1])


def _convolve(graph: Graph, operation: Operation, x: str, weight: str) -> str:
    if operation.dtype != np.float32:  # for which runtimes have no Conv
        return _convolve_by_products(graph, operation, x, weight)
    last = len(operation.shape) - 1
    first = graph.node("Transpose", x, perm=[0, last, *range(1, last)])
    out = graph.node(
        "Conv",
        *(first, weight),
        kernel_shape=operation.shapes[1][2:],
        strides=operation.params["strides"],
        dilations=operation.params["dilation"],
    )
    return graph.node("Transpose", out, perm=[0, *range(2, last + 1), 1])


def _convolve_by_products(graph: Graph, operation: Operation, x: str, weight: str) -> str:
    """The sum over all offsets in a window of what lies there times the weights for it."""
    filters, channels, *size = operation.shapes[1]
    axes = range(2, len(size) + 2)
    kernel = graph.node("Transpose", weight, perm=[*axes, 1, 0])
    kernel = graph.node("Reshape", kernel, graph.integers([-1, channels, filters]))
    places = operation.shape[1:-1]
    strides, dilation = operation.params["strides"], operation.params["dilation"]
    products = []
    for number, offset in enumerate(np.ndindex(*size)):
        slices = {
            axis + 1: slice(o * d, o * d + (n - 1) * s + 1, s)
            for axis, (o, d, n, s) in enumerate(zip(offset, dilation, places, strides, strict=True))
        }
        weights = graph.node("Gather", kernel, graph.number(number, np.int64), axis=0)
        products.append(graph.node("MatMul", _slice(graph, x, slices), weights))
    return graph.node("Sum", *products)


def _places_error(given: str) -> UnsupportedError:
    return UnsupportedError(
        f"{given} in ONNX", "there is no operator that does the same", "plain indices and slices"
    )


PLACES: dict[str, Entry] = {
    "getitem": _getitem,
    "getitem_at": _getitem_at,
    "scatter": _scatter,
    "windows": _windows,
    "convolve": _convolve,
}
