"""Where functions have no derivative: points at which libraries follow conventions.

`docs/explanation/floats.md` shows the gradient that each library gives, and tests compare.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import nn
from autograd_core import grad, logsumexp

INF, NAN = np.inf, np.nan
LADDER = np.array([1.0, 10.0, 100.0])


class Row(NamedTuple):
    """A function of an array, as each library writes it, and a point."""

    point: list
    ours: object
    jax: object
    torch: object  # torch -> function: tests without PyTorch import this


def of_two(name, *point):
    """Return the row of a function of two numbers that all three libraries have by this name."""
    return Row(
        [*point],
        lambda x: getattr(np, name)(x[0], x[1]),
        lambda x: getattr(jnp, name)(x[0], x[1]),
        lambda torch: lambda x: getattr(torch, name)(x[0], x[1]),
    )


def of_one(ours, theirs, name, point):
    """Return the row of a function of one number."""
    return Row([point], ours, theirs, lambda torch: lambda x: getattr(torch, name)(x[0]))


def activation(name, torchs, point):
    """Return the row of an activation, by its name here and in JAX, and in PyTorch."""
    return Row(
        [point],
        lambda x: getattr(nn.activations, name)(x[0]),
        lambda x: getattr(jax.nn, name)(x[0]),
        lambda torch: lambda x: getattr(torch.nn.functional, torchs)(x[0]),
    )


def twice(ours, theirs, torchs, *point):
    """Return the row of a second derivative: of the sum of the gradient of a function."""
    return Row(
        [*point],
        lambda x: np.sum(grad(ours)(x)),
        lambda x: jnp.sum(jax.grad(theirs)(x)),
        lambda torch: lambda x: torch.func.grad(lambda y: torchs(torch, y))(x).sum(),
    )


def norm(*point):
    """Return the row of a norm."""
    return Row([*point], np.linalg.norm, jnp.linalg.norm, lambda torch: torch.linalg.norm)


def power(*point):
    """Return the row of x^y, or of the root of x."""

    def f(x):
        return x[0] ** x[1] if len(point) == 2 else x[0] ** 0.5

    return Row([*point], f, f, lambda _: f)


ROWS = {
    "max of 1, 1, 0": Row([1.0, 1.0, 0.0], np.max, jnp.max, lambda torch: torch.amax),
    "maximum of 1, 1": of_two("maximum", 1.0, 1.0),
    "fmax of 1, 1": of_two("fmax", 1.0, 1.0),
    "fmin of 1, 1": of_two("fmin", 1.0, 1.0),
    "clip of 0 to [0, 1]": Row(
        [0.0],
        lambda x: np.clip(x[0], 0.0, 1.0),
        lambda x: jnp.clip(x[0], 0.0, 1.0),
        lambda torch: lambda x: torch.clip(x[0], 0.0, 1.0),
    ),
    "1, 10, 100 times sort of 1, 1, 0": Row(
        [1.0, 1.0, 0.0],
        lambda x: np.sum(np.sort(x) * LADDER),
        lambda x: jnp.sum(jnp.sort(x) * LADDER),
        lambda torch: lambda x: torch.sum(torch.sort(x)[0] * torch.tensor(LADDER)),
    ),
    "median of 1, 1, 0": Row([1.0, 1.0, 0.0], np.median, jnp.median, lambda torch: torch.median),
    "abs of 0": of_one(lambda x: abs(x[0]), lambda x: abs(x[0]), "abs", 0.0),
    "sign of 0": of_one(lambda x: np.sign(x[0]), lambda x: jnp.sign(x[0]), "sign", 0.0),
    "relu of 0": activation("relu", "relu", 0.0),
    "relu of NaN": activation("relu", "relu", NAN),
    "elu of NaN": activation("elu", "elu", NAN),
    "hard_tanh of NaN": activation("hard_tanh", "hardtanh", NAN),
    "norm of 0, 0": norm(0.0, 0.0),
    "norm of 1e-200, 0": norm(1e-200, 0.0),
    "norm of 1e200, 1e200": norm(1e200, 1e200),
    "std of 1, 1": Row(
        [1.0, 1.0], np.std, jnp.std, lambda torch: lambda x: torch.std(x, correction=0)
    ),
    "hypot of 0, 0": of_two("hypot", 0.0, 0.0),
    "arctan2 of 0, 0": of_two("arctan2", 0.0, 0.0),
    "x^y of 0, 0": power(0.0, 0.0),
    "x^0.5 of -0.0": power(-0.0),
    "logaddexp of -inf, -inf": of_two("logaddexp", -INF, -INF),
    "logaddexp of inf, inf": of_two("logaddexp", INF, INF),
    "the derivative of cosh of abs of 0": twice(
        lambda x: np.sum(np.cosh(abs(x))),
        lambda x: jnp.sum(jnp.cosh(abs(x))),
        lambda torch, x: torch.cosh(abs(x)).sum(),
        0.0,
    ),
    "the derivative of max(x, -x)^2 at 0": twice(
        lambda x: np.sum(np.maximum(x, -x) ** 2),
        lambda x: jnp.sum(jnp.maximum(x, -x) ** 2),
        lambda torch, x: (torch.maximum(x, -x) ** 2).sum(),
        0.0,
    ),
    "the derivative of (abs x + abs y)^2 at 0, 0": twice(
        lambda x: np.linalg.norm(x, 1) ** 2,
        lambda x: jnp.linalg.norm(x, 1) ** 2,
        lambda torch, x: torch.linalg.norm(x, 1) ** 2,
        0.0,
        0.0,
    ),
    "logsumexp of -inf, -inf": Row(
        [-INF, -INF],
        logsumexp,
        jax.nn.logsumexp,
        lambda torch: lambda x: torch.logsumexp(x, 0),
    ),
}


def written(gradient):
    """Return a gradient as the page writes it."""
    return ", ".join(f"{value:.3g}" for value in np.ravel(gradient) + 0.0)
