"""How operations are written: from a primitive and its operands to a formula."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..data import shorten
from ..primitives.shapes import Shape
from .terms import (
    ONE,
    ZERO,
    Term,
    call,
    negative,
    number,
    plus,
    power,
    product,
    quotient,
)


def _compared(comparison: str) -> Callable[..., Term]:
    return lambda x, y: Term("compare", (comparison, x, y))


def _difference(x: Term, y: Term) -> Term:
    return plus(x, negative(y))


# Options that say nothing about the mathematics
UNTOLD = frozenset(["optimize", "dtype", "kth"])
FEW = 6  # elements of an index that are shown
# Over no axis there is nothing to reduce
OF_A_NUMBER_ITSELF = frozenset(["sum", "prod", "max", "min", "logsumexp"])
COLUMN, ROW = "..., None", "..., None, :"  # how a vector becomes a matrix
# Where an operation is written otherwise than its name(operands, options)
SYNTAX: dict[str, Callable[..., Term]] = {
    "identity": lambda x: x,
    "add": plus,
    "subtract": _difference,
    "multiply": product,
    "zero_times": product,
    "divide": quotient,
    "ratio": quotient,
    "power": power,
    "power_log": lambda x, y, n: product(power(x, y), power(call("log", x), n)),
    "negative": negative,
    "reciprocal": lambda x: quotient(ONE, x),
    "square": lambda x: power(x, number(2)),
    "tanh_slope": lambda x: _difference(ONE, power(call("tanh", x), number(2))),
    "sigmoid_slope": lambda x: product(call("sigmoid", x), _difference(ONE, call("sigmoid", x))),
    "absolute": lambda x: call("abs", x),
    "floor_divide": lambda x, y: call("floor", quotient(x, y)),
    "maximum": lambda x, y: call("max", x, y),
    "minimum": lambda x, y: call("min", x, y),
    "greater": _compared(">"),
    "greater_equal": _compared(">="),
    "equal": _compared("=="),
    "gate": lambda g, x: product(g, Term("compare", (">", x, ZERO))),
    "where": lambda condition, x, y: Term("where", (condition, x, y)),
    "matmul": lambda x, y: Term("matmul", (x, y)),
    "inner": lambda x, y: Term("matmul", (x, Term("transposed", (y,)))),
    "astype": lambda x, dtype: call(f"{dtype}", x),
    "getitem": lambda x, index: Term("index", (x, index_text(index))),
    "scatter": lambda x, index, shape: call(
        "put_back", x, index=f"[{index_text(index)}]", shape=str(shape)
    ),
}


def operation(
    name: str, operands: list[Term], params: dict[str, Any] | None, shapes: list[Shape]
) -> Term:
    """Return an operation on operands as a formula.

    Args:    name: of the primitive.
             operands: what it is applied to, in order.
             params: its keyword arguments, or None.
             shapes: of the operands.
    """
    params = params or {}
    first = operands[0]
    if params.get("shape") == shapes[0] or (not shapes[0] and name in OF_A_NUMBER_ITSELF):
        return first
    if name == "transpose":
        return _transposed(first, params["axes"])
    if name == "broadcast_to" and first.head == "call" and first.parts[0] == "reshape":
        # How reductions give each element its share: new axes, and repetition along them
        return call("spread", first.parts[1][0], shape=str(params["shape"]))
    if vectors := _of_vectors(name, operands, params, [len(shape) for shape in shapes]):
        return vectors
    if name in SYNTAX:
        return SYNTAX[name](*operands, **params)
    options = {
        key: shorten(str(x))
        for key, x in params.items()
        if not (key in UNTOLD or x is None or x is False)
    }
    return call(name, *operands, **options)


def _transposed(x: Term, axes: tuple[int, ...]) -> Term:
    swapped = (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2)
    if axes == swapped:
        return x.parts[0] if x.head == "transposed" else Term("transposed", (x,))
    return call("transpose", x, axes=str(axes))


def _of_vectors(
    name: str, operands: list[Term], params: dict[str, Any], ranks: list[int]
) -> Term | None:
    """Return what rules do with a vector by way of a matrix of one row, or one column."""
    first = operands[0]
    if name == "multiply" and ranks[0] == 2 and _is_index(first, COLUMN):
        if _is_index(operands[1], ROW) and ranks[1] == 2:
            return call("outer", first.parts[0], operands[1].parts[0])
        if ranks[1] == 1:
            return call("outer", first.parts[0], operands[1])
    if name == "getitem" and ranks[0] == 2 and first.head == "matmul":
        x, y = first.parts
        taken = index_text(params["index"])
        if taken == "..., 0, :" and _is_index(x, ROW):
            return Term("matmul", (x.parts[0], y))
        if taken == "..., 0" and _is_index(y, COLUMN):
            return Term("matmul", (x, y.parts[0]))
    return None


def _is_index(term: Term, text: str) -> bool:
    return term.head == "index" and term.parts[1] == text


def constant(x: Any) -> Term:
    """Return plain data as a term: a number, or the shape of an array."""
    if isinstance(x, np.ndarray):
        return call("array", *[Term("number", (float(n),)) for n in x.shape])
    return number(x)


def index_text(index: Any) -> str:
    """Return an index as it is written between brackets.

    Example: >>> index_text((slice(None), slice(2, None, 3), None, 0))
             ':, 2::3, None, 0'
    """
    if isinstance(index, tuple):
        return ", ".join([index_text(each) for each in index])
    if isinstance(index, slice):
        start, stop, step = ["" if x is None else str(x) for x in _ends(index)]
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if index is Ellipsis:
        return "..."
    if isinstance(index, np.ndarray) and index.size > FEW:
        return f"array of shape {index.shape}"
    return str(index.tolist() if isinstance(index, np.ndarray) else index)


def _ends(index: slice) -> tuple[Any, Any, Any]:
    return index.start, index.stop, index.step
