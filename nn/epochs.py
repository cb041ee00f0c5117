"""One pass over the data: what comes in, what is summed up, and how Ctrl-C ends it."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from autograd_core import DataError, OptionError

from .configuration import check_range
from .data import batches
from .metrics import measured
from .mistakes import warn

Metrics = Mapping[str, Callable[..., Any]]


def as_batches(
    x: Any,
    y: Any,
    sample_weight: Any,
    batch_size: int | None,
    shuffle: bool,
    dtype: Any,
    usual_size: int = 32,
) -> Iterable[Any]:
    """Return batches (x, y) or (x, y, sample_weight) of what was given to fit or evaluate.

    Args:    x: array, frame, list; or, where y is None, an iterable of such batches.
             dtype: of the model; data in another float type are cast once, here.
             usual_size: samples in a batch of arrays where batch_size is None.
    Raises:  DataError: an iterator, which is used up after one epoch. OptionError: weights or a
             batch_size for an iterable. See also `batches`.
    """
    if y is not None:
        x, y = as_array(x, dtype), as_array(y, dtype)
        if sample_weight is not None:
            sample_weight = as_array(sample_weight, dtype)
        size = usual_size if batch_size is None else batch_size
        return batches(x, y, sample_weight, size, shuffle)
    if isinstance(x, np.ndarray) or not isinstance(x, Iterable) or hasattr(x, "to_numpy"):
        raise DataError(
            f"x without y: {type(x).__name__}",
            "a loss compares predictions with targets",
            "fit(x, y); fit(x, x) to learn x itself; or an iterable of batches (x, y)",
        )
    if isinstance(x, Iterator):
        raise DataError(
            f"x of type {type(x).__name__}",
            "an iterator is used up after one epoch",
            "a list of batches, nn.batches(x, y), or an object whose __iter__ begins anew",
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
    return x


def check_epochs(epochs: Any, initial_epoch: Any) -> None:
    """Refuse what counts no epochs, and warn if none is left to learn.

    Raises:  OptionError: one of them is no whole number from 0.
    """
    for name, count in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        check_range(name, count, 0)
        if not isinstance(count, int | np.integer):
            raise OptionError(f"{name}={count!r}", "it counts epochs", f"{name}={int(count)}")
    if 0 < epochs <= initial_epoch:
        warn(
            "no epoch",
            f"epochs={epochs} with initial_epoch={initial_epoch}",
            "epochs is the number of the last epoch, so that none is left to learn",
            f"epochs={initial_epoch + epochs} for {epochs} more",
        )


def as_parts(data: Any) -> tuple[Any, Any, Any] | None:
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


def as_array(data: Any, dtype: Any = None) -> Any:
    """Return data as an array; floats in the type of the model, whole numbers as they are."""
    array = data.to_numpy() if hasattr(data, "to_numpy") else np.asarray(data)
    if array.dtype.kind == "f" and dtype is not None and array.dtype != dtype:
        array = array.astype(dtype)
    return array


def split_off(x: Any, y: Any, weight: Any, share: float) -> tuple[Any, Any, Any, Any]:
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
    validation: tuple[Any, ...] = (x[cut:], y[cut:])
    if weight is not None:
        weight = np.asarray(weight)
        validation, weight = (*validation, weight[cut:]), weight[:cut]
    return x[:cut], y[:cut], weight, validation


def paired(y: Any, out: Any) -> Any:
    """Return targets (n,) as a column where the predictions are one, and the other way round."""
    if y.ndim == len(out.shape) - 1 and out.shape[-1] == 1:
        return y[..., None]
    if y.ndim == len(out.shape) + 1 and y.shape[-1] == 1:
        return y[..., 0]
    return y


class EpochMetrics:
    """Sums up an epoch: the mean loss, and metrics of all predictions together, exactly.

    Args:    metrics: functions of (targets, predictions), by name.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._total = 0.0
        self._samples = 0
        self._kept: list[tuple[Any, Any, Any]] = []

    def add(self, loss: float, y: Any, out: Any, mask: Any = None) -> None:
        """Add a batch: its mean loss, targets, predictions and mask, (batch, steps) or None."""
        self._total += loss * len(y)
        self._samples += len(y)
        if self._metrics:
            self._kept.append((y, out, mask))

    @property
    def loss(self) -> float:
        """The mean loss so far."""
        return self._total / max(self._samples, 1)

    def logs(self) -> dict[str, float]:
        """Return the loss and all metrics by name."""
        logs = {"loss": self.loss}
        if self._kept:
            y, out, mask = (
                None if parts[0] is None else np.concatenate(parts)
                for parts in zip(*self._kept, strict=True)
            )
            for name, metric in self._metrics.items():
                logs[name] = measured(metric, y, out, mask)
        return logs


class SingleProcess:
    """What one process does by itself in each pass; nn.parallel says how several do it together."""

    updates_apart = False  # whether gradients leave a compiled step before they move parameters

    def batches(self, data: Any) -> Any:
        """Return the batches that this process computes: all of them."""
        return data

    def figures(self, metrics: Metrics) -> EpochMetrics:
        """Return what sums up a pass."""
        return EpochMetrics(metrics)

    def drawing(self) -> AbstractContextManager[None]:
        """Return a block in which a batch is learnt: random numbers come from where they did."""
        return nullcontext()

    def agreed(self, stops: bool) -> bool:
        """Return whether training stops here."""
        return stops

    def averaged(self, loss: float, mask: Any = None, parameters: Iterable[Any] = ()) -> float:
        """Return the loss of the batch, and leave its gradients in the parameters.

        Args:    mask: the steps over which the loss is a mean; None: it is one over samples.
        """
        return loss


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C call `stop`, so that a batch is not torn apart; a second Ctrl-C breaks off."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return

    def on_signal(_number: int, _frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
