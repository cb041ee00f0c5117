"""One backward sweep over a graph, the layers that it consists of, and what findings say of it."""

from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any, TypeAlias

import numpy as np

from ..backprop import seed, sweep
from ..checks import Origin
from ..data import Data, Operand, Result, as_data
from ..explanation.names import Groups, parameters_in, written
from ..graph import Node, plain, topological_order
from ..messages import account, made
from ..primitives.elementwise import add, subtract
from ..primitives.shapes import concatenate
from ..value import make_leaf

# Linear in all inputs together; products are linear in each input alone
SUMS = (add, subtract, concatenate)

# A scope's name and owner
Part: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Finding:
    """One problem.

    Args:    kind: a short name for programs: "cut", "dead relu", ...
             cause: what happens and why, in one sentence.
             place: operation, operands, layer, source line.
             fix: what to write instead.
    Example: >>> print(Finding("unused", "w has no part in the output", "w = 2", "use it"))
             w has no part in the output
               where: w = 2
               write: use it
    """

    kind: str
    cause: str
    place: str
    fix: str

    def __str__(self) -> str:
        return f"{self.cause}\n  where: {self.place}\n  write: {self.fix}"


class Diagnosis(tuple[Finding, ...]):
    """The findings, the most important first; empty, and so false, if there is none.

    Example: >>> diagnosis = Diagnosis()
             >>> diagnosis, bool(diagnosis), len(diagnosis)
             (nothing to report, False, 0)
    """

    __slots__ = ()

    def __str__(self) -> str:
        if not self:
            return "nothing to report"
        return "\n".join(f"{i}. {finding}" for i, finding in enumerate(self, 1))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return the findings as a numbered list, for notebooks."""
        items = "".join(
            f"<li><b>{escape(finding.cause)}</b><br>where: <code>{escape(finding.place)}</code>"
            f"<br>write: {escape(finding.fix)}</li>"
            for finding in self
        )
        return f"<ol>{items}</ol>" if self else "<p>nothing to report</p>"


class Examination:
    """A graph, the cotangents of its nodes, and names for its parts.

    If the output is an array, fixed random weights are its cotangent. With ones the gradients of
    all outputs of a softmax would cancel.

    Args:    output: the last node.
             parameters: leaves that count, with their names.
             model: the module that they belong to, or None.
    """

    def __init__(self, output: Node, parameters: dict[Node, str], model: object) -> None:
        self.parameters = parameters
        self.model = model
        order = topological_order(output)
        originals: dict[Node, Node] = {}  # of leaves
        if _has_new_data(order):  # an optimizer has made its step: the graph as it is now
            nodes = twins(order, {})
            originals = {twin: leaf for leaf, twin in nodes.items() if leaf.primitive is None}
            order = list(nodes.values())
        self.output = order[-1]
        shape = self.output.shape
        self.weights = np.random.default_rng(0).standard_normal(shape) if shape else None
        # In a context of its own, so that no watcher warns before the findings do
        found = Context().run(sweep, order, seed(self.output, self.weights))
        for node in order if originals else ():
            _connect(node, [originals.get(x, x) if isinstance(x, Node) else x for x in node.inputs])
        self.cotangents = {originals.get(node, node): g for node, g in found.items()}
        self.order = [originals.get(node, node) for node in order]
        self.reported: set[Node] = set()  # operations that a finding has named as the cause
        self.leaves = [node for node in self.order if node.primitive is None]
        self.uses: dict[Node, list[tuple[Node, int]]] = {}  # the nodes that use one, oldest first
        for node in self.order:
            for i, x in enumerate(node.inputs):
                if isinstance(x, Node):
                    self.uses.setdefault(x, []).append((node, i))
        self.layers = Layers(self.order, model)
        self.of_modules = parameters_in(self.order)
        self.live = {n for n, g in self.cotangents.items() if (g if type(g) is float else g.any())}

    def trained(self) -> dict[Node, str]:
        """Return the parameters, or all leaves if none are given, with their layers' names."""
        return {leaf: self.layers.layer_of_leaf(leaf) for leaf in self.parameters or self.leaves}

    def name(self, leaf: Node) -> str:
        """Return the name of a leaf, or its data."""
        return self.known_name(leaf) or f"the leaf {account(leaf)}"

    def known_name(self, leaf: Node) -> str:
        """Return the name that a leaf was given, or has in its module; else ""."""
        return self.parameters.get(leaf) or leaf.label or self.of_modules.get(leaf, "")

    def place(self, node: Node) -> str:
        """Return operation and operands of a node, its layer, and its source line if known."""
        label = f"{node.label} = " if node.label else ""
        parts = [label + (made(node) if node.primitive else account(node._data))]
        if self.layers.layer(node):
            parts.append(self.layers.layer(node))
        if isinstance(node.origin, Origin):
            parts.append(node.origin.line)
        return ", ".join(parts)

    def places(self, nodes: list[Node]) -> str:
        """Return the place of the first of several nodes, and the number of the others."""
        more = f", and {len(nodes) - 1:,} more" if len(nodes) > 1 else ""
        return self.place(nodes[0]) + more

    def after(self, node: Node) -> set[Node]:
        """Return all nodes computed from a node."""
        found: set[Node] = set()
        stack = [node]
        while stack:
            for user, _ in self.uses.get(stack.pop(), []):
                if user not in found:
                    found.add(user)
                    stack.append(user)
        return found

    def replayed(self, data: Mapping[Node, Operand]) -> Result:
        """Compute the output again, with other data in some of the nodes."""
        found: dict[Operand, Operand] = dict(data)
        with np.errstate(all="ignore"):
            for node in self.order:
                if node in found:
                    continue
                if node.primitive is None:
                    found[node] = node._data
                else:
                    inputs = [found[x] if isinstance(x, Node) else x for x in node.inputs]
                    found[node] = node.primitive.compute(inputs, node.params or {}, node.inputs)
        return found[self.output]

    @cached_property
    def flow(self) -> dict[Node, tuple[bool, bool]]:
        """For each node two facts about the operations between it and the output.

        Whether any combines it with other computed or trained values, as the weights of the next
        layer are with a hidden unit; and whether any is not linear, as a loss.
        """
        found: dict[Node, tuple[bool, bool]] = {self.output: (False, False)}
        for node in reversed(self.order):
            if node.primitive is None:
                continue
            inputs = [i for i, x in enumerate(node.inputs) if isinstance(x, Node)]
            is_sum = node.primitive in SUMS
            is_linear = is_sum or (len(inputs) == 1 and node.primitive.is_linear_in(inputs[0]))
            is_joined = not is_sum and len({node.inputs[i] for i in inputs}) > 1
            joined, bent = found[node]
            for i in inputs:
                before = found.get(node.inputs[i], (False, False))
                state = (before[0] or joined or is_joined, before[1] or bent or not is_linear)
                found[node.inputs[i]] = state
        return found


def twins(order: list[Node], data: Mapping[Node, Data]) -> dict[Node, Node]:
    """Return a copy of each node, computed from other data in some of the leaves."""
    found: dict[Node, Node] = {}
    with np.errstate(all="ignore"):
        for node in order:
            twin = found[node] = make_leaf(data.get(node, node._data))
            twin.index, twin.label, twin.origin = node.index, node.label, node.origin
            if node.primitive is None:
                continue
            twin.primitive, twin.params = node.primitive, node.params
            _connect(twin, [found[x] if isinstance(x, Node) else x for x in node.inputs])
            inputs = [plain(x) for x in twin.inputs]
            twin._data = as_data(twin.primitive.compute(inputs, twin.params or {}, twin.inputs))
    return found


def _connect(node: Node, inputs: list[Operand]) -> None:
    """Let a node have other inputs."""
    if node.primitive is None:
        return
    if node.primitive.arity == 1:
        (node.x,) = inputs
    elif node.primitive.arity == 2:
        node.x, node.y = inputs
    else:
        node.x = tuple(inputs)


def _has_new_data(order: list[Node]) -> bool:
    """Return whether leaves were given other data since they were used."""
    return any(
        x.primitive is None and x.assigned > node.index
        for node in order
        for x in node.inputs
        if isinstance(x, Node)
    )


class Layers:
    """The layers of a network, found by the scopes in which its nodes were computed.

    A part whose parameters are single numbers is a neuron, and counts to its layer: the part that
    called it.

    Args:    order: the nodes of a graph, inputs before outputs.
             model: an object with `modules()`, a dict of parts by dotted name, which are the names
             of the layers; or None.
    """

    def __init__(self, order: list[Node], model: Any = None) -> None:
        self._modules: dict[str, object] = model.modules() if hasattr(model, "modules") else {}
        leaves = model.named_parameters() if self._modules else {}
        self._owners = {p: _prefix(name, self._modules) for name, p in dict(leaves).items()}
        # "layers[0] (Dense)", "head (Dense)"; of the model itself "Sequential"
        self._names = {
            id(part): f"{written(name)} ({kind})" if name else kind
            for name, part in self._modules.items()
            if (kind := type(part).__name__)
        }
        groups = Groups(order, None)
        # For each computed node the modules around it, outermost first
        chains = [tuple((g.name, g.owner) for g in each.chain() if g.owner) for each in groups.all]
        self._chains: dict[Node, tuple[Part, ...]] = {
            node: chains[number]
            for node, number in zip(order, groups.of.tolist(), strict=True)
            if node.primitive is not None
        }
        self._neurons: set[Part] = set()
        self._first_use: dict[Node, Node] = {}  # of leaves
        for node in order:
            for x in node.inputs:
                if isinstance(x, Node) and x.primitive is None:
                    self._first_use.setdefault(x, node)
                    if isinstance(x._data, float) and self._chains[node]:
                        self._neurons.add(self._chains[node][-1])
        self._numbers: dict[str, dict[int, int]] = {}  # by name, of parts that have no other name
        for node in order:  # the first layer is number 1
            self.layer(node)

    @property
    def has_modules(self) -> bool:
        """Whether any node was computed in a module."""
        return any(self._chains.values())

    def part(self, node: Node) -> Part | None:
        """Return the innermost module in which a node was computed, or None."""
        chain = self._chains.get(node)
        return chain[-1] if chain else None

    def is_neuron(self, part: Part | None) -> bool:
        """Return whether a part's parameters are single numbers."""
        return part in self._neurons

    def layer(self, node: Node) -> str:
        """Return the name of the layer in which a node was computed, "" outside all modules."""
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
        """Return the age of the first node computed from a leaf: the depth of its layer."""
        return self._first_use[leaf].index if leaf in self._first_use else -1


def _prefix(name: str, modules: dict[str, object]) -> str:
    """Return the longest proper prefix of a dotted name that is a module's name, else ""."""
    while name:
        name = name.rpartition(".")[0]
        if name in modules:
            break
    return name


def norm(data: Operand) -> float:
    """Return the root of the sum of squares, without overflow."""
    if type(data) is float:
        return abs(data)
    return float(np.linalg.norm(np.ravel(np.asarray(data, np.float64))))
