"""Activation and PReLU: activation functions as layers."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from autograd_core import Value

from .. import activations
from .base import ArrayLayer


class Activation(ArrayLayer):
    """A layer that applies an activation function.

    Args:    activation: a name or function, see nn.activations; None: linear.
    Raises:  OptionError: an unknown name.
    Example: >>> Activation("relu")(Value([[-1.0, 2.0]])).data
             array([[0., 2.]])
    """

    def __init__(self, activation: Any) -> None:
        self.activation = activations.get("linear" if activation is None else activation)

    def forward(self, x: Any) -> Any:
        """Return activation(x)."""
        return self.activation(x)


@dataclass(eq=False, repr=False)
class PReLU(ArrayLayer):
    """A leaky relu that learns its slopes: x where x > 0, a x elsewhere.

    a (features,), the parameter `weight`, has one slope for each feature of the last axis, as in
    the paper and in PyTorch's PReLU(features). Keras learns one for each element of a sample; for
    samples of several axes, its shared_axes=[1, 2] gives the same as this.

    Args:    alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes; see
             nn.initializers, nn.regularizers, nn.constraints.
             trainable: False: training leaves the slopes as they are.
    Raises:  OptionError: an unknown name.
    Example: >>> layer = PReLU("ones")
             >>> layer([[-1.0, 2.0]]).data, layer.weight.shape
             (array([[-1.,  2.]]), (2,))

    Source:  K. He et al., Delving Deep into Rectifiers, 2015, equation 1.
    """

    alpha_initializer: Any = "zeros"
    alpha_regularizer: Any = None
    alpha_constraint: Any = None
    _: KW_ONLY
    trainable: bool = True
    weight: Value = field(init=False)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (features,)."""
        rules = self.alpha_initializer, self.alpha_regularizer, self.alpha_constraint
        self.make_parameter("weight", input_shape[-1:], *rules)

    def forward(self, x: Any) -> Any:
        """Return x where it is positive and weight * x elsewhere."""
        return activations.prelu(x, self.weight)
