"""A hook that lists a module's public names where a page says `<!-- names of nn.layers -->`.

Names that the page lists itself, with options of their own, are left out, and so are names that a
module takes from another one, whose page has them.
"""

import importlib
import inspect
import re
from typing import Any

import nn

MARK = re.compile(r"^<!-- names of (\S+) -->$", re.MULTILINE)
LISTED = re.compile(r"^::: (\S+)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with each mark replaced by the names."""
    listed = {_found(name) for name in LISTED.findall(markdown) if not inspect.ismodule(_of(name))}
    return MARK.sub(lambda match: directives(match[1], listed), markdown)


def directives(path: str, listed: set[int]) -> str:
    """Return one directive for each public name of a module, classes without their members."""
    module = importlib.import_module(path)
    lines = []
    for name in sorted(module.__all__, key=_order):
        thing = getattr(module, name)
        is_from_elsewhere = not getattr(thing, "__module__", path).startswith(path)
        if id(thing) in listed or is_from_elsewhere or inspect.ismodule(thing):
            continue
        lines.append(f"::: {'nn' if getattr(nn, name, None) is thing else path}.{name}")
        if inspect.isclass(thing):
            lines += ["    options:", "      members: false"]
        lines.append("")
    return "\n".join(lines)


def _order(name: str) -> tuple[bool, str]:
    """Names in the order of the alphabet, what looks them up at the end."""
    return name in ("BY_NAME", "get"), name.lower()


def _of(name: str) -> Any:
    """Return what a dotted name stands for."""
    parts = name.split(".")
    for i in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:i]))
        except ModuleNotFoundError:
            continue
        for part in parts[i:]:
            found = getattr(found, part)
        return found
    raise LookupError(name)


def _found(name: str) -> int:
    return id(_of(name))
