"""Locks that are free in a forked process, whichever thread of its parent held them."""

import os
from typing import Any
from weakref import WeakSet

_locks: WeakSet[Any] = WeakSet()


def free_after_fork(lock: Any) -> Any:
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
