"""Formulas most likely not meant: softmax twice, a reversed loss, units that stay equal."""

import math
from collections import defaultdict

import numpy as np

from ..data import Operand
from ..explanation.names import operation_of
from ..graph import Node, plain
from ..messages import listed
from .examination import Examination, Finding, norm

# What is applied to logits, by the function that makes them probabilities
_APPLIED_AGAIN = {
    "softmax": {"softmax", "log_softmax", "logsumexp"},
    "sigmoid": {"sigmoid", "softplus"},
}
# Operations that only move or scale numbers
_MOVES = {"getitem", "reshape", "transpose", "broadcast_to", "squeeze", "expand_dims"}
_SCALED = {"multiply", "divide"}

_BOUNDS = {"maximum", "minimum", "add", "subtract"}

# Relative size of a sum of gradients that counts as 0 with rounding errors: float32 has 6e-8
_CANCELLED = 1e-5


def twice(e: Examination) -> list[Finding]:
    """Report probabilities that a softmax or sigmoid is applied to again."""
    for node in e.order:
        source = _source(node.inputs[0]) if node.primitive is not None else node
        name = operation_of(source) if isinstance(source, Node) else ""
        if operation_of(node) in _APPLIED_AGAIN.get(name, ()):
            cause = (
                f"{name} is applied twice: its probabilities are taken for logits by "
                f"{operation_of(node)}, which flattens them and makes gradients small"
            )
            fix = f"one of them: no {name} as last activation, or a loss without from_logits=True"
            return [Finding("twice", cause, e.place(node), fix)]
    return []


def _source(x: Operand) -> Operand:
    """Return the node behind changes of shape and constant factors."""
    while isinstance(x, Node):
        nodes = [y for y in x.inputs if isinstance(y, Node)]
        name = operation_of(x)
        if len(nodes) != 1 or name not in _MOVES | _SCALED | {"negative"}:
            break
        x = nodes[0]
    return x


def one_class(e: Examination) -> list[Finding]:
    """Report an output of softmax over one number. In attention, one step may be all there is."""
    for node in e.order:
        name = operation_of(node)
        if name not in ("softmax", "log_softmax") or not node.shape or e.flow[node][0]:
            continue
        if node.shape[(node.params or {}).get("axis", -1)] == 1:
            e.reported.update((node, *e.after(node)))
            cause = (
                f"{name} over one class: of a single number it is always "
                f"{'1' if name == 'softmax' else '0'}, so that its derivative is 0"
            )
            fix = (
                "one output for each class, along the axis of softmax; or, for two classes, "
                'Dense(1, "sigmoid") with binary_crossentropy'
            )
            return [Finding("one class", cause, e.place(node), fix)]
    return []


def sign(e: Examination) -> list[Finding]:
    """Report a loss that falls as its predictions get worse: its sign is reversed."""
    has_data = any(np.ndim(x) for node in e.order for x in node.inputs if not isinstance(x, Node))
    if e.output.shape or not (has_data or e.layers.has_modules):
        return []  # no loss, or the maximum of a function is looked for
    ends = _ends(e.output, 1)
    if not ends or not all(ends):
        return []
    cause = (
        f"the sign of the loss is reversed: it is {float(np.asarray(e.output._data)):.4g}, never "
        "above 0, and falls without end as predictions get worse"
    )
    fix = "the loss times -1: -np.mean(y * np.log(p)), or np.mean((p - y) ** 2)"
    return [Finding("sign", cause, e.place(e.output), fix)]


def _ends(node: Operand, by: int) -> list[bool]:
    """Return, for each term of a sum, whether it is a loss times -1, or a log of probabilities.

    Args:    node: the sum, or a part of it.
             by: 1, or -1 where it is subtracted.
    """
    if not isinstance(node, Node) or node.primitive is None:
        return []
    name, inputs = operation_of(node), node.inputs
    constants = [plain(x) for x in inputs if not isinstance(x, Node)]
    if name in _MOVES or name in ("sum", "mean"):
        return _ends(inputs[0], by)
    if name == "negative":
        return _ends(inputs[0], -by)
    if name == "add":
        return _ends(inputs[0], by) + _ends(inputs[1], by)
    if name == "subtract":
        return _ends(inputs[0], by) + _ends(inputs[1], -by)
    if constants and (name == "multiply" or (name == "divide" and isinstance(node.x, Node))):
        factor = constants[0]
        if np.min(factor) < 0 < np.max(factor):
            return [False]
        return _ends(_only(node), by * (-1 if np.min(factor) < 0 else 1))
    is_square = name == "power" and np.array_equal(inputs[1], 2)
    is_hinge = name == "maximum" and any(np.array_equal(x, 0) for x in constants)
    if is_square or is_hinge or name in ("square", "absolute", "relu", "softplus"):
        return [by < 0]
    if name == "log_softmax" or (name == "log" and _is_probability(inputs[0])):
        return [by > 0]
    return [False]


def _is_probability(x: Operand) -> bool:
    """Return whether numbers come from a softmax or sigmoid; bounds and 1 - p are passed over."""
    while isinstance(x, Node):
        if operation_of(x) in _APPLIED_AGAIN:
            return True
        nodes = [y for y in x.inputs if isinstance(y, Node)]
        if len(nodes) != 1 or operation_of(x) not in _MOVES | _BOUNDS:
            return operation_of(x) == "divide" and operation_of(_source(x.inputs[0])) == "exp"
        x = nodes[0]
    return False


def _only(node: Node) -> Node:
    """Return the only input of a node that is a node."""
    return next(x for x in node.inputs if isinstance(x, Node))


def broadcast(e: Examination) -> list[Finding]:
    """Report predictions (n, 1) beside targets (n,), which make a table of all pairs."""
    for node in e.order:
        if node.primitive is None or not node.primitive.elementwise or len(node.inputs) != 2:
            continue
        shapes = [np.shape(plain(x)) for x in node.inputs]
        n = max(max(shape, default=0) for shape in shapes)
        is_pair = n > 1 and sorted(shapes, key=len) == [(n,), (n, 1)]
        computed = [x for x in node.inputs if isinstance(x, Node) and x.primitive is not None]
        is_target = len(computed) == 1 and not all(isinstance(x, Node) for x in node.inputs)
        if is_pair and is_target and not e.layers.layer(node):
            cause = (
                f"shapes {shapes[0]} and {shapes[1]} broadcast to {node.shape}: every prediction "
                "meets the targets of all samples"
            )
            fix = "shapes that are equal: y[:, None] for (n, 1), or predictions[:, 0] for (n,)"
            return [Finding("broadcast", cause, e.place(node), fix)]
    return []


# Differences from a mean


def _means(e: Examination) -> list[tuple[Node, Node, Node]]:
    """Return each difference x - mean(x), with x, and the sum that the mean was made from."""
    found = []
    for node in e.order:
        if operation_of(node) == "subtract" and isinstance(node.x, Node):
            total = _source(node.y)
            if (
                isinstance(total, Node)
                and operation_of(total) in ("sum", "mean")
                and total.inputs[0] is node.x
            ):
                found.append((node, node.x, total))
    return found


def normalized_away(e: Examination) -> list[Finding]:
    """Report a mean over one number: the difference from it is 0, whatever the number is."""
    for node, x, total in _means(e):
        if np.size(x._data) == np.size(total._data) and not np.any(node._data):
            e.reported.update((node, x, total, *e.after(node)))
            cause = (
                "a mean over one number is that number, and the difference from it 0: "
                "normalization leaves nothing, as of a batch of one, or of one feature"
            )
            fix = (
                "more samples in each batch, or features in each layer; model.eval(), or "
                "LayerNormalization for BatchNormalization, where there is one sample"
            )
            return [Finding("normalization", cause, e.place(node), fix)]
    return []


def removed_bias(e: Examination) -> list[Finding]:
    """Report biases whose effect a normalization takes away."""
    differences = {x: node for node, x, _ in _means(e)}
    removed: dict[str, Node] = {}
    for leaf in e.leaves:
        users = [user for user, _ in e.uses.get(leaf, [])]
        if len(users) != 1 or users[0] not in differences or leaf not in e.cotangents:
            continue
        (z,) = users
        of_each = float(np.abs(e.cotangents[z]).sum()) if z in e.cotangents else 0.0
        if operation_of(z) == "add" and norm(e.cotangents[leaf]) < _CANCELLED * of_each:
            removed[e.name(leaf)] = differences[z]
    if not removed:
        return []
    cause = (
        f"the gradient of {listed(list(removed))} is 0 but for rounding: the normalization after "
        "it subtracts the mean, and with it what the bias has added"
    )
    fix = "use_bias=False before a normalization, whose own offset takes the place of the bias"
    return [Finding("removed bias", cause, e.places(list(removed.values())), fix)]


# Units that stay equal


def identical(e: Examination) -> list[Finding]:
    """Report layers whose units all have the same weights and the same gradient."""
    trained = e.parameters or e.of_modules
    equal = [leaf for leaf in trained if _has_equal_units(e, leaf)]
    places = [e.name(leaf) for leaf in equal]
    neurons: dict[str, dict[object, list[float]]] = defaultdict(lambda: defaultdict(list))
    for leaf in trained:
        if leaf not in e.uses or leaf not in e.live or leaf.shape:
            continue
        user, _ = e.uses[leaf][0]
        part = e.layers.part(user)
        if e.layers.is_neuron(part):
            units = neurons[e.layers.layer(user)]
            units[part] += [float(np.asarray(x)) for x in (leaf._data, e.cotangents[leaf])]
    for layer, units in neurons.items():
        first, *others = units.values()
        if others and all(len(u) == len(first) and _close(u, first) for u in others):
            places.append(layer)
    if not places:
        return []
    cause = (
        f"all units of {listed(places)} are identical: equal weights get equal gradients, and "
        "so remain equal"
    )
    fix = "weights that start from random numbers, such as glorot_uniform"
    return [Finding("identical", cause, places[0], fix)]


def _has_equal_units(e: Examination, leaf: Node) -> bool:
    if leaf not in e.live or len(leaf.shape) != 2:
        return False
    data, g = np.asarray(leaf._data), np.asarray(e.cotangents[leaf])
    return any(
        data.shape[axis] > 1 and all(_close(a, a.take([0], axis=axis)) for a in (data, g))
        for axis in (0, 1)
    )


def _close(a: Operand, b: Operand) -> bool:
    size = norm(a)
    return math.isfinite(size) and norm(np.subtract(a, b)) <= _CANCELLED * size
