"""The confusion matrix: which class is taken for which."""

from typing import Any

import numpy as np

from .. import metrics
from .axes import axes_or_new, from_ground, ink
from .images import class_of


def confusion_matrix(labels: Any, predictions: Any, names: Any = None, ax: Any = None) -> Any:
    """Draw how often each class (row) was predicted as each class (column).

    Colour shows the root of the share of the row, so that rare classes and rare mistakes show.

    Args:    labels, predictions: class numbers (samples,), or rows with their largest number at
             the class, (samples, classes).
             names: of the classes; None: their numbers.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  ShapeError: lengths differ. OptionError: a number that is no class, or names that are
             not one for each class. MissingPackageError: no matplotlib.
    Example: >>> ax = confusion_matrix([0, 0, 1, 1], [0, 0, 0, 1], names=["cat", "dog"])
             >>> [text.get_text() for text in ax.texts]
             ['2', '0', '1', '1']
    """
    numbers = class_of("labels", labels), class_of("predictions", predictions)
    counts = metrics.confusion_matrix(*numbers, None if names is None else len(names))
    ax = axes_or_new(ax)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(np.sqrt(share), cmap=from_ground(ax), vmin=0, vmax=1)
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
