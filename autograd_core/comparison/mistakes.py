"""The mistakes that people make in a backward pass, and what each does to a gradient."""

import math
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..data import Data, as_data, shape_of
from ..explanation.formulas import contribution, local_derivative
from ..graph import Node
from ..primitives.elementwise import astype, identity, negative, sigmoid, tanh
from ..primitives.linear_algebra import inner, matmul
from ..primitives.shapes import spread, unbroadcast
from ..rules import pull
from .handwork import RELATIVE, SINGLE, Edge, Handwork, distance, half_units

MATRIX_PRODUCTS = (matmul, inner)
MANY = 100  # uses of a node, of which somebody may have taken one alone
# Derivatives as they are taught, by the output; rules take them from the input, exact in the tails
BY_OUTPUT: dict[Any, Callable[[Any], Any]] = {
    tanh: lambda y: 1 - y * y,
    sigmoid: lambda y: y * (1 - y),
}
LINEAR = (astype, identity, negative)


class Verdict(StrEnum):
    """What became of a gradient that was worked out by hand."""

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
    FOLLOWS = "follows"
    UNEXPLAINED = "unexplained"
    UNDEFINED = "undefined"


class Mistake(NamedTuple):
    """One mistake, in the gradient of one node or in what one edge adds to it.

    Args:    verdict: of which kind.
             node: in whose gradient.
             edges: the uses of the node that are taken wrongly, or a whole path, the node's own
             edge first; of what is overwritten, the one that is left; () for all uses.
             gradient: what the mistake makes of the node's gradient.
             factor: by which it multiplies or divides, where that says more.
    """

    verdict: Verdict
    node: Node
    edges: tuple[Edge, ...]
    gradient: Any
    factor: float | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells one mistake from another."""
        return self.verdict, self.node, self.edges


def mistakes_at(work: Handwork, node: Node) -> Iterator[Mistake]:
    """Yield the mistakes that can be made when a node's gradient is added up, likely ones first."""
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
    total: Any, parts: dict[Edge, Any]
) -> Iterator[tuple[Verdict, tuple[Edge, ...], Any]]:
    """Yield what becomes of a sum of contributions if some are forgotten, turned or repeated."""
    edges = tuple(parts)
    users: dict[Node, list[Edge]] = {}
    for edge in edges:
        users.setdefault(edge.user, []).append(edge)
    ways = [tuple(way) for way in users.values()]
    inputs = [(edge,) for way in ways if len(way) > 1 for edge in way]  # as of a in a * a
    added = {way: sum([parts[edge] for edge in way]) for way in [*ways, *inputs]}
    if edges and (len(ways) > 2 or len(users[edges[-1].user]) > 1):
        # What was computed last is swept first, so the oldest use is what stays
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


Step: TypeAlias = tuple[Verdict, Any, float | None]  # verdict, what the edge adds, factor


def _in_one_step(work: Handwork, edge: Edge, part: Any) -> Iterator[Step]:
    """Yield what can go wrong where one edge's contribution is worked out."""
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


def _factor_mistakes(edge: Edge, g: Any, part: Any, only_twice: bool) -> Iterator[Step]:
    """Yield what an edge adds if its local derivative is left out, and if it is applied twice."""
    user, i = edge
    x, factor, reduces = edge.node, factor_of(edge), _reduces(edge)
    if factor is None:  # no factor for each number, as in softmax: then it can only be left out
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


def _misread(edge: Edge, g: Any, part: Any) -> Iterator[Step]:
    """Yield what an edge adds if its local derivative is half forgotten, or read off elsewhere."""
    exponent = exponent_of(edge)
    if abs(exponent) not in (0, 1):
        yield Verdict.POWER, part / exponent, exponent
    primitive, params = edge.user.primitive, edge.user.params or {}
    if primitive is None or len(edge.user.inputs) > 1 or primitive in LINEAR:
        return
    numbers = g, edge.user._data, edge.node._data
    g, out, x = [np.float64(n) if type(n) is float else n for n in numbers]  # 1/0 is inf
    rule: Any = primitive.rule(0)
    again = primitive.compute([out], params, [out])
    yield Verdict.OUTPUT_FOR_DERIVATIVE, as_data(g * out), None
    yield Verdict.INPUT_FOR_DERIVATIVE, as_data(g * x), None
    by_output = BY_OUTPUT.get(primitive, lambda y: rule(1.0, y, x, **params))
    yield Verdict.INPUT_FOR_OUTPUT, as_data(g * by_output(x)), None
    yield Verdict.OUTPUT_FOR_INPUT, as_data(rule(g, again, out, **params)), None


def exponent_of(edge: Edge) -> float:
    """Return the constant power that an edge raises its node to; 1 if it does not.

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


def _untransposed(edge: Edge, g: Any) -> Iterator[Step]:
    """Yield what a matrix product adds if one of its factors is taken in the other direction."""
    x, y = [np.asarray(a._data if isinstance(a, Node) else a) for a in edge.user.inputs]
    a, b = (g, y.T) if edge.i == 0 else (x.T, g)
    for left, right in ((a, b.T), (a.T, b), (a.T, b.T)):
        if left.shape[1] == right.shape[0] and (len(left), right.shape[1]) == edge.node.shape:
            yield Verdict.TRANSPOSE, left @ right, None


def factor_of(edge: Edge) -> Any:
    """Return the factor by which an edge multiplies what comes from above; None if it does not."""
    user, i = edge
    if _reduces(edge):
        return contribution(user, i, np.ones_like(user._data) if user.shape else 1.0)
    return local_derivative(user, i)


def _reduces(edge: Edge) -> bool:
    """Tell whether each number of the node goes into one number of the result alone."""
    user, params = edge.user, edge.user.params or {}
    return {"axis", "keepdims"} <= params.keys() or (
        user.primitive in MATRIX_PRODUCTS and not user.shape
    )


def mean_of(edge: Edge) -> int:
    """Return how many numbers were added up, where an edge divides a sum by their number; else 0.

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
        # Any of the summands may itself be a sum: 2 of them in ((a + b) + c) / 2
        n = round(constant) if constant < summands(edge.node) + 0.5 else 0
    return n if n > 1 and math.isclose(constant, n) else 0


def node_lengths(node: Node) -> list[int]:
    """Return the lengths of the axes that a sum went over; [0] if the node is no sum."""
    if _name(node) != "sum" or not isinstance(node.inputs[0], Node):
        return [0]
    shape, axis = node.inputs[0].shape, (node.params or {}).get("axis")
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [shape[k] for k in axes]


def summands(node: Node) -> int:
    """Return how many computed things additions made into this node; 1 if it is no sum."""
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
    return node.primitive.name if node.primitive else ""


STEPS = 100_000  # of sweeps in a search: in large graphs, only the nearest and last nodes are tried
CERTAIN = 0.1  # share of the tolerance within which a mistake explains a gradient
EQUAL = 1e-4  # the same for two mistakes that give the same number but for rounding
COMPARED = 30  # mistakes that give the same number, and gradients they are then judged by


class Explanation(NamedTuple):
    """A mistake, and what it changes in the gradients of the graph.

    Args:    mistake: which.
             effect: by how much it changes each gradient; {} where it gives another shape.
             everywhere: whether it is made at each node of the graph.
    """

    mistake: Mistake
    effect: dict[Node, Data]
    everywhere: bool = False


class Search:
    """The search for the mistakes in a learner's gradients.

    Args:    work: the gradients: the right ones, and those that follow from mistakes.
             given: the learner's, by node.
             rtol: share of a gradient that rounding may take; None: as suits the data.
    """

    def __init__(self, work: Handwork, given: dict[Node, Data], rtol: float | None) -> None:
        self.work = work
        self.given = given
        self.scale = float(np.sum(np.abs(work.output._data)))
        data = [*given.values(), *[node._data for node in work.order]]
        self.single = any([getattr(x, "dtype", None) == np.float32 for x in data])
        self.units = dict(zip(given, half_units(list(given.values())), strict=True))
        self.told: dict[Any, Node] = {}  # the mistakes found so far, and where
        self.sizes: dict[Node, Data] = {}
        self.rtol = rtol or (SINGLE if self.single else RELATIVE)

    def apart(self, node: Node, candidate: Any) -> float:
        """Return how far a given gradient is from another, in units of what rounding may do."""
        given = self.given[node]
        if node not in self.sizes:
            self.sizes[node] = self.work.magnitude(node)
        size = self.sizes[node] if shape_of(given) == node.shape else 0.0
        return distance(given, candidate, size, self.scale, self.rtol, self.units[node])

    def explain(self, node: Node) -> Explanation | None:
        """Return the mistake that explains a wrong gradient best; None if none explains it.

        Of those that give the same number, the one that explains most of the other gradients too;
        of those, the nearest.
        """
        loose = self.single or self.units[node] > 0
        found = [
            (self.apart(node, value), step, mistake)
            for value, step, mistake in self._candidates(node)
        ]
        nearest = min([apart for apart, _, _ in found], default=np.inf)
        limit = min(max(10 * nearest, EQUAL), 1 if loose else CERTAIN)
        equal = [(step, mistake) for apart, step, mistake in found if apart <= limit]
        # Twice the whole says least about where: a mean or a factor of 2 is likelier
        equal.sort(key=lambda each: (each[1].key[::2] == (Verdict.DOUBLED, ()), each[0]))
        ranked = [self._with_effect(mistake) for _, mistake in equal[:COMPARED]]
        overwritten = self._overwritten(node)
        if overwritten:
            ranked.append(overwritten)
        return max(ranked, key=lambda each: self._score(each, node), default=None)

    def _candidates(self, node: Node) -> Iterator[tuple[Any, int, Mistake]]:
        """Yield what single mistakes make of a gradient, and how far up each is."""
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
                delta_fits = shape_of(mistake.gradient) == x.shape
                if delta_fits != fits:
                    continue
                if x is node:
                    yield mistake.gradient, step, mistake
                elif not fits:
                    yield self.work.misshapen(x, mistake.gradient, node, among), step, mistake
                else:
                    delta = mistake.gradient - self.work.now[x]
                    if unit is None:
                        passed = self.work.effect(x, delta, among).get(node, 0.0)
                    else:
                        passed = delta * unit
                    yield self.work.now[node] + passed, step, mistake
        if fits:
            yield from self._paths(node, above)

    def _paths(self, node: Node, above: dict[Node, int]) -> Iterator[tuple[Any, int, Mistake]]:
        """Yield what is left, or too much, if one whole path is."""
        total = self.work.now[node]
        everything = self.work.above(node, through_settled=True)
        for region in [above, everything] if len(everything) > len(above) else [above]:
            paths = self.work.paths(node, region)
            if region is everything or len(paths) > len(self.work.uses[node]):
                for path, part in paths:
                    yield total - part, 0, Mistake(Verdict.MISSING, node, path, total - part)
                    yield total + part, 0, Mistake(Verdict.DOUBLED, node, path, total + part)

    def _overwritten(self, node: Node) -> Explanation | None:
        """Return the mistake of overwriting at every node, if it gives the gradient."""
        work = self.work
        wrong = work.overwritten
        if self.apart(node, wrong[node]) > CERTAIN:
            return None
        effect = {n: wrong[n] - work.now[n] for n in work.order}
        mistake = Mistake(Verdict.OVERWRITTEN, node, tuple(work.uses[node][-1:]), wrong[node])
        return Explanation(mistake, effect, everywhere=True)

    def _with_effect(self, mistake: Mistake) -> Explanation:
        x = mistake.node
        if shape_of(mistake.gradient) != x.shape:
            return Explanation(mistake, {})
        return Explanation(mistake, self.work.effect(x, mistake.gradient - self.work.now[x]))

    def _score(self, explanation: Explanation, node: Node) -> int:
        """Return how many more of the other gradients a mistake explains than none would.

        A mistake that was found before explains more than any new one.
        """
        score = COMPARED if explanation.mistake.key in self.told else 0
        for other in self.open_gradients(node):
            delta = explanation.effect.get(other)
            if delta is not None:
                now = self.work.now[other]
                score += (self.apart(other, now + delta) <= 1) - (self.apart(other, now) <= 1)
        return score

    def open_gradients(self, node: Node) -> list[Node]:
        """Return the first of the given gradients that are still to be judged after this one."""
        others = [n for n in self.given if n is not node and n not in self.work.settled]
        return sorted(others, key=lambda n: -n.index)[:COMPARED]
