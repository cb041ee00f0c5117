"""Targets and predictions: their shapes, class numbers, labels of two classes, probabilities."""

from functools import partial

import numpy as np

from autograd_core import OptionError, ShapeError, Value, callback, log_softmax
from autograd_core.data import Array, Operand, Result

from .mistakes import warn

# Keras's: probabilities are held this far from 0 and 1 before their logarithm is taken
EPSILON = 1e-7
# How far from 1 the sum of probabilities may be by rounding alone, and written with two digits
ROUNDING, _COARSE = 1e-3, 0.05


def as_numbers(x: Operand) -> Result:
    """Return a Value, or an array of float32 or float64, as it is; anything else as such an array.

    Raises: DataError: it is not real numbers.
    """
    if isinstance(x, Value) or (isinstance(x, np.ndarray) and x.dtype.char in "fd"):
        return x
    return np.asarray(Value(x).data)


def plain(x: Operand) -> Result:
    """Return the numbers of a Value, or an array as it is: for checks, which need no derivative."""
    return np.asarray(x.data) if isinstance(x, Value) else x


def pair(y_true: Operand, y_pred: Operand, warns: bool = True) -> tuple[Operand, Operand]:
    """Return targets and predictions in one shape and type, the predictions'.

    Args:    warns: that (n,) and (n, 1) would broadcast where a loss is written by hand.
    Raises: ShapeError: the shapes differ by more than a column, or there is no sample.
    """
    check_order(y_true, y_pred)
    y_true, y_pred = as_numbers(y_true), as_numbers(y_pred)
    if y_true.shape != y_pred.shape:
        y_true = _row_with_row(y_true, y_pred, warns)
    require_samples(y_pred)
    return in_type_of(y_pred, y_true), y_pred


def check_order(y_true: Operand, y_pred: Operand) -> None:
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


def in_type_of(y_pred: Operand, y_true: Operand) -> Result:
    """Return the targets in the predictions' type, so that float32 stays float32."""
    return y_true if y_true.dtype == y_pred.dtype else y_true.astype(y_pred.dtype)


def require_samples(y_pred: Operand) -> None:
    """Refuse data without any number.

    Raises: ShapeError: one axis has length 0.
    """
    if 0 in y_pred.shape:
        raise ShapeError(
            f"predictions of shape {y_pred.shape}",
            "there is no sample to judge them by",
            "at least one row of targets and predictions",
        )


def _row_with_row(y_true: Operand, y_pred: Operand, warns: bool) -> Result:
    """Return targets (n,) as a column, or a column as (n,), as the predictions are."""
    given, wanted = y_true.shape, y_pred.shape
    n = wanted[0] if wanted else 0
    if {given, wanted} != {(n,), (n, 1)}:
        raise ShapeError(
            f"targets of shape {given} for predictions of shape {wanted}",
            "each prediction is compared with its own target",
            "y_true[..., None]" if (*given, 1) == wanted else f"targets of shape {wanted}",
        )
    if n > 1 and warns:
        warn(
            "broadcast",
            f"targets of shape {given} for predictions of shape {wanted}",
            f"written as y_true - y_pred they would broadcast to ({n}, {n}), "
            "every target with every prediction; here, row was paired with row",
            "y_true[:, None], or a model with outputs of shape (n,)"
            if len(given) == 1
            else "y_true[:, 0], or a model with outputs of shape (n, 1)",
        )
    return y_true.reshape(wanted)


def with_classes(y_pred: Operand) -> Result:
    """Return predictions (batch, ..., classes) as numbers.

    Raises: ShapeError: there is no axis of classes, or no sample.
    """
    y_pred = as_numbers(y_pred)
    if len(y_pred.shape) < 2:
        raise ShapeError(
            f"predictions of shape {y_pred.shape}",
            "each sample needs a row of its own, with one number for each class",
            "predictions of shape (batch, classes); y_pred[None] for one sample",
        )
    require_samples(y_pred)
    return y_pred


def pair_of_rows(y_true: Operand, y_pred: Operand) -> tuple[Operand, Operand]:
    """Return targets and predictions, both (batch, ..., classes), in the predictions' type.

    Raises: ShapeError: the shapes differ, or have no axis of classes, or no sample.
    """
    check_order(y_true, y_pred)
    y_true, y_pred = as_numbers(y_true), with_classes(y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            f"targets of shape {y_true.shape} for predictions of shape {y_pred.shape}",
            "targets need a row for each sample, with one number for each class",
            "np.eye(classes)[y_true] of class numbers, or the form named sparse_..., "
            "which takes class numbers",
        )
    return in_type_of(y_pred, y_true), y_pred


def check_rows(y_true: Operand) -> None:
    """Warn if the rows of the targets do not sum to 1."""
    callback(_check_rows, y_true)


def _check_rows(data: Operand) -> None:
    if np.abs(np.add.reduce(data, -1) - 1).max() > ROUNDING:
        warn(
            "target rows",
            "targets whose rows do not sum to 1",
            "each row holds the probabilities of the classes, most often one 1 and else 0",
            "np.eye(classes)[labels]; binary_crossentropy if several classes may hold at once",
        )


def check_binary(y_true: Operand) -> None:
    """Warn if targets lie outside 0 and 1."""
    callback(_check_binary, y_true)


def _check_binary(data: Operand) -> None:
    data = np.asarray(data)
    if data.min() < 0 or data.max() > 1:
        warn(
            "binary targets",
            f"targets from {data.min():g} to {data.max():g} for two classes",
            "a target is the probability of the second class, from 0 to 1",
            "y_true / 255"
            if data.min() >= 0 and data.max() == 255
            else "(y_true + 1) / 2 of labels -1 and 1, or the loss hinge, which takes them as they "
            "are",
        )


def are_signs(data: Operand) -> bool:
    """Return whether plain labels of two classes are -1 and 1.

    Example: >>> are_signs(np.array([-1, 1, 1])), are_signs(np.array([0, 1, 1]))
             (True, False)
    """
    return bool(np.min(data) == -1 and (np.abs(data) == 1).all())


def threshold_of(y_true: Operand, y_pred: Operand) -> float:
    """Return where plain predictions of two classes change sides: 0 for scores of labels -1 and 1.

    Example: >>> labels = np.array([-1, 1])
             >>> threshold_of(labels, np.array([-0.5, 0.4])), threshold_of(labels, np.array([0, 1]))
             (0.0, 0.5)
    """
    are_scores = y_pred.min() < 0 or y_pred.max() > 1
    return 0.0 if are_scores and are_signs(y_true) else 0.5


def signs(y_true: Operand) -> Result:
    """Return labels of two classes as -1 and 1; 0 and 1 become those, as in Keras."""
    callback(_check_signs, y_true)
    zero_or_one = np.min((y_true == 0) | (y_true == 1))
    return np.where(zero_or_one, 2 * y_true - 1, y_true)


def _check_signs(data: Operand) -> None:
    is_zero, size = np.equal(data, 0), np.abs(data)
    if not (is_zero | (size == 1) | np.not_equal(data, data)).all():
        warn(
            "hinge labels",
            f"labels as large as {np.nanmax(size):g} for a hinge loss",
            "it takes the labels -1 and 1, or 0 and 1",
            "np.where(y_true == positive, 1, -1)",
        )


def class_numbers(y_true: Operand, y_pred: Operand) -> tuple[Array, Operand]:
    """Return the class of each sample, and a mask of those that have one (None: all have).

    Args:    y_true: (batch, ...) or (batch, ..., 1), whole numbers from 0.
             y_pred: (batch, ..., classes).
    Raises:  ShapeError: another shape.
    """
    is_whole = isinstance(y_true, np.ndarray) and y_true.dtype.kind in "iu"
    labels = y_true if is_whole else as_numbers(y_true)
    *samples, classes = y_pred.shape
    if labels.shape == (*samples, 1):
        labels = labels[..., 0]
    if labels.shape != tuple(samples):
        raise ShapeError(
            f"class numbers of shape {labels.shape} for predictions of shape {y_pred.shape}",
            "each sample has one label, the number of its class",
            f"labels of shape {tuple(samples)}"
            + ("; y_true.argmax(-1) of one-hot rows" if labels.shape == y_pred.shape else ""),
        )
    callback(partial(_check_labels, classes), labels)
    if isinstance(labels, Value):  # a program serves labels of all kinds
        has_class = (labels >= 0) & (labels < classes) & (labels == np.floor(labels))
        return np.where(has_class, labels, 0.0), has_class
    with np.errstate(invalid="ignore"):  # NaN is no class
        whole = labels if is_whole else labels.astype(np.intp)
    if whole.min() >= 0 and whole.max() < classes and (is_whole or (whole == labels).all()):
        return whole, None
    has_class = (whole == labels) & (whole >= 0) & (whole < classes)
    return np.where(has_class, whole, 0), has_class


def _check_labels(classes: int, labels: Operand) -> None:
    has_class = (labels >= 0) & (labels < classes) & (labels == np.floor(labels))
    if np.all(has_class):
        return
    first = np.asarray(labels)[~np.asarray(has_class)][0]
    warn(
        "labels outside the classes",
        f"{np.sum(~has_class)} of {np.size(labels)} labels outside the classes, the first "
        f"{first:g}",
        f"the predictions have classes 0 to {classes - 1}; a label outside them counts 0",
        f"whole labels from 0 to {classes - 1}, or a last layer of more units; "
        "sample_weight=0 leaves a sample out",
    )


def is_output_of(activation: str, y_pred: Operand) -> bool:
    """Return whether predictions are the direct result of sigmoid, or of softmax by last axis."""
    primitive = y_pred.primitive if isinstance(y_pred, Value) else None
    if primitive is None or primitive.table_name != activation:
        return False
    return (y_pred.params or {}).get("axis", -1) in (-1, len(y_pred.shape) - 1)


def logits_of(y_pred: Operand, activation: str, from_logits: bool) -> Result:
    """Return what the activation was, or will be, applied to; None if that is not known.

    An output that saturates has lost what its logit was: at exactly 0 or 1 a clipped logarithm
    has no gradient left. The activation's own input still has it, so the loss is computed from
    there, and the gradient goes straight to it.
    """
    if from_logits:
        _check_logits(y_pred, activation)
        return y_pred
    return y_pred.inputs[0] if is_output_of(activation, y_pred) else None


def log_probabilities(y_pred: Operand, from_logits: bool) -> Result:
    """Return the logarithm of each class's probability, (batch, ..., classes)."""
    _check_several(y_pred)
    logits = logits_of(y_pred, "softmax", from_logits)
    if logits is not None:
        return log_softmax(logits)
    check_probabilities(y_pred, of_classes=True)
    y_pred = y_pred / np.sum(y_pred, -1, keepdims=True)
    return np.log(np.clip(y_pred, EPSILON, 1 - EPSILON))


def check_probabilities(y_pred: Operand, of_classes: bool) -> None:
    """Warn if numbers lie outside 0 and 1, or rows of classes do not sum to 1."""
    callback(partial(_check_probabilities, of_classes), y_pred)


def _check_probabilities(of_classes: bool, data: Operand) -> None:
    data = np.asarray(data)
    low, high = data.min(), data.max()
    if low < -ROUNDING or high > 1 + ROUNDING:
        warn(
            "logits as probabilities",
            f"predictions from {low:g} to {high:g} where probabilities are expected",
            "probabilities lie between 0 and 1; these are logits, or another model's outputs",
            "from_logits=True if the loss has it, or softmax or sigmoid as last activation",
        )
    elif of_classes and np.abs(np.add.reduce(data, -1) - 1).max() > _COARSE:
        warn(
            "rows of probabilities",
            "predictions whose rows do not sum to 1 where probabilities are expected",
            "the classes exclude each other, so that their probabilities sum to 1",
            "softmax as last activation; binary_crossentropy if several classes may hold at once",
        )


def _check_several(y_pred: Operand) -> None:
    if y_pred.shape[-1] == 1:
        warn(
            "one class",
            f"predictions of shape {y_pred.shape} as probabilities of classes",
            "there is one class only, which softmax gives probability 1 whatever the data",
            "binary_crossentropy with a sigmoid, or one output for each class",
        )


def _check_logits(y_pred: Operand, activation: str) -> None:
    for applied in ("softmax", "sigmoid"):
        if is_output_of(applied, y_pred):
            warn(
                "activation twice",
                f"{applied} before a loss with from_logits=True",
                f"the loss applies {activation} itself, so that it would be applied to "
                "probabilities, and learning stalls",
                "from_logits=False, or no activation in the last layer",
            )
            return
    if activation == "softmax":
        callback(_check_no_probabilities, y_pred)


def _check_no_probabilities(data: Operand) -> None:
    if _are_probabilities(data):
        warn(
            "probabilities as logits",
            "probabilities where logits are expected: rows that sum to 1, nothing negative",
            "the loss with from_logits=True applies softmax itself",
            "from_logits=False, or what softmax was applied to",
        )


def _are_probabilities(data: Operand) -> bool:
    """Return whether rows sum to 1 without a negative number; logits do so by chance only."""
    if not data.min() >= 0:
        return False
    return bool(np.abs(np.add.reduce(data, -1) - 1).max() < ROUNDING)
