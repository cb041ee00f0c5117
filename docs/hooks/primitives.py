"""A hook that lists what works for each primitive where a page says `<!-- primitives -->`."""

import re
from importlib import resources
from typing import Any

from autograd_core import Primitive
from autograd_core.explanation.formulas import SYNTAX
from autograd_core.primitives import elementwise
from autograd_core.program.batching_rules import RULES, TABLE, from_facts
from autograd_core.program.expansion import EXPANSIONS, MOVING
from autograd_core.program.fusion import LOOPS
from autograd_core.program.scalar_program import CODES
from nn.integrations.onnx_operators import OPERATORS

MARK = "<!-- primitives -->"
COLUMNS = ("derivative", "buffer", "numbers", "loop", "batch", "formula", "page", "ONNX")
YES, NO = "✓", "-"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with the mark replaced by the table."""
    return markdown.replace(MARK, table()) if MARK in markdown else markdown


def primitives() -> list[Primitive]:
    """Return the primitives of the library, in the order of their files."""
    found = [p for module in TABLE for p in vars(module).values() if isinstance(p, Primitive)]
    return list(dict.fromkeys(found))


def page_kernels() -> set[str]:
    """Return the names of what the page computes itself."""
    script = resources.files("autograd_core.drawing").joinpath("page_numbers.js").read_text("utf-8")
    [block] = re.findall(r"const kernels = \{\n(.*?)\n\};", script, re.DOTALL)
    return set(re.findall(r"^  (\w+)[:,]", block, re.MULTILINE))


def works(primitive: Primitive) -> dict[str, str]:
    """Return what works for a primitive, for each of `COLUMNS`."""
    is_known = primitive.name in page_kernels() or primitive.composed is not None
    by_name = primitive in CODES or primitive in MOVING or primitive in EXPANSIONS
    is_own = primitive in RULES and from_facts(primitive) is not RULES[primitive]
    in_onnx = YES if primitive.name in OPERATORS else NO
    in_batch = RULES[primitive].__name__ != "one_by_one"
    return {
        "derivative": _inputs(primitive),
        "buffer": YES if primitive.into else NO,
        "numbers": YES if by_name else NO,
        "loop": YES if primitive in LOOPS else NO,
        "batch": ("own rule" if is_own else YES) if in_batch else "one by one",
        "formula": "own notation" if primitive.name in SYNTAX else YES,
        "page": YES if is_known and primitive in vars(elementwise).values() else NO,
        "ONNX": "composed" if in_onnx == NO and primitive.composed else in_onnx,
    }


def _inputs(primitive: Primitive) -> str:
    """Return by which inputs a primitive is differentiated."""
    if primitive.each:
        return "all"
    inputs = [name for name, rule in zip("xyz", primitive.rules, strict=False) if rule]
    return ", ".join(inputs) if inputs else "0"


def table() -> str:
    """Return the table in Markdown."""
    lines = [f"| primitive | {' | '.join(COLUMNS)} |", "|---|" + "---|" * len(COLUMNS)]
    for primitive in primitives():
        cells = works(primitive)
        lines.append(f"| `{primitive.name}` | {' | '.join(cells[name] for name in COLUMNS)} |")
    return "\n".join(lines)
