"""Passes: each takes a program, and returns one that computes the same with less work."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy import ndarray

from ..data import Data
from ..graph import Primitive
from ..primitives import elementwise as table
from ..primitives.reductions import log_softmax, softmax
from ..primitives.shapes import broadcast_to, reshape, transpose
from .program import Program, Step, comparable, source
from .tracing import fresh_draw

LARGEST = 10_000  # numbers in an array that is computed in advance: it takes memory for good


def fold_constants(program: Program) -> Program:
    """Return the program with all steps computed whose inputs are constants."""
    steps = list(program.steps)
    constants = dict(program.constants)
    for i, step in enumerate(steps):
        data = _computed(step, constants)
        if data is not None:
            constants[i] = data
            steps[i] = source(data)
    return replace(program, steps=steps, constants=constants)


def _computed(step: Step, constants: dict[int, Data]) -> Data | None:
    if step.primitive is fresh_draw or step.size > LARGEST or step.primitive is None:
        return None
    data = []
    for x in step.inputs:
        constant = constants.get(x)
        if constant is None:
            return None
        data.append(constant)
    with np.errstate(all="ignore"):
        return step.primitive.compute(data, step.params or {}, data)


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
            rewrite = _REWRITES.get(step.primitive)
            if step.primitive in _BROADCASTING:
                step = self.with_numbers(step)
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
        """Replace an array of equal numbers by one number, where the shape stays the same."""
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
        (x,) = step.inputs
        before = self.steps[x]
        return before.inputs[0] if before.primitive is table.negative else None

    def repeated(self, step: Step) -> Same:
        """An identity, and a conversion to what it is already, is x."""
        (x,) = step.inputs
        return x if self.alike(step, x) else None

    def transpose(self, step: Step) -> Same:
        """Axes that change places twice, back to where they were, stay."""
        (x,) = step.inputs
        before = self.steps[x]
        if before.primitive is transpose:
            axes, first = step.params["axes"], before.params["axes"]  # type: ignore[index]
            if [first[n] for n in axes] == list(range(len(axes))):
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


def merge_common(program: Program) -> Program:
    """Return the program with equal steps merged; draws of random numbers are never equal."""
    place: list[int] = []
    kept: list[Step] = []
    made: dict[object, int] = {}
    constants = {}
    for i, step in enumerate(program.steps):
        primitive, inputs, params, shape, dtype = step
        if primitive is None:
            key = _constant(program.constants[i]) if i in program.constants else (None, i)
        else:
            inputs = tuple([place[x] for x in inputs])
            key = (primitive, inputs, comparable(params))
            if primitive is fresh_draw:
                key = (None, i)
        number = made.get(key)
        if number is None:
            number = made[key] = len(kept)
            kept.append(Step(primitive, inputs, params, shape, dtype))
            if i in program.constants:
                constants[number] = program.constants[i]
        place.append(number)
    return program.rebuilt(kept, place, constants)


def _constant(data: object) -> object:
    if isinstance(data, float):
        return ("constant", str(data))  # 0.0 and -0.0 differ, nan equals nan
    return ("constant", id(data))


def drop_dead(program: Program) -> Program:
    """Return the program without the steps that nothing needs; draws of random numbers stay."""
    steps = program.steps
    alive = [False] * len(steps)
    for i in program.arguments + program.wanted():
        alive[i] = True
    for i, step in reversed(list(enumerate(steps))):
        if alive[i] or step.primitive is fresh_draw:
            alive[i] = True
            for x in step.inputs:
                alive[x] = True
    place = [-1] * len(steps)
    kept: list[Step] = []
    for i, step in enumerate(steps):
        if alive[i]:
            place[i] = len(kept)
            kept.append(step._replace(inputs=tuple([place[x] for x in step.inputs])))
    constants = {place[i]: data for i, data in program.constants.items() if alive[i]}
    return program.rebuilt(kept, place, constants)


PASSES = (fold_constants, simplify, merge_common, drop_dead)


def simplified(program: Program) -> Program:
    """Return the program after all passes.

    Example: >>> from autograd_core import compile, grad
             >>> f = compile(grad(lambda x: x * x))
             >>> f(3.0)
             6.0
             >>> print(f.program)
             %0 = argument 0
             %1 = add(%0, %0)
             return %1
    """
    for each in PASSES:
        program = each(program)
    return program
