"""What all losses share: targets beside predictions, and losses of samples into one number."""

import math
from typing import Any

import numpy as np

from autograd_core import OptionError, ShapeError, Value

from ..mistakes import say


def as_numbers(x: Any) -> Any:
    """Return a Value, or an array of float32 or float64, as it is; anything else as such an array.

    Raises: DataError: it is not real numbers.
    """
    if isinstance(x, Value) or (isinstance(x, np.ndarray) and x.dtype.char in "fd"):
        return x
    return np.asarray(Value(x).data)


def plain(x: Any) -> Any:
    """Return the numbers of a Value, or an array as it is: for checks, which need no derivative."""
    return np.asarray(x.data) if isinstance(x, Value) else x


def pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return targets and predictions in one shape and type, the predictions'.

    Raises: ShapeError: the shapes differ by more than a column, or there is no sample.
    """
    check_order(y_true, y_pred)
    y_true, y_pred = as_numbers(y_true), as_numbers(y_pred)
    if y_true.shape != y_pred.shape:
        y_true = _row_with_row(y_true, y_pred)
    require_samples(y_pred)
    return in_type_of(y_pred, y_true), y_pred


def check_order(y_true: Any, y_pred: Any) -> None:
    """Refuse targets and predictions that were given in PyTorch's order.

    Raises: OptionError: the targets were computed from others, and the predictions are plain.
    """
    is_computed = isinstance(y_true, Value) and y_true.primitive is not None
    if is_computed and not isinstance(y_pred, Value):
        raise OptionError(
            "targets that are a computed Value, for predictions that are plain numbers",
            "targets come first, as in Keras; PyTorch has the predictions first",
            "loss(y, model(x)); y.data for targets that were computed",
        )


def in_type_of(y_pred: Any, y_true: Any) -> Any:
    """Return the targets in the predictions' type, so that float32 stays float32."""
    return y_true if y_true.dtype == y_pred.dtype else y_true.astype(y_pred.dtype)


def require_samples(y_pred: Any) -> None:
    """Refuse data without any number.

    Raises: ShapeError: one axis has length 0.
    """
    if 0 in y_pred.shape:
        raise ShapeError(
            f"predictions of shape {y_pred.shape}",
            "there is no sample to judge them by",
            "at least one row of targets and predictions",
        )


def _row_with_row(y_true: Any, y_pred: Any) -> Any:
    """Return targets (n,) as a column, or a column as (n,), as the predictions are."""
    given, wanted = y_true.shape, y_pred.shape
    n = wanted[0] if wanted else 0
    if {given, wanted} != {(n,), (n, 1)}:
        raise ShapeError(
            f"targets of shape {given} for predictions of shape {wanted}",
            "each prediction is compared with its own target",
            "y_true[..., None]" if (*given, 1) == wanted else f"targets of shape {wanted}",
        )
    if n > 1:
        say(
            "broadcast",
            f"targets of shape {given} for predictions of shape {wanted}",
            f"written as y_true - y_pred they would broadcast to ({n}, {n}), "
            "every target with every prediction; here, row was paired with row",
            "y_true[:, None], or a model with outputs of shape (n,)"
            if len(given) == 1
            else "y_true[:, 0], or a model with outputs of shape (n, 1)",
        )
    return y_true.reshape(wanted)


def weights_like(sample_weight: Any, samples: tuple[int, ...]) -> Any:
    """Return sample weights that broadcast against losses of the shape `samples`.

    Args:    sample_weight: one number, one for each sample (batch,) or (batch, 1), or one for each
             loss, such as (batch, steps).
    Raises:  ShapeError: any other shape.
    """
    weights = as_numbers(sample_weight)
    shape = weights.shape
    if len(shape) == len(samples) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    shape += (1,) * (len(samples) - len(shape))
    if len(shape) > len(samples) or any(
        n not in (1, m) for n, m in zip(shape, samples, strict=True)
    ):
        raise ShapeError(
            f"sample weights of shape {weights.shape} for losses of shape {samples}",
            "each sample has one weight, or each step of it",
            f"sample_weight of shape {samples[:1]} or {samples}",
        )
    return weights.reshape(shape)


def reduced(
    losses: Any, sample_weight: Any, reduction: str, samples: tuple[int, ...], divisor: int = 1
) -> Any:
    """Return the weighted losses of samples: their mean, their sum, or all of them.

    One sum and one division, whatever the shape: means over numbers and over samples are one.

    Args:    losses: of the shape `samples`, or with one more axis, which is summed over.
             reduction: "mean" divides by the number of samples, whatever their weights, as Keras's
             "sum_over_batch_size" does; "sum"; "none".
             divisor: of each sample's loss.
    Raises:  OptionError: another reduction. ShapeError: weights that do not fit the samples.
    """
    has_numbers = len(losses.shape) > len(samples)
    if sample_weight is not None:
        weights = weights_like(sample_weight, samples)
        weights = weights[..., None] if has_numbers else weights
        # A sample of weight 0 is left out, whatever its loss is: NaN times 0 would be NaN
        losses = np.where(weights != 0, losses, 0.0) * in_type_of(losses, weights)
    if reduction == "none":
        out = np.sum(losses, -1) if has_numbers else losses
    elif reduction in ("mean", "sum"):
        out = np.sum(losses)
        divisor *= math.prod(samples) if reduction == "mean" else 1
    else:
        raise OptionError(
            f"reduction {reduction!r}",
            "losses of samples become their mean (Keras's sum_over_batch_size), their sum, or stay",
            '"mean", "sum" or "none"',
        )
    out = out if divisor == 1 else out / divisor
    return out if isinstance(out, Value) or out.shape else float(out)


def mean_reduced(losses: Any, sample_weight: Any, reduction: str) -> Any:
    """Return the losses of single numbers, averaged over the last axis and then reduced.

    Keras gives a batch (n,) one loss for all; here it is n samples of one number, as (n, 1) is.
    """
    shape = losses.shape
    if len(shape) < 2:
        return reduced(losses, sample_weight, reduction, shape)
    return reduced(losses, sample_weight, reduction, shape[:-1], shape[-1])
