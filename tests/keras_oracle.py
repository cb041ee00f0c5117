"""Keras on JAX, in float64: what layers, losses, optimizers and metrics are compared with."""

import os

import jax

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")
keras.config.disable_traceback_filtering()
# On JAX, Keras computes some functions in float32 even where all else is float64
keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def as_keras(x):
    """Return a tensor of Keras's."""
    return keras.ops.convert_to_tensor(np.asarray(x))


def as_numpy(x):
    """Return an array of a tensor or variable of Keras's."""
    return np.asarray(getattr(x, "value", x))
