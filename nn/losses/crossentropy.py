"""Losses of predicted probabilities: how unlikely they make what was the case.

All are stable. Given logits (from_logits=True), or the direct result of softmax or sigmoid, they
are computed from what those are applied to, exactly for outputs of any size; then the gradient goes
straight to the logits. Other probabilities are clipped to 1e-7 from 0 and 1, as in Keras.
"""

from typing import Any

import numpy as np

from autograd_core import Value, log_softmax, softplus

from ..configuration import check_range
from .base import check_order, mean_reduced, pair, reduced
from .labels import check_binary, check_rows, class_numbers, pair_of_rows, with_classes
from .outputs import EPSILON, check_probabilities, log_probabilities, logits_of


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    reduction: str = "mean",
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Any:
    """Return mean -(y_true log p + (1 - y_true) log(1 - p)), where p is y_pred or its sigmoid.

    Args:    y_true: 0, 1 or a probability between, (batch, ..., numbers) or (batch,).
             y_pred: of the same shape, probabilities, or logits.
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses, each a mean over numbers.
             from_logits: whether y_pred are logits, which a sigmoid would make probabilities.
             label_smoothing: how far targets move towards 1/2, from 0 to 1.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred. OptionError: label_smoothing.
    Example: >>> binary_crossentropy([0, 1], [-1000.0, 0.0], from_logits=True, reduction="none")
             array([0.        , 0.69314718])
    """
    check_range("label_smoothing", label_smoothing, 0, 1)
    y_true, y_pred = pair(y_true, y_pred)
    check_binary(y_true)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    logits = logits_of(y_pred, "sigmoid", from_logits)
    if logits is not None:
        losses = _from_logits(y_true, logits)
    else:
        check_probabilities(y_pred, of_classes=False)
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        losses = -(y_true * np.log(p) + (1.0 - y_true) * np.log(1.0 - p))
    return mean_reduced(losses, sample_weight, reduction)


def _from_logits(y_true: Any, logits: Any) -> Any:
    """Return softplus(z) - y z, which for y above 1/2 is softplus(-z) + (1 - y) z.

    Of the two, take the one whose second term is small: small losses then keep all their digits,
    and for labels 0 and 1 that term vanishes.
    """
    above = y_true > 0.5
    sign = np.where(above, -1.0, 1.0).astype(y_true.dtype)
    losses = softplus(sign * logits)
    rest = np.where(above, 1.0 - y_true, -y_true)
    return losses + rest * logits if isinstance(rest, Value) or rest.any() else losses


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    reduction: str = "mean",
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Any:
    """Return -sum y_true log p over the classes, where p is y_pred or its softmax.

    Args:    y_true: a row of probabilities a sample, most often one 1, (batch, ..., classes).
             y_pred: of the same shape, probabilities (rows are divided by their sum), or logits.
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses.
             from_logits: whether y_pred are logits, which softmax would make probabilities.
             label_smoothing: how far targets move towards equal probabilities, from 0 to 1.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
             OptionError: label_smoothing.
    Example: >>> categorical_crossentropy([[0, 1], [1, 0]], [[0.5, 0.5], [1.0, 0.0]])
             0.34657
    """
    check_range("label_smoothing", label_smoothing, 0, 1)
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    check_rows(y_true)
    samples, classes = y_pred.shape[:-1], y_pred.shape[-1]
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    losses = -y_true * log_probabilities(y_pred, from_logits)
    return reduced(losses, sample_weight, reduction, samples)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    reduction: str = "mean",
    from_logits: bool = False,
) -> Any:
    """Return -log p of each sample's class, where p is y_pred or its softmax.

    Args:    y_true: class numbers from 0, (batch, ...) or (batch, ..., 1).
             y_pred: (batch, ..., classes), probabilities (rows are divided by their sum), or
             logits.
             sample_weight, reduction, from_logits: as for categorical_crossentropy.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true has not one label for each row of y_pred.
    Example: >>> sparse_categorical_crossentropy([1, 0], [[0.5, 0.5], [1.0, 0.0]])
             0.34657
    """
    check_order(y_true, y_pred)
    y_pred = with_classes(y_pred)
    labels, has_class = class_numbers(y_true, y_pred)
    samples = y_pred.shape[:-1]
    # Picking is quicker than multiplying by one-hot rows, and 0 times -inf does not come up
    picked = log_probabilities(y_pred, from_logits)[(*np.indices(samples, sparse=True), labels)]
    if has_class is not None:
        picked = np.where(has_class, picked, 0.0)
    return reduced(picked, sample_weight, reduction, samples, divisor=-1)


def kl_divergence(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return sum y_true log(y_true / y_pred) over the classes; numbers below 1e-7 count as that.

    Args:    y_true, y_pred: rows of probabilities, (batch, ..., classes).
             sample_weight, reduction: as for categorical_crossentropy.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
    Example: >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])
             0.1438410

    Source:  S. Kullback and R. A. Leibler, On information and sufficiency, 1951.
    """
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    check_rows(y_true)
    logits = logits_of(y_pred, "softmax", from_logits=False)
    if logits is not None:
        log_p = log_softmax(logits)
    else:
        check_probabilities(y_pred, of_classes=True)
        log_p = np.log(np.clip(y_pred, EPSILON, 1.0))
    y_true = np.clip(y_true, EPSILON, 1.0)
    return reduced(y_true * (np.log(y_true) - log_p), sample_weight, reduction, y_pred.shape[:-1])
