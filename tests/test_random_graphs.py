"""Random expression graphs, evaluated by autograd_core and by JAX: values and derivatives agree.

A graph is a list of steps. Each applies an operation of the tables below to results of earlier
steps, any of which may be used again; what no step uses is summed up into one number. Hypothesis
draws every leaf, operation and operand, so that a graph that fails shrinks to a small one. One
graph is one example; each test counts the different graphs that it has compared.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import assert_close

from autograd_core import Value, hvp

# Few shapes, so that JAX compiles each of its operations a few times only
SHAPES = [(), (2,), (3,), (2, 2), (2, 3), (3, 2)]
LARGEST = 20.0  # results grow no further, so that rounding errors stay small
CLEARANCE = 1e-3  # from points where an operation has no derivative
ROWS = np.array([1, 0, 1])
ODD = np.array([False, True, False])


def gap(x, axis=-1):
    """Return how far neighbours in size are apart along an axis."""
    return np.diff(np.sort(x, axis), axis=axis)


# Name: a function of np (NumPy or jax.numpy) and operands, defined and smooth everywhere
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
    "elements twice": lambda np, x: x[ROWS],
    "where constant": lambda np, x: np.where(ODD, x, x * x),
    "matmul": lambda np, x, y: x @ y,
    "matmul transposed": lambda np, x, y: x @ y.T,
    "einsum": lambda np, x, y: np.einsum("ij,kj->ik", x, y),
    "outer": lambda np, x, y: np.outer(x, y),
    "stack": lambda np, x, y: np.stack([x, y]),
    "concatenate": lambda np, x, y: np.concatenate([x[:1], y[1:]]),
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
}
OPERATIONS = SMOOTH | ALONG_AN_AXIS | {name: f for name, (f, _) in PIECEWISE.items()}
ARITIES = {name: function.__code__.co_argcount - 1 for name, function in OPERATIONS.items()}


def draw_leaf(shape, seed):
    return np.random.default_rng(seed).uniform(-2, 2, shape)[()]


@dataclass
class Graph:
    """Leaves, each a shape and a seed for its numbers, and steps: operation and operands."""

    leaves: list[tuple[tuple[int, ...], int]]
    steps: list[tuple[str, list[int]]]

    def arrays(self):
        """Return the numbers of the leaves."""
        return [draw_leaf(*leaf) for leaf in self.leaves]

    def output(self, np, leaves):
        """Carry out the steps, with NumPy or jax.numpy, and sum up what was not used."""
        results = list(leaves)
        for name, operands in self.steps:
            results.append(OPERATIONS[name](np, *[results[i] for i in operands]))
        used = {i for _, operands in self.steps for i in operands}
        return sum(np.sum(np.sin(x)) for i, x in enumerate(results) if i not in used)


def result(name, operands):
    """Return what an operation gives, or None if it does not suit these operands."""
    try:
        out = OPERATIONS[name](np, *operands)
        clearance = PIECEWISE[name][1](*operands) if name in PIECEWISE else 1.0
    except (ValueError, IndexError, TypeError):
        return None
    has_axes = name not in ALONG_AN_AXIS or np.ndim(operands[0])
    suits = has_axes and np.shape(out) in SHAPES and np.all(np.abs(out) < LARGEST)
    return out if suits and np.all(np.abs(clearance) > CLEARANCE) else None


@st.composite
def graphs(draw):
    leaf = st.tuples(st.sampled_from(SHAPES), st.integers(0, 2**32 - 1))
    graph = Graph(draw(st.lists(leaf, min_size=1, max_size=3)), [])
    results = graph.arrays()
    for name in draw(st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=3, max_size=15)):
        place = st.integers(0, len(results) - 1)
        operands = [draw(place) for _ in range(ARITIES[name])]
        out = result(name, [results[i] for i in operands])
        if out is not None:
            results.append(out)
            graph.steps.append((name, operands))
    return graph


def assert_close_in_scale(actual, expected):
    """Hold numbers to others, up to 1e-9 of each or of the largest."""
    scale = max(1.0, *(np.max(np.abs(part)) for part in expected))
    assert_close(actual, expected, rtol=1e-9, atol=1e-9 * scale)


def compare_on_graphs(number, compare):
    """Compare on at least this many graphs with steps, all of them different."""
    compared = set()

    @settings(max_examples=number + number // 10, deadline=None)
    @given(graphs())
    def compare_on_one(graph):
        compare(graph)
        if graph.steps:
            compared.add(repr(graph))

    compare_on_one()
    assert len(compared) >= number


@pytest.mark.no_cover
def test_values_and_gradients_agree_on_2000_graphs():
    def compare(graph):
        arrays = graph.arrays()
        leaves = [Value(array) for array in arrays]
        out = graph.output(np, leaves)
        out.backward()
        expected, gradients = jax.value_and_grad(lambda leaves: graph.output(jnp, leaves))(arrays)
        assert_close_in_scale([out.data], [expected])
        assert_close_in_scale([leaf.grad for leaf in leaves], gradients)

    compare_on_graphs(2000, compare)


@pytest.mark.no_cover
def test_second_derivatives_agree_on_100_graphs():
    def compare(graph):
        arrays = graph.arrays()
        directions = [np.cos(array) for array in arrays]
        gradient = jax.grad(lambda leaves: graph.output(jnp, leaves))
        _, expected = jax.jvp(gradient, (arrays,), (directions,))
        actual = hvp(lambda leaves: graph.output(np, leaves), (arrays,), (directions,))
        assert_close_in_scale(actual, expected)

    compare_on_graphs(100, compare)
