"""PerceptronClassifier: scikit-learn's Perceptron, by the gradient of its loss."""

import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import numpy as np

from autograd_core import DomainError
from autograd_core.data import Array, Data, Operand, Result, Tree

from ..callbacks import as_list
from ..configuration import Model, check_range, choose
from ..data import ClassWeight, whole_number
from ..layers import Dense
from ..networks import Sequential
from ..optimizers import SGD
from .estimator import (
    Classifying,
    ConvergenceWarning,
    NetworkEstimator,
    Rows,
    Seed,
    check_random_state,
    compute_class_weight,
    train_test_split,
)
from .mlp_training import Convergence

_PENALTIES = dict.fromkeys(("l1", "l2", "elasticnet"))


@dataclass(eq=False, repr=False, kw_only=True)
class PerceptronClassifier(Classifying, NetworkEstimator):
    """Rosenblatt's perceptron; for several classes, one perceptron for each against the others.

    For a sample on the wrong side, or on the border, w += eta0 * d * x, b += eta0 * d, where
    d = 1 or -1 is the right side. Parameters and attributes have scikit-learn's names and
    meanings, `callbacks` is added; without shuffle the weights are equal, too. All classes are
    trained in one pass, so that there is no n_jobs.

    Args:    penalty: None, "l2", "l1" or "elasticnet": the regularization.
             alpha: its factor.
             l1_ratio: the fraction of l1 in "elasticnet".
             fit_intercept: train b.
             max_iter: the most epochs.
             tol, n_iter_no_change: stop when the mean loss has not fallen by tol in so many epochs,
             for each class on its own; None: never.
             shuffle: use a new order of the samples in each epoch.
             verbose: print the metrics of each epoch.
             eta0: the learning rate.
             random_state: a number or RandomState, for order and split.
             early_stopping: hold validation_fraction of the samples out, and stop by the score.
             class_weight: {class: weight} or "balanced": factors on eta0. There are no sample
             weights: sample by sample, a weight of 2 is not the same as two samples.
             warm_start: fit continues from the present weights.
    Example: >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["off", "on", "on", "on"]
             >>> model = PerceptronClassifier(shuffle=False).fit(x, y)
             >>> model.coef_, model.intercept_, model.predict(x).tolist()
             (array([[2., 2.]]), array([-1.]), ['off', 'on', 'on', 'on'])

    Source:  F. Rosenblatt, The Perceptron, Psychological Review 65, 1958.
    """

    penalty: str | None = None
    alpha: float = 0.0001
    l1_ratio: float = 0.15
    fit_intercept: bool = True
    max_iter: int = 1000
    tol: float | None = 1e-3
    shuffle: bool = True
    verbose: bool | int = 0
    eta0: float = 1.0
    random_state: Seed = 0
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    class_weight: ClassWeight | None = None
    warm_start: bool = False
    callbacks: Tree = ()

    _threshold = 0.0
    _takes_many = False

    @property
    def coef_(self) -> Array:
        """The weights, (1, features) for two classes, else (classes, features)."""
        return self._layer.weight.data

    @property
    def intercept_(self) -> Data:
        """The biases, one for each row of coef_."""
        bias = getattr(self._layer, "bias", None)
        return np.zeros(len(self.coef_)) if bias is None else bias.data

    @property
    def _layer(self) -> Model:
        return self.model_.layers[0]

    def fit(self, X: Operand, y: Operand) -> Self:  # type: ignore[override] # no weights: see class_weight
        """Learn from samples X (samples, features) and classes y (samples,); return itself.

        Raises:  OptionError: a parameter out of its range. DomainError: only one class.
                 ValueError: data that do not fit.
        """
        super().fit(X, y)
        if self.tol is not None and not self.model_.stop_training:
            text = f"PerceptronClassifier has not converged: {self.max_iter} epochs were too few"
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        return self

    def partial_fit(self, X: Operand, y: Operand, classes: Operand = None) -> Self:
        """Learn from samples in one pass, and go on from where the last call ended.

        Args:    X, y: as in `fit`.
                 classes: all there are; needed in the first call, y may lack some.
        Raises:  OptionError: as in `fit`; no classes at first, or other ones later;
                 early_stopping, or class_weight="balanced". DomainError: a class not among them.
        """
        return self._fit_part(X, y, classes=classes)

    def decision_function(self, X: Operand) -> Array:
        """Return z = w x + b, (samples,) for two classes, else (samples, classes)."""
        out = self._outputs(X)
        return out[:, 0] if out.shape[1] == 1 else out

    def _check(self) -> None:
        """Refuse parameters that nothing further down looks at."""
        if self.penalty is not None:
            choose("penalty", _PENALTIES, str(self.penalty))
        for name in ("l1_ratio", "validation_fraction"):
            check_range(name, getattr(self, name), 0, 1)
        for name in ("alpha", "eta0"):
            check_range(name, getattr(self, name), 0)
        check_range("tol", 0 if self.tol is None else self.tol, 0)
        whole_number("max_iter", self.max_iter)
        whole_number("n_iter_no_change", self.n_iter_no_change)
        shrinkage = self.eta0 * self._penalties()[0]
        check_range("eta0 * alpha * (1 - l1_ratio)", shrinkage, 0, 1)  # above 1, signs would flip

    def _penalties(self) -> tuple[float, float]:
        """Return the factors of half the squared weights, and of the absolute ones."""
        if self.penalty is None:
            return 0.0, 0.0
        share = {"l1": 1.0, "l2": 0.0, "elasticnet": self.l1_ratio}[self.penalty]
        return self.alpha * (1 - share), self.alpha * share

    def _weights(self, X: Operand, y: Operand, sample_weight: Operand) -> Array | None:
        return None  # class weights are factors of each perceptron's steps

    def _learn(
        self, data: tuple[Operand, Array, Array | None], first: bool, is_part: bool = False
    ) -> None:
        """Learn from samples and rows of 0 and 1."""
        X, rows, _ = data
        if len(self.classes_) < 2:
            raise DomainError(
                f"y with one class, {self.classes_.tolist()[0]!r}",
                "a perceptron separates two classes",
                "two classes at least",
            )
        random_state = check_random_state(self.random_state)
        if first:
            self._begin_drawing(random_state)
            layer = Dense(rows.shape[1], use_bias=self.fit_intercept, kernel_initializer="zeros")
            model = Sequential([layer])
            model.build((X.shape[1],), X.dtype)
            self.model_: Any = model
        rule, data = self._rule(X, rows, random_state)
        self.model_.compile(SGD(self.eta0), rule.loss)
        order = np.random.RandomState(random_state.randint(2**31 - 1))
        batches = Rows(data, 1, order if self.shuffle else None)
        history = self._train(
            (batches,), 1 if is_part else self.max_iter, [rule, *as_list(self.callbacks)]
        )
        self.model_.loss = self.model_.optimizer = None  # not needed for predictions
        self._finish()
        self.n_iter_ = len(history.epoch)
        before = self.t_ if is_part and not first else 1.0
        self.t_: float = before + X.shape[0] * self.n_iter_

    def _rule(
        self, X: Operand, rows: Array, random_state: np.random.RandomState
    ) -> "tuple[PerceptronRule, Any]":
        """Return the learning rule, and the samples with sides for training."""
        by_class = compute_class_weight(
            self.class_weight, classes=self.classes_, y=self._labels(rows)
        )
        factors = (by_class[1:], by_class[:1]) if len(by_class) == 2 else (by_class, 1.0)
        l2, l1 = self._penalties()
        sides, judge = 2 * rows - 1, None
        if self.early_stopping:
            taught, held_out = train_test_split(
                np.arange(len(rows)),
                test_size=self.validation_fraction,
                random_state=random_state,
                stratify=rows.argmax(axis=1) if rows.shape[1] > 1 else rows,
            )
            taught.sort()
            judge = partial(self._share_right, X[held_out], sides[held_out])
            X, sides = X[taught], sides[taught]
        rule = PerceptronRule(
            judge=judge,
            tol=-np.inf if self.tol is None else self.tol,
            patience=self.n_iter_no_change - 1,
            layer=self._layer,
            weights=factors,
            l2=l2,
            l1=l1,
            rate=self.eta0,
        )
        return rule, (X, sides)

    def _share_right(self, X: Operand, sides: Array, logs: dict[str, float]) -> Any:
        """Return the accuracy of each perceptron."""
        return ((self._computed(X) > 0) == (sides > 0)).mean(axis=0)


@dataclass(eq=False, kw_only=True)
class PerceptronRule(Convergence):
    """The perceptron's loss, sample by sample; each output stops learning on its own.

    The loss is max(-d z, 0) for the output z and the side d = 1 or -1; its derivative on the
    border is -d, so that training can start from zeros. Penalties are l2 / 2 ||w||^2, and
    l1 ||w||_1, which is subtracted after each step, so that weights become exactly 0.

    Args:    judge, tol, patience: see Convergence; judge=None: minus each output's mean loss.
             layer: the Dense layer in training.
             weights: factors of the steps, for d = 1 and for d = -1, (outputs,) each.
             l2, l1: factors of the penalties.
             rate: the learning rate.
    Source:  Y. Tsuruoka, J. Tsujii and S. Ananiadou, Stochastic gradient descent training for
             L1-regularized log-linear models with cumulative penalty, 2009, figure 2.
    """

    judge: Any  # None until it is made
    layer: Any
    weights: tuple[Any, Any]
    l2: float
    l1: float
    rate: float
    learning: Any = field(default=None, init=False)  # which outputs are in training

    def __post_init__(self) -> None:
        self.judge = self.judge or self._improvement
        outputs = self.layer.units
        self.learning = np.ones(outputs, bool)
        self._losses = np.zeros(outputs)
        self._samples = 0
        self._due = np.zeros((outputs, 1))  # what l1 should have subtracted so far, and has
        self._taken = np.zeros(self.layer.weight.shape)

    def loss(self, y_true: Operand, y_pred: Operand, sample_weight: Operand = None) -> Result:
        """Return the loss of a batch, summed over the outputs in training.

        Args:    y_true: 1 or -1, (batch, outputs).
                 y_pred: z, of the same shape.
        """
        margin = y_true * y_pred
        losses: Any = np.where(margin <= 0, -margin, 0.0)
        self._losses += losses.data.sum(axis=0)
        self._samples += len(y_true)
        positive, negative = self.weights
        factors = np.where(y_true > 0, positive, negative) * self.learning
        loss = np.sum(losses * factors.astype(y_true.dtype))
        if self.l2 or self.l1:
            weight = self.layer.weight
            squares = 0.5 * self.l2 * np.sum(np.square(weight), axis=1)
            self._losses += squares.data + self.l1 * np.abs(weight.data).sum(axis=1)
            loss = loss + np.sum(squares * self.learning.astype(y_true.dtype))
        return loss

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Subtract what is due to l1 from the weights; none changes its sign."""
        if not self.l1:
            return
        weight = self.layer.weight.data
        self._due += self.l1 * self.rate * self.learning[:, None]
        off = np.where(weight > 0, self._due + self._taken, self._due - self._taken)
        rest = np.sign(weight) * np.maximum(np.abs(weight) - off, 0)
        self._taken += rest - weight
        self.layer.weight.data = rest.astype(weight.dtype)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Stop training the outputs that no longer improve."""
        super().on_epoch_end(epoch, logs)
        self.learning &= ~self.stalled
        if not self.learning.any():
            self.model.stop_training = True

    def _improvement(self, logs: dict[str, float]) -> object:
        mean = self._losses / self._samples
        self._losses, self._samples = np.zeros_like(mean), 0
        return -mean
