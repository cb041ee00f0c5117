"""Embedding of whole numbers as vectors, and Masking of padded sequences."""

from dataclasses import KW_ONLY, field
from typing import Any

import numpy as np

from autograd_core import DataError, OptionError, ShapeError, Value, callback
from autograd_core.data import Operand, Result

from ..configuration import Choice, configured
from ..data import whole_number
from .base import ArrayLayer


@configured
class Embedding(ArrayLayer):
    """A table of vectors, indexed by whole numbers.

    Args:    input_dim: how many rows: one more than the largest number.
             output_dim: how long each vector is.
             embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table;
             see nn.initializers, nn.regularizers, nn.constraints.
             mask_zero: True: 0 is padding, and the layers after this one skip its steps.
             trainable: False: training leaves the table as it is.
    Raises:  OptionError: input_dim or output_dim below 1, or an unknown name.
    Example: >>> layer = Embedding(1000, 4)
             >>> layer([[5, 5, 7]]).shape, layer.weight.shape
             ((1, 3, 4), (1000, 4))
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: Choice = "uniform"
    embeddings_regularizer: Choice = None
    embeddings_constraint: Choice = None
    mask_zero: bool = False
    _: KW_ONLY
    trainable: bool = True
    weight: Value = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.input_dim = whole_number("input_dim", self.input_dim)
        self.output_dim = whole_number("output_dim", self.output_dim)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (input_dim, output_dim)."""
        rules = self.embeddings_regularizer, self.embeddings_constraint
        shape = self.input_dim, self.output_dim
        self.make_parameter("weight", shape, self.embeddings_initializer, *rules)

    def __call__(self, x: Operand, **options: Any) -> Result:
        """Return a vector for each number.

        Args:    x: whole numbers from 0 to input_dim - 1, as ints or floats, (batch,) or
                 (batch, steps) with any number of steps.
        Returns: Value, (batch, output_dim) or (batch, steps, output_dim).
        Raises:  DataError: a number outside the table, or not whole. ShapeError: no batch.
        """
        x = self._as_batch(x)
        if self.input_shape is not None:
            self.input_shape = x.shape[1:]
        return super().__call__(x, **options)

    def forward(self, x: Operand) -> Result:
        """Return the rows of weight with these indices."""
        return self.weight[x if isinstance(x, Value) else x.astype(int)]

    def output_mask(self, x: Operand, mask: Operand) -> Result:
        """Return where x is not 0 if mask_zero, else None."""
        return self._as_batch(x) != 0 if self.mask_zero else None

    def _as_batch(self, x: Operand) -> Result:
        if not isinstance(x, Value):
            x = np.asarray(x)
        if not x.ndim:
            raise ShapeError(
                f"input of shape () for {self}",
                "a layer takes a batch of numbers, (batch,) or (batch, steps)",
                "[x] for one number",
            )
        if x.dtype.char not in "fd":
            x = x.astype(self.dtype)
        callback(self._check_rows, x)
        return x

    def _check_rows(self, x: Operand) -> None:
        wrong = x[(x != np.floor(x)) | (x < 0) | (x >= self.input_dim)]
        if wrong.size:
            raise DataError(
                f"{wrong[0]:g} as an index of {self}",
                f"its table has rows 0 to {self.input_dim - 1}, one for each whole number",
                "indices of these rows, or a larger input_dim",
            )


class Masking(ArrayLayer):
    """Masks the steps in which all features equal mask_value, for the layers after it.

    Args:    mask_value: the padding of the sequences.
    Raises:  OptionError: mask_value is NaN.
    Example: >>> layer = Masking()
             >>> x = np.array([[[1.0, 0.0], [0.0, 0.0]]])
             >>> layer(x).shape, layer.output_mask(x, None)
             ((1, 2, 2), array([[ True, False]]))
    """

    expects_unit_inputs = None

    def __init__(self, mask_value: float = 0.0) -> None:
        if mask_value != mask_value:
            raise OptionError(
                "mask_value = nan",
                "NaN equals no number, so that no step would be masked",
                "np.nan_to_num(x, nan=-1.0) and mask_value=-1.0",
            )
        self.mask_value = mask_value

    def forward(self, x: Operand) -> Result:
        """Return x, with 0 in the masked steps."""
        return np.where(self.output_mask(x, None)[..., None], x, 0.0)

    def output_mask(self, x: Operand, mask: Operand) -> Result:
        """Return where x has a step that is not masked, (batch, steps)."""
        return np.max(self._as_batch(x) != self.mask_value, -1)
