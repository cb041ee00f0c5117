"""Dense: every output sees every input."""

from typing import Any

from autograd_core import Value

from .. import activations, constraints, initializers, regularizers
from ..configuration import check_range
from .base import ArrayLayer


class Dense(ArrayLayer):
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
    Raises:  OptionError: units below 1, or an unknown name.
    Example: >>> layer = Dense(3, activation="relu")
             >>> layer([[1.0, 2.0], [3.0, 4.0]]).shape, layer.weight.shape
             ((2, 3), (3, 2))
    """

    weight: Value
    bias: Value

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
    ) -> None:
        check_range("units", units, 1)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (units, features) and bias (units,)."""
        self.make_parameter(
            "weight",
            (self.units, input_shape[-1]),
            self.kernel_initializer,
            self.kernel_regularizer,
            self.kernel_constraint,
            order="F",
        )
        if self.use_bias:
            self.make_parameter(
                "bias",
                (self.units,),
                self.bias_initializer,
                self.bias_regularizer,
                self.bias_constraint,
            )

    def forward(self, x: Any) -> Any:
        """Return activation(x W^T + b), (..., units)."""
        out = x @ self.weight.T
        if self.use_bias:
            out = out + self.bias
        return out if self.activation is None else self.activation(out)
