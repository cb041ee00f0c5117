"""Growth: what a node costs in chains of a thousand to a million scalar operations."""

import gc
from functools import partial

from autograd_core import Value

from .markdown import table, target
from .timing import own_processes, seconds_per_step, take_turns

ROUNDS = 7
LENGTHS = (10**3, 10**4, 10**5, 10**6)
LIMIT = 1.3
WANTED = f"the dearest at most {LIMIT} times the cheapest"


def chain(length: int) -> None:
    """Run a chain of so many operations forward, backward and out of scope."""
    x = Value(1.0)
    y = x
    for _ in range(length // 2):
        y = y * 0.999999 + x
    y.backward()


def turn(length: int, collector: bool) -> float:
    """Return the mean seconds of a node, over chains of a million nodes together."""
    repeats = max(LENGTHS) // length
    if not collector:
        gc.disable()
    try:
        return seconds_per_step(partial(chain, length), at_least_steps=repeats) / length
    finally:
        gc.enable()


def report() -> str:
    """Measure everything and return it as Markdown."""
    cases = [(length, collector) for length in LENGTHS for collector in (True, False)]
    with own_processes({"autograd_core": "autograd_core"}) as processes:
        ask = processes["autograd_core"]
        times = take_turns({case: partial(ask, turn, *case) for case in cases}, ROUNDS)
    ns = {case: f"{each.median * 1e9:,.0f}" for case, each in times.items()}
    header = ["operations", "ns a node", "with the collector off"]
    rows = [[f"{length:,}", ns[length, True], ns[length, False]] for length in LENGTHS]
    with_it, without = (
        [times[length, collector].median for length in LENGTHS] for collector in (True, False)
    )
    ratio = max(with_it) / min(with_it)
    lines = [
        table(header, rows),
        "",
        target(WANTED, f"{ratio:.2f}", ratio <= LIMIT, times.values()),
        f"- the same with the collector off: {max(without) / min(without):.2f}",
    ]
    return "\n".join(lines)
