"""from_torch: PyTorch's modules as our layers, with equal outputs."""

from typing import Any

import numpy as np

from autograd_core import UnsupportedError

from ..layers import Activation, Bidirectional, Dense
from ..networks import Sequential
from ..optional import optional
from ..randomness import drawing_from
from .filling import fill
from .torch_layers import ACTIVATIONS, LAYERS, Place


def from_torch(module: Any) -> Any:
    """Return a PyTorch module as one of ours: the same layers with the same weights.

    Data have their channels last here, also where PyTorch has them first: an image (batch,
    channels, height, width) becomes np.moveaxis(x, 1, -1), and a sequence is (batch, steps,
    features). Behind Flatten, weights are put into the order that then arises. In evaluation the
    outputs are equal; the row `padding_idx` of an Embedding is trained here.

    Args:    module: torch.nn.Sequential, also of others, or a single layer. Of a recurrent one,
             which returns more, the outputs of all steps.
    Returns: a Sequential, for a single layer the layer, in the mode of the module: training or
             evaluation. Layers have the numbers, and weights the names, that they have there; but a
             recurrent module of several layers becomes a Sequential of them.
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
                [self.converted(part, f"{prefix}{name}") for name, part in module.named_children()]
            )
        self._place.name = f"{position}, PyTorch's {kind}"
        if kind in ACTIVATIONS:
            return Activation(ACTIVATIONS[kind](module, self._place))
        if kind not in LAYERS:
            raise UnsupportedError(
                self._place.name, "there is no such layer here", "a layer of nn.layers"
            )
        return self._filled(LAYERS[kind](module, self._place), self._state(module))

    def _state(self, module: Any) -> dict[str, Any]:
        """Return a module's weights as arrays, without the count of batches."""
        state = {}
        for name, tensor in module.state_dict().items():
            is_double = tensor.dtype == self._torch.float64
            if name != "num_batches_tracked":
                state[name] = (tensor if is_double else tensor.float()).cpu().numpy()
        return state

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
    return parts.swapaxes(-1, -2).reshape(data.shape)
