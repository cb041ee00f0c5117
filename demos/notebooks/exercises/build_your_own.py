"""Exercises of notebook 13: a rule, a layer, an optimizer, a second derivative, an equation."""

from collections import defaultdict
from typing import Any

import numpy as np

from autograd_core import GradientMismatch, Primitive, Value, check_gradients, grad
from nn import ArrayLayer

from .answers import Misread, function, mistake_in_gradients, number, recorded
from .exercise import Exercise


def _mistake_in_inverse_rule(answer: Any) -> str | None:
    slips = {
        "1/x stands there once; in the derivative it is squared": lambda x: -3.0 / x,
        "that is x squared; x stands below the line, and out is 1/x": lambda x: -3.0 * x**2,
    }
    return _mistake_in_rule(answer, lambda x: 1.0 / x, lambda x: x**-1, slips)


def _mistake_in_sine_rule(answer: Any) -> str | None:
    slips = {
        "that is the sine; its derivative is the cosine": lambda x: 3.0 * np.sin(x),
        "the sign is that of the cosine's derivative": lambda x: -3.0 * np.sin(x),
    }
    return _mistake_in_rule(answer, np.sin, np.sin, slips)


def _mistake_in_rule(rule: Any, forward: Any, known: Any, slips: Any) -> str | None:
    """Judge a rule beside a function whose derivative is known, each multiplied by 3.

    Args:    slips: by what to say, the gradients that usual slips lead to.
    """
    primitive = Primitive("yours", forward, rule)
    for at in (1.7, 0.6, -1.3):
        y, x = Value(at, label="y"), Value(at, label="x")
        (primitive(y) * 3.0).backward()
        for words, slip in slips.items():
            if np.isclose(y.grad, slip(at)):
                return words
        out = known(x)
        loss = out * 3.0
        out.label, loss.label = "out", "loss"
        wrong = mistake_in_gradients(loss, ["x"], {"x": y.grad})
        if wrong:
            return f"with g = 3 and x = {at:g}: {wrong}"
    return _mistake_at_order_2(primitive)


def _mistake_at_order_2(primitive: Primitive) -> str | None:
    """Return what is wrong with a rule whose first derivatives of numbers are right."""
    advice = "write it with operators and NumPy's functions on g, out and x themselves"
    try:
        check_gradients(primitive, np.array([0.5, 2.0, -1.0]))
    except GradientMismatch:
        return (
            "the first derivative is right; but the rule computes on plain numbers, so that no "
            f"second one can be found: {advice}"
        )
    except (Misread, TypeError, ValueError, AttributeError) as error:
        return f"it serves numbers, but not arrays and Values ({error}): {advice}"
    return None


def _mistake_in_layer(answer: Any) -> str | None:
    if isinstance(answer, ArrayLayer):
        return "asked is the class itself, not an object of it"
    if not isinstance(answer, type) or not issubclass(answer, ArrayLayer):
        return "asked is a subclass of nn.ArrayLayer"
    x = np.random.default_rng(0).normal(size=(5, 3))
    layer = answer()
    before = np.asarray(getattr(layer(x), "data", layer(x)))
    parameters = layer.parameters()
    if not parameters:
        return "it has no parameters: make_parameter makes one, a plain array is not learnt"
    shapes = [parameter.shape for parameter in parameters]
    if shapes != [(3,)]:
        return f"for 3 features its parameters have shapes {shapes}; one of shape (3,) is asked for"
    if before.shape != x.shape:
        return f"from shape (5, 3) it makes {before.shape}; it must keep the shape"
    if np.allclose(before, 0.0):
        return "it starts with factors of 0, and so with an output of 0; start with ones"
    if np.allclose(parameters[0].data, 0.0) and np.allclose(before, x):
        return "it starts with zeros and adds; asked are factors, which start with ones"
    if not np.allclose(parameters[0].data, 1.0):
        return "before it has learnt anything, the output must be the input: start with ones"
    parameters[0].data = factors = np.array([2.0, -1.0, 0.5])
    after = np.asarray(getattr(layer(x), "data", layer(x)))
    if np.allclose(after, x):
        return "its parameter has no part in the output"
    if np.allclose(after, x + factors):
        return "it adds; asked is a factor for each feature"
    if not np.allclose(after, x * factors):
        return "with factors 2, -1 and 0.5 the output is not each feature times its factor"
    return None


def _mistake_in_update(answer: Any) -> str | None:
    slots: Any = defaultdict(float)
    data, total = np.array([1.0, -2.0]), np.zeros(2)
    gradients = [np.array([3.0, -0.1]), np.array([4.0, -0.2]), np.array([-1.0, 0.3])]
    for step, gradient in enumerate(gradients, 1):
        given = answer(data, gradient.copy(), slots, 0.5)
        if np.shape(given) != data.shape:
            return f"two weights go in, and what it returns has the shape {np.shape(given)}"
        moved = np.asarray(given, float) - data
        total = total + gradient**2
        right = -0.5 * gradient / (np.sqrt(total) + 1e-7)
        wrong = _mistake_in_move(moved, right, gradient, total, step)
        if wrong:
            return f"step {step}: {wrong}"
        data = data + right
    return None


def _mistake_in_move(moved: Any, right: Any, gradient: Any, total: Any, step: int) -> str | None:
    if np.allclose(moved, right, rtol=1e-4):
        return None
    if np.allclose(moved, -right, rtol=1e-4):
        return "it goes uphill: the gradient points up, so its sign must turn"
    if np.allclose(moved, -0.5 * gradient):
        return "that is plain gradient descent: nothing divides by the size of past gradients"
    if np.allclose(moved, -0.5 * gradient / total, rtol=1e-4):
        return "the sum of the squares must come under a square root"
    if step > 1 and np.allclose(np.abs(moved), 0.5, rtol=1e-4):
        return "it knows only the newest gradient: add its square to what is in slots"
    if np.allclose(moved, -0.5 * gradient / np.sqrt(total / step), rtol=1e-4):
        return "Adagrad takes the sum of the squares, not their mean"
    return f"it moves by {np.round(moved, 4).tolist()}, and not by {np.round(right, 4).tolist()}"


def _mistake_in_bending(answer: Any) -> str | None:
    for f, name in ((lambda x: x**3, "x**3"), (lambda x: np.exp(2.0 * x), "exp(2x)")):
        for x in (2.0, 0.5):
            second = answer(f)
            if not callable(second):
                return "what it returns must be a function of x itself, as grad(f) is"
            given, first = number(recorded(second)(x)), float(grad(f)(x))
            right = float(grad(grad(f))(x))
            if np.isclose(given, right):
                continue
            if np.isclose(given, first):
                return f"for {name} at {x:g} that is the slope; asked is the slope of the slope"
            if np.isclose(given, first**2):
                return f"for {name} at {x:g} that is the square of the slope, not its derivative"
            if np.isclose(given, grad(grad(grad(f)))(x)):
                return f"for {name} at {x:g} that is the third derivative"
            return f"for {name} at {x:g} it gives {given:.4g}"
    return None


def _mistake_in_residual(answer: Any) -> str | None:

    def u(x: Any) -> Any:
        return np.sin(3.0 * x) + x**2

    for x in (0.3, 1.1, 2.0):
        value, first, second = u(x), grad(u)(x), grad(grad(u))(x)
        given, right = number(answer(u, x)), second + 0.5 * first + 4.0 * value
        if np.isclose(given, right):
            continue
        known = {
            second + 0.5 * first - 4.0 * value: "the sign of 4 u: bring all to one side",
            second - 0.5 * first + 4.0 * value: "the sign of 0.5 u': bring all to one side",
            second - 0.5 * first - 4.0 * value: "both signs: what changes sides changes its sign",
            second + 4.0 * value: "the friction, 0.5 u', is missing",
            second + first + 4.0 * value: "the friction is half of u'",
            second + 0.5 * first + value: "the spring's 4 is missing",
            first + 0.5 * first + 4.0 * value: "its first term is u', where it should be u''",
            first**2 + 0.5 * first + 4.0 * value: "u'' is not the square of u'",
            -right: None,
        }
        for wrong, words in known.items():
            if np.isclose(given, wrong):
                return words
        return f"for u = sin(3x) + x**2 at x = {x:g} it gives {given:.4g}, not {right:.4g}"
    return None


inverse_rule = Exercise(
    _mistake_in_inverse_rule,
    hint="The derivative of 1/x is -1/x**2, and g is multiplied by it; out is 1/x already.",
    solution="answer = lambda g, out, x: -g * out * out\n",
    reads=recorded,
)

sine_rule = Exercise(
    _mistake_in_sine_rule,
    hint="np.cos takes numbers, arrays and Values alike; math.cos and x.data do not.",
    solution="answer = lambda g, out, x: g * np.cos(x)\n",
    reads=recorded,
)

scale_layer = Exercise(
    _mistake_in_layer,
    hint='make_parameter("weight", shape, "ones"), with the shape of one sample, and x * weight.',
    solution="""\
class Scale(ArrayLayer):
    def make_parameters(self, input_shape):
        self.make_parameter("weight", input_shape, "ones")

    def forward(self, x):
        return x * self.weight

answer = Scale
""",
)

adagrad = Exercise(
    _mistake_in_update,
    hint="First slots['sum'] = slots['sum'] + gradient**2, then a step divided by its square root.",
    solution="""\
def answer(data, gradient, slots, learning_rate):
    slots["sum"] = slots["sum"] + gradient**2
    return data - learning_rate * gradient / (np.sqrt(slots["sum"]) + 1e-7)
""",
    reads=function,
)

bending = Exercise(
    _mistake_in_bending,
    hint="grad(f) is a function like f; and grad takes functions.",
    solution="""\
def answer(f):
    return grad(grad(f))
""",
    reads=recorded,
)

residual = Exercise(
    _mistake_in_residual,
    hint="grad(u)(x) is u', grad(grad(u))(x) is u''; all terms stand on the left, and 0 right.",
    solution="""\
def answer(u, x):
    return grad(grad(u))(x) + 0.5 * grad(u)(x) + 4.0 * u(x)
""",
    reads=recorded,
)
