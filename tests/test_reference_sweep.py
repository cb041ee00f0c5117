"""The sweep that the documentation writes out is short, and finds what the real one finds."""

import re
from pathlib import Path

import numpy as np
import pytest
from random_programs import OURS, case

from autograd_core import Value

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "sweep.md"
[WRITTEN_OUT] = re.findall(
    r"^## The sweep, written out$.*?^```python\n(.*?)^```$",
    PAGE.read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)


@pytest.fixture(scope="module")
def cotangents():
    names = {"np": np, "Value": Value}
    exec(WRITTEN_OUT, names)
    return names["cotangents"]


def test_it_has_at_most_forty_lines():
    assert 20 < len([line for line in WRITTEN_OUT.splitlines() if line.strip()]) <= 40


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_every_node_of_a_random_graph_has_the_same_gradient(cotangents, first):
    for seed in range(first, first + 20):
        made = case(seed)
        output = made.output(OURS, [Value(x) for x in made.data[0]])
        output.backward()
        precision = 1e-12 if made.dtype == np.float64 else 1e-4
        for node, cotangent in cotangents(output).items():
            bound = precision * (1 + np.max(np.abs(node.grad), initial=0.0))
            assert np.shape(cotangent) == node.shape, (seed, node.primitive)
            np.testing.assert_allclose(cotangent, node.grad, rtol=0, atol=bound, err_msg=str(seed))


def test_a_sweep_that_forgets_a_use_is_another_one(cotangents):
    x = Value(3.0)
    assert cotangents(x * x + x)[x] == 7.0
