"""Conditions inside compiled functions: Values that count as bools, and give such.

Outside, a comparison looks at data and gives plain bools. Inside a compiled function it gives a
`Condition`, a Value of 0 and 1 that every replay computes anew.
"""

import operator
from typing import Any, ClassVar

import numpy as np

from .. import watching
from ..data import Function, Operand, Result, as_data, shape_of
from ..graph import Node
from ..primitives import elementwise as table
from .integers import KINDS, LARGEST, Integers, Whole, kind_of, marked

BITS = "bits of numbers, as in `v & 1`,"


class Condition(Integers):
    """Bools of NumPy."""

    __slots__ = ()
    outside: ClassVar[Any] = np.bool_
    is_condition = True

    def nonzero(self) -> Result:
        """Refuse: how many there are depends on the data."""
        return watching.taking(self, ".nonzero()")


class Truth(Condition):
    """A bool of Python, as a comparison of two numbers gives it."""

    __slots__ = ()
    outside = bool

    def __invert__(self) -> Result:
        return watching.tracer().refuse(
            "~ of a comparison of two numbers", "~True is -2", "np.logical_not(a > b)"
        )


KINDS |= {np.bool_: Condition, bool: Truth}


# Comparisons and logic


def is_bool(x: Operand) -> bool:
    """Tell whether an operand is a bool, or an array or a list of them."""
    if isinstance(x, list) and not any(isinstance(part, Node) for part in x):
        x = np.asarray(x)
    return x.is_condition if isinstance(x, Node) else kind_of(x) in (Condition, Truth)


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
    np.isfinite: lambda x: table.equal(table.subtract(x, x), 0.0),
    np.isinf: lambda x: table.equal(table.absolute(x), np.inf),
}


def _exact(x: Operand, other: Operand) -> Operand:
    """Return an operand with NaN where it is not the integer that is compared with another."""
    if not isinstance(x, Integers):
        return x
    # Rounding takes no large integer to or past a small number
    is_small = not isinstance(other, Node) and np.all(np.abs(as_data(other)) <= LARGEST)
    return x if is_small else x.exact()


def _condition(rule: Function) -> Function:
    def compute(*operands: Operand) -> Result:
        if len(operands) == 2:
            x, y = operands
            operands = _exact(x, y), _exact(y, x)
        return marked(rule(*operands), Condition)

    return compute


def _comparison(rule: Function) -> Function:
    """Return an operator that gives a bool of Python for two numbers of Python."""

    def compare(x: Operand, y: Operand) -> Result:
        out = rule(_exact(x, y), _exact(y, x))
        is_numpys = any(type(part) is Condition or isinstance(part, np.generic) for part in (x, y))
        return marked(out, Condition if shape_of(out) or is_numpys else Truth)

    return compare


def _logic(function: Function, rule: Function) -> Function:
    """Return what &, |, ^ and ~ are: logic between bools, bits of ints, refused for all else."""

    def combine(*operands: Operand) -> Result:
        if not all(is_bool(x) for x in operands):
            return function(*map(_int_of, operands))
        out = rule(*[x if isinstance(x, Node) else as_data(x) for x in operands])
        are_pythons = all(isinstance(x, Truth | bool) for x in operands)
        return marked(out, Truth if are_pythons else Condition)

    return combine


def _int_of(x: Operand) -> Result:
    """Return the int that a node is, which fixes it for the program; refuse other nodes."""
    if not isinstance(x, Node):
        return x
    watching.taking(x, BITS)
    if isinstance(x, Whole | Truth):
        return x.outside(x._data)
    return watching.tracer().refuse(
        f"{BITS} of a Value of shape {x.shape}", "it holds floats", "int(v) & 1"
    )


_LOGIC = {
    np.bitwise_and: _RULES[np.logical_and],
    np.bitwise_or: _RULES[np.logical_or],
    np.bitwise_xor: _RULES[np.logical_xor],
    np.invert: _RULES[np.logical_not],
}

# What a tracer does with functions that look at data outside, and give plain bools
TRACED: dict[Function, Function] = {
    **{function: _condition(rule) for function, rule in _RULES.items()},
    operator.eq: _comparison(_RULES[np.equal]),
    operator.ne: _comparison(_RULES[np.not_equal]),
    operator.gt: _comparison(_RULES[np.greater]),
    operator.ge: _comparison(_RULES[np.greater_equal]),
    operator.lt: _comparison(_RULES[np.less]),
    operator.le: _comparison(_RULES[np.less_equal]),
    **{function: _logic(function, rule) for function, rule in _LOGIC.items()},
}
for _name, _ufunc in {
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "invert": np.invert,
}.items():
    setattr(Integers, f"__{_name}__", _logic(getattr(operator, f"__{_name}__"), _LOGIC[_ufunc]))
for _name in ("and", "or", "xor"):
    _left = getattr(Integers, f"__{_name}__")
    setattr(Integers, f"__r{_name}__", lambda x, y, left=_left: left(y, x))
for _name in ("lshift", "rshift"):
    _shift = getattr(operator, f"__{_name}__")
    setattr(Integers, f"__{_name}__", lambda x, y, shift=_shift: shift(_int_of(x), _int_of(y)))
    setattr(Integers, f"__r{_name}__", lambda x, y, shift=_shift: shift(_int_of(y), _int_of(x)))
