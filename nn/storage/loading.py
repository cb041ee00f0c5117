"""Loading: a saved model, with everything that training needs in order to continue."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import (
    activations,
    constraints,
    energy,
    initializers,
    layers,
    losses,
    metrics,
    networks,
    neurons,
    optimizers,
    perceptron,
    regularizers,
    schedules,
)
from ..randomness import drawing_from
from .description import restore
from .saving import read_model
from .tensors import decode_array

# What saved models are made of, by name
_MODULES = (
    *(layers, networks, neurons, perceptron, energy),
    *(initializers, regularizers, constraints, optimizers, schedules),
    *(activations, losses, metrics),
)


def load(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return a model that `model.save` has written.

    A compiled model comes back compiled, with its optimizer's state and the random numbers that
    follow: `fit(..., initial_epoch=n)` then goes on as if it had not been interrupted. Its training
    draws from these, which `set_seed` leaves alone.

    Args:    path: of the file.
             custom_objects: classes and functions of one's own by name, {"MyLayer": MyLayer}.
    Raises:  FileError: the file is missing, damaged, of another kind, or holds weights alone.
             OptionError: a class or function that is not known.
    Example: >>> import tempfile
             >>> from nn import Dense, Sequential
             >>> model = Sequential([Dense(2)], input_shape=(3,))
             >>> with tempfile.TemporaryDirectory() as folder:
             ...     model.save(f"{folder}/model.safetensors")
             ...     load(f"{folder}/model.safetensors")
             Sequential(layers=[Dense(units=2)], input_shape=(3,))
    """
    tensors, metadata = read_model(path)
    known = _known() | dict(custom_objects or {})
    with drawing_from(np.random.default_rng(0)):  # what is drawn here is about to be replaced
        model = restore(metadata["model"], known)
        parts = model.modules()
        for name, (shape, dtype) in metadata["inputs"].items():
            parts[name].build_for(tuple(shape), np.dtype(dtype))
        for name in metadata.get("frozen", ()):
            vars(parts[name])["trainable"] = False  # of that part alone, as it was
    model.load_state_dict(tensors)
    if "training" in metadata:
        _resume(model, metadata["training"], known)
    return model


def _known() -> dict[str, Any]:
    return {
        name: thing
        for module in _MODULES
        for name, thing in vars(module).items()
        if callable(thing) and not name.startswith("_")
    }


def _resume(model: Any, training: dict[str, Any], known: Mapping[str, Any]) -> None:
    """Compile the model as it was, and put optimizer and random numbers where they were."""
    optimizer = restore(training["optimizer"], known)
    optimizer.iterations = training["iterations"]
    parameters = model.named_parameters()
    for name, slots in training["slots"].items():
        optimizer.slots[parameters[name]] = {
            slot: decode_array(data) for slot, data in slots.items()
        }
    source = np.random.default_rng()
    source.bit_generator.state = training["generator"]
    model.optimizer = optimizer
    model.loss = restore(training["loss"], known)
    model.metrics = {name: restore(m, known) for name, m in training["metrics"].items()}
    model._generator = source
