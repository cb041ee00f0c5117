"""Special functions that NumPy lacks: the derivatives of sinc, and the error functions."""

import math
from collections.abc import Callable

import numpy as np

from ..data import Array


def sinc_derivative(x: Array, order: int) -> Array:
    """Differentiate sinc(x) = integral of cos(pi x t) over t from 0 to 1, `order` times.

    The n-th derivative is the integral of (pi t)^n cos(pi x t + n pi / 2): a closed form divides
    by x and cancels near 0, Gauss-Legendre quadrature does neither. Its 64 nodes resolve |x| up
    to about 30; beyond that the closed recurrence is exact.
    """
    x = np.asarray(x)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    t = math.pi * (nodes + 1) / 2
    # cos(z + n pi / 2) is the real part of i^n exp(i z), exact at z = 0
    near = (1j**order * np.exp(1j * x[..., None] * t)).real @ (weights / 2 * t**order)
    with np.errstate(all="ignore"):
        # x f^(n) + n f^(n-1) = (sin(pi x) / pi)^(n), by Leibniz from x f = sin(pi x) / pi
        far = np.sinc(x)
        for n in range(1, order + 1):
            wave = math.pi ** (n - 1) * np.sin(math.pi * x + n * math.pi / 2)
            far = (wave - n * far) / x
    return np.where(np.abs(x) < 16, near, far).astype(x.dtype)


def erf(x: Array) -> Array:
    """Return the error function of each number."""
    return _of_each(math.erf, x)


def erfc(x: Array) -> Array:
    """Return 1 - erf(x), in which no digits cancel, of each number."""
    return _of_each(math.erfc, x)


def _of_each(function: Callable[[float], float], x: Array) -> Array:
    """Apply a function of Python's, as NumPy has none, in float64."""
    x = np.asarray(x)
    return np.fromiter(map(function, x.ravel().tolist()), x.dtype, x.size).reshape(x.shape)
