"""Losses beside Keras's: values, gradients, options; reductions, shapes, types, messages."""

from functools import partial

import jax
import numpy as np
import pytest

from autograd_core import (
    OptionError,
    ShapeError,
    Value,
    check_gradients,
    grad,
    softmax,
    value_and_grad,
)
from nn import losses
from tests.keras_oracle import keras

RANDOM = np.random.default_rng(0)
SHAPES = [(5, 3), (4, 6, 3)]
# Keras takes means in float32, whatever it is given
PRECISION = {"rtol": 5e-7, "atol": 1e-7}
REDUCTIONS = {"mean": "sum_over_batch_size", "sum": "sum", "none": "none"}


def numbers(shape):
    return RANDOM.normal(size=shape), RANDOM.normal(size=shape)


def positive(shape):
    return RANDOM.uniform(0.5, 2, shape), RANDOM.uniform(0.5, 2, shape)


def labels(shape):
    return RANDOM.integers(0, 2, shape), RANDOM.normal(size=shape)


def minus_one_or_one(shape):
    return 2 * RANDOM.integers(0, 2, shape) - 1, RANDOM.normal(size=shape)


def chances(shape):
    return RANDOM.integers(0, 2, shape), RANDOM.uniform(0.01, 0.99, shape)


def soft_labels(shape):
    return RANDOM.uniform(0, 1, shape), 3 * RANDOM.normal(size=shape)


def one_hot(shape):
    return np.eye(shape[-1])[RANDOM.integers(0, shape[-1], shape[:-1])]


def classes(shape):
    return one_hot(shape), 3 * RANDOM.normal(size=shape)


def class_chances(shape):
    return one_hot(shape), softmax(RANDOM.normal(size=shape))


def distributions(shape):
    return softmax(RANDOM.normal(size=shape)), softmax(RANDOM.normal(size=shape))


def numbered(shape):
    return RANDOM.integers(0, shape[-1], shape[:-1]), 3 * RANDOM.normal(size=shape)


def numbered_chances(shape):
    return RANDOM.integers(0, shape[-1], shape[:-1]), softmax(RANDOM.normal(size=shape))


L, K = losses, keras.losses
LOGITS, SMOOTH = {"from_logits": True}, {"label_smoothing": 0.2}
CASES = [
    (L.mean_squared_error, K.MeanSquaredError, {}, numbers),
    (L.mean_absolute_error, K.MeanAbsoluteError, {}, numbers),
    (L.mean_absolute_percentage_error, K.MeanAbsolutePercentageError, {}, numbers),
    (L.mean_squared_logarithmic_error, K.MeanSquaredLogarithmicError, {}, positive),
    (L.mean_squared_logarithmic_error, K.MeanSquaredLogarithmicError, {}, numbers),
    (L.huber, K.Huber, {}, numbers),
    (L.huber, K.Huber, {"delta": 0.3}, numbers),
    (L.log_cosh, K.LogCosh, {}, numbers),
    (L.poisson, K.Poisson, {}, positive),
    (L.cosine_similarity, K.CosineSimilarity, {}, numbers),
    (L.hinge, K.Hinge, {}, labels),
    (L.hinge, K.Hinge, {}, minus_one_or_one),
    (L.squared_hinge, K.SquaredHinge, {}, labels),
    (L.squared_hinge, K.SquaredHinge, {}, minus_one_or_one),
    (L.categorical_hinge, K.CategoricalHinge, {}, classes),
    (L.categorical_hinge, K.CategoricalHinge, {}, minus_one_or_one),
    (L.binary_crossentropy, K.BinaryCrossentropy, {}, chances),
    (L.binary_crossentropy, K.BinaryCrossentropy, SMOOTH, chances),
    (L.binary_crossentropy, K.BinaryCrossentropy, LOGITS, labels),
    (L.binary_crossentropy, K.BinaryCrossentropy, LOGITS, soft_labels),
    (L.binary_crossentropy, K.BinaryCrossentropy, LOGITS | SMOOTH, labels),
    (L.categorical_crossentropy, K.CategoricalCrossentropy, {}, class_chances),
    (L.categorical_crossentropy, K.CategoricalCrossentropy, {}, distributions),
    (L.categorical_crossentropy, K.CategoricalCrossentropy, SMOOTH, class_chances),
    (L.categorical_crossentropy, K.CategoricalCrossentropy, LOGITS, classes),
    (L.categorical_crossentropy, K.CategoricalCrossentropy, LOGITS | SMOOTH, classes),
    (L.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, {}, numbered_chances),
    (L.sparse_categorical_crossentropy, K.SparseCategoricalCrossentropy, LOGITS, numbered),
    (L.kl_divergence, K.KLDivergence, {}, distributions),
]


def name(case):
    loss, _, options, data = case
    return "-".join([loss.__name__, *options, data.__name__])


every_loss = pytest.mark.parametrize(
    ("ours", "theirs", "options", "data"), CASES, ids=[name(case) for case in CASES]
)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


@every_loss
@every_shape
def test_values_are_keras_s(ours, theirs, options, data, shape):
    y_true, y_pred = data(shape)
    for weights in (None, RANDOM.uniform(0, 2, shape[:-1])):
        for reduction, name in REDUCTIONS.items():
            expected = theirs(reduction=name, **options)(y_true, y_pred, sample_weight=weights)
            for prediction in (y_pred, Value(y_pred)):
                out = ours(y_true, prediction, weights, reduction, **options)
                assert type(out) is (Value if prediction is not y_pred else type(out))
                np.testing.assert_allclose(
                    out.data if isinstance(out, Value) else out, expected, **PRECISION
                )


@every_loss
@every_shape
def test_gradients_are_keras_s(ours, theirs, options, data, shape):
    y_true, y_pred = data(shape)
    weights = RANDOM.uniform(0, 2, shape[:-1])
    loss = theirs(**options)
    expected = jax.jit(jax.grad(lambda y_pred: loss(y_true, y_pred, weights)))(y_pred)
    out = grad(lambda y_pred: ours(y_true, y_pred, weights, **options))(y_pred)
    np.testing.assert_allclose(out, expected, **PRECISION)


@every_loss
def test_second_derivatives(ours, theirs, options, data):
    y_true, y_pred = data((2, 3))
    check_gradients(partial(ours, y_true, **options), y_pred, rtol=1e-5, atol=1e-6)


@every_loss
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_float32_stays_float32(ours, theirs, options, data, reduction):
    y_true, y_pred = data((4, 3))
    prediction = Value(y_pred.astype(np.float32))
    out = ours(y_true, prediction, np.ones(4), reduction, **options)
    total, gradient = value_and_grad(lambda p: np.sum(ours(y_true, p, np.ones(4), **options)))(
        prediction.data
    )
    assert type(total) is float
    assert gradient.dtype == np.float32
    if reduction == "none":
        assert out.dtype == np.float32
    else:
        assert type(out.data) is float
    np.testing.assert_allclose(
        out.data, ours(y_true, y_pred, None, reduction, **options), rtol=1e-5, atol=1e-5
    )


class TestReduction:
    y_true, y_pred = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 4.0], [3.0, 0.0]])

    def test_mean_divides_by_samples_whatever_their_weights(self):
        mse = partial(losses.mean_squared_error, self.y_true, self.y_pred)
        assert mse(reduction="none").tolist() == [2.0, 8.0]
        assert mse() == 5.0
        assert mse(sample_weight=[1.0, 0.0]) == 1.0
        assert mse(reduction="sum") == 10.0
        assert mse([0.5, 1.0], "sum") == 9.0
        assert mse([0.5, 1.0], "none").tolist() == [1.0, 8.0]

    @pytest.mark.parametrize("weights", [2.0, [2.0], [2.0, 2.0], [[2.0], [2.0]], [[2.0]]])
    def test_weights_are_one_number_or_one_for_each_sample(self, weights):
        assert losses.mean_squared_error(self.y_true, self.y_pred, weights) == 10.0

    def test_weights_of_steps(self):
        y_true, y_pred = numbers((4, 6, 3))
        steps = RANDOM.uniform(0, 1, (4, 6))
        each = np.mean((y_true - y_pred) ** 2, -1)
        for weights in (steps, steps[:, :1], steps[:, 0], steps[..., None], Value(steps)):
            full = (weights.data if isinstance(weights, Value) else weights).reshape(4, -1)
            out = losses.mean_squared_error(y_true, y_pred, weights, "none")
            np.testing.assert_allclose(out, each * full)

    def test_one_weight_a_sample_even_if_there_are_as_many_steps(self):
        y_true, y_pred = numbers((3, 3, 2))
        out = losses.mean_squared_error(y_true, y_pred, [1.0, 0.0, 0.0], "none")
        assert (out[0] > 0).all()
        assert (out[1:] == 0).all()

    @pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 1, 1), (0,)])
    def test_weights_of_another_shape(self, shape):
        with pytest.raises(ShapeError, match=r"sample weights .* for losses of shape \(2,\)"):
            losses.mean_squared_error(self.y_true, self.y_pred, np.ones(shape))

    @pytest.mark.parametrize("reduction", ["average", None, "sum_over_batch_size"])
    def test_another_reduction(self, reduction):
        with pytest.raises(OptionError, match=f"reduction {reduction!r}") as caught:
            losses.mean_squared_error(self.y_true, self.y_pred, None, reduction)
        assert caught.value.instead == '"mean", "sum" or "none"'

    def test_n_numbers_are_n_samples(self):
        y_true, y_pred = numbers(5)
        for loss in (losses.mean_squared_error, losses.hinge, losses.binary_crossentropy):
            loss = partial(loss, **({"from_logits": True} if "binary" in loss.__name__ else {}))
            y = (y_true > 0).astype(float)
            column = loss(y[:, None], y_pred[:, None], y_true**2, "none")
            np.testing.assert_allclose(loss(y, y_pred, y_true**2, "none"), column)
            assert loss(y, y_pred) == pytest.approx(np.mean(loss(y, y_pred, None, "none")))

    def test_single_numbers(self):
        assert losses.mean_squared_error(1.0, 3.0) == 4.0
        out, gradient = value_and_grad(partial(losses.mean_squared_error, 1.0))(3.0)
        assert (out, gradient) == (4.0, 4.0)
        assert losses.mean_squared_error(1.0, Value(3.0), reduction="none").data == 4.0

    def test_plain_data_give_plain_numbers(self):
        for reduction in ("mean", "sum"):
            out = losses.mean_squared_error(self.y_true, self.y_pred, reduction=reduction)
            assert type(out) is float

    def test_a_mean_is_one_sum_and_one_division(self):
        def operations(value):
            first = [x for x in value.inputs if isinstance(x, Value)][:1]
            return [*operations(first[0]), value.primitive.name] if first else []

        crossentropy = partial(losses.sparse_categorical_crossentropy, from_logits=True)
        for shape in ((2, 3), (2, 4, 3)):
            x, y = Value(np.zeros(shape)), np.zeros(shape[:-1], int)
            names = operations(losses.mean_squared_error(np.ones(shape), x))
            assert names == ["subtract", "square", "sum", "divide"]
            names = operations(crossentropy(y, x))
            assert names == ["log_softmax", "getitem", "sum", "divide"]
            names = operations(crossentropy(y, x, [1.0, 2.0]))
            assert names == ["log_softmax", "getitem", "where", "multiply", "sum", "divide"]


class TestHalfForm:
    def test_is_the_sum_of_squares_by_2n(self):
        y_true, y_pred = numbers(7)
        out, gradient = value_and_grad(partial(losses.half_mean_squared_error, y_true))(y_pred)
        assert out == pytest.approx(np.sum((y_pred - y_true) ** 2) / 14, rel=1e-14)
        np.testing.assert_allclose(gradient, (y_pred - y_true) / 7, rtol=1e-14)

    @pytest.mark.parametrize("reduction", REDUCTIONS)
    def test_is_half_of_mean_squared_error(self, reduction):
        y_true, y_pred = numbers((4, 3))
        weights = np.arange(4.0)
        half = losses.half_mean_squared_error(y_true, y_pred, weights, reduction)
        whole = losses.mean_squared_error(y_true, y_pred, weights, reduction)
        np.testing.assert_allclose(2 * half, whole)


class TestNames:
    @pytest.mark.parametrize("case", CASES, ids=name)
    def test_every_loss_has_its_name_and_keras_the_same(self, case):
        ours = case[0]
        assert losses.get(ours.__name__) is ours
        assert keras.losses.get(ours.__name__) is getattr(keras.losses, ours.__name__)

    @pytest.mark.parametrize(
        ("short", "full"),
        {
            "mse": "mean_squared_error",
            "MSE": "mean_squared_error",
            "mae": "mean_absolute_error",
            "mape": "mean_absolute_percentage_error",
            "msle": "mean_squared_logarithmic_error",
            "bce": "binary_crossentropy",
            "kld": "kl_divergence",
            "KLD": "kl_divergence",
            "logcosh": "log_cosh",
            "kullback_leibler_divergence": "kl_divergence",
        }.items(),
    )
    def test_short_names(self, short, full):
        assert losses.get(short) is losses.get(full) is getattr(losses, full)

    def test_functions_and_none_stay(self):
        assert losses.get(None) is None
        assert losses.get(abs) is abs

    def test_an_unknown_name(self):
        with pytest.raises(OptionError, match="loss 'mean_square_error'") as caught:
            losses.get("mean_square_error")
        assert caught.value.instead == "'mean_squared_error'"
