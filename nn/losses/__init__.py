"""Losses: what training makes small. `loss(y_true, y_pred, sample_weight=None, reduction="mean")`.

- of numbers: mean_squared_error, half_mean_squared_error, mean_absolute_error,
  mean_absolute_percentage_error, mean_squared_logarithmic_error, huber, log_cosh, poisson,
  cosine_similarity
- of scores: hinge, squared_hinge, categorical_hinge
- of probabilities or logits: binary_crossentropy, categorical_crossentropy,
  sparse_categorical_crossentropy, kl_divergence
- BY_NAME, get: all of them by name, Keras's short names included
"""

from typing import Any

from ..configuration import choose
from .crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from .hinges import categorical_hinge, hinge, squared_hinge
from .regression import (
    cosine_similarity,
    half_mean_squared_error,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)

_LOSSES = (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    half_mean_squared_error,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
_SHORT = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "kullback_leibler_divergence": kl_divergence,
    "logcosh": log_cosh,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
BY_NAME: dict[str, Any] = (
    {loss.__name__: loss for loss in _LOSSES}
    | _SHORT
    | {short.upper(): loss for short, loss in _SHORT.items() if len(short) < 5}
)


def get(loss: Any) -> Any:
    """Return a loss by name; functions and None as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("mse")([1.0], [3.0])
             4.0
    """
    return choose("loss", BY_NAME, loss)


__all__ = [
    "BY_NAME",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "get",
    "half_mean_squared_error",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]
