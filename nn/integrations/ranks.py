"""Ranks: training on several processes, each of which learns its share of every batch."""

import copy
import itertools
import re
import sys
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

from autograd_core import OptionError, Value, no_grad
from autograd_core.data import Array, Operand, Tree

from ..callbacks import Callback, CallbackList, History, Logs, as_list
from ..configuration import check_range, name_of
from ..data import Batches
from ..mistakes import TrainingWarning
from ..module import Module
from ..randomness import drawing_from, generator
from ..settings import Settings
from ..training import EpochMetrics, Metrics, SingleProcess, compare
from .mpi import Buckets, RankError, World, require_same, world

FLUSH_TIME = 0.3  # seconds for mpiexec to pass on the message before all processes end
Portion: TypeAlias = Callable[[int, int], Tree]  # the samples of a batch from one number to another


class Ranks:
    """All processes that mpiexec has started; one, if it was not used.

    Each process runs the same program with all of the data. `fit` gives each rank its part of
    every batch; losses, metrics and weights equal those of one process with the same batches, up
    to rounding. Exceptions: BatchNormalization normalizes the part of its own rank, and running
    averages are the mean over ranks; dropout and noise are drawn from a stream for each rank.

    An error on one rank inside the `with` block stops all others. All ranks leave the block
    together, so that what rank 0 has saved is there afterwards; a rank that leaves while others
    train is an error. `rank` is the number of this process, from 0, `size` the number of
    processes, and `is_first` whether this is rank 0, which prints and saves for all.

    Args:    bucket_size: bytes of gradients that are averaged in one operation.
    Raises:  MissingPackageError: mpi4py or an MPI library is missing. OptionError: mpiexec belongs
             to another MPI library, or a bucket has no byte.
    Example: >>> import nn
             >>> nn.set_seed(0)
             >>> model = nn.Sequential([nn.Dense(1)])
             >>> model.compile(nn.SGD(0.1), loss="mse")
             >>> with Ranks() as ranks:  # a single one, without mpiexec
             ...     history = ranks.fit(model, [[1.0], [2.0]], [1.0, 3.0], epochs=3, verbose=0)
             >>> ranks, len(history.epoch)
             (Ranks: 0 of 1, 3)
    """

    def __init__(self, bucket_size: int = 2**22) -> None:
        check_range("bucket_size", bucket_size, 1)
        self.bucket_size = bucket_size
        self._world = world()
        self.rank: int = self._world.rank
        self.size: int = self._world.size
        self.is_first = self.rank == 0
        self._is_open = False

    def __repr__(self) -> str:
        return f"Ranks: {self.rank} of {self.size}"

    def __enter__(self) -> "Ranks":
        self._is_open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the block, with all other ranks; where it ends with an error, end them at once."""
        self._is_open = False
        failure = self._failure(error) if self.size > 1 else None
        if failure is not None:  # the others would wait forever
            sys.stderr.write(f"rank {self.rank} of {self.size} failed, and stops all others:\n")
            traceback.print_exception(failure)
            sys.stdout.flush()
            sys.stderr.flush()
            time.sleep(FLUSH_TIME)
            self._world.comm.Abort(1)

    def _failure(self, error: BaseException | None) -> BaseException | None:
        """Return the error that ends the block, or that other ranks are still inside."""
        is_left = error is None or getattr(error, "code", 1) in (0, None)  # as by sys.exit()
        if not is_left or self._world.broken is not None:
            return self._world.broken if is_left else error
        try:
            require_same(self._world, {"doing": "the end of the block"})
        except (OptionError, RankError) as unequal:
            return unequal
        return None

    def fit(
        self,
        model: Module,
        x: Operand,
        y: Operand = None,
        *,
        callbacks: Iterable[Callback] | None = None,
        **options: Any,
    ) -> History:
        """Train on all ranks; every rank calls it, with the same model and data.

        Weights, the optimizer's state and random numbers start from those of rank 0. Callbacks
        run on rank 0, with the metrics of all ranks; progress is printed there, too. Changes of
        weights, learning rate and stop_training by callbacks are applied on all ranks.

        Args:    model: compiled, with a loss that is a mean over samples, as all of ours are.
                 x, y, callbacks, options: as in `model.fit`; batch_size counts the samples of all
                 ranks together.
        Returns: the History, the same on every rank.
        Raises:  OptionError: ranks differ in options, model or data; a loss with reduction="sum";
                 outside the `with` block. See also `model.fit`.
        """
        self._check_open()
        if self.size == 1:
            return model.fit(x, y, callbacks=callbacks, **options)
        same = {
            name: value if isinstance(value, int | float) else type(value).__name__
            for name, value in options.items()
            if name != "verbose" and value is not None
        }
        with self._together("fit", model, same):
            share_randomness(self._world, model)
            if self.rank:
                options["verbose"] = 0
            following = RankZeroCallbacks(self._world, callbacks)
            history = model.fit(x, y, callbacks=[following], **options)
            share_weights(self._world, model)  # those that early stopping went back to
        return history

    def evaluate(self, model: Module, x: Operand, y: Operand = None, **options: Any) -> Tree:
        """Compute the loss and the metrics, each rank on its part; every rank calls it.

        Args:    model: compiled. x, y, options: as in `model.evaluate`.
        Returns: what `model.evaluate` returns, the same on every rank.
        Raises:  as `fit`.
        """
        self._check_open()
        if self.size == 1:
            return model.evaluate(x, y, **options)
        if self.rank:
            options["verbose"] = 0
        with self._together("evaluate", model, {}):
            return model.evaluate(x, y, **options)

    def _check_open(self) -> None:
        if not self._is_open:
            raise OptionError(
                f"{self} outside its block",
                "inside it, a rank that fails stops the others; outside, they would wait for it",
                "with nn.parallel.Ranks() as ranks: ...",
            )

    @contextmanager
    def _together(self, doing: str, model: Module, options: Mapping[str, object]) -> Iterator[None]:
        """Attach the ranks to the model inside the block, if options, model and data are equal."""
        try:
            self._prepare(doing, model, options)
            with warnings.catch_warnings():
                if self.rank:  # rank 0 warns for all
                    warnings.simplefilter("ignore", TrainingWarning)
                yield
        except BaseException as error:
            self._world.failed(error)
            raise
        finally:
            vars(model).pop("_ranks", None)

    def _prepare(self, doing: str, model: Module, options: Mapping[str, object]) -> None:
        reduction = getattr(model.loss, "keywords", {}).get("reduction", "mean")
        if reduction != "mean":
            raise OptionError(
                f"a loss with reduction={reduction!r} on several ranks",
                "the ranks' gradients are averaged, as those of means over samples can be",
                'reduction="mean"',
            )
        described = {
            "bucket_size": self.bucket_size,
            "model": re.sub(" at 0x[0-9a-fA-F]+", "", repr(model)),
            "optimizer": repr(model.optimizer),
            "loss": f"{name_of(model.loss)} {getattr(model.loss, 'keywords', '')}".rstrip(),
            "metrics": list(model.metrics),
            "jit": model.jit,
        }
        require_same(self._world, {"doing": doing, "options": options, **described})
        model._ranks = DataParallel(self._world, model, self.bucket_size)


class DataParallel(SingleProcess):
    """Computes this rank's part of every batch, and averages gradients over all ranks.

    The gradient of a batch is the mean over its samples, so that with n_r of n samples on rank r
    gradient = sum n_r / n gradient_r, and the loss likewise. A rank without a sample in a small
    batch computes the first one, with weight 0.

    Args:    world: all ranks.
             model: to be trained.
             limit: bytes in a bucket.
    """

    updates_apart = True

    def __init__(self, world: World, model: Module, limit: int) -> None:
        self.world = world
        self.model = model
        self.limit = limit
        self.samples = self.own = 0  # in the current batch: of all ranks, and of this one
        self._compared: list[object] = []  # arrays that were found equal on all ranks
        self._is_equal = False  # whether all ranks have the weights of rank 0
        self._buckets: Buckets | None = None

    def batches(self, data: Iterable[Tree]) -> Iterator[Tree]:
        """Yield this rank's part of each batch.

        Raises: OptionError: on every rank, if their data differ.
        """
        rank, size = self.world.rank, self.world.size
        self._source = self._stream()
        end: tuple[int, int, Portion] = (0, 0, partial(_sliced, ()))
        for number, (samples, mark, portion) in enumerate(itertools.chain(_portions(data), [end])):
            if number == 0 or not self.world.is_common(samples, mark):
                here = {f"batch {number} of the data": _described(portion(0, samples))}
                require_same(self.world, here)
            if (
                number == 0
                and isinstance(data, Batches)
                and not any(data.parts is others for others in self._compared)
            ):
                require_same(self.world, {"all samples of the data": _described(data.parts)})
                self._compared.append(data.parts)
            if samples and not self._is_equal:
                self._make_equal(portion)
            if samples:
                low, high = samples * rank // size, samples * (rank + 1) // size
                self.samples, self.own = samples, high - low
                yield portion(low, high) if self.own else portion(0, 1)

    def metrics(self, metrics: Metrics) -> EpochMetrics:
        """Return the metrics of a pass over all ranks."""
        return DataParallelMetrics(metrics, self)

    def drawing(self) -> AbstractContextManager[None]:
        """Draw from this rank's own stream inside the block."""
        return drawing_from(self._source)

    def agreed(self, stops: bool) -> bool:
        """Return whether training stops here: any rank may stop it."""
        return bool(self.world.largest(np.array([stops], np.float64))[0])

    def averaged(
        self, loss: float, mask: Operand = None, parameters: Iterable[Value] = ()
    ) -> float:
        """Return the loss of the whole batch, and assign its gradients to the parameters."""
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
        """Build the model if it is not built, and give all ranks the state of rank 0."""
        with self.model.evaluating(), no_grad():
            self.model(portion(0, 1)[0])
        state = self.model.state_dict().items()
        shapes = {name: (array.shape, array.dtype.name) for name, array in state}
        require_same(self.world, {"parameters and buffers": shapes})
        share_weights(self.world, self.model)
        share_optimizer(self.world, self.model)
        self._require_same_loss(portion(0, 1))
        self._is_equal = True

    def _require_same_loss(self, sample: Operand) -> None:
        """Refuse models or losses that differ, by the loss of one sample.

        Raises: OptionError: on every rank.
        """
        with self.model.evaluating():
            loss, *_ = compare(self.model, *sample)
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
        """Return a generator that differs for each rank and each pass.

        It is derived from the state of training, so that training can be resumed, and does not
        advance the common generator: weights and shuffles are those of a single process.
        """
        seed = int(copy.deepcopy(generator()).integers(2**63))
        return np.random.default_rng([seed, self.model.optimizer.iterations, self.world.rank])


class DataParallelMetrics(EpochMetrics):
    """The mean loss and the metrics of a pass over all ranks, in the order of one process.

    Args:    metrics: functions of (targets, predictions), by name.
             together: has the numbers of samples.
    """

    def __init__(self, metrics: Metrics, together: DataParallel) -> None:
        super().__init__(metrics)
        self._together = together

    def add(self, loss: float, y: Operand, out: Operand, mask: Operand = None) -> None:
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


class RankZeroCallbacks(Callback):
    """Runs callbacks on rank 0, and applies their changes on all ranks.

    Weights, the learning rate, the optimizer's state and stop_training are passed on; other
    changes would be made on rank 0 alone, and are refused.

    Args:    world: all ranks.
             callbacks: of the user, called on rank 0 only.
    """

    def __init__(self, world: World, callbacks: Tree) -> None:
        self.world = world
        self.callbacks = [] if world.rank else as_list(callbacks)
        self.expects_nan = any(getattr(each, "expects_nan", False) for each in self.callbacks)
        self._has_changed = False  # whether weights or the optimizer differ from other ranks'

    def _call(self, event: str, *args: object) -> None:
        if not self._heard.hears(event):
            return
        model = self.model
        settings, before = Settings({"model": model}), _state(model)
        with alone(model):
            self._heard(event, *args)
        changed = settings.changed()
        if changed is not None:
            raise OptionError(
                f"a callback that changes {changed} in {event}, on several ranks",
                "callbacks run on rank 0, where the others do not see it: weights, a number as "
                "learning_rate and stop_training are passed on",
                "the change on every rank, before fit or between two calls of it",
            )
        after = _state(model)
        self._has_changed |= before.keys() != after.keys() or not all(
            np.array_equal(before[name], after[name], equal_nan=True) for name in before
        )

    def on_train_begin(self, logs: Logs) -> None:
        """Call the callbacks."""
        self._heard = CallbackList(self.callbacks, self.model)
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs) -> None:
        """Call the callbacks, after an error on this rank, too."""
        with alone(self.model):
            self._heard("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Call the callbacks."""
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Call the callbacks, and pass on metrics and weights."""
        parameters = [np.asarray(p.data).tobytes() for p in self.model.parameters()]
        checksum = zlib.crc32(b"".join(parameters))
        require_same(self.world, {f"checksum of the weights after epoch {epoch}": checksum})
        self._call("on_epoch_end", epoch, logs)
        logs.update(self.world.bcast(logs))
        share_weights(self.world, self.model)

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        """Call the callbacks, and pass on their changes."""
        self._call("on_train_batch_begin", batch, logs)
        optimizer = self.model.optimizer
        rate, iterations = optimizer.learning_rate, optimizer.iterations
        is_schedule = callable(rate)
        own = [0.0 if is_schedule else rate, iterations, is_schedule, self._has_changed]
        rate, iterations, scheduled, has_changed = self.world.first(np.array(own, np.float64))
        if bool(scheduled) != is_schedule:
            raise OptionError(
                "learning_rate that a callback has changed to or from a schedule",
                "callbacks run on rank 0, and a schedule is not passed on to the others",
                "a schedule from the beginning of fit, or numbers",
            )
        if not is_schedule:
            optimizer.learning_rate = float(rate)
        optimizer.iterations = int(iterations)
        if has_changed:
            share_weights(self.world, self.model)
            share_optimizer(self.world, self.model)
            self._has_changed = False

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Call the callbacks."""
        self._call("on_train_batch_end", batch, logs)


@contextmanager
def alone(model: Module) -> Iterator[None]:
    """Detach the ranks from the model inside the block, for callbacks on rank 0."""
    together, model._ranks = model._ranks, SingleProcess()
    try:
        yield
    finally:
        model._ranks = together


def _portions(data: Iterable[Tree]) -> Iterator[tuple[int, int, Portion]]:
    """Yield for each batch its number of samples, a checksum, and a function that returns some
    of its samples.
    """
    if isinstance(data, Batches):  # iterating would copy the parts of other ranks, too
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


def _taken(parts: tuple[Operand, ...], order: Array, low: int, high: int) -> Tree:
    return tuple(part.take(order[low:high], axis=0) for part in parts)


def _sliced(batch: Tree, low: int, high: int) -> Tree:
    return tuple(part if part is None else part[low:high] for part in batch)


def _described(batch: Tree) -> str:
    """Return a description of a batch: shapes, types and checksums."""
    arrays = [np.asarray(part) for part in batch]
    parts = [f"{a.dtype}{a.shape}, checksum {zlib.crc32(a.tobytes()):x}" for a in arrays]
    return " and ".join(parts) or "no batch"


def share_weights(world: World, model: Module) -> None:
    """Give all ranks the parameters and buffers of rank 0."""
    state = world.bcast(None if world.rank else model.state_dict())
    if world.rank:
        model.load_state_dict(state)


def share_optimizer(world: World, model: Module) -> None:
    """Give all ranks the slots and the step count of rank 0's optimizer."""
    optimizer, parameters = model.optimizer, model.parameters()
    slots = [dict(optimizer.slots.get(parameter, {})) for parameter in parameters]
    slots, iterations = world.bcast((slots, optimizer.iterations))
    if world.rank:
        optimizer.iterations = iterations
        optimizer.slots = dict(zip(parameters, slots, strict=True))


def share_randomness(world: World, model: Module) -> None:
    """Give all ranks the state of rank 0's random numbers."""
    source = model._generator or generator()
    source.bit_generator.state = world.bcast(source.bit_generator.state)


def average_buffers(world: World, model: Module) -> None:
    """Replace each buffer of floats, such as running averages, by its mean over all ranks."""
    parameters = model.named_parameters()
    means = {}
    for name, own in model.state_dict().items():
        if name not in parameters and own.dtype.kind == "f":
            first = world.bcast(own)  # equal buffers stay equal to the bit
            means[name] = first + world.summed(np.array(own - first)) / world.size
    model.load_state_dict(means, strict=False)


def _state(model: Module) -> dict[str, Array]:
    """Return weights, buffers, and which slots there are."""
    optimizer = model.optimizer
    slots = {"the slots": np.array([id(optimizer.slots), len(optimizer.slots)])}
    rate = {"the schedule": np.array(id(optimizer.learning_rate))}
    state: dict[str, Array] = model.state_dict()
    return state | slots | (rate if callable(optimizer.learning_rate) else {})
