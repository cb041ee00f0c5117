"""Backward passes that go wrong at one place, on random graphs: for compare_gradients to name.

Nothing here looks at how mistakes are found: this is a plain backward pass that goes wrong at one
place, and a list of the places where it can.
"""

from typing import Any, NamedTuple

import numpy as np

from autograd_core import Value, sigmoid, softmax
from autograd_core.graph import topological_order


class Slip(NamedTuple):
    """A mistake: its kind, the node whose gradient it falsifies, the uses concerned, a factor."""

    kind: str
    node: Any
    edges: tuple = ()
    factor: Any = None


def edges_of(order):
    """Return (user, input number) of each node's uses, as a sweep meets them."""
    uses = {node: [] for node in order}
    for user in reversed(order):
        for i, x in enumerate(user.inputs):
            if isinstance(x, Value) and user.primitive.rule(i):
                uses[x].append((user, i))
    return uses


def apply_rule(user, i, g):
    """Return what a primitive's rule makes of g, with the broadcast not yet undone."""
    data = [x.data if isinstance(x, Value) else x for x in user.inputs]
    with np.errstate(all="ignore"):
        return user.primitive.rule(i)(g, user.data, *data, **(user.params or {}))


def summed(d, shape):
    """Undo a broadcast."""
    d = np.asarray(d, np.float64)
    while d.ndim > len(shape):
        d = d.sum(0)
    for axis, n in enumerate(shape):
        if n == 1 != d.shape[axis]:
            d = d.sum(axis, keepdims=True)
    return np.broadcast_to(d, shape) if shape else float(d)


def spread(user, x, g):
    """Give each element of x the gradient of what it was reduced to."""
    params = user.params or {}
    if params.get("axis") is not None and not params.get("keepdims"):
        g = np.expand_dims(g, params["axis"])
    return np.broadcast_to(g, x.shape)


def reduces(user, x):
    return x.shape != () and (user.shape == () or "keepdims" in (user.params or {}))


def part_with(slip, user, i, g):
    """Return what an edge adds if the slip is made there."""
    x, kind = user.inputs[i], slip.kind
    part = summed(apply_rule(user, i, g), x.shape)
    if kind == "sign":
        return -part
    if kind == "missing path":
        return 0 * part
    if kind == "doubled path":
        return 2 * part
    if kind == "mean and sum":
        return part * slip.factor
    if kind == "broadcast":
        return np.asarray(apply_rule(user, i, g))
    if kind == "missing factor":
        if reduces(user, x):
            return spread(user, x, g)
        return summed(np.broadcast_to(g, user.shape), x.shape)
    if kind in MISREAD:
        return MISREAD[kind][1](user, x.data, user.data) * (part if "power" in kind else g)
    if kind == "factor twice":
        if reduces(user, x):
            return part * apply_rule(user, i, np.ones_like(user.data) if user.shape else 1.0)
        return summed(apply_rule(user, i, apply_rule(user, i, g)), x.shape)
    assert kind == "transpose"
    if slip.factor is None:
        return np.transpose(part)
    x, y = [np.asarray(a.data if isinstance(a, Value) else a) for a in user.inputs]
    left, right = (g, y.T) if i == 0 else (x.T, g)
    return [left.T @ right, left @ right.T, left.T @ right.T][slip.factor]


# What stands in place of f'(x), by the name of f
DERIVATIVES = {
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "sigmoid": lambda x: sigmoid(x) * (1 - sigmoid(x)),
    "sin": np.cos,
    "cos": lambda x: -np.sin(x),
    "exp": np.exp,
    "log": lambda x: 1 / x,
    "absolute": np.sign,
}
BY_OUTPUT = {"tanh": lambda y: 1 - y**2, "sigmoid": lambda y: y * (1 - y), "exp": lambda y: y}
MISREAD = {  # kind: of which functions, and what then stands there
    "factor of a power": (["power"], lambda user, x, out: 1 / user.inputs[1]),
    "output for derivative": (DERIVATIVES, lambda user, x, out: out),
    "input for derivative": (DERIVATIVES, lambda user, x, out: x),
    "input for output": (BY_OUTPUT, lambda user, x, out: BY_OUTPUT[user.primitive.name](x)),
    "output for input": (DERIVATIVES, lambda user, x, out: DERIVATIVES[user.primitive.name](out)),
}


def along(path, found):
    """Return what one path, from a node upward, adds to the gradient of the node."""
    g = found[path[-1][0]]
    for user, i in reversed(path):
        g = summed(apply_rule(user, i, g), user.inputs[i].shape)
    return g


def backward_with(output, slip=None):
    """Return the gradients of a backward pass in which one mistake is made."""
    order = topological_order(output)
    uses, found = edges_of(order), {}
    for node in reversed(order):
        parts = {e: found[e[0]] for e in uses[node]}
        here = slip is not None and node is slip.node
        for (user, i), g in parts.items():
            wrong = here and (user, i) in set(slip.edges) and slip.kind != "overwritten"
            wrong = wrong and all(e[0].inputs[e[1]] is node for e in slip.edges)
            if wrong:
                parts[user, i] = part_with(slip, user, i, g)
            else:
                raw = apply_rule(user, i, g)
                fits = np.shape(g) == user.shape
                parts[user, i] = summed(raw, node.shape) if fits else np.asarray(raw)
        total = sum(parts.values(), np.zeros(node.shape))
        if node is output:
            total = np.ones(node.shape)
        if here and slip.kind == "overwritten":
            total = parts[slip.edges[0]]
        elif here and not slip.edges:
            total = {"sign": -total, "doubled path": 2 * total}.get(slip.kind, total)
            total = total.T if slip.kind == "transpose" else total
            total = total * slip.factor if slip.kind == "mean and sum" else total
        elif here and slip.edges[-1][0].inputs[slip.edges[-1][1]] is not node:
            total = (
                total
                + along(slip.edges, found) * {"missing path": -1, "doubled path": 1}[slip.kind]
            )
        found[node] = total if np.shape(total) else float(total)
    return found


# Random graphs


class Sample(NamedTuple):
    """A graph: its output, and its means, by the divisions that they consist of."""

    output: Any
    means: dict


UNARY = [
    np.tanh,
    sigmoid,
    np.sin,
    lambda x: np.exp(-0.5 * x),
    lambda x: x**3,
    lambda x: x * x,
    lambda x: np.log(2.5 + np.cos(x)),
    lambda x: x * 1.7,
    lambda x: -x,
    np.abs,
]
BINARY = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x * y,
    lambda x, y: x / (1.5 + y * y),
]


def choose(rng, values):
    return values[rng.integers(len(values))]


def bounded(value):
    """Return a value, or its tanh where it has grown large."""
    return value if np.max(np.abs(value.data)) < 4 else np.tanh(value)


def scalar_graph(rng, steps=8):
    """Return a graph of single numbers, in which values are used again and again."""
    values = [Value(float(x)) for x in rng.uniform(0.4, 1.9, 4) * rng.choice([-1, 1], 4)]
    unused = set(values)
    for _ in range(steps):
        operation = choose(rng, UNARY + 2 * BINARY)
        operands = [choose(rng, values) for _ in range(1 if operation in UNARY else 2)]
        new = bounded(operation(*operands))
        unused = unused - set(operands) | {new}
        values.append(new)
    last = sorted(unused, key=lambda v: v.index)
    total = last[0]
    for value in last[1:]:
        total = total + value
    if len(last) == 1 or rng.random() < 0.5:
        return Sample(total * 1.3 if total.primitive is None else total, {})
    mean = total / len(last)
    return Sample(mean, {mean: len(last)})


def array_graph(rng, steps=6):
    """Return a graph of matrices, vectors and numbers, with broadcasts, products and means."""
    n, m = choose(rng, [(4, 3), (3, 3), (5, 2)])

    def draw(*shape):
        return Value(rng.uniform(0.3, 1.6, shape) * rng.choice([-1, 1], shape))

    values, means, unused = [draw(n, m), draw(n, m)], {}, set()

    def use(operation, *operands):
        new = operation(*operands)
        unused.difference_update(operands)
        new = bounded(new)
        unused.add(new)
        values.append(new)

    for _ in range(steps):
        x = choose(rng, values)
        kind = int(rng.integers(8))
        if kind < 2:
            use(choose(rng, UNARY), x)
        elif kind < 4:
            use(choose(rng, BINARY), x, choose(rng, values))
        elif kind == 4:
            use(choose(rng, BINARY), x, draw(*choose(rng, [(m,), (n, 1), (1, m), (), (1, 1)])))
        elif kind == 5:
            use(lambda a, b: a @ b, x, draw(m, m))
        elif kind == 6:
            use(choose(rng, [lambda a: softmax(a, axis=1), lambda a: np.cumsum(a, axis=0)]), x)
        else:
            use(lambda a, b: a * b, x, mean_of(x, 0, means))
    total = 0.0
    for value in sorted(unused, key=lambda v: v.index):
        total = total + choose(rng, REDUCTIONS)(value, means)
    return Sample(total, means)


def mean_of(x, axis, means):
    out = np.mean(x, axis=axis)
    means[out] = x.data.size / max(np.size(out.data), 1)
    return out


REDUCTIONS = [
    lambda x, means: mean_of(x * x, None, means),
    lambda x, means: np.sum(np.tanh(x)),
    lambda x, means: np.linalg.norm(x),
]


# Where a mistake of a kind can be made


def slips(kind, sample):
    """Yield the mistakes of one kind that can be made in a graph."""
    order = topological_order(sample.output)
    uses = edges_of(order)
    for number, node in enumerate(order):
        if kind in ("sign", "doubled path") or (kind == "transpose" and len(node.shape) == 2):
            yield Slip(kind, node)
        if kind == "overwritten" and len(uses[node]) > 1:
            yield Slip(kind, node, (uses[node][-1],))
        if kind in ("missing path", "doubled path"):
            path, x = [], node
            while x is not sample.output:
                path.append(uses[x][number % len(uses[x])])
                x = path[-1][0]
            if path:
                yield Slip(kind, node, tuple(path))
        for edge in uses[node]:
            yield from slips_at(kind, sample, node, *edge)


def slips_at(kind, sample, node, user, i):
    """Yield the mistakes of one kind that can be made in one edge."""
    edge = ((user, i),)
    name = user.primitive.name
    is_mean = user in sample.means and i == 0
    has_factor = name not in ("add", "subtract", "negative", "sum", "transpose", "matmul")
    if kind in ("sign", "missing path", "doubled path"):
        yield Slip(kind, node, edge)
    elif kind == "mean and sum" and is_mean:
        yield Slip(kind, node, edge, float(sample.means[user]))
    elif kind == "mean and sum" and name == "sum":
        if not any(mean.inputs[0] is user for mean in sample.means):
            yield Slip(kind, node, edge, np.size(user.data) / node.data.size)
    elif (
        (kind == "missing factor" and has_factor and not is_mean)
        or (kind == "factor twice" and has_factor and name not in ("softmax", "cumsum"))
        or (kind in MISREAD and name in MISREAD[kind][0])
    ):
        yield Slip(kind, node, edge)
    elif kind == "transpose" and name == "matmul":
        yield from transposed_products(node, user, i)
    elif kind == "broadcast" and np.shape(apply_rule(user, i, np.ones(user.shape))) != node.shape:
        yield Slip(kind, node, edge)


def transposed_products(node, user, i):
    """Yield the three ways in which the factors of a product can be turned, as far as they fit."""
    for which in range(3):
        slip = Slip("transpose", node, ((user, i),), which)
        try:
            if part_with(slip, user, i, np.ones(user.shape)).shape == node.shape:
                yield slip
        except ValueError:
            pass  # the learner's program would have said so
