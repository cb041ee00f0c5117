"""Ranks: the processes that learn together, and the block in which one's failure stops all."""

import re
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, cast

from autograd_core import OptionError

from ..callbacks import History
from ..configuration import check_range, name_of
from ..mistakes import TrainingWarning
from .sharing import Following, share_randomness, share_weights
from .together import Together
from .world import RankError, require_same, world

TO_BE_READ = 0.3  # seconds: mpiexec passes on what it has read before everything is ended


class Ranks:
    """All processes that mpiexec has started; one, if it was not used.

    Each of them runs the same program, and has the whole data. `fit` gives each rank its share of
    every batch; losses, metrics and weights are those of one process with the same batches, but for
    rounding. Exceptions: BatchNormalization sees the batch's share of its own rank, and running
    averages are the ranks' mean; dropout and noise are drawn from a stream of each rank's own.

    What fails on one rank inside the `with` block stops all others, too. All leave it together, so
    that behind it they find what rank 0 has saved; one that leaves while others learn is an error.
    `rank` is the number of this process, from 0, `size` tells how many there are, and `is_first`
    whether this is rank 0, which prints and saves for all.

    Args:    bucket_size: bytes of gradients that are averaged at once.
    Raises:  MissingPackageError: mpi4py or an MPI library is missing. OptionError: mpiexec belongs
             to another MPI library, or a bucket has no byte.
    Example: >>> import nn
             >>> nn.set_seed(0)
             >>> model = nn.Sequential([nn.Dense(1)])
             >>> model.compile(nn.SGD(0.1), loss="mse")
             >>> with Ranks() as ranks:  # a single one, without mpiexec
             ...     history = ranks.fit(model, [[1.0], [2.0]], [1.0, 3.0], epochs=3, verbose=0)
             >>> ranks, len(history.epoch)
             (Ranks: 0 of 1, 3)
    """

    def __init__(self, bucket_size: int = 2**22) -> None:
        check_range("bucket_size", bucket_size, 1)
        self.bucket_size = bucket_size
        self._world = world()
        self.rank: int = self._world.rank
        self.size: int = self._world.size
        self.is_first = self.rank == 0
        self._is_open = False

    def __repr__(self) -> str:
        return f"Ranks: {self.rank} of {self.size}"

    def __enter__(self) -> "Ranks":
        self._is_open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the block, with all other ranks; where it ends with an error, end them at once."""
        self._is_open = False
        failure = self._failure(error) if self.size > 1 else None
        if failure is not None:  # a rank that merely left would be waited for forever
            sys.stderr.write(f"rank {self.rank} of {self.size} failed, and stops all others:\n")
            traceback.print_exception(failure)
            sys.stdout.flush()
            sys.stderr.flush()
            time.sleep(TO_BE_READ)
            self._world.comm.Abort(1)

    def _failure(self, error: BaseException | None) -> BaseException | None:
        """Return what has gone wrong: the error that ends the block, or that others go on in it."""
        is_left = error is None or getattr(error, "code", 1) in (0, None)  # as by sys.exit()
        if not is_left or self._world.broken is not None:
            return self._world.broken if is_left else error
        try:
            require_same(self._world, {"doing": "the end of the block"})
        except (OptionError, RankError) as unequal:
            return unequal
        return None

    def fit(
        self,
        model: Any,
        x: Any,
        y: Any = None,
        *,
        callbacks: Iterable[Any] | None = None,
        **options: Any,
    ) -> History:
        """Let all ranks learn together; every rank calls it, with the same model and data.

        Weights, the optimizer's state and random numbers start from those of rank 0. Callbacks
        run on rank 0 and see the model there, with the figures of all; the bar or the lines are
        shown there, too. What callbacks do to weights, learning rate and stop_training holds for
        all ranks.

        Args:    model: compiled, with a loss that is a mean over samples, as all of ours are.
                 x, y, callbacks, options: as in `model.fit`; batch_size counts the samples of all
                 ranks together.
        Returns: the History, the same on every rank.
        Raises:  OptionError: ranks differ in options, model or data; a loss with reduction="sum";
                 outside the `with` block. See also `model.fit`.
        """
        self._check_open()
        if self.size == 1:
            return cast(History, model.fit(x, y, callbacks=callbacks, **options))
        same = {
            name: value if isinstance(value, int | float) else type(value).__name__
            for name, value in options.items()
            if name != "verbose" and value is not None
        }
        with self._together("fit", model, same):
            share_randomness(self._world, model)
            if self.rank:
                options["verbose"] = 0
            following = Following(self._world, callbacks)
            history = model.fit(x, y, callbacks=[following], **options)
            share_weights(self._world, model)  # those that early stopping went back to
        return cast(History, history)

    def evaluate(self, model: Any, x: Any, y: Any = None, **options: Any) -> Any:
        """Measure the loss and the metrics, each rank on its share; every rank calls it.

        Args:    model: compiled. x, y, options: as in `model.evaluate`.
        Returns: what `model.evaluate` returns, the same on every rank.
        Raises:  as `fit`.
        """
        self._check_open()
        if self.size == 1:
            return model.evaluate(x, y, **options)
        if self.rank:
            options["verbose"] = 0
        with self._together("evaluate", model, {}):
            return model.evaluate(x, y, **options)

    def _check_open(self) -> None:
        if not self._is_open:
            raise OptionError(
                f"{self} outside its block",
                "inside it, a rank that fails stops the others; outside, they would wait for it",
                "with nn.parallel.Ranks() as ranks: ...",
            )

    @contextmanager
    def _together(self, doing: str, model: Any, options: dict[str, Any]) -> Iterator[None]:
        """Let the model learn with all ranks inside the block, if they have the same in mind."""
        try:
            self._prepare(doing, model, options)
            with warnings.catch_warnings():
                if self.rank:  # rank 0 says it for all
                    warnings.simplefilter("ignore", TrainingWarning)
                yield
        except BaseException as error:
            self._world.failed(error)
            raise
        finally:
            vars(model).pop("_ranks", None)

    def _prepare(self, doing: str, model: Any, options: dict[str, Any]) -> None:
        reduction = getattr(model.loss, "keywords", {}).get("reduction", "mean")
        if reduction != "mean":
            raise OptionError(
                f"a loss with reduction={reduction!r} on several ranks",
                "the ranks' gradients are averaged, as those of means over samples can be",
                'reduction="mean"',
            )
        described = {
            "bucket_size": self.bucket_size,
            "model": re.sub(" at 0x[0-9a-fA-F]+", "", repr(model)),
            "optimizer": repr(model.optimizer),
            "loss": f"{name_of(model.loss)} {getattr(model.loss, 'keywords', '')}".rstrip(),
            "metrics": list(model.metrics),
            "jit": model.jit,
        }
        require_same(self._world, {"doing": doing, "options": options, **described})
        model._ranks = Together(self._world, model, self.bucket_size)
