"""Metrics: plain numbers that measure predictions. `metric(y_true, y_pred)`.

They see whole arrays at once, such as all predictions of an epoch, so that each is exact.

- accuracy: of the form that follows from the shapes, or binary_accuracy, categorical_accuracy,
  sparse_categorical_accuracy, top_k_categorical_accuracy, sparse_top_k_categorical_accuracy
- precision, recall, f1_score, confusion_matrix: of hits, false alarms and misses
- auc: of scores; r2_score, mean_absolute_error, mean_squared_error: of numbers
- BY_NAME, get: all of them by name, with short names. Every loss is a metric, too; weighted, it is
  divided by the number of samples as a loss is, where Keras's metric divides by the weights' sum

Targets (n,) and predictions (n, 1) are paired row by row, as in losses. A loss that is called by
hand warns of it, mean_squared_error here as well: written by hand, it would broadcast.
"""

import itertools
from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np

from autograd_core import OptionError, ShapeError
from autograd_core.data import Array, Data, Function, Operand, Result

from . import losses
from .configuration import Choice, check_range, choose, function_of, name_of, takes
from .data import whole_number
from .losses import (
    categorical_crossentropy,
    decides_at,
    masked_weights,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
    wants_logits,
    weights_like,
)
from .mistakes import warn
from .spellings import by_keras_name
from .targets import (
    ROUNDING,
    are_signs,
    as_numbers,
    class_numbers,
    pair,
    pair_of_rows,
    plain,
    threshold_of,
    with_classes,
)

__all__ = [
    "BY_NAME",
    "accuracy",
    "auc",
    "binary_accuracy",
    "categorical_accuracy",
    "confusion_matrix",
    "f1_score",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "precision",
    "r2_score",
    "recall",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


_NUMBERS = '"mae" or "r2" as a metric of numbers'


def accuracy(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, threshold: float | None = None
) -> float:
    """Return how often predictions are right, in the form that follows from shapes, as in Keras.

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
        found = categorical_accuracy(y_true, y_pred, sample_weight)
        _check_rows_of_classes(plain(y_true))
        return found
    return sparse_categorical_accuracy(y_true, y_pred, sample_weight)


def binary_accuracy(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, threshold: float | None = None
) -> float:
    """Return how often y_pred > threshold agrees with y_true.

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


def _check_two_classes(y_true: Operand, y_pred: Operand, threshold: float | None) -> None:
    if are_signs(y_true):
        if threshold is None and threshold_of(y_true, y_pred) == 0.5:
            warn(
                "signs",
                f"targets from -1 to 1 for predictions from {y_pred.min():g} to {y_pred.max():g}",
                "none is negative, so that they are taken for probabilities, and 1/2 decides",
                "(y_true + 1) / 2 for probabilities; threshold=0.0 for scores",
            )
    elif not ((y_true == 0) | (y_true == 1)).all():
        if y_true.min() >= 0 and y_true.max() == 255:
            instead = "y_true / 255"
        elif (y_true % 1 == 0).all():
            instead = "one output for each class, with sparse_categorical_crossentropy; " + _NUMBERS
        else:
            instead = _NUMBERS + "; y_true > 0.5 for probabilities"
        warn(
            "accuracy of numbers",
            f"accuracy of targets from {y_true.min():g} to {y_true.max():g}, of one output",
            "it counts right classes: a target that is not 0 or 1 (or -1 or 1) is never right",
            instead,
        )


def _check_rows_of_classes(y_true: Operand) -> None:
    """Warn if rows are not the probabilities of classes, such as figures or labels of several."""
    if not np.allclose(y_true.sum(-1), 1, atol=ROUNDING) or y_true.min() < 0:
        warn(
            "accuracy of rows",
            "accuracy of targets whose rows are not probabilities of classes",
            "it compares where in each row the largest target and the largest output stand",
            "binary_accuracy if several classes may hold at once; " + _NUMBERS,
        )


def categorical_accuracy(y_true: Operand, y_pred: Operand, sample_weight: Operand = None) -> float:
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


def sparse_categorical_accuracy(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None
) -> float:
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
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, k: int = 5
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
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, k: int = 5
) -> float:
    """Return how often the right class, given by its number, is among the k largest predictions.

    Args:    as for sparse_categorical_accuracy; k: a class with fewer than k larger ones counts.
    Raises:  OptionError: k below 1.
    Example: >>> sparse_top_k_categorical_accuracy([2, 0], [[3, 1, 2], [1, 2, 3]], k=2)
             0.5
    """
    labels, has_class, y_pred = _labelled(y_true, y_pred)
    return weighted_mean(_among_largest(labels, y_pred, k) & has_class, sample_weight)


def _labelled(y_true: Operand, y_pred: Operand) -> tuple[Array, Array | bool, Array]:
    y_pred = plain(with_classes(y_pred))
    labels, has_class = class_numbers(plain(y_true), y_pred)
    return labels, True if has_class is None else has_class, y_pred


def _among_largest(labels: Operand, y_pred: Operand, k: int) -> Array:
    check_range("k", k, 1)
    own = np.take_along_axis(y_pred, labels[..., None], -1)
    return np.sum(~(y_pred <= own), -1) < k  # NaN counts as larger: it is no right prediction


_AVERAGES = ("binary", "macro", "micro", "weighted", None)


def precision(
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    threshold: float | None = None,
    average: str | None = "binary",
) -> Data:
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
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    threshold: float | None = None,
    average: str | None = "binary",
) -> Data:
    """Return how many of the positive are predicted to be: hits / (hits + misses).

    Args:    as for precision.
    Example: >>> recall([0, 1, 1, 1], [0.2, 0.7, 0.4, 0.9], threshold=0.8)
             0.333333
    """
    hits, _, misses = _counts(y_true, y_pred, sample_weight, threshold, average)
    return _averaged(ratio(hits, hits + misses), hits + misses, average)


def f1_score(
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    threshold: float | None = None,
    average: str | None = "binary",
) -> Data:
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


def confusion_matrix(
    labels: Operand, predictions: Operand, num_classes: int | None = None
) -> Array:
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
            "predictions[:, 0] > 0.5 of probabilities (batch, 1)"
            if predictions.shape == (*labels.shape, 1)
            else "predictions.argmax(-1) of probabilities (batch, classes)",
        )
    if num_classes is not None:
        num_classes = whole_number("num_classes", num_classes)
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
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand,
    threshold: float | None,
    average: str | None,
) -> tuple[Array, Array, Array]:
    """Return the weights of hits, false alarms and misses: of all numbers, or for each class."""
    if not isinstance(average, str | None) or average not in _AVERAGES:
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


def _by_class(y_true: Operand, y_pred: Operand, threshold: float | None) -> tuple[Array, Array]:
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


def _averaged(ratios: Array, occurrences: Array, average: str | None) -> Result:
    if average is None:
        return ratios
    if average == "weighted":
        return float(ratio(np.sum(ratios * occurrences), np.sum(occurrences)))
    return float(np.mean(ratios))


def auc(y_true: Operand, y_pred: Operand, sample_weight: Operand = None) -> float:
    """Return the area under the receiver operating characteristic.

    That is how often a positive sample has a higher score than a negative one; ties count 1/2.
    Exact, where Keras's AUC is an approximation by 200 thresholds between 0 and 1. NaN if a score
    is; and, with a warning, where only one of the two occurs, as in scikit-learn.

    Args:    y_true: 1 for positive and 0 (or -1), (batch,) or any shape.
             y_pred: scores of the same shape; only their order counts.
             sample_weight: (batch,), or (batch, ...).
    Raises:  ShapeError: y_true is not of the shape of y_pred, or there is no sample.
    Example: >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
             0.75
    """
    y_true, y_pred = plain_pair(y_true, y_pred)
    if np.isnan(y_pred).any():
        return float("nan")
    is_true, weights = (y_true > 0.5).ravel(), weights_of(sample_weight, y_true.shape).ravel()
    _, place = np.unique(y_pred, return_inverse=True)  # equal scores share a place
    place = place.ravel()
    positive = np.bincount(place, weights * is_true)
    negative = np.bincount(place, weights * ~is_true)
    below = np.cumsum(negative) - negative / 2
    pairs = np.sum(positive) * np.sum(negative)
    if pairs == 0:
        warn(
            "auc of one class",
            f"auc of {is_true.sum()} positive and {(~is_true).sum()} negative samples",
            "it compares scores of both kinds, and is NaN where one of them is missing",
            "samples of both classes, also among those of validation_data",
        )
        return float("nan")
    return float(np.sum(positive * below) / pairs)


def r2_score(y_true: Operand, y_pred: Operand, sample_weight: Operand = None) -> float:
    """Return 1 - sum (y_true - y_pred)^2 / sum (y_true - mean)^2, the share of variance explained.

    Each output has its own, and the result is their mean, as Keras's class_aggregation
    "uniform_average". 0 for an output whose targets are all equal.

    Args:    y_true, y_pred: (batch, outputs), or (batch,) for one output.
             sample_weight: (batch,), or (batch, ...).
    Raises:  ShapeError: y_true is not of the shape of y_pred, or there is no sample.
    Example: >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
             0.5
    """
    y_true, y_pred = plain_pair(y_true, y_pred)
    weights = weights_of(sample_weight, y_true.shape)
    outputs = y_true.shape[-1] if y_true.ndim > 1 else 1
    true, predicted, weights = (
        x.reshape(-1, outputs).astype(np.float64) for x in (y_true, y_pred, weights)
    )
    mean = ratio(np.sum(weights * true, 0), np.sum(weights, 0))
    left = np.sum(weights * (true - predicted) ** 2, 0)
    total = np.sum(weights * (true - mean) ** 2, 0)
    return float(np.mean(np.where(total != 0, 1.0 - ratio(left, total), 0.0)))


_OTHERS = {"BY_NAME", "confusion_matrix", "get", *losses.BY_NAME}
_METRICS = [globals()[name] for name in __all__ if name not in _OTHERS]
BY_NAME: dict[str, Function] = (
    losses.BY_NAME
    | {metric.__name__: metric for metric in _METRICS}
    | {"acc": accuracy, "AUC": auc, "f1": f1_score, "r2": r2_score}
)


def __getattr__(name: str) -> Function:
    """Return what gives a metric its options, by the name of Keras's class: AUC()."""
    return by_keras_name(__name__, name, BY_NAME)


def get(metric: Choice) -> Function | None:
    """Return a metric, or a loss, by name; functions and None as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("acc")([0, 1], [0.2, 0.8])
             1.0
    """
    return choose("metric", BY_NAME, metric)


_BY_THRESHOLD = (accuracy, binary_accuracy, precision, recall, f1_score)
_OF_CLASSES = (categorical_crossentropy, sparse_categorical_crossentropy)
_TAKEN = ("loss", "epoch", "learning_rate")  # names that the history has already


def chosen(given: Iterable[str | Function] | None, loss: Choice) -> dict[str, Function]:
    """Return metrics by the names that they have in the history; a second precision: precision_1.

    Args:    given: names or functions; None: none.
             loss: the model's. Where it expects logits, metrics that compare with a threshold
             compare with 0, and those with an option from_logits have it set.
    Raises:  OptionError: no list, an unknown name, no function, a name that the history has
             already, or a threshold of probabilities where the loss takes logits of classes.
    """
    if given is None:
        return {}
    if isinstance(given, str):
        warn(
            "metrics",
            f"metrics={given!r}",
            "there can be several, in a list",
            f"metrics=[{given!r}]",
        )
        given = [given]
    if isinstance(given, Mapping) or callable(given) or not isinstance(given, Iterable):
        raise OptionError(f"metrics = {given!r}", "there can be several", f"metrics=[{given!r}]")
    found: dict[str, Function] = {}
    for metric in given:
        function = choose("metric", BY_NAME, metric)
        name = metric if isinstance(metric, str) else name_of(metric)
        _check_metric(name, function)
        names = itertools.chain([name], (f"{name}_{i}" for i in itertools.count(1)))
        free = next(each for each in names if each not in found)
        found[free] = _for_outputs(function, loss)
    return found


def _check_metric(name: str, function: Function) -> None:
    if not callable(function):
        raise OptionError(
            f"{function!r} as a metric",
            "it is no function",
            "a name, or def metric(y_true, y_pred)",
        )
    if name in _TAKEN or name.startswith("val_"):
        raise OptionError(
            f"a metric of the name {name!r}",
            "the history has another figure of this name",
            "a function of another name",
        )


def _for_outputs(metric: Choice, loss: Choice) -> Function:
    """Return a metric for the outputs that a loss expects; options that were given stay."""
    kind = function_of(metric)
    options = metric.keywords if isinstance(metric, partial) else {}
    if wants_logits(loss) and "from_logits" not in options and takes(kind, "from_logits"):
        return partial(metric, from_logits=True)
    threshold = decides_at(loss)
    is_by_class = options.get("average", "binary") != "binary"  # by the largest, of any outputs
    if threshold == 0.5 or kind not in _BY_THRESHOLD or "threshold" in options or is_by_class:
        return metric
    of_classes = function_of(loss) in _OF_CLASSES
    if of_classes and kind is not accuracy:
        raise OptionError(
            f"the metric {name_of(metric)} of logits of classes",
            "it compares probabilities with 1/2, and the outputs are logits",
            f"softmax as last activation, or a threshold: partial(nn.metrics.{kind.__name__},"
            " threshold=...)"
            + ("" if kind is binary_accuracy else "; or average='macro' for the largest output"),
        )
    return partial(metric, threshold=threshold)


def measured(metric: Choice, y_true: Operand, y_pred: Operand, mask: Operand = None) -> float:
    """Return the value of a metric as one number: the mean, if it returns several.

    Args:    metric: function (y_true, y_pred) or (y_true, y_pred, sample_weight).
             mask: (batch, steps), False where a step does not count; None: all count.
    Raises:  OptionError: it returns no number, or a single one in which masked steps count.
    Example: >>> def error(y_true, y_pred):
             ...     return abs(y_true - y_pred)[..., 0]
             >>> y, mask = np.array([[[1.0], [3.0]]]), np.array([[True, False]])
             >>> measured(error, y, np.zeros((1, 2, 1))), measured(error, y, 0 * y, mask)
             (2.0, 1.0)
    """
    weights = None if mask is None else masked_weights(metric, mask)
    if weights is not None and takes(metric, "sample_weight"):
        found, weights = metric(y_true, y_pred, sample_weight=weights), None
    else:
        found = metric(y_true, y_pred)
    try:
        array = np.asarray(plain(found), float)
    except (TypeError, ValueError):
        array = None
    if array is None or found is None:
        raise OptionError(
            f"the metric {name_of(metric)}, which returns {found!r}",
            "a metric is a number, or one for each sample",
            "return the number",
        )
    if weights is None:
        return float(np.mean(array))
    if array.shape[:2] != weights.shape:
        raise OptionError(
            f"the metric {name_of(metric)} of two arguments for sequences with a mask",
            f"it returns an array of shape {array.shape}, in which masked steps count",
            "def metric(y_true, y_pred, sample_weight=None), or a number for each step",
        )
    return weighted_mean(array, weights)


def plain_pair(y_true: Operand, y_pred: Operand) -> tuple[Array, Array]:
    """Return targets and predictions as arrays of one shape.

    Raises: ShapeError: the shapes differ by more than a column, or there is no sample.
    """
    y_true, y_pred = pair(y_true, y_pred, warns=False)
    return plain(y_true), plain(y_pred)


def weights_of(sample_weight: Operand, shape: tuple[int, ...]) -> Array:
    """Return one weight for each number of an array, from weights of samples; None: all 1.

    Raises: ShapeError: the weights do not fit the samples.
    """
    weights = 1.0 if sample_weight is None else weights_like(sample_weight, shape)
    return np.broadcast_to(weights, shape)


def weighted_mean(values: Operand, sample_weight: Operand) -> float:
    """Return sum w v / sum w, as Keras does, and 0 if all weights are 0."""
    weights = weights_of(sample_weight, values.shape)
    return float(ratio(np.sum(values * weights), np.sum(weights)))


def ratio(part: Operand, whole: Operand) -> Result:
    """Return part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.not_equal(whole, 0))
