"""Networks: an epoch of MNIST in four libraries, and steps of an LSTM and of convolutions."""

from collections.abc import Callable, Iterator
from functools import cache, partial

from . import network_engines as engines
from .markdown import table, target
from .network_engines import CONVOLUTIONAL, DENSE, RECURRENT
from .timing import (
    Ask,
    Times,
    own_processes,
    require_agreement,
    seconds_per_step,
    take_turns,
)

OURS, COMPILED = "nn", "nn, jit=True"
PYTORCH, KERAS, SKLEARN = "PyTorch", "Keras on JAX", "scikit-learn"
# name: how to make its epoch, the modules it needs
EPOCHS: dict[str, tuple[Callable[[str], engines.Train], str]] = {
    OURS: (engines.nn_epoch, "nn"),
    COMPILED: (partial(engines.nn_epoch, jit=True), "nn"),
    PYTORCH: (engines.torch_epoch, "torch"),
    "PyTorch, fused Adam": (partial(engines.torch_epoch, fused=True), "torch"),
    "PyTorch, DataLoader": (engines.torch_loader_epoch, "torch"),
    KERAS: (partial(engines.keras_epoch, backend="jax"), "keras jax"),
    "Keras on PyTorch": (partial(engines.keras_epoch, backend="torch"), "keras torch"),
    SKLEARN: (engines.sklearn_epoch, "sklearn"),
}
STEPS: dict[str, tuple[Callable[[str], engines.Train], str]] = {
    OURS: (engines.nn_step, "nn"),
    PYTORCH: (engines.torch_step, "torch"),
}
LIMITS = {PYTORCH: "at most 1.0 times", KERAS: "below", SKLEARN: "below"}
COMPILED_LIMIT = 0.8  # times PyTorch
EPOCH_ROUNDS, STEP_ROUNDS = 7, 15
SECONDS = 0.3  # one turn of steps


@cache
def _epoch(engine: str) -> engines.Train:
    return EPOCHS[engine][0](DENSE)


@cache
def _step(engine: str, network: str) -> engines.Train:
    return STEPS[engine][0](network)


def first_epoch(engine: str) -> list[float]:
    """Return the loss of the first epoch, before any is timed: some compile in it."""
    return [_epoch(engine)()]


def first_steps(engine: str, network: str) -> list[float]:
    """Return the losses of the first three steps, before any is timed."""
    return [_step(engine, network)() for _ in range(3)]


def epoch_turn(engine: str) -> float:
    """Return the seconds of an epoch."""
    return seconds_per_step(_epoch(engine), warm_up=False)


def step_turn(engine: str, network: str) -> float:
    """Return the mean seconds of a step."""
    return seconds_per_step(_step(engine, network), at_least_seconds=SECONDS)


def report() -> str:
    """Measure everything and return it as Markdown."""
    with own_processes({name: modules for name, (_, modules) in EPOCHS.items()}) as processes:
        data = processes[OURS](engines.data_name)
        epochs = _epochs(processes)
    with own_processes({name: modules for name, (_, modules) in STEPS.items()}) as processes:
        steps = [(network, _steps(processes, network)) for network in (RECURRENT, CONVOLUTIONAL)]
    lines = [
        f"An epoch of {DENSE}, {engines.SAMPLES:,} samples, {data}; seconds, median (fastest):",
        "",
        table(
            ["library", "seconds", *[f"{ours} divided by it" for ours in (OURS, COMPILED)]],
            _epoch_rows(epochs),
        ),
        "",
        f"A step with {engines.BATCH} samples; milliseconds, median (fastest):",
        "",
        table(["network", *STEPS, f"nn divided by {PYTORCH}"], _step_rows(steps)),
        "",
        *_targets(epochs),
    ]
    return "\n".join(lines)


def _epochs(processes: dict[str, Ask]) -> dict[str, Times]:
    """Return the times of an epoch, once all have learnt alike; each shuffles for itself."""
    losses = {name: ask(first_epoch, name) for name, ask in processes.items()}
    require_agreement(DENSE, losses, within=0.03)
    turns = {name: partial(ask, epoch_turn, name) for name, ask in processes.items()}
    return take_turns(turns, EPOCH_ROUNDS)


def _steps(processes: dict[str, Ask], network: str) -> dict[str, Times]:
    """Return the times of a step, once the losses of the first ones have been found to agree."""
    losses = {name: ask(first_steps, name, network) for name, ask in processes.items()}
    require_agreement(network, losses, within=1e-3)
    turns = {name: partial(ask, step_turn, name, network) for name, ask in processes.items()}
    return take_turns(turns, STEP_ROUNDS)


def _epoch_rows(epochs: dict[str, Times]) -> Iterator[list[str]]:
    for name in EPOCHS:
        if name in epochs:
            ratios = [epochs[ours].median / epochs[name].median for ours in (OURS, COMPILED)]
            yield [name, _cell(epochs[name], 1.0, 2), *[f"{ratio:.2f}" for ratio in ratios]]
        else:
            yield [name, "not installed", "", ""]


def _step_rows(steps: list[tuple[str, dict[str, Times]]]) -> Iterator[list[str]]:
    for network, times in steps:
        cells = [_cell(times[n], 1e3, 2) if n in times else "not installed" for n in STEPS]
        ratio = f"{times[OURS].median / times[PYTORCH].median:.2f}" if PYTORCH in times else ""
        yield [network, *cells, ratio]


def _cell(times: Times, factor: float, digits: int) -> str:
    return f"{times.median * factor:.{digits}f} ({times.fastest * factor:.{digits}f})"


def _targets(epochs: dict[str, Times]) -> Iterator[str]:
    for peer, limit in LIMITS.items():
        if peer in epochs:
            ratio = epochs[OURS].median / epochs[peer].median
            is_met = ratio <= 1.0 if peer == PYTORCH else ratio < 1.0
            wanted = f"{DENSE}: {limit} {peer}"
            yield target(wanted, f"{ratio:.2f}", is_met, (epochs[OURS], epochs[peer]))
    if PYTORCH in epochs:
        ratio = epochs[COMPILED].median / epochs[PYTORCH].median
        wanted = f"{DENSE}, {COMPILED}: at most {COMPILED_LIMIT} times {PYTORCH}"
        both = epochs[COMPILED], epochs[PYTORCH]
        yield target(wanted, f"{ratio:.2f}", ratio <= COMPILED_LIMIT, both)
