"""Learning rates that rise, too: warm-up, restarts, one cycle; and half waves of the cosine."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..configuration import check_range
from .base import Decay, Schedule


def _half_cosine(start: float, end: float, progress: float) -> float:
    """Return what lies between two rates, along half a wave: slow, fast, slow."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


@dataclass(eq=False, repr=False)
class CosineDecay(Decay):
    """Falls along half a wave of the cosine, after a rise in a straight line if wanted.

    r * (alpha + (1 - alpha) * (1 + cos(pi * min(step, decay_steps) / decay_steps)) / 2), where r
    is the initial rate; with a warm-up r is its target, and steps count from its end.

    Args:    initial_learning_rate: at step 0.
             decay_steps: after how many steps (of the fall) the end is reached.
             alpha: the end, as a part of where the fall starts.
             warmup_target: where the rise leads; None: no rise.
             warmup_steps: how many steps the rise takes.
    Raises:  OptionError: decay_steps below 1.
    Example: >>> schedule = CosineDecay(0.0, decay_steps=10, warmup_target=0.1, warmup_steps=5)
             >>> [round(schedule(step), 4) for step in (0, 1, 5, 10, 15)]
             [0.0, 0.02, 0.1, 0.05, 0.0]
    Source:  Loshchilov and Hutter, SGDR, 2017, eq. 5.
    """

    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        progress = min(step, self.decay_steps) / self.decay_steps
        return _half_cosine(start, self.alpha * start, progress)


@dataclass(eq=False, repr=False)
class CosineDecayRestarts(Schedule):
    """Falls along half a wave of the cosine, and starts again, longer and from another height.

    Period i takes first_decay_steps * t_mul^i steps. At a part p of it the rate is
    initial * (alpha + (1 - alpha) * m_mul^i * (1 + cos(pi * p)) / 2).

    Args:    initial_learning_rate: at step 0.
             first_decay_steps: how long the first period is.
             t_mul: each period is so many times as long as the one before, at least 1.
             m_mul: each starts so many times as high as the one before.
             alpha: the end of each, as a part of the initial rate.
    Raises:  OptionError: first_decay_steps or t_mul below 1.
    Example: >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10)
             >>> [round(schedule(step), 4) for step in (0, 5, 10, 20, 30)]
             [0.1, 0.05, 0.1, 0.05, 0.1]
    Source:  Loshchilov and Hutter, SGDR, 2017, eq. 5. Keras finds the period by a logarithm, whose
             rounding can delay a restart by a step; here it is counted.
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0

    def __post_init__(self) -> None:
        check_range("first_decay_steps", self.first_decay_steps, 1)
        check_range("t_mul", self.t_mul, 1)

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        length, period = self.first_decay_steps, 0.0
        if self.t_mul == 1:
            period, step = divmod(step, length)
        while step >= length:
            step, length, period = step - length, length * self.t_mul, period + 1
        height = math.pow(self.m_mul, period) * (1 + math.cos(math.pi * step / length)) / 2
        return self.initial_learning_rate * (self.alpha + (1 - self.alpha) * height)


@dataclass(eq=False, repr=False)
class OneCycle(Schedule):
    """Rises from low to a peak, then falls to next to nothing; both along half a cosine wave.

    With r(a, b, p) = b + (a - b) * (1 + cos(pi * p)) / 2, u = pct_start * total_steps - 1 and
    e = total_steps - 1: up to step u it is r(peak / div_factor, peak, step / u), and from there
    r(peak, peak / div_factor / final_div_factor, (step - u) / (e - u)).

    Args:    max_learning_rate: the peak.
             total_steps: of the whole cycle; what comes after stays at the end.
             pct_start: the part of the steps that rise, from 0 to 1.
             div_factor: how many times the start lies below the peak.
             final_div_factor: how many times the end lies below the start.
    Raises:  OptionError: total_steps below 2, or pct_start not between 0 and 1.
    Example: >>> schedule = OneCycle(1.0, total_steps=100)
             >>> [schedule(step) for step in (0, 29, 99)]
             [0.04, 1.0, 4e-06]
    Source:  Smith and Topin, Super-convergence, 2018; steps and names are those of PyTorch's
             OneCycleLR with its two phases, without its cycle of the momentum.
    """

    max_learning_rate: float
    total_steps: int
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def __post_init__(self) -> None:
        check_range("total_steps", self.total_steps, 2)
        check_range("pct_start", self.pct_start, 0, 1)

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        peak, start = self.max_learning_rate, self.max_learning_rate / self.div_factor
        top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
        if top > 0 and step <= top:
            return _half_cosine(start, peak, step / top)
        progress = (step - top) / (last - top) if step < last else 1.0
        return _half_cosine(peak, start / self.final_div_factor, progress)


@dataclass(eq=False, repr=False)
class Warmup(Schedule):
    """Rises in a straight line to where another schedule starts, which then follows.

    start + (schedule(0) - start) * step / warmup_steps, then schedule(step - warmup_steps).

    Args:    schedule: what follows: a schedule, a function of the step or a number.
             warmup_steps: how many steps the rise takes.
             initial_learning_rate: where it starts.
    Raises:  OptionError: warmup_steps below 0.
    Example: >>> from nn.schedules import ExponentialDecay
             >>> schedule = Warmup(ExponentialDecay(0.1, 10, 0.5), warmup_steps=5)
             >>> [schedule(step) for step in (0, 1, 5, 15)]
             [0.0, 0.02, 0.1, 0.05]
    Source:  Goyal et al., Accurate, large minibatch SGD, 2017, section 2.2.
    """

    schedule: Callable[[float], float] | float
    warmup_steps: int
    initial_learning_rate: float = 0.0

    def __post_init__(self) -> None:
        check_range("warmup_steps", self.warmup_steps, 0)

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        late = max(step - self.warmup_steps, 0)
        rate = self.schedule(late) if callable(self.schedule) else self.schedule
        if step >= self.warmup_steps:
            return rate
        start = self.initial_learning_rate
        return start + (rate - start) * step / self.warmup_steps
