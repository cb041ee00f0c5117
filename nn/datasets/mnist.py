"""MNIST: 70,000 handwritten digits of 28 x 28 pixels."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .download import fetch

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
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return (x, y) for training and (x, y) for testing; (x_train, y_train), (x_test, y_test).

    The files are looked for in <folder>/mnist, checked, and downloaded if they are not there.

    Args:    folder: None: the environment variable AUTOGRAD_CORE_DATA, else autograd_core in
             XDG_CACHE_HOME or ~/.cache. It may be read-only if it has the files.
             mirrors: addresses to download from, one after the other until one has the file.
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


def _array(content: bytes) -> Any:
    """Return the array in an IDX file: two zeros, type, number of axes, their lengths, bytes."""
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
