"""A network in numbers: what a picture of it shows of each layer."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..backprop import seed, sweep
from ..errors import DataError
from ..graph import Node, topological_order


class Column(Protocol):
    """One layer, or the inputs, as a model describes it in `_drawing_`."""

    @property
    def name(self) -> str:
        """What stands above the column."""

    @property
    def note(self) -> str:
        """What stands below the name: the activation."""

    @property
    def size(self) -> int | None:
        """How many neurons; None: no row of neurons, but one box."""

    @property
    def weights(self) -> Any:
        """Value (neurons, inputs) or rows of Values; None: no weights between all."""

    @property
    def biases(self) -> Any:
        """Value (neurons,), a list of Values, or None."""

    @property
    def values(self) -> Any:
        """Value or array (batch, neurons), or one Value or number for each neuron; or None."""


class Description(Protocol):
    """What `_drawing_` of a model returns."""

    @property
    def columns(self) -> Sequence[Column]:
        """The inputs and the layers; empty where layers do not follow each other."""

    @property
    def output(self) -> Any:
        """What the model computed, or None."""


class Layer(NamedTuple):
    """A column in numbers."""

    name: str
    note: str
    size: int | None
    values: Any  # (neurons,), the mean over a batch; or None; of a box: all
    gradients: Any
    weights: Any  # (neurons, inputs)
    weight_gradients: Any
    biases: Any
    shown: list[int]  # neurons; the others are folded
    samples: int  # whose mean the numbers are


def gradients_of(output: Any, loss: Callable[[Any], Any] | None) -> dict[Node, Any]:
    """Return the gradients of the loss, or of the sum of the outputs; none without an output.

    Raises:  DataError: the loss gives no Value.
    """
    if output is None:
        return {}
    if loss is not None:
        total = loss(output)
    else:
        total = sum(x.sum() for x in (output if isinstance(output, list) else [output]))
    if not isinstance(total, Node):
        raise DataError(
            f"a loss that is a {type(total).__name__}",
            "gradients are those of a Value that was computed from the output",
            "draw(model, x, loss=lambda output: ((output - target) ** 2).sum())",
        )
    return sweep(topological_order(total), seed(total, None))


def layer_of(column: Column, found: dict[Node, Any], limit: int) -> Layer:
    """Return a column in numbers, with the gradients found, and at most `limit` neurons shown."""
    values, gradients = _numbers(column.values), _gradients(column.values, found)
    samples = 1
    if values is not None and values.ndim > 1:
        samples = values.shape[1 if isinstance(column.values, list | tuple) else 0]
    if column.size is not None:
        values, gradients = _per_neuron(column, values), _per_neuron(column, gradients)
    count = column.size or 0
    half = max(limit // 2, 1)
    shown = list(range(count))
    if count > limit:
        shown = [*range(half), *range(count - (limit - half), count)]
    return Layer(
        column.name,
        column.note,
        column.size,
        values,
        gradients,
        _numbers(column.weights),
        _gradients(column.weights, found),
        _numbers(column.biases),
        shown,
        samples,
    )


def _numbers(x: Any, found: dict[Node, Any] | None = None) -> Any:
    """Return the data of nodes and lists of nodes as one array, or what was found; None of None."""
    if isinstance(x, list | tuple):
        return np.array([_numbers(each, found) for each in x])
    data = getattr(x, "_data", x)
    if found is not None:
        data = found.get(x, 0 * data)
    return None if x is None else np.asarray(data, dtype=float)


def _gradients(x: Any, found: dict[Node, Any]) -> Any:
    """Return the gradients of nodes and lists of nodes as one array; None where there are none.

    Where some have one, those that the loss does without have gradient 0.
    """
    leaves = _leaves(x)
    if not all(isinstance(each, Node) for each in leaves) or found.keys().isdisjoint(leaves):
        return None
    return _numbers(x, found)


def _leaves(x: Any) -> list[Any]:
    """Return what lists of lists hold, one after the other."""
    return [leaf for each in x for leaf in _leaves(each)] if isinstance(x, list | tuple) else [x]


def _per_neuron(column: Column, numbers: Any) -> Any:
    """Return one number for each neuron: the mean over a batch."""
    if numbers is None or numbers.ndim < 2:
        return numbers
    is_list = isinstance(column.values, list | tuple)
    return numbers.mean(axis=1) if is_list else numbers.reshape(-1, column.size).mean(axis=0)
