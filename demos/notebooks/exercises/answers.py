"""Answers in every form that says the same, judged at the precision with which they are written.

What an exercise asks for is read by one of these functions. Each takes Values, arrays and NumPy's
numbers for what they hold, takes text where a number is meant, and raises `Misread` with a sentence
for what has no such meaning.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import wraps
from typing import Any

import numpy as np

from autograd_core import Value, compare_gradients

# What comes after tells the right number, which the learner is to find
NUMBERS = re.compile(r"; you gave .*? it is \S+$|(: you gave [^,]*), it is [^\s;]+.*$")

HUGE = 1e300  # from here on numbers overflow, or are NaN


class Misread(Exception):  # noqa: N818 - nothing went wrong, an answer was not understood
    """An answer has not the form that is asked for; the message says what is."""


def shown(answer: Any) -> str:
    """Return an answer as a message quotes it: short, and without addresses in memory."""
    text = " ".join(repr(answer).split())
    if " at 0x" in text:
        return f"an object of type {type(answer).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(answer: Any) -> Any:
    """Return an answer with the data of its Values, and single numbers of NumPy as Python's."""
    if isinstance(answer, dict):
        return {key: plain(part) for key, part in answer.items()}
    if isinstance(answer, list | tuple):
        parts = [plain(part) for part in answer]
        return parts if isinstance(answer, list) else tuple(parts)
    answer = answer.data if isinstance(answer, Value) else answer
    is_single = isinstance(answer, np.generic | np.ndarray) and answer.ndim == 0
    return answer.item() if is_single else answer


def _single(answer: Any) -> Any:
    """Return what a list or array of one part holds."""
    given = plain(answer)
    while isinstance(given, list | tuple | np.ndarray) and len(given) == 1:
        given = plain(given[0])
    return given


def number(answer: Any) -> Any:
    """Read one number: 2.5, Value(2.5), np.array([2.5]), [2.5], "2.5", "5/2"."""
    given = _single(answer)
    is_written = isinstance(given, str | Fraction | Decimal)
    given = _of_text(str(given)) if is_written else given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Misread(f"one number is asked for, and {shown(answer)} is none")
    if not abs(given) < HUGE:
        raise Misread(f"one number is asked for, and {shown(answer)} is no number to count with")
    return given


def _of_text(text: str) -> Any:
    text = text.strip().replace("\u2212", "-")  # as word processors write it
    if re.fullmatch(r"-?\d{1,3}([,_' ]\d{3})+", text):  # groups of thousands
        text = re.sub(r"[,_' ]", "", text)
    try:
        found = Fraction(re.sub(r"\s*/\s*", "/", text))
    except (ValueError, ZeroDivisionError):
        return text
    return int(found) if found.denominator == 1 else float(found)


def numbers(*names: str) -> Callable[[Any], Any]:
    """Return what reads one number for each name, in their order or in a dict by name."""

    def read(answer: Any) -> Any:
        form = f"{['two', 'three', 'four'][len(names) - 2]} numbers are asked for"
        given = plain(answer)
        if isinstance(given, dict) and set(given) == set(names):
            given = [given[name] for name in names]
        elif isinstance(given, str):
            given = re.sub(r"[()\[\]]", " ", given).replace(";", ",").split(",")
        if not isinstance(given, list | tuple | np.ndarray) or np.shape(given) != (len(names),):
            raise Misread(f"{form}, ({', '.join(names)}), and not {shown(answer)}")
        return tuple(number(part) for part in given)

    return read


def array(answer: Any) -> Any:
    """Read numbers in rows and columns: an array, a Value, or lists of numbers."""
    try:
        found = np.asarray(plain(answer), float)
    except (TypeError, ValueError, OverflowError):
        raise Misread(f"numbers are asked for, and {shown(answer)} is none of them") from None
    if not found.size or not np.isfinite(found).all():
        raise Misread(f"numbers are asked for, and {shown(answer)} has none, or NaN or inf")
    return found


def word(answer: Any) -> str:
    """Read a word or name, however it is spaced and whether its letters are capitals or not."""
    given = _single(answer)
    if not isinstance(given, str):
        raise Misread(f'a text is asked for, in quotes such as "text", and not {shown(answer)}')
    return given.strip().lower()


def function(answer: Any) -> Callable[..., Any]:
    """Read a function that returns numbers; Values and lists among them are taken for numbers."""
    call = recorded(answer)

    def called(*given: Any, **named: Any) -> Any:
        result = plain(call(*given, **named))
        parts = list(result.values()) if isinstance(result, dict) else result
        for part in parts if isinstance(parts, list | tuple) else [parts]:
            if not _is_numeric(part):
                raise Misread(f"your function returns {shown(result)}; numbers are asked for")
        return result

    return called


def recorded(answer: Any) -> Callable[..., Any]:
    """Read a function whose results are kept as they are, Values or functions.

    What stops it is said as a sentence about the learner's function.
    """
    if not callable(answer) or isinstance(answer, type):
        raise Misread(
            "a function is asked for, by its name, without brackets or quotes, and not "
            f"{shown(answer)}"
        )

    @wraps(answer)
    def called(*given: Any, **named: Any) -> Any:
        count = len(given) + len(named)
        try:
            inspect.signature(answer).bind(*given, **named)
        except TypeError:
            names = f", {', '.join(named)}" if named else ""
            raise Misread(f"your function has to take {count} arguments{names}") from None
        except ValueError:
            pass  # functions written in C do not tell what they take
        try:
            result = answer(*given, **named)
        except Misread:
            raise
        except Exception as error:  # noqa: BLE001 - a learner's function may fail in any way
            raise Misread(f"your function stops with {type(error).__name__}: {error}") from None
        if result is None:
            raise Misread("it returns nothing: does it end with return?")
        return result

    return called


def _is_numeric(part: Any) -> bool:
    try:
        return np.asarray(part).dtype.kind in "biuf"
    except ValueError:  # rows of unequal length
        return False


def agrees(given: Any, right: Any) -> bool:
    """Return whether numbers are right at the precision with which they are written.

    The rule is that of `compare_gradients`: numbers with few digits may differ by half a unit of
    the last one.
    """
    given, right = np.asarray(given, float), np.asarray(right, float)
    if given.shape != right.shape or not np.isfinite(given).all():
        return False
    x = Value(np.zeros(right.shape) if right.ndim else 0.0, label="x")
    output = np.sum(x * right)  # whose gradient by x is what is right
    return compare_gradients(output, {x: given if right.ndim else float(given)}).all_right


def mistake_in_number(given: Any, right: Any, slips: dict[Any, str], words: str = "") -> str | None:
    """Return what is wrong with a number: the slip that leads to it, or that it is off.

    Args:    words: for too much and too little, such as "too many, too few"; whole numbers are
             counts, which are exact.
    """
    large, small = (words or "too large, too small").split(", ")
    same = (lambda one, other: one == other) if isinstance(right, int) else agrees
    if same(given, right):
        return None
    said = [text for slip, text in slips.items() if same(given, slip)]
    return said[0] if said else f"{given:,g} is {large if given > right else small}"


def mistake_in_gradients(output: Value, names: Sequence[str], answer: Any) -> str | None:
    """Return what is wrong with the first wrong gradient, from the output back; None: nothing.

    Args:    output: the Value that is differentiated, its inputs labelled.
             names: the labels for which a gradient is asked.
             answer: a dict with a number for each of them, or the numbers in this order.
    """
    example = ", ".join(f'"{name}": 0.0' for name in names)
    given = plain(answer)
    if isinstance(given, list | tuple | np.ndarray) and len(given) == len(names):
        given = dict(zip(names, given, strict=True))
    if not isinstance(given, dict):
        return f"the answer is a dict with a number for each name, such as {{{example}}}"
    given = {getattr(key, "label", key): gradient for key, gradient in given.items()}
    missing = [name for name in names if name not in given or given[name] is ...]
    if missing:
        return f"a gradient is missing, for {' and '.join(missing)}"
    unknown = [str(name) for name in given if name not in names]
    if unknown:
        return f"not asked for: {' and '.join(unknown)}; asked for: {', '.join(names)}"
    read = {name: (array if np.size(g) > 1 else number)(g) for name, g in given.items()}
    return first_mistake(output, read, hides=NUMBERS)


def first_mistake(output: Value, given: Any, hides: re.Pattern[str] | None = None) -> str | None:
    """Return what compare_gradients says of the first wrong gradient; None: all are right."""
    for judgement in compare_gradients(output, given):
        if not judgement.is_right:
            text = f"{judgement.name}: {judgement.message}"
            return hides.sub(r"\1", text) if hides else text
    return None
