"""The case table: every primitive with inputs on which to try it.

How to read a row: `pointwise(primitive, domain, ...)` names where each input is sampled, (low,
high) or a list of points, and stands for a case of floats, one of arrays and, for several inputs,
those of broadcasting. `structural(primitive, input, ...)` names each input's shape, () for a float,
or the input itself. Keywords are the primitive's own. Inputs keep clear of kinks and steps.

A newcomer adds a primitive as one row here.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_core import Primitive
from autograd_core.primitives import (
    convolution,
    decompositions,
    elementwise,
    indexing,
    linear_algebra,
    reductions,
    shapes,
)
from autograd_core.primitives.linear_algebra import matrix_transpose


@dataclass(frozen=True)
class Case:
    """A primitive with inputs, floats and arrays, and its parameters.

    Derivatives are checked by all inputs but the `fixed` ones, also where no rule stands: there
    they are 0. A primitive for symmetric matrices is tried on (x + x.T) / 2.
    """

    name: str
    primitive: Primitive
    inputs: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    fixed: tuple[int, ...] = ()
    symmetric: bool = False

    @property
    def moving(self):
        """The inputs by which derivatives are checked."""
        return tuple(x for i, x in enumerate(self.inputs) if i not in self.fixed)

    def __call__(self, *moving):
        """Apply the primitive, with these in place of the moving inputs."""
        if self.symmetric:
            moving = [(x + matrix_transpose(x)) / 2 for x in moving]
        given = iter(moving)
        inputs = [x if i in self.fixed else next(given) for i, x in enumerate(self.inputs)]
        return self.primitive(*inputs, **self.params)


# What the inputs of a pointwise primitive look like, by their number
LAYOUTS = {
    1: {"float": [()], "array": [(2, 3)]},
    2: {
        "floats": [(), ()],
        "arrays": [(2, 3), (2, 3)],
        "broadcast": [(3, 1), (4,)],
        "float and array": [(), (4,)],
        "array and float": [(4,), ()],
    },
    3: {
        "floats": [(), (), ()],
        "arrays": [(2, 3), (2, 3), (2, 3)],
        "broadcast": [(3, 1), (4,), ()],
    },
}


def generator(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def sample(domain, shape, rng):
    drawn = rng.choice(domain, shape) if isinstance(domain, list) else rng.uniform(*domain, shape)
    return drawn if shape else float(drawn)


def titled(primitive, params):
    options = ", ".join(f"{key}={value!r}" for key, value in params.items())
    return f"{primitive.name}({options})" if options else primitive.name


def pointwise(primitive, *domains, fixed=(), broadcasts=True, **params):
    """Return the cases of a row: floats, arrays, broadcasts."""
    cases = []
    for layout, layout_shapes in LAYOUTS[len(domains)].items():
        if not broadcasts and len(set(layout_shapes)) > 1:
            continue
        name = f"{titled(primitive, params)} of {layout}"
        rng = generator(name)
        drawn = [sample(d, s, rng) for d, s in zip(domains, layout_shapes, strict=True)]
        cases.append(Case(name, primitive, tuple(drawn), params, fixed))
    return cases


def structural(primitive, *given, symmetric=False, fixed=(), **params):
    """Return the one case of a row."""
    input_shapes = [x if isinstance(x, tuple) else x.shape for x in given]
    name = f"{titled(primitive, params)} of {' and '.join(map(str, input_shapes))}"
    rng = generator(name)
    inputs = [sample((-1.5, 1.5), x, rng) if isinstance(x, tuple) else x for x in given]
    return [Case(name, primitive, tuple(inputs), params, fixed, symmetric)]


def regular(*shape):
    """Return matrices far from singular."""
    return generator("regular").uniform(-1, 1, shape) + 3 * np.eye(shape[-1])


def positive_definite(*shape):
    """Return matrices with positive eigenvalues, no two of them equal."""
    x = generator("positive definite").uniform(-1, 1, shape)
    return x @ matrix_transpose(x) + np.diag(1.0 + np.arange(shape[-1]))


def distinct(*shape):
    """Return values no two of which are equal."""
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


REAL = (-2.0, 2.0)
POSITIVE = (0.1, 3.0)
INSIDE_ONE = (-0.9, 0.9)
BESIDE_ZERO = [-1.3, -0.4, 0.6, 1.7]
MASK = [0.0, 1.0]
MANY = {"axis": 1, "keepdims": False}
ALL = {"axis": None, "keepdims": False}
KEPT = {"axis": (0, -1), "keepdims": True}
PLACES = np.array([2.4, 0.0, 2.2])  # of which the whole numbers are indices
GRID = (PLACES[:, None], PLACES[:2], np.array([1.3]))
ADJACENT = {"strides": (1,), "dilation": (1,)}
SPREAD = {"strides": (2, 1), "dilation": (3, 1)}

POINTWISE = [
    pointwise(elementwise.identity, REAL),
    # Arithmetic
    pointwise(elementwise.add, REAL, REAL),
    pointwise(elementwise.subtract, REAL, REAL),
    pointwise(elementwise.multiply, REAL, REAL),
    pointwise(elementwise.divide, REAL, BESIDE_ZERO),
    pointwise(elementwise.floor_divide, [-3.3, 2.6, 4.1], [-0.7, 0.9]),
    pointwise(elementwise.mod, [-3.3, 2.6, 4.1], [-0.7, 0.9]),
    pointwise(elementwise.ratio, REAL, BESIDE_ZERO),
    pointwise(elementwise.zero_times, BESIDE_ZERO, REAL),
    pointwise(elementwise.power, POSITIVE, REAL),
    pointwise(elementwise.float_power, POSITIVE, REAL),
    pointwise(elementwise.power_log, POSITIVE, REAL, [0.0, 1.0, 2.0], fixed=(2,)),
    pointwise(elementwise.negative, REAL),
    pointwise(elementwise.reciprocal, BESIDE_ZERO),
    pointwise(elementwise.square, REAL),
    pointwise(elementwise.absolute, BESIDE_ZERO),
    pointwise(elementwise.hypot, BESIDE_ZERO, REAL),
    # Roots, exponentials, logarithms
    pointwise(elementwise.sqrt, POSITIVE),
    pointwise(elementwise.cbrt, BESIDE_ZERO),
    pointwise(elementwise.exp, REAL),
    pointwise(elementwise.exp2, REAL),
    pointwise(elementwise.expm1, REAL),
    pointwise(elementwise.log, POSITIVE),
    pointwise(elementwise.log2, POSITIVE),
    pointwise(elementwise.log10, POSITIVE),
    pointwise(elementwise.log1p, (-0.8, 2.0)),
    pointwise(elementwise.logaddexp, REAL, REAL),
    pointwise(elementwise.logaddexp2, REAL, REAL),
    # Trigonometry
    pointwise(elementwise.sin, REAL),
    pointwise(elementwise.cos, REAL),
    pointwise(elementwise.tan, (-1.2, 1.2)),
    pointwise(elementwise.arcsin, INSIDE_ONE),
    pointwise(elementwise.arccos, INSIDE_ONE),
    pointwise(elementwise.arctan, REAL),
    pointwise(elementwise.arctan2, BESIDE_ZERO, BESIDE_ZERO),
    pointwise(elementwise.sinc, (-3.0, 3.0)),
    pointwise(elementwise.sinc_derivative, (-3.0, 3.0), order=1),
    pointwise(elementwise.sinc_derivative, (15.8, 18.0), order=2),
    pointwise(elementwise.deg2rad, REAL),
    pointwise(elementwise.rad2deg, REAL),
    # Hyperbolic functions
    pointwise(elementwise.sinh, REAL),
    pointwise(elementwise.cosh, REAL),
    pointwise(elementwise.tanh, REAL),
    pointwise(elementwise.tanh_slope, REAL),
    pointwise(elementwise.sigmoid_slope, REAL),
    pointwise(elementwise.arcsinh, REAL),
    pointwise(elementwise.arccosh, (1.2, 3.0)),
    pointwise(elementwise.arctanh, INSIDE_ONE),
    # Activations
    pointwise(elementwise.sigmoid, REAL),
    pointwise(elementwise.softplus, REAL),
    pointwise(elementwise.relu, BESIDE_ZERO),
    pointwise(elementwise.gate, REAL, BESIDE_ZERO, broadcasts=False),
    pointwise(elementwise.erf, REAL),
    pointwise(elementwise.erfc, REAL),
    # Comparison
    pointwise(elementwise.greater, REAL, REAL),
    pointwise(elementwise.greater_equal, REAL, REAL),
    pointwise(elementwise.equal, REAL, REAL),
    pointwise(elementwise.where, MASK, REAL, REAL, fixed=(0,)),
    pointwise(elementwise.maximum, REAL, REAL),
    pointwise(elementwise.minimum, REAL, REAL),
    # Steps
    pointwise(elementwise.sign, BESIDE_ZERO),
    pointwise(elementwise.heaviside, BESIDE_ZERO, REAL),
    pointwise(elementwise.floor, BESIDE_ZERO),
    pointwise(elementwise.ceil, BESIDE_ZERO),
    pointwise(elementwise.round, BESIDE_ZERO, decimals=0),
    pointwise(elementwise.round, [0.31, -1.28], decimals=1),
    pointwise(elementwise.round, [0.312, -1.286], decimals=2),
    pointwise(elementwise.round, [312.0, -1286.0], decimals=-2),
    pointwise(elementwise.round, [312.0, -1286.0], decimals=-1),
    pointwise(elementwise.astype, REAL, dtype=np.dtype(np.float64)),
]

STRUCTURAL = [
    # Taking elements out and putting them back
    structural(indexing.getitem, (3, 4), index=1),
    structural(indexing.getitem, (3, 4), index=(-1, 2)),
    structural(indexing.getitem, (3, 4), index=(..., None, slice(None, None, -2))),
    structural(indexing.getitem, (3, 4), index=np.array([[0, 2], [2, 2]])),
    structural(indexing.getitem, (3, 4), index=(np.array([2, 0, 2]), np.array([1, 3, 1]))),
    structural(indexing.getitem, (3, 4), index=np.eye(3, 4, dtype=bool)),
    structural(indexing.scatter, (), index=(0, 1), shape=(2, 3)),
    structural(indexing.scatter, (2,), index=slice(None, None, 2), shape=(4,)),
    structural(indexing.scatter, (3, 2), index=np.array([1, 0, 1]), shape=(4, 2)),
    structural(indexing.scatter, (2,), index=np.array([True, False, True]), shape=(3,)),
    structural(indexing.getitem_at, (3, 4), PLACES, index=(None, 1), slots=(0,)),
    structural(indexing.getitem_at, (3, 3, 2), *GRID, index=(None,) * 3, slots=(0, 1, 2)),
    structural(indexing.scatter_at, (3,), PLACES, index=(None, 1), slots=(0,), shape=(4, 2)),
    structural(
        indexing.scatter_at, (3, 2), *GRID, index=(None,) * 3, slots=(0, 1, 2), shape=(3, 3, 2)
    ),
    structural(indexing.reorder, (3, 4), (3, 4), axis=0),
    structural(indexing.reorder, (5,), (5,), axis=-1, kth=2),
    structural(indexing.restore, (3, 4), (3, 4), axis=1),
    structural(indexing.restore, (5,), (5,), axis=0, kth=2),
    # The same numbers in another shape
    structural(shapes.reshape, (), shape=(1, 1)),
    structural(shapes.reshape, (1, 1), shape=()),
    structural(shapes.reshape, (2, 6), shape=(3, 4)),
    structural(shapes.transpose, (2, 3, 4), axes=(1, 2, 0)),
    structural(shapes.broadcast_to, (), shape=(2, 3)),
    structural(shapes.broadcast_to, (3, 1), shape=(2, 3, 4)),
    structural(shapes.broadcast_to, (3,), shape=(2, 3), dtype=np.dtype(np.float64)),
    structural(shapes.broadcast_to, (1, 3), shape=(2, 4, 3)),
    structural(shapes.sum, (), **ALL),
    structural(shapes.sum, (), axis=(), keepdims=False),
    structural(shapes.sum, (), axis=0, keepdims=False),
    structural(shapes.sum, (2, 3, 2), axis=(), keepdims=False),
    structural(shapes.sum, (2, 3, 2), axis=(0,), keepdims=False),
    structural(shapes.sum, (2, 3, 2), axis=(0, 1, 2), keepdims=False),
    structural(shapes.sum, (2, 3, 2), **ALL),
    structural(shapes.sum, (2, 3, 2), **MANY),
    structural(shapes.sum, (2, 3, 2), **KEPT),
    structural(shapes.sum, (2, 3, 4), axis=(0, 1), keepdims=False),
    structural(shapes.sum, (2, 3, 4), axis=(0, 1), keepdims=True),
    structural(shapes.sum, (2, 3, 2), axis=-2, keepdims=False),
    structural(shapes.concatenate, (2, 3), axis=0),
    structural(shapes.concatenate, (2, 1), (2, 3), (2, 2), axis=-1),
    # Windows and their sum
    structural(shapes.windows, (5,), size=3, axis=0, stride=1, dilation=1),
    structural(shapes.windows, (2, 6, 2), size=2, axis=1, stride=3, dilation=2),
    structural(shapes.windows, (3,), size=3, axis=0, stride=1, dilation=1),
    structural(shapes.overlap_add, (3, 3), length=5, axis=0, stride=1, dilation=1),
    structural(shapes.overlap_add, (3, 1), length=5, axis=0, stride=2, dilation=1),
    structural(shapes.overlap_add, (2, 3, 4), length=6, axis=1, stride=1, dilation=1),
    structural(shapes.overlap_add, (2, 2, 3, 2), length=6, axis=1, stride=3, dilation=2),
    # Convolution and its adjoints
    structural(convolution.convolve, (2, 5, 2), (3, 2, 3), **ADJACENT),
    structural(convolution.convolve, (1, 6, 5, 1), (2, 1, 2, 3), **SPREAD),
    structural(convolution.match_windows, (1, 4, 8), (1, 3, 2), size=(2,), **ADJACENT),
    structural(convolution.convolve, (1, 4, 8), (2, 8, 2), **ADJACENT),
    structural(convolution.spread_windows, (2, 3, 3), (3, 2, 3), lengths=(5,), **ADJACENT),
    structural(convolution.spread_windows, (1, 2, 3, 2), (2, 1, 2, 3), lengths=(6, 5), **SPREAD),
    structural(convolution.match_windows, (2, 5, 2), (2, 3, 3), size=(3,), **ADJACENT),
    structural(convolution.match_windows, (1, 6, 5, 1), (1, 2, 3, 2), size=(2, 3), **SPREAD),
    # Many numbers into fewer
    structural(reductions.prod, (2, 3), axis=-1, keepdims=False),
    structural(reductions.prod, np.array([[0.0, 2.0], [0.0, 0.0]]), axis=1, keepdims=True),
    structural(reductions.prod, (), **ALL),
    structural(reductions.prod, (2, 3, 2), **ALL),
    structural(reductions.prod, (2, 3, 2), **KEPT),
    structural(reductions.max, (), **ALL),
    structural(reductions.max, (2, 3, 2), **ALL),
    structural(reductions.max, (2, 3, 2), **MANY),
    structural(reductions.max, (2, 3, 2), **KEPT),
    structural(reductions.min, (), **ALL),
    structural(reductions.min, (2, 3, 2), **ALL),
    structural(reductions.min, (2, 3, 2), **MANY),
    structural(reductions.min, (2, 3, 2), **KEPT),
    structural(reductions.norm, (), **ALL),
    structural(reductions.norm, (2, 3, 2), **ALL),
    structural(reductions.norm, (2, 3, 2), **MANY),
    structural(reductions.norm, (2, 3, 2), **KEPT),
    structural(reductions.cumsum, (4,), axis=0),
    structural(reductions.cumsum, (2, 3), axis=-1),
    structural(reductions.cumsum, (2, 3, 4), axis=2),
    structural(reductions.cumprod, (4,), axis=0),
    structural(reductions.cumprod, np.array([[2.0, 0.0, -3.0], [0.0, 0.0, 5.0]]), axis=-1),
    structural(reductions.cumprod_adjoint, (4,), (4,), axis=0),
    structural(reductions.cumprod_adjoint, (2, 1), np.array([[2.0], [0.0]]), axis=-1),
    structural(
        reductions.cumprod_adjoint,
        (2, 3),
        np.array([[2.0, 0.0, -3.0], [0.0, 0.0, 5.0]]),
        axis=-1,
    ),
    structural(reductions.recurrence, (4,), (3,), axis=0),
    structural(reductions.recurrence, (3, 2), (2, 2), axis=-2),
    structural(reductions.recurrence, (2, 3, 4), (2, 3, 3), axis=2),
    structural(reductions.cumprod_adjoint, (2, 3, 4), (2, 3, 4), axis=2),
    structural(reductions.logsumexp, (), **ALL),
    structural(reductions.logsumexp, (2, 3, 2), **ALL),
    structural(reductions.logsumexp, (2, 3, 2), **MANY),
    structural(reductions.logsumexp, (2, 3, 2), **KEPT),
    structural(reductions.softmax, (2, 3), axis=-1),
    structural(reductions.softmax, (2, 3), axis=(0, 1)),
    structural(reductions.log_softmax, (2, 3), axis=0),
    structural(reductions.log_softmax, (2, 3), axis=1),
    structural(reductions.log_softmax, (2, 3), axis=None),
    # Products
    structural(linear_algebra.inner, (3,), (2, 3)),
    structural(linear_algebra.inner, (4, 3), (2, 3)),
    structural(linear_algebra.inner, (2, 4, 3), (2, 3)),
    structural(linear_algebra.matmul, (3,), (3,)),
    structural(linear_algebra.matmul, (2, 3), (3,)),
    structural(linear_algebra.matmul, (3,), (3, 2)),
    structural(linear_algebra.matmul, (2, 3), (3, 2)),
    structural(linear_algebra.matmul, (2, 1, 2, 3), (3, 3, 2)),
    structural(linear_algebra.matmul, (2, 2, 3), (2, 3, 2)),
    structural(linear_algebra.matmul, (3,), (2, 3, 2)),
    structural(linear_algebra.matmul, (2, 2, 3), (3,)),
    structural(linear_algebra.einsum, (2, 3), subscripts="ij->ji"),
    structural(linear_algebra.einsum, (2, 3), (3, 4), subscripts="ij,jk->ik"),
    structural(linear_algebra.einsum, (2, 3), (2, 4), (3, 4), subscripts="ij,ik,jk->i"),
    structural(linear_algebra.einsum, (), (3,), subscripts=",i->i"),
    # Inverses and determinants
    structural(linear_algebra.inv, regular(3, 3)),
    structural(linear_algebra.inv, regular(2, 2, 2)),
    structural(linear_algebra.solve, regular(3, 3), (3,)),
    structural(linear_algebra.solve, regular(3, 3), (3, 2)),
    structural(linear_algebra.solve, regular(2, 2, 2), (2, 2, 3)),
    structural(linear_algebra.solve, regular(2, 3, 3), (3,)),
    structural(linear_algebra.pinv, (2, 3), rcond=None),
    structural(linear_algebra.pinv, (2, 3, 2), rcond=1e-12),
    structural(linear_algebra.cofactor, (3, 3)),
    structural(linear_algebra.cofactor, (2, 2, 2)),
    structural(linear_algebra.det, (3, 3)),
    structural(linear_algebra.det, (2, 2, 2)),
    structural(linear_algebra.log_abs_det, regular(3, 3)),
    structural(linear_algebra.log_abs_det, regular(2, 2, 2)),
    structural(linear_algebra.sign_det, regular(3, 3)),
    # Decompositions
    structural(decompositions.cholesky, positive_definite(3, 3), symmetric=True),
    structural(decompositions.cholesky, positive_definite(2, 1, 3, 3), symmetric=True),
    structural(decompositions.eigh, positive_definite(3, 3), symmetric=True),
    structural(decompositions.eigh, positive_definite(2, 2, 2), symmetric=True),
    structural(decompositions.svd, (3, 3)),
    structural(decompositions.svd, (2, 4)),
    structural(decompositions.svd, (4, 3)),
    structural(decompositions.svd, (2, 3, 2)),
    structural(decompositions.determined, (3, 2), np.array([[1.0, 2.0]]), fixed=(1,)),
    structural(decompositions.determined, (2, 2, 2), distinct(2, 1, 2), fixed=(1,)),
]

CASES = [case for row in POINTWISE + STRUCTURAL for case in row]
