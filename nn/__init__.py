"""Neural networks on autograd_core, with Keras's names for training and PyTorch's for modules.

- Module: whatever has parameters, computes and learns; Sequential: layers one after the other
- the layers of `nn.layers`, the optimizers of `nn.optimizers` and the callbacks of `nn.callbacks`
- Perceptron, Neuron, Layer, MLP: scalar networks, in which every weight is a node one can see
- Hopfield, RestrictedBoltzmannMachine, BoltzmannMachine: networks with an energy
- `activations`, `initializers`, `losses`, `metrics`, `regularizers`, `constraints`, `schedules`:
  functions and objects, also known by name
- `datasets`, batches, one_hot: data on their way in
- `parallel`: training on several processes over MPI
- load, set_seed, learning_rate_finder, TrainingWarning
"""

from importlib import import_module
from typing import Any

from . import (
    activations,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    parallel,
    regularizers,
    schedules,
)
from .callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from .data import batches, one_hot
from .energy import BoltzmannMachine, Hopfield, RestrictedBoltzmannMachine
from .layers import (
    ELU,
    GRU,
    LSTM,
    RBF,
    Activation,
    ArrayLayer,
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    LayerNormalization,
    LeakyReLU,
    Masking,
    MaxPooling1D,
    MaxPooling2D,
    Permute,
    PReLU,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    ReLU,
    RepeatVector,
    Reshape,
    SimpleRNN,
    Softmax,
    TimeDistributed,
    ZeroPadding1D,
    ZeroPadding2D,
)
from .mistakes import TrainingWarning
from .module import Module
from .networks import MLP, Input, Sequential
from .neurons import Layer, Neuron
from .optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Nadam,
    Optimizer,
    RMSprop,
)
from .perceptron import Perceptron
from .plots import Replay
from .randomness import set_seed
from .schedules import learning_rate_finder
from .spellings import unknown
from .storage.loading import load

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "MLP",
    "RBF",
    "SGD",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ArrayLayer",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "BoltzmannMachine",
    "CSVLogger",
    "Callback",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "History",
    "Hopfield",
    "Input",
    "LambdaCallback",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LearningRateScheduler",
    "Lion",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "ModelCheckpoint",
    "Module",
    "Nadam",
    "Neuron",
    "Optimizer",
    "PReLU",
    "Perceptron",
    "Permute",
    "RMSprop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "ReLU",
    "ReduceLROnPlateau",
    "RepeatVector",
    "Replay",
    "Reshape",
    "RestrictedBoltzmannMachine",
    "Sequential",
    "SimpleRNN",
    "Softmax",
    "TerminateOnNaN",
    "TimeDistributed",
    "TrainingWarning",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "activations",
    "batches",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "learning_rate_finder",
    "load",
    "losses",
    "metrics",
    "one_hot",
    "optimizers",
    "parallel",
    "regularizers",
    "schedules",
    "set_seed",
]

_LATER = ("estimators", "interchange", "plots")  # imported when first asked for
_MODULES = [activations, callbacks, constraints, datasets, initializers, layers, losses, metrics]
_MODULES += [optimizers, regularizers, schedules]


def __getattr__(name: str) -> Any:
    """Import what joins networks to other libraries, when it is first asked for."""
    if name in _LATER:
        return import_module(f".{name}", __name__)
    raise unknown(__name__, name, [*__all__, *_LATER], _MODULES)


def __dir__() -> list[str]:
    """List the public names, whether they are imported already or not."""
    return sorted([*__all__, *_LATER])
