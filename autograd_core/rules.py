"""A primitive's rules applied: what an input gets of a cotangent, in the input's shape and type.

Broadcasting is undone here, in one place for all rules (`fit`).
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from .data import Operand, Params, Result, Rule, Shape, as_data, dtype_of, shape_of
from .errors import AutogradError, RuleError
from .graph import Node, plain
from .messages import describe
from .primitives.elementwise import astype
from .primitives.shapes import unbroadcast


def applied(
    rule: Rule, g: Operand, out: Operand, inputs: Sequence[Operand], params: Params
) -> Result:
    """Return what a rule gives; floats behave like arrays: 1/0 is inf, and no error."""
    try:
        return rule(g, out, *inputs, **params)
    except ArithmeticError:
        parts = [np.float64(p) if type(p) is float else p for p in (g, out, *inputs)]
        return rule(*parts, **params)


def pull(node: Node, i: int, g: Operand) -> Result:
    """Return what the rule of input i makes of a cotangent of the node; None: it has no rule."""
    rule = node.primitive.rule(i) if node.primitive else None
    if rule is None:
        return None
    data = [plain(x) for x in node.inputs]
    with np.errstate(all="ignore"):
        return applied(rule, g, node._data, data, node.params or {})


def fit(d: Operand, x: Node, node: Node, i: int) -> Result:
    """Give a rule's result the shape and type of its input: undo broadcasting, check the rest."""
    data = x._data
    if type(d) is ndarray and d.shape == shape_of(data) and d.dtype is dtype_of(data):
        return d  # as nearly always
    try:
        if not isinstance(d, Node):
            d = as_data(d)
        if shape_of(d) != shape_of(data):
            if not _comes_from_broadcasting(shape_of(d), shape_of(data), node.shape):
                raise ValueError
            d = unbroadcast(d, shape_of(data))
    except (AutogradError, ValueError):
        name = node.primitive.name if node.primitive else ""
        raise RuleError(
            f"the rule of {name} for input {i}, {describe(x)}, returned {describe(d)}",
            "a cotangent is of the shape of its input, or of the output where that broadcasts",
            f"g times the derivative in rule {i} of {name}; None instead of a rule that gives "
            "no derivative",
        ) from None
    dtype = dtype_of(data)
    if dtype is not None and dtype != dtype_of(d):
        d = astype(d, dtype=dtype)
    return d


def _comes_from_broadcasting(given: Shape, wanted: Shape, whole: Shape) -> bool:
    """Tell whether the axes in which a cotangent exceeds its input are axes of the output."""
    added, offset = len(given) - len(wanted), len(whole) - len(given)
    if given == whole and given[added:] == wanted:  # as of a bias
        return True
    return min(added, offset) >= 0 and all(
        n == whole[i + offset] and (i < added or wanted[i - added] == 1)
        for i, n in enumerate(given)
        if i < added or n != wanted[i - added]
    )
