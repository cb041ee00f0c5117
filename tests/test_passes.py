"""Passes: each alone on small programs; on or off, the numbers are the same."""

import math
import warnings
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from oracle import assert_close
from random_programs import OURS, small_cases

from autograd_core import Value, log_softmax, softmax, value_and_grad
from autograd_core.graph import Primitive
from autograd_core.primitives import elementwise as table
from autograd_core.primitives.shapes import reshape, sum, transpose
from autograd_core.program.array_executor import ArrayExecutor
from autograd_core.program.compile import compile
from autograd_core.program.passes import (
    LARGEST,
    PASSES,
    drop_dead,
    fold_constants,
    merge_common,
    simplified,
    simplify,
)
from autograd_core.program.recording import trace
from autograd_core.program.tracing import callback, fresh

X = np.array([0.3, -0.7, 1.1])
W = np.array([[0.5, -0.3, 0.8], [1.2, 0.1, -0.6]])


def program(f, *leaves):
    """Return the program of a function of leaves, before any pass."""
    return trace(lambda arguments: [f(*arguments)], list(leaves)).program


def names(program):
    """Return what is computed, in order."""
    return [program.steps[i].primitive.name for i in program.operations()]


def run(program, *leaves):
    return ArrayExecutor(program)(list(leaves))


def bits(x):
    """Return what tells -0.0 from 0.0, and is equal for two NaNs."""
    return np.asarray(x).tobytes()


ODD_NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.1, 3.0, 1e-320, 1e308, -1e308, np.inf, -np.inf, np.nan]


class TestFolding:
    def test_computes_what_depends_on_constants_only(self):
        constant = Value(2.0)
        before = program(lambda x: x + table.multiply(table.exp(constant), 3.0), 1.0)
        assert names(fold_constants(before)) == ["exp", "multiply", "add"]  # captured: read afresh
        frozen = replace(
            before,
            captured={},
            constants={**before.constants, **dict.fromkeys(before.captured, 2.0)},
        )
        after = fold_constants(frozen)
        assert names(after) == ["add"]
        assert run(after, 1.0) == [1.0 + np.exp(2.0) * 3.0]

    def test_leaves_what_depends_on_arguments(self):
        before = program(lambda x: (x + 1.0) * 2.0, 1.0)
        assert names(fold_constants(before)) == ["add", "multiply"]

    def test_leaves_draws(self):
        rng = np.random.default_rng(0)
        assert names(fold_constants(program(lambda x: x + fresh(rng.normal), 1.0))) == [
            "fresh",
            "add",
        ]

    def test_leaves_arrays_that_would_take_much_memory(self):
        for size, left in ((LARGEST, 0), (LARGEST + 1, 1)):
            before = program(lambda x: x, 1.0)
            steps = [*before.steps, table_step(size)]
            constants = {1: 2.0}
            steps.insert(1, before.steps[0])
            after = fold_constants(replace(before, steps=steps, constants=constants, outputs=[2]))
            assert len(after.operations()) == left

    def test_is_silent(self):
        before = program(np.log, X**2)
        frozen = replace(before, arguments=[], constants={0: np.array([0.0, -1.0, np.inf])})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            after = fold_constants(frozen)
        assert names(after) == []
        assert_close(run(after), [np.array([-np.inf, np.nan, np.inf])])


def table_step(size):
    """Return a step that fills an array of this size with register 1."""
    return program(lambda x: np.broadcast_to(x, (size,)), 1.0).steps[-1]._replace(inputs=(1,))


class TestAlgebra:
    # What is written: the function, and what is left to compute
    CASES = {
        "times 1": (lambda x: x * 1.0, []),
        "1 times": (lambda x: 1.0 * x, []),
        "over 1": (lambda x: x / 1.0, []),
        "to the power 1": (lambda x: x**1, []),
        "to the power 2": (lambda x: x**2, ["square"]),
        "minus minus": (lambda x: -table.negative(x), []),
        "identity": (lambda x: table.identity(table.identity(x)), []),
        "plus 0 changes -0": (lambda x: x + 0.0, ["add"]),
        "times 0 has NaN and -0": (lambda x: x * 0.0, ["multiply"]),
        "0 minus": (lambda x: 0.0 - x, ["subtract"]),
    }
    OF_ARRAYS = {
        "to its own shape": (lambda x: reshape(x, shape=(3,)), []),
        "to its own type": (lambda x: x.astype(np.float64), []),
        "to another type and back": (
            lambda x: x.astype(np.float32).astype(np.float64),
            ["astype", "astype"],
        ),
        "broadcast to its shape": (lambda x: np.broadcast_to(x, (3,)), []),
        "times ones": (lambda x: x * np.ones(3), []),
        "ones over more axes": (lambda x: x * np.ones((2, 3)), ["multiply"]),
        "times equal numbers": (lambda x: x * np.full(3, 2.5), ["multiply"]),
        "times zeros of both signs": (lambda x: x * np.array([0.0, -0.0, 0.0]), ["multiply"]),
        "times none": (lambda x: x * np.ones(1), []),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_leaves_out_what_changes_no_bit(self, name):
        f, left = self.CASES[name]
        before = program(f, 2.0)
        after = drop_dead(simplify(before))
        assert names(after) == left
        with np.errstate(all="ignore"):
            for x in ODD_NUMBERS:
                if left == ["square"]:  # the one exception
                    assert_close(run(after, x), run(before, x), 1e-15, 0)
                else:
                    assert bits(run(after, x)) == bits(run(before, x))

    @pytest.mark.parametrize("name", CASES | OF_ARRAYS)
    def test_leaves_out_what_changes_no_bit_of_arrays(self, name):
        f, left = (self.CASES | self.OF_ARRAYS)[name]
        before = program(f, X)
        after = drop_dead(simplify(before))
        assert names(after) == left
        with np.errstate(all="ignore"):
            for i in range(0, len(ODD_NUMBERS), 3):
                x = np.array(ODD_NUMBERS[i : i + 3])
                assert bits(run(after, x)) == bits(run(before, x))

    def test_keeps_the_type(self):
        single = X.astype("f")
        after = drop_dead(simplify(program(lambda x: x * np.ones(3), single)))
        assert names(after) == ["multiply"]
        assert run(after, single)[0].dtype == np.float64

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: x + np.full(3, 2.0),
            lambda x: x / np.ones(3),
            lambda x: x ** np.ones(3),
            lambda x: x ** np.full(3, 2.0),
        ],
    )
    def test_keeps_the_shape(self, f):
        before = program(f, 0.5)
        after = drop_dead(simplify(before))
        assert [step.shape for step in after.steps] == [step.shape for step in before.steps]
        assert_close(run(after, 0.7), [f(np.float64(0.7))], 0, 0)

    def test_a_softmax_beside_its_logarithm_is_an_exponential(self):
        def f(x):
            x = np.sin(np.exp(x))
            return softmax(x, axis=1) + log_softmax(x, axis=1) * softmax(x, axis=0)

        after = drop_dead(merge_common(simplify(program(f, W))))
        of_f = ["log_softmax", "exp", "softmax", "multiply", "add"]
        assert names(after) == ["exp", "sin", *of_f]
        assert_close(run(after, W), [f(W)])

    def test_a_softmax_alone_stays(self):
        assert names(simplify(program(lambda x: softmax(x, axis=1), W))) == ["softmax"]

    def test_axes_that_change_places_twice(self):
        x = np.arange(24.0).reshape(2, 3, 4)
        there = lambda x: transpose(x, axes=(1, 2, 0))  # noqa: E731
        for back, left in (((2, 0, 1), []), ((1, 2, 0), ["transpose", "transpose"])):
            before = program(lambda x, back=back: transpose(there(x), axes=back), x)
            after = drop_dead(simplify(before))
            assert names(after) == left
            assert_close(run(after, x), run(before, x), 0, 0)


class TestCommon:
    def test_computes_equal_steps_once(self):
        after = merge_common(program(lambda x: np.exp(x) * np.exp(x) + np.exp(x * 1.5), 0.5))
        assert names(after) == ["exp", "multiply", "multiply", "exp", "add"]

    def test_merges_what_merged_steps_feed(self):
        after = merge_common(program(lambda x: np.sin(np.exp(x)) + np.sin(np.exp(x)), 0.5))
        assert names(after) == ["exp", "sin", "add"]

    def test_tells_options_apart(self):
        def f(x):
            return (
                sum(x, axis=0, keepdims=False)[1]
                + sum(x, axis=1, keepdims=False)[1]
                + x[0, 1]
                + x[0, 0]
            )

        after = merge_common(program(f, W))
        assert names(after).count("sum") == 2
        assert names(after).count("getitem") == 4
        assert run(after, W) == [f(W)]

    def test_merges_equal_slices_and_arrays_of_positions(self):
        def f(x):
            return x[1:] + x[1:] + x[np.array([0, 2])] + x[np.array([0, 2])] + x[np.array([2, 0])]

        after = merge_common(program(f, X))
        assert names(after).count("getitem") == 3
        assert_close(run(after, X), [f(X)], 0, 0)

    @pytest.mark.parametrize(
        ("one", "other", "count"),
        [
            ([1, 2], [1, 2], 1),
            ([1, 2], (1, 2), 2),
            (math.nan, float("nan"), 1),
            ("".join("ab"), "".join("ab"), 1),
            (1, True, 2),
            (1, 1.0, 2),
            (0.0, -0.0, 2),
            (2, 3, 2),
        ],
        ids=str,
    )
    def test_merges_steps_with_equal_options(self, one, other, count):
        twice = Primitive("twice", lambda x, *, by: x * 2.0, lambda g, out, x, *, by: g * 2.0)
        after = merge_common(program(lambda x: twice(x, by=one) + twice(x, by=other), 1.0))
        assert names(after).count("twice") == count

    def test_merges_equal_constants(self):
        before = program(lambda x: x * 2.0 + np.exp(x) * 3.0, 1.0)
        constants = {i: float("nan") for i in before.constants}
        after = merge_common(replace(before, constants=constants))
        assert (len(constants), len(after.constants)) == (2, 1)

    def test_tells_zeros_apart(self):
        after = merge_common(program(lambda x: x * 0.0 + x * -0.0, 1.0))
        assert names(after) == ["multiply", "multiply", "add"]

    def test_never_merges_draws(self):
        rng = np.random.default_rng(0)
        draw = rng.normal
        after = merge_common(program(lambda x: x * fresh(draw) + x * fresh(draw), 1.0))
        assert names(after).count("fresh") == 2

    def test_takes_options_that_have_no_hash(self):
        class Option:
            __hash__ = None

        option = Option()
        scale = Primitive("scale", lambda x, *, by: x * 2.0, lambda g, out, x, *, by: g * 2.0)
        after = merge_common(program(lambda x: scale(x, by=option) + scale(x, by=option), 1.0))
        assert run(after, 3.0) == [12.0]


class TestDead:
    def test_drops_what_nothing_needs(self):
        w = Value(2.0)

        def f(x):
            np.exp(x) * w + 5.0
            return x * 2.0

        before = program(f, 1.0)
        assert names(before) == ["multiply"]  # what no result was made of was never written
        widened = replace(before, steps=[*before.steps, before.steps[-1]], captured={})
        assert names(drop_dead(widened)) == ["multiply"]

    def test_drops_captured_values_and_constants(self):
        w = Value(2.0)
        before = program(lambda x: x * 3.0 + w, 1.0)
        after = drop_dead(replace(before, outputs=before.arguments))
        assert (names(after), after.captured, after.constants) == ([], {}, {})

    def test_keeps_arguments(self):
        after = drop_dead(program(lambda x, y: y * 2.0, 1.0, 3.0))
        assert run(after, 1.0, 4.0) == [8.0]
        assert after.arguments == [0, 1]

    def test_keeps_effects(self):
        after = drop_dead(program(lambda x: callback(abs, x * 2.0) or x, 1.0))
        assert names(after) == ["multiply", "identity"]

    def test_keeps_draws(self):
        rng = np.random.default_rng(0)
        before = program(lambda x: x + fresh(rng.normal) * 0.0, 1.0)
        after = drop_dead(replace(before, outputs=before.arguments))
        assert names(after) == ["fresh"]


def evaluation(case):
    """Return the recorded program of a random program's value and gradients."""

    def f(leaves):
        value, slopes = value_and_grad(partial(case.output, OURS))(leaves)
        return [value, *slopes]

    return trace(f, case.data[0]).program


@pytest.mark.no_cover
def test_in_any_order_and_number_passes_change_no_results():
    for case in small_cases(30):
        before, rng = evaluation(case), np.random.default_rng(case.seed)
        programs = [simplified(before), *[one(before) for one in PASSES]]
        for number in (2, 3, 4):
            after = before
            for i in rng.permutation(len(PASSES))[:number]:
                after = PASSES[i](after)
            programs.append(after)
        for data in case.data[:2]:
            expected = run(before, *data)
            scale = max(1.0, *[np.max(np.abs(part), initial=0.0) for part in expected])
            for after in programs:
                assert_close(run(after, *data), expected, 1e-12, 1e-12 * scale)
        assert len(programs[0].operations()) <= len(before.operations())


def test_all_pairs_of_passes_keep_effects_and_draws():
    rng, seen = np.random.default_rng(0), []

    def f(x):
        callback(seen.append, np.exp(x) + np.exp(x) * 1.0)
        return x * fresh(lambda: rng.normal(size=3))

    before = program(f, X)
    for first, second in combinations(PASSES, 2):
        after = second(first(before))
        after = replace(after, outputs=after.wanted())
        (one, _, shown), (other, _, shown_again) = run(after, X), run(after, X)
        assert not np.array_equal(one, other)
        assert_close([shown, shown_again], [2 * np.exp(X)] * 2)


class TestPrinting:
    def test_numbers_sources_and_steps(self):
        w = Value(W, label="w")
        compiled = compile(lambda x: np.sum(w @ x, axis=0) * 2.5)
        compiled(X)
        compiled(X)
        assert str(compiled.program) == "\n".join(
            [
                "%0 = argument 0    float64[3]",
                "%1 = captured w    float64[2, 3]",
                "%2 = matmul(%1, %0)    float64[2]",
                "%3 = sum(%2, axis=0, keepdims=False)",
                "%4 = constant 2.5",
                "%5 = multiply(%3, %4)",
                "return %5",
            ]
        )

    def test_options_effects_and_constants(self):
        p, rng = Value(1.0), np.random.default_rng(0)

        def look(x):
            pass

        def f(x):
            callback(look, x[..., 1:, ::2])
            p.data = p * fresh(rng.normal)
            return x[0] * np.array([1.0, 2.0, 3.0]) + x[np.array([1])]

        text = str(simplified(program(f, W)))
        assert "getitem(%0, index=(Ellipsis, 1:, ::2))    float64[1, 2]" in text
        assert "getitem(%0, index=array[1])" in text
        assert "constant array[3]    float64[3]" in text
        assert "captured Value" in text
        assert "fresh(draw=normal)" in text
        assert "look(%" in text
        assert "Assignment(%" in text

    def test_nothing(self):
        assert str(program_of_nothing()) == "return"

    def test_length_counts_registers(self):
        assert len(program(lambda x: x * 2.0, 1.0)) == 3


def program_of_nothing():
    return trace(lambda leaves: [], []).program


class TestCost:
    def test_counts_steps_operations_and_bytes(self):
        cost = program(lambda x: np.exp(x) * 2.0, W.astype("f")).cost()
        assert cost == {"steps": 2, "operations": 12, "bytes": 48}

    def test_of_products_counts_multiplications_and_additions(self):
        cost = program(lambda x, y: x @ y, W, W.T).cost()
        assert cost == {"steps": 1, "operations": 2 * 2 * 3 * 2, "bytes": 32}

    def test_of_sums_counts_what_is_added(self):
        assert program(lambda x: x.sum(), W).cost() == {"steps": 1, "operations": 6, "bytes": 8}

    def test_of_numbers(self):
        assert program(lambda x: x * x, 2.0).cost() == {"steps": 1, "operations": 1, "bytes": 8}
