"""The pages for those who come from other libraries: both programs run, and print the same."""

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.pages import keeps_its_promises

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "coming-from"
TAB = re.compile(r'^=== "([^"]+)"\n\n    ```python\n(.*?)^    ```\n', re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"^Both print:\n\n```text\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
OURS = "autograd-core"
THEIRS = {  # PyTorch's is run by test_coming_from_torch.py
    "micrograd": "micrograd",
    "keras": "Keras",
    "jax": "JAX",
    "scikit-learn": "scikit-learn",
}
ALL = [*THEIRS, "pytorch"]


def read(page):
    return (PAGES / f"{page}.md").read_text(encoding="utf-8")


def programs(page):
    """Return the two programs of a page by the names of their tabs."""
    return {name: dedent(code) for name, code in TAB.findall(read(page))}


def shown(page):
    """Return what the page says that both print."""
    (text,) = OUTPUT.findall(read(page))
    return text


def printed(program, folder):
    """Return what a program prints that runs by itself, as its reader would run it."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_page_is_run():
    assert sorted(path.stem for path in PAGES.glob("*.md")) == sorted(ALL)


@pytest.mark.parametrize("page", ALL)
def test_each_page_has_two_programs(page):
    assert [*programs(page)] == [THEIRS.get(page, "PyTorch"), OURS]


@pytest.mark.parametrize("page", ALL)
def test_our_program_prints_what_the_page_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(programs(page)[OURS], {"__name__": "__main__"})
    assert capsys.readouterr().out == shown(page)


@pytest.mark.parametrize("page", THEIRS)
def test_their_program_prints_the_same(page, tmp_path):
    assert printed(programs(page)[THEIRS[page]], tmp_path) == shown(page)


@pytest.mark.parametrize("page", ALL)
def test_the_rest_of_the_page_keeps_its_promises(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    least = 0 if page == "scikit-learn" else 1  # whose outcomes there are True or False
    assert keeps_its_promises(TAB.sub("", read(page))) >= least
