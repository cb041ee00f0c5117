"""Replay: records a small network while it trains, and shows the training as a page."""

import base64
import hashlib
import html
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_core import OptionError, Value, explained_call, no_grad
from autograd_core.data import Array, Operand

from ..callbacks import Callback, Logs
from ..configuration import Model, check_range, name_of
from ..data import whole_number
from ..files import replacing
from ..neurons import LINEAR
from .plane import Plane

MOST_POINTS = 2_000  # shown; all samples are measured
MOST_NEURONS = 100
NEURON_SIDE, PLANE_SIDE = 24, 64  # cells along the side of a neuron's picture, and of the plane's
SCRIPTS = ("frames.js", "plane.js", "network.js", "curves.js", "page.js")
FRAME = "width:100%;height:820px;border:0;resize:vertical"  # in a notebook


class ReplayPage:
    """One training or several as a page, which shows itself in a notebook.

    Args:    runs: what `Replay.run` returns.
    """

    def __init__(self, runs: Sequence[dict[str, Any]]) -> None:
        self.runs = list(runs)

    def html(self) -> str:
        """Return the page, which is complete in itself."""
        script = "\n".join(_text(name) for name in SCRIPTS)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        parts = {
            "title": html.escape(" | ".join(run["title"] for run in self.runs)),
            "digest": digest,  # of the only script that may run in the page
            "style": _text("page.css"),
            "runs": json.dumps(self.runs, allow_nan=False).replace("<", "\\u003c"),
            "script": script,
        }
        first, *others = _text("page.html").split("{{")
        return first + "".join(
            parts[name] + rest for name, rest in (other.split("}}", 1) for other in others)
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one file, which needs nothing else.

        Args:    path: of the file, "replay.html".
        Raises:  OptionError: another ending. FileError: the file cannot be written.
        """
        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise OptionError(
                f"a replay as {Path(path).name}",
                "it is a page for the browser",
                "a path that ends with .html",
            )
        page = self.html().encode()
        with replacing(path) as file:
            file.write(page)

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.html())}" title="Training replay" '
            f'sandbox="allow-scripts" style="{FRAME}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"ReplayPage of {' | '.join(run['title'] for run in self.runs)}"


@dataclass
class NeuronLayer:
    """Neurons side by side.

    Args:    weight: (units, inputs). bias: (units,), or None.
             out: the outputs for some samples, (samples, units).
             functions: applied to the weighted sum, in this order: ["tanh"].
    """

    weight: Array
    bias: Array | None
    out: Operand
    functions: list[str] = field(default_factory=list)


class Frame(NamedTuple):
    """The network at one step of training."""

    step: int
    epoch: int
    loss: float
    accuracy: float | None
    right: Any  # (samples,) of bool, or None where targets are figures
    parameters: Array  # of each column the weights, row by row, then the biases
    neurons: Array  # (hidden neurons, NEURON_SIDE²), shades
    scores: Array  # (outputs, PLANE_SIDE²), shades


class Replay(Callback):
    """Records a small network while it trains on data of two columns; shows it as a page.

    The page, which works offline, has a slider over the steps, the decision boundary, the output
    of each neuron over the plane, weights as line widths, and the curves of loss and accuracy.
    `save("moons.html")` writes it, `side_by_side` shows several trainings. Recording does not
    change training, except that a network without weights draws all of them before the first
    step, and so before the first dropout.

    Args:    x: (samples, 2): moons, spirals, two columns of your own. Of more than 2,000 samples
             the page shows some, evenly chosen.
             y: their targets, as for `fit`. Loss and accuracy are those of x and y as a whole.
             label: the title of the training; None: its layers and its optimizer.
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

    expects_nan = True  # the page shows it

    plane: Plane
    title: str

    def __init__(self, x: Operand, y: Operand, label: str | None = None, frames: int = 100) -> None:
        self.plane, self.y = Plane(x, y), np.asarray(y)
        samples = len(self.y)
        self._shown = np.linspace(0, samples - 1, min(samples, MOST_POINTS)).astype(int)
        self.label, self.title = label, ""
        check_range("frames", whole_number("frames", frames), 2)
        self.frames = frames
        self._forget()

    def _forget(self) -> None:
        self._recorded: list[Frame] = []
        self._columns: list[dict[str, object]] = []  # as the page has them
        self._step = self._epoch = 0
        self._every = 1  # doubled whenever there are too many frames

    def on_train_begin(self, logs: Logs) -> None:
        """Forget earlier trainings."""
        self._forget()

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Record the number of the epoch."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        """Record the network before its first step."""
        if not self._recorded:
            self._look(neuron_layers(self.model, self.plane.x[:1]))
            self._record()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Record the network, if the step is to be kept."""
        self._step += 1
        if self._step % self._every == 0:
            self._record()
            if len(self._recorded) > self.frames:
                self._recorded = self._recorded[::2]
                self._every *= 2

    def on_train_end(self, logs: Logs) -> None:
        """Record the network after training."""
        if self._recorded and self._recorded[-1].step != self._step:
            del self._recorded[self.frames - 1 :]
            self._record()

    def _look(self, columns: list[NeuronLayer]) -> None:
        """Record the layers of the network, and the title of its training."""
        sizes = [len(column.weight) for column in columns]
        if sum(sizes) > MOST_NEURONS:
            raise OptionError(
                f"a replay of {sum(sizes)} neurons",
                f"the page shows at most {MOST_NEURONS}",
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
        with np.errstate(all="ignore"):  # a training that diverges is recorded, too
            grids = plane.grid(NEURON_SIDE), plane.grid(PLANE_SIDE)
            columns = neuron_layers(model, np.concatenate([*grids, plane.x]))
            neurons, cells = map(len, grids)  # the samples of each picture, then those of the data
            hidden = [column.out[:neurons] for column in columns[:-1]]
            small = np.concatenate([np.empty((neurons, 0)), *hidden], axis=1)
            fine, said = np.split(columns[-1].out[neurons:], [cells])
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
        """Return the content of the page, for JSON.

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


@explained_call
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


def neuron_layers(model: Model, x: Operand) -> list[NeuronLayer]:
    """Return a network's columns, computed as in evaluation.

    Args:    model: Dense layers one after the other, with layers between that keep the number of
             neurons; or a scalar network, seen as such layers.
             x: samples, (samples, inputs).
    Raises:  OptionError: a layer of another kind.
    Example: >>> import nn
             >>> model = nn.Sequential([nn.Dense(3), nn.Activation("tanh"), nn.Dense(1)])
             >>> [(c.weight.shape, c.functions) for c in neuron_layers(model, [[0.0, 1.0]])]
             [((3, 2), ['tanh']), ((1, 3), [])]
    """
    network = model.to_dense() if hasattr(model, "to_dense") else model
    columns: list[NeuronLayer] = []
    with network.evaluating(), no_grad():
        for layer in _layers(network):
            given, x = x, layer(x)
            kept = getattr(x, "shape", ()) == getattr(given, "shape", None)
            if hasattr(layer, "units") and isinstance(getattr(layer, "weight", None), Value):
                bias = layer.bias.data if layer.use_bias else None
                columns.append(NeuronLayer(layer.weight.data, bias, x))
            elif not (columns and kept):
                raise OptionError(
                    f"a replay of {model!r} with {type(layer).__name__}",
                    "the page shows a line for each weight between neurons",
                    "nn.Sequential of Dense layers, with activations between, or nn.MLP",
                )
            if x is not given:  # which dropout and noise return in evaluation
                function = getattr(layer, "activation", type(layer))
                columns[-1].functions += [] if function in LINEAR else [name_of(function)]
            columns[-1].out = x
    for column in columns:
        column.out = getattr(column.out, "data", column.out)
    return columns


def shades(numbers: Array, most: int) -> Array:
    """Return numbers as integers from -most to most; NaN as -most - 1.

    v becomes most * v / (1 + |v|), which is fine around 0 and finite for inf.

    Example: >>> shades(np.array([0.0, 1.0, -3.0, np.inf, np.nan]), 127)
             array([   0,   64,  -95,  127, -128], dtype=int8)
    """
    numbers = np.asarray(numbers, np.float64)
    with np.errstate(invalid="ignore"):
        share = numbers / (1 + np.abs(numbers))
    share = np.where(np.isinf(numbers), np.sign(numbers), share)
    whole = np.where(np.isnan(share), -most - 1, np.round(most * share))
    return whole.astype(np.min_scalar_type(-most - 1))


def _layers(network: Model) -> list[Model]:
    """Return the layers, those of networks inside the network included."""
    if not hasattr(network, "layers"):
        return [network]
    return [inner for layer in network.layers for inner in _layers(layer)]


def packed(arrays: list[Array]) -> str:
    """Return arrays of one shape, compressed, as text.

    Example: >>> packed([np.zeros(1000, np.uint8)] * 100)[:4]
             'eNrt'
    """
    return base64.b64encode(zlib.compress(np.stack(arrays).tobytes(), 9)).decode()


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text(encoding="utf-8")
