"""Initializers: where weights start. All draw from one generator, which `nn.set_seed` seeds."""

from typing import Any

from ..configuration import choose, name_of
from .base import Initializer, fans_of
from .constant import Constant, Identity, Ones, Zeros
from .distributions import Normal, Orthogonal, TruncatedNormal, Uniform
from .variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

__all__ = [
    "BY_NAME",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "Zeros",
    "fans_of",
    "get",
]

_CLASSES = (
    *(Zeros, Ones, Constant, Uniform, Normal, TruncatedNormal, VarianceScaling, LecunUniform),
    *(LecunNormal, GlorotUniform, GlorotNormal, HeUniform, HeNormal, Orthogonal, Identity),
)
BY_NAME = {name_of(kind()): kind for kind in _CLASSES}


def get(initializer: Any) -> Any:
    """Return an initializer by name; objects, and functions of shape and dtype, as they are.

    Raises:  OptionError: no such name.
    Example: >>> get("he_normal"), get(Constant(0.5))
             (HeNormal(), Constant(value=0.5))
    """
    return choose("initializer", BY_NAME, initializer)
