"""as_estimator: any model of `nn` as an estimator of scikit-learn."""

import copy
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from autograd_core import OptionError, ShapeError, sigmoid, softmax
from autograd_core.data import Array, Operand, Params, Tree

from .. import losses
from ..configuration import Choice, Model, choose, function_of
from ..data import ClassWeight
from ..module import Module
from ..randomness import drawing_from
from .estimator import (
    NetworkEstimator,
    Probabilistic,
    Regressing,
    Seed,
    check_is_fitted,
    check_kept,
    check_random_state,
)


@dataclass(eq=False, repr=False)
class Wrapped(NetworkEstimator):
    """NetworkClassifier and NetworkRegressor, but for the targets."""

    model: Choice
    _: KW_ONLY
    loss: Choice = None
    optimizer: Choice = "adam"
    metrics: Tree = ()
    epochs: int = 100
    batch_size: int = 32
    validation_split: float = 0.0
    callbacks: Tree = ()
    shuffle: bool = True
    warm_start: bool = False
    random_state: Seed = None
    verbose: bool | int = False

    _accepts: ClassVar[Params] = {"allow_nd": True}

    def _learn(
        self, data: tuple[Operand, Array, Array | None], first: bool, is_part: bool = False
    ) -> None:
        """Learn from samples, rows of targets, and weights or None."""
        X, rows, weights = data
        if first:
            self._begin(X, rows)
        else:
            check_kept(self, self._kept)
        if weights is not None:
            weights = weights / weights.mean()  # as if each sample were there so many times
        history = self._train(
            (X, self._targets(rows)),
            1 if is_part else self.epochs,
            self.callbacks,
            sample_weight=weights,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            validation_split=self.validation_split,
        )
        self.history_, self.n_iter_ = history.history, len(history.epoch)
        self._finish()

    def _begin(self, X: Operand, rows: Array) -> None:
        """Make a model with weights, and compile it."""
        self._begin_drawing(check_random_state(self.random_state))
        outputs = self._outputs_for(rows)
        with drawing_from(self._generator):
            model = _made(self.model, outputs[-1])
            width = int(np.prod(model.predict(X[:1]).shape[1:]))
        if width not in outputs:
            raise ShapeError(
                f"a model with {width} outputs for y with {outputs[-1]} classes or targets",
                "each needs an output of its own",
                f"a last layer of {outputs[-1]} units, or a function that makes a model with so"
                " many outputs as it is called with",
            )
        model.compile(copy.deepcopy(self.optimizer), self._loss_for(width), self.metrics or ())
        self.model_, self._width = model, width
        names = ("model", "loss", "optimizer", "metrics")
        self._kept = {name: getattr(self, name) for name in names}


def _made(given: Choice, outputs: int) -> Model:
    """Return a copy of the given model, or the model that a function makes."""
    is_function = callable(given) and not isinstance(given, Module)
    made = given(outputs) if is_function else copy.deepcopy(given)
    if not isinstance(made, Module):
        raise OptionError(
            f"model={given!r}",
            f"a model of nn is needed, and this is a {type(made).__name__}",
            "nn.Sequential([...]), or a function of the number of outputs that returns one",
        )
    return made


@dataclass(eq=False, repr=False)
class NetworkClassifier(Probabilistic, Wrapped):
    """Any model of `nn` as a classifier, also of several labels at once.

    Its outputs are probabilities, or logits if the loss has from_logits=True: one for each class
    or label; or a single one, that of the second of two classes.

    Args:    model: copied by each fit (existing weights are the initial ones); or a function of
             the number of classes that returns a model.
             loss: see nn.losses; None: categorical_crossentropy, or binary_crossentropy of labels
             and of a single output.
             optimizer, metrics, epochs, batch_size, validation_split, callbacks, shuffle: as in
             `compile` and `fit` of nn; each fit copies the optimizer.
             warm_start: fit continues from the present weights.
             random_state: a number or RandomState, for weights, order and dropout.
             verbose: print the metrics of each epoch.
             class_weight: {class: weight}, "balanced", or one dict for each of several labels.
    Example: >>> from nn import Adam, Dense, Sequential
             >>> model = Sequential([Dense(8, "tanh"), Dense(1, "sigmoid")])
             >>> x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "yes", "yes", "no"]
             >>> NetworkClassifier(model, optimizer=Adam(0.1), random_state=0).fit(x, y).score(x, y)
             1.0
    """

    _: KW_ONLY
    class_weight: ClassWeight | None = None

    def predict_proba(self, X: Operand) -> Array:
        """Return probabilities, (samples, classes), in the order of `classes_`.

        Raises:  OptionError: the outputs are scores of a hinge loss.
        """
        if self._gives_scores:
            raise OptionError(
                f"probabilities of {type(self).__name__} with loss={self.loss!r}",
                "with a hinge loss the outputs are scores, whose sign is the class",
                "loss='binary_crossentropy' and a sigmoid, or predict(X)",
            )
        return super().predict_proba(X)

    @property
    def _gives_scores(self) -> bool:
        check_is_fitted(self)
        loss = self.model_.loss
        return losses.decides_at(loss) == 0.0 and not losses.wants_logits(loss)

    def _labels(self, out: Operand) -> Array:
        threshold = 0.0 if self._gives_scores else 0.5
        return self._binarizer.inverse_transform(out, threshold=threshold)

    def _computed(self, X: Operand) -> Array:
        out = super()._computed(X)
        if losses.wants_logits(self.model_.loss):
            out = sigmoid(out) if self._is_binary(self._width) else softmax(out)
        return out[:, 1:] if self._binarizer.y_type_ == "binary" and self._width == 2 else out

    def _outputs_for(self, rows: Array) -> tuple[int, ...]:
        """Return how many outputs a model may have, the number it should best have last."""
        return (1, 2) if self._binarizer.y_type_ == "binary" else (rows.shape[1],)

    def _loss_for(self, width: int) -> Choice:
        is_binary = self._is_binary(width)
        default = losses.binary_crossentropy if is_binary else losses.categorical_crossentropy
        return default if self.loss is None else self.loss

    def _is_binary(self, width: int) -> bool:
        """Return whether each output is a probability of its own: of two classes, or of labels."""
        is_labels: bool = self._binarizer.y_type_.startswith("multilabel")
        return width == 1 or is_labels

    def _targets(self, rows: Array) -> Array:
        """Return rows of the model's width; the numbers of classes for a loss that takes them."""
        if rows.shape[1] < self._width:
            rows = np.hstack([1 - rows, rows])
        takes_numbers = function_of(self.model_.loss) in losses.OF_NUMBERED
        return rows.argmax(axis=1) if takes_numbers else rows


@dataclass(eq=False, repr=False)
class NetworkRegressor(Regressing, Wrapped):
    """Any model of `nn` as a regressor, of one or several numbers for each sample.

    Args:    model: copied by each fit (existing weights are the initial ones); or a function of
             the number of targets that returns a model.
             loss: see nn.losses; None: mean_squared_error.
             optimizer, ..., verbose: as for NetworkClassifier.
    Example: >>> from nn import Dense, Sequential
             >>> model = NetworkRegressor(Sequential([Dense(1)]), optimizer="sgd", random_state=0)
             >>> x, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
             >>> model.set_params(epochs=1000).fit(x, y).predict([[10.0]])
             array([21.])
    """

    def _outputs_for(self, rows: Array) -> tuple[int, ...]:
        return (rows.shape[1],)

    def _loss_for(self, width: int) -> Choice:
        return losses.mean_squared_error if self.loss is None else self.loss

    def _targets(self, rows: Array) -> Array:
        return rows


_KINDS = {"classifier": lambda: NetworkClassifier, "regressor": lambda: NetworkRegressor}


def as_estimator(model: Model, kind: str = "classifier", **options: Any) -> Wrapped:
    """Return a model of `nn` as an estimator of scikit-learn.

    Args:    model: copied by each fit; or a function of the number of outputs.
             kind: "classifier" or "regressor".
             options: see NetworkClassifier and NetworkRegressor.
    Returns: a NetworkClassifier or NetworkRegressor.
    Raises:  OptionError: another kind.
    Example: >>> from nn import SGD, Dense, Sequential
             >>> from sklearn.model_selection import cross_val_score
             >>> estimator = as_estimator(Sequential([Dense(1)]), "regressor", optimizer=SGD(0.1))
             >>> x = np.linspace(-1, 1, 100)[:, None]
             >>> cross_val_score(estimator, x, 3 * x[:, 0], cv=3).round(2)
             array([1., 1., 1.])
    """
    return choose("kind", _KINDS, str(kind))()(model, **options)
