"""What all metrics share: plain targets and predictions, and means with weights."""

from typing import Any

import numpy as np

from ..losses.base import pair, plain, weights_like


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
