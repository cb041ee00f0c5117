"""The steps of arithmetic that optimizers share, for floats and arrays alike.

A scalar network has thousands of parameters that are Python floats: there NumPy would cost more
than the arithmetic. So formulas are written with operators, and with these where none exists.
What stands in a slot is not changed in place, so that a step that is interrupted leaves all slots
as they were.
"""

import math
from typing import Any

import numpy as np


def root(x: Any) -> Any:
    """Return the square root; that of a negative number is NaN.

    Example: >>> root(4.0), root(np.array([4.0]))
             (2.0, array([2.]))
    """
    if type(x) is float:
        return math.nan if x < 0.0 else math.sqrt(x)
    return np.sqrt(x)


def larger(x: Any, y: Any) -> Any:
    """Return the larger of two, NaN if either is.

    Example: >>> larger(1.0, 2.0), larger(math.nan, 2.0)
             (2.0, nan)
    """
    if type(x) is float:
        return x if x > y or x != x else y
    return np.maximum(x, y)


def sign(x: Any) -> Any:
    """Return 1, 0 or -1; NaN for NaN.

    Example: >>> sign(-0.5), sign(0.0), sign(np.array([3.0]))
             (-1.0, 0.0, array([1.]))
    """
    if type(x) is float:
        return x if x == 0.0 or x != x else math.copysign(1.0, x)
    return np.sign(x)


def average(slots: dict[str, Any], name: str, new: Any, keep: float) -> Any:
    """Move the running average in a slot towards a new value: a = keep * a + (1 - keep) * new.

    Returns: the average, which is the slot itself: not to be changed.
    Example: >>> slots = {"mean": 1.0}
             >>> average(slots, "mean", 2.0, keep=0.75), slots
             (1.25, {'mean': 1.25})
    """
    value = slots[name] * keep
    value += new * (1 - keep)
    slots[name] = value
    return value
