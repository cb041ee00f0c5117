"""Optimizers: ways to move parameters against their gradients.

- `Optimizer`: what they have in common, and the class to make one's own from
- `SGD`, `Lion`: steps along the gradient, or its sign, with momentum
- `Adagrad`, `Adadelta`, `RMSprop`: divided by the size that gradients had
- `Adam`, `AdamW`, `Adamax`, `Nadam`: an average of gradients, divided by their size
- `global_norm`: of all gradients together, which clipping looks at
- `get`: an optimizer by name
"""

from typing import NoReturn

from autograd_core import unknown_name

from .. import schedules
from ..configuration import choose, name_of
from ..spellings import NAMES
from .algorithms import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, RMSprop
from .base import Optimizer, global_norm

__all__ = [
    "BY_NAME",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "get",
    "global_norm",
    "schedules",
]

_KINDS = (SGD, Adagrad, Adadelta, RMSprop, Adam, AdamW, Adamax, Nadam, Lion)
BY_NAME: dict[str, type[Optimizer]] = {name_of(kind()): kind for kind in _KINDS}


def get(optimizer: str | Optimizer) -> Optimizer:
    """Return a new optimizer by name, with all its defaults; objects as they are.

    Raises:  OptionError: there is none of this name.
    Example: >>> get("adam")
             Adam()
    """
    return choose("optimizer", BY_NAME, optimizer)


def __getattr__(name: str) -> NoReturn:
    """Refuse a name that does not exist, with what to write."""
    raise unknown_name(__name__, name, __all__, NAMES)
