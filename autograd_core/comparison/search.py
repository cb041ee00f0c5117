"""The search for the mistake that was made: of all that are known, the one that explains most."""

from collections.abc import Iterator

import numpy as np

from ..data import Data, Result, shape_of
from ..graph import Node
from .backward_pass import BackwardPass
from .mistakes import Mistake, Verdict, mistakes_at
from .precision import SINGLE, Precision

STEPS = 100_000  # of sweeps: in large graphs, only the nearest and last nodes are tried
CERTAIN = 0.1  # share of the tolerance within which a mistake explains a gradient
EQUAL = 1e-4  # the same for two mistakes that give the same number but for rounding
COMPARED = 30  # mistakes that give the same number, and gradients they are then ranked by


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

    def explain(self, node: Node) -> tuple[Mistake, dict[Node, Data]] | None:
        """Return the mistake that explains a wrong gradient best; None if none explains it.

        Of those that give the same number, it is the one that explains most of the other
        gradients, too; of those, the nearest.

        Returns: the mistake, and by how much it changes each gradient of the graph; {} if the
                 gradient has another shape than its node.
        """
        apart, carried = self.precision.apart, self.precision.carried(node)
        found = [
            (apart(node, value), value, step, mistake)
            for value, step, mistake in self._candidates(node)
        ]
        if self.precision.rtol >= SINGLE or self.precision.is_rounded(node):
            equal = [each[1:] for each in found if apart(node, each[1], carried) <= 1]
        else:
            nearest = min([each[0] for each in found], default=np.inf)
            limit = min(max(10 * nearest, EQUAL), CERTAIN)
            equal = [each[1:] for each in found if each[0] <= limit]
        # Doubling the whole gradient is the least specific: a mean or a factor of 2 is likelier
        equal.sort(
            key=lambda each: (
                apart(node, each[0]) > 1,
                each[2].key[::2] == (Verdict.DOUBLED, ()),
                each[1],
            )
        )
        ranked = [(mistake, self._effect(mistake)) for _, _, mistake in equal[:COMPARED]]
        wrong = self.work.overwritten
        if apart(node, wrong[node]) <= CERTAIN:
            last = tuple(self.work.uses[node][-1:])
            mistake = Mistake(Verdict.OVERWRITTEN, node, last, wrong[node], everywhere=True)
            ranked.append((mistake, {n: wrong[n] - self.work.now[n] for n in self.work.order}))
        return max(ranked, key=lambda each: self._score(each[0], each[1], node), default=None)

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
                for path, part in paths:
                    yield total - part, 0, Mistake(Verdict.MISSING, node, path, total - part)
                    yield total + part, 0, Mistake(Verdict.DOUBLED, node, path, total + part)

    def _effect(self, mistake: Mistake) -> dict[Node, Data]:
        x = mistake.node
        if shape_of(mistake.gradient) != x.shape:
            return {}
        return self.work.effect(x, mistake.gradient - self.work.now[x])

    def _score(self, mistake: Mistake, effect: dict[Node, Data], node: Node) -> int:
        """Return how many more of the other gradients a mistake explains than no mistake does.

        A mistake that was found before explains more than any new one.
        """
        score = COMPARED if mistake.key in self.found else 0
        others = [n for n in self.given if n is not node and n not in self.work.settled]
        for other in sorted(others, key=lambda n: -n.index)[:COMPARED]:
            if (delta := effect.get(other)) is not None:
                now = self.work.now[other]
                score += (self.precision.apart(other, now + delta) <= 1) - (
                    self.precision.apart(other, now) <= 1
                )
        return score
