"""Calling a loss: any function of targets and predictions, with weights and masks."""

from functools import partial
from typing import Any

import numpy as np

from autograd_core import OptionError, Value

from ..configuration import name_of, takes
from ..mistakes import say
from .base import as_numbers, reduced

_WITH_WEIGHTS = "def loss(y_true, y_pred, sample_weight=None)"


def loss_of(
    loss: Any, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
) -> Any:
    """Return the loss of a batch as one number.

    Args:    loss: function (y_true, y_pred, sample_weight), or (y_true, y_pred); the latter may
             return a loss for each sample, (batch,) or (batch, steps), which are weighted here.
             sample_weight: (batch,) or (batch, steps); None: all 1.
             mask: (batch, steps), False where a step does not count; None: all count. As in Keras
             a mean is then one over the steps that count.
    Raises:  OptionError: the loss takes no weights where there are some, or returns something
             else than one number that was computed from the predictions.
    Example: >>> from nn.losses import mean_squared_error
             >>> steps = np.array([[[1.0], [2.0], [9.0]]])
             >>> loss_of(mean_squared_error, steps, np.zeros((1, 3, 1)), mask=[[True, True, False]])
             2.5
    """
    weights = sample_weight if mask is None else masked_weights(loss, mask, sample_weight)
    if takes(loss, "sample_weight"):
        found = loss(y_true, y_pred, sample_weight=weights)
    else:
        found = loss(y_true, y_pred)
        if isinstance(found, Value) and len(found.shape):
            return reduced(found, weights, "mean", found.shape)
        if weights is not None:
            raise OptionError(
                f"weights or a mask for the loss {name_of(loss)} of two arguments",
                "it returns one number, in which all samples count alike",
                f"{_WITH_WEIGHTS}, or a function that returns a loss for each sample",
            )
    _check(loss, found, y_pred)
    return found


def masked_weights(loss: Any, mask: Any, sample_weight: Any = None) -> Any:
    """Return weights (batch, steps) for a loss or metric, 0 where the mask is False.

    A loss that is a mean divides by the number of all steps, so that the weights of those that
    count grow by the quotient of both numbers; what divides by the sum of weights stays the same.
    """
    counts = np.where(mask, 1.0, 0.0)
    if not (isinstance(loss, partial) and loss.keywords.get("reduction") == "sum"):
        batch, steps = counts.shape
        counts = counts * (batch * steps / np.maximum(np.sum(counts), 1.0))
    if sample_weight is None:
        return counts
    weights = as_numbers(sample_weight)
    if len(weights.shape) == 3 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    return counts * (weights[:, None] if len(weights.shape) == 1 else weights)


def fitting_mask(mask: Any, y_pred: Any) -> Any:
    """Return a mask if it is one of predictions (batch, steps, ...), else None."""
    if mask is None or tuple(mask.shape) == tuple(y_pred.shape[:-1])[: len(mask.shape)]:
        return mask
    say(
        "mask",
        f"a mask of shape {tuple(mask.shape)} for predictions of shape {tuple(y_pred.shape)}",
        "a layer has changed the steps without its mask, so that padded steps count",
        "def output_mask(self, x, mask): return None in that layer",
    )
    return None


def _check(loss: Any, found: Any, y_pred: Any) -> None:
    """Refuse what no gradient can be computed of.

    Raises:  OptionError: no number; or plain numbers, or others than computed from predictions
             that are a Value.
    """
    if found is None:
        what, why, instead = "None", "it has no return statement", "return the loss"
    elif not isinstance(y_pred, Value):
        return
    elif not isinstance(found, Value):
        what, why = f"a plain {type(found).__name__}", "it was computed from plain numbers"
        instead = "arithmetic and NumPy's functions on y_pred itself, without .data or float()"
    elif found.primitive is None and y_pred.primitive is not None:
        what, why = "a Value without inputs", "it was not computed from y_pred"
        instead = "arithmetic and NumPy's functions on y_pred itself, without .data or Value()"
    elif len(found.shape):
        what, why = f"losses of shape {found.shape}", "the loss of a batch is one number"
        instead = "np.mean(losses), or reduction='mean'"
    else:
        return
    raise OptionError(f"the loss {name_of(loss)}, which returns {what}", why, instead)
