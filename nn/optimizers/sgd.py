"""SGD and Lion: steps along the gradient, or its sign, with momentum."""

from dataclasses import dataclass
from typing import Any

from ..configuration import check_range
from .arithmetic import average, sign
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
