"""Where the results of steps lie in memory: one arena, whose parts are lent and given back."""

from typing import Any, NamedTuple

import numpy as np

from ..primitives.indexing import getitem
from ..primitives.shapes import reshape, transpose
from .program import Program, Step

ALIGNMENT = 64  # bytes: a cache line


class Block(NamedTuple):
    """Bytes that are needed from one step to another, both included."""

    size: int
    first: int
    last: int


def placed(blocks: list[Block]) -> tuple[list[int], int]:
    """Find a place for every block so that none overlap that are needed at one time.

    The largest come first, each as low as it can lie: large ones leave no gaps, small ones fill
    those that there are.

    Returns: where each begins, in bytes, and how many bytes there are in all.
    Example: >>> placed([Block(100, 0, 1), Block(64, 1, 2), Block(128, 2, 3)])
             ([0, 128, 0], 192)
    """
    starts = [0] * len(blocks)
    order = sorted(range(len(blocks)), key=lambda i: -blocks[i].size)
    sizes = np.array([_aligned(blocks[i].size) for i in order], np.int64)
    firsts = np.array([blocks[i].first for i in order], np.int64)
    lasts = np.array([blocks[i].last for i in order], np.int64)
    begins = np.zeros(len(blocks), np.int64)
    for k, i in enumerate(order):
        busy = np.nonzero((firsts[:k] <= lasts[k]) & (firsts[k] <= lasts[:k]))[0]
        busy = busy[np.argsort(begins[busy], kind="stable")]
        at = 0
        for begin, end in zip(begins[busy].tolist(), (begins + sizes)[busy].tolist(), strict=True):
            if begin - at >= sizes[k]:
                break
            at = max(at, end)
        begins[k] = starts[i] = at
    return starts, int((begins + sizes).max(initial=0))


def _aligned(size: int) -> int:
    return max(ALIGNMENT, -(-size // ALIGNMENT) * ALIGNMENT)


class Plan(NamedTuple):
    """Where registers lie: in the arena, at these bytes; as views of others; or nowhere yet."""

    size: int
    starts: dict[int, int]  # register: first byte in the arena
    views: dict[int, int]  # register: the register of whose elements it consists


def is_view(step: Step, steps: list[Step]) -> bool:
    """Tell whether a step only looks at its input's elements in another way."""
    if not step.inputs or not steps[step.inputs[0]].shape:
        return False
    if step.primitive in (transpose,):
        return True
    if step.primitive is getitem and step.shape:
        index = (step.params or {})["index"]
        parts = index if isinstance(index, tuple) else (index,)
        return all([p is None or p is ... or isinstance(p, slice) or _is_whole(p) for p in parts])
    return step.primitive is reshape and bool(step.shape)


def _is_whole(part: Any) -> bool:
    return isinstance(part, int | np.integer) and not isinstance(part, bool)


def plan(program: Program, in_buffers: set[int], in_place: set[int]) -> Plan:
    """Find a place for each register in `in_buffers`, from its step until its last use.

    Args:    in_buffers: the registers that want a place in the arena.
             in_place: those among them whose step may overwrite an input of the same kind.
    """
    steps = program.steps
    base = list(range(len(steps)))
    for i, step in enumerate(steps):
        if is_view(step, steps):
            base[i] = base[step.inputs[0]]
    last_use = list(range(len(steps)))
    for i, step in enumerate(steps):
        for x in step.inputs:
            last_use[base[x]] = max(last_use[base[x]], i)
    for x in program.wanted():
        last_use[base[x]] = len(steps)
    block_of: dict[int, int] = {}  # register: the number of its block
    blocks: list[Block] = []
    for i, step in enumerate(steps):
        if i not in in_buffers:
            continue
        dying = [x for x in sorted({base[x] for x in step.inputs}) if last_use[x] == i]
        heirs = [x for x in dying if x in block_of and i in in_place and _alike(steps[x], step)]
        if heirs:
            block_of[i] = block_of[heirs[0]]
            blocks[block_of[i]] = blocks[block_of[i]]._replace(last=last_use[i])
        else:
            block_of[i] = len(blocks)
            blocks.append(Block(_bytes(step), i, last_use[i]))
    starts, size = placed(blocks)
    views = {i: base[i] for i in range(len(steps)) if base[i] != i}
    return Plan(size, {i: starts[block] for i, block in block_of.items()}, views)


def _alike(x: Step, y: Step) -> bool:
    return x.shape == y.shape and x.dtype == y.dtype


def _bytes(step: Step) -> int:
    return int(step.size * step.dtype.itemsize)
