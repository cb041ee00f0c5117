"""Importing: what the first line of a program costs, beside NumPy's own import."""

import os
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from tempfile import TemporaryDirectory

from .markdown import table, target
from .timing import take_turns

ROUNDS = 21
MODULES = ("numpy", "autograd_core", "nn", "micrograd.engine", "torch", "jax", "keras")
LIMIT = 1.15
WANTED = f"autograd_core takes at most {LIMIT} times NumPy's import"
TIMED = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def turn(module: str, cache: str) -> float:
    """Return the seconds of an import in a new process, whose bytecode is kept in `cache`."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    mine = {"PYTHONPYCACHEPREFIX": cache, "OPENBLAS_NUM_THREADS": "1", "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(module=module)],
        env=kept | mine,
        capture_output=True,
        check=True,
        text=True,
    )
    return float(done.stdout)


def report() -> str:
    """Measure everything and return it as Markdown."""
    there = [module for module in MODULES if find_spec(module.partition(".")[0])]
    with TemporaryDirectory() as cache:
        turns = {module: partial(turn, module, cache) for module in there}
        take_turns(turns, 1)  # writes the bytecode
        times = take_turns(turns, ROUNDS)
    numpy = times["numpy"].median
    rows = [
        [
            module,
            f"{each.median * 1e3:,.1f} ({each.fastest * 1e3:,.1f})",
            f"{each.median / numpy:.2f}",
        ]
        for module, each in times.items()
    ]
    ratio = times["autograd_core"].median / numpy
    compared = [times["numpy"], times["autograd_core"]]
    return "\n".join(
        [
            table(["import", "ms: median (fastest)", "times NumPy's"], rows),
            "",
            target(WANTED, f"{ratio:.2f}", ratio <= LIMIT, compared),
        ]
    )
