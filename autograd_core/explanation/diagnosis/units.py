"""Units at their ends: saturated sigmoids and tanhs, and relus that are off for every sample."""

from collections import defaultdict
from typing import Any

import numpy as np

from ...graph import Node
from . import thresholds
from .examination import Examination, data_of
from .findings import Finding


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
        if name in thresholds.SATURATED_FROM:
            is_weighed, meets_loss = flow[node]
            layer = e.layers.layer(node)
            if not is_weighed and not meets_loss and layer:
                continue  # the output of a model, without a loss that tells right from wrong
            by_end = not is_weighed and meets_loss
            g = e.cotangents.get(node, 0.0)
            limit = thresholds.SATURATED_FROM[name]
            groups[name, layer, by_end].add(node, g, limit)
    found, said = [], set()
    for (name, _, by_end), group in groups.items():
        count, least = (
            (group.stuck, thresholds.STUCK_SHARE)
            if by_end
            else (group.flat, thresholds.SATURATED_SHARE)
        )
        if count and count >= least * group.count:
            found.append(_saturation(e, name, group, count, by_end))
            said.update(group.nodes)
    return found, said


def _saturation(e: Examination, name: str, group: _Saturation, count: int, by_end: bool) -> Finding:
    limit = thresholds.SATURATED_FROM[name]
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
        many = seen >= thresholds.DEAD_SAMPLES and dead >= thresholds.DEAD_SHARE * off.size
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
