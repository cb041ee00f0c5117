"""Arrays: a training step of six float32 networks, in eight engines."""

import math
from collections.abc import Iterator
from functools import cache, partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np

from . import array_engines as engines
from .markdown import table, target
from .timing import (
    Ask,
    Times,
    own_processes,
    require_agreement,
    seconds_per_step,
    take_turns,
)

ROUNDS = 15
SECONDS = 0.15  # one turn of one engine: long enough for its threads to be awake


class Network(NamedTuple):
    """A network, and how many times a peer's time its step may take, recorded or compiled."""

    sizes: tuple[int, ...]
    batch: int
    limits: dict[str, float]
    compiled_limits: dict[str, float]

    @property
    def name(self) -> str:
        """The sizes of the layers, and the samples."""
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch}"


OURS, COMPILED = "autograd_core", "autograd_core, compiled"
NUMPY, PYTORCH, JAX = "NumPy by hand", "PyTorch", "JAX jit"
BOTH = {NUMPY: 1.05, JAX: 1.0}
NETWORKS = (
    Network((2, 3, 2), 4, {PYTORCH: 1.0}, BOTH),
    Network((2, 16, 16, 2), 100, {PYTORCH: 1.0}, BOTH),
    Network((784, 32, 10), 100, {PYTORCH: 1.0}, BOTH),
    Network((784, 16, 16, 10), 32, {PYTORCH: 1.0, NUMPY: 1.6}, BOTH),
    Network((784, 128, 10), 128, {PYTORCH: 1.1, NUMPY: 1.6}, BOTH),
    Network((784, 512, 512, 10), 128, {PYTORCH: 1.35, NUMPY: 1.6}, {NUMPY: 1.05}),
)
# name: how to make its step, the module it needs
ENGINES = {
    OURS: (engines.autograd_core, "autograd_core"),
    COMPILED: (engines.autograd_core_compiled, "autograd_core"),
    NUMPY: (engines.numpy_by_hand, "numpy"),
    PYTORCH: (engines.pytorch, "torch"),
    "PyTorch by hand": (engines.pytorch_by_hand, "torch"),
    JAX: (engines.jax_jit, "jax"),
    "autograd": (engines.hips_autograd, "autograd"),
    "MyGrad": (engines.mygrad, "mygrad"),
}
Measured: TypeAlias = list[tuple[Network, dict[str, Times]]]
PEERS = [name for name in ENGINES if name not in (OURS, COMPILED)]


def start(
    sizes: tuple[int, ...], batch: int
) -> tuple[list[engines.Array], engines.Array, engines.Array]:
    """Return weights, samples and labels: the same for every engine."""
    rng = np.random.default_rng(0)
    parameters: list[engines.Array] = []
    for inputs, outputs in pairwise(sizes):
        weights = rng.standard_normal((inputs, outputs)) * math.sqrt(2 / inputs)
        parameters += [weights.astype(np.float32), np.zeros(outputs, np.float32)]
    x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
    labels = rng.integers(0, sizes[-1], batch)
    return parameters, x, labels


@cache
def _step(engine: str, sizes: tuple[int, ...], batch: int) -> engines.Step:
    """Return the engine's step."""
    return ENGINES[engine][0](*start(sizes, batch))


def first_losses(engine: str, network: Network) -> list[float]:
    """Return the losses of the first three steps, before any is timed."""
    return [_step(engine, network.sizes, network.batch)() for _ in range(3)]


def turn(engine: str, network: Network) -> float:
    """Return the mean seconds of a step."""
    return seconds_per_step(_step(engine, network.sizes, network.batch), at_least_seconds=SECONDS)


def report() -> str:
    """Measure everything and return it as Markdown."""
    with own_processes({name: module for name, (_, module) in ENGINES.items()}) as processes:
        measured = [(network, _measured(processes, network)) for network in NETWORKS]
    cells = [[network.name, *_cells(times)] for network, times in measured]
    lines = [
        "Microseconds a step, median (fastest):",
        "",
        table(["network", *ENGINES], cells),
        "",
        *_ratio_table(OURS, measured),
        *_ratio_table(COMPILED, measured),
        *_targets(measured),
    ]
    return "\n".join(lines)


def _measured(processes: dict[str, Ask], network: Network) -> dict[str, Times]:
    """Return the times of every engine, once their losses have been found to agree."""
    losses = {name: ask(first_losses, name, network) for name, ask in processes.items()}
    require_agreement(network.name, losses, within=1e-4)
    return take_turns(
        {name: partial(ask, turn, name, network) for name, ask in processes.items()}, ROUNDS
    )


def _cells(times: dict[str, Times]) -> list[str]:
    cells = {n: f"{t.median * 1e6:,.0f} ({t.fastest * 1e6:,.0f})" for n, t in times.items()}
    return [cells.get(name, "not installed") for name in ENGINES]


def _ratio_table(ours: str, measured: Measured) -> list[str]:
    ratios = [[network.name, *_ratios(ours, times)] for network, times in measured]
    header = ["network", *PEERS]
    return [f"The time of {ours} divided by that of:", "", table(header, ratios), ""]


def _ratios(ours: str, times: dict[str, Times]) -> list[str]:
    ratios = {name: f"{times[ours].median / each.median:.2f}" for name, each in times.items()}
    return [ratios.get(name, "not installed") for name in PEERS]


def _targets(measured: Measured) -> Iterator[str]:
    for ours in (OURS, COMPILED):
        how = ", compiled" if ours == COMPILED else ""
        for network, times in measured:
            limits = network.compiled_limits if ours == COMPILED else network.limits
            for peer, limit in limits.items():
                if peer in times:
                    ratio = times[ours].median / times[peer].median
                    wanted = f"{network.name}{how}: at most {limit} times {peer}"
                    both = times[ours], times[peer]
                    yield target(wanted, f"{ratio:.2f}", ratio <= limit, both)
