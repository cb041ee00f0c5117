"""The scalar executor gives what eager computation gives, on the machine and level by level."""

import itertools
import math
import operator
import sys
import threading
from functools import cache, reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scalar_programs import BOTH, executor_of, program_of, quiet

from autograd_core import Value, compile, grad, hessian, value_and_grad
from autograd_core.primitives import elementwise
from autograd_core.program.lowering import in_lanes, lowered
from autograd_core.program.machine_code import has_numba
from autograd_core.program.program import Program, Step, Unanswered, source
from autograd_core.program.scalar_executor import ScalarExecutor, scalar_executor
from autograd_core.program.scalar_program import SUM
from autograd_core.program.tracing import fresh

# Programs of a few numbers: each line is an operation on two of the registers so far
OPERATIONS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "square": lambda x, y: x**2,
    "tanh": lambda x, y: np.tanh(x),
    "relu": lambda x, y: np.maximum(x, 0.0) + y,
    "where": lambda x, y: np.where(x > y, x, 2.0 * y),
    "divide": lambda x, y: x / (1.0 + y * y),
}
lines = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=20,
)
numbers = st.lists(st.floats(-2, 2), min_size=3, max_size=3)


def total(numbers):
    """Add numbers one by one: since Python 3.12, `sum` makes up for the rounding of floats."""
    return reduce(operator.add, numbers, 0)


def computed(lines, inputs):
    registers = list(inputs)
    for name, x, y in lines:
        x, y = registers[x % len(registers)], registers[y % len(registers)]
        registers.append(np.tanh(OPERATIONS[name](x, y)) if len(registers) % 5 == 4
                         else OPERATIONS[name](x, y))  # fmt: skip
    return registers[-1] + registers[0]


@BOTH
@settings(max_examples=20)
@given(lines=lines, first=numbers, second=numbers)
def test_random_programs_and_their_gradients_equal_eager_ones(compiled, lines, first, second):
    f = value_and_grad(lambda inputs: computed(lines, inputs))
    run = executor_of(f, first, compiled=compiled)
    for inputs in (first, second, [-x for x in second]):
        value, gradient = f(inputs)
        with quiet():
            np.testing.assert_allclose(run(inputs), [value, *gradient], 1e-12, 1e-12)


@settings(max_examples=20)
@given(lines=lines, first=numbers, seed=st.integers(0, 99))
def test_random_programs_over_a_batch_equal_eager_ones(lines, first, seed):
    rng = np.random.default_rng(seed)
    f = value_and_grad(lambda inputs, x: (computed(lines, [*inputs, x]) * x).sum())
    batch = [rng.normal(size=11) for _ in range(2)]
    program = program_of(f, first, batch[0])
    scalars = in_lanes(program)
    run = ScalarExecutor(program, scalars, True)
    for x in batch:
        value, gradient = f(first, x)
        np.testing.assert_allclose(run([*first, x]), [value, *gradient], 1e-11, 1e-11)


@BOTH
class TestSums:
    def test_of_products_equal_eager_ones_to_the_bit(self, compiled):
        rng = np.random.default_rng(1)

        def f(w, x):
            return total([a * b for a, b in zip(w, x, strict=True)]) + w[0]

        w, x = rng.normal(size=(2, 40)).tolist()
        run = executor_of(f, w, x, compiled=compiled)
        assert [row[0] for row in run.schedule.groups] == [SUM]
        for scale in (1.0, 1e-3, 1e150):
            w = [scale * a for a in w]
            assert run([*w, *x]) == [f(w, x)]

    @pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
    def test_side_by_side_equal_eager_ones_to_the_bit(self, compiled, count):
        rng = np.random.default_rng(2)
        w = rng.normal(size=(count, 21)).tolist()
        x = rng.normal(size=21).tolist()

        def f(w, x):
            return [total([a * b for a, b in zip(row, x, strict=True)]) for row in w]

        run = executor_of(f, w, x, compiled=compiled)
        assert run([*itertools.chain(*w), *x]) == f(w, x)

    def test_keep_a_product_that_something_else_needs(self, compiled):
        def f(x, y):
            product = x * y
            return product + x + y * y, product

        run = executor_of(f, 2.0, 3.0, compiled=compiled)
        assert run([4.0, 5.0]) == [4.0 * 5.0 + 4.0 + 25.0, 20.0]

    def test_keep_a_partial_sum_that_something_else_needs(self, compiled):
        def f(x, y):
            part = x + y + x * x
            return part + y * y + x, part * 2.0

        run = executor_of(f, 2.0, 3.0, compiled=compiled)
        assert run([4.0, 5.0]) == list(f(4.0, 5.0))

    def test_of_the_same_number_twice(self, compiled):
        run = executor_of(lambda x: (x + x) + (x + x) * x, 2.0, compiled=compiled)
        assert run([3.0]) == [24.0]

    def test_give_no_result_where_a_derivative_is_nan(self, compiled):
        f = grad(lambda x, y: np.where(x > 0.0, np.log(x), 0.0) * y + np.where(x > 0, x, y) * x)
        run = executor_of(f, 1.0, 2.0, compiled=compiled)
        with quiet():
            assert run([2.0, 3.0])[0] == f(2.0, 3.0)
            assert run([0.0, 3.0]) == Unanswered([])

    def test_of_nothing_else(self, compiled):
        run = executor_of(lambda x: x, 2.0, compiled=compiled)
        assert run([3.0]) == [3.0]


@BOTH
class TestExecutor:
    def test_reads_captured_values_afresh(self, compiled):
        w, b = Value(2.0), Value([1.0, 2.0])
        run = executor_of(lambda x: (w * x + b).sum() * x, 3.0, compiled=compiled)
        assert run([3.0]) == [45.0]
        w.data, b.data = 3.0, [0.0, 1.0]
        assert run([2.0]) == [26.0]

    def test_draws_anew(self, compiled):
        rng = np.random.default_rng(0)

        def f(x):
            return x + fresh(lambda: rng.normal(size=2)) + fresh(rng.normal)

        run = executor_of(f, 1.0, compiled=compiled)
        again = np.random.default_rng(0)
        again.normal(size=3)  # the recording has drawn, too
        for _ in range(2):
            expected = again.normal(size=2) + again.normal() + 1.0
            np.testing.assert_allclose(run([1.0])[0], expected, 1e-15)

    def test_gives_results_of_any_kind_in_order(self, compiled):
        x32 = np.ones((2, 2), np.float32)

        def f(a, x, y):
            return (a, x.T, a + 1.0, y.sum(0), y[0, 0], y)

        run = executor_of(f, 2.0, x32, np.ones((3, 1)), compiled=compiled)
        x, y = np.array([[1, 2], [3, 4]], np.float32), np.arange(3.0).reshape(3, 1)
        found = run([5.0, x, y])
        for one, other in zip(found, f(5.0, x, y), strict=True):
            assert np.asarray(one).tolist() == np.asarray(other).tolist()
            assert np.asarray(one).dtype == np.asarray(other).dtype
            assert one is not x
            assert one is not y

    def test_takes_empty_arrays(self, compiled):
        run = executor_of(lambda x: (x.sum(), x * 2.0), np.ones((0, 3)), compiled=compiled)
        total, doubled = run([np.ones((0, 3))])
        assert total == 0.0
        assert doubled.shape == (0, 3)

    def test_is_called_from_several_threads(self, compiled):
        f = value_and_grad(lambda x, y: sum([np.sin(x * i) * y for i in range(300)]))
        run = executor_of(f, 1.0, 2.0, compiled=compiled)
        alone = {i: run([i / 10, 2.0]) for i in range(8)}
        wrong = []

        def work(i):
            wrong.extend([i for _ in range(100) if run([i / 10, 2.0]) != alone[i]])

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


DERIVATIVES = {
    "hessian": (hessian(lambda x: np.max(x) * np.sum(x)), np.array([1.0, 3.0, 2.0])),
    "of a compiled chain": (grad(compile(lambda x: sines(x, 10).sum())), np.full((2, 2), 0.1)),
    "of a variance": (grad(lambda x: np.sum(np.var(x, axis=0) * sines(x, 5))), np.eye(3, 2)),
    "of no elements": (grad(lambda x: np.sum(np.var(x, axis=0) * x)), np.ones((2, 0))),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_of_small_arrays_compile(name):
    f, x = DERIVATIVES[name]
    np.testing.assert_allclose(compile(f)(x), f(x), 1e-12)
    np.testing.assert_allclose(compile(f)(0.5 * x), f(0.5 * x), 1e-12)


def sines(x, count):
    for _ in range(count):
        x = np.sin(x)
    return x


class TestChoice:
    def test_numbers_alone_are_lowered_with_numba_and_without(self):
        def f(xs):
            return [np.tanh(x) * x + 1.0 for x in xs]

        program = program_of(f, [1.0] * 20)
        assert scalar_executor(program, compiled=True)
        assert scalar_executor(program, compiled=False)

    def test_chains_are_left_to_python_without_numba(self):
        program = program_of(lambda x: sines(x, 30), 1.0)
        assert scalar_executor(program, compiled=True)
        assert scalar_executor(program, compiled=False) is None

    def test_a_few_operations_are_left_to_python(self):
        assert scalar_executor(program_of(lambda x: sines(x, 3), 1.0), compiled=True) is None

    def test_small_arrays_are_lowered_with_numba_only(self):
        program = program_of(lambda x: sines(x @ x, 30), np.ones((3, 3)))
        assert scalar_executor(program, compiled=True)
        assert scalar_executor(program, compiled=False) is None

    def test_batches_run_in_lanes(self):
        program = program_of(lambda x: sines(x, 30).sum(), np.ones(1000))
        assert scalar_executor(program, compiled=True).schedule.size < 40_000
        program = program_of(lambda x: sines(x, 30).sum(), np.ones(100_000))
        assert scalar_executor(program, compiled=True) is None

    def test_what_nobody_has_told_is_left_to_arrays(self):
        program = program_of(lambda x: sines(np.linalg.inv(x), 30), np.eye(3))
        assert scalar_executor(program, compiled=True) is None

    def test_large_arrays_are_not(self):
        program = program_of(lambda x: sines(x @ x, 30), np.ones((50, 50)))
        assert scalar_executor(program, compiled=True) is None
        program = program_of(lambda x: sines(x, 30).reshape(-1), np.ones((500, 500)))
        assert scalar_executor(program, compiled=True) is None

    def test_numba_is_looked_for(self, monkeypatch):
        program = program_of(lambda x: sines(x @ x, 30), np.ones((3, 3)))
        assert scalar_executor(program)
        monkeypatch.setitem(sys.modules, "numba", None)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        has_numba.cache_clear()
        assert scalar_executor(program) is None
        has_numba.cache_clear()


@cache
def a_long_program():
    steps = [source(1.0), source(1.0)]
    for i in range(2, 100_002, 2):
        steps.append(Step(elementwise.add, (0, 1), None, (), None))
        steps.append(Step(elementwise.tanh, (i,), None, (), None))
    steps += [Step(elementwise.add, (100_001 + i, 2 + i), None, (), None) for i in range(100_000)]
    return Program(steps, [0, 1], outputs=[len(steps) - 1])


@pytest.mark.no_cover
@BOTH
def test_200_000_steps(compiled):
    program = a_long_program()
    found = ScalarExecutor(program, lowered(program), compiled)([0.25, 0.5])[0]
    expected = math.tanh(0.75)
    for i in range(100_000):
        expected += math.tanh(0.75) if i % 2 else 0.75
    np.testing.assert_allclose(found, expected, 1e-12)
