"""Analytic derivatives against numeric ones."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .data import as_data, shape_of
from .derivatives import grad
from .errors import GradientMismatch
from .functions.statistics import sum
from .graph import make_leaf
from .structure import flatten
from .value import Value
from .watching import no_grad


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
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
    leaves, rebuild = flatten(inputs)
    points = [_float64(leaf) for leaf in leaves]
    weights = np.random.default_rng(0)
    derivative = _projected(lambda *values: f(*rebuild(list(values))), weights)
    for level in range(1, order + 1):
        function, everything = derivative, tuple(range(len(points)))
        gradient = grad(function, everything)
        _compare(function, gradient, points, level, rtol, atol)
        derivative = _projected(gradient, weights)


def _projected(f: Callable[..., Any], weights: np.random.Generator) -> Callable[..., Any]:
    """Return f with its results weighted, by numbers drawn once, and summed to one number."""
    drawn: list[Any] = []

    def projected(*values: Any) -> Any:
        outputs, _ = flatten(f(*values))
        total: Any = 0.0
        for i, output in enumerate(outputs):
            if i == len(drawn):
                drawn.append(weights.uniform(0.5, 1.5, shape_of(output)))
            total = total + sum(output * drawn[i])
        return total

    return projected


def _float64(leaf: Any) -> Any:
    data = as_data(leaf._data if isinstance(leaf, Value) else leaf)
    return data if isinstance(data, float) else data.astype(np.float64)


def _compare(
    f: Callable[..., Any],
    gradient: Callable[..., Any],
    points: list[Any],
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


def _numeric(f: Callable[..., Any], points: list[Any], i: int) -> Any:
    """Return the derivative of f by input i from five-point central differences."""
    out = np.zeros(shape_of(points[i]))
    for element in np.ndindex(out.shape):
        step = 1e-4 * max(1.0, abs(float(np.asarray(points[i])[element])))

        def at(steps: int, element: Any = element, step: float = step) -> float:
            moved = np.array(points[i])
            moved[element] += steps * step
            values = [make_leaf(Value, as_data(p)) for p in points]
            values[i] = make_leaf(Value, as_data(moved))
            with no_grad():
                result = f(*values)
            return float(result)

        out[element] = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
    return out
