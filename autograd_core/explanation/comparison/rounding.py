"""Rounding: how far a gradient worked out by hand may lie from the exact one and still be it."""

import numpy as np

from ...data import Data, shape_of

RELATIVE = 1e-5  # of the contributions: generous to finite differences, strict with mistakes
SINGLE = 1e-4  # the same where float32 takes part
FINITE_DIFFERENCES = 1e-9  # of the output: what is left of it in a difference over a small step
WRITTEN = 5e-3  # the most that rounding to few decimal places may take from a gradient
PRINTED = 3  # decimal places that all gradients have where they were printed with as many


def distance(
    given: Data, exact: Data, magnitude: Data, output: float, rtol: float, unit: float = 0.0
) -> float:
    """Return how far two gradients are apart, in units of what rounding may do.

    Args:    given: a gradient worked out by hand.
             exact: what it is compared with.
             magnitude: the sum of the contributions' sizes: what may have been rounded.
             output: what is differentiated.
             rtol: share of the magnitude that may be lost.
             unit: what else may be.
    Returns: at most 1 where the two are the same but for rounding; inf where one is not finite or
             their shapes differ.
    Example: >>> distance(2.0, 2.00001, 2.0, 1.0, 1e-5) < 1 < distance(2.0, 2.0001, 2.0, 1.0, 1e-5)
             True
    """
    if shape_of(given) != shape_of(exact):
        return np.inf
    h, e = np.asarray(given, np.float64), np.asarray(exact, np.float64)
    if not h.size:
        return 0.0
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(magnitude), np.maximum(np.abs(h), np.abs(e)))
        tolerance = rtol * scale + FINITE_DIFFERENCES * abs(output) + unit
        if rtol >= SINGLE:  # sums of float32 lose digits where their terms cancel
            tolerance = tolerance + 0.1 * rtol * scale.max()
        tolerance = tolerance + 1e-13 * scale.max() + np.finfo(np.float64).tiny
        apart = np.where(h == e, 0.0, np.abs(h - e) / tolerance)
    return float(apart.max()) if not np.isnan(apart).any() else np.inf


def half_units(gradients: list[Data]) -> list[float]:
    """Return how much of each gradient was lost where it was written down to some decimal place.

    That is half a unit of the last place: of the place that all have in common if they were
    printed alike, otherwise of each one's own.

    Example: >>> half_units([138.8338, 0.002]), half_units([1 / 3, 2.0, 0.125])
             ([5e-05, 5e-05], [0.0, 0.0, 0.0005])
    """
    places = [_places(gradient) for gradient in gradients]
    most = max([p for p in places if p is not None], default=0)
    if None not in places and most >= PRINTED:
        return [0.5 * 10.0**-most] * len(places)
    return [
        min(0.5 * 10.0**-p, WRITTEN * float(np.max(np.abs(gradient)))) if p else 0.0
        for p, gradient in zip(places, gradients, strict=True)
    ]


def _places(gradient: Data) -> int | None:
    """Return how many decimal places numbers have; None where there are more than 6."""
    rounded = (p for p in range(7) if np.array_equal(np.round(gradient, p), gradient))
    return next(rounded, None)
