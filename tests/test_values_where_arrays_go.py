"""A Value where arrays and numbers go: NumPy, Python, matplotlib, pandas, scikit-learn.

The rule: NumPy's operators and functions keep the graph, also those on lists and arrays of Values;
everything else gets a copy of the data, with a warning where a derivative is lost.
"""

import array
import asyncio
import cmath
import copy
import json
import math
import operator
import pickle
import statistics
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import StandardScaler

from autograd_core import (
    DataError,
    GradientWarning,
    IndexRangeError,
    MissingNameError,
    OptionError,
    TraceError,
    UnsupportedError,
    Value,
    callers,
    compile,
    grad,
    hessian,
    jacobian,
    jvp,
    messages,
    no_grad,
    vjp,
)

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
    def test_data_are_copied_out_with_a_warning(self, v, take):
        with pytest.warns(GradientWarning, match=r"takes the numbers out of a Value: shape \(3,\)"):
            array = take(v)
        assert type(array) is np.ndarray
        assert not np.shares_memory(array, v.data)
        np.testing.assert_array_equal(array, [1.0, 2.0, 4.0])

    def test_types_are_kept_or_converted(self, v):
        with no_grad():
            assert np.asarray(Value(np.ones(2, np.float32))).dtype == np.float32
            assert np.asarray(v, dtype=np.float32).dtype == np.float32
        np.testing.assert_array_equal(np.asarray(v, dtype=int), [1, 2, 4])

    @pytest.mark.parametrize("data", [2.5, [1.0, 2.0]])
    def test_what_would_be_a_view_is_refused(self, data):
        with pytest.raises(OptionError, match="copy=False for a Value") as caught:
            np.asarray(Value(data), copy=False)
        assert isinstance(caught.value, ValueError)  # as NumPy asks for
        assert "v.data" in str(caught.value)
        np.testing.assert_array_equal(np.array(Value(data), copy=None, dtype=int), np.int_(data))

    def test_lists_of_single_values_become_arrays_of_them(self, s):
        row, matrix = np.array([s, s * 2]), np.array([[s, 1.0], [0.0, s]])
        assert row.dtype == matrix.dtype == object
        assert row[0] is s
        (row @ matrix).sum().backward()
        assert s.grad == 6 * 2.5 + 1.0  # of s**2 + s + 2 * s**2

    def test_a_list_of_values_makes_no_value_but_a_stack_does(self, s):
        for given in ([s, s], np.array([s, s])):
            with pytest.raises(DataError, match=r"np\.stack"):
                Value(given)
        np.stack([s, s]).sum().backward()
        assert s.grad == 2.0

    def test_an_array_of_objects_goes_where_a_value_goes(self, v, s):
        objects = np.array([s, 1.0, s * s])
        for result in (v * objects, objects * v, np.multiply(v, objects), v * [s, 1.0, s * s]):
            s.grad = None
            np.sum(result).backward()
            assert s.grad == 1.0 + 4.0 * 2 * 2.5

    def test_assignment_copies_numbers_with_a_warning(self, v, s):
        array = np.zeros(3)
        with pytest.warns(GradientWarning, match=r"a\[i\] = v, an assignment into an array,"):
            array[:] = v
        with pytest.warns(GradientWarning, match=r"a\[i\] = v"):
            array[1] = s
        np.testing.assert_array_equal(array, [1.0, 2.5, 4.0])

    def test_a_log_of_losses_after_their_derivatives_is_no_loss(self, s):
        log = np.zeros(2)
        for i in range(2):
            loss = s * s
            loss.backward()
            log[i] = loss  # a warning would be an error here
        assert log.tolist() == [6.25, 6.25]

    def test_masks_and_matrices_are_refused(self, v):
        with pytest.raises(DataError, match="the mask would be lost"):
            v * np.ma.array([1.0, 2.0, 3.0], mask=[True, False, False])
        np.testing.assert_array_equal((v * np.ma.array([1.0, 2.0, 3.0])).data, [1.0, 4.0, 12.0])
        for use in (lambda: np.ma.array([1.0, 2.0, 3.0]) * v, lambda: np.ma.sum(v)):
            with pytest.raises(UnsupportedError, match=r"np\.where\(array\.mask"):
                use()
        with pytest.raises(DataError, match=r"np\.asarray\(matrix\)"):
            v * np.ones(3).view(np.matrix)

    def test_in_place_arithmetic_is_refused(self, v):
        numbers = np.zeros(3)
        with pytest.raises(UnsupportedError, match=r"\+=, or out="):
            numbers += v
        with pytest.raises(UnsupportedError, match=r"a = a \+ np\.stack"):
            numbers += [v[0], 1.0, v[1]]

    def test_numbers_beside_values_are_refused_where_numpy_calls_methods(self, s):
        mixed = [s, 1.0]
        for use in (
            lambda: np.exp([s, 1.0]),
            lambda: np.exp([2, abs(s)]),
            lambda: np.exp(mixed),
            lambda: np.sin(([s, s], [s, 0])),
        ):
            with pytest.raises(UnsupportedError, match=r"np\.stack"):
                use()
        result = np.exp([s * 2.0, abs(s), np.sin(s) + 1.0])
        np.testing.assert_allclose(np.stack(result).data, np.exp([5.0, 2.5, np.sin(2.5) + 1.0]))

    def test_functions_without_a_rule_say_so(self, v):
        with pytest.raises(UnsupportedError, match=r"v\.data for plain numbers"):
            np.interp(v, [0.0, 1.0], [0.0, 1.0])

    def test_broadcast_arrays_are_recorded(self, v, s):
        row, number = np.broadcast_arrays(v, s)
        (row * number).sum().backward()
        assert s.grad == 7.0

    @pytest.mark.parametrize(
        "use",
        [
            lambda a, v: a.take(v),
            np.take,
            lambda a, v: a.repeat(v),
            np.repeat,
            lambda a, v: a.put(v, 5.0),
            lambda a, v: np.bincount(v),
            lambda a, v: np.random.default_rng(2).binomial(v, 0.5),
        ],
    )
    def test_positions_and_counts_are_whole_numbers(self, use):
        places, array, same = [2.0, 0.0, 1.0], np.arange(3.0), np.arange(3.0)
        result, expected = use(array, Value(places)), use(same, np.array(places, int))
        np.testing.assert_array_equal(result, expected)
        np.testing.assert_array_equal(array, same)
        for data in ([1.5, 0.0, 1.0], [np.nan, 0.0, 1.0]):
            with pytest.raises(IndexRangeError, match="it is no whole number"):
                use(array, Value(data))


class TestPython:
    def test_one_number_is_a_number(self, s):
        assert (float(s), int(s), complex(s), bool(s)) == (2.5, 2, 2.5, 1)
        percent = "%.2f"
        assert (f"{s:.2f}", percent % s, json.dumps(float(s))) == ("2.50", "2.50", "2.5")
        assert f"{s}" == repr(s)
        assert (list(map(float, [s])), max([s], key=float)) == ([2.5], s)
        assert (math.floor(s), math.ceil(s), math.trunc(s), math.isnan(s)) == (2, 3, 2, False)

    @pytest.mark.parametrize(
        ("take", "instead"),
        [
            (math.sqrt, r"np\.sqrt\(v\)"),
            (math.exp, r"np\.exp\(v\)"),
            (lambda s: math.hypot(1.0, s), r"np\.hypot\(v, w\)"),
            (cmath.exp, r"np\.exp\(v\)"),
            (np.float64, "keeps the graph"),
            (lambda s: np.asarray(s, dtype=float), r"np\.stack"),
            (lambda s: np.array(s, dtype="f"), r"np\.stack"),
            (partial(np.zeros(2).__setitem__, 0), "keeps the graph"),
            (np.zeros(2).fill, "keeps the graph"),
            (lambda s: np.sum([1.0, 2.0], initial=s), "keeps the graph"),
            (lambda s: np.pad([1.0, 2.0], 1, constant_values=s), "keeps the graph"),
            (lambda s: statistics.fmean([s, s]), "keeps the graph"),
            (lambda s: array.array("d", [s]), "keeps the graph"),
            (scipy.stats.norm.pdf, "keeps the graph"),
            (np.random.default_rng(0).normal, "keeps the graph"),
        ],
    )
    def test_what_loses_a_derivative_warns_at_the_line(self, s, take, instead):
        with pytest.warns(GradientWarning, match=instead) as caught:
            take(s)
        assert {warning.filename for warning in caught} == {__file__}
        with no_grad():
            take(s)

    ASKING = (
        lambda s: np.array([s, s], dtype=float),
        lambda s: np.array([[1.0], [s * s]], dtype="f"),
        lambda s: np.asarray([each * s for each in [s, s]], dtype=float),
        lambda s: np.fromiter((each for each in [s, s]), float),
        lambda s: np.array([s, s * s]).astype(float),
        lambda s: np.asarray([[s], [s]]).astype(np.float32),
    )

    @pytest.mark.parametrize("take", ASKING)
    def test_arrays_of_numbers_that_are_asked_for_are_no_loss_but_inside_grad(self, s, take):
        numbers = take(s)  # a warning would be an error here
        assert numbers.dtype.kind == "f"
        assert grad(lambda x: x * take(s).sum())(1.0) == numbers.sum()
        with pytest.warns(GradientWarning, match=r"takes the numbers out of a Value"):
            grad(lambda x: x * take(x).sum())(2.5)

    @pytest.mark.parametrize(
        "draw",
        [
            lambda rng, v: rng.choice(3, p=v / v.sum()),
            lambda rng, v: rng.choice(len(v), p=v / v.sum()),
            lambda rng, v: rng.choice([5.0, 6.0, 7.0], p=v / v.sum(), size=4),
            lambda rng, v: rng.poisson(v),
            lambda rng, v: rng.poisson(v[0]),
            lambda rng, v: rng.geometric(v / 8.0),
            lambda rng, v: rng.binomial(4, v / 8.0),
            lambda rng, v: rng.binomial(v, 0.5),
            lambda rng, v: rng.multinomial(9, v / v.sum()),
            lambda rng, v: rng.integers(v[2]),
        ],
    )
    def test_discrete_draws_have_no_derivative_to_lose(self, draw):
        numbers = draw(np.random.default_rng(3), np.array([1, 2, 4]))

        def f(v):  # a warning would be an error here
            np.testing.assert_array_equal(draw(np.random.default_rng(3), v), numbers)
            return v.sum()

        np.testing.assert_array_equal(grad(f)(np.array([1.0, 2.0, 4.0])), np.ones(3))

    @pytest.mark.parametrize(
        "draw",
        [
            lambda rng, v: rng.normal(v),
            lambda rng, v: rng.exponential(v),
            lambda rng, v: np.random.default_rng(3).permutation(v),
            lambda rng, v: np.random.default_rng(3).choice(v),
        ],
    )
    def test_draws_that_lose_a_derivative_warn(self, draw):
        rng = np.random.default_rng(3)
        with pytest.warns(GradientWarning, match="takes the numbers out of a Value"):
            grad(lambda v: np.sum(draw(rng, v) * v))(np.array([1.0, 2.0, 4.0]))

    @pytest.mark.parametrize("method", ["permutation", "choice"])
    def test_elements_that_are_drawn_keep_theirs(self, method):
        places = getattr(np.random.default_rng(3), method)(np.arange(4))

        def f(v):
            rng = np.random.default_rng(3)
            drawn = rng.permutation(v) if method == "permutation" else rng.choice(v)
            return np.sum(drawn * np.arange(1.0, 1.0 + np.size(drawn)))

        weights = np.zeros(4)
        weights[np.atleast_1d(places)] = np.arange(1.0, 1.0 + np.size(places))
        np.testing.assert_array_equal(grad(f)(np.array([1.0, 2.0, 4.0, 8.0])), weights)

    def test_files_of_json_take_numbers(self, s):
        assert json.dumps({"loss": s * 2.0}, default=float) == '{"loss": 5.0}'

    def test_results_of_no_grad_have_no_derivative_to_lose(self, s):
        with no_grad():
            computed = np.stack([s, s]) * 2.0
        assert np.asarray(computed).tolist() == [5.0, 5.0]

    def test_calls_that_are_repeated_often_are_known_as_before(self, s):
        method, kept = np.logaddexp.reduce, []
        for _ in range(100):  # Python specialises the instructions
            with pytest.raises(UnsupportedError, match=r"np\.logaddexp\.reduce of a list"):
                method([s, s])
            kept.append(np.add.reduce([s, s]))
        assert {total.data for total in kept} == {5.0}

    def test_warns_once_at_each_line(self, s):
        with pytest.warns(GradientWarning) as caught:
            assert [math.exp(s) for _ in range(3)] == [math.exp(2.5)] * 3
        assert len(caught) == 1

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

    @pytest.mark.parametrize("mean", [statistics.mean, statistics.stdev, statistics.harmonic_mean])
    def test_fractions_are_refused(self, mean):
        with pytest.raises(UnsupportedError, match="a fraction of a Value, 1, as statistics"):
            mean([Value(1.0), Value(2.0)])

    def test_a_format_is_of_one_number(self, v):
        assert (f"{v[0]:.2f}", f"{v}") == (f"{v.data[0]:.2f}", str(v))
        with pytest.raises(UnsupportedError, match=r"format '\.2f' of a Value of shape \(3,\)"):
            f"{v:.2f}"

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
    def test_copies_have_data_gradient_and_label(self, duplicate):
        v = Value([1.0, 2.0], label="v")
        v.sum().backward()
        twin = duplicate(v)
        assert (twin.label, twin.grad.tolist(), twin.data.tolist()) == ("v", [1.0, 1.0], [1.0, 2.0])
        assert not np.shares_memory(twin.data, v.data)

    def test_methods_of_arrays_that_look_at_data_are_there(self, v):
        assert v.tolist() == v.data.tolist()
        assert (v.any(), v.all(), (v - 1.0).all()) == (True, True, False)
        np.testing.assert_array_equal((-v).argsort(), [2, 1, 0])
        np.testing.assert_array_equal((v - 1.0).nonzero()[0], [1, 2])
        assert [x.data for x in divmod(Value(7.0), 2.0)] == [3.0, 1.0]
        assert [x.data for x in divmod(7.0, Value(2.0))] == [3.0, 1.0]

    @pytest.mark.parametrize(
        ("name", "instead"),
        [("detach", "v.data"), ("clone", "recorded"), ("view", "reshape"), ("mm", "v @ w")],
    )
    def test_methods_of_pytorch_say_what_to_write(self, v, name, instead):
        assert not hasattr(v, name)
        with pytest.raises(MissingNameError) as caught:
            getattr(v, name)
        assert instead in caught.value.instead

    def test_functions_of_scipy_name_ours(self, v):
        with pytest.raises(UnsupportedError, match=r"autograd_core\.sigmoid\(v\)"):
            scipy.special.expit(v)
        with pytest.raises(UnsupportedError, match=r"scipy\.special\.j0 of a Value"):
            scipy.special.j0(v)


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
        assert pd.Series(np.array(losses)).dtype == object

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

    @pytest.mark.parametrize(
        "compute",
        [
            lambda frame, v: frame @ v,
            lambda frame, v: frame.dot(v),
            lambda frame, v: frame.mul(v, axis=0),
            lambda frame, v: frame.rsub(v, axis=0),
            lambda frame, v: frame["x"] @ v,
            lambda frame, v: frame["x"].dot(v),
        ],
    )
    def test_a_method_that_computes_is_warned_of(self, compute, v):
        frame = pd.DataFrame(np.eye(3), columns=["x", "y", "z"])
        with pytest.warns(GradientWarning, match=r"to_numpy\(\) @ v"):
            grad(lambda v: np.sum(compute(frame, v)))(v.data)
        with no_grad():
            compute(frame, v)

    def test_comparisons_are_plain(self, v):
        assert (pd.Series([1.0, 0.0, 4.0]) == v).tolist() == [True, False, True]


class TestScikitLearn:
    @pytest.mark.parametrize(
        "loss",
        [
            lambda v: mean_squared_error(np.ones(3), v),
            lambda v: StandardScaler().fit_transform(v[:, None])[0, 0],
            lambda v: (pd.Series(v) ** 2).sum(),
            lambda v: pd.DataFrame({"x": [1.0, 2.0, 3.0]}).assign(y=v)["y"].mean(),
        ],
    )
    def test_a_loss_that_is_differentiated_is_warned_of(self, loss, v):
        loss(v)
        with pytest.warns(GradientWarning, match="takes the numbers out"):
            grad(loss)(v.data)
        grad(lambda v: (loss(v.data), (v * v).sum())[1])(v.data)

    def test_samples_and_targets_are_plain_numbers(self, v):
        x = Value([[1.0], [2.0], [4.0]])
        model = LinearRegression().fit(x, v * 2.0)
        np.testing.assert_allclose(model.coef_, [2.0])
        assert type(model.predict(x)) is np.ndarray
        assert mean_squared_error(v, v) == 0.0
        assert StandardScaler().fit_transform(x).shape == (3, 1)


class TestDerivatives:
    @pytest.mark.parametrize("take", [lambda x: x.data, float, int])
    def test_what_was_taken_out_is_a_constant(self, take):
        assert grad(lambda x: x * take(x))(3.0) == 3.0

    @pytest.mark.parametrize(
        ("f", "slope"),
        [
            (lambda x: np.mean([x, x + 2]), 1.0),
            (lambda x: np.std([x, 3 * x]), 1.0),
            (lambda x: np.median([x, 3 * x, 20.0]), 3.0),
            (lambda x: np.sum(np.r_[x, 1.0, 2 * x]), 3.0),
            (lambda x: np.sum(np.c_[[x], [2 * x]]), 3.0),
            (lambda x: np.prod([x, x, 2.0]), 12.0),
            (lambda x: np.max([x, 2 * x]), 2.0),
            (lambda x: np.dot([x, 1.0], [x, 2.0]), 6.0),
            (lambda x: np.sum(np.concatenate([[x], [[x, x]][0]])), 3.0),
            (lambda x: np.sum(np.exp([np.log(x), x * 0])), 1.0),
            (lambda x: np.sum(np.full(3, x)), 3.0),
            (lambda x: np.sum(np.where([True, False], [x, 2 * x], 0)), 1.0),
            (lambda x: np.sum(np.vectorize(lambda y: y * y + y)([x, 1.0])), 7.0),
            (lambda x: np.sum([x, 2 * x] - np.ones(2)), 3.0),
            (lambda x: np.array([x, x]).sum(), 2.0),
            (lambda x: np.sum(np.array([[1.0, 2.0]]).dot(np.stack([x, x]))), 3.0),
            (lambda x: np.sum(np.r_[np.stack([x, x]), 1.0]), 2.0),
            (lambda x: np.sum(np.mean([np.stack([x, x]), np.ones(2)], axis=0)), 1.0),
            (lambda x: np.polynomial.Polynomial([1.0, 2.0, 3.0])(2.0 * x), 76.0),
            (lambda x: np.select([False], [1.0], default=x), 1.0),
            (lambda x: [x * 2.0][0], 2.0),
            (lambda x: np.array(x * 2.0), 2.0),
        ],
    )
    def test_lists_and_arrays_of_values_keep_the_graph(self, f, slope):
        assert grad(f)(3.0) == pytest.approx(slope)

    def test_arrays_of_values_are_arguments_and_results(self):
        a, b = Value(2.0), Value(3.0)
        np.testing.assert_array_equal(jacobian(lambda x: np.array([x, x * x]))(3.0), [1.0, 6.0])
        np.testing.assert_array_equal(compile(lambda x: np.array([x, x * x]))(3.0), [3.0, 9.0])
        rows = compile(lambda x: np.array([x, x * x]))
        np.testing.assert_array_equal(rows(np.array([3.0, 2.0])), [[3.0, 2.0], [9.0, 4.0]])
        slopes = jacobian(lambda x: np.array([x, x * x]).sum())(np.array([3.0, 2.0]))
        np.testing.assert_array_equal(slopes, [7.0, 5.0])
        assert [g.data for g in grad(lambda v: (v * v).sum())(np.array([a, b]))] == [4.0, 6.0]

    @pytest.mark.parametrize(
        "take",
        [
            np.asarray,
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


async def _number_of(v):
    return float(v)


async def _awaited(values):
    return [float(v) async for v in _in_turn(values)]


async def _in_turn(values):
    for v in values:
        yield v


class TestListsAndGenerators:
    @pytest.mark.filterwarnings("error")
    def test_numbers_are_taken_in_generator_expressions_and_coroutines(self):
        values = [Value(1.0), Value(2.0)]
        assert sum(float(v) for v in values) == 3.0
        assert ", ".join(f"{float(v):.1f}" for v in values) == "1.0, 2.0"
        assert any(float(v) > 1 for v in values)
        assert tuple(int(v) for v in values) == (1, 2)
        assert asyncio.run(_number_of(values[1])) == 2.0
        assert asyncio.run(_awaited(values)) == [1.0, 2.0]
        with no_grad():
            assert sum(math.exp(v) for v in values) == math.exp(1) + math.exp(2)
        with pytest.warns(GradientWarning, match=r"math\.exp"):
            assert sum(math.exp(v) for v in values) == math.exp(1) + math.exp(2)

    @pytest.mark.parametrize("function", [np.array, np.tanh, lambda values: np.zeros(300) + values])
    def test_a_list_of_values_is_looked_at_once_for_all_its_elements(self, function, monkeypatch):
        looked_at = []
        has_number = callers._has_number
        monkeypatch.setattr(
            callers, "_has_number", lambda x: looked_at.append(len(x)) or has_number(x)
        )
        values = [Value(0.5) for _ in range(300)]
        function(values)
        assert sum(looked_at) <= 2 * len(values)


class TestLists:
    """v.tolist(): silent, but for what a function that is being differentiated computes."""

    DERIVATIVES = {
        "grad": lambda f: grad(f)(np.array([1.0, 2.0])),
        "vjp": lambda f: vjp(f, np.array([1.0, 2.0])),
        "jvp": lambda f: jvp(f, (np.array([1.0, 2.0]),), (np.ones(2),)),
        "jacobian": lambda f: jacobian(f)(np.array([1.0, 2.0])),
        "of a Value": lambda f: grad(f)(Value([1.0, 2.0])),
        "hessian": lambda f: hessian(f)(np.array([1.0, 2.0])),
    }

    @pytest.mark.parametrize("differentiate", DERIVATIVES.values(), ids=DERIVATIVES)
    def test_of_what_is_being_differentiated_is_warned_of(self, differentiate):
        for computed in (lambda v: v, lambda v: v * 2, lambda v: np.stack([v[0], v[0] ** 2])):
            messages.warned.clear()
            with pytest.warns(
                GradientWarning, match=r"^\.tolist\(\) takes [\s\S]*list\(v\)"
            ) as caught:
                differentiate(lambda v, computed=computed: v[0] * sum(computed(v).tolist()))
            assert [warning.filename for warning in caught] == [__file__]

    def test_of_an_outer_argument_is_warned_of(self):
        with pytest.warns(GradientWarning, match=r"^\.tolist\(\)"):
            grad(lambda x: grad(lambda y: y * sum((x * 2).tolist()))(3.0))(np.ones(2))

    def test_elsewhere_is_silent(self, v):
        kept = []
        weights = v * 2.0

        def loss(x):
            kept.append(x * 2.0)
            with no_grad():
                (x * 2.0).tolist()
            return np.sum(x * weights.tolist() * x.data.tolist()) + x[0].tolist() + x[0].item()

        assert (v * 2.0).tolist() == weights.tolist()
        grad(loss)(np.ones(3))
        assert kept[0].tolist() == [2.0, 2.0, 2.0]

    def test_a_function_that_fails_leaves_nothing_behind(self):
        kept = []
        with pytest.raises(ZeroDivisionError):
            grad(lambda x: kept.append(x * 2.0) or 1 // 0)(np.ones(2))
        assert kept[0].tolist() == [2.0, 2.0]


class TestNames:
    @pytest.mark.parametrize(
        ("take", "text"),
        [
            (
                lambda v: math.hypot(v, 2),
                r"math\.hypot\(\) [\s\S]*write: np\.hypot\(v, w\), which keeps",
            ),
            (
                lambda v: math.pow(v, 2),
                r"math\.pow\(\) [\s\S]*write: np\.power\(v, w\), which keeps",
            ),
            (math.sqrt, r"write: np\.sqrt\(v\), which keeps"),
            (lambda v: statistics.fmean([v, v]), r"^statistics\.fmean\(\) takes"),
        ],
    )
    def test_warnings_name_what_was_called_and_what_to_write(self, s, take, text):
        with pytest.warns(GradientWarning, match=text):
            assert type(take(s)) is float

    def test_a_function_made_a_ufunc_has_no_module(self, s):
        with pytest.raises(UnsupportedError, match=r"^<lambda> \(vectorized\) of a Value"):
            np.frompyfunc(lambda x: x * x, 1, 1)(s)

    @pytest.mark.parametrize("function", [np.percentile, np.nanquantile])
    def test_percentiles_of_a_list_are_refused_by_their_name(self, s, function):
        with pytest.raises(UnsupportedError, match=f"np.{function.__name__} of a list of Values"):
            function([s, 1.0], 0.5)

    def test_a_histogram_is_one_of_plain_numbers(self, s):
        with pytest.raises(UnsupportedError, match=r"np\.histogram\(np\.stack\(\[v, w\]\)\.data\)"):
            np.histogram([s, s])

    def test_files_of_numpy_take_the_data(self, v, tmp_path):
        np.save(tmp_path / "one.npy", v)
        np.savez(tmp_path / "several.npz", v=v)
        np.savetxt(tmp_path / "text.txt", v)
        assert np.load(tmp_path / "one.npy").tolist() == [1.0, 2.0, 4.0]
        assert np.load(tmp_path / "several.npz")["v"].tolist() == [1.0, 2.0, 4.0]
        assert np.loadtxt(tmp_path / "text.txt").tolist() == [1.0, 2.0, 4.0]
        assert np.isreal(v).tolist() == [True] * 3


class TestMap:
    @pytest.mark.parametrize(
        "take",
        [
            lambda values: sum(map(math.exp, values)),
            lambda values: sorted(map(math.exp, values))[0],
            lambda values: next(map(math.exp, values)),
            lambda values: next(map(partial(math.exp), values)),
            lambda values: partial(math.exp)(*values),
        ],
    )
    def test_the_function_that_it_calls_is_the_one_that_takes(self, s, take):
        with pytest.warns(GradientWarning, match=r"^math\.exp\(\) takes [\s\S]*np\.exp\(v\)"):
            assert take([s]) == math.exp(2.5)

    def test_types_of_numpy_take(self, s):
        with pytest.warns(GradientWarning, match=r"^np\.float64\(\) takes"):
            assert list(map(np.float64, [s])) == [2.5]

    @pytest.mark.filterwarnings("error")
    def test_what_is_converted_as_such_is_not_warned_of(self, s):
        assert list(map(float, [s])) == [*map(float, [s])] == [2.5]
        assert list(map(float, map(np.exp, [s]))) == [math.exp(2.5)]
        assert float(sum(map(np.sqrt, [s]))) == math.sqrt(2.5)
        assert partial(float)(s) == 2.5
        with ThreadPoolExecutor(1) as executor:
            assert list(executor.map(float, [s])) == [2.5]

    def test_a_function_of_another_call_is_looked_at_anew(self, s):
        def apply(function):
            return list(map(function, [s]))

        assert apply(float) == [2.5]
        with pytest.warns(GradientWarning, match=r"^math\.exp"):
            assert apply(math.exp) == [math.exp(2.5)]
