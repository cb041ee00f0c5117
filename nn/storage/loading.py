"""Loading: a saved model, with everything that training needs in order to continue."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd_core import AutogradError, FileError, OptionError, ShapeError, Value
from autograd_core.data import Array, Function, Params

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
from ..configuration import Configured, Model, name_of
from ..module import Module
from ..networks import Sequential
from ..optimizers import Optimizer
from ..optimizers.base import Slots
from ..randomness import drawing_from
from .saving import FUNCTIONS, KIND, is_custom
from .tensors import Json, at_most, decode_array, read

# What saved models are made of, beside functions
_MODULES = (
    *(layers, networks, neurons, perceptron, energy),
    *(initializers, regularizers, constraints, optimizers, schedules),
)
_TYPES = {name: np.dtype(name) for name in ("float32", "float64")}


class UnknownNameError(FileError, OptionError):
    """A file names a class or a function that is not known: `custom_objects` is to have it."""


def load(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Return a model that `model.save` has written.

    A compiled model comes back compiled, with its optimizer's state and the random numbers that
    follow: `fit(..., initial_epoch=n)` then goes on as if it had not been interrupted. Its training
    draws from these, which `set_seed` leaves alone.

    Args:    path: of the file.
             custom_objects: classes and functions of one's own by name, {"MyLayer": MyLayer}.
    Raises:  FileError: the file is missing, damaged, of another kind, describes no model, or holds
             weights alone; for a class or function that is not known it is an OptionError, too.
             No array is made that the file has no numbers for.
             OptionError: custom_objects is no mapping.
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
    if not isinstance(path, str | os.PathLike):
        raise OptionError(f"load({path!r})", "it names a file", 'nn.load("model.safetensors")')
    tensors, metadata = read_model(path)
    try:
        return _made(tensors, metadata, dict(custom))
    except FileError:
        raise
    except Exception as error:  # a forged description can raise any error
        why = f"{type(error).__name__}: {error}"
        if isinstance(error, AutogradError):
            why = f"{error.given}: {error.why}"
        raise FileError(
            f"{os.fspath(path)}, with what it says of its model",
            why,
            "the model saved again, by this version; or weights alone, by model.load_weights(path)",
        ) from error


def _made(tensors: dict[str, Array], metadata: dict[str, Json], custom: dict[str, Any]) -> Model:
    """Return the model that a file describes, with its tensors."""
    known = _known() | custom
    numbers = sum(tensor.size for tensor in tensors.values())
    # All weights are replaced. Some are made twice: rows, and then their neurons
    with drawing_from(np.random.default_rng(0)), at_most(2 * numbers):
        model = _of_kind(Module, _restored(metadata["model"], known, {}))
        parts = model.modules()
        for name, (shape, dtype, *output_shape) in metadata["inputs"].items():
            parts[name].build_for(_lengths(shape), _TYPES[dtype])
            if output_shape not in ([], [None]):
                parts[name].output_shape = _lengths(*output_shape)
        if custom and not tensors.keys() <= model.state_dict().keys():
            for part in parts.values():  # custom ones may make parameters in their first call
                if isinstance(part, Sequential) and part.input_shape is not None:
                    part.build(part.input_shape)
        for name in _of_kind(list, metadata.get("frozen", [])):
            vars(parts[name])["trainable"] = False  # of that part alone, as it was
    model.load_state_dict(tensors)
    if "training" in metadata:
        _resume(model, metadata["training"], known)
    return model


def _known() -> dict[str, object]:
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


def _resume(model: Model, training: dict[str, Json], known: Mapping[str, Any]) -> None:
    """Compile the model as it was, and restore its optimizer and its random numbers."""
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


def _slots(optimizer: Optimizer, name: str, parameter: Value, slots: Mapping[str, Any]) -> Slots:
    """Return an optimizer's slots of a parameter."""
    found: dict[str, Any] = {
        slot: data if type(data) is float else decode_array(data)[()]
        for slot, data in slots.items()
    }
    for slot, array in found.items():
        if type(array) is float:  # which keeps float32 parameters float32, unlike NumPy's
            continue
        fits = array.shape in (parameter.shape, ()) or is_custom(type(optimizer))
        if array.dtype.kind not in "fiub" or not fits:
            raise ShapeError(
                f"{slot} of shape {array.shape} and type {array.dtype} for {name}",
                "slots have the parameter's shape, or are one number",
                f"shape {parameter.shape}",
            )
    return found


def _of_kind(kind: Any, thing: object) -> Any:
    if not isinstance(thing, kind):
        raise OptionError(
            f"{thing!r:.60}", f"it is no {kind.__name__}", f"the description of a {kind.__name__}"
        )
    return thing


def _lengths(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple([_count(length) for length in shape])


def _count(number: object) -> int:
    if type(number) is not int or not 0 <= number < 1 << 53:
        raise OptionError(f"{number!r:.60}", "it counts nothing", "a whole number from 0")
    return number


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Json]]:
    """Return the weights and the description in a saved model.

    Raises:  FileError: the file is damaged, or holds weights without a model.
    """
    tensors, metadata = read(path)
    if metadata.get("kind") != KIND:
        raise FileError(
            f"{os.fspath(path)}",
            "it holds weights, but not the model that they belong to",
            "model.load_weights(path) on a model of the same architecture",
        )
    return tensors, metadata


def restore(description: Json, known: Mapping[str, Any]) -> Any:
    """Return an object made from its description.

    Args:    description: what `describe` gave, also after a way through JSON.
             known: classes and functions by name; nothing else is called.
    Raises:  UnknownNameError: it names a class or function that is not known. OptionError: it
             describes nothing, or what takes other arguments now.
    Example: >>> from nn.storage.saving import describe
             >>> restore(describe((1, [None, "a"], {"b": 2.0})), {})
             (1, [None, 'a'], {'b': 2.0})
    """
    made: dict[int, Any] = {}
    thing = _restored(description, known, made)
    for each in made.values():
        if isinstance(each, Sequential) and each.input_shape is not None:
            each.build(each.input_shape)
    return thing


def _restored(description: Json, known: Mapping[str, Any], made: dict[int, Any]) -> Any:
    inner = partial(_restored, known=known, made=made)

    match description:
        case None | bool() | int() | float() | str():
            return description
        case list():
            return [inner(each) for each in description]
        case {"tuple": [*items]}:
            return tuple(inner(each) for each in items)
        case {"dict": [*items]} if all(isinstance(item, list) and len(item) == 2 for item in items):
            return {inner(key): inner(each) for key, each in items}
        case {"array": encoded}:
            return decode_array(encoded)
        case {"ufunc": str(name)} if isinstance(getattr(np, name, None), np.ufunc):
            return getattr(np, name)
        case {"partial": function, "arguments": [*arguments], "keywords": dict(keywords)}:
            options = {name: inner(each) for name, each in keywords.items()}
            function, arguments = inner(function), [inner(each) for each in arguments]
            if not is_custom(function):
                _check_arguments(name_of(function), function, arguments, options)
            return partial(function, *arguments, **options)
        case {"same": int(number)} if number in made:
            return made[number]
        case {"class": str(name), "custom": bool(custom), "number": int(n), "config": dict(config)}:
            options = {key: inner(each) for key, each in config.items()}
            kind = _find(name, custom, known)
            made[n] = _object(name, kind, options)
            return made[n]
        case {"name": str(name), "custom": bool(custom)}:
            return _find(name, custom, known)
    raise OptionError(
        f"{description!r:.60}",
        "it describes nothing that could be made",
        "what describe(thing) gave",
    )


def _find(name: str, custom: bool, known: Mapping[str, Any]) -> Any:
    found = known.get(name)
    if found is None or (custom and not is_custom(found)):
        raise UnknownNameError(
            f"{name}, which the file names",
            "it is not ours" if custom else "there is none of this name",
            f"custom_objects={{{name!r}: {name}}}",
        )
    return found


def _object(name: str, kind: Any, options: Params) -> Any:
    """Make an object; a Sequential not yet built, since the shape that it claims can be any."""
    if not (isinstance(kind, type) and issubclass(kind, Configured)):
        raise OptionError(f"{name} as a class", "it is none that has a configuration", "a layer")
    _check_arguments(name, kind, [], options)
    if kind is not Sequential:
        return kind(**options)
    model, shape = Sequential(options["layers"], name=options.get("name")), options["input_shape"]
    model.input_shape = shape and _lengths(shape)
    return model


def _check_arguments(
    name: str, function: Function, arguments: list[object], options: Params
) -> None:
    """Refuse arguments that a class or function does not take, as after a change of it.

    Raises:  OptionError: there are such, or it is no function.
    """
    try:
        signature = inspect.signature(function)
        bind = signature.bind if isinstance(function, type) else signature.bind_partial
        bind(*arguments, **options)
    except TypeError as error:
        raise OptionError(
            f"{name}({', '.join(['...'] * len(arguments) + [*options])}), as the file has it",
            f"it takes other options now: {error}",
            f"the version of {name} that was saved",
        ) from error
