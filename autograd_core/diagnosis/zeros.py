"""Zero and missing gradients: what does not depend on a parameter, and where a path is cut."""

from collections import Counter, defaultdict
from typing import Any, TypeAlias

import numpy as np

from ..data import Data
from ..graph import Node
from ..messages import listed
from ..rules import pull
from .examination import Examination, Finding, data_of
from .sizes import begun_at, fix_of, is_finite, which

# |x| from which sigmoid and tanh count as saturated: their derivative is then below 1 % of its
# largest, 0.25 and 1
SATURATED_FROM = {"sigmoid": 6.0, "tanh": 3.0}

# Share of saturated numbers in a hidden layer. Trained networks use the flat ends as on and off,
# so that half of them may lie there
SATURATED_SHARE = 0.7

# Share of outputs that are saturated on the wrong side, so that the loss pulls them back in vain.
# A network that has learnt is rarely both wrong and sure; one that starts there is wrong in half
STUCK_SHARE = 0.25

# Share of a layer's relu units that are off for every sample. Units of trained networks are
# selective, and in deep narrow ones half of them rest on a whole batch, fresh ones included; over
# a few samples that says nothing
DEAD_SHARE = 0.75
DEAD_SAMPLES = 8

# An operation, and the number of the input to which it passes nothing on
Cut: TypeAlias = tuple[Node, int]

# How many named values are traced one by one; the others together, since each may walk the graph
TRACED = 20

_SMOOTH_STEP = "a smooth function in its place: sigmoid, tanh or softplus; steps only to predict"
# What a cut says of itself, and what to write instead
_KINDS = {
    "step": ("a step, whose derivative is 0 wherever there is one", _SMOOTH_STEP),
    "comparison": ("which compares: 0 or 1 do not move with small changes", _SMOOTH_STEP),
    "no rule": ("which has no derivative for this input", "an operation that has one"),
    "relu": (
        "whose derivative is 0 where its input is not positive",
        "leaky_relu or softplus; or inputs, weights and a bias that make it positive",
    ),
    "bound": (
        "where the other operand is chosen throughout, as in np.clip outside its bounds",
        "wider bounds, or a smooth function such as tanh",
    ),
    "choice": (
        "where something else is chosen throughout",
        "a condition that lets it take part",
    ),
    "factor": (
        "which multiplies by 0",
        "weights that start from random numbers, and inputs that are not all 0",
    ),
    "saturated": (
        "so saturated that its derivative rounds to 0",
        "smaller inputs or weights: standardised data, glorot_uniform; relu in hidden layers",
    ),
    "stationary": (
        "whose derivative at 0 is 0",
        "nothing, if this minimum is what was looked for; else start elsewhere",
    ),
    "cancelled": (
        "the contributions of its paths and elements add up to 0",
        "nothing, if this extremum is what was looked for; else start elsewhere",
    ),
    "flat": ("whose derivative is 0 here", "start elsewhere, where the function is not flat"),
    "underflow": (
        "where the product of all derivatives so far is below the smallest float",
        "fewer factors below 1: relu or residual connections; a sum of logarithms for a product",
    ),
}
_BY_OPERATION = {
    "step": ("sign", "floor", "ceil", "round", "floor_divide"),
    "comparison": ("greater", "greater_equal", "equal", "where", "gate"),
    "relu": ("relu", "gate"),
    "bound": ("maximum", "minimum"),
    "choice": ("where",),
    "factor": ("multiply", "divide", "matmul", "inner", "einsum", "convolve"),
    "saturated": ("sigmoid", "tanh", "erf", "softplus", "softmax", "log_softmax", "logsumexp"),
    "stationary": ("square", "power", "absolute", "norm", "hypot"),
}


def unused(e: Examination) -> list[Finding]:
    """Report parameters that the output was not computed from."""
    known = set(e.order)
    absent = {leaf: name for leaf, name in e.parameters.items() if leaf not in known}
    if not absent:
        return []
    users = {_known_by(x): node for node in e.order for x in node.inputs if not isinstance(x, Node)}
    found = []
    for leaf, name in list(absent.items()):
        user = users.get(_known_by(leaf._data))
        if user is None or _is_common(leaf._data):
            continue
        del absent[leaf]
        cause = "its numbers take part as plain data, which do not know where they come from"
        fix = f"{name} in place of {name}.data, float({name}) or np.asarray({name})"
        found.append(
            Finding("plain data", f"the gradient of {name} is missing: {cause}", e.place(user), fix)
        )
    if absent:
        it = "it" if len(absent) == 1 else "them"
        cause = f"the gradient of {listed(list(absent.values()))} is missing: the output does not"
        fix = "compute the output from what is to learn, and with Values throughout: .data, "
        fix += "float(), np.asarray(), comparisons and no_grad() forget where numbers come from"
        found.append(Finding("unused", f"{cause} depend on {it}", e.place(e.output), fix))
    return found


def _known_by(data: Data) -> Any:
    """Return what tells constants apart: of floats the object, of arrays, which are copied, all."""
    return id(data) if isinstance(data, float) else (data.shape, data.dtype.char, data.tobytes())


def _is_common(data: Data) -> bool:
    """Tell whether other constants may well be the same: whole literals, arrays of one number."""
    return data.is_integer() if isinstance(data, float) else bool((data == data.flat[:1]).all())


def cut_off(e: Examination, said: set[Node]) -> list[Finding]:
    """Report leaves whose every path to the output is cut, with the cuts.

    Args:    said: operations of which another finding says already that they pass nothing on.
    """
    users = _dead_edges(e)
    merged: dict[tuple[str, frozenset[Node]], tuple[list[str], list[Node]]] = {}
    for names, leaves in _groups(e, users):
        cuts = _cuts(e, leaves, users)
        kinds = {cut: _kind(e, *cut) for cut in cuts}
        kind = Counter(kinds.values()).most_common(1)[0][0]
        nodes = list(dict.fromkeys(node for (node, _), each in kinds.items() if each == kind))
        if not (all(_is_said(node, said) for node in nodes) or _is_met(e, nodes)):
            merged.setdefault((kind, frozenset(nodes)), ([], nodes))[0].extend(names)
    return [_report(e, kind, names, nodes) for (kind, _), (names, nodes) in merged.items()]


def _is_said(node: Node, said: set[Node]) -> bool:
    """Tell whether a finding names an operation already, or the one whose zeros it multiplies."""
    return node in said or any(isinstance(x, Node) and x in said for x in node.inputs)


def _is_met(e: Examination, nodes: list[Node]) -> bool:
    """Tell whether a loss is 0, and rests in itself: a model that has met it has learnt."""
    return (
        (e.model is not None or e.layers.has_modules)
        and not np.any(e.output._data)
        and all(e.layers.part(node) is None for node in nodes)
    )


def _report(e: Examination, kind: str, names: list[str], nodes: list[Node]) -> Finding:
    primitive = nodes[0].primitive
    name = primitive.name if primitive else "value"
    place = e.places(nodes)
    if kind == "overflow":
        origin = begun_at(_infinite(nodes[0])[0])
        why, fix = f"which meets {which(origin)}", fix_of(origin)
        place += f"; {which(origin)} comes from {e.place(origin)}"
    else:
        why, fix = _KINDS[kind]
    how = why if kind == "cancelled" else f"every path to the output is cut at {name}, {why}"
    cause = f"the gradient of {listed(names)} is 0: {how}"
    return Finding("cut", cause, place, fix)


def _infinite(node: Node) -> list[Node]:
    """Return the inputs that hold NaN or inf."""
    return [x for x in node.inputs if isinstance(x, Node) and not is_finite(x)]


def _dead_edges(e: Examination) -> dict[Node, list[Cut]]:
    """Return the uses of every node that no gradient reaches."""
    users: dict[Node, list[Cut]] = defaultdict(list)
    if len(e.live) < len(e.order):
        for node in e.order:
            for i, x in enumerate(node.inputs):
                if isinstance(x, Node) and x not in e.live:
                    users[x].append((node, i))
    return users


def _groups(e: Examination, users: dict[Node, list[Cut]]) -> list[tuple[list[str], list[Node]]]:
    """Return leaves without gradient that deserve a word, together where they share their fate.

    In a network single weights rest often: of a unit that is off, or of an input that is 0. So
    there whole layers count; and everywhere what has a name, or that nothing at all is reached.
    """
    dead = [leaf for leaf in e.names() if leaf in users]
    groups = [([e.name(leaf)], [leaf]) for leaf in dead[:TRACED]]
    if dead[TRACED:]:
        groups.append(([e.name(leaf) for leaf in dead[TRACED:]], dead[TRACED:]))
    if e.model is not None:
        layers = defaultdict(list)
        for leaf, layer in e.trained().items():
            layers[layer].append(leaf)
        for layer, leaves in layers.items():
            used = [leaf for leaf in leaves if leaf in e.cotangents or leaf in users]
            if used and all(leaf in users for leaf in used):
                groups.append(([layer], used))
    elif not groups and all(leaf in users for leaf in e.leaves):
        groups = [([e.name(leaf) for leaf in e.leaves], e.leaves)]
    elif not groups:
        missing = [leaf for leaf in e.leaves if leaf not in e.cotangents]
        steps = [leaf for leaf in missing if _kinds(e, leaf, users) == {"step"}]
        groups = [([e.name(leaf) for leaf in steps], steps)] if steps else []
    return groups


def _kinds(e: Examination, leaf: Node, users: dict[Node, list[Cut]]) -> set[str]:
    return {_kind(e, *cut) for cut in _cuts(e, [leaf], users)}


def _cuts(e: Examination, leaves: list[Node], users: dict[Node, list[Cut]]) -> list[Cut]:
    """Return where the paths from leaves first meet an operation that a gradient does reach."""
    found = []
    stack, seen = list(leaves), set(leaves)
    while stack:
        for node, i in users[stack.pop()]:
            if node in e.live:
                found.append((node, i))
            elif node not in seen:
                seen.add(node)
                stack.append(node)
    return sorted(found, key=lambda cut: cut[0].index)


def _kind(e: Examination, node: Node, i: int) -> str:
    """Tell why an operation that a gradient reaches passes none of it on to its input i."""
    g = e.cotangents[node]
    d = pull(node, i, g)
    name = node.primitive.name if node.primitive else ""
    if d is None:
        kinds = [kind for kind in ("step", "comparison") if name in _BY_OPERATION[kind]]
        return (kinds or ["no rule"])[0]
    if np.any(d):
        return "cancelled"
    if _infinite(node):
        return "overflow"
    if np.any(pull(node, i, g / np.abs(g).max())):
        return "underflow"
    x, others = (
        data_of(node.inputs[i]),
        [data_of(y) for y in node.inputs if y is not node.inputs[i]],
    )
    if name == "maximum" and others and not np.any(others[0]):
        return "relu"
    if (name in _BY_OPERATION["stationary"] or not others) and np.size(x) and not np.any(x):
        return "stationary"
    kinds = [
        k for k in ("relu", "bound", "choice", "factor", "saturated") if name in _BY_OPERATION[k]
    ]
    return (kinds or ["flat"])[0]


def untracked(output: Any) -> Finding:
    """Report an output that was computed from nothing, as far as it knows."""
    what = "a Value that was computed from nothing" if isinstance(output, Node) else "plain data"
    return Finding(
        "plain data",
        f"no gradient can be found: the output is {what}",
        "the output",
        "Values throughout: .data, float(), np.asarray(), comparisons and no_grad() forget where "
        "numbers come from",
    )


class _Saturation:
    """Counts how many numbers of a layer are saturated, and which of them want back."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.count = self.flat = self.stuck = 0
        self.lowest, self.highest = np.inf, -np.inf

    def add(self, node: Node, g: Any, limit: float) -> None:
        x = np.asarray(data_of(node.x))
        flat = np.abs(x) >= limit
        self.nodes.append(node)
        self.count += x.size
        self.flat += int(flat.sum())
        self.stuck += int((flat & (x * g > 0)).sum())  # the loss falls towards the other end
        self.lowest = min(self.lowest, x.min(initial=np.inf))
        self.highest = max(self.highest, x.max(initial=-np.inf))


def saturated(
    e: Examination, flow: dict[Node, tuple[bool, bool]]
) -> tuple[list[Finding], set[Node]]:
    """Report layers of sigmoids or tanhs that work on their flat ends.

    An output may well be sure of itself. It is stuck only where the loss pulls it back.

    Returns: the findings, and the operations that they are about.
    """
    groups: dict[tuple[str, str, bool], _Saturation] = defaultdict(_Saturation)
    for node in e.order:
        name = node.primitive.name if node.primitive else ""
        if name in SATURATED_FROM:
            is_weighed, meets_loss = flow[node]
            layer = e.layers.layer(node)
            if not is_weighed and not meets_loss and layer:
                continue  # the output of a model, without a loss that tells right from wrong
            by_end = not is_weighed and meets_loss
            g = e.cotangents.get(node, 0.0)
            limit = SATURATED_FROM[name]
            groups[name, layer, by_end].add(node, g, limit)
    found, said = [], set()
    for (name, _, by_end), group in groups.items():
        count, least = (group.stuck, STUCK_SHARE) if by_end else (group.flat, SATURATED_SHARE)
        if count and count >= least * group.count:
            found.append(_saturation(e, name, group, count, by_end))
            said.update(group.nodes)
    return found, said


def _saturation(e: Examination, name: str, group: _Saturation, count: int, by_end: bool) -> Finding:
    limit = SATURATED_FROM[name]
    at_most = limit if group.count > 1 else min(abs(group.lowest), abs(group.highest))
    slope = 1 / np.cosh(at_most) ** 2 if name == "tanh" else 0.25 / np.cosh(at_most / 2) ** 2
    if group.count == 1:
        cause = f"{name} is saturated: at {group.lowest:.6g} its derivative is {slope:.2g}"
    else:
        cause = (
            f"{name} is saturated in {count:,} of {group.count:,} numbers: its inputs lie from "
            f"{group.lowest:.4g} to {group.highest:.4g}, and from {limit:g} on its derivative is "
            f"below {slope:.2g}"
        )
    if by_end:
        cause += f", on the wrong side: the loss wants {'it' if group.count == 1 else 'them'} back"
    return Finding(
        "saturated",
        cause,
        e.places(group.nodes),
        "smaller inputs or weights: standardised data, glorot_uniform"
        + (
            "; a cross-entropy from logits as loss"
            if by_end
            else "; relu, or normalization before it, in hidden layers"
        ),
    )


def dead_relus(
    e: Examination, flow: dict[Node, tuple[bool, bool]]
) -> tuple[list[Finding], set[Node]]:
    """Report layers in which many relu units are off for every sample.

    Returns: the findings, and the operations that they are about.
    """
    # By part and width: which of its units are ever on, and which ever below 0; a unit that only
    # sees zeros, as where weights start at 0, is not to blame
    on: dict[Any, Any] = {}
    below: dict[Any, Any] = {}
    samples: dict[Any, int] = defaultdict(int)
    nodes: dict[Any, list[Node]] = defaultdict(list)
    for node in e.order:
        x = _rectified(node)
        part = e.layers.part(node)
        if x is None or not (part or flow[node][0]) or not np.size(x):
            continue
        is_neuron = e.layers.is_neuron(part)
        if part is None and np.ndim(x) == 0:
            continue  # a number, of nobody knows which unit
        x = np.reshape(x, (-1, 1 if is_neuron else (np.shape(x) or (1,))[-1]))
        key = (part or (node.index, 0), e.layers.layer(node), x.shape[1])
        on[key] = (x > 0).any(axis=0) | on.get(key, False)
        below[key] = (x < 0).any(axis=0) | below.get(key, False)
        samples[key] += len(x)
        nodes[key].append(node)
    found, said = [], set()
    for layer in {(key[1] or key): None for key in on}:
        keys = [key for key in on if (key[1] or key) == layer]
        off = np.concatenate([below[key] & ~on[key] for key in keys])
        seen, dead = min(samples[key] for key in keys), int(off.sum())
        many = seen >= DEAD_SAMPLES and dead >= DEAD_SHARE * off.size
        if many or dead == off.size:
            about = [node for key in keys for node in nodes[key]]
            said.update(about)
            found.append(_dead(e, dead, off.size, seen, about))
    return found, said


def _dead(e: Examination, dead: int, units: int, samples: int, nodes: list[Node]) -> Finding:
    those = f"all {units} relu units are" if dead == units else f"{dead} of {units} relu units are"
    those = "the relu unit is" if units == 1 else those
    many = f"for every one of {samples:,} inputs" if samples > 1 else "for this input"
    return Finding(
        "dead relu",
        f"{those} off {many}, so that no gradient reaches the weights",
        e.places(nodes),
        "a smaller learning rate, he_normal and a bias of 0 or above to start from; or leaky_relu",
    )


def _rectified(node: Node) -> Any:
    """Return the data that relu, or np.maximum(x, 0), was applied to; None for anything else."""
    name = node.primitive.name if node.primitive else ""
    if name == "relu":
        return data_of(node.x)
    if name == "maximum":
        for x, other in ((node.x, node.y), (node.y, node.x)):
            if not isinstance(other, Node) and not np.any(other):
                return data_of(x)
    return None
