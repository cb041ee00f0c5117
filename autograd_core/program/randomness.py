"""Random numbers that a recording would freeze: what draws them beside `fresh` is noticed.

The states of all generators are compared before and after a recording. Generators without a seed
that are made inside ask the system for entropy, and are caught at that; those made with a seed
give the same numbers in every call anyway.
"""

import gc
import linecache
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import compress
from typing import Any

import numpy as np

from .. import watching
from ..errors import TraceError

# The user's line is the innermost one that belongs to none of these
_NOT_THE_USERS = {"autograd_core", "nn", "numpy", "contextlib", "random", "secrets"}
_lock = threading.Lock()
_guards: list[None] = []  # one for each recording under way, in all threads


class Randomness:
    """All generators of random numbers, with the states that they should be in by now."""

    def __init__(self) -> None:
        self._generators = _generators()
        self._first = self._expected = self._states()
        self._moved = self._is_allowed = False

    def _states(self) -> list[Any]:
        return [_state(generator) for generator in self._generators]

    def moved(self) -> bool:
        """Tell whether anything was drawn so far that was not `allowed`."""
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

    def restore(self) -> None:
        """Give all generators the states back that they had at first."""
        for generator, state in zip(self._generators, self._first, strict=True):
            _set_state(generator, state)
        self._expected, self._moved = self._first, False

    def check(self, run: Callable[[], Any]) -> None:
        """Refuse what the function has drawn; where, a second run tells, line by line.

        Other threads may have been the ones that drew: then several runs must agree.

        Raises: TraceError: random numbers were drawn that are not fresh.
        """
        if not self.moved():
            return
        lines = set()
        for _ in range(1 if threading.active_count() == 1 else 3):
            self.restore()
            lines.add(self._line_of_draw(run))
        line = lines.pop()
        if line is not None and not lines:
            self.restore()
            raise _refusal(line)

    def _line_of_draw(self, run: Callable[[], Any]) -> str | None:
        latest: list[str] = []  # the user's line that runs

        def look(frame: Any, _event: str, _argument: Any) -> Any:
            if not _is_users(frame):
                return None
            if not self.moved():
                latest[:] = [_line(frame)]
            return look

        before = sys.gettrace()
        sys.settrace(look)
        try:
            with suppress(Exception):  # what goes wrong behind the draw does not matter any more
                run()
        finally:
            sys.settrace(before)
        return latest[0] if latest and self.moved() else None


@contextmanager
def guarded() -> Iterator[None]:
    """Refuse that generators without a seed are made, in a recording of this thread or task.

    Raises: TraceError: the system was asked for entropy, and not inside `fresh`.
    """
    with _lock:
        _guards.append(None)
        vars(random)["_urandom"] = _guarded_urandom
    try:
        yield
    finally:
        with _lock:
            _guards.pop()
            if not _guards:
                vars(random)["_urandom"] = os.urandom


def _guarded_urandom(size: int) -> bytes:
    if watching.tracer() is not None:
        raise _refusal(_line(sys._getframe(1)))
    return os.urandom(size)


def _refusal(line: str) -> TraceError:
    return TraceError(
        f"random numbers drawn inside a compiled function\n  at:    {line}",
        "they would be frozen into the program, the same in every call",
        "fresh(lambda: rng.normal(...)), which every call draws anew",
    )


def _is_users(frame: Any) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] not in _NOT_THE_USERS


def _line(frame: Any) -> str:
    """Return file, line number and text of the innermost line that is the user's own."""
    while frame.f_back and not _is_users(frame):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    return f"{name}:{number}: {linecache.getline(name, number).strip()}".rstrip(": ")


def _generators() -> list[Any]:
    # By identity of their types: there are many objects, and some answer strangely when asked
    kinds = {id(kind) for kind in (np.random.Generator, np.random.RandomState, random.Random)}
    objects = gc.get_objects()
    found = list(compress(objects, map(kinds.__contains__, map(id, map(type, objects)))))
    own: list[Any] = [vars(np.random)["random"].__self__, vars(random)["random"].__self__]
    return [*found, *[x for x in own if all(x is not y for y in found)]]  # after gc.freeze()


def _state(generator: Any) -> Any:
    """Return the state in a form that can be compared."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return _comparable(generator.get_state(legacy=False))
    return _comparable(generator.bit_generator.state)


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(_settable(state))
    else:
        generator.bit_generator.state = _settable(state)


def _comparable(state: Any) -> Any:
    if isinstance(state, dict):
        return {name: _comparable(part) for name, part in state.items()}
    return (state.dtype.str, state.tobytes()) if isinstance(state, np.ndarray) else state


def _settable(state: Any) -> Any:
    if isinstance(state, dict):
        return {name: _settable(part) for name, part in state.items()}
    return np.frombuffer(state[1], state[0]) if isinstance(state, tuple) else state
