"""Scalars: the demo of micrograd (moons, an MLP 2-16-16-1, hinge loss plus L2), time and memory."""

import random
import tracemalloc
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from .markdown import table, target
from .timing import Times, own_processes, seconds_per_step, take_turns

ROUNDS = 7
STEPS = 3  # in one turn, so that the garbage collector has its say
SPEEDUP, BYTES = 8, 300  # the targets
OURS, PEER = "autograd_core", "micrograd"

# package: the module of its Value, that of its MLP, the attribute that leads to a node's inputs
ENGINES = {
    OURS: ("autograd_core", "nn", "inputs"),
    PEER: ("micrograd.engine", "micrograd.nn", "_prev"),
}
HEADER = (
    "engine",
    "ms a step: median (fastest)",
    "nodes",
    "ns a node",
    "bytes a node after backward",
    "at the peak",
)


class Memory(NamedTuple):
    """The nodes of one step, the bytes each holds after backward, and each one's at the peak."""

    nodes: int
    after: float
    peak: float


def moons(samples: int) -> tuple[list[list[float]], list[int]]:
    """Return points on two interleaved half circles, with a little noise, and labels -1 and 1."""
    rng = np.random.default_rng(1337)
    angles = rng.uniform(0, np.pi, samples)
    labels = np.arange(samples) % 2 * 2 - 1
    x = np.where(labels < 0, np.cos(angles), 1 - np.cos(angles))
    y = np.where(labels < 0, np.sin(angles), 0.5 - np.sin(angles))
    points = np.stack([x, y], axis=1) + rng.normal(0, 0.1, (samples, 2))
    return points.tolist(), labels.tolist()


@cache
def _model(engine: str) -> tuple[Any, Callable[[], Any]]:
    """Return the network and its loss: the same code for both engines, micrograd's demo."""
    value_module, nn_module, _ = ENGINES[engine]
    value = import_module(value_module).Value
    random.seed(1337)
    model = import_module(nn_module).MLP(2, [16, 16, 1])
    points, labels = moons(100)

    def loss() -> Any:
        inputs = [list(map(value, row)) for row in points]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(labels, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        return data_loss + alpha * sum(p * p for p in model.parameters())

    return model, loss


def step(engine: str) -> float:
    """Take one step of the demo and return its loss."""
    model, loss = _model(engine)
    total_loss = loss()
    model.zero_grad()
    total_loss.backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
    return float(total_loss.data)


def turn(engine: str) -> float:
    """Return the mean seconds of a step."""
    return seconds_per_step(partial(step, engine), at_least_steps=STEPS)


def memory(engine: str) -> Memory:
    """Return the memory of forward and backward, while the graph is kept."""
    _, loss = _model(engine)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    total_loss = loss()
    total_loss.backward()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    nodes = _count(total_loss, ENGINES[engine][2])
    return Memory(nodes, (after - before) / nodes, (peak - before) / nodes)


def _count(output: Any, inputs: str) -> int:
    """Return how many nodes `output` was computed from, itself included."""
    seen = {id(output)}
    stack = [output]
    while stack:
        for x in getattr(stack.pop(), inputs):
            if hasattr(x, inputs) and id(x) not in seen:
                seen.add(id(x))
                stack.append(x)
    return len(seen)


def report() -> str:
    """Measure everything and return it as Markdown."""
    with own_processes({name: name for name in ENGINES}) as processes:
        losses = {name: ask(step, name) for name, ask in processes.items()}
        if not np.allclose(list(losses.values()), losses[OURS], rtol=0, atol=1e-9):
            raise ArithmeticError(f"the losses differ: {losses}")
        turns = {name: partial(ask, turn, name) for name, ask in processes.items()}
        times = take_turns(turns, ROUNDS)
        held = {name: ask(memory, name) for name, ask in processes.items()}
    rows = [[name, *_cells(times.get(name), held.get(name))] for name in ENGINES]
    lines = [table(HEADER, rows), ""]
    if PEER in times:
        speedup = times[PEER].median / times[OURS].median
        wanted = f"at least {SPEEDUP} times micrograd's speed"
        is_met = speedup >= SPEEDUP
        lines.append(target(wanted, f"{speedup:.1f} times", is_met, times.values()))
    size = held[OURS].after
    lines.append(target(f"at most {BYTES} bytes a node", f"{size:.0f}", size <= BYTES))
    return "\n".join(lines)


def _cells(times: Times | None, held: Memory | None) -> list[str]:
    if times is None or held is None:
        return ["not installed"] + [""] * (len(HEADER) - 2)
    return [
        f"{times.median * 1e3:,.1f} ({times.fastest * 1e3:,.1f})",
        f"{held.nodes:,}",
        f"{times.median / held.nodes * 1e9:,.0f}",
        f"{held.after:,.0f}",
        f"{held.peak:,.0f}",
    ]
