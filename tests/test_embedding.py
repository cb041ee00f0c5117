"""Embedding, against Keras."""

import jax
import numpy as np
import pytest

from autograd_core import DataError, OptionError, ShapeError, Value, check_gradients
from nn.layers import GRU, Dense, Embedding
from nn.networks import Sequential
from tests.keras_oracle import as_keras, as_numpy, keras

WORDS = np.array([[1, 4, 4], [0, 4, 2]])


def built(*args, **options):
    layer = Embedding(*args, **options)
    layer([0])
    return layer


def test_equals_keras_with_gradients_where_numbers_repeat():
    layer = built(6, 3)
    theirs = keras.layers.Embedding(6, 3)
    theirs.build()
    weigh = np.cos(np.arange(18)).reshape(2, 3, 3)

    def loss(weight):
        out, _ = theirs.stateless_call([weight], [], as_keras(WORDS))
        return (out * weigh).sum(), out

    run = jax.value_and_grad(loss, has_aux=True)
    (_, expected), gradient = run(as_keras(layer.weight.data))
    out = layer(WORDS)
    (out * weigh).sum().backward()
    np.testing.assert_array_equal(out.data, as_numpy(expected))
    np.testing.assert_allclose(layer.weight.grad, as_numpy(gradient), rtol=1e-14)


def test_derivatives_to_second_order():
    layer = built(6, 2)

    def run(weight):
        vars(layer)["weight"] = weight  # as a function of others
        return layer(WORDS) ** 3

    check_gradients(run, layer.weight.data)


@pytest.mark.parametrize(
    "words", [WORDS, WORDS.tolist(), WORDS.astype(np.uint8), WORDS.astype(float), Value(WORDS)]
)
def test_takes_whole_numbers_of_any_type(words):
    layer = built(6, 3)
    assert (layer(words).data == layer.weight.data[WORDS]).all()
    assert layer(words).data.dtype == np.float64


def test_takes_the_type_of_floats_that_come_first():
    layer = Embedding(6, 3)
    assert layer(WORDS.astype(np.float32)).dtype == np.float32
    assert layer(WORDS).dtype == layer.weight.dtype == np.float32
    assert built(6, 3).weight.dtype == np.float64
    layer = Embedding(6, 3)
    layer.build((4,))
    assert layer.weight.dtype == np.float32


def test_takes_single_numbers_and_sequences_of_any_length():
    layer = built(6, 3)
    assert layer([5, 5]).shape == (2, 3)
    assert layer.input_shape == ()
    assert layer(WORDS).shape == (2, 3, 3)
    assert layer(WORDS[:, :1]).shape == (2, 1, 3)
    assert (layer.input_shape, layer.output_shape) == ((1,), (1, 3))


def test_starts_as_in_keras():
    weight = built(100, 20).weight.data
    assert 0.049 < abs(weight).max() <= 0.05
    assert abs(weight.mean()) < 0.003


def test_weights_are_regularized_and_constrained():
    layer = built(
        6,
        3,
        embeddings_initializer="ones",
        embeddings_regularizer=lambda w: (w * 2.0).sum(),
        embeddings_constraint=lambda w: w * 0.5,
    )
    assert layer.penalty().data == 36.0
    layer.constrain()
    assert set(layer.weight.data.ravel()) == {0.5}
    assert list(layer.state_dict()) == ["weight"]


def test_masks_zeros():
    layer = Embedding(6, 3, mask_zero=True)
    assert layer.output_mask(WORDS, None).tolist() == [[True, True, True], [False, True, True]]
    assert layer.output_mask(WORDS.tolist(), None).sum() == 5
    assert layer.output_mask(Value(WORDS), None).sum() == 5
    assert Embedding(6, 3).output_mask(WORDS, None) is None


def test_layers_behind_skip_zeros():
    model = Sequential([Embedding(6, 3, mask_zero=True), GRU(4), Dense(1)])
    padded = np.array([[0, 3, 0, 5, 0]])
    np.testing.assert_allclose(model(padded).data, model([[3, 5]]).data, rtol=1e-14)


class TestErrors:
    @pytest.mark.parametrize(
        ("words", "named"),
        [
            ([6], "6"),
            ([[1, -1]], "-1"),
            ([1.5], "1.5"),
            ([np.nan], "nan"),
            ([np.inf], "inf"),
            ([2**40], "1.09951e[+]12"),
        ],
    )
    def test_numbers_without_a_row(self, words, named):
        layer = Embedding(6, 3)
        message = f"^{named} as an index of Embedding.*\n.*rows 0 to 5.*\n.*larger input_dim"
        with pytest.raises(DataError, match=message):
            layer(words)
        assert layer.parameters() == []
        layer = built(6, 3)
        with pytest.raises(DataError, match=message):
            layer(words)
        assert layer.input_shape == ()

    def test_no_batch(self):
        with pytest.raises(ShapeError, match=r"input of shape \(\) for Embedding.*\n.*\n.*\[x\]"):
            Embedding(6, 3)(2)

    def test_sizes_below_one(self):
        with pytest.raises(OptionError, match="input_dim=0"):
            Embedding(0, 3)
        with pytest.raises(OptionError, match="output_dim=0"):
            Embedding(6, 0)
