"""Names and options as other libraries spell them, or misspelt: the error says what to write here.

- explained_call: a decorator for functions whose arguments users get wrong
- unknown_name: the error for a name that a package does not have
"""

import dis
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import wraps
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from .data import Function
from .errors import AutogradError, CallError, MissingNameError, UnknownImportError
from .messages import user_frame, warn_once

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

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except TypeError:
            if _misfit(signature, args, options) is None:
                raise  # from inside the function
        is_constructor = function.__name__ == "__init__"
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
        return function(*args, **options)

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
    for given in sorted(
        unknown, key=rewritten.__contains__
    ):  # these read the others by their names
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
