"""Algebra: steps that only repeat an input are left out, dear ones become cheap ones.

Replays stay equal to the bit: only identities are used that hold for every float, inf, NaN and
-0.0 among them. So x + 0.0 stays, which makes -0.0 to 0.0. The one exception is the square of a
number, x * x, which Python's own power gives with an error in the last bit.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ...data import Data
from ...graph import Primitive
from ...primitives import elementwise as table
from ...primitives.reductions import log_softmax, softmax
from ...primitives.shapes import broadcast_to, reshape, transpose
from ..program import Program, Step, source

Same = int | Step | None  # the register that a step repeats; a cheaper step; or neither


def simplify(program: Program) -> Program:
    """Return the program with each step replaced by what costs less, where there is such."""
    rewriter = _Rewriter(program.constants)
    place: list[int] = []
    logarithms = {_named(step) for step in program.steps if step.primitive is log_softmax}
    for i, step in enumerate(program.steps):
        rewriter.has_logarithm = step.primitive is softmax and _named(step) in logarithms
        place.append(rewriter.add(i, step._replace(inputs=tuple([place[x] for x in step.inputs]))))
    return program.rebuilt(rewriter.steps, place, rewriter.constants)


class _Rewriter:
    """The new steps, as far as they are written."""

    def __init__(self, given: dict[int, Data]) -> None:
        self.given = given
        self.has_logarithm = False  # whether there is a log_softmax beside this softmax
        self.steps: list[Step] = []
        self.constants: dict[int, Data] = {}

    def add(self, i: int, step: Step) -> int:
        """Write a step, or what costs less, and return its register."""
        if step.primitive is None:
            if i in self.given:
                self.constants[len(self.steps)] = self.given[i]
        else:
            if len(step.inputs) == 2 and step.shape and step.primitive in _BROADCASTING:
                step = self.with_numbers(step)
            rewrite = _REWRITES.get(step.primitive) if step.primitive else None
            same = rewrite(self, step) if rewrite else None
            if isinstance(same, int):
                return same
            step = same or step
        self.steps.append(step)
        return len(self.steps) - 1

    def constant(self, i: int) -> Any:
        """Return the one number that all of a constant register are; None if there is none."""
        data = self.constants.get(i)
        if isinstance(data, ndarray):
            signs = np.signbit(data)  # as 0.0 and -0.0 are equal, and not the same
            alike = data.size and (data == data.flat[0]).all() and signs.all() == signs.any()
            return float(data.flat[0]) if alike else None
        return data

    def with_numbers(self, step: Step) -> Step:
        """Put a number in place of an array of equal numbers, where the shape stays the same."""
        x, y = step.inputs
        for one, other in ((x, y), (y, x)):
            if self.steps[one].shape and self.alike(step, other):
                number = self.constant(one)
                if number is not None:
                    self.constants[len(self.steps)] = number
                    self.steps.append(source(number))
                    new = len(self.steps) - 1
                    return step._replace(inputs=(new, y) if one == x else (x, new))
        return step

    def alike(self, step: Step, i: int) -> bool:
        """Tell whether a register is of the shape and type of a step's result."""
        other = self.steps[i]
        return step.shape == other.shape and step.dtype == other.dtype

    def multiply(self, step: Step) -> Same:
        """1 * x and x * 1 are x."""
        for x, y in (step.inputs, step.inputs[::-1]):
            if self.constant(x) == 1.0 and self.alike(step, y):
                return y
        return None

    def divide(self, step: Step) -> Same:
        """x / 1 is x."""
        x, y = step.inputs
        return x if self.constant(y) == 1.0 and self.alike(step, x) else None

    def power(self, step: Step) -> Same:
        """x^1 is x, and x^2 is x * x."""
        x, y = step.inputs
        exponent = self.constant(y)
        if exponent == 1.0 and self.alike(step, x):
            return x
        if exponent == 2.0 and self.alike(step, x):
            return step._replace(primitive=table.square, inputs=(x,))
        return None

    def softmax(self, step: Step) -> Same:
        """Beside log_softmax of the same, softmax is its exponential, which gradients need, too."""
        if not self.has_logarithm:
            return None
        self.steps.append(step._replace(primitive=log_softmax))
        return step._replace(primitive=table.exp, inputs=(len(self.steps) - 1,), params=None)

    def negative(self, step: Step) -> Same:
        """-(-x) is x."""
        before = self.steps[step.inputs[0]]
        return before.inputs[0] if before.primitive is table.negative else None

    def repeated(self, step: Step) -> Same:
        """An identity, and a conversion to what it is already, is x."""
        x = step.inputs[0]
        return x if self.alike(step, x) else None

    def transpose(self, step: Step) -> Same:
        """Axes that change places twice, back to where they were, stay."""
        before = self.steps[step.inputs[0]]
        if before.primitive is transpose:
            axes, first = step.params["axes"], before.params["axes"]  # type: ignore[index]
            if axes and first and [first[n] for n in axes] == list(range(len(axes))):
                return before.inputs[0]
        return None


def _named(step: Step) -> tuple[tuple[int, ...], str]:
    return step.inputs, str(step.params)


_BROADCASTING = {table.add, table.subtract, table.multiply, table.divide}
_REWRITES: dict[Primitive, Callable[[_Rewriter, Step], Same]] = {
    table.multiply: _Rewriter.multiply,
    table.divide: _Rewriter.divide,
    table.power: _Rewriter.power,
    table.negative: _Rewriter.negative,
    softmax: _Rewriter.softmax,
    table.identity: _Rewriter.repeated,
    table.astype: _Rewriter.repeated,
    reshape: _Rewriter.repeated,
    broadcast_to: _Rewriter.repeated,
    transpose: _Rewriter.transpose,
}
