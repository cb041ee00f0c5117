"""Descriptions: an object as JSON holds it, and the object made again from that, without pickle."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

import autograd_core
from autograd_core import FileError, OptionError

from .. import activations, losses, metrics
from ..configuration import Configured, name_of
from .tensors import decode_array, encode_array

# The functions that files name: what is documented under nn's names, and autograd_core's own
FUNCTIONS = {
    name: getattr(autograd_core, name)
    for name in autograd_core.__all__
    if getattr(autograd_core, name).__module__.startswith("autograd_core.functions.")
} | {
    name_of(function): function
    for module in (metrics, losses, activations)
    for function in module.BY_NAME.values()
}


Make = Callable[[type, dict[str, Any]], Any]


class UnknownNameError(FileError, OptionError):
    """A file names a class or a function that is not known: `custom_objects` is to have it."""


def describe(thing: Any) -> Any:
    """Return what JSON holds of an object, enough to make it again.

    Configured objects (layers, losses, optimizers) by class and configuration, functions, NumPy's
    ufuncs too, by name, partials of them, lists, tuples, dicts, numbers, text, arrays and None. An
    object that occurs twice is described once.

    Raises:  OptionError: something else, or a function without a name.
    Example: >>> describe([abs, (2.0, None)])
             [{'name': 'abs', 'custom': True}, {'tuple': [2.0, None]}]
    """
    return _described(thing, [])


def restore(description: Any, known: Mapping[str, Any], make: Make | None = None) -> Any:
    """Return an object made from its description.

    Args:    description: what `describe` gave, also after a way through JSON.
             known: classes and functions by name; nothing else is called.
             make: takes a class and its arguments by name; None: calls the class.
    Raises:  UnknownNameError: it names a class or function that is not known. OptionError: it
             describes nothing, or what takes other arguments now.
    Example: >>> restore(describe((1, [None, "a"], {"b": 2.0})), {})
             (1, [None, 'a'], {'b': 2.0})
    """
    return _restored(description, known, make or _make, {})


def _described(thing: Any, seen: list[Any]) -> Any:
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


def _described_object(thing: Configured, seen: list[Any]) -> dict[str, Any]:
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


def is_custom(thing: Any) -> bool:
    """Return whether it is another thing than the one we have under its name.

    Another relu must not come back as ours, nor autograd_core's leaky_relu, whose slope is another
    one, as nn's.
    """
    if isinstance(thing, type):
        return (getattr(thing, "__module__", None) or "").split(".")[0] != "nn"
    return FUNCTIONS.get(name_of(thing)) is not thing


def _restored(description: Any, known: Mapping[str, Any], make: Make, made: dict[int, Any]) -> Any:
    def inner(each: Any) -> Any:
        return _restored(each, known, make, made)

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
            return _with_options(inner(function), [inner(each) for each in arguments], options)
        case {"same": int(number)} if number in made:
            return made[number]
        case {"class": str(name), "custom": bool(custom), "number": int(n), "config": dict(config)}:
            options = {key: inner(each) for key, each in config.items()}
            kind = _find(name, custom, known)
            _check_options(name, kind, options)
            made[n] = make(kind, options)
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


def _with_options(function: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return a partial of a function.

    Raises:  OptionError: it is one of ours and has no such options, or is no function.
    """
    try:
        if not is_custom(function):
            inspect.signature(function).bind_partial(*arguments, **options)
    except TypeError as error:
        raise OptionError(
            f"{name_of(function)} with {', '.join(options) or len(arguments)}, as the file has it",
            f"it takes other options now: {error}",
            "the version of it that was saved",
        ) from error
    return partial(function, *arguments, **options)


def _make(kind: type, options: dict[str, Any]) -> Any:
    return kind(**options)


def _check_options(name: str, kind: Any, options: dict[str, Any]) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Configured)):
        raise OptionError(f"{name} as a class", "it is none that has a configuration", "a layer")
    try:
        inspect.signature(kind).bind(**options)
    except TypeError as error:
        raise OptionError(
            f"{name}({', '.join(options)}), as the file has it",
            f"its constructor takes other arguments now: {error}",
            f"the version of {name} that was saved",
        ) from error
