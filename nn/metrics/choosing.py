"""Metrics of a model: by their names in its history, and for the outputs its loss expects."""

import itertools
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from autograd_core import OptionError

from ..configuration import choose, name_of, takes
from ..losses import categorical_crossentropy, sparse_categorical_crossentropy
from ..losses.outputs import decides_at, wants_logits
from .accuracies import accuracy, binary_accuracy
from .retrieval import f1_score, precision, recall

_BY_THRESHOLD = (accuracy, binary_accuracy, precision, recall, f1_score)
_OF_CLASSES = (categorical_crossentropy, sparse_categorical_crossentropy)
_TAKEN = ("loss", "epoch", "learning_rate")  # names that the history has already


def chosen(given: Iterable[Any] | None, known: Mapping[str, Any], loss: Any) -> dict[str, Any]:
    """Return metrics by the names that they have in the history; a second precision: precision_1.

    Args:    given: names or functions; None: none.
             known: metrics by name.
             loss: the model's. Where it expects logits, metrics that compare with a threshold
             compare with 0, and those with an option from_logits have it set.
    Raises:  OptionError: no list, an unknown name, no function, a name that the history has
             already, or a threshold of probabilities where the loss takes logits of classes.
    """
    if given is None:
        return {}
    if isinstance(given, str | Mapping) or callable(given) or not isinstance(given, Iterable):
        raise OptionError(f"metrics = {given!r}", "there can be several", f"metrics=[{given!r}]")
    found: dict[str, Any] = {}
    for metric in given:
        function = choose("metric", known, metric)
        name = metric if isinstance(metric, str) else name_of(metric)
        _check(name, function)
        names = itertools.chain([name], (f"{name}_{i}" for i in itertools.count(1)))
        free = next(each for each in names if each not in found)
        found[free] = _for_outputs(function, loss)
    return found


def _check(name: str, function: Any) -> None:
    if not callable(function):
        raise OptionError(
            f"{function!r} as a metric",
            "it is no function",
            "a name, or def metric(y_true, y_pred)",
        )
    if name in _TAKEN or name.startswith("val_"):
        raise OptionError(
            f"a metric of the name {name!r}",
            "the history has another figure of this name",
            "a function of another name",
        )


def _for_outputs(metric: Any, loss: Any) -> Any:
    """Return a metric for the outputs that a loss expects; options that were given stay."""
    kind = metric.func if isinstance(metric, partial) else metric
    options = metric.keywords if isinstance(metric, partial) else {}
    if wants_logits(loss) and "from_logits" not in options and takes(kind, "from_logits"):
        return partial(metric, from_logits=True)
    threshold = decides_at(loss)
    is_by_class = options.get("average", "binary") != "binary"  # by the largest, of any outputs
    if threshold == 0.5 or kind not in _BY_THRESHOLD or "threshold" in options or is_by_class:
        return metric
    of_classes = getattr(loss, "func", loss) in _OF_CLASSES
    if of_classes and kind is not accuracy:
        raise OptionError(
            f"the metric {name_of(metric)} of logits of classes",
            "it compares probabilities with 1/2, and the outputs are logits",
            f"softmax as last activation, or a threshold: partial(nn.metrics.{kind.__name__},"
            " threshold=...)"
            + ("" if kind is binary_accuracy else "; or average='macro' for the largest output"),
        )
    return partial(metric, threshold=threshold)
