"""Metrics beside Keras's and scikit-learn's: values, weights, averages, ties, edges, messages."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn import metrics as sklearn

from autograd_core import OptionError, ShapeError, Value, softmax
from nn import Adam, Dense, Sequential, losses, metrics, set_seed
from nn.mistakes import TrainingWarning
from tests.keras_oracle import as_numpy, keras

RANDOM = np.random.default_rng(0)
N, CLASSES = 60, 7
NUMBERS = RANDOM.integers(0, CLASSES, N)
ROWS = np.eye(CLASSES)[NUMBERS]
SCORES = RANDOM.normal(size=(N, CLASSES)) + 2 * ROWS
CHANCES = softmax(SCORES)
BINARY = RANDOM.integers(0, 2, N)
BINARY_CHANCES = np.round(np.clip(RANDOM.uniform(size=N) + 0.3 * BINARY, 0, 1), 1)  # with ties
WEIGHTS = RANDOM.uniform(0, 2, N)
EVERY_WEIGHT = pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])


def by_keras(metric, y_true, y_pred, weights=None):
    metric.update_state(y_true, y_pred, sample_weight=weights)
    return as_numpy(metric.result())


class TestAccuracies:
    @EVERY_WEIGHT
    @pytest.mark.parametrize(
        ("ours", "theirs", "y_true", "y_pred"),
        [
            (metrics.binary_accuracy, keras.metrics.BinaryAccuracy(), BINARY, BINARY_CHANCES),
            (
                partial(metrics.binary_accuracy, threshold=0.3),
                keras.metrics.BinaryAccuracy(threshold=0.3),
                BINARY,
                BINARY_CHANCES,
            ),
            (metrics.binary_accuracy, keras.metrics.BinaryAccuracy(), ROWS, CHANCES),
            (metrics.categorical_accuracy, keras.metrics.CategoricalAccuracy(), ROWS, CHANCES),
            (
                metrics.sparse_categorical_accuracy,
                keras.metrics.SparseCategoricalAccuracy(),
                NUMBERS,
                SCORES,
            ),
            (
                metrics.top_k_categorical_accuracy,
                keras.metrics.TopKCategoricalAccuracy(),
                ROWS,
                -SCORES,
            ),
            (
                partial(metrics.sparse_top_k_categorical_accuracy, k=2),
                keras.metrics.SparseTopKCategoricalAccuracy(k=2),
                NUMBERS,
                np.round(SCORES),
            ),
        ],
    )
    def test_are_keras_s(self, ours, theirs, y_true, y_pred, weights):
        theirs.reset_state()
        out = ours(y_true, y_pred, weights)
        assert type(out) is float
        assert out == pytest.approx(float(by_keras(theirs, y_true, y_pred, weights)), rel=1e-6)
        assert ours(Value(y_true), Value(y_pred), weights) == out

    def test_of_sequences(self):
        y, p = NUMBERS.reshape(10, 6), SCORES.reshape(10, 6, -1)
        for weights in (WEIGHTS.reshape(10, 6), None):
            out = metrics.sparse_categorical_accuracy(y, p, weights)
            flat = None if weights is None else weights.ravel()
            assert out == metrics.sparse_categorical_accuracy(NUMBERS, SCORES, flat)
        out = metrics.sparse_categorical_accuracy(y, p, np.arange(10.0))
        each = (p.argmax(-1) == y).mean(1)
        assert out == pytest.approx(np.average(each, weights=np.arange(10.0)), rel=1e-14)
        top = metrics.sparse_top_k_categorical_accuracy(y, p, k=2)
        assert top == metrics.top_k_categorical_accuracy(ROWS.reshape(10, 6, -1), p, k=2)

    def test_top_k_is_scikit_learn_s(self):
        for k in range(1, CLASSES):
            expected = sklearn.top_k_accuracy_score(NUMBERS, SCORES, k=k)
            assert metrics.sparse_top_k_categorical_accuracy(NUMBERS, SCORES, k=k) == expected
        assert metrics.top_k_categorical_accuracy(ROWS, SCORES, k=CLASSES) == 1.0

    def test_a_tie_for_the_last_place_is_in(self):
        assert metrics.sparse_top_k_categorical_accuracy([2], [[1.0, 0.0, 1.0]], k=1) == 1.0

    def test_nan_is_no_right_prediction(self):
        y, p = [0, 1], [[np.nan, np.nan, np.nan], [0.0, 1.0, 0.0]]
        assert metrics.sparse_top_k_categorical_accuracy(y, p, k=2) == 0.5
        assert metrics.binary_accuracy([1, 1], [np.nan, 1.0]) == 0.5

    def test_weights_of_zero_give_0(self):
        assert metrics.binary_accuracy([1, 1], [1.0, 1.0], [0.0, 0.0]) == 0.0

    @pytest.mark.parametrize(
        "metric",
        [
            metrics.sparse_categorical_accuracy,
            partial(metrics.sparse_top_k_categorical_accuracy, k=3),
        ],
    )
    def test_labels_outside_the_classes_are_never_right(self, metric):
        with pytest.warns(TrainingWarning, match="1 of 2 labels outside the classes"):
            out = metric([0, 5], [[0.9, 0.1, 0.0], [0.9, 0.1, 0.0]])
        assert out == 0.5

    def test_labels_of_minus_one(self):
        with pytest.warns(TrainingWarning, match="targets from -1 to 1"):
            assert metrics.binary_accuracy([-1, 1], [0.1, 0.9]) == 1.0

    @pytest.mark.parametrize("k", [0, -1, None])
    def test_k_below_1(self, k):
        with pytest.raises(OptionError, match=f"k = {k}"):
            metrics.top_k_categorical_accuracy(ROWS, SCORES, k=k)


class TestAccuracy:
    @pytest.mark.parametrize(
        ("y_true", "y_pred", "form"),
        [
            (BINARY, BINARY_CHANCES, metrics.binary_accuracy),
            (BINARY[:, None], BINARY_CHANCES[:, None], metrics.binary_accuracy),
            (ROWS, CHANCES, metrics.categorical_accuracy),
            (NUMBERS, CHANCES, metrics.sparse_categorical_accuracy),
            (NUMBERS[:, None], CHANCES, metrics.sparse_categorical_accuracy),
            (
                NUMBERS.reshape(10, 6),
                CHANCES.reshape(10, 6, CLASSES),
                metrics.sparse_categorical_accuracy,
            ),
            (
                ROWS.reshape(10, 6, CLASSES),
                CHANCES.reshape(10, 6, CLASSES),
                metrics.categorical_accuracy,
            ),
        ],
    )
    def test_takes_the_form_of_the_shapes_as_in_keras(self, y_true, y_pred, form):
        out = metrics.accuracy(y_true, y_pred)
        assert out == form(y_true, y_pred)
        if y_pred.ndim > 1:
            theirs = keras.src.trainers.compile_utils.get_metric("accuracy", y_true, y_pred)
            assert out == pytest.approx(float(by_keras(theirs, y_true, y_pred)), rel=1e-6)

    def test_passes_weights_and_the_threshold_on(self):
        out = metrics.accuracy(BINARY, BINARY_CHANCES, WEIGHTS, threshold=0.7)
        assert out == metrics.binary_accuracy(BINARY, BINARY_CHANCES, WEIGHTS, threshold=0.7)
        out = metrics.accuracy(NUMBERS, CHANCES, WEIGHTS)
        assert out == metrics.sparse_categorical_accuracy(NUMBERS, CHANCES, WEIGHTS)
        out = metrics.accuracy(ROWS, CHANCES, WEIGHTS)
        assert out == metrics.categorical_accuracy(ROWS, CHANCES, WEIGHTS)

    @pytest.mark.parametrize(
        "metric",
        [
            metrics.accuracy,
            metrics.auc,
            metrics.binary_accuracy,
            metrics.f1_score,
            metrics.precision,
            metrics.r2_score,
            metrics.recall,
        ],
    )
    def test_a_column_is_paired_row_with_row_without_a_warning(self, metric):
        expected = metric(BINARY, BINARY_CHANCES)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert metric(BINARY, BINARY_CHANCES[:, None]) == expected
            assert metric(np.array(BINARY)[:, None], BINARY_CHANCES) == expected


class TestAccuracyOfWhatAreNoClasses:
    @pytest.mark.parametrize(
        ("y", "advice"),
        [
            ([0.3, 0.8, 0.1], r'"mae" or "r2".*y_true > 0\.5'),
            ([28.5, 511.7, 100.0], '"mae" or "r2"'),
            ([0.0, 3.0, 9.0], "one output for each class, with sparse_categorical_crossentropy"),
            ([0.0, 255.0, 128.0], "y_true / 255"),
        ],
    )
    def test_of_one_output(self, y, advice):
        with pytest.warns(TrainingWarning, match=f"(?s)accuracy of targets from.*{advice}"):
            assert metrics.accuracy(y, [0.2, 0.9, 0.6]) < 0.7

    @pytest.mark.parametrize("rows", [[[0.3, 2.0], [1.5, -1.0]], [[1.0, 1.0], [0.0, 0.0]]])
    def test_of_several_outputs(self, rows):
        with pytest.warns(TrainingWarning, match=r"(?s)rows are not prob.*binary_accuracy if"):
            metrics.accuracy(rows, [[0.1, 0.9], [0.9, 0.1]])


class TestScores:
    @EVERY_WEIGHT
    @pytest.mark.parametrize("p", [BINARY_CHANCES, np.zeros(N), 1 - BINARY_CHANCES, BINARY * 1.0])
    def test_auc_is_scikit_learn_s(self, p, weights):
        expected = sklearn.roc_auc_score(BINARY, p, sample_weight=weights)
        assert metrics.auc(BINARY, p, weights) == pytest.approx(expected, rel=1e-14)
        column = metrics.auc(BINARY[:, None], p[:, None], weights)
        assert column == pytest.approx(expected, rel=1e-14)

    def test_auc_of_scores_of_any_size_and_labels_of_minus_one(self):
        out = metrics.auc(2 * BINARY - 1, 100 * SCORES[:, 0])
        assert out == pytest.approx(sklearn.roc_auc_score(BINARY, SCORES[:, 0]), rel=1e-14)

    def test_auc_is_near_keras_s_approximation(self):
        expected = by_keras(keras.metrics.AUC(), ROWS, CHANCES)
        assert metrics.auc(ROWS, CHANCES) == pytest.approx(float(expected), abs=2e-3)

    @pytest.mark.parametrize("y", [[0, 0], [1, 1]])
    def test_auc_of_one_kind_is_nan_with_a_warning(self, y):
        with pytest.warns(TrainingWarning, match=r"auc of [02] positive and [02] negative samples"):
            assert np.isnan(metrics.auc(y, [0.2, 0.7]))

    def test_auc_of_nan_is_nan(self):
        assert np.isnan(metrics.auc([0, 1], [np.nan, 0.7]))

    @EVERY_WEIGHT
    def test_r2_is_keras_s_and_scikit_learn_s(self, weights):
        y, p = SCORES, SCORES + RANDOM.normal(size=SCORES.shape)
        out = metrics.r2_score(y, p, weights)
        assert out == pytest.approx(sklearn.r2_score(y, p, sample_weight=weights), rel=1e-13)
        theirs = keras.metrics.R2Score()
        assert out == pytest.approx(float(by_keras(theirs, y, p, weights)), rel=1e-6)
        one = metrics.r2_score(y[:, 0], p[:, 0], weights)
        expected = sklearn.r2_score(y[:, 0], p[:, 0], sample_weight=weights)
        assert one == pytest.approx(expected, rel=1e-13)

    def test_r2_keeps_its_digits_far_from_0(self):
        y = 1e8 + np.array([1.0, 2.0, 3.0])
        assert metrics.r2_score(y, y + np.array([0.0, 0.0, 1.0])) == pytest.approx(0.5, rel=1e-14)

    def test_r2_of_equal_targets_is_0(self):
        assert metrics.r2_score([2.0, 2.0], [2.0, 3.0]) == 0.0
        assert metrics.r2_score([2.0, 2.0], [2.0, 2.0]) == 0.0
        assert metrics.r2_score([[2.0, 1.0], [2.0, 2.0]], [[5.0, 1.0], [5.0, 2.0]]) == 0.5
        assert metrics.r2_score([2.0, 3.0], [2.0, 3.0], [0.0, 0.0]) == 0.0

    def test_losses_are_metrics(self):
        y, p = SCORES, CHANCES
        assert metrics.mean_absolute_error(y, p) == pytest.approx(
            sklearn.mean_absolute_error(y, p), rel=1e-14
        )
        assert metrics.mean_squared_error(y, p) == pytest.approx(
            sklearn.mean_squared_error(y, p), rel=1e-14
        )
        assert metrics.mean_squared_error is losses.mean_squared_error


ALL = {metrics.BY_NAME[name].__name__: metrics.BY_NAME[name] for name in metrics.BY_NAME}


class TestEmptyAndUnequal:
    @pytest.mark.parametrize("metric", ALL.values(), ids=ALL)
    def test_no_sample(self, metric):
        y_true = np.ones(0 if "sparse" in metric.__name__ else (0, 3))
        with pytest.raises(ShapeError, match=r"predictions of shape \(0, 3\)"):
            metric(y_true, np.ones((0, 3)))

    @pytest.mark.parametrize("metric", ALL.values(), ids=ALL)
    def test_other_shapes(self, metric):
        with pytest.raises(
            ShapeError, match=r"of shape \(4, 2\) for predictions of shape \(4, 3\)"
        ):
            metric(np.ones((4, 2)), np.ones((4, 3)))


class TestNames:
    @pytest.mark.parametrize(
        ("short", "full"),
        [
            ("acc", metrics.accuracy),
            ("AUC", metrics.auc),
            ("f1", metrics.f1_score),
            ("r2", metrics.r2_score),
            ("mae", losses.mean_absolute_error),
            ("mse", losses.mean_squared_error),
            ("huber", losses.huber),
        ],
    )
    def test_short_names_and_losses(self, short, full):
        assert metrics.get(short) is full

    @pytest.mark.parametrize(
        "name", sorted(set(metrics.__all__) - {"BY_NAME", "get", "confusion_matrix"})
    )
    def test_every_metric_has_its_name(self, name):
        assert metrics.get(name) is getattr(metrics, name)

    def test_functions_and_none_stay(self):
        assert metrics.get(None) is None
        assert metrics.get(metrics.confusion_matrix) is metrics.confusion_matrix

    def test_an_unknown_name(self):
        with pytest.raises(OptionError, match="metric 'acuracy'") as caught:
            metrics.get("acuracy")
        assert caught.value.instead == "'accuracy'"


class TestLabelsOfSigns:
    @pytest.mark.parametrize("name", ["accuracy", "binary_accuracy", "precision", "recall", "f1"])
    def test_count_by_the_sign_of_the_prediction(self, name):
        scores = RANDOM.normal(size=N)
        metric, signs = metrics.get(name), 2 * BINARY - 1
        expected = metric(BINARY, scores, threshold=0.0)
        assert metric(signs, scores) == metric(signs[:, None], scores[:, None]) == expected
        assert metric(signs, BINARY_CHANCES, threshold=0.7) == metric(
            BINARY, BINARY_CHANCES, threshold=0.7
        )

    @pytest.mark.parametrize(("loss", "activation"), [("hinge", None), ("mse", "tanh")])
    def test_in_a_training(self, loss, activation):
        set_seed(0)
        x = RANDOM.normal(size=(N, 3))
        signs = np.sign(x @ [1.0, -2.0, 0.5] + 0.3 * RANDOM.normal(size=N))
        model = Sequential([Dense(1, activation)])
        model.compile(Adam(0.05), loss, metrics=["accuracy"])
        model.fit(x, signs[:, None], epochs=20, verbose=0)
        found = model.evaluate(x, signs[:, None])[1]
        assert found == np.mean(np.sign(model.predict(x))[:, 0] == signs) > 0.8

    @pytest.mark.parametrize(
        ("y", "fix"), [([-3.6, 4.6], '"mae"'), ([0.0, 255.0], "y_true / 255"), ([0, 2], '"mae"')]
    )
    def test_targets_that_are_no_classes(self, y, fix):
        match = f"accuracy of targets from {y[0]:g} to {y[1]:g}"
        with pytest.warns(TrainingWarning, match=match) as caught:
            metrics.accuracy(y, [0.2, 0.7])
        assert fix in str(caught[0].message)
