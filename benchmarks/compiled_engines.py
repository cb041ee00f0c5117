"""Three functions of numbers with their derivatives, compiled by each engine.

The demo of micrograd, the energy of particles, and masses on springs are written once, on single
numbers, for autograd_core and CasADi alike; JAX has the last two, the springs on arrays and in its
own loop. Each engine takes the name of a function and returns a call, which gives a tuple of
numbers and arrays. Each peer is imported by its own function, so that a process holds one.
"""

import math
import random
import sys
from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from autograd_core import batch, compile, hessian, value_and_grad

from .scalars import moons

Call: TypeAlias = Callable[[], tuple[Any, ...]]

DEMO, HESSIAN, ROLLOUT = "micrograd's demo", "Hessian, 10 parameters", "rollout, 100 steps"
SIZES = (2, 16, 16, 1)
WEIGHTS = sum((inputs + 1) * outputs for inputs, outputs in pairwise(SIZES))
SAMPLES = 100
DECAY = 1e-4
PARTICLES = 5  # in a plane
MASSES, STEPS, SECONDS = 10, 100, 0.05  # between two walls; seconds of one step


def demo_start() -> list[float]:
    """Return weights, for each neuron those of its inputs and then its bias."""
    rng = random.Random(1337)
    return [rng.uniform(-1, 1) for _ in range(WEIGHTS)]


def demo_score(weights: Any, x: Any, relu: Callable[[Any], Any]) -> Any:
    """Return the score of one sample."""
    at = 0
    for inputs, outputs in pairwise(SIZES):
        neurons = []
        for _ in range(outputs):
            total = weights[at + inputs]
            for i in range(inputs):
                total = total + weights[at + i] * x[i]
            neurons.append(relu(total) if outputs > 1 else total)
            at += inputs + 1
        x = neurons
    return x[0]


def demo_loss(weights: Any, samples: int, relu: Callable[[Any], Any]) -> Any:
    """Return the hinge loss of all samples, one after another, with decay."""
    pairs = zip(*moons(samples), strict=True)
    losses = [relu(1.0 - label * demo_score(weights, point, relu)) for point, label in pairs]
    return sum(losses) * (1.0 / len(losses)) + DECAY * sum(w * w for w in weights)


def energy_start() -> Any:
    """Return where the particles are: nearly on a circle."""
    angles = [2.0 * math.pi * i / PARTICLES for i in range(PARTICLES)]
    around = [1.1 * part for a in angles for part in (math.cos(a), math.sin(a))]
    return np.array(around) + 0.01 * np.arange(len(around))


def energy(x: Any) -> Any:
    """Return the energy of particles that attract and repel each other (Lennard-Jones)."""
    total = 0.0
    for i in range(0, 2 * PARTICLES, 2):
        for j in range(0, i, 2):
            inverse = 1.0 / ((x[i] - x[j]) ** 2 + (x[i + 1] - x[j + 1]) ** 2)
            cubed = inverse * inverse * inverse
            total = total + 4.0 * (cubed * cubed - cubed)
    return total


def rollout_start() -> list[float]:
    """Return how stiff the springs are."""
    return [1.0 + 0.1 * i for i in range(MASSES + 1)]


def rollout(stiffness: Any) -> Any:
    """Return how far a chain of masses ends from where it should; the first one was pushed."""
    x, v = [0.0] * MASSES, [1.0] + [0.0] * (MASSES - 1)
    for _ in range(STEPS):
        forces = []
        for k, (left, right) in zip(stiffness, pairwise([0.0, *x, 0.0]), strict=True):
            length = right - left
            forces.append(k * (length + length * length * length))
        between = pairwise(forces)
        v = [0.999 * v[i] + SECONDS * (right - left) for i, (left, right) in enumerate(between)]
        x = [x[i] + SECONDS * v[i] for i in range(MASSES)]
    return sum((xi - 0.1) ** 2 for xi in x)


def autograd_core(name: str, samples: int = SAMPLES) -> Call:
    """Return the call of the library measured here."""
    if name == HESSIAN:
        second, x = compile(hessian(energy)), energy_start()
        return lambda: (second(x),)
    if name == ROLLOUT:
        first, stiffness = compile(value_and_grad(rollout)), rollout_start()
        return lambda: first(stiffness)
    step, weights = compiled_demo(samples), demo_start()
    return lambda: step(weights)


def compiled_demo(samples: int = SAMPLES) -> Any:
    """Return the step of the demo as a compiled function of the weights."""
    return compile(value_and_grad(lambda weights: demo_loss(weights, samples, _relu)))


def _relu(x: Any) -> Any:
    return x.relu()


def without_numba(name: str) -> Call:
    """Return the same where Numba is not installed, as this process believes from now on."""
    sys.modules["numba"] = None  # type: ignore[assignment]
    return autograd_core(name)


def batched(name: str) -> Call:  # noqa: ARG001
    """Return the step of the demo with the loss of one sample, applied to all at once."""

    def of_one(weights: Any, x: Any, y: Any, label: Any) -> Any:
        return _relu(1.0 - label * demo_score(weights, [x, y], _relu))

    def loss(weights: Any, x: Any, y: Any, labels: Any) -> Any:
        losses = batch(of_one, in_axes=(None, 0, 0, 0))(weights, x, y, labels)
        return losses.mean() + DECAY * sum(w * w for w in weights)

    points, labels = map(np.array, moons(SAMPLES))
    data = [points[:, 0].copy(), points[:, 1].copy(), labels.astype(float)]
    step, weights = compile(value_and_grad(loss)), demo_start()
    return lambda: step(weights, *data)


def casadi(name: str) -> Call:
    """Return the call of CasADi's SX at its quickest, from arrays into arrays."""
    ca = import_module("casadi")
    starts = {DEMO: demo_start, HESSIAN: energy_start, ROLLOUT: rollout_start}
    given = np.array(starts[name]())
    symbols = ca.SX.sym("x", len(given))
    numbers = [symbols[i] for i in range(len(given))]
    if name == HESSIAN:
        wanted = [ca.densify(ca.hessian(energy(numbers), symbols)[0])]
        results = (np.zeros((len(given), len(given))),)
    else:
        value = rollout(numbers) if name == ROLLOUT else None
        if value is None:
            value = demo_loss(numbers, SAMPLES, lambda x: ca.fmax(x, 0))
        wanted = [value, ca.gradient(value, symbols)]
        results = np.zeros(1), np.zeros(len(given))
    function = ca.Function("f", [symbols], wanted)
    buffer, evaluate = function.buffer()
    buffer.set_arg(0, memoryview(given))
    for i, result in enumerate(results):
        buffer.set_res(i, memoryview(result))

    def call(_: Any = (function, buffer, given)) -> tuple[Any, ...]:  # evaluate keeps none
        evaluate()
        return results

    return call


def micrograd(name: str) -> Call:  # noqa: ARG001
    """Return the demo's step as micrograd's users write it, without the update."""
    value = import_module("micrograd.engine").Value
    model = import_module("micrograd.nn").MLP(SIZES[0], list(SIZES[1:]))
    parameters = model.parameters()  # in the order of ours
    for p, weight in zip(parameters, demo_start(), strict=True):
        p.data = weight
    points, labels = moons(SAMPLES)

    def call() -> tuple[Any, ...]:
        inputs = [list(map(value, row)) for row in points]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(labels, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + DECAY * sum(p * p for p in parameters)
        model.zero_grad()
        loss.backward()
        return loss.data, [p.grad for p in parameters]

    return call


def jax_jit(name: str) -> Call:
    """Return the call of JAX in float64, compiled as one function."""
    jax = import_module("jax")
    jnp = jax.numpy
    jax.config.update("jax_enable_x64", True)

    def one_step(stiffness: Any, state: Any) -> Any:
        x, v = state
        lengths = jnp.diff(x, prepend=0.0, append=0.0)
        forces = stiffness * (lengths + lengths * lengths * lengths)
        v = 0.999 * v + SECONDS * jnp.diff(forces)
        return (x + SECONDS * v, v), None

    def roll(stiffness: Any) -> Any:
        state = jnp.zeros(MASSES), jnp.zeros(MASSES).at[0].set(1.0)
        (x, _), _ = jax.lax.scan(lambda s, _: one_step(stiffness, s), state, length=STEPS)
        return ((x - 0.1) ** 2).sum()

    if name == HESSIAN:
        second, place = jax.jit(jax.hessian(energy)), jax.device_put(energy_start())
        return lambda: (np.asarray(second(place)),)
    first = jax.jit(jax.value_and_grad(roll))
    given = jax.device_put(np.array(rollout_start()))

    def call() -> tuple[Any, ...]:
        value, gradient = first(given)
        return float(value), np.asarray(gradient)

    return call
