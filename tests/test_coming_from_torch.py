"""The page for those who come from PyTorch: its program for PyTorch itself. It needs PyTorch."""

from tests.test_coming_from import printed, programs, shown


def test_their_program_prints_the_same(tmp_path):
    assert printed(programs("pytorch")["PyTorch"], tmp_path) == shown("pytorch")
