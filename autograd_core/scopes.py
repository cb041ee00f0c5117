"""Scopes: names for the nodes that are made inside a block, so that pictures can group them.

Nothing is written on nodes: they are numbered by age, so that a scope is a range of numbers, and
costs next to nothing where nobody looks.
"""

from collections import deque
from typing import Any, NamedTuple

from .graph import next_index


class Scope(NamedTuple):
    """The nodes whose number lies between `start` and `stop` belong together."""

    start: int
    stop: int
    name: str
    owner: int  # tells two things of one name apart: the id of a module, or 0


# A training step of a scalar network calls a few thousand neurons; older scopes are forgotten
_closed: deque[Scope] = deque(maxlen=20_000)


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

    __slots__ = ("name", "owner", "start")

    def __init__(self, name: str, owner: Any = None) -> None:
        self.name = name
        self.owner = 0 if owner is None else id(owner)

    def __enter__(self) -> None:
        self.start = next_index()

    def __exit__(self, *error: object) -> None:
        _closed.append(Scope(self.start, next_index(), self.name, self.owner))


def scopes(oldest: int) -> list[Scope]:
    """Return the scopes that began at node number `oldest` or later, outer ones before inner."""
    return sorted((s for s in list(_closed) if s.start >= oldest), key=lambda s: (s.start, -s.stop))
