"""What predictions hold: logits, or probabilities."""

from functools import partial
from typing import Any

import numpy as np

from autograd_core import Value, callback, log_softmax

from ..configuration import name_of
from ..mistakes import say
from .labels import ROUNDING

# Keras's: probabilities are held this far from 0 and 1 before their logarithm is taken
EPSILON = 1e-7
# How far from 1 a row of probabilities may sum, written down with two digits
COARSE = 0.05


def is_output_of(activation: str, y_pred: Any) -> bool:
    """Tell whether predictions are the direct result of sigmoid, or of softmax by last axis."""
    primitive = y_pred.primitive if isinstance(y_pred, Value) else None
    if primitive is None or primitive.name != activation:
        return False
    return (y_pred.params or {}).get("axis", -1) in (-1, len(y_pred.shape) - 1)


def logits_of(y_pred: Any, activation: str, from_logits: bool) -> Any:
    """Return what the activation was, or will be, applied to; None if that is not known.

    An output that saturates has lost what its logit was: at exactly 0 or 1 a clipped logarithm
    has no gradient left. The activation's own input still has it, so the loss is computed from
    there, and the gradient goes straight to it.
    """
    if from_logits:
        _check_logits(y_pred, activation)
        return y_pred
    return y_pred.inputs[0] if is_output_of(activation, y_pred) else None


def log_probabilities(y_pred: Any, from_logits: bool) -> Any:
    """Return the logarithm of each class's probability, (batch, ..., classes)."""
    _check_several(y_pred)
    logits = logits_of(y_pred, "softmax", from_logits)
    if logits is not None:
        return log_softmax(logits)
    check_probabilities(y_pred, of_classes=True)
    y_pred = y_pred / np.sum(y_pred, -1, keepdims=True)
    return np.log(np.clip(y_pred, EPSILON, 1 - EPSILON))


def check_probabilities(y_pred: Any, of_classes: bool) -> None:
    """Say if numbers lie outside 0 and 1, or rows of classes do not sum to 1."""
    callback(partial(_check_probabilities, of_classes), y_pred)


def _check_probabilities(of_classes: bool, data: Any) -> None:
    data = np.asarray(data)
    low, high = data.min(), data.max()
    if low < -ROUNDING or high > 1 + ROUNDING:
        say(
            "logits as probabilities",
            f"predictions from {low:g} to {high:g} where probabilities are expected",
            "probabilities lie between 0 and 1; these are logits, or another model's outputs",
            "from_logits=True if the loss has it, or softmax or sigmoid as last activation",
        )
    elif of_classes and np.abs(np.add.reduce(data, -1) - 1).max() > COARSE:
        say(
            "rows of probabilities",
            "predictions whose rows do not sum to 1 where probabilities are expected",
            "the classes exclude each other, so that their probabilities sum to 1",
            "softmax as last activation; binary_crossentropy if several classes may hold at once",
        )


def _check_several(y_pred: Any) -> None:
    if y_pred.shape[-1] == 1:
        say(
            "one class",
            f"predictions of shape {y_pred.shape} as probabilities of classes",
            "there is one class only, which softmax gives probability 1 whatever the data",
            "binary_crossentropy with a sigmoid, or one output for each class",
        )


def _check_logits(y_pred: Any, activation: str) -> None:
    for applied in ("softmax", "sigmoid"):
        if is_output_of(applied, y_pred):
            say(
                "activation twice",
                f"{applied} before a loss with from_logits=True",
                f"the loss applies {activation} itself, so that it would be applied to "
                "probabilities, and learning stalls",
                "from_logits=False, or no activation in the last layer",
            )
            return
    if activation == "softmax":
        callback(_check_no_probabilities, y_pred)


def _check_no_probabilities(data: Any) -> None:
    if _are_probabilities(data):
        say(
            "probabilities as logits",
            "probabilities where logits are expected: rows that sum to 1, nothing negative",
            "the loss with from_logits=True applies softmax itself",
            "from_logits=False, or what softmax was applied to",
        )


def _are_probabilities(data: Any) -> bool:
    """Tell whether rows sum to 1 without a negative number; logits do so by chance only."""
    if not data.min() >= 0:
        return False
    return bool(np.abs(np.add.reduce(data, -1) - 1).max() < ROUNDING)


def decides_at(loss: Any) -> float:
    """Return the output at which the second of two classes begins: 1/2, or 0 for logits and hinges.

    Example: >>> from nn.losses import binary_crossentropy, hinge
             >>> decides_at(binary_crossentropy), decides_at(hinge)
             (0.5, 0.0)
    """
    return 0.0 if wants_logits(loss) or name_of(loss) in ("hinge", "squared_hinge") else 0.5


def wants_logits(loss: Any) -> bool:
    """Return whether a loss was chosen with from_logits=True.

    Example: >>> from functools import partial
             >>> wants_logits(partial(print, from_logits=True)), wants_logits(print)
             (True, False)
    """
    return bool(getattr(loss, "keywords", {}).get("from_logits", False))
