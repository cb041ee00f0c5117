"""Exercises of notebook 02: gradients by hand, and the order in which they are passed on."""

import re
from typing import Any

import numpy as np

from autograd_core import Value, grad

from .answers import Misread, function, mistake_in_gradients, number, numbers, plain, shown
from .exercise import Exercise


def _mistake_in_five_nodes(answer: Any) -> str | None:
    x, y, z = Value(2.0, label="x"), Value(3.0, label="y"), Value(-1.0, label="z")
    p = x * y
    p.label = "p"
    q = p + z
    q.label = "q"
    output = q * z
    output.label = "L"
    return mistake_in_gradients(output, ["q", "p", "x", "y", "z"], answer)


def _mistake_in_cube(answer: Any) -> str | None:
    if answer == 4:
        return "one of the three paths is counted; each of the three factors is a path of its own"
    if answer == 8:
        return "that is the cube itself; asked is its gradient"
    if answer == 3:
        return "three paths there are, but each has its factor: the other two numbers multiplied"
    if answer == 1:
        return "the paths have factors: moving one of the three numbers is multiplied by the others"
    a = Value(2.0, label="a")
    square = a * a
    square.label = "square"
    cube = square * a
    cube.label = "cube"
    return mistake_in_gradients(cube, ["a"], {"a": answer})


# Who uses a value, in the graph of the notebook's exercise
USERS = {"L": [], "v": ["L"], "u": ["v", "L"], "s": ["u", "v"], "x": ["s", "u"]}


def _names(answer: Any) -> list[str]:
    """Read names in an order: in a text, a list, or an array."""
    given = plain(answer)
    if isinstance(given, str):
        given = re.sub(r"[^\w']", " ", given).split()
    if not isinstance(given, list | tuple | np.ndarray) or not len(given):
        raise Misread(f'names in an order are asked for, such as ["x", "s"], not {shown(answer)}')
    return [str(name).strip() for name in given]


def _mistake_in_order(answer: Any) -> str | None:
    names = answer
    wrong = [str(name) for name in names if name not in USERS]
    if wrong:
        return f"{', '.join(wrong)} is no node of this graph, which has {', '.join(USERS)}"
    if sorted(names) != sorted(USERS):
        missing = [name for name in USERS if name not in names]
        what = f"{', '.join(missing)} is missing" if missing else "a node comes twice"
        return f"{what}: each node passes its gradient on once"
    if names[0] == "x" and names[-1] == "L":
        return "that is an order for the forward pass; gradients come from the output, L"
    for i, name in enumerate(names):
        late = [user for user in USERS[name] if user not in names[:i]]
        if late:
            return (
                f"{name} has its turn before {' and '.join(late)}, whose part of the gradient is "
                "not there yet"
            )
    return None


def _mistake_in_three_times(answer: Any) -> str | None:
    slope, offset = answer
    if slope == 81:
        return "81 is the slope of F four times; count: F(F(F(x))) has F three times"
    if slope == 9 and offset in (-3, -4):
        return "that is about F(F(x)); once more"
    if slope == 9:
        return "slopes of functions inside each other do not add up, they multiply"
    if slope != 27:
        return f"{slope:g} is not 3 * 3 * 3: each F multiplies the slope by 3"
    if offset == -3:
        return "the slope is right; but the -1 of the inner F is multiplied by 3 by the next one"
    if offset == 13:
        return "the slope is right; what is added has the wrong sign: try x = 0"
    if offset != -13:
        return f"the slope is right; but F(F(F(0))) is not {offset:g}"
    return None


def _mistake_in_division(rule: Any) -> str | None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y, g = rng.uniform(0.5, 3.0, 3)
        given = rule(x, y, g)
        if np.shape(given) != (2,):
            return "it returns a pair: what is passed on to x, and what is passed on to y"
        mistake = _mistake_in_parts(given, x, y, g)
        if mistake:
            return f"at x = {x:.2f}, y = {y:.2f}, g = {g:.2f}: {mistake}"
    return None


def _mistake_in_parts(given: Any, x: float, y: float, g: float) -> str | None:
    by_x, by_y = grad(lambda x, y: x / y, (0, 1))(x, y)
    known = {
        "x": [
            (by_x, "g is missing: what arrives is multiplied by the local derivative"),
            (g * y, "it multiplies by y, where x / y divides by it"),
            (-g * by_x, "the sign is turned: a larger x makes x / y larger"),
            (g * by_y, "x and y have changed places"),
        ],
        "y": [
            (by_y, "g is missing: what arrives is multiplied by the local derivative"),
            (-g * by_y, "the sign is turned: a larger y makes x / y smaller"),
            (-g * x / y, "y stands below in a square: (1 / y) has the derivative -1 / y**2"),
            (-g / y**2, "the factor x is missing: x / y is x times 1 / y"),
            (g * by_x, "x and y have changed places"),
        ],
    }
    for name, part, right in zip("xy", given, (g * by_x, g * by_y), strict=True):
        if abs(part - right) > 1e-9:
            reasons = [why for wrong, why in known[name] if abs(part - wrong) < 1e-9]
            reason = reasons[0] if reasons else f"{part:.4g} does not agree with nudging"
            return f"what goes to {name}: {reason}"
    return None


five_nodes = Exercise(
    _mistake_in_five_nodes,
    hint="Begin with q and work back; z is used at two places, and both count.",
    solution="""\
x, y, z = 2.0, 3.0, -1.0
p = x * y
q = p + z
grad_q = 1.0 * z  # L = q * z
grad_p = grad_q * 1.0  # q = p + z
grad_z = 1.0 * q + grad_q * 1.0  # through L = q * z, and through q = p + z
grad_x = grad_p * y  # p = x * y
grad_y = grad_p * x
answer = {"q": grad_q, "p": grad_p, "x": grad_x, "y": grad_y, "z": grad_z}
""",
)

cube = Exercise(
    _mistake_in_cube,
    hint="Call the three factors first, second and third, and nudge one after the other.",
    solution="""\
a = 2.0
answer = a * a + a * a + a * a
# Each of the three factors is a path, with the two others as its factor: 3 * a**2.
""",
    reads=number,
)

valid_order = Exercise(
    _mistake_in_order,
    hint="Write beside each node how many nodes use it; strike one off whenever a user is done.",
    solution="""\
answer = ["L", "v", "u", "s", "x"]
# L first; then v, which L alone uses; then u (users v and L), s (users u and v), x.
""",
    reads=_names,
)

three_times = Exercise(
    _mistake_in_three_times,
    hint="Work from the inside: F(F(x)) = 3 * (3x - 1) - 1. Then put that into F once more.",
    solution="""\
answer = (27, -13)
# F(F(x)) = 3 * (3x - 1) - 1 = 9x - 4, and 3 * (9x - 4) - 1 = 27x - 13.
""",
    reads=numbers("slope", "what is added"),
)

division_rule = Exercise(
    _mistake_in_division,
    hint="x / y is x times 1 / y. What is the derivative of each factor, and what arrives from "
    "above?",
    solution="""\
def divide_backward(x, y, g):
    return g / y, -g * x / y**2


answer = divide_backward
# d(x / y)/dx is 1 / y, and d(x / y)/dy is -x / y**2; both are multiplied by what arrives.
""",
    reads=function,
)
