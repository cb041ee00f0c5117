"""Reshape and Flatten: the same numbers of each sample in another shape."""

import math
from collections.abc import Iterable

import numpy as np

from autograd_core import OptionError, ShapeError
from autograd_core.data import Operand, Result

from .base import ArrayLayer


class Reshape(ArrayLayer):
    """Reshapes each sample.

    Args:    target_shape: of one sample, without the batch; one length may be -1: it follows from
             the others.
    Raises:  OptionError: lengths below 1 other than one -1.
    Example: >>> Reshape((2, -1))([[1.0, 2.0, 3.0, 4.0]])
             array([[[1., 2.],
                     [3., 4.]]])
    """

    expects_unit_inputs = None

    passes_mask = False

    def __init__(self, target_shape: Iterable[int]) -> None:
        shape = tuple(target_shape) if isinstance(target_shape, Iterable) else (0,)
        are_lengths = all(isinstance(n, int | np.integer) for n in shape)
        if not are_lengths or [n for n in shape if n < 1] not in ([], [-1]):
            raise OptionError(
                f"target_shape = {target_shape!r}",
                "lengths are at least 1; only one length, -1, can be left open",
                "target_shape=(28, 28, 1), or (-1, 28)",
            )
        self.target_shape = shape

    def forward(self, x: Operand) -> Result:
        """Return x as (batch, *target_shape).

        Raises:  ShapeError: a sample has another count of numbers.
        """
        size = math.prod(x.shape[1:])
        known = math.prod([n for n in self.target_shape if n > 0])
        shape = [size // known if n == -1 else n for n in self.target_shape]
        if math.prod(shape) != size:
            raise ShapeError(
                f"samples of shape {x.shape[1:]} for {self}",
                f"{size} numbers do not fill the shape {self.target_shape}",
                f"a target_shape whose lengths multiply to {size}",
            )
        return x.reshape((x.shape[0], *shape))


class Flatten(Reshape):
    """Flattens each sample, in C order.

    Example: >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]]])
             array([[1., 2., 3., 4.]])
    """

    def __init__(self) -> None:
        super().__init__((-1,))
