"""Constant folding: what depends on constants only is computed once, when the program is made."""

from dataclasses import replace

import numpy as np

from ...data import Data
from ..program import Program, Step, source
from ..tracing import fresh_draw

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
