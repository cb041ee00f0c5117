"""BatchNormalization and LayerNormalization: mean 0 and variance 1, then a trained scale."""

import math
from dataclasses import KW_ONLY, field

import numpy as np

from autograd_core import OptionError, Value, callback
from autograd_core.data import Array, Operand, Result

from ..configuration import Choice, check_range, configured
from ..settings import current
from .base import ArrayLayer, steps_that_count


@configured
class _Normalization(ArrayLayer):
    """The options of both, and the scale and shift."""

    axis: int = -1
    _: KW_ONLY
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Choice = "zeros"
    gamma_initializer: Choice = "ones"
    beta_regularizer: Choice = None
    gamma_regularizer: Choice = None
    beta_constraint: Choice = None
    gamma_constraint: Choice = None
    trainable: bool = True
    weight: Value = field(init=False)
    bias: Value = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.axis != -1:
            raise OptionError(
                f"axis = {self.axis!r} of a {type(self).__name__}",
                "features lie along the last axis here",
                "axis=-1; np.moveaxis(x, axis, -1) puts another one last",
            )
        check_range("epsilon", self.epsilon, 0.0)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight and bias (features,)."""
        shape = input_shape[-1:]
        if self.scale:
            rules = self.gamma_regularizer, self.gamma_constraint
            self.make_parameter("weight", shape, self.gamma_initializer, *rules)
        if self.center:
            rules = self.beta_regularizer, self.beta_constraint
            self.make_parameter("bias", shape, self.beta_initializer, *rules)

    def _scaled(self, centred: Operand, variance: Operand) -> Result:
        """Return w * centred / sqrt(variance + epsilon) + b."""
        factor = (variance + self.epsilon) ** -0.5
        if self.scale:
            factor = factor * self.weight
        return centred * factor + self.bias if self.center else centred * factor


class LayerNormalization(_Normalization):
    """Normalizes each sample over its features: (x - mean) / sqrt(variance + epsilon) * w + b.

    Mean and variance are those of the last axis; w and b (features,), the parameters `weight` and
    `bias`, are Keras's gamma and beta.

    Args:    axis: -1, the last one.
             epsilon: keeps the root from 0.
             center, scale: False leaves b or w out.
             beta_initializer, beta_regularizer, beta_constraint: of b; see nn.initializers,
             nn.regularizers, nn.constraints.
             gamma_initializer, gamma_regularizer, gamma_constraint: of w.
             trainable: False: training leaves w and b as they are.
    Raises:  OptionError: another axis, a negative epsilon, or an unknown name.
    Example: >>> LayerNormalization(epsilon=0)([[1.0, 3.0], [10.0, 30.0]]).data
             array([[-1.,  1.],
                    [-1.,  1.]])

    Source:  J. L. Ba, J. R. Kiros and G. E. Hinton, Layer Normalization, 2016, equation 4; the
             default epsilon is Keras's.
    """

    def forward(self, x: Operand) -> Result:
        """Return x normalized, in its shape."""
        centred = x - np.mean(x, -1, keepdims=True)
        variance = np.mean(np.square(centred), -1, keepdims=True)
        return self._scaled(centred, variance)


@configured
class BatchNormalization(_Normalization):
    """Normalizes each feature over the batch: (x - mean) / sqrt(variance + epsilon) * w + b.

    In training, mean and variance (with n, not n - 1) are those of the batch, over all axes but
    the last, and update the buffers `running_mean` and `running_var`: new = momentum * old +
    (1 - momentum) * batch. Evaluation uses the buffers. As in Keras, masked steps do not count for
    the batch's mean and variance.

    Args:    momentum: of the buffers, from 0 to 1 (PyTorch's is 1 - this).
             moving_mean_initializer, moving_variance_initializer: of the buffers.
             others: as in LayerNormalization. trainable=False also leaves the buffers as they
             are, and normalizes with them in training, too.
    Raises:  OptionError: another axis, a momentum outside 0 to 1, a negative epsilon, or an
             unknown name.
    Example: >>> layer = BatchNormalization(epsilon=0)
             >>> layer([[1.0, 10.0], [3.0, 30.0]]).data, layer.running_mean
             (array([[-1., -1.],
                    [ 1.,  1.]]), array([0.02, 0.2 ]))

    Source:  S. Ioffe and C. Szegedy, Batch Normalization, 2015, algorithms 1 and 2; as in Keras,
             the running variance is that with n, where theirs, and PyTorch's, has n - 1.
    """

    takes_mask = True
    read_anew = _Normalization.read_anew | {"running_mean", "running_var"}

    momentum: float = 0.99
    _: KW_ONLY
    moving_mean_initializer: Choice = "zeros"
    moving_variance_initializer: Choice = "ones"
    running_mean: Array = field(init=False)
    running_var: Array = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("momentum", self.momentum, 0.0, 1.0)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make weight, bias, running_mean and running_var (features,)."""
        super().make_parameters(input_shape)
        self.make_buffer("running_mean", input_shape[-1:], self.moving_mean_initializer)
        self.make_buffer("running_var", input_shape[-1:], self.moving_variance_initializer)

    @property
    def acts_in_training(self) -> bool:
        """Whether it normalizes by the batch in training."""
        return self.trainable

    def forward(self, x: Operand, mask: Operand = None) -> Result:
        """Return x normalized, in its shape; in training, update the buffers.

        Args:    mask: (batch, steps) of x (batch, steps, ..., features), False where a step does
                 not count; None: all count.
        Raises:  ShapeError, DataError: the mask does not fit.
        """
        axes = tuple(range(len(x.shape) - 1))
        if not (self.training and self.acts_in_training):
            mean = current(lambda: self.running_mean)
            return self._scaled(x - mean, current(lambda: self.running_var))
        if mask is not None:
            mask = steps_that_count(mask, x.shape)
        mean = _mean(x, axes, mask)
        centred = x - mean
        variance = _mean(np.square(centred), axes, mask)
        callback(self._follow, mean, variance)
        return self._scaled(centred, variance)

    def _follow(self, mean: Operand, variance: Operand) -> None:
        """Update the buffers with a batch's mean and variance."""
        vars(self).update(  # of their shape and type, without the check of an assignment
            running_mean=self._moved(self.running_mean, mean),
            running_var=self._moved(self.running_var, variance),
        )

    def _moved(self, old: Operand, batch: Operand) -> Array:
        return self.momentum * old + (1.0 - self.momentum) * np.asarray(batch, old.dtype)


def _mean(x: Operand, axes: tuple[int, ...], mask: Operand) -> Result:
    """Return the mean over axes, of the steps where a mask (batch, steps) is True."""
    if mask is None:
        return np.mean(x, axes)
    inner = (1,) * (len(x.shape) - 2)
    counts = np.where(mask, 1.0, 0.0).astype(x.dtype)
    total = np.sum(counts) * math.prod(x.shape[2:-1])
    return np.sum(np.where(mask.reshape(*mask.shape, *inner), x, 0.0), axes) / np.maximum(
        total, 1.0
    )
