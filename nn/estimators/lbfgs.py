"""L-BFGS: all samples at once, steps from the gradients of the last ones; SciPy has it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..callbacks import CallbackList, History, Progress
from ..epochs import interruptible
from ..losses import loss_of
from ..optional import optional


def minimize(
    model: Any,
    x: Any,
    y: Any,
    sample_weight: Any,
    callbacks: Iterable[Any],
    verbose: int,
    **options: Any,
) -> tuple[History, Any]:
    """Make a compiled model's loss small; an iteration is an epoch to the callbacks.

    Args:    x, y, sample_weight: all samples.
             verbose: as in `fit`.
             options: of SciPy's L-BFGS-B, maxiter among them.
    Returns: the History, and SciPy's result.
    Raises:  MissingPackageError: SciPy is not installed.
    Source:  R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, A limited memory algorithm for bound
             constrained optimization, 1995.
    """
    parameters = model.parameters()
    history = History()
    progress = Progress(options["maxiter"], 1, verbose)
    tell = CallbackList([*callbacks, history, progress], model)
    model.stop_training = False

    def objective(packed: Any) -> tuple[float, Any]:
        _put(packed, parameters)
        loss = loss_of(model.loss, y, model(x), sample_weight)
        model.zero_grad()
        loss.backward()
        return float(loss), _packed([parameter.grad for parameter in parameters])

    def after(intermediate_result: Any) -> None:
        _put(intermediate_result.x, parameters)
        tell("on_epoch_end", len(history.epoch), {"loss": float(intermediate_result.fun)})
        if model.stop_training:
            raise StopIteration

    def stop() -> None:
        model.stop_training = True

    start = _packed([parameter.data for parameter in parameters])
    method = optional("scipy.optimize", "scipy").minimize
    model.train()
    with interruptible(stop):
        tell("on_train_begin", {})
        try:
            result = method(
                objective, start, method="L-BFGS-B", jac=True, callback=after, options=options
            )
            _put(result.x, parameters)
        finally:
            tell("on_train_end", {})
    return history, result


def _packed(arrays: list[Any]) -> Any:
    return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)


def _put(packed: Any, parameters: list[Any]) -> None:
    """Take parameters out of one long array, each in its type."""
    start = 0
    for parameter in parameters:
        data = parameter.data
        end = start + data.size
        parameter.data = packed[start:end].reshape(data.shape).astype(data.dtype)
        start = end
