"""Masking: which steps of padded sequences count."""

from typing import Any

import numpy as np

from autograd_core import OptionError

from .base import ArrayLayer


class Masking(ArrayLayer):
    """Tells the layers behind it to skip the steps in which all features equal mask_value.

    Args:    mask_value: what sequences were filled up with.
    Raises:  OptionError: mask_value is NaN.
    Example: >>> layer = Masking()
             >>> x = np.array([[[1.0, 0.0], [0.0, 0.0]]])
             >>> layer(x).shape, layer.output_mask(x, None)
             ((1, 2, 2), array([[ True, False]]))
    """

    def __init__(self, mask_value: float = 0.0) -> None:
        if mask_value != mask_value:
            raise OptionError(
                "mask_value = nan",
                "NaN equals no number, so that no step would be masked",
                "np.nan_to_num(x, nan=-1.0) and mask_value=-1.0",
            )
        self.mask_value = mask_value

    def forward(self, x: Any) -> Any:
        """Return x, with 0 in the steps that do not count."""
        return np.where(self.output_mask(x, None)[..., None], x, 0.0)

    def output_mask(self, x: Any, mask: Any) -> Any:
        """Return which steps count, (batch, steps), as x alone tells it."""
        return np.max(self._as_batch(x) != self.mask_value, -1)
