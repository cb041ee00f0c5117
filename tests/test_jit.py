"""fit with jit=True: the whole step is one program, and gives the numbers of the eager step."""

from functools import partial

import numpy as np
import pytest

import nn
from autograd_core import TraceError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6))
CLASSES = RNG.integers(0, 3, 50)
ROWS = np.eye(3)[CLASSES]
LABELS = (CLASSES > 1).astype(float)
WORDS = RNG.integers(0, 4, (50, 5))


def dense(*activations, units=8, out=3, **options):
    *hidden, last = activations
    layers = [partial(nn.Dense, units, activation, **options) for activation in hidden]
    return [*layers, partial(nn.Dense, out, last)]


SOFTMAX = partial(nn.Dense, 3, "softmax")
SPARSE = "sparse_categorical_crossentropy"
# name: layers, loss, optimizer, x, y
CASES = {
    "sparse labels, Adam": (dense("relu", "softmax"), SPARSE, partial(nn.Adam, 0.01), X, CLASSES),
    "rows, momentum": (
        dense("tanh", "softmax"),
        "categorical_crossentropy",
        partial(nn.SGD, 0.1, momentum=0.9, nesterov=True),
        X,
        ROWS,
    ),
    "regression, RMSprop": (dense("gelu", None), "mse", partial(nn.RMSprop, 0.01), X, ROWS),
    "centered RMSprop": (
        dense("elu", None),
        "huber",
        partial(nn.RMSprop, 0.01, momentum=0.5, centered=True),
        X,
        ROWS,
    ),
    "two classes, Nadam": (
        dense("selu", "sigmoid", out=1),
        "binary_crossentropy",
        partial(nn.Nadam, 0.01),
        X,
        LABELS,
    ),
    "hinge, Adagrad": (dense("relu", "tanh", out=1), "hinge", nn.Adagrad, X, LABELS),
    "norms, Adadelta": (
        dense("relu", "softmax"),
        SPARSE,
        partial(nn.Adadelta, 1.0, global_clipnorm=0.1),
        X,
        CLASSES,
    ),
    "clipped values, Lion": (
        dense("relu", "softmax"),
        SPARSE,
        partial(nn.Lion, 0.01, clipvalue=0.01, weight_decay=0.1),
        X,
        CLASSES,
    ),
    "schedule, Adamax": (
        dense("relu", "softmax"),
        SPARSE,
        partial(nn.Adamax, nn.schedules.ExponentialDecay(0.1, 2, 0.5)),
        X,
        CLASSES,
    ),
    "accumulated gradients": (
        dense("relu", "softmax"),
        SPARSE,
        partial(nn.Adam, 0.1, gradient_accumulation_steps=2, amsgrad=True),
        X,
        CLASSES,
    ),
    "penalties and constraints": (
        dense(
            "relu", "softmax", kernel_regularizer="l2", kernel_constraint="max_norm",
            activity_regularizer="l1",
        ),
        SPARSE,
        partial(nn.SGD, 0.1),
        X,
        CLASSES,
    ),
    "random layers and buffers": (
        [
            partial(nn.Dense, 8, "relu"),
            nn.BatchNormalization,
            partial(nn.Dropout, 0.3),
            partial(nn.GaussianNoise, 0.1),
            SOFTMAX,
        ],
        SPARSE,
        partial(nn.Adam, 0.01, clipnorm=0.5),
        X,
        CLASSES,
    ),
    "normalization of few features": (
        [*dense("tanh", units=3, out=2), nn.BatchNormalization, nn.LayerNormalization],
        "mse",
        partial(nn.SGD, 0.1),
        X[:, :2],
        ROWS[:, :2],
    ),
    "radial units": (
        [partial(nn.RBF, 4), *dense(None, out=2)],
        "categorical_hinge",
        partial(nn.SGD, 0.1, momentum=0.5, weight_decay=0.1),
        X[:, :2],
        ROWS[:, :2],
    ),
    "steps, which no derivative passes": (
        [*dense("step", "sign", "sigmoid", units=3, out=1)],
        "binary_crossentropy",
        partial(nn.Adam, 0.1, weight_decay=0.1),
        X[:, :2],
        LABELS,
    ),
    "masked sequences": (
        [partial(nn.Reshape, (3, 2)), nn.Masking, partial(nn.LSTM, 5, dropout=0.2), SOFTMAX],
        SPARSE,
        nn.Adam,
        X * (RNG.random(X.shape) > 0.5).repeat(2, 1)[:, : X.shape[1]],
        CLASSES,
    ),
    "words": (
        [partial(nn.Embedding, 4, 3, mask_zero=True), partial(nn.GRU, 4), SOFTMAX],
        SPARSE,
        nn.Adam,
        WORDS,
        CLASSES,
    ),
    "images": (
        [
            partial(nn.Reshape, (2, 3, 1)),
            partial(nn.RandomFlip, "horizontal"),
            partial(nn.RandomRotation, 0.1),
            partial(nn.RandomTranslation, 0.2, 0.2, fill_mode="constant"),
            partial(nn.Conv2D, 4, 2),
            nn.Flatten,
            SOFTMAX,
        ],
        SPARSE,
        nn.Adam,
        X,
        CLASSES,
    ),
}  # fmt: skip


def trained(case, jit, dtype=np.float64, **options):
    """Return the model and its history after three epochs; the last batch is a shorter one."""
    layers, loss, optimizer, x, y = CASES[case]
    nn.set_seed(0)
    model = nn.Sequential([layer() for layer in layers])
    metrics = ["mae"] if y.shape[1:] == ROWS[:, :2].shape[1:] else ["accuracy"]
    model.compile(optimizer(), loss, metrics=metrics, jit=jit)
    history = model.fit(x.astype(dtype), y, batch_size=20, epochs=3, verbose=0, **options)
    return model, history.history


@pytest.mark.filterwarnings("ignore:no gradient reaches 0.bias:nn.TrainingWarning")
@pytest.mark.parametrize("case", CASES)
def test_the_compiled_step_gives_the_numbers_of_the_eager_one(case):
    eager, expected = trained(case, jit=False)
    compiled, history = trained(case, jit=True)
    assert history.keys() == expected.keys()
    for name, figures in expected.items():
        np.testing.assert_allclose(history[name], figures, rtol=1e-12, atol=1e-12)
    state = compiled.state_dict()
    for name, data in eager.state_dict().items():
        np.testing.assert_allclose(state[name], data, rtol=1e-9, atol=1e-11, err_msg=name)


def test_float32_stays_float32():
    model, _ = trained("sparse labels, Adam", jit=True, dtype=np.float32)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    slots = model.optimizer.slots[model.parameters()[0]]
    assert {slot.dtype for slot in slots.values()} == {np.dtype(np.float32)}


def test_sample_weights_count():
    eager, _ = trained("regression, RMSprop", jit=False, sample_weight=np.arange(50.0))
    compiled, _ = trained("regression, RMSprop", jit=True, sample_weight=np.arange(50.0))
    for ours, theirs in zip(compiled.parameters(), eager.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-10)


def test_no_old_gradients_stay_behind():
    compiled, _ = trained("regression, RMSprop", jit=True)
    assert not any(p.has_grad for p in compiled.parameters())


def test_gradients_that_are_added_up_elsewhere_are_kept():
    eager, _ = trained("accumulated gradients", jit=False)
    compiled, _ = trained("accumulated gradients", jit=True)
    for ours, theirs in zip(compiled.parameters(), eager.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad, theirs.grad, rtol=1e-9, atol=1e-13)


def test_options_are_those_of_the_beginning_of_each_fit():
    nn.set_seed(0)
    model = nn.Sequential([nn.Dropout(0.0), nn.Dense(1)])
    model.compile(nn.SGD(0.1), "mse", jit=True)
    x, y = np.ones((40, 2)), np.ones(40)
    model.fit(x, y, epochs=50, verbose=0)
    assert model.history.history["loss"][-1] < 1e-6
    model.layers[0].rate = 0.5
    model.fit(x, y, verbose=0)
    assert model.history.history["loss"][-1] > 1e-3


def test_saved_and_loaded_training_goes_on(tmp_path):
    whole, _ = trained("random layers and buffers", jit=True)
    half, _ = trained("random layers and buffers", jit=True)
    half.save(tmp_path / "half.safetensors")
    again = nn.load(tmp_path / "half.safetensors")
    *_, x, y = CASES["random layers and buffers"]
    for model in (whole, again):
        model.fit(x, y, batch_size=20, verbose=0)
    for ours, theirs in zip(again.parameters(), whole.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-12)


def test_a_layer_that_takes_data_out_is_named():
    class Frozen(nn.layers.ArrayLayer):
        def forward(self, x):
            return x * float(x.sum())

    model = nn.Sequential([nn.Dense(2), Frozen()])
    model.compile("sgd", "mse", jit=True)
    with pytest.raises(TraceError, match=r"float\(\) of a Value.*\n.*return x \* float"):
        model.fit(np.ones((4, 2)), np.ones((4, 2)), batch_size=2, verbose=0)
