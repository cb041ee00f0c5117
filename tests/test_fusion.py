"""Chains of elementwise steps as one: the same bits, in one loop or by NumPy."""

import numpy as np
import pytest

from autograd_core import Value, compile, value_and_grad
from autograd_core.primitives import elementwise as table
from autograd_core.program.array_executor import ArrayExecutor
from autograd_core.program.fusion import LOOPS, SMALLEST, fuse, fused
from autograd_core.program.machine_code import has_numba
from autograd_core.program.passes import simplified
from autograd_core.program.recording import trace

# Numbers that are not finite are tried, too, and NumPy says so while they are recorded
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 60, 50))
X[0, :4] = [0.0, -0.0, np.inf, np.nan]


def program(f, *data):
    return simplified(trace(lambda values: f(*values), list(data)).program)


def names(program):
    return [program.steps[i].primitive.name for i in program.operations()]


def adam(w, g, m, v, rate):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * (g * g)
    return [w - rate * m / (np.sqrt(v) + 1e-7), m, v]


def same_bits(ours, theirs):
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestAnOptimizer:
    def test_becomes_one_step_with_a_row_for_each_result(self, dtype):
        arrays = [a.astype(dtype) for a in (X, Y, X, Y * Y)]
        made = fuse(program(adam, *arrays, 0.01))
        assert names(made) == ["fused", "getitem", "getitem", "getitem"]
        [whole] = [step for step in made.steps if step.primitive is fused]
        assert whole.shape == (3, 60, 50)

    def test_gives_the_bits_of_single_steps(self, dtype):
        arrays = [a.astype(dtype) for a in (X, Y, X, Y * Y)]
        run = ArrayExecutor(program(adam, *arrays, 0.01))
        for rate in (0.01, 0.5):
            with np.errstate(all="ignore"):
                expected = adam(*arrays, rate)
            for ours, theirs in zip(run([*arrays, rate]), expected, strict=True):
                same_bits(ours, theirs)

    def test_as_a_primitive_it_computes_by_those_that_it_was_made_of(self, dtype):
        arrays = [a.astype(dtype) for a in (X, Y, X, Y * Y)]
        made = fuse(program(adam, *arrays, 0.01))
        [whole] = [step for step in made.steps if step.primitive is fused]
        data = {i: arrays[k] if k < 4 else 0.01 for k, i in enumerate(made.arguments)}
        data |= made.constants
        with np.errstate(all="ignore"):
            rows = fused.forward(*[data[i] for i in whole.inputs], **whole.params)
            expected = adam(*arrays, 0.01)
        in_order = [made.steps[i].params["index"] for i in made.outputs]
        for row, theirs in zip(in_order, expected, strict=True):
            same_bits(rows[row], theirs)


@pytest.mark.parametrize("primitive", LOOPS, ids=lambda primitive: primitive.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_operation_gives_numpy_s_bits(primitive, dtype):
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.5, -2.5, 3.0]
    operands = [
        np.resize(np.repeat(special, repeat), SMALLEST).astype(dtype) for repeat in (1, 8, 3)
    ]
    count = len(primitive.rules)
    if primitive is table.where:
        operands[0] = np.nan_to_num(operands[0])

    def f(*values):
        out = primitive(*values[:count])
        return [out, (out - values[0]) * 1.0 + values[0]]  # long enough to be a loop

    run = ArrayExecutor(program(f, *operands))
    with np.errstate(all="ignore"):
        expected = primitive(*operands[:count])
    np.testing.assert_array_equal(run(operands)[0], expected)


def test_small_arrays_and_short_chains_stay_single_steps():
    small = np.ones(SMALLEST - 1)
    assert "fused" not in names(fuse(program(lambda x: [abs(x * 2.0 + 1.0)], small)))
    assert "fused" not in names(fuse(program(lambda x: [x * 2.0 + 1.0], X)))


def test_what_lies_between_is_computed_in_its_place():
    def f(x, y):
        a = x * 2.0 + y
        b = np.tanh(a)  # no loop of ours: NumPy's is quicker
        c = (b - x) * (b + y)
        return [c.sum(), a]

    made = fuse(program(f, X, Y))
    assert names(made).count("tanh") == 1
    run = ArrayExecutor(program(f, X, Y))
    with np.errstate(all="ignore"):
        total, a = f(Value(X), Value(Y))
    results = run([X, Y])
    same_bits(results[1], a.data)
    np.testing.assert_allclose(results[0], total.data, rtol=1e-12)


def test_transposed_operands_are_read_in_their_order():
    square = RNG.normal(size=(60, 60))

    def f(x):
        return [abs(x.T * 2.0 + x) - x.T * x]

    run = ArrayExecutor(program(f, square))
    same_bits(run([square])[0], f(square)[0])


def test_results_are_the_callers_own():
    run = ArrayExecutor(program(adam, X, Y, X, Y * Y, 0.01))
    first = run([X, Y, X, Y * Y, 0.01])
    kept = [array.copy() for array in first]
    for array in run([Y, X, Y, X * X, 0.1]):
        array[...] = 0.0
    for ours, theirs in zip(first, kept, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_without_numba_numpy_carries_every_step_out(monkeypatch):
    monkeypatch.setattr("autograd_core.program.array_executor.has_numba", lambda: False)
    run = ArrayExecutor(program(adam, X, Y, X, Y * Y, 0.01))
    assert "fused" not in names(run.program)
    with np.errstate(all="ignore"):
        expected = adam(X, Y, X, Y * Y, 0.01)
    for ours, theirs in zip(run([X, Y, X, Y * Y, 0.01]), expected, strict=True):
        same_bits(ours, theirs)


def test_gradients_flow_through_fused_programs():
    assert has_numba()
    f = value_and_grad(lambda x: (abs(x * x - 1.0) * x + 0.5).sum())
    x = RNG.normal(size=(50, 60))
    (value, gradient), (expected, by_hand) = compile(f)(x), f(x)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_and_slopes_are_fused_with_the_bits_that_they_have_alone(dtype):
    x, g = X.astype(dtype), Y.astype(dtype)

    def f(x, g):
        return [table.sigmoid(x) * table.sigmoid_slope(x) + g * table.tanh_slope(x)]

    run = ArrayExecutor(program(f, x, g))
    assert names(run.program) == ["negative", "exp", "cosh", "fused", "getitem"]
    with np.errstate(all="ignore"):
        same_bits(run([x, g])[0], f(x, g)[0])
