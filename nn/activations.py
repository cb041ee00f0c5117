"""Activation functions, by name and as functions, on Values, arrays and numbers.

All of them compute without overflow where their result is finite, for inputs of any size, and keep
float32. Where a function has a kink, its derivative there is written in its docstring.
"""

import math

import numpy as np

from autograd_core import erfc, log_softmax, relu, sigmoid, softmax, softplus
from autograd_core import leaky_relu as rectified
from autograd_core.data import Operand, Result

from .configuration import Choice, choose

__all__ = [
    "BY_NAME",
    "celu",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "step",
    "swish",
    "tanh",
]


def linear(x: Operand) -> Result:
    """Return x as it is.

    Example: >>> linear(3.0)
             3.0
    """
    return x


def step(x: Operand) -> Result:
    """Return 1 where x >= 0 and 0 elsewhere: a neuron fires at z >= 0.

    Its derivative is 0 everywhere, so gradient descent learns nothing through it.

    Example: >>> step(np.array([-0.5, 0.0, 2.0]))
             array([0., 1., 1.])
    """
    return 1.0 - np.sign(relu(-x))  # recorded, unlike a comparison: it lives on in the graph


def sign(x: Operand) -> Result:
    """Return -1, 0 or 1, the sign of x; its derivative is 0 everywhere.

    Example: >>> sign(np.array([-0.5, 0.0, 2.0]))
             array([-1.,  0.,  1.])
    """
    return np.sign(x)


def tanh(x: Operand) -> Result:
    """Return the hyperbolic tangent, 2 sigmoid(2x) - 1, between -1 and 1.

    Example: >>> tanh(np.array([-1000.0, 0.0, 0.5]))
             array([-1.        ,  0.        ,  0.46211716])
    """
    return np.tanh(x)


def leaky_relu(x: Operand, negative_slope: Operand = 0.2) -> Result:
    """Return x where it is positive and negative_slope * x elsewhere.

    The slope's name and default are Keras's; autograd_core.leaky_relu has 0.01. At 0 the derivative
    is negative_slope, as that of relu is 0, where Keras has 1.

    Args:    negative_slope: derivative for x <= 0; a Value learns it.
    Example: >>> leaky_relu(np.array([-1.0, 2.0]))
             array([-0.2,  2. ])
    """
    return rectified(x, negative_slope)


def prelu(x: Operand, slope: Operand = 0.25) -> Result:
    """Return leaky_relu with a slope that is learnt: x where positive, slope * x elsewhere.

    Chosen by name it has the slope 0.25 and keeps it; the layer PReLU learns one for each unit.

    Args:    slope: a Value, one number or one for each unit, (units,).
    Example: >>> from autograd_core import Value
             >>> slope = Value(0.25)
             >>> prelu(np.array([-3.0, 2.0]), slope).sum().backward()
             >>> slope.grad
             -3.0

    Source:  He et al., Delving Deep into Rectifiers, 2015, equation 1.
    """
    return rectified(x, slope)


def relu6(x: Operand) -> Result:
    """Return relu, held at 6 above it; derivative 0 at 0 and, as in any tie, 1/2 at 6.

    Example: >>> relu6(np.array([-1.0, 2.0, 8.0]))
             array([0., 2., 6.])
    """
    return np.minimum(relu(x), 6.0)


def _negative_part(x: Operand) -> Result:
    """Return x where it is negative, 0 where positive; the derivative at 0 is 1, relu's being 0."""
    return np.where(relu(x), 0.0, x)


def elu(x: Operand, alpha: Operand = 1.0) -> Result:
    """Return x where it is positive and alpha * (exp(x) - 1) elsewhere: smooth for alpha = 1.

    Args:    alpha: minus the limit for x to -inf; the derivative at 0.
    Example: >>> elu(np.array([-1000.0, 0.0, 2.0]))
             array([-1.,  0.,  2.])

    Source:  Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units,
             2016.
    """
    return relu(x) + alpha * np.expm1(_negative_part(x))


def selu(x: Operand) -> Result:
    """Return 1.0507 elu(x, 1.6733), which keeps mean 0 and variance 1 from layer to layer.

    Weights then start from lecun_normal.

    Example: >>> selu(np.array([-1000.0, 0.0, 2.0]))
             array([-1.75809934,  0.        ,  2.10140197])

    Source:  Klambauer et al., Self-Normalizing Neural Networks, 2017, equation 2.
    """
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def celu(x: Operand, alpha: Operand = 1.0) -> Result:
    """Return x where it is positive and alpha * (exp(x / alpha) - 1) elsewhere: smooth.

    Args:    alpha: minus the limit for x to -inf, not 0.
    Example: >>> celu(np.array([-1000.0, 0.0, 2.0]), alpha=0.5)
             array([-0.5,  0. ,  2. ])

    Source:  Barron, Continuously Differentiable Exponential Linear Units, 2017.
    """
    return relu(x) + alpha * np.expm1(_negative_part(x) / alpha)


def gelu(x: Operand, approximate: bool = False) -> Result:
    """Return x times the probability that a standard normal number is below x.

    Args:    approximate: take 1/2 + 1/2 tanh(sqrt(2 / pi) (x + 0.044715 x^3)) for it.
    Example: >>> gelu(np.array([-1000.0, 0.0, 1.0]))
             array([-0.        ,  0.        ,  0.84134475])

    Source:  Hendrycks and Gimpel, Gaussian Error Linear Units, 2016, section 2.
    """
    if approximate:  # 1/2 + 1/2 tanh(z) is sigmoid(2z), which is exact in the left tail, too
        z = np.clip(x, -100.0, 100.0)  # where the sigmoid is 0 or 1, before the cube overflows
        return x * sigmoid(2 * math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))
    return 0.5 * x * erfc(x * -math.sqrt(0.5))


def silu(x: Operand) -> Result:
    """Return x * sigmoid(x), also known as swish: smooth, with its minimum, -0.278, at -1.278.

    Example: >>> silu(np.array([-1000.0, 0.0, 1.0]))
             array([-0.        ,  0.        ,  0.73105858])

    Source:  Elfwing et al., Sigmoid-Weighted Linear Units, 2018.
    """
    return x * sigmoid(x)


swish = silu


def softsign(x: Operand) -> Result:
    """Return x / (1 + |x|), between -1 and 1, which saturates more slowly than tanh.

    Example: >>> softsign(np.array([-3.0, 0.0, 1.0]))
             array([-0.75,  0.  ,  0.5 ])
    """
    size = abs(x)
    part = 1.0 / (1.0 + size)
    # Far out the derivative of x * part is a difference of two numbers that are nearly equal
    is_far = relu(size - 1.0)
    return np.where(is_far, np.sign(x), x) * np.where(is_far, 1.0 - part, part)


def mish(x: Operand) -> Result:
    """Return x * tanh(softplus(x)): smooth, with its minimum, -0.309, at -1.192.

    Example: >>> mish(np.array([-1000.0, 0.0, 1.0]))
             array([-0.        ,  0.        ,  0.86509839])

    Source:  Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2020.
    """
    return x * np.tanh(softplus(x))


def exponential(x: Operand) -> Result:
    """Return exp(x), positive: for means of counts and for rates. It overflows to inf above 709.

    Example: >>> exponential(np.array([-1000.0, 0.0, 1.0]))
             array([0.        , 1.        , 2.71828183])
    """
    return np.exp(x)


def hard_sigmoid(x: Operand) -> Result:
    """Return x / 6 + 1/2, held between 0 and 1: a sigmoid of straight lines.

    At its kinks, -3 and 3, the derivative is that of relu6.

    Example: >>> hard_sigmoid(np.array([-1000.0, 0.0, 1.5]))
             array([0.  , 0.5 , 0.75])
    """
    return relu6(x + 3.0) / 6.0


def hard_tanh(x: Operand) -> Result:
    """Return x, held between -1 and 1; derivative 1/2 at these kinks, where Keras has 1.

    Example: >>> hard_tanh(np.array([-1000.0, 0.5, 2.0]))
             array([-1. ,  0.5,  1. ])
    """
    return np.clip(x, -1.0, 1.0)


def log_sigmoid(x: Operand) -> Result:
    """Return the logarithm of sigmoid, exact where sigmoid itself would round to 0.

    Example: >>> log_sigmoid(np.array([-1000.0, 0.0]))
             array([-1.00000000e+03, -6.93147181e-01])
    """
    return -softplus(-x)


OF_LAYERS = (softmax, log_softmax)  # which need all outputs of a layer at once
BY_NAME = {name: globals()[name] for name in __all__ if name not in ("BY_NAME", "get")}


def get(activation: Choice) -> Choice:
    """Return an activation function by name; functions and None as they are.

    Options are given with functools.partial.

    Args:    activation: a name, a function of one argument, or None.
    Raises:  OptionError: no such name.
    Example: >>> from functools import partial
             >>> get("swish")(0.0), get(partial(leaky_relu, negative_slope=0.1))(-1.0)
             (0.0, -0.1)
    """
    return choose("activation", BY_NAME, activation)
