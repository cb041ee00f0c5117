"""Axes, and colours that are distinguishable with colour blindness, on light and dark."""

from typing import Any, TypeAlias

from autograd_core import OptionError
from autograd_core.data import Array

from ..packages import optional

# Those of matplotlib, which is imported when the first plot is drawn
Axes: TypeAlias = Any
Colour: TypeAlias = Any  # or a colour map

BLUE, ORANGE = "#2f8fdd", "#ee8420"
COLOURS = (BLUE, ORANGE, "#04954d", "#bd058f", "#eea0b3", "#1a52f9")  # see tests/eyesight.py
MARKERS = ("o", "s", "^", "D", "v", "P")  # distinguish classes and paths, with colours
STYLES = ("-", "--", "-.", ":")


def axes_or_new(ax: Axes) -> Axes:
    """Return the Axes given, or those of a new figure.

    Raises:  MissingPackageError: matplotlib is not installed. OptionError: no Axes are given.
    """
    if isinstance(ax, type) or (ax is not None and not hasattr(ax, "get_facecolor")):
        raise OptionError(
            f"ax = {ax!r:.60}",
            "these are no Axes of matplotlib's",
            "fig, ax = plt.subplots()",
        )
    if ax is not None:
        return ax
    return optional("matplotlib.pyplot", "matplotlib").subplots(layout="constrained")[1]


def around_zero(ax: Axes) -> Colour:
    """Return the colour map from blue over the background, at 0, to orange, as in `draw`."""
    return _between(BLUE, ax.get_facecolor(), ORANGE)


def background_to_blue(ax: Axes) -> Colour:
    """Return the colour map from the background to blue."""
    return _between(ax.get_facecolor(), BLUE)


def background_to_ink(ax: Axes) -> Colour:
    """Return the colour map from the background to the colour of texts."""
    return _between(ax.get_facecolor(), ink(ax))


def ink(ax: Axes) -> Colour:
    """Return the colour of texts, which contrasts with the background."""
    return ax.xaxis.label.get_color()


def mixed(ax: Axes, colour: Colour, share: Array) -> Colour:
    """Return a colour mixed with the background.

    Args:    share: of the colour, an array of any shape.
    Returns: red, green and blue, (..., 3).
    """
    to_rgb = optional("matplotlib.colors", "matplotlib").to_rgb
    ground, colour = to_rgb(ax.get_facecolor()), to_rgb(colour)
    return share[..., None] * colour + (1 - share[..., None]) * ground


def bare(ax: Axes) -> None:
    """Remove ticks and frame."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _between(*colours: Colour) -> Colour:
    colormap = optional("matplotlib.colors", "matplotlib").LinearSegmentedColormap
    return colormap.from_list("nn", colours)
