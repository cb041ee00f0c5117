"""Exercises of notebook 12: bumps, radial units, shared weights, shapes, energy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Value
from nn import Hopfield

from .answers import function, mistake_in_gradients, mistake_in_number, number, numbers
from .exercise import Exercise


def _mistake_in_bump(answer: Any) -> str | None:
    for left, right in ((-1.0, 2.0), (0.0, 1.0), (3.0, 7.0)):
        x = np.array([left - 2.0, (left + right) / 2, right + 2.0])
        heights = np.asarray(answer(x, left, right, 50.0), float)
        if heights.shape != (3,):
            return f"for 3 places it gives shape {heights.shape}; it must be one height for each"
        wrong = _mistake_in_heights(heights, left, right)
        if wrong:
            return wrong
        at_edges = np.asarray(answer(np.array([left, right]), left, right, 5.0), float)
        if not np.allclose(at_edges, 0.5, atol=0.01):
            return "halfway up it must be at left and at right: is each edge where x minus it is 0?"
        softer = np.asarray(answer(np.array([left + 0.1]), left, right, 5.0), float)[0]
        if not 0.5 < softer < 0.8:
            return "the steepness has no part in it: steepness 5 must give soft edges"
    return None


def _mistake_in_heights(heights: Any, left: float, right: float) -> str | None:
    before, inside, after = heights
    if abs(inside + 1.0) < 0.01:
        return "it is upside down: the step that goes up comes first, at left"
    if abs(inside - 1.0) < 0.01 and abs(after - 1.0) < 0.01:
        return "it goes up and stays up; a second step, at right, has to take it back"
    if abs(after - 2.0) < 0.01:
        return "both steps go up, so that it ends at 2; the second one has to go down"
    if abs(before - 1.0) < 0.01:
        return "it is 1 before left, where it should be 0"
    if not np.allclose(heights, [0.0, 1.0, 0.0], atol=0.01):
        found = ", ".join(f"{height:.2f}" for height in heights)
        return f"from {left:g} to {right:g}: before, inside and after it is {found}, not 0, 1, 0"
    return None


def _number(right: float, slips: dict[float, str]) -> Callable[[Any], str | None]:
    """Return what judges a number by the slips that lead to other ones."""
    return lambda answer: mistake_in_number(answer, right, slips)


def _mistake_in_through_time(answer: Any) -> str | None:
    u, h0 = Value(0.5, label="u"), Value(2.0, label="h0")
    older = u * h0
    h1 = older + 1.0
    newer = u * h1
    h2 = newer + 3.0
    for value, name in ((older, "u*h0"), (h1, "h1"), (newer, "u*h1"), (h2, "h2")):
        value.label = name
    return mistake_in_gradients(h2, ["h1", "h0", "u"], answer)


def _mistake_in_shape(answer: Any) -> str | None:
    known = {
        (3, 3, 8): None,
        (8, 3, 3): "the numbers are right; but here, as in Keras, channels come last",
        (6, 6, 8): "that is the shape after the convolution; the pooling is still to come",
        (8, 8, 8): "without padding, a filter of 3 by 3 has no place for its centre at the rim",
        (4, 4, 8): "without padding, a filter of 3 by 3 has no place for its centre at the rim",
        (3, 3, 1): "each filter makes an image of its own, and all of them are kept",
        (5, 5, 8): "pooling moves by its own size: 2 by 2 squares do not overlap",
    }
    given = tuple(answer)
    return known.get(given, f"{given} is no side of an 8 by 8 image after filter and pooling")


def _mistake_in_energy(answer: Any) -> str | None:
    generator = np.random.default_rng(0)
    for units in (3, 8, 8, 8):
        patterns = generator.choice([-1.0, 1.0], (2, units))
        memory = Hopfield(units).store(patterns)
        state = generator.choice([-1.0, 1.0], units)
        given, right = np.asarray(answer(memory.weight, state)), memory.energy(state)
        if given.shape != ():
            return f"it gives shape {given.shape}; the energy of a state is one number"
        if np.isclose(given, right):
            continue
        if np.isclose(given, -right):
            return "the sign is turned: stored patterns would lie on hilltops"
        if np.isclose(given, 2 * right):
            return "each pair of units is counted twice, as i, j and as j, i: a half is missing"
        if np.isclose(given, -2 * right):
            return "the sign is turned and a half is missing"
        return f"for one state it is {float(given):.4g}, and not {float(right):.4g}"
    return None


bump = Exercise(
    _mistake_in_bump,
    hint="Two sigmoids of steepness * (x - edge): one goes up at left, the other at right.",
    solution="""\
def answer(x, left, right, steepness):
    # up at left; what goes up at right is taken off
    return sigmoid(steepness * (x - left)) - sigmoid(steepness * (x - right))
""",
    reads=function,
)

radial_unit = Exercise(
    _number(
        float(np.exp(-8 / 18)),
        {
            float(np.exp(-8 / 9)): "the 2 in 2 * width**2 is missing",
            float(np.exp(-np.sqrt(8) / 18)): "the distance is to be squared",
            float(np.exp(-8 / 6)): "the width is to be squared",
            float(np.exp(8 / 18)): "the exponent is negative: far away, a unit is silent",
            float(np.exp(-4 / 18)): "both coordinates differ from the centre; add their squares",
            8.0: "that is the squared distance; the unit's answer is an exponential of it",
        },
    ),
    hint="First the squared distance, 2**2 + 2**2; then divide it by 2 * width**2.",
    solution="answer = np.exp(-(2**2 + 2**2) / (2 * 3**2))  # exp(-8/18), about 0.641\n",
    reads=number,
)

through_time = Exercise(
    _mistake_in_through_time,
    hint="u is used twice: add what comes through each use, the older one by way of h1.",
    solution="""\
# h2 = u * h1 + 3 gives h1 the factor u = 0.5, and u the factor h1 = 2;
# h1 = u * h0 + 1 hands on 0.5 * u to h0, and adds 0.5 * h0 to u
answer = {"h1": 0.5, "h0": 0.5 * 0.5, "u": 2.0 + 0.5 * 2.0}
""",
)

weights_of_an_lstm = Exercise(
    _number(
        4 * (10 * 3 + 10 * 10 + 10),
        {
            10 * 3 + 10 * 10 + 10: "that is one block; an LSTM has four of this size",
            4 * (10 * 3 + 10 * 10): "the biases are missing",
            4 * (10 * 3 + 10): "the weights from state to state are missing",
            4 * (10 * 3 + 10 * 10 + 20): "one bias for each unit of a block is trained, not two",
            11 * 4 * (10 * 3 + 10 * 10 + 10): "the same weights serve all 11 steps",
            3 * (10 * 3 + 10 * 10 + 10): "three gates, and the candidate: that makes four blocks",
        },
    ),
    hint="Each of the four blocks sees 3 inputs and 10 states, for 10 units, and has 10 biases.",
    solution="answer = 4 * (10 * 3 + 10 * 10 + 10)  # 560, however long the sequence\n",
    reads=number,
)

shape_of_images = Exercise(
    _mistake_in_shape,
    hint="A filter of width 3 has 8 - 3 + 1 places along a side; pooling halves what there is.",
    solution="answer = (3, 3, 8)  # 8 - 3 + 1 = 6 places a side, half of them is 3; 8 filters\n",
    reads=numbers("height", "width", "channels"),
)

energy = Exercise(
    _mistake_in_energy,
    hint="state @ weight @ state adds up all pairs, each of them twice.",
    solution="""\
def answer(weight, state):
    # agreement along the weights counts as low energy; a half, as pairs stand there twice
    return -0.5 * state @ weight @ state
""",
    reads=function,
)
