"""Growth: what a node costs in chains of a thousand to a million scalar operations."""

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


def turn(length: int) -> float:
    """Return the mean seconds of a node, over chains of a million nodes together."""
    repeats = max(LENGTHS) // length
    return seconds_per_step(partial(chain, length), at_least_steps=repeats) / length


def report() -> str:
    """Measure everything and return it as Markdown."""
    with own_processes({"autograd_core": "autograd_core"}) as processes:
        ask = processes["autograd_core"]
        times = take_turns({length: partial(ask, turn, length) for length in LENGTHS}, ROUNDS)
    rows = [
        [f"{length:,}", f"{each.median * 1e9:,.0f}", f"{each.fastest * 1e9:,.0f}"]
        for length, each in times.items()
    ]
    medians = [each.median for each in times.values()]
    ratio = max(medians) / min(medians)
    lines = [
        table(["operations", "ns a node: median", "fastest"], rows),
        "",
        target(WANTED, f"{ratio:.2f}", ratio <= LIMIT, times.values()),
    ]
    return "\n".join(lines)
