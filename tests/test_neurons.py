"""Scalar networks: their options, rows of samples, saving, and what they refuse."""

import re
from functools import partial

import jax
import numpy as np
import pandas as pd
import pytest

import nn
from autograd_core import OptionError, ShapeError, Value, check_gradients
from nn import MLP, Layer, Neuron, activations
from nn.neurons import ScalarModule

jax.config.update("jax_enable_x64", True)


class TestInitializers:
    def test_a_layer_draws_what_a_dense_layer_draws(self):
        nn.set_seed(1)
        layer = Layer(3, 4, initializer="glorot_uniform")
        nn.set_seed(1)
        dense = nn.Dense(4)
        dense.build((3,), np.float64)
        np.testing.assert_array_equal(
            [[w.data for w in neuron.w] for neuron in layer.neurons], dense.weight.data
        )

    def test_rows_of_an_orthogonal_layer_are_orthogonal(self):
        layer = Layer(4, 3, initializer="orthogonal")
        rows = np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
        np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-12)

    def test_weights_are_floats(self):
        model = MLP(2, [3, 1], initializer="normal")
        assert {type(p.data) for p in model.parameters()} == {float}

    def test_a_function_of_one_s_own(self):
        neuron = Neuron(3, initializer=lambda shape, dtype: np.full(shape, 0.5, dtype))
        assert [w.data for w in neuron.w] == [0.5, 0.5, 0.5]


class TestActivations:
    @pytest.mark.parametrize(
        "name", sorted(activations.BY_NAME.keys() - {"softmax", "log_softmax"})
    )
    def test_a_neuron_applies_it_to_numbers_and_columns(self, name):
        neuron = Neuron.of([2.0, -1.0], bias=0.5, activation=name)
        function = activations.get(name)
        for z in (-1.5, 0.0, 0.75):
            out = neuron([z, 0.5 + z])
            assert isinstance(out, Value)
            assert out.data == pytest.approx(float(function(z)), rel=1e-12)
        column = np.array([-1.5, 0.0, 0.75])
        np.testing.assert_allclose(
            neuron([column, 0.5 + column]).data, function(column), rtol=1e-12
        )

    def test_a_function_of_one_s_own(self):
        neuron = Neuron.of([2.0], activation=lambda z: z * z)
        out = neuron([3.0])
        out.backward()
        assert (out.data, neuron.w[0].grad, neuron.b.grad) == (36.0, 36.0, 12.0)

    def test_a_layer_and_a_network_pass_it_on(self):
        assert repr(Layer(2, 1, activation="tanh")) == "Layer of [TanhNeuron(2)]"
        assert repr(MLP(1, [1, 1, 1], activation="tanh", output_activation="sigmoid")) == (
            "MLP of [Layer of [TanhNeuron(1)], Layer of [TanhNeuron(1)], Layer of "
            "[SigmoidNeuron(1)]]"
        )

    def test_a_list_has_one_for_each_layer(self):
        model = MLP(1, [1, 2, 1], activation=["elu", "tanh"], use_bias=[True, False, True])
        assert repr(model) == (
            "MLP of [Layer of [EluNeuron(1)], Layer of [TanhNeuron(1), TanhNeuron(1)], "
            "Layer of [LinearNeuron(2)]]"
        )
        assert [layer.neurons[0].b is None for layer in model.layers] == [False, True, False]

    @pytest.mark.parametrize("activation", ["linear", None])
    def test_linear_counts_as_nonlin_false(self, activation):
        neuron = Neuron(2, activation=activation)
        assert neuron.nonlin is False
        assert repr(neuron) == "LinearNeuron(2)"

    @pytest.mark.parametrize(
        ("activation", "name"),
        [
            ("leaky_relu", "LeakyReLUNeuron(1)"),
            (partial(activations.leaky_relu, negative_slope=0.1), "LeakyReLUNeuron(1)"),
            ("relu", "ReLUNeuron(1)"),
            (lambda z: z, "LambdaNeuron(1)"),
        ],
    )
    def test_names_in_reprs(self, activation, name):
        assert repr(Neuron(1, activation=activation)) == name


class TestSoftmax:
    """softmax and log_softmax need the outputs of all neurons of a layer at once."""

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    def test_it_is_applied_to_all_neurons_of_the_layer(self, name):
        model = MLP(2, [4, 3], output_activation=name, initializer="normal")
        logits = MLP(2, [4, 3])
        logits.load_state_dict(model.state_dict())
        x = np.random.default_rng(0).normal(size=(5, 2))
        expected = getattr(jax.nn, name)(logits(x).data)
        np.testing.assert_allclose(model(x).data, expected, rtol=1e-12)
        columns = model(list(x.T))
        assert [out.shape for out in columns] == [(5,)] * 3
        np.testing.assert_allclose(np.stack(columns, axis=1).data, expected, rtol=1e-12)
        for sample, row in zip(x, expected, strict=True):
            outs = model(list(sample))
            assert [type(out.data) for out in outs] == [float] * 3
            np.testing.assert_allclose([out.data for out in outs], row, rtol=1e-12)

    def test_its_derivatives_reach_every_weight(self):
        layer = Layer(2, 3, activation="softmax", initializer="normal")
        outs = layer([0.5, -1.0])
        (-np.log(outs[1])).backward()
        probabilities = np.array([out.data for out in outs])
        deltas = probabilities - [0.0, 1.0, 0.0]
        np.testing.assert_allclose([n.b.grad for n in layer.neurons], deltas, atol=1e-14)
        np.testing.assert_allclose([n.w[1].grad for n in layer.neurons], -deltas, atol=1e-14)

    def test_of_one_neuron_it_is_one(self):
        assert Layer(2, 1, activation="softmax")([1.0, 2.0]).data == 1.0

    def test_repr(self):
        layer = Layer(1, 2, activation="softmax")
        assert repr(layer) == "SoftmaxLayer of [LinearNeuron(1), LinearNeuron(1)]"

    def test_without_nonlin_it_is_left_out(self):
        layer = Layer(1, 2, nonlin=False, activation="softmax", initializer="ones")
        assert [out.data for out in layer([3.0])] == [3.0, 3.0]
        assert Neuron(1, nonlin=False, activation="softmax", initializer="ones")([3.0]).data == 3.0

    def test_a_neuron_cannot_have_it(self):
        with pytest.raises(OptionError, match="activation log_softmax for a neuron") as caught:
            Neuron(2, activation="log_softmax")
        assert "all neurons of a layer" in caught.value.why
        assert caught.value.instead == "Layer(2, 3, activation='log_softmax')"


class TestBias:
    def test_without_bias_a_neuron_is_a_weighted_sum(self):
        neuron = Neuron(2, use_bias=False, initializer="ones", nonlin=False)
        assert neuron.b is None
        assert neuron([2.0, 3.0]).data == 5.0
        assert len(neuron.parameters()) == 2

    def test_no_node_is_added_in_its_place(self):
        neuron = Neuron.of([2.0], bias=None, nonlin=False)
        out = neuron([Value(3.0)])
        assert out.primitive.name == "multiply"

    def test_a_network_without_biases(self):
        model = MLP(2, [3, 1], use_bias=False)
        assert len(model.parameters()) == 9
        assert model([0.0, 0.0]).data == 0.0


class TestGivenWeights:
    def test_a_neuron_of_given_weights(self):
        neuron = Neuron.of([1, -2.0, np.float32(0.5)], bias=3, nonlin=False)
        assert [type(p.data) for p in neuron.parameters()] == [float] * 4
        assert neuron([1.0, 1.0, 2.0]).data == 3.0
        assert neuron.config()["nin"] == 3

    def test_the_bias_is_zero_unless_given(self):
        assert Neuron.of([1.0]).b.data == 0.0
        assert Neuron.of([1.0], bias=None).b is None


class TestRows:
    """An array of two axes has a sample in each row."""

    @pytest.mark.parametrize("wrap", [lambda x: x, Value, pd.DataFrame])
    def test_rows_are_samples(self, wrap):
        x = np.random.default_rng(0).normal(size=(6, 3))
        for part in (Neuron(3), Layer(3, 1), Layer(3, 2), MLP(3, [4, 4, 1]), MLP(3, [2, 2])):
            out = part(wrap(x))
            one = [part(list(row)) for row in x]
            expected = [
                [v.data for v in each] if isinstance(each, list) else [each.data] for each in one
            ]
            assert isinstance(out, Value)
            np.testing.assert_allclose(out.data, expected, rtol=1e-12)

    def test_as_many_rows_as_inputs_are_still_rows(self):
        neuron = Neuron.of([1.0, 10.0], nonlin=False)
        x = np.array([[1.0, 2.0], [3.0, 4.0]])
        assert neuron(x).data.tolist() == [[21.0], [43.0]]
        assert neuron(list(x)).data.tolist() == [31.0, 42.0]

    def test_no_rows(self):
        assert MLP(3, [4, 4, 1])(np.ones((0, 3))).shape == (0, 1)

    def test_gradients_reach_the_rows_and_the_weights(self):
        model = MLP(3, [4, 4, 1], activation="tanh")
        x = np.random.default_rng(0).normal(size=(4, 3))
        check_gradients(lambda rows: (model(rows) ** 2).sum(), x)
        rows = Value(x)
        (model(rows) ** 2).sum().backward()
        gradients = [p.grad for p in model.parameters()]
        model.zero_grad()
        (model(list(x.T)) ** 2).sum().backward()
        np.testing.assert_allclose(gradients, [p.grad for p in model.parameters()], rtol=1e-12)

    def test_float32_rows_give_float32(self):
        out = MLP(3, [2, 2], output_activation="softmax")(np.ones((4, 3), np.float32))
        assert out.dtype == np.float32

    def test_whole_numbers_are_data_too(self):
        assert Neuron.of([1.0, 2.0])(np.array([[1, 2], [3, 4]])).data.tolist() == [[5.0], [11.0]]

    def test_a_model_is_built_like_one_of_arrays(self):
        model = MLP(3, [4, 4, 1])
        model.build((3,))
        assert model(np.ones((2, 3))).shape == (2, 1)


class TestConfigurations:
    def test_they_tell_all_arguments(self):
        model = MLP(2, (3, 1), activation=["tanh"], use_bias=False, initializer="ones")
        config = model.config()
        assert (config["nin"], config["nouts"], config["use_bias"]) == (2, [3, 1], False)
        assert config["activation"] == [activations.tanh]
        assert config["output_activation"] is activations.linear
        again = MLP(**config)
        assert repr(again) == repr(model)
        again.load_state_dict(model.state_dict())

    def test_a_saved_network_comes_back(self, tmp_path):
        model = MLP(
            2, [4, 3, 2], ["tanh", "relu"], "softmax", "he_normal", use_bias=[True, False, True]
        )
        model.save(tmp_path / "model.safetensors")
        loaded = nn.load(tmp_path / "model.safetensors")
        assert repr(loaded) == repr(model)
        assert loaded.state_dict() == model.state_dict()


class TestMistakes:
    @pytest.mark.parametrize("part", [Neuron(3), Layer(3, 2), MLP(3, [2, 1])])
    def test_rows_of_another_length(self, part):
        with pytest.raises(ShapeError, match=r"2 inputs for ReLUNeuron\(3\)") as caught:
            part(np.ones((5, 2)))
        assert "an array (samples, 3)" in caught.value.instead

    @pytest.mark.parametrize("x", [np.ones((3, 2, 2)), Value(np.ones((3, 2, 2)))])
    def test_three_axes(self, x):
        with pytest.raises(ShapeError, match=r"input of shape \(3, 2, 2\) for MLP") as caught:
            MLP(3, [1])(x)
        assert "reshape" in caught.value.instead

    @pytest.mark.parametrize(
        ("make", "given"),
        [
            (lambda: Neuron(0), "nin=0"),
            (lambda: Neuron(1.5), "nin=1.5"),
            (lambda: Layer(0, 1), "nin=0"),
            (lambda: Layer(1, 0), "nout=0"),
            (lambda: MLP(2, [3, 0]), "nout=0"),
            (lambda: MLP(2, []), "the number of layers = 0"),
            (lambda: MLP(2, [3, 3, 1], activation=["relu"]), "activation with 1 entries"),
            (lambda: MLP(2, [3, 1], use_bias=[True]), "use_bias with 1 entries"),
            (lambda: Neuron(2, activation="reul"), "activation 'reul'"),
            (lambda: Layer(2, 1, initializer="glorot"), "initializer 'glorot'"),
        ],
    )
    def test_options(self, make, given):
        with pytest.raises(OptionError, match=re.escape(given)):
            make()

    def test_a_subclass_without_forward(self):
        with pytest.raises(NotImplementedError, match=r"ScalarModule has no forward\(self, x\)"):
            ScalarModule()([1.0])


def test_a_layer_as_keras_derives_it_is_refused():
    with pytest.raises(OptionError, match=r"(?s)class Mine\(nn\.Layer\) with.*ArrayLayer"):

        class Mine(Layer):
            def call(self, x):
                return x


@pytest.mark.parametrize(
    ("change", "given"), [(lambda w: 0.5, "0.5"), (lambda w: w * 0.5, "a Value computed")]
)
def test_numbers_and_results_among_parameters_are_said_in_training(change, given):
    model = MLP(2, [3, 1])
    model.compile("sgd", "mse")
    weights = model.layers[0].neurons[1].w
    weights[0] = change(weights[0])
    with pytest.warns(nn.TrainingWarning, match=rf"{given}.* as \.w\[0\].*(.|\n)*\.w\[0\]\.data"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    weights[0] = Value(0.5)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)  # a warning would be an error
