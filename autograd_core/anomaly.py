"""Where the first NaN or inf came from, and which array was changed behind the graph's back."""

import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .data import as_data
from .errors import AnomalyError, ChangedDataError
from .graph import Node
from .messages import account, made
from .mistakes import user_frame
from .rules import pull
from .watching import Watcher, watch


class Origin(NamedTuple):
    """What is written down about a node while anomalies are being looked for."""

    line: str
    fingerprints: tuple[int, ...]  # of the inputs' data, then of the node's own


class _Inspector(Watcher):
    def __init__(self) -> None:
        self.sweeps = 0  # under way: a rule may pass through inf where its result is finite

    def recorded(self, node: Node) -> None:
        line = user_line()
        if not self.sweeps and not np.isfinite(node._data).all():
            raise AnomalyError(
                f"{made(node)}\n  at:    {line}",
                f"it gave {account(node._data)}, the first number that is not finite",
                "operands inside the domain; np.where(condition, safe, ...) before the operation; "
                "or a stable form (logsumexp, log_softmax, softplus)",
            )
        node.origin = Origin(line, _fingerprints(node))

    def sweeping(self, order: list[Node]) -> None:
        for node in order:
            if not isinstance(node.origin, Origin):
                continue
            for i, (then, now) in enumerate(
                zip(node.origin.fingerprints, _fingerprints(node), strict=True)
            ):
                if then != now:
                    operands = len(node.inputs)
                    what = f"input {i}" if i < operands else "the result"
                    raise ChangedDataError(
                        f"{what} of {made(node)}\n  recorded at: {node.origin.line}\n"
                        f"  found changed at: {user_line()}",
                        "its data were changed in between, so its derivative would be wrong",
                        "v = v + step, which makes a new Value; or change parameters only after "
                        "backward()",
                    )
        self.sweeps += 1

    def swept(self, order: list[Node], cotangents: dict[Node, Any]) -> None:
        self.sweeps -= 1
        data = {node: _data(cotangent) for node, cotangent in cotangents.items()}
        if all(np.isfinite(cotangent).all() for cotangent in data.values()):
            return
        reached = [node for node in reversed(order) if node in data]
        first = next(node for node in reached if not np.isfinite(data[node]).all())
        raise _backward_anomaly(first, data)


def _backward_anomaly(node: Node, cotangents: dict[Node, Any]) -> AnomalyError:
    """Name the operation whose rule gave `node` a gradient that is not finite."""
    for user, g in cotangents.items():
        for i, x in enumerate(user.inputs):
            if x is not node or user.primitive is None:
                continue
            d = pull(user, i, _data(g))
            if d is not None and not np.isfinite(as_data(d)).all():
                line = user.origin.line if isinstance(user.origin, Origin) else "outside the block"
                return AnomalyError(
                    f"the derivative of {made(user)} by input {i}\n  recorded at: {line}\n"
                    f"  swept at: {user_line()}",
                    f"it gave {account(as_data(d))} from a gradient of {account(g)}",
                    "operands away from the singularity, such as np.sqrt(x + 1e-12)",
                )
    return AnomalyError(
        f"the gradient of {account(node)}\n  swept at: {user_line()}",
        f"its contributions add up to {account(cotangents[node])}",
        "a smaller loss, or a finite gradient in backward(gradient)",
    )


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Find the operation that gives the first NaN or inf, and arrays changed in place.

    Inside the block every operation, forward and backward, is checked; at the first number that
    is not finite an error names the operation, its operands and the line that made it. Data that
    change between forward and backward are reported with both lines. Slow; for looking.

    Raises:  AnomalyError: an operation or its derivative gave NaN or inf.
             ChangedDataError: data were changed after they had been recorded.
    Example: >>> import numpy as np
             >>> from autograd_core import Value
             >>> with detect_anomaly(), np.errstate(divide="ignore"):
             ...     np.log(Value([1.0, 0.0]))
             Traceback (most recent call last):
             autograd_core.errors.AnomalyError: log of shape (2,) from 0 to 1
             ...
    """
    with watch(_Inspector()):
        yield


def user_line() -> str:
    """Return file, line number and text of the innermost line that is the user's own."""
    frame = user_frame()
    name, number = frame.f_code.co_filename, frame.f_lineno
    return f"{name}:{number}: {linecache.getline(name, number).strip()}".rstrip(": ")


def _data(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x


def _fingerprints(node: Node) -> tuple[int, ...]:
    return tuple(hash(np.asarray(_data(x)).tobytes()) for x in (*node.inputs, node))
