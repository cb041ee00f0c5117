"""The exercises of notebook 8, XOR in depth."""

from typing import Any

import numpy as np

from autograd_core import Value, relu

from .answers import (
    Misread,
    function,
    mistake_in_gradients,
    mistake_in_number,
    number,
    numbers,
    plain,
)
from .exercise import Exercise

ROWS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([0, 1, 1, 0])


def _fires(neuron: Any, rows: Any) -> Any:
    w1, w2, b = neuron
    return (rows @ np.array([w1, w2]) + b >= 0).astype(int)


def _three_neurons(answer: Any) -> dict[str, Any]:
    """Read three neurons, by name or in this order: first, second, output."""
    names = ["first", "second", "output"]
    given = plain(answer)
    if isinstance(given, list | tuple | np.ndarray) and len(given) == 3:
        given = dict(zip(names, given, strict=True))
    if not isinstance(given, dict) or set(given) != set(names):
        raise Misread(f"three neurons are asked for by name, {', '.join(names)}, in a dict")
    for name in names:
        if np.shape(given[name]) != (3,):
            raise Misread(f"{name} has to be three numbers, (weight 1, weight 2, bias)")
    return {name: numbers("weight 1", "weight 2", "bias")(given[name]) for name in names}


def _mistake_in_by_hand(answer: Any) -> str | None:
    hidden = np.stack([_fires(answer["first"], ROWS), _fires(answer["second"], ROWS)], axis=1)
    out = _fires(answer["output"], hidden)
    if (out == TARGETS).all():
        return None
    if (out == 1 - TARGETS).all():
        return "that is the opposite of XOR: each row comes out the wrong way round"
    if (hidden[:, 0] == hidden[:, 1]).all():
        return f"both hidden neurons say {hidden[:, 0].tolist()}: two equal ones are one"
    row = int(np.flatnonzero(out != TARGETS)[0])
    return (
        f"row {ROWS[row].astype(int).tolist()} gives {out[row]}, and should give {TARGETS[row]};"
        f" there the hidden neurons say {hidden[row].tolist()}"
    )


by_hand = Exercise(
    _mistake_in_by_hand,
    hint='XOR is "at least one, but not both". Which two neurons say just this, and what has the'
    " output to do with the second?",
    solution='{"first": (1, 1, -1), "second": (1, 1, -2), "output": (1, -1, -1)}'
    "  # OR, AND, and OR but not AND",
    reads=_three_neurons,
)


def _mistake_in_single_neuron(answer: Any) -> str | None:
    return mistake_in_number(
        answer,
        14,
        {
            16: "that is all of them, XOR included, which no line parts",
            15: "XOR has an opposite (both or none), which no line parts either",
            2: "that is how many it cannot compute",
            4: "that is how many rows there are; each of the functions is one way to fill them",
            12: "always 0 and always 1 count, too: a neuron that never fires, one that always does",
        },
        "too many, too few",
    )


single_neuron = Exercise(
    _mistake_in_single_neuron,
    hint="Mark the corners of a square with 0 and 1 in all 16 ways. Where can no line part them?",
    solution="14: all but XOR and its opposite, whose equal corners lie across from each other.",
    reads=number,
)


def _mistake_in_equal_units(answer: Any) -> str | None:
    parts = {name: Value(0.5, label=name) for name in ("w1", "w2")}
    parts |= {name: Value(0.75, label=name) for name in ("v1", "v2")}
    out = parts["v1"] * relu(parts["w1"] * 2.0) + parts["v2"] * relu(parts["w2"] * 2.0)
    out.label = "out"
    loss = out**2
    loss.label = "L"
    return mistake_in_gradients(loss, ("w1", "w2", "v1", "v2"), answer)


equal_units = Exercise(
    _mistake_in_equal_units,
    hint="Go forward first: a, b and out. Then back: dL/dout, from it dL/dv and dL/da, from this"
    " dL/dw, each by one more factor.",
    solution='{"w1": 4.5, "w2": 4.5, "v1": 3.0, "v2": 3.0}'
    "  # a = b = 1, out = 1.5, dL/dout = 3. The units have equal gradients: they stay equal.",
)


def _mistake_in_dead_unit(answer: Any) -> str | None:
    w1, w2, b = answer
    if w1 <= 0 or w2 <= 0:
        return "both weights have to be above 0: it is the bias that silences the unit"
    z = ROWS @ np.array([w1, w2]) + b
    alive = np.flatnonzero(z > 0)
    if not len(alive):
        return None
    row = ROWS[alive[-1]].astype(int).tolist()
    more = " The sum is largest where both inputs are 1." if len(alive) == 1 else ""
    return f"row {row} gives z = {z[alive[-1]]:g}, above 0: there a gradient passes.{more}"


dead_unit = Exercise(
    _mistake_in_dead_unit,
    hint="relu passes a gradient where its input is above 0. Which row has the largest input?",
    solution="(1.0, 1.0, -2.0)  # any bias up to -(w1 + w2) will do",
    reads=numbers("w1", "w2", "b"),
)


def _mistake_in_count_solved(answer: Any) -> str | None:
    right, close = [0.1, 0.8, 0.9, 0.2], [0.4, 0.6, 0.6, 0.4]
    undecided, opposite = [0.1, 0.8, 0.9, 0.6], [0.9, 0.1, 0.2, 0.8]
    for rows in (
        [right, undecided, opposite, right, close],
        [undecided, right, opposite, opposite],
    ):
        predictions = np.array(rows)
        found = number(answer(predictions.copy()))
        sides = (predictions > 0.5) == TARGETS
        near = np.abs(predictions - TARGETS) < 0.3
        slips = {
            int(sides.sum()): "it counts rows; a network counts only when all four of its rows do",
            int(sides.any(axis=1).sum()): "one row that is right is not enough: all four must be",
            float(sides.all(axis=1).mean()): "that is the share of the networks, not how many",
            int((~sides).any(axis=1).sum()): "it counts the networks that fail",
            int(near.all(axis=1).sum()): "it asks for more than the right side of one half: 0.6 for"
            " a target of 1 is right, too",
        }
        solved = int(sides.all(axis=1).sum())
        if found != solved:
            otherwise = f"for {rows} it gives {found}, and should give {solved}"
            return slips.get(found, otherwise)
    return None


count_solved = Exercise(
    _mistake_in_count_solved,
    hint="Compare predictions > 0.5 with the targets 0, 1, 1, 0, and ask each network for all of"
    " its row: axis=1.",
    solution="""def count_solved(predictions):
    right = (predictions > 0.5) == np.array([0, 1, 1, 0])
    return int(right.all(axis=1).sum())
""",
    reads=function,
)


def _mistake_in_parameters(answer: Any) -> str | None:
    return mistake_in_number(
        answer,
        13,
        {
            9: "weights alone are 6 + 3; each hidden unit and the output have a bias, too",
            12: "the output has a bias, too",
            10: "the hidden units have a bias each, too",
            6: "these are the weights into the hidden layer; count the output and the biases, too",
            7: "each unit has a weight for each of its inputs: multiply, do not add",
        },
        "too many, too few",
    )


parameters = Exercise(
    _mistake_in_parameters,
    hint="Each unit has one weight for each of its inputs, and one bias.",
    solution="3 * (2 + 1) + 1 * (3 + 1) = 13",
    reads=number,
)
