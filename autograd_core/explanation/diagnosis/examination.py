"""Examination: one backward sweep over a graph, and what its nodes are called."""

from contextvars import Context
from typing import Any

import numpy as np

from ...anomaly import Origin
from ...backprop import seed, sweep
from ...data import shape_of
from ...graph import Node, topological_order
from .layers import Layers

_LINEAR_IN_X = ("multiply", "divide", "matmul", "inner")
_LINEAR = {"add", "subtract", "negative", "sum", "reshape", "transpose", "broadcast_to", "identity"}
_LINEAR |= {"getitem", "scatter", "concatenate", "pad", "astype", "unbroadcast"}


class Examination:
    """A graph, the cotangents of its nodes, and names for what is in it.

    An output that is an array is weighed with fixed random numbers, so that nothing cancels:
    all outputs of a softmax together would have gradient 0.

    Args:    output: the last node.
             parameters: leaves that count, with their names.
             model: what they belong to, or None.
    """

    def __init__(self, output: Node, parameters: dict[Node, str], model: Any) -> None:
        self.output = output
        self.parameters = parameters
        self.model = model
        self.order = topological_order(output)
        self.leaves = [node for node in self.order if node.primitive is None]
        self.layers = Layers(self.order, model)
        shape = output.shape
        weights = np.random.default_rng(0).standard_normal(shape) if shape else None
        # in a context of its own, where no watcher speaks before the findings do
        self.cotangents = Context().run(sweep, self.order, seed(output, weights))
        self.live = {n for n, g in self.cotangents.items() if (g if type(g) is float else g.any())}

    def names(self) -> list[Node]:
        """Return the leaves that the user has named: by label, or by handing them over."""
        given = [] if self.model is not None else list(self.parameters)
        return list(dict.fromkeys([*given, *(leaf for leaf in self.leaves if leaf.label)]))

    def trained(self) -> dict[Node, str]:
        """Return what learns, with the name of its layer: the parameters; else what modules use."""
        found = self.parameters or dict.fromkeys(self.leaves, "")
        return {leaf: self.layers.layer_of_leaf(leaf, name) for leaf, name in found.items()}

    def name(self, leaf: Node) -> str:
        """Return what to call a leaf: its name, or what it holds."""
        return self.parameters.get(leaf) or leaf.label or f"the leaf {account(leaf)}"

    def place(self, node: Node) -> str:
        """Return operation and operands of a node, its layer, and its source line if known."""
        label = f"{node.label} = " if node.label else ""
        parts = [label + (operation(node) if node.primitive else account(node._data))]
        if self.layers.layer(node):
            parts.append(self.layers.layer(node))
        if isinstance(node.origin, Origin):
            parts.append(node.origin.line)
        return ", ".join(parts)

    def places(self, nodes: list[Node]) -> str:
        """Return the place of the first of several nodes, and how many more there are."""
        more = f", and {len(nodes) - 1:,} more" if len(nodes) > 1 else ""
        return self.place(nodes[0]) + more

    def flow(self) -> dict[Node, tuple[bool, bool]]:
        """Return for each node what lies between it and the output.

        Returns: whether it is multiplied by anything else that is computed or learnt, as a hidden
                 unit is by its weights; and whether anything there is not linear, such as a loss.
        """
        found: dict[Node, tuple[bool, bool]] = {self.output: (False, False)}
        for node in reversed(self.order):
            weighed, bent = found[node]
            nodes = [x for x in node.inputs if isinstance(x, Node)]
            name = node.primitive.name if node.primitive else ""
            linear = name in _LINEAR or (
                len(nodes) == 1
                and name in ("multiply", "divide", "matmul", "inner")
                and nodes[0] is node.x
            )
            joined = len(nodes) > 1 and name not in _LINEAR and nodes[0] is not nodes[-1]
            state = (weighed or joined, bent or not linear)
            for x in nodes:
                before = found.get(x, (False, False))
                found[x] = (before[0] or state[0], before[1] or state[1])
        return found


def passed_on(node: Node, i: int, g: Any) -> Any:
    """Return what an operation's own rule passes on to its input i, None if it has no rule."""
    rule = node.primitive.rule(i) if node.primitive else None
    if rule is None:
        return None
    inputs = [data_of(x) for x in node.inputs]
    params = node.params or {}
    with np.errstate(all="ignore"):
        try:
            return rule(g, node._data, *inputs, **params)
        except ArithmeticError:  # floats behave like arrays: 1/0 is inf
            given = [np.float64(x) if type(x) is float else x for x in (g, node._data, *inputs)]
            return rule(*given, **params)


def data_of(x: Any) -> Any:
    """Return the number or array that a node or a constant is."""
    return x._data if isinstance(x, Node) else x


def operation(node: Node) -> str:
    """Return an operation with its operands: "log of x = 0"."""
    name = node.primitive.name if node.primitive else "value"
    return f"{name} of " + " and ".join(account(x) for x in node.inputs)


def account(x: Any) -> str:
    """Return a node or constant: its label, and its number, or its shape and range."""
    data, label = data_of(x), getattr(x, "label", None)
    name = f"{label} = " if label else ""
    if not shape_of(data):
        return f"{name}{data:.6g}"
    finite = data[np.isfinite(data)]
    span = f" from {finite.min():.6g} to {finite.max():.6g}" if finite.size else ""
    counts = {"NaN": np.isnan(data).sum(), "inf": np.isinf(data).sum()}
    bad = "".join(f", {count} {kind}" for kind, count in counts.items() if count)
    return f"{name}shape {data.shape}{span}{bad}"


def norm(data: Any) -> float:
    """Return the root of the sum of squares, without overflow."""
    if type(data) is float:
        return abs(data)
    return float(np.linalg.norm(np.ravel(np.asarray(data, np.float64))))
