"""Data sets, as (x, y).

- xor, and_, or_: all four rows of a Boolean function
- moons, circles, spirals: classes of points in the plane that no line separates
- digits: 1,797 images of 8 x 8 pixels, from scikit-learn
- mnist: 70,000 images of 28 x 28 pixels, downloaded when first needed
- salaries: ten professors
"""

from typing import NoReturn

from autograd_core import unknown_name

from .mnist import mnist
from .small import and_, circles, digits, moons, or_, salaries, spirals, xor

__all__ = [
    "and_",
    "circles",
    "digits",
    "mnist",
    "moons",
    "or_",
    "salaries",
    "spirals",
    "xor",
]


def __getattr__(name: str) -> NoReturn:
    """Refuse a name that does not exist, with what to write."""
    elsewhere = {"load_data": "mnist()", "load_digits": "digits()", "make_moons": "moons()"}
    raise unknown_name(__name__, name, __all__, elsewhere)
