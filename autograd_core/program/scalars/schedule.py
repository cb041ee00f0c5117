"""Levels: in which order operations run, and where their numbers lie.

An operation belongs to the level above all that it reads. Operations of one level do not depend
on each other; those of one kind are a group, which the machine runs in one loop.
"""

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .gathering import use_counts
from .operations import SOURCE
from .steps import Scalars

# What a row of `groups` says
CODE, FIRST, COUNT, INPUTS, AT, LANES, SINGLE = range(7)


class Schedule(NamedTuple):
    """Flat arrays that the machine runs.

    Args:    size: how many numbers the registers hold.
             numbers: how many of them are single; rows of lanes lie behind.
             groups: code, first register, how many operations, inputs of each, where these begin
             in `operands`, lanes, whether results are rounded to float32.
             operands: registers that are read: of a group, the first inputs of all its operations,
             then all second ones, ...
             registers: where each slot lies; -1: nothing needs it.
    """

    size: int
    numbers: int
    groups: NDArray[np.int64]
    operands: NDArray[np.uint32]
    registers: NDArray[np.int64]


def schedule(scalars: Scalars) -> Schedule:
    """Return the operations in groups, without those that nothing needs."""
    codes = np.array(scalars.codes, np.int64)
    wide, single = np.array(scalars.wide, bool), np.array(scalars.single, bool)
    alive = np.array(use_counts(scalars)) > 0
    alive |= codes == SOURCE
    order = np.flatnonzero(alive & (codes != SOURCE))
    levels = _levels(scalars, order.tolist())[order]
    operands = [scalars.operands[i] for i in order.tolist()]
    lengths = np.array([len(x) for x in operands], np.int64)
    key = np.stack([levels, codes[order], wide[order], single[order], lengths])
    sorting = np.lexsort(key[::-1])
    order, key = order[sorting], key[:, sorting]
    registers, numbers, size = _registers(order, codes, wide, scalars.lanes)
    changes = (key != np.roll(key, 1, axis=1)).any(0)
    bounds = np.flatnonzero(changes | (np.arange(len(order)) == 0))
    count = np.diff(np.append(bounds, len(order)))
    _, code, is_wide, is_single, inputs = key[:, bounds]
    at = np.cumsum(count * inputs) - count * inputs
    groups = np.stack(
        [code, registers[order[bounds]], count, inputs, at,
         np.where(is_wide, scalars.lanes, 1), is_single], axis=1
    )  # fmt: skip
    flat = list(chain.from_iterable([operands[i] for i in sorting.tolist()]))
    placed = np.empty(len(flat), np.uint32)
    placed[_columns(count, inputs, at)] = registers[np.array(flat, np.int64)]
    return Schedule(size, numbers, np.ascontiguousarray(groups, np.int64), placed, registers)


def _levels(scalars: Scalars, order: list[int]) -> NDArray[np.int64]:
    levels = [0] * len(scalars.codes)
    operands = scalars.operands
    for i in order:
        levels[i] = 1 + max([levels[x] for x in operands[i]])
    return np.array(levels, np.int64)


def _registers(order: Any, codes: Any, wide: Any, lanes: int) -> tuple[Any, int, int]:
    """Return where slots lie: sources first, then operations in order; rows behind numbers."""
    slots = np.concatenate((np.flatnonzero(codes == SOURCE), order))
    registers = np.full(len(codes), -1, np.int64)
    single, rows = slots[~wide[slots]], slots[wide[slots]]
    registers[single] = np.arange(len(single))
    registers[rows] = len(single) + lanes * np.arange(len(rows))
    return registers, len(single), len(single) + lanes * len(rows)


def _columns(count: Any, inputs: Any, at: Any) -> Any:
    """Return where operands go that stand operation by operation: input by input."""
    group = np.repeat(np.arange(len(count)), count * inputs)
    within = np.arange(len(group)) - at[group]
    operation, number = np.divmod(within, inputs[group])
    return at[group] + number * count[group] + operation
