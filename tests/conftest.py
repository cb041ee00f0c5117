"""Fixtures that several test modules share, and what holds for all of them."""

from browser import browser
from hypothesis import settings

__all__ = ["browser"]

# The same examples in every run: what fails once fails again
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
