"""Random programs give the same in every way in which they can be run: see random_programs.py."""

import numpy as np
import pytest
import random_programs

from autograd_core import compile, grad

# As in continuous integration; `python -m benchmarks.differential --programs N` runs more
SEEDS = range(80)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", SEEDS)
def test_eager_compiled_batched_and_jax_agree(seed):
    case, found = random_programs.difference(seed, every=False)
    assert found is None, case.steps


def test_a_difference_is_found(monkeypatch):
    monkeypatch.setattr(random_programs.ac, "compile", wrong)
    assert any(random_programs.difference(seed)[1] for seed in range(3))


def wrong(f):
    """Return a function that gives what f gives for slightly other leaves."""
    return lambda leaves: f([1.001 * np.asarray(x) if np.shape(x) else x + 1e-3 for x in leaves])


def test_a_number_is_its_own_sum_along_any_axis():
    def softmax(x):
        powers = np.exp(x)
        for _ in range(20):
            powers = np.tanh(powers)
        return powers / np.sum(powers, axis=-1, keepdims=True) * x

    compiled = compile(grad(softmax))
    for x in (0.5, 2.0):
        assert compiled(x) == pytest.approx(grad(softmax)(x), rel=1e-12)
