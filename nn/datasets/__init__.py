"""Data sets: (x, y), small ones generated, others fetched.

- xor, and_, or_: all four rows of a Boolean function
- moons, circles, spirals: classes of points in the plane that no line separates
- digits: 1,797 images of 8 x 8 pixels, from scikit-learn
- mnist: 70,000 images of 28 x 28 pixels, downloaded when first needed
- salaries: ten professors
"""

from .generated import and_, circles, moons, or_, spirals, xor
from .mnist import mnist
from .tables import digits, salaries

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
