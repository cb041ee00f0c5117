"""Adam and its kin: an average of gradients, divided by the size they had.

In all formulas t is the number of the update, from 1.
"""

import math
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Any

from autograd_core import OptionError, fresh

from ..configuration import check_range
from .arithmetic import average, larger, root
from .base import Optimizer


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
