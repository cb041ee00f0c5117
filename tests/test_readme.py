"""The README's Python runs from top to bottom, and gives what its comments say."""

import re
from pathlib import Path

import numpy as np
import pytest

from autograd_core import ShapeError, Value, compare_gradients, diagnose, explain
from demos import pictures
from tests.pages import keeps_its_promises

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_blocks_give_what_their_comments_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # one of them saves a model
    assert keeps_its_promises(README) >= 9


def test_the_error_shown_is_the_error_given():
    shown = re.search(r"^```text\n>>> (.*?)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    with pytest.raises(ShapeError) as caught:
        eval(shown[1], {"np": np, "Value": Value})
    assert f"{ShapeError.__module__}.{ShapeError.__name__}: {caught.value}\n" == shown[2]


def test_the_explanations_shown_are_those_given():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    d = c * c + a
    d.label = "d"
    for given in (
        explain(d, wrt=a),
        compare_gradients(d, {a: 1.0, b: 24.0, c: -12.0}),
        diagnose((a * b).relu()),
    ):
        for line in str(given).splitlines():
            assert line in README or line.startswith("The gradient of d")


def test_the_picture_shown_is_the_one_drawn(tmp_path):
    pictures.neuron().save(tmp_path / "neuron.svg")
    drawn = (tmp_path / "neuron.svg").read_text(encoding="utf-8")
    assert drawn == (Path(__file__).parents[1] / "docs" / "neuron.svg").read_text(encoding="utf-8")
