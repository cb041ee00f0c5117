"""ARCHITECTURE.md draws what is there, and its paths are those that the program takes."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_core import Value, compile

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
STATION = re.compile(r"^\d\. `(\S+)` `(\S+)`", re.MULTILINE)


def forward():
    v, w = Value([1.0, 2.0]), Value([3.0, 4.0])
    return np.tanh(v * w)


def backward():
    product = Value([1.0, 2.0]) * Value(3.0)
    return lambda: product.backward(np.ones(2))


def fit():
    model = nn.Sequential([nn.Dense(2), nn.Dense(1)], input_shape=(2,))
    model.compile("sgd", "mse")
    x, y = np.eye(2), np.ones((2, 1))
    return lambda: model.fit(x, y, batch_size=2, verbose=0)


def compiled():
    f = compile(lambda x: np.sum(np.tanh(x) * x))
    return lambda: [f(np.ones(3)) for _ in range(3)]


PATHS = {
    "A number forward": lambda: forward,
    "A gradient backward": backward,
    "A batch through": fit,
    "A function through": compiled,
}


def calls_of(run):
    """Return the functions of both packages that a call runs, in the order of their first call."""
    seen = {}

    def look(frame, event, argument):
        code, path = frame.f_code, Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(ROOT):
            seen.setdefault((path.relative_to(ROOT).as_posix(), code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        run()
    finally:
        sys.setprofile(before)
    return list(seen)


@pytest.mark.parametrize("title", PATHS)
def test_a_path_is_the_one_that_the_program_takes(title):
    [section] = re.findall(rf"^### {title}.*?(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    stations = STATION.findall(section)
    assert 4 <= len(stations) <= 6
    taken = calls_of(PATHS[title]())
    assert [station for station in taken if station in stations] == stations


@pytest.mark.parametrize("package", ["autograd_core", "nn"])
def test_the_contents_name_every_file_and_folder(package):
    [tree] = re.findall(rf"^{package}/\n(.*?)(?=^\S)", TEXT, re.MULTILINE | re.DOTALL)
    drawn = set(re.findall(r"\w+\.py|\w+/", tree))
    there = {
        path.name + "/" * path.is_dir()
        for path in (ROOT / package).iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.name[0] != "_"
    }
    assert drawn == there
