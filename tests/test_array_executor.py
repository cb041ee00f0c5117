"""The array executor: NumPy calls into buffers allocated once, with the results of the function."""

import gc
import sys
import tracemalloc
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from cases import CASES, generator
from oracle import assert_close
from random_programs import OURS, small_cases

from autograd_core import Primitive, Value, relu, sigmoid, softmax, value_and_grad
from autograd_core.primitives import elementwise as table
from autograd_core.primitives.linear_algebra import matrix_transpose
from autograd_core.program.array_executor import ALIGNMENT, ArrayExecutor, Block, placed, plan
from autograd_core.program.passes import simplified
from autograd_core.program.recording import trace

X = np.array([0.3, -0.7, 1.1])
W = np.array([[0.5, -0.3, 0.8], [1.2, 0.1, -0.6]])


def recorded(f, *leaves):
    """Return the program of a function of leaves that gives a list."""
    return trace(lambda arguments: list(f(*arguments)), list(leaves)).program


def executor(f, *leaves, passes=True):
    program = recorded(f, *leaves)
    return ArrayExecutor(simplified(program) if passes else program)


def moved(case):
    """Return other inputs of a case, in its domain: its own numbers, exchanged."""
    rng = generator(case.name)
    inputs = []
    for i, x in enumerate(case.inputs):
        if i in case.fixed:
            inputs.append(1.0 - x)  # masks flip
        elif np.shape(x) and case.primitive.name not in MATRICES:
            inputs.append(rng.permutation(x.ravel()).reshape(x.shape))
        else:
            inputs.append(x * 1.0625)
    return inputs


# Those that take square matrices of some kind, which numbers exchanged would not be
MATRICES = ("inv", "solve", "log_abs_det", "sign_det", "cholesky", "eigh", "arccosh")
# What sums in another order than the primitive by itself
IN_ANOTHER_ORDER = ("sum", "matmul", "inner")

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def symmetric(case, x):
    return (x + matrix_transpose(x)) / 2 if case.symmetric else x


def tolerance(case, dtype=np.float64):
    if case.primitive.name not in IN_ANOTHER_ORDER:
        return 0.0
    return 1e-12 if dtype == np.float64 else 1e-6


class TestEveryPrimitive:
    @each_case
    def test_alone(self, case):
        first, second = case.inputs, moved(case)
        apply = lambda *inputs: [case.primitive(*inputs, **case.params)]  # noqa: E731
        run = executor(apply, *[symmetric(case, x) for x in first])
        for inputs in (first, second, first, second):
            data = [symmetric(case, x) for x in inputs]
            limit = tolerance(case)
            assert_close(run(data), apply(*data), limit, limit)

    @each_case
    def test_between_other_steps(self, case):
        """Its inputs and its result lie in buffers, and other steps want theirs."""

        def f(*inputs):
            inputs = [symmetric(case, x) * 1.0 for x in inputs]
            made = [table.identity(x * 2.0) for x in inputs]
            out = case.primitive(*[x * 0.5 for x in made], **case.params)
            later = [np.exp(-x * x) + np.sin(x) for x in made]
            again = [np.cos(x) * 3.0 for x in later]
            return [out * 1.0, *again, out + 1.0]

        first, second = case.inputs, moved(case)
        run = executor(f, *first)
        for inputs in (first, second, first):
            assert_close(run(list(inputs)), f(*inputs), 1e-12, 1e-12)

    @each_case
    def test_in_single_precision(self, case):
        single = lambda xs: [np.float32(x) if np.shape(x) else x for x in xs]  # noqa: E731
        apply = lambda *inputs: [case.primitive(*inputs, **case.params)]  # noqa: E731
        first, second = single(case.inputs), single(moved(case))
        run = executor(apply, *[symmetric(case, x) for x in first])
        for inputs in (first, second, first):
            data = [symmetric(case, x) for x in inputs]
            (actual,), (expected,) = run(data), apply(*data)
            assert getattr(actual, "dtype", None) == getattr(expected, "dtype", None)
            limit = tolerance(case, np.float32)
            assert_close(actual, expected, limit, limit)

    @each_case
    def test_into_arrays_that_hold_other_numbers(self, case):
        """What computes into an array must not depend on what stood there before."""
        into = case.primitive.into
        data = [symmetric(case, x) for x in case.inputs]
        expected = case.primitive(*data, **case.params)
        if into is None or not np.shape(expected):
            assert into is None or isinstance(expected, float)
            return
        for filler in (np.nan, np.inf, 7.0):
            out = np.full(expected.shape, filler)
            with np.errstate(all="ignore"):
                into(*data, out, **case.params)
            limit = tolerance(case)
            assert_close(out, expected, limit, limit)


@pytest.mark.parametrize("passes", [True, False])
def test_random_programs_give_what_the_function_gives(passes):
    for case in small_cases(40):

        def f(*leaves, case=case):
            value, slopes = value_and_grad(partial(case.output, OURS))(list(leaves))
            return [value, *slopes]

        run = executor(f, *case.data[0], passes=passes)
        for leaves in case.data:
            expected = f(*leaves)
            scale = max(1.0, *[np.max(np.abs(part), initial=0.0) for part in expected])
            assert_close(run(leaves), expected, 1e-12, 1e-12 * scale)


class TestSpecialNumbers:
    NUMBERS = np.array([0.0, -0.0, 1.0, -1.5, 1e308, -1e308, 1e-320, np.inf, -np.inf, np.nan])
    BINARY = [table.add, table.multiply, table.divide, table.ratio, table.power, table.maximum,
              table.minimum, table.gate, table.greater, table.equal, table.arctan2, table.hypot,
              table.logaddexp]  # fmt: skip
    UNARY = [table.exp, table.log, table.sqrt, table.sigmoid, table.softplus, table.relu,
             table.tanh, table.square, table.reciprocal, table.sign, table.absolute]  # fmt: skip

    @pytest.mark.parametrize("primitive", UNARY, ids=lambda p: p.name)
    def test_of_one_input(self, primitive):
        run = executor(lambda x: [primitive(x)], np.ones(10))
        with np.errstate(all="ignore"):
            assert run([self.NUMBERS])[0].tobytes() == primitive(self.NUMBERS).tobytes()

    @pytest.mark.parametrize("primitive", BINARY, ids=lambda p: p.name)
    def test_of_two_inputs(self, primitive):
        x, y = self.NUMBERS[:, None], self.NUMBERS[None]
        run = executor(lambda x, y: [primitive(x, y)], np.ones((10, 1)), np.ones((1, 10)))
        with np.errstate(all="ignore"):
            assert_close(run([x, y]), [primitive(x, y)], 0, 0)

    def test_of_numbers(self):
        run = executor(lambda x, y: [x + y, x * y, x - y, x / y, np.exp(x), np.log(y)], 1.0, 2.0)
        with np.errstate(all="ignore"):
            for x, y in ((1e308, 1e308), (1.0, 0.0), (np.inf, -np.inf), (1000.0, -1.0)):
                a, b = np.float64(x), np.float64(y)
                expected = [a + b, a * b, a - b, a / b, np.exp(a), np.log(b)]
                assert_close(run([x, y]), [float(v) for v in expected], 0, 0)

    def test_sums_over_rows_carry_infinity_and_nan(self):
        run = executor(lambda x: [x.sum(axis=0)], np.ones((3, 4)))
        x = np.ones((3, 4))
        x[1] = [np.inf, np.nan, -np.inf, 0.0]
        assert_close(run([x]), [x.sum(axis=0)])

    def test_constants_beyond_single_precision(self):
        ones = np.ones(3, "f")
        with np.errstate(all="ignore"):
            run = executor(lambda x: [x * 1e300, x * 1e-300], ones)
            assert_close(run([ones]), [np.full(3, np.inf), np.zeros(3)])


class TestViews:
    FORMS = {
        "transposed": lambda y: y.T * 1.5,
        "transposed and reshaped": lambda y: y.T.reshape(-1) * 1.5,
        "reversed and reshaped": lambda y: y[:, ::-1].reshape(3, 2) * 1.5,
        "column reshaped": lambda y: y[:, 1].reshape(1, 2) * 1.5,
        "reshaped twice": lambda y: y.reshape(3, 2).reshape(-1)[1:] * 1.5,
        "new axis": lambda y: y[None, :, None, 1:] * 1.5,
        "True as an index": lambda y: y[True] * 1.5,
        "rows by number": lambda y: y[np.array([1, 0, 1])] * 1.5,
        "rows by mask": lambda y: y[np.array([True, False])] * 1.5,
        "a row": lambda y: y[-1] * 1.5,
        "an element": lambda y: y[1, 2] * 1.5,
        "einsum that transposes": lambda y: np.einsum("ij->ji", y) * 1.5,
        "diagonal of einsum": lambda y: np.einsum("ii->i", y[:, :2]) * 1.5,
        "windows": lambda y: np.lib.stride_tricks.sliding_window_view(y, 2, axis=1) * 1.5,
        "of the argument": lambda y: y,
    }

    @pytest.mark.parametrize("passes", [True, False])
    @pytest.mark.parametrize("name", FORMS)
    def test_see_the_numbers_of_this_call(self, name, passes):
        look = self.FORMS[name]

        def f(x):
            y = x * 2.0
            seen = look(y)
            later = np.exp(x) + np.sin(x)  # wants the place of y
            return [seen, later, look(x), look(y)]

        run = executor(f, W, passes=passes)
        for x in (W, -W, W + 1.0, W.copy("F"), np.asfortranarray(-W)):
            assert_close(run([x]), f(x), 1e-15, 0)

    def test_of_views_live_as_long_as_they_are_read(self):
        def f(x):
            y = x * 2.0
            z = y.T[1:]
            others = [np.exp(x + i) for i in range(4)]
            return [z * 1.0, sum(others)]

        run = executor(f, W)
        for x in (W, -W):
            assert_close(run([x]), f(x), 0, 0)

    def test_a_users_primitive_may_give_a_view_or_its_input(self):
        flip = Primitive("flip", lambda x: x[::-1], lambda g, out, x: flip(g))
        same = Primitive("same", lambda x: x, lambda g, out, x: g)

        def f(x):
            y, z = flip(x * 2.0), same(x * 3.0)
            later = np.exp(x) + np.sin(x)
            return [y + 0.0, z + 0.0, later, flip(x * 1.5), same(x), flip(x)]

        run = executor(f, X)
        for x in (X, -X):
            results = run([x])
            assert_close(results, f(x), 0, 0)
            assert not any(np.shares_memory(result, x) for result in results)


class TestWhatIsHandedOut:
    def test_is_nobody_elses(self):
        w = Value(X)

        def f(x):
            y = x * 2.0
            constant = np.array([1.0, 2.0, 3.0])
            return [y, y, y[::-1], x, x[1:], w * 1.0, w, table.identity(x), constant, constant]

        for passes in (True, False):
            run = executor(f, X, passes=passes)
            for _ in range(4):
                x = X.copy()
                results = run([x])
                expected = [2 * X, 2 * X, 2 * X[::-1], X, X[1:], X, X, X, [1, 2, 3], [1, 2, 3]]
                for i, (result, wanted) in enumerate(zip(results, expected, strict=True)):
                    assert_close(result, np.array(wanted), 0, 0)
                    result[:] = 100.0 + i
                assert_close(x, X, 0, 0)
                assert_close(w.data, X, 0, 0)
                assert len({id(result) for result in results}) == len(results)

    def test_stays_as_it_is(self):
        run = executor(lambda x: [x * 2.0, (x * 3.0)[1:]], X)
        kept = [run([X + i]) for i in range(30)]
        for i, (whole, part) in enumerate(kept):
            assert_close((whole, part), ((X + i) * 2.0, ((X + i) * 3.0)[1:]), 0, 0)

    def test_stays_while_only_a_view_is_kept(self):
        run = executor(lambda x: [x * 2.0], X)
        views = [run([X + i])[0][1:] for i in range(10)]
        for i, view in enumerate(views):
            assert_close(view, (X + i)[1:] * 2.0, 0, 0)

    def test_is_used_again_once_nobody_holds_it(self):
        run = executor(lambda x: [x * 2.0], X)
        places = {run([X])[0].__array_interface__["data"][0] for _ in range(20)}
        assert len(places) == 1

    def test_may_be_an_argument_of_the_next_call(self):
        run = executor(lambda x: [x * 0.5 + 1.0], X)
        (actual,), expected = run([X]), X * 0.5 + 1.0
        for _ in range(10):
            (actual,), expected = run([actual]), expected * 0.5 + 1.0
            assert_close(actual, expected, 0, 0)

    def test_an_argument_is_never_changed(self):
        x = X.copy()
        x.flags.writeable = False
        run = executor(lambda x: [np.exp(x * 1.0 + x) - x], X)
        assert_close(run([x]), [np.exp(2 * X) - X], 0, 0)


class TestBuffers:
    def chain(self, length):
        def f(x):
            for i in range(length):
                x = np.sin(x) * (1.0 + i)
            return [np.cos(x)]

        return f

    def test_a_chain_needs_one(self):
        run = executor(self.chain(20), np.ones(1000))
        assert run._template.plan.size == 8000
        x = np.linspace(0, 1, 1000)
        assert_close(run([x]), self.chain(20)(x), 0, 0)

    def test_are_lent_until_the_last_use(self):
        def f(x):
            parts = [np.exp(x * (0.5 + i)) for i in range(5)]
            return [parts[0] + parts[4], parts[1] * parts[3] + parts[2] * parts[0]]

        run = executor(f, X)
        for x in (X, -X):
            assert_close(run([x]), f(x), 0, 0)

    def test_of_dead_steps_are_given_back(self):
        program = recorded(lambda x: [np.sin(x) * 2.0], np.ones(1000))
        dead = [replace_inputs(program.steps[1], 0)] * 5
        program = replace(program, steps=[*program.steps, *dead])
        size = ArrayExecutor(program)._template.plan.size
        assert size <= 2 * 8000

    def test_begin_where_cache_lines_do(self):
        run = executor(lambda x: [np.sin(x * 2.0) @ np.ones((3, 2)) + 1.0], W)
        plan = run._template.plan
        assert all(start % ALIGNMENT == 0 for start in plan.starts.values())

    def test_of_live_registers_never_overlap(self):
        run = executor(network_step, *network_data(16, (5, 8, 6, 3)))
        starts, sizes = run._template.plan.starts, buffer_sizes(run.program)
        for i, alive in live_registers(run):
            places = sorted((starts[x], starts[x] + sizes[x], x) for x in alive)
            for (_, stop, x), (start, _, y) in pairwise(places):
                assert stop <= start or i in (x, y), (i, x, y)

    @pytest.mark.parametrize(
        "widths", [(5, 8, 6, 3), (64, 128, 10), (32, 64, 64, 64, 10), (2, 3, 2)]
    )
    def test_take_at_most_a_fifth_more_than_what_is_live(self, widths):
        run = executor(network_step, *network_data(64, widths))
        sizes = buffer_sizes(run.program)
        live = max(sum(sizes[x] for x in alive) for _, alive in live_registers(run))
        assert run._template.plan.size <= 1.2 * live


def replace_inputs(step, *inputs):
    return step._replace(inputs=inputs)


def buffer_sizes(program):
    """Return the bytes of each register in whole cache lines."""
    return {
        i: -(-int(step.size * step.dtype.itemsize) // ALIGNMENT) * ALIGNMENT
        for i, step in enumerate(program.steps)
        if step.shape
    }


def live_registers(run):
    """Return for each step the registers in buffers that it makes, or that it and later ones read.

    Written anew: a register that looks at another one's elements keeps that one alive.
    """
    program, base, readers = run.program, run._template.plan.views, {}
    for i, step in enumerate(program.steps):
        for x in step.inputs:
            readers[base.get(x, x)] = i
    for x in program.wanted():
        readers[base.get(x, x)] = len(program.steps)
    for i in program.operations():
        yield i, [x for x in run._template.plan.starts if x <= i <= readers.get(x, x)]


def network_data(batch, widths):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=pair) * 0.1 for pair in pairwise(widths)]
    biases = [np.zeros(n) for n in widths[1:]]
    x, y = rng.normal(size=(batch, widths[0])), rng.normal(size=(batch, widths[-1]))
    return [x, y, *weights, *biases]


def network_step(x, y, *parameters):
    """Return the loss and the parameters after a step of gradient descent."""

    def loss(parameters):
        half = len(parameters) // 2
        h = x
        for w, b in zip(parameters[:half], parameters[half:], strict=True):
            h = np.tanh(h @ w + b)
        return np.mean((softmax(h) - sigmoid(y) + relu(h)) ** 2)

    value, gradients = value_and_grad(loss)(list(parameters))
    return [value, *[p - 0.1 * g for p, g in zip(parameters, gradients, strict=True)]]


class TestMemory:
    def test_after_the_first_calls_nothing_is_allocated(self):
        """But for NumPy's own buffers, up to 64 kB in a ufunc that broadcasts, and masks."""
        data = network_data(2048, (64, 128, 10))
        run = executor(network_step, *data)
        for _ in range(3):
            run(data)
        peak = traced(lambda: [run(data) is None for _ in range(5)])[1]
        assert peak < 110_000 < 2048 * 10 * 8  # the smallest of the activations

    def test_a_thousand_calls_leak_nothing(self):
        data = network_data(8, (5, 8, 3))
        run = executor(network_step, *data)
        for _ in range(10):
            run(data)
        gc.collect()
        blocks = sys.getallocatedblocks()
        grown, _ = traced(lambda: [run(data) is None for _ in range(1000)])
        assert grown < 1000 * 16  # bytes of the smallest object; NumPy keeps a few for later
        assert sys.getallocatedblocks() - blocks < 200

    def test_a_program_gives_its_memory_back(self):
        def use():
            x = np.ones(100_000)
            executor(lambda x: [np.exp(np.sin(x) * 2.0) + x], x)([x])

        use()
        assert traced(use)[0] < 100_000

    def test_the_peak_of_a_call_is_what_the_plan_says(self):
        data = network_data(2048, (64, 128, 10))
        run = executor(network_step, *data)
        results = sum(np.size(x) * 8 for x in run(data))
        run._idle.clear()  # so that the next call makes its workspace
        peak = traced(lambda: run(data))[1]
        assert peak <= 1.1 * (run._template.plan.size + results) + 200_000  # and its source


def traced(work):
    """Return by how many bytes memory has grown after some work, and at most meanwhile."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        gc.collect()
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return now - before, peak - before


class TestPlaces:
    def test_blocks_that_are_needed_at_one_time_do_not_overlap(self):
        starts, size = placed([Block(100, 0, 1), Block(64, 1, 2), Block(128, 2, 3)])
        assert (starts, size) == ([0, 128, 0], 192)

    def test_small_blocks_fill_the_gaps_between_large_ones(self):
        starts, size = placed(
            [Block(640, 0, 9), Block(320, 0, 3), Block(64, 4, 9), Block(256, 5, 9)]
        )
        assert (starts, size) == ([0, 640, 896, 640], 960)

    def test_of_nothing(self):
        assert placed([]) == ([], 0)
        assert plan(recorded(lambda x: [x], 1.0), set(), set()).size == 0


class TestErrors:
    def test_an_executor_works_after_an_error(self):
        run = executor(lambda x: [np.linalg.inv(x * 2.0)], np.eye(2))
        with pytest.raises(ValueError, match="Singular"):
            run([np.zeros((2, 2))])
        assert_close(run([np.eye(2)]), [np.eye(2) / 2])

    def test_an_empty_program(self):
        assert executor(list)([]) == []

    def test_arrays_of_no_elements(self):
        f = lambda x: [np.exp(x) * 2.0, x.sum(axis=0), x @ np.ones((3, 2))]  # noqa: E731
        run = executor(f, np.ones((0, 3)))
        assert_close(run([np.ones((0, 3))]), f(np.ones((0, 3))))
