"""compare_gradients names what is wrong with a gradient worked out by hand, and only that."""

import re
import sys

import numpy as np
import pytest
import slips
from slips import Slip, array_graph, backward_with, choose, scalar_graph

from autograd_core import (
    DataError,
    OptionError,
    Primitive,
    ShapeError,
    Value,
    explain,
    no_grad,
    relu,
    sigmoid,
    softmax,
)
from autograd_core.comparison.backward_pass import BackwardPass
from autograd_core.comparison.compare import compare_gradients
from autograd_core.comparison.mistakes import mistakes_at
from autograd_core.graph import topological_order

KINDS = [
    "sign",
    "missing path",
    "doubled path",
    "overwritten",
    "missing factor",
    "factor twice",
    "factor of a power",
    "output for derivative",
    "input for derivative",
    "input for output",
    "output for input",
    "mean and sum",
    "transpose",
    "broadcast",
]
TRIALS = 50  # of each kind, on graphs of numbers and of arrays


def named(value, label):
    value.label = label
    return value


def lesson():
    """Return the graph that the examples below are about: L = (a b) (a + b)."""
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    c, d = named(a * b, "c"), named(a + b, "d")
    return named(c * d, "L"), a, b, c, d


def network():
    """Return a small network: its loss and its values, by label."""
    rng = np.random.default_rng(0)
    v = {"x": Value(rng.normal(size=(4, 3))), "w": Value(rng.normal(size=(3, 3)))}
    v["b"] = Value(rng.normal(size=3))
    v["z"] = v["x"] @ v["w"]
    v["s"] = v["z"] + v["b"]
    v["h"] = np.tanh(v["s"])
    v["total"] = np.sum(v["h"] * v["h"] * v["h"])
    v["loss"] = v["total"] / 12
    for label, value in v.items():
        value.label = label
    v["loss"].backward()
    return v


# Random mistakes


def differs(given, right):
    if np.shape(given) != np.shape(right):
        return True
    size = np.max(np.abs(given)) + np.max(np.abs(right))
    return np.max(np.abs(np.subtract(given, right))) > 1e-3 * size + 1e-9


def is_same(given, other):
    if np.shape(given) != np.shape(other):
        return False
    return np.max(np.abs(np.subtract(given, other))) <= 1e-9 * np.max(np.abs(given))


def gives_the_same(sample, mistake, given):
    """Tell whether a mistake, made anew, gives the very numbers that were given."""
    edges = tuple((edge.user, edge.i) for edge in mistake.edges)
    turns = [None, 0, 1, 2] if mistake.verdict == "transpose" else [mistake.factor]
    for factor in turns:
        slip = Slip(mistake.verdict, mistake.node, edges, factor)
        try:
            found = backward_with(sample.output, slip)
        except ValueError:
            continue  # another turn of a product, whose shapes do not fit
        if all(is_same(found[node], gradient) for node, gradient in given.items()):
            return True
    return False


def is_named_rightly(kind, make, rng):
    """Make one mistake and compare; None if the graph offers none, or none that shows."""
    sample = make(rng)
    options = list(slips.slips(kind, sample))
    if not options:
        return None
    try:
        found = backward_with(sample.output, choose(rng, options))
    except ValueError:
        return None  # shapes that do not fit: the learner's program would have stopped
    right = backward_with(sample.output)
    affected = [node for node in found if differs(found[node], right[node])]
    if not affected:
        return None
    given = {choose(rng, affected)}
    given |= {node for node in found if rng.random() < choose(rng, [0, 0.4, 1])}
    given = {node: found[node] for node in topological_order(sample.output) if node in given}
    comparison = compare_gradients(sample.output, given)
    assert not any(comparison[node].is_right for node in affected if node in given)
    wrong = [j for j in comparison if not j.is_right and j.verdict != "follows"]
    return (
        len(wrong) == 1
        and wrong[0].mistake is not None
        and gives_the_same(sample, wrong[0].mistake, given)
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [scalar_graph, array_graph])
def test_of_single_mistakes_95_percent_are_named(make, kind):
    if make is scalar_graph and kind in ("transpose", "broadcast"):
        assert not list(slips.slips(kind, make(np.random.default_rng(0))))  # numbers have no axes
        return
    rng = np.random.default_rng(KINDS.index(kind))
    outcomes = []
    while len(outcomes) < TRIALS:
        outcome = is_named_rightly(kind, make, rng)
        if outcome is not None:
            outcomes.append(outcome)
    assert np.mean(outcomes) >= 0.95


def central_difference(output, leaf, step=1e-6):
    """Return a gradient as people check theirs: by recomputing the graph at moved inputs."""
    order = topological_order(output)

    def at(data):
        found = {leaf: data}
        for node in order:
            if node is not leaf:
                inputs = [found[x] if isinstance(x, Value) else x for x in node.inputs]
                found[node] = (
                    node.primitive.compute(inputs, node.params or {}, inputs)
                    if node.primitive
                    else node.data
                )
        return float(found[output])

    out = np.zeros(leaf.shape)
    for element in np.ndindex(out.shape):
        ends = []
        for move in (step, -step):
            data = np.array(leaf.data)
            data[element] += move
            ends.append(at(data if data.ndim else float(data)))
        out[element] = (ends[0] - ends[1]) / (2 * step)
    return out if out.ndim else float(out)


WRITTEN = {
    "exact": lambda g: g,
    "as float32": np.float32,
    "as float32, then float64": lambda g: np.float64(np.float32(g)),
    "to 4 decimals": lambda g: np.round(g, 4),
    "to 6 digits": np.vectorize(lambda x: float(f"{x:.6g}")),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("make", [scalar_graph, array_graph])
@pytest.mark.parametrize("written", WRITTEN)
def test_no_right_gradient_is_called_wrong(make, written):
    judged = 0
    for seed in range(20):
        sample = make(np.random.default_rng(seed))
        right = backward_with(sample.output)
        given = {node: WRITTEN[written](gradient) for node, gradient in right.items()}
        comparison = compare_gradients(sample.output, given)
        assert comparison.all_right, f"seed {seed}: {comparison}"
        judged += len(comparison)
    assert judged > 280


@pytest.mark.parametrize("make", [scalar_graph, array_graph])
def test_finite_differences_count_as_right(make):
    for seed in range(20):
        output = make(np.random.default_rng(seed)).output
        leaves = [node for node in topological_order(output) if node.primitive is None]
        given = {leaf: central_difference(output, leaf) for leaf in leaves}
        comparison = compare_gradients(output, given)
        assert comparison.all_right, f"seed {seed}: {comparison}"


@pytest.mark.parametrize(
    "given",
    [(1.333, -0.3111, 0.2333), (1.3, -0.31, 0.23), (1.33, -0.311, 0.233), (4 / 3, -0.31, 0.2333)],
)
def test_an_answer_is_compared_at_its_own_precision(given):
    a, b, c = Value(0.7, label="a"), Value(3.0, label="b"), Value(4.0, label="c")
    comparison = compare_gradients(c / b * a, dict(zip("abc", given, strict=True)))
    assert comparison.all_right, comparison


@pytest.mark.parametrize(
    ("exact", "written", "other"),
    [(0.346021, 0.35, 0.34), (1 / 3, 0.33, 0.34), (-0.1875, -0.188, -0.186), (1234.5, 1200, 1300)],
)
def test_rounded_numbers_are_right_and_their_neighbours_are_wrong(exact, written, other):
    x = Value(1.0, label="x")
    assert compare_gradients(x * exact, {"x": written}).all_right
    assert not compare_gradients(x * exact, {"x": other}).all_right


def test_steps_may_build_on_rounded_earlier_ones():
    x = Value(0.7, label="x")
    t = named(np.exp(x), "t")
    u = named(t * t * 3.21, "u")
    loss = named(np.sin(u), "L")
    du = round(float(np.cos(u.data)), 2)
    dt = round(du * 2 * round(t.data, 2) * 3.21, 1)
    dx = round(dt * round(t.data, 2), 1)
    comparison = compare_gradients(loss, {u: du, t: dt, x: dx})
    assert comparison.all_right, comparison
    assert not compare_gradients(loss, {u: du, t: dt, x: 1.05 * dx}).all_right


# What each mistake is called


def message(output, gradients, key):
    """Return what is said of a gradient, without other possible explanations."""
    text = compare_gradients(output, gradients)[key].message
    return re.sub("; other explanations are possible: .*(?=; you gave)", "", text)


def test_right():
    loss, a, *_ = lesson()
    judgement = compare_gradients(loss, {"a": 21.0})[0]
    assert judgement.is_right
    assert judgement.verdict == "right"
    assert judgement.message == "dL/da is right"
    assert judgement.node is a
    assert (judgement.given, judgement.right) == (21.0, 21.0)
    assert message(loss, {a: 21.0001}, a) == "dL/da is right but for rounding: 21"


def test_sign():
    loss, *_ = lesson()
    assert message(loss, {"a": -21.0}, "a") == "dL/da is off by a sign; you gave -21, it is 21"
    assert message(loss, {"a": 15.0 - 6.0}, "a") == (
        "the path through d has the wrong sign; it adds 6; you gave 9, it is 21"
    )


def test_missing_path():
    loss, *_ = lesson()
    assert message(loss, {"a": 6.0}, "a") == (
        "you took dL/da through d only; the path through c adds 15; you gave 6, it is 21"
    )
    assert message(loss, {"a": 15.0}, "a") == (
        "you took dL/da through c only; the path through d adds 6 (= instead of += does this); "
        "you gave 15, it is 21"
    )
    assert message(loss, {"c": 0.0}, "c") == (
        "dL/dc is not 0: the path through L adds 5; you gave 0, it is 5"
    )


def used_three_times():
    a = Value(2.0, label="a")
    b, c, d = named(a * 3, "b"), named(a * 5, "c"), named(a * 11, "d")
    return named(b + c + d, "L"), a


def test_missing_one_or_two_of_three_paths():
    loss, _ = used_three_times()
    assert message(loss, {"a": 14.0}, "a") == (
        "a path is missing: the path through c adds 5; you gave 14, it is 19"
    )
    assert message(loss, {"a": 5.0}, "a") == (
        "you took dL/da through c only; there is also 11 through d and 3 through b; "
        "you gave 5, it is 19"
    )


def test_missing_path_further_up():
    x = Value(1.5, label="x")
    t = named(x * x, "t")
    u, v = named(t * 3.0, "u"), named(t * t, "v")
    loss = named(u * v, "L")
    text = message(loss, {"x": 3 * t.data**2 * 3.0}, "x")
    assert text == (
        "further up: you took dL/dt through u only; the path through v adds 30.375 "
        "(= instead of += does this); you gave 45.5625, it is 136.688"
    )
    given = {x: 3 * t.data**2 * 3.0, t: 3 * t.data**2}
    comparison = compare_gradients(loss, given)
    assert [j.verdict for j in comparison] == ["missing path", "follows"]


def test_missing_whole_path():
    x = Value(1.5, label="x")
    p, q = named(x * 2.0, "p"), named(np.sin(x), "q")
    t = named(p * q, "t")
    u, v = named(np.exp(t), "u"), named(t * 7.0, "v")
    loss = named(u + v, "L")
    loss.backward()
    through_p_and_v = 2.0 * q.data * 7.0
    assert message(loss, {"x": x.grad - through_p_and_v}, "x").startswith(
        "the path through p, t, v and L is missing; it adds 13.9649"
    )
    assert message(loss, {"x": x.grad + through_p_and_v}, "x").startswith(
        "the path through p, t, v and L is counted twice; it adds 13.9649"
    )


def test_doubled_path():
    loss, *_ = lesson()
    assert message(loss, {"a": 27.0}, "a") == (
        "the path through d is counted twice; it adds 6; you gave 27, it is 21"
    )
    assert message(loss, {"a": 42.0}, "a") == (
        "dL/da is counted twice, as by a second backward() onto gradients that were not zeroed; "
        "you gave 42, it is 21"
    )


def test_overwritten():
    loss, _ = used_three_times()
    assert message(loss, {"a": 3.0}, "a") == (
        "overwritten instead of added: of dL/da only the last contribution, through b, is left; "
        "there is also 11 through d and 5 through c; you gave 3, it is 19"
    )
    a = Value(3.0, label="a")
    b = named(a + a, "b")
    assert message(b, {"a": 1.0}, "a") == (
        "overwritten instead of added: of db/da only the last contribution, through b (input 2), "
        "is left; there is also 1 through b (input 1); you gave 1, it is 2"
    )


def test_inputs_are_counted_as_explain_counts_them():
    w = Value(3.0, label="w")
    square = named(w * w, "s")
    told = explain(square, wrt=w)
    assert "through s (input 1)" in str(told)
    assert "through s (input 2)" in str(told)
    assert message(named(square + w, "L"), {w: 4.0}, w) == (
        "a path is missing: the path through s (input 1) adds 3; you gave 4, it is 7"
    )


def overwriting_everywhere():
    a, b = Value(2.0, label="a"), Value(0.5, label="b")
    c = named(a * b, "c")
    d = named(c * c + a, "d")
    return named(d * d * b, "L"), a, b, c, d


def test_overwritten_everywhere_is_one_mistake():
    loss, a, b, c, d = overwriting_everywhere()
    dd = d.data * b.data  # of d * d, the second input alone
    dc = dd * c.data
    given = {"L": 1.0, "d": dd, "c": dc, "b": dc * a.data, "a": dc * b.data}
    comparison = compare_gradients(loss, given)
    assert [j.verdict for j in comparison] == ["right", "overwritten", *["follows"] * 3]
    assert comparison["d"].message.endswith(
        "so it is at every value used repeatedly; you gave 1.5, it is 3"
    )
    assert "everything below follows from this: c, b and a" in str(comparison)


def test_overwritten_everywhere_seen_from_a_value_that_is_used_once():
    p = Value(0.7, label="p")
    a = named(np.sin(p), "a")
    t = named(a * a, "t")
    q = Value(1.3, label="q")
    u = named(t * q, "u")
    loss = named(u * u * u, "L")
    du = u.data * u.data  # what the first product leaves in u, last of all
    dt = du * q.data
    da = dt * a.data
    comparison = compare_gradients(loss, {q: du * t.data, p: da * np.cos(0.7)})
    assert comparison[q].verdict == "overwritten"
    assert comparison[q].message.startswith("each contribution overwrites the one before it")
    assert comparison[p].verdict == "follows"


def test_missing_factor():
    v = network()
    slope = 1 - v["h"].data ** 2
    assert message(v["loss"], {"z": v["h"].grad}, "z").startswith(
        "the factor 1 - tanh(s)^2 is missing at node h = tanh(s); you gave shape (4, 3)"
    )
    wrong = v["x"].data.T @ (v["h"].grad * slope * slope)
    comparison = compare_gradients(v["loss"], {"w": wrong, "h": v["h"].grad})
    assert comparison["w"].verdict == "factor twice"
    assert "the factor 1 - tanh(s)^2 is applied twice at node h" in comparison["w"].message


def test_missing_derivative_that_is_no_factor():
    x = Value([[0.1, 0.7], [0.4, -0.2]], label="x")
    s = named(softmax(x, axis=1), "s")
    loss = named((s * s * s).sum(), "L")
    loss.backward()
    assert "the local derivative is missing at node s = softmax(x" in message(loss, {x: s.grad}, x)
    n = named(np.linalg.norm(x, axis=1), "n")
    loss = named((n * n * n).sum(), "L")
    loss.backward()
    spread = np.broadcast_to(n.grad[:, None], (2, 2))
    comparison = compare_gradients(loss, {x: spread})
    assert comparison[x].verdict == "missing factor"
    assert "with G = dL/dn" in comparison[x].message


def test_factor_of_a_power():
    w = Value(3.0, label="w")
    loss = named((2 * w - 5) ** 2 + 0.1 * w**2, "L")
    assert message(loss, {w: 4.3}, w) == (
        "the factor 2 of 2 * w is missing at node t4 = w^2; you gave 4.3, it is 4.6"
    )
    v = network()
    error = named(v["x"] @ v["w"] - 1.0, "error")
    loss = named((error**2).sum(), "L")
    wrong = compare_gradients(loss, {"w": v["x"].data.T @ error.data})
    assert wrong["w"].verdict == "factor of a power"
    assert "the factor 2 of 2 * error is missing at node t2 = error^2" in wrong["w"].message
    assert compare_gradients(named(np.square(w), "s"), {w: 3.0})[0].verdict == "factor of a power"


@pytest.mark.parametrize(
    ("function", "written", "words"),
    [
        (sigmoid, lambda z, a: a, "a was used instead of the derivative sigmoid(z) * (1 -"),
        (sigmoid, lambda z, a: z, "z was used instead of the derivative sigmoid(z)"),
        (sigmoid, lambda z, a: z * (1 - z), "z * (1 - z) was used instead of the derivative"),
        (sigmoid, lambda z, a: sigmoid(a) * (1 - sigmoid(a)), "sigmoid(a) * (1 - sigmoid(a)) "),
        (
            np.tanh,
            lambda z, a: 1 - z**2,
            "1 - z^2 was used instead of the derivative 1 - tanh(z)^2",
        ),
        (np.tanh, lambda z, a: 1 - np.tanh(a) ** 2, "1 - tanh(a)^2 was used instead of the deriv"),
        (np.exp, lambda z, a: z, "z was used instead of the derivative exp(z) at node a = exp(z)"),
        (np.sin, lambda z, a: np.cos(a), "cos(a) was used instead of the derivative cos(z)"),
    ],
)
@pytest.mark.parametrize("data", [0.7, np.array([[0.7, -0.4], [1.3, 0.2]])])
def test_another_number_in_place_of_the_derivative(function, written, words, data):
    w = Value(data, label="w")
    z = named(w * 1.7, "z")
    a = named(function(z), "a")
    loss = named((a * 3.0).sum(), "L")
    dz = 3.0 * written(z.data, a.data)
    assert words in message(loss, {z: dz}, "z")
    assert words in message(loss, {w: 1.7 * dz}, "w")


def operands(make):
    """Return y = make(a, b) * 1.3, of labelled numbers without small whole ratios."""
    a, b = Value(1.7, label="a"), Value(0.6, label="b")
    c = named(make(a, b), "c")
    return named(c * 1.3, "L")


@pytest.mark.parametrize(
    ("make", "of", "slope", "words"),
    [
        (lambda a, b: a / b, "a", 1.0, "the factor 1 / b is missing"),
        (lambda a, b: a / b, "a", 0.6, "multiplied instead of divided: b was used instead of"),
        (lambda a, b: a / b, "b", -1.7 / 0.6, "the square is missing: -a / b was used instead"),
        (lambda a, b: a / b, "b", -1 / 0.36, "a factor is missing: -1 / b^2 was used instead of"),
        (lambda a, b: a / b, "b", 1.7, "the derivative of multiply: a was used instead of"),
        (lambda a, b: a * b, "a", 1.7, "the operands are exchanged: a was used instead of"),
        (lambda a, b: a * b, "a", 1 / 0.6, "divided instead of multiplied: 1 / b was used"),
        (lambda a, b: a**3 + b, "a", 3 * 1.7**3, "the exponent is not lowered: 3 * a^3 was used"),
        (lambda a, b: a**3 + b, "a", 3 * 1.7, "the square is missing: 3 * a was used instead of"),
        (lambda a, b: np.exp(a) + b, "a", 1.7 * np.exp(0.7), "a * exp(a - 1) was used instead"),
        (lambda a, b: np.sqrt(a) + b, "a", 1.7**-0.5, "a factor is missing: 1 / sqrt(a) was used"),
        (lambda a, b: np.log(a) + b, "a", 1.0, "the factor 1 / a is missing"),
        (lambda a, b: np.cos(a) + b, "a", np.sin(1.7), "off by a sign"),
        (np.maximum, "b", 1.0, "the factor"),
        (lambda a, b: np.tanh(a) + b, "a", 1 - np.tanh(1.7), "is missing: 1 - tanh(a) was"),
    ],
)  # fmt: skip
def test_slips_follow_from_the_formula_of_the_derivative(make, of, slope, words):
    loss = operands(make)
    text = message(loss, {of: 1.3 * slope}, of)
    assert words in text


@pytest.mark.parametrize("data", [0.7, np.array([[0.7, -0.4], [1.3, 0.2]])])
@pytest.mark.parametrize(
    ("function", "slope", "words"),
    [
        (np.tanh, lambda z, a: a * (1 - a), "the derivative of sigmoid: a * (1 - a) was used"),
        (np.tanh, lambda z, a: 1 - z * z, "1 - z^2 was used instead of the derivative"),
        (sigmoid, lambda z, a: 1 - a * a, "the derivative of tanh: 1 - a^2 was used instead of"),
        (relu, lambda z, a: a * (1 - a), "the derivative of sigmoid: a * (1 - a) was used"),
        (relu, lambda z, a: z <= 0, "the mask is inverted: (z <= 0) was used instead of the"),
        (np.sin, lambda z, a: a, "a was used instead of the derivative cos(z)"),
    ],
)
def test_slopes_of_other_functions(function, slope, words, data):
    z = named(Value(data) * 1.7, "z")
    a = named(function(z), "a")
    loss = named((a * 3.3).sum(), "L")
    if np.any(slope(z.data, a.data)):
        assert words in message(loss, {z: 3.3 * slope(z.data, a.data)}, "z")
    else:
        assert not compare_gradients(loss, {z: 0.0}).all_right


def test_a_new_operation_brings_its_slips():
    cubed = Primitive("cubed", lambda x: x**3, lambda g, out, x: g * 3 * x**2, elementwise=True)
    x = Value(1.7, label="x")
    loss = named(cubed(x) * 1.3, "L")
    text = message(loss, {x: 1.3 * 3 * 1.7}, "x")
    assert "the square is missing: 3 * x was used instead of the derivative 3 * x^2" in text


def classifier():
    """Return a loss of classes with its values: W, b, scores z, and one-hot targets."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 3)), np.eye(3)[[0, 2, 1, 2]]
    w, b = Value(rng.normal(size=(3, 3)), label="W"), Value(rng.normal(size=3), label="b")
    z = named(x @ w + b, "z")
    p = named(softmax(z, axis=1), "p")
    loss = named(-(y * np.log(p)).sum() / 4, "L")
    loss.backward()
    return loss, x, y, w, b, z, p


def test_slips_in_arrays():
    loss, x, y, w, b, z, p = classifier()
    q = p.data
    assert "the target is forgotten in dL/dz" in message(loss, {z: q / 4}, "z")
    assert "only the diagonal" in message(loss, {z: p.grad * q * (1 - q)}, "z")
    assert "the factor 1/4 is missing" in message(loss, {z: q - y}, "z")
    text = message(loss, {b: z.grad.sum(axis=1)}, "b")
    assert text.endswith("write .sum(axis=0); you gave shape (4,), it has shape (3,)")
    assert "is summed over the wrong axis" in text
    assert "a transpose is missing, or one too many" in message(loss, {w: z.grad.T @ x}, "W")


def test_values_of_other_layers_and_updated_weights():
    rng = np.random.default_rng(0)
    v = [Value(rng.normal(size=(3, 3)), label=label) for label in ("x", "w1", "w2")]
    h = named(np.tanh(v[0] @ v[1]), "h")
    o = named(h @ v[2], "o")
    loss = named((o * o).sum(), "L")
    loss.backward()
    text = message(loss, {"w2": v[0].data.T @ o.grad}, "w2")
    assert "the wrong operand: x, another value, was used instead of h" in text
    text = message(loss, {"h": o.grad @ v[1].data.T}, "h")
    assert "the wrong operand: w1, another value, was used instead of w2" in text
    text = message(loss, {"h": o.grad @ (v[2].data - 0.1 * v[2].grad).T}, "h")
    assert "the updated weight was used, w2 less its step" in text
    assert message(loss, {"h": o.grad}, "h").startswith("the gradient dL/do stands where dL/dh")
    assert message(loss, {"h": h.data}, "h").startswith("the value of h stands where dL/dh")


def test_the_likeliest_of_several_explanations_is_named_first():
    b = Value(2.0, label="b")
    loss = named(3.0 / b, "L")
    text = compare_gradients(loss, {b: -1.5})["b"].message  # twice the right one, as b is 2
    assert text.startswith("the square is missing: -3 / b was used instead of the derivative")
    assert "second backward()" not in text
    a = Value(3.0, label="a")
    assert str(compare_gradients(named(a**3, "L"), {a: 9.0})) == (
        "✗ a: the factor 3 of 3 * a^2 is missing at node L = a^3; other explanations are possible: "
        "the square is missing: 3 * a was used instead of the derivative 3 * a^2 at node L = a^3; "
        "you gave 9, it is 27"
    )


def test_mean_and_sum():
    v = network()
    assert message(v["loss"], {"b": 12 * v["b"].grad}, "b").startswith(
        "mean and sum are confused: the factor 1/12 is missing at node loss = total / 12; you gave"
    )
    x = Value([1.0, 2.0, 4.0, 8.0], label="x")
    loss = named(np.sum(x * x * x), "L")
    assert "mean and sum are confused: there is no factor 1/4 at node L" in message(
        loss, {"x": 3 * x.data**2 / 4}, "x"
    )


def test_mean_over_one_axis_in_place_of_two():
    x = Value(np.arange(1.0, 7.0).reshape(2, 3), label="x")
    loss = named(np.mean(x * x), "L")
    text = message(loss, {"x": 2 * x.data / 3}, "x")
    assert text.startswith("mean and sum are confused: the factor 1/2 is missing at node L")


def test_mean_of_single_numbers():
    values = [Value(x, label=f"x{x:g}") for x in (1.0, 2.0, 5.0)]
    total = named(sum(x * x for x in values), "total")
    loss = named(total * (1 / 3), "L")
    text = message(loss, {"x5": 10.0, "x1": 2.0}, "x5")
    assert text.startswith("mean and sum are confused: the factor 1/3 is missing at node L")
    text = message(total, {"x5": 10 / 3, "x1": 2 / 3}, "x5")
    assert text.startswith("mean and sum are confused: there is no factor 1/3 at node total")


def test_broadcast_that_is_averaged():
    v = network()
    text = message(v["loss"], {"b": v["s"].grad.mean(axis=0)}, "b")
    assert text.startswith(
        "the broadcast at node s = z + b is averaged instead of summed: mean and sum, a factor of 4"
    )


def test_transpose():
    v = network()
    assert message(v["loss"], {"x": v["x"].grad.T}, "x") == (
        "dloss/dx is transposed: write .T; you gave shape (3, 4), it has shape (4, 3)"
    )
    assert message(v["loss"], {"x": v["z"].grad @ v["w"].data}, "x").startswith(
        "a transpose is missing, or one too many, at node z = x @ w: "
        "with G = dloss/dz it adds G @ w^T"
    )


def test_transpose_of_what_one_use_adds():
    x = Value([[1.0, 2.0], [4.0, 8.0]], label="x")
    loss = named((x * x).sum() + (x @ np.array([[1.0, 3.0], [0.5, 2.0]])).sum(), "L")
    turned = np.array([[4.0, 4.0], [2.5, 2.5]])
    text = message(loss, {"x": 2 * x.data + turned}, "x")
    assert text.startswith("a transpose is missing, or one too many, at node")


@pytest.mark.parametrize(
    ("shape", "write"),
    [
        ((3,), "over axis 0: write .sum(axis=0)"),
        ((1, 3), "over axis 0: write .sum(axis=0, keepdims=True)"),
        ((4, 1), "over axis 1: write .sum(axis=1, keepdims=True)"),
        ((1,), "over axes (0, 1): write .sum(axis=(0, 1))"),
        ((), "over axes (0, 1): write .sum()"),
    ],
)
def test_broadcast(shape, write):
    rng = np.random.default_rng(0)
    x, b = Value(rng.normal(size=(4, 3))), Value(rng.normal(size=shape), label="b")
    s = named(x + b, "s")
    loss = named(np.sum(s * s), "L")
    assert write in message(loss, {"b": 2 * s.data}, "b")


def test_broadcast_further_up():
    rng = np.random.default_rng(0)
    x, b = Value(rng.normal(size=(4, 3))), Value(rng.normal(size=3), label="b")
    t = named(np.tanh(b), "t")
    s = named(x * t, "s")
    loss = named(np.sum(s * s), "L")
    loss.backward()
    unsummed = s.grad * x.data
    given = {"t": unsummed, "b": unsummed * (1 - t.data**2)}
    comparison = compare_gradients(loss, given)
    assert [j.verdict for j in comparison] == ["broadcast", "follows"]
    assert message(loss, {"b": given["b"]}, "b") == (
        "further up, in dL/dt: the broadcast at node s is not summed back over axis 0: write "
        ".sum(axis=0); you gave shape (4, 3), it has shape (3,)"
    ).replace("node s", "node s = x1 * t")


def test_unexplained():
    loss, *_ = lesson()
    assert message(loss, {"a": 21.0 * 1.25}, "a") == (
        "dL/da is off by more than rounding; which mistake gives this is not known: "
        "you gave 26.25, it is 21; it is 1.25 times what it should be"
    )
    assert str(compare_gradients(loss, {"a": 26.25, "c": 5.0})).splitlines()[-3:] == [
        "    dL/dd through L: dL/dL * c; with 1 it adds 6",
        "    dL/da through d: dL/dd * 1; with 6 it adds 6",
        "    dL/da through c: dL/dc * b; with 5 it adds 15",
    ]
    v = network()
    wrong = np.array(v["w"].grad)
    wrong[1, 2] += 1.0
    assert "the largest difference is in element (1, 2)" in message(v["loss"], {"w": wrong}, "w")


def test_unexplained_mistakes_are_gone_on_from():
    loss, _, _, c, _ = lesson()
    comparison = compare_gradients(loss, {"c": 7.7, "a": 7.7 * 3.0 + 6.0})
    assert [j.verdict for j in comparison] == ["unexplained", "follows"]
    assert comparison["a"].causes == (c,)
    assert comparison["a"].message == "dL/da follows from the mistake in dL/dc; this step is right"


def test_two_mistakes_in_two_places():
    loss, *_, d = lesson()
    comparison = compare_gradients(loss, {"c": -5.0, "a": -15.0 - 6.0, "b": 16.0, "d": 6.0})
    assert comparison["c"].verdict == "sign"
    assert comparison["a"].verdict == "sign"
    assert comparison["a"].mistake.edges[0].user is d
    assert comparison["b"].is_right
    assert comparison["d"].is_right


def test_a_mistake_made_with_right_gradients_in_spite_of_what_was_given():
    loss, *_ = lesson()
    comparison = compare_gradients(loss, {"c": 7.7, "a": 6.0 - 15.0})
    assert [j.verdict for j in comparison] == ["unexplained", "sign"]
    assert comparison["a"].message.startswith("the path through c has the wrong sign; it adds 15")


def test_what_follows_is_said_once():
    v = network()
    h, slope = v["h"].grad, 1 - v["h"].data ** 2
    s = -h * slope
    given = {"h": h, "s": s, "z": s, "w": v["x"].data.T @ s, "b": s.sum(0)}
    comparison = compare_gradients(v["loss"], given)
    assert [j.verdict for j in comparison] == ["right", "sign", *["follows"] * 3]
    text = str(comparison)
    assert text.count("\n") == 2
    assert text.endswith("  ↳ everything below follows from this: z, b and w")
    assert text == repr(comparison)


def test_the_single_cause_of_several_wrong_gradients():
    v = network()
    given = {name: -v[name].grad for name in ("w", "b")}
    comparison = compare_gradients(v["loss"], given)
    assert [j.verdict for j in comparison] == ["sign", "follows"]
    assert comparison["b"].message.startswith("further up: ")


# The report


def test_report():
    loss, a, b, *_ = lesson()
    comparison = compare_gradients(loss, {"a": 6.0, b: 16.0})
    assert len(comparison) == 2
    assert [j.name for j in comparison] == ["b", "a"]
    assert not comparison.all_right
    assert comparison[a] is comparison["a"] is comparison[1]
    assert str(comparison[b]) == "✓ b: dL/db is right"
    with pytest.raises(KeyError):
        comparison["c"]
    assert compare_gradients(loss, {"a": 21.0}).all_right


def test_no_gradients():
    loss, *_ = lesson()
    comparison = compare_gradients(loss, {})
    assert comparison.all_right
    assert str(comparison) == "no gradients given"


def test_notebooks_get_a_table_in_which_labels_are_no_markup():
    a = Value(2.0, label="<script>alert(1)</script>")
    t = named(a * a, "t&t")
    loss = named(t * 3.0, "L")
    page = compare_gradients(loss, {a: 24.0, t: 6.0})._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "t&amp;t" in page
    assert "everything below follows from this" in page
    cells = re.findall(r"<t[hd]\b[^>]*>", page)
    assert [cell for cell in cells if "left" not in cell] == ["<td>", "<td>"]  # the marks


def test_values_without_labels_get_names():
    x, y = Value(2.0), Value(5.0)
    assert str(compare_gradients(x * y, {x: -5.0})) == (
        "✗ x1: dt1/dx1 is off by a sign; you gave -5, it is 5"
    )


def test_gradients_are_left_alone():
    loss, a, *_ = lesson()
    compare_gradients(loss, {"a": 15.0})
    assert not a.has_grad
    with no_grad():
        assert not compare_gradients(loss, {"a": 15.0}).all_right


# What may be given


def test_the_output_itself_and_one_number_for_all_elements():
    loss, *_ = lesson()
    assert compare_gradients(loss, {"L": 1.0}).all_right
    assert compare_gradients(loss, {"L": -1.0})["L"].verdict == "sign"
    assert compare_gradients(loss, {"L": 0.0})["L"].verdict == "unexplained"
    x = Value([1.0, 2.0], label="x")
    assert compare_gradients(x.sum(), {"x": 1.0}).all_right
    assert compare_gradients(x.sum(), {"x": Value([1.0, 1.0])}).all_right
    assert compare_gradients((x * x)[:1], {"x": [2, 0]}).all_right


def test_values_that_no_derivative_reaches():
    x = Value(1.2, label="x")
    loss = named(np.sign(x) + 3.0, "L")
    assert compare_gradients(loss, {"x": 0.0}).all_right
    assert compare_gradients(loss, {"x": 1.7})["x"].verdict == "unexplained"
    assert message(loss, {"x": 1.0}, "x").startswith("the gradient dL/dt1 stands where dL/dx")


def test_empty_arrays():
    x = Value(np.zeros((0, 3)), label="x")
    assert compare_gradients((x * x).sum(), {"x": np.zeros((0, 3))}).all_right


def test_float32():
    rng = np.random.default_rng(0)
    x = Value(rng.normal(size=(64, 8)).astype(np.float32))
    w = Value(rng.normal(size=(8, 8)).astype(np.float32), label="w")
    h = np.tanh(x @ w)
    loss = (h * h).mean()
    loss.backward()
    exact = np.asarray(x.data, np.float64).T @ (
        2 * np.tanh(np.float64(x.data) @ w.data) * (1 - np.float64(h.data) ** 2) / 512
    )
    assert compare_gradients(loss, {w: exact}).all_right
    assert compare_gradients(loss, {w: np.float32(-exact)})[w].verdict == "sign"
    assert compare_gradients(loss, {w: 512 * exact})[w].verdict == "mean and sum"


def test_tolerance():
    loss, *_ = lesson()
    assert not compare_gradients(loss, {"a": 21.0123456}).all_right
    assert compare_gradients(loss, {"a": 21.0123456}, rtol=1e-3).all_right
    assert not compare_gradients(loss, {"a": 21.000012345}, rtol=1e-9).all_right


def test_infinite_and_undefined_gradients():
    x = Value(0.0, label="x")
    with np.errstate(all="ignore"):
        loss = named(np.sqrt(x), "L")
        bad = named(loss - np.log(x), "bad")
    assert compare_gradients(loss, {"x": np.inf}).all_right
    judgement = compare_gradients(loss, {"x": 1.0})["x"]
    assert judgement.verdict == "undefined"
    assert "dL/dx is itself inf" in judgement.message
    judgement = compare_gradients(bad, {"x": 1.0})["x"]
    assert "dbad/dx is itself nan; diagnose(output) finds where that begins" in judgement.message
    assert compare_gradients(Value(1.0, label="y") * 2.0, {"y": np.inf})[0].verdict == "unexplained"


@pytest.mark.parametrize("constant", [np.inf, -np.inf, np.nan, 1e300, 0.0, -2.0, 2.5])
@pytest.mark.parametrize("operation", [np.divide, np.multiply])
def test_odd_constants_are_no_means(operation, constant):
    x, y = Value(1.0, label="x"), Value(2.0, label="y")
    with np.errstate(all="ignore"):
        loss = operation(x * x + y, constant)
    verdict = compare_gradients(loss, {"x": 12.345})["x"].verdict
    assert verdict in ("unexplained", "undefined", "missing path")


def test_large_graphs_are_searched_in_time_from_both_ends():
    x = Value(0.5, label="x")
    t = x
    for _ in range(1000):
        t = t * 1.0001 + x * 1e-3
    loss = named(t * (1 / 7), "L")
    loss.backward()
    assert compare_gradients(loss, {"x": x.grad}).all_right
    assert compare_gradients(loss, {"x": -x.grad})["x"].verdict == "sign"
    assert compare_gradients(loss, {"x": 7 * x.grad})["x"].verdict == "missing factor"


# What cannot be


def test_output_must_be_one_number_with_a_graph():
    with pytest.raises(DataError, match=r"only a Value records how it was computed"):
        compare_gradients(3.0, {})
    x = Value([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"compare_gradients\(output.sum\(\), "):
        compare_gradients(x * x, {x: [2.0, 4.0]})


def test_gradients_must_be_told_apart():
    loss, a, *_ = lesson()
    with pytest.raises(OptionError, match="each gradient needs the value that it belongs to"):
        compare_gradients(loss, [1.0])
    with pytest.raises(OptionError, match=r"'w'\n.* no value .* it has a, b, c, d and L"):
        compare_gradients(loss, {"w": 1.0})
    with pytest.raises(OptionError, match="no value of the graph has that label; it has none"):
        compare_gradients(Value(1.0) * 2.0, {"w": 1.0})
    with pytest.raises(OptionError, match=r"two gradients for a = 2\n.*one value has one gradient"):
        compare_gradients(loss, {"a": 1.0, a: 1.0})


def test_values_must_be_in_the_graph():
    loss, *_ = lesson()
    with pytest.raises(OptionError, match=r"a Value = 1\n.*was not computed from this Value"):
        compare_gradients(loss, {Value(1.0): 1.0})
    with pytest.raises(OptionError, match=r"w of shape \(2,\)"):
        compare_gradients(loss, {Value([1.0, 2.0], label="w"): 1.0})


def test_labels_must_be_unique():
    x, y = Value(1.0, label="w"), Value(2.0, label="w")
    with pytest.raises(OptionError, match=r"2 values of the graph have that label"):
        compare_gradients(x * y, {"w": 1.0})
    assert compare_gradients(x * y, {x: 2.0, y: 1.0}).all_right


def test_nan_and_text_are_no_gradients():
    loss, *_ = lesson()
    with pytest.raises(DataError, match="a gradient for 'a' with NaN"):
        compare_gradients(loss, {"a": np.nan})
    with pytest.raises(DataError, match="numbers"):
        compare_gradients(loss, {"a": "21"})


def test_a_wrong_shape_is_a_verdict_and_all_others_are_judged():
    v = network()
    given = {"w": np.ones((2, 5)), "b": -v["b"].grad, "s": -v["s"].grad, "x": np.ones((3, 3, 1))}
    comparison = compare_gradients(v["loss"], given)
    assert [j.verdict for j in comparison] == ["sign", "follows", "wrong shape", "wrong shape"]
    assert comparison["w"].message == (
        "dloss/dw has shape (3, 3), one number for each of its value; you gave shape (2, 5): "
        "2 instead of 3 in axis 0 and 5 instead of 3 in axis 1"
    )
    assert comparison["x"].message.endswith("you gave shape (3, 3, 1): 3 axes instead of 2")


@pytest.mark.parametrize("rtol", [0, -1e-3, 1.0, float("nan")])
def test_tolerance_is_a_share(rtol):
    loss, *_ = lesson()
    with pytest.raises(OptionError, match="it is a share of a gradient"):
        compare_gradients(loss, {"a": 21.0}, rtol=rtol)


class TestLargeGraphs:
    """The time for a graph twice as long is about twice as long; calls are counted, not seconds."""

    def chain(self, steps):
        x, w = Value(0.5, label="x"), Value(1.0, label="w")
        y = x
        for _ in range(steps):
            y = y * w
        return y, {"x": -1.0, "w": 3.0}

    def of_functions(self, steps):
        y = Value(0.1, label="x")
        for _ in range(steps):
            y = np.tanh(y)
        return y, {"x": 2.0}

    def of_arrays(self, steps):
        y = Value([1.0, 2.0], label="x")
        for _ in range(steps):
            y = y * 1.5
        return y.sum(), {"x": [2.0, 3.0]}

    def of_labels(self, steps):
        values = [Value(float(i), label=f"x{i}") for i in range(steps)]
        return sum(values[1:], values[0]), {f"x{i}": 1.0 for i in range(steps)}

    def of_one_sum(self, steps):
        w = Value(2.0, label="w")
        return sum([w * float(i) for i in range(steps)]), {"w": 1.0}

    @pytest.mark.parametrize(
        "kind", ["chain", "of_functions", "of_arrays", "of_labels", "of_one_sum"]
    )
    def test_take_linear_time(self, kind, monkeypatch):
        monkeypatch.setattr("autograd_core.comparison.mistakes.STEPS", 2_000)
        short, long = (self.calls(*getattr(self, kind)(steps)) for steps in (400, 1_600))
        assert long < 6 * short

    def test_take_linear_memory(self):
        short, long = (
            sum(len(mistake.edges) for mistake in mistakes_at(work, work.order[0]))
            for work in (BackwardPass(self.of_one_sum(steps)[0]) for steps in (400, 1_600))
        )
        assert short > 400
        assert long < 6 * short

    def calls(self, output, gradients):
        """Return how often a function is called."""
        count = 0

        def note(frame, event, argument):
            nonlocal count
            count += 1

        sys.setprofile(note)
        try:
            compare_gradients(output, gradients)
        finally:
            sys.setprofile(None)
        return count

    def test_have_no_limit_of_recursion(self):
        y, gradients = self.chain(20_000)
        found = compare_gradients(y, {"x": gradients["x"]})
        assert [each.verdict for each in found] == ["sign"]


def test_own_primitives_are_not_taken_for_those_of_their_names():
    w, x = Value(1.7, label="w"), Value([1.0, 2.0, 4.0], label="x")
    product = Primitive("power", lambda x, y: 2 * x * y, lambda g, out, x, y: 2 * g * y, None)
    assert compare_gradients(product(w, 3.0), {w: 2.0})[0].verdict == "unexplained"
    assert compare_gradients(w**3, {w: 2.89})[0].verdict == "factor of a power"
    total = Primitive("sum", lambda x: 6 * np.sum(x), lambda g, out, x: 6 * g * np.ones(3))
    assert compare_gradients(total(x), {x: np.full(3, 2.0)})[0].verdict == "unexplained"
    assert compare_gradients(6 * np.sum(x), {x: np.full(3, 2.0)})[0].verdict == "mean and sum"


def test_derivatives_read_off_wrongly_are_named_for_operations_with_options_too():
    scaled = Primitive(
        "scaled",
        lambda x, *, k: np.sin(k * x),
        lambda g, out, x, *, k: g * k * np.cos(k * x),
    )
    mixed = Primitive(
        "mixed",
        lambda x, y, *, k: k * x * x * y,
        lambda g, out, x, y, *, k: g * 2 * k * x * y,
        lambda g, out, x, y, *, k: g * k * x * x,
    )
    x = Value(0.7, label="x")
    y = scaled(x, k=2.0)
    sinc = np.sinc(x)
    at_output = (np.cos(np.pi * sinc.data) - np.sinc(sinc.data)) / sinc.data
    for out, wrong, verdict in (
        (y, y.data, "output for derivative"),
        (y, x.data, "input for derivative"),
        (y, 2.0 * np.cos(2.0 * y.data), "output for input"),
        (sinc, at_output, "output for input"),
        (mixed(x, Value(3.0), k=5.0), 5.0 * 0.7 * 0.7, "wrong derivative"),
    ):
        assert compare_gradients(out * 3.0, {"x": 3.0 * wrong})["x"].verdict == verdict
