"""A function or class of the user's with the name of one of the library's is not taken for it."""

import warnings
from functools import partial

import numpy as np
import pytest

import nn
from autograd_core import UnsupportedError
from nn import activations, losses, metrics
from nn.data import check_classes, class_weights
from nn.integrations.keras import from_keras
from nn.integrations.wrapped import NetworkClassifier
from nn.mistakes import TrainingWarning
from nn.plots.curves import activation_functions
from nn.plots.replay import neuron_layers
from tests.keras_oracle import keras


def named(name, function=lambda y_true, y_pred: np.mean((y_true - y_pred) ** 2, axis=-1)):
    """Return another function of this name."""

    def mine(*args, **options):
        return function(*args, **options)

    mine.__name__ = mine.__qualname__ = name
    return mine


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_a_loss_named_as_a_hinge_loss_decides_at_one_half(name):
    assert losses.decides_at(getattr(losses, name)) == 0.0
    assert losses.decides_at(partial(getattr(losses, name), reduction="sum")) == 0.0
    assert losses.decides_at(named(name)) == 0.5
    model = nn.Sequential([nn.Activation("linear")])
    for loss, classes in ((getattr(losses, name), [0, 1, 1]), (named(name), [0, 0, 1])):
        model.compile("sgd", loss)
        assert model.predict_classes([[-0.3], [0.3], [0.8]]).tolist() == classes
    chosen = metrics.chosen(["accuracy"], named(name))["accuracy"]
    assert chosen([[0], [1]], [[0.3], [0.8]]) == 1.0


def test_weights_of_classes_take_the_targets_of_users_losses_as_they_look():
    rows = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    assert class_weights(rows, {1: 5.0}, losses.categorical_crossentropy).tolist() == [1.0, 5.0]
    with pytest.raises(ValueError, match="not whole numbers"):
        class_weights(rows, {1: 5.0}, named("categorical_crossentropy"))
    steps = np.array([[0, 1, 0], [1, 0, 0]])
    sparse = losses.sparse_categorical_crossentropy
    assert class_weights(steps, {1: 5.0}, sparse).shape == (2, 3)
    assert class_weights(steps, {1: 5.0}, partial(sparse, from_logits=True)).shape == (2, 3)
    assert class_weights(steps, {1: 5.0}, named(sparse.__name__)).shape == (2,)
    with pytest.raises(ValueError, match="a single 1"):
        class_weights(steps, {1: 5.0}, losses.binary_crossentropy)
    assert class_weights(steps, {1: 5.0}, named("binary_crossentropy")).shape == (2,)


def test_new_classes_among_validation_samples_are_those_of_the_library_s_losses():
    with pytest.warns(TrainingWarning, match="class 3"):
        check_classes(np.array([0, 1]), np.array([3]), losses.sparse_categorical_crossentropy)
    check_classes(np.array([0, 1]), np.array([3]), named("sparse_categorical_crossentropy"))


def test_a_softmax_of_the_user_s_may_belong_to_one_neuron():
    softmax = named("softmax", np.tanh)
    assert nn.Neuron.of([1.0], activation=softmax)([0.5]).data == np.tanh(0.5)
    layer = nn.Layer(1, 2, activation=softmax, initializer="ones")
    assert [out.data for out in layer([0.5])] == [np.tanh(0.5)] * 2
    assert activation_functions([softmax]).get_lines()
    with pytest.raises(ValueError, match="all outputs of a layer"):
        activation_functions([partial(activations.softmax)])


@pytest.mark.parametrize("activation", [activations.softmax, partial(activations.log_softmax)])
def test_a_softmax_of_one_output_is_warned_of_where_it_is_one(activation):
    for each, count in ((activation, 1), (named("softmax", activations.sigmoid), 0)):
        model = nn.Sequential([nn.Dense(1, each)])
        model.compile("sgd", "mse")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0)
        assert sum("softmax of one output" in str(w.message) for w in caught) == count


def test_a_replay_shows_a_user_s_linear_activation():
    shown = []
    for activation in ("linear", named("linear", np.tanh)):
        model = nn.Sequential([nn.Dense(1, activation)])
        shown.append(neuron_layers(model, np.ones((2, 2)))[0].functions)
    assert shown == [[], ["linear"]]


def test_a_classifier_takes_rows_to_a_user_s_loss_whatever_its_name():
    seen = []

    def sparse_mine(y_true, y_pred):
        seen.append(y_true.shape)
        return np.mean((y_true - y_pred) ** 2, axis=-1)

    model = nn.Sequential([nn.Dense(3, "softmax")])
    NetworkClassifier(model, loss=sparse_mine, epochs=1).fit(np.eye(3), ["a", "b", "c"])
    assert {shape[1:] for shape in seen} == {(3,)}


def test_a_repr_shows_functions_and_objects_that_only_have_the_default_s_name():
    class Zeros(nn.initializers.Initializer):
        def draw(self, shape, fans):
            return np.full(shape, 7.0)

    assert repr(nn.Dense(2, bias_initializer="zeros")) == "Dense(units=2)"
    assert repr(nn.Dense(2, bias_initializer=Zeros())) == (
        "Dense(units=2, bias_initializer=Zeros())"
    )
    assert repr(nn.SimpleRNN(2, activation=named("tanh", np.sin))) == (
        "SimpleRNN(units=2, activation=tanh)"
    )


class TestFromKeras:
    def test_refuses_rules_of_users_named_as_keras_s(self):
        class L2(keras.regularizers.Regularizer):
            def __init__(self, l2=0.01):
                self.l2 = l2

            def __call__(self, weights):
                return -self.l2 * keras.ops.sum(weights)

            def get_config(self):
                return {"l2": self.l2}

        layer = keras.layers.Dense(2, kernel_regularizer=L2(0.5))
        layer.build((None, 3))
        with pytest.raises(UnsupportedError, match="no such rule"):
            from_keras(layer)

    def test_refuses_layers_of_users_named_as_keras_s_wherever_they_are(self):
        class LSTM(keras.layers.LSTM):
            def call(self, *args, **options):
                return -super().call(*args, **options)

        with keras.saving.custom_object_scope({"LSTM": LSTM}):
            layers = LSTM(2), keras.layers.Bidirectional(LSTM(2))
        for layer in layers:
            layer.build((None, 4, 3))
            with pytest.raises(UnsupportedError, match="no layer of Keras"):
                from_keras(layer)
