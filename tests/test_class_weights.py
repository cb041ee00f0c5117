"""class_weight for all forms of targets, and warnings for classes and numbers that are missing."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import nn
from autograd_core import AutogradError, OptionError
from nn import losses
from nn.data import class_weights
from nn.interchange import from_keras
from nn.mistakes import TrainingWarning
from tests.keras_oracle import keras

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 4))
LABELS = RANDOM.integers(0, 3, 12)
STEPS = RANDOM.integers(0, 3, (12, 5))
WEIGHTS = {0: 1.0, 1: 5.0, 2: 0.5}
TABLE = np.array([1.0, 5.0, 0.5])
SPARSE, ROWS, BINARY = (
    losses.sparse_categorical_crossentropy,
    losses.categorical_crossentropy,
    losses.binary_crossentropy,
)
TWO = (LABELS > 0) * 1


@pytest.mark.parametrize(
    ("y", "loss", "labels"),
    [
        (LABELS, SPARSE, LABELS),
        (LABELS * 1.0, partial(SPARSE, from_logits=True), LABELS),
        (LABELS[:, None], SPARSE, LABELS),
        (np.eye(3)[LABELS], ROWS, LABELS),
        (np.eye(3)[LABELS] * 0.8 + 0.05, ROWS, LABELS),
        (np.eye(3)[LABELS], losses.mean_squared_error, LABELS),
        (STEPS, SPARSE, STEPS),
        (STEPS[..., None], SPARSE, STEPS),
        (np.eye(3)[STEPS], ROWS, STEPS),
        (TWO, BINARY, TWO),
        (TWO[:, None] * 1.0, BINARY, TWO),
        ((STEPS > 0) * 1, BINARY, (STEPS > 0) * 1),
        (2 * TWO - 1, losses.hinge, 2 * TWO - 1),
    ],
)
def test_each_sample_or_step_has_the_weight_of_its_class(y, loss, labels):
    weights = {-1: 7.0, 0: 1.0, 1: 5.0, 2: 0.5}
    by_label = np.vectorize(weights.get)(labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not each of the targets has all classes
        assert np.array_equal(class_weights(y, weights, loss), by_label)


def test_forms_of_weights():
    for given in (WEIGHTS, TABLE, TABLE.tolist(), tuple(TABLE), {0: 1, 1: np.float32(5), 2: 0.5}):
        assert np.array_equal(class_weights(LABELS, given, SPARSE), TABLE[LABELS])
    assert np.array_equal(class_weights(LABELS, {1: 5.0}, SPARSE), np.where(LABELS == 1, 5.0, 1.0))
    balanced = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    for y, loss in ((LABELS, SPARSE), (np.eye(3)[LABELS], ROWS)):
        assert np.allclose(class_weights(y, "balanced", loss), balanced[LABELS])


@pytest.mark.parametrize(
    ("y", "given", "loss"),
    [
        (LABELS + 0.5, WEIGHTS, SPARSE),
        (LABELS, "even", SPARSE),
        (LABELS, 2.0, SPARSE),
        (LABELS, {0: "much"}, SPARSE),
        (LABELS, {0: np.nan}, SPARSE),
        (LABELS, {0: -1.0}, SPARSE),
        (LABELS, [1.0, 5.0], SPARSE),
        (2 * TWO - 1, [1.0, 5.0], losses.hinge),
        (STEPS, "balanced", SPARSE),
        (np.eye(3)[LABELS], WEIGHTS, BINARY),
    ],
)
def test_what_weighs_no_classes_is_refused(y, given, loss):
    with pytest.raises(OptionError, match="class_weight"):
        class_weights(y, given, loss)


@pytest.mark.parametrize("given", [{3: 2.0}, {"0": 2.0}, {0: 1.0, 7: 1.0}])
def test_keys_that_match_no_class_are_warned_of(given):
    with pytest.warns(TrainingWarning, match="weighs nothing"):
        class_weights(LABELS, given, SPARSE)


def reader(units, activation, loss, jit=False):
    nn.set_seed(0)
    layers = [nn.GRU(3, return_sequences=True), nn.Dense(units, activation)]
    model = nn.Sequential(layers, input_shape=(5, 2))
    model.compile(nn.SGD(0.1), loss, jit=jit)
    return model


SEQUENCES = RANDOM.normal(size=(12, 5, 2))


@pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize(
    ("units", "activation", "loss", "y", "labels"),
    [
        (3, "softmax", SPARSE, STEPS, STEPS),
        (3, "softmax", ROWS, np.eye(3)[STEPS], STEPS),
        (1, "sigmoid", BINARY, (STEPS > 0) * 1, (STEPS > 0) * 1),
    ],
    ids=["numbers", "rows", "binary"],
)
@pytest.mark.parametrize("samples", [None, RANDOM.uniform(size=12), RANDOM.uniform(size=(12, 5))])
def test_classes_of_steps_weigh_as_weights_of_steps(
    units, activation, loss, y, labels, samples, jit
):
    of_steps = TABLE[labels]
    if samples is not None:
        of_steps = of_steps * samples.reshape(12, -1)
    options = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
    weights = {k: w for k, w in WEIGHTS.items() if k in labels}
    expected = reader(units, activation, loss).fit(SEQUENCES, y, sample_weight=of_steps, **options)
    model = reader(units, activation, loss, jit)
    found = model.fit(SEQUENCES, y, class_weight=weights, sample_weight=samples, **options)
    assert np.allclose(found.history["loss"], expected.history["loss"])


def test_weights_of_labels_beside_one_another_are_refused():
    model = nn.Sequential([nn.Dense(3, "sigmoid")])
    model.compile("sgd", BINARY)
    y = (RANDOM.uniform(size=(12, 3)) < 0.7) * 1
    with pytest.raises(AutogradError, match="weights of shape"):
        model.fit(X, y, class_weight={0: 1.0, 1: 2.0}, verbose=0)


def test_class_and_sample_weights_equal_keras():
    samples = RANDOM.uniform(size=12)
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    ours = from_keras(theirs)
    options = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
    options |= {"class_weight": WEIGHTS}
    theirs.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    ours.compile(nn.SGD(0.1), "sparse_categorical_crossentropy")
    expected = theirs.fit(X, LABELS, **options).history["loss"]
    assert np.allclose(ours.fit(X, LABELS, **options).history["loss"], expected, rtol=1e-5)
    one_batch = options | {"batch_size": 12, "epochs": 1}
    before = ours.evaluate(X, LABELS, sample_weight=samples * TABLE[LABELS])
    found = ours.fit(X, LABELS, sample_weight=samples, **one_batch).history["loss"][0]
    assert np.isclose(found, before)  # the loss of a single batch is that before its step


class TestIterablesOfBatches:
    @pytest.mark.parametrize("option", [{"class_weight": {0: 2.0}}, {"sample_weight": np.ones(12)}])
    def test_weights_beside_them_are_refused(self, option):
        model = classifier()
        with pytest.raises(OptionError, match="iterable of batches"):
            model.fit([(X, LABELS)], verbose=0, **option)

    def test_validation_data_may_be_a_list(self):
        model = classifier()
        validation = [[X, LABELS], (X, LABELS), [(X, LABELS)], [X, LABELS, np.ones(12)]]
        histories = [model.fit(X, LABELS, verbose=0, validation_data=v) for v in validation]
        last = [history.history["val_loss"][0] for history in histories]
        assert last == sorted(last, reverse=True)

    @pytest.mark.parametrize("given", [X, [X], [X, LABELS, X, X], (X,)])
    def test_validation_data_without_targets_is_refused(self, given):
        with pytest.raises(AutogradError, match="validation_data"):
            classifier().fit(X, LABELS, verbose=0, validation_data=given)


def classifier(**options):
    nn.set_seed(0)
    model = nn.Sequential([nn.Dense(3, "softmax")], input_shape=(4,))
    model.compile("sgd", "sparse_categorical_crossentropy", **options)
    return model


class TestNewClasses:
    @pytest.mark.parametrize("y", [np.repeat([0, 1, 2], 4), np.repeat([[0], [1], [2]], 4, axis=0)])
    def test_sorted_labels_are_warned_of(self, y):
        with pytest.warns(TrainingWarning, match="validation samples of class 2"):
            classifier().fit(X, y, validation_split=0.33, verbose=0)

    def test_so_are_sorted_rows_and_binary_labels(self):
        model = nn.Sequential([nn.Dense(3, "softmax")])
        model.compile("sgd", "categorical_crossentropy")
        with pytest.warns(TrainingWarning, match="validation samples of class 2"):
            model.fit(X, np.eye(3)[np.repeat([0, 1, 2], 4)], validation_split=0.3, verbose=0)
        model = nn.Sequential([nn.Dense(1, "sigmoid")])
        model.compile("sgd", "binary_crossentropy")
        with pytest.warns(TrainingWarning, match="validation samples of class 1"):
            model.fit(X[:6], np.zeros(6), validation_data=(X, np.ones(12)), verbose=0)

    def test_mixed_labels_and_numbers_are_not(self):
        classifier().fit(X, np.tile([0, 1, 2], 4), validation_split=0.3, verbose=0)
        model = nn.Sequential([nn.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(X, np.arange(12.0) / 10, validation_split=0.3, verbose=0)


class TestNumbersThatAreNone:
    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    @pytest.mark.parametrize("use", ["fit", "evaluate"])
    @np.errstate(invalid="ignore")
    def test_they_are_warned_of_in_x(self, use, bad):
        x = X.copy()
        x[3, 2] = bad
        with pytest.warns(TrainingWarning, match=r"x with NaN or inf in 1 of 12 .* sample 3"):
            getattr(classifier(), use)(x, LABELS)
        with pytest.warns(TrainingWarning, match=r"x with NaN or inf in 1 of 12 .* sample 3"):
            classifier().predict(x)

    def test_they_are_warned_of_in_y_and_weights(self):
        model = nn.Sequential([nn.Dense(1)], input_shape=(4,))
        model.compile("sgd", "mse")
        y = np.full(12, 0.5)
        y[-1] = np.nan
        with pytest.warns(TrainingWarning, match="y with NaN or inf in 1 of 12"):
            model.evaluate(X, y)
        with pytest.warns(TrainingWarning, match="sample_weight with NaN or inf in 1 of 12"):
            model.evaluate(X, X[:, :1], sample_weight=y)
        with pytest.warns(TrainingWarning, match="y with NaN or inf"):
            model.fit(X, y, verbose=0)

    def test_they_are_warned_of_in_validation_data(self):
        model = nn.Sequential([nn.Dense(1)], input_shape=(4,))
        model.compile("sgd", "mse")
        bad = np.where(np.arange(12)[:, None] == 4, np.nan, X)
        with pytest.warns(TrainingWarning, match="x with NaN or inf in 1 of 12"):
            model.fit(X, X[:, :1], validation_data=(bad, X[:, :1]), verbose=0)

    def test_samples_of_weight_0_are_not(self):
        model = nn.Sequential([nn.Dense(1)], input_shape=(4,))
        model.compile("sgd", "mse")
        x, weights = X.copy(), np.ones(12)
        x[3], weights[3] = np.nan, 0.0
        model.evaluate(x, X[:, :1], sample_weight=weights)


class TestSoftmaxOfOneOutput:
    @pytest.mark.parametrize(
        "layers",
        [
            [nn.Dense(1, "softmax")],
            [nn.Dense(1), nn.Activation("softmax")],
            [nn.Dense(1, "log_softmax")],
            [nn.Reshape((4, 1)), nn.Conv1D(1, 2, activation="softmax")],
        ],
    )
    def test_it_is_warned_of(self, layers):
        model = nn.Sequential(layers, input_shape=(4,))
        model.compile("sgd", "mse")
        y = np.zeros((12, *model.layers[-1].output_shape))
        with pytest.warns(TrainingWarning, match="one class only"):
            model.fit(X, y, verbose=0)
        with pytest.warns(TrainingWarning, match="one class only"):
            model.evaluate(X, y)

    def test_several_outputs_are_fine(self):
        model = nn.Sequential([nn.Dense(2, "softmax"), nn.Dense(1, "sigmoid")], input_shape=(4,))
        model.compile("sgd", "mse")
        model.fit(X, np.zeros((12, 1)), verbose=0)
        model.evaluate(X, np.zeros((12, 1)))
