"""Files written so that a path never holds half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from autograd_core import FileError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its path only when it is complete and on the disk.

    It grows under another name in the same folder. Whatever goes wrong before it is complete, the
    previous file stays as it was; only a killed process leaves the other name behind.

    Args:    path: of a file; a link is followed.
    Raises:  FileError: the folder or the disk does not take it.
    Example: >>> import tempfile
             >>> path = Path(tempfile.mkdtemp()) / "numbers"
             >>> with replacing(path) as file:
             ...     _ = file.write(b"12")
             >>> path.read_bytes()
             b'12'
    """
    target = Path(path).resolve()
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except FileError:  # from within the block, and already in words
        raise
    except OSError as error:
        raise FileError(
            f"writing {path}",
            error.strerror or str(error),
            "the path of a file, in a folder that exists, has room and lets you write",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
