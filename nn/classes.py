"""Classes of targets: their weights in the loss, and which of them training has seen."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core import OptionError

from .configuration import name_of
from .mistakes import warn

# By what a loss compares predictions with: numbers of classes, rows of them, one of two classes
_NUMBERED = ("sparse_categorical_crossentropy",)
_IN_ROWS = ("categorical_crossentropy", "categorical_hinge", "kl_divergence")
_OF_TWO = ("binary_crossentropy", "hinge", "squared_hinge")
_SHARE = 0.05  # of validation samples with classes that training lacks, from which on to warn


def labels_of(y: Any, loss: Any) -> Any:
    """Return the number of the class of each sample, or of each step of it.

    Args:    y: array, numbers of classes (samples,), (samples, 1), (samples, steps) or (samples,
             steps, 1); or rows of them, one-hot, (samples, classes) or (samples, steps, classes).
             loss: function that takes them, whose name decides between steps and rows.
    Raises:  OptionError: rows of 0 and 1 that may be either.
    Example: >>> from nn.losses import categorical_crossentropy, sparse_categorical_crossentropy
             >>> y = np.array([[0, 1, 0], [1, 0, 0]])
             >>> labels_of(y, categorical_crossentropy)
             array([1, 0])
             >>> labels_of(y, sparse_categorical_crossentropy).shape
             (2, 3)
    """
    if y.ndim > 1 and y.shape[-1] == 1:
        return y[..., 0]
    name = name_of(loss)
    if y.ndim == 1 or name in _NUMBERED:
        return y
    is_one_hot = bool(((y == 0) | (y == 1)).all() and (y.sum(axis=-1) == 1).all())
    if is_one_hot and name in _OF_TWO:
        raise OptionError(
            f"class_weight with targets of shape {y.shape} for {name}",
            "each row holds a single 1: it may be one class in a row, or steps of two classes",
            "sample_weight, (samples,) or (samples, steps); or categorical_crossentropy",
        )
    return y.argmax(axis=-1) if is_one_hot or name in _IN_ROWS else y


def class_weights(y: Any, given: Any, loss: Any) -> Any:
    """Return one weight for each sample, or each step of it: that of its class.

    Args:    y: array of targets, see `labels_of`.
             given: {class: weight}, where classes that are not named have weight 1; a list with a
             weight for each class; or "balanced": samples / (classes * samples of the class).
             loss: see `labels_of`.
    Raises:  OptionError: targets that are no classes; something else than weights; a list without
             some class; "balanced" for steps, some of which may be padding.
    Example: >>> from nn.losses import binary_crossentropy
             >>> class_weights(np.array([0, 1, 1, 1]), "balanced", binary_crossentropy)
             array([2.        , 0.66666667, 0.66666667, 0.66666667])
    """
    labels = labels_of(y, loss)
    if not np.array_equal(labels, np.round(labels)):
        raise OptionError(
            "class_weight for targets that are not whole numbers",
            "it weighs classes, and these are none",
            "sample_weight, one number for each sample",
        )
    classes, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if isinstance(given, str) and given == "balanced" and labels.ndim == 1:
        return (labels.size / (len(classes) * counts))[place]
    weights = _by_class(given, classes, labels)
    strange = [key for key in weights if key not in classes.tolist()]
    if strange and isinstance(given, Mapping):
        warn(
            "class weights",
            f"class_weight of {', '.join(map(repr, strange))}",
            f"the targets have the classes {_listed(classes)}, so that it weighs nothing",
            "the numbers of the classes, {0: 1.0, 1: 5.0}",
        )
    found = np.array([float(weights.get(c, 1.0)) for c in classes.tolist()])
    return found[place].reshape(labels.shape)


def _by_class(given: Any, classes: Any, labels: Any) -> dict[Any, Any]:
    weights = None
    if isinstance(given, Mapping):
        weights = dict(given)
    elif isinstance(given, list | tuple | np.ndarray):
        weights = dict(enumerate(given))
    numbers = weights is not None and all(
        isinstance(w, int | float | np.number) and 0 <= w < np.inf for w in weights.values()
    )
    if weights is None or not numbers:
        is_of_steps = isinstance(given, str) and labels.ndim > 1
        raise OptionError(
            f"class_weight={given!r}",
            "steps of sequences may be padding, which does not count"
            if is_of_steps
            else "each class has a weight, a number from 0",
            "{0: 1.0, 1: 5.0}" if is_of_steps else "{0: 1.0, 1: 5.0}, [1.0, 5.0] or 'balanced'",
        )
    missing = [c for c in classes.tolist() if c not in weights]
    if missing and not isinstance(given, Mapping):
        raise OptionError(
            f"class_weight={given!r}",
            f"a list has a weight for each class, and lacks {_listed(missing)}",
            f"{int(max(classes)) + 1} weights, or {{class: weight}}",
        )
    return weights


def _listed(classes: Any) -> str:
    shown = [f"{c:g}" for c in list(classes)[:10]]
    return ", ".join(shown) + (", ..." if len(classes) > 10 else "")


def times(by_class: Any, sample_weight: Any) -> Any:
    """Return class weights times sample weights (samples,), (samples, steps) or with a last 1."""
    if sample_weight is None:
        return by_class
    weights = np.asarray(sample_weight)
    if weights.ndim > by_class.ndim and weights.shape[-1] == 1:
        weights = weights[..., 0]
    return by_class * weights.reshape(weights.shape + (1,) * (by_class.ndim - weights.ndim))


def check_classes(y: Any, held_out: Any, loss: Any) -> None:
    """Warn if validation samples are of classes of which training has no sample."""
    if name_of(loss) not in (*_NUMBERED, *_IN_ROWS, *_OF_TWO):
        return
    if max(y.ndim, held_out.ndim) > 1 and name_of(loss) not in _IN_ROWS and y.shape[-1] != 1:
        return  # steps, such as words, of which some are always new
    labels, others = labels_of(y, loss), labels_of(held_out, loss)
    if labels.ndim > 1 or not np.array_equal(labels, np.round(labels)):
        return
    is_new = ~np.isin(others, labels)
    if is_new.mean() > _SHARE:
        warn(
            "new classes",
            f"validation samples of class {_listed(np.unique(others[is_new]))}",
            f"training has only samples of class {_listed(np.unique(labels))}",
            "x and y in random order before validation_split, which takes the last samples",
        )
