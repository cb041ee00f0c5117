"""Scalar networks: micrograd's interface, batches, gradients against JAX, learning."""

import random
import re
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nn
from autograd_core import AutogradError, ShapeError, UnsupportedError, Value
from demos import moons
from nn import MLP, Layer, Module, Neuron

jax.config.update("jax_enable_x64", True)

XOR = [([0.0, 0.0], -1.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], -1.0)]


def small_mlp(**options):
    random.seed(3)
    return MLP(3, [4, 4, 1], **options)


def module(**attributes):
    made = Module()
    vars(made).update(attributes)
    return made


class TestModule:
    def test_has_no_parameters_of_its_own(self):
        assert Module().parameters() == []

    def test_finds_values_and_modules_among_its_attributes_in_order(self):
        a, b, c = Value(1.0), Value([2.0, 3.0]), Value(4.0)
        found = module(first=a, name="text", size=3, part=module(inner=b), last=c).parameters()
        assert [id(p) for p in found] == [id(a), id(b), id(c)]

    def test_looks_into_lists_tuples_and_dicts(self):
        values = [Value(float(i)) for i in range(6)]
        part = module(inner=[values[4]])
        nested = module(
            a=[values[0], (values[1], {"k": values[2]})], b={"x": [values[3], part]}, c=(values[5],)
        )
        assert [p.data for p in nested.parameters()] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]

    def test_lists_a_shared_parameter_once(self):
        shared = Value(1.0)
        tied = module(encoder=module(w=shared), decoder=module(w=shared), both=[shared, shared])
        assert len(tied.parameters()) == 1

    def test_keeps_parameters_of_equal_data_apart(self):
        assert len(module(a=Value(1.0), b=Value(1.0)).parameters()) == 2

    def test_survives_parts_that_refer_to_each_other(self):
        whole, part = module(w=Value(1.0)), module(v=Value(2.0))
        whole.part, part.whole = part, whole
        assert [p.data for p in whole.parameters()] == [1.0, 2.0]
        assert [p.data for p in part.parameters()] == [2.0, 1.0]

    def test_leaves_out_what_was_computed(self):
        w = Value(2.0)
        assert [p is w for p in module(w=w, output=w * 3).parameters()] == [True]

    def test_leaves_out_foreign_objects(self):
        foreign = SimpleNamespace(w=Value(1.0))
        assert module(foreign=foreign, array=np.ones(3)).parameters() == []

    def test_zero_grad_returns_gradients_to_not_computed(self):
        model = module(w=Value(2.0), v=Value([1.0, 2.0]))
        (model.w * model.v).sum().backward()
        assert all(p.has_grad for p in model.parameters())
        model.zero_grad()
        assert not any(p.has_grad for p in model.parameters())
        assert model.w.grad == 0.0
        assert "not computed" in repr(model.w)

    def test_a_forward_in_place_of_call_is_refused(self):
        class Net(nn.Module):
            def forward(self, x):
                return x

        with pytest.raises(UnsupportedError, match=r"a call of Net\n.*no __call__.*\n.*of forward"):
            Net()(1.0)

    def test_a_call_of_what_computes_nothing_is_refused(self):
        with pytest.raises(UnsupportedError, match=r"a call of Module\n.*\n.*in the class"):
            nn.Module()(1.0)


class TestInterfaceOfMicrograd:
    def test_a_neuron_is_a_weighted_sum_and_relu(self):
        neuron = Neuron(2)
        neuron.w, neuron.b = [Value(1.0), Value(-2.0)], Value(0.5)
        assert neuron([3.0, 1.0]).data == 1.5
        assert neuron([Value(1.0), Value(1.0)]).data == 0.0
        neuron.nonlin = False
        assert neuron([1.0, 1.0]).data == -0.5

    def test_numbers_values_and_arrays_are_inputs(self):
        model = small_mlp()
        expected = model([1.0, -2.0, 0.5]).data
        assert model([Value(1), Value(-2), Value(0.5)]).data == expected
        assert model([1, -2, Value(0.5)]).data == expected
        assert model((1.0, -2.0, 0.5)).data == expected
        assert model(np.array([1.0, -2.0, 0.5])).data == expected
        assert model(Value([1.0, -2.0, 0.5])).data == expected
        assert isinstance(expected, float)

    def test_one_output_is_a_value_and_several_are_a_list(self):
        assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
        outputs = MLP(2, [3, 2])([1.0, 2.0])
        assert isinstance(outputs, list)
        assert [type(out) for out in outputs] == [Value, Value]

    def test_a_layer_of_one_neuron_may_stand_in_the_middle(self):
        model = MLP(2, [1, 3, 1, 1])
        assert isinstance(model([1.0, 2.0]), Value)
        assert model([np.ones(5), np.ones(5)]).shape == (5,)

    def test_weights_start_between_minus_one_and_one_and_biases_at_zero(self):
        model = MLP(5, [20, 10])
        neurons = [neuron for layer in model.layers for neuron in layer.neurons]
        weights = [w.data for neuron in neurons for w in neuron.w]
        assert len(weights) == 5 * 20 + 20 * 10
        assert all(type(w) is float and -1 <= w <= 1 for w in weights)
        assert min(weights) < -0.9 < 0.9 < max(weights)
        assert all(type(neuron.b.data) is float and neuron.b.data == 0 for neuron in neurons)

    def test_only_the_last_layer_is_linear(self):
        kinds = [[n.nonlin for n in layer.neurons] for layer in MLP(2, [2, 3, 1]).layers]
        assert kinds == [[True] * 2, [True] * 3, [False]]

    def test_parameters_stand_neuron_by_neuron_with_the_bias_last(self):
        layer = Layer(2, 2)
        first, second = layer.neurons
        expected = [*first.w, first.b, *second.w, second.b]
        assert [id(p) for p in layer.parameters()] == [id(p) for p in expected]

    def test_parameter_counts(self):
        assert len(Neuron(3).parameters()) == 4
        assert len(MLP(2, [16, 16, 1]).parameters()) == 337

    def test_reprs(self):
        assert repr(Neuron(2)) == "ReLUNeuron(2)"
        assert repr(Neuron(3, nonlin=False)) == "LinearNeuron(3)"
        assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
        assert repr(MLP(1, [2, 1])) == (
            "MLP of [Layer of [ReLUNeuron(1), ReLUNeuron(1)], Layer of [LinearNeuron(2)]]"
        )

    def test_training_step_as_written_for_micrograd(self):
        random.seed(1337)
        model = MLP(2, [4, 1])
        before = [p.data for p in model.parameters()]
        loss = sum((1 + -y * model(list(map(Value, x)))).relu() for x, y in XOR) * (1.0 / len(XOR))
        loss = loss + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        assert [p.data for p in model.parameters()] != before


class TestSeeds:
    def test_python_s_own_seed_repeats_a_network(self):
        random.seed(1337)
        first = [p.data for p in MLP(2, [3, 1]).parameters()]
        random.seed(1337)
        assert [p.data for p in MLP(2, [3, 1]).parameters()] == first

    def test_weights_are_drawn_in_micrograd_s_order(self):
        random.seed(1337)
        model = MLP(2, [3, 1])
        uniform = random.Random(1337).uniform
        weights = [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]
        assert weights == [uniform(-1, 1) for _ in range(9)]

    def test_the_seed_of_nn_repeats_it_too(self):
        nn.set_seed(5)
        first = MLP(2, [3, 1])
        nn.set_seed(5)
        second = MLP(2, [3, 1])
        assert [p.data for p in first.parameters()] == [p.data for p in second.parameters()]

    def test_an_initializer_leaves_python_s_generator_alone(self):
        state = random.getstate()
        MLP(2, [3, 1], initializer="he_normal")
        Neuron.of([1.0, 2.0])
        MLP(2, [3, 1], initializer="ones").to_dense()
        assert random.getstate() == state


class TestWrongInputs:
    @pytest.mark.parametrize("x", [[], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0], np.ones(2)])
    @pytest.mark.parametrize("part", [Neuron(3), Layer(3, 2), MLP(3, [2, 1])])
    def test_wrong_number_of_inputs(self, part, x):
        with pytest.raises(ShapeError, match=rf"{len(x)} inputs for ReLUNeuron\(3\)") as caught:
            part(x)
        assert caught.value.why == "it has 3 weights, one for each input"
        assert "a list of 3" in caught.value.instead
        assert isinstance(caught.value, AutogradError)
        assert isinstance(caught.value, ValueError)


class TestBatches:
    @pytest.mark.parametrize("wrap", [lambda x: x, Value], ids=["arrays", "Values"])
    def test_a_batch_through_the_scalar_graph_is_all_samples_one_by_one(self, wrap):
        samples = np.random.default_rng(0).normal(size=(100, 3))
        model = small_mlp()

        outputs = [model(list(sample)) for sample in samples]
        sum(out * out for out in outputs).backward()
        gradients = [p.grad for p in model.parameters()]

        model.zero_grad()
        out = model([wrap(column) for column in samples.T])
        (out * out).sum().backward()
        assert out.shape == (100,)
        np.testing.assert_allclose(out.data, [one.data for one in outputs], rtol=1e-12)
        assert all(type(p.grad) is float for p in model.parameters())
        np.testing.assert_allclose([p.grad for p in model.parameters()], gradients, rtol=1e-10)

    def test_gradients_of_the_inputs_come_sample_by_sample(self):
        model = small_mlp()
        column = [Value([0.5, -1.0]), Value([1.0, 2.0]), Value([-0.25, 0.75])]
        model(column).sum().backward()
        for i in range(2):
            alone = [Value(x.data[i]) for x in column]
            model(alone).backward()
            np.testing.assert_allclose([x.grad[i] for x in column], [x.grad for x in alone])


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "softplus"])
def test_gradient_agrees_with_jax(name):
    model = small_mlp(activation=name)
    samples = np.random.default_rng(1).normal(size=(20, 3))
    out = model(list(samples.T))
    (out * out).mean().backward()
    activation = {"tanh": jnp.tanh}.get(name) or getattr(jax.nn, name)

    layers = [
        (np.array([[w.data for w in n.w] for n in layer.neurons]), np.zeros(len(layer.neurons)))
        for layer in model.layers
    ]

    def loss(layers):
        x = samples.T
        for w, b in layers[:-1]:
            x = activation(w @ x + b[:, None])
        w, b = layers[-1]
        return jnp.mean((w @ x + b[:, None]) ** 2)

    expected = jax.grad(loss)(layers)
    for layer, (w, b) in zip(model.layers, expected, strict=True):
        ours = [[v.grad for v in neuron.w] for neuron in layer.neurons]
        np.testing.assert_allclose(ours, w, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose([n.b.grad for n in layer.neurons], b, rtol=1e-10, atol=1e-14)


def test_training_learns_xor():
    nn.set_seed(0)
    model = MLP(2, [8, 1])
    columns = list(np.transpose([x for x, _ in XOR]))
    signs = np.array([y for _, y in XOR])
    losses = []
    for _ in range(100):
        loss = ((model(columns) - signs) ** 2).mean()
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        losses.append(loss.data)
    assert losses[10] < losses[0]
    assert losses[-1] < 0.01
    assert [float(model(x)) > 0 for x, _ in XOR] == [y > 0 for _, y in XOR]


def test_the_moons_demo_learns(capsys):
    moons.main()
    printed = capsys.readouterr().out
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", printed)]
    assert losses[0] > 0.5
    assert losses[-1] < 0.1
    assert len(re.findall(r"^[.+O#]{72}$", printed, re.MULTILINE)) == 26
