"""The same without Numba: NumPy runs all operations of a group at once, in arrays kept for it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from ...graph import Primitive
from ...primitives import elementwise as table
from .operations import KERNELS, ROUNDED_SUM, SUM
from .schedule import Schedule

LARGEST = 16_384  # numbers gathered at once: they stay in the processor's cache


class Levels:
    """Runs a schedule of numbers on registers of its own."""

    def __init__(self, schedule: Schedule, r: ndarray) -> None:
        operands = schedule.operands.astype(np.intp)
        self._calls: list[Callable[[], Any]] = []
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

    def _gather(self, read: Any) -> ndarray:
        """Take numbers from registers, in every run, into the array that is returned."""
        found = np.empty(read.shape)
        self._calls.append(partial(self._r.take, read, None, found, "clip"))  # quick: no checks
        return found

    def _round(self, results: ndarray, single: int) -> None:
        if single:
            self._calls.append(lambda: np.copyto(results, results.astype(np.float32)))

    def _add_operation(self, primitive: Primitive, read: Any, out: ndarray) -> None:
        inputs = self._gather(read)
        if primitive.into is not None and primitive is not table.astype:
            self._calls.append(partial(primitive.into, *inputs, out))
            return
        params = {"decimals": 0} if primitive is table.round else {}
        forward = partial(primitive.forward, *inputs, **params)
        self._calls.append(lambda: np.copyto(out, forward()))

    def _add_sum(self, read: Any, out: ndarray, is_rounded: bool) -> None:
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
