"""Small data sets: Boolean functions, curves in the plane, digits and a table of salaries."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from autograd_core import explained_call
from autograd_core.data import Array, Function

from ..configuration import check_range
from ..data import whole_number
from ..packages import optional
from ..randomness import generator

XY: TypeAlias = tuple[Array, Array]


def xor() -> XY:
    """Return the four rows of "one or the other, not both".

    Returns: x (4, 2) and y (4,), float64; y[:, None] for a network with one output.
    Example: >>> xor()[1]
             array([0., 1., 1., 0.])
    """
    return _rows(np.not_equal)


def and_() -> XY:
    """Return the four rows of "both".

    Returns: x (4, 2) and y (4,), float64; y[:, None] for a network with one output.
    Example: >>> and_()
             (array([[0., 0.],
                    [0., 1.],
                    [1., 0.],
                    [1., 1.]]), array([0., 0., 0., 1.]))
    """
    return _rows(np.minimum)


def or_() -> XY:
    """Return the four rows of "one at least".

    Returns: x (4, 2) and y (4,), float64; y[:, None] for a network with one output.
    Example: >>> or_()[1]
             array([0., 1., 1., 1.])
    """
    return _rows(np.maximum)


def _rows(function: Function) -> XY:
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return x, function(x[:, 0], x[:, 1]).astype(float)


@explained_call
def moons(samples: int = 100, noise: float = 0.0, seed: int | None = None) -> XY:
    """Return points on two interleaving half circles, in random order.

    Class 0: (cos t, sin t), class 1: (1 - cos t, 1/2 - sin t), t evenly from 0 to pi.

    Args:    samples: how many points; class 1 has the odd one.
             noise: standard deviation of normal noise on each coordinate.
             seed: of the points; None: they are drawn from nn.set_seed's generator.
    Returns: x (samples, 2), float64; y (samples,), int64.
    Raises:  OptionError: samples below 1, or noise below 0.
    Example: >>> x, y = moons(5, seed=0)
             >>> x.shape, sorted(y.tolist())
             ((5, 2), [0, 0, 1, 1, 1])

    Source:  scikit-learn, make_moons.
    """
    upper, lower = _halves(samples)
    t, s = np.linspace(0, np.pi, upper), np.linspace(0, np.pi, lower)
    curves = [np.cos(t), np.sin(t)], [1 - np.cos(s), 0.5 - np.sin(s)]
    return _mixed(curves, noise, seed)


@explained_call
def circles(
    samples: int = 100, noise: float = 0.0, factor: float = 0.8, seed: int | None = None
) -> XY:
    """Return points on a circle of radius 1, class 0, and on one inside it, in random order.

    Args:    samples: how many points; class 1 has the odd one.
             noise: standard deviation of normal noise on each coordinate.
             factor: radius of the inner circle, 0 to 1.
             seed: of the points; None: they are drawn from nn.set_seed's generator.
    Returns: x (samples, 2), float64; y (samples,), int64.
    Raises:  OptionError: samples below 1, noise below 0, or factor outside 0 to 1.
    Example: >>> x, y = circles(100, factor=0.5, seed=0)
             >>> sorted({round(r, 6) for r in np.hypot(*x.T).tolist()})
             [0.5, 1.0]

    Source:  scikit-learn, make_circles.
    """
    check_range("factor", factor, 0, 1)
    outer, inner = _halves(samples)
    t = np.linspace(0, 2 * np.pi, outer, endpoint=False)
    s = np.linspace(0, 2 * np.pi, inner, endpoint=False)
    curves = [np.cos(t), np.sin(t)], [factor * np.cos(s), factor * np.sin(s)]
    return _mixed(curves, noise, seed)


@explained_call
def spirals(
    samples: int = 100, classes: int = 2, noise: float = 0.0, seed: int | None = None
) -> XY:
    """Return points on spirals, one turn around the origin, in random order.

    Class k of n: r (cos a, sin a) with a = 2 pi (r + k/n), r evenly from 0.1 to 1.

    Args:    samples: how many points, shared evenly; the first classes have the odd ones.
             classes: how many spirals.
             noise: standard deviation of normal noise on each coordinate.
             seed: of the points; None: they are drawn from nn.set_seed's generator.
    Returns: x (samples, 2), float64; y (samples,), int64.
    Raises:  OptionError: samples or classes below 1, or noise below 0.
    Example: >>> x, y = spirals(90, classes=3, seed=0)
             >>> x.shape, np.bincount(y).tolist()
             ((90, 2), [30, 30, 30])
    """
    samples, classes = whole_number("samples", samples), whole_number("classes", classes)
    curves = []
    for k in range(classes):
        r = np.linspace(0.1, 1, len(range(k, samples, classes)))
        a = 2 * np.pi * (r + k / classes)
        curves.append([r * np.cos(a), r * np.sin(a)])
    return _mixed(curves, noise, seed)


def _halves(samples: int) -> tuple[int, int]:
    samples = whole_number("samples", samples)
    return samples // 2, samples - samples // 2


def _mixed(curves: Sequence[Sequence[Array]], noise: float, seed: int | None) -> XY:
    """Return the points of all curves, (x, y) coordinates each, with noise and in random order."""
    check_range("noise", noise, 0)
    source = generator() if seed is None else np.random.default_rng(seed)
    x = np.concatenate([np.stack(curve, axis=1) for curve in curves])
    y = np.repeat(np.arange(len(curves)), [len(curve[0]) for curve in curves])
    x += noise * source.standard_normal(x.shape)
    order = source.permutation(len(x))
    return x[order], y[order]


def digits() -> XY:
    """Return 1,797 handwritten digits of 8 x 8 pixels, from scikit-learn.

    Returns: x (1797, 64), float64 from 0, white, to 1: scikit-learn's 0 to 16 divided by 16;
             x.reshape(-1, 8, 8, 1) for convolutions. y (1797,), int64 from 0 to 9.
    Raises:  MissingPackageError: scikit-learn is not installed.
    Example: >>> x, y = digits()
             >>> x.shape, y[:5]
             ((1797, 64), array([0, 1, 2, 3, 4]))

    Source:  E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    x, y = optional("sklearn.datasets", "scikit-learn").load_digits(return_X_y=True)
    return x / 16, y.astype(np.int64)


_COLUMNS = ["rank", "discipline", "years_since_phd", "years_of_service", "sex", "salary"]
_PROFESSORS = [
    ("Prof", "B", 19, 18, "Male", 139750),
    ("Prof", "B", 20, 16, "Male", 173200),
    ("AsstProf", "B", 4, 3, "Male", 79750),
    ("Prof", "B", 45, 39, "Male", 115000),
    ("Prof", "B", 40, 41, "Male", 141500),
    ("AssocProf", "B", 6, 6, "Male", 97000),
    ("Prof", "B", 30, 23, "Male", 175000),
    ("Prof", "B", 45, 45, "Male", 147765),
    ("Prof", "B", 21, 20, "Male", 119250),
    ("Prof", "B", 18, 18, "Female", 129000),
]


def salaries() -> dict[str, list[str | float]]:
    """Return what ten professors of a college in the USA earned in nine months of 2008-09.

    Returns: columns by name, of ten entries each; pandas.DataFrame(salaries()) makes a frame.
             discipline B: applied departments; salary in dollars.
    Example: >>> table = salaries()
             >>> table["rank"][:3], table["salary"][:3]
             (['Prof', 'Prof', 'AsstProf'], [139750, 173200, 79750])

    Source:  J. Fox and S. Weisberg, An R Companion to Applied Regression, 3rd edition, 2019;
             R package carData, Salaries, first ten rows of 397.
    """
    columns = zip(*_PROFESSORS, strict=True)
    return {name: list(column) for name, column in zip(_COLUMNS, columns, strict=True)}
