"""Callback: what may look at training and step in; History: what it leaves behind."""

from collections.abc import Iterable
from typing import Any

from autograd_core import OptionError

Logs = dict[str, float]


class Callback:
    """Looks at training, and may step in; `fit` calls the methods that a subclass has.

    `self.model` is the model in training. `logs` holds the figures so far: loss, metrics, and at
    the end of an epoch also those of the validation data, as val_loss and so on. To end training,
    set `self.model.stop_training = True`.

    Example: >>> class Announce(Callback):
             ...     def on_epoch_end(self, epoch, logs):
             ...         print(f"epoch {epoch + 1} is over")
             >>> Announce().on_epoch_end(0, {})
             epoch 1 is over
    """

    model: Any = None

    def on_train_begin(self, logs: Logs) -> None:
        """Training begins."""

    def on_train_end(self, logs: Logs) -> None:
        """Training is over."""

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """An epoch begins; the first is number 0."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """An epoch, with its validation, is over."""

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        """A batch is about to be learnt; the first of an epoch is number 0."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """A batch has been learnt."""


def as_list(callbacks: Any) -> list[Any]:
    """Return callbacks as a list; None stands for none, and one may come alone."""
    if callbacks is None:
        return []
    is_several = isinstance(callbacks, Iterable) and not isinstance(callbacks, str)
    return list(callbacks) if is_several else [callbacks]


class CallbackList:
    """Passes every event on to all callbacks, in order."""

    def __init__(self, callbacks: list[Any], model: Any) -> None:
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise OptionError(
                    f"{callback!r} as a callback",
                    "callbacks are objects of subclasses of nn.callbacks.Callback",
                    "LambdaCallback(on_epoch_end=...) for a function",
                )
            callback.model = model
        self.callbacks = callbacks
        # Only those that listen: most callbacks care for epochs alone, batches are many
        self._hearing = {
            event: [
                getattr(callback, event)
                for callback in callbacks
                if getattr(type(callback), event) is not getattr(Callback, event)
                or event in vars(callback)
            ]
            for event in vars(Callback)
            if event.startswith("on_")
        }

    def hears(self, event: str) -> bool:
        """Return whether any callback listens to `event`."""
        return bool(self._hearing[event])

    def __call__(self, event: str, *args: Any) -> None:
        """Tell all that listen to `event`, such as on_epoch_end."""
        for hear in self._hearing[event]:
            hear(*args)


class History(Callback):
    """What training leaves behind: the figures of each epoch.

    `history` holds a list for each figure: loss, accuracy, val_loss, val_accuracy, ...; `epoch`
    the numbers of the epochs, from 0.

    Example: >>> history = History()
             >>> history.on_epoch_end(0, {"loss": 0.5})
             >>> history.on_epoch_end(1, {"loss": 0.25})
             >>> history.history, history.epoch
             ({'loss': [0.5, 0.25]}, [0, 1])
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Note the figures of an epoch."""
        self.epoch.append(epoch)
        for name, figure in logs.items():
            self.history.setdefault(name, []).append(figure)

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {figures[-1]:.4g}" for name, figures in self.history.items())
        return f"History of {len(self.epoch)} epochs: {figures}"
