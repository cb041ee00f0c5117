"""Clipping: gradients held to a size, so that one steep place does not throw the parameters out."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import Value

_LEAST = 1e-18  # below it, squares of float32 lose digits


def norm(gradient: Any) -> Any:
    """Return the square root of the sum of squares, also where squares would overflow.

    Example: >>> norm(-2.0), norm(np.array([3.0, 4.0]))
             (2.0, 5.0)
    """
    if type(gradient) is float:
        return abs(gradient)
    if isinstance(gradient, Value):  # a program cannot look at the size first
        return _scaled_norm(gradient)
    with np.errstate(over="ignore", under="ignore"):
        size = float(np.linalg.norm(gradient))
        return size if _LEAST < size < math.inf else float(_scaled_norm(gradient))


def _scaled_norm(gradient: Any) -> Any:
    """Return the norm as the largest size times the norm of the quotients, none above 1."""
    if 0 in gradient.shape:
        return 0.0
    largest = np.max(np.abs(gradient))
    unit = np.where((largest > 0.0) & (largest < math.inf), largest, 1.0)
    return unit * np.linalg.norm(gradient / unit)


def global_norm(gradients: Iterable[Any]) -> Any:
    """Return the norm of all gradients together, as of one long vector.

    Example: >>> global_norm([2.0, np.array([3.0, 6.0])])
             7.0
    """
    norms = [norm(gradient) for gradient in gradients]
    if any(isinstance(size, Value) for size in norms):
        return _scaled_norm(np.stack(norms))
    return math.hypot(*norms)


def clip_by_value(gradient: Any, limit: float) -> Any:
    """Return the gradient with each number held between -limit and limit.

    Example: >>> clip_by_value(np.array([-3.0, 0.5]), 1.0)
             array([-1. ,  0.5])
    """
    if type(gradient) is float:
        return min(max(gradient, -limit), limit)
    return np.clip(gradient, -limit, limit)


def clip_by_norm(gradient: Any, limit: float) -> Any:
    """Return the gradient, made shorter where its norm exceeds the limit; its direction stays.

    Example: >>> clip_by_norm(np.array([3.0, 4.0]), 1.0)
             array([0.6, 0.8])
    """
    return gradient * _share(norm(gradient), limit)


def clip_by_global_norm(gradients: list[Any], limit: float) -> list[Any]:
    """Return the gradients, all made shorter by the same factor where their norm exceeds the limit.

    If any is not finite, all become NaN, as in Keras.

    Example: >>> clip_by_global_norm([3.0, 4.0], 1.0)
             [0.6, 0.8]
    """
    size = global_norm(gradients)
    factor = _share(size, limit) + 0.0 * size  # NaN where the size is not finite
    return [gradient * factor for gradient in gradients]


def _share(size: Any, limit: float) -> Any:
    """Return what a gradient of this size is multiplied by to be held to the limit."""
    if isinstance(size, Value):
        return np.where(size <= limit, 1.0, limit / size)
    return 1.0 if size <= limit else limit / size
