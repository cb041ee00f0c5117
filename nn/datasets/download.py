"""Files of public data sets: taken from a folder, or downloaded into it; checked either way."""

import gzip
import hashlib
import io
import urllib.request
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

from autograd_core import FileError

from ..files import replacing
from ..progress import tqdm

_PIECE = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte
_LIMIT = 100_000_000  # bytes: the largest file of MNIST has 47 million, a forged one any number


def fetch(path: Path, sha256: str, mirrors: Sequence[str]) -> bytes:
    """Return the decompressed content of a gz file; one not there, or damaged, is downloaded.

    Args:    path: of the file; nothing is written where it is there and whole.
             sha256: of the decompressed bytes, in hexadecimal.
             mirrors: addresses of folders on the web that hold a file of this name.
    Raises:  FileError: it can neither be used nor be downloaded; names each mirror and why.
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
    """Make a folder, and those around it; in the end those that are new and empty go again."""
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
