"""Formulas of nodes: names, expressions, local derivatives as numbers and as text."""

import math
from operator import pow as power
from operator import truediv as quotient

import numpy as np
import pytest
from cases import CASES

from autograd_core import Primitive, Value, detect_anomaly, no_grad, relu, softmax
from autograd_core.backprop import seed, sweep
from autograd_core.data import as_data
from autograd_core.explanation.formulas import (
    contribution,
    derivative_formula,
    expression,
    index_text,
    local_derivative,
    operation,
)
from autograd_core.explanation.names import names_of
from autograd_core.explanation.notation import Latex, Notation, escape_latex, latex_symbol
from autograd_core.explanation.terms import (
    Term,
    call,
    number,
    plus,
    product,
    simplify,
    symbol,
)
from autograd_core.graph import topological_order
from autograd_core.primitives import elementwise
from autograd_core.primitives.shapes import unbroadcast

x, y, z = map(symbol, "xyz")
text, latex = Notation(), Latex()


def told(out, i=0, **options):
    """Return how a Value was computed, and its derivative by an input."""
    names = names_of(topological_order(out))
    return expression(out, names, **options), derivative_formula(out, i, names, **options)


def labels(*names):
    return [Value(0.5 + i, label=name) for i, name in enumerate(names)]


class TestNames:
    def names(self, *values):
        return list(names_of(list(values)).values())

    def test_labels_come_first_and_the_rest_is_numbered(self):
        a = Value(1.0, label="a")
        b = Value(2.0)
        c = a * b
        assert self.names(a, b, c, c + 1) == ["a", "x1", "t1", "t2"]

    def test_no_two_are_alike(self):
        values = [Value(0.0, label=label) for label in ["a", "a", "a_2", "x1", None, "a", "x_1"]]
        found = self.names(*values)
        assert found == ["a", "a_2", "a_2_2", "x1", "x2", "a_3", "x_1_2"]
        assert len({latex_symbol(name) for name in found}) == len(found)

    @pytest.mark.parametrize("label", [None, "", "  ", "\n", "\x00"])
    def test_a_label_of_nothing_is_no_name(self, label):
        assert self.names(Value(0.0, label=label)) == ["x1"]

    def test_line_breaks_and_control_characters_are_left_out(self):
        assert self.names(Value(0.0, label="my\nlong\t\x1blabel ")) == ["my long label"]

    def test_labels_that_are_no_text(self):
        assert self.names(Value(0.0, label=7)) == ["7"]


# Primitives as functions of x and y: how they read, then the derivative by each input
READINGS = {
    "add": ("x + y", "1", "1"),
    "subtract": ("x - y", "1", "-1"),
    "multiply": ("x * y", "y", "x"),
    "divide": ("x / y", "1 / y", "-x / y^2"),
    "floor_divide": ("floor(x / y)", "0", "0"),
    "mod": ("mod(x, y)", "1", "-floor(x / y)"),
    "power": ("x^y", "y * x^(y - 1)", "x^y * log(x)"),
    "negative": ("-x", "-1"),
    "reciprocal": ("1 / x", "-1 / x^2"),
    "square": ("x^2", "2 * x"),
    "absolute": ("abs(x)", "sign(x)"),
    "hypot": ("hypot(x, y)", "x / hypot(x, y)", "y / hypot(x, y)"),
    "sqrt": ("sqrt(x)", "1 / (2 * sqrt(x))"),
    "cbrt": ("cbrt(x)", "1 / (3 * cbrt(x)^2)"),
    "exp": ("exp(x)", "exp(x)"),
    "exp2": ("exp2(x)", "log(2) * exp2(x)"),
    "log": ("log(x)", "1 / x"),
    "log10": ("log10(x)", "1 / (log(10) * x)"),
    "logaddexp": ("logaddexp(x, y)", "sigmoid(x - y)", "sigmoid(y - x)"),
    "cos": ("cos(x)", "-sin(x)"),
    "tan": ("tan(x)", "1 + tan(x)^2"),
    "arctan": ("arctan(x)", "1 / (1 + x^2)"),
    "arctan2": ("arctan2(x, y)", "y / hypot(x, y)^2", "-x / hypot(x, y)^2"),
    "deg2rad": ("deg2rad(x)", "pi / 180"),
    "rad2deg": ("rad2deg(x)", "180 / pi"),
    "tanh": ("tanh(x)", "1 - tanh(x)^2"),
    "sigmoid": ("sigmoid(x)", "sigmoid(x) * (1 - sigmoid(x))"),
    "softplus": ("softplus(x)", "sigmoid(x)"),
    "relu": ("relu(x)", "(x > 0)"),
    "erf": ("erf(x)", "2 * exp(-x^2) / sqrt(pi)"),
    "greater": ("(x > y)", "0", "0"),
    "maximum": ("max(x, y)", "0.5 * ((x > y) + (x >= y))", "0.5 * ((y > x) + (y >= x))"),
    "floor": ("floor(x)", "0"),
    "identity": ("x", "1"),
}


class TestElementByElement:
    @pytest.mark.parametrize("name", READINGS)
    def test_reading(self, name):
        primitive = getattr(elementwise, name)
        reading, *derivatives = READINGS[name]
        values = labels("x", "y")[: len(derivatives)]
        for i, derivative in enumerate(derivatives):
            assert told(primitive(*values), i) == (reading, derivative)

    @pytest.mark.parametrize("name", READINGS)
    def test_arrays_read_as_numbers_do(self, name):
        _, *derivatives = READINGS[name]
        values = [Value([[0.5], [1.5]], label=label) for label in "xy"][: len(derivatives)]
        out = getattr(elementwise, name)(*values)
        assert [told(out, i)[1] for i in range(len(values))] == derivatives

    @pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
    def test_incoming_times_local_is_the_contribution_is_the_sweeps(self, case):
        values = [Value(data) for data in case.inputs]
        out = case.primitive(*values, **case.params)
        g = np.random.default_rng(0).uniform(0.5, 1.5, out.shape) if out.shape else 0.75
        found = sweep(topological_order(out), seed(out, g))
        for i, value in enumerate(values):
            local = local_derivative(out, i)
            if local is not None:
                assert np.shape(local) == out.shape
                product = as_data(unbroadcast(as_data(g * local), value.shape))
                np.testing.assert_allclose(product, contribution(out, i, g), rtol=1e-12)
            np.testing.assert_array_equal(contribution(out, i, g), found.get(value, 0 * value.data))

    def test_a_constant_is_a_short_number(self):
        assert told(Value(2.0, label="x") * (1 / 3)) == ("x * 0.333333", "0.333333")
        assert told(Value(2.0, label="x") * -1e-9) == ("x * (-1e-09)", "-1e-09")
        assert told(Value(2.0, label="x") - math.nan)[0] == "x - nan"

    def test_what_was_recorded_is_told_as_it_is(self):
        [x] = labels("x")
        assert told(x * x)[0] == "x * x"
        assert told(x * 1.0)[0] == "x * 1"
        assert told(x + 0.0)[0] == "x + 0"
        assert told(x**2) == ("x^2", "2 * x")
        assert told(x**-1) == ("1 / x", "-1 / x^2")
        assert told(2.0**x, 1) == ("2^x", "2^x * log(2)")
        assert told(x - (-2.0))[0] == "x - (-2)"

    def test_a_leaf_is_what_it_holds(self):
        a = Value(2.5)
        assert expression(a, names_of([a])) == "2.5"
        b = Value([[1.0, 2.0]])
        assert expression(b, names_of([b])) == "array(1, 2)"

    def test_labels_that_look_like_formulas_get_parentheses(self):
        x, y = labels("x", "w*x + b")
        assert told(x * y) == ("x * (w*x + b)", "w*x + b")
        assert told(x * y, latex=True)[0] == r"x \, \left(\text{w*x + b}\right)"

    def test_choices(self):
        x, y, z = labels("x", "y", "z")
        out = elementwise.where(x, y, z)
        assert told(out, 1) == ("(y if x else z)", "(x != 0)")
        assert told(out, 2)[1] == "(x == 0)"
        assert told(out, 0)[1] == "0"
        masked = elementwise.where(elementwise.greater(x, y), y, z)
        names = names_of([x, y, z, *masked.inputs[:1], masked])
        assert derivative_formula(masked, 1, names) == "(t1 != 0)"

    def test_no_infinity_is_raised_where_nobody_computes(self):
        x = Value(0.0, label="x")
        with np.errstate(all="ignore"):
            out = np.log(x)
        assert local_derivative(out, 0) == math.inf
        assert told(out) == ("log(x)", "1 / x")
        assert local_derivative(np.arctan2(Value(0.0), Value(0.0)), 0) == 0

    def test_formulas_inside_no_grad_and_detect_anomaly(self):
        x = Value([0.5, 0.25], label="x")
        out = np.arctanh(x)
        with no_grad():
            assert told(out)[1] == "1 / ((1 - x) * (1 + x))"
        with detect_anomaly():
            assert told(out)[1] == "1 / ((1 - x) * (1 + x))"


def arrays(**shapes):
    return [Value(np.ones(shape), label=name) for name, shape in shapes.items()]


class TestArrays:
    def test_products_of_matrices(self):
        X, W = arrays(X=(5, 3), W=(3, 2))  # noqa: N806
        assert told(X @ W, 0) == ("X @ W", "G @ W^T")
        assert told(X @ W, 1) == ("X @ W", "X^T @ G")
        assert told(X @ W, 1, latex=True) == (r"X \, W", r"{X}^{\top} \, G")
        assert local_derivative(X @ W, 0) is None

    def test_products_with_vectors(self):
        A, x, y = arrays(A=(2, 3), x=(3,), y=(2,))  # noqa: N806
        assert told(A @ x, 0)[1] == "outer(G, x)"
        assert told(A @ x, 1)[1] == "G @ A"
        assert told(y @ A, 0)[1] == "A @ G"
        assert told(y @ A, 1)[1] == "outer(y, G)"
        assert told(x @ x, 0)[1] == "G * x"

    def test_stacks_of_matrices_say_where_axes_come_from(self):
        A, x, b = arrays(A=(4, 2, 3), x=(3,), b=(2,))  # noqa: N806
        assert told(A @ x, 0)[1] == "G[..., None] * x"
        assert told(A @ x, 1)[1] == "(G[..., None, :] @ A)[..., 0, :]"
        assert told(b @ A, 0)[1] == "(A @ G[..., None])[..., 0]"

    def test_only_what_rules_do_with_vectors_is_shortened(self):
        column, row = Term("index", (x, "..., None")), Term("index", (y, "..., None, :"))
        matrix = Term("matmul", (x, y))
        first, top = {"index": (..., 0)}, {"index": (..., 0, slice(None))}
        for name, operands, params, shapes, written in [
            ("multiply", [column, z], None, [(2, 1), (3,)], "outer(x, z)"),
            ("multiply", [column, z], None, [(2, 1), (3, 3)], "x[..., None] * z"),
            (
                "multiply",
                [column, row],
                None,
                [(2, 1), (4, 1, 2)],
                "x[..., None] * y[..., None, :]",
            ),
            ("getitem", [matrix], first, [(2, 2)], "(x @ y)[..., 0]"),
            ("getitem", [matrix], top, [(2, 2)], "(x @ y)[..., 0, :]"),
        ]:
            assert text(operation(name, operands, params, shapes)) == written

    def test_what_moves_numbers_about_is_told_in_words(self):
        [a] = arrays(a=(2, 3))
        assert told(a.sum())[1] == "G spread over shape (2, 3)"
        assert told(a.sum(axis=0))[1] == "G spread over shape (2, 3)"
        assert told(a.reshape(6))[1] == "G reshaped to (2, 3)"
        assert told(a.T) == ("a^T", "G^T")
        assert told(a[0, 1:]) == ("a[0, 1:]", "G put back at [0, 1:], 0 elsewhere")
        assert told(np.concatenate([a, a], axis=0), 1)[1] == "G[2:4]"
        assert told(np.broadcast_to(a, (4, 2, 3)))[1] == "G summed over axis 0"
        assert told(np.broadcast_to(Value(1.0), (4, 2)))[1] == "G summed over axes 0, 1"
        assert told(np.ones((1, 2, 3)) * a, 1) == ("array(1, 2, 3) * a", "array(1, 2, 3)")
        [b] = arrays(b=(2, 3, 4))
        kept = a.sum(axis=0, keepdims=True) + a.sum(axis=1).reshape(2, 1)
        assert told(kept.inputs[0])[0] == "sum(a, axis=0, keepdims=True)"
        assert told(b.transpose(2, 0, 1))[1] == "G with its axes in the order (1, 2, 0)"

    def test_softmax(self):
        [a] = arrays(a=(2, 3))
        assert told(softmax(a)) == (
            "softmax(a, axis=-1)",
            "t1 * (G - sum(G * t1, axis=-1, keepdims=True))",
        )

    def test_the_name_of_a_rule_that_is_too_long(self):
        [a] = arrays(a=(3, 3))
        assert told(np.linalg.pinv(a))[1] == "pinv_rule(G, a)"

    def test_reductions_of_a_number_change_nothing(self):
        [a] = labels("a")
        assert told(np.sum(a)) == ("a", "1")
        assert told(np.max(a)) == ("a", "1")
        assert "norm" in told(np.linalg.norm(a.reshape(1)))[0]

    def test_contributions_have_the_inputs_shape_and_type(self):
        a = Value(np.ones((3, 1), np.float32))
        b = Value(np.ones(4, np.float32))
        out = a * b
        g = np.ones(out.shape, np.float32)
        assert contribution(out, 0, g).shape == (3, 1)
        assert contribution(out, 1, g).dtype == np.float32
        assert local_derivative(out, 0).shape == (3, 4)
        steps = np.floor(a)
        np.testing.assert_array_equal(contribution(steps, 0, np.ones((3, 1))), np.zeros((3, 1)))
        np.testing.assert_array_equal(local_derivative(steps, 0), np.zeros((3, 1)))
        assert contribution(a.sum() * Value(2.0), 0, 1.0) == 2.0

    def test_mixed_types_come_back_in_the_inputs_own(self):
        a = Value(np.ones(3, np.float32))
        assert contribution(a * np.ones(3), 0, np.ones(3)).dtype == np.float32


class TestPrimitivesOfOnesOwn:
    cube = Primitive("cube", lambda x: x**3, lambda g, out, x: g * (3 * x**2))
    total = Primitive("total", lambda x: x - x.mean(), lambda g, out, x: g - g.sum() / g.size)
    step = Primitive("step", lambda x: x > 0, None)

    def test_one_that_works_element_by_element(self):
        for data in (2.0, [1.0, 2.0]):
            out = self.cube(Value(data, label="x"))
            assert told(out) == ("cube(x)", "3 * x^2")
            np.testing.assert_array_equal(local_derivative(out, 0), 3 * np.square(data))

    def test_one_that_does_not(self):
        out = self.total(Value([1.0, 2.0], label="x"))
        assert local_derivative(out, 0) is None
        assert told(out) == ("total(x)", "G - 0.5 * sum(G)")

    def test_one_without_a_derivative(self):
        out = self.step(Value([1.0, 2.0], label="x"))
        assert told(out) == ("step(x)", "0")
        np.testing.assert_array_equal(local_derivative(out, 0), [0.0, 0.0])

    def test_one_whose_rule_needs_no_gradient_or_makes_values(self):
        x = Value([1.0, 2.0], label="x")
        odd = Primitive("odd", np.negative, lambda g, out, x: np.array([0.0, 0.0]))
        assert told(odd(x))[1] == "array(2)"
        odd = Primitive("odd", np.negative, lambda g, out, x: g * Value(3.0))
        assert told(odd(x))[1] == "3"

    def test_one_whose_rule_raises_on_plain_numbers(self):
        steep = Primitive("steep", np.log, lambda g, out, x: g / x)
        x = Value(0.0, label="x")
        with np.errstate(all="ignore"):
            assert local_derivative(steep(x), 0) == math.inf
            assert told(steep(x)) == ("steep(x)", "1 / x")

    @pytest.mark.parametrize("name", ["multiply", "sum", "transpose", "getitem", "where", "power"])
    def test_one_with_the_name_of_another_is_not_written_as_that(self, name):
        own = Primitive(name, lambda x, y: x - y, lambda g, out, x, y: g, lambda g, out, x, y: -g)
        assert told(own(*labels("x", "y")), 1) == (f"{name}(x, y)", "-1")

    def test_a_shape_among_its_options_does_not_hide_it(self):
        cube = Primitive("cube", lambda x, *, shape: x**3, lambda g, out, x, *, shape: 3 * g * x**2)
        x = Value([1.0, 2.0], label="x")
        assert told(cube(x, shape=(2,)))[0] == "cube(x, shape=(2,))"


# A term as it comes, and what it is simplified to
SIMPLER = [
    (product(number(1), x), "x"),
    (product(number(0), x), "0"),
    (plus(x, number(0)), "x"),
    (plus(x, product(number(-1), x)), "0"),
    (product(number(-1), product(number(-1), x)), "x"),
    (plus(x, product(number(-1), plus(y, product(number(-1), z)))), "x - y + z"),
    (plus(product(number(-1), x), number(1)), "1 - x"),
    (plus(product(number(-1), x), product(number(-1), y)), "-x - y"),
    (plus(x, x), "2 * x"),
    (product(x, x), "x^2"),
    (product(x, y, x), "x^2 * y"),
    (quotient(x, x), "1"),
    (quotient(x, quotient(y, z)), "x * z / y"),
    (quotient(quotient(x, y), y), "x / y^2"),
    (product(number(0.5), power(x, number(-1))), "1 / (2 * x)"),
    (product(number(0.5), y, power(x, number(-1))), "y / (2 * x)"),
    (product(number(0.5), x), "0.5 * x"),
    (power(x, number(1)), "x"),
    (power(x, number(0)), "1"),
    (power(number(1), x), "1"),
    (power(number(2), number(3)), "8"),
    (power(number(-1), number(0.5)), "(-1)^0.5"),
    (power(number(0), number(-1)), "1 / 0"),
    (power(power(x, number(2)), number(3)), "x^6"),
    (power(power(x, number(2)), number(0.5)), "(x^2)^0.5"),
    (power(product(x, y), number(0.5)), "(x * y)^0.5"),
    (power(plus(x, y), number(2)), "(x + y)^2"),
    (product(plus(x, y), z), "(x + y) * z"),
    (product(z, plus(x, y)), "z * (x + y)"),
    (product(number(-2), power(x, y)), "-2 * x^y"),
    (power(x, product(number(-1), y)), "1 / x^y"),
    (Term("where", (number(1), x, y)), "x"),
    (Term("where", (number(0), x, y)), "y"),
    (Term("where", (x, y, y)), "y"),
    (Term("where", (Term("compare", (">", x, y)), z, number(0))), "z * (x > y)"),
    (Term("where", (Term("compare", (">", x, y)), number(0), z)), "z * (x <= y)"),
    (number(math.pi / 180), "pi / 180"),
    (number(math.inf), "inf"),
    (number(-0.0), "0"),
    (product(number(1 / 180), call("f", x)), "f(x) / 180"),
]


@pytest.mark.parametrize(("term", "simple"), SIMPLER, ids=[simple for _, simple in SIMPLER])
def test_simplified(term, simple):
    assert text(simplify(term)) == simple


def test_an_array_of_one_number_becomes_the_number_beside_one_of_its_shape():
    ones = call("broadcast_to", number(1), shape="(2, 3)")
    a, row = symbol("a", (2, 3)), symbol("row", (3,))
    assert text(simplify(product(ones, a))) == "a"
    assert text(simplify(plus(ones, a))) == "1 + a"
    assert text(simplify(product(ones, row))) == "broadcast_to(1, shape=(2, 3)) * row"
    assert text(simplify(product(ones, call("f", row)))).startswith("broadcast_to")
    assert text(simplify(product(ones, call("array", number(2), number(3))))) == "array(2, 3)"
    assert latex(ones) == r"\mathbf{1}_{2 \times 3}"
    assert latex(call("spread", number(3), shape="(2, 3)")) == r"3 \, \mathbf{1}_{2 \times 3}"


# Terms, and how LaTeX writes them
WRITTEN = [
    (quotient(x, product(y, z)), r"\frac{x}{y \, z}"),
    (product(plus(x, y), z), r"\left(x + y\right) \, z"),
    (product(x, number(2)), r"x \cdot 2"),
    (product(x, power(number(2), y)), r"x \cdot {2}^{y}"),
    (call("abs", x), r"\left|x\right|"),
    (call("sqrt", plus(x, y)), r"\sqrt{x + y}"),
    (call("sigmoid", x), r"\sigma\left(x\right)"),
    (call("arctan", x), r"\arctan\left(x\right)"),
    (call("my_own", x, n="2"), r"\operatorname{my\_own}_{\text{n=2}}\left(x\right)"),
    (number(1e-7), r"1 \cdot 10^{-7}"),
    (power(number(1e20), x), r"{\left(1 \cdot 10^{20}\right)}^{x}"),
    (number(math.inf), r"\infty"),
    (plus(x, number(-math.inf)), r"x - \infty"),
    (number(math.nan), r"\mathrm{NaN}"),
    (number(math.pi), r"\pi"),
    (Term("compare", (">=", x, y)), r"\left[x \ge y\right]"),
    (
        Term("where", (x, y, z)),
        r"\begin{cases} y & \text{if } x \\ z & \text{otherwise} \end{cases}",
    ),
    (product(symbol("A", (2,)), symbol("B", (2,))), r"A \odot B"),
    (product(number(2), symbol("A", (2,))), r"2 \, A"),
    (power(symbol("A", (2,)), plus(x, y)), r"{A}^{\circ \left(x + y\right)}"),
    (Term("index", (symbol("A", (2,)), "0, :2")), r"{A}_{\text{[0, :2]}}"),
    (Term("gradient", ("loss", "x1", ())), r"\frac{\partial \mathrm{loss}}{\partial x_{1}}"),
]


@pytest.mark.parametrize(("term", "written"), WRITTEN, ids=[written for _, written in WRITTEN])
def test_latex(term, written):
    assert latex(term) == written


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a", "a"),
        ("x12", "x_{12}"),
        ("w_3", "w_{3}"),
        ("alpha", r"\alpha"),
        ("beta_2", r"\beta_{2}"),
        ("alphabet", r"\mathrm{alphabet}"),
        ("w[0]", "w_{0}"),
        ("layers[0].w", r"\text{layers[0].w}"),
        ("50% & more", r"\text{50\% \& more}"),
        ("größe", r"\text{größe}"),
        ("\\end{aligned}$", r"\text{\textbackslash{}end\{aligned\}\$}"),
        ("^~<|>", r"\text{\textasciicircum{}\textasciitilde{}\textless{}\textbar{}\textgreater{}}"),
    ],
)
def test_names_in_latex(name, written):
    assert latex_symbol(name) == written


def test_nothing_in_a_label_is_a_command():
    hostile = "\\input{x}$$ \\href{a}{b} #1"
    assert "\\input" not in escape_latex(hostile)
    a = Value(1.0, label=hostile)
    assert "\\href" not in told(a * a, latex=True)[0]


@pytest.mark.parametrize(
    ("index", "written"),
    [
        (0, "0"),
        (slice(1, None, 2), "1::2"),
        ((..., None, slice(None, -1)), "..., None, :-1"),
        (np.array([2, 0]), "[2, 0]"),
        (np.zeros((3, 4), bool), "array of shape (3, 4)"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_indices(index, written):
    assert index_text(index) == written


def test_relu_is_read_as_a_comparison():
    assert told(relu(Value(1.0, label="x")), latex=True)[1] == r"\left[x > 0\right]"
