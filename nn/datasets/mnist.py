"""MNIST: 70,000 handwritten digits of 28 x 28 pixels, downloaded and checked."""

import gzip
import hashlib
import io
import os
import urllib.request
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import numpy as np

from autograd_core import FileError
from autograd_core.data import Array

from ..files import replacing
from ..packages import tqdm

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# The four files, with the SHA-256 of their decompressed bytes
FILES = {
    "train-images-idx3-ubyte.gz": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "train-labels-idx1-ubyte.gz": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
}


def mnist(
    folder: str | os.PathLike[str] | None = None, mirrors: Sequence[str] = MIRRORS
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return (x, y) for training and (x, y) for testing; (x_train, y_train), (x_test, y_test).

    The files are read from <folder>/mnist and checked; missing ones are downloaded.

    Args:    folder: None: the environment variable AUTOGRAD_CORE_DATA, else autograd_core in
             XDG_CACHE_HOME or ~/.cache. It may be read-only if it has the files.
             mirrors: addresses to download from, tried in this order.
    Returns: x (60000, 28, 28) and (10000, 28, 28), float32 from 0, white, to 1, where Keras has
             0 to 255; y (60000,) and (10000,), int64.
    Raises:  FileError: the files can neither be used nor be downloaded.
    Source:  Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits, 1998.
    """
    place = Path(folder or os.environ.get("AUTOGRAD_CORE_DATA") or _cache()) / "mnist"
    x, y, x_test, y_test = [
        _array(fetch(place / name, sha256, mirrors)) for name, sha256 in FILES.items()
    ]
    black = np.float32(255)
    return (x / black, y.astype(np.int64)), (x_test / black, y_test.astype(np.int64))


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autograd_core"


def _array(content: bytes) -> Array:
    """Return the array in an IDX file: two zeros, type, number of axes, their lengths, bytes."""
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


_PIECE = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte
_LIMIT = 100_000_000  # bytes: the largest file of MNIST has 47 million, a forged one any number


def fetch(path: Path, sha256: str, mirrors: Sequence[str]) -> bytes:
    """Return the decompressed content of a gz file, which is downloaded if missing or damaged.

    Args:    path: of the file; it is not written if it is there and intact.
             sha256: of the decompressed bytes, in hexadecimal.
             mirrors: addresses of folders on the web that hold a file of this name.
    Raises:  FileError: it can neither be used nor be downloaded, with the reason of each mirror.
    """
    try:
        return _unpack(path.read_bytes(), sha256)
    except FileNotFoundError:
        return _downloaded(path, "which is not there", sha256, mirrors)
    except OSError as error:
        problem = f"which cannot be used: {error}"
    content = _downloaded(path, problem, sha256, mirrors)
    warnings.warn(f"{path}, {problem}; it was downloaded anew", RuntimeWarning, stacklevel=3)
    return content


def _downloaded(path: Path, problem: str, sha256: str, mirrors: Sequence[str]) -> bytes:
    try:
        with _made(path.parent), replacing(path) as file:
            packed, content = _from_mirrors(path.name, sha256, mirrors)
            file.write(packed)
        return content
    except OSError as error:
        raise FileError(
            f"{path}, {problem}",
            getattr(error, "why", str(error)),
            f"{path.name} put into {path.parent} by hand, or another folder that has it",
        ) from error


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and its parents; afterwards remove those that are new and empty."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for each in new:
            with suppress(OSError):  # it holds a file now
                each.rmdir()


def _from_mirrors(name: str, sha256: str, mirrors: Sequence[str]) -> tuple[bytes, bytes]:
    """Return a file as it is, and decompressed, from the first mirror that has the right one."""
    failures = []
    for mirror in mirrors:
        address = f"{mirror.rstrip('/')}/{name}"
        try:
            packed = _get(address, name)
            return packed, _unpack(packed, sha256)
        except (OSError, HTTPException, ValueError) as error:
            failures.append(f"{address}: {error}")
    raise OSError("no mirror gave it: " + "; ".join(failures))


def _get(address: str, name: str) -> bytes:
    content = bytearray()
    with urllib.request.urlopen(address, timeout=_TIMEOUT) as response:
        size = int(response.headers.get("Content-Length", 0))
        with tqdm(total=size or None, desc=name, unit="B", unit_scale=True) as bar:
            while piece := response.read(_PIECE):
                content += piece
                bar.update(len(piece))
                if len(content) > _LIMIT:
                    raise OSError(f"it has more than {_LIMIT} bytes")
    return bytes(content)


def _unpack(packed: bytes, sha256: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            content = file.read(_LIMIT + 1)
    except (EOFError, zlib.error) as error:
        raise OSError(f"it is truncated or altered ({error})") from error
    if len(content) > _LIMIT:
        raise OSError(f"it decompresses to more than {_LIMIT} bytes")
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise OSError(f"its decompressed bytes have the SHA-256 {found}, not {sha256}")
    return content
