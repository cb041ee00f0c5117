"""Files written so that a path never holds half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EINVAL
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO
from uuid import uuid4

from autograd_core import FileError, OptionError

FORMATS = {
    ".safetensors": "files of tensors, as model.save writes",
    **dict.fromkeys((".keras", ".h5", ".hdf5"), "files of Keras's"),
    **dict.fromkeys((".pt", ".pth", ".ckpt"), "files of PyTorch's"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "pickles"),
    **dict.fromkeys((".npz", ".npy"), "arrays of NumPy's"),
    ".onnx": "graphs, as nn.interchange.export_onnx writes",
}


def check_suffix(path: str | os.PathLike[str], own: str, instead: str) -> None:
    """Refuse a path whose suffix names another format than the one that is written.

    Args:    own: the suffix of that format; others that name none are accepted.
    Raises:  OptionError: such as "model.pt".
    Example: >>> check_suffix("model.bin", ".onnx", "model.onnx")
    """
    suffix = os.path.splitext(os.fsdecode(path))[1].lower()
    if suffix != own and suffix in FORMATS:
        raise OptionError(
            f"writing {os.fsdecode(path)!r}",
            f"it is in the {own[1:]} format, and {suffix} names {FORMATS[suffix]}",
            instead,
        )


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise the system's errors inside this block as FileErrors.

    Example: >>> with writing("no/folder"):
             ...     open("no/folder", "w")
             Traceback (most recent call last):
             autograd_core.errors.FileError: writing no/folder
               why:   No such file or directory
               write: the path of a file, in a folder that exists, has room and lets you write
    """
    try:
        yield
    except FileError:  # from within the block, and already in words
        raise
    except OSError as error:
        raise FileError(
            f"writing {os.fspath(path)}",
            error.strerror or str(error),
            "the path of a file, in a folder that exists, has room and lets you write",
        ) from error


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its path only when it is complete and on the disk.

    It grows under another name in the same folder, with the permissions, and where the system lets
    it the owner, of the file that is there. Whatever goes wrong before it is complete, the previous
    file stays as it was; only a killed process leaves the other name behind.

    Args:    path: of a file; a link is followed.
    Raises:  FileError: the folder or the disk does not take it, or the path is a device, a pipe or
             a folder.
    Example: >>> import tempfile
             >>> path = Path(tempfile.mkdtemp()) / "numbers"
             >>> with replacing(path) as file:
             ...     _ = file.write(b"12")
             >>> path.read_bytes()
             b'12'
    """
    with writing(path):
        if "\0" in os.fsdecode(path):  # which the system's calls would refuse as a ValueError
            raise OSError(EINVAL, os.strerror(EINVAL))
        target = Path(os.fsdecode(os.path.realpath(path)))
        part = target.with_name(f".{uuid4().hex}.part")
        try:
            with part.open("xb") as file:
                if target.exists():
                    _take_after(part, target)
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        finally:
            with suppress(OSError):
                part.unlink()


def _take_after(part: Path, target: Path) -> None:
    """Give a file the permissions of the one it will replace, and if the system lets us the owner.

    Raises:  FileError: it is no file. PermissionError: it is read-only.
    """
    if not target.is_file():
        raise FileError(
            f"writing {target}",
            "it is a directory, a device or a pipe, which a file would replace",
            "the path of a file",
        )
    if not os.access(target, os.W_OK):
        raise PermissionError(EACCES, os.strerror(EACCES))
    old = target.stat()
    for owner in ((-1, old.st_gid), (old.st_uid, -1)):
        with suppress(OSError, AttributeError):  # often only root may; Windows has no such owners
            os.chown(part, *owner)
    part.chmod(S_IMODE(old.st_mode))
