"""ScalarModule: what is common to networks of numbers, and how all of them are called."""

from typing import Any

import numpy as np

from autograd_core import ShapeError, Value

from .module import Module


class ScalarModule(Module):
    """A part of a scalar network: a list of inputs goes in, a list of outputs comes out.

    A subclass computes in `forward`, from a list to a list. Called, all of them take one sample,
    columns or rows:

    - a list (tuple, array, Value) of numbers is one sample, and gives one Value for each neuron;
    - a list of arrays (samples,), one column of the data for each input, sends all samples through
      the same single weights at once, and gives one Value (samples,) for each neuron;
    - an array or Value of two axes, (samples, inputs), has a sample in each row, and gives one
      Value (samples, neurons), as layers on arrays do.

    Example: >>> class SumAndProduct(ScalarModule):
             ...     def forward(self, x):
             ...         return [x[0] + x[1], x[0] * x[1]]
             >>> part = SumAndProduct()
             >>> part([Value(2.0), 3.0])[1].data
             6.0
             >>> part([Value([2.0, 4.0]), 3.0])[1].data
             array([ 6., 12.])
             >>> part(Value([[2.0, 3.0], [4.0, 3.0], [0.0, 1.0]])).data
             array([[ 5.,  6.],
                    [ 7., 12.],
                    [ 1.,  0.]])
    """

    expects_unit_inputs = True

    def forward(self, x: Any) -> list[Any]:
        """Return the list of outputs for a list of inputs, numbers or columns."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x)")

    def __call__(self, x: Any) -> Any:
        """Return the outputs.

        Args:    x: one input for each weight of a neuron: Values, numbers or arrays (samples,);
                 or rows, an array or Value (samples, inputs).
        Returns: a list of Values, one for each neuron; the Value itself if there is one neuron.
                 Of rows: Value (samples, neurons).
        Raises:  ShapeError: the number of inputs is not that of the weights, or x has three axes.
        """
        axes = len(getattr(x, "shape", ()))
        if axes > 2:
            raise ShapeError(
                f"input of shape {x.shape} for {self}",
                "a neuron takes numbers, one for each weight",
                "x.reshape(len(x), -1), (samples, inputs)",
            )
        if axes == 2:
            rows = x if isinstance(x, Value) else np.asarray(x)
            columns = [rows[:, i] for i in range(rows.shape[1])]
            return np.stack(self.forward(columns), axis=1)
        out = self.forward(x)
        return out[0] if len(out) == 1 else out
