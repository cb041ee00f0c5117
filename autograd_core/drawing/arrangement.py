"""Where the boxes of the step-through page stand, for each way of folding its groups.

The page holds no layout code: Graphviz has placed the boxes beforehand, in as many ways of folding
as are likely to be wanted.
"""

import json
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from typing import Any

from .groups import Groups
from .rendering import graphviz, render

HEIGHT = 62  # of a box, in pixels
FOLDED = (136, 74)
LETTER = 7.4
SCREEN = (1000, 640)  # what a usual screen leaves for the picture
READABLE = 0.6  # the least scale at which letters can be read
LAYOUTS, BOXES = 64, 3000  # the most layouts, and the most boxes in all of them together
CLUSTER = {"label": " ", "margin": "12"}  # the label keeps room for the group's name

Entry = dict[str, Any]  # a node, edge, group or layout, as JSON holds it


def width_of(title: str, shown: list[Any]) -> tuple[int, int]:
    """Return how wide a box is, and how many letters of its title fit into it."""
    texts = ["not computed" if x is None else x["text"] for x in shown if not _is_number(x)]
    longest = max(len(title), *(6 + len(text) for text in texts), 14)
    fits = min(longest, 34)
    return round(LETTER * fits) + 20, fits


def _is_number(x: Any) -> bool:
    return isinstance(x, float | str)  # NaN and inf are text in JSON


def describe_groups(found: Groups) -> tuple[list[Entry], list[int | None]]:
    """Return the groups, outer ones first, and the innermost group of each node."""
    groups: list[Entry] = []
    for group in found.all[1:]:  # the first is that of everything
        parent = group.parent.number - 1 if group.parent and group.parent.number else None
        groups.append({"name": group.title, "parent": parent, "size": 0, "last": None})
    members = [number - 1 if number else None for number in found.of.tolist()]
    for i, member in enumerate(members):
        for at in _upward(member, groups):
            groups[at]["size"] += 1
            groups[at]["last"] = i
    return groups, members


def _upward(group: int | None, groups: list[Entry]) -> Iterator[int]:
    """Yield a group and all that it lies in, innermost first."""
    while group is not None:
        yield group
        group = groups[group]["parent"]


def arrange(nodes: list[Entry], edges: list[Entry], groups: list[Entry]) -> list[Entry]:
    """Return a layout for each of the ways of folding that are likely to be wanted.

    The first is as far unfolded as can be read on one screen, and what the page opens with. All
    folded, all unfolded and the levels between follow, then what a click or two leads to.
    """
    depths = [len(list(_upward(g, groups))) for g in range(len(groups))]
    levels = [
        frozenset(g for g, depth in enumerate(depths) if depth >= least)
        for least in range(max(depths, default=0) + 1, 0, -1)
    ]
    place = partial(_layout, nodes, edges, groups)
    for first in levels:
        tried = [(way, _fit(place(first, way))) for way in ("LR", "TB")]
        direction, fit = max(tried, key=itemgetter(1))
        if fit >= READABLE:
            break
    layouts: list[Entry] = []
    boxes = 0
    for folded in _ways_of_folding([first, *levels], groups):
        layouts.append(place(folded, direction))
        boxes += len(layouts[-1]["nodes"])
        if len(layouts) > len(levels) and (boxes > BOXES or len(layouts) == LAYOUTS):
            break
    return layouts


def _fit(layout: Entry) -> float:
    """Return the scale at which a layout fits the screen, at most 1."""
    width, height = SCREEN
    return min(1.0, width / int(layout["width"]), height / int(layout["height"]))


def _ways_of_folding(wanted: list[frozenset[int]], groups: list[Entry]) -> Iterator[frozenset[int]]:
    """Yield sets of folded groups: those wanted, then what a click leads to, two clicks, ..."""
    inside = [
        frozenset(i for i in range(len(groups)) if g in _upward(i, groups))
        for g in range(len(groups))
    ]
    seen = set[frozenset[int]]()
    while wanted:
        new = [x for x in dict.fromkeys(wanted) if x not in seen]
        yield from new
        seen.update(new)
        wanted = [
            folded - {g} if g in folded else folded | inside[g]
            for folded in new
            for g, group in enumerate(groups)
            if group["parent"] not in folded
        ]


def _layout(
    nodes: list[Entry],
    edges: list[Entry],
    groups: list[Entry],
    folded: frozenset[int],
    direction: str,
) -> Entry:
    """Let Graphviz place boxes without any text; the page writes into them."""
    boxes = []
    for i, node in enumerate(nodes):
        outermost = [g for g in _upward(node["group"], groups) if g in folded][-1:]
        boxes.append(f"g{outermost[0]}" if outermost else f"n{i}")
    dot = graphviz().Digraph(
        graph_attr={"rankdir": direction, "nodesep": "0.25", "ranksep": "0.55"},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
    )

    def fill(around: Any, group: int | None) -> None:
        for i, node in enumerate(nodes):
            if node["group"] == group:
                _place(around, f"n{i}", node["width"], HEIGHT)
        for g, inner in reversed(list(enumerate(groups))):  # so that Neuron 1 is above Neuron 2
            if inner["parent"] == group and g in folded:
                _place(around, f"g{g}", *FOLDED)
            elif inner["parent"] == group:
                with around.subgraph(name=f"cluster_{g}", graph_attr=CLUSTER) as cluster:
                    fill(cluster, g)

    fill(dot, None)
    drawn: dict[Any, list[int]] = {}
    for i, edge in enumerate(edges):
        ends = boxes[edge["from"]], boxes[edge["to"]]
        if ends[0] != ends[1]:  # edges of a folded group are merged
            drawn.setdefault(ends if "g" in ends[0] + ends[1] else (*ends, i), []).append(i)
    for ends, members in drawn.items():
        first = edges[members[0]]
        weight, user = nodes[first["from"]], nodes[first["to"]]
        # A group's weights stand beside what uses them, so that layers follow each other
        beside = weight["expression"] is None and weight["group"] == user["group"] is not None
        dot.edge(*ends[:2], id=",".join(map(str, members)), minlen="0" if beside else "1")
    return {"folded": sorted(folded), **_read(json.loads(render(dot.source, "json0")))}


def _place(dot: Any, name: str, width: float, height: float) -> None:
    dot.node(name, width=f"{width / 72:.3f}", height=f"{height / 72:.3f}")


def _read(found: Entry) -> Entry:
    """Return positions in pixels from the upper left corner."""
    margin = 12
    left, bottom, right, top = map(float, found["bb"].split(","))

    def point(text: str) -> list[float]:
        x, y = map(float, text.split(","))
        return [round(x - left + margin, 1), round(top - y + margin, 1)]

    nodes, boxes = [], []
    for thing in found["objects"]:
        name = thing["name"]
        if "bb" in thing:
            x0, y0, x1, y1 = thing["bb"].split(",")
            corner = point(f"{x0},{y1}")
            boxes.append([int(name[8:]), [*corner, float(x1) - float(x0), float(y1) - float(y0)]])
        elif name[0] == "n":
            nodes.append([int(name[1:]), *point(thing["pos"])])
        else:
            x, y = point(thing["pos"])
            width, height = FOLDED
            boxes.append([int(name[1:]), [x - width / 2, y - height / 2, width, height]])
    edges = []
    for edge in found.get("edges", []):
        tip, *curve = edge["pos"].removeprefix("e,").split(" ")
        points = [point(each) for each in (*curve, tip)]
        edges.append([points, [int(i) for i in edge["id"].split(",")]])
    return {
        "width": round(right - left + 2 * margin),
        "height": round(top - bottom + 2 * margin),
        "nodes": sorted(nodes),
        "groups": sorted(boxes),
        "edges": edges,
    }
