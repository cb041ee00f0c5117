"""One seeded generator, from which weights, shuffles, dropout masks and noise are drawn."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from autograd_core import OptionError

_generator: ContextVar[np.random.Generator] = ContextVar(
    "generator",
    default=np.random.default_rng(),  # noqa: B039 - one for all threads until a seed is set
)


def set_seed(seed: int) -> None:
    """Make everything random repeatable to the bit: weights, shuffles, dropout, noise.

    Python's own `random`, from which scalar networks draw, is seeded, too.

    Args:    seed: any whole number from 0; the same seed gives the same run.
    Raises:  OptionError: something else, which may give another run each time.
    Example: >>> from nn.layers import Dense
             >>> set_seed(1)
             >>> first = Dense(2)([[1.0, 2.0]]).data
             >>> set_seed(1)
             >>> bool((first == Dense(2)([[1.0, 2.0]]).data).all())
             True
    """
    _generator.set(seeded(seed))
    random.seed(int(seed))


def seeded(seed: int) -> np.random.Generator:
    """Return another generator, whose numbers follow from a seed.

    Raises:  OptionError: no whole number from 0, which may give other numbers each time.
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise OptionError(
            f"seed = {seed!r}", "the same seed gives the same run", "a whole number from 0"
        )
    return np.random.default_rng(seed)


def generator() -> np.random.Generator:
    """Return the generator that is drawn from here and now."""
    return _generator.get()


@contextmanager
def drawing_from(source: np.random.Generator) -> Iterator[None]:
    """Draw from `source` inside this block: a model in training keeps a generator of its own."""
    before = _generator.set(source)
    try:
        yield
    finally:
        _generator.reset(before)
