"""Sizes of gradients: vanishing and exploding, layer by layer or operation by operation."""

import math
from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np

from ...graph import Node
from . import thresholds
from .examination import Examination, norm
from .findings import Finding

_VANISHING = (
    "relu in place of sigmoid and tanh, he_normal or glorot_uniform to start from, "
    "BatchNormalization or residual connections, fewer layers"
)
_EXPLODING = (
    "smaller weights to start from (glorot_uniform, orthogonal), normalization between layers, "
    "clipnorm=1.0 in the optimizer"
)
_FACTORS = "factors near 1: relu for tanh and sigmoid, smaller or larger weights; fewer steps"


def by_layer(e: Examination) -> list[Finding]:
    """Report gradients that shrink or grow from the last layer to the first.

    Where signals grow on their way forward as gradients do on their way back, those of the
    weights, which are products of both, are all of one size: so outputs of layers count, too.
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
    """Return the nodes that layers hand over to others, with their layers."""
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
    if 1 / thresholds.LAYER_RATIO < ratio < thresholds.LAYER_RATIO:
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
    rows = ", ".join(f"{layer}: {size:.1e}" for layer, size in _shortened(list(sizes.items())))
    return [Finding(kind, cause, rows, fix)]


def _shortened(rows: list[Any]) -> list[Any]:
    """Return at most nine of the rows, evenly chosen, first and last among them."""
    chosen = sorted({round(i) for i in np.linspace(0, len(rows) - 1, min(len(rows), 9))})
    return [rows[i] for i in chosen]


def _by_operation(e: Examination) -> list[Finding]:
    """Report, in a graph without layers, a gradient that many operations shrank or blew up."""
    sizes = {leaf: norm(e.cotangents[leaf]) for leaf in e.leaves if leaf in e.live}
    whole = norm(e.cotangents[e.output])
    for kind, verb, sign in (("vanishing", "vanishes", -1), ("exploding", "explodes", 1)):
        leaf = max(sizes, key=lambda leaf: sign * sizes[leaf], default=e.output)
        reach = sign * math.log(sizes.get(leaf, whole) / whole)
        if reach < math.log(thresholds.PATH_RATIO):
            continue
        path = _path(e, leaf, sign)
        at = [norm(e.cotangents[node]) for node in path]
        factors = [sign * math.log(low / high) for low, high in pairwise(at)]
        steps = [node for node, each in zip(path[1:], factors, strict=True) if each > 0.01]
        if len(steps) < thresholds.PATH_STEPS or max(factors) > reach / 2:
            continue  # one factor is a matter of units, many are a matter of the formula
        each = _factor(math.exp(sign * reach / len(steps)))
        cause = (
            f"the gradient {verb} on its way back to {e.name(leaf)}: from {at[-1]:.2g} to "
            f"{at[0]:.2g} in {len(steps)} operations, {each} in each"
        )
        return [Finding(kind, cause, e.places(steps[::-1]), _FACTORS)]
    return []


def _path(e: Examination, leaf: Node, sign: int) -> list[Node]:
    """Return a way from a leaf up to the output, along the largest or smallest gradients."""
    users: dict[Node, list[Node]] = defaultdict(list)
    for node in e.order:
        for x in node.inputs if node in e.live else ():
            if isinstance(x, Node) and x in e.live:
                users[x].append(node)
    path = [leaf]
    while users[path[-1]]:
        path.append(max(users[path[-1]], key=lambda node: sign * norm(e.cotangents[node])))
    return path


def _factor(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio >= 1 else f"1/{1 / ratio:.2g}"
