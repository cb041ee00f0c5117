"""One step of training on one batch: recorded anew each time, or as a compiled program."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Value, compile, gradients, no_grad

from .epochs import Alone, paired
from .state import State


class Steps(State):
    """What can take a step: predictions, loss, gradients, and the optimizer's update."""

    optimizer: Any = None
    loss: Any = None
    _program: Callable[..., Any] | None = None  # the compiled step of this fit
    _inside: tuple[list[Any], list[Value]] = ([], [])  # its parts and parameters
    _ranks: Any = Alone()  # those that learn together: see nn.parallel
    __call__: Callable[..., Any]

    def _compare(self, x: Any, y: Any, weight: Any = None) -> tuple[Any, Any, Any]:
        """Return the loss without penalties, the targets and the predictions of a batch."""
        out = self(x)
        y = paired(y if isinstance(y, Value) else np.asarray(y), out)
        return self.loss(y, out, sample_weight=weight), y, out

    def _learn_batch(self, x: Any, y: Any, weight: Any = None) -> tuple[float, Any, Any]:
        """Take one step down the gradient; return the loss before it, targets and predictions."""
        if self._program is not None:
            return self._replay_batch(self._program, x, y, weight)
        loss, y, out = self._compare(x, y, weight)
        parts, parameters = self.inside()  # one walk in place of four
        penalty = sum([part.own_penalty() for part in parts])
        loss = loss + penalty if isinstance(penalty, Value) else loss
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        mean = self._ranks.averaged(float(loss), parameters)
        self.optimizer.step(parameters)
        for part in parts:
            part.constrain_own()
        return mean, y, plain(out)

    def _make_program(self) -> None:
        """Compile the step; the batch before has made the parameters and the optimizer's slots."""
        self._program = compile(self._descend)
        self._inside = self.inside()

    def _descend(self, x: Any, y: Any, weight: Any, rate: Any) -> tuple[Any, Any, list[Any]]:
        """Do what `_learn_batch` does, to be compiled.

        Gradients are returned only where the update is made elsewhere: a program that keeps them
        to itself writes them into the same memory every time.
        """
        parts, parameters = self._inside
        loss, _, out = self._compare(x, y, weight)
        loss = loss + sum([part.own_penalty() for part in parts])
        found = dict(zip(parameters, gradients(loss, parameters), strict=True))
        # What no derivative reaches has a plain 0, and is left alone as by the optimizer's `step`
        reached = {p: g for p, g in found.items() if isinstance(g, Value)}
        if self._updates_apart():
            return loss, out, [reached.get(p) for p in parameters]
        self.optimizer.apply(reached, rate)
        return loss, out, []

    def _replay_batch(
        self, program: Callable[..., Any], x: Any, y: Any, weight: Any
    ) -> tuple[float, Any, Any]:
        """Take one step down the gradient by the compiled program."""
        optimizer, (parts, parameters) = self.optimizer, self._inside
        rate = optimizer.current_learning_rate()
        optimizer.iterations += 1
        with no_grad():  # gradients of gradients are of no use here
            loss, out, reached = program(x, y, weight, rate)
        for parameter, gradient in zip(
            parameters, reached or [None] * len(parameters), strict=True
        ):
            parameter.grad = plain(gradient)
        mean = self._ranks.averaged(float(loss), parameters)
        if self._updates_apart():
            optimizer.apply({p: p.grad for p in parameters if p.has_grad}, rate)
        for part in parts:
            part.constrain_own()
        return mean, paired(y, out), plain(out)

    def _updates_apart(self) -> bool:
        return bool(self.optimizer.gradient_accumulation_steps) or self._ranks.updates_apart


def plain(out: Any) -> Any:
    """Return the data of a Value, and anything else as it is."""
    return out.data if isinstance(out, Value) else out
