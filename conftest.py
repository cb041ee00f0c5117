"""Lets pytest run the examples of our docstrings, which begin beside their label: Example: >>>."""

import doctest
from functools import wraps
from importlib.util import find_spec

import pytest

from nn import mistakes

LABEL = "Example: "
# PyTorch takes gigabytes with some package indexes: `make test-torch` installs it for this file
collect_ignore = [] if find_spec("torch") else ["tests/test_interchange_torch.py"]


def beside_label(parse):
    """Return doctest's `parse`, which wants `>>>` to begin its line, with the label blanked out."""

    @wraps(parse)
    def parse_labelled(parser, docstring, *args):
        docstring = docstring.replace(f"{LABEL}>>>", f"{' ' * len(LABEL)}>>>")
        docstring = docstring.replace("\n    Source: ", "\n\n    Source: ")  # ends the output
        return parse(parser, docstring, *args)

    return parse_labelled


doctest.DocTestParser.parse = beside_label(doctest.DocTestParser.parse)


@pytest.fixture(autouse=True)
def _mistakes_are_said_anew():
    """Let every test hear of a mistake, even if another one has made it at the same line."""
    mistakes.said.clear()
