"""Lowering: a program of numbers and small arrays becomes a scalar program."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from ..primitives import elementwise as table
from ..primitives import shapes
from .expansion import expanded
from .program import Program, Step
from .scalar_program import ACROSS, CODES, SPREAD, SUM, Registers, Scalars
from .tracing import fresh_draw


def lowered(program: Program, limit: int | None = None) -> Scalars | None:
    """Return the program with one operation for each number of an array.

    Numbers of float32 are computed in float64, and rounded by each step as NumPy rounds them.

    Args:    limit: the largest number of operations; None: any.
    Returns: None if they are more, or if a primitive has no expansion.
    """
    if limit is not None and sum([_smallest(step) for step in program.steps]) > limit:
        return None
    return _lowered(program, Scalars(), _source, _computed, limit)


def in_lanes(program: Program) -> Scalars | None:
    """Return the program with one wide slot for each array, or None.

    It takes a program whose arrays are all of one shape (n,), computed element by element, and
    summed to numbers: a function of numbers, applied to a batch of samples.
    """
    kinds = {step.shape for step in program.steps if step.shape}
    if len(kinds) != 1 or len(*kinds) != 1:
        return None
    scalars = Scalars(lanes=kinds.pop()[0])
    return None if scalars.lanes < 2 else _lowered(program, scalars, _wide_source, _wide_computed)


def _smallest(step: Step) -> int:
    """Return how many slots a step takes at least, known before any is made."""
    return step.size if step.primitive is None or step.primitive in CODES else 0


def _lowered(
    program: Program,
    scalars: Scalars,
    source: Callable[[Scalars, Step, Any], Registers],
    computed: Callable[[Scalars, Step, list[Registers]], Registers],
    limit: int | None = None,
) -> Scalars | None:
    """Lower a program step by step.

    Args:    source: returns the slots of a step that nothing computes, given its constant or None.
             computed: returns the slots of a step, given those of its inputs.
    """
    for i, step in enumerate(program.steps):
        if step.primitive is None or step.primitive is fresh_draw:
            constant = program.constants.get(i)
            if isinstance(constant, float):
                slots = scalars.number(constant)
            else:
                slots = source(scalars, step, constant)
        else:
            first, inputs = len(scalars.codes), [scalars.place[x] for x in step.inputs]
            single = _is_single(program, step)
            if single:
                inputs = _in_single(scalars, program, step)
            slots = computed(scalars, step, inputs)
            if single and slots is not None:
                slots = scalars.rounded(slots, first)
        if slots is None or (limit is not None and len(scalars.codes) > limit):
            return None
        scalars.place.append(slots)
    _keep(scalars, program)
    return scalars


def _is_single(program: Program, step: Step) -> bool:
    """Tell whether NumPy computes a step in float32: as numbers are, beside such arrays."""
    if step.dtype is None:
        dtypes = {program.steps[x].dtype for x in step.inputs if program.steps[x].shape}
        return dtypes == {np.dtype(np.float32)}
    return bool(step.dtype == np.float32)


def _in_single(scalars: Scalars, program: Program, step: Step) -> list[Registers]:
    """Return a step's inputs with numbers rounded, which take the type of the arrays."""
    return [
        scalars.place[x] if program.steps[x].shape else scalars.rounded(scalars.place[x])
        for x in step.inputs
    ]


def _keep(scalars: Scalars, program: Program) -> None:
    scalars.kept = _flat(scalars, program.outputs)
    guards = _flat(scalars, program.guards)
    if guards:  # a sum of squares is NaN where a number is
        terms = [scalars.add(ACROSS, (i, i)) if scalars.wide[i] else i for i in guards]
        scalars.guard = scalars.add(SUM, tuple([i for i in terms for _ in "xy"]))
        scalars.kept.append(scalars.guard)


def _flat(scalars: Scalars, registers: list[int]) -> list[int]:
    slots = [np.ravel(scalars.place[i]).tolist() for i in registers]
    return list(chain.from_iterable(slots))


# One slot for each number


def _source(scalars: Scalars, step: Step, constant: Any) -> Registers:
    slots = scalars.sources(step.shape, step.dtype == np.float32)
    if constant is not None:
        for slot, value in zip(slots.ravel().tolist(), constant.ravel().tolist(), strict=True):
            scalars.constants[slot] = value
    return slots


def _computed(scalars: Scalars, step: Step, inputs: list[Registers]) -> Registers:
    primitive: Any = step.primitive
    if step.params is None and primitive in CODES:
        return scalars.apply(primitive, *inputs)
    return expanded(scalars, primitive, inputs, step.params or {})


# One wide slot for each array


def _wide_source(scalars: Scalars, step: Step, constant: Any) -> int:
    slot = scalars.source(bool(step.shape))
    scalars.single[slot] = step.dtype == np.float32
    if constant is not None:
        scalars.constants[slot] = constant
    return slot


def _wide_computed(scalars: Scalars, step: Step, inputs: list[Registers]) -> int | None:
    primitive, wide = step.primitive, bool(step.shape)
    if wide and primitive is not shapes.broadcast_to:
        inputs = [x if scalars.wide[x] else scalars.add(SPREAD, (x,), True) for x in inputs]
    if step.params is None and primitive in CODES:
        return scalars.add(CODES[primitive], tuple(inputs), wide)
    if primitive is table.astype:
        return int(inputs[0])
    if primitive is shapes.sum and not wide and scalars.wide[inputs[0]]:
        ones = scalars.add(SPREAD, (scalars.number(1.0),), True)
        return scalars.add(ACROSS, (inputs[0], ones))
    if primitive is shapes.broadcast_to and wide:
        same = scalars.wide[inputs[0]]
        return int(inputs[0]) if same else scalars.add(SPREAD, tuple(inputs), True)
    return None
