"""One step of training on one batch: recorded anew each time, or as a compiled program."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from autograd_core import Value, compile, gradients, no_grad

from .epochs import SingleProcess, paired
from .losses import fitting_mask, loss_of
from .mistakes import check_trained, warn
from .settings import Settings
from .state import State, hold, trained

OFTEN = 10  # recordings of a step, from which on a warning says that settings vary


class Steps(State):
    """What can take a step: predictions, loss, gradients, and the optimizer's update."""

    read_anew = frozenset(
        ("history", "jit", "metrics", "stop_training", "_compiled", "_generator", "_ranks")
    )

    optimizer: Any = None
    loss: Any = None
    jit = False
    _compiled: "CompiledStep | None" = None
    _ranks: Any = SingleProcess()  # those that learn together: see nn.parallel
    __call__: Callable[..., Any]
    output_mask: Callable[..., Any]

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies and pickles keep: all but the compiled step."""
        return {name: value for name, value in vars(self).items() if name != "_compiled"}

    def _compare(self, x: Any, y: Any, weight: Any = None) -> tuple[Any, Any, Any, Any]:
        """Return the loss without penalties, targets, predictions and their mask, or None."""
        out = self(x)
        mask = fitting_mask(self.output_mask(x, None), out)
        y = paired(y if isinstance(y, Value) else np.asarray(y), out)
        return loss_of(self.loss, y, out, weight, mask), y, out, mask

    def _penalized(self, loss: Any, parts: list[Any]) -> Any:
        """Return the loss with what the regularizers of the parts add to it."""
        penalty = sum([part.own_penalty() for part in parts])
        return loss + penalty if isinstance(penalty, Value) or penalty != 0.0 else loss

    def _learn_batch(self, x: Any, y: Any, weight: Any = None) -> tuple[float, Any, Any, Any]:
        """Take one step; return the loss before it, targets, predictions and their mask."""
        if self.jit and self._compiled is not None and self._compiled.is_current(self):
            return self._replay_batch(self._compiled, x, y, weight)
        loss, y, out, mask = self._compare(x, y, weight)
        parts, parameters = self.inside()  # one walk instead of four
        loss = self._penalized(loss, parts)
        for parameter in parameters:
            parameter.grad = None
        if isinstance(loss, Value):  # a plain number where nothing has parameters
            loss.backward()
        learning = trained(parts, parameters)
        mean = self._ranks.averaged(float(plain(loss)), plain(mask), learning)
        if learning:
            self.optimizer.step(learning, partial(hold, parts))
        else:
            check_trained(self)
        if self.jit and learning:  # which have the optimizer's slots from here on
            self._compiled = CompiledStep(self, self._compiled)
        return mean, y, plain(out), plain(mask)

    def _replay_batch(
        self, compiled: "CompiledStep", x: Any, y: Any, weight: Any
    ) -> tuple[float, Any, Any, Any]:
        """Take one step down the gradient by the compiled program."""
        optimizer, parameters = self.optimizer, compiled.parameters
        updates_apart = bool(optimizer.gradient_accumulation_steps) or self._ranks.updates_apart
        rate, constrain = optimizer.current_learning_rate(), partial(hold, compiled.parts)
        before = [(p, p.data) for p in compiled.moving]
        one_step = optimizer.one_step(lambda: any(p.data is not d for p, d in before), constrain)
        with nullcontext() if updates_apart else one_step, no_grad():  # which gradients do not need
            loss, out, mask, reached = compiled(x, y, weight, rate, updates_apart)
        for parameter, gradient in zip(
            parameters, reached or [None] * len(parameters), strict=True
        ):
            parameter.grad = plain(gradient)
        mean = self._ranks.averaged(float(loss), plain(mask), parameters)
        if updates_apart:
            reaching = {p: p.grad for p in parameters if p.has_grad}
            optimizer.apply(reaching, rate, constrain)
        return mean, paired(y, out), plain(out), plain(mask)


class CompiledStep:
    """A step of a model as a program, with the settings that it was recorded with.

    Args:    model: which has taken a step, and so has its parameters and its optimizer's slots.
             earlier: the compiled step that this one replaces.
    """

    read_anew = frozenset(("moving", "_is_new"))

    def __init__(self, model: Steps, earlier: "CompiledStep | None" = None) -> None:
        self.parts, parameters = model.inside()
        self.parameters = trained(self.parts, parameters)
        self.moving = self.parameters  # of which a step gives other data to one at least
        self.model = model
        self._program = compile(self._descend)
        self.recordings: int = earlier.recordings + 1 if earlier else 1
        self._is_new = True  # not recorded yet
        self._settings = Settings({"model": model})
        self._slots = len(model.optimizer.slots)

    def is_current(self, model: Steps) -> bool:
        """Return whether the model's settings are those of the recording; warn if they vary."""
        changed = self._settings.changed()
        if changed is None and len(model.optimizer.slots) != self._slots:
            changed = "optimizer.slots"
        if changed is not None and self.recordings == OFTEN:
            warn(
                "jit",
                f"jit=True with {changed} that has changed again, as settings did {OFTEN} times",
                "each change of an attribute takes a step without the program, and a recording",
                "attributes that stay; learning_rate may change; jit=False where others vary",
            )
        return changed is None

    def __call__(self, *batch: Any) -> Any:
        """Take the step, and return the loss, the predictions, their mask and gradients."""
        results = self._program(*batch)
        if self._is_new:
            self._settings.leave_out_changes()
            self._is_new = False
        return results

    def _descend(
        self, x: Any, y: Any, weight: Any, rate: Any, updates_apart: bool
    ) -> tuple[Any, Any, Any, list[Any]]:
        """Do what `_learn_batch` does, to be compiled.

        Parameters that the loss does not reach stay as they are. Gradients are returned only where
        the update is made elsewhere: a program that keeps them to itself writes them into the same
        memory every time.
        """
        model = self.model
        loss, _, out, mask = model._compare(x, y, weight)
        loss = model._penalized(loss, self.parts)
        found = gradients(loss, self.parameters, create_graph=True)
        reached = [g if isinstance(g, Value) else None for g in found]
        if updates_apart:
            return loss, out, mask, reached
        pairs = zip(self.parameters, reached, strict=True)
        moving = {p: g for p, g in pairs if g is not None}
        self.moving = [*moving][:1]
        model.optimizer.move(moving, rate)
        return loss, out, mask, []


def plain(out: Any) -> Any:
    """Return the data of a Value, and anything else as it is."""
    return out.data if isinstance(out, Value) else out
