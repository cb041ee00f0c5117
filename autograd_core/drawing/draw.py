"""draw: a picture of the graph that a Value was computed from, or of a network."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any

from ..data import shorten
from ..errors import DataError, OptionError
from ..graph import Node, topological_order
from ..program.program import Program, Step
from .boxes import Arrow, Box, boxes, dot, greatest
from .dot import SHAPES, lines, new_graph, plain, visible
from .folding import Fold, Groups, fold, wires
from .network import draw_network
from .page import page
from .picture import FORMATS, GLYPHS, Legend, Picture

LIMIT = 120
DIRECTIONS = ("LR", "RL", "TB", "BT")
TEXT_WIDTH = 60


def draw(
    root: Any,
    x: Any = None,
    *,
    loss: Callable[[Any], Any] | None = None,
    derivatives: bool = False,
    parameters: Iterable[Node] = (),
    limit: int | None = None,
    rankdir: str = "LR",
) -> Picture:
    """Return a picture of the graph that `root` was computed from, or of a network.

    A box shows label or operation, data and gradient; its colour, the gradient: blue below 0,
    orange above. Inputs, parameters, constants and results differ in shape. What modules and
    scopes have computed stands in frames, and is folded where a graph is too large for a page.

    Args:    root: a Value; a network such as nn.MLP, drawn as layers of neurons; or the `program`
             of a compiled function.
             x: of a network: a sample or a batch to compute; its activations are filled in.
             loss: of a network: of its output, a number; whose gradients are filled in. None: the
             sum of the outputs.
             derivatives: write at each arrow the derivative of its head by its tail.
             parameters: Values to show as parameters, beside those of the modules that took part.
             limit: how many boxes there may be before any are folded; None: 120. Of a network: how
             many neurons of a layer; None: 10.
             rankdir: where the graph grows to: "LR" (left to right), "RL", "TB" or "BT".
    Returns: a Picture, which shows itself in notebooks: `draw(loss).save("graph.svg")`.
    Raises:  DataError: neither a Value nor a network. OptionError: limit below 1, or an unknown
             rankdir.
    Example: >>> from autograd_core import Value
             >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
             >>> c = a * b
             >>> c.backward()
             >>> draw(c)
             t1  multiply  data -6  gradient 1   from a, b
             b   input     data -3  gradient 2
             a   input     data 2   gradient -3
    """
    if rankdir not in DIRECTIONS:
        raise OptionError(
            f"rankdir={rankdir!r}", "a graph grows in one of four directions", "rankdir='LR'"
        )
    if limit is not None and limit < 1:
        raise OptionError(f"limit={limit!r}", "a picture has one box at least", "limit=120")
    described = getattr(root, "_drawing_", None)
    if described is not None:
        return _model(described(x), loss, limit, rankdir)
    if isinstance(root, Program):
        return draw_program(root, limit or LIMIT, rankdir)
    if not isinstance(root, Node):
        raise DataError(
            f"a picture of {shorten(repr(root))}, a {type(root).__name__}",
            "what is drawn is how a Value was computed, or a network",
            "draw(loss), where loss is a Value; data taken out of one have no graph",
        )
    return _graph(root, derivatives, parameters, limit or LIMIT, rankdir)


def draw_dot(root: Any, format: str = "svg", rankdir: str = "LR") -> Picture:
    """Return a picture of a graph, under the name and with the arguments it has in micrograd.

    What comes back has `source`, the DOT text, and `render("graph")`, which writes graph.svg, as
    the objects of the package graphviz have; no DOT file is left beside it.

    Args:    root: a Value, or a network.
             format: of `render`: "svg", "png", "pdf", "dot" or "html".
             rankdir: "LR" (left to right) or "TB" (top to bottom).
    Raises:  OptionError: another format or rankdir. DataError: see `draw`.
    Example: >>> from autograd_core import Value
             >>> draw_dot(Value(1.0) + 2.0, rankdir="TB").source.splitlines()[0]
             'digraph {'
    """
    if format not in FORMATS:
        raise OptionError(
            f"format={format!r}", "pictures come as " + ", ".join(FORMATS), "format='svg'"
        )
    picture = draw(root, rankdir=rankdir)
    picture.format = format
    return picture


def _graph(
    root: Node, derivatives: bool, parameters: Iterable[Node], limit: int, rankdir: str
) -> Picture:
    order = topological_order(root)
    edges, groups = wires(order), Groups(order, parameters)
    folded = fold(order, edges, groups, limit)
    drawn, arrows = boxes(order, edges, groups, folded, derivatives)
    caption = _caption(order, folded, drawn)
    named = root.label if root.label is not None else "result"
    roles = {box.role for box in drawn}
    shapes = [shape for shape in GLYPHS if shape in roles]
    if any(not box.is_computed for box in drawn):
        shapes.append("not computed")
    return Picture(
        dot(drawn, arrows, rankdir, caption),
        _table(drawn, arrows, caption),
        f"Graph of {visible(str(named))}",
        {f"n{i}": box.story for i, box in enumerate(drawn)},
        Legend(shapes, greatest(drawn)),
        # The groups hold the modules, which otherwise might be gone, and with them their names
        page=partial(page, root, groups=groups),
    )


def _model(
    described: Any, loss: Callable[[Any], Any] | None, limit: int | None, rankdir: str
) -> Picture:
    """Draw a network as layers; one that is not made of layers in a row, as the graph it makes."""
    if described.columns:
        return draw_network(described, loss, limit)
    output = described.output
    return _graph(output if loss is None else loss(output), False, (), limit or LIMIT, rankdir)


def _caption(order: list[Node], folded: Fold, drawn: list[Box]) -> list[str]:
    """Return what was folded, in a few words; nothing if nothing was."""
    shared = [box for box in drawn if box.role in ("group", "several")]
    if not shared:
        return []
    groups = [box for box in shared if box.role == "group"]
    what = []
    if folded.bands:
        what.append(f"cut into {folded.bands} parts by the number of operations before each node")
    else:
        if groups:
            titles = ", ".join(box.title for box in groups[:6]) + ", ..." * (len(groups) > 6)
            what.append(f"folded into one box each: {titles}")
        if len(shared) > len(groups):
            what.append("operations that repeat share a box")
    shown = sum(box.role != "constant" for box in drawn)
    return [f"{len(order):,} nodes in {shown} boxes; {'; '.join(what)}"]


def _table(drawn: list[Box], arrows: list[Arrow], caption: list[str]) -> str:
    """Return the boxes as a table in plain text, the last result first."""
    sources: dict[int, list[str]] = {}
    for arrow in arrows:
        tail = drawn[arrow.tail]
        sources.setdefault(arrow.head, []).append(tail.name or tail.title)
    rows = []
    for i, box in reversed(list(enumerate(drawn))):
        if box.role == "constant":
            continue
        what = box.role if box.name.endswith(box.title) else box.title
        origin = "from " + shorten(", ".join(sources[i]), TEXT_WIDTH) if i in sources else ""
        rows.append([shorten(box.name, 40), shorten(what, 32), *_cells(box), origin])
    widths = [max(len(row[k]) for row in rows) + 2 for k in range(len(rows[0]))]
    lines = [
        "".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, *caption])


def _cells(box: Box) -> list[str]:
    """Return what is told of a box in two columns: all else, and the gradient."""
    return ["  ".join(box.details[:-1]), box.details[-1]]


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
