"""MLPClassifier, MLPRegressor: scikit-learn's multi-layer perceptrons, on the layers of `nn`."""

from dataclasses import KW_ONLY, dataclass
from typing import Any

from autograd_core import DomainError

from ..configuration import choose
from ..losses import BY_NAME as LOSSES
from ..losses import (
    binary_crossentropy,
    categorical_crossentropy,
    half_mean_squared_error,
    sparse_categorical_crossentropy,
)
from .borrowed import available_if
from .multilayer import MultilayerPerceptron, is_stochastic
from .objective import half_poisson_deviance
from .targets import Probabilistic, Regressing, check_partial

_OF_CLASSES = (categorical_crossentropy, sparse_categorical_crossentropy)


@dataclass(eq=False, repr=False)
class MLPClassifier(Probabilistic, MultilayerPerceptron):
    """A multi-layer perceptron that tells classes, or several labels at once.

    Parameters and attributes have scikit-learn's names and meanings, `dropout`, `class_weight`,
    `callbacks` and `loss` come on top. The same random_state gives the same weights to start
    from, and the same batches: what follows equals scikit-learn's up to rounding.

    Args:    hidden_layer_sizes: units of each hidden layer.
             activation: of these: "identity", "logistic", "tanh", "relu", or see nn.activations.
             solver: "adam", "sgd", or "lbfgs", which SciPy has and which takes all samples at once.
             alpha: factor of the squared weights, see Objective.
             batch_size: "auto": 200, or all if they are fewer.
             learning_rate: of sgd: "constant"; "invscaling": learning_rate_init / (t + 1)^power_t
             after t samples; "adaptive": divided by 5 where training would stop.
             learning_rate_init, power_t: see there.
             max_iter: the most epochs, or iterations of lbfgs.
             shuffle: take samples in a new order in each epoch.
             random_state: a number or RandomState, which weights, order and split come from.
             tol, n_iter_no_change: stop when the loss has not fallen by tol, or the validation
             score risen, for more than so many epochs. lbfgs: the largest gradient to stop at.
             verbose: say the figures of each epoch.
             warm_start: let fit go on from the weights that are there.
             momentum, nesterovs_momentum: of sgd.
             early_stopping: hold validation_fraction of the samples out, stop by the score on
             them, and go back to the best weights; not with lbfgs.
             validation_fraction: see there.
             beta_1, beta_2, epsilon: of adam.
             max_fun: the most evaluations of lbfgs.
             dropout: the share of hidden units that is dropped in training, from 0 to 1.
             callbacks: see nn.callbacks; several, one or None. An iteration of lbfgs is an epoch.
             loss: "log_loss", or see nn.losses; of probabilities and rows of 0 and 1.
             class_weight: {class: weight}, "balanced", or one dict for each of several labels.
    Example: >>> x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "yes", "yes", "no"]
             >>> model = MLPClassifier(8, "tanh", solver="lbfgs", random_state=0).fit(x, y)
             >>> print(*model.predict(x), [coef.shape for coef in model.coefs_])
             no yes yes no [(2, 8), (8, 1)]
    """

    _: KW_ONLY
    loss: Any = "log_loss"
    class_weight: Any = None

    @available_if(is_stochastic)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> "MLPClassifier":
        """Learn from samples in one pass, and go on from where the last call ended.

        Args:    X, y, sample_weight: as in `fit`.
                 classes: all there are; needed in the first call, y may lack some.
        Raises:  OptionError: as in `fit`; no classes at first, or other ones later;
                 early_stopping, or class_weight="balanced". DomainError: a class not among them.
        """
        self._check()
        first = check_partial(self)
        self._check_partial(first, classes)
        with self._all_or_nothing():
            data = self._samples(X, y, sample_weight, first, classes, is_part=True)
            self._learn(data, first, is_partial=True)
        return self

    def _loss_of(self, outputs: int) -> tuple[Any, float, str]:
        """Return a plain loss, the factor on it, and the activation of the last layer."""
        kind = self._binarizer.y_type_
        is_one_of_many = kind == "multiclass"
        logs = categorical_crossentropy if is_one_of_many else binary_crossentropy
        loss = choose("loss", {**LOSSES, "log_loss": logs}, self.loss)
        if loss in _OF_CLASSES and (is_one_of_many or kind == "binary"):
            loss = logs  # the same number: of numbered classes, or of two with one output
        is_sum = self.loss == "log_loss" and not is_one_of_many  # over labels, not their mean
        activation = "softmax" if is_one_of_many else "logistic"
        return loss, float(outputs) if is_sum else 1.0, activation


@dataclass(eq=False, repr=False)
class MLPRegressor(Regressing, MultilayerPerceptron):
    """A multi-layer perceptron that predicts numbers, one or several for each sample.

    See MLPClassifier. For several numbers the loss is the sum over them, as scikit-learn's
    gradient has it, while its loss_curve_ has their mean.

    Args:    loss: "squared_error": half of it; "poisson": half of the deviance, of exp(output)
             from y, numbers from 0; or see nn.losses.
             hidden_layer_sizes, ..., callbacks: as for MLPClassifier.
    Example: >>> x, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 4.0, 9.0]
             >>> model = MLPRegressor(8, "tanh", solver="lbfgs", alpha=0.0, random_state=0)
             >>> model.fit(x, y).predict(x).round(1) + 0.0
             array([0., 1., 4., 9.])
    """

    _: KW_ONLY
    loss: Any = "squared_error"

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Learn from samples in one pass, and go on from where the last call ended.

        Args:    X, y, sample_weight: as in `fit`.
        Raises:  OptionError: as in `fit`, or early_stopping.
        """
        self._check()
        first = check_partial(self)
        with self._all_or_nothing():
            self._learn(self._samples(X, y, sample_weight, first), first, is_partial=True)
        return self

    def _samples(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[Any, Any, Any]:
        data = super()._samples(X, y, sample_weight, first)
        if self.loss == "poisson" and data[1].min() < 0:
            raise DomainError(
                f"y with {data[1].min():g} for loss='poisson'",
                "it is for counts, and other numbers from 0",
                "loss='squared_error', or a y that is not negative",
            )
        return data

    def _loss_of(self, outputs: int) -> tuple[Any, float, str]:
        """Return a plain loss, the factor on it, and the activation of the last layer."""
        own = {"squared_error": half_mean_squared_error, "poisson": half_poisson_deviance}
        loss = choose("loss", LOSSES | own, self.loss)
        is_own = isinstance(self.loss, str) and self.loss in own  # a sum over outputs
        activation = "exp" if self.loss == "poisson" else "identity"
        return loss, float(outputs) if is_own else 1.0, activation
