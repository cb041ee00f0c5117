"""Learning rate finder: try rates from tiny to huge on a few batches, and look at the loss."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core import OptionError

from .data import as_array, batches


@dataclass(frozen=True)
class LearningRates:
    """What `learning_rate_finder` found: plot losses over rates, with a logarithmic axis.

    Args:    rates: the learning rates tried, rising.
             losses: the smoothed loss at each of them.
             suggestion: the rate at which the loss falls fastest.
    Example: >>> LearningRates([0.1, 1.0], [2.0, 1.0], 0.1).suggestion
             0.1
    """

    rates: list[float]
    losses: list[float]
    suggestion: float


def learning_rate_finder(
    model: Any,
    x: Any,
    y: Any,
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
             smoothing and suggestion as is usual since.
    """
    if not 0 < lowest < highest or steps < 2:
        raise OptionError(
            f"rates from {lowest} to {highest} in {steps} steps",
            "they must rise from one step to the next",
            "0 < lowest < highest, and steps of at least 2",
        )
    if model.optimizer is None:
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
    return LearningRates(rates, losses, _steepest(rates, losses))


def _steepest(rates: list[float], losses: list[float]) -> float:
    """Return the rate at which the loss falls fastest; the first one if it never falls."""
    slopes = np.gradient(losses) if len(losses) > 1 else np.zeros(1)
    return rates[int(np.argmin(slopes))] if rates else math.nan
