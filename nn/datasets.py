"""Data sets, as (x, y).

- xor, and_, or_: all four rows of a Boolean function
- moons, circles, spirals: classes of points in the plane that no line separates
- digits: 1,797 images of 8 x 8 pixels, from scikit-learn
- mnist: 70,000 images of 28 x 28 pixels, downloaded when first needed
- salaries: ten professors
"""

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
from typing import NoReturn, TypeAlias

import numpy as np

from autograd_core import FileError, explained_call, unknown_name
from autograd_core.data import Array, Function

from .configuration import check_range
from .data import whole_number
from .files import replacing
from .packages import optional, tqdm
from .randomness import generator

__all__ = [
    "and_",
    "circles",
    "digits",
    "mnist",
    "moons",
    "or_",
    "salaries",
    "spirals",
    "xor",
]

XY: TypeAlias = tuple[Array, Array]


def xor() -> XY:
    """Return the four rows of "one or the other, not both".

    Returns: x (4, 2) and y (4,), float64; y[:, None] for a network with one output.
    Example: >>> xor()[1]
             array([0., 1., 1., 0.])
    """
    return _rows(np.not_equal)


def and_() -> XY:
    """Return the four rows of "both".

    Returns: x (4, 2) and y (4,), float64; y[:, None] for a network with one output.
    Example: >>> and_()
             (array([[0., 0.],
                    [0., 1.],
                    [1., 0.],
                    [1., 1.]]), array([0., 0., 0., 1.]))
    """
    return _rows(np.minimum)


def or_() -> XY:
    """Return the four rows of "one at least".

    Returns: x (4, 2) and y (4,), float64; y[:, None] for a network with one output.
    Example: >>> or_()[1]
             array([0., 1., 1., 1.])
    """
    return _rows(np.maximum)


def _rows(function: Function) -> XY:
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return x, function(x[:, 0], x[:, 1]).astype(float)


@explained_call
def moons(samples: int = 100, noise: float = 0.0, seed: int | None = None) -> XY:
    """Return points on two interleaving half circles, in random order.

    Class 0: (cos t, sin t), class 1: (1 - cos t, 1/2 - sin t), t evenly from 0 to pi.

    Args:    samples: how many points; class 1 has the odd one.
             noise: standard deviation of normal noise on each coordinate.
             seed: of the points; None: they are drawn from nn.set_seed's generator.
    Returns: x (samples, 2), float64; y (samples,), int64.
    Raises:  OptionError: samples below 1, or noise below 0.
    Example: >>> x, y = moons(5, seed=0)
             >>> x.shape, sorted(y.tolist())
             ((5, 2), [0, 0, 1, 1, 1])

    Source:  scikit-learn, make_moons.
    """
    upper, lower = _halves(samples)
    t, s = np.linspace(0, np.pi, upper), np.linspace(0, np.pi, lower)
    curves = [np.cos(t), np.sin(t)], [1 - np.cos(s), 0.5 - np.sin(s)]
    return _mixed(curves, noise, seed)


@explained_call
def circles(
    samples: int = 100, noise: float = 0.0, factor: float = 0.8, seed: int | None = None
) -> XY:
    """Return points on a circle of radius 1, class 0, and on one inside it, in random order.

    Args:    samples: how many points; class 1 has the odd one.
             noise: standard deviation of normal noise on each coordinate.
             factor: radius of the inner circle, 0 to 1.
             seed: of the points; None: they are drawn from nn.set_seed's generator.
    Returns: x (samples, 2), float64; y (samples,), int64.
    Raises:  OptionError: samples below 1, noise below 0, or factor outside 0 to 1.
    Example: >>> x, y = circles(100, factor=0.5, seed=0)
             >>> sorted({round(r, 6) for r in np.hypot(*x.T).tolist()})
             [0.5, 1.0]

    Source:  scikit-learn, make_circles.
    """
    check_range("factor", factor, 0, 1)
    outer, inner = _halves(samples)
    t = np.linspace(0, 2 * np.pi, outer, endpoint=False)
    s = np.linspace(0, 2 * np.pi, inner, endpoint=False)
    curves = [np.cos(t), np.sin(t)], [factor * np.cos(s), factor * np.sin(s)]
    return _mixed(curves, noise, seed)


@explained_call
def spirals(
    samples: int = 100, classes: int = 2, noise: float = 0.0, seed: int | None = None
) -> XY:
    """Return points on spirals, one turn around the origin, in random order.

    Class k of n: r (cos a, sin a) with a = 2 pi (r + k/n), r evenly from 0.1 to 1.

    Args:    samples: how many points, shared evenly; the first classes have the odd ones.
             classes: how many spirals.
             noise: standard deviation of normal noise on each coordinate.
             seed: of the points; None: they are drawn from nn.set_seed's generator.
    Returns: x (samples, 2), float64; y (samples,), int64.
    Raises:  OptionError: samples or classes below 1, or noise below 0.
    Example: >>> x, y = spirals(90, classes=3, seed=0)
             >>> x.shape, np.bincount(y).tolist()
             ((90, 2), [30, 30, 30])
    """
    samples, classes = whole_number("samples", samples), whole_number("classes", classes)
    curves = []
    for k in range(classes):
        r = np.linspace(0.1, 1, len(range(k, samples, classes)))
        a = 2 * np.pi * (r + k / classes)
        curves.append([r * np.cos(a), r * np.sin(a)])
    return _mixed(curves, noise, seed)


def _halves(samples: int) -> tuple[int, int]:
    samples = whole_number("samples", samples)
    return samples // 2, samples - samples // 2


def _mixed(curves: Sequence[Sequence[Array]], noise: float, seed: int | None) -> XY:
    """Return the points of all curves, (x, y) coordinates each, with noise and in random order."""
    check_range("noise", noise, 0)
    source = generator() if seed is None else np.random.default_rng(seed)
    x = np.concatenate([np.stack(curve, axis=1) for curve in curves])
    y = np.repeat(np.arange(len(curves)), [len(curve[0]) for curve in curves])
    x += noise * source.standard_normal(x.shape)
    order = source.permutation(len(x))
    return x[order], y[order]


def digits() -> XY:
    """Return 1,797 handwritten digits of 8 x 8 pixels, from scikit-learn.

    Returns: x (1797, 64), float64 from 0, white, to 1: scikit-learn's 0 to 16 divided by 16;
             x.reshape(-1, 8, 8, 1) for convolutions. y (1797,), int64 from 0 to 9.
    Raises:  MissingPackageError: scikit-learn is not installed.
    Example: >>> x, y = digits()
             >>> x.shape, y[:5]
             ((1797, 64), array([0, 1, 2, 3, 4]))

    Source:  E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    x, y = optional("sklearn.datasets", "scikit-learn").load_digits(return_X_y=True)
    return x / 16, y.astype(np.int64)


_COLUMNS = ["rank", "discipline", "years_since_phd", "years_of_service", "sex", "salary"]
_PROFESSORS = [
    ("Prof", "B", 19, 18, "Male", 139750),
    ("Prof", "B", 20, 16, "Male", 173200),
    ("AsstProf", "B", 4, 3, "Male", 79750),
    ("Prof", "B", 45, 39, "Male", 115000),
    ("Prof", "B", 40, 41, "Male", 141500),
    ("AssocProf", "B", 6, 6, "Male", 97000),
    ("Prof", "B", 30, 23, "Male", 175000),
    ("Prof", "B", 45, 45, "Male", 147765),
    ("Prof", "B", 21, 20, "Male", 119250),
    ("Prof", "B", 18, 18, "Female", 129000),
]


def salaries() -> dict[str, list[str | float]]:
    """Return what ten professors of a college in the USA earned in nine months of 2008-09.

    Returns: columns by name, of ten entries each; pandas.DataFrame(salaries()) makes a frame.
             discipline B: applied departments; salary in dollars.
    Example: >>> table = salaries()
             >>> table["rank"][:3], table["salary"][:3]
             (['Prof', 'Prof', 'AsstProf'], [139750, 173200, 79750])

    Source:  J. Fox and S. Weisberg, An R Companion to Applied Regression, 3rd edition, 2019;
             R package carData, Salaries, first ten rows of 397.
    """
    columns = zip(*_PROFESSORS, strict=True)
    return {name: list(column) for name, column in zip(_COLUMNS, columns, strict=True)}


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


def __getattr__(name: str) -> NoReturn:
    """Refuse a name that does not exist, with what to write."""
    elsewhere = {"load_data": "mnist()", "load_digits": "digits()", "make_moons": "moons()"}
    raise unknown_name(__name__, name, __all__, elsewhere)


def __dir__() -> list[str]:
    """List the data sets only."""
    return __all__
