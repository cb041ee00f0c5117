"""The lecture notes' numbers that need training: the XOR study, MNIST, the cures of overfitting."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

import nn
from demos import overfitting, xor
from nn import Dense, Sequential
from tests.keras_oracle import as_keras, as_numpy, keras

SHARED = Path(__file__).parents[2] / "shared" / "data"
HERE = os.environ.get("AUTOGRAD_CORE_DATA") or (SHARED if (SHARED / "mnist").is_dir() else None)


class TestXor:
    """5. Hidden weights from normal(loc=0.75, scale=0.01), the output layer's as Keras's."""

    def test_starts_as_the_notes_say(self):
        w1, b1, w2, b2 = (each.data for each in xor.many(3, 400))
        np.testing.assert_allclose([w1.mean(), w1.std()], [0.75, 0.01], atol=0.001)
        draw = keras.layers.Dense(1).kernel_initializer
        theirs = np.array([as_numpy(draw.clone()((3, 1))) for _ in range(400)])
        for statistic in (np.min, np.max, np.std):
            np.testing.assert_allclose(statistic(w2), statistic(theirs), rtol=0.1)
        assert not np.any(b1)
        assert not np.any(b2)

    @pytest.mark.no_cover
    @pytest.mark.parametrize("form", xor.FORMS)
    def test_each_of_the_networks_follows_keras(self, form):
        units, activation = xor.FORMS[form]
        parameters = xor.many(units, 5)
        twin = keras.Sequential(
            [keras.layers.Dense(units, activation.__name__), keras.layers.Dense(1, "sigmoid")]
        )
        twin.build((None, 2))
        w1, b1, w2, b2 = (each.data[3] for each in parameters)
        twin.set_weights([w1, b1[0], w2, b2[0]])
        twin.compile(keras.optimizers.Adam(), "mean_squared_error")
        x, y = nn.datasets.xor()
        given, targets = as_keras(x), as_keras(y[:, None])
        start = as_numpy(twin(given))[:, 0]
        for _ in range(1000):
            twin.train_on_batch(given, targets)
        theirs = as_numpy(twin(given))[:, 0]
        assert np.abs(theirs - start).max() > 0.05  # it has learnt, and not stood still
        xor.train(parameters, activation)
        ours = xor.predictions(parameters, activation).data[3]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)

    def test_some_starts_end_at_the_printed_predictions(self):
        found = xor.study()
        for form, printed in xor.PRINTED.items():
            assert np.abs(xor.nearest(found[form], printed) - printed).max() < 0.006
        shares = [xor.count_solved(guesses) / 300 for guesses in found.values()]
        np.testing.assert_allclose(shares, [0.07, 0.62, 0.86], atol=0.04)

    def test_solved_means_four_of_four(self):
        right, wrong, undecided = [0.4, 0.6, 0.6, 0.4], [0.4, 0.6, 0.6, 0.6], [0.4, 0.6, 0.6, 0.5]
        assert xor.count_solved(np.array([right, wrong, right])) == 2
        assert xor.count_solved(np.array([wrong, undecided])) == 1

    @pytest.mark.parametrize(("activation", "right"), [("logistic", 0.5), ("relu", 1.0)])
    def test_scikit_learn_at_the_settings_of_the_notes(self, activation, right):
        classifier = MLPClassifier((2,), activation, max_iter=10_000, random_state=20)
        x, y = nn.datasets.xor()
        assert classifier.fit(x, y).score(x, y) == right


@pytest.mark.skipif(HERE is None, reason="needs the files: set AUTOGRAD_CORE_DATA")
class TestMnist:
    """8. Batches of 100, Adam."""

    @pytest.mark.parametrize(
        ("hidden", "activation", "parameters", "epochs", "least"),
        [
            ([32], "relu", 25_450, 2, 0.92),
            ([16, 16], "sigmoid", 13_002, 2, 0.84),
            ([128], "relu", 101_770, 5, 0.973),
        ],
        ids=["784-32-10", "784-16-16-10", "784-128-10"],
    )
    def test_reads_the_test_images(self, hidden, activation, parameters, epochs, least):
        (x, y), (x_test, y_test) = nn.datasets.mnist(HERE, mirrors=[])
        nn.set_seed(0)
        layers = [Dense(units, activation) for units in hidden]
        model = Sequential([*layers, Dense(10, "softmax")], input_shape=(784,))
        assert sum(p.data.size for p in model.parameters()) == parameters
        assert f"{parameters:,}" in str(model.summary())
        model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
        model.fit(x.reshape(-1, 784), y, batch_size=100, epochs=epochs, verbose=0)
        assert model.evaluate(x_test.reshape(-1, 784), y_test)[1] >= least


CURES = ("none", "dropout", "none, fewer images", "early stopping")


@pytest.fixture(scope="module")
def found():
    return overfitting.study([0, 1], CURES, epochs=30)


class TestOverfitting:
    """9. What each cure does is measured, whatever it is."""

    def test_gives_accuracies_and_gaps(self, found):
        assert tuple(found) == CURES
        for figures in found.values():
            assert list(figures) == ["train", "test", "gap", "epochs"]
            assert all(each.shape == (2,) for each in figures.values())
            assert all(0 <= n <= 1 for name in ("train", "test") for n in figures[name])
            np.testing.assert_array_equal(figures["gap"], figures["train"] - figures["test"])

    def test_without_a_cure_it_overfits(self, found):
        assert (found["none"]["train"] > 0.99).all()
        assert (found["none"]["gap"] > 0.03).all()

    def test_counts_whole_images(self, found):
        for cure, images in (("none", 150), ("early stopping", 120), ("none, fewer images", 120)):
            right = found[cure]["train"] * images
            np.testing.assert_allclose(right, np.round(right), atol=1e-9)
            right = found[cure]["test"] * (1797 - 150)
            np.testing.assert_allclose(right, np.round(right), atol=1e-9)

    def test_each_seed_has_images_and_weights_of_its_own(self, found):
        for cure in CURES:
            assert found[cure]["test"][0] != found[cure]["test"][1]

    def test_is_repeatable(self, found):
        assert overfitting.measure("dropout", 1, epochs=30) == (
            found["dropout"]["train"][1],
            found["dropout"]["test"][1],
            30,
        )

    def test_early_stopping_stops_and_its_control_does_not(self):
        """Seed 3 stops early, and goes back to weights that no later epoch changes."""
        *stopped, epochs = overfitting.measure("early stopping", 3)
        *longer, _ = overfitting.measure("early stopping", 3, epochs=300)
        assert epochs < 200
        assert stopped == longer
        assert overfitting.measure("none, fewer images", 3)[2] == 200

    @pytest.mark.parametrize(
        ("cure", "kind"),
        [
            ("dropout", "Dropout"),
            ("batch normalization", "BatchNormalization"),
            ("augmentation", "RandomTranslation"),
            ("augmentation", "RandomRotation"),
        ],
    )
    def test_a_cure_is_one_thing_added(self, cure, kind):
        kinds = [type(layer).__name__ for layer in overfitting.CURES[cure]().layers]
        assert kind in kinds
        assert [k for k in kinds if k == "Dense"] == ["Dense", "Dense"]
        assert kind not in str(overfitting.CURES["none"]().layers)

    @pytest.mark.parametrize(("cure", "power"), [("L1", 1), ("L2", 2)])
    def test_penalties_are_of_both_weights(self, cure, power):
        model = overfitting.CURES[cure]()
        model.build((64,), np.float64)
        sums = [np.sum(np.abs(layer.weight.data) ** power) for layer in model.layers]
        np.testing.assert_allclose(float(model.penalty()), 0.001 * sum(sums))
