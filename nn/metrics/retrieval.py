"""Precision, recall and what they are made of: hits, false alarms and misses."""

from typing import Any

import numpy as np

from autograd_core import OptionError, ShapeError

from ..losses.base import as_numbers, plain
from ..losses.labels import class_numbers, threshold_of, with_classes
from .base import plain_pair, ratio, weights_of

_AVERAGES = ("binary", "macro", "micro", "weighted", None)


def precision(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    threshold: float | None = None,
    average: str | None = "binary",
) -> Any:
    """Return how many of those predicted to be positive are: hits / (hits + false alarms).

    0 where nothing is predicted to be positive, as in Keras.

    Args:    y_true: 1 for positive and 0 (or -1), of the shape of y_pred. For averages over
             classes also class numbers (batch, ...).
             y_pred: probabilities, (batch,) or (batch, ...); for averages (batch, ..., classes).
             sample_weight: (batch,), or (batch, ...).
             threshold: y_pred > threshold predicts positive; None: 0.5, or 0 for scores of targets
             -1 and 1, and for averages over classes the class with the largest prediction.
             average: "binary" counts all numbers alike, as Keras's Precision does; "macro": mean
             of the classes; "weighted": by how often each occurs; "micro": counts of all
             classes; None: an array, one number for each class.
    Raises:  OptionError: another average. ShapeError: y_true does not fit y_pred, or no sample.
    Example: >>> precision([0, 1, 1, 0], [0.2, 0.7, 0.4, 0.9])
             0.5
             >>> precision([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], average=None)
             array([0.5, 1. ])
    """
    hits, alarms, misses = _counts(y_true, y_pred, sample_weight, threshold, average)
    return _averaged(ratio(hits, hits + alarms), hits + misses, average)


def recall(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    threshold: float | None = None,
    average: str | None = "binary",
) -> Any:
    """Return how many of the positive are predicted to be: hits / (hits + misses).

    Args:    as for precision.
    Example: >>> recall([0, 1, 1, 1], [0.2, 0.7, 0.4, 0.9], threshold=0.8)
             0.333333
    """
    hits, _, misses = _counts(y_true, y_pred, sample_weight, threshold, average)
    return _averaged(ratio(hits, hits + misses), hits + misses, average)


def f1_score(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    threshold: float | None = None,
    average: str | None = "binary",
) -> Any:
    """Return the harmonic mean of precision and recall: 2 hits / (2 hits + false alarms + misses).

    Keras's F1Score has the default average=None, and predicts all classes that tie.

    Args:    as for precision.
    Example: >>> f1_score([0, 1, 1, 0], [0.2, 0.7, 0.4, 0.1])
             0.666667
             >>> f1_score([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], average="micro")
             0.666667
    """
    hits, alarms, misses = _counts(y_true, y_pred, sample_weight, threshold, average)
    return _averaged(ratio(2 * hits, 2 * hits + alarms + misses), hits + misses, average)


def confusion_matrix(labels: Any, predictions: Any, num_classes: int | None = None) -> Any:
    """Return how often each true class (row) was predicted as each class (column).

    Args:    labels, predictions: class numbers from 0, of one shape.
             num_classes: how many there are; None: up to the largest that occurs.
    Returns: whole numbers, (num_classes, num_classes).
    Raises:  ShapeError: the shapes differ, or there is no sample. OptionError: a number that is no
             class.
    Example: >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
             array([[1, 0, 0],
                    [0, 1, 1],
                    [0, 0, 1]])
    """
    labels, predictions = plain(as_numbers(labels)), plain(as_numbers(predictions))
    if labels.shape != predictions.shape or not labels.size:
        raise ShapeError(
            f"labels of shape {labels.shape} and predictions of shape {predictions.shape}",
            "each sample has the number of its class and that of the predicted one",
            "predictions.argmax(-1) of probabilities (batch, classes)",
        )
    classes = num_classes or int(np.nan_to_num(max(labels.max(), predictions.max()))) + 1
    for name, numbers in (("labels", labels), ("predictions", predictions)):
        if not np.isin(numbers, np.arange(classes)).all():
            raise OptionError(
                f"{name} from {numbers.min():g} to {numbers.max():g} of {classes} classes",
                "a class is a whole number from 0 to one less than num_classes",
                "class numbers; (y_pred > 0.5) of probabilities",
            )
    pairs = (labels * classes + predictions).astype(np.intp)
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)


def _counts(
    y_true: Any, y_pred: Any, sample_weight: Any, threshold: float | None, average: str | None
) -> tuple[Any, Any, Any]:
    """Return the weights of hits, false alarms and misses: of all numbers, or for each class."""
    if average not in _AVERAGES:
        raise OptionError(
            f"average {average!r}",
            "classes are averaged in one of these ways, or not",
            'one of "binary", "macro", "micro", "weighted" and None',
        )
    if average == "binary":
        y_true, y_pred = plain_pair(y_true, y_pred)
        if threshold is None:
            threshold = threshold_of(y_true, y_pred)
        is_true, is_predicted = y_true > 0.5, y_pred > threshold
    else:
        is_true, is_predicted = _by_class(y_true, plain(with_classes(y_pred)), threshold)
    weights = weights_of(sample_weight, is_true.shape)
    axes = None if average in ("binary", "micro") else tuple(range(is_true.ndim - 1))
    hits = np.sum(weights * (is_true & is_predicted), axes)
    alarms = np.sum(weights * (~is_true & is_predicted), axes)
    return hits, alarms, np.sum(weights * (is_true & ~is_predicted), axes)


def _by_class(y_true: Any, y_pred: Any, threshold: float | None) -> tuple[Any, Any]:
    """Return for each class whether it is the true one, and whether it is predicted."""
    classes = np.arange(y_pred.shape[-1])
    rows = plain(as_numbers(y_true))
    if rows.shape == y_pred.shape:
        is_true = rows > 0.5
    else:
        labels, has_class = class_numbers(plain(y_true), y_pred)
        is_true = labels[..., None] == classes
        if has_class is not None:
            is_true &= has_class[..., None]
    if threshold is not None:
        return is_true, y_pred > threshold
    return is_true, y_pred.argmax(-1)[..., None] == classes


def _averaged(ratios: Any, occurrences: Any, average: str | None) -> Any:
    if average is None:
        return ratios
    if average == "weighted":
        return float(ratio(np.sum(ratios * occurrences), np.sum(occurrences)))
    return float(np.mean(ratios))
