"""What networks of two-valued units share: their energy, their states, and chance."""

from typing import Any

import numpy as np

from autograd_core import DomainError, ShapeError, Value

from ..randomness import generator


def pairwise_energy(state: Any, weight: Any, bias: Any) -> Any:
    """Return -1/2 s W s - b s: low where units that are joined by positive weights agree.

    Args:    state: s, (..., units).
             weight: W, (units, units), symmetric, with zero diagonal.
             bias: b, (units,).
    Returns: (...).
    Example: >>> pairwise_energy(np.array([[1.0, -1.0]]), np.array([[0.0, 2.0], [2.0, 0.0]]), 0.0)
             array([2.])
    """
    return -np.sum(((state @ weight) * 0.5 + bias) * state, axis=-1)


def as_states(
    given: Any,
    name: str,
    units: int,
    dtype: Any,
    low: float,
    between: bool = False,
    axes: tuple[int, ...] = (2,),
) -> Any:
    """Return what was given as floats, after a look at its shape and its numbers.

    Args:    given: array, (batch, units); of Values only the shape is looked at.
             name: what it is, for the message.
             low: the units' lower value; the upper one is 1.
             between: whether numbers between the two will do as well.
             axes: how many it may have: 1 is a single state, (units,).
    Raises:  ShapeError: another shape. DomainError: other numbers.
    """
    states = given if isinstance(given, Value) else np.asarray(given)
    if states.shape[-1:] != (units,) or len(states.shape) not in axes:
        shapes = [f"({units},)" if n == 1 else f"(batch, {units})" for n in axes]
        raise ShapeError(
            f"{name} of shape {states.shape}",
            f"there is one number for each of {units} units",
            f"shape {' or '.join(shapes)}; x.reshape(len(x), -1) for images",
        )
    if isinstance(states, Value):
        return states
    fits = (states >= low) & (states <= 1) if between else (states == low) | (states == 1)
    if not fits.all():
        raise DomainError(
            f"{name} with the number {states[~fits][0]}",
            f"each must be {f'from {low:g} to 1' if between else f'{low:g} or 1'}",
            "x / x.max() for shades of grey" if between else f"np.where(x > 0, 1, {low:g})",
        )
    return states.astype(dtype)


def bernoulli(probabilities: Any) -> Any:
    """Return 1 with these probabilities, else 0: an array of their shape and type."""
    chance = generator().random(probabilities.shape, probabilities.dtype)
    return (chance < probabilities).astype(probabilities.dtype)
