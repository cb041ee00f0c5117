"""Watching the engine at work: every node it records and every backward sweep.

`no_grad` is the simplest watcher: it lets nodes forget how they were computed.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any


class Watcher:
    """Sees every node that is recorded, and every backward sweep, while `watch` is open."""

    def recorded(self, node: Any) -> None:
        """A primitive has just made `node`."""

    def sweeping(self, order: list[Any]) -> None:
        """A backward sweep over `order` is about to begin."""

    def swept(self, order: list[Any], cotangents: dict[Any, Any]) -> None:
        """A backward sweep over `order` gave these cotangents."""


_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())
# How many `watch` blocks are open in all threads: while none is, recording asks no further.
open_watches = 0
_lock = threading.Lock()


def watchers() -> tuple[Watcher, ...]:
    """Return the watchers of this thread or task, outermost first."""
    return _watchers.get() if open_watches else ()


@contextmanager
def _watched_by(everyone: tuple[Watcher, ...]) -> Iterator[None]:
    global open_watches
    token = _watchers.set(everyone)
    with _lock:
        open_watches += 1
    try:
        yield
    finally:
        with _lock:
            open_watches -= 1
        _watchers.reset(token)


def watch(watcher: Watcher) -> Any:
    """Return a context manager in which `watcher` sees all that this thread or task records."""
    return _watched_by((*_watchers.get(), watcher))


class _Forget(Watcher):
    def recorded(self, node: Any) -> None:
        node.primitive = node.x = node.y = node.params = None


_forget = _Forget()


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are Values that were computed from nothing.

    Use it as a context manager or as a decorator. It holds for this thread or task only;
    `grad` and its relatives still differentiate their own function inside it.

    Example: >>> from autograd_core import Value
             >>> a = Value(2.0)
             >>> with no_grad():
             ...     b = a * 3
             >>> b.inputs
             ()
    """
    with watch(_forget):
        yield


def is_recording() -> bool:
    """Return False inside `no_grad`."""
    return _forget not in watchers()


def recording() -> Any:
    """Return a context manager that undoes `no_grad`, for functions that differentiate inside."""
    if is_recording():
        return nullcontext()
    return _watched_by(tuple(w for w in _watchers.get() if w is not _forget))
