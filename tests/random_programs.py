"""Random programs: a function, its derivatives and a step that keeps state, run in every way.

Each seed gives a program of the operations below, on numbers and arrays of float64 or float32. Each
step applies one of them to results of earlier steps, any of which may be used again; what no step
uses is summed up into one number. `difference` runs a program eagerly, compiled with Numba and
without, in a batch, differentiated inside and outside of compile, and by JAX, and reports what
differs first.
"""

from dataclasses import dataclass
from functools import partial, reduce
from itertools import count, islice
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np

import autograd_core as ac
from autograd_core import Value, callback, fresh, gradients, value_and_grad

LARGEST = 20.0  # results grow no further, so that rounding errors stay small
CLEARANCE = 2e-2  # from points where an operation has no derivative, also in float32
SMALL = [(), (), (2,), (3,), (2, 2), (2, 3), (3, 2)]
LARGE = [(), (40, 55), (40, 55), (40, 1), (55,)]  # whose chains are fused loops
PLACES = np.array([1, 0, 1])
ODD = np.array([False, True, False])


class Library:
    """A NumPy with derivatives, batches and compiled functions: ours or JAX's."""

    def __init__(self, numpy, **functions):
        self._numpy = numpy
        vars(self).update(functions)

    def __getattr__(self, name):
        return getattr(self._numpy, name)


OURS = Library(np, grad=ac.grad, batch=ac.batch, compile=ac.compile)
JAX = Library(jnp, grad=jax.grad, batch=jax.vmap, compile=lambda f: f)


def gap(x, axis=-1):
    """Return how far neighbours in size are apart along an axis."""
    return np.diff(np.sort(x, axis), axis=axis)


# Name: a function of a library and operands, defined and smooth everywhere
SMOOTH = {
    "negative": lambda np, x: -x,
    "plus number": lambda np, x: 0.5 + x,
    "minus number": lambda np, x: x - 0.25,
    "number minus": lambda np, x: 1.5 - x,
    "times number": lambda np, x: x * -0.75,
    "over number": lambda np, x: x / 1.75,
    "number over": lambda np, x: 2.0 / (1.0 + x * x),
    "cube": lambda np, x: x**3,
    "root of 1 + square": lambda np, x: np.sqrt(np.square(x) + 1.0),
    "power": lambda np, x: (1.0 + x * x) ** 0.3,
    "number to the power": lambda np, x: 1.5 ** np.sin(x),
    "exp": lambda np, x: np.exp(-x * x),
    "exp2": lambda np, x: np.exp2(np.cos(x)),
    "expm1": lambda np, x: np.expm1(np.tanh(x)),
    "log": lambda np, x: np.log(1.0 + x * x),
    "log1p": lambda np, x: np.log1p(x * x),
    "log2": lambda np, x: np.log2(2.0 + np.sin(x)),
    "log10": lambda np, x: np.log10(2.0 + np.sin(x)),
    "sin": lambda np, x: np.sin(x),
    "cos": lambda np, x: np.cos(x),
    "tan": lambda np, x: np.tan(np.tanh(x)),
    "arcsin": lambda np, x: np.arcsin(0.9 * np.sin(x)),
    "arctan": lambda np, x: np.arctan(x),
    "sinh": lambda np, x: np.sinh(np.tanh(x)),
    "cosh": lambda np, x: np.cosh(np.tanh(x)),
    "tanh": lambda np, x: np.tanh(x),
    "arcsinh": lambda np, x: np.arcsinh(x),
    "arccosh": lambda np, x: np.arccosh(1.5 + x * x),
    "arctanh": lambda np, x: np.arctanh(0.9 * np.sin(x)),
    "cbrt": lambda np, x: np.cbrt(1.0 + x * x),
    "sigmoid": lambda np, x: 1.0 / (1.0 + np.exp(-x)),
    "softplus": lambda np, x: np.logaddexp(x, 0.0),
    "add": lambda np, x, y: x + y,
    "subtract": lambda np, x, y: x - y,
    "multiply": lambda np, x, y: x * y,
    "divide": lambda np, x, y: x / (1.0 + y * y),
    "powers": lambda np, x, y: (1.0 + x * x) ** np.tanh(y),
    "logaddexp": lambda np, x, y: np.logaddexp(x, y),
    "arctan2": lambda np, x, y: np.arctan2(x, 1.0 + y * y),
    "hypot": lambda np, x, y: np.hypot(x, 1.0 + y * y),
    "multiply and add": lambda np, x, y, z: x * y + z,
    "sum": lambda np, x: np.sum(x),
    "mean": lambda np, x: np.mean(x),
    "transpose": lambda np, x: x.T,
    "swapaxes": lambda np, x: np.swapaxes(x, 0, 1),
    "reshape": lambda np, x: np.reshape(x, x.shape[::-1]),
    "broadcast": lambda np, x: np.broadcast_to(x, (2, 3)),
    "flip": lambda np, x: np.flip(x, -1),
    "roll": lambda np, x: np.roll(x, 1, 0),
    "first": lambda np, x: x[0],
    "last": lambda np, x: x[..., -1],
    "element": lambda np, x: x[1, 0],
    "without the first": lambda np, x: x[1:],
    "column": lambda np, x: x[:, 1],
    "backwards": lambda np, x: x[::-1],
    "elements twice": lambda np, x: x[PLACES],
    "where constant": lambda np, x: np.where(ODD, x, x * x),
    "matmul": lambda np, x, y: x @ y,
    "matmul transposed": lambda np, x, y: x @ y.T,
    "einsum": lambda np, x, y: np.einsum("ij,kj->ik", x, y),
    "outer": lambda np, x, y: np.outer(x, y),
    "stack": lambda np, x, y: np.stack([x, y]),
    "concatenate": lambda np, x, y: np.concatenate([x[:1], y[1:]]),
    "root": lambda np, x: (1.0 + x * x) ** 0.5,
    "inverse": lambda np, x: (2.0 + np.sin(x)) ** -1,
    "norm": lambda np, x: np.linalg.norm(np.cos(x) + 2.0, axis=-1),
    "no elements": lambda np, x: x + np.sum(x[:0]),
    "places": lambda np, x: x[PLACES] * 0.5,
    "centered": lambda np, x: (x - np.mean(x, 0)) / np.sqrt(np.var(x, 0) + 0.5),
    "derivative": lambda np, x: np.grad(lambda t: np.sum(np.sin(t) * t))(x),
    "mixed derivative": lambda np, x, y: np.grad(lambda t: np.sum(np.tanh(t) * np.sum(y * t)))(x),
    "batch": lambda np, x: np.batch(lambda row: row * np.sum(np.cos(row)))(x),
    "compiled": lambda np, x: np.compile(lambda t: np.tanh(t) * t + 1.0)(x),
}
# The same, for operands that have axes
ALONG_AN_AXIS = {
    "sum over rows": lambda np, x: np.sum(x, axis=0),
    "sum over the last axis": lambda np, x: np.sum(x, axis=-1),
    "less the mean": lambda np, x: x - np.mean(x, axis=-1, keepdims=True),
    "variance": lambda np, x: np.var(x, axis=0),
    "deviation": lambda np, x: np.sqrt(np.var(x, axis=-1) + 1.0),
    "product": lambda np, x: np.prod(x, axis=-1),
    "softmax": lambda np, x: np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True),
    "logsumexp": lambda np, x: np.log(np.sum(np.exp(x), axis=0)),
    "cumsum": lambda np, x: np.cumsum(x, axis=-1),
    "new axis": lambda np, x: (x[None] * x[..., None])[0],
    "cumprod": lambda np, x: np.cumprod(x, axis=0),
}
# The same, and how far the operands are from where the function is not smooth
PIECEWISE = {
    "absolute": (lambda np, x: np.abs(x), np.abs),
    "relu": (lambda np, x: np.maximum(x, 0.0), np.abs),
    "clip": (lambda np, x: np.clip(x, -1.0, 1.0), lambda x: np.abs(np.abs(x) - 1)),
    "sign": (lambda np, x: x * np.sign(x - 0.5), lambda x: x - 0.5),
    "floor": (lambda np, x: x * np.floor(x), lambda x: x - np.round(x)),
    "maximum": (lambda np, x, y: np.maximum(x, y), np.subtract),
    "minimum": (lambda np, x, y: np.minimum(x, y), np.subtract),
    "where": (lambda np, x, y: np.where(x > y, x * y, np.sin(y)), np.subtract),
    "where positive": (lambda np, x, y: np.where(x > 0, y, x), lambda x, y: x),
    "largest": (lambda np, x: np.max(x, axis=-1), gap),
    "smallest": (lambda np, x: np.min(x, axis=0), lambda x: gap(x, 0)),
    "sort": (lambda np, x: np.sort(x, axis=-1), gap),
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
    "scaled": (lambda np, x: x / (1.0 + np.max(np.abs(x))), lambda x: np.abs(x) + 1),
}
FUNCTIONS = SMOOTH | ALONG_AN_AXIS | {name: f for name, (f, _) in PIECEWISE.items()}
CLEARANCES = {name: of for name, (_, of) in PIECEWISE.items()}
NAMES = sorted(FUNCTIONS)


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
            results.append(FUNCTIONS[name](library, *[results[i] for i in operands]))
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
        call = FUNCTIONS[name]
        operands = rng.integers(0, len(made[0]), call.__code__.co_argcount - 1).tolist()
        out = [result(name, [results[i] for i in operands], shapes) for results in made]
        if all(x is not None for x in out):
            for results, x in zip(made, out, strict=True):
                results.append(x)
            steps.append((name, operands))
    return Case(seed, steps, data, dtype, rng.random() < 0.3)


def small_cases(number):
    """Return the first programs of numbers and small arrays in float64."""
    suitable = (
        made
        for made in map(case, count())
        if made.dtype == np.float64 and all(np.size(x) < 10 for x in made.data[0])
    )
    return list(islice(suitable, number))


def leaf(rng, shape, dtype):
    drawn = rng.uniform(-2, 2, shape)
    return drawn.astype(dtype) if shape else float(drawn)


def result(name, operands, shapes):
    """Return what an operation gives, or None if it does not suit these operands."""
    if name in ALONG_AN_AXIS and not np.ndim(operands[0]):
        return None
    try:
        with np.errstate(all="ignore"):
            out = FUNCTIONS[name](OURS, *operands)
            clearance = CLEARANCES[name](*operands) if name in CLEARANCES else 1.0
    except (ValueError, IndexError, TypeError, AttributeError):
        return None
    suits = np.shape(out) in shapes and np.all(np.abs(out) < LARGEST)
    return out if suits and np.size(out) and np.all(np.abs(clearance) > CLEARANCE) else None


def without_numba(run):
    """Return a function that runs programs by NumPy alone."""

    def without():
        with (
            patch("autograd_core.program.scalar_executor.has_numba", lambda: False),
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
