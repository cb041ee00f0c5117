"""Keras's weights and ours: the same numbers, with axes and gates in another order."""

from typing import Any

import numpy as np

from autograd_core import OptionError, UnsupportedError

from ..layers import (
    GRU,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    LayerNormalization,
    PReLU,
)
from ..layers.recurrent import RecurrentLayer
from ..networks import Sequential

# Our names in the order in which Keras's get_weights() gives the arrays
_NAMES: dict[type, tuple[str, ...]] = {
    Dense: ("weight", "bias"),
    Conv1D: ("weight", "bias"),
    Conv2D: ("weight", "bias"),
    Embedding: ("weight",),
    PReLU: ("weight",),
    LayerNormalization: ("weight", "bias"),
    BatchNormalization: ("weight", "bias", "running_mean", "running_var"),
}
_OPTIONS = {"bias": ("use_bias", "center"), "weight": ("scale",)}  # False: there is no such array


def state_of(layer: Any, arrays: list[Any]) -> dict[str, Any]:
    """Return what Keras's arrays are in a layer of ours: a state dict."""
    if isinstance(layer, Bidirectional):
        half = len(arrays) // 2
        forwards = state_of(layer.forward_layer, arrays[:half])
        backwards = state_of(layer.backward_layer, arrays[half:])
        return {**forwards, **{f"{name}_reverse": data for name, data in backwards.items()}}
    if isinstance(layer, RecurrentLayer):
        return _recurrent_state(layer, arrays)
    names = _names(layer)
    return {name: _turned(layer, data, 1) for name, data in zip(names, arrays, strict=True)}


def _names(layer: Any) -> list[str]:
    """Return the names of a layer's arrays, without those that its options leave out."""
    names = _NAMES.get(type(layer), ())
    return [n for n in names if all(getattr(layer, o, True) for o in _OPTIONS.get(n, ()))]


def _turned(layer: Any, data: Any, direction: int) -> Any:
    """Return an array with its axes as they are here (direction 1), or as in Keras (-1).

    Where ours has the outputs first and then the inputs, Keras has them last, inputs first.
    """
    ours, keras = ((0, 1), (-1, -2))[::direction] if data.ndim > 1 else ((), ())
    if isinstance(layer, PReLU):
        return data.reshape(-1) if direction == 1 else data.reshape(*_ones(layer), -1)
    return data if isinstance(layer, Embedding) else np.moveaxis(data, keras, ours)


def _ones(layer: PReLU) -> list[int]:
    """Return the lengths of the axes over which Keras's slopes are shared."""
    return [1] * (len(layer.input_shape or ()) - 1)


def _recurrent_state(layer: RecurrentLayer, arrays: list[Any]) -> dict[str, Any]:
    kernel, recurrent, *biases = [_gates(layer, data) for data in arrays]
    state = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent.T}
    if biases:
        both = biases[0] if biases[0].ndim == 2 else (biases[0], np.zeros_like(biases[0]))
        state["bias_ih_l0"], state["bias_hh_l0"] = both
    return state


def _gates(layer: RecurrentLayer, data: Any) -> Any:
    """Return an array with the gates along its last axis in the other order: Keras's GRU has z
    first, ours and PyTorch's r.
    """
    if not isinstance(layer, GRU):
        return data
    first, second, last = np.split(data, 3, -1)
    return np.concatenate([second, first, last], -1)


def keras_weights(model: Any) -> list[Any]:
    """Return a model's weights as Keras's get_weights() gives them, for its set_weights(list).

    Kernels are transposed, and the gates of a GRU put into Keras's order.

    Args:    model: a Sequential, or a single layer, that has weights already.
    Returns: arrays in the order of Keras's layers, each in C order.
    Raises:  UnsupportedError: a layer that Keras does not have. OptionError: no weights yet.
    Example: >>> from nn import Dense, Sequential
             >>> [data.shape for data in keras_weights(Sequential([Dense(2)], input_shape=(3,)))]
             [(3, 2), (2,)]
    """
    return [np.asarray(data, order="C") for data in _weights(model, type(model).__name__)]


def _weights(layer: Any, position: str) -> list[Any]:
    if isinstance(layer, Sequential):
        parts = [_weights(part, f"layer {i}, {part}") for i, part in enumerate(layer.layers)]
        return [data for part in parts for data in part]
    known = type(layer) in _NAMES or isinstance(layer, RecurrentLayer | Bidirectional)
    if known and layer.input_shape is None:
        raise OptionError(
            f"the weights of {position}",
            "it has none before it knows how many inputs there are",
            "model.build(input_shape) first",
        )
    if isinstance(layer, Bidirectional):
        parts = [_weights(part, position) for part in (layer.forward_layer, layer.backward_layer)]
        return [*parts[0], *parts[1]]
    state = layer.state_dict()
    if isinstance(layer, RecurrentLayer):
        return _recurrent_arrays(layer, state)
    if state and not known:
        raise UnsupportedError(
            f"the weights of {position} for Keras",
            "Keras has no such layer",
            "model.state_dict(), by name",
        )
    return [_turned(layer, state[name], -1) for name in _names(layer)]


def _recurrent_arrays(layer: RecurrentLayer, state: dict[str, Any]) -> list[Any]:
    arrays = [state["weight_ih_l0"].T, state["weight_hh_l0"].T]
    if layer.use_bias:
        biases = np.stack([state["bias_ih_l0"], state["bias_hh_l0"]])
        arrays.append(biases if layer.trains_both_biases else biases.sum(0))
    return [_gates(layer, data) for data in arrays]
