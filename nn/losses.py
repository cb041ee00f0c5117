"""Losses: the objectives of training. `loss(y_true, y_pred, sample_weight=None, reduction="mean")`.

- of numbers: mean_squared_error, half_mean_squared_error, mean_absolute_error,
  mean_absolute_percentage_error, mean_squared_logarithmic_error, huber, log_cosh, poisson,
  cosine_similarity
- of scores: hinge, squared_hinge, categorical_hinge
- of probabilities or logits: binary_crossentropy, categorical_crossentropy,
  sparse_categorical_crossentropy, kl_divergence
- BY_NAME, get: all of them by name, Keras's short names included
"""

import math
from functools import partial

import numpy as np

from autograd_core import OptionError, ShapeError, Value, log_softmax, softplus
from autograd_core.data import Function, Operand, Result

from .configuration import Choice, check_range, choose, function_of, name_of, takes
from .mistakes import warn
from .spellings import by_keras_name
from .targets import (
    EPSILON,
    as_numbers,
    check_binary,
    check_order,
    check_probabilities,
    check_rows,
    class_numbers,
    in_type_of,
    log_probabilities,
    logits_of,
    pair,
    pair_of_rows,
    signs,
    with_classes,
)

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


def mean_squared_error(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean (y_pred - y_true)^2.

    Args:    y_true, y_pred: (batch, ..., numbers); (batch,) stands for one number a sample.
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses, each a mean over numbers.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred.
    Example: >>> mean_squared_error([[1.0], [2.0]], [[1.0], [4.0]])
             2.0
             >>> mean_squared_error([[1.0], [2.0]], [[1.0], [4.0]], reduction="none")
             array([0., 4.])
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(np.square(y_pred - y_true), sample_weight, reduction)


def half_mean_squared_error(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return 1/(2n) sum (y_pred - y_true)^2: half of mean_squared_error, derivative error / n.

    Args:    as for mean_squared_error.
    Example: >>> half_mean_squared_error([1.0, 2.0], [1.0, 4.0])
             1.0
    """
    return 0.5 * mean_squared_error(y_true, y_pred, sample_weight, reduction)


def mean_absolute_error(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean |y_pred - y_true|.

    Args:    as for mean_squared_error.
    Example: >>> mean_absolute_error([1.0, 2.0], [1.0, 4.0])
             1.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(np.abs(y_pred - y_true), sample_weight, reduction)


def mean_absolute_percentage_error(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return 100 mean |y_pred - y_true| / |y_true|, with at least 1e-7 below, as in Keras.

    Args:    as for mean_squared_error.
    Example: >>> mean_absolute_percentage_error([10.0, 20.0], [11.0, 20.0])
             5.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    share = np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), EPSILON)
    return 100.0 * mean_reduced(share, sample_weight, reduction)


def mean_squared_logarithmic_error(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean (log(1 + y_pred) - log(1 + y_true))^2, with numbers below 1e-7 raised to that.

    Args:    as for mean_squared_error.
    Example: >>> mean_squared_logarithmic_error([0.0, 3.0], [0.0, 7.0])
             0.240226
    """
    y_true, y_pred = pair(y_true, y_pred)
    difference = np.log1p(np.maximum(y_pred, EPSILON)) - np.log1p(np.maximum(y_true, EPSILON))
    return mean_reduced(np.square(difference), sample_weight, reduction)


def huber(
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    reduction: str = "mean",
    delta: float = 1.0,
) -> Result:
    """Return a mean of errors e that grows as e^2 / 2 up to |e| = delta, and from there as a line.

    Args:    as for mean_squared_error; delta: from where on the loss is a line of slope delta.
    Raises:  OptionError: delta below 0.
    Example: >>> huber([0.0, 0.0], [1.0, 4.0], reduction="none")
             array([0.5, 3.5])

    Source:  P. J. Huber, Robust estimation of a location parameter, 1964.
    """
    check_range("delta", delta, 0)
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    # e^2 / 2 within delta, and delta (|e| - delta / 2) beyond
    within = np.clip(error, -float(delta), float(delta))
    return mean_reduced(within * (error - 0.5 * within), sample_weight, reduction)


def log_cosh(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean log cosh(y_pred - y_true): e^2 / 2 for small errors e, |e| - log 2 for large.

    Args:    as for mean_squared_error.
    Example: >>> log_cosh([0.0], [1000.0])
             999.306852819
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    return mean_reduced(error + softplus(-2.0 * error) - math.log(2), sample_weight, reduction)


def poisson(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean y_pred - y_true log(y_pred + 1e-7): of counts with expectation y_pred.

    Args:    as for mean_squared_error; y_pred: positive.
    Example: >>> poisson([1.0, 2.0], [1.0, 1.0])
             1.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(y_pred - y_true * np.log(y_pred + EPSILON), sample_weight, reduction)


def cosine_similarity(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return minus the cosine of the angle between rows: -1 for one direction, 0 for a right angle.

    The sign is Keras's, so that a smaller loss is a better one; a row of zeros counts 0.

    Args:    y_true, y_pred: (batch, ..., numbers), rows of the last axis.
             sample_weight, reduction: as for mean_squared_error.
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
    Example: >>> cosine_similarity([[1.0, 0.0], [1.0, 1.0]], [[0.0, 2.0], [3.0, 3.0]])
             -0.5
    """
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    return reduced(_unit(y_pred) * -_unit(y_true), sample_weight, reduction, y_pred.shape[:-1])


def _unit(x: Operand) -> Result:
    """Return rows of length 1; those shorter than 1e-7 only grow as much as if they were that."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), EPSILON)


def hinge(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean max(1 - y_true y_pred, 0).

    Args:    y_true: labels -1 and 1, or 0 and 1, which become those if there are no others.
             y_pred: scores of the same shape, (batch, ..., numbers) or (batch,).
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses, each a mean over numbers.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred.
    Example: >>> hinge([-1, 1], [-2.0, 0.5], reduction="none")
             array([0. , 0.5])
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean_reduced(np.maximum(1.0 - signs(y_true) * y_pred, 0.0), sample_weight, reduction)


def squared_hinge(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean max(1 - y_true y_pred, 0)^2.

    Args:    as for hinge.
    Example: >>> squared_hinge([-1, 1], [-2.0, 0.5], reduction="none")
             array([0.  , 0.25])
    """
    y_true, y_pred = pair(y_true, y_pred)
    short = np.maximum(1.0 - signs(y_true) * y_pred, 0.0)
    return mean_reduced(np.square(short), sample_weight, reduction)


def categorical_hinge(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return max(1 + the largest wrong score - the right score, 0), for each sample.

    As in Keras the right class takes part in the largest with the score 0.

    Args:    y_true: rows of 0 and one 1, (batch, ..., classes).
             y_pred: scores of the same shape.
             sample_weight, reduction: as for hinge.
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
    Example: >>> categorical_hinge([[0, 1], [0, 1]], [[0.5, 1.0], [0.0, 2.0]], reduction="none")
             array([0.5, 0. ])
    """
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    signs(y_true)  # for its warning of other labels
    right = np.sum(y_true * y_pred, -1)
    wrong = np.max((1.0 - y_true) * y_pred, -1)
    losses = np.maximum(wrong - right + 1.0, 0.0)
    return reduced(losses, sample_weight, reduction, y_pred.shape[:-1])


def binary_crossentropy(
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    reduction: str = "mean",
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Result:
    """Return mean -(y_true log p + (1 - y_true) log(1 - p)), where p is y_pred or its sigmoid.

    Args:    y_true: 0, 1 or a probability between, (batch, ..., numbers) or (batch,).
             y_pred: of the same shape, probabilities, or logits.
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses, each a mean over numbers.
             from_logits: whether y_pred are logits, which a sigmoid would make probabilities.
             label_smoothing: how far targets move towards 1/2, from 0 to 1.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred. OptionError: label_smoothing.
    Example: >>> binary_crossentropy([0, 1], [-1000.0, 0.0], from_logits=True, reduction="none")
             array([0.        , 0.69314718])
    """
    check_range("label_smoothing", label_smoothing, 0, 1)
    y_true, y_pred = pair(y_true, y_pred)
    check_binary(y_true)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    logits = logits_of(y_pred, "sigmoid", from_logits)
    if logits is not None:
        losses = _from_logits(y_true, logits)
    else:
        check_probabilities(y_pred, of_classes=False)
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        losses = -(y_true * np.log(p) + (1.0 - y_true) * np.log(1.0 - p))
    return mean_reduced(losses, sample_weight, reduction)


def _from_logits(y_true: Operand, logits: Operand) -> Result:
    """Return softplus(z) - y z, which for y above 1/2 is softplus(-z) + (1 - y) z.

    Of the two, take the one whose second term is small: small losses then keep all their digits,
    and for labels 0 and 1 that term vanishes.
    """
    above = y_true > 0.5
    sign = np.where(above, -1.0, 1.0).astype(y_true.dtype)
    losses = softplus(sign * logits)
    rest = np.where(above, 1.0 - y_true, -y_true)
    return losses + rest * logits if isinstance(rest, Value) or rest.any() else losses


def categorical_crossentropy(
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    reduction: str = "mean",
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Result:
    """Return -sum y_true log p over the classes, where p is y_pred or its softmax.

    Args:    y_true: a row of probabilities a sample, most often one 1, (batch, ..., classes).
             y_pred: of the same shape, probabilities (rows are divided by their sum), or logits.
             sample_weight: (batch,), or one for each sample loss (batch, ...).
             reduction: "mean", "sum" or "none", over sample losses.
             from_logits: whether y_pred are logits, which softmax would make probabilities.
             label_smoothing: how far targets move towards equal probabilities, from 0 to 1.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
             OptionError: label_smoothing.
    Example: >>> categorical_crossentropy([[0, 1], [1, 0]], [[0.5, 0.5], [1.0, 0.0]])
             0.34657
    """
    check_range("label_smoothing", label_smoothing, 0, 1)
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    check_rows(y_true)
    samples, classes = y_pred.shape[:-1], y_pred.shape[-1]
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    losses = -y_true * log_probabilities(y_pred, from_logits)
    return reduced(losses, sample_weight, reduction, samples)


def sparse_categorical_crossentropy(
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    reduction: str = "mean",
    from_logits: bool = False,
) -> Result:
    """Return -log p of each sample's class, where p is y_pred or its softmax.

    Args:    y_true: class numbers from 0, (batch, ...) or (batch, ..., 1).
             y_pred: (batch, ..., classes), probabilities (rows are divided by their sum), or
             logits.
             sample_weight, reduction, from_logits: as for categorical_crossentropy.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true has not one label for each row of y_pred.
    Example: >>> sparse_categorical_crossentropy([1, 0], [[0.5, 0.5], [1.0, 0.0]])
             0.34657
    """
    check_order(y_true, y_pred)
    y_pred = with_classes(y_pred)
    labels, has_class = class_numbers(y_true, y_pred)
    samples = y_pred.shape[:-1]
    # Picking is quicker than multiplying by one-hot rows, and 0 times -inf does not come up
    picked = log_probabilities(y_pred, from_logits)[(*np.indices(samples, sparse=True), labels)]
    if has_class is not None:
        picked = np.where(has_class, picked, 0.0)
    return reduced(picked, sample_weight, reduction, samples, divisor=-1)


def kl_divergence(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return sum y_true log(y_true / y_pred) over the classes; numbers below 1e-7 count as that.

    Args:    y_true, y_pred: rows of probabilities, (batch, ..., classes).
             sample_weight, reduction: as for categorical_crossentropy.
    Returns: a number; (batch, ...) for "none".
    Raises:  ShapeError: y_true is not of the shape of y_pred, or they are no rows.
    Example: >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])
             0.1438410

    Source:  S. Kullback and R. A. Leibler, On information and sufficiency, 1951.
    """
    y_true, y_pred = pair_of_rows(y_true, y_pred)
    check_rows(y_true)
    logits = logits_of(y_pred, "softmax", from_logits=False)
    if logits is not None:
        log_p = log_softmax(logits)
    else:
        check_probabilities(y_pred, of_classes=True)
        log_p = np.log(np.clip(y_pred, EPSILON, 1.0))
    y_true = np.clip(y_true, EPSILON, 1.0)
    return reduced(y_true * (np.log(y_true) - log_p), sample_weight, reduction, y_pred.shape[:-1])


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
BY_NAME: dict[str, Function] = (
    {name: globals()[name] for name in __all__ if name not in ("BY_NAME", "get")}
    | _SHORT
    | {short.upper(): loss for short, loss in _SHORT.items() if len(short) < 5}
)


def __getattr__(name: str) -> Function:
    """Return what gives a loss its options, by the name of Keras's class: Huber(delta=2.0)."""
    return by_keras_name(__name__, name, BY_NAME)


def get(loss: Choice) -> Function | None:
    """Return a loss by name; functions and None as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("mse")([1.0], [3.0])
             4.0
    """
    return choose("loss", BY_NAME, loss)


# What losses of classes compare predictions with: the numbers of classes, rows of them, or labels
# of two classes. Those of scores take 0 for the boundary of two classes, the others 1/2
OF_NUMBERED = (sparse_categorical_crossentropy,)
OF_ROWS = (categorical_crossentropy, categorical_hinge, kl_divergence)
OF_TWO = (binary_crossentropy, hinge, squared_hinge)
_OF_SCORES = (hinge, squared_hinge)


def decides_at(loss: Choice) -> float:
    """Return the output at which the second of two classes begins: 1/2, or 0 for logits and hinges.

    Example: >>> decides_at(binary_crossentropy), decides_at(hinge)
             (0.5, 0.0)
    """
    return 0.0 if wants_logits(loss) or function_of(loss) in _OF_SCORES else 0.5


def wants_logits(loss: Choice) -> bool:
    """Return whether a loss was chosen with from_logits=True, or is a function that says so.

    Example: >>> def mine(y_true, y_pred):
             ...     return binary_crossentropy(y_true, y_pred, from_logits=True)
             >>> wants_logits(partial(binary_crossentropy, from_logits=True)), wants_logits(mine)
             (True, True)
    """
    if "from_logits" in getattr(loss, "keywords", {}):
        return bool(loss.keywords["from_logits"])
    # The names of the options in a call, and their values, are constants of the code around it
    constants = getattr(getattr(function_of(loss), "__code__", None), "co_consts", ())
    is_named = any(type(each) is tuple and "from_logits" in each for each in constants)
    return is_named and any(each is True for each in constants)


def weights_like(sample_weight: Operand, samples: tuple[int, ...]) -> Result:
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
    losses: Operand,
    sample_weight: Operand,
    reduction: str,
    samples: tuple[int, ...],
    divisor: int = 1,
) -> Result:
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
    how = reduction if isinstance(reduction, str) else None  # an array equals no text
    if how == "none":
        out = np.sum(losses, -1) if has_numbers else losses
    elif how in ("mean", "sum"):
        out = np.sum(losses)
        divisor *= math.prod(samples) if how == "mean" else 1
    else:
        raise OptionError(
            f"reduction {reduction!r}",
            "losses of samples become their mean (Keras's sum_over_batch_size), their sum, or stay",
            '"mean", "sum" or "none"',
        )
    out = out if divisor == 1 else out / divisor
    return out if isinstance(out, Value) or out.shape else float(out)


def mean_reduced(losses: Operand, sample_weight: Operand, reduction: str) -> Result:
    """Return the losses of single numbers, averaged over the last axis and then reduced.

    Keras gives a batch (n,) one loss for all; here it is n samples of one number, as (n, 1) is.
    """
    shape = losses.shape
    if len(shape) < 2:
        return reduced(losses, sample_weight, reduction, shape)
    return reduced(losses, sample_weight, reduction, shape[:-1], shape[-1])


def loss_of(
    loss: Choice,
    y_true: Operand,
    y_pred: Operand,
    sample_weight: Operand = None,
    mask: Operand = None,
) -> Result:
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
                "def loss(y_true, y_pred, sample_weight=None), or a loss for each sample",
            )
    _check(loss, found, y_pred)
    return found


def masked_weights(loss: Choice, mask: Operand, sample_weight: Operand = None) -> Result:
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


def fitting_mask(mask: Operand, y_pred: Operand) -> Result:
    """Return a mask if it is one of predictions (batch, steps, ...), else None."""
    if mask is None or tuple(mask.shape) == tuple(y_pred.shape[:-1])[: len(mask.shape)]:
        return mask
    warn(
        "mask",
        f"a mask of shape {tuple(mask.shape)} for predictions of shape {tuple(y_pred.shape)}",
        "a layer has changed the steps without its mask, so that padded steps count",
        "def output_mask(self, x, mask): return None in that layer",
    )
    return None


def _check(loss: Choice, found: Result, y_pred: Operand) -> None:
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
