"""The picture of a network: a column for each layer, a circle for each neuron."""

from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np

from ..backprop import seed, sweep
from ..data import Array, Function, Operand, Result, Tree
from ..errors import DataError
from ..explanation.notation import short
from ..graph import Node, topological_order
from .boxes import MISSING, in_brief
from .dot import NEGATIVE, POSITIVE, Digraph, aligned, color, lines, new_graph
from .picture import Legend, Picture

WIDE = 10  # neurons shown of a layer
APART, HIGH, UNIT = 2.3, 0.76, 0.68  # inches
DIGITS = 3
FITS = 18  # letters in a column


class LayerNumbers(NamedTuple):
    """A column of the picture, in numbers."""

    name: str
    note: str  # below the name: the activation
    size: int | None  # neurons; None: drawn as one box
    values: Result  # (neurons,), the mean over a batch; or None; of a box: all
    gradients: Result
    weights: Result  # (neurons, inputs)
    weight_gradients: Result
    biases: Result
    shown: list[int]  # neurons; the others are folded
    samples: int  # whose mean the numbers are


def draw_network(described: Any, loss: Function | None, limit: int | None) -> Picture:
    """Return a picture of a network, see `draw`.

    Args:    described: what the method `_drawing_` of a model returns: `columns` and `output`. A
             column, one layer or the inputs, has `name`, `note`, `size`, `weights` (a Value of
             shape (neurons, inputs) or rows of Values), `biases` and `values` (of a batch or a
             sample); all but `name` and `note` may be None.
             loss: function of the output whose gradients are shown; None: the sum of the output.
             limit: neurons shown of a layer.
    """
    found = _gradients_of(described.output, loss)
    layers = [_layer(column, found, limit or WIDE) for column in described.columns]
    graph = new_graph("LR", _caption(layers))
    graph.attr(layout="neato", splines="line", outputorder="edgesfirst", pad="0.12")
    graph.attr("node", shape="circle", style="filled", width=str(UNIT), fixedsize="true")
    graph.attr("node", fontsize="9", margin="0")
    stories: dict[str, str] = {}
    most = _greatest([layer.values for layer in layers if layer.size])
    heaviest = _greatest([layer.weights for layer in layers])
    top = max(_places(layer)[0][1] for layer in layers) + HIGH
    for i, layer in enumerate(layers):
        _draw_column(graph, i, layer, top, most, stories)
        if i:
            _draw_lines(graph, i, layers[i - 1], layer, heaviest, stories)
    legend = Legend([], most, "activation")
    return Picture(graph.source, _table(layers), "Network", stories, legend)


# Layers in numbers


def _gradients_of(output: Tree, loss: Function | None) -> dict[Node, Result]:
    """Return the gradients of the loss, or of the sum of the outputs; none without an output.

    Raises:  DataError: the loss does not return a Value.
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


def _layer(column: Any, found: dict[Node, Result], limit: int) -> LayerNumbers:
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
    return LayerNumbers(
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


def _numbers(x: Tree, found: dict[Node, Result] | None = None) -> Result:
    """Return the data of nodes and lists of nodes as one array, or what was found; None of None."""
    if isinstance(x, list | tuple):
        return np.array([_numbers(each, found) for each in x])
    data: Operand = getattr(x, "_data", x)
    if found is not None:
        data = found.get(x, 0 * data)
    return None if x is None else np.asarray(data, dtype=float)


def _gradients(x: Tree, found: dict[Node, Result]) -> Result:
    """Return the gradients of nodes and lists of nodes as one array; None if there are none.

    If only some have one, the others have gradient 0: the loss does not depend on them.
    """
    leaves = _leaves(x)
    if not all(isinstance(each, Node) for each in leaves) or found.keys().isdisjoint(leaves):
        return None
    return _numbers(x, found)


def _leaves(x: Tree) -> list[Operand]:
    """Return the elements of nested lists in one list."""
    return [leaf for each in x for leaf in _leaves(each)] if isinstance(x, list | tuple) else [x]


def _per_neuron(column: Any, numbers: Result) -> Result:
    """Return one number for each neuron: the mean over a batch."""
    if numbers is None or numbers.ndim < 2:
        return numbers
    is_list = isinstance(column.values, list | tuple)
    return numbers.mean(axis=1) if is_list else numbers.reshape(-1, column.size).mean(axis=0)


def _greatest(arrays: list[Array]) -> float:
    finite = [np.abs(a[np.isfinite(a)]) for a in arrays if a is not None]
    return max((float(a.max()) for a in finite if a.size), default=0.0)


# The drawing


def _places(layer: LayerNumbers) -> list[tuple[int | None, float]]:
    """Return the neurons shown, None for those folded, with their heights."""
    slots: list[int | None] = list(layer.shown)
    if layer.size is None:
        slots = [None]
    elif len(layer.shown) < layer.size:
        slots.insert((len(slots) + 1) // 2, None)
    middle = (len(slots) - 1) / 2
    return [(unit, (middle - i) * HIGH) for i, unit in enumerate(slots)]


def _draw_column(
    graph: Digraph, i: int, layer: LayerNumbers, top: float, most: float, stories: dict[str, str]
) -> None:
    """Draw the heading of a layer and its neurons; a neuron is coloured by its activation."""
    graph.node(
        f"h{i}",
        lines(filter(None, [layer.name, layer.note])),
        shape="plaintext",
        style="",
        pos=f"{i * APART},{top:.3f}!",
        width="1.8",
        height="0.4",
        **{"class": "heading"},
    )
    stories[f"h{i}"] = layer.name
    for unit, height in _places(layer):
        name = f"c{i}_{'more' if unit is None else unit}"
        pos = f"{i * APART},{height:.3f}!"
        if unit is None:
            text = _of_hidden(layer)
            style = {"shape": "plaintext", "class": "heading"} if layer.size else {"shape": "box"}
            graph.node(name, lines(text), pos=pos, width="1.3", height="0.66", **style)
            stories[name] = ", ".join(text)
            continue
        known = _of_neuron(layer, unit)
        fill = {}
        if layer.values is not None:
            fill["fillcolor"] = color(float(layer.values[unit]), most)
        graph.node(name, lines(f"{mark}{x}" for _, mark, x in known), pos=pos, **fill)
        words = [f"{word} {x}" for word, _, x in known]
        stories[name] = ", ".join([f"{layer.name}, neuron {unit}", *words])


def _of_neuron(layer: LayerNumbers, unit: int) -> list[tuple[str, str, str]]:
    """Return the known numbers of a neuron, each with its word and its mark."""
    known = []
    if layer.values is not None:
        known.append(("activation", "", layer.values[unit]))
    if layer.gradients is not None:
        known.append(("gradient", "g ", layer.gradients[unit]))
    if layer.biases is not None and layer.values is None:
        known.append(("bias", "b ", layer.biases[unit]))
    return [(word, mark, short(float(x), DIGITS)) for word, mark, x in known]


def _of_hidden(layer: LayerNumbers) -> list[str]:
    """Return the text of a layer that is one box, or of the neurons that are not shown."""
    values, gradients = layer.values, layer.gradients
    if layer.size is not None:
        hidden = np.setdiff1d(np.arange(layer.size), layer.shown)
        values, gradients = [x if x is None else x[hidden] for x in (values, gradients)]
        text = [f"... {len(hidden):,} more ..."]
    elif values is None:
        return ["not computed"]
    else:
        text = [f"shape {values.shape}"]
    if values is not None:
        text += wrap(in_brief(values), FITS)
    if gradients is not None:
        text.append(f"g norm {short(float(np.linalg.norm(gradients)), DIGITS)}")
    return text


def _draw_lines(
    graph: Digraph,
    i: int,
    before: LayerNumbers,
    layer: LayerNumbers,
    heaviest: float,
    stories: dict[str, str],
) -> None:
    """Draw the weights between the neurons that are shown; plain lines where there are none."""
    for head, _ in _places(layer):
        for tail, _ in _places(before):
            ends = (f"c{i - 1}_{_end(tail)}", f"c{i}_{_end(head)}")
            is_weight = layer.weights is not None and tail is not None and head is not None
            if not is_weight:
                if layer.weights is None and (before.size != layer.size or head == tail):
                    graph.edge(*ends, arrowhead="none", **{"class": "plain"})
                continue
            weight = float(layer.weights[head, tail])
            size = abs(weight) / heaviest if heaviest and np.isfinite(weight) else 0.0
            red, green, blue = (int(0.85 * c) for c in (POSITIVE if weight > 0 else NEGATIVE))
            graph.edge(
                *ends,
                arrowhead="none",
                penwidth=f"{0.3 + 4 * size:.2f}",
                color=f"#{red:02x}{green:02x}{blue:02x}",
                **{"class": "weight"},
            )
            story = f"weight {short(weight)} from {tail} to {head}"
            if layer.weight_gradients is not None:
                slope = float(layer.weight_gradients[head, tail])
                story += f", gradient {short(slope)}"
            stories["->".join(ends)] = story


def _end(unit: int | None) -> str:
    return "more" if unit is None else str(unit)


def _caption(layers: list[LayerNumbers]) -> list[str]:
    text = []
    if any(layer.weights is not None for layer in layers):
        text.append("line width: size of a weight; blue: negative, orange: positive")
    if any(layer.gradients is not None for layer in layers):
        text.append("g: gradient")
    samples = max(layer.samples for layer in layers)
    if samples > 1:
        text.append(f"numbers are means over {samples:,} samples")
    folded = [
        f"{layer.size - len(layer.shown):,} of {layer.name}"
        for layer in layers
        if layer.size is not None and len(layer.shown) < layer.size
    ]
    if folded:
        text.append(f"not drawn one by one: {', '.join(folded)}")
    return text


def _table(layers: list[LayerNumbers]) -> str:
    """Return the layers as a table in plain text."""
    rows = []
    for layer in layers:
        size = "" if layer.size is None else f"{layer.size:,} x {layer.note or 'neuron'}"
        row = [layer.name, size or layer.note]
        row.append("" if layer.weights is None else f"weights {in_brief(layer.weights)}")
        row.append("" if layer.values is None else f"activations {in_brief(layer.values)}")
        if layer.gradients is None:
            row.append(MISSING if layer.values is not None else "")
        else:
            row.append(f"gradient norm {short(float(np.linalg.norm(layer.gradients)), 4)}")
        rows.append(row)
    return "\n".join(aligned(rows))
