"""The limit of a file: a model made from it has no more numbers than the file holds."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from autograd_core import OptionError

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


@contextmanager
def at_most(numbers: int) -> Iterator[None]:
    """Let models made inside this block have so many numbers; a description can claim any."""
    token = _left.set([numbers])
    try:
        yield
    finally:
        _left.reset(token)


def take(shape: tuple[int, ...]) -> None:
    """Note that an array of this shape is about to be made for a model.

    Raises:  OptionError: a file is being loaded, and holds fewer numbers.
    Example: >>> with at_most(6):
             ...     take((2, 3))
             ...     take((1,))
             Traceback (most recent call last):
             autograd_core.errors.OptionError: an array of shape (1,) for a model in a file
               why:   the file holds no numbers for it
               write: a model whose sizes are those of its tensors
    """
    left = _left.get()
    if left is None:
        return
    sizes_are_whole = all(isinstance(size, int) and size >= 0 for size in shape)
    if sizes_are_whole:
        left[0] -= math.prod(shape)
    if not sizes_are_whole or left[0] < 0:
        raise OptionError(
            f"an array of shape {shape} for a model in a file",
            "the file holds no numbers for it",
            "a model whose sizes are those of its tensors",
        )
