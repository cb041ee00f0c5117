"""Names of nodes in tables, formulas and pictures; no two are alike."""

import re
import unicodedata
from bisect import bisect
from itertools import count
from typing import Any

from ..graph import Node
from ..scopes import scopes
from .notation import latex_symbol


def names_of(order: list[Node]) -> dict[Node, str]:
    """Return a unique name for each node: its label, else x1, x2, ... or t1, t2, ...

    Args:    order: nodes, inputs before outputs.
    Returns: the label; without one, of a module's parameter its name in the outermost module that
             was called, such as layers[0].weight; both with _2, _3 if they repeat; x1, x2, ... for
             other leaves, t1, t2, ... for computed nodes.
    Example: >>> from autograd_core import Value
             >>> from autograd_core.graph import topological_order
             >>> a = Value(2.0, label="a")
             >>> list(names_of(topological_order(a * 3 + Value(1.0))).values())
             ['a', 't1', 'x1', 't2']
    """
    names: dict[Node, str] = {}
    taken = set[str]()
    parameters = parameters_in(order)
    for node in order:
        label = _in_one_line(node.label) or parameters.get(node)
        if label:
            names[node] = _free(label, (f"{label}_{n}" for n in count(2)), taken)
    leaves, computed = count(1), count(1)
    for node in order:
        if node not in names:
            letter, numbers = ("x", leaves) if node.primitive is None else ("t", computed)
            candidates = (f"{letter}{n}" for n in numbers)
            names[node] = _free(next(candidates), candidates, taken)
    return {node: names[node] for node in order}


def name_of_use(node: Node, i: int, names: dict[Node, str]) -> str:
    """Return the name of a node that uses input i; with the number i if it uses it repeatedly.

    Example: >>> from autograd_core import Value
             >>> a = Value(2.0)
             >>> b, c = a * a, a * 3
             >>> name_of_use(b, 1, {b: "b"}), name_of_use(c, 0, {c: "c"})
             ('b (input 2)', 'c')
    """
    twice = sum(x is node.inputs[i] for x in node.inputs) > 1
    return f"{names[node]} (input {i + 1})" if twice else names[node]


def parameters_of(module: Any) -> dict[Node, str]:
    """Return the parameters of a module with their names, such as w[0]; {} for anything else."""
    found: dict[str, Node] = dict(getattr(module, "named_parameters", dict)())
    return {p: written(name) for name, p in found.items()}


def written(name: str) -> str:
    """Return the dotted name of a part of a module as an expression.

    Example: >>> written("0.weight"), written("layers.0.neurons.1.w.2"), written("weight")
             ('layers[0].weight', 'layers[0].neurons[1].w[2]', 'weight')
    """
    full = f"layers.{name}" if name[:1].isdigit() else name  # Sequential numbers its layers
    return re.sub(r"\.(\d+)", r"[\1]", full)


def parameters_in(order: list[Node]) -> dict[Node, str]:
    """Return the parameters of the outermost modules that were called, with their names."""
    leaves = {node for node in order if node.primitive is None}
    indices = [node.index for node in order]
    parameters: dict[Node, str] = {}
    seen = set[int]()
    end = -1
    for scope in scopes(indices[0]):
        if scope.start < end or scope.thing is None:
            continue
        if bisect(indices, scope.start) == bisect(indices, scope.stop):
            continue  # nothing in this graph was computed in that call
        end = scope.stop
        if scope.owner not in seen:
            seen.add(scope.owner)
            for node, name in parameters_of(scope.thing).items():
                if node in leaves:
                    parameters.setdefault(node, name)
    return parameters


def _in_one_line(label: Any) -> str:
    """Return a label without line breaks and invisible characters."""
    text = "" if label is None else str(label)
    if text.isprintable():
        return text.strip()
    visible = [c if c.isspace() or unicodedata.category(c)[0] != "C" else " " for c in text]
    return " ".join("".join(visible).split())


def _free(name: str, others: Any, taken: set[str]) -> str:
    while (key := latex_symbol(name)) in taken:  # x1 and x_1 look the same in LaTeX
        name = next(others)
    taken.add(key)
    return name
