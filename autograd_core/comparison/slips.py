"""What is typically written instead of a local derivative: changes of its formula.

The formula is what the primitive's own rule records, so a new operation brings its slips with it.
"""

import math
import operator
from ast import literal_eval
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..data import Data, Function, Operand, Result, as_data, shape_of
from ..errors import AutogradError
from ..explanation.formulas import Edge, computed, contribution, local_derivative, pulled_term
from ..explanation.terms import (
    ONE,
    ZERO,
    Term,
    call,
    number,
    opposite,
    product,
    simplify,
    substitute,
    symbol,
)
from ..graph import Node, Primitive, plain, record
from ..primitives import elementwise, reductions
from ..primitives.shapes import unbroadcast
from ..value import Value

X, Y, OUT = symbol("x"), symbol("y"), symbol("out")
OPERANDS = (X, Y)
FACTOR, NOT_LOWERED = "a factor is missing", "the exponent is not lowered"
VALUE = "a value instead of the derivative"
# The derivative of a function of one operand, read off wrongly: these are verdicts of their own
MISREAD = ("output for derivative", "input for derivative", "input for output", "output for input")
# Functions whose derivatives are taken for one another
FAMILIES: tuple[tuple[Primitive, ...], ...] = (
    (elementwise.tanh, elementwise.sigmoid, elementwise.relu),
    (elementwise.sigmoid, elementwise.softplus),
    (elementwise.sin, elementwise.cos),
    (elementwise.sinh, elementwise.cosh),
    (elementwise.log, elementwise.reciprocal),
    (elementwise.multiply, elementwise.divide),
)
# Rules taken for the power rule, and the power rule taken for integration
SPECIAL = {
    elementwise.exp: X * call("exp", X + number(-1)),
    elementwise.reciprocal: call("log", X),
    elementwise.sqrt: number(0.5) / X,
}
COMPARISONS = {
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
}
COMBINED: dict[str, Function] = {
    "sum": sum,
    "product": math.prod,
    "power": lambda inputs: np.power(*inputs),
    "where": lambda inputs: np.where(*inputs),
}
UNKNOWN = (  # what a formula raises that cannot be evaluated here
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    SyntaxError,
    ArithmeticError,
    AutogradError,
)
FUNCTIONS = {"abs": np.abs, "max": np.maximum, "min": np.minimum}


Options: TypeAlias = tuple[tuple[str, Any], ...]  # keyword arguments, which can be hashed


class Formula(NamedTuple):
    """A wrong local derivative: what is wrong with it, and its formula in x, y and out."""

    what: str
    term: Term


def derivative_slips(edge: Edge, g: Operand) -> Iterator[tuple[Formula, Result]]:
    """Yield wrong derivatives of an operation element by element, each with its contribution."""
    user, i = edge
    if user.primitive is None or len(user.inputs) > len(OPERANDS):
        return
    params = tuple((user.params or {}).items())
    if params and user.primitive.is_linear_in(i):
        return
    try:
        hash(params)
    except TypeError:  # arrays or lists among the options
        return
    values = {"out": user._data}
    operands = []
    for name, x in zip(OPERANDS, user.inputs, strict=False):
        is_symbol = isinstance(x, Node) or shape_of(x)
        operands.append(name if is_symbol else number(plain(x)))
        values[name.parts[0]] = plain(x)
    if not user.primitive.table_name:  # whose rule may depend on its numbers
        right = value_of(slope(user.primitive, i, tuple(operands), None, params), values)
        if right is None or not np.allclose(right, local_derivative(*edge), equal_nan=True):
            return
    for formula in formulas(user.primitive, i, tuple(operands), params):
        slip = value_of(formula.term, values)
        if slip is not None:
            with np.errstate(all="ignore"):
                wrong = np.broadcast_to(g * slip, user.shape)
            yield formula, as_data(unbroadcast(wrong, edge.node.shape))


@cache
def formulas(
    primitive: Primitive, i: int, operands: tuple[Term, ...], params: Options = ()
) -> list[Formula]:
    """Return the formulas that are written instead of a derivative, likely ones first.

    Args:    primitive: an operation of at most two inputs, element by element.
             i: the number of the input.
             operands: the inputs: `X`, `Y`, or numbers.
             params: the keyword arguments, as pairs.
    Example: >>> from autograd_core.explanation.notation import in_words
             >>> [in_words(wrong.term) for wrong in formulas(elementwise.divide, 1, (X, Y))[:4]]
             ['x / y^2', '-1 / y^2', '-x^2 / y^2', '-1 / (x * y^2)']
    """
    right = [slope(primitive, i, operands, out, params) for out in (None, OUT)]
    symbols = [each for each in (*operands, OUT) if each.head == "symbol"]
    result = computed(_node(primitive, operands, params), list(operands))
    wrong: list[Formula] = []
    if len(operands) == 1 and not primitive.is_linear_in(0):
        misread = [OUT, X, substitute(right[1], {OUT: X}), substitute(right[0], {X: OUT})]
        wrong += map(Formula, MISREAD, misread)
    for term in right:
        wrong += [
            *_edited(term),
            *_swapped(term, symbols),
            *_of_others(primitive, i, operands, params),
        ]
        wrong += [Formula(VALUE, each) for each in symbols]
    found: dict[Term, Formula] = {}
    for what, term in wrong:
        in_operands = simplify(substitute(term, {OUT: result}))
        found.setdefault(in_operands, Formula(what, simplify(term)))
    return [each for term, each in found.items() if term not in (right[0], ONE, ZERO)]


def slope(
    primitive: Primitive, i: int, operands: tuple[Term, ...], out: Term | None, params: Options = ()
) -> Term:
    """Return the derivative of an operation on numbers, in terms of its operands and result."""
    node = _node(primitive, operands, params)
    return pulled_term(node, i, ONE, list(operands), out or computed(node, list(operands)))


def _node(primitive: Primitive, operands: tuple[Term, ...], params: Options) -> Node:
    """Return an operation on any numbers where there are symbols."""
    x, y = [Value(0.5) if each.head == "symbol" else each.parts[0] for each in (*operands, X)][:2]
    y = y if len(operands) == 2 else None
    node: Node = record(Value, 0.5, primitive, x, y, dict(params) or None)
    return node


def _swapped(term: Term, symbols: list[Term]) -> Iterator[Formula]:
    """Yield a formula with other operands."""
    if X in symbols and Y in symbols:
        yield Formula("the operands are exchanged", substitute(term, {X: Y, Y: X}))
    for old in symbols:
        for new in symbols:
            if new is not old:
                yield Formula("the wrong operand", substitute(term, {old: new}))


def _of_others(
    primitive: Primitive, i: int, operands: tuple[Term, ...], params: Options
) -> Iterator[Formula]:
    """Yield the derivatives of other functions, and of the other operand."""
    if all(each.head == "symbol" for each in operands[1:]):
        for other in range(len(operands)):
            if other != i:
                wrong = slope(primitive, other, operands, None, params)
                yield Formula("the derivative by the other operand", wrong)
    for function in [each for family in FAMILIES if primitive in family for each in family]:
        if function is not primitive:
            what = f"the derivative of {function.name}"
            by_output = slope(function, i, operands, OUT)
            yield Formula(what, by_output)
            if len(operands) == 1:  # at z instead of a
                yield Formula(what, substitute(by_output, {OUT: X}))
            yield Formula(what, slope(function, i, operands, None))
    if primitive in SPECIAL:
        yield Formula("the rule of another function", SPECIAL[primitive])
    if primitive is elementwise.power and operands[1].head == "number":
        n = operands[1].parts[0] + 1
        yield Formula("the integral", X**n / number(n or 1.0))


def _edited(term: Term) -> Iterator[Formula]:
    """Yield a formula with one change in it."""
    head, parts = term.head, term.parts
    if head == "symbol":
        yield Formula(NOT_LOWERED, term**2)
        yield Formula("divided instead of multiplied", term**-1)
    elif head == "compare":
        yield Formula("the mask is inverted", opposite(term))
    elif head == "power" and parts[1].head == "number":
        base, n = parts[0], parts[1].parts[0]
        if abs(n) != 1:
            what = "the square is missing" if abs(n) == 2 else "the exponent is missing"
            yield Formula(what, base ** math.copysign(1, n))
        what = "multiplied instead of divided" if n < 0 else "divided instead of multiplied"
        yield Formula(what, base**-n)
        yield Formula(NOT_LOWERED, base ** (n + 1))
        yield Formula("the exponent is lowered once more", base ** (n - 1))
    elif head in ("sum", "product"):
        for k, part in enumerate(parts):
            others = (*parts[:k], *parts[k + 1 :])
            if head == "sum":
                yield Formula("a term is missing", Term(head, others))
                flipped = (*parts[:k], -part, *parts[k + 1 :])
                yield Formula("a term has the wrong sign", Term(head, flipped))
            elif part.head == "number" and part.parts[0] < 0:
                yield Formula("the sign is missing", product(number(-part.parts[0]), *others))
                yield Formula(FACTOR, product(number(-1), *others))
            else:
                yield Formula(FACTOR, Term(head, others))
            for what, changed in _edited(part):
                yield Formula(what, Term(head, (*parts[:k], changed, *parts[k + 1 :])))


def value_of(term: Term, values: dict[str, Data]) -> Result | None:
    """Return the value of a formula; None if it contains a function that is not known here."""
    try:
        with np.errstate(all="ignore"):
            return evaluate(term, values)
    except UNKNOWN:
        return None


def evaluate(term: Term, values: dict[str, Data]) -> Result:
    """Return the value of a formula.

    Raises:  KeyError: it contains a function that is not known here.
    Example: >>> float(evaluate(ONE + OUT**2, {"out": 3.0}))
             10.0
    """
    head, parts = term.head, term.parts
    if head == "number":
        return np.float64(parts[0])
    if head == "constant":
        return getattr(math, parts[0])
    if head == "symbol":
        data = values[parts[0]]
        return data if shape_of(data) else np.float64(data)
    if head == "compare":
        return COMPARISONS[parts[0]](*[evaluate(each, values) for each in parts[1:]]) * 1.0
    if head == "call":
        name, arguments, options = parts
        function = FUNCTIONS[name] if name in FUNCTIONS else getattr(elementwise, name)
        params = {key: literal_eval(text) for key, text in options}
        return function(*[evaluate(each, values) for each in arguments], **params)
    return COMBINED[head]([evaluate(each, values) for each in parts])


# Operations on whole arrays


def products(a: Operand, g: Operand, shape: tuple[int, ...]) -> Iterator[Result]:
    """Yield all products of two arrays, transposed or not, that have a shape.

    Example: >>> a, g = np.array([1.0, 2.0]), np.array([1.0, 3.0, 5.0])
             >>> [each.tolist() for each in products(a, g, (2, 3))]
             [[[1.0, 3.0, 5.0], [2.0, 6.0, 10.0]]]
    """
    for left, right in ((a, g), (g, a)):
        for x in [left, left.T][: left.ndim]:
            for y in [right, right.T][: right.ndim]:
                if x.ndim == y.ndim == 1:
                    if (len(x), len(y)) == shape:
                        yield np.outer(x, y)
                elif x.shape[-1] == y.shape[0] and x.shape[:-1] + y.shape[1:] == shape:
                    yield x @ y


def diagonal(edge: Edge) -> Result:
    """Return the derivative of each element of a node by the element at its place.

    Example: >>> from autograd_core import softmax
             >>> diagonal(Edge(softmax(Value([0.0, 0.0])), 0)).tolist()
             [0.25, 0.25]
    """
    node = edge.node
    size = np.size(node._data)
    columns = np.eye(size).reshape(size, *node.shape)
    found = [np.ravel(contribution(*edge, column))[k] for k, column in enumerate(columns)]
    return np.reshape(found, node.shape)


def without_target(user: Node, total: Operand) -> Result | None:
    """Return the gradient p - y of sums before a softmax or sigmoid p, with y forgotten.

    Args:    user: the softmax of the sums, its logarithm, or their sigmoid.
             total: the gradient of the sums, which is a multiple of p - y.
    Returns: that multiple of p; None if no y of zeros and ones gives this gradient.
    """
    if user.primitive not in PROBABILITIES:
        return None
    p = np.exp(user._data) if user.primitive is reductions.log_softmax else np.asarray(user._data)
    with np.errstate(all="ignore"):
        multiples = total / p
        c = np.max(multiples) if np.max(multiples) > 0 else np.max(total / (p - 1))
        y = p - total / c
    if np.allclose(y * (1 - y), 0.0, atol=1e-6) and np.any(np.abs(y) > 0.5):
        return as_data(c * p)
    return None


PROBABILITIES = (reductions.softmax, reductions.log_softmax, elementwise.sigmoid)
