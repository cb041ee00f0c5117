"""Exercises of notebook 01: slopes found by nudging, and the first Values."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Value

from .answers import function, mistake_in_gradients, number, numbers
from .exercise import Exercise


def _is_close(given: float, right: float, room: float = 1e-6) -> bool:
    return abs(given - right) <= room


def _mistake_in_slope(slope: Any) -> str | None:
    rng = np.random.default_rng(0)
    for f in (np.exp, np.sin, np.square):
        for x, h in zip(rng.uniform(0.5, 2.0, 3), (0.5, 0.25, 0.1), strict=True):
            mistake = _mistake_in_one_slope(slope(f, x, h), f, x, h)
            if mistake:
                return f"for {f.__name__} at x = {x:.2f} with h = {h:g}, {mistake}"
    return None


def _mistake_in_one_slope(given: Any, f: Callable[..., Any], x: float, h: float) -> str | None:
    given = number(given)
    up, middle, down = f(x + h), f(x), f(x - h)
    right = (up - down) / (2 * h)
    known = [
        ((up - middle) / h, "it nudges to the right only; the left side is missing"),
        ((middle - down) / h, "it nudges to the left only; the right side is missing"),
        ((up - down) / h, "it is twice the slope: from x - h to x + h is a run of 2 * h"),
        (up - down, "it is the difference of the heights; divide it by the run, 2 * h"),
        (-right, "the sign is turned: later minus earlier, f(x + h) - f(x - h)"),
        (up - down / (2 * h), "only f(x - h) is divided: the difference needs brackets"),
        ((up - down) / 2 * h, "/ 2 * h divides by 2 and multiplies by h: 2 * h needs brackets"),
    ]
    if _is_close(given, right):
        return None
    for wrong, why in known:
        if _is_close(given, wrong):
            return why
    return f"it gives {given:.4g}, and the rise over the run is {right:.4g}"


def _earnings(price: Any, cost: float = 0.5) -> Any:
    return (price - cost) * (120 - 40 * price)


def _mistake_in_one_cent_more(answer: Any) -> str | None:
    if _is_close(answer, -0.4, 0.005):
        return None
    if _is_close(answer, 0.4, 0.005):
        return "the size is right, the sign is not: does the stand earn more, or less?"
    if _is_close(abs(answer), 40, 0.5):
        return "that is what a whole euro more would do if the slope stayed; a cent is 0.01 of it"
    if _is_close(answer, _earnings(2.25), 0.5):
        return "that is what the stand earns at this price; the question is by how much it changes"
    if _is_close(answer, 0.6, 0.01):
        return "that is the answer at the price of 1.00; the slope is another one at 2.25"
    return f"a cent more does not change the earnings by {answer:g}"


def _mistake_in_best_price(answer: Any) -> str | None:
    if _is_close(answer, 1.95, 0.0051):
        return None
    if _is_close(answer, _earnings(1.95, cost=0.9), 0.01):
        return "that is what the stand earns at best; asked is the price at which it does"
    if _is_close(answer, 1.75, 0.0051):
        return "that is the best price while a cup costs 0.50 to make; now it costs 0.90"
    price = Value(answer)
    _earnings(price, cost=0.9).backward()
    direction = "a higher" if price.grad > 0 else "a lower"
    return (
        f"at the price {price.data:g} the slope is {price.grad:.3g}, not 0: {direction} price "
        "earns more"
    )


def _mistake_in_box(answer: Any) -> str | None:
    side, height = Value(3.0, label="side"), Value(5.0, label="height")
    volume = side * side * height
    volume.label = "volume"
    return mistake_in_gradients(volume, ["side", "height"], answer)


def _mistake_in_kink(answer: Any) -> str | None:
    left, right = answer
    if _is_close(left, 0.0, 1e-3) and _is_close(right, 2.0, 1e-3):
        return None
    if _is_close(left, 2.0, 1e-3) and _is_close(right, 0.0, 1e-3):
        return "both are right, but they have changed places: left comes first"
    if _is_close(left, -1.0, 1e-3) and _is_close(right, 1.0, 1e-3):
        return "these are the slopes of |x - 2|; what does + x add to each of them?"
    if _is_close(left, right, 1e-3):
        return "at a kink the two sides differ; nudge to each side on its own"
    side = "left" if not _is_close(left, 0.0, 1e-3) else "right"
    return f"the slope on the {side} is another one"


slope_from_both_sides = Exercise(
    _mistake_in_slope,
    hint="How much higher is f at x + h than at x - h, and how far apart are these two places?",
    solution="""\
def slope(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


answer = slope
# The rise from x - h to x + h, over the run between them. What is wrong on one side
# is nearly made good on the other.
""",
    reads=function,
)

one_cent_more = Exercise(
    _mistake_in_one_cent_more,
    hint="The slope tells how much one euro more would change if the curve were straight.",
    solution="""\
def earnings(price):
    return (price - 0.5) * (120 - 40 * price)


slope = (earnings(2.25 + 0.001) - earnings(2.25 - 0.001)) / 0.002  # -40
answer = slope * 0.01
# About 40 cents less. Beyond the top of the curve the slope is below 0.
""",
    reads=number,
)

best_price = Exercise(
    _mistake_in_best_price,
    hint="On the top of a hill the ground is level.",
    solution="""\
from autograd_core import Value

price = Value(1.0)
for _ in range(50):
    price.grad = 0.0
    ((price - 0.90) * (120 - 40 * price)).backward()
    price.data += 0.005 * price.grad
answer = round(price.data, 2)  # 1.95
# Or with a pencil: the slope is 156 - 80 * price, which is 0 at 156 / 80.
""",
    reads=number,
)

box = Exercise(
    _mistake_in_box,
    hint="Nudge the side: the volume side * side * height has it twice. Then nudge the height.",
    solution="""\
side, height = 3.0, 5.0
answer = {"side": 2 * side * height, "height": side * side}
# Each of the two sides is a path along which a longer side makes the box larger:
# side * height for the one, and as much for the other.
""",
)

sides_of_a_kink = Exercise(
    _mistake_in_kink,
    hint="Left of 2, |x - 2| is 2 - x; right of 2 it is x - 2. Add x to both.",
    solution="""\
answer = (0, 2)
# Left of 2 the function is 2 - x + x = 2, which is level. Right of 2 it is
# x - 2 + x = 2x - 2, which rises by 2 for each 1.
""",
    reads=numbers("slope on the left", "slope on the right"),
)
