"""Energy-based models: energies, what drives them, sampling, and learning, counted out exactly."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

from autograd_core import DomainError, OptionError, ShapeError, Value, check_gradients, grad
from nn.data import batches
from nn.energy import BoltzmannMachine, Hopfield, RestrictedBoltzmannMachine
from nn.energy.boltzmann import bernoulli
from nn.randomness import set_seed

RANDOM = np.random.default_rng(0)
EVEN_PARITY = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]


@pytest.fixture(autouse=True)
def _seeded():
    """Let every test see the same numbers, alone and among others."""
    set_seed(0)
    RANDOM.bit_generator.state = np.random.default_rng(0).bit_generator.state


def patterns(count, units):
    return RANDOM.choice([-1, 1], (count, units))


def corrupted(pattern, share):
    """Return the pattern with a share of its bits turned over."""
    turned = RANDOM.permutation(len(pattern)) < round(share * len(pattern))
    return np.where(turned, -pattern, pattern)


def all_states(units):
    return np.array(list(itertools.product([0.0, 1.0], repeat=units)))


class TestHopfieldEnergy:
    def test_weights_are_hebb_s(self):
        p = patterns(3, 8)
        weight = Hopfield(8).store(p).weight
        for i, j in itertools.product(range(8), repeat=2):
            assert weight[i, j] == (0 if i == j else np.dot(p[:, i], p[:, j]) / 8)

    def test_patterns_may_be_stored_one_after_the_other(self):
        p = patterns(3, 8)
        one_by_one = Hopfield(8)
        for pattern in p:
            assert one_by_one.store(pattern) is one_by_one
        np.testing.assert_allclose(one_by_one.weight, Hopfield(8).store(p).weight, rtol=1e-15)

    def test_energy_is_the_double_sum(self):
        memory = Hopfield(6).store(patterns(2, 6))
        memory.bias = RANDOM.normal(size=6)
        states = patterns(4, 6)
        for state, energy in zip(states, memory.energy(states), strict=True):
            pairs = sum(
                memory.weight[i, j] * state[i] * state[j] for i in range(6) for j in range(6)
            )
            assert energy == pytest.approx(-pairs / 2 - np.dot(memory.bias, state), rel=1e-12)
            assert memory.energy(state) == pytest.approx(energy)
            assert type(memory.energy(state)) is float

    def test_its_gradient_is_minus_the_field(self):
        memory = Hopfield(6).store(patterns(2, 6))
        memory.bias = RANDOM.normal(size=6)
        state = patterns(1, 6)[0].astype(float)
        expected = memory.weight @ state + memory.bias
        np.testing.assert_allclose(grad(memory.energy)(state), -expected, rtol=1e-12)
        np.testing.assert_allclose(memory.field(state), expected, rtol=1e-12)
        check_gradients(memory.energy, RANDOM.normal(size=(2, 6)))
        assert isinstance(memory.energy(Value(state)), Value)

    def test_each_stored_pattern_alone_is_at_rest_in_a_valley(self):
        p = patterns(1, 20)[0]
        memory = Hopfield(20).store(p)
        assert memory.energy(p) == pytest.approx(-(20 - 1) / 2)
        found = memory.recall(p)
        assert found.settled
        assert len(found.states) == 1
        np.testing.assert_array_equal(memory(-p), -p)  # and so is its negative

    def test_what_it_knows_is_saved_and_not_trained(self):
        memory = Hopfield(5).store(patterns(2, 5))
        copy = Hopfield(5)
        copy.load_state_dict(memory.state_dict())
        np.testing.assert_array_equal(copy.weight, memory.weight)
        assert set(memory.state_dict()) == {"weight", "bias"}
        assert memory.parameters() == []


class TestHopfieldRecall:
    def test_energy_falls_with_every_update(self):
        memory = Hopfield(64).store(patterns(12, 64))  # many: long ways
        for _ in range(10):
            found = memory.recall(patterns(1, 64)[0])
            assert found.settled
            assert (np.diff(found.energies) < 0).all()
            assert (np.sum(found.states[1:] != found.states[:-1], axis=1) == 1).all()
            np.testing.assert_allclose(found.energies, memory.energy(found.states))
            np.testing.assert_array_equal(found.state, found.states[-1])
            field = memory.field(found.state)
            assert (field * found.state >= 0).all()

    @pytest.mark.parametrize("share", [0.1, 0.2])
    def test_few_patterns_come_back_from_corrupted_ones(self, share):
        p = patterns(10, 200)
        memory = Hopfield(200).store(p)
        for pattern in p:
            np.testing.assert_array_equal(memory(corrupted(pattern, share)), pattern)

    @pytest.mark.parametrize(("load", "low", "high"), [(0.1, 0.98, 1.0), (0.3, 0.5, 0.8)])
    def test_beyond_0_138_patterns_for_each_unit_memory_breaks_down(self, load, low, high):
        p = patterns(int(load * 200), 200)
        memory = Hopfield(200).store(p)
        overlaps = [np.mean(memory(pattern) == pattern) for pattern in p]
        assert low <= np.mean(overlaps) <= high

    def test_digits(self):
        digits = load_digits()
        images = [digits.data[np.flatnonzero(digits.target == label)[0]] for label in (0, 1, 7)]
        p = np.where(np.array(images) > 4, 1, -1)
        memory = Hopfield(64).store(p)
        for pattern in p:
            np.testing.assert_array_equal(memory(pattern), pattern)
        memory = Hopfield(64).store(p[:2])
        for pattern in p[:2]:
            np.testing.assert_array_equal(memory(corrupted(pattern, 0.1)), pattern)
            half = np.where(np.arange(64) < 32, pattern, -1)  # only the upper half is seen
            np.testing.assert_array_equal(memory(half), pattern)

    def test_all_at_once_two_states_may_follow_each_other_for_ever(self):
        memory = Hopfield(2).store([1, 1])
        found = memory.recall([1, -1], steps=5, synchronous=True)
        assert not found.settled
        np.testing.assert_array_equal(found.states, [[1, -1], [-1, 1]] * 3)
        assert memory.recall([1, -1]).settled

    def test_all_at_once_from_nearby(self):
        p = patterns(3, 200)
        found = Hopfield(200).store(p).recall(corrupted(p[0], 0.1), synchronous=True)
        assert found.settled
        np.testing.assert_array_equal(found.state, p[0])

    def test_a_given_order_decides(self):
        memory = Hopfield(2).store([1, 1])
        np.testing.assert_array_equal(memory.recall([1, -1], order=[0, 1]).state, [-1, -1])
        np.testing.assert_array_equal(memory.recall([1, -1], order=iter([1, 0])).state, [1, 1])

    def test_a_bias_pulls_and_a_field_of_zero_leaves_units_alone(self):
        memory = Hopfield(3)
        np.testing.assert_array_equal(memory([1, -1, 1]), [1, -1, 1])
        memory.bias = np.array([0.0, 1.0, -1.0])
        np.testing.assert_array_equal(memory([1, -1, 1]), [1, 1, -1])

    def test_no_steps(self):
        memory = Hopfield(2).store([1, 1])
        assert not memory.recall([1, -1], steps=0).settled
        assert memory.recall([1, 1], steps=0).settled

    def test_a_seed_repeats_the_way(self):
        memory = Hopfield(64).store(patterns(12, 64))
        start = patterns(1, 64)[0]
        ways = []
        for _ in range(2):
            set_seed(7)
            ways.append(memory.recall(start).states)
        np.testing.assert_array_equal(*ways)

    def test_what_is_given_stays_as_it_is(self):
        start = np.array([1.0, -1.0])
        Hopfield(2).store([1, 1]).recall(start)
        np.testing.assert_array_equal(start, [1.0, -1.0])


class TestHopfieldErrors:
    @pytest.mark.parametrize("method", ["store", "energy", "field", "recall"])
    def test_other_numbers(self, method):
        with pytest.raises(DomainError, match="with the number 0") as caught:
            getattr(Hopfield(3), method)([1, 0, -1])
        assert caught.value.why == "each must be -1 or 1"
        assert caught.value.instead == "np.where(x > 0, 1, -1)"

    @pytest.mark.parametrize("method", ["store", "energy", "field", "recall"])
    def test_other_lengths(self, method):
        with pytest.raises(ShapeError, match=r"shape \(2,\)") as caught:
            getattr(Hopfield(3), method)([1, -1])
        assert "each of 3 units" in caught.value.why

    def test_nothing_is_half_stored(self):
        memory = Hopfield(3).store([1, 1, 1])
        before = memory.weight.copy()
        with pytest.raises(DomainError, match="nan"):
            memory.store([[1, 1, 1], [1, 1, np.nan]])
        np.testing.assert_array_equal(memory.weight, before)

    def test_several_states_at_once(self):
        with pytest.raises(ShapeError, match=r"shape \(1, 3\)") as caught:
            Hopfield(3).recall([[1, 1, 1]])
        assert "shape (3,);" in caught.value.instead

    @pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [1, 2, 3]])
    def test_an_order_that_is_none(self, order):
        with pytest.raises(OptionError, match=f"an order of {len(order)} units") as caught:
            Hopfield(3).recall([1, 1, 1], order=order)
        assert "range(3)" in caught.value.instead

    def test_options(self):
        with pytest.raises(OptionError, match="units=0"):
            Hopfield(0)
        with pytest.raises(OptionError, match="steps = -1"):
            Hopfield(3).recall([1, 1, 1], steps=-1)


def restricted(visible, hidden, scale=1.0):
    machine = RestrictedBoltzmannMachine(visible, hidden, "float64")
    for parameter in machine.parameters():
        parameter.data = RANDOM.normal(0.0, scale, parameter.shape)
    return machine


def counted_out(machine):
    """Return all visible states and log p(v) of each, from all energies of a small machine."""
    visible, hidden = all_states(machine.visible), all_states(machine.hidden)
    minus = np.array(
        [-machine.energy(np.repeat(v[None], len(hidden), 0), hidden).data for v in visible]
    )
    return visible, np.log(np.exp(minus).sum(1)) - np.log(np.exp(minus).sum())


class TestRestrictedBoltzmannMachine:
    def test_energy_is_the_double_sum(self):
        machine, v, h = restricted(3, 2), all_states(3)[[3, 5]], all_states(2)[[1, 3]]
        w, b, c = machine.weight.data, machine.visible_bias.data, machine.hidden_bias.data
        expected = [
            -sum(b[i] * v[n, i] for i in range(3))
            - sum(c[j] * h[n, j] for j in range(2))
            - sum(h[n, j] * w[j, i] * v[n, i] for i in range(3) for j in range(2))
            for n in range(2)
        ]
        np.testing.assert_allclose(machine.energy(v, h).data, expected, rtol=1e-12)

    def test_free_energy_sums_over_all_hidden_states(self):
        machine, hidden = restricted(3, 2), all_states(2)
        for v in all_states(3):
            energies = machine.energy(np.repeat(v[None], 4, 0), hidden).data
            free = machine.free_energy(v[None]).data
            assert free[0] == pytest.approx(-np.log(np.sum(np.exp(-energies))), rel=1e-12)

    def test_conditional_probabilities_are_those_of_the_energies(self):
        machine = restricted(3, 2)
        for v in all_states(3):
            weights = np.exp(-machine.energy(np.repeat(v[None], 4, 0), all_states(2)).data)
            expected = weights @ all_states(2) / weights.sum()
            np.testing.assert_allclose(machine.hidden_probabilities(v[None]).data[0], expected)
            np.testing.assert_allclose(machine(v[None]).data[0], expected)
        for h in all_states(2):
            weights = np.exp(-machine.energy(all_states(3), np.repeat(h[None], 8, 0)).data)
            expected = weights @ all_states(3) / weights.sum()
            np.testing.assert_allclose(machine.visible_probabilities(h[None]).data[0], expected)

    def test_scikit_learn(self):
        machine, v = restricted(6, 4), RANDOM.integers(0, 2, (10, 6)).astype(float)
        theirs = BernoulliRBM(n_components=4).fit(v)
        theirs.components_ = machine.weight.data
        theirs.intercept_hidden_ = machine.hidden_bias.data
        theirs.intercept_visible_ = machine.visible_bias.data
        np.testing.assert_allclose(
            machine.hidden_probabilities(v).data, theirs.transform(v), rtol=1e-12
        )
        np.testing.assert_allclose(machine.free_energy(v).data, theirs._free_energy(v), rtol=1e-12)

    def test_the_gradient_is_the_difference_of_correlations(self):
        machine = restricted(5, 3)
        data, end = RANDOM.uniform(size=(7, 5)), all_states(5)[RANDOM.integers(0, 32, 9)]
        machine.contrast(data, end).backward()

        def means(v):
            h = machine.hidden_probabilities(v).data
            return h.T @ v / len(v), v.mean(0), h.mean(0)

        parameters = machine.weight, machine.visible_bias, machine.hidden_bias
        for p, of_data, of_chain in zip(parameters, means(data), means(end), strict=True):
            np.testing.assert_allclose(p.grad, of_chain - of_data, rtol=0, atol=1e-12)

    def test_energies_are_differentiable_to_second_order(self):
        machine = restricted(3, 2)
        check_gradients(machine.energy, RANDOM.uniform(size=(2, 3)), RANDOM.uniform(size=(2, 2)))
        check_gradients(machine.free_energy, RANDOM.uniform(size=(2, 3)))

    def test_starts_small_and_in_the_type_asked_for(self):
        machine = RestrictedBoltzmannMachine(100, 50)
        shapes = {name: p.shape for name, p in machine.named_parameters().items()}
        assert shapes == {"weight": (50, 100), "visible_bias": (100,), "hidden_bias": (50,)}
        assert {p.dtype for p in machine.parameters()} == {np.dtype(np.float32)}
        assert machine.weight.data.std() == pytest.approx(0.01, rel=0.05)
        assert not machine.visible_bias.data.any()
        assert not machine.hidden_bias.data.any()
        machine.fit(RANDOM.integers(0, 2, (40, 100)), epochs=1, momentum=0.5)
        assert {p.dtype for p in machine.parameters()} == {np.dtype(np.float32)}
        assert machine.samples(2, steps=1).dtype == np.float32
        assert repr(RestrictedBoltzmannMachine(3, 2, np.float64)) == (
            "RestrictedBoltzmannMachine(visible=3, hidden=2, dtype='float64')"
        )

    def test_samples_have_the_conditional_probabilities(self):
        machine, v, h = restricted(3, 2), all_states(3)[[5]], all_states(2)[[2]]
        drawn = machine.sample_hidden(np.repeat(v, 20000, 0))
        assert set(np.unique(drawn)) == {0.0, 1.0}
        np.testing.assert_allclose(
            drawn.mean(0), machine.hidden_probabilities(v).data[0], atol=4 * 0.5 / np.sqrt(20000)
        )
        drawn = machine.sample_visible(np.repeat(h, 20000, 0))
        np.testing.assert_allclose(
            drawn.mean(0), machine.visible_probabilities(h).data[0], atol=4 * 0.5 / np.sqrt(20000)
        )

    def test_long_chains_have_the_exact_probabilities(self):
        machine = restricted(3, 2)
        _, logs = counted_out(machine)
        numbers = machine.samples(20000, steps=30) @ [4, 2, 1]
        shares = np.bincount(numbers.astype(int), minlength=8) / 20000
        np.testing.assert_allclose(shares, np.exp(logs), atol=4 * 0.5 / np.sqrt(20000))

    def test_no_steps_of_gibbs_sampling(self):
        v = all_states(3)
        np.testing.assert_array_equal(restricted(3, 2).gibbs(v, steps=0), v)

    def test_sampling_records_nothing(self):
        machine = restricted(3, 2)
        for out in (machine.gibbs(all_states(3)), machine.reconstruction(all_states(3))):
            assert isinstance(out, np.ndarray)

    @pytest.mark.no_cover
    @pytest.mark.parametrize("persistent", [False, True])
    def test_learning_raises_the_exact_likelihood(self, persistent):
        x = np.array([[1, 1, 0], [0, 0, 1]] * 200)
        machine = RestrictedBoltzmannMachine(3, 2, "float64")
        chosen = [6, 1]

        def likelihood():
            return counted_out(machine)[1][chosen].mean()

        likelihoods = [likelihood()]
        for _ in range(2):
            machine.fit(x, 200, 400, learning_rate=0.5, k=20, persistent=persistent)
            likelihoods.append(likelihood())
        assert (np.diff(likelihoods) > 0).all()
        # Both rows have half of the probability at best, and 1 / 8 at the start
        assert likelihoods[0] < np.log(1 / 7) < np.log(0.45) < likelihoods[-1] < np.log(1 / 2)

    def test_fit_returns_the_reconstruction_errors(self):
        x = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]] * 20)
        machine = RestrictedBoltzmannMachine(6, 2, "float64")
        errors = machine.fit(x, epochs=40, learning_rate=0.5, batch_size=7, momentum=0.5)
        assert len(errors) == 40
        assert errors[0] > 0.2
        assert errors[-1] < 0.02
        assert errors[-1] == np.mean((x - machine.reconstruction(x)) ** 2)

    def test_one_step_goes_down_the_contrast(self):
        machine, x = restricted(3, 2), all_states(3)
        before = machine.state_dict()
        set_seed(4)
        machine.fit(x, epochs=1, batch_size=8, learning_rate=0.25)
        after = machine.state_dict()
        machine.load_state_dict(before)
        machine.zero_grad()
        set_seed(4)
        (batch,) = batches(x, batch_size=8, shuffle=True)
        machine.contrast(batch, machine.gibbs(batch)).backward()
        for name, parameter in machine.named_parameters().items():
            np.testing.assert_allclose(after[name], before[name] - 0.25 * parameter.grad)

    def test_a_seed_repeats_the_run(self):
        runs = []
        for _ in range(2):
            set_seed(5)
            machine = RestrictedBoltzmannMachine(3, 2)
            runs.append((machine.fit(all_states(3), epochs=3), machine.samples(4, 5).tolist()))
        assert runs[0] == runs[1]

    def test_wrong_shapes_and_numbers(self):
        machine = restricted(3, 2)
        with pytest.raises(ShapeError, match=r"visible states of shape \(3,\)") as caught:
            machine.free_energy([0, 1, 0])
        assert "shape (batch, 3)" in caught.value.instead
        with pytest.raises(ShapeError, match=r"hidden states of shape \(4, 3\)"):
            machine.visible_probabilities(np.ones((4, 3)))
        with pytest.raises(ShapeError, match=r"visible states of shape \(4, 2\)"):
            machine.energy(Value(np.ones((4, 2))), np.ones((4, 2)))
        with pytest.raises(DomainError, match="with the number 255") as caught:
            machine.fit([[0, 1, 255]])
        assert caught.value.why == "each must be from 0 to 1"
        assert "x / x.max()" in caught.value.instead

    def test_wrong_options(self):
        machine = restricted(3, 2)
        for options in ({"k": 0}, {"epochs": -1}, {"batch_size": 0}, {"learning_rate": -1.0}):
            with pytest.raises(OptionError, match=next(iter(options))):
                machine.fit(all_states(3), **options)
        with pytest.raises(OptionError, match="steps = -1"):
            machine.gibbs(all_states(3), steps=-1)
        with pytest.raises(OptionError, match="visible=0"):
            RestrictedBoltzmannMachine(0, 2)
        with pytest.raises(OptionError, match="hidden=0"):
            RestrictedBoltzmannMachine(2, 0)


def boltzmann(units, visible=None, scale=1.0):
    machine = BoltzmannMachine(units, visible)
    for parameter in machine.parameters():
        parameter.data = RANDOM.normal(0.0, scale, parameter.shape)
    return machine


class TestBoltzmannMachine:
    def test_couplings_are_symmetric_with_zero_diagonal(self):
        machine = boltzmann(4)
        couplings = machine.couplings.data
        np.testing.assert_array_equal(couplings, couplings.T)
        np.testing.assert_array_equal(np.diag(couplings), np.zeros(4))
        upper = np.triu_indices(4, 1)
        np.testing.assert_array_equal(couplings[upper], machine.weight.data[upper])

    def test_energy_is_the_sum_over_pairs(self):
        machine, states = boltzmann(4), all_states(4)
        w, b = machine.weight.data, machine.bias.data
        pairs = list(itertools.combinations(range(4), 2))
        expected = [-sum(w[i, j] * s[i] * s[j] for i, j in pairs) - b @ s for s in states]
        np.testing.assert_allclose(machine.energy(states).data, expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(machine(states).data, expected, rtol=1e-12, atol=1e-14)
        check_gradients(machine.energy, RANDOM.uniform(size=(2, 4)))

    @pytest.mark.parametrize("visible", [None, 4, 3, 1])
    def test_probabilities_count_all_states(self, visible):
        machine = boltzmann(4, visible)
        weights = np.exp(-machine.energy(all_states(4)).data)
        expected = {}
        for state, weight in zip(all_states(4), weights, strict=True):
            key = tuple(state[: machine.visible])
            expected[key] = expected.get(key, 0.0) + weight / weights.sum()
        patterns = [expected[tuple(v)] for v in all_states(machine.visible)]
        np.testing.assert_allclose(machine.probabilities().data, patterns, rtol=1e-12)
        np.testing.assert_allclose(machine.log_probabilities().data, np.log(patterns))

    def test_the_exact_gradient_is_the_difference_of_correlations(self):
        machine, x = boltzmann(4, 3), all_states(3)[[1, 2, 2, 7]]
        machine.negative_log_likelihood(x).backward()
        states = all_states(4)
        weights = np.exp(-machine.energy(states).data)

        def correlations(held):
            allowed = weights * ((states[:, :3] == held).all(1) if held is not None else 1.0)
            p = allowed / allowed.sum()
            return np.triu((states * p[:, None]).T @ states, 1), p @ states

        free = correlations(None)
        clamped = [np.mean(parts, axis=0) for parts in zip(*map(correlations, x), strict=True)]
        np.testing.assert_allclose(machine.weight.grad, free[0] - clamped[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(machine.bias.grad, free[1] - clamped[1], rtol=0, atol=1e-12)

    def test_the_gradient_of_the_contrast_is_that_of_its_samples(self):
        machine = boltzmann(4, 3)
        clamped, free = all_states(4)[[3, 9, 14]], all_states(4)[[0, 7, 7, 12]]
        machine.contrast(clamped, free).backward()
        expected = free.T @ free / 4 - clamped.T @ clamped / 3
        np.testing.assert_allclose(machine.weight.grad, np.triu(expected, 1), atol=1e-12)
        np.testing.assert_allclose(machine.bias.grad, np.diag(expected), atol=1e-12)

    def test_gibbs_sampling_comes_to_the_exact_probabilities(self):
        machine = boltzmann(4, 3)
        numbers = machine.samples(20000, steps=30) @ [4, 2, 1]
        shares = np.bincount(numbers.astype(int), minlength=8) / 20000
        np.testing.assert_allclose(
            shares, machine.probabilities().data, atol=4 * 0.5 / np.sqrt(20000)
        )

    def test_clamped_visible_units_stay(self):
        machine = boltzmann(4, 2)
        start = np.repeat(all_states(4)[[9]], 20000, 0)
        drawn = machine.gibbs(start, steps=20, clamped=True)
        np.testing.assert_array_equal(drawn[:, :2], start[:, :2])
        states = all_states(4)[(all_states(4)[:, :2] == start[0, :2]).all(1)]
        weights = np.exp(-machine.energy(states).data)
        expected = weights @ states / weights.sum()
        np.testing.assert_allclose(drawn.mean(0), expected, atol=4 * 0.5 / np.sqrt(20000))

    def test_what_is_given_stays_as_it_is(self):
        start = all_states(3)
        boltzmann(3).gibbs(start, steps=2)
        np.testing.assert_array_equal(start, all_states(3))

    def test_learns_parity_with_one_hidden_unit(self):
        machine = BoltzmannMachine(4, visible=3)
        # Parity has no correlations of two, so that near weights of 0 hardly a gradient leads to it
        machine.weight.data = np.triu(np.random.default_rng(0).normal(size=(4, 4)), 1)
        losses = machine.fit(EVEN_PARITY, epochs=1000, learning_rate=1.0, momentum=0.9)
        even = machine.probabilities().data[[0, 3, 5, 6]]
        divergence = np.mean(np.log(0.25 / even))  # Kullback and Leibler's
        assert divergence < 0.02
        assert len(losses) == 1000
        assert losses[0] > np.log(7)
        assert losses[-1] == pytest.approx(np.log(4) + divergence, abs=1e-3)
        assert not np.tril(machine.weight.data).any()

    def test_without_hidden_units_parity_is_out_of_reach(self):
        machine = BoltzmannMachine(3)
        machine.fit(EVEN_PARITY, epochs=300, learning_rate=1.0, momentum=0.9)
        np.testing.assert_allclose(machine.probabilities().data, np.full(8, 1 / 8), atol=1e-3)

    @pytest.mark.parametrize("units", [2, 3])
    def test_learns_from_samples(self, units):
        x = np.repeat(all_states(2), [500, 100, 100, 300], axis=0)
        machine = BoltzmannMachine(units, visible=2)
        contrasts = machine.fit(x, epochs=400, learning_rate=0.8, exact=False, k=3)
        p = machine.probabilities().data
        wanted = np.array([0.5, 0.1, 0.1, 0.3])
        assert np.sum(wanted * np.log(wanted / p)) < 0.005
        assert len(contrasts) == 400
        assert abs(np.mean(contrasts[-100:])) < 0.02
        assert min(contrasts) < -0.08

    def test_no_epochs(self):
        assert BoltzmannMachine(2).fit([[0, 1]], epochs=0) == []

    def test_parameters(self):
        machine = BoltzmannMachine(50, 20)
        shapes = {name: p.shape for name, p in machine.named_parameters().items()}
        assert shapes == {"weight": (50, 50), "bias": (50,)}
        assert not np.tril(machine.weight.data).any()
        assert machine.weight.data[np.triu_indices(50, 1)].std() == pytest.approx(0.1, rel=0.1)
        assert repr(machine) == "BoltzmannMachine(units=50, visible=20)"
        assert machine.samples(3, steps=2).shape == (3, 20)

    def test_too_many_units_to_be_counted_out(self):
        with pytest.raises(OptionError, match="the probabilities of 17 units") as caught:
            BoltzmannMachine(17).fit(np.ones((1, 17)))
        assert "fit(x, exact=False)" in caught.value.instead
        BoltzmannMachine(17).fit(np.ones((1, 17)), epochs=1, exact=False)

    def test_wrong_shapes_and_numbers(self):
        machine = boltzmann(4, 3)
        with pytest.raises(ShapeError, match=r"a state of all units of shape \(1, 3\)"):
            machine.energy([[0, 1, 1]])
        with pytest.raises(ShapeError, match=r"visible states of shape \(1, 4\)"):
            machine.fit([[0, 1, 1, 1]])
        with pytest.raises(ShapeError, match=r"states of all units of shape \(4,\)"):
            machine.gibbs([0, 1, 1, 1])
        with pytest.raises(DomainError, match=r"visible states with the number 0.5") as caught:
            machine.negative_log_likelihood([[0, 0.5, 1]])
        assert caught.value.why == "each must be 0 or 1"

    def test_wrong_options(self):
        for options in ({"k": 0}, {"epochs": -1}, {"learning_rate": -1.0}):
            with pytest.raises(OptionError, match=next(iter(options))):
                boltzmann(2).fit([[0, 1]], **options)
        with pytest.raises(OptionError, match="units=0"):
            BoltzmannMachine(0)
        for visible in (0, 3):
            with pytest.raises(OptionError, match="visible"):
                BoltzmannMachine(2, visible)
        with pytest.raises(OptionError, match="steps = -1"):
            boltzmann(2).gibbs([[0, 1]], steps=-1)


def test_bernoulli_never_and_always():
    drawn = bernoulli(np.array([0.0, 1.0] * 1000, np.float32))
    np.testing.assert_array_equal(drawn, [0.0, 1.0] * 1000)
    assert drawn.dtype == np.float32
