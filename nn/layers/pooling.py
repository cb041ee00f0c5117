"""Pooling: an image made smaller, by the largest or the mean number of each window."""

from typing import Any

import numpy as np

from autograd_core import sliding_windows

from ..configuration import choose
from .base import ArrayLayer
from .spatial import check_axes, lengths, padded


class _Pooling2D(ArrayLayer):
    """What MaxPooling2D and AveragePooling2D have in common: the windows."""

    passes_mask = False

    def __init__(
        self,
        pool_size: int | tuple[int, ...] = (2, 2),
        strides: int | tuple[int, ...] | None = None,
        padding: str = "valid",
    ) -> None:
        self.pool_size = pool_size
        self.strides = strides
        self.padding = choose("padding", {name: name for name in ("valid", "same")}, str(padding))
        self._size = lengths("pool_size", pool_size, 2)
        self._steps = self._size if strides is None else lengths("strides", strides, 2)

    def _pieces(self, x: Any, border: float) -> Any:
        """Return x as each place of the windows sees it, (places, batch, height, width, channels).

        The places come first, because what is done over the first axis is done over whole arrays.
        """
        check_axes(self, x.shape[1:], self._size if self.padding == "valid" else (1, 1))
        x = padded(x, self._size, self._steps, self.padding, border)
        if self._steps == self._size:
            return _blocks(x, *self._size)
        seen = sliding_windows(x, self._size[::-1], (2, 1), self._steps[::-1])
        batch, height, width, channels, *_ = seen.shape
        return np.transpose(seen, (5, 4, 0, 1, 2, 3)).reshape(-1, batch, height, width, channels)


def _blocks(x: Any, high: int, wide: int) -> Any:
    """Return the same for windows side by side: a reshape is all that these need."""
    batch, height, width, channels = x.shape
    rows, columns = height // high, width // wide
    if (height, width) != (rows * high, columns * wide):
        x = x[:, : rows * high, : columns * wide]
    blocks = x.reshape(batch, rows, high, columns, wide, channels)
    pieces = np.transpose(blocks, (2, 4, 0, 1, 3, 5))
    return pieces.reshape(high * wide, batch, rows, columns, channels)


class MaxPooling2D(_Pooling2D):
    """The largest number of each window, in each channel.

    Numbers of a window that tie share its gradient equally, where Keras gives it to one of them.

    Args:    pool_size: height and width of a window; one number for both.
             strides: how many pixels further the next one lies; None: pool_size.
             padding: "valid": only whole windows; "same": ceil(height / strides) rows of windows,
             of which those at the border hold fewer pixels.
    Raises:  OptionError: a size below 1, an unknown padding. ShapeError: input that is not (batch,
             height, width, channels), or smaller than a window.
    Example: >>> MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
             array([[ 5.,  7.],
                    [13., 15.]])
    """

    def forward(self, x: Any) -> Any:
        """Return the largest of each window, (batch, height, width, channels)."""
        lowest = float(np.finfo(x.dtype).min)  # finite, because -inf would be an anomaly
        return np.max(self._pieces(x, lowest), axis=0)


class AveragePooling2D(_Pooling2D):
    """The mean of each window, in each channel; a border that was added does not count.

    Args:    pool_size: height and width of a window; one number for both.
             strides: how many pixels further the next one lies; None: pool_size.
             padding: "valid": only whole windows; "same": ceil(height / strides) rows of windows,
             of which those at the border hold fewer pixels.
    Raises:  OptionError: a size below 1, an unknown padding. ShapeError: input that is not (batch,
             height, width, channels), or smaller than a window.
    Example: >>> AveragePooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
             array([[ 2.5,  4.5],
                    [10.5, 12.5]])
    """

    def forward(self, x: Any) -> Any:
        """Return the mean of each window, (batch, height, width, channels)."""
        ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
        count = np.sum(self._pieces(ones, 0.0), axis=0)
        return np.sum(self._pieces(x, 0.0), axis=0) / count


class GlobalAveragePooling2D(ArrayLayer):
    """The mean of each channel over the whole image.

    Args:    keepdims: True keeps height and width, with length 1.
    Raises:  ShapeError: input that is not (batch, height, width, channels).
    Example: >>> GlobalAveragePooling2D()(np.ones((2, 5, 5, 3))).shape
             (2, 3)
    """

    passes_mask = False

    def __init__(self, keepdims: bool = False) -> None:
        self.keepdims = keepdims

    def forward(self, x: Any) -> Any:
        """Return the means, (batch, channels)."""
        check_axes(self, x.shape[1:], (1, 1))
        return np.mean(x, axis=(1, 2), keepdims=self.keepdims)
