"""Scopes: names for the nodes that are made inside a block, so that pictures can group them.

Nothing is written on nodes: they are numbered by age, so that a scope is a range of numbers, and
costs next to nothing where it is not read.
"""

from itertools import count
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from .data import shorten
from .errors import OptionError
from .graph import next_index


class Scope(NamedTuple):
    """The nodes whose number lies between `start` and `stop` belong together."""

    start: int
    stop: int
    name: str
    owner: int  # tells two things of one name apart: the id of a module, or 0
    thing: Any  # that module, if it still exists


# A training step of a scalar network calls a few thousand neurons; older scopes are overwritten.
# Four plain numbers for each, start, stop, name and owner: objects that outlive the step would lie
# scattered among the memory of its nodes, and make the next step a third slower
_KEPT = 20_000
_log = memoryview(bytearray(8 * 4 * _KEPT)).cast("q")  # zeros; pages are allocated on use
_closed = count().__next__
_numbers: dict[str, int] = {}  # of names
_owners: dict[int, "ref[Any]"] = {}


class scope:  # noqa: N801 - a block, as in `with scope("name"):`
    """Let pictures draw all that is computed inside this block as one group.

    Scopes nest, and every call of an nn.Module is one.

    Args:    name: of the group.
             owner: what the scope belongs to, such as a module; it tells groups of one name apart.
    Example: >>> from autograd_core import Value
             >>> a = Value(2.0)
             >>> with scope("square"):
             ...     b = a * a
             >>> [s.name for s in scopes(a.index)]
             ['square']
    """

    __slots__ = ("name", "number", "start")

    def __init__(self, name: str, owner: object = None) -> None:
        if not isinstance(name, str):
            raise OptionError(
                f"scope of {shorten(repr(name))}", "its name is text", 'scope("name")'
            )
        self.name = name
        self.number = number = 0 if owner is None else id(owner)
        if number and number not in _owners:
            try:
                _owners[number] = ref(owner, lambda _: _owners.pop(number, None))
            except TypeError as error:  # a number, text or a list
                raise OptionError(
                    f"scope with owner={shorten(repr(owner))}",
                    "it belongs to an object that can go away, which this cannot tell of",
                    "owner=self, in a module or another object",
                ) from error

    def __enter__(self) -> None:
        self.start = next_index()

    def __exit__(self, *error: object) -> None:
        name = _numbers.setdefault(self.name, len(_numbers))
        at = 4 * (_closed() % _KEPT)
        _log[at] = self.start
        _log[at + 1] = next_index()
        _log[at + 2] = name
        _log[at + 3] = self.number


def scopes(oldest: int) -> list[Scope]:
    """Return the scopes that ended after node number `oldest`, outer ones before inner."""
    names, log = list(_numbers), np.frombuffer(_log, np.int64).reshape(-1, 4)
    found = [
        Scope(start, stop, names[name], owner, _owners.get(owner, _nothing)())
        for start, stop, name, owner in log[log[:, 1] > oldest].tolist()
    ]
    return sorted(found, key=lambda s: (s.start, -s.stop))


def _nothing() -> None:
    """Stand for a reference to something that no longer exists."""
