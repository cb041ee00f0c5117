"""The table of conventions in docs/explanation/floats.md is what ours and JAX give."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conventions import ROWS, written

from autograd_core import compile, grad

jax.config.update("jax_enable_x64", True)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "floats.md"


def columns(name):
    """Return what the page shows for a row: ours, JAX's, PyTorch's."""
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


@pytest.mark.parametrize("name", ROWS)
def test_conventions_are_those_of_the_page(name):
    point, ours, theirs, _ = ROWS[name]
    point = np.array(point)
    shown, of_jax, _ = columns(name)
    assert written(grad(ours)(point)) == shown
    assert written(compile(grad(ours))(point)) == shown
    assert written(jax.grad(theirs)(jnp.array(point))) == of_jax
