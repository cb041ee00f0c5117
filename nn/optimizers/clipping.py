"""Clipping: gradients held to a size, so that one steep place does not throw the parameters out."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def norm(gradient: Any) -> float:
    """Return the square root of the sum of squares.

    Example: >>> norm(-2.0), norm(np.array([3.0, 4.0]))
             (2.0, 5.0)
    """
    return abs(gradient) if type(gradient) is float else float(np.linalg.norm(gradient))


def global_norm(gradients: Iterable[Any]) -> float:
    """Return the norm of all gradients together, as of one long vector.

    Example: >>> global_norm([2.0, np.array([3.0, 6.0])])
             7.0
    """
    return math.hypot(*[norm(gradient) for gradient in gradients])


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
    size = norm(gradient)
    return gradient if size <= limit else gradient * (limit / size)


def clip_by_global_norm(gradients: list[Any], limit: float) -> list[Any]:
    """Return the gradients, all made shorter by the same factor where their norm exceeds the limit.

    If any is not finite, all become NaN, as in Keras.

    Example: >>> clip_by_global_norm([3.0, 4.0], 1.0)
             [0.6, 0.8]
    """
    size = global_norm(gradients)
    if size <= limit:
        return gradients
    factor = limit / size if math.isfinite(size) else math.nan
    return [gradient * factor for gradient in gradients]
