"""Nested lists, tuples and dicts of numbers and arrays, taken apart and put together again."""

from collections.abc import Callable
from typing import Any


def flatten(structure: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Return the leaves of a nested structure, and a function that builds it from other leaves.

    Args:    structure: lists, tuples (named ones too), dicts and None, nested; everything else
             is a leaf.
    Returns: the leaves in order, and `rebuild(leaves)`.
    Example: >>> leaves, rebuild = flatten({"w": [1.0, 2.0], "b": 3.0})
             >>> leaves, rebuild([10.0, 20.0, 30.0])
             ([1.0, 2.0, 3.0], {'w': [10.0, 20.0], 'b': 30.0})
    """
    leaves: list[Any] = []
    _collect(structure, leaves)

    def rebuild(replacements: list[Any]) -> Any:
        return _rebuild(structure, iter(replacements))

    return leaves, rebuild


def _collect(structure: Any, leaves: list[Any]) -> None:
    if isinstance(structure, (list, tuple, dict)):
        for part in structure.values() if isinstance(structure, dict) else structure:
            _collect(part, leaves)
    elif structure is not None:
        leaves.append(structure)


def _rebuild(structure: Any, leaves: Any) -> Any:
    if isinstance(structure, (list, tuple, dict)):
        if isinstance(structure, dict):
            return {name: _rebuild(part, leaves) for name, part in structure.items()}
        parts = [_rebuild(part, leaves) for part in structure]
        if isinstance(structure, list):
            return parts
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    return None if structure is None else next(leaves)


def paired_leaves(structure: Any, other: Any) -> list[tuple[Any, Any]] | None:
    """Return the leaves of two structures of one kind, side by side; None if they differ.

    Parts of lists and tuples go together by position, those of dicts by key.

    Args:    structure: as in `flatten`, whose order the leaves have.
             other: the same lists, tuples and dicts, with anything in place of the leaves.
    Example: >>> paired_leaves({"w": 1.0, "b": 2.0}, {"b": 20.0, "w": 10.0})
             [(1.0, 10.0), (2.0, 20.0)]
    """
    pairs: list[tuple[Any, Any]] = []
    return pairs if _pair(structure, other, pairs) else None


def _pair(structure: Any, other: Any, pairs: list[tuple[Any, Any]]) -> bool:
    """Collect the pairs; return whether the structures are of one kind."""
    if isinstance(structure, dict):
        if not isinstance(other, dict) or structure.keys() != other.keys():
            return False
        return all(_pair(part, other[name], pairs) for name, part in structure.items())
    if isinstance(structure, (list, tuple)):
        if not isinstance(other, (list, tuple)) or len(structure) != len(other):
            return False
        return all(_pair(part, other[i], pairs) for i, part in enumerate(structure))
    if structure is None:
        return other is None
    pairs.append((structure, other))
    return True
