"""A compiled program as a picture: its steps, or beyond the limit its kinds of steps."""

import re
from pathlib import Path

import numpy as np

from autograd_core import Value, compile, draw, value_and_grad

WEIGHT = Value([[1.0, 2.0], [3.0, 4.0]], label="<w>")


def program():
    step = compile(lambda x: np.tanh(x @ WEIGHT).sum() + 1.0)
    step(np.ones((3, 2)))
    return step.program


def titles(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_every_step_is_a_box_with_its_shape():
    shown = " ".join(titles(draw(program()).svg())).replace("\xa0", " ")
    for title in ("argument 0", "tanh", "sum", "add", "constant 1.0", "result 0"):
        assert title in shown
    assert "float64 (3, 2)" in shown


def test_labels_are_no_markup():
    assert "captured &lt;w&gt;" in draw(program()).svg()


def test_its_text_is_the_program():
    compiled = program()
    assert str(draw(compiled)) == str(compiled)


def test_beyond_the_limit_equal_operations_share_a_box():
    def loss(weights):
        total = 0.0
        for a in weights:
            for b in weights:
                total = total + np.tanh(a * b + 0.5)
        return total

    step = compile(value_and_grad(loss))
    step([0.1 * k for k in range(12)])
    picture = draw(step.program)
    assert 5 < picture.source.count("label=") < 40
    assert re.search(r"\d+ x tanh", picture.svg())
    assert "boxes: equal operations on equal shapes share one" in str(picture)


def test_it_is_saved_like_all_pictures(tmp_path):
    path = Path(draw(program(), rankdir="TB").save(tmp_path / "program.svg"))
    assert "<svg" in path.read_text(encoding="utf-8")
