"""Together: one rank's part in each pass over the data."""

import copy
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np

from autograd_core import OptionError, no_grad

from ..data import Batches
from ..epochs import Alone, Figures, Metrics
from ..randomness import drawing_from, generator
from .buckets import Buckets
from .sharing import average_buffers, share_optimizer, share_weights
from .world import World, require_same

Portion = Callable[[int, int], Any]  # the samples of a batch from one number to another


class Together(Alone):
    """Computes this rank's share of every batch, and averages with the others.

    The gradient of a batch is the mean over its samples, so that with n_r of n samples on rank r
    gradient = sum n_r / n gradient_r, and the loss likewise. A rank without a sample in a small
    batch computes the first one, which counts 0 times.

    Args:    world: all ranks.
             model: the one to learn.
             limit: bytes in a bucket.
    """

    updates_apart = True

    def __init__(self, world: World, model: Any, limit: int) -> None:
        self.world = world
        self.model = model
        self.limit = limit
        self.samples = self.own = 0  # in the current batch: of all ranks, and of this one
        self._compared: list[Any] = []  # the arrays that all ranks have been found to share
        self._is_equal = False  # whether all ranks have the weights of rank 0 by now
        self._buckets: Buckets | None = None

    def batches(self, data: Any) -> Iterator[Any]:
        """Yield this rank's share of each batch.

        Raises: OptionError: on every rank, if their data differ.
        """
        rank, size = self.world.rank, self.world.size
        self._source = self._stream()
        end: tuple[int, int, Portion] = (0, 0, partial(_sliced, ()))
        for number, (samples, mark, portion) in enumerate(itertools.chain(_portions(data), [end])):
            if number == 0 or not self.world.is_common(samples, mark):
                here = {f"batch {number} of the data": _glance(portion(0, samples))}
                require_same(self.world, here)
            if number == 0 and isinstance(data, Batches):
                self._compare_all(data.parts)
            if samples and not self._is_equal:
                self._make_equal(portion)
            if samples:
                low, high = samples * rank // size, samples * (rank + 1) // size
                self.samples, self.own = samples, high - low
                yield portion(low, high) if self.own else portion(0, 1)

    def figures(self, metrics: Metrics) -> Figures:
        """Return what sums up a pass over all ranks."""
        return FiguresOfAll(metrics, self)

    def drawing(self) -> AbstractContextManager[None]:
        """Draw from this rank's own stream in a block in which a batch is learnt."""
        return drawing_from(self._source)

    def agreed(self, stops: bool) -> bool:
        """Return whether training stops here: any rank may stop it."""
        return bool(self.world.largest(np.array([stops], np.float64))[0])

    def averaged(self, loss: float, mask: Any = None, parameters: Iterable[Any] = ()) -> float:
        """Return the loss of the whole batch, and put its gradients into the parameters."""
        parameters, share = list(parameters), self.own / self.samples
        if mask is not None:  # a mean over the steps that count
            counted = float(np.sum(mask[: self.own]))
            share = counted / max(self.world.summed(np.array([counted]))[0], 1.0)
        if not parameters:
            return float(self.world.summed(np.array([loss * share]))[0])
        buckets = self._buckets
        if buckets is None or [*map(id, buckets.parameters)] != [*map(id, parameters)]:
            buckets = self._buckets = Buckets(parameters, self.limit, self.world)
        return buckets.average(loss, share)

    def _make_equal(self, portion: Portion) -> None:
        """Build what the data have not built yet, and give all ranks the state of rank 0."""
        with self.model.evaluating(), no_grad():
            self.model(portion(0, 1)[0])
        state = self.model.state_dict().items()
        shapes = {name: (array.shape, array.dtype.name) for name, array in state}
        require_same(self.world, {"parameters and buffers": shapes})
        share_weights(self.world, self.model)
        share_optimizer(self.world, self.model)
        self._require_same_loss(portion(0, 1))
        self._is_equal = True

    def _compare_all(self, parts: tuple[Any, ...]) -> None:
        """Refuse arrays that are not the same on all ranks, once."""
        if not any(parts is others for others in self._compared):
            require_same(self.world, {"all samples of the data": _glance(parts)})
            self._compared.append(parts)

    def _require_same_loss(self, sample: Any) -> None:
        """Refuse models or losses of another formula: one sample tells.

        Raises: OptionError: on every rank.
        """
        with self.model.evaluating():
            loss, *_ = self.model._compare(*sample)
        every = self.world.allgather(float(loss + self.model.penalty()))
        differs = ~np.isclose(every, every[0], rtol=1e-4, equal_nan=True)
        if differs.any():
            rank = int(differs.argmax())
            raise OptionError(
                f"the loss of the first sample: {every[0]} on rank 0, but {every[rank]} on rank"
                f" {rank}",
                "with equal weights and data, their models or losses compute something else",
                "the same functions and options on every rank",
            )

    def _stream(self) -> np.random.Generator:
        """Return random numbers that no other rank and no other pass has.

        They follow from the state of training, so that it can be resumed, and leave the common
        generator as it is: weights and shuffles are then those of a single process.
        """
        seed = int(copy.deepcopy(generator()).integers(2**63))
        return np.random.default_rng([seed, self.model.optimizer.iterations, self.world.rank])


class FiguresOfAll(Figures):
    """Sums up a pass over the samples of all ranks, in the order that one process sees.

    Args:    metrics: functions of (targets, predictions), by name.
             together: knows how many samples count.
    """

    def __init__(self, metrics: Metrics, together: Together) -> None:
        super().__init__(metrics)
        self._together = together

    def add(self, loss: float, y: Any, out: Any, mask: Any = None) -> None:
        """Add a batch: the loss of all its samples, this rank's targets, predictions and mask."""
        together = self._together
        self._total += loss * together.samples
        self._samples += together.samples
        if self._metrics:
            own = None if mask is None else mask[: together.own]
            self._kept.append((y[: together.own], out[: together.own], own))

    def logs(self) -> dict[str, float]:
        """Return the loss and all metrics by name; rank 0 computes them for all."""
        world, model = self._together.world, self._together.model
        average_buffers(world, model)
        kept = world.gather(self._kept)
        if kept is not None:
            self._kept = [each for batch in zip(*kept, strict=True) for each in batch]
        return dict(world.bcast(None if world.rank else super().logs()))


def _portions(data: Any) -> Iterator[tuple[int, int, Portion]]:
    """Yield for each batch how many samples it has, a checksum of what tells it from others, and
    a function that takes some of its samples out.
    """
    if isinstance(data, Batches):  # which would copy what belongs to other ranks, too
        samples = len(data.parts[0])
        order = generator().permutation(samples) if data.shuffle else np.arange(samples)
        for start in range(0, samples, data.batch_size):
            here = order[start : start + data.batch_size]
            yield len(here), zlib.crc32(here.tobytes()), partial(_taken, data.parts, here)
    else:
        for batch in data:
            arrays = [np.asarray(part) for part in batch if part is not None]
            mark = zlib.crc32(b"".join([array.tobytes() for array in arrays]))
            yield len(batch[0]), mark, partial(_sliced, batch)


def _taken(parts: tuple[Any, ...], order: Any, low: int, high: int) -> Any:
    return tuple(part.take(order[low:high], axis=0) for part in parts)


def _sliced(batch: Any, low: int, high: int) -> Any:
    return tuple(part if part is None else part[low:high] for part in batch)


def _glance(batch: Any) -> str:
    """Return what tells a batch apart: shapes, types and checksums."""
    arrays = [np.asarray(part) for part in batch]
    told = [f"{a.dtype}{a.shape}, checksum {zlib.crc32(a.tobytes()):x}" for a in arrays]
    return " and ".join(told) or "no batch"
