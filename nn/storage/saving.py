"""Saving: a model with its weights, its architecture and the state of its training in one file."""

import os
from functools import partial

import numpy as np

import autograd_core
from autograd_core import OptionError, Value

from .. import activations, losses, metrics
from ..configuration import Configured, Model, name_of
from ..files import check_suffix
from ..randomness import generator
from .tensors import Json, encode_array, read, write

KIND = "autograd_core model"
# The functions that files may name: the documented ones of nn and of autograd_core
FUNCTIONS = {
    name: function
    for name, function in vars(autograd_core).items()  # what is imported later is none of these
    if getattr(function, "__module__", "").startswith("autograd_core.functions.")
} | {
    name_of(function): function
    for module in (metrics, losses, activations)
    for function in module.BY_NAME.values()
}


def save(model: Model, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Write a model to a file; see `Module.save`."""
    instead = 'model.save("model.safetensors"), which nn.load, and for weights PyTorch, can read'
    check_suffix(path, ".safetensors", instead)
    _check_owners(model)
    metadata = {
        "kind": KIND,
        "model": describe(model),
        "inputs": {
            name: [list(part.input_shape), part.dtype.name, part.output_shape]
            for name, part in model.modules().items()
            if hasattr(part, "build_for") and part.input_shape is not None
        },
    }
    frozen = [name for name, part in model.modules().items() if not part.trainable]
    if frozen:
        metadata["frozen"] = frozen
    if include_optimizer and model.optimizer is not None:
        metadata["training"] = _training(model)
    write(path, model.state_dict(), metadata)


def save_weights(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model's tensors to a file, without its architecture; see `Module.save_weights`."""
    check_suffix(path, ".safetensors", 'model.save_weights("weights.safetensors")')
    write(path, model.state_dict(), {})


def _check_owners(model: Model) -> None:
    """Refuse parameters that two parts have in common: each would come back with its own.

    Raises:  OptionError: there are such.
    """
    owners: dict[int, str] = {}
    for name, part in model.modules().items():
        for key, each in vars(part).items():
            if isinstance(each, Value) and not key.startswith("_"):
                place = f"{name}.{key}".lstrip(".")
                if id(each) in owners:
                    raise OptionError(
                        f"saving a model in which {owners[id(each)]} and {place} are one Value",
                        "a file describes each part by itself, and both would learn apart",
                        "one part that stands in both places; or model.state_dict(), and the same "
                        "lines that made the model",
                    )
                owners[id(each)] = place


def _training(model: Model) -> dict[str, Json]:
    """Return what training needs to continue exactly."""
    slots = model.optimizer.slots
    return {
        "optimizer": describe(model.optimizer),
        "loss": describe(model.loss),
        "metrics": {name: describe(metric) for name, metric in model.metrics.items()},
        "iterations": model.optimizer.iterations,
        "slots": {
            name: {
                slot: data if type(data) is float else encode_array(data)
                for slot, data in slots[parameter].items()
            }
            for name, parameter in model.named_parameters().items()
            if parameter in slots
        },
        "generator": (model._generator or generator()).bit_generator.state,
        **({"jit": True} if model.jit else {}),
    }


def load_weights(model: Model, path: str | os.PathLike[str]) -> None:
    """Take over the weights of a file; see `Module.load_weights`."""
    tensors, _ = read(path)
    # PyTorch's count of batches: its running averages may depend on it, ours do not
    counts = [name for name in tensors if name.endswith("num_batches_tracked")]
    model.load_state_dict({name: tensors[name] for name in tensors if name not in counts})


def describe(thing: object) -> Json:
    """Return a description of an object for JSON, from which `restore` makes it again.

    Configured objects (layers, losses, optimizers) by class and configuration, functions, NumPy's
    ufuncs too, by name, partials of them, lists, tuples, dicts, numbers, text, arrays and None. An
    object that occurs twice is described once.

    Raises:  OptionError: something else, or a function without a name.
    Example: >>> describe([abs, (2.0, None)])
             [{'name': 'abs', 'custom': True}, {'tuple': [2.0, None]}]
    """
    return _described(thing, [])


def _described(thing: object, seen: list[object]) -> Json:
    if isinstance(thing, np.generic):
        thing = thing.item()
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, list):
        return [_described(each, seen) for each in thing]
    if isinstance(thing, tuple):
        return {"tuple": [_described(each, seen) for each in thing]}
    if isinstance(thing, dict):
        return {"dict": [[_described(k, seen), _described(v, seen)] for k, v in thing.items()]}
    if isinstance(thing, np.ndarray):
        return {"array": encode_array(thing)}
    if isinstance(thing, Configured):
        return _described_object(thing, seen)
    if isinstance(thing, partial):
        return {
            "partial": _described(thing.func, seen),
            "arguments": [_described(each, seen) for each in thing.args],
            "keywords": {name: _described(each, seen) for name, each in thing.keywords.items()},
        }
    name = name_of(thing)
    if isinstance(thing, np.ufunc) and getattr(np, name, None) is thing:
        return {"ufunc": name}
    if not callable(thing) or getattr(thing, "__name__", getattr(thing, "name", None)) != name:
        raise OptionError(
            f"{thing!r} in something to be saved",
            "a file holds numbers, text, arrays, functions by name and objects by configuration",
            "a subclass of nn.configuration.Configured, or a function",
        )
    if not name.isidentifier():
        raise OptionError(
            f"the function {name} in something to be saved",
            "a file holds the names of functions, and this one has none",
            "def my_function(x): ..., and when it is loaded"
            " custom_objects={'my_function': my_function}",
        )
    return {"name": name, "custom": is_custom(thing)}


def _described_object(thing: Configured, seen: list[object]) -> dict[str, Json]:
    for number, other in enumerate(seen):
        if other is thing:
            return {"same": number}
    number = len(seen)
    seen.append(thing)
    return {
        "class": type(thing).__name__,
        "custom": is_custom(type(thing)),
        "number": number,
        "config": {name: _described(each, seen) for name, each in thing.config().items()},
    }


def is_custom(thing: object) -> bool:
    """Return whether a class or function is not the one of nn or autograd_core with its name.

    A custom relu must not be loaded as ours, nor autograd_core's leaky_relu as nn's, whose slope
    differs.
    """
    if isinstance(thing, type):
        return (getattr(thing, "__module__", None) or "").split(".")[0] != "nn"
    return FUNCTIONS.get(name_of(thing)) is not thing
