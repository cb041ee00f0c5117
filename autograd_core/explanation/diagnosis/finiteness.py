"""NaN and inf: the operation that gave the first one, forward or backward, and its operand."""

from typing import Any

import numpy as np

from ...data import as_data
from ...graph import Node, Primitive
from ...messages import account, made
from ...primitives import elementwise
from ...rules import pull
from .examination import Examination, data_of, norm
from .findings import Finding

TRIED = 20  # numbers that are not finite and may have made the output so: each is tried out
_FIXES = {
    "log": "np.log(x + 1e-12), or what is stable: log_softmax, logsumexp, softplus",
    "divide": "a denominator that cannot be 0: y + 1e-12, or np.where(y == 0, 1, y) before it",
    "sqrt": "np.sqrt(x + 1e-12)",
    "exp": (
        "log_softmax or logsumexp of the logits, softmax, sigmoid or softplus, which do not "
        "overflow; or smaller inputs"
    ),
    "power": "a base above 0, such as x + 1e-12, and smaller exponents",
}
_FIXES |= {"log2": _FIXES["log"], "log10": _FIXES["log"], "reciprocal": _FIXES["divide"]}
_ELEMENTWISE = {p for p in vars(elementwise).values() if isinstance(p, Primitive)}
_ELSE = "operands inside the domain, or np.where(condition, safe, ...) before the operation"
_NEW = "new weights, and a smaller learning rate, if training led there; clean data if it is data"
_LARGE = "smaller inputs, weights or learning rate, so that numbers stay within the floats"


def forward(e: Examination) -> list[Finding]:
    """Report the first number that is not finite of those that made the output so."""
    node = e.output
    if is_finite(node):
        bad = [leaf for leaf in e.leaves if not is_finite(leaf) and leaf in e.parameters]
        return [_of_leaf(e, leaf) for leaf in bad[:1]]
    first = _origin(e, begun_at(node))
    if first.primitive is None:
        return [_of_leaf(e, first)]
    bad = [x for x in first.inputs if not is_finite(x)]
    if bad:
        cause = f"the data hold {which(bad[0])}, and so does all that is computed from them"
        fix = (
            "clean data: np.isfinite(x).all() before training; np.nan_to_num(x), or leave rows out"
        )
        return [Finding("not finite", cause, e.place(first), fix)]
    cause = f"{_at(first)} is {which(first)}: the first number that is not finite"
    return [Finding("not finite", cause, e.place(first), fix_of(first))]


def begun_at(node: Node) -> Node:
    """Return where an unbroken row of numbers that are not finite begins."""
    found, stack = {node}, [node]
    while stack:
        for x in stack.pop().inputs:
            if isinstance(x, Node) and x not in found and not is_finite(x):
                found.add(x)
                stack.append(x)
    return min(found, key=lambda node: node.index)


def fix_of(node: Node) -> str:
    """Return what to write in place of an operation that gave NaN or inf, or of such data."""
    if node.primitive is None:
        return _NEW
    if all(np.size(x) and np.abs(x).max() > 1e30 for x in map(data_of, node.inputs)):
        return _LARGE
    return _FIXES.get(node.primitive.name, _ELSE)


def _origin(e: Examination, first: Node) -> Node:
    """Return what made the output inf or NaN: 1 / inf is a finite 0, whose log is -inf again.

    Args:    first: the first number that is not finite of an unbroken row of them.
    """
    earlier = [
        node
        for node in e.order
        if node.index < first.index
        and not is_finite(node)
        and all(is_finite(x) for x in node.inputs if isinstance(x, Node))
    ]
    output = e.replayed({})
    for node in earlier[:TRIED]:
        other = as_data(np.nan_to_num(node._data, nan=1.0, posinf=1.0, neginf=-1.0))
        if not np.array_equal(e.replayed({node: other}), output, equal_nan=True):
            return node
    return first


def backward(e: Examination) -> list[Finding]:
    """Report the operation whose derivative gave the first gradient that is not finite."""
    g = e.cotangents
    if all(is_finite(g.get(leaf, 0.0)) for leaf in e.leaves):
        return []
    first = next(node for node in reversed(e.order) if not is_finite(g.get(node, 0.0)))
    for user in e.order:
        for i, x in enumerate(user.inputs):
            d = pull(user, i, g[user]) if x is first and user in g else None
            if d is None or is_finite(d):
                continue
            name = user.primitive.name if user.primitive else ""
            cause = (
                f"the gradient becomes {which(d)} at {_at(user, np.isfinite(data_of(d)))}, "
                f"from one of {account(g[user])}"
            )
            fix = _FIXES.get(name, _ELSE) if norm(g[user]) < 1e30 else _LARGE
            return [Finding("not finite", cause, e.place(user), fix)]
    cause = f"the gradient of {account(first)} is {which(g[first])}, the sum of its contributions"
    return [Finding("not finite", cause, e.place(first), _LARGE)]


def _of_leaf(e: Examination, leaf: Node) -> Finding:
    name = e.known_name(leaf) or "an input"
    cause = f"{name} holds {which(leaf)}, and so does all that is computed from it"
    return Finding("not finite", cause, e.place(leaf), fix_of(leaf))


def is_finite(x: Any) -> bool:
    """Tell whether a node or constant holds neither NaN nor inf."""
    return bool(np.isfinite(data_of(x)).all())


def which(x: Any) -> str:
    """Return which of NaN and inf a node, constant or gradient holds."""
    data = data_of(x)
    return "NaN" if np.isnan(data).any() else "inf" if np.any(np.equal(data, np.inf)) else "-inf"


def _at(node: Node, finite: Any = None) -> str:
    """Return an operation with the operands of the first element that is not finite."""
    finite = np.isfinite(node._data) if finite is None else finite
    shape = node.shape
    if node.primitive not in _ELEMENTWISE or not shape or np.shape(finite) != shape:
        return made(node)
    index = tuple(int(i) for i in np.argwhere(~finite)[0])
    operands = []
    for x in node.inputs:
        label = f"{x.label} = " if getattr(x, "label", None) else ""
        operands.append(f"{label}{np.broadcast_to(data_of(x), shape)[index]:.6g}")
    name = node.primitive.name if node.primitive else "value"
    return f"{name} of {' and '.join(operands)} at {list(index)}"
