"""learning_rate_finder: how the loss answers to rates, with the model left as it was."""

import numpy as np
import pytest

import nn
from autograd_core import OptionError
from nn import Adam, Dense, Dropout, Sequential, learning_rate_finder

X = np.random.default_rng(0).normal(size=(60, 3))
Y = X @ [[1.0], [-2.0], [0.5]]


def compiled(optimizer="sgd"):
    nn.set_seed(0)
    model = Sequential([Dense(4, "tanh"), Dense(1)])
    model.compile(optimizer, "mse")
    return model


def test_rates_rise_by_equal_factors_until_the_loss_explodes():
    found = learning_rate_finder(compiled(), X, Y, lowest=1e-4, highest=100.0, steps=60)
    ratios = np.diff(np.log(found.rates))
    np.testing.assert_allclose(ratios, np.log(1e6) / 59)
    assert len(found.rates) == len(found.losses) < 60
    assert found.rates[0] == pytest.approx(1e-4)
    assert max(found.losses) <= 4 * min(found.losses) or found.losses[0] == max(found.losses)


def test_all_rates_are_tried_while_the_loss_stays_low():
    found = learning_rate_finder(compiled(), X, Y, lowest=1e-6, highest=1e-3, steps=5)
    assert found.rates[-1] == pytest.approx(1e-3)
    assert len(found.losses) == 5


def test_the_suggestion_trains_better_than_a_tenth_and_ten_times_of_the_range():
    found = learning_rate_finder(compiled(), X, Y)
    losses = {}
    for rate in (found.suggestion, found.rates[0], 10.0):
        model = compiled(nn.SGD(rate))
        with np.errstate(all="ignore"):
            model.fit(X, Y, epochs=10, verbose=0)
            losses[rate] = model.evaluate(X, Y)
    assert losses[found.suggestion] == min(losses.values())


def of_moons(optimizer, seed):
    nn.set_seed(seed)
    model = Sequential([Dense(16, "tanh"), Dense(1, "sigmoid")])
    model.compile(optimizer, "binary_crossentropy")
    return model


def test_suggestions_vary_little_with_the_start_and_training_works_at_each():
    x, y = nn.datasets.moons(300, noise=0.15, seed=0)
    suggestions = []
    for seed in range(12):
        found = learning_rate_finder(of_moons("sgd", seed), x, y, lowest=1e-4, highest=100.0)
        suggestions.append(found.suggestion)
        model = of_moons(nn.SGD(found.suggestion), seed)
        losses = model.fit(x, y, batch_size=20, epochs=40, verbose=0).history["loss"]
        assert losses[-1] < 0.25 < losses[0]  # beyond the plateau of a straight line
    assert max(suggestions) < 3 * min(suggestions)


def test_a_loss_that_never_falls_gives_no_suggestion():
    found = learning_rate_finder(compiled(), X, Y, lowest=1e3, highest=1e6, steps=5)
    assert np.isnan(found.suggestion)


def test_the_model_stays_as_it_was():
    nn.set_seed(0)
    model = Sequential([Dense(4), Dropout(0.2), Dense(1)])
    optimizer = Adam(0.05)
    model.compile(optimizer, "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    before, steps, slots = model.state_dict(), optimizer.iterations, dict(optimizer.slots)
    learning_rate_finder(model, X, Y, steps=20)
    after = model.state_dict()
    assert all(np.array_equal(after[name], data) for name, data in before.items())
    assert model.optimizer is optimizer
    assert (optimizer.learning_rate, optimizer.iterations) == (0.05, steps)
    assert optimizer.slots.keys() == slots.keys()


def test_a_loss_that_is_nan_from_the_start_gives_no_rate():
    found = learning_rate_finder(compiled(), X, np.full_like(Y, np.nan), steps=5)
    assert found.rates == []
    assert np.isnan(found.suggestion)


WRONG = {
    "falling rates": (
        lambda: learning_rate_finder(compiled(), X, Y, lowest=1, highest=0.1),
        "rise",
    ),
    "one step": (lambda: learning_rate_finder(compiled(), X, Y, steps=1), "steps of at least 2"),
    "not compiled": (lambda: learning_rate_finder(Sequential([Dense(1)]), X, Y), "not compiled"),
}


@pytest.mark.parametrize(("act", "says"), WRONG.values(), ids=WRONG)
def test_wrong_inputs(act, says):
    with pytest.raises(OptionError, match=says):
        act()
