"""Collective operations over MPI, which end on all processes when one of them has stopped."""

import atexit
import os
import pickle
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, cast

import numpy as np

from autograd_core import AutogradError, MissingPackageError, OptionError, Value
from autograd_core.data import Array, DType, Operand

from ..packages import optional

# Where the launchers of MPICH (and its derivatives) and of Open MPI put the number of processes
_STARTED = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
NOTES = 7301  # the tag of messages outside the operations
EAGER = 200  # tests of an operation before the rank yields the processor between tests
NAP = 1e-4  # seconds between later tests
PATIENCE = 1.0  # seconds until a rank sends which operation it waits for
REMEMBERED = 100  # operations whose names are kept


class RankError(AutogradError, RuntimeError):
    """Another rank has stopped, or does something else, while this one waits for it."""


class World:
    """All ranks, and their collective operations, which all ranks call in the same order.

    Operation number n of one rank is number n of every other. A rank that fails sends a note with
    the number of operations it has begun: a rank that waits for a later one stops, too. Ranks that
    have failed after the same number continue together, as after an error that all have raised. A
    rank that waits for long sends a note with the name of its operation, so that ranks in
    different operations notice it.

    Args:    comm: the communicator of mpi4py.
    """

    def __init__(self, comm: Any) -> None:
        self.comm = comm
        self.rank: int = comm.rank
        self.size: int = comm.size
        self.mpi = optional("mpi4py.MPI", "mpi4py mpich")
        self._begun = 0  # operations
        self._names: dict[int, str] = {}
        self._stops: list[int] = []  # operations begun before each failure of this rank
        self._unmet: set[int] = set()  # ranks that have not failed together with this one so far
        self._notes: list[tuple[int, str, int, int, str]] = []  # that may still matter
        self._kept: list[object] = []  # requests and buffers in use, or given up
        self._waiting = False
        self.broken: RankError | None = None  # an operation was given up: none can follow

    def summed(self, numbers: Array) -> Array:
        """Return the sum of all ranks' arrays, in place."""
        return self._reduced(numbers, self.mpi.SUM, "a sum")

    def largest(self, numbers: Array) -> Array:
        """Return the elementwise maximum of all ranks' arrays, in place."""
        return self._reduced(numbers, self.mpi.MAX, "a comparison")

    def is_common(self, *numbers: float) -> bool:
        """Return whether all ranks have the same numbers."""
        bounds = self.largest(np.array([*numbers, *[-number for number in numbers]], np.float64))
        half = len(numbers)
        return bool((bounds[:half] == -bounds[half:]).all())

    def first(self, numbers: Array) -> Array:
        """Return the numbers of rank 0, an array of the same length on all."""
        self._begin(f"{len(numbers)} numbers of rank 0")
        self._end(self.comm.Ibcast(numbers), numbers)
        return numbers

    def bcast(self, thing: object = None) -> Any:
        """Return the object of rank 0."""
        data = pickle.dumps(thing) if self.rank == 0 else b""
        sizes = self._sizes(data, "an object of rank 0")
        everywhere = np.frombuffer(data or bytes(sizes[0]), np.uint8).copy()
        self._begin("an object of rank 0")
        self._end(self.comm.Ibcast(everywhere), everywhere)
        return pickle.loads(everywhere.tobytes())

    def allgather(self, thing: object) -> list[Any]:
        """Return the objects of all ranks, in their order."""
        data = pickle.dumps(thing)
        sizes = self._sizes(data, "objects of all ranks")
        every = np.empty(sum(sizes), np.uint8)
        self._begin("objects of all ranks")
        self._end(self.comm.Iallgatherv(data, [every, sizes]), data, every)
        return _unpickled(every, sizes)

    def gather(self, thing: object) -> list[Any] | None:
        """Return the objects of all ranks, in their order, on rank 0; None elsewhere."""
        data = pickle.dumps(thing)
        sizes = self._sizes(data, "objects for rank 0")
        every = np.empty(0 if self.rank else sum(sizes), np.uint8)
        self._begin("objects for rank 0")
        into = None if self.rank else [every, sizes]
        self._end(self.comm.Igatherv(data, into), data, every)
        return None if self.rank else _unpickled(every, sizes)

    def failed(self, error: BaseException) -> None:
        """Notify the other ranks that this one has failed."""
        if self._waiting and self.broken is None:
            self._break("an error has interrupted an operation of all ranks on this one")
        text = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(": ")
        self._send("broken" if self.broken else "failed", self._begun, text)
        self._stops.append(self._begun)
        self._unmet = {rank for rank in range(self.size) if rank != self.rank}

    def left(self) -> None:
        """Notify the other ranks that the program ends on this one."""
        self._send("broken" if self.broken else "left", self._begun, "the program has ended there")

    def _sizes(self, data: bytes, name: str) -> list[int]:
        """Return the number of bytes of each rank, if all begin the same operation."""
        own = np.array([len(data), zlib.crc32(name.encode())], np.int64)
        every = np.empty((self.size, 2), np.int64)
        self._begin("the sizes of objects")
        self._end(self.comm.Iallgather(own, every), own, every)
        others = np.flatnonzero(every[:, 1] != own[1])
        if others.size:
            self._break(f"rank {others[0]} does something else than wait for {name}")
            raise cast(RankError, self.broken)
        sizes: list[int] = every[:, 0].tolist()
        return sizes

    def _reduced(self, numbers: Array, operation: object, name: str) -> Array:
        self._begin(f"{name} of {numbers.size} numbers")
        self._end(self.comm.Iallreduce(self.mpi.IN_PLACE, numbers, operation), numbers)
        return numbers

    def _begin(self, name: str) -> None:
        while self._unmet:  # until all have failed at the same point, others wait for this rank
            self._read_notes()
            time.sleep(NAP)
        if self.broken is not None:
            raise self.broken
        self._begun += 1
        self._names[self._begun] = name
        self._names.pop(self._begun - REMEMBERED, None)

    def _end(self, request: Any, *buffers: object) -> None:
        """Wait until an operation is done, and read notes meanwhile."""
        self._waiting = True
        self._kept += [request, *buffers]
        looks, start, has_sent = 0, 0.0, False
        while not request.Test():
            looks += 1
            if looks < EAGER:
                continue
            if looks == EAGER:
                start = time.monotonic()
            self._read_notes()
            time.sleep(NAP if looks > 2 * EAGER else 0.0)
            if not has_sent and time.monotonic() - start > PATIENCE:
                has_sent = True
                self._send("waiting", self._begun, self._names[self._begun])
        del self._kept[-1 - len(buffers) :]
        self._waiting = False

    def _send(self, kind: str, number: int, text: str) -> None:
        note = (self.rank, kind, len(self._stops), number, text)
        others = [rank for rank in range(self.size) if rank != self.rank]
        self._kept = [*[self.comm.isend(note, rank, NOTES) for rank in others], *self._kept]

    def _read_notes(self) -> None:
        """Stop if another rank does not take part in the operation of this one.

        Raises: RankError.
        """
        while self.comm.Iprobe(tag=NOTES):
            self._notes.append(self.comm.recv(tag=NOTES))
        self._notes = [note for note in self._notes if not self._is_settled(*note)]
        if self.broken is not None:
            raise self.broken

    def _is_settled(self, rank: int, kind: str, failures: int, number: int, text: str) -> bool:
        """Return whether a note can be dropped."""
        own = len(self._stops)
        if kind == "waiting":
            name = self._names.get(number, text)
            if failures == own and number <= self._begun and name != text:
                self._break(f"rank {rank} waits for {text}, where this one had {name}")
            return failures < own or number <= self._begun
        if kind == "failed" and failures < own and self._stops[failures] == number:
            self._unmet.discard(rank)  # an error that all have raised: they go on from there
            return True
        if kind == "broken" or failures < own or (failures == own and number < self._begun):
            self._break(f"rank {rank} has stopped: {text}")
        return False

    def _break(self, why: str) -> None:
        self.broken = RankError(
            f"rank {self.rank} of {self.size}, which waits for all ranks",
            why,
            "the same calls on every rank; an error of one rank ends the block on all, and is not "
            "to be caught there alone",
        )


def _unpickled(every: Array, sizes: list[int]) -> list[object]:
    """Return the objects of all ranks, from their bytes."""
    return [pickle.loads(part.tobytes()) for part in np.split(every, np.cumsum(sizes)[:-1])]


@cache
def _all_ranks() -> World:
    """Return the one World of this process, which counts all operations."""
    made = World(optional("mpi4py.MPI", "mpi4py mpich").COMM_WORLD)
    atexit.register(made.left)
    return made


def world() -> World:
    """Return all ranks.

    Raises:  MissingPackageError: mpi4py is not installed, or finds no MPI library.
             OptionError: mpiexec belongs to another MPI library, so that every rank is alone.
    """
    try:
        found = optional("mpi4py.MPI", "mpi4py mpich").COMM_WORLD
    except RuntimeError as error:  # from mpi4py, if no library can be loaded
        raise MissingPackageError(
            "mpi4py without an MPI library", str(error), "pip install mpich"
        ) from error
    started = max(int(os.environ.get(name, "1")) for name in _STARTED)
    if found.size == 1 and started > 1:
        raise OptionError(
            f"mpiexec that has started {started} processes, each of which finds itself alone",
            "it belongs to another MPI library than the one that mpi4py has loaded",
            "the mpiexec that pip has installed beside python (pip install mpich)",
        )
    return _all_ranks() if found.size > 1 else World(found)


def require_same(world: World, what: Mapping[str, object]) -> None:
    """Refuse to continue if the ranks differ in something that must be equal.

    Args:    what: anything that can be compared, by name.
    Raises:  OptionError: on every rank, with the first thing that differs.
    """
    every = world.allgather(what)
    for name, own in every[0].items():
        for rank, other in enumerate(every):
            if other.get(name) != own:  # under another name if the rank is at another point
                raise OptionError(
                    f"{name}: {own} on rank 0, but {other.get(name)} on rank {rank}",
                    "all ranks learn one model from one set of data, each from its own share",
                    "the same program, files and seed on every rank: nn.set_seed(0) before weights"
                    " and data are drawn",
                )


class Bucket:
    """The gradients of some parameters in one flat array, with a mark for each, and the loss.

    A mark counts the ranks on which the parameter has a gradient: with 0 it keeps none, as in one
    process.

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
        """Write this rank's part of the average into the flat array."""
        for i, (parameter, place) in enumerate(zip(self.parameters, self.places, strict=True)):
            gradient: Operand = parameter.grad if parameter.has_grad else 0.0
            np.multiply(gradient, share, out=place)
            self.marks[i] = parameter.has_grad
        self.flat[-1] = loss * share

    def unpack(self) -> float:
        """Assign the average gradients to the parameters; return the average loss."""
        for mark, parameter, place in zip(self.marks, self.parameters, self.places, strict=True):
            if mark:
                parameter.grad = place.copy("K") if parameter.shape else float(place)
        return float(self.flat[-1])


class Buckets:
    """Averages the gradients of parameters over all ranks.

    Args:    parameters: those of a model, one at least.
             limit: the most bytes of gradients in a bucket; a larger parameter has its own.
             world: all ranks.
    """

    def __init__(self, parameters: list[Value], limit: int, world: World) -> None:
        self.world = world
        self.parameters = parameters
        orders = world.bcast([_order(p) for p in parameters])
        ordered = zip(parameters, orders, strict=True)
        self.buckets = [Bucket(*map(list, zip(*g, strict=True))) for g in _groups(ordered, limit)]

    def average(self, loss: float, share: float) -> float:
        """Replace gradients by their averages, and return the average loss.

        Args:    loss: of this rank's samples.
                 share: this rank's fraction of the samples in the batch.
        """
        for bucket in self.buckets:
            bucket.pack(loss, share)
            self.world.summed(bucket.flat)
        *_, mean = [bucket.unpack() for bucket in self.buckets]
        return mean


def _dtype(parameter: Value) -> DType:
    return np.asarray(parameter.data).dtype


def _order(parameter: Value) -> list[int]:
    """Return the axes of a parameter in their order in memory, the slowest first."""
    strides = np.asarray(parameter.data).strides
    return sorted(range(len(strides)), key=lambda axis: -strides[axis])


def _groups(
    ordered: Iterable[tuple[Value, list[int]]], limit: int
) -> Iterator[list[tuple[Value, list[int]]]]:
    """Yield groups of parameters of one type, of at most `limit` bytes if possible."""
    groups: dict[DType, list[tuple[Value, list[int]]]] = {}
    for each in ordered:
        dtype = _dtype(each[0])
        group = groups.setdefault(dtype, [])
        if group and sum(p.size for p, _ in [*group, each]) * dtype.itemsize > limit:
            yield group
            group = groups[dtype] = []
        group.append(each)
    yield from groups.values()
