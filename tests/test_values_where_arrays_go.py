"""A Value where arrays and numbers go: NumPy, Python, matplotlib, pandas, scikit-learn.

The rule: NumPy's operators and functions keep the graph; everything else gets a copy of the data.
"""

import copy
import json
import math
import operator
import pickle

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import StandardScaler

from autograd_core import DataError, OptionError, TraceError, UnsupportedError, Value, compile, grad

mpl.use("Agg")

from matplotlib import pyplot as plt


@pytest.fixture
def v():
    return Value([1.0, 2.0, 4.0])


@pytest.fixture
def s():
    return Value(2.5)


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


class TestNumPy:
    @pytest.mark.parametrize("take", [np.asarray, np.array, np.asanyarray, np.ascontiguousarray])
    def test_data_are_copied_out(self, v, take):
        array = take(v)
        assert type(array) is np.ndarray
        assert not np.shares_memory(array, v.data)
        np.testing.assert_array_equal(array, [1.0, 2.0, 4.0])

    def test_types_are_kept_or_converted(self, v):
        assert np.asarray(Value(np.ones(2, np.float32))).dtype == np.float32
        assert np.asarray(v, dtype=np.float32).dtype == np.float32
        np.testing.assert_array_equal(np.asarray(v, dtype=int), [1, 2, 4])

    @pytest.mark.parametrize("data", [2.5, [1.0, 2.0]])
    def test_what_would_be_a_view_is_refused(self, data):
        with pytest.raises(OptionError, match="copy=False for a Value") as caught:
            np.asarray(Value(data), copy=False)
        assert isinstance(caught.value, ValueError)  # as NumPy asks for
        assert "v.data" in str(caught.value)
        np.testing.assert_array_equal(np.array(Value(data), copy=None), data)

    def test_lists_of_values_become_arrays_of_numbers(self, v, s):
        np.testing.assert_array_equal(np.array([s, s * 2]), [2.5, 5.0])
        np.testing.assert_array_equal(np.array([[s, 1.0], [0.0, s]]), [[2.5, 1.0], [0.0, 2.5]])
        assert np.array([v, v]).dtype == np.array([*v]).dtype == np.float64
        assert np.array([s, s], dtype=object)[1] is s

    def test_a_list_of_values_makes_no_value_but_a_stack_does(self, s):
        with pytest.raises(DataError, match=r"np\.stack"):
            Value([s, s])
        np.stack([s, s]).sum().backward()
        assert s.grad == 2.0

    def test_assignment_copies_numbers(self, v, s):
        array = np.zeros(3)
        array[:] = v
        array[1] = s
        np.testing.assert_array_equal(array, [1.0, 2.5, 4.0])

    def test_in_place_arithmetic_is_refused(self, v):
        array = np.zeros(3)
        with pytest.raises(UnsupportedError, match=r"\+=, or out="):
            array += v

    def test_functions_without_a_rule_say_so(self, v):
        with pytest.raises(UnsupportedError, match=r"v\.data for plain numbers"):
            np.interp(v, [0.0, 1.0], [0.0, 1.0])

    def test_broadcast_arrays_are_recorded(self, v, s):
        row, number = np.broadcast_arrays(v, s)
        (row * number).sum().backward()
        assert s.grad == 7.0


class TestPython:
    def test_one_number_is_a_number(self, s):
        assert (float(s), int(s), complex(s), bool(s), math.sqrt(Value(4.0))) == (2.5, 2, 2.5, 1, 2)
        assert (f"{s:.2f}", json.dumps(float(s))) == ("2.50", "2.5")
        assert f"{s}" == repr(s)

    @pytest.mark.parametrize("use", [operator.index, range, [1, 2].__getitem__])
    def test_a_value_is_no_index(self, use):
        with pytest.raises(TypeError):
            use(Value(1.0))

    def test_elements_are_values(self, v):
        first, *_, last = v
        (first * last + sum(v)).backward()
        np.testing.assert_array_equal(v.grad, [5.0, 1.0, 2.0])

    @pytest.mark.parametrize("use", [len, list, iter])
    def test_a_number_has_no_elements_as_for_any_number(self, s, use):
        assert not np.iterable(s)
        with pytest.raises(TypeError, match="a number has no axes"):
            use(s)

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
    def test_copies_have_data_gradient_and_label(self, duplicate):
        v = Value([1.0, 2.0], label="v")
        v.sum().backward()
        twin = duplicate(v)
        assert (twin.label, twin.grad.tolist(), twin.data.tolist()) == ("v", [1.0, 1.0], [1.0, 2.0])
        assert not np.shares_memory(twin.data, v.data)


class TestMatplotlib:
    @pytest.mark.parametrize(
        "draw",
        [
            lambda axes, v, s: axes.plot(v, v * v),
            lambda axes, v, s: axes.plot([s, s + 1.0]),
            lambda axes, v, s: axes.plot(s, s, "o"),
            lambda axes, v, s: axes.scatter(v, v, c=v, s=v),
            lambda axes, v, s: axes.scatter([s, s], [s, s]),
            lambda axes, v, s: axes.imshow(np.outer(v, v)),
            lambda axes, v, s: axes.contourf(np.outer(v, v)),
            lambda axes, v, s: axes.bar(range(3), v),
            lambda axes, v, s: axes.errorbar(v, v, yerr=v),
            lambda axes, v, s: axes.hist(v),
            lambda axes, v, s: axes.axhline(s),
            lambda axes, v, s: axes.vlines(v, 0.0, s),
            lambda axes, v, s: axes.fill_between(v, v),
            lambda axes, v, s: axes.annotate(f"{s:.1f}", (s, s)),
            lambda axes, v, s: axes.set(xlim=(s, s + 1.0), yticks=v),
        ],
    )
    def test_everything_is_drawn(self, axes, v, s, draw):
        draw(axes, v, s)
        axes.figure.canvas.draw()

    def test_what_is_drawn_are_the_numbers(self, axes, v):
        (line,) = axes.plot(v, v * v)
        np.testing.assert_array_equal(line.get_xydata(), [[1.0, 1.0], [2.0, 4.0], [4.0, 16.0]])
        assert [bar.get_height() for bar in axes.bar(range(3), v)] == [1.0, 2.0, 4.0]
        np.testing.assert_array_equal(axes.scatter(v, v).get_offsets()[:, 0], [1.0, 2.0, 4.0])


class TestPandas:
    def test_an_array_is_a_column_of_numbers(self, v):
        frame = pd.DataFrame({"a": v, "b": [1, 2, 3]})
        frame["c"] = v * 2.0
        frame.loc[0, "a"] = Value(9.0)
        assert [*map(str, frame.dtypes)] == ["float64", "int64", "float64"]
        assert frame["a"].tolist() == [9.0, 2.0, 4.0]
        assert v.data[0] == 1.0
        assert pd.DataFrame(np.outer(v, v)).shape == (3, 3)
        assert pd.Series(v, dtype="float32").dtype == np.float32

    def test_single_values_are_objects_until_they_are_called_numbers(self, s):
        losses = [s, s + 1.0]
        assert pd.Series(losses).dtype == object
        assert pd.Series(losses, dtype=float).tolist() == [2.5, 3.5]
        assert pd.Series(losses).astype(float).dtype == np.float64
        assert pd.Series(np.array(losses)).dtype == np.float64

    @pytest.mark.parametrize("operate", [operator.add, operator.mul, operator.sub, operator.pow])
    @pytest.mark.parametrize("made", [pd.Series, pd.Index, lambda x: pd.DataFrame({"x": x})])
    def test_arithmetic_is_recorded_on_either_side(self, operate, made):
        theirs = made([1.0, 2.0, 3.0])
        plain, value = theirs.to_numpy(), Value(2.0)
        for one, two in ((theirs, value), (value, theirs)):
            value.grad = None
            result = operate(one, two)
            assert type(result) is Value
            expected = operate(*(plain if x is theirs else 2.0 for x in (one, two)))
            np.testing.assert_array_equal(result.data, expected)
            result.sum().backward()
            assert value.has_grad

    def test_comparisons_are_plain(self, v):
        assert (pd.Series([1.0, 0.0, 4.0]) == v).tolist() == [True, False, True]


class TestScikitLearn:
    def test_samples_and_targets_are_plain_numbers(self, v):
        x = Value([[1.0], [2.0], [4.0]])
        model = LinearRegression().fit(x, v * 2.0)
        np.testing.assert_allclose(model.coef_, [2.0])
        assert type(model.predict(x)) is np.ndarray
        assert mean_squared_error(v, v) == 0.0
        assert StandardScaler().fit_transform(x).shape == (3, 1)


class TestDerivatives:
    @pytest.mark.parametrize("take", [np.asarray, float, lambda x: np.full(1, x)[0]])
    def test_what_was_taken_out_is_a_constant(self, take):
        assert grad(lambda x: x * take(x))(3.0) == 3.0

    @pytest.mark.parametrize(
        "take",
        [
            np.asarray,
            lambda x: np.array([x[0], x[1]]),
            lambda x: float(x[0]),
            lambda x: x if x[0] > 0.0 else -x,
            lambda x: np.zeros(2).__setitem__(slice(None), x),
            copy.deepcopy,
            pickle.dumps,
        ],
    )
    def test_a_compiled_function_refuses_it(self, take):
        with pytest.raises(TraceError):
            compile(take)(np.array([1.0, 2.0]))

    def test_lengths_and_elements_are_no_data(self):
        f = compile(lambda x: sum(row * row for row in x) / len(x))
        assert [f(np.array([1.0, 2.0])), f(np.array([2.0, 4.0]))] == [2.5, 10.0]
