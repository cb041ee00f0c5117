"""Training of scikit-learn's multi-layer perceptrons: weights, objective, stopping, L-BFGS."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from autograd_core import Value
from autograd_core.data import Array, Operand, Result

from .. import activations
from ..callbacks import Callback, CallbackList, History, Progress
from ..configuration import Choice, Model
from ..layers import Dense
from ..losses import loss_of, mean_reduced
from ..networks import Sequential
from ..packages import optional
from ..targets import pair
from ..training import interruptible

LEAST_RATE = 1e-6  # below which learning_rate="adaptive" stops
ACTIVATIONS = activations.BY_NAME | {
    "identity": None,
    "logistic": activations.sigmoid,
    "exp": activations.exponential,
}


def dense_layers(model: Sequential) -> dict[str, Model]:
    """Return the layers that have weights, by the names they have in the state_dict."""
    return {name: layer for name, layer in model.children().items() if isinstance(layer, Dense)}


def draw_weights(model: Sequential, random_state: np.random.RandomState, factor: float) -> None:
    """Draw weights and biases as scikit-learn does: layer by layer, from a uniform distribution.

    Its bounds are +-sqrt(factor / (fan_in + fan_out)), for weights (fan_in, fan_out) and biases.

    Args:    random_state: a numpy RandomState.
             factor: 6, or 2 where hidden layers are logistic.
    Source:  X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward
             neural networks, 2010, equation 16, with biases drawn, too.
    """
    for layer in dense_layers(model).values():
        fan_out, fan_in = layer.weight.shape
        bound = math.sqrt(factor / (fan_in + fan_out))
        weight = random_state.uniform(-bound, bound, (fan_in, fan_out)).T
        bias = random_state.uniform(-bound, bound, fan_out)
        layer.load_state_dict({"weight": weight, "bias": bias})


class Objective(partial[Any]):
    """The training objective of scikit-learn's multi-layer perceptrons, for any loss of `nn`.

    (sum w_i l_i + alpha / 2 sum ||W||^2) / sum w_i over a batch: l_i is the loss of sample i, w_i
    its weight, W the weights of a layer without its biases. Keras's losses divide by the number of
    samples, and its L2 by nothing. It is a partial of the loss, so that a model saved by a
    callback in training has the loss itself.

    Args:    loss: function (y_true, y_pred, sample_weight) that returns a mean over samples, or
             of two arguments; see nn.losses.
             factor: multiplies the loss.
             layers: whose weights are squared.
             alpha: the factor of the squared weights.
    Example: >>> from nn.losses import mean_squared_error
             >>> objective = Objective(mean_squared_error, 1.0, [], alpha=0.0)
             >>> objective(np.array([[1.0], [1.0]]), np.zeros((2, 1)), np.array([3.0, 1.0]))
             1.0
    """

    loss: Choice
    factor: float
    layers: list[Dense]
    alpha: float

    def __new__(
        cls, loss: Choice, factor: float = 1.0, layers: Iterable[Dense] = (), alpha: float = 0.0
    ) -> "Objective":
        """Make an objective."""
        made = super().__new__(cls, loss)
        made.loss, made.factor, made.layers, made.alpha = loss, factor, list(layers), alpha
        return made

    def __call__(self, y_true: Operand, y_pred: Operand, sample_weight: Operand = None) -> Result:
        """Return the objective of a batch: one number."""
        total = float(len(y_true))
        if sample_weight is not None:
            total = float(np.sum(sample_weight))
            sample_weight = sample_weight * (len(y_true) / total)
        loss = loss_of(self.loss, y_true, y_pred, sample_weight) * self.factor
        if not self.alpha:
            return loss
        squares = sum(np.sum(np.square(layer.weight)) for layer in self.layers)
        return loss + squares * (0.5 * self.alpha / total)


def half_poisson_deviance(
    y_true: Operand, y_pred: Operand, sample_weight: Operand = None, reduction: str = "mean"
) -> Result:
    """Return mean y log(y / p) - y + p, where p is y_pred and 0 log 0 is 0.

    Args:    y_true: counts, or other numbers from 0.
             y_pred: their positive expectations, of the same shape (batch, ..., numbers).
             sample_weight, reduction: as for nn.losses.mean_squared_error.
    Example: >>> half_poisson_deviance([[1.0], [0.0]], [[1.0], [2.0]])
             1.0
    """
    y_true, y_pred = pair(y_true, y_pred)
    counts = y_true > 0
    constant = y_true * np.log(np.where(counts, y_true, 1.0)) - y_true
    losses = y_pred - np.where(counts, y_true * np.log(y_pred), 0.0) + constant
    return mean_reduced(losses, sample_weight, reduction)


@dataclass(eq=False)
class Convergence(Callback):
    """Stops training after more than `patience` epochs in a row without improvement by `tol`.

    An epoch improves if its value is at least best + tol; best is the largest value so far, with
    small gains included, where `EarlyStopping` lets them add up.

    Args:    judge: function of the logs that returns an epoch's value: a number, or an array with
             one for each output, of which all must have stopped improving.
             tol: the smallest improvement.
             patience: how many epochs without one to accept.
             keeps_best: keep the weights of the best epoch, in `best_state`.
             lowers_rate: divide the learning rate by 5 instead of stopping, down to 1e-6.
    Example: >>> convergence = Convergence(lambda logs: -logs["loss"], tol=0.5, patience=1)
             >>> convergence.model = type("Model", (), {"stop_training": False})()
             >>> for loss in (1.0, 0.7, 0.4):
             ...     convergence.on_epoch_end(0, {"loss": loss})
             >>> float(convergence.best), convergence.model.stop_training
             (-0.4, True)
    """

    expects_nan = True  # an estimator refuses weights that are no numbers

    judge: Callable[[Any], Any]
    tol: float
    patience: float
    keeps_best: bool = False
    lowers_rate: bool = False
    best: Any = field(default=-np.inf, init=False)
    waited: Any = field(default=0, init=False)  # epochs without improvement
    best_state: Any = field(default=None, init=False)
    values: list[Any] = field(default_factory=list, init=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Compare the epoch with the best one."""
        value = self.judge(logs)
        self.values.append(value)
        self.waited = np.where(value < self.best + self.tol, self.waited + 1, 0)
        if self.keeps_best and value > self.best:
            self.best_state = self.model.state_dict()
        self.best = np.fmax(value, self.best)
        if np.all(self.stalled):
            optimizer = self.model.optimizer if self.lowers_rate else None
            if optimizer is None or optimizer.learning_rate <= LEAST_RATE:
                self.model.stop_training = True
            else:
                optimizer.learning_rate /= 5
                self.waited = 0

    @property
    def stalled(self) -> Any:
        """Whether patience has run out; for each output, if values are arrays."""
        return self.waited > self.patience


def minimize(
    model: Model,
    x: Operand,
    y: Operand,
    sample_weight: Operand,
    callbacks: Iterable[Callback],
    verbose: int,
    **options: Any,
) -> tuple[History, Any]:
    """Minimize a compiled model's loss; an iteration is an epoch to the callbacks.

    Args:    x, y, sample_weight: all samples.
             verbose: as in `fit`.
             options: of SciPy's L-BFGS-B, maxiter among them.
    Returns: the History, and SciPy's result.
    Raises:  MissingPackageError: SciPy is not installed.
    Source:  R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, A limited memory algorithm for bound
             constrained optimization, 1995.
    """
    parameters = model.parameters()
    history = History()
    progress = Progress(1, verbose)
    tell = CallbackList([*callbacks, history, progress], model)
    model.stop_training = False

    def objective(packed: Array) -> tuple[float, Array]:
        _put(packed, parameters)
        loss = loss_of(model.loss, y, model(x), sample_weight)
        model.zero_grad()
        loss.backward()
        return float(loss), _packed([parameter.grad for parameter in parameters])

    def after(intermediate_result: Any) -> None:
        _put(intermediate_result.x, parameters)
        tell("on_epoch_end", len(history.epoch), {"loss": float(intermediate_result.fun)})
        if model.stop_training:
            raise StopIteration

    def stop() -> None:
        model.stop_training = True

    start = _packed([parameter.data for parameter in parameters])
    method = optional("scipy.optimize", "scipy").minimize
    model.train()
    with interruptible(stop):
        tell("on_train_begin", {})
        try:
            result = method(
                objective, start, method="L-BFGS-B", jac=True, callback=after, options=options
            )
            _put(result.x, parameters)
        finally:
            tell("on_train_end", {})
    return history, result


def _packed(arrays: list[Operand]) -> Array:
    return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)


def _put(packed: Array, parameters: list[Value]) -> None:
    """Assign parameters from one flat array, each in its type."""
    start = 0
    for parameter in parameters:
        end = start + parameter.size
        parameter.data = packed[start:end].reshape(parameter.shape).astype(parameter.dtype)
        start = end
