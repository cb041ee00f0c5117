"""Perceptron: the step, the rule, its record, its end, and what it refuses."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import Perceptron as Oracle

from autograd_core import DomainError, OptionError, ShapeError, Value
from nn import activations
from nn.mistakes import TrainingWarning
from nn.perceptron import Perceptron, Update

CORNERS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
OR, XOR = [0, 1, 1, 1], [0, 1, 1, 0]


def separable(seed, outputs=(0, 1)):
    """Return samples on both sides of a line, with a gap, and their targets."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 2))
    z = x @ [1.0, -2.0] + 0.5
    kept = abs(z) > 0.1
    return x[kept], np.where(z[kept] >= 0, outputs[1], outputs[0])


class TestOutput:
    def test_it_fires_from_zero_on(self):
        perceptron = Perceptron.of([1.0], bias=-2.0)
        assert [perceptron([x]).data for x in (1.999, 2.0, 3.0)] == [0.0, 1.0, 1.0]

    def test_signs(self):
        perceptron = Perceptron.of([1.0], bias=-2.0, outputs=(-1, 1))
        assert [perceptron([x]).data for x in (1.999, 2.0, 3.0)] == [-1.0, 1.0, 1.0]

    def test_columns_rows_and_predictions(self):
        perceptron = Perceptron.of([1, 1], bias=-1)
        x = np.array(CORNERS)
        assert perceptron(list(x.T)).data.tolist() == OR
        assert perceptron(x).data.tolist() == [[y] for y in OR]
        predicted = perceptron.predict(CORNERS, batch_size=3)
        assert isinstance(predicted, np.ndarray)
        assert predicted.tolist() == OR

    def test_it_starts_at_zero(self):
        assert [p.data for p in Perceptron(2).parameters()] == [0.0, 0.0, 0.0]
        assert [w.data for w in Perceptron(2, initializer="ones").w] == [1.0, 1.0]

    def test_the_step_stands_in_the_graph_and_passes_no_derivative_on(self):
        perceptron = Perceptron.of([1], bias=-1, outputs=(-1, 1))
        x = Value(2.0)
        out = perceptron([x])
        out.backward()
        graph = [out]
        for node in graph:
            graph += [other for other in node.inputs if isinstance(other, Value)]
        leaves = {id(node) for node in graph if not node.inputs}
        assert {id(p) for p in [*perceptron.parameters(), x]} <= leaves
        assert [p.grad for p in [*perceptron.parameters(), x]] == [0.0, 0.0, 0.0]

    def test_repr_and_configuration(self):
        perceptron = Perceptron(3, outputs=[-1, 1], use_bias=False)
        assert repr(perceptron) == "Perceptron(3)"
        config = perceptron.config()
        assert (config["nin"], config["outputs"], config["use_bias"]) == (3, (-1, 1), False)
        assert perceptron.activation is activations.step
        assert repr(Perceptron(**config)) == repr(perceptron)


class TestFit:
    @pytest.mark.parametrize("outputs", [(0, 1), (-1, 1)])
    @pytest.mark.parametrize("seed", range(3))
    def test_it_separates_what_can_be_separated(self, outputs, seed):
        x, y = separable(seed, outputs)
        perceptron = Perceptron(2, outputs=outputs)
        updates = perceptron.fit(x, y, epochs=1000)
        np.testing.assert_array_equal(perceptron.predict(x), y)
        assert updates

    def test_every_update_is_recorded(self):
        perceptron = Perceptron(2)
        updates = perceptron.fit(CORNERS, OR, learning_rate=0.5)
        assert updates[0] == Update(1, (0.0, 0.0), 0.0, 1.0, (0.0, 0.0, 0.0), (-0.5, 0.0, 0.0))
        for update in updates:
            direction = update.target - update.output
            step = 0.5 * direction * np.array([1.0, *update.sample])
            np.testing.assert_allclose(update.after, update.before + step, rtol=1e-12)
        for one, following in pairwise(updates):
            assert one.after == following.before
            assert one.epoch <= following.epoch
        assert updates[-1].after == (perceptron.b.data, *[w.data for w in perceptron.w])

    @pytest.mark.parametrize("outputs", [(0, 1), (-1, 1)])
    def test_a_mistake_moves_the_weights_by_one_sample_for_any_outputs(self, outputs):
        updates = Perceptron(2, outputs=outputs).fit([[2.0, 3.0]], [outputs[0]])
        assert [update.after for update in updates] == [(-1.0, -2.0, -3.0)]

    @pytest.mark.parametrize("use_bias", [True, False])
    def test_it_follows_scikit_learn(self, use_bias):
        x, y = separable(5)
        # Weights that start off 0 see to it that no z is exactly 0, where the two differ
        perceptron = Perceptron.of([0.25, -0.5], bias=0.125 if use_bias else None)
        start = {"coef_init": np.array([[0.25, -0.5]]), "intercept_init": np.array([0.125])}
        oracle = Oracle(shuffle=False, max_iter=3, tol=None, fit_intercept=use_bias)
        oracle.fit(x, y, **(start if use_bias else {"coef_init": start["coef_init"]}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # three epochs need not be enough
            perceptron.fit(x, y, epochs=3)
        np.testing.assert_allclose([w.data for w in perceptron.w], oracle.coef_[0], rtol=1e-12)
        if use_bias:
            assert perceptron.b.data == pytest.approx(oracle.intercept_[0], rel=1e-12)

    def test_it_stops_after_an_epoch_without_mistakes(self):
        perceptron = Perceptron(2)
        updates = perceptron.fit(CORNERS, OR)
        assert updates[-1].epoch < 100
        assert perceptron.fit(CORNERS, OR) == []

    def test_without_bias_the_record_has_none(self):
        perceptron = Perceptron(1, use_bias=False)
        updates = perceptron.fit([[-1.0], [2.0]], [0, 1])
        assert updates == [Update(1, (-1.0,), 0.0, 1.0, (0.0,), (1.0,))]

    def test_targets_may_stand_in_a_column(self):
        perceptron = Perceptron(2)
        perceptron.fit(np.array(CORNERS), np.array(OR)[:, None])
        assert perceptron.predict(CORNERS).tolist() == OR

    def test_no_gradients_and_no_graph_are_left(self):
        perceptron = Perceptron(2)
        perceptron.fit(CORNERS, OR)
        assert not any(p.has_grad for p in perceptron.parameters())
        assert {type(p.data) for p in perceptron.parameters()} == {float}

    def test_it_says_when_no_line_was_found(self):
        perceptron = Perceptron(2)
        with pytest.warns(TrainingWarning, match=r"of 4 samples wrong after 20 epochs") as caught:
            updates = perceptron.fit(CORNERS, XOR, epochs=20)
        assert {update.epoch for update in updates} == set(range(1, 21))
        message = str(caught[0].message)
        assert "perhaps no line separates the classes" in message
        assert "MLP(2, [4, 1])" in message
        assert caught[0].filename == __file__

    def test_it_says_nothing_if_the_last_epoch_found_one(self):
        updates = Perceptron(1).fit([[1.0]], [0], epochs=1)
        assert len(updates) == 1


class TestMistakes:
    @pytest.mark.parametrize("outputs", [(1, 0), (1, 1), (1,), (0, 1, 2)])
    def test_outputs(self, outputs):
        with pytest.raises(OptionError, match="outputs = ") as caught:
            Perceptron(2, outputs=outputs)
        assert caught.value.instead == "outputs=(0, 1) or outputs=(-1, 1)"

    def test_targets_that_are_no_outputs(self):
        with pytest.raises(DomainError, match=r"targets -1.0 for Perceptron\(2\)") as caught:
            Perceptron(2).fit(CORNERS, [-1, 1, 1, 1])
        assert caught.value.why == "its outputs are 0 and 1"
        assert "outputs=(-1, 1)" in caught.value.instead

    @pytest.mark.parametrize("x", [[1.0, 2.0], np.ones((2, 2, 2))])
    def test_samples_that_are_no_rows(self, x):
        with pytest.raises(ShapeError, match="samples of shape") as caught:
            Perceptron(2).predict(x)
        assert "(samples, 2)" in caught.value.instead

    def test_rows_of_another_length(self):
        with pytest.raises(ShapeError, match=r"3 inputs for Perceptron\(2\)"):
            Perceptron(2).fit(np.ones((4, 3)), OR)

    @pytest.mark.parametrize("y", [1.0, [0, 1, 1], np.ones((4, 2))])
    def test_targets_of_another_shape(self, y):
        with pytest.raises(ShapeError, match=r"targets of shape .* for 4 samples") as caught:
            Perceptron(2).fit(CORNERS, y)
        assert caught.value.instead == "y of shape (4,)"

    @pytest.mark.parametrize(
        "options", [{"learning_rate": -1.0}, {"epochs": 0}, {"epochs": 2.5}, {"learning_rate": "a"}]
    )
    def test_options_out_of_range(self, options):
        with pytest.raises(OptionError, match=next(iter(options))):
            Perceptron(2).fit(CORNERS, OR, **options)
