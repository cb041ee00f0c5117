"""draw: a picture of the graph that a Value was computed from, of a network, or of a program."""

from collections import Counter
from collections.abc import Hashable, Iterable
from functools import partial

from ..data import Function, Operand, shorten
from ..errors import DataError, OptionError
from ..explanation.names import Groups
from ..graph import Node, topological_order
from ..messages import with_article
from ..program.program import Program
from ..spellings import explained_call
from .boxes import Arrow, Box, boxes, dot, greatest
from .dot import SHAPES, aligned, lines, new_graph, plain, visible
from .folding import Fold, fold, wires
from .network import draw_network
from .page import page
from .picture import FORMATS, GLYPHS, Legend, Picture

LIMIT = 120
DIRECTIONS = ("LR", "RL", "TB", "BT")
TEXT_WIDTH = 60


@explained_call
def draw(
    root: object,
    x: Operand = None,
    *,
    loss: Function | None = None,
    derivatives: bool = False,
    parameters: Iterable[Node] = (),
    limit: int | None = None,
    rankdir: str = "LR",
) -> Picture:
    """Return a picture of the graph that `root` was computed from, or of a network.

    A box shows label or operation, data and gradient; its colour shows the gradient: blue below 0,
    orange above. Inputs, parameters, constants and results differ in shape. Modules and scopes are
    frames around what they have computed, and are folded if a graph is too large for a page.

    Args:    root: a Value; a network such as nn.MLP, drawn as layers of neurons; or the `program`
             of a compiled function.
             x: of a network: a sample or a batch, whose activations are shown.
             loss: of a network: a function of its output that returns a number, whose gradients
             are shown. None: the sum of the outputs.
             derivatives: show at each arrow the derivative of its head by its tail.
             parameters: Values to show as parameters, in addition to those of the modules.
             limit: the largest number of boxes before any are folded; None: 120. Of a network: the
             largest number of neurons shown of a layer; None: 10.
             rankdir: direction of the graph: "LR" (left to right), "RL", "TB" or "BT".
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
        raise OptionError(f"rankdir={rankdir!r}", "there are four directions", "rankdir='LR'")
    if limit is not None and limit < 1:
        raise OptionError(f"limit={limit!r}", "a picture has at least one box", "limit=120")
    described = getattr(root, "_drawing_", None)
    if described is not None:
        network = described(x)
        if network.columns:
            return draw_network(network, loss, limit)
        root = network.output if loss is None else loss(network.output)
        derivatives, parameters = False, ()
    if isinstance(root, Program):
        return _program(root, limit or LIMIT, rankdir)
    if not isinstance(root, Node):
        raise DataError(
            f"a picture of {shorten(repr(root))}, {with_article(type(root).__name__)}",
            "only Values and networks can be drawn",
            "draw(loss), where loss is a Value; data taken out of one have no graph",
        )
    return _graph(root, derivatives, parameters, limit or LIMIT, rankdir)


@explained_call
def draw_dot(root: object, format: str = "svg", rankdir: str = "LR") -> Picture:
    """Return a picture of a graph, under the name and with the arguments it has in micrograd.

    The picture has `source`, the DOT text, and `render("graph")`, which writes graph.svg, as
    the objects of the package graphviz have; no DOT file is written along with it.

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
            f"format={format!r}", "the formats are " + ", ".join(FORMATS), "format='svg'"
        )
    picture = draw(root, rankdir=rankdir)
    picture.format = format
    return picture


# Graphs


def _graph(
    root: Node, derivatives: bool, parameters: Iterable[Node], limit: int, rankdir: str
) -> Picture:
    order = topological_order(root)
    edges, groups = wires(order), Groups(order, parameters)
    folded = fold(order, edges, groups, limit)
    drawn, arrows = boxes(order, edges, groups, folded, derivatives)
    caption = _caption(order, folded, drawn)
    roles = {box.role for box in drawn}
    shapes = [shape for shape in GLYPHS if shape in roles]
    if any(not box.is_computed for box in drawn):
        shapes.append("not computed")
    return Picture(
        dot(drawn, arrows, rankdir, caption),
        _table(drawn, arrows, caption),
        f"Graph of {visible(str('result' if root.label is None else root.label))}",
        {f"n{i}": box.story for i, box in enumerate(drawn)},
        Legend(shapes, greatest(drawn)),
        # The groups keep the modules alive, and with them their names
        page=partial(page, root, groups=groups),
    )


def _caption(order: list[Node], folded: Fold, drawn: list[Box]) -> list[str]:
    """Return a line about what was folded; no line if nothing was."""
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
        data, gradient = "  ".join(box.details[:-1]), box.details[-1]
        rows.append([shorten(box.name, 40), shorten(what, 32), data, gradient, origin])
    return "\n".join([*aligned(rows), *caption])


# Programs


def _program(program: Program, limit: int, rankdir: str) -> Picture:
    """Return a picture of a program: its steps with their shapes, and their inputs.

    Beyond `limit` steps, equal operations on equal shapes share a box.
    """
    roles = [_role(program, i) for i in range(len(program))]
    keys: list[Hashable] = list(range(len(program)))
    if len(program) > limit:
        keys = [
            (step.primitive or role, step.shape, str(step.dtype))
            for step, role in zip(program.steps, roles, strict=True)
        ]
    counts = Counter(keys)
    number = {key: n for n, key in enumerate(counts)}
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    caption = [f"{len(program):,} steps in {len(counts)} boxes: equal operations on equal shapes "
               "share one"] if len(counts) < len(program) else []  # fmt: skip
    listing = str(program).splitlines()
    graph = new_graph(rankdir, caption)
    for key, n in number.items():
        i, count = first[key], counts[key]
        step = program.steps[i]
        shape, style = SHAPES["several" if count > 1 else roles[i]]
        what = step.primitive.name if step.primitive else roles[i]
        if count > 1:
            label = [f"{count:,} x {what}"]
        elif step.primitive is not None:
            label = [f"%{i}  {what}"]
        else:
            label = [listing[i].split("    ")[0]]
        if step.dtype is not None:
            label.append(f"{step.dtype} {step.shape}")
        graph.node(f"n{n}", lines(label), shape=shape, style=style)
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
    text = "\n".join([*caption, str(dict(program.cost()))] if caption else listing)
    return Picture(str(graph.source), text, "Program", {}, Legend([], 0.0))


def _role(program: Program, i: int) -> str:
    if program.steps[i].primitive is not None:
        return "result"
    if i in program.captured:
        return "parameter"
    return "constant" if i in program.constants else "input"
