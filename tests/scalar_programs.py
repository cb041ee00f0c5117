"""What tests of the scalar executor share: a function's program, and what runs it."""

from functools import partial

import numpy as np
import pytest

from autograd_core.program.compile import Compiled
from autograd_core.program.lowering import lowered
from autograd_core.program.scalar_executor import ScalarExecutor

BOTH = pytest.mark.parametrize("compiled", [True, False], ids=["machine", "levels"])
quiet = partial(np.errstate, all="ignore")


def program_of(f, *args):
    compiled = Compiled(f)
    compiled(*args)
    return compiled.program


def executor_of(f, *args, compiled=True):
    program = program_of(f, *args)
    return ScalarExecutor(program, lowered(program), compiled)


def assert_close(found, expected, tolerance=1e-12):
    assert type(found) is type(expected)
    np.testing.assert_allclose(found, expected, tolerance, tolerance, strict=True)
