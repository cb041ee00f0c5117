"""Dense, RBF, and activation functions as layers: Activation, ReLU, PReLU, Softmax, ..."""

import math
from dataclasses import KW_ONLY, field
from typing import Self

import numpy as np

from autograd_core import ShapeError, Value, relu, softmax
from autograd_core.data import Operand, Result

from .. import activations, initializers
from ..configuration import Choice, check_range, configured
from ..data import whole_number
from ..randomness import generator
from .base import ArrayLayer


@configured
class Dense(ArrayLayer):
    """A fully connected layer: activation(x W^T + b).

    The parameters are `weight` W (units, features), one row for each neuron, and `bias` b (units,).
    Keras's kernel is W transposed.

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

    expects_unit_inputs = True

    units: int
    activation: Choice = None
    _: KW_ONLY
    use_bias: bool = True
    kernel_initializer: Choice = "glorot_uniform"
    bias_initializer: Choice = "zeros"
    kernel_regularizer: Choice = None
    bias_regularizer: Choice = None
    activity_regularizer: Choice = None
    kernel_constraint: Choice = None
    bias_constraint: Choice = None
    trainable: bool = True
    weight: Value = field(init=False)
    bias: Value = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.units = whole_number("units", self.units)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (units, features) and bias (units,)."""
        rules = self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint
        self.make_parameter("weight", (self.units, input_shape[-1]), *rules)
        if self.use_bias:
            rules = self.bias_initializer, self.bias_regularizer, self.bias_constraint
            self.make_parameter("bias", (self.units,), *rules)

    def forward(self, x: Operand) -> Result:
        """Return activation(x W^T + b), (..., units)."""
        out = np.inner(x, self.weight)
        if self.use_bias:
            out = out + self.bias
        return out if self.activation is None else self.activation(out)


class Activation(ArrayLayer):
    """A layer that applies an activation function.

    Args:    activation: a name or function, see nn.activations; None: linear.
    Raises:  OptionError: an unknown name.
    Example: >>> Activation("relu")(Value([[-1.0, 2.0]])).data
             array([[0., 2.]])
    """

    def __init__(self, activation: Choice) -> None:
        self.activation = activations.get("linear" if activation is None else activation)

    def forward(self, x: Operand) -> Result:
        """Return activation(x)."""
        return self.activation(x)


@configured
class ReLU(ArrayLayer):
    """x where x > threshold, at most max_value, and negative_slope * (x - threshold) elsewhere.

    Args:    max_value: the largest output; None: there is none.
             negative_slope: of the part below the threshold; 0: it is cut off.
             threshold: where that part begins.
    Raises:  OptionError: one of them is negative.
    Example: >>> ReLU(max_value=6.0)(Value([[-1.0, 2.0, 8.0]])).data
             array([[0., 2., 6.]])
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_value", "negative_slope", "threshold"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0.0)

    def forward(self, x: Operand) -> Result:
        """Return the part above the threshold, and a share of the rest."""
        if self.threshold:
            out = np.where(x > self.threshold, x, (x - self.threshold) * self.negative_slope)
        else:
            out = activations.leaky_relu(x, self.negative_slope) if self.negative_slope else relu(x)
        return out if self.max_value is None else np.minimum(out, self.max_value)


@configured
class LeakyReLU(ArrayLayer):
    """x where x > 0, and negative_slope * x elsewhere.

    Args:    negative_slope: 0.3, as in Keras; PyTorch's default is 0.01.
    Raises:  OptionError: a negative slope.
    Example: >>> LeakyReLU(0.1)(Value([[-1.0, 2.0]])).data
             array([[-0.1,  2. ]])
    """

    negative_slope: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("negative_slope", self.negative_slope, 0.0)

    def forward(self, x: Operand) -> Result:
        """Return x where it is positive, and a share of it elsewhere."""
        return activations.leaky_relu(x, self.negative_slope)


@configured
class ELU(ArrayLayer):
    """x where x > 0, and alpha * (exp(x) - 1) elsewhere.

    Example: >>> ELU()(Value([[0.0, 2.0]])).data
             array([[0., 2.]])
    """

    alpha: float = 1.0

    def forward(self, x: Operand) -> Result:
        """Return elu(x, alpha)."""
        return activations.elu(x, self.alpha)


@configured
class Softmax(ArrayLayer):
    """Probabilities: exp(x) divided by its sum over an axis.

    Args:    axis: of the classes, the last one by default.
    Example: >>> Softmax()(Value([[1.0, 1.0]])).data
             array([[0.5, 0.5]])
    """

    axis: int = -1

    def forward(self, x: Operand) -> Result:
        """Return softmax(x, axis)."""
        return softmax(x, axis=self.axis)


@configured
class PReLU(ArrayLayer):
    """A leaky relu with trainable slopes: x where x > 0, a x elsewhere.

    a (features,), the parameter `weight`, has one slope for each feature of the last axis, as in
    the paper and in PyTorch's PReLU(features). Keras has one for each element of a sample; with
    shared_axes=[1, 2] it agrees.

    Args:    alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes; see
             nn.initializers, nn.regularizers, nn.constraints.
             trainable: False: training leaves the slopes as they are.
    Raises:  OptionError: an unknown name.
    Example: >>> layer = PReLU("ones")
             >>> layer([[-1.0, 2.0]]).data, layer.weight.shape
             (array([[-1.,  2.]]), (2,))

    Source:  K. He et al., Delving Deep into Rectifiers, 2015, equation 1.
    """

    alpha_initializer: Choice = "zeros"
    alpha_regularizer: Choice = None
    alpha_constraint: Choice = None
    _: KW_ONLY
    trainable: bool = True
    weight: Value = field(init=False)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight (features,)."""
        rules = self.alpha_initializer, self.alpha_regularizer, self.alpha_constraint
        self.make_parameter("weight", input_shape[-1:], *rules)

    def forward(self, x: Operand) -> Result:
        """Return x where it is positive and weight * x elsewhere."""
        return activations.prelu(x, self.weight)


_UNIT_INTERVAL = initializers.Uniform(0.0, 1.0)


class RBF(ArrayLayer):
    """A layer of radial basis functions: exp(-||x - c_j||^2 / (2 s_j^2)) for each unit j.

    The parameters are the centres, `centres` (units, features), and the logarithms of the widths,
    `log_widths` (units,), so that widths stay positive.

    Args:    units: how many centres.
             width: the initial widths, above 0.
             centres_initializer: see nn.initializers; by default uniform from 0 to 1, for inputs
             of that range. `fit_centres` places the centres on data.
             trainable: False: training leaves centres and widths as they are.
    Raises:  OptionError: units below 1, a width that is not above 0, or an unknown name.
    Example: >>> layer = RBF(2, width=2.0, centres_initializer="zeros")
             >>> layer([[0.0, 0.0], [0.0, 2.0]]).data
             array([[1.        , 1.        ],
                    [0.60653066, 0.60653066]])

    Source:  D. S. Broomhead and D. Lowe, Multivariable Functional Interpolation and Adaptive
             Networks, 1988, section 3, with Gaussians.
    """

    expects_unit_inputs = True

    centres: Value
    log_widths: Value

    def __init__(
        self,
        units: int,
        width: float = 1.0,
        centres_initializer: Choice = _UNIT_INTERVAL,
        *,
        trainable: bool = True,
    ) -> None:
        check_range("width", width, math.ulp(0.0))
        self.units = whole_number("units", units)
        self.width = float(width)
        self.centres_initializer = initializers.get(centres_initializer)
        self.trainable = trainable

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make centres (units, features) and log_widths (units,)."""
        self.make_parameter("centres", (self.units, input_shape[-1]), self.centres_initializer)
        start = initializers.Constant(math.log(self.width))
        self.make_parameter("log_widths", (self.units,), start)

    @property
    def widths(self) -> Result:
        """The widths s_j, a Value (units,)."""
        return np.exp(self.log_widths)

    def forward(self, x: Operand) -> Result:
        """Return exp(-||x - c_j||^2 / (2 s_j^2)), (..., units)."""
        # ||x - c||^2 = ||x||^2 - 2 x c + ||c||^2 needs no array (batch, units, features). Relative
        # to the mean of the centres, its terms are as small as the distances and cancel little
        middle = np.mean(self.centres, 0)
        x, centres = x - middle, self.centres - middle
        squared = np.sum(x * x, -1, keepdims=True) + np.sum(centres * centres, -1)
        squared = squared - (x @ centres.T) * 2.0
        return np.exp(squared * (np.exp(self.log_widths * -2.0) * -0.5))

    def fit_centres(self, x: Operand) -> Self:
        """Place the centres on samples of the data, drawn at random without replacement.

        All widths become d / sqrt(2 units), where d is the largest distance between two centres;
        if d is 0, they stay.

        Args:    x: array, (samples, features).
        Returns: itself.
        Raises:  ShapeError: fewer samples than units, or no (samples, features).
        Example: >>> layer = RBF(2).fit_centres([[0.0, 0.0], [3.0, 4.0]])
                 >>> sorted(layer.centres.data.tolist()), layer.widths.data
                 ([[0.0, 0.0], [3.0, 4.0]], array([2.5, 2.5]))
        """
        x = np.asarray(self._as_batch(x))
        if x.ndim != 2 or len(x) < self.units:
            raise ShapeError(
                f"data of shape {x.shape} for the centres of {self}",
                f"each of the {self.units} centres is placed on another sample",
                f"an array (samples, features) of at least {self.units} samples",
            )
        with self.evaluating():  # makes the parameters, or checks that they fit
            self(x[:1])
        chosen = generator().choice(x, self.units, replace=False)
        largest = np.sqrt(np.square(chosen[:, None] - chosen).sum(-1).max())
        self.centres.data = chosen.astype(self.dtype)
        if largest > 0.0:
            logarithm = float(np.log(largest / np.sqrt(2.0 * self.units)))
            self.log_widths.data = np.full_like(self.log_widths.data, logarithm)
        return self
