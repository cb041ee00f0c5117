"""The virtual machine: one function, compiled once by Numba, that runs any schedule.

It is composed of the kernels of the table and of loops, and kept on disk. Numba keeps what is in a
source file, so the part that selects a loop is written to one, named by a hash of its sources.

In the loops, `r` holds the registers: first all single numbers, then rows with one number for each
SIMD lane. `operands` are the registers of the inputs of a group's operations: the first inputs of
all of them, then the second ones, and so on, beginning at `at`. Results are stored one behind
another from `first` on.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..data import Array, Function
from ..primitives import elementwise as table
from .machine_code import machine_code
from .scalar_program import ACROSS, CODES, KERNELS, ROUNDED_ACROSS, ROUNDED_SUM, SPREAD, SUM

# Cheap enough that a loop of their own pays, in which SIMD lanes share instructions
QUICK = (table.add, table.subtract, table.multiply, table.divide, table.negative, table.square,
         table.relu, table.gate)  # fmt: skip
SIGNATURE = "(float64[::1], int64[:, ::1], uint32[::1], int64, int64)"


@cache
def virtual_machine() -> Callable[..., None] | None:
    """Return `run(registers, groups, operands, numbers, lanes)`, whose arguments `Groups` names.

    None: Numba fails.
    """
    files = (table.__file__, __file__)
    return machine_code(_source(), "scalar_machine", SIGNATURE, _names, *files)


def _names(compiled: Function) -> dict[str, Any]:
    """Return the compiled kernels and loops by the names that the source has for them."""
    names: dict[str, Any] = {}
    for code, primitive in enumerate(KERNELS):
        kernel = primitive.scalar
        is_ours = getattr(kernel, "__module__", None) == table.__name__  # Numba knows the others
        names[f"kernel{code}"] = compiled(kernel) if is_ours else kernel
    for general in (spread, to_single):
        names[general.__name__] = compiled(general)
    for prefix, number in (("", np.float64), ("rounded_", np.float32)):
        for loop_of in (sums_of, wide_sums_of, sums_across_of):
            general = loop_of(number)
            names[prefix + general.__name__] = compiled(general)
    for primitive in QUICK:
        loop = one_input if len(primitive.rules) == 1 else two_inputs
        code = CODES[primitive]
        names[f"each{code}"] = compiled(loop(names[f"kernel{code}"]))
    names["looped"] = lambda kernel: compiled(any_kernel(compiled(kernel)))
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


def sums_of(number: type) -> Callable[..., None]:
    """Return a loop that adds products from left to right, four sums at a time.

    Args: number: the type that products and sums have.
    """

    def sums(r: Array, operands: Array, first: int, count: int, terms: int, at: int) -> None:
        done = 0
        while done + 4 <= count:
            p, q = at + done, at + done + count
            a = number(r[operands[p]] * r[operands[q]])
            b = number(r[operands[p + 1]] * r[operands[q + 1]])
            c = number(r[operands[p + 2]] * r[operands[q + 2]])
            d = number(r[operands[p + 3]] * r[operands[q + 3]])
            for _ in range(1, terms):
                p += 2 * count
                q += 2 * count
                a += number(r[operands[p]] * r[operands[q]])
                b += number(r[operands[p + 1]] * r[operands[q + 1]])
                c += number(r[operands[p + 2]] * r[operands[q + 2]])
                d += number(r[operands[p + 3]] * r[operands[q + 3]])
            r[first + done] = a
            r[first + done + 1] = b
            r[first + done + 2] = c
            r[first + done + 3] = d
            done += 4
        while done < count:
            p = at + done
            a = number(r[operands[p]] * r[operands[p + count]])
            for _ in range(1, terms):
                p += 2 * count
                a += number(r[operands[p]] * r[operands[p + count]])
            r[first + done] = a
            done += 1

    return sums


def wide_sums_of(number: type) -> Callable[..., None]:
    """Return a loop that does the same in all lanes; an operand below `numbers` is one number."""

    def wide_sums(
        r: Array,
        operands: Array,
        first: int,
        count: int,
        terms: int,
        at: int,
        lanes: int,
        numbers: int,
    ) -> None:
        sums: Any = np.empty(lanes, number)
        for done in range(count):
            sums[:] = -0.0  # which changes nothing that is added to it
            for term in range(terms):
                p = at + 2 * term * count + done
                x, y = operands[p], operands[p + count]
                if x >= numbers and y >= numbers:
                    for lane in range(lanes):
                        sums[lane] += number(r[x + lane] * r[y + lane])
                elif x >= numbers:
                    factor = r[y]
                    for lane in range(lanes):
                        sums[lane] += number(r[x + lane] * factor)
                elif y >= numbers:
                    factor = r[x]
                    for lane in range(lanes):
                        sums[lane] += number(factor * r[y + lane])
                else:
                    product = number(r[x] * r[y])
                    for lane in range(lanes):
                        sums[lane] += product
            out = first + done * lanes
            for lane in range(lanes):
                r[out + lane] = sums[lane]

    return wide_sums


def sums_across_of(number: type) -> Callable[..., None]:
    """Return a loop that adds the products of all lanes, in eight partial sums as NumPy does.

    Args: number: the type that products are rounded to.
    """

    def sums_across(r: Array, operands: Array, first: int, count: int, at: int, lanes: int) -> None:
        for done in range(count):
            x, y = operands[at + done], operands[at + count + done]
            total = 0.0
            lane = 0
            while lane + 8 <= lanes:
                a = np.float64(number(r[x + lane] * r[y + lane]))
                b = np.float64(number(r[x + lane + 1] * r[y + lane + 1]))
                c = np.float64(number(r[x + lane + 2] * r[y + lane + 2]))
                d = np.float64(number(r[x + lane + 3] * r[y + lane + 3]))
                e = np.float64(number(r[x + lane + 4] * r[y + lane + 4]))
                f = np.float64(number(r[x + lane + 5] * r[y + lane + 5]))
                g = np.float64(number(r[x + lane + 6] * r[y + lane + 6]))
                h = np.float64(number(r[x + lane + 7] * r[y + lane + 7]))
                stop = min(lane + 128, lanes - lanes % 8)
                lane += 8
                while lane < stop:
                    a += np.float64(number(r[x + lane] * r[y + lane]))
                    b += np.float64(number(r[x + lane + 1] * r[y + lane + 1]))
                    c += np.float64(number(r[x + lane + 2] * r[y + lane + 2]))
                    d += np.float64(number(r[x + lane + 3] * r[y + lane + 3]))
                    e += np.float64(number(r[x + lane + 4] * r[y + lane + 4]))
                    f += np.float64(number(r[x + lane + 5] * r[y + lane + 5]))
                    g += np.float64(number(r[x + lane + 6] * r[y + lane + 6]))
                    h += np.float64(number(r[x + lane + 7] * r[y + lane + 7]))
                    lane += 8
                total += ((a + b) + (c + d)) + ((e + f) + (g + h))
            while lane < lanes:
                total += np.float64(number(r[x + lane] * r[y + lane]))
                lane += 1
            r[first + done] = total

    return sums_across


def spread(r: Array, operands: Array, first: int, count: int, at: int, lanes: int) -> None:
    """Write each number into all lanes of a row."""
    for done in range(count):
        number = r[operands[at + done]]
        for lane in range(lanes):
            r[first + done * lanes + lane] = number


def to_single(r: Array, first: int, count: int) -> None:
    """Round registers that follow one another to float32."""
    for k in range(first, first + count):
        r[k] = np.float32(r[k])


def one_input(kernel: Function) -> Callable[..., None]:
    """Return a loop that applies a kernel of one input."""

    def apply(r: Array, operands: Array, first: int, count: int, at: int, lanes: int) -> None:
        for done in range(count):
            x, out = operands[at + done], first + done * lanes
            for lane in range(lanes):
                r[out + lane] = kernel(r[x + lane])

    return apply


def two_inputs(kernel: Function) -> Callable[..., None]:
    """Return a loop that applies a kernel of two inputs."""

    def apply(r: Array, operands: Array, first: int, count: int, at: int, lanes: int) -> None:
        for done in range(count):
            x, y = operands[at + done], operands[at + count + done]
            out = first + done * lanes
            for lane in range(lanes):
                r[out + lane] = kernel(r[x + lane], r[y + lane])

    return apply


def any_kernel(kernel: Function) -> Callable[..., None]:
    """Return a loop that applies `kernel(code, x, y, z)`, which reads as many inputs as it has."""

    def apply(
        r: Array,
        operands: Array,
        code: int,
        first: int,
        count: int,
        inputs: int,
        at: int,
        lanes: int,
    ) -> None:
        second = count if inputs > 1 else 0
        third = 2 * count if inputs > 2 else 0
        for done in range(count):
            x, y = operands[at + done], operands[at + second + done]
            z, out = operands[at + third + done], first + done * lanes
            for lane in range(lanes):
                r[out + lane] = kernel(code, r[x + lane], r[y + lane], r[z + lane])

    return apply
