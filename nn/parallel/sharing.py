"""What rank 0 has and does, passed on to all others: weights, the optimizer, callbacks' doings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..callbacks import Callback
from ..callbacks.base import CallbackList, Logs, as_list
from ..epochs import Alone
from ..randomness import generator


def share_weights(world: Any, model: Any) -> None:
    """Give all ranks the parameters and buffers of rank 0."""
    state = world.bcast(None if world.rank else model.state_dict())
    if world.rank:
        model.load_state_dict(state)


def share_optimizer(world: Any, model: Any) -> None:
    """Give all ranks what the optimizer of rank 0 remembers of the parameters, and its count."""
    optimizer, parameters = model.optimizer, model.parameters()
    slots = [dict(optimizer.slots.get(parameter, {})) for parameter in parameters]
    slots, iterations = world.bcast((slots, optimizer.iterations))
    if world.rank:
        optimizer.iterations = iterations
        optimizer.slots = dict(zip(parameters, slots, strict=True))


def share_randomness(world: Any, model: Any) -> None:
    """Let all ranks draw from here on what rank 0 draws."""
    source = model._generator or generator()
    source.bit_generator.state = world.bcast(source.bit_generator.state)


def average_buffers(world: Any, model: Any) -> None:
    """Put the mean over all ranks in place of each buffer of floats: running averages and such."""
    parameters = model.named_parameters()
    means = {}
    for name, own in model.state_dict().items():
        if name not in parameters and own.dtype.kind == "f":
            first = world.bcast(own)  # what is equal everywhere stays as it is, to the bit
            means[name] = first + world.allreduce(own - first) / world.size
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

    Args:    world: the communicator.
             callbacks: of the user, heard on rank 0 only.
    """

    def __init__(self, world: Any, callbacks: Any) -> None:
        self.world = world
        self.callbacks = [] if world.rank else as_list(callbacks)

    def _tell(self, event: str, *args: Any) -> None:
        with alone(self.model):
            self._heard(event, *args)

    def on_train_begin(self, logs: Logs) -> None:
        """Tell the callbacks."""
        self._heard = CallbackList(self.callbacks, self.model)
        self._tell("on_train_begin", logs)

    def on_train_end(self, logs: Logs) -> None:
        """Tell the callbacks; after a failure on this rank, too, so that none is waited for."""
        self._tell("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Tell the callbacks."""
        self._tell("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Tell the callbacks, and take over figures, weights and whether to stop."""
        self._tell("on_epoch_end", epoch, logs)
        logs.update(self.world.bcast(logs))
        share_weights(self.world, self.model)
        self._follow_stop()

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        """Tell the callbacks, and take over the learning rate."""
        self._tell("on_train_batch_begin", batch, logs)
        optimizer = self.model.optimizer
        if not callable(optimizer.learning_rate):
            optimizer.learning_rate = self._from_first(optimizer.learning_rate)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Tell the callbacks, and take over whether to stop."""
        self._tell("on_train_batch_end", batch, logs)
        self._follow_stop()

    def _follow_stop(self) -> None:
        self.model.stop_training = bool(self._from_first(self.model.stop_training))

    def _from_first(self, number: float) -> float:
        """Return rank 0's number; an array of one is sent several times faster than an object."""
        sent = np.array([number], np.float64)
        self.world.Bcast(sent)
        return float(sent[0])
