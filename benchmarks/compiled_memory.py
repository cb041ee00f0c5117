"""The memory of compiled functions: their buffers, and what many calls leave behind."""

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Any

from autograd_core.program.array_executor import ArrayExecutor
from autograd_core.program.recorded_call import executor

from . import array_engines, arrays
from . import compiled_engines as engines

CALLS = 1_000


def buffers(network: arrays.Network) -> tuple[int, int] | None:
    """Return the bytes of the arena of a step, and those of its buffers alive at the same time.

    Returns: None if the step is run on single numbers, and has no arena.
    """
    parameters, x, labels = arrays.start(network.sizes, network.batch)
    update, weights = array_engines.compiled_update(parameters, x, labels)
    update(parameters, x, weights)
    run = executor(update.program)
    if not isinstance(run, ArrayExecutor):
        return None
    layout: Any = run._template
    return layout.plan.size, max(_alive(layout.program, layout.plan), default=0)


def _alive(program: Any, plan: Any) -> Iterator[int]:
    """Yield the bytes of buffers that each step makes, or that it or a later one reads."""
    last = {i: i for i in plan.starts}
    for i, step in enumerate(program.steps):
        last |= {plan.views.get(x, x): i for x in step.inputs if plan.views.get(x, x) in last}
    for x in program.wanted():
        if plan.views.get(x, x) in last:
            last[plan.views.get(x, x)] = len(program.steps)
    for i in program.operations():
        places = {}  # a step that overwrites its input shares its place
        for x, start in plan.starts.items():
            if x <= i <= last[x]:
                step = program.steps[x]
                places[start] = step.size * step.dtype.itemsize
        yield sum(places.values())


def growth(name: str) -> int:
    """Return by how many bytes Python's memory grows in many calls of an engine's demo step."""
    made = {"batched": engines.batched, "one by one": engines.autograd_core}
    call: Any = made[name](engines.DEMO) if name in made else _array_step()
    for _ in range(10):
        call()
    gc.collect()
    tracemalloc.start()
    for _ in range(10):
        call()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(CALLS):
        call()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before


def _array_step() -> array_engines.Step:
    network = arrays.NETWORKS[4]
    return array_engines.autograd_core_compiled(*arrays.start(network.sizes, network.batch))
