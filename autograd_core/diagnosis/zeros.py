"""Zero and missing gradients: unused parameters, cut paths, saturated and dead units."""

from collections import Counter, defaultdict
from typing import Any, TypeAlias

import numpy as np

from ..data import Array, Data, Operand
from ..explanation.names import operation_of
from ..graph import Node, plain
from ..messages import listed
from ..primitives.elementwise import equal, greater, greater_equal
from ..rules import pull
from .examination import SUMS, Examination, Finding
from .sizes import (
    UNDERFLOW,
    begun_at,
    fix_of,
    is_finite,
    underflow_before,
    underflows,
    which,
)

# |x| from which sigmoid and tanh count as saturated: their derivative is then below 1 % of its
# largest, 0.25 and 1
SATURATED_FROM = {"sigmoid": 6.0, "tanh": 3.0}

# Share of saturated numbers in a hidden layer. Trained networks use the flat ends as on and off,
# so that half of them may be there
SATURATED_SHARE = 0.7

# Share of outputs that are saturated at the wrong end, where the loss cannot move them. A trained
# network is rarely both wrong and certain; one that starts there is wrong in half
STUCK_SHARE = 0.25

# Share of a layer's relu units that are off for every sample. Units of trained networks are
# selective, and in deep narrow ones, new ones included, half of them are off for a whole batch;
# a few samples are not enough to judge
DEAD_SHARE = 0.75
DEAD_SAMPLES = 8
# Those whose inputs would all have to grow by more than their whole range are lost for good
FAR_SHARE = 0.5

# An operation, and the number of the input to which it passes no gradient
Cut: TypeAlias = tuple[Node, int]

# Number of named values that are traced one by one; the others together, since each may take a
# walk through the graph
TRACED = 20

_NUMBERS_ONLY = ".data, float(), np.asarray(), comparisons and no_grad() drop the graph"
_SMOOTH_STEP = "a smooth function instead: sigmoid, tanh or softplus; steps only to predict"
_LIVE_UNITS = (
    "a smaller learning rate, he_normal and a bias of 0 or above to start from; or leaky_relu"
)
# The reason for a cut, and what to write instead
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
    "mask": (
        "which multiplies by a constant that is 0 throughout, such as a mask",
        "a mask or weights that are not 0 everywhere; a smaller rate of dropout",
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
    "rounded to 0": ("whose result is below the smallest float: underflow", UNDERFLOW),
    "underflow": (
        "where the product of all derivatives so far is below the smallest float",
        "fewer factors below 1: relu or residual connections; a sum of logarithms for a product",
    ),
}
# Choices and other operations whose kind of cut is not a fact of their row
CUTS = {
    "relu": "relu",
    "gate": "relu",
    "maximum": "bound",
    "minimum": "bound",
    "where": "choice",
    **dict.fromkeys(
        ["sigmoid", "tanh", "erf", "erfc", "softplus", "softmax", "log_softmax", "logsumexp"],
        "saturated",
    ),
}


def untracked(output: Operand) -> Finding:
    """Report an output that is a leaf or plain data."""
    what = "a Value that was computed from nothing" if isinstance(output, Node) else "plain data"
    return Finding(
        "plain data",
        f"no gradient can be found: the output is {what}",
        "the output",
        f"Values throughout: {_NUMBERS_ONLY}",
    )


def unused(e: Examination) -> list[Finding]:
    """Report parameters that the output was not computed from."""
    known = set(e.order)
    absent = {leaf: name for leaf, name in e.parameters.items() if leaf not in known}
    if not absent:
        return []
    users = {_content(x): node for node in e.order for x in node.inputs if not isinstance(x, Node)}
    found = []
    for leaf, name in list(absent.items()):
        user = users.get(_content(leaf._data))
        if user is None or _is_common(leaf._data):
            continue
        del absent[leaf]
        cause = f"the gradient of {name} is missing: its numbers are used as plain data, without "
        cause += "the graph"
        fix = f"{name} instead of {name}.data, float({name}) or np.asarray({name})"
        found.append(Finding("plain data", cause, e.place(user), fix))
    if absent:
        it = "it" if len(absent) == 1 else "them"
        entry = _plain_entry(e)
        cause = f"the gradient of {listed(list(absent.values()))} is missing: the output does not "
        cause += f"depend on {it}"
        if entry is not None:
            cause += "; plain numbers that may have been computed from "
            cause += f"{it} enter at {operation_of(entry) or 'the output'}"
        fix = f"compute the output from these parameters, with Values throughout: {_NUMBERS_ONLY}"
        found.append(Finding("unused", cause, e.place(e.output if entry is None else entry), fix))
    return found


def _plain_entry(e: Examination) -> Node | None:
    """Return the first operation on the way to the output that takes numbers of unknown origin.

    Whole numbers, and arrays of one number, are most likely literals.
    """
    plain_numbers = [
        (node, plain(x))
        for node in e.order
        for x in node.inputs
        if not (isinstance(x, Node) and (x.primitive or e.known_name(x) or x in e.parameters))
    ]
    unusual = [node for node, x in plain_numbers if not _is_common(x)]
    whole = [node for node, _ in plain_numbers if operation_of(node) not in ("power", "divide")]
    return next(iter(unusual + whole), None)


def _content(data: Data) -> Operand:
    """Return a key of a constant: of a float the object, of an array, which is copied, its data."""
    return id(data) if isinstance(data, float) else (data.shape, data.dtype.char, data.tobytes())


def _is_common(data: Data) -> bool:
    """Return whether other constants may be the same: whole literals, arrays of one number."""
    return data.is_integer() if isinstance(data, float) else bool((data == data.flat[:1]).all())


# Paths that are cut


def cut_off(e: Examination) -> list[Finding]:
    """Report leaves all of whose paths to the output are cut, with the cuts."""
    merged: dict[tuple[str, frozenset[Node]], tuple[list[str], list[Node]]] = {}
    for names, leaves in _groups(e):
        kinds = {cut: _kind(e, *cut) for cut in _cuts(e, leaves)}
        kind = Counter(kinds.values()).most_common(1)[0][0]
        nodes = list(dict.fromkeys(node for (node, _), each in kinds.items() if each == kind))
        # The node itself, or the one whose zeros it multiplies
        involved = [{node, *[x for x in node.inputs if isinstance(x, Node)]} for node in nodes]
        is_met = (  # the loss of a model is 0, and cuts the paths itself: the model has learnt
            (e.model is not None or e.layers.has_modules)
            and not np.any(e.output._data)
            and kind != "mask"
            and all(e.layers.part(node) is None for node in nodes)
        )
        if not (is_met or all(e.reported & each for each in involved)):
            merged.setdefault((kind, frozenset(nodes)), ([], nodes))[0].extend(names)
    return [_report(e, kind, names, nodes) for (kind, _), (names, nodes) in merged.items()]


def _report(e: Examination, kind: str, names: list[str], nodes: list[Node]) -> Finding:
    place = e.places(nodes)
    if kind == "overflow":
        origin = begun_at(_infinite(nodes[0])[0])
        why, fix = f"which meets {which(origin)}", fix_of(origin)
        place += f"; {which(origin)} comes from {e.place(origin)}"
    else:
        why, fix = _KINDS[kind]
    if kind != "cancelled":
        primitive = nodes[0].primitive
        name = primitive.name if primitive else "value"
        why = f"every path to the output is cut at {name}, {why}"
    return Finding("cut", f"the gradient of {listed(names)} is 0: {why}", place, fix)


def _infinite(node: Node) -> list[Node]:
    """Return the inputs that hold NaN or inf."""
    return [x for x in node.inputs if isinstance(x, Node) and not is_finite(x)]


def _groups(e: Examination) -> list[tuple[list[str], list[Node]]]:
    """Return the leaves without gradient that are worth a report, in groups.

    In a network single weights often have gradient 0: those of a unit that is off, or of an input
    that is 0. So there only whole layers count. In every graph named leaves count, and the case
    that no leaf at all is reached.
    """

    def is_dead(leaf: Node) -> bool:
        return leaf in e.uses and leaf not in e.live

    named = [*([] if e.model is not None else e.parameters), *(x for x in e.leaves if x.label)]
    dead = [leaf for leaf in dict.fromkeys(named) if is_dead(leaf)]
    groups = [([e.name(leaf)], [leaf]) for leaf in dead[:TRACED]]
    if dead[TRACED:]:
        groups.append(([e.name(leaf) for leaf in dead[TRACED:]], dead[TRACED:]))
    if e.model is not None:
        layers = defaultdict(list)
        for leaf, layer in e.trained().items():
            layers[layer].append(leaf)
        for layer, leaves in layers.items():
            used = [leaf for leaf in leaves if leaf in e.uses]
            if used and all(map(is_dead, used)):
                groups.append(([layer], used))
    elif not groups and all(map(is_dead, e.leaves)):
        groups = [([e.name(leaf) for leaf in e.leaves], e.leaves)]
    elif not groups:
        missing = [leaf for leaf in e.leaves if leaf not in e.cotangents]
        steps = [x for x in missing if {_kind(e, *cut) for cut in _cuts(e, [x])} == {"step"}]
        groups = [([e.name(leaf) for leaf in steps], steps)] if steps else []
    return groups


def _cuts(e: Examination, leaves: list[Node]) -> list[Cut]:
    """Return where the paths from leaves first meet an operation that a gradient does reach."""
    found = []
    stack, seen = list(leaves), set(leaves)
    while stack:
        for node, i in e.uses.get(stack.pop(), []):
            if node in e.live:
                found.append((node, i))
            elif node not in seen:
                seen.add(node)
                stack.append(node)
    return sorted(found, key=lambda cut: cut[0].index)


def _kind(e: Examination, node: Node, i: int) -> str:
    """Return why an operation that a gradient reaches passes none of it to its input i."""
    g = e.cotangents[node]
    d = pull(node, i, g)
    primitive: Any = node.primitive
    if d is None:
        if not primitive.elementwise or (any(primitive.rules) and not primitive.chooses):
            return "no rule"
        is_mask = primitive.chooses or primitive in (greater, greater_equal, equal)
        return "comparison" if is_mask else "step"
    if np.any(d):
        least = np.finfo(getattr(node.inputs[i], "dtype", np.float64)).smallest_subnormal
        return "cancelled" if np.abs(d).max() >= least else "underflow"
    if _infinite(node):
        return "overflow"
    if np.any(pull(node, i, g / np.abs(g).max())):
        return "underflow"
    x = plain(node.inputs[i])
    others = [plain(y) for y in node.inputs if y is not node.inputs[i]]
    name = primitive.table_name
    if name == "maximum" and others and not np.any(others[0]):
        return "relu"
    has_minimum = not others or name in ("power", "hypot")
    if has_minimum and np.size(x) and not np.any(x):
        return "stationary"
    if name in CUTS:
        return CUTS[name]
    # Linear in an input, with factors from another
    count = 2 if primitive.each is not None else sum(rule is not None for rule in primitive.rules)
    if underflows(node) or underflow_before(node):
        return "rounded to 0"
    if not (primitive.linear and count > 1 and primitive not in SUMS):
        return "flat"
    other = node.inputs[1 - i] if len(node.inputs) == 2 else node
    is_data = not isinstance(other, Node) or (
        other.primitive is None and other not in e.parameters and not e.known_name(other)
    )
    return "mask" if name == "multiply" and is_data else "factor"


# Units at their ends


def saturated(e: Examination) -> list[Finding]:
    """Report layers of sigmoids or tanhs that work on their flat ends.

    Outputs may be saturated. They are stuck only if the loss pulls them back.
    """
    groups: dict[tuple[str, str, bool], list[Node]] = defaultdict(list)
    for node in e.order:
        name = operation_of(node)
        if name in SATURATED_FROM:
            is_weighed, meets_loss = e.flow[node]
            layer = e.layers.layer(node)
            if is_weighed or meets_loss or not layer:  # else the output of a model, without a loss
                groups[name, layer, not is_weighed and meets_loss].append(node)
    found = []
    for (name, _, by_end), nodes in groups.items():
        x = np.concatenate([np.ravel(plain(node.x)) for node in nodes])
        flat = np.abs(x) >= SATURATED_FROM[name]
        if by_end:  # only where the loss falls towards the other end
            gradients = [np.broadcast_to(e.cotangents.get(n, 0.0), n.shape).ravel() for n in nodes]
            flat &= x * np.concatenate(gradients) > 0
        if flat.any() and flat.sum() >= (STUCK_SHARE if by_end else SATURATED_SHARE) * x.size:
            found.append(_saturation(e, name, nodes, x, int(flat.sum()), by_end))
            e.reported.update(nodes)
    return found


def _saturation(
    e: Examination, name: str, nodes: list[Node], x: Array, count: int, by_end: bool
) -> Finding:
    limit = SATURATED_FROM[name]
    at_most = limit if x.size > 1 else abs(float(x[0]))
    slope = 1 / np.cosh(at_most) ** 2 if name == "tanh" else 0.25 / np.cosh(at_most / 2) ** 2
    if x.size == 1:
        cause = f"{name} is saturated: at {x[0]:.6g} its derivative is {slope:.2g}"
    else:
        cause = (
            f"{name} is saturated in {count:,} of {x.size:,} numbers: its inputs lie from "
            f"{x.min():.4g} to {x.max():.4g}, and from {limit:g} on its derivative is "
            f"below {slope:.2g}"
        )
    fix = "smaller inputs or weights: standardised data, glorot_uniform"
    if by_end:
        cause += f", on the wrong side: the loss wants {'it' if x.size == 1 else 'them'} back"
        fix += "; a cross-entropy from logits as loss"
    else:
        fix += "; relu, or normalization before it, in hidden layers"
    return Finding("saturated", cause, e.places(nodes), fix)


def dead_relus(e: Examination) -> list[Finding]:
    """Report layers in which many relu units are off for every sample."""
    # By part and width. A unit that only gets zeros, as when weights start at 0, is not the cause
    inputs: dict[Any, list[Array]] = defaultdict(list)
    nodes: dict[object, list[Node]] = defaultdict(list)
    for node in e.order:
        x = _rectified(node)
        part = e.layers.part(node)
        if x is None or not (part or e.flow[node][0]) or not np.size(x):
            continue
        is_neuron = e.layers.is_neuron(part)
        if part is None and np.ndim(x) == 0:
            continue  # the unit of a single number is not known
        x = np.reshape(x, (-1, 1 if is_neuron else (np.shape(x) or (1,))[-1]))
        key = (part or (node.index, 0), e.layers.layer(node), x.shape[1])
        inputs[key].append(x)
        nodes[key].append(node)
    found = []
    for layer in dict.fromkeys(key[1] or key for key in inputs):
        keys = [key for key in inputs if (key[1] or key) == layer]
        got = [np.concatenate(inputs[key]) for key in keys]
        off = np.concatenate([(x < 0).any(axis=0) & ~(x > 0).any(axis=0) for x in got])
        far = np.concatenate([-x.max(axis=0) > np.ptp(x, axis=0) for x in got])
        seen, dead = min(map(len, got)), int(off.sum())
        many = seen >= DEAD_SAMPLES and (
            dead >= DEAD_SHARE * off.size or (off & far).sum() > FAR_SHARE * off.size
        )
        if many or dead == off.size:
            about = [node for key in keys for node in nodes[key]]
            e.reported.update(about)
            units = "the relu unit is" if off.size == 1 else f"all {off.size} relu units are"
            if dead < off.size:
                units = f"{dead} of {off.size} relu units are"
            when = f"for every one of {seen:,} inputs" if seen > 1 else "for this input"
            cause = f"{units} off {when}, so that no gradient reaches the weights"
            found.append(Finding("dead relu", cause, e.places(about), _LIVE_UNITS))
    return found


def _rectified(node: Node) -> Any:
    """Return the data that relu, or np.maximum(x, 0), was applied to; None for anything else."""
    if operation_of(node) == "relu":
        return plain(node.x)
    if operation_of(node) == "maximum":
        for x, other in ((node.x, node.y), (node.y, node.x)):
            if not isinstance(other, Node) and not np.any(other):
                return plain(x)
    return None
