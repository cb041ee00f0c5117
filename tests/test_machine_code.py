"""Where Numba fails, or its files on disk are damaged, results are right, with one warning."""

import errno
import importlib
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

from autograd_core import compile, value_and_grad
from autograd_core.program import fusion, machine_code
from autograd_core.program.fusion import SMALLEST
from autograd_core.program.virtual_machine import virtual_machine

RNG = np.random.default_rng(0)


def sines(x):
    for _ in range(30):
        x = np.sin(1.5 * x)
    return x


# Functions and data for which machine code is chosen, each for another reason
PROGRAMS = {
    "numbers": (lambda x: sines(x) * x, 0.5),
    "many numbers": (lambda xs: [np.tanh(x) * x + 1.0 for x in xs], [0.1 * i for i in range(40)]),
    "small arrays": (lambda x: sines(x @ x).sum(0), np.full((3, 3), 0.3)),
    "lanes": (value_and_grad(lambda x: sines(x).sum()), RNG.normal(size=500)),
    "a fused loop": (lambda x: abs(x * 2.0 - 0.5) * x - x / 3.0, RNG.normal(size=SMALLEST)),
}


@pytest.fixture
def anew(monkeypatch, tmp_path):
    """Return what lets Numba be looked for anew; its files are kept in a folder of the test."""

    def forget():
        for cached in (machine_code.has_numba, virtual_machine, fusion._loop):
            cached.cache_clear()

    monkeypatch.setattr(machine_code, "_failures", [])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    yield forget
    monkeypatch.undo()
    forget()


@contextmanager
def one_warning(start):
    """Hold what happens to one warning in three parts, at a line of this file."""
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        yield
    assert [w.category for w in log] == [RuntimeWarning]
    first, *rest = str(log[0].message).splitlines()
    assert first.startswith(start)
    assert [line.split()[0] for line in rest] == ["why:", "write:"]
    assert log[0].filename == __file__


def check(name):
    """Compare what a program gives with what its function gives."""
    f, x = PROGRAMS[name]
    compiled = compile(f)
    compiled(x)  # which records
    ours, theirs = compiled(x), f(x)
    if not isinstance(theirs, list | tuple):
        ours, theirs = [ours], [theirs]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, 1e-12)


@pytest.mark.parametrize(
    "error",
    [
        ImportError("Numba needs NumPy 2.3 or less"),
        AttributeError("module 'numpy' has no attribute 'bool'"),
        SystemError("initialization failed"),
        OSError("libLLVM.so: cannot open shared object file"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_where_numba_cannot_be_imported_numpy_serves(anew, monkeypatch, error):
    def fail(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", fail)
    with one_warning(f"Numba is installed, and fails: {type(error).__name__}: {error}"):
        for name in PROGRAMS:
            check(name)
    assert not machine_code.has_numba()


@pytest.mark.parametrize("name", PROGRAMS)
def test_where_numba_cannot_compile_numpy_serves(anew, monkeypatch, name):
    numba = importlib.import_module("numba")

    def fail(**options):
        raise TypeError("code() argument 13 must be str, not int")

    monkeypatch.setattr(numba, "njit", fail)
    with one_warning("Numba is installed, and fails: TypeError: code() argument 13"):
        check(name)


def test_numba_that_is_switched_off_is_left_alone(anew, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert not machine_code.has_numba()
    for name in PROGRAMS:
        check(name)


DAMAGES = {
    "emptied": lambda data: b"",
    "cut in the middle": lambda data: data[: len(data) // 2],
    "cut near the end": lambda data: data[:-9],
    "other bytes": lambda data: bytes(range(256)) * 9,
    "one bit": lambda data: data[:-3000] + bytes([data[-3000] ^ 1]) + data[-2999:],
    "another pickle": lambda data: b"\x80\x04K\x01.",
}
# Of an index another pickle is the mark of another version of Numba, which writes its own
OF_INDICES = [(".nbi", name) for name in list(DAMAGES)[:4]]


class TestFilesOnDisk:
    def files(self, folder, ending):
        return sorted((folder / "autograd_core").rglob(f"*{ending}"))

    @pytest.mark.parametrize(("ending", "damage"), [(".nbc", d) for d in DAMAGES] + OF_INDICES)
    def test_that_are_damaged_are_written_again(self, anew, tmp_path, ending, damage):
        check("a fused loop")
        [file] = self.files(tmp_path, ending)
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
        anew()
        with one_warning("machine code that is kept on disk: "):
            check("a fused loop")
        anew()
        check("a fused loop")  # compiled and kept
        anew()
        check("a fused loop")  # taken from the disk
        assert len(self.files(tmp_path, ".nbc")) == 1

    def test_of_source_that_are_damaged_are_written_again(self, anew, tmp_path):
        check("a fused loop")
        [file] = self.files(tmp_path, ".py")
        source = file.read_bytes()
        file.write_bytes(b"\xff\xfe def run(")
        anew()
        check("a fused loop")
        assert file.read_bytes() == source

    def test_that_cannot_be_written_are_not_needed(self, anew, monkeypatch, tmp_path):
        place = tmp_path / "file"
        place.write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(place))
        with one_warning("machine code that is kept on disk: NotADirectoryError: "):
            check("a fused loop")

    def test_of_users_without_a_home_are_not_needed(self, anew, monkeypatch):
        def fail():
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr("pathlib.Path.home", fail)
        with one_warning("machine code that is kept on disk: RuntimeError: Could not determine"):
            check("a fused loop")

    def test_are_not_needed_on_a_full_disk(self, anew, monkeypatch):
        def fail(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        kept = importlib.import_module("numba.core.caching").IndexDataCacheFile
        monkeypatch.setattr(kept, "_open_for_write", fail)
        with one_warning("machine code that is kept on disk: OSError: "):
            check("a fused loop")


def test_machine_code_reads_arrays_that_are_not_to_be_written():
    f, x = PROGRAMS["a fused loop"]
    compiled = compile(f)
    compiled(x)
    frozen = x[::-1].copy()
    frozen.setflags(write=False)
    np.testing.assert_allclose(compiled(frozen), f(frozen), 1e-12)
