"""Mistakes in a backward pass, what each does to a gradient, and the search for the one made."""

import math
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..data import Data, Operand, Result, as_data, shape_of
from ..explanation.formulas import Edge, contribution, is_elementwise, local_derivative, ones
from ..explanation.names import operation_of
from ..explanation.terms import Term
from ..graph import Node, plain
from ..primitives.elementwise import multiply
from ..primitives.linear_algebra import inner, matmul
from ..primitives.shapes import spread, unbroadcast
from ..rules import pull
from . import slips
from .backward_pass import BackwardPass
from .precision import SINGLE, Precision
from .slips import derivative_slips, diagonal, products, without_target

MATRIX_PRODUCTS = (matmul, inner)
PRODUCTS = (*MATRIX_PRODUCTS, multiply)
RATES = (0.1, 0.01, 0.5, 1.0)  # of the step by which a weight may have been updated too early
FEW = 100  # numbers of a node of which the diagonal of the derivative is computed
MANY = 100  # uses of a node, beyond which it is not tried to take one of them alone


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
    DERIVATIVE = "wrong derivative"
    OPERAND = "wrong operand"
    AXIS = "wrong axis"
    DIAGONAL = "diagonal only"
    TARGET = "target forgotten"
    UPDATED = "updated weight"
    COPIED_GRADIENT = "another gradient"
    COPIED_VALUE = "value for gradient"
    SHAPE = "wrong shape"
    FOLLOWS = "follows"
    UNEXPLAINED = "unexplained"
    UNDEFINED = "undefined"


KNOWN = (slips.FACTOR, slips.NOT_LOWERED, slips.VALUE)  # which may have names of their own
COPIED = (Verdict.COPIED_GRADIENT, Verdict.COPIED_VALUE)
# How unlikely mistakes are; others cost nothing
COSTS = {
    Verdict.FACTOR_MISSING: 0.2,
    Verdict.FACTOR_TWICE: 1.0,
    Verdict.DOUBLED: 1.0,
    Verdict.DERIVATIVE: 1.0,
    Verdict.OPERAND: 1.0,
    Verdict.DIAGONAL: 0.5,
    Verdict.UPDATED: 2.0,
    Verdict.COPIED_GRADIENT: 3.0,
    Verdict.COPIED_VALUE: 3.0,
}


class Mistake(NamedTuple):
    """One mistake, in the gradient of one node or in what one edge adds to it.

    Args:    verdict: its kind.
             node: the node whose gradient it changes.
             edges: the uses of the node that are wrong, or a whole path, the node's own edge
             first; of overwritten ones, the one that is left; () for all uses.
             gradient: what the mistake makes of the node's gradient.
             factor: the number by which it multiplies or divides, if the message gives it.
             everywhere: whether it is made at each node of the graph.
             what: what is wrong with the local derivative.
             written: what was used instead of it, in terms of x, y and out.
             other: the node whose value or gradient was used instead.
    """

    verdict: Verdict
    node: Node
    edges: tuple[Edge, ...]
    gradient: Result
    factor: float | None = None
    everywhere: bool = False
    what: str = ""
    written: Term | None = None
    other: Node | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """The mistake without its numbers."""
        return self.verdict, self.node, self.edges, self.written, self.other

    @property
    def cost(self) -> float:
        """How unlikely it is: 1 is outweighed by 2 steps, or half a gradient that it explains."""
        if self.verdict is Verdict.DOUBLED and not self.edges:  # less specific than a factor
            return 1.5
        return COSTS.get(self.verdict, 0.0)


def mistakes_at(work: BackwardPass, node: Node) -> Iterator[Mistake]:
    """Yield the possible mistakes in the sum of a node's contributions, likely ones first."""
    total, edges = work.now[node], work.uses[node]
    parts = {edge: work.contribution(edge) for edge in edges}
    yield Mistake(Verdict.SIGN, node, (), -total)
    for verdict, several, gradient in _among_uses(total, parts):
        yield Mistake(verdict, node, several, gradient)
    for edge, part in parts.items():
        known = list(_in_one_step(work, edge, part))
        for verdict, wrong, factor in known:
            yield Mistake(verdict, node, (edge,), total - part + wrong, factor)
        rest = total - part if len(edges) > 1 else 0.0
        for slip in _slips(work, edge):
            if slip.what in KNOWN and any([is_same(slip.gradient, wrong) for _, wrong, _ in known]):
                continue
            if len(edges) == 1 or shape_of(slip.gradient) == node.shape:
                yield slip._replace(gradient=rest + slip.gradient)
    yield Mistake(Verdict.DOUBLED, node, (), 2 * total)
    if len(node.shape) > 1:
        yield Mistake(Verdict.TRANSPOSE, node, (), np.transpose(total))
    yield from _copied(work, node, total, parts)
    is_summed = any([operation_of(edge.user) == "add" or mean_of(edge) for edge in edges])
    n = 0 if is_summed else summands(node)
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
    elif not any([mean_of(above) for above in work.uses[user]]) and operation_of(user) == "sum":
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
        if not only_twice:
            wrong = g
            if reduces:
                params = user.params or {}
                wrong = spread(g, x._data, params.get("axis"), params.get("keepdims", False))
                wrong = np.broadcast_to(wrong, x.shape)
            elif x.shape != user.shape:
                wrong = unbroadcast(g, x.shape)
            yield Verdict.FACTOR_MISSING, wrong, None
        twice = part * factor if reduces else contribution(user, i, g * factor)
        yield Verdict.FACTOR_TWICE, twice, None
    exponent = exponent_of(edge)
    if abs(exponent) not in (0, 1):
        yield Verdict.POWER, part / exponent, exponent


def _slips(work: BackwardPass, edge: Edge) -> Iterator[Mistake]:
    """Yield the mistakes in one edge's derivative, with what each makes of the contribution."""
    (user, i), node, g = edge, edge.node, work.now[edge.user]
    primitive: Any = user.primitive

    def mistake(verdict: Verdict, wrong: Result, **details: Any) -> Mistake:
        return Mistake(verdict, node, (edge,), wrong, **details)

    if is_elementwise(*edge):
        for slip, wrong in derivative_slips(edge, g):
            verdict = Verdict(slip.what) if slip.what in slips.MISREAD else Verdict.DERIVATIVE
            yield mistake(verdict, wrong, what=slip.what, written=slip.term)
    elif primitive.along_axis and user.shape == node.shape and np.size(node._data) <= FEW:
        yield mistake(Verdict.DIAGONAL, g * diagonal(edge))
    raw = as_data(pull(user, i, g))
    if shape_of(raw) != node.shape and len(shape_of(raw)) == 2 and len(node.shape) == 1:
        yield mistake(Verdict.AXIS, np.sum(raw, axis=1))
    if primitive in PRODUCTS:
        for verdict, data, other in _wrong_operands(work, edge):
            for wrong in _multiplied(edge, g, data):
                yield mistake(verdict, wrong, other=other)


def _wrong_operands(
    work: BackwardPass, edge: Edge
) -> Iterator[tuple[Verdict, Operand, Node | None]]:
    """Yield what may be multiplied by the gradient instead of the other operand of a product."""
    user, i = edge
    own, other = user.inputs[i], user.inputs[1 - i]
    if user.primitive in MATRIX_PRODUCTS:
        yield Verdict.TRANSPOSE, plain(other), None
        yield Verdict.OPERAND, plain(own), None
    if not isinstance(other, Node):
        return
    for neighbour in work.alike(other):
        if neighbour is not own:
            yield Verdict.OPERAND, neighbour._data, neighbour
    if other.primitive is None and np.any(work.now[other]):
        for rate in RATES:
            yield Verdict.UPDATED, other._data - rate * work.now[other], other


def _multiplied(edge: Edge, g: Operand, data: Operand) -> Iterator[Result]:
    """Yield the products of a gradient and an operand, as far as they have the node's shape."""
    if edge.user.primitive in MATRIX_PRODUCTS:
        yield from products(np.asarray(data), np.asarray(g), edge.node.shape)
    else:
        wrong = as_data(g * data)
        fits = shape_of(wrong) == edge.node.shape
        yield wrong if fits else as_data(unbroadcast(wrong, edge.node.shape))


def is_same(x: Operand, y: Operand) -> bool:
    """Return whether two gradients have one shape and the same numbers but for rounding."""
    return shape_of(x) == shape_of(y) and np.allclose(x, y, rtol=1e-12, atol=0.0)


def _copied(
    work: BackwardPass, node: Node, total: Result, parts: dict[Edge, Result]
) -> Iterator[Mistake]:
    """Yield values and gradients that stand where the gradient of a node should be."""
    for edge, part in parts.items():
        forgotten = without_target(edge.user, total)
        if forgotten is not None:
            yield Mistake(Verdict.TARGET, node, (edge,), forgotten)
        if operation_of(edge.user) == "subtract" and np.all(edge.user._data):
            multiples = work.now[edge.user] / edge.user._data
            if np.size(multiples) > 1 and np.ptp(multiples) <= 1e-6 * np.max(np.abs(multiples)):
                wrong = total - part + part / edge.user._data * node._data
                yield Mistake(Verdict.TARGET, node, (edge,), wrong)
    for other in work.alike(node):
        yield Mistake(Verdict.COPIED_GRADIENT, node, (), work.now[other], other=other)
        yield Mistake(Verdict.COPIED_VALUE, node, (), other._data, other=other)
    yield Mistake(Verdict.COPIED_VALUE, node, (), node._data, other=node)


def exponent_of(edge: Edge) -> float:
    """Return the constant exponent to which an edge raises its node; 1 if it does not.

    Example: >>> from autograd_core import Value
             >>> exponent_of(Edge(Value(2.0) ** 3, 0))
             3.0
    """
    user, i = edge
    if operation_of(user) == "square":
        return 2.0
    if operation_of(user) != "power" or i or isinstance(user.inputs[1], Node):
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
        return contribution(user, i, ones(user))
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
    if operation_of(user) == "multiply":
        constant = 1 / constant if constant else 0.0
    elif operation_of(user) != "divide" or i:
        return 0
    total = edge.node
    while operation_of(total) == "negative":
        total = total.inputs[0]
    lengths = node_lengths(total)
    n = math.prod(lengths)
    if not n and 1 < constant < 1e9:
        # A summand may itself be a sum: there are 2 in ((a + b) + c) / 2
        n = round(constant) if constant < summands(total) + 0.5 else 0
    elif constant in lengths:  # a sum over samples and classes, divided by the samples
        n = round(constant)
    return n if n > 1 and math.isclose(constant, n) else 0


def node_lengths(node: Node) -> list[int]:
    """Return the lengths of the axes of a sum; [0] if the node is not a sum."""
    if operation_of(node) != "sum" or not isinstance(node.inputs[0], Node):
        return [0]
    shape, axis = node.inputs[0].shape, (node.params or {}).get("axis")
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [shape[k] for k in axes]


def summands(node: Node) -> int:
    """Return the number of summands of a chain of additions; 1 if the node is not a sum."""
    count, waiting = 0, [node]
    while waiting:
        x = waiting.pop()
        if operation_of(x) == "add":
            waiting += [y for y in x.inputs if isinstance(y, Node)]
        else:
            count += 1
    return count


# The search

STEPS = 100_000  # of sweeps: in large graphs, only the nearest and last nodes are tried
CERTAIN = 0.1  # share of the tolerance within which a mistake explains a gradient
EQUAL = 1e-4  # the same for two mistakes that give the same number but for rounding
COMPARED = 30  # mistakes that give the same number, and gradients they are then ranked by


class Found(NamedTuple):
    """An explanation of a wrong gradient.

    Args:    mistake: the likeliest.
             effect: by how much it changes each gradient of the graph; {} if the gradient has
             another shape than its node.
             others: mistakes that explain as much.
    """

    mistake: Mistake
    effect: dict[Node, Data]
    others: list[Mistake]


class Search:
    """The search for the mistakes in a learner's gradients.

    Args:    work: the gradients: the right ones, and those that follow from mistakes.
             given: the learner's, by node.
             precision: how far each may be from a gradient that it is equal to.
    """

    def __init__(self, work: BackwardPass, given: dict[Node, Data], precision: Precision) -> None:
        self.work = work
        self.given = given
        self.precision = precision
        # By the mistakes' keys: the gradients they were found in
        self.found: dict[tuple[object, ...], Node] = {}

    def explain(self, node: Node) -> Found | None:
        """Return the mistake that explains a wrong gradient best; None if none explains it.

        Of those that give the same number, it is the one that explains most of the other
        gradients, too; of those, the likeliest and nearest.
        """
        apart, carried = self.precision.apart, self.precision.carried(node)
        found = [
            (apart(node, value), value, step, mistake)
            for value, step, mistake in self._candidates(node)
            if value is not None  # an operation refuses the wrong shape
        ]
        nearest = min([apart(node, value, exactly=True) for _, value, *_ in found], default=np.inf)
        if nearest <= CERTAIN:
            limit = min(max(10 * nearest, EQUAL), CERTAIN)
            found = [each for each in found if apart(node, each[1], exactly=True) <= limit]
        else:
            is_loose = self.precision.rtol >= SINGLE or self.precision.is_rounded(node)
            limit = 1.0 if is_loose else CERTAIN
            now = self.work.now[node]
            reached = [carried * times_as_large(value, now) for _, value, *_ in found]
            pairs = zip(found, reached, strict=True)
            found = [each for each, more in pairs if apart(node, each[1], more) <= limit]
        found.sort(key=lambda each: (each[0] > 1, each[3].cost + 0.5 * each[2]))
        ranked = []
        for *_, mistake in found[:COMPARED]:
            x, effect = mistake.node, {}
            if shape_of(mistake.gradient) == x.shape:
                effect = self.work.effect(x, mistake.gradient - self.work.now[x])
            ranked.append((self._score(mistake, effect, node), mistake, effect))
        wrong = self.work.overwritten
        if apart(node, wrong[node]) <= CERTAIN:
            last = tuple(self.work.uses[node][-1:])
            mistake = Mistake(Verdict.OVERWRITTEN, node, last, wrong[node], everywhere=True)
            effect = {n: wrong[n] - self.work.now[n] for n in self.work.order}
            ranked.append((self._score(mistake, effect, node), mistake, effect))
        if not ranked:
            return None
        most, best, effect = max(ranked, key=lambda each: each[0] - 0.5 * each[1].cost)
        others = [each[1] for each in ranked if each[0] >= most and each[1] is not best]
        return Found(best, effect, others)

    def _candidates(self, node: Node) -> Iterator[tuple[Result, int, Mistake]]:
        """Yield the gradients that single mistakes give, with the distance of each mistake."""
        above = self.work.above(node)
        among = sorted(above, key=lambda n: n.index)
        fits = shape_of(self.given[node]) == node.shape
        sweeps = max(STEPS // len(among), 1)
        nearest = list(above)[:sweeps]
        last = [x for x in self.work.last_steps()[:sweeps] if x in above]
        for x in dict.fromkeys([*nearest, *last]):
            step = above[x]
            unit = self.work.effect(x, 1.0, among).get(node, 0.0) if not x.shape else None
            for mistake in mistakes_at(self.work, x):
                if x is self.work.output is not node and mistake.verdict is not Verdict.MEAN_SUM:
                    continue  # its gradient is 1
                if mistake.verdict in COPIED and x is not node and not x.shape:
                    continue  # numbers coincide
                if (shape_of(mistake.gradient) == x.shape) != fits:
                    continue
                if x is node:
                    yield mistake.gradient, step, mistake
                elif not fits:
                    yield self.work.misshapen(x, mistake.gradient, node, among), step, mistake
                else:
                    delta = mistake.gradient - self.work.now[x]
                    if unit is None:
                        delta = self.work.effect(x, delta, among).get(node, 0.0)
                    else:
                        delta = delta * unit
                    yield self.work.now[node] + delta, step, mistake
        if fits:
            yield from self._paths(node, above)

    def _paths(self, node: Node, above: dict[Node, int]) -> Iterator[tuple[Result, int, Mistake]]:
        """Yield the gradient if one whole path is missing or doubled."""
        total = self.work.now[node]
        everything = self.work.above(node, through_settled=True)
        for region in [above, everything] if len(everything) > len(above) else [above]:
            paths = self.work.paths(node, region)
            if region is everything or len(paths) > len(self.work.uses[node]):
                for path, part in [each for each in paths if each[0]]:  # none to the output itself
                    yield total - part, 0, Mistake(Verdict.MISSING, node, path, total - part)
                    yield total + part, 0, Mistake(Verdict.DOUBLED, node, path, total + part)

    def _score(self, mistake: Mistake, effect: dict[Node, Data], node: Node) -> int:
        """Return how many more of the other gradients a mistake explains than no mistake does.

        A mistake that was found before explains more than any new one; one further up that would
        have made gradients wrong that are right explains less.
        """
        score = COMPARED if mistake.key in self.found else 0
        settled = self.work.settled & self.given.keys()
        if mistake.node is not node and not mistake.everywhere and settled and effect:
            delta = effect.get(mistake.node, mistake.gradient - self.work.now[mistake.node])
            effect = effect | self.work.effect(mistake.node, delta, through_settled=True)
        others = [n for n in self.given if n is not node]
        for other in sorted(others, key=lambda n: -n.index)[:COMPARED]:
            if (delta := effect.get(other)) is not None:
                now = self.work.now[other]
                score += self.precision.apart(other, now + delta) <= 1
                score -= self.precision.apart(other, now) <= 1
        return score


def times_as_large(x: Result, y: Result) -> float:
    """Return the ratio of the norms of two gradients; 1 if it is less or not defined.

    Example: >>> times_as_large(-6.0, 2.0), times_as_large(1.0, 2.0), times_as_large(1.0, 0.0)
             (3.0, 1.0, 1.0)
    """
    if shape_of(x) != shape_of(y) or not np.any(y):
        return 1.0
    return max(1.0, float(np.linalg.norm(x) / np.linalg.norm(y)))
