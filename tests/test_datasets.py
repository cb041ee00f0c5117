"""Data sets: generated ones against scikit-learn; MNIST's files, and their download, for real."""

import gzip
import hashlib
import os
import re
import sys
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets

from autograd_core import FileError, MissingPackageError, OptionError
from nn import datasets, files, set_seed

SHARED = Path(__file__).parents[2] / "shared" / "data"
HERE = os.environ.get("AUTOGRAD_CORE_DATA") or (SHARED if (SHARED / "mnist").is_dir() else None)


def in_order(x, y):
    """Return labelled points in an order of their own, free of rounding."""
    rows = np.column_stack([y, x.round(9) + 0.0])
    return rows[np.lexsort(rows.T)]


class TestBooleanFunctions:
    @pytest.mark.parametrize(
        ("rows", "function"),
        [
            (datasets.xor, lambda a, b: a != b),
            (datasets.and_, lambda a, b: a and b),
            (datasets.or_, lambda a, b: a or b),
        ],
    )
    def test_have_all_four_rows(self, rows, function):
        x, y = rows()
        assert x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert y.tolist() == [float(function(*row)) for row in x]
        assert (x.dtype, y.dtype) == (np.float64, np.float64)

    def test_are_new_each_time(self):
        datasets.xor()[0][:] = 9
        assert datasets.xor()[0].max() == 1


class TestPoints:
    @pytest.mark.parametrize("samples", [1, 2, 7, 100])
    def test_on_moons_are_scikit_learns(self, samples):
        expected = in_order(*sklearn.datasets.make_moons(samples))
        np.testing.assert_allclose(in_order(*datasets.moons(samples)), expected, atol=1e-9)

    @pytest.mark.parametrize("samples", [1, 2, 7, 100])
    @pytest.mark.parametrize("factor", [0.3, 0.8])
    def test_on_circles_are_scikit_learns(self, samples, factor):
        expected = in_order(*sklearn.datasets.make_circles(samples, factor=factor))
        found = in_order(*datasets.circles(samples, factor=factor))
        np.testing.assert_allclose(found, expected, atol=1e-9)

    @pytest.mark.parametrize("classes", [1, 2, 5])
    def test_on_spirals_are_one_curve_turned(self, classes):
        x, y = datasets.spirals(40 * classes, classes)
        assert np.bincount(y).tolist() == [40] * classes
        across = x @ [1, 1j]
        curves = [
            sorted(across[y == k] * np.exp(-2j * np.pi * k / classes), key=abs)
            for k in range(classes)
        ]
        radius = np.linspace(0.1, 1, 40)
        np.testing.assert_allclose(curves, [radius * np.exp(2j * np.pi * radius)] * classes)

    def test_on_spirals_are_shared_evenly(self):
        assert np.bincount(datasets.spirals(11, 3)[1]).tolist() == [4, 4, 3]

    @pytest.mark.parametrize("curves", [datasets.moons, datasets.circles, datasets.spirals])
    class TestOnAnyCurve:
        def test_have_their_types(self, curves):
            x, y = curves(10)
            assert (x.shape, x.dtype, y.shape, y.dtype) == ((10, 2), np.float64, (10,), np.int64)

        def test_are_repeatable_by_their_seed(self, curves):
            first, again = curves(20, noise=0.1, seed=1), curves(20, noise=0.1, seed=1)
            other = curves(20, noise=0.1, seed=2)
            assert (first[0] == again[0]).all()
            assert (first[1] == again[1]).all()
            assert (first[0] != other[0]).all()

        def test_are_repeatable_by_the_common_seed(self, curves):
            set_seed(5)
            first, second = curves(20), curves(20)
            set_seed(5)
            assert (first[0] == curves(20)[0]).all()
            assert (first[0] != second[0]).any()

        def test_with_a_seed_leave_the_common_generator_alone(self, curves):
            set_seed(5)
            first = curves(20)
            set_seed(5)
            curves(20, seed=1)
            assert (first[0] == curves(20)[0]).all()

        def test_are_mixed(self, curves):
            y = curves(100, seed=0)[1]
            assert 20 < (y[1:] != y[:-1]).sum() < 80

        def test_have_noise_of_the_given_deviation(self, curves):
            exact = in_order(*curves(4000, seed=0))
            x, y = curves(4000, noise=0.5, seed=0)
            spread = x.var(axis=0) - exact[:, 1:].var(axis=0)
            np.testing.assert_allclose(spread, 0.25, atol=0.03)
            assert np.bincount(y).tolist() == [2000, 2000]

        @pytest.mark.parametrize("samples", [0, -1, 2.5])
        def test_are_refused_in_other_numbers(self, curves, samples):
            with pytest.raises(OptionError, match=r"samples=.*\n.*count"):
                curves(samples)

        def test_are_refused_with_negative_noise(self, curves):
            with pytest.raises(OptionError, match=r"noise = -0.1"):
                curves(10, noise=-0.1)

    def test_are_refused_on_circles_of_other_factors(self):
        with pytest.raises(OptionError, match=r"factor = 1.5\n.*from 0 to 1"):
            datasets.circles(factor=1.5)

    def test_are_refused_on_no_spiral(self):
        with pytest.raises(OptionError, match=r"classes=0\n.*count"):
            datasets.spirals(classes=0)


class TestDigits:
    def test_are_scikit_learns_from_0_to_1(self):
        x, y = datasets.digits()
        expected = sklearn.datasets.load_digits()
        assert (x * 16 == expected.data).all()
        assert (y == expected.target).all()
        assert (x.min(), x.max(), y.dtype) == (0, 1, np.int64)

    def test_without_scikit_learn_name_the_command(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
        with pytest.raises(MissingPackageError, match="pip install scikit-learn"):
            datasets.digits()


class TestSalaries:
    def test_are_ten_rows_of_six_columns(self):
        frame = pd.DataFrame(datasets.salaries())
        assert frame.shape == (10, 6)
        assert frame.iloc[0].tolist() == ["Prof", "B", 19, 18, "Male", 139750]
        assert frame.iloc[9].tolist() == ["Prof", "B", 18, 18, "Female", 129000]
        assert frame["salary"].sum() == 1317215
        assert frame["years_since_phd"].sum() == 248
        assert frame["years_of_service"].sum() == 229
        assert frame["rank"].value_counts().to_dict() == {"Prof": 8, "AsstProf": 1, "AssocProf": 1}

    def test_are_new_each_time(self):
        datasets.salaries()["salary"].clear()
        assert len(datasets.salaries()["salary"]) == 10


def idx(array):
    """Return an array of bytes as an IDX file."""
    array = np.asarray(array, np.uint8)
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


SMALL = {
    "train-images-idx3-ubyte.gz": np.arange(36).reshape(3, 4, 3) * 7,
    "train-labels-idx1-ubyte.gz": [5, 0, 4],
    "t10k-images-idx3-ubyte.gz": np.arange(24).reshape(2, 4, 3) * 5,
    "t10k-labels-idx1-ubyte.gz": [7, 2],
}
PACKED = {name: gzip.compress(idx(array), mtime=0) for name, array in SMALL.items()}
NAME = next(iter(SMALL))


@pytest.fixture(autouse=True)
def _small_files(monkeypatch, request):
    """Let four small files stand for the real ones."""
    if "real" not in request.node.name:
        for name, array in SMALL.items():
            monkeypatch.setitem(datasets.FILES, name, hashlib.sha256(idx(array)).hexdigest())


@pytest.fixture
def placed(tmp_path):
    """Return a folder that has the files."""
    (tmp_path / "mnist").mkdir()
    for name, packed in PACKED.items():
        (tmp_path / "mnist" / name).write_bytes(packed)
    return tmp_path


class Mirror(BaseHTTPRequestHandler):
    """Serves the files, each folder in its own way: /good, /wrong, /cut, /short, /missing."""

    def do_GET(self):
        _, way, name = self.path.split("/")
        self.server.asked.append(way)
        if way == "missing":
            self.send_error(404)
            return
        content = PACKED[name]
        if way == "wrong":
            content = gzip.compress(b"other bytes", mtime=0)
        if way == "noise":
            content = b"<html>please log in</html>"
        length = len(content)
        if way in ("short", "cut"):
            content = content[:-9]
        self.send_response(200)
        if way != "unsized":
            self.send_header("Content-Length", str(length if way == "short" else len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as running:
        running.asked = []
        running.address = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def names_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def has_small_files(loaded):
    (x, y), (x_test, y_test) = loaded
    images, labels, images_test, labels_test = SMALL.values()
    np.testing.assert_array_equal(x, np.float32(images) / np.float32(255))
    np.testing.assert_array_equal(x_test, np.float32(images_test) / np.float32(255))
    assert (y.tolist(), y_test.tolist()) == (labels, labels_test)
    return (x.dtype, y.dtype) == (np.float32, np.int64)


class TestMnist:
    def test_reads_files_that_are_there(self, placed):
        assert has_small_files(datasets.mnist(placed, mirrors=[]))
        assert has_small_files(datasets.mnist(str(placed), mirrors=[]))

    def test_writes_nothing_where_the_files_are_there(self, placed, monkeypatch):
        def refuse(*_, **__):
            raise PermissionError(13, "Read-only file system")

        for name in ("mkdir", "unlink", "write_bytes"):
            monkeypatch.setattr(Path, name, refuse)
        monkeypatch.setattr(files.os, "replace", refuse)
        assert has_small_files(datasets.mnist(placed, mirrors=[]))

    def test_looks_where_the_environment_says(self, placed, monkeypatch):
        monkeypatch.setenv("AUTOGRAD_CORE_DATA", str(placed))
        assert has_small_files(datasets.mnist(mirrors=[]))

    def test_prefers_the_argument_to_the_environment(self, placed, monkeypatch):
        monkeypatch.setenv("AUTOGRAD_CORE_DATA", "/nowhere")
        assert has_small_files(datasets.mnist(placed, mirrors=[]))

    @pytest.mark.parametrize("cache", ["cache", ".cache"])
    def test_keeps_files_in_the_cache_unless_told(self, cache, tmp_path, server, monkeypatch):
        monkeypatch.delenv("AUTOGRAD_CORE_DATA", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CACHE_HOME", "" if cache == ".cache" else str(tmp_path / cache))
        assert has_small_files(datasets.mnist(mirrors=[f"{server.address}/good"]))
        assert names_in(tmp_path / cache / "autograd_core" / "mnist") == sorted(SMALL)

    def test_downloads_once(self, tmp_path, server, capsys):
        for _ in range(2):
            assert has_small_files(datasets.mnist(tmp_path / "new", [f"{server.address}/good/"]))
        assert server.asked == ["good"] * 4
        assert names_in(tmp_path) == sorted(SMALL)
        assert NAME in capsys.readouterr().err  # the progress bar

    def test_downloads_from_a_mirror_that_does_not_say_how_much(self, tmp_path, server):
        assert has_small_files(datasets.mnist(tmp_path, [f"{server.address}/unsized"]))

    @pytest.mark.parametrize("bad", ["missing", "wrong", "noise", "short", "cut"])
    def test_goes_on_to_the_next_mirror(self, bad, tmp_path, server):
        mirrors = [f"{server.address}/{bad}", f"{server.address}/good"]
        assert has_small_files(datasets.mnist(tmp_path, mirrors))
        assert server.asked == [bad, "good"] * 4
        assert names_in(tmp_path) == sorted(SMALL)

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            ("missing", "HTTP Error 404"),
            ("wrong", "its decompressed bytes have the SHA-256 .*, not "),
            ("noise", "Not a gzipped file"),
            ("short", r"it is truncated or altered \(Compressed file ended"),
            ("cut", r"it is truncated or altered \(Compressed file ended"),
        ],
    )
    def test_says_why_no_mirror_served_and_leaves_nothing(self, bad, reason, tmp_path, server):
        mirrors = [f"{server.address}/{bad}", "http://127.0.0.1:1/closed", "no address"]
        with pytest.raises(FileError) as caught:
            datasets.mnist(tmp_path, mirrors)
        found = caught.value
        assert found.given == f"{tmp_path / 'mnist' / NAME}, which is not there"
        expected = rf"no mirror gave it: {server.address}/{bad}/{NAME}: .*{reason}"
        assert re.match(expected, found.why)
        assert f"http://127.0.0.1:1/closed/{NAME}: " in found.why
        assert "refused" in found.why
        assert f"no address/{NAME}: unknown url type" in found.why
        assert found.instead.startswith(f"{NAME} put into {tmp_path / 'mnist'} by hand")
        assert list(tmp_path.iterdir()) == []

    def test_without_mirrors_no_folder_is_left(self, tmp_path, monkeypatch):
        monkeypatch.delenv("AUTOGRAD_CORE_DATA", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        with pytest.raises(FileError, match="no mirror gave it"):
            datasets.mnist(mirrors=[])
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "mine" / "mnist").mkdir(parents=True)
        with pytest.raises(FileError, match="no mirror gave it"):
            datasets.mnist(tmp_path / "mine", mirrors=[])
        assert (tmp_path / "mine" / "mnist").is_dir()  # it was there before

    @pytest.mark.parametrize("damage", [b"", b"\x1f\x8b\x08", PACKED[NAME][:-12], b"text"])
    def test_replaces_a_damaged_file_and_says_so(self, damage, placed, server):
        (placed / "mnist" / NAME).write_bytes(damage)
        with pytest.warns(RuntimeWarning, match=rf"{NAME}, which cannot be used: .*anew") as said:
            assert has_small_files(datasets.mnist(placed, [f"{server.address}/good"]))
        assert len(said) == 1
        assert server.asked == ["good"]
        assert has_small_files(datasets.mnist(placed, []))

    def test_decompresses_no_more_than_files_of_mnist_have(self, placed, monkeypatch):
        monkeypatch.setattr(datasets, "_LIMIT", 1_000_000)
        (placed / "mnist" / NAME).write_bytes(gzip.compress(bytes(100_000_000), 1))
        tracemalloc.start()
        with pytest.raises(FileError, match="decompresses to more than 1000000 bytes"):
            datasets.mnist(placed, [])
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
        tracemalloc.stop()

    def test_downloads_no_more_than_files_of_mnist_have(self, tmp_path, server, monkeypatch):
        monkeypatch.setattr(datasets, "_LIMIT", 60)
        monkeypatch.setattr(datasets, "_PIECE", 10)
        with pytest.raises(FileError, match=r"good/.*: it has more than 60 bytes"):
            datasets.mnist(tmp_path, [f"{server.address}/good"])
        assert names_in(tmp_path) == []

    def test_keeps_a_damaged_file_it_cannot_replace(self, placed, server):
        (placed / "mnist" / NAME).write_bytes(b"text")
        with pytest.raises(FileError, match=r"which cannot be used: Not a gzipped file.*\n.*404"):
            datasets.mnist(placed, [f"{server.address}/missing"])
        assert (placed / "mnist" / NAME).read_bytes() == b"text"
        assert names_in(placed) == sorted(SMALL)

    def test_asks_no_mirror_for_what_it_could_not_keep(self, placed, server, monkeypatch):
        (placed / "mnist" / NAME).write_bytes(b"text")
        read = Path.open

        def open_to_read(path, mode="r", **options):
            if mode != "rb":
                raise OSError(30, "Read-only file system")
            return read(path, mode, **options)

        monkeypatch.setattr(Path, "open", open_to_read)
        with pytest.raises(
            FileError, match=r"cannot be used: Not a gz(.|\n)*Read-only file system"
        ):
            datasets.mnist(placed, [f"{server.address}/good"])
        assert server.asked == []

    def test_needs_a_folder(self, tmp_path, server):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(FileError, match=r"which (is not there|cannot be used)(.|\n)*directory"):
            datasets.mnist(tmp_path / "file", [f"{server.address}/good"])
        assert server.asked == []

    def test_interrupted_leaves_nothing_and_starts_anew(self, tmp_path, server, monkeypatch):
        class Interrupted(datasets.tqdm):
            def update(self, *_):
                raise KeyboardInterrupt

        mirrors = [f"{server.address}/good"]
        with monkeypatch.context() as patch:
            patch.setattr(datasets, "tqdm", Interrupted)
            with pytest.raises(KeyboardInterrupt):
                datasets.mnist(tmp_path, mirrors)
        assert names_in(tmp_path) == []
        assert has_small_files(datasets.mnist(tmp_path, mirrors))

    def test_names_its_mirrors(self):
        assert [address.split("/")[2] for address in datasets.MIRRORS] == [
            "ossci-datasets.s3.amazonaws.com",
            "storage.googleapis.com",
        ]

    @pytest.mark.skipif(HERE is None, reason="needs the files: set AUTOGRAD_CORE_DATA")
    def test_real_files_are_as_published(self):
        (x, y), (x_test, y_test) = datasets.mnist(HERE, mirrors=[])
        assert (x.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
        assert (x.dtype, x.min(), x.max()) == (np.float32, 0, 1)
        assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
        assert np.bincount(y)[[0, 1, 9]].tolist() == [5923, 6742, 5949]
        assert np.bincount(y_test)[[0, 1, 9]].tolist() == [980, 1135, 1009]
        assert abs(x.mean(dtype=np.float64) - 0.1307) < 5e-5
        assert abs(x.std(dtype=np.float64) - 0.3081) < 5e-5
