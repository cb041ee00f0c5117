"""micrograd's demo, step by step and compiled: the same numbers, thousands of times sooner.

A scalar network, 2-16-16-1 with 337 weights, sees 100 points of two moons one after another: a
step records 65,000 nodes. Compiled, the step is recorded once and replayed from then on. Run it
with `python -m demos.compile_moons`; Numba (the extra `fast`) runs the replay in machine code.
"""

import time

from autograd_core import compile, gradients
from nn import MLP, set_seed
from nn.datasets import moons

STEPS = 5  # of the slow kind
EPOCHS = 100

set_seed(1337)
points, labels = moons(100, noise=0.1, seed=1337)
points, signs = points.tolist(), (2.0 * labels - 1.0).tolist()
model = MLP(2, [16, 16, 1])
parameters = model.parameters()


def loss():
    """Return the hinge loss of all points, one by one, with decay: micrograd's own."""
    scores = [model(point) for point in points]
    losses = [(1 - sign * score).relu() for sign, score in zip(signs, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)


def eager_step(learning_rate):
    """Build the graph, walk it back, move the weights."""
    value = loss()
    model.zero_grad()
    value.backward()
    for p in parameters:
        p.data -= learning_rate * p.grad
    return value.data


@compile
def compiled_step(learning_rate):
    """Do the same; `gradients` gives what backward() would write into each p.grad."""
    value = loss()
    for p, gradient in zip(parameters, gradients(value, parameters), strict=True):
        p.data = p - learning_rate * gradient
    return value


def seconds(step, count):
    """Train `count` steps; return the mean seconds of one, and the losses."""
    start = time.perf_counter()
    losses = [step(0.5) for _ in range(count)]
    return (time.perf_counter() - start) / count, losses


def main():
    """Train both ways from the same weights, and compare."""
    before = [p.data for p in parameters]
    eager, losses = seconds(eager_step, STEPS)
    for p, data in zip(parameters, before, strict=True):
        p.data = data
    recording, first = seconds(compiled_step, 1)
    steps, others = seconds(compiled_step, STEPS - 1)
    difference = max(abs(a - b) for a, b in zip(losses, first + others, strict=True))
    steps, last = seconds(compiled_step, EPOCHS)
    print(f"eager:    {1e3 * eager:9.3f} ms a step")
    print(f"compiled: {1e3 * steps:9.3f} ms a step, after {recording:.1f} s of recording")
    print(f"          {eager / steps:9,.0f} times as fast; losses differ by {difference:.0e}")
    print(f"loss after {STEPS + EPOCHS} steps: {last[-1]:.4f}")


if __name__ == "__main__":
    main()
