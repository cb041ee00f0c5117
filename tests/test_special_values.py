"""Special numbers through every elementwise primitive, on every path: the results agree.

The paths: numbers alone, arrays, numbers beside arrays, into a buffer, fused loops, machine code,
lanes and batches, in float64 and in float32. Zeros keep their sign, and NaN stays NaN.
"""

import itertools
import math
import sys

import jax
import numpy as np
import pytest
from scalar_programs import BOTH, executor_of, program_of

from autograd_core import Primitive, Value, batch, compile, log_softmax, logsumexp, softmax
from autograd_core.primitives import elementwise as table
from autograd_core.program.array_executor import ArrayExecutor
from autograd_core.program.fusion import LOOPS, SMALLEST, fused
from autograd_core.program.lowering import in_lanes
from autograd_core.program.scalar_executor import ScalarExecutor
from autograd_core.program.scalar_program import KERNELS

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
MIDDLE = (0.5, 1.0, 2.0, 2.5, 3.3, 20.0, 88.0, 1e-5, 1 - 2**-24)
EXTREME = (0.0, math.inf, 710.0, 1e16, 1e38, sys.float_info.max, 5e-324, 1e-310, 1e-40)
SPECIAL = [sign * x for x in MIDDLE + EXTREME for sign in (1.0, -1.0)] + [math.nan]
FEW = [*SPECIAL[:8], 20.0, -3.3, 0.0, -0.0, math.inf, -math.inf, 1e38, -1e-40, 5e-324, math.nan]
LISTS = {1: [SPECIAL], 2: [FEW] * 2, 3: [[0.0, 1.0, math.nan], FEW, FEW]}
OPTIONS = {
    "round": {"decimals": 0},
    "astype": {"dtype": np.dtype(np.float32)},
    "sinc_derivative": {"order": 1},
}
ALL = [p for p in vars(table).values() if isinstance(p, Primitive)]
# In float32 NumPy rounds inside these, where a difference cancels; the machine does not
CANCELLING = {"sinc", "logaddexp", "logaddexp2", "softplus"}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def those(primitives):
    return pytest.mark.parametrize("primitive", primitives, ids=lambda primitive: primitive.name)


def points(primitive, dtype=np.float64):
    """Return the inputs of a primitive: all combinations of special numbers."""
    columns = np.array(list(itertools.product(*LISTS[len(primitive.rules)]))).T
    return list(columns.astype(dtype))


def applied(primitive):
    """Return the function of arrays or numbers that applies a primitive."""
    return lambda *inputs: primitive(*inputs, **OPTIONS.get(primitive.name, {}))


def assert_same(ours, theirs, inputs, ulps=0, absolute=0.0):
    """Hold results to others: to the bit, or up to so many units in the last place."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    same = ours == theirs
    if ulps:
        bound = np.maximum(ulps * np.spacing(np.abs(theirs)), absolute)
        same |= np.isfinite(theirs) & (np.abs(ours - theirs) <= bound)
    same &= (np.signbit(ours) == np.signbit(theirs)) | (np.abs(theirs) < absolute)
    same |= np.isnan(ours) & np.isnan(theirs)
    wrong = [(*[float(x[i]) for x in inputs], ours[i], theirs[i]) for i in np.flatnonzero(~same)]
    assert wrong == []


@those(ALL)
def test_numbers_and_arrays_agree(primitive):
    f, inputs = applied(primitive), points(primitive)
    if primitive is table.astype:
        return  # a number has no type to be changed
    numbers = [x.tolist() for x in inputs]
    ours = [f(*each) for each in zip(*numbers, strict=True)]
    assert_same(ours, f(*inputs), inputs, ulps=8 if primitive is table.sinc_derivative else 2)


def test_squares_of_numbers_and_of_arrays_have_the_same_bits():
    x = np.array([1.5261283972998259, 1.6085631752029532])  # where pow of C may round otherwise
    numbers = [(Value(each) ** 2.0).data for each in x.tolist()]
    assert numbers == (Value(x) ** 2.0).data.tolist() == (x * x).tolist()


TWO = [p for p in ALL if len(p.rules) == 2]


@those(TWO)
def test_operators_of_numbers_and_calls_agree(primitive):
    inputs = points(primitive)
    pairs = list(zip(*[x.tolist() for x in inputs], strict=True))
    ours = [primitive.binary(Value(x), y).data for x, y in pairs]
    assert_same(ours, [primitive(x, y) for x, y in pairs], inputs)


@those(TWO)
@DTYPES
def test_a_number_beside_an_array_is_an_array_of_it(primitive, dtype):
    x = np.array(FEW, dtype)
    for number in x.tolist():
        same = np.full_like(x, number)
        assert_same(primitive(x, number), primitive(x, same), [x, same], ulps=2)
        if primitive is not table.gate:  # whose first input has the shape of the second
            assert_same(primitive(number, x), primitive(same, x), [same, x], ulps=2)
        recorded = primitive.binary(Value(x), number).data
        assert_same(recorded, primitive(x, number), [x, same])


@those(ALL)
@DTYPES
def test_what_is_computed_into_buffers_has_the_same_bits(primitive, dtype):
    f, inputs = applied(primitive), points(primitive, dtype)
    run = ArrayExecutor(program_of(lambda *inputs: f(*inputs) * 1.0, *inputs))
    assert_same(run(inputs)[0], f(*inputs), inputs)


@those(LOOPS)
@DTYPES
def test_fused_loops_have_the_same_bits(primitive, dtype):
    inputs = [np.resize(x, max(SMALLEST, len(x))) for x in points(primitive, dtype)]

    def f(*inputs):
        out = primitive(*inputs)
        return out, -(out * 2.0 - inputs[0])

    run = ArrayExecutor(program_of(f, *inputs))
    assert any(step.primitive is fused for step in run.program.steps)
    assert_same(run(inputs)[0], f(*inputs)[0], inputs)


@BOTH
@those(KERNELS)
@DTYPES
def test_machine_code_and_levels_agree_with_arrays(compiled, primitive, dtype):
    f, inputs = applied(primitive), points(primitive, dtype)
    run = executor_of(f, *inputs, compiled=compiled)
    near = 2e-7 if dtype == np.float32 and primitive.name in CANCELLING else 0.0
    ulps = 4 if dtype == np.float32 else 2  # where NumPy rounds inside, as in tanh_slope
    assert_same(run(inputs)[0], f(*inputs), inputs, ulps, near)


@those([p for p in KERNELS if p.name not in OPTIONS])
@DTYPES
def test_lanes_and_numbers_beside_them_agree_with_arrays(primitive, dtype):
    f, inputs = applied(primitive), points(primitive, dtype)
    program = program_of(lambda *inputs: (f(*inputs), f(*inputs[:-1], 0.5)), *inputs)
    run = ScalarExecutor(program, in_lanes(program), compiled=True)
    near = 2e-7 if dtype == np.float32 and primitive.name in CANCELLING else 0.0
    expected = f(*inputs), f(*inputs[:-1], 0.5)
    for one, other in zip(run(inputs), expected, strict=True):
        assert_same(one, other, inputs, ulps=4 if dtype == np.float32 else 2, absolute=near)


@those(ALL)
@DTYPES
def test_batches_of_numbers_and_of_arrays_agree_with_arrays(primitive, dtype):
    f, inputs = applied(primitive), points(primitive, dtype)
    assert_same(batch(f)(*inputs), f(*inputs), inputs, ulps=8)
    pairs = [np.stack([x, x], 1) for x in inputs]
    assert_same(batch(f)(*pairs)[:, 1], f(*inputs), inputs, ulps=8)


def test_float_power_has_numpy_s_values_also_where_a_root_has_others():
    x, y = points(table.float_power)
    assert_same(np.float_power(Value(x), y).data, np.float_power(x, y), [x, y])
    x = np.array([-math.inf, -0.0, 0.0, 4.0])
    for f in (lambda v: np.float_power(v, 0.5), compile(lambda v: np.float_power(v, 0.5))):
        assert_same(f(x), np.array([math.inf, 0.0, 0.0, 2.0]), [x])


@DTYPES
@pytest.mark.parametrize(
    "row",
    [[math.inf, 710.0], [math.inf, 1.0], [math.inf] * 2, [-math.inf] * 2, [math.nan, 1.0],
     [-math.inf, 3.0], [math.inf, -math.inf]],
)  # fmt: skip
def test_softmax_is_the_same_beside_its_logarithm_and_alone(row, dtype):
    x = np.array(row, dtype)
    alone = softmax(x), log_softmax(x)
    together = compile(lambda v: (softmax(v), log_softmax(v)))(x)
    apart = compile(softmax)(x), compile(log_softmax)(x)
    for found in (together, apart):
        for ours, theirs in zip(found, alone, strict=True):
            assert_same(ours, theirs, [x])
    assert logsumexp(x) == pytest.approx(jax.nn.logsumexp(x), nan_ok=True)
    assert compile(logsumexp)(x) == pytest.approx(jax.nn.logsumexp(x), nan_ok=True)
