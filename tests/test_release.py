"""What is written in more than one place about a release says the same everywhere."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TOOLS = {"bench", "docs", "notebooks", "test", "torch"}  # extras that no user's program imports


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def names(requirements):
    return {Requirement(each).name for each in requirements}


def test_version_is_the_one_of_the_citation():
    assert (
        re.search(r"^version: (.*)$", read("CITATION.cff"), re.MULTILINE)[1] == PROJECT["version"]
    )


def test_version_is_the_newest_of_the_changelog():
    newest = r"^## \[(?:Unreleased\]\n\nBecomes )?(\d+\.\d+\.\d+)"
    assert re.search(newest, read("CHANGELOG.md"), re.MULTILINE)[1] == PROJECT["version"]


def test_pythons_are_the_ones_that_are_tried():
    found = [re.fullmatch(r"Programming.* (3\.\d+)", each) for each in PROJECT["classifiers"]]
    pythons = [each[1] for each in found if each]
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    [tried] = re.findall(r"python: \[(.*)\]", read(".github/workflows/ci.yml"))
    assert tried == ", ".join(f'"{python}"' for python in pythons)


def test_the_workflow_runs_what_ci_runs():
    [targets] = re.findall(r"target: \[(.*)\]", read(".github/workflows/ci.yml"))
    ours = re.findall(r"^make (.*)$", read(".ci/run"), re.MULTILINE)
    assert {t for line in ours for t in line.split()} <= {"test", *re.findall(r"[\w-]+", targets)}


def test_packages_have_one_lower_bound_each():
    extras = PROJECT["optional-dependencies"].values()
    bounds = {}
    for need in map(Requirement, [*PROJECT["dependencies"], *(n for e in extras for n in e)]):
        lowest = [part.version for part in need.specifier if part.operator in (">=", "==")]
        assert len(lowest) == 1, need
        bounds.setdefault(need.name, set()).update(lowest)
    assert {name: found for name, found in bounds.items() if len(found) > 1} == {}


def test_what_users_extras_add_is_there_when_tests_run():
    extras = PROJECT["optional-dependencies"]
    assert [
        (extra, name)
        for extra in extras
        if extra not in TOOLS
        for name in names(extras[extra]) - names(extras["test"])
    ] == []
