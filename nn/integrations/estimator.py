"""NetworkEstimator, the base of all estimators; mixins of classifiers and regressors; Rows."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from autograd_core import DomainError, OptionError, ShapeError
from autograd_core.data import Array, Operand, Params, Tree

from ..callbacks import Callback, History
from ..packages import optional
from ..randomness import drawing_from

# What estimators take from scikit-learn, which has no types
PACKAGE = "scikit-learn"

_base = optional("sklearn.base", PACKAGE)
_utils = optional("sklearn.utils", PACKAGE)
_validation = optional("sklearn.utils.validation", PACKAGE)
_metrics = optional("sklearn.metrics", PACKAGE)

Seed: TypeAlias = int | np.random.RandomState | None  # what scikit-learn calls random_state
BaseEstimator: Any = _base.BaseEstimator
ClassifierMixin: Any = _base.ClassifierMixin
RegressorMixin: Any = _base.RegressorMixin
is_classifier = _base.is_classifier
check_random_state = _utils.check_random_state
check_array = _validation.check_array
check_is_fitted = _validation.check_is_fitted
column_or_1d = _validation.column_or_1d
validate_data = _validation.validate_data
accuracy_score = _metrics.accuracy_score
r2_score = _metrics.r2_score
available_if: Callable[[object], Callable[[Any], Any]] = optional(
    "sklearn.utils.metaestimators", PACKAGE
).available_if
compute_class_weight = optional("sklearn.utils.class_weight", PACKAGE).compute_class_weight
compute_sample_weight = optional("sklearn.utils.class_weight", PACKAGE).compute_sample_weight
train_test_split = optional("sklearn.model_selection", PACKAGE).train_test_split
_multiclass = optional("sklearn.utils.multiclass", PACKAGE)
type_of_target = _multiclass.type_of_target
unique_labels = _multiclass.unique_labels
LabelBinarizer = optional("sklearn.preprocessing", PACKAGE).LabelBinarizer
ConvergenceWarning = optional("sklearn.exceptions", PACKAGE).ConvergenceWarning

PREDICTED_AT_ONCE = 256  # samples: matters for speed and memory only
_FLOATS = (np.float64, np.float32)


class NetworkEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn's types are not known
    """An estimator around a model of `nn`, which after `fit` is its attribute `model_`."""

    _accepts: ClassVar[Params] = {"accept_sparse": "csr"}  # as samples
    _takes_many = True  # targets for a sample

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks about an estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = "accept_sparse" in self._accepts
        return tags

    def fit(self, X: Operand, y: Operand, sample_weight: Operand = None) -> Self:
        """Learn from samples X and targets y; return itself.

        Args:    X: array or frame, (samples, ...); of multi-layer perceptrons (samples, features),
                 also sparse.
                 y: (samples,), or (samples, outputs).
                 sample_weight: (samples,), how much each counts.
        Raises:  OptionError: a parameter out of its range, or a model that is none. ShapeError: a
                 model with another number of outputs than y. ValueError: data that do not fit.
        """
        self._check()
        first = not (self.warm_start and hasattr(self, "model_"))
        with self._all_or_nothing():
            self._learn(self._samples(X, y, sample_weight, first), first)
        return self

    def _fit_part(
        self, X: Operand, y: Operand, sample_weight: Operand = None, classes: Operand = None
    ) -> Self:
        """Learn from samples in one pass, and go on from where the last call ended."""
        self._check()
        if getattr(self, "early_stopping", False):
            raise OptionError(
                "partial_fit with early_stopping=True",
                "it is a single pass over a part of the data: there is nothing to stop",
                "early_stopping=False, or fit",
            )
        first = not hasattr(self, "model_")
        with self._all_or_nothing():
            data = self._samples(X, y, sample_weight, first, classes, is_part=True)
            self._learn(data, first, is_part=True)
        return self

    def _check(self) -> None:
        """Refuse parameters that nothing further down looks at."""

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Restore the estimator if the block fails."""
        before = self.__dict__.copy()
        weights = self.model_.state_dict() if "model_" in before else {}
        try:
            yield
        except BaseException:
            self.__dict__ = before
            if weights:
                self.model_.load_state_dict(weights)
            raise

    def _checked(
        self, X: Operand, y: Operand, first: bool, **options: Any
    ) -> tuple[Operand, Array]:
        """Return samples, dense or sparse, and targets, as scikit-learn checks them."""
        options |= {"dtype": _FLOATS, "multi_output": self._takes_many} | self._accepts
        X, y = validate_data(self, X, y, reset=first, **options)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _outputs(self, X: Operand) -> Array:
        """Return the model's outputs for samples of a user: (samples, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False, **self._accepts)
        return self._computed(X)

    def _computed(self, X: Operand) -> Array:
        out = [self.model_.predict(x) for (x,) in Rows((X,), PREDICTED_AT_ONCE)]
        return np.concatenate(out).reshape(X.shape[0], -1)

    def _begin_drawing(self, random_state: np.random.RandomState) -> None:
        """Seed dropout and the like from a copy of a RandomState, which stays as it is."""
        seed = copy.deepcopy(random_state).randint(2**31 - 1)
        self._generator = np.random.default_rng(seed)

    def _train(
        self, data: Iterable[Tree], epochs: int, callbacks: Iterable[Callback], **options: Any
    ) -> History:
        """Return the History of training the model."""
        verbose = 2 * bool(self.verbose)
        with drawing_from(self._generator):
            return self.model_.fit(
                *data, epochs=epochs, callbacks=callbacks, verbose=verbose, **options
            )

    def _finish(self) -> None:
        """Drop the gradients.

        Raises:  DomainError: weights that are no numbers any more.
        """
        self.model_.zero_grad()  # which would be copied and pickled with the estimator
        if not all(np.isfinite(weights).all() for weights in self.model_.state_dict().values()):
            raise DomainError(
                f"weights of {type(self).__name__} that became NaN or inf",
                "training went too far: steps or inputs are too large",
                "StandardScaler() before it in a Pipeline, or a lower learning rate",
            )


class Classifying(ClassifierMixin):  # type: ignore[misc]
    """Classes of any kind as rows of 0 and 1 for the network, and outputs as classes."""

    _threshold = 0.5  # of a single output, above which it predicts the second class

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks about an estimator."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self._takes_many
        return tags

    def predict(self, X: Operand) -> Array:
        """Return the class of each sample, (samples,); of several labels, rows of 0 and 1."""
        return self._labels(self._outputs(X))

    def _samples(
        self,
        X: Operand,
        y: Operand,
        sample_weight: Operand,
        first: bool,
        classes: Operand = None,
        is_part: bool = False,
    ) -> tuple[Operand, Array, Array | None]:
        """Return samples, their rows of 0 and 1, one for each output, and their weights.

        Raises:  DomainError: y is continuous, has several columns of more than two classes, or a
                 class that the estimator does not know. OptionError: y lacks one.
        """
        if is_part:
            self._check_part(first, classes)
        X, y = self._checked(X, y, first)
        kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            raise DomainError(
                f"Unknown label type: {kind} y for {type(self).__name__}",
                "a classifier learns classes: numbers of classes, text, or rows of 0 and 1",
                "classes; for numbers a regressor, such as as_estimator(model, 'regressor')",
            )
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

    def _weights(self, X: Operand, y: Operand, sample_weight: Operand) -> Array | None:
        """Return the weights of samples times those of their classes, or None for none."""
        weights = weights_for(X, sample_weight)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, y).astype(X.dtype)
        return by_class if weights is None else weights * by_class

    def _known(self, classes: Operand) -> Array:
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

    def _check_part(self, first: bool, classes: Operand) -> None:
        """Refuse options that need all of the data.

        Raises: OptionError: a first call without classes, or class_weight="balanced".
        """
        if first and classes is None:
            raise OptionError(
                "the first partial_fit without classes",
                "its y may lack some of them, and the network needs an output for each",
                "classes=np.unique(all of y)",
            )
        if isinstance(self.class_weight, str):
            raise OptionError(
                f"class_weight={self.class_weight!r} in partial_fit",
                "the frequencies of classes in a part of the data may differ from those in all",
                "{class: weight}, with compute_class_weight('balanced', classes=..., y=all of y)",
            )

    def _labels(self, out: Operand) -> Array:
        """Return classes of rows: of outputs, or of targets."""
        return self._binarizer.inverse_transform(out, threshold=self._threshold)

    def _judged(self, out: Operand, rows: Array, weights: Operand) -> float:
        """Return the score of outputs: accuracy."""
        right = accuracy_score(self._labels(rows), self._labels(out), sample_weight=weights)
        return float(right)


class Probabilistic(Classifying):
    """A classifier whose outputs are probabilities."""

    def partial_fit(
        self, X: Operand, y: Operand, sample_weight: Operand = None, classes: Operand = None
    ) -> Self:
        """Learn from samples in one pass, and go on from where the last call ended.

        Args:    X, y, sample_weight: as in `fit`.
                 classes: all there are; needed in the first call, y may lack some.
        Raises:  OptionError: as in `fit`; no classes at first, or other ones later;
                 early_stopping, or class_weight="balanced". DomainError: a class not among them.
        """
        return self._fit_part(X, y, sample_weight, classes)

    def predict_proba(self, X: Operand) -> Array:
        """Return probabilities, (samples, classes), in the order of `classes_`."""
        out = self._outputs(X)
        return np.hstack([1 - out, out]) if out.shape[1] == 1 else out

    def predict_log_proba(self, X: Operand) -> Array:
        """Return the logarithm of predict_proba; of a probability of 0 it is -inf."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class Regressing(RegressorMixin):  # type: ignore[misc]
    """Numbers as targets, one for each output."""

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks about an estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Operand) -> Array:
        """Return the predictions, (samples,), or (samples, outputs) if there are several."""
        out = self._outputs(X)
        return out[:, 0] if out.shape[1] == 1 else out

    def partial_fit(self, X: Operand, y: Operand, sample_weight: Operand = None) -> Self:
        """Learn from samples in one pass, and go on from where the last call ended.

        Args:    X, y, sample_weight: as in `fit`.
        Raises:  OptionError: as in `fit`, or early_stopping.
        """
        return self._fit_part(X, y, sample_weight)

    def _samples(
        self, X: Operand, y: Operand, sample_weight: Operand, first: bool, *_: object, **part: Any
    ) -> tuple[Operand, Array, Array | None]:
        """Return samples, their targets (samples, outputs) and their weights."""
        X, y = self._checked(X, y, first, y_numeric=True)
        rows = y.reshape(len(y), -1).astype(X.dtype)
        return counted(X, rows, weights_for(X, sample_weight))

    def _judged(self, out: Operand, rows: Array, weights: Operand) -> float:
        """Return the score of outputs: the coefficient of determination."""
        return float(r2_score(rows, out, sample_weight=weights))


def check_kept(estimator: NetworkEstimator, kept: Params) -> None:
    """Refuse parameters that have changed since the model was made, which would have no effect.

    Raises:  OptionError: one of them is another one than in `kept`.
    """
    for name, value in kept.items():
        given = getattr(estimator, name)
        is_plain = isinstance(given, str | int | float | tuple)
        if given is not value and not (is_plain and given == value):
            raise OptionError(
                f"{name}={given!r} after training with {value!r}",
                "training continues with the present model",
                f"the same {name}, or warm_start=False; a new estimator for partial_fit",
            )


def weights_for(X: Operand, sample_weight: Operand) -> Array | None:
    """Return one weight for each sample, or None for none.

    Raises:  ShapeError: another shape. DomainError: negative ones, or all are zero.
    """
    if sample_weight is None:
        return None
    weights = check_array(sample_weight, ensure_2d=False, dtype=X.dtype, input_name="sample_weight")
    if weights.shape != (X.shape[0],):
        raise ShapeError(
            f"sample_weight of shape {weights.shape} for {X.shape[0]} samples",
            "each sample has one weight",
            f"an array of shape ({X.shape[0]},)",
        )
    if weights.min() < 0 or not weights.any():
        raise DomainError(
            "sample_weight with negative numbers" if weights.any() else "zero as every weight",
            "a weight is how often a sample counts, and some must count",
            "weights from 0, one of them at least above zero",
        )
    return weights


def counted(X: Operand, rows: Array, weights: Operand) -> tuple[Operand, Array, Array | None]:
    """Return samples, targets and weights without those of weight 0."""
    if weights is None or weights.all():
        return X, rows, weights
    counts = weights != 0
    return X[counts], rows[counts], weights[counts]


class Rows:
    """Batches for as many passes as wanted, each made dense when its turn comes.

    Args:    parts: arrays or sparse matrices of equal length, or None, which is left out.
             batch_size: samples in a batch; the last one may be smaller.
             random_state: a RandomState, which for each pass shuffles the order of the last one;
             None: as they are.
    Example: >>> rows = Rows((np.arange(5), None), 2, np.random.RandomState(0))
             >>> [x.tolist() for (x,) in rows], [x.tolist() for (x,) in rows]
             ([[2, 0], [1, 3], [4]], [[2, 1], [0, 4], [3]])
    """

    def __init__(
        self,
        parts: tuple[Operand, ...],
        batch_size: int,
        random_state: np.random.RandomState | None = None,
    ) -> None:
        self.parts = tuple(part for part in parts if part is not None)
        self.batch_size = batch_size
        self.random_state = random_state
        self._order = np.arange(self.parts[0].shape[0])

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self.batch_size)

    def __iter__(self) -> Iterator[Tree]:
        if self.random_state is not None:
            self._order = self._order[self.random_state.permutation(len(self._order))]
        for start in range(0, len(self._order), self.batch_size):
            here: Any = slice(start, start + self.batch_size)
            here = here if self.random_state is None else self._order[here]
            taken = [part[here] for part in self.parts]
            yield tuple(part.toarray() if hasattr(part, "toarray") else part for part in taken)
