"""Callbacks: objects that watch training, and may change it.

- Callback: the base class, also of your own callbacks
- History: the figures of each epoch, as `fit` returns them
- EarlyStopping, ModelCheckpoint, ReduceLROnPlateau: watch one figure
- LearningRateScheduler, TerminateOnNaN, CSVLogger, LambdaCallback: act at each epoch or batch
"""

import csv
import math
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, NoReturn

from autograd_core import FileError, OptionError, unknown_name
from autograd_core.data import Array, Tree

from .configuration import Choice, Configured, Model, check_choices, check_range, positions
from .files import check_suffix, writing
from .mistakes import warn
from .packages import tqdm

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Monitor",
    "Progress",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]

_LARGER_IS_BETTER = ("accuracy", "acc", "auc", "precision", "recall", "f1", "r2", "score")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a formula of a spreadsheet may begin with

Logs = dict[str, Any]  # figures by name; of predictions the outputs


class Callback(Configured):
    """Watches training, and may change it; `fit` calls the methods that a subclass has.

    `self.model` is the model in training. `logs` holds the figures so far: loss, metrics, and at
    the end of an epoch also those of the validation data, as val_loss and so on. To end training,
    set `self.model.stop_training = True`.

    Example: >>> class Announce(Callback):
             ...     def on_epoch_end(self, epoch, logs):
             ...         print(f"epoch {epoch + 1} is over")
             >>> Announce().on_epoch_end(0, {})
             epoch 1 is over
    """

    model: Model = None
    expects_nan = False  # whether a loss that is no number is known, and no warning is needed

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

    def on_batch_begin(self, batch: int, logs: Logs) -> None:
        """The same as on_train_batch_begin, which a class may define instead."""

    def on_batch_end(self, batch: int, logs: Logs) -> None:
        """The same as on_train_batch_end, which a class may define instead."""

    def on_test_begin(self, logs: Logs) -> None:
        """An evaluation begins, or a validation in fit."""

    def on_test_end(self, logs: Logs) -> None:
        """An evaluation is over; logs has its figures."""

    def on_test_batch_begin(self, batch: int, logs: Logs) -> None:
        """A batch is about to be evaluated."""

    def on_test_batch_end(self, batch: int, logs: Logs) -> None:
        """A batch has been evaluated."""

    def on_predict_begin(self, logs: Logs) -> None:
        """A prediction begins."""

    def on_predict_end(self, logs: Logs) -> None:
        """A prediction is over."""

    def on_predict_batch_begin(self, batch: int, logs: Logs) -> None:
        """The outputs of a batch are about to be computed."""

    def on_predict_batch_end(self, batch: int, logs: Logs) -> None:
        """The outputs of a batch have been computed; logs has them."""


class History(Callback):
    """The record of training: the figures of each epoch.

    `history` holds a list for each figure: loss, accuracy, val_loss, val_accuracy, ...; `epoch`
    the numbers of the epochs, from 0.

    Example: >>> history = History()
             >>> history.on_epoch_end(0, {"loss": 0.5})
             >>> history.on_epoch_end(1, {"loss": 0.25})
             >>> history.history, history.epoch
             ({'loss': [0.5, 0.25]}, [0, 1])
    """

    history: dict[str, list[float]]
    epoch: list[int]

    def __init__(self) -> None:
        self.history = {}
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Note the figures of an epoch."""
        self.epoch.append(epoch)
        for name, figure in logs.items():
            self.history.setdefault(name, []).append(figure)

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {figures[-1]:.4g}" for name, figures in self.history.items())
        epochs = "1 epoch" if len(self.epoch) == 1 else f"{len(self.epoch)} epochs"
        return f"History of {epochs}" + (f": {figures}" if figures else "")


class Monitor(Callback):
    """Watches one figure and knows whether it has become better.

    Args:    monitor: the figure, such as "val_loss".
             mode: "min" or "max" is better; "auto": max for accuracies and their relatives.
             min_delta: a smaller change does not count.
             verbose: 1: say what it does.
    Raises:  OptionError: an unknown mode; at the end of an epoch, a figure that does not exist.
    """

    best: float
    wait: int  # epochs since the best
    is_validated = False  # whether some epochs, not all, have figures of validation data

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        min_delta: float = 0,
        verbose: int = 0,
    ) -> None:
        check_choices(verbose=(verbose, (0, 1)))
        check_range("min_delta", min_delta, 0)
        check_choices(mode=(mode, ("auto", "min", "max")))
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        self.verbose = verbose
        self.forget()

    def say(self, epoch: int, what: str) -> None:
        """Write a line about an epoch, if verbose."""
        if self.verbose:
            tqdm.write(f"epoch {epoch + 1}: {what}")

    def forget(self) -> None:
        """Begin anew: nothing is best yet."""
        self.best = math.nan
        self.wait = 0

    def check_validated(self, is_validated: bool) -> None:
        """Refuse a figure of validation data where there are none, before training begins."""
        if self.monitor.startswith("val_") and not is_validated:
            raise self._unknown("training has no validation data")

    def _unknown(self, why: str) -> OptionError:
        return OptionError(
            f"{type(self).__name__} that watches {self.monitor!r}",
            why,
            "one of these; val_... needs validation_data or validation_split in fit"
            if why.startswith("training gives")
            else 'validation_data or validation_split in fit; monitor="loss"',
        )

    def has_figure(self, logs: Logs) -> bool:
        """Return False for an epoch after which the model was not validated: validation_freq.

        Raises:  OptionError: there is no such figure.
        """
        if self.is_validated and self.monitor.startswith("val_") and "val_loss" not in logs:
            return False
        self.figure(logs)
        return True

    def figure(self, logs: Logs) -> float:
        """Return the figure that is watched."""
        if self.monitor not in logs:
            raise self._unknown(f"training gives {', '.join(logs)}")
        return logs[self.monitor]

    def beats(self, figure: float, other: float) -> bool:
        """Return whether a figure is better than another one by min_delta; any is than NaN."""
        is_max = self.mode == "max"
        if self.mode == "auto":
            is_max = any(part in self.monitor for part in _LARGER_IS_BETTER)
        gain = figure - other if is_max else other - figure
        return gain > self.min_delta or (math.isnan(other) and not math.isnan(figure))

    def improves(self, logs: Logs) -> bool:
        """Return whether the figure is the best so far, and remember it if so."""
        figure = self.figure(logs)
        better = self.beats(figure, self.best)
        self.best = figure if better else self.best
        return better


class EarlyStopping(Monitor):
    """Stops training when a figure has not become better for `patience` epochs.

    Args:    monitor, mode, min_delta, verbose: see Monitor.
             patience: how many epochs without improvement to accept.
             baseline: a figure to beat.
             restore_best_weights: go back to the weights of the best epoch, at the end of
             training too; the optimizer stays as the last epoch has left it.
             start_from_epoch: epochs before it do not count.
    Example: >>> EarlyStopping(patience=3)
             EarlyStopping(patience=3)
    """

    stopped_epoch: int | None
    best_epoch: int | None

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
        verbose: int = 0,
    ) -> None:
        check_range("patience", patience, 0)
        super().__init__(monitor, mode, min_delta, verbose)
        self.patience = patience
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.stopped_epoch = self.best_epoch = None

    def on_train_begin(self, logs: Logs) -> None:
        """Begin anew."""
        self.forget()
        self.stopped_epoch = self.best_epoch = None
        self._best_state: dict[str, Array] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Keep the best weights, or stop."""
        # A figure that does not exist is known in the first epoch
        if not self.has_figure(logs) or epoch < self.start_from_epoch:
            return
        self.wait += 1
        improves = self.improves(logs)
        if improves or self.best_epoch is None:  # a first figure of NaN is the best so far, too
            self.best_epoch = epoch
            self._best_state = self.model.state_dict() if self.restore_best_weights else None
        if improves:
            if self.baseline is None or self.beats(self.best, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            self.say(epoch, f"early stopping, the best was epoch {(self.best_epoch or 0) + 1}")

    def on_train_end(self, logs: Logs) -> None:
        """Go back to the best weights."""
        if self._best_state is not None:
            self.model.load_state_dict(self._best_state)


class ModelCheckpoint(Monitor):
    """Saves the model after every epoch, or after each that is the best so far.

    Args:    filepath: where to; {epoch:02d} and {val_loss:.3f} stand for the epoch, counted from
             1, and its figures. Where a path comes again, as one without {epoch} does, it holds
             the latest model. Folders that are missing are made.
             monitor, mode, verbose: see Monitor; read where only the best are saved.
             save_best_only: do not overwrite a better model.
             save_weights_only: only what model.load_weights reads, without the architecture.
    Raises:  OptionError: braces in the path that hold no name, or no format of a number; at the
             end of an epoch, a figure that does not exist. FileError: it cannot be written.
    Example: >>> ModelCheckpoint("model-{epoch:02d}.safetensors").save_best_only
             False
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        save_best_only: bool = False,
        mode: str = "auto",
        save_weights_only: bool = False,
        verbose: int = 0,
    ) -> None:
        super().__init__(monitor, mode, verbose=verbose)
        _check_path("filepath", filepath)
        self.filepath = filepath
        self.save_best_only = save_best_only
        check_choices(save_weights_only=(save_weights_only, (True, False)))
        self.save_weights_only = save_weights_only
        path = self._path({name: 1 if name == "epoch" else 1.0 for name in self._names()})
        check_suffix(path, ".safetensors", 'ModelCheckpoint("model.safetensors")')

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save the model."""
        if not self.save_best_only or (self.has_figure(logs) and self.improves(logs)):
            figures = {**logs, "epoch": epoch + 1}
            for name in self._names():
                if name not in figures:
                    raise OptionError(
                        f"filepath {os.fspath(self.filepath)!r}",
                        f"training gives no figure {name!r}: it gives epoch, {', '.join(logs)}",
                        "{epoch:02d}, or one of these",
                    )
            path = self._path(figures)
            with suppress(OSError):  # then saving says why
                path.parent.mkdir(parents=True, exist_ok=True)
            save = self.model.save_weights if self.save_weights_only else self.model.save
            save(path)
            self.say(epoch, f"saved to {path}")

    def _names(self) -> list[str]:
        """Return the names in braces."""
        try:
            parts = list(Formatter().parse(os.fspath(self.filepath)))
        except ValueError as error:
            raise self._malformed(str(error)) from None
        names = [name for _, name, _, _ in parts if name is not None]
        if any(not name or name.isdigit() or "." in name or "[" in name for name in names):
            raise self._malformed("braces hold the name of a figure")
        return names

    def _path(self, figures: Logs) -> Path:
        try:
            return Path(os.fspath(self.filepath).format_map(figures))
        except (ValueError, KeyError) as error:
            raise self._malformed(str(error)) from None

    def _malformed(self, why: str) -> OptionError:
        advice = "{epoch:02d} and {val_loss:.3f} for figures; {{ and }} for braces"
        return OptionError(f"filepath {os.fspath(self.filepath)!r}", why, advice)


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a figure has not become better for `patience` epochs.

    Args:    monitor, mode, min_delta, verbose: see Monitor.
             factor: what the learning rate is multiplied with, below 1.
             patience: how many epochs without improvement to accept.
             cooldown: epochs to wait after lowering it.
             min_lr: never lower than this.
    Example: >>> ReduceLROnPlateau(factor=0.5).factor
             0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        verbose: int = 0,
    ) -> None:
        check_range("factor", factor, 0, 1)
        if factor in (0, 1):
            raise OptionError(f"factor = {factor}", "it would not lower the rate", "0 < factor < 1")
        for name, number in {"patience": patience, "cooldown": cooldown, "min_lr": min_lr}.items():
            check_range(name, number, 0)
        super().__init__(monitor, mode, min_delta, verbose)
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.min_lr = min_lr

    def on_train_begin(self, logs: Logs) -> None:
        """Begin anew."""
        self.forget()
        self._cooling = 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Lower the learning rate, if its time has come."""
        optimizer = self.model.optimizer
        rate = logs["learning_rate"] = fixed_rate(self, optimizer)
        if not self.has_figure(logs):
            return
        self._cooling = max(self._cooling - 1, 0)
        self.wait = 0 if self.improves(logs) or self._cooling else self.wait + 1
        if self.wait and self.wait >= self.patience and not self._cooling and rate > self.min_lr:
            optimizer.learning_rate = max(rate * self.factor, self.min_lr)
            self.say(epoch, f"learning rate {optimizer.learning_rate:.4g}")
            self._cooling, self.wait = self.cooldown, 0


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
                raise OptionError(
                    f"event {event!r}", f"there are {', '.join(_EVENTS)}", "one of these"
                )
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

    expects_nan = True

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Look at the loss."""
        if not math.isfinite(logs["loss"]):
            self.model.stop_training = True


def fixed_rate(callback: Callback, optimizer: Choice) -> float:
    """Return the learning rate that a callback is about to change.

    Raises:  OptionError: it is a schedule, which sets the rate at every step.
    """
    rate = optimizer.learning_rate
    if callable(rate):
        raise OptionError(
            f"{type(callback).__name__} with the learning rate {rate!r}",
            "a schedule sets the rate at every step, and would overrule the callback",
            "a number as learning_rate, or the schedule alone",
        )
    return float(rate)


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
        _check_path("filename", filename)
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
            warn(
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


def _check_path(name: str, given: object) -> None:
    if not isinstance(given, str | os.PathLike):
        raise OptionError(f"{name} = {given!r}", "it names a file", f'{name}="folder/name"')


def _as_text(entry: object) -> Any:
    """Return a cell's entry; text that spreadsheets take for a formula with an apostrophe."""
    return f"'{entry}" if isinstance(entry, str) and entry.startswith(_FORMULA) else entry


class Progress(Callback):
    """Shows how training goes on: a line for each epoch, and a bar for the one that is running.

    Args:    batches: how many an epoch has, or None if that is not known.
             style: 0: nothing; 1: lines and the bar; 2: lines; "auto": the bar, too, in terminals
             and notebooks.
    """

    _bar: Any = None

    def __init__(self, batches: int | None, style: str | int) -> None:
        if style == "auto":
            style = 1 if sys.stderr.isatty() or _in_ipython() else 2
        self.batches = batches
        self.style = style

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Show an empty bar."""
        self._bar = tqdm(
            total=self.batches,
            disable=self.style != 1,
            desc=f"epoch {epoch + 1}",
            unit=" batches",
            leave=False,
            file=sys.stdout,  # notebooks show the other stream as errors
        )

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Move the bar."""
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write the figures of the epoch instead of its bar, if it has one."""
        self.on_train_end(logs)
        if self.style:
            line = "  ".join(f"{name} {figure:.4g}" for name, figure in logs.items())
            tqdm.write(f"epoch {epoch + 1}  {line}")

    def on_train_end(self, logs: Logs) -> None:
        """Take away the bar of an epoch that was broken off."""
        if self._bar is not None:
            self._bar.close()


def _in_ipython() -> bool:
    """Tell whether this runs in a notebook or another shell of IPython."""
    module = sys.modules.get("IPython")
    return module is not None and module.get_ipython() is not None


def as_list(callbacks: Tree) -> list[Callback]:
    """Return callbacks as a list; None stands for none, and one may come alone."""
    if callbacks is None:
        return []
    is_several = isinstance(callbacks, Iterable) and not isinstance(callbacks, str)
    return list(callbacks) if is_several else [callbacks]


_EVENTS = [name for name in vars(Callback) if name.startswith("on_")]


def _by_event(names: Iterable[str]) -> dict[str, str]:
    """Return methods by the event at which each is called: on_batch_end at on_train_batch_end."""
    ordered = sorted(name for name in names if name in _EVENTS)  # on_batch_... come first
    return {name.replace("on_batch", "on_train_batch"): name for name in ordered}


@cache
def _defined(kind: type[Callback]) -> dict[str, str]:
    """Return the methods that a class of callbacks defines, by event."""
    names = [name for name in _EVENTS if getattr(kind, name) is not getattr(Callback, name)]
    return _by_event(names)


@cache
def _without_event(kind: type[Callback]) -> list[str]:
    """Return the methods of a class that are named like events which do not exist."""
    names = [name for name in dir(kind) if name.startswith("on_")]
    return [name for name in names if name not in _EVENTS]


class CallbackList:
    """Calls the methods of all callbacks, in order."""

    def __init__(self, callbacks: list[Callback], model: Model) -> None:
        for callback in callbacks:
            if not isinstance(callback, Callback):
                is_class = isinstance(callback, type) and issubclass(callback, Callback)
                raise OptionError(
                    f"{callback!r} as a callback",
                    "callbacks are objects of subclasses of nn.callbacks.Callback",
                    f"{callback.__name__}(...), an object of this class"
                    if is_class
                    else "LambdaCallback(on_epoch_end=...) for a function",
                )
            callback.model = model
            kind: Any = type(callback)
            for event in _without_event(kind):
                warn(
                    f"event {event}",
                    f"{kind.__name__}.{event}",
                    "there is no such event, so that it is never called",
                    f"one of {', '.join(_EVENTS)}",
                )
        self.callbacks = callbacks
        # Only those that listen: most callbacks care for epochs alone, batches are many
        self._hearing: dict[str, list[Callable[..., None]]] = {event: [] for event in _EVENTS}
        for callback in callbacks:
            kind = type(callback)
            methods = _defined(kind) | _by_event(vars(callback))
            for event, name in methods.items():
                self._hearing[event].append(getattr(callback, name))

    def hears(self, event: str) -> bool:
        """Return whether any callback listens to `event`."""
        return bool(self._hearing[event])

    def __call__(self, event: str, *args: object) -> None:
        """Call the method `event`, such as on_epoch_end, of all callbacks that have it."""
        for hear in self._hearing[event]:
            hear(*args)


def __getattr__(name: str) -> NoReturn:
    """Refuse a name that does not exist, with what to write."""
    elsewhere = {
        "BackupAndRestore": 'ModelCheckpoint("model.safetensors"), and nn.load to continue',
        "RemoteMonitor": "LambdaCallback(on_epoch_end=...)",
        "TensorBoard": "CSVLogger, nn.Replay, or LambdaCallback(on_epoch_end=...)",
    }
    raise unknown_name(__name__, name, __all__, elsewhere)
