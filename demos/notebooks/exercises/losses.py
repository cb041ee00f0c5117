"""Exercises of notebook 6: losses, their gradients, softmax, and what belongs to which output."""

import math
import re
from typing import Any

import numpy as np

from autograd_core import Value, log_softmax
from autograd_core import softmax as stable_softmax

from .answers import Misread, first_mistake, function, mistake_in_number, number, numbers
from .exercise import Exercise

NUMBERS = np.array([1.0, 2.0, 4.0, 5.0, 98.0])
SHIFTS = np.array([[1000.0], [-1000.0], [0.0], [5000.0]])


def _labelled(value: Value, label: str) -> Value:
    value.label = label
    return value


def _is_close(given: Any, wanted: Any) -> bool:
    return np.shape(given) == np.shape(wanted) and np.allclose(given, wanted, rtol=1e-6, atol=1e-9)


def _mistake_in_best_constants(answer: Any) -> str | None:
    squared, absolute = answer
    mean, median = NUMBERS.mean(), np.median(NUMBERS)
    if (squared, absolute) == (median, mean):
        return "the two are swapped: it is the squared error that runs after the outlier"
    if squared == median:
        return f"at {median:g} the errors do not sum to 0, so that the squared error still falls"
    if not math.isclose(squared, mean):
        return f"the slope of the squared error at {squared:g} is not 0"
    if math.isclose(absolute, mean):
        below = int(np.sum(absolute > NUMBERS))
        return (
            f"{below} of 5 numbers lie below {absolute:g}: lower down, more errors shrink than grow"
        )
    return None if absolute == median else f"as many numbers must lie above {absolute:g} as below"


def _mistake_in_slope_of_half_squared(answer: Any) -> str | None:
    rng = np.random.default_rng(0)
    for n in (3, 8):
        y_true, numbers = rng.normal(size=n), rng.normal(size=n)
        given = answer(y_true, numbers)
        if np.ndim(given) == 0:
            return f"that is one number, but each of the {n} predictions has its own slope"
        y_pred = Value(numbers, label="y_pred")
        loss = _labelled(np.sum((y_pred - y_true) ** 2) / 2 / n, "L")
        mistake = first_mistake(loss, {y_pred: given})
        if mistake:
            return mistake
    return None


def _mistake_in_softmax(answer: Any) -> str | None:
    z = np.random.default_rng(0).normal(size=(4, 3))
    with np.errstate(all="ignore"):
        given, large = answer(z), answer(z + SHIFTS)
    if _is_close(given, np.exp(z) / np.exp(z).sum()):
        return "all numbers together sum to 1; each row should, by itself"
    if _is_close(given, stable_softmax(z, axis=0)):
        return "the columns sum to 1, and it is the rows that hold the classes of one sample"
    if _is_close(given, np.exp(z)):
        return "these are the powers of e only; a row of them does not yet sum to 1"
    if np.shape(given) != z.shape:
        return f"of logits of shape {z.shape} it makes shape {np.shape(given)}"
    if not _is_close(given, stable_softmax(z)):
        return f"the first row should be {stable_softmax(z)[0].round(4)}, not {given[0].round(4)}"
    if not np.isfinite(large).all():
        return "right for small logits, but beyond 709 exp overflows, and inf / inf is NaN"
    if not _is_close(large, stable_softmax(z)):
        return "adding a number to a whole row must change nothing, and it does"
    return None


def _mistake_in_surprise(answer: Any) -> str | None:
    p = stable_softmax(np.array([2.0, 1.0, 0.0]))
    slips = {
        math.log(p[0]): "that is log p, which is below 0; the loss is minus that",
        -math.log2(p[0]): "that is the logarithm to base 2; take the natural one",
        -math.log10(p[0]): "that is the logarithm to base 10; take the natural one",
        p[0]: "that is p itself, the probability of the right class",
        1 - p[0]: "that is 1 - p; the loss is minus the logarithm of p",
        -math.log(p[1]): "that is the loss if class 1 were right; the label is 0",
        -math.log(p[2]): "that is the loss if class 2 were right; the label is 0",
        -math.log(p[0]) / 3: "that is a mean over 3 classes; only the right class counts, and in"
        " full",
    }
    return mistake_in_number(answer, -math.log(p[0]), slips)


def _mistake_in_slope_of_crossentropy(answer: Any) -> str | None:
    rng = np.random.default_rng(0)
    for n in (4, 6):
        labels, z = rng.integers(0, 3, n), rng.normal(size=(n, 3))
        given, p = answer(labels, z), stable_softmax(z)
        if _is_close(given, p) or _is_close(given, p / n):
            return "these are the probabilities; the one-hot rows of the labels are not taken off"
        if _is_close(given, (z - np.eye(3)[labels]) / n):
            return "you took the one-hot rows off the logits, and not off their softmax"
        logits = Value(z, label="z")
        log_p = _labelled(log_softmax(logits), "log_p")
        loss = _labelled(-np.sum(np.eye(3)[labels] * log_p) / n, "L")
        mistake = first_mistake(loss, {logits: given})
        if mistake:
            return mistake
    return None


_MEASURED = {
    "mean_squared_error": "how far a number is from another",
    "mean_absolute_error": "how far a number is from another",
    "huber": "how far a number is from another",
    "hinge": "by what margin a score is on its side",
    "binary_crossentropy": "each output as a probability of its own",
    "categorical_crossentropy": "the probability of the one class that is right",
    "sparse_categorical_crossentropy": "the probability of the one class that is right",
}
_PAIRS = {
    "price": ("linear", "mean_squared_error"),
    "spam": ("sigmoid", "binary_crossentropy"),
    "digit": ("softmax", "categorical_crossentropy"),
    "topics": ("sigmoid", "binary_crossentropy"),
}
_WHY = {
    ("price", "sigmoid"): "a sigmoid ends at 1, and prices do not",
    ("price", "softmax"): "softmax of one output is always 1, whatever the house",
    ("price", "relu"): "relu forbids negative sums, behind which the gradient is 0",
    ("spam", "linear"): "a linear output is no probability: it leaves the range from 0 to 1",
    ("spam", "softmax"): "softmax of one output is always 1; of one output take the sigmoid",
    ("digit", "sigmoid"): "ten sigmoids do not exclude each other, and a digit is one of ten",
    ("digit", "linear"): "ten linear outputs are no probabilities",
    ("topics", "softmax"): "softmax lets topics exclude each other, and a text may have several",
    ("topics", "linear"): "linear outputs are no probabilities",
}


_SHORT = {  # names that Keras takes, too, and other words for the same
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "bce": "binary_crossentropy",
    "binary_cross_entropy": "binary_crossentropy",
    "cce": "categorical_crossentropy",
    "categorical_cross_entropy": "categorical_crossentropy",
    "sparse_categorical_cross_entropy": "sparse_categorical_crossentropy",
    "none": "linear",
    "identity": "linear",
    "logistic": "sigmoid",
}


def _name(given: Any) -> str:
    """Read the name of an activation or a loss; a function or an object goes by its own name."""
    if given is None:
        return "linear"
    name = given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    name = re.sub(r"[\s-]+", "_", name).lower()
    return _SHORT.get(name, name)


def _pairs(answer: Any) -> dict[str, tuple[str, str]]:
    """Read an activation and a loss for each task."""
    if not isinstance(answer, dict) or set(answer) != set(_PAIRS):
        raise Misread("a dict is asked for, with the keys " + ", ".join(_PAIRS))
    found = {}
    for task, pair in answer.items():
        parts = pair.split(",") if isinstance(pair, str) else pair
        if not isinstance(parts, list | tuple | np.ndarray) or len(parts) != 2:
            raise Misread(f"{task}: give an activation and a loss, both by name")
        found[task] = (_name(parts[0]), _name(parts[1]))
    return found


def _mistake_in_pairs(answer: Any) -> str | None:
    for task, (activation, loss) in _PAIRS.items():
        given, given_loss = answer[task]
        if given != activation:
            return f"{task}: {_WHY.get((task, given), f'{given} does not give what is asked for')}"
        measured = _MEASURED.get(given_loss, "something else")
        if measured != _MEASURED[loss]:
            return f"{task}: {given_loss} measures {measured}; what counts is {_MEASURED[loss]}"
    return None


best_constants = Exercise(
    _mistake_in_best_constants,
    hint="Where is the slope 0: where the errors sum to 0, or where their signs do?",
    solution="""# the mean, at which the errors sum to 0, and the median, at which their signs do
answer = (22.0, 4.0)""",
    reads=numbers("best for the squared error", "best for the absolute error"),
)

slope_of_half_squared = Exercise(
    _mistake_in_slope_of_half_squared,
    hint="Only one term of the sum contains a given prediction; differentiate that one.",
    solution="""def answer(y_true, y_pred):
    return (y_pred - y_true) / len(y_true)""",
    reads=function,
)

softmax = Exercise(
    _mistake_in_softmax,
    hint="A number taken off a whole row changes no probability; which one keeps exp small?",
    solution="""def answer(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)""",
    reads=function,
)

surprise = Exercise(
    _mistake_in_surprise,
    hint="First the softmax of the three logits; then look at the right class only.",
    solution="""p = np.exp(2) / (np.exp(2) + np.exp(1) + np.exp(0))
answer = -np.log(p)  # 0.4076""",
    reads=number,
)

slope_of_crossentropy = Exercise(
    _mistake_in_slope_of_crossentropy,
    hint="For one sample it is what the network says less what is the case.",
    solution="""def answer(labels, z):
    return (softmax(z) - nn.one_hot(labels, 3)) / len(labels)""",
    reads=function,
)

pairs = Exercise(
    _mistake_in_pairs,
    hint="Ask of each output: any number, a probability, or one of probabilities that sum to 1?",
    solution="""answer = {
    "price": ("linear", "mean_squared_error"),  # or mean_absolute_error, or huber
    "spam": ("sigmoid", "binary_crossentropy"),
    "digit": ("softmax", "categorical_crossentropy"),
    "topics": ("sigmoid", "binary_crossentropy"),  # each topic is a question of its own
}""",
    reads=_pairs,
)
