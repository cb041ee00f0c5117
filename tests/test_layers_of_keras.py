"""Layers without parameters, and options of all layers, as Keras has them."""

import numpy as np
import pytest

import nn
from autograd_core import OptionError, ShapeError, UnsupportedError, Value
from nn import layers
from tests.keras_oracle import as_keras, as_numpy, jax, keras

SEQUENCE, IMAGE, ROW = (5, 3), (6, 5, 2), (4,)
CASES = [
    ("ReLU", {}, ROW),
    ("ReLU", {"max_value": 0.5, "negative_slope": 0.1, "threshold": 0.2}, ROW),
    ("LeakyReLU", {}, ROW),
    ("LeakyReLU", {"negative_slope": 0.1}, ROW),
    ("ELU", {"alpha": 0.5}, ROW),
    ("Softmax", {}, ROW),
    ("Softmax", {"axis": 1}, SEQUENCE),
    ("MaxPooling1D", {}, SEQUENCE),
    ("MaxPooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}, SEQUENCE),
    ("AveragePooling1D", {"pool_size": 2, "strides": 1}, SEQUENCE),
    ("AveragePooling1D", {"pool_size": 2, "padding": "same"}, SEQUENCE),
    ("GlobalMaxPooling1D", {}, SEQUENCE),
    ("GlobalAveragePooling1D", {"keepdims": True}, SEQUENCE),
    ("GlobalMaxPooling2D", {}, IMAGE),
    ("GlobalMaxPooling2D", {"keepdims": True}, IMAGE),
    ("Permute", {"dims": (2, 1)}, SEQUENCE),
    ("Permute", {"dims": (3, 1, 2)}, IMAGE),
    ("RepeatVector", {"n": 3}, ROW),
    ("ZeroPadding1D", {}, SEQUENCE),
    ("ZeroPadding1D", {"padding": (2, 0)}, SEQUENCE),
    ("ZeroPadding2D", {"padding": 2}, IMAGE),
    ("ZeroPadding2D", {"padding": (1, 2)}, IMAGE),
    ("ZeroPadding2D", {"padding": ((1, 0), (0, 2))}, IMAGE),
]


@pytest.mark.parametrize(("name", "options", "shape"), CASES)
def test_outputs_and_gradients_are_those_of_keras(name, options, shape):
    random = np.random.default_rng(0)
    x = random.normal(size=(3, *shape))
    theirs = getattr(keras.layers, name)(**options)
    expected, pullback = jax.vjp(theirs, as_keras(x))
    cotangent = random.normal(size=expected.shape)
    value = Value(x)
    out = getattr(layers, name)(**options)(value)
    out.backward(cotangent)
    np.testing.assert_allclose(out.data, as_numpy(expected), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(value.grad, as_numpy(pullback(cotangent)[0]), rtol=1e-12, atol=1e-12)


def test_the_mean_over_a_sequence_leaves_masked_steps_out_as_in_keras():
    x = np.array([[3, 1, 0, 0], [2, 2, 2, 0]])
    ours = nn.Sequential([layers.Embedding(4, 2, mask_zero=True), layers.GlobalAveragePooling1D()])
    theirs = keras.Sequential(
        [keras.layers.Embedding(4, 2, mask_zero=True), keras.layers.GlobalAveragePooling1D()]
    )
    out = ours(x).data
    theirs.build((None, 4))
    theirs.layers[0].set_weights([ours.layers[0].weight.data])
    np.testing.assert_allclose(out, as_numpy(theirs(x)), rtol=1e-6)


def test_a_layer_of_each_step_is_applied_as_in_keras():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 5, 1))
    inner = layers.Conv2D(4, 3)
    ours = layers.TimeDistributed(inner)
    out = ours(x)
    theirs = keras.layers.TimeDistributed(keras.layers.Conv2D(4, 3))
    theirs.build(x.shape)
    kernel = np.moveaxis(inner.weight.data, (0, 1), (-1, -2))
    theirs.layer.set_weights([kernel, inner.bias.data])
    np.testing.assert_allclose(out.data, as_numpy(theirs(x)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "samples"),
    [
        (lambda: layers.Permute((1, 1)), None),
        (lambda: layers.Permute((0, 1)), None),
        (lambda: layers.Permute((2, 1)), ROW),
        (lambda: layers.RepeatVector(0), None),
        (lambda: layers.RepeatVector(2), SEQUENCE),
        (lambda: layers.ZeroPadding1D(-1), None),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), None),
        (lambda: layers.ZeroPadding2D(1), SEQUENCE),
        (lambda: layers.MaxPooling1D(2), IMAGE),
        (lambda: layers.MaxPooling1D(9), SEQUENCE),
        (lambda: layers.TimeDistributed("relu"), None),
        (lambda: layers.TimeDistributed(layers.Dense(2)), ROW),
        (lambda: layers.ReLU(negative_slope=-1.0), None),
        (lambda: layers.LeakyReLU(-0.1), None),
    ],
)
def test_what_does_not_fit_is_refused(make, samples):
    if samples is None:
        with pytest.raises(OptionError):
            make()
    else:
        layer = make()
        with pytest.raises(ShapeError):
            layer(np.zeros((2, *samples)))


class TestTheShapeOfSamples:
    """Given to the first layer, or as Input: it makes all parameters at once, as float32."""

    @pytest.mark.filterwarnings("ignore:.*input_dim")
    @pytest.mark.parametrize(
        "first",
        [
            lambda: [nn.Dense(8, input_shape=(4,))],
            lambda: [nn.Dense(8, input_dim=4)],
            lambda: [nn.Input(shape=(4,)), nn.Dense(8)],
            lambda: [nn.Input((4,)), nn.Dense(8)],
        ],
    )
    def test_makes_the_parameters(self, first):
        for model in (nn.Sequential([*first(), nn.Dense(1)]), nn.Sequential()):
            if not model.layers:
                for layer in [*first(), nn.Dense(1)]:
                    model.add(layer)
            shapes = {name: p.shape for name, p in model.named_parameters().items()}
            assert shapes == {
                "0.weight": (8, 4),
                "0.bias": (8,),
                "1.weight": (1, 8),
                "1.bias": (1,),
            }
            assert model.layers[0].weight.dtype == np.float32

    def test_by_the_option_of_keras_2_gives_a_note(self):
        with pytest.warns(nn.TrainingWarning, match=r"input_shape=\(4,\)"):
            nn.Dense(8, input_dim=4)

    def test_with_steps_of_any_number_leaves_the_parameters_to_the_data(self):
        layer = nn.LSTM(2, input_shape=(None, 3))
        assert not layer.named_parameters()
        assert layer(np.zeros((1, 5, 3))).shape == (1, 2)

    def test_is_not_what_a_layer_is_called_on(self):
        with pytest.raises(UnsupportedError, match=r"nn\.Module"):
            nn.Dense(8)(nn.Input((4,)))


def test_a_layer_keeps_its_name_in_a_file(tmp_path):
    model = nn.Sequential([nn.Dense(2, name="hidden"), nn.Dropout(0.5)], name="mine")
    model(np.zeros((1, 3)))
    model.save(tmp_path / "model.safetensors")
    loaded = nn.load(tmp_path / "model.safetensors")
    assert [loaded.name, *(layer.name for layer in loaded.layers)] == ["mine", "hidden", None]


def test_a_mask_that_a_layer_of_single_steps_would_take_is_warned_of():
    x = np.zeros((2, 3, 4))
    x[:, 0] = 1.0
    inner = layers.TimeDistributed(layers.BatchNormalization())
    with pytest.warns(nn.TrainingWarning, match="single steps"):
        nn.Sequential([layers.Masking(), inner])(x)
    nn.Sequential([layers.Masking(), layers.TimeDistributed(layers.Dense(2)), layers.LSTM(2)])(x)
