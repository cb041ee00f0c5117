"""Hopfield networks, associative memories; helpers that Boltzmann machines share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from autograd_core import DomainError, OptionError, ShapeError, Value, grad
from autograd_core.data import Array, DTypeLike, Operand, Result

from ..configuration import check_range
from ..data import whole_number
from ..module import Module
from ..randomness import generator
from ..storage.tensors import reserve


@dataclass(frozen=True)
class Recall:
    """The trajectory of a Hopfield network from a state to a fixed point.

    Args:    states: the first state and the state after each change, (changes + 1, units).
             energies: of these states, (changes + 1,).
             settled: whether the last state is a fixed point; False: the sweeps ran out.
    Example: >>> memory = Hopfield(3).store([1, 1, -1])
             >>> found = memory.recall([1, 1, 1])
             >>> found.state, found.energies, found.settled
             (array([ 1.,  1., -1.]), array([ 0.33333333, -1.        ]), True)
    """

    states: Array
    energies: Array
    settled: bool

    @property
    def state(self) -> Array:
        """The last state, (units,)."""
        return self.states[-1]


class Hopfield(Module):
    """Fully connected units of -1 and 1, whose updates lower an energy towards stored patterns.

    E(s) = -1/2 s W s - b s. The field of a unit is -dE/ds; each update sets a unit to the sign of
    its field, and lowers E. The buffers `weight` W (units, units), symmetric with zero diagonal,
    and `bias` b (units,) start at 0.

    Args:    units: how many.
    Raises:  OptionError: units below 1.
    Example: >>> memory = Hopfield(6).store([1, 1, 1, -1, -1, -1])
             >>> memory([1, 1, 1, -1, -1, 1])
             array([ 1.,  1.,  1., -1., -1., -1.])

    Source:  J. J. Hopfield, Neural networks and physical systems with emergent collective
             computational abilities, 1982, equations 1, 2 and 7, with states -1 and 1.
    """

    fixed = frozenset(("units",))

    weight: Array
    bias: Array

    def __init__(self, units: int) -> None:
        self.units = whole_number("units", units)
        reserve((units, units + 1))
        self.weight = np.zeros((units, units))
        self.bias = np.zeros(units)

    def store(self, patterns: Operand) -> Self:
        """Store patterns, in addition to earlier ones.

        Hebb's rule adds P^T P / units to the weights, and keeps their diagonal at 0. About 0.138
        random patterns for each unit can be recalled.

        Args:    patterns: P, of -1 and 1, (units,) or (patterns, units).
        Returns: itself.
        Raises:  ShapeError: another number of units. DomainError: other numbers.
        """
        self._require_trainable()
        patterns = np.atleast_2d(self._states(patterns))
        weight = self.weight + patterns.T @ patterns / self.units
        np.fill_diagonal(weight, 0.0)
        self.weight = weight
        return self

    def energy(self, state: Operand) -> Result:
        """Return E(state).

        Args:    state: (units,) or (batch, units).
        Returns: a number, or (batch,); a Value for a Value.
        Raises:  ShapeError: another number of units. DomainError: numbers other than -1 and 1.
        """
        if not isinstance(state, Value):
            return pairwise_energy(Value(self._states(state)), self.weight, self.bias).data
        return pairwise_energy(self._states(state), self.weight, self.bias)

    def field(self, state: Operand) -> Array:
        """Return the field of each unit, the gradient of -E: W s + b.

        Args, Raises: as for `energy`.
        Returns: of the state's shape.
        """
        return grad(lambda s: -np.sum(self.energy(s)))(self._states(state))

    def recall(
        self,
        state: Operand,
        steps: int = 100,
        synchronous: bool = False,
        order: Iterable[int] | None = None,
    ) -> Recall:
        """Update the units until none changes.

        A unit with a field of 0 stays as it is. One by one, no update raises the energy, so that
        the network settles; all at once, it may alternate between two states for ever.

        Args:    state: the initial state, (units,).
                 steps: the most sweeps over all units.
                 synchronous: update all units at once.
                 order: of the updates; None: another random one in each sweep.
        Returns: all states, with their energies.
        Raises:  ShapeError, DomainError: as for `energy`. OptionError: an order that does not
                 name each unit once, or negative steps.
        """
        check_range("steps", steps, 0)
        state = self._states(state, axes=(1,))
        fixed_order = None if order is None else list(order)
        if fixed_order is not None and sorted(fixed_order) != list(range(self.units)):
            raise OptionError(
                f"an order of {len(fixed_order)} units",
                f"it must name each unit from 0 to {self.units - 1} once",
                f"range({self.units}), or a permutation of it",
            )
        states, wanted = [state], self._wanted(state)
        sweeps = 0
        while sweeps < steps and (wanted != state).any():
            units: Any = [slice(None)] if synchronous else fixed_order
            for unit in generator().permutation(self.units) if units is None else units:
                if (wanted[unit] != state[unit]).any():
                    state = state.copy()
                    state[unit] = wanted[unit]
                    states.append(state)
                    wanted = self._wanted(state)
            sweeps += 1
        trajectory = np.array(states)
        return Recall(trajectory, self.energy(trajectory), bool((wanted == state).all()))

    def __call__(self, state: Operand) -> Result:
        """Return the state in which `recall` ends, (units,)."""
        return self.recall(state).state

    def _wanted(self, state: Operand) -> Array:
        """Return the state of each unit after its next update."""
        field = self.field(state)
        return np.where(field == 0.0, state, np.sign(field))

    def _states(self, given: Operand, axes: tuple[int, ...] = (1, 2)) -> Array:
        return as_states(given, "states of a Hopfield network", self.units, float, -1, axes=axes)


def pairwise_energy(state: Operand, weight: Operand, bias: Operand) -> Result:
    """Return -1/2 s W s - b s, which is low where units connected by positive weights agree.

    Args:    state: s, (..., units).
             weight: W, (units, units), symmetric, with zero diagonal.
             bias: b, (units,).
    Returns: (...).
    Example: >>> pairwise_energy(np.array([[1.0, -1.0]]), np.array([[0.0, 2.0], [2.0, 0.0]]), 0.0)
             array([2.])
    """
    return -np.sum(((state @ weight) * 0.5 + bias) * state, axis=-1)


def as_states(
    given: Operand,
    name: str,
    units: int,
    dtype: DTypeLike,
    low: float,
    between: bool = False,
    axes: tuple[int, ...] = (2,),
) -> Result:
    """Return states as floats, after checks of their shape and their numbers.

    Args:    given: array, (batch, units); of Values only the shape is checked.
             name: for the message.
             low: the units' lower value; the upper one is 1.
             between: whether numbers between the two are allowed.
             axes: the allowed numbers of axes: 1 is a single state, (units,).
    Raises:  ShapeError: another shape. DomainError: other numbers.
    """
    states = given if isinstance(given, Value) else np.asarray(given)
    if states.shape[-1:] != (units,) or len(states.shape) not in axes:
        shapes = [f"({units},)" if n == 1 else f"(batch, {units})" for n in axes]
        raise ShapeError(
            f"{name} of shape {states.shape}",
            f"there is one number for each of {units} units",
            f"shape {' or '.join(shapes)}; x.reshape(len(x), -1) for images",
        )
    if isinstance(states, Value):
        return states
    fits = (states >= low) & (states <= 1) if between else (states == low) | (states == 1)
    if not fits.all():
        raise DomainError(
            f"{name} with the number {states[~fits][0]}",
            f"each must be {f'from {low:g} to 1' if between else f'{low:g} or 1'}",
            "x / x.max() for shades of grey" if between else f"np.where(x > 0, 1, {low:g})",
        )
    return states.astype(dtype)
