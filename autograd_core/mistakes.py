"""Warnings for what computes but is most likely a mistake, once at each line of the user's."""

import os
import sys
import warnings
from types import FrameType

# The user's line is the innermost one that belongs to none of these packages and to no library
OUR_PACKAGES = frozenset({"autograd_core", "nn", "numpy", "contextlib"})
_PYTHON = (os.path.dirname(os.__file__) + os.sep, "<frozen ")
# What was warned of so far: kind, and the user's file and line
warned: set[tuple[str, str, int]] = set()


class GradientWarning(UserWarning):
    """A derivative is lost: numbers were taken out of a Value where a derivative is expected."""


def user_frame() -> FrameType:
    """Return the innermost frame that is the user's own, neither ours nor a library's."""
    frame: FrameType | None = sys._getframe(1)
    foreign = None
    while frame is not None:
        if package_of(frame) not in OUR_PACKAGES:
            if not is_library(frame):
                return frame
            foreign = foreign or frame
        last, frame = frame, frame.f_back
    return foreign or last


def is_library(frame: FrameType) -> bool:
    """Tell whether a frame's code is installed, or belongs to Python itself."""
    return frame.f_code.co_filename.startswith(_PYTHON) or "-packages" in frame.f_code.co_filename


def package_of(frame: FrameType) -> str:
    """Return the name of the package that a frame's code belongs to."""
    name: str = frame.f_globals.get("__name__") or ""
    return name.partition(".")[0]


def warn_once(kind: str, given: str, why: str, instead: str, category: type[Warning]) -> None:
    """Warn at the user's line, unless it was warned of this kind of mistake before.

    Args:    kind: of mistake, such as "broadcast".
             given, why, instead: as in errors.
             category: the class of the warning.
    """
    frame = user_frame()
    file, line = frame.f_code.co_filename, frame.f_lineno
    if (kind, file, line) not in warned:
        warned.add((kind, file, line))
        warnings.warn_explicit(
            f"{given}\n  why:   {why}\n  write: {instead}",
            category,
            file,
            line,
            frame.f_globals.get("__name__") or "<unknown>",  # of None nothing would be shown
            frame.f_globals.setdefault("__warningregistry__", {}),
        )
