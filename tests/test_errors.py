"""Errors: each bad input has its class, says three things, and leaves everything as it was."""

import builtins
import inspect
import math
import operator
import pickle
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from autograd_core import (
    AutogradError,
    DataError,
    DomainError,
    IndexRangeError,
    Primitive,
    RuleError,
    ShapeError,
    UnsupportedError,
    Value,
    errors,
    grad,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)


def labelled(data, label):
    """Return a Value with a label, and with a gradient that errors must leave alone."""
    v = Value(data, label=label)
    v.grad = np.full(v.shape, 7.0)
    return v


@dataclass
class Operands:
    """What the bad operations are tried on."""

    x: Value = field(default_factory=lambda: labelled(2.0, "x"))
    a: Value = field(default_factory=lambda: labelled([1.0, 2.0, 3.0], "a"))
    m: Value = field(default_factory=lambda: labelled([[1.0, 2.0], [3.0, 4.0]], "m"))
    singular: Value = field(default_factory=lambda: labelled(np.ones((2, 2)), "s"))


def square(x):
    return x * x


def assign(name, value):
    def act(v):
        setattr(v, name, value)

    return act


def add_in_place(array, value):
    array += value


# Primitives that are wrong in one way each
TWIST = Primitive("twist", lambda x: 2.0 * x, lambda g, out, x: np.ones(5))
STRETCH = Primitive("stretch", lambda x: 2.0 * x, lambda g, out, x: np.ones((2, 3)))
SHRINK = Primitive("shrink", lambda x: 2.0 * x, lambda g, out, x: np.ones(1))
NOTHING = Primitive("nothing", lambda x: 2.0 * x, lambda g, out, x: None)
WORDY = Primitive("wordy", lambda x, y: x * y, lambda g, out, x, y: g * y, lambda *_: "text")
SPREAD = Primitive("spread", np.add, lambda g, out, x, y: np.ones(5), lambda g, out, x, y: g)
DOUBLE = Primitive("double", lambda x: 2 * x, lambda g, out, x: 2 * g, scalar=lambda x: 2 * x)
PAIR = Primitive("pair", np.add, lambda g, out, x, y: g, lambda g, out, x, y: g)

# What is done; the class of the error; what must be said: given, why, what to write instead
SHAPES = {
    "matrix product of two numbers": (
        lambda o: o.x @ o.x,
        ("matmul of x = 2 and x = 2", "no axis to sum over", "x * y"),
    ),
    "comparison of shapes that do not broadcast": (
        lambda o: o.a > o.m,
        ("comparison of a = shape (3,) with m = shape (2, 2)", "broadcast", "shapes that broad"),
    ),
    "two axes where one is taken": (
        lambda o: np.sort(o.m, axis=(0, 1)),
        ("sort over axes (0, 1)", "along one axis", "one integer"),
    ),
    "border of a negative width": (
        lambda o: np.pad(o.a, -1),
        ("np.pad of a = shape (3,)", "negative", "arguments that it takes"),
    ),
    "shapes that do not broadcast": (
        lambda o: o.a + o.m,
        ("add of a = shape (3,) and m = shape (2, 2)", "axis -1 has 3 against 2", "reshape"),
    ),
    "an array on the left that does not broadcast": (
        lambda o: np.ones((2, 4)) * o.a,
        ("multiply of shape (2, 4) and a = shape (3,)", "axis -1 has 4 against 3", "reshape"),
    ),
    "several axes that do not broadcast": (
        lambda o: o.m - np.ones((3, 4)),
        ("subtract of m = ", "axis -1 has 2 against 4, axis -2 has 2 against 3", "None"),
    ),
    "a function of shapes that do not broadcast": (
        lambda o: np.maximum(o.a, o.m),
        ("maximum of a = shape (3,) and m = shape (2, 2)", "paired from the right", "reshape"),
    ),
    "three shapes that do not broadcast": (
        lambda o: np.where(o.a > 1, o.a, o.m),
        ("and a = shape (3,) and m = shape (2, 2)", "could not be broadcast", "reshape"),
    ),
    "misaligned vector and matrix": (
        lambda o: o.a @ o.m,
        ("matmul of a = shape (3,) and m = shape (2, 2)", "axis 0 of the first, 3", "x.T @ y"),
    ),
    "misaligned matrices": (
        lambda o: o.m @ np.ones((3, 2)),
        ("and shape (3, 2)", "axis 1 of the first, 2, must equal axis 0 of the second, 3", "y.T"),
    ),
    "misaligned stacks": (
        lambda o: np.ones((2, 2, 2)) @ (o.m + np.zeros((3, 2, 2))),
        ("shape (2, 2, 2) and shape (3, 2, 2)", "before the last two do not broadcast", "stacks"),
    ),
    "matrix product with a number": (
        lambda o: o.m @ o.x,
        ("matmul of m = shape (2, 2) and x = 2", "a number has no axis", "x * y"),
    ),
    "matrix product of a number": (
        lambda o: o.x @ o.m,
        ("matmul of x = 2 and m = shape (2, 2)", "a number has no axis", "x * y"),
    ),
    "misaligned matrix and vector": (
        lambda o: o.m @ o.a,
        ("and a = shape (3,)", "axis 1 of the first, 2, must equal axis 0 of the second, 3", "y.T"),
    ),
    "reshape to another number of elements": (
        lambda o: o.a.reshape(2, 2),
        (
            "reshape of an array with 1 axes and 3 elements, with (2, 2)",
            "cannot reshape",
            "as many",
        ),
    ),
    "axis that does not exist": (
        lambda o: o.a.sum(axis=1),
        ("sum of a = shape (3,)", "axis 1 is out of bounds", "an axis from 0 to 0"),
    ),
    "concatenation of different shapes": (
        lambda o: np.concatenate([o.a, o.m]),
        ("concatenate of a = shape (3,) and m = shape (2, 2)", "same number of dim", "reshape"),
    ),
    "largest of nothing": (
        lambda o: np.max(o.a[3:]),
        ("max of shape (0,)", "zero-size array", "shapes that fit"),
    ),
    "truth of an array": (
        lambda o: bool(o.a),
        ("one number of a Value of shape (3,)", "it holds 3 numbers", "np.any(v)"),
    ),
    "number from an array": (
        lambda o: float(o.m),
        ("one number of a Value of shape (2, 2)", "it holds 4 numbers", "v.data"),
    ),
    "index of a number": (
        lambda o: o.x[0],
        ("index 0 of a number", "a number has no axes", "the Value itself"),
    ),
    "backward of an array without a gradient": (
        lambda o: (o.a * 2).backward(),
        ("backward() on an output of shape (3,)", "it has 3 numbers", "v.sum().backward()"),
    ),
    "backward with a gradient of another shape": (
        lambda o: (o.a * 2).backward(np.ones(2)),
        ("a gradient of shape (2,) for an output of shape (3,)", "weighs", "of shape (3,)"),
    ),
    "backward of an array with a number": (
        lambda o: (o.a * 2).backward(1.0),
        ("a gradient of shape () for an output of shape (3,)", "weighs", "of shape (3,)"),
    ),
    "backward of a number with an array": (
        lambda o: o.x.backward([1.0]),
        ("a gradient of shape (1,) for an output of shape ()", "weighs", "of shape ()"),
    ),
    "assigned gradient of another shape": (
        lambda o: assign("grad", [1.0, 2.0])(o.a),
        ("gradient of shape (2,) for data of shape (3,)", "one number for each", "v.grad = 0"),
    ),
    "gradient of an array": (
        lambda o: grad(square)(np.ones(3)),
        ("1 result of shape (3,)", "a gradient is of one number", "jacobian"),
    ),
    "gradient of several results": (
        lambda o: value_and_grad(lambda x: (x, x))(2.0),
        ("2 results of shape (), ()", "a gradient is of one number", ".sum()"),
    ),
    "gradient of no result": (
        lambda o: grad(lambda x: None)(2.0),
        ("None, as without return", "a gradient is of one number", ".sum()"),
    ),
    "cotangent of another shape": (
        lambda o: vjp(square, np.ones(3))[1](np.ones(2)),
        ("cotangent of shapes [(2,)]", "has shapes [(3,)]", "of the same structure and shapes"),
    ),
    "cotangent of another structure": (
        lambda o: vjp(lambda x: (x, x), 2.0)[1](1.0),
        ("cotangent of another structure", "has shapes [(), ()]", "of the same structure"),
    ),
    "tangent of another shape": (
        lambda o: jvp(square, (np.ones(3),), (2.0,)),
        ("tangent of shapes [()]", "has shapes [(3,)]", "of the same structure and shapes"),
    ),
    "more tangents than arguments": (
        lambda o: jvp(square, (2.0,), (1.0, 2.0)),
        ("tangent of another structure", "has shapes [()]", "of the same structure"),
    ),
    "tangents under other keys": (
        lambda o: jvp(lambda p: p["a"] * p["b"], ({"a": 1.0, "b": 2.0},), ({"a": 1.0, "c": 2.0},)),
        ("tangent of another structure", "has shapes [(), ()]", "of the same structure"),
    ),
    "vector of another shape": (
        lambda o: hvp(square, (2.0,), ([1.0],)),
        ("vector of shapes [(1,)]", "has shapes [()]", "of the same structure and shapes"),
    ),
    "inverse of a vector": (
        lambda o: np.linalg.inv(o.a),
        ("inv of a = shape (3,)", "it takes a square matrix", "(..., n, n)"),
    ),
    "determinant of a matrix that is not square": (
        lambda o: np.linalg.det(o.m[:1]),
        ("det of shape (1, 2)", "it takes a square matrix", "(..., n, n)"),
    ),
}

DATA = {
    "None to differentiate by": (
        lambda o: grad(square)(None),
        ("None as argument 0", "no numbers", "argnums"),
    ),
    "tangents that are no tuple": (
        lambda o: jvp(square, 2.0, 1.0),
        ("jvp with float and float", "as tuples", "jvp(f, (x,), (v,))"),
    ),
    "vectors that are no tuple": (
        lambda o: hvp(square, (2.0,), 1.0),
        ("hvp with tuple and float", "as tuples", "hvp(f, (x,), (v,))"),
    ),
    "function that gives text": (
        lambda o: grad(lambda x: "text")(2.0),
        ("str data of type <U4: 'text'", "real numbers", "float(text)"),
    ),
    "primitive that gives text": (
        lambda o: Primitive("speak", lambda x: "text", None)(o.x),
        ("str data of type <U4: 'text'", "real numbers", "float(text)"),
    ),
}

INDICES = {
    "axis of a number": (
        lambda o: np.mean(o.x, axis=0),
        ("mean over axis 0 of 0 axes", "no such axis", "an array instead of the number"),
    ),
    "index out of range": (
        lambda o: o.a[3],
        ("index 3 of", "index 3 is out of bounds for axis 0 with size 3", "from -n to n - 1"),
    ),
    "index out of range in an axis": (
        lambda o: o.m[0, -3],
        ("index (0, -3) of", "out of bounds for axis 1 with size 2", "from -n to n - 1"),
    ),
    "list that is out of range": (
        lambda o: o.a[[0, 5]],
        ("index [0, 5] of", "index 5 is out of bounds", "from -n to n - 1"),
    ),
    "too many indices": (
        lambda o: o.m[0, 0, 0],
        ("index (0, 0, 0) of", "too many indices", "from -n to n - 1"),
    ),
    "mask of another length": (
        lambda o: o.a[np.array([True, False])],
        ("index array([ True, False]) of", "boolean index did not match", "from -n to n - 1"),
    ),
    "text as an index": (lambda o: o.a["b"], ("index 'b' of", "only integers, slices", "index")),
    "index that is a fraction": (
        lambda o: o.a[o.x / 4],
        ("of shape (3,)", "it is no whole number", "an int"),
    ),
    "argnums beyond the arguments": (
        lambda o: grad(square, 1)(2.0),
        ("argnums=1 of a function called with 1 arg", "no positional argument 1", "from 0"),
    ),
    "argnums before the arguments": (
        lambda o: grad(square, -2)(2.0),
        ("argnums=-2 of a function called with 1 arg", "no positional argument -2", "from 0"),
    ),
    "one of several argnums beyond the arguments": (
        lambda o: jacobian(square, (0, 3))(2.0),
        ("argnums=(0, 3) of a function", "no positional argument 3", "from 0"),
    ),
    "argnums without arguments": (
        lambda o: value_and_grad(square)(),
        ("called with 0 arguments", "no positional argument 0", "from 0"),
    ),
    "the same argnum twice": (
        lambda o: grad(square, (0, -1))(2.0),
        ("argnums=(0, -1) of a function", "argument -1 is named twice", "each once"),
    ),
    "argnums that are no integers": (
        lambda o: grad(square, 0.5)(2.0),
        ("argnums=0.5 of a function", "no positional argument 0.5", "positions"),
    ),
}

UNSUPPORTED = {
    "length of a number": (
        lambda o: len(o.x),
        ("len() of a number", "a number has no axes", "v.size"),
    ),
    "iteration over a number": (
        lambda o: list(o.x),
        ("len() of a number", "a number has no axes", "v.size"),
    ),
    "assignment to an element": (
        lambda o: operator.setitem(o.a, 0, 1.0),
        ("v[0] = ... of a Value", "never change", "np.where"),
    ),
    "function without a rule": (
        lambda o: np.fft.fft(o.a),
        ("np.fft.fft of a Value", "no derivative rule", 'Primitive("name", forward'),
    ),
    "ufunc without a rule": (
        lambda o: np.frexp(o.a),
        ("np.frexp of a Value", "no derivative rule", "v.data"),
    ),
    "method of a ufunc": (
        lambda o: np.subtract.reduce(o.a),
        ("np.subtract.reduce of a Value", "no derivative rule", "v.data"),
    ),
    "option of a ufunc": (
        lambda o: np.add(o.a, o.a, where=[True, False, True]),
        ("np.add of a Value with where", "no derivative rule", "v.data"),
    ),
    "option of a function": (
        lambda o: np.sum(o.a, initial=1.0),
        ("np.sum of a Value", "that option has no derivative rule", "np.sum(v), which"),
    ),
    "in-place operation on an array": (
        lambda o: add_in_place(np.ones(3), o.a),
        ("np.add of a Value into an array", "cannot hold the graph", "a = a + v"),
    ),
    "result into an array": (
        lambda o: np.exp(o.a, out=np.ones(3)),
        ("np.exp of a Value into an array", "cannot hold the graph", "a = a + v"),
    ),
}

RULES = {
    "rule that returns another shape": (
        lambda o: TWIST(o.a).sum().backward(),
        ("the rule of twist for input 0, a = shape (3,), returned shape (5,)", "shape", "rule 0"),
    ),
    "rule that returns an array for a number": (
        lambda o: TWIST(o.x).backward(),
        ("the rule of twist for input 0, x = 2, returned shape (5,)", "shape", "rule 0"),
    ),
    "rule that returns what broadcasting does not explain": (
        lambda o: SPREAD(o.x, o.a).sum().backward(),
        ("the rule of spread for input 0, x = 2, returned shape (5,)", "shape", "rule 0"),
    ),
    "rule that returns more axes than there are": (
        lambda o: STRETCH(o.a).sum().backward(),
        ("rule of stretch for input 0, a = shape (3,), returned shape (2, 3)", "shape", "rule 0"),
    ),
    "rule that returns too few numbers": (
        lambda o: SHRINK(o.a).sum().backward(),
        ("the rule of shrink for input 0, a = shape (3,), returned shape (1,)", "shape", "rule 0"),
    ),
    "rule that returns None": (
        lambda o: NOTHING(o.a).sum().backward(),
        (
            "the rule of nothing for input 0, a = shape (3,), returned None",
            "shape",
            "None instead",
        ),
    ),
    "rule that returns None for a number": (
        lambda o: grad(NOTHING)(2.0),
        ("the rule of nothing for input 0, 2, returned None", "shape", "None instead"),
    ),
    "rule that returns text": (
        lambda o: WORDY(o.x, o.a).sum().backward(),
        ("the rule of wordy for input 1, a = shape (3,), returned 'text'", "shape", "rule 1"),
    ),
    "primitive without rules": (
        lambda o: Primitive("bare", np.sin),
        ("primitive bare with 0 rules", "every input needs one rule", "lambda g, out, x: ..."),
    ),
    "primitive with too many kinds of rules": (
        lambda o: Primitive("both", np.sin, None, each=lambda i, g, out, *inputs: g),
        (
            "primitive both with 1 rule and `each`",
            "every input needs one rule",
            "Primitive('both'",
        ),
    ),
    "too few inputs for the rules": (
        lambda o: PAIR(o.x),
        ("pair with 1 input", "it has 2 rules", "one positional argument for each rule"),
    ),
    "too many inputs for the rules": (
        lambda o: PAIR(o.x, 2.0, o.a),
        ("pair with 3 inputs", "it has 2 rules", "one positional argument for each rule"),
    ),
    "too many plain inputs for the rules": (
        lambda o: PAIR(1.0, 2.0, 3.0),
        ("pair with 3 inputs", "it has 2 rules", "one positional argument for each rule"),
    ),
    "too many numbers for a primitive with a scalar function": (
        lambda o: DOUBLE(1.0, 2.0),
        ("double with 2 inputs", "it has 1 rule", "one positional argument for each rule"),
    ),
}

DOMAINS = {
    "function of Python's outside its domain": (
        lambda o: Primitive("root", math.sqrt, lambda g, out, x: g / (2 * out))(-o.x),
        ("root of -2", "math domain error", "numbers for which it is defined"),
    ),
    "inverse of a singular matrix": (
        lambda o: np.linalg.inv(o.singular),
        ("inv of s = shape (2, 2)", "Singular matrix", "np.linalg.pinv"),
    ),
    "equations with a singular matrix": (
        lambda o: np.linalg.solve(o.singular, np.ones(2)),
        ("solve of s = shape (2, 2) and shape (2,)", "Singular matrix", "np.linalg.pinv"),
    ),
    "derivative at a singular matrix": (
        lambda o: np.linalg.slogdet(o.singular).logabsdet.backward(),
        ("inv of shape (2, 2)", "Singular matrix", "np.linalg.pinv"),
    ),
    "Cholesky factor of a matrix that is not positive definite": (
        lambda o: np.linalg.cholesky(-o.singular),
        ("cholesky of shape (2, 2)", "not positive definite", "eigh"),
    ),
    "norm that does not exist": (
        lambda o: np.linalg.norm(o.m, "nothing"),
        ("norm with ord='nothing' of matrices", "there is no such norm", "ord='fro'"),
    ),
}

BAD_DATA = {
    "text": ("text", ("str data of type <U4: 'text'", "real numbers", "float(text)")),
    "list of text": (["1", "2"], ("list data of type <U1: ['1', '2']", "real", "float(text)")),
    "object": (Operands, ("type data of type object", "real numbers", "numbers")),
    "dict": ({"w": 1.0}, ("dict data of type object: {'w': 1.0}", "real numbers", "numbers")),
    "array of objects": (np.array([None]), ("ndarray data of type object", "real", "numbers")),
    "complex number": (1j, ("complex data of type complex128: 1j", "real", "z.real and z.imag")),
    "complex array": (np.ones(2) * 1j, ("ndarray data of type complex128", "real", "z.real")),
    "date": (np.datetime64("2020-01-01"), ("datetime64 data", "real numbers", "numbers")),
    "ragged list": ([1, [2, 3]], ("a list that is not a regular array", "length", "equal length")),
    "list that holds None": ([1, None], ("list data of type object", "real numbers", "numbers")),
    "list of Values": ([Value(1.0), 2], ("a list that holds Values", "the graph", "np.stack")),
    "nested tuple of Values": (
        ((Value(1.0),),),
        ("a tuple that holds Values", "graph", "np.stack"),
    ),
    "None": (None, ("NoneType data of type object: None", "real numbers", "numbers")),
}
# Where bad data may be put in
ENTRANCES = {
    "Value": lambda o, bad: Value(bad),
    "assigned data": lambda o, bad: assign("data", bad)(o.x),
    "right operand": lambda o, bad: o.a + bad,
    "left operand": lambda o, bad: bad * o.a,
    "NumPy function": lambda o, bad: np.maximum(o.x, bad),
    "primitive": lambda o, bad: PAIR(1.0, bad),
    "tangent": lambda o, bad: jvp(square, (2.0,), (bad,)),
}
# Where a list or a dict would be a structure of arguments, and None means something else
NARROW_ENTRANCES = {
    "argument of grad": lambda o, bad: grad(square)(bad),
    "argument of vjp": lambda o, bad: vjp(square, bad),
    "leaf of an argument": lambda o, bad: grad(lambda p: p["w"])({"w": [bad]}),
    "gradient of backward": lambda o, bad: (o.a * 2).backward(bad),
    "assigned gradient": lambda o, bad: assign("grad", bad)(o.x),
}
# Operands are stacked into one Value; data are not
OF_VALUES = ("list of Values", "nested tuple of Values")
NARROW_DATA = ("text", "object", "array of objects", "complex number", "complex array", "date")


@dataclass
class Case:
    """Something that must fail: the error, and what it says of what, why and what instead."""

    act: Any
    error: type
    builtin: type
    says: tuple[str, str, str]


CASES = {
    f"{error.__name__}: {name}": Case(act, error, builtin, says)
    for error, builtin, table in [
        (ShapeError, ValueError, SHAPES),
        (DataError, TypeError, DATA),
        (IndexRangeError, IndexError, INDICES),
        (UnsupportedError, TypeError, UNSUPPORTED),
        (RuleError, ValueError, RULES),
        (DomainError, ValueError, DOMAINS),
    ]
    for name, (act, says) in table.items()
} | {
    f"DataError: {name}, as {place}": Case(
        lambda o, enter=enter, bad=bad: enter(o, bad), DataError, TypeError, says
    )
    for places, names in [(ENTRANCES, BAD_DATA), (NARROW_ENTRANCES, NARROW_DATA)]
    for place, enter in places.items()
    for name, (bad, says) in BAD_DATA.items()
    if name in names and (name not in OF_VALUES or place in ("Value", "assigned data"))
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@each_case
def test_the_error_says_what_was_given_why_it_fails_and_what_to_write(case):
    with pytest.raises(case.error) as caught:
        case.act(Operands())
    error = caught.value
    assert isinstance(error, AutogradError)
    assert isinstance(error, case.builtin)
    for part, fragment in zip((error.given, error.why, error.instead), case.says, strict=True):
        assert fragment in part
    assert str(error) == f"{error.given}\n  why:   {error.why}\n  write: {error.instead}"


@each_case
def test_the_error_survives_pickling(case):
    with pytest.raises(case.error) as caught:
        case.act(Operands())
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is type(caught.value)
    assert (str(copy), vars(copy)) == (str(caught.value), vars(caught.value))


@each_case
def test_operands_are_as_before_and_of_further_use(case):
    operands, untouched = Operands(), Operands()
    with pytest.raises(case.error):
        case.act(operands)
    for name, expected in vars(untouched).items():
        v = getattr(operands, name)
        np.testing.assert_array_equal(v.data, expected.data)
        np.testing.assert_array_equal(v.grad, expected.grad)
        (v * v).sum().backward()
        np.testing.assert_array_equal(v.grad, 7.0 + 2 * expected.data)


class TestFailedBackward:
    def test_gradients_of_the_whole_graph_stay_as_they_were(self):
        a, b = Value([1.0, 2.0, 3.0]), Value(2.0)
        inner = NOTHING(a) * 1.0
        out = (inner * b).sum() + b
        b.grad = out.grad = 5.0
        with pytest.raises(RuleError):
            out.backward()
        assert [v.has_grad for v in (a, inner, b, out)] == [False, False, True, True]
        assert (b.grad, out.grad) == (5.0, 5.0)

    def test_the_graph_can_be_swept_again(self):
        a = Value([1.0, 2.0])
        out = a * a
        for gradient in (None, [1.0], "text"):
            with pytest.raises((ShapeError, DataError)):
                out.backward(gradient)
        out.backward([1.0, 10.0])
        np.testing.assert_array_equal(a.grad, [2.0, 40.0])

    def test_an_error_of_the_user_s_own_rule_comes_through(self):
        def rule(*_):
            raise KeyError("mine")

        x = Value(2.0)
        with pytest.raises(KeyError, match="mine"):
            Primitive("broken", np.sin, rule)(x).backward()
        assert not x.has_grad


class TestTree:
    drawn = re.findall(
        r"^ {4}([│├└─ ]*)(\w+)(?: +\((\w+)\))?", inspect.getdoc(errors), re.MULTILINE
    )

    def test_every_class_is_drawn(self):
        classes = [name for name, thing in vars(errors).items() if inspect.isclass(thing)]
        assert sorted(name for _, name, _ in self.drawn) == sorted(classes)

    def test_branches_and_builtins_are_those_of_the_classes(self):
        path = {}
        for branch, name, builtin in self.drawn:
            depth = len(branch) // 4
            error = path[depth] = getattr(errors, name)
            parent = path[depth - 1] if depth else Exception
            inherited = (getattr(builtins, builtin),) if builtin else ()
            assert error.__bases__ == (parent, *inherited)

    def test_each_can_be_pickled_and_tells_its_three_parts(self):
        for _, name, _ in self.drawn:
            error = pickle.loads(pickle.dumps(getattr(errors, name)("given", "reason", "advice")))
            assert (error.given, error.why, error.instead) == ("given", "reason", "advice")
            assert str(error) == "given\n  why:   reason\n  write: advice"
