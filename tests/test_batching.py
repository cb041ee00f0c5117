"""batch: what a loop over the samples gives, in one call, whatever is inside or around it."""

import itertools
import threading
from collections import namedtuple
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES
from oracle import assert_close

from autograd_core import (
    AutogradError,
    DomainError,
    OptionError,
    Primitive,
    ShapeError,
    TraceError,
    Value,
    check_gradients,
    convolve,
    erf,
    grad,
    hessian,
    jacobian,
    jvp,
    log_softmax,
    logsumexp,
    no_grad,
    relu,
    sigmoid,
    sliding_windows,
    softmax,
    value_and_grad,
)
from autograd_core.program.batch import batch
from autograd_core.program.compile import compile
from autograd_core.program.tracing import callback, fresh

COUNT = 3


@pytest.fixture
def rng():
    return np.random.default_rng(0)


class Adds:
    """A function with something to draw, and a switch."""

    def __init__(self, draw, is_on=True):
        self.draw, self.is_on = draw, is_on

    def __call__(self, x):
        return x + self.draw() if self.is_on else x


def loop(f, in_axes, *args):
    """Return what f gives for each sample, stacked: each argument has an axis, or None."""
    count = next(
        np.shape(x)[axis] for x, axis in zip(args, in_axes, strict=True) if axis is not None
    )
    results = []
    for i in range(count):
        sample = [
            x if axis is None else np.moveaxis(x, axis, 0)[i]
            for x, axis in zip(args, in_axes, strict=True)
        ]
        results.append(f(*sample))
    if isinstance(results[0], dict):
        return {name: np.stack([r[name] for r in results]) for name in results[0]}
    if isinstance(results[0], list | tuple):
        return type(results[0])(np.stack(part) for part in zip(*results, strict=True))
    return np.stack(results)


def choices(case):
    """Return all ways in which some of a case's inputs hold samples, as axes."""
    ways = itertools.product((0, None), repeat=len(case.inputs))
    return [way for way in ways if 0 in way]


def samples_of(x):
    """Return samples that are all in the domain of a case whose input is x."""
    return np.stack([np.multiply(factor, x) for factor in (1.0, 0.97, 0.94)])


def numbers(x):
    return 0.5 + np.arange(np.size(x)).reshape(np.shape(x)) / 7


ALONE = [
    pytest.param(case, way, id=f"{case.name} {way}") for case in CASES for way in choices(case)
]


class TestEachPrimitive:
    """Every row of the case table, with samples in each subset of its inputs, beside a loop."""

    def apply(self, case):
        def applied(*inputs):
            if case.symmetric:
                inputs = [(x + np.swapaxes(x, -1, -2)) / 2 for x in inputs]
            return case.primitive(*inputs, **case.params)

        return applied

    @pytest.mark.parametrize(("case", "way"), ALONE)
    def test_it_gives_what_a_loop_gives(self, case, way):
        f = self.apply(case)
        pairs = zip(case.inputs, way, strict=True)
        inputs = [x if axis is None else samples_of(x) for x, axis in pairs]
        with np.errstate(all="ignore"):
            expected = loop(f, way, *inputs)
            assert_close(batch(f, way)(*inputs), expected)

            def weighed(*inputs, lift):
                out = lift(*inputs)
                return (out * numbers(out)).sum()

            everything = tuple(range(len(inputs)))
            of_batch = grad(partial(weighed, lift=batch(f, way)), everything)(*inputs)
            of_loop = grad(partial(weighed, lift=partial(loop, f, way)), everything)(*inputs)
            assert_close(of_batch, of_loop, rtol=1e-8, atol=1e-10)


# Functions of one sample, written for both libraries: np is NumPy or JAX's own
def norm(np, x):
    return np.sqrt(np.sum(x**2))


def attention(np, x):
    scores = x @ x.T / np.sqrt(3.0)
    return np.exp(scores - np.max(scores, axis=1, keepdims=True)) @ x


def whole(np, x):
    parts = [np.std(x), np.var(x, 0), np.cumsum(x), np.prod(x, axis=(0, 1)), np.median(x, axis=1)]
    return {"parts": parts, "shape": [np.swapaxes(x, 0, 1), np.tile(x, 2), np.roll(x, 1)]}


def indices(np, x):
    later = np.array([1, 0, 1])
    return [x[0], x[-1, 1:], x[..., None], x[later], x[:, [2, 0]], x[later, 0], x[0, :, None][::-1]]


def squares(np, x):
    a = x[:2, :2] + 3 * np.eye(2)
    b = x[:2, 0]
    return [np.linalg.inv(a), np.linalg.solve(a, b), np.linalg.det(a), np.einsum("ij,j", a, b)]


def branches(np, x):
    return np.where((x > 0) & (x < 1), np.log(np.abs(x)), np.minimum(x, -x))


def everything(np, x):
    return [f(np, x) for f in (norm, attention, whole, indices, squares, branches)]


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(1).normal(size=(6, 2, 3))


@pytest.fixture(scope="module")
def expected(x):
    return jax.jit(jax.vmap(partial(everything, jnp)))(x)


class TestManyFunctions:
    """Reductions, products, indices, rearranging, decisions, on six samples, beside JAX."""

    def test_in_one_call(self, x, expected):
        assert_close(batch(partial(everything, np))(x), expected)

    def test_compiled(self, x, expected):
        compiled = compile(batch(partial(everything, np)))
        compiled(np.zeros_like(x) + np.eye(2, 3))
        assert_close(compiled(x), expected)

    def test_in_a_batch_of_batches(self, x, expected):
        expected = jax.tree.map(lambda out: out.reshape(2, 3, *out.shape[1:]), expected)
        assert_close(batch(batch(partial(everything, np)))(x.reshape(2, 3, 2, 3)), expected)

    def test_along_another_axis(self, x, expected):
        for axis in (1, -1):
            moved = np.moveaxis(x, 0, axis)
            assert_close(batch(partial(everything, np), axis)(moved), expected)

    def test_their_jacobians(self, x):
        expected = jax.jit(jax.vmap(jax.jacobian(partial(everything, jnp))))(x)
        assert_close(batch(jacobian(partial(everything, np)))(x), expected, rtol=1e-7)


class TestBesideJax:
    @pytest.mark.parametrize(
        ("left", "right"),
        list(itertools.product([(3,), (2, 3), (5, 2, 3)], [(3,), (3, 4), (5, 3, 4)])),
    )
    @pytest.mark.parametrize("way", [(0, 0), (0, None), (None, 0), (1, 0), (0, -1)])
    def test_products(self, left, right, way, rng):
        def with_axis(shape, axis):
            x = rng.normal(size=shape)
            if axis is None:
                return x
            samples = np.stack([x, -2 * x, x**2, x + 1])
            return np.moveaxis(samples, 0, axis)

        x, y = with_axis(left, way[0]), with_axis(right, way[1])
        assert_close(batch(np.matmul, way)(x, y), loop(np.matmul, way, x, y))

    def test_a_scalar_network(self, rng):
        def network(np, weights, x, y):
            hidden = [np.tanh(w[0] * x + w[1] * y + w[2]) for w in weights["hidden"]]
            return sum(w * h for w, h in zip(weights["out"], hidden, strict=True))

        draw = partial(rng.uniform, -1, 1)
        weights = {"hidden": [[draw() for _ in range(3)] for _ in range(4)], "out": [draw()] * 4}
        x, y = rng.normal(size=(2, 10))
        axes = (None, 0, 0)
        expected = jax.vmap(partial(network, jnp), axes)(weights, x, y)
        assert_close(batch(partial(network, np), axes)(weights, x, y), expected)

        def loss(np, vmap, weights):
            return (vmap(partial(network, np), axes)(weights, x, y) ** 2).mean()

        expected = jax.jit(jax.value_and_grad(partial(loss, jnp, jax.vmap)))(weights)
        ours = value_and_grad(partial(loss, np, batch))
        assert_close(ours(weights), expected)
        compiled = compile(ours)
        for _ in range(2):
            assert_close(compiled(weights), expected)

    def test_gradients_of_each_sample(self, rng):
        """Of a loss by the weights, as for differentially private training."""

        def loss(np, weights, x, y):
            return np.sum((np.tanh(weights["w"] @ x + weights["b"]) - y) ** 2)

        weights = {"w": rng.normal(size=(2, 3)), "b": rng.normal(size=2)}
        x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
        expected = jax.jit(jax.vmap(jax.grad(partial(loss, jnp)), (None, 0, 0)))(weights, x, y)
        of_each = batch(grad(partial(loss, np)), (None, 0, 0))
        assert_close(of_each(weights, x, y), expected)
        assert_close(compile(of_each)(weights, x, y), expected)
        assert_close(
            batch(value_and_grad(partial(loss, np)), (None, 0, 0))(weights, x, y)[1], expected
        )

    def test_derivatives_of_higher_order(self, rng):
        def f(np, x):
            return np.sin(x[0]) * np.exp(x[1]) * x[2] ** 3

        x = rng.normal(size=(4, 3))
        expected = jax.jit(jax.vmap(jax.hessian(partial(f, jnp))))(x)
        assert_close(batch(hessian(partial(f, np)))(x), expected)
        assert_close(batch(jacobian(grad(partial(f, np))))(x), expected)
        moves = jax.jit(jax.vmap(lambda v: jax.jvp(partial(f, jnp), (v,), (v,))))(x)
        assert_close(batch(lambda v: jvp(partial(f, np), (v,), (v,)))(x), moves)

        def total(np, vmap, grad, x):
            return (vmap(grad(partial(f, np)))(x) ** 2).sum()

        assert_close(
            hessian(partial(total, np, batch, grad))(x),
            jax.jit(jax.hessian(partial(total, jnp, jax.vmap, jax.grad)))(x),
        )

    def test_a_batch_of_batches(self, rng):
        def distance(np, x, y):
            return np.sqrt(np.sum((x - y) ** 2))

        def table(np, vmap):
            return vmap(vmap(partial(distance, np), (None, 0)), (0, None))

        x, y = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
        expected = jax.jit(table(jnp, jax.vmap))(x, y)
        assert_close(table(np, batch)(x, y), expected)
        assert_close(compile(table(np, batch))(x, y), expected)
        assert_close(
            grad(lambda x: table(np, batch)(x, y).sum())(x),
            jax.jit(jax.grad(lambda x: table(jnp, jax.vmap)(x, y).sum()))(x),
        )

    def test_images(self, rng):
        def filtered(image, weight):
            return relu(convolve(image[None], weight)[0]).max(axis=(0, 1))

        def by_jax(image, weight):
            out = jax.lax.conv_general_dilated(
                image[None], weight, (1, 1), "VALID", dimension_numbers=("NHWC", "OIHW", "NHWC")
            )
            return jnp.maximum(out[0], 0).max(axis=(0, 1))

        images, weight = rng.normal(size=(4, 5, 6, 2)), rng.normal(size=(3, 2, 3, 3))
        axes = (0, None)
        assert_close(
            batch(filtered, axes)(images, weight), jax.jit(jax.vmap(by_jax, axes))(images, weight)
        )
        of_each = batch(jacobian(filtered, argnums=(0, 1)), axes)
        expected = jax.jit(jax.vmap(jax.jacobian(by_jax, argnums=(0, 1)), axes))
        assert_close(of_each(images, weight), expected(images, weight), rtol=1e-7)

    def test_activations(self, rng):
        pairs = [
            (softmax, jax.nn.softmax),
            (log_softmax, jax.nn.log_softmax),
            (logsumexp, jax.nn.logsumexp),
            (sigmoid, jax.nn.sigmoid),
            (erf, jax.lax.erf),
        ]
        x = rng.normal(size=(4, 3))
        expected = jax.jit(jax.vmap(lambda v: [theirs(v) for _, theirs in pairs]))(x)
        assert_close(batch(lambda v: [ours(v) for ours, _ in pairs])(x), expected)

    def test_windows(self, rng):
        x = rng.normal(size=(4, 6))
        f = batch(lambda v: sliding_windows(v, 3, strides=2).sum(axis=-1))
        assert_close(f(x), np.lib.stride_tricks.sliding_window_view(x, 3, 1)[:, ::2].sum(axis=-1))


class TestPlacesThatAreData:
    """v[place], where each sample has a place of its own."""

    @pytest.mark.parametrize("way", [(0, 0), (None, 0), (0, None)])
    @pytest.mark.parametrize(
        "take",
        [
            lambda v, i, j: v[i, j],
            lambda v, i, j: v[:, i],
            lambda v, i, j: v[i],
            lambda v, i, j: v[..., i, 1:],
            lambda v, i, j: v[i, :, j],
            lambda v, i, j: v[i, None, j],
            lambda v, i, j: v[:, i, j],
            lambda v, i, j: v[None, 1:, i, 2],
            lambda v, i, j: v[:, i, [0, 2]],
            lambda v, i, j: v[[True, False, True], i],
        ],
    )
    @pytest.mark.parametrize("shape", [(), (2,), (3, 2)])
    def test_as_a_loop_takes(self, take, shape, way, rng):
        count = (4,) if way[1] == 0 else ()
        v = rng.normal(size=(4, 3, 3, 3) if way[0] == 0 else (3, 3, 3))
        i, j = rng.integers(3, size=(2, *count, *shape))
        axes = (way[0], way[1], way[1])

        def f(v, i, j):
            return take(Value(v) if isinstance(v, np.ndarray) else v, i, j)

        def total(lift, v):
            return (lift(v) ** 2).sum()

        assert_close(batch(f, axes)(v, i, j), loop(take, axes, v, i, j))
        by_loop = grad(partial(total, lambda v: loop(take, axes, v, i, j)))(v)
        assert_close(grad(partial(total, lambda v: batch(f, axes)(v, i, j)))(v), by_loop)
        of_each = batch(grad(lambda v, i, j: total(lambda v: f(v, i, j), v)), axes)(v, i, j)
        assert_close(of_each if way[0] == 0 else of_each.sum(axis=0), by_loop)

    def test_cross_entropy_of_labels(self, rng):
        logits, labels = rng.normal(size=(5, 4)), rng.integers(4, size=5)
        loss = batch(lambda z, label: -log_softmax(z)[label])
        expected = -np.asarray(jax.nn.log_softmax(logits))[np.arange(5), labels]
        assert_close(loss(logits, labels), expected)


Point = namedtuple("Point", "x y")


class TestArguments:
    def test_structures_have_axes_of_their_own(self, rng):
        w, b, x = rng.normal(size=(4, 3)), rng.normal(size=()), rng.normal(size=(3, 4))
        f = batch(lambda p, v: p["w"] @ v[0] + p["b"], in_axes=({"w": 0, "b": None}, [1]))
        assert_close(f({"w": w, "b": b}, [x]), np.sum(w * x.T, axis=1) + b)

    def test_one_axis_for_a_whole_structure(self, rng):
        x, y = rng.normal(size=(2, 3, 4))
        f = batch(lambda point, pair: point.x @ pair[0] + point.y, in_axes=(1, (1, 1)))
        assert_close(f(Point(x, y), (y, x)), (x * y).sum(axis=0)[:, None] + y.T)

    def test_results_have_the_structure_of_one_sample(self, rng):
        x = rng.normal(size=4)
        out = batch(lambda v: {"a": (v, None), "b": Point(v + 1, 2.0), "c": "text"})(x)
        assert out["c"] == "text"
        assert out["a"][1] is None
        assert_close(out["a"][0], x)
        assert isinstance(out["b"], Point)
        assert_close(out["b"], Point(x + 1, np.full(4, 2.0)))

    def test_keywords_hold_samples_along_their_first_axis(self):
        f = batch(lambda x, shift: x + shift, in_axes=(None,))
        assert_close(f(1.0, shift=np.array([1.0, 2.0])), np.array([2.0, 3.0]))

    def test_what_is_shared_is_given_as_it_is(self):
        weights = [np.ones(2), None]

        def f(x, power, given, flag=True):
            assert isinstance(power, int)
            assert given[0] is weights[0]
            return x**power if flag else given[0]

        assert_close(
            batch(f, (0, None, None))(np.array([2.0, 3.0]), 2, weights), np.array([4.0, 9.0])
        )

    def test_options_are_no_data(self):
        f = batch(lambda x, kind, flag: x if kind == "same" and flag else -x)
        assert_close(f(np.ones(2), "same", True), np.ones(2))

    def test_lists_of_arrays_and_whole_numbers(self):
        assert_close(
            batch(lambda p: p[0] + p[1])([np.array([1, 2]), np.array([3, 4])]), np.array([4.0, 6.0])
        )

    def test_no_samples_and_one(self):
        f = batch(
            lambda x, y: {"dot": x @ y, "table": np.outer(x, y), "own": cube(x[0])}, (0, None)
        )
        none = f(np.zeros((0, 3)), np.ones(3))
        assert [part.shape for part in none.values()] == [(0,), (0, 3, 3), (0,)]
        one = f(np.full((1, 3), 2.0), np.ones(3))
        assert_close(
            one, {"dot": np.array([6.0]), "table": np.full((1, 3, 3), 2.0), "own": np.array([8.0])}
        )

    def test_results_are_the_callers_own(self):
        x, shared = np.ones((2, 2)), np.zeros(2)
        first, second, third = batch(lambda v: (v, v, shared))(x)
        for out in (first, second, third):
            out += 1
        assert_close(x, np.ones((2, 2)))
        assert_close(shared, np.zeros(2))
        assert_close(second, np.full((2, 2), 2.0))

    def test_float32_stays(self, rng):
        w = rng.normal(size=3).astype(np.float32)
        x = rng.normal(size=(4, 3)).astype(np.float32)
        f = batch(lambda x, s: (np.tanh(x * w).sum(), x * s, np.einsum(",i->i", s, x) + s), (0, 0))
        assert [out.dtype.char for out in f(x, x[:, 0])] == ["f", "f", "f"]
        # a number goes with the type of the arrays, as in NumPy, also where a column of them does
        assert [out.dtype.char for out in f(x, rng.normal(size=4))] == ["f", "f", "f"]
        assert batch(lambda s: s * 2.0)(x[:, 0]).dtype == np.float32

    def test_the_name_stays(self):
        def network():
            """Compute."""

        assert batch(network).__name__ == "network"
        assert batch(network).__doc__ == "Compute."


cube = Primitive("cube", lambda x: x**3, lambda g, out, x: g * 3 * x**2)


class TestDerivatives:
    def test_by_captured_values(self, rng):
        w, b = Value(rng.normal(size=3)), Value(0.5)
        x = rng.normal(size=(4, 3))
        loss = (batch(lambda v: np.tanh(v @ w + b))(x) ** 2).sum()
        assert isinstance(loss, Value)
        loss.backward()
        loss_by_jax = jax.grad(lambda p: (jnp.tanh(x @ p[0] + p[1]) ** 2).sum())
        expected = jax.jit(loss_by_jax)((w.data, b.data))
        assert_close((w.grad, b.grad), expected)

    def test_of_each_sample_by_captured_values(self, rng):
        w = Value(2.0)
        slopes = batch(grad(lambda v: w * v**3))(np.array([1.0, 2.0]))
        assert_close(slopes.data, np.array([6.0, 24.0]))
        slopes.sum().backward()
        assert w.grad == 15.0

    def test_by_a_result_that_is_shared(self):
        w = Value(3.0)
        out = batch(lambda v: w * w)(np.ones(4))
        out.sum().backward()
        assert_close(out.data, np.full(4, 9.0))
        assert w.grad == 24.0

    def test_to_second_order(self, rng):
        check_gradients(
            lambda w, x: (batch(lambda v: np.exp(w @ v) / (1 + v @ v))(x)).sum(),
            rng.normal(size=2),
            rng.normal(size=(3, 2)),
            order=2,
        )

    def test_plain_data_give_plain_results(self):
        assert isinstance(batch(np.exp)(np.zeros(3)), np.ndarray)

    def test_values_without_history_inside_no_grad(self):
        with no_grad():
            out = batch(lambda v: v * v)(Value(np.ones(3)))
        assert out.inputs == ()

    def test_no_grad_inside_holds_derivatives_back(self):
        def f(v):
            with no_grad():
                factor = v * v
            return factor * v

        x = np.array([1.0, 2.0])
        assert_close(grad(lambda x: batch(f)(x).sum())(x), x**2)
        assert_close(batch(grad(f))(x), x**2)
        assert_close(compile(grad(lambda x: batch(f)(x).sum()))(x), x**2)

    def test_singularities_stay_silent(self):
        x = np.array([0.0, 4.0])
        assert_close(batch(grad(np.sqrt))(x), np.array([np.inf, 0.25]))
        safe = batch(grad(lambda v: np.where(v > 0, np.log(v), 0.0)))
        assert_close(safe(x), np.array([0.0, 0.25]))

    def test_a_primitive_of_ones_own(self, rng):
        norm = Primitive("length", lambda x: np.sqrt((x * x).sum()), lambda g, out, x: g * x / out)
        x = rng.normal(size=(4, 3))
        assert_close(batch(norm)(x), np.linalg.norm(x, axis=1))
        assert_close(batch(grad(norm))(x), x / np.linalg.norm(x, axis=1, keepdims=True))
        assert_close(batch(batch(norm))(x[None]), np.linalg.norm(x, axis=1)[None])


class TestInsideCompile:
    def test_parameters_are_read_afresh(self):
        w = Value(1.0)
        f = compile(batch(lambda v: w * v))
        x = np.array([1.0, 2.0])
        assert_close(f(x).data, x)
        w.data = 3.0
        assert_close(f(x).data, 3 * x)

    def test_a_training_step(self, rng):
        def step(lift):
            w = Value(rng.permutation(3) * 0.0 + [0.1, 0.2, 0.3])

            def train(x, y):
                def loss(w):
                    return (lift(lambda v, t: (np.tanh(v @ w) - t) ** 2)(x, y)).mean()

                value, slope = value_and_grad(loss)(w)
                w.data = w - 0.1 * slope
                return value

            return w, compile(train)

        x, y = rng.normal(size=(5, 3)), rng.normal(size=5)
        w, train = step(batch)
        at_once, train_at_once = step(lambda f: f)
        at_once_losses = [train_at_once(x, y) for _ in range(3)]
        assert_close([train(x, y) for _ in range(3)], at_once_losses)
        assert_close(w.data, at_once.data)

    def test_branches_flip_between_calls(self):
        f = compile(batch(lambda v: np.where(v > 0, v * v, -v)))
        for x in (np.array([1.0, -2.0]), np.array([-1.0, 2.0])):
            assert_close(f(x), np.where(x > 0, x * x, -x))

    def test_a_compiled_function_inside_a_batch(self):
        f = compile(lambda v: v * v + 1)
        x = np.array([1.0, 2.0])
        assert_close(batch(f)(x), x * x + 1)
        assert_close(batch(grad(f))(x), 2 * x)
        assert_close(compile(batch(f))(x), x * x + 1)


class TestRandomness:
    """`fresh` draws once for each sample, in every call."""

    def test_each_sample_has_its_own(self):
        rng = np.random.default_rng(0)
        out = batch(lambda v: v + fresh(rng.normal))(np.zeros(5))
        assert_close(out, np.random.default_rng(0).normal(size=5))

    def test_arrays(self):
        rng = np.random.default_rng(0)
        out = batch(lambda v: v * fresh(lambda: rng.normal(size=3)))(np.ones((4, 3)))
        assert_close(out, np.random.default_rng(0).normal(size=(4, 3)))

    def test_in_every_call_of_a_compiled_function(self):
        rng = np.random.default_rng(0)
        f = compile(batch(lambda v: v + fresh(rng.normal)))
        drawn = [f(np.zeros(5)) for _ in range(3)]
        assert_close(np.concatenate(drawn), np.random.default_rng(0).normal(size=15))

    @pytest.mark.parametrize("way", [batch, lambda f: compile(batch(f))], ids=["eager", "compiled"])
    def test_is_drawn_in_the_order_of_a_loop(self, way):
        def of_one(rng):
            return lambda v: v + fresh(rng.normal) - fresh(lambda: rng.normal(size=2)).sum()

        x, one = np.arange(5.0), of_one(np.random.default_rng(0))
        many = way(of_one(np.random.default_rng(0)))
        for _ in range(3):
            assert_close(many(x), np.array([one(v) for v in x]))

    def test_a_batch_of_batches_is_drawn_in_the_order_of_loops(self):
        def of_one(rng):
            return lambda v: v * fresh(rng.normal) + fresh(rng.normal)

        x, one = np.arange(6.0).reshape(2, 3), of_one(np.random.default_rng(0))
        eager = batch(batch(of_one(np.random.default_rng(0))))
        compiled = compile(batch(batch(of_one(np.random.default_rng(0)))))
        for _ in range(3):
            right = np.array([[one(v) for v in row] for row in x])
            assert_close(eager(x), right)
            assert_close(compiled(x), right)

    def test_what_is_not_used_is_drawn_as_well(self):
        w = Value(2.0)
        rng = np.random.default_rng(0)

        def f(v):
            fresh(rng.normal)
            return w * v * fresh(rng.normal)

        step = compile(batch(f))
        for _ in range(2):
            out = step(np.ones(3))
            w.grad = None
            out.sum().backward()
            assert_close(w.grad, out.data.sum() / 2.0)

    def test_derivatives_see_what_the_value_saw(self):
        w = Value(2.0)
        rng = np.random.default_rng(0)
        f = compile(batch(lambda v: w * v * fresh(rng.normal)))
        for _ in range(3):
            out = f(np.ones(4))
            w.grad = None
            out.sum().backward()
            assert_close(w.grad, out.data.sum() / 2.0)

    def test_a_batch_of_batches(self):
        w = Value(2.0)
        rng = np.random.default_rng(0)
        f = batch(batch(lambda v: w * v * fresh(rng.normal)))
        assert np.unique(f(np.ones((3, 4))).data).size == 12
        compiled = compile(f)
        for _ in range(2):
            out = compiled(np.ones((3, 4)))
            w.grad = None
            out.sum().backward()
            assert_close(w.grad, out.data.sum() / 2.0)

    def test_without_samples(self):
        assert batch(lambda v: v + fresh(lambda: 1.0))(np.zeros(0)).shape == (0,)


class TestErrors:
    def message(self, error, f, *args, **kwargs):
        with pytest.raises(error) as raised:
            f(*args, **kwargs)
        return str(raised.value)

    def test_unequal_numbers_of_samples(self):
        f = batch(lambda p, x: p["w"] * x)
        assert self.message(ShapeError, f, {"w": np.ones(3)}, np.ones(4)) == (
            "batch of argument 0['w'] with 3 samples and argument 1 with 4\n"
            "  why:   each sample takes one of each\n"
            "  write: as many of each; or in_axes None for argument 1, if all samples share it"
        )

    @pytest.mark.parametrize("f", [batch(np.exp, None), batch(lambda: 1.0), batch(abs, (None,))])
    def test_nothing_holds_samples(self, f):
        args = () if f.__name__ == "<lambda>" else (1.0,)
        message = self.message(OptionError, f, *args)
        assert message.startswith(f"batch of {f.__name__} with in_axes=")
        assert "no argument holds samples" in message
        assert "in_axes=0 for an argument" in message

    @pytest.mark.parametrize(
        ("in_axes", "where"),
        [
            ((0, 0, 0), "the arguments: a tuple of 2, where in_axes has (0, 0, 0)"),
            ({"w": 0}, "the arguments: a tuple of 2"),
            (((0, 0), 0), "argument 0: a dict of ['w', 'b'], where in_axes has (0, 0)"),
            (({"w": 0}, 0), "argument 0: a dict of ['w', 'b'], where in_axes has {'w': 0}"),
            (({"w": 0, "b": [0]}, 0), "argument 0['b']: a float, where in_axes has [0]"),
            ((0, {"x": 0}), "argument 1: a ndarray, where in_axes has {'x': 0}"),
        ],
    )
    def test_in_axes_of_another_structure(self, in_axes, where):
        f = batch(lambda p, x: p["w"] * x + p["b"], in_axes)
        message = self.message(OptionError, f, {"w": np.ones(3), "b": 1.0}, np.ones(3))
        assert message.startswith(f"in_axes={in_axes!r}\n  why:   {where}")
        assert message.endswith("write: one axis or None for all of it, or a structure like it")

    def test_in_axes_that_are_none(self):
        message = self.message(OptionError, batch(np.exp, 0.5), np.ones(3))
        assert message == (
            "in_axes=0.5\n  why:   0.5 is no axis\n  write: an int, None, or a structure of them"
        )

    @pytest.mark.parametrize(("x", "axis"), [(2.0, 0), (np.ones(3), 1), (np.ones(3), -2)])
    def test_no_such_axis(self, x, axis):
        message = self.message(ShapeError, batch(np.exp, axis), x)
        assert f"batch with in_axes {axis} for argument 0, " in message
        assert "it has no such axis of samples" in message
        assert "in_axes None for argument 0" in message

    def test_branches_of_python(self):
        def f(v):
            return v if v > 0 else -v

        message = self.message(TraceError, batch(f), np.ones(3))
        assert "a branch, as in `if v:` of a Value of shape () inside a batched function" in message
        assert "return v if v > 0 else -v" in message
        assert "np.where" in message

    @pytest.mark.parametrize("take", [float, np.asarray, lambda v: v.data, lambda v: v.backward()])
    def test_data_that_leave_the_graph(self, take):
        with pytest.raises(TraceError, match="it stands for all samples"):
            batch(take)(np.ones(3))

    def test_a_plain_array_at_a_place_that_is_data(self):
        table = np.arange(3.0)
        with pytest.raises(TraceError, match=r"Value\(array\)\[place\]"):
            batch(lambda i: table[i])(np.array([1, 2]))
        assert_close(batch(lambda i: Value(table)[i])(np.array([1, 2])).data, np.array([1.0, 2.0]))

    def test_assignments_change_nothing(self):
        w = Value(1.0, label="w")

        def f(v):
            w.data = w * v
            return v

        message = self.message(TraceError, batch(f), np.full(3, 2.0))
        assert message.startswith("2 assigned to the data of w = 1 inside a batched function")
        assert "w.data = w * v" in message
        assert w.data == 1.0

    def test_callbacks_are_not_called(self):
        seen = []

        def f(v):
            callback(seen.append, v)
            return v

        message = self.message(TraceError, batch(f), np.ones(3))
        assert message.startswith("callback inside a batched function\n  at:")
        assert "callback(seen.append, v)" in message
        assert seen == []

    def test_errors_of_one_sample(self):
        with pytest.raises(ShapeError, match=r"shape \(2,\) and shape \(3,\)"):
            batch(lambda v: v + np.ones(3))(np.ones((5, 2)))
        with pytest.raises(DomainError):
            batch(np.linalg.inv)(np.stack([np.eye(2), np.zeros((2, 2))]))


class TestWhatOneRunForAllSamplesGetsWrong:
    @pytest.mark.parametrize(
        "made",
        [
            lambda draw: lambda x: x + draw(),
            lambda draw: partial(lambda draw, x: x + draw(), draw),
            Adds,
        ],
        ids=["closure", "partial", "object"],
    )
    def test_another_function_of_the_same_code_is_checked_anew(self, made, rng):
        x = np.arange(3.0)
        for one in (lambda: 1.0, int):
            assert_close(batch(made(one))(x), x + one())
        for draw in (rng.normal, lambda: rng.normal(0.0, 1.0)):
            with pytest.raises(TraceError, match="random numbers drawn inside a batched"):
                batch(made(draw))(x)
        assert_close(batch(made(lambda: 1.0))(x), x + 1.0)

    @pytest.mark.parametrize("wrap", [batch, compile])
    @pytest.mark.parametrize(
        "draws", ["normal", "of NumPy's own", "sometimes equal", "nearly always equal"]
    )
    def test_random_numbers_are_refused_beside_threads_that_wait_and_draw(self, wrap, draws, rng):
        draw = {
            "normal": rng.normal,
            "of NumPy's own": np.random.normal,
            "sometimes equal": lambda: rng.integers(2),
            "nearly always equal": lambda: rng.random() < 0.01,
        }[draws]
        is_over, others = threading.Event(), np.random.default_rng(1)
        waiting = threading.Thread(target=is_over.wait)

        def draw_until_over():
            while not is_over.is_set():
                others.normal()

        drawing = threading.Thread(target=draw_until_over)
        x = np.arange(3.0)
        waiting.start()
        drawing.start()
        try:
            f = wrap(lambda x: x + draw())
            with pytest.raises(TraceError, match=r"random numbers drawn inside a (batch|compil)ed"):
                [f(x) for _ in range(30)]
            f = wrap(lambda x: x * len([others]))
            assert_close([f(x) for _ in range(30)], [x] * 30)
        finally:
            is_over.set()
            waiting.join()
            drawing.join()

    def test_a_switch_thrown_later_is_noticed(self, rng):
        adds = Adds(rng.normal, is_on=False)
        f, x = batch(adds), np.arange(3.0)
        for _ in range(3):
            assert_close(f(x), x)
        adds.is_on = True
        for g in (f, batch(adds)):
            with pytest.raises(TraceError, match="random numbers drawn inside a batched"):
                g(x)
        adds.is_on = False
        assert_close(f(x), x)

    def test_random_numbers_are_drawn_for_each_sample_or_refused(self):
        rng = np.random.default_rng(0)
        x = np.zeros(4)
        with pytest.raises(TraceError, match="random numbers drawn inside a batched") as caught:
            batch(lambda x: x + rng.normal())(x)
        assert "fresh(" in caught.value.instead
        assert len(set(batch(lambda x: x + fresh(rng.normal))(x).tolist())) == 4

    @pytest.mark.parametrize(
        "f",
        [
            lambda v: np.sum([1.0, 2.0], initial=v[0]),
            lambda v: np.max([1.0, 2.0], initial=v[0]),
            lambda v: np.sum([1.0, 2.0], where=v > 1.0),
            lambda v: np.any([True, False], where=v > 1.0) * 1.0,
            lambda v: np.max(v > 1.0, initial=False) * 1.0,
        ],
    )
    def test_options_that_numpy_would_take_numbers_for_are_refused(self, f):
        for batched in (batch(f), compile(batch(f))):
            with pytest.raises(AutogradError):
                batched(np.arange(6.0).reshape(3, 2))

    def test_a_refusal_that_the_function_catches_is_one(self):
        def f(v):
            try:
                return v * float(v)
            except TypeError:
                return v * 2.0

        with pytest.raises(TraceError, match=r"float\(\) of a Value"):
            batch(f)(np.arange(3.0))

    def test_a_counter_is_refused(self):
        calls = []

        def f(x):
            calls.append(1)
            return x * len(calls)

        with pytest.raises(TraceError, match="changed inside a batched function"):
            batch(f)(np.ones(3))

    def test_weights_made_by_the_first_sample_are_shared(self):
        rng, held = np.random.default_rng(0), []

        def f(x):
            if not held:
                held.append(rng.normal())
            return x * held[0]

        assert_close(batch(f)(np.arange(3.0)), held[0] * np.arange(3.0))

    def test_one_sample_may_do_what_it_likes(self):
        rng, calls = np.random.default_rng(0), []

        def f(x):
            calls.append(rng.normal())
            return x * calls[-1]

        assert_close(batch(f)(np.ones(1)), np.array(calls))
