"""compare_gradients judges answers that people write by hand: see hand_answers.py."""

import numpy as np
import pytest
from hand_answers import BY_STEPS, GRAPHS, WRITTEN, judge_mistakes, judge_right

from autograd_core import compare_gradients

ANSWERS = 15  # of each kind


@pytest.mark.no_cover
@pytest.mark.parametrize("make", GRAPHS.values(), ids=list(GRAPHS))
@pytest.mark.parametrize("written", [*WRITTEN, *BY_STEPS])
def test_right_answers_are_right_however_they_are_rounded(make, written):
    rng = np.random.default_rng(0)
    for _ in range(ANSWERS):
        _, wrong, text = judge_right(rng, make, written)
        assert wrong == 0, text


@pytest.mark.no_cover
@pytest.mark.parametrize("make", GRAPHS.values(), ids=list(GRAPHS))
@pytest.mark.parametrize("written", WRITTEN)
def test_rounding_makes_no_mistake_right(make, written):
    rng = np.random.default_rng(0)
    outcomes = [judge_mistakes(rng, make, written, count=1) for _ in range(2 * ANSWERS)]
    judged = [outcome for outcome in outcomes if outcome is not None]
    assert len(judged) > ANSWERS / 2
    assert not any(outcome.accepted for outcome in judged)


@pytest.mark.parametrize("make", GRAPHS.values(), ids=list(GRAPHS))
def test_numbers_without_meaning_and_wrong_shapes_get_a_verdict(make):
    rng = np.random.default_rng(0)
    for _ in range(ANSWERS):
        graph = make(rng)
        given = {}
        for node in graph.nodes:
            shape = node.shape if rng.random() < 0.7 else tuple(rng.integers(0, 4, rng.integers(3)))
            kinds = [np.zeros(shape), rng.normal(size=shape), np.full(shape, 1e200)]
            given[node] = kinds[rng.integers(3)]
        comparison = compare_gradients(graph.nodes[-1], given)
        assert len(comparison) == len(given)
        assert all(judgement.message for judgement in comparison)
        assert not comparison.all_right


def judged(make, written, count):
    rng, outcomes = np.random.default_rng(1), []
    while len(outcomes) < ANSWERS:
        outcomes += filter(None, [judge_mistakes(rng, make, written, count)])
    return outcomes


@pytest.mark.no_cover
@pytest.mark.parametrize("make", GRAPHS.values(), ids=list(GRAPHS))
@pytest.mark.parametrize(
    ("written", "count", "least"),
    [
        ("exact", 1, 0.9),
        ("4 digits", 1, 0.8),
        ("3 digits", 1, 0.8),
        ("3 decimals", 1, 0.8),
        ("exact", 2, 0.5),
        ("3 digits", 2, 0.5),
    ],
)
def test_mistakes_are_named(make, written, count, least):
    outcomes = judged(make, written, count)
    missed = [outcome.text for outcome in outcomes if not outcome.named]
    assert len(missed) <= (1 - least) * len(outcomes), "\n\n".join(missed)
