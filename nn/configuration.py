"""Objects described by their constructor's arguments; choices by name; checks of options."""

import difflib
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, dataclass_transform

import numpy as np

from autograd_core import MissingNameError, OptionError, explained_call
from autograd_core.data import Function

from .spellings import ATTRIBUTES, MEMBERS

# A name, or the function or object that it stands for; as an attribute always the latter
Choice: TypeAlias = Any
# An nn.Module: module.py imports the modules that use this name
Model: TypeAlias = Any


class Configured:
    """Keeps every argument of its constructor as an attribute of the same name.

    From that alone follow its repr, copies of it, and its description in a saved file. Classes of
    this package refuse attributes that they do not know, which would have no effect; a subclass of
    the user's may have any. An option that is assigned later is checked as their constructor does.

    Raises:  MissingNameError: an unknown attribute is assigned to an object of this package.
             OptionError, and others: as in the constructor.
    Example: >>> class Ramp(Configured):
             ...     def __init__(self, start=0.0, slope=1.0):
             ...         self.start, self.slope = start, slope
             >>> Ramp(slope=2.0), Ramp(5.0).config()
             (Ramp(slope=2.0), {'start': 5.0, 'slope': 1.0})
    """

    any_attribute = False  # True, for one class without its subclasses: none is refused
    fixed: frozenset[str] = frozenset()  # options whose only use was to make what it holds
    # Options of other versions and libraries: see explained_call
    rewritten: Mapping[str, Function] = MappingProxyType({})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith("nn.") and "__init__" in vars(cls):
            cls.__init__ = cls.constructor(cls.__init__)  # type: ignore[method-assign]

    @classmethod
    def constructor(cls, init: Function) -> Function:
        """Return what makes an object of this class, given what its class defines as `__init__`."""
        return explained_call(init, cls.rewritten)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            if name not in vars(self):
                kind: Any = type(self)
                known = _known_names(kind)
                if known and name not in known:
                    raise _unknown(kind, name, known)
            elif value is not vars(self)[name]:
                value = self._as_constructed(name, value)
        super().__setattr__(name, value)

    if not TYPE_CHECKING:  # which would then take any name for an attribute

        def __getattr__(self, name: str) -> NoReturn:
            """Refuse an attribute that does not exist, with what to write."""
            raise _missing(type(self), name)

    def _as_constructed(self, name: str, value: object) -> object:
        """Return what the constructor makes of an option; other attributes as they are."""
        if self.is_fixed(name):
            raise OptionError(
                f"{name} assigned to {self}",
                "its parameters were made with the previous one, and keep it",
                f"{name}= when it is made",
            )
        own: Any = type(self)
        kind = taking(own, name)
        if kind is None:
            return value
        options = {each: getattr(self, each) for each, _ in _options(kind)}
        return vars(kind(**options | {name: value}))[name]

    def is_fixed(self, name: str) -> bool:
        """Return whether an option has had its only use, so that another one would not act."""
        return name in self.fixed

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments by name, as they are now.

        Raises: OptionError: the class does not keep one of them.
        """
        kind: Any = type(self)
        names = [name for name, _ in _options(kind)]
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise OptionError(
                f"the configuration of {type(self).__name__}",
                f"it keeps no attribute {', '.join(missing)}, which its constructor takes",
                f"self.{missing[0]} = {missing[0]} in its __init__",
            )
        return {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        kind: Any = type(self)
        arguments = [
            f"{name}={_brief(getattr(self, name))}"
            for name, default in _options(kind)
            if hasattr(self, name) and not _is_default(getattr(self, name), default)
        ]
        return f"{type(self).__name__}({', '.join(arguments)})"


C = TypeVar("C", bound=Configured)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def configured(kind: type[C]) -> type[C]:
    """Make the annotated attributes of a class the options of its constructor.

    The class becomes a dataclass, with the comparison and the repr of Configured.

    Example: >>> @configured
             ... class Ramp(Configured):
             ...     start: float = 0.0
             ...     slope: float = 1.0
             >>> Ramp(slope=2.0)
             Ramp(slope=2.0)
    """
    made = dataclass(eq=False, repr=False)(kind)
    made.__init__ = kind.constructor(made.__init__)  # type: ignore[method-assign]
    return made


@cache
def _options(kind: Any) -> list[tuple[str, object]]:
    """Return the names of a constructor's parameters, with their defaults."""
    parameters = inspect.signature(kind).parameters.values()
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [(p.name, p.default) for p in parameters if p.kind not in kinds]


@cache
def taking(kind: Any, name: str) -> Any:
    """Return the class of this package, a class or its base, whose constructor has an option.

    Returns: None where there is none, or a constructor of the user's has the option.
    """
    for each in kind.__mro__:
        is_own = each.__module__.startswith("nn.")
        if (is_own or "__init__" in vars(each)) and name in dict(_options(each)):
            return each if is_own else None
    return None


@cache
def _known_names(kind: type) -> frozenset[str]:
    """Return the names that objects of a class of this package have; none for other classes."""
    home = sys.modules.get(kind.__module__)
    is_own = kind.__module__.startswith("nn.") and getattr(home, kind.__name__, None) is kind
    if not is_own or vars(kind).get("any_attribute"):
        return frozenset()
    declared = [name for each in kind.__mro__ for name in inspect.get_annotations(each)]
    constructors = [each for each in kind.__mro__[:-1] if "__init__" in vars(each)]
    options = [name for each in constructors for name, _ in _options(each)]
    return frozenset([*dir(kind), *declared, *options])


def _missing(kind: type, name: str) -> Exception:
    """Return the error for an attribute that is read and does not exist."""
    if name.startswith("_"):
        return AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
    what = f".{name} of a {kind.__name__}"
    return MissingNameError(what, "it has no such attribute", _meant(kind, name))


@cache  # objects are often asked, by hasattr, for what they do not have
def _meant(kind: type, name: str) -> str:
    """Return what to write instead of an attribute that does not exist."""
    known = {each for each in dir(kind) if not each.startswith("_")} | dict(_options(kind)).keys()
    here = ATTRIBUTES.get(name)
    if here in known:
        return f".{here}"
    if name in MEMBERS:
        return MEMBERS[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f".{near[0]}" if near else f"one of dir({kind.__name__})"


def _unknown(kind: type, name: str, known: frozenset[str]) -> MissingNameError:
    public = [each for each in known if not each.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1, cutoff=0.7)
    meant = ATTRIBUTES.get(name)
    if meant not in known:
        meant = near[0] if near else None
    if meant in ("weight", "bias"):
        instead = f".{meant}.data = ..., with PyTorch's shape: outputs first"
    elif meant:
        instead = f".{meant}"
    else:
        options = ", ".join(f".{option}" for option, _ in _options(kind))
        instead = f"{options or 'no attribute'}; or a subclass of your own, with any attribute"
    return MissingNameError(
        f".{name} = ... of a {kind.__name__}",
        "it has no attribute of this name, so that the assignment would have no effect",
        instead,
    )


def _is_default(value: object, default: object) -> bool:
    if isinstance(default, str) and not isinstance(value, str):  # the choice that a name made
        kind = type(value) if isinstance(value, Configured) else function_of(value)
        is_ours = (getattr(kind, "__module__", None) or "").startswith(("nn.", "autograd_core."))
        is_plain = repr(value).endswith("()") if isinstance(value, Configured) else value is kind
        return is_ours and is_plain and name_of(value) == default
    if isinstance(value, Configured) and type(value) is type(default):
        return repr(value) == repr(default)
    return value is default or (type(value) is type(default) and bool(value == default))


def _brief(value: object) -> str:
    return repr(value) if isinstance(value, Configured) or not callable(value) else name_of(value)


def function_of(choice: Choice) -> Choice:
    """Return the function that a partial calls; anything else as it is.

    What is decided by a function is decided by itself: functions of users may have any name.

    Example: >>> function_of(partial(sorted, reverse=True)) is sorted
             True
    """
    return choice.func if isinstance(choice, partial) else choice


def name_of(choice: Choice) -> str:
    """Return a function's name, `leaky_relu` for a partial of it, or a class's for its instance.

    It is for messages, files and pictures.

    Example: >>> name_of(abs), name_of(partial(sorted, reverse=True))
             ('abs', 'sorted')
    """
    choice = function_of(choice)
    name = getattr(choice, "__name__", None) or getattr(choice, "name", None)
    return name if isinstance(name, str) else _snake_case(type(choice).__name__)


def _snake_case(name: str) -> str:
    pieces = [f"_{c.lower()}" if c.isupper() else c for c in name]
    return "".join(pieces).lstrip("_")


def takes(function: Function, name: str) -> bool:
    """Return whether a function can be called with this keyword argument.

    Example: >>> takes(partial(sorted, reverse=True), "key"), takes(lambda x: x, "key")
             (True, False)
    """
    while type(function) is partial:
        function = function.func
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__wrapped__"):  # several times quicker
        named = code.co_argcount + code.co_kwonlyargcount
        positional, has_keywords = code.co_posonlyargcount, code.co_flags & inspect.CO_VARKEYWORDS
        return bool(name in code.co_varnames[positional:named] or has_keywords)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some built-in functions have none
        return False
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    is_named = name in parameters and parameters[name].kind in kinds
    return is_named or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def positions(function: Function, most: int) -> int:
    """Return how many arguments by position a function takes, `most` at most.

    Example: >>> positions(lambda epoch: 0.1, 2), positions(lambda epoch, rate: rate, 2)
             (1, 2)
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have none
        return most
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return most
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(most, sum(p.kind in kinds for p in parameters))


def choose(kind: str, choices: Mapping[str, Choice], given: Choice) -> Choice:
    """Return what a name stands for; whatever is no text is the choice itself.

    Args:    kind: what is chosen, for the message: "loss".
             choices: by name; a class stands for its instance with all defaults.
             given: a name, a function or object, or None.
    Raises:  OptionError: no such name, and the message says which is nearest; or what is neither
             a name nor a function, nor Configured.
    Example: >>> choose("function", {"double": lambda x: 2 * x}, "double")(3)
             6
    """
    if not isinstance(given, str):
        if not (given is None or callable(given) or isinstance(given, Configured)):
            raise OptionError(
                f"{kind} {given!r}",
                "it is neither a name nor a function, nor an object with a configuration",
                f"one of {', '.join(sorted(choices))}, or your own {kind}",
            )
        chosen = given
    elif given in choices:
        chosen = choices[given]
    else:
        near = difflib.get_close_matches(given.lower(), choices, n=1)
        raise OptionError(
            f"{kind} {given!r}",
            f"there is none of this name: {', '.join(sorted(choices))}",
            repr(near[0]) if near else f"one of these names, or your own {kind}",
        )
    if not isinstance(chosen, type):
        return chosen
    try:
        return chosen()
    except TypeError as error:
        raise OptionError(
            f"the class {chosen.__name__} as {kind}",
            "an object of it is needed, and its constructor has arguments without default",
            f"{chosen.__name__}(...)",
        ) from error


def check_range(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Refuse an option outside low <= value <= high.

    Raises: OptionError: it lies outside, or is NaN or no number.
    """
    if not (isinstance(value, int | float | np.number) and low <= value <= high):
        bounds = f"at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
        raise OptionError(
            f"{name} = {value!r}", f"it must be a number, {bounds}", f"{name} {bounds}"
        )


def check_choices(**options: tuple[object, tuple[object, ...]]) -> None:
    """Refuse options that are none of their choices.

    Args:    options: of each name the given choice, and all there are.
    Raises:  OptionError: another choice.
    Example: >>> check_choices(shuffle=(True, (True, False)))
    """
    for name, (given, choices) in options.items():
        if not (isinstance(given, str | bool | int | np.generic) and given in choices):
            listed = ", ".join(map(repr, choices))
            raise OptionError(f"{name}={given!r}", f"there are {listed}", "one of these")


def check_flags(options: object) -> None:
    """Refuse a dataclass's options that are neither True nor False where the default is one.

    Raises:  OptionError: such as use_bias="no".
    """
    for name, given in vars(options).items():
        if isinstance(getattr(type(options), name, None), bool):
            check_choices(**{name: (given, (True, False))})
