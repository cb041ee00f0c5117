"""THE TABLE of ONNX: every primitive that has operators there, with what they are.

An entry takes the graph, the operation and the names of its inputs, which all have the type in
which it computes; it adds nodes and returns the name of the last one's output. A primitive that is
not in the table cannot be exported.
"""

import math
from collections.abc import Callable

import numpy as np

from autograd_core import UnsupportedError

from .graph import Graph, Operation

Entry = Callable[..., str]


def _reduction(operator: str) -> Entry:
    def entry(graph: Graph, operation: Operation, x: str) -> str:
        axis, keepdims = operation.params["axis"], operation.params["keepdims"]
        axes = [] if axis is None else [graph.integers(np.atleast_1d(axis))]
        return graph.node(operator, x, *axes, keepdims=int(keepdims))

    return entry


def _along_axis(operator: str) -> Entry:
    def entry(graph: Graph, operation: Operation, x: str) -> str:
        axis = operation.params["axis"]
        if not isinstance(axis, int):
            raise UnsupportedError(
                f"{operation.name} over axis {axis} in ONNX",
                f"its operator {operator} goes along one axis",
                f"np.exp(x - logsumexp(x, {axis}, keepdims=True)), or its logarithm",
            )
        return graph.node(operator, x, axis=axis)

    return entry


def _comparison(operator: str) -> Entry:
    return lambda graph, operation, x, y: graph.cast(graph.node(operator, x, y), operation.dtype)


def _where(graph: Graph, operation: Operation, condition: str, x: str, y: str) -> str:
    return graph.node("Where", graph.cast(condition, bool), x, y)


def _expm1(graph: Graph, operation: Operation, x: str) -> str:
    """exp(x) - 1 = tanh(x / 2) (exp(x) + 1), which is exact near 0, too."""
    half = graph.node("Mul", x, graph.number(0.5, operation.dtype))
    above = graph.node("Add", graph.node("Exp", x), graph.number(1.0, operation.dtype))
    return graph.node("Mul", graph.node("Tanh", half), above)


def _log1p(graph: Graph, operation: Operation, x: str) -> str:
    """log(u) x / (u - 1) where u = 1 + x, whose roundings cancel; x where u is 1."""
    one = graph.number(1.0, operation.dtype)
    u = graph.node("Add", one, x)
    share = graph.node("Div", x, graph.node("Sub", u, one))
    product = graph.node("Mul", graph.node("Log", u), share)
    return graph.node("Where", graph.node("Equal", u, one), x, product)


def _logaddexp(graph: Graph, operation: Operation, x: str, y: str) -> str:
    """The larger one + softplus(-|x - y|); two that are equal, and infinite ones, are 0 apart."""
    apart = graph.node("Abs", graph.node("Sub", x, y))
    zero = graph.number(0.0, operation.dtype)
    distance = graph.node("Where", graph.node("Equal", x, y), zero, apart)
    return graph.node(
        "Add", graph.node("Max", x, y), graph.node("Softplus", graph.node("Neg", distance))
    )


def _softplus(graph: Graph, operation: Operation, x: str) -> str:
    """The operator; in float64, where runtimes let it overflow, relu(x) + softplus(-|x|)."""
    if operation.dtype == np.float32:
        return graph.node("Softplus", x)
    tail = graph.node("Softplus", graph.node("Neg", graph.node("Abs", x)))
    return graph.node("Add", graph.node("Relu", x), tail)


def _erf(graph: Graph, operation: Operation, x: str) -> str:
    """2 x / sqrt(pi) times the integral of exp(-(x t)^2) over t from 0 to 1, by Gauss-Legendre.

    Runtimes have Erf in float32 only. Beyond 6, where erf rounds to 1, x is held.
    """
    if operation.dtype == np.float32:
        return graph.node("Erf", x)
    nodes, weights = np.polynomial.legendre.leggauss(48)
    limits = graph.number(-6.0, operation.dtype), graph.number(6.0, operation.dtype)
    x = graph.node("Clip", x, *limits)
    places = graph.constant((nodes + 1) / 2)
    inner = graph.node("Mul", graph.node("Unsqueeze", x, graph.integers([-1])), places)
    bells = graph.node("Exp", graph.node("Neg", graph.node("Mul", inner, inner)))
    return graph.node("Mul", x, graph.node("MatMul", bells, graph.constant(weights / math.pi**0.5)))


def _round(graph: Graph, operation: Operation, x: str) -> str:
    factor = graph.number(10.0 ** operation.params["decimals"], operation.dtype)
    return graph.node("Div", graph.node("Round", graph.node("Mul", x, factor)), factor)


def _reshape(graph: Graph, operation: Operation, x: str) -> str:
    shape, larger = operation.params["shape"], operation.larger.params["shape"]
    return graph.node("Reshape", x, graph.lengths(shape, larger, infers=True))


def _broadcast_to(graph: Graph, operation: Operation, x: str) -> str:
    shape, larger = operation.params["shape"], operation.larger.params["shape"]
    return graph.node("Expand", x, graph.lengths(shape, larger))


def _transpose(graph: Graph, operation: Operation, x: str) -> str:
    axes = operation.params["axes"]
    rank = len(operation.shape)
    order = range(rank)[::-1] if axes is None else [axis % rank for axis in axes]
    return graph.node("Transpose", x, perm=[*order])


def _cumsum(graph: Graph, operation: Operation, x: str) -> str:
    return graph.node("CumSum", x, graph.number(operation.params["axis"], np.int64))


def _inner(graph: Graph, operation: Operation, x: str, y: str) -> str:
    if len(operation.shapes[0]) == 2:
        return graph.node("Gemm", x, y, transB=1)
    return graph.node("MatMul", x, graph.node("Transpose", y, perm=[1, 0]))


_SAME_OPERATOR = {
    "identity": "Identity",
    "astype": "Identity",
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "power": "Pow",
    "negative": "Neg",
    "reciprocal": "Reciprocal",
    "absolute": "Abs",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "arcsin": "Asin",
    "arccos": "Acos",
    "arctan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "tanh": "Tanh",
    "arcsinh": "Asinh",
    "arccosh": "Acosh",
    "arctanh": "Atanh",
    "sigmoid": "Sigmoid",
    "relu": "Relu",
    "maximum": "Max",
    "minimum": "Min",
    "sign": "Sign",
    "floor": "Floor",
    "ceil": "Ceil",
    "matmul": "MatMul",
    "det": "Det",
}


def _direct(operator: str) -> Entry:
    return lambda graph, operation, *inputs: graph.node(operator, *inputs)


OPERATORS: dict[str, Entry] = {
    **{name: _direct(operator) for name, operator in _SAME_OPERATOR.items()},
    # Element by element
    "expm1": _expm1,
    "log1p": _log1p,
    "erf": _erf,
    "logaddexp": _logaddexp,
    "softplus": _softplus,
    "greater": _comparison("Greater"),
    "greater_equal": _comparison("GreaterOrEqual"),
    "equal": _comparison("Equal"),
    "where": _where,
    "round": _round,
    # Shapes
    "reshape": _reshape,
    "broadcast_to": _broadcast_to,
    "transpose": _transpose,
    "concatenate": lambda graph, operation, *inputs: graph.node(
        "Concat", *inputs, axis=operation.params["axis"]
    ),
    # Many numbers into fewer
    "sum": _reduction("ReduceSum"),
    "prod": _reduction("ReduceProd"),
    "max": _reduction("ReduceMax"),
    "min": _reduction("ReduceMin"),
    "norm": _reduction("ReduceL2"),
    "logsumexp": _reduction("ReduceLogSumExp"),
    "cumsum": _cumsum,
    "softmax": _along_axis("Softmax"),
    "log_softmax": _along_axis("LogSoftmax"),
    # Products
    "inner": _inner,
    "einsum": lambda graph, operation, *inputs: graph.node(
        "Einsum", *inputs, equation=operation.params["subscripts"]
    ),
}
