"""Judgements on gradients worked out by hand, and the list of them that prints."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from ...data import Data
from ...graph import Node
from ..diagnosis.findings import listed
from .mistakes import Mistake, Verdict

NAMED = 12  # gradients that follow from one mistake and are named


@dataclass(frozen=True, eq=False)
class Judgement:
    """What became of one gradient.

    Args:    node: whose gradient it is.
             name: of the node.
             verdict: right, or which mistake.
             message: the same as a sentence, with numbers.
             given: the gradient that was judged.
             right: the right one.
             mistake: where it was made; None where there is none, or it was made further up.
             causes: of what follows from mistakes further up: the nodes that were judged there.
    """

    node: Node
    name: str
    verdict: Verdict
    message: str
    given: Data
    right: Data
    mistake: Mistake | None = None
    causes: tuple[Node, ...] = ()

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

    It prints, shows itself in notebooks, and is a sequence; `comparison["a"]` is the judgement on
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
        """Say which gradients follow from a mistake; "" if none does."""
        found = [j.name for j in self.judgements if j.causes and j.causes[0] is judgement.node]
        if not found:
            return ""
        return f"everything below follows from this: {listed(found, NAMED)}"

    def __str__(self) -> str:
        lines = []
        for judgement in self.judgements:
            if judgement.verdict is not Verdict.FOLLOWS:
                lines.append(str(judgement))
                lines += [f"  ↳ {text}" for text in [self.followers(judgement)] if text]
        return "\n".join(lines) or "no gradients given"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return the judgements as a table, for notebooks."""
        rows, left = [], "style='text-align:left'"  # where notebooks align to the right
        for judgement in self.judgements:
            text = escape(judgement.message)
            after = self.followers(judgement)
            rows.append(
                f"<tr><td>{judgement.mark}</td>"
                f"<td {left}><code>{escape(judgement.name)}</code></td>"
                f"<td {left}>{escape(judgement.verdict)}</td>"
                f"<td {left}>{text}{f'<br>↳ {escape(after)}' if after else ''}</td></tr>"
            )
        heads = [f"<th {left}>{name}</th>" for name in ("", "value", "verdict", "what it is")]
        return (
            f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )
