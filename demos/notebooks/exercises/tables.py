"""The exercises of notebook 9, from a table to a model."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Value

from .answers import (
    Misread,
    array,
    function,
    mistake_in_gradients,
    mistake_in_number,
    number,
    plain,
    shown,
)
from .exercise import Exercise


def _mistake_in_columns_after_one_hot(answer: Any) -> str | None:
    slips = {
        5: "that is before coding: a column of names becomes one column for each name",
        7: "the names alone make 7; the two columns of numbers stay as they are",
        6: "that drops one column of each group, as least squares without a penalty needs it; here"
        " every value gets one",
        10: "the salary is what is to be predicted: it is no input",
        60: "columns stand side by side: add them, do not multiply",
        12: "that is how many combinations of names there are; each name has a column of its own",
    }
    return mistake_in_number(answer, 9, slips, "too many, too few")


columns_after_one_hot = Exercise(
    _mistake_in_columns_after_one_hot,
    hint="Which columns are numbers, and stay one each? How many names are in each of the others?",
    solution="3 (rank) + 2 (discipline) + 2 (sex) + 2 (years) = 9",
    reads=number,
)


def _scaled(part: Any, by: Any, deviations: Callable[..., Any] = np.std) -> Any:
    return (part - by.mean(axis=0)) / deviations(by, axis=0)


def _mistake_in_standardise(answer: Any) -> str | None:
    rng = np.random.default_rng(0)
    train = rng.normal([10.0, -200.0, 3.0], [2.0, 50.0, 0.1], (40, 3))
    test = rng.normal([12.0, -150.0, 3.1], [2.0, 50.0, 0.1], (15, 3))
    found = answer(train.copy(), test.copy())
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "it returns one thing; both arrays are asked for: return train, test"
    found = [array(part) for part in found]
    shapes = [np.shape(part) for part in found]
    if shapes != [(40, 3), (15, 3)]:
        return f"the shapes change from (40, 3) and (15, 3) to {shapes[0]} and {shapes[1]}"
    if np.allclose(found[0], _scaled(train, train)) and np.allclose(found[1], _scaled(test, train)):
        return None
    return _told_by_scaling(found, train, test)


def _told_by_scaling(found: Any, train: Any, test: Any) -> str:
    """Return what explains arrays that were standardised in another way."""
    both = np.concatenate([train, test])

    def sample(part: Any, axis: int) -> Any:
        return np.std(part, axis=axis, ddof=1)

    mean, std = train.mean(axis=0), train.std(axis=0)
    slips = [
        (_scaled(train, train), _scaled(test, test), "the test rows are scaled by their own mean"
         " and deviation: a model would see them on another scale than the one it has learnt"),
        (_scaled(train, both), _scaled(test, both), "the mean and deviation of all rows are used:"
         " what the test rows know has leaked"),
        (train - mean, test - mean, "the division by the standard deviation is missing"),
        (train / std, test / std, "the mean is to be taken off first"),
        ((train - mean) / std**2, (test - mean) / std**2, "that divides by the variance; the"
         " standard deviation is its root"),
        ((train - train.mean()) / train.std(), (test - train.mean()) / train.std(), "all columns"
         " are scaled alike; each has a mean and deviation of its own: axis=0"),
        (_scaled(train, train, sample), _scaled(test, train, sample), "nearly: that is the"
         " deviation with n - 1, as pandas has it; divide by n, as np.std and StandardScaler do"),
    ]  # fmt: skip
    for first, second, said in slips:
        if np.allclose(found[0], first) and np.allclose(found[1], second):
            return said
    if np.allclose(found[0], _scaled(train, train)):
        return "the training rows are right, the test rows are not: they need the same numbers"
    return "the training rows do not come out with mean 0 and standard deviation 1 in each column"


standardise = Exercise(
    _mistake_in_standardise,
    hint="What may be known are the training rows. Take mean and deviation of each column from"
    " them, and use these numbers twice.",
    solution="""def standardise(train, test):
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / deviation, (test - mean) / deviation
""",
    reads=function,
)


def _mistake_in_outside(answer: Any) -> str | None:
    rng = np.random.default_rng(0)
    numbers = np.concatenate([rng.normal(50, 5, 60), [50.0, 67.0, 33.0, 200.0, 500.0, -90.0]])
    return _mistake_in_marks(answer, numbers) or _mistake_in_marks(answer, 0.1 * numbers - 7.0)


def _mistake_in_marks(answer: Any, numbers: Any) -> str | None:
    """Return what is wrong with the marks of some numbers."""
    found = np.asarray(answer(numbers.copy()))
    if found.shape != numbers.shape or found.dtype != bool:
        return f"it returns {found.dtype} of shape {found.shape}; one bool for each number is asked"
    low, high = np.quantile(numbers, [0.25, 0.75])
    reach = 1.5 * (high - low)
    right = (numbers < low - reach) | (numbers > high + reach)
    if (found == right).all():
        return None
    far = np.abs(numbers - numbers.mean())
    slips = [
        (numbers > high + reach, "it misses the numbers that are too small"),
        (numbers < low - reach, "it misses the numbers that are too large"),
        (~right, "it marks the numbers inside"),
        ((numbers < low) | (numbers > high), "it marks all outside the box: a half of the numbers"),
        (far > 3 * numbers.std(), "that is three standard deviations from the mean, which the wild"
         " numbers have moved themselves; quartiles do not move so"),
        (far > 2 * numbers.std(), "that is two standard deviations from the mean, which the wild"
         " numbers have moved themselves; quartiles do not move so"),
        (np.abs(numbers - np.median(numbers)) > reach, "it measures from the median; the quartiles"
         " are where the 1.5 ranges begin"),
    ]  # fmt: skip
    for marked, said in slips:
        if (found == marked).all():
            return said
    first = int(np.flatnonzero(found != right)[0])
    return f"{numbers[first]:.2f} is {'' if right[first] else 'not '}outside: from" + (
        f" {low - reach:.2f} to {high + reach:.2f} is inside"
    )


outside = Exercise(
    _mistake_in_outside,
    hint="low, high = np.quantile(numbers, [0.25, 0.75]); the range is high - low, and there are"
    " two sides to be outside on.",
    solution="""def outside(numbers):
    low, high = np.quantile(numbers, [0.25, 0.75])
    reach = 1.5 * (high - low)
    return (numbers < low - reach) | (numbers > high + reach)
""",
    reads=function,
)

_LEAKS = {
    "b": "b: the median would be one of all rows, the test rows included",
    "c": "c: mean and deviation would be those of all rows, the test rows included",
    "e": "e: what goes with the target in the test rows would choose your columns",
}
_MISSING = {
    "a": "a is missing: copies have to go before the split, else one is learnt and one is tested",
    "d": "d is missing: what is impossible is known beforehand, without any of the data",
}


def _letters(answer: Any) -> set[str]:
    """Read letters from a to e: a set, a list, an array, a dict of bools, or a text of them."""
    given = plain(answer)
    if isinstance(given, dict):
        given = [letter for letter, chosen in given.items() if chosen]
    if isinstance(given, str):
        given = re.findall(r"\w+", given.replace(" and ", " "))
        given = list(given[0]) if len(given) == 1 else given
    if isinstance(given, set | frozenset | list | tuple | np.ndarray):
        letters = {str(letter).strip().lower() for letter in given}
        if letters <= set("abcde"):
            return letters
    raise Misread(
        f'a set of letters from a to e is asked for, such as {{"a", "b"}}, not {shown(answer)}'
    )


def _mistake_in_before_the_split(letters: Any) -> str | None:
    wrong = [said for letter, said in _LEAKS.items() if letter in letters]
    wrong += [said for letter, said in _MISSING.items() if letter not in letters]
    return "; ".join(wrong) or None


before_the_split = Exercise(
    _mistake_in_before_the_split,
    hint="Ask of each step: does what happens to one row depend on the numbers of other rows?"
    " Copies are the exception: they are one row.",
    solution='{"a", "d"}  # b, c and e learn numbers from the rows: from the training rows, then',
    reads=_letters,
)


def _mistake_in_gradient_through_the_scale(answer: Any) -> str | None:
    w, b = Value(0.5, label="w"), Value(0.25, label="b")
    p = w * np.array([-1.0, 1.0]) + b
    p.label = "p"
    loss = np.mean((20.0 * p + 110.0 - np.array([90.0, 130.0])) ** 2)
    loss.label = "L"
    return mistake_in_gradients(loss, ("w", "b"), answer)


gradient_through_the_scale = Exercise(
    _mistake_in_gradient_through_the_scale,
    hint="From the error in dollars back to p there is one more factor than from the error to the"
    " prediction: the inner derivative, s.",
    solution="""{"w": -400.0, "b": 200.0}
# p = -0.25 and 0.75, errors 15 and -5, dL/dp = 2 * error * 20 / 2 = 300 and -100;
# dL/dw = 300 * (-1) + (-100) * 1, dL/db = 300 - 100
""",
)
