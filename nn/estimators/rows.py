"""Rows: samples in batches, in the order in which scikit-learn takes them."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np


class Rows:
    """Batches for as many passes as wanted, each made dense when its turn comes.

    Args:    parts: arrays or sparse matrices of equal length, or None, which is left out.
             batch_size: samples in a batch; the last one may be smaller.
             random_state: a RandomState, which for each pass shuffles the order of the last one;
             None: as they are.
    Example: >>> rows = Rows((np.arange(5), None), 2, np.random.RandomState(0))
             >>> [x.tolist() for (x,) in rows], [x.tolist() for (x,) in rows]
             ([[2, 0], [1, 3], [4]], [[2, 1], [0, 4], [3]])
    """

    def __init__(self, parts: tuple[Any, ...], batch_size: int, random_state: Any = None) -> None:
        self.parts = tuple(part for part in parts if part is not None)
        self.batch_size = batch_size
        self.random_state = random_state
        self._order = np.arange(self.parts[0].shape[0])

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self.random_state is not None:
            self._order = self._order[self.random_state.permutation(len(self._order))]
        for start in range(0, len(self._order), self.batch_size):
            here: Any = slice(start, start + self.batch_size)
            here = here if self.random_state is None else self._order[here]
            yield tuple(_dense(part[here]) for part in self.parts)


def _dense(part: Any) -> Any:
    return part.toarray() if hasattr(part, "toarray") else part
