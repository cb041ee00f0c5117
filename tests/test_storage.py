"""The file format: exchange through safetensors, damage, foreign files, killed processes."""

import errno
import gzip
import io
import json
import os
import pickle
import signal
import stat
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from autograd_core import DataError, FileError, OptionError
from nn.files import replacing
from nn.storage import tensors as storage
from nn.storage.tensors import decode_array, encode_array, read, write
from tests.interrupts import interrupted

FILES = ("nn/files.py", "nn/storage/tensors.py")

TENSORS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "bias": np.array([0.1, np.nan, -np.inf]),
    "steps": np.array(7),
    "mask": np.array([True, False]),
}
METADATA = {"epochs": 3, "rates": [0.1, 1e-300, float("inf")], "name": 'é "quoted"', "none": None}
KINDS = ["?", "b", "B", "h", "H", "i", "I", "q", "Q", "e", "f", "d"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def saved(path):
    write(path, TENSORS, METADATA)
    return path


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)


class TestRoundTrip:
    def test_gives_back_everything_to_the_bit(self, saved):
        tensors, metadata = read(saved)
        assert_same(tensors, TENSORS)
        assert metadata == METADATA

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
    def test_keeps_types_and_shapes(self, kind, shape, path):
        array = np.ones(shape, kind)
        write(path, {"a": array}, {})
        assert_same(read(path)[0], {"a": array})

    @pytest.mark.parametrize(
        "view",
        [lambda a: a.T, lambda a: a[::2, ::-1], lambda a: a.astype(">f4"), np.asfortranarray],
        ids=["transposed", "strided", "big-endian", "Fortran"],
    )
    def test_takes_arrays_however_they_lie_in_memory(self, view, path):
        array = view(np.arange(12, dtype=np.float32).reshape(4, 3))
        write(path, {"a": array}, {})
        np.testing.assert_array_equal(read(path)[0]["a"], array)

    def test_takes_numbers_and_lists(self, path):
        write(path, {"a": 2.0, "b": [1, 2]}, {})
        assert_same(read(path)[0], {"a": np.array(2.0), "b": np.array([1, 2])})

    def test_gives_arrays_of_its_own(self, saved):
        read(saved)[0]["weight"][0] = 9
        assert_same(read(saved)[0], TENSORS)

    def test_works_without_tensors_and_metadata(self, path):
        write(str(path), {}, {})
        assert read(str(path)) == ({}, {})

    def test_leaves_what_it_was_given_alone(self, path):
        tensors, metadata = {"a": np.ones(2, ">f8")}, {"b": [1]}
        write(path, tensors, metadata)
        assert tensors["a"].dtype == ">f8"
        assert metadata == {"b": [1]}

    def test_of_equal_models_gives_equal_files(self, path, tmp_path):
        other = tmp_path / "other"
        write(path, TENSORS, METADATA)
        write(other, dict(reversed(TENSORS.items())), METADATA)
        assert path.read_bytes() == other.read_bytes()


class TestExchange:
    def test_safetensors_reads_the_tensors_and_no_others(self, saved):
        assert_same(safetensors.numpy.load_file(saved), TENSORS)

    def test_metadata_are_text_in_one_entry(self, saved):
        with safetensors.safe_open(saved, framework="numpy") as file:
            [(name, entry)] = file.metadata().items()
        digest, _, text = entry.partition(" ")
        assert name == "autograd_core"
        assert len(digest.removeprefix("sha256=")) == 64
        assert json.loads(text) == METADATA

    @pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
    def test_reads_files_of_others_without_metadata(self, metadata, path):
        safetensors.numpy.save_file(TENSORS, path, metadata)
        tensors, found = read(path)
        assert_same(tensors, TENSORS)
        assert found == {}

    def test_refuses_types_that_numpy_lacks(self, path):
        header = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
        path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
        with pytest.raises(FileError, match=r"tensors of type BF16, which NumPy(.|\n)*\.float\(\)"):
            read(path)


class TestDamage:
    def test_of_any_one_bit_is_noticed(self, path):
        write(path, {"ab": np.float32([1.5, 0.0]), "ac": np.int64([3])}, {"a": [1, "b"]})
        whole = path.read_bytes()
        unnoticed = []
        for place in range(8 * len(whole)):
            content = bytearray(whole)
            content[place // 8] ^= 1 << place % 8
            path.write_bytes(content)
            try:
                read(path)
            except FileError:
                continue
            unnoticed.append((place // 8, bytes(content)))
        assert unnoticed == []

    def test_of_every_length_is_noticed(self, path):
        write(path, {"a": np.float32([1.5, 0.0])}, {"a": 1})
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(FileError):
                read(path)

    def test_by_truncation_says_so(self, saved):
        saved.write_bytes(saved.read_bytes()[:-1])
        with pytest.raises(FileError, match=r"safetensors\n.*truncated or altered(.|\n)*copy"):
            read(saved)

    def test_by_more_bytes_says_so(self, saved):
        saved.write_bytes(saved.read_bytes() + b"x")
        with pytest.raises(FileError, match="truncated or altered"):
            read(saved)

    @pytest.mark.parametrize(
        ("old", "new"),
        [(b"epochs", b"epoche"), (b"autograd_core", b"autograd_corf"), (b"sha256=", b"sha257=")],
    )
    def test_of_the_metadata_says_so(self, old, new, saved):
        saved.write_bytes(saved.read_bytes().replace(old, new))
        with pytest.raises(FileError, match=r"altered: its digest(.|\n)*saved again"):
            read(saved)

    def test_by_tensors_that_change_their_names_says_so(self, path):
        write(path, {"a": np.zeros(2), "b": np.ones(2)}, {})
        swapped = path.read_bytes().replace(b'"a"', b'"c"').replace(b'"b"', b'"a"')
        path.write_bytes(swapped.replace(b'"c"', b'"b"'))
        with pytest.raises(FileError, match="altered"):
            read(path)


class Endless(io.BytesIO):
    """A file of which the beginning can be read, and not the whole."""

    def read(self, size=-1):
        if size < 0:
            raise MemoryError
        return super().read(size)


class TestForeignFiles:
    def refusal(self, path):
        with pytest.raises(FileError) as caught:
            read(path)
        assert caught.value.given == str(path)
        return f"{caught.value.why} | {caught.value.instead}"

    def test_that_are_not_there(self, path):
        assert "cannot be read: No such file" in self.refusal(path)

    def test_that_are_a_folder(self, tmp_path):
        assert "cannot be read: Is a directory" in self.refusal(tmp_path)

    def test_that_are_empty(self, path):
        path.touch()
        assert self.refusal(path).startswith("it is empty |")

    @pytest.mark.parametrize("protocol", [2, 5])
    def test_that_are_pickles(self, protocol, path):
        path.write_bytes(pickle.dumps({"weight": [1.0]}, protocol))
        assert "a pickle" in self.refusal(path)

    def test_that_are_pytorchs(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", pickle.dumps({}))
            archive.writestr("model/data/0", b"\0" * 8)
        assert self.refusal(path).startswith("it is a pickle")
        assert "safetensors.torch.save_file(model.state_dict(), path)" in self.refusal(path)

    def test_that_are_numpys(self, path):
        with path.open("wb") as file:
            np.savez(file, a=np.ones(2))
        assert "(.npz) | model.load_state_dict(np.load(path))" in self.refusal(path)
        with path.open("wb") as file:
            np.save(file, np.ones(2))
        assert "(.npy) | model.load_state_dict({name: np.load(path)})" in self.refusal(path)

    def test_that_are_kerass(self, path):
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(20))
        assert "HDF5" in self.refusal(path)
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("metadata.json", "config.json", "model.weights.h5"):
                archive.writestr(name, b"{}")
        assert ".keras" in self.refusal(path)
        assert "from_keras" in self.refusal(path)

    def test_that_are_text(self, path):
        path.write_text("weights: see there")
        assert self.refusal(path).startswith("it is text |")

    def test_that_are_text_with_a_character_across_the_end_of_what_is_read(self, path):
        path.write_text("é" * 40_000 + "x", encoding="utf-8")
        assert self.refusal(path).startswith("it is text |")
        path.write_text("x" + "é" * 40_000, encoding="utf-8")
        assert self.refusal(path).startswith("it is text |")

    @pytest.mark.parametrize("start", [b"", b"\x80\x02", b"PK\x03\x04"])
    def test_that_are_large_are_not_read(self, start, path):
        path.write_bytes(start)
        os.truncate(path, 1 << 40)  # a terabyte of zeros, which takes no room on the disk
        tracemalloc.start()
        assert self.refusal(path).startswith(("it is no", "it is a pickle", "it is text"))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()

    def test_that_are_larger_than_memory(self, path, monkeypatch):
        path.write_bytes(b"\x08" + bytes(7) + b"{      }")
        monkeypatch.setattr("nn.storage.tensors._START", 9)
        monkeypatch.setattr("builtins.open", lambda *_: Endless(path.read_bytes()))
        assert "cannot be read: it does not fit into memory" in self.refusal(path)

    def test_that_are_something_else(self, path):
        path.write_bytes(gzip.compress(b"x"))
        assert self.refusal(path).startswith("it is no safetensors file (")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("photo.jpg", b"\xff\xd8\xff")
        assert self.refusal(path).startswith("it is no safetensors file (")


class TestRefusals:
    """What cannot be written leaves the previous file as it was."""

    @pytest.mark.parametrize("tensor", [np.ones(2, complex), np.array(["a"]), object(), 1j])
    def test_of_tensors_that_are_no_numbers(self, tensor, saved):
        with pytest.raises(DataError, match=r"bad of type .*\n.*real numbers"):
            write(saved, {"good": np.ones(2), "bad": tensor}, {})
        assert read(saved)[1] == METADATA

    def test_of_the_one_name_the_format_keeps_for_itself(self, saved):
        with pytest.raises(DataError, match=r"__metadata__ of .*\n(.|\n)*under another name"):
            write(saved, {"__metadata__": np.ones(2)}, {})

    @pytest.mark.parametrize("thing", [np.ones(2), {1}, object()])
    def test_of_metadata_that_json_does_not_hold(self, thing, saved):
        with pytest.raises(DataError, match=r"^metadata\n.*not JSON(.|\n)*encode_array"):
            write(saved, {}, {"a": [thing]})
        assert read(saved)[1] == METADATA

    def test_of_metadata_in_circles(self, saved):
        circle = {}
        circle["self"] = circle
        with pytest.raises(DataError, match="Circular"):
            write(saved, {}, circle)

    def test_of_more_metadata_than_the_format_holds(self, saved):
        with pytest.raises(OptionError, match=r"metadata of 1\d{8} characters\n.*at most 100 MB"):
            write(saved, {}, {"a": "x" * 100_000_000})
        assert read(saved)[1] == METADATA

    def test_of_a_folder_that_does_not_exist(self, tmp_path):
        with pytest.raises(FileError, match=r"^writing .*\n.*No such file(.|\n)*folder that exist"):
            write(tmp_path / "none" / "model", {}, {})

    def test_of_a_path_that_is_none(self, tmp_path):
        with pytest.raises(FileError, match="Invalid argument"):
            write(tmp_path / "a\0b", {}, {})

    def test_of_a_path_that_is_a_folder(self, tmp_path):
        (tmp_path / "folder").mkdir()
        with pytest.raises(FileError, match="directory"):
            write(tmp_path / "folder", {}, {})
        assert [path.name for path in tmp_path.iterdir()] == ["folder"]


class TestReplacing:
    def test_takes_paths_in_bytes(self, saved):
        write(os.fsencode(saved), {}, {"new": 1})
        assert read(os.fsencode(saved))[1] == {"new": 1}

    def test_follows_links(self, saved, tmp_path):
        link = tmp_path / "latest"
        link.symlink_to(saved)
        write(link, {}, {"new": 1})
        assert link.is_symlink()
        assert read(saved)[1] == {"new": 1}

    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
    def test_keeps_the_permissions(self, mode, saved):
        saved.chmod(mode)
        write(saved, {}, {"new": 1})
        assert (stat.S_IMODE(saved.stat().st_mode), read(saved)[1]) == (mode, {"new": 1})

    def test_keeps_the_owner_where_the_system_lets_us(self, saved, monkeypatch):
        owners = []

        def refuse(path, user, group):
            owners.append((user, group))
            raise PermissionError

        monkeypatch.setattr("os.chown", refuse)
        write(saved, {}, {"new": 1})
        old = saved.stat()
        assert owners == [(-1, old.st_gid), (old.st_uid, -1)]
        assert read(saved)[1] == {"new": 1}

    def test_of_a_file_that_is_read_only_is_refused(self, saved, monkeypatch):
        monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
        with pytest.raises(FileError, match="Permission denied"):
            write(saved, {}, {})
        assert read(saved)[1] == METADATA
        assert list(saved.parent.iterdir()) == [saved]

    def test_of_what_is_no_file_is_refused(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        for path in (pipe, "/dev/null"):
            with pytest.raises(FileError, match="a device or a pipe"):
                write(path, {}, {})
            with pytest.raises(FileError, match="a device or a pipe"):
                read(path)
        assert pipe.is_fifo()

    @pytest.mark.filterwarnings("ignore:.*part:pytest.PytestUnraisableExceptionWarning")
    def test_finds_the_old_file_or_the_new_one_wherever_an_interrupt_comes(
        self, saved, monkeypatch
    ):
        monkeypatch.setattr("os.fsync", lambda _: None)  # slow, and hundreds of lines are tried
        old, line, found = saved.read_bytes(), 0, set()
        while interrupted(lambda: write(saved, {}, {"new": 1}), line, FILES):
            found.add(saved.read_bytes() == old)
            assert read(saved)[1] in (METADATA, {"new": 1})
            saved.write_bytes(old)
            line += 1
        assert found == {True, False}
        assert read(saved)[1] == {"new": 1}

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
    @pytest.mark.parametrize("step", ["os.fsync", "os.replace", "pathlib.Path.open"])
    def test_leaves_the_old_file_where_the_system_fails(self, step, number, saved, monkeypatch):
        def fail(*_):
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(step, fail)
            with pytest.raises(FileError, match=os.strerror(number)):
                write(saved, {}, {})
        assert read(saved)[1] == METADATA
        assert list(saved.parent.iterdir()) == [saved]

    def test_leaves_the_old_file_where_the_disk_is_full(self, saved):
        """A limit on the size of files is a full disk that no other process notices."""
        program = """
import resource, signal, sys
from autograd_core import FileError
from nn.storage.tensors import write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write(sys.argv[1], {"large": [0.0] * 10_000}, {})
except FileError as error:
    print(error.why)
"""
        root = Path(storage.__file__).parents[2]
        command = [sys.executable, "-c", program, saved]
        run = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
        assert run.stdout == "File too large\n"
        assert read(saved)[1] == METADATA
        assert list(saved.parent.iterdir()) == [saved]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, FileError("a", "b", "c")])
    def test_leaves_nothing_where_the_block_fails(self, error, saved):
        before = saved.read_bytes()
        with pytest.raises(error if isinstance(error, type) else FileError) as caught:
            self.fail(saved, error)
        assert str(caught.value) == str(error if isinstance(error, Exception) else error())
        assert saved.read_bytes() == before
        assert list(saved.parent.iterdir()) == [saved]

    def fail(self, path, error):
        with replacing(path) as file:
            file.write(b"half")
            raise error

    @pytest.mark.parametrize("number", [5, None])
    def test_puts_the_systems_errors_into_words(self, number, saved, monkeypatch):
        def full(_):
            raise OSError(number, "no room") if number else OSError("no room")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(FileError, match=rf"^writing {saved}\n.*why:   no room\n"):
            write(saved, {}, {})
        assert read(saved)[1] == METADATA
        assert list(saved.parent.iterdir()) == [saved]

    @pytest.mark.parametrize("moment", ["fsync", "replace"])
    def test_leaves_the_previous_file_to_whom_is_killed(self, moment, saved):
        program = f"""
import os, signal, sys
from nn.storage.tensors import write
os.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write(sys.argv[1], {{"new": [1.0]}}, {{}})
"""
        root = Path(storage.__file__).parents[2]
        killed = subprocess.run([sys.executable, "-c", program, saved], cwd=root, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert_same(read(saved)[0], TENSORS)
        write(saved, {}, {"again": True})
        assert read(saved)[1] == {"again": True}

    def test_syncs_before_it_replaces(self, saved, monkeypatch):
        steps = []
        for name in ("fsync", "replace"):
            real = getattr(storage.os, name)
            monkeypatch.setattr(
                f"os.{name}", lambda *a, name=name, real=real: (steps.append(name), real(*a))
            )
        write(saved, {}, {})
        assert steps == ["fsync", "replace"]


class TestArraysInMetadata:
    @pytest.mark.parametrize("kind", [*KINDS, ">f8", "F", "<U3"])
    @pytest.mark.parametrize("shape", [(), (0, 2), (2, 3)])
    def test_come_back_to_the_bit(self, kind, shape):
        array = np.ones(shape, kind)
        assert_same({"a": decode_array(json.loads(json.dumps(encode_array(array))))}, {"a": array})

    def test_keep_nan_and_signs_of_zero(self):
        array = np.array([np.nan, -0.0, np.inf, 5e-324])
        assert decode_array(encode_array(array)).tobytes() == array.tobytes()

    def test_may_lie_in_any_order_and_are_ones_own_afterwards(self):
        array = np.arange(6.0).reshape(2, 3).T
        found = decode_array(encode_array(array))
        found[0, 0] = 9
        assert found.tolist() == [[9, 3], [1, 4], [2, 5]]

    def test_are_no_objects(self):
        with pytest.raises(DataError, match=r"array of type object\n.*no bytes"):
            encode_array([object()])
