"""0 times infinity is 0 where a choice has left an element out, and NaN elsewhere."""

import sys
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mp

import nn
from autograd_core import (
    Primitive,
    RuleError,
    Value,
    backprop,
    batch,
    callback,
    compile,
    fresh,
    grad,
    gradients,
    hessian,
    jacobian,
    log_softmax,
    logsumexp,
    relu,
    softmax,
    value_and_grad,
    vjp,
)
from autograd_core.primitives.elementwise import without_factor
from autograd_core.primitives.indexing import getitem_at
from autograd_core.primitives.reductions import cumprod_adjoint, recurrence
from autograd_core.program.recorded_call import RecordedCall
from autograd_core.structural_zeros import Presence, careful_sweep

jax.config.update("jax_enable_x64", True)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

NAN, INF = np.nan, np.inf

# Nothing is chosen: the derivative is not 0, and the chain rule cannot tell what it is
NOTHING_CHOSEN = {
    "root squared": (lambda x: np.sqrt(x) ** 2, 0.0),
    "root times root": (lambda x: np.sqrt(x) * np.sqrt(x), 0.0),
    "exponential of a logarithm": (lambda x: np.exp(np.log(x)), 0.0),
    "reciprocal of a reciprocal": (lambda x: 1 / (1 / x), 0.0),
    "cosine of arccos": (lambda x: np.cos(np.arccos(x)), 1.0),
    "sine of arcsin": (lambda x: np.cos(np.arcsin(x) - np.pi / 2), 1.0),
    "logarithm of a large exponential": (lambda x: np.log(1 + np.exp(x)), 800.0),
    "cube of a cube root": (lambda x: np.cbrt(x) ** 3, 0.0),
    "tanh of arctanh": (lambda x: np.tanh(np.arctanh(x)), 1.0),
    "half powers": (lambda x: (x**0.5) ** 2, 0.0),
    "signed root": (lambda x: np.sign(x) * np.sqrt(abs(x)), 0.0),
}


@pytest.mark.parametrize(("f", "x"), NOTHING_CHOSEN.values(), ids=NOTHING_CHOSEN)
class TestWhereNothingIsChosenItIsNaN:
    def test_of_numbers(self, f, x):
        assert np.isnan(grad(f)(x))
        assert np.isnan(grad(grad(f))(x))

    def test_of_arrays_element_by_element(self, f, x):
        xs = np.array([x, 0.5])
        for dtype in (np.float64, np.float32):
            g = grad(lambda v: np.sum(f(v)))(xs.astype(dtype))
            assert g.dtype == dtype
            assert np.isnan(g[0])
            assert np.isfinite(g[1])

    def test_compiled(self, f, x):
        compiled = compile(grad(f))
        assert compiled(0.5) == pytest.approx(grad(f)(0.5), rel=1e-12)
        assert np.isnan(compiled(x))
        assert np.isnan(grad(compile(f))(x))
        assert np.isnan(batch(grad(f))(np.array([x, 0.5]))[0])


ROWS = np.array([[1.0, 2.0], [NAN, 3.0], [INF, -1.0]])
CUBE = np.array([[[1.0, 2.0], [NAN, 3.0]], [[0.5, -1.0], [2.0, INF]]])
W = np.array([1.0, 2.0])
MASK = np.array([1.0, 0.0, 0.0])


def of_second(f, w):
    """Return f of the second of two matrices, a constant; the first has slopes inf."""
    return np.sum(f(np.stack([np.sqrt(w - w) + np.eye(2) * 2.0, np.diag(W)]))[1])


# Functions of two numbers whose gradient is that of 1 w0 + 2 w1, behind rows of NaN and infinity
SPOILT_ROWS = {
    "slice of a product": lambda w: np.sum((ROWS @ w)[:1]),
    "element of a product": lambda w: (ROWS @ w)[0],
    "where": lambda w: np.sum(np.where(MASK > 0, ROWS @ w, 0.0)),
    "product with a matrix": lambda w: np.sum((ROWS @ np.stack([w, w], axis=1))[:1]) / 2,
    "inner": lambda w: np.sum(np.inner(ROWS, w)[:1]),
    "dot": lambda w: np.dot(ROWS, w)[0],
    "from the left": lambda w: (w @ ROWS.T)[0],
    "einsum": lambda w: np.einsum("ij,j->i", ROWS, w)[0],
    "einsum of three": lambda w: np.einsum("ij,j,k->ik", ROWS, w, np.ones(2))[0, 0],
    "tensordot": lambda w: np.tensordot(ROWS, w, axes=1)[0],
    "outer": lambda w: np.sum(np.outer(w, [1.0, NAN])[:, 0] * W),
    "a stack": lambda w: (CUBE @ w)[0, 0],
    "product and sum": lambda w: np.sum(ROWS * w, axis=1)[0],
    "concatenate": lambda w: np.sum(np.concatenate([w * W, np.log(w - w)])[:2]),
    "split": lambda w: np.sum(np.split(np.concatenate([w * W, np.sqrt(w - w)]), 2)[0]),
    "sort": lambda w: np.sum(np.sort(np.concatenate([w * W, np.log(w - w) - 1e9]))[2:]),
    "max": lambda w: np.max(np.stack([w @ W, np.log(w[0] - w[0])])),
    "maximum": lambda w: np.maximum(w @ W, np.log(w[0] - w[0])),
    "minimum": lambda w: np.minimum(w @ W, -np.log(w[0] - w[0])),
    "clip": lambda w: np.clip(w @ W, np.log(w[0] - w[0]), 100.0),
    "relu": lambda w: w @ W + relu(np.log(w[0] - w[0])),
    "a factor 0": lambda w: w @ W + 0.0 * np.sqrt(w[0] - w[0]),
    "a mask": lambda w: np.sum(np.concatenate([w * W, np.sqrt(w - w)]) * [1.0, 1.0, 0.0, 0.0]),
    "cumsum": lambda w: np.cumsum(np.concatenate([w * W, np.sqrt(w - w)]))[1],
    "softmax by rows": lambda w: w @ W + softmax(np.stack([np.log(w - w), w]), axis=1)[1].sum(),
    "norms of rows": lambda w: w @ W + np.linalg.norm(np.sqrt(np.outer([0.0, 1.0], w)), axis=1)[1]
    * 0.0,
    "sinc": lambda w: w @ W + np.where(MASK > 0, np.sinc(np.sum(w) / MASK), 0.0)[1],
    "inverses of a stack": lambda w: w @ W + of_second(np.linalg.inv, w),
    "pseudoinverses of a stack": lambda w: w @ W + of_second(np.linalg.pinv, w),
    "solutions of a stack": lambda w: w @ W
    + of_second(lambda x: np.linalg.solve(x, W[:, None]), w),
    "log determinants of a stack": lambda w: w @ W
    + of_second(lambda x: np.linalg.slogdet(x)[1], w),
    "determinants of a stack": lambda w: w @ W + of_second(np.linalg.det, w),
    "triangles of a stack": lambda w: w @ W + of_second(np.linalg.cholesky, w),
    "eigenvalues of a stack": lambda w: w @ W + of_second(np.linalg.eigvalsh, w),
    "eigenvectors of a stack": lambda w: w @ W + of_second(lambda x: np.linalg.eigh(x)[1], w),
    "singular values of a stack": lambda w: w @ W
    + of_second(lambda x: np.linalg.svd(x, compute_uv=False), w),
    "cofactors of a stack": lambda w: w @ W
    + of_second(grad(lambda x: np.sum(np.linalg.det(x))), w),
}  # fmt: skip


@pytest.mark.parametrize("f", SPOILT_ROWS.values(), ids=SPOILT_ROWS)
class TestWhatAChoiceHasLeftOutIsZero:
    def test_eager(self, f):
        assert grad(f)(W).tolist() == pytest.approx([1.0, 2.0])
        v = Value(W)
        f(v).backward()
        assert v.grad.tolist() == pytest.approx([1.0, 2.0])

    def test_of_second_order(self, f):
        assert hessian(f)(W).tolist() == [[0.0, 0.0], [0.0, 0.0]]
        assert hessian(lambda w: f(w) ** 2)(W) == pytest.approx(2 * np.outer(W, W))

    def test_compiled(self, f):
        compiled = compile(grad(f))
        for _ in range(2):
            assert compiled(W).tolist() == pytest.approx([1.0, 2.0])
        assert grad(compile(f))(W).tolist() == pytest.approx([1.0, 2.0])

    def test_in_batches(self, f):
        assert batch(grad(f))(np.stack([W, W])) == pytest.approx(np.stack([W, W]))


ALONG_ROWS = {
    "prod": lambda x: np.prod(x, axis=1),
    "max": lambda x: np.max(x, axis=1),
    "min": lambda x: np.min(x, axis=1),
    "norm": lambda x: np.linalg.norm(x, axis=1),
    "kept axis": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "slopes of cumprod": lambda x: cumprod_adjoint(x * x, x, axis=1),
    "recurrence": lambda x: recurrence(x, x[:, 1:], axis=1),
    "logsumexp": lambda x: logsumexp(x, axis=1),
    "softmax": lambda x: softmax(x, axis=1),
    "log_softmax": lambda x: log_softmax(x, axis=1),
}


@pytest.mark.parametrize("f", ALONG_ROWS.values(), ids=ALONG_ROWS)
def test_a_row_that_is_left_out_takes_nothing_from_the_others(f):
    w = np.array([0.5, 2.0, -1.5])
    alone = grad(lambda w: np.sum(f(w[None])[0] * [3.0, -0.5, 2.0]))
    # Behind the second row are slopes inf
    beside = grad(lambda w: np.sum(f(np.stack([w, np.sqrt(w - w)]))[0] * [3.0, -0.5, 2.0]))
    np.testing.assert_allclose(beside(w), alone(w), rtol=1e-12)


# What is made of v = [0, 0, 3], a leaf, and which elements of it are present
PRESENT = {
    "a leaf": (lambda v: v, [1, 1, 1]),
    "a product": (lambda v: v * [0.0, 1.0, 2.0], [0, 1, 1]),
    "a quotient": (lambda v: v * [0.0, 1.0, 2.0] / [2.0, 1.0, 4.0], [0, 1, 1]),
    "a difference": (lambda v: v * [0.0, 1.0, 2.0] - v * [0.0, 1.0, 2.0], [0, 1, 1]),
    "a sum of rows": (lambda v: np.sum(np.stack([v, v]) * [[0.0], [0.0]], axis=0), [0, 0, 0]),
    "an exponential": (lambda v: np.expm1(v * [0.0, 1.0, 2.0]), [1, 1, 1]),
    "a choice": (lambda v: np.where([True, False, True], v, 0.0), [1, 0, 1]),
    "a tie": (lambda v: np.maximum(v * [0.0, 1.0, 0.0], v * 0.0), [0, 1, 0]),
    "a step": (np.floor, [0, 0, 1]),
    "elements": (lambda v: (v * [0.0, 1.0, 0.0])[[1, 0]], [1, 0]),
    "elements at data": (
        lambda v: getitem_at(v * [0.0, 1.0, 0.0], np.array([1.0, 0.0]), index=(None,), slots=(0,)),
        [1, 0],
    ),
    "a constant": (lambda v: v.data, [0, 0, 1]),
}


@pytest.mark.parametrize(("f", "expected"), PRESENT.values(), ids=PRESENT)
def test_zeros_by_structure_are_those_that_no_parameter_can_change(f, expected):
    assert Presence().of(f(Value([0.0, 0.0, 3.0]))).tolist() == expected


@pytest.mark.parametrize("shape", [(2,), (1, 2), (1, 1, 2)])
def test_an_operation_without_facts_mixes_all_elements(shape):
    def rule(g, out, x):
        return np.sum(g * x) + g * np.sum(x)

    mixed = Primitive("mixed", lambda x: x * np.sum(x), rule)

    def part(w):
        return np.sum(mixed(np.sqrt(w - w).reshape(shape))[..., 0])

    assert np.isnan(grad(lambda w: w @ W + part(w))(W)).all()
    assert grad(lambda w: w @ W + 0.0 * part(w))(W).tolist() == [1.0, 2.0]


def masked_root(w):
    """Return 0, with a derivative that the first sweep takes for NaN."""
    return np.sum(np.where([False, False], np.sqrt(w - w), 0.0))


def test_an_operation_without_elements_has_derivative_0():
    none = Primitive("none", lambda x: np.zeros(0), lambda g, out, x: np.sum(g) * x * INF)
    assert grad(lambda w: w @ W + np.sum(none(w)))(W).tolist() == [1.0, 2.0]


def test_a_rule_may_undo_broadcasting_itself():
    rows = Primitive("rows", np.multiply, lambda g, out, x, y: np.sum(g * y, axis=0), None)
    g = grad(lambda w: np.sum(rows(w, np.ones((3, 2)))[:2]) + masked_root(w))(W)
    assert g.tolist() == [2.0, 2.0]


def test_what_is_left_out_is_0_also_where_a_rule_leaves_broadcasting_to_the_sweep():
    rule = lambda g, out, x, y: g * INF  # noqa: E731
    steep = Primitive("steep", lambda x, y: x + y, rule, None)
    g = grad(lambda w: w @ W + 0.0 * np.sum(steep(w, np.ones((3, 2)))))(W)
    assert g.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("f", [np.divide, np.power, np.hypot, np.arctan2, np.logaddexp])
def test_rows_that_are_left_out_add_nothing_to_what_all_rows_share(f):
    beside = grad(lambda w: np.sum(np.where(MASK[:, None] > 0, f(ROWS, w), 0.0)))(W)
    np.testing.assert_allclose(beside, grad(lambda w: np.sum(f(ROWS[0], w)))(W), rtol=1e-12)


def test_masks_are_numbers_to_rules():
    def opposite(x, y):
        return -(x @ y)

    rules = (lambda g, out, x, y: g * -y), (lambda g, out, x, y: g * -x)
    negative_product = Primitive("negative_product", opposite, *rules, linear=True)
    g = grad(lambda w: negative_product(w, np.array([3.0, 0.0])) + masked_root(w))(W)
    assert g.tolist() == [-3.0, 0.0]


def test_in_what_is_not_linear_infinite_numbers_stay():
    rule = lambda g, out, x, y: np.sign(y - 1.0) @ g  # noqa: E731
    signed = Primitive("signed", lambda x, y: x @ np.sign(y - 1.0), rule, None, linear=(0,))
    g = grad(lambda w: np.sum(signed(w, np.array([[INF], [3.0]]))) + masked_root(w))(W)
    assert g.tolist() == [1.0, 1.0]


class TestAnOperationMaySayWhatTakesPart:
    def of(self, careful):
        return Primitive("root", np.sqrt, lambda g, out, x: g * 0.5 / out, careful=careful)

    def test_with_a_mask_for_all_elements(self):
        root = self.of(lambda i, g, mask, out, x: (np.zeros(2), 0.0))
        assert grad(lambda w: w @ W + np.sum(root(np.sqrt(w - w))))(W).tolist() == [1.0, 2.0]
        root = self.of(lambda i, g, mask, out, x: (g, mask))
        assert grad(lambda w: np.sum(root(w)) + masked_root(w))(W).tolist() == [1.0, 1.0]

    def test_but_gives_each_input_a_cotangent_of_its_shape(self):
        root = self.of(lambda i, g, mask, out, x: (np.zeros(3), mask))
        with pytest.raises(RuleError) as caught:
            grad(lambda w: np.sum(root(w)) + masked_root(w))(W)
        assert caught.value.given == (
            "the rule of root for input 0, shape (2,), returned shape (3,)"
        )


def test_a_careful_sweep_calls_no_rule_of_what_is_not_asked_for():
    def never(g, out, x, y):
        raise AssertionError

    scaled = Primitive("scaled", np.multiply, lambda g, out, x, y: g * y, never)
    scale = Value(2.0)
    g = grad(lambda w: np.sum(scaled(w, scale)) + masked_root(w))(W)
    assert g.data.tolist() == [2.0, 2.0]


def test_gradients_of_a_careful_sweep_are_plain_data():
    v = Value([0.0, 4.0])
    with np.errstate(divide="ignore"):
        for f in (np.sqrt, np.log):  # of which one rule reads the output, one the input
            (g,) = gradients(np.sum(np.where([False, True], f(v), 0.0)), [v])
            assert type(g) is np.ndarray


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: np.where([False, True, True], x, 0.0), [0.0, 1.0, 0.5]),
        (lambda x: np.pad(x[1:], (1, 0)), [0.0, 1.0, 0.5]),
        (lambda x: np.concatenate([[0.0], x[1:]]), [0.0, 1.0, 0.5]),
        (np.floor, [0.0, 1.0, 0.5]),
    ],
)
def test_gradients_of_computed_values_are_0_where_leaves_get_nothing(make, expected):
    h = make(Value([0.0, 1.0, 2.0]))
    with np.errstate(divide="ignore"):
        np.where(h.data > 0.0, np.log(h), 0.0).sum().backward()
    np.testing.assert_array_equal(h.grad, expected)


@pytest.mark.parametrize("make", [batch, lambda f: compile(batch(f))])
def test_of_a_batch_only_samples_with_a_singularity_are_swept_carefully(make, monkeypatch):
    def f(x, w):
        return np.sum(np.where(x > 0, np.log(x), 0.0) * w)

    def reference(x, w):
        return jnp.sum(jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1.0)), 0.0) * w)

    x = np.random.default_rng(0).uniform(0.5, 2.0, (50, 4))
    x[[7, 31], 2] = 0.0
    w = np.arange(200.0).reshape(50, 4)
    batched = make(value_and_grad(f, (0, 1)))
    batched(x[:1] + 1.0, w[:1])
    swept = []
    monkeypatch.setattr(
        backprop, "careful_sweep", lambda *args, **kw: swept.append(1) or careful_sweep(*args, **kw)
    )
    value, slopes = batched(x, w)
    assert len(swept) == 2
    expected = jax.vmap(jax.value_and_grad(reference, (0, 1)))(x, w)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    for ours, theirs in zip(slopes, expected[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_many_joined_values_are_swept_carefully_in_linear_time():
    calls = Counter()

    def count(frame, event, _):
        calls[event] += 1

    found = []
    for n in (100, 200):
        parts = [Value([0.0, 1.0]) for _ in range(n)]
        with np.errstate(divide="ignore"):
            x = np.concatenate([np.sqrt(part) for part in parts])
            y = np.where(x.data > 0.0, np.log(x), 0.0).sum()
        calls.clear()
        sys.setprofile(count)
        y.backward()
        sys.setprofile(None)
        found.append(sum(calls.values()))
        np.testing.assert_array_equal([part.grad for part in parts], [[0.0, 0.5]] * n)
    assert found[1] < 2.1 * found[0]


def test_an_infinite_derivative_of_a_chosen_row_stays():
    g = grad(lambda w: np.sum(np.sqrt(ROWS[:1] @ w)))(np.zeros(2))
    assert g.tolist() == [INF, INF]
    g = grad(lambda w: np.sum((ROWS @ w)[1:]))(W)
    assert np.isnan(g[0])
    assert g[1] == 2.0


def test_cotangents_that_are_given_choose():
    _, pullback = vjp(np.sqrt, np.array([0.0, 4.0]))
    assert pullback(np.array([0.0, 1.0]))[0].tolist() == [0.0, 0.25]
    assert jacobian(np.sqrt)(np.array([0.0, 4.0])).tolist() == [[INF, 0.0], [0.0, 0.25]]
    assert jacobian(compile(np.sqrt))(np.array([0.0, 4.0])).tolist() == [[INF, 0.0], [0.0, 0.25]]


def test_cotangents_that_are_values_choose_nothing():
    _, pullback = vjp(np.sqrt, np.array([0.0, 4.0]))
    np.testing.assert_array_equal(pullback(Value([0.0, 1.0]))[0].data, [NAN, 0.25])


@pytest.mark.parametrize("kind", [np.array, Value])
def test_an_infinite_cotangent_spoils_only_what_it_reaches(kind):
    _, pullback = vjp(lambda w: np.array([[1.0, 0.0], [1.0, 1.0]]) @ w, W)
    (g,) = pullback(kind([INF, 1.0]))
    assert g.tolist() == [INF, 1.0]


def test_a_zero_that_is_a_parameter_chooses_nothing():
    w = np.zeros(())
    assert np.isnan(grad(lambda x, w: np.sqrt(x) * w)(0.0, Value(0.0)).data)
    assert np.isnan(grad(lambda x: np.sqrt(x[0]) * x[1])(np.zeros(2))[0])
    assert grad(lambda x: np.sqrt(x) * w)(0.0) == 0.0


class TestCompiledPrograms:
    def test_answer_by_the_function_itself_with_the_same_draws_and_each_effect_once(self):
        def step(x):
            loss = np.where(x > 0, p * np.log(x), 0.0) + p * fresh(rng.normal)
            loss = loss + np.where(x > 0, np.sqrt(p * x), 0.0)
            callback(lambda v: seen.append(float(v)), loss)
            (g,) = gradients(loss, [p])
            callback(lambda v: seen.append(float(v)), g)
            p.data = p - 0.1 * g
            return loss

        outcomes = []
        for run in (step, compile(step)):
            rng, seen, p = np.random.default_rng(0), [], Value(1.0)
            losses = [float(run(x)) for x in (0.0, 1.0, 0.0, 2.0)]
            outcomes.append((losses, seen, p.data))
        assert outcomes[0][0] == pytest.approx(outcomes[1][0], rel=1e-12)
        assert outcomes[0][1] == pytest.approx(outcomes[1][1], rel=1e-12)
        assert outcomes[0][2] == pytest.approx(outcomes[1][2], rel=1e-12)

    @pytest.mark.parametrize("numba", [True, False])
    def test_of_many_numbers(self, numba, monkeypatch):
        if not numba:
            monkeypatch.setattr("autograd_core.program.scalar_executor.has_numba", lambda: False)

        def f(w):
            logs = [np.where(w[0] > 0, np.log(w[0] * i) * w[i], w[i]) for i in range(1, 30)]
            return sum(logs)

        compiled, w = compile(value_and_grad(f)), [1.0 + i for i in range(30)]
        for first in (2.0, 0.0, 3.0, 0.0):
            w[0] = first
            value, slope = compiled(w)
            expected, expected_slope = value_and_grad(f)(w)
            assert value == pytest.approx(expected, rel=1e-12)
            assert slope == pytest.approx(expected_slope, rel=1e-12)

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: np.where(x > 0, np.sqrt(x), 0.0),
            lambda x: np.where(x > 0, x * np.log(x), 0.0),
            lambda x: np.where(x != 0, 1.0 / x, 0.0) @ np.ones(4),
            lambda x: softmax(np.where(x > 0, np.log(x), 0.0) + np.ones((2, 4))),
            lambda x: np.sqrt(x)[1:3] * x[0],
        ],
    )
    def test_leave_out_what_their_own_data_leave_out(self, f, monkeypatch):
        of_f = grad(lambda x: np.sum(f(x) ** 3))
        compiled = compile(of_f)
        compiled(np.array([0.0, 1.0, 2.0, 0.0]))
        monkeypatch.setattr(RecordedCall, "_answered", None)  # the program itself answers
        for x in ([0.0, 1.0, 2.0, 0.0], [1.0, 0.5, 3.0, 2.0], [0.5, 1.0, 2.0, 0.0]):
            assert compiled(np.array(x)) == pytest.approx(of_f(np.array(x)), rel=1e-13)
        assert compiled.traces == 1

    def test_inside_another_function_pass_on_what_was_chosen(self):
        root = compile(np.sqrt)
        assert np.isnan(grad(lambda x: root(x) ** 2)(0.0))
        assert grad(lambda x: np.where(x > 0, root(x), 0.0))(0.0) == 0.0
        assert hessian(lambda x: np.where(x > 0, root(x) * x, 0.0))(0.0) == 0.0
        positive = compile(lambda x: np.where(x > 0, x, 0.0) * 2.0)
        assert grad(lambda x: positive(np.sqrt(x)))(0.0) == 0.0


@pytest.mark.parametrize("y", [1.0, 2.0, 3.0, 1.5, 4.0])
def test_powers_at_base_zero_have_their_limits_from_the_right(y):
    # Of y x^(y-1), x^y log x, ... as x goes to 0
    def limit(power):
        return 0.0 if power > 0 else 1.0 if power == 0 else INF

    f = lambda p: p[0] ** p[1]  # noqa: E731
    mixed = 0.0 if y > 1 else -INF
    curved = y * (y - 1) * limit(y - 2) if y != 1 else 0.0
    for h in (hessian(f), compile(hessian(f))):
        assert h(np.array([0.0, y])).tolist() == [[curved, mixed], [mixed, 0.0]]
    assert grad(f)(np.array([0.0, y])).tolist() == [y * limit(y - 1), 0.0]
    constant = np.array([0.0, 0.0])
    assert np.diag(hessian(lambda x: np.sum(x**y))(constant)).tolist() == [curved, curved]
    assert grad(grad(lambda x: x**y))(0.0) == curved


def test_the_second_derivatives_of_powers_are_those_of_jax():
    for point in ([2.0, 0.0], [0.5, 3.0], [1.5, -2.0], [2.0, 0.5]):
        expected = jax.hessian(lambda p: p[0] ** p[1])(jnp.array(point))
        found = hessian(lambda p: p[0] ** p[1])(np.array(point))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_logsumexp_by_rows_of_which_some_are_left_out():
    x = np.array([[1.0, 2.0], [NAN, 3.0]])
    g = grad(lambda x: np.sum(np.where([True, False], logsumexp(x, axis=1), 0.0)))(x)
    np.testing.assert_allclose(g, [np.exp(x[0]) / np.exp(x[0]).sum(), [0.0, 0.0]], rtol=1e-12)


LENGTH = np.linalg.norm
SQUARED_LENGTHS = {
    "power": lambda x: LENGTH(x) ** 2,
    "square": lambda x: np.square(LENGTH(x)),
    "product": lambda x: LENGTH(x) * LENGTH(x),
    "polynomial": lambda x: (3 * LENGTH(x) ** 2 - LENGTH(x) ** 3) / 3,
    "by rows": lambda x: np.sum(LENGTH(x[None], axis=1) ** 2),
    "kept axes": lambda x: np.mean(LENGTH(np.stack([x, x]), axis=1, keepdims=True) ** 2),
    "hypot": lambda x: np.hypot(x[0], x[1]) ** 2,
    "absolute": lambda x: np.sum(np.abs(x) ** 2),
}


@pytest.mark.parametrize("f", SQUARED_LENGTHS.values(), ids=SQUARED_LENGTHS)
def test_squared_lengths_have_the_second_derivatives_of_squares(f):
    for h in (hessian(f), compile(hessian(f))):
        assert h(np.zeros(2)) == pytest.approx(2 * np.eye(2))
    x = np.array([3.0, 4.0])
    cube = 0.0 if f is not SQUARED_LENGTHS["polynomial"] else 1.0
    bent = cube * (np.outer(x, x) / 5 + 5 * np.eye(2))  # of the cube of the length, over 3
    assert hessian(f)(x) == pytest.approx(2 * np.eye(2) - bent)


@pytest.mark.parametrize("weights", [3.0, [3.0, -0.5], [[3.0], [-0.5], [2.0]]], ids=str)
def test_a_cotangent_that_is_a_multiple_of_a_length_has_derivatives_at_length_0(weights):
    def pulled(x):  # x * weights, since a length times its direction is x
        lengths, pull = vjp(lambda x: LENGTH(x, axis=1), x)
        return pull(lengths * weights)[0]

    c = np.random.default_rng(0).normal(size=(3, 5, 2))
    found = grad(lambda x: np.sum(pulled(x) * c))(np.zeros((3, 5, 2)))
    np.testing.assert_allclose(found, c * (np.ones((3, 2)) * weights)[:, None], rtol=1e-15)


# Products with a length, and what is computed from it but is none
PRODUCTS = {
    "itself": lambda length: length,
    "on the left": lambda length: length * 3.0,
    "on the right": lambda length: 3.0 * length,
    "quotient": lambda length: length / 3.0,
    "negative": lambda length: -length,
    "square": lambda length: np.square(3.0 * length),
    "power": lambda length: (3.0 * length) ** 3.0,
    "first power": lambda length: (3.0 * length) ** 1.0,
    "sum": lambda length: 2.0 * length + length**2,
    "difference": lambda length: 2.0 * length - length**2,
}
OTHERS = {
    "divisor": lambda length: 3.0 / length,
    "reciprocal": np.reciprocal,
    "root": np.sqrt,
    "half power": lambda length: length**0.5,
    "power with an exponent to be learnt": lambda length: length ** Value(2.0),
    "another length": lambda length: np.hypot(length, 3.0),
    "first term": lambda length: length + 3.0,
    "second term": lambda length: 3.0 - length,
    "of another vector": lambda length: np.hypot(length.x, 3.0),
    "of one more": lambda length: np.hypot(3.0, length.y),
    "of the same numbers": lambda length: length.x * length.y,
}


@pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS)
def test_a_length_is_divided_out_of_a_product(f):
    length = np.hypot(Value(1.5), Value(2.0))
    assert without_factor(f(length), length) == pytest.approx(f(2.5) / 2.5, rel=1e-14)


@pytest.mark.parametrize("f", OTHERS.values(), ids=OTHERS)
def test_a_length_is_not_divided_out_of_what_is_no_product(f):
    length = np.hypot(Value(1.5), Value(2.0))
    assert without_factor(f(length), length) is None


def test_a_length_along_another_axis_is_another_length():
    x = Value(np.ones((2, 2)))
    along, again, across = (np.linalg.norm(x, axis=axis) for axis in (0, 0, 1))
    assert without_factor(again, along) == 1.0
    assert without_factor(across, along) is None


@pytest.mark.parametrize(
    "step", [lambda g, length: -g, lambda g, length: 3.0 * g, lambda g, length: length - g]
)
@pytest.mark.parametrize(("steps", "is_seen"), [(7, True), (8, False), (3000, False)])
def test_a_product_is_followed_over_seven_operations(step, steps, is_seen):
    length = g = np.hypot(Value(1.5), Value(2.0))
    for _ in range(steps):
        g = step(g, length)
    assert (without_factor(g, length) is not None) == is_seen


def test_a_squared_standard_deviation_is_a_variance():
    x = np.full(3, 1.5)
    expected = hessian(np.var)(x)
    assert hessian(lambda x: np.std(x) ** 2)(x) == pytest.approx(expected)
    assert compile(hessian(lambda x: np.std(x) ** 2))(x) == pytest.approx(expected)


def test_second_derivatives_of_a_length_of_0_are_nan_as_in_jax():
    assert np.isnan(hessian(LENGTH)(np.zeros(2))).all()
    assert np.isnan(hessian(np.std)(np.ones(2))).all()
    assert np.isnan(hessian(lambda x: np.hypot(x[0], x[1]))(np.zeros(2))).all()


@pytest.mark.parametrize("p", [3, 0.5, 2.5, -1, -2, -3])
@pytest.mark.parametrize(
    "x", [[1e-200, 2e-200], [1e200, 1e200], [5e-324, 0.0], [0.0, 0.0], [1.0, 0.0], [3.0, 4.0]]
)
def test_norms_have_numpy_s_value_and_no_gradient_0_where_powers_are_no_floats(x, p):
    def norm(x):
        return np.linalg.norm(x, p)

    x = np.array(x)
    expected = pytest.approx(norm(x), rel=1e-14, abs=0, nan_ok=True)
    assert norm(Value(x)).data == expected
    assert compile(norm)(x) == expected
    slopes = grad(norm)(x)
    assert compile(grad(norm))(x) == pytest.approx(slopes, rel=1e-12, nan_ok=True)
    if x.all():
        with mp.workdps(50):
            sizes = [mp.mpf(n) for n in x.tolist()]
            total = sum(n**p for n in sizes)
            right = [float(n ** (p - 1) * total ** (mp.mpf(1) / p - 1)) for n in sizes]
        assert np.all(np.isclose(slopes, right, rtol=1e-12) | ~np.isfinite(slopes))
    elif p > 0 and not x.any():
        assert slopes.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.linalg.norm, [1e200, 1e200], [NAN, NAN]),
        (np.linalg.norm, [1e200, 0.0], [NAN, NAN]),
        (lambda x: np.linalg.norm(x, "fro"), [[1e200, 1e200]], [[NAN, NAN]]),
        (lambda x: np.sum(np.linalg.norm(x, axis=1)), [[1e200, 1.0], [3.0, 4.0]],
         [[NAN, NAN], [0.6, 0.8]]),
        (np.std, [1e200, -1e200], [NAN, NAN]),
        (lambda x: np.hypot(x[0], x[1]), [1.5e308, 1.5e308], [NAN, NAN]),
        (lambda x: np.hypot(x[0], x[1]), [1e200, 1e200], [0.5**0.5, 0.5**0.5]),
        (np.var, [1e200, -1e200], [1e200, -1e200]),
    ],
)  # fmt: skip
def test_a_length_that_overflows_has_no_direction(f, x, expected):
    x = np.array(x)
    for derivative in (grad(f), compile(grad(f)), grad(compile(f))):
        assert derivative(x) == pytest.approx(np.array(expected), rel=1e-12, nan_ok=True)


class TestLogsumexpOfNothing:
    def test_has_derivative_0_whatever_comes_after_it(self):
        with np.errstate(divide="ignore"):
            chain = np.log([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])
            start = np.log([1.0, 0.0, 0.0])

        def score(e):
            return logsumexp(logsumexp((start + e)[:, None] + chain, axis=0))

        for f in (grad(score), compile(grad(score)), grad(compile(score))):
            assert f(np.zeros(3)).tolist() == [1.0, 0.0, 0.0]
        assert hessian(score)(np.zeros(3)).tolist() == np.zeros((3, 3)).tolist()
        assert grad(logsumexp)(np.full(2, -INF)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_crossentropy"])
def test_samples_of_weight_0_may_hold_nan(loss, jit):
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(12, 4)), rng.integers(0, 2, 12) * 1.0, np.ones(12)
    weights[[3, 5]] = 0.0
    spoilt_x, spoilt_y = x.copy(), y.copy()
    spoilt_x[3], spoilt_y[5] = NAN, NAN

    def trained(x, y):
        nn.set_seed(0)
        layers = [nn.Dense(3, "tanh"), nn.Dense(1, "sigmoid")]
        model = nn.Sequential(layers, input_shape=(4,))
        model.compile(nn.Adam(0.1), loss=loss, jit=jit)
        options = {"epochs": 3, "batch_size": 12, "shuffle": False, "verbose": 0}
        history = model.fit(x, y, sample_weight=weights, **options).history["loss"]
        return np.concatenate([history, *[p.data.ravel() for p in model.parameters()]])

    np.testing.assert_allclose(trained(spoilt_x, spoilt_y), trained(x, y), rtol=1e-5, atol=1e-6)
