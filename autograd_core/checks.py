"""Checks: analytic derivatives against numeric ones, the first NaN or inf, and changed arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from .data import Array, Data, Function, Operand, Result, Tree, as_data, shape_of
from .derivatives import flatten, grad
from .errors import AnomalyError, ChangedDataError, GradientMismatch, OptionError
from .functions.statistics import sum
from .graph import Node, plain
from .messages import account, check_function, made, user_line
from .rules import pull
from .value import Value, make_leaf
from .watching import Watcher, no_grad, watch


class Origin(NamedTuple):
    """What is written down about a node while anomalies are being looked for."""

    line: str
    fingerprints: tuple[int, ...]  # of the inputs' data, then of the node's own


class _Inspector(Watcher):
    def __init__(self) -> None:
        self.sweeps = 0  # under way: a rule may pass through inf where its result is finite

    def recorded(self, node: Node) -> None:
        line = user_line()
        if not self.sweeps and not np.isfinite(node._data).all() and not _is_masked(node):
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

    def swept(self, order: list[Node], cotangents: dict[Node, Result]) -> None:
        self.sweeps -= 1
        data = {node: plain(cotangent) for node, cotangent in cotangents.items()}
        if all(np.isfinite(cotangent).all() for cotangent in data.values()):
            return
        reached = [node for node in reversed(order) if node in data]
        first = next(node for node in reached if not np.isfinite(data[node]).all())
        raise _backward_anomaly(first, data)


def _is_masked(node: Node) -> bool:
    """Tell whether all that is not finite is the -inf of a constant, such as an attention mask."""
    inputs = [x for x in node.inputs if not isinstance(x, Node) or x.primitive is not None]
    is_below = (np.asarray(node._data) < np.inf).all()
    return bool(is_below) and any(np.isneginf(plain(x)).any() for x in inputs)


def _backward_anomaly(node: Node, cotangents: dict[Node, Result]) -> AnomalyError:
    """Name the operation whose rule gave `node` a gradient that is not finite."""
    for user, g in cotangents.items():
        for i, x in enumerate(user.inputs):
            if x is not node or user.primitive is None:
                continue
            d = pull(user, i, plain(g))
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
    is not finite an error names the operation, its operands and the line that made it. The -inf
    of a constant, such as an attention mask, may remain. Data that change between forward and
    backward are reported with both lines. Slow; for looking.

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


def _fingerprints(node: Node) -> tuple[int, ...]:
    return tuple(hash(np.asarray(plain(x)).tobytes()) for x in (*node.inputs, node))


def check_gradients(
    f: Function,
    *inputs: Tree,
    order: int = 2,
    rtol: float = 1e-6,
    atol: float = 1e-8,
) -> None:
    """Compare the derivatives of f with finite differences, element by element.

    The output is weighted with fixed random numbers, so that every part of it is tested; then the
    derivative so found is itself checked, up to `order`. Numeric derivatives come from five-point
    central differences in float64 with steps of 1e-4: keep inputs that far from kinks.

    Args:    f: any function of Values, with results of any shape and structure.
             inputs: numbers, arrays, or nested lists, tuples and dicts of them.
             order: the highest order of derivatives to check.
             rtol, atol: agreement is |analytic - numeric| <= atol + rtol * |numeric|.
    Raises:  GradientMismatch: names the order, the input, the element, both numbers and their
             relative error.
    Example: >>> check_gradients(lambda x, y: x * y["a"] + x**3, 2.0, {"a": 3.0})
    """
    check_function("check_gradients", f)
    are_right = [isinstance(each, int | float) and each >= 0 for each in (rtol, atol)]
    if not (isinstance(order, int) and order > 0 and all(are_right)):
        raise OptionError(
            f"check_gradients with order={order!r}, rtol={rtol!r}, atol={atol!r}",
            "an order is a whole number from 1, and tolerances are not negative",
            "check_gradients(f, *inputs, order=2, rtol=1e-6, atol=1e-8)",
        )
    leaves, rebuild = flatten(inputs)
    points = [_float64(leaf) for leaf in leaves]
    weights = np.random.default_rng(0)
    derivative = _projected(lambda *values: f(*rebuild(list(values))), weights)
    for level in range(1, order + 1):
        function, everything = derivative, tuple(range(len(points)))
        gradient = grad(function, everything)
        _compare(function, gradient, points, level, rtol, atol)
        derivative = _projected(gradient, weights)


def _projected(f: Function, weights: np.random.Generator) -> Function:
    """Return f with its results weighted, by numbers drawn once, and summed to one number."""
    drawn: list[Data] = []

    def projected(*values: Operand) -> Result:
        outputs, _ = flatten(f(*values))
        total: Operand = 0.0
        for i, output in enumerate(outputs):
            if i == len(drawn):
                drawn.append(weights.uniform(0.5, 1.5, shape_of(output)))
            total = total + sum(output * drawn[i])
        return total

    return projected


def _float64(leaf: Operand) -> Data:
    data = as_data(leaf._data if isinstance(leaf, Value) else leaf)
    return data if isinstance(data, float) else data.astype(np.float64)


def _compare(
    f: Function,
    gradient: Function,
    points: list[Data],
    level: int,
    rtol: float,
    atol: float,
) -> None:
    for i, analytic in enumerate(gradient(*points)):
        numeric = _numeric(f, points, i)
        error = np.abs(analytic - numeric)
        wrong = ~(error <= atol + rtol * np.abs(numeric))
        if not wrong.any():
            continue
        element = np.unravel_index(np.argmax(np.where(wrong, error, -1)), np.shape(error))
        mine, other = float(np.asarray(analytic)[element]), float(np.asarray(numeric)[element])
        relative = abs(mine - other) / max(abs(other), 1e-300)
        where = f", element {tuple(map(int, element))}" if element else ""
        raise GradientMismatch(
            f"derivative of order {level} by input {i}{where}",
            f"analytic {mine:.12g}, numeric {other:.12g}, relative error {relative:.3g}; "
            f"{int(wrong.sum())} of {wrong.size} elements differ",
            "check the rule of the primitive for that input; a kink nearer than 2e-4 also differs",
        )


def _numeric(f: Function, points: list[Data], i: int) -> Array:
    """Return the derivative of f by input i from five-point central differences."""
    out = np.zeros(shape_of(points[i]))
    for element in np.ndindex(out.shape):
        step = 1e-4 * max(1.0, abs(float(np.asarray(points[i])[element])))

        def at(steps: int, element: tuple[int, ...] = element, step: float = step) -> float:
            moved = np.array(points[i])
            moved[element] += steps * step
            values = [make_leaf(as_data(p)) for p in points]
            values[i] = make_leaf(as_data(moved))
            with no_grad():
                result = f(*values)
            return float(result)

        out[element] = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
    return out
