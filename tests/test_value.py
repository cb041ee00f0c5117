"""Value: operators, data and dtypes, indexing, gradients, and micrograd's example as it stands."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest

from autograd_core import DataError, GradientWarning, Primitive, ShapeError, Value, compile, grad

README_OF_MICROGRAD = """
from micrograd.engine import Value

a = Value(-4.0)
b = Value(2.0)
c = a + b
d = a * b + b**3
c += c + 1
c += 1 + c + (-a)
d += d * 2 + (b + a).relu()
d += 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2.0
g += 10.0 / f
print(f'{g.data:.4f}') # prints 24.7041, the outcome of this forward pass
g.backward()
print(f'{a.grad:.4f}') # prints 138.8338, i.e. the numerical value of dg/da
print(f'{b.grad:.4f}') # prints 645.5773, i.e. the numerical value of dg/db
"""

# Sign: the operator, and its derivatives by x and y
OPERATORS = {
    "+": (operator.add, lambda x, y: (1.0, 1.0)),
    "-": (operator.sub, lambda x, y: (1.0, -1.0)),
    "*": (operator.mul, lambda x, y: (y, x)),
    "/": (operator.truediv, lambda x, y: (1 / y, -x / y**2)),
    "//": (operator.floordiv, lambda x, y: (0.0, 0.0)),
    "%": (operator.mod, lambda x, y: (1.0, -(x // y))),
    "**": (operator.pow, lambda x, y: (y * x ** (y - 1), x**y * np.log(x))),
}
NUMBERS = [float, int, np.float64, np.float32, np.int64, np.array, Value]
COMPARISONS = [operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt]

INDICES = {
    "integer": 1,
    "negative integer": -1,
    "slice": slice(0, 1),
    "slice backwards": slice(None, None, -1),
    "empty slice": slice(5, 9),
    "column": (slice(None), 2),
    "element": (1, 0),
    "ellipsis": (..., 1),
    "new axis": (slice(None), None, 1),
    "list": [1, 0],
    "list with repetitions": [1, 1, 0, 1],
    "integer arrays": (np.array([0, 1, 0]), np.array([2, 2, 2])),
    "boolean mask": np.array([[True, False, True], [False, False, True]]),
    "comparison": Value([[0.0, 2.0, 0.0], [3.0, 0.0, 0.0]]) > 1,
    "Value that holds a whole number": Value(1.0),
    "list beside a slice": (slice(None), [0, 0, 2]),
}

FLOAT32 = np.array([1.5, 2.5], np.float32)
# What is put in: the data that are held
HELD = {
    "float": (2.5, 2.5),
    "int": (3, 3.0),
    "bool": (True, 1.0),
    "float64 scalar": (np.float64(2.5), 2.5),
    "float32 scalar": (np.float32(2.5), 2.5),
    "int scalar": (np.int64(3), 3.0),
    "0-d array": (np.array(2.5), 2.5),
    "list of ints": ([1, 2], np.array([1.0, 2.0])),
    "list of bools": ([True, False], np.array([1.0, 0.0])),
    "nested list": ([[1], [2.5]], np.array([[1.0], [2.5]])),
    "tuple": ((1, 2), np.array([1.0, 2.0])),
    "range": (range(3), np.array([0.0, 1.0, 2.0])),
    "int array": (np.array([1, 2], np.int8), np.array([1.0, 2.0])),
    "float64 array": (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
    "float32 array": (FLOAT32, FLOAT32),
    "float16 array": (FLOAT32.astype(np.float16), FLOAT32),
    "empty list": ([], np.zeros(0)),
    "Value": (Value(2.5), 2.5),
    "Value of an array": (Value(FLOAT32), FLOAT32),
}


def assert_same_data(actual, expected):
    """Hold data to others of the same kind: a Python float, or an array of a certain dtype."""
    assert type(actual) is type(expected)
    if isinstance(expected, np.ndarray):
        assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


def test_micrograd_s_readme_runs_unchanged_but_for_the_import(capsys):
    exec(README_OF_MICROGRAD.replace("micrograd.engine", "autograd_core"), {})
    assert capsys.readouterr().out.split() == ["24.7041", "138.8338", "645.5773"]


class TestOperators:
    @pytest.mark.parametrize("number", NUMBERS)
    @pytest.mark.parametrize("sign", OPERATORS)
    def test_a_number_may_stand_on_the_right(self, sign, number):
        operate, derivatives = OPERATORS[sign]
        x = Value(2.5)
        out = operate(x, number(2))
        out.backward()
        assert_same_data(out.data, operate(2.5, 2.0))
        assert x.grad == pytest.approx(derivatives(2.5, 2.0)[0])

    @pytest.mark.parametrize("number", NUMBERS)
    @pytest.mark.parametrize("sign", OPERATORS)
    def test_a_number_may_stand_on_the_left(self, sign, number):
        operate, derivatives = OPERATORS[sign]
        y = Value(2.5)
        out = operate(number(3), y)
        out.backward()
        assert_same_data(out.data, operate(3.0, 2.5))
        assert y.grad == pytest.approx(derivatives(3.0, 2.5)[1])

    @pytest.mark.parametrize("sign", OPERATORS)
    def test_both_values_get_their_gradients(self, sign):
        operate, derivatives = OPERATORS[sign]
        x, y = Value(2.5), Value(0.7)
        operate(x, y).backward()
        assert (x.grad, y.grad) == pytest.approx(derivatives(2.5, 0.7))

    @pytest.mark.parametrize("wrap", [list, tuple, np.array, Value])
    @pytest.mark.parametrize("sign", OPERATORS)
    def test_arrays_go_element_by_element(self, sign, wrap):
        operate, derivatives = OPERATORS[sign]
        a, b = np.array([2.5, 1.5, 3.0]), np.array([0.7, 2.0, 0.9])
        x, y = Value(a), Value(b)
        on_the_right, on_the_left = operate(x, wrap(b)), operate(wrap(a), y)
        on_the_right.sum().backward()
        on_the_left.sum().backward()
        for out in (on_the_right, on_the_left):
            np.testing.assert_allclose(out.data, operate(a, b))
        np.testing.assert_allclose([x.grad, y.grad], np.broadcast_arrays(*derivatives(a, b), a)[:2])

    @pytest.mark.parametrize("wrap", [np.ndarray.tolist, np.array, Value])
    def test_matrix_product_with_arrays_on_either_side(self, wrap):
        a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
        x, y = Value(a), Value(b)
        assert_same_data((x @ wrap(b)).data, a @ b)
        assert_same_data((wrap(a) @ y).data, a @ b)
        assert_same_data((wrap(a[0]) @ Value(a[1])).data, float(a[0] @ a[1]))
        (x @ y).sum().backward()
        assert_same_data(x.grad, np.ones((2, 4)) @ b.T)
        assert_same_data(y.grad, a.T @ np.ones((2, 4)))

    def test_signs_and_absolute_value(self):
        x = Value(-2.5)
        assert [(-x).data, (+x).data, abs(x).data] == [2.5, -2.5, 2.5]
        (-x + 3 * abs(x)).backward()
        assert x.grad == -4.0

    def test_rounding(self):
        assert round(Value(2.567)).data == 3.0
        assert round(Value(2.567), 1).data == 2.6

    def test_augmented_assignment_makes_a_new_node(self):
        a = before = Value([1.0, 2.0])
        a += 1.0
        a *= a
        assert a is not before
        assert_same_data(before.data, np.array([1.0, 2.0]))
        a.sum().backward()
        assert_same_data(before.grad, np.array([4.0, 6.0]))

    @pytest.mark.parametrize("data", [2.0, [1.0, 2.0]])
    def test_a_step_of_a_parameter_in_place_is_warned_of(self, data):
        parameters = [Value(data, label="w")]
        np.sum(parameters[0] ** 2).backward()
        (p,) = parameters
        with pytest.warns(GradientWarning, match=r"w = .*\n.*\n.*p\.data -= step") as caught:
            p -= 0.1 * p.grad
        (p,) = parameters
        with pytest.warns(GradientWarning, match=r"p\.data \+= step"):
            p += -0.1 * p.grad
        assert [warning.filename for warning in caught] == [__file__]
        assert_same_data(parameters[0].data, Value(data).data)

    def test_a_subclass_s_own_operators_are_used_in_place_too(self):
        class Reversed(Value):
            __slots__ = ()

            def __add__(self, other):
                return "sum"

            def __sub__(self, other):
                return "difference"

        total, rest = Reversed(1.0), Reversed(1.0)
        total += 1.0
        rest -= 1.0
        assert (total, rest) == ("sum", "difference")

    def test_other_augmented_assignments_are_silent(self):
        a, loss = Value(3.0), Value(0.0)
        for x in (1.0, 2.0):
            loss += x
            loss += a * x
            loss -= 0.5
        loss.backward()
        a += 0.01  # a nudge
        a -= loss * 2.0
        assert_same_data(a.data, 3.01 - 2 * loss.data)

    def test_the_built_in_sum_adds_values(self):
        values = [Value(1.0), Value(2.0), Value(3.0)]
        total = sum(v * v for v in values)
        total.backward()
        assert total.data == 14.0
        assert [v.grad for v in values] == [2.0, 4.0, 6.0]

    def test_parallel_edges_count(self):
        a = Value(3.0)
        out = a + a
        assert [x is a for x in out.inputs] == [True, True]
        out.backward()
        assert a.grad == 2.0

    def test_inputs_stand_in_order_with_constants(self):
        a = Value(3.0)
        assert (2 - a).inputs == (2.0, a)
        assert (a - 2).inputs == (a, 2.0)
        assert a.inputs == ()


class TestComparisons:
    @pytest.mark.parametrize("compare", COMPARISONS)
    def test_numbers_give_plain_bools(self, compare):
        for x, y in [(1.0, 2.0), (2.0, 2.0), (3.0, 2.0)]:
            for left, right in [(Value(x), y), (x, Value(y)), (Value(x), Value(y))]:
                assert compare(left, right) is compare(x, y)

    @pytest.mark.parametrize("compare", COMPARISONS)
    def test_arrays_give_plain_arrays_of_bools(self, compare):
        x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
        for left, right in [(Value(x), y), (x, Value(y)), (Value(x), Value(y)), (Value(x), 2)]:
            assert_same_data(compare(left, right), compare(x, y))

    def test_a_value_differs_from_what_is_no_number(self):
        for other in ("text", None, [], object()):
            assert operator.eq(Value(1.0), other) is False
            assert operator.ne(Value(1.0), other) is True

    def test_values_sort_by_their_data(self):
        assert [v.data for v in sorted([Value(3.0), Value(1.0), Value(2.0)])] == [1.0, 2.0, 3.0]

    def test_hashing_goes_by_identity(self):
        a, b = Value(1.0), Value(1.0)
        assert a == b
        assert len({a, b, a}) == 2
        assert {a: "a", b: "b"}[b] == "b"
        assert Value([1.0, 2.0]) not in {a, b}


class TestConversions:
    def test_a_number_becomes_a_plain_number(self):
        v = Value(2.75)
        assert (float(v), int(v), v.item()) == (2.75, 2, 2.75)
        assert [bool(Value(x)) for x in (0.0, -1.0, np.nan)] == [False, True, True]
        assert float(Value([[2.75]])) == 2.75

    def test_format(self):
        assert f"{Value(2.0):.3f}" == "2.000"
        assert f"{Value(2.0)}" == repr(Value(2.0))

    def test_numpy_takes_a_copy_of_the_data(self):
        v = Value([1.0, 2.0])
        with pytest.warns(GradientWarning):
            array = np.asarray(v)
        array[0] = 5.0
        assert type(array) is np.ndarray
        assert_same_data(v.data, np.array([1.0, 2.0]))

    @pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3), (0, 2)])
    def test_shape_and_its_relatives(self, shape):
        array = np.arange(np.prod(shape)).reshape(shape).astype(float)
        v = Value(array)
        assert (v.shape, v.ndim, v.size) == (array.shape, array.ndim, array.size)
        assert (v.T.shape, v.dtype) == (array.T.shape, np.float64)

    def test_transpose_is_recorded(self):
        v = Value([[1.0, 2.0], [3.0, 4.0]])
        (v.T * [[1.0, 2.0], [3.0, 4.0]]).sum().backward()
        assert_same_data(v.grad, np.array([[1.0, 3.0], [2.0, 4.0]]))

    def test_len_and_iteration_go_along_the_first_axis(self):
        v = Value([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        assert len(v) == 3
        first, _, last = v
        assert_same_data(last.data, np.array([5.0, 6.0]))
        assert [type(x.data) for x in first] == [float, float]
        (first * last).sum().backward()
        assert_same_data(v.grad, np.array([[5.0, 6.0], [0.0, 0.0], [1.0, 2.0]]))


class TestIndexing:
    @pytest.mark.parametrize("kind", INDICES)
    def test_elements_are_numpy_s_and_gradients_go_back_to_them(self, kind):
        index = INDICES[kind]
        data = np.arange(6.0).reshape(2, 3)
        plain = int(index.data) if isinstance(index, Value) else index
        v = Value(data)
        taken = v[index]
        weights = np.arange(1.0, 1.0 + np.size(data[plain])).reshape(np.shape(data[plain]))
        (taken * weights).sum().backward()
        expected = np.zeros_like(data)
        np.add.at(expected, plain, weights)
        np.testing.assert_array_equal(taken.data, data[plain])
        assert_same_data(v.grad, expected)

    def test_an_element_is_a_number(self):
        assert_same_data(Value([[1.0, 2.0]])[0, 1].data, 2.0)

    @pytest.mark.parametrize("index", [None, (None, None), ..., (..., None), ()])
    def test_a_number_takes_new_axes(self, index):
        v = Value(2.0)
        taken = v[index]
        assert taken.shape == np.array(2.0)[index].shape
        taken.sum().backward()
        assert_same_data(v.grad, 1.0)

    def test_indices_chain(self):
        v = Value([[1.0, 2.0], [3.0, 4.0]])
        v[1][0].backward()
        assert_same_data(v.grad, np.array([[0.0, 0.0], [1.0, 0.0]]))


class TestData:
    @pytest.mark.parametrize("given", HELD)
    @pytest.mark.filterwarnings("ignore:Value.v. of a Value:autograd_core.GradientWarning")
    def test_what_is_held(self, given):
        put_in, held = HELD[given]
        assert_same_data(Value(put_in).data, held)

    @pytest.mark.parametrize("given", HELD)
    def test_assignment_follows_the_same_rules(self, given):
        put_in, held = HELD[given]
        v = Value(np.zeros(np.shape(held)))
        v.data = put_in
        assert_same_data(v.data, held)

    @pytest.mark.parametrize("array", [np.array([1.0, 2.0]), FLOAT32, Value([1.0, 2.0])])
    @pytest.mark.filterwarnings("ignore:Value.v. of a Value:autograd_core.GradientWarning")
    def test_arrays_are_copied(self, array):
        v = Value(array)
        v.data[0] = 9.0
        assert (array.data if isinstance(array, Value) else array)[0] != 9.0

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_computations_and_gradients_keep_the_dtype(self, dtype):
        v = Value(np.ones((2, 3), dtype))
        out = np.tanh(v * 2 + 0.5)[0] / 3.0
        out.sum().backward()
        assert [out.dtype, out.data.dtype, v.grad.dtype] == [dtype] * 3

    def test_single_numbers_are_python_floats_throughout(self):
        v = Value(np.float64(0.5))
        nodes = [v + np.float64(1), v * np.array(2.0), np.tanh(v), Value([1.0, 2.0]).sum(), v**2]
        assert [type(node.data) for node in nodes] == [float] * 5
        sum(nodes).backward()
        assert type(v.grad) is float
        assert v.dtype == np.float64

    def test_float32_meets_float64(self):
        x, y = Value(FLOAT32), Value([1.0, 2.0])
        out = x * y
        out.sum().backward()
        assert [out.dtype, x.grad.dtype, y.grad.dtype] == [np.float64, np.float32, np.float64]

    def test_labels_are_shown_and_not_handed_on(self):
        a = Value(2.0, label="a")
        b = a * 1
        assert repr(a) == "Value(data=2.0, grad=not computed, label='a')"
        assert b.label is None
        b.label = "b"
        assert "label='b'" in repr(b)

    def test_assigned_data_are_used_from_then_on(self):
        p = Value([1.0, 2.0])
        p.data = p.data - 0.5
        (p * p).sum().backward()
        assert_same_data(p.grad, np.array([1.0, 3.0]))

    def test_a_parameter_that_takes_another_s_data_does_not_change_with_it(self):
        p, q = Value([0.0, 0.0]), Value([1.0, 2.0])
        p.data = q.data
        p.data -= 1.0
        assert_same_data(p.data, np.array([0.0, 1.0]))
        assert_same_data(q.data, np.array([1.0, 2.0]))

    @pytest.mark.parametrize("data", [[1.0, 2.0, 3.0], 1.0, [[1.0, 2.0]], Value([1.0])])
    def test_data_of_another_shape_are_refused(self, data):
        p = Value([1.0, 2.0])
        p.grad = [3.0, 4.0]
        with pytest.raises(ShapeError, match=r"\(2,\)"):
            p.data = data
        assert_same_data(p.data, np.array([1.0, 2.0]))
        assert_same_data(p.grad, np.array([3.0, 4.0]))

    def test_whole_numbers_of_any_size_and_fractions_are_numbers(self):
        """Taylor's series of exp: math.factorial(21) has more than 64 bits."""

        def series(x):
            return sum(x**k / math.factorial(k) for k in range(40))

        x = np.array([-1.0, 0.5, 3.0])
        assert np.allclose(series(Value(x)).data, np.exp(x), rtol=1e-14)
        for f in (grad(series), compile(grad(series))):
            assert math.isclose(f(1.5), math.exp(1.5), rel_tol=1e-14)
        factorials = np.array([math.factorial(k) for k in range(40)])
        assert factorials.dtype == object
        assert math.isclose((1 / (Value(1.0) * factorials)).sum().data, math.e, rel_tol=1e-14)
        assert grad(lambda x: x * Fraction(1, 3) + Fraction(1, 7))(2.0) == 1 / 3
        assert (Value(np.float32([1.0, 2.0])) * 10**30).dtype == np.float32

    @pytest.mark.parametrize("given", [10**400, -(10**400), [1, 10**400], Fraction(10**400)])
    def test_whole_numbers_beyond_floats_are_refused(self, given):
        with pytest.raises(DataError, match="1329 bits"):
            Value(2.0) * given

    def test_data_that_are_no_numbers_are_refused(self):
        p = Value(1.0)
        with pytest.raises(DataError, match="text"):
            p.data = "text"
        assert p.data == 1.0


class TestGradients:
    @pytest.mark.parametrize("data", [2.0, [1.0, 2.0]])
    def test_before_backward_they_read_zero_and_are_called_not_computed(self, data):
        v = Value(data)
        assert_same_data(v.grad, v.data * 0)
        assert not v.has_grad
        assert "grad=not computed" in repr(v)
        (v * 0).sum().backward()
        assert v.has_grad
        assert f"grad={v.grad!r}" in repr(v)

    def test_every_value_of_the_graph_has_its_gradient(self):
        a, b = Value(2.0), Value(-3.0)
        c = a * b
        d = c + 10.0
        e = d * a
        e.backward()
        assert [v.grad for v in (e, d, c, b, a)] == [1.0, 2.0, 2.0, 4.0, -2.0]

    def test_leaves_accumulate_and_inner_gradients_start_afresh(self):
        x = Value(3.0)
        square = x * x
        out = square * 2
        out.backward()
        assert (x.grad, square.grad, out.grad) == (12.0, 2.0, 1.0)
        out.backward()
        assert (x.grad, square.grad, out.grad) == (24.0, 2.0, 1.0)

    def test_leaves_accumulate_over_several_outputs(self):
        x = Value([1.0, 2.0])
        (x * x).sum().backward()
        (x * 10).sum().backward()
        assert_same_data(x.grad, np.array([12.0, 14.0]))

    def test_accumulation_leaves_the_earlier_array_alone(self):
        x = Value([1.0, 2.0])
        (x * x).sum().backward()
        earlier = x.grad
        (x * x).sum().backward()
        assert_same_data(earlier, np.array([2.0, 4.0]))

    def test_a_leaf_may_be_the_output(self):
        x, y = Value(3.0), Value([1.0, 2.0])
        x.backward()
        y.backward([5.0, 6.0])
        assert x.grad == 1.0
        assert_same_data(y.grad, np.array([5.0, 6.0]))

    def test_backward_weighs_the_output_with_the_given_gradient(self):
        x = Value([1.0, 2.0])
        (x * x).backward([1.0, -1.0])
        assert_same_data(x.grad, np.array([2.0, -4.0]))
        y = Value(3.0)
        (y * y).backward(10)
        assert y.grad == 60.0

    def test_an_array_of_one_number_needs_no_gradient(self):
        x = Value([[3.0]])
        (x * x).backward()
        assert_same_data(x.grad, np.array([[6.0]]))

    def test_values_that_take_no_part_get_no_gradient(self):
        x, bystander = Value(1.0), Value(2.0)
        by_product = x * bystander
        (x * 3).backward()
        assert not bystander.has_grad
        assert not by_product.has_grad

    def test_what_no_derivative_reaches_stays_not_computed(self):
        x = Value(2.5)
        np.floor(x).backward()
        assert not x.has_grad

    @pytest.mark.parametrize(
        "expression",
        [
            lambda a, b: a + b,
            lambda a, b: a - b + a,
            lambda a, b: a.T + b,
            lambda a, b: a.reshape(4).reshape(2, 2) + b,
            lambda a, b: a[...] + b[:, ::-1],
            lambda a, b: np.concatenate([a, b])[1:3],
            lambda a, b: np.stack([a, b]).sum(0),
            lambda a, b: a + b.sum(),
            lambda a, b: a + b.mean(axis=0),
            lambda a, b: np.where(a > b, a, b),
        ],
    )
    def test_gradients_of_leaves_are_arrays_of_their_own(self, expression):
        a, b = Value([[1.0, 2.0], [3.0, 4.0]]), Value([[4.0, 3.0], [2.0, 1.0]])
        out = expression(a, b)
        weights = np.ones(out.shape)
        out.backward(weights)
        assert not np.shares_memory(a.grad, b.grad)
        for leaf in (a, b):
            assert leaf.grad.flags.writeable
            assert leaf.grad.base is None
            for other in (weights, out.grad, leaf.data):
                assert not np.shares_memory(leaf.grad, other)

    def test_the_gradient_of_a_leaf_is_not_the_array_given_to_backward(self):
        x, weights = Value([1.0, 2.0]), np.array([5.0, 6.0])
        x.backward(weights)
        x.grad[0] = 0.0
        assert_same_data(weights, np.array([5.0, 6.0]))

    def test_gradients_can_be_assigned(self):
        p = Value([1.0, 2.0])
        p.grad = [3, 4]
        assert_same_data(p.grad, np.array([3.0, 4.0]))
        p.grad = 0
        assert_same_data(p.grad, np.array([0.0, 0.0]))
        assert p.has_grad
        p.grad = None
        assert not p.has_grad
        number = Value(1.0)
        number.grad = 3
        assert_same_data(number.grad, 3.0)

    @pytest.mark.parametrize(
        "gradient", [[1.0, 2.0, 3.0], [[1.0, 2.0]], Value([1.0]), Value([[1.0], [2.0]])]
    )
    def test_gradients_of_another_shape_are_refused(self, gradient):
        p = Value([1.0, 2.0])
        p.grad = [3.0, 4.0]
        with pytest.raises(ShapeError, match=r"for data of shape \(2,\)"):
            p.grad = gradient
        assert_same_data(p.grad, np.array([3.0, 4.0]))
        with pytest.raises(ShapeError, match=r"for data of shape \(\)"):
            Value(1.0).grad = gradient

    def test_a_rule_may_return_plain_integers(self):
        step = Primitive("step", lambda x: x, lambda g, out, x: 1)
        x = Value(2.0)
        step(x).backward()
        assert_same_data(x.grad, 1.0)


def test_a_column_flows_through_a_scalar_expression():
    def expression(x, w, b):
        return np.tanh(w * x + b) ** 2 / (1 + x * x)

    column = np.linspace(-2.0, 2.0, 100)
    x, w, b = Value(column), Value(0.7), Value(-0.2)
    out = expression(x, w, b)
    out.sum().backward()

    rows = [(Value(number), Value(0.7), Value(-0.2)) for number in column]
    for row in rows:
        expression(*row).backward()
    assert out.shape == (100,)
    assert [type(w.grad), type(b.grad)] == [float, float]
    np.testing.assert_allclose(x.grad, [row[0].grad for row in rows], rtol=1e-12)
    for i, shared in enumerate((w, b), 1):
        assert shared.grad == pytest.approx(sum(row[i].grad for row in rows), rel=1e-12)


def test_sums_over_nothing_are_zero():
    """As in NumPy: also over all axes but the last, where a product takes the sum's place."""
    v = Value(np.zeros((3, 0, 2)))
    np.sum(v, axis=(0, 1)).sum().backward()
    assert np.sum(v, axis=(0, 1)).data.tolist() == [0.0, 0.0]
    assert v.grad.shape == (3, 0, 2)
    w = Value(np.zeros(0))
    (w + np.zeros((0, 0, 0))).sum().backward()
    assert w.grad.shape == (0,)
