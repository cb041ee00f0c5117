"""Lets pytest run the examples of our docstrings, which begin beside their label: Example: >>>."""

import ctypes
import doctest
import gc
import re
import sys
from functools import wraps
from importlib.util import find_spec

import pytest

from autograd_core import messages

LABEL = "Example: "
# PyTorch takes gigabytes with some package indexes: `make test-torch` installs it for these files
NEED_TORCH = ["tests/test_interchange_torch.py", "tests/test_coming_from_torch.py"]
collect_ignore = [] if find_spec("torch") else NEED_TORCH


def beside_label(parse):
    """Return doctest's `parse`, which wants `>>>` to begin its line, with the label blanked out."""

    @wraps(parse)
    def parse_labelled(parser, docstring, *args):
        docstring = docstring.replace(f"{LABEL}>>>", f"{' ' * len(LABEL)}>>>")
        docstring = re.sub(r"\n( *Source: )", r"\n\n\1", docstring)  # ends the output
        return parse(parser, docstring, *args)

    return parse_labelled


def pytest_addoption(parser):
    """Let the tests run as if Numba were not installed."""
    parser.addoption("--without-numba", action="store_true", help="as if Numba were not installed")


def pytest_configure(config):
    """Hide Numba: importing it fails, and it is not found."""
    if config.getoption("--without-numba"):
        sys.modules["numba"] = None


def pytest_collection_finish():
    """Exempt from the collector what all tests begin with."""
    freeze()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    """Trace no test that is marked no_cover.

    pytest-cov starts two measurements in each process of xdist, and pauses only one of them.
    """
    if not item.get_closest_marker("no_cover"):
        return (yield)
    before = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(before)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Drop what JAX has compiled for the tests of a file before those of the next one."""
    if nextitem is not None and nextitem.path != item.path:
        if "jax" in sys.modules:
            sys.modules["jax"].clear_caches()
        freeze()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # free memory, half of all, back to the system


def freeze():
    """Exempt all objects from the collector, which would take half of the time to walk them.

    Compiling looks for random generators among the other objects: it finds those made in tests.
    """
    gc.collect()
    gc.freeze()


doctest.DocTestParser.parse = beside_label(doctest.DocTestParser.parse)


@pytest.fixture(autouse=True)
def _mistakes_are_warned_of_anew():
    """Warn of a mistake in every test, even if another one has made it at the same line."""
    messages.warned.clear()
