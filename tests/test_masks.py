"""Masks of padded steps: where they reach, and what they weigh, as in Keras 3."""

import warnings
from functools import partial

import numpy as np
import pytest

import nn
from autograd_core import OptionError
from nn.interchange import from_keras
from nn.losses import loss_of
from nn.mistakes import TrainingWarning
from tests.keras_oracle import as_keras, as_numpy, keras

L = keras.layers
RANDOM = np.random.default_rng(0)
COUNTS = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)
X = RANDOM.normal(size=(4, 5, 2)) * COUNTS[..., None]
Y = np.where(COUNTS, RANDOM.integers(0, 2, (4, 5)), 1.0)[..., None]
EAGER_AND_JIT = pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])


def of_sequences(*layers):
    return keras.Sequential([keras.Input((5, 2)), L.Masking(), *layers])


@EAGER_AND_JIT
def test_training_on_padded_sequences_equals_keras(jit):
    theirs = of_sequences(
        L.GRU(3, return_sequences=True), L.BatchNormalization(momentum=0.5), L.Dense(1, "sigmoid")
    )
    ours = from_keras(theirs)
    weights = np.repeat([[1.0], [2.0], [0.5], [3.0]], 5, axis=1)
    options = {"batch_size": 2, "epochs": 2, "shuffle": False, "verbose": 0}
    theirs.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["mae", "accuracy"])
    ours.compile(nn.SGD(0.5), "binary_crossentropy", metrics=["mae", "accuracy"], jit=jit)
    expected = theirs.fit(X, Y, sample_weight=weights, **options).history["loss"]
    # Keras's metrics of an epoch are those of its batches' predictions, before each step, as ours
    found = ours.fit(X, Y, sample_weight=weights, **options).history["loss"]
    assert np.allclose(found, expected, rtol=1e-5)
    expected = theirs.evaluate(X, Y, verbose=0, return_dict=True)
    found = ours.evaluate(X, Y, return_dict=True)
    assert all(np.isclose(found[name], expected[name], rtol=1e-5) for name in expected)
    statistics = ours.layers[2].running_mean, ours.layers[2].running_var
    assert np.allclose(statistics, [as_numpy(v) for v in theirs.layers[2].weights[2:]], rtol=1e-5)


def test_the_loss_of_words_with_a_mask_equals_keras():
    words, labels = np.array([[1, 2, 0, 0], [3, 4, 5, 0]]), RANDOM.integers(0, 3, (2, 4))
    theirs = keras.Sequential(
        [
            keras.Input((4,)),
            L.Embedding(6, 3, mask_zero=True),
            L.Bidirectional(L.LSTM(2, return_sequences=True)),
            L.Dense(3, "softmax"),
        ]
    )
    ours = from_keras(theirs)
    for model in (theirs, ours):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    expected = theirs.evaluate(words, labels, verbose=0)
    assert np.allclose(ours.evaluate(words, labels), expected, rtol=1e-6)


KEEPING = [
    L.Dense(3),
    L.Activation("relu"),
    L.PReLU(shared_axes=[1]),
    L.Dropout(0.1),
    L.GaussianNoise(0.1),
    L.BatchNormalization(),
    L.LayerNormalization(),
    L.SimpleRNN(3, return_sequences=True, go_backwards=True),
    L.Bidirectional(L.GRU(3, return_sequences=True)),
    L.GRU(3),
    L.Flatten(),
    L.Reshape((2, 5)),
    L.Conv1D(2, 1),
]


@pytest.mark.parametrize("layer", KEEPING, ids=lambda layer: layer.name)
def test_a_mask_passes_the_layers_that_it_passes_in_keras(layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both warn where a mask ends
        expected = getattr(layer(L.Masking()(as_keras(X))), "_keras_mask", None)
        ours = nn.Sequential([nn.Masking(), from_keras(layer)])
        ours(X)
        found = ours.output_mask(X, None)
    assert (found is None) == (expected is None)
    assert found is None or np.array_equal(found, as_numpy(expected))


def test_a_convolution_that_ends_a_mask_warns():
    model = nn.Sequential([nn.Masking(), nn.Conv1D(2, 1)])
    with pytest.warns(TrainingWarning, match="padded steps count again"):
        model(X)


def padded(model, loss="mse", **options):
    """Return the figures of sequences, and of the same ones with three more, padded, steps."""
    nn.set_seed(0)
    model.compile(nn.SGD(0.1), loss=loss, **options)
    x, y = RANDOM.normal(size=(3, 4, 2)), RANDOM.integers(0, 2, (3, 4, 1)) * 1.0
    pad = ((0, 0), (0, 3), (0, 0))
    longer = np.pad(x, pad), np.pad(y, pad, constant_values=1.0)
    return model.evaluate(x, y, return_dict=True), model.evaluate(*longer, return_dict=True)


def reader(*layers):
    return nn.Sequential([nn.Masking(), nn.GRU(3, return_sequences=True), *layers])


def error(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2, -1)


METRICS = ["mae", "accuracy", "precision", "recall", "f1", "auc", "r2", error]


@pytest.mark.parametrize("loss", ["mse", error, partial(nn.losses.huber, reduction="sum")])
def test_padded_steps_count_in_no_loss_and_no_metric(loss):
    short, longer = padded(reader(nn.Dense(1, "sigmoid")), loss, metrics=METRICS)
    assert len(short) == len(METRICS) + 1
    assert all(np.isclose(longer[name], short[name]) for name in short)


def test_a_mask_goes_through_models_inside():
    inner = nn.Sequential([nn.Sequential([nn.Dropout(0.5)]), nn.Dense(1, "sigmoid")])
    short, longer = padded(nn.Sequential([reader(), inner]), metrics=["mae"])
    assert all(np.isclose(longer[name], short[name]) for name in short)


def test_a_metric_that_has_averaged_over_masked_steps_is_refused():
    with pytest.raises(OptionError, match="in which masked steps count"):
        padded(reader(nn.Dense(1)), metrics=[lambda y_true, y_pred: np.mean(y_true - y_pred)])


def test_a_loss_that_has_averaged_over_masked_steps_is_refused():
    with pytest.raises(OptionError, match="two arguments"):
        padded(reader(nn.Dense(1)), lambda y_true, y_pred: np.mean((y_true - y_pred) ** 2))


def test_steps_that_are_all_masked_give_loss_0():
    zeros = np.zeros((2, 3, 1))
    assert loss_of(nn.losses.mean_squared_error, zeros + 1, zeros, mask=zeros[..., 0] > 0) == 0.0


def test_a_module_that_changes_the_steps_loses_the_mask_with_a_warning():
    class Last(nn.Module):
        def __call__(self, x):
            return x[:, -1]

    model = reader(Last(), nn.Dense(1))
    model.compile("sgd", "mse")
    with pytest.warns(TrainingWarning, match="changed the steps without its mask"):
        model.evaluate(X, np.ones((4, 1)))


class Reader(nn.Module):
    def __init__(self):
        self.part = reader(nn.Dense(1))

    def __call__(self, x):
        return self.part(x)


class MaskedReader(Reader):
    def output_mask(self, x, mask):
        return self.part.output_mask(x, mask)


def test_a_module_of_ones_own_passes_the_mask_on():
    short, longer = padded(MaskedReader(), metrics=["mae"])
    assert all(np.isclose(longer[name], short[name]) for name in short)


@EAGER_AND_JIT
def test_a_module_that_does_not_pass_the_mask_on_warns(jit):
    model = Reader()
    model.compile("sgd", "mse", jit=jit)
    with pytest.warns(TrainingWarning, match="ends inside Reader"):
        model.fit(X, Y, verbose=0)
    with pytest.warns(TrainingWarning, match="ends inside Reader"):
        model.evaluate(X, Y)


def test_layers_are_built_silently_where_a_sample_of_zeros_is_all_padding():
    parts = [nn.Masking(), nn.GlobalAveragePooling1D(), nn.Dense(2)]
    assert nn.Sequential(parts, input_shape=(4, 5)).layers[-1].weight.shape == (2, 5)
