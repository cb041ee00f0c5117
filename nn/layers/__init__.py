"""Layers on arrays: (batch, ...) in, (batch, ...) out.

- ArrayLayer: the base class, also of your own layers
- Dense, Activation, PReLU, RBF: fully connected layers; functions of each number; radial bases
- Dropout, GaussianNoise, BatchNormalization, LayerNormalization: regularization
- Flatten, Reshape: the same numbers in another shape
- Conv1D, Conv2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D: images and signals
- RandomFlip, RandomRotation, RandomTranslation: data augmentation
- Embedding, Masking, SimpleRNN, GRU, LSTM, Bidirectional: sequences

Layers start in training mode, as in PyTorch: called directly, Dropout, GaussianNoise, the random
layers and BatchNormalization compute as in training until `model.eval()`. `fit` switches to
training, `evaluate` and `predict` to evaluation. Keras's layers, called directly, compute as in
evaluation unless training=True.
"""

from .augmentation import RandomFlip, RandomRotation, RandomTranslation
from .base import ArrayLayer
from .convolution import (
    AveragePooling2D,
    Conv1D,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from .dense import RBF, Activation, Dense, PReLU
from .dropout import Dropout, GaussianNoise
from .embedding import Embedding, Masking
from .normalization import BatchNormalization, LayerNormalization
from .recurrent import GRU, LSTM, Bidirectional, SimpleRNN
from .shaping import Flatten, Reshape

__all__ = [
    "GRU",
    "LSTM",
    "RBF",
    "Activation",
    "ArrayLayer",
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
    "GlobalAveragePooling2D",
    "LayerNormalization",
    "Masking",
    "MaxPooling2D",
    "PReLU",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "Reshape",
    "SimpleRNN",
]
