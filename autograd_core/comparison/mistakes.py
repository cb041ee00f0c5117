"""Mistakes in a backward pass, and what each does to a gradient."""

import math
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..data import Function, Operand, Result, as_data, shape_of
from ..explanation.formulas import Edge, contribution, local_derivative
from ..graph import Node, Primitive, plain
from ..primitives.elementwise import sigmoid, tanh
from ..primitives.linear_algebra import inner, matmul
from ..primitives.shapes import spread, unbroadcast
from ..rules import pull
from .backward_pass import BackwardPass

MATRIX_PRODUCTS = (matmul, inner)
MANY = 100  # uses of a node, beyond which it is not tried to take one of them alone
# Derivatives by the output, as they are taught; the rules use the input, exact in the tails
BY_OUTPUT: dict[Primitive, Function] = {
    tanh: lambda y: 1 - y * y,
    sigmoid: lambda y: y * (1 - y),
}


class Verdict(StrEnum):
    """The result for one gradient: right, or the kind of mistake."""

    RIGHT = "right"
    SIGN = "sign"
    MISSING = "missing path"
    DOUBLED = "doubled path"
    OVERWRITTEN = "overwritten"
    FACTOR_MISSING = "missing factor"
    FACTOR_TWICE = "factor twice"
    POWER = "factor of a power"
    OUTPUT_FOR_DERIVATIVE = "output for derivative"
    INPUT_FOR_DERIVATIVE = "input for derivative"
    INPUT_FOR_OUTPUT = "input for output"
    OUTPUT_FOR_INPUT = "output for input"
    MEAN_SUM = "mean and sum"
    TRANSPOSE = "transpose"
    BROADCAST = "broadcast"
    SHAPE = "wrong shape"
    FOLLOWS = "follows"
    UNEXPLAINED = "unexplained"
    UNDEFINED = "undefined"


class Mistake(NamedTuple):
    """One mistake, in the gradient of one node or in what one edge adds to it.

    Args:    verdict: its kind.
             node: the node whose gradient it changes.
             edges: the uses of the node that are wrong, or a whole path, the node's own edge
             first; of overwritten ones, the one that is left; () for all uses.
             gradient: what the mistake makes of the node's gradient.
             factor: the number by which it multiplies or divides, if the message gives it.
             everywhere: whether it is made at each node of the graph.
    """

    verdict: Verdict
    node: Node
    edges: tuple[Edge, ...]
    gradient: Result
    factor: float | None = None
    everywhere: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """The mistake without its numbers."""
        return self.verdict, self.node, self.edges


def mistakes_at(work: BackwardPass, node: Node) -> Iterator[Mistake]:
    """Yield the possible mistakes in the sum of a node's contributions, likely ones first."""
    total, edges = work.now[node], work.uses[node]
    parts = {edge: work.contribution(edge) for edge in edges}
    yield Mistake(Verdict.SIGN, node, (), -total)
    for verdict, several, gradient in _among_uses(total, parts):
        yield Mistake(verdict, node, several, gradient)
    for edge, part in parts.items():
        for verdict, wrong, factor in _in_one_step(work, edge, part):
            yield Mistake(verdict, node, (edge,), total - part + wrong, factor)
    yield Mistake(Verdict.DOUBLED, node, (), 2 * total)
    if len(node.shape) > 1:
        yield Mistake(Verdict.TRANSPOSE, node, (), np.transpose(total))
    n = 0 if any([_adds(edge.user) or mean_of(edge) for edge in edges]) else summands(node)
    if n > 2:
        yield Mistake(Verdict.MEAN_SUM, node, (), total / n, 1 / n)


def _among_uses(
    total: Result, parts: dict[Edge, Result]
) -> Iterator[tuple[Verdict, tuple[Edge, ...], Result]]:
    """Yield the sum of contributions if some are missing, negated or doubled."""
    edges = tuple(parts)
    users: dict[Node, list[Edge]] = {}
    for edge in edges:
        users.setdefault(edge.user, []).append(edge)
    ways = [tuple(way) for way in users.values()]
    inputs = [(edge,) for way in ways if len(way) > 1 for edge in way]  # as of a in a * a
    added = {way: sum([parts[edge] for edge in way]) for way in [*ways, *inputs]}
    if edges and (len(ways) > 2 or len(users[edges[-1].user]) > 1):
        # The last node is swept first, so the contribution of the oldest use is left
        yield Verdict.OVERWRITTEN, edges[-1:], parts[edges[-1]]
    for way, part in added.items():
        yield Verdict.MISSING, way, total - part
    if 2 < len(ways) <= MANY:
        for way in ways:
            others = tuple([edge for edge in edges if edge.user is not way[0].user])
            yield Verdict.MISSING, others, added[way]
    for way, part in added.items():
        if len(way) < len(edges):
            yield Verdict.SIGN, way, total - 2 * part
            yield Verdict.DOUBLED, way, total + part


Step: TypeAlias = tuple[Verdict, Result, float | None]  # verdict, contribution, factor


def _in_one_step(work: BackwardPass, edge: Edge, part: Result) -> Iterator[Step]:
    """Yield the possible mistakes in one edge's contribution."""
    user, i = edge
    node, g = edge.node, work.now[user]
    n = mean_of(edge)
    if n:
        lengths = [m for m in node_lengths(node) if 1 < m < n]
        for divisor in [1, *lengths]:
            yield Verdict.MEAN_SUM, part * (n / divisor), n / divisor
    elif not any([mean_of(above) for above in work.uses[user]]) and _name(user) == "sum":
        ratio = np.size(node._data) / max(np.size(user._data), 1)
        yield Verdict.MEAN_SUM, part / ratio, 1 / ratio
    yield from _factor_mistakes(edge, g, part, only_twice=bool(n))
    raw = as_data(pull(user, i, g))
    if shape_of(raw) != node.shape:
        yield Verdict.BROADCAST, raw, None
        ratio = np.size(raw) / max(np.size(part), 1)
        yield Verdict.MEAN_SUM, part / ratio, 1 / ratio
    if user.primitive in MATRIX_PRODUCTS and len(node.shape) == len(user.shape) == 2:
        yield from _untransposed(edge, g)
    if len(node.shape) == 2 and node.shape == node.shape[::-1] and len(work.uses[node]) > 1:
        yield Verdict.TRANSPOSE, np.transpose(part), None


def _factor_mistakes(edge: Edge, g: Operand, part: Result, only_twice: bool) -> Iterator[Step]:
    """Yield the contribution without the local derivative, and with its square."""
    user, i = edge
    x, factor, reduces = edge.node, factor_of(edge), _reduces(edge)
    if factor is None:  # no factor for each number, as in softmax: it can only be left out
        if user.shape == x.shape and user.primitive not in MATRIX_PRODUCTS:
            yield Verdict.FACTOR_MISSING, g, None
    elif (np.size(factor) and (np.abs(factor) != 1).any()) or np.ptp(factor):
        if not only_twice and reduces:
            params = user.params or {}
            g = spread(g, x._data, params.get("axis"), params.get("keepdims", False))
            yield Verdict.FACTOR_MISSING, np.broadcast_to(g, x.shape), None
        elif not only_twice:
            wrong = g if x.shape == user.shape else unbroadcast(g, x.shape)
            yield Verdict.FACTOR_MISSING, wrong, None
        twice = part * factor if reduces else contribution(user, i, g * factor)
        yield Verdict.FACTOR_TWICE, twice, None
    if factor is not None and not reduces:
        yield from _misread(edge, g, part)


def _misread(edge: Edge, g: Operand, part: Result) -> Iterator[Step]:
    """Yield the contribution with a derivative at another point, or without its exponent."""
    exponent = exponent_of(edge)
    if abs(exponent) not in (0, 1):
        yield Verdict.POWER, part / exponent, exponent
    primitive, params = edge.user.primitive, edge.user.params or {}
    if primitive is None or len(edge.user.inputs) > 1 or primitive.is_linear_in(0):
        return
    numbers = g, edge.user._data, edge.node._data
    g, out, x = [np.float64(n) if type(n) is float else n for n in numbers]  # 1/0 is inf
    rule: Any = primitive.rule(0)
    again = primitive.compute([out], params, [out])
    yield Verdict.OUTPUT_FOR_DERIVATIVE, as_data(g * out), None
    yield Verdict.INPUT_FOR_DERIVATIVE, as_data(g * x), None
    by_output: Function = BY_OUTPUT.get(primitive, lambda y: rule(1.0, y, x, **params))
    yield Verdict.INPUT_FOR_OUTPUT, as_data(g * by_output(x)), None
    yield Verdict.OUTPUT_FOR_INPUT, as_data(rule(g, again, out, **params)), None


def exponent_of(edge: Edge) -> float:
    """Return the constant exponent to which an edge raises its node; 1 if it does not.

    Example: >>> from autograd_core import Value
             >>> exponent_of(Edge(Value(2.0) ** 3, 0))
             3.0
    """
    user, i = edge
    if _name(user) == "square":
        return 2.0
    if _name(user) != "power" or i or isinstance(user.inputs[1], Node):
        return 1.0
    exponents = np.ravel(user.inputs[1])
    return float(exponents[0]) if exponents.size == 1 else 1.0


def _untransposed(edge: Edge, g: Operand) -> Iterator[Step]:
    """Yield the contribution of a matrix product if one of its factors is transposed."""
    x, y = [np.asarray(plain(a)) for a in edge.user.inputs]
    a, b = (g, y.T) if edge.i == 0 else (x.T, g)
    for left, right in ((a, b.T), (a.T, b), (a.T, b.T)):
        if left.shape[1] == right.shape[0] and (len(left), right.shape[1]) == edge.node.shape:
            yield Verdict.TRANSPOSE, left @ right, None


def factor_of(edge: Edge) -> Result:
    """Return the factor by which an edge multiplies the incoming gradient; None if it does not."""
    user, i = edge
    if _reduces(edge):
        return contribution(user, i, np.ones_like(user._data) if user.shape else 1.0)
    return local_derivative(user, i)


def _reduces(edge: Edge) -> bool:
    """Return whether each number of the node is reduced into one number of the result."""
    user, params = edge.user, edge.user.params or {}
    return {"axis", "keepdims"} <= params.keys() or (
        user.primitive in MATRIX_PRODUCTS and not user.shape
    )


def mean_of(edge: Edge) -> int:
    """Return the number of summands if an edge divides a sum by it, as a mean does; else 0.

    Example: >>> import numpy as np
             >>> from autograd_core import Value
             >>> mean_of(Edge(np.mean(Value([1.0, 2.0, 4.0])), 0))
             3
    """
    user, i = edge
    inputs = user.inputs
    if len(inputs) != 2 or isinstance(inputs[1 - i], Node) or np.size(inputs[1 - i]) != 1:
        return 0
    constant = float(np.ravel(inputs[1 - i])[0])
    if _name(user) == "multiply":
        constant = 1 / constant if constant else 0.0
    elif _name(user) != "divide" or i:
        return 0
    n = math.prod(node_lengths(edge.node))
    if not n and 1 < constant < 1e9:
        # A summand may itself be a sum: there are 2 in ((a + b) + c) / 2
        n = round(constant) if constant < summands(edge.node) + 0.5 else 0
    return n if n > 1 and math.isclose(constant, n) else 0


def node_lengths(node: Node) -> list[int]:
    """Return the lengths of the axes of a sum; [0] if the node is not a sum."""
    if _name(node) != "sum" or not isinstance(node.inputs[0], Node):
        return [0]
    shape, axis = node.inputs[0].shape, (node.params or {}).get("axis")
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [shape[k] for k in axes]


def summands(node: Node) -> int:
    """Return the number of summands of a chain of additions; 1 if the node is not a sum."""
    count, waiting = 0, [node]
    while waiting:
        x = waiting.pop()
        if _adds(x):
            waiting += [y for y in x.inputs if isinstance(y, Node)]
        else:
            count += 1
    return count


def _adds(node: Node) -> bool:
    return _name(node) == "add"


def _name(node: Node) -> str:
    return node.primitive.table_name if node.primitive else ""
