"""Boxes: what a picture shows of a node, or of several that share a box; and their DOT text."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from ..data import Array, Operand, Result, shorten
from ..explanation.formulas import expression, local_derivative
from ..explanation.names import Group, Groups, names_of
from ..explanation.notation import short
from ..graph import Node
from .dot import PAPER, SHAPES, UNKNOWN, Digraph, color, lines, new_graph, plain, visible
from .folding import Fold, Wires, between

MISSING = "gradient: not computed"
LISTED = 3  # operations or shapes that are listed; more are counted
DIGITS = 4


class Box(NamedTuple):
    """One box: its text, and how it looks."""

    role: str  # result, parameter, input, constant; group or several if nodes share it
    name: str  # in the table, no two alike
    title: str
    details: list[str]
    group: Group
    gradient: float | None = None  # of greatest magnitude; None: none, or of many nodes
    is_computed: bool = True  # whether there is a gradient
    story: str = ""  # shown when pointed at


class Arrow(NamedTuple):
    """An arrow from one box to another, by their numbers."""

    tail: int
    head: int
    label: str = ""
    passes: bool = True  # whether a gradient flows back along it
    strands: int = 1  # edges that it stands for


def boxes(
    order: list[Node], edges: Wires, groups: Groups, folded: Fold, derivatives: bool
) -> tuple[list[Box], list[Arrow]]:
    """Return the boxes of a graph and the arrows between them.

    Args:    derivatives: write the local derivative at each arrow.
    """
    members: list[list[int]] = [[] for _ in range(int(folded.box.max()) + 1)]
    for i, number in enumerate(folded.box.tolist()):
        members[number].append(i)
    alone = [inside[0] for inside in members if len(inside) == 1]
    names = names_of([order[i] for i in sorted(alone)])
    drawn: list[Box] = []
    taken: Counter[str] = Counter()
    for number, inside in enumerate(members):
        around = groups.all[groups.of[inside[0]]]
        if len(inside) == 1 and number not in folded.groups:
            drawn.append(_single(order[inside[0]], around, groups, names))
            continue
        box = _shared(number, [order[i] for i in inside], around, groups, folded)
        taken[box.name] += 1
        count = taken[box.name]
        drawn.append(box if count == 1 else box._replace(name=f"{box.name} ({count})"))
    tails, heads, counts = between(folded.box, edges)
    arrows: list[Arrow] = []
    for tail, head, count in zip(tails.tolist(), heads.tolist(), counts.tolist(), strict=True):
        if len(members[head]) > 1 or len(members[tail]) > 1:
            arrows.append(Arrow(tail, head, strands=count))
    own = {order[i]: int(folded.box[i]) for i in alone}
    for node, number in own.items():
        for i, x in enumerate(node.inputs):
            if not isinstance(x, Node):
                arrows.append(Arrow(len(drawn), number, passes=False))
                shape, text, around = getattr(x, "shape", ()), in_brief(x), drawn[number].group
                title, details = (f"shape {shape}", [f"data {text}"]) if shape else (text, [])
                drawn.append(Box("constant", "", title, details, around, story="constant"))
            elif x in own:
                local = local_derivative(node, i) if derivatives else None
                label = "" if local is None else in_brief(local)
                passes = node.primitive is not None and node.primitive.rule(i) is not None
                arrows.append(Arrow(own[x], number, label, passes))
    return drawn, arrows


def _single(node: Node, group: Group, groups: Groups, names: dict[Node, str]) -> Box:
    gradient = numbers_of(node._gradient)
    name = names[node]
    operation = node.primitive.name if node.primitive else ""
    has_names = all(x in names and x.label for x in node.inputs if isinstance(x, Node))
    formula = expression(node, names) if operation and has_names else ""
    role = "result" if operation else "parameter" if node in groups.parameters else "input"
    title = operation or groups.parameters.get(node, role)
    if node.label is not None:
        title = shorten(name, 40)
        if operation:
            title += f" = {formula}" if formula and len(formula) < 40 else f" ({operation})"
    details = [f"data {in_brief(node._data)}"]
    details.append(MISSING if gradient is None else f"gradient {in_brief(gradient)}")
    if node.shape:
        details.insert(0, f"shape {node.shape}")
    story = f"{name}: {operation or role}" + (f" = {formula}" if formula else "")
    if node.params:
        story += ", " + ", ".join(f"{k}={shorten(repr(v))}" for k, v in node.params.items())
    return Box(role, name, title, details, group, largest(gradient), gradient is not None, story)


def _shared(number: int, nodes: list[Node], around: Group, groups: Groups, folded: Fold) -> Box:
    """Return the box of a folded group, of a band of the graph, or of nodes that do the same."""
    group = folded.groups.get(number)
    parameters = [node for node in nodes if node in groups.parameters]
    operations = Counter(node.primitive.name for node in nodes if node.primitive is not None)
    details = []
    if group is not None:
        title, around = group.title, group.parent or group
        inner = Counter(each.name for each in group.inner.values())
        details = [f"{count:,} x {name}" for name, count in inner.most_common(LISTED)]
        if parameters:
            size = sum(numbers_of(node._data).size for node in parameters)
            shapes = list(dict.fromkeys(str(node.shape) for node in parameters if node.shape))
            listed = ", ".join(shapes[:LISTED] + ["..."] * (len(shapes) > LISTED))
            details.append(f"{size:,} parameters" + (f" in {listed}" if listed else ""))
    elif folded.bands:
        title, around = f"part {number + 1} of {folded.bands}", groups.all[0]
    elif nodes[0].primitive is None:
        title = f"{len(nodes):,} {'parameters' if nodes[0] in groups.parameters else 'inputs'}"
    else:
        title = f"{len(nodes):,} x {nodes[0].primitive.name}"
    if len(operations) > 1 or (operations and group):  # else it is the title
        most = [f"{count:,} {name}" for name, count in operations.most_common(LISTED)]
        most += ["..."] * (len(operations) > LISTED)
        details += [f"{sum(operations.values()):,} operations:", ", ".join(most)]
    elif group is None:
        details.append(f"data {in_brief(_together([node._data for node in nodes]))}")
    gradients = [node._gradient for node in parameters or nodes if node._gradient is not None]
    if gradients:
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(_together(gradients)))
        details.append(f"gradient norm {short(norm, DIGITS)}")
    else:
        details.append(MISSING)
    story = f"{title}: {len(nodes):,} nodes"
    if labels := [str(node.label) for node in nodes if node.label is not None]:
        story += f", among them {', '.join(shorten(label, 20) for label in labels[:LISTED])}"
    role = "several" if group is None else "group"
    name = f"{around.title} / {title}" if group and around.title else title
    return Box(role, name, title, details, around, None, bool(gradients), story)


def _together(data: list[Operand]) -> Array:
    """Return all numbers of floats, arrays and nodes as one array."""
    numbers = [x for x in data if type(x) is float]
    arrays = [numbers_of(x).ravel() for x in data if type(x) is not float]
    return np.concatenate([np.array(numbers, float), *arrays])


def numbers_of(data: Operand) -> Result:
    """Return data, or a gradient that may itself be a node, as an array; None stays None."""
    return None if data is None else np.asarray(getattr(data, "_data", data))


def largest(gradient: Operand) -> float | None:
    """Return the number of greatest magnitude, with its sign; nan or inf if there is one."""
    if gradient is None or not gradient.size:
        return None
    wrong = gradient[~np.isfinite(gradient)]
    flat = wrong if wrong.size else gradient
    return float(flat.flat[np.abs(flat).argmax()])


def in_brief(data: Operand) -> str:
    """Return a number, or the range of an array, as short text.

    Example: >>> in_brief(2.0), in_brief(np.array([1.0, 0.25, np.nan]))
             ('2', '0.25 ... 1, 1 nan')
    """
    data = np.asarray(data)
    if data.ndim == 0:
        return short(float(data), DIGITS)
    wrong = np.isnan(data)
    rest = data[~wrong]
    parts = []
    if rest.size:
        least, most = short(float(rest.min()), DIGITS), short(float(rest.max()), DIGITS)
        parts.append(least if least == most else f"{least} ... {most}")
    if wrong.any():
        parts.append(f"{wrong.sum():,} nan")
    return ", ".join(parts) or "empty"


# DOT text


def dot(drawn: list[Box], arrows: list[Arrow], rankdir: str, caption: list[str]) -> str:
    """Return the DOT text of a picture."""
    graph = new_graph(rankdir, caption)
    inside: dict[Group, list[int]] = {}
    around: dict[Group, list[Group]] = {}
    for i, box in enumerate(drawn):
        inside.setdefault(box.group, []).append(i)
        group = box.group
        while group.parent is not None and group not in around.get(group.parent, []):
            around.setdefault(group.parent, []).append(group)
            group = group.parent
    _fill(graph, drawn[0].group.at(0), drawn, inside, around, greatest(drawn))
    for arrow in arrows:
        options = {} if arrow.passes else {"style": "dashed", "arrowhead": "empty"}
        if arrow.strands > 1:
            options["penwidth"] = f"{min(1 + 0.5 * np.log10(arrow.strands), 3):.1f}"
        if arrow.label:
            options["label"] = plain(arrow.label)
        graph.edge(f"n{arrow.tail}", f"n{arrow.head}", **options)
    return str(graph.source)


def greatest(drawn: list[Box]) -> float:
    """Return the magnitude of the greatest finite gradient that has a colour."""
    gradients = [box.gradient for box in drawn if box.gradient is not None]
    return max([abs(g) for g in gradients if np.isfinite(g)], default=0.0)


def _fill(
    graph: Digraph,
    group: Group,
    drawn: list[Box],
    inside: dict[Group, list[int]],
    around: dict[Group, list[Group]],
    most: float,
) -> None:
    """Draw the boxes of a group and the groups in it, which nest only a few levels deep."""
    for i in inside.get(group, []):
        box = drawn[i]
        shape, style = SHAPES[box.role]
        fill = PAPER if box.gradient is None else color(box.gradient, most)
        if not box.is_computed:
            fill, style = UNKNOWN, f"{style},dashed"
        room = " " * (len(box.title) // 14)  # bold letters are wider than Graphviz knows
        graph.node(
            f"n{i}",
            lines([room + visible(box.title) + room, *box.details]),
            shape=shape,
            style=style,
            peripheries="2" if box.role == "several" else "1",
            fillcolor=fill,
            **{"class": box.role if box.is_computed else f"{box.role} unknown"},
        )
    for each in around.get(group, []):
        with graph.subgraph(name=f"cluster_{each.number}") as cluster:
            cluster.attr(label=plain(each.title), labelloc="t", style="rounded,filled")
            cluster.attr(fillcolor="#f3f3f6", color="#b9b9c4")
            _fill(cluster, each, drawn, inside, around, most)
