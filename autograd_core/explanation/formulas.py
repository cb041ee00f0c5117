"""Names, expressions and derivatives of nodes, as numbers and as formulas.

There is no second table of derivatives: a formula is what a primitive's own rule records when it
is applied to stand-ins for its inputs.
"""

from contextvars import Context
from typing import Any

import numpy as np

from ..data import as_data, dtype_of, shape_of
from ..graph import Node, Primitive, make_leaf, topological_order
from ..primitives import (
    convolution,
    elementwise,
    indexing,
    linear_algebra,
    reductions,
    shapes,
    windows,
)
from ..primitives.elementwise import astype
from ..primitives.shapes import Shape, unbroadcast
from ..rules import pull
from ..value import Value
from .latex import Latex
from .notation import Notation, in_words
from .syntax import constant, operation
from .terms import ONE, ZERO, Term, call, simplify, symbol

READABLE = 20  # symbols and numbers in a rule's formula; a longer one is told by its name
GRADIENT = "G"  # stands for the incoming gradient where a derivative is no factor


def _primitives(*tables: Any) -> frozenset[Primitive]:
    return frozenset(x for table in tables for x in vars(table).values() if type(x) is Primitive)


_ELEMENTWISE = _primitives(elementwise)
_STRUCTURAL = (
    _primitives(convolution, indexing, linear_algebra, reductions, shapes, windows) - _ELEMENTWISE
)


def operand(x: Any, names: dict[Node, str]) -> Term:
    """Return an input as a term: a name, a number, or the shape of a constant array."""
    return symbol(names[x], x.shape) if isinstance(x, Node) else constant(x)


def expression_term(node: Node, names: dict[Node, str]) -> Term:
    """Return how a node was computed, as a term; a leaf is what it holds."""
    if node.primitive is None:
        return constant(node._data)
    operands = [operand(x, names) for x in node.inputs]
    return operation(node.primitive.name, operands, node.params, [shape_of(x) for x in node.inputs])


def expression(node: Node, names: dict[Node, str], latex: bool = False) -> str:
    """Return how a node was computed from its inputs, by their names.

    Args:    node: a node, all whose inputs have names.
             names: see `names_of`.
             latex: as LaTeX, instead of text.
    Example: >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
             >>> c = np.tanh(a * b)
             >>> expression(c, {a: "a", b: "b", c.x: "t1"})
             'tanh(t1)'
    """
    return (Latex() if latex else Notation())(expression_term(node, names))


def contribution(node: Node, i: int, g: Any, total: Any = None) -> Any:
    """Return what the node's cotangent g adds to that of its input i, of the input's shape.

    total: the input's cotangent. Where it is not NaN but the contribution is, a choice has left
    the element out: see structural_zeros.py.
    """
    x = node.inputs[i]
    d = pull(node, i, g)
    if d is None:
        return 0.0 if not x.shape else np.zeros_like(x._data)
    d = as_data(d)
    if shape_of(d) != x.shape:
        d = as_data(unbroadcast(d, x.shape))
    if total is not None:
        d = as_data(np.where(np.isnan(d) & ~np.isnan(total), np.zeros((), dtype_of(d)), d))
    return d if dtype_of(x) in (None, dtype_of(d)) else astype(d, dtype=dtype_of(x))


def is_elementwise(node: Node, i: int) -> bool:
    """Tell whether each number of the node depends on one number of input i alone."""
    if not node.shape and not any([shape_of(x) for x in node.inputs]):
        return True
    if node.primitive in _ELEMENTWISE or node.primitive in _STRUCTURAL:
        return node.primitive in _ELEMENTWISE
    # A primitive of one's own: is what the rule returns g times a factor?
    d = pull(node, i, np.ones(node.shape))
    if d is None or shape_of(d) != node.shape:
        return d is None
    g = 1.0 + np.arange(float(np.size(d))).reshape(node.shape) * 0.618034 % 1.0
    return bool(np.allclose(pull(node, i, g), g * d, equal_nan=True))


def local_derivative(node: Node, i: int) -> Any:
    """Return the derivative of a node by its input i, by the primitive's own rule.

    Args:    node: a computed node.
             i: the number of the input.
    Returns: a number, or an array of the node's shape where it is an element's derivative by
             one element; None where it is no such factor, as of matmul or sum.
    Example: >>> a = Value(3.0)
             >>> local_derivative(a * a * a, 1)
             9.0
    """
    if not is_elementwise(node, i):
        return None
    ones = np.ones_like(node._data) if node.shape else 1.0
    d = pull(node, i, ones)
    if d is None:
        return 0.0 if not node.shape else np.zeros_like(node._data)
    d = as_data(d)
    return np.broadcast_to(d, node.shape).copy() if shape_of(d) != node.shape else d


def derivative_formula(node: Node, i: int, names: dict[Node, str], latex: bool = False) -> str:
    """Return the derivative of a node by its input i as a formula.

    Args:    node: a computed node, all whose inputs have names.
             i: the number of the input.
             names: see `names_of`.
             latex: as LaTeX, instead of text.
    Returns: the factor where there is one; otherwise what becomes of the gradient G of the node.
    Example: >>> a = Value(3.0, label="a")
             >>> b = np.tanh(a)
             >>> derivative_formula(b, 0, {a: "a"})
             '1 - tanh(a)^2'
    """
    operands = [operand(x, names) for x in node.inputs]
    if is_elementwise(node, i):
        term = pulled_term(node, i, ONE, operands, expression_term(node, names))
    else:
        out = operand(node, names) if node in names else expression_term(node, names)
        term = pulled_term(node, i, symbol(GRADIENT, node.shape), operands, out)
    return Latex()(term) if latex else in_words(term)


def pulled_term(node: Node, i: int, g: Term, operands: list[Term], out: Term) -> Term:
    """Return what the rule of input i makes of a cotangent of the node, as a formula.

    Args:    g: the cotangent, as a term.
             operands: the inputs as terms; `out`: the node itself.
    Returns: a term for something of the node's shape where the primitive works element by
             element, otherwise of the input's shape.
    """
    primitive: Any = node.primitive
    rule = primitive.rule(i)
    if rule is None:
        return ZERO
    written = {}

    def stand_in(data: Any, term: Term) -> Any:
        # Formulas of elementwise rules are the same for any shape, and quicker for numbers
        one = primitive in _ELEMENTWISE and shape_of(data)
        leaf = make_leaf(Value, 1.0 if one else data)
        written[leaf] = term
        return leaf

    inputs = [
        stand_in(x._data if isinstance(x, Node) else x, term)
        if isinstance(x, Node) or shape_of(x)
        else x
        for x, term in zip(node.inputs, operands, strict=True)
    ]
    ones = np.ones_like(node._data) if node.shape else 1.0
    # In a context of its own: recorded inside no_grad, too, and seen by no one
    given = (stand_in(ones, g), stand_in(node._data, out), *inputs)
    d = Context().run(_silently, rule, given, node.params or {})
    term = _recorded_term(d, written)
    if term is None:
        return call(f"{primitive.name}_rule", g, *operands)
    # What a rule computes from the input anew is the output: 1 - tanh(x)^2 is 1 - out^2
    own = operation(primitive.name, operands, node.params, [shape_of(x) for x in node.inputs])
    return simplify(_put_for(own, out, term))


def _put_for(old: Term, new: Term, term: Term) -> Term:
    """Return the term with `new` in each place of `old`."""
    return new if term == old else term.rebuilt(lambda part: _put_for(old, new, part))


def _silently(rule: Any, given: tuple[Any, ...], params: dict[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        return rule(*given, **params)


def summed_axes(given: Shape, wanted: Shape) -> list[int]:
    """Return the axes that broadcasting had added or stretched, over which it is undone."""
    added = len(given) - len(wanted)
    return [i for i, n in enumerate(given) if i < added or wanted[i - added] == 1 != n]


def _recorded_term(d: Any, written: dict[Any, Term]) -> Term | None:
    """Return what was recorded as a term; None if it is too long to be read."""
    if not isinstance(d, Node):
        return constant(as_data(d))
    terms = dict(written)
    lengths: dict[Any, int] = {}
    for node in topological_order(d):
        if node in terms:
            continue
        if node.primitive is None:  # a Value that the rule has made
            terms[node] = constant(node._data)
            continue
        operands = [terms[x] if isinstance(x, Node) else constant(x) for x in node.inputs]
        lengths[node] = sum([lengths.get(x, 1) for x in node.inputs if isinstance(x, Node)], 1)
        if lengths[node] > READABLE:
            return None
        terms[node] = operation(
            node.primitive.name, operands, node.params, [shape_of(x) for x in node.inputs]
        )
    written_out: Term = terms[d]
    return written_out
