"""Which single mistake gives the gradient that a learner has found?"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...data import Data, shape_of
from ...graph import Node
from .handwork import Handwork
from .mistakes import Mistake, Verdict, mistakes_at
from .rounding import RELATIVE, SINGLE, distance, half_units

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
