"""Initializer: where weights start."""

import math
from typing import Any

import numpy as np

from ..configuration import Configured


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
    """Draws the weights that training starts from. A subclass has its own `draw`.

    Example: >>> class Ramp(Initializer):
             ...     def draw(self, shape, fans):
             ...         return np.arange(math.prod(shape)).reshape(shape) / fans[0]
             >>> Ramp()((2, 4))
             array([[0.  , 0.25, 0.5 , 0.75],
                    [1.  , 1.25, 1.5 , 1.75]])
    """

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
        """Return numbers of this shape in float64, which do not depend on the type asked for."""
        raise NotImplementedError(f"{type(self).__name__} has no draw(self, shape, fans)")

    def __call__(
        self, shape: tuple[int, ...], dtype: Any = np.float64, fans: tuple[int, int] | None = None
    ) -> Any:
        """Return weights to start from.

        Args:    shape: outputs first: (units, features); see fans_of.
                 dtype: float32 starts from the same weights as float64, rounded.
                 fans: (fan_in, fan_out) where the shape is only part of a layer's: a neuron draws
                 (features,) with fans=(features, units).
        Returns: an array of this shape and type; a float for shape ().
        Example: >>> from nn.initializers import Constant
                 >>> Constant(0.5)((2,)), Constant(0.5)(())
                 (array([0.5, 0.5]), 0.5)
        """
        drawn = self.draw(tuple(shape), fans_of(shape) if fans is None else fans)
        return np.asarray(drawn, dtype) if shape else float(drawn)
