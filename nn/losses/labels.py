"""What targets hold: class numbers, one row of probabilities a sample, or labels of two classes."""

from functools import partial
from typing import Any

import numpy as np

from autograd_core import ShapeError, Value, callback

from ..mistakes import say
from .base import as_numbers, check_order, in_type_of, require_samples

# How far from 1 the sum of probabilities may be by rounding alone
ROUNDING = 1e-3


def with_classes(y_pred: Any) -> Any:
    """Return predictions (batch, ..., classes) as numbers.

    Raises: ShapeError: there is no axis of classes, or no sample.
    """
    y_pred = as_numbers(y_pred)
    if len(y_pred.shape) < 2:
        raise ShapeError(
            f"predictions of shape {y_pred.shape}",
            "each sample needs a row of its own, with one number for each class",
            "predictions of shape (batch, classes); y_pred[None] for one sample",
        )
    require_samples(y_pred)
    return y_pred


def pair_of_rows(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return targets and predictions, both (batch, ..., classes), in the predictions' type.

    Raises: ShapeError: the shapes differ, or have no axis of classes, or no sample.
    """
    check_order(y_true, y_pred)
    y_true, y_pred = as_numbers(y_true), with_classes(y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            f"targets of shape {y_true.shape} for predictions of shape {y_pred.shape}",
            "targets need a row for each sample, with one number for each class",
            "np.eye(classes)[y_true] of class numbers, or the form named sparse_..., "
            "which takes class numbers",
        )
    return in_type_of(y_pred, y_true), y_pred


def check_rows(y_true: Any) -> None:
    """Say if the rows of the targets do not sum to 1."""
    callback(_check_rows, y_true)


def _check_rows(data: Any) -> None:
    if np.abs(np.add.reduce(data, -1) - 1).max() > ROUNDING:
        say(
            "target rows",
            "targets whose rows do not sum to 1",
            "each row holds the probabilities of the classes, most often one 1 and else 0",
            "np.eye(classes)[labels]; binary_crossentropy if several classes may hold at once",
        )


def check_binary(y_true: Any) -> None:
    """Say if targets lie outside 0 and 1."""
    callback(_check_binary, y_true)


def _check_binary(data: Any) -> None:
    data = np.asarray(data)
    if data.min() < 0 or data.max() > 1:
        say(
            "binary targets",
            f"targets from {data.min():g} to {data.max():g} for two classes",
            "a target is the probability of the second class, from 0 to 1",
            "y_true / 255"
            if data.min() >= 0 and data.max() == 255
            else "(y_true + 1) / 2 of labels -1 and 1, or the loss hinge, which takes them as they "
            "are",
        )


def are_signs(data: Any) -> bool:
    """Tell whether plain labels of two classes are -1 and 1.

    Example: >>> are_signs(np.array([-1, 1, 1])), are_signs(np.array([0, 1, 1]))
             (True, False)
    """
    return bool(np.min(data) == -1 and (np.abs(data) == 1).all())


def threshold_of(y_true: Any, y_pred: Any) -> float:
    """Return where plain predictions of two classes change sides: 0 for scores of labels -1 and 1.

    Example: >>> labels = np.array([-1, 1])
             >>> threshold_of(labels, np.array([-0.5, 0.4])), threshold_of(labels, np.array([0, 1]))
             (0.0, 0.5)
    """
    are_scores = y_pred.min() < 0 or y_pred.max() > 1
    return 0.0 if are_scores and are_signs(y_true) else 0.5


def signs(y_true: Any) -> Any:
    """Return labels of two classes as -1 and 1; 0 and 1 become those, as in Keras."""
    callback(_check_signs, y_true)
    zero_or_one = np.min((y_true == 0) | (y_true == 1))
    return np.where(zero_or_one, 2 * y_true - 1, y_true)


def _check_signs(data: Any) -> None:
    is_zero, size = np.equal(data, 0), np.abs(data)
    if not (is_zero | (size == 1) | np.not_equal(data, data)).all():
        say(
            "hinge labels",
            f"labels as large as {np.nanmax(size):g} for a hinge loss",
            "it takes the labels -1 and 1, or 0 and 1",
            "np.where(y_true == positive, 1, -1)",
        )


def class_numbers(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return the class of each sample, and a mask of those that have one (None: all have).

    Args:    y_true: (batch, ...) or (batch, ..., 1), whole numbers from 0.
             y_pred: (batch, ..., classes).
    Raises:  ShapeError: another shape.
    """
    is_whole = isinstance(y_true, np.ndarray) and y_true.dtype.kind in "iu"
    labels = y_true if is_whole else as_numbers(y_true)
    *samples, classes = y_pred.shape
    if labels.shape == (*samples, 1):
        labels = labels[..., 0]
    if labels.shape != tuple(samples):
        raise ShapeError(
            f"class numbers of shape {labels.shape} for predictions of shape {y_pred.shape}",
            "each sample has one label, the number of its class",
            f"labels of shape {tuple(samples)}"
            + ("; y_true.argmax(-1) of one-hot rows" if labels.shape == y_pred.shape else ""),
        )
    callback(partial(_check_labels, classes), labels)
    if isinstance(labels, Value):  # a program serves labels of all kinds
        has_class = (labels >= 0) & (labels < classes) & (labels == np.floor(labels))
        return np.where(has_class, labels, 0.0), has_class
    with np.errstate(invalid="ignore"):  # NaN is no class
        whole = labels if is_whole else labels.astype(np.intp)
    if whole.min() >= 0 and whole.max() < classes and (is_whole or (whole == labels).all()):
        return whole, None
    has_class = (whole == labels) & (whole >= 0) & (whole < classes)
    return np.where(has_class, whole, 0), has_class


def _check_labels(classes: int, labels: Any) -> None:
    has_class = (labels >= 0) & (labels < classes) & (labels == np.floor(labels))
    if np.all(has_class):
        return
    first = np.asarray(labels)[~np.asarray(has_class)][0]
    say(
        "labels outside the classes",
        f"{np.sum(~has_class)} of {np.size(labels)} labels outside the classes, the first "
        f"{first:g}",
        f"the predictions have classes 0 to {classes - 1}; a label outside them counts 0",
        f"whole labels from 0 to {classes - 1}, or a last layer of more units; "
        "sample_weight=0 leaves a sample out",
    )
