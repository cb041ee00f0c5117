"""SGD, Lion, Adagrad, Adadelta, RMSprop, Adam and its variants: the formula of each one's update.

In all formulas g is the gradient, w the parameter, and t the number of the update, from 1.

A scalar network has thousands of parameters that are Python floats, for which NumPy would cost more
than the arithmetic. So formulas are written with operators, and with `root`, `larger`, `sign` and
`average` where none exists. A slot is not changed in place, so that a step that is interrupted
leaves all slots as they were.
"""

import math
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from autograd_core import OptionError, fresh

from ..configuration import check_range
from .base import Optimizer


@dataclass(eq=False, repr=False)
class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

    m = momentum * m - learning_rate * g;  w = w + m, or with Nesterov's momentum
    w = w + momentum * m - learning_rate * g.  Without momentum: w = w - learning_rate * g.

    Args:    learning_rate: see Optimizer. The time-based decay of older texts, SGD(lr, decay=d),
             is schedules.InverseTimeDecay(lr, decay_steps=1, decay_rate=d): lr / (1 + d * step).
             momentum: how much of the last step remains, from 0 to 1.
             nesterov: take the gradient's step from where momentum leads.
    Raises:  OptionError: momentum is not between 0 and 1; and see Optimizer.
    Example: >>> from nn.schedules import InverseTimeDecay
             >>> optimizer = SGD(InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5))
             >>> optimizer.iterations = 2
             >>> optimizer.current_learning_rate()
             0.05
    Source:  Sutskever et al., On the importance of initialization and momentum in deep learning,
             2013, eqs. 1-4.
    """

    learning_rate: Any = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    name = "sgd"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("momentum", self.momentum, 0, 1)

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        step = gradient * -learning_rate
        if self.momentum:
            velocity = slots["momentum"] * self.momentum
            velocity += step
            slots["momentum"] = velocity
            step = step + velocity * self.momentum if self.nesterov else velocity
        return data + step


@dataclass(eq=False, repr=False)
class Lion(Optimizer):
    """Steps of one size for all: the sign of an average of gradients.

    w = w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g);  m = beta_2 * m + (1 - beta_2) * g

    Args:    learning_rate: see Optimizer; three to ten times smaller than for Adam.
             beta_1: how much the average counts beside the newest gradient, from 0 to 1.
             beta_2: how much of the average remains, from 0 to 1.
    Raises:  OptionError: see Optimizer.
    Example: >>> Lion(1e-4, weight_decay=0.1)
             Lion(learning_rate=0.0001, weight_decay=0.1)
    Source:  Chen et al., Symbolic discovery of optimization algorithms, 2023, algorithm 2.
    """

    learning_rate: Any = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("beta_1", self.beta_1, 0, 1)
        check_range("beta_2", self.beta_2, 0, 1)

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        direction = slots["momentum"] * self.beta_1
        direction += gradient * (1 - self.beta_1)
        average(slots, "momentum", gradient, self.beta_2)
        return data - sign(direction) * learning_rate


@dataclass(eq=False, repr=False)
class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients so far.

    a = a + g^2;  w = w - learning_rate * g / sqrt(a + epsilon)

    Args:    learning_rate: see Optimizer.
             initial_accumulator_value: where a starts.
             epsilon: keeps the division finite.
    Raises:  OptionError: a negative number; and see Optimizer.
    Example: >>> Adagrad(0.1).initial_accumulator_value
             0.1
    Source:  Duchi, Hazan and Singer, Adaptive subgradient methods, 2011, eq. 1. As in Keras, a
             starts above 0 and epsilon stands inside the root; the paper has it outside.
    """

    learning_rate: Any = 0.001
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("initial_accumulator_value", self.initial_accumulator_value, 0)
        check_range("epsilon", self.epsilon, 0)

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        start = 0.0 if "accumulator" in slots else self.initial_accumulator_value
        slots["accumulator"] = slots["accumulator"] + (gradient * gradient + start)
        step = gradient / root(slots["accumulator"] + self.epsilon)
        step *= -learning_rate
        step += data
        return step


@dataclass(eq=False, repr=False)
class Adadelta(Optimizer):
    """Divides by the root of recent squared gradients, and multiplies by that of recent steps.

    a = rho * a + (1 - rho) * g^2;  d = g * sqrt(b + epsilon) / sqrt(a + epsilon);
    b = rho * b + (1 - rho) * d^2;  w = w - learning_rate * d

    Args:    learning_rate: see Optimizer; 1.0 is the paper's.
             rho: how much of the averages remains, from 0 to 1.
             epsilon: keeps the division finite, and lets the first step happen.
    Raises:  OptionError: a number out of its range; and see Optimizer.
    Example: >>> Adadelta(1.0)
             Adadelta(learning_rate=1.0)
    Source:  Zeiler, ADADELTA, 2012, algorithm 1, which has no learning rate; Keras has.
    """

    learning_rate: Any = 0.001
    rho: float = 0.95
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("rho", self.rho, 0, 1)
        check_range("epsilon", self.epsilon, 0)

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        squares = average(slots, "accumulated_grad", gradient * gradient, self.rho)
        step = root(slots["accumulated_delta_var"] + self.epsilon)
        step *= gradient
        step /= root(squares + self.epsilon)
        average(slots, "accumulated_delta_var", step * step, self.rho)
        step *= -learning_rate
        step += data
        return step


@dataclass(eq=False, repr=False)
class RMSprop(Optimizer):
    """Divides by the root of an average of recent squared gradients.

    v = rho * v + (1 - rho) * g^2;  d = learning_rate * g / sqrt(v + epsilon);  w = w - d.
    Centered: v - a^2 in place of v, with a the average of g. With momentum:
    m = momentum * m + d;  w = w - m.

    Args:    learning_rate: see Optimizer.
             rho: how much of the averages remains, from 0 to 1.
             momentum: how much of the last step remains, from 0 to 1.
             epsilon: keeps the division finite.
             centered: divide by an estimate of the gradients' deviation in place of their size.
    Raises:  OptionError: a number out of its range; and see Optimizer.
    Example: >>> RMSprop(momentum=0.9, centered=True)
             RMSprop(momentum=0.9, centered=True)
    Source:  Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012; centered:
             Graves, Generating sequences with recurrent neural networks, 2013, eqs. 38-41.
    """

    learning_rate: Any = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False
    name = "rmsprop"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("rho", self.rho, 0, 1)
        check_range("momentum", self.momentum, 0, 1)
        check_range("epsilon", self.epsilon, 0)

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        size = average(slots, "velocity", gradient * gradient, self.rho) + self.epsilon
        if self.centered:
            mean = average(slots, "average_gradient", gradient, self.rho)
            size -= mean * mean
        step = gradient / root(size)
        step *= learning_rate
        if self.momentum:
            velocity = slots["momentum"] * self.momentum
            velocity += step
            slots["momentum"] = step = velocity
        return data - step


@dataclass(eq=False, repr=False)
class _TwoAverages(Optimizer):
    """The options that Adam, Adamax and Nadam share."""

    learning_rate: Any = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("epsilon", self.epsilon, 0)
        for name in ("beta_1", "beta_2"):
            check_range(name, getattr(self, name), 0, 1)
            if getattr(self, name) == 1:
                raise OptionError(
                    f"{name} = 1",
                    "an average that keeps everything never takes in a gradient",
                    f"{name} below 1, such as 0.999",
                )


@dataclass(eq=False, repr=False)
class Adam(_TwoAverages):
    """Divides an average of gradients by the root of an average of their squares.

    m = beta_1 * m + (1 - beta_1) * g;  v = beta_2 * v + (1 - beta_2) * g^2;
    w = w - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Args:    learning_rate: see Optimizer.
             beta_1, beta_2: how much of the averages remains, from 0 to below 1.
             epsilon: keeps the division finite.
             amsgrad: divide by the largest v so far.
    Raises:  OptionError: a number out of its range; and see Optimizer.
    Example: >>> from autograd_core import Value
             >>> x, optimizer = Value([1.0, -1.0]), Adam(learning_rate=0.1)
             >>> (x * x).sum().backward()
             >>> optimizer.step([x])
             >>> x.data
             array([ 0.9, -0.9])
    Source:  Kingma and Ba, Adam, 2015, algorithm 1, with epsilon where the end of section 2 and
             Keras have it: beside sqrt(v) before its correction. AMSGrad: Reddi, Kale and Kumar,
             On the convergence of Adam and beyond, 2018, algorithm 2, with Adam's corrections.
    """

    amsgrad: bool = False

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        mean = average(slots, "momentum", gradient, self.beta_1)
        square = average(slots, "velocity", gradient * gradient, self.beta_2)
        if self.amsgrad:
            square = slots["velocity_hat"] = larger(slots["velocity_hat"], square)
        step = root(square)
        step += self.epsilon
        step = mean / step
        step *= -learning_rate * fresh(self._correction)
        step += data
        return step

    def _correction(self) -> float:
        t = self.updates
        return math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)


@dataclass(eq=False, repr=False)
class AdamW(Adam):
    """Adam with weight decay, which here is on from the start: see Optimizer.

    Args:    learning_rate, weight_decay: see Optimizer.
             beta_1, beta_2, epsilon, amsgrad: see Adam.
    Raises:  OptionError: weight_decay is None; and see Adam.
    Example: >>> AdamW(0.001, 0.01)
             AdamW(weight_decay=0.01)
    Source:  Loshchilov and Hutter, Decoupled weight decay regularization, 2019, algorithm 2.
    """

    weight_decay: float | None = 0.004
    name = "adamw"

    def __post_init__(self) -> None:
        check_range("weight_decay", self.weight_decay, 0)  # type: ignore[arg-type]
        super().__post_init__()


@dataclass(eq=False, repr=False)
class Adamax(_TwoAverages):
    """Adam with the largest recent gradient in place of the root of mean squares.

    m = beta_1 * m + (1 - beta_1) * g;  u = max(beta_2 * u, |g|);
    w = w - learning_rate / (1 - beta_1^t) * m / (u + epsilon)

    Args:    learning_rate, beta_1, beta_2, epsilon: see Adam.
    Raises:  OptionError: see Adam.
    Example: >>> Adamax(0.002)
             Adamax(learning_rate=0.002)
    Source:  Kingma and Ba, Adam, 2015, algorithm 2, which has no epsilon; Keras has.
    """

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        mean = average(slots, "momentum", gradient, self.beta_1)
        largest = slots["norm"] = larger(slots["norm"] * self.beta_2, abs(gradient))
        step = mean / (largest + self.epsilon)
        step *= -learning_rate / fresh(lambda: 1 - self.beta_1**self.updates)
        step += data
        return step


# prod of 1 - 0.96^i / 2 for i = 1, ..., t: beyond t = 1000 all factors are 1 to the last bit
_PRODUCTS: tuple[float, ...] = tuple(accumulate((1 - 0.5 * 0.96**i for i in range(1, 1001)), mul))


@dataclass(eq=False, repr=False)
class Nadam(_TwoAverages):
    """Adam with Nesterov's momentum, which grows during the first updates.

    m, v as in Adam;  u_t = beta_1 * (1 - 0.96^t / 2);  U_t = u_1 * ... * u_t;
    n = u_(t+1) * m / (1 - U_(t+1)) + (1 - u_t) * g / (1 - U_t);
    w = w - learning_rate * n / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Args:    learning_rate, beta_1, beta_2, epsilon: see Adam.
    Raises:  OptionError: see Adam.
    Example: >>> Nadam(beta_1=0.95)
             Nadam(beta_1=0.95)
    Source:  Dozat, Incorporating Nesterov momentum into Adam, 2016, algorithm 2; as in Keras m is
             the plain average with beta_1, where the paper averages with u_t.
    """

    def update(self, data: Any, gradient: Any, slots: dict[str, Any], learning_rate: float) -> Any:
        """Return the new data."""
        mean = average(slots, "momentum", gradient, self.beta_1)
        square = average(slots, "velocity", gradient * gradient, self.beta_2)
        step = mean * fresh(lambda: self._momentum(1) / (1 - self._product(1)))
        step += gradient * fresh(lambda: (1 - self._momentum(0)) / (1 - self._product(0)))
        step /= root(square / fresh(lambda: 1 - self.beta_2**self.updates)) + self.epsilon
        step *= -learning_rate
        step += data
        return step

    def _momentum(self, later: int) -> float:
        t = self.updates + later
        return self.beta_1 * (1 - 0.5 * math.pow(0.96, t))

    def _product(self, later: int) -> float:
        t = self.updates + later
        return math.pow(self.beta_1, t) * _PRODUCTS[min(t, len(_PRODUCTS)) - 1]


def root(x: Any) -> Any:
    """Return the square root; that of a negative number is NaN.

    Example: >>> root(4.0), root(np.array([4.0]))
             (2.0, array([2.]))
    """
    if type(x) is float:
        return math.nan if x < 0.0 else math.sqrt(x)
    return np.sqrt(x)


def larger(x: Any, y: Any) -> Any:
    """Return the larger of two, NaN if either is.

    Example: >>> larger(1.0, 2.0), larger(math.nan, 2.0)
             (2.0, nan)
    """
    if type(x) is float:
        return x if x > y or x != x else y
    return np.maximum(x, y)


def sign(x: Any) -> Any:
    """Return 1, 0 or -1; NaN for NaN.

    Example: >>> sign(-0.5), sign(0.0), sign(np.array([3.0]))
             (-1.0, 0.0, array([1.]))
    """
    if type(x) is float:
        return x if x == 0.0 or x != x else math.copysign(1.0, x)
    return np.sign(x)


def average(slots: dict[str, Any], name: str, new: Any, keep: float) -> Any:
    """Move the running average in a slot towards a new value: a = keep * a + (1 - keep) * new.

    Returns: the average, which is the slot itself: not to be changed.
    Example: >>> slots = {"mean": 1.0}
             >>> average(slots, "mean", 2.0, keep=0.75), slots
             (1.25, {'mean': 1.25})
    """
    value = slots[name] * keep
    value += new * (1 - keep)
    slots[name] = value
    return value
