"""Schedules: learning rates that follow the number of the step, which counts from 0.

A schedule is called with that number, and so may any function be: SGD(lambda step: 1 / (9 + step)).
Names and arguments are Keras's where Keras has the schedule.

- `Schedule`: the class to make one's own from
- `ConstantRate`, `StepDecay`, `PiecewiseConstantDecay`, `ExponentialDecay`, `InverseTimeDecay`,
  `PolynomialDecay`, `CosineDecay`: they fall
- `CosineDecayRestarts`, `OneCycle`, `Warmup`: they rise, too
- `get`: what may stand for a learning rate, checked
"""

import inspect
from typing import Any

from autograd_core import OptionError

from ..configuration import choose
from .base import Schedule
from .decays import (
    ConstantRate,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    StepDecay,
)
from .rises import CosineDecay, CosineDecayRestarts, OneCycle, Warmup

BY_NAME: dict[str, Any] = {
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


def get(schedule: Any) -> Any:
    """Return a schedule, function or number as it is: names alone do not say how fast.

    Raises:  OptionError: a name.
    """
    if isinstance(schedule, str) and schedule in BY_NAME:
        kind = BY_NAME[schedule]
        names = ", ".join(inspect.signature(kind).parameters)
        raise OptionError(
            f"schedule {schedule!r}",
            "a schedule has rates and numbers of steps, which no default can know",
            f"nn.schedules.{kind.__name__}({names})",
        )
    return choose("schedule", BY_NAME, schedule) if isinstance(schedule, str) else schedule
