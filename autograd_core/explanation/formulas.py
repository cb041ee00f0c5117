"""Expressions and derivatives of nodes, and whole graphs, as formulas.

There is no second table of derivatives: a formula is what a primitive's own rule records when it
is applied to placeholders for its inputs.
"""

import operator
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from typing import Any, NamedTuple

import numpy as np

from ..backprop import paths
from ..data import (
    Data,
    Index,
    Operand,
    Params,
    Result,
    Shape,
    as_data,
    dtype_of,
    shape_of,
    shorten,
)
from ..derivatives import zeros
from ..graph import Node, Primitive, plain, topological_order
from ..primitives import convolution, indexing, linear_algebra, reductions, shapes
from ..primitives.elementwise import astype
from ..primitives.shapes import summed_axes, unbroadcast
from ..rules import pull
from ..value import make_leaf
from .notation import Latex, Notation, in_words
from .terms import (
    ONE,
    ZERO,
    Term,
    call,
    is_filled,
    number,
    plus,
    simplify,
    size,
    split,
    substitute,
    symbol,
)

READABLE = 20  # symbols and numbers of a rule's formula; a longer one is written as f_rule(...)
LONGEST = 16  # symbols and numbers of an equation, beyond which a part of it gets a name
FEW = 6  # elements of an index that are shown
GRADIENT = "G"  # the incoming gradient, where the derivative is not a factor

# Primitives of the table of which no element depends on one element of an input alone
_TABLE = (convolution, indexing, linear_algebra, reductions, shapes)
_STRUCTURAL = {
    row
    for module in _TABLE
    for row in vars(module).values()
    if isinstance(row, Primitive) and not row.elementwise
}


class Edge(NamedTuple):
    """One use of a node: as input number `i` of `user`. Values compare by data, so use `is`."""

    user: Node
    i: int

    @property
    def node(self) -> Node:
        """The node that is used."""
        node: Node = self.user.inputs[self.i]
        return node


# How operations are written


def _compared(comparison: str) -> Callable[..., Term]:
    return lambda x, y: Term("compare", (comparison, x, y))


# Options that do not change the mathematics
HIDDEN = frozenset(["optimize", "dtype", "kth"])
# Over no axis there is nothing to reduce
OF_A_NUMBER_ITSELF = frozenset(["sum", "prod", "max", "min", "logsumexp"])
COLUMN, ROW = "..., None", "..., None, :"  # how a vector becomes a matrix
# Operations that are not written as name(operands, options)
SYNTAX: dict[str, Callable[..., Term]] = {
    "identity": lambda x: x,
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "zero_times": operator.mul,
    "divide": operator.truediv,
    "ratio": operator.truediv,
    "power": operator.pow,
    "float_power": operator.pow,
    "power_log": lambda x, y, n: x**y * call("log", x) ** n,
    "negative": operator.neg,
    "reciprocal": lambda x: ONE / x,
    "square": lambda x: x**2,
    "tanh_slope": lambda x: ONE - call("tanh", x) ** 2,
    "sigmoid_slope": lambda x: call("sigmoid", x) * (ONE - call("sigmoid", x)),
    "absolute": lambda x: call("abs", x),
    "floor_divide": lambda x, y: call("floor", x / y),
    "maximum": lambda x, y: call("max", x, y),
    "minimum": lambda x, y: call("min", x, y),
    "greater": _compared(">"),
    "greater_equal": _compared(">="),
    "equal": _compared("=="),
    "gate": lambda g, x: g * Term("compare", (">", x, ZERO)),
    "where": lambda condition, x, y: Term("where", (condition, x, y)),
    "matmul": lambda x, y: Term("matmul", (x, y)),
    "inner": lambda x, y: Term("matmul", (x, Term("transposed", (y,)))),
    "astype": lambda x, dtype: call(f"{dtype}", x),
    "getitem": lambda x, index: Term("index", (x, index_text(index))),
    "scatter": lambda x, index, shape: call(
        "put_back", x, index=f"[{index_text(index)}]", shape=str(shape)
    ),
}


def operation(name: str, operands: list[Term], params: Params | None, shapes: list[Shape]) -> Term:
    """Return an operation on operands as a formula.

    Args:    name: of a primitive of the table.
             operands: the inputs, in order.
             params: its keyword arguments, or None.
             shapes: of the operands.
    """
    params = params or {}
    first = operands[0]
    if params.get("shape") == shapes[0] or (not shapes[0] and name in OF_A_NUMBER_ITSELF):
        return first
    if name == "transpose":
        return _transposed(first, params["axes"])
    if name == "broadcast_to" and first.head == "call" and first.parts[0] == "reshape":
        # The rules of reductions add the lost axes, and repeat along them
        return call("spread", first.parts[1][0], shape=str(params["shape"]))
    if vectors := _of_vectors(name, operands, params, [len(shape) for shape in shapes]):
        return vectors
    if name in SYNTAX:
        return SYNTAX[name](*operands, **params)
    return _called(name, operands, params)


def _called(name: str, operands: list[Term], params: Params | None) -> Term:
    options = {
        key: shorten(str(x))
        for key, x in (params or {}).items()
        if not (key in HIDDEN or x is None or x is False)
    }
    return call(name, *operands, **options)


def _transposed(x: Term, axes: tuple[int, ...]) -> Term:
    swapped = (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2)
    if axes == swapped:
        return x.parts[0] if x.head == "transposed" else Term("transposed", (x,))
    return call("transpose", x, axes=str(axes))


def _of_vectors(name: str, operands: list[Term], params: Params, ranks: list[int]) -> Term | None:
    """Return a product that a rule computes with a vector as a matrix of one row or column."""
    first = operands[0]
    if name == "multiply" and ranks[0] == 2 and _is_index(first, COLUMN):
        if _is_index(operands[1], ROW) and ranks[1] == 2:
            return call("outer", first.parts[0], operands[1].parts[0])
        if ranks[1] == 1:
            return call("outer", first.parts[0], operands[1])
    if name == "getitem" and ranks[0] == 2 and first.head == "matmul":
        x, y = first.parts
        taken = index_text(params["index"])
        if taken == "..., 0, :" and _is_index(x, ROW):
            return Term("matmul", (x.parts[0], y))
        if taken == "..., 0" and _is_index(y, COLUMN):
            return Term("matmul", (x, y.parts[0]))
    return None


def _is_index(term: Term, text: str) -> bool:
    return term.head == "index" and term.parts[1] == text


def index_text(index: Index) -> str:
    """Return an index as it is written between brackets.

    Example: >>> index_text((slice(None), slice(2, None, 3), None, 0))
             ':, 2::3, None, 0'
    """
    if isinstance(index, tuple):
        return ", ".join([index_text(each) for each in index])
    if isinstance(index, slice):
        ends = (index.start, index.stop, index.step)
        start, stop, step = ["" if x is None else str(x) for x in ends]
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if index is Ellipsis:
        return "..."
    if isinstance(index, np.ndarray) and index.size > FEW:
        return f"array of shape {index.shape}"
    return str(index.tolist() if isinstance(index, np.ndarray) else index)


# Nodes


def constant(x: Operand) -> Term:
    """Return plain data as a term: a number, or the shape of an array."""
    if isinstance(x, np.ndarray):
        return call("array", *[Term("number", (float(n),)) for n in x.shape])
    return number(x)


def operand(x: Operand, names: dict[Node, str]) -> Term:
    """Return an input as a term: a name, a number, or the shape of a constant array."""
    return symbol(names[x], x.shape) if isinstance(x, Node) else constant(x)


def computed(node: Node, operands: list[Term]) -> Term:
    """Return how a node was computed, given its inputs as terms; a leaf is its data."""
    if node.primitive is None:
        return constant(node._data)
    name = node.primitive.table_name
    if not name:  # one of the user's, which may have the name of another
        return _called(node.primitive.name, operands, node.params)
    return operation(name, operands, node.params, [shape_of(x) for x in node.inputs])


def expression_term(node: Node, names: dict[Node, str]) -> Term:
    """Return how a node was computed from its inputs, by their names, as a term."""
    return computed(node, [operand(x, names) for x in node.inputs])


def expression(node: Node, names: dict[Node, str], latex: bool = False) -> str:
    """Return how a node was computed from its inputs, by their names.

    Args:    node: a node, all whose inputs have names.
             names: see `names_of`.
             latex: as LaTeX, instead of text.
    Example: >>> from autograd_core import Value
             >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
             >>> c = np.tanh(a * b)
             >>> expression(c, {a: "a", b: "b", c.x: "t1"})
             'tanh(t1)'
    """
    return (Latex() if latex else Notation())(expression_term(node, names))


# Derivatives


def contribution(node: Node, i: int, g: Operand, total: Operand = None) -> Result:
    """Return what the node's cotangent g adds to that of its input i, of the input's shape.

    total: the input's cotangent. If the contribution is NaN and the total is not, a choice has
    left the element out: see structural_zeros.py.
    """
    x = node.inputs[i]
    d = pull(node, i, g)
    if d is None:
        return zeros(x)
    d = as_data(d)
    if shape_of(d) != x.shape:
        d = as_data(unbroadcast(d, x.shape))
    if total is not None:
        d = as_data(np.where(np.isnan(d) & ~np.isnan(total), np.zeros((), dtype_of(d)), d))
    return d if dtype_of(x) in (None, dtype_of(d)) else astype(d, dtype=dtype_of(x))


def is_elementwise(node: Node, i: int) -> bool:
    """Return whether each number of the node depends on one number of input i alone."""
    if not node.shape and not any([shape_of(x) for x in node.inputs]):
        return True
    primitive: Any = node.primitive
    if primitive.elementwise or primitive in _STRUCTURAL:
        return bool(primitive.elementwise)
    # A primitive outside the table: does its rule return g times a factor?
    d = pull(node, i, np.ones(node.shape))
    if d is None or shape_of(d) != node.shape:
        return d is None
    g = 1.0 + np.arange(float(np.size(d))).reshape(node.shape) * 0.618034 % 1.0
    return bool(np.allclose(pull(node, i, g), g * d, equal_nan=True))


def local_derivative(node: Node, i: int) -> Result:
    """Return the derivative of a node by its input i, by the primitive's own rule.

    Args:    node: a computed node.
             i: the number of the input.
    Returns: a number, or an array of the node's shape if it is the derivative of each element by
             one element; None if it is not such a factor, as of matmul or sum.
    Example: >>> from autograd_core import Value
             >>> a = Value(3.0)
             >>> local_derivative(a * a * a, 1)
             9.0
    """
    if not is_elementwise(node, i):
        return None
    d = pull(node, i, ones(node))
    if d is None:
        return zeros(node)
    d = as_data(d)
    return np.broadcast_to(d, node.shape).copy() if shape_of(d) != node.shape else d


def ones(node: Node) -> Result:
    """Return 1 for each number of a node."""
    return np.ones_like(node._data) if node.shape else 1.0


def derivative_formula(node: Node, i: int, names: dict[Node, str], latex: bool = False) -> str:
    """Return the derivative of a node by its input i as a formula.

    Args:    node: a computed node, all whose inputs have names.
             i: the number of the input.
             names: see `names_of`.
             latex: as LaTeX, instead of text.
    Returns: the factor if there is one; else what the rule makes of the gradient G of the node.
    Example: >>> from autograd_core import Value
             >>> a = Value(3.0, label="a")
             >>> b = np.tanh(a)
             >>> derivative_formula(b, 0, {a: "a"})
             '1 - tanh(a)^2'
    """
    operands = [operand(x, names) for x in node.inputs]
    if is_elementwise(node, i):
        term = pulled_term(node, i, ONE, operands, computed(node, operands))
    else:
        out = operand(node, names) if node in names else computed(node, operands)
        term = pulled_term(node, i, symbol(GRADIENT, node.shape), operands, out)
    return Latex()(term) if latex else in_words(term)


def pulled_term(node: Node, i: int, g: Term, operands: list[Term], out: Term) -> Term:
    """Return what the rule of input i makes of a cotangent of the node, as a formula.

    Args:    g: the cotangent, as a term.
             operands: the inputs as terms; `out`: the node itself.
    Returns: a term of the node's shape if the primitive works element by element, else of the
             input's shape.
    """
    primitive: Any = node.primitive
    rule = primitive.rule(i)
    if rule is None:
        return ZERO
    written = {}

    def placeholder(data: Data, term: Term) -> Result:
        # Formulas of elementwise rules are the same for any shape, and faster with numbers
        is_number = primitive.elementwise and shape_of(data)
        leaf = make_leaf(1.0 if is_number else data)
        written[leaf] = term
        return leaf

    inputs = [
        placeholder(plain(x), term) if isinstance(x, Node) or shape_of(x) else x
        for x, term in zip(node.inputs, operands, strict=True)
    ]
    given = (placeholder(ones(node), g), placeholder(node._data, out), *inputs)
    # In a context of its own it is recorded inside no_grad, too, and no watcher sees it
    d = Context().run(np.errstate(all="ignore")(rule), *given, **node.params or {})
    term = _recorded_term(d, written)
    if term is None:
        return call(f"{primitive.name}_rule", g, *operands)
    # If a rule computes the output anew, the formula names it: 1 - tanh(x)^2 is 1 - out^2
    return simplify(_replaced(computed(node, operands), out, term))


def _replaced(old: Term, new: Term, term: Term) -> Term:
    """Return the term with `new` instead of each `old`."""
    return new if term == old else term.rebuilt(lambda part: _replaced(old, new, part))


def _recorded_term(d: Result, written: dict[Any, Term]) -> Term | None:
    """Return what was recorded as a term; None if it is too long to be read."""
    if not isinstance(d, Node):
        return constant(as_data(d))
    terms = dict(written)
    lengths: dict[object, int] = {}
    for node in topological_order(d):
        if node in terms:
            continue
        nodes = [x for x in node.inputs if isinstance(x, Node)]
        if nodes:  # else a Value that the rule has made
            lengths[node] = sum([lengths.get(x, 1) for x in nodes], 1)
            if lengths[node] > READABLE:
                return None
        operands = [terms[x] if isinstance(x, Node) else constant(x) for x in node.inputs]
        terms[node] = computed(node, operands)
    recorded: Term = terms[d]
    return recorded


# Whole graphs: each node and each gradient starts as an equation of its own, in terms of its
# neighbours; then equations that are short, or used once, are inserted where they are used


class Equation(NamedTuple):
    """A name, and the formula that it equals."""

    left: Term
    right: Term


def equations(
    output: Node, names: dict[Node, str], targets: list[Node], weighted: bool = False
) -> list[Equation]:
    """Return formulas of the output and of its gradient by each of the targets.

    Args:    output: the last node of the graph.
             names: see `names_of`; nodes with labels keep equations of their own.
             targets: nodes of the graph, by which to differentiate.
             weighted: whether the output is an array, of which a weighted sum is differentiated.
    Returns: equations, each in terms of inputs and of earlier ones: first those of nodes, then
             those of gradients; that of the output only if it is a target.
    """
    system: dict[Term, Term] = {}
    kept = {operand(output, names)} if output.primitive else set()
    for node in topological_order(output):
        if node.primitive is not None:
            system[operand(node, names)] = simplify(expression_term(node, names))
            if node.label:
                kept.add(operand(node, names))
    system |= _gradients(output, names, targets, weighted)
    kept |= {_gradient(output, target, names) for target in targets}
    while True:
        short = _inserted(system, kept)
        # The nodes by which these gradients differentiate need an equation, too
        by = {symbol(*each.left.parts[1:]) for each in short if each.left.head == "gradient"}
        if not (by - kept) & system.keys():
            return short
        kept |= by


def _gradient(output: Node, node: Node, names: dict[Node, str]) -> Term:
    return Term("gradient", (names[output], names[node], node.shape))


def _gradients(
    output: Node, names: dict[Node, str], targets: list[Node], weighted: bool
) -> dict[Term, Term]:
    """Return an equation for the gradient of each node between the output and the targets."""
    order, within, _ = paths(output, targets)
    weights = "weights" if "weights" not in names.values() else "given weights"
    parts: dict[Node, list[Term]] = {output: [symbol(weights, output.shape) if weighted else ONE]}
    system = {}
    for node in reversed(order):
        g = _gradient(output, node, names)
        total = simplify(plus(*parts.pop(node, [])))
        system[g] = total
        if total == ZERO:
            g = ZERO
        for i, x in enumerate(node.inputs):
            if isinstance(x, Node) and (within is None or x in within):
                part = ZERO if g == ZERO else _part(node, i, g, names)
                parts.setdefault(x, []).append(part)
    for target in targets:  # that no derivative reaches
        system.setdefault(_gradient(output, target, names), ZERO)
    return system


def _part(node: Node, i: int, g: Term, names: dict[Node, str]) -> Term:
    """Return what the gradient g of a node adds to that of its input i."""
    operands = [operand(x, names) for x in node.inputs]
    part = pulled_term(node, i, g, operands, operand(node, names))
    shape = shape_of(node.inputs[i])
    if not is_elementwise(node, i) or not (axes := summed_axes(node.shape, shape)):
        return part
    options = {"axis": str(axes[0] if len(axes) == 1 else tuple(axes))}
    if len(shape) == len(node.shape):
        return call("sum", part, **options, keepdims="True")
    part = call("sum", part, **options)
    if len(shape) == len(node.shape) - len(axes):
        return part
    return call("reshape", part, shape=str(shape))


def _inserted(system: dict[Term, Term], kept: set[Term]) -> list[Equation]:
    """Return the equations that remain when those that are short or used once are inserted."""
    aliases: dict[Term, Term] = {}
    twins: dict[Term, Term] = {}
    for left, right in system.items():
        right = system[left] = simplify(substitute(right, aliases))
        is_short = is_filled(right) or not any(split(right)[1].inner())
        twin = right if is_short else twins.setdefault(right, left)
        if left not in kept and twin != left:
            aliases[left] = twin
    uses = Counter[Term]()
    needed = set(kept)
    for left in reversed(system):
        if left in needed and left not in aliases:
            found = Counter(_symbols(system[left]))
            uses += found
            needed |= found.keys()
    remaining = []
    for left, right in system.items():
        if left not in needed or left in aliases:
            continue
        right = simplify(substitute(right, aliases))
        if left not in kept and uses[left] == 1 and size(right) <= LONGEST:
            aliases[left] = right
        else:
            remaining.append(Equation(left, right))
    return remaining


def _symbols(term: Term) -> list[Term]:
    if term.head in ("symbol", "gradient"):
        return [term]
    return [each for inner in term.inner() for each in _symbols(inner)]
