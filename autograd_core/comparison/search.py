"""The search for the mistake that was made: of all that are known, the one that explains most."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..data import Data, Result, shape_of
from ..graph import Node
from .backward_pass import BackwardPass
from .mistakes import COPIED, Mistake, Verdict, mistakes_at
from .precision import SINGLE, Precision

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
            found = [
                each
                for each in found
                if apart(node, each[1], carried * times_as_large(each[1], now)) <= limit
            ]
        found.sort(key=lambda each: (each[0] > 1, each[3].cost + 0.5 * each[2]))
        ranked = [
            (self._score(mistake, effect := self._effect(mistake), node), mistake, effect)
            for _, _, _, mistake in found[:COMPARED]
        ]
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
                        passed = self.work.effect(x, delta, among).get(node, 0.0)
                    else:
                        passed = delta * unit
                    yield self.work.now[node] + passed, step, mistake
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

    def _effect(self, mistake: Mistake) -> dict[Node, Data]:
        x = mistake.node
        if shape_of(mistake.gradient) != x.shape:
            return {}
        return self.work.effect(x, mistake.gradient - self.work.now[x])

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
