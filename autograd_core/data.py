"""Data: what a node holds, a float or an array of floats."""

from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from .errors import DataError

Shape: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | tuple[int, ...] | None
DType: TypeAlias = np.dtype[Any]
DTypeLike: TypeAlias = DType | type | str  # numpy.typing, which has more, is not imported along
Array: TypeAlias = ndarray[Any, DType]  # in forward functions np.float64, too
Data: TypeAlias = float | Array
# A Value, or what NumPy takes for numbers: one body computes with operators on whichever it gets
Operand: TypeAlias = Any
# A Value if an operand is one, else data: only overloads of every function could say which
Result: TypeAlias = Any
# What a comparison gives: a bool or an array of them; inside a compiled function a Value
Condition: TypeAlias = Any
# Operands, or results, in nested lists, tuples and dicts: a type of any depth says no more
Tree: TypeAlias = Any
# What NumPy takes in brackets: its own type of it names private classes
Index: TypeAlias = Any
# Of any number of operands
Function: TypeAlias = Callable[..., Result]
# A derivative rule: its inputs are of any number, and options are by keyword
Rule: TypeAlias = Callable[..., Result]
# Options by keyword, such as axis: each primitive has other ones
Params: TypeAlias = dict[str, Any]


def shape_of(x: Operand) -> Shape:
    """Return the shape of a float, array or node; () for a float."""
    return getattr(x, "shape", ())


def dtype_of(x: Operand) -> DType | None:
    """Return the type of an array or node of arrays; None for a float, which fits any type."""
    return getattr(getattr(x, "_data", x), "dtype", None)


def as_data(value: object, beside: Operand = None) -> Data:
    """Return `value` as the two kinds of data that a node holds: a float, or a float array.

    0-d results and NumPy scalars become floats (a graph of NumPy scalars runs several times
    slower); integers and booleans become float64; float32 stays.

    Args:    value: a real number, or an array or nested list of real numbers; whole numbers of
             any size and fractions, too.
             beside: the other operands of an operation, or one of them. Beside float32, bools and
             integers of up to 16 bits become float32, as in NumPy.
    Returns: a float, or an array of float32 or float64 with at least one axis (not copied if it
             is one already).
    Raises:  DataError: text, objects, complex numbers, a ragged list, nodes inside a list, or a
             number beyond the range of floats.
    Example: >>> as_data(3), as_data([1, 2])
             (3.0, array([1., 2.]))
    """
    if type(value) is float or (type(value) is ndarray and value.dtype.char in "fd" and value.ndim):
        return value
    if type(value) is int and value.bit_length() < 64:
        return float(value)
    _check_kind(value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(
            f"a {type(value).__name__} that is not a regular array",
            f"its rows differ in length ({error})",
            "rows of equal length, or one Value for each row",
        ) from None
    if array.dtype == object and all(isinstance(x, Real) for x in array.flat):
        array = _as_floats(array)
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{type(value).__name__} data of type {array.dtype}: {shorten(repr(value))}",
            "derivatives are taken with respect to real numbers",
            "numbers, which a function without `return` does not give"
            if value is None
            else "numbers: float(text), or z.real and z.imag of complex data",
        )
    if array.dtype.char not in "fd":
        operands = beside if isinstance(beside, tuple) else (beside,)
        single = array.dtype.char == "e" or (
            any(dtype_of(x) == np.float32 for x in operands)
            and np.can_cast(array.dtype, np.float32)
        )
        array = array.astype(np.float32 if single else np.float64)
    return array if array.ndim else float(array)


def _as_floats(numbers: Array) -> Array:
    """Return an array of objects, whole numbers beyond 64 bits or fractions, as one of floats."""
    try:
        return numbers.astype(np.float64)
    except OverflowError:
        largest = max(numbers.flat, key=abs)
        raise DataError(
            f"a whole number of {int(abs(largest)).bit_length()} bits",
            f"the largest float is {np.finfo(float).max:.2g}",
            "math.log(number), or n // m while both are whole numbers",
        ) from None


def _check_kind(value: object) -> None:
    """Refuse what NumPy would take numbers from, with the graph, the mask or the kind forgotten."""
    if type(value) is ndarray and value.dtype != object:
        return
    name = type(value).__name__
    if isinstance(value, list | tuple | ndarray) and _holds_values(value):
        raise DataError(
            f"a {name} that holds Values",
            "an array of data cannot keep the graph of the Values put into it",
            "np.stack([...]) of Values, which is recorded",
        )
    if isinstance(value, ndarray) and np.any(getattr(value, "mask", False)):
        raise DataError(
            f"a {name} of shape {value.shape} with masked elements",
            "the mask would be lost, and the numbers below it would count",
            "np.where(array.mask, 0.0, v * array.data), or array.filled(0.0)",
        )
    if isinstance(value, np.matrix):
        raise DataError(
            f"a np.matrix of shape {value.shape}",
            "its * is a product of matrices, that of a Value is element by element",
            "np.asarray(matrix), with @ for products of matrices",
        )


def _holds_values(values: Iterable[object]) -> bool:
    """Tell whether a nested list or an array of objects holds nodes."""
    if isinstance(values, ndarray):
        values = values.ravel() if values.dtype == object else ()
    return any(
        _holds_values(v) if isinstance(v, list | tuple | ndarray) else hasattr(v, "primitive")
        for v in values
    )


def shorten(text: str, width: int = 60) -> str:
    """Return the text, cut to a width."""
    return text if len(text) <= width else text[: width - 3] + "..."
