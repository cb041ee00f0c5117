"""The pages of docs/ run, and their reference has every public name once.

That every public method has a docstring is a rule of ruff (D1), and that links lead somewhere a
part of `make docs`.
"""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

import autograd_core
import nn
from autograd_core import numpy_protocol
from tests.pages import blocks, keeps_its_promises

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
DIRECTIVE = re.compile(r"^::: (\S+)$", re.MULTILINE)
# What public functions return: no one makes them, and everyone reads them
RESULTS = {
    "autograd_core.drawing.picture.Picture",
    "autograd_core.explanation.explain.Explanation",
    "autograd_core.program.program.Program",
}


def read(page):
    return (DOCS / page).read_text(encoding="utf-8")


def elsewhere(page):
    return page.startswith("coming-from/")  # these need other libraries: test_coming_from.py


@pytest.mark.parametrize("page", [page for page in PAGES if not elsewhere(page)])
def test_the_python_of_a_page_gives_what_its_comments_say(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if blocks(read(page)):
        keeps_its_promises(read(page))


def public_names():
    """Return every public name, with the object that it names."""
    found = {}
    for package in (autograd_core, nn):
        inside = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        for path in (package.__name__, *(module.name for module in inside)):
            module = importlib.import_module(path)
            found |= {
                f"{path}.{name}": getattr(module, name) for name in vars(module).get("__all__", ())
            }
            if "__all__" in vars(module):
                found[path] = module
    return found


def test_every_public_name_has_a_docstring_and_is_ours():
    public = public_names()
    assert [name for name, found in public.items() if not inspect.getdoc(found)] == []
    sources = {name: getattr(found, "__module__", "nn") for name, found in public.items()}
    foreign = {
        name for name in sources if sources[name].split(".")[0] not in ("autograd_core", "nn")
    }
    assert foreign == set()


def test_the_reference_has_every_public_name_once_and_no_other(monkeypatch):
    public = public_names()
    pages = [page for page in PAGES if page.startswith("reference/")]
    monkeypatch.syspath_prepend(DOCS / "hooks")
    hook = importlib.import_module("reference")
    listed = [
        name for page in pages for name in DIRECTIVE.findall(hook.on_page_markdown(read(page)))
    ]
    assert [name for name, times in Counter(listed).items() if times > 1] == []
    others = {name for name in listed if name not in public} - RESULTS
    assert others <= {"autograd_core.errors"}  # whose docstring draws their tree
    documented = Counter(id(public[name]) for name in listed if name in public)
    assert {name for name in listed if documented[id(public.get(name))] > 1} == set()
    # A folder whose contents have public names elsewhere needs no place of its own
    gathering = ("nn.integrations",)
    assert {
        name
        for name, found in public.items()
        if id(found) not in documented and name not in gathering
    } == set()


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- (?:[^:\n]*: )?(\S+\.md)$", text, re.MULTILINE)
    assert len(set(listed)) == len(listed)
    assert set(PAGES) - set(listed) == set()


def test_the_table_of_numpy_functions_can_be_written_as_it_stands(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "hooks")
    hook = importlib.import_module("numpy_functions")
    table = hook.table()
    for function in (*numpy_protocol.RECORDED, *numpy_protocol.PLAIN):
        name = hook.name_of(function)
        assert eval(name, {"np": hook.np}) is function
        assert f"`{name}`" in table
    assert hook.MARK in read("reference/numpy.md")
