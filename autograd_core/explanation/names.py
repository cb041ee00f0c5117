"""Names of nodes in tables, formulas and pictures; and the modules and scopes they belong to."""

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ..graph import Node
from ..scopes import Scope, scopes
from .notation import latex_symbol

DEEPEST = 12  # groups inside each other; deeper ones count to the one around


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


def operation_of(node: Node) -> str:
    """Return the name of an operation of the library's own; "" for any other, and for a leaf."""
    return node.primitive.table_name if node.primitive else ""


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


def parameters_of(module: object) -> dict[Node, str]:
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
    parameters: dict[Node, str] = {}
    for group in Groups(order, None).all:
        if all(outer.thing is None for outer in group.chain()[:-1]):
            for node, name in parameters_of(group.thing).items():
                if node in leaves:
                    parameters.setdefault(node, name)
    return parameters


def _in_one_line(label: object) -> str:
    """Return a label without line breaks and invisible characters."""
    text = "" if label is None else str(label)
    if text.isprintable():
        return text.strip()
    visible = [c if c.isspace() or unicodedata.category(c)[0] != "C" else " " for c in text]
    return " ".join("".join(visible).split())


def _free(name: str, others: Iterator[str], taken: set[str]) -> str:
    while (key := latex_symbol(name)) in taken:  # x1 and x_1 look the same in LaTeX
        name = next(others)
    taken.add(key)
    return name


@dataclass(eq=False, slots=True)
class Group:
    """The nodes computed in scopes of one name and owner, inside the same outer group."""

    name: str  # of the scopes
    parent: "Group | None"  # the group around it; None for the group of everything
    number: int  # in the list of all groups, outer ones first
    owner: int = 0  # the id of the module that the scopes belong to, or 0
    thing: object = None  # that module, if it still exists
    depth: int = 0
    inner: "dict[tuple[str, int], Group]" = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name, numbered from 1 if the outer group has several of it: Neuron 3."""
        if self.parent is None:
            return self.name
        alike = [group for group in self.parent.inner.values() if group.name == self.name]
        return self.name if len(alike) == 1 else f"{self.name} {alike.index(self) + 1}"

    def chain(self) -> list["Group"]:
        """Return the groups around this one and itself, outermost first; [0] is that of all."""
        return [*([] if self.parent is None else self.parent.chain()), self]

    def at(self, depth: int) -> "Group":
        """Return this group, or the one around it at a smaller depth."""
        return self.chain()[min(depth, self.depth)]


class Groups:
    """The groups of a graph, a tree, and the group of each node.

    Args:    order: the nodes, inputs before outputs.
             parameters: leaves that count as parameters, in addition to those of the modules;
             None: parameters are not looked for, which takes longer than all else.
    Example: >>> from autograd_core import Value, scope
             >>> a = Value(2.0)
             >>> with scope("square"):
             ...     b = a * a
             >>> groups = Groups([a, b])
             >>> [group.title for group in groups.all], groups.of.tolist()
             (['', 'square'], [0, 1])
    """

    def __init__(self, order: list[Node], parameters: Iterable[Node] | None = ()) -> None:
        self.all = [Group("", None, 0)]
        self.of: NDArray[np.int64] = np.zeros(len(order), np.int64)  # numbers of groups
        self.parameters: dict[Node, str] = {}  # with names
        indices = [node.index for node in order]
        enclosing: list[tuple[int, Group]] = []  # with the end of each scope around
        for scope in scopes(indices[0]) if indices else []:
            first, stop = bisect(indices, scope.start), bisect(indices, scope.stop)
            if first == stop:
                continue
            while enclosing and enclosing[-1][0] <= scope.start:
                enclosing.pop()
            group = self._enter(scope, enclosing[-1][1] if enclosing else self.all[0])
            # Scopes of other threads may end after the one around
            end = min(scope.stop, enclosing[-1][0]) if enclosing else scope.stop
            enclosing.append((end, group))
            self.of[first : bisect(indices, end)] = group.number
        if parameters is not None:
            self.parameters |= dict.fromkeys(parameters, "parameter")
            self._find_parameters(order)

    def _enter(self, scope: Scope, outer: Group) -> Group:
        key = (scope.name, scope.owner)
        is_same = outer.parent is not None and outer.parent.inner.get(key) is outer
        if is_same or outer.depth == DEEPEST:  # same: __call__ and forward of one module
            return outer
        if key not in outer.inner:
            place = (len(self.all), scope.owner, scope.thing, outer.depth + 1)
            outer.inner[key] = Group(scope.name, outer, *place)
            self.all.append(outer.inner[key])
        return outer.inner[key]

    def _find_parameters(self, order: list[Node]) -> None:
        """Find the modules' parameters, and assign each to the innermost group that has it."""
        number = {node: i for i, node in enumerate(order) if node.primitive is None}
        for group in sorted(self.all, key=lambda group: group.depth):
            for parameter, name in parameters_of(group.thing).items():
                if parameter in number:
                    self.parameters[parameter] = name
                    self.of[number[parameter]] = group.number
