"""Convolution and pooling: windows over a sequence or an image."""

from dataclasses import KW_ONLY, field
from typing import Any, ClassVar

import numpy as np

from autograd_core import OptionError, ShapeError, Value, convolve, sliding_windows
from autograd_core.data import Function, Operand, Result

from ..configuration import Choice, Model, check_choices, choose, configured
from ..data import whole_number
from ..mistakes import warn
from .base import ArrayLayer, steps_that_count


@configured
class _Convolution(ArrayLayer):
    """Conv1D and Conv2D, which differ in the number of axes."""

    passes_mask = False
    expects_unit_inputs = True

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    dilation_rate: int | tuple[int, ...] = 1
    activation: Choice = None
    _: KW_ONLY
    use_bias: bool = True
    kernel_initializer: Choice = "glorot_uniform"
    bias_initializer: Choice = "zeros"
    kernel_regularizer: Choice = None
    bias_regularizer: Choice = None
    activity_regularizer: Choice = None
    kernel_constraint: Choice = None
    bias_constraint: Choice = None
    trainable: bool = True
    weight: Value = field(init=False)
    bias: Value = field(init=False)
    _rank: ClassVar[int]
    _paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.filters = whole_number("filters", self.filters)
        self.padding = choose("padding", {name: name for name in self._paddings}, str(self.padding))
        _, steps, spread = self._lengths()
        if max(steps) > 1 < max(spread):
            raise OptionError(
                f"strides = {self.strides} and dilation_rate = {self.dilation_rate}",
                "one of them may be above 1, not both, as in Keras",
                "strides=1 or dilation_rate=1",
            )

    def _lengths(self) -> list[tuple[int, ...]]:
        """Return the kernel's size, the strides and the dilation rate along each axis."""
        names = ("kernel_size", "strides", "dilation_rate")
        return [lengths(name, getattr(self, name), self._rank) for name in names]

    @property
    def _reach(self) -> tuple[int, ...]:
        """The extent of a window along each axis."""
        size, _, spread = self._lengths()
        return tuple((k - 1) * d + 1 for k, d in zip(size, spread, strict=True))

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (filters, channels, *kernel_size) and bias (filters,)."""
        self._check(input_shape, self._reach)
        if self._rank == 2:
            _check_channels(self, input_shape)
        rules = self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint
        size, *_ = self._lengths()
        self.make_parameter("weight", (self.filters, input_shape[-1], *size), *rules)
        if self.use_bias:
            rules = self.bias_initializer, self.bias_regularizer, self.bias_constraint
            self.make_parameter("bias", (self.filters,), *rules)

    def _check(self, shape: tuple[int, ...], reach: tuple[int, ...]) -> None:
        check_axes(self, shape, reach if self.padding == "valid" else (1,) * self._rank)

    def forward(self, x: Operand) -> Result:
        """Return activation(convolve(x, weight) + bias), (batch, ..., filters)."""
        reach = self._reach
        self._check(x.shape[1:], reach)
        _, steps, spread = self._lengths()
        x = padded(x, reach, steps, self.padding)
        out = convolve(x, self.weight, steps, spread)
        if self.use_bias:
            out = out + self.bias
        return out if self.activation is None else self.activation(out)


class Conv1D(_Convolution):
    """Convolution of a sequence with filters.

    y[n, p, f] = activation(bias[f] + sum of x[n, p * strides + o * dilation_rate, c] *
    weight[f, c, o] over offsets o and channels c). The weight is Keras's kernel with its axes in
    PyTorch's order, (filters, channels, kernel_size).

    Args:    filters: how many.
             kernel_size: the length of a filter, in steps.
             strides: the distance from one window to the next, in steps.
             padding: "valid": only inside the sequence; "same": zeros around it, so that the
             output has ceil(steps / strides) steps; "causal": zeros before it, so that no output
             depends on later steps.
             dilation_rate: the distance between a filter's weights, in steps; 1 if strides > 1.
             activation, use_bias, kernel_initializer, ...: as in Dense.
    Raises:  OptionError: a size below 1, strides with dilation_rate, an unknown name.
             ShapeError: input that is not (batch, steps, channels), or shorter than a window.
    Example: >>> import numpy as np
             >>> layer = Conv1D(4, 3, padding="causal")
             >>> layer(np.ones((2, 10, 1))).shape, layer.weight.shape
             ((2, 10, 4), (4, 1, 3))
    """

    _rank = 1
    _paddings = ("valid", "same", "causal")


class Conv2D(_Convolution):
    """Convolution of an image with filters.

    y[n, p, f] = activation(bias[f] + sum of x[n, p * strides + o * dilation_rate, c] *
    weight[f, c, o] over offsets o, in both directions, and channels c). The weight is Keras's
    kernel with its axes in PyTorch's order, (filters, channels, height, width).

    Args:    filters: how many.
             kernel_size: height and width of a filter; one number for both.
             strides, dilation_rate: as in Conv1D, in pixels; one number for both directions.
             padding: "valid": only inside the image; "same": zeros around it, so that the output
             has ceil(height / strides) rows; an odd border is longer at the end.
             activation, use_bias, kernel_initializer, ...: as in Dense.
    Raises:  OptionError: a size below 1, strides with dilation_rate, an unknown name.
             ShapeError: input that is not (batch, height, width, channels), or smaller than a
             window.
    Example: >>> import numpy as np
             >>> layer = Conv2D(16, 3, activation="relu")
             >>> layer(np.ones((2, 28, 28, 1))).shape, layer.weight.shape
             ((2, 26, 26, 16), (16, 1, 3, 3))
    """

    _rank = 2


class _Pooling(ArrayLayer):
    """Windows, for MaxPooling and AveragePooling; a sequence is an image one pixel wide."""

    expects_unit_inputs = None

    passes_mask = False
    _rank = 2

    def __init__(
        self,
        pool_size: int | tuple[int, ...] = 2,
        strides: int | tuple[int, ...] | None = None,
        padding: str = "valid",
    ) -> None:
        self.pool_size = pool_size
        self.strides = strides
        self.padding = choose("padding", {name: name for name in ("valid", "same")}, str(padding))
        self._lengths()

    def _lengths(self) -> list[tuple[int, ...]]:
        """Return the size of a window and the strides along the axes of an image."""
        strides = self.pool_size if self.strides is None else self.strides
        each = (
            lengths("pool_size", self.pool_size, self._rank),
            lengths("strides", strides, self._rank),
        )
        return [(*along, 1)[:2] for along in each]

    def forward(self, x: Operand) -> Result:
        """Return one number for each window, (batch, ..., channels)."""
        size, _ = self._lengths()
        check_axes(self, x.shape[1:], (size if self.padding == "valid" else (1, 1))[: self._rank])
        return self._reduced(x) if self._rank == 2 else self._reduced(x[:, :, None])[:, :, 0]

    def _reduced(self, x: Operand) -> Result:
        raise NotImplementedError

    def _pieces(self, x: Operand, border: float) -> Result:
        """Return the elements of all windows, (places, batch, height, width, channels).

        The places of a window come first, since reductions over the first axis are fast.
        """
        size, steps = self._lengths()
        x = padded(x, size, steps, self.padding, border)
        if steps == size:
            return _blocks(x, *size)
        seen = sliding_windows(x, size[::-1], (2, 1), steps[::-1])
        batch, height, width, channels, *_ = seen.shape
        return np.transpose(seen, (5, 4, 0, 1, 2, 3)).reshape(-1, batch, height, width, channels)


class MaxPooling2D(_Pooling):
    """The largest number of each window, in each channel.

    Ties share the gradient equally, where Keras gives it to one of them.

    Args:    pool_size: height and width of a window; one number for both.
             strides: the distance from one window to the next, in pixels; None: pool_size.
             padding: "valid": only whole windows; "same": ceil(height / strides) rows of windows,
             of which those at the border hold fewer pixels.
    Raises:  OptionError: a size below 1, an unknown padding. ShapeError: input that is not (batch,
             height, width, channels), or smaller than a window.
    Example: >>> MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
             array([[ 5.,  7.],
                    [13., 15.]])
    """

    def _reduced(self, x: Operand) -> Result:
        lowest = float(np.finfo(x.dtype).min)  # finite, because -inf would be an anomaly
        return np.max(self._pieces(x, lowest), axis=0)


class AveragePooling2D(_Pooling):
    """The mean of each window, in each channel; padding does not count.

    Args, Raises: as in MaxPooling2D.
    Example: >>> AveragePooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
             array([[ 2.5,  4.5],
                    [10.5, 12.5]])
    """

    def _reduced(self, x: Operand) -> Result:
        ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
        count = np.sum(self._pieces(ones, 0.0), axis=0)
        return np.sum(self._pieces(x, 0.0), axis=0) / count


class MaxPooling1D(MaxPooling2D):
    """The largest number of each window of a sequence, in each channel.

    Args, Raises: as in MaxPooling2D, with one axis: input is (batch, steps, channels).
    Example: >>> MaxPooling1D()(np.arange(4.0).reshape(1, 4, 1))[0, :, 0]
             array([1., 3.])
    """

    _rank = 1


class AveragePooling1D(AveragePooling2D):
    """The mean of each window of a sequence, in each channel; padding does not count.

    Args, Raises: as in MaxPooling1D.
    Example: >>> AveragePooling1D()(np.arange(4.0).reshape(1, 4, 1))[0, :, 0]
             array([0.5, 2.5])
    """

    _rank = 1


class GlobalAveragePooling2D(ArrayLayer):
    """The mean of each channel over the whole image.

    Args:    keepdims: True keeps height and width, with length 1.
    Raises:  ShapeError: input that is not (batch, height, width, channels).
    Example: >>> GlobalAveragePooling2D()(np.ones((2, 5, 5, 3))).shape
             (2, 3)
    """

    expects_unit_inputs = None

    passes_mask = False
    _rank = 2
    _reduce: ClassVar[Function] = staticmethod(np.mean)

    def __init__(self, keepdims: bool = False) -> None:
        check_choices(keepdims=(keepdims, (True, False)))
        self.keepdims = keepdims

    def forward(self, x: Operand) -> Result:
        """Return one number for each channel, (batch, channels)."""
        check_axes(self, x.shape[1:], (1,) * self._rank)
        return self._reduce(x, axis=tuple(range(1, self._rank + 1)), keepdims=self.keepdims)


class GlobalMaxPooling2D(GlobalAveragePooling2D):
    """The largest number of each channel over the whole image; ties share the gradient.

    Args, Raises: as in GlobalAveragePooling2D.
    Example: >>> GlobalMaxPooling2D()(np.ones((2, 5, 5, 3))).shape
             (2, 3)
    """

    _reduce = staticmethod(np.max)


class GlobalAveragePooling1D(GlobalAveragePooling2D):
    """The mean of each channel over the whole sequence, (batch, steps, channels).

    Steps that a mask leaves out do not count, as in Keras.

    Args, Raises: as in GlobalAveragePooling2D, with one axis.
    Example: >>> GlobalAveragePooling1D()(np.ones((2, 5, 3))).shape
             (2, 3)
    """

    _rank = 1
    takes_mask = True

    def forward(self, x: Operand, mask: Operand = None) -> Result:
        """Return the means, (batch, channels)."""
        if mask is None:
            return super().forward(x)
        counts = steps_that_count(mask, x.shape)[..., None].astype(x.dtype)
        return np.sum(x * counts, 1, keepdims=self.keepdims) / np.sum(
            counts, 1, keepdims=self.keepdims
        )


class GlobalMaxPooling1D(GlobalMaxPooling2D):
    """The largest number of each channel over the whole sequence, (batch, steps, channels).

    Args, Raises: as in GlobalAveragePooling2D, with one axis.
    Example: >>> GlobalMaxPooling1D()(np.ones((2, 5, 3))).shape
             (2, 3)
    """

    _rank = 1


def _blocks(x: Operand, high: int, wide: int) -> Result:
    """Return the same for windows that do not overlap, by a reshape."""
    batch, height, width, channels = x.shape
    rows, columns = height // high, width // wide
    if (height, width) != (rows * high, columns * wide):
        x = x[:, : rows * high, : columns * wide]
    blocks = x.reshape(batch, rows, high, columns, wide, channels)
    pieces = np.transpose(blocks, (2, 4, 0, 1, 3, 5))
    return pieces.reshape(high * wide, batch, rows, columns, channels)


_IN_IMAGES = (1, 3)  # channels
_SMALL_IMAGE = 8  # pixels
AXES = {1: "(batch, steps, channels)", 2: "(batch, height, width, channels)"}


def lengths(name: str, given: Any, rank: int) -> tuple[int, ...]:
    """Return one whole number from 1 for each of `rank` axes, given one for all or one for each.

    Raises:  OptionError: another number of them, or one below 1.
    Example: >>> lengths("strides", 2, rank=2), lengths("strides", (1, 2), rank=2)
             ((2, 2), (1, 2))
    """
    if type(given) is int and given >= 1:  # at once: each call of a layer asks
        return (given,) * rank
    each = tuple(given) if isinstance(given, tuple | list) else (given,) * rank
    are_whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in each)
    if len(each) != rank or not are_whole or min(each) < 1:
        raise OptionError(
            f"{name} = {given!r}",
            f"it must be a whole number from 1, or {rank} of them, one for each axis",
            f"{name}={(2,) * rank}",
        )
    return each


def check_axes(layer: Model, shape: tuple[int, ...], least: tuple[int, ...]) -> None:
    """Refuse samples of another number of axes, or too small for the layer's windows.

    Args:    shape: of one sample, (height, width, channels).
             least: the minimal length of each axis but the channels.
    Raises:  ShapeError: the samples do not fit.
    """
    rank = len(least)
    if len(shape) != rank + 1:
        raise ShapeError(
            f"samples of shape {shape} for {layer}",
            f"its input has {rank + 2} axes, {AXES[rank]}",
            "x[..., None] where a single channel has no axis",
        )
    if any(n < m for n, m in zip(shape, least, strict=False)):
        raise ShapeError(
            f"samples of shape {shape} for {layer}",
            f"its windows reach over {' x '.join(map(str, least))}",
            "np.moveaxis(x, 1, -1), which puts the channels last"
            if rank == 2 and shape[0] in _IN_IMAGES and shape[-1] > shape[0]
            else "larger samples, smaller windows, or padding='same'",
        )


def _check_channels(layer: Model, shape: tuple[int, ...]) -> None:
    """Warn of samples that look like an image with its channels first, as PyTorch has them."""
    rows, columns, channels = shape
    are_alike = columns <= 2 * channels and channels <= 2 * columns  # as height and width are
    if rows in _IN_IMAGES and are_alike and min(columns, channels) >= _SMALL_IMAGE:
        warn(
            "channels first",
            f"samples of shape {shape} for {layer}",
            f"they are taken for images of {rows} x {columns} pixels with {channels} channels: "
            "the channels come last",
            "np.moveaxis(x, 1, -1) for images with the channels first",
        )


def padded(
    x: Operand,
    reaches: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    border: float = 0.0,
) -> Result:
    """Return x with the border that `padding` requires, as in Keras.

    With "same" there are ceil(length / stride) windows, and an odd border is longer at the end.
    With "causal" the whole border comes before the first element.

    Args:    x: (batch, ..., channels).
             reaches: the extent of a window along each axis.
             padding: "valid" (none), "same" or "causal".
             border: the value of the border.
    Example: >>> padded(np.ones((1, 4, 1)), (3,), (2,), "same").ravel()
             array([1., 1., 1., 1., 0.])
    """
    if padding == "valid":
        return x
    widths = [(0, 0)]
    for length, reach, stride in zip(x.shape[1:-1], reaches, strides, strict=True):
        beyond = 0 if padding == "causal" else (length - 1) % stride
        total = max(reach - 1 - beyond, 0)
        before = total if padding == "causal" else total // 2
        widths.append((before, total - before))
    return np.pad(x, [*widths, (0, 0)], constant_values=border) if any(map(any, widths)) else x
