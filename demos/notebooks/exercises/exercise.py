"""One exercise of the course: it checks an answer, gives a hint, and shows a solution."""

from collections.abc import Callable
from typing import Any

from .answers import Misread, plain, shown


class Reply(str):
    """What an exercise says; a notebook shows it as text, and it is true if the answer is right."""

    is_right: bool

    def __new__(cls, text: str, is_right: bool = False) -> "Reply":
        """Make a reply of a text."""
        reply = super().__new__(cls, text)
        reply.is_right = is_right
        return reply

    def __bool__(self) -> bool:
        return self.is_right

    def __repr__(self) -> str:
        return str(self)


class Exercise:
    """A question whose answer can be checked.

    Args:    mistake: takes the answer, and returns what is wrong with it in one or two sentences;
             None if it is right.
             hint: one sentence, which tells where to look and not what to find.
             solution: the answer, as text or as Python code, and why.
             reads: takes the answer in any form, and returns it as `mistake` takes it; one of the
             functions of `answers`.
    Example: >>> double = Exercise(
             ...     lambda answer: None if answer == 6 else f"{answer} is not twice 3",
             ...     hint="Twice a number is the number plus itself.",
             ...     solution="3 + 3 = 6",
             ... )
             >>> double.check(5)
             Not yet: 5 is not twice 3.
             Hint: Twice a number is the number plus itself.
             >>> double.check(6)
             Right.
    """

    def __init__(
        self,
        mistake: Callable[[Any], str | None],
        hint: str,
        solution: str,
        reads: Callable[[Any], Any] = plain,
    ) -> None:
        self._mistake = mistake
        self._reads = reads
        self._hint = hint
        self._solution = solution

    def check(self, answer: Any) -> Reply:
        """Say whether the answer is right, and if not, what is wrong."""
        if _is_open(answer):
            return Reply("Your turn: replace the three dots by your answer.")
        try:
            mistake = self._mistake(self._reads(answer))
        except Misread as error:
            mistake = str(error)
        except Exception:  # noqa: BLE001 - a learner's answer may fail in any way
            what = "what the function returns" if callable(answer) else shown(answer)
            mistake = f"{what} has not the form that is asked for"
        if mistake is None:
            return Reply("Right.", is_right=True)
        mistake = mistake if mistake.endswith("?") else f"{mistake.rstrip('.')}."
        return Reply(f"Not yet: {mistake}\nHint: {self._hint}")

    def hint(self) -> Reply:
        """Give the hint."""
        return Reply(self._hint)

    def solution(self) -> Reply:
        """Show a solution."""
        return Reply(self._solution)


def _is_open(answer: Any) -> bool:
    """Tell whether an answer, or all of its parts, are still three dots."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list | tuple):
        return bool(answer) and all(_is_open(part) for part in answer)
    return answer is ...
