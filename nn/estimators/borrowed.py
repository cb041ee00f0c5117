"""What the estimators take from scikit-learn; where it is missing, the error says how to get it."""

from collections.abc import Callable
from typing import Any

from ..optional import optional

PACKAGE = "scikit-learn"

_base = optional("sklearn.base", PACKAGE)
_utils = optional("sklearn.utils", PACKAGE)
_validation = optional("sklearn.utils.validation", PACKAGE)
_metrics = optional("sklearn.metrics", PACKAGE)

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
available_if: Callable[[Any], Callable[[Any], Any]] = optional(
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
