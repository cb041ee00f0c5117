"""jit=True sees what changes between steps: whatever eager training would see."""

import copy
import pickle
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_core
import nn
from autograd_core import OptionError, Value, callback, fresh
from nn.callbacks import LambdaCallback
from nn.settings import Settings

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4))
Y = RNG.normal(size=(24, 3))


class Penalty:
    """A regularizer of a user, with an attribute that training may change."""

    def __init__(self, strength):
        self.strength = strength

    def __call__(self, x):
        return self.strength * np.sum(x * x)


class Scale(nn.layers.ArrayLayer):
    """A layer of a user with settings in a dict and a list."""

    def __init__(self):
        self.options = {"factor": 1.0, "shifts": [0.0, 0.5]}

    def forward(self, x):
        return x * self.options["factor"] + self.options["shifts"][0]


class Weighted:
    """A loss of a user, an object."""

    def __init__(self):
        self.factor = 1.0

    def __call__(self, y_true, y_pred, sample_weight=None):
        return self.factor * nn.losses.mean_squared_error(y_true, y_pred, sample_weight)

    def doubled(self, y_true, y_pred, sample_weight=None):
        return 2.0 * self(y_true, y_pred, sample_weight)


def network(optimizer=None, loss="mse"):
    model = nn.Sequential(
        [
            nn.Dense(5, "tanh", kernel_regularizer=Penalty(0.1), kernel_constraint="max_norm"),
            nn.BatchNormalization(),
            nn.Dropout(0.2),
            nn.GaussianNoise(0.1),
            Scale(),
            nn.Dense(3, activity_regularizer=nn.regularizers.L1(0.01)),
        ]
    )
    model.compile(optimizer or nn.SGD(0.05, momentum=0.5, weight_decay=0.01), loss)
    return model


def shaped_anew(model):
    model.layers[-1] = nn.Dense(3, "sigmoid")


def with_partial(model):
    model.loss = partial(nn.losses.huber, delta=0.5)


CHANGES = {
    "rate of dropout": lambda m: setattr(m.layers[2], "rate", 0.7),
    "noise": lambda m: setattr(m.layers[3], "stddev", 0.5),
    "evaluation of one layer": lambda m: m.layers[2].eval(),
    "normalization as in evaluation": lambda m: m.layers[1].eval(),
    "momentum of averages": lambda m: setattr(m.layers[1], "momentum", 0.5),
    "epsilon": lambda m: setattr(m.layers[1], "epsilon", 0.5),
    "activation": lambda m: setattr(m.layers[0], "activation", nn.activations.get("relu")),
    "no bias": lambda m: setattr(m.layers[0], "use_bias", False),
    "a regularizer's strength": lambda m: setattr(m.layers[0].kernel_regularizer, "strength", 0.9),
    "an activity regularizer's strength": lambda m: setattr(
        m.layers[5].activity_regularizer, "l1", 0.5
    ),
    "no activity regularizer": lambda m: setattr(m.layers[5], "activity_regularizer", None),
    "an activity regularizer": lambda m: setattr(
        m.layers[2], "activity_regularizer", nn.regularizers.L2(0.3)
    ),
    "a constraint": lambda m: setattr(m.layers[0].kernel_constraint, "max_value", 0.1),
    "a dict": lambda m: m.layers[4].options.update(factor=3.0),
    "a list": lambda m: m.layers[4].options["shifts"].__setitem__(0, 1.0),
    "another layer": shaped_anew,
    "one more layer": lambda m: m.layers.insert(1, nn.Dense(5, "elu")),
    "one layer less": lambda m: m.layers.pop(2),
    "layers in another order": lambda m: m.layers.insert(2, m.layers.pop(3)),
    "learning rate": lambda m: setattr(m.optimizer, "learning_rate", 0.01),
    "a schedule": lambda m: setattr(
        m.optimizer, "learning_rate", nn.schedules.ExponentialDecay(0.1, 2, 0.5)
    ),
    "momentum": lambda m: setattr(m.optimizer, "momentum", 0.9),
    "nesterov": lambda m: setattr(m.optimizer, "nesterov", True),
    "weight decay": lambda m: setattr(m.optimizer, "weight_decay", 0.3),
    "clipping by norm": lambda m: setattr(m.optimizer, "clipnorm", 0.01),
    "clipping by value": lambda m: setattr(m.optimizer, "clipvalue", 0.01),
    "clipping of all": lambda m: setattr(m.optimizer, "global_clipnorm", 0.01),
    "accumulation": lambda m: setattr(m.optimizer, "gradient_accumulation_steps", 2),
    "another optimizer": lambda m: setattr(m, "optimizer", nn.Adam(0.05)),
    "the number of the step": lambda m: setattr(m.optimizer, "iterations", 0),
    "slots forgotten": lambda m: setattr(m.optimizer, "slots", {}),
    "slots cleared": lambda m: m.optimizer.slots.clear(),
    "slots at zero": lambda m: [s.update(dict.fromkeys(s, 0.0)) for s in m.optimizer.slots.values()]
    and [m.optimizer.slots.update({p: {}}) for p in m.parameters()],
    "another loss": lambda m: setattr(m, "loss", nn.losses.get("mae")),
    "a loss with options": with_partial,
    "compiled again": lambda m: m.compile(nn.RMSprop(0.01), "huber", jit=m.jit),
    "eager from here on": lambda m: setattr(m, "jit", False),
    "weights": lambda m: setattr(m.layers[0].weight, "data", m.layers[0].weight.data * 0.5),
    "a parameter object": lambda m: setattr(
        m.layers[0], "weight", Value(m.layers[0].weight.data * 0.5)
    ),
    "an equal parameter object": lambda m: setattr(
        m.layers[0], "weight", Value(m.layers[0].weight.data)
    ),
    "loaded weights": lambda m: m.load_state_dict(
        {name: array * 0.9 for name, array in m.state_dict().items()}
    ),
    "running averages": lambda m: setattr(m.layers[1], "running_mean", np.ones(5)),
    "a seed": lambda m: nn.set_seed(9),
    "looked at": lambda m: [m.evaluate(X, Y), m.predict(X), m.train(), m.summary(), repr(m)],
    "copied": lambda m: [copy.deepcopy(m), pickle.dumps(m.state_dict())],
}  # fmt: skip


def fitted(jit, change, at):
    """Return losses and weights of a training in which something changes at a place."""
    nn.set_seed(3)
    model = network()
    model.jit = jit
    x, y = X.astype("f"), Y.astype("f")
    losses = []

    def change_once(number, logs):
        if number == 1 and not changed:
            changed.append(change(model))

    changed = []
    events = {"batch": "on_train_batch_begin", "epoch": "on_epoch_begin"}
    callbacks = [LambdaCallback(**{events[at]: change_once})] if at in events else []
    if at == "step":
        for step in range(8):
            if step == 4:
                change(model)
            losses.append(model.train_on_batch(x[:8], y[:8])["loss"])
    else:
        model.fit(x, y, batch_size=10, epochs=3, verbose=0, callbacks=callbacks)
        losses += model.history.history["loss"]
        if at == "fit":
            change(model)
        model.fit(x, y, batch_size=10, epochs=2, verbose=0)
        losses += model.history.history["loss"]
    return losses, model.state_dict(), model


PLACES = ["batch", "step", "epoch", "fit"]
PAIRS = [(name, PLACES[(i + k) % 4]) for i, name in enumerate(CHANGES) for k in range(2)]


@pytest.mark.filterwarnings("ignore::nn.mistakes.TrainingWarning")
@pytest.mark.parametrize(("name", "at"), PAIRS)
def test_what_changes_between_steps_is_seen(name, at):
    expected, state, _ = fitted(False, CHANGES[name], at)
    losses, found, _ = fitted(True, CHANGES[name], at)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for key, array in state.items():
        assert found[key].dtype == array.dtype
        np.testing.assert_allclose(found[key], array, rtol=1e-3, atol=1e-5, err_msg=key)


def recordings(model):
    return model._compiled.recordings, model._compiled._program.traces


class Following(nn.layers.ArrayLayer):
    """A layer of a user with a buffer that each step moves."""

    def __init__(self):
        self.mean = np.zeros(3)

    def forward(self, x):
        callback(self.follow, np.mean(x, 0))
        return x - fresh(lambda: self.mean)

    def follow(self, mean):
        self.mean = 0.5 * self.mean + 0.5 * mean


def test_a_step_is_recorded_once_for_each_shape():
    nn.set_seed(0)
    model = nn.Sequential([nn.Dense(3), nn.BatchNormalization(), Following(), nn.Dense(3)])
    model.compile(nn.Adam(0.01), "mse", metrics=["mae"], jit=True)
    for _ in range(2):
        model.fit(X, Y, batch_size=10, epochs=3, verbose=0, validation_data=(X, Y))
        model.evaluate(X, Y)
        model.train_on_batch(X[:10], Y[:10])
    assert recordings(model) == (1, 2)


def test_equal_numbers_take_no_recording():
    model = network()
    model.jit = True
    for _ in range(4):
        model.layers[2].rate = float("0.2")
        model.layers[0].activation = nn.activations.get("tanh")
        model.train_on_batch(X, Y)
    assert recordings(model) == (1, 1)


def test_settings_that_vary_are_warned_of():
    model = network()
    model.jit = True

    def vary(steps):
        for step in range(steps):
            model.layers[2].rate = step / 100
            model.train_on_batch(X, Y)

    vary(10)
    with pytest.warns(nn.TrainingWarning, match="layers.2.rate that has changed again") as log:
        vary(5)
    assert len(log) == 1


def test_copies_and_pickles_leave_the_program_out():
    model = network()
    model.jit = True
    for _ in range(2):
        model.train_on_batch(X, Y)
    twin = copy.deepcopy(model)
    again = pickle.loads(pickle.dumps(nn.Sequential([nn.Dense(2)])))
    assert again.layers[0].units == 2
    nn.set_seed(5)
    first = [model.train_on_batch(X, Y)["loss"] for _ in range(3)]
    nn.set_seed(5)
    second = [twin.train_on_batch(X, Y)["loss"] for _ in range(3)]
    np.testing.assert_allclose(first, second, rtol=1e-12)


@pytest.mark.parametrize("jit", [False, True])
def test_an_optimizer_does_not_serve_two_models(jit):
    optimizer = nn.Adam(0.05)
    models = [nn.Sequential([nn.Dense(3, "tanh"), nn.Dense(3)]) for _ in range(2)]
    for model in models:
        model.compile(optimizer, "mse", jit=jit)
    for _ in range(2):
        models[0].train_on_batch(X, Y)
    with pytest.raises(OptionError, match="2 steps of another model"):
        models[1].train_on_batch(X, Y)


def test_an_optimizer_that_counts_steps_is_refused_or_right():
    class Warm(nn.Optimizer):
        def update(self, data, gradient, slots, learning_rate):
            return data - gradient * (learning_rate / self.iterations)

    def trained(jit):
        nn.set_seed(2)
        model = nn.Sequential([nn.Dense(3)])
        model.compile(Warm(0.1), "mse", jit=jit)
        return [model.train_on_batch(X, Y)["loss"] for _ in range(5)]

    np.testing.assert_allclose(trained(True), trained(False), rtol=1e-12)


def test_a_parameter_that_the_loss_does_not_reach_stays():
    class Part(nn.Module):
        def __init__(self):
            self.used, self.unused = Value(np.ones((4, 3))), Value(np.ones(3))

        def __call__(self, x):
            return x @ self.used

    for jit in (False, True):
        model = Part()
        model.compile(nn.SGD(0.1, weight_decay=0.5), "mse", jit=jit)
        for _ in range(3):
            model.train_on_batch(X, Y)
        assert model.unused.data.tolist() == [1.0] * 3
        assert not np.allclose(model.used.data, 1.0)


OWN = tuple(str(Path(package.__file__).parent) for package in (nn, autograd_core))


def interrupted(model, line):
    """Take a step in which Ctrl-C is pressed at a line of ours; return how many lines ran.

    Lines of `__del__` are left out: Python does not pass on what is raised there.
    """
    lines = [0]

    def look(frame, event, _):
        code = frame.f_code
        if code.co_name == "__del__" or not code.co_filename.startswith(OWN):
            return None
        lines[0] += event == "line"
        if lines[0] == line and event == "line":
            raise KeyboardInterrupt
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        with suppress(KeyboardInterrupt):
            model.train_on_batch(X, Y)
    finally:
        sys.settrace(before)
    return lines[0]


def numbers(model):
    """Return parameters, slots and the number of the step as one array."""
    parameters = model.parameters()
    slots = [a for p in parameters for a in model.optimizer.slots[p].values()]
    every = [*[p.data for p in parameters], *slots, model.optimizer.iterations]
    return np.concatenate([np.ravel(part) for part in every])


@pytest.mark.parametrize("jit", [False, True])
def test_an_interrupted_step_is_taken_or_not(jit):
    nn.set_seed(0)
    model = nn.Sequential([nn.Dense(3, "tanh", kernel_constraint="max_norm"), nn.Dense(3)])
    model.compile(nn.Adam(0.05), "mse", jit=jit)
    for _ in range(3):
        model.train_on_batch(X, Y)
    state, slots = model.state_dict(), copy.deepcopy([*model.optimizer.slots.values()])

    def at_first():
        model.load_state_dict(state)
        model.optimizer.iterations = 3
        for own, others in zip(model.optimizer.slots.values(), slots, strict=True):
            own.update({name: array.copy() for name, array in others.items()})

    before = numbers(model)
    count = interrupted(model, -1)
    after = numbers(model)
    assert not np.allclose(before, after)
    taken = []
    for line in [*range(1, count - 100, 97), *range(count - 100, count + 1, 3)]:
        at_first()
        interrupted(model, line)
        now = numbers(model)
        was_taken = model.optimizer.iterations == 4
        np.testing.assert_allclose(now, after if was_taken else before, rtol=1e-6, atol=1e-9)
        taken.append(was_taken)
    assert taken == sorted(taken)
    assert set(taken) == {False, True}


def test_losses_beside_a_thread_that_draws_are_those_without():
    def losses(beside):
        ends, other = threading.Event(), np.random.default_rng(5)

        def draw():
            while not ends.is_set():
                other.normal(size=3)

        thread = threading.Thread(target=draw)
        if beside:
            thread.start()
        nn.set_seed(0)
        model = nn.Sequential([nn.Dense(4, "tanh"), nn.Dropout(0.1), nn.Dense(3)])
        model.compile(nn.SGD(0.1), "mse", jit=True)
        found = model.fit(X, Y, batch_size=10, epochs=3, verbose=0).history["loss"]
        ends.set()
        if beside:
            thread.join()
        return found

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-12)


def test_a_buffer_that_is_loaded_counts():
    def losses(jit):
        nn.set_seed(0)
        model = nn.Sequential([nn.LSTM(3), nn.Dense(3)])
        model.compile(nn.SGD(0.1), "mse", jit=jit)
        found = []
        for step in range(6):
            if step == 3:
                state = model.state_dict()
                state["0.bias_hh_l0"] += 1.0
                model.load_state_dict(state)
            found.append(model.train_on_batch(X.reshape(24, 2, 2), Y)["loss"])
        return found

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-12)


@pytest.mark.parametrize("number", [1.0, 2.0])
def test_another_value_in_a_list_of_a_layer_is_a_change_whatever_its_number(number):
    holder = SimpleNamespace(weights=[Value(1.0)])
    settings = Settings({"layer": holder})
    assert settings.changed() is None
    holder.weights[0] = Value(number)
    assert settings.changed() == "layer.weights.0"
