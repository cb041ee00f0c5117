"""NumPy's functions on Values: NumPy's results, JAX's gradients, and clear words for the rest."""

import inspect
import operator
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from operator import attrgetter
from typing import Any

import hypothesis.extra.numpy as st_numpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd_core import (
    AutogradError,
    DataError,
    IndexRangeError,
    ShapeError,
    TraceError,
    UnsupportedError,
    Value,
    check_gradients,
    compile,
    grad,
    gradients,
    logsumexp,
    messages,
    vjp,
)
from autograd_core.functions import activations
from autograd_core.functions.compositions import COMPOSED
from autograd_core.graph import as_operand, plain
from autograd_core.numpy_protocol import PLAIN, RECORDED

jax.config.update("jax_enable_x64", True)


@dataclass(frozen=True)
class Call:
    """An expression of np and the inputs x, y, z; np is NumPy or jax.numpy."""

    text: str
    inputs: tuple[Any, ...]

    def __call__(self, np, *inputs):
        return eval(
            self.text, {"np": np, "BytesIO": BytesIO, **dict(zip("xyz", inputs, strict=False))}
        )

    def results(self, np, *inputs):
        """Return the results as a list, also where there is one."""
        out = self(np, *inputs)
        return list(out) if isinstance(out, list | tuple) else [out]

    def weighted(self, np, *inputs):
        """Return the sum of all results, each number with another weight."""
        total = 0.0
        for i, result in enumerate(self.results(np, *inputs)):
            weights = 1.5 + np.sin(i + np.arange(np.size(result))).reshape(np.shape(result))
            total = total + np.sum(result * weights)
        return total

    @property
    def functions(self):
        """The NumPy functions that are called."""
        return {attrgetter(name)(np) for name in re.findall(r"np\.([\w.]+)\(", self.text)}


SINCE_NUMPY_2_1 = ("np.clip(x, min=-1)", "np.clip(x, max=1.0)", "np.reshape(x, shape=(24,))")
TOO_NEW = () if "shape" in inspect.signature(np.reshape).parameters else SINCE_NUMPY_2_1


def calls(texts, *shapes, low=-2.0, high=2.0):
    """Return a call for each line, with inputs x, y, z of these shapes from low to high."""
    rng = np.random.default_rng(0)
    return [
        Call(text, tuple(rng.uniform(low, high, shape) for shape in shapes))
        for text in map(str.strip, texts.strip().splitlines())
        if text not in TOO_NEW
    ]


OF_A_NUMBER = """
    np.exp(x)
    np.hypot(x, 2.0)
    np.where(x > 0, np.log(x), 0.0)
    np.where(x, 2 * x, 3.0)
    np.sum(x)
    np.prod(x)
    np.mean(x)
    np.max(x)
    np.ptp(x)
    np.median(x)
    np.clip(x, 0, 0.5)
    np.round(x, 1)
    np.ravel(x)
    np.reshape(x, (1, 1))
    np.broadcast_to(x, (2, 3))
    np.broadcast_to(x, 3)
    np.broadcast_arrays(x, x * x)
    np.squeeze(x)
    np.expand_dims(x, 0)
    np.atleast_1d(x)
    np.atleast_2d(x)
    np.atleast_3d(x)
    np.stack([x, 2 * x, 1.0])
    np.hstack([x, 1.0])
    np.vstack([x, x * x])
    np.dstack([x, x * x])
    np.column_stack([x, x * x])
    np.concatenate([x, x * x], axis=None)
    np.tile(x, 3)
    np.repeat(x, 3)
    np.cumsum(x)
    np.dot(x, 3.0)
    np.outer(x, x)
    np.vdot(x, x)
    np.kron(x, x)
    np.inner(x, x)
"""

OF_POSITIVE_NUMBERS = """
    np.log(x)
    np.log2(x)
    np.log10(x)
    np.log1p(x)
    np.sqrt(x)
    np.power(x, 1.5)
    np.power(2, x)
    np.power(x, x)
    np.float_power(x, 2.5)
    np.mod(3.0, x)
"""

OF_NUMBERS_FROM_MINUS_1_TO_1 = """
    np.arcsin(x)
    np.arccos(x)
    np.arctanh(x)
    np.arccosh(2 + x)
"""

ELEMENT_BY_ELEMENT = """
    np.exp(x)
    np.exp2(x)
    np.expm1(x)
    np.cbrt(x)
    np.square(x)
    np.reciprocal(x)
    np.power(x, 3)
    np.sin(x)
    np.cos(x)
    np.tan(x)
    np.arctan(x)
    np.sinh(x)
    np.cosh(x)
    np.tanh(x)
    np.arcsinh(x)
    np.sinc(x)
    np.absolute(x)
    np.fabs(x)
    np.sign(x)
    np.heaviside(x, 0.5)
    np.heaviside(0.0 * x, x)
    np.floor(x)
    np.ceil(x)
    np.round(x)
    np.round(x, 1)
    np.around(x, decimals=1)
    np.negative(x)
    np.positive(x)
    np.deg2rad(x)
    np.radians(x)
    np.rad2deg(x)
    np.degrees(x)
    np.clip(x, -1, 1)
    np.clip(x, None, 0.5)
    np.clip(x, -0.5, None)
    np.clip(x, min=-1)
    np.clip(x, max=1.0)
    np.clip(x, -np.ones(4), np.ones((3, 1)))
    np.where(x > 0, x, 0.1 * x)
    np.where(x > 0, np.log(np.abs(x)), 0.0)
"""

OF_TWO = """
    np.add(x, y)
    np.subtract(x, y)
    np.multiply(x, y)
    np.divide(x, y)
    np.floor_divide(x, y)
    np.mod(x, y)
    np.arctan2(x, y)
    np.hypot(x, y)
    np.logaddexp(x, y)
    np.logaddexp2(x, y)
    np.maximum(x, y)
    np.minimum(x, y)
    np.fmax(x, y)
    np.fmin(x, y)
    np.maximum(x, 0.5)
    np.minimum(0.5, y)
    np.clip(x, y, 1 + y)
    np.where(x > y, x, y)
"""

REDUCTIONS = """
    np.sum(x)
    np.sum(x, 1)
    np.sum(x, axis=-1, keepdims=True)
    np.sum(x, axis=(0, 2))
    np.sum(x, axis=(-1, 0), keepdims=True)
    np.sum(x, axis=())
    np.prod(x, axis=())
    np.prod(x)
    np.prod(x, axis=1)
    np.prod(x, axis=-1, keepdims=True)
    np.prod(x, axis=(0, 2))
    np.prod(x, axis=(-1, 0), keepdims=True)
    np.mean(x)
    np.mean(x, axis=0)
    np.mean(x, axis=-2, keepdims=True)
    np.mean(x, axis=(1, 2))
    np.var(x)
    np.var(x, axis=1)
    np.var(x, axis=(0, -1), ddof=1)
    np.var(x, axis=-1, ddof=0.5, keepdims=True)
    np.std(x)
    np.std(x, axis=0)
    np.std(x, axis=(0, -1), ddof=1)
    np.std(x, axis=-1, ddof=0.5, keepdims=True)
    np.max(x)
    np.max(x, axis=1)
    np.max(x, axis=(0, -1), keepdims=True)
    np.amax(x, axis=2)
    np.min(x)
    np.min(x, axis=1)
    np.min(x, axis=(0, -1), keepdims=True)
    np.amin(x, axis=2)
    np.ptp(x)
    np.ptp(x, axis=-1)
    np.ptp(x, axis=(0, 1), keepdims=True)
    np.median(x)
    np.median(x, axis=0)
    np.median(x, axis=1, keepdims=True)
    np.median(x, axis=-1)
    np.median(x, axis=(0, 2))
    np.median(x, axis=(-1, 1), keepdims=True)
    np.median(x, keepdims=True)
"""

RUNNING = """
    np.cumsum(x)
    np.cumsum(x, axis=0)
    np.cumsum(x, axis=-1)
    np.cumprod(x)
    np.cumprod(x, axis=0)
    np.cumprod(x, axis=-1)
    np.diff(x)
    np.diff(x, 2)
    np.diff(x, n=0)
    np.diff(x, axis=0)
    np.diff(x, n=3, axis=-1)
    np.trapezoid(x)
    np.trapezoid(x, dx=0.5)
    np.trapezoid(x, axis=0)
    np.trapezoid(x, x[0] ** 3)
    np.trapezoid(x, x[:, 0], axis=0)
    np.trapezoid(x, x**3, axis=0)
    np.trapezoid(x, x**3, axis=-1)
    np.sort(x)
    np.sort(x, axis=0)
    np.sort(x, axis=None)
"""

SHAPES_OF_A_CUBE = """
    np.reshape(x, (4, 3, 2))
    np.reshape(x, -1)
    np.reshape(x, (2, -1))
    np.reshape(x, [6, -1, 1])
    np.reshape(x, shape=(24,))
    np.ravel(x)
    np.transpose(x)
    np.transpose(x, (1, 2, 0))
    np.transpose(x, axes=[0, -1, 1])
    np.swapaxes(x, 0, 2)
    np.swapaxes(x, -1, 1)
    np.moveaxis(x, 0, -1)
    np.moveaxis(x, [0, 2], [1, 0])
    np.rollaxis(x, 2)
    np.rollaxis(x, 0, 3)
    np.expand_dims(x, 0)
    np.expand_dims(x, -2)
    np.expand_dims(x, (0, -1))
    np.squeeze(np.expand_dims(x, (0, 2)))
    np.squeeze(np.expand_dims(x, (0, 2)), axis=2)
    np.squeeze(np.expand_dims(x, (0, 2)), axis=(0, -3))
    np.atleast_1d(x)
    np.atleast_2d(x)
    np.atleast_3d(x)
    np.broadcast_to(x, (5, 2, 3, 4))
    np.broadcast_arrays(x, x[:, :1])
    np.flip(x)
    np.flip(x, 1)
    np.flip(x, axis=(0, -1))
    np.fliplr(x)
    np.flipud(x)
    np.roll(x, 2, axis=1)
    np.roll(x, -1)
    np.roll(x, (1, -2), axis=(0, 2))
    np.roll(x, 1, axis=(0, 1))
    np.rot90(x)
    np.rot90(x, 2)
    np.rot90(x, k=-1, axes=(1, 2))
    np.rot90(x, 4, axes=(0, 2))
    np.tile(x, 2)
    np.tile(x, (2, 1))
    np.tile(x, (2, 1, 1, 3))
    np.repeat(x, 2)
    np.repeat(x, 3, axis=1)
    np.diagonal(x)
    np.diagonal(x, 1, 1, 2)
    np.diagonal(x, offset=-1, axis1=2, axis2=0)
    np.trace(x)
    np.trace(x, 1, 1, 2)
    np.tril(x)
    np.triu(x, 1)
    np.tril(x, k=-1)
    np.triu(x, -1)
    np.take(x, np.array([0, 2, 2, 1]))
    np.take(x, 5)
    np.take(x, np.array([[0, 0], [1, 0]]), axis=1)
    np.take(x, -1, axis=-1)
    np.take(x, np.array([3, 3, -1]), axis=2)
    np.delete(x, 1, axis=1)
    np.delete(x, 3)
"""

SHAPES_OF_A_VECTOR = """
    np.diag(x)
    np.diag(x, 1)
    np.diag(x, k=-2)
    np.atleast_2d(x)
    np.atleast_3d(x)
    np.tile(x, 3)
    np.repeat(x, 2)
    np.roll(x, -2)
    np.roll(x, 7)
    np.flip(x)
    np.split(x, 5)
    np.split(x, [1, 1, 3])
    np.array_split(x, 2)
    np.array_split(x, 7)
    np.hsplit(x, [2])
    np.pad(x, 2)
    np.pad(x, (1, 2))
    np.pad(x, (0, 3), mode="reflect")
    np.pad(x, (6, 7), mode="wrap")
    np.cumsum(x)
    np.cumprod(x)
    np.diff(x)
    np.sort(x)
    np.median(x)
    np.trapezoid(x)
    np.trapezoid(np.arange(5.0), x)
"""

SHAPES_OF_A_MATRIX = """
    np.diag(x)
    np.diag(x, 1)
    np.diag(x, -1)
    np.split(x, 2)
    np.split(x, 3, axis=1)
    np.split(x, [1, 4], 1)
    np.split(x, [2, 5], axis=-1)
    np.array_split(x, 3)
    np.array_split(x, 4, axis=1)
    np.hsplit(x, 2)
    np.hsplit(x, [1, 2])
    np.vsplit(x, 4)
    np.vsplit(x, [3])
    np.pad(x, 1)
    np.pad(x, ((1, 0), (0, 2)))
    np.pad(x, (2, 1), constant_values=3)
    np.pad(x, ((1, 2), (0, 1)), constant_values=((1, 2), (3, 4)))
    np.pad(x, (0, 0))
    np.pad(x, 2, mode="edge")
    np.pad(x, ((1, 2), (3, 0)), mode="reflect")
    np.pad(x, ((1, 2), (3, 0)), mode="symmetric")
    np.pad(x, ((5, 2), (3, 9)), "wrap")
    np.atleast_1d(x, 2 * x[0])[1]
    np.atleast_3d(x[0], x)
    np.rot90(x, 3)
    np.tile(x, (1, 2))
    np.tril(x, 1)
    np.triu(x)
"""

JOINED = """
    np.concatenate([x, y])
    np.concatenate((x, np.ones((1, 3)), y, x), axis=0)
    np.concatenate([x.T, y.T], axis=1)
    np.concatenate([x.T, y.T], -1)
    np.concatenate([x, y], axis=None)
    np.stack([x, x + 1])
    np.stack([x, np.zeros((2, 3)), x], axis=1)
    np.stack((x, 2 * x), axis=-1)
    np.hstack([x.T, y.T])
    np.hstack([x[0], y[1]])
    np.vstack([x, y])
    np.vstack([x[0], y])
    np.dstack([x, x * x])
    np.dstack([x[0], y[0]])
    np.column_stack([x[0], y[0]])
    np.column_stack([x.T, y[0]])
"""

PRODUCTS = """
    np.dot(x, y)
    np.matmul(x, y)
    np.vdot(x, y.T)
    np.inner(x, y.T)
    np.outer(x, y)
    np.tensordot(x, y, 1)
    np.tensordot(x, y, axes=([0, 1], [1, 0]))
    np.einsum("ij,jk->ik", x, y)
    np.einsum("ij,ji", x, y)
    np.einsum("...j,jk->k...", x, y)
    np.kron(x, y)
    np.cross(x, y.T)
    np.trace(np.matmul(x, y))
"""

# Lists in place of arrays, lengths that jit has to know, and options that JAX does not have
WITHOUT_JAX = """
    np.add.reduce(x)
    np.multiply.reduce(x, axis=1, keepdims=True)
    np.maximum.reduce(x, axis=None)
    np.minimum.reduce(x, axis=(0, 1))
    np.logaddexp.reduce(x)
    np.add.accumulate(x)
    np.multiply.accumulate(x, axis=1)
    np.multiply.outer(x, x[0])
    np.arctan2.outer(x[0], [[1.0, 2.0]])
    np.logaddexp.outer(2.0, x)
    np.select([x[0] > 0, x[0] > -1], [x[1], 2 * x[2]], x[0])
    np.select([x > 0], [x])
    np.fix(x)
    np.full_like(x, x[0])
    np.linspace(x[0], x[1], 5)
    np.linspace(x[0], 2.0, 4, endpoint=False)
    np.resize(x, (2, 7))
    np.bincount([0, 1, 1, 3], weights=x[0])
    np.unique(x)
    np.copy(x)
    np.real(x)
    np.block([[x, x[:, :1]], [x[:1], 1.0]])
    np.block([x[0], x[1, :2]])
    np.compress([True, False, True], x, axis=0)
    np.extract([[True, False, True, False]] * 3, x)
    np.nan_to_num(np.where(x > 0, np.nan, x), nan=2.0)
    np.polyval(x[0], x)
    np.polyval([1.0, 2.0, 3.0], x)
    np.vander(x[0])
    np.vander(x[0], 3, increasing=True)
    np.cov(x)
    np.cov(x, rowvar=False, bias=True)
    np.cov(x[0], x[1], ddof=0)
    np.cov(x[0])
    np.corrcoef(x)
    np.corrcoef(x[0], x[1])
    np.append(x, x[:1], axis=0)
    np.append(x, 3.0)
    np.ediff1d(x)
    np.average(x)
    np.average(x, axis=1, weights=[1.0, 2.0, 3.0, 4.0])
    np.average(x, axis=0, weights=np.exp(x))
    np.average(x, weights=np.exp(x))
    np.diagflat(x[0])
    np.take_along_axis(x, np.argsort(x, axis=1), axis=1)
    np.trunc(x)
    np.rint(x)
    np.conjugate(x)
    np.copysign(x, -1.0)
    np.copysign(x, x[0])
    np.fmod(x, 0.7)
    np.fmod(3.0, x)
    np.divmod(x, 0.7)
    np.vecdot(x, x)
    np.matvec(x, x[0])
    np.vecmat(x[:, 0], x)
    np.matrix_transpose(x)
    np.where([True, False, True, False], x, [1, 2, 3, 4])
    np.lib.stride_tricks.sliding_window_view(x, (2, 3))
    np.trapezoid(x, [0.0, 1.0, 1.5, 3.0])
    np.trapezoid([[1.0, 2.0, 0.5, 1.0], [3.0, 1.0, 2.0, 4.0]], x[0])
    np.partition(x, 1)
    np.partition(x, -2, axis=1)
    np.partition(x, (0, 2), axis=1)
    np.partition(x, 1, axis=0)
    np.partition(x, 5, axis=None)
    np.repeat(x, [2, 0, 1], axis=0)
    np.repeat(x, [1, 2, 0, 3], axis=-1)
    np.take(x, [0, 2, 2, 1])
    np.take(x, [[0, 0], [1, 0]], axis=1)
    np.take(x, [3, 3, -1], axis=-1)
    np.delete(x, [0, 2], axis=-1)
    np.split(x, [-2])
    np.array_split(x, [1, 3, 9], -1)
    np.hstack([[1, 2], x[0], x[1]])
    np.vstack([x, [1, 2, 3, 4]])
    np.dstack([x[0], [1, 2, 3, 4]])
    np.column_stack([x, [[5, 6], [7, 8], [9, 0]]])
    np.stack([x[0], [1, 2, 3, 4]])
    np.concatenate([[[1, 2, 3, 4]], x])
    np.concatenate([x, [1, 2]], axis=None)
    np.partition(np.stack([x, 2 * x]), 1)
    np.nan_to_num(np.where(x > 0, np.nan, x))
    np.nan_to_num(np.where(x > 0, np.inf, x), posinf=3.0)
    np.nan_to_num(np.where(x > 0, -np.inf, x), neginf=3.0)
    np.linspace(x[0], x[1])
    np.linspace(x, 2.0, 3)
    np.average(x, axis=(1, 0), weights=np.arange(1.0, 13.0).reshape(4, 3))
    np.average(np.stack([x, x]), axis=1, weights=[1.0, 2.0, 3.0])
    np.polyval([1.0, 2.0], 0.0 * x)
    np.polyval(x[0, :0], x)
    np.corrcoef(x[0])
    np.vecdot(np.stack([x, x]), x)
    np.matrix_transpose(np.stack([x, x]))
    np.linalg.multi_dot([x, x.T, x])
    np.block([x, x])
    np.block([[x]])
    np.block([[[x, x], [x, x]]])
    np.dot(x, 3.0)
    np.dot(np.stack([x, x]), np.stack([x.T, x.T]))
    np.inner(x, 3.0)
    np.inner(3.0, x)
    np.inner(np.stack([x, x]), np.stack([x, x]))
    np.inner(x, x[0])
    np.tensordot(x, x)
    np.einsum("...i,i", x, x[0])
    np.kron(x, x[0])
    np.cross(np.stack([x, x])[:, :, :3], np.stack([x, 2 * x])[:, ::-1, :3], axisc=0)
    np.cross(np.stack([x, x])[:, :, :3], np.stack([x, 2 * x])[:, ::-1, :3])
    np.trace(np.stack([np.stack([x, 2 * x])] * 2))
"""

CALLS = [
    *calls(OF_A_NUMBER, (), low=0.3, high=0.8),
    *calls(OF_POSITIVE_NUMBERS, (2, 3), low=0.1, high=3.0),
    *calls(OF_NUMBERS_FROM_MINUS_1_TO_1, (2, 3), low=-0.9, high=0.9),
    *calls(ELEMENT_BY_ELEMENT, (3, 4)),
    *calls(OF_TWO, (3, 1), (4,)),
    *calls(REDUCTIONS, (2, 3, 4)),
    *calls(RUNNING, (3, 4)),
    *calls(SHAPES_OF_A_CUBE, (2, 3, 4)),
    *calls(SHAPES_OF_A_VECTOR, (5,)),
    *calls(SHAPES_OF_A_MATRIX, (4, 6)),
    *calls(JOINED, (2, 3), (4, 3)),
    *calls(PRODUCTS, (2, 3), (3, 2)),
]
CALLS_WITHOUT_JAX = calls(WITHOUT_JAX, (3, 4))


def each(table):
    return pytest.mark.parametrize("call", table, ids=lambda call: call.text)


class TestRecordedFunctions:
    def test_all_are_called_here_but_those_of_linear_algebra(self):
        called = {function for call in CALLS + CALLS_WITHOUT_JAX for function in call.functions}
        missing = [
            f.__name__
            for f in RECORDED | COMPOSED
            if f not in called and "linalg" not in (f.__module__ or "")
        ]
        assert missing == []

    @each(CALLS + CALLS_WITHOUT_JAX)
    def test_results_are_numpy_s(self, call):
        expected = call.results(np, *call.inputs)
        results = call.results(np, *map(Value, call.inputs))
        for ours, theirs in zip(results, expected, strict=True):
            assert type(ours) is Value
            assert ours.shape == np.shape(theirs)
            np.testing.assert_allclose(ours.data, theirs, rtol=1e-12, atol=1e-12)

    @each(CALLS)
    def test_gradients_are_jax_s(self, call):
        everything = tuple(range(len(call.inputs)))
        ours = grad(partial(call.weighted, np), everything)(*call.inputs)
        reference = jax.grad(partial(call.weighted, jnp), everything)
        for one, other in zip(ours, jax.jit(reference)(*call.inputs), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)

    @each(CALLS_WITHOUT_JAX)
    def test_gradients_are_numeric_ones(self, call):
        check_gradients(partial(call.results, np), *call.inputs)

    @each(CALLS + CALLS_WITHOUT_JAX)
    def test_float32_widens_only_where_numpy_widens_it(self, call):
        inputs = [x.astype(np.float32) if np.ndim(x) else x for x in call.inputs]
        values = [Value(x) for x in inputs]
        for ours, theirs in zip(call.results(np, *values), call.results(np, *inputs), strict=True):
            assert not ours.shape or np.can_cast(ours.dtype, theirs.dtype)
            np.testing.assert_allclose(ours.data, theirs, rtol=1e-5, atol=1e-6)
        call.weighted(np, *values).backward()
        assert [np.result_type(v.grad) for v in values] == [np.result_type(x) for x in inputs]


LOOKING_AT_DATA = """
    np.shape(x)
    np.shape([x, x])
    np.ndim(x)
    np.size(x)
    np.size(x, 1)
    np.argmax(x)
    np.argmax(x, axis=1)
    np.argmin(x, axis=0, keepdims=True)
    np.argsort(x, axis=0)
    np.argsort(x, axis=None)
    np.argpartition(x, 1, axis=0)
    np.argwhere(x)
    np.nonzero(x > 0)
    np.nonzero(x)
    np.where(x)
    np.flatnonzero(x)
    np.count_nonzero(x, axis=0)
    np.searchsorted(np.sort(x, axis=None), 0.5)
    np.isfinite(x)
    np.isnan(x)
    np.isinf(x)
    np.isposinf(x)
    np.isneginf(x)
    np.iscomplexobj(x)
    np.isreal(x)
    np.iscomplex(x)
    np.save(BytesIO(), x)
    np.savez(BytesIO(), x, y=y)
    np.savez_compressed(BytesIO(), x=x)
    np.savetxt(BytesIO(), x)
    np.isrealobj(x)
    np.signbit(x)
    np.all(x)
    np.all(x > 0, axis=0)
    np.any(x, axis=1)
    np.allclose(x, x + 1e-12)
    np.isclose(1.0, x)
    np.array_equal(x, x)
    np.array_equiv(x, 2 * x)
    np.equal(x, y)
    np.not_equal(x, y)
    np.less(x, y)
    np.less_equal(0.5, y)
    np.greater(x, y)
    np.greater_equal(x, x)
    np.logical_and(x > 0, y)
    np.logical_or(x, y)
    np.logical_not(x)
    np.logical_xor(x, y > 1)
    np.zeros_like(x)
    np.full_like(x, 7.0)
    np.ones_like(x)
    np.shape(np.empty_like(x))
    np.result_type(x, np.float32)
    np.can_cast(np.min_scalar_type(x), float)
    np.array_repr(x)
    np.array_str(x)
    np.array2string(x, precision=2)
    np.digitize(x, [-1.0, 0.0, 1.0])
    np.nanargmax(x)
    np.nanargmin(x, axis=1)
    np.isin(x, [0.0, 1.0])
    np.shares_memory(x, y)
    np.may_share_memory(x, y)
    np.unravel_index(np.argmax(x), x.shape)
"""

PLAIN_CALLS = calls(LOOKING_AT_DATA, (3, 4), (4,))


class TestPlainFunctions:
    def test_all_are_called_here(self):
        called = {function for call in PLAIN_CALLS for function in call.functions}
        assert [f.__name__ for f in PLAIN if f not in called] == []

    @each(PLAIN_CALLS)
    def test_give_what_they_give_on_plain_data(self, call):
        expected = call(np, *call.inputs)
        result = call(np, *map(Value, call.inputs))
        assert jax.tree.map(type, result) == jax.tree.map(type, expected)
        np.testing.assert_equal(result, expected)


# The method, and the function that it equals
METHODS = """
    x.exp() == np.exp(x)
    x.square().log() == np.log(np.square(x))
    x.square().log1p() == np.log1p(np.square(x))
    x.expm1() == np.expm1(x)
    x.square().sqrt() == np.sqrt(np.square(x))
    x.sin() == np.sin(x)
    x.cos() == np.cos(x)
    x.tan() == np.tan(x)
    x.sinh() == np.sinh(x)
    x.cosh() == np.cosh(x)
    x.tanh() == np.tanh(x)
    x.arctan() == np.arctan(x)
    x.sign() == np.sign(x)
    x.sigmoid() == 1 / (1 + np.exp(-x))
    x.relu() == np.maximum(x, 0)
    x.softplus() == np.log1p(np.exp(x))
    x.clip(-1, 1) == np.clip(x, -1, 1)
    x.clip(max=0.5) == np.clip(x, None, 0.5)
    x.round() == np.round(x)
    x.round(1) == np.round(x, decimals=1)
    x.astype(np.float64) == x
    x.sum() == np.sum(x)
    x.sum(1) == np.sum(x, axis=1)
    x.sum(axis=[0, 1]) == np.sum(x, axis=(0, 1))
    x.sum(axis=(0, 2), keepdims=True) == np.sum(x, axis=(0, 2), keepdims=True)
    x.prod(axis=-1) == np.prod(x, axis=-1)
    x.mean(0, keepdims=True) == np.mean(x, axis=0, keepdims=True)
    x.max(axis=(0, 1)) == np.max(x, axis=(0, 1))
    x.min(-1) == np.min(x, axis=-1)
    x.var(axis=1, ddof=1) == np.var(x, axis=1, ddof=1)
    x.std(axis=(0, 1), keepdims=True) == np.std(x, axis=(0, 1), keepdims=True)
    x.cumsum() == np.cumsum(x)
    x.cumsum(axis=1) == np.cumsum(x, axis=1)
    x.cumprod(-1) == np.cumprod(x, axis=-1)
    x.softmax() == np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)
    x.softmax(axis=0) == np.exp(x) / np.sum(np.exp(x), axis=0)
    x.log_softmax(axis=1) == x - np.log(np.sum(np.exp(x), axis=1, keepdims=True))
    x.logsumexp() == np.log(np.sum(np.exp(x)))
    x.logsumexp(axis=(0, 1)) == np.log(np.sum(np.exp(x), axis=(0, 1)))
    x.reshape(6, 4) == np.reshape(x, (6, 4))
    x.reshape((2, -1)) == np.reshape(x, (2, -1))
    x.reshape(-1) == np.reshape(x, -1)
    x.ravel() == np.ravel(x)
    x.flatten() == np.ravel(x)
    x.transpose() == np.transpose(x)
    x.transpose(1, 0, 2) == np.transpose(x, (1, 0, 2))
    x.transpose((2, 0, 1)) == np.transpose(x, (2, 0, 1))
    x.T == np.transpose(x)
    x.swapaxes(0, -1) == np.swapaxes(x, 0, -1)
    x[:, :1].squeeze() == np.squeeze(x[:, :1])
    x[:, :1].squeeze(1) == np.squeeze(x[:, :1], axis=1)
    x.dot(y) == np.dot(x, y)
    x.copy() == np.copy(x)
    x.take([2, 0], 1) == x[:, [2, 0]]
    x.repeat(2, axis=1) == np.repeat(x, 2, axis=1)
    x.diagonal(1) == np.diagonal(x, 1)
    x.trace() == np.trace(x)
    x.mT == np.swapaxes(x, -1, -2)
    x.reshape((6, 4), order="F") == np.stack([*x.T.ravel()]).reshape(4, 6).T
    x.reshape(6, -1, order="F") == x.T.reshape(-1, 6).T
    x.ravel("F") == x.T.ravel()
    x.flatten(order="F") == x.T.ravel()
    x.sum(0, np.float64) == np.sum(x, 0)
    x.sum(0, None, None, True) == np.sum(x, 0, keepdims=True)
    x.mean(dtype=np.float64) == np.mean(x)
    x.std(0, None, None, 1) == np.std(x, axis=0, ddof=1)
"""
PLAIN_METHODS = {
    "item",
    "tolist",
    "argmax",
    "argmin",
    "argsort",
    "argpartition",
    "searchsorted",
} | {
    "any",
    "all",
    "nonzero",
}


_MASK = np.array([[True, False, True], [True, True, False]])
_OUT = np.zeros(3)
_OF_REDUCTIONS = [
    {"axis": 0},
    {"axis": 1, "keepdims": True},
    {"dtype": np.float64},
    {"axis": 0, "out": _OUT},
    {"where": _MASK},
]
# The options of methods of arrays that are called here; without any where there is no entry
_BY_NAMES = {
    "sum prod": [*_OF_REDUCTIONS, {"initial": 2.0}],
    "mean var std": _OF_REDUCTIONS,
    "max min": [{"axis": 0}, {"keepdims": True}, {"initial": 0.0}, {"axis": 0, "out": _OUT}],
    "any all": [{}, {"axis": 0, "keepdims": True}, {"where": _MASK}],
    "argmax argmin": [{}, {"axis": 1}, {"axis": 1, "keepdims": True}],
    "cumsum cumprod": [{}, {"axis": 0, "dtype": float}],
    "flatten ravel": [{}, {"order": "F"}, {"order": "C"}, {"order": "A"}],
    "argpartition": [{"kth": 1}, {"kth": 1, "axis": 0}],
    "argsort": [{}, {"axis": 0, "kind": "stable"}, {"stable": True}],
    "astype": [{"dtype": np.float32, "copy": False, "order": "C"}, {"dtype": int}],
    "choose": [{"choices": [1, 2]}],
    "clip": [{"min": 0.6}, {"max": 1.0}, {"min": 0.6, "max": 1.0}],
    "compress": [{"condition": [True, False], "axis": 0}],
    "copy": [{}, {"order": "F"}],
    "diagonal": [{}, {"offset": 1}],
    "dot": [{"b": np.ones(3)}],
    "dtype": [],  # it is not a number
    "item": [],  # see below
    "repeat": [{"repeats": 2}, {"repeats": 2, "axis": 0}],
    "reshape": [],  # in METHODS
    "round": [{}, {"decimals": 1}],
    "searchsorted": [],  # of one axis
    "squeeze": [{}, {"axis": None}],
    "swapaxes": [],  # in METHODS
    "take": [{"indices": [0, 1]}, {"indices": [0], "axis": 1, "mode": "clip"}],
    "trace": [{}, {"offset": 1}],
}
OF_ARRAYS = {name: options for names, options in _BY_NAMES.items() for name in names.split()}


class TestMethods:
    def test_all_are_called_here(self):
        known = {name for name in (*dir(np.ndarray), *dir(activations)) if name[0] != "_"}
        public = {name for name in known if callable(vars(Value).get(name))}
        public -= {name for name in public if isinstance(getattr(np, name, None), np.ufunc)}
        missing = {name for name in public if not re.search(rf"\.{name}\b", METHODS)}
        assert missing == PLAIN_METHODS

    @each(calls(METHODS, (2, 3, 4), (4, 2)))
    def test_equal_their_functions(self, call):
        method, function = (Call(text, call.inputs) for text in call.text.split(" == "))
        ours, theirs = (c(np, *map(Value, c.inputs)) for c in (method, function))
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-14, atol=1e-14)
        ours, theirs = (grad(partial(c.weighted, np))(*c.inputs) for c in (method, function))
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13)

    @pytest.mark.parametrize("name", [n for n in dir(np.ndarray) if n[0] != "_"])
    def test_those_of_arrays_give_the_same_or_say_what_to_write(self, name):
        x = np.array([[0.5, 1.25, 0.75], [2.0, 0.25, 1.5]])
        for options in OF_ARRAYS.get(name, [{}]):
            with suppress(AutogradError):
                result = getattr(Value(x), name)
                result = result(**options) if callable(result) else result
                expected = getattr(x, name)
                expected = expected(**options) if callable(expected) else expected
                np.testing.assert_allclose(getattr(result, "data", result), expected, 1e-15)

    @pytest.mark.parametrize("index", [(4,), (-1,), (1, 2), ((0, 1),)])
    def test_item_takes_a_position(self, index):
        x = np.arange(6.0).reshape(2, 3)
        assert Value(x).item(*index) == x.item(*index)
        with pytest.raises(IndexRangeError, match=r"item\(6,\)"):
            Value(x).item(6)

    def test_a_type_computes_in_it(self):
        x = Value(np.float32([0.5, 0.25]))
        assert x.sum(dtype=np.float64).dtype == np.mean(x, dtype="float64").dtype == np.float64
        assert x.cumsum(dtype=np.float64).dtype == np.float64
        with pytest.raises(DataError, match="int64"):
            x.sum(dtype=np.int64)
        with pytest.raises(DataError, match="rounded"):
            x.astype(np.float64).astype(np.float32, casting="safe")

    def test_argmax_and_argmin_give_plain_positions(self):
        x = np.array([[3.0, 1.0], [0.0, 2.0]])
        assert (Value(x).argmax(), Value(x).argmin()) == (0, 2)
        assert Value(x).argmax(axis=1).tolist() == [0, 1]
        assert Value(x).argmin(axis=0).tolist() == [1, 0]


# x holds whole numbers: it may count or point to elements, and passes no derivative on
COUNTING = """
    np.take(x, y)
    np.take(x, y[0])
    np.tile(x, y)
    np.repeat(x, y[0])
    np.roll(x, y[1])
    np.split(x, y[0])
    np.array_split(x, y[0])
    np.delete(x, y[1])
    x[y[0]]
"""


class TestCounts:
    @each(calls(COUNTING, (4,)))
    def test_may_be_values_that_hold_whole_numbers(self, call):
        (x,), counts = call.inputs, np.array([2, 1])
        for ours, theirs in zip(
            call.results(np, Value(x), Value(counts)), call.results(np, x, counts), strict=True
        ):
            np.testing.assert_array_equal(ours.data, theirs)


# What has no rule
UNSUPPORTED_FUNCTIONS = """
    np.histogram(x, bins=3)
    np.histogram_bin_edges(x, bins=4)
    np.left_shift(x, 1)
    np.fft.fft(x)
    np.linalg.qr(x)
    np.convolve(y, y)
    np.interp(x, [0.0, 1.0], [2.0, 3.0])
    np.nansum(x)
    np.percentile(x, 50)
    np.gradient(y)
    np.apply_along_axis(np.sum, 0, x)
    np.modf(x)
    np.frexp(x)
    np.subtract.reduce(x)
    np.maximum.accumulate(y)
    np.add.reduceat(y, [0, 2])
    np.add.at(np.zeros(3), [0, 1], y)
    np.exp(x, where=x > 0)
    np.exp(x, dtype=np.float32)
    np.pad(x, 1, mode="linear_ramp")
"""
UNSUPPORTED_OPTIONS = """
    np.sum(x, where=x > 0)
    np.sum(x, out=np.zeros(3))
    np.max(x, initial=0.0)
    np.std(x, correction=1)
    np.sort(x, kind="stable")
    np.take(x, [9], mode="clip")
    np.diff(x, prepend=0.0)
    np.concatenate([x, x], dtype=np.float32)
    np.pad(x, 1, mode="reflect", reflect_type="odd")
    np.round(x, out=np.zeros((2, 3)))
"""


# Options that name what does not exist, or would cut the graph
IMPOSSIBLE = """
    np.average(x, weights=[1.0, 2.0, 3.0])
    np.average(x, weights=2.0)
    np.average(x, axis=1, weights=np.ones((1, 3)))
    np.average(x, axis=1, weights=[1.0, 2.0])
    np.sum(x, axis=2)
    np.prod(x, axis=2)
    np.prod(x, axis=(0, 5))
    np.prod(x, axis=(0, 0))
    np.mean(x, axis=-3)
    np.median(x, axis=2)
    np.sort(x, axis=2)
    np.partition(x, 1, axis=2)
    np.partition(x, 9)
    np.cumsum(x, axis=2)
    np.cumprod(x, axis=2)
    np.diff(x, axis=2)
    np.trapezoid(x, axis=2)
    np.take(x, [0], axis=2)
    np.take(x, [9], axis=1)
    np.flip(x, axis=2)
    np.split(x, 2, axis=2)
    np.split(x, 2, axis=1)
    np.reshape(x, (4, 4))
    np.transpose(x, (0, 0))
    np.stack([x, x], axis=5)
    np.concatenate([x, x[0]])
    np.broadcast_to(x, (4, 4))
    np.pad(x, 1, constant_values=x[0, 0])
    x.reshape(7)
    x.astype(int)
    x.astype(bool)
"""


class TestUnsupported:
    @each(calls(UNSUPPORTED_FUNCTIONS, (2, 3), (4,)))
    def test_functions_are_named_and_a_primitive_proposed(self, call):
        name = call.text.partition("(")[0].removeprefix("np.")
        with pytest.raises(UnsupportedError, match=rf"{re.escape(name)}\b") as caught:
            call(np, *map(Value, call.inputs))
        assert re.search(r"Primitive\(|constant, edge, reflect", caught.value.instead)

    @pytest.mark.parametrize("function", [operator.lshift, operator.rshift])
    def test_bits_are_refused_by_operators_too(self, function):
        for operands in ((Value(2.0), 1), (1, Value(2.0)), (Value([1.0, 2.0]), Value(1.0))):
            with pytest.raises(UnsupportedError, match="_shift of a Value"):
                function(*operands)
        with pytest.raises(UnsupportedError, match=r"np\.left_shift"):
            grad(lambda a: np.sum((a << 1) * 1.0))(np.arange(3))

    @each(calls(UNSUPPORTED_OPTIONS, (2, 3)))
    def test_options_are_named_and_the_supported_ones_shown(self, call):
        name = call.text.partition("(")[0]
        with pytest.raises(UnsupportedError, match=rf"^{name} of a Value: ") as caught:
            call(np, *map(Value, call.inputs))
        assert caught.value.instead.startswith(f"{name}(")

    @each(calls(IMPOSSIBLE, (2, 3)))
    def test_what_cannot_be_is_refused_in_three_parts(self, call):
        with pytest.raises(AutogradError):
            call(np, *map(Value, call.inputs))

    @pytest.mark.parametrize(
        "call",
        [
            lambda v: np.full_like(np.zeros(2), v),
            lambda v: np.nan_to_num([1.0, np.nan], nan=v),
            lambda v: np.percentile(np.array([v, v * 2.0]), 40.0),
            lambda v: np.histogram(np.array([v, v * 2.0])),
        ],
    )
    def test_errors_name_what_the_user_has_called_and_not_what_that_calls(self, call):
        name = next(n for n in call.__code__.co_names if n not in ("np", "array", "zeros"))

        def inside(v):
            messages.warned.clear()
            with pytest.raises(AutogradError, match=rf"np\.{name}\b"):
                call(v)
            return v

        for run in (lambda f: f(Value(1.5)), lambda f: grad(f)(1.5)):
            run(inside)

    def test_methods_of_ufuncs_of_a_list_keep_the_graph_or_are_refused(self):
        x, y = Value(0.7), Value(1.9)
        numbers = [0.7, 1.9]
        binary = [f for f in vars(np).values() if isinstance(f, np.ufunc) and f.nin == 2]
        kept = 0
        elementwise = {f for f in binary if f.nout == 1 and f.signature is None}
        for ufunc in [f for f in elementwise if "dd->d" in f.types]:
            for method in (ufunc.reduce, ufunc.accumulate, lambda v, u=ufunc: u.outer(v, v)):
                try:
                    expected = method(numbers)
                except TypeError:
                    continue
                try:
                    found = as_operand(method([x, y]))
                except UnsupportedError:
                    continue
                np.testing.assert_allclose(plain(found), expected)
                weights = 1.5 + np.arange(np.size(expected)).reshape(np.shape(expected))

                def total(numbers, method=method, weights=weights):
                    return np.sum(weights * method(numbers))

                slopes = gradients(np.sum(found * weights), [x, y])
                ends = [
                    total([0.7 + a, 1.9 + b]) - total([0.7 - a, 1.9 - b])
                    for a, b in ((1e-6, 0.0), (0.0, 1e-6))
                ]
                np.testing.assert_allclose(slopes, np.array(ends) / 2e-6, rtol=1e-5, atol=1e-6)
                kept += 1
            with pytest.raises(UnsupportedError, match=rf"{ufunc.__name__}\.at of a list"):
                ufunc.at(np.ones(2), [0, 1], [x, y])
        assert kept > 30

    def test_arrays_are_not_changed_in_place(self):
        array = np.ones(3)
        for put in (operator.iadd, lambda a, v: np.exp(v, out=a), lambda a, v: np.add(a, v, out=a)):
            with pytest.raises(UnsupportedError, match="of a Value into an array"):
                put(array, Value([1.0, 2.0, 3.0]))
        assert array.tolist() == [1.0, 1.0, 1.0]


OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
]
OPERANDS = {
    "int": 2,
    "float64": np.float64(1.5),
    "float32": np.float32(1.5),
    "int64": np.int64(2),
    "0-d array": np.array(1.5),
    "array": np.array([[0.5], [1.5]]),
    "integers": np.array([[1], [2]]),
    "booleans": np.array([[True], [True]]),
    "list": [[0.5], [1.5]],
    "tuple": (0.5, 1, 1.5),
}


class TestOperators:
    @pytest.mark.parametrize("x", [0.7, np.array([0.7, 1.3, 2.6])], ids=["number", "array"])
    @pytest.mark.parametrize("other", OPERANDS.values(), ids=OPERANDS)
    @pytest.mark.parametrize("operate", OPERATORS)
    def test_other_operands_may_stand_on_either_side(self, operate, other, x):
        right, left = operate(Value(x), other), operate(other, Value(x))
        assert type(right) is type(left) is Value
        plain = np.asarray(other, float)
        np.testing.assert_allclose(right.data, operate(x, plain), rtol=1e-15)
        np.testing.assert_allclose(left.data, operate(plain, x), rtol=1e-15)
        check_gradients(lambda x: (operate(x, other), operate(other, x)), x)

    @pytest.mark.parametrize("wrap", [np.array, np.ndarray.tolist, Value])
    def test_matrices_may_stand_on_either_side(self, wrap):
        x, y = np.array([[0.7, 1.3], [2.6, 0.1]]), np.array([[0.5, 1.5], [2.5, 3.5]])
        np.testing.assert_array_equal((Value(x) @ wrap(y)).data, x @ y)
        np.testing.assert_array_equal((wrap(x) @ Value(y)).data, x @ y)
        check_gradients(lambda x: (x @ wrap(y), wrap(y) @ x), x)


numbers = st.floats(-3, 3)
seeds = st.integers(0, 2**32 - 1)


def uniform(seed, shape, low=0.5, high=2.0):
    return np.random.default_rng(seed).uniform(low, high, shape)


class TestLinearity:
    @given(st.sampled_from(CALLS), numbers, numbers, seeds)
    def test_of_the_pullback_in_the_cotangent(self, call, a, b, seed):
        outputs, pullback = vjp(partial(call.results, np), *call.inputs)
        u = [uniform(seed, np.shape(out)) for out in outputs]
        v = [np.cos(part) for part in u]
        mixed = pullback([a * p + b * q for p, q in zip(u, v, strict=True)])
        for one, p, q in zip(mixed, pullback(u), pullback(v), strict=True):
            np.testing.assert_allclose(one, a * p + b * q, rtol=1e-9, atol=1e-9)


BINARY = [
    np.add,
    np.subtract,
    np.multiply,
    np.divide,
    np.power,
    np.mod,
    np.maximum,
    np.minimum,
    np.hypot,
    np.arctan2,
    np.logaddexp,
    lambda x, y: np.where(x > y, x, y),
]


def summed_back(array, shape):
    """Add up what broadcasting had made of each element."""
    places = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), array.shape)
    sums = np.bincount(places.ravel(), array.ravel(), minlength=np.prod(shape, dtype=int))
    return sums.reshape(shape)


class TestBroadcasting:
    @given(
        st.sampled_from(BINARY),
        st_numpy.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3),
        seeds,
    )
    def test_the_gradient_is_that_of_the_expanded_inputs_summed(self, f, shapes, seed):
        x, y = (uniform(seed + i, shape) for i, shape in enumerate(shapes.input_shapes))
        weights = uniform(seed, shapes.result_shape)

        def weighted(x, y):
            return np.sum(weights * f(x, y))

        expanded = [
            np.broadcast_to(x, shapes.result_shape),
            np.broadcast_to(y, shapes.result_shape),
        ]
        ours = grad(weighted, (0, 1))(x, y)
        for one, wide, array in zip(ours, grad(weighted, (0, 1))(*expanded), (x, y), strict=True):
            assert np.shape(one) == array.shape
            np.testing.assert_allclose(one, summed_back(np.asarray(wide), array.shape), rtol=1e-12)


@st.composite
def indices(draw, shape):
    """Draw slices, integers, arrays of integers, masks, None and Ellipsis, mixed."""
    length = draw(st.integers(0, 3))
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kinds = [st.slices(n), st.integers(-n, n - 1)]
        positions = st.integers(-n, n - 1)
        kinds.append(st.lists(positions, min_size=length, max_size=length))
        kinds.append(st_numpy.arrays(int, st.sampled_from([(length,), (2, 1)]), elements=positions))
        kinds.append(st_numpy.arrays(bool, n))
        parts.append(draw(st.one_of(kinds)))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(...)
    return parts[0] if len(parts) == 1 else tuple(parts)


class TestIndexing:
    shapes = st_numpy.array_shapes(max_dims=3, max_side=3)

    @settings(max_examples=200)
    @given(st.data())
    def test_elements_are_numpy_s_and_derivatives_go_back_to_them(self, data):
        shape = data.draw(self.shapes)
        index = data.draw(indices(shape))
        x = uniform(0, shape)
        try:
            expected = x[index]
        except IndexError:  # arrays that do not broadcast
            assume(False)
        np.testing.assert_array_equal(Value(x)[index].data, expected)
        check_gradients(lambda x: np.square(x[index]), x)

    @given(st.data())
    def test_a_mask_of_all_axes_takes_its_elements(self, data):
        shape = data.draw(self.shapes)
        mask = data.draw(st_numpy.arrays(bool, shape))
        x = uniform(0, shape)
        np.testing.assert_array_equal(Value(x)[mask].data, x[mask])
        assert grad(lambda x: np.sum(x[mask]))(x).tolist() == mask.astype(float).tolist()


def test_average_names_the_weights_that_do_not_fit():
    with pytest.raises(ShapeError) as caught:
        np.average(Value(np.ones((3, 4))), axis=1, weights=[1.0, 2.0])
    assert caught.value.given == "average of shape (3, 4) over axis 1 with weights of shape (2,)"


def test_nan_to_num_has_the_largest_numbers_for_infinities():
    x = np.array([np.nan, np.inf, -np.inf, 1.0])
    for data in (x, x.astype(np.float32)):
        np.testing.assert_array_equal(np.nan_to_num(Value(data)).data, np.nan_to_num(data))


def test_numbers_fill_and_divide_as_numpy_s_do():
    x = np.array([0.1, 0.2])
    filled = np.full_like(Value(x), Value(0.1), dtype=np.float32)
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled.data, np.full_like(x, 0.1, dtype=np.float32))
    assert np.linspace(Value(1.0), 2.0, 3).data.tolist() == [1.0, 1.5, 2.0]


def test_one_row_has_as_many_variables_as_columns():  # in NumPy from 2.2 on
    x = Value([[1.0, 2.0, 4.0]])
    assert np.cov(x, rowvar=False, bias=True).data.tolist() == np.zeros((3, 3)).tolist()


def test_float_power_is_of_float64():
    x = np.array([0.1, 0.7], np.float32)
    found = np.float_power(Value(x), 1.5)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found.data, np.float_power(x, 1.5))


def test_a_mask_of_floats_of_any_size_may_be_filled_anew():
    mask = np.ones(2**17 + 1)
    v = Value(3.0)
    chosen = np.where(mask, v, 0.0).sum()
    mask[:] = 0.0
    chosen.backward()
    assert v.grad == 2**17 + 1


@pytest.mark.parametrize("wanted", [(), ("index",), ("inverse", "counts"), ("counts", "index")])
def test_unique_says_where_and_how_often(wanted):
    options = {f"return_{name}": True for name in wanted}
    x = np.array([3.0, 1.0, 3.0, 2.0, 1.0, 1.0])
    ours, theirs = np.unique(Value(x), **options), np.unique(x, **options)
    for one, other in zip(ours, theirs, strict=True) if wanted else [(ours, theirs)]:
        np.testing.assert_array_equal(getattr(one, "data", one), other)


def test_bincount_takes_values_and_nothing():
    weights = Value([2.0, 3.0, 4.0])
    assert np.bincount(Value([2.0, 0.0, 2.0]), weights).data.tolist() == [3.0, 0.0, 6.0]
    assert np.bincount(np.zeros(0, int), weights[:0]).shape == (0,)


def test_a_sign_that_would_be_frozen_is_refused():
    with pytest.raises(TraceError, match=r"^np\.copysign\(\) of a Value"):
        compile(lambda x: np.copysign(1.0, x))(2.0)


def test_an_axis_may_be_a_numpy_integer():
    v = Value([[1.0, 2.0], [3.0, 4.0]])
    assert np.sum(v, axis=np.int64(1)).data.tolist() == [3.0, 7.0]


def test_an_axis_that_is_no_number_is_a_type_error():
    with pytest.raises(TypeError, match="integer"):
        np.sum(Value([1.0, 2.0]), axis="first")


@pytest.mark.parametrize(
    ("x", "expected"), [([-np.inf, -np.inf], -np.inf), ([np.inf, 1.0], np.inf)]
)
def test_logsumexp_of_infinities(x, expected):
    with np.errstate(divide="ignore"):
        assert logsumexp(Value(x)).data == expected


def test_cross_takes_one_axis_for_all():
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([[4.0], [5.0], [7.0]])
    np.testing.assert_array_equal(np.cross(Value(x), y, axis=0).data, np.cross(x, y, axis=0))


# Functions of two arrays, of which one is float32
OF_TWO = {
    "*": lambda x, y: x * y,
    "reflected +": lambda x, y: y + x,
    "**": lambda x, y: x**y,
    "@": lambda x, y: x @ y.T,
    "maximum": np.maximum,
    "arctan2": np.arctan2,
    "where": lambda x, y: np.where(x > 0, x, y),
    "clip": lambda x, y: np.clip(x, 0, y),
    "concatenate": lambda x, y: np.concatenate([x, y]),
    "ravelled": lambda x, y: np.concatenate([y, x], axis=None),
    "stack": lambda x, y: np.stack([y, x]),
    "hstack": lambda x, y: np.hstack([x, y]),
    "einsum": lambda x, y: np.einsum("ij,ij->i", x, y),
    "dot": lambda x, y: np.dot(x, y.T),
    "inner": np.inner,
    "outer": np.outer,
    "tensordot": lambda x, y: np.tensordot(x, y, axes=([1], [1])),
    "kron": np.kron,
    "cross": np.cross,
}


@pytest.mark.parametrize("kind", ["?", "b", "B", "h", "H", "e", "i", "q", "Q", "f", "d"])
@pytest.mark.parametrize("name", OF_TWO)
def test_float32_stays_beside_what_numpy_fits_into_it(name, kind):
    x, y = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "f"), np.ones((2, 3), kind)
    expected = OF_TWO[name](x, y)
    for actual in (OF_TWO[name](Value(x), y), compile(lambda x: OF_TWO[name](x, y))(x)):
        assert actual.dtype == expected.dtype
        data = actual.data if isinstance(actual, Value) else actual
        np.testing.assert_allclose(data, expected, 1e-6)
