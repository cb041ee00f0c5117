"""Labels as one-hot rows, against Keras; samples in batches."""

import numpy as np
import pandas as pd
import pytest

from autograd_core import DataError, DomainError, OptionError, ShapeError, Value
from nn import set_seed
from nn.data import Batches, as_samples, batches, one_hot, whole_number
from tests.keras_oracle import keras


class TestOneHot:
    @pytest.mark.parametrize("num_classes", [None, 4, 7, np.int64(5)])
    @pytest.mark.parametrize(
        "labels",
        [[0, 3, 1], [2.0, 3.0], [[3], [1]], [[0, 1], [2, 3]], [[[3], [0]]], np.uint8([3, 0])],
        ids=str,
    )
    def test_equals_keras(self, labels, num_classes):
        expected = keras.utils.to_categorical(np.array(labels), num_classes)
        rows = one_hot(labels, num_classes)
        assert rows.shape == expected.shape
        assert (rows == expected).all()

    def test_does_not_widen_float32(self):
        assert one_hot([1]).dtype == np.float32
        assert one_hot([1], dtype=np.int64).dtype == np.int64

    def test_takes_truth_values_and_frames(self):
        assert one_hot([True, False]).tolist() == [[0, 1], [1, 0]]
        assert one_hot(pd.Series([1, 0])).tolist() == [[0, 1], [1, 0]]

    @pytest.mark.parametrize("label", [-1, 0.5, np.nan, np.inf])
    def test_refuses_what_is_no_class(self, label):
        with pytest.raises(DomainError, match=rf"^label {label}\n.*place of the 1"):
            one_hot([0, label], 3)

    def test_refuses_labels_beyond_the_classes(self):
        with pytest.raises(DomainError, match=r"label 3 with num_classes=3\n.*0 to 2\n.*=4"):
            one_hot([1, 3], 3)

    @pytest.mark.parametrize("num_classes", [0, -1, 2.5, "3"])
    def test_refuses_other_numbers_of_classes(self, num_classes):
        with pytest.raises(OptionError, match=r"num_classes=.*\n.*count\n.*at least 1"):
            one_hot([0], num_classes)

    def test_refuses_text(self):
        with pytest.raises(DataError, match="labels of type <U5"):
            one_hot(["cat", "mouse"])


class TestBatches:
    def test_hold_every_sample_once_in_order(self):
        x, y = np.arange(14.0).reshape(7, 2), np.arange(7)
        parts = list(batches(x, y, batch_size=3))
        assert [len(labels) for _, labels in parts] == [3, 3, 1]
        assert (np.concatenate([points for points, _ in parts]) == x).all()
        assert (np.concatenate([labels for _, labels in parts]) == y).all()

    @pytest.mark.parametrize(
        ("samples", "batch_size", "count"), [(55_000, 100, 550), (5, 2, 3), (2, 5, 1), (64, 32, 2)]
    )
    def test_know_their_number(self, samples, batch_size, count):
        found = batches(np.zeros(samples), batch_size=batch_size)
        assert len(found) == len(list(found)) == count

    def test_have_32_samples_unless_told(self):
        assert [len(x) for x in batches(np.zeros(40))] == [32, 8]

    def test_yield_what_is_given_and_no_more(self):
        x, y, weight = [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]
        assert next(iter(batches(x))).tolist() == x
        assert [part.tolist() for part in next(iter(batches(x, y)))] == [x, y]
        assert [part.tolist() for part in next(iter(batches(x, y, weight)))] == [x, y, weight]
        assert [p.tolist() for p in next(iter(batches(x, sample_weight=weight)))] == [x, weight]

    def test_are_views_in_order_and_copies_when_shuffled(self):
        x = np.arange(6.0)
        assert all(np.shares_memory(x, batch) for batch in batches(x, batch_size=4))
        assert not any(np.shares_memory(x, b) for b in batches(x, batch_size=4, shuffle=True))

    def test_shuffled_keep_samples_together_in_a_new_order_at_each_pass(self):
        x = np.arange(50)
        found = batches(x, x * 2, x * 3, batch_size=8, shuffle=True)
        passes = [[np.concatenate(part) for part in zip(*found, strict=True)] for _ in range(2)]
        for points, labels, weight in passes:
            assert sorted(points) == x.tolist()
            assert (labels == points * 2).all()
            assert (weight == points * 3).all()
        assert (passes[0][0] != passes[1][0]).any()

    def test_shuffled_are_the_same_after_the_same_seed(self):
        runs = []
        for _ in range(2):
            set_seed(3)
            found = batches(np.arange(9), batch_size=4, shuffle=True)
            runs.append([batch.tolist() for _ in range(2) for batch in found])
        assert runs[0] == runs[1]

    def test_in_order_draw_nothing(self):
        set_seed(1)
        list(batches(np.arange(9)))
        after = list(batches(np.arange(9), shuffle=True))
        set_seed(1)
        assert (after[0] == next(iter(batches(np.arange(9), shuffle=True)))).all()

    def test_take_frames_lists_and_values(self):
        frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
        x, y = next(iter(batches(frame, frame["a"])))
        assert x.tolist() == [[1.0, 0.5], [2.0, 1.5]]
        assert y.tolist() == [1, 2]
        assert next(iter(batches(Value([1.0, 2.0])))).tolist() == [1.0, 2.0]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, bool])
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_keep_the_type_of_the_data(self, dtype, shuffle):
        assert next(iter(batches(np.ones(3, dtype), shuffle=shuffle))).dtype == dtype

    def test_of_different_lengths_are_refused(self):
        with pytest.raises(ShapeError, match=r"^x of 3 samples and y of 2 samples\n"):
            batches(np.zeros((3, 2)), np.zeros(2))
        with pytest.raises(ShapeError, match="y of 3 samples and sample_weight of 1 samples"):
            batches(np.zeros(3), np.zeros(3), np.zeros(1))

    @pytest.mark.parametrize("given", [[], np.zeros((0, 3)), np.zeros((3, 0))])
    def test_of_nothing_are_refused(self, given):
        with pytest.raises(ShapeError, match=r"x of shape .*\n.*no sample in it"):
            batches(given)

    def test_of_one_number_are_refused(self):
        with pytest.raises(ShapeError, match=r"y of shape \(\)\n.*no axis of samples"):
            batches([1.0], 2.0)

    @pytest.mark.parametrize("given", [None, ["a"], [1j], pd.Series([1, "b"])], ids=str)
    def test_of_what_is_no_number_are_refused(self, given):
        with pytest.raises(DataError, match=r"x of type .*\n.*real numbers\n.*get_dummies"):
            batches(given)

    def test_of_ragged_lists_are_refused(self):
        with pytest.raises(DataError, match=r"x, a list\n.*inhomogeneous(.|\n)*equal lengths"):
            batches([[1.0], [1.0, 2.0]])

    @pytest.mark.parametrize("batch_size", [0, -1, 1.5, None])
    def test_of_other_sizes_are_refused(self, batch_size):
        with pytest.raises(OptionError, match=r"batch_size=.*\n.*count\n.*at least 1"):
            batches([1.0], batch_size=batch_size)


def test_batches_keep_what_they_were_made_of():
    made = batches([1.0], batch_size=np.int64(2), shuffle=True)
    assert isinstance(made, Batches)
    assert (type(made.batch_size), made.batch_size, made.shuffle) == (int, 2, True)


def test_samples_that_are_an_array_are_not_copied():
    x = np.ones((2, 2))
    assert as_samples("x", x) is x


def test_whole_numbers_become_ints():
    assert type(whole_number("units", np.uint8(3))) is int
