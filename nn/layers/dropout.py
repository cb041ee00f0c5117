"""Dropout and GaussianNoise: random disturbances in training, none in evaluation."""

from dataclasses import KW_ONLY, field

import numpy as np

from autograd_core import fresh
from autograd_core.data import Operand, Result

from ..configuration import check_range, configured
from ..randomness import generator, seeded
from .base import ArrayLayer


@configured
class _Disturbance(ArrayLayer):
    """What disturbs in training only, by numbers of its own if it has a seed."""

    expects_unit_inputs = None
    _: KW_ONLY
    seed: int | None = None
    _own: np.random.Generator | None = field(init=False, default=None)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "seed":
            self._own = None if self.seed is None else seeded(self.seed)

    def _numbers(self) -> np.random.Generator:
        return self._own or generator()


@configured
class Dropout(_Disturbance):
    """Sets a fraction of the numbers to 0, at random for each sample; in training only.

    The rest is divided by 1 - rate, so that the expected output is the input. In evaluation
    (`eval()`, `predict`, `evaluate`) the output is the input. The layer starts in training mode.

    Args:    rate: the fraction that is set to 0, from 0 to 1; with 1 the output is 0.
             seed: a whole number: the layer has random numbers of its own, which start anew where
             it is made or loaded; None: they are those of nn.set_seed.
    Raises:  OptionError: a rate outside 0 to 1.
    Example: >>> layer = Dropout(0.5)
             >>> sorted(set(layer([[1.0] * 100]).ravel().tolist())), layer.eval()([[3.0]])
             ([0.0, 2.0], array([[3.]]))

    Source:  N. Srivastava et al., Dropout, 2014; the scale is applied in training, not after it.
    """

    rate: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("rate", self.rate, 0.0, 1.0)

    @property
    def acts_in_training(self) -> bool:
        """Whether it drops anything in training."""
        return self.rate > 0

    def forward(self, x: Operand) -> Result:
        """Return x with a fraction of it set to 0; in evaluation x itself."""
        if not self.training or not self.rate:
            return x
        stays = fresh(lambda: self._numbers().random(x.shape, x.dtype)) >= self.rate
        scale = 1.0 / (1.0 - self.rate) if self.rate < 1.0 else 0.0
        return x * (stays.astype(x.dtype) * scale)


@configured
class GaussianNoise(_Disturbance):
    """Adds normal noise of mean 0, drawn for each number; in training only.

    In evaluation (`eval()`, `predict`, `evaluate`) the output is the input. The layer starts in
    training mode.

    Args:    stddev: the noise's standard deviation, at least 0 (Keras allows up to 1).
             seed: as in Dropout.
    Raises:  OptionError: a negative stddev.
    Example: >>> layer = GaussianNoise(0.1)
             >>> layer([[1.0, 2.0]]).shape, layer.eval()([[1.0, 2.0]])
             ((1, 2), array([[1., 2.]]))
    """

    stddev: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("stddev", self.stddev, 0.0)

    @property
    def acts_in_training(self) -> bool:
        """Whether it adds any noise in training."""
        return self.stddev > 0

    def forward(self, x: Operand) -> Result:
        """Return x + noise; in evaluation x itself."""
        if not self.training or not self.stddev:
            return x
        return x + fresh(lambda: self._numbers().standard_normal(x.shape, x.dtype)) * self.stddev
