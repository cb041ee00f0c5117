"""The exercises of notebook 9: right answers pass, typical wrong ones are told what is wrong."""

import numpy as np
import pytest
from exercises import tables

NAMES = [
    "columns_after_one_hot",
    "standardise",
    "outside",
    "before_the_split",
    "gradient_through_the_scale",
]


def test_columns_after_one_hot():
    exercise = tables.columns_after_one_hot
    assert exercise.check(9).is_right
    slips = {5: "before coding", 7: "columns of numbers stay", 6: "drops one", 10: "the salary"}
    for wrong, words in slips.items():
        assert not exercise.check(wrong).is_right
        assert words in exercise.check(wrong)
    assert "too many" in exercise.check(100)
    assert "too few" in exercise.check(1)
    assert "one number" in exercise.check("nine")
    assert "= 9" in exercise.solution()


def _by(part, of):
    return (part - of.mean(axis=0)) / of.std(axis=0)


WRONG_SCALES = [
    (lambda a, b: (_by(a, a), _by(b, b)), "their own mean"),
    (lambda a, b: (_by(a, np.vstack([a, b])), _by(b, np.vstack([a, b]))), "leaked"),
    (lambda a, b: (a - a.mean(axis=0), b - a.mean(axis=0)), "division"),
    (lambda a, b: (a / a.std(axis=0), b / a.std(axis=0)), "mean is to be taken off"),
    (lambda a, b: ((a - a.mean(axis=0)) / a.var(axis=0), (b - a.mean(axis=0)) / a.var(axis=0)),
     "variance"),
    (lambda a, b: ((a - a.mean()) / a.std(), (b - a.mean()) / a.std()), "axis=0"),
    (lambda a, b: ((a - a.mean(0)) / a.std(0, ddof=1), (b - a.mean(0)) / a.std(0, ddof=1)),
     "n - 1"),
    (lambda a, b: (_by(a, a), b), "the test rows are not"),
    (lambda a, b: (a, b), "do not come out"),
    (lambda a, b: _by(a, a), "return train, test"),
    (lambda a, b: (a.mean(axis=0), b), "shapes change"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "words"), WRONG_SCALES)
def test_wrong_scales(wrong, words):
    reply = tables.standardise.check(wrong)
    assert not reply.is_right
    assert words in reply


def _bounds(numbers):
    low, high = np.quantile(numbers, [0.25, 0.75])
    return low, high, 1.5 * (high - low)


def _high_only(numbers):
    _, high, reach = _bounds(numbers)
    return numbers > high + reach


def _low_only(numbers):
    low, _, reach = _bounds(numbers)
    return numbers < low - reach


def _inside(numbers):
    return ~(_high_only(numbers) | _low_only(numbers))


def _outside_the_box(numbers):
    low, high, _ = _bounds(numbers)
    return (numbers < low) | (numbers > high)


def _from_the_median(numbers):
    return np.abs(numbers - np.median(numbers)) > _bounds(numbers)[2]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (_high_only, "misses the numbers that are too small"),
        (_low_only, "misses the numbers that are too large"),
        (_inside, "marks the numbers inside"),
        (_outside_the_box, "outside the box"),
        (_from_the_median, "from the median"),
        (lambda n: np.abs(n - n.mean()) > 3 * n.std(), "three standard deviations"),
        (lambda n: np.abs(n - n.mean()) > 2 * n.std(), "two standard deviations"),
        (lambda n: np.zeros(len(n), bool), "is outside: from"),
        (lambda n: np.ones(len(n), bool), "is not outside: from"),
        (lambda n: n[n > 100], "one bool for each number"),
    ],
)
def test_wrong_outliers(wrong, words):
    reply = tables.outside.check(wrong)
    assert not reply.is_right
    assert words in reply


@pytest.mark.parametrize("name", ["standardise", "outside"])
def test_functions(name):
    exercise, names = getattr(tables, name), {"np": np}
    exec(exercise.solution(), names)
    assert exercise.check(names[name]).is_right
    assert "a function is asked for" in exercise.check(3)


def test_before_the_split():
    exercise = tables.before_the_split
    assert exercise.check({"a", "d"}).is_right
    assert "b: the median" in exercise.check({"a", "b", "d"})
    assert "c: mean and deviation" in exercise.check("acd")
    assert "e: what goes with" in exercise.check(["a", "d", "e"])
    assert "a is missing" in exercise.check({"d"})
    assert "d is missing" in exercise.check(set())
    assert "letters from a to e" in exercise.check({"z"})
    assert "letters from a to e" in exercise.check(3)


def test_gradient_through_the_scale():
    exercise = tables.gradient_through_the_scale
    assert exercise.check({"w": -400.0, "b": 200.0}).is_right
    assert "sign" in exercise.check({"w": 400.0, "b": 200.0})
    assert "factor" in exercise.check({"w": -20.0, "b": 10.0})
    assert "mean" in exercise.check({"w": -800.0, "b": 400.0})
    assert exercise.check([-400, 200]).is_right
    assert "dict" in exercise.check(-400)


@pytest.mark.parametrize("name", ["before_the_split", "gradient_through_the_scale"])
def test_solutions_that_are_code_pass(name):
    exercise = getattr(tables, name)
    assert exercise.check(eval(exercise.solution())).is_right


@pytest.mark.parametrize("name", NAMES)
def test_dots_and_hints(name):
    exercise = getattr(tables, name)
    assert "Your turn" in exercise.check(...)
    assert exercise.hint() in exercise.check(None)
