"""The exercises of notebook 7, descent."""

from typing import Any

import numpy as np

from autograd_core import Value

from .answers import function, mistake_in_gradients, mistake_in_number, number, numbers, shown
from .exercise import Exercise


def _mistake_in_one_step(answer: Any) -> str | None:
    return mistake_in_number(
        answer,
        1.4,
        {
            0.6: "that is away from the goal: the slope at 1 is negative, the step goes against it",
            5.0: "you took the whole slope, -4; a step is the learning rate times the slope",
            1.2: "the slope is twice the error: the derivative of (w - 3)² has the factor 2",
            0.4: "that is the step; the weight it leads to is asked for",
            -0.4: "the step goes against the slope; and the weight it leads to is asked for",
        },
    )


one_step = Exercise(
    _mistake_in_one_step,
    hint="Find the slope of the loss at 1, with its sign, and go against it by the learning rate"
    " times the slope.",
    solution="The slope is 2 * (1 - 3) = -4, so w = 1 - 0.1 * (-4) = 1.4.",
    reads=number,
)


def _mistake_in_gradient_of_a_line(answer: Any) -> str | None:
    w, b = Value(1.0, label="w"), Value(0.0, label="b")
    x, y = np.array([1.0, 2.0, 3.0]), np.array([3.0, 3.0, 8.0])
    loss = np.mean((w * x + b - y) ** 2)
    loss.label = "L"
    return mistake_in_gradients(loss, ("w", "b"), answer)


gradient_of_a_line = Exercise(
    _mistake_in_gradient_of_a_line,
    hint="Write down the three errors w x + b - y first. Each gives 2 * error * x to w and"
    " 2 * error to b; the loss is their mean.",
    solution="The errors are -2, -1 and -5. dL/dw = 2 * (-2 * 1 - 1 * 2 - 5 * 3) / 3 = -38/3,"
    " dL/db = 2 * (-2 - 1 - 5) / 3 = -16/3.",
)


def _mistake_in_largest_rate(answer: Any) -> str | None:
    return mistake_in_number(
        answer,
        0.25,
        {
            0.125: "with 1 / curvature a single step is enough; it arrives up to twice that rate",
            0.5: "4 is the number before w²; the curvature is the second derivative of the loss",
            8.0: "that is the curvature; the steeper the change of slope, the smaller the rate",
            4.0: "that is the curvature over 2; it is to be divided by",
        },
    )


largest_rate = Exercise(
    _mistake_in_largest_rate,
    hint="What is the second derivative? A step multiplies the distance by 1 - rate * curvature,"
    " which must stay above -1.",
    solution="The curvature is 8, the -8w changes nothing about it. 1 - 8 * rate > -1 holds for"
    " rates below 2 / 8 = 0.25.",
    reads=number,
)


def _mistake_in_iterations(answer: Any) -> str | None:
    return mistake_in_number(
        answer,
        2345,
        {
            469: "that is one epoch; there are five",
            2340: "the last batch of each epoch is smaller, but it is a step, too: round up",
            2343.75: "there is no part of a step: the last batch of each epoch counts as one",
            2344: "round up in each epoch, not at the end: every epoch ends with a smaller batch",
            300_000: "so many samples are seen; a step takes 128 of them",
            640: "that is batch size times epochs; ask how often 128 goes into 60,000",
        },
    )


iterations = Exercise(
    _mistake_in_iterations,
    hint="How many batches does one epoch have, the last, smaller one included?",
    solution="60,000 / 128 = 468.75: 469 iterations in an epoch, 5 * 469 = 2,345 in five.",
    reads=number,
)


def _told_by_one_step(found: Any, numbers: dict[str, float]) -> str | None:
    """Return the slip that explains a wrong new weight and velocity."""
    w, v, g, rate, mu = numbers.values()
    new = mu * v - rate * g
    slips = [
        ((w + v, new), "the weight moves by the old velocity; it is the new one that moves it"),
        ((w - rate * g, new), "the velocity changes, but the weight does not move by it"),
        ((w - new, new), "the velocity points downhill already: it is added to the weight"),
        ((w + mu * v + rate * g, mu * v + rate * g), "uphill: the gradient is to be subtracted"),
        ((w + rate * (mu * v - g), mu * v - g), "the learning rate belongs to the gradient alone"),
        ((w + rate * new, new), "the learning rate is in the velocity already: w + velocity"),
        (
            (w + v - rate * g, v - rate * g),
            "the old velocity has to lose a part: momentum times it",
        ),
        ((w + mu * new - rate * g, new), "that is Nesterov's step; plain momentum is asked for"),
        ((new, w + new), "the two are in the wrong order: first the weight, then the velocity"),
    ]
    for slip, said in slips:
        if np.allclose(found, slip):
            return said
    return f"for {numbers} it gives {found[0]:g}, {found[1]:g}, and should {w + new:g}, {new:g}"


def _mistake_in_momentum_step(answer: Any) -> str | None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        names = ("w", "velocity", "gradient", "learning_rate", "momentum")
        signed, parts = rng.normal(size=3).round(2), rng.uniform(0.1, 0.9, 2).round(2)
        numbers = dict(zip(names, [*signed.tolist(), *parts.tolist()], strict=True))
        found = answer(**numbers)
        if np.shape(found) != (2,):
            return f"it gives {shown(found)}, and two numbers are asked for: return w, velocity"
        new = numbers["momentum"] * numbers["velocity"]
        new -= numbers["learning_rate"] * numbers["gradient"]
        if not np.allclose(found, (numbers["w"] + new, new)):
            return _told_by_one_step(found, numbers)
    return None


momentum_step = Exercise(
    _mistake_in_momentum_step,
    hint="First the new velocity, from the old one and the gradient; then the weight moves by it.",
    solution="""def momentum_step(w, velocity, gradient, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient
    return w + velocity, velocity
""",
    reads=function,
)


def _mistake_in_first_step_of_adam(answer: Any) -> str | None:
    slips = [
        ((-10.0, 0.001), "that is plain descent; Adam divides each by the size of its gradient"),
        ((0.1, -0.1), "the sizes are right, but that is uphill: against the gradient"),
        ((-0.1, -0.1), "the second gradient is negative, so its weight moves up"),
        ((-1.0, 1.0), "the sizes are the learning rate, 0.1"),
        ((-0.01, 0.01), "the running mean starts at 0 and is corrected for it: nothing is lost"),
        ((-0.32, 0.32), "both running means start at 0, and each is corrected for it"),
    ]
    if np.allclose(answer, (-0.1, 0.1), atol=0.004):
        return None
    for slip, said in slips:
        if np.allclose(answer, slip, atol=0.004, rtol=0.01):
            return said
    return f"{answer[0]:g} and {answer[1]:g} are not g / |g| times the learning rate, downhill"


first_step_of_adam = Exercise(
    _mistake_in_first_step_of_adam,
    hint="After one step both corrected means are those of a single gradient: g, and g squared.",
    solution="m / sqrt(v) = g / |g|, the sign alone: -0.1 for the first weight, +0.1 for the"
    " second. The gradients differ by a factor of 10,000, the steps do not.",
    reads=numbers("first", "second"),
)
