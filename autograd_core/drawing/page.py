"""The step-through page: forward one number, backward one edge at a time, in any browser.

Python writes the graph, its numbers, the formulas and the places of the boxes as JSON; the page
shows them step by step. To recompute after an edit it needs the derivatives, too: they are recorded
from the primitives' own rules as trees, so that the page implements forward functions only.
"""

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Iterator
from functools import partial
from importlib import resources
from typing import Any

import numpy as np

from ..backprop import seed, sweep
from ..data import Operand, Params, Result
from ..derivatives import composition
from ..errors import OptionError
from ..explanation.formulas import contribution, derivative_formula, expression, local_derivative
from ..explanation.names import Groups, names_of
from ..graph import Node, plain, topological_order
from ..primitives import elementwise
from ..value import make_leaf
from ..watching import recording
from .dot import graphviz, render

LIMIT = 400  # nodes; of more, the steps are too many to follow
SCRIPTS = ("page_numbers.js", "page_steps.js", "page_picture.js", "page.js")

HEIGHT = 62  # of a box, in pixels
FOLDED = (136, 74)
LETTER = 7.4
SCREEN = (1000, 640)  # the picture's part of a usual screen
READABLE = 0.6  # the least scale at which letters can be read
LAYOUTS, BOXES = 64, 3000  # the most layouts, and the most boxes in all of them together
CLUSTER = {"label": " ", "margin": "12"}  # the label keeps room for the group's name

Entry = dict[str, Any]  # a node, edge, group or layout, as JSON
Tree = Any  # a number, the name of an input, or [primitive, options, *trees]


def page(root: Node, title: str | None = None, groups: Groups | None = None) -> str:
    """Return a self-contained HTML page that steps through the graph of `root`.

    Args:    root: the last node: one number, as for `backward()`.
             title: above the picture; None: the root's name.
             groups: those of its graph; None: they are computed.
    Raises:  OptionError: more than 400 nodes.
             ShapeError: root holds more than one number.
    Example: >>> from autograd_core import Value
             >>> a = Value(2.0, label="a")
             >>> page(a * a, title="A square")[:15]
             '<!doctype html>'
    """
    order = topological_order(root)
    if len(order) > LIMIT:
        raise OptionError(
            f"a step-through page of {len(order):,} nodes",
            f"it shows one step after the other, and at most {LIMIT} nodes can be followed",
            "the loss of one sample, or a smaller network; draw(root).save('graph.svg') folds "
            "graphs of any size",
        )
    title = title or f"Step by step: {names_of(order)[root]}"
    script = "\n".join(map(_text, SCRIPTS))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "title": html.escape(title.encode(errors="replace").decode()),
        "digest": digest,  # no other script may run in the page
        "style": _text("page.css"),
        "graph": json.dumps(describe(order, groups), allow_nan=False).replace("<", "\\u003c"),
        "script": script,
    }
    return re.sub("{{(.*?)}}", lambda slot: parts[slot[1]], _text("page.html"))


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def describe(order: list[Node], found: Groups | None = None) -> Entry:
    """Return all that the page shows, as JSON.

    Args:    order: the nodes, inputs before outputs.
             found: their groups; None: they are computed.
    """
    with np.errstate(all="ignore"):
        cotangents = sweep(order, seed(order[-1], None))
        edges = _edges(order, cotangents)
        rules, rule_of = _rules(order)
        found = found or Groups(order)
        groups, members = describe_groups(found)
        names = names_of(order)
        short = names | {p: name for p, name in found.parameters.items() if p.label is None}
        # Instead of these, the page writes names or numbers
        slots = {node: f"node_{i}_" for i, node in enumerate(order)}
        nodes = [_node(node, names, short, slots) for node in order]
    number = {node: i for i, node in enumerate(order)}
    for i, (node, entry) in enumerate(zip(order, nodes, strict=True)):
        entry["inputs"] = [
            number[x] if isinstance(x, Node) else {"constant": shown(x)} for x in node.inputs
        ]
        entry["gradient"] = shown(cotangents.get(node), is_gradient=True)
        entry["rule"] = rule_of[i]
        entry["group"] = members[i]
        entry["width"], entry["fits"] = width_of(entry["short"], [entry["data"], entry["gradient"]])
    return {
        "nodes": nodes,
        "edges": edges,
        "rules": rules,
        "obstacle": _obstacle(order, rules, rule_of),
        "groups": groups,
        "layouts": arrange(nodes, edges, groups),
        "height": HEIGHT,
    }


def _node(
    node: Node, names: dict[Node, str], short: dict[Node, str], slots: dict[Node, str]
) -> Entry:
    """Return the entry of a node, without its place in the graph.

    Args:    short: names for its box, whose frame names the module of a parameter.
             slots: placeholders in formulas.
    """
    primitive, name = node.primitive, names[node]
    return {
        "name": name,
        "title": f"{name} = {expression(node, names)}" if primitive else name,
        "short": f"{short[node]} = {expression(node, short)}" if primitive else short[node],
        "data": shown(node._data),
        "array": _holds_array(node),
        "primitive": primitive.name if primitive else None,
        "expression": expression(node, slots) if primitive else None,
        "factors": [
            derivative_formula(node, i, slots)
            if isinstance(x, Node) and primitive and primitive.rule(i)
            else None
            for i, x in enumerate(node.inputs)
        ],
    }


def _edges(order: list[Node], cotangents: dict[Node, Result]) -> list[Entry]:
    """Return the edges in the order of the backward sweep, with the numbers of each."""
    number = {node: i for i, node in enumerate(order)}
    edges = []
    sums: dict[Node, Result] = {}
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            if not isinstance(x, Node):
                continue
            edge = {"from": number[x], "to": number[node], "slot": i}
            flow: Entry = dict.fromkeys(("local", "contribution", "before", "after"))
            if node in cotangents and node.primitive and node.primitive.rule(i):
                d = contribution(node, i, cotangents[node], cotangents[x])
                before = sums.get(x, 0.0 * d)
                sums[x] = before + d if x in sums else d
                flow["local"] = shown(local_derivative(node, i))
                for key, numbers in (("contribution", d), ("before", before), ("after", sums[x])):
                    flow[key] = shown(numbers, is_gradient=True)
            edges.append(edge | flow)
    return edges


def _rules(order: list[Node]) -> tuple[list[Entry | None], list[int | None]]:
    """Return the recipe of each kind of node, and the kind of each node."""
    rules: list[Entry | None] = []
    kinds: dict[Any, int] = {}
    rule_of: list[int | None] = []
    for node in order:
        kind = (node.primitive, repr(node.params), len(node.inputs))
        if node.primitive is not None and kind not in kinds:
            kinds[kind] = len(rules)
            rules.append(None if _holds_array(node) else recipe(node))
        rule_of.append(kinds.get(kind))
    return rules, rule_of


def _obstacle(
    order: list[Node], rules: list[Entry | None], rule_of: list[int | None]
) -> str | None:
    """Return why the page cannot recompute the graph, or None if it can."""
    if any(_holds_array(node) for node in order):
        return "only graphs of single numbers can be edited here, and this one holds arrays"
    for node, rule in zip(order, rule_of, strict=True):
        if node.primitive is not None and rule is not None and rules[rule] is None:
            return f"this page cannot compute {node.primitive.name}"
    return None


def _holds_array(node: Node) -> bool:
    return any(np.ndim(getattr(x, "_data", x)) for x in (node, *node.inputs))


def shown(x: Operand, is_gradient: bool = False) -> Any:
    """Return data as JSON: a number; text for NaN and inf; a description of an array.

    Args:    x: a number or array, or None if it was not computed.
             is_gradient: describe an array by its norm instead of its range.
    """
    if x is None:
        return None
    if not np.ndim(x):
        return as_json(x)
    norm = float(np.linalg.norm(np.ravel(x)))
    text = f"{np.shape(x)}, norm {norm:.3g}"
    if np.size(x) and not is_gradient:
        text = f"{np.shape(x)}, {np.min(x):.3g} to {np.max(x):.3g}"
    return {"text": text, "norm": norm if np.isfinite(norm) else None}


# Recipes: what a node does to numbers, forward and backward


def recipe(node: Node) -> Entry | None:
    """Return the trees that compute a node and its inputs' cotangents, or None.

    The derivatives are the graphs that the primitive's own rules record on Values. A rule outside
    the table may depend on the data by if statements, so that it has no recipe.
    """
    primitive: Any = node.primitive
    params = node.params or {}
    if primitive not in vars(elementwise).values():
        return None
    try:
        json.dumps(params)
    except TypeError:  # options that JSON does not have, such as a dtype
        return None
    leaves = [make_leaf(plain(x)) for x in node.inputs]
    out, g = make_leaf(node._data), make_leaf(1.0)
    names: dict[Node, Tree] = {leaf: f"x{i}" for i, leaf in enumerate(leaves)}
    forward = _applied(primitive, params, list(leaves), list(names.values()))
    names |= {out: "out", g: "g"}
    rules = [primitive.rule(i) for i in range(len(leaves))]
    with recording(), np.errstate(all="ignore"):
        backward = [rule and _tree(rule(g, out, *leaves, **params), names) for rule in rules]
    return {"forward": forward, "backward": backward, "chooses": primitive.chooses}


def _tree(x: Operand, names: dict[Node, Tree]) -> Tree:
    """Return what was recorded, down to the inputs that have a name or a tree."""
    if not isinstance(x, Node):
        return as_json(x)
    if x in names:
        return names[x]
    inputs = list(x.inputs)
    return _applied(x.primitive, x.params or {}, inputs, [_tree(each, names) for each in inputs])


def _applied(primitive: Any, params: Params, inputs: list[Operand], trees: list[Tree]) -> Tree:
    """Return a primitive on trees, as it is composed of others, if it is."""
    if primitive.composed is None:
        return [primitive.name, params, *trees]
    leaves, out = composition(primitive, inputs, params)
    return _tree(out, dict(zip(leaves, trees, strict=True)))


def as_json(x: float) -> float | str:
    """Return a number as JSON: NaN and inf as the text that JavaScript reads.

    Example: >>> as_json(2.0), as_json(float("-inf"))
             (2.0, '-Infinity')
    """
    if math.isfinite(x):
        return float(x)
    return str(float(x)).replace("inf", "Infinity").replace("nan", "NaN")


# Layouts


def width_of(title: str, shown: list[Any]) -> tuple[int, int]:
    """Return the width of a box, and the number of letters of its title that fit."""
    # NaN and inf are text in JSON
    others = [x for x in shown if not isinstance(x, float | str)]
    texts = ["not computed" if x is None else x["text"] for x in others]
    longest = max(len(title), *(6 + len(text) for text in texts), 14)
    fits = min(longest, 34)
    return round(LETTER * fits) + 20, fits


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
    """Yield a group and the groups around it, innermost first."""
    while group is not None:
        yield group
        group = groups[group]["parent"]


def arrange(nodes: list[Entry], edges: list[Entry], groups: list[Entry]) -> list[Entry]:
    """Return a layout for each likely way of folding the groups.

    Graphviz places the boxes beforehand, since the page has no layout code. The first layout is
    the one that the page opens with, unfolded as far as can be read on one screen. All folded, all
    unfolded and the levels between follow, then those that a click or two leads to.
    """
    depths = [len(list(_upward(g, groups))) for g in range(len(groups))]
    levels = [
        frozenset(g for g, depth in enumerate(depths) if depth >= least)
        for least in range(max(depths, default=0) + 1, 0, -1)
    ]
    place = partial(_layout, nodes, edges, groups)
    width, height = SCREEN
    for first in levels:
        fits = {}  # the scale at which a layout fits the screen, by its direction
        for way in ("LR", "TB"):
            layout = place(first, way)
            fits[way] = min(1.0, width / layout["width"], height / layout["height"])
        direction = max(fits, key=fits.__getitem__)
        if fits[direction] >= READABLE:
            break
    layouts: list[Entry] = []
    boxes = 0
    for folded in _ways_of_folding([first, *levels], groups):
        layouts.append(place(folded, direction))
        boxes += len(layouts[-1]["nodes"])
        if len(layouts) > len(levels) and (boxes > BOXES or len(layouts) == LAYOUTS):
            break
    return layouts


def _ways_of_folding(wanted: list[frozenset[int]], groups: list[Entry]) -> Iterator[frozenset[int]]:
    """Yield sets of folded groups: those wanted, then those one click away, two clicks, ..."""
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
    """Return the places that Graphviz gives to boxes without text; the page writes into them."""
    boxes = []
    for i, node in enumerate(nodes):
        around = [f"g{g}" for g in _upward(node["group"], groups) if g in folded]
        boxes.append(around[-1] if around else f"n{i}")
    dot = graphviz().Digraph(
        graph_attr={"rankdir": direction, "nodesep": "0.25", "ranksep": "0.55"},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
    )

    def place(around: Any, name: str, width: float, height: float) -> None:
        around.node(name, width=f"{width / 72:.3f}", height=f"{height / 72:.3f}")

    def fill(around: Any, group: int | None) -> None:
        for i, node in enumerate(nodes):
            if node["group"] == group:
                place(around, f"n{i}", node["width"], HEIGHT)
        for g, inner in reversed(list(enumerate(groups))):  # so that Neuron 1 is above Neuron 2
            if inner["parent"] == group and g in folded:
                place(around, f"g{g}", *FOLDED)
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
        # A group's weights are beside the node that uses them, so that layers follow each other
        beside = weight["expression"] is None and weight["group"] == user["group"] is not None
        dot.edge(*ends[:2], id=",".join(map(str, members)), minlen="0" if beside else "1")
    return {"folded": sorted(folded), **_read(json.loads(render(dot.source, "json0")))}


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
            x0, y0, x1, y1 = map(float, thing["bb"].split(","))
            boxes.append([int(name[8:]), [*point(f"{x0},{y1}"), x1 - x0, y1 - y0]])
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
