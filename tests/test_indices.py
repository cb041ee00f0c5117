"""An index selects what NumPy selects, however it is given, and may change after it was used."""

import array

import numpy as np
import pandas as pd
import pytest
from keras_oracle import keras

from autograd_core import Value, compile, grad, gradients
from autograd_core.errors import IndexRangeError


class Third:
    """An object that Python takes for the integer 2."""

    def __index__(self):
        return 2


WAYS = {
    "tuple": tuple,
    "list": list,
    "list of integers of NumPy": lambda places: [np.int64(place) for place in places],
    "array": np.array,
    "small integers": lambda places: np.array(places, np.int8),
    "array module": lambda places: array.array("i", places),
    "memory view": lambda places: memoryview(np.array(places)),
    "series": pd.Series,
    "series with other labels": lambda places: pd.Series(places, range(7, 7 + len(places))),
    "index": pd.Index,
    "tensor of Keras": lambda places: keras.ops.convert_to_tensor(np.array(places)),
    "Value": lambda places: Value(np.array(places, float)),
}


def counted(shape, index):
    """Return how often NumPy selects each element."""
    numbers = np.arange(np.prod(shape)).reshape(shape)[index]
    return np.bincount(numbers.ravel(), minlength=np.prod(shape)).reshape(shape)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
class TestElementsSelectedTwiceCountTwice:
    places = (0, 2, 0, 0)

    def test_as_the_whole_index(self, way):
        given = way(self.places)
        if type(given) is tuple:
            given = (given,)
        x = np.arange(12.0).reshape(4, 3)
        expected = x[np.array(self.places)]
        np.testing.assert_array_equal(Value(x)[given].data, expected)
        found = grad(lambda x: np.sum(x[given]))(x)
        np.testing.assert_array_equal(found, counted(x.shape, np.array(self.places)))

    def test_as_a_part_of_the_index(self, way):
        x = np.arange(24.0).reshape(2, 3, 4)
        for before, after in (((slice(None),), ()), ((), (...,)), ((1,), (None,)), ((...,), ())):
            places = self.places if before else (0, 1, 0, 0)
            index = (*before, np.array(places), *after)
            given = (*before, way(places), *after)
            np.testing.assert_array_equal(Value(x)[given].data, x[index])
            found = grad(lambda x, given=given: np.sum(x[given]))(x)
            np.testing.assert_array_equal(found, counted(x.shape, index))

    @pytest.mark.parametrize("axis", [None, 0, 1])
    def test_in_take(self, way, axis):
        x = np.arange(12.0).reshape(4, 3)
        weights = np.arange(1.0, 1 + np.take(x, self.places, axis).size)
        given = way(self.places)
        found = grad(lambda x: np.sum(np.take(x, given, axis).ravel() * weights))(x)
        step = np.eye(12).reshape(12, 4, 3)
        right = [np.sum(np.take(d, self.places, axis).ravel() * weights) for d in step]
        np.testing.assert_array_equal(found.ravel(), right)


@pytest.mark.parametrize(
    "index",
    [
        range(1, -1, -1),
        (range(2), range(2)),
        ((0, 1), slice(None), (1, 1)),
        ([[0, 1], [1, 1]], [0, 2]),
        ((0, 0), [True, False, True]),
        np.bool_(True),
        True,
        (None, True, 0),
        np.int16(-1),
        (np.array(1), (2, 2)),
        (slice(None), Third()),
        (..., Third(), None),
        [],
        ((), slice(None)),
        (np.array([True, False]), (1, 1), ...),
        np.ones((2, 3), bool),
        pd.Series([True, False]),
    ],
    ids=lambda index: str(index).partition(" object at")[0],
)
def test_other_ways_select_and_count_as_numpy_does(index):
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(Value(x)[index].data, x[index])
    weights = np.arange(1.0, 1 + x[index].size).reshape(x[index].shape)
    found = grad(lambda x: np.sum(x[index] * weights))(x)
    right = [np.sum(d[index] * weights) for d in np.eye(24).reshape(24, *x.shape)]
    np.testing.assert_array_equal(found.ravel(), right)


@pytest.mark.parametrize("index", [[0.5], "a", [[0], [1, 2]], {0: 1}, 1.0, np.zeros(0), [None]])
def test_what_is_no_index_is_refused(index):
    with pytest.raises(IndexRangeError):
        Value(np.ones(3))[index]


class TestAnIndexMayChangeAfterItWasUsed:
    def test_places(self):
        x, places = Value(np.ones(3)), np.array([0, 1])
        out = (x[places] * np.array([10.0, 20.0])).sum()
        places[:] = 2
        out.backward()
        assert x.grad.tolist() == [10.0, 20.0, 0.0]

    def test_masks_and_parts(self):
        x, mask, places = Value(np.ones((2, 3))), np.array([True, False]), np.array([0, 0])
        out = x[mask].sum() + 10 * x[:, places].sum() + 100 * np.take(x, places)[0]
        mask[:] = True
        places[:] = 2
        out.backward()
        assert x.grad.tolist() == [[121.0, 1.0, 1.0], [20.0, 0.0, 0.0]]

    def test_in_a_gradient_that_is_differentiated(self):
        x, places = Value(np.ones(3)), np.array([0, 0])
        (slope,) = gradients((x[places] ** 3).sum(), [x], create_graph=True)
        places[:] = 2
        (second,) = gradients(slope.sum(), [x])
        assert np.asarray(second).tolist() == [12.0, 0.0, 0.0]

    def test_conditions_and_counts(self):
        x, condition, counts = Value(np.ones(2)), np.array([1.0, 0.0]), np.array([2, 1])
        out = np.where(condition, x, 0.0).sum() + np.repeat(x, counts).sum()
        condition[:] = 1.0
        counts[:] = 5
        out.backward()
        assert x.grad.tolist() == [3.0, 1.0]


def test_compiled_selections_count_twice_too():
    f = grad(lambda x: np.sum(x[(0, 0), :] * x[pd.Series([1, 1])]))
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(compile(f)(x), f(x))
    assert f(x).tolist() == [[6.0, 8.0, 10.0], [0.0, 2.0, 4.0]]
