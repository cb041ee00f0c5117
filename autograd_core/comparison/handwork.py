"""A backward pass as a learner does it: the right one, changed by the mistakes found so far.

A sweep is linear in the cotangents, so a mistake that changes the gradient of one node changes
those below it by what a sweep from there makes of the change.
"""

from collections import deque
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..backprop import seed, sweep
from ..data import Data, shape_of
from ..errors import AutogradError
from ..explanation.formulas import contribution
from ..graph import Node, topological_order
from ..rules import pull

LONGEST = 500  # steps along paths, until they are no longer told apart


class Edge(NamedTuple):
    """One use of a node: as input number `i` of `user`. Values compare by data, so use `is`."""

    user: Node
    i: int

    @property
    def node(self) -> Node:
        """The node that is used."""
        node: Node = self.user.inputs[self.i]
        return node


class Handwork:
    """The gradients of a graph: the right ones, and those that follow from a learner's mistakes.

    Args:    output: what is differentiated.
    Raises:  ShapeError: the output is not one number.
    """

    def __init__(self, output: Node) -> None:
        self.output = output
        self.order = topological_order(output)
        found = sweep(self.order, seed(output, None))
        self.right: dict[Node, Data] = {n: found.get(n, zeros(n)) for n in self.order}
        self.now = dict(self.right)
        self.settled: set[Node] = set()  # whose gradient is known; no mistake passes through them
        self.uses: dict[Node, list[Edge]] = {n: [] for n in self.order}
        self.inputs: dict[Node, list[Edge]] = {n: [] for n in self.order}
        for user in reversed(self.order):  # as in a sweep: what was computed last comes first
            for i, x in enumerate(user.inputs):
                if isinstance(x, Node) and user.primitive and user.primitive.rule(i):
                    edge = Edge(user, i)
                    self.uses[x].append(edge)
                    self.inputs[user].append(edge)

    def contribution(self, edge: Edge) -> Any:
        """Return what an edge adds to the gradient of the node that it uses."""
        return contribution(edge.user, edge.i, self.now[edge.user])

    def magnitude(self, node: Node) -> Any:
        """Return the sizes of a node's contributions, added up."""
        parts = [contribution(e.user, e.i, self.right[e.user]) for e in self.uses[node]]
        with np.errstate(all="ignore"):
            return sum([np.abs(part) for part in parts], np.abs(self.right[node]))

    def settle(self, node: Node, gradient: Data) -> dict[Node, Data]:
        """Take a gradient for what the learner went on with; return what that changes below."""
        with np.errstate(all="ignore"):
            effect = self.effect(node, gradient - self.now[node])
        self.change(effect)
        self.settled.add(node)
        return effect

    def change(self, effect: dict[Node, Data]) -> None:
        """Add the effect of a mistake."""
        for node, delta in effect.items():
            if node not in self.settled:
                self.now[node] = self.now[node] + delta

    def effect(self, node: Node, delta: Any, among: list[Node] | None = None) -> dict[Node, Data]:
        """Return how the gradients below change if that of a node changes by `delta`.

        Args:    among: only of these, inputs before outputs; None: of all that are not settled.
        """
        if node.primitive is None:
            return {node: delta}
        nodes = self.order if among is None else among
        nodes = [n for n in nodes if n.index < node.index and n not in self.settled]
        return sweep([*nodes, node], delta, set(nodes))

    def misshapen(self, node: Node, gradient: Any, target: Node, among: list[Node]) -> Any:
        """Return what comes of a gradient of the wrong shape further down.

        Args:    node: whose gradient is taken for `gradient`.
                 target: the node below.
                 among: the nodes from there to the output, inputs before outputs.
        Returns: the gradient of the target; None if it cannot be worked out.
        """
        found: dict[Node, Any] = {node: gradient}
        without = self.effect(node, -self.now[node], among)[target]
        inside = set(among)
        try:
            for user in reversed(among):
                g = found.get(user)
                for edge in [] if g is None or user is target else self.inputs[user]:
                    x = edge.node
                    if x in inside:
                        d = (contribution if shape_of(g) == user.shape else pull)(*edge, g)
                        found[x] = found[x] + d if x in found else d
            return self.now[target] + without + found[target]
        except (AutogradError, ValueError, IndexError, KeyError, TypeError):
            return None  # what has the wrong shape goes no further

    def above(self, node: Node, through_settled: bool = False) -> dict[Node, int]:
        """Return the nodes in which a mistake changes this node's gradient, and how far up.

        What is settled is left out, with all whose mistakes would have to pass through it.
        """
        steps = {node: 0}
        waiting = deque([node])
        while waiting:
            x = waiting.popleft()
            for user, _ in self.uses[x]:
                if user not in steps and (through_settled or user not in self.settled):
                    steps[user] = steps[x] + 1
                    waiting.append(user)
        return steps

    def last_steps(self) -> list[Node]:
        """Return the nodes that all paths to the output pass through, as far down as is plain."""
        nodes = [self.output]
        while len(self.inputs[nodes[-1]]) == 1:
            nodes.append(self.inputs[nodes[-1]][0].node)
        return nodes

    def paths(self, node: Node, above: dict[Node, int]) -> list[tuple[tuple[Edge, ...], Any]]:
        """Return all paths down to a node, with what each adds to its gradient.

        Args:    above: the nodes that the paths lead through; they begin at the output, or where
                 they enter.
        Returns: the edges of each, the node's own first; none if there are too many.
        """
        found = []
        walks: list[tuple[tuple[Edge, ...], Any]] = []
        if self.output in above:
            walks.append(((), self.now[self.output]))
        for x in above:
            entries = [edge for edge in self.uses[x] if edge.user not in above]
            walks += [((edge,), self.contribution(edge)) for edge in entries]
        for step, (path, g) in enumerate(walks):  # grows as it is walked along
            if step == LONGEST:
                return []
            x = path[0].node if path else self.output
            if x is node:
                found.append((path, g))
                continue
            for edge in self.inputs[x]:
                if edge.node in above:
                    walks.append(((edge, *path), contribution(*edge, g)))
        return found

    @cached_property
    def overwritten(self) -> dict[Node, Data]:
        """Return the gradients if each contribution took the place of the one before it."""
        found: dict[Node, Data] = {self.output: self.right[self.output]}
        for user in reversed(self.order):
            if user in found:
                for edge in self.inputs[user]:
                    found[edge.node] = contribution(*edge, found[user])
        return {node: found.get(node, gradient) for node, gradient in self.right.items()}


def zeros(node: Node) -> Data:
    """Return a gradient of zeros for a node."""
    return np.zeros_like(node._data) if isinstance(node._data, np.ndarray) else 0.0


RELATIVE = 1e-5  # of the contributions: generous to finite differences, strict with mistakes
SINGLE = 1e-4  # the same where float32 takes part
FINITE_DIFFERENCES = 1e-9  # of the output: what is left of it in a difference over a small step
WRITTEN = 5e-3  # the most that rounding to few decimal places may take from a gradient
PRINTED = 3  # decimal places that all gradients have where they were printed with as many


def distance(
    given: Data, exact: Data, magnitude: Data, output: float, rtol: float, unit: float = 0.0
) -> float:
    """Return how far two gradients are apart, in units of what rounding may do.

    Args:    given: a gradient worked out by hand.
             exact: what it is compared with.
             magnitude: the sum of the contributions' sizes: what may have been rounded.
             output: what is differentiated.
             rtol: share of the magnitude that may be lost.
             unit: what else may be.
    Returns: at most 1 where the two are the same but for rounding; inf where one is not finite or
             their shapes differ.
    Example: >>> distance(2.0, 2.00001, 2.0, 1.0, 1e-5) < 1 < distance(2.0, 2.0001, 2.0, 1.0, 1e-5)
             True
    """
    if shape_of(given) != shape_of(exact):
        return np.inf
    h, e = np.asarray(given, np.float64), np.asarray(exact, np.float64)
    if not h.size:
        return 0.0
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(magnitude), np.maximum(np.abs(h), np.abs(e)))
        tolerance = rtol * scale + FINITE_DIFFERENCES * abs(output) + unit
        if rtol >= SINGLE:  # sums of float32 lose digits where their terms cancel
            tolerance = tolerance + 0.1 * rtol * scale.max()
        tolerance = tolerance + 1e-13 * scale.max() + np.finfo(np.float64).tiny
        apart = np.where(h == e, 0.0, np.abs(h - e) / tolerance)
    return float(apart.max()) if not np.isnan(apart).any() else np.inf


def half_units(gradients: list[Data]) -> list[float]:
    """Return how much of each gradient was lost where it was written down to some decimal place.

    That is half a unit of the last place: of the place that all have in common if they were
    printed alike, otherwise of each one's own.

    Example: >>> half_units([138.8338, 0.002]), half_units([1 / 3, 2.0, 0.125])
             ([5e-05, 5e-05], [0.0, 0.0, 0.0005])
    """
    places = [_places(gradient) for gradient in gradients]
    most = max([p for p in places if p is not None], default=0)
    if None not in places and most >= PRINTED:
        return [0.5 * 10.0**-most] * len(places)
    return [
        min(0.5 * 10.0**-p, WRITTEN * float(np.max(np.abs(gradient)))) if p else 0.0
        for p, gradient in zip(places, gradients, strict=True)
    ]


def _places(gradient: Data) -> int | None:
    """Return how many decimal places numbers have; None where there are more than 6."""
    rounded = (p for p in range(7) if np.array_equal(np.round(gradient, p), gradient))
    return next(rounded, None)
