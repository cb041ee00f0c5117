"""What one or two ranks measure: `mpiexec -n 2 python -m benchmarks.parallel_ranks PART`.

Rank 0 prints a JSON object with seconds; one BLAS thread a rank, so that two ranks have two cores.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import nn
from autograd_core import Value
from nn.integrations.mpi import Buckets
from nn.parallel import Ranks

from .network_engines import DENSE, samples
from .timing import seconds_per_step

LARGE = "784-512-512-10"
UNITS = {DENSE: [128], LARGE: [512, 512]}
BATCHES = {DENSE: 100, LARGE: 256}  # samples of all ranks together
STEPS = 100  # a turn
SIZES = [2**k for k in range(3, 25, 3)]  # bytes: 8 to 16 million
BUCKETS = [2**k for k in (16, 18, 20, 22, 24)]  # bytes


def model(network: str) -> nn.Sequential:
    """Return a network that is about to learn."""
    nn.set_seed(0)
    layers = [nn.Dense(units, "relu") for units in UNITS[network]]
    made = nn.Sequential([*layers, nn.Dense(10, "softmax")], input_shape=(784,))
    made.compile("adam", loss="sparse_categorical_crossentropy")
    return made


def number_of_parameters(network: str) -> int:
    """Return how many numbers are averaged in a step."""
    return sum(parameter.size for parameter in model(network).parameters())


def steps(ranks: Ranks, divisor: int) -> dict[str, float]:
    """Return the seconds of a step with the usual batch, divided by `divisor`, by network."""
    found = {}
    x, y = samples(DENSE)
    for network, batch in BATCHES.items():
        here = slice(STEPS * batch // divisor)
        learning = model(network)
        options: dict[str, Any] = {"batch_size": batch // divisor, "verbose": 0}
        ranks.fit(learning, x[here], y[here], **options)
        start = time.perf_counter()
        ranks.fit(learning, x[here], y[here], **options)
        found[network] = (time.perf_counter() - start) / STEPS
    return found


def allreduce(ranks: Ranks) -> dict[str, float]:
    """Return the seconds of Allreduce by bytes."""
    found = {}
    for size in SIZES:
        numbers = np.ones(size // 4, np.float32)
        reduce = partial(ranks._world.comm.Allreduce, numbers, np.empty_like(numbers))
        found[str(size)] = _together(ranks, reduce, 2**25 // size)
    return found


def buckets(ranks: Ranks) -> dict[str, float]:
    """Return the seconds of averaging the gradients of the large network, by bytes of a bucket."""
    parameters = model(LARGE).parameters()
    for parameter in parameters:
        parameter.grad = np.ones_like(parameter.data)
    found = {}
    for size in BUCKETS:
        made = Buckets(parameters, size, ranks._world)
        found[str(size)] = _together(ranks, partial(made.average, 1.0, 0.5), 100)
    return found


def overlap(ranks: Ranks) -> dict[str, float]:
    """Return the seconds of a backward pass, of an Allreduce, and of both begun at once."""
    numbers = np.ones(number_of_parameters(LARGE), np.float32)
    sums = np.empty_like(numbers)  # a request does not keep it alive
    x = Value(np.ones((BATCHES[LARGE] // 2, 784), np.float32))
    learning = model(LARGE)

    def compute() -> None:
        learning(x).sum().backward()

    def both() -> None:
        request = ranks._world.comm.Iallreduce(numbers, sums)
        compute()
        request.Wait()

    return {
        "compute": _together(ranks, compute, 50),
        "send": _together(ranks, lambda: ranks._world.comm.Allreduce(numbers, sums), 50),
        "both": _together(ranks, both, 50),
    }


def _together(ranks: Ranks, step: Callable[[], object], turns: int) -> float:
    """Return the seconds of a step that all ranks begin together, at most 1,000 of them."""
    ranks._world.comm.Barrier()
    return seconds_per_step(step, at_least_steps=min(turns, 1000))


PARTS: dict[str, Callable[[Ranks], dict[str, float]]] = {
    "whole": lambda ranks: steps(ranks, 1),
    "half": lambda ranks: steps(ranks, 2),
    "allreduce": allreduce,
    "buckets": buckets,
    "overlap": overlap,
}


def main(part: str) -> None:
    """Measure one part; rank 0 prints it."""
    with Ranks() as ranks:
        found = PARTS[part](ranks)
        if ranks.is_first:
            print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
