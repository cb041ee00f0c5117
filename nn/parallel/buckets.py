"""Gradients of all ranks, averaged: side by side in flat arrays, each of them sent as one."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autograd_core import Value

from .world import World


class Bucket:
    """Some parameters' gradients in one flat array, with a mark for each, and the loss.

    A mark counts the ranks on which a gradient has reached the parameter: where none has, it keeps
    none, as in one process.

    Args:    parameters: of one type.
             orders: the axes of each, in their order in memory, the same on all ranks.
    """

    def __init__(self, parameters: list[Value], orders: list[list[int]]) -> None:
        self.parameters = parameters
        numbers = sum(p.size for p in parameters)
        self.flat = np.empty(numbers + len(parameters) + 1, _dtype(parameters[0]))
        self.marks = self.flat[numbers:-1]
        self.places = []
        start = 0
        for parameter, order in zip(parameters, orders, strict=True):
            place = self.flat[start : start + parameter.size]
            place = place.reshape([parameter.shape[axis] for axis in order])
            self.places.append(place.transpose(np.argsort(order)) if order else place)
            start += parameter.size

    def pack(self, loss: float, share: float) -> None:
        """Put this rank's share of the average in."""
        for i, (parameter, place) in enumerate(zip(self.parameters, self.places, strict=True)):
            gradient: Any = parameter.grad if parameter.has_grad else 0.0
            np.multiply(gradient, share, out=place)
            self.marks[i] = parameter.has_grad
        self.flat[-1] = loss * share

    def unpack(self) -> float:
        """Give the parameters their averages; return that of the loss."""
        for mark, parameter, place in zip(self.marks, self.parameters, self.places, strict=True):
            if mark:
                parameter.grad = place.copy("K") if parameter.shape else float(place)
        return float(self.flat[-1])


class Buckets:
    """Averages the gradients of parameters over all ranks.

    Args:    parameters: those of a model, one at least.
             limit: bytes of gradients in a bucket, at most; a larger parameter has its own.
             world: all ranks.
    """

    def __init__(self, parameters: list[Value], limit: int, world: World) -> None:
        self.world = world
        self.parameters = parameters
        orders = world.bcast([_order(p) for p in parameters])
        ordered = zip(parameters, orders, strict=True)
        self.buckets = [Bucket(*map(list, zip(*g, strict=True))) for g in _groups(ordered, limit)]

    def average(self, loss: float, share: float) -> float:
        """Put averages in place of gradients, and return that of the loss.

        Args:    loss: of this rank's samples.
                 share: how much this rank counts: its part of all samples in the batch.
        """
        for bucket in self.buckets:
            bucket.pack(loss, share)
            self.world.summed(bucket.flat)
        *_, mean = [bucket.unpack() for bucket in self.buckets]
        return mean


def _dtype(parameter: Value) -> Any:
    return np.asarray(parameter.data).dtype


def _order(parameter: Value) -> list[int]:
    """Return the axes of a parameter in their order in memory, the slowest first."""
    strides = np.asarray(parameter.data).strides
    return sorted(range(len(strides)), key=lambda axis: -strides[axis])


def _groups(ordered: Iterable[Any], limit: int) -> Iterator[list[Any]]:
    """Yield parameters in groups of one type, none larger than `limit` bytes if it can be."""
    groups: dict[Any, list[Any]] = {}
    for each in ordered:
        dtype = _dtype(each[0])
        group = groups.setdefault(dtype, [])
        if group and sum(p.size for p, _ in [*group, each]) * dtype.itemsize > limit:
            yield group
            group = groups[dtype] = []
        group.append(each)
    yield from groups.values()
