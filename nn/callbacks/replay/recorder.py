"""Replay: records a small network while it trains, and shows the training as a page."""

import os
from typing import Any, NamedTuple

import numpy as np

from autograd_core import OptionError

from ...configuration import check_range
from ...data import whole_number
from ...plane import Plane
from ..base import Callback, Logs
from .columns import Column, columns_of
from .page import ReplayPage, packed

MOST_POINTS = 2_000  # shown; all samples are measured
MOST_NEURONS = 100
NEURON_SIDE, PLANE_SIDE = 24, 64  # cells along the side of a neuron's picture, and of the plane's


class Frame(NamedTuple):
    """A network at one step of its training."""

    step: int
    epoch: int
    loss: float
    accuracy: float | None
    right: Any  # (samples,) of bool, or None where targets are figures
    parameters: Any  # of each column the weights, row by row, then the biases
    neurons: Any  # (hidden neurons, NEURON_SIDE²), shades
    scores: Any  # (outputs, PLANE_SIDE²), shades


class Replay(Callback):
    """Records a small network while it trains on data of two columns; shows it as a page.

    The page, which works offline, has a slider over the steps, the decision boundary, a picture of
    what each neuron says, weights as line widths, and the curves of loss and accuracy.
    `save("moons.html")` writes it, `side_by_side` shows several trainings. Watching changes
    nothing: only that a network without weights draws all of them before the first step, and so
    before the first dropout.

    Args:    x: (samples, 2): moons, spirals, two columns of your own. Of more than 2,000 samples
             the page shows some, evenly chosen.
             y: their targets, as for `fit`. Loss and accuracy are those of x and y as a whole.
             label: what to call the training; None: its layers and its optimizer.
             frames: keep at most this many steps, evenly spread, the first and the last included.
    Raises:  ShapeError, DomainError: data that do not lie in a plane. OptionError: frames below 2;
             in training, a network that is no chain of Dense layers, or has over 100 neurons.
    Example: >>> import nn
             >>> nn.set_seed(0)
             >>> x, y = nn.datasets.moons(100, noise=0.1)
             >>> model = nn.Sequential([nn.Dense(8, "tanh"), nn.Dense(1, "sigmoid")])
             >>> model.compile(nn.Adam(0.02), loss="binary_crossentropy")
             >>> replay = Replay(x, y)
             >>> history = model.fit(x, y, epochs=20, verbose=0, callbacks=[replay])
             >>> replay
             Replay of 2-8-1 tanh sigmoid, Adam, learning rate 0.02: steps 0 to 80
    """

    def __init__(self, x: Any, y: Any, label: str | None = None, frames: int = 100) -> None:
        self.plane, self.y = Plane(x, y), np.asarray(y)
        samples = len(self.y)
        self._shown = np.linspace(0, samples - 1, min(samples, MOST_POINTS)).astype(int)
        self.label, self.title = label, ""
        check_range("frames", whole_number("frames", frames), 2)
        self.frames = frames
        self._forget()

    def _forget(self) -> None:
        self._recorded: list[Frame] = []
        self._columns: list[dict[str, Any]] = []  # as the page has them
        self._step = self._epoch = 0
        self._every = 1  # doubled whenever there are too many frames

    def on_train_begin(self, logs: Logs) -> None:
        """Begin anew."""
        self._forget()

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Note the number of the epoch."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        """Record the network before its first step."""
        if not self._recorded:
            self._look(columns_of(self.model, self.plane.x[:1]))
            self._record()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Record the network, if this is one of the steps to keep."""
        self._step += 1
        if self._step % self._every == 0:
            self._record()
            if len(self._recorded) > self.frames:
                self._recorded = self._recorded[::2]
                self._every *= 2

    def on_train_end(self, logs: Logs) -> None:
        """Record the network as it is in the end."""
        if self._recorded and self._recorded[-1].step != self._step:
            del self._recorded[self.frames - 1 :]
            self._record()

    def _look(self, columns: list[Column]) -> None:
        """Note what the network is made of, and what to call its training."""
        sizes = [len(column.weight) for column in columns]
        if sum(sizes) > MOST_NEURONS:
            raise OptionError(
                f"a replay of {sum(sizes)} neurons",
                f"nobody can watch more than {MOST_NEURONS} at once",
                "a smaller network, such as Dense(16) and Dense(1)",
            )
        self._columns = [
            {"units": len(c.weight), "bias": c.bias is not None, "functions": c.functions}
            for c in columns
        ]
        functions = [name for column in columns for name in column.functions]
        layers = " ".join(["-".join(map(str, [2, *sizes])), *functions])
        optimizer = self.model.optimizer
        rate = f"learning rate {optimizer.learning_rate}"
        self.title = self.label or f"{layers}, {type(optimizer).__name__}, {rate}"

    def _record(self) -> None:
        """Record the network as it is now."""
        plane, model = self.plane, self.model
        with np.errstate(all="ignore"):  # a training that diverges is worth looking at, too
            grids = plane.grid(NEURON_SIDE), plane.grid(PLANE_SIDE)
            columns = columns_of(model, np.concatenate([*grids, plane.x]))
            small, fine, said = _split(columns, *map(len, grids))
            right = plane.right(plane.scores(said, model.loss))
            loss = float(model.evaluate(plane.x, self.y, return_dict=True)["loss"])
            numbers = [part for c in columns for part in (c.weight, c.bias) if part is not None]
            frame = Frame(
                self._step,
                self._epoch,
                loss,
                None if right is None else float(right.mean()),
                None if right is None else right[self._shown],
                np.concatenate([np.ravel(part) for part in numbers]).astype(np.float32),
                shades(small.T, 127),
                shades(plane.scores(fine, model.loss).T, 1023),
            )
        self._recorded.append(frame)

    def __repr__(self) -> str:
        if not self._recorded:
            return "Replay of no training yet"
        return f"Replay of {self.title}: steps 0 to {self._recorded[-1].step}"

    def run(self) -> dict[str, Any]:
        """Return all that the page shows, as JSON holds it.

        Raises:  OptionError: nothing has been recorded yet.
        """
        if not self._recorded:
            raise OptionError(
                "a replay of nothing",
                "no training has been recorded",
                "model.fit(x, y, callbacks=[replay]) first",
            )
        plane, kept = self.plane, self._recorded
        outputs = len(kept[0].scores)
        classes = plane.classes if outputs == 1 else range(outputs)
        figures = not plane.is_classes(outputs)
        return {
            "title": self.title,
            "names": plane.names,
            "low": plane.low.tolist(),
            "high": plane.high.tolist(),
            "classes": None if figures else [f"{number:g}" for number in classes],
            "points": np.round(plane.x[self._shown].astype(float), 5).tolist(),
            "colours": plane.colours(outputs)[self._shown].tolist(),
            "columns": self._columns,
            "steps": [frame.step for frame in kept],
            "epochs": [frame.epoch + 1 for frame in kept],
            "loss": [frame.loss if np.isfinite(frame.loss) else None for frame in kept],
            "accuracy": [frame.accuracy for frame in kept],
            "right": None if figures else packed([frame.right for frame in kept]),
            "parameters": packed([frame.parameters for frame in kept]),
            "neurons": packed([frame.neurons for frame in kept]),
            "scores": packed([frame.scores for frame in kept]),
        }

    def page(self) -> ReplayPage:
        """Return the page."""
        return ReplayPage([self.run()])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one file, which needs nothing else.

        Args:    path: of the file, "replay.html".
        Raises:  OptionError: nothing has been recorded yet, or another ending. FileError: the file
                 cannot be written.
        """
        self.page().save(path)

    def _repr_html_(self) -> str | None:
        return self.page()._repr_html_() if self._recorded else None


def side_by_side(*replays: Replay) -> ReplayPage:
    """Return a page on which several trainings run side by side, step by step.

    Args:    replays: after their trainings: of two learning rates, initializers, activations.
    Raises:  OptionError: there are none, or one has recorded nothing yet.
    Example: >>> import nn
             >>> x, y = nn.datasets.spirals(60, seed=0)
             >>> def train(rate):
             ...     model = nn.Sequential([nn.Dense(8, "tanh"), nn.Dense(1, "sigmoid")])
             ...     model.compile(nn.Adam(rate), loss="binary_crossentropy")
             ...     replay = Replay(x, y, label=f"rate {rate}")
             ...     model.fit(x, y, epochs=5, verbose=0, callbacks=[replay])
             ...     return replay
             >>> side_by_side(train(0.001), train(0.1))
             ReplayPage of rate 0.001 | rate 0.1
    """
    if not replays:
        raise OptionError("side_by_side of nothing", "there is no replay", "side_by_side(a, b)")
    return ReplayPage([replay.run() for replay in replays])


def _split(columns: list[Column], neurons: int, cells: int) -> tuple[Any, Any, Any]:
    """Return what hidden neurons say of their pictures' cells, and outputs of the plane's, of x."""
    hidden = [column.out[:neurons] for column in columns[:-1]]
    out = columns[-1].out[neurons:]
    return np.concatenate([np.empty((neurons, 0)), *hidden], axis=1), out[:cells], out[cells:]


def shades(numbers: Any, most: int) -> Any:
    """Return numbers as shares of a whole number; NaN as the one below its negative.

    v becomes v / (1 + |v|): fine around 0, with room for all that is large, inf included.

    Example: >>> shades(np.array([0.0, 1.0, -3.0, np.inf, np.nan]), 127)
             array([   0,   64,  -95,  127, -128], dtype=int8)
    """
    numbers = np.asarray(numbers, np.float64)
    with np.errstate(invalid="ignore"):
        share = numbers / (1 + np.abs(numbers))
    share = np.where(np.isinf(numbers), np.sign(numbers), share)
    whole = np.where(np.isnan(share), -most - 1, np.round(most * share))
    return whole.astype(np.min_scalar_type(-most - 1))
