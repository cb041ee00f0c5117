"""Machine code by Numba, kept on disk. Where Numba fails, NumPy serves, and a warning says so.

What is kept in the user's cache to be run, that of Graphviz, too, begins with its digest: a file
that is damaged is not used, and is written anew.
"""

import hashlib
import importlib
import importlib.util
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

from ..data import Function
from ..messages import warn_once

OPTIONS = {"error_model": "numpy", "nogil": True}  # 1 / 0 is inf


@cache
def has_numba() -> bool:
    """Tell whether Numba is installed (the extra `fast`), without importing it."""
    is_off = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
    return importlib.util.find_spec("numba") is not None and not _failures and not is_off


_failures: list[Exception] = []  # of Numba itself: after the first it is not tried again


def numba() -> Any | None:
    """Return the module, or None if importing it fails, as beside a NumPy that it does not know."""
    try:
        return None if _failures else importlib.import_module("numba")
    except Exception as error:  # noqa: BLE001  # a damaged package raises anything
        _failed(error)
        return None


def machine_code(
    source: str,
    kind: str,
    signature: str,
    names: Callable[[Function], dict[str, Any]],
    *made_from: str,
) -> Function | None:
    """Return the function `run` of a source as machine code, or None where Numba fails.

    Args:    source: of Python; defines `run`.
             kind: the beginning of the name of the file in which it is kept.
             signature: the types of the arguments.
             names: given what compiles a function, returns the names that the source uses.
             made_from: files of ours that decide what the source means.
    """
    module = numba()
    if module is None:
        return None
    build = partial(_built, module, source, f"autograd_core_{kind}", signature, names)
    try:
        return build(written(source, kind, *made_from))
    except Exception as error:  # noqa: BLE001  # what is on the disk is damaged: it raises anything
        failure = error
    try:
        found = build(None)
    except Exception as error:  # noqa: BLE001  # a Numba that does not know this Python or NumPy
        _failed(error)
        return None
    _discard(kind)
    warn_once(
        "machine code on disk",
        f"machine code that is kept on disk: {type(failure).__name__}: {failure}",
        "it is damaged, or cannot be written; it was compiled anew for this process, with the "
        "same results",
        "XDG_CACHE_HOME for a folder that can be written, if autograd_core in ~/.cache cannot",
        RuntimeWarning,
    )
    return found


def _built(
    numba: Any, source: str, name: str, signature: str, names: Any, path: Path | None
) -> Function:
    """Compile a source, and keep it beside the file at `path`; None: keep it in memory."""
    module = sys.modules[name] = ModuleType(name)  # found by name when taken from the disk
    vars(module).update(names(numba.njit(**OPTIONS)))
    exec(compile(source, str(path or f"<{name}>"), "exec"), vars(module))
    run: Any = numba.njit(**OPTIONS, cache=path is not None)(vars(module)["run"])
    if path is not None:
        _seal(run._cache._cache_file)
    run.compile(signature)
    compiled: Function = run
    return compiled


def _seal(kept: Any) -> None:
    """Let Numba's files of machine code begin with their digest, without which none is run."""

    def save(name: str, data: object) -> None:
        with kept._open_for_write(kept._data_path(name)) as file:
            file.write(sealed(kept._dump(data)))

    def load(name: str) -> Any:
        return pickle.loads(unsealed(Path(kept._data_path(name)).read_bytes()))

    kept._save_data, kept._load_data = save, load


def _discard(kind: str) -> None:
    """Remove what Numba has kept of a kind, so that the next process writes it again."""
    with suppress(OSError, RuntimeError):
        for file in folder().glob(f"__pycache__/{kind}_*"):
            file.unlink()


def _failed(error: Exception) -> None:
    _failures.append(error)
    has_numba.cache_clear()
    warn_once(
        "machine code",
        f"Numba is installed, and fails: {type(error).__name__}: {error}",
        "compiled functions run on NumPy, with the same results and more slowly",
        "python -m pip install --upgrade numba; or uninstall it, and nothing is tried",
        RuntimeWarning,
    )


def written(source: str, kind: str, *made_from: str) -> Path:
    """Return the file in the user's cache that holds a source.

    Args:    kind: the beginning of the file's name; the rest is a hash.
             made_from: files of ours that decide what the source means.
    Raises:  OSError, RuntimeError: there is no such place, or none that can be written.
    """
    parts = [source.encode(), *[Path(file).read_bytes() for file in (__file__, *made_from)]]
    name = hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
    path = folder() / f"{kind}_{name}.py"
    if not (path.is_file() and path.read_bytes() == source.encode()):
        write(path, source.encode())
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} cannot be written")
    return path


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
