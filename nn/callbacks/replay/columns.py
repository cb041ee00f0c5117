"""A network as columns of neurons: each Dense layer, with what follows it up to the next one."""

from dataclasses import dataclass, field
from typing import Any

from autograd_core import OptionError, Value, no_grad

from ...configuration import name_of


@dataclass
class Column:
    """Neurons side by side.

    Args:    weight: (units, inputs). bias: (units,), or None.
             out: what the neurons say of some samples, (samples, units).
             functions: what is applied to the weighted sum, first to last: ["tanh"].
    """

    weight: Any
    bias: Any
    out: Any
    functions: list[str] = field(default_factory=list)


def columns_of(model: Any, x: Any) -> list[Column]:
    """Return a network's columns, computed as in evaluation.

    Args:    model: Dense layers one after the other, with layers between that keep the number of
             neurons; or a scalar network, seen as such layers.
             x: samples, (samples, inputs).
    Raises:  OptionError: a layer of another kind.
    Example: >>> import nn
             >>> model = nn.Sequential([nn.Dense(3), nn.Activation("tanh"), nn.Dense(1)])
             >>> [(c.weight.shape, c.functions) for c in columns_of(model, [[0.0, 1.0]])]
             [((3, 2), ['tanh']), ((1, 3), [])]
    """
    network = model.to_dense() if hasattr(model, "to_dense") else model
    columns: list[Column] = []
    with network.evaluating(), no_grad():
        for layer in _layers(network):
            given, x = x, layer(x)
            kept = getattr(x, "shape", ()) == getattr(given, "shape", None)
            if hasattr(layer, "units") and isinstance(getattr(layer, "weight", None), Value):
                bias = layer.bias.data if layer.use_bias else None
                columns.append(Column(layer.weight.data, bias, x))
            elif not (columns and kept):
                raise OptionError(
                    f"a replay of {model!r} with {type(layer).__name__}",
                    "its picture has a line for each weight between neurons",
                    "nn.Sequential of Dense layers, with activations between, or nn.MLP",
                )
            if x is not given:  # dropout and noise give what they got: no training, no noise
                columns[-1].functions += _function(layer)
            columns[-1].out = x
    for column in columns:
        column.out = getattr(column.out, "data", column.out)
    return columns


def _layers(network: Any) -> list[Any]:
    """Return the layers, those of networks inside the network included."""
    if not hasattr(network, "layers"):
        return [network]
    return [inner for layer in network.layers for inner in _layers(layer)]


def _function(layer: Any) -> list[str]:
    function = getattr(layer, "activation", type(layer))
    return [] if function is None or name_of(function) == "linear" else [name_of(function)]
