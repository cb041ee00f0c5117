"""SGD, Lion, Adagrad, Adadelta, RMSprop, Adam and its variants: the formula of each one's update.

In all formulas g is the gradient, w the parameter, and t the number of the update, from 1.

A scalar network has thousands of parameters that are Python floats, for which NumPy would cost more
than the arithmetic. So formulas are written with operators, and with `root`, `larger` and `sign`
where none exists. A slot is not changed in place, so that a step that is interrupted leaves all
slots as they were.
"""

import math
from itertools import accumulate
from operator import mul

import numpy as np

from autograd_core import OptionError
from autograd_core.data import Operand, Result

from ..configuration import Choice, check_range, configured
from ..mistakes import warn
from .base import Optimizer, Slots


@configured
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

    learning_rate: Choice = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    name = "sgd"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("momentum", self.momentum, 0, 1)
        if self.nesterov and not self.momentum:
            warn(
                "nesterov",
                "nesterov=True with momentum=0",
                "without momentum there is nothing to look ahead along: it has no effect",
                "momentum=0.9 beside nesterov=True",
            )

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        step = -learning_rate * g
        if self.momentum:
            m = slots["momentum"] = self.momentum * slots["momentum"] + step
            step = self.momentum * m + step if self.nesterov else m
        return w + step


@configured
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

    learning_rate: Choice = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("beta_1", self.beta_1, 0, 1)
        check_range("beta_2", self.beta_2, 0, 1)

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        m, b1, b2 = slots["momentum"], self.beta_1, self.beta_2
        slots["momentum"] = b2 * m + (1 - b2) * g
        return w - learning_rate * sign(b1 * m + (1 - b1) * g)


@configured
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

    learning_rate: Choice = 0.001
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("initial_accumulator_value", self.initial_accumulator_value, 0)
        check_range("epsilon", self.epsilon, 0)

    @property
    def slots_start(self) -> float:  # type: ignore[override] # a number in most classes
        """What the accumulator starts with."""
        return self.initial_accumulator_value

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        a = slots["accumulator"] = slots["accumulator"] + g * g
        return w - learning_rate * g / root(a + self.epsilon)


@configured
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

    learning_rate: Choice = 0.001
    rho: float = 0.95
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("rho", self.rho, 0, 1)
        check_range("epsilon", self.epsilon, 0)

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        a, b = slots["accumulated_grad"], slots["accumulated_delta_var"]
        a = slots["accumulated_grad"] = self.rho * a + (1 - self.rho) * (g * g)
        d = g * root(b + self.epsilon) / root(a + self.epsilon)
        slots["accumulated_delta_var"] = self.rho * b + (1 - self.rho) * (d * d)
        return w - learning_rate * d


@configured
class RMSprop(Optimizer):
    """Divides by the root of an average of recent squared gradients.

    v = rho * v + (1 - rho) * g^2;  d = learning_rate * g / sqrt(v + epsilon);  w = w - d.
    Centered: v - a^2 instead of v, with a the average of g. With momentum:
    m = momentum * m + d;  w = w - m.

    Args:    learning_rate: see Optimizer.
             rho: how much of the averages remains, from 0 to 1.
             momentum: how much of the last step remains, from 0 to 1.
             epsilon: keeps the division finite.
             centered: divide by an estimate of the gradients' deviation instead of their size.
    Raises:  OptionError: a number out of its range; and see Optimizer.
    Example: >>> RMSprop(momentum=0.9, centered=True)
             RMSprop(momentum=0.9, centered=True)
    Source:  Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012; centered:
             Graves, Generating sequences with recurrent neural networks, 2013, eqs. 38-41.
    """

    learning_rate: Choice = 0.001
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

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        v = slots["velocity"] = self.rho * slots["velocity"] + (1 - self.rho) * (g * g)
        if self.centered:
            a = slots["average_gradient"]
            a = slots["average_gradient"] = self.rho * a + (1 - self.rho) * g
            v = v - a * a
        d = learning_rate * g / root(v + self.epsilon)
        if self.momentum:
            d = slots["momentum"] = self.momentum * slots["momentum"] + d
        return w - d


@configured
class _TwoAverages(Optimizer):
    """The options that Adam, Adamax and Nadam share."""

    learning_rate: Choice = 0.001
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


@configured
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

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        b1, b2 = self.beta_1, self.beta_2
        m = slots["momentum"] = b1 * slots["momentum"] + (1 - b1) * g
        v = slots["velocity"] = b2 * slots["velocity"] + (1 - b2) * (g * g)
        if self.amsgrad:
            v = slots["velocity_hat"] = larger(slots["velocity_hat"], v)
        rate = learning_rate * self.at_step(lambda t: math.sqrt(1 - b2**t) / (1 - b1**t))
        return w - rate * m / (root(v) + self.epsilon)


@configured
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


@configured
class Adamax(_TwoAverages):
    """Adam with the largest recent gradient instead of the root of mean squares.

    m = beta_1 * m + (1 - beta_1) * g;  u = max(beta_2 * u, |g|);
    w = w - learning_rate / (1 - beta_1^t) * m / (u + epsilon)

    Args:    learning_rate, beta_1, beta_2, epsilon: see Adam.
    Raises:  OptionError: see Adam.
    Example: >>> Adamax(0.002)
             Adamax(learning_rate=0.002)
    Source:  Kingma and Ba, Adam, 2015, algorithm 2, which has no epsilon; Keras has.
    """

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        b1, b2 = self.beta_1, self.beta_2
        m = slots["momentum"] = b1 * slots["momentum"] + (1 - b1) * g
        u = slots["norm"] = larger(b2 * slots["norm"], abs(g))
        rate = learning_rate / self.at_step(lambda t: 1 - b1**t)
        return w - rate * m / (u + self.epsilon)


@configured
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

    def update(self, w: Operand, g: Operand, slots: Slots, learning_rate: float) -> Result:
        """Return the new data."""
        b1, b2 = self.beta_1, self.beta_2
        m = slots["momentum"] = b1 * slots["momentum"] + (1 - b1) * g
        v = slots["velocity"] = b2 * slots["velocity"] + (1 - b2) * (g * g)
        n = m * self.at_step(lambda t: _weight(b1, t + 1) / (1 - _product(b1, t + 1)))
        n = n + g * self.at_step(lambda t: (1 - _weight(b1, t)) / (1 - _product(b1, t)))
        unbiased = v / self.at_step(lambda t: 1 - b2**t)
        return w - learning_rate * n / (root(unbiased) + self.epsilon)


# Products of 1 - 0.96^i / 2 for i from 1: beyond i = 1000 all factors are 1 to the last bit
_PRODUCTS: tuple[float, ...] = tuple(accumulate((1 - 0.5 * 0.96**i for i in range(1, 1001)), mul))


def _weight(b1: float, t: int) -> float:
    """Return u_t, Nadam's momentum at update t."""
    return b1 * (1 - 0.5 * math.pow(0.96, t))


def _product(b1: float, t: int) -> float:
    """Return U_t = u_1 * ... * u_t."""
    return math.pow(b1, t) * _PRODUCTS[min(t, len(_PRODUCTS)) - 1]


def root(x: Operand) -> Result:
    """Return the square root; that of a negative number is NaN.

    Example: >>> root(4.0), root(np.array([4.0]))
             (2.0, array([2.]))
    """
    if type(x) is float:
        return math.nan if x < 0.0 else math.sqrt(x)
    return np.sqrt(x)


def larger(x: Operand, y: Operand) -> Result:
    """Return the larger of two, NaN if either is.

    Example: >>> larger(1.0, 2.0), larger(math.nan, 2.0)
             (2.0, nan)
    """
    if type(x) is float:
        return x if x > y or x != x else y
    return np.maximum(x, y)


def sign(x: Operand) -> Result:
    """Return 1, 0 or -1; NaN for NaN.

    Example: >>> sign(-0.5), sign(0.0), sign(np.array([3.0]))
             (-1.0, 0.0, array([1.]))
    """
    if type(x) is float:
        return x if x == 0.0 or x != x else math.copysign(1.0, x)
    return np.sign(x)
