"""Boltzmann machines: units of 0 and 1 that learn the distribution of their data."""

import numpy as np

from autograd_core import OptionError, Value, logsumexp, no_grad, sigmoid, softplus
from autograd_core.data import Array, DTypeLike, Operand, Result

from ..configuration import check_range
from ..data import batches, whole_number
from ..module import Module
from ..optimizers import SGD
from ..randomness import generator
from ..storage.tensors import reserve
from .hopfield import as_states, pairwise_energy

MOST_UNITS = 16  # of which all states are computed: 65,536


class RestrictedBoltzmannMachine(Module):
    """Visible and hidden units of 0 and 1, with weights between the two layers only.

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

    fixed = frozenset(("visible", "hidden", "dtype"))

    weight: Value
    visible_bias: Value
    hidden_bias: Value

    def __init__(self, visible: int, hidden: int, dtype: DTypeLike = "float32") -> None:
        self.visible = whole_number("visible", visible)
        self.hidden = whole_number("hidden", hidden)
        try:
            self.dtype = np.dtype(dtype).name
        except TypeError as error:
            raise OptionError(f"dtype = {dtype!r}", str(error), "'float32' or 'float64'") from None
        reserve((visible + 1, hidden + 1))
        self.weight = Value(generator().normal(0.0, 0.01, (hidden, visible)).astype(dtype))
        self.visible_bias = Value(np.zeros(visible, dtype))
        self.hidden_bias = Value(np.zeros(hidden, dtype))

    def energy(self, v: Operand, h: Operand) -> Result:
        """Return E(v, h), a Value (batch,).

        Args:    v: (batch, visible), from 0 to 1.
                 h: (batch, hidden), from 0 to 1.
        Raises:  ShapeError: other numbers of units. DomainError: numbers outside 0 to 1.
        """
        v, h = self._visible(v), self._hidden(h)
        return -(v @ self.visible_bias) - np.sum(h * self._hidden_field(v), -1)

    def free_energy(self, v: Operand) -> Result:
        """Return -log of the sum of exp(-E(v, h)) over all h, a Value (batch,).

        The sum factorizes over hidden units: F(v) = -b v - sum softplus(c + W v).

        Args, Raises: v as for `energy`.
        """
        v = self._visible(v)
        return -(v @ self.visible_bias) - np.sum(softplus(self._hidden_field(v)), -1)

    def hidden_probabilities(self, v: Operand) -> Result:
        """Return p(h = 1 | v) = sigmoid(c + W v), a Value (batch, hidden); v as for `energy`."""
        return sigmoid(self._hidden_field(self._visible(v)))

    def visible_probabilities(self, h: Operand) -> Result:
        """Return p(v = 1 | h) = sigmoid(b + h W), a Value (batch, visible); h as for `energy`."""
        return sigmoid(self._hidden(h) @ self.weight + self.visible_bias)

    def __call__(self, v: Operand) -> Result:
        """Return the hidden probabilities: features of v."""
        return self.hidden_probabilities(v)

    def sample_hidden(self, v: Operand) -> Array:
        """Return hidden states drawn from p(h | v), an array of 0 and 1, (batch, hidden)."""
        with no_grad():
            return bernoulli(self.hidden_probabilities(v).data)

    def sample_visible(self, h: Operand) -> Array:
        """Return visible states drawn from p(v | h), an array of 0 and 1, (batch, visible)."""
        with no_grad():
            return bernoulli(self.visible_probabilities(h).data)

    def gibbs(self, v: Operand, steps: int = 1) -> Array:
        """Return visible states, `steps` times drawn: h from p(h | v), then v from p(v | h).

        Args:    v: where the chains start, (batch, visible).
                 steps: 0 or more.
        Returns: an array, (batch, visible).
        """
        check_range("steps", steps, 0)
        for _ in range(steps):
            v = self.sample_visible(self.sample_hidden(v))
        return self._visible(v)

    def samples(self, n: int, steps: int = 1000) -> Array:
        """Return n visible states, each the end of a chain that starts with coin flips.

        Args:    n: how many.
                 steps: of each chain.
        Returns: an array of 0 and 1, (n, visible).
        """
        return self.gibbs(generator().integers(0, 2, (n, self.visible)), steps)

    def reconstruction(self, v: Operand) -> Result:
        """Return the visible probabilities, given the hidden ones, given v; as `energy`'s v."""
        with no_grad():
            return self.visible_probabilities(self.hidden_probabilities(v)).data

    def contrast(self, v: Operand, chain_end: Operand) -> Result:
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
        x: Operand,
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 0.1,
        k: int = 1,
        momentum: float = 0.0,
        persistent: bool = False,
    ) -> list[float]:
        """Train on data by contrastive divergence.

        Args:    x: (samples, visible), from 0 to 1.
                 epochs: how often all samples are seen.
                 batch_size: samples in each step.
                 learning_rate, momentum: of gradient descent; see nn.SGD.
                 k: steps of Gibbs sampling for each update.
                 persistent: chains continue from update to update; False: they start at the data.
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

    def _hidden_field(self, v: Operand) -> Result:
        return v @ self.weight.T + self.hidden_bias

    def _visible(self, v: Operand) -> Result:
        return as_states(v, "visible states", self.visible, self.dtype, 0, between=True)

    def _hidden(self, h: Operand) -> Result:
        return as_states(h, "hidden states", self.hidden, self.dtype, 0, between=True)


class BoltzmannMachine(Module):
    """Fully connected visible and hidden units of 0 and 1, trained on a distribution of data.

    E(s) = -1/2 s W s - b s, and p(s) is proportional to exp(-E). W is symmetric with zero
    diagonal: of the parameter `weight` (units, units) only the part above the diagonal counts,
    initially normal with standard deviation 0.1; `bias` b starts at 0.

    Args:    units: how many, visible and hidden together.
             visible: how many of them, the first ones, are visible; None: all.
    Raises:  OptionError: fewer than one unit, or more visible ones than units.
    Example: >>> machine = BoltzmannMachine(4, visible=3)
             >>> losses = machine.fit([[0, 0, 0], [1, 1, 1]], epochs=100, learning_rate=1.0)
             >>> bool(machine.probabilities().data[0] > 0.3)
             True

    Source:  D. H. Ackley, G. E. Hinton and T. J. Sejnowski, A learning algorithm for Boltzmann
             machines, 1985, with thresholds as biases of opposite sign.
    """

    fixed = frozenset(("units", "visible"))

    weight: Value
    bias: Value

    def __init__(self, units: int, visible: int | None = None) -> None:
        self.units = whole_number("units", units)
        self.visible = whole_number("visible", units if visible is None else visible)
        check_range("visible", self.visible, 1, units)
        reserve((units, units + 1))
        self.weight = Value(np.triu(generator().normal(0.0, 0.1, (units, units)), 1))
        self.bias = Value(np.zeros(units))

    @property
    def couplings(self) -> Array:
        """The symmetric weights W with zero diagonal, a Value (units, units)."""
        upper = np.triu(self.weight, 1)
        return upper + upper.T

    def energy(self, state: Operand) -> Result:
        """Return E(state), a Value (batch,).

        Args:    state: (batch, units), of 0 and 1.
        Raises:  ShapeError: another number of units. DomainError: other numbers.
        """
        state = as_states(state, "a state of all units", self.units, float, 0)
        return pairwise_energy(state, self.couplings, self.bias)

    def __call__(self, state: Operand) -> Result:
        """Return the energy."""
        return self.energy(state)

    def log_probabilities(self) -> Array:
        """Return log p(v) of each visible pattern v, by a sum over all states.

        Returns: a Value (2 ** visible,), in the order of the binary numbers 00..0 to 11..1.
        Raises:  OptionError: the machine has more than 16 units.
        """
        if self.units > MOST_UNITS:
            raise OptionError(
                f"the probabilities of {self.units} units",
                f"2 ** {self.units} states are too many to be summed over",
                f"at most {MOST_UNITS} units; or samples(n), and fit(x, exact=False)",
            )
        places = np.arange(self.units)[::-1]
        states = np.arange(2**self.units)[:, None] >> places & 1
        log_weights = -self.energy(states).reshape(2**self.visible, -1)
        return logsumexp(log_weights, axis=1) - logsumexp(log_weights)

    def probabilities(self) -> Array:
        """Return p(v) of each visible pattern; see `log_probabilities`."""
        return np.exp(self.log_probabilities())

    def negative_log_likelihood(self, v: Operand) -> Result:
        """Return the mean of -log p(v) over data, a Value; its minimum is the data's entropy.

        Its gradient is a difference of correlations: <s s> of the free machine less <s s> with the
        visible units clamped to the data.

        Args:    v: (samples, visible), of 0 and 1.
        Raises:  ShapeError, DomainError: as for `energy`. OptionError: more than 16 units.
        """
        patterns = self._visible(v) @ 2.0 ** np.arange(self.visible)[::-1]
        return -np.mean(self.log_probabilities()[patterns.astype(int)])

    def gibbs(self, state: Operand, steps: int = 1, clamped: bool = False) -> Array:
        """Return states after Gibbs sweeps: p(s_i = 1 | others) = sigmoid(W_i s + b_i).

        Args:    state: where the chains start, (chains, units).
                 steps: how many sweeps.
                 clamped: keep the visible units.
        Returns: an array of 0 and 1, (chains, units).
        """
        check_range("steps", steps, 0)
        state = as_states(state, "states of all units", self.units, float, 0)
        with no_grad():
            couplings = self.couplings.data
        bias: Operand = self.bias.data
        for _ in range(steps):
            for unit in range(self.visible if clamped else 0, self.units):
                state[:, unit] = bernoulli(sigmoid(state @ couplings[unit] + bias[unit]))
        return state

    def samples(self, n: int, steps: int = 1000) -> Array:
        """Return n visible states, each the end of a chain that starts with coin flips.

        Args:    n: how many.
                 steps: sweeps of each chain.
        Returns: an array of 0 and 1, (n, visible).
        """
        return self.gibbs(self._coin_flips(n), steps)[:, : self.visible]

    def contrast(self, clamped: Operand, free: Operand) -> Result:
        """Return mean E(clamped) - mean E(free), a Value.

        With samples of both as constants, its gradient is an estimate of that of the negative
        log-likelihood.

        Args:    clamped: states with the visible units clamped to the data, (samples, units).
                 free: states of the free machine, (chains, units).
        """
        return np.mean(self.energy(clamped)) - np.mean(self.energy(free))

    def fit(  # type: ignore[override] # there are no targets, and the energy is the loss
        self,
        x: Operand,
        epochs: int = 100,
        learning_rate: float = 0.1,
        momentum: float = 0.0,
        exact: bool = True,
        k: int = 10,
    ) -> list[float]:
        """Train on data, all of them in each step.

        Args:    x: (samples, visible), of 0 and 1.
                 epochs: how many steps.
                 learning_rate, momentum: of gradient descent; see nn.SGD.
                 exact: use the gradient of the negative log-likelihood; False: of `contrast`,
                 with two persistent chains for each sample, one clamped and one free.
                 k: sweeps of the chains before each step.
        Returns: the objective before each step: the negative log-likelihood, or the contrast,
                 which is near 0 where machine and data agree, and at the start.
        Raises:  as `negative_log_likelihood`, and OptionError: epochs or k out of range.
        """
        check_range("epochs", epochs, 0)
        check_range("k", k, 1)
        x = self._visible(x)
        optimizer = SGD(learning_rate, momentum)
        clamped, free = self._coin_flips(len(x)), self._coin_flips(len(x))
        clamped[:, : self.visible] = x
        losses = []
        for _ in range(epochs):
            if exact:
                loss = self.negative_log_likelihood(x)
            else:
                clamped, free = self.gibbs(clamped, k, clamped=True), self.gibbs(free, k)
                loss = self.contrast(clamped, free)
            self.zero_grad()
            loss.backward()
            optimizer.step(self)
            losses.append(float(loss))
        return losses

    def _coin_flips(self, n: int) -> Array:
        return generator().integers(0, 2, (n, self.units))

    def _visible(self, v: Operand) -> Result:
        return as_states(v, "visible states", self.visible, float, 0)


def bernoulli(probabilities: Operand) -> Array:
    """Return 1 with these probabilities, else 0: an array of their shape and type."""
    chance = generator().random(probabilities.shape, probabilities.dtype)
    return (chance < probabilities).astype(probabilities.dtype)
