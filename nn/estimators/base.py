"""NetworkEstimator: what all estimators have in common.

Methods and arguments have scikit-learn's names, the capital X among them.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from autograd_core import DomainError, OptionError, ShapeError

from ..randomness import drawing_from
from .borrowed import (
    BaseEstimator,
    check_array,
    check_is_fitted,
    column_or_1d,
    validate_data,
)
from .rows import Rows

PREDICTED_AT_ONCE = 256  # samples: matters for speed and memory only
_FLOATS = (np.float64, np.float32)


class NetworkEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn's types are not known
    """An estimator around a model of `nn`, which after `fit` is its attribute `model_`."""

    _accepts: ClassVar[dict[str, Any]] = {"accept_sparse": "csr"}  # as samples
    _takes_many = True  # targets for a sample

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks about an estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = "accept_sparse" in self._accepts
        return tags

    def _goes_on(self) -> bool:
        return bool(self.warm_start) and hasattr(self, "model_")

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Leave the estimator as it was before, if what is done in this block fails."""
        before = self.__dict__.copy()
        weights = self.model_.state_dict() if "model_" in before else {}
        try:
            yield
        except BaseException:
            self.__dict__ = before
            if weights:
                self.model_.load_state_dict(weights)
            raise

    def _checked(self, X: Any, y: Any, first: bool, **options: Any) -> tuple[Any, Any]:
        """Return samples, dense or sparse, and targets, as scikit-learn checks them."""
        options |= {"dtype": _FLOATS, "multi_output": self._takes_many} | self._accepts
        X, y = validate_data(self, X, y, reset=first, **options)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _outputs(self, X: Any) -> Any:
        """Return the model's outputs for samples of a user: (samples, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False, **self._accepts)
        return self._computed(X)

    def _computed(self, X: Any) -> Any:
        out = [self.model_.predict(x) for (x,) in Rows((X,), PREDICTED_AT_ONCE)]
        return np.concatenate(out).reshape(X.shape[0], -1)

    def _begin_drawing(self, random_state: Any) -> None:
        """Set the generator of dropout and the like, without drawing from a RandomState itself."""
        seed = copy.deepcopy(random_state).randint(2**31 - 1)
        self._generator = np.random.default_rng(seed)

    def _train(self, data: Any, epochs: int, callbacks: Any, **options: Any) -> Any:
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
        self.model_.zero_grad()  # what was learnt is in the weights: gradients need no place
        if not all(np.isfinite(weights).all() for weights in self.model_.state_dict().values()):
            raise DomainError(
                f"weights of {type(self).__name__} that became NaN or inf",
                "training went too far: steps or inputs are too large",
                "StandardScaler() before it in a Pipeline, or a lower learning rate",
            )


def check_kept(estimator: Any, kept: dict[str, Any]) -> None:
    """Refuse parameters that have changed since the model was made, and that it would not follow.

    Raises:  OptionError: one of them is another one than in `kept`.
    """
    for name, value in kept.items():
        given = getattr(estimator, name)
        is_plain = isinstance(given, str | int | float | tuple)
        if given is not value and not (is_plain and given == value):
            raise OptionError(
                f"{name}={given!r} after training with {value!r}",
                "training goes on with the model that is there",
                f"the same {name}, or warm_start=False; a new estimator for partial_fit",
            )


def weights_for(X: Any, sample_weight: Any) -> Any:
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
            "a weight says how often a sample counts, and some must count",
            "weights from 0, one of them at least above zero",
        )
    return weights


def counted(X: Any, rows: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Return samples, targets and weights without those whose weight is 0: as if not there."""
    if weights is None or weights.all():
        return X, rows, weights
    counts = weights != 0
    return X[counts], rows[counts], weights[counts]
