"""What summaries and pictures show of a model: layers, shapes, weights, activations."""

import dis
import math
from collections.abc import Iterable
from types import FrameType
from typing import NamedTuple

import numpy as np

from autograd_core import OptionError, Value
from autograd_core.data import Operand, Tree

from .configuration import Model, name_of


class Summary(str):
    """A text that notebooks and prompts show as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def is_discarded(frame: FrameType) -> bool:
    """Return whether the result of the call that a frame carries out is not used.

    A statement of a script discards it; the last line of a notebook's cell shows it.
    """
    code = dis.get_instructions(frame.f_code)
    after = next((each for each in code if each.offset > frame.f_lasti), None)
    return after is not None and after.opname == "POP_TOP"


def summarize(model: Model) -> Summary:
    """Return a table of a model's innermost parts: name, output shape, number of parameters.

    Example: >>> import nn
             >>> model = nn.Sequential([nn.Dense(16), nn.Dense(16), nn.Dense(10)], (784,))
             >>> summarize(model)
             Sequential
             layer      output shape    parameters
             0 Dense    (batch, 16)         12,560
             1 Dense    (batch, 16)            272
             2 Dense    (batch, 10)            170
             parameters: 13,002
    """
    rows = [("layer", "output shape", "parameters")]
    for name, part in model.modules().items():
        if len(part.modules()) == 1 and part is not model:
            label = f"{name} {type(part).__name__}" + _named(part)
            rows.append((label, _shape(part), f"{_count(part):,}"))
    widths = [max(len(row[i]) for row in rows) + 4 for i in range(2)]
    width = max(len(row[2]) for row in rows)
    lines = [f"{row[0]:{widths[0]}}{row[1]:{widths[1]}}{row[2]:>{width}}".rstrip() for row in rows]
    total = f"parameters: {_count(model):,}"
    learning = sum(math.prod(parameter.shape) for parameter in model.parameters())
    if learning != _count(model):
        total += f", of which {learning:,} are trained"
    buffers = [data for data in model.state_dict().values() if isinstance(data, np.ndarray)]
    untrained = sum(data.size for data in buffers) - _count(model)
    if untrained:
        total += f", and {untrained:,} numbers that are not trained"
    return Summary("\n".join([type(model).__name__ + _named(model), *lines, total]))


def _named(part: Model) -> str:
    """Return the name that the user has given to a layer or model, in quotes."""
    name = getattr(part, "name", None)
    return f" {name!r}" if isinstance(name, str) else ""


def _count(part: Model) -> int:
    return sum(math.prod(parameter.shape) for parameter in part.named_parameters().values())


def _shape(part: Model) -> str:
    shape = getattr(part, "output_shape", None)
    return "not built yet" if shape is None else f"({', '.join(['batch', *map(str, shape)])})"


class Column(NamedTuple):
    """One layer, or the inputs, as `autograd_core.draw` takes it."""

    name: str
    note: str  # the activation
    size: int | None  # neurons; None: data of another form than a row of them
    weights: Tree = None  # Value (neurons, inputs) or rows of Values
    biases: Tree = None
    values: Tree = None  # what the layer gave


class Description(NamedTuple):
    """A model for `autograd_core.draw`; without columns: only what it computed."""

    columns: list[Column]
    output: Tree


def describe(model: Model, x: Operand = None) -> Description:
    """Return the layers of a model in a row, with what they make of `x`.

    Args:    model: a scalar network or part of one, a Sequential, or a layer on arrays; of any
             other Module only its output is known.
             x: one sample, or a batch; None: weights only.
    Raises:  OptionError: without x, a model whose layers are not known, or have no weights yet.
    Example: >>> from nn import MLP
             >>> [(column.name, column.size) for column in describe(MLP(2, [3, 1])).columns]
             [('input', 2), ('Layer 1', 3), ('Layer 2', 1)]
    """
    layers = _row(model)
    if layers is None and x is None:
        raise OptionError(
            f"a picture of {type(model).__name__} without data",
            "how its parts follow each other shows only when it computes",
            "draw(model, x), with a sample x",
        )
    if layers is None:
        return Description([], model(x))
    scalar = _is_scalar(layers[0])
    given = None if x is None else _given(x, scalar)
    columns = [_inputs(layers[0], given)]
    mask = None
    with model.evaluating():
        for i, layer in enumerate(layers, 1):
            before = given
            if before is not None and scalar:
                given = layer.forward(before)
            elif before is not None:
                given = layer(before, mask=mask) if layer.takes_mask else layer(before)
                mask = layer.output_mask(before, mask)
            name = type(layer).__name__
            columns.append(_column(f"{name} {i}" if len(layers) > 1 else name, layer, given))
    return Description(columns, _as_returned(given, x) if scalar else given)


def _as_returned(outputs: Tree, x: Operand) -> Tree:
    """Return the outputs of a scalar network as calling it does."""
    if outputs is None:
        return None
    if len(getattr(x, "shape", ())) == 2:
        return np.stack(outputs, axis=1)
    return outputs[0] if len(outputs) == 1 else outputs


def _row(model: Model) -> list[Model] | None:
    """Return layers that follow each other; None where a model may have its own way."""
    method = getattr(type(model), "forward", None) or type(model).__call__
    if not method.__module__.startswith(f"{__package__}."):
        return None
    if hasattr(model, "layers"):
        return list(model.layers) or None
    is_layer = _is_scalar(model) or hasattr(model, "make_parameters")
    return [model] if is_layer else None


def _is_scalar(part: Model) -> bool:
    return hasattr(part, "neurons") or hasattr(part, "w")


def _given(x: Operand, scalar: bool) -> Tree:
    """Return x as the first layer takes it: a number or column for each input, or a batch."""
    if not scalar:
        x = x if isinstance(x, Value) else np.asarray(x)
        return x[None] if len(x.shape) == 1 else x
    is_batch = len(getattr(x, "shape", ())) == 2
    return [x[:, i] for i in range(x.shape[1])] if is_batch else list(x)


def _inputs(first: Model, given: Operand) -> Column:
    rows = _rows(first)
    shape = getattr(first, "input_shape", None)
    if given is not None:
        is_row = isinstance(given, list) or len(given.shape) == 2
        count = len(given) if isinstance(given, list) else given.shape[-1]
        return Column("input", "number", count if is_row else None, values=given)
    if rows is not None:
        return Column("input", "number", rows.shape[1] if isinstance(rows, Value) else len(rows[0]))
    return Column("input", "number", shape[0] if shape is not None and len(shape) == 1 else None)


def _column(name: str, layer: Model, given: Operand) -> Column:
    rows = _rows(layer)
    function = getattr(layer, "activation", None)
    note = "" if function is None or not getattr(layer, "nonlin", True) else name_of(function)
    neurons: Iterable[Model] = getattr(layer, "neurons", [layer])
    if rows is not None and not isinstance(rows, Value):
        biases = [neuron.b for neuron in neurons]
        known = None if any(b is None for b in biases) else biases
        return Column(name, note, len(rows), rows, known, given)
    shape = getattr(layer, "output_shape", None) if given is None else given.shape[1:]
    count = shape[0] if shape is not None and len(shape) == 1 else None
    if rows is None:
        return Column(name, note, count, values=given)
    return Column(name, note, rows.shape[0], rows, getattr(layer, "bias", None), given)


def _rows(layer: Model) -> Tree:
    """Return the weights between all inputs and all neurons, a row for each; or None."""
    if hasattr(layer, "neurons"):
        return [neuron.w for neuron in layer.neurons]
    if hasattr(layer, "w"):
        return [layer.w]
    weight = getattr(layer, "weight", None)
    is_full = hasattr(layer, "units") and isinstance(weight, Value) and len(weight.shape) == 2
    return weight if is_full else None
