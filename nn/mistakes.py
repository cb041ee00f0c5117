"""Silent mistakes, said aloud: warnings that name the fix, once at each line that makes them."""

import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core

_OWN_FOLDERS = (str(Path(__file__).parent), str(Path(autograd_core.__file__).parent))
# Mistakes said so far: kind, and the user's file and line
said: set[tuple[str, str, int]] = set()


class TrainingWarning(UserWarning):
    """Something that computes, but most likely not what was meant."""


def say(kind: str, given: str, why: str, instead: str) -> None:
    """Warn at the user's line, unless this kind of mistake was said there before.

    Args:    kind: of mistake, such as "broadcast".
             given, why, instead: as in errors.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN_FOLDERS):
        level, frame = level + 1, frame.f_back
    place = (kind, frame.f_code.co_filename, frame.f_lineno)
    if place not in said:
        said.add(place)
        text = f"{given}\n  why:   {why}\n  write: {instead}"
        warnings.warn(text, TrainingWarning, stacklevel=level)


def check_scale(model: Any, x: Any) -> None:
    """Say so if inputs are far from unit size: their root mean square is above 10 or below 0.01."""
    x = np.asarray(x)
    has_scale = not any(part.takes_indices for part in model.modules().values())
    if x.dtype.kind not in "fiu" or not x.size or not has_scale:
        return
    size = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    if 0 < size < 0.01 or size > 10:
        say(
            "scale",
            f"inputs of a size around {size:.3g}, from {x.min():.4g} to {x.max():.4g}",
            "weights start for inputs around 1; with others learning is slow, or fails",
            "x / 255 for pixels; scikit-learn's StandardScaler().fit_transform(x) for tables",
        )


def check_reached(model: Any, names: Iterable[str]) -> None:
    """Say so if no gradient has reached parameters in a whole epoch."""
    names = sorted(names)
    if names:
        say(
            "unreached",
            f"no gradient reaches {', '.join(names)} of {type(model).__name__}",
            "the loss does not depend on it: it is not used, or used through plain numbers (.data)",
            "use it in __call__, compute with Values throughout, or do not keep it as an attribute",
        )
