"""Watchers: what sees every recorded node and every backward sweep; `no_grad`."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ContextDecorator, nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar, TypeAlias, TypeVar, overload
from weakref import WeakSet

from .data import Function, Operand, Result

Node: TypeAlias = Any  # that of graph.py, which imports this module
F = TypeVar("F", bound=Callable[..., Any])
L = TypeVar("L")

# The `origin` of nodes that look like leaves, and are not: results of `no_grad`, and arguments of
# a function that is being differentiated
FORGOTTEN = "computed inside no_grad"
ARGUMENT = "an argument of a function that is being differentiated"


class Watcher:
    """Sees every node that is recorded, and every backward sweep, while `watch` is open."""

    copies_constants = False  # whether `recorded` gives nodes copies of their constant arrays

    def recorded(self, node: Node) -> None:
        """A primitive has just made `node`."""

    def sweeping(self, order: list[Node]) -> None:
        """A backward sweep over `order` is about to begin."""

    def swept(self, order: list[Node], cotangents: dict[Node, Result]) -> None:
        """A backward sweep over `order` gave these cotangents; none, if it failed."""

    def taking(self, node: Node, how: str) -> None:
        """The data of `node` are about to be taken out of the graph, by what the user wrote."""

    def made_of_data(self, node: Node) -> None:
        """The user has made `node` of plain data."""

    def assigning(self, node: Node, data: Operand) -> None:
        """The data of `node` are about to become `data`, a node or plain."""


class _Opening:
    """One opening of a `watch` block."""

    __slots__ = ("watcher",)

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher


# The blocks of this thread or task, outermost first; the watchers that see anything in them; and
# the innermost `no_grad` if, while it is open, new nodes are seen by none and keep no history.
# Tasks begin with the blocks of their maker.
_Blocks = tuple[tuple[_Opening, ...], tuple[Watcher, ...], _Opening | None]
blocks: ContextVar[_Blocks] = ContextVar("blocks", default=((), (), None))
# Those of all threads that are open: while there are none, recording does nothing more. A block
# that is not among them has ended, also for tasks that began inside it.
open_watches: set[_Opening] = set()
# The traces whose function is being differentiated now, in any thread
running: set[Any] = set()
# The age, as of nodes, at which any Value was last given other data
latest_assignment = 0


class watch(ContextDecorator):  # noqa: N801  # a block, as in `with watch(watcher):`
    """Let `watcher` see all that this thread or task records and sweeps inside the block.

    The block opens and closes by one operation on a set, which no interrupt divides. One that
    arrives before `__exit__` has begun leaves the closing to `__del__`.
    """

    _own: Any = ()  # of the blocks that this object has opened, one in another

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._own = []

    def _recreate_cm(self) -> "watch":
        return watch(self._watcher)  # a decorated function opens a block in every call

    def __enter__(self) -> None:
        opening = _Opening(self._watcher)
        self._own.append(opening)
        _enter((*_still_open(), opening))
        open_watches.add(opening)

    def __exit__(self, *_: object) -> None:
        open_watches.discard(self._own[-1])
        self._own.pop()
        _enter(_still_open())  # blocks held open by generators may end in any order

    def __del__(self, close: Callable[..., None] = open_watches.difference_update) -> None:
        close(self._own)


def _enter(openings: tuple[_Opening, ...]) -> None:
    found = _seeing(openings)
    forgets = found[-1:] == (_forgetting,) and {*found} <= {_forgetting, _remembering}
    blocks.set((openings, found, openings[-1] if forgets else None))


def _still_open() -> tuple[_Opening, ...]:
    return tuple([o for o in blocks.get()[0] if o in open_watches])


def watchers() -> tuple[Watcher, ...]:
    """Return the watchers of this thread or task, outermost first."""
    if not open_watches:  # as nearly always
        return ()
    openings, found, _ = blocks.get()
    if not openings or open_watches.issuperset(openings):  # as in nearly every operation
        return found
    return _seeing(_still_open())


def _seeing(openings: tuple[_Opening, ...]) -> tuple[Watcher, ...]:
    """Return the watchers of these blocks that see what is computed inside the innermost."""
    found = [o.watcher for o in openings]
    while _HIDING in found:
        del found[: found.index(_HIDING) + 1]
    return tuple(found)


def recorded(node: Node) -> None:
    """Show a new node to the watchers; inside `no_grad`, then delete its history."""
    is_kept = True
    for watcher in watchers():
        if watcher is _forgetting or watcher is _remembering:
            is_kept = watcher is _remembering
        else:
            watcher.recorded(node)
    if not is_kept:
        node.primitive = node.x = node.y = node.params = None
        node.origin = FORGOTTEN
        node.stepped = node.assigned = 0


def taking(node: Node, how: str) -> None:
    """Tell the watchers that data leave the graph; they may refuse."""
    for watcher in watchers():
        watcher.taking(node, how)


def made_of_data(node: Node) -> None:
    """Show a node that the user has made of plain data to the watchers."""
    for watcher in watchers():
        watcher.made_of_data(node)


def assigned(age: int) -> None:
    """Note that a Value was given other data, for sweeps over what was computed before."""
    global latest_assignment
    latest_assignment = age


def assigning(node: Node, data: Operand) -> None:
    """Tell the watchers that a node gets new data."""
    for watcher in watchers():
        watcher.assigning(node, data)


class Tracer(Watcher):
    """A watcher that records for replay: while it is open, nothing may leave the graph unseen."""

    # What it does instead of functions that read data
    functions: ClassVar[dict[Callable[..., Any], Function]] = {}

    def refuse(self, given: str, why: str, instead: str) -> None:
        """Raise TraceError."""

    def fixes(self, node: Node) -> bool | None:
        """Tell whether the data of a node are the same in every replay, after this."""

    def differentiating(self, values: list[Node]) -> None:
        """The user has called `gradients` with respect to these Values."""

    def derived(self, cotangents: list[Result]) -> None:
        """A recorded sweep has found these: NaN among them may be 0, see structural_zeros.py."""


class Lasting(Watcher):
    """A watcher while which results of sweeps are recorded: they are to be differentiated."""


def are_sweeps_recorded() -> bool:
    """Tell whether sweeps give nodes even without `create_graph`."""
    return bool(open_watches) and any(isinstance(w, Tracer | Lasting) for w in watchers())


def tracer() -> Any:  # with what the one kind of Tracer there is, in program/, has beside
    """Return the innermost open Tracer, or None."""
    if not open_watches:
        return None
    return next((w for w in reversed(watchers()) if isinstance(w, Tracer)), None)


# Neither does anything: the innermost of the two decides whether nodes keep their history
_forgetting, _remembering = Watcher(), Watcher()
_HIDING = Watcher()  # from it on, watchers outside see nothing, either


@overload
def no_grad() -> watch: ...
@overload
def no_grad(function: F) -> F: ...
def no_grad(function: F | None = None) -> watch | F:
    """Compute without recording: results are Values that were computed from nothing.

    Use it as a context manager, or as the decorator of a function, `@no_grad` or `@no_grad()`. It
    holds for this thread or task only; `grad` and its relatives still differentiate their own
    function inside it. The results are constants in later computations; their own `backward()` is
    refused.

    Example: >>> from autograd_core import Value
             >>> a = Value(2.0)
             >>> with no_grad():
             ...     b = a * 3
             >>> b.inputs
             ()
    """
    return watch(_forgetting) if function is None else watch(_forgetting)(function)


def is_recording() -> bool:
    """Return False inside `no_grad`."""
    for watcher in reversed(watchers()):
        if watcher is _forgetting or watcher is _remembering:
            return watcher is _remembering
    return True


def is_keeping_constants() -> bool:
    """Tell whether nodes keep their constant arrays, and no watcher copies them."""
    return is_live() and not any([watcher.copies_constants for watcher in watchers()])


_AS_IT_IS = nullcontext()


def recording(wanted: bool = True) -> AbstractContextManager[None]:
    """Return a context manager that undoes `no_grad`, for functions that differentiate inside.

    wanted: False to leave everything as it is.
    """
    return watch(_remembering) if wanted and not is_recording() else _AS_IT_IS


def unwatched() -> AbstractContextManager[None]:
    """Return a context manager that hides what is computed inside from all watchers outside."""
    return watch(_HIDING)


def is_watched() -> bool:
    """Tell whether any watcher sees what is recorded, beside `no_grad`."""
    return any(w is not _forgetting and w is not _remembering for w in watchers())


def is_live() -> bool:
    """Tell whether derivatives are recorded: outside `no_grad`, and in all of a compiled function.

    In a compiled function even results of `no_grad` are computed anew in every replay.
    """
    return is_recording() or tracer() is not None


_locks: WeakSet[Any] = WeakSet()  # _at_fork_reinit is in no stub


def free_after_fork(lock: L) -> L:
    """Return a lock, from now on free in forked processes unless their own thread holds it."""
    _locks.add(lock)
    return lock


def _free() -> None:
    for lock in list(_locks):
        is_own = getattr(lock, "_is_owned", bool)()
        if not is_own:
            lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):  # where processes fork at all
    os.register_at_fork(after_in_child=_free)
