"""Data on their way into a model: batches, one-hot rows, validation samples, weights of classes."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from autograd_core import DataError, DomainError, OptionError, ShapeError, explained_call
from autograd_core.data import Array, DTypeLike, Operand, Result, Tree

from .configuration import Choice, function_of, name_of
from .losses import OF_NUMBERED, OF_ROWS, OF_TWO
from .mistakes import warn
from .randomness import generator

# By class, by the number of the class, or "balanced"
ClassWeight: TypeAlias = Mapping[Any, float] | Sequence[float] | str

_SHARE = 0.05  # of validation samples with classes that training lacks, from which on to warn


@explained_call
def one_hot(
    labels: Operand, num_classes: int | None = None, dtype: DTypeLike = np.float32
) -> Array:
    """Return a row for each label: 1 at the label's place, 0 elsewhere.

    Args:    labels: whole numbers from 0, of any shape; (..., 1) counts as (...), as in Keras.
             num_classes: how long a row is; None: the largest label plus 1.
             dtype: of the result. float32, where Keras has float64, does not widen float32 models.
    Returns: array, (..., num_classes).
    Raises:  DataError: labels are no numbers. ShapeError: there is none. DomainError: a label is
             negative, fractional, or not below num_classes. OptionError: num_classes is no whole
             number from 1.
    Example: >>> one_hot([0, 2, 1])
             array([[1., 0., 0.],
                    [0., 0., 1.],
                    [0., 1., 0.]], dtype=float32)
    """
    labels = as_samples("labels", labels)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    with np.errstate(invalid="ignore"):  # infinity % 1 is NaN
        wrong = labels[(labels < 0) | (labels % 1 != 0)]
    if wrong.size:
        raise DomainError(
            f"label {wrong[0]}",
            "a label is the place of the 1 in its row",
            "whole numbers from 0: classes, labels = np.unique(names, return_inverse=True)",
        )
    if num_classes is None:
        num_classes = int(labels.max()) + 1
    else:
        num_classes = whole_number("num_classes", num_classes)
    if labels.max() >= num_classes:
        raise DomainError(
            f"label {labels.max()} with num_classes={num_classes}",
            f"the labels of {num_classes} classes go from 0 to {num_classes - 1}",
            f"num_classes={int(labels.max()) + 1}, or labels that begin at 0",
        )
    try:
        return (labels[..., None] == np.arange(num_classes)).astype(dtype)
    except (TypeError, ValueError) as error:
        raise OptionError(f"dtype={dtype!r}", str(error), 'dtype="float32"') from error


@explained_call
def batches(
    x: Operand,
    y: Operand = None,
    sample_weight: Operand = None,
    batch_size: int = 32,
    shuffle: bool = False,
) -> "Batches":
    """Return the samples in batches, as often as one iterates over them.

    Args:    x, y, sample_weight: arrays, lists or pandas frames, the samples on their first axis.
             batch_size: samples in a batch; the last batch may be smaller.
             shuffle: True draws a new order for every pass.
    Returns: what yields (x, y, sample_weight) of each batch, without those that are None, and
             x itself where it is the only one; its len is the number of batches.
    Raises:  DataError: no numbers. ShapeError: lengths differ, or there is no sample.
             OptionError: batch_size is no whole number from 1.
    Example: >>> [x.tolist() for x in batches([1, 2, 3, 4, 5], batch_size=2)]
             [[1, 2], [3, 4], [5]]
             >>> len(batches(np.zeros(55000), np.zeros(55000), batch_size=100))
             550
    """
    if isinstance(sample_weight, int):
        raise OptionError(
            f"batches with {sample_weight} in the place of sample_weight",
            "weights are one number for each sample",
            f"batches(x, y, batch_size={sample_weight})",
        )
    given = {"x": x, "y": y, "sample_weight": sample_weight}
    parts = {n: as_samples(n, part) for n, part in given.items() if n == "x" or part is not None}
    if len({len(part) for part in parts.values()}) > 1:
        raise ShapeError(
            " and ".join(f"{name} of {len(part)} samples" for name, part in parts.items()),
            "every sample of one belongs to one of the other",
            "parts of equal length, the samples on the first axis",
        )
    return Batches(tuple(parts.values()), whole_number("batch_size", batch_size), shuffle)


class Batches:
    """Samples in batches, for any number of passes; `batches` makes it.

    Args:    parts: arrays of equal length.
             batch_size: samples in a batch.
             shuffle: True draws a new order for every pass; batches are then copies, else views.
    Example: >>> for x, y in Batches((np.arange(3), np.arange(3) ** 2), 2):
             ...     x, y
             (array([0, 1]), array([0, 1]))
             (array([2]), array([4]))
    """

    def __init__(self, parts: tuple[Operand, ...], batch_size: int, shuffle: bool = False) -> None:
        self.parts = parts
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self) -> int:
        return math.ceil(len(self.parts[0]) / self.batch_size)

    def __iter__(self) -> Iterator[Tree]:
        samples = len(self.parts[0])
        order = generator().permutation(samples) if self.shuffle else None
        for start in range(0, samples, self.batch_size):
            here = slice(start, start + self.batch_size)
            if order is None:
                batch = tuple(part[here] for part in self.parts)
            else:
                batch = tuple(part.take(order[here], axis=0) for part in self.parts)
            yield batch if len(batch) > 1 else batch[0]


def as_batches(
    x: Operand,
    y: Operand,
    sample_weight: Operand,
    batch_size: int | None,
    shuffle: bool,
    dtype: DTypeLike | None,
    usual_size: int = 32,
    method: str = "fit",
    steps: int | None = None,
) -> Iterable[Tree]:
    """Return batches (x, y) or (x, y, sample_weight) of what was given to fit or evaluate.

    Args:    x: array, frame, list; or, where y is None, an iterable of such batches.
             dtype: of the model; data in another float type are cast once, here.
             usual_size: samples in a batch of arrays where batch_size is None.
             method: what they were given to, for the message.
             steps: batches in each pass; None: all there are.
    Raises:  DataError: an iterator, which is used up after one epoch. OptionError: weights or a
             batch_size for an iterable. See also `batches`.
    """
    if y is not None:
        x, y = as_array(x, dtype), as_array(y, dtype)
        if sample_weight is not None:
            sample_weight = as_array(sample_weight, dtype)
        size = usual_size if batch_size is None else batch_size
        data = batches(x, y, sample_weight, size, shuffle)
        return data if steps is None else Portions(data, steps)
    if isinstance(x, np.ndarray) or not isinstance(x, Iterable) or hasattr(x, "to_numpy"):
        raise DataError(
            f"x without y: {type(x).__name__}",
            "a loss compares predictions with targets",
            f"{method}(x, y); {method}(x, x) where x itself is the target; or an iterable of "
            "batches (x, y)",
        )
    if isinstance(x, tuple | list) and x and not isinstance(x[0], tuple | list):
        raise DataError(
            f"{method} of a {type(x).__name__} of {len(x)} {type(x[0]).__name__}s without y",
            "a list without y is one of batches (x, y)",
            f"{method}(x, y)",
        )
    if isinstance(x, Iterator) and steps is None:
        raise DataError(
            f"x of type {type(x).__name__}",
            "an iterator is used up after one epoch",
            "a list of batches, nn.batches(x, y), or an object whose __iter__ begins anew; "
            "steps_per_epoch=... for an endless one",
        )
    if sample_weight is not None:
        raise OptionError(
            "sample_weight for an iterable of batches",
            "each batch brings the weights of its own samples",
            "batches (x, y, sample_weight)",
        )
    if batch_size is not None:
        raise OptionError(
            f"batch_size={batch_size!r} for an iterable of batches",
            "each batch is as large as it comes",
            f"nn.batches(x, y, batch_size={batch_size!r}), without batch_size here",
        )
    return x if steps is None else Portions(x, steps)


class Portions:
    """Batches in portions: each pass goes on where the last one has ended, round and round.

    Args:    data: batches; an iterator may give them without end.
             count: batches in a portion.
    Raises:  OptionError: count is below 1.
    Example: >>> portions = Portions([1, 2, 3], 2)
             >>> [list(portions), list(portions)]
             [[1, 2], [3, 1]]
    """

    def __init__(self, data: Iterable[Tree], count: int) -> None:
        self.data, self.count = data, whole_number("steps_per_epoch", count)
        self._rest: Iterator[Tree] = iter(())

    def __len__(self) -> int:
        """Return the number of batches in a portion."""
        return self.count

    def __iter__(self) -> Iterator[Tree]:
        for _ in range(self.count):
            batch = next(self._rest, None)
            if batch is None:
                self._rest = iter(self.data)
                batch = next(self._rest, None)
            if batch is None:  # an iterator that is used up
                return
            yield batch


def first_of(data: Iterable[Tree], count: int | None) -> Iterable[Tree]:
    """Return the first batches of some in each pass; None: all of them."""
    if count is None:
        return data
    return FirstBatches(data, whole_number("steps", count))


class FirstBatches:
    """The first batches of some, in each pass the same ones."""

    def __init__(self, data: Iterable[Tree], count: int) -> None:
        self.data, self.count = data, count

    def __iter__(self) -> Iterator[Tree]:
        return islice(self.data, self.count)


def as_parts(data: Tree) -> tuple[Operand, Operand, Operand] | None:
    """Return x, y and sample_weight or None of validation_data; None if it is batches, or none.

    Raises:  DataError: neither these nor batches.
    """
    batch_like = isinstance(data, list) and all(
        isinstance(each, tuple) or (isinstance(each, list) and isinstance(each[0], np.ndarray))
        for each in data
    )
    if data is None or batch_like or not isinstance(data, tuple | list | np.ndarray):
        return None
    if isinstance(data, np.ndarray) or len(data) not in (2, 3):
        raise DataError(
            f"validation_data, a {type(data).__name__} of length {len(data)}",
            "the loss of x needs its targets y",
            "validation_data=(x, y), (x, y, sample_weight), or a list of such batches",
        )
    x, y, weight = (*data, None)[:3]
    return x, y, weight


def as_array(data: Operand, dtype: DTypeLike | None = None) -> Array:
    """Return data as an array; floats in the type of the model, whole numbers as they are.

    Raises:  DataError: rows of different lengths.
    """
    try:
        array = data.to_numpy() if hasattr(data, "to_numpy") else np.asarray(data)
    except ValueError as error:  # NumPy's word for ragged lists
        raise DataError(
            f"a {type(data).__name__} of rows that differ in length",
            str(error),
            "rows of one length: np.pad for sequences, and a mask or mask_zero=True",
        ) from None
    if array.dtype.kind == "f" and dtype is not None and array.dtype != dtype:
        array = array.astype(dtype)
    return array


def split_off(
    x: Operand, y: Operand, weight: Operand, share: float
) -> tuple[Operand, Operand, Operand, Tree]:
    """Return the first samples, x, y and weight, and a tuple of the last ones for validation.

    Raises:  OptionError: batches, which cannot be split, or nothing left on one side.
    """
    if y is None:
        raise OptionError(
            "validation_split for an iterable of batches",
            "only arrays can be split",
            "validation_data=another iterable of batches",
        )
    x, y = as_array(x), as_array(y)
    cut = int(len(x) * (1 - share))
    if not 0 < cut < len(x):
        raise OptionError(
            f"validation_split = {share} of {len(x)} samples",
            "it leaves nothing on one side",
            "a share between 0 and 1, or validation_data=(x, y)",
        )
    validation: tuple[Operand, ...] = (x[cut:], y[cut:])
    if weight is not None:
        weight = np.asarray(weight)
        validation, weight = (*validation, weight[cut:]), weight[:cut]
    return x[:cut], y[:cut], weight, validation


def labels_of(y: Operand, loss: Choice) -> Result:
    """Return the number of the class of each sample, or of each step of it.

    Args:    y: array, numbers of classes (samples,), (samples, 1), (samples, steps) or (samples,
             steps, 1); or rows of them, one-hot, (samples, classes) or (samples, steps, classes).
             loss: function that takes them, which decides between steps and rows.
    Raises:  OptionError: rows of 0 and 1 that may be either.
    Example: >>> from nn.losses import categorical_crossentropy, sparse_categorical_crossentropy
             >>> y = np.array([[0, 1, 0], [1, 0, 0]])
             >>> labels_of(y, categorical_crossentropy)
             array([1, 0])
             >>> labels_of(y, sparse_categorical_crossentropy).shape
             (2, 3)
    """
    if y.ndim > 1 and y.shape[-1] == 1:
        return y[..., 0]
    function = function_of(loss)
    if y.ndim == 1 or function in OF_NUMBERED:
        return y
    is_one_hot = bool(((y == 0) | (y == 1)).all() and (y.sum(axis=-1) == 1).all())
    if is_one_hot and function in OF_TWO:
        raise OptionError(
            f"class_weight with targets of shape {y.shape} for {name_of(loss)}",
            "each row holds a single 1: it may be one class in a row, or steps of two classes",
            "sample_weight, (samples,) or (samples, steps); or categorical_crossentropy",
        )
    return y.argmax(axis=-1) if is_one_hot or function in OF_ROWS else y


def class_weights(y: Operand, given: ClassWeight, loss: Choice) -> Array:
    """Return one weight for each sample, or each step of it: that of its class.

    Args:    y: array of targets, see `labels_of`.
             given: {class: weight}, where classes that are not named have weight 1; a list with a
             weight for each class; or "balanced": samples / (classes * samples of the class).
             loss: see `labels_of`.
    Raises:  OptionError: targets that are no classes; something else than weights; a list without
             some class; "balanced" for steps, some of which may be padding.
    Example: >>> from nn.losses import binary_crossentropy
             >>> class_weights(np.array([0, 1, 1, 1]), "balanced", binary_crossentropy)
             array([2.        , 0.66666667, 0.66666667, 0.66666667])
    """
    labels = labels_of(y, loss)
    if not np.array_equal(labels, np.round(labels)):
        raise OptionError(
            "class_weight for targets that are not whole numbers",
            "it weighs classes, and these are none",
            "sample_weight, one number for each sample",
        )
    classes, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if isinstance(given, str) and given == "balanced" and labels.ndim == 1:
        return (labels.size / (len(classes) * counts))[place]
    weights = _by_class(given, classes, labels)
    strange = [key for key in weights if key not in classes.tolist()]
    if strange and isinstance(given, Mapping):
        warn(
            "class weights",
            f"class_weight of {', '.join(map(repr, strange))}",
            f"the targets have the classes {_listed(classes)}, so that it weighs nothing",
            "the numbers of the classes, {0: 1.0, 1: 5.0}",
        )
    found = np.array([float(weights.get(c, 1.0)) for c in classes.tolist()])
    return found[place].reshape(labels.shape)


def _by_class(given: ClassWeight, classes: Array, labels: Operand) -> dict[object, float]:
    weights = None
    if isinstance(given, Mapping):
        weights = dict(given)
    elif isinstance(given, list | tuple | np.ndarray):
        weights = dict(enumerate(given))
    numbers = weights is not None and all(
        isinstance(w, int | float | np.number) and 0 <= w < np.inf for w in weights.values()
    )
    if weights is None or not numbers:
        is_of_steps = isinstance(given, str) and labels.ndim > 1
        raise OptionError(
            f"class_weight={given!r}",
            "steps of sequences may be padding, which does not count"
            if is_of_steps
            else "each class has a weight, a number from 0",
            "{0: 1.0, 1: 5.0}" if is_of_steps else "{0: 1.0, 1: 5.0}, [1.0, 5.0] or 'balanced'",
        )
    missing = [c for c in classes.tolist() if c not in weights]
    if missing and not isinstance(given, Mapping):
        raise OptionError(
            f"class_weight={given!r}",
            f"a list has a weight for each class, and lacks {_listed(missing)}",
            f"{int(max(classes)) + 1} weights, or {{class: weight}}",
        )
    return weights


def _listed(classes: Array | list[object]) -> str:
    shown = [f"{c:g}" for c in list(classes)[:10]]
    return ", ".join(shown) + (", ..." if len(classes) > 10 else "")


def times(by_class: Operand, sample_weight: Operand) -> Array:
    """Return class weights times sample weights (samples,), (samples, steps) or with a last 1."""
    if sample_weight is None:
        return by_class
    weights = np.asarray(sample_weight)
    if weights.ndim > by_class.ndim and weights.shape[-1] == 1:
        weights = weights[..., 0]
    return by_class * weights.reshape(weights.shape + (1,) * (by_class.ndim - weights.ndim))


def check_classes(y: Operand, held_out: Operand, loss: Choice) -> None:
    """Warn if validation samples are of classes of which training has no sample."""
    function = function_of(loss)
    if function not in (*OF_NUMBERED, *OF_ROWS, *OF_TWO):
        return
    if max(y.ndim, held_out.ndim) > 1 and function not in OF_ROWS and y.shape[-1] != 1:
        return  # steps, such as words, of which some are always new
    labels, others = labels_of(y, loss), labels_of(held_out, loss)
    if labels.ndim > 1 or not np.array_equal(labels, np.round(labels)):
        return
    is_new = ~np.isin(others, labels)
    if is_new.mean() > _SHARE:
        warn(
            "new classes",
            f"validation samples of class {_listed(np.unique(others[is_new]))}",
            f"training has only samples of class {_listed(np.unique(labels))}",
            "x and y in random order before validation_split, which takes the last samples",
        )


def as_samples(name: str, given: Tree) -> Array:
    """Return numbers as an array with samples on its first axis.

    Args:    name: what the numbers are, for messages.
             given: array, list, pandas DataFrame or Series.
    Raises:  DataError: no numbers, or ragged. ShapeError: a single number, or no sample.
    Example: >>> as_samples("x", [[1, 2], [3, 4]])
             array([[1, 2],
                    [3, 4]])
    """
    try:
        array = np.asarray(given)
    except ValueError as error:  # NumPy's word for ragged lists
        raise DataError(f"{name}, a {type(given).__name__}", str(error), "equal lengths") from error
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} of type {array.dtype}",
            "a model computes with real numbers",
            "numbers: pandas.get_dummies(frame) or np.unique(names, return_inverse=True) for text,"
            " frame.dropna().astype(float) for gaps",
        )
    if array.size == 0 or array.ndim == 0:
        raise ShapeError(
            f"{name} of shape {array.shape}",
            "there is no sample in it" if array.ndim else "it has no axis of samples",
            "an array of shape (samples, ...), with one sample at least",
        )
    return array


def whole_number(name: str, given: object) -> int:
    """Return an option that counts something, as an int.

    Raises:  OptionError: it is no whole number from 1.
    Example: >>> whole_number("units", np.int64(3))
             3
    """
    if not isinstance(given, int | np.integer) or isinstance(given, bool) or given < 1:
        raise OptionError(
            f"{name}={given!r}", "it is a count", f"{name}= a whole number, at least 1"
        )
    return int(given)
