"""Scores of rankings and of predicted numbers: AUC and R^2."""

from typing import Any

import numpy as np

from .base import plain_pair, ratio, weights_of


def auc(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """Return the area under the receiver operating characteristic.

    That is how often a positive sample has a higher score than a negative one; ties count 1/2.
    Exact, where Keras's AUC is an approximation by 200 thresholds between 0 and 1. 0 where only
    one of the two occurs; NaN if a score is.

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
    return float(ratio(np.sum(positive * below), np.sum(positive) * np.sum(negative)))


def r2_score(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
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
