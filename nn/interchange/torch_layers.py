"""THE TABLE of PyTorch's layers: what each of them is here, before it has weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograd_core import UnsupportedError

from .. import activations
from ..layers import (
    GRU,
    LSTM,
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
    SimpleRNN,
)


@dataclass
class Place:
    """Where the data stand in PyTorch, at the layer called `name`.

    Attributes: rank: how many axes lie behind batch and channels, which PyTorch has first; 0: the
                features are last, as here.
                channels: how many, where they are first; 0: nobody has told yet.
                flat: the channels of which the columns consist since they were flattened.
    """

    name: str = ""
    rank: int = 0
    channels: int = 0
    flat: int = 0

    def refuse(self, why: str, instead: str) -> UnsupportedError:
        """Return the error for the layer that stands here."""
        return UnsupportedError(self.name, why, instead)

    def only(self, module: Any, **options: Any) -> None:
        """Refuse a layer whose options are others than these.

        Raises:  UnsupportedError: one of them is.
        """
        for name, value in options.items():
            given = getattr(module, name)
            if given != value:
                raise self.refuse(f"{name}={given!r} does not exist here", f"{name}={value!r}")

    def last_axis(self) -> None:
        """Refuse a layer that works on PyTorch's last axis where ours has the channels there."""
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


def _leaky_relu(module: Any, place: Place) -> Any:
    return partial(activations.leaky_relu, negative_slope=module.negative_slope)


def _softplus(module: Any, place: Place) -> Any:
    place.only(module, beta=1.0)
    return activations.softplus


def _hard_tanh(module: Any, place: Place) -> Any:
    place.only(module, min_val=-1.0, max_val=1.0)
    return activations.hard_tanh


def _named(name: str) -> Callable[[Any, Place], Any]:
    return lambda module, place: activations.BY_NAME[name]


ACTIVATIONS: dict[str, Callable[[Any, Place], Any]] = {
    "Identity": _named("linear"),
    "ReLU": _named("relu"),
    "ReLU6": _named("relu6"),
    "Tanh": _named("tanh"),
    "Sigmoid": _named("sigmoid"),
    "LogSigmoid": _named("log_sigmoid"),
    "SiLU": _named("silu"),
    "SELU": _named("selu"),
    "Mish": _named("mish"),
    "Softsign": _named("softsign"),
    "Hardsigmoid": _named("hard_sigmoid"),
    "Hardtanh": _hard_tanh,
    "Softplus": _softplus,
    "LeakyReLU": _leaky_relu,
    "ELU": lambda module, place: partial(activations.elu, alpha=module.alpha),
    "CELU": lambda module, place: partial(activations.celu, alpha=module.alpha),
    "GELU": lambda module, place: partial(
        activations.gelu, approximate=module.approximate == "tanh"
    ),
    "Softmax": lambda module, place: partial(activations.softmax, axis=place.axis(module.dim)),
    "LogSoftmax": lambda module, place: partial(
        activations.log_softmax, axis=place.axis(module.dim)
    ),
}


def _linear(module: Any, place: Place) -> Any:
    place.last_axis()
    return Dense(module.out_features, use_bias=module.bias is not None)


def _convolution(ours: Any, rank: int) -> Callable[[Any, Place], Any]:
    def convert(module: Any, place: Place) -> Any:
        place.only(module, groups=1, padding_mode="zeros")
        place.rank, place.channels = rank, module.out_channels
        reach = [(k - 1) * d for k, d in zip(module.kernel_size, module.dilation, strict=True)]
        return ours(
            module.out_channels,
            module.kernel_size,
            strides=module.stride,
            padding=_padding(module, reach, place),
            dilation_rate=module.dilation,
            use_bias=module.bias is not None,
        )

    return convert


def _padding(module: Any, reach: list[int], place: Place) -> str:
    """Return "valid" or "same", whichever means what PyTorch's numbers of pixels mean."""
    given = module.padding
    if isinstance(given, str):
        return given
    pixels = [given] * len(reach) if isinstance(given, int) else [*given]
    strides = np.ravel(module.stride)
    if not any(pixels):
        return "valid"
    if [2 * n for n in pixels] == reach and (strides == 1).all():
        return "same"
    raise place.refuse(
        f"padding={given!r} is neither none nor what keeps the size, the two that exist here",
        "padding=0, or with stride=1 half of what the window reaches beyond its middle",
    )


def _batch_norm(rank: int) -> Callable[[Any, Place], Any]:
    def convert(module: Any, place: Place) -> Any:
        if module.momentum is None or not module.track_running_stats:
            raise place.refuse(
                "averages that do not move by a momentum do not exist here",
                "momentum=0.1, track_running_stats=True",
            )
        if rank:
            place.rank, place.channels = rank, module.num_features
        return BatchNormalization(
            momentum=1.0 - module.momentum,
            epsilon=module.eps,
            center=module.affine,
            scale=module.affine,
        )

    return convert


def _layer_norm(module: Any, place: Place) -> Any:
    place.last_axis()
    if len(module.normalized_shape) != 1:
        raise place.refuse("it normalizes over more than the last axis", "the last axis alone")
    scale, center = module.weight is not None, module.bias is not None
    return LayerNormalization(epsilon=module.eps, scale=scale, center=center)


def _pooling(ours: Any) -> Callable[[Any, Place], Any]:
    def convert(module: Any, place: Place) -> Any:
        place.rank = 2
        place.only(module, ceil_mode=False)
        size = _pair(module.kernel_size)
        if ours is MaxPooling2D:
            place.only(module, dilation=1, return_indices=False)
        else:
            place.only(module, divisor_override=None)
        padding = _padding(module, [k - 1 for k in size], place)
        if ours is AveragePooling2D and padding == "same":  # here a border does not count
            place.only(module, count_include_pad=False)
        return ours(size, _pair(module.stride), padding)

    return convert


def _pair(given: Any) -> tuple[int, int]:
    return (given, given) if isinstance(given, int) else tuple(given)


def _global_pooling(module: Any, place: Place) -> Any:
    place.rank = 2
    if _pair(module.output_size) != (1, 1):
        raise place.refuse("only the mean of the whole image exists here", "output_size=1")
    return GlobalAveragePooling2D(keepdims=True)


def _flatten(module: Any, place: Place) -> Any:
    place.only(module, start_dim=1, end_dim=-1)
    if place.rank and not place.channels:
        raise place.refuse(
            "the number of channels, which it brings into another order here, is not known",
            "a Conv2d or BatchNorm2d before it",
        )
    place.flat, place.rank, place.channels = place.channels, 0, 0
    return Flatten()


def _embedding(module: Any, place: Place) -> Any:
    place.only(module, max_norm=None)
    return Embedding(module.num_embeddings, module.embedding_dim)


def _prelu(module: Any, place: Place) -> Any:
    if module.num_parameters == 1:
        raise place.refuse("a slope belongs to each feature here", "num_parameters=features")
    return PReLU()


def _recurrent(ours: Any) -> Callable[[Any, Place], Any]:
    def convert(module: Any, place: Place) -> Any:
        place.only(module, proj_size=0)
        options = {"return_sequences": True, "use_bias": module.bias}
        if ours is SimpleRNN:
            options["activation"] = module.nonlinearity
        layers: list[Any] = []
        for _ in range(module.num_layers):
            if layers and module.dropout:
                layers.append(Dropout(module.dropout))
            layer = ours(module.hidden_size, **options)
            layers.append(Bidirectional(layer) if module.bidirectional else layer)
        return layers

    return convert


def _dropout(module: Any, place: Place) -> Any:
    return Dropout(module.p)


LAYERS: dict[str, Callable[[Any, Place], Any]] = {
    "Linear": _linear,
    "Conv1d": _convolution(Conv1D, 1),
    "Conv2d": _convolution(Conv2D, 2),
    "BatchNorm1d": _batch_norm(0),
    "BatchNorm2d": _batch_norm(2),
    "LayerNorm": _layer_norm,
    "MaxPool2d": _pooling(MaxPooling2D),
    "AvgPool2d": _pooling(AveragePooling2D),
    "AdaptiveAvgPool2d": _global_pooling,
    "Flatten": _flatten,
    "Dropout": _dropout,
    "Embedding": _embedding,
    "PReLU": _prelu,
    "RNN": _recurrent(SimpleRNN),
    "LSTM": _recurrent(LSTM),
    "GRU": _recurrent(GRU),
}
