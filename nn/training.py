"""Training: the step on one batch, and the epochs that it is part of.

`step` is the loop of the documentation, "loss, zero_grad, backward, step", on one batch. With jit a
program carries it out (`CompiledStep`). Of several processes each computes a share of the batch,
and gradients are averaged before the optimizer moves parameters (`SingleProcess`, nn.parallel).
"""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from types import FrameType
from typing import TypeAlias

import numpy as np

from autograd_core import DataError, Value, compile, gradients, no_grad
from autograd_core.data import Array, Function, Operand, Result, Tree

from .callbacks import CallbackList
from .configuration import Model
from .losses import fitting_mask, loss_of
from .metrics import measured
from .mistakes import (
    check_layers,
    check_loss,
    check_reached,
    check_scale,
    check_trained,
    warn,
)
from .packages import progress_bar
from .settings import Settings

Metrics: TypeAlias = Mapping[str, Function]
OFTEN = 10  # recordings of a step, from which on a warning says that settings vary


def step(
    model: Model, x: Operand, y: Operand, weight: Operand = None
) -> tuple[float, Operand, Operand, Operand]:
    """Take one step on one batch.

    Args:    model: compiled, with an optimizer and a loss.
             x, y, weight: samples, targets, and weights of the samples or None.
    Returns: the loss before the step, targets, predictions, and their mask or None.
    """
    compiled = model._compiled if model.jit else None
    if compiled is not None and compiled.is_current():
        loss, y, out, mask = compiled(x, y, weight)
        parts, learning, has_moved = compiled.parts, compiled.parameters, compiled.moves
    else:
        loss, y, out, mask = compare(model, x, y, weight)
        parts, parameters = model.inside()  # one walk for all that follows
        loss = penalized(loss, parts)
        for parameter in parameters:  # zero_grad
            parameter.grad = None
        if isinstance(loss, Value):  # a plain number where nothing has parameters
            loss.backward()
        learning, has_moved = model.trained(parts, parameters), False
    mean = model._ranks.averaged(float(plain(loss)), plain(mask), learning)
    if not learning:
        check_trained(model)
    elif not has_moved:
        model.optimizer.step(learning, partial(hold, parts))
    if model.jit and learning and (compiled is None or parts is not compiled.parts):
        model._compiled = CompiledStep(model, compiled)  # parameters have their slots from here on
    return mean, y, plain(out), plain(mask)


def compare(
    model: Model, x: Operand, y: Operand, weight: Operand = None
) -> tuple[Result, Operand, Operand, Operand]:
    """Return the loss without penalties, targets, predictions and their mask, or None."""
    out = model(x)
    mask = fitting_mask(model.output_mask(x, None), out)
    y = paired(y if isinstance(y, Value) else np.asarray(y), out)
    return loss_of(model.loss, y, out, weight, mask), y, out, mask


def penalized(loss: Operand, parts: list[Model]) -> Result:
    """Return the loss with what the regularizers of the parts add to it."""
    penalty = sum([part.own_penalty() for part in parts])
    return loss + penalty if isinstance(penalty, Value) or penalty != 0.0 else loss


def hold(parts: list[Model]) -> None:
    """Hold the parameters of some parts to their constraints; an interrupt leaves none out."""
    try:
        for part in parts:
            part.constrain_own()
    except BaseException:
        for part in parts:
            part.constrain_own()
        raise


def paired(y: Operand, out: Operand) -> Result:
    """Return targets (n,) as a column where the predictions are one, and the other way round."""
    if y.ndim == len(out.shape) - 1 and out.shape[-1] == 1:
        return y[..., None]
    if y.ndim == len(out.shape) + 1 and y.shape[-1] == 1:
        return y[..., 0]
    return y


def plain(out: Operand) -> Result:
    """Return the data of a Value, and anything else as it is."""
    return out.data if isinstance(out, Value) else out


class CompiledStep:
    """A step of a model as a program, with the settings that it was recorded with.

    Args:    model: which has taken a step, and so has its parameters and its optimizer's slots.
             earlier: the compiled step that this one replaces.
    """

    read_anew = frozenset(("moves", "moving", "_is_new"))

    def __init__(self, model: Model, earlier: "CompiledStep | None" = None) -> None:
        self.model = model
        self.parts, parameters = model.inside()
        self.parameters = model.trained(self.parts, parameters)
        self.moves = True  # whether the program moves parameters, or returns their gradients
        self.moving = self.parameters  # of which a step gives other data to one at least
        self.recordings: int = earlier.recordings + 1 if earlier else 1
        self._program = compile(self._descend)
        self._is_new = True  # not recorded yet
        self._settings = Settings({"model": model})
        self._slots = len(model.optimizer.slots)

    def is_current(self) -> bool:
        """Return whether the model's settings are those of the recording; warn if they vary."""
        changed = self._settings.changed()
        if changed is None and len(self.model.optimizer.slots) != self._slots:
            changed = "optimizer.slots"
        if changed is not None and self.recordings == OFTEN:
            warn(
                "jit",
                f"jit=True with {changed} that has changed again, as settings did {OFTEN} times",
                "each change of an attribute takes a step without the program, and a recording",
                "attributes that stay; learning_rate may change; jit=False where others vary",
            )
        return changed is None

    def __call__(
        self, x: Operand, y: Operand, weight: Operand
    ) -> tuple[Result, Operand, Operand, Operand]:
        """Carry out the program; return the loss, targets, predictions and their mask.

        Parameters have then moved; or have their gradients, where these accumulate or are averaged
        with those of other processes first.
        """
        model, optimizer = self.model, self.model.optimizer
        self.moves = not (optimizer.gradient_accumulation_steps or model._ranks.updates_apart)
        before = [(p, p.data) for p in self.moving]
        run = partial(self._program, x, y, weight, optimizer.current_learning_rate(), self.moves)
        with no_grad():  # which gradients do not need
            loss, out, mask, found = (
                optimizer.one_step(
                    run,
                    lambda: any(p.data is not data for p, data in before),
                    partial(hold, self.parts),
                )
                if self.moves
                else run()
            )
        if self._is_new:
            self._settings.leave_out_changes()
            self._is_new = False
        for parameter, gradient in zip(self.parameters, found, strict=True):
            parameter.grad = plain(gradient)
        return loss, paired(y, out), out, mask

    def _descend(
        self, x: Operand, y: Operand, weight: Operand, rate: Operand, moves: bool
    ) -> tuple[Result, ...]:
        """Do what `step` does, to be compiled.

        Parameters that the loss does not reach stay as they are. Gradients are returned only where
        the update is made elsewhere: a program that keeps them to itself writes them into the same
        memory every time.
        """
        loss, _, out, mask = compare(self.model, x, y, weight)
        loss = penalized(loss, self.parts)
        found = gradients(loss, self.parameters, create_graph=True)
        reached = [g if isinstance(g, Value) else None for g in found]
        if not moves:
            return loss, out, mask, reached
        pairs = zip(self.parameters, reached, strict=True)
        moving = {p: g for p, g in pairs if g is not None}
        self.moving = [*moving][:1]
        self.model.optimizer.trace(moving, rate)
        return loss, out, mask, [None] * len(reached)


def learn(
    model: Model,
    data: Iterable[Tree],
    validation: Iterable[Tree] | None,
    callbacks: CallbackList,
    epochs: Iterable[int],
    validates: Callable[[int], bool],
) -> None:
    """Learn from batches, epoch by epoch; Ctrl-C ends it after the current batch.

    Args:    validates: whether the model is validated after an epoch.
    """
    with interruptible(partial(setattr, model, "stop_training", True)), model._drawing():
        callbacks("on_train_begin", {})
        try:
            is_first = True
            for epoch in epochs:
                callbacks("on_epoch_begin", epoch, {})
                logs = _learn_epoch(model, data, callbacks, epoch, is_first)
                if validation is not None and validates(epoch):
                    validated = measure(model, validation, callbacks)
                    logs |= {f"val_{name}": figure for name, figure in validated.items()}
                callbacks("on_epoch_end", epoch, logs)
                is_first = False
                if _stops(model):
                    break
        finally:
            callbacks("on_train_end", {})


def _learn_epoch(
    model: Model, data: Iterable[Tree], callbacks: CallbackList, epoch: int, is_first: bool
) -> dict[str, float]:
    """See all batches once; return the loss and the metrics."""
    model.train()
    metrics: EpochMetrics = model._ranks.metrics(model.metrics)
    expects_nan = any(each.expects_nan for each in callbacks.callbacks)
    without: set[str] | None = None  # names of parameters that no gradient has reached yet
    count = 0
    for i, batch in enumerate(model._ranks.batches(data)):
        count = i + 1
        if is_first and i == 0:
            check_scale(model, batch[0])
        callbacks("on_train_batch_begin", i, {})
        with model._ranks.drawing():
            loss, *outputs = step(model, *batch)
        metrics.add(loss, *outputs)
        if not expects_nan:
            check_loss(loss, epoch, i, batch)
        if is_first and i == 0:
            check_layers(model)
        callbacks("on_train_batch_end", i, {"loss": metrics.loss})
        if without != set() and (i == 0 or not model.jit):  # a program keeps no gradients
            lacking = _unreached(model)
            without = lacking if without is None else without & lacking
        if _stops(model):
            break
    _check_any(count)
    if is_first:
        check_reached(model, without or ())
    return metrics.logs()


def _unreached(model: Model) -> set[str]:
    """Return the names of trained parameters without a gradient; none, if none has one with jit."""
    learning = model.parameters()
    lacking = {id(p) for p in learning if not p.has_grad}
    if not lacking or (model.jit and len(lacking) == len(learning)):
        return set()
    return {name for name, p in model.named_parameters().items() if id(p) in lacking}


def _stops(model: Model) -> bool:
    """Return whether training stops here: on any rank, a callback or Ctrl-C asks for it."""
    stops: bool = model._ranks.agreed(model.stop_training)
    if stops:  # never False: Ctrl-C may have set it since
        model.stop_training = True
    return stops


def measure(
    model: Model, data: Iterable[Tree], callbacks: CallbackList, verbose: str | int = 0
) -> dict[str, float]:
    """Return the loss and the metrics of batches, without learning."""
    metrics: EpochMetrics = model._ranks.metrics(model.metrics)
    callbacks("on_test_begin", {})
    count = 0
    with model.evaluating():  # recorded all the same: losses look at what made the predictions
        for i, batch in enumerate(progress_bar(model._ranks.batches(data), verbose)):
            count = i + 1
            callbacks("on_test_batch_begin", i, {})
            loss, y, out, mask = compare(model, *batch)
            mean = model._ranks.averaged(float(loss + model.penalty()), plain(mask))
            metrics.add(mean, plain(y), plain(out), plain(mask))
            callbacks("on_test_batch_end", i, {"loss": metrics.loss})
    _check_any(count)
    check_layers(model)
    logs = metrics.logs()
    callbacks("on_test_end", logs)
    return logs


def _check_any(batches: int) -> None:
    """Refuse a pass without a batch, whose loss would be 0.

    Raises:  DataError: there was none.
    """
    if not batches:
        raise DataError(
            "a pass over data without a batch",
            "an iterator is used up after one pass, and an empty list has none",
            "arrays, a list of batches, or nn.batches(x, y)",
        )


class EpochMetrics:
    """Sums up an epoch: the mean loss, and metrics of all predictions together, exactly.

    Args:    metrics: functions of (targets, predictions), by name.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._total = 0.0
        self._samples = 0
        self._kept: list[tuple[Array, Array, Array | None]] = []

    def add(self, loss: float, y: Operand, out: Operand, mask: Operand = None) -> None:
        """Add a batch: its mean loss, targets, predictions and mask, (batch, steps) or None."""
        self._total += loss * len(y)
        self._samples += len(y)
        if self._metrics:
            self._kept.append((y, out, mask))

    @property
    def loss(self) -> float:
        """The mean loss so far."""
        return self._total / max(self._samples, 1)

    def logs(self) -> dict[str, float]:
        """Return the loss and all metrics by name."""
        logs = {"loss": self.loss}
        if self._kept:
            y, out, mask = (
                None if parts[0] is None else np.concatenate(parts)
                for parts in zip(*self._kept, strict=True)
            )
            for name, metric in self._metrics.items():
                logs[name] = measured(metric, y, out, mask)
        return logs


class SingleProcess:
    """What one process does in each pass; nn.parallel has what several do."""

    updates_apart = False  # whether gradients leave a compiled step before they move parameters

    def batches(self, data: Iterable[Tree]) -> Iterable[Tree]:
        """Return the batches that this process computes: all of them."""
        return data

    def metrics(self, metrics: Metrics) -> EpochMetrics:
        """Return what sums up a pass."""
        return EpochMetrics(metrics)

    def drawing(self) -> AbstractContextManager[None]:
        """Return a block in which a batch is learnt: random numbers come from where they did."""
        return nullcontext()

    def agreed(self, stops: bool) -> bool:
        """Return whether training stops here."""
        return stops

    def averaged(
        self, loss: float, mask: Operand = None, parameters: Iterable[Value] = ()
    ) -> float:
        """Return the loss of the batch, and leave its gradients in the parameters.

        Args:    mask: the steps over which the loss is a mean; None: it is one over samples.
        """
        return loss


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C call `stop`, so that a batch is not torn apart; a second Ctrl-C breaks off."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
