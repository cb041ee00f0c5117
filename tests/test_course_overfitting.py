"""The exercises of 11_overfitting: right answers pass, wrong ones are told what is wrong."""

import numpy as np
import pytest
from exercises import overfitting as exercises

import nn

EXERCISES = ("reading", "early_stop", "penalty", "dropout", "normalization", "luck")


def solve(name):
    scope = {}
    exec(getattr(exercises, name).solution(), scope)
    return scope["answer"]


def stops(change=lambda best, last: (best, last), first=1, wait=0, as_good=False):
    """Return the right function, changed in one point."""

    def answer(losses, patience):
        best, best_epoch, epoch = float("inf"), 0, 0
        for epoch, loss in enumerate(losses, start=first):
            if loss < best or (as_good and loss == best):
                best, best_epoch = loss, epoch
            elif epoch - best_epoch >= patience + wait:
                break
        return change(best_epoch, epoch)

    return answer


def slopes(data=1.0, square=2.0, penalty=2.0, mean=True):
    """Return the right function, changed in one point."""

    def answer(weights, x, y, strength):
        slope = square * x.T @ (x @ weights - y) / (len(y) if mean else 1)
        return data * slope + penalty * strength * weights

    return answer


def normal(x, epsilon, **options):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, **options) + epsilon)


@pytest.mark.parametrize("name", EXERCISES)
def test_three_dots_are_told_that_it_is_their_turn(name):
    reply = getattr(exercises, name).check(...)
    assert "Your turn" in reply
    assert not reply


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_right(name):
    assert getattr(exercises, name).check(solve(name)) == "Right."


@pytest.mark.parametrize("name", EXERCISES)
def test_a_wrong_answer_gets_the_hint(name):
    exercise = getattr(exercises, name)
    reply = exercise.check("wrong")
    assert reply.startswith("Not yet: ")
    assert reply.endswith(exercise.hint())


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("reading", {"A": "fits"}, "a dict with A, B and C"),
        ("reading", {"A": "good", "B": "fits", "C": "fits"}, "'good' is none of"),
        ("reading", {"A": "fits", "B": "fits", "C": "fits"}, "A does not fit: look at the dist"),
        ("reading", {"A": "overfits", "B": "fits", "C": "fits"}, "B does not fit: the lines keep"),
        ("reading", {"A": "overfits", "B": "underfits", "C": "overfits"}, "C does not overfit"),
        ("early_stop", lambda losses, patience: None, "does it end with return"),
        ("early_stop", stops(first=0), "counted from 1"),
        ("early_stop", stops(lambda best, last: (last, best)), "changed places"),
        ("early_stop", stops(lambda best, last: (last, last)), "goes back to the best weights"),
        ("early_stop", lambda n, p: (np.argmin(n) + 1, len(n)), "which is never reached"),
        ("early_stop", stops(as_good=True), "it must be better"),
        ("early_stop", stops(wait=1), "one epoch too long"),
        ("early_stop", stops(wait=-1), "one epoch too early"),
        ("early_stop", lambda n, p: (9, 9), "you gave (9, 9)"),
        ("penalty", slopes(penalty=0), "through prediction only; the path through squares"),
        ("penalty", slopes(data=0), "through squares only"),
        ("penalty", slopes(penalty=1), "a path is missing"),
        ("penalty", slopes(penalty=-2), "has the wrong sign"),
        ("penalty", slopes(mean=False), "mean and sum are confused"),
        ("penalty", slopes(square=1), "inner derivative"),
        ("penalty", lambda w, x, y, s: 1.0, "the shape ()"),
        ("dropout", lambda x, kept, rate: np.where(kept, x, 0), "must grow"),
        ("dropout", lambda x, kept, rate: kept * x * (1 - rate), "became smaller"),
        ("dropout", lambda x, kept, rate: kept * x * rate, "multiplied by the rate"),
        ("dropout", lambda x, kept, rate: kept * x / rate, "divided by the rate"),
        ("dropout", lambda x, kept, rate: ~kept * x / (1 - rate), "what was to be kept"),
        ("dropout", lambda x, kept, rate: x[kept], "dropped ones become 0"),
        ("dropout", lambda x, kept, rate: 0 * x, "at rate 0.2"),
        ("dropout", lambda x, kept, rate: kept * x / (0.8 if rate < 0.5 else 1), "at rate 0.5"),
        ("normalization", lambda x, e: normal(x.T, e).T, "layer normalization"),
        ("normalization", lambda x, e: (x - x.mean()) / np.sqrt(x.var() + e), "whole table"),
        ("normalization", lambda x, e: normal(x, e) / np.sqrt(x.var(axis=0) + e), "its root"),
        ("normalization", lambda x, e: normal(x, 0), "epsilon is missing"),
        ("normalization", lambda x, e: (x - x.mean(0)) / (x.std(0) + e), "under the root"),
        ("normalization", lambda x, e: normal(x, e, ddof=1), "not by n - 1"),
        ("normalization", lambda x, e: x / np.sqrt(x.var(0) + e), "has not been taken away"),
        ("normalization", lambda x, e: x - x.mean(axis=0), "now divide"),
        ("normalization", lambda x, e: x.mean(axis=0), "keeps the shape"),
        ("normalization", lambda x, e: 0 * x, "the means [0.0, 0.0, 0.0, 0.0]"),
        ("luck", "right", "it had luck"),
        ("luck", "too low", "good luck along"),
        ("luck", "perhaps", "none of"),
    ],
)
def test_a_typical_wrong_answer_is_told_what_is_wrong(name, answer, words):
    reply = getattr(exercises, name).check(answer)
    assert not reply
    assert words in reply


def test_early_stopping_stops_where_the_callback_does():
    stop, losses = nn.EarlyStopping(patience=2), [3.0, 2.0, 2.0, 2.5, 1.0]
    model = nn.Sequential([nn.Dense(1)])
    stop.model = model
    stop.on_train_begin({})
    for epoch, loss in enumerate(losses):
        stop.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    assert (stop.best_epoch + 1, stop.stopped_epoch + 1) == solve("early_stop")(losses, 2)


def test_normalization_is_what_the_layer_does():
    x = np.random.default_rng(0).normal(size=(8, 3))
    layer = nn.BatchNormalization(epsilon=0.1)
    np.testing.assert_allclose(layer(x).data, solve("normalization")(x, 0.1), rtol=1e-6)


def test_the_curves_show_what_is_said_of_them():
    for name, reading in solve("reading").items():
        training, validation = (exercises.curves[name][key] for key in ("loss", "val_loss"))
        assert (training[-1] > 1) == (reading == "underfits")
        assert (np.argmin(validation) < len(validation) - 5) == (reading == "overfits")
