"""Sizes of gradients: NaN and inf, vanishing and exploding, accumulated; and sizes of steps.

The thresholds are chosen so that healthy networks of all kinds, new and trained, stay below them:
users stop reading a tool that raises false alarms.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ..data import Operand, Result, as_data
from ..explanation.names import operation_of
from ..graph import Node, plain
from ..messages import account, listed, made
from ..rules import pull
from ..value import make_leaf
from .examination import Examination, Finding, norm

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
_ZERO = "model.zero_grad(), or p.grad = 0 for each p, before each backward()"


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
    bad = [x for x in first.inputs if not is_finite(x)]
    if bad:
        cause = f"the data hold {which(bad[0])}, and so does all that is computed from them"
        fix = (
            "clean data: np.isfinite(x).all() before training; np.nan_to_num(x), or leave rows out"
        )
        return [Finding("not finite", cause, e.place(first), fix)]
    cause = f"{_at(first)} is {which(first)}: the first number that is not finite"
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
    if all(np.size(x) and np.abs(x).max() > 1e30 for x in map(plain, node.inputs)):
        return _LARGE
    return FIXES.get(operation_of(node), _OTHER_FIX)


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
        cause = (
            f"the gradient becomes {which(d)} at {_at(user, np.isfinite(plain(d)))}, "
            f"from one of {account(g[user])}"
        )
        fix = FIXES.get(operation_of(user), _OTHER_FIX) if norm(g[user]) < 1e30 else _LARGE
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
    return [Finding("accumulated", cause, f"{place}{norm(own[first]):.4g}", _ZERO)]


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
    ratios: dict[str, float] = {}
    groups: dict[str, list[Node]] = defaultdict(list)
    for parameter in moved:
        groups[parameters[parameter] or "parameters"].append(parameter)
    for layer, leaves in groups.items():
        step = math.hypot(*(norm(moved[p] - p._data) for p in leaves))
        size = math.hypot(*(norm(p._data) for p in leaves))
        if size or e is not None:  # from zeros any step is large; only the loss can decide
            ratios[layer] = step / size if size else math.inf if step else 0.0
    if not ratios:
        return []
    layer = max(ratios, key=ratios.__getitem__)
    largest = ratios[layer]
    rate = float(optimizer.current_learning_rate() if hasattr(optimizer, "step") else optimizer)
    place = f"{layer}: update / weights = {largest:.2g}"
    before = after = 0.0
    if e is not None:
        before, after = float(np.sum(e.output._data)), float(np.sum(e.replayed(moved)))
        place += f"; loss of this batch {before:.4g}, after the update {after:.4g}"
    risen = not after - before <= (RISEN_LOSS - 1) * abs(before)
    least = HUGE_UPDATE if e is None else LARGE_UPDATE
    size = math.hypot(*(norm(g) for g in gradients.values()))
    if largest > least and (e is None or risen):
        kind = "large steps"
        why = "overshoots: it changes the weights by more than the gradient can predict"
    elif largest < SMALL_UPDATE and size > SMALL_GRADIENT:
        kind, why = "small steps", "is too small: an update hardly changes the weights"
    else:
        return []
    # At which the update would be of the usual size, if it grows with the rate
    usual = rate * (USUAL_UPDATE / largest if math.isfinite(largest) else 0.1) if rate else 0.001
    fix = f"a learning rate around {float(f'{usual:.0e}'):g}"
    return [Finding(kind, f"learning rate {rate:g} {why}", place, fix)]


def _moved(gradients: Mapping[Node, Result], optimizer: object) -> dict[Node, Result]:
    """Return the data that parameters would have after a step, which is taken on copies."""
    if not hasattr(optimizer, "step"):
        return {p: p._data - optimizer * g for p, g in gradients.items()}
    copies = {}
    for parameter, g in gradients.items():
        copies[parameter] = make_leaf(copy.copy(parameter._data))
        copies[parameter]._gradient = copy.copy(g)
    # The optimizer's state of a parameter becomes that of its copy
    memo = {id(parameter): twin for parameter, twin in copies.items()}
    copy.deepcopy(optimizer, memo).step(list(copies.values()))
    return {parameter: twin._data for parameter, twin in copies.items()}
