"""Compiled: functions of numbers as programs, beside CasADi, JAX and micrograd; what they cost."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from statistics import median
from typing import Any

import numpy as np

from autograd_core.program.machine_code import has_numba
from autograd_core.program.scalar_executor import scalar_executor
from autograd_core.program.virtual_machine import virtual_machine

from . import arrays
from . import compiled_engines as engines
from . import compiled_memory as memory
from .compiled_engines import DEMO, HESSIAN, ROLLOUT
from .markdown import table, target
from .timing import Ask, Times, own_processes, require_agreement, seconds_per_step, take_turns

ROUNDS = 9
SECONDS = 0.2  # one turn of one engine
OURS, BATCHED, WITHOUT = "autograd_core", "autograd_core, batched", "autograd_core without Numba"
CASADI, MICROGRAD, JAX = "CasADi SX", "micrograd", "JAX jit"
# name: how to make its calls, the modules it needs
ENGINES: dict[str, tuple[Callable[[str], engines.Call], str]] = {
    OURS: (engines.autograd_core, "autograd_core numba"),
    BATCHED: (engines.batched, "autograd_core numba"),
    WITHOUT: (engines.without_numba, "autograd_core"),
    CASADI: (engines.casadi, "casadi"),
    MICROGRAD: (engines.micrograd, "micrograd"),
    JAX: (engines.jax_jit, "jax"),
}
RUN_BY = {
    DEMO: (OURS, BATCHED, WITHOUT, CASADI, MICROGRAD),
    HESSIAN: (OURS, CASADI, JAX),
    ROLLOUT: (OURS, CASADI, JAX),
}
AT_MOST = {OURS: 0.6, BATCHED: 0.4}  # times CasADi
SPEEDUP = {OURS: 4_000, WITHOUT: 200}  # over micrograd
LOWERING = 2.0  # seconds
LARGE = 110  # samples of the demo, which make 200,000 steps
OVERHEAD = 1.2  # of the arena over live buffers
NOTHING = 2_000  # bytes after a thousand calls: a counter's digits, no result


@cache
def _call(engine: str, name: str) -> engines.Call:
    return ENGINES[engine][0](name)


def first_numbers(engine: str, name: str) -> list[float]:
    """Return all numbers that a call gives, before any is timed; the second one replays."""
    _call(engine, name)()
    numbers: list[float] = np.concatenate([np.ravel(x) for x in _call(engine, name)()]).tolist()
    return numbers


def turn(engine: str, name: str) -> float:
    """Return the mean seconds of a call."""
    return seconds_per_step(_call(engine, name), at_least_seconds=SECONDS)


def preparation() -> tuple[int, float, float]:
    """Return the steps of a large demo, the seconds of its first call, and those of lowering."""
    step = engines.compiled_demo(LARGE)
    start = time.perf_counter()
    step(engines.demo_start())
    first_call = time.perf_counter() - start
    lower = partial(scalar_executor, step.program, True)
    lowering = median(seconds_per_step(lower, warm_up=False) for _ in range(3))
    return len(step.program), first_call, lowering


def machine_seconds(folder: str) -> float:
    """Return the seconds of getting the machine, with a folder of its own for the cache."""
    os.environ["XDG_CACHE_HOME"] = folder
    os.environ.pop("NUMBA_CACHE_DIR", None)
    if "numba" in sys.modules:
        raise RuntimeError("Numba was loaded before: this would not be a first time")
    return seconds_per_step(virtual_machine, warm_up=False)


def report() -> str:
    """Measure everything and return it as Markdown."""
    with own_processes({name: modules for name, (_, modules) in ENGINES.items()}) as processes:
        measured = {name: _measured(processes, name) for name in RUN_BY}
    demo = measured.pop(DEMO)
    lines = [
        f"{DEMO.capitalize()}, the loss and all {engines.WEIGHTS} gradients:",
        "",
        table(["engine", "ms: median (fastest)", *_peers(demo)], _demo_rows(demo)),
        "",
        "Other derivatives of functions of numbers; microseconds, median (fastest):",
        "",
        table(["function", OURS, CASADI, JAX], _other_rows(measured)),
        "",
    ]
    costs = [*_preparation(), *_memory()]
    targets = [*_targets(demo), *[line for line in costs if line.startswith("- ")]]
    tables = [line for line in costs if not line.startswith("- ")]
    return "\n".join([*lines, *tables, *targets])


def _measured(processes: dict[str, Ask], name: str) -> dict[str, Times]:
    """Return the times of all engines, once their numbers have been found to agree."""
    asked = {engine: processes[engine] for engine in RUN_BY[name] if engine in processes}
    numbers = {engine: ask(first_numbers, engine, name) for engine, ask in asked.items()}
    require_agreement(name, numbers, within=1e-9)
    turns = {engine: partial(ask, turn, engine, name) for engine, ask in asked.items()}
    return take_turns(turns, ROUNDS)


def _peers(times: dict[str, Times]) -> list[str]:
    """Return the headings of the columns of ratios."""
    texts = {CASADI: f"divided by {CASADI}", MICROGRAD: f"times {MICROGRAD}'s speed"}
    return [text for name, text in texts.items() if name in times]


def _demo_rows(times: dict[str, Times]) -> Iterator[list[str]]:
    for name in RUN_BY[DEMO]:
        if name not in times:
            yield [name, "not installed", *[""] * len(_peers(times))]
            continue
        own = times[name].median
        row = [name, _cell(times[name], 1e3, 3)]
        if CASADI in times:
            row.append(f"{own / times[CASADI].median:,.2f}")
        if MICROGRAD in times:
            row.append(f"{times[MICROGRAD].median / own:,.0f}")
        yield row


def _other_rows(measured: dict[str, dict[str, Times]]) -> Iterator[list[str]]:
    for name, times in measured.items():
        engine_names = (OURS, CASADI, JAX)
        cells = [_cell(times[n], 1e6, 1) if n in times else "not installed" for n in engine_names]
        yield [name, *cells]


def _cell(times: Times, factor: float, digits: int) -> str:
    return f"{times.median * factor:,.{digits}f} ({times.fastest * factor:,.{digits}f})"


def _targets(times: dict[str, Times]) -> Iterator[str]:
    for name, limit in AT_MOST.items():
        if name in times and CASADI in times:
            ratio = times[name].median / times[CASADI].median
            wanted = f"{DEMO}, {name}: at most {limit} times {CASADI}"
            yield target(wanted, f"{ratio:.2f}", ratio <= limit, (times[name], times[CASADI]))
    for name, speedup in SPEEDUP.items():
        if name in times and MICROGRAD in times:
            ratio = times[MICROGRAD].median / times[name].median
            wanted = f"{DEMO}, {name}: at least {speedup:,} times {MICROGRAD}'s speed"
            both = times[name], times[MICROGRAD]
            yield target(wanted, f"{ratio:,.0f} times", ratio >= speedup, both)


def _preparation() -> Iterator[str]:
    """Yield the seconds before the first replay: of recording, lowering and the machine."""
    steps, first_call, lowering = _alone(preparation)
    rows = [
        [f"a first call, {steps:,} steps: recording, passes, lowering", f"{first_call:.2f}"],
        ["of it lowering", f"{lowering:.2f}"],
    ]
    with tempfile.TemporaryDirectory() as folder:
        rows += [
            [f"the machine, with Numba's import, {what}", f"{_alone(machine_seconds, folder):.2f}"]
            for what in ("compiled for the first time", "taken from the disk")
            if has_numba()
        ]
    yield from ["Before the first replay:", "", table(["what", "seconds"], rows), ""]
    wanted = f"lowering {steps:,} steps: at most {LOWERING:g} s"
    yield target(wanted, f"{lowering:.2f}", steps >= 200_000 and lowering <= LOWERING)


def _memory() -> Iterator[str]:
    """Yield the bytes of buffers, and of what a thousand calls leave behind."""
    found = {network.name: _alone(memory.buffers, network) for network in arrays.NETWORKS}
    rows, ratios = [], []
    for name, sizes in found.items():
        if sizes is None:
            rows.append([name, "", "", "run on single numbers"])
            continue
        arena, live = sizes
        ratios.append(arena / live)
        rows.append([name, f"{arena:,}", f"{live:,}", f"{ratios[-1]:.2f}"])
    header = ["compiled step", "bytes of its arena", "of buffers alive together", "ratio"]
    yield from [table(header, rows), ""]
    if ratios:
        worst = max(ratios)
        wanted = f"an arena at most {OVERHEAD} times what is alive in it"
        yield target(wanted, f"{worst:.2f} at most", worst <= OVERHEAD)
    for name in ("one by one", "batched", arrays.NETWORKS[4].name):
        grown = _alone(memory.growth, name)
        wanted = f"{memory.CALLS:,} calls leave nothing behind, {name}"
        yield target(wanted, f"{grown:,} bytes", grown < NOTHING)


def _alone(function: Callable[..., Any], *args: Any) -> Any:
    """Return what a function returns in a process of its own."""
    with own_processes({OURS: "autograd_core"}) as processes:
        return processes[OURS](function, *args)
