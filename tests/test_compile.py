"""compile, as its user sees it: the same results as the function itself, without the graph."""

import gc
import threading
import warnings
import weakref
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from oracle import assert_close

from autograd_core import (
    DataError,
    DomainError,
    Value,
    detect_anomaly,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from autograd_core.derivatives import gradients
from autograd_core.program.batch import batch
from autograd_core.program.compile import OFTEN, Compiled, compile
from autograd_core.program.tracing import callback, fresh

X = np.array([0.3, -0.7, 1.1])
Y = np.array([0.9, 0.2, -0.4])
W = np.array([[0.5, -0.3, 0.8], [1.2, 0.1, -0.6]])


class Layer(NamedTuple):
    """A named tuple, as a structure that must be kept."""

    weight: Any
    bias: Any


def plain(x):
    if isinstance(x, dict):
        return {name: plain(part) for name, part in x.items()}
    if isinstance(x, list | tuple):
        parts = [plain(part) for part in x]
        return (
            parts
            if isinstance(x, list)
            else type(x)(*parts)
            if hasattr(x, "_fields")
            else (*parts,)
        )
    return x._data if isinstance(x, Value) else x


def kinds(x):
    """Return the structure of a result, with the types of its leaves."""
    if isinstance(x, dict):
        return {name: kinds(part) for name, part in x.items()}
    if isinstance(x, list | tuple):
        return [type(x), *[kinds(part) for part in x]]
    return type(x)


def assert_replays(f, *calls, exact=True):
    """Hold every call of the compiled function, recorded and replayed, to the function itself."""
    compiled = compile(f)
    for args in (*calls, *calls):
        expected, actual = f(*args), compiled(*args)
        assert kinds(actual) == kinds(expected)
        assert_close(plain(actual), plain(expected), *((0.0, 0.0) if exact else (1e-12, 1e-15)))
    assert compiled.traces == 1
    return compiled


class TestWhatGoesInAndOut:
    def test_numbers(self):
        assert_replays(lambda x, y: x * y + x, (2.0, 3.0), (-1.5, 0.25))

    def test_arrays(self):
        assert_replays(lambda x, y: np.abs(x) * y / 3.0, (X, Y), (Y, X))
        assert_replays(lambda x, y: np.tanh(x) * y, (X, Y), (Y, X), exact=False)

    def test_single_precision_stays(self):
        compiled = assert_replays(
            lambda x: np.exp(x) * 0.1 + 1.0, (X.astype("f"),), (Y.astype("f"),)
        )
        assert compiled(X.astype("f")).dtype == np.float32

    def test_nested_structures(self):
        def f(p, pair):
            layer = p["layers"][0]
            return {"out": [layer.weight @ pair[0] + layer.bias, None], "pair": (pair[1], p["b"])}

        first = {"layers": [Layer(W, np.array([0.5, 1.0]))], "b": 2.0}
        second = {"layers": [Layer(W * 2, np.array([0.1, 3.0]))], "b": -1.0}
        assert_replays(f, (first, (X, 1.0)), (second, (Y, 4.0)), exact=False)

    def test_named_tuples_stay_named_tuples(self):
        assert_replays(lambda layer: layer._replace(bias=layer.bias * 2.0), (Layer(1.0, 2.0),))

    def test_lists_of_many_numbers(self):
        assert_replays(lambda xs: [x * x for x in xs], ([1.0, 2.0, 3.0],), ([4.0, 5.0, 6.0],))

    def test_keyword_arguments(self):
        compiled = compile(lambda x, *, scale, shift=0.0: x * scale + shift)
        assert compiled(2.0, scale=3.0) == 6.0
        assert compiled(2.0, scale=5.0) == 10.0
        assert compiled(2.0, scale=3.0, shift=1.0) == 7.0
        assert compiled.traces == 2

    def test_whole_numbers_are_numbers(self):
        compiled = assert_replays(lambda x: x / 2, (3,), (5,))
        assert compiled.traces == 1
        assert compiled(4.0) == 2.0
        assert compiled.traces == 2  # floats are another kind, which isinstance may tell

    def test_arrays_of_whole_numbers(self):
        compiled = compile(lambda x: x**-1.0)
        for x in (np.array([1, 2]), np.array([4, 5])):
            assert_close(compiled(x), 1.0 / x)

    def test_no_arguments(self):
        assert_replays(lambda: 2.0 * 3.0, ())

    def test_nothing_in_the_result(self):
        assert_replays(lambda x: None, (1.0,))
        assert_replays(lambda x: ([], {}, ()), (1.0,))

    def test_options_in_the_result(self):
        assert compile(lambda x: (x, "name", True))(2.0) == (2.0, "name", True)

    def test_an_argument_as_the_result_is_a_copy_of_its_own(self):
        compiled = compile(lambda x: x)
        for _ in range(2):
            x = X.copy()
            compiled(x)[0] = 100.0
            assert x[0] == X[0]

    def test_the_same_result_twice_gives_two_arrays(self):
        def twice(x):
            y = x * 2.0
            return y, y

        compiled = compile(twice)
        for _ in range(2):
            one, other = compiled(X)
            one[0] = 100.0
            assert other[0] == 2 * X[0]

    def test_a_view_in_the_result_is_a_copy_of_its_own(self):
        compiled = compile(lambda x: (x * 2.0, (x * 2.0)[1:], (x * 2.0).reshape(3, 1)))
        for _ in range(2):
            whole, part, column = compiled(X)
            whole[:] = 100.0
            assert_close((part, column), (2 * X[1:], 2 * X[:, None]))

    def test_a_constant_result_is_a_copy_of_its_own(self):
        ones = np.ones(3)
        compiled = compile(lambda x: ones)
        for _ in range(3):
            result = compiled(1.0)
            assert_close(result, np.ones(3))
            result[:] = 100.0
        assert_close(ones, np.ones(3))

    def test_results_stay_when_later_calls_come(self):
        compiled = compile(lambda x: np.tanh(x) * 2.0)
        results = [compiled(X + i) for i in range(20)]
        for i, result in enumerate(results):
            assert_close(result, np.tanh(X + i) * 2.0)

    def test_results_may_be_given_back_as_arguments(self):
        compiled = compile(lambda x: x * 0.5 + 1.0)
        x = expected = X
        for _ in range(10):
            x, expected = compiled(compiled(x)), (expected * 0.5 + 1.0) * 0.5 + 1.0
        assert_close(x, expected, 0.0, 0.0)


class TestOptions:
    def test_true_and_text_decide_what_is_computed(self):
        compiled = compile(
            lambda x, up, how: (x + 1.0 if up else x - 1.0) * (2.0 if how == "twice" else 1)
        )
        assert compiled(3.0, True, "once") == 4.0
        assert compiled(3.0, False, "once") == 2.0
        assert compiled(3.0, True, "twice") == 8.0
        assert compiled.traces == 3

    def test_types_slices_and_functions(self):
        compiled = compile(lambda x, kind, part, f: f(x.astype(kind)[part]))
        assert compiled(X, np.float32, slice(0, 2), np.exp).dtype == np.float32
        assert_close(compiled(X, np.float64, slice(1, 3), np.sin), np.sin(X[1:]))
        assert compiled.traces == 2
        compiled(Y, np.float64, slice(1, 3), np.sin)
        assert compiled.traces == 2

    def test_a_type_is_no_number(self):
        compiled = compile(lambda x, y: x if y is float else y)
        assert compiled(1.0, float) == 1.0
        assert compiled(1.0, 2.0) == 2.0

    def test_what_cannot_be_told_apart_is_refused(self):
        with pytest.raises(DataError, match="a set as an argument of a compiled function"):
            compile(lambda x, s: x)(1.0, {2.0})

    def test_text_in_place_of_the_mark_of_numbers(self):
        compiled = compile(lambda xs: xs[0] if isinstance(xs[0], str) else xs[0] * 2.0)
        assert compiled([1.0, 2.0, 3.0]) == 2.0
        assert compiled(["floats", "b", "c"]) == "floats"


class TestCaching:
    def test_each_shape_and_type_is_recorded_once(self):
        compiled = compile(lambda x: x * 2.0)
        for x in (1.0, X, W, X.astype("f"), 2.0, Y, W + 1, Y.astype("f")):
            assert_close(compiled(x), x * 2.0)
        assert compiled.traces == 4

    def test_values_and_arrays_are_told_apart(self):
        compiled = compile(lambda x: x * 2.0)
        assert isinstance(compiled(X), np.ndarray)
        assert isinstance(compiled(Value(X)), Value)
        assert isinstance(compiled(X), np.ndarray)

    def test_structures_are_told_apart(self):
        compiled = compile(lambda p: p)
        for p in (
            [1.0, 2.0],
            (1.0, 2.0),
            {"a": 1.0, "b": 2.0},
            {"b": 1.0, "a": 2.0},
            Layer(1.0, 2.0),
        ):
            assert compiled(p) == p
            assert type(compiled(p)) is type(p)
        assert compiled.traces == 5

    def test_many_recordings_are_said_aloud(self):
        compiled = compile(lambda x: x * 2.0)
        for n in range(1, OFTEN):
            compiled(np.ones(n))
        with pytest.warns(UserWarning, match=rf"recorded {OFTEN} times.*pad the last batch"):
            compiled(np.ones(OFTEN))
        compiled(np.ones(OFTEN + 1))  # said once

    def test_the_program_of_the_latest_call(self):
        compiled = compile(lambda x: x * 2.0)
        with pytest.raises(AttributeError, match="no program yet"):
            _ = compiled.program
        compiled(1.0)
        compiled(X)
        assert "float64[3]" in str(compiled.program)
        compiled(2.0)
        assert "float64" not in str(compiled.program)

    def test_the_first_arguments_and_results_are_not_kept(self):
        class Big(np.ndarray):
            """An array that can be watched."""

        compiled = compile(lambda xs: [xs[0] * 2.0, xs[1] * 3.0])
        x = np.ones(3)
        watched = weakref.ref(x)
        results = [weakref.ref(result) for result in compiled([x, np.ones(3)])]
        del x
        gc.collect()
        assert watched() is None
        assert [result() for result in results] == [None, None]


class TestFunctionsOfAllKinds:
    def test_as_decorator(self):
        @compile
        def double(x):
            """Twice x."""
            return x + x

        assert double(2.0) == 4.0
        assert double.__name__ == "double"
        assert double.__doc__ == "Twice x."

    def test_methods(self):
        class Model:
            def __init__(self, w):
                self.w = Value(w)

            def __len__(self):
                return 1

            @compile
            def __call__(self, x):
                return self.w * x

        one, other = Model(2.0), Model(5.0)
        assert [one(3.0).data, other(3.0).data, one(4.0).data] == [6.0, 15.0, 8.0]
        assert isinstance(Model.__call__, Compiled)

    def test_objects_that_can_be_called(self):
        class Model:
            def __init__(self):
                self.w, self._f, self._replays = Value(2.0), "mine", "mine, too"

            def __call__(self, x):
                return self.w * x

        model = Model()
        compiled = compile(model)
        assert [compiled(3.0).data, compiled(4.0).data] == [6.0, 8.0]
        assert model._f == "mine"

    def test_partial_functions(self):
        assert_replays(partial(lambda x, y: x * y, 3.0), (2.0,), (4.0,))

    def test_compiled_twice(self):
        compiled = compile(compile(lambda x: x * x))
        assert [compiled(2.0), compiled(3.0)] == [4.0, 9.0]


class TestCapturedValues:
    def test_are_read_afresh(self):
        w = Value(2.0)
        compiled = compile(lambda x: w * x)
        assert compiled(3.0).data == 6.0
        w.data = 5.0
        assert compiled(3.0).data == 15.0

    def test_may_be_given_new_data_inside(self):
        def descend(p, x):
            loss, gradient = value_and_grad(lambda w: np.sum((w * x - 1.0) ** 2))(p)
            p.data = p - 0.1 * gradient
            return loss

        p, q = Value(X), Value(X)
        compiled = compile(partial(descend, p))
        for x in (Y, X, Y + 1):
            expected = descend(q, x).data
            assert_close(compiled(x), expected, 0.0, 0.0)
            assert_close(p.data, q.data, 0.0, 0.0)
        assert compiled.traces == 1

    def test_see_their_new_data_from_then_on(self):
        p = Value(1.0)

        def f(x):
            before = p * 10.0
            p.data = p + x
            between = p * 10.0
            p.data = p * 2.0
            return before + 0.0 * x, between, p * 1.0

        compiled = compile(f)
        assert plain(compiled(1.0)) == (10.0, 20.0, 4.0)
        assert plain(compiled(2.0)) == (40.0, 60.0, 12.0)
        assert p.data == 12.0

    def test_exchange_their_data(self):
        p, q = Value(X), Value(Y)

        @compile
        def exchange():
            before = p * 1.0
            p.data = q * 1.0
            q.data = before

        for expected in ((Y, X), (X, Y), (Y, X)):
            exchange()
            assert_close((p.data, q.data), expected)

    def test_new_data_are_arrays_of_their_own(self):
        p, q = Value(X), Value(Y)

        @compile
        def f(x):
            p.data = x * 2.0
            q.data = p
            return p * 1.0

        for _ in range(3):
            result = f(X)
            p.data[0] = q.data[1] = 100.0
            assert_close(result, 2 * X)
            assert (p.data[1], q.data[0]) == (2 * X[1], 2 * X[0])

    def test_given_new_data_results_are_plain(self):
        p = Value(1.0)

        def f(x):
            p.data = p * 0.5
            return p * x

        compiled = compile(f)
        assert [compiled(4.0), compiled(4.0)] == [2.0, 1.0]

    def test_gradients_of_captured_values(self):
        w = Value(X)
        compiled = compile(lambda x: gradients(np.sum(w * w * x), [w])[0])
        for x in (2.0, 3.0):
            assert_close(compiled(x).data, 2 * x * X)

    def test_without_a_graph(self):
        w = Value(2.0)

        def f(x):
            with no_grad():
                scale = w * x
            return scale * w

        compiled = compile(f)
        for x in (3.0, 5.0):
            compiled(x).backward()
            assert w.grad == 2.0 * x
            w.grad = None


def by_gradients(f, x):
    y = f(x)
    with no_grad():
        return gradients(y, [x])[0]


def of_itself(f, x):
    y = f(x)
    with no_grad():
        return gradients(y, [y], cotangent=x)[0]


@no_grad()
def by_vjp(f, x):
    output, pull = vjp(f, x)
    return output + pull(x)[0]


def by_pulling_later(f, x):
    pull = vjp(f, x)[1]
    with no_grad():
        return pull(x)[0]


DETACHED = {  # a derivative of a function, inside no_grad; and by JAX
    "gradients": (by_gradients, lambda f, x: jax.grad(f)(x)),
    "gradients of a result by itself": (of_itself, lambda f, x: x),
    "grad": (no_grad()(lambda f, x: grad(f)(x)), lambda f, x: jax.grad(f)(x)),
    "value_and_grad": (
        no_grad()(lambda f, x: sum(value_and_grad(f)(x))),
        lambda f, x: f(x) + jax.grad(f)(x),
    ),
    "vjp": (by_vjp, lambda f, x: f(x) + x * jax.grad(f)(x)),
    "vjp, pulled later": (by_pulling_later, lambda f, x: x * jax.grad(f)(x)),
    "jvp": (
        no_grad()(lambda f, x: sum(jvp(f, (x,), (x,)))),
        lambda f, x: f(x) + x * jax.grad(f)(x),
    ),
    "jacobian": (no_grad()(lambda f, x: jacobian(f)(x)), lambda f, x: jax.jacobian(f)(x)),
    "hessian": (no_grad()(lambda f, x: hessian(f)(x)), lambda f, x: jax.hessian(f)(x)),
    "hvp": (no_grad()(lambda f, x: hvp(f, (x,), (x,))), lambda f, x: x * jax.hessian(f)(x)),
    "compiled": (no_grad()(lambda f, x: grad(compile(f))(x)), lambda f, x: jax.grad(f)(x)),
}
AROUND = {
    "eager": grad,
    "compile(grad(f))": lambda f: compile(grad(f)),
    "grad(compile(f))": lambda f: grad(compile(f)),
    "batch(grad(f))": lambda f: lambda x: batch(grad(f))(np.array([x, 1.0]))[0],
    "grad(batch(f))": lambda f: lambda x: grad(lambda v: batch(f)(v)[0])(np.array([x, 1.0]))[0],
    "compile(batch(grad(f)))": lambda f: lambda x: compile(batch(grad(f)))(np.array([x, 1.0]))[0],
    "compile(grad(grad(f)))": lambda f: compile(grad(grad(f))),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize(("derivative", "by_jax"), DETACHED.values(), ids=DETACHED)
def test_derivatives_inside_no_grad_are_constants_computed_anew(derivative, by_jax, around):
    def cube(x):
        return x**3

    def reference(x):
        return jax.lax.stop_gradient(by_jax(cube, x)) * x * x

    slope = jax.grad(reference)
    expected = jax.grad(slope) if around is AROUND["compile(grad(grad(f)))"] else slope
    differentiated = around(lambda x: derivative(cube, x) * x * x)
    for x in (2.0, 3.0):
        assert_close(differentiated(x), float(expected(x)))


@pytest.mark.parametrize("around", [grad, lambda f: compile(grad(f))])
def test_inside_no_grad_the_argument_itself_may_be_the_result(around):
    derivative = no_grad()(value_and_grad(lambda x: x))
    differentiated = around(lambda x: sum(derivative(x)) * x)
    assert [differentiated(2.0), differentiated(3.0)] == [3.0, 4.0]


class TestDerivativesInside:
    def test_gradient(self):
        assert_replays(grad(lambda x: x**3 + np.sin(x)), (2.0,), (0.5,))

    def test_value_and_gradient_of_a_network(self):
        def loss(p, x):
            return np.mean((np.tanh(x @ p["w"] + p["b"]) - 1.0) ** 2)

        rng = np.random.default_rng(0)
        calls = [
            ({"w": rng.normal(size=(4, 2)), "b": rng.normal(size=2)}, rng.normal(size=(5, 4)))
            for _ in range(3)
        ]
        assert_replays(value_and_grad(loss), *calls, exact=False)

    def test_masks_flip(self):
        f = value_and_grad(lambda x: np.sum(np.where(x > 0.0, x * x, -x) + np.maximum(x, 0.5)))
        assert_replays(f, (X,), (-X,), (Y,), (np.zeros(3),), exact=False)

    def test_gradient_of_gradient(self):
        assert_replays(grad(grad(grad(lambda x: np.exp(2.0 * x) * x))), (0.5,), (-1.0,))

    def test_hessian(self):
        f = hessian(lambda x: np.sum(np.sin(x) * x[::-1] ** 2))
        assert_replays(f, (X,), (Y,), exact=False)

    def test_jacobian(self):
        assert_replays(jacobian(lambda x: np.tanh(W @ x)), (X,), (Y,), exact=False)

    def test_jvp(self):
        f = lambda x, v: jvp(lambda z: np.tanh(W @ z), (x,), (v,))  # noqa: E731
        assert_replays(f, (X, Y), (Y, X), exact=False)

    def test_vjp(self):
        def f(x, g):
            output, pullback = vjp(lambda z: np.tanh(W @ z), x)
            return output, pullback(g)

        assert_replays(f, (X, np.ones(2)), (Y, np.array([1.0, -2.0])), exact=False)

    def test_hvp(self):
        f = lambda x, v: hvp(lambda z: np.sum(z**3), (x,), (v,))  # noqa: E731
        assert_replays(f, (X, Y), (Y, X), exact=False)

    def test_perturbations_are_not_confused(self):
        f = grad(lambda x: x * grad(lambda y: x * y)(2.0))
        assert_replays(f, (3.0,), (5.0,))


class TestDerivativesOutside:
    def test_backward(self):
        compiled = compile(lambda x, y: np.sum(x * y * y))
        x, y = Value(X), Value(Y)
        for _ in range(3):
            compiled(x, y).backward()
        assert_close((x.grad, y.grad), (3 * Y**2, 6 * X * Y))

    def test_backward_twice_from_one_result(self):
        w = Value(X)
        y = compile(lambda: np.sum(w * w))()
        y.backward()
        w.grad *= 100.0  # its owner's array
        w.grad = None
        y.backward()
        assert_close(w.grad, 2 * X)

    def test_backward_to_captured_values(self):
        w = Value(W)
        compiled = compile(lambda x: np.sum(np.tanh(w @ x)))
        for x in (X, Y):
            compiled(x).backward()
            assert_close(w.grad, np.outer(1 - np.tanh(W @ x) ** 2, x))
            w.grad = None

    def test_backward_through_several_results(self):
        compiled = compile(lambda x: {"square": x * x, "constant": 3.0, "cube": [x**3]})
        x = Value(2.0)
        results = compiled(x)
        (results["square"] * 10.0 + results["cube"][0]).backward()
        assert x.grad == 40.0 + 12.0
        assert results["constant"] == 3.0

    def test_backward_within_a_larger_graph(self):
        compiled = compile(lambda x: x * x)
        x = Value(3.0)
        (compiled(compiled(x * 2.0)) + x).backward()
        assert x.grad == 4 * 2 * 6.0**3 + 1

    @pytest.mark.parametrize("order", [1, 2, 3, 4])
    def test_derivatives_of_any_order(self, order):
        f = lambda x: np.exp(2.0 * x) * x**3  # noqa: E731
        actual, expected = compile(f), f
        for _ in range(order):
            actual, expected = grad(actual), grad(expected)
        for x in (0.5, -1.2):
            assert_close(actual(x), expected(x))

    def test_second_derivatives_by_captured_values(self):
        w = Value(2.0)
        y = compile(lambda: w**3)()
        y.backward(create_graph=True)
        first, w.grad = w.grad, None
        first.backward()
        assert (first.data, w.grad) == (12.0, 12.0)

    def test_plain_and_recorded_sweeps_do_not_mix(self):
        x = Value(2.0)
        y = compile(lambda x: x**3)(x)
        y.backward()
        assert x.grad == 12.0
        x.grad = None
        y.backward(create_graph=True)
        first, x.grad = x.grad, None
        first.backward()
        assert (first.data, x.grad) == (12.0, 12.0)
        x.grad = None
        y.backward()
        assert isinstance(x.grad, float)

    @pytest.mark.parametrize(
        "derivative", [jacobian, lambda f: hessian(lambda x: np.sum(f(x) ** 2))]
    )
    def test_jacobian_and_hessian_of_compiled(self, derivative):
        f = lambda x: np.tanh(W @ x)  # noqa: E731
        assert_close(derivative(compile(f))(X), derivative(f)(X))

    def test_jvp_of_compiled(self):
        w = Value(Y)
        f = lambda x: np.sin(x) * w  # noqa: E731
        assert_close(plain(jvp(compile(f), (X,), (Y,))), plain(jvp(f, (X,), (Y,))))

    def test_compile_of_grad_of_compile(self):
        inner = compile(lambda x: np.sum(np.tanh(x) ** 2))
        outer = compile(grad(inner))
        for x in (X, Y):
            assert_close(outer(x), grad(lambda x: np.sum(np.tanh(x) ** 2))(x))

    def test_in_single_precision(self):
        x = Value(X.astype("f"))
        compile(lambda x: np.sum(x**3))(x).backward()
        assert x.grad.dtype == np.float32

    def test_arguments_that_are_no_values_get_no_gradient(self):
        x = Value(2.0)
        y = compile(lambda x, c: x * c)(x, 5.0)
        y.backward()
        assert x.grad == 5.0

    def test_masks_that_flip_between_calls(self):
        compiled = compile(lambda x: np.sum(np.where(x > 0.0, x * x, 0.0)))
        for data in (X, -X, Y):
            x = Value(data)
            compiled(x).backward()
            assert_close(x.grad, np.where(data > 0, 2 * data, 0.0))


class TestPlainOrValues:
    def test_plain_arguments_give_plain_results(self):
        assert type(compile(lambda x: x * 2.0)(2.0)) is float

    def test_captured_values_give_values_where_they_take_part(self):
        w = Value(2.0)
        for _ in range(2):
            assert_replays(lambda x: (w * x, x * 2.0), (1.0,), (2.0,))

    def test_without_recording_results_remember_nothing(self):
        w = Value(2.0)
        compiled = compile(lambda x: w * x)
        for _ in range(2):
            with no_grad():
                y = compiled(3.0)
            assert isinstance(y, Value)
            assert (y.data, y.inputs) == (6.0, ())
        assert compiled(3.0).inputs == (w,)


class TestNestedCompile:
    def test_inner_programs_become_part_of_the_outer(self):
        w = Value(2.0)
        inner = compile(lambda x: w * x)
        outer = compile(lambda x: inner(x) + inner(x * x))
        for x in (1.0, 3.0):
            assert outer(x).data == 2 * x + 2 * x * x
        w.data = 5.0
        assert outer(1.0).data == 10.0
        assert inner.traces == 0

    def test_a_function_that_calls_itself(self):
        @compile
        def power(x, n):
            return x if n == "" else x * power(x, n[1:])

        assert [power(2.0, "ab"), power(3.0, "ab")] == [8.0, 27.0]


class TestExceptions:
    def test_while_recording_leave_nothing_changed(self):
        p, q = Value(X), Value(2.0)

        def f(x):
            p.data = p * 2.0
            q.data = x
            p.data = p * 2.0
            raise KeyError("mine")

        compiled = compile(f)
        for _ in range(2):
            with pytest.raises(KeyError, match="mine"):
                compiled(1.0)
        assert_close((p.data, q.data), (X, 2.0), 0.0, 0.0)
        assert compiled.traces == 0

    def test_while_replaying_leave_nothing_changed(self):
        p = Value(np.eye(2))

        def f(x):
            p.data = p * 2.0
            return np.linalg.inv(x)

        compiled = compile(f)
        compiled(np.eye(2))
        with pytest.raises(DomainError, match="Singular"):
            compiled(np.zeros((2, 2)))
        assert_close(p.data, 2 * np.eye(2), 0.0, 0.0)
        assert_close(compiled(np.eye(2)), np.eye(2))

    def test_in_a_callback_leave_nothing_changed(self):
        p = Value(1.0)

        def look(x):
            if x > 2.0:
                raise ValueError("too large")

        def f(x):
            p.data = p + x
            callback(look, x)

        compiled = compile(f)
        compiled(1.0)
        with pytest.raises(ValueError, match="too large"):
            compiled(3.0)
        assert p.data == 2.0

    def test_a_later_call_may_go_well(self):
        compiled = compile(np.linalg.inv)
        with pytest.raises(DomainError):
            compiled(np.zeros((2, 2)))
        assert_close(compiled(np.eye(2)), np.eye(2))

    def test_an_interrupt_leaves_the_values_of_one_call(self):
        p, q = Value(X), Value(Y)
        interrupted = []

        def stop(_):
            if interrupted:
                raise KeyboardInterrupt

        @compile
        def f(x):
            p.data = p + x
            callback(stop, x)
            q.data = q + x

        f(1.0)
        interrupted.append(True)
        with pytest.raises(KeyboardInterrupt):
            f(1.0)
        assert_close((p.data, q.data), (X + 1, Y + 1), 0, 0)


class TestDetectAnomaly:
    def test_names_the_operation(self):
        compiled = compile(lambda x: np.log(x) * 2.0)
        compiled(X**2)
        with (
            np.errstate(all="ignore"),
            detect_anomaly(),
            pytest.raises(FloatingPointError, match="log of"),
        ):
            compiled(Value(np.zeros(3)))

    def test_around_the_sweep_only(self):
        w, x = Value(2.0), Value(3.0)
        y = compile(lambda x: w * x * x)(x)
        with detect_anomaly():
            y.backward()
        assert (w.grad, x.grad) == (9.0, 12.0)

    def test_sees_the_numbers_that_were_drawn(self):
        rng = np.random.default_rng(0)
        x = Value(3.0)
        y = compile(lambda x: x * fresh(rng.normal))(x)
        with detect_anomaly():
            y.backward()
        assert x.grad * 3.0 == y.data


class TestThreads:
    def test_call_at_once(self):
        compiled = compile(lambda x: np.tanh(W @ x) * 2.0)
        wrong = []

        def work(seed):
            rng = np.random.default_rng(seed)
            for _ in range(200):
                x = rng.normal(size=3)
                result = compiled(x)
                if not np.allclose(result, np.tanh(W @ x) * 2.0, 1e-12, 1e-15):
                    wrong.append(x)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert compiled.traces == 1

    def test_one_records_and_the_others_see_nothing_of_it(self):
        started, done = threading.Event(), threading.Event()

        def slow(x):
            started.set()
            assert done.wait(10)
            return x * 2.0

        results = []
        thread = threading.Thread(target=lambda: results.append(compile(slow)(2.0)))
        thread.start()
        assert started.wait(10)
        assert Value(3.0).data == 3.0
        assert bool(Value(1.0) > 0.0) is True
        done.set()
        thread.join()
        assert results == [4.0]

    def test_no_warning_from_floating_point(self):
        compiled = compile(lambda x: np.log(x) / x)
        compiled(X**2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isnan(compiled(np.array([-1.0, 0.0, 1.0]))[0])
