"""What multi-layer perceptrons make small: a loss by weight, and squared weights."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from ..losses import loss_of, mean_reduced
from ..targets import pair


class Objective(partial[Any]):
    """The loss that scikit-learn's multi-layer perceptrons have, for any loss of `nn`.

    (sum w_i l_i + alpha / 2 sum ||W||^2) / sum w_i over a batch: l_i is the loss of sample i, w_i
    its weight, W the weights of a layer without its biases. Keras's losses divide by the number of
    samples, and its L2 by nothing. As a partial it is that loss to whoever looks at it: a file
    that a callback saves in training has the loss itself.

    Args:    loss: function (y_true, y_pred, sample_weight) that gives a mean over samples, or of
             two arguments; see nn.losses.
             factor: on it.
             layers: whose weights are squared.
             alpha: how much they count.
    Example: >>> from nn.losses import mean_squared_error
             >>> objective = Objective(mean_squared_error, 1.0, [], alpha=0.0)
             >>> objective(np.array([[1.0], [1.0]]), np.zeros((2, 1)), np.array([3.0, 1.0]))
             1.0
    """

    loss: Any
    factor: float
    layers: list[Any]
    alpha: float

    def __new__(
        cls, loss: Any, factor: float = 1.0, layers: Iterable[Any] = (), alpha: float = 0.0
    ) -> "Objective":
        """Make an objective."""
        made = super().__new__(cls, loss)
        made.loss, made.factor, made.layers, made.alpha = loss, factor, list(layers), alpha
        return made

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the objective of a batch: one number."""
        total = float(len(y_true))
        if sample_weight is not None:
            total = float(np.sum(sample_weight))
            sample_weight = sample_weight * (len(y_true) / total)
        loss = loss_of(self.loss, y_true, y_pred, sample_weight) * self.factor
        if not self.alpha:
            return loss
        squares = sum(np.sum(np.square(layer.weight)) for layer in self.layers)
        return loss + squares * (0.5 * self.alpha / total)


def half_poisson_deviance(
    y_true: Any, y_pred: Any, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return mean y log(y / p) - y + p, where p is y_pred and 0 log 0 is 0.

    Args:    y_true: counts, or other numbers from 0.
             y_pred: their positive expectations, of the same shape (batch, ..., numbers).
             sample_weight, reduction: as for nn.losses.mean_squared_error.
    Example: >>> half_poisson_deviance([[1.0], [0.0]], [[1.0], [2.0]])
             1.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    counts = y_true > 0
    constant = y_true * np.log(np.where(counts, y_true, 1.0)) - y_true
    losses = y_pred - np.where(counts, y_true * np.log(y_pred), 0.0) + constant
    return mean_reduced(losses, sample_weight, reduction)
