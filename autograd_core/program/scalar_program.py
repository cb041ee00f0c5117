"""Scalar programs: one operation for each number, and the operations that there are."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..data import Data
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
