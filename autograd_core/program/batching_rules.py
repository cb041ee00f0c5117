"""How each primitive is carried out for many samples at once.

A rule gets an operation on one sample with its inputs, some of which hold the samples along a first
axis, and returns the result for all, again along a first axis. It applies the primitive itself,
with that axis where it does not disturb, so that derivatives need no rules.
"""

from collections.abc import Callable
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from ..data import DType, Index, Operand, Params, Result, shape_of
from ..functions.products import LETTERS
from ..functions.rearranging import stack
from ..graph import Primitive
from ..primitives import (
    convolution,
    decompositions,
    elementwise,
    indexing,
    reductions,
    shapes,
)
from ..primitives import linear_algebra as algebra
from ..primitives.indexing import getitem
from ..primitives.shapes import broadcast_to, reshape, transpose


class Register(NamedTuple):
    """What a node of one sample's run is for all samples."""

    data: Operand  # float, array or Value
    rank: int  # the number of one sample's axes
    has_samples: bool  # along a first axis; False: one for all samples

    def aligned(self, rank: int) -> Result:
        """Return the data such that samples broadcast with those of this rank."""
        if not self.has_samples or self.rank >= rank:
            return self.data
        count, *shape = shape_of(self.data)
        return reshape(self.data, shape=(count, *[1] * (rank - self.rank), *shape))

    def for_each(self, count: int) -> Result:
        """Return the data with an axis of samples."""
        if self.has_samples:
            return self.data
        return broadcast_to(self.data, shape=(count, *shape_of(self.data)))


class Task(NamedTuple):
    """An operation of one sample's run, to be carried out for all samples."""

    primitive: Primitive
    params: Params  # for one sample
    inputs: list[Register]
    batch_size: int
    one_shape: tuple[int, ...]  # of one sample's result
    dtype: DType | None  # of one sample's result; None of a number

    @property
    def rank(self) -> int:
        """The number of axes of one sample's result."""
        return len(self.one_shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result for all samples."""
        return (self.batch_size, *self.one_shape)

    def apply(self, *data: Operand, **params: Any) -> Result:
        """Apply the primitive, with these options instead of those for one sample."""
        return self.primitive(*data, **{**self.params, **params})


def carry_out(task: Task) -> Register:
    """Carry an operation out for all samples; what does not depend on them is computed once."""
    if not any([x.has_samples for x in task.inputs]):
        return Register(task.apply(*[x.data for x in task.inputs]), task.rank, False)
    # A primitive of one's own may do anything with its axes
    rule = RULES.get(task.primitive, one_by_one)
    return Register(rule(task), task.rank, True)


def one_by_one(task: Task) -> Result:
    """Apply the primitive to each sample, and stack the results."""
    if task.batch_size == 0:
        return np.zeros(task.shape, task.dtype)
    results = []
    for i in range(task.batch_size):
        sample = [getitem(x.data, index=i) if x.has_samples else x.data for x in task.inputs]
        results.append(task.apply(*sample))
    return stack(results)


def _pointwise(task: Task) -> Result:
    """Numbers become columns; shapes are aligned from the right, behind the samples."""
    if task.rank == 0:
        return task.apply(*[x.data for x in task.inputs])
    return task.apply(*[x.aligned(task.rank) for x in _typed(task)])


def _typed(task: Task) -> list[Register]:
    """Give numbers, which as columns have a type, that of the arrays if it is the smaller."""
    dtype = task.dtype
    if dtype != np.float32:
        return task.inputs
    return [
        x._replace(data=elementwise.astype(x.data, dtype=dtype))
        if x.has_samples and x.rank == 0 and x.data.dtype != dtype
        else x
        for x in task.inputs
    ]


def _along_axis(task: Task) -> Result:
    """An axis of one sample stands behind the axis of samples; None: all of one sample."""
    axis, rank = task.params["axis"], task.inputs[0].rank
    data = [x.for_each(task.batch_size) for x in task.inputs]
    if axis is None or rank == 0:
        return task.apply(*data, axis=tuple(range(1, rank + 1)))
    if isinstance(axis, tuple):
        return task.apply(*data, axis=tuple([i % rank + 1 for i in axis]))
    return task.apply(*data, axis=axis % rank + 1)


def _reshape(task: Task) -> Result:
    return reshape(task.inputs[0].data, shape=task.shape)


def _transpose(task: Task) -> Result:
    (x,) = task.inputs
    return transpose(x.data, axes=(0, *[i % x.rank + 1 for i in task.params["axes"]]))


def _broadcast_to(task: Task) -> Result:
    return task.apply(task.inputs[0].aligned(task.rank), shape=task.shape)


# Products and decompositions: leading axes count matrices of a stack


def _matmul(task: Task) -> Result:
    return _product(task, *task.inputs)


def _product(task: Task, x: Register, y: Register) -> Result:
    if not y.has_samples and y.rank <= 2:
        return algebra.matmul(x.data, y.data)
    if not x.has_samples and x.rank <= 2 and y.rank == 1:  # one product for all samples
        return algebra.matmul(y.data, x.data.T)
    if x.rank == 1:
        x = Register(getitem(x.data, index=(..., None, slice(None))), 2, x.has_samples)
    y = _columns(y)
    rank = max(x.rank, y.rank)
    return reshape(algebra.matmul(x.aligned(rank), y.aligned(rank)), shape=task.shape)


def _columns(x: Register) -> Register:
    """Make vectors matrices of one column."""
    return x if x.rank > 1 else Register(getitem(x.data, index=(..., None)), 2, x.has_samples)


def _inner(task: Task) -> Result:
    x, y = task.inputs
    if not y.has_samples:
        return task.apply(x.data, y.data)
    return _product(task, x, y._replace(data=transpose(y.data, axes=(0, 2, 1))))


def _einsum(task: Task) -> Result:
    """The axis of samples has a letter of its own."""
    left, output = task.params["subscripts"].split("->")
    letter = next(c for c in LETTERS if c not in left)
    terms = [
        letter + term if x.has_samples else term
        for term, x in zip(left.split(","), task.inputs, strict=True)
    ]
    subscripts = f"{','.join(terms)}->{letter}{output}"
    return task.apply(*[x.data for x in _typed(task)], subscripts=subscripts)


def _of_stack(task: Task) -> Result:
    return task.apply(task.inputs[0].data)


def _determined(task: Task) -> Result:
    return task.apply(*[x.for_each(task.batch_size) for x in task.inputs])


def _solve(task: Task) -> Result:
    x, y = task.inputs
    y = _columns(y)
    rank = max(x.rank, y.rank)
    return reshape(task.apply(x.aligned(rank), y.aligned(rank)), shape=task.shape)


def _convolve(task: Task) -> Result:
    """The images of all samples are one stack; filters of its own set a sample apart."""
    x, weights = task.inputs
    if weights.has_samples:
        return one_by_one(task)
    images, *shape = shape_of(x.data)[1:]
    out = task.apply(reshape(x.data, shape=(task.batch_size * images, *shape)), weights.data)
    return reshape(out, shape=task.shape)


# Indices. Arrays in an index take elements out, and NumPy puts the axes of what they take in their
# place; or first of all, where something that is no array and no number stands between them


def take(task: Task) -> Result:
    """Take elements out, at places that are the same in all samples."""
    (x,) = task.inputs
    index = _parts(task.params["index"])
    out = task.apply(x.data, index=(slice(None), *index))
    taken = _taken(index, x.rank, {})
    return _moved(out, taken.axes, 0) if taken.apart else out


def put(task: Task) -> Result:
    """Put elements back, to places that are the same in all samples."""
    (x,) = task.inputs
    index = _parts(task.params["index"])
    taken = _taken(index, task.rank, {})
    data = _moved(x.data, 0, taken.axes) if taken.apart else x.data
    return task.apply(data, index=(slice(None), *index), shape=task.shape)


def take_at(task: Task) -> Result:
    """Take elements out, at places that are data themselves."""
    x, *places = task.inputs
    index, taken = _where(task, x.rank)
    data = [place.aligned(taken.axes) for place in places]
    if not x.has_samples:
        out = task.apply(x.data, *data)
        return out if taken.apart else _moved(out, taken.before, 0)
    out = task.apply(x.data, *data, **_from_each(task, index, taken))
    return out if taken.apart else _exchanged(out, taken.axes, taken.before)


def put_at(task: Task) -> Result:
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


def _taken(index: tuple[Index, ...], rank: int, places: dict[int, int]) -> _Taken:
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


def _parts(index: Index) -> tuple[Index, ...]:
    return index if isinstance(index, tuple) else (index,)


def _where(task: Task, rank: int) -> tuple[tuple[Index, ...], _Taken]:
    """Return an index with open slots, and where the axes of what it takes out stand."""
    index = task.params["index"]
    ranks = [place.rank for place in task.inputs[1:]]
    return index, _taken(index, rank, dict(zip(task.params["slots"], ranks, strict=True)))


def _from_each(task: Task, index: tuple[Index, ...], taken: _Taken) -> Params:
    """Let an index take from each sample its own; what is taken then stands first of all."""
    numbers = np.arange(task.batch_size).reshape(-1, *[1] * taken.axes)
    slots = tuple([slot + 1 for slot in task.params["slots"]])
    return {"index": (numbers, *index), "slots": slots}


def _moved(x: Operand, axis: int, to: int) -> Result:
    """Move one axis to another place."""
    axes = [i for i in range(len(shape_of(x))) if i != axis]
    axes.insert(to, axis)
    return transpose(x, axes=tuple(axes))


def _exchanged(x: Operand, first: int, second: int) -> Result:
    """Let the `first` axes behind the samples and the `second` ones after them change places."""
    if not first or not second:
        return x
    middle, end = 1 + first, 1 + first + second
    ndim = len(shape_of(x))
    return transpose(x, axes=(0, *range(middle, end), *range(1, middle), *range(end, ndim)))


def from_facts(primitive: Primitive) -> Callable[[Task], Result]:
    """Return the rule that follows from what the primitive's row says."""
    if primitive.elementwise:
        return _pointwise
    if not isinstance(primitive.forward, np.ufunc):
        if "axis" in signature(primitive.forward).parameters:
            return _along_axis
        if primitive.within_matrices:
            return _of_stack
    return one_by_one


TABLE = (elementwise, indexing, shapes, reductions, convolution, algebra, decompositions)
RULES: dict[Primitive, Callable[[Task], Result]] = {
    **{p: from_facts(p) for m in TABLE for p in vars(m).values() if isinstance(p, Primitive)},
    indexing.getitem: take,
    indexing.scatter: put,
    indexing.getitem_at: take_at,
    indexing.scatter_at: put_at,
    shapes.reshape: _reshape,
    shapes.transpose: _transpose,
    shapes.broadcast_to: _broadcast_to,
    convolution.convolve: _convolve,
    convolution.spread_windows: _convolve,
    algebra.matmul: _matmul,
    algebra.inner: _inner,
    algebra.einsum: _einsum,
    algebra.solve: _solve,
    algebra.sign_det: _of_stack,
    decompositions.determined: _determined,
}
