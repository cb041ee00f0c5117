"""The network of a multi-layer perceptron, with the weights that scikit-learn starts from."""

import math
from typing import Any

from .. import activations
from ..configuration import choose
from ..layers import Dense, Dropout
from ..networks import Sequential

ACTIVATIONS = activations.BY_NAME | {
    "identity": None,
    "logistic": activations.sigmoid,
    "exp": activations.exponential,
}


def network(
    units: list[int], activation: Any, out_activation: Any, dropout: float, dtype: Any
) -> Sequential:
    """Return a model of Dense layers, with dropout after each but the last.

    Args:    units: features, hidden units, outputs.
             activation, out_activation: of the hidden layers and of the last one; scikit-learn's
             names, and those of nn.activations.
             dropout: the share that is dropped; 0: none.
             dtype: of the weights.
    Raises:  OptionError: an unknown name, or a number out of its range.
    Example: >>> network([2, 3, 1], "tanh", "identity", 0.0, float)
             Sequential(layers=[Dense(units=3, activation=tanh), Dense(units=1)])
    """
    activation = choose("activation", ACTIVATIONS, activation)
    out_activation = choose("activation", ACTIVATIONS, out_activation)
    layers: list[Any] = []
    for hidden in units[1:-1]:
        layers.append(Dense(hidden, activation))
        layers += [Dropout(dropout)] if dropout else []
    model = Sequential([*layers, Dense(units[-1], out_activation)])
    model.build((units[0],), dtype)
    return model


def dense_layers(model: Sequential) -> dict[str, Any]:
    """Return the layers that have weights, by the names they have in the state_dict."""
    return {name: layer for name, layer in model.children().items() if isinstance(layer, Dense)}


def draw_weights(model: Sequential, random_state: Any, factor: float) -> None:
    """Draw weights and biases as scikit-learn does: layer by layer, evenly between bounds.

    The bounds are +-sqrt(factor / (fan_in + fan_out)), for weights (fan_in, fan_out) and biases.

    Args:    random_state: a numpy RandomState.
             factor: 6, or 2 where hidden layers are logistic.
    Source:  X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward
             neural networks, 2010, equation 16, with biases drawn, too.
    """
    for layer in dense_layers(model).values():
        fan_out, fan_in = layer.weight.shape
        bound = math.sqrt(factor / (fan_in + fan_out))
        weight = random_state.uniform(-bound, bound, (fan_in, fan_out)).T
        bias = random_state.uniform(-bound, bound, fan_out)
        layer.load_state_dict({"weight": weight, "bias": bias})
