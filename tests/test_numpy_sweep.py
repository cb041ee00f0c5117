"""No public function of NumPy loses a derivative silently, however Values are given to it."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
from numpy_sweep import functions, sweep

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "numpy.md"


@cache
def calls():
    """Return all calls of the sweep, each with what became of its derivative."""
    return list(sweep())


def test_every_call_is_recorded_without_derivative_warned_of_or_refused():
    seen = calls()
    faults = [call for call in seen if call[2].startswith(("silent", "raw", "wrong"))]
    assert faults == []
    found = Counter(what for _, _, what in seen) | Counter(
        {"functions": len({name for name, *_ in seen})}
    )
    text = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (.+?) \|.*\| ([\d,]+) \|$", text, re.M))
    table = {kind: int(count.replace(",", "")) for kind, count in rows.items()}
    assert {kind for kind, count in table.items() if count} == set(found)
    (version,) = re.findall(r"NumPy (\d+\.\d+)", text)
    if np.__version__.startswith(f"{version}."):
        assert {kind: count for kind, count in table.items() if count} == dict(found)


def test_most_functions_of_numpy_are_called():
    called = {name for name, *_ in calls()}
    missing = {name for name, _ in functions()} - called
    of_whole_numbers = r"bitwise|shift|invert|gcd|lcm|pack|bit|ind|ix_|spacing|nextafter"
    makers = r"eye|identity|zeros|ones|tri$|freq|broadcast_shapes|put$|ravel_multi"
    assert [name for name in missing if not re.search(f"{of_whole_numbers}|{makers}", name)] == []
