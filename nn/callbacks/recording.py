"""Callbacks that write down, show, or call what they are given."""

import csv
import math
import os
import sys
from collections.abc import Callable
from typing import Any

from autograd_core import OptionError

from ..progress import tqdm
from .base import Callback, Logs
from .monitoring import fixed_rate


class CSVLogger(Callback):
    """Writes the figures of each epoch as a line of a CSV file, as soon as it is over.

    Args:    filename: where to.
             separator: between the columns.
             append: go on with the file that is there, whose columns stay.
    Raises:  OSError: the file cannot be written.
    Example: >>> CSVLogger("training.csv").append
             False
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        self.filename = filename
        self.separator = separator
        self.append = append

    def on_train_begin(self, logs: Logs) -> None:
        """Open the file."""
        self._columns: list[str] | None = None
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator), None)
        mode = "a" if self._columns else "w"
        self._file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115 - until on_train_end

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write one line."""
        write = csv.writer(self._file, delimiter=self.separator).writerow
        if self._columns is None:
            self._columns = ["epoch", *logs]
            write(self._columns)
        write([({"epoch": epoch} | logs).get(name, "") for name in self._columns])
        self._file.flush()

    def on_train_end(self, logs: Logs) -> None:
        """Close the file."""
        self._file.close()


class LambdaCallback(Callback):
    """Calls functions at the events they are given for.

    Args:    events: on_epoch_end=function and so on; see Callback for names and arguments.
    Raises:  OptionError: there is no such event.
    Example: >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch)).on_epoch_end(3, {})
             3
    """

    def __init__(self, **events: Callable[..., None]) -> None:
        for event, function in events.items():
            if not event.startswith("on_") or not hasattr(Callback, event):
                names = ", ".join(name for name in vars(Callback) if name.startswith("on_"))
                raise OptionError(f"event {event!r}", f"there are {names}", "one of these")
            setattr(self, event, function)


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Args:    schedule: function of the epoch, from 0, and the rate so far, that gives the new one.
    Example: >>> LearningRateScheduler(lambda epoch, rate: rate * 0.9).schedule(0, 1.0)
             0.9
    """

    def __init__(self, schedule: Callable[[int, float], float]) -> None:
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        optimizer.learning_rate = float(self.schedule(epoch, fixed_rate(self, optimizer)))

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Note the rate in the logs."""
        logs["learning_rate"] = self.model.optimizer.learning_rate


class TerminateOnNaN(Callback):
    """Ends training when the loss is NaN or infinite.

    Example: >>> isinstance(TerminateOnNaN(), Callback)
             True
    """

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Look at the loss."""
        if not math.isfinite(logs["loss"]):
            self.model.stop_training = True


class Progress(Callback):
    """Shows how training goes on: one bar for all epochs, or a line for each.

    Args:    epochs: how many there will be.
             batches: how many an epoch has, or None if that is not known.
             style: 1: a bar; 2: a line for each epoch; "auto": a bar in terminals and notebooks.
    """

    def __init__(self, epochs: int, batches: int | None, style: Any) -> None:
        if style == "auto":
            style = 1 if sys.stderr.isatty() or _in_ipython() else 2
        self.epochs = epochs
        self.batches = batches
        self.style = style

    def on_train_begin(self, logs: Logs) -> None:
        """Show the empty bar."""
        total = None if self.batches is None else self.batches * self.epochs
        self._bar: Any = tqdm(total=total, disable=self.style != 1, unit=" batches")
        self._done = 0

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Show the number of the epoch."""
        self._bar.set_description(f"epoch {epoch + 1}", refresh=False)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Move the bar."""
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Show the figures of the epoch."""
        figures = {name: f"{figure:.4g}" for name, figure in logs.items()}
        self._bar.set_postfix(figures)
        if self.style == 2:
            line = "  ".join(f"{name} {figure}" for name, figure in figures.items())
            tqdm.write(f"epoch {epoch + 1}  {line}")

    def on_train_end(self, logs: Logs) -> None:
        """Leave the bar as it is."""
        self._bar.close()


def _in_ipython() -> bool:
    """Tell whether this runs in a notebook or another shell of IPython."""
    module = sys.modules.get("IPython")
    return module is not None and module.get_ipython() is not None
