"""Callbacks that write down, show, or call what they are given."""

import csv
import math
import os
import sys
from collections.abc import Callable
from typing import Any

from autograd_core import FileError, OptionError

from ..configuration import check_range, positions
from ..files import writing
from ..mistakes import say
from ..progress import tqdm
from .base import Callback, Logs
from .monitoring import fixed_rate

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a formula may begin with


class CSVLogger(Callback):
    """Writes the figures of each epoch as a line of a CSV file, as soon as it is over.

    Its columns are those of the first line. Text that a spreadsheet takes for a formula, such as a
    metric called "=A1", gets an apostrophe before it.

    Args:    filename: where to.
             separator: between the columns, one character.
             append: go on with the file that is there, whose columns stay.
    Raises:  OptionError: the separator. FileError: the file cannot be written; with append, it is
             no CSV file with a column epoch, or has no column for any figure of training.
    Example: >>> CSVLogger("training.csv").append
             False
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        if not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n':
            raise OptionError(
                f"separator {separator!r}", "it stands between numbers", "',', ';' or '\\t'"
            )
        self.filename = filename
        self.separator = separator
        self.append = append

    def on_train_begin(self, logs: Logs) -> None:
        """Begin the file, or read the columns of the one that is there."""
        self._columns: list[str] = []
        with writing(self.filename):
            if self.append and os.path.isfile(self.filename) and os.path.getsize(self.filename):
                self._columns = self._first_line()
            else:
                open(self.filename, "w", encoding="utf-8").close()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write one line."""
        line = {
            _as_text(name): _as_text(figure) for name, figure in {"epoch": epoch, **logs}.items()
        }
        is_first = not self._columns
        self._columns = self._columns or list(line)
        known = [name for name in line if name in self._columns]
        if len(known) < 2:
            raise self._foreign(f"its first line has no column for {', '.join(logs)}")
        if len(known) < len(line) and not self.append:
            say(
                "column",
                f"{', '.join(name for name in line if name not in known)} in epoch {epoch + 1}",
                f"{self.filename} has no column for it: its columns are those of the first epoch",
                "the callback that adds the figure before CSVLogger, and in every epoch",
            )
        rows = [self._columns] if is_first else []
        rows.append([line.get(name, "") for name in self._columns])
        with writing(self.filename), open(self.filename, "a", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator).writerows(rows)

    def _first_line(self) -> list[str]:
        """Return the columns of the file that is there, and see that its last line is complete."""
        try:
            with open(self.filename, newline="", encoding="utf-8") as file:
                columns = next(csv.reader(file, delimiter=self.separator))
        except (UnicodeDecodeError, csv.Error) as error:
            raise self._foreign(f"it is no text in columns: {error}") from error
        if "epoch" not in columns:
            raise self._foreign("its first line has no column epoch")
        with open(self.filename, "rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read() not in b"\r\n":
                file.write(b"\r\n")
        return columns

    def _foreign(self, why: str) -> FileError:
        return FileError(
            f"CSVLogger({os.fspath(self.filename)!r}, {self.separator!r}, append=True)",
            why,
            "a file that CSVLogger has begun with this separator, or a new one",
        )


def _as_text(entry: Any) -> Any:
    """Return a cell's entry; text that spreadsheets take for a formula with an apostrophe."""
    return f"'{entry}" if isinstance(entry, str) and entry.startswith(_FORMULA) else entry


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

    Args:    schedule: function of the epoch, from 0, and the rate so far, that gives the new one;
             or of the epoch alone.
    Example: >>> LearningRateScheduler(lambda epoch, rate: rate * 0.9).schedule(0, 1.0)
             0.9
    """

    def __init__(self, schedule: Callable[..., float]) -> None:
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        given = (epoch, fixed_rate(self, optimizer))[: positions(self.schedule, 2)]
        rate = self.schedule(*given)
        check_range(f"the learning rate of epoch {epoch}", rate, 0)
        optimizer.learning_rate = float(rate)

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
