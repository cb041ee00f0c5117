"""Names and options as other libraries spell them, or misspelt: the error says what to write here.

- explained_call: a decorator for functions whose arguments users get wrong
- unknown_name: the error for a name that a package does not have
"""

import dis
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from importlib import import_module
from numbers import Real
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin

import numpy as np

from .data import Function, shorten
from .errors import (
    AutogradError,
    CallError,
    MissingNameError,
    OptionError,
    UnknownImportError,
)
from .messages import user_frame, warn_once, with_article

F = TypeVar("F", bound=Function)
Rewriting: TypeAlias = Callable[[Any, dict[str, Any]], dict[str, Any]] | str
NOTHING: Mapping[str, Any] = MappingProxyType({})

# Options of Keras 1 and 2, PyTorch and JAX that mean the same as one here
SAME_OPTION = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "argnum": "argnums",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim": "axis",
    "eps": "epsilon",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "keepdim": "keepdims",
    "lr": "learning_rate",
    "n_epochs": "epochs",
    "nb_epoch": "epochs",
    "nb_filter": "filters",
    "num_epochs": "epochs",
    "output_dim": "units",
    "p": "rate",
    "subsample": "strides",
}
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]


def explained_call(function: F, rewritten: Mapping[str, Rewriting] = NOTHING) -> F:
    """Let calls with wrong arguments fail in three parts, and take options by their old names.

    A missing argument, one too many or an unknown option raises CallError, which names the
    nearest option. An option by the name that it has in Keras 1 and 2 or in PyTorch is taken, with
    a warning once at each line. A call that fits costs nothing but the call.

    Where a call ends in an error of Python or NumPy, and an argument is not what its annotation
    says, OptionError names that argument. Arguments of a constructor are compared with their
    annotations also if it succeeds, since it may only keep them.

    Args:    rewritten: for options with more than another name, the function that turns the value
             and all other options into the options to write; or, as text, what to write instead.
    Example: >>> @explained_call
             ... def fit(x, epochs=1):
             ...     return epochs
             >>> fit(0.0, epoch=3)
             Traceback (most recent call last):
             autograd_core.errors.CallError: fit with epoch=3
               why:   it has no option of this name
               write: epochs=3
    """
    signature = inspect.signature(function)
    is_constructor = function.__name__ == "__init__"

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            made = function(*args, **options)
            if is_constructor:
                _check_kinds(signature, args, options)
            return made
        except AutogradError:
            raise
        except Exception as error:
            if _misfit(signature, args, options) is None:  # it comes from inside the function
                _check_kinds(signature, args, options, error)
                raise
        name = type(args[0]).__name__ if is_constructor else function.__name__
        args, options = _by_name(signature, args, options)
        options = _today(name, signature, options, rewritten)
        misfit = _misfit(signature, args, options)
        if misfit and is_constructor:  # what is wrong with the other options comes first
            known = {each: options[each] for each in options if each in signature.parameters}
            if _misfit(signature, args, known) is None:
                function(*args, **known)
        if misfit:
            raise _explained(name, signature, options, misfit)
        return call(*args, **options)

    return call  # type: ignore[return-value]  # of the same signature


def _by_name(
    signature: inspect.Signature, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return arguments with those by position by their names, where that is possible."""
    kinds = {each.kind for each in signature.parameters.values()}
    if not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY}:
        with suppress(TypeError):
            named = signature.bind_partial(*args).arguments
            if not named.keys() & options.keys():
                return (), named | options
    return args, options


def _today(
    name: str,
    signature: inspect.Signature,
    options: dict[str, Any],
    rewritten: Mapping[str, Rewriting],
) -> dict[str, Any]:
    """Return the options as they are written today; warn of each that was written otherwise."""
    defaults = {each.name: each.default for each in signature.parameters.values()}
    unknown = [each for each in options if each not in signature.parameters]
    for given in sorted(unknown, key=rewritten.__contains__):  # rules read the other options
        here = SAME_OPTION.get(given, given)
        value = options[given]
        others = {each: options[each] for each in options if each != given}
        rule = rewritten.get(given)
        if isinstance(rule, str):
            raise CallError(f"{name} with {given}={value!r}", "it has no such option", rule)
        if rule is not None:
            changed = rule(value, defaults | others)
        elif here in signature.parameters and here not in options:
            changed = {here: value}
        else:
            continue
        warn_once(
            f"option {given}",
            f"{name} with {given}={value!r}",
            "other versions and libraries call this option so; here it is written otherwise",
            ", ".join(f"{each}={new!r}" for each, new in changed.items()) or "the call without it",
            UserWarning,
        )
        options = others | changed
    return options


def _misfit(
    signature: inspect.Signature, args: tuple[object, ...], options: Mapping[str, object]
) -> str | None:
    """Return in Python's words why arguments do not fit a signature; None if they do."""
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        return str(error)
    return None


def _explained(
    name: str, signature: inspect.Signature, options: Mapping[str, object], why: str
) -> CallError:
    """Return the error for arguments that do not fit."""
    names = [each for each in signature.parameters if each != "self"]
    for given, value in options.items():
        if given not in signature.parameters:
            near = _nearest(given, names)
            return CallError(
                f"{name} with {given}={value!r}",
                "it has no option of this name",
                f"{near}={value!r}" if near else f"one of {', '.join(names) or 'none'}",
            )
    return CallError(f"a call of {name}", why, f"{name}({_parameters(signature)})")


def _parameters(signature: inspect.Signature) -> str:
    """Return the parameters with their defaults, as one writes a call: x, epochs=1."""
    shown = [p for p in signature.parameters.values() if p.name != "self"]
    return ", ".join(
        p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in shown[:4]
    ) + (", ..." if len(shown) > 4 else "")


def _nearest(given: str, names: Iterable[str]) -> str | None:
    by_lower = {name.lower(): name for name in names}
    difflib = import_module("difflib")  # imported when first needed
    found = difflib.get_close_matches(given.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[found[0]] if found else None


def _check_kinds(
    signature: inspect.Signature,
    args: tuple[object, ...],
    options: Mapping[str, object],
    cause: Exception | None = None,
) -> None:
    """Refuse the first argument that is not what its annotation says.

    Raises:  OptionError: with `cause`, the error in which the call ended.
    """
    for name, value in signature.bind(*args, **options).arguments.items():
        parameter = signature.parameters[name]
        if value is parameter.default or parameter.kind in _OF_ANY_NUMBER:
            continue
        if not _fits(value, parameter.annotation):
            wanted, default = _in_words(parameter.annotation), parameter.default
            found = "a class" if isinstance(value, type) else with_article(type(value).__name__)
            raise OptionError(
                f"{name} = {shorten(repr(value))}",
                f"it takes {wanted}, and this is {'None' if value is None else found}",
                f"{name}= {wanted}" + ("" if default in _NO_EXAMPLE else f", such as {default!r}"),
            ) from cause


_NO_EXAMPLE = (inspect.Parameter.empty, None, (), "")
_OF_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Of each kind in annotations: what fits it, and what messages call it. Where a whole number is
# meant, what takes it says so itself
_KINDS: dict[object, tuple[Any, str]] = {
    bool: ((bool, np.bool_, int), "True or False"),
    int: (Real, "a number"),
    float: (Real, "a number"),
    str: (str, "text"),
    None: (NoneType, "None"),
    NoneType: (NoneType, "None"),
    Sequence: ((Sequence, np.ndarray), "a list"),
    list: ((Sequence, np.ndarray), "a list"),
    tuple: ((Sequence, np.ndarray), "a tuple"),
    Iterable: (Iterable, "a list"),
    Mapping: (Mapping, "a dict"),
    dict: (Mapping, "a dict"),
    bytes: (bytes, "bytes"),
    os.PathLike: (os.PathLike, "a path"),
}
_OF_ITEMS = (Sequence, Iterable, list, tuple)


def _fits(value: object, annotation: Any) -> bool:
    """Tell whether a value may be what an annotation says; True where it says nothing simple."""
    kind, items = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return any(_fits(value, each) for each in items)
    if kind is Callable:
        return callable(value)
    if kind in (int, float) and (isinstance(value, np.ndarray) or hasattr(value, "primitive")):
        return getattr(value, "shape", None) == ()
    if isinstance(value, str) and kind in _OF_ITEMS:
        return False  # a list of its letters is hardly ever meant
    if _is_ours(kind):
        return isinstance(value, kind)
    if not isinstance(value, _KINDS.get(kind, (object, ""))[0]):
        return False
    has_items = (
        isinstance(value, list | tuple) and kind in _OF_ITEMS and len(set(items) - {...}) == 1
    )
    return not has_items or all(_fits(each, items[0]) for each in value)


def _is_ours(kind: object) -> bool:
    """Tell whether it is a class of these packages, such as Value or Module."""
    return isinstance(kind, type) and kind.__module__.startswith(("autograd_core.", "nn."))


def _in_words(annotation: Any) -> str:
    kind, items = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_in_words, items)))
    if kind is Callable:
        return "a function"
    if _is_ours(kind):
        return with_article(kind.__name__)
    words = _KINDS.get(kind, (object, "something else"))[1]
    is_of_numbers = kind in _OF_ITEMS and items and items[0] in (int, float)
    return f"{words} of numbers" if is_of_numbers else words


def unknown_name(
    package: str, name: str, names: Iterable[str], elsewhere: Mapping[str, str]
) -> AutogradError:
    """Return the error for a name that a package does not have, for its `__getattr__` to raise.

    In `from package import name` it is an ImportError, otherwise an AttributeError.

    Args:    names: those that the package has.
             elsewhere: what to write here for names of other libraries.
    Example: >>> print(unknown_name("nn", "Linear", [], {"Linear": "nn.Dense(units)"}))
             nn.Linear
               why:   nn has no such name
               write: nn.Dense(units)
    """
    near = None if name.startswith("_") else _nearest(name, names)
    instead = elsewhere.get(name) or (f"{package}.{near}" if near else f"one of dir({package})")
    caller = user_frame()
    is_import = caller.f_code.co_code[caller.f_lasti] == _IMPORT_FROM
    error = UnknownImportError if is_import else MissingNameError
    return error(f"{package}.{name}", f"{package} has no such name", instead)
