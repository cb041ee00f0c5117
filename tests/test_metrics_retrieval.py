"""Precision, recall, F1 and the confusion matrix beside scikit-learn's and Keras's."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from autograd_core import OptionError, ShapeError, Value, softmax
from nn import metrics
from nn.mistakes import TrainingWarning
from tests.keras_oracle import as_numpy, keras

RANDOM = np.random.default_rng(0)
N, CLASSES = 60, 4
NUMBERS = RANDOM.integers(0, CLASSES, N)
ROWS = np.eye(CLASSES)[NUMBERS]
CHANCES = softmax(RANDOM.normal(size=(N, CLASSES)) + ROWS)
SEVERAL = RANDOM.integers(0, 2, (N, CLASSES))  # classes that do not exclude each other
UNBOUND = RANDOM.uniform(size=(N, CLASSES))
BINARY = RANDOM.integers(0, 2, N)
BINARY_CHANCES = np.clip(RANDOM.uniform(size=N) + 0.3 * BINARY, 0, 1)
WEIGHTS = RANDOM.uniform(0, 2, N)

EVERY_WEIGHT = pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
EVERY_AVERAGE = pytest.mark.parametrize("average", [None, "macro", "micro", "weighted"])
EVERY_METRIC = pytest.mark.parametrize(
    ("ours", "by_sklearn"),
    [
        (metrics.precision, sklearn.precision_score),
        (metrics.recall, sklearn.recall_score),
        (metrics.f1_score, sklearn.f1_score),
    ],
)


def by_keras(metric, y_true, y_pred, weights):
    metric.update_state(y_true, y_pred, sample_weight=weights)
    return as_numpy(metric.result())


class TestBinary:
    @EVERY_WEIGHT
    @EVERY_METRIC
    @pytest.mark.parametrize("threshold", [None, 0.3, 0.8])
    def test_is_scikit_learn_s(self, ours, by_sklearn, weights, threshold):
        predicted = (threshold or 0.5) < BINARY_CHANCES
        expected = by_sklearn(BINARY, predicted, sample_weight=weights)
        out = ours(BINARY, BINARY_CHANCES, weights, threshold)
        assert type(out) is float
        assert out == pytest.approx(expected, rel=1e-14)
        assert ours(2 * BINARY - 1, Value(BINARY_CHANCES), weights, threshold) == out

    @EVERY_WEIGHT
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [(metrics.precision, keras.metrics.Precision), (metrics.recall, keras.metrics.Recall)],
    )
    def test_counts_all_numbers_alike_as_keras_does(self, ours, theirs, weights):
        out = ours(SEVERAL, UNBOUND, weights)
        expected = by_keras(theirs(), SEVERAL, UNBOUND, weights)
        assert out == pytest.approx(float(expected), rel=1e-6)

    @EVERY_METRIC
    def test_is_0_where_there_is_nothing_to_count(self, ours, by_sklearn):
        assert ours([0, 0], [0.1, 0.2]) == 0.0
        assert by_sklearn([0, 0], [0, 0], zero_division=0) == 0.0


class TestClasses:
    @EVERY_WEIGHT
    @EVERY_AVERAGE
    @EVERY_METRIC
    def test_that_exclude_each_other(self, ours, by_sklearn, average, weights):
        predicted = CHANCES.argmax(-1)
        expected = by_sklearn(NUMBERS, predicted, average=average, sample_weight=weights)
        for y_true in (NUMBERS, NUMBERS[:, None], ROWS, Value(ROWS)):
            out = ours(y_true, CHANCES, weights, average=average)
            assert isinstance(out, np.ndarray if average is None else float)
            np.testing.assert_allclose(out, expected, rtol=1e-14)

    @EVERY_WEIGHT
    @EVERY_AVERAGE
    @EVERY_METRIC
    def test_that_do_not(self, ours, by_sklearn, average, weights):
        expected = by_sklearn(SEVERAL, UNBOUND > 0.6, average=average, sample_weight=weights)
        out = ours(SEVERAL, UNBOUND, weights, threshold=0.6, average=average)
        np.testing.assert_allclose(out, expected, rtol=1e-14)

    @EVERY_WEIGHT
    @EVERY_AVERAGE
    @pytest.mark.parametrize("threshold", [None, 0.4])
    def test_f1_is_keras_s(self, average, weights, threshold):
        theirs = keras.metrics.F1Score(average=average, threshold=threshold)
        expected = by_keras(theirs, ROWS, CHANCES, weights)
        out = metrics.f1_score(ROWS, CHANCES, weights, threshold, average)
        np.testing.assert_allclose(out, expected, rtol=1e-6)

    def test_of_sequences(self):
        y, p = NUMBERS.reshape(10, 6), CHANCES.reshape(10, 6, -1)
        out = metrics.f1_score(y, p, WEIGHTS.reshape(10, 6), average=None)
        expected = metrics.f1_score(NUMBERS, CHANCES, WEIGHTS, average=None)
        np.testing.assert_allclose(out, expected, rtol=1e-14)

    def test_a_class_that_does_not_occur_counts_0_as_in_keras(self):
        y, p = [0, 1], np.eye(3)[[0, 1]]
        assert metrics.f1_score(y, p, average=None).tolist() == [1.0, 1.0, 0.0]
        assert metrics.f1_score(y, p, average="macro") == pytest.approx(2 / 3)
        assert metrics.f1_score(y, p, average="weighted") == 1.0
        assert metrics.f1_score(y, p, [0.0, 0.0], average="weighted") == 0.0

    def test_a_label_outside_the_classes_belongs_to_none(self):
        with pytest.warns(TrainingWarning, match="1 of 2 labels outside the classes"):
            out = metrics.precision([0, 7], np.eye(2)[[0, 0]], average=None)
        assert out.tolist() == [0.5, 0.0]

    @pytest.mark.parametrize("ours", [metrics.precision, metrics.recall, metrics.f1_score])
    def test_another_average(self, ours):
        with pytest.raises(OptionError, match="average 'mean'"):
            ours(NUMBERS, CHANCES, average="mean")

    @pytest.mark.parametrize("ours", [metrics.precision, metrics.recall, metrics.f1_score])
    def test_no_classes_or_no_sample(self, ours):
        with pytest.raises(ShapeError, match="a row of its own"):
            ours(BINARY, BINARY_CHANCES, average="macro")
        with pytest.raises(ShapeError, match="there is no sample"):
            ours(np.ones((0, 2)), np.ones((0, 2)), average="macro")


class TestConfusionMatrix:
    def test_is_scikit_learn_s(self):
        predicted = CHANCES.argmax(-1)
        out = metrics.confusion_matrix(NUMBERS, predicted)
        assert out.tolist() == sklearn.confusion_matrix(NUMBERS, predicted).tolist()
        assert out.dtype.kind == "i"
        assert out.trace() / N == metrics.sparse_categorical_accuracy(NUMBERS, CHANCES)

    def test_has_as_many_classes_as_told(self):
        out = metrics.confusion_matrix([0, 2], [0, 1], num_classes=4)
        expected = sklearn.confusion_matrix([0, 2], [0, 1], labels=range(4))
        assert out.tolist() == expected.tolist()

    def test_takes_columns_booleans_and_values(self):
        truth, predicted = BINARY[:, None], BINARY_CHANCES[:, None] > 0.5
        expected = sklearn.confusion_matrix(BINARY, predicted.ravel()).tolist()
        assert metrics.confusion_matrix(truth, predicted).tolist() == expected
        assert metrics.confusion_matrix(Value(truth), predicted).tolist() == expected

    def test_of_a_column_of_probabilities_asks_for_the_column(self):
        chances = np.array([[0.2], [0.7], [0.9]])
        with pytest.raises(ShapeError) as caught:
            metrics.confusion_matrix([0, 1, 0], chances > 0.5)
        assert caught.value.instead.startswith("predictions[:, 0] > 0.5 ")
        found = metrics.confusion_matrix([0, 1, 0], chances[:, 0] > 0.5)
        assert found.tolist() == [[1, 1], [0, 1]]

    @pytest.mark.parametrize(
        ("wrong", "match"),
        [
            ([0, 3], "from 0 to 3 of 3 classes"),
            ([0, -1], "from -1 to 0 of 3 classes"),
            ([0, 0.5], r"from 0 to 0\.5 of 3 classes"),
            ([0, np.nan], "from nan to nan of 3 classes"),
        ],
    )
    def test_other_numbers_are_no_classes(self, wrong, match):
        with pytest.raises(OptionError, match=f"labels {match}"):
            metrics.confusion_matrix(wrong, [0, 1], num_classes=3)
        with pytest.raises(OptionError, match=f"predictions {match}"):
            metrics.confusion_matrix([0, 1], wrong, num_classes=3)

    def test_nan_is_no_class_however_many_there_are(self):
        with pytest.raises(OptionError, match="labels from nan to nan"):
            metrics.confusion_matrix([0, np.nan], [0, 1])

    @pytest.mark.parametrize(("truth", "predicted"), [(NUMBERS, CHANCES), ([], []), ([0], [0, 1])])
    def test_other_shapes(self, truth, predicted):
        with pytest.raises(ShapeError, match=r"predictions\.argmax\(-1\)"):
            metrics.confusion_matrix(truth, predicted)
