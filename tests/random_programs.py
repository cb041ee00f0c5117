"""Random programs: a function, its derivatives and a step that keeps state, run in every way.

Each seed gives a program of the operations of test_random_graphs.py and of those below, on numbers
and arrays of float64 or float32. `difference` runs it eagerly, compiled with Numba and without, in
a batch, differentiated inside and outside of compile, and by JAX, and reports what differs first.
"""

from dataclasses import dataclass
from functools import partial, reduce
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np
from test_random_graphs import ALONG_AN_AXIS, LARGEST, OPERATIONS, PIECEWISE

import autograd_core as ac
from autograd_core import Value, callback, fresh, gradients, value_and_grad

CLEARANCE = 2e-2  # from points where an operation has no derivative, also in float32
SMALL = [(), (), (2,), (3,), (2, 2), (2, 3), (3, 2)]
LARGE = [(), (40, 55), (40, 55), (40, 1), (55,)]  # whose chains are fused loops
PLACES = np.array([1, 0, 1])


class Library:
    """A NumPy with derivatives, batches and compiled functions: ours or JAX's."""

    def __init__(self, numpy, **functions):
        self._numpy = numpy
        vars(self).update(functions)

    def __getattr__(self, name):
        return getattr(self._numpy, name)


OURS = Library(np, grad=ac.grad, batch=ac.batch, compile=ac.compile)
JAX = Library(jnp, grad=jax.grad, batch=jax.vmap, compile=lambda f: f)
# Name: a function of a library and operands; and how far these are from where it is not smooth
MORE = {
    "mask": (lambda np, x, y: (x > y) * x - y, np.subtract),
    "conditions": (
        lambda np, x, y: np.where((x > 0) & (y < 1), x, 0.5 * y),
        lambda x, y: np.minimum(abs(x), abs(y - 1)),
    ),
    "negated condition": (
        lambda np, x: np.where(np.logical_not(x > 0.5), x * x, 1.0),
        lambda x: x - 0.5,
    ),
    "mod": (lambda np, x: x % 1.5 + x, lambda x: x / 1.5 - np.round(x / 1.5)),
    "floor divide": (lambda np, x: x - x // 1.5, lambda x: x / 1.5 - np.round(x / 1.5)),
    "round": (lambda np, x: x * np.round(x), lambda x: abs(x - np.floor(x) - 0.5)),
    "root": (lambda np, x: (1.0 + x * x) ** 0.5, None),
    "inverse": (lambda np, x: (2.0 + np.sin(x)) ** -1, None),
    "norm": (lambda np, x: np.linalg.norm(np.cos(x) + 2.0, axis=-1), None),
    "scaled": (lambda np, x: x / (1.0 + np.max(np.abs(x))), lambda x: np.abs(x) + 1),
    "no elements": (lambda np, x: x + np.sum(x[:0]), None),
    "places": (lambda np, x: x[PLACES] * 0.5, None),
    "centered": (lambda np, x: (x - np.mean(x, 0)) / np.sqrt(np.var(x, 0) + 0.5), None),
    "derivative": (lambda np, x: np.grad(lambda t: np.sum(np.sin(t) * t))(x), None),
    "mixed derivative": (
        lambda np, x, y: np.grad(lambda t: np.sum(np.tanh(t) * np.sum(y * t)))(x),
        None,
    ),
    "batch": (lambda np, x: np.batch(lambda row: row * np.sum(np.cos(row)))(x), None),
    "compiled": (lambda np, x: np.compile(lambda t: np.tanh(t) * t + 1.0)(x), None),
}
CALLS = OPERATIONS | {name: f for name, (f, _) in MORE.items()}
CLEARANCES = {name: of for name, (_, of) in (PIECEWISE | MORE).items() if of is not None}
NAMES = sorted(CALLS)


@dataclass
class Case:
    """A program: steps with their operands, sets of leaves, and what is done with them."""

    seed: int
    steps: list
    data: list  # of each call, the leaves
    dtype: type
    has_state: bool

    def output(self, library, leaves):
        """Carry out the steps, and sum up what was not used."""
        results = list(leaves)
        for name, operands in self.steps:
            results.append(CALLS[name](library, *[results[i] for i in operands]))
        used = {i for _, operands in self.steps for i in operands}
        return sum(library.sum(library.sin(x)) for i, x in enumerate(results) if i not in used)


def case(seed):
    """Return the program of a seed."""
    rng = np.random.default_rng(seed)
    dtype = np.float32 if rng.random() < 0.3 else np.float64
    shapes = LARGE if rng.random() < 0.15 else SMALL
    chosen = [shapes[i] for i in rng.integers(0, len(shapes), rng.integers(1, 4))]
    data = [[leaf(rng, shape, dtype) for shape in chosen] for _ in range(3)]
    made, steps = [list(leaves) for leaves in data], []
    for _ in range(rng.integers(3, 14)):
        name = NAMES[rng.integers(len(NAMES))]
        call = CALLS[name]
        operands = rng.integers(0, len(made[0]), call.__code__.co_argcount - 1).tolist()
        out = [result(name, [results[i] for i in operands], shapes) for results in made]
        if all(x is not None for x in out):
            for results, x in zip(made, out, strict=True):
                results.append(x)
            steps.append((name, operands))
    return Case(seed, steps, data, dtype, rng.random() < 0.3)


def leaf(rng, shape, dtype):
    drawn = rng.uniform(-2, 2, shape)
    return drawn.astype(dtype) if shape else float(drawn)


def result(name, operands, shapes):
    """Return what an operation gives, or None if it does not suit these operands."""
    if name in ALONG_AN_AXIS and not np.ndim(operands[0]):
        return None
    try:
        with np.errstate(all="ignore"):
            out = CALLS[name](OURS, *operands)
            clearance = CLEARANCES[name](*operands) if name in CLEARANCES else 1.0
    except (ValueError, IndexError, TypeError, AttributeError):
        return None
    suits = np.shape(out) in shapes and np.all(np.abs(out) < LARGEST)
    return out if suits and np.size(out) and np.all(np.abs(clearance) > CLEARANCE) else None


def without_numba(run):
    """Return a function that runs programs by NumPy alone."""

    def without():
        with (
            patch("autograd_core.program.executors.has_numba", lambda: False),
            patch("autograd_core.program.array_executor.has_numba", lambda: False),
        ):
            return list(run())

    return without


def apart(found, expected, dtype):
    """Return what tells two results apart, numbers and arrays in lists, or None."""
    found, expected = jax.tree.leaves(found), jax.tree.leaves(expected)
    if len(found) != len(expected):
        return f"{len(found)} results for {len(expected)}"
    scale = reduce(max, [float(np.max(np.abs(x), initial=1.0)) for x in expected], 1.0)
    bound = (1e-9 if dtype == np.float64 else 3e-4) * scale
    for one, other in zip(found, expected, strict=True):
        one, other = np.asarray(one), np.asarray(other)
        if one.shape != other.shape or not np.all(np.abs(one - other) <= bound):
            return f"{one} for {other}"
        if one.dtype != other.dtype:
            return f"{one.dtype} for {other.dtype}"
    return None


def plain(results):
    """Return the data of Values in a structure."""
    return jax.tree.map(
        lambda x: x.data if isinstance(x, Value) else x,
        results,
        is_leaf=lambda x: isinstance(x, Value),
    )


def ways(case):
    """Return the ways to run a program: names, and what returns results and the eager ones."""
    f = value_and_grad(lambda leaves: case.output(OURS, leaves))
    eager = partial(map, f, case.data)

    def replayed(f):
        return [run(leaves) for run in [ac.compile(f)] for leaves in case.data]

    def outside():
        return map(value_and_grad(ac.compile(lambda x: case.output(OURS, x))), case.data)

    samples = [np.stack(each) for each in zip(*case.data, strict=True)]

    def batched(wrap):
        slopes = wrap(ac.batch(f))(samples)[1]  # numbers have the type of their columns
        return [[g.astype(x.dtype) for g, x in zip(slopes, samples, strict=True)]]

    def stacked():
        slopes = zip(*[gradient for _, gradient in eager()], strict=True)
        return [[np.stack(g).astype(x.dtype) for g, x in zip(slopes, samples, strict=True)]]

    vectors = [np.concatenate([np.ravel(x) for x in leaves]) for leaves in case.data]
    second = ac.hessian(lambda v: case.output(OURS, unpacked(v, case.data[0])))
    found = [
        ("compiled", partial(replayed, f), eager),
        ("compiled without Numba", without_numba(partial(replayed, f)), eager),
        ("derivative of compiled", outside, eager),
        ("batch", partial(batched, lambda f: f), stacked),
        ("compiled batch", partial(batched, ac.compile), stacked),
    ]
    if len(vectors[0]) <= 12 and case.dtype == np.float64:
        both = [partial(map, each, vectors) for each in (ac.compile(second), second)]
        found.append(("compiled hessian", *both))
    if case.has_state:
        stateful, eagerly = partial(stepped, case, ac.compile), partial(stepped, case, lambda f: f)
        found.append(("steps with state", stateful, eagerly))
        found.append(("steps with state without Numba", without_numba(stateful), eagerly))
    return found


def unpacked(vector, leaves):
    """Return parts of a vector with the shapes of leaves."""
    parts, at = [], 0
    for x in leaves:
        part = vector[at : at + np.size(x)]
        parts.append(part.reshape(np.shape(x)) if np.shape(x) else part[0])
        at += np.size(x)
    return parts


def stepped(case, wrap):
    """Take steps that read and assign a captured Value, draw and call back; return all numbers."""
    p, seen = Value(0.5), []
    rng = np.random.default_rng(case.seed)

    def step(leaves):
        noise = fresh(lambda: float(rng.uniform(-0.1, 0.1)))
        loss = (case.output(OURS, leaves) * p + noise) * p
        (slope,) = gradients(loss, [p])
        callback(seen.append, slope)
        p.data = p - 0.01 * np.tanh(slope)
        return loss * 1.0

    run, losses, states = wrap(step), [], []
    for leaves in case.data * 2:
        losses.append(run([Value(x) for x in leaves]))
        states.append(p.data)
    return [plain(losses), seen, states]


def difference(seed, every=True):
    """Return the case of a seed, and what differs first, or None.

    Args: every: run it in all ways; otherwise in some of them, which go round with the seeds.
    """
    made = case(seed)
    chosen = ways(made)
    if seed % 20 == 0:  # JAX takes seconds to compile each
        chosen.append(("JAX", *by_jax(made)))
    with np.errstate(all="ignore"):
        for number, (name, run, eager) in enumerate(chosen):
            if every or name == "JAX" or number % 4 == seed % 4:
                text = apart(plain(list(run())), plain(list(eager())), made.dtype)
                if text:
                    return made, f"{name}: {text}"
    return made, None


def by_jax(case):
    """Return what computes value and gradient with JAX, and with this library."""
    jax.config.update("jax_enable_x64", True)

    def run(value_and_grad, library):
        value, slopes = value_and_grad(lambda x: case.output(library, x))(case.data[1])
        return [np.float64(value), *[np.float64(slope) for slope in slopes]]

    return partial(run, jax.value_and_grad, JAX), partial(run, value_and_grad, OURS)
