"""Gradients as people work them out by hand: rounded, and with the mistakes of textbooks.

`python tests/hand_answers.py 600` measures how compare_gradients judges them. Nothing here uses the
library's derivatives: each operation stands with its derivative and with what is typically written
instead of it.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Value, compare_gradients, relu, sigmoid, softmax

Pull = Callable[[Any], Any]  # from the gradient of a result to what it adds to that of an input


class Use(NamedTuple):
    """One use of a value: what it adds to the value's gradient, and what it adds by mistake."""

    user: Value
    node: Value
    right: Pull
    wrong: dict[str, Pull]


class Graph:
    """A graph that was built step by step, with the derivative of each step worked out by hand."""

    def __init__(self) -> None:
        self.nodes: list[Value] = []
        self.uses: list[Use] = []
        self.labels = iter("abcdefghijklmnopqrstuvwxyz")

    def leaf(self, data: Any, label: str | None = None) -> Value:
        value = Value(data, label=label or next(self.labels))
        self.nodes.append(value)
        return value

    def step(
        self, value: Value, *uses: tuple[Any, Pull, dict[str, Pull]], label: str = ""
    ) -> Value:
        value.label = label or next(self.labels)
        self.nodes.append(value)
        self.uses += [Use(value, node, right, wrong) for node, right, wrong in uses]
        return value

    def backward(
        self, slips: Any = (), write: Callable[[Any], Any] = lambda g: g
    ) -> dict[Any, Any]:
        """Return all gradients, with some mistakes in place of the right contributions.

        Args:    slips: (number of the use, name of the mistake); the number -1 - k stands for the
                 gradient of node k as a whole.
                 write: how each step is rounded.
        """
        chosen = dict(slips)
        found: dict[Any, Any] = {}
        for k in reversed(range(len(self.nodes))):
            node = self.nodes[k]
            total: Any = 1.0 if k == len(self.nodes) - 1 else np.zeros(node.shape)
            for number, use in enumerate(self.uses):
                if use.node is node:
                    pull = use.wrong[chosen[number]] if number in chosen else use.right
                    total = total + write(pull(found[use.user]))
            whole = chosen.get(-1 - k)
            if whole:
                total = WHOLE[whole](self, k, total, found)
            total = write(total)
            found[node] = total if np.shape(total) else float(total)
        return found

    def slips(self) -> list[tuple[int, str]]:
        """Return all mistakes that can be made."""
        found = [(number, kind) for number, use in enumerate(self.uses) for kind in use.wrong]
        found += [(-1 - k, kind) for k in range(len(self.nodes) - 1) for kind in WHOLE]
        return found


def _copied(graph: Graph, k: int, total: Any, found: dict[Any, Any]) -> Any:
    """Return the gradient of the next node of the same shape."""
    same = [
        graph.nodes[j]
        for j in range(k + 1, len(graph.nodes))
        if graph.nodes[j].shape == np.shape(total)
    ]
    return found[same[0]] if same else total


def _value_copied(graph: Graph, k: int, total: Any, found: dict[Any, Any]) -> Any:
    users = [use.user for use in graph.uses if use.node is graph.nodes[k]]
    same = [user for user in users if user.shape == np.shape(total)]
    return same[0].data if same else total


WHOLE = {
    "sign of the whole": lambda graph, k, total, found: -total,
    "neighbour's gradient copied": _copied,
    "neighbour's value copied": _value_copied,
}


# Numbers


def everywhere(right: Pull, **wrong: Pull) -> tuple[Pull, dict[str, Pull]]:
    """Return a use with the mistakes that can be made in any: its sign, or to leave it out."""
    named = {name.replace("_", " "): pull for name, pull in wrong.items()}
    return right, named | {"sign": lambda g: -right(g), "path missing": lambda g: 0 * right(g)}


def _tanh(z: Any, a: Any) -> Any:
    return everywhere(
        lambda g: g * (1 - a * a),
        slope_of_sigmoid=lambda g: g * a * (1 - a),
        slope_of_relu=lambda g: g * (z > 0),
        z_for_a=lambda g: g * (1 - z * z),
        square_missing=lambda g: g * (1 - a),
        factor_missing=lambda g: g,
        itself=lambda g: g * a,
    )


def _sigmoid(z: Any, a: Any) -> Any:
    return everywhere(
        lambda g: g * a * (1 - a),
        slope_of_tanh=lambda g: g * (1 - a * a),
        slope_of_relu=lambda g: g * (z > 0),
        z_for_a=lambda g: g * z * (1 - z),
        a_for_z=lambda g: g / (1 + np.exp(-a)) * (1 - 1 / (1 + np.exp(-a))),
        factor_missing=lambda g: g,
        only_1_minus_a=lambda g: g * (1 - a),
        itself=lambda g: g * a,
    )


def _relu(z: Any, a: Any) -> Any:
    return everywhere(
        lambda g: g * (z > 0),
        mask_missing=lambda g: g * np.ones_like(z),
        mask_inverted=lambda g: g * (z <= 0),
        itself=lambda g: g * a,
        slope_of_sigmoid=lambda g: g * a * (1 - a),
    )


ACTIVATIONS = {"tanh": (np.tanh, _tanh), "sigmoid": (sigmoid, _sigmoid), "relu": (relu, _relu)}


def unary(graph: Graph, kind: str, x: Value) -> Value:
    """Append a function of one number."""
    d = x.data
    if kind in ACTIVATIONS:
        compute, uses = ACTIVATIONS[kind]
        out = compute(x)
        return graph.step(out, (x, *uses(np.float64(d), np.float64(out.data))))
    table: dict[str, Any] = {
        "exp": lambda: (
            np.exp(x),
            everywhere(
                lambda g: g * np.exp(d),
                power_rule=lambda g: g * d * np.exp(d - 1),
                factor_missing=lambda g: g,
                x_itself=lambda g: g * d,
            ),
        ),
        "log": lambda: (
            np.log(x),
            everywhere(
                lambda g: g / d,
                without_1_over_x=lambda g: g,
                times_x=lambda g: g * d,
                itself=lambda g: g * np.log(d),
            ),
        ),
        "sqrt": lambda: (
            np.sqrt(x),
            everywhere(
                lambda g: g / (2 * np.sqrt(d)),
                half_missing=lambda g: g / np.sqrt(d),
                not_inverted=lambda g: g * np.sqrt(d) / 2,
                half_of_x=lambda g: g / (2 * d),
            ),
        ),
        "sin": lambda: (
            np.sin(x),
            everywhere(
                lambda g: g * np.cos(d),
                itself=lambda g: g * np.sin(d),
                factor_missing=lambda g: g,
            ),
        ),
        "cos": lambda: (
            np.cos(x),
            everywhere(
                lambda g: -g * np.sin(d),
                itself=lambda g: g * np.cos(d),
                factor_missing=lambda g: g,
            ),
        ),
        "square": lambda: (x**2, power(d, 2)),
        "cube": lambda: (x**3, power(d, 3)),
        "reciprocal": lambda: (
            1 / x,
            everywhere(
                lambda g: -g / d**2,
                square_missing=lambda g: -g / d,
                log=lambda g: g * np.log(d),
                multiplied=lambda g: -g * d**2,
            ),
        ),
        "scaled": lambda: (
            x * 2.5,
            everywhere(lambda g: 2.5 * g, factor_missing=lambda g: g, divided=lambda g: g / 2.5),
        ),
    }
    out, use = table[kind]()
    return graph.step(out, (x, *use))


def power(d: Any, n: int) -> Any:
    return everywhere(
        lambda g: g * n * d ** (n - 1),
        exponent_not_lowered=lambda g: g * n * d**n,
        exponent_not_in_front=lambda g: g * d ** (n - 1),
        integrated=lambda g: g * d ** (n + 1) / (n + 1),
        only_exponent=lambda g: g * n,
    )


def binary(graph: Graph, kind: str, x: Value, y: Value) -> Value:
    """Append a function of two numbers."""
    a, b = x.data, y.data
    table: dict[str, Any] = {
        "add": lambda: (
            x + y,
            everywhere(lambda g: g, other_s_value=lambda g: g * b),
            everywhere(lambda g: g, other_s_value=lambda g: g * a),
        ),
        "subtract": lambda: (x - y, everywhere(lambda g: g), everywhere(lambda g: -g)),
        "multiply": lambda: (
            x * y,
            everywhere(
                lambda g: g * b, own_factor=lambda g: g * a, factor_missing=lambda g: g,
                divided=lambda g: g / b, result=lambda g: g * a * b,
            ),
            everywhere(
                lambda g: g * a, own_factor=lambda g: g * b, factor_missing=lambda g: g,
                divided=lambda g: g / a, result=lambda g: g * a * b,
            ),
        ),
        "divide": lambda: (
            x / y,
            everywhere(
                lambda g: g / b, other_forgotten=lambda g: g, multiplied=lambda g: g * b,
                own_operand=lambda g: g / a, squared=lambda g: g / b**2,
            ),
            everywhere(
                lambda g: -g * a / b**2, square_missing=lambda g: -g * a / b,
                numerator_missing=lambda g: -g / b**2, multiplied=lambda g: g * a,
                other_forgotten=lambda g: -g * a, own_squared=lambda g: -g * b / a**2,
                as_the_numerator=lambda g: g / b,
            ),
        ),
        "max": lambda: (
            np.maximum(x, y),
            everywhere(lambda g: g * (a > b), to_both=lambda g: g, inverted=lambda g: g * (a < b)),
            everywhere(lambda g: g * (b > a), to_both=lambda g: g, inverted=lambda g: g * (b < a)),
        ),
    }  # fmt: skip
    out, first, second = table[kind]()
    if x is y:  # both uses are of one node
        return graph.step(out, (x, *first), (y, *second))
    return graph.step(out, (x, *first), (y, *second))


UNARY = ("tanh", "sigmoid", "relu", "exp", "log", "sqrt", "sin", "cos", "square", "cube",
         "reciprocal", "scaled")  # fmt: skip
BINARY = ("add", "subtract", "multiply", "divide", "max")


def scalar_graph(rng: np.random.Generator) -> Graph:
    """Return a random expression of numbers."""
    while True:
        graph = Graph()
        loose = [graph.leaf(round(float(x), 2)) for x in rng.uniform(-3, 3, rng.integers(2, 5))]
        everything = list(loose)
        for _ in range(int(rng.integers(2, 7))):
            if rng.random() < 0.45 or len(everything) < 2:
                x = loose[rng.integers(len(loose))]
                kind = UNARY[rng.integers(len(UNARY))]
                if (kind in ("log", "sqrt") and x.data <= 0.05) or (kind == "exp" and x.data > 3):
                    continue
                if kind == "reciprocal" and abs(x.data) < 0.1:
                    continue
                used, new = [x], unary(graph, kind, x)
            else:
                x = loose[rng.integers(len(loose))]
                y = everything[rng.integers(len(everything))]
                kind = BINARY[rng.integers(len(BINARY))]
                if y is x or (kind == "divide" and abs(y.data) < 0.1):
                    continue
                new = binary(graph, kind, x, y)
                used = [x, y]
            loose = [v for v in loose if not any(v is u for u in used)] + [new]
            everything.append(new)
        out = loose[0]
        for other in loose[1:]:
            out = binary(graph, "multiply" if rng.random() < 0.5 else "add", out, other)
        sizes = [abs(g) for g in graph.backward().values()]
        few_zeros = sum(size > 1e-3 for size in sizes) > 0.7 * len(sizes)
        if graph.nodes[-1] is out and len(graph.uses) > 2 and max(sizes) < 1e3 and few_zeros:
            return graph


# Matrices


def product(x: Value, w: Value, others: list[Value]) -> Any:
    """Return the uses of a product x @ w, with what is written by mistake where shapes fit."""
    a, b = x.data, w.data
    dx: dict[str, Pull] = {"elementwise sign": lambda g: -(g @ b.T)}
    dw: dict[str, Pull] = {"elementwise sign": lambda g: -(a.T @ g)}
    if b.shape[0] == b.shape[1]:
        dx["not transposed"] = lambda g: g @ b
    dw["transposed"] = lambda g: g.T @ a
    if a.shape[0] == a.shape[1]:
        dw["not transposed"] = lambda g: a @ g
    for other in others:
        if other.shape == a.shape:
            dw[f"input {other.label} of another layer"] = lambda g, o=other.data: o.T @ g
        if other.shape == b.shape and other is not w:
            dx[f"weights {other.label} of another layer"] = lambda g, o=other.data: g @ o.T
    dx["updated weight"] = lambda g: g @ (b - 0.1 * a.T @ g).T
    return (x, lambda g: g @ b.T, dx), (w, lambda g: a.T @ g, dw)


def bias(b: Value, n: int) -> Any:
    wrong = {
        "not summed": lambda g: g,
        "averaged": lambda g: g.mean(axis=0),
        "summed over the other axis": lambda g: g.sum(axis=1),
    }
    return b, lambda g: g.sum(axis=0), wrong


def network(rng: np.random.Generator) -> Graph:
    """Return a network of two layers on a few samples, with a mean loss."""
    graph = Graph()
    n, d = (int(k) for k in rng.integers(3, 5, 2))
    h = d if rng.random() < 0.5 else int(rng.integers(2, 5))
    k = int(rng.integers(2, 4))

    def draw(label: str, *shape: int) -> Value:
        return graph.leaf(np.round(rng.normal(size=shape), 2), label)

    x, w1, b1 = draw("X", n, d), draw("W1", d, h), draw("b1", h)
    w2, b2 = draw("W2", h, k), draw("b2", k)
    t1 = graph.step(x @ w1, *product(x, w1, []), label="t1")
    z1 = graph.step(t1 + b1, (t1, lambda g: g, {}), bias(b1, n), label="z1")
    compute, uses = ACTIVATIONS[("tanh", "sigmoid", "relu")[rng.integers(3)]]
    a1 = compute(z1)
    a1 = graph.step(a1, (z1, *uses(z1.data, a1.data)), label="a1")
    t2 = graph.step(a1 @ w2, *product(a1, w2, [x, z1, w1]), label="t2")
    z2 = graph.step(t2 + b2, (t2, lambda g: g, {}), bias(b2, n), label="z2")
    if rng.random() < 0.5:
        y = np.round(rng.normal(size=(n, k)), 1)
        e = z2 - y
        square = e * e
        loss = square.mean()
        e.label, square.label = "e", "s"
        size = n * k
        graph.step(
            loss,
            (
                z2,
                lambda g: 2 * (z2.data - y) / size,
                {
                    "1/n missing": lambda g: 2 * (z2.data - y),
                    "1/n of samples only": lambda g: 2 * (z2.data - y) / n,
                    "2 missing": lambda g: (z2.data - y) / size,
                    "target forgotten": lambda g: 2 * z2.data / size,
                    "y - p": lambda g: 2 * (y - z2.data) / size,
                },
            ),
            label="L",
        )
    else:
        y = np.eye(k)[rng.integers(k, size=n)]
        p = softmax(z2, axis=1)
        p.label = "p"
        loss = -(y * np.log(p)).sum() / n
        q = p.data
        graph.step(
            loss,
            (
                z2,
                lambda g: (q - y) / n,
                {
                    "1/n missing": lambda g: q - y,
                    "one-hot forgotten": lambda g: q / n,
                    "y - p": lambda g: (y - q) / n,
                    "diagonal only": lambda g: -y * (1 - q) / n,
                    "softmax's derivative missing": lambda g: -y / q / n,
                },
            ),
            label="L",
        )
    return graph


def lecture(rng: np.random.Generator) -> Graph:
    """Return one sample through two layers: delta = W^T delta * f'(z), dW = delta a^T."""
    graph = Graph()
    d = int(rng.integers(2, 4))
    h = d if rng.random() < 0.5 else int(rng.integers(2, 4))
    k = h if rng.random() < 0.5 else int(rng.integers(1, 4))

    def draw(label: str, *shape: int) -> Value:
        return graph.leaf(np.round(rng.normal(size=shape), 2), label)

    x = draw("x", d)
    below = [x]
    activation = ("tanh", "sigmoid")[rng.integers(2)]
    weights: list[Value] = []
    for layer, (m, units) in enumerate([(d, h), (h, k)], 1):
        a, w, b = below[-1], draw(f"W{layer}", units, m), draw(f"b{layer}", units)
        others = [v for v in below[:-1] if v.shape == a.shape]
        other_weights = [v for v in weights if v.shape == w.shape]
        da: dict[str, Pull] = {}
        dw: dict[str, Pull] = {"sign": lambda g, a=a: -np.outer(g, a.data)}
        if units == m:
            da["not transposed"] = lambda g, w=w: w.data @ g
            dw["transposed"] = lambda g, a=a: np.outer(a.data, g)
        for other in others:
            dw[f"{other.label} of another layer"] = lambda g, o=other: np.outer(g, o.data)
        for other in other_weights:
            da[f"{other.label} of another layer"] = lambda g, o=other: o.data.T @ g
        da["updated weight"] = lambda g, w=w, a=a: (w.data - 0.1 * np.outer(g, a.data)).T @ g
        t = graph.step(
            w @ a,
            (a, lambda g, w=w: w.data.T @ g, da),
            (w, lambda g, a=a: np.outer(g, a.data), dw),
            label=f"t{layer}",
        )
        z = graph.step(
            t + b,
            (t, lambda g: g, {}),
            (b, lambda g: g, {"times z": lambda g, t=t: g * t.data}),
            label=f"z{layer}",
        )
        compute, uses = ACTIVATIONS[activation]
        out = compute(z)
        out = graph.step(out, (z, *uses(z.data, out.data)), label=f"a{layer}")
        below += [z, out]
        weights.append(w)
    y = np.round(rng.uniform(0, 1, k), 1)
    out = below[-1]
    loss = ((out - y) ** 2).sum() / 2
    graph.step(
        loss,
        (
            out,
            lambda g: out.data - y,
            {
                "y - a": lambda g: y - out.data,
                "2 not cancelled": lambda g: 2 * (out.data - y),
                "1/2 twice": lambda g: (out.data - y) / 2,
                "target forgotten": lambda g: out.data,
            },
        ),
        label="L",
    )
    return graph


GRAPHS = {"numbers": scalar_graph, "matrices": network, "lecture": lecture}


# Writing


def significant(digits: int) -> Callable[[Any], Any]:
    return lambda g: np.vectorize(lambda x: float(f"{x:.{digits}g}"), otypes=[float])(g) + 0.0


def decimals(places: int) -> Callable[[Any], Any]:
    return lambda g: np.round(g, places) + 0.0


WRITTEN = {"exact": lambda g: g}
WRITTEN |= {f"{n} digits": significant(n) for n in (4, 3, 2)}
WRITTEN |= {f"{n} decimals": decimals(n) for n in (4, 3, 2)}
BY_STEPS = {f"{name}, each step": write for name, write in WRITTEN.items() if name != "exact"}


def number(given: Any) -> Any:
    return given if np.shape(given) else float(given)


def answers(rng: np.random.Generator, graph: Graph, found: dict[Any, Any], write: Any) -> Any:
    """Return the gradients that are handed in: all, those of the leaves, or some."""
    nodes = graph.nodes[:-1]
    kind = rng.integers(3)
    if kind == 1:
        nodes = [node for node in nodes if node.primitive is None]
    elif kind == 2:
        nodes = [node for node in nodes if rng.random() < 0.5] or nodes[:1]
    return {node: number(write(found[node])) for node in nodes}


def differs(x: Any, y: Any, share: float = 0.02) -> bool:
    """Tell whether two gradients differ by more than a share of the larger one."""
    if np.shape(x) != np.shape(y):
        return True
    size = max(np.max(np.abs(x)), np.max(np.abs(y)))
    return bool(np.max(np.abs(np.subtract(x, y))) > share * size + 1e-12)


# Measuring


def judge_right(rng: np.random.Generator, make: Any, written: str) -> tuple[int, int, str]:
    """Return how many gradients there are, and how many right ones are called wrong."""
    graph = make(rng)
    if written in BY_STEPS:
        write = BY_STEPS[written]
        found = graph.backward(write=write)
    else:
        write = WRITTEN[written]
        found = graph.backward()
    given = answers(rng, graph, found, write)
    judged = compare_gradients(graph.nodes[-1], given)
    return len(judged), sum(not each.is_right for each in judged), str(judged)


class Outcome(NamedTuple):
    """How planted mistakes were judged."""

    slip: str
    named: bool  # the place and the number of the mistake, or all numbers by another one
    none: bool  # nothing was named
    more: bool  # further mistakes, beyond those made
    accepted: bool  # a gradient that is off by more than its precision was called right
    text: str


def planted(rng: np.random.Generator, make: Any, count: int) -> tuple[Graph, Any, Any] | None:
    """Return a graph, mistakes that show, and the gradients with them; None if they do not."""
    graph = make(rng)
    options = graph.slips()
    slips = [options[i] for i in rng.choice(len(options), count, replace=False)]
    try:
        wrong = graph.backward(slips)
        without = [graph.backward([s for s in slips if s is not slip]) for slip in slips]
    except (ValueError, ArithmeticError):
        return None  # shapes that do not fit further down
    if not all(np.isfinite(g).all() for g in wrong.values()):
        return None
    if not all(any(differs(wrong[node], each[node]) for node in wrong) for each in without):
        return None
    return graph, slips, wrong


def judge_mistakes(rng: np.random.Generator, make: Any, written: str, count: int) -> Outcome | None:
    """Plant mistakes, and return how they were judged; None if they do not show."""
    found = planted(rng, make, count)
    if found is None:
        return None
    graph, slips, wrong = found
    write, right, output = WRITTEN[written], graph.backward(), graph.nodes[-1]
    given = answers(rng, graph, wrong, write)
    off = [node for node in given if differs(wrong[node], right[node])]
    if not off or not all(np.any(given[node]) for node in off):
        return None
    places = [graph.nodes[-1 - s[0]] if s[0] < 0 else graph.uses[s[0]].node for s in slips]
    if count > 1 and not (len(set(places)) > 1 and all(place in given for place in places)):
        return None
    judged = compare_gradients(output, given)
    own = mistakes(judged)
    made = [each.mistake for each in own if each.mistake is not None]
    if count > 1:
        named = all(any(mistake.node is place for mistake in made) for place in places)
    elif len(own) != 1 or not made:
        named = False
    else:
        exact = mistakes(compare_gradients(output, {n: number(wrong[n]) for n in given}))
        named = written == "exact" or (
            made[0].node is places[0] and not differs(made[0].gradient, wrong[places[0]], 0.03)
        )
        if len(exact) == 1 and exact[0].mistake:
            named |= exact[0].mistake.key == made[0].key
    accepted = any(
        each.is_right
        and differs(wrong[each.node], right[each.node], 0.1)
        and differs(write(right[each.node]), each.given, 0.15)
        for each in judged
    )
    kinds = " + ".join(kind for _, kind in slips)
    text = f"{kinds} at {[place.label for place in places]}, {written}\n{judged}"
    return Outcome(kinds, named, not made, len(own) > count, accepted, text)


def mistakes(judged: Any) -> list[Any]:
    """Return the judgements on gradients that have a mistake of their own."""
    return [each for each in judged if each.mark == "✗"]


def measure(cases: int, seed: int = 0) -> str:
    """Return a table of how right and wrong answers are judged."""
    rng, makers = np.random.default_rng(seed), list(GRAPHS.values())
    lines = ["right answers         gradients  called wrong"]
    for written in [*WRITTEN, *BY_STEPS]:
        counts = [judge_right(rng, makers[k % 3], written)[:2] for k in range(cases)]
        gradients, wrong = np.sum(counts, axis=0)
        lines.append(f"{written:<22}{gradients:>9}{wrong / gradients:>14.1%}")
    lines.append("\nmistakes                cases   named    none    more  called right")
    for count, written in [*[(1, each) for each in WRITTEN], (2, "exact"), (2, "3 digits")]:
        for name, make in GRAPHS.items():
            outcomes: list[Outcome] = []
            while len(outcomes) < cases:
                outcomes += filter(None, [judge_mistakes(rng, make, written, count)])
            named, none, more, accepted = np.mean([each[1:5] for each in outcomes], axis=0)
            lines.append(
                f"{count} {name:<10}{written:<12}{cases:>5}"
                f"{named:>8.0%}{none:>8.0%}{more:>8.0%}{accepted:>14.1%}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(measure(*map(int, sys.argv[1:])) + "\n")
