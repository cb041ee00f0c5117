"""Random programs give the same in every way in which they can be run: see random_programs.py."""

from functools import partial

import numpy as np
import pytest
import random_programs

from autograd_core import compile, grad, hvp, value_and_grad

# As in continuous integration; `python -m benchmarks.differential --programs N` runs more
SEEDS = range(80)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", SEEDS)
def test_eager_compiled_batched_and_jax_agree(seed):
    case, found = random_programs.difference(seed, every=False)
    assert found is None, case.steps


def difference_along(f, leaves, directions, step=1e-6):
    """Return the central difference of a function of leaves along directions, as one vector."""

    def at(t):
        return flat(f([x + t * d for x, d in zip(leaves, directions, strict=True)]))

    return (at(step) - at(-step)) / (2 * step)


def flat(parts):
    return np.concatenate([np.ravel(x) for x in parts])


def assert_near(found, difference, case):
    bound = 1e-6 * max(1.0, np.max(np.abs(difference)))
    np.testing.assert_allclose(found, difference, 0, bound, err_msg=str(case.steps))


@pytest.mark.no_cover
def test_gradients_are_differences_of_values():
    for case in random_programs.small_cases(300):
        f, leaves = partial(case.output, random_programs.OURS), case.data[0]
        directions = [np.cos(17 * x) for x in leaves]
        _, slopes = value_and_grad(f)(leaves)
        along = np.sum(flat(slopes) * flat(directions))
        assert_near(along, difference_along(lambda xs, f=f: [f(xs)], leaves, directions), case)


@pytest.mark.no_cover
def test_second_derivatives_are_differences_of_gradients():
    for case in random_programs.small_cases(100):
        f, leaves = partial(case.output, random_programs.OURS), case.data[0]
        directions = [np.cos(17 * x) for x in leaves]
        products = flat(hvp(f, (leaves,), (directions,)))
        assert_near(products, difference_along(grad(f), leaves, directions), case)


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
