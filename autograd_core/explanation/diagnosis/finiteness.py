"""NaN and inf: the operation that gave the first one, forward or backward, and its operand."""

from typing import Any

import numpy as np

from ...graph import Node, Primitive
from ...primitives import elementwise
from .examination import Examination, account, data_of, norm, operation, passed_on
from .findings import Finding

_FIXES = {
    "log": "np.log(x + 1e-12), or what is stable: log_softmax, logsumexp, softplus",
    "divide": "a denominator that cannot be 0: y + 1e-12, or np.where(y == 0, 1, y) before it",
    "sqrt": "np.sqrt(x + 1e-12)",
    "exp": "logsumexp, softmax, sigmoid or softplus, which do not overflow; or smaller inputs",
    "power": "a base above 0, such as x + 1e-12, and smaller exponents",
}
_FIXES |= {"log2": _FIXES["log"], "log10": _FIXES["log"], "reciprocal": _FIXES["divide"]}
_ELEMENTWISE = {p for p in vars(elementwise).values() if isinstance(p, Primitive)}
_ELSE = "operands inside the domain, or np.where(condition, safe, ...) before the operation"
_LARGE = "smaller inputs, weights or learning rate, so that numbers stay within the floats"


def forward(e: Examination) -> list[Finding]:
    """Report the first number that is not finite of those that made the output so."""
    node = e.output
    if _finite(node):
        bad = [leaf for leaf in e.leaves if not _finite(leaf) and leaf in e.parameters]
        return [_of_leaf(e, leaf) for leaf in bad[:1]]
    found, stack = {node}, [node]
    while stack:
        for x in stack.pop().inputs:
            if isinstance(x, Node) and x not in found and not _finite(x):
                found.add(x)
                stack.append(x)
    first = min(found, key=lambda node: node.index)
    if first.primitive is None:
        return [_of_leaf(e, first)]
    bad = [x for x in first.inputs if not _finite(x)]
    if bad:
        cause = f"the data hold {_which(bad[0])}, and so does all that is computed from them"
        fix = (
            "clean data: np.isfinite(x).all() before training; np.nan_to_num(x), or leave rows out"
        )
        return [Finding("not finite", cause, e.place(first), fix)]
    fix = _FIXES.get(first.primitive.name, _ELSE)
    if all(np.size(x) and np.abs(x).max() > 1e30 for x in map(data_of, first.inputs)):
        fix = _LARGE
    cause = f"{_at(first)} is {_which(first)}: the first number that is not finite"
    return [Finding("not finite", cause, e.place(first), fix)]


def backward(e: Examination) -> list[Finding]:
    """Report the operation whose derivative gave the first gradient that is not finite."""
    g = e.cotangents
    if all(_finite(g.get(leaf, 0.0)) for leaf in e.leaves):
        return []
    first = next(node for node in reversed(e.order) if not _finite(g.get(node, 0.0)))
    for user in e.order:
        for i, x in enumerate(user.inputs):
            d = passed_on(user, i, g[user]) if x is first and user in g else None
            if d is None or _finite(d):
                continue
            name = user.primitive.name if user.primitive else ""
            cause = (
                f"the gradient becomes {_which(d)} at {_at(user, np.isfinite(data_of(d)))}, "
                f"from one of {account(g[user])}"
            )
            fix = _FIXES.get(name, _ELSE) if norm(g[user]) < 1e30 else _LARGE
            return [Finding("not finite", cause, e.place(user), fix)]
    cause = f"the gradient of {account(first)} is {_which(g[first])}, the sum of its contributions"
    return [Finding("not finite", cause, e.place(first), _LARGE)]


def _of_leaf(e: Examination, leaf: Node) -> Finding:
    what = f"{e.name(leaf)} holds" if leaf in e.parameters or leaf.label else "an input holds"
    return Finding(
        "not finite",
        f"{what} {_which(leaf)}, and so does all that is computed from it",
        e.place(leaf),
        "new weights, and a smaller learning rate, if training led there; clean data if it is data",
    )


def _finite(x: Any) -> bool:
    return bool(np.isfinite(data_of(x)).all())


def _which(x: Any) -> str:
    """Return which of NaN and inf a node, constant or gradient holds."""
    data = data_of(x)
    return "NaN" if np.isnan(data).any() else "inf" if np.any(np.equal(data, np.inf)) else "-inf"


def _at(node: Node, finite: Any = None) -> str:
    """Return an operation with the operands of the first element that is not finite."""
    finite = np.isfinite(node._data) if finite is None else finite
    shape = node.shape
    if node.primitive not in _ELEMENTWISE or not shape or np.shape(finite) != shape:
        return operation(node)
    index = tuple(int(i) for i in np.argwhere(~finite)[0])
    operands = []
    for x in node.inputs:
        label = f"{x.label} = " if getattr(x, "label", None) else ""
        operands.append(f"{label}{np.broadcast_to(data_of(x), shape)[index]:.6g}")
    name = node.primitive.name if node.primitive else "value"
    return f"{name} of {' and '.join(operands)} at {list(index)}"
