"""What rank 0 has and does, passed on to all others: weights, the optimizer, callbacks' doings."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core import OptionError

from ..callbacks import Callback
from ..callbacks.base import CallbackList, Logs, as_list
from ..epochs import Alone
from ..randomness import generator
from ..settings import Settings
from .world import World, require_same


def share_weights(world: World, model: Any) -> None:
    """Give all ranks the parameters and buffers of rank 0."""
    state = world.bcast(None if world.rank else model.state_dict())
    if world.rank:
        model.load_state_dict(state)


def share_optimizer(world: World, model: Any) -> None:
    """Give all ranks what the optimizer of rank 0 remembers of the parameters, and its count."""
    optimizer, parameters = model.optimizer, model.parameters()
    slots = [dict(optimizer.slots.get(parameter, {})) for parameter in parameters]
    slots, iterations = world.bcast((slots, optimizer.iterations))
    if world.rank:
        optimizer.iterations = iterations
        optimizer.slots = dict(zip(parameters, slots, strict=True))


def share_randomness(world: World, model: Any) -> None:
    """Let all ranks draw from here on what rank 0 draws."""
    source = model._generator or generator()
    source.bit_generator.state = world.bcast(source.bit_generator.state)


def average_buffers(world: World, model: Any) -> None:
    """Put the mean over all ranks in place of each buffer of floats: running averages and such."""
    parameters = model.named_parameters()
    means = {}
    for name, own in model.state_dict().items():
        if name not in parameters and own.dtype.kind == "f":
            first = world.bcast(own)  # what is equal everywhere stays as it is, to the bit
            means[name] = first + world.summed(np.array(own - first)) / world.size
    model.load_state_dict(means, strict=False)


@contextmanager
def alone(model: Any) -> Iterator[None]:
    """Let this rank use the model by itself inside the block, as callbacks on rank 0 do."""
    together, model._ranks = model._ranks, Alone()
    try:
        yield
    finally:
        model._ranks = together


class Following(Callback):
    """Runs callbacks on rank 0, and lets all ranks follow what they have changed.

    Weights, the learning rate, the optimizer's state and whether to stop are passed on; what else
    a callback changes would hold on rank 0 alone, and is refused.

    Args:    world: all ranks.
             callbacks: of the user, heard on rank 0 only.
    """

    def __init__(self, world: World, callbacks: Any) -> None:
        self.world = world
        self.callbacks = [] if world.rank else as_list(callbacks)
        self._has_changed = False  # whether weights or the optimizer differ from other ranks'

    def _tell(self, event: str, *args: Any) -> None:
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
        """Tell the callbacks."""
        self._heard = CallbackList(self.callbacks, self.model)
        self._tell("on_train_begin", logs)

    def on_train_end(self, logs: Logs) -> None:
        """Tell the callbacks; after a failure on this rank, too, so that none is waited for."""
        with alone(self.model):
            self._heard("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Tell the callbacks."""
        self._tell("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Tell the callbacks, and take over figures and weights."""
        parameters = [np.asarray(p.data).tobytes() for p in self.model.parameters()]
        checksum = zlib.crc32(b"".join(parameters))
        require_same(self.world, {f"checksum of the weights after epoch {epoch}": checksum})
        self._tell("on_epoch_end", epoch, logs)
        logs.update(self.world.bcast(logs))
        share_weights(self.world, self.model)

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        """Tell the callbacks, and take over what they have changed."""
        self._tell("on_train_batch_begin", batch, logs)
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
        """Tell the callbacks."""
        self._tell("on_train_batch_end", batch, logs)


def _state(model: Any) -> dict[str, Any]:
    """Return weights, buffers, and which slots there are."""
    optimizer = model.optimizer
    slots = {"the slots": np.array([id(optimizer.slots), len(optimizer.slots)])}
    rate = {"the schedule": np.array(id(optimizer.learning_rate))}
    state: dict[str, Any] = model.state_dict()
    return state | slots | (rate if callable(optimizer.learning_rate) else {})
