"""Loading: a saved model, with everything that training needs in order to continue."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_core import AutogradError, FileError, OptionError, ShapeError, Value

from .. import (
    constraints,
    energy,
    initializers,
    layers,
    networks,
    neurons,
    optimizers,
    perceptron,
    regularizers,
    schedules,
)
from ..configuration import Configured
from ..module import Module
from ..networks import Sequential
from ..optimizers import Optimizer
from ..randomness import drawing_from
from .description import FUNCTIONS, is_custom, restore
from .limit import at_most
from .saving import read_model
from .tensors import decode_array

# What saved models are made of, beside functions
_MODULES = (
    *(layers, networks, neurons, perceptron, energy),
    *(initializers, regularizers, constraints, optimizers, schedules),
)
_TYPES = {name: np.dtype(name) for name in ("float32", "float64")}


def load(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return a model that `model.save` has written.

    A compiled model comes back compiled, with its optimizer's state and the random numbers that
    follow: `fit(..., initial_epoch=n)` then goes on as if it had not been interrupted. Its training
    draws from these, which `set_seed` leaves alone.

    Args:    path: of the file.
             custom_objects: classes and functions of one's own by name, {"MyLayer": MyLayer}.
    Raises:  FileError: the file is missing, damaged, of another kind, describes no model, or holds
             weights alone; where it names a class or function that is not known, it is an
             OptionError, too. Nothing that a file claims is made before its tensors bear it out.
             OptionError: custom_objects have no names.
    Example: >>> import tempfile
             >>> from nn import Dense, Sequential
             >>> model = Sequential([Dense(2)], input_shape=(3,))
             >>> with tempfile.TemporaryDirectory() as folder:
             ...     model.save(f"{folder}/model.safetensors")
             ...     load(f"{folder}/model.safetensors")
             Sequential(layers=[Dense(units=2)], input_shape=(3,))
    """
    custom = {} if custom_objects is None else custom_objects
    if not isinstance(custom, Mapping):
        raise OptionError(
            f"custom_objects={custom_objects!r}",
            "files have classes and functions by name",
            '{"MyLayer": MyLayer}',
        )
    tensors, metadata = read_model(path)
    try:
        return _made(tensors, metadata, dict(custom))
    except FileError:
        raise
    except Exception as error:  # a description can be wrong in every way there is
        raise FileError(
            f"{os.fspath(path)}, with what it says of its model",
            _reason(error),
            "the model saved again, by this version; or weights alone, by model.load_weights(path)",
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, AutogradError):
        return f"{error.given}: {error.why}"
    return f"{type(error).__name__}: {error}"


def _made(tensors: dict[str, Any], metadata: dict[str, Any], custom: dict[str, Any]) -> Any:
    """Return the model that a file describes, with its tensors."""
    known = _known() | custom
    numbers = sum(tensor.size for tensor in tensors.values())
    # What is drawn here is about to be replaced. Some of it is made twice: neurons after their rows
    with drawing_from(np.random.default_rng(0)), at_most(2 * numbers):
        model = _of_kind(Module, restore(metadata["model"], known, _make))
        parts = model.modules()
        for name, (shape, dtype, *output_shape) in metadata["inputs"].items():
            _build(parts[name], shape, dtype, *output_shape)
        if custom and not tensors.keys() <= model.state_dict().keys():
            for part in parts.values():  # those of one's own may make parameters by computing
                if isinstance(part, Sequential) and part.input_shape is not None:
                    part.build(part.input_shape)
        for name in _of_kind(list, metadata.get("frozen", [])):
            vars(parts[name])["trainable"] = False  # of that part alone, as it was
    model.load_state_dict(tensors)
    if "training" in metadata:
        _resume(model, metadata["training"], known)
    return model


def _make(kind: type, options: dict[str, Any]) -> Any:
    """Make a part of a model; a Sequential without computing a sample of the shape it claims."""
    if kind is not Sequential:
        return kind(**options)
    model, shape = Sequential(options["layers"]), options["input_shape"]
    model.input_shape = shape and tuple([_count(length) for length in shape])
    return model


def _build(layer: Any, shape: Any, dtype: str, output_shape: Any = None) -> None:
    """Make the parameters of a layer, as it was built."""
    layer.build_for(tuple([_count(length) for length in shape]), _TYPES[dtype])
    if output_shape is not None:
        layer.output_shape = tuple([_count(length) for length in output_shape])


def _known() -> dict[str, Any]:
    """Return what files may name: functions that are documented, and what has a configuration."""
    classes = {
        name: thing
        for module in _MODULES
        for name, thing in vars(module).items()
        if isinstance(thing, type)
        and issubclass(thing, Configured)
        and thing.__module__.startswith(module.__name__)
        and not name.startswith("_")
    }
    return FUNCTIONS | classes


def _resume(model: Any, training: dict[str, Any], known: Mapping[str, Any]) -> None:
    """Compile the model as it was, and put optimizer and random numbers where they were."""
    optimizer = _of_kind(Optimizer, restore(training["optimizer"], known))
    optimizer.iterations = _count(training["iterations"])
    parameters = model.named_parameters()
    for name, slots in training["slots"].items():
        optimizer.slots[parameters[name]] = _slots(optimizer, name, parameters[name], slots)
    source = np.random.default_rng()
    source.bit_generator.state = training["generator"]
    loss = _of_kind(Callable, restore(training["loss"], known))
    metrics = {
        name: _of_kind(Callable, restore(metric, known))
        for name, metric in training["metrics"].items()
    }
    model.optimizer, model.loss, model.metrics = optimizer, loss, metrics
    model._generator, model.jit = source, training.get("jit", False) is True


def _slots(optimizer: Optimizer, name: str, parameter: Value, slots: Any) -> dict[str, Any]:
    """Return what an optimizer remembers of a parameter."""
    found: dict[str, Any] = {
        slot: data if type(data) is float else decode_array(data)[()]
        for slot, data in slots.items()
    }
    for slot, array in found.items():
        if type(array) is float:  # it leaves float32 parameters float32, unlike NumPy's
            continue
        fits = array.shape in (parameter.shape, ()) or is_custom(type(optimizer))
        if array.dtype.kind not in "fiub" or not fits:
            raise ShapeError(
                f"{slot} of shape {array.shape} and type {array.dtype} for {name}",
                "optimizers remember numbers of the parameter's shape, or one for it all",
                f"shape {parameter.shape}",
            )
    return found


def _of_kind(kind: Any, thing: Any) -> Any:
    if not isinstance(thing, kind):
        raise OptionError(
            f"{thing!r:.60}", f"it is no {kind.__name__}", f"the description of a {kind.__name__}"
        )
    return thing


def _count(number: Any) -> int:
    if type(number) is not int or not 0 <= number < 1 << 53:
        raise OptionError(f"{number!r:.60}", "it counts nothing", "a whole number from 0")
    return number
