"""A hook that lists NumPy's functions on Values where a page says `<!-- numpy functions -->`."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Primitive
from autograd_core.functions.compositions import COMPOSED
from autograd_core.numpy_protocol import PLAIN, RECORDED

MARK = "<!-- numpy functions -->"
PARTS = {
    "functions.statistics": "Sums, means, extremes, choices",
    "functions.products": "Products",
    "functions.decompositions": "Linear algebra",
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with the mark replaced by the table."""
    return markdown.replace(MARK, table()) if MARK in markdown else markdown


def table() -> str:
    """Return the table, made from the functions that the library knows."""
    rows: dict[str, list[str]] = {"Element by element": []}
    for function, ours in {**RECORDED, **COMPOSED}.items():
        rows.setdefault(_part(function, ours), []).append(name_of(function))
    rows["Plain data, no derivative"] = [name_of(function) for function in PLAIN]
    lines = ["| what they do | functions |", "|---|---|"]
    for part, names in rows.items():
        listed = ", ".join(f"`{name}`" for name in sorted(set(names)))
        lines.append(f"| {part} | {listed} |")
    return "\n".join(lines)


def name_of(function: Callable[..., Any]) -> str:
    """Return what one writes for it, such as np.linalg.norm."""
    for module, prefix in (
        (np, "np"),
        (np.linalg, "np.linalg"),
        (np.lib.stride_tricks, "np.lib.stride_tricks"),
    ):
        for name in (getattr(function, "__name__", ""), *vars(module)):
            if vars(module).get(name) is function:
                return f"{prefix}.{name}"
    raise LookupError(f"{function} is in none of NumPy's modules known here")


def _part(function: Any, ours: Any) -> str:
    if isinstance(function, np.ufunc) or isinstance(ours, Primitive):
        return "Products" if function is np.matmul else "Element by element"
    module = getattr(inspect.unwrap(ours), "__module__", "")
    return next((part for end, part in PARTS.items() if module.endswith(end)), "Shapes and places")
