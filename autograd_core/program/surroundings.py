"""Surroundings: what a recording has read beside its arguments, and whether it has changed.

A program holds what it read as constants, and lists, flags and counts have decided which steps
there are. So the places are looked up before the recording, to find what the function changes
itself, after it, and at every call. Values are read afresh by the program; functions given to
`fresh` and `callback` are called in every replay, so that what only they read is left out.
"""

import dis
from collections.abc import Callable
from operator import is_
from types import CellType, FunctionType
from typing import Any

from ..graph import Node
from .contents import LARGE, LARGEST, contents, same
from .places import CONTAINERS, Contents, Place, Places, Ran, is_library

_WRITERS = {"append", "appendleft", "extend", "add", "update", "insert", "write", "__setitem__"}
_LOADS = ("LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR")


class Surroundings:
    """The places that a recording may have read, and a quick look at whether they changed.

    Args:    roots: as for `Places`.
             ran: what was run by the recording.
             left_out: places that callbacks change, by owners' ids and keys; only those that
          nothing but the callbacks reads are left out.
    """

    def __init__(self, roots: list[Any], ran: Ran, left_out: dict[tuple[int, Any], Any]) -> None:
        self._roots, self._ran = roots, ran
        self._read_afresh: list[Any] = []
        places = Places(roots, ran)
        self._left_out = {
            where
            for where in left_out
            if where in places.found and not _is_read(places.found[where].name, ran)
        }
        self._take(places)

    def _take(self, places: Places) -> None:
        self.places = places
        found = [place for where, place in places.found.items() if where not in self._left_out]
        self._held = [(p.owner, p.value) for p in found if p.key is Contents]
        self._held = [(x, value) for x, value in self._held if not isinstance(x, CONTAINERS)]
        self.sample(self._read_afresh)
        read = [place for place in found if _is_read_here(place)]
        owners = [place.owner for place in read]
        self._contents = [_kind_of_contents(place) for place in read]
        reads = [_reading(place, f"o{i}") for i, place in enumerate(read)]
        tests = [
            _TESTS[kind].format(o=f"o{i}", k=f"k{i}", read=reads[i])
            for i, kind in enumerate(self._contents)
        ]
        # As source, since it is run at every call: (what is there now, makes a test for what was)
        names = ", ".join([f"o{i}" for i in range(len(read))])
        source = (
            f"lambda {names}: (lambda: ({''.join([f'{x}, ' for x in reads])}), "
            f"lambda {names.replace('o', 'k')}: lambda: {' and '.join(tests) or True})"
        )
        self._read: Callable[[], tuple[Any, ...]]
        self._read, self._test_for = eval(source, {"are_identical": _are_identical})(*owners)
        self._expect(tuple([place.value for place in read]))

    def _expect(self, values: tuple[Any, ...]) -> None:
        """Take these for what the places hold."""
        self._values = values
        known = [
            (list(value) if kind == "objects of a list" else value,) if "objects" in kind else value
            for kind, value in zip(self._contents, values, strict=True)
        ]
        self._are_identical: Callable[[], bool] = self._test_for(*known)

    def changes(self, before: Places) -> list[Place]:
        """Return the places that were different before, when the recording began."""
        found = before.changes(self.places)
        return [p for p in found if (id(p.owner), p.key) not in self._left_out]

    def holds(self, x: Any) -> bool:
        """Tell whether a large array, or the one that it is a view of, is one of the places."""
        held = [owner for owner, _ in self._held]
        return x.size > LARGE and any(x is owner or x.base is owner for owner in held)

    def sample(self, read_afresh: list[Any]) -> None:
        """Compare no more than a sample of arrays that replays read afresh."""
        self._read_afresh = read_afresh
        ids = {id(part) for x in read_afresh for part in (x, x.base)}
        held = [(x, LARGE if id(x) in ids else LARGEST) for x, _ in self._held]
        self._compared = [(x, largest, contents(x, largest)) for x, largest in held]

    def are_current(self) -> bool:
        """Tell whether all places are as they were."""
        for x, largest, known in self._compared:
            if not same(contents(x, largest), known):
                return False
        try:
            if self._are_identical():
                return True
            values = self._read()
            if same(values, self._values):  # other objects, the same numbers
                self._expect(values)
                return True
        except (KeyError, AttributeError, ValueError):  # no such place any more, or an array there
            pass
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


# How a place is compared, by what it holds: a single thing, or contents. In a search, tuples and
# lists are compared by identity first, which for objects is all and takes 3 nanoseconds each, and
# a Value equals itself alone. Numbers are compared by identity: 1 and True are equal.
_TESTS = {
    "": "{read} is {k}",
    "objects of a list": "{o} in {k}",
    "objects": "{read} in {k}",
    "numbers": "are_identical({read}, {k})",
}


def _kind_of_contents(place: Place) -> str:
    if place.key is not Contents:
        return ""
    if not all(map(_equals_itself_alone, place.value)):
        return "numbers"
    return "objects of a list" if type(place.owner) is list else "objects"


def _equals_itself_alone(x: Any) -> bool:
    """Tell whether what is equal to it is as good as itself: not so numbers, 1 and True."""
    return x is None or isinstance(x, str | Node) or vars(object)["__eq__"] is type(x).__eq__


def _are_identical(now: tuple[Any, ...], then: tuple[Any, ...]) -> bool:
    return len(now) == len(then) and all(map(is_, now, then))


def _is_read_here(place: Place) -> bool:
    """Tell whether a place is read by an expression: not so the data of arrays."""
    if place.key is len:
        return bool(place.value < 256)  # small numbers are the same object
    return place.key is not Contents or isinstance(place.owner, CONTAINERS)


def _reading(place: Place, owner: str) -> str:
    """Return the expression that reads a place; of contents, a tuple."""
    if place.key is Contents:
        is_dict = isinstance(place.owner, dict)
        return f"(*{owner}, *{owner}.values())" if is_dict else f"(*{owner},)"
    if place.key is len:
        return f"len({owner})"
    if isinstance(place.owner, type):
        return f"{owner}.__dict__[{place.key!r}]"
    if isinstance(place.owner, CellType):
        return f"{owner}.cell_contents"
    if isinstance(place.owner, FunctionType) or not hasattr(place.owner, "keys"):
        return f"{owner}.{place.key}"
    return f"{owner}[{place.key!r}]"


def _is_read(name: str, ran: Ran) -> bool:
    """Tell whether code that ran does more with a variable than to pass on a method of it.

    Such as `callback(log.append, v)`, which changes the log and does not read it.
    """
    variable = name.partition("[")[0].rpartition(".")[2]
    for code, names in ran.code.items():
        if is_library(names.get("__name__")):
            continue
        steps = [s for s in dis.get_instructions(code) if s.opname not in ("CACHE", "PRECALL")]
        for i, step in enumerate(steps):
            if step.argval == variable and step.opname.startswith(_LOADS):
                after = [s for s in steps[i + 1 : i + 6] if "CONST" not in s.opname]
                while after and after[0].opname.startswith("BINARY"):
                    del after[0]  # of history["loss"].append
                if not after or after[0].argval not in _WRITERS:
                    return True
    return False
