"""Places: what a function may have read beside its arguments, and where.

A function may have read what it reaches (closures, globals, defaults, attributes, elements) by
names that occur in the code that ran.
"""

import operator
import os
import warnings
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from random import Random
from types import (
    BuiltinMethodType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

import numpy as np

from ..graph import Node
from .running import Ran, is_library, names_in

LARGEST = 100_000  # numbers: of larger arrays a sample is compared, evenly spaced
SAMPLE = 1024
_ARRAYS = {"numpy", "pandas", "torch"}
PLAIN = (bool, int, float, complex, str, bytes, np.generic)
MOST = 10_000  # places: what is further away from the function is left out
CONTAINERS = (list, dict, set, deque)
_WHOLE_OBJECTS = {"__dict__", "vars", "asdict", "astuple"}  # read attributes without their names
_READS_ENVIRONMENT = type(os.environ).__getitem__.__code__
_GETTERS = (operator.attrgetter, operator.methodcaller)


class Place(NamedTuple):
    """Where something stands that a function may read: a cell, a key, an attribute, contents."""

    owner: Any
    key: Any
    value: Any
    name: str  # as the user writes it


class Places:
    """All places that a function reaches, by the ids of their owners and their keys.

    Args:    roots: the function, and objects among its arguments.
             ran: what was run; None: follow everything.
    """

    def __init__(self, roots: Iterable[Any], ran: Ran | None = None) -> None:
        self.found: dict[tuple[int, Any], Place] = {}
        # All of modules, by the ids of their dicts, where it is not known what was read
        self._globals: dict[int, dict[str, Any]] = {}
        # What reads the attributes of a user's object is a user's code, or nn, if it is a layer
        self._names = ran.names(of_users=True) if ran else None
        if self._names is not None and not _WHOLE_OBJECTS.isdisjoint(self._names):
            self._names = None
        self._all_names = ran.names(of_users=False) if ran else None
        self._code = ran.code if ran and ran.is_complete else None
        self._getters: set[str] = set()  # names in what operator.attrgetter and the like have made
        self._walk(list(roots), ran)
        if self._names is not None and not self._getters <= self._names:
            self._names |= self._getters
            self.found.clear()
            self._walk(list(roots), ran)

    def _walk(self, roots: list[Any], ran: Ran | None) -> None:
        self._seen: dict[int, Any] = {}
        self._waiting: deque[tuple[Any, str]] = deque(
            [(root, getattr(root, "__name__", type(root).__name__)) for root in roots]
        )
        self._static: set[str] = set()  # names in the functions met, where it is not known what ran
        for code, names in (ran.code if ran else {}).items():
            if not is_library(names.get("__name__")):
                self._add_all(names, [n for n in code.co_names if n in names], "")
        if ran and _READS_ENVIRONMENT in ran.code:
            held = vars(os.environ)["_data"]
            self._add(held, Contents, (*held, *held.values()), "os.environ")
        while self._waiting and len(self.found) < MOST:
            x, name = self._waiting.popleft()
            if id(x) not in self._seen and not isinstance(x, PLAIN):
                self._seen[id(x)] = x
                self._visit(x, name)
        self._seen.clear()

    def changes(self, later: "Places") -> list[Place]:
        """Return the places that are different later, as they are then."""
        owners = {owner for owner, _ in self.found} if len(self.found) < MOST else set()
        owners |= self._globals.keys()
        return [
            place
            for (owner, key), place in later.found.items()
            if owner in owners and not same(self._then(owner, key), place.value)
        ]

    def _then(self, owner: int, key: Any) -> Any:
        """Return what was in a place; what equals nothing else, if there was no such place."""
        place = self.found.get((owner, key))
        return self._globals.get(owner, {}).get(key, self) if place is None else place.value

    def _add(self, owner: Any, key: Any, value: Any, name: str) -> None:
        self.found[id(owner), key] = Place(owner, key, value, name)

    def _add_all(self, owner: Any, keys: Iterable[Any], prefix: str) -> None:
        """Add keys of a dict, or attributes of a class, and what stands there."""
        held = vars(owner) if isinstance(owner, type) else owner
        for key in keys:
            value = held.get(key)
            self._add(owner, key, value, f"{prefix}{key}")
            self._waiting.append((value, f"{prefix}{key}"))

    def _visit(self, x: Any, name: str) -> None:
        if isinstance(x, Node | Random):  # both are looked after elsewhere
            return
        if isinstance(x, FunctionType):
            self._visit_function(x)
        elif isinstance(x, BuiltinMethodType):
            self._waiting.append((x.__self__, name.removesuffix(f".{x.__name__}")))
        elif isinstance(x, MethodType):
            self._waiting += [(x.__self__, "self"), (x.__func__, name)]
        elif isinstance(x, partial):
            self._waiting += [(x.func, name), (x.args, name), (x.keywords, name)]
        elif isinstance(x, _GETTERS):
            parts: Any = x.__reduce__()[1]
            texts = [part.split(".") for part in parts if isinstance(part, str)]
            self._getters.update(*texts)
            self._waiting += [(part, name) for part in parts]
        elif isinstance(x, type):
            if not is_library(x.__module__):
                for kind in x.__mro__[:-1]:
                    self._add_all(
                        kind, self._mentioned(vars(kind), self._names), f"{kind.__name__}."
                    )
        elif isinstance(x, ModuleType):
            if not is_library(x.__name__):
                self._visit_globals(vars(x), self._static, f"{x.__name__}.")
        else:
            self._visit_object(x, name)

    def _visit_function(self, f: FunctionType) -> None:
        is_ours = is_library(f.__globals__.get("__name__"))  # which nothing is assigned to
        if not is_ours:
            self._add_all(vars(f), self._mentioned(vars(f), self._names), f"{f.__name__}.")
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

    def _visit_globals(self, names: dict[str, Any], mentioned: set[str], prefix: str) -> None:
        """Add the globals of a module that are mentioned; where it is not known by what, all."""
        if self._names is not None:
            self._add_all(names, self._names & names.keys(), prefix)
            return
        self._globals[id(names)] = dict(names)
        self._waiting += [(names[key], f"{prefix}{key}") for key in mentioned & names.keys()]

    def _visit_object(self, x: Any, name: str) -> None:
        if isinstance(x, dict):
            self._add(x, Contents, (*x, *x.values()), name)
            for key, part in list(x.items()):
                shown = repr(key) if isinstance(key, str | int) else type(key).__name__
                self._waiting.append((part, f"{name}[{shown}]"))
        elif isinstance(x, CONTAINERS):
            self._add(x, Contents, tuple(x), name)
        if isinstance(x, list | tuple | deque):
            self._waiting += [
                (part, f"{name}[{i}]") for i, part in enumerate(x) if type(part) not in PLAIN
            ]
        elif (held := contents(x)) is not None:
            self._add(x, Contents, held, name)
            return
        if type(x).__module__.partition(".")[0] == "autograd_core":
            self._waiting.append((getattr(x, "_f", None), name))  # a compiled function
            return
        attributes = None
        with suppress(Exception):  # a property of the user's
            attributes = x.__dict__
        if isinstance(attributes, dict):
            read_anew = getattr(type(x), "read_anew", ())  # what a class of nn reads by `fresh`
            names = self._all_names if _is_of_nn(x) else self._names
            mentioned = self._mentioned(set(attributes) - set(read_anew), names)
            self._add_all(attributes, mentioned, f"{name}.")
            self._add(attributes, len, len(attributes), name)
        for kind in type(x).__mro__:
            slots = vars(kind).get("__slots__", ())
            for slot in self._mentioned([slots] if isinstance(slots, str) else slots, self._names):
                if slot not in ("__dict__", "__weakref__") and hasattr(x, slot):
                    self._add(x, slot, getattr(x, slot), f"{name}.{slot}")
                    self._waiting.append((getattr(x, slot), f"{name}.{slot}"))
        self._waiting.append((type(x), type(x).__name__))

    def _mentioned(self, keys: Iterable[str], names: set[str] | None) -> list[str]:
        return [key for key in list(keys) if names is None or key in names]


class Contents:
    """The key of all that a list, set, dict or array holds."""


def contents(x: Any, largest: int = LARGEST) -> Any:
    """Return what an array, an iterator or a context variable holds; None of everything else.

    Of an array with more numbers than `largest`, a sample.
    """
    if isinstance(x, array | bytearray):
        return bytes(x)
    if isinstance(x, ContextVar):
        return (x.get(None),)
    if isinstance(x, GeneratorType):
        frame = x.gi_frame
        inner = contents(x.gi_yieldfrom)
        return (frame.f_lasti, *frame.f_locals.values(), inner) if frame else ()
    if hasattr(type(x), "__next__"):
        return _position(x)
    if type(x).__module__.partition(".")[0] not in _ARRAYS or not hasattr(type(x), "__array__"):
        return None  # data in a file, for example, which are not read at every call
    try:
        data = np.asarray(x)
    except (TypeError, ValueError, RuntimeError):
        return None
    if data.dtype.hasobject:
        return tuple(data.ravel())
    if data.size > largest and (data.flags.c_contiguous or data.flags.f_contiguous):
        data = data.ravel("K")[:: data.size // SAMPLE]
    return data.tobytes()


def _position(x: Any) -> Any:
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


def _flat(x: Any) -> Iterator[Any]:
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


def _is_of_nn(x: Any) -> bool:
    return any(kind.__module__.partition(".")[0] == "nn" for kind in type(x).__mro__)
