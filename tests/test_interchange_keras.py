"""Keras's models as ours: equal outputs, and the same weights on the way back."""

import re
import sys
from functools import partial

import numpy as np
import pytest

import nn
from autograd_core import MissingPackageError, OptionError, UnsupportedError
from nn import activations
from nn.interchange import from_keras, keras_weights
from tests.keras_oracle import as_numpy, keras

CLOSE = {"rtol": 1e-10, "atol": 1e-12}
rng = np.random.default_rng(7)
L = keras.layers


def sequential(shape, *layers):
    """Return a Keras model with weights that nobody would have guessed."""
    model = keras.Sequential([keras.Input(shape), *layers])
    model.set_weights([rng.uniform(0.1, 0.9, array.shape) for array in model.get_weights()])
    return model


def check(model, words=0, width=None):
    """Assert that outputs are equal, and that keras_weights gives what Keras has."""
    shape = (3, *[n or width for n in model.input_shape[1:]])
    x = rng.integers(0, words, shape) if words else rng.normal(size=shape)
    ours = from_keras(model)
    ours.eval()
    np.testing.assert_allclose(ours(x).data, as_numpy(model(x, training=False)), **CLOSE)
    arrays = keras_weights(ours)
    assert len(arrays) == len(model.get_weights())
    for own, theirs in zip(arrays, model.get_weights(), strict=True):
        np.testing.assert_array_equal(own, theirs)
        assert own.shape == theirs.shape
    return ours


# Layers


def test_dense_layers():
    ours = check(sequential((6,), L.Dense(4, "relu"), L.Dense(3, "softmax", use_bias=False)))
    assert [type(layer).__name__ for layer in ours.layers] == ["Dense", "Dense"]
    assert ours.layers[0].activation is activations.relu
    assert not ours.layers[1].use_bias


def test_a_single_layer_stays_one():
    layer = L.Dense(2)
    layer.build((None, 3))
    x = rng.normal(size=(4, 3))
    ours = from_keras(layer)
    assert isinstance(ours, nn.Dense)
    np.testing.assert_allclose(ours(x).data, np.asarray(layer(x)), rtol=1e-12)


@pytest.mark.parametrize(
    "options", [{}, {"scale": False}, {"center": False}, {"scale": False, "center": False}]
)
def test_normalization_with_its_statistics(options):
    layers = L.BatchNormalization(momentum=0.8, **options), L.LayerNormalization(**options)
    ours = check(sequential((5,), *layers, L.Dense(2)))
    assert ours.layers[0].momentum == 0.8


def test_an_axis_counted_from_the_start():
    check(sequential((4, 4, 3), L.BatchNormalization(axis=3), L.LayerNormalization(axis=3)))


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_images(padding):
    layers = [
        *(L.Conv2D(4, 3, padding=padding), L.MaxPooling2D(3, 2, padding)),
        *(L.Conv2D(3, (2, 1), strides=(1, 2), padding=padding), L.AveragePooling2D(2, 1, padding)),
        *(L.Conv2D(3, 2, dilation_rate=2, padding="same"), L.PReLU(shared_axes=[1, 2])),
    ]
    check(sequential((11, 11, 2), *layers, L.Flatten(), L.Dense(3)))
    check(sequential((11, 11, 2), *layers, L.GlobalAveragePooling2D(keepdims=True)))


def test_images_of_any_size():
    model = sequential((None, None, 2), L.Conv2D(4, 3), L.GlobalAveragePooling2D())
    assert check(model, width=7).layers[0].weight.shape == (4, 2, 3, 3)


def test_signals_and_shapes():
    check(sequential((9, 2), L.Conv1D(4, 3, padding="causal", strides=2), L.Reshape((4, -1))))


def test_slopes_of_features():
    check(sequential((4,), L.PReLU(alpha_regularizer="l2"), L.Dense(2)))


@pytest.mark.parametrize("kind", [L.SimpleRNN, L.LSTM, L.GRU, partial(L.GRU, reset_after=False)])
def test_recurrent_layers(kind):
    check(
        sequential(
            (5, 2),
            kind(4, return_sequences=True, dropout=0.2, activation="softsign"),
            L.Bidirectional(kind(3), merge_mode="ave"),
            L.Reshape((3, 1)),
            kind(3, go_backwards=True, use_bias=False),
        )
    )


def test_words_with_a_mask():
    layers = [
        L.Embedding(7, 3, mask_zero=True),
        L.LSTM(4, return_sequences=True),
        L.Bidirectional(L.GRU(2, return_sequences=True)),
    ]
    check(sequential((5,), *layers), words=7)


@pytest.mark.parametrize(
    "layer",
    [
        *(L.ReLU(), L.ReLU(6), L.ReLU(negative_slope=0.3), L.LeakyReLU(), L.ELU(0.5)),
        L.ReLU(2.0, negative_slope=0.1, threshold=0.5),
        *(L.Softmax(), L.Softmax(axis=1), L.Dropout(0.3), L.GaussianNoise(0.1), L.RandomFlip()),
        *(L.RandomRotation(0.1), L.RandomTranslation(0.1, (-0.2, 0.1))),
        *[L.Activation(name) for name in activations.BY_NAME if hasattr(keras.activations, name)],
    ],
    ids=lambda layer: f"{layer.name}",
)
def test_layers_without_weights(layer):
    check(sequential((4, 4, 3), layer))


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        *[((6, 3), kind()) for kind in (L.MaxPooling1D, L.GlobalMaxPooling1D, L.ZeroPadding1D)],
        *(((6, 3), L.AveragePooling1D(3)), ((6, 3), L.GlobalAveragePooling1D(keepdims=True))),
        *(((6, 3), L.Permute((2, 1))), ((6,), L.RepeatVector(3))),
        ((6, 6, 3), L.ZeroPadding2D(((1, 0), (0, 2)))),
        ((6, 6, 3), L.GlobalMaxPooling2D()),
        ((2, 6, 6, 3), L.TimeDistributed(L.Conv2D(4, 3))),
        ((5, 3), L.TimeDistributed(L.Dense(4, "tanh"))),
    ],
    ids=lambda each: getattr(each, "name", None),
)
def test_layers_of_sequences_and_shapes(shape, layer):
    check(sequential(shape, layer))


def test_masking_skips_steps():
    model = sequential((4, 2), L.Masking(0.5), L.LSTM(3))
    x = rng.normal(size=(2, 4, 2))
    x[0, 2:] = 0.5
    ours = from_keras(model)
    np.testing.assert_allclose(ours(x).data, np.asarray(model(x)), rtol=1e-10)


def test_regularizers_and_constraints_come_along():
    layer = L.Dense(
        2,
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2),
        kernel_constraint=keras.constraints.MaxNorm(1.5),
        activity_regularizer="l2",
    )
    ours = from_keras(sequential((3,), layer)).layers[0]
    assert repr(ours.kernel_regularizer) == "L1L2(l1=0.1, l2=0.2)"
    assert repr(ours.kernel_constraint) == "MaxNorm(max_value=1.5)"
    assert repr(ours.activity_regularizer) == "L2()"


NORM = keras.constraints.MaxNorm


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((5, 4), lambda: L.Dense(3, kernel_constraint=NORM(1.0, axis=0))),
        ((5, 4), lambda: L.Dense(3, kernel_constraint=NORM(1.0, axis=-2), bias_constraint=NORM())),
        ((5, 4), lambda: L.Conv1D(3, 2, kernel_constraint=NORM(0.1, axis=[0, 1]))),
        ((5, 4), lambda: L.LSTM(3, kernel_constraint=NORM(0.1), recurrent_constraint=NORM(0.1))),
        ((5,), lambda: L.Embedding(7, 3, embeddings_constraint=NORM(0.01, axis=1))),
        ((4,), lambda: L.BatchNormalization(gamma_constraint=NORM(0.1))),
    ],
)
def test_constraints_hold_the_same_weights(shape, layer):
    theirs = sequential(shape, layer())
    ours = from_keras(theirs)
    ours.constrain()
    variables = [v for v in theirs.trainable_variables if v.constraint is not None]
    assert variables
    for variable in variables:
        variable.assign(variable.constraint(variable))
    pairs = zip(keras_weights(ours), theirs.get_weights(), strict=True)
    assert all(np.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in pairs)


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((4,), lambda: L.Dense(3, kernel_constraint=NORM(1.0, axis=1))),
        ((5, 4), lambda: L.Conv1D(3, 2, kernel_constraint=NORM(1.0))),
        ((5,), lambda: L.Embedding(7, 3, embeddings_constraint=NORM(1.0))),
        ((5, 4), lambda: L.GRU(3, bias_constraint=keras.constraints.UnitNorm())),
    ],
)
def test_constraints_over_other_axes_are_refused(shape, layer):
    with pytest.raises(UnsupportedError, match="over axis"):
        from_keras(sequential(shape, layer()))


def test_the_type_is_that_of_the_weights():
    layer = L.Dense(2, dtype="float32")
    layer.build((None, 3))
    assert from_keras(layer).weight.dtype == np.float32


# Models


def test_functional_chains_and_models_inside():
    x = keras.Input((4, 3))
    inner = keras.Sequential([keras.Input((4, 3)), L.Dense(2), L.Dense(3)])
    check(keras.Model(x, L.LSTM(2)(inner(L.Dropout(0.1)(x)))))


def test_a_sequential_of_ones_own_that_computes_as_it_does():
    class Own(keras.Sequential):
        def train_step(self, *data):
            return {}

    check(Own([keras.Input((4,)), L.Dense(2)]))


def test_a_functional_mask():
    x = keras.Input((4, 3))
    check(keras.Model(x, L.LSTM(2)(L.Masking()(x))))


def test_shapes_are_known_where_keras_knows_them():
    assert "(batch, 2, 2, 1)" in str(from_keras(sequential((4, 4, 1), L.MaxPooling2D())).summary())


def test_random_numbers_stay_as_they_are():
    nn.set_seed(3)
    expected = nn.randomness.generator().random()
    nn.set_seed(3)
    from_keras(sequential((3,), L.Dense(2)))
    assert nn.randomness.generator().random() == expected


def test_weights_go_to_keras():
    ours = nn.Sequential([nn.GRU(3, return_sequences=True), nn.Conv1D(2, 2)])
    ours.build((5, 2), np.float64)
    model = sequential((5, 2), L.GRU(3, return_sequences=True), L.Conv1D(2, 2))
    model.set_weights(keras_weights(ours))
    x = rng.normal(size=(2, 5, 2))
    np.testing.assert_allclose(np.asarray(model(x)), ours(x).data, rtol=1e-10)


# What does not exist here


def functional(function, shape=(4,)):
    x = keras.Input(shape)
    return keras.Model(x, function(x))


class Double(L.Layer):
    def call(self, x):
        return x * 2


class Doubled(keras.Sequential):
    def call(self, x, training=None, mask=None):
        return super().call(x) * 2


CONV = (4, 4, 2)
shared = L.Dense(4)
gru = L.GRU(3)
REFUSED = [
    (lambda: sequential(CONV, L.Flatten(), L.Dense(2), L.UnitNormalization()),
     "layer 2, 'unit_normalization.*', Keras's UnitNormalization\n.*there is no such layer here"),
    (lambda: sequential(CONV, Double()), "layer 0, 'double.*', Keras's Double\n.*no layer of"),
    (lambda: functional(
        lambda x: L.Add()([x, L.Dense(4)(x)])), "layer 2, 'add.*', Keras's Add\n"),
    (lambda: sequential(CONV, L.Conv2D(2, 3, groups=2)), "Keras's Conv2D, with groups=2"),
    (lambda: sequential(CONV, L.Conv2D(2, 1, data_format="channels_first")),
     "with data_format='channels_first'"),
    (lambda: sequential(CONV, L.Activation("glu")), "with the activation glu"),
    (lambda: sequential(CONV, L.LayerNormalization(axis=[1, 2])),
     r"Keras's LayerNormalization, with axis=\[1, 2\]\n.*a single axis"),
    (lambda: Doubled([keras.Input((4,)), L.Dense(2)]), "^the model, .*Keras's Doubled\n.*no layer"),
    (lambda: sequential(CONV, L.PReLU()), "Keras's PReLU\n.*slope.*\n.*shared_axes"),
    (lambda: sequential((5, 3), L.TimeDistributed(L.BatchNormalization())), "statistics"),
    (lambda: sequential((4,), L.Dense(2, kernel_regularizer="orthogonal_regularizer")),
     "with <keras.*OrthogonalRegularizer.*\n.*no such rule"),
    (lambda: functional(lambda x: L.Bidirectional(L.LSTM(2), merge_mode=None)(x)[0], (4, 2)),
     "with merge_mode=None"),
    (lambda: functional(lambda x: shared(shared(x))), "Keras's Dense\n.*called once"),
    (lambda: functional(lambda x: L.Dense(4)(x) * 2), "'multiply.*', Keras's Multiply\n"),
    (lambda: functional(lambda x: L.Dropout(0.1)(x, training=True)), "Keras's Dropout\n"),
    (lambda: functional(lambda x: gru(x, initial_state=L.Flatten()(x[:, :1])), (4, 3)),
     "Keras's GRU\n"),
    (lambda: functional(lambda x: [L.Dense(1)(x), L.Dense(2)(x)]), "are no chain"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_does_not_exist_is_named(make, message):
    with pytest.raises(UnsupportedError, match=message):
        from_keras(make())


def test_position_in_a_model_inside():
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3), L.UnitNormalization()])
    with pytest.raises(UnsupportedError, match=r"^layer 0, layer 1, 'unit"):
        from_keras(sequential((4,), inner))


def test_another_axis():
    with pytest.raises(OptionError, match="axis = 1 of a BatchNormalization"):
        from_keras(sequential((4, 3), L.BatchNormalization(axis=1)))


def test_a_model_that_is_not_built():
    with pytest.raises(OptionError, match=r"'dense.*', Keras's Dense\n(.*\n)*.*model.build"):
        from_keras(keras.Sequential([L.Dense(2)]))


def test_no_model_at_all():
    with pytest.raises(UnsupportedError, match=r"^the model, 3, Keras's int\n"):
        from_keras(3)


def test_keras_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(MissingPackageError, match="pip install keras"):
        from_keras(None)


def test_weights_that_keras_does_not_take():
    model = nn.Sequential([nn.Dense(2), nn.RBF(3)], input_shape=(2,))
    with pytest.raises(UnsupportedError, match=re.escape("weights of layer 1, RBF(units=3) for")):
        keras_weights(model)
    with pytest.raises(OptionError, match=r"weights of Bidirectional\n(.*\n)*.*model.build"):
        keras_weights(nn.Bidirectional(nn.LSTM(2)))
