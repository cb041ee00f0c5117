"""Dense: every output sees every input."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_core import Value

from ..data import whole_number
from .weighted import WeightedLayer


@dataclass(eq=False, repr=False)
class Dense(WeightedLayer):
    """A layer of neurons: activation(x W^T + b).

    W (units, features) holds one row of weights for each neuron, b (units,) its bias. Keras's
    kernel is W transposed.

    Args:    units: how many neurons.
             activation: a name or function, see nn.activations; None: linear.
             use_bias: False leaves b out.
             kernel_initializer, bias_initializer: see nn.initializers.
             kernel_regularizer, bias_regularizer: see nn.regularizers.
             activity_regularizer: applied to the output, divided by the batch size.
             kernel_constraint, bias_constraint: see nn.constraints.
             trainable: False: training leaves the parameters as they are; may be assigned later.
    Raises:  OptionError: units below 1, or an unknown name.
    Example: >>> layer = Dense(3, activation="relu")
             >>> layer([[1.0, 2.0], [3.0, 4.0]]).shape, layer.weight.shape
             ((2, 3), (3, 2))
    """

    units: int
    activation: Any = None
    weight: Value = field(init=False)
    bias: Value = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.units = whole_number("units", self.units)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (units, features) and bias (units,)."""
        self.make_kernel("weight", (self.units, input_shape[-1]))
        self.make_bias("bias", self.units)

    def forward(self, x: Any) -> Any:
        """Return activation(x W^T + b), (..., units)."""
        out = np.inner(x, self.weight)
        if self.use_bias:
            out = out + self.bias
        return out if self.activation is None else self.activation(out)
