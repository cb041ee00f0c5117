"""Loops in machine code for fused steps, made by Numba where it is installed."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..machine_code import machine_code
from ..passes.fusion import LOOPS, fused
from ..program import Step


def loop_into(step: Step, inputs: list[Step]) -> Callable[..., None]:
    """Return what computes a fused step from its inputs into an array, in one loop.

    Arrays that do not lie in memory row by row, such as transposed ones, are copied before.
    """
    params = step.params or {}
    are_arrays = tuple([bool(x.shape) for x in inputs])
    source = _source(params["code"], params["results"], are_arrays)
    kinds = [f"{step.dtype}[::1]" if is_array else f"{step.dtype}" for is_array in are_arrays]
    signature = f"({', '.join(kinds)}, {step.dtype}[:, ::1])"
    number = step.dtype.type
    rows = (len(params["results"]), step.size // len(params["results"]))

    def into(*inputs_and_out: Any) -> None:
        *given, out = inputs_and_out
        loop = _loop(source, signature)
        if loop is None:  # NumPy computes step by step
            np.copyto(out, fused.forward(*given, **params))
            return
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
            f"def run({parameters}, out):",
            "    zero = out.dtype.type(0)",
            "    one = out.dtype.type(1)",
            "    for i in range(out.shape[1]):",
            *lines,
        ]
    )


@cache
def _loop(source: str, signature: str) -> Callable[..., None] | None:
    return machine_code(source, "loop", signature, lambda _: {"sqrt": np.sqrt})
