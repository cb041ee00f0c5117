"""Numbers as pictures: weights, confusion matrix, misclassified samples."""

import math
from collections.abc import Sequence

import numpy as np

from autograd_core import OptionError, ShapeError, Value, explained_call
from autograd_core.data import Array, Operand

from .. import metrics
from ..data import as_samples
from ..module import Module
from .axes import Axes, around_zero, axes_or_new, background_to_blue, background_to_ink, bare, ink

MOST = 64  # pictures; more would be too small


@explained_call
def weights_as_images(
    weights: Operand, shape: tuple[int, int] | None = None, ax: Axes = None
) -> Axes:
    """Draw the weights of each neuron, or each filter, as a picture: blue below 0, orange above.

    Args:    weights: a model, of which the first weights of two or more axes are taken; or an array
             (units, pixels), such as Dense's, or (filters, channels, height, width).
             shape: height and width of (units, pixels); None: a square.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes; of more than 64 pictures the first 64.
    Raises:  ShapeError: no pictures. OptionError: a model without such weights.
             MissingPackageError: no matplotlib.
    Example: >>> ax = weights_as_images(np.zeros((10, 784)))
             >>> ax.get_title()
             '10 of 28 by 28 weights'
    """
    if isinstance(weights, Module):
        found = [p for p in weights.named_parameters().values() if len(p.shape) >= 2]
        if not found:
            raise OptionError(
                f"{type(weights).__name__} as images",
                "it has no weights of two axes or more",
                "a model after build or fit, such as nn.Sequential of Dense; MLP.to_dense()",
            )
        weights = found[0]
    given = weights.data if isinstance(weights, Value) else weights
    array = as_samples("weights", given).astype(np.float64)
    if array.ndim == 4:
        array = array.reshape(-1, *array.shape[2:])
    images = _as_images("weights", array, shape)
    shown, (height, width) = images[:MOST], images.shape[1:]
    ax = axes_or_new(ax)
    largest = float(np.nanmax(np.abs(shown), initial=0.0)) or 1.0
    options = {"cmap": around_zero(ax), "vmin": -largest, "vmax": largest}
    picture = ax.imshow(_mosaic(shown, _columns(len(shown)), gap=1), **options)
    ax.figure.colorbar(picture, ax=ax, shrink=0.8)
    first = "" if len(shown) == len(images) else f", the first {MOST} of {len(images)}"
    ax.set_title(f"{len(shown)} of {height} by {width} weights{first}")
    bare(ax)
    return ax


@explained_call
def misread(
    images: Operand,
    labels: Operand,
    predictions: Operand,
    names: Sequence[str] | None = None,
    most: int = 25,
    ax: Axes = None,
) -> Axes:
    """Draw the samples whose class was predicted wrongly, each with both classes.

    Args:    images: (samples, height, width), with or without a last axis of one channel; or
             (samples, pixels) of squares.
             labels, predictions: class numbers (samples,), or rows (samples, classes), of which
             the largest number is the class.
             names: of the classes; None: their numbers.
             most: draw at most this many, the first ones.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  ShapeError: no pictures, or lengths that differ. MissingPackageError: no matplotlib.
    Example: >>> ax = misread(np.zeros((3, 8, 8)), [4, 1, 7], [9, 1, 1])
             >>> [text.get_text() for text in ax.texts], ax.get_title()
             (['4 as 9', '7 as 1'], '2 of 3 misread')
    """
    images = _as_images("images", as_samples("images", images), None)
    labels, predictions = class_of("labels", labels), class_of("predictions", predictions)
    if not len(images) == len(labels) == len(predictions):
        raise ShapeError(
            f"{len(images)} images, {len(labels)} labels and {len(predictions)} predictions",
            "each image has one label and one prediction",
            "three of equal length",
        )
    wrong = np.flatnonzero(labels != predictions)
    shown = wrong[:most]
    ax = axes_or_new(ax)
    bare(ax)
    first = "" if len(shown) == len(wrong) else f", the first {len(shown)}"
    ax.set_title(f"{len(wrong)} of {len(labels)} misread{first}")
    if len(shown):
        columns, (height, width) = _columns(len(shown)), images.shape[1:]
        gap = max(2, height // 3)  # room for the words
        ax.imshow(_mosaic(images[shown], columns, gap), cmap=background_to_ink(ax))
        for i, sample in enumerate(shown):
            row, column = divmod(i, columns)
            place = (column * (width + gap) + (width - 1) / 2, row * (height + gap) - 1)
            pair = labels[sample], predictions[sample]
            words = [f"{k:g}" if names is None else str(names[int(k)]) for k in pair]
            ax.text(*place, " as ".join(words), ha="center", va="bottom", fontsize="small")
        ax.set_ylim(ax.get_ylim()[0], -gap)  # the words above the first row
    return ax


@explained_call
def confusion_matrix(
    labels: Operand, predictions: Operand, names: Sequence[str] | None = None, ax: Axes = None
) -> Axes:
    """Draw how often each class (row) was predicted as each class (column).

    Colour shows the root of the fraction of the row, so that rare classes and mistakes are visible.

    Args:    labels, predictions: class numbers (samples,), or rows with their largest number at
             the class, (samples, classes).
             names: of the classes; None: their numbers.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  ShapeError: lengths differ. OptionError: a number that is no class, or another number
             of names. MissingPackageError: no matplotlib.
    Example: >>> ax = confusion_matrix([0, 0, 1, 1], [0, 0, 0, 1], names=["cat", "dog"])
             >>> [text.get_text() for text in ax.texts]
             ['2', '0', '1', '1']
    """
    numbers = class_of("labels", labels), class_of("predictions", predictions)
    counts = metrics.confusion_matrix(*numbers, None if names is None else len(names))
    ax = axes_or_new(ax)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(np.sqrt(share), cmap=background_to_blue(ax), vmin=0, vmax=1)
    size = 10 if len(counts) <= 12 else 6
    for (row, column), count in np.ndenumerate(counts):
        faint = 0.35 if count == 0 else 1.0
        options = {"ha": "center", "va": "center", "fontsize": size, "alpha": faint}
        ax.text(column, row, str(count), color=ink(ax), **options)
    texts = [str(name) for name in (range(len(counts)) if names is None else names)]
    places = range(len(counts))
    ax.set_xticks(places, texts, rotation=45 if max(map(len, texts)) > 4 else 0)
    ax.set_yticks(places, texts)
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax


def class_of(name: str, given: Operand) -> Array:
    """Return class numbers (samples,): of rows, the index of the largest number.

    Raises:  ShapeError: neither.
    """
    given = as_samples(name, given)
    if given.ndim == 2:
        return given.argmax(axis=1) if given.shape[1] > 1 else given[:, 0]
    if given.ndim != 1:
        raise ShapeError(
            f"{name} of shape {given.shape}",
            "a sample has one class",
            "class numbers (samples,), or rows (samples, classes)",
        )
    return given


def _as_images(name: str, array: Array, shape: tuple[int, int] | None) -> Array:
    """Return pictures (count, height, width).

    Raises:  ShapeError: they are none.
    """
    if array.ndim == 4 and array.shape[-1] == 1:
        return array[..., 0]
    side = math.isqrt(array.shape[-1])
    if array.ndim == 2 and (shape is not None or side * side == array.shape[1]):
        shape = shape or (side, side)
        if shape[0] * shape[1] == array.shape[1]:
            return array.reshape(len(array), *shape)
    elif array.ndim == 3:
        return array
    raise ShapeError(
        f"{name} of shape {array.shape} as images" + (f" of shape {shape}" if shape else ""),
        "its rows do not fill a picture",
        "(count, height, width); or rows (count, pixels), with shape=(height, width) unless square",
    )


def _columns(count: int) -> int:
    return math.ceil(math.sqrt(count))


def _mosaic(images: Operand, columns: int, gap: int) -> Array:
    """Return one picture of many, row by row, separated by NaN, which is not drawn."""
    count, height, width = images.shape
    rows = math.ceil(count / columns)
    mosaic = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        mosaic[top : top + height, left : left + width] = image
    return mosaic
