"""Data that change between forward and backward are refused, not differentiated."""

import copy
import pickle

import numpy as np
import pytest

import nn
from autograd_core import ChangedDataError, Value, batch, compile, grad, gradients, vjp


def numbers():
    return Value(2.0, label="p")


def arrays():
    return Value([2.0, 2.0], label="p")


def added(p):
    p.data += 1


def assigned(p):
    p.data = p.data * 2


def from_a_value(p):
    p.data = p - 0.5


CHANGES = [added, assigned, from_a_value]


@pytest.mark.parametrize("make", [numbers, arrays])
@pytest.mark.parametrize("change", CHANGES)
class TestAChangeBetweenForwardAndBackward:
    def test_is_refused_by_backward(self, make, change):
        p = make()
        out = (p * p).sum()
        change(p)
        with pytest.raises(ChangedDataError, match=r"multiply.* p = .*\n *why: .*recorded with"):
            out.backward()
        assert not p.has_grad

    def test_is_refused_by_gradients_also_of_what_is_not_differentiated(self, make, change):
        p, x = make(), make()
        out = (p * x).sum()
        change(p)
        with pytest.raises(ChangedDataError):
            gradients(out, [x])

    def test_is_refused_by_a_pullback(self, make, change):
        p, x = make(), make()
        _, pull = vjp(lambda x: x * p, x.data)
        change(p)
        with pytest.raises(ChangedDataError):
            pull(x.data)

    def test_is_refused_where_a_later_part_of_the_graph_saw_it(self, make, change):
        p = make()
        before = (p * p).sum()
        change(p)
        after = (p * p).sum()
        with pytest.raises(ChangedDataError):
            (before + after).backward()

    def test_is_refused_for_what_was_computed(self, make, change):
        p = make()
        out = np.exp(p)
        total = out.sum()
        change(out)
        with pytest.raises(ChangedDataError):
            total.backward()

    def test_leaves_what_is_computed_afterwards_alone(self, make, change):
        p = make()
        (p * p).sum()
        change(p)
        (p * p).sum().backward()
        np.testing.assert_array_equal(p.grad, 2 * p.data)

    def test_leaves_other_graphs_alone(self, make, change):
        p, x = make(), make()
        x.data = x.data + 1  # before its first use
        out = (x * x).sum()
        change(p)
        out.backward()
        np.testing.assert_array_equal(x.grad, 2 * x.data)


def test_steps_of_gradient_descent_change_data_after_each_backward():
    p = Value([1.0, -2.0])
    for _ in range(3):
        p.grad = None
        (p * p).sum().backward()
        p.data -= 0.25 * p.grad
    np.testing.assert_array_equal(p.data, [0.125, -0.25])


def test_a_graph_that_is_kept_may_be_swept_again_until_data_change():
    p = Value(3.0)
    out = p * p
    out.backward()
    out.backward()
    assert p.grad == 12.0
    p.data = 1.0
    with pytest.raises(ChangedDataError):
        out.backward()


def test_a_copy_of_a_value_that_changed_is_a_new_value():
    p = Value(3.0)
    p.data = 2.0
    for twin in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        (twin * twin).backward()
        assert twin.grad == 4.0


def test_a_step_that_is_compiled_is_refused_alike():
    def step(x):
        p = Value(2.0)
        loss = p * p * x
        p.data = p * 2.0
        (g,) = gradients(loss, [p])
        return g

    for f in (step, compile(step)):
        with pytest.raises(ChangedDataError):
            f(1.0)


def test_data_of_outer_values_may_change_after_an_inner_gradient():
    p = Value(2.0)

    def f(x):
        inner = grad(lambda y: p * y * y)(x)
        return inner * x

    assert grad(f)(3.0) == 24.0
    p.data = 1.0
    assert grad(f)(3.0) == 12.0


def test_a_graph_from_before_a_compiled_step_is_refused_after_it():
    p = Value(2.0)
    step = compile(lambda x: setattr(p, "data", p - 0.5 * x))
    step(1.0)
    step(1.0)
    out = p * p
    step(1.0)
    assert p.data == 0.5
    with pytest.raises(ChangedDataError, match="multiply"):
        out.backward()


class TestConstantArraysThatAreFilledAnew:
    """The caller's buffer counts with the numbers that it had at the operation."""

    @pytest.mark.parametrize(
        "operate",
        [
            lambda x, buffer: x * buffer,
            lambda x, buffer: buffer * x,
            np.multiply,
            lambda x, buffer: x * buffer.view(np.memmap),
            lambda x, buffer: np.stack([x, buffer]).prod(axis=0),
            lambda x, buffer: np.einsum("i,i->i", x, buffer),
            lambda x, buffer: x * np.where(buffer > 2.5, x / x, 0) * buffer,
            batch(lambda a, b: a * b),
            lambda x, buffer: batch(lambda a: (a * buffer).sum())(x),
        ],
    )
    def test_in_a_loop(self, operate):
        def total(x):
            buffer, out = np.zeros(2), 0.0
            for k in (1.0, 2.0, 3.0):
                buffer[:] = k
                out = out + operate(x, buffer).sum()
            return out

        def oracle(x):
            out = 0.0
            for k in (1.0, 2.0, 3.0):
                out = out + operate(x, np.full(2, k)).sum()
            return out

        x, y = Value([2.0, 5.0]), Value([2.0, 5.0])
        total(x).backward()
        oracle(y).backward()
        np.testing.assert_array_equal(x.grad, y.grad)

    def test_weights_times_a_buffer(self):
        x, buffer, total = Value([2.0, 5.0]), np.zeros(2), 0.0
        for k in (1.0, 2.0, 3.0):
            buffer[:] = k
            total = total + (x * buffer).sum()
        total.backward()
        np.testing.assert_array_equal(x.grad, [6.0, 6.0])

    def test_a_batch_that_a_layer_has_seen(self):
        x = np.array([[1.0, 2.0], [3.0, 4.0]])
        layer = nn.Dense(1)
        out = layer(x).sum()
        x[:] = 0.0
        out.backward()
        np.testing.assert_array_equal(layer.weight.grad, [[4.0, 6.0]])

    def test_inside_one_sample_of_a_batch(self):
        def f(x):
            buffer, out = np.zeros(2), 0.0
            for k in (1.0, 2.0):
                buffer[:] = k
                out = out + (x * buffer).sum()
            return out

        np.testing.assert_array_equal(batch(f)(np.array([1.0, 2.0])), [6.0, 12.0])


class TestAPullbackAfterItsArraysChanged:
    def test_arguments(self):
        a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
        _, pullback = vjp(lambda x, parts: x * x * parts["b"], a, {"b": b})
        a *= 0
        b *= 0
        of_a, of_parts = pullback(np.ones(2))
        np.testing.assert_array_equal(of_a, [6.0, 16.0])
        np.testing.assert_array_equal(of_parts["b"], [1.0, 4.0])

    def test_the_output(self):
        a = np.array([1.0, 2.0])
        out, pullback = vjp(np.exp, a)
        out -= 1
        np.testing.assert_allclose(pullback(np.ones(2))[0], np.exp(a))

    def test_one_of_two_outputs_that_are_the_same(self):
        a = np.array([1.0, 2.0])
        (first, second), pullback = vjp(lambda x: [y := np.exp(x), y], a)
        first -= 1
        np.testing.assert_array_equal(second, np.exp(a))
        np.testing.assert_allclose(pullback([np.ones(2), np.ones(2)])[0], 2 * np.exp(a))

    def test_an_argument_that_is_the_output(self):
        a = np.array([1.0, 2.0])
        out, pullback = vjp(lambda x: x, a)
        out += 1
        np.testing.assert_array_equal(a, [1.0, 2.0])
        np.testing.assert_array_equal(pullback(np.ones(2))[0], [1.0, 1.0])
