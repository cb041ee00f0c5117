"""How everything here is timed: one process an engine, all engines in turn, medians of the turns.

Taking turns lets the drift of the machine (clock rate, neighbours) meet every engine alike, and a
process of its own keeps an engine's threads and garbage out of the others' way.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from statistics import median
from typing import Any, NamedTuple, TypeAlias, TypeVar

Ask: TypeAlias = Callable[..., Any]
Name = TypeVar("Name")

THREADS = 2
PAUSE = 0.1  # seconds before each turn, in which the threads of the engine before fall asleep


class Times(NamedTuple):
    """Seconds of one step, over all turns."""

    median: float
    fastest: float

    @property
    def is_steady(self) -> bool:
        """Whether the turns were alike; they are not while other programs use the machine."""
        return self.median <= 1.3 * self.fastest


@contextmanager
def own_processes(engines: Mapping[str, str]) -> Iterator[dict[str, Ask]]:
    """Start a process for each engine that is installed, all held to the same number of threads.

    Args:    engines: the modules that each engine needs, with blanks between them.
    Returns: for each a function `ask(function, *args)`, which returns what `function`, defined in
             a module, returns in that process.
    """
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
    with ExitStack() as stack:
        yield {
            name: partial(_ask, stack.enter_context(_new_process()))
            for name, modules in engines.items()
            if all(find_spec(module) for module in modules.split())
        }


def _new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"), _hold_to_threads)


def _hold_to_threads() -> None:
    if hasattr(os, "sched_setaffinity"):  # for engines that heed no environment variable
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def _ask(process: ProcessPoolExecutor, function: Callable[..., Any], *args: Any) -> Any:
    return process.submit(function, *args).result()


def require_agreement(name: str, losses: Mapping[str, list[float]], within: float) -> None:
    """Refuse to go on where an engine's losses are not those of the first one.

    Raises: ArithmeticError: they differ by more than `within`.
    """
    first, *others = losses
    for other in others:
        pairs = zip(losses[first], losses[other], strict=True)
        if not all(abs(ours - theirs) <= within for ours, theirs in pairs):
            raise ArithmeticError(f"{name}: {first} {losses[first]}, but {other} {losses[other]}")


def seconds_per_step(
    step: Callable[[], object],
    at_least_seconds: float = 0.0,
    at_least_steps: int = 1,
    warm_up: bool = True,
) -> float:
    """Return the mean seconds of a step, over many; one more before them warms the caches."""
    if warm_up:
        step()
    steps = 0
    start = now = time.perf_counter()
    while steps < at_least_steps or now - start < at_least_seconds:
        step()
        steps += 1
        now = time.perf_counter()
    return (now - start) / steps


def take_turns(turns: Mapping[Name, Callable[[], float]], rounds: int) -> dict[Name, Times]:
    """Return the times of each, every one of which had its turn in every round."""
    seconds: dict[Name, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            time.sleep(PAUSE)
            seconds[name].append(turn())
    return {name: Times(median(each), min(each)) for name, each in seconds.items()}
