"""What all metrics share: plain targets and predictions, and means with weights."""

from typing import Any

import numpy as np

from autograd_core import OptionError

from ..configuration import name_of, takes
from ..losses.base import pair, plain, weights_like
from ..losses.calling import masked_weights


def measured(metric: Any, y_true: Any, y_pred: Any, mask: Any = None) -> float:
    """Return what a metric says of predictions, as one number: the mean of several.

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


def plain_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return targets and predictions as arrays of one shape.

    Raises: ShapeError: the shapes differ by more than a column, or there is no sample.
    """
    y_true, y_pred = pair(y_true, y_pred)
    return plain(y_true), plain(y_pred)


def weights_of(sample_weight: Any, shape: tuple[int, ...]) -> Any:
    """Return one weight for each number of an array, from weights of samples; None: all 1.

    Raises: ShapeError: the weights do not fit the samples.
    """
    weights = 1.0 if sample_weight is None else weights_like(sample_weight, shape)
    return np.broadcast_to(weights, shape)


def weighted_mean(values: Any, sample_weight: Any) -> float:
    """Return sum w v / sum w, as Keras does, and 0 if all weights are 0."""
    weights = weights_of(sample_weight, values.shape)
    return float(ratio(np.sum(values * weights), np.sum(weights)))


def ratio(part: Any, whole: Any) -> Any:
    """Return part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.not_equal(whole, 0))
