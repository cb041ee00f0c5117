"""The user's cache: a folder for what is expensive to make and can be made again.

What is kept there to be run, such as machine code, begins with its digest: a file that is damaged
is not used, and is written anew.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

_DIGEST = hashlib.sha256().digest_size


def folder() -> Path:
    """Return the folder, `autograd_core` in XDG_CACHE_HOME or in ~/.cache; it need not exist.

    Raises:  RuntimeError: there is no home folder.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autograd_core"


def write(path: Path, content: bytes) -> None:
    """Write a file so that its path never holds half of one.

    Raises:  OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def sealed(content: bytes) -> bytes:
    """Return the content after its digest."""
    return hashlib.sha256(content).digest() + content


def unsealed(found: bytes) -> bytes:
    """Return what `sealed` was given.

    Raises:  ValueError: it is not what was sealed.
    Example: >>> unsealed(sealed(b"content"))
             b'content'
    """
    content = found[_DIGEST:]
    if hashlib.sha256(content).digest() != found[:_DIGEST]:
        raise ValueError("it is not what was written")
    return content
