"""Training of three networks, written for each library the way its users write it.

Each function takes the name of a network and returns what is timed: a function that trains, for an
epoch or a step, and returns the loss as a number. The libraries start from the same weights, those
that nn draws; only scikit-learn draws its own, from the same distribution. Each peer is imported by
its own function, so that a process holds one.
"""

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_core import FileError
from nn import LSTM, Conv2D, Dense, Flatten, MaxPooling2D, Sequential, datasets, set_seed

from .timing import THREADS

Array: TypeAlias = NDArray[Any]
Train: TypeAlias = Callable[[], float]

LEARNING_RATE = 0.001
BATCH = 100
SAMPLES = 60_000
DENSE, RECURRENT, CONVOLUTIONAL = "784-128-10", "LSTM(64)-10", "Conv2D(8)-Conv2D(16)-10"
SHAPES = {DENSE: (784,), RECURRENT: (28, 28), CONVOLUTIONAL: (28, 28, 1)}  # of a sample
BESIDE = Path(__file__).parents[2] / "shared" / "data"  # where a checkout may have the files


@cache
def digits() -> tuple[Array, Array] | None:
    """Return MNIST's images for training and their labels; None if the files are not at hand."""
    folder = os.environ.get("AUTOGRAD_CORE_DATA") or (BESIDE if BESIDE.is_dir() else None)
    try:
        return datasets.mnist(folder, mirrors=())[0]
    except FileError:
        return None


def data_name() -> str:
    """Return what the samples are."""
    return "random numbers in the shape of MNIST" if digits() is None else "MNIST"


@cache
def samples(network: str) -> tuple[Array, Array]:
    """Return images in the shape that the network takes, and labels: digits, or random numbers."""
    rng = np.random.default_rng(0)
    x, y = digits() or (rng.random((SAMPLES, 784), np.float32), rng.integers(0, 10, SAMPLES))
    return x.reshape(len(x), *SHAPES[network]), y


def _batch(network: str) -> tuple[Array, Array]:
    x, y = samples(network)
    return x[:BATCH], y[:BATCH]


def _model(network: str) -> Sequential:
    set_seed(0)
    layers: dict[str, list[Any]] = {
        DENSE: [Dense(128, "relu")],
        RECURRENT: [LSTM(64)],
        CONVOLUTIONAL: [
            Conv2D(8, 3, activation="relu"),
            MaxPooling2D(),
            Conv2D(16, 3, activation="relu"),
            MaxPooling2D(),
            Flatten(),
        ],
    }
    return Sequential([*layers[network], Dense(10, "softmax")], input_shape=SHAPES[network])


def nn_epoch(network: str, jit: bool = False) -> Train:
    """Return an epoch of nn: fit, with the accuracy; with jit, its step is compiled."""
    model, (x, y) = _model(network), samples(network)
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss=loss, metrics=["accuracy"], jit=jit)

    def epoch() -> float:
        return float(model.fit(x, y, BATCH, verbose=0).history["loss"][0])

    return epoch


def nn_step(network: str) -> Train:
    """Return a step of nn: train_on_batch."""
    model, (x, y) = _model(network), _batch(network)
    model.compile("adam", loss="sparse_categorical_crossentropy")
    return lambda: model.train_on_batch(x, y)["loss"]


def _torch_model(torch: Any, network: str) -> Any:
    """Return the network in PyTorch, images with their channel first, as PyTorch has them."""
    layers = torch.nn

    class Reader(layers.Module):  # type: ignore[misc, name-defined]
        """The last output of an LSTM, and what follows from it."""

        def __init__(self) -> None:
            super().__init__()
            self.recurrent = layers.LSTM(28, 64, batch_first=True)
            self.recurrent.bias_hh_l0.requires_grad_(False)  # one bias, as in nn and Keras
            self.last = layers.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            return self.last(self.recurrent(x)[0][:, -1])

    if network == RECURRENT:
        model = Reader()
    elif network == DENSE:
        linear = layers.Linear(784, 128), layers.ReLU(), layers.Linear(128, 10)
        model = layers.Sequential(*linear)
    else:
        first = layers.Conv2d(1, 8, 3), layers.ReLU(), layers.MaxPool2d(2)
        second = layers.Conv2d(8, 16, 3), layers.ReLU(), layers.MaxPool2d(2)
        model = layers.Sequential(*first, *second, layers.Flatten(), layers.Linear(400, 10))
    state = _model(network).state_dict()
    if network == CONVOLUTIONAL:  # nn flattens channels last
        weight = state["5.weight"].reshape(10, 5, 5, 16)
        state["5.weight"] = weight.transpose(0, 3, 1, 2).reshape(10, 400)
    arrays = map(torch.from_numpy, state.values())  # in the same order
    model.load_state_dict(dict(zip(model.state_dict(), arrays, strict=True)))
    return model


def _torch_learn(torch: Any, network: str, fused: bool | None = None) -> Callable[..., float]:
    """Return a step on a batch (x, y): modules, cross-entropy, Adam."""
    torch.set_num_threads(THREADS)
    model = _torch_model(torch, network)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, LEARNING_RATE, fused=fused)

    def learn(x: Any, y: Any) -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return learn


def torch_epoch(network: str, fused: bool | None = None) -> Train:
    """Return an epoch of PyTorch at its quickest: batches are rows of a tensor, by their numbers.

    Args:    fused: True: Adam's step is one function of PyTorch's; None: its default, several.
    """
    torch = import_module("torch")
    learn = _torch_learn(torch, network, fused)
    x, y = map(torch.from_numpy, samples(network))

    def epoch() -> float:
        parts = torch.randperm(len(x)).split(BATCH)
        return sum(learn(x[part], y[part]) for part in parts) / len(parts)

    return epoch


def torch_loader_epoch(network: str) -> Train:
    """Return an epoch of PyTorch with its DataLoader, which takes samples one by one."""
    torch = import_module("torch")
    learn = _torch_learn(torch, network)
    tensors = map(torch.from_numpy, samples(network))
    data = torch.utils.data.TensorDataset(*tensors)
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True)
    return lambda: sum(learn(x, y) for x, y in loader) / len(loader)


def torch_step(network: str) -> Train:
    """Return a step of PyTorch."""
    torch = import_module("torch")
    learn = _torch_learn(torch, network)
    x, y = map(torch.from_numpy, _batch(network))
    if network == CONVOLUTIONAL:
        x = x.permute(0, 3, 1, 2).contiguous()
    return lambda: learn(x, y)


def keras_epoch(network: str, backend: str) -> Train:
    """Return an epoch of Keras: fit, with the accuracy."""
    os.environ["KERAS_BACKEND"] = backend
    keras = import_module("keras")
    if backend == "torch":
        import_module("torch").set_num_threads(THREADS)
    hidden, last = keras.layers.Dense(128, "relu"), keras.layers.Dense(10, "softmax")
    model = keras.Sequential([keras.layers.Input(SHAPES[network]), hidden, last])
    model.set_weights([array.T for array in _model(network).state_dict().values()])
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = samples(network)

    def epoch() -> float:
        return float(model.fit(x, y, BATCH, verbose=0).history["loss"][0])

    return epoch


def sklearn_epoch(network: str) -> Train:
    """Return an epoch of scikit-learn: partial_fit, which sees shuffled batches of all samples."""
    classifier = import_module("sklearn.neural_network").MLPClassifier
    model = classifier((128,), alpha=0.0, batch_size=BATCH, random_state=0)
    x, y = samples(network)
    classes = np.arange(10)
    return lambda: float(model.partial_fit(x, y, classes=classes).loss_)
