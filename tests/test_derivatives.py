"""Derivatives as functions: against JAX, of any order, in any structure, with Values captured."""

from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import assert_close

from autograd_core import (
    GradientWarning,
    Primitive,
    UnsupportedError,
    Value,
    backprop,
    compile,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    messages,
    no_grad,
    value_and_grad,
    vjp,
)
from autograd_core.graph import topological_order
from autograd_core.watching import Watcher, watch

X = np.array([0.3, -0.7, 1.1])
Y = np.array([0.9, 0.2, -0.4])
W = np.array([[0.5, -0.3, 0.8], [1.2, 0.1, -0.6]])


class Layer(NamedTuple):
    """A named tuple, as a structure that must be kept."""

    weight: Any
    bias: Any


NETWORK = {"layers": [Layer(W, np.array([0.1, -0.2])), Layer(W.T, X)], "scale": 0.5}


def network(np, parameters, x):
    for layer in parameters["layers"]:
        x = np.tanh(layer.weight @ x + layer.bias)
    return np.sum(x**2) * parameters["scale"]


# Name: a function that gives one number, of np (NumPy or jax.numpy) and arguments; the arguments;
# the positions of those to differentiate
ONE_NUMBER = {
    "number": (lambda np, x: np.sin(x) * x**2, (0.7,), 0),
    "array": (lambda np, x: np.sum(np.tanh(x) ** 2 / (1 + x * x)), (X,), 0),
    "first argument": (lambda np, w, x: np.sum(np.exp(w @ x)), (W, X), 0),
    "second argument": (lambda np, w, x: np.sum(np.exp(w @ x)), (W, X), 1),
    "last argument": (lambda np, w, x: np.sum(np.exp(w @ x)), (W, X), -1),
    "both arguments": (lambda np, w, x: np.sum(np.exp(w @ x)), (W, X), (0, 1)),
    "arguments in any order": (lambda np, x, y, z: x * y**2 * z**3, (0.5, 1.5, 2.0), (-1, 0)),
    "tuple of one argument": (lambda np, x: np.exp(x), (0.5,), (0,)),
    "broadcasting": (lambda np, w, x, s: np.mean((w * x + s) ** 3), (W, X, 0.7), (0, 1, 2)),
    "list": (lambda np, xs: xs[0] * xs[1] ** 2 * np.sum(xs[2]), ([0.5, 1.5, X],), 0),
    "tuple": (lambda np, xy: np.sum(xy[0] * np.sin(xy[1])), ((X, Y),), 0),
    "dict": (lambda np, p: np.sum(np.tanh(p["w"] @ X)) + p["b"] ** 2, ({"w": W, "b": 0.5},), 0),
    "named tuple": (lambda np, p: np.sum(p.weight**2 * p.bias), (Layer(X, 0.5),), 0),
    "nested structures": (network, (NETWORK, X), (0, 1)),
    "None in a structure": (lambda np, p: p["w"] ** 2, ({"w": 0.5, "b": None},), 0),
    "independent argument": (lambda np, x, y: np.sum(x**2), (X, W), (0, 1)),
    "independent leaf": (lambda np, p: p["used"] ** 3, ({"used": 0.5, "unused": X},), 0),
    "constant": (lambda np, x: 3.0, (X,), 0),
}

# Name: a function that gives any results, and its arguments
ANY_RESULTS = {
    "number to number": (lambda np, x: x**3, (0.7,)),
    "array to array": (lambda np, x: np.sin(x) * x, (X,)),
    "array to number": (lambda np, x: np.sum(x**2), (X,)),
    "number to array": (lambda np, x: x ** np.arange(1.0, 4.0), (0.7,)),
    "matrix product": (lambda np, w, x: w @ x, (W, X)),
    "vector to matrix": (lambda np, x, y: np.outer(x, y) ** 2, (X, Y)),
    "two results": (lambda np, x, y: (x * y, np.exp(x)), (X, Y)),
    "list": (lambda np, x: [x[0] * x[1], x[1] * x[2] * X], (X,)),
    "dict": (lambda np, p: {"sum": np.sum(p["w"] @ p["x"]), "all": p["x"]}, ({"w": W, "x": X},)),
    "named tuple": (lambda np, x: Layer(np.cumsum(x), x[0] ** 2), (X,)),
    "same result twice": (lambda np, x: (x, x), (X,)),
    "results without the argument": (lambda np, x, y: (y, 2.0 * y), (X, Y)),
}

one_number = pytest.mark.parametrize(
    ("f", "args", "argnums"), ONE_NUMBER.values(), ids=list(ONE_NUMBER)
)
any_results = pytest.mark.parametrize(("f", "args"), ANY_RESULTS.values(), ids=list(ANY_RESULTS))


def both(f):
    """Return f on Values and NumPy, and f for JAX."""
    return partial(f, np), partial(f, jnp)


def random_like(structure, seed=0):
    """Return random numbers in the structure and shapes of others."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: rng.normal(size=np.shape(leaf))[()], structure)


def every(args):
    return tuple(range(len(args)))


class TestAgainstJax:
    @one_number
    def test_grad(self, f, args, argnums):
        ours, jaxs = both(f)
        assert_close(grad(ours, argnums)(*args), jax.jit(jax.grad(jaxs, argnums))(*args))

    @one_number
    def test_value_and_grad(self, f, args, argnums):
        ours, jaxs = both(f)
        expected = jax.jit(jax.value_and_grad(jaxs, argnums))(*args)
        assert_close(value_and_grad(ours, argnums)(*args), expected)

    @one_number
    def test_hessian(self, f, args, argnums):
        ours, jaxs = both(f)
        expected = jax.jit(jax.hessian(jaxs, argnums))(*args)
        assert_close(hessian(ours, argnums)(*args), expected)

    @pytest.mark.parametrize(
        ("f", "args"), [case[:2] for case in ONE_NUMBER.values()], ids=list(ONE_NUMBER)
    )
    def test_hvp(self, f, args):
        ours, jaxs = both(f)
        vectors = random_like(args)
        along = jax.jit(lambda *at: jax.jvp(jax.grad(jaxs, every(args)), *at)[1])
        expected = along(args, vectors)
        actual = hvp(ours, args, vectors)
        assert_close((actual,) if len(args) == 1 else actual, expected)

    @any_results
    def test_vjp(self, f, args):
        ours, jaxs = both(f)
        output, pullback = vjp(ours, *args)
        expected, pullback_of_jax = jax.vjp(jaxs, *args)
        assert_close(output, expected)
        for seed in range(2):
            cotangent = random_like(expected, seed)
            assert_close(pullback(cotangent), pullback_of_jax(cotangent))

    @any_results
    def test_jvp(self, f, args):
        ours, jaxs = both(f)
        tangents = random_like(args)
        expected = jax.jit(lambda *at: jax.jvp(jaxs, *at))(args, tangents)
        assert_close(jvp(ours, args, tangents), expected)

    def test_directions_in_dicts_go_by_key(self):
        def f(p):
            return p["a"] + 10 * p["b"]

        point, direction = {"a": 1.0, "b": 2.0}, {"b": 3.0, "a": 4.0}
        assert jvp(f, (point,), (direction,)) == (21.0, 34.0)
        assert hvp(lambda p: p["a"] ** 2 + p["b"] ** 3, (point,), (direction,)) == {
            "a": 8.0,
            "b": 36.0,
        }
        pullback = vjp(lambda x: {"a": 1 * x, "b": 10 * x}, 1.0)[1]
        assert pullback(direction) == (34.0,)

    @any_results
    def test_jacobian(self, f, args):
        ours, jaxs = both(f)
        assert_close(jacobian(ours)(*args), jax.jit(jax.jacobian(jaxs))(*args))
        every_argument = every(args)
        expected = jax.jit(jax.jacobian(jaxs, every_argument))(*args)
        assert_close(jacobian(ours, every_argument)(*args), expected)

    def test_keyword_arguments_are_passed_on(self):
        def f(x, *, power, scale=1.0):
            return scale * x**power

        for derivative, order in [(grad, 1), (jacobian, 1), (hessian, 2)]:
            expected = {1: 4.0 * 3 * 0.7**2, 2: 4.0 * 6 * 0.7}[order]
            assert derivative(f)(0.7, power=3, scale=4.0) == pytest.approx(expected)

    def test_integers_stand_for_floats(self):
        assert grad(lambda x, y: x**3 * y[1], (0, 1))(2, [5, 1]) == (12.0, [0.0, 8.0])

    def test_float32_stays_float32(self):
        x = X.astype(np.float32)
        results = [
            grad(lambda x: (x * x).sum())(x),
            hessian(lambda x: (x**3).sum())(x),
            jacobian(lambda x: x * x)(x),
            *jvp(lambda x: x * x, (x,), (X,)),
            vjp(lambda x: x * x, x)[1](X)[0],
        ]
        assert [result.dtype for result in results] == [np.float32] * 6


class TestHigherOrders:
    @pytest.mark.parametrize("order", [1, 2, 3, 4])
    @pytest.mark.parametrize(
        "f",
        [
            lambda np, x: x**5,
            lambda np, x: np.sin(x) * np.exp(x),
            lambda np, x: np.tanh(x * x) / (1 + x),
            lambda np, x: np.log(1 + np.exp(2 * x)) * np.sqrt(x),
            lambda np, x: x**x,
            lambda np, x: np.sum(np.cumsum(x * Y) ** 3 * np.exp(-x * Y)),
        ],
    )
    def test_nested_grads(self, f, order):
        ours, jaxs = both(f)
        for _ in range(order):
            ours, jaxs = grad(ours), jax.grad(jaxs)
        assert_close(ours(0.7), jax.jit(jaxs)(0.7))

    def test_third_derivatives_of_arrays(self):
        ours, jaxs = both(lambda np, x: np.sum(np.tanh(W @ x) ** 3) * x[0])
        expected = jax.jit(jax.jacobian(jax.hessian(jaxs)))(X)
        assert_close(jacobian(hessian(ours))(X), expected)

    def test_fourth_derivative_of_a_product_of_several_arguments(self):
        ours, jaxs = both(lambda np, w, x, y, z: np.sin(w * x) * np.exp(y * z))
        for argnum in (0, 1, 2, 3):
            ours, jaxs = grad(ours, argnum), jax.grad(jaxs, argnum)
        assert_close(ours(0.3, 0.5, 0.7, 1.1), jax.jit(jaxs)(0.3, 0.5, 0.7, 1.1))

    def test_forward_over_reverse_and_reverse_over_forward(self):
        ours, jaxs = both(lambda np, x: np.sum(np.exp(W @ x)))
        expected = jax.jvp(jax.grad(jaxs), (X,), (Y,))[1]
        assert_close(jvp(grad(ours), (X,), (Y,))[1], expected)
        assert_close(grad(lambda x: jvp(ours, (x,), (Y,))[1])(X), expected)
        assert_close(vjp(grad(ours), X)[1](Y)[0], expected)

    @given(*[st.floats(-2.0, 2.0)] * 5)
    def test_mixed_partials_commute(self, a, b, c, x, y):
        def f(x, y):
            return np.tanh(a * x + y) * np.exp(b * x * y / 4) + np.sin(c * x * x * y) / (1 + y * y)

        x_first, y_first = grad(grad(f, 0), 1)(x, y), grad(grad(f, 1), 0)(x, y)
        assert x_first == pytest.approx(y_first, rel=1e-9, abs=1e-9)

    @given(st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
    def test_hessians_are_symmetric(self, x):
        matrix = hessian(lambda x: (np.tanh(W @ x) * x[:2]).sum() * np.cos(x[2]))(np.array(x))
        np.testing.assert_allclose(matrix, matrix.T, rtol=1e-9, atol=1e-12)


# Each is 6 where every derivative is taken by its own variable alone
PERTURBATIONS = {
    "grad by a Value": lambda x: x * grad(lambda y: x * y)(x),
    "grad by a number": lambda x: x * grad(lambda y: x * y)(2.0),
    "vjp": lambda x: x * vjp(lambda y: x * y, 2.0)[1](1.0)[0],
    "vjp of a Value": lambda x: vjp(lambda y: 2.0 * x * y, x)[1](x)[0] / 2.0,
    "jvp": lambda x: x * jvp(lambda y: x * y, (2.0,), (1.0,))[1],
    "jvp along a Value": lambda x: jvp(lambda y: x * y, (2.0,), (x,))[1],
    "jacobian": lambda x: x * jacobian(lambda y: x * y)(np.ones(1))[0, 0],
    "hessian": lambda x: x * hessian(lambda y: x * y * y / 2)(5.0),
    "hvp": lambda x: hvp(lambda y: x * y * y / 2, (5.0,), (x,)),
}


class TestNesting:
    @pytest.mark.parametrize("f", PERTURBATIONS.values(), ids=list(PERTURBATIONS))
    def test_inner_and_outer_variables_stay_apart(self, f):
        assert grad(f)(3.0) == pytest.approx(6.0)
        assert jvp(f, (3.0,), (1.0,))[1] == pytest.approx(6.0)

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: value_and_grad(lambda y: x)(2.0)[0],
            lambda x: vjp(lambda y: x, 2.0)[0],
            lambda x: jvp(lambda y: x, (2.0,), (1.0,))[0],
            lambda x: value_and_grad(lambda y: x + 0 * y)(2.0)[0],
            lambda x: value_and_grad(lambda y: y)(x)[0],
        ],
    )
    def test_outer_variables_pass_through_inner_outputs(self, f):
        assert grad(f)(3.0) == 1.0

    def test_an_inner_derivative_that_does_not_depend_on_the_outer_variable_is_constant(self):
        assert grad(lambda x: grad(lambda y: y * y)(2.0) + x)(3.0) == 1.0
        assert grad(grad(lambda y: 3.0 * y))(3.0) == 0.0

    def test_derivatives_through_steps_of_gradient_descent(self):
        def descend(derivative, loss, x, rate):
            for _ in range(5):
                x = x - rate * derivative(loss)(x)
            return loss(x)

        ours, jaxs = both(lambda np, x: np.sum(np.tanh(W @ x) ** 2))
        expected = jax.grad(partial(descend, jax.grad, jaxs), (0, 1))(X, 0.1)
        assert_close(grad(partial(descend, grad, ours), (0, 1))(X, 0.1), expected)

    def test_inner_gradients_do_not_walk_through_older_history(self, monkeypatch):
        class Work(Watcher):
            def recorded(self, node):
                work.append(node.primitive.name)

            def sweeping(self, order):
                work.extend(["step of a sweep"] * len(order))

        def counted(output, oldest):
            nodes, has_older = ancestors(output, oldest)
            work.extend(["step of a walk"] * len(nodes))
            return nodes, has_older

        ancestors = backprop.ancestors
        monkeypatch.setattr(backprop, "ancestors", counted)
        x, costs = Value(0.5), []
        with watch(Work()):
            for _ in range(50):
                work = []
                x = x - 0.1 * grad(lambda y: np.sin(y) * y)(x)
                costs.append(Counter(work))
        assert costs[0].keys() >= {"sin", "cos", "step of a sweep", "step of a walk"}
        assert costs == [costs[0]] * 50

    def test_no_rule_is_called_of_what_is_not_asked_for(self):
        def never(g, out, x, y):
            raise AssertionError

        def each(i, g, out, x, y):
            return never(g, out, x, y) if i else g * y

        by_rules = Primitive("scaled", np.multiply, lambda g, out, x, y: g * y, never)
        by_number = Primitive("scaled", np.multiply, each=each)
        older = Value(2.0)
        for scaled in (by_rules, by_number):
            for scale in (lambda: Value(2.0), lambda: older, lambda: older * 1.0):
                x = Value(3.0)
                assert gradients(scaled(x, scale()), [x]) == [2.0]

    @pytest.mark.parametrize("f", [lambda w: w, lambda w: w * 1.0])
    def test_without_arguments_captured_values_give_values(self, f):
        w = Value(2.0)
        value, gradient = value_and_grad(lambda nothing: f(w))({})
        assert gradient == {}
        assert gradients(value, [w]) == [1.0]

    def test_second_derivatives_through_an_output_that_a_rule_uses(self):
        length = np.linalg.norm(X)
        expected = (np.eye(3) - np.outer(X, X) / length**2) / length
        assert_close(hessian(np.linalg.norm)(X), expected)


# Each differentiates by x where a Value w is captured
CAPTURING = {
    "grad": lambda w: grad(lambda x: w * x * x)(3.0),
    "value_and_grad, value": lambda w: value_and_grad(lambda x: w * x * x)(3.0)[0],
    "value_and_grad, gradient": lambda w: value_and_grad(lambda x: w * x * x)(3.0)[1],
    "vjp, output": lambda w: vjp(lambda x: w * x * x, 3.0)[0],
    "vjp, gradient": lambda w: vjp(lambda x: w * x * x, 3.0)[1](2.0)[0],
    "vjp, cotangent": lambda w: vjp(lambda x: x * x, 3.0)[1](w)[0],
    "jvp, output": lambda w: jvp(lambda x: w * x * x, (3.0,), (2.0,))[0],
    "jvp, tangent": lambda w: jvp(lambda x: w * x * x, (3.0,), (2.0,))[1],
    "jvp, direction": lambda w: jvp(lambda x: x * x, (3.0,), (w,))[1],
    "jacobian": lambda w: jacobian(lambda x: w * x * x)(np.array([3.0])),
    "hessian": lambda w: hessian(lambda x: w * x * x)(3.0),
    "hvp": lambda w: hvp(lambda x: w * x * x, (3.0,), (2.0,)),
    "keyword": lambda w: grad(lambda x, *, k: k * x * x)(3.0, k=w),
    "other argument": lambda w: grad(lambda x, k: k * x * x)(3.0, w),
}


class TestCapturedValues:
    @pytest.mark.parametrize("derivative", CAPTURING.values(), ids=list(CAPTURING))
    def test_they_get_gradients_through_derivatives(self, derivative):
        w = Value(5.0)
        out = derivative(w)
        out.sum().backward()
        assert isinstance(out, Value)
        assert w.grad == pytest.approx(out.item() / 5.0)  # every one is linear in w

    def test_values_as_arguments_give_values(self):
        x = Value(3.0)
        slope = grad(lambda x: x**3)(x)
        slope.backward()
        assert (slope.data, x.grad) == (27.0, 18.0)

    def test_values_made_inside_the_function_are_constants(self):
        assert type(grad(lambda x: Value(2.0) * x)(3.0)) is float

    def test_their_gradients_are_left_alone(self):
        w, x = Value(5.0), Value(3.0)
        grad(lambda y: w * x * y)(x)
        assert not w.has_grad
        assert not x.has_grad


class TestResults:
    @pytest.mark.parametrize("inside", [False, True], ids=["recording", "inside no_grad"])
    @one_number
    def test_plain_arguments_give_plain_results(self, f, args, argnums, inside):
        f = partial(f, np)
        derivatives = [grad(f, argnums), value_and_grad(f, argnums), hessian(f, argnums)]
        if inside:
            derivatives = [no_grad()(derivative) for derivative in derivatives]
        leaves = jax.tree.leaves([derivative(*args) for derivative in derivatives])
        assert {type(leaf) for leaf in leaves} <= {float, np.ndarray}

    @pytest.mark.parametrize(
        "f",
        [
            lambda x, y: x,
            lambda x, y: x + y,
            lambda x, y: (x, x, y),
            lambda x, y: x.T,
            lambda x, y: (x.reshape(4), x + 0.0),
            lambda x, y: x[1],
            lambda x, y: x.sum(axis=0) + y,
            lambda x, y: [x @ np.eye(2), y[:, ::-1]],
            lambda x, y: 2.0 * y,
        ],
    )
    def test_results_own_their_arrays(self, f):
        def total(x, y):
            return sum(part.sum() for part in jax.tree.leaves(f(x, y)))

        args, tangents = (np.ones((2, 2)), np.eye(2)), (np.ones((2, 2)), np.ones((2, 2)))
        output, pullback = vjp(f, *args)
        cotangent = random_like(output)
        results = [
            output,
            pullback(cotangent),
            jvp(f, args, tangents),
            jacobian(f, (0, 1))(*args),
            grad(total, (0, 1))(*args),
        ]
        arrays = jax.tree.leaves(results)
        given = jax.tree.leaves([args, tangents, cotangent])
        assert all(array.flags.writeable for array in arrays)
        for i, array in enumerate(arrays):
            assert not any(np.shares_memory(array, other) for other in arrays[:i] + given)

    @pytest.mark.parametrize("f", [lambda x: x * 0.0, lambda x: x > 1, np.floor, lambda x: 7.0 + X])
    def test_derivatives_that_are_zero_have_the_argument_s_shape(self, f):
        assert_close(vjp(f, X)[1](Y), (np.zeros(3),))
        assert_close(jvp(f, (X,), (Y,))[1], np.zeros(3))
        assert_close(jacobian(f)(X), np.zeros((3, 3)))

    def test_what_only_a_step_uses_gets_nothing(self):
        assert grad(lambda x: x + np.floor(x * 2.0))(0.3) == 1.0

    def test_derivatives_of_an_output_without_numbers_have_both_shapes(self):
        of_x, of_y = jacobian(lambda x, y: x[:0] * y, (0, 1))(np.ones((3, 2), np.float32), 2.0)
        assert (of_x.shape, of_x.dtype, of_y.shape) == ((0, 2, 3, 2), np.float32, (0, 2))
        assert hessian(lambda x: np.sum(x**2))(np.ones((0, 3))).shape == (0, 3, 0, 3)
        assert isinstance(jacobian(np.exp)(Value(np.ones(0))), Value)

    def test_a_structure_without_numbers_has_an_empty_gradient(self):
        w = Value(5.0)
        for empty in ([], {}, {"layers": [(), None]}):
            assert grad(lambda p: 3.0)(empty) == empty
            assert grad(lambda p: w * 3.0)(empty) == empty

    def test_structures_are_kept_to_the_letter(self):
        gradient = grad(lambda p, x: network(np, p, x))(NETWORK, X)
        assert list(gradient) == ["layers", "scale"]
        assert [type(layer) for layer in gradient["layers"]] == [Layer, Layer]
        assert grad(lambda p: p["w"] * 2.0)({"w": 3.0, "b": None}) == {"w": 2.0, "b": None}

    @given(*[st.floats(-3.0, 3.0)] * 2)
    def test_jvp_is_linear_in_its_tangents(self, a, b):
        def push(*tangents):
            return jvp(lambda w, x: np.tanh(w @ x) / (1 + x.sum() ** 2), (W, X), tangents)[1]

        (w1, x1), (w2, x2) = random_like((W, X), 1), random_like((W, X), 2)
        together = push(a * w1 + b * w2, a * x1 + b * x2)
        np.testing.assert_allclose(together, a * push(w1, x1) + b * push(w2, x2), atol=1e-12)


class TestGradientsInsideAFunctionBeingDifferentiated:
    @pytest.mark.parametrize(
        "derivative",
        [
            lambda f: grad(f)(3.0),
            lambda f: grad(f)(Value(3.0)),
            lambda f: vjp(f, 3.0),
            lambda f: jvp(f, (3.0,), (1.0,)),
            lambda f: jacobian(f)(3.0),
            lambda f: hessian(f)(3.0),
        ],
    )
    def test_are_warned_of_as_numbers(self, derivative):
        messages.warned.clear()
        with pytest.warns(GradientWarning, match="create_graph=True"):
            derivative(lambda x: gradients(x * x, [x])[0] * x)

    def test_are_warned_of_where_they_differentiate_by_another_value(self):
        messages.warned.clear()
        w = Value(5.0)
        with pytest.warns(GradientWarning, match="takes for constants"):
            grad(lambda x: gradients(w * x, [w])[0] * x)(3.0)

    def test_are_right_with_the_graph(self):
        f = grad(lambda x: gradients(x * x, [x], create_graph=True)[0] * x)
        assert f(3.0) == 12.0  # a warning would be an error

    def test_are_constants_without_a_word_inside_no_grad(self):
        def f(x):
            y = x * x
            with no_grad():
                (slope,) = gradients(y, [x])
            return slope * x

        assert grad(f)(3.0) == 6.0

    def test_of_what_does_not_depend_on_its_arguments_are_constants_without_a_word(self):
        w = Value(3.0)
        assert grad(lambda x: gradients(w * w, [w])[0] * x)(5.0) == 6.0
        assert gradients(w * w, [w]) == [6.0]  # after it has run


class TestInsideNoGrad:
    def test_captured_values_give_plain_results(self):
        w = Value(5.0)
        with no_grad():
            results = [derivative(w) for derivative in CAPTURING.values()]
        assert {type(result) for result in results} <= {float, np.ndarray}
        assert results[0] == 30.0

    def test_derivatives_of_any_order_are_right(self):
        x = Value(2.0)
        with no_grad():
            assert grad(grad(lambda x: x**3))(2.0) == 12.0
            assert grad(grad(lambda x: x**3))(x) == 12.0
            assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0

    def test_recording_stays_off_around_them(self):
        x = Value(2.0)
        with no_grad():
            grad(lambda x: x**3)(2.0)
            assert (x * x).inputs == ()

    def test_gradients_of_backward_are_constants_in_an_outer_derivative_which_is_warned_of(self):
        def slope(x, create_graph):
            y = x**3
            y.backward(create_graph=create_graph)
            return x.grad * x

        messages.warned.clear()
        with pytest.warns(GradientWarning, match=r"^v\.backward\(\) inside .* differentiated"):
            assert grad(slope)(2.0, False) == 12.0  # 3 x^2, a constant, times x
        assert grad(slope)(2.0, True) == 36.0  # of 3 x^3

        def with_a_log(x):
            Value(3.0).backward()
            with no_grad():
                (x * 2.0).sum()
            return x**2

        assert grad(with_a_log)(3.0) == 6.0

    @pytest.mark.parametrize(
        "derivative",
        [
            lambda f, x: f(x).backward(),
            lambda f, x: gradients(f(x), [x]),
            lambda f, x: grad(f)(3.0),
            lambda f, x: vjp(f, 3.0),
            lambda f, x: jvp(f, (3.0,), (1.0,)),
            lambda f, x: jacobian(f)(3.0),
            lambda f, x: hessian(f)(3.0),
        ],
    )
    def test_what_was_computed_there_has_no_derivative(self, derivative):
        square = no_grad()(lambda x: x * x)
        for f in (square, compile(square)):
            with pytest.raises(UnsupportedError, match="inside no_grad: 9"):
                derivative(f, Value(3.0))

    def test_what_was_computed_there_is_a_constant_elsewhere(self):
        constant = no_grad()(lambda x: x * x)
        assert grad(lambda x: constant(x) * x)(3.0) == 9.0
        x = Value(3.0)
        (constant(x) * x).backward()
        assert x.grad == 9.0
        outputs, pullback = vjp(lambda x: (x * x, constant(x)), 3.0)
        assert (outputs, pullback((1.0, 1.0))) == ((9.0, 9.0), (6.0,))

    def test_what_was_computed_there_accumulates_as_a_leaf(self):
        x = no_grad()(lambda x: x * x)(Value(3.0))
        for expected in (18.0, 36.0):
            (x * x).backward()
            assert x.grad == expected

    def test_a_leaf_has_gradient_1(self):
        x = Value(3.0)
        with no_grad():
            x.backward()
        assert x.grad == 1.0

    def test_pulling_back_later(self):
        w = Value(5.0)
        _, pullback = vjp(lambda x: w * x, 3.0)
        with no_grad():
            assert pullback(1.0) == (5.0,)


class TestCreateGraph:
    def test_gradients_are_values_that_can_be_differentiated(self):
        x = Value(2.0)
        derivatives = []
        out = x**4
        for _ in range(4):
            x.grad = None
            out.backward(create_graph=True)
            out = x.grad
            derivatives.append(out.data)
        assert derivatives == [32.0, 48.0, 48.0, 24.0]

    def test_gradient_penalty(self):
        def penalty(np, w, x, derivative):
            slope = derivative(lambda x: np.sum(np.tanh(w @ x)))(x)
            return np.sum(slope**2)

        w, x = Value(W), Value(X)
        np.tanh(w @ x).sum().backward(create_graph=True)
        slope = x.grad
        w.grad = x.grad = None
        (slope**2).sum().backward()
        expected = jax.grad(partial(penalty, jnp, derivative=jax.grad), (0, 1))(W, X)
        assert_close((w.grad, x.grad), expected)
        assert_close(grad(partial(penalty, np, derivative=grad), (0, 1))(W, X), expected)

    def test_a_value_may_weigh_the_output(self):
        x, weights = Value(X), Value(Y)
        (x * x).backward(weights, create_graph=True)
        gradient = x.grad
        x.grad = None
        gradient.sum().backward()
        assert_close((gradient.data, weights.grad, x.grad), (2 * X * Y, 2 * X, 2 * Y))

    def test_without_it_gradients_are_plain(self):
        x = Value(2.0)
        (x**3).backward()
        assert type(x.grad) is float
        assert type(backprop.sweep(topological_order(x**3), 1.0)[x]) is float


def test_an_output_that_ignores_the_primals_does_not_move_along_value_tangents():
    constant, direction = Value(3.0), Value(1.0)
    output, move = jvp(lambda x: constant, (2.0,), (direction,))
    assert output.data == 3.0
    assert move == 0.0


def test_gradients_of_plain_data_are_0_and_warned_of():
    x = Value(2.0)
    [slope] = gradients(x**4, [x])
    with pytest.warns(GradientWarning, match=r"gradients of plain data, 32\n.*\n.*create_graph"):
        assert gradients(slope, [x]) == [0.0]
    with pytest.warns(GradientWarning, match="gradients of plain data, 3"):
        assert grad(lambda x: gradients(3.0, [x])[0] + x)(2.0) == 1.0
    [slope] = gradients(x**4, [x], create_graph=True)
    assert gradients(slope, [x]) == [48.0]
