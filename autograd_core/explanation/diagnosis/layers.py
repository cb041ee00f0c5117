"""Layers: which part of a network each node and each parameter belongs to."""

from typing import Any, TypeAlias

from ...graph import Node
from ...scopes import Scope, scopes
from ..names import written

# A scope's name and owner
Part: TypeAlias = tuple[str, int]


class Layers:
    """The parts of a network, found by the scopes that its nodes were made in.

    A part whose parameters are single numbers is a neuron, and stands for its layer: the part
    that it was called from.

    Args:    order: the nodes of a graph, inputs before outputs.
             model: what has `modules()`, a dict of parts by dotted name; it gives parts names.
    """

    def __init__(self, order: list[Node], model: Any = None) -> None:
        self._modules: dict[str, Any] = model.modules() if hasattr(model, "modules") else {}
        leaves = model.named_parameters() if self._modules else {}
        self._owners = {p: _prefix(name, self._modules) for name, p in dict(leaves).items()}
        self._names = {id(part): _called(name, part) for name, part in self._modules.items()}
        self._chains = _chains(order)
        self._neurons: set[Part] = set()
        self._first_use: dict[Node, Node] = {}  # of leaves: what was first computed from them
        for node in order:
            for x in node.inputs:
                if isinstance(x, Node) and x.primitive is None:
                    self._first_use.setdefault(x, node)
                    if isinstance(x._data, float) and self._chains[node]:
                        self._neurons.add(self._chains[node][-1])
        self._numbers: dict[str, dict[int, int]] = {}  # by name, of parts that have no other name

    @property
    def has_modules(self) -> bool:
        """Whether any node was made by a module."""
        return any(self._chains.values())

    def part(self, node: Node) -> Part | None:
        """Return the innermost module that made a node, or None."""
        chain = self._chains.get(node)
        return chain[-1] if chain else None

    def is_neuron(self, part: Part | None) -> bool:
        """Tell whether a part's parameters are single numbers."""
        return part in self._neurons

    def layer(self, node: Node) -> str:
        """Return the name of the layer that made a node, "" outside all modules."""
        chain = self._chains.get(node)
        if not chain:
            return ""
        name, owner = chain[-2] if chain[-1] in self._neurons and len(chain) > 1 else chain[-1]
        if owner in self._names:
            return self._names[owner]
        number = self._numbers.setdefault(name, {}).setdefault(owner, len(self._numbers[name]) + 1)
        return name if number == 1 else f"{name} {number}"

    def layer_of_leaf(self, leaf: Node) -> str:
        """Return the name of the layer that a parameter belongs to, "" if it belongs to none."""
        if not self._modules:
            return self.layer(self._first_use[leaf]) if leaf in self._first_use else ""
        owner = self._owners.get(leaf, "")
        if isinstance(leaf._data, float) and _prefix(owner, self._modules):
            owner = _prefix(owner, self._modules)
        return self._names[id(self._modules[owner])]

    def first_use(self, leaf: Node) -> int:
        """Return the age of what was first computed from a leaf: the depth of its layer."""
        return self._first_use[leaf].index if leaf in self._first_use else -1


def _called(name: str, part: Any) -> str:
    """Return what to call a part: "layers[0] (Dense)", "head (Dense)", "Sequential"."""
    kind = type(part).__name__
    return f"{written(name)} ({kind})" if name else kind


def _prefix(name: str, modules: dict[str, Any]) -> str:
    """Return the longest proper prefix of a dotted name that is itself a module's."""
    while name:
        name = name.rpartition(".")[0]
        if name in modules:
            break
    return name


def _chains(order: list[Node]) -> dict[Node, tuple[Part, ...]]:
    """Return for each computed node the modules around it, outermost first."""
    chains: dict[Node, tuple[Part, ...]] = {}
    waiting = iter([s for s in scopes(0) if s.owner])
    upcoming = next(waiting, None)
    inside: list[Scope] = []
    chain: tuple[Part, ...] = ()
    for node in order:
        index = node.index
        while upcoming is not None and upcoming.start < index:
            if upcoming.stop > index:
                inside.append(upcoming)
                chain = ()
            upcoming = next(waiting, None)
        if inside and any([s.stop < index for s in inside]):
            inside = [s for s in inside if s.stop > index]
            chain = ()
        if node.primitive is not None:
            if inside and not chain:  # each of a module's methods opened a scope of its own
                chain = tuple(dict.fromkeys((s.name, s.owner) for s in inside))
            chains[node] = chain
    return chains
