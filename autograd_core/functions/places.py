"""Indexing with positions that are data: Values, which every replay of a program makes anew."""

from typing import Any

from .. import watching
from ..graph import Node
from ..primitives import indexing


def holds_places(index: Any) -> bool:
    """Tell whether a Value is, or stands in, an index."""
    return any(isinstance(part, Node) for part in _parts(index))


def taken_at(x: Any, index: Any) -> Any:
    """Return the elements of x at positions that are Values.

    Raises: TraceError: a condition, which chooses a number of elements that depends on the data.
    """
    parts = _parts(index)
    places = [part for part in parts if isinstance(part, Node)]
    for place in places:
        if place.is_condition:
            watching.taking(place, "a condition as an index")
    template = tuple([None if isinstance(part, Node) else part for part in parts])
    slots = tuple([i for i, part in enumerate(parts) if isinstance(part, Node)])
    return indexing.getitem_at(x, *places, index=template, slots=slots)


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)
