"""The page for those who come from PyTorch: its program for PyTorch itself. It needs PyTorch."""

import numpy as np
import pytest
import torch

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
