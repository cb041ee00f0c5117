"""Learning rates that only fall: in steps, or along a curve."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from autograd_core import OptionError

from .base import Decay, Schedule


@dataclass(eq=False, repr=False)
class ConstantRate(Schedule):
    """The same at every step.

    Example: >>> ConstantRate(0.1)(1000)
             0.1
    """

    learning_rate: float

    def __call__(self, step: float) -> float:
        """Return the learning rate."""
        return self.learning_rate


@dataclass(eq=False, repr=False)
class StepDecay(Decay):
    """Drops by a factor every so many steps: initial * decay_rate^floor(step / decay_steps).

    Args:    initial_learning_rate: at step 0.
             decay_steps: how many steps lie between drops.
             decay_rate: the factor.
    Raises:  OptionError: decay_steps below 1.
    Example: >>> schedule = StepDecay(0.1, decay_steps=10, decay_rate=0.5)
             >>> [schedule(step) for step in (0, 9, 10, 20)]
             [0.1, 0.1, 0.05, 0.025]
    """

    decay_rate: float = 0.5

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        return self.initial_learning_rate * math.pow(self.decay_rate, step // self.decay_steps)


@dataclass(eq=False, repr=False)
class PiecewiseConstantDecay(Schedule):
    """One rate up to and with each boundary, and a last one from there on.

    Args:    boundaries: numbers of steps, rising.
             values: learning rates, one more than boundaries.
    Raises:  OptionError: not one value more, or boundaries that do not rise.
    Example: >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.05, 0.01])
             >>> [schedule(step) for step in (0, 100, 101, 500)]
             [0.1, 0.1, 0.05, 0.01]
    """

    boundaries: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise OptionError(
                f"{len(self.values)} values for {len(self.boundaries)} boundaries",
                "there is one value before each boundary, and one after the last",
                f"{len(self.boundaries) + 1} values",
            )
        if sorted(set(self.boundaries)) != list(self.boundaries):
            raise OptionError(
                f"boundaries {list(self.boundaries)}",
                "each must be larger than the one before it",
                f"{sorted(set(self.boundaries))}, and a value for each",
            )

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        return self.values[bisect_left(self.boundaries, step)]


@dataclass(eq=False, repr=False)
class ExponentialDecay(Decay):
    """Falls by the same factor in the same time: initial * decay_rate^(step / decay_steps).

    Args:    initial_learning_rate: at step 0.
             decay_steps: in how many steps it falls by decay_rate.
             decay_rate: the factor.
             staircase: fall all at once after decay_steps, in place of a little at each.
    Raises:  OptionError: decay_steps below 1.
    Example: >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.25)(5)
             0.05
    """

    decay_rate: float
    staircase: bool = False

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        passed = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate * math.pow(self.decay_rate, passed)


@dataclass(eq=False, repr=False)
class InverseTimeDecay(Decay):
    """Falls like 1 / time: initial / (1 + decay_rate * step / decay_steps).

    Args:    initial_learning_rate: at step 0.
             decay_steps, decay_rate: every decay_steps the divisor grows by decay_rate.
             staircase: fall all at once after decay_steps, in place of a little at each.
    Raises:  OptionError: decay_steps below 1.
    Example: >>> InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5)(2)
             0.05
    """

    decay_rate: float
    staircase: bool = False

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        passed = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * passed)


@dataclass(eq=False, repr=False)
class PolynomialDecay(Decay):
    """Falls to an end: end + (initial - end) * (1 - min(step, decay_steps) / decay_steps)^power.

    Args:    initial_learning_rate: at step 0.
             decay_steps: after how many steps the end is reached.
             end_learning_rate: from there on.
             power: 1: in a straight line.
             cycle: at the end, stretch decay_steps by its own length: the rate leaps up again.
    Raises:  OptionError: decay_steps below 1.
    Example: >>> PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0, power=2.0)(5)
             0.025
    """

    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        length = self.decay_steps
        if self.cycle:
            length *= max(1, math.ceil(step / length))
        left = math.pow(1 - min(step, length) / length, self.power)
        end = self.end_learning_rate
        return end + (self.initial_learning_rate - end) * left
