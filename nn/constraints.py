"""Constraints: what weights are held to after each step of an optimizer."""

from typing import Any

import numpy as np

from autograd_core.data import Function, Operand, Result

from .configuration import Choice, Configured, check_range, choose
from .spellings import by_keras_name

_TINY = 1e-7  # Keras's epsilon, added to norms before division


def _norms(weights: Operand) -> Result:
    """Return the norm of each neuron's incoming weights, with axes to broadcast over them.

    Outputs come first, so it is taken over all other axes: for a Dense layer as Keras takes it
    over axis 0 of its kernel, for a convolution as over its axes [0, 1, 2]. Of an array of one
    axis it is the norm of the whole, of a number the absolute value.
    """
    axes = tuple(range(1, weights.ndim)) or None
    return np.sqrt(np.sum(np.square(weights), axis=axes, keepdims=True))


class Constraint(Configured):
    """Replaces weights by the nearest allowed ones. A subclass implements `hold`.

    Example: >>> class Coarse(Constraint):
             ...     def hold(self, weights):
             ...         return np.round(weights, 1)
             >>> Coarse()(np.array([0.123, -0.987])), Coarse()(0.123)
             (array([ 0.1, -1. ]), 0.1)
    """

    def hold(self, weights: Operand) -> Result:
        """Return the allowed weights for an array of weights."""
        raise NotImplementedError(f"{type(self).__name__} has no hold(self, weights)")

    def __call__(self, weights: Operand) -> Result:
        """Return the weights that are allowed.

        Args:    weights: plain data, outputs first: (units, features); or a number.
        Returns: a new array of the same shape and type; a float for a number.
        """
        array = np.asarray(weights)
        held = self.hold(array)
        return held.astype(array.dtype, copy=False) if array.ndim else float(held)


class MaxNorm(Constraint):
    """Shortens each neuron's incoming weights to a norm of at most max_value.

    Args:    max_value: the largest norm, at least 0.
    Raises:  OptionError: a negative max_value.
    Example: >>> MaxNorm(1.0)(np.array([[3.0, 4.0], [0.3, 0.4]]))
             array([[0.6, 0.8],
                    [0.3, 0.4]])
    """

    def __init__(self, max_value: float = 2) -> None:
        check_range("max_value", max_value, 0)
        self.max_value = max_value

    def hold(self, weights: Operand) -> Result:
        """Return the weights, where necessary shortened."""
        norms = _norms(weights)
        return weights * (np.minimum(norms, self.max_value) / (_TINY + norms))


class NonNeg(Constraint):
    """Replaces negative weights by 0.

    Example: >>> NonNeg()(np.array([-1.0, 2.0]))
             array([0., 2.])
    """

    def hold(self, weights: Operand) -> Result:
        """Return the weights, with 0 for negative ones."""
        return np.maximum(weights, 0)


class UnitNorm(Constraint):
    """Brings each neuron's incoming weights to norm 1.

    Example: >>> UnitNorm()(np.array([[3.0, 4.0], [0.3, 0.4]]))
             array([[0.6, 0.8],
                    [0.6, 0.8]])
    """

    def hold(self, weights: Operand) -> Result:
        """Return the weights, divided by their norms."""
        return weights / (_TINY + _norms(weights))


class MinMaxNorm(Constraint):
    """Brings the norm of each neuron's incoming weights between two bounds, or nearer to them.

    Args:    min_value, max_value: the bounds, 0 <= min_value <= max_value.
             rate: 1 goes all the way in every step, less goes that part of it.
    Raises:  OptionError: bounds in the wrong order or negative, or a rate outside 0 to 1.
    Example: >>> MinMaxNorm(1.0, 2.0)(np.array([[3.0, 4.0], [0.3, 0.4]]))
             array([[1.2, 1.6],
                    [0.6, 0.8]])
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0) -> None:
        check_range("min_value", min_value, 0)
        check_range("max_value", max_value, min_value)
        check_range("rate", rate, 0, 1)
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate

    def hold(self, weights: Operand) -> Result:
        """Return the weights, where necessary shortened or lengthened."""
        norms = _norms(weights)
        allowed = np.clip(norms, self.min_value, self.max_value)
        desired = self.rate * allowed + (1 - self.rate) * norms
        return weights * (desired / (_TINY + norms))


BY_NAME = {
    "max_norm": MaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
    "min_max_norm": MinMaxNorm,
}


def __getattr__(name: str) -> Any:
    """Return a constraint by its name in Keras: max_norm."""
    return by_keras_name(__name__, name, BY_NAME)


def get(constraint: Choice) -> Function | None:
    """Return a constraint by name; objects, functions of the weights, and None as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("non_neg"), get(MaxNorm(3.0))
             (NonNeg(), MaxNorm(max_value=3.0))
    """
    return choose("constraint", BY_NAME, constraint)


__all__ = ["BY_NAME", "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "get"]
