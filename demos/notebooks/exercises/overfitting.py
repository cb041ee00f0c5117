"""The exercises of the notebook 11_overfitting."""

import re
from typing import Any

import numpy as np

from autograd_core import Value

from .answers import Misread, first_mistake, function, plain, shown, word
from .exercise import Exercise

EPOCHS = np.arange(1, 41)
_falling = 2.2 * np.exp(-EPOCHS / 6)

# Losses of three trainings, as `fit` would return them
_LOSSES = {
    "A": (0.02 + _falling, 0.35 + _falling + 0.012 * EPOCHS),
    "B": (1.85 + 0.2 * _falling, 1.9 + 0.2 * _falling),
    "C": (0.12 + _falling, 0.17 + _falling),
}
curves = {
    name: {"loss": training.tolist(), "val_loss": validation.tolist()}
    for name, (training, validation) in _LOSSES.items()
}
_READINGS = {"A": "overfits", "B": "underfits", "C": "fits"}
_WHY = {
    "A": "look at the distance between the two lines, and at where the dot stands",
    "B": "the lines keep together, but look how high: ln 10 = 2.3 is the loss of knowing nothing",
    "C": "both lines are low, and close to each other to the end",
}


def _near(given: Any, wanted: Any) -> bool:
    """Return whether two arrays have the same shape and, but for rounding, the same numbers."""
    return np.shape(given) == np.shape(wanted) and np.allclose(given, wanted, rtol=1e-6, atol=1e-9)


def _first(given: Any, slips: dict[str, Any], otherwise: str) -> str:
    """Return the text of the first slip that gives the same numbers."""
    return next((text for text, slip in slips.items() if _near(given, slip)), otherwise)


def _reading(answer: Any) -> dict[str, str]:
    """Read what is said of A, B and C, by name or in this order."""
    given = plain(answer)
    if isinstance(given, list | tuple | np.ndarray) and len(given) == len(_READINGS):
        given = dict(zip(_READINGS, given, strict=True))
    if not isinstance(given, dict) or set(given) != set(_READINGS):
        raise Misread('the answer is a dict with A, B and C, such as {"A": "fits", ...}')
    found = {}
    for name, said in given.items():
        stem = re.sub(r"[\s-]", "", word(said))
        found[name] = re.sub(r"^(over|under|)fit(s|ted|ting)?$", r"\1fits", stem)
        if found[name] not in _READINGS.values():
            raise Misread(f'{shown(said)} is none of "overfits", "underfits" and "fits"')
    return found


def _mistake_in_reading(answer: Any) -> str | None:
    for name, reading in _READINGS.items():
        if answer[name] != reading:
            return f"{name} does not {answer[name].removesuffix('s')}: {_WHY[name]}"
    return None


def _mistake_in_early_stop(answer: Any) -> str | None:
    cases = [
        ([5.0, 4.0, 3.0, 3.5, 3.6, 3.7, 3.8, 1.0], 3, (3, 6)),
        ([5.0, 6.0, 4.0, 6.0, 7.0], 2, (3, 5)),
        ([3.0, 2.0, 2.0, 2.0, 1.0], 2, (2, 4)),
        ([3.0, 2.0, 1.0], 2, (3, 3)),
    ]
    for losses, patience, (best, last) in cases:
        given = answer(list(losses), patience)
        if np.shape(given) != (2,):
            return "it returns two numbers: the best epoch, and the last one"
        given = tuple(given)
        at = f"losses {losses} and patience {patience}"
        if given == (best, last):
            continue
        if given == (best - 1, last - 1):
            return "epochs are counted from 1, and yours from 0"
        if given == (last, best):
            return "the two have changed places: the best epoch comes first"
        if given == (last, last):
            return f"{at}: it stops in epoch {last}, but goes back to the best weights before that"
        if losses[1:3] == [2.0, 2.0]:
            return f"{at}: a loss that is as good as the best is no improvement, it must be better"
        if given[0] == np.argmin(losses) + 1 != best:
            return f"{at}: training has ended before epoch {given[0]}, which is never reached"
        if given == (best, last + 1):
            return f"{at}: you waited one epoch too long"
        if given == (best, last - 1):
            return f"{at}: you stopped one epoch too early"
        return f"{at}: you gave {given}"
    return None


def _mistake_in_penalty(answer: Any) -> str | None:
    for seed in range(3):
        random = np.random.default_rng(seed)
        n, strength = 5 + seed, 0.3
        x, y = random.normal(size=(n, 3)), random.normal(size=n)
        weights = Value(random.normal(size=3), label="weights")
        prediction, squares = x @ weights, weights * weights
        loss = ((prediction - y) ** 2).mean() + strength * squares.sum()
        prediction.label, squares.label, loss.label = "prediction", "squares", "loss"
        given = answer(weights.data.copy(), x, y, strength)
        if np.shape(given) != (3,):
            return f"three weights have three slopes; yours have the shape {np.shape(given)}"
        error = x @ weights.data - y
        if _near(given, x.T @ error / n + 2 * strength * weights.data):
            return "the square of the errors has an inner derivative too: a factor 2 is missing"
        mistake = first_mistake(loss, {weights: given})
        if mistake:
            return mistake
    return None


def _mistake_in_dropout(answer: Any) -> str | None:
    for seed, rate in enumerate((0.2, 0.5, 0.75)):
        random = np.random.default_rng(seed)
        x = random.normal(size=(4, 6))
        kept = random.random(x.shape) >= rate
        given = np.asarray(answer(x.copy(), kept.copy(), rate))
        if given.shape != x.shape:
            return f"{x.shape} numbers came in, {given.shape} come out: dropped ones become 0"
        wanted = np.where(kept, x / (1 - rate), 0.0)
        slips = {
            "what is kept must grow, so that the mean of all stays": np.where(kept, x, 0.0),
            "what is kept became smaller: divide by the share that is kept": kept * x * (1 - rate),
            "you multiplied by the rate": kept * x * rate,
            "you divided by the rate, which is the share that is dropped": kept * x / rate,
            "you dropped what was to be kept": ~kept * x / (1 - rate),
        }
        if rate != 0.5 and not _near(given, wanted):
            return _first(given, slips, f"at rate {rate}, {x[0, 0]:.3f} became {given[0, 0]:.3f}")
        if not _near(given, wanted):
            return f"at rate {rate} the numbers are wrong, although at others they are right"
    return None


def _mistake_in_normalization(answer: Any) -> str | None:
    for seed in range(2):
        random = np.random.default_rng(seed)
        x, epsilon = random.normal(3.0, 2.0, (6, 4)), 0.1
        given = np.asarray(answer(x.copy(), epsilon))
        if given.shape != x.shape:
            return f"from shape {x.shape} came {given.shape}; normalizing keeps the shape"
        middle, variance = x - x.mean(axis=0), x.var(axis=0)
        across = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(
            x.var(axis=1, keepdims=True) + epsilon
        )
        slips = {
            "these are the rows, normalized one by one (layer normalization); here it is columns":
                across,
            "mean and variance are of the whole table; each column has its own": (
                (x - x.mean()) / np.sqrt(x.var() + epsilon)
            ),
            "you divided by the variance: its root is missing": middle / (variance + epsilon),
            "epsilon is missing: it keeps a column of equal numbers from 0 / 0":
                middle / np.sqrt(variance),
            "epsilon belongs under the root, beside the variance":
                middle / (np.sqrt(variance) + epsilon),
            "the variance is the mean of squares here, divided by n and not by n - 1":
                middle / np.sqrt(x.var(axis=0, ddof=1) + epsilon),
            "the mean has not been taken away": x / np.sqrt(variance + epsilon),
            "the mean is taken away; now divide": middle,
        }  # fmt: skip
        if not _near(given, middle / np.sqrt(variance + epsilon)):
            means = np.round(given.mean(axis=0), 3).tolist()
            return _first(given, slips, f"the columns have the means {means} afterwards")
    return None


def _mistake_in_luck(answer: Any) -> str | None:
    said = {
        "too low": "who chooses the best of many takes good luck along, not bad luck",
        "right": "each share alone is right on average, the largest of fifty is not: it had luck",
    }
    if answer in ("too high", "high"):
        return None
    answer = {"low": "too low"}.get(answer, answer)
    return said.get(answer, f'{shown(answer)} is none of "too high", "too low" and "right"')


reading = Exercise(
    _mistake_in_reading,
    hint="How low does the training loss come? And how far above it is the validation loss?",
    solution='answer = {"A": "overfits", "B": "underfits", "C": "fits"}',
    reads=_reading,
)

early_stop = Exercise(
    _mistake_in_early_stop,
    hint="Keep the best loss so far and its epoch; stop when that epoch is `patience` epochs ago.",
    solution="""\
def answer(losses, patience):
    best, best_epoch = float("inf"), 0
    for epoch, loss in enumerate(losses, start=1):
        if loss < best:
            best, best_epoch = loss, epoch
        elif epoch - best_epoch >= patience:
            break
    return best_epoch, epoch
""",
    reads=function,
)

penalty = Exercise(
    _mistake_in_penalty,
    hint="The loss has two terms, and weights in both: work out each gradient, then add them.",
    solution="""\
def answer(weights, x, y, strength):
    error = x @ weights - y
    return 2 * x.T @ error / len(y) + 2 * strength * weights
""",
    reads=function,
)

dropout = Exercise(
    _mistake_in_dropout,
    hint="If a quarter is dropped, three quarters have to make up for it.",
    solution="""\
import numpy as np

def answer(x, kept, rate):
    return np.where(kept, x / (1 - rate), 0.0)
""",
    reads=function,
)

normalization = Exercise(
    _mistake_in_normalization,
    hint="axis=0 goes down the columns; after it each column has mean 0 and about unit variance.",
    solution="""\
import numpy as np

def answer(x, epsilon):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + epsilon)
""",
    reads=function,
)

luck = Exercise(
    _mistake_in_luck,
    hint="Think of fifty people who each guess a hundred coins. How good is the best of them?",
    solution='answer = "too high"',
    reads=word,
)
