"""Layers on arrays: (batch, ...) in, (batch, ...) out.

- ArrayLayer: what they have in common; the base of one's own
- Dense, Activation, PReLU, RBF: every output sees every input; functions of each number; bells
- Dropout, GaussianNoise, BatchNormalization, LayerNormalization: for better training
- Flatten, Reshape: the same numbers in another shape
- Conv1D, Conv2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D: images and signals
- RandomFlip, RandomRotation, RandomTranslation: other views of the same images, in training
- Embedding, Masking, SimpleRNN, GRU, LSTM, Bidirectional: sequences
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
