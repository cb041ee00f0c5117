"""Data sets, as (x, y).

- xor, and_, or_: all four rows of a Boolean function
- moons, circles, spirals: classes of points in the plane that no line separates
- digits: 1,797 images of 8 x 8 pixels, from scikit-learn
- mnist: 70,000 images of 28 x 28 pixels, downloaded when first needed
- salaries: ten professors
"""

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
