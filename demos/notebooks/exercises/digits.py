"""The exercises of the notebook 10_digits."""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

import nn
from autograd_core import Value, log_softmax, softmax
from nn import Module

from .answers import array, first_mistake, function, mistake_in_number, number, shown
from .exercise import Exercise

DIGITS = 10


def _near(given: Any, wanted: Any) -> bool:
    """Return whether two arrays have the same shape and, but for rounding, the same numbers."""
    return np.shape(given) == np.shape(wanted) and np.allclose(given, wanted, rtol=1e-5, atol=1e-6)


def _outcome(answer: Any, *given: Any) -> Any:
    """Return what a learner's function makes of copies of the data, as an array."""
    return array(answer(*[np.array(each) for each in given]))


def _mistake_in_parameters(answer: Any) -> str | None:
    known = {
        784 * 128 + 128 * 10: "these are the weights; every neuron has a bias too",
        784 * 128 + 128: "these are the hidden layer's; the ten output neurons have theirs too",
        784 * 128 + 10: "the output neurons have weights too, one from each hidden neuron",
        784 * 128: "these are the weights into the hidden layer only, without the biases",
        784 * 128 * 10: "layers follow each other: their numbers are added, not multiplied",
        784 + 128 + 10: "these are the neurons; the parameters are the arrows between them",
        785 * 128 + 128 * 10: "the biases of the ten output neurons are missing",
        784 * 128 + 129 * 10: "the biases of the hidden neurons are missing",
        785 * 129 + 129 * 10: "785 times 129 counts one hidden neuron too many",
    }
    right = (784 + 1) * 128 + (128 + 1) * DIGITS
    return mistake_in_number(answer, right, known, "too many, too few")


def _mistake_in_batches(answer: Any) -> str | None:
    if answer == 468:
        return "468 batches of 128 leave 96 images over: they make a last, smaller batch"
    if answer % 1:
        return "a batch that is not full is a batch all the same: give a whole number"
    if answer in (60_000 * 128, 60_000, 128):
        return f"{answer:,} is no number of batches: ask how often 128 goes into 60,000"
    return mistake_in_number(answer, 469, {}, "too many, too few")


def _mistake_in_pixels(answer: Any) -> str | None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    pixels[0, :2, :2] = [[0, 255], [255, 0]]
    pixels[1] //= 2  # a faint picture, which must stay faint
    return _mistake_in_rows(answer, pixels) or _mistake_in_rows(answer, pixels[:4] // 2)


def _mistake_in_rows(answer: Any, pixels: Any) -> str | None:
    """Return what is wrong with the rows that become of some pictures."""
    given, count = np.asarray(answer(pixels.copy())), len(pixels)
    rows = pixels.reshape(count, 784)
    if given.shape == pixels.shape:
        return "these are still pictures of 28 by 28; a Dense layer takes rows of 784"
    if given.shape == (784, count):
        return "each picture has become a column; samples stand on the first axis, one in each row"
    if given.shape != rows.shape:
        return f"{count} pictures became an array of shape {given.shape}; it should be {rows.shape}"
    if given.dtype.kind != "f":
        return f"the result has the type {given.dtype}, which cuts fractions off: divide with /"
    slips = {
        "the pixels still go up to 255: divide them": rows,
        "the darkest pixel is 255, not 256: divide by 255": rows / 256,
        "every picture was divided by its own darkest pixel, and faint ones are faint no more;"
        " divide all by 255": rows / rows.max(axis=1, keepdims=True),
        "all were divided by the darkest pixel among them, which is not always 255: faint pictures"
        " are faint no more; divide by 255": rows / rows.max(),
        "the pictures lie on their sides: reshape alone keeps the order": (
            pixels.swapaxes(1, 2).reshape(count, 784) / 255
        ),
        "black and white have changed places: 255 becomes 1": 1 - rows / 255,
    }
    found = [text for text, slip in slips.items() if _near(given, slip)]
    if _near(given, rows / 255):
        return None
    return found[0] if found else "the shape is right, the numbers are not: each is its pixel / 255"


def _mistake_in_one_hot(answer: Any) -> str | None:
    for seed in range(3):
        labels = np.random.default_rng(seed).integers(0, 5, 6)  # no 9 among them: ten columns still
        given, wanted = _outcome(answer, labels), nn.one_hot(labels, DIGITS)
        if given.shape == wanted.T.shape:
            return "each label has become a column; it should be a row"
        if given.ndim == 2 and given.shape == (len(labels), labels.max() + 1):
            return "there are as many columns as the largest label needs; ten digits need ten"
        if given.shape != wanted.shape:
            return f"six labels became shape {given.shape}; it should be (6, 10)"
        if _near(given, np.roll(wanted, -1, axis=1)):
            return "every 1 stands one place too far to the left: digits begin at 0"
        if _near(given, np.roll(wanted, 1, axis=1)):
            return "every 1 stands one place too far to the right: the first column is that of 0"
        if _near(given, 1 - wanted):
            return "0 and 1 have changed places"
        if not _near(given, wanted):
            return f"the row of label {labels[0]} is {given[0].tolist()}"
    return None


def _mistake_in_recall(answer: Any) -> str | None:
    for seed in range(3):
        random = np.random.default_rng(seed)
        counts = random.integers(0, 5, (4, 4)) + np.diag(random.integers(20, 40, 4))
        found, rows, columns = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
        given, wanted = _outcome(answer, counts), found / rows
        slips = {
            "you divided by the columns: of all that was read as a 3, the share that is one"
            " (precision); asked is the rows": found / columns,
            "these are counts; divide each by its row's sum": found,
            "this is the share of mistakes": 1 - wanted,
            "this is the share of all digits that were read; asked is one number for each digit": (
                found.sum() / counts.sum()
            ),
            "each was divided by the sum of the whole table, not of its row": found / counts.sum(),
            "this is each row's share of all digits": rows / counts.sum(),
            "this is the whole table; only its diagonal was read rightly": counts / rows[:, None],
        }
        found = [text for text, slip in slips.items() if _near(given, slip)]
        if not _near(given, wanted):
            return (
                found[0] if found else f"of the table {counts.tolist()} it makes {given.tolist()}"
            )
    return None


def _mistake_in_gradient(answer: Any) -> str | None:
    for seed in range(3):
        random = np.random.default_rng(seed)
        count = 4 + seed
        scores = Value(random.normal(size=(count, 3)), label="scores")
        targets = nn.one_hot(random.integers(0, 3, count), 3, float)
        loss = -(targets * log_softmax(scores)).sum() / len(targets)
        loss.label = "loss"
        given = _outcome(answer, scores.data, targets)
        guessed = np.asarray(softmax(scores.data))
        if any(_near(given, part) for part in (guessed, guessed / count)):
            return "these are the probabilities; the targets have to be taken away from them"
        if _near(given, scores.data - targets) or _near(given, (scores.data - targets) / count):
            return "the scores are not probabilities yet: softmax comes first"
        mistake = first_mistake(loss, {scores: given})
        if mistake:
            return mistake
    return None


def _mistake_in_reader(answer: Any) -> str | None:
    images, labels = nn.datasets.digits()
    _, unseen, _, named = train_test_split(
        images, labels, test_size=0.2, stratify=labels, random_state=0
    )
    if not hasattr(answer, "predict"):
        return f"a trained network is asked for, and not {shown(answer)}"
    if not isinstance(answer, Module):
        return "a network of nn is asked for, such as an nn.Sequential"
    said = np.asarray(answer.predict(unseen))
    if said.shape != (len(unseen), DIGITS):
        return f"for {len(unseen)} pictures it gives {said.shape}: ten outputs are asked for"
    count = sum(int(np.size(p.data)) for p in answer.parameters())
    if count >= 1000:
        return f"it has {count:,} parameters; fewer than 1,000 are asked for"
    share = float(np.mean(said.argmax(axis=1) == named))
    if share < 0.2:
        return f"it reads {share:.0%} of the unseen digits, as guessing does: was it fitted?"
    return None if share >= 0.9 else f"it reads {share:.0%} of the unseen digits; 90 % are asked"


parameters = Exercise(
    _mistake_in_parameters,
    hint="A layer has a weight for each arrow into it, and a bias for each of its neurons.",
    solution="(784 + 1) * 128 + (128 + 1) * 10 = 101,770",
    reads=number,
)

batches = Exercise(
    _mistake_in_batches,
    hint="len(nn.batches(np.zeros(10), batch_size=4)) tells what happens with a remainder.",
    solution="60,000 / 128 = 468.75: 468 full batches, and one of 96 images; 469 in all",
    reads=number,
)

pixels = Exercise(
    _mistake_in_pixels,
    hint="reshape(len(pixels), -1) keeps the first axis and lays all others behind each other.",
    solution="def answer(pixels):\n    return pixels.reshape(len(pixels), -1) / 255",
    reads=function,
)

one_hot = Exercise(
    _mistake_in_one_hot,
    hint="Row k of np.eye(10) has its 1 at the place k.",
    solution="import numpy as np\n\ndef answer(labels):\n    return np.eye(10)[labels]",
    reads=function,
)

recall = Exercise(
    _mistake_in_recall,
    hint="Row 3 has all that were written as a 3; on the diagonal stand those read as one.",
    solution=(
        "import numpy as np\n\ndef answer(counts):\n    return np.diag(counts) / counts.sum(axis=1)"
    ),
    reads=function,
)

gradient = Exercise(
    _mistake_in_gradient,
    hint="For one picture it is what was guessed less what is true; the loss is a mean over all.",
    solution=(
        "import numpy as np\nfrom autograd_core import softmax\n\n"
        "def answer(scores, targets):\n"
        "    return (np.asarray(softmax(scores)) - targets) / len(targets)"
    ),
    reads=function,
)

reader = Exercise(
    _mistake_in_reader,
    hint="A hidden layer of n neurons makes 65 n + 10 (n + 1) parameters: look for the largest n.",
    solution="""\
import nn
from nn import Adam, Dense, Sequential
from sklearn.model_selection import train_test_split

images, labels = nn.datasets.digits()
train_images, _, train_labels, _ = train_test_split(
    images, labels, test_size=0.2, stratify=labels, random_state=0
)
nn.set_seed(0)
answer = Sequential([Dense(13, "relu"), Dense(10, "softmax")], input_shape=(64,))
answer.compile(Adam(0.005), "sparse_categorical_crossentropy")
answer.fit(train_images, train_labels, epochs=30, verbose=0)
""",
)
