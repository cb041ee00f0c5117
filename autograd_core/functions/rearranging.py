"""The same elements in another shape, order or number: reshape, transpose, stack, split, tile, ...

Most of NumPy's rearranging functions are differentiated by one of three observations, with the
function itself doing the arithmetic on a stand-in:

- `reshaping`: the order of elements stays, so the result is a reshape to whatever shape NumPy
  gives a stand-in of the same shape;
- `permuting`: only axes change places, so NumPy's result for a stand-in with axes of distinct
  lengths shows the permutation;
- `moving`: elements are moved, repeated or dropped, so applying the function to the elements'
  numbers shows which element stands where.
"""

import math
import operator
from collections.abc import Callable, Sequence
from functools import wraps
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .. import watching
from ..data import Array, Function, Index, Operand, Result, Shape, Tree, dtype_of, shape_of
from ..errors import IndexRangeError, OptionError, ShapeError, UnsupportedError
from ..graph import Node, as_operand, as_operands
from ..messages import with_article
from ..primitives import elementwise, indexing, shapes

# Parts of an index that are kept as they are, and select no element twice
_ALONE = (int, slice, type(None), EllipsisType)


def axis_numbers(axes: int | Sequence[int], ndim: int, name: str) -> tuple[int, ...]:
    """Return one axis, or several different ones, as numbers counted from the start.

    Raises: IndexRangeError: there is no such axis. ShapeError: one is named twice.
    """
    try:
        return normalize_axis_tuple(axes, ndim)
    except np.exceptions.AxisError:
        given = f"{name} over axis {axes} of {ndim} axes"
        instead = f"-{ndim} to {ndim - 1}" if ndim else "an array instead of the number"
        raise IndexRangeError(given, "there is no such axis", instead) from None
    except ValueError:
        given = f"{name} over axes {axes}"
        raise ShapeError(given, "an axis is named twice", "different axes") from None


def axis_number(axis: int | Sequence[int], ndim: int, name: str) -> int:
    """Return one axis as a number counted from the start.

    Raises: IndexRangeError: there is no such axis. ShapeError: it is not one.
    """
    numbers = axis_numbers(axis, ndim, name)
    if len(numbers) != 1:
        raise ShapeError(f"{name} over axes {axis}", "it goes along one axis", "one integer")
    return numbers[0]


def getitem(x: Operand, index: Index) -> Result:
    """Return x[index]: integers, slices, ..., None, boolean masks and integer arrays.

    Raises: IndexRangeError: an integer outside its axis. ShapeError: x is a number, and the index
            more than None and ...
    """
    if not shape_of(x):
        if all(part is None or part is ... for part in np.atleast_1d(np.array(index, object))):
            return shapes.reshape(x, shape=_stand_in(())[index].shape)
        raise ShapeError(
            f"index {index!r} of a number", "a number has no axes", "the Value itself, or x.data"
        )
    if watching.open_watches and watching.tracer() and _holds_places(index):
        return _taken_at(x, index)
    try:
        return indexing.getitem(x, index=_plain_index(index))
    except IndexRangeError as error:
        given = f"index {index!r} of shape {shape_of(x)}"
        raise IndexRangeError(given, error.why, error.instead) from None


# Inside compiled functions positions may be Values, which every replay of a program computes anew


def _holds_places(index: Index) -> bool:
    """Tell whether an index is a Value, or holds one."""
    return any(isinstance(part, Node) for part in _parts(index))


def _taken_at(x: Operand, index: Index) -> Result:
    """Return the elements of x at positions that are Values.

    Raises: TraceError: a condition, which chooses a number of elements that depends on the data.
    """
    parts = _parts(index)
    places = [part for part in parts if isinstance(part, Node)]
    for place in places:
        if place.is_condition:
            watching.taking(place, "a condition as an index")
    template = tuple([None if isinstance(part, Node) else part for part in parts])
    slots = tuple([i for i, part in enumerate(parts) if isinstance(part, Node)])
    return indexing.getitem_at(x, *places, index=template, slots=slots)


def _parts(index: Index) -> tuple[Index, ...]:
    return index if isinstance(index, tuple) else (index,)


def _plain_index(index: Index) -> Index:
    """Return an index whose parts are integers, slices, None, ... and arrays of our own.

    What selects several elements is copied, so that it may change later, and known to be an array,
    so that elements selected twice get both cotangents.
    """
    if isinstance(index, _ALONE):
        return index
    if isinstance(index, tuple):
        return tuple([part if isinstance(part, _ALONE) else _plain_part(part) for part in index])
    return _plain_part(index)


def _plain_part(part: Index) -> Index:
    if type(part) is np.ndarray and part.ndim:
        return part.copy()
    if isinstance(part, Node):
        if watching.open_watches:
            watching.taking(part, "a position or count")
        return whole_numbers(part)
    if hasattr(part, "__index__") and not hasattr(part, "__array__"):
        return operator.index(part)
    try:
        places = np.array(part)
    except ValueError as error:
        given = f"an index given as {with_article(type(part).__name__)}"
        raise IndexRangeError(given, str(error), "rows of equal length") from None
    if not places.size and not isinstance(part, np.ndarray):
        return places.astype(int)  # an empty list has no type
    if places.dtype.kind not in "iub":
        return part  # NumPy raises the error
    return int(places) if places.ndim == 0 and places.dtype.kind in "iu" else places


def whole_numbers(x: Node) -> Array:
    """Return a Value that holds positions or counts as integers.

    Raises: IndexRangeError: it holds other numbers.
    """
    data = np.asarray(x._data)
    if not (data == np.trunc(data)).all():
        raise IndexRangeError("an index that is a Value", "it is no whole number", "an int")
    return data.astype(int)


def _stand_in(shape: Shape) -> Array:
    """Return an array of this shape that takes no memory."""
    return np.broadcast_to(np.int8(0), shape)


def _on_stand_in(function: Function, stand_in: Array, *args: Any, **kwargs: Any) -> Array:
    args = tuple([_plain_index(x) if isinstance(x, Node) else x for x in args])
    try:
        return function(stand_in, *args, **kwargs)
    except (ValueError, IndexError) as error:
        raise ShapeError(
            f"{function.__name__} of an array with {stand_in.ndim} axes and {stand_in.size} "
            f"elements, with {', '.join(map(str, (*args, *kwargs.values())))}",
            str(error),
            "axes from 0 to n - 1 or counted from the end, and as many elements as there are",
        ) from None


def reshaping(function: Function) -> Function:
    """Return the recorded form of a NumPy function that keeps the elements and their order."""

    @wraps(function)
    def reshaped(x: Operand, *args: Any, **kwargs: Any) -> Result:
        x = as_operand(x)
        result = _on_stand_in(function, _stand_in(shape_of(x)), *args, **kwargs)
        return shapes.reshape(x, shape=result.shape)

    return reshaped


def permuting(function: Function) -> Function:
    """Return the recorded form of a NumPy function that lets axes change places."""

    @wraps(function)
    def permuted(x: Operand, *args: Any, **kwargs: Any) -> Result:
        stand_in = _stand_in(tuple(range(1, len(shape_of(x)) + 1)))
        result = _on_stand_in(function, stand_in, *args, **kwargs)
        return shapes.transpose(x, axes=tuple(n - 1 for n in result.shape))

    return permuted


def moving(function: Function) -> Function:
    """Return the recorded form of a NumPy function that moves, repeats or drops elements.

    Zeros that NumPy inserts (np.diag, np.tril) are no elements of x.
    """

    @wraps(function)
    def moved(x: Operand, *args: Any, **kwargs: Any) -> Result:
        numbers = np.arange(1, size_of(x) + 1).reshape(shape_of(x))
        places = np.asarray(_on_stand_in(function, numbers, *args, **kwargs))
        out = indexing.getitem(ravel(x), index=np.maximum(places, 1) - 1)
        return out if places.all() else elementwise.where(places, out, 0.0)

    return moved


def splitting(function: Function, axis: Callable[[int], int] | None = None) -> Function:
    """Return the recorded form of a NumPy function that splits along an axis.

    Args: axis: gives the axis by the number of axes; None: the function's own argument.
    """

    @wraps(function)
    def pieces(x: Operand, sections: Any, *where: Any, **kwargs: Any) -> list[Result]:
        shape = shape_of(x)
        along = axis(len(shape)) if axis else (where or (kwargs.get("axis", 0),))[0] % len(shape)
        before = (slice(None),) * along
        numbers = np.arange(shape[along]).reshape((-1,) + (1,) * (len(shape) - along - 1))
        parts = _on_stand_in(function, np.broadcast_to(numbers, shape), sections, *where, **kwargs)
        lengths = [part.shape[along] for part in parts]
        starts = [int(part.flat[0]) if part.size else 0 for part in parts]
        return [
            indexing.getitem(x, index=(*before, slice(start, start + length)))
            for start, length in zip(starts, lengths, strict=True)
        ]

    return pieces


transpose = permuting(np.transpose)
swapaxes = permuting(np.swapaxes)
squeeze = reshaping(np.squeeze)
_atleast = {n: reshaping(f) for n, f in enumerate((np.atleast_1d, np.atleast_2d, np.atleast_3d), 1)}


def size_of(x: Operand) -> int:
    """Return how many numbers x holds."""
    return math.prod(shape_of(x))


def reshape(x: Operand, shape: int | Sequence[int] | Node, *more: int, order: str = "C") -> Result:
    """Return x with its elements in another shape; -1: the rest.

    Args:    order: in which elements are read and placed: "C" by rows, "F" by columns.
    Raises:  OptionError: another order, which would be that of the memory.
    """
    if _is_by_columns(order):
        lengths = tuple(_as_tuple(shape)) + more
        return transpose(reshape(transpose(x), lengths[::-1]))
    if not isinstance(shape, tuple | list | Node):
        shape = np.atleast_1d(shape).tolist()
    wanted = tuple(map(operator.index, (*_as_tuple(shape), *more)))
    result = _on_stand_in(np.reshape, _stand_in(shape_of(x)), wanted)
    return shapes.reshape(x, shape=result.shape)


def ravel(x: Operand, order: str = "C") -> Result:
    """Return the elements of x along one axis; order: see reshape."""
    x = transpose(x) if _is_by_columns(order) else as_operand(x)
    return shapes.reshape(x, shape=(size_of(x),))


def broadcast_to(x: Operand, shape: int | Sequence[int] | Node) -> Result:
    """Return x repeated over a larger shape."""
    return shapes.broadcast_to(x, shape=tuple(map(operator.index, _as_tuple(shape))))


def _is_by_columns(order: str) -> bool:
    if order not in ("C", "F"):
        raise OptionError(
            f"order={order!r} for a Value",
            "its elements have an order by rows or by columns, whatever its memory",
            "order='C' or order='F'",
        )
    return order == "F"


def _as_tuple(shape: int | Sequence[int] | Node) -> tuple[Any, ...]:
    """Return a shape that may be one length, a Value among them."""
    return (shape,) if isinstance(shape, int | Node) else tuple(shape)


def broadcast_arrays(*arrays: Operand) -> tuple[Result, ...]:
    """Return the arrays, each repeated over the shape that they have in common."""
    operands = [as_operand(x) for x in arrays]
    shape = np.broadcast_shapes(*map(shape_of, operands))
    return tuple(broadcast_to(x, shape) for x in operands)


def atleast(ndim: int) -> Function:
    """Return np.atleast_1d, _2d or _3d for Values: one result, or a tuple for several inputs."""

    def extended(*inputs: Operand) -> Result:
        results = tuple(_atleast[ndim](x) for x in inputs)
        return results[0] if len(inputs) == 1 else results

    return extended


def concatenate(arrays: Sequence[Operand], axis: int | None = 0) -> Result:
    """Join arrays along an axis that they have; None: ravel them first."""
    if axis is None:
        arrays, axis = [ravel(x) for x in as_operands(*arrays)], 0
    return shapes.concatenate(*arrays, axis=operator.index(axis))


def stack(arrays: Sequence[Operand], axis: int = 0) -> Result:
    """Join arrays, or numbers, of one shape along a new axis."""
    return concatenate([reshaping(np.expand_dims)(x, axis) for x in as_operands(*arrays)], axis)


def gathered(values: Tree) -> Result:
    """Return a nested list, or an array of objects, that holds Values as one Value.

    Raises: ShapeError: its rows differ in length.
    """
    if isinstance(values, np.ndarray):
        parts = [as_operand(x) for x in values.ravel()]
        shape = values.shape
    else:
        parts = [as_operand(x) for x in values]
        shape = (len(parts),)
    inner = shape_of(parts[0])
    rows = [shapes.reshape(x, shape=(1, *shape_of(x))) for x in parts]
    return shapes.reshape(shapes.concatenate(*rows, axis=0), shape=(*shape, *inner))


def hstack(arrays: Sequence[Operand]) -> Result:
    """Join arrays side by side."""
    arrays = [_atleast[1](x) for x in as_operands(*arrays)]
    return concatenate(arrays, 0 if len(shape_of(arrays[0])) == 1 else 1)


def vstack(arrays: Sequence[Operand]) -> Result:
    """Join arrays below each other."""
    return concatenate([_atleast[2](x) for x in as_operands(*arrays)], 0)


def dstack(arrays: Sequence[Operand]) -> Result:
    """Join arrays behind each other, along the third axis."""
    return concatenate([_atleast[3](x) for x in as_operands(*arrays)], 2)


def column_stack(arrays: Sequence[Operand]) -> Result:
    """Join 1-D arrays as the columns of a matrix."""
    arrays = as_operands(*arrays)
    columns = [x if len(shape_of(x)) > 1 else shapes.reshape(x, shape=(-1, 1)) for x in arrays]
    return concatenate(columns, 1)


def take(
    x: Operand, indices: Index, axis: int | None = None, out: None = None, mode: str = "raise"
) -> Result:
    """Return the elements at integer positions along an axis; None: of the ravelled x."""
    if out is not None or mode != "raise":
        raise UnsupportedError(
            f"np.take of a Value: {'out=' if out is not None else f'mode={mode!r}'}",
            "that option has no derivative rule here",
            "np.take(v, indices, axis), with indices clipped or wrapped before",
        )
    x = as_operand(x)
    if not isinstance(indices, Node) or watching.tracer() is None:
        indices = np.asarray(_plain_index(indices))
    if axis is None:
        return getitem(ravel(x), indices)
    along = axis_number(axis, len(shape_of(x)), "take")
    return getitem(x, (slice(None),) * along + (indices,))


def pad(
    x: Operand, pad_width: int | Sequence[Any], mode: str = "constant", constant_values: Operand = 0
) -> Result:
    """Return x with a border: constant, or its own elements (edge, reflect, symmetric, wrap)."""
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return moving(np.pad)(x, pad_width, mode=mode)
    if mode != "constant":
        raise UnsupportedError(
            f"pad with mode {mode!r}",
            "it has no derivative rule",
            "constant, edge, reflect, symmetric or wrap",
        )
    if isinstance(constant_values, Node):
        given = "pad with a Value as constant_values"
        raise UnsupportedError(given, "no derivative flows to them", "np.pad(x - c, width) + c")
    zeros = np.zeros(shape_of(x), dtype_of(x))
    border = np.pad(zeros, pad_width, constant_values=constant_values)
    widths = np.broadcast_to(pad_width, (border.ndim, 2)).tolist()
    index = tuple(slice(a, a + n) for (a, _), n in zip(widths, shape_of(x), strict=True))
    inner = indexing.scatter(x, index=index, shape=border.shape)
    return elementwise.add(inner, border) if border.any() else inner
