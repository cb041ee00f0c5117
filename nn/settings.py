"""What a compiled step depends on: settings that must stay, and state that it reads anew."""

from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autograd_core import Value, fresh

# Values of these types are the same setting where they are equal; others where they are identical
_PLAIN = (bool, int, float, complex, str, bytes)
_FUNCTIONS = (type, ModuleType, FunctionType, BuiltinFunctionType)
_NOT_LOOKED_INTO = (Value, np.ndarray, np.generic, *_FUNCTIONS, *_PLAIN)
_NOTHING = object()  # stands for an attribute that is not there


def current(read: Callable[[], Any]) -> Any:
    """Return what `read` returns, which a compiled step reads anew every time.

    For state beside the parameters that steps change: an optimizer's slots, a running mean.

    Args:    read: returns a number or an array, always of the same shape.
    Example: >>> from autograd_core import compile
             >>> state = {"mean": 1.0}
             >>> centred = compile(lambda x: x - current(lambda: state["mean"]))
             >>> first = centred(3.0)
             >>> state["mean"] = 2.0
             >>> first, centred(3.0)
             (2.0, 1.0)
    """
    return fresh(read)


class Settings:
    """All attributes of some objects and of what they refer to, as they are now.

    Lists, tuples, dicts, bound methods, partials and objects with attributes are looked into.
    What a class names in `read_anew` does not count: each step reads or changes it.

    Args:    roots: objects by name; names are for messages.
    Example: >>> from nn import Dropout
             >>> layer = Dropout(0.5)
             >>> settings = Settings({"layer": layer})
             >>> settings.changed()
             >>> layer.rate = 0.1
             >>> settings.changed()
             'layer.rate'
    """

    def __init__(self, roots: dict[str, Any]) -> None:
        self._sources: list[_Compared] = []
        self._seen: dict[int, Any] = {}  # holds all objects, so that identities stay theirs
        for name, root in roots.items():
            self._visit(name, root)
        self._refresh()

    def changed(self) -> str | None:
        """Return the name of an attribute that is another one than it was; None if none is."""
        # A comparison of dicts passes over what is identical, and so is fast; in a search, a Value
        # equals itself alone
        try:
            if self._live in (self._then,) and all(s.counting() == s.then for s in self._partly):
                return None
        except (TypeError, ValueError, RuntimeError, AttributeError):
            pass  # arrays, tensors and some objects have no equality: they are looked at one by one
        for source in self._sources:
            for name in source.differing() - source.omitted:
                return f"{source.name}.{name}"
        self._refresh()
        return None

    def leave_out_changes(self) -> None:
        """Let what has changed count no longer: a step itself changes it, and reads it anew."""
        for source in self._sources:
            source.omitted |= source.differing()
        lists = [s for s in self._sources if isinstance(s.live, list) and s.omitted]
        self._sources = [source for source in self._sources if source not in lists]
        self._refresh()

    def _refresh(self) -> None:
        for source in self._sources:
            source.refresh()
        whole = [source for source in self._sources if not source.is_partly]
        self._live, self._then = [s.live for s in whole], [s.then for s in whole]
        self._partly = [source for source in self._sources if source.is_partly]

    def _visit(self, name: str, thing: object) -> None:
        if isinstance(thing, _NOT_LOOKED_INTO) or id(thing) in self._seen:
            return
        self._seen[id(thing)] = thing
        parts: Any = {}
        if isinstance(thing, list | tuple | dict):
            parts = _by_name(thing)
            if not isinstance(thing, tuple):
                self._sources.append(_Compared(name, thing, frozenset()))
        elif isinstance(thing, MethodType):
            parts = {"__self__": thing.__self__}
        elif hasattr(thing, "__dict__"):
            omitted: frozenset[str] = getattr(type(thing), "read_anew", frozenset())
            self._sources.append(_Compared(name, vars(thing), omitted))
            parts = {key: part for key, part in vars(thing).items() if key not in omitted}
        if isinstance(thing, partial):
            parts = {**parts, "func": thing.func, "args": thing.args, "keywords": thing.keywords}
        for key, part in parts.items():
            self._visit(f"{name}.{key}", part)


class _Compared:
    """The attributes of one object, or the elements of one list, now and as they were.

    Args:    name: of the object, for messages.
             live: its attributes by name, or the list itself.
             omitted: names of attributes that do not count.
    """

    def __init__(self, name: str, live: Any, omitted: frozenset[Any]) -> None:
        self.name, self.live, self.omitted = name, live, omitted
        self.then = live.copy()
        self._present: frozenset[Any] = frozenset()  # what to leave out of the attributes
        self.is_partly = False  # whether attributes that do not count have changed before

    def counting(self) -> Any:
        """Return the attributes that count, as they are now."""
        now = self.live.copy()
        for name in self._present:
            del now[name]
        return now

    def refresh(self) -> None:
        """Take the attributes as they are now for those that are right."""
        self.is_partly = self.is_partly or bool(self.differing())
        self._present = self.omitted & self.live.keys() if self.is_partly else frozenset()
        self.then = self.counting()

    def differing(self) -> frozenset[Any]:
        """Return the names of the attributes that have changed."""
        now, then = _by_name(self.live), _by_name(self.then)
        return frozenset(
            name
            for name in {**then, **now}
            if not _is_same(then.get(name, _NOTHING), now.get(name, _NOTHING))
        )


def _is_same(old: Any, new: Any) -> bool:
    if old is new or type(old) is not type(new):
        return old is new
    if type(old) is tuple:
        return len(old) == len(new) and all(map(_is_same, old, new))
    return type(old) in _PLAIN and bool(old == new)


def _by_name(parts: Any) -> dict[object, object]:
    """Return a dict as it is, and the elements of a list or tuple by their number."""
    return parts if isinstance(parts, dict) else dict(enumerate(parts))
