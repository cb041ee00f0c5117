"""Losses of predicted numbers: how far they are from what they should be."""

import math
from typing import Any

import numpy as np

from autograd_core import softplus

from ..configuration import check_range
from .base import mean_reduced, pair, reduced
from .labels import pair_of_rows
from .outputs import EPSILON


def mean_squared_error(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return mean (y_pred - y_true)^2.

    Args:    y_true, y_pred: (batch, ..., numbers); (batch,) stands for one number a sample.
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses, each a mean over numbers.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred.
    Example: >>> mean_squared_error([[1.0], [2.0]], [[1.0], [4.0]])
             2.0
             >>> mean_squared_error([[1.0], [2.0]], [[1.0], [4.0]], reduction="none")
             array([0., 4.])
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(np.square(y_pred - y_true), sample_weight, reduction)


def half_mean_squared_error(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return 1/(2n) sum (y_pred - y_true)^2: half of mean_squared_error, derivative error / n.

    Args:    as for mean_squared_error.
    Example: >>> half_mean_squared_error([1.0, 2.0], [1.0, 4.0])
             1.0
    """
    return 0.5 * mean_squared_error(y_true, y_pred, sample_weight, reduction)


def mean_absolute_error(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return mean |y_pred - y_true|.

    Args:    as for mean_squared_error.
    Example: >>> mean_absolute_error([1.0, 2.0], [1.0, 4.0])
             1.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(np.abs(y_pred - y_true), sample_weight, reduction)


def mean_absolute_percentage_error(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return 100 mean |y_pred - y_true| / |y_true|, with at least 1e-7 below, as in Keras.

    Args:    as for mean_squared_error.
    Example: >>> mean_absolute_percentage_error([10.0, 20.0], [11.0, 20.0])
             5.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    share = np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), EPSILON)
    return 100.0 * mean_reduced(share, sample_weight, reduction)


def mean_squared_logarithmic_error(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return mean (log(1 + y_pred) - log(1 + y_true))^2, with numbers below 1e-7 raised to that.

    Args:    as for mean_squared_error.
    Example: >>> mean_squared_logarithmic_error([0.0, 3.0], [0.0, 7.0])
             0.240226
    """
    y_true, y_pred = pair(y_true, y_pred)
    difference = np.log1p(np.maximum(y_pred, EPSILON)) - np.log1p(np.maximum(y_true, EPSILON))
    return mean_reduced(np.square(difference), sample_weight, reduction)


def huber(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    reduction: str = "mean",
    delta: float = 1.0,
) -> Any:
    """Return a mean of errors e that grows as e^2 / 2 up to |e| = delta, and from there as a line.

    Args:    as for mean_squared_error; delta: from where on the loss is a line of slope delta.
    Raises:  OptionError: delta below 0.
    Example: >>> huber([0.0, 0.0], [1.0, 4.0], reduction="none")
             array([0.5, 3.5])

    Source:  P. J. Huber, Robust estimation of a location parameter, 1964.
    """
    check_range("delta", delta, 0)
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    # e^2 / 2 within delta, and delta (|e| - delta / 2) beyond
    within = np.clip(error, -float(delta), float(delta))
    return mean_reduced(within * (error - 0.5 * within), sample_weight, reduction)


def log_cosh(y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean") -> Any:
    """Return mean log cosh(y_pred - y_true): e^2 / 2 for small errors e, |e| - log 2 for large.

    Args:    as for mean_squared_error.
    Example: >>> log_cosh([0.0], [1000.0])
             999.306852819
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    return mean_reduced(error + softplus(-2.0 * error) - math.log(2), sample_weight, reduction)


def poisson(y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean") -> Any:
    """Return mean y_pred - y_true log(y_pred + 1e-7): of counts with expectation y_pred.

    Args:    as for mean_squared_error; y_pred: positive.
    Example: >>> poisson([1.0, 2.0], [1.0, 1.0])
             1.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(y_pred - y_true * np.log(y_pred + EPSILON), sample_weight, reduction)


def cosine_similarity(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return minus the cosine of the angle between rows: -1 for one direction, 0 for a right angle.

    The sign is Keras's, so that a smaller loss is a better one; a row of zeros counts 0.

    Args:    y_true, y_pred: (batch, ..., numbers), rows of the last axis.
             sample_weight, reduction: as for mean_squared_error.
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
    Example: >>> cosine_similarity([[1.0, 0.0], [1.0, 1.0]], [[0.0, 2.0], [3.0, 3.0]])
             -0.5
    """
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    return reduced(_unit(y_pred) * -_unit(y_true), sample_weight, reduction, y_pred.shape[:-1])


def _unit(x: Any) -> Any:
    """Return rows of length 1; those shorter than 1e-7 only grow as much as if they were that."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), EPSILON)
