"""compile, fit, evaluate and predict: what Keras does, and what scikit-learn does."""

import os
import signal
import threading
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

import nn
from autograd_core import DataError, OptionError, ShapeError, Value
from nn import SGD, Adam, Dense, Dropout, Module, Sequential
from nn.callbacks import Callback, LambdaCallback
from nn.mistakes import TrainingWarning
from tests.keras_oracle import as_keras, as_numpy, keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
LABELS = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)
TARGETS = X @ [1.0, -2.0, 0.5] + 3.0


def small(outputs=1, activation=None):
    nn.set_seed(1)
    return Sequential([Dense(4, "tanh"), Dense(outputs, activation)])


def in_keras(model):
    """Return the same network in Keras, with the same weights."""
    layers = [
        keras.layers.Dense(layer.units, layer.activation and layer.activation.__name__)
        for layer in model.layers
    ]
    twin = keras.Sequential(layers)
    twin.build((None, model.layers[0].input_shape[0]))
    twin.set_weights([w for layer in model.layers for w in (layer.weight.data.T, layer.bias.data)])
    return twin


class TestFit:
    def test_history_has_keras_s_keys(self):
        model = small(1, "sigmoid")
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(X, LABELS, epochs=3, validation_split=0.2, verbose=0)
        assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
        assert [len(figures) for figures in history.history.values()] == [3] * 4
        assert history.epoch == [0, 1, 2]
        assert model.history is history

    @pytest.mark.parametrize(
        ("outputs", "activation", "loss", "y"),
        [
            (1, "sigmoid", "binary_crossentropy", LABELS),
            (1, None, "mean_squared_error", TARGETS),
            (2, "softmax", "sparse_categorical_crossentropy", LABELS),
            (2, "softmax", "categorical_crossentropy", np.eye(2)[LABELS]),
        ],
        ids=["binary", "regression", "sparse", "categorical"],
    )
    def test_follows_keras(self, outputs, activation, loss, y):
        model = small(outputs, activation)
        model.build((3,), np.float64)
        twin = in_keras(model)
        metrics = ["accuracy"] if activation else []
        model.compile(Adam(0.01), loss, metrics)
        twin.compile(keras.optimizers.Adam(0.01), loss, metrics=metrics)
        options = {"epochs": 4, "batch_size": 16, "shuffle": False, "verbose": 0}
        ours = model.fit(X, y, validation_split=0.2, **options).history
        theirs = twin.fit(X, y, validation_split=0.2, **options).history
        assert sorted(ours) == sorted(theirs)
        for name, figures in ours.items():
            np.testing.assert_allclose(figures, theirs[name], rtol=1e-6)
        np.testing.assert_allclose(
            model.predict(X), as_numpy(twin(as_keras(X))), rtol=1e-6, atol=1e-9
        )

    def test_weights_of_classes_and_samples_follow_keras(self):
        model = small(2, "softmax")
        model.build((3,), np.float64)
        twin = in_keras(model)
        weights = np.linspace(0.1, 2.0, 50)
        options = {"epochs": 3, "batch_size": 10, "shuffle": False, "verbose": 0}
        for each, optimizer in ((model, SGD(0.1)), (twin, keras.optimizers.SGD(0.1))):
            each.compile(optimizer, "sparse_categorical_crossentropy")
            each.fit(X, LABELS, class_weight={0: 1.0, 1: 3.0}, **options)
            each.fit(X, LABELS, sample_weight=weights, **options)
        np.testing.assert_allclose(model.predict(X), as_numpy(twin(as_keras(X))), rtol=1e-6)

    @pytest.mark.parametrize("solver", ["sgd", "adam"])
    @pytest.mark.parametrize("kind", [MLPRegressor, MLPClassifier])
    def test_follows_scikit_learn(self, kind, solver):
        y = TARGETS if kind is MLPRegressor else LABELS
        options = {
            "hidden_layer_sizes": (4,),
            "activation": "tanh",
            "solver": solver,
            "alpha": 0.0,
            "batch_size": 10,
            "shuffle": False,
            "max_iter": 5,
            "random_state": 0,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # neither has converged
            start = kind(**options, learning_rate_init=1e-300).fit(X, y)
            theirs = kind(**options, learning_rate_init=0.01).fit(X, y)
        model = small(1, None if kind is MLPRegressor else "sigmoid")
        model.build((3,), np.float64)
        for layer, weight, bias in zip(model.layers, start.coefs_, start.intercepts_, strict=True):
            layer.weight.data, layer.bias.data = weight.T, bias
        sgd = SGD(0.01, momentum=0.9, nesterov=True)
        model.compile(
            sgd if solver == "sgd" else Adam(0.01, epsilon=1e-8),
            "half_mean_squared_error" if kind is MLPRegressor else "binary_crossentropy",
        )
        history = model.fit(X, y, batch_size=10, epochs=5, shuffle=False, verbose=0)
        np.testing.assert_allclose(history.history["loss"], theirs.loss_curve_, rtol=1e-6)
        for layer, weight, bias in zip(
            model.layers, theirs.coefs_, theirs.intercepts_, strict=True
        ):
            np.testing.assert_allclose(layer.weight.data.T, weight, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(layer.bias.data, bias, rtol=1e-6, atol=1e-9)

    @pytest.mark.parametrize("batch_size", [1, 10, 50])
    def test_kinds_of_descent_differ_by_batch_size_only(self, batch_size):
        steps = []
        model = small()
        model.compile("sgd", "mse")
        count = LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
        model.fit(X, TARGETS, batch_size, epochs=2, callbacks=[count], verbose=0)
        assert steps == 2 * list(range(50 // batch_size))

    def test_a_seed_repeats_a_run_to_the_bit(self):
        def run():
            nn.set_seed(3)
            model = Sequential([Dense(8, "relu"), Dropout(0.5), Dense(1)])
            model.compile("adam", "mse")
            model.fit(X, TARGETS, epochs=3, batch_size=8, verbose=0)
            return model.predict(X)

        assert np.array_equal(run(), run())

    def test_shuffling_sees_every_sample_once_an_epoch_in_a_new_order(self):
        seen = []

        class Spy(Module):
            def __init__(self):
                self.slope = Value([1.0])

            def __call__(self, x):
                seen.append(x[:, 0].copy())
                return x * self.slope

        model = Spy()
        model.compile("sgd", "mse")
        numbers = np.arange(10.0)[:, None] / 10
        model.fit(numbers, numbers, batch_size=4, epochs=2, verbose=0)
        first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
        assert sorted(first) == sorted(second) == list(numbers[:, 0])
        assert list(first) != list(second)
        seen.clear()
        model.fit(numbers, numbers, batch_size=4, shuffle=False, verbose=0)
        assert list(np.concatenate(seen)) == list(numbers[:, 0])

    def test_any_module_can_be_trained(self):
        class Residual(Module):
            def __init__(self):
                self.inner, self.out = Dense(3, "tanh"), Dense(1)

            def __call__(self, x):
                return self.out(x + self.inner(x))

        nn.set_seed(0)
        model = Residual()
        model.compile(Adam(0.1), "mse")
        losses = model.fit(X, TARGETS, epochs=300, verbose=0).history["loss"]
        assert losses[-1] < 0.1 < 1 < losses[0]

    def test_scalar_networks_can_be_trained_too(self):
        nn.set_seed(0)
        model = nn.MLP(2, [4, 1], activation="tanh")
        x, y = nn.datasets.xor()
        model.compile(Adam(0.1), "mse")
        losses = model.fit(x, y, batch_size=4, epochs=200, verbose=0).history["loss"]
        assert losses[-1] < 0.01
        assert model.predict_classes(x).tolist() == list(y.ravel())

    def test_goes_on_from_initial_epoch(self):
        model = small()
        model.compile("sgd", "mse")
        assert model.fit(X, TARGETS, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]

    def test_penalties_are_part_of_the_loss(self):
        model = Sequential([Dense(1, kernel_regularizer="l2")])
        model.compile("sgd", "mse")
        plain = np.mean((model(X).data[:, 0] - TARGETS) ** 2)
        penalty = 0.01 * np.sum(model.layers[0].weight.data ** 2)
        np.testing.assert_allclose(model.evaluate(X, TARGETS), plain + penalty)

    def test_dropout_acts_in_fit_and_not_in_evaluate(self):
        model = Sequential([Dropout(0.9), Dense(1)])
        model.compile(SGD(0.0), "mse")
        trained = model.fit(X, TARGETS, validation_data=(X, TARGETS), verbose=0).history
        assert trained["loss"] != trained["val_loss"]
        assert trained["val_loss"] == [model.evaluate(X, TARGETS)]
        assert model.training
        assert all(layer.training for layer in model.layers)


class TestData:
    def losses(self, *data, **options):
        model = small()
        model.compile("sgd", "mse")
        if len(data) > 1:  # batches have their size and order
            options = {"batch_size": 16, "shuffle": False} | options
        return model.fit(*data, **{"epochs": 2, "verbose": 0} | options).history["loss"]

    def test_lists_frames_and_batches_are_data(self):
        expected = self.losses(X, TARGETS)
        frame, series = pd.DataFrame(X, columns=list("abc")), pd.Series(TARGETS)
        assert self.losses(X.tolist(), TARGETS.tolist()) == expected
        assert self.losses(frame, series) == expected
        assert self.losses(nn.batches(X, TARGETS, batch_size=16)) == expected
        pieces = [(X[i : i + 16], TARGETS[i : i + 16]) for i in range(0, 50, 16)]
        assert self.losses(pieces) == expected

    def test_a_column_of_targets_is_the_same_as_a_row(self):
        assert self.losses(X, TARGETS) == self.losses(X, TARGETS[:, None])

    def test_a_model_may_give_one_number_a_sample(self):
        class Line(Module):
            def __init__(self):
                self.slope = Value(np.ones(3))

            def __call__(self, x):
                return x @ self.slope

        model = Line()
        model.compile("sgd", "mse")
        assert model.evaluate(X, TARGETS[:, None]) == model.evaluate(X, TARGETS)
        assert model.predict(X).shape == (50,)

    def test_batches_may_bring_weights_and_validate(self):
        weights = np.linspace(0.0, 2.0, 50)
        pieces = nn.batches(X, TARGETS, weights, batch_size=16)
        assert self.losses(pieces) == self.losses(X, TARGETS, sample_weight=weights)
        model = small()
        model.compile("sgd", "mse")
        history = model.fit(pieces, validation_data=pieces, verbose=0).history
        np.testing.assert_allclose(history["val_loss"], model.evaluate(pieces))

    def test_validation_data_may_bring_weights(self):
        model = small()
        model.compile("sgd", "mse")
        weights = np.linspace(0.0, 2.0, 50)
        history = model.fit(X, TARGETS, validation_data=(X, TARGETS, weights), verbose=0).history
        expected = model.evaluate(X, TARGETS, sample_weight=weights)
        np.testing.assert_allclose(history["val_loss"], expected)

    def test_validation_split_takes_the_last_samples_and_their_weights(self):
        model = small()
        model.compile(SGD(0.0), "mse")
        weights = np.linspace(0.0, 2.0, 50)
        options = {"validation_split": 0.2, "sample_weight": weights, "verbose": 0}
        history = model.fit(X, TARGETS, **options).history
        last = model.evaluate(X[40:], TARGETS[40:], sample_weight=weights[40:])
        first = model.evaluate(X[:40], TARGETS[:40], sample_weight=weights[:40])
        np.testing.assert_allclose(history["val_loss"], last)
        np.testing.assert_allclose(history["loss"], first)

    def test_no_callbacks_can_be_none(self):
        model = small()
        model.compile("sgd", "mse")
        assert len(model.fit(X, TARGETS, callbacks=None, verbose=0).epoch) == 1

    def test_data_are_cast_to_the_model_s_type(self):
        model = Sequential([Dense(1)], input_shape=(3,))
        model.compile("sgd", "mse")
        model.fit(X, TARGETS, verbose=0)
        assert model.layers[0].weight.dtype == np.float32
        assert model.predict(X).dtype == np.float32


class TestEvaluateAndPredict:
    def test_evaluate_returns_what_keras_does(self):
        model = small(1, "sigmoid")
        model.compile("sgd", "binary_crossentropy")
        assert isinstance(model.evaluate(X, LABELS), float)
        model.compile("sgd", "binary_crossentropy", ["accuracy", "mse"])
        loss, accuracy, mse = model.evaluate(X, LABELS)
        named = model.evaluate(X, LABELS, return_dict=True)
        assert named == {"loss": loss, "accuracy": accuracy, "mse": mse}
        assert accuracy == np.mean((model.predict(X)[:, 0] > 0.5) == LABELS)

    def test_a_bar_is_shown_when_asked_for(self, capsys):
        model = small()
        model.compile(loss="mse")
        model.evaluate(X, TARGETS)
        model.predict(X)
        assert capsys.readouterr().err == ""
        model.evaluate(X, TARGETS, 10, 1)
        model.predict(X, 10, 1)
        assert capsys.readouterr().err.count(f"{-(-len(X) // 10)}/{-(-len(X) // 10)}") == 2

    def test_evaluation_leaves_no_trace(self):
        model = small()
        model.compile("sgd", "mse")
        model.evaluate(X, TARGETS)
        assert not any(p.has_grad for p in model.parameters())
        assert model(X).inputs  # recorded again

    def test_batch_size_does_not_matter(self):
        model = small(2, "softmax")
        np.testing.assert_allclose(model.predict(X, batch_size=7), model.predict(X), rtol=1e-12)
        assert model.predict(X).shape == (50, 2)

    def test_classes(self):
        several, one, logit = small(3, "softmax"), small(1, "sigmoid"), small(1)
        logit.compile(loss=partial(nn.losses.binary_crossentropy, from_logits=True))
        assert np.array_equal(several.predict_classes(X), several.predict(X).argmax(axis=1))
        assert np.array_equal(one.predict_classes(X), one.predict(X)[:, 0] > 0.5)
        assert np.array_equal(logit.predict_classes(X), logit.predict(X)[:, 0] > 0)

    def test_accuracy_of_logits_counts_from_zero(self):
        model = small(1)
        model.compile("sgd", partial(nn.losses.binary_crossentropy, from_logits=True), ["accuracy"])
        _, accuracy = model.evaluate(X, LABELS)
        assert accuracy == np.mean((model.predict(X)[:, 0] > 0) == LABELS)

    def test_train_on_batch_trains_as_fit_does_whatever_the_mode(self):
        model = Sequential([Dropout(0.9), Dense(1)])
        model.compile(SGD(0.0), "mse")
        model.build((3,), np.float64)
        model.eval()
        assert model.train_on_batch(X, TARGETS)["loss"] != model.evaluate(X, TARGETS)
        assert model.training

    def test_train_on_batch_takes_one_step(self):
        model = small(1, "sigmoid")
        model.compile(SGD(0.1), "binary_crossentropy", ["accuracy"])
        before = model.evaluate(X, LABELS, return_dict=True)
        figures = model.train_on_batch(X, LABELS)
        assert figures == pytest.approx(before)
        assert model.evaluate(X, LABELS)[0] < before["loss"]
        weighted = model.train_on_batch(X, LABELS, sample_weight=np.zeros(50))
        assert weighted["loss"] == 0.0


class TestStopping:
    @pytest.fixture(autouse=True)
    def _python_s_own_handler(self):
        """A suite that runs in the background inherits that interrupts are ignored."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    def test_a_callback_may_stop_training(self):
        model = small()
        model.compile("sgd", "mse")

        def stop(epoch, logs):
            model.stop_training = epoch == 1

        history = model.fit(
            X, TARGETS, epochs=5, callbacks=[LambdaCallback(on_epoch_end=stop)], verbose=0
        )
        assert history.epoch == [0, 1]
        assert model.fit(X, TARGETS, verbose=0).epoch == [0]  # and begin anew

    def test_ctrl_c_ends_after_the_batch_with_the_history_kept(self):
        batches = []

        def interrupt(batch, logs):
            batches.append(batch)
            if len(batches) == 6:  # the second batch of the second epoch
                os.kill(os.getpid(), signal.SIGINT)

        model = small()
        model.compile("sgd", "mse")
        history = model.fit(
            X, TARGETS, batch_size=16, epochs=5, validation_data=(X, TARGETS), verbose=0,
            callbacks=[LambdaCallback(on_train_batch_begin=interrupt)],
        )  # fmt: skip
        assert len(batches) == 6
        assert [len(figures) for figures in history.history.values()] == [2, 2]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_a_second_ctrl_c_breaks_off(self):
        def interrupt(batch, logs):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

        model = small()
        model.compile("sgd", "mse")
        callback = LambdaCallback(on_train_batch_begin=interrupt)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, TARGETS, callbacks=[callback], verbose=0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_other_threads_can_train(self):
        model = small()
        model.compile("sgd", "mse")
        thread = threading.Thread(target=model.fit, args=(X, TARGETS), kwargs={"verbose": 0})
        thread.start()
        thread.join()
        assert model.history.epoch == [0]

    def test_callbacks_hear_the_end_even_of_a_failure(self):
        heard = []

        class Fails(Callback):
            def on_epoch_end(self, epoch, logs):
                raise ZeroDivisionError

            def on_train_end(self, logs):
                heard.append("end")

        model = small()
        model.compile("sgd", "mse")
        with pytest.raises(ZeroDivisionError):
            model.fit(X, TARGETS, callbacks=[Fails()], verbose=0)
        assert heard == ["end"]


class TestProgress:
    def test_lines(self, capsys):
        model = small(1, "sigmoid")
        model.compile("sgd", "binary_crossentropy", ["accuracy"])
        model.fit(X, LABELS, epochs=2, verbose=2, validation_split=0.5)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:3] for line in lines] == [["epoch", n, "loss"] for n in "12"]
        assert all("val_accuracy" in line for line in lines)

    def test_bar_of_the_running_epoch_gives_way_to_its_line(self, capsys):
        model = small()
        model.compile("sgd", "mse")
        model.fit(X, TARGETS, epochs=2, batch_size=2, verbose=1)
        captured = capsys.readouterr()
        assert captured.err == ""
        assert "epoch 2:   0%" in captured.out
        shown = [part for part in captured.out.replace("\n", "\r").split("\r") if part.strip()]
        finished = [part for part in shown if "%" not in part]
        assert [part.split()[:3] for part in finished] == [["epoch", n, "loss"] for n in "12"]

    def test_silence(self, capsys):
        model = small()
        model.compile("sgd", "mse")
        model.fit(X, TARGETS, verbose=0)
        assert capsys.readouterr() == ("", "")

    def test_where_nobody_watches_lines_are_printed(self, capsys):
        model = small()
        model.compile("sgd", "mse")
        model.fit(X, TARGETS)
        captured = capsys.readouterr()
        assert captured.out.startswith("epoch 1  loss ")
        assert captured.err == ""


def compiled(**options):
    model = small()
    model.compile(**({"optimizer": "sgd", "loss": "mse"} | options))
    return model


WRONG = {
    "not compiled": (lambda: small().fit(X, TARGETS), OptionError, "it was not compiled"),
    "evaluated without loss": (lambda: small().evaluate(X, TARGETS), OptionError, "no loss"),
    "unknown loss": (lambda: compiled(loss="mean_square_error"), OptionError, "mean_squared_error"),
    "unknown optimizer": (lambda: compiled(optimizer="adan"), OptionError, "write: 'adam'"),
    "unknown metric": (lambda: compiled(metrics=["accurracy"]), OptionError, "write: 'accuracy'"),
    "metrics not in a list": (
        lambda: compiled(metrics=nn.metrics.accuracy),
        OptionError,
        r"metrics=\[",
    ),
    "x alone": (lambda: compiled().fit(X), DataError, "x without y"),
    "x alone, evaluated": (lambda: compiled().evaluate(X), DataError, r"write: evaluate\(x, y\)"),
    "a frame alone": (lambda: compiled().fit(pd.DataFrame(X)), DataError, "x without y"),
    "a number alone": (lambda: compiled().fit(3.0), DataError, "x without y"),
    "an iterator": (
        lambda: compiled().fit(iter([(X, TARGETS)])),
        DataError,
        "used up after one epoch",
    ),
    "lengths": (lambda: compiled().fit(X, TARGETS[:-1]), ShapeError, "50.*49"),
    "a share above 1": (
        lambda: compiled().fit(X, TARGETS, validation_split=1.5),
        OptionError,
        "validation_split = 1.5",
    ),
    "nothing to validate": (
        lambda: compiled().fit(X, TARGETS, validation_split=1.0),
        OptionError,
        "nothing on one side",
    ),
    "a split of batches": (
        lambda: compiled().fit([(X, TARGETS)], validation_split=0.5),
        OptionError,
        "only arrays can be split",
    ),
    "negative epochs": (lambda: compiled().fit(X, TARGETS, epochs=-1), OptionError, "epochs = -1"),
    "weights of classes that are none": (
        lambda: compiled().fit(X, TARGETS, class_weight={0: 2.0}),
        OptionError,
        "sample_weight",
    ),
    "a callback that is a function": (
        lambda: compiled().fit(X, TARGETS, callbacks=[print]),
        OptionError,
        "LambdaCallback",
    ),
    "nothing to predict": (lambda: compiled().predict(X[:0]), ShapeError, "no sample in it"),
}


@pytest.mark.parametrize(("act", "kind", "says"), WRONG.values(), ids=WRONG)
def test_wrong_inputs(act, kind, says):
    with pytest.raises(kind, match=f"(?s){says}"):
        act()


class TestSilentMistakesInFit:
    def test_inputs_far_from_unit_size(self):
        with pytest.warns(TrainingWarning, match=r"(?s)inputs of a size around 94.*StandardScaler"):
            compiled().fit(100 * X, TARGETS / 1e6, verbose=0)
        with pytest.warns(TrainingWarning, match="inputs of a size"):
            compiled().fit(X / 1e4, TARGETS, verbose=0)

    @pytest.mark.parametrize(
        "first", [nn.BatchNormalization(), nn.LayerNormalization(), nn.Activation("tanh"), small()]
    )
    def test_what_comes_before_weights_may_bring_inputs_to_their_size(self, first):
        class Rescaling(Module):
            def __call__(self, x):
                return x * 0.01

        first = Rescaling() if isinstance(first, Sequential) else first
        model = Sequential([nn.Flatten(), first, Dense(1)])
        model.compile("sgd", "mse")
        assert model.fit(150 * X, TARGETS, verbose=0).epoch == [0]  # and no warning

    def test_layers_without_weights_leave_inputs_at_their_size(self):
        model = Sequential([nn.Flatten(), Sequential([nn.Dropout(0.1), Dense(1)])])
        model.compile("sgd", "mse")
        with pytest.warns(TrainingWarning, match="inputs of a size"):
            model.fit(150 * X, TARGETS, verbose=0)

    def test_numbers_of_words_have_no_scale(self):
        model = Sequential([nn.Embedding(100, 2), nn.Flatten(), Dense(1)])
        model.compile("sgd", "mse")
        history = model.fit(RNG.integers(0, 100, (20, 3)), np.ones(20), verbose=0)
        assert history.epoch == [0]  # and no warning, which would be an error here

    def test_a_parameter_that_no_gradient_reaches(self):
        class Net(Module):
            def __init__(self):
                self.used, self.forgotten = Dense(1), Value(1.0)

            def __call__(self, x):
                return self.used(x)

        model = Net()
        model.compile("sgd", "mse")
        with pytest.warns(TrainingWarning, match="no gradient reaches forgotten of Net"):
            model.fit(X, TARGETS, verbose=0)

    def test_a_parameter_that_some_batches_reach_is_not_named(self):
        class Net(Module):
            def __init__(self):
                self.even, self.odd, self.count = Dense(1), Dense(1), 0

            def __call__(self, x):
                self.count += 1
                return self.even(x) if self.count % 2 else self.odd(x)

        model = Net()
        model.build((3,), np.float64)
        model.build((3,), np.float64)
        model.compile("sgd", "mse")
        history = model.fit(X, TARGETS, batch_size=10, verbose=0)
        assert history.epoch == [0]  # and no warning


class TestACallAfterFit:
    """A model is in training after fit, as one of PyTorch's is, and one of Keras's is not."""

    def fitted(self, layer, shape=(3,)):
        model = nn.Sequential([layer, nn.Flatten(), nn.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, *shape)), np.ones(4), verbose=0)
        return model, np.ones((4, *shape))

    @pytest.mark.parametrize(
        ("layer", "shape"),
        [
            (nn.Dropout(0.5), (3,)),
            (nn.GaussianNoise(0.5), (3,)),
            (nn.BatchNormalization(), (3,)),
            (nn.RandomFlip(), (3, 3, 1)),
            (nn.GRU(2, dropout=0.5), (2, 3)),
            (nn.Bidirectional(nn.LSTM(2, recurrent_dropout=0.5)), (2, 3)),
        ],
    )
    def test_is_warned_of_once_where_a_layer_acts_in_training(self, layer, shape):
        model, x = self.fitted(layer, shape)
        assert model.predict(x).shape == model.predict(x).shape  # which is no such call
        with pytest.warns(TrainingWarning) as caught:
            model(x), model(x)
        [said] = [str(w.message) for w in caught]
        assert said.startswith("Sequential called after fit, in training mode, with ")
        assert repr(layer) in said or "LSTM(units=2, recurrent_dropout=0.5)" in said
        assert "model.predict(x), or model.eval()" in said

    @pytest.mark.parametrize(
        "layer", [nn.Dropout(0.0), nn.LayerNormalization(), nn.BatchNormalization(trainable=False)]
    )
    def test_is_silent_where_no_layer_does(self, layer):
        model, x = self.fitted(layer)
        model(x)

    def test_is_silent_in_a_training_loop_by_hand(self):
        def loss_of(x):
            return np.mean(model(x) ** 2)

        model, x = self.fitted(nn.Dropout(0.5))
        for _ in range(2):
            model.zero_grad()
            loss_of(x).backward()
            model.optimizer.step(model)

    def test_is_silent_where_the_mode_was_chosen(self):
        model, x = self.fitted(nn.Dropout(0.5))
        with model.evaluating():
            model(x)
        model.train()(x), model.eval()(x)
        model, x = self.fitted(nn.Dropout(0.5))
        model.train_on_batch(x, np.ones(4))
        model(x)

    def test_is_silent_in_fit_and_does_not_record_a_step_anew(self):
        model = nn.Sequential([nn.Dropout(0.5), nn.Dense(1)])
        model.compile("sgd", "mse", jit=True)
        calls = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: model(X))
        for _ in range(3):
            model.fit(X, TARGETS, verbose=0, callbacks=[calls])
        assert model._compiled.recordings == 1


class TestALossThatIsNoNumber:
    def diverging(self, **options):
        model = nn.Sequential([nn.Dense(8), nn.Dense(1)])
        model.compile(nn.SGD(10.0), "mse", **options)
        return model

    @pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")
    @pytest.mark.parametrize("jit", [False, True])
    def test_is_warned_of_once_with_its_place(self, jit):
        model = self.diverging(jit=jit)
        losses = []
        watch = nn.LambdaCallback(
            on_train_batch_end=lambda batch, logs: losses.append(logs["loss"])
        )
        with pytest.warns(TrainingWarning) as caught:
            model.fit(X, TARGETS, epochs=9, batch_size=10, verbose=0, callbacks=[watch])
        first = next(i for i, loss in enumerate(losses) if not np.isfinite(loss))
        [said] = [str(w.message) for w in caught if "a loss of" in str(w.message)]
        assert f"in epoch {first // 5 + 1}, batch {first % 5 + 1}\n" in said
        assert "a smaller learning rate" in said

    @pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")
    def test_is_no_surprise_where_a_callback_ends_training_at_it(self):
        history = self.diverging().fit(
            X, TARGETS, epochs=99, batch_size=10, verbose=0, callbacks=[nn.TerminateOnNaN()]
        )
        assert len(history.epoch) < 9

    def test_comes_from_the_batch_where_that_holds_gaps(self):
        gaps = X.copy()
        gaps[3, 1] = np.nan
        with pytest.warns(TrainingWarning) as caught:
            self.diverging().fit([(X, TARGETS), (gaps, TARGETS)], verbose=0)
        [said] = [str(w.message) for w in caught]
        assert said.startswith("x with NaN or inf in 1 of 50 samples, the first in sample 3")


def test_metrics_none_are_no_metrics_and_a_number_is_refused():
    model = nn.Sequential([nn.Dense(1)])
    model.compile("sgd", "mse", metrics=None)
    assert set(model.fit(np.eye(2), np.ones(2), verbose=0).history) == {"loss"}
    with pytest.raises(OptionError, match="metrics = 5"):
        model.compile("sgd", "mse", metrics=5)


class TestAttributesAssignedAfterCompile:
    def test_names_are_chosen_as_in_compile(self):
        model = compiled()
        model.loss, model.optimizer, model.metrics = "mae", "adam", ["mse"]
        history = model.fit(X, TARGETS, verbose=0).history
        other = compiled(optimizer="adam", loss="mae", metrics=["mse"])
        assert history == other.fit(X, TARGETS, verbose=0).history

    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("loss", "msee", "loss 'msee'"),
            ("optimizer", "adm", "optimizer 'adm'"),
            ("metrics", ["maee"], "metric 'maee'"),
        ],
    )
    def test_unknown_names_are_refused_at_once(self, name, value, says):
        with pytest.raises(OptionError, match=f"(?s){says}"):
            setattr(compiled(), name, value)

    @pytest.mark.parametrize("name", ["loss", "optimizer"])
    def test_what_is_neither_is_refused_when_training_begins(self, name):
        model = compiled()
        setattr(model, name, 0.5)
        with pytest.raises(OptionError, match=f"{name} = 0.5"):
            model.fit(X, TARGETS, verbose=0)
