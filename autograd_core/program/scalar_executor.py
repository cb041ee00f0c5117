"""The scalar executor: runs a scalar program on the virtual machine, or on NumPy group by group."""

from collections.abc import Callable
from functools import partial
from itertools import groupby
from struct import Struct
from typing import Any

import numpy as np
from numpy import ndarray

from ..data import Data
from ..graph import Primitive
from ..primitives import elementwise as table
from .array_executor import ArrayExecutor
from .lowering import in_lanes, lowered
from .machine_code import has_numba
from .program import Executor, Program, Results, Unanswered
from .scalar_program import KERNELS, ROUNDED_SUM, SUM, Groups, Scalars, gather_sums, schedule
from .tracing import fresh_draw
from .virtual_machine import virtual_machine


class ScalarExecutor:
    """Runs a program that was lowered to numbers.

    Calling it with the data of the arguments gives the data of the results.
    Everything is computed in float64; what NumPy computes in float32 is rounded step by step.

    Args:    program: what is to be run.
             scalars: the same, lowered.
             compiled: run by the virtual machine, which Numba compiles; otherwise, and where that
             fails, by NumPy.
    """

    def __init__(self, program: Program, scalars: Scalars, compiled: bool) -> None:
        gather_sums(scalars)
        self.program = program
        self.schedule = schedule(scalars)
        self._constants = {self.schedule.registers[i]: x for i, x in scalars.constants.items()}
        self._lanes = scalars.lanes
        self._guard = None if scalars.guard is None else self.schedule.registers[scalars.guard]
        self._data = Registers(program, scalars, self.schedule)
        self._compiled = compiled
        self._captured = list(program.captured.values())
        self._drawn = [i for i, s in enumerate(program.steps) if s.primitive is fresh_draw]
        self._draws = [(program.steps[i].params or {})["draw"] for i in self._drawn]
        self._idle: list[Executor] = []  # workspaces that are not in use

    def __call__(self, data: list[Data]) -> Results:
        """Replay the program."""
        try:
            run = self._idle.pop()
        except IndexError:
            run = self._workspace()
        try:
            return run(data)
        finally:
            self._idle.append(run)

    def _workspace(self) -> Executor:
        """Return a function that replays, with registers of its own."""
        program, plan, registers = self.program, self.schedule, self._data
        r = np.zeros(plan.size)
        for start, constant in self._constants.items():
            r[start : start + np.size(constant)] = constant
        machine = virtual_machine() if self._compiled else None
        calculate: Callable[[], None]
        if machine is not None:
            calculate = partial(machine, r, plan.groups, plan.operands, plan.numbers, self._lanes)
        elif self._lanes == 1:
            calculate = NumPyCalls(plan, r)
        else:
            return ArrayExecutor(program)  # whose arrays are the rows of lanes
        load = registers.loader(r, program.arguments)
        load_captured = registers.loader(r, list(program.captured))
        load_drawn = registers.loader(r, self._drawn)
        read = registers.reader(r, program.outputs)
        guard = None if self._guard is None else r[self._guard : self._guard + 1]
        captured, draws = self._captured, self._draws

        def run(data: list[Data]) -> Results:
            load(data)
            if captured:
                load_captured([node._data for node in captured])
            drawn = []
            if draws:
                drawn = [draw() for draw in draws]
                load_drawn(drawn)
            calculate()
            if guard is not None:
                squares = guard.item()
                if squares != squares:  # NaN
                    return Unanswered(drawn)
            return read()

        return run


Load = Callable[[list[Data]], None]
Read = Callable[[], list[Data]]


class Registers:
    """Loads data into the registers of a schedule, and stores results from them."""

    def __init__(self, program: Program, scalars: Scalars, schedule: Groups) -> None:
        self._steps = program.steps
        self._lanes = scalars.lanes
        self._place = scalars.place
        self._registers = schedule.registers

    def indices(self, i: int) -> ndarray:
        """Return where the numbers of register i lie: an array of its shape, or one index."""
        found = self._registers[self._place[i]]
        if self._lanes > 1 and self._steps[i].shape:
            return found + np.arange(self._lanes)
        return found

    def loader(self, r: ndarray, numbers: list[int]) -> Load:
        """Return what fills registers of the program, which nothing computes, with a list of data.

        Numbers that follow each other are written at once.
        """
        fills: list[tuple[int, ndarray]] = []
        packs: list[tuple[Any, int, int, int]] = []
        for is_array, run in groupby(
            range(len(numbers)), lambda k: bool(self._steps[numbers[k]].shape)
        ):
            ks = list(run)
            if is_array:
                fills += [(k, self._view(r, numbers[k])) for k in ks]
                continue
            starts = [int(self.indices(numbers[k])) for k in ks]
            for _, part in groupby(zip(ks, starts, strict=True), lambda pair: pair[1] - pair[0]):
                here = list(part)
                first, start = here[0]
                pack = Struct(f"{len(here)}d").pack_into
                packs.append((pack, 8 * start, first, first + len(here)))

        def load(data: list[Data]) -> None:
            for pack, at, first, last in packs:
                pack(r, at, *data[first:last])
            for k, view in fills:
                view[...] = data[k]

        return load

    def reader(self, r: ndarray, numbers: list[int]) -> Read:
        """Return what makes a list of fresh data of registers of the program."""
        single = [i for i in numbers if not self._steps[i].shape]
        wanted = np.array([self.indices(i) for i in single], np.intp)
        found = np.empty(len(single))
        if len(single) == len(numbers):

            def read_numbers() -> list[Data]:
                r.take(wanted, None, found, "clip")
                fresh: list[Any] = found.tolist()
                return fresh

            return read_numbers
        takes = [self._take(r, i) if self._steps[i].shape else None for i in numbers]

        def read() -> list[Data]:
            floats = iter(r.take(wanted).tolist())
            return [next(floats) if take is None else take() for take in takes]

        return read

    def _view(self, r: ndarray, i: int) -> ndarray:
        indices = self.indices(i)
        start = int(indices.flat[0]) if indices.size else 0
        return r[start : start + indices.size].reshape(indices.shape)

    def _take(self, r: ndarray, i: int) -> Callable[[], ndarray]:
        """Return what copies an array out of registers."""
        indices, dtype = self.indices(i), self._steps[i].dtype
        flat = indices.ravel()
        if (np.diff(flat) == 1).all():
            view = self._view(r, i)
            return lambda: view.astype(dtype)
        if dtype == r.dtype:
            return lambda: r.take(indices)
        return lambda: r.take(indices).astype(dtype)


LARGEST = 16_384  # numbers gathered at once: they stay in the processor's cache


class NumPyCalls:
    """Runs a schedule of numbers on registers of its own."""

    def __init__(self, schedule: Groups, r: ndarray) -> None:
        operands = schedule.operands.astype(np.intp)
        self._calls: list[Callable[[], object]] = []
        self._r = r
        for code, first, count, inputs, at, _, single in schedule.groups.tolist():
            read = operands[at : at + inputs * count].reshape(inputs, count)
            results = r[first : first + count]
            if code < SUM:
                self._add_operation(KERNELS[code], read, results)
                self._round(results, single)
                continue
            width = max(1, LARGEST // inputs)
            for start in range(0, count, width):
                stop = min(start + width, count)
                part = np.ascontiguousarray(read[:, start:stop])
                self._add_sum(part, results[start:stop], code == ROUNDED_SUM)
            self._round(results, single)

    def __call__(self) -> None:
        """Run all groups."""
        with np.errstate(all="ignore"):
            for call in self._calls:
                call()

    def _gather(self, read: ndarray) -> ndarray:
        """Take numbers from registers, in every run, into the array that is returned."""
        found = np.empty(read.shape)
        self._calls.append(partial(self._r.take, read, None, found, "clip"))  # quick: no checks
        return found

    def _round(self, results: ndarray, single: int) -> None:
        if single:
            self._calls.append(lambda: np.copyto(results, results.astype(np.float32)))

    def _add_operation(self, primitive: Primitive, read: ndarray, out: ndarray) -> None:
        inputs = self._gather(read)
        if primitive.into is not None and primitive is not table.astype:
            self._calls.append(partial(primitive.into, *inputs, out))
            return
        params = {"decimals": 0} if primitive is table.round else {}
        forward = partial(primitive.forward, *inputs, **params)
        self._calls.append(lambda: np.copyto(out, forward()))

    def _add_sum(self, read: ndarray, out: ndarray, is_rounded: bool) -> None:
        x, y = self._gather(read[::2]), self._gather(read[1::2])
        products = np.empty(y.shape, np.float32) if is_rounded else y
        multiply = partial(np.multiply, x.ravel(), y.ravel(), products.ravel(), casting="same_kind")
        self._calls.append(multiply)
        sums = np.empty(products.shape, products.dtype)
        if out.size > 1:  # row after row
            self._calls.append(partial(np.add.reduce, products, 0, None, sums[0]))
        else:  # which would be added in pairs
            self._calls.append(partial(np.add.accumulate, products[:, 0], 0, None, sums[:, 0]))
        self._calls.append(partial(np.copyto, out, sums[0 if out.size > 1 else -1]))


# An operation of NumPy takes as long as the virtual machine for so many numbers
WORTH = 400
# Groups narrower than this take NumPy longer than one number after another takes Python
NARROW = 6
ROOM = 1_000_000  # numbers in all lanes together, each of which has a register
DEEP = 20_000  # steps, beyond which nothing else runs
FEW = 20  # operations: Python has done them before Numba would be loaded, and nearly as soon later


def scalar_executor(program: Program, compiled: bool | None = None) -> ScalarExecutor | None:
    """Return what runs the program number by number, or None where NumPy's arrays are quicker.

    Programs of numbers alone qualify, those of small arrays if Numba is there, and batches of
    samples, whose arrays have one axis all alike, computed element by element.

    Args:    compiled: with Numba; None: if it is installed.
    Returns: None also for programs of a few operations.
    """
    if len(program.operations()) < FEW:
        return None
    compiled = has_numba() if compiled is None else compiled
    numbers_alone = not any(step.shape for step in program.steps)
    if not numbers_alone and not compiled:
        return None
    is_large = sum([step.size for step in program.steps]) > ROOM
    scalars = None if numbers_alone or is_large else in_lanes(program)
    if scalars is None:
        limit = None if numbers_alone else WORTH * len(program.operations())
        scalars = lowered(program, limit)
    if scalars is None:
        return None
    made = ScalarExecutor(program, scalars, compiled)
    if not compiled and len(program) < DEEP:
        groups = len(made.schedule.groups)
        if len(made.schedule.operands) < NARROW * groups:
            return None
    return made
