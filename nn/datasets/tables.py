"""Data sets that are tables: scikit-learn's digits, and ten professors."""

from typing import Any

import numpy as np

from ..optional import optional


def digits() -> tuple[Any, Any]:
    """Return 1,797 handwritten digits of 8 x 8 pixels; scikit-learn has them.

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


def salaries() -> dict[str, list[Any]]:
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
