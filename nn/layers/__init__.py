"""Layers on arrays: (batch, ...) in, (batch, ...) out.

- ArrayLayer: the base class, also of your own layers
- Dense, RBF: fully connected layers; radial bases
- Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax: activation functions as layers
- Dropout, GaussianNoise, BatchNormalization, LayerNormalization: regularization
- Flatten, Reshape, Permute, RepeatVector, ZeroPadding1D, ZeroPadding2D: samples in another shape
- Conv1D, Conv2D; MaxPooling, AveragePooling, GlobalMaxPooling and GlobalAveragePooling, each 1D
  and 2D: signals and images
- TimeDistributed: a layer applied to each step
- RandomFlip, RandomRotation, RandomTranslation: data augmentation
- Embedding, Masking, SimpleRNN, GRU, LSTM, Bidirectional: sequences

Layers start in training mode, as in PyTorch: called directly, Dropout, GaussianNoise, the random
layers and BatchNormalization compute as in training until `model.eval()`. `fit` switches to
training, `evaluate` and `predict` to evaluation. Keras's layers, called directly, compute as in
evaluation unless training=True.
"""

from typing import NoReturn

from autograd_core import unknown_name

from ..spellings import NAMES
from .augmentation import RandomFlip, RandomRotation, RandomTranslation
from .base import ArrayLayer
from .convolution import (
    AveragePooling1D,
    AveragePooling2D,
    Conv1D,
    Conv2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from .dense import ELU, RBF, Activation, Dense, LeakyReLU, PReLU, ReLU, Softmax
from .dropout import Dropout, GaussianNoise
from .embedding import Embedding, Masking
from .normalization import BatchNormalization, LayerNormalization
from .recurrent import GRU, LSTM, Bidirectional, SimpleRNN
from .shaping import (
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    TimeDistributed,
    ZeroPadding1D,
    ZeroPadding2D,
)

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RBF",
    "Activation",
    "ArrayLayer",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "PReLU",
    "Permute",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "Softmax",
    "TimeDistributed",
    "ZeroPadding1D",
    "ZeroPadding2D",
]


def __getattr__(name: str) -> NoReturn:
    """Refuse a name that does not exist, with what to write."""
    raise unknown_name(__name__, name, __all__, NAMES)
