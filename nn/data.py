"""Data on their way into a model: labels as one-hot rows, samples in batches."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import DataError, DomainError, OptionError, ShapeError

from .randomness import generator


def one_hot(labels: Any, num_classes: int | None = None, dtype: DTypeLike = np.float32) -> Any:
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
    return (labels[..., None] == np.arange(num_classes)).astype(dtype)


def batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
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

    def __init__(self, parts: tuple[Any, ...], batch_size: int, shuffle: bool = False) -> None:
        self.parts = parts
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self) -> int:
        return math.ceil(len(self.parts[0]) / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        samples = len(self.parts[0])
        order = generator().permutation(samples) if self.shuffle else None
        for start in range(0, samples, self.batch_size):
            here = slice(start, start + self.batch_size)
            if order is None:
                batch = tuple(part[here] for part in self.parts)
            else:
                batch = tuple(part.take(order[here], axis=0) for part in self.parts)
            yield batch if len(batch) > 1 else batch[0]


def as_samples(name: str, given: Any) -> Any:
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


def whole_number(name: str, given: Any) -> int:
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
