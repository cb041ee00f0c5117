"""Which nodes share a box, so that the picture of a graph of any size fits a page.

The scopes in which nodes were computed are groups, a tree. Groups are folded into one box each;
without them nodes that repeat, or bands of the graph.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..explanation.names import Group, Groups
from ..graph import Node

BANDS = 12  # boxes into which a graph without groups or repetitions is cut
RANKS = 16  # boxes in a row that fit a page
FEW = 5  # boxes that show too little of a large graph, if there is another way


Numbers = NDArray[np.int64]


class Wires(NamedTuple):
    """The edges between nodes, by their places in the order; parallel edges are repeated."""

    tails: Numbers
    heads: Numbers


class Fold(NamedTuple):
    """Which box each node is drawn in."""

    box: Numbers  # of each node, counted from 0
    groups: dict[int, Group]  # box: the group that it stands for
    bands: int  # more than 0: the graph is cut into so many bands of depth


def wires(order: list[Node]) -> Wires:
    """Return the edges of a graph."""
    place = {node: i for i, node in enumerate(order)}
    tails: list[int] = []
    heads: list[int] = []
    for i, node in enumerate(order):
        for x in node.inputs:
            if isinstance(x, Node):
                tails.append(place[x])
                heads.append(i)
    return Wires(np.array(tails, np.int64), np.array(heads, np.int64))


def fold(order: list[Node], edges: Wires, groups: Groups, limit: int) -> Fold:
    """Decide which nodes share a box: as few as possible for at most `limit` boxes.

    Groups are folded from the inside out, and repeated operations outside of them. If that is not
    enough, the graph is cut into bands of depth. The output keeps a box of its own.
    """
    single = np.arange(len(order))
    if len(order) <= limit:
        constants = sum(not isinstance(x, Node) for node in order for x in node.inputs)
        if len(order) + constants <= limit:
            return Fold(single, {}, 0)
    repeated = _repetitions(order, edges, groups)
    deepest = max(group.depth for group in groups.all)
    ways = [(depth, alone) for depth in range(deepest, 0, -1) for alone in (single, repeated)]
    best, most = None, 2  # two boxes, the output and the rest, show less than bands
    for depth, alone in [*ways, (deepest + 1, repeated)]:
        found = _folded_at(depth, alone, groups)
        count = int(found.box.max()) + 1
        if most < count <= limit and _is_readable(found.box, edges, limit):
            best, most = found, count
            if count > FEW:
                break
    return best or Fold(_bands(edges, len(order)), {}, BANDS)


def _folded_at(depth: int, alone: Numbers, groups: Groups) -> Fold:
    """Fold the groups of this depth and deeper; nodes outside of them are boxed as in `alone`."""
    into = np.array([g.at(depth).number if g.depth >= depth else -1 for g in groups.all])[groups.of]
    key = np.where(into >= 0, into, alone + len(groups.all))
    key[-1] = key.max() + 1  # the output
    kinds, box = np.unique(key, return_inverse=True)
    folded = {i: groups.all[kind] for i, kind in enumerate(kinds) if kind < len(groups.all)}
    return Fold(box.reshape(-1), folded, 0)


def between(box: Numbers, edges: Wires) -> tuple[Numbers, Numbers, Numbers]:
    """Return the pairs of boxes that edges connect, and the number of edges."""
    size = int(box.max()) + 1
    pairs, count = np.unique(box[edges.tails] * size + box[edges.heads], return_counts=True)
    tails, heads = pairs // size, pairs % size
    other = tails != heads
    return tails[other], heads[other], count[other]


def _is_readable(box: Numbers, edges: Wires, limit: int) -> bool:
    """Return whether there are neither too many edges nor too many boxes in a row."""
    tails, heads, _ = between(box, edges)
    if len(tails) > 2 * limit:
        return False
    _, first = np.unique(box, return_index=True)
    rank = dict.fromkeys(range(len(first)), 0)
    ahead = first[tails] < first[heads]  # boxes of many nodes can lead to each other
    for i in np.argsort(first[heads], kind="stable"):
        if ahead[i]:
            rank[int(heads[i])] = max(rank[int(heads[i])], rank[int(tails[i])] + 1)
    return max(rank.values()) < RANKS


def _repetitions(order: list[Node], edges: Wires, groups: Groups) -> Numbers:
    """Return the same number for nodes of one group that do the same to nodes that do the same.

    A chain of one operation, such as a sum written out, counts as one operation.
    """
    uses = np.bincount(edges.tails, minlength=len(order)).tolist()
    place: dict[Node, int] = {node: i for i, node in enumerate(order)}
    of = groups.of.tolist()
    outermost = [group.at(1).number for group in groups.all]
    known: dict[object, int] = {}
    kind: list[int] = []
    for i, node in enumerate(order):
        if node.primitive is None:
            what: object = (of[i], node in groups.parameters, node.shape)
        else:
            inputs = [place[x] for x in node.inputs if isinstance(x, Node)]
            same = [
                x
                for x in inputs
                if order[x].primitive is node.primitive and uses[x] == 1 and of[x] == of[i]
            ]
            if same:
                kind.append(kind[same[0]])
                continue
            parts = {
                kind[x] if of[x] == of[i] else (outermost[of[x]], order[x].primitive)
                for x in inputs
            }
            what = (of[i], node.primitive, node.shape, frozenset(parts))
        kind.append(known.setdefault(what, len(known)))
    return np.array(kind, np.int64)


def _bands(edges: Wires, count: int) -> Numbers:
    """Cut a graph into bands with equal numbers of nodes, by the number of operations before."""
    depth = [0] * count
    first_use = [count] * count
    for tail, head in zip(edges.tails.tolist(), edges.heads.tolist(), strict=True):
        depth[head] = max(depth[head], depth[tail] + 1)
        first_use[tail] = min(first_use[tail], head)
    # A leaf belongs to the band in which it is first used
    for i, use in enumerate(first_use):
        if not depth[i] and use < count:
            depth[i] = depth[use]
    ranks = np.array(depth)
    limits = np.quantile(ranks, np.linspace(0, 1, BANDS + 1)[1:-1])
    box = np.searchsorted(limits, ranks)
    box[-1] = BANDS
    return np.asarray(np.unique(box, return_inverse=True)[1].reshape(-1), np.int64)
