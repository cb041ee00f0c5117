"""What is data in the arguments of a call, and what decides which program serves it."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from ..data import Operand, Tree, as_data, shape_of
from ..errors import DataError
from ..graph import Node
from ..messages import with_article
from .integers import LARGEST, kind_of

Build: TypeAlias = Callable[[list[Operand], int], Tree]
# As tuples, since unions are slower to test, and this is done at every call
_STRUCTURES = (list, tuple, dict)
_STATIC = (bool, str, bytes, type)


def signature(x: Tree, leaves: list[Operand], key: list[Any]) -> None:
    """Collect the data in a structure, and what is equal for structures that one program serves.

    Numbers, arrays and Values are data; True, False, None, text and functions are not: they
    decide what is computed. Ints are data, too, of other kinds than floats: see integers.py.
    """
    kind = type(x)
    if kind is float:
        leaves.append(x)
        key.append(float)
    elif kind is ndarray and x.dtype.char in "fd" and x.ndim:
        leaves.append(x)
        key.append(_kind(x))
    elif isinstance(x, _STRUCTURES):
        key.append((kind, tuple(x) if isinstance(x, dict) else len(x)))
        parts = x.values() if isinstance(x, dict) else x
        if len(x) > 1 and [*map(type, parts)].count(float) == len(x):
            leaves.extend(parts)  # much faster one by one, and common: the weights of a network
            key.append((float, len(x)))
            return
        for part in parts:
            signature(part, leaves, key)
    elif is_static(x):
        key.append((is_static, kind, _hashable(x)))
    elif isinstance(x, Node):
        leaves.append(x)
        key.append((Node, *_kind(x)))
    else:
        data, special = as_data(x), kind_of(x)
        leaves.append(data)
        key.append((*_kind(data), special) if shape_of(data) else special or float)


def is_static(x: Tree) -> bool:
    """Tell whether an argument decides what is computed, and is no data."""
    if x is None or isinstance(x, _STATIC):
        return True
    if isinstance(x, int | np.integer) and not isinstance(x, Node):
        return kind_of(x) is None or abs(int(x)) > LARGEST  # an enum; what no float holds
    return not (isinstance(x, Sequence) or hasattr(x, "__array__") or hasattr(x, "__float__"))


def statics(structure: Tree) -> list[Any]:
    """Return the objects in a structure that decide what is computed."""
    if isinstance(structure, _STRUCTURES):
        parts = structure.values() if isinstance(structure, dict) else structure
        return [found for part in parts for found in statics(part)]
    return [structure] if is_static(structure) else []


def _kind(data: Any) -> tuple[object, ...]:
    return data.shape, data.dtype.char


def _hashable(x: Tree) -> Hashable:
    """Return what is equal for equal options: before Python 3.12, slices have no hash."""
    if isinstance(x, slice):
        return (x.start, x.stop, x.step)
    try:
        hash(x)
    except TypeError:
        raise DataError(
            f"{with_article(type(x).__name__)} as an argument of a compiled function",
            "what is neither data nor a list, tuple or dict decides what is computed, and this "
            "has no hash to tell by whether a recording is for it",
            "numbers and arrays for data; True, None, text, tuples or objects for options",
        ) from None
    found: Hashable = x
    return found


def is_static_result(x: Tree) -> bool:
    """Tell whether a result is no data: bools and all ints are."""
    return kind_of(x) is None and is_static(x)


def builder(
    structure: Tree, leaves: list[Operand], is_static: Callable[[Tree], bool] = is_static
) -> Build:
    """Return a function that builds the structure from other leaves, beginning at a position.

    The leaves that it finds are appended to `leaves`. What is no data is put in as it is.
    """
    if isinstance(structure, dict):
        names = list(structure)
        parts = _builders(list(structure.values()), leaves, is_static)
        return lambda data, at: dict(zip(names, parts(data, at), strict=True))
    if isinstance(structure, list):
        return _builders(structure, leaves, is_static)
    if isinstance(structure, tuple):
        parts, kind = _builders(list(structure), leaves, is_static), type(structure)
        if hasattr(structure, "_fields"):
            return lambda data, at: kind(*parts(data, at))
        return lambda data, at: tuple(parts(data, at))
    if is_static(structure):
        return lambda data, at: structure
    leaves.append(structure)
    return lambda data, at: data[at]


def _builders(
    parts: list[object], leaves: list[Operand], is_static: Callable[[Tree], bool]
) -> Build:
    """Build a list; one that holds nothing but leaves is a slice, which is quick."""
    first = len(leaves)
    # What is built keeps none of the parts: they may be large, and are not needed any more
    builds = [(builder(part, leaves, is_static), len(leaves) - first) for part in parts]
    count = len(parts)
    if all(not isinstance(part, _STRUCTURES) and not is_static(part) for part in parts):
        return lambda data, at: data[at : at + count]
    starts = [0, *[stop for _, stop in builds[:-1]]]
    pairs = [(build, start) for (build, _), start in zip(builds, starts, strict=True)]
    return lambda data, at: [build(data, at + start) for build, start in pairs]
