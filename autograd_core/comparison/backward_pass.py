"""A learner's backward pass: the right one, changed by the mistakes found so far.

A sweep is linear in the cotangents. So if a mistake changes the gradient of one node, a sweep of
the change from there gives the changes below.
"""

from collections import deque
from functools import cached_property

import numpy as np

from ..backprop import seed, sweep
from ..data import Data, Operand, Result, shape_of
from ..derivatives import zeros
from ..errors import AutogradError
from ..explanation.formulas import Edge, contribution
from ..graph import Node, topological_order
from ..rules import pull

NEIGHBOURS = 12  # nodes of which a value or gradient may have been copied
BY_HAND = 500  # nodes of a graph that is worked out by hand
LONGEST = 500  # steps along paths; if there are more, paths are not distinguished


class BackwardPass:
    """The gradients of a graph: the right ones, and those that follow from a learner's mistakes.

    Args:    output: the Value that is differentiated.
    Raises:  ShapeError: the output is not one number.
    """

    def __init__(self, output: Node) -> None:
        self.output = output
        self.order = topological_order(output)
        found = sweep(self.order, seed(output, None))
        self.right: dict[Node, Data] = {n: found.get(n, zeros(n)) for n in self.order}
        self.now = dict(self.right)
        self.settled: set[Node] = set()  # whose gradient is known; no mistake acts beyond them
        self.uses: dict[Node, list[Edge]] = {n: [] for n in self.order}
        self.inputs: dict[Node, list[Edge]] = {n: [] for n in self.order}
        for user in reversed(self.order):  # as in a sweep: the last node first
            for i, x in enumerate(user.inputs):
                if isinstance(x, Node) and user.primitive and user.primitive.rule(i):
                    edge = Edge(user, i)
                    self.uses[x].append(edge)
                    self.inputs[user].append(edge)

    def contribution(self, edge: Edge) -> Result:
        """Return what an edge adds to the gradient of its node."""
        return contribution(edge.user, edge.i, self.now[edge.user])

    def magnitude(self, node: Node) -> Result:
        """Return the sum of the absolute contributions to a node."""
        parts = [contribution(e.user, e.i, self.right[e.user]) for e in self.uses[node]]
        with np.errstate(all="ignore"):
            return sum([np.abs(part) for part in parts], np.abs(self.right[node]))

    def settle(self, node: Node, gradient: Data) -> dict[Node, Data]:
        """Continue with this gradient, as the learner did; return the changes below."""
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

    def effect(
        self,
        node: Node,
        delta: Operand,
        among: list[Node] | None = None,
        through_settled: bool = False,
    ) -> dict[Node, Data]:
        """Return the changes of the gradients below if that of a node changes by `delta`.

        Args:    among: only of these nodes, inputs before outputs; None: of all.
                 through_settled: whether settled gradients change, too.
        """
        if node.primitive is None:
            return {node: delta}
        settled = () if through_settled else self.settled
        nodes = self.order if among is None else among
        nodes = [n for n in nodes if n.index < node.index and n not in settled]
        return sweep([*nodes, node], delta, set(nodes))

    def misshapen(self, node: Node, gradient: Operand, target: Node, among: list[Node]) -> Result:
        """Return the gradient of `target` if that of a node further up has the wrong shape.

        Args:    node: the node whose gradient is `gradient`.
                 target: the node below.
                 among: the nodes from there to the output, inputs before outputs.
        Returns: the gradient of the target; None if it cannot be computed.
        """
        found: dict[Node, Result] = {node: gradient}
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
            return None  # an operation refuses the wrong shape

    def above(self, node: Node, through_settled: bool = False) -> dict[Node, int]:
        """Return the nodes where a mistake changes this node's gradient, with their distance.

        Settled nodes are left out, with the nodes above that only reach this node through them.
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

    def alike(self, node: Node) -> list[Node]:
        """Return other nodes of a node's shape, those that are nearest in the order first."""
        if node.shape not in self._by_shape:
            return []
        same = [x for x in self._by_shape[node.shape] if x is not node]
        return sorted(same, key=lambda x: abs(x.index - node.index))[:NEIGHBOURS]

    @cached_property
    def _by_shape(self) -> dict[tuple[int, ...], list[Node]]:
        found: dict[tuple[int, ...], list[Node]] = {}
        for node in self.order if len(self.order) <= BY_HAND else ():
            found.setdefault(node.shape, []).append(node)
        return found

    def last_steps(self) -> list[Node]:
        """Return the nodes from the output down to the first with more than one input."""
        nodes = [self.output]
        while len(self.inputs[nodes[-1]]) == 1:
            nodes.append(self.inputs[nodes[-1]][0].node)
        return nodes

    def paths(self, node: Node, above: dict[Node, int]) -> list[tuple[tuple[Edge, ...], Result]]:
        """Return all paths down to a node, with what each adds to its gradient.

        Args:    above: the nodes of the paths, which begin at the output or at edges from outside.
        Returns: the edges of each path, the node's own first; [] if there are too many.
        """
        found = []
        walks: list[tuple[tuple[Edge, ...], Result]] = []
        if self.output in above:
            walks.append(((), self.now[self.output]))
        for x in above:
            entries = [edge for edge in self.uses[x] if edge.user not in above]
            walks += [((edge,), self.contribution(edge)) for edge in entries]
        for step, (path, g) in enumerate(walks):  # grows while it is iterated
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
        """The gradients if each contribution overwrites the one before it."""
        found: dict[Node, Data] = {self.output: self.right[self.output]}
        for user in reversed(self.order):
            if user in found:
                for edge in self.inputs[user]:
                    found[edge.node] = contribution(*edge, found[user])
        return {node: found.get(node, gradient) for node, gradient in self.right.items()}
