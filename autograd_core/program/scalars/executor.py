"""The scalar executor: a program of numbers, run by the machine, or by NumPy level by level."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..arrays.executor import ArrayExecutor
from ..program import Program, Results, Unanswered
from ..tracing import fresh_draw
from .gathering import gather_sums
from .levels import Levels
from .machine import machine
from .schedule import schedule
from .steps import Scalars
from .transfer import Places


class ScalarExecutor:
    """Runs a program that was lowered to numbers.

    Calling it with the data of the arguments gives the data of the results.
    Everything is computed in float64; what NumPy computes in float32 is rounded step by step.

    Args:    program: what is to be run.
             scalars: the same, lowered.
             compiled: run by the machine, which Numba compiles; otherwise, and where that fails,
             by NumPy.
    """

    def __init__(self, program: Program, scalars: Scalars, compiled: bool) -> None:
        gather_sums(scalars)
        self.program = program
        self.schedule = schedule(scalars)
        self._constants = {self.schedule.registers[i]: x for i, x in scalars.constants.items()}
        self._lanes = scalars.lanes
        self._guard = None if scalars.guard is None else self.schedule.registers[scalars.guard]
        self._places = Places(program, scalars, self.schedule)
        self._compiled = compiled
        self._captured = list(program.captured.values())
        self._drawn = [i for i, s in enumerate(program.steps) if s.primitive is fresh_draw]
        self._draws = [(program.steps[i].params or {})["draw"] for i in self._drawn]
        self._idle: list[Callable[[list[Any]], Results]] = []  # workspaces that nobody is using

    def __call__(self, data: list[Any]) -> Results:
        """Replay the program."""
        try:
            run = self._idle.pop()
        except IndexError:
            run = self._workspace()
        try:
            return run(data)
        finally:
            self._idle.append(run)

    def _workspace(self) -> Callable[[list[Any]], Results]:
        """Return a function that replays, with registers of its own."""
        program, plan, places = self.program, self.schedule, self._places
        r = np.zeros(plan.size)
        for start, constant in self._constants.items():
            r[start : start + np.size(constant)] = constant
        run_machine = machine() if self._compiled else None
        calculate: Callable[[], None]
        if run_machine is not None:
            calculate = partial(
                run_machine, r, plan.groups, plan.operands, plan.numbers, self._lanes
            )
        elif self._lanes == 1:
            calculate = Levels(plan, r)
        else:
            return ArrayExecutor(program)  # whose arrays are the rows of lanes
        load = places.loader(r, program.arguments)
        load_captured = places.loader(r, list(program.captured))
        load_drawn = places.loader(r, self._drawn)
        read = places.reader(r, program.outputs)
        guard = None if self._guard is None else r[self._guard : self._guard + 1]
        captured, draws = self._captured, self._draws

        def run(data: list[Any]) -> Results:
            load(data)
            if captured:
                load_captured([node._data for node in captured])
            drawn = [draw() for draw in draws]
            if drawn:
                load_drawn(drawn)
            calculate()
            if guard is not None and guard.item() != guard.item():  # NaN
                return Unanswered(drawn)
            return read()

        return run
