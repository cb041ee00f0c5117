"""Watching the engine at work: every node it records and every backward sweep."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar


class Watcher:
    """Sees every node that is recorded, and every backward sweep, while `watch` is open."""

    def recorded(self, node: Any) -> None:
        """A primitive has just made `node`."""

    def sweeping(self, order: list[Any]) -> None:
        """A backward sweep over `order` is about to begin."""

    def swept(self, order: list[Any], cotangents: dict[Any, Any]) -> None:
        """A backward sweep over `order` gave these cotangents; none, if it failed."""

    def taking(self, node: Any, how: str) -> None:
        """The data of `node` are about to be taken out of the graph, by what the user wrote."""

    def made_of_data(self, node: Any) -> None:
        """The user has made `node` of plain data."""

    def assigning(self, node: Any, data: Any) -> None:
        """The data of `node` are about to become `data`, a node or plain."""


_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())
# How many `watch` blocks are open in all threads: while none is, recording asks no further.
open_watches = 0
# The age, as of nodes, at which any Value was last given other data
latest_assignment = 0
_lock = threading.Lock()


def watchers() -> tuple[Watcher, ...]:
    """Return the watchers of this thread or task, outermost first."""
    return _watchers.get() if open_watches else ()


@contextmanager
def watch(watcher: Watcher) -> Iterator[None]:
    """Let `watcher` see all that this thread or task records and sweeps."""
    global open_watches
    _watchers.set((*_watchers.get(), watcher))
    with _lock:
        open_watches += 1
    try:
        yield
    finally:
        with _lock:
            open_watches -= 1
        # By value, since blocks held open by generators may end in any order
        inner_first = list(reversed(_watchers.get()))
        if watcher in inner_first:
            inner_first.remove(watcher)
        _watchers.set(tuple(reversed(inner_first)))


def recorded(node: Any) -> None:
    """Show a new node to the watchers; inside `no_grad`, let it then forget how it was made."""
    for watcher in _watchers.get():
        watcher.recorded(node)
    if not is_recording():
        node.primitive = node.x = node.y = node.params = node.origin = None


def taking(node: Any, how: str) -> None:
    """Tell the watchers that data leave the graph; they may refuse."""
    for watcher in _watchers.get():
        watcher.taking(node, how)


def made_of_data(node: Any) -> None:
    """Show a node that the user has made of plain data to the watchers."""
    for watcher in _watchers.get():
        watcher.made_of_data(node)


def assigned(age: int) -> None:
    """Note that a Value was given other data, for sweeps over what was computed before."""
    global latest_assignment
    latest_assignment = age


def assigning(node: Any, data: Any) -> None:
    """Tell the watchers that a node gets new data."""
    for watcher in _watchers.get():
        watcher.assigning(node, data)


class Tracer(Watcher):
    """A watcher that records for replay: while it is open, nothing may leave the graph unseen."""

    functions: ClassVar[dict[Any, Any]] = {}  # what it does instead of functions that look at data

    def refuse(self, given: str, why: str, instead: str) -> None:
        """Raise TraceError."""


def tracer() -> Any:
    """Return the innermost open Tracer, or None."""
    return next((w for w in reversed(watchers()) if isinstance(w, Tracer)), None)


# They see nothing: the innermost of the two tells whether nodes keep their history
_forgetting, _remembering = Watcher(), Watcher()


def no_grad() -> Any:
    """Compute without recording: results are Values that were computed from nothing.

    Use it as a context manager, or as the decorator of a function. It holds for this thread or
    task only; `grad` and its relatives still differentiate their own function inside it.

    Example: >>> from autograd_core import Value
             >>> a = Value(2.0)
             >>> with no_grad():
             ...     b = a * 3
             >>> b.inputs
             ()
    """
    return watch(_forgetting)


def is_recording() -> bool:
    """Return False inside `no_grad`."""
    for watcher in reversed(watchers()):
        if watcher is _forgetting or watcher is _remembering:
            return watcher is _remembering
    return True


def recording() -> AbstractContextManager[None]:
    """Return a context manager that undoes `no_grad`, for functions that differentiate inside."""
    return nullcontext() if is_recording() else watch(_remembering)


@contextmanager
def unwatched() -> Iterator[None]:
    """Compute unseen by all watchers, those that refuse among them."""
    token = _watchers.set(())
    try:
        yield
    finally:
        _watchers.reset(token)


def is_watched() -> bool:
    """Tell whether anybody looks at what is recorded, beside `no_grad`."""
    return any(w is not _forgetting and w is not _remembering for w in watchers())


def is_live() -> bool:
    """Tell whether derivatives are recorded: outside `no_grad`, and in all of a compiled function.

    There even what `no_grad` makes forget its history must be computed anew in every replay.
    """
    return is_recording() or tracer() is not None
