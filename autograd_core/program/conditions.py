"""Bools and integers inside compiled functions: Values that count as such.

Outside, a comparison looks at data and gives plain bools. Inside a compiled function it gives a
`Condition`, a Value of 0 and 1 that every replay computes anew; it behaves as the bools would: the
sum of two is true where one is, and beside float32 it is float32. An int among the arguments is a
`Whole`: it may be an axis, a length or a bound, and then the program is for this number.
"""

import operator
import sys
from collections.abc import Iterable
from functools import partial
from types import FrameType
from typing import Any

import numpy as np

from .. import watching
from ..data import (
    Axis,
    DType,
    DTypeLike,
    Function,
    Index,
    Operand,
    Params,
    Result,
    Tree,
    as_data,
    dtype_of,
    shape_of,
)
from ..errors import UnsupportedError
from ..functions import rearranging, statistics
from ..graph import Node
from ..messages import OUR_PACKAGES, is_library, package_of, warn_once
from ..numpy_protocol import RECORDED, carry_out, carry_out_by, name_of
from ..primitives import elementwise as table
from ..primitives import indexing, shapes
from ..value import Value

BITS = "bits of numbers, as in `v & 1`,"


class Small(Value):
    """Integers of up to 16 bits, as an argument: beside float32 they are float32.

    They are recorded as floats, which do not wrap around: of arithmetic among them it is warned.
    """

    __slots__ = ()
    beside_single: DTypeLike = np.float32

    @property
    def dtype(self) -> DType:
        """The type of the floats that stand for the integers, of which a user is warned."""
        frame = sys._getframe(1)
        is_users = package_of(frame) not in OUR_PACKAGES and not is_library(frame)
        if is_users and not isinstance(self, Condition):
            _warn_of_floats("the dtype of small or unsigned integers", "the dtype is theirs")
        return dtype_of(self) or np.dtype(np.float64)

    def numbers(self, *others: Operand) -> Result:
        """Return this as numbers, in the type that NumPy gives them beside others."""
        if not self.shape:
            return table.identity(self)
        beside = [dtype_of(x) for x in others if not isinstance(x, Small)]
        dtype = np.dtype(self.beside_single if np.dtype(np.float32) in beside else np.float64)
        return table.identity(self) if self.dtype == dtype else table.astype(self, dtype=dtype)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Operand, **kwargs: Any
    ) -> Result:
        if method != "__call__" or kwargs or ufunc in TRACED:
            return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)
        _note_wrapping(ufunc, inputs)
        return carry_out(ufunc, _numbers_of(inputs), {})

    def __array_function__(
        self, function: Function, types: Iterable[type], args: tuple[Operand, ...], kwargs: Params
    ) -> Result:
        _note_wrapping(function, args)
        return super().__array_function__(function, types, _numbers_of(args), kwargs)

    def __neg__(self) -> Result:
        _note_wrapping(np.negative, (self,))
        return -self.numbers()


class Wide(Small):
    """Integers of 32 bits, or unsigned ones of 64: float64 beside all others."""

    __slots__ = ()
    beside_single = np.float64


# Functions that give the type of their integers, in which results may not fit
_WRAPPING: set[Function] = {
    *(operator.add, operator.sub, operator.mul, operator.pow, operator.matmul),
    *(np.add, np.subtract, np.multiply, np.power, np.matmul, np.negative, np.square),
    *(np.diff, np.ptp, np.dot, np.inner, np.outer, np.vdot, np.tensordot, np.einsum, np.kron),
}


def _note_wrapping(function: Function, operands: tuple[Operand, ...]) -> None:
    """Warn where NumPy would compute with integers of few bits, whose results wrap around."""
    parts = [x for x in _flat(operands) if not isinstance(x, str)]
    is_integer = any(isinstance(x, Small) and not isinstance(x, Condition) for x in parts)
    if function not in _WRAPPING or not is_integer or not all(map(_may_wrap, parts)):
        return
    frame: FrameType | None = sys._getframe(1)
    program = __name__.rpartition(".")[0]
    while frame is not None and frame.f_globals.get("__name__", "").startswith(program):
        frame = frame.f_back
    if frame is not None and package_of(frame) in ("autograd_core", "nn"):
        return  # which take integers as floats outside, too
    _warn_of_floats(
        f"{function.__name__}() of small or unsigned integers",
        "integers that do not fit wrap around: np.uint8(200) + np.uint8(100) is 44",
    )


def _warn_of_floats(given: str, why: str) -> None:
    warn_once(
        "integers",
        f"{given}, an argument of a compiled function",
        f"inside, they are floats; outside, {why}",
        "x.astype(float) before, inside the function or for its argument",
        UserWarning,
    )


def _may_wrap(x: Operand) -> bool:
    if isinstance(x, Node):
        return isinstance(x, Small | Whole)
    return isinstance(x, int) or np.result_type(x).char in "?bBhHiIQL"


class Condition(Small):
    """Bools of NumPy, recorded as 0 and 1."""

    __slots__ = ()
    is_condition = True

    def __and__(self, other: Operand) -> Result:
        return TRACED[np.bitwise_and](self, other)

    def __or__(self, other: Operand) -> Result:
        return TRACED[np.bitwise_or](self, other)

    def __xor__(self, other: Operand) -> Result:
        return TRACED[np.bitwise_xor](self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Result:
        return TRACED[np.invert](self)

    def __neg__(self) -> Result:
        raise _not_for_bools("-", self, "~condition, or 1.0 - condition")

    def __pos__(self) -> Result:
        raise _not_for_bools("+", self, "the condition itself")

    def __abs__(self) -> Result:
        return self

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Operand, **kwargs: Any
    ) -> Result:
        if method != "__call__" and all(is_bool(x) for x in inputs):
            _refuse(f"{name_of(ufunc)}.{method}() of conditions")
        if method != "__call__" or kwargs or ufunc in TRACED:
            return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)
        if ufunc in _OPERATORS:
            return _OPERATORS[ufunc](*inputs)
        if all(is_bool(x) for x in inputs):
            _refuse(f"{name_of(ufunc)}() of conditions")
        return carry_out(ufunc, _numbers_of(inputs), {})

    def __array_function__(
        self, function: Function, types: Iterable[type], args: tuple[Operand, ...], kwargs: Params
    ) -> Result:
        if function in _OF_BOOLS:
            return carry_out_by(_OF_BOOLS[function], function, args, kwargs)
        arrays = [x for x in _flat(args) if shape_of(x) or isinstance(x, Node | bool)]
        are_bools = all(is_bool(x) for x in arrays)
        if function in _MOVES and are_bools:
            return _marked(Value.__array_function__(self, function, types, args, kwargs))
        if function in _SUMS_OF_PRODUCTS and are_bools:
            return marked(table.greater(carry_out(function, _numbers_of(args), kwargs), 0.0))
        if function in RECORDED and are_bools and function not in _COUNTS:
            _refuse(f"{name_of(function)}() of conditions")
        if function in RECORDED:
            return carry_out(function, _numbers_of(args), kwargs)
        return Value.__array_function__(self, function, types, args, kwargs)

    # The methods of arrays of bools

    def any(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """Tell whether any is true."""
        return marked(table.greater(statistics.sum(self.numbers(), axis, keepdims), 0.0))

    def all(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """Tell whether all are true."""
        return marked(table.equal(statistics.sum(1.0 - self.numbers(), axis, keepdims), 0.0))

    max, min = any, all

    def nonzero(self) -> Result:
        """Refuse: how many there are depends on the data."""
        return watching.taking(self, ".nonzero()")

    def astype(self, dtype: DTypeLike) -> Result:
        """Return bools, or numbers of a type; whole numbers are float64."""
        dtype = np.dtype(dtype)
        if dtype.kind == "b":
            return self
        return self.numbers() if dtype.kind in "iu" else self.numbers().astype(dtype)

    @property
    def T(self) -> Result:
        """The bools with their axes in the opposite order."""
        return marked(rearranging.transpose(self))

    def __getitem__(self, index: Index) -> Result:
        return marked(super().__getitem__(index))


class Truth(Condition):
    """A bool of Python, as a comparison of two numbers gives it: with numbers it is 0 or 1."""

    __slots__ = ()

    def __invert__(self) -> Result:
        return _refuse("~ of a comparison of two numbers", "~True is -2", "np.logical_not(a > b)")

    def __neg__(self) -> Result:
        return -self.numbers()

    def __pos__(self) -> Result:
        return self.numbers()

    def __abs__(self) -> Result:
        return self.numbers()


class Whole(Value):
    """An int among the arguments, or computed from such. Reading it fixes it for the program.

    Arithmetic with other numbers is recorded. All else that ints have is computed from the int
    itself: bits, `pow` with a modulus, and methods such as `bit_length`.
    """

    __slots__ = ()
    # So that isinstance(n, int) is true
    __class__ = property(lambda self: int, vars(object)["__class__"].__set__)

    def __index__(self) -> int:
        return int(self._number("a position or count"))

    def __getattr__(self, name: str) -> Any:
        if hasattr(int, name):
            return getattr(self.__index__(), name)
        raise AttributeError(f"'int' object has no attribute {name!r}")

    def __hash__(self) -> int:
        """Hash as the int where a user looks it up, and as a node where this library does."""
        ours = package_of(sys._getframe(1)) in ("autograd_core", "nn")
        return object.__hash__(self) if ours else hash(self.__index__())

    def __repr__(self) -> str:
        return repr(self.__index__())

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self.__index__(), spec)

    def __mul__(self, other: Operand) -> Result:
        if isinstance(other, list | tuple | str | bytes):  # as often as the number says
            return other * self.__index__()
        return Value.__mul__(self, other)

    __rmul__ = __mul__

    def __pow__(self, other: Operand, modulus: int | None = None) -> Result:
        if modulus is None:
            return Value.__pow__(self, other)
        return pow(self.__index__(), operator.index(other), operator.index(modulus))

    def __round__(self, digits: int | None = None) -> Result:
        return self if digits is None else round(self.__index__(), digits)

    def as_integer_ratio(self) -> tuple[int, int]:
        """Return the int itself and 1."""
        return self.__index__(), 1

    def __invert__(self) -> Result:
        return ~self.__index__()

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Operand, **kwargs: Any
    ) -> Result:
        is_for_integers = all("d" not in types for types in ufunc.types)  # as np.gcd
        if is_for_integers and not any(
            isinstance(x, Node) and not isinstance(x, Whole) for x in inputs
        ):
            plain = [operator.index(x) if isinstance(x, Whole) else x for x in inputs]
            return getattr(ufunc, method)(*plain, **kwargs)
        return Value.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)


def _bits(operation: Function) -> tuple[Function, Function]:
    return (
        lambda self, other: operation(operator.index(self), other),
        lambda self, other: operation(other, operator.index(self)),
    )


def _arithmetic(operation: Function) -> Function:
    def compute(self: Whole, other: Operand, *modulus: int) -> Result:
        out = operation(self, other, *modulus)
        if isinstance(other, float):  # n + 2.0 is a float
            out.__class__ = Value
        return out

    return compute


for _name in ("add", "sub", "mul", "floordiv", "mod", "pow"):
    for _method_name in (f"__{_name}__", f"__r{_name}__"):
        setattr(Whole, _method_name, _arithmetic(getattr(Whole, _method_name)))
for _name in ("and", "or", "xor", "lshift", "rshift"):
    _left, _right = _bits(getattr(operator, f"__{_name}__"))
    setattr(Whole, f"__{_name}__", _left)
    setattr(Whole, f"__r{_name}__", _right)


_WHOLE = {table.add, table.subtract, table.multiply, table.floor_divide, table.mod,
          table.negative, table.absolute, table.maximum, table.minimum, table.identity,
          table.power}  # fmt: skip
_MOVED = {shapes.reshape, shapes.transpose, indexing.getitem, indexing.getitem_at}
_LARGEST = 2.0**53  # below which floats hold all ints


def retype(node: Node) -> None:
    """Let what was computed from conditions or whole numbers be a Value, unless it is one, too."""
    if isinstance(node, Small) and not isinstance(node, Condition) and node.primitive in _MOVED:
        return
    if isinstance(node, Small) or (isinstance(node, Whole) and not _is_whole(node)):
        node.__class__ = Value


def _is_whole(node: Node) -> bool:
    if node.primitive not in _WHOLE:
        return False
    numbers = [x._data if isinstance(x, Whole) else x for x in (*node.inputs, node)]
    return all(type(x) is float and x.is_integer() and abs(x) < _LARGEST for x in numbers)


def marked(node: Node, kind: type[Value] = Condition) -> Result:
    """Return a Value of 0 and 1 as a condition."""
    if isinstance(node, Node):
        node.__class__ = kind
    return node


def _marked(nodes: Tree) -> Result:
    return type(nodes)(map(marked, nodes)) if isinstance(nodes, list | tuple) else marked(nodes)


def is_bool(x: Operand) -> bool:
    """Tell whether an operand is a bool, or an array of them."""
    if isinstance(x, Node):
        return isinstance(x, Condition)
    if isinstance(x, list) and not any(isinstance(part, Node) for part in _flat(x)):
        x = np.asarray(x)
    return isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_


def _flat(x: Operand) -> list[Operand]:
    if isinstance(x, list | tuple):
        return [found for part in x for found in _flat(part)]
    return [x]


def _numbers_of(x: Operand, *others: Operand) -> Result:
    """Return operands with numbers for conditions; others, or those among them, tell the type."""
    if isinstance(x, tuple | list):
        return type(x)([_numbers_of(part, *(others or _flat(x))) for part in x])
    return x.numbers(*others) if isinstance(x, Small) else x


def _refuse(what: str, why: str = "", instead: str = "1.0 * condition for numbers") -> Result:
    return watching.tracer().refuse(
        what, why or "outside it gives whole numbers, or halves of the precision", instead
    )


def _not_for_bools(sign: str, x: Operand, instead: str) -> UnsupportedError:
    return UnsupportedError(
        f"{sign} of a condition of shape {shape_of(x)}", "NumPy has none of bools", instead
    )


# Operators. Two bools of Python are ints there; other bools follow NumPy


def _either(x: Operand, y: Operand) -> Result:
    return TRACED[np.bitwise_or](x, y)


def _both(x: Operand, y: Operand) -> Result:
    return TRACED[np.bitwise_and](x, y)


def _difference(x: Operand, _: Operand) -> Result:
    raise _not_for_bools("-", x, "x ^ y, or 1.0 * x - y")


def _quotient(x: Operand, y: Operand) -> Result:
    return operator.truediv(_as_numbers(x), _as_numbers(y))


def _product(x: Operand, y: Operand) -> Result:
    return marked(table.greater(operator.matmul(_as_numbers(x), _as_numbers(y)), 0.0))


def _as_numbers(x: Operand) -> Result:
    return x.numbers() if isinstance(x, Condition) else as_data(x)


def _refused(sign: str) -> Function:
    return lambda x, y: _refuse(f"{sign} of two conditions")


def _operation(function: Function, of_bools: Function) -> Function:
    """Return an operator of conditions and others, given what it is of two bools."""

    def operation(x: Operand, y: Operand) -> Result:
        are_pythons = all(isinstance(part, Truth | bool) for part in (x, y))
        if is_bool(x) and is_bool(y) and not are_pythons:
            return of_bools(x, y)
        if function in _WRAPPING:
            _note_wrapping(function, (x, y))
        return function(_numbers_of(x, y), _numbers_of(y, x))

    return operation


def _power(x: Operand, y: Operand) -> Result:
    if is_bool(x) and isinstance(y, int) and not isinstance(x, Truth):
        return _refuse("** of a condition and an int")
    return _operation(operator.pow, _refused("**"))(x, y)


_ADDITION = _operation(operator.add, _either)
_MULTIPLICATION = _operation(operator.mul, _both)
_BY_NAME: dict[str, Function] = {
    "add": _ADDITION,
    "mul": _MULTIPLICATION,
    "sub": _operation(operator.sub, _difference),
    "truediv": _operation(operator.truediv, _quotient),
    "floordiv": _operation(operator.floordiv, _refused("//")),
    "mod": _operation(operator.mod, _refused("%")),
    "pow": _power,
    "matmul": _operation(operator.matmul, _product),
}
for _name, _function in _BY_NAME.items():
    setattr(Small, f"__{_name}__", lambda self, other, f=_function: f(self, other))
    setattr(Small, f"__r{_name}__", lambda self, other, f=_function: f(other, self))

_OPERATORS: dict[Function, Function] = {
    np.add: _ADDITION,
    np.multiply: _MULTIPLICATION,
    np.subtract: _BY_NAME["sub"],
    np.divide: _BY_NAME["truediv"],
    np.floor_divide: _BY_NAME["floordiv"],
    np.mod: _BY_NAME["mod"],
    np.power: _BY_NAME["pow"],
    np.matmul: _BY_NAME["matmul"],
    np.maximum: _operation(table.maximum, _either),
    np.minimum: _operation(table.minimum, _both),
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: abs,
}


# Comparisons and logic


def _is_true(x: Operand) -> Result:
    """Return 1 where x is not 0; a condition is 1 there already."""
    return x if isinstance(x, Condition) else 1.0 - table.equal(x, 0.0)


def _not(x: Operand) -> Result:
    return table.equal(x, 0.0)


_RULES: dict[Function, Function] = {
    np.equal: table.equal,
    np.not_equal: lambda x, y: _not(table.equal(x, y)),
    np.greater: table.greater,
    np.greater_equal: table.greater_equal,
    np.less: lambda x, y: table.greater(y, x),
    np.less_equal: lambda x, y: table.greater_equal(y, x),
    np.logical_and: lambda x, y: table.multiply(_is_true(x), _is_true(y)),
    np.logical_or: lambda x, y: table.maximum(_is_true(x), _is_true(y)),
    np.logical_xor: lambda x, y: _not(table.equal(_is_true(x), _is_true(y))),
    np.logical_not: _not,
    np.isnan: lambda x: _not(table.equal(x, x)),
    np.isfinite: lambda x: table.equal(x - x, 0.0),
    np.isinf: lambda x: table.equal(table.absolute(x), np.inf),
}


def _condition(rule: Function) -> Function:
    return lambda *operands: marked(rule(*operands))


def _comparison(rule: Function) -> Function:
    """Return an operator that gives a bool of Python for two numbers of Python."""

    def compare(x: Operand, y: Operand) -> Result:
        out = rule(x, y)
        is_numpys = any(type(part) is Condition or isinstance(part, np.generic) for part in (x, y))
        return marked(out, Condition if shape_of(out) or is_numpys else Truth)

    return compare


def _logic(function: Function, rule: Function) -> Function:
    """Return what &, |, ^ and ~ are: logic between bools, bits of ints, refused for all else."""

    def combine(*operands: Operand) -> Result:
        if not all(is_bool(x) for x in operands):
            return function(*[_int_of(x) for x in operands])
        out = rule(*[x if isinstance(x, Node) else as_data(x) for x in operands])
        return marked(
            out, Truth if all(isinstance(x, Truth | bool) for x in operands) else Condition
        )

    return combine


def _int_of(x: Operand) -> Result:
    """Return the int that a node is, which fixes it for the program; refuse other nodes."""
    if not isinstance(x, Node):
        return x
    watching.taking(x, BITS)
    if not isinstance(x, Whole | Truth):
        _refuse(f"{BITS} of a Value of shape {x.shape}", "it holds floats", "int(v) & 1")
    return int(x._data) if isinstance(x, Whole) else bool(x._data)


# What a tracer does with functions that look at data outside, and give plain bools
TRACED: dict[Function, Function] = {
    **{function: _condition(rule) for function, rule in _RULES.items()},
    operator.eq: _comparison(_RULES[np.equal]),
    operator.ne: _comparison(_RULES[np.not_equal]),
    operator.gt: _comparison(_RULES[np.greater]),
    operator.ge: _comparison(_RULES[np.greater_equal]),
    operator.lt: _comparison(_RULES[np.less]),
    operator.le: _comparison(_RULES[np.less_equal]),
    np.bitwise_and: _logic(np.bitwise_and, _RULES[np.logical_and]),
    np.bitwise_or: _logic(np.bitwise_or, _RULES[np.logical_or]),
    np.bitwise_xor: _logic(np.bitwise_xor, _RULES[np.logical_xor]),
    np.invert: _logic(np.invert, _RULES[np.logical_not]),
}


def _where(condition: Operand, *choices: Operand) -> Result:
    if len(choices) == 2 and all(is_bool(x) for x in choices):
        return marked(statistics.where(condition, *choices))
    if not choices and isinstance(condition, Node):
        return watching.taking(condition, "a condition as an index")
    return statistics.where(condition, *_numbers_of(choices))


def _outer(a: Operand, b: Operand) -> Result:
    if not (is_bool(a) and is_bool(b)):
        return RECORDED[np.outer](*_numbers_of((a, b)))
    return _both(_marked(np.ravel(a))[:, None], np.ravel(b))


_OF_BOOLS: dict[Function, Function] = {
    np.any: lambda a, axis=None, keepdims=False: a.any(axis, keepdims),
    np.all: lambda a, axis=None, keepdims=False: a.all(axis, keepdims),
    np.max: lambda a, axis=None, keepdims=False: a.any(axis, keepdims),
    np.amax: lambda a, axis=None, keepdims=False: a.any(axis, keepdims),
    np.min: lambda a, axis=None, keepdims=False: a.all(axis, keepdims),
    np.amin: lambda a, axis=None, keepdims=False: a.all(axis, keepdims),
    np.where: _where,
    np.outer: _outer,
    np.count_nonzero: lambda a, axis=None, keepdims=False: statistics.sum(
        a.numbers(), axis, keepdims
    ),
}
_SUMS_OF_PRODUCTS = {np.dot, np.inner, np.vdot, np.tensordot, np.einsum}
_COUNTS = {np.sum, np.prod, np.mean, np.var, np.std, np.median, np.cumsum, np.cumprod, np.trace}
_MOVES = set(
    map(
        partial(getattr, np),
        (
            *("reshape", "ravel", "transpose", "swapaxes", "squeeze", "expand_dims", "atleast_1d"),
            *("atleast_2d", "atleast_3d", "moveaxis", "rollaxis", "broadcast_to", "concatenate"),
            *("broadcast_arrays", "stack", "hstack", "vstack", "dstack", "column_stack", "take"),
            *("tile", "repeat", "flip", "fliplr", "flipud", "roll", "rot90", "diag", "diagonal"),
            *("tril", "triu", "delete", "split", "array_split", "hsplit", "vsplit", "sort"),
        ),
    )
)


def _of_numbers(name: str) -> Function:
    return lambda self, *args, **kwargs: getattr(self.numbers(), name)(*args, **kwargs)


def _moving(name: str) -> Function:
    return lambda self, *args, **kwargs: _marked(getattr(Value, name)(self, *args, **kwargs))


for _name, _method in vars(Value).items():
    if _name.startswith("_") or _name in vars(Condition) or not callable(_method):
        continue
    _is_move = _name in ("reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze")
    setattr(Condition, _name, (_moving if _is_move else _of_numbers)(_name))
