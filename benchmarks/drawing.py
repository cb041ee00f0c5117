"""Drawing: how long pictures of large graphs take, from the graph to the SVG."""

import random
from collections.abc import Callable

import numpy as np

import nn
from autograd_core import Value, draw

from .markdown import table, target
from .timing import seconds_per_step

SAMPLES = 100


def micrograd_step() -> Value:
    """Return the loss of micrograd's demo, after backward()."""
    random.seed(1337)
    x, y = nn.datasets.moons(SAMPLES, noise=0.1, seed=0)
    model = nn.MLP(2, [16, 16, 1])
    scores = [model([Value(number) for number in row]) for row in x.tolist()]
    losses = [(1 - (2 * label - 1) * s).relu() for label, s in zip(y.tolist(), scores, strict=True)]
    decay = 1e-4 * sum(p * p for p in model.parameters())
    loss: Value = sum(losses) * (1 / SAMPLES) + decay
    loss.backward()
    return loss


def array_step() -> Value:
    """Return the loss of 784-128-10 on a batch, after backward()."""
    layers = [nn.Dense(128, "relu"), nn.Dense(10, "softmax")]
    model = nn.Sequential(layers, input_shape=(784,))
    rng = np.random.default_rng(0)
    x, y = rng.random((SAMPLES, 784), np.float32), rng.integers(0, 10, SAMPLES)
    loss: Value = nn.losses.sparse_categorical_crossentropy(y, model(x))
    loss.backward()
    return loss


GRAPHS: dict[str, tuple[Callable[[], Value], float]] = {
    "micrograd's demo, 65,000 nodes": (micrograd_step, 5.0),
    "784-128-10, arrays": (array_step, 1.0),
}


def report() -> str:
    """Measure everything and return it as Markdown."""
    first = seconds_per_step(lambda: draw(Value(1.0) + 1.0).svg(), warm_up=False)
    seconds = {}
    for name, (make, _) in GRAPHS.items():
        loss = make()
        seconds[name] = seconds_per_step(lambda loss=loss: draw(loss).svg())
    rows = [["a sum, the first picture of a process", f"{first:.2f}"]]
    rows += [[name, f"{taken:.2f}"] for name, taken in seconds.items()]
    targets = [
        target(f"{name}: under {limit:g} s", f"{seconds[name]:.2f}", seconds[name] < limit)
        for name, (_, limit) in GRAPHS.items()
    ]
    return "\n".join([table(["graph", "seconds"], rows), "", *targets])
