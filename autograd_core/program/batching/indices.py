"""How elements are taken out of many samples at once, and put back: rules as in batching_rules.

Arrays in an index take elements out, and NumPy puts the axes of what they take in their place; or
first of all, where something that is no array and no number stands between them.
"""

from typing import Any, NamedTuple

import numpy as np

from ...data import shape_of
from ...primitives.shapes import transpose
from .tasks import Task


def take(task: Task) -> Any:
    """Take elements out, at places that are the same in all samples."""
    (x,) = task.inputs
    index = _parts(task.params["index"])
    out = task.apply(x.data, index=(slice(None), *index))
    taken = _taken(index, x.rank, {})
    return _moved(out, taken.axes, 0) if taken.apart else out


def put(task: Task) -> Any:
    """Put elements back, to places that are the same in all samples."""
    (x,) = task.inputs
    index = _parts(task.params["index"])
    taken = _taken(index, task.rank, {})
    data = _moved(x.data, 0, taken.axes) if taken.apart else x.data
    return task.apply(data, index=(slice(None), *index), shape=task.shape)


def take_at(task: Task) -> Any:
    """Take elements out, at places that are data themselves."""
    x, *places = task.inputs
    index, taken = _where(task, x.rank)
    data = [place.aligned(taken.axes) for place in places]
    if not x.has_samples:
        out = task.apply(x.data, *data)
        return out if taken.apart else _moved(out, taken.before, 0)
    out = task.apply(x.data, *data, **_from_each(task, index, taken))
    return out if taken.apart else _exchanged(out, taken.axes, taken.before)


def put_at(task: Task) -> Any:
    """Put elements back, to places that are data themselves."""
    g, *places = task.inputs
    index, taken = _where(task, task.rank)
    data = g.for_each(task.batch_size)
    if not taken.apart:
        data = _exchanged(data, taken.before, taken.axes)
    aligned = [place.aligned(taken.axes) for place in places]
    return task.apply(data, *aligned, **_from_each(task, index, taken), shape=task.shape)


class _Taken(NamedTuple):
    """Where the axes of what arrays take out stand in a result of indexing."""

    before: int  # how many axes stand before them
    axes: int  # how many they are
    apart: bool  # whether they come first of all


def _taken(index: tuple[Any, ...], rank: int, places: dict[int, int]) -> _Taken:
    """Find the axes of what an index takes out of something with `rank` axes.

    Args: places: for those parts of the index that are data, their numbers of axes.
    """
    ranks = dict(places)
    masks = 0  # axes that masks take out beside one for each of them
    for i, part in enumerate(index):
        if isinstance(part, np.ndarray | list):
            array = np.asarray(part)
            ranks[i] = 1 if array.dtype == bool else array.ndim
            masks += array.ndim - 1 if array.dtype == bool else 0
    if not ranks:
        return _Taken(0, 0, False)
    takes = [i for i, part in enumerate(index) if i in ranks or isinstance(part, int | np.integer)]
    slices = [i for i, part in enumerate(index) if isinstance(part, slice)]
    others = rank - len(takes) - masks - len(slices)  # the axes for which `...` stands
    before = [others if index[i] is ... else 1 for i in range(takes[0])]
    apart = takes[-1] - takes[0] >= len(takes)
    return _Taken(sum(before), max(ranks.values()), apart)


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _where(task: Task, rank: int) -> tuple[tuple[Any, ...], _Taken]:
    """Return an index with open slots, and where the axes of what it takes out stand."""
    index = task.params["index"]
    ranks = [place.rank for place in task.inputs[1:]]
    return index, _taken(index, rank, dict(zip(task.params["slots"], ranks, strict=True)))


def _from_each(task: Task, index: tuple[Any, ...], taken: _Taken) -> dict[str, Any]:
    """Let an index take from each sample its own; what is taken then stands first of all."""
    numbers = np.arange(task.batch_size).reshape(-1, *[1] * taken.axes)
    slots = tuple([slot + 1 for slot in task.params["slots"]])
    return {"index": (numbers, *index), "slots": slots}


def _moved(x: Any, axis: int, to: int) -> Any:
    """Move one axis to another place."""
    axes = [i for i in range(len(shape_of(x))) if i != axis]
    axes.insert(to, axis)
    return transpose(x, axes=tuple(axes))


def _exchanged(x: Any, first: int, second: int) -> Any:
    """Let the `first` axes behind the samples and the `second` ones after them change places."""
    if not first or not second:
        return x
    middle, end = 1 + first, 1 + first + second
    ndim = len(shape_of(x))
    return transpose(x, axes=(0, *range(middle, end), *range(1, middle), *range(end, ndim)))
