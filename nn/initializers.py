"""Initializers: the weights that training starts from. All draw from `nn.set_seed`'s generator.

- Initializer: the base class
- Zeros, Ones, Constant, Identity: fixed numbers
- Uniform, Normal, TruncatedNormal, Orthogonal: drawn without regard to the layer's size
- VarianceScaling and its six usual forms: drawn so that signals keep their size
- BY_NAME, get: all of them by name; fans_of: the two counts that VarianceScaling depends on
"""

import math
from typing import Any

import numpy as np

from autograd_core import OptionError, ShapeError, explained_call
from autograd_core.data import Array, Data, DTypeLike, Function

from .configuration import Choice, Configured, check_range, choose, configured, name_of
from .randomness import drawing_from, generator, seeded
from .spellings import by_keras_name

__all__ = [
    "BY_NAME",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "Zeros",
    "fans_of",
    "get",
]


@explained_call
def fans_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs an output sees, and how many outputs an input reaches.

    Args:    shape: outputs first: (units, features), (filters, channels, height, width); of one
             axis, both are its length.
    Returns: (fan_in, fan_out).
    Example: >>> fans_of((32, 784)), fans_of((16, 3, 5, 5)), fans_of((10,)), fans_of(())
             ((784, 32), (75, 400), (10, 10), (1, 1))
    """
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


class Initializer(Configured):
    """Draws the weights that training starts from; a subclass defines `draw`.

    Example: >>> class Ramp(Initializer):
             ...     def draw(self, shape, fans):
             ...         return np.arange(math.prod(shape)).reshape(shape) / fans[0]
             >>> Ramp()((2, 4))
             array([[0.  , 0.25, 0.5 , 0.75],
                    [1.  , 1.25, 1.5 , 1.75]])
    """

    seed: int | None = None  # with one, each call gives the same numbers

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
        """Return numbers of this shape in float64, whatever type they will be rounded to."""
        raise NotImplementedError(f"{type(self).__name__} has no draw(self, shape, fans)")

    def __call__(
        self,
        shape: tuple[int, ...],
        dtype: DTypeLike = np.float64,
        fans: tuple[int, int] | None = None,
    ) -> Data:
        """Return weights to start from.

        Args:    shape: outputs first: (units, features); see fans_of.
                 dtype: float32 starts from the same weights as float64, rounded.
                 fans: (fan_in, fan_out) where the shape is only part of a layer's: a neuron draws
                 (features,) with fans=(features, units).
        Returns: an array of this shape and type; a float for shape ().
        Example: >>> Constant(0.5)((2,)), Constant(0.5)(())
                 (array([0.5, 0.5]), 0.5)
        """
        source = generator() if self.seed is None else seeded(self.seed)
        with drawing_from(source):
            drawn = self.draw(tuple(shape), fans_of(shape) if fans is None else fans)
        return np.asarray(drawn, dtype) if shape else float(drawn)


class Constant(Initializer):
    """All the same value.

    Example: >>> Constant(0.1)((3,))
             array([0.1, 0.1, 0.1])
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
        """Return the value everywhere."""
        return np.full(shape, self.value, np.float64)


class Zeros(Constant):
    """All 0.

    Example: >>> Zeros()((3,))
             array([0., 0., 0.])
    """

    def __init__(self) -> None:
        super().__init__(0.0)


class Ones(Constant):
    """All 1.

    Example: >>> Ones()((3,))
             array([1., 1., 1.])
    """

    def __init__(self) -> None:
        super().__init__(1.0)


class Identity(Initializer):
    """Ones on the diagonal and zeros elsewhere: the layer starts as the identity.

    Args:    gain: the number on the diagonal.
    Raises:  ShapeError: when drawn with other than two axes.
    Example: >>> Identity(2.0)((2, 3))
             array([[2., 0., 0.],
                    [0., 2., 0.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
        """Return the scaled identity."""
        if len(shape) != 2:
            raise ShapeError(
                f"{self} of shape {shape}",
                "only a matrix, of two axes, has a diagonal",
                "Dense or another layer with a weight (units, features), or another initializer",
            )
        return self.gain * np.eye(*shape)


@configured
class Uniform(Initializer):
    """A uniform distribution.

    Args:    minval, maxval: the bounds, maxval itself not included.
             seed: a whole number: each call gives the same numbers; None: those of nn.set_seed.
    Raises:  OptionError: maxval is below minval.
    Example: >>> bool((abs(Uniform(-0.1, 0.1)((100,))) <= 0.1).all())
             True
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        check_range("minval", self.minval, -math.inf)
        check_range("maxval", self.maxval, self.minval)

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
        """Return numbers from the interval."""
        return generator().uniform(self.minval, self.maxval, shape)


@configured
class Normal(Initializer):
    """A normal distribution.

    Args:    mean, stddev: of the distribution.
             seed: as in Uniform.
    Raises:  OptionError: a negative stddev.
    Example: >>> Normal(mean=3.0, stddev=0.0)((2,))
             array([3., 3.])
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        check_range("stddev", self.stddev, 0)

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
        """Return normal numbers."""
        return generator().normal(self.mean, self.stddev, shape)


class TruncatedNormal(Normal):
    """A normal distribution; numbers beyond two standard deviations are drawn again.

    Args:    mean: of the distribution.
             stddev: before truncation, which leaves 0.88 of it.
             seed: as in Uniform.
    Raises:  OptionError: a negative stddev.
    Example: >>> bool((abs(TruncatedNormal(stddev=0.1)((100,))) <= 0.2).all())
             True
    """

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
        """Return normal numbers within two standard deviations of the mean."""
        return self.mean + self.stddev * truncated_normal(shape)


def truncated_normal(shape: tuple[int, ...]) -> Array:
    """Return standard normal numbers between -2 and 2.

    Example: >>> bool((abs(truncated_normal((100,))) <= 2).all())
             True
    """
    drawn = np.asarray(generator().standard_normal(shape))
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = generator().standard_normal(np.count_nonzero(outside))
    return drawn


@configured
class Orthogonal(Initializer):
    """An orthogonal matrix, uniformly distributed, which keeps the length of vectors.

    Axes from the second on count as one. Rows are orthonormal, or columns if there are fewer.

    Args:    gain: factor on it.
             seed: as in Uniform.
    Raises:  ShapeError: when drawn with fewer than two axes.
    Example: >>> w = Orthogonal()((2, 3))
             >>> np.round(w @ w.T, 12) + 0.0
             array([[1., 0.],
                    [0., 1.]])
    """

    gain: float = 1.0
    seed: int | None = None

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
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


@configured
class VarianceScaling(Initializer):
    """Mean 0 and variance scale / n, so that signals keep their size from layer to layer.

    n is fan_in, fan_out or their average (see fans_of), at least 1.

    Args:    scale: of the variance, above 0.
             mode: "fan_in" keeps the size of outputs, "fan_out" that of gradients, "fan_avg" is
             a compromise.
             distribution: "truncated_normal" (as in Keras, "normal" is the same),
             "untruncated_normal" or "uniform".
             seed: as in Uniform.
    Raises:  OptionError: a scale of 0 or less, or another mode or distribution.
    Example: >>> bool((abs(VarianceScaling(3.0, "fan_in", "uniform")((8, 9))) <= 1).all())
             True
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None

    def __post_init__(self) -> None:
        check_range("scale", self.scale, -math.inf)
        if not self.scale > 0:
            raise OptionError(
                f"scale = {self.scale!r}",
                "weights of variance 0 are equal, and stay so in training",
                "a scale above 0, or the initializer zeros",
            )
        choose("mode", _MODES, str(self.mode))
        choose("distribution", _DISTRIBUTIONS, str(self.distribution))

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Data:
        """Return numbers of variance scale / n."""
        n = sum(share * fan for share, fan in zip(_MODES[self.mode], fans, strict=True))
        return math.sqrt(self.scale / max(1.0, n)) * _DISTRIBUTIONS[self.distribution](shape)


class LecunUniform(VarianceScaling):
    """Uniform with variance 1 / fan_in, for tanh.

    Example: >>> bool((abs(LecunUniform()((5, 3))) <= 1).all())  # sqrt(3 / fan_in)
             True

    Source:  LeCun et al., Efficient BackProp, 1998.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Truncated normal with variance 1 / fan_in, for selu.

    Example: >>> bool((abs(LecunNormal()((5, 4))) <= 1.14).all())  # two standard deviations
             True

    Source:  Klambauer et al., Self-Normalizing Neural Networks, 2017.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class GlorotUniform(VarianceScaling):
    """Uniform with variance 2 / (fan_in + fan_out), for sigmoid, tanh and softmax.

    Example: >>> bool((abs(GlorotUniform()((4, 2))) <= 1).all())  # sqrt(6 / (fan_in + fan_out))
             True

    Source:  Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
             Networks, 2010, equation 16.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out), for sigmoid, tanh and softmax.

    Example: >>> bool((abs(GlorotNormal()((6, 2))) <= 1.14).all())  # two standard deviations
             True

    Source:  as GlorotUniform.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Uniform with variance 2 / fan_in, for relu.

    Example: >>> bool((abs(HeUniform()((5, 6))) <= 1).all())  # sqrt(6 / fan_in)
             True

    Source:  He et al., Delving Deep into Rectifiers, 2015.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Truncated normal with variance 2 / fan_in, for relu.

    Example: >>> bool((abs(HeNormal()((5, 8))) <= 1.14).all())  # two standard deviations
             True

    Source:  as HeUniform.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


BY_NAME = {
    name_of(kind()): kind
    for kind in list(vars().values())
    if isinstance(kind, type) and issubclass(kind, Initializer) and kind is not Initializer
}
BY_NAME |= {
    "random_normal": Normal,
    "random_uniform": Uniform,
    "zero": Zeros,
    "one": Ones,
}  # Keras's


def __getattr__(name: str) -> Any:
    """Return an initializer by its name in Keras: RandomNormal."""
    return by_keras_name(__name__, name, BY_NAME)


def get(initializer: Choice) -> Function:
    """Return an initializer by name; objects, and functions of shape and dtype, as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("he_normal"), get(Constant(0.5))
             (HeNormal(), Constant(value=0.5))
    """
    return choose("initializer", BY_NAME, initializer)
