"""Layers filled with the weights of another library's: built for them, and loaded."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..layers import Bidirectional, Conv1D, Conv2D
from ..layers.recurrent import RecurrentLayer


def fill(layer: Any, state: Mapping[str, Any], lengths: tuple[int, ...] = ()) -> Any:
    """Return the layer, built for the sizes of a state, in its type, and with its numbers.

    Args:    state: arrays by name, as `state_dict` has them; {} leaves the layer as it is.
             lengths: of a sample's axes but the last, for a layer that takes any.
    """
    if state:
        arrays = [np.asarray(array) for array in state.values()]
        is_double = any(array.dtype == np.float64 for array in arrays)
        features = arrays[0].shape[min(1, arrays[0].ndim - 1)]  # of a weight (outputs, inputs, ...)
        layer.build_for(
            (*_lengths(layer, lengths), features), np.dtype(np.float64 if is_double else "f4")
        )
        layer.load_state_dict(state)
    return layer


def _lengths(layer: Any, otherwise: tuple[int, ...]) -> tuple[int, ...]:
    """Return the lengths of the smallest sample's axes, but for its features."""
    if isinstance(layer, Conv1D | Conv2D):
        return layer._reach
    return (1,) if isinstance(layer, RecurrentLayer | Bidirectional) else otherwise
