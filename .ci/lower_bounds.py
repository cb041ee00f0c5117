"""Print the oldest version of each package that pyproject.toml allows, as constraints for pip.

Usage: python .ci/lower_bounds.py EXTRA ... >constraints.txt

They are those of `dependencies` and of the extras named, for the Python that runs this, which needs
`packaging`. `tests/test_release.py` sees to it that every package has one lower bound.
"""

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))[
    "project"
]


def lower_bounds(extras: list[str]) -> dict[str, str]:
    """Return the versions after `>=` or `==`, by package."""
    bounds = {}
    lines = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][name] for name in extras)]
    for need in (Requirement(line) for part in lines for line in part):
        if need.marker is None or need.marker.evaluate():
            [bounds[need.name]] = (s.version for s in need.specifier if s.operator in (">=", "=="))
    return bounds


if __name__ == "__main__":
    for name, version in sorted(lower_bounds(sys.argv[1:]).items()):
        sys.stdout.write(f"{name}=={version}\n")
