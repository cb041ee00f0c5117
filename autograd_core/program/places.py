"""Places: what a function may have read beside its arguments, and where.

A function may have read what it reaches (closures, globals, defaults, attributes, elements) by
names that occur in the code that ran.
"""

import gc
import io
import operator
import os
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from mmap import mmap
from types import (
    BuiltinMethodType,
    CodeType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple
from weakref import ReferenceType

import numpy as np

from ..graph import Node
from .running import (
    COMPUTED,
    TOOLS,
    Ran,
    computes,
    generators,
    is_generator,
    is_library,
    names_in,
)

LARGEST = 100_000  # numbers: of larger arrays a sample is compared, evenly spaced
SAMPLE = 1024
ARRAYS = {"numpy", "pandas", "torch"}
PLAIN = (bool, int, float, complex, str, bytes, np.generic)
MOST = 10_000  # places: what is further away from the function is left out
CONTAINERS = (list, dict, set, deque)
_NO_DATA = (type, ModuleType, FunctionType)
_WHOLE_OBJECTS = {
    COMPUTED,
    "__dict__",
    "vars",
    "asdict",
    "astuple",
}  # read attributes without their names
_READS_ENVIRONMENT = type(os.environ).__getitem__.__code__
_GETTERS = (operator.attrgetter, operator.methodcaller)


def _decimals() -> tuple[object, ...]:
    context = sys.modules["decimal"].getcontext() if "decimal" in sys.modules else None
    return (context.prec, context.rounding, context.Emin, context.Emax) if context else ()


def _errors_of_numpy() -> tuple[object, ...]:
    return tuple(np.geterr().values())


def _printing_of_numpy() -> tuple[object, ...]:
    return tuple(map(repr, np.get_printoptions().values()))


# What tells how Python and NumPy are set, with names in the code that depends on it
SETTINGS = {
    _decimals: {"decimal", "Decimal", "getcontext"},
    _errors_of_numpy: {"geterr"},
    _printing_of_numpy: {"get_printoptions", "array2string", "array_str", "array_repr"},
}


class Place(NamedTuple):
    """Where something stands that a function may read: a cell, a key, an attribute, contents."""

    owner: Any
    key: object
    value: Any
    name: str  # as the user writes it


class Places:
    """All places that a function reaches, by the ids of their owners and their keys.

    Args:    roots: the function, and objects among its arguments.
             ran: what was run; None: follow everything.
    """

    def __init__(self, roots: Iterable[object], ran: Ran | None = None) -> None:
        self.found: dict[tuple[int, object], Place] = {}
        self.generators: dict[int, object] = {}  # of random numbers, by their ids
        self.modules: list[Place] = []  # that code mentions
        self.foreign: list[Place] = []  # iterators in C, which do not show how far they are
        # All of modules, by the ids of their dicts, where it is not known what was read
        self._globals: dict[int, dict[str, object]] = {}
        self._ran = ran
        self._names = ran.names() if ran else None
        self._is_whole = self._names is None or not _WHOLE_OBJECTS.isdisjoint(self._names)
        self._code = ran.code if ran and ran.is_complete else None
        self._getters: set[str] = set()  # names in what operator.attrgetter and the like have made
        self._walk(list(roots))
        if self._names is not None and not self._getters <= self._names:
            self._names = self._names | self._getters
            self.found.clear()
            self._walk(list(roots))
        if ran is None and len(self.found) >= MOST:
            self.generators |= {id(x): x for x in generators()}

    def _walk(self, roots: list[object]) -> None:
        self._seen: dict[int, object] = {}
        self._waiting: deque[tuple[object, str]] = deque(
            [(root, getattr(root, "__name__", type(root).__name__)) for root in roots]
        )
        self._static: set[str] = set()  # names in the functions met, where it is not known what ran
        code = self._ran.code if self._ran else {}
        for each, names in code.items():
            if is_library(names.get("__name__")):
                self._add_generators(names, each.co_names)
            else:
                self._visit_code(each, names)
        if _READS_ENVIRONMENT in code:
            held = vars(os.environ)["_data"]
            self._add(held, Contents, (*held, *held.values()), "os.environ")
        for setting, readers in SETTINGS.items():
            if self._names is None or not readers.isdisjoint(self._names):
                self._add(setting, Contents, setting(), f"{max(readers)}()")
        while self._waiting and len(self.found) < MOST:
            x, name = self._waiting.popleft()
            if id(x) not in self._seen and not isinstance(x, PLAIN):
                self._seen[id(x)] = x
                self._visit(x, name)
        self._seen.clear()

    def _visit_code(self, code: CodeType, names: dict[str, object]) -> None:
        """Add the globals that the code of a function reads, and the modules that it imports."""
        mentioned: Iterable[str] = code.co_names
        if "globals" in mentioned:
            texts = names_in(code)
            mentioned = names if COMPUTED in texts else texts
        self._add_all(names, [name for name in mentioned if name in names], "")
        self._visit_modules(names_in(code), names.get("__package__"))

    def _visit_modules(self, names: set[str], package: object) -> None:
        """Visit the modules among these names, which code may import."""
        for name in names:
            for module in (name, f"{package}.{name}"):
                if module in sys.modules and not is_library(module):
                    self.modules.append(Place(sys.modules, module, None, module))
                    self._waiting.append((sys.modules[module], module))

    def _add_generators(self, names: dict[str, Any], mentioned: Iterable[str]) -> None:
        """Add the generators among the globals of a library, which are not places."""
        for name in mentioned:
            x = names.get(name)
            if isinstance(x, ContextVar):
                x = x.get(None)
            if is_generator(x):
                self.generators[id(x)] = x

    def changes(self, later: "Places") -> list[Place]:
        """Return the places that are different later, as they are then."""
        owners = {owner for owner, _ in self.found} if len(self.found) < MOST else set()
        owners |= self._globals.keys()
        return [
            place
            for (owner, key), place in later.found.items()
            if owner in owners and not same(self._then(owner, key), place.value)
        ]

    def _then(self, owner: int, key: Any) -> object:
        """Return what was in a place; what equals nothing else, if there was no such place."""
        place = self.found.get((owner, key))
        return self._globals.get(owner, {}).get(key, self) if place is None else place.value

    def _add(self, owner: object, key: object, value: Any, name: str) -> None:
        self.found[id(owner), key] = Place(owner, key, value, name)

    def _add_all(self, owner: Any, keys: Iterable[Any], prefix: str) -> None:
        """Add keys of a dict, or attributes of a class, and what stands there."""
        held = vars(owner) if isinstance(owner, type) else owner
        for key in keys:
            value = held.get(key)
            self._add(owner, key, value, f"{prefix}{key}")
            self._waiting.append((value, f"{prefix}{key}"))

    def _visit(self, x: Any, name: str) -> None:
        if isinstance(x, Node):  # looked after elsewhere
            return
        if is_generator(x):
            self.generators[id(x)] = x
        elif isinstance(x, FunctionType):
            self._visit_function(x)
        elif isinstance(x, BuiltinMethodType | MethodType | partial):
            if isinstance(x, partial):
                self._add(x, "args", x.args, name)
            self._waiting += _parts(x, name)
        elif isinstance(x, _GETTERS):
            parts: Any = x.__reduce__()[1]
            texts = [part.split(".") for part in parts if isinstance(part, str)]
            self._getters.update(*texts)
            self._waiting += [(part, name) for part in parts]
        elif isinstance(x, type):
            if not is_library(x.__module__):
                self._waiting.append((type(x), type(x).__name__))
                for kind in x.__mro__[:-1]:
                    self._add_all(kind, self._mentioned(vars(kind)), f"{kind.__name__}.")
        elif isinstance(x, ModuleType):
            if not is_library(x.__name__):
                self._visit_globals(vars(x), self._static, f"{x.__name__}.")
            else:  # lists such as sys.argv
                mentioned = self._static if self._names is None else self._names
                lists = [k for k in mentioned if type(vars(x).get(k)) is list]
                self._add_all(vars(x), lists, f"{x.__name__}.")
        else:
            self._visit_object(x, name)

    def _visit_function(self, f: FunctionType) -> None:
        is_ours = is_library(f.__globals__.get("__name__"))  # which nothing is assigned to
        if not is_ours:
            self._add_all(vars(f), self._mentioned(vars(f)), f"{f.__name__}.")
            self._add(vars(f), len, len(vars(f)), f.__name__)
        if self._code is not None and f.__code__ not in self._code:
            return
        for variable, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                held = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            if not is_ours:
                self._add(cell, "", held, variable)
            self._waiting.append((held, variable))
        for part in ("__defaults__", "__kwdefaults__"):
            if not is_ours:
                self._add(f, part, getattr(f, part), f"{f.__name__}.{part}")
            self._waiting.append((getattr(f, part), f.__name__))
        if self._code is None and not is_library(f.__module__):
            mentioned = names_in(f.__code__, inner=True)
            self._static |= mentioned
            self._visit_globals(f.__globals__, mentioned, "")
            self._visit_modules(mentioned, f.__globals__.get("__package__"))

    def _visit_globals(self, names: dict[str, object], mentioned: set[str], prefix: str) -> None:
        """Add the globals of a module that are mentioned; where it is not known by what, all."""
        if self._names is not None:
            keys = self._names & names.keys()
            if COMPUTED in self._names and "site-packages" not in str(names.get("__file__")):
                keys = {k for k, x in names.items() if not isinstance(x, _NO_DATA) or k in keys}
            self._add_all(names, keys, prefix)
            return
        self._globals[id(names)] = dict(names)
        self._waiting += [(names[key], f"{prefix}{key}") for key in mentioned & names.keys()]

    def _visit_object(self, x: object, name: str) -> None:
        kind = type(x)
        package = kind.__module__.partition(".")[0]
        if package in TOOLS or package.startswith("_cython"):  # loggers; functions in C
            return
        held = None
        if isinstance(x, CONTAINERS):
            held = (*x, *x.values()) if isinstance(x, dict) else tuple(x)
        elif not isinstance(x, tuple):
            held = contents(x)
        if held is not None:
            self._add(x, Contents, held, name)
        elif package != "weakref" and _is_iterator_of_c(kind):
            self.foreign.append(Place(x, Contents, None, name))
        self._waiting += _elements(x, held, name)
        if package in ARRAYS and hasattr(kind, "__array__"):
            return
        if package == "autograd_core":
            self._waiting.append((getattr(x, "_f", None), name))  # a compiled function
            return
        self._visit_attributes(x, name)
        self._waiting.append((kind, kind.__name__))

    def _visit_attributes(self, x: object, name: str) -> None:
        kind = type(x)
        attributes = None
        with suppress(Exception):  # a property of the user's
            attributes = x.__dict__
        if isinstance(attributes, dict):
            read_anew = getattr(kind, "read_anew", ())  # what a class of nn reads by `fresh`
            mentioned = self._mentioned(set(attributes) - set(read_anew), kind)
            self._add_all(attributes, mentioned, f"{name}.")
            self._add(attributes, len, len(attributes), name)
        for each in kind.__mro__:
            slots = vars(each).get("__slots__", ())
            for slot in self._mentioned([slots] if isinstance(slots, str) else slots, kind):
                if slot not in ("__dict__", "__weakref__") and hasattr(x, slot):
                    self._add(x, slot, getattr(x, slot), f"{name}.{slot}")
                    self._waiting.append((getattr(x, slot), f"{name}.{slot}"))

    def _mentioned(self, keys: Iterable[str], kind: type = object) -> list[str]:
        """Return the attributes that the users' code mentions, or that of the class's package."""
        packages = frozenset([each.__module__.partition(".")[0] for each in kind.__mro__[:-1]])
        is_of_nn = "nn" in packages
        if self._ran is None or (self._is_whole and not is_of_nn):
            return list(keys)
        names = self._ran.names(packages | {"autograd_core"} if is_of_nn else packages)
        return [k for k in list(keys) if names is None or k in names or k in self._getters]


def _parts(x: Any, name: str) -> list[tuple[object, str]]:
    """Return what a bound method or a partial consists of, with names for messages."""
    if isinstance(x, BuiltinMethodType):
        return [(x.__self__, name.removesuffix(f".{x.__name__}"))]
    if isinstance(x, MethodType):
        return [(x.__self__, "self"), (x.__func__, name)]
    return [(x.func, name), (x.args, name), (x.keywords, name)]


def _elements(x: object, held: object, name: str) -> list[tuple[object, str]]:
    """Return what an object holds, with names for messages."""
    if isinstance(x, dict):
        shown = [repr(k) if isinstance(k, str | int) else type(k).__name__ for k in x]
        parts = [(part, f"{name}[{k}]") for part, k in zip(x.values(), shown, strict=True)]
        return [*parts, *[(key, name) for key in x if type(key) not in PLAIN]]
    if isinstance(x, list | tuple | deque):
        return [(part, f"{name}[{i}]") for i, part in enumerate(x) if type(part) not in PLAIN]
    return [(part, name) for part in held] if isinstance(held, tuple) else []


class Contents:
    """The key of all that a list, set, dict or array holds."""


def contents(x: Any, largest: int = LARGEST) -> Any:
    """Return what an array, an iterator, or another object in C holds; None of everything else.

    Of an array with more numbers than `largest`, a sample.
    """
    kind = type(x)
    if kind is FunctionType:
        return x()  # one of SETTINGS
    if isinstance(x, ContextVar):
        return (x.get(None),)
    if isinstance(x, ReferenceType):
        return (x(),)
    if isinstance(x, GeneratorType):
        frame = x.gi_frame
        inner = contents(x.gi_yieldfrom)
        return (frame.f_lasti, *frame.f_locals.values(), inner) if frame else ()
    if isinstance(x, io.StringIO | io.BytesIO):
        return x.tell(), x.getvalue()
    if kind.__module__.partition(".")[0] in ARRAYS and hasattr(kind, "__array__"):
        return _numbers(x, largest)
    if hasattr(kind, "__next__"):
        return _position(x)
    try:
        view = memoryview(x)
    except (TypeError, ValueError, BufferError):  # no buffer, or a closed one
        return (tuple(_referents(x)) or None) if _shows_parts(kind) else None
    if view.readonly and kind is not mmap:
        return None
    return view.tobytes() if view.nbytes <= 8 * largest else _sample(x)


def _numbers(x: object, largest: int) -> Any:
    """Return what an array of a library holds."""
    try:
        data = np.asarray(x.detach() if hasattr(x, "detach") else x)
    except (TypeError, ValueError, RuntimeError):
        return None
    if data.dtype.hasobject:
        return tuple(data.ravel())
    if data.size > largest and (data.flags.c_contiguous or data.flags.f_contiguous):
        data = data.ravel("K")[:: data.size // SAMPLE]
    return data.tobytes()


def _sample(x: Any) -> bytes:
    """Return a sample of what a large buffer holds."""
    data = np.frombuffer(x, np.uint8)
    return data[:: data.size // SAMPLE].tobytes()


def _shows_parts(kind: type) -> bool:
    """Tell whether a type is written in C, and its objects are looked into.

    Not so those of which every method is noticed, such as connections to a database.
    """
    is_immutable = bool(kind.__flags__ & 1 << 8)  # nothing can be assigned to the type
    return is_immutable and computes(kind.__module__)


def _is_iterator_of_c(kind: type) -> bool:
    return isinstance(getattr(kind, "__next__", None), WrapperDescriptorType)


def _referents(x: object) -> list[object]:
    """Return what an object in C refers to, beside its attributes, in an order that stays."""
    attributes = getattr(x, "__dict__", None)
    found = [y for y in gc.get_referents(x) if not isinstance(y, type | ModuleType)]
    return sorted([y for y in found if y is not attributes], key=id)


def _position(x: object) -> object:
    """Return where an iterator of Python is, as its pickle would hold it."""
    if type(x).__module__ not in ("builtins", "itertools"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made = x.__reduce__()
    except TypeError:
        return None
    return tuple([_position(p) or p if hasattr(type(p), "__next__") else p for p in _flat(made)])


def _flat(x: Any) -> Iterator[object]:
    for part in x:
        if isinstance(part, tuple):
            yield from _flat(part)
        else:
            yield part


def same(one: Any, other: Any) -> bool:
    """Tell whether two things in a place are the same object, or equal numbers or texts."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bytes):
        return bool(one == other)
    return isinstance(one, PLAIN) and repr(one) == repr(other)  # 0.0 is not -0.0, nan is nan
