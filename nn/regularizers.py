"""Regularizers: what large weights add to the loss."""

from typing import Any

import numpy as np

from autograd_core.data import Function, Operand, Result

from .configuration import Choice, Configured, check_range, choose
from .spellings import by_keras_name


class L1(Configured):
    """l1 times the sum of absolute weights: drives weights that matter little to exactly 0.

    Args:    l1: factor, at least 0.
    Raises:  OptionError: a negative factor.
    Example: >>> L1(0.5)(np.array([1.0, -3.0])).item()
             2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        check_range("l1", l1, 0)
        self.l1 = l1

    def __call__(self, x: Operand) -> Result:
        """Return the penalty of x, a Value or array of any shape: one number."""
        return self.l1 * np.sum(np.abs(x))


class L2(Configured):
    """l2 times the sum of squared weights, without the 1/2 that some texts have: keeps them small.

    Args:    l2: factor, at least 0.
    Raises:  OptionError: a negative factor.
    Example: >>> L2(0.5)(np.array([1.0, -3.0])).item()
             5.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        check_range("l2", l2, 0)
        self.l2 = l2

    def __call__(self, x: Operand) -> Result:
        """Return the penalty of x, a Value or array of any shape: one number."""
        return self.l2 * np.sum(np.square(x))


class L1L2(Configured):
    """The sum of both penalties. As in Keras both factors are 0 unless they are given.

    Args:    l1, l2: factors of the sums of absolute and of squared weights, at least 0.
    Raises:  OptionError: a negative factor.
    Example: >>> L1L2(l1=0.5, l2=0.25)(np.array([1.0, -3.0])).item()
             4.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        check_range("l1", l1, 0)
        check_range("l2", l2, 0)
        self.l1 = l1
        self.l2 = l2

    def __call__(self, x: Operand) -> Result:
        """Return the penalty of x, a Value or array of any shape: one number."""
        return self.l1 * np.sum(np.abs(x)) + self.l2 * np.sum(np.square(x))


BY_NAME = {"l1": L1, "l2": L2, "l1_l2": L1L2}


def __getattr__(name: str) -> Any:
    """Return a regularizer by its name in Keras: l2."""
    return by_keras_name(__name__, name, BY_NAME)


def get(regularizer: Choice) -> Function | None:
    """Return a regularizer by name; objects, functions of the weights, and None as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("l2"), get(L1(0.1))
             (L2(), L1(l1=0.1))
    """
    return choose("regularizer", BY_NAME, regularizer)


__all__ = ["BY_NAME", "L1", "L1L2", "L2", "get"]
