"""The picture of a network: a column for each layer, a circle for each neuron."""

from itertools import product
from textwrap import wrap
from typing import Any

import numpy as np

from ..backprop import seed, sweep
from ..data import Array, Function, Result, Tree
from ..derivatives import flatten
from ..errors import DataError
from ..explanation.notation import short
from ..graph import Node, plain, topological_order
from ..messages import with_article
from .boxes import MISSING, in_brief
from .dot import NEGATIVE, POSITIVE, Digraph, aligned, color, lines, new_graph
from .picture import Legend, Picture

WIDE = 10  # neurons shown of a layer
APART, HIGH, UNIT = 2.3, 0.76, 0.68  # inches
DIGITS = 3
FITS = 18  # letters in a column


class Layer:
    """A column of the picture, in numbers; of a batch they are means.

    Args:    column: see `draw_network`.
             found: the gradients by node.
             limit: neurons shown; those in the middle are folded.
    """

    def __init__(self, column: Any, found: dict[Node, Result], limit: int) -> None:
        self.name: str = column.name
        self.note: str = column.note  # below the name: the activation
        self.size: int | None = column.size  # neurons; None: drawn as one box
        self.weights, self.biases = _numbers(column.weights), _numbers(column.biases)
        self.weight_gradients = _gradients(column.weights, found)  # (neurons, inputs)
        self.values = _numbers(column.values)
        self.gradients = _gradients(column.values, found)
        is_list = isinstance(column.values, list | tuple)  # of a Value for each neuron
        self.samples = 1
        if self.values is not None and self.values.ndim > 1:
            self.samples = self.values.shape[1 if is_list else 0]
        units: list[int | None] = [None]
        if self.size is not None:
            self.values = _per_neuron(self.values, self.size, is_list)
            self.gradients = _per_neuron(self.gradients, self.size, is_list)
            units = list(range(self.size))
            if self.size > limit:
                first, last = max(limit // 2, 1), limit - max(limit // 2, 1)
                units[first : self.size - last] = [None]
        self.shown = [unit for unit in units if unit is not None]
        middle = (len(units) - 1) / 2
        # Units from top to bottom with their heights, None: those that are not drawn one by one
        self.places = [(unit, (middle - i) * HIGH) for i, unit in enumerate(units)]

    @property
    def folded(self) -> int:
        """The number of neurons that are not shown."""
        return (self.size or 0) - len(self.shown)


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
    layers = [Layer(column, found, limit or WIDE) for column in described.columns]
    graph = new_graph("LR", _caption(layers))
    graph.attr(layout="neato", splines="line", outputorder="edgesfirst", pad="0.12")
    graph.attr("node", shape="circle", style="filled", width=str(UNIT), fixedsize="true")
    graph.attr("node", fontsize="9", margin="0")
    stories: dict[str, str] = {}
    most = _greatest([layer.values for layer in layers if layer.size])
    heaviest = _greatest([layer.weights for layer in layers])
    top = max(layer.places[0][1] for layer in layers) + HIGH
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
            f"a loss that is {with_article(type(total).__name__)}",
            "gradients are those of a Value that was computed from the output",
            "draw(model, x, loss=lambda output: ((output - target) ** 2).sum())",
        )
    return sweep(topological_order(total), seed(total, None))


def _numbers(x: Tree) -> Result:
    """Return the data of a node, or of nested lists of nodes, as one array; None of None."""
    leaves, rebuild = flatten(x)
    return None if x is None else np.asarray(rebuild([plain(leaf) for leaf in leaves]), dtype=float)


def _gradients(x: Tree, found: dict[Node, Result]) -> Result:
    """Return the gradients of a node, or of nested lists, as one array; None if there are none.

    If only some have one, the others have gradient 0: the loss does not depend on them.
    """
    leaves, rebuild = flatten(x)
    if not all(isinstance(each, Node) for each in leaves) or found.keys().isdisjoint(leaves):
        return None
    gradients = [found.get(each, 0 * each._data) for each in leaves]
    return np.asarray(rebuild(gradients), dtype=float)


def _per_neuron(numbers: Result, size: int, is_list: bool) -> Result:
    """Return one number for each neuron: the mean over a batch."""
    if numbers is None or numbers.ndim < 2:
        return numbers
    return numbers.mean(axis=1) if is_list else numbers.reshape(-1, size).mean(axis=0)


def _greatest(arrays: list[Array]) -> float:
    finite = [np.abs(a[np.isfinite(a)]) for a in arrays if a is not None]
    return max((float(a.max()) for a in finite if a.size), default=0.0)


# The drawing


def _draw_column(
    graph: Digraph, i: int, layer: Layer, top: float, most: float, stories: dict[str, str]
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
    for unit, height in layer.places:
        name = _circle(i, unit)
        pos = f"{i * APART},{height:.3f}!"
        if unit is None:
            text = _of_hidden(layer)
            style = {"shape": "plaintext", "class": "heading"} if layer.size else {"shape": "box"}
            graph.node(name, lines(text), pos=pos, width="1.3", height="0.66", **style)
            stories[name] = ", ".join(text)
            continue
        biases = layer.biases if layer.values is None else None
        known = [
            (word, mark, short(float(numbers[unit]), DIGITS))
            for word, mark, numbers in (
                ("activation", "", layer.values),
                ("gradient", "g ", layer.gradients),
                ("bias", "b ", biases),
            )
            if numbers is not None
        ]
        fill = {}
        if layer.values is not None:
            fill["fillcolor"] = color(float(layer.values[unit]), most)
        graph.node(name, lines(f"{mark}{x}" for _, mark, x in known), pos=pos, **fill)
        words = [f"{word} {x}" for word, _, x in known]
        stories[name] = ", ".join([f"{layer.name}, neuron {unit}", *words])


def _circle(i: int, unit: int | None) -> str:
    return f"c{i}_{'more' if unit is None else unit}"


def _of_hidden(layer: Layer) -> list[str]:
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
    before: Layer,
    layer: Layer,
    heaviest: float,
    stories: dict[str, str],
) -> None:
    """Draw the weights between the neurons that are shown; plain lines where there are none."""
    for (head, _), (tail, _) in product(layer.places, before.places):
        ends = (_circle(i - 1, tail), _circle(i, head))
        if layer.weights is None:
            if before.size != layer.size or head == tail:
                graph.edge(*ends, arrowhead="none", **{"class": "plain"})
            continue
        if tail is None or head is None:
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


def _caption(layers: list[Layer]) -> list[str]:
    text = []
    if any(layer.weights is not None for layer in layers):
        text.append("line width: size of a weight; blue: negative, orange: positive")
    if any(layer.gradients is not None for layer in layers):
        text.append("g: gradient")
    samples = max(layer.samples for layer in layers)
    if samples > 1:
        text.append(f"numbers are means over {samples:,} samples")
    folded = [f"{layer.folded:,} of {layer.name}" for layer in layers if layer.folded]
    if folded:
        text.append(f"not drawn one by one: {', '.join(folded)}")
    return text


def _table(layers: list[Layer]) -> str:
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
