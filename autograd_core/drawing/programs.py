"""A picture of a compiled program: its steps with their shapes, and what each is computed from."""

from collections import Counter
from collections.abc import Hashable

from ..program.program import Program, Step
from .dot import SHAPES, lines, new_graph, plain
from .picture import Picture
from .svg import Legend


def draw_program(program: Program, limit: int, rankdir: str) -> Picture:
    """Return a picture of a program; beyond `limit` steps, equal operations share a box.

    Example: >>> from autograd_core import compile, draw
             >>> f = compile(lambda x: x * x + 1.0)
             >>> f(2.0)
             5.0
             >>> print(draw(f.program))
             %0 = argument 0
             %1 = multiply(%0, %0)
             %2 = constant 1.0
             %3 = add(%1, %2)
             return %3
    """
    keys = [_key(program, i, len(program) > limit) for i in range(len(program))]
    counts = Counter(keys)
    number = {key: n for n, key in enumerate(counts)}
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    caption = [f"{len(program):,} steps in {len(counts)} boxes: equal operations on equal shapes "
               "share one"] if len(counts) < len(program) else []  # fmt: skip
    graph = new_graph(rankdir, caption)
    for key, n in number.items():
        step = program.steps[first[key]]
        role = _role(program, first[key])
        shape, style = SHAPES["several" if counts[key] > 1 else role]
        title, detail = _title(program, first[key], counts[key]), _kind(step)
        graph.node(f"n{n}", lines([title, detail] if detail else [title]), shape=shape, style=style)
    arrows = Counter(
        (number[keys[x]], number[keys[i]])
        for i, step in enumerate(program.steps)
        for x in step.inputs
    )
    for (tail, head), strands in arrows.items():
        options = {"label": plain(f"{strands:,}")} if strands > 1 else {}
        graph.edge(f"n{tail}", f"n{head}", **options)
    for place, i in enumerate(program.outputs):
        graph.node(f"out{place}", plain(f"result {place}"), shape="plaintext")
        graph.edge(f"n{number[keys[i]]}", f"out{place}")
    text = str(program) if not caption else f"{caption[0]}\n{dict(program.cost())}"
    return Picture(str(graph.source), text, "Program", {}, Legend([], 0.0))


def _key(program: Program, i: int, shared: bool) -> Hashable:
    step = program.steps[i]
    if not shared:
        return i
    return (step.primitive or _role(program, i), step.shape, str(step.dtype))


def _role(program: Program, i: int) -> str:
    if program.steps[i].primitive is not None:
        return "result"
    return (
        "parameter" if i in program.captured else "constant" if i in program.constants else "input"
    )


def _title(program: Program, i: int, count: int) -> str:
    step = program.steps[i]
    if count > 1:
        return f"{count:,} x {step.primitive.name if step.primitive else _role(program, i)}"
    if step.primitive is not None:
        return f"%{i}  {step.primitive.name}"
    return str(program).splitlines()[i].split("    ")[0] if len(program) < 1000 else f"%{i}"


def _kind(step: Step) -> str:
    return "" if step.dtype is None else f"{step.dtype} {step.shape}"
