"""The table of ONNX: each primitive that has operators there, with those operators.

An entry takes the graph, the operation and the names of its inputs, which all have the type in
which it computes; it adds nodes and returns the name of the last one's output. Or it is a Formula.
A primitive that is not in the table, such as one of the user's under a name in it, cannot be
exported.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from autograd_core import UnsupportedError, erf, softplus
from autograd_core.data import Function, Index, Operand, Result

from .onnx_graph import Graph, Operation

Entry = Callable[..., str]


def _reduction(operator: str, graph: Graph, operation: Operation, x: str) -> str:
    axis, keepdims = operation.params["axis"], operation.params["keepdims"]
    axes = [] if axis is None else [graph.integers(np.atleast_1d(axis))]
    return graph.node(operator, x, *axes, keepdims=int(keepdims))


def _along_axis(operator: str, graph: Graph, operation: Operation, x: str) -> str:
    axis = operation.params["axis"]
    if not isinstance(axis, int):
        raise UnsupportedError(
            f"{operation.name} over axis {axis} in ONNX",
            f"its operator {operator} goes along one axis",
            f"np.exp(x - logsumexp(x, {axis}, keepdims=True)), or its logarithm",
        )
    return graph.node(operator, x, axis=axis)


def _comparison(operator: str, graph: Graph, operation: Operation, x: str, y: str) -> str:
    return graph.cast(graph.node(operator, x, y), operation.dtype)


class Formula(NamedTuple):
    """An elementwise primitive as a function of others, which are exported."""

    function: Function


def _log1p(x: Operand) -> Result:
    """log(u) x / (u - 1) where u = 1 + x, whose roundings cancel; x where u is 1, or x is inf."""
    u = 1.0 + x
    product = np.log(u) * (x / (u - 1.0))
    return np.where(np.equal(u, 1.0), x, np.where(np.equal(x, math.inf), x, product))


def _logaddexp(x: Operand, y: Operand) -> Result:
    """The larger one + softplus(-|x - y|); two that are equal, and infinite ones, are 0 apart."""
    apart = np.where(np.equal(x, y), 0.0, np.abs(x - y))
    return np.maximum(x, y) + softplus(-apart)


def _power(graph: Graph, operation: Operation, x: str, y: str) -> str:
    """Pow; the root where the exponent is 0.5, as of arrays here: of -inf it is NaN."""
    exponent = graph.constants.get(y)
    if exponent is not None and not exponent.ndim:
        return graph.node("Sqrt", x) if exponent == 0.5 else graph.node("Pow", x, y)
    is_root = graph.node("Equal", y, graph.number(0.5, operation.dtype))
    return graph.node("Where", is_root, graph.node("Sqrt", x), graph.node("Pow", x, y))


def _softplus(graph: Graph, operation: Operation, x: str) -> str:
    """The operator; in float64, where runtimes let it overflow, relu(x) + softplus(-|x|)."""
    if operation.dtype == np.float32:
        return graph.node("Softplus", x)
    tail = graph.node("Softplus", graph.node("Neg", graph.node("Abs", x)))
    return graph.node("Add", graph.node("Relu", x), tail)


def _erf(graph: Graph, operation: Operation, x: str) -> str:
    """2 x / sqrt(pi) times the integral of exp(-(x t)^2) over t from 0 to 1, by Gauss-Legendre.

    Runtimes have Erf in float32 only. From 6 on, where erf rounds to 1, the sign of x is taken:
    1 - erf(-x) in gelu is then exactly 0 on the left.
    """
    if operation.dtype == np.float32:
        return graph.node("Erf", x)
    nodes, weights = np.polynomial.legendre.leggauss(48)
    limit = graph.number(6.0, operation.dtype)
    is_far = graph.node("GreaterOrEqual", graph.node("Abs", x), limit)
    sign = graph.node("Sign", x)
    x = graph.node("Where", is_far, sign, x)  # far numbers are not needed, and overflow
    places = graph.constant((nodes + 1) / 2)
    inner = graph.node("Mul", graph.node("Unsqueeze", x, graph.integers([-1])), places)
    bells = graph.node("Exp", graph.node("Neg", graph.node("Mul", inner, inner)))
    mean = graph.node("MatMul", bells, graph.constant(weights / math.pi**0.5))
    return graph.node("Where", is_far, sign, graph.node("Mul", x, mean))


def _round(graph: Graph, operation: Operation, x: str) -> str:
    factor = graph.number(10.0 ** operation.params["decimals"], operation.dtype)
    return graph.node("Div", graph.node("Round", graph.node("Mul", x, factor)), factor)


def _resized(
    operator: str, graph: Graph, operation: Operation, x: str, infers: bool = False
) -> str:
    shape, larger = operation.params["shape"], operation.larger.params["shape"]
    return graph.node(operator, x, graph.lengths(shape, larger, infers))


def _transpose(graph: Graph, operation: Operation, x: str) -> str:
    axes = operation.params["axes"]
    rank = len(operation.shape)
    order = range(rank)[::-1] if axes is None else [axis % rank for axis in axes]
    return graph.node("Transpose", x, perm=[*order])


def _inner(graph: Graph, operation: Operation, x: str, y: str) -> str:
    if len(operation.shapes[0]) == 2:
        return graph.node("Gemm", x, y, transB=1)
    return graph.node("MatMul", x, graph.node("Transpose", y, perm=[1, 0]))


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


def _parts(index: Index, rank: int) -> list[Index]:
    """Return an index with one entry for every axis, and None for each new one."""
    parts = [*index] if isinstance(index, tuple) else [index]
    at = next((i for i, part in enumerate(parts) if part is ...), len(parts))
    before, after = parts[:at], parts[at + 1 :]
    taken = sum(_axes(part) for part in before + after)
    return [*before, *[slice(None)] * (rank - taken), *after]


def _axes(part: Index) -> int:
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


def _take(graph: Graph, operation: Operation, x: str, parts: list[Index]) -> str:
    """Take elements by arrays of positions: along one axis, or by their numbers in x."""
    chosen = [i for i, part in enumerate(parts) if not _is_whole(part)]
    places = np.asarray(parts[chosen[0]])
    if len(chosen) == 1 and places.dtype != bool:
        return graph.node("Gather", x, graph.constant(places.astype(np.int64)), axis=chosen[0])
    shape = operation.fixed(operation.shapes[0], operation.larger.shapes[0])
    numbers = np.arange(math.prod(shape)).reshape(shape)[operation.params["index"]]
    flat = graph.node("Reshape", x, graph.integers([-1]))
    return graph.node("Gather", flat, graph.constant(numbers.astype(np.int64)), axis=0)


def _is_whole(part: Index) -> bool:
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


# Primitives that are one operator, under the same name in lower case, or under another one
_SAME_NAME = (
    *("identity", "add", "reciprocal", "sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh"),
    *("tanh", "sigmoid", "relu", "sign", "floor", "ceil", "det"),
)
_OTHER_NAME = {
    "astype": "Identity",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "float_power": "Pow",
    "negative": "Neg",
    "absolute": "Abs",
    **{f"arc{name}": f"A{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "maximum": "Max",
    "minimum": "Min",
    "matmul": "MatMul",
}


def _direct(operator: str, graph: Graph, operation: Operation, *inputs: str) -> str:
    return graph.node(operator, *inputs)


OPERATORS: dict[str, Entry | Formula] = {
    **{name: partial(_direct, name.capitalize()) for name in _SAME_NAME},
    **{name: partial(_direct, operator) for name, operator in _OTHER_NAME.items()},
    # Element by element
    "expm1": Formula(lambda x: np.tanh(0.5 * x) * (np.exp(x) + 1.0)),  # exact near 0, too
    "log1p": Formula(_log1p),
    "power": _power,
    "erf": _erf,
    "erfc": Formula(lambda x: 1.0 - erf(x)),
    "logaddexp": Formula(_logaddexp),
    "softplus": _softplus,
    "greater": partial(_comparison, "Greater"),
    "greater_equal": partial(_comparison, "GreaterOrEqual"),
    "equal": partial(_comparison, "Equal"),
    "where": lambda graph, operation, condition, x, y: graph.node(
        "Where", graph.cast(condition, bool), x, y
    ),
    "round": _round,
    # Shapes
    "reshape": partial(_resized, "Reshape", infers=True),
    "broadcast_to": partial(_resized, "Expand"),
    "transpose": _transpose,
    "concatenate": lambda graph, operation, *inputs: graph.node(
        "Concat", *inputs, axis=operation.params["axis"]
    ),
    # Many numbers into fewer
    "sum": partial(_reduction, "ReduceSum"),
    "prod": partial(_reduction, "ReduceProd"),
    "max": partial(_reduction, "ReduceMax"),
    "min": partial(_reduction, "ReduceMin"),
    "norm": partial(_reduction, "ReduceL2"),
    "logsumexp": partial(_reduction, "ReduceLogSumExp"),
    "cumsum": lambda graph, operation, x: graph.node(
        "CumSum", x, graph.number(operation.params["axis"], np.int64)
    ),
    "softmax": partial(_along_axis, "Softmax"),
    "log_softmax": partial(_along_axis, "LogSoftmax"),
    # Elements taken out, put elsewhere, or looked at through windows
    "getitem": _getitem,
    "getitem_at": _getitem_at,
    "scatter": _scatter,
    "windows": _windows,
    # Products
    "convolve": _convolve,
    "inner": _inner,
    "einsum": lambda graph, operation, *inputs: graph.node(
        "Einsum", *inputs, equation=operation.params["subscripts"]
    ),
}
