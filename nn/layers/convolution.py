"""Conv1D and Conv2D: the same weights look at every place of a sequence or an image."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from autograd_core import OptionError, Value, convolve

from ..configuration import choose
from ..data import whole_number
from .spatial import check_axes, lengths, padded
from .weighted import WeightedLayer


@dataclass(eq=False, repr=False)
class _Convolution(WeightedLayer):
    """What Conv1D and Conv2D have in common, which is everything but the number of axes."""

    passes_mask = False

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    dilation_rate: int | tuple[int, ...] = 1
    activation: Any = None
    weight: Value = field(init=False)
    bias: Value = field(init=False)
    _rank: ClassVar[int]
    _paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.filters = whole_number("filters", self.filters)
        self.padding = choose("padding", {name: name for name in self._paddings}, str(self.padding))
        self._size = lengths("kernel_size", self.kernel_size, self._rank)
        self._steps = lengths("strides", self.strides, self._rank)
        self._spread = lengths("dilation_rate", self.dilation_rate, self._rank)
        if max(self._steps) > 1 < max(self._spread):
            raise OptionError(
                f"strides = {self.strides} and dilation_rate = {self.dilation_rate}",
                "windows are moved by more than 1 or spread by more than 1, not both, as in Keras",
                "strides=1 or dilation_rate=1",
            )
        self._reach = tuple((k - 1) * d + 1 for k, d in zip(self._size, self._spread, strict=True))

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (filters, channels, *kernel_size) and bias (filters,)."""
        self._check(input_shape)
        self.make_kernel("weight", (self.filters, input_shape[-1], *self._size))
        self.make_bias("bias", self.filters)

    def _check(self, shape: tuple[int, ...]) -> None:
        check_axes(self, shape, self._reach if self.padding == "valid" else (1,) * self._rank)

    def forward(self, x: Any) -> Any:
        """Return activation(convolve(x, weight) + bias), (batch, ..., filters)."""
        self._check(x.shape[1:])
        x = padded(x, self._reach, self._steps, self.padding)
        out = convolve(x, self.weight, self._steps, self._spread)
        if self.use_bias:
            out = out + self.bias
        return out if self.activation is None else self.activation(out)


class Conv1D(_Convolution):
    """A layer of filters, each of which looks at every place of a sequence.

    y[n, p, f] = activation(bias[f] + sum of x[n, p * strides + o * dilation_rate, c] *
    weight[f, c, o] over offsets o and channels c). The weight is Keras's kernel with its axes in
    PyTorch's order, (filters, channels, kernel_size).

    Args:    filters: how many.
             kernel_size: over how many steps a filter looks.
             strides: how many steps further it looks next.
             padding: "valid": only inside the sequence; "same": zeros around it, so that the
             output has ceil(steps / strides) steps; "causal": zeros before it, so that no output
             depends on later steps.
             dilation_rate: how many steps lie from one of its weights to the next; where strides
             are above 1, 1.
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
    """A layer of filters, each of which looks at every place of an image.

    y[n, p, f] = activation(bias[f] + sum of x[n, p * strides + o * dilation_rate, c] *
    weight[f, c, o] over offsets o, in both directions, and channels c). The weight is Keras's
    kernel with its axes in PyTorch's order, (filters, channels, height, width).

    Args:    filters: how many.
             kernel_size: height and width of what a filter looks at; one number for both.
             strides: how many pixels further it looks next.
             padding: "valid": only inside the image; "same": zeros around it, so that the output
             has ceil(height / strides) rows; an odd border is longer at the end.
             dilation_rate: how many pixels lie from one of its weights to the next; where
             strides are above 1, 1.
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
