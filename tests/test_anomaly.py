"""detect_anomaly: the operation behind the first NaN or inf, and data that changed in between."""

import linecache
import re
import threading

import numpy as np
import pytest

from autograd_core import (
    AnomalyError,
    ChangedDataError,
    Primitive,
    RuleError,
    Value,
    detect_anomaly,
    grad,
    hessian,
    logsumexp,
    no_grad,
    softmax,
)


@pytest.fixture(autouse=True)
def quiet():
    """Keep NumPy from warning of what these tests are about."""
    with np.errstate(all="ignore"):
        yield


def lines_of(error, role):
    """Return the source lines, all of this file, that an error names in a certain role."""
    lines = []
    for number, text in re.findall(rf"{role}: +{re.escape(__file__)}:(\d+): (.*)", error.given):
        assert linecache.getline(__file__, int(number)).strip() == text
        lines.append(text)
    return lines


# What is computed of a Value; its data; the operation that is named; what it is said to give
FORWARD = {
    "inf from a number": (lambda w: 1 / w, 0.0, "divide of 1 and w = 0", "it gave inf"),
    "NaN from a number": (np.sqrt, -1.0, "sqrt of w = -1", "it gave nan"),
    "overflow of a number": (np.exp, 1000.0, "exp of w = 1000", "it gave inf"),
    "inf in an array": (
        lambda w: np.log(w) + 1,
        [1.0, 0.0, 5.0],
        "log of w = shape (3,) from 0 to 5",
        "it gave shape (3,) from 0 to 1.60944, 1 inf",
    ),
    "NaN in an array": (
        np.arcsin,
        [[0.0, 2.0, -3.0]],
        "arcsin of w = shape (1, 3) from -3 to 2",
        "it gave shape (1, 3) from 0 to 0, 2 NaN",
    ),
    "NaN and inf in an array": (
        lambda w: w / w[::-1],
        [0.0, 0.0, 3.0],
        "divide of w = shape (3,) from 0 to 3 and shape (3,) from 0 to 3",
        "it gave shape (3,) from 0 to 0, 1 NaN, 1 inf",
    ),
    "nothing finite": (lambda w: 1 / w, [0.0, 0.0], "w = shape (2,) from 0 to 0", "(2,), 2 inf"),
    "NaN that came in": (
        lambda w: w * 2,
        [1.0, np.nan],
        "multiply of w = shape (2,) from 1 to 1, 1 NaN and 2",
        "1 NaN",
    ),
    "inf in a constant": (
        lambda w: w + np.array([np.inf, 1.0]),
        1.0,
        "add of w = 1 and shape (2,) from 1 to 1, 1 inf",
        "1 inf",
    ),
    "the first of several": (
        lambda w: np.tanh(np.exp(w) - np.exp(w)),
        1000.0,
        "exp of w = 1000",
        "it gave inf",
    ),
    "inside a composed function": (
        np.std,
        [1e200, -1e200],
        "norm of shape (2,) from -1e+200 to 1e+200",
        "it gave inf",
    ),
}


class TestForward:
    @pytest.mark.parametrize(
        ("compute", "data", "operation", "outcome"), FORWARD.values(), ids=list(FORWARD)
    )
    def test_names_the_operation_its_operands_and_what_it_gave(
        self, compute, data, operation, outcome
    ):
        w = Value(data, label="w")
        with pytest.raises(AnomalyError) as caught, detect_anomaly():
            compute(w)
        assert f"{operation}\n" in caught.value.given
        assert outcome in caught.value.why
        assert "the first number that is not finite" in caught.value.why
        assert "operands inside the domain" in caught.value.instead

    def test_names_the_line_that_computed_it(self):
        def width(x):
            return np.log(x)  # the line

        with pytest.raises(AnomalyError) as caught, detect_anomaly():
            width(Value(0.0))
        assert lines_of(caught.value, "at") == ["return np.log(x)  # the line"]

    def test_names_the_user_s_line_for_what_happens_inside_the_library(self):
        x = Value([1e200, -1e200])
        with pytest.raises(AnomalyError) as caught, detect_anomaly():
            x.std()  # the line
        assert lines_of(caught.value, "at") == ["x.std()  # the line"]

    def test_stable_functions_pass(self):
        with detect_anomaly():
            assert logsumexp(Value([1000.0, 1000.0])).data == 1000.0 + np.log(2)

    def test_an_infinite_constant_that_masks_is_no_anomaly(self):
        scores, mask = Value(np.arange(9.0).reshape(3, 3)), np.tri(3) > 0
        weights = []
        with detect_anomaly():
            weights.append(softmax(np.where(mask, scores, -np.inf)))
            weights.append(softmax(scores + np.where(mask, 0.0, -np.inf)))
            weights.append(softmax(np.where(mask, scores * 2.0, -np.inf) / 2.0))
            np.sum(weights[0] * weights[1] * weights[2]).backward()
        expected = np.exp(scores.data) * mask
        for each in weights:
            assert np.allclose(each.data, expected / expected.sum(-1, keepdims=True))
        nothing = np.zeros((3, 3), bool)
        with pytest.raises(AnomalyError, match="9 NaN"), detect_anomaly():
            softmax(np.where(nothing, scores, -np.inf))
        with pytest.raises(AnomalyError, match="1 inf"), detect_anomaly():
            Value([1.0, -np.inf]) * 2.0


# What is computed of a Value; its data; the operation whose derivative it is; what that gave
BACKWARD = {
    "root of a number": (
        np.sqrt,
        0.0,
        "the derivative of sqrt of w = 0 by input 0",
        "it gave inf from a gradient of 1",
    ),
    "root of an array": (
        lambda w: (2 * np.sqrt(w)).sum(),
        [0.0, 4.0],
        "the derivative of sqrt of w = shape (2,) from 0 to 4 by input 0",
        "it gave shape (2,) from 0.5 to 0.5, 1 inf from a gradient of shape (2,) from 2 to 2",
    ),
    "second input": (
        lambda w: 1 / w,
        1e-200,
        "the derivative of divide of 1 and w = 1e-200 by input 1",
        "it gave -inf from a gradient of 1",
    ),
    "operation in the middle": (
        lambda w: np.tanh(np.sqrt(w * 0.0) + 1),
        3.0,
        "the derivative of sqrt of 0 by input 0",
        "it gave inf",
    ),
    "sum of contributions": (
        lambda w: w * 1e308 + w * 1e308,
        1e-10,
        "the gradient of w = 1e-10\n",
        "its contributions add up to inf",
    ),
}


class TestBackward:
    @pytest.mark.parametrize(
        ("compute", "data", "operation", "outcome"), BACKWARD.values(), ids=list(BACKWARD)
    )
    def test_names_the_operation_whose_derivative_is_not_finite(
        self, compute, data, operation, outcome
    ):
        for differentiate in (lambda w: compute(w).backward(), grad(compute)):
            w = Value(data, label="w")
            with pytest.raises(AnomalyError) as caught, detect_anomaly():
                differentiate(w)
            assert operation.replace("w = ", "") in caught.value.given.replace("w = ", "")
            assert outcome in caught.value.why
            assert not w.has_grad

    def test_operands_have_their_labels(self):
        w = Value(0.0, label="w")
        with pytest.raises(AnomalyError, match="sqrt of w = 0 by input 0"), detect_anomaly():
            np.sqrt(w).backward()

    def test_names_the_lines_of_the_operation_and_of_the_sweep(self):
        x = Value([0.0, 1.0])
        with detect_anomaly():
            out = np.sqrt(x).sum()
            with pytest.raises(AnomalyError) as caught:
                out.backward()
        assert lines_of(caught.value, "recorded at") == ["out = np.sqrt(x).sum()"]
        assert lines_of(caught.value, "swept at") == ["out.backward()"]

    def test_operations_from_before_the_block_are_named_too(self):
        out = np.sqrt(Value(0.0))
        with pytest.raises(AnomalyError, match="sqrt of 0") as caught, detect_anomaly():
            out.backward()
        assert "recorded at: outside the block" in caught.value.given

    @pytest.mark.parametrize("create_graph", [False, True])
    def test_a_rule_that_divides_floats_by_zero(self, create_graph):
        inverse = Primitive("inverse", lambda x: 1.0 * x, lambda g, out, x: g / x)
        with pytest.raises(AnomalyError, match="inverse of x = 0 by input 0"), detect_anomaly():
            inverse(Value(0.0, label="x")).backward(create_graph=create_graph)

    def test_a_gradient_that_is_not_finite_from_the_start(self):
        x = Value(3.0, label="x")
        with pytest.raises(AnomalyError, match="add up to nan"), detect_anomaly():
            (x * x).backward(np.nan)
        assert not x.has_grad

    def test_an_infinite_derivative_behind_a_mask_is_no_anomaly(self):
        x = Value([0.0, 4.0])
        with detect_anomaly():
            np.where(x > 0, np.sqrt(x), 0.0).sum().backward()
        np.testing.assert_array_equal(x.grad, [0.0, 0.25])


class TestHigherOrders:
    @pytest.mark.parametrize("derivative", [lambda f: grad(grad(f)), hessian])
    def test_an_anomaly_of_the_second_derivative(self, derivative):
        with detect_anomaly():
            assert grad(lambda x: x**1.5)(0.0) == 0.0
        with pytest.raises(AnomalyError, match=r"the derivative of power of 0 and 0\.5"):
            detect_anomaly()(derivative(lambda x: x**1.5))(0.0)

    def test_an_anomaly_of_a_recorded_backward_sweep(self):
        x = Value(0.0)
        with pytest.raises(AnomalyError, match="the derivative of sqrt of 0"), detect_anomaly():
            np.sqrt(x).backward(create_graph=True)
        assert not x.has_grad

    def test_second_derivatives_behind_a_mask_are_what_they_are_outside(self):
        second = hessian(lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum())
        x = np.array([0.0, 4.0])
        np.testing.assert_array_equal(detect_anomaly()(second)(x), second(x))
        np.testing.assert_array_equal(second(x), [[0.0, 0.0], [0.0, -1 / 32]])


class TestChangedData:
    def test_names_both_lines(self):
        x = Value([1.0, 2.0], label="x")
        with detect_anomaly():
            out = (x * 3).sum()
            x.data[0] = 5.0
            with pytest.raises(ChangedDataError) as caught:
                out.backward()
        assert "input 0 of multiply of x = shape (2,)" in caught.value.given
        assert lines_of(caught.value, "recorded at") == ["out = (x * 3).sum()"]
        assert lines_of(caught.value, "found changed at") == ["out.backward()"]
        assert "its derivative would be wrong" in caught.value.why
        assert "v = v + step" in caught.value.instead
        assert not x.has_grad

    def test_constants_and_results_count(self):
        x, constant = Value(2.0), np.ones(2**17 + 1)  # too many numbers to be copied
        for change, part in [
            (lambda out: np.negative(constant, out=constant), "input 1 of multiply"),
            (lambda out: out.data.fill(0.0), "the result of multiply"),
        ]:
            with detect_anomaly():
                out = x * constant
                change(out)
                with pytest.raises(ChangedDataError, match=part):
                    out.backward(np.ones(2**17 + 1))

    def test_assigned_data_count(self):
        w = Value(2.0)
        with detect_anomaly():
            out = w * w
            w.data -= 1.0
            with pytest.raises(ChangedDataError, match="input 0 of multiply"):
                out.backward()

    def test_changes_after_backward_are_no_matter(self):
        w = Value([1.0, 2.0])
        with detect_anomaly():
            for _ in range(2):
                w.grad = None
                (w * w).sum().backward()
                w.data -= 0.25 * w.grad
        np.testing.assert_array_equal(w.data, [0.25, 0.5])

    def test_what_was_recorded_outside_the_block_is_not_compared(self):
        w = Value([2.0])
        out = (w * 3.0).sum()
        w.data[0] = 5.0
        with detect_anomaly():
            out.backward()
        assert w.grad == 3.0


class TestTheBlock:
    def test_nothing_is_looked_for_outside(self):
        with detect_anomaly():
            pass
        x = Value([0.0, 1.0])
        out = np.log(x) * x
        x.data[1] = 2.0
        out.sum().backward()
        assert np.isnan(out.data[0])
        assert np.isnan(x.grad[0])

    def test_an_error_closes_it(self):
        with pytest.raises(AnomalyError), detect_anomaly():
            np.log(Value(0.0))
        assert np.log(Value(0.0)).data == -np.inf

    def test_it_goes_on_after_an_error_inside(self):
        wrong = Primitive("wrong", np.sin, lambda g, out, x: None)
        with detect_anomaly():
            with pytest.raises(RuleError):
                wrong(Value(1.0)).backward()
            with pytest.raises(AnomalyError):
                np.log(Value(0.0))
            with pytest.raises(AnomalyError):
                np.sqrt(Value(0.0)).backward()
            with pytest.raises(AnomalyError):
                np.log(Value(0.0))

    def test_results_and_gradients_are_the_same_inside(self):
        def gradients():
            x = Value([[0.5, -1.0], [2.0, 0.1]])
            out = np.log(1 + np.exp(x @ x.T)).mean() + np.max(x) * x[0, 1]
            out.backward()
            return out.data, x.grad

        (out, gradient), (checked, checked_gradient) = gradients(), detect_anomaly()(gradients)()
        assert out == checked
        np.testing.assert_array_equal(gradient, checked_gradient)

    def test_it_decorates_functions(self):
        with pytest.raises(AnomalyError):
            detect_anomaly()(np.log)(Value(0.0))

    @pytest.mark.parametrize(
        "contexts",
        [
            (detect_anomaly, no_grad),
            (no_grad, detect_anomaly),
            (detect_anomaly, detect_anomaly),
            (detect_anomaly, no_grad, detect_anomaly),
        ],
    )
    def test_it_goes_together_with_no_grad_and_itself(self, contexts):
        def compute():
            return np.log(Value(0.0, label="w"))  # the line

        for context in contexts:
            compute = context()(compute)
        with pytest.raises(AnomalyError, match=r"log of w = 0\n") as caught:
            compute()
        assert lines_of(caught.value, "at") == ['return np.log(Value(0.0, label="w"))  # the line']

    def test_it_holds_for_its_own_thread_only(self):
        inside, seen = threading.Barrier(2, timeout=10), []

        def other():
            with np.errstate(all="ignore"):
                inside.wait()
                seen.append(np.log(Value(0.0)).data)
                inside.wait()

        thread = threading.Thread(target=other)
        thread.start()
        with detect_anomaly():
            inside.wait()
            inside.wait()
            with pytest.raises(AnomalyError):
                np.log(Value(0.0))
        thread.join()
        assert seen == [-np.inf]
