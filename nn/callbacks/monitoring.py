"""Callbacks that watch one figure: stop early, keep the best, lower the learning rate."""

import math
import os
from contextlib import suppress
from pathlib import Path
from string import Formatter
from typing import Any

from autograd_core import OptionError

from ..configuration import check_range
from .base import Callback, Logs

_LARGER_IS_BETTER = ("accuracy", "acc", "auc", "precision", "recall", "f1", "r2", "score")


class Monitor(Callback):
    """Watches one figure and knows whether it has become better.

    Args:    monitor: the figure, such as "val_loss".
             mode: "min" or "max" is better; "auto": max for accuracies and their relatives.
             min_delta: a smaller change does not count.
    Raises:  OptionError: an unknown mode; at the end of an epoch, a figure that does not exist.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0) -> None:
        if mode not in ("auto", "min", "max"):
            raise OptionError(f"mode {mode!r}", "it says what is better", "'min', 'max' or 'auto'")
        check_range("min_delta", min_delta, 0)
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        larger = any(part in monitor for part in _LARGER_IS_BETTER) if mode == "auto" else None
        self._is_max = mode == "max" if larger is None else larger
        self.forget()

    def forget(self) -> None:
        """Begin anew: nothing is best yet."""
        self.best = -math.inf if self._is_max else math.inf
        self.wait = 0  # epochs since the best

    def figure(self, logs: Logs) -> float:
        """Return the figure that is watched."""
        if self.monitor not in logs:
            raise OptionError(
                f"{type(self).__name__} that watches {self.monitor!r}",
                f"training gives {', '.join(logs)}",
                "one of these; val_... needs validation_data or validation_split in fit",
            )
        return logs[self.monitor]

    def beats(self, figure: float, other: float) -> bool:
        """Return whether a figure is better than another one, by more than min_delta."""
        gain = figure - other if self._is_max else other - figure
        return gain > self.min_delta

    def improves(self, logs: Logs) -> bool:
        """Return whether the figure is the best so far, and remember it if so."""
        figure = self.figure(logs)
        better = self.beats(figure, self.best)
        self.best = figure if better else self.best
        return better


class EarlyStopping(Monitor):
    """Stops training when a figure has not become better for `patience` epochs.

    Args:    monitor, mode, min_delta: see Monitor.
             patience: how many epochs without improvement to accept.
             baseline: a figure to beat.
             restore_best_weights: go back to the weights of the best epoch, at the end of
             training too; the optimizer stays as the last epoch has left it.
             start_from_epoch: epochs before it do not count.
    Example: >>> EarlyStopping(patience=3).patience
             3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        check_range("patience", patience, 0)
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.stopped_epoch: int | None = None
        self.best_epoch: int | None = None

    def on_train_begin(self, logs: Logs) -> None:
        """Begin anew."""
        self.forget()
        self.stopped_epoch = self.best_epoch = None
        self._best_state: Any = None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Keep the best weights, or stop."""
        self.figure(logs)  # a figure that does not exist is known in the first epoch
        if epoch < self.start_from_epoch:
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

    def on_train_end(self, logs: Logs) -> None:
        """Go back to the best weights."""
        if self._best_state is not None:
            self.model.load_state_dict(self._best_state)


class ModelCheckpoint(Monitor):
    """Saves the model after every epoch, or after each that is the best so far.

    Args:    filepath: where to; {epoch:02d} and {val_loss:.3f} stand for the epoch, counted from
             1, and its figures. Where a path comes again, as one without {epoch} does, it holds
             the latest model. Folders that are missing are made.
             monitor, mode: see Monitor; read where only the best are saved.
             save_best_only: do not overwrite a better model.
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
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = filepath
        self.save_best_only = save_best_only
        self._path({name: 1 if name == "epoch" else 1.0 for name in self._names()})

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save the model."""
        if not self.save_best_only or self.improves(logs):
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
            self.model.save(path)

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

    Args:    monitor, mode, min_delta: see Monitor.
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
    ) -> None:
        if not 0 < factor < 1:
            raise OptionError(f"factor = {factor}", "it would not lower the rate", "0 < factor < 1")
        for name, number in {"patience": patience, "cooldown": cooldown, "min_lr": min_lr}.items():
            check_range(name, number, 0)
        super().__init__(monitor, mode, min_delta)
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
        self._cooling = max(self._cooling - 1, 0)
        self.wait = 0 if self.improves(logs) or self._cooling else self.wait + 1
        if self.wait and self.wait >= self.patience and not self._cooling and rate > self.min_lr:
            optimizer.learning_rate = max(rate * self.factor, self.min_lr)
            self._cooling, self.wait = self.cooldown, 0


def fixed_rate(callback: Callback, optimizer: Any) -> float:
    """Return the learning rate that a callback is about to change.

    Raises:  OptionError: it is a schedule, which has a will of its own.
    """
    rate = optimizer.learning_rate
    if callable(rate):
        raise OptionError(
            f"{type(callback).__name__} with the learning rate {rate!r}",
            "a schedule sets the rate at every step, and would overrule the callback",
            "a number as learning_rate, or the schedule alone",
        )
    return float(rate)
