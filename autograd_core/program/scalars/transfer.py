"""Data into registers before a run, and out of them after it."""

from collections.abc import Callable
from itertools import groupby
from struct import Struct
from typing import Any

import numpy as np
from numpy import ndarray

from ...data import Data
from ..program import Program
from .schedule import Schedule
from .steps import Scalars

Load = Callable[[list[Data]], None]
Read = Callable[[], list[Data]]


class Places:
    """Where the registers of a program lie among those of its schedule."""

    def __init__(self, program: Program, scalars: Scalars, schedule: Schedule) -> None:
        self._steps = program.steps
        self._lanes = scalars.lanes
        self._place = scalars.place
        self._registers = schedule.registers

    def indices(self, i: int) -> Any:
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
