"""DOT text: boxes, arrows and groups as Graphviz takes them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .boxes import Arrow, Box
from .groups import Group
from .rendering import graphviz

FONT = "Helvetica"  # whose widths Graphviz knows
INK, LINE, PAPER = "#1b1b1f", "#6b6b76", "#ffffff"
# Blue and orange are told apart by nearly everyone who does not see all colours
NEGATIVE, ZERO, POSITIVE = (92, 165, 230), (255, 255, 255), (255, 160, 66)
FAULTY = "#ffe45c"  # nan or inf
UNKNOWN = "#e4e4ea"  # no gradient yet
FAINTEST = 0.12  # of a gradient that is not 0
SHAPES = {
    "result": ("box", "rounded,filled"),
    "parameter": ("octagon", "filled"),
    "input": ("ellipse", "filled"),
    "constant": ("note", "filled"),
    "group": ("folder", "filled"),
    "several": ("box", "filled"),
}


def color(x: float, most: float) -> str:
    """Return blue for negative, white for 0 and orange for positive numbers, deep at `most`.

    Depth grows with the square root, so that small numbers show.

    Example: >>> color(0.0, 2.0), color(2.0, 2.0), color(-2.0, 2.0)
             ('#ffffff', '#ffa042', '#5ca5e6')
    """
    if not np.isfinite(x):
        return FAULTY
    depth = max(FAINTEST, min(1.0, abs(x) / most) ** 0.5) if x else 0.0
    end = POSITIVE if x > 0 else NEGATIVE
    mixed = [round(z + depth * (e - z)) for z, e in zip(ZERO, end, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)


def plain(text: str) -> str:
    """Return text as a label that shows it as it is: no escapes, entities or markup.

    Example: >>> print(plain("<b> & c"))
             <b> &amp; c
    """
    return lines([text])


def visible(text: str) -> str:
    """Return text in one line, without the characters that XML or a screen cannot show."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def lines(parts: Iterable[str], align_left: bool = False) -> str:
    """Return lines as one label."""
    library = graphviz()
    escaped = [str(library.escape(visible(part).replace("&", "&amp;"))) for part in parts]
    text = "".join(f"{line}\\l" for line in escaped) if align_left else "\\n".join(escaped)
    label: str = library.nohtml(text)  # not even if it begins with < and ends with >
    return label


def new_graph(rankdir: str, caption: list[str]) -> Any:
    """Return a Digraph with the looks of all pictures."""
    graph = graphviz().Digraph()
    graph.attr(rankdir=rankdir, fontname=FONT, fontsize="11", fontcolor=INK, bgcolor=PAPER)
    graph.attr(labeljust="l", nodesep="0.18", ranksep="0.35")
    graph.attr("node", fontname=FONT, fontsize="11", fontcolor=INK, color=LINE, fillcolor=PAPER)
    graph.attr("node", margin="0.08,0.05", height="0.2", width="0.3")
    graph.attr("edge", fontname=FONT, fontsize="9", fontcolor=INK, color=LINE, arrowsize="0.6")
    if caption:
        graph.attr(label=lines(caption, align_left=True), labelloc="b")
    return graph


def dot(drawn: list[Box], arrows: list[Arrow], rankdir: str, caption: list[str]) -> str:
    """Return the DOT text of a picture."""
    graph = new_graph(rankdir, caption)
    most = greatest(drawn)
    inside: dict[Group, list[int]] = {}
    around: dict[Group, list[Group]] = {}
    for i, box in enumerate(drawn):
        inside.setdefault(box.group, []).append(i)
        group = box.group
        while group.parent is not None and group not in around.get(group.parent, []):
            around.setdefault(group.parent, []).append(group)
            group = group.parent
    _fill(graph, drawn[0].group.at(0), drawn, inside, around, most)
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
    return max(
        (abs(b.gradient) for b in drawn if b.gradient is not None and np.isfinite(b.gradient)),
        default=0.0,
    )


def _fill(
    graph: Any,
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
        graph.node(
            f"n{i}",
            lines([_bold(box.title), *box.details]),
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


def _bold(title: str) -> str:
    """Return a title with room at both ends: bold letters are wider than Graphviz knows."""
    room = " " * (len(title) // 14)
    return room + visible(title) + room
