"""Findings: what is wrong, where and what to write instead, and a list of them that prints."""

from dataclasses import dataclass
from html import escape

from ...data import shorten


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:    kind: in short, for programs: "cut", "dead relu", ...
             cause: what happens and why, in one sentence.
             place: where: operation, operands, layer, source line.
             fix: what to write instead.
    Example: >>> print(Finding("unused", "w has no part in the output", "w = 2", "use it"))
             w has no part in the output
               where: w = 2
               write: use it
    """

    kind: str
    cause: str
    place: str
    fix: str

    def __str__(self) -> str:
        return f"{self.cause}\n  where: {self.place}\n  write: {self.fix}"


class Diagnosis(tuple[Finding, ...]):
    """The findings, the most telling first; empty, and so false, when all is well.

    Example: >>> diagnosis = Diagnosis()
             >>> diagnosis, bool(diagnosis), len(diagnosis)
             (nothing to report, False, 0)
    """

    __slots__ = ()

    def __str__(self) -> str:
        if not self:
            return "nothing to report"
        return "\n".join(f"{i}. {finding}" for i, finding in enumerate(self, 1))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return the findings as a numbered list, for notebooks."""
        items = "".join(
            f"<li><b>{escape(finding.cause)}</b><br>where: <code>{escape(finding.place)}</code>"
            f"<br>write: {escape(finding.fix)}</li>"
            for finding in self
        )
        return f"<ol>{items}</ol>" if self else "<p>nothing to report</p>"


def listed(names: list[str], limit: int = 4) -> str:
    """Return names as a phrase: "a, b and c", or the first ones and how many more there are.

    Example: >>> listed(["a", "b", "c"]), listed(list("abcdefg"))
             ('a, b and c', 'a, b, c, d and 3 more')
    """
    names = [shorten(name) for name in names]
    if len(names) > limit + 1:
        names = [*names[:limit], f"{len(names) - limit} more"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
