"""Scalar programs: one operation for each number, and in which order and registers they run.

Chains of additions first become sums of products, one operation each. Operations that do not
depend on each other and are of one kind are then a group, which runs in one loop.
"""

from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data import Array, Data
from ..graph import Primitive
from ..primitives import elementwise as table
from ..primitives.elementwise import identity

# Each is computed by its `scalar`; sinc_derivative has none, since its order chooses a formula
KERNELS: list[Primitive] = [
    p for p in vars(table).values() if isinstance(p, Primitive) and p.scalar is not None
]
CODES: dict[Primitive | None, int] = {primitive: code for code, primitive in enumerate(KERNELS)}

Registers: TypeAlias = Any  # the slot of one number, or an array of those of several
SOURCE = -1  # nothing computes it
SUM = len(KERNELS)  # of products
ROUNDED_SUM = SUM + 1  # of products, where each product and each sum is rounded to float32
ACROSS = SUM + 2  # a sum of products over all lanes
ROUNDED_ACROSS = SUM + 3  # of products that are rounded to float32
SPREAD = SUM + 4  # a number, once for each lane


@dataclass
class Scalars:
    """Operations on numbers in single assignment: slot i is made from slots before it.

    A slot is one number, or, if it is wide, one for each lane: the samples of a batch, for all of
    which the same is computed. It is single if its number is rounded to float32.

    Args:    lanes: how many numbers a wide slot holds, one for each SIMD lane.
    """

    lanes: int = 1
    codes: list[int] = field(default_factory=list)  # what makes each slot; SOURCE: nothing
    operands: list[tuple[int, ...]] = field(default_factory=list)
    wide: list[bool] = field(default_factory=list)
    single: list[bool] = field(default_factory=list)
    constants: dict[int, Data] = field(default_factory=dict)  # by slot
    place: list[Registers] = field(
        default_factory=list
    )  # the slot of each register, or their array
    kept: list[int] = field(default_factory=list)  # slots that leave the program
    guard: int | None = None  # of these the one that is NaN where a derivative is
    _numbers: dict[str, int] = field(default_factory=dict)
    _singles: dict[int, int] = field(default_factory=dict)  # what holds a slot's number rounded

    def add(self, code: int, operands: tuple[int, ...], wide: bool = False) -> int:
        """Append an operation, and return its slot."""
        self.codes.append(code)
        self.operands.append(operands)
        self.wide.append(wide)
        self.single.append(False)
        return len(self.codes) - 1

    def rounded(self, slots: Registers, first: int | None = None) -> Registers:
        """Return slots that hold the same numbers rounded to float32.

        Args:    slots: one slot, or an array of them.
                 first: slots from here on are rounded themselves; None: none, others may read them.
        """
        first = len(self.codes) if first is None else first
        if isinstance(slots, int):
            return self._rounded(slots, first)
        found = [self._rounded(slot, first) for slot in slots.ravel().tolist()]
        return np.array(found, np.intp).reshape(slots.shape)

    def _rounded(self, slot: int, first: int) -> int:
        if self.single[slot]:
            return slot
        constant = self.constants.get(slot)
        if isinstance(constant, float):
            with np.errstate(over="ignore"):
                return self.number(float(np.float32(constant)))
        if slot >= first and self.codes[slot] != SOURCE:
            self.single[slot] = True
            return slot
        made = self._singles.get(slot)
        if made is None:
            made = self._singles[slot] = self.add(CODES[identity], (slot,), self.wide[slot])
            self.single[made] = True
        return made

    def source(self, wide: bool = False) -> int:
        """Append a slot that is filled from outside."""
        return self.add(SOURCE, (), wide)

    def number(self, value: float) -> int:
        """Return the slot of a constant."""
        slot = self._numbers.get(str(value))
        if slot is None:
            slot = self._numbers[str(value)] = self.source()
            self.constants[slot] = value
        return slot

    def apply(self, primitive: Primitive, *inputs: Registers) -> Registers:
        """Append one operation for each element of the inputs, which are broadcast.

        Args:    inputs: slots, or arrays of slots.
        """
        code = CODES[primitive]
        if all([isinstance(x, int) for x in inputs]):
            return self.add(code, inputs)
        parts = np.broadcast_arrays(*inputs)
        first = len(self.codes)
        self.operands.extend(zip(*[part.ravel().tolist() for part in parts], strict=True))
        count = len(self.operands) - first
        self.codes.extend([code] * count)
        self.wide.extend([False] * count)
        self.single.extend([False] * count)
        return np.arange(first, first + count).reshape(parts[0].shape)

    def sources(self, shape: tuple[int, ...], single: bool) -> Registers:
        """Append as many slots as an array of this shape has elements, to be filled."""
        if not shape:
            return self.source()
        slots = [self.source() for _ in np.ndindex(shape)]
        self.single[len(self.single) - len(slots) :] = [single] * len(slots)
        return np.array(slots, np.intp).reshape(shape)


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
