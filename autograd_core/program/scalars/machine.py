"""The machine: one function, compiled by Numba once and for all, that runs any scheduled program.

It is put together from the kernels of the table and the loops, and kept on disk. Numba keeps what
stands in a source file, so the part that chooses a loop is written into one, whose name tells what
it was made from: other kernels make another file.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...primitives import elementwise as table
from ..machine_code import machine_code
from . import loops
from .operations import ACROSS, CODES, KERNELS, ROUNDED_ACROSS, ROUNDED_SUM, SPREAD, SUM

# Cheap enough that a loop of their own pays, in which lanes share instructions
QUICK = (table.add, table.subtract, table.multiply, table.divide, table.negative, table.square,
         table.relu, table.gate)  # fmt: skip
SIGNATURE = "(float64[::1], int64[:, ::1], uint32[::1], int64, int64)"


@cache
def machine() -> Callable[..., None] | None:
    """Return the machine: `run(registers, groups, operands, numbers, lanes)`, see `Schedule`.

    None: there is none, since Numba fails.
    """
    files = (table.__file__, loops.__file__, __file__)
    return machine_code(_source(), "scalar_machine", SIGNATURE, _names, *files)


def _names(compiled: Callable[..., Any]) -> dict[str, Any]:
    """Return the compiled kernels and loops by the names that the source has for them."""
    names: dict[str, Any] = {}
    for code, primitive in enumerate(KERNELS):
        kernel = primitive.scalar
        is_ours = getattr(kernel, "__module__", None) == table.__name__  # Numba knows the others
        names[f"kernel{code}"] = compiled(kernel) if is_ours else kernel
    for general in (loops.spread, loops.to_single):
        names[general.__name__] = compiled(general)
    for prefix, number in (("", np.float64), ("rounded_", np.float32)):
        for loop_of in (loops.sums_of, loops.wide_sums_of, loops.sums_across_of):
            general = loop_of(number)
            names[prefix + general.__name__] = compiled(general)
    for primitive in QUICK:
        loop = loops.one_input if len(primitive.rules) == 1 else loops.two_inputs
        code = CODES[primitive]
        names[f"each{code}"] = compiled(loop(names[f"kernel{code}"]))
    names["looped"] = lambda kernel: compiled(loops.any_kernel(compiled(kernel)))
    return names


def _source() -> str:
    """Return the source of what chooses: a kernel by its code, a loop by the code of a group."""
    lines = ["def kernel(code, x, y, z):"]
    for code, primitive in enumerate(KERNELS):
        inputs = ", ".join("xyz"[: len(primitive.rules)])
        lines += [f"    if code == {code}:", f"        return kernel{code}({inputs})"]
    lines += [
        "    return 0.0",
        "any_kernel = looped(kernel)",
        "def run(r, groups, operands, numbers, all_lanes):",
        "    for i in range(groups.shape[0]):",
        "        code, first, count = groups[i, 0], groups[i, 1], groups[i, 2]",
        "        inputs, at = groups[i, 3], groups[i, 4]",
        "        lanes, single = groups[i, 5], groups[i, 6]",
    ]
    rest = "first, count, inputs // 2, at"
    choices = [(f"code == {SPREAD}", "spread(r, operands, first, count, at, lanes)")]
    for prefix, in_sum, across in (("", SUM, ACROSS), ("rounded_", ROUNDED_SUM, ROUNDED_ACROSS)):
        choices += [
            (f"code == {in_sum} and lanes == 1", f"{prefix}sums(r, operands, {rest})"),
            (f"code == {in_sum}", f"{prefix}wide_sums(r, operands, {rest}, lanes, numbers)"),
            (f"code == {across}", f"{prefix}sums_across(r, operands, first, count, at, all_lanes)"),
        ]
    rest = "first, count, at, lanes"
    codes = [CODES[primitive] for primitive in QUICK]
    choices += [(f"code == {code}", f"each{code}(r, operands, {rest})") for code in codes]
    choices.append(("True", "any_kernel(r, operands, code, first, count, inputs, at, lanes)"))
    word = "if"
    for condition, call in choices:
        lines += [f"        {word} {condition}:", f"            {call}"]
        word = "elif"
    lines += ["        if single:", "            to_single(r, first, count * lanes)"]
    return "\n".join([*lines, ""])
