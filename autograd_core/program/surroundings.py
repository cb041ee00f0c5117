"""Surroundings: what a recording has read beside its arguments, and whether it has changed.

A program holds what it read as constants, and lists, flags and counts have decided which steps
there are. So the places are looked up before the recording, to find what the function changes
itself, after it, and at every call. Values are read afresh by the program. What only functions
given to `fresh` and `callback` read is left out, since they are called in every replay.
"""

import dis
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from operator import is_
from types import CellType, FunctionType
from typing import Any

import numpy as np

from ..data import Array, Function
from ..errors import TraceError
from ..graph import Node
from .places import CONTAINERS, LARGEST, Contents, Place, Places, contents, same
from .running import Ran, Randomness, is_library

LARGE = 4096  # numbers: larger arrays that are operands are read afresh by every replay
_WRITERS = {"append", "appendleft", "extend", "add", "update", "insert", "write", "writelines"}
_WRITERS |= {"writerow", "__setitem__"}
# Runs in a row that must give the same, before it counts as another thread that has drawn
AGREEING = 20
_OUTSIDE = ("fresh", "callback", "current")  # what they are given, they call outside
_LOADS = ("LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR")


class Run:
    """What one run of a function reads and changes beside its arguments and results.

    Args:    roots: the function as the user wrote it, and objects among its arguments.
             kind: what the run is for, "compiled" or "batched".
             before: what the run before has read, if there was a doubt about it.
    """

    def __init__(self, roots: list[object], kind: str, before: "Surroundings | None") -> None:
        self._roots, self._kind, self._is_second = roots, kind, before is not None
        self._before, self._loaded = Places(roots), {*sys.modules}
        reached = self._before.generators | (before.places.generators if before else {})
        self._randomness = Randomness(reached.values())
        self._ran = Ran(self._randomness.noticed)
        self.is_undecided = False  # whether another thread may have drawn: the next run tells more
        self._changed_outside: dict[tuple[int, Any], object] = {}  # by owners' ids and keys: owners

    def follow(self, function: Function) -> Any:
        """Return what a function returns, and follow what runs; the second time line by line."""
        return self._ran.follow(function, self._randomness.by_lines if self._is_second else None)

    @contextmanager
    def outside(self, function: Function) -> Iterator[None]:
        """Let a function run that replays call, too: it may draw, and change what it likes."""
        before = Places([function])
        with self._randomness.allowed(), self._ran.paused():
            yield
        for place in before.changes(Places([function])):
            self._changed_outside[id(place.owner), place.key] = place.owner

    def surroundings(self) -> "Surroundings":
        """Return what the run has read."""
        return Surroundings(self._roots, self._ran, self._changed_outside)

    @property
    def line(self) -> str:
        """The user's line that drew, as far as it is known."""
        return self._randomness.line or self._randomness.latest

    def doubt(self, surroundings: "Surroundings", lines: list[str]) -> TraceError | None:
        """Return why the run holds for itself only: it has changed what it reads, or has drawn.

        lines: those that drew in this run and in those before that gave the same, where there are
        other threads. If they go on to differ, it was another thread that drew.
        """
        drawn = self._randomness
        imported = [p for p in surroundings.places.modules if p.key not in self._loaded]
        changed = surroundings.changes(self._before) or imported
        if changed and not drawn.is_certain:
            return self._changed_inside(changed[0])
        for place in surroundings.places.foreign:
            if _is_read(place.name, self._ran):
                return self._foreign(place)
        is_unknown = any(x not in drawn for x in surroundings.places.generators.values())
        if not drawn.moved() and (self._is_second or not is_unknown):
            return None
        if lines and not drawn.is_certain:
            self.is_undecided = len(lines) < AGREEING
            is_always_here = lines[0] and len({*lines}) == 1
            if not self.is_undecided and not is_always_here:
                return None
        return drawn.refusal(definition(self._roots[0]), self._kind)

    def _foreign(self, place: Place) -> TraceError:
        return TraceError(
            f"{place.name}, {type(place.owner).__name__}, inside a {self._kind} function\n"
            f"  at:    {definition(self._roots[0])}",
            "it does not show how far it has been read, and replays would not read on",
            "what is read from it as an argument, or in a list; or fresh(function) for what every "
            "call reads anew",
        )

    def _changed_inside(self, place: Place) -> TraceError:
        what = place.name if isinstance(place.key, str) else f"what {place.name} holds"
        line = definition(self._roots[0])
        given = f"{what} changed inside a {self._kind} function\n  at:    {line}"
        if self._kind == "batched":
            return TraceError(
                given,
                "it runs once for all samples, and would change it once",
                "return what is to be kept, and keep it after the batch",
            )
        return TraceError(
            given,
            "replays repeat operations on Values, and would leave it as it is",
            "p.data = ... of a Value that was made outside; or callback(function, v) for what is "
            "kept elsewhere, such as a log, and fresh(function) to read it anew",
        )


def definition(f: object) -> str:
    """Return file and line where a function is defined, if it is written in Python."""
    while isinstance(f, partial):
        f = f.func
    code = getattr(getattr(f, "__func__", f), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else type(f).__name__


class Surroundings:
    """The places that a recording may have read, and a quick test whether they changed.

    Args:    roots: as for `Places`.
             ran: what was run by the recording.
             left_out: places that callbacks change, by owners' ids and keys; only those that
          nothing but the callbacks reads are left out.
    """

    def __init__(self, roots: list[Any], ran: Ran, left_out: dict[tuple[int, Any], object]) -> None:
        self._roots, self.ran = roots, ran
        self._read_afresh: list[object] = []
        self.places = Places(roots, ran)
        found = self.places.found
        self._left_out = {w for w in left_out if w in found and not _is_read(found[w].name, ran)}

    def changes(self, before: Places) -> list[Place]:
        """Return the places that were different before, when the recording began."""
        found = before.changes(self.places)
        return [p for p in found if (id(p.owner), p.key) not in self._left_out]

    def holds(self, x: Array) -> bool:
        """Tell whether a large array, or the one that it is a view of, is one of the places."""
        found = self.places.found
        return x.size > LARGE and any((id(y), Contents) in found for y in (x, x.base))

    def expect(self, read_afresh: list[Any]) -> None:
        """Take what is in the places now for right.

        Args: read_afresh: arrays that replays read afresh, of which a sample is compared.
        """
        self._read_afresh = read_afresh
        sampled = {id(part) for x in read_afresh for part in (x, x.base)}
        reads, tests, values = [], [], []
        names: dict[str, Any] = {"contents": contents, "same": same, "identical": _are_identical}
        found = self.places.found
        for i, place in enumerate([found[key] for key in found if key not in self._left_out]):
            largest = LARGE if id(place.owner) in sampled else LARGEST
            names[f"o{i}"] = place.owner
            read, test = _source(place, f"o{i}", f"k{i}", largest)
            reads.append(read)
            tests.append(test.replace("READ", read))
            is_sampled = largest == LARGE and place.key is Contents
            values.append(contents(place.owner, LARGE) if is_sampled else place.value)
        # As source, since it is run at every call
        self._names = names
        self._searched = [i for i, test in enumerate(tests) if test.endswith(f" in (l{i},)")]
        self._are_identical = eval(f"lambda: {' and '.join(tests) or True}", names)
        self._read = eval(f"lambda: ({''.join([f'{read}, ' for read in reads])})", names)
        self._take(tuple(values))

    def _take(self, values: tuple[Any, ...]) -> None:
        """Take these for what is in the places."""
        self._values = values
        self._names |= {f"k{i}": value for i, value in enumerate(values)}
        self._names |= {f"l{i}": list(values[i]) for i in self._searched}

    def are_current(self) -> bool:
        """Tell whether all places are as they were."""
        try:
            if self._are_identical():
                return True
            values = self._read()
            if same(values, self._values):  # other objects, the same numbers
                self._take(values)
                return True
        except (KeyError, AttributeError, ValueError):  # no such place any more, or an array there
            pass
        return self._are_current_after_all()

    def _are_current_after_all(self) -> bool:
        """Walk once more: there may be new attributes that the function does not mention."""
        places = Places(self._roots, self.ran)
        now, then = [
            {k: p.value for k, p in found.items() if k not in self._left_out and k[1] is not len}
            for found in (places.found, self.places.found)
        ]
        if len(now) < len(then):
            return False
        if not all(key in then and same(value, then[key]) for key, value in now.items()):
            return False
        self.places = places
        self.expect(self._read_afresh)
        return True


def _source(place: Place, owner: str, known: str, largest: int) -> tuple[str, str]:
    """Return the expression that reads a place, and the test of it, in which it is READ.

    Args:    owner, known: the names of the owner, and of what the expression gave before.
             largest: see `contents`.
    """
    x, key = place.owner, place.key
    if key is Contents and isinstance(x, CONTAINERS):
        return _source_of_contents(place, owner, known)
    if key is Contents:
        if type(x) is np.ndarray and x.size <= largest and not x.dtype.hasobject:
            return f"{owner}.tobytes()", f"READ == {known}"
        return f"contents({owner}, {largest})", f"same(READ, {known})"
    if key is len:
        return f"len({owner})", f"READ == {known}"
    if isinstance(x, type):
        read = f"{owner}.__dict__[{key!r}]"
    elif isinstance(x, CellType):
        read = f"{owner}.cell_contents"
    elif isinstance(x, FunctionType) or not hasattr(x, "keys"):
        read = f"{owner}.{key}"
    else:
        read = f"{owner}[{key!r}]"
    return read, f"READ is {known}"


def _source_of_contents(place: Place, owner: str, known: str) -> tuple[str, str]:
    """Return the same for a list, set or dict.

    A search compares elements by identity first. That is all for objects, and takes a nanosecond
    each. Numbers are compared by identity, as 1 and True are equal; in a long list this would take
    long, and equal numbers count as the same.
    """
    x, values = place.owner, place.value
    read = f"(*{owner}, *{owner}.values())" if isinstance(x, dict) else f"(*{owner},)"
    are_objects = all(map(_equals_itself_alone, values))
    are_many_numbers = len(values) > LARGE and {*map(type, values)} <= {int, float} and 0 not in x
    if type(x) is list and (are_objects or are_many_numbers):
        return read, f"{owner} in (l{known[1:]},)"
    return read, f"READ in ({known},)" if are_objects else f"identical(READ, {known})"


def _equals_itself_alone(x: object) -> bool:
    """Tell whether what is equal to it is as good as itself: not so numbers, 1 and True."""
    return x is None or isinstance(x, str | Node) or vars(object)["__eq__"] is type(x).__eq__


def _are_identical(now: tuple[object, ...], then: tuple[object, ...]) -> bool:
    return len(now) == len(then) and all(map(is_, now, then))


def _is_read(name: str, ran: Ran) -> bool:
    """Tell whether code that ran does more with a variable than to pass it or a method of it on.

    Such as `callback(log.append, v)`, which changes the log and does not read it.
    """
    variable = name.partition("[")[0].rpartition(".")[2]
    for code, names in ran.code.items():
        if is_library(names.get("__name__")):
            continue
        steps = [s for s in dis.get_instructions(code) if s.opname not in ("CACHE", "PRECALL")]
        for i, step in enumerate(steps):
            is_given = i > 0 and steps[i - 1].argval in _OUTSIDE
            if step.argval == variable and step.opname.startswith(_LOADS) and not is_given:
                after = [s for s in steps[i + 1 : i + 6] if "CONST" not in s.opname]
                while after and after[0].opname.startswith("BINARY"):
                    del after[0]  # of history["loss"].append
                if not after or after[0].argval not in _WRITERS:
                    return True
    return False
