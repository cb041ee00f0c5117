"""The names that estimators take from scikit-learn; Rows: batches in its order of samples."""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from autograd_core.data import Operand, Tree

from ..packages import optional

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
