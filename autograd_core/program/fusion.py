"""Fusion: chains of elementwise steps become one step, which goes over its arrays once.

Long chains of arithmetic are limited by memory bandwidth: an optimizer's dozen operations read and
write each parameter a dozen times. One loop, compiled by Numba, does it once. Only operations are
fused that every processor rounds alike, so that the result stays equal to the bit.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..derivatives import composition
from ..graph import Primitive, topological_order
from ..primitives import elementwise as table
from ..primitives.indexing import getitem
from .machine_code import machine_code
from .passes import merge_common
from .program import Program, Step, source

# How a loop writes each operation; {zero} and {one} are of the arrays' type
LOOPS: dict[Primitive, str] = {
    table.add: "{0} + {1}",
    table.subtract: "{0} - {1}",
    table.multiply: "{0} * {1}",
    table.divide: "{0} / {1}",
    table.negative: "-{0}",
    table.square: "{0} * {0}",
    table.reciprocal: "{one} / {0}",
    table.sqrt: "sqrt({0})",
    table.absolute: "abs({0})",
    table.greater: "{one} if {0} > {1} else {zero}",
    table.greater_equal: "{one} if {0} >= {1} else {zero}",
    table.equal: "{one} if {0} == {1} else {zero}",
    table.where: "{1} if {0} != {zero} else {2}",
    table.relu: "{zero} if {0} <= {zero} else {0}",
    table.gate: "{0} * ({one} if {1} > {zero} else {zero})",
}
# What `composed` gives to the bit, with arithmetic around a ufunc
COMPOSED = (table.sigmoid, table.tanh_slope, table.sigmoid_slope)
SHORTEST = 3  # operations that are worth a loop of their own
SMALLEST = 2_000  # numbers; smaller arrays only share the loop of large ones


def _evaluated(*inputs: Any, code: tuple[Any, ...], results: tuple[int, ...]) -> Any:
    """Compute what the loop does by the primitives themselves, one after another."""
    data = list(inputs)
    for primitive, operands in code:
        data.append(primitive.compute([data[i] for i in operands], {}, ()))
    return np.stack([data[i] for i in results])


# code: primitives with their operands, numbers of inputs and, beyond, of earlier operations;
# the array has one row for each of the results
fused: Primitive = Primitive("fused", _evaluated, each=lambda *_, **__: None)


def fuse(program: Program) -> Program:
    """Return the program with each chain of elementwise steps on large arrays as one step."""
    return _Fusion(merge_common(_in_parts(program))).result()


def _in_parts(program: Program) -> Program:
    """Return the program with what is composed of a ufunc and arithmetic as steps of their own.

    The arithmetic is fused with its neighbours, and the ufunc may be common to several.
    """
    place: list[int] = []
    kept: list[Step] = []
    constants: dict[int, Any] = {}

    def keep(step: Step, constant: Any) -> int:
        if constant is not None:
            constants[len(kept)] = constant
        kept.append(step)
        return len(kept) - 1

    for i, step in enumerate(program.steps):
        inputs = tuple([place[x] for x in step.inputs])
        if step.primitive not in COMPOSED or not step.shape:
            place.append(keep(step._replace(inputs=inputs), program.constants.get(i)))
            continue
        leaves, out = composition(step.primitive, [np.ones(1, step.dtype)], step.params)
        at: dict[Any, int] = dict(zip(leaves, inputs, strict=True))
        for node in topological_order(out)[len(leaves) :]:
            operands = [at[x] if x in at else keep(source(x), x) for x in node.inputs]
            at[node] = keep(step._replace(primitive=node.primitive, inputs=tuple(operands)), None)
        place.append(at[out])
    return program.rebuilt(kept, place, constants)


class _Fusion:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.place = [-1] * len(program.steps)
        self.kept: list[Step] = []
        self.constants: dict[int, Any] = {}
        self.open: dict[Any, list[int]] = {}  # steps that wait to be one, by shape and type
        self.group_of: dict[int, Any] = {}
        self.loops: set[Any] = set()  # of large arrays, which small ones may share
        self.needed: list[list[int]] = [[] for _ in program.steps]  # by which steps; end: -1
        for i, step in enumerate(program.steps):
            for x in step.inputs:
                self.needed[x].append(i)
        for x in [*program.wanted(), *program.guards]:
            self.needed[x].append(-1)

    def result(self) -> Program:
        """Go through all steps, and gather those that belong together."""
        for i, step in enumerate(self.program.steps):
            kind = (step.shape, step.dtype) if self._is_fusible(step) else None
            for x in step.inputs:
                if x in self.group_of and self.group_of[x] != kind:
                    self._close(self.group_of[x])
            if kind is None:
                self._keep(i, step)
            else:
                self.open.setdefault(kind, []).append(i)
                self.group_of[i] = kind
        for kind in list(self.open):
            self._close(kind)
        return self.program.rebuilt(self.kept, self.place, self.constants)

    def _is_fusible(self, step: Step) -> bool:
        if step.primitive not in LOOPS or not step.shape:
            return False
        sources = [self.program.steps[x] for x in step.inputs]
        return all(not s.shape or (s.shape, s.dtype) == (step.shape, step.dtype) for s in sources)

    def _keep(self, i: int, step: Step) -> None:
        self.place[i] = len(self.kept)
        if i in self.program.constants:
            self.constants[len(self.kept)] = self.program.constants[i]
        self.kept.append(step._replace(inputs=tuple([self.place[x] for x in step.inputs])))

    def _close(self, kind: Any) -> None:
        members = self.open.pop(kind)
        for i in members:
            del self.group_of[i]
        steps = self.program.steps
        inside = set(members)
        outside = dict.fromkeys(x for i in members for x in steps[i].inputs if x not in inside)
        number = {x: k for k, x in enumerate([*outside, *members])}
        code = [(steps[i].primitive, tuple([number[x] for x in steps[i].inputs])) for i in members]
        results = [i for i in members if any(user not in inside for user in self.needed[i])]
        params = {"code": tuple(code), "results": tuple([number[i] for i in results])}
        shape, dtype = kind
        loop = (*params.values(), dtype, *[bool(steps[x].shape) for x in outside])
        if math.prod(shape) >= SMALLEST:
            self.loops.add(loop)
        if len(members) < SHORTEST or loop not in self.loops:
            for i in members:
                self._keep(i, self.program.steps[i])
            return
        inputs = tuple([self.place[x] for x in outside])
        whole = len(self.kept)
        self.kept.append(Step(fused, inputs, params, (len(results), *shape), dtype))
        for row, i in enumerate(results):
            self.place[i] = len(self.kept)
            self.kept.append(Step(getitem, (whole,), {"index": row}, shape, dtype))


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
