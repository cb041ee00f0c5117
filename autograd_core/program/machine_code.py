"""What Numba needs to keep machine code on disk: a source file of its own for what it compiles."""

import hashlib
import importlib.util
import os
from functools import cache
from pathlib import Path


@cache
def has_numba() -> bool:
    """Tell whether Numba is installed (the extra `fast`), without importing it."""
    return importlib.util.find_spec("numba") is not None


def written(source: str, kind: str, *made_from: str) -> Path | None:
    """Return the file in the user's cache that holds a source, or None if there can be none.

    Args:    kind: the beginning of the file's name; the rest is a hash.
             made_from: files of ours that decide about what the source means.
    """
    try:
        parts = [source.encode(), *[Path(file).read_bytes() for file in made_from]]
        name = hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        path = Path(base) / "autograd_core" / f"{kind}_{name}.py"
        if not (path.is_file() and path.read_text() == source):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(source)
            part.replace(path)
        return path if os.access(path.parent, os.W_OK) else None
    except (OSError, RuntimeError):  # no such place, or none that may be written
        return None
