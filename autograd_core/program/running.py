"""What runs while a function is recorded, and what it reads that each call would read anew.

A recording would freeze random numbers that are not `fresh`, the time, and files. The states of all
generators are read before and after a recording, and never set. Generators without a seed that are
made inside ask the system for entropy, and are noticed by that; those made with a seed give the
same numbers in every call anyway.
"""

import dis
import gc
import linecache
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import compress
from random import Random, SystemRandom
from types import CodeType
from typing import Any

import numpy as np

from ..errors import TraceError
from .program import comparable

# The user's line is the innermost one that belongs to none of these; their modules' globals and
# classes' attributes do not change
_LIBRARIES = {"autograd_core", "nn", "numpy", *sys.stdlib_module_names} - {"__main__"}

RANDOM, TIME, FILE = "random numbers drawn", "the time read", "a file opened"
_REFUSED = {  # why, and what to write
    RANDOM: (
        "they would be frozen into the program, the same in every call",
        "fresh(lambda: rng.normal(...)), which every call draws anew",
    ),
    TIME: (
        "it would be frozen into the program, the same in every call",
        "fresh(time.perf_counter), which every call reads anew",
    ),
    FILE: (
        "replays repeat operations on Values, and would neither read nor write it again",
        "fresh(function) for what every call reads anew, callback(function, v) for what it "
        "writes; or the data of the file, read outside",
    ),
}


class Randomness:
    """All generators of random numbers, with the states that they should be in by now."""

    def __init__(self) -> None:
        self._generators = _generators()
        self._expected = self._states()
        self._moved = self._is_allowed = False
        self.what = RANDOM
        self.is_certain = False  # whether this thread was seen to read, and not only states to move
        self.line = ""  # the user's line that drew, where it is known

    def _states(self) -> list[Any]:
        return [_state(generator) for generator in self._generators]

    def moved(self) -> bool:
        """Tell whether anything was drawn so far that was not `allowed`, by any thread."""
        if not self._moved and not self._is_allowed:
            self._moved = self._states() != self._expected
        return self._moved

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let anything be drawn inside the block."""
        self.moved()
        self._is_allowed = True
        try:
            yield
        finally:
            self._is_allowed = False
            self._expected = self._states()

    def noticed(self, frame: Any, what: str) -> None:
        """Note that this frame reads what each call would read anew, unless that is `allowed`."""
        if not self._is_allowed and not self._moved:
            self._moved = self.is_certain = True
            self.what, self.line = what, _line(frame)

    @contextmanager
    def following_lines(self) -> Iterator[None]:
        """Find the line that draws in the block. Slow: all states are read at every line."""
        latest = ""  # the user's line that runs
        before: Any = sys.gettrace()

        def look(frame: Any, event: str, argument: Any) -> Any:
            nonlocal latest
            if before is not None and event == "call":
                before(frame, event, argument)
                sys.settrace(look)  # coverage, once called, installs itself again
            if not _is_users(frame):
                return None
            if not self.moved():
                latest = _line(frame)
            elif not self.line:
                self.line = latest
            return look

        sys.settrace(look)
        try:
            yield
        finally:
            sys.settrace(before)
            if self.moved() and not self.line:
                self.line = latest

    def refusal(self, function: str, kind: str) -> TraceError:
        """Return the error of a compiled or batched function that reads them in every call."""
        why, instead = _REFUSED[self.what]
        if kind == "batched":
            why = "it runs once for all samples, which would share what it has read"
        return TraceError(
            f"{self.what} inside a {kind} function\n  at:    {self.line or function}", why, instead
        )


def is_library(module: Any) -> bool:
    """Tell whether a module is ours, NumPy's or Python's, by its name."""
    return isinstance(module, str) and module.partition(".")[0] in _LIBRARIES


def _is_users(frame: Any) -> bool:
    return not is_library(frame.f_globals.get("__name__"))


def _line(frame: Any) -> str:
    """Return file, line number and text of the innermost line that is the user's own."""
    while frame.f_back and not _is_users(frame):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    return f"{name}:{number}: {linecache.getline(name, number).strip()}".rstrip(": ")


def raised_at(error: BaseException) -> str:
    """Return the innermost line of the user's own that raised an error."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        if _is_users(trace.tb_frame):
            name, number = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            found = f"{name}:{number}: {linecache.getline(name, number).strip()}".rstrip(": ")
        trace = trace.tb_next
    return found


def _generators() -> list[Any]:
    # By identity of their types: there are many objects, and some answer strangely when asked
    kinds = {id(kind) for kind in (np.random.Generator, np.random.RandomState, random.Random)}
    objects = gc.get_objects()
    found = list(compress(objects, map(kinds.__contains__, map(id, map(type, objects)))))
    own: list[Any] = [vars(np.random)["random"].__self__, vars(random)["random"].__self__]
    torch = sys.modules.get("torch")
    if hasattr(torch, "default_generator"):
        own.append(torch.default_generator)  # type: ignore[union-attr]
    return [*found, *[x for x in own if all(x is not y for y in found)]]  # after gc.freeze()


def _state(generator: Any) -> Any:
    """Return the state in a form that can be compared."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return comparable(generator.get_state(legacy=False))
    if hasattr(generator, "bit_generator"):
        return comparable(generator.bit_generator.state)
    return comparable(generator.get_state().numpy())  # PyTorch's


# Functions in C that read what each call would read anew
_NOTICED: dict[Any, str] = {
    os.urandom: RANDOM,
    open: FILE,
    **dict.fromkeys([datetime.now, datetime.utcnow, date.today], TIME),
    **{
        vars(time)[name]: TIME
        for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time")
        for name in (name, f"{name}_ns")
    },
}
_TOOLS = {"autograd_core", "nn", "importlib", "linecache", "tokenize", "logging"}


def _is_noticed(function: Any, frame: Any) -> bool:
    """Tell whether what a frame reads by a function of `_NOTICED` concerns the user.

    Not so the clock that a progress bar or a logger reads, and the files of tools.
    """
    module, what = frame.f_globals.get("__name__"), _NOTICED[function]
    if what == TIME:
        return not is_library(module) and "site-packages" not in frame.f_code.co_filename
    return what == RANDOM or str(module).partition(".")[0] not in _TOOLS


class Ran:
    """The code that ran in a block, with the globals that it saw.

    Args: noticed: called with the frame in which something is read that each call would read
          anew, such as the time, and with what it is.
    """

    def __init__(self, noticed: Callable[[Any, str], None]) -> None:
        self.code: dict[CodeType, dict[str, Any]] = {}
        self.is_complete = False  # not where both a profiler and a tracing tool were at work
        self._names: dict[tuple[bool, int], set[str]] = {}  # by how much code there is
        self._noticed = noticed
        self._get: Callable[[], Any] = sys.getprofile
        self._set: Callable[[Any], None] = sys.setprofile
        self._before: Any = None  # a profiler of the user's, which sees all events, too

    @contextmanager
    def following(self) -> Iterator[None]:
        """Record which functions are called in the block, by the function itself alone.

        The garbage collector waits: its callbacks, which are other libraries', may run anywhere.
        """
        collects = gc.isenabled()
        gc.disable()
        try:
            with self._profiling():
                yield
        finally:
            if collects:
                gc.enable()

    @contextmanager
    def _profiling(self) -> Iterator[None]:
        self._before = sys.getprofile()
        if self._before is not None and not callable(self._before):  # one in C, such as cProfile
            self._get, self._set, self._before = sys.gettrace, sys.settrace, sys.gettrace()
            if self._before is not None:
                yield
                return
        self.is_complete = True
        self._set(self._look())
        try:
            yield
        finally:
            self._set(self._before)

    def _look(self) -> Callable[[Any, str, Any], None]:
        code, noticed, before = self.code, self._noticed, self._before
        draws = {Random.seed.__code__, SystemRandom.getrandbits.__code__}

        def look(frame: Any, event: str, argument: Any) -> None:
            if event == "call":
                code[frame.f_code] = frame.f_globals
                if frame.f_code in draws and frame.f_locals.get("a") is None:
                    noticed(frame, RANDOM)
            elif event == "c_call" and argument in _NOTICED and _is_noticed(argument, frame):
                noticed(frame, _NOTICED[argument])
            if before is not None:
                before(frame, event, argument)

        return look

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what runs in the block."""
        if not self.is_complete:
            yield
            return
        current = self._get()
        self._set(self._before)
        try:
            yield
        finally:
            self._set(current)

    def names(self, of_users: bool) -> set[str] | None:
        """Return all names and texts in the code; None: it is not known which code ran.

        Args: of_users: only in the users' code.
        """
        if not self.is_complete:
            return None
        known = self._names.get((of_users, len(self.code)))
        if known is None:
            code = self.code.items()
            found = [c for c, v in code if not (of_users and is_library(v.get("__name__")))]
            known = self._names[of_users, len(self.code)] = set().union(*map(names_in, found))
        return set(known)


# In code that makes texts
_FORMATTING = {code for name, code in dis.opmap.items() if name.startswith("FORMAT_")}


def names_in(code: CodeType, inner: bool = False) -> set[str]:
    """Return the names of globals and attributes, and the texts, in the code of a function."""
    names = set(code.co_names)
    if "getattr" in names and not _FORMATTING.isdisjoint(code.co_code[::2]):
        names.add("vars")  # as in getattr(x, f"rate_{i}"), whose names are not in the code
    for constant in code.co_consts:
        if isinstance(constant, str):
            names.add(constant)
        elif isinstance(constant, tuple | frozenset):
            names.update(part for part in constant if isinstance(part, str))
        elif inner and isinstance(constant, CodeType):
            names |= names_in(constant, inner)
    return names
