"""Networks as scikit-learn's estimators: in Pipeline, GridSearchCV, cross_val_score and the rest.

- MLPClassifier, MLPRegressor: scikit-learn's, with dropout, class weights, callbacks and any loss
- PerceptronClassifier: its Perceptron, the rule of 1958
- as_estimator: any model of `nn`, as a NetworkClassifier or a NetworkRegressor

`import nn` leaves scikit-learn alone; this package, which needs it, is imported by its name.
"""

from .integrations.mlp import MLPClassifier, MLPRegressor
from .integrations.perceptron import PerceptronClassifier
from .integrations.wrapped import NetworkClassifier, NetworkRegressor, as_estimator

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
    "PerceptronClassifier",
    "as_estimator",
]
