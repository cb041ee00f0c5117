"""The table: every primitive has a row, right derivatives, one behaviour for floats and arrays."""

import importlib
import itertools
import math
import operator
import pkgutil
import sys
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES, POINTWISE
from facts import false_facts
from numpy.polynomial import Polynomial

import autograd_core
from autograd_core import (
    GradientMismatch,
    Primitive,
    RuleError,
    Value,
    check_gradients,
    grad,
    hessian,
    jacobian,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
    softplus,
    value_and_grad,
    vjp,
)
from autograd_core.graph import plain
from autograd_core.primitives import elementwise

jax.config.update("jax_enable_x64", True)

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
quiet = partial(np.errstate, all="ignore")


def primitives_of_the_table():
    package = autograd_core.primitives
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, Primitive):
                yield thing


def values(inputs):
    return [Value(x) for x in inputs]


def weights(x):
    """Return fixed numbers of the shape of x, no two the same, to tell its elements apart."""
    return 0.5 + np.arange(np.size(x)).reshape(np.shape(x)) / 7


class TestEveryPrimitive:
    def test_has_a_row(self):
        tried = {case.primitive for case in CASES}
        assert {p.name for p in primitives_of_the_table() if p not in tried} == set()

    def test_has_a_name_of_its_own_under_which_it_stands(self):
        names = [p.name for p in set(primitives_of_the_table())]
        assert len(names) == len(set(names))

    def test_is_linear_and_elementwise_where_it_says_so(self):
        assert [fact for p in primitives_of_the_table() for fact in false_facts(p)] == []

    @each_case
    def test_has_right_first_and_second_derivatives(self, case):
        check_gradients(case, *case.moving, order=2)

    @pytest.mark.parametrize("create_graph", [False, True])
    @pytest.mark.parametrize(
        "case",
        [case for case in CASES if any(map(np.ndim, case.moving))],
        ids=lambda case: case.name,
    )
    def test_keeps_float32(self, case, create_graph):
        moving = [Value(x if type(x) is float else x.astype(np.float32)) for x in case.moving]
        out = case(*moving)
        assert out.dtype == case.params.get("dtype", np.float32) or not out.shape
        out.backward(weights(out).astype(out.dtype), create_graph)
        assert {x.grad.dtype for x in moving if x.shape} == {np.dtype(np.float32)}


def spied(primitive, seen):
    """Return the primitive with rules that write down the types they receive and return."""

    def spy(rule):
        def spying(g, out, *inputs, **params):
            result = rule(g, out, *inputs, **params)
            seen.append(([type(x) for x in (g, out, *inputs)], type(result)))
            return result

        return spying

    if primitive.each is not None:
        rules = {"each": lambda i, *args, **params: spy(primitive.rule(i))(*args, **params)}
        return Primitive(primitive.name, primitive.forward, **rules)
    return Primitive(primitive.name, primitive.forward, *[r and spy(r) for r in primitive.rules])


with_rules = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.primitive.each or any(case.primitive.rules)],
    ids=lambda case: case.name,
)


each_split = pytest.mark.parametrize(
    "case", [case for case in CASES if case.primitive.split], ids=lambda case: case.name
)


class TestRules:
    @with_rules
    def test_work_on_plain_data_in_an_ordinary_sweep(self, case):
        seen = []
        out = spied(case.primitive, seen)(*values(case.inputs), **case.params)
        out.backward(weights(out.data))
        assert seen
        assert {kind for kinds, result in seen for kind in (*kinds, result)} <= {float, np.ndarray}

    @each_split
    def test_give_one_by_one_what_they_give_together(self, case):
        p, out = case.primitive, case.primitive(*case.inputs, **case.params)
        parts = p.split(weights(out), out, *case.inputs, **case.params)
        for i, part in enumerate(parts):
            one = p.rule(i)(weights(out), out, *case.inputs, **case.params)
            np.testing.assert_array_equal(one, part)

    @with_rules
    def test_work_on_values_where_the_gradient_is_to_be_differentiated(self, case):
        seen = []
        out = spied(case.primitive, seen)(*values(case.inputs), **case.params)
        out.backward(Value(weights(out.data)), create_graph=True)
        assert seen
        assert {kind for kinds, result in seen for kind in (*kinds, result)} == {Value}


SPECIAL = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1000.0, -1000.0)

each_pointwise = pytest.mark.parametrize(
    ("primitive", "params", "arity"),
    [
        pytest.param(case.primitive, case.params, len(case.inputs), id=case.name)
        for case, *_ in POINTWISE
    ],
)


def assert_ulps_apart_at_most(most, floats, array, points):
    for number, element, point in zip(floats, array, points, strict=True):
        assert type(number) is float
        if not (number == element or (math.isnan(number) and math.isnan(element))):
            assert abs(number - element) <= most * np.spacing(abs(element)), f"at {point}"


@each_pointwise
class TestFloatsAndArraysAgreeAtSpecialPoints:
    def test_in_value(self, primitive, params, arity):
        points = list(itertools.product(SPECIAL, repeat=arity))
        with quiet():
            array = primitive(*np.transpose(points), **params)
            floats = [primitive(*point, **params) for point in points]
            recorded = [primitive(*values(point), **params).data for point in points]
        assert_ulps_apart_at_most(1, floats, array, points)
        assert_ulps_apart_at_most(1, recorded, array, points)

    def test_in_gradient(self, primitive, params, arity):
        points = list(itertools.product(SPECIAL, repeat=arity))
        arrays = values(np.transpose(points))
        floats = [values(point) for point in points]
        with quiet():
            primitive(*arrays, **params).backward(np.ones(len(points)))
            for inputs in floats:
                primitive(*inputs, **params).backward()
        for array, column in zip(arrays, zip(*floats, strict=True), strict=True):
            # A rule may be a sum of several functions, each of which NumPy rounds its own way
            assert_ulps_apart_at_most(4, [x.grad for x in column], array.grad, points)


@each_pointwise
def test_computing_into_an_array_gives_what_forward_gives_at_special_points(
    primitive, params, arity
):
    if primitive.into is not None:
        points = np.transpose(list(itertools.product(SPECIAL, repeat=arity)))
        out = np.full(points.shape[1], 7.0)
        with quiet():
            primitive.into(*points, out, **params)
            expected = primitive.forward(*points, **params)
            assert_ulps_apart_at_most(2, out.tolist(), expected, points.T)


@pytest.mark.parametrize(
    "primitive",
    [case.primitive for case, *_ in POINTWISE if case.primitive.composed],
    ids=lambda primitive: primitive.name,
)
def test_what_a_primitive_is_composed_of_gives_what_it_gives_at_special_points(primitive):
    points = list(itertools.product((*SPECIAL, 0.3, -0.3), repeat=len(primitive.rules)))
    with quiet():
        expected = primitive(*np.transpose(points))
        assert_ulps_apart_at_most(
            4, primitive.composed(*np.transpose(points)).tolist(), expected, points
        )


def test_what_is_0_times_a_number_does_not_change_with_it_at_all():
    x, y = np.array([0.0, 2.0]), np.ones(2)
    _, pull = vjp(elementwise.zero_times, x, y)
    by_x, by_y = pull(np.array([math.inf, math.inf]))
    assert (by_x.tolist(), by_y.tolist()) == ([math.inf, math.inf], [0.0, math.inf])


OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]


@pytest.mark.parametrize("operate", [getattr(operator, name) for name in OPERATORS])
def test_operators_on_numbers_give_what_numpy_gives_at_special_points(operate):
    points = list(itertools.product(SPECIAL, repeat=2))
    with quiet():
        expected = operate(*np.transpose(points))
        numbers = [operate(Value(x), Value(y)).data for x, y in points]
    assert_ulps_apart_at_most(1, numbers, expected, points)


def gradients(f, *inputs):
    return grad(f, tuple(range(len(inputs))))(*inputs)


def slope(f):
    """Return the derivative of a function that goes element by element."""
    return grad(lambda x: np.sum(f(x)))


class TestTiesShareEqually:
    def test_maximum_and_minimum_of_numbers(self):
        assert gradients(np.maximum, 2.0, 2.0) == (0.5, 0.5)
        assert gradients(np.minimum, 2.0, 2.0) == (0.5, 0.5)

    def test_maximum_and_minimum_of_arrays(self):
        def f(x, y):
            return (np.maximum(x, y) + 10 * np.minimum(x, y)).sum()

        of_x, of_y = gradients(f, np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
        assert of_x.tolist() == [10.0, 5.5, 1.0]
        assert of_y.tolist() == [1.0, 5.5, 10.0]

    @pytest.mark.parametrize("extreme", [np.max, np.min])
    def test_max_and_min_of_all(self, extreme):
        assert grad(extreme)(np.array([[2.0, 2.0], [2.0, 2.0]])).tolist() == [[0.25] * 2] * 2

    def test_max_along_an_axis(self):
        x = np.array([[1.0, 2.0, 2.0], [3.0, 0.0, 3.0]])
        shares = grad(lambda x: np.max(x, axis=1).sum())(x)
        assert shares.tolist() == [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]

    def test_min_along_an_axis(self):
        x = np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 0.0], [1.0, 7.0]])
        shares = grad(lambda x: np.min(x, axis=0).sum())(x)
        assert shares.tolist() == [[0.25, 0.0], [0.25, 0.5], [0.25, 0.5], [0.25, 0.0]]


class TestKinksHaveDerivativeZero:
    @pytest.mark.parametrize("f", [np.absolute, np.fabs, np.sign, relu])
    def test_at_zero(self, f):
        assert grad(f)(0.0) == grad(f)(-0.0) == 0.0
        assert grad(lambda x: f(x).sum())(np.array([0.0, -0.0])).tolist() == [0.0, 0.0]

    @pytest.mark.parametrize("f", [np.linalg.norm, np.std])
    def test_where_all_elements_are_zero(self, f):
        value, gradient = value_and_grad(f)(np.zeros((2, 3)))
        assert value == 0.0
        assert gradient.tolist() == [[0.0] * 3] * 2

    def test_std_where_all_elements_are_equal(self):
        assert grad(np.std)(np.full(4, 7.0)).tolist() == [0.0] * 4

    def test_norm_where_one_of_several_vectors_is_zero(self):
        x = np.array([[0.0, 0.0], [3.0, 4.0]])
        gradient = grad(lambda x: np.linalg.norm(x, axis=1).sum())(x)
        np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.6, 0.8]], rtol=1e-15)

    def test_hypot_at_the_origin(self):
        assert gradients(np.hypot, 0.0, 0.0) == (0.0, 0.0)
        of_x, of_y = gradients(lambda x, y: np.hypot(x, y).sum(), np.zeros(2), np.array([0.0, 3.0]))
        assert of_x.tolist() == [0.0, 0.0]
        assert of_y.tolist() == [0.0, 1.0]

    def test_arctan2_at_the_origin(self):
        assert gradients(np.arctan2, 0.0, 0.0) == (0.0, 0.0)


class TestPowerOfZero:
    table = pytest.mark.parametrize(
        ("exponent", "value", "by_base", "by_exponent"),
        [
            (0.0, 1.0, 0.0, 0.0),
            (0.5, 0.0, math.inf, 0.0),
            (1.0, 0.0, 1.0, 0.0),
            (2.0, 0.0, 0.0, 0.0),
            (-1.0, math.inf, -math.inf, -math.inf),
        ],
    )

    @table
    def test_in_numbers(self, exponent, value, by_base, by_exponent):
        with quiet():
            found = value_and_grad(lambda x, y: x**y, (0, 1))(0.0, exponent)
        assert found == (value, (by_base, by_exponent))

    @table
    def test_in_arrays(self, exponent, value, by_base, by_exponent):
        x, y = Value([0.0, 0.0]), Value([exponent, exponent])
        with quiet():
            out = x**y
        out.backward([1.0, 1.0])
        assert out.data.tolist() == [value] * 2
        assert x.grad.tolist() == [by_base] * 2
        assert y.grad.tolist() == [by_exponent] * 2

    @pytest.mark.parametrize(("exponent", "expected"), [(0, 0.0), (1, 0.0), (2, 2.0), (3, 0.0)])
    def test_second_derivative(self, exponent, expected):
        with quiet():
            second = slope(slope(lambda x: x**exponent))
            assert second(0.0) == expected
            assert second(np.zeros(2)).tolist() == [expected] * 2

    def test_a_negative_base_has_a_derivative_by_the_base(self):
        with quiet():
            by_base, by_exponent = gradients(lambda x, y: x**y, -2.0, 3.0)
        assert by_base == 12.0
        assert math.isnan(by_exponent)


SINGULAR = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": lambda x: np.log1p(x - 1),
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "division": lambda x: 1 / x,
    "quotient": lambda x: np.sin(x) / x,
    "reciprocal": np.reciprocal,
    "root as a power": lambda x: x**0.5,
    "negative power": lambda x: x**-2.0,
    "power of itself": lambda x: x**x,
    "power with an infinite exponent": lambda x: 2 ** (1 / x),
    "arcsin": lambda x: np.arcsin(1 - x),
    "arccos": lambda x: np.arccos(1 - x),
    "arccosh": lambda x: np.arccosh(x + 1),
    "arctanh": lambda x: np.arctanh(1 - x),
    "arctan2": lambda x: np.arctan2(x, x),
    "hypot": lambda x: np.hypot(x, x),
    "overflowing exp": lambda x: np.exp(1000 - x),
    "overflowing sinh": lambda x: np.sinh(1000 - x),
    "entropy": lambda x: x * np.log(x),
    "entropy of two": lambda x: x * np.log(x) + (1 - x) * np.log1p(-x),
    "sine of a pole": lambda x: np.sin(1 / x),
    "cosine of a pole": lambda x: np.cos(1 / x),
    "tangent of a pole": lambda x: np.tan(1 / x),
    "square of a pole": lambda x: np.square(1 / x),
}


@pytest.mark.parametrize("f", SINGULAR.values(), ids=SINGULAR)
class TestSingularitiesBehindAMaskAreSilent:
    def test_in_numbers(self, f):
        def masked(x):
            return np.where(x > 0, f(x), 0.0)

        with quiet():
            assert value_and_grad(masked)(0.0) == (0.0, 0.0)
            assert slope(slope(masked))(0.0) == 0.0

    def test_in_arrays(self, f):
        def masked(x):
            return np.where(x > 0.4, f(x), x * x)

        x = np.array([0.0, 0.5])
        with quiet():
            first, second = slope(masked), slope(slope(masked))
            assert first(x).tolist() == [0.0, pytest.approx(slope(f)(0.5), rel=1e-14)]
            assert second(x).tolist() == [2.0, pytest.approx(slope(slope(f))(0.5), rel=1e-14)]


FACTORS = {
    "no zero": [[2.0, -3.0, 0.5], [1.5, 4.0, -1.0]],
    "one zero": [[2.0, 0.0, 0.5], [1.5, 4.0, -1.0]],
    "two zeros in a row": [[0.0, 0.0, 0.5], [1.5, 4.0, -1.0]],
    "two zeros in a column": [[2.0, 0.0, 0.5], [1.5, 0.0, -1.0]],
    "zeros only": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
}


def weighted_product(np, name, axis, x):
    out = getattr(np, name)(x, axis=axis)
    return np.sum(out * weights(out))


@cache
def by_jax(name, axis):
    """Return what computes the gradient and the Hessian of a weighted product."""
    reference = partial(weighted_product, jnp, name, axis)
    return jax.jit(jax.grad(reference)), jax.jit(jax.hessian(reference))


@pytest.mark.parametrize("x", FACTORS.values(), ids=FACTORS)
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_products_of_zeros_have_the_derivatives_that_jax_finds(name, axis, x):
    ours, x = partial(weighted_product, np, name, axis), np.array(x)
    for derivative, reference in zip((grad, hessian), by_jax(name, axis), strict=True):
        np.testing.assert_allclose(derivative(ours)(x), reference(x), rtol=1e-12, atol=1e-14)


class TestSinc:
    # The Taylor series: sum of (-1)^k (pi x)^(2k) / (2k + 1)!
    series = Polynomial(
        [0.0 if n % 2 else (-1) ** (n // 2) * math.pi**n / math.factorial(n + 1) for n in range(50)]
    )

    @pytest.mark.parametrize("x", [0.0, 1e-300, 1e-8, 1e-4, -1e-3, 0.03, 0.5, -1.5])
    def test_derivatives_up_to_the_third_are_those_of_its_series(self, x):
        f = np.sinc
        for order in range(1, 4):
            f = slope(f)
            expected = self.series.deriv(order)(x)
            assert f(x) == pytest.approx(expected, rel=1e-12)
            assert f(np.array([x, x])).tolist() == pytest.approx([expected] * 2, rel=1e-12)


def pair(f):
    return lambda x: f(x[0], x[1])


HALF = [0.5, 0.5]
STABLE = [
    # function, point, value, Jacobian
    (sigmoid, [1000.0, -1000.0], [1.0, 0.0], [[0.0, 0.0], [0.0, 0.0]]),
    (softplus, [1000.0, -1000.0], [1000.0, 0.0], [[1.0, 0.0], [0.0, 0.0]]),
    (softmax, [1000.0, -1000.0], [1.0, 0.0], [[0.0, 0.0], [0.0, 0.0]]),
    (softmax, [1000.0, 1000.0], HALF, [[0.25, -0.25], [-0.25, 0.25]]),
    (softmax, [-1000.0, -1000.0], HALF, [[0.25, -0.25], [-0.25, 0.25]]),
    (log_softmax, [1000.0, -1000.0], [0.0, -2000.0], [[0.0, 0.0], [-1.0, 1.0]]),
    (log_softmax, [1000.0, 1000.0], [-math.log(2)] * 2, [[0.5, -0.5], [-0.5, 0.5]]),
    (logsumexp, [1000.0, -1000.0], 1000.0, [1.0, 0.0]),
    (logsumexp, [-1000.0, -1000.0], math.log(2) - 1000, HALF),
    (pair(np.logaddexp), [1000.0, -1000.0], 1000.0, [1.0, 0.0]),
    (pair(np.logaddexp), [-1000.0, -1000.0], math.log(2) - 1000, HALF),
    (pair(np.logaddexp2), [-1000.0, 1000.0], 1000.0, [0.0, 1.0]),
    (pair(np.logaddexp2), [1000.0, 1000.0], 1001.0, HALF),
]


@pytest.mark.parametrize(("f", "x", "value", "derivative"), STABLE)
def test_large_inputs_overflow_nowhere(f, x, value, derivative):
    x = np.array(x)
    np.testing.assert_allclose(f(Value(x)).data, value, rtol=1e-15)
    np.testing.assert_allclose(jacobian(f)(x), derivative, rtol=1e-15, atol=1e-15)
    assert np.isfinite(jacobian(jacobian(f))(x)).all()


def counting(calls, rule):
    """Return the rule, counting its calls."""

    def counted(*args):
        next(calls)
        return rule(*args)

    return counted


class TestComplexity:
    def test_a_diamond_of_200_levels_takes_two_rules_a_level(self, monkeypatch):
        calls = itertools.count()
        rule = counting(calls, lambda g, out, x, y: g)
        monkeypatch.setattr(elementwise.add, "rules", (rule, rule))
        x = out = Value(1.0)
        for _ in range(200):
            out = out + out
        out.backward()
        assert x.grad == 2.0**200
        assert next(calls) == 2 * 200

    @pytest.mark.no_cover
    def test_a_chain_of_200_000_operations_is_made_swept_and_freed(self, monkeypatch):
        assert sys.getrecursionlimit() <= 1000
        calls = itertools.count()
        rule = counting(calls, lambda g, out, x: -g)
        monkeypatch.setattr(elementwise.negative, "rules", (rule,))
        x = out = Value(1.0)
        users = sys.getrefcount(x)
        for _ in range(200_000):
            out = -out
        out.backward()
        assert (out.data, x.grad, next(calls)) == (1.0, 1.0, 200_000)
        del out
        assert sys.getrefcount(x) == users - 1


def primitive(forward, *rules):
    return Primitive("wrong", forward, *rules)


cosine_with_wrong_rule = primitive(np.cos, lambda g, out, x: g * elementwise.sin(x))

WRONG = {
    "sign": (primitive(np.sin, lambda g, out, x: -g * elementwise.cos(x)), 0.7),
    "missing factor": (primitive(np.square, lambda g, out, x: g * x), 0.7),
    "missing cotangent": (primitive(np.sin, lambda g, out, x: elementwise.cos(x)), 0.7),
    "wrong input": (
        primitive(np.multiply, lambda g, out, x, y: g * x, lambda g, out, x, y: g * x),
        *(2.0, 3.0),
    ),
    "inputs that changed places": (
        primitive(np.divide, lambda g, out, x, y: -g * x / y**2, lambda g, out, x, y: g / y),
        *(2.0, 3.0),
    ),
    "missing rule": (primitive(np.multiply, lambda g, out, x, y: g * y, None), 2.0, 3.0),
    "one wrong element": (
        primitive(np.sin, lambda g, out, x: g * elementwise.cos(x) * np.array([1, 1, 1.001])),
        np.array([0.1, 0.2, 0.3]),
    ),
    "broadcasting the wrong way": (
        primitive(lambda x: x.sum(0), lambda g, out, x: g.reshape((-1, 1)) * np.ones((3, 3))),
        np.ones((3, 3)),
    ),
}

WRONG_IN_SECOND_ORDER_ONLY = {
    "rule of a rule": (
        primitive(np.sin, lambda g, out, x: g * cosine_with_wrong_rule(x)),
        0.7,
    ),
    "rule that records nothing": (
        primitive(np.sin, lambda g, out, x: g * np.cos(plain(x))),
        np.array([0.7, 0.3]),
    ),
    "rule that forgets how out depends on x": (
        primitive(np.exp, lambda g, out, x: g * plain(out)),
        np.array([0.7, 0.3]),
    ),
}


class TestTheCheckerItself:
    @pytest.mark.parametrize(("f", "inputs"), [(f, xs) for f, *xs in WRONG.values()], ids=WRONG)
    def test_finds_a_wrong_first_derivative(self, f, inputs):
        with pytest.raises(GradientMismatch, match="derivative of order 1 by input"):
            check_gradients(f, *inputs, order=1)

    @pytest.mark.parametrize(
        ("f", "x"), WRONG_IN_SECOND_ORDER_ONLY.values(), ids=WRONG_IN_SECOND_ORDER_ONLY
    )
    def test_finds_a_wrong_second_derivative_behind_a_right_first(self, f, x):
        check_gradients(f, x, order=1)
        with pytest.raises(GradientMismatch, match="derivative of order 2 by input 0"):
            check_gradients(f, x, order=2)

    def test_finds_a_wrong_third_derivative_if_asked(self):
        second = WRONG_IN_SECOND_ORDER_ONLY["rule of a rule"][0]
        f = primitive(np.exp, lambda g, out, x: g * (elementwise.exp(x) + second(x) - np.sin(x)))
        check_gradients(f, 0.7, order=2)
        with pytest.raises(GradientMismatch, match="derivative of order 3 by input 0"):
            check_gradients(f, 0.7, order=3)

    def test_finds_missing_broadcasting(self):
        total = primitive(lambda x: x.sum(axis=0), lambda g, out, x: g)
        with pytest.raises(RuleError, match=r"input 0, shape \(4, 3\), returned shape \(3,\)"):
            check_gradients(total, np.ones((4, 3)))

    def test_names_the_input_and_the_element_that_differ_most(self):
        f = primitive(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x * [1, 2])
        words = r"by input 1, element \(1,\)\n.*relative error 1;"
        with pytest.raises(GradientMismatch, match=words):
            check_gradients(f, np.ones(2), np.ones(2))

    def test_is_content_with_right_rules(self):
        right = primitive(np.sin, lambda g, out, x: g * elementwise.cos(x))
        check_gradients(right, 0.7, order=4, rtol=1e-5)


def test_a_primitive_has_its_name_in_the_table_and_one_of_the_users_has_none():
    for row in primitives_of_the_table():
        assert row.table_name == row.name
        assert Primitive(row.name, np.tanh, None).table_name == ""
