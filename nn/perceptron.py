"""Perceptron: a neuron with two outputs, and the rule by which it learns."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_core import DomainError, OptionError, ShapeError, Value, no_grad
from autograd_core.data import Array, Operand

from .configuration import Choice, check_range
from .data import whole_number
from .mistakes import warn
from .neurons import Neuron


class Update(NamedTuple):
    """One step of the perceptron rule: what was shown, what came out, what changed.

    Weights stand as (b, w[0], w[1], ...), bias first; without it if there is none.
    """

    epoch: int
    sample: tuple[float, ...]
    target: float
    output: float
    before: tuple[float, ...]
    after: tuple[float, ...]


class Perceptron(Neuron):
    """A neuron with a step: it fires where z = w[0] * x[0] + w[1] * x[1] + ... + b >= 0.

    The bias is minus the threshold that the weighted inputs must reach. `Perceptron.of(weights,
    bias)` has given weights; `fit` learns them.

    Args:    nin: how many inputs.
             outputs: at rest and when firing: (0, 1), or (-1, 1).
             initializer: see Neuron; weights start at 0 by default.
             use_bias: see Neuron.
    Raises:  OptionError: nin below 1, an unknown name, or outputs that are no two rising numbers.
    Example: >>> any_two = Perceptron.of([1, 1, 1], bias=-2)
             >>> any_two([1, 0, 1]).data, any_two([0, 1, 0]).data
             (1.0, 0.0)

    Source:  F. Rosenblatt, The Perceptron, Psychological Review 65, 1958.
    """

    def __init__(
        self,
        nin: int,
        outputs: Sequence[float] = (0, 1),
        initializer: Choice = "zeros",
        use_bias: bool = True,
    ) -> None:
        if not isinstance(outputs, Iterable) or len(outputs) != 2 or not outputs[0] < outputs[1]:
            raise OptionError(
                f"outputs = {outputs!r}",
                "a perceptron has two, the one at rest below the one when firing",
                "outputs=(0, 1) or outputs=(-1, 1)",
            )
        super().__init__(nin, activation="step", initializer=initializer, use_bias=use_bias)
        self.outputs = tuple(outputs)

    def forward(self, x: Operand) -> list[Value]:
        """Return a list of one: the output at rest, or the one when firing."""
        rest, firing = self.outputs
        fired = super().forward(x)
        return fired if (rest, firing) == (0, 1) else [rest + (firing - rest) * y for y in fired]

    def fit(  # type: ignore[override] # the rule has no loss, no optimizer and no batches
        self, x: Operand, y: Operand, learning_rate: float = 1.0, epochs: int = 100
    ) -> list[Update]:
        """Learn by the perceptron rule, sample by sample, until an epoch makes no mistake.

        Where a sample gives the wrong output, w += learning_rate * d * x and
        b += learning_rate * d, with d = 1 if it should have fired and -1 if not. If a line (a
        plane, ...) separates the classes, finitely many updates find one; if not, it never stops
        by itself, and a warning says so after the last epoch.

        Args:    x: (samples, nin).
                 y: (samples,), each one of the two outputs.
                 learning_rate: how far a mistake moves the weights, at least 0.
                 epochs: how often all samples are shown, at most, in the order given.
        Returns: every update, in order.
        Raises:  ShapeError: x or y of another shape. DomainError: a target that is no output.
                 OptionError: learning_rate or epochs out of range.
        Example: >>> either = Perceptron(2)
                 >>> updates = either.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1])
                 >>> [w.data for w in either.w], either.b.data
                 ([1.0, 1.0], -1.0)
                 >>> updates[0].before, updates[0].after
                 ((0.0, 0.0, 0.0), (-1.0, 0.0, 0.0))

        Source:  A. Novikoff, On Convergence Proofs for Perceptrons, 1962.
        """
        self._require_trainable()
        samples = self._samples(x)
        targets = self._targets(y, len(samples))
        check_range("learning_rate", learning_rate, 0.0)
        updates: list[Update] = []
        for epoch in range(1, whole_number("epochs", epochs) + 1):
            known = len(updates)
            for sample, target in zip(samples.tolist(), targets.tolist(), strict=True):
                updates += self._learn(epoch, sample, target, learning_rate)
            if len(updates) == known:
                return updates
        wrong = int((self.predict(samples) != targets).sum())
        if wrong:
            warn(
                "separable",
                f"{wrong} of {len(samples)} samples wrong after {epochs} epochs of {self}",
                "perhaps no line separates the classes, and then the perceptron rule never ends",
                f"a hidden layer, MLP({self.nin}, [4, 1]), or more than epochs={epochs}",
            )
        return updates

    def predict(self, x: Operand, *args: Any, **options: Any) -> Array:
        """Return the outputs for samples.

        Args:    x: (samples, nin).
                 args, options: as in `Module.predict`.
        Returns: array (samples,).
        Raises:  ShapeError: x of another shape.
        Example: >>> Perceptron.of([1, 1], bias=-2).predict([[0, 1], [1, 1]])
                 array([0., 1.])
        """
        return super().predict(self._samples(x), *args, **options)[:, 0]

    def _learn(
        self, epoch: int, sample: Array, target: float, learning_rate: float
    ) -> list[Update]:
        """Show one sample; return the update if there was one."""
        with no_grad():
            output = float(self(sample))
        if output == target:
            return []
        before = self._weights()
        step = learning_rate if target > output else -learning_rate
        for weight, number in zip(self.w, sample, strict=True):
            weight.data += step * number
        if self.b is not None:
            self.b.data += step
        return [Update(epoch, tuple(sample), target, output, before, self._weights())]

    def _weights(self) -> tuple[float, ...]:
        bias = [] if self.b is None else [self.b]
        return tuple(float(value) for value in [*bias, *self.w])

    def _samples(self, x: Operand) -> Array:
        samples = np.asarray(x, np.float64)
        if samples.ndim != 2:
            raise ShapeError(
                f"samples of shape {samples.shape} for {self}",
                "each row is a sample",
                f"an array of shape (samples, {self.nin})",
            )
        return samples

    def _targets(self, y: Operand, count: int) -> Array:
        targets = np.asarray(y, np.float64)
        if targets.shape not in ((count,), (count, 1)):
            raise ShapeError(
                f"targets of shape {targets.shape} for {count} samples",
                "each sample has one target",
                f"y of shape ({count},)",
            )
        strange = sorted(set(targets.ravel().tolist()) - set(self.outputs))
        if strange:
            raise DomainError(
                f"targets {', '.join(map(str, strange))} for {self}",
                f"its outputs are {self.outputs[0]} and {self.outputs[1]}",
                "such targets, or outputs=(-1, 1) for signs",
            )
        return targets.ravel()

    def __repr__(self) -> str:
        return f"Perceptron({len(self.w)})"
