"""Batches of samples on the scalar machine: every operation runs over all lanes."""

import numpy as np
import pytest
from scalar_programs import program_of

from autograd_core import value_and_grad
from autograd_core.program.lowering import in_lanes, lowered
from autograd_core.program.scalar_executor import ScalarExecutor
from autograd_core.program.scalar_program import ROUNDED_SUM


def lanes_of(f, *args):
    program = program_of(f, *args)
    return ScalarExecutor(program, in_lanes(program), compiled=True)


class TestLanes:
    def network(self, w, x):
        h = [np.tanh(w[2 * i] * x + w[2 * i + 1]) for i in range(3)]
        return ((sum([w[6 + i] * h[i] for i in range(3)]) - x * x) ** 2).mean()

    @pytest.mark.parametrize("lanes", [2, 7, 8, 100, 300])
    def test_equal_eager_arrays(self, lanes):
        rng = np.random.default_rng(lanes)
        f = value_and_grad(self.network)
        w, x = rng.normal(size=9).tolist(), rng.normal(size=lanes)
        run = lanes_of(f, w, x)
        assert len(run.schedule.groups) < 60
        for x in rng.normal(size=(3, lanes)):
            value, gradient = f(w, x)
            np.testing.assert_allclose(run([*w, x]), [value, *gradient], 1e-12, 1e-12)

    def test_give_arrays_that_the_caller_may_keep(self):
        run = lanes_of(lambda a, x: (a * x, x, x.sum()), 2.0, np.ones(5))
        x = np.arange(5.0)
        first = run([2.0, x])
        run([3.0, x])
        assert first[0].tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
        first[1][:] = 9.0
        assert x.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]

    @pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
    def test_of_float32_are_rounded_by_each_step(self):
        def f(x, c):
            y = np.sqrt(x) * x + 0.1
            return y, (y > c) * y / c, y.sum(), y * y.sum(), x * 3e38 * 0.1

        x = np.linspace(0, 2, 9, dtype=np.float32)
        found = lanes_of(f, x, 0.7)([x, 0.3])
        for one, other in zip(found, f(x, 0.3), strict=True):
            np.testing.assert_allclose(one, other, 3e-7)  # sums may differ in the last bit
            assert np.asarray(one).dtype == (np.float32 if np.ndim(one) else np.float64)

    @pytest.mark.parametrize("kind", ["lanes", "machine", "levels"])
    def test_round_the_products_and_sums_of_float32_one_by_one(self, kind):
        def f(x, y, c):
            return x * y + x * c + y * y + 0.1 + x, (x * x + y) * 3.0 + y * c, y * c + c

        x, y = np.random.default_rng(0).normal(size=(2, 50)).astype(np.float32)
        program = program_of(f, x, y, 0.7)
        scalars = in_lanes(program) if kind == "lanes" else lowered(program)
        run = ScalarExecutor(program, scalars, compiled=kind != "levels")
        assert run.schedule.groups[:, 0].tolist().count(ROUNDED_SUM) >= 2
        for one, other in zip(run([x, y, 0.3]), f(x, y, 0.3), strict=True):
            np.testing.assert_array_equal(one, other, strict=True)

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: x[1:].sum(),
            lambda x: x.reshape(3, 2).sum(),
            lambda x: x.max(),
            lambda x: x @ x,
        ],
    )
    def test_are_not_for_programs_that_look_across_samples(self, f):
        assert in_lanes(program_of(f, np.arange(6.0))) is None
