"""Training: compile, fit, evaluate and predict, with Keras's names and meanings."""

from collections.abc import Iterable, Mapping, Sized
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd_core import OptionError, no_grad

from . import losses, optimizers
from .callbacks import CallbackList, History, Progress, TerminateOnNaN, as_list
from .classes import check_classes, class_weights, times
from .configuration import check_choices, check_range
from .data import batches
from .epochs import (
    EpochMetrics,
    as_array,
    as_batches,
    as_parts,
    check_epochs,
    interruptible,
    split_off,
)
from .metrics import chosen
from .mistakes import check_finite, check_layers, check_reached, check_scale
from .packages import progress_bar
from .randomness import drawing_from
from .steps import Steps, plain
from .targets import decides_at

EVALUATED_AT_ONCE = 256  # samples: matters for speed and memory only


class Training(Steps):
    """What can be compiled, fitted, evaluated and asked for predictions.

    In each step of training: loss = model.loss(y, model(x)) + model.penalty();
    model.zero_grad(); loss.backward(); model.optimizer.step(model). With jit, all of it is one
    program: see autograd_core.compile.
    """

    metrics: Any = MappingProxyType({})  # functions of (targets, predictions), by name
    stop_training = False
    _generator: np.random.Generator | None = None  # a loaded model's own, to continue to the bit

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "metrics" and not isinstance(value, Mapping):
            value = chosen(value, self.loss)
        elif name in ("loss", "optimizer") and isinstance(value, str):
            value = losses.get(value) if name == "loss" else optimizers.get(value)
        super().__setattr__(name, value)

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Iterable[Any] | None = None,
        jit: bool = False,
    ) -> None:
        """Say how to learn.

        Args:    optimizer: a name, such as "adam", or an object; see nn.optimizers.
                 loss: a name or function (y_true, y_pred, sample_weight); see nn.losses. One of
                 (y_true, y_pred) may return a loss for each sample.
                 Options: functools.partial(nn.losses.huber, delta=2.0).
                 metrics: names or functions (y_true, y_pred); see nn.metrics. Where the loss has
                 from_logits=True they take the outputs for logits, too.
                 jit: compile the step of `fit` and `train_on_batch`: the same numbers, sooner. No
                 gradients are kept. Where an attribute of the model, a layer, the loss or the
                 optimizer has changed, the next step is recorded anew.
        Raises:  OptionError: no such name, or a metric named as another figure. With jit, training
                 raises TraceError if a layer or loss takes data out of the graph.
        """
        chosen_loss = losses.get(loss)
        chosen_metrics = chosen(metrics, chosen_loss)
        self.optimizer = optimizers.get(optimizer)
        self.loss, self.metrics = chosen_loss, chosen_metrics
        self.jit = jit
        self._compiled = None

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
    ) -> History:
        """Learn from data, epoch by epoch; Ctrl-C ends it after the current batch.

        Args:    x, y: arrays, lists or frames of samples and targets; or only x, an iterable of
                 batches (x, y) or (x, y, sample_weight).
                 batch_size: samples in each step: all of them for batch descent, 1 for stochastic;
                 None: 32. Of an iterable each batch is a step, in its order.
                 epochs: the number of the last epoch.
                 verbose: 0: silent; 1: a progress bar; 2: a line for each epoch; "auto": the bar
                 in terminals and notebooks, else lines.
                 callbacks: see nn.callbacks; several, one or None.
                 validation_split: share of the samples, the last ones, to validate with.
                 validation_data: (x, y) or (x, y, sample_weight), or an iterable of batches.
                 shuffle: see the samples of arrays in a new order in each epoch.
                 class_weight: weights of the classes in the loss, {0: 1.0, 1: 5.0}, [1.0, 5.0] or
                 "balanced"; of sequences (samples, steps), the weights of each step.
                 sample_weight: weights of the samples, (samples,).
                 initial_epoch: the number of epochs that have been learnt before.
        Returns: the History, whose `history` dict has lists for loss, each metric, val_loss, ...
        Raises:  OptionError: the model was not compiled, or an option out of range.
        Example: >>> import nn
                 >>> nn.set_seed(0)
                 >>> model = nn.Sequential([nn.Dense(1)])
                 >>> model.compile(nn.SGD(0.1), loss="mse")
                 >>> x, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
                 >>> history = model.fit(x, y, epochs=200, verbose=0)
                 >>> round(model.layers[0].weight.data.item(), 2)
                 2.0
        """
        self._check_compiled()
        self.optimizer.check_model(self.named_parameters().values())
        check_range("validation_split", validation_split, 0.0, 1.0)
        check_epochs(epochs, initial_epoch)
        check_choices(shuffle=(shuffle, (True, False)), verbose=(verbose, ("auto", 0, 1, 2)))
        dtype = self._dtype()
        if validation_split:
            if validation_data is not None:
                raise OptionError(
                    f"validation_split={validation_split} beside validation_data",
                    "the model is validated with one or the other",
                    "validation_data, which leaves all of x and y for training; or the split",
                )
            x, y, sample_weight, validation_data = split_off(x, y, sample_weight, validation_split)
        if class_weight is not None:
            sample_weight = self._weighed_classes(y, class_weight, sample_weight)
        callbacks = as_list(callbacks)
        if y is not None and not any(isinstance(each, TerminateOnNaN) for each in callbacks):
            check_finite(x, y, sample_weight)
        data = as_batches(x, y, sample_weight, batch_size, shuffle, dtype)
        if (held_out := as_parts(validation_data)) is not None:
            check_finite(*held_out)
            validation_data = as_batches(*held_out, EVALUATED_AT_ONCE, False, dtype)
            if y is not None:
                check_classes(as_array(y), as_array(held_out[1]), self.loss)
        length = len(data) if isinstance(data, Sized) else None
        history = History()
        progress = Progress(epochs - initial_epoch, length, verbose)
        tell = CallbackList([*callbacks, history, progress], self)
        self.history = history
        self.stop_training = False
        with interruptible(self._stop), self._drawing():
            tell("on_train_begin", {})
            try:
                for epoch in range(initial_epoch, epochs):
                    tell("on_epoch_begin", epoch, {})
                    logs = self._learn_epoch(data, tell, epoch == initial_epoch)
                    if validation_data is not None:
                        validated = self._evaluate(validation_data)
                        logs |= {f"val_{name}": figure for name, figure in validated.items()}
                    tell("on_epoch_end", epoch, logs)
                    if self._stops():
                        break
            finally:
                tell("on_train_end", {})
        return history

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Take one step on one batch.

        Returns: the loss, and the metrics of this batch before the step, by name.
        Raises:  OptionError: the model was not compiled.
        """
        self._check_compiled()
        self.optimizer.check_model(self.named_parameters().values())
        dtype = self._dtype()
        weight = None if sample_weight is None else as_array(sample_weight, dtype)
        x, y = as_array(x, dtype), as_array(y, dtype)
        figures = EpochMetrics(self.metrics)
        self.train()
        with self._drawing():
            figures.add(*self._learn_batch(x, y, weight))
        logs: dict[str, float] = figures.logs()
        return logs

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = 0,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Measure the loss and the metrics, without learning.

        Args:    x, y, sample_weight: as in `fit`.
                 batch_size: of arrays; matters for speed and memory only. None: 256.
                 verbose: 0: silent; else a progress bar.
                 return_dict: return the figures by name.
        Returns: the loss; [loss, *metrics] if there are metrics; or a dict.
        Raises:  OptionError: the model was not compiled.
        """
        self._check_compiled()
        if y is not None:
            check_finite(x, y, sample_weight)
        dtype = self._dtype()
        data = as_batches(x, y, sample_weight, batch_size, False, dtype, EVALUATED_AT_ONCE)
        logs = self._evaluate(data, verbose)
        if return_dict:
            return logs
        return list(logs.values()) if self.metrics else logs["loss"]

    def predict(self, x: Any, batch_size: int = EVALUATED_AT_ONCE, verbose: Any = 0) -> Any:
        """Return the outputs for samples, computed as in evaluation.

        Args:    x: array, list or frame, (samples, ...).
                 batch_size: matters for speed and memory only.
                 verbose: 0: silent; else a progress bar.
        Returns: array, (samples, ...).
        """
        x = as_array(x, self._dtype())
        check_finite(x)
        data = batches(x, batch_size=batch_size)
        with self.evaluating(), no_grad():
            return np.concatenate([plain(self(part)) for part in progress_bar(data, verbose)])

    def predict_classes(self, x: Any, batch_size: int = EVALUATED_AT_ONCE) -> Any:
        """Return the most likely class of each sample: whole numbers, (samples,).

        Where the output is one number, class 1 begins at 1/2, or at 0 if it is a logit (the model
        was compiled with a loss of from_logits=True) or a score of a hinge loss.
        """
        out = self.predict(x, batch_size)
        if out.ndim > 1 and out.shape[-1] > 1:
            return out.argmax(axis=-1)
        return (out.reshape(len(out), -1)[:, 0] > decides_at(self.loss)).astype(int)

    def _check_compiled(self) -> None:
        if self.loss is None:
            raise OptionError(
                f"training or evaluation of {type(self).__name__}",
                "it has no loss to make small: it was not compiled",
                'model.compile(optimizer="adam", loss="mse")',
            )
        if not callable(self.loss):
            raise OptionError(
                f"loss = {self.loss!r}",
                "it is neither a name nor a function",
                '"mse", or a function (y_true, y_pred)',
            )
        if not isinstance(self.optimizer, optimizers.Optimizer):
            raise OptionError(
                f"optimizer = {self.optimizer!r}",
                "it is neither a name nor an optimizer",
                '"adam", or an object of nn.optimizers',
            )

    def _weighed_classes(self, y: Any, class_weight: Any, sample_weight: Any) -> Any:
        """Return the weights of samples times those of their classes."""
        if y is None:
            raise OptionError(
                "class_weight for an iterable of batches",
                "each batch brings the weights of its own samples",
                "batches (x, y, sample_weight)",
            )
        return times(class_weights(as_array(y), class_weight, self.loss), sample_weight)

    def _stop(self) -> None:
        self.stop_training = True

    def _stops(self) -> bool:
        """Return whether training stops here: on any rank, a callback or Ctrl-C asks for it."""
        stops: bool = self._ranks.agreed(self.stop_training)
        if stops:  # never False: Ctrl-C may have set it since
            self._stop()
        return stops

    def _drawing(self) -> AbstractContextManager[None]:
        return nullcontext() if self._generator is None else drawing_from(self._generator)

    def _dtype(self) -> Any:
        """Return the type of the parameters; None while there are none, or for plain numbers."""
        arrays = [p for p in self.named_parameters().values() if p.shape]
        return arrays[0].dtype if arrays else None

    def _learn_epoch(self, data: Any, tell: CallbackList, is_first: bool) -> dict[str, float]:
        """See all batches once; return the figures."""
        self.train()
        figures = self._ranks.figures(self.metrics)
        without: Any = None  # names of parameters that no gradient has reached yet
        for i, batch in enumerate(self._ranks.batches(data)):
            if is_first and i == 0:
                check_scale(self, batch[0])
            tell("on_train_batch_begin", i, {})
            with self._ranks.drawing():
                figures.add(*self._learn_batch(*batch))
            if is_first and i == 0:
                check_layers(self)
            tell("on_train_batch_end", i, {"loss": figures.loss})
            if without != set() and (i == 0 or not self.jit):  # a program keeps no gradients
                trained = {id(p) for p in self.parameters()}
                named = {n: p for n, p in self.named_parameters().items() if id(p) in trained}
                lacking = {name for name, p in named.items() if not p.has_grad}
                if self.jit and len(lacking) == len(named):
                    lacking = set()
                without = lacking if without is None else without & lacking
            if self._stops():
                break
        if is_first:
            check_reached(self, without or ())
        logs: dict[str, float] = figures.logs()
        return logs

    def _evaluate(self, data: Any, verbose: Any = 0) -> dict[str, float]:
        """Return the figures of all batches, without learning."""
        figures = self._ranks.figures(self.metrics)
        with self.evaluating():  # recorded all the same: losses look at what made the predictions
            for batch in progress_bar(self._ranks.batches(data), verbose):
                loss, *seen = self._compare(*batch)
                y, out, mask = map(plain, seen)
                figures.add(self._ranks.averaged(float(loss + self.penalty()), mask), y, out, mask)
        check_layers(self)
        logs: dict[str, float] = figures.logs()
        return logs
