"""VarianceScaling: weights so drawn that signals keep their size, and its six usual forms."""

import math
from typing import Any

from autograd_core import OptionError

from ..configuration import Function, choose
from ..randomness import generator
from .base import Initializer
from .distributions import truncated_normal

# The standard deviation of such numbers: their variance is, by parts, 1 - 4 phi(2) / P(|z| < 2),
# with the density phi of the standard normal distribution
_TRUNCATED = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
_MODES = {  # how much of fan_in and of fan_out
    "fan_in": (1.0, 0.0),
    "fan_out": (0.0, 1.0),
    "fan_avg": (0.5, 0.5),
}
_DISTRIBUTIONS: dict[str, Function] = {  # each with variance 1
    "truncated_normal": lambda shape: truncated_normal(shape) / _TRUNCATED,
    "normal": lambda shape: truncated_normal(shape) / _TRUNCATED,  # as in Keras
    "untruncated_normal": lambda shape: generator().standard_normal(shape),
    "uniform": lambda shape: generator().uniform(-math.sqrt(3), math.sqrt(3), shape),
}


class VarianceScaling(Initializer):
    """With mean 0 and variance scale / n, so that signals keep their size from layer to layer.

    n is fan_in, fan_out or their average (see fans_of), at least 1.

    Args:    scale: of the variance, above 0.
             mode: "fan_in" keeps the size of what flows forward, "fan_out" of what flows back,
             "fan_avg" stands between.
             distribution: "truncated_normal", which "normal" also means, "untruncated_normal" or
             "uniform".
    Raises:  OptionError: a scale of 0 or less, or another mode or distribution.
    Example: >>> bool((abs(VarianceScaling(3.0, "fan_in", "uniform")((8, 9))) <= 1).all())
             True
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal"
    ) -> None:
        if not scale > 0:
            raise OptionError(
                f"scale = {scale!r}",
                "weights of variance 0 or less cannot be told apart by learning",
                "a scale above 0, or the initializer zeros",
            )
        choose("mode", _MODES, str(mode))
        choose("distribution", _DISTRIBUTIONS, str(distribution))
        self.scale = scale
        self.mode = mode
        self.distribution = distribution

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
        """Return numbers of the variance that the fans call for."""
        n = sum(share * fan for share, fan in zip(_MODES[self.mode], fans, strict=True))
        return math.sqrt(self.scale / max(1.0, n)) * _DISTRIBUTIONS[self.distribution](shape)


class LecunUniform(VarianceScaling):
    """Uniform with variance 1 / fan_in, for tanh.

    Example: >>> bool((abs(LecunUniform()((5, 3))) <= 1).all())  # sqrt(3 / fan_in)
             True

    Source:  LeCun et al., Efficient BackProp, 1998.
    """

    def __init__(self) -> None:
        super().__init__(1.0, "fan_in", "uniform")


class LecunNormal(VarianceScaling):
    """Truncated normal with variance 1 / fan_in, for selu.

    Example: >>> bool((abs(LecunNormal()((5, 4))) <= 1.14).all())  # two standard deviations
             True

    Source:  Klambauer et al., Self-Normalizing Neural Networks, 2017.
    """

    def __init__(self) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal")


class GlorotUniform(VarianceScaling):
    """Uniform with variance 2 / (fan_in + fan_out), for sigmoid, tanh and softmax.

    Example: >>> bool((abs(GlorotUniform()((4, 2))) <= 1).all())  # sqrt(6 / (fan_in + fan_out))
             True

    Source:  Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
             Networks, 2010, equation 16.
    """

    def __init__(self) -> None:
        super().__init__(1.0, "fan_avg", "uniform")


class GlorotNormal(VarianceScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out), for sigmoid, tanh and softmax.

    Example: >>> bool((abs(GlorotNormal()((6, 2))) <= 1.14).all())  # two standard deviations
             True

    Source:  as GlorotUniform.
    """

    def __init__(self) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal")


class HeUniform(VarianceScaling):
    """Uniform with variance 2 / fan_in, for relu.

    Example: >>> bool((abs(HeUniform()((5, 6))) <= 1).all())  # sqrt(6 / fan_in)
             True

    Source:  He et al., Delving Deep into Rectifiers, 2015.
    """

    def __init__(self) -> None:
        super().__init__(2.0, "fan_in", "uniform")


class HeNormal(VarianceScaling):
    """Truncated normal with variance 2 / fan_in, for relu.

    Example: >>> bool((abs(HeNormal()((5, 8))) <= 1.14).all())  # two standard deviations
             True

    Source:  as HeUniform.
    """

    def __init__(self) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal")
