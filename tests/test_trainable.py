"""Frozen parts of a model: what training leaves as it is, as in Keras 3."""

import copy

import numpy as np
import pytest

import nn
from autograd_core import OptionError
from nn.interchange import from_keras, keras_weights
from nn.mistakes import TrainingWarning
from tests.keras_oracle import keras

L = keras.layers
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(12, 4)), RANDOM.normal(size=(12, 1))
EAGER_AND_JIT = pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])


def layered(*, jit=False, optimizer=None, **options):
    nn.set_seed(0)
    layers = [nn.Dense(3, "tanh", **options), nn.BatchNormalization(), nn.Dense(1)]
    model = nn.Sequential(layers, input_shape=(4,))
    model.compile(optimizer or nn.AdamW(0.1, weight_decay=0.1), "mse", jit=jit)
    return model


def fit(model, **options):
    return model.fit(X, Y, **({"batch_size": 4, "epochs": 2, "verbose": 0} | options))


def changed(model, train=fit):
    """Return the numbers of the layers whose state training has changed."""
    before = [layer.state_dict() for layer in model.layers]
    train(model)
    after = [layer.state_dict() for layer in model.layers]
    pairs = enumerate(zip(before, after, strict=True))
    return [i for i, (b, a) in pairs if any(not np.array_equal(b[n], a[n]) for n in b)]


@EAGER_AND_JIT
class TestFreezing:
    def test_a_frozen_layer_stays_as_it_is(self, jit):
        model = layered(jit=jit)
        model.layers[0].trainable = False
        assert changed(model) == [1, 2]

    def test_it_may_be_frozen_in_the_constructor(self, jit):
        assert changed(layered(jit=jit, trainable=False)) == [1, 2]

    def test_freezing_and_thawing_act_at_once(self, jit):
        model = layered(jit=jit)
        assert changed(model) == [0, 1, 2]
        model.layers[2].trainable = False
        assert changed(model) == [0, 1]
        model.trainable = True
        assert changed(model) == [0, 1, 2]

    def test_a_callback_may_freeze(self, jit):
        model, seen = layered(jit=jit), []

        def on_epoch_begin(epoch, logs):
            model.layers[0].trainable = epoch == 0
            seen.append(model.layers[0].weight.data.copy())

        callback = nn.callbacks.LambdaCallback(on_epoch_begin=on_epoch_begin)
        fit(model, epochs=3, callbacks=callback)
        assert not np.array_equal(seen[0], seen[1])
        assert np.array_equal(seen[1], seen[2])
        assert np.array_equal(seen[1], model.layers[0].weight.data)

    def test_rules_of_a_frozen_layer_rest(self, jit):
        model = layered(jit=jit, kernel_constraint="unit_norm", kernel_regularizer="l2")
        assert model.penalty() > 0
        model.layers[0].trainable = False
        assert model.penalty() == 0
        assert changed(model) == [1, 2]

    def test_training_that_changes_nothing_warns(self, jit):
        model = layered(jit=jit)
        model.trainable = False
        with pytest.warns(TrainingWarning, match="no parameter to train"):
            assert changed(model) == []

    def test_training_equals_keras(self, jit):
        theirs = keras.Sequential(
            [
                keras.Input((4,)),
                L.Dense(3, "tanh", kernel_regularizer="l2"),
                L.BatchNormalization(momentum=0.5),
                L.Dense(3, "tanh", kernel_regularizer="l2", kernel_constraint="unit_norm"),
                keras.Sequential([L.BatchNormalization(momentum=0.5), L.Dense(1)]),
            ]
        )
        for i in (1, 2, 3):
            theirs.layers[i].trainable = i == 3
        theirs.layers[3].layers[1].trainable = False
        ours = from_keras(theirs)
        theirs.compile(keras.optimizers.AdamW(0.01, weight_decay=0.1, epsilon=1e-3), "mse")
        ours.compile(nn.AdamW(0.01, weight_decay=0.1, epsilon=1e-3), "mse", jit=jit)
        expected = fit(theirs, shuffle=False).history["loss"]
        assert np.allclose(fit(ours, shuffle=False).history["loss"], expected, rtol=1e-5)
        weights = zip(keras_weights(ours), theirs.get_weights(), strict=True)
        assert all(np.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in weights)


def by_batches(model):
    for i in range(3):
        model.train_on_batch(X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4])


def by_hand(model, parameters=lambda given: given):
    optimizer = nn.Adam(0.1, weight_decay=0.1)
    for _ in range(3):
        model.zero_grad()
        (np.mean((model(X) - Y) ** 2) + model.penalty()).backward()
        optimizer.step(parameters(model))


def test_other_ways_of_training_leave_it_as_it_is_too():
    for train in (by_batches, by_hand, lambda given: by_hand(given, nn.Module.parameters)):
        model = layered()
        model.layers[0].trainable = False
        assert changed(model, train) == [1, 2]


@pytest.mark.parametrize("part", ["forward_layer", "backward_layer", None])
def test_one_direction_may_be_frozen(part):
    nn.set_seed(0)
    layer = nn.Bidirectional(nn.GRU(2))
    model = nn.Sequential([layer, nn.Dense(1)], input_shape=(3, 2))
    model.compile("sgd", "mse")
    (getattr(layer, part) if part else layer).trainable = False
    before = layer.state_dict()
    model.fit(RANDOM.normal(size=(4, 3, 2)), Y[:4], verbose=0)
    after = layer.state_dict()
    still = {name for name in before if np.array_equal(before[name], after[name])}
    backwards = {name for name in before if name.endswith("_reverse")}
    expected = {"forward_layer": set(before) - backwards, "backward_layer": backwards}
    assert still == expected.get(part, set(before))


def test_neurons_may_be_frozen():
    nn.set_seed(0)
    model = nn.MLP(2, [3, 1])
    model.layers[0].neurons[0].trainable = False
    model.compile("sgd", "mse")
    frozen = {f"layers.0.neurons.0.{name}" for name in ("w.0", "w.1", "b")}
    before = model.state_dict()
    model.fit(X[:, :2], Y, verbose=0)
    after = model.state_dict()
    assert {n for n in before if before[n] == after[n]} >= frozen
    assert len(model.parameters()) == len(before) - 3
    assert model.layers[1].neurons[0].b.data != before["layers.1.neurons.0.b"]


def test_the_summary_counts_what_is_trained():
    model = layered()
    assert "trained" not in str(model.summary()).splitlines()[-1].split(", and")[0]
    model.layers[0].trainable = False
    expected = "parameters: 25, of which 10 are trained, and 6 numbers that are not trained"
    assert str(model.summary()).endswith(expected)


def test_files_and_copies_keep_what_is_frozen(tmp_path):
    class Pair(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Dense(2), nn.Dense(1)

        def __call__(self, x):
            return self.second(self.first(x))

    models = [layered(trainable=False), nn.Sequential([Pair(), nn.Dense(1)], input_shape=(4,))]
    models[1].layers[0].trainable = False
    models[1].layers[0].second.trainable = True
    for model in models:
        model.save(tmp_path / "model.safetensors")
        loaded = nn.load(tmp_path / "model.safetensors", custom_objects={"Pair": Pair})
        for other in (loaded, copy.deepcopy(model)):
            flags = {name: part.trainable for name, part in other.modules().items()}
            assert flags == {name: part.trainable for name, part in model.modules().items()}
            assert len(other.parameters()) == len(model.parameters()) < len(model.state_dict())


def test_a_layer_added_to_a_frozen_model_is_frozen():
    model = nn.Sequential()
    model.trainable = False
    model.add(nn.Dense(1))
    assert not model.layers[0].trainable


@pytest.mark.parametrize("given", ["no", 0, None])
def test_trainable_is_true_or_false(given):
    with pytest.raises(OptionError, match="trainable"):
        nn.Dense(1).trainable = given


@pytest.mark.parametrize(
    "learn",
    [
        lambda: (nn.Perceptron(2), lambda model: model.fit([[0, 1]], [1])),
        lambda: (nn.Hopfield(2), lambda model: model.store([[1, -1]])),
    ],
)
def test_rules_without_gradients_refuse_a_frozen_model(learn):
    model, fit = learn()
    model.trainable = False
    with pytest.raises(OptionError, match="trainable=False"):
        fit(model)
    model.trainable = True
    fit(model)
