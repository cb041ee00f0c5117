"""The step-through page: forward one number, backward one edge at a time, in any browser.

Python writes down the graph, its numbers, the story's formulas and where each box stands; the page
tells the story. To recompute after an edit it needs the derivatives, too: they are traced from the
primitives' own rules into trees, so that the page knows forward functions only.
"""

import base64
import hashlib
import html
import json
from importlib import resources
from typing import Any

import numpy as np

from ..backprop import seed, sweep
from ..errors import OptionError
from ..explanation.formulas import (
    contribution,
    derivative_formula,
    expression,
    local_derivative,
)
from ..explanation.names import names_of
from ..graph import Node, topological_order
from .arrangement import HEIGHT, Entry, arrange, describe_groups, width_of
from .groups import Groups
from .recipes import as_json, recipe

# Beyond, a step is one of so many that nobody takes them all
LIMIT = 400
STYLES = ("page.css", "page_picture.css")
SCRIPTS = ("page_numbers.js", "page_steps.js", "page_picture.js", "page.js")


def page(root: Node, title: str | None = None, groups: Groups | None = None) -> str:
    """Return a self-contained HTML page that steps through the graph of `root`.

    Args:    root: the last node: one number, as for `backward()`.
             title: above the picture; None: the root's name.
             groups: those of its graph, if they are known.
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
            f"one takes it step by step, and no more than {LIMIT} nodes can be followed",
            "the loss of one sample, or a smaller network; draw(root).save('graph.svg') folds "
            "graphs of any size",
        )
    title = title or f"Step by step: {names_of(order)[root]}"
    script = "\n".join(map(_text, SCRIPTS))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "title": html.escape(title.encode(errors="replace").decode()),
        "digest": digest,  # nothing else may run in the page
        "style": "\n".join(map(_text, STYLES)),
        "graph": json.dumps(describe(order, groups), allow_nan=False).replace("<", "\\u003c"),
        "script": script,
    }
    pieces = _text("page.html").split("{{")
    filled = [parts[name] + rest for name, rest in (piece.split("}}", 1) for piece in pieces[1:])]
    return pieces[0] + "".join(filled)


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def describe(order: list[Node], found: Groups | None = None) -> Entry:
    """Return all that the page shows, as JSON holds it.

    Args:    order: the nodes, inputs before outputs.
             found: their groups, if they are known.
    """
    with np.errstate(all="ignore"):
        cotangents = sweep(order, seed(order[-1], None))
        edges = _edges(order, cotangents)
        rules, rule_of = _rules(order)
        found = found or Groups(order)
        groups, members = describe_groups(found)
        names = names_of(order)
        short = names | {p: name for p, name in found.parameters.items() if p.label is None}
        # The page writes name or number
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
    """Return what can be said of a node by itself.

    Args:    short: names for its box, whose frame tells which module a parameter belongs to.
    """
    entry: Entry = {
        "name": names[node],
        "title": names[node],
        "short": short[node],
        "data": shown(node._data),
        "array": _holds_array(node),
        "primitive": None,
        "expression": None,
        "factors": [],
    }
    if node.primitive is not None:
        entry["title"] = f"{names[node]} = {expression(node, names)}"
        entry["short"] = f"{short[node]} = {expression(node, short)}"
        entry["primitive"] = node.primitive.name
        entry["expression"] = expression(node, slots)
        entry["factors"] = [
            derivative_formula(node, i, slots)
            if isinstance(x, Node) and node.primitive.rule(i)
            else None
            for i, x in enumerate(node.inputs)
        ]
    return entry


def _edges(order: list[Node], cotangents: dict[Node, Any]) -> list[Entry]:
    """Return the edges in the order of the backward sweep, with what flows over each."""
    number = {node: i for i, node in enumerate(order)}
    edges = []
    sums: dict[Node, Any] = {}
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            if not isinstance(x, Node):
                continue
            edge = {"from": number[x], "to": number[node], "slot": i}
            flow: dict[str, Any] = dict.fromkeys(("local", "contribution", "before", "after"))
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
    """Return what each kind of node does to numbers, and of which kind each node is."""
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
    """Say why the page cannot recompute the graph, or return None if it can."""
    if any(_holds_array(node) for node in order):
        return "only graphs of single numbers can be edited here, and this one holds arrays"
    for node, rule in zip(order, rule_of, strict=True):
        if node.primitive is not None and rule is not None and rules[rule] is None:
            return f"this page cannot compute {node.primitive.name}"
    return None


def _holds_array(node: Node) -> bool:
    return any(np.ndim(getattr(x, "_data", x)) for x in (node, *node.inputs))


def shown(x: Any, is_gradient: bool = False) -> Any:
    """Return data as JSON: a number; text where JSON has no number; of an array a description.

    Args:    x: a number or array, or None for what was not computed.
             is_gradient: of an array tell the norm, not the range.
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
