"""Schedules: in which order scalar operations run, and in which registers their numbers lie.

Chains of additions first become sums of products, one operation each. Operations that do not
depend on each other and are of one kind are then a group, which runs in one loop.
"""

from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data import Array
from ..primitives import elementwise as table
from .scalar_program import ACROSS, CODES, ROUNDED_ACROSS, ROUNDED_SUM, SOURCE, SPREAD, SUM, Scalars

# What a row of `groups` says
CODE, FIRST, COUNT, INPUTS, AT, LANES, SINGLE = range(7)


class Groups(NamedTuple):
    """Flat arrays that the virtual machine runs.

    Args:    size: how many numbers the registers hold.
             numbers: how many of them are single; rows of lanes lie behind.
             groups: code, first register, how many operations, inputs of each, where these begin
             in `operands`, SIMD lanes, whether results are rounded to float32.
             operands: registers that are read: of a group, the first inputs of all its operations,
             then all second ones, ...
             registers: where each slot lies; -1: nothing needs it.
    """

    size: int
    numbers: int
    groups: NDArray[np.int64]
    operands: NDArray[np.uint32]
    registers: NDArray[np.int64]


def schedule(scalars: Scalars) -> Groups:
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
    return Groups(size, numbers, np.ascontiguousarray(groups, np.int64), placed, registers)


def _levels(scalars: Scalars, order: list[int]) -> NDArray[np.int64]:
    levels = [0] * len(scalars.codes)
    operands = scalars.operands
    for i in order:
        levels[i] = 1 + max([levels[x] for x in operands[i]])
    return np.array(levels, np.int64)


def _registers(order: Array, codes: Array, wide: Array, lanes: int) -> tuple[Array, int, int]:
    """Return where slots lie: sources first, then operations in order; rows behind numbers."""
    slots = np.concatenate((np.flatnonzero(codes == SOURCE), order))
    registers = np.full(len(codes), -1, np.int64)
    single, rows = slots[~wide[slots]], slots[wide[slots]]
    registers[single] = np.arange(len(single))
    registers[rows] = len(single) + lanes * np.arange(len(rows))
    return registers, len(single), len(single) + lanes * len(rows)


def _columns(count: Array, inputs: Array, at: Array) -> Array:
    """Return where operands go that stand operation by operation: input by input."""
    group = np.repeat(np.arange(len(count)), count * inputs)
    within = np.arange(len(group)) - at[group]
    operation, number = np.divmod(within, inputs[group])
    return at[group] + number * count[group] + operation


ADD, MULTIPLY = CODES[table.add], CODES[table.multiply]


def gather_sums(scalars: Scalars) -> None:
    """Change chains of additions into sums of products, and leave alone what they took in.

    The operands of a sum are x0, y0, x1, y1, ..., and it is x0 y0 + x1 y1 + ...
    """
    uses = use_counts(scalars)
    codes, operands, single = scalars.codes, scalars.operands, scalars.single
    own = [count == 1 for count in uses]  # what one operation reads, which may take it in
    narrow = _narrow(scalars)
    one = scalars.number(1.0)
    for slot, (terms, is_rounded) in _chains(scalars, uses, own, narrow).items():
        products = {
            term
            for term in terms
            if codes[term] == MULTIPLY and own[term] and single[term] == is_rounded
        }
        if not products and len(terms) == 2:
            continue
        pairs: list[int] = []
        for term in terms:
            if term in products:
                pairs += operands[term]
            else:
                pairs += (one, term)  # one times anything is the same to the bit
        codes[slot] = ROUNDED_SUM if is_rounded else SUM
        single[slot] = single[slot] and not is_rounded  # it rounds its sums itself
        operands[slot] = tuple(pairs)
    if scalars.lanes > 1:
        _gather_across(scalars, own)
        _spare_spreading(scalars)


def _narrow(scalars: Scalars) -> list[bool]:
    """Return of each slot whether its numbers are certain to be numbers of float32."""
    narrow = list(scalars.single)
    for slot, constant in scalars.constants.items():
        if isinstance(constant, float):
            with np.errstate(over="ignore"):
                narrow[slot] = float(np.float32(constant)) == constant
    for slot, code in enumerate(scalars.codes):
        if code == SPREAD:
            narrow[slot] = narrow[scalars.operands[slot][0]]
    return narrow


def use_counts(scalars: Scalars) -> list[int]:
    """Return how often each slot is read by what is needed itself; twice is added if it leaves."""
    uses = [0] * len(scalars.codes)
    for slot in scalars.kept:
        uses[slot] += 2
    operands = scalars.operands
    for i in range(len(uses) - 1, -1, -1):
        if uses[i]:
            for x in operands[i]:
                uses[x] += 1
    return uses


def _chains(
    scalars: Scalars, uses: list[int], own: list[bool], narrow: list[bool]
) -> dict[int, tuple[list[int], bool]]:
    """Return the terms of each sum, in the order in which they are added, and how it rounds.

    True: the terms and all sums in between are numbers of float32; a chain of others is rounded
    once at most, at its end.
    """
    chains: dict[int, tuple[list[int], bool]] = {}
    operands, single = scalars.operands, scalars.single
    for i, code in enumerate(scalars.codes):
        if code != ADD or not uses[i]:
            continue
        chain, term = operands[i]
        if chain not in chains or not own[chain]:
            chain, term = term, chain
        is_rounded = single[i] and narrow[term]
        terms, all_rounded = chains.get(chain, ([], False))
        if terms and own[chain] and (not single[chain] or (all_rounded and is_rounded)):
            del chains[chain]
            terms.append(term)
            chains[i] = terms, all_rounded
        else:
            chains[i] = [*operands[i]], is_rounded and narrow[chain]
    return chains


def _gather_across(scalars: Scalars, own: list[bool]) -> None:
    """Let sums over lanes take in the products that they add."""
    for i, code in enumerate(scalars.codes):
        if code == ACROSS:
            term = scalars.operands[i][0]
            if scalars.codes[term] == MULTIPLY and own[term]:
                scalars.operands[i] = scalars.operands[term]
                scalars.codes[i] = ROUNDED_ACROSS if scalars.single[term] else ACROSS


def _spare_spreading(scalars: Scalars) -> None:
    """Let sums of products read numbers themselves, where all lanes have the same."""
    codes, operands = scalars.codes, scalars.operands
    for i, code in enumerate(codes):
        if scalars.wide[i] and code in (SUM, ROUNDED_SUM):
            operands[i] = tuple([operands[x][0] if codes[x] == SPREAD else x for x in operands[i]])
