"""Losses at the extremes: outputs that saturate, large and small errors, kinks."""

from functools import partial

import jax
import numpy as np
import pytest

from autograd_core import (
    Primitive,
    Value,
    check_gradients,
    grad,
    sigmoid,
    softmax,
    value_and_grad,
)
from nn import losses
from tests.keras_oracle import as_numpy, keras

RANDOM = np.random.default_rng(0)


class TestExtremes:
    """Outputs that saturate: exact values and gradients, where probabilities are 0 or 1."""

    logits = np.array([[1e4, 0.0, -1e4], [-1e4, 1e4, 0.0], [0.0, 0.0, 0.0]])
    third = np.log(3)

    def of_softmax(self, loss, y_true):
        loss = partial(loss, y_true, reduction="sum")
        return [
            value_and_grad(lambda z: loss(z, from_logits=True))(self.logits),
            value_and_grad(lambda z: loss(softmax(z)))(self.logits),
            value_and_grad(lambda z: loss(softmax(z, axis=1)))(self.logits),
        ]

    def test_sparse_categorical(self):
        for out, gradient in self.of_softmax(losses.sparse_categorical_crossentropy, [2, 1, 0]):
            assert out == pytest.approx(2e4 + self.third, rel=1e-15)
            expected = [[1, 0, -1], [0, 0, 0], [-2 / 3, 1 / 3, 1 / 3]]
            np.testing.assert_allclose(gradient, expected, atol=1e-15)

    def test_categorical(self):
        y_true = np.eye(3)[[2, 1, 0]]
        for out, gradient in self.of_softmax(losses.categorical_crossentropy, y_true):
            assert out == pytest.approx(2e4 + self.third, rel=1e-15)
            np.testing.assert_allclose(gradient, softmax(self.logits) - y_true, atol=1e-15)

    def test_a_masked_class_costs_nothing(self):
        logits = np.array([[0.0, -np.inf, 0.0]])
        loss = partial(losses.sparse_categorical_crossentropy, [0], from_logits=True)
        out, gradient = value_and_grad(loss)(logits)
        assert out == pytest.approx(np.log(2))
        np.testing.assert_allclose(gradient, [[-0.5, 0, 0.5]])

    def test_kl_divergence(self):
        y_true = np.full((1, 2), 0.5)
        logits = np.array([[1e4, 0.0]])
        out, gradient = value_and_grad(lambda z: losses.kl_divergence(y_true, softmax(z)))(logits)
        assert out == pytest.approx(5000 - np.log(2))
        np.testing.assert_allclose(gradient, [[0.5, -0.5]])

    @pytest.mark.parametrize("y", [0, 1, 0.25, 0.75])
    def test_binary(self, y):
        logits, y_true = np.array([1e4, -1e4, 0.0]), np.full(3, y)
        expected = [1e4 * (1 - y), 1e4 * y, np.log(2)]
        for loss in (
            partial(losses.binary_crossentropy, y_true, from_logits=True),
            lambda z, **options: losses.binary_crossentropy(y_true, sigmoid(z), **options),
        ):
            np.testing.assert_allclose(loss(Value(logits), reduction="none").data, expected)
            gradient = grad(partial(loss, reduction="sum"))(logits)
            np.testing.assert_allclose(gradient, [1 - y, -y, 0.5 - y], atol=1e-15)

    @pytest.mark.parametrize(("y", "z"), [(1, 40.0), (0, -40.0)])
    def test_small_binary_losses_keep_their_digits(self, y, z):
        loss = partial(losses.binary_crossentropy, np.array([y]), from_logits=True)
        out, gradient = value_and_grad(loss)(np.array([z]))
        assert out == pytest.approx(np.exp(-40), rel=1e-12)
        assert abs(gradient[0]) == pytest.approx(np.exp(-40), rel=1e-12)

    def test_a_saturated_output_of_one_s_own_is_clipped_as_in_keras(self):
        p, y = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
        for ours, theirs in (
            (losses.binary_crossentropy, keras.losses.binary_crossentropy),
            (losses.categorical_crossentropy, keras.losses.categorical_crossentropy),
            (losses.kl_divergence, keras.losses.kl_divergence),
        ):
            expected = as_numpy(theirs(y, p))[0]  # in float32, where it takes a mean
            assert ours(y, p) == pytest.approx(expected, rel=1e-7)
        sparse = losses.sparse_categorical_crossentropy([0], p)
        assert sparse == pytest.approx(-np.log(1e-7), rel=1e-12)

    def test_rows_are_divided_by_their_sum_as_in_keras(self):
        p, y = np.array([[0.33, 0.33, 0.33]]), np.eye(3)[:1]
        assert losses.categorical_crossentropy(y, p) == pytest.approx(np.log(3), rel=1e-14)

    def test_softmax_over_another_axis_is_no_output_of_rows(self):
        z = RANDOM.normal(size=(2, 2))
        p = softmax(Value(z), axis=0)
        with pytest.warns(UserWarning, match="rows do not sum to 1"):
            out = losses.categorical_crossentropy(np.eye(2), p)
        expected = keras.losses.CategoricalCrossentropy()(np.eye(2), p.data)
        assert out.data == pytest.approx(float(expected))

    def test_one_s_own_argument_is_differentiated_even_if_softmax_made_it(self):
        p = softmax(Value([[1.0, 2.0]]))
        gradient = grad(lambda p: losses.sparse_categorical_crossentropy([0], p))(p)
        expected = grad(lambda p: losses.sparse_categorical_crossentropy([0], p))(p.data)
        np.testing.assert_allclose(gradient.data, expected)

    def test_second_derivatives_through_softmax_and_sigmoid(self):
        z = RANDOM.normal(size=(3, 4))
        check_gradients(lambda z: losses.sparse_categorical_crossentropy([0, 1, 3], softmax(z)), z)
        y = softmax(RANDOM.normal(size=(3, 4)))
        check_gradients(lambda z: losses.kl_divergence(y, softmax(z)), z)
        check_gradients(lambda z: losses.binary_crossentropy(np.eye(3, 4), sigmoid(z)), z)

    @pytest.mark.parametrize("size", [1e4, 1e-3])
    def test_losses_of_large_and_small_errors(self, size):
        y_true, y_pred = np.zeros(2), np.array([size, -size])
        assert losses.huber(y_true, y_pred) == pytest.approx(
            size - 0.5 if size > 1 else size**2 / 2, rel=1e-14
        )
        assert losses.log_cosh(y_true, y_pred) == pytest.approx(
            size - np.log(2) if size > 1 else size**2 / 2, rel=1e-6
        )

    def test_rows_of_zeros_have_no_direction(self):
        loss = partial(losses.cosine_similarity, [[1.0, 0.0]])
        out, gradient = value_and_grad(loss)(np.zeros((1, 2)))
        assert out == 0.0
        assert np.isfinite(gradient).all()
        assert losses.cosine_similarity([[0.0, 0.0]], [[1.0, 2.0]]) == 0.0


class TestKinks:
    def test_huber_at_delta(self):
        gradient = grad(lambda e: losses.huber(np.zeros(4), e, reduction="sum"))
        np.testing.assert_allclose(gradient(np.array([-2.0, -1.0, 1.0, 2.0])), [-1, -1, 1, 1])

    def test_hinge_at_the_margin_is_keras_s(self):
        y = np.ones((1, 1))
        expected = jax.grad(lambda p: keras.losses.Hinge()(y, p))(y)
        assert grad(partial(losses.hinge, y))(y) == expected


class TestPrimitivesOfOnesOwn:
    """Losses compute from logits where the library's sigmoid or softmax was applied to them."""

    logits, hot = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]]), np.eye(3)[[2, 0]]

    def test_one_named_sigmoid_gives_the_probabilities_it_computed(self):
        def forward(x):
            return 1 / (1 + np.exp(-3 * x))

        steep = Primitive("sigmoid", forward, lambda g, out, x: 3 * g * out * (1 - out))
        x, y = self.logits[:, 0], np.array([1.0, 0.0])
        p = forward(x)
        expected = as_numpy(keras.losses.binary_crossentropy(y, p))
        assert losses.binary_crossentropy(y, steep(Value(x))).data == pytest.approx(expected)
        found = grad(lambda x: losses.binary_crossentropy(y, steep(x)))(x)
        np.testing.assert_allclose(found, 3 * (p - y) / 2, rtol=1e-6)

    def test_one_named_softmax_gives_the_probabilities_it_computed(self):
        flat = Primitive("softmax", lambda x: softmax(x / 2), lambda g, out, x: g)
        p = softmax(self.logits / 2)
        for loss, y in (
            (losses.categorical_crossentropy, self.hot),
            (losses.sparse_categorical_crossentropy, np.array([2, 0])),
            (losses.kl_divergence, self.hot),
        ):
            expected = np.mean(as_numpy(getattr(keras.losses, loss.__name__)(y, p)))
            assert loss(y, flat(Value(self.logits))).data == pytest.approx(expected, rel=1e-6)
