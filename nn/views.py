"""Views: layers on arrays as a network of single numbers; MLP.to_dense is the way back."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_core import OptionError, Value

from .layers import Activation, Dense, Flatten
from .module import Module
from .neurons import LINEAR


def scalar_network(layers: Iterable[Module], network: Callable[..., Any]) -> Any:
    """Return a scalar network with the numbers of layers on arrays; see Sequential.to_scalar.

    Args:    layers: Dense, Activation, Flatten.
             network: makes it: the class MLP.
    """
    parts: list[tuple[Dense, Any]] = []  # each Dense, with its activation
    for layer in layers:
        if type(layer) is Dense:
            parts.append((_built(layer), layer.activation))
        elif type(layer) is Activation and parts and parts[-1][1] in LINEAR:
            parts[-1] = (parts[-1][0], layer.activation)
        elif type(layer) is not Flatten:
            raise OptionError(
                f"{layer} in a scalar network",
                "a neuron is a weighted sum and one activation",
                "Dense layers, each with at most one activation",
            )
    dense_layers, kinds = [dense for dense, _ in parts], [kind for _, kind in parts]
    made = network(
        dense_layers[0].weight.shape[1] if parts else 1,
        [dense.units for dense in dense_layers],
        activation=kinds[:-1],
        output_activation=kinds[-1] if parts else None,
        initializer="zeros",
        use_bias=[dense.use_bias for dense in dense_layers],
    )
    for neurons, dense in zip(made.layers, dense_layers, strict=True):
        for i, neuron in enumerate(neurons.neurons):
            neuron.w = [Value(weight) for weight in np.asarray(dense.weight)[i]]
            neuron.b = Value(np.asarray(dense.bias)[i]) if dense.use_bias else None
    return made


def _built(dense: Dense) -> Dense:
    """Return a Dense that has weights and takes rows of numbers.

    Raises:  OptionError: it has none yet, or takes samples of several axes.
    """
    if dense.input_shape is None:
        raise OptionError(
            f"{dense} in a scalar network",
            "it has no weights before it knows how many inputs there are",
            "model.build(input_shape) first",
        )
    if len(dense.input_shape) != 1:
        raise OptionError(
            f"{dense} for samples of shape {dense.input_shape} in a scalar network",
            "a neuron takes a row of numbers",
            "Flatten() before it",
        )
    return dense
