"""Common subexpressions: what two steps compute alike is computed once."""

from collections.abc import Hashable
from typing import Any

import numpy as np

from ..program import Program, Step
from ..tracing import fresh_draw


def merge_common(program: Program) -> Program:
    """Return the program with equal steps merged; draws of random numbers are never equal."""
    place: list[int] = []
    kept: list[Step] = []
    made: dict[Any, int] = {}
    constants = {}
    for i, step in enumerate(program.steps):
        primitive, inputs, params, shape, dtype = step
        if primitive is None:
            key = _constant(program.constants[i]) if i in program.constants else (None, i)
        else:
            inputs = tuple([place[x] for x in inputs])
            key = (primitive, inputs, _hashable(params) if params else None)
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


def _constant(data: Any) -> Any:
    if isinstance(data, float):
        return ("constant", data, str(data))  # 0.0 and -0.0 differ, nan equals nan
    return ("constant", id(data))


def _hashable(value: Any) -> Any:
    """Return what is equal for equal options: slices, lists and arrays are not hashable."""
    if isinstance(value, dict):
        return tuple([(name, _hashable(part)) for name, part in value.items()])
    if isinstance(value, tuple | list):
        return (type(value), *[_hashable(part) for part in value])
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, np.ndarray):
        return ("array", value.shape, value.dtype.char, value.tobytes())
    if isinstance(value, float | int | bool):
        return (type(value), str(value))
    return value if isinstance(value, Hashable) else ("object", id(value))
