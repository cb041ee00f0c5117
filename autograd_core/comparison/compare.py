"""compare_gradients: what is wrong with a gradient worked out by hand."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from ..data import Data, Operand, as_data, shape_of, shorten
from ..errors import DataError, OptionError, ShapeError
from ..graph import Node, plain
from ..messages import listed
from ..spellings import explained_call
from ..value import Value
from .backward_pass import BackwardPass
from .mistakes import Mistake, Search, Verdict
from .precision import Precision
from .wording import Wording

NAMED = 12  # gradients that follow from one mistake and are named


@dataclass(frozen=True, eq=False)
class Judgement:
    """The result for one gradient.

    Args:    node: the Value whose gradient it is.
             name: of the node.
             verdict: right, or the kind of mistake.
             message: the same as a sentence, with numbers.
             given: the gradient that was compared.
             right: the right one.
             mistake: the mistake; None if there is none, or it was made further up.
             causes: if it follows from mistakes further up: the nodes where they were found.
             steps: if the mistake is not known: the terms of the right gradient, from the last
             gradient above that was given.
    """

    node: Node
    name: str
    verdict: Verdict
    message: str
    given: Data
    right: Data
    mistake: Mistake | None = None
    causes: tuple[Node, ...] = ()
    steps: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether the gradient is right but for rounding."""
        return self.verdict is Verdict.RIGHT

    @property
    def mark(self) -> str:
        """The verdict as one character: right, following from a mistake further up, wrong."""
        return {Verdict.RIGHT: "✓", Verdict.FOLLOWS: "↳"}.get(self.verdict, "✗")

    def __str__(self) -> str:
        return f"{self.mark} {self.name}: {self.message}"


class Comparison:
    """The judgements on all given gradients, from the output backward.

    It prints, is a table in notebooks, and is a sequence; `comparison["a"]` is the judgement on
    the value of that name.

    Args:    judgements: in backward order.
    """

    def __init__(self, judgements: list[Judgement]) -> None:
        self.judgements = judgements

    @property
    def all_right(self) -> bool:
        """Whether no gradient is wrong."""
        return all([judgement.is_right for judgement in self.judgements])

    def __iter__(self) -> Iterator[Judgement]:
        return iter(self.judgements)

    def __len__(self) -> int:
        return len(self.judgements)

    def __getitem__(self, key: int | str | Node) -> Judgement:
        if isinstance(key, int):
            return self.judgements[key]
        for judgement in self.judgements:
            if key is judgement.node or (isinstance(key, str) and key == judgement.name):
                return judgement
        raise KeyError(key)

    def followers(self, judgement: Judgement) -> str:
        """Return a sentence with the gradients that follow from a mistake; "" if none does."""
        found = [j.name for j in self.judgements if j.causes and j.causes[0] is judgement.node]
        return f"everything below follows from this: {listed(found, NAMED)}" if found else ""

    def __str__(self) -> str:
        lines = []
        for judgement in self.judgements:
            if judgement.verdict is not Verdict.FOLLOWS:
                lines.append(str(judgement))
                lines += [f"    {step}" for step in judgement.steps]
                lines += [f"  ↳ {text}" for text in [self.followers(judgement)] if text]
        return "\n".join(lines) or "no gradients given"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the judgements as a table, for notebooks."""
        rows, left = [], "style='text-align:left'"  # notebooks align to the right
        for judgement in self.judgements:
            after = self.followers(judgement)
            steps = "".join([f"<br><code>{escape(step)}</code>" for step in judgement.steps])
            rows.append(
                f"<tr><td>{judgement.mark}</td>"
                f"<td {left}><code>{escape(judgement.name)}</code></td>"
                f"<td {left}>{escape(judgement.verdict)}</td>"
                f"<td {left}>{escape(judgement.message)}{steps}"
                f"{f'<br>↳ {escape(after)}' if after else ''}</td></tr>"
            )
        heads = [f"<th {left}>{name}</th>" for name in ("", "value", "verdict", "what it is")]
        return (
            f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


@explained_call
def compare_gradients(
    output: Value, gradients: dict[Any, Operand], *, rtol: float | None = None
) -> Comparison:
    """Compare gradients worked out by hand with the right ones, and name the mistake in each.

    Every mistake that can be made in one place (a sign, a path, a factor, a mean, a transpose, a
    broadcast) is tried on the recorded graph; the one that gives the learner's number is named.
    Gradients that are right except for a mistake further up are reported as following from it.

    Args:    output: the Value that is differentiated, one number.
             gradients: d output / d value by Value or label, for any values of the graph; a number
             for an array counts for all its elements.
             rtol: tolerance for rounding, relative to a gradient's contributions; None: 1e-5, and
             1e-4 with float32. Numbers of up to 6 digits may differ by half a unit of the last,
             and by what rounded earlier steps add to that.
    Returns: a judgement on each, from the output backward: `verdict`, `message`, `is_right`.
    Raises:  DataError: the output is not a Value; a gradient is NaN or not numbers. ShapeError: the
             output is not a single number. OptionError: a label or Value that the graph does not
             have, or has twice; gradients are not a dict; rtol is not between 0 and 1.
    Example: >>> from autograd_core import Value
             >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
             >>> c, d = a * b, a + b
             >>> c.label, d.label = "c", "d"
             >>> L = c * d
             >>> L.label = "L"
             >>> compare_gradients(L, {"d": 6.0, "a": 6.0})
             ✓ d: dL/dd is right
             ✗ a: you took dL/da through d only; the path through c adds 15; you gave 6, it is 21
    """
    if not isinstance(output, Node):
        raise DataError(
            f"compare_gradients of {shorten(repr(output))}",
            "only a Value records how it was computed",
            "compare_gradients(loss, {...}) with the Value that is differentiated",
        )
    if np.size(output._data) != 1:
        raise ShapeError(
            f"compare_gradients of an output of shape {output.shape}",
            "it has several numbers, and each could be differentiated",
            "compare_gradients(output.sum(), {...}), or (output * weights).sum()",
        )
    work = BackwardPass(output)
    if rtol is not None and not 0 < rtol < 1:
        raise OptionError(f"rtol={rtol!r}", "it is a share of a gradient", "rtol=1e-5, or None")
    given = _checked(work, gradients)
    with np.errstate(all="ignore"):
        judge = _Judge(work, given, rtol)
        return Comparison([judge.judged(node) for node in sorted(given, key=lambda n: -n.index)])


class _Judge:
    """Judges gradients from the output backward, and continues with the learner's mistakes."""

    def __init__(self, work: BackwardPass, given: dict[Node, Data], rtol: float | None) -> None:
        self.work = work
        self.given = given
        self.precision = Precision(work, given, rtol)
        self.search = Search(work, given, self.precision)
        self.wording = Wording(work)
        self.effects: list[tuple[Node, dict[Node, Data]]] = []  # of mistakes, by where found

    def judged(self, node: Node) -> Judgement:
        """Return the judgement on a node; those on the nodes above come first."""
        work, h, apart = self.work, self.given[node], self.precision.apart
        right = work.right[node]
        if not np.isfinite(right).all() and not np.array_equal(h, right):
            work.settled.add(node)
            return self._judgement(node, Verdict.UNDEFINED, self.wording.undefined(node))
        if apart(node, right) <= 1:
            if work.now[node] is not right:
                work.settle(node, right)
            work.settled.add(node)
            return self._judgement(node, Verdict.RIGHT, self.wording.right(node, h))
        if apart(node, work.now[node], self.precision.carried(node)) <= 1:
            causes = [cause for cause, effect in self.effects if np.any(effect.get(node, 0.0))]
            if self.precision.is_by_hand:
                work.settle(node, h)
            work.settled.add(node)
            if not causes:  # earlier steps were rounded
                return self._judgement(node, Verdict.RIGHT, self.wording.right(node, h))
            message = self.wording.follows(node, causes)
            return self._judgement(node, Verdict.FOLLOWS, message, causes=tuple(causes))
        return self._explained(node)

    def _explained(self, node: Node) -> Judgement:
        """Judge a gradient that has a mistake of its own, and continue with that mistake."""
        work, h = self.work, self.given[node]
        found, wording = self.search.explain(node), self.wording
        if found is None and work.now[node] is not work.right[node]:
            # The learner may have continued with right gradients instead of those given
            search, wording = copy(self.search), copy(self.wording)
            search.work = wording.work = copy(work)
            search.work.now = dict(work.right)
            found = search.explain(node)
        if found is None:
            if shape_of(h) != node.shape:
                return self._judgement(node, Verdict.SHAPE, self.wording.wrong_shape(node, h))
            message, steps = self.wording.unexplained(node, h), self.wording.steps(node)
            self.effects.append((node, work.settle(node, h)))
            return self._judgement(node, Verdict.UNEXPLAINED, message, steps=steps)
        mistake, effect, others = found
        if (cause := self.search.found.get(mistake.key)) is not None:
            message = self.wording.follows(node, [cause])
            return self._judgement(node, Verdict.FOLLOWS, message, causes=(cause,))
        self.search.found[mistake.key] = node
        message = wording.explanation(mistake, node, h, others)
        if shape_of(h) == node.shape:  # else what is below may follow from it in its own shape
            work.change(effect)
            changes = work.settle(node, h)
            effect = effect | {n: effect.get(n, 0.0) + d for n, d in changes.items()}
            self.effects.append((node, effect))
        return self._judgement(node, mistake.verdict, message, mistake)

    def _judgement(
        self,
        node: Node,
        verdict: Verdict,
        message: str,
        mistake: Mistake | None = None,
        causes: tuple[Node, ...] = (),
        steps: tuple[str, ...] = (),
    ) -> Judgement:
        name, right, h = self.wording.names[node], self.work.right[node], self.given[node]
        return Judgement(node, name, verdict, message, h, right, mistake, causes, steps)


def _checked(work: BackwardPass, gradients: object) -> dict[Node, Data]:
    """Return the given gradients by node, as numbers."""
    if not isinstance(gradients, dict):
        raise OptionError(
            f"gradients={shorten(repr(gradients))}",
            "each gradient needs the value that it belongs to",
            '{"a": 2.0, w: array}, by label or Value',
        )
    labelled: dict[str | None, list[Node]] = {}
    for node in work.order:
        labelled.setdefault(node.label, []).append(node)
    given: dict[Node, Data] = {}
    for key, gradient in gradients.items():
        node = _node(work, labelled, key)
        if node in given:
            raise OptionError(
                f"two gradients for {_called(key)}", "one value has one gradient", "one of them"
            )
        data = as_data(plain(gradient))
        if np.isnan(data).any():
            raise DataError(
                f"a gradient for {_called(key)} with NaN",
                "NaN is neither right nor wrong",
                "the gradient without it; detect_anomaly() finds where a NaN begins",
            )
        if node.shape and not shape_of(data):
            data = np.full(node.shape, data)
        given[node] = data
    return given


def _node(work: BackwardPass, labelled: dict[str | None, list[Node]], key: Any) -> Node:
    """Return the node of the graph that a key names."""
    if isinstance(key, Node):
        if key in work.right:
            return key
        why = "the output was not computed from this Value"
        fix = "a Value of its graph; a = a + 1 makes a new Value and leaves the old one behind"
        raise OptionError(f"a gradient for {_called(key)}", why, fix)
    found = [] if key is None else labelled.get(key, [])
    if len(found) == 1:
        return found[0]
    if found:
        why = f"{len(found)} values of the graph have that label"
        fix = "the Value itself instead of its label"
    else:
        labels = listed([str(label) for label in labelled if label] or ["none"])
        why = f"no value of the graph has that label; it has {labels}"
        fix = "one of these labels, or the Value itself"
    raise OptionError(f"a gradient for {_called(key)}", why, fix)


def _called(key: object) -> str:
    if not isinstance(key, Node):
        return shorten(repr(key))
    name = key.label or "a Value"
    return f"{name} of shape {key.shape}" if key.shape else f"{name} = {key._data:.6g}"
