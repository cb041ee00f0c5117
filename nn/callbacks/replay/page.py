"""The page that replays trainings: numbers, style and script in one file."""

import base64
import hashlib
import html
import json
import os
import zlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import OptionError

from ...files import replacing

SCRIPTS = ("frames.js", "plane.js", "network.js", "curves.js", "page.js")
FRAME = "width:100%;height:820px;border:0;resize:vertical"  # in a notebook


class ReplayPage:
    """One training or several as a page, which shows itself in a notebook.

    Args:    runs: what `Replay.run` returns.
    """

    def __init__(self, runs: Sequence[dict[str, Any]]) -> None:
        self.runs = list(runs)

    def html(self) -> str:
        """Return the page, which is complete in itself."""
        script = "\n".join(_text(name) for name in SCRIPTS)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        parts = {
            "title": html.escape(" | ".join(run["title"] for run in self.runs)),
            "digest": digest,  # nothing else may run in the page
            "style": _text("page.css"),
            "runs": json.dumps(self.runs, allow_nan=False).replace("<", "\\u003c"),
            "script": script,
        }
        first, *others = _text("page.html").split("{{")
        return first + "".join(
            parts[name] + rest for name, rest in (other.split("}}", 1) for other in others)
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one file, which needs nothing else.

        Args:    path: of the file, "replay.html".
        Raises:  OptionError: another ending. FileError: the file cannot be written.
        """
        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise OptionError(
                f"a replay as {Path(path).name}",
                "it is a page for the browser",
                "a path that ends with .html",
            )
        page = self.html().encode()
        with replacing(path) as file:
            file.write(page)

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.html())}" title="Training replay" '
            f'sandbox="allow-scripts" style="{FRAME}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"ReplayPage of {' | '.join(run['title'] for run in self.runs)}"


def packed(arrays: list[Any]) -> str:
    """Return arrays of one shape, one after the other, as text: their bytes, pressed.

    Example: >>> packed([np.zeros(1000, np.uint8)] * 100)[:4]
             'eNrt'
    """
    return base64.b64encode(zlib.compress(np.stack(arrays).tobytes(), 9)).decode()


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
