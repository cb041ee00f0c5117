"""What errors and warnings say: operations and their operands, NumPy's errors in three parts.

`warn_once` warns of what computes but is most likely a mistake, once at each line of the user's.
"""

import linecache
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from types import FrameType

import numpy as np

from .data import Operand, shape_of, shorten
from .errors import AutogradError, CallError, DomainError, IndexRangeError, ShapeError


def describe(x: Operand) -> str:
    """Return a short account of an operand for messages: its label, and its value or shape."""
    label = getattr(x, "label", None)
    name = f"{label} = " if label else ""
    shape = shape_of(x)
    if shape:
        return f"{name}shape {shape}"
    data = getattr(x, "_data", x)
    return f"{name}{data:.6g}" if isinstance(data, float | int) else f"{name}{shorten(repr(data))}"


def account(x: Operand) -> str:
    """Return a fuller account of an operand: of an array the range, and what is not finite.

    Example: >>> account(0.5), account(np.array([3.0, np.nan, 4.0]))
             ('0.5', 'shape (3,) from 3 to 4, 1 NaN')
    """
    data: Operand = getattr(x, "_data", x)
    if not shape_of(data):
        return describe(x)
    finite = data[np.isfinite(data)]
    span = f" from {finite.min():.6g} to {finite.max():.6g}" if finite.size else ""
    counts = {"NaN": np.isnan(data).sum(), "inf": np.isinf(data).sum()}
    bad = [f", {count} {kind}" for kind, count in counts.items() if count]
    return describe(x) + span + "".join(bad)


def operation(
    name: str, inputs: Sequence[Operand], account_of: Callable[[Operand], str] = describe
) -> str:
    """Return the name of an operation with an account of its operands."""
    return f"{name} of " + " and ".join(account_of(x) for x in inputs)


def made(node: Operand) -> str:
    """Return how a computed node was made: "log of x = 0"."""
    return operation(node.primitive.name, node.inputs, account)


def explained(name: str, inputs: Sequence[Operand], error: Exception) -> AutogradError:
    """Turn NumPy's error into one of three parts, with the operation and its operands."""
    given = operation(name, inputs)
    why = str(error)
    shapes = [shape_of(x) for x in inputs]
    if isinstance(error, np.exceptions.AxisError):
        return ShapeError(given, why, f"an axis from 0 to {len(shapes[0]) - 1}, or from the end")
    if isinstance(error, TypeError):
        return CallError(given, why, "numbers, and options of the types that it takes")
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


def with_article(noun: str) -> str:
    """Return a noun with its article.

    Example: >>> with_article("list"), with_article("int")
             ('a list', 'an int')
    """
    return f"an {noun}" if noun[:1] in tuple("aeioAEIO") else f"a {noun}"


def counted(count: int, noun: str) -> str:
    """Return a number of things, of which one is singular.

    Example: >>> counted(1, "result"), counted(2, "result")
             ('1 result', '2 results')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def check_function(name: str, f: object) -> None:
    """Refuse what cannot be called with numbers to give numbers, such as a Value for a function.

    Raises:  CallError: f cannot be called, or is a class whose objects hold no results.
    """
    is_class = isinstance(f, type) and f.__module__ != "builtins" and not issubclass(f, tuple)
    if callable(f) and not is_class:
        return
    kind = "a class" if is_class else with_article(type(f).__name__)
    given = f.__name__ if isinstance(f, type) else shorten(repr(f))
    why = f"it takes a function, and this is {kind}"
    raise CallError(f"{name} of {given}", why, f"{name}(f, ...) with a function: lambda x: x * x")


# The user's line is the innermost one that belongs to none of these packages and to no library
OUR_PACKAGES = frozenset({"autograd_core", "nn", "numpy", "contextlib"})
_PYTHON = (os.path.dirname(os.__file__) + os.sep, "<frozen ")
# What was warned of so far: kind, and the user's file and line
warned: set[tuple[str, str, int]] = set()


class GradientWarning(UserWarning):
    """A derivative is lost, or is one of another function than was most likely meant."""


def user_frame() -> FrameType:
    """Return the innermost frame that is the user's own, neither ours nor a library's."""
    frame: FrameType | None = sys._getframe(1)
    foreign = None
    while frame is not None:
        if package_of(frame) not in OUR_PACKAGES:
            if not is_library(frame):
                return frame
            foreign = foreign or frame
        last, frame = frame, frame.f_back
    return foreign or last


def user_line() -> str:
    """Return file, line number and text of the innermost line that is the user's own."""
    frame = user_frame()
    name, number = frame.f_code.co_filename, frame.f_lineno
    return f"{name}:{number}: {linecache.getline(name, number).strip()}".rstrip(": ")


def is_library(frame: FrameType) -> bool:
    """Tell whether a frame's code is installed, or belongs to Python itself."""
    return frame.f_code.co_filename.startswith(_PYTHON) or "-packages" in frame.f_code.co_filename


def package_of(frame: FrameType) -> str:
    """Return the name of the package that a frame's code belongs to."""
    name: str = frame.f_globals.get("__name__") or ""
    return name.partition(".")[0]


def warn_once(kind: str, given: str, why: str, instead: str, category: type[Warning]) -> None:
    """Warn at the user's line, unless it was warned of this kind of mistake before.

    Args:    kind: of mistake, such as "broadcast".
             given, why, instead: as in errors.
             category: the class of the warning.
    """
    frame = user_frame()
    file, line = frame.f_code.co_filename, frame.f_lineno
    if (kind, file, line) not in warned:
        warned.add((kind, file, line))
        warn_at(frame, f"{given}\n  why:   {why}\n  write: {instead}", category)


def warn_at(frame: FrameType, text: str, category: type[Warning]) -> None:
    """Warn at the line that a frame carries out."""
    warnings.warn_explicit(
        text,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__") or "<unknown>",  # of None nothing would be shown
        frame.f_globals.setdefault("__warningregistry__", {}),
    )
