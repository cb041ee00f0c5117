"""Examination: one backward sweep over a graph, and what its nodes are called."""

from collections.abc import Mapping
from contextvars import Context
from typing import Any

import numpy as np

from ...anomaly import Origin
from ...backprop import seed, sweep
from ...graph import Node, topological_order
from ...messages import account, made
from ..names import parameters_in
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
        self._of_modules = parameters_in(self.order)
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
        return {leaf: self.layers.layer_of_leaf(leaf) for leaf in self.parameters or self.leaves}

    def name(self, leaf: Node) -> str:
        """Return what to call a leaf: its name, or what it holds."""
        return self.known_name(leaf) or f"the leaf {account(leaf)}"

    def known_name(self, leaf: Node) -> str:
        """Return the name that a leaf was given, or has in the module it belongs to; else ""."""
        return self.parameters.get(leaf) or leaf.label or self._of_modules.get(leaf, "")

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
        """Return the place of the first of several nodes, and how many more there are."""
        more = f", and {len(nodes) - 1:,} more" if len(nodes) > 1 else ""
        return self.place(nodes[0]) + more

    def replayed(self, data: Mapping[Node, Any]) -> Any:
        """Compute the output again, with other data in some of the nodes."""
        found: dict[Any, Any] = dict(data)
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
                len(nodes) == 1 and name in _LINEAR_IN_X and nodes[0] is node.x
            )
            joined = len(nodes) > 1 and name not in _LINEAR and nodes[0] is not nodes[-1]
            state = (weighed or joined, bent or not linear)
            for x in nodes:
                before = found.get(x, (False, False))
                found[x] = (before[0] or state[0], before[1] or state[1])
        return found


def data_of(x: Any) -> Any:
    """Return the number or array that a node or a constant is."""
    return x._data if isinstance(x, Node) else x


def norm(data: Any) -> float:
    """Return the root of the sum of squares, without overflow."""
    if type(data) is float:
        return abs(data)
    return float(np.linalg.norm(np.ravel(np.asarray(data, np.float64))))
