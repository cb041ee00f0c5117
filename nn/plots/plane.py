"""The plane of two inputs: samples, their classes, and the decision boundary of a model."""

from typing import Any

import numpy as np

from autograd_core import DomainError, ShapeError, explained_call
from autograd_core.data import Array, Function, Operand

from ..configuration import Choice
from ..data import as_samples
from ..losses import wants_logits
from ..module import Module
from .axes import COLOURS, MARKERS, Axes, around_zero, axes_or_new, ink, mixed

MARGIN = 0.1  # around the samples, as a share of their range
MOST_CLASSES = 10  # more whole numbers than that are numeric targets, not classes
SIDE = 200  # cells along each side


class Plane:
    """Samples of two columns with their targets, and the rectangle around them.

    Args:    x: (samples, 2).
             y: classes or numbers, (samples,) or (samples, 1); or one-hot rows (samples, classes).
    Raises:  ShapeError: another number of columns, or of targets, or rows that are not one-hot.
             DomainError: NaN or inf.
    Example: >>> plane = Plane([[0.0, 0.0], [10.0, 1.0]], [0, 1])
             >>> plane.low, plane.high
             (array([-1. , -0.1]), array([11. ,  1.1]))
    """

    def __init__(self, x: Operand, y: Operand) -> None:
        names = getattr(x, "columns", None)
        self.x, y = as_samples("x", x), as_samples("y", y)
        if self.x.ndim != 2 or self.x.shape[1] != 2:
            raise ShapeError(
                f"x of shape {self.x.shape}",
                "a plane has two axes, one for each column",
                "two columns, (samples, 2), such as x[:, :2], and a model trained on these",
            )
        if len(self.x) != len(y):
            raise ShapeError(
                f"x of {len(self.x)} samples and y of {len(y)}",
                "every sample has one target",
                "x and y of equal length",
            )
        for name, array in (("x", self.x), ("y", y)):
            if not np.isfinite(array).all():
                raise DomainError(
                    f"{name} that holds NaN or inf",
                    "such a sample has no place in the plane",
                    "np.isfinite to find them, and data without them",
                )
        self.names = ["x₁", "x₂"] if names is None else [str(name) for name in names]
        self.targets = _one_for_each(y)
        values = np.unique(self.targets)
        self.classes: Any = None
        if (values % 1 == 0).all() and len(values) <= MOST_CLASSES:
            ends = ([0, 1], [-1, 1])
            self.classes = next((np.array(e) for e in ends if np.isin(values, e).all()), values)
        low, high = self.x.min(axis=0).astype(float), self.x.max(axis=0).astype(float)
        edge = np.where(high > low, MARGIN * (high - low), 1.0)
        self.low, self.high = low - edge, high + edge

    def grid(self, side: int) -> Array:
        """Return the centres of side * side cells, row by row from the top left: (cells, 2).

        Example: >>> Plane([[0.0, 0.0], [10.0, 10.0]], [0, 1]).grid(2)
                 array([[2., 8.],
                        [8., 8.],
                        [2., 2.],
                        [8., 2.]])
        """
        middles = (np.arange(side) + 0.5) / side
        across, down = np.meshgrid(middles, 1 - middles)
        cells = np.stack([across.ravel(), down.ravel()], axis=1)
        dtype = self.x.dtype if self.x.dtype.kind == "f" else np.float64
        return (self.low + cells * (self.high - self.low)).astype(dtype)

    def scores(self, out: Operand, loss: Choice = None) -> Array:
        """Return outputs as scores: several as they are, a single one scaled to -1 ... 1.

        Of a single output, -1 and 1 are the two classes, or the least and the largest number.
        Logits are returned as they are: their 0 is between the classes.

        Args:    out: (samples, outputs).
                 loss: with which the model was compiled; None: outputs are not logits.
        Example: >>> Plane([[0.0, 0.0], [1.0, 1.0]], [0, 1]).scores(np.array([[0.25], [1.0]]))
                 array([[-0.5],
                        [ 1. ]])
        """
        if out.shape[1] > 1 or wants_logits(loss):
            return out
        ends = self.targets if self.classes is None else self.classes
        low, high = float(ends.min()), float(ends.max())
        return (out - (low + high) / 2) / ((high - low) / 2 or 1.0)

    def right(self, scores: Array) -> Array | None:
        """Return for each sample whether its class has the best score; None for numbers."""
        if scores.shape[1] > 1:
            return scores.argmax(axis=1) == self.targets
        if not self.is_classes(1):
            return None
        return (scores[:, 0] > 0) == (self.targets == self.classes[-1])

    def is_classes(self, outputs: int) -> bool:
        """Return whether so many outputs stand for classes: two for one output, else one each."""
        return outputs > 1 or (self.classes is not None and len(self.classes) <= 2)

    def colours(self, outputs: int) -> Array:
        """Return each sample's class, as a number from 0; for numbers a score from -1 to 1."""
        if outputs > 1:
            return self.targets.astype(int)
        if self.is_classes(1):
            return (self.targets == self.classes[-1]).astype(int)
        return self.scores(self.targets[:, None])[:, 0]


def _one_for_each(y: Operand) -> Array:
    """Return one target for each sample: of a row, the index of its largest number."""
    if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
        return y.reshape(len(y))
    if y.ndim != 2 or (y < 0).any() or not np.allclose(y.sum(axis=1), 1):
        raise ShapeError(
            f"y of shape {y.shape}",
            "a sample in the plane has one class or one number",
            "y (samples,), or one-hot rows (samples, classes)",
        )
    return y.argmax(axis=1)


@explained_call
def decision_boundary(model: Module | Function, x: Operand, y: Operand, ax: Axes = None) -> Axes:
    """Draw a model's prediction at each point of the plane, the boundaries, and the samples.

    Colours are strong where the score is large; misclassified samples have a ring. For numeric
    targets, colours show the output, and the line is halfway between the extreme targets.

    Args:    model: a Module, or a function from (samples, 2) to (samples,) or (samples, outputs).
             x, y: samples (samples, 2), and their classes or numbers.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  ShapeError: more than two columns. DomainError: NaN or inf. MissingPackageError: no
             matplotlib.
    Example: >>> x, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
             >>> ax = decision_boundary(lambda x: x[:, 0], x, y)
             >>> [text.get_text() for text in ax.get_legend().get_texts()]
             ['class 0', 'class 1']
    """
    plane = Plane(x, y)
    predict, loss = getattr(model, "predict", model), getattr(model, "loss", None)
    scores = plane.scores(_rows(predict(plane.grid(SIDE))), loss)
    right = plane.right(plane.scores(_rows(predict(plane.x)), loss))
    ax = axes_or_new(ax)
    outputs = scores.shape[1]
    extent = tuple(np.stack([plane.low, plane.high], axis=1).ravel().tolist())
    pictures = scores.T.reshape(outputs, SIDE, SIDE)
    if outputs == 1:
        options = {"cmap": around_zero(ax), "vmin": -1.6, "vmax": 1.6}
        ax.imshow(pictures[0], extent=extent, aspect="auto", **options)
        _line(ax, pictures[0], extent)
    else:
        ax.imshow(_coloured(ax, pictures), extent=extent, aspect="auto")
        for k in range(outputs):
            _line(ax, pictures[k] - np.delete(pictures, k, axis=0).max(axis=0), extent)
    _samples(ax, plane, outputs, right)
    ax.set(xlabel=plane.names[0], ylabel=plane.names[1], xlim=extent[:2], ylim=extent[2:])
    return ax


def _rows(out: Operand) -> Array:
    out = np.asarray(out, np.float64)
    return out.reshape(len(out), -1)


def _line(ax: Axes, score: Array, extent: object) -> None:
    if np.nanmin(score) < 0 < np.nanmax(score):
        ax.contour(score, [0.0], colors=[ink(ax)], linewidths=1.5, extent=extent, origin="upper")


def _coloured(ax: Axes, pictures: Array) -> Array:
    """Return the colour of the best class in each cell, stronger where its lead is greater."""
    ordered = np.sort(pictures, axis=0)
    lead = ordered[-1] - ordered[-2]
    share = 0.15 + 0.45 * lead / (lead + 0.5)
    best = pictures.argmax(axis=0)
    colours = [mixed(ax, COLOURS[k % len(COLOURS)], share) for k in range(len(pictures))]
    return np.take_along_axis(np.array(colours), best[None, ..., None], axis=0)[0]


def _samples(ax: Axes, plane: Plane, outputs: int, right: Array | None) -> None:
    across, up = np.asarray(plane.x, np.float64).T
    shade = plane.colours(outputs)
    edge = {"edgecolors": [ink(ax)], "linewidths": 0.8, "s": 32}  # the field has their colours
    if right is None:
        ax.scatter(across, up, c=shade, cmap=around_zero(ax), vmin=-1, vmax=1, **edge)
        return
    ring = {"facecolors": "none", "edgecolors": [ink(ax)], "linewidths": 1.2, "s": 110}
    if not right.all():
        ax.scatter(across[~right], up[~right], label="wrong side", **ring)
    names = plane.classes if outputs == 1 else range(outputs)
    for k, name in enumerate(names):
        here = shade == k
        colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
        if here.any():
            label = f"class {name:g}"
            ax.scatter(across[here], up[here], color=colour, marker=marker, label=label, **edge)
    ax.legend(loc="best")
