"""Adagrad, Adadelta, RMSprop: each weight's steps divided by the size its gradients had."""

from dataclasses import dataclass
from typing import Any

from ..configuration import check_range
from .arithmetic import average, root
from .base import Optimizer


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
