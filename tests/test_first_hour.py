"""What users write in their first hour works, or is put right in one sentence."""

import pytest

from autograd_core import AutogradError
from tests.first_hour import KERAS_SAYS, KERAS_WORKS, OTHERS_SAYS, OTHERS_WORKS, SETUP

SAYS = {**KERAS_SAYS, **OTHERS_SAYS}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(line):
    exec(compile(SETUP + line, "<user>", "exec"), {"__name__": "user"})


@pytest.mark.filterwarnings("ignore")  # notes on older spellings
@pytest.mark.parametrize("line", [*KERAS_WORKS, *OTHERS_WORKS])
def test_works(line):
    run(line)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("line", SAYS)
def test_is_put_right(line):
    with pytest.raises(AutogradError) as caught:
        run(line)
    assert caught.value.instead.startswith(SAYS[line])
