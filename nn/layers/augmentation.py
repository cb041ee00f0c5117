"""Data augmentation: in training, each image is flipped, shifted or rotated at random."""

from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import ClassVar

import numpy as np

from autograd_core import OptionError, Value, fresh
from autograd_core.data import Array, Operand, Result

from ..configuration import choose, configured
from ..randomness import generator
from .base import ArrayLayer
from .convolution import check_axes

# The axes along which an image is flipped
FLIPS = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (1, 2)}

# The index, from 0 to n - 1, of the pixel at the position i, which may lie outside
FILL_MODES: dict[str, Callable[[Array, int], Array]] = {
    "reflect": lambda i, n: np.minimum(i % (2 * n), 2 * n - 1 - i % (2 * n)),
    "constant": lambda i, n: np.clip(i, 0, n - 1),  # any: its number is replaced
    "wrap": lambda i, n: i % n,
    "nearest": lambda i, n: np.clip(i, 0, n - 1),
}


class _Augmentation(ArrayLayer):
    """Layers that change images in training only."""

    expects_unit_inputs = None

    passes_mask = False
    _changed: Callable[[Operand], Result]  # every subclass has its own

    @property
    def acts_in_training(self) -> bool:
        """True: it changes images."""
        return True

    def forward(self, x: Operand) -> Result:
        """Return the changed images, (batch, height, width, channels); in evaluation x itself."""
        check_axes(self, x.shape[1:], (1, 1))
        return self._changed(x) if self.training else x


class RandomFlip(_Augmentation):
    """Flips half of the images, chosen at random; in training only.

    Args:    mode: "horizontal": left becomes right; "vertical": top becomes bottom;
             "horizontal_and_vertical": both in the same images, as in Keras.
    Raises:  OptionError: an unknown mode. ShapeError: input that is not (batch, height, width,
             channels).
    Example: >>> RandomFlip("horizontal").eval()(np.ones((2, 4, 4, 1))).shape
             (2, 4, 4, 1)
    """

    def __init__(self, mode: str = "horizontal_and_vertical") -> None:
        self.mode = choose("mode", {name: name for name in FLIPS}, str(mode))

    def _changed(self, x: Operand) -> Result:
        chosen = fresh(lambda: generator().random((len(x), 1, 1, 1))) < 0.5
        return np.where(chosen, np.flip(x, FLIPS[self.mode]), x)


@configured
class _Resampling(_Augmentation):
    """Bilinear interpolation, for RandomTranslation and RandomRotation.

    A subclass returns from `_places` the position in the image of each pixel of the result.
    """

    _: KW_ONLY
    fill_mode: str = "reflect"
    fill_value: float = 0.0
    _places: ClassVar[Callable[[object, int, int, int], tuple[Array, Array]]]

    def __post_init__(self) -> None:
        super().__post_init__()
        modes = {name: name for name in FILL_MODES}
        self.fill_mode = choose("fill_mode", modes, str(self.fill_mode))

    def _changed(self, x: Operand) -> Result:
        """Return x at other positions, each the weighted mean of four pixels."""
        batch, height, width, _ = x.shape
        rows, columns = self._places(batch, height, width)
        out: Operand = 0.0
        for row, row_share in _neighbours(rows):
            for column, column_share in _neighbours(columns):
                share = (row_share * column_share)[..., None].astype(x.dtype)
                out = out + share * self._pixels(x, row, column)
        return out

    def _pixels(self, x: Operand, row: Array, column: Array) -> Result:
        batch, height, width, _ = x.shape
        inner = FILL_MODES[self.fill_mode]
        image = np.arange(batch)[:, None, None]
        pixels = x[image, _whole(inner(row, height)), _whole(inner(column, width))]
        if self.fill_mode != "constant":
            return pixels
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        return np.where(inside[..., None], pixels, self.fill_value)


def _neighbours(places: Array) -> list[tuple[Array, Array]]:
    """Return the whole numbers below and above, each with its weight."""
    before = np.floor(places)
    share = places - before
    return [(before, 1 - share), (before + 1, share)]


def _whole(places: Array) -> Result:
    return places if isinstance(places, Value) else places.astype(int)


@configured
class RandomTranslation(_Resampling):
    """Shifts each image by a random fraction of its height and width; in training only.

    Args:    height_factor: the largest shift down, as a fraction of the height; 0.1: from 10 % up
             to 10 % down; a pair: from the first to the second, up is negative.
             width_factor: the same to the right, as a fraction of the width.
             fill_mode: of pixels from outside: "reflect" (the image, mirrored at its edge),
             "constant" (fill_value), "wrap" (the opposite edge) or "nearest" (the edge).
             fill_value: for fill_mode "constant".
    Raises:  OptionError: a factor outside -1 to 1, an unknown fill_mode. ShapeError: input that
             is not (batch, height, width, channels).
    Example: >>> layer = RandomTranslation((0.5, 0.5), 0.0, fill_mode="constant")
             >>> layer(np.array([[1.0], [2.0]]).reshape(1, 2, 1, 1)).ravel()
             array([0., 1.])
    """

    height_factor: float | tuple[float, float]
    width_factor: float | tuple[float, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        _bounds("height_factor", self.height_factor)
        _bounds("width_factor", self.width_factor)

    def _places(self, batch: int, height: int, width: int) -> tuple[Array, Array]:
        down = height * _drawn("height_factor", self.height_factor, batch)
        right = width * _drawn("width_factor", self.width_factor, batch)
        return np.arange(height)[:, None] - down, np.arange(width) - right


@configured
class RandomRotation(_Resampling):
    """Rotates each image about its centre by a random angle; in training only.

    Args:    factor: the largest angle, as a fraction of a full turn; 0.1: from 36 degrees
             clockwise to 36 degrees counterclockwise; a pair: from the first to the second,
             clockwise is negative.
             fill_mode, fill_value: as in RandomTranslation.
    Raises:  OptionError: a factor outside -1 to 1, an unknown fill_mode. ShapeError: input that
             is not (batch, height, width, channels).
    Example: >>> layer = RandomRotation((0.25, 0.25))
             >>> layer(np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1))[0, :, :, 0]
             array([[2., 4.],
                    [1., 3.]])
    """

    factor: float | tuple[float, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        _bounds("factor", self.factor)

    def _places(self, batch: int, height: int, width: int) -> tuple[Array, Array]:
        angle = 2 * np.pi * _drawn("factor", self.factor, batch)
        down, right = (height - 1) / 2, (width - 1) / 2
        row, column = np.arange(height)[:, None] - down, np.arange(width) - right
        return (
            np.cos(angle) * row + np.sin(angle) * column + down,
            np.cos(angle) * column - np.sin(angle) * row + right,
        )


def _drawn(name: str, factor: float | tuple[float, float], batch: int) -> Result:
    """Draw a factor for each image, (batch, 1, 1)."""
    bounds = _bounds(name, factor)
    return fresh(lambda: generator().uniform(*bounds, (batch, 1, 1)))


def _bounds(name: str, factor: float | tuple[float, float]) -> tuple[float, float]:
    """Return the smallest and the largest factor; of one number, -factor and factor."""
    pair = tuple(factor) if isinstance(factor, tuple | list) else (factor, factor)
    if len(pair) != 2 or not all(isinstance(n, int | float) and -1 <= n <= 1 for n in pair):
        raise OptionError(
            f"{name} = {factor!r}",
            "it must be a number, or two, from -1 to 1",
            f"{name}=0.1, or {name}=(-0.1, 0.1)",
        )
    return (-abs(factor), abs(factor)) if pair[0] is factor else (min(pair), max(pair))
