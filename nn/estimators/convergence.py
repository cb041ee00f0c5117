"""Callbacks that end training, and lower its rate, as scikit-learn's estimators do."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..callbacks import Callback

LEAST_RATE = 1e-6  # from which on "adaptive" lowers it no more


class Convergence(Callback):
    """Ends training after more than `patience` epochs in a row without improvement by `tol`.

    An epoch improves if its value is at least best + tol; best is the largest value so far,
    however little it rose, where `EarlyStopping` lets small gains add up.

    Args:    judge: function of the logs that gives an epoch's value: a number, or an array with
             one for each output, of which all must have stopped improving.
             tol: what counts as an improvement.
             patience: how many epochs without one to accept.
             keeps_best: keep the weights of the best epoch, in `best_state`.
             lowers_rate: divide the learning rate by 5 in place of stopping, down to 1e-6.
    Example: >>> convergence = Convergence(lambda logs: -logs["loss"], tol=0.5, patience=1)
             >>> convergence.model = type("Model", (), {"stop_training": False})()
             >>> for loss in (1.0, 0.7, 0.4):
             ...     convergence.on_epoch_end(0, {"loss": loss})
             >>> float(convergence.best), convergence.model.stop_training
             (-0.4, True)
    """

    def __init__(
        self,
        judge: Callable[[Any], Any],
        tol: float,
        patience: float,
        keeps_best: bool = False,
        lowers_rate: bool = False,
    ) -> None:
        self.judge = judge
        self.tol = tol
        self.patience = patience
        self.keeps_best = keeps_best
        self.lowers_rate = lowers_rate
        self.best: Any = -np.inf
        self.waited: Any = 0  # epochs without improvement
        self.best_state: Any = None
        self.values: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Judge the epoch."""
        value = self.judge(logs)
        self.values.append(value)
        self.waited = np.where(value < self.best + self.tol, self.waited + 1, 0)
        if self.keeps_best and value > self.best:
            self.best_state = self.model.state_dict()
        self.best = np.fmax(value, self.best)
        if np.all(self.stalled):
            self._end()

    @property
    def stalled(self) -> Any:
        """Whether patience is at an end; for each output, where values are arrays."""
        return self.waited > self.patience

    def _end(self) -> None:
        optimizer = self.model.optimizer if self.lowers_rate else None
        if optimizer is None or optimizer.learning_rate <= LEAST_RATE:
            self.model.stop_training = True
        else:
            optimizer.learning_rate /= 5
            self.waited = 0


class InverseScaling(Callback):
    """Sets the learning rate to start / (t + 1)^power after each epoch; t counts samples seen.

    Args:    start: the first rate.
             power: how fast it falls.
             samples: of an epoch.
             seen: in trainings before this one.
    Example: >>> scaling = InverseScaling(1.0, power=0.5, samples=3)
             >>> scaling.model = type("Model", (), {"optimizer": type("Any", (), {})()})()
             >>> scaling.on_epoch_end(0, {})
             >>> scaling.model.optimizer.learning_rate
             0.5
    """

    def __init__(self, start: float, power: float, samples: int, seen: int = 0) -> None:
        self.start = start
        self.power = power
        self.samples = samples
        self.seen = seen

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Set the rate."""
        self.seen += self.samples
        self.model.optimizer.learning_rate = self.start / (self.seen + 1) ** self.power
