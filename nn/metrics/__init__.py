"""Metrics: plain numbers that tell how good predictions are. `metric(y_true, y_pred)`.

They see whole arrays at once, such as all predictions of an epoch, so that each is exact.

- accuracy: of the form that the shapes tell, or binary_accuracy, categorical_accuracy,
  sparse_categorical_accuracy, top_k_categorical_accuracy, sparse_top_k_categorical_accuracy
- precision, recall, f1_score, confusion_matrix: of hits, false alarms and misses
- auc: of scores; r2_score, mean_absolute_error, mean_squared_error: of numbers
- BY_NAME, get: all of them by name, with short names. Every loss is a metric, too; weighted, it is
  divided by the number of samples as a loss is, where Keras's metric divides by the weights' sum
"""

from typing import Any

from .. import losses
from ..configuration import choose
from ..losses import mean_absolute_error, mean_squared_error
from .accuracies import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .retrieval import confusion_matrix, f1_score, precision, recall
from .scores import auc, r2_score

_METRICS = (
    accuracy,
    auc,
    binary_accuracy,
    categorical_accuracy,
    f1_score,
    precision,
    r2_score,
    recall,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
BY_NAME: dict[str, Any] = (
    losses.BY_NAME
    | {metric.__name__: metric for metric in _METRICS}
    | {"acc": accuracy, "AUC": auc, "f1": f1_score, "r2": r2_score}
)


def get(metric: Any) -> Any:
    """Return a metric, or a loss, by name; functions and None as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("acc")([0, 1], [0.2, 0.8])
             1.0
    """
    return choose("metric", BY_NAME, metric)


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
