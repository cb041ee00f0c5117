"""Integers inside compiled functions: Values that compute as ints and arrays of integers do.

A program computes with floats, which hold integers below 2 ** 53 exactly. What Python or NumPy
gives for the integers themselves, computed once beside the recording, tells the type of a result.
Where a result does not fit into its type, in the recording or in a later replay, the program gives
none, and the function itself computes: see `Unanswered`. A single int among the arguments may also
be an axis, a length or a bound, and then the program is for this number.
"""

import math
import operator
import sys
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any, ClassVar

import numpy as np

from .. import watching
from ..data import (
    Array,
    DType,
    DTypeLike,
    Function,
    Operand,
    Params,
    Result,
    Tree,
    as_data,
    dtype_of,
)
from ..errors import AutogradError, UnsupportedError
from ..functions import statistics
from ..graph import Node, next_index
from ..messages import package_of
from ..numpy_protocol import SHAPES, carry_out, carry_out_by, carry_out_ufunc
from ..primitives import elementwise as table
from ..primitives import indexing, shapes
from ..primitives.linear_algebra import matmul
from ..value import PRINTING, Value

LARGEST = 2**53 - 1  # up to here floats hold all integers, and no other one is rounded to them
# What moves elements, beside the primitives that choose some
_MOVING = {shapes.reshape, shapes.transpose, shapes.broadcast_to, shapes.concatenate,
           indexing.getitem, indexing.getitem_at, indexing.reorder, table.identity}  # fmt: skip
_OF_BOOLS = {table.equal, table.greater, table.greater_equal}


def _unary(name: str, recorded: Function) -> Function:
    function = getattr(operator, name)
    return lambda self: compute(function, recorded, (self,))


class Integers(Value):
    """Integers or bools, recorded as floats."""

    __slots__ = ()
    outside: ClassVar[Any]  # makes of floats what they are outside: int, bool or a type of NumPy
    is_position = False  # whether one may be an axis, a length or a bound

    @property
    def dtype(self) -> DType:
        """The type of the integers; to this library's functions, that of the floats."""
        if issubclass(self.outside, np.generic) and not _is_for_library():
            return np.dtype(self.outside)
        return dtype_of(self) or np.dtype(np.float64)

    def numbers(self, single: bool) -> Result:
        """Return floats, of float32 if that is used, and holds all integers of the type."""
        if not self.shape and self.is_position:
            return self
        out = marked(table.identity(self.exact()), Value)
        if not self.shape:
            return out
        is_single = single and np.can_cast(self.outside, np.float32)
        dtype = np.dtype(np.float32 if is_single else np.float64)
        return out if dtype_of(self) == dtype else table.astype(out, dtype=dtype)

    def exact(self) -> Result:
        """Return this; of 64 bits among the arguments with NaN where floats do not hold them."""
        is_large = self.shape and np.dtype(self.outside).itemsize == 8
        return _fitting(self, type(self)) if is_large and self.is_position else self

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Operand, **kwargs: Any
    ) -> Result:
        def recorded(*inputs: Operand, **kwargs: Any) -> Result:
            return carry_out_ufunc(ufunc, method, inputs, kwargs)

        tracer = watching.tracer()
        if tracer and ufunc in tracer.functions:  # comparisons and logic
            return recorded(*inputs, **kwargs)
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return compute(function, recorded, inputs, kwargs)

    def __array_function__(
        self, function: Function, types: Iterable[type], args: tuple[Operand, ...], kwargs: Params
    ) -> Result:
        def recorded(*args: Operand, **kwargs: Any) -> Result:
            if function in _COUNTING:
                return carry_out_by(_COUNTING[function], function, args, kwargs)
            return carry_out(function, args, kwargs)

        if function in SHAPES:
            return function(*_outside(args), **_outside(kwargs))
        if function is np.where and len(args) == 1:
            return watching.taking(args[0], "a condition as an index")
        return compute(function, recorded, args, kwargs)

    def astype(self, dtype: DTypeLike) -> Result:  # type: ignore[override] # of the memory
        """Return integers, bools or floats of a type."""
        is_float = np.dtype(dtype).kind == "f"
        return compute(
            lambda x, dtype: np.asarray(x).astype(dtype)[()],
            lambda x, dtype: table.astype(x, dtype=np.dtype(dtype)) if is_float else x + 0.0,
            (self, dtype),
        )

    def any(self, *args: Any, **kwargs: Any) -> Result:
        """Tell whether any is true."""
        return np.any(self, *args, **kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Result:
        """Tell whether all are true."""
        return np.all(self, *args, **kwargs)

    __neg__ = _unary("neg", table.negative)
    __pos__ = _unary("pos", table.identity)
    __abs__ = _unary("abs", table.absolute)

    def item(self) -> Any:
        """Return the one number that this holds, as an int or bool of Python."""
        return self._plain_data(".item()").item()

    def _plain_data(self, how: str) -> Array:
        return np.asarray(self.outside(super()._plain_data(how)))

    def _number(self, how: str) -> Any:
        return self.outside(super()._number(how))

    def __float__(self) -> float:
        return float(self._converted("float()"))


class Whole(Integers):
    """An int among the arguments, or integers of NumPy. Reading one fixes it for the program.

    All that single ints have beside arithmetic is computed from the int itself: bits, `pow` with a
    modulus, and methods such as `bit_length`.
    """

    __slots__ = ()
    outside = int
    is_position = True
    # So that isinstance(n, int) is true
    __class__ = property(
        lambda self: type(self) if self.shape else self.outside, vars(object)["__class__"].__set__
    )

    def __index__(self) -> int:
        return operator.index(self._number("a position or count"))

    def __getattr__(self, name: str) -> Any:
        if not self.shape and hasattr(self.outside, name) and not name.startswith("__array"):
            return getattr(self._number("a position or count"), name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __hash__(self) -> int:
        """Hash as the int where a user looks it up, and as a node where this library does."""
        ours = self.shape or package_of(sys._getframe(1)) in ("autograd_core", "nn")
        return object.__hash__(self) if ours else hash(self.__index__())

    def __repr__(self) -> str:
        return super().__repr__() if self.shape else repr(self._number(PRINTING))

    def __str__(self) -> str:
        return super().__str__() if self.shape else str(self._number(PRINTING))

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if self.shape else format(self._number(PRINTING), spec)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if self.shape or self.outside is int:
            return super().__array__(dtype, copy)
        return np.asarray(self._number("np.asarray()"), dtype)

    def __round__(self, digits: int | None = None) -> Result:
        return self if digits is None else round(self._number("round()"), digits)

    def as_integer_ratio(self) -> tuple[int, int]:
        """Return the int itself and 1."""
        return self.__index__(), 1

    def __mul__(self, other: Operand) -> Result:
        if not self.shape and isinstance(other, list | tuple | str | bytes):  # as often as it says
            return other * self.__index__()
        return compute(operator.mul, table.multiply.binary, (self, other))

    def __rmul__(self, other: Operand) -> Result:
        return self * other

    def __pow__(self, other: Operand, modulus: int | None = None) -> Result:
        if modulus is None:
            return compute(operator.pow, table.power.binary, (self, other))
        return pow(self.__index__(), operator.index(other), operator.index(modulus))


# What stands for the integers and bools of each type; those of bools are in conditions.py
KINDS: dict[type, type[Integers]] = {int: Whole}
for _code in "bBhHiIlLqQ":
    _type = np.dtype(_code).type
    KINDS[_type] = type(_type.__name__, (Whole,), {"__slots__": (), "outside": _type})


def kind_of(x: Operand) -> type[Integers] | None:
    """Return what stands for an int, a bool or an array of them; None of all else."""
    return KINDS.get(x.dtype.type if isinstance(x, np.ndarray) else type(x))


def marked(node: Node, kind: type[Value]) -> Result:
    """Return a Value as integers or bools."""
    node.__class__ = kind
    return node


def retype(node: Node) -> None:
    """Let what was computed from integers be a Value, unless it is some of them."""
    if isinstance(node, Integers):
        are_numpys = issubclass(node.outside, np.generic)
        marked(node, type(node) if are_numpys and node.primitive in _MOVING else Value)


def compute(
    function: Function, recorded: Function, args: tuple[Operand, ...], kwargs: Params | None = None
) -> Result:
    """Return what a function gives for integers.

    Args: function: what it is outside.
          recorded: the same of the floats that stand for the integers.
    """
    options = kwargs or {}
    parts = [*_flat(args), *_flat(options.values())]
    nodes: list[Operand] = [x for x in parts if isinstance(x, Node)]

    def of_floats(is_single: bool) -> Result:
        return recorded(*_numbers(args, is_single), **_numbers(options, is_single))

    is_single = any(dtype_of(x) == np.float32 for x in parts if not isinstance(x, Integers))
    if _are_floats(nodes):
        return of_floats(is_single)
    try:
        with np.errstate(all="ignore"):
            result = function(*_outside(args), **_outside(options))
    except TypeError as error:
        if _is_for_library():  # which takes bools for floats, too
            return of_floats(is_single)
        raise UnsupportedError(
            f"{function.__name__}() of {' and '.join(map(_described, nodes))}",
            str(error),
            "numbers: x.astype(float), or 1.0 * condition; ~, &, | and ^ of conditions",
        ) from error
    start = next_index()
    try:
        out = of_floats(getattr(result, "dtype", None) == np.float32)
    except AutogradError:
        if not _fixed(nodes):
            raise
        return result
    return _typed(out, result, function, nodes, start)


def _described(node: Integers) -> str:
    return f"{node.outside.__name__} of shape {node.shape}"


def _are_floats(nodes: list[Operand]) -> bool:
    """Tell whether a Value takes part, or arrays in this library, which takes them for floats."""
    if any(not isinstance(x, Integers) for x in nodes):
        return True
    return _is_for_library() and any(x.shape and not x.is_condition for x in nodes)


def _is_for_library() -> bool:
    """Tell whether a function of this library computes, and not a user's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(__package__) and module != Value.__module__:
            return package_of(frame) in ("autograd_core", "nn")
        frame = frame.f_back
    return False


def _typed(
    out: Result, result: Any, function: Function, nodes: list[Operand], start: int
) -> Result:
    """Return what was recorded as what it is outside.

    Args: result: what the function has given outside.
          nodes: the integers of which it was computed, after `start`.
    """
    if isinstance(out, list | tuple):
        parts = zip(out, result, strict=True)
        return type(out)([_typed(x, y, function, nodes, start) for x, y in parts])
    if not isinstance(out, Node):
        return out
    kind = kind_of(result)
    if kind is None:
        return _of_floats(out, result, function, nodes)
    computed = _computed(out, start)
    if kind not in map(type, nodes) or computed:
        if kind.is_position:
            is_single = len(computed) == 1 and computed[0].primitive.elementwise
            out = _fitting(out, kind, nodes, [] if is_single else nodes)
        elif out.primitive not in _OF_BOOLS:
            out = table.greater(table.absolute(out), 0.0)
    if not np.array_equal(out._data, result):
        if _fixed(nodes):
            return result
        if not np.isnan(out._data).any():  # a constant was rounded
            out = out + np.nan
        watching.tracer().derived([out])
        out._data = as_data(result)
    return marked(out, kind)


def _of_floats(out: Node, result: Any, function: Function, nodes: list[Operand]) -> Result:
    """Return what gives floats of integers."""
    dtype = getattr(result, "dtype", np.dtype(np.float64))
    is_of_ours = isinstance(result, float) or dtype.char in "fd"
    if is_of_ours and dtype_of(out) in (None, dtype):
        return out
    if _fixed(nodes):
        return result
    if is_of_ours:
        return table.astype(out, dtype=dtype)
    return watching.tracer().refuse(
        f"{function.__name__}() of {' and '.join(map(_described, nodes))}",
        f"outside it gives {dtype}, and programs compute with float32 and float64",
        "x.astype(float) first, or 1.0 * condition",
    )


def _fitting(
    x: Result, kind: type[Integers], nodes: Sequence[Operand] = (), summed: Sequence[Operand] = ()
) -> Result:
    """Return integers with NaN where they do not fit, of which the program gives no result.

    Args: nodes: of which they were computed.
          summed: those among them of which products or sums were made on the way.
    """
    if x.primitive is shapes.sum and all(node.is_condition for node in nodes):
        return table.identity(x)  # as many as there are
    low, high = -LARGEST, LARGEST
    if issubclass(kind.outside, np.generic):
        info = np.iinfo(kind.outside)
        low, high = max(low, info.min), min(high, info.max)
    fits = _within(x, low, high)
    if x.primitive is table.power:
        fits = fits * table.greater_equal(x.y, 0.0)
    out = _spoilt_unless(fits, x)
    for node in summed:
        most = math.isqrt(LARGEST // (node.size or 1))
        if node.shape and node.is_position and np.iinfo(node.outside).max > most:
            out = _spoilt_unless(statistics.min(_within(node, -most, most)), out)
    watching.tracer().derived([out])
    return out


def _within(x: Node, low: int, high: int) -> Result:
    return table.greater_equal(x, float(low)) * table.greater_equal(float(high), x)


def _spoilt_unless(fits: Result, x: Node) -> Result:
    """Return x, and NaN where it does not fit; -0.0 becomes 0.0."""
    with np.errstate(all="ignore"):
        return table.add(x, table.divide(0.0, fits))


def _computed(out: Node, start: int) -> list[Operand]:
    """Return what was computed after `start`, and not only moved or chosen, for a result."""
    tracer = watching.tracer()
    found: list[Operand] = []
    stack, seen = [out], {out}
    while stack:
        node = stack.pop()
        if node.index > start:
            primitive, inputs, _ = tracer.making(node)
            if primitive is None or not (primitive in _MOVING or primitive.chooses):
                found.append(node)
            stack += [x for x in inputs if isinstance(x, Node) and x not in seen]
            seen.update(stack)
    return found


def _fixed(nodes: list[Operand]) -> bool:
    """Fix the program for the ints of which something is computed, if they all are arguments."""
    tracer = watching.tracer()
    return all([tracer.fixes(node) for node in nodes])


def _flat(x: Iterable[Operand]) -> list[Operand]:
    return [y for part in x for y in (_flat(part) if isinstance(part, list | tuple) else (part,))]


def _numbers(x: Tree, is_single: bool) -> Tree:
    """Return arguments with floats for integers."""
    if isinstance(x, dict):
        return {name: _numbers(part, is_single) for name, part in x.items()}
    if isinstance(x, list | tuple):
        return type(x)([_numbers(part, is_single) for part in x])
    return x.numbers(is_single) if isinstance(x, Integers) else x


def _outside(x: Tree) -> Tree:
    """Return arguments as they are outside."""
    if isinstance(x, dict):
        return {name: _outside(part) for name, part in x.items()}
    if isinstance(x, list | tuple):
        return type(x)([_outside(part) for part in x])
    return x.outside(x._data) if isinstance(x, Integers) else x


def _any(a: Operand, axis: Any = None, keepdims: bool = False) -> Result:
    return table.greater(statistics.sum(table.absolute(a), axis, keepdims=keepdims), 0.0)


def _all(a: Operand, axis: Any = None, keepdims: bool = False) -> Result:
    return table.equal(statistics.sum(table.equal(a, 0.0), axis, keepdims=keepdims), 0.0)


def _count_nonzero(a: Operand, axis: Any = None, keepdims: bool = False) -> Result:
    return statistics.sum(1.0 - table.equal(a, 0.0), axis, keepdims=keepdims)


_COUNTING: dict[Function, Function] = {
    np.any: _any,
    np.all: _all,
    np.count_nonzero: _count_nonzero,
}


def _operators(name: str, recorded: Function) -> tuple[Function, Function]:
    function = getattr(operator, f"__{name}__")
    return (
        lambda self, other: compute(function, recorded, (self, other)),
        lambda self, other: compute(function, recorded, (other, self)),
    )


for _name, _recorded in {
    "add": table.add,
    "sub": table.subtract,
    "mul": table.multiply,
    "truediv": table.divide,
    "floordiv": table.floor_divide,
    "mod": table.mod,
    "pow": table.power,
    "matmul": matmul,
}.items():
    _left, _right = _operators(_name, _recorded.binary)
    for _method_name, _method in ((f"__{_name}__", _left), (f"__r{_name}__", _right)):
        setattr(Integers, _method_name, _method)


def _as_method(name: str) -> Function:
    recorded = getattr(Value, name)

    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(np.asarray(x), name)(*args, **kwargs)

    return lambda self, *args, **kwargs: compute(function, recorded, (self, *args), kwargs)


for _name in (
    *("clip", "round", "sum", "prod", "mean", "max", "min", "var", "std", "cumsum", "cumprod"),
    *("reshape", "ravel", "flatten", "swapaxes", "squeeze", "dot", "transpose", "copy"),
):
    setattr(Integers, _name, _as_method(_name))
