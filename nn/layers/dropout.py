"""Dropout and GaussianNoise: random disturbances in training, none in evaluation."""

from autograd_core import fresh
from autograd_core.data import Operand, Result

from ..configuration import check_range
from ..randomness import generator
from .base import ArrayLayer


class Dropout(ArrayLayer):
    """Sets a fraction of the numbers to 0, at random for each sample; in training only.

    The rest is divided by 1 - rate, so that the expected output is the input. In evaluation
    (`eval()`, `predict`, `evaluate`) the output is the input. The layer starts in training mode.

    Args:    rate: the fraction that is set to 0, from 0 to 1; with 1 the output is 0.
    Raises:  OptionError: a rate outside 0 to 1.
    Example: >>> layer = Dropout(0.5)
             >>> sorted(set(layer([[1.0] * 100]).ravel().tolist())), layer.eval()([[3.0]])
             ([0.0, 2.0], array([[3.]]))

    Source:  N. Srivastava et al., Dropout, 2014; the scale is applied in training, not after it.
    """

    expects_unit_inputs = None

    def __init__(self, rate: float) -> None:
        check_range("rate", rate, 0.0, 1.0)
        self.rate = rate

    @property
    def acts_in_training(self) -> bool:
        """Whether it drops anything in training."""
        return self.rate > 0

    def forward(self, x: Operand) -> Result:
        """Return x with a fraction of it set to 0; in evaluation x itself."""
        if not self.training or not self.rate:
            return x
        stays = fresh(lambda: generator().random(x.shape, x.dtype)) >= self.rate
        scale = 1.0 / (1.0 - self.rate) if self.rate < 1.0 else 0.0
        return x * (stays.astype(x.dtype) * scale)


class GaussianNoise(ArrayLayer):
    """Adds normal noise of mean 0, drawn for each number; in training only.

    In evaluation (`eval()`, `predict`, `evaluate`) the output is the input. The layer starts in
    training mode.

    Args:    stddev: the noise's standard deviation, at least 0 (Keras allows up to 1).
    Raises:  OptionError: a negative stddev.
    Example: >>> layer = GaussianNoise(0.1)
             >>> layer([[1.0, 2.0]]).shape, layer.eval()([[1.0, 2.0]])
             ((1, 2), array([[1., 2.]]))
    """

    expects_unit_inputs = None

    def __init__(self, stddev: float) -> None:
        check_range("stddev", stddev, 0.0)
        self.stddev = float(stddev)

    @property
    def acts_in_training(self) -> bool:
        """Whether it adds any noise in training."""
        return self.stddev > 0

    def forward(self, x: Operand) -> Result:
        """Return x + noise; in evaluation x itself."""
        if not self.training or not self.stddev:
            return x
        return x + fresh(lambda: generator().standard_normal(x.shape, x.dtype)) * self.stddev
