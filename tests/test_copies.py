"""Copies and pickles of Values, primitives, compiled functions, models and callbacks."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import nn
from autograd_core import (
    AutogradError,
    ChangedDataError,
    GradientWarning,
    Primitive,
    UnsupportedError,
    Value,
    compile,
    grad,
    gradients,
    hessian,
    jvp,
    no_grad,
    primitives,
    vjp,
)
from nn import Dense, Sequential
from tests.every_layer import KINDS, example, samples

LENGTH = 100_000  # far beyond Python's limit of recursion


def through_pickle(thing):
    return pickle.loads(pickle.dumps(thing))


BOTH = pytest.mark.parametrize("duplicate", [copy.deepcopy, through_pickle])

cube = Primitive("cube", lambda x: x**3, lambda g, out, x: g * 3 * x**2)


def double(x):
    return x + x


@compile
def triple(x):
    return 3.0 * x


class Doubler:
    def __init__(self):
        self.factor = Value(2.0)

    def act(self, x):
        return self.factor * x


class TestValues:
    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, through_pickle])
    def test_of_results_of_no_grad_are_refused_a_derivative_as_these_are(self, duplicate):
        x = Value(3.0)
        with no_grad():
            computed = x * x
        twin = duplicate(computed)
        assert twin.data == 9.0
        with pytest.raises(UnsupportedError, match="computed inside no_grad"):
            twin.backward()
        with pytest.raises(UnsupportedError, match="computed inside no_grad"):
            gradients(twin, [x])

    @BOTH
    def test_that_were_computed_are_refused_however_long_the_graph(self, duplicate):
        x = Value(1.0, label="x")
        for _ in range(LENGTH):
            x = x * 1.0
        with pytest.raises(UnsupportedError, match=r"what multiply computed, 1\n(.|\n)*v\.data"):
            duplicate([x])

    @BOTH
    def test_whose_gradient_has_a_graph_are_refused(self, duplicate):
        x = Value(3.0)
        (x * x).backward(create_graph=True)
        with pytest.raises(UnsupportedError):
            duplicate(x)
        x.grad = x.grad.data
        assert duplicate(x).grad == 6.0

    def test_that_were_computed_have_shallow_copies_of_the_same_inputs(self):
        x = Value(3.0)
        square = x * x
        twin = copy.copy(square)
        (twin + square).backward()
        assert (twin is square, twin.inputs, x.grad) == (False, (x, x), 12.0)

    def test_that_were_computed_stay_as_old_in_shallow_copies(self):
        x = Value(3.0)
        square = x * x
        x.data = 5.0
        with pytest.raises(ChangedDataError):
            copy.copy(square).backward()

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
    def test_that_are_differentiated_keep_the_graph_in_copies(self, duplicate):
        assert grad(lambda x: duplicate(x) * x)(3.0) == 6.0
        assert grad(lambda p: duplicate(p)["w"] ** 2)({"w": 3.0}) == {"w": 6.0}
        assert jvp(lambda x: duplicate(x) * x, (3.0,), (1.0,)) == (9.0, 6.0)
        assert hessian(lambda x: duplicate(x) * x * x)(3.0) == 18.0
        (slope,) = vjp(lambda x: duplicate(x) * x, np.array([3.0, 4.0]))[1](np.ones(2))
        np.testing.assert_array_equal(slope, [6.0, 8.0])

    def test_that_are_differentiated_are_refused_by_pickle(self):
        with pytest.raises(UnsupportedError, match="an argument of a function"):
            grad(lambda x: through_pickle(x) * x)(3.0)

    def test_as_new_values_are_leaves_which_is_warned_of_once(self):
        x = Value(3.0, label="x")
        for expected in ([GradientWarning], []):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                twin = Value(x)
                assert [w.category for w in caught] == expected
        assert (twin.data, twin.inputs) == (3.0, ())
        with no_grad():
            Value(x)

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_come_back_from_pickles_of_every_protocol(self, protocol):
        found = pickle.loads(pickle.dumps(Value([1.0, 2.0], label="v"), protocol))
        assert (found.data.tolist(), found.label) == ([1.0, 2.0], "v")

    @BOTH
    def test_that_are_shared_stay_shared(self, duplicate):
        x = Value(2.0)
        first, second = duplicate([x, (x,)])
        assert first is second[0] is not x

    @BOTH
    def test_of_ones_own_class_keep_their_attributes(self, duplicate):
        class Weight(Value):
            pass

        globals()["Weight"] = Weight
        Weight.__qualname__ = "Weight"
        weight = Weight(1.0)
        weight.decay = 0.5
        assert duplicate(weight).decay == 0.5

    def test_of_another_process_are_younger_than_what_is_computed_here(self):
        """A node is younger than its inputs: their age there says nothing about it here."""
        x = Value(3.0)
        x.index = 10**12
        twin = through_pickle(x)
        assert twin.index < Value(0.0).index
        assert compile(lambda y: y * twin)(2.0) == 6.0
        assert grad(lambda y: twin * y * twin)(2.0) == 9.0


class TestPrimitives:
    def test_of_the_table_come_back_by_name(self):
        parts = [vars(part) for part in vars(primitives).values() if hasattr(part, "__dict__")]
        table = [each for part in parts for each in part.values() if isinstance(each, Primitive)]
        assert len({each.name for each in table}) > 80
        assert all(through_pickle(each) is each for each in table)

    def test_of_ones_own_come_back_by_name(self):
        assert through_pickle(Dense(2, cube)).activation is cube

    def test_that_no_module_has_are_refused_in_pickles_and_shared_by_copies(self):
        own = Primitive("own", lambda x: x, lambda g, out, x: g)
        with pytest.raises(UnsupportedError, match=r"own(.|\n)*at the top of a module"):
            pickle.dumps(Dense(2, own))
        assert copy.deepcopy(Dense(2, own)).activation is copy.copy(own) is own


class TestCompiledFunctions:
    @pytest.mark.parametrize("f", [triple, compile(double), compile(np.exp)], ids=["@", "f", "np"])
    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, through_pickle])
    def test_come_back_and_record_anew(self, f, duplicate):
        expected = f(2.0)
        assert duplicate(f)(2.0) == expected

    @BOTH
    def test_of_methods_belong_to_the_copy(self, duplicate):
        first = Doubler()
        first.step = compile(first.act)
        first.step(1.0)
        second = duplicate(first)
        second.factor.data = 5.0
        assert (first.step(1.0), second.step(1.0)) == (2.0, 5.0)

    def test_without_a_name_are_refused_in_pickles(self):
        f = compile(lambda x: x + 1.0)
        with pytest.raises(UnsupportedError, match=r"compiled (.|\n)*at the top of a module"):
            pickle.dumps(f)
        assert copy.deepcopy(f)(1.0) == 2.0


class TestModels:
    @BOTH
    @pytest.mark.parametrize("jit", [False, True])
    @pytest.mark.filterwarnings("ignore:a mask of padded steps before Flatten")
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_in_training_have_copies_that_go_on_alike(self, kind, jit, duplicate):
        x = samples(kind, 6)
        nn.set_seed(0)
        model = Sequential([example(kind), nn.Flatten(), Dense(1)])
        model.compile("adam", "mse", jit=jit)
        history = model.fit(x, np.ones(6), verbose=0)
        twin = duplicate(history).model
        assert twin is not model
        for each in (model, twin):
            nn.set_seed(1)
            each.fit(x, np.ones(6), verbose=0)
        state = twin.state_dict()
        for name, data in model.state_dict().items():
            np.testing.assert_allclose(state[name], data, rtol=1e-12)

    @BOTH
    def test_that_are_being_trained_have_copies(self, duplicate):
        copies = []

        class Copying(nn.Callback):
            def on_train_batch_end(self, batch, logs):
                copies.append(duplicate(vars(self.model)))

        model = Sequential([Dense(2, "tanh"), Dense(1)])
        model.compile("sgd", "mse", jit=True)
        model.fit(np.ones((64, 2)), np.ones(64), verbose=0, callbacks=[Copying()])
        layers = copies[0]["layers"]
        layers[0].weight.data = layers[0].weight.data * 0.0
        assert len(copies) == 2
        assert np.abs(model.layers[0].weight.data).min() > 0.0

    @BOTH
    def test_of_single_numbers_and_with_an_energy(self, duplicate):
        mlp = nn.MLP(2, [3, 1])
        assert duplicate(mlp)([1.0, 2.0]).data == mlp([1.0, 2.0]).data
        hopfield = nn.Hopfield(4)
        assert np.array_equal(duplicate(hopfield).weight, hopfield.weight)

    @BOTH
    def test_that_hold_what_they_computed_say_what_to_do(self, duplicate):
        model = nn.Module()
        model.latest = Value(np.ones(2)) * 2.0
        with pytest.raises(AutogradError, match=r"v\.data"):
            duplicate(model)
