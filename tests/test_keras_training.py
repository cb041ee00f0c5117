"""Options of training and events of callbacks as Keras has them."""

import itertools

import numpy as np
import pytest

import nn
from autograd_core import CallError, DataError, MissingNameError, OptionError
from nn import TrainingWarning
from tests.keras_oracle import keras

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 4))
Y = (X[:, 0] > 0).astype(int)
EVENTS = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]


def network(**options):
    nn.set_seed(0)
    model = nn.Sequential([nn.Dense(3, "tanh"), nn.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", **options)
    return model


def recorder(base):
    """Return a callback of this class that notes each event."""
    seen = []

    def method(event):
        def note(self, *args, logs=None):
            seen.append((event, *[each for each in args if isinstance(each, int)]))

        return note

    return type("Recorder", (base,), {event: method(event) for event in EVENTS})(), seen


def both_events(train):
    """Return the events of a training or evaluation here and in Keras."""
    ours, seen = recorder(nn.Callback)
    theirs, expected = recorder(keras.callbacks.Callback)
    model = network()
    other = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1, "sigmoid")])
    other.compile("sgd", "binary_crossentropy")
    for each, callback in ((model, ours), (other, theirs)):
        train(each, callback)
    return seen, expected


class TestEvents:
    def test_there_are_those_of_keras(self):
        assert [name for name in dir(nn.Callback) if name.startswith("on_")] == EVENTS

    @pytest.mark.parametrize(
        "options",
        [
            {"epochs": 2, "batch_size": 16},
            {"epochs": 2, "batch_size": 16, "validation_data": (X[:7], Y[:7])},
            {"epochs": 4, "batch_size": 16, "validation_data": (X, Y), "validation_freq": 2},
            {"epochs": 4, "batch_size": 16, "validation_data": (X, Y), "validation_freq": [1, 4]},
            {"epochs": 1, "validation_data": (X, Y), "validation_batch_size": 9},
            {"epochs": 1, "validation_data": (X, Y), "validation_steps": 1},
            {"epochs": 2, "batch_size": 8, "steps_per_epoch": 2},
        ],
    )
    def test_of_a_training_come_as_in_keras(self, options):
        if "validation_steps" in options:  # Keras's own default is smaller
            options = options | {"validation_batch_size": 16}
        elif "validation_data" in options:
            options = {"validation_batch_size": 32} | options
        seen, expected = both_events(
            lambda model, callback: model.fit(X, Y, callbacks=[callback], verbose=0, **options)
        )
        doubled = {"on_batch_begin", "on_batch_end"}  # which Keras's own base class calls
        assert seen == [event for event in expected if event[0] not in doubled]

    def test_of_an_evaluation_and_a_prediction_come_as_in_keras(self):
        def run(model, callback):
            model.evaluate(X, Y, batch_size=16, steps=2, callbacks=[callback], verbose=0)
            model.predict(X, batch_size=16, callbacks=[callback], verbose=0)

        assert len(set(map(tuple, both_events(run)))) == 1

    def test_of_a_batch_may_have_their_short_name(self):
        seen = []

        class Short(nn.Callback):
            def on_batch_end(self, batch, logs=None):
                seen.append((batch, sorted(logs)))

        network().fit(X, Y, batch_size=20, callbacks=Short(), verbose=0)
        assert seen == [(0, ["loss"]), (1, ["loss"])]

    def test_that_do_not_exist_are_warned_of(self):
        class Wrong(nn.Callback):
            def on_epoch_ends(self, epoch, logs=None):
                pass

        with pytest.warns(TrainingWarning, match="on_epoch_ends"):
            network().fit(X, Y, callbacks=[Wrong()], verbose=0)


class TestSteps:
    def test_of_an_epoch_go_on_where_the_last_one_ended(self):
        seen = []

        class Batches:
            def __iter__(self):
                for i in range(5):
                    seen.append(i)
                    yield X[8 * i :][:8], Y[8 * i :][:8]

        network().fit(Batches(), epochs=4, steps_per_epoch=2, verbose=0)
        assert seen == [0, 1, 2, 3, 4, 0, 1, 2]

    def test_come_from_a_generator_without_end(self):
        history = network().fit(
            ((X[:8], Y[:8]) for _ in itertools.count()), epochs=3, steps_per_epoch=2, verbose=0
        )
        assert len(history.history["loss"]) == 3

    def test_of_an_evaluation_are_the_first_ones(self):
        model = network()
        whole = model.evaluate(X[:16], Y[:16])
        assert model.evaluate(X, Y, batch_size=8, steps=2) == pytest.approx(whole, rel=1e-12)
        assert len(model.predict(X, batch_size=8, steps=2)) == 16

    @pytest.mark.parametrize(
        "options", [{"steps_per_epoch": 0}, {"validation_freq": 0}, {"validation_freq": [0.5]}]
    )
    def test_that_are_no_counts_are_refused(self, options):
        with pytest.raises(OptionError):
            network().fit(X, Y, validation_data=(X, Y), verbose=0, **options)


class TestOneBatch:
    def test_is_measured_and_predicted_as_all_are(self):
        model = network(metrics=["accuracy"])
        figures = model.test_on_batch(X, Y)
        assert list(figures.values()) == pytest.approx(model.evaluate(X, Y), rel=1e-12)
        assert (model.predict_on_batch(X) == model.predict(X)).all()


class TestModels:
    def test_compute_in_the_mode_that_a_call_names(self):
        model = nn.Sequential([nn.Dropout(0.5)])
        x = np.ones((1, 100))
        assert (np.asarray(model(x, training=False)) == 1).all()
        assert model.training
        model.eval()
        assert (np.asarray(model(x, training=True)) == 0).any()
        assert not model.training

    def test_give_layers_by_name_and_number(self):
        model = nn.Sequential([nn.Dense(2, name="hidden"), nn.Dense(1)])
        assert model.get_layer("hidden") is model.get_layer(index=0) is model.layers[0]
        with pytest.raises(OptionError):
            model.get_layer("output")
        last = model.layers[1]
        assert model.pop() is last
        assert len(model.layers) == 1

    def test_count_their_parameters(self):
        assert nn.Sequential([nn.Dense(8), nn.Dense(1)], input_shape=(4,)).count_params() == 49

    def test_save_and_load_weights_alone(self, tmp_path):
        model, other = network(), network()
        for each in (model, other):
            each(X)
        other.layers[0].weight.data += 1.0
        model.save_weights(tmp_path / "weights.safetensors")
        other.load_weights(tmp_path / "weights.safetensors")
        assert (other.layers[0].weight.data == model.layers[0].weight.data).all()
        with pytest.raises(OptionError, match="safetensors"):
            model.save_weights(tmp_path / "model.weights.h5")

    @pytest.mark.parametrize(
        ("name", "instead"),
        [
            ("get_weights", "keras_weights"),
            ("trainable_weights", r"model\.parameters"),
            ("sumary", r"\.summary"),
            ("fit_generator", r"model\.fit\(batches\)"),
        ],
    )
    def test_say_what_to_write_for_an_attribute_that_they_lack(self, name, instead):
        with pytest.raises(MissingNameError, match=instead):
            getattr(network(), name)
        assert not hasattr(network(), name)

    def test_print_their_summary_in_a_statement_by_itself(self, capsys):
        model = nn.Sequential([nn.Dense(1)], input_shape=(2,))
        model.summary()
        printed = capsys.readouterr().out
        assert printed == f"{model.summary()}\n"
        assert capsys.readouterr().out == ""


@pytest.mark.filterwarnings("ignore:.*(jit_compile|run_eagerly|nb_epoch)")
def test_options_of_keras_mean_what_they_mean_there():
    assert network(jit_compile=True).jit
    assert not network(jit_compile="auto").jit
    assert not network(run_eagerly=True).jit
    assert len(network().fit(X, Y, nb_epoch=2, verbose=0).epoch) == 2


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (lambda: network(loss_weights=[1.0]), "a loss of your own"),
        (lambda: network(weighted_metrics=["accuracy"]), "sample_weight"),
        (lambda: network().fit(X, Y, jit=True), r"compile\(\.\.\., jit=True\)"),
        (lambda: network().fit(X, Y, epoch=3), "epochs=3"),
        (lambda: network().predict(), r"predict\(x"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_alternative(call, instead):
    with pytest.raises(CallError, match=instead):
        call()


@pytest.mark.parametrize("given", [[X, Y], (X, Y)])
def test_samples_and_targets_in_one_list_are_refused(given):
    with pytest.raises(DataError, match=r"fit\(x, y\)"):
        network().fit(given, verbose=0)


def test_one_metric_may_stand_alone():
    with pytest.warns(TrainingWarning, match=r"metrics=\['accuracy'\]"):
        assert list(network(metrics="accuracy").metrics) == ["accuracy"]


def test_a_learning_rate_may_be_a_function_without_arguments():
    rates = iter([0.5, 0.25])
    optimizer = nn.SGD(lambda: next(rates))
    assert [optimizer.current_learning_rate() for _ in range(2)] == [0.5, 0.25]


class TestVerboseCallbacks:
    def test_say_what_they_do(self, capsys, tmp_path):
        callbacks = [
            nn.EarlyStopping("loss", min_delta=10.0, patience=1, verbose=1),
            nn.ReduceLROnPlateau("loss", min_delta=10.0, patience=1, verbose=1),
            nn.ModelCheckpoint(tmp_path / "weights.safetensors", save_weights_only=True, verbose=1),
        ]
        network().fit(X, Y, epochs=3, callbacks=callbacks, verbose=0)
        said = capsys.readouterr().out
        assert "epoch 2: early stopping, the best was epoch 1" in said
        assert "epoch 2: learning rate 0.001" in said
        assert "epoch 1: saved to" in said
        assert network()(X).shape == (40, 1)
        with pytest.raises(OptionError):
            nn.EarlyStopping(verbose="yes")


class TestOptionsThatWouldDoNothing:
    @pytest.mark.parametrize(
        "option", [{"validation_steps": 2}, {"validation_batch_size": 4}, {"validation_freq": 2}]
    )
    def test_are_refused_without_validation_data(self, option):
        with pytest.raises(OptionError, match="no effect"):
            network().fit(X, Y, verbose=0, **option)

    def test_a_batch_size_of_0_is_refused(self):
        with pytest.raises(OptionError, match="batch_size=0"):
            network().fit(X, Y, validation_data=(X, Y), validation_batch_size=0, verbose=0)

    def test_a_pass_without_a_batch_has_no_loss(self):
        used_up = iter([(X, Y)])
        with pytest.raises(DataError, match="without a batch"):
            network().fit(X, Y, epochs=2, validation_data=used_up, verbose=0)


def test_epochs_without_validation_are_passed_over_by_early_stopping():
    stopping = nn.EarlyStopping(patience=1)
    options = {"validation_data": (X, Y), "validation_freq": 2, "callbacks": stopping}
    history = network().fit(X, Y, epochs=4, verbose=0, **options)
    assert len(history.history["val_loss"]) == 2
    assert stopping.best_epoch == 3


def test_an_iterator_is_evaluated_for_some_steps():
    batches = ((X, Y) for _ in itertools.count())
    assert network().evaluate(batches, steps=2) == pytest.approx(network().evaluate(X, Y))


def test_a_summary_shows_the_names_of_layers():
    model = nn.Sequential([nn.Dense(2, name="hidden")], input_shape=(3,), name="mine")
    assert "Sequential 'mine'" in model.summary()
    assert "Dense 'hidden'" in model.summary()
