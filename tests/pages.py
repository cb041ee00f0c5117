"""Running the Python of a page: blocks from top to bottom, in one namespace, with promises kept."""

import ast
import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from textwrap import dedent
from typing import Any

# A block of Python, and the block of text right behind it, if there is one
BLOCK = re.compile(
    r"^( *)```python[^\n]*\n(.*?)^\1```\n(?:\n\1```text\n(.*?)^\1```)?", re.MULTILINE | re.DOTALL
)
RESULT = re.compile(r"  # ([-\d\[({].*)$")


def blocks(text: str) -> list[str]:
    """Return the blocks of Python in a page, indented ones included."""
    return [dedent(match[2]) for match in BLOCK.finditer(text)]


def statements(block: str, namespace: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Run a block; yield what each statement printed, what it gave, and what its comment says."""
    lines = block.splitlines()
    for statement in ast.parse(block).body:
        source = ast.unparse(statement)
        given = ""
        with redirect_stdout(io.StringIO()) as printed:
            if isinstance(statement, ast.Expr):
                given = str(eval(source, namespace))
            else:
                exec(source, namespace)
        promise = RESULT.search(lines[statement.end_lineno - 1])
        yield printed.getvalue(), given, promise[1] if promise else ""


def squeezed(text: str) -> str:
    """Return a text without its spaces and line ends."""
    return re.sub(r"\s+", "", text)


def keeps_its_promises(text: str) -> int:
    """Run a page, hold what it gives to what it says, and return how many comments said so.

    A comment that begins with a number or a bracket says what its line prints or gives; a block of
    text right behind a block of Python, all that it prints.
    """
    namespace: dict[str, Any] = {"__name__": "page"}
    kept = 0
    for _, block, shown in BLOCK.findall(text):
        everything = ""
        for printed, given, promise in statements(dedent(block), namespace):
            everything += printed
            if promise:
                kept += 1
                said = squeezed(printed or given)
                assert said, promise
                assert squeezed(promise).startswith(said), (said, promise)
        if shown and everything:
            assert squeezed(dedent(shown)) == squeezed(everything), everything
    return kept
