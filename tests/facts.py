"""What primitives say of themselves, such as `linear=True`, against what their cases show."""

import numpy as np
from cases import CASES

# True, but left unsaid: a linear rule shows by its zeros which elements take part in it, and
# these have zeros where numbers cancel; what is the same number for all x needs no rule
UNSAID = {
    "cumprod_adjoint is linear in input 0",
    "determined is elementwise",
    "determined is linear in input 0",
    "determined is linear in input 1",
    "equal is linear in input 0",
    "equal is linear in input 1",
    "recurrence is linear in input 0",
    "solve is linear in input 1",
}


def false_facts(primitive):
    """Return in which facts a primitive differs from what its cases show."""
    cases = [case for case in CASES if case.primitive is primitive]
    inputs = range(max(len(case.inputs) for case in cases))
    with np.errstate(all="ignore"):  # cases clear of 0 are tried at 0, too
        shown = {f"linear in input {i}" for i in inputs if all(is_linear(c, i) for c in cases)}
        shown |= {"elementwise"} if all(map(is_elementwise, cases)) else set()
    said = {f"linear in input {i}" for i in inputs if primitive.is_linear_in(i)}
    said |= {"elementwise"} if primitive.elementwise else set()
    return {f"{primitive.name} is {fact}" for fact in said ^ shown} - UNSAID


def is_linear(case, i):
    """Tell whether f(2 x - 3 y) is 2 f(x) - 3 f(y) for input i, but for what f(0) adds."""
    inputs = [np.array(x) for x in case.inputs]
    if i >= len(inputs):
        return True

    def f(x):
        return case.primitive.forward(*inputs[:i], x, *inputs[i + 1 :], **case.params)

    x = inputs[i]
    y = np.random.default_rng(0).normal(size=x.shape)
    try:
        still = f(np.zeros(x.shape))
        expected = 2.0 * (f(x) - still) - 3.0 * (f(y) - still)
        return np.allclose(f(2.0 * x - 3.0 * y) - still, expected)
    except (ValueError, IndexError, TypeError):  # not for any numbers, so not linear
        return False


def is_elementwise(case):
    """Tell whether element k of the output changes with element k of the inputs only."""
    inputs = [np.array(x) for x in case.inputs]
    out = case.primitive.forward(*inputs, **case.params)
    shape = np.shape(out)
    try:
        if np.broadcast_shapes(*[x.shape for x in inputs]) != shape:
            return False
    except ValueError:
        return False
    inputs = [np.broadcast_to(x, shape) for x in inputs]
    for k in np.ndindex(*shape):
        others = [x.copy() for x in inputs]
        for x in others:
            x[k] *= 0.7
        changed = np.array(case.primitive.forward(*others, **case.params) != out)
        changed[k] = False
        if changed.any():
            return False
    return True
