"""Functions for networks: stable for inputs of any size, on Values, arrays and numbers."""

from ..data import Axis, Operand, Result
from ..primitives import elementwise, reductions


def sigmoid(x: Operand) -> Result:
    """Return 1 / (1 + exp(-x)), element by element.

    Args:    x: any shape.
    Returns: the same shape, between 0 and 1.
    Example: >>> sigmoid(0.0), sigmoid(1000.0), sigmoid(-1000.0)
             (0.5, 1.0, 0.0)
    """
    return elementwise.sigmoid(x)


def relu(x: Operand) -> Result:
    """Return x where it is positive and 0 elsewhere; the derivative at 0 is 0.

    Args:    x: any shape.
    Returns: the same shape.
    Example: >>> relu([-1.0, 2.0])
             array([0., 2.])
    """
    return elementwise.relu(x)


def leaky_relu(x: Operand, slope: float = 0.01) -> Result:
    """Return x where it is positive and slope * x elsewhere; the derivative at 0 is `slope`.

    Args:    x: any shape.
             slope: derivative for x <= 0; a Value learns it.
    Returns: the same shape.
    Example: >>> leaky_relu([-1.0, 2.0], slope=0.1)
             array([-0.1,  2. ])
    """
    return elementwise.where(elementwise.greater(x, 0.0), x, elementwise.multiply(x, slope))


def softplus(x: Operand) -> Result:
    """Return log(1 + exp(x)), element by element: a smooth relu.

    Args:    x: any shape.
    Returns: the same shape, positive.
    Example: >>> softplus(1000.0)
             1000.0
    """
    return elementwise.softplus(x)


def erf(x: Operand) -> Result:
    """Return the error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    Args:    x: any shape.
    Returns: the same shape, between -1 and 1.
    Example: >>> erf([0.0, 0.5, -1000.0])
             array([ 0.        ,  0.52049988, -1.        ])
    """
    return elementwise.erf(x)


def erfc(x: Operand) -> Result:
    """Return 1 - erf(x), exact in the tail where erf rounds to 1.

    erfc(-x / sqrt(2)) / 2 is the probability that a standard normal number is below x.

    Args:    x: any shape.
    Returns: the same shape, between 0 and 2.
    Example: >>> erfc([0.0, 5.0, 1000.0])
             array([1.00000000e+00, 1.53745979e-12, 0.00000000e+00])
    """
    return elementwise.erfc(x)


def softmax(x: Operand, axis: Axis = -1) -> Result:
    """Return exp(x) / sum(exp(x)): positive numbers that sum to 1 along the axis.

    Args:    x: logits, such as (batch, classes).
             axis: over which they sum to 1.
    Returns: probabilities of the shape of x.
    Example: >>> softmax([0.0, 0.0, -1000.0])
             array([0.5, 0.5, 0. ])
    """
    return reductions.softmax(x, axis=axis)


def log_softmax(x: Operand, axis: Axis = -1) -> Result:
    """Return the logarithm of softmax, exact where softmax itself would round to 0.

    Args:    x: logits, such as (batch, classes).
             axis: over which the probabilities sum to 1.
    Returns: log-probabilities of the shape of x.
    Example: >>> log_softmax([0.0, -1000.0])
             array([    0., -1000.])
    """
    return reductions.log_softmax(x, axis=axis)


def logsumexp(x: Operand, axis: Axis = None, keepdims: bool = False) -> Result:
    """Return log(sum(exp(x))): a smooth maximum.

    Args:    x: any shape.
             axis: over which to sum; None: all.
             keepdims: keep the summed axes, with length 1.
    Returns: the shape of x without the axis.
    Example: >>> logsumexp([1000.0, 1000.0])
             1000.6931471805599
    """
    return reductions.logsumexp(x, axis=axis, keepdims=keepdims)
