"""Schedules: learning rates that follow the number of the step, which counts from 0.

A schedule is called with that number, and so may any function be: SGD(lambda step: 1 / (9 + step)).
Names and arguments are Keras's where Keras has the schedule.

- `Schedule`: the class to make one's own from
- `ConstantRate`, `StepDecay`, `PiecewiseConstantDecay`, `ExponentialDecay`, `InverseTimeDecay`,
  `PolynomialDecay`, `CosineDecay`: they fall
- `CosineDecayRestarts`, `OneCycle`, `Warmup`: they rise, too
- `get`: what may stand for a learning rate, checked
- `learning_rate_finder`: tries rates from tiny to huge, and looks at the loss
"""

import inspect
import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autograd_core import OptionError, explained_call
from autograd_core.data import Function, Operand

from .configuration import (
    Choice,
    Configured,
    Model,
    check_range,
    choose,
    configured,
    name_of,
    positions,
)
from .data import as_array, batches, whole_number

__all__ = [
    "BY_NAME",
    "ConstantRate",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "Schedule",
    "StepDecay",
    "Warmup",
    "get",
]


class Schedule(Configured):
    """A learning rate for each step: schedule(step)."""

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step, from 0."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(self, step)")


@configured
class Decay(Schedule):
    """What the decays share: where they start, and how many steps they take."""

    initial_learning_rate: float
    decay_steps: float

    def __post_init__(self) -> None:
        check_range("decay_steps", self.decay_steps, 1)


@configured
class ConstantRate(Schedule):
    """The same at every step.

    Example: >>> ConstantRate(0.1)(1000)
             0.1
    """

    learning_rate: float

    def __call__(self, step: float) -> float:
        """Return the learning rate."""
        return self.learning_rate


@configured
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


@configured
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
        for name, given in (("boundaries", self.boundaries), ("values", self.values)):
            if not isinstance(given, Sequence | np.ndarray) or isinstance(given, str):
                raise OptionError(f"{name} = {given!r}", "it must be a list", f"{name}=[...]")
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


@configured
class ExponentialDecay(Decay):
    """Falls by the same factor in the same time: initial * decay_rate^(step / decay_steps).

    Args:    initial_learning_rate: at step 0.
             decay_steps: in how many steps it falls by decay_rate.
             decay_rate: the factor.
             staircase: fall all at once after decay_steps, instead of a little at each.
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


@configured
class InverseTimeDecay(Decay):
    """Falls like 1 / time: initial / (1 + decay_rate * step / decay_steps).

    Args:    initial_learning_rate: at step 0.
             decay_steps, decay_rate: every decay_steps the divisor grows by decay_rate.
             staircase: fall all at once after decay_steps, instead of a little at each.
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


@configured
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


def _half_cosine(start: float, end: float, progress: float) -> float:
    """Return what lies between two rates, along half a wave: slow, fast, slow."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


@configured
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


@configured
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


@configured
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


@configured
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
        self.schedule = get(self.schedule)
        check_range("warmup_steps", self.warmup_steps, 0)

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step."""
        late = max(step - self.warmup_steps, 0)
        rate = self.schedule(late) if callable(self.schedule) else self.schedule
        if step >= self.warmup_steps:
            return rate
        start = self.initial_learning_rate
        return start + (rate - start) * step / self.warmup_steps


BY_NAME: dict[str, Function] = {
    "constant": ConstantRate,
    "step_decay": StepDecay,
    "piecewise_constant_decay": PiecewiseConstantDecay,
    "exponential_decay": ExponentialDecay,
    "inverse_time_decay": InverseTimeDecay,
    "polynomial_decay": PolynomialDecay,
    "cosine_decay": CosineDecay,
    "cosine_decay_restarts": CosineDecayRestarts,
    "warmup": Warmup,
    "one_cycle": OneCycle,
}


def get(rate: Choice) -> Choice:
    """Return a schedule, a function of the step, or a number as it is.

    Raises:  OptionError: a name or a class, which do not say how fast; an object or a function that
             cannot be called with the number of a step.
    Example: >>> get(0.5), get(StepDecay(0.1, 10))
             (0.5, StepDecay(initial_learning_rate=0.1, decay_steps=10))
    """
    kind = BY_NAME.get(rate) if isinstance(rate, str) else rate
    if isinstance(kind, type) and issubclass(kind, Schedule):
        raise OptionError(
            f"schedule {rate!r}" if isinstance(rate, str) else f"the class {kind.__name__}",
            "a schedule has rates and numbers of steps, which no default can know",
            f"nn.schedules.{kind.__name__}({', '.join(inspect.signature(kind).parameters)})",
        )
    if isinstance(rate, str):
        return choose("schedule", BY_NAME, rate)  # which refuses it
    if isinstance(rate, type) or (isinstance(rate, Configured) and not isinstance(rate, Schedule)):
        what = f"the class {rate.__name__}" if isinstance(rate, type) else repr(rate)
    elif callable(rate):
        if _takes_step(rate):
            return rate
        if not positions(rate, 1):  # as in Keras: it returns the rate of now
            return lambda _: rate()
        what = name_of(rate)
    else:
        return rate
    raise OptionError(
        f"{what} as a learning rate",
        "it is neither a number nor a function of the number of the step",
        "learning_rate=0.01, a schedule of nn.schedules, or lambda step: ...",
    )


def _takes_step(function: Function) -> bool:
    """Return whether a function can be called with the number of a step alone."""
    try:
        inspect.signature(function).bind(0)
    except TypeError:
        return False
    except ValueError:  # some built-in functions have no signature
        return True
    return True


@dataclass(frozen=True)
class LearningRates:
    """What `learning_rate_finder` found: plot losses over rates, with a logarithmic axis.

    Args:    rates: the learning rates tried, rising.
             losses: the smoothed loss at each of them.
             suggestion: the rate at which the loss has fallen half way to its lowest; NaN if it has
             not fallen.
    Example: >>> LearningRates([0.1, 1.0], [2.0, 1.0], 0.1).suggestion
             0.1
    """

    rates: list[float]
    losses: list[float]
    suggestion: float


@explained_call
def learning_rate_finder(
    model: Model,
    x: Operand,
    y: Operand,
    batch_size: int = 32,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
) -> LearningRates:
    """Return how the loss answers to learning rates, and leave the model as it was.

    One step is taken at each rate, rates rise by equal factors, and the search ends early where
    the loss is four times the least one. Losses are smoothed over about ten steps.

    Args:    model: compiled.
             x, y, batch_size: as in fit; seen again from the start if they do not suffice.
             lowest, highest: the range of rates.
             steps: how many rates.
    Raises:  OptionError: rates that do not rise, or fewer than 2 steps, or a model not compiled.
    Example: >>> import nn
             >>> nn.set_seed(0)
             >>> x, y = nn.datasets.moons(200, noise=0.1)
             >>> model = nn.Sequential([nn.Dense(16, "tanh"), nn.Dense(1, "sigmoid")])
             >>> model.compile("sgd", loss="binary_crossentropy")
             >>> 0.001 < learning_rate_finder(model, x, y).suggestion < 10
             True
    Source:  L. N. Smith, Cyclical learning rates for training neural networks, 2017, section 3.3;
             smoothing as is usual since. Half way down is a suggestion that varies little with the
             start; the steepest fall, which others suggest, may be noise of the first batches.
    """
    whole_number("steps", steps)
    if not 0 < lowest < highest or steps < 2:
        raise OptionError(
            f"rates from {lowest} to {highest} in {steps} steps",
            "they must rise from one step to the next",
            "0 < lowest < highest, and steps of at least 2",
        )
    if getattr(model, "optimizer", None) is None or isinstance(model, type):
        raise OptionError(
            "learning_rate_finder on a model that was not compiled",
            "it takes steps with the model's own optimizer and loss",
            'model.compile(optimizer="sgd", loss="mse")',
        )
    model.build(np.shape(x)[1:], np.asarray(x).dtype)
    before, optimizer = model.state_dict(), model.optimizer
    data = batches(as_array(x), as_array(y), batch_size=batch_size, shuffle=True)
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    model.optimizer = type(optimizer)(**optimizer.config())  # whose slots begin empty
    try:
        passes = itertools.chain.from_iterable(itertools.repeat(data))
        for i, batch in zip(range(steps), passes, strict=False):
            rate = lowest * (highest / lowest) ** (i / (steps - 1))
            model.optimizer.learning_rate = rate
            loss = model.train_on_batch(*batch)["loss"]
            mean += 0.1 * (loss - mean)
            smooth = mean / (1 - 0.9 ** (i + 1))
            if not math.isfinite(loss) or (losses and smooth > 4 * min(losses)):
                break
            rates.append(rate)
            losses.append(smooth)
    finally:
        model.optimizer = optimizer
        model.load_state_dict(before)
    return LearningRates(rates, losses, _halfway(rates, losses))


def _halfway(rates: list[float], losses: list[float]) -> float:
    """Return the rate at which the loss has fallen half way to its lowest; NaN if it never fell."""
    lowest = int(np.argmin(losses)) if losses else 0
    above = [k for k in range(lowest) if losses[k] > (max(losses[:lowest]) + losses[lowest]) / 2]
    return rates[above[-1] + 1] if above else math.nan
