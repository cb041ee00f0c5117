"""Classifying, Regressing: from a user's targets to a network's, and from its outputs back."""

from typing import Any

import numpy as np

from autograd_core import DomainError, OptionError

from .base import counted, weights_for
from .borrowed import (
    ClassifierMixin,
    LabelBinarizer,
    RegressorMixin,
    accuracy_score,
    compute_sample_weight,
    r2_score,
    type_of_target,
    unique_labels,
)


class Classifying(ClassifierMixin):  # type: ignore[misc]
    """Classes of any kind in, rows of 0 and 1 to the network, and classes out."""

    _threshold = 0.5  # of a single output, from which on it says the second class

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks about an estimator."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self._takes_many
        return tags

    def predict(self, X: Any) -> Any:
        """Return the class of each sample, (samples,); of several labels, rows of 0 and 1."""
        return self._labels(self._outputs(X))

    def _samples(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        first: bool,
        classes: Any = None,
        is_part: bool = False,
    ) -> tuple[Any, Any, Any]:
        """Return samples, their rows of 0 and 1, one for each output, and their weights."""
        X, y = self._checked(X, y, first)
        _check_classes(self, y)
        weights = self._weights(X, y, sample_weight)
        binarizer = LabelBinarizer().fit(y)
        if classes is not None and not binarizer.y_type_.startswith("multilabel"):
            binarizer.fit(classes)
        if not first:
            binarizer = self._known(classes)
        strange = np.setdiff1d(unique_labels(y), binarizer.classes_)
        if strange.size:
            raise DomainError(
                f"y with {', '.join(map(repr, strange.tolist()))}",
                f"the classes are {', '.join(map(repr, binarizer.classes_.tolist()))}",
                "partial_fit(X, y, classes=all of them) at first, or a new fit",
            )
        missing = np.setdiff1d(binarizer.classes_, unique_labels(y))
        if missing.size and not is_part:
            raise OptionError(
                f"y without {', '.join(map(repr, missing.tolist()))} in a fit with warm_start=True",
                f"the classes are {', '.join(map(repr, binarizer.classes_.tolist()))}",
                "a y with all of them, partial_fit for a part of the data, or warm_start=False",
            )
        rows = binarizer.transform(y).astype(X.dtype)
        self._binarizer, self.classes_ = binarizer, binarizer.classes_
        return counted(X, rows, weights)

    def _weights(self, X: Any, y: Any, sample_weight: Any) -> Any:
        """Return the weights of samples times those of their classes, or None for none."""
        weights = weights_for(X, sample_weight)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, y).astype(X.dtype)
        return by_class if weights is None else weights * by_class

    def _known(self, classes: Any) -> Any:
        """Return the binarizer of the first call.

        Raises: OptionError: other classes than there.
        """
        if classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise OptionError(
                f"classes={list(classes)}",
                f"the first call has said that they are {self.classes_.tolist()}",
                "no classes after the first call, or a new estimator",
            )
        return self._binarizer

    def _check_partial(self, first: bool, classes: Any) -> None:
        """Refuse what a part of the data cannot tell.

        Raises: OptionError: a first call without classes, or class_weight="balanced".
        """
        if first and classes is None:
            raise OptionError(
                "the first partial_fit without classes",
                "its y need not hold all of them, and the network needs an output for each",
                "classes=np.unique(all of y)",
            )
        if isinstance(self.class_weight, str):
            raise OptionError(
                f"class_weight={self.class_weight!r} in partial_fit",
                "a part of the data does not tell how often classes occur in all of it",
                "{class: weight}, with compute_class_weight('balanced', classes=..., y=all of y)",
            )

    def _labels(self, out: Any) -> Any:
        """Return classes of rows: of outputs, or of targets."""
        return self._binarizer.inverse_transform(out, threshold=self._threshold)

    def _judged(self, out: Any, rows: Any, weights: Any) -> float:
        """Return the score of outputs: accuracy."""
        right = accuracy_score(self._labels(rows), self._labels(out), sample_weight=weights)
        return float(right)


def _check_classes(estimator: Any, y: Any) -> None:
    """Refuse targets that are not classes.

    Raises:  DomainError: y is continuous, or has several columns of more than two classes.
    """
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        raise DomainError(
            f"Unknown label type: {kind} y for {type(estimator).__name__}",
            "a classifier learns classes: numbers of classes, text, or rows of 0 and 1",
            "classes; for numbers a regressor, such as as_estimator(model, 'regressor')",
        )


class Probabilistic(Classifying):
    """A classifier whose outputs are probabilities."""

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities, (samples, classes), in the order of `classes_`."""
        out = self._outputs(X)
        return np.hstack([1 - out, out]) if out.shape[1] == 1 else out

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of predict_proba; of a probability of 0 it is -inf."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class Regressing(RegressorMixin):  # type: ignore[misc]
    """Numbers in, one for each output, and numbers out."""

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks about an estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> Any:
        """Return the predictions, (samples,), or (samples, outputs) if there are several."""
        out = self._outputs(X)
        return out[:, 0] if out.shape[1] == 1 else out

    def _samples(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[Any, Any, Any]:
        """Return samples, their targets (samples, outputs) and their weights."""
        X, y = self._checked(X, y, first, y_numeric=True)
        rows = y.reshape(len(y), -1).astype(X.dtype)
        return counted(X, rows, weights_for(X, sample_weight))

    def _judged(self, out: Any, rows: Any, weights: Any) -> float:
        """Return the score of outputs: the coefficient of determination."""
        return float(r2_score(rows, out, sample_weight=weights))


def check_partial(estimator: Any) -> bool:
    """Refuse early_stopping in partial_fit, and return whether this is the first call.

    Raises:  OptionError: early_stopping.
    """
    if estimator.early_stopping:
        raise OptionError(
            "partial_fit with early_stopping=True",
            "it sees a part of the data once: there is nothing to stop",
            "early_stopping=False, or fit",
        )
    return not hasattr(estimator, "model_")
