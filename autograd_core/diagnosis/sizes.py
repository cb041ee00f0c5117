"""Sizes of gradients: NaN and inf, vanishing and exploding, accumulated; and sizes of steps.

The thresholds are chosen so that healthy networks of all kinds, new and trained, stay below them:
users stop reading a tool that raises false alarms.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Mapping
from contextvars import Context
from itertools import pairwise
from typing import Any

import numpy as np

from ..backprop import seed, sweep
from ..data import Operand, Result, as_data
from ..explanation.names import operation_of
from ..graph import Node, plain
from ..messages import account, listed, made
from ..rules import pull
from ..value import make_leaf
from .examination import Examination, Finding, norm, twins

# Values that are not finite of which each is tried as the cause of a NaN in the output
TRIED = 20

# Ratio of gradients between first and last layer. Networks whose layers learn at one pace stay
# within a factor of 100; three sigmoid layers lose a factor of 10 to 100, ten a million
LAYER_RATIO = 1e3

# In graphs without layers: ratio of a leaf's gradient to that of the output, and the least number
# of operations that share in it
PATH_RATIO = 1e6
PATH_STEPS = 5

# Relative difference of gradients that counts as rounding; float32 has 6e-8
ROUNDING = 1e-3

# Norm of the update relative to the weights. 0.001 is the rule of thumb. One above 0.2 is too
# large if the loss of the same batch then more than doubles: on small batches, whose loss is soon
# small, right steps do raise it now and then
USUAL_UPDATE = 1e-3
LARGE_UPDATE = 0.2
RISEN_LOSS = 2.0

# Without a loss on which to try the update, only one larger than the weights counts
HUGE_UPDATE = 1.0

# Share of each weight that weight decay takes off in a step; usual are 0.0001 and less
LARGE_DECAY = 0.02

# Options of an optimizer that hold gradients to a size
CLIPPING = ("clipvalue", "clipnorm", "global_clipnorm")

# Further steps on this batch, of which the last ones raise the loss each time, and all together by
# this factor, if the learning rate is just above the largest that converges; and the number of
# nodes up to which they are tried
FURTHER_STEPS = 16
LAST_STEPS = 8
CLIMBED_LOSS = 1.1
MOST_NODES = 5000

# Smaller updates change nothing within a training of usual length. If the gradient itself is
# small, the network has learnt
SMALL_UPDATE = 1e-6
SMALL_GRADIENT = 1e-3

_LOG = "np.log(x + 1e-12), or what is stable: log_softmax, logsumexp, softplus"
_DIVIDE = "a denominator that cannot be 0: y + 1e-12, or np.where(y == 0, 1, y) before it"
FIXES = {
    "log": _LOG,
    "log2": _LOG,
    "log10": _LOG,
    "divide": _DIVIDE,
    "reciprocal": _DIVIDE,
    "sqrt": "np.sqrt(x + 1e-12)",
    "exp": "log_softmax or logsumexp of the logits, softmax, sigmoid or softplus, which do not "
    "overflow; or smaller inputs",
    "power": "a base above 0, such as x + 1e-12, and smaller exponents",
    **dict.fromkeys(["arcsin", "arccos"], "np.clip(x, -1 + 1e-7, 1 - 1e-7) before it"),
}
# Where an input is below 0, to which a small number does not help
_BELOW_ZERO = {
    **dict.fromkeys(["log", "log2", "log10"], "np.log(np.maximum(x, 1e-12)), or inputs above 0"),
    "sqrt": "np.sqrt(np.maximum(x, 1e-12)), or inputs from 0",
    "power": "np.maximum(x, 1e-12) as base, or a whole number as exponent",
}
_OTHER_FIX = "operands inside the domain, or np.where(condition, safe, ...) before the operation"
_NEW = "new weights, and a smaller learning rate, if training led there; clean data if it is data"
_LARGE = "smaller inputs, weights or learning rate, so that numbers stay within the floats"
_VANISHING = (
    "relu instead of sigmoid and tanh, he_normal or glorot_uniform to start from, "
    "BatchNormalization or residual connections, fewer layers"
)
_EXPLODING = (
    "smaller weights to start from (glorot_uniform, orthogonal), normalization between layers, "
    "clipnorm=1.0 in the optimizer"
)
_FACTORS = "factors near 1: relu for tanh and sigmoid, smaller or larger weights; fewer steps"
ZERO = "model.zero_grad(), or p.grad = 0 for each p, before each backward()"


# NaN and inf


def forward(e: Examination) -> list[Finding]:
    """Report the first number that is not finite among the causes of a NaN or inf output."""
    node = e.output
    if is_finite(node):
        bad = [leaf for leaf in e.leaves if not is_finite(leaf) and leaf in e.parameters]
        return [_of_leaf(e, leaf) for leaf in bad[:1]]
    first = _origin(e, begun_at(node))
    if first.primitive is None:
        return [_of_leaf(e, first)]
    if not all(is_finite(x) for x in first.inputs):
        return [_of_data(e, first)]
    small = underflow_before(first)
    if small is not None:
        return [_underflow(e, small)]
    cause = f"{_at(first)} is {which(first)}: the first number that is not finite"
    if _overflows(first) and _is_single(first):
        cause += f"; the largest float32 is {np.finfo(np.float32).max:.2g}"
    return [Finding("not finite", cause, e.place(first), fix_of(first))]


def begun_at(node: Node) -> Node:
    """Return the first of an unbroken chain of nodes that are not finite and end in this one."""
    found, stack = {node}, [node]
    while stack:
        for x in stack.pop().inputs:
            if isinstance(x, Node) and x not in found and not is_finite(x):
                found.add(x)
                stack.append(x)
    return min(found, key=lambda node: node.index)


def fix_of(node: Node) -> str:
    """Return what to write instead of an operation that gave NaN or inf, or of such data."""
    if node.primitive is None:
        return _NEW
    name = operation_of(node)
    if name != "exp" and _overflows(node):
        return _LARGE + ("; float64 for float32" if _is_single(node) else "")
    if name in _BELOW_ZERO and np.min(plain(node.inputs[0])) < 0:
        return _BELOW_ZERO[name]
    return FIXES.get(name, _OTHER_FIX)


def _is_single(node: Node) -> bool:
    """Return whether an operation computed in float32. A single number is a Python float after."""
    return any(isinstance(x, Node) and x.dtype == np.float32 for x in node.inputs)


def _overflows(node: Node) -> bool:
    """Return whether finite operands gave an inf that is no pole, as 1 / 0 and log(0) are."""
    if operation_of(node) in ("log", "log2", "log10", "log1p", "divide", "reciprocal", "power"):
        denominator = plain(node.inputs[1 if operation_of(node) == "divide" else 0])
        if operation_of(node).startswith("log") or not np.all(denominator):
            return False
    return bool(np.isinf(node._data).any()) and all(is_finite(x) for x in node.inputs)


# Numbers that are too small


def underflow_before(node: Node) -> Node | None:
    """Return the operation that rounded a number to 0 which a node has an input from, or None."""
    stack = [x for x in node.inputs if isinstance(x, Node) and not np.all(x._data)]
    seen = set(stack)
    while stack:
        x = stack.pop()
        if underflows(x):
            return x
        for y in x.inputs:
            if isinstance(y, Node) and y not in seen and not np.all(y._data):
                seen.add(y)
                stack.append(y)
    return None


def underflows(node: Node) -> bool:
    """Return whether an operation gave 0 where it only does because floats end."""
    inputs = [plain(x) for x in node.inputs]
    if operation_of(node) in ("exp", "exp2"):
        return bool(np.any((node._data == 0) & np.isfinite(inputs[0])))
    if operation_of(node) in ("multiply", "divide", "power", "square"):
        is_nonzero = [(x != 0) & np.isfinite(x) for x in map(np.asarray, inputs)]
        return bool(np.any((node._data == 0) & np.all(np.broadcast_arrays(*is_nonzero), axis=0)))
    return operation_of(node) == "prod" and not np.any(node._data) and bool(np.all(inputs[0]))


UNDERFLOW = (
    "a sum of logarithms for a product, np.log(p).sum() for np.log(np.prod(p)); log_softmax or "
    "logsumexp for np.log of np.exp; smaller sizes before exp"
)


def _underflow(e: Examination, node: Node) -> Finding:
    kind = "float32" if _is_single(node) else "float64"
    smallest = np.finfo(kind).smallest_subnormal
    cause = f"underflow: {made(node)} is below the smallest {node.dtype}, {smallest:.2g}, and so 0"
    return Finding("underflow", cause, e.place(node), UNDERFLOW)


def _of_data(e: Examination, node: Node) -> Finding:
    """Report data that were not finite before anything was computed from them."""
    bad = next(x for x in node.inputs if not is_finite(x))
    is_target = not e.layers.layer(node) and e.layers.has_modules
    cause = f"the data hold {which(bad)}, and so does all that is computed from them"
    if is_target:
        cause += "; they enter after the layers, as targets do"
    fix = "clean data: np.isfinite(x).all() before training; np.nan_to_num(x), or leave rows out"
    return Finding("not finite", cause, e.place(node), fix)


def _origin(e: Examination, first: Node) -> Node:
    """Return the node that made the output inf or NaN: 1 / inf is a finite 0, whose log is -inf.

    Args:    first: the first node of the unbroken chain that ends in the output.
    """
    earlier = [
        node
        for node in e.order
        if node.index < first.index
        and not is_finite(node)
        and all(is_finite(x) for x in node.inputs if isinstance(x, Node))
    ]
    output = e.replayed({})
    for node in earlier[:TRIED]:
        other = as_data(np.nan_to_num(node._data, nan=1.0, posinf=1.0, neginf=-1.0))
        if not np.array_equal(e.replayed({node: other}), output, equal_nan=True):
            return node
    return first


def backward(e: Examination) -> list[Finding]:
    """Report the operation whose derivative gave the first gradient that is not finite."""
    g = e.cotangents
    if all(is_finite(g.get(leaf, 0.0)) for leaf in e.leaves):
        return []
    first = next(node for node in reversed(e.order) if not is_finite(g.get(node, 0.0)))
    for user, i in e.uses.get(first, []):
        d = pull(user, i, g[user]) if user in g else None
        if d is None or is_finite(d):
            continue
        if any(not is_finite(x) and not isinstance(x, Node) for x in user.inputs):
            return [_of_data(e, user)]
        cause = (
            f"the gradient becomes {which(d)} at {_at(user, np.isfinite(plain(d)))}, "
            f"from one of {account(g[user])}"
        )
        fix = fix_of(user) if norm(g[user]) < 1e30 else _LARGE
        return [Finding("not finite", cause, e.place(user), fix)]
    cause = f"the gradient of {account(first)} is {which(g[first])}, the sum of its contributions"
    return [Finding("not finite", cause, e.place(first), _LARGE)]


def _of_leaf(e: Examination, leaf: Node) -> Finding:
    name = e.known_name(leaf) or "an input"
    cause = f"{name} holds {which(leaf)}, and so does all that is computed from it"
    return Finding("not finite", cause, e.place(leaf), fix_of(leaf))


def is_finite(x: Operand) -> bool:
    """Return whether a node or constant holds neither NaN nor inf."""
    return bool(np.isfinite(plain(x)).all())


def which(x: Operand) -> str:
    """Return which of NaN and inf a node, constant or gradient holds."""
    data = plain(x)
    return "NaN" if np.isnan(data).any() else "inf" if np.any(np.equal(data, np.inf)) else "-inf"


def _at(node: Node, finite: Operand = None) -> str:
    """Return an operation with the operands of the first element that is not finite."""
    finite = np.isfinite(node._data) if finite is None else finite
    primitive, shape = node.primitive, node.shape
    if primitive is None or not primitive.elementwise or not shape or np.shape(finite) != shape:
        return made(node)
    index = tuple(int(i) for i in np.argwhere(~finite)[0])
    operands = []
    for x in node.inputs:
        label = f"{x.label} = " if getattr(x, "label", None) else ""
        operands.append(f"{label}{np.broadcast_to(plain(x), shape)[index]:.6g}")
    return f"{primitive.name} of {' and '.join(operands)} at {list(index)}"


# Vanishing and exploding gradients


def by_layer(e: Examination) -> list[Finding]:
    """Report gradients that shrink or grow from the last layer to the first.

    Gradients of weights are products of signals and gradients of outputs. If one grows as the
    other shrinks, they are all of one size: so gradients of outputs are compared, too.
    """
    trained = {leaf: layer for leaf, layer in e.trained().items() if leaf in e.cotangents and layer}
    depth: dict[str, int] = {}
    for leaf, layer in trained.items():
        depth[layer] = min(depth.get(layer, e.output.index), e.layers.first_use(leaf))
    if not depth:
        return _by_operation(e)
    first_to_last = sorted(depth, key=depth.__getitem__)
    of_weights: dict[str, list[float]] = {layer: [] for layer in first_to_last}
    of_outputs: dict[str, list[float]] = {layer: [] for layer in first_to_last}
    for leaf, layer in trained.items():
        of_weights[layer].append(norm(e.cotangents[leaf]))
    for node, layer in _outputs(e):
        if layer in of_outputs:
            of_outputs[layer].append(norm(e.cotangents[node]))
    return compared(of_weights) or compared(of_outputs, "outputs")


def _outputs(e: Examination) -> set[tuple[Node, str]]:
    """Return the nodes that one layer passes to another, with their layers."""
    layer_of = {node: e.layers.layer(node) for node in e.order if node.primitive is not None}
    found = {(e.output, layer_of.get(e.output, ""))}
    for node, layer in layer_of.items():
        for x in node.inputs:
            if isinstance(x, Node) and x in e.live and layer_of.get(x, layer) != layer:
                found.add((x, layer_of[x]))
    return found


def compared(norms: dict[str, list[float]], what: str = "weights") -> list[Finding]:
    """Report layers whose gradients differ too much in size.

    Args:    norms: of the gradients by layer, first layer first.
             what: the gradients are of: the layers' weights, or outputs.
    """
    sizes = {layer: math.hypot(*each) for layer, each in norms.items()}
    sizes = {layer: size for layer, size in sizes.items() if size and math.isfinite(size)}
    if len(sizes) < 3:  # two layers differ for many reasons, such as the size of the data
        return []
    at_first, *_, at_last = sizes.values()
    ratio = at_first / at_last
    if 1 / LAYER_RATIO < ratio < LAYER_RATIO:
        return []
    step = ratio ** (1 / (len(sizes) - 1))
    kind, verb, fix = (
        ("vanishing", "vanish", _VANISHING) if ratio < 1 else ("exploding", "explode", _EXPLODING)
    )
    cause = (
        f"gradients {verb} on their way back: that of the {what} is of size {at_last:.2g} in the "
        f"last layer and {at_first:.2g} in the first, {_factor(ratio)} in all and {_factor(step)} "
        "from layer to layer"
    )
    # At most nine layers, evenly chosen, first and last among them
    chosen = {round(i) for i in np.linspace(0, len(sizes) - 1, min(len(sizes), 9))}
    shown = [row for i, row in enumerate(sizes.items()) if i in chosen]
    return [Finding(kind, cause, ", ".join(f"{layer}: {size:.1e}" for layer, size in shown), fix)]


def _by_operation(e: Examination) -> list[Finding]:
    """Report, in a graph without layers, a gradient that many operations shrank or blew up."""
    sizes = {leaf: norm(e.cotangents[leaf]) for leaf in e.leaves if leaf in e.live}
    whole = norm(e.cotangents[e.output])
    for kind, verb, sign in (("vanishing", "vanishes", -1), ("exploding", "explodes", 1)):
        leaf = max(sizes, key=lambda leaf: sign * sizes[leaf], default=e.output)
        reach = sign * math.log(sizes.get(leaf, whole) / whole)
        if reach < math.log(PATH_RATIO):
            continue
        path = _path(e, leaf, sign)
        at = [norm(e.cotangents[node]) for node in path]
        factors = [sign * math.log(low / high) for low, high in pairwise(at)]
        steps = [node for node, each in zip(path[1:], factors, strict=True) if each > 0.01]
        if len(steps) < PATH_STEPS or max(factors) > reach / 2:
            continue  # one large factor is a matter of units, many are a matter of the formula
        each = _factor(math.exp(sign * reach / len(steps)))
        cause = (
            f"the gradient {verb} on its way back to {e.name(leaf)}: from {at[-1]:.2g} to "
            f"{at[0]:.2g} in {len(steps)} operations, {each} in each"
        )
        return [Finding(kind, cause, e.places(steps[::-1]), _FACTORS)]
    return []


def _path(e: Examination, leaf: Node, sign: int) -> list[Node]:
    """Return a path from a leaf to the output, along the largest or smallest gradients."""
    path = [leaf]
    while users := [user for user, _ in e.uses.get(path[-1], []) if user in e.live]:
        path.append(max(users, key=lambda node: sign * norm(e.cotangents[node])))
    return path


def _factor(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio >= 1 else f"1/{1 / ratio:.2g}"


# Accumulated gradients, and steps


def accumulated(e: Examination) -> list[Finding]:
    """Report leaves whose `.grad` holds more than this graph's gradient, after its backward().

    Before backward(), or if data have changed since, there is nothing to compare.
    """
    g = e.output._gradient
    if g is None or not np.all(np.equal(plain(g), 1)) or _has_changed(e):
        return []
    own = {leaf: e.cotangents[leaf] for leaf in e.leaves if leaf in e.cotangents}
    held = {leaf: plain(leaf._gradient) for leaf in own if leaf._gradient is not None}
    reached = [leaf for leaf in held if leaf in e.live]
    more = [leaf for leaf in reached if not _equal(held[leaf], own[leaf])]
    if not more or len(more) < len(reached):
        return []  # this graph may be a part of a larger one
    names = listed([e.name(leaf) for leaf in more])
    times = {_multiple(held[leaf], own[leaf]) for leaf in more}
    count = times.pop() if len(times) == 1 else 0
    what = (
        f"is {count} times that of this graph: backward() was called {count} times"
        if count > 1
        else "is not that of this graph: it holds what earlier backward passes have left there"
    )
    first = max(more, key=lambda leaf: norm(held[leaf]))
    place = f"{e.name(first)}: .grad of size {norm(held[first]):.4g}, of this graph alone "
    cause = f"the gradient of {names} {what}, and each adds to what is there"
    return [Finding("accumulated", cause, f"{place}{norm(own[first]):.4g}", ZERO)]


def _has_changed(e: Examination) -> bool:
    """Return whether leaves hold other data than those the graph was computed with."""
    checked: set[Node] = set()
    for node in e.order:
        leaves = [x for x in node.inputs if isinstance(x, Node) and x.primitive is None]
        if node.primitive is None or not leaves or checked.issuperset(leaves):
            continue
        checked.update(leaves)
        inputs = [plain(x) for x in node.inputs]
        with np.errstate(all="ignore"):
            now = node.primitive.compute(inputs, node.params or {}, node.inputs)
        if not np.array_equal(now, node._data, equal_nan=True):
            return True
    return False


def _equal(a: Operand, b: Operand) -> bool:
    return norm(np.subtract(a, b)) <= ROUNDING * max(norm(a), norm(b))


def _multiple(a: Operand, b: Operand) -> int:
    """Return the whole number by which b was multiplied to give a, 0 if there is none."""
    count = round(float(np.vdot(a, b) / np.vdot(b, b)))
    return count if count > 1 and _equal(a, np.multiply(b, count)) else 0


def steps(
    parameters: Mapping[Node, str],
    gradients: Mapping[Node, Result],
    optimizer: Any,
    e: Examination | None,
) -> list[Finding]:
    """Report a learning rate whose update is too large or too small relative to the weights.

    Args:    parameters: with the names of their layers.
             gradients: those that the step is taken with.
             optimizer: a learning rate, or an object with `step(parameters)`, of which a copy is
             used.
             e: the examination of the loss, on which the step is tried; or None.
    """
    moved = _moved(gradients, optimizer)
    layer, largest = _largest_update(parameters, moved, e is not None)
    if not layer:
        return []
    rate = float(optimizer.current_learning_rate() if hasattr(optimizer, "step") else optimizer)
    place = f"{layer}: update / weights = {largest:.2g}"
    before = after = 0.0
    if e is not None:
        before, after = float(np.sum(e.output._data)), float(np.sum(e.replayed(moved)))
        place += f"; loss of this batch {before:.4g}, after the update {after:.4g}"
    risen = not after - before <= (RISEN_LOSS - 1) * abs(before)
    least = HUGE_UPDATE if e is None else LARGE_UPDATE
    size = math.hypot(*(norm(g) for g in gradients.values()))
    is_large = largest > least and (e is None or risen)
    is_small = largest < SMALL_UPDATE and size > SMALL_GRADIENT
    decay = rate * (getattr(optimizer, "weight_decay", None) or 0.0)
    if decay > LARGE_DECAY:
        cause = f"weight_decay={decay / rate:g} takes {decay:.2g} of each weight off in a step"
        return [Finding("weight decay", cause, place, "weight_decay=0.01 or smaller")]
    for name in CLIPPING if is_small else ():
        limit = getattr(optimizer, name, None)
        if not limit:
            continue
        free = copy.copy(optimizer)
        setattr(free, name, None)
        _, larger = _largest_update(parameters, _moved(gradients, free), e is not None)
        if larger > SMALL_UPDATE:
            cause = (
                f"{name}={limit:g} cuts gradients of size {size:.2g} down, so that an update "
                "hardly changes the weights"
            )
            return [Finding("small steps", cause, place, f"{name}=1.0, or none")]
    if is_large:
        kind = "large steps"
        why = "overshoots: it changes the weights by more than the gradient can predict"
    elif is_small:
        kind, why = "small steps", "is too small: an update hardly changes the weights"
    elif e is not None and _climbs(e, gradients, optimizer, before):
        cause = f"learning rate {rate:g} is above the limit: further steps raise the loss each time"
        return [Finding("large steps", cause, place, f"a learning rate of {rate / 2:.2g} or less")]
    else:
        return []
    # At which the update would be of the usual size, if it grows with the rate
    usual = rate * (USUAL_UPDATE / largest if math.isfinite(largest) else 0.1) if rate else 0.001
    fix = f"a learning rate around {float(f'{usual:.0e}'):g}"
    return [Finding(kind, f"learning rate {rate:g} {why}", place, fix)]


def _largest_update(
    parameters: Mapping[Node, str], moved: Mapping[Node, Result], from_zero: bool
) -> tuple[str, float]:
    """Return the layer with the largest update relative to its weights, and this ratio.

    Args:    from_zero: count layers of zeros, too: from there any step is large, and only the loss
             can decide.
    """
    groups: dict[str, list[Node]] = defaultdict(list)
    for parameter in moved:
        groups[parameters[parameter] or "parameters"].append(parameter)
    ratios: dict[str, float] = {}
    for layer, leaves in groups.items():
        step = math.hypot(*(norm(moved[p] - p._data) for p in leaves))
        size = math.hypot(*(norm(p._data) for p in leaves))
        if size or from_zero:
            ratios[layer] = step / size if size else math.inf if step else 0.0
    layer = max(ratios, key=ratios.__getitem__, default="")
    return layer, ratios.get(layer, 0.0)


def _climbs(
    e: Examination, gradients: Mapping[Node, Result], optimizer: Any, before: float
) -> bool:
    """Return whether the loss of this batch only rises in the end, in further steps on copies."""
    if len(e.order) > MOST_NODES:
        return False
    rule, copies = _copied(gradients, optimizer)
    losses = [before]
    for _ in range(FURTHER_STEPS):
        _take(rule, copies)
        nodes = twins(e.order, {p: twin._data for p, twin in copies.items()})
        output = nodes[e.output]
        losses.append(float(np.sum(output._data)))
        if not math.isfinite(losses[-1]):
            break
        found = Context().run(sweep, list(nodes.values()), seed(output, e.weights))
        for p, twin in copies.items():
            twin._gradient = found.get(nodes[p], 0.0 * twin._data)
    last = losses[-LAST_STEPS - 1 :]
    rises = all(not later <= earlier for earlier, later in pairwise(last))
    return rises and not losses[-1] - before <= (CLIMBED_LOSS - 1) * abs(before)


def _copied(gradients: Mapping[Node, Result], optimizer: Any) -> tuple[Any, dict[Node, Node]]:
    """Return copies of an optimizer with its state, and of parameters with these gradients."""
    copies: dict[Node, Node] = {}
    for parameter, g in gradients.items():
        copies[parameter] = make_leaf(copy.copy(parameter._data))
        copies[parameter]._gradient = copy.copy(g)
    # The optimizer's state of a parameter becomes that of its copy
    memo = {id(parameter): twin for parameter, twin in copies.items()}
    return copy.deepcopy(optimizer, memo), copies


def _take(rule: Any, copies: Mapping[Node, Node]) -> None:
    """Take a step of an optimizer, or of a learning rate, on copies."""
    if hasattr(rule, "step"):
        for twin in copies.values():
            twin.stepped = 0
        rule.step(list(copies.values()))
    else:
        for twin in copies.values():
            twin._data = twin._data - rule * plain(twin._gradient)


def _moved(gradients: Mapping[Node, Result], optimizer: Any) -> dict[Node, Result]:
    """Return the data that parameters would have after a step."""
    rule, copies = _copied(gradients, optimizer)
    _take(rule, copies)
    return {parameter: twin._data for parameter, twin in copies.items()}
