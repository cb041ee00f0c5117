"""MLPClassifier, MLPRegressor: scikit-learn's multi-layer perceptrons, on the layers of nn."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any

import numpy as np

from autograd_core import DomainError, OptionError
from autograd_core.data import Array, DTypeLike, Operand, Tree

from ..activations import sigmoid
from ..callbacks import LambdaCallback, LearningRateScheduler, ReduceLROnPlateau, as_list
from ..configuration import Choice, check_range, choose
from ..data import ClassWeight, whole_number
from ..layers import Dense, Dropout
from ..losses import BY_NAME as LOSSES
from ..losses import (
    binary_crossentropy,
    categorical_crossentropy,
    half_mean_squared_error,
    sparse_categorical_crossentropy,
)
from ..module import Module
from ..networks import Sequential
from ..optimizers import SGD, Adam
from ..randomness import drawing_from
from .estimator import (
    ConvergenceWarning,
    NetworkEstimator,
    Probabilistic,
    Regressing,
    Rows,
    Seed,
    available_if,
    check_kept,
    check_random_state,
    is_classifier,
    train_test_split,
)
from .mlp_training import (
    ACTIVATIONS,
    Convergence,
    Objective,
    dense_layers,
    draw_weights,
    half_poisson_deviance,
    minimize,
)

_OPTIMIZERS = {
    "adam": lambda options: Adam(
        learning_rate=options.learning_rate_init,
        beta_1=options.beta_1,
        beta_2=options.beta_2,
        epsilon=options.epsilon,
    ),
    "sgd": lambda options: SGD(
        learning_rate=options.learning_rate_init,
        momentum=options.momentum,
        nesterov=options.nesterovs_momentum and options.momentum > 0,
    ),
    "lbfgs": None,
}
_LEARNING_RATES = dict.fromkeys(("constant", "invscaling", "adaptive"))
_MOST_AT_ONCE = 200  # samples of a batch where batch_size is "auto"
_OF_CLASSES = (categorical_crossentropy, sparse_categorical_crossentropy)


def is_stochastic(estimator: NetworkEstimator) -> bool:
    """Return whether an estimator trains batch by batch, so that it has partial_fit."""
    return bool(estimator.solver != "lbfgs")


@dataclass(eq=False, repr=False)
class MultilayerPerceptron(NetworkEstimator):
    """MLPClassifier and MLPRegressor, but for targets and losses."""

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: Choice = "relu"
    _: KW_ONLY
    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: Seed = None
    tol: float = 1e-4
    verbose: bool | int = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    max_fun: int = 15000
    dropout: float = 0.0
    callbacks: Tree = ()

    def _check(self) -> None:
        """Refuse parameters that nothing further down looks at."""
        choose("solver", _OPTIMIZERS, str(self.solver))
        choose("learning_rate", _LEARNING_RATES, str(self.learning_rate))
        for name in ("alpha", "power_t", "tol"):
            check_range(name, getattr(self, name), 0)
        check_range("n_iter_no_change", self.n_iter_no_change, 1)
        check_range("validation_fraction", self.validation_fraction, 0, 1)
        whole_number("max_iter", self.max_iter)
        whole_number("max_fun", self.max_fun)
        if self.batch_size != "auto":
            whole_number("batch_size", self.batch_size)
        if self.solver == "lbfgs":
            self._check_search()

    def _check_search(self) -> None:
        """Refuse what L-BFGS cannot use."""
        if self.dropout:
            raise OptionError(
                f"dropout={self.dropout} with solver='lbfgs'",
                "its search along lines needs the same loss for the same weights",
                "solver='adam' or 'sgd', or alpha against overfitting",
            )
        for each in as_list(self.callbacks):
            if isinstance(each, LearningRateScheduler | ReduceLROnPlateau):
                raise OptionError(
                    f"{type(each).__name__} with solver='lbfgs'",
                    "it has no learning rate: a line search determines each step",
                    "solver='adam' or 'sgd', or other callbacks",
                )

    @property
    def coefs_(self) -> list[Array]:
        """The weights between layers, (fan_in, fan_out) each, as views; may be assigned."""
        arrays = [layer.weight.data.T for layer in dense_layers(self.model_).values()]
        return _Assignable(arrays, partial(setattr, self, "coefs_"))

    @coefs_.setter
    def coefs_(self, coefs: Sequence[Operand]) -> None:
        names = [f"{name}.weight" for name in dense_layers(self.model_)]
        weights = dict(zip(names, map(np.transpose, coefs), strict=True))
        self.model_.load_state_dict(weights, strict=False)

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, (fan_out,) each; may be assigned."""
        arrays = [layer.bias.data for layer in dense_layers(self.model_).values()]
        return _Assignable(arrays, partial(setattr, self, "intercepts_"))

    @intercepts_.setter
    def intercepts_(self, intercepts: Sequence[Operand]) -> None:
        names = [f"{name}.bias" for name in dense_layers(self.model_)]
        self.model_.load_state_dict(dict(zip(names, intercepts, strict=True)), strict=False)

    def _learn(
        self, data: tuple[Operand, Array, Array | None], first: bool, is_part: bool = False
    ) -> None:
        """Learn from samples, rows of targets, and weights or None."""
        random_state = check_random_state(self.random_state)
        sizes = np.ravel(self.hidden_layer_sizes).tolist()
        sizes = [whole_number("hidden_layer_sizes", size) for size in sizes]
        units = [data[0].shape[1], *sizes, data[1].shape[1]]
        if first:
            self._begin(units, data[0].dtype, random_state)
        elif units != self._units:
            raise OptionError(
                f"layers of {units} units after training with {self._units}",
                "training continues with the present weights",
                "the same hidden_layer_sizes and outputs, or warm_start=False",
            )
        else:
            check_kept(self, self._kept)
        plain, factor, _ = self._loss_of(units[-1])
        layers = dense_layers(self.model_).values()
        self.model_.loss = Objective(plain, factor, layers, self.alpha)
        try:
            if self.solver == "lbfgs":
                self._minimize(*data)
            else:
                self._descend(data, random_state, is_part)
        finally:
            self.model_.loss = plain  # with which it can be saved and trained
        self._finish()

    def _begin(
        self, units: list[int], dtype: DTypeLike, random_state: np.random.RandomState
    ) -> None:
        """Make a network, and reset what an earlier one has recorded."""
        out_activation = self._loss_of(units[-1])[2]
        self._begin_drawing(random_state)
        activation = choose("activation", ACTIVATIONS, self.activation)
        layers: list[Module] = []
        for hidden in units[1:-1]:
            layers.append(Dense(hidden, activation))
            layers += [Dropout(self.dropout)] if self.dropout else []
        model = Sequential([*layers, Dense(units[-1], ACTIVATIONS[out_activation])])
        with drawing_from(self._generator):
            model.build((units[0],), dtype)
        draw_weights(model, random_state, 2.0 if activation is sigmoid else 6.0)
        self.model_, self._units, self.out_activation_ = model, units, out_activation
        self._kept = {"activation": self.activation, "dropout": self.dropout, "loss": self.loss}
        self.n_layers_, self.n_outputs_ = len(units), units[-1]
        self.t_ = 0
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = None
        self._so_far: Any = (-np.inf, 0, None)

    def _descend(
        self,
        data: tuple[Operand, Array, Array | None],
        random_state: np.random.RandomState,
        is_part: bool,
    ) -> None:
        """Train batch by batch, until nothing improves."""
        model = self.model_
        if model.optimizer is None or not is_part:
            model.optimizer = _OPTIMIZERS[self.solver](self)  # type: ignore[misc]
        held_out = None
        if self.early_stopping:
            data, held_out = self._split(data, random_state)
        samples = data[0].shape[0]
        size = min(_MOST_AT_ONCE if self.batch_size == "auto" else self.batch_size, samples)
        rows = Rows(data, size, random_state if self.shuffle else None)
        convergence = self._convergence(held_out)
        callbacks: list[Any] = [convergence, *as_list(self.callbacks)]
        if self.solver == "sgd" and self.learning_rate == "invscaling":

            def scale(epoch: int, logs: dict[str, float]) -> None:
                seen = self.t_ + samples * (epoch + 1)
                model.optimizer.learning_rate = self.learning_rate_init / (seen + 1) ** self.power_t

            callbacks.insert(0, LambdaCallback(on_epoch_end=scale))
        history = self._train((rows,), 1 if is_part else self.max_iter, callbacks)
        self._note(history.history["loss"])
        self.t_ += samples * self.n_iter_
        self._conclude(convergence)
        if not (is_part or model.stop_training):
            self._warn_unfinished(f"{self.max_iter} epochs, the most allowed, were too few")

    def _minimize(self, x: Operand, rows: Array, weights: Operand) -> None:
        """Train on all samples at once, with L-BFGS."""
        x = x.toarray() if hasattr(x, "toarray") else x
        options = {"maxiter": self.max_iter, "maxfun": self.max_fun, "gtol": self.tol}
        history, result = minimize(
            self.model_,
            x,
            rows,
            weights,
            as_list(self.callbacks),
            2 * bool(self.verbose),
            **options,
        )
        self._note(history.history.get("loss", []), float(result.fun))
        if not (result.success or self.model_.stop_training):
            self._warn_unfinished(result.message)

    def _note(self, losses: list[float], last: float | None = None) -> None:
        """Record the losses of a training, and the last loss if it is another one."""
        self.loss_curve_ = [*self.loss_curve_, *losses]
        self.n_iter_ = len(losses)
        self.loss_ = losses[-1] if last is None else last
        self.best_loss_: float | None = min([*self.loss_curve_, self.loss_])
        self.best_validation_score_: float | None = None

    def _split(
        self, data: tuple[Operand, Array, Array | None], random_state: np.random.RandomState
    ) -> tuple[Any, Any]:
        """Return the samples for training and those for validation."""
        is_stratified = is_classifier(self) and data[1].shape[1] == 1
        parts = train_test_split(
            np.arange(data[0].shape[0]),
            random_state=random_state,
            test_size=self.validation_fraction,
            stratify=data[1] if is_stratified else None,
        )
        taught, held_out = (
            tuple(None if part is None else part[chosen] for part in data) for chosen in parts
        )
        if len(parts[1]) < 2:
            raise OptionError(
                f"validation_fraction={self.validation_fraction} of {data[0].shape[0]} samples",
                "it holds out fewer than two samples, too few for a score",
                "a larger fraction, or early_stopping=False",
            )
        return taught, held_out

    def _convergence(self, held_out: Any) -> Convergence:
        """Return the callback that stops training, in the state of earlier trainings."""

        def judge(logs: dict[str, float]) -> float:
            if held_out is None:
                return -logs["loss"]
            x, rows, weights = held_out
            out = self._computed(x)
            return self._judged(out, rows, weights) if np.isfinite(out).all() else np.nan

        convergence = Convergence(
            judge,
            self.tol,
            self.n_iter_no_change,
            keeps_best=held_out is not None,
            lowers_rate=self.solver == "sgd" and self.learning_rate == "adaptive",
        )
        convergence.best, convergence.waited, convergence.best_state = self._so_far
        return convergence

    def _conclude(self, convergence: Convergence) -> None:
        """Record the result of a training; with validation, restore its best weights."""
        self._so_far = (convergence.best, convergence.waited, convergence.best_state)
        if convergence.keeps_best:
            self.best_loss_ = None
            self.best_validation_score_ = float(convergence.best)
            self.validation_scores_ = [*(self.validation_scores_ or []), *convergence.values]
            if convergence.best_state is not None:
                self.model_.load_state_dict(convergence.best_state)

    def _warn_unfinished(self, why: str) -> None:
        text = f"{type(self).__name__} has not converged: {why}"
        warnings.warn(text, ConvergenceWarning, stacklevel=5)


@dataclass(eq=False, repr=False)
class MLPClassifier(Probabilistic, MultilayerPerceptron):
    """A multi-layer perceptron for classes, or several labels at once.

    Parameters and attributes have scikit-learn's names and meanings; `dropout`, `class_weight`,
    `callbacks` and `loss` are added. The same random_state gives the same initial weights and the
    same batches: results equal scikit-learn's up to rounding.

    Args:    hidden_layer_sizes: units of each hidden layer.
             activation: of these: "identity", "logistic", "tanh", "relu", or see nn.activations.
             solver: "adam", "sgd", or "lbfgs" (SciPy's), which uses all samples in each step.
             alpha: factor of the squared weights, see Objective.
             batch_size: "auto": 200, or all if they are fewer.
             learning_rate: of sgd: "constant"; "invscaling": learning_rate_init / (t + 1)^power_t
             after t samples; "adaptive": divided by 5 where training would stop.
             max_iter: the most epochs, or iterations of lbfgs.
             shuffle: use a new order of the samples in each epoch.
             random_state: a number or RandomState, for weights, order and split.
             tol, n_iter_no_change: stop when the loss has not fallen by tol, or the validation
             score risen, for more than so many epochs. lbfgs: the largest gradient to stop at.
             verbose: print the metrics of each epoch.
             warm_start: fit continues from the present weights.
             momentum, nesterovs_momentum: of sgd.
             early_stopping: hold validation_fraction of the samples out, stop by the score on
             them, and restore the best weights; not with lbfgs.
             beta_1, beta_2, epsilon: of adam.
             max_fun: the most evaluations of lbfgs.
             dropout: the fraction of hidden units that is dropped in training, from 0 to 1.
             callbacks: see nn.callbacks; several, one or None. An iteration of lbfgs is an epoch.
             loss: "log_loss", or see nn.losses; of probabilities and rows of 0 and 1.
             class_weight: {class: weight}, "balanced", or one dict for each of several labels.
    Example: >>> x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "yes", "yes", "no"]
             >>> model = MLPClassifier(8, "tanh", solver="lbfgs", random_state=0).fit(x, y)
             >>> print(*model.predict(x), [coef.shape for coef in model.coefs_])
             no yes yes no [(2, 8), (8, 1)]
    """

    _: KW_ONLY
    loss: Choice = "log_loss"
    class_weight: ClassWeight | None = None

    partial_fit = available_if(is_stochastic)(Probabilistic.partial_fit)

    def _loss_of(self, outputs: int) -> tuple[Choice, float, str]:
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
    loss: Choice = "squared_error"

    partial_fit = available_if(is_stochastic)(Regressing.partial_fit)

    def _samples(self, *given: Any, **part: Any) -> tuple[Operand, Array, Array | None]:
        data = super()._samples(*given, **part)
        if self.loss == "poisson" and data[1].min() < 0:
            raise DomainError(
                f"y with {data[1].min():g} for loss='poisson'",
                "it is for counts, and other numbers from 0",
                "loss='squared_error', or a y that is not negative",
            )
        return data

    def _loss_of(self, outputs: int) -> tuple[Choice, float, str]:
        """Return a plain loss, the factor on it, and the activation of the last layer."""
        own = {"squared_error": half_mean_squared_error, "poisson": half_poisson_deviance}
        loss = choose("loss", LOSSES | own, self.loss)
        is_own = isinstance(self.loss, str) and self.loss in own  # a sum over outputs
        activation = "exp" if self.loss == "poisson" else "identity"
        return loss, float(outputs) if is_own else 1.0, activation


class _Assignable(list[Any]):
    """Arrays of parameters; an item that is assigned becomes the parameter.

    Args:    arrays: of all parameters.
             assign: function that assigns all of them.
    """

    def __init__(self, arrays: list[Array], assign: Callable[[list[Array]], None]) -> None:
        super().__init__(arrays)
        self._assign = assign

    def __setitem__(self, index: Any, value: Operand) -> None:
        arrays = [*self]
        arrays[index] = value
        self._assign(arrays)
        super().__setitem__(index, value)

    def __reduce__(self) -> Any:
        return list, ([*self],)  # a copy is a list of its own
