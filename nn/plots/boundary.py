"""The decision boundary: which class a model sees where in the plane."""

from typing import Any

import numpy as np

from ..plane import Plane
from .axes import COLOURS, MARKERS, around_zero, axes_or_new, ink, mixed

SIDE = 200  # cells along each side


def decision_boundary(model: Any, x: Any, y: Any, ax: Any = None) -> Any:
    """Draw what a model says of each place of the plane, the boundaries, and the samples.

    Colour is strong where the model is sure; samples on the wrong side have a ring. Where targets
    are figures, colour shows the output, and the line is where it is halfway between them.

    Args:    model: a Module, or a function from (samples, 2) to (samples,) or (samples, outputs).
             x, y: samples (samples, 2), and their classes or figures.
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
    say, loss = getattr(model, "predict", model), getattr(model, "loss", None)
    scores = plane.scores(_rows(say(plane.grid(SIDE))), loss)
    right = plane.right(plane.scores(_rows(say(plane.x)), loss))
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


def _rows(out: Any) -> Any:
    out = np.asarray(out, np.float64)
    return out.reshape(len(out), -1)


def _line(ax: Any, score: Any, extent: Any) -> None:
    if np.nanmin(score) < 0 < np.nanmax(score):
        ax.contour(score, [0.0], colors=[ink(ax)], linewidths=1.5, extent=extent, origin="upper")


def _coloured(ax: Any, pictures: Any) -> Any:
    """Return the colour of the best class in each cell, stronger where its lead is greater."""
    ordered = np.sort(pictures, axis=0)
    lead = ordered[-1] - ordered[-2]
    share = 0.15 + 0.45 * lead / (lead + 0.5)
    best = pictures.argmax(axis=0)
    colours = [mixed(ax, COLOURS[k % len(COLOURS)], share) for k in range(len(pictures))]
    return np.take_along_axis(np.array(colours), best[None, ..., None], axis=0)[0]


def _samples(ax: Any, plane: Plane, outputs: int, right: Any) -> None:
    across, up = np.asarray(plane.x, np.float64).T
    shade = plane.colours(outputs)
    edge = {"edgecolors": [ax.get_facecolor()], "linewidths": 0.8, "s": 32}
    if right is None:
        options = edge | {"edgecolors": [ink(ax)]}
        ax.scatter(across, up, c=shade, cmap=around_zero(ax), vmin=-1, vmax=1, **options)
        return
    ring = {"facecolors": "none", "edgecolors": [ink(ax)], "linewidths": 1.2, "s": 90}
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
