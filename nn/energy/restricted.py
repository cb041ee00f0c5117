"""RestrictedBoltzmannMachine: visible and hidden units, joined to each other but not inside."""

from typing import Any

import numpy as np

from autograd_core import Value, no_grad, sigmoid, softplus

from ..configuration import check_range
from ..data import batches, whole_number
from ..module import Module
from ..optimizers import SGD
from ..randomness import generator
from ..storage import limit
from .states import as_states, bernoulli


class RestrictedBoltzmannMachine(Module):
    """Units of 0 and 1 that learn the distribution of their data.

    E(v, h) = -b v - c h - h W v, and p(v, h) is proportional to exp(-E). W (hidden, visible), the
    parameter `weight`, starts normal with standard deviation 0.01, `visible_bias` b and
    `hidden_bias` c start at 0.

    Args:    visible, hidden: how many units.
             dtype: of the parameters, "float32" or "float64".
    Raises:  OptionError: fewer than one unit.
    Example: >>> machine = RestrictedBoltzmannMachine(6, 2)
             >>> errors = machine.fit([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]] * 20, epochs=50)
             >>> len(errors), machine.samples(3).shape
             (50, (3, 6))

    Source:  G. E. Hinton, Training products of experts by minimizing contrastive divergence, 2002.
    """

    def __init__(self, visible: int, hidden: int, dtype: Any = "float32") -> None:
        self.visible = whole_number("visible", visible)
        self.hidden = whole_number("hidden", hidden)
        self.dtype = np.dtype(dtype).name
        limit.take((visible + 1, hidden + 1))
        self.weight = Value(generator().normal(0.0, 0.01, (hidden, visible)).astype(dtype))
        self.visible_bias = Value(np.zeros(visible, dtype))
        self.hidden_bias = Value(np.zeros(hidden, dtype))

    def energy(self, v: Any, h: Any) -> Any:
        """Return E(v, h), a Value (batch,).

        Args:    v: (batch, visible), from 0 to 1.
                 h: (batch, hidden), from 0 to 1.
        Raises:  ShapeError: other numbers of units. DomainError: numbers outside 0 to 1.
        """
        v, h = self._visible(v), self._hidden(h)
        return -(v @ self.visible_bias) - np.sum(h * self._hidden_field(v), -1)

    def free_energy(self, v: Any) -> Any:
        """Return -log of the sum of exp(-E(v, h)) over all h, a Value (batch,).

        Each hidden unit is summed over alone: F(v) = -b v - sum softplus(c + W v).

        Args, Raises: v as for `energy`.
        """
        v = self._visible(v)
        return -(v @ self.visible_bias) - np.sum(softplus(self._hidden_field(v)), -1)

    def hidden_probabilities(self, v: Any) -> Any:
        """Return p(h = 1 | v) = sigmoid(c + W v), a Value (batch, hidden); v as for `energy`."""
        return sigmoid(self._hidden_field(self._visible(v)))

    def visible_probabilities(self, h: Any) -> Any:
        """Return p(v = 1 | h) = sigmoid(b + h W), a Value (batch, visible); h as for `energy`."""
        return sigmoid(self._hidden(h) @ self.weight + self.visible_bias)

    def __call__(self, v: Any) -> Any:
        """Return the hidden probabilities: features of v."""
        return self.hidden_probabilities(v)

    def sample_hidden(self, v: Any) -> Any:
        """Return hidden states drawn from p(h | v), an array of 0 and 1, (batch, hidden)."""
        with no_grad():
            return bernoulli(self.hidden_probabilities(v).data)

    def sample_visible(self, h: Any) -> Any:
        """Return visible states drawn from p(v | h), an array of 0 and 1, (batch, visible)."""
        with no_grad():
            return bernoulli(self.visible_probabilities(h).data)

    def gibbs(self, v: Any, steps: int = 1) -> Any:
        """Return visible states, `steps` times drawn: h from p(h | v), then v from p(v | h).

        Args:    v: where the chains start, (batch, visible).
                 steps: 0 or more.
        Returns: an array, (batch, visible).
        """
        check_range("steps", steps, 0)
        for _ in range(steps):
            v = self.sample_visible(self.sample_hidden(v))
        return self._visible(v)

    def samples(self, n: int, steps: int = 1000) -> Any:
        """Return n visible states, each the end of a chain that starts with coin flips.

        Args:    n: how many.
                 steps: of each chain.
        Returns: an array of 0 and 1, (n, visible).
        """
        return self.gibbs(generator().integers(0, 2, (n, self.visible)), steps)

    def reconstruction(self, v: Any) -> Any:
        """Return the visible probabilities, given the hidden ones, given v; as `energy`'s v."""
        with no_grad():
            return self.visible_probabilities(self.hidden_probabilities(v)).data

    def contrast(self, v: Any, chain_end: Any) -> Any:
        """Return mean F(v) - mean F(chain_end), a Value.

        Its gradient, with the end of the chain as a constant, is the update of contrastive
        divergence: <h v> of the data less <h v> of the chain, with the opposite sign.

        Args:    v: data, (batch, visible).
                 chain_end: what Gibbs sampling made, (chains, visible).
        Example: >>> machine = RestrictedBoltzmannMachine(2, 1)
                 >>> machine.contrast([[1, 1]], machine.gibbs([[1, 1]])).backward()
                 >>> machine.weight.grad.shape
                 (1, 2)
        """
        return np.mean(self.free_energy(v)) - np.mean(self.free_energy(chain_end))

    def fit(  # type: ignore[override] # there are no targets, and the energy is the loss
        self,
        x: Any,
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 0.1,
        k: int = 1,
        momentum: float = 0.0,
        persistent: bool = False,
    ) -> list[float]:
        """Learn from data by contrastive divergence.

        Args:    x: (samples, visible), from 0 to 1.
                 epochs: how often all samples are seen.
                 batch_size: samples in each step.
                 learning_rate, momentum: of gradient descent; see nn.SGD.
                 k: steps of Gibbs sampling for each update.
                 persistent: chains go on from update to update; False: they start at the data.
        Returns: after each epoch, the mean squared distance of x to its reconstruction.
        Raises:  OptionError: an option out of range. ShapeError, DomainError: as for `energy`.
        """
        check_range("epochs", epochs, 0)
        check_range("k", k, 1)
        x = self._visible(x)
        data = batches(x, batch_size=batch_size, shuffle=True)
        optimizer = SGD(learning_rate, momentum)
        errors, chain = [], x[:batch_size]
        for _ in range(epochs):
            for batch in data:
                chain = self.gibbs(chain if persistent else batch, k)
                self.zero_grad()
                self.contrast(batch, chain).backward()
                optimizer.step(self)
            errors.append(float(np.mean(np.square(x - self.reconstruction(x)))))
        return errors

    def _hidden_field(self, v: Any) -> Any:
        return v @ self.weight.T + self.hidden_bias

    def _visible(self, v: Any) -> Any:
        return as_states(v, "visible states", self.visible, self.dtype, 0, between=True)

    def _hidden(self, h: Any) -> Any:
        return as_states(h, "hidden states", self.hidden, self.dtype, 0, between=True)
