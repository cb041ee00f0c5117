"""The exercises of 10_digits: right answers pass, wrong ones are told what is wrong."""

import numpy as np
import pytest
from exercises import digits as exercises

import nn
from autograd_core import softmax

EXERCISES = ("parameters", "batches", "pixels", "one_hot", "recall", "gradient", "reader")
BY_CODE = ("pixels", "one_hot", "recall", "gradient", "reader")


def probabilities(scores):
    return np.asarray(softmax(scores))


class Untrained(nn.Sequential):
    def __init__(self, hidden, outputs=10):
        nn.set_seed(0)
        super().__init__([nn.Dense(hidden), nn.Dense(outputs, "softmax")], input_shape=(64,))


@pytest.mark.parametrize("name", EXERCISES)
def test_three_dots_are_told_that_it_is_their_turn(name):
    reply = getattr(exercises, name).check(...)
    assert "Your turn" in reply
    assert not reply


@pytest.mark.parametrize("name", BY_CODE)
def test_the_solution_is_right(name):
    scope = {}
    exec(getattr(exercises, name).solution(), scope)
    assert getattr(exercises, name).check(scope["answer"]) == "Right."


@pytest.mark.parametrize(("name", "answer"), [("parameters", 101_770), ("batches", 469)])
def test_the_right_number_is_right_and_stands_in_the_solution(name, answer):
    exercise = getattr(exercises, name)
    assert exercise.check(answer)
    assert f"{answer:,}" in exercise.solution()


@pytest.mark.parametrize("name", EXERCISES)
def test_a_wrong_answer_gets_the_hint(name):
    exercise = getattr(exercises, name)
    reply = exercise.check(3)
    assert reply.startswith("Not yet: ")
    assert reply.endswith(exercise.hint())


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("parameters", 101_632, "every neuron has a bias"),
        ("parameters", 100_480, "the ten output neurons"),
        ("parameters", 100_362, "one from each hidden neuron"),
        ("parameters", 1_003_520, "added, not multiplied"),
        ("parameters", 922, "arrows between them"),
        ("parameters", 101_760, "output neurons are missing"),
        ("parameters", 101_642, "hidden neurons are missing"),
        ("parameters", 5, "5 is too few"),
        ("batches", 468, "96 images over"),
        ("batches", 468.75, "a whole number"),
        ("batches", 7_680_000, "no number of batches"),
        ("batches", 470, "470 is too many"),
        ("pixels", 7, "a function is asked for"),
        ("pixels", lambda p: None, "does it end with return"),
        ("pixels", lambda p: p / 255, "still pictures"),
        ("pixels", lambda p: p.reshape(len(p), -1).T / 255, "a column"),
        ("pixels", lambda p: p.ravel() / 255, "(3920,)"),
        ("pixels", lambda p: p.reshape(len(p), -1) // 255, "divide with /"),
        ("pixels", lambda p: p.reshape(len(p), -1) * 1.0, "up to 255"),
        ("pixels", lambda p: p.reshape(len(p), -1) / 256, "not 256"),
        ("pixels", lambda p: p.reshape(len(p), -1) / p.max(axis=(1, 2))[:, None], "its own"),
        ("pixels", lambda p: p.transpose(0, 2, 1).reshape(len(p), -1) / 255, "on their sides"),
        ("pixels", lambda p: 1 - p.reshape(len(p), -1) / 255, "changed places"),
        ("pixels", lambda p: p.reshape(len(p), -1) / 100, "the numbers are not"),
        ("one_hot", lambda k: np.eye(10)[k].T, "it should be a row"),
        ("one_hot", lambda k: np.eye(k.max() + 1)[k], "ten digits need ten"),
        ("one_hot", lambda k: np.eye(10)[k - 1], "too far to the left"),
        ("one_hot", lambda k: np.eye(10)[k + 1], "too far to the right"),
        ("one_hot", lambda k: 1 - np.eye(10)[k], "changed places"),
        ("one_hot", lambda k: np.zeros((len(k), 10)), "the row of label"),
        ("one_hot", lambda k: k, "(6,)"),
        ("recall", lambda n: np.diag(n) / n.sum(axis=0), "precision"),
        ("recall", np.diag, "divide each by its row's sum"),
        ("recall", lambda n: 1 - np.diag(n) / n.sum(axis=1), "share of mistakes"),
        ("recall", lambda n: np.diag(n).sum() / n.sum(), "one number for each digit"),
        ("recall", lambda n: np.diag(n) / n.sum(), "the whole table"),
        ("recall", lambda n: n / n.sum(axis=1, keepdims=True), "only its diagonal"),
        ("recall", lambda n: np.ones(4), "[1.0, 1.0, 1.0, 1.0]"),
        ("gradient", lambda s, t: (t - probabilities(s)) / len(t), "off by a sign"),
        ("gradient", lambda s, t: t - probabilities(s), "-4 times what it should be"),
        ("gradient", lambda s, t: probabilities(s) - t, "the factor 1/4 is missing"),
        ("gradient", lambda s, t: probabilities(s) / len(t), "taken away"),
        ("gradient", lambda s, t: s - t, "softmax comes first"),
        ("gradient", lambda s, t: -t / len(t), "local derivative is missing at node"),
        ("gradient", lambda s, t: 1 / 0, "stops with ZeroDivisionError"),
        ("reader", lambda x: x, "a trained network"),
        ("reader", Untrained(13), "was it fitted?"),
        ("reader", Untrained(14), "it has 1,060 parameters"),
        ("reader", Untrained(8, 1), "ten outputs are asked for"),
    ],
)
def test_a_typical_wrong_answer_is_told_what_is_wrong(name, answer, words):
    reply = getattr(exercises, name).check(answer)
    assert not reply
    assert words in reply


def test_a_reader_that_reads_too_little_is_told_how_much():
    scope = {}
    exec(exercises.reader.solution().replace("epochs=30", "epochs=2"), scope)
    assert "90 % are asked" in exercises.reader.check(scope["answer"])


def test_checking_leaves_the_data_as_it_is():
    """An answer that works in place, and is right, is right."""

    def answer(pixels):
        rows = pixels.reshape(len(pixels), -1).astype(float)
        rows /= 255
        pixels[:] = 0
        return rows

    assert exercises.pixels.check(answer)
