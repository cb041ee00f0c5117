"""Losses of scores that should be on the right side by a margin of 1."""

from typing import Any

import numpy as np

from .base import mean_reduced, pair, reduced
from .labels import pair_of_rows, signs


def hinge(y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean") -> Any:
    """Return mean max(1 - y_true y_pred, 0).

    Args:    y_true: labels -1 and 1, or 0 and 1, which become those if there are no others.
             y_pred: scores of the same shape, (batch, ..., numbers) or (batch,).
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses, each a mean over numbers.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred.
    Example: >>> hinge([-1, 1], [-2.0, 0.5], reduction="none")
             array([0. , 0.5])
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(np.maximum(1.0 - signs(y_true) * y_pred, 0.0), sample_weight, reduction)


def squared_hinge(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return mean max(1 - y_true y_pred, 0)^2.

    Args:    as for hinge.
    Example: >>> squared_hinge([-1, 1], [-2.0, 0.5], reduction="none")
             array([0.  , 0.25])
    """
    y_true, y_pred = pair(y_true, y_pred)
    short = np.maximum(1.0 - signs(y_true) * y_pred, 0.0)
    return mean_reduced(np.square(short), sample_weight, reduction)


def categorical_hinge(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return max(1 + the largest wrong score - the right score, 0), for each sample.

    As in Keras the right class takes part in the largest with the score 0.

    Args:    y_true: rows of 0 and one 1, (batch, ..., classes).
             y_pred: scores of the same shape.
             sample_weight, reduction: as for hinge.
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
    Example: >>> categorical_hinge([[0, 1], [0, 1]], [[0.5, 1.0], [0.0, 2.0]], reduction="none")
             array([0.5, 0. ])
    """
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    signs(y_true)  # for what it says of other labels
    right = np.sum(y_true * y_pred, -1)
    wrong = np.max((1.0 - y_true) * y_pred, -1)
    losses = np.maximum(wrong - right + 1.0, 0.0)
    return reduced(losses, sample_weight, reduction, y_pred.shape[:-1])
