"""The page for those who come from PyTorch: its program for PyTorch itself. It needs PyTorch."""

import numpy as np
import pytest
import torch

from autograd_core import TraceError, compile
from tests.conventions import ROWS, written
from tests.test_coming_from import printed, programs, shown
from tests.test_conventions import columns


def test_their_program_prints_the_same(tmp_path):
    assert printed(programs("pytorch")["PyTorch"], tmp_path) == shown("pytorch")


@pytest.mark.parametrize("name", ROWS)
def test_conventions_are_those_of_the_page(name):
    row = ROWS[name]
    x = torch.tensor(np.array(row.point), requires_grad=True)
    row.torch(torch)(x).backward()
    assert written(x.grad.numpy()) == columns(name)[2]


def test_a_compiled_function_sees_new_weights_of_theirs():
    layer, sizes = torch.nn.Linear(1, 1, bias=False), torch.ones(2).shape
    f = compile(lambda x: x * float(layer(torch.ones(1, 1)).detach()) * sizes[0])
    for weight in (1.0, 1.0, 3.0, 3.0):
        with torch.no_grad():
            layer.weight.fill_(weight)
        assert f(2.0) == 2.0 * weight * 2


def test_their_random_numbers_are_refused_in_a_compiled_function():
    generator = torch.Generator()
    f = compile(lambda x: x * float(torch.rand(1, generator=generator)))
    f(2.0)
    with pytest.raises(TraceError, match="random numbers drawn inside a compiled function"):
        f(2.0)
