"""Loops in machine code for fused steps, made by Numba where it is installed."""

import importlib
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from ..machine_code import written
from ..passes.fusion import LOOPS
from ..program import Step

NAME = "autograd_core_fused_loop"


def loop_into(step: Step, inputs: list[Step]) -> Callable[..., None]:
    """Return what computes a fused step from its inputs into an array, in one loop.

    Arrays that do not lie in memory row by row, such as transposed ones, are copied before.
    """
    params = step.params or {}
    are_arrays = tuple([bool(x.shape) for x in inputs])
    loop = _loop(_source(params["code"], params["results"], are_arrays))
    number = step.dtype.type
    rows = (len(params["results"]), step.size // len(params["results"]))

    def into(*inputs_and_out: Any) -> None:
        *given, out = inputs_and_out
        data = [
            x.reshape(-1) if is_array else number(x)
            for x, is_array in zip(given, are_arrays, strict=True)
        ]
        loop(*data, out.reshape(rows))

    return into


def _source(code: Any, results: tuple[int, ...], are_arrays: tuple[bool, ...]) -> str:
    """Write the loop: one variable for each input and each operation."""
    count = len(are_arrays)
    names = [f"x{k}[i]" if is_array else f"x{k}" for k, is_array in enumerate(are_arrays)]
    lines = []
    for k, (primitive, operands) in enumerate(code):
        text = LOOPS[primitive].format(*[names[n] for n in operands], zero="zero", one="one")
        lines.append(f"        t{k} = {text}")
        names.append(f"t{k}")
    lines += [f"        out[{row}, i] = {names[n]}" for row, n in enumerate(results)]
    parameters = ", ".join([f"x{k}" for k in range(count)])
    return "\n".join(
        [
            f"def loop({parameters}, out):",
            "    zero = out.dtype.type(0)",
            "    one = out.dtype.type(1)",
            "    for i in range(out.shape[1]):",
            *lines,
        ]
    )


@cache
def _loop(source: str) -> Any:
    numba: Any = importlib.import_module("numba")
    path = written(source, "loop")
    module = sys.modules[NAME] = ModuleType(NAME)  # found by name when taken from the disk
    names = vars(module)
    names["sqrt"] = np.sqrt
    exec(compile(source, str(path or "<fused loop>"), "exec"), names)
    return numba.njit(error_model="numpy", nogil=True, cache=path is not None)(names["loop"])
