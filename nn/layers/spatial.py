"""What layers on sequences and images have in common: their axes, sizes and borders."""

from typing import Any

import numpy as np

from autograd_core import OptionError, ShapeError

AXES = {1: "(batch, steps, channels)", 2: "(batch, height, width, channels)"}


def lengths(name: str, given: Any, rank: int) -> tuple[int, ...]:
    """Return one whole number from 1 for each of `rank` axes, given one for all or one for each.

    Raises:  OptionError: another number of them, or one below 1.
    Example: >>> lengths("strides", 2, rank=2), lengths("strides", (1, 2), rank=2)
             ((2, 2), (1, 2))
    """
    each = tuple(given) if isinstance(given, tuple | list) else (given,) * rank
    are_whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in each)
    if len(each) != rank or not are_whole or min(each) < 1:
        raise OptionError(
            f"{name} = {given!r}",
            f"it must be a whole number from 1, or {rank} of them, one for each axis",
            f"{name}={(2,) * rank}",
        )
    return each


def check_axes(layer: Any, shape: tuple[int, ...], least: tuple[int, ...]) -> None:
    """Refuse samples of another number of axes, or too small for the layer's windows.

    Args:    shape: of one sample, (height, width, channels).
             least: the smallest length of each axis but the channels.
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
            "larger samples, smaller windows, or padding='same'",
        )


def padded(
    x: Any,
    reaches: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    border: float = 0.0,
) -> Any:
    """Return x with the border that `padding` asks for, as Keras has it.

    With "same" there are ceil(length / stride) windows; where the border is odd, its end is the
    longer one. With "causal" all of it stands before the first element.

    Args:    x: (batch, ..., channels).
             reaches: over how many elements of each axis a window reaches.
             padding: "valid" (none), "same" or "causal".
             border: the number that it consists of.
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
