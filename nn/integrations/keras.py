"""from_keras and keras_weights: layers and weights from a Keras model, and weights back."""

import inspect
import math
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from autograd_core import OptionError, UnsupportedError, explained_call
from autograd_core.data import Array, Function, Operand, Tree

from .. import activations, constraints, layers, regularizers
from ..configuration import Choice, Model, name_of
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
from ..module import Module
from ..networks import Sequential
from ..packages import optional
from ..randomness import drawing_from

_INSTEAD = "an nn.Sequential of the layers of nn.layers, or a layer of your own"
_PARTS = "a function of several nn.Sequential, each from_keras of a part that is a chain"
# Options that change no output, or that follow from the arrays
_IGNORED = {"trainable", "dtype", "seed", "unroll", "shared_axes"}
_NEUTRAL = {"data_format": "channels_last"}  # where Keras's default is its settings

# The package, or a model, a layer or a part of one: Keras is no requirement of this package
Keras: TypeAlias = Any


def from_keras(model: Keras) -> Sequential:
    """Return a Keras model as one of ours: the same layers with the same weights.

    In evaluation (`model.eval()`, or `model.predict`) the outputs are equal. Regularizers,
    constraints and frozen layers are kept, initializers are not.

    Args:    model: keras.Sequential, a functional model that is a chain, or a single layer; built.
    Returns: a Sequential, for a single layer the layer; its type is that of the weights.
    Raises:  UnsupportedError: a layer or an option that does not exist here; or layers that are
             no chain. OptionError: it has no weights yet.
             MissingPackageError: Keras is not installed.
    """
    keras = optional("keras", "keras")
    with drawing_from(np.random.default_rng(0)):  # all weights are replaced
        return _converted(keras, model, "the model")


def _converted(keras: Keras, layer: Keras, position: str) -> Model:
    kind = type(layer).__name__
    is_chain = isinstance(layer, keras.Sequential) and type(layer).call is keras.Sequential.call
    if is_chain or (kind == "Functional" and _is_of_keras(type(layer))):
        return _model(keras, layer, position)
    place = f"{position}, {getattr(layer, 'name', layer)!r}, Keras's {kind}"
    if getattr(keras.layers, kind, None) is not type(layer):
        raise UnsupportedError(place, "it is no layer of Keras", _INSTEAD)
    if not layer.built:
        raise OptionError(
            place, "it has no weights before it knows its input", "model.build((None, features))"
        )
    convert = _SPECIAL.get(kind) or partial(_plain, getattr(layers, kind, None))
    made = convert(keras, layer, place)
    if isinstance(made, layers.TimeDistributed):  # whose layer has its weights already
        return made
    arrays = [
        data if data.dtype == np.float64 else np.asarray(data, np.float32)
        for data in layer.get_weights()
    ]
    lengths = arrays[0].shape[:-1] if kind == "PReLU" else ()
    if math.prod(lengths) != 1:
        raise UnsupportedError(place, "a slope belongs to each feature here", "shared_axes=[1, 2]")
    return fill(made, state_of(made, arrays), lengths)


def _is_of_keras(kind: type) -> bool:
    """Return whether a class is Keras's own: one of the user's may have the same name."""
    return kind.__module__.partition(".")[0] == "keras"


def _model(keras: Keras, model: Keras, position: str) -> Sequential:
    made = {}
    for i, layer in enumerate(model.layers):
        if not isinstance(layer, keras.layers.InputLayer):
            inner = f"layer {i}" if position == "the model" else f"{position}, layer {i}"
            made[layer.name] = _converted(keras, layer, inner)
    if not isinstance(model, keras.Sequential):
        made = {name: made[name] for name in _order(model, made)}
    whole = Sequential(made.values())
    if model.built and None not in model.input_shape[1:]:  # then all shapes are known
        types = [parameter.dtype for parameter in whole.named_parameters().values()]
        whole.build(model.input_shape[1:], types[0] if types else np.float32)
    return whole


def _order(model: Keras, made: dict[str, Model]) -> list[str]:
    """Return the names of a functional model's layers, from the input to the output.

    Raises:  UnsupportedError: the layers are no chain; or one of them is called twice, or has
             several inputs.
    """
    config = model.get_config()
    calls = {each["name"]: each for each in config["layers"]}
    names: list[str] = []
    if np.size(config["input_layers"]) == np.size(config["output_layers"]) == 3:
        name = str(np.ravel(config["output_layers"])[0])
        while nodes := calls[name]["inbound_nodes"]:
            tensors, options = nodes[0]["args"], nodes[0]["kwargs"]
            has_options = any(value for key, value in options.items() if key != "mask")
            if name not in made or len(nodes) != 1 or len(tensors) != 1 or has_options:
                raise UnsupportedError(
                    f"{name!r}, Keras's {calls[name]['class_name']}",
                    "each layer is called once, with the output of another one and nothing else",
                    _PARTS,
                )
            names.append(name)
            name = tensors[0]["config"]["keras_history"][0]
    if set(names) != set(made):
        raise UnsupportedError(
            f"{model.name!r}, a functional model of Keras's",
            "its layers are no chain, each of which takes what the one before it gives",
            _PARTS,
        )
    return names[::-1]


def _plain(ours: Any, keras: Keras, layer: Keras, place: str, ignored: str = "") -> Model:
    """Return our layer of the same name with the same options."""
    if ours is None:
        raise UnsupportedError(place, "there is no such layer here", _INSTEAD)
    own, theirs = (inspect.signature(kind).parameters for kind in (ours, type(layer)))
    options = {}
    for name, value in layer.get_config().items():
        if name == "name":  # made up by Keras, as dense_1
            continue
        last = name.rpartition("_")[2]
        if name not in own:
            default = getattr(theirs.get(name), "default", None)
            has_effect = value not in (_NEUTRAL.get(name, False), default)
            if name not in (*_IGNORED, ignored) and has_effect:
                raise UnsupportedError(
                    f"{place}, with {name}={value!r}", "it has no such option here", _INSTEAD
                )
        elif last in _CONVERTED:
            options[name] = _CONVERTED[last](keras, getattr(layer, name), place)
            if last == "constraint":
                _check_axis(layer, name, place)
        elif name == "axis":
            options[name] = _axis(layer, value, place)
        elif last != "initializer":
            options[name] = tuple(value) if isinstance(value, list) else value
    return ours(**options)


def _axis(layer: Keras, axis: Tree, place: str) -> object:
    """Return -1 for the last axis, counted from either end."""
    axes = np.ravel(axis).tolist()
    if len(axes) > 1:
        raise UnsupportedError(f"{place}, with axis={axes}", "it has a single axis here", _INSTEAD)
    rank = len(layer.get_build_config()["input_shape"])
    return -1 if axes[0] == rank - 1 else axes[0]


def _activation(keras: Keras, function: Keras, place: str) -> Choice:
    """Return our activation function of the same name."""
    name = name_of(function)
    if name not in activations.BY_NAME or getattr(keras.activations, name, None) is not function:
        raise UnsupportedError(
            f"{place}, with the activation {name}",
            "there is none of this name here",
            f"one of these: {', '.join(sorted(activations.BY_NAME))}",
        )
    return activations.BY_NAME[name]


def _rule(ours: object, keras: Keras, rule: Keras, place: str) -> Choice:
    """Return our regularizer or constraint of the same name, with the same options."""
    if rule is None:
        return None
    kind = getattr(ours, type(rule).__name__, None) if _is_of_keras(type(rule)) else None
    options = rule.get_config() if kind else {}
    options.pop("axis", None)  # see _check_axis
    if kind is None:
        raise UnsupportedError(f"{place}, with {rule!r}", "there is no such rule here", _INSTEAD)
    return kind(**options)


def _check_axis(layer: Keras, name: str, place: str) -> None:
    """Refuse a constraint over other axes than those of ours: the weights of one output.

    Raises:  UnsupportedError: other axes.
    """
    axis = getattr(getattr(layer, name), "axis", None)
    weight = {"recurrent_constraint": "recurrent_kernel"}.get(
        name, name.removesuffix("_constraint")
    )
    variable = getattr(getattr(layer, "cell", layer), weight, None)
    if axis is None or variable is None:
        return
    rank = len(variable.shape)
    ours = {"embeddings": [1], "alpha": [rank - 1]}.get(weight, list(range(max(rank - 1, 1))))
    is_pair = weight == "bias" and rank == 2  # of a GRU, two parameters here
    if is_pair or sorted(each % rank for each in np.ravel(axis).tolist()) != ours:
        raise UnsupportedError(
            f"{place}, with {name} over axis={axis}",
            "norms are those of the weights of one output here",
            "no such rule for the biases of a GRU" if is_pair else f"axis={ours}",
        )


_CONVERTED: dict[str, Function] = {
    "activation": _activation,
    "regularizer": partial(_rule, regularizers),
    "constraint": partial(_rule, constraints),
}


def _bidirectional(keras: Keras, layer: Keras, place: str) -> Model:
    if layer.merge_mode is None:
        raise UnsupportedError(f"{place}, with merge_mode=None", "a layer has one output", _INSTEAD)
    parts = []
    for part in (layer.forward_layer, layer.backward_layer):
        kind = type(part).__name__
        if not _is_of_keras(type(part)):
            raise UnsupportedError(f"{place}, {kind}", "it is no layer of Keras", _INSTEAD)
        # In Bidirectional, steps that a mask leaves out give 0 here, too
        options = keras, part, f"{place}, {kind}", "zero_output_for_mask"
        parts.append(_plain(getattr(layers, kind, None), *options))
    return layers.Bidirectional(parts[0], layer.merge_mode, parts[1])


def _time_distributed(keras: Keras, layer: Keras, place: str) -> Model:
    inner = _converted(keras, layer.layer, place)
    has_penalty = getattr(inner, "activity_regularizer", None) is not None
    if isinstance(inner, BatchNormalization) or has_penalty:
        raise UnsupportedError(
            f"{place} of {inner}",
            "statistics and penalties over single steps differ from Keras's",
            "the layer by itself, which takes sequences",
        )
    return layers.TimeDistributed(inner)


_SPECIAL: dict[str, Function] = {
    "Bidirectional": _bidirectional,
    "Softmax": lambda keras, layer, place: layers.Softmax(layer.axis),
    "TimeDistributed": _time_distributed,
}


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


def state_of(layer: Model, arrays: list[Array]) -> dict[str, Array]:
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


def _names(layer: Model) -> list[str]:
    """Return the names of a layer's arrays, without those that its options leave out."""
    names = _NAMES.get(type(layer), ())
    return [n for n in names if all(getattr(layer, o, True) for o in _OPTIONS.get(n, ()))]


def _turned(layer: Model, data: Operand, direction: int) -> Array:
    """Return an array with its axes in our order (direction 1), or in Keras's (-1).

    Ours has outputs and inputs first, in this order; Keras has them last, inputs first.
    """
    ours, keras = ((0, 1), (-1, -2))[::direction] if data.ndim > 1 else ((), ())
    if isinstance(layer, PReLU):
        shared = [1] * (len(layer.input_shape or ()) - 1)  # axes over which Keras shares slopes
        return data.reshape(-1) if direction == 1 else data.reshape(*shared, -1)
    return data if isinstance(layer, Embedding) else np.moveaxis(data, keras, ours)


def _recurrent_state(layer: RecurrentLayer, arrays: list[Array]) -> dict[str, Array]:
    kernel, recurrent, *biases = [_gates(layer, data) for data in arrays]
    state = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent.T}
    if biases:
        both = biases[0] if biases[0].ndim == 2 else (biases[0], np.zeros_like(biases[0]))
        state["bias_ih_l0"], state["bias_hh_l0"] = both
    return state


def _gates(layer: RecurrentLayer, data: Operand) -> Array:
    """Return an array with the gates along its last axis in the other order: z is first in
    Keras's GRU, r in ours and PyTorch's.
    """
    if not isinstance(layer, GRU):
        return data
    first, second, last = np.split(data, 3, -1)
    return np.concatenate([second, first, last], -1)


@explained_call
def keras_weights(model: Module) -> list[Array]:
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


def _weights(layer: Model, position: str) -> list[Array]:
    if isinstance(layer, Sequential):
        parts = [_weights(part, f"layer {i}, {part}") for i, part in enumerate(layer.layers)]
        return [data for part in parts for data in part]
    if isinstance(layer, layers.TimeDistributed):
        return _weights(layer.layer, position)
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


def _recurrent_arrays(layer: RecurrentLayer, state: Mapping[str, Array]) -> list[Array]:
    arrays = [state["weight_ih_l0"].T, state["weight_hh_l0"].T]
    if layer.use_bias:
        biases = np.stack([state["bias_ih_l0"], state["bias_hh_l0"]])
        arrays.append(biases if layer.trains_both_biases else biases.sum(0))
    return [_gates(layer, data) for data in arrays]


def fill(layer: Model, state: Mapping[str, Array], lengths: tuple[int, ...] = ()) -> Model:
    """Return the layer, built for the sizes and the type of a state, and with its numbers.

    Args:    state: arrays by name, as in `state_dict`; {} leaves the layer as it is.
             lengths: of a sample's axes but the last, for a layer that accepts any.
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


def _lengths(layer: Model, otherwise: tuple[int, ...]) -> tuple[int, ...]:
    """Return the lengths of the smallest sample's axes, but for its features."""
    if isinstance(layer, Conv1D | Conv2D):
        return layer._reach
    return (1,) if isinstance(layer, RecurrentLayer | Bidirectional) else otherwise
