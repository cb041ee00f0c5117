"""Weights that start from fixed numbers."""

from typing import Any

import numpy as np

from autograd_core import ShapeError

from .base import Initializer


class Constant(Initializer):
    """All the same value.

    Example: >>> Constant(0.1)((3,))
             array([0.1, 0.1, 0.1])
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
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
    """Ones on the diagonal, zeros elsewhere: a layer that at first passes on what it gets.

    Args:    gain: in place of the ones.
    Raises:  ShapeError: when drawn with other than two axes.
    Example: >>> Identity(2.0)((2, 3))
             array([[2., 0., 0.],
                    [0., 2., 0.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int]) -> Any:
        """Return the scaled identity."""
        if len(shape) != 2:
            raise ShapeError(
                f"{self} of shape {shape}",
                "only a matrix, of two axes, has a diagonal",
                "Dense or another layer with a weight (units, features), or another initializer",
            )
        return self.gain * np.eye(*shape)
