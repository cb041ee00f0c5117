"""Callbacks: each does what Keras's of the same name does."""

import csv
import math
import pickle

import numpy as np
import pytest

import nn
from autograd_core import FileError, OptionError
from nn import SGD, Adam, Dense, Sequential, TrainingWarning
from nn.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from tests.keras_oracle import keras

X = np.random.default_rng(0).normal(size=(12, 2))
Y = X @ [1.0, -1.0]


def model_of(rate=0.01):
    nn.set_seed(0)
    model = Sequential([Dense(1)])
    model.build((2,), np.float64)
    model.compile(SGD(rate), "mse")
    return model


class Play:
    """A model in whose place a list of figures is played to a callback."""

    def __init__(self, rate=1.0):
        self.optimizer = SGD(rate)
        self.stop_training = False
        self.state = 0

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state

    def __call__(self, callback, figures, name="val_loss"):
        """Return the number of epochs played, and the learning rate after each."""
        callback.model = self
        callback.on_train_begin({})
        rates = []
        for epoch, figure in enumerate(figures):
            self.state = epoch
            callback.on_epoch_end(epoch, {name: figure})
            rates.append(self.optimizer.learning_rate)
            if self.stop_training:
                break
        callback.on_train_end({})
        return len(rates), rates


class KerasModel:
    """What Keras's callbacks need of a model."""

    def __init__(self, rate=1.0):
        self.optimizer = keras.optimizers.SGD(rate)
        self.stop_training = False


def keras_plays(callback, figures):
    callback.set_model(KerasModel())
    callback.on_train_begin({})
    rates = []
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {"val_loss": figure})
        rates.append(float(callback.model.optimizer.learning_rate))
        if callback.model.stop_training:
            break
    return len(rates), rates


FIGURES = {
    "falls, then rises": [5.0, 4.0, 3.0, 3.5, 3.4, 3.2, 3.1, 2.0, 2.5, 2.6, 2.7, 2.8],
    "stands": [1.0] * 12,
    "falls slowly": [1 - 0.0013 * i for i in range(12)],
}


class TestEarlyStopping:
    def test_misses_a_figure_in_the_first_epoch_wherever_it_starts(self):
        with pytest.raises(OptionError, match="watches 'val_loss'"):
            Play()(EarlyStopping(start_from_epoch=5), [1.0], name="loss")

    @pytest.mark.parametrize("figures", FIGURES.values(), ids=FIGURES)
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"patience": 2},
            {"patience": 2, "min_delta": 0.3},
            {"patience": 3, "start_from_epoch": 2},
            {"patience": 2, "baseline": 3.1},
            {"patience": 2, "mode": "max"},
        ],
        ids=str,
    )
    def test_stops_where_keras_stops(self, options, figures):
        theirs = keras.callbacks.EarlyStopping(**({"mode": "min"} | options))
        assert Play()(EarlyStopping(**options), figures)[0] == keras_plays(theirs, figures)[0]

    def test_anything_is_better_than_nan(self):
        callback = EarlyStopping(patience=2)
        assert Play()(callback, [math.nan, 3.0, 2.0, 2.5, 2.6, 2.7])[0] == 5
        assert callback.best_epoch == 2  # Keras would take NaN for the best for ever
        assert Play()(callback, [math.nan] * 9)[0] == 2

    def test_goes_back_to_the_best_weights(self):
        play = Play()
        callback = EarlyStopping(patience=2, restore_best_weights=True)
        assert play(callback, [3.0, 1.0, 2.0, 2.0, 0.0])[0] == 4
        assert (callback.best_epoch, callback.stopped_epoch, play.state) == (1, 3, 1)

    def test_keeps_the_last_weights_unless_asked(self):
        play = Play()
        play(EarlyStopping(patience=2), [3.0, 1.0, 2.0, 2.0])
        assert play.state == 3

    @pytest.mark.parametrize(
        "name", ["val_accuracy", "auc", "precision", "f1_score", "val_r2_score"]
    )
    def test_larger_is_better_for_accuracies(self, name):
        assert Play()(EarlyStopping(name), [0.5, 0.6, 0.7, 0.6, 0.5], name)[0] == 4

    def test_in_fit(self):
        model = model_of()
        callback = EarlyStopping(patience=3, restore_best_weights=True)
        history = model.fit(
            X, Y, epochs=50, validation_data=(X, -Y), callbacks=[callback], verbose=0
        )
        assert len(history.epoch) == callback.best_epoch + 4
        best = history.history["val_loss"][callback.best_epoch]
        np.testing.assert_allclose(model.evaluate(X, -Y), best)


class TestReduceLROnPlateau:
    @pytest.mark.parametrize("figures", FIGURES.values(), ids=FIGURES)
    @pytest.mark.parametrize(
        "options",
        [
            {"patience": 1},
            {"patience": 2, "factor": 0.5},
            {"patience": 1, "cooldown": 2},
            {"patience": 0, "min_lr": 0.05},
            {"patience": 2, "min_delta": 0.01, "cooldown": 1},
        ],
        ids=str,
    )
    def test_lowers_the_rate_where_keras_does(self, options, figures):
        _, ours = Play()(ReduceLROnPlateau(**options), figures)
        _, theirs = keras_plays(keras.callbacks.ReduceLROnPlateau(mode="min", **options), figures)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)

    def test_history_has_the_rates(self):
        callback = ReduceLROnPlateau("loss", patience=1, min_delta=10.0)
        history = model_of().fit(X, Y, epochs=4, callbacks=[callback], verbose=0).history
        np.testing.assert_allclose(history["learning_rate"], [0.01, 0.01, 0.001, 0.0001])


def test_scheduler_sets_the_rate_of_each_epoch():
    model = model_of(1e-3)
    callback = LearningRateScheduler(lambda epoch, rate: rate / (1 + epoch))
    history = model.fit(X, Y, epochs=3, callbacks=[callback], verbose=0).history
    np.testing.assert_allclose(history["learning_rate"], [1e-3, 5e-4, 5e-4 / 3])


@pytest.mark.parametrize(
    "callback",
    [ReduceLROnPlateau("loss"), LearningRateScheduler(lambda epoch, rate: rate)],
    ids=["plateau", "scheduler"],
)
def test_a_schedule_is_not_overruled(callback):
    model = model_of()
    model.compile(SGD(nn.schedules.ExponentialDecay(0.1, 10, 0.9)), "mse")
    with pytest.raises(OptionError, match=r"(?s)ExponentialDecay.*or the schedule alone"):
        model.fit(X, Y, callbacks=[callback], verbose=0)


def test_terminate_on_nan_ends_training_at_the_batch():
    batches = []
    count = LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    model = model_of()
    y = Y.copy()
    y[5] = np.nan
    history = model.fit(
        X, y, batch_size=2, epochs=3, shuffle=False, callbacks=[TerminateOnNaN(), count], verbose=0
    )
    assert batches == [0, 1, 2]
    assert history.epoch == [0]


class TestModelCheckpoint:
    def test_saves_every_epoch_under_its_name(self, tmp_path):
        callback = ModelCheckpoint(tmp_path / "model-{epoch:02d}-{loss:.1f}.safetensors")
        history = model_of().fit(X, Y, epochs=2, callbacks=[callback], verbose=0).history["loss"]
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == [f"model-0{i + 1}-{history[i]:.1f}.safetensors" for i in range(2)]

    def test_saves_only_the_best(self, tmp_path):
        path = tmp_path / "best.safetensors"
        saved = []

        class Model(Play):
            def save(self, path):
                saved.append(self.state)

        Model()(ModelCheckpoint(path, save_best_only=True), [3.0, 2.0, 2.5, 1.0, 4.0])
        assert saved == [0, 1, 3]

    def test_names_figures_that_do_not_exist(self, tmp_path):
        callback = ModelCheckpoint(tmp_path / "{val_loss}.safetensors")
        with pytest.raises(OptionError, match="no figure 'val_loss': it gives epoch, loss"):
            model_of().fit(X, Y, callbacks=[callback], verbose=0)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "pattern",
        [
            *("{}", "{0}", "{epoch", "epoch}", "{epoch:02q}", "{loss:d}", "{loss.real}"),
            *("{loss[0]}", "{epoch:{width}}", "{loss!x}"),
        ],
    )
    def test_refuses_patterns_that_make_no_path_before_training(self, pattern):
        with pytest.raises(OptionError, match=r"filepath(.|\n)*\{epoch:02d\} and"):
            ModelCheckpoint(pattern + ".safetensors")

    def test_takes_braces_and_names_that_are_no_identifiers(self, tmp_path):
        class Named(Callback):
            def on_epoch_end(self, epoch, logs):
                logs["top-5"] = 0.5

        callback = ModelCheckpoint(tmp_path / "{{a}}-{top-5:.2f}")
        model_of().fit(X, Y, callbacks=[Named(), callback], verbose=0)
        assert [path.name for path in tmp_path.iterdir()] == ["{a}-0.50"]

    def test_makes_folders(self, tmp_path):
        path = tmp_path / "runs" / "{epoch}" / "model.safetensors"
        model_of().fit(X, Y, epochs=2, callbacks=[ModelCheckpoint(path)], verbose=0)
        assert (tmp_path / "runs" / "2" / "model.safetensors").exists()

    def test_says_why_it_cannot_save(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(FileError, match=r"writing .*\n.*why: .*Not a directory"):
            model_of().fit(X, Y, callbacks=[ModelCheckpoint(tmp_path / "file" / "m")], verbose=0)

    def test_holds_the_latest_model_where_the_path_comes_again(self, tmp_path):
        path, model = tmp_path / "model.safetensors", model_of()
        model.fit(X, Y, epochs=3, callbacks=[ModelCheckpoint(path)], verbose=0)
        found = nn.load(path).state_dict()
        assert all(np.array_equal(found[name], data) for name, data in model.state_dict().items())


class TestCSVLogger:
    def rows(self, path, **options):
        with open(path, newline="") as file:
            return list(csv.reader(file, **options))

    def test_one_line_for_each_epoch(self, tmp_path):
        path = tmp_path / "log.csv"
        history = model_of().fit(
            X, Y, epochs=2, validation_data=(X, Y), callbacks=[CSVLogger(path)], verbose=0
        )
        header, *rows = self.rows(path)
        assert header == ["epoch", "loss", "val_loss"]
        figures = history.history
        expected = [
            [str(i), str(figures["loss"][i]), str(figures["val_loss"][i])] for i in range(2)
        ]
        assert rows == expected

    def test_appends(self, tmp_path):
        path = tmp_path / "log.csv"
        model = model_of()
        model.fit(X, Y, epochs=1, callbacks=[CSVLogger(path, ";")], verbose=0)
        callback = CSVLogger(path, ";", append=True)
        model.fit(
            X, Y, epochs=2, initial_epoch=1, validation_data=(X, Y), callbacks=[callback], verbose=0
        )
        rows = self.rows(path, delimiter=";")
        assert [row[0] for row in rows] == ["epoch", "0", "1"]
        assert [len(row) for row in rows] == [2, 2, 2]  # the columns of the first line stay

    FOREIGN = {
        "other columns": (b"name,age\r\nAda,36\r\n", "no column epoch"),
        "another separator": (b"epoch;loss\r\n0;1.0\r\n", "no column epoch"),
        "no figure of ours": (b"epoch,time\r\n0,1.0\r\n", "no column for loss"),
        "another encoding": ("epoch,Größe\r\n".encode("latin-1"), "no text in columns"),
        "no text": (bytes(range(256)), "no text in columns"),
    }

    @pytest.mark.parametrize(("content", "says"), FOREIGN.values(), ids=FOREIGN)
    def test_leaves_files_of_others_alone(self, content, says, tmp_path):
        path = tmp_path / "log.csv"
        path.write_bytes(content)
        with pytest.raises(FileError, match=rf"CSVLogger(.|\n)*{says}"):
            model_of().fit(X, Y, callbacks=[CSVLogger(path, append=True)], verbose=0)
        assert path.read_bytes() == content

    def test_completes_the_last_line_before_it_appends(self, tmp_path):
        path = tmp_path / "log.csv"
        path.write_text("loss,epoch,note\n1.0,0,first")
        callback = CSVLogger(path, append=True)
        history = model_of().fit(X, Y, epochs=2, initial_epoch=1, callbacks=[callback], verbose=0)
        loss = str(history.history["loss"][0])
        assert self.rows(path)[1:] == [["1.0", "0", "first"], [loss, "1", ""]]

    def test_warns_of_figures_that_come_later(self, tmp_path):
        class Late(Callback):
            def on_epoch_end(self, epoch, logs):
                if epoch:
                    logs["late"] = 1.0

        callbacks = [Late(), CSVLogger(tmp_path / "log.csv")]
        with pytest.warns(TrainingWarning, match=r"late in epoch 2\n.*no column(.|\n)*before CSV"):
            model_of().fit(X, Y, epochs=3, callbacks=callbacks, verbose=0)
        assert [len(row) for row in self.rows(tmp_path / "log.csv")] == [2, 2, 2, 2]

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_writes_no_formulas(self, start, tmp_path):
        callback = CSVLogger(tmp_path / "log.csv")
        callback.on_train_begin({})
        callback.on_epoch_end(0, {"loss": 1.0, f"{start}A1, or": -0.5, "text": f"{start}A2"})
        columns, figures = self.rows(tmp_path / "log.csv")
        assert columns == ["epoch", "loss", f"'{start}A1, or", "text"]
        assert figures[2:] == ["-0.5", f"'{start}A2"]

    @pytest.mark.parametrize("separator", ["", ", ", "\n", "\r", '"', None, 1])
    def test_refuses_separators_that_separate_nothing(self, separator):
        with pytest.raises(OptionError, match="separator"):
            CSVLogger("log.csv", separator)

    def test_says_before_training_that_it_cannot_write(self, tmp_path):
        path, model = tmp_path / "none" / "log.csv", model_of()
        before = model.state_dict()
        with pytest.raises(FileError, match=r"none/log.csv\n.*No such file"):
            model.fit(X, Y, callbacks=[CSVLogger(path)], verbose=0)
        assert all(np.array_equal(before[name], data) for name, data in model.state_dict().items())

    def test_serves_two_trainings_one_after_the_other_and_can_be_pickled(self, tmp_path):
        path = tmp_path / "log.csv"
        callback = CSVLogger(path)
        model_of().fit(X, Y, epochs=3, callbacks=[callback], verbose=0)
        model_of().fit(X, Y, epochs=2, callbacks=[callback], verbose=0)
        assert [row[0] for row in self.rows(path)] == ["epoch", "0", "1"]
        assert pickle.loads(pickle.dumps(callback)).filename == path

    def test_appends_to_nothing(self, tmp_path):
        path = tmp_path / "log.csv"
        model_of().fit(X, Y, callbacks=[CSVLogger(path, append=True)], verbose=0)
        assert len(self.rows(path)) == 2


class TestCallback:
    def test_every_event_is_heard_in_order(self):
        heard = []
        events = [name for name in vars(Callback) if name.startswith("on_")]
        callback = LambdaCallback(
            **{name: lambda *args, name=name: heard.append(name[3:]) for name in events}
        )
        model_of().fit(X, Y, batch_size=6, epochs=2, callbacks=[callback], verbose=0)
        batch = ["train_batch_begin", "train_batch_end"]
        epoch = ["epoch_begin", *batch, *batch, "epoch_end"]
        assert heard == ["train_begin", *epoch, *epoch, "train_end"]

    def test_knows_the_model(self):
        callback = LambdaCallback()
        model = model_of()
        model.fit(X, Y, callbacks=[callback], verbose=0)
        assert callback.model is model

    def test_running_loss_of_the_epoch_comes_with_each_batch(self):
        losses = []
        callback = LambdaCallback(
            on_train_batch_end=lambda batch, logs: losses.append(logs["loss"])
        )
        history = model_of().fit(X, Y, batch_size=5, callbacks=[callback], verbose=0).history
        assert len(losses) == 3
        assert history["loss"] == losses[-1:]

    def test_history_says_where_it_stands(self):
        history = History()
        history.on_epoch_end(0, {"loss": 0.51234, "accuracy": 0.75})
        assert repr(history) == "History of 1 epoch: loss 0.5123, accuracy 0.75"


WRONG = {
    "mode": (lambda: EarlyStopping(mode="best"), "mode='best'"),
    "patience": (lambda: EarlyStopping(patience=-1), "patience = -1"),
    "min_delta": (lambda: EarlyStopping(min_delta=-0.1), "min_delta = -0.1"),
    "factor": (lambda: ReduceLROnPlateau(factor=1.0), "factor = 1.0"),
    "event": (lambda: LambdaCallback(on_epoch=print), "(?s)event 'on_epoch'.*on_epoch_begin"),
    "figure": (
        lambda: model_of().fit(X, Y, callbacks=[EarlyStopping()], verbose=0),
        "(?s)EarlyStopping that watches 'val_loss'.*no validation data.*validation_data",
    ),
}


@pytest.mark.parametrize(("act", "says"), WRONG.values(), ids=WRONG)
def test_wrong_inputs(act, says):
    with pytest.raises(OptionError, match=says):
        act()


def test_what_is_assigned_later_acts():
    stopping = EarlyStopping("loss", patience=5)
    stopping.monitor, stopping.patience = "accuracy", 1
    figures = [{"accuracy": figure, "loss": figure} for figure in (0.1, 0.2, 0.15, 0.3)]
    assert stopped_after(stopping, figures) == 3
    with pytest.raises(OptionError, match="mode='best'"):
        stopping.mode = "best"
    stopping.mode = "min"
    assert stopped_after(stopping, figures) == 2
    stopping.min_delta, stopping.mode = 0.15, "max"
    assert stopped_after(stopping, figures) == 2


def stopped_after(callback, logs):
    """Return after how many epochs a callback ends a training with these figures."""
    callback.model = model_of()
    callback.on_train_begin({})
    for epoch, each in enumerate(logs):
        callback.on_epoch_end(epoch, each)
        if callback.model.stop_training:
            return epoch + 1
    return None


def test_several_go_together():
    model = model_of()
    model.compile(Adam(0.1), "mse")
    callbacks = [
        EarlyStopping("loss", patience=6),
        ReduceLROnPlateau("loss", factor=0.5, patience=2),
    ]
    history = model.fit(X, Y, epochs=300, callbacks=callbacks, verbose=0).history
    assert len(history["loss"]) < 300
    assert min(history["loss"]) < 0.01
    assert history["learning_rate"][-1] < 0.1
