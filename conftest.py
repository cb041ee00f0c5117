"""Lets pytest run the examples of our docstrings, which begin beside their label: Example: >>>."""

import doctest
from functools import wraps

LABEL = "Example: "


def beside_label(parse):
    """Return doctest's `parse`, which wants `>>>` to begin its line, with the label blanked out."""

    @wraps(parse)
    def parse_labelled(parser, docstring, *args):
        return parse(parser, docstring.replace(f"{LABEL}>>>", f"{' ' * len(LABEL)}>>>"), *args)

    return parse_labelled


doctest.DocTestParser.parse = beside_label(doctest.DocTestParser.parse)
