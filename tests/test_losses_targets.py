"""What losses take: types and shapes of targets and predictions, options; and what they refuse."""

import numpy as np
import pytest

from autograd_core import (
    DataError,
    OptionError,
    ShapeError,
    Value,
    check_gradients,
    grad,
    softmax,
)
from nn import losses

RANDOM = np.random.default_rng(0)


class TestTargets:
    def test_may_be_values_with_derivatives_of_their_own(self):
        y, p = softmax(RANDOM.normal(size=(2, 3))), softmax(RANDOM.normal(size=(2, 3)))
        check_gradients(losses.mean_squared_error, y, p)
        check_gradients(lambda y, p: losses.binary_crossentropy(y, p, from_logits=True), y, p)
        hard = np.array([0.0, 1.0])
        gradient = grad(lambda y: losses.binary_crossentropy(y, [3.0, 3.0], from_logits=True))(hard)
        np.testing.assert_allclose(gradient, [-1.5, -1.5])

    @pytest.mark.parametrize("kind", [np.int64, np.uint8, bool, np.float32, list])
    def test_of_any_type(self, kind):
        y = np.array([1, 0])
        y = y.tolist() if kind is list else y.astype(kind)
        p = Value(np.array([[0.5, 0.5], [0.25, 0.75]], np.float32))
        out = losses.sparse_categorical_crossentropy(y, p, reduction="none")
        assert out.dtype == np.float32
        np.testing.assert_allclose(out.data, -np.log([0.5, 0.25]), rtol=1e-6)
        assert losses.mean_squared_error(y, p[:, 0], reduction="none").dtype == np.float32

    def test_class_numbers_may_be_a_column(self):
        p = softmax(RANDOM.normal(size=(3, 4)))
        column = losses.sparse_categorical_crossentropy([[0], [3], [1]], p)
        assert column == losses.sparse_categorical_crossentropy([0, 3, 1], p)

    def test_values_need_a_graph(self):
        with pytest.raises(DataError, match="a list that holds Values"):
            losses.mean_squared_error([1.0, 2.0], [Value(1.0), Value(2.0)])
        with pytest.raises(DataError, match="of type"):
            losses.mean_squared_error(["a"], [1.0])


class TestShapes:
    @pytest.mark.parametrize("loss", [losses.mean_squared_error, losses.hinge])
    def test_each_prediction_has_a_target(self, loss):
        match = r"targets of shape \(4, 3\) for predictions of shape \(4, 2\)"
        with pytest.raises(ShapeError, match=match) as caught:
            loss(np.ones((4, 3)), np.ones((4, 2)))
        assert caught.value.instead == "targets of shape (4, 2)"

    @pytest.mark.parametrize(
        ("true", "predicted"),
        [((4,), (3,)), ((), (1,)), ((1,), ()), ((4,), (3, 1)), ((4,), (1, 4))],
    )
    def test_nothing_else_is_paired(self, true, predicted):
        with pytest.raises(ShapeError, match="compared with its own target"):
            losses.mean_squared_error(np.ones(true), np.ones(predicted))

    def test_a_missing_last_axis_is_named(self):
        with pytest.raises(ShapeError) as caught:
            losses.mean_squared_error(np.ones((4, 5)), np.ones((4, 5, 1)))
        assert caught.value.instead == "y_true[..., None]"

    @pytest.mark.parametrize(
        "loss",
        [
            losses.categorical_crossentropy,
            losses.kl_divergence,
            losses.categorical_hinge,
            losses.cosine_similarity,
        ],
    )
    def test_targets_of_classes_are_rows(self, loss):
        with pytest.raises(ShapeError, match=r"targets of shape \(2,\)") as caught:
            loss([0, 1], np.ones((2, 3)))
        assert "sparse_" in caught.value.instead
        with pytest.raises(ShapeError, match=r"predictions of shape \(3,\)") as caught:
            loss(np.ones(3), np.ones(3))
        assert "y_pred[None]" in caught.value.instead

    def test_class_numbers_are_no_rows(self):
        with pytest.raises(ShapeError, match=r"class numbers of shape \(2, 3\)") as caught:
            losses.sparse_categorical_crossentropy(np.eye(2, 3), np.ones((2, 3)))
        assert "y_true.argmax(-1)" in caught.value.instead
        with pytest.raises(ShapeError, match=r"class numbers of shape \(3,\)") as caught:
            losses.sparse_categorical_crossentropy([0, 1, 2], np.ones((2, 3)))
        assert caught.value.instead == "labels of shape (2,)"
        with pytest.raises(ShapeError, match="a row of its own"):
            losses.sparse_categorical_crossentropy(1, np.ones(3))

    @pytest.mark.parametrize("name", sorted({loss.__name__ for loss in losses.BY_NAME.values()}))
    def test_no_sample(self, name):
        loss = losses.get(name)
        y_true = np.ones(0 if "sparse" in name else (0, 3))
        with pytest.raises(ShapeError, match=r"predictions of shape \(0, 3\)"):
            loss(y_true, np.ones((0, 3)))


class TestOptions:
    def test_delta(self):
        with pytest.raises(OptionError, match=r"delta = -1\.0"):
            losses.huber([1.0], [2.0], delta=-1.0)

    @pytest.mark.parametrize("loss", [losses.binary_crossentropy, losses.categorical_crossentropy])
    def test_label_smoothing(self, loss):
        with pytest.raises(OptionError, match="label_smoothing = 2"):
            loss([[0, 1]], [[0.5, 0.5]], label_smoothing=2)
