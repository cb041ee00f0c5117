"""How often predictions are right."""

from typing import Any

import numpy as np

from ..configuration import check_range
from ..losses.base import as_numbers, plain
from ..losses.labels import are_signs, class_numbers, pair_of_rows, threshold_of, with_classes
from ..mistakes import say
from .base import plain_pair, weighted_mean


def accuracy(
    y_true: Any, y_pred: Any, sample_weight: Any = None, threshold: float | None = None
) -> float:
    """Return how often predictions are right, in the form that their shapes tell, as in Keras.

    Predictions (batch,) or (batch, ..., 1): binary_accuracy; targets of the shape of the
    predictions: categorical_accuracy; otherwise: sparse_categorical_accuracy.

    Args:    as for these; threshold: for the binary form only.
    Example: >>> accuracy([1, 0], [0.9, 0.8]), accuracy([1, 0], [[0.1, 0.9], [0.8, 0.2]])
             (0.5, 1.0)
    """
    y_true, y_pred = as_numbers(y_true), as_numbers(y_pred)
    if len(y_pred.shape) < 2 or y_pred.shape[-1] == 1:
        return binary_accuracy(y_true, y_pred, sample_weight, threshold)
    if y_true.shape == y_pred.shape:
        return categorical_accuracy(y_true, y_pred, sample_weight)
    return sparse_categorical_accuracy(y_true, y_pred, sample_weight)


def binary_accuracy(
    y_true: Any, y_pred: Any, sample_weight: Any = None, threshold: float | None = None
) -> float:
    """Return how often y_pred > threshold is what y_true says.

    Args:    y_true: 0 or 1, or -1 or 1, (batch, ..., numbers) or (batch,).
             y_pred: of the same shape, probabilities or scores.
             sample_weight: (batch,), or (batch, ...).
             threshold: 0.5 for probabilities, 0.0 for logits; None: 0.5, or for targets -1 and 1
             the sign of the scores.
    Raises:  ShapeError: y_true is not of the shape of y_pred, or there is no sample.
    Example: >>> binary_accuracy([0, 1, 1, 1], [0.2, 0.7, 0.4, 0.9])
             0.75
    """
    y_true, y_pred = plain_pair(y_true, y_pred)
    _check_two_classes(y_true, y_pred, threshold)
    if threshold is None:
        threshold = threshold_of(y_true, y_pred)
    if are_signs(y_true):
        y_true = y_true > 0
    return weighted_mean(y_true == (y_pred > threshold), sample_weight)


def _check_two_classes(y_true: Any, y_pred: Any, threshold: float | None) -> None:
    if are_signs(y_true):
        if threshold is None and threshold_of(y_true, y_pred) == 0.5:
            say(
                "signs",
                f"targets from -1 to 1 for predictions from {y_pred.min():g} to {y_pred.max():g}",
                "none is negative, so that they are taken for probabilities, and 1/2 decides",
                "(y_true + 1) / 2 for probabilities; threshold=0.0 for scores",
            )
    elif y_true.min() < 0 or y_true.max() > 1:
        is_of_bytes = y_true.min() >= 0 and y_true.max() == 255
        say(
            "accuracy of numbers",
            f"accuracy of targets from {y_true.min():g} to {y_true.max():g}",
            "it counts right classes, and a target of two classes is 0 or 1, or -1 or 1",
            "y_true / 255" if is_of_bytes else '"mae" for targets that are numbers, not classes',
        )


def categorical_accuracy(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """Return how often the largest prediction is that of the right class.

    Args:    y_true: rows with their largest number at the right class, (batch, ..., classes).
             y_pred: of the same shape, probabilities or logits.
             sample_weight: (batch,), or (batch, ...).
    Raises:  ShapeError: y_true is not of the shape of y_pred, or there is no sample.
    Example: >>> categorical_accuracy([[0, 1], [1, 0]], [[0.1, 0.9], [0.3, 0.7]])
             0.5
    """
    y_true, y_pred = map(plain, pair_of_rows(y_true, y_pred))
    return weighted_mean(y_true.argmax(-1) == y_pred.argmax(-1), sample_weight)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """Return how often the largest prediction is that of the right class, given by its number.

    Args:    y_true: class numbers from 0, (batch, ...) or (batch, ..., 1).
             y_pred: (batch, ..., classes), probabilities or logits.
             sample_weight: (batch,), or (batch, ...).
    Raises:  ShapeError: y_true has not one label for each row of y_pred, or there is no sample.
    Example: >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.3, 0.7]])
             0.5
    """
    labels, has_class, y_pred = _labelled(y_true, y_pred)
    return weighted_mean((labels == y_pred.argmax(-1)) & has_class, sample_weight)


def top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, sample_weight: Any = None, k: int = 5
) -> float:
    """Return how often the right class is among the k largest predictions.

    Args:    as for categorical_accuracy; k: a class with fewer than k larger ones counts.
    Raises:  OptionError: k below 1.
    Example: >>> top_k_categorical_accuracy([[0, 0, 1], [1, 0, 0]], [[3, 1, 2], [1, 2, 3]], k=2)
             0.5
    """
    y_true, y_pred = map(plain, pair_of_rows(y_true, y_pred))
    return weighted_mean(_among_largest(y_true.argmax(-1), y_pred, k), sample_weight)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, sample_weight: Any = None, k: int = 5
) -> float:
    """Return how often the right class, given by its number, is among the k largest predictions.

    Args:    as for sparse_categorical_accuracy; k: a class with fewer than k larger ones counts.
    Raises:  OptionError: k below 1.
    Example: >>> sparse_top_k_categorical_accuracy([2, 0], [[3, 1, 2], [1, 2, 3]], k=2)
             0.5
    """
    labels, has_class, y_pred = _labelled(y_true, y_pred)
    return weighted_mean(_among_largest(labels, y_pred, k) & has_class, sample_weight)


def _labelled(y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
    y_pred = plain(with_classes(y_pred))
    labels, has_class = class_numbers(plain(y_true), y_pred)
    return labels, True if has_class is None else has_class, y_pred


def _among_largest(labels: Any, y_pred: Any, k: int) -> Any:
    check_range("k", k, 1)
    own = np.take_along_axis(y_pred, labels[..., None], -1)
    return np.sum(~(y_pred <= own), -1) < k  # NaN counts as larger: it is no right prediction
