"""What errors say about operations: their operands, and NumPy's complaints in three parts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .data import shape_of, shorten
from .errors import AutogradError, DomainError, IndexRangeError, ShapeError


def describe(x: Any) -> str:
    """Return a short account of an operand for messages: its label, and its value or shape."""
    label = getattr(x, "label", None)
    name = f"{label} = " if label else ""
    shape = shape_of(x)
    if shape:
        return f"{name}shape {shape}"
    data = getattr(x, "_data", x)
    return f"{name}{data:.6g}" if isinstance(data, float | int) else f"{name}{shorten(repr(data))}"


def account(x: Any) -> str:
    """Return a fuller account of an operand: of an array the range, and what is not finite.

    Example: >>> account(0.5), account(np.array([3.0, np.nan, 4.0]))
             ('0.5', 'shape (3,) from 3 to 4, 1 NaN')
    """
    data = getattr(x, "_data", x)
    if not shape_of(data):
        return describe(x)
    finite = data[np.isfinite(data)]
    span = f" from {finite.min():.6g} to {finite.max():.6g}" if finite.size else ""
    counts = {"NaN": np.isnan(data).sum(), "inf": np.isinf(data).sum()}
    bad = [f", {count} {kind}" for kind, count in counts.items() if count]
    return describe(x) + span + "".join(bad)


def operation(name: str, inputs: Any, told: Callable[[Any], str] = describe) -> str:
    """Return the name of an operation with an account of its operands."""
    return f"{name} of " + " and ".join(told(x) for x in inputs)


def made(node: Any) -> str:
    """Return how a computed node was made: "log of x = 0"."""
    return operation(node.primitive.name, node.inputs, account)


def explained(name: str, inputs: Any, error: Exception) -> AutogradError:
    """Turn NumPy's error into one of three parts, with the operation and its operands."""
    given = operation(name, inputs)
    why = str(error)
    shapes = [shape_of(x) for x in inputs]
    if isinstance(error, np.exceptions.AxisError):
        return ShapeError(given, why, f"an axis from 0 to {len(shapes[0]) - 1}, or from the end")
    if isinstance(error, IndexError):
        return IndexRangeError(given, why, "an index from -n to n - 1 for an axis of n")
    if not any(shapes):
        return DomainError(given, why, "numbers for which it is defined")
    if isinstance(error, np.linalg.LinAlgError) and "must be" not in why:
        return DomainError(given, why, "a matrix for which it is defined, or np.linalg.pinv")
    if "broadcast" in why and len(shapes) == 2:
        why = f"axes are paired from the right and must be equal or 1: {_clash(*shapes)}"
    return ShapeError(given, why, "shapes that fit: see reshape, .T, and None in an index")


def _clash(left: tuple[int, ...], right: tuple[int, ...]) -> str:
    """Name the axes in which two shapes do not broadcast."""
    return ", ".join(
        f"axis {-i} has {m} against {n}"
        for i, (m, n) in enumerate(zip(left[::-1], right[::-1], strict=False), 1)
        if m != n and 1 not in (m, n)
    )


def listed(names: list[str], limit: int = 4) -> str:
    """Return names as a phrase: "a, b and c", or the first ones and how many more there are.

    Example: >>> listed(["a", "b", "c"]), listed(list("abcdefg"))
             ('a, b and c', 'a, b, c, d and 3 more')
    """
    names = [shorten(name) for name in names]
    if len(names) > limit + 1:
        names = [*names[:limit], f"{len(names) - limit} more"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
