"""What a function reads beside its arguments: captured numbers, attributes, lists, arrays, globals.

A program holds what it read of these as constants, and lists, flags and counts have decided which
steps there are. So their places are looked up: before the recording, to find what the function
changes itself, and after it, to see at every call whether they are still as they were.

What a function may have read is what it reaches (closures, globals, defaults, attributes, elements)
by names that occur in the code that ran. Values are read afresh by the program; functions given to
`fresh` and `callback` are called in every replay, so that what only they read is left out.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import is_
from random import Random
from types import BuiltinMethodType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..graph import Node

MOST = 20_000  # places: what is further away from the function is left out
LARGE = 4096  # numbers: of larger arrays as many, evenly spaced, are compared
_PLAIN = (bool, int, float, complex, str, bytes, np.generic)
# Their modules' globals and classes' attributes do not change
_LIBRARIES = {"autograd_core", "nn", "numpy", *sys.stdlib_module_names} - {"__main__"}


class Ran:
    """The code that ran in a block, with the globals that it saw.

    Args: noticed: called with the frame in which the system is asked for entropy.
    """

    def __init__(self, noticed: Callable[[Any], None]) -> None:
        self.code: dict[CodeType, dict[str, Any]] = {}
        self.is_complete = False  # not where another profiler was at work
        self._noticed = noticed

    @contextmanager
    def following(self) -> Iterator[None]:
        """Take down which functions are called in the block."""
        if sys.getprofile() is not None:
            yield
            return
        code, noticed, urandom = self.code, self._noticed, os.urandom
        seed = Random.seed.__code__

        def look(frame: Any, event: str, argument: Any) -> None:
            if event == "call":
                code[frame.f_code] = frame.f_globals
                if frame.f_code is seed and frame.f_locals.get("a") is None:
                    noticed(frame)
            elif argument is urandom and event == "c_call":
                noticed(frame)

        self.is_complete = True
        sys.setprofile(look)
        try:
            yield
        finally:
            sys.setprofile(None)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what runs in the block."""
        before = sys.getprofile()
        if not self.is_complete or before is None:
            yield
            return
        sys.setprofile(None)
        try:
            yield
        finally:
            sys.setprofile(before)

    def names(self) -> set[str] | None:
        """Return all names and texts in the code; None: it is not known which code ran."""
        if not self.is_complete:
            return None
        return set().union(*map(_names, self.code))


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
        self._names = ran.names() if ran else None
        self._code = ran.code if ran and ran.is_complete else None
        self._seen: dict[int, Any] = {}
        self._waiting: deque[tuple[Any, str]] = deque([(root, "") for root in roots])
        self._static: set[str] = set()  # names in the functions met, where it is not known what ran
        for code, names in (ran.code if ran else {}).items():
            if not _is_library(names.get("__name__")):
                self._add_all(names, [n for n in code.co_names if n in names], "")
        while self._waiting and len(self.found) < MOST:
            x, name = self._waiting.popleft()
            if id(x) not in self._seen and not isinstance(x, _PLAIN):
                self._seen[id(x)] = x
                self._visit(x, name)
        self._seen.clear()

    def changes(self, later: "Places") -> list[Place]:
        """Return the places that are different later, as they are then."""
        owners = {owner for owner, _ in self.found}
        return [
            place
            for where, place in later.found.items()
            if (
                not same(self.found[where].value, place.value)
                if where in self.found
                else where[0] in owners and len(self.found) < MOST
            )
        ]

    def _add(self, owner: Any, key: Any, value: Any, name: str) -> None:
        self.found[id(owner), key] = Place(owner, key, value, name)

    def _add_all(self, owner: Any, keys: Iterable[Any], prefix: str) -> None:
        """Add keys of a dict, or attributes of a class, and what stands there."""
        held = vars(owner) if isinstance(owner, type) else owner
        for key in keys:
            self._add(owner, key, held[key], f"{prefix}{key}")
            self._waiting.append((held[key], f"{prefix}{key}"))

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
        elif isinstance(x, type):
            if not _is_library(x.__module__):
                for kind in x.__mro__[:-1]:
                    self._add_all(kind, self._mentioned(vars(kind)), f"{kind.__name__}.")
        elif isinstance(x, ModuleType):
            if not _is_library(x.__name__):
                known = self._static if self._names is None else self._names
                self._add_all(vars(x), known & vars(x).keys(), f"{x.__name__}.")
        else:
            self._visit_object(x, name)

    def _visit_function(self, f: FunctionType) -> None:
        if self._code is not None and f.__code__ not in self._code:
            return
        for variable, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                self._add(cell, "", cell.cell_contents, variable)
            except ValueError:  # not assigned yet
                continue
            self._waiting.append((cell.cell_contents, variable))
        for part in ("__defaults__", "__kwdefaults__"):
            self._add(f, part, getattr(f, part), f"{f.__name__}.{part}")
            self._waiting.append((getattr(f, part), f.__name__))
        if vars(f):
            self._add_all(vars(f), self._mentioned(vars(f)), f"{f.__name__}.")
        names = f.__globals__
        if self._code is None and not _is_library(f.__module__):
            for key, value in names.items():
                self._add(names, key, value, key)
            mentioned = _names(f.__code__, inner=True)
            self._static |= mentioned
            self._waiting += [(names[key], key) for key in mentioned if key in names]

    def _visit_object(self, x: Any, name: str) -> None:
        if isinstance(x, dict):
            self._add(x, _Contents, (*x, *x.values()), name)
            self._waiting += [(part, f"{name}[{key!r}]") for key, part in x.items()]
        elif isinstance(x, list | set | deque):
            self._add(x, _Contents, tuple(x), name)
        if isinstance(x, list | tuple | deque):
            self._waiting += [(part, f"{name}[{i}]") for i, part in enumerate(x)]
        elif hasattr(type(x), "__array__"):
            self._add(x, _Contents, contents(x), name)
            return
        if type(x).__module__.partition(".")[0] == "autograd_core":
            self._waiting.append((getattr(x, "_f", None), name))  # a compiled function
            return
        attributes = getattr(x, "__dict__", None)
        if isinstance(attributes, dict):
            self._add_all(attributes, self._mentioned(attributes), f"{name}.")
            self._add(attributes, len, len(attributes), name)
        for kind in type(x).__mro__:
            slots = vars(kind).get("__slots__", ())
            for slot in self._mentioned([slots] if isinstance(slots, str) else slots):
                if slot not in ("__dict__", "__weakref__") and hasattr(x, slot):
                    self._add(x, slot, getattr(x, slot), f"{name}.{slot}")
                    self._waiting.append((getattr(x, slot), f"{name}.{slot}"))
        self._waiting.append((type(x), type(x).__name__))

    def _mentioned(self, keys: Iterable[str]) -> list[str]:
        return [key for key in keys if self._names is None or key in self._names]


class _Contents:
    """The key of all that a list, set, dict or array holds."""


class Surroundings:
    """The places that a recording may have read, and a quick look at whether they changed.

    Args:    roots: as for `Places`.
             ran: what was run by the recording.
             left_out: places that callbacks change, by owners' ids and keys.
    """

    def __init__(self, roots: list[Any], ran: Ran, left_out: set[tuple[int, Any]]) -> None:
        self._roots, self._ran, self._left_out = roots, ran, left_out
        self._take(Places(roots, ran))

    def _take(self, places: Places) -> None:
        self.places = places
        found = [place for where, place in places.found.items() if where not in self._left_out]
        arrays = [p for p in found if p.key is _Contents and isinstance(p.value, bytes)]
        self._arrays = [(place.owner, place.value) for place in arrays]
        owners: list[Any] = []
        parts: list[str] = []
        values: list[Any] = []
        for place in found:
            read = _reading(place, f"o{len(owners)}")
            if read:
                owners.append(place.owner)
                parts.append(f"{read}, ")
                values += place.value if place.key is _Contents else [place.value]
        self._values = tuple(values)
        names = ", ".join([f"o{i}" for i in range(len(owners))])
        # As source, since it is run at every call: some 30 nanoseconds a place
        self._read: Callable[[], tuple[Any, ...]]
        self._read = eval(f"lambda {names}: lambda: ({''.join(parts)})")(*owners)

    def are_current(self) -> bool:
        """Tell whether all places are as they were."""
        for array, known in self._arrays:
            if contents(array) != known:
                return False
        try:
            now = self._read()
        except (KeyError, AttributeError, ValueError):  # there is no such place any more
            return False
        values = self._values
        if len(now) == len(values):
            if all(map(is_, now, values)):
                return True
            if all(map(same, now, values)):  # other objects, the same numbers
                self._values = now
                return True
        return self._are_current_after_all()

    def _are_current_after_all(self) -> bool:
        """Walk once more: there may be new attributes that the function does not mention."""
        places = Places(self._roots, self._ran)
        left_out = self._left_out
        one = {k: p.value for k, p in places.found.items() if k not in left_out and k[1] is not len}
        other = self.places.found
        for where, value in one.items():
            if where not in other or not same(value, other[where].value):
                return False
        if len(one) < len([k for k in other if k not in left_out and k[1] is not len]):
            return False
        self._take(places)
        return True


def _reading(place: Place, owner: str) -> str:
    """Return the expression that reads a place; of contents, several after a star."""
    if isinstance(place.value, bytes) and place.key is _Contents:
        return ""
    if place.key is _Contents:
        is_dict = isinstance(place.owner, dict)
        return f"*{owner}, *{owner}.values()" if is_dict else f"*{owner}"
    if place.key is len:
        return f"len({owner})" if place.value < 256 else ""  # small numbers are the same object
    if isinstance(place.owner, type):
        return f"{owner}.__dict__[{place.key!r}]"
    if isinstance(place.owner, CellType):
        return f"{owner}.cell_contents"
    if isinstance(place.owner, FunctionType) or not hasattr(place.owner, "keys"):
        return f"{owner}.{place.key}"
    return f"{owner}[{place.key!r}]"


def contents(x: Any) -> bytes:
    """Return the numbers of an array; of a large one, a sample; nothing of what is no array."""
    try:
        array = np.asarray(x)
    except (TypeError, ValueError, RuntimeError):
        return b""
    if array.dtype.hasobject:
        return b""
    if array.size > LARGE and (array.flags.c_contiguous or array.flags.f_contiguous):
        array = array.ravel("K")[:: array.size // LARGE]
    return array.tobytes()


def same(one: Any, other: Any) -> bool:
    """Tell whether two things in a place are the same object, or equal numbers or texts."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bytes):
        return one == other
    return isinstance(one, _PLAIN) and repr(one) == repr(other)  # 0.0 is not -0.0, nan is nan


def _names(code: CodeType, inner: bool = False) -> set[str]:
    """Return the names of globals and attributes, and the texts, in the code of a function."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, str):
            names.add(constant)
        elif isinstance(constant, tuple | frozenset):
            names.update(part for part in constant if isinstance(part, str))
        elif inner and isinstance(constant, CodeType):
            names |= _names(constant, inner)
    return names


def _is_library(module: Any) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in _LIBRARIES
