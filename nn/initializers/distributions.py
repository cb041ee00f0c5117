"""Weights that are drawn at random, whatever the size of the layer."""

import math
from typing import Any

import numpy as np

from autograd_core import ShapeError

from ..configuration import check_range
from ..randomness import generator
from .base import Initializer


class Uniform(Initializer):
    """Evenly between two bounds.

    Args:    minval, maxval: the bounds, maxval itself not included.
    Raises:  OptionError: maxval is below minval.
    Example: >>> bool((abs(Uniform(-0.1, 0.1)((100,))) <= 0.1).all())
             True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05) -> None:
        check_range("maxval", maxval, minval)
        self.minval = minval
        self.maxval = maxval

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
        """Return numbers from the interval."""
        return generator().uniform(self.minval, self.maxval, shape)


class Normal(Initializer):
    """From a normal distribution.

    Args:    mean: of the distribution.
             stddev: its standard deviation.
    Raises:  OptionError: a negative stddev.
    Example: >>> Normal(mean=3.0, stddev=0.0)((2,))
             array([3., 3.])
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05) -> None:
        check_range("stddev", stddev, 0)
        self.mean = mean
        self.stddev = stddev

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
        """Return normal numbers."""
        return generator().normal(self.mean, self.stddev, shape)


class TruncatedNormal(Normal):
    """From a normal distribution; what lies beyond two standard deviations is drawn again.

    Args:    mean: of the distribution.
             stddev: its standard deviation before truncation, which leaves 0.88 of it.
    Raises:  OptionError: a negative stddev.
    Example: >>> bool((abs(TruncatedNormal(stddev=0.1)((100,))) <= 0.2).all())
             True
    """

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
        """Return normal numbers within two standard deviations of the mean."""
        return self.mean + self.stddev * truncated_normal(shape)


def truncated_normal(shape: tuple[int, ...]) -> Any:
    """Return standard normal numbers between -2 and 2.

    Example: >>> bool((abs(truncated_normal((100,))) <= 2).all())
             True
    """
    drawn = np.asarray(generator().standard_normal(shape))
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = generator().standard_normal(np.count_nonzero(outside))
    return drawn


class Orthogonal(Initializer):
    """An orthogonal matrix, any one as likely as any other, which keeps the length of vectors.

    Axes from the second on are taken as one. Rows are orthonormal, or columns where they are fewer.

    Args:    gain: factor on it.
    Raises:  ShapeError: when drawn with fewer than two axes.
    Example: >>> w = Orthogonal()((2, 3))
             >>> np.round(w @ w.T, 12) + 0.0
             array([[1., 0.],
                    [0., 1.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
        """Return the orthogonal part of a normal matrix, with the sign that makes it unique."""
        if len(shape) < 2:
            raise ShapeError(
                f"{self} of shape {shape}",
                "rows can be orthogonal to each other where there are two axes or more",
                "a weight (units, features), or another initializer",
            )
        rows, columns = shape[0], math.prod(shape[1:])
        drawn = generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
