"""Recipes: what a node does to numbers, forward and backward, written down for the page."""

import json
import math
from typing import Any

import numpy as np

from ..graph import Node, Primitive, make_leaf
from ..primitives import elementwise
from ..value import Value
from ..watching import recording

Tree = Any  # a number, the name of an input, or [primitive, options, *trees]


def recipe(node: Node) -> dict[str, Any] | None:
    """Return the trees that compute a node and its inputs' cotangents, or None without any.

    The derivatives are the primitive's own rules, applied to Values and read off the graph that
    they record. Rules outside the table may choose by the numbers at hand: they have no recipe.
    """
    primitive, params = node.primitive, node.params or {}
    if primitive is None or not _is_known(primitive):
        return None
    try:
        json.dumps(params)
    except TypeError:  # options of other kinds, such as a type of numbers
        return None
    leaves = [make_leaf(Value, getattr(x, "_data", x)) for x in node.inputs]
    out, g = make_leaf(Value, node._data), make_leaf(Value, 1.0)
    names: dict[Node, str] = {leaf: f"x{i}" for i, leaf in enumerate(leaves)}
    forward = [primitive.name, params, *names.values()]
    names |= {out: "out", g: "g"}
    rules = [primitive.rule(i) for i in range(len(leaves))]
    with recording(), np.errstate(all="ignore"):
        backward = [rule and _tree(rule(g, out, *leaves, **params), names) for rule in rules]
    return {"forward": forward, "backward": backward, "chooses": primitive.chooses}


def _is_known(primitive: Primitive) -> bool:
    return getattr(elementwise, primitive.name, None) is primitive


def _tree(x: Any, names: dict[Node, str]) -> Tree:
    """Return what a rule has recorded, down to its named inputs."""
    if not isinstance(x, Node):
        return as_json(x)
    if x.primitive is None:
        return names[x]
    return [x.primitive.name, x.params or {}, *(_tree(each, names) for each in x.inputs)]


def as_json(x: float) -> float | str:
    """Return a number as JSON can hold it: NaN and inf as the text that JavaScript reads.

    Example: >>> as_json(2.0), as_json(float("-inf"))
             (2.0, '-Infinity')
    """
    if math.isfinite(x):
        return float(x)
    return str(float(x)).replace("inf", "Infinity").replace("nan", "NaN")
