"""Samples in another shape: Reshape, Permute, RepeatVector, ...; a layer at each step."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import OptionError, ShapeError
from autograd_core.data import Operand, Result

from ..configuration import Model
from ..data import whole_number
from ..mistakes import warn
from ..module import Module
from .base import ArrayLayer
from .convolution import check_axes


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


class Permute(ArrayLayer):
    """Rearranges the axes of each sample.

    Args:    dims: for each axis of the output, the number of the input's, from 1 as in Keras.
    Raises:  OptionError: they are not the numbers from 1, each once.
    Example: >>> Permute((2, 1))(np.zeros((5, 3, 4))).shape
             (5, 4, 3)
    """

    expects_unit_inputs = None
    passes_mask = False

    def __init__(self, dims: Iterable[int]) -> None:
        axes = tuple(dims) if isinstance(dims, Iterable) else (dims,)
        if set(axes) != {*range(1, len(axes) + 1)} or not axes:
            raise OptionError(
                f"dims = {dims!r}",
                "it has each axis of a sample once, counted from 1: axis 0 is the batch",
                "dims=(2, 1)",
            )
        self.dims = axes

    def forward(self, x: Operand) -> Result:
        """Return x with the axes in another order.

        Raises:  ShapeError: samples with another number of axes.
        """
        if len(x.shape) != len(self.dims) + 1:
            raise ShapeError(
                f"samples of shape {x.shape[1:]} for {self}",
                f"dims={self.dims} is for samples of {len(self.dims)} axes",
                "one number in dims for each axis of a sample",
            )
        return np.transpose(x, (0, *self.dims))


class RepeatVector(ArrayLayer):
    """Repeats each sample, a vector, as the steps of a sequence.

    Args:    n: how many steps.
    Raises:  OptionError: n is below 1.
    Example: >>> RepeatVector(3)([[1.0, 2.0]]).shape
             (1, 3, 2)
    """

    expects_unit_inputs = None
    passes_mask = False

    def __init__(self, n: int) -> None:
        self.n = whole_number("n", n)

    def forward(self, x: Operand) -> Result:
        """Return x as (batch, n, features).

        Raises:  ShapeError: the samples are no vectors.
        """
        if len(x.shape) != 2:
            raise ShapeError(
                f"samples of shape {x.shape[1:]} for {self}",
                "it repeats vectors, (batch, features)",
                "Flatten() before it",
            )
        return np.repeat(x[:, None], self.n, axis=1)


class TimeDistributed(ArrayLayer):
    """Applies a layer to each step of a sequence by itself.

    Dense does so without it; here images in a sequence go through Conv2D.

    Args:    layer: of one step.
    Raises:  OptionError: it is not a Module.
    Example: >>> from nn.layers import Conv2D
             >>> TimeDistributed(Conv2D(4, 3))(np.zeros((2, 5, 8, 8, 1))).shape
             (2, 5, 6, 6, 4)
    """

    def __init__(self, layer: Model) -> None:
        if not isinstance(layer, Module):
            raise OptionError(
                f"{layer!r} as the layer of TimeDistributed",
                "it is applied to each step: a Module",
                "TimeDistributed(Dense(8))",
            )
        self.layer = layer

    takes_mask = True

    @property
    def expects_unit_inputs(self) -> bool | None:  # type: ignore[override] # a plain attribute
        """What the layer expects."""
        return self.layer.expects_unit_inputs

    def forward(self, x: Operand, mask: Operand = None) -> Result:
        """Return the layer's output of each step, (batch, steps, ...).

        Raises:  ShapeError: samples without an axis of steps.
        """
        if mask is not None and self.layer.takes_mask:
            warn(
                "mask inside TimeDistributed",
                f"a mask of padded steps for {self}",
                "the layer inside sees single steps, so that padded ones count in it",
                f"{type(self.layer).__name__} by itself, which takes sequences with their mask",
            )
        if len(x.shape) < 3:
            raise ShapeError(
                f"samples of shape {x.shape[1:]} for {self}",
                "its input has an axis of steps, (batch, steps, ...)",
                "the layer itself for samples without steps",
            )
        batch, steps, *sample = x.shape
        out = self.layer(x.reshape(batch * steps, *sample))
        return out.reshape(batch, steps, *out.shape[1:])


class _ZeroPadding(ArrayLayer):
    """ZeroPadding1D and ZeroPadding2D, which differ in the number of axes."""

    expects_unit_inputs = None
    passes_mask = False
    _rank: int

    def __init__(self, padding: int | tuple[Any, ...] = 1) -> None:
        self.padding = padding
        self._widths()

    def _widths(self) -> list[tuple[int, int]]:
        """Return the numbers of zeros before and after each axis of a sample but the channels.

        Raises:  OptionError: they are no counts, or of another number of axes.
        """
        given = self.padding
        each = given if isinstance(given, tuple | list) else (given,) * self._rank
        if self._rank == 1 and len(each) == 2:
            each = (each,)
        pairs = [tuple(n) if isinstance(n, tuple | list) else (n, n) for n in each]
        are_counts = all(isinstance(n, int | np.integer) and n >= 0 for pair in pairs for n in pair)
        if [len(pair) for pair in pairs] != [2] * self._rank or not are_counts:
            raise OptionError(
                f"padding = {given!r}",
                "it counts zeros before and after each axis",
                "padding=1, or (before, after) of each axis",
            )
        return [(before, after) for before, after in pairs]

    def forward(self, x: Operand) -> Result:
        """Return x with zeros around it."""
        check_axes(self, x.shape[1:], (1,) * self._rank)
        return np.pad(x, [(0, 0), *self._widths(), (0, 0)])


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after each sequence.

    Args:    padding: how many at both ends, or (before, after).
    Raises:  OptionError: a negative count. ShapeError: input that is not (batch, steps, channels).
    Example: >>> ZeroPadding1D((2, 0))(np.ones((1, 3, 1))).ravel()
             array([0., 0., 1., 1., 1.])
    """

    _rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around each image.

    Args:    padding: how many on all sides; or (rows, columns); or ((top, bottom), (left, right)).
    Raises:  OptionError: a negative count. ShapeError: input that is not (batch, height, width,
             channels).
    Example: >>> ZeroPadding2D((1, 2))(np.ones((1, 3, 3, 1))).shape
             (1, 5, 7, 1)
    """

    _rank = 2
