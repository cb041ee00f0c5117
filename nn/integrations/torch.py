"""from_torch and torch_weights: layers and weights from a PyTorch module, and weights back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from autograd_core import OptionError, UnsupportedError, explained_call
from autograd_core.data import Array, Function

from .. import activations
from ..configuration import Model
from ..layers import (
    GRU,
    LSTM,
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling2D,
    LayerNormalization,
    MaxPooling2D,
    PReLU,
    Reshape,
    SimpleRNN,
)
from ..layers.recurrent import RecurrentLayer
from ..mistakes import warn
from ..module import Module
from ..networks import Sequential
from ..packages import optional
from ..randomness import drawing_from
from .keras import fill

# Names in PyTorch of what weight_norm and pruning replace a weight by: weight_g, weight_mask, ...
_REPLACED = ("g", "v", "orig", "mask")
# Where modules and parameters of PyTorch keep the functions of register_..._hook
_HOOKS = (
    *("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks"),
    "_post_accumulate_grad_hooks",
)
# Layers with the channels first in PyTorch, if samples have more than one axis
_CHANNELS_FIRST = (
    *(Conv1D, Conv2D, BatchNormalization),
    *(MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D),
)

# The package, or a module of it: PyTorch is no requirement of this package
Torch: TypeAlias = Any


def from_torch(module: Torch) -> Model:
    """Return a PyTorch module as one of ours: the same layers with the same weights.

    Channels are last here, also where PyTorch has them first: an image (batch, channels, height,
    width) becomes np.moveaxis(x, 1, -1), and a sequence is (batch, steps, features). The columns
    of weights after Flatten are reordered accordingly, and so is what a last Flatten returns.
    Otherwise the outputs are equal in evaluation. Layers without requires_grad are frozen; the row
    `padding_idx` of an Embedding is trained here. A parameter that two layers share in PyTorch
    becomes two, which is warned of.

    Args:    module: torch.nn.Sequential, nested ones included, or a single layer. A recurrent one
             returns the outputs of all steps only.
    Returns: a Sequential, for a single layer the layer, each part in its mode in PyTorch:
             training or evaluation. Layers and weights have the same numbers and names; but a
             recurrent module of several layers becomes a Sequential. Shared layers stay shared.
    Raises:  UnsupportedError: a layer, an option or a hook that does not exist here.
             MissingPackageError: PyTorch is not installed.
    """
    torch = optional("torch", "torch")
    with drawing_from(np.random.default_rng(0)):  # all weights are replaced
        return _Conversion(torch).converted(module, "the module")


@dataclass
class _Conversion:
    """Converts one layer after another, and tracks the layout of the data in PyTorch.

    Attributes: torch: the package.
                name: of the layer being converted, for messages.
                rank: how many axes follow batch and channels, which PyTorch has first; 0: the
                features are last, as here.
                channels: how many, where they are first; 0: unknown.
                flat: the channels that a flattened image had; 0: it is not flattened.
                made: layers with weights, for shared modules.
                owners: the module that each parameter belongs to.
    """

    torch: Torch
    name: str = ""
    rank: int = 0
    channels: int = 0
    flat: int = 0
    made: dict[object, Model] = field(default_factory=dict)
    owners: dict[Torch, Torch] = field(default_factory=dict)

    def converted(self, module: Torch, position: str) -> Model:
        """Return our layer.

        Args:    position: where it stands in the whole: "the module", "layer 3", "layer 3.1".
        """
        kind = type(module).__name__
        if getattr(self.torch.nn, kind, None) is not type(module):
            raise UnsupportedError(
                f"{position}, {kind}",
                "it is no layer of PyTorch's own",
                "from_torch of the layers that it consists of, and a function of them",
            )
        self.name = f"{position}, PyTorch's {kind}"
        state = {} if kind == "Sequential" else self._state(module)
        self._check_hooks(module)
        if kind == "Sequential":
            prefix = "layer " if position == "the module" else f"{position}."
            made = Sequential(
                [self.converted(part, f"{prefix}{i}") for i, part in enumerate(module)]
            )
            made.training = module.training
            return made
        if kind in ACTIVATIONS:
            return Activation(ACTIVATIONS[kind](module, self))
        if kind not in LAYERS:
            raise UnsupportedError(self.name, "there is no such layer here", "a layer of nn.layers")
        key = module, self.flat  # after Flatten, columns are in another order
        made = self._filled(LAYERS[kind](module, self), state).train(module.training)
        self._freeze(module, made)
        self._note_tied(module)
        return self.made.setdefault(key, made) if state else made

    def _state(self, module: Torch) -> dict[str, Array]:
        """Return a module's weights as arrays, without the count of batches.

        Raises:  UnsupportedError: other ones than its kind has, or complex ones.
        """
        state = {}
        for name, tensor in module.state_dict().items():
            if name.rpartition("_")[2] in _REPLACED or tensor.is_complex():
                raise self.refuse(
                    f"its {name}, {tensor.dtype}, is no weight that layers have here",
                    "plain weights: without weight_norm, pruning or complex numbers",
                )
            is_double = tensor.dtype == self.torch.float64
            if name != "num_batches_tracked":
                state[name] = (tensor if is_double else tensor.float()).cpu().numpy()
        return state

    def _check_hooks(self, module: Torch) -> None:
        """Refuse a module that computes otherwise than its kind does.

        Raises:  UnsupportedError: it has hooks, a parameter of it has, or a forward of its own.
        """
        places = (module, *module.parameters(recurse=False))
        found = [name for place in places for name in _HOOKS if getattr(place, name, None)]
        found += ["forward"] if "forward" in vars(module) else []
        if found:
            raise self.refuse(
                f"its {found[0].strip('_')}, which may change what it computes, is not taken over",
                "handle.remove() of what register_..._hook has returned, and a function of the "
                "converted layers",
            )

    def _note_tied(self, module: Torch) -> None:
        """Warn of a parameter that another module has, too: here each layer has its own."""
        for name, parameter in module.named_parameters():
            if self.owners.setdefault(parameter, module) is not module:
                warn(
                    "tied",
                    f"{name} of {self.name}, a parameter of another layer, too",
                    "each layer has its own parameters here: training moves them apart",
                    "the same layer at both places; or predictions only",
                )

    def _freeze(self, module: Torch, made: Model) -> None:
        """Freeze a layer whose parameters are not trained in PyTorch (requires_grad=False).

        Raises:  UnsupportedError: some of them are; or what is frozen keeps moving averages.
        """
        trained = {parameter.requires_grad for parameter in module.parameters()}
        if trained == {False, True}:
            raise self.refuse(
                "some of its parameters are trained and some are not, and a layer is frozen whole",
                "module.requires_grad_(False), or True",
            )
        if trained == {False}:
            if module.training and getattr(module, "track_running_stats", False):
                raise self.refuse(
                    "its weights are frozen and its averages move on: here both stay",
                    "module.eval(), or module.requires_grad_(True)",
                )
            made.trainable = False

    def _filled(self, made: Model, state: dict[str, Array]) -> Model:
        if isinstance(made, list):  # stacked recurrent layers, with dropout between them
            recurrent = [layer for layer in made if not isinstance(layer, Dropout)]
            for i, layer in enumerate(recurrent):
                of_layer = f"_l{i}"  # _l0 in a single layer
                own = {
                    name.replace(of_layer, "_l0"): data
                    for name, data in state.items()
                    if name.removesuffix("_reverse").endswith(of_layer)
                }
                fill(layer, own)
            return made[0] if len(made) == 1 else Sequential(made)
        if self.flat:
            names = ["weight"] if isinstance(made, Dense) else [*state]
            state |= {name: _channels_last(state[name], self.flat) for name in names}
            self.flat = 0 if isinstance(made, Dense) else self.flat
        return fill(made, state)

    def refuse(self, why: str, instead: str) -> UnsupportedError:
        """Return the error for this layer."""
        return UnsupportedError(self.name, why, instead)

    def only(self, module: Torch, **options: Any) -> None:
        """Refuse a layer with other options than these.

        Raises:  UnsupportedError: one of them is.
        """
        for name, value in options.items():
            given = getattr(module, name)
            if given != value:
                raise self.refuse(f"{name}={given!r} does not exist here", f"{name}={value!r}")

    def last_axis(self) -> None:
        """Refuse a layer over PyTorch's last axis where ours are the channels."""
        if self.rank:
            raise self.refuse(
                "its axis is the last one, which here is that of the channels",
                "torch.nn.Flatten() before it",
            )

    def axis(self, axis: int | None) -> int:
        """Return the axis of our data for one of PyTorch's."""
        if axis is None:
            raise self.refuse("its axis depends on the data", "dim=1")
        if not self.rank:
            return axis
        at = axis % (self.rank + 2)
        return 0 if at == 0 else -1 if at == 1 else at - 1


def _channels_last(data: Array, channels: int) -> Array:
    """Return an array with its last axis, (channels, height, width), reordered to channels last."""
    parts = data.reshape(*data.shape[:-1], channels, -1)
    return np.asarray(parts.swapaxes(-1, -2).reshape(data.shape), order="C")


@explained_call
def torch_weights(model: Module) -> dict[str, Array]:
    """Return a model's weights by the names, and in the order, that they have in PyTorch.

    They are those of `state_dict`, except after Flatten: PyTorch, with the channels first, flattens
    an image or a signal in another order. There, columns are reordered.

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
    """Collects the weights of all layers, and tracks the axis of the channels in PyTorch."""

    def __init__(self) -> None:
        self._channels = 0  # how many, where PyTorch has them first
        self._flat = 0  # the channels of which the columns consist since they were flattened

    def of(self, layer: Model, prefix: str) -> dict[str, Array]:
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
            for name in names:  # from (..., channels) to (channels, ...) is the same exchange
                others = state[name].shape[-1] // self._flat
                state[name] = _channels_last(state[name], others)
        self._go_through(layer)
        return {f"{prefix}{name}": data for name, data in state.items()}

    def _go_through(self, layer: Model) -> None:
        """Update the axis of the channels after a layer."""
        if isinstance(layer, _CHANNELS_FIRST):
            shape = layer.output_shape or layer.input_shape or ()
            self._channels = shape[-1] if len(shape) > 1 else 0
        elif isinstance(layer, Reshape):
            self._channels, self._flat = 0, self._channels or self._flat
            if self._flat and len(layer.target_shape) > 1:
                raise UnsupportedError(
                    f"the weights behind {layer} for PyTorch",
                    "with the channels first, it puts other numbers together",
                    "Flatten(); or model.state_dict(), with the channels last as here",
                )
        elif isinstance(layer, Dense | RecurrentLayer | Bidirectional):
            self._channels = self._flat = 0


Converter: TypeAlias = Callable[[Torch, _Conversion], Model]


def _named(name: str, module: Torch, conversion: _Conversion, **only: Any) -> Model:
    """Return our function of a name, for a module that has only these options."""
    conversion.only(module, **only)
    return activations.BY_NAME[name]


def _softplus(module: Torch, conversion: _Conversion) -> Model:
    conversion.only(module, beta=1.0)
    if module.threshold < 20.0:  # above, what PyTorch leaves out is smaller than 1e-8
        conversion.only(module, threshold=20.0)
    return activations.softplus


ACTIVATIONS: dict[str, Converter] = {
    "Identity": partial(_named, "linear"),
    "ReLU": partial(_named, "relu"),
    "ReLU6": partial(_named, "relu6"),
    "Tanh": partial(_named, "tanh"),
    "Sigmoid": partial(_named, "sigmoid"),
    "LogSigmoid": partial(_named, "log_sigmoid"),
    "SiLU": partial(_named, "silu"),
    "SELU": partial(_named, "selu"),
    "Mish": partial(_named, "mish"),
    "Softsign": partial(_named, "softsign"),
    "Hardsigmoid": partial(_named, "hard_sigmoid"),
    "Hardtanh": partial(_named, "hard_tanh", min_val=-1.0, max_val=1.0),
    "Softplus": _softplus,
    "LeakyReLU": lambda module, conversion: partial(
        activations.leaky_relu, negative_slope=module.negative_slope
    ),
    "ELU": lambda module, conversion: partial(activations.elu, alpha=module.alpha),
    "CELU": lambda module, conversion: partial(activations.celu, alpha=module.alpha),
    "GELU": lambda module, conversion: partial(
        activations.gelu, approximate=module.approximate == "tanh"
    ),
    "Softmax": lambda module, conversion: partial(
        activations.softmax, axis=conversion.axis(module.dim)
    ),
    "LogSoftmax": lambda module, conversion: partial(
        activations.log_softmax, axis=conversion.axis(module.dim)
    ),
}


def _linear(module: Torch, conversion: _Conversion) -> Model:
    conversion.last_axis()
    return Dense(module.out_features, use_bias=module.bias is not None)


def _convolution(ours: Function, rank: int, module: Torch, conversion: _Conversion) -> Model:
    conversion.only(module, groups=1, padding_mode="zeros")
    conversion.rank, conversion.channels = rank, module.out_channels
    reach = [(k - 1) * d for k, d in zip(module.kernel_size, module.dilation, strict=True)]
    return ours(
        module.out_channels,
        module.kernel_size,
        strides=module.stride,
        padding=_padding(module, reach, conversion),
        dilation_rate=module.dilation,
        use_bias=module.bias is not None,
    )


def _padding(module: Torch, reach: list[int], conversion: _Conversion) -> str:
    """Return "valid" or "same" for PyTorch's numbers of pixels."""
    given = module.padding
    if isinstance(given, str):
        return given
    pixels = [given] * len(reach) if isinstance(given, int) else [*given]
    strides = np.ravel(module.stride)
    if not any(pixels):
        return "valid"
    if [2 * n for n in pixels] == reach and (strides == 1).all():
        return "same"
    raise conversion.refuse(
        f"padding={given!r} is neither none nor what keeps the size, the two that exist here",
        "padding=0, or with stride=1 half of what the window reaches beyond its middle",
    )


def _batch_norm(rank: int, module: Torch, conversion: _Conversion) -> Model:
    if module.momentum is None or not module.track_running_stats:
        raise conversion.refuse(
            "averages that do not move by a momentum do not exist here",
            "momentum=0.1, track_running_stats=True",
        )
    if rank:
        conversion.rank, conversion.channels = rank, module.num_features
    return BatchNormalization(
        momentum=1.0 - module.momentum,
        epsilon=module.eps,
        center=module.affine,
        scale=module.affine,
    )


def _layer_norm(module: Torch, conversion: _Conversion) -> Model:
    conversion.last_axis()
    if len(module.normalized_shape) != 1:
        raise conversion.refuse("it normalizes over more than the last axis", "the last axis alone")
    scale, center = module.weight is not None, module.bias is not None
    return LayerNormalization(epsilon=module.eps, scale=scale, center=center)


def _pooling(ours: Function, module: Torch, conversion: _Conversion) -> Model:
    conversion.rank = 2
    conversion.only(module, ceil_mode=False)
    size = _pair(module.kernel_size)
    if ours is MaxPooling2D:
        conversion.only(module, dilation=1, return_indices=False)
    else:
        conversion.only(module, divisor_override=None)
    padding = _padding(module, [k - 1 for k in size], conversion)
    if ours is AveragePooling2D and padding == "same":  # here a border does not count
        conversion.only(module, count_include_pad=False)
    return ours(size, _pair(module.stride), padding)


def _pair(given: Any) -> tuple[int, int]:
    return (given, given) if isinstance(given, int) else tuple(given)


def _global_pooling(module: Torch, conversion: _Conversion) -> Model:
    conversion.rank = 2
    if _pair(module.output_size) != (1, 1):
        raise conversion.refuse("only the mean of the whole image exists here", "output_size=1")
    return GlobalAveragePooling2D(keepdims=True)


def _flatten(module: Torch, conversion: _Conversion) -> Model:
    conversion.only(module, start_dim=1, end_dim=-1)
    if conversion.rank and not conversion.channels:
        raise conversion.refuse(
            "the number of channels, which it brings into another order here, is not known",
            "a Conv2d or BatchNorm2d before it",
        )
    conversion.flat, conversion.rank, conversion.channels = conversion.channels, 0, 0
    return Flatten()


def _embedding(module: Torch, conversion: _Conversion) -> Model:
    conversion.only(module, max_norm=None, scale_grad_by_freq=False)
    return Embedding(module.num_embeddings, module.embedding_dim)


def _prelu(module: Torch, conversion: _Conversion) -> Model:
    if module.num_parameters == 1:
        raise conversion.refuse("a slope belongs to each feature here", "num_parameters=features")
    return PReLU()


def _recurrent(ours: Function, module: Torch, conversion: _Conversion) -> Model:
    conversion.only(module, proj_size=0)
    if not module.batch_first:
        warn(
            "batch_first",
            f"{conversion.name} with batch_first=False",
            "in PyTorch it takes (steps, batch, features), and here (batch, steps, features)",
            f"data as (batch, steps, features), and torch.nn.{type(module).__name__}(..., "
            "batch_first=True)",
        )
    options = {"return_sequences": True, "use_bias": module.bias}
    if ours is SimpleRNN:
        options["activation"] = module.nonlinearity
    layers: list[Model] = []
    for _ in range(module.num_layers):
        if layers and module.dropout:
            layers.append(Dropout(module.dropout))
        layer = ours(module.hidden_size, **options)
        layers.append(Bidirectional(layer) if module.bidirectional else layer)
    return layers


LAYERS: dict[str, Converter] = {
    "Linear": _linear,
    "Conv1d": partial(_convolution, Conv1D, 1),
    "Conv2d": partial(_convolution, Conv2D, 2),
    "BatchNorm1d": partial(_batch_norm, 0),
    "BatchNorm2d": partial(_batch_norm, 2),
    "LayerNorm": _layer_norm,
    "MaxPool2d": partial(_pooling, MaxPooling2D),
    "AvgPool2d": partial(_pooling, AveragePooling2D),
    "AdaptiveAvgPool2d": _global_pooling,
    "Flatten": _flatten,
    "Dropout": lambda module, conversion: Dropout(module.p),
    "Embedding": _embedding,
    "PReLU": _prelu,
    "RNN": partial(_recurrent, SimpleRNN),
    "LSTM": partial(_recurrent, LSTM),
    "GRU": partial(_recurrent, GRU),
}
