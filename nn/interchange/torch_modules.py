"""from_torch, torch_weights: PyTorch's modules as our layers, and our weights as PyTorch's."""

from typing import Any

import numpy as np

from autograd_core import OptionError, UnsupportedError

from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Reshape,
)
from ..layers.recurrent import RecurrentLayer
from ..networks import Sequential
from ..optional import optional
from ..randomness import drawing_from
from .filling import fill
from .torch_layers import ACTIVATIONS, LAYERS, Place

# What PyTorch's weight_norm and pruning keep in place of a weight: weight_g, weight_mask, ...
_REPLACED = ("g", "v", "orig", "mask")
# What has the channels first in PyTorch, where its data have more axes than one
_CHANNELS_FIRST = (
    *(Conv1D, Conv2D, BatchNormalization),
    *(MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D),
)


def from_torch(module: Any) -> Any:
    """Return a PyTorch module as one of ours: the same layers with the same weights.

    Data have their channels last here, also where PyTorch has them first: an image (batch,
    channels, height, width) becomes np.moveaxis(x, 1, -1), and a sequence is (batch, steps,
    features). Behind Flatten, weights are put into the order that then arises. In evaluation the
    outputs are equal, and layers without requires_grad are frozen; the row `padding_idx` of an
    Embedding is trained here.

    Args:    module: torch.nn.Sequential, also of others, or a single layer. Of a recurrent one,
             which returns more, the outputs of all steps.
    Returns: a Sequential, for a single layer the layer, in the mode of the module: training or
             evaluation. Layers have the numbers that they have there, and weights their names; but
             a recurrent module of several layers becomes a Sequential of them. A layer that stands
             in several places does so here, too.
    Raises:  UnsupportedError: a layer, or an option of one, that does not exist here, named.
             MissingPackageError: PyTorch is not installed.
    """
    torch = optional("torch", "torch")
    with drawing_from(np.random.default_rng(0)):  # what is drawn here is replaced
        made = _Conversion(torch).converted(module, "the module")
    return made.train(module.training)


class _Conversion:
    """Converts one layer after another; knows where the channels of its data lie in PyTorch."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._place = Place()
        self._made: dict[Any, Any] = {}  # layers with weights, for modules that come again

    def converted(self, module: Any, position: str) -> Any:
        """Return our layer.

        Args:    position: where it stands in the whole: "the module", "layer 3", "layer 3.1".
        """
        kind = type(module).__name__
        if getattr(self._torch.nn, kind, None) is not type(module):
            raise UnsupportedError(
                f"{position}, {kind}",
                "it is no layer of PyTorch's own",
                "from_torch of the layers that it consists of, and a function of them",
            )
        if kind == "Sequential":
            prefix = "layer " if position == "the module" else f"{position}."
            return Sequential(
                [self.converted(part, f"{prefix}{i}") for i, part in enumerate(module)]
            )
        self._place.name = f"{position}, PyTorch's {kind}"
        if kind in ACTIVATIONS:
            return Activation(ACTIVATIONS[kind](module, self._place))
        if kind not in LAYERS:
            raise UnsupportedError(
                self._place.name, "there is no such layer here", "a layer of nn.layers"
            )
        place = module, self._place.flat  # behind Flatten, columns are in another order
        state = self._state(module)
        made = self._filled(LAYERS[kind](module, self._place), state)
        self._freeze(module, made)
        return self._made.setdefault(place, made) if state else made

    def _state(self, module: Any) -> dict[str, Any]:
        """Return a module's weights as arrays, without the count of batches.

        Raises:  UnsupportedError: other ones than its kind has, or complex ones.
        """
        state = {}
        for name, tensor in module.state_dict().items():
            if name.rpartition("_")[2] in _REPLACED or tensor.is_complex():
                raise self._place.refuse(
                    f"its {name}, {tensor.dtype}, is no weight that layers have here",
                    "plain weights: without weight_norm, pruning or complex numbers",
                )
            is_double = tensor.dtype == self._torch.float64
            if name != "num_batches_tracked":
                state[name] = (tensor if is_double else tensor.float()).cpu().numpy()
        return state

    def _freeze(self, module: Any, made: Any) -> None:
        """Freeze a layer whose parameters are not trained in PyTorch (requires_grad=False).

        Raises:  UnsupportedError: some of them are; or what is frozen keeps moving averages.
        """
        trained = {parameter.requires_grad for parameter in module.parameters()}
        if trained == {False, True}:
            raise self._place.refuse(
                "some of its parameters are trained and some are not, and a layer is frozen whole",
                "module.requires_grad_(False), or True",
            )
        if trained == {False}:
            if module.training and getattr(module, "track_running_stats", False):
                raise self._place.refuse(
                    "its weights are frozen and its averages move on: here both stay",
                    "module.eval(), or module.requires_grad_(True)",
                )
            made.trainable = False

    def _filled(self, made: Any, state: dict[str, Any]) -> Any:
        if isinstance(made, list):  # one recurrent layer on the other, with dropout between them
            return self._stack(made, state)
        if self._place.flat:
            names = ["weight"] if isinstance(made, Dense) else [*state]
            state |= {name: _channels_last(state[name], self._place.flat) for name in names}
            self._place.flat = 0 if isinstance(made, Dense) else self._place.flat
        return fill(made, state)

    def _stack(self, layers: list[Any], state: dict[str, Any]) -> Any:
        number = 0
        for layer in layers:
            own = {name: data for name, data in state.items() if f"_l{number}" in name}
            if isinstance(layer, Bidirectional) or hasattr(layer, "units"):
                fill(layer, {_first(name, number): data for name, data in own.items()})
                number += 1
        return layers[0] if len(layers) == 1 else Sequential(layers)


def _first(name: str, number: int) -> str:
    """Return what an array of layer `number` is called in a layer by itself."""
    return name.replace(f"_l{number}", "_l0")


def _channels_last(data: Any, channels: int) -> Any:
    """Return an array whose last axis stood for (channels, height, width), for channels last."""
    parts = data.reshape(*data.shape[:-1], channels, -1)
    return np.asarray(parts.swapaxes(-1, -2).reshape(data.shape), order="C")


def torch_weights(model: Any) -> dict[str, Any]:
    """Return a model's weights by the names, and in the order, that they have in PyTorch.

    They are those of `state_dict`, but behind Flatten: PyTorch, which has the channels first, lays
    the numbers of an image or a signal in another row. There, columns are put into its order.

    Args:    model: a Sequential, or a single layer, that has weights already.
    Returns: arrays by name, in C order; `module.load_state_dict` takes each as torch.tensor(array),
             and safetensors.numpy.save_file all of them.
    Raises:  OptionError: no weights yet. UnsupportedError: a Reshape of what has channels.
    Example: >>> from nn import Conv2D, Flatten
             >>> model = Sequential([Conv2D(4, 3), Flatten(), Dense(2)], input_shape=(8, 8, 1))
             >>> list(torch_weights(model))
             ['0.weight', '0.bias', '2.weight', '2.bias']
    """
    return _Weights().of(model, "")


class _Weights:
    """Takes the weights of one layer after another; knows where their channels lie in PyTorch."""

    def __init__(self) -> None:
        self._channels = 0  # how many, where PyTorch has them first
        self._flat = 0  # the channels of which the columns consist since they were flattened

    def of(self, layer: Any, prefix: str) -> dict[str, Any]:
        """Return the weights of a layer, or of those inside, with a prefix before their names."""
        if isinstance(layer, Sequential):
            parts = [self.of(part, f"{prefix}{name}.") for name, part in layer.children().items()]
            return {name: data for part in parts for name, data in part.items()}
        if getattr(layer, "input_shape", ()) is None:
            raise OptionError(
                f"the weights of {f'layer {prefix[:-1]}, ' if prefix else ''}{layer}",
                "it does not know yet how many inputs there are",
                "model.build(input_shape) first",
            )
        state = layer.state_dict()
        if self._flat:
            names = ["weight"] if isinstance(layer, Dense) else [*state]
            state |= {name: _channels_first(state[name], self._flat) for name in names}
        self._go_through(layer)
        return {f"{prefix}{name}": data for name, data in state.items()}

    def _go_through(self, layer: Any) -> None:
        """Note where the channels lie behind a layer."""
        if isinstance(layer, _CHANNELS_FIRST):
            shape = layer.output_shape or layer.input_shape or ()
            self._channels = shape[-1] if len(shape) > 1 else 0
        elif isinstance(layer, Reshape):
            self._channels, self._flat = 0, self._channels or self._flat
            if self._flat and len(layer.target_shape) > 1:
                raise UnsupportedError(
                    f"the weights behind {layer} for PyTorch",
                    "it has the channels first there, so that other numbers come together",
                    "Flatten(); or model.state_dict(), with the channels last as here",
                )
        elif isinstance(layer, Dense | RecurrentLayer | Bidirectional):
            self._channels = self._flat = 0


def _channels_first(data: Any, channels: int) -> Any:
    """Return an array whose last axis stands for channels last, for (channels, height, width)."""
    return _channels_last(data, data.shape[-1] // channels)
