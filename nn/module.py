"""Module: whatever has parameters, computes with them and learns."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import OptionError, no_grad, scope

from .drawing import Description, describe
from .storage.saving import load_weights, save
from .summary import Summary, summarize
from .training import Training


def _as_scope(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        with scope(type(self).__name__, self):
            return method(self, *args, **options)

    return call


class Module(Training):
    """A part of a model, or a whole one, which finds its parameters among its attributes.

    A subclass assigns attributes in `__init__` and computes in `__call__`.

    Example: >>> from autograd_core import Value
             >>> class Line(Module):
             ...     def __init__(self):
             ...         self.slope, self.offset = Value(2.0), Value(1.0)
             ...     def __call__(self, x):
             ...         return self.slope * x + self.offset
             >>> line = Line()
             >>> line(3.0).backward()
             >>> [p.grad for p in line.parameters()]
             [3.0, 1.0]
    """

    takes_mask = False  # whether __call__ has the argument `mask`: which steps of sequences count
    __call__: Callable[..., Any]  # every subclass has its own

    def __init_subclass__(cls, **options: Any) -> None:
        """Make each call a scope, so that pictures of the graph can show it as one group."""
        super().__init_subclass__(**options)
        name = "forward" if hasattr(cls, "forward") else "__call__"  # which calls forward, if any
        if name in vars(cls):
            setattr(cls, name, _as_scope(vars(cls)[name]))

    def output_mask(self, x: Any, mask: Any) -> Any:
        """Return the mask (batch, steps) that goes with the output; here the input's, or None."""
        return mask

    def build(self, input_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> None:
        """Make all parameters, by computing one sample of zeros; data that come later do it, too.

        Args:    input_shape: of one sample, without the batch: (features,).
                 dtype: of the parameters, float32 or float64. Where data come first, they decide.
        Raises:  OptionError: no tuple of whole numbers from 1.
        Example: >>> from nn.layers import Dense
                 >>> layer = Dense(10)
                 >>> layer.build((784,))
                 >>> layer.weight.shape
                 (10, 784)
        """
        is_tuple = isinstance(input_shape, tuple | list)
        if not is_tuple or not all(isinstance(n, int | np.integer) and n > 0 for n in input_shape):
            raise OptionError(
                f"input_shape = {input_shape!r}",
                "it has the length of each axis of one sample, without the batch",
                "(features,) or (steps, features); None where lengths vary: data make the "
                "parameters",
            )
        with self.evaluating(), no_grad():
            self(np.zeros((1, *input_shape), dtype))

    def summary(self) -> Summary:
        """Return a table of the layers: name, output shape, number of parameters.

        Example: >>> from nn import Dense, Sequential
                 >>> print(Sequential([Dense(2), Dense(1)], input_shape=(3,)).summary())
                 Sequential
                 layer      output shape    parameters
                 0 Dense    (batch, 2)               8
                 1 Dense    (batch, 1)               3
                 parameters: 11
        """
        return summarize(self)

    def _drawing_(self, x: Any = None) -> Description:
        """Return what autograd_core.draw shows of the model."""
        return describe(self, x)

    def save(self, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
        """Write weights, architecture and the state of training to one safetensors file.

        The tensors are those of `state_dict()`, so that PyTorch reads the file as it is. It is
        written beside its place first, and moved there when it is complete.

        Args:    path: of the file, "model.safetensors"; `nn.load(path)` reads it.
                 include_optimizer: False leaves out what training needs to continue.
        Raises:  OptionError: a part that cannot be described, such as a lambda. OSError: the file
                 cannot be written.
        """
        save(self, path, include_optimizer)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take over the weights of a safetensors file: one of ours, or one of PyTorch's.

        Args:    path: of a file with the tensors of `state_dict()` by name.
        Raises:  FileError: it is missing, damaged or of another kind. OptionError, ShapeError: its
                 tensors are not those of this model, which then stays as it was.
        """
        load_weights(self, path)
