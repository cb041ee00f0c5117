"""Updates: gradients that hold more than one backward pass, and steps too large or too small."""

import copy
import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...graph import Node, make_leaf
from . import thresholds
from .examination import Examination, data_of, norm
from .findings import Finding, listed

_ZERO = "model.zero_grad(), or p.grad = 0 for each p, before each backward()"


def accumulated(e: Examination) -> list[Finding]:
    """Report leaves whose `.grad` holds more than this graph's gradient, after its backward().

    Where backward() has not come by, or data have changed since, there is nothing to compare.
    """
    if e.output._gradient is None or not _is_one(e.output._gradient) or _has_changed(e):
        return []
    own = {leaf: e.cotangents[leaf] for leaf in e.leaves if leaf in e.cotangents}
    held = {leaf: data_of(leaf._gradient) for leaf in own if leaf._gradient is not None}
    reached = [leaf for leaf in held if leaf in e.live]
    more = [leaf for leaf in reached if not _equal(held[leaf], own[leaf])]
    if not more or len(more) < len(reached):
        return []  # a part of a larger graph explains it, too
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


def steps(
    parameters: Mapping[Node, str], gradients: Mapping[Node, Any], optimizer: Any, e: Any
) -> list[Finding]:
    """Report a learning rate whose update is too large or too small against the weights.

    Args:    parameters: with the names of their layers.
             gradients: those that the step is taken with.
             optimizer: a learning rate, or what has `step(parameters)`; it stays as it is.
             e: the examination of the loss, on which the step is tried out; None: there is none.
    """
    moved = _moved(gradients, optimizer)
    ratios: dict[str, float] = {}
    groups: dict[str, list[Node]] = defaultdict(list)
    for parameter in moved:
        groups[parameters[parameter] or "parameters"].append(parameter)
    for layer, leaves in groups.items():
        step = math.hypot(*(norm(moved[p] - p._data) for p in leaves))
        size = math.hypot(*(norm(p._data) for p in leaves))
        if size or e is not None:  # from zeros any step is large; only a loss can tell
            ratios[layer] = step / size if size else math.inf if step else 0.0
    if not ratios:
        return []
    layer = max(ratios, key=ratios.__getitem__)
    largest, rate = ratios[layer], _rate(optimizer)
    place = f"{layer}: update / weights = {largest:.2g}"
    before = after = 0.0
    if e is not None:
        before, after = _total(e.output._data), _total(e.replayed(moved))
        place += f"; loss of this batch {before:.4g}, after the update {after:.4g}"
    risen = not after - before <= (thresholds.RISEN_LOSS - 1) * abs(before)
    least = thresholds.HUGE_UPDATE if e is None else thresholds.LARGE_UPDATE
    if largest > least and (e is None or risen):
        why = "overshoots: it changes the weights by more than the gradient can foresee"
        fix = f"a learning rate around {_suggested(rate, largest)}"
        return [Finding("large steps", f"learning rate {rate:g} {why}", place, fix)]
    size = math.hypot(*(norm(g) for g in gradients.values()))
    if largest < thresholds.SMALL_UPDATE and size > thresholds.SMALL_GRADIENT:
        why = "is too small: an update hardly changes the weights"
        fix = f"a learning rate around {_suggested(rate, largest)}"
        return [Finding("small steps", f"learning rate {rate:g} {why}", place, fix)]
    return []


def _moved(gradients: Mapping[Node, Any], optimizer: Any) -> dict[Node, Any]:
    """Return the data that parameters would have after a step, which is taken on copies."""
    if not hasattr(optimizer, "step"):
        return {p: p._data - optimizer * g for p, g in gradients.items()}
    copies = {}
    for parameter, g in gradients.items():
        copies[parameter] = make_leaf(type(parameter), copy.copy(parameter._data))
        copies[parameter]._gradient = copy.copy(g)
    # what the optimizer remembers of a parameter goes to its copy
    memo = {id(parameter): twin for parameter, twin in copies.items()}
    copy.deepcopy(optimizer, memo).step(list(copies.values()))
    return {parameter: twin._data for parameter, twin in copies.items()}


def _rate(optimizer: Any) -> float:
    if not hasattr(optimizer, "step"):
        return float(optimizer)
    return float(optimizer.current_learning_rate())


def _suggested(rate: float, ratio: float) -> str:
    """Return the rate at which the update would be of the usual size, if it goes with the rate."""
    if not rate:
        return "0.001"
    new = rate * (thresholds.USUAL_UPDATE / ratio if math.isfinite(ratio) else 0.1)
    return f"{float(f'{new:.0e}'):g}"


def _has_changed(e: Examination) -> bool:
    """Tell whether leaves hold other data than those the graph was computed with."""
    checked: set[Node] = set()
    for node in e.order:
        leaves = [x for x in node.inputs if isinstance(x, Node) and x.primitive is None]
        if node.primitive is None or not leaves or checked.issuperset(leaves):
            continue
        checked.update(leaves)
        inputs = [data_of(x) for x in node.inputs]
        with np.errstate(all="ignore"):
            now = node.primitive.compute(inputs, node.params or {}, node.inputs)
        if not np.array_equal(now, node._data, equal_nan=True):
            return True
    return False


def _total(data: Any) -> float:
    return float(np.sum(data))


def _is_one(gradient: Any) -> bool:
    return bool(np.all(np.equal(data_of(gradient), 1)))


def _equal(a: Any, b: Any) -> bool:
    return norm(np.subtract(a, b)) <= thresholds.ROUNDING * max(norm(a), norm(b))


def _multiple(a: Any, b: Any) -> int:
    """Return the whole number by which b was multiplied to give a, 0 if there is none."""
    count = round(float(np.vdot(a, b) / np.vdot(b, b)))
    return count if count > 1 and _equal(a, np.multiply(b, count)) else 0
