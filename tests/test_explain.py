"""explain: the table, the sums by path, the formulas; against the engine's own numbers."""

import math
import re

import latex_reader
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core
from autograd_core import (
    AnomalyError,
    DataError,
    OptionError,
    ShapeError,
    Value,
    detect_anomaly,
    no_grad,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from autograd_core.explanation.explain import explain
from autograd_core.explanation.notation import Notation, latex_symbol
from autograd_core.graph import topological_order


def labelled(label, value):
    value.label = label
    return value


@pytest.fixture
def lecture():
    """The graph of the lecture's drawing: L = (a * b + c) * f."""
    a, b, c, f = [
        Value(x, label) for x, label in [(2.0, "a"), (-3.0, "b"), (10.0, "c"), (-2.0, "f")]
    ]
    e = labelled("e", a * b)
    d = labelled("d", e + c)
    return labelled("L", d * f)


@pytest.fixture
def diamond():
    """A value that takes two ways to the output: d = b * c, b = 3 * a, c = a * a."""
    a = Value(2.0, label="a")
    b, c = labelled("b", a * 3), labelled("c", np.exp(a))
    return labelled("d", b * 2 - c), a


class TestTable:
    def test_the_lectures_graph(self, lecture):
        assert str(explain(lecture)) == "\n".join(
            [
                "The gradient of L = -8, from the output back",
                "",
                "node            input  derivative  number  incoming  contribution  sum so far",
                "L = d * f = -8  d      f               -2         1            -2  dL/dd = -2",
                "                f      d                4         1             4  dL/df = 4",
                "d = e + c = 4   e      1                1        -2            -2  dL/de = -2",
                "                c      1                1        -2            -2  dL/dc = -2",
                "e = a * b = -6  a      b               -3        -2             6  dL/da = 6",
                "                b      a                2        -2            -4  dL/db = -4",
                "",
                "dL/da = 6, through e",
                "dL/db = -4, through e",
                "dL/dc = -2, through d",
                "dL/df = 4, through L",
            ]
        )

    def test_it_prints_as_it_shows_itself(self, lecture):
        explanation = explain(lecture)
        assert repr(explanation) == str(explanation)

    def test_no_gradient_is_written_on_a_value(self, lecture):
        leaves = [node for node in topological_order(lecture) if not node.inputs]
        leaves[0].grad = 7.0
        str(explain(lecture)), explain(lecture).latex()
        assert leaves[0].grad == 7.0
        assert not any(node.has_grad for node in topological_order(lecture)[1:])

    def test_numbers_are_the_sweeps_to_the_bit(self):
        a, b = Value(0.3, label="a"), Value(-1.7, label="b")
        c = np.tanh(a * b + b**3) / (a + 0.1) + np.sin(a) * a
        explanation = explain(c, limit=None)
        c.backward()
        totals = {row.input: row.total for row in explanation.rows}
        assert (totals["a"], totals["b"]) == (a.grad, b.grad)
        for row in explanation.rows:
            assert row.contribution == row.incoming * row.local
        for node, gradient in explanation.gradients.items():
            assert gradient == node.grad

    def test_only_the_ways_to_what_is_asked_for(self, lecture):
        rows = explain(lecture, wrt="b").rows
        assert [(row.node, row.input) for row in rows] == [("L", "d"), ("d", "e"), ("e", "b")]

    def test_a_computed_value_can_be_asked_for(self, lecture):
        assert str(explain(lecture, wrt="e")).endswith("dL/de = -2, through d")
        assert len(explain(lecture, wrt="e").rows) == 2

    def test_several_can_be_asked_for(self, lecture):
        leaves = [node for node in topological_order(lecture) if not node.inputs]
        explanation = explain(lecture, wrt=[leaves[2], "f", "f"])
        assert [each.name for each in explanation.sums] == ["c", "f"]

    def test_a_value_that_no_derivative_reaches(self):
        a = Value(2.5, label="a")
        out = np.floor(a * 2) * 3 + a
        text = str(explain(out, wrt="a"))
        assert text.endswith("dt4/da = 1 = 1 through t4 + 0 through t1")
        assert re.search(r"t2 = floor\(t1\) = 5 +t1 +0 +0 +3 +0 +dt4/dt1 = 0", text)

    def test_one_node(self):
        assert str(explain(Value(3.0))) == (
            "The gradient of x1 = 3, from the output back\n\n"
            "dx1/dx1 = 1, where the backward pass begins"
        )
        assert explain(Value(3.0, label="x"), wrt="x").latex() == (
            "\\begin{aligned}\n\\frac{\\partial x}{\\partial x} &= 1\n\\end{aligned}"
        )

    def test_the_output_itself_can_be_asked_for(self, lecture):
        assert str(explain(lecture, wrt=lecture)).endswith(
            "dL/dL = 1, where the backward pass begins"
        )

    def test_nan_and_inf_are_shown_and_silent(self):
        a = Value(0.0, label="a")
        with np.errstate(all="ignore"):
            out = np.log(a) * 0.0 + np.sqrt(a)
        text = str(explain(out))
        assert "t1 = log(a) = -inf" in text
        assert re.search(r" 1 / a +inf +0 +0 ", text)
        assert "dt4/da = inf = inf through t3 + 0 through t1" in text
        assert "t2 = t1 * 0 = nan" in text
        assert r"\frac{1}{2 \, t_{3}}" in explain(out, wrt="a").latex()

    def test_a_mask_is_explained(self):
        assert str(explain(relu(Value(1.0)))).endswith("(x > y): 1 where it holds, 0 elsewhere")

    def test_long_expressions_are_cut(self):
        a = Value(1.0, label="a" * 100)
        assert max(map(len, str(explain(a * a)).splitlines())) < 500

    def test_inside_no_grad_and_detect_anomaly(self, lecture):
        expected = str(explain(lecture))
        with no_grad(), detect_anomaly():
            assert str(explain(lecture)) == expected

    def test_an_anomaly_is_found_here_too(self):
        out = np.sqrt(Value(0.0))
        with detect_anomaly(), pytest.raises(AnomalyError, match="derivative of sqrt of 0"):
            explain(out)


class TestSums:
    def test_by_the_nodes_that_a_gradient_comes_through(self, diamond):
        out, a = diamond
        [line] = str(explain(out, wrt=a)).splitlines()[-1:]
        assert line == "dd/da = -1.38906 = -7.38906 through c + 6 through b"

    def test_parts_add_up_to_the_gradient(self, diamond):
        out, a = diamond
        [found] = explain(out, wrt=a).sums
        out.backward()
        assert sum(part for _, part in found.parts) == found.gradient == a.grad

    def test_the_issues_own_example(self):
        a = Value(1.0, label="a")
        b, c = labelled("b", a * 2), labelled("c", a * 4)
        d = labelled("d", (b + c) * 2)
        line = str(explain(d, wrt="a")).splitlines()[-1]
        assert line == "dd/da = 12 = 8 through c + 4 through b"

    def test_parallel_edges(self):
        a = Value(3.0, label="a")
        line = str(explain(a * a)).splitlines()[-1]
        assert line == "dt1/da = 6 = 3 through t1 (input 1) + 3 through t1 (input 2)"

    def test_many_ways_are_summed_up_exactly(self):
        a = Value(2.0, label="a")
        out = sum(a * (k + 1) * (-1) ** k for k in range(10))
        [found] = explain(out, wrt=a).sums
        assert len(found.parts) == 10
        assert sum(part for _, part in found.parts) == found.gradient == -5
        line = str(explain(out, wrt=a)).splitlines()[-1]
        assert line.startswith("dt30/da = -5 = -10 through ")
        assert line.count("through") == 7
        assert line.endswith(" through 4 others")
        numbers = [float(n.replace(" ", "")) for n in re.findall(r"([-+]? ?\d+) through", line)]
        assert sum(numbers) == -5

    def test_only_some_inputs_are_listed_unless_asked_for(self):
        out = sum(Value(float(k)) for k in range(30))
        lines = str(explain(out)).splitlines()
        assert lines[-1] == "... and 10 more inputs: wrt= shows any value"
        assert str(explain(out, wrt="x30")).endswith("dt30/dx30 = 1, through t30")


class TestArrays:
    def network(self):
        X = Value(np.arange(15.0).reshape(5, 3) / 10, label="X")
        W = Value(np.ones((3, 4)), label="W")  # noqa: N806
        b = Value(np.zeros(4), label="b")
        H = labelled("H", np.tanh(X @ W + b))  # noqa: N806
        return labelled("L", (H**2).sum() + (W * W).sum())

    def test_shapes_norms_and_matrix_calculus(self):
        text = str(explain(self.network()))
        assert re.search(r"t1 = X @ W = \(5, 4\) norm [\d.]+ +X +G @ W\^T +\(5, 4\) norm", text)
        assert re.search(r"\n +W +X\^T @ G +\(5, 4\) norm .* dL/dW = \(3, 4\) norm", text)
        assert re.search(r"\n +b +1, summed over axis 0 +1 ", text)
        assert "G spread over shape (5, 4)" in text
        assert re.search(r"\ndL/dW = \(3, 4\) norm [\d.]+, the sum of norm [\d.]+ through t", text)
        assert text.endswith("G: the incoming gradient, where the derivative is not a factor")

    def test_the_numbers_are_the_engines(self):
        out = self.network()
        explanation = explain(out)
        out.backward()
        for row in explanation.rows:
            if row.local is not None and np.shape(row.contribution) == np.shape(row.local):
                np.testing.assert_allclose(row.contribution, row.incoming * row.local)
        for node, gradient in explanation.gradients.items():
            np.testing.assert_array_equal(gradient, node.grad)

    def test_formulas(self):
        told = explain(self.network(), wrt=["W", "b", "X"]).equations()
        write = Notation()
        assert [f"{write(left)} = {write(right)}" for left, right in told] == [
            "t2 = X @ W + b",
            "H = tanh(t2)",
            "L = sum(H^2) + sum(W^2)",
            "dL/dt2 = 2 * H * (1 - H^2)",
            "dL/db = sum(dL/dt2, axis=0)",
            "dL/dW = 2 * W + X^T @ dL/dt2",
            "dL/dX = dL/dt2 @ W^T",
        ]

    def test_latex(self):
        lines = explain(self.network(), wrt="W").latex().splitlines()
        assert lines[-2] == (
            r"\frac{\partial L}{\partial W} &= 2 \, W + {X}^{\top} \, "
            r"\left(2 \, H \odot \left(1 - {H}^{\circ 2}\right)\right)"
        )

    def test_an_output_of_many_numbers_needs_weights(self):
        x = Value([1.0, 2.0], label="x")
        with pytest.raises(ShapeError, match=r"(?s)explain of an output of shape \(2,\) without"):
            explain(x * x)
        with pytest.raises(ShapeError, match=r"a gradient of shape \(3,\)"):
            explain(x * x, gradient=[1, 2, 3])
        explanation = explain(x * x * 3, gradient=[1.0, 10.0])
        np.testing.assert_array_equal(explanation.sums[0].gradient, [6.0, 120.0])
        assert r"&= 6 \, \text{weights} \odot x" not in explanation.latex()
        assert r"6 \, \mathrm{weights} \odot x" in explanation.latex()

    def test_weights_have_a_name_of_their_own(self):
        x = Value([1.0, 2.0], label="weights")
        assert r"\text{given weights}" in explain(x * x, gradient=x).latex()

    def test_an_output_of_one_number_needs_none(self):
        x = Value([[3.0]], label="x")
        assert explain(x * x).sums[0].gradient == 6.0

    def test_many_parts(self):
        W = Value(np.ones((2, 2)), label="W")  # noqa: N806
        out = sum((W * k).sum() for k in range(8))
        assert str(explain(out, wrt=W)).endswith("2 more\nG: the incoming gradient, where the "
                                                 "derivative is not a factor")  # fmt: skip

    def test_empty_arrays(self):
        x = Value(np.zeros((0, 3)), label="x")
        assert "t1 = x * 2 = (0, 3) norm 0" in str(explain((x * 2).sum()))

    def test_softmax(self):
        x = Value([[1.0, 2.0]], label="x")
        p = labelled("p", softmax(x))
        assert "p * (G - sum(G * p, axis=-1, keepdims=True)" in str(explain(p[0, 0]))


def spread(x, shape):
    """Give an array new axes of length 1 where it lacks one of `shape`, and repeat along them."""
    index = []
    left = list(np.shape(x))
    for n in shape:
        index.append(slice(None) if left and left[0] == n else None)
        if left and left[0] in (1, n):
            index[-1] = slice(None)
            left.pop(0)
    return np.broadcast_to(np.asarray(x)[tuple(index)], shape)


def put_back(x, index, shape):
    out = np.zeros(shape)
    np.add.at(out, index, x)
    return out


NUMPYS = ["sum", "broadcast_to", "outer", "tanh", "sin", "cos", "log", "exp"]
READ = {name: getattr(np, name) for name in NUMPYS}
READ |= {
    "np": np,
    "spread": spread,
    "put_back": put_back,
    "sigmoid": sigmoid,
    "array": lambda *shape: np.ones(shape),
    "reshape": lambda x, shape: np.asarray(x).reshape(shape),  # np.reshape(x, shape=...) is of 2.1
}


def evaluate(equations, inputs):
    """Return the arrays that equations name, read as text by Python itself."""
    write = Notation(digits=17)
    values = dict(inputs)
    for left, right in equations:
        text = re.sub(r"d(\w+)/d(\w+)", r"d_\1_\2", write(right))
        text = text.replace("^T", ".T").replace("^", "**").replace("index=[", "index=np.s_[")
        name = re.sub(r"d(\w+)/d(\w+)", r"d_\1_\2", write(left))
        values[name] = eval(text, READ, values)
    return values


ARRAY_GRAPHS = {
    "perceptron": lambda x, w, b: np.tanh(x @ w + b).sum(),
    "two layers": lambda x, w, b: (np.sin(np.tanh(x @ w + b) @ w.T) ** 2).mean(),
    "rows and columns": lambda x, w, b: ((x @ w).sum(axis=0) * b).sum() + x.sum(axis=1)[2:].mean(),
    "broadcasts": lambda x, w, b: (x * w[:, 0] - x / (2 + b[1])).sum() * 3 + (b * b).sum(),
    "elements": lambda x, w, b: (x[1:, 0] * x[:-1, 1]).sum() + b[np.array([0, 0, 1])].sum() ** 2,
    "vectors": lambda x, w, b: (x @ w[:, 0]) @ (x @ (w @ b)) + (b @ w.T).sum(),
    "other shapes": lambda x, w, b: np.log(2 + (x.reshape(3, 5) @ x) ** 2).sum() + w.T.sum() * b[0],
    "stretched axes": lambda x, w, b: (np.ones((2, 5, 3)) * np.exp(x[:, :1])).sum() * b[0],
    "columns of ones": lambda x, w, b: (sigmoid(x.sum(axis=1, keepdims=True)) * x).sum(),
}


@pytest.mark.parametrize("name", ARRAY_GRAPHS)
def test_formulas_of_arrays_evaluate_to_the_engines_numbers(name):
    rng = np.random.default_rng(4)
    inputs = {"x": rng.normal(size=(5, 3)), "w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    values = [Value(data, label=label) for label, data in inputs.items()]
    out = labelled("L", ARRAY_GRAPHS[name](*values))
    explanation = explain(out)
    found = evaluate(explanation.equations(), inputs)
    assert found["L"] == pytest.approx(out.data)
    for value in explanation.targets:
        gradient = explanation.gradients[value]
        formula = np.broadcast_to(found[f"d_L_{value.label}"], value.shape)
        np.testing.assert_allclose(formula, gradient, rtol=1e-9, atol=1e-12)


class TestLargeGraphs:
    def chain(self, n):
        x = Value(1.0, label="x")
        y = x
        for _ in range(n):
            y = np.tanh(y) * 0.999 + x
        return y, x

    def test_a_table_is_cut_in_the_middle_with_a_note(self):
        out, x = self.chain(1000)
        explanation = explain(out)
        lines = str(explanation).splitlines()
        assert len(explanation.rows) == 60
        assert lines[3 + 30] == (
            "... 3940 of 4000 lines left out: wrt= shows the paths to one value, limit=None all"
        )
        out.backward()
        assert explanation.rows[-1].total == explanation.sums[0].gradient == x.grad
        assert len(explanation.sums[0].parts) == 1001
        assert math.isclose(math.fsum(part for _, part in explanation.sums[0].parts), x.grad)

    @pytest.mark.parametrize(("limit", "shown"), [(1, 1), (2, 2), (7, 7), (12, 12), (99, 12)])
    def test_limits(self, limit, shown):
        out, _ = self.chain(3)
        explanation = explain(out, limit=limit)
        assert len(explanation.rows) == shown
        assert [row.number for row in explanation.rows] == sorted(
            {*range(12)} - {*range(limit - limit // 2, 12 - limit // 2)}
        )
        assert (" lines left out" in str(explanation)) == (shown < 12)

    def test_without_a_limit(self):
        out, _ = self.chain(100)
        assert len(explain(out, limit=None).rows) == 400

    def test_latex_is_cut_in_the_middle_with_a_note(self):
        out, _ = self.chain(300)
        lines = explain(out).latex(limit=10).splitlines()
        assert len(lines) == 13
        assert re.fullmatch(r"& \\vdots \\quad \\text\{\(\d+ lines left out\)\} \\\\", lines[6])

    def test_latex_of_too_much(self):
        out, _ = self.chain(4000)
        with pytest.raises(OptionError, match=r"(?s)computed from 12001 nodes.*explain\(part\)"):
            explain(out).latex()


class TestNotebooks:
    HOSTILE = "<script>alert('x')</script>\n\"&|\\{}"

    def test_a_table(self, lecture):
        html = explain(lecture)._repr_html_()
        assert html.count("<tr>") == 7
        assert html.count("<th ") == 7
        assert "<td" in html
        assert "<li>dL/da = 6, through e</li>" in html

    def test_labels_are_never_markup(self):
        a = Value(2.0, label=self.HOSTILE)
        html = explain(labelled(self.HOSTILE, a * a))._repr_html_()
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "<b>The gradient of" in html

    def test_a_cut_table_says_so(self):
        x = Value(1.0)
        assert "1 of 2 lines left out" in explain(x * 2 + 1, limit=1)._repr_html_()

    def test_labels_stay_in_their_cell(self):
        a = Value(2.0, label=self.HOSTILE)
        assert len(str(explain(a * 3)).splitlines()) == 6


class TestErrors:
    def test_no_value(self):
        with pytest.raises(DataError, match=r"(?s)explain of 3.0.*only a Value records"):
            explain(3.0)

    @pytest.mark.parametrize("wrt", [Value(1.0, label="q"), "q", ["a", "q"]])
    def test_a_value_of_another_graph(self, lecture, wrt):
        with pytest.raises(
            OptionError, match=r"(?s)q'?\n.*not computed from it.*a, b, c, f, e, d, L"
        ):
            explain(lecture, wrt=wrt)

    def test_wrt_of_another_kind(self, lecture):
        with pytest.raises(OptionError, match="wrt = 3"):
            explain(lecture, wrt=3)

    @pytest.mark.parametrize("limit", [0, -1, 2.5, "all"])
    def test_limits(self, lecture, limit):
        with pytest.raises(OptionError, match="limit = "):
            explain(lecture, limit=limit)


class TestLatex:
    def test_the_lectures_graph(self, lecture):
        assert explain(lecture).latex().splitlines() == [
            r"\begin{aligned}",
            r"e &= a \, b \\",
            r"d &= e + c \\",
            r"L &= d \, f \\",
            r"\frac{\partial L}{\partial f} &= d \\",
            r"\frac{\partial L}{\partial c} &= f \\",
            r"\frac{\partial L}{\partial b} &= f \, a \\",
            r"\frac{\partial L}{\partial a} &= f \, b",
            r"\end{aligned}",
        ]

    def test_what_is_shared_has_a_name(self):
        x, w, b = [Value(0.5 + i, label=name) for i, name in enumerate("xwb")]
        told = explain(np.tanh(x * w + b)).equations()
        write = Notation()
        assert [f"{write(left)} = {write(right)}" for left, right in told] == [
            "t2 = x * w + b",
            "t3 = tanh(t2)",
            "dt3/dt2 = 1 - t3^2",
            "dt3/db = dt3/dt2",
            "dt3/dw = dt3/dt2 * x",
            "dt3/dx = dt3/dt2 * w",
        ]

    def test_what_is_computed_twice_is_told_once(self):
        x = Value(0.5, label="x")
        lines = explain(np.sin(x * x) + x * x * 3).latex().splitlines()
        assert sum("x}^{2}" in line for line in lines) == 1

    def test_only_what_is_asked_for(self, lecture):
        assert explain(lecture, wrt="c").latex().count("partial L") == 1

    def test_a_gradient_of_zero(self):
        x = Value(0.5, label="x")
        assert explain(np.floor(x) * 2).latex().splitlines()[-2].endswith("&= 0")
        assert explain(np.floor(x * x) * 2, wrt="x").latex().splitlines()[-2].endswith("&= 0")

    def test_digits(self):
        x = Value(0.5, label="x")
        assert "2 \\, x + 0.333\n" in explain(x / 3 + x * x).latex(digits=3)


# Functions of numbers, smooth or stepwise, and defined everywhere
ONE = {
    "negative": lambda x: -x,
    "identity": lambda x: x * 1.0 + 0.0,
    "number minus": lambda x: 1.5 - x,
    "times number": lambda x: -0.75 * x,
    "over number": lambda x: x / 3,
    "number over": lambda x: 2 / (1 + x * x),
    "square": np.square,
    "cube": lambda x: x**3,
    "reciprocal": lambda x: (1.25 + x * x) ** -1,
    "sqrt": lambda x: np.sqrt(1 + x**2),
    "cbrt": lambda x: np.cbrt(1 + x**2),
    "number to the power": lambda x: 1.5 ** np.sin(x),
    "exp": lambda x: np.exp(-x * x),
    "exp2": lambda x: np.exp2(np.cos(x)),
    "expm1": lambda x: np.expm1(np.tanh(x)),
    "log": lambda x: np.log(1 + x * x),
    "log1p": lambda x: np.log1p(x * x),
    "log2": lambda x: np.log2(2 + np.sin(x)),
    "log10": lambda x: np.log10(2 + np.sin(x)),
    "sin": np.sin,
    "cos": np.cos,
    "tan": lambda x: np.tan(np.tanh(x)),
    "arcsin": lambda x: np.arcsin(0.9 * np.sin(x)),
    "arccos": lambda x: np.arccos(0.9 * np.sin(x)),
    "arctan": np.arctan,
    "sinh": lambda x: np.sinh(np.tanh(x)),
    "cosh": lambda x: np.cosh(np.tanh(x)),
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "arccosh": lambda x: np.arccosh(1.5 + x * x),
    "arctanh": lambda x: np.arctanh(0.9 * np.sin(x)),
    "deg2rad": np.deg2rad,
    "rad2deg": lambda x: np.rad2deg(x) / 60,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "relu": relu,
    "absolute": abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "masked logarithm": lambda x: np.where(x > 0, np.log(1 + abs(x)), 0.0),
}
TWO = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / (1 + y * y),
    "power": lambda x, y: (1 + x * x) ** np.tanh(y),
    "mod": lambda x, y: np.mod(x, 1 + y * y),
    "hypot": lambda x, y: np.hypot(x, 1 + y),
    "arctan2": lambda x, y: np.arctan2(x, 1 + y * y),
    "logaddexp": np.logaddexp,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": lambda x, y: np.where(autograd_core.primitives.elementwise.greater(x, y), x * y, y),
}
STEPS = st.lists(
    st.tuples(st.sampled_from([*ONE, *TWO]), st.integers(0, 99), st.integers(0, 99), st.booleans()),
    min_size=1,
    max_size=9,
)
NUMBERS = st.lists(st.integers(-199, 199).map(lambda n: (n + 0.5) / 100), min_size=1, max_size=3)


def build(numbers, steps):
    """Return the result of steps, each a function of earlier results, some of them labelled."""
    values = [Value(x, label=f"x{i}") for i, x in enumerate(numbers)]
    for k, (name, i, j, is_labelled) in enumerate(steps):
        operands = [values[-1 - i % len(values)], values[-1 - j % len(values)]]
        out = ONE[name](operands[0]) if name in ONE else TWO[name](*operands)
        if abs(out.data) > 100:
            out = np.tanh(out)
        if is_labelled and out.label is None:
            out.label = f"h{k}"
        values.append(out)
    return values[-1] + 0.5 * values[0]


def check(latex, explanation):
    """Hold what LaTeX says against the engine's data and gradients."""
    inputs = {
        latex_symbol(explanation.names[node]): node.data
        for node in explanation.names
        if not node.inputs
    }
    with np.errstate(all="ignore"):
        values = latex_reader.evaluate(latex, inputs)
    top = latex_symbol(explanation.name)
    checked = 0
    for node, name in explanation.names.items():
        symbol = latex_symbol(name)
        if symbol in values:
            assert values[symbol] == pytest.approx(node.data, rel=1e-6, abs=1e-9)
        derivative = rf"\frac{{\partial {top}}}{{\partial {symbol}}}"
        if derivative in values:
            gradient = explanation.gradients.get(node, 0.0)
            assert values[derivative] == pytest.approx(gradient, rel=1e-6, abs=1e-9)
            checked += 1
    return checked


@pytest.mark.no_cover
@settings(max_examples=100)
@given(NUMBERS, STEPS)
def test_latex_of_random_graphs_evaluates_to_the_engines_numbers(numbers, steps):
    explanation = explain(build(numbers, steps))
    latex = explanation.latex(digits=17, limit=1000)
    assert check(latex, explanation) >= len(explanation.targets)
    readable = explanation.latex(limit=1000)
    for line in readable.splitlines():
        assert not re.search(r"(?<![\d.}^])1 \\[,c]|[-+] 0 |- -|\+ -|\\frac\{0\}", line), line


@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_latex_of_each_function(name):
    explanation = explain(build([0.725, -1.315], [(name, 0, 1, True)]))
    assert check(explanation.latex(digits=17), explanation) >= 2
