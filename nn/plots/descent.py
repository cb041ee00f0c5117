"""The loss over two weights, and the paths of optimizers."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd_core import OptionError, ShapeError, Value, explained_call, no_grad
from autograd_core.data import Array, Function, Operand, Tree

from .. import optimizers as known
from ..configuration import Choice
from ..data import whole_number
from .axes import COLOURS, MARKERS, ORANGE, STYLES, Axes, axes_or_new, background_to_blue, ink

Range = tuple[float, float]
SIDE = 60  # the loss is computed at SIDE * SIDE points


@explained_call
def descent_path(loss: Function, optimizer: Choice, start: Operand, steps: int = 50) -> Array:
    """Return the path of an optimizer.

    Args:    loss: a function of two numbers, the weights.
             optimizer: a name, or an object, which is not changed; see nn.optimizers.
             start: the initial weights.
             steps: how many steps.
    Returns: array, (steps + 1, 2).
    Raises:  ShapeError: start is not two numbers. OptionError: an unknown optimizer, or no step.
    Example: >>> from nn import SGD
             >>> descent_path(lambda a, b: a**2 + b**2, SGD(0.25), (1.0, 2.0), steps=2)
             array([[1.  , 2.  ],
                    [0.5 , 1.  ],
                    [0.25, 0.5 ]])
    """
    if np.shape(start) != (2,):
        raise ShapeError(
            f"start = {start!r}", "the loss is a function of two weights", "two numbers: (1.0, 2.0)"
        )
    chosen = known.get(optimizer)
    optimizer = type(chosen)(**chosen.config())  # without slots
    weights = [Value(float(number)) for number in start]
    path = [[float(number) for number in start]]
    with np.errstate(all="ignore"):
        for _ in range(whole_number("steps", steps)):
            for weight in weights:
                weight.grad = None
            loss(*weights).backward()
            optimizer.step(weights)
            path.append([float(weight.data) for weight in weights])
    return np.array(path)


@explained_call
def loss_surface(
    loss: Function,
    path: Operand = None,
    across: Range | None = None,
    up: Range | None = None,
    ax: Axes = None,
) -> Axes:
    """Draw the contour lines of a loss over two weights, and a path.

    Levels are denser where the loss is small, and colours stronger where it is large.

    Args:    loss: a function of two numbers, the weights, that returns a number or Value.
             path: points, (steps, 2), as `descent_path` returns them; None: no path.
             across, up: the ranges of the first and the second weight; None: around the path, or
             from -3 to 3.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  ShapeError: a path of another shape, or a loss that is no single number. OptionError:
             an empty range. MissingPackageError: no matplotlib.
    Example: >>> bowl = lambda a, b: a**2 + 3 * b**2
             >>> ax = loss_surface(bowl, descent_path(bowl, "sgd", (2.0, 1.0)))
             >>> ax.get_xlabel(), len(ax.get_lines()[0].get_xdata())
             ('w₁', 51)
    """
    paths = [] if path is None else [_checked(path)]
    ax = axes_or_new(ax)
    _surface(ax, loss, paths, across, up)
    for each in paths:
        _draw_path(ax, each, color=ORANGE, marker="o")
    return ax


@explained_call
def optimizer_paths(
    loss: Function,
    optimizers: Tree,
    start: Operand,
    steps: int = 50,
    across: Range | None = None,
    up: Range | None = None,
    ax: Axes = None,
) -> Axes:
    """Draw the paths of several optimizers on the same loss, from the same point.

    Args:    loss: as in loss_surface, computed with operators and np functions, so that it has a
             gradient.
             optimizers: names and objects, or a dict of them by label.
             start, steps: see descent_path.
             across, up, ax: see loss_surface.
    Returns: the Axes.
    Raises:  as loss_surface and descent_path.
    Example: >>> ax = optimizer_paths(lambda a, b: a**2 + 9 * b**2, ["sgd", "adam"], (2.0, 1.0))
             >>> [text.get_text() for text in ax.get_legend().get_texts()]
             ['SGD()', 'Adam()']
    """
    if isinstance(optimizers, str) or not isinstance(optimizers, Iterable):
        optimizers = [optimizers]
    if not isinstance(optimizers, Mapping):
        optimizers = {repr(chosen): chosen for chosen in map(known.get, optimizers)}
    paths = {name: descent_path(loss, each, start, steps) for name, each in optimizers.items()}
    ax = axes_or_new(ax)
    _surface(ax, loss, list(paths.values()), across, up)
    for i, (name, path) in enumerate(paths.items()):
        colour, style = COLOURS[(i + 1) % len(COLOURS)], STYLES[i % len(STYLES)]
        marker = MARKERS[i % len(MARKERS)]
        _draw_path(ax, path, color=colour, linestyle=style, marker=marker, label=name)
    ax.legend()
    return ax


def _checked(path: Operand) -> Array:
    path = np.asarray(path, np.float64)
    if path.ndim != 2 or path.shape[1] != 2 or not len(path):
        raise ShapeError(
            f"a path of shape {path.shape}",
            "each of its points has two weights",
            "an array (steps, 2), such as descent_path(loss, optimizer, start)",
        )
    return path


def _draw_path(ax: Axes, path: Operand, **options: Any) -> None:
    """Draw a path, with a ring at its start and a star at its end."""
    ax.plot(*path.T, markersize=3.5, linewidth=1.6, **options)
    ax.plot(*path[0], "o", mfc="none", mec=ink(ax), markersize=9, zorder=4)
    ax.plot(*path[-1], "*", color=options["color"], mec=ink(ax), markersize=13, zorder=4)


def _surface(
    ax: Axes, loss: Function, paths: list[Array], across: Range | None, up: Range | None
) -> None:
    places = [place for path in paths for place in _worth_showing(path, loss)]
    ranges = [_range(given, places, axis) for axis, given in enumerate((across, up))]
    first, second = (np.linspace(low, high, SIDE) for low, high in ranges)
    heights = np.array([[_height(loss, a, b) for a in first] for b in second])
    heights = np.ma.masked_invalid(heights)
    low, high = float(heights.min()), float(heights.max())
    levels = low + (high - low or 1.0) * np.linspace(0, 1, 16) ** 2
    ax.contourf(first, second, heights, levels, cmap=background_to_blue(ax), alpha=0.8)
    ax.contour(first, second, heights, levels, colors=[ink(ax)], linewidths=0.4, alpha=0.6)
    ax.set(xlabel="w₁", ylabel="w₂", xlim=ranges[0], ylim=ranges[1])


def _height(loss: Function, *weights: float) -> float:
    with no_grad(), np.errstate(all="ignore"):
        out = loss(*(float(weight) for weight in weights))
    if np.shape(out) not in ((), (1,)):
        raise ShapeError(
            f"a loss of shape {np.shape(out)}",
            "its value at a point is one number",
            "np.mean(...) of the losses of all samples",
        )
    return float(np.asarray(out).item())


def _worth_showing(path: Operand, loss: Function) -> Array:
    """Return the points of a path that are not far above its start, as diverging ones are."""
    heights = np.array([_height(loss, *place) for place in path])
    return path[heights <= heights[0] + 0.5 * abs(heights[0])]


def _range(given: Range | None, places: list[Array], axis: int) -> Range:
    if given is None and places:
        numbers = [place[axis] for place in places]
        middle, half = (max(numbers) + min(numbers)) / 2, (max(numbers) - min(numbers)) / 2
        half = 1.3 * half or 1.0
        return middle - half, middle + half
    low, high = (-3.0, 3.0) if given is None else given
    if not low < high:
        raise OptionError(f"weights from {low} to {high}", "they fill no range", "low < high")
    return low, high
