"""Every layer that nn.layers exports, made with small options, and samples that it accepts.

A new layer is here by itself, unless one of its arguments has a name that no other layer has.
"""

import copy
import inspect

import numpy as np

from autograd_core import DataError, ShapeError
from nn import layers

KINDS = [getattr(layers, name) for name in layers.__all__ if name != "ArrayLayer"]
# What arguments without a default are given
NEEDED = {
    "activation": "relu",
    "dims": (2, 1),
    "factor": 0.2,
    "filters": 2,
    "height_factor": 0.4,
    "input_dim": 9,
    "kernel_size": 2,
    "layer": layers.GRU(2),
    "n": 2,
    "output_dim": 2,
    "rate": 0.2,
    "stddev": 0.2,
    "target_shape": (-1, 3),
    "units": 2,
    "width_factor": 0.4,
}


def options_of(kind):
    """Return the names of all options of a layer."""
    return [*inspect.signature(kind).parameters]


def needed(kind):
    """Return the options that a layer needs."""
    parameters = inspect.signature(kind).parameters
    return {name: NEEDED[name] for name, p in parameters.items() if p.default is p.empty}


def example(kind, **options):
    return kind(**copy.deepcopy(needed(kind) | options))


def samples(kind, count=4):
    """Return samples for a layer, the first that it accepts; one step of all is padding."""
    random = np.random.default_rng(0)
    candidates = {
        "sequences": lambda: random.normal(size=(count, 5, 3)),
        "images": lambda: random.normal(size=(count, 5, 5, 2)),
        "words": lambda: random.integers(0, 9, (count, 5)) * 1.0,
    }
    for draw in candidates.values():
        x = draw()
        try:
            example(kind)(x)
        except (DataError, ShapeError):
            continue
        x[1, -1] = 0.0
        return x
    raise LookupError(f"no samples for {kind.__name__}")
