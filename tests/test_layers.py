"""Layers against Keras in float64: outputs, gradients, buffers; dropout and noise; RBF."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from autograd_core import OptionError, ShapeError, Value, check_gradients
from nn import activations, constraints, initializers, regularizers
from nn.layers import RBF, Activation, ArrayLayer, Dense, Flatten, PReLU, Reshape
from nn.layers.dropout import Dropout, GaussianNoise
from nn.layers.normalization import BatchNormalization, LayerNormalization
from nn.networks import Sequential
from nn.randomness import set_seed
from tests.every_layer import KINDS, example, samples
from tests.keras_oracle import as_numpy, keras

RANDOM = np.random.default_rng(0)
# Our names of parameters and buffers, in Keras's order of them
NAMES = {"kernel": "weight", "gamma": "weight", "alpha": "weight", "beta": "bias", "bias": "bias"}
NAMES |= {"moving_mean": "running_mean", "moving_variance": "running_var"}


@pytest.fixture(autouse=True)
def _seeded():
    """Let every test see the same numbers, alone and among others."""
    set_seed(0)
    RANDOM.bit_generator.state = np.random.default_rng(0).bit_generator.state


def data(*shape):
    return RANDOM.normal(size=shape)


def pair(ours, theirs, shape):
    """Build both layers for samples of a shape, and give them the same random parameters."""
    ours.build(shape, np.float64)
    theirs.build((None, *shape))
    for variable in theirs.weights:
        numbers = RANDOM.uniform(0.5, 1.5, variable.shape)
        variable.assign(numbers)
        name = NAMES[variable.name]
        part = getattr(ours, name)
        if isinstance(part, Value):
            part.data = numbers.T if variable.name == "kernel" else numbers.reshape(part.shape)
        else:
            setattr(ours, name, numbers)
    return ours, theirs


def their_results(layer, x, g, **options):
    """Return Keras's output, its gradients of sum(g * output) by parameters and x, its buffers."""
    trainable = [v.value for v in layer.trainable_variables]
    buffers = [v.value for v in layer.non_trainable_variables]

    def f(trainable, x):
        out, after = layer.stateless_call(trainable, buffers, x, **options)
        return jnp.sum(out * g), (out, after)

    gradients, (out, after) = jax.grad(f, argnums=(0, 1), has_aux=True)(trainable, x)
    by_name = {
        NAMES[v.name]: np.asarray(gradient).T if v.name == "kernel" else np.asarray(gradient)
        for v, gradient in zip(layer.trainable_variables, gradients[0], strict=True)
    }
    return np.asarray(out), by_name, np.asarray(gradients[1]), after


def assert_same(ours, theirs, x, **options):
    g = data(*ours(x).shape)
    out, gradients, of_x, _ = their_results(theirs, x, g, **options)
    v = Value(x)
    ours.zero_grad()
    mine = ours(v)
    np.sum(mine * g).backward()
    np.testing.assert_allclose(mine.data, out, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(v.grad, of_x, rtol=1e-10, atol=1e-12)
    assert {n: p.shape for n, p in ours.named_parameters().items()}.keys() == gradients.keys()
    for name, gradient in gradients.items():
        own = getattr(ours, name).grad
        np.testing.assert_allclose(own, gradient.reshape(own.shape), rtol=1e-10, atol=1e-12)


class TestDense:
    @pytest.mark.parametrize("shape", [(3,), (5, 3)])
    @pytest.mark.parametrize("activation", [None, "tanh", "softmax"])
    @pytest.mark.parametrize("use_bias", [True, False])
    def test_keras(self, shape, activation, use_bias):
        ours = Dense(4, activation, use_bias=use_bias)
        theirs = keras.layers.Dense(4, activation, use_bias)
        assert_same(*pair(ours, theirs, shape), data(6, *shape))

    def test_regularizers_add_what_keras_adds(self):
        options = [("kernel_regularizer", 0.1), ("bias_regularizer", 0.2)]
        options.append(("activity_regularizer", 0.3))
        ours = Dense(4, **{name: regularizers.L2(factor) for name, factor in options})
        theirs = keras.layers.Dense(4, **{n: keras.regularizers.L2(f) for n, f in options[:2]})
        pair(ours, theirs, (3,))
        x = data(6, 3)
        assert ours.own_penalty() != 0  # of the weights alone, and of the zeros of build
        # Older Kerases do not divide that of the output by the number of samples
        expected = float(keras.regularizers.L2(0.3)(theirs(x))) / len(x) + float(sum(theirs.losses))
        ours(x)
        np.testing.assert_allclose(ours.penalty().data, expected, rtol=1e-12)

    def test_a_layer_used_twice_adds_what_keras_adds(self):
        theirs = keras.layers.Dense(3, activity_regularizer=keras.regularizers.L2(0.3))
        ours = Dense(3, activity_regularizer=regularizers.L2(0.3))
        pair(ours, theirs, (3,))
        both, x = keras.Sequential([theirs, theirs]), data(6, 3)
        both(x)
        model = Sequential([ours, ours])
        model(x)
        expected = float(sum(as_numpy(each) for each in both.losses))
        np.testing.assert_allclose(float(model.penalty()), expected, rtol=1e-6)

    def test_the_penalty_has_a_gradient(self):
        layer = Dense(2, kernel_regularizer="l2", activity_regularizer=np.sum)
        layer(np.ones((5, 3)))
        layer.penalty().backward()
        np.testing.assert_allclose(layer.weight.grad, 0.02 * layer.weight.data + 1.0)
        np.testing.assert_allclose(layer.bias.grad, np.ones(2))

    def test_constraints_hold_what_keras_s_hold(self):
        ours = Dense(4, kernel_constraint=constraints.MaxNorm(0.5), bias_constraint="non_neg")
        theirs = keras.layers.Dense(4, kernel_constraint=keras.constraints.MaxNorm(0.5))
        pair(ours, theirs, (3,))
        ours.bias.data = np.array([1.0, -1.0, 0.0, 2.0])
        ours.constrain()
        expected = as_numpy(theirs.kernel_constraint(theirs.kernel)).T
        np.testing.assert_allclose(ours.weight.data, expected, rtol=1e-12)
        np.testing.assert_array_equal(ours.bias.data, [1.0, 0.0, 0.0, 2.0])

    def test_without_constraints_parameters_stay(self):
        layer = Dense(2)
        layer.build((3,))
        before = layer.state_dict()
        layer.constrain()
        assert all((before[name] == after).all() for name, after in layer.state_dict().items())

    def test_initializers(self):
        layer = Dense(2, kernel_initializer="ones", bias_initializer="ones")
        np.testing.assert_array_equal(layer([[1.0, 2.0, 3.0]]).data, [[7.0, 7.0]])

    def test_no_units(self):
        with pytest.raises(OptionError, match="units=0"):
            Dense(0)

    def test_other_numbers_of_features(self):
        layer = Dense(2)
        layer.build((3,))
        with pytest.raises(ShapeError, match=r"input of shape \(1, 4\) for Dense") as caught:
            layer(np.ones((1, 4)))
        assert caught.value.instead == "an array of shape (batch, 3)"


class TestActivation:
    def test_applies_what_it_is_named_or_given(self):
        x = Value(data(3, 4))
        np.testing.assert_array_equal(Activation("tanh")(x).data, np.tanh(x.data))
        np.testing.assert_array_equal(Activation(np.square)(x).data, np.square(x.data))
        assert Activation(None)(x) is x
        assert Activation("softmax").activation is activations.get("softmax")

    def test_repr(self):
        assert repr(Activation("relu")) == "Activation(activation=relu)"

    def test_unknown(self):
        with pytest.raises(OptionError, match="activation 'rellu'") as caught:
            Activation("rellu")
        assert caught.value.instead == "'relu'"


class TestPReLU:
    def test_keras_on_rows(self):
        assert_same(*pair(PReLU(), keras.layers.PReLU(), (4,)), data(6, 4))

    def test_keras_on_images_with_its_slopes_shared(self):
        theirs = keras.layers.PReLU(shared_axes=[1, 2])
        assert_same(*pair(PReLU(), theirs, (3, 5, 4)), data(2, 3, 5, 4))

    def test_slopes_start_at_zero_or_as_told(self):
        layer = PReLU()
        np.testing.assert_array_equal(layer([[-1.0, 2.0]]).data, [[0.0, 2.0]])
        np.testing.assert_array_equal(PReLU("ones")([[-1.0, 2.0]]).data, [[-1.0, 2.0]])
        assert {name: p.shape for name, p in layer.named_parameters().items()} == {"weight": (2,)}

    def test_regularizer_and_constraint(self):
        layer = PReLU("ones", alpha_regularizer="l2", alpha_constraint=lambda a: a.clip(0, 0.5))
        layer.build((3,))
        assert layer.penalty().data == pytest.approx(0.03)
        layer.constrain()
        np.testing.assert_array_equal(layer.weight.data, [0.5] * 3)

    def test_gradients_to_second_order(self):
        layer = PReLU("ones")
        check_gradients(layer, data(2, 3) + 0.01)


class TestDropout:
    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
    def test_drops_its_share_and_keeps_the_mean(self, rate):
        set_seed(0)
        out = Dropout(rate)(np.ones((1000, 100)))
        share = np.mean(out == 0)
        # four standard deviations of a share of 100,000 coins
        assert abs(share - rate) < 4 * np.sqrt(rate * (1 - rate) / 1e5)
        np.testing.assert_allclose(out[out != 0], 1 / (1 - rate))
        assert abs(out.mean() - 1) < 4 * np.sqrt(rate / (1 - rate) / 1e5)

    def test_drops_each_number_by_itself(self):
        set_seed(0)
        dropped = Dropout(0.5)(np.ones((5000, 4))) == 0
        patterns = np.unique(dropped, axis=0, return_counts=True)[1]
        assert len(patterns) == 16
        assert (abs(patterns / 5000 - 1 / 16) < 4 * np.sqrt(1 / 16 / 5000)).all()

    def test_the_gradient_passes_where_the_data_passed(self):
        x = Value(data(20, 30))
        out = Dropout(0.3)(x)
        np.sum(out).backward()
        assert set(np.unique(x.grad)) == {0.0, 1 / 0.7}
        np.testing.assert_array_equal(out.data, x.data * x.grad)

    def test_draws_another_mask_each_time_and_the_same_after_a_seed(self):
        layer, x = Dropout(0.5), np.ones((4, 50))
        set_seed(3)
        first, second = layer(x), layer(x)
        set_seed(3)
        assert (layer(x) == first).all()
        assert (first != second).any()

    def test_the_extremes(self):
        x = data(3, 4)
        assert Dropout(0)(x) is x
        np.testing.assert_array_equal(Dropout(1)(x), np.zeros((3, 4)))

    @pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "half"])
    def test_other_rates(self, rate):
        with pytest.raises(OptionError, match="rate = ") as caught:
            Dropout(rate)
        assert caught.value.instead == "rate from 0 to 1"


class TestGaussianNoise:
    def test_adds_normal_noise(self):
        set_seed(0)
        x = Value(np.full((400, 250), 3.0))
        out = GaussianNoise(0.5)(x)
        noise = (out.data - 3.0).ravel()
        assert abs(noise.mean()) < 4 * 0.5 / np.sqrt(1e5)
        assert noise.std() == pytest.approx(0.5, rel=0.01)
        assert np.mean(abs(noise) < 0.5) == pytest.approx(0.6827, abs=0.006)
        np.sum(out).backward()
        np.testing.assert_array_equal(x.grad, np.ones((400, 250)))

    def test_none(self):
        x = data(3, 4)
        assert GaussianNoise(0)(x) is x

    def test_negative(self):
        with pytest.raises(OptionError, match=r"stddev = -1") as caught:
            GaussianNoise(-1)
        assert caught.value.instead == "stddev at least 0"


@pytest.mark.parametrize("layer", [Dropout(0.5), GaussianNoise(1.0)])
def test_what_disturbs_is_not_there_in_evaluation(layer):
    x = Value(data(3, 4))
    layer.eval()
    assert layer(x) is x
    layer.train()
    assert (layer(x).data != x.data).any()


class TestShapes:
    @pytest.mark.parametrize("shape", [(6,), (2, 3), (2, 3, 4)])
    def test_flatten_keras(self, shape):
        assert_same(*pair(Flatten(), keras.layers.Flatten(), shape), data(5, *shape))

    @pytest.mark.parametrize("target", [(6,), (3, 2), (-1, 2), (2, -1, 1), [1, 6], (-1,)])
    def test_reshape_keras(self, target):
        ours, theirs = Reshape(target), keras.layers.Reshape(target)
        assert_same(*pair(ours, theirs, (2, 3)), data(5, 2, 3))

    def test_an_empty_batch_keeps_its_shape(self):
        assert Reshape((2, -1))(np.ones((0, 6))).shape == (0, 2, 3)
        assert Flatten()(np.ones((0, 2, 3))).shape == (0, 6)

    def test_steps_of_sequences_are_lost(self):
        mask = np.ones((5, 2), bool)
        assert Flatten().output_mask(data(5, 2, 3), mask) is None
        assert Reshape((6,)).output_mask(data(5, 2, 3), mask) is None

    def test_reprs(self):
        assert repr(Flatten()) == "Flatten()"
        assert repr(Reshape([2, 3])) == "Reshape(target_shape=(2, 3))"

    @pytest.mark.parametrize("target", [(4,), (4, -1), (2, 4), (7, -1)])
    def test_shapes_that_do_not_fit(self, target):
        with pytest.raises(ShapeError, match=r"samples of shape \(2, 3\) for Reshape") as caught:
            Reshape(target)(np.ones((5, 2, 3)))
        assert caught.value.instead == "a target_shape whose lengths multiply to 6"

    @pytest.mark.parametrize("target", [(0,), (-1, -1), (-2,), (3, -1, 0)])
    def test_shapes_that_are_none(self, target):
        with pytest.raises(OptionError, match="target_shape = ") as caught:
            Reshape(target)
        assert "one length, -1" in caught.value.why


OPTIONS = [
    {},
    {"center": False},
    {"scale": False},
    {"center": False, "scale": False},
    {"epsilon": 0.5},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(3,), (4, 5, 3)], ids=str)
class TestNormalizationAgainstKeras:
    def test_layer_normalization(self, shape, options):
        ours, theirs = LayerNormalization(**options), keras.layers.LayerNormalization(**options)
        assert_same(*pair(ours, theirs, shape), data(6, *shape))

    def test_batch_normalization_in_training(self, shape, options):
        ours, theirs = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
        assert_same(*pair(ours, theirs, shape), data(6, *shape), training=True)

    def test_batch_normalization_in_evaluation(self, shape, options):
        ours, theirs = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
        assert_same(*pair(ours.eval(), theirs, shape), data(6, *shape), training=False)

    def test_buffers_after_several_batches(self, shape, options):
        options = {**options, "momentum": 0.7}
        ours, theirs = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
        pair(ours, theirs, shape)
        for _ in range(5):
            x = 2.0 + 3.0 * data(6, *shape)
            ours(x)
            theirs(x, training=True)
        np.testing.assert_allclose(ours.running_mean, as_numpy(theirs.moving_mean), rtol=1e-12)
        np.testing.assert_allclose(ours.running_var, as_numpy(theirs.moving_variance), rtol=1e-12)
        before = ours.state_dict()
        ours.eval()(data(6, *shape))
        assert all((before[name] == now).all() for name, now in ours.state_dict().items())


@pytest.mark.parametrize("kind", [LayerNormalization, BatchNormalization])
class TestNormalization:
    def test_parameters_have_pytorch_s_names(self, kind):
        layer = kind()
        layer.build((3,))
        assert list(layer.named_parameters()) == ["weight", "bias"]

    def test_initializers_regularizers_and_constraints(self, kind):
        layer = kind(
            beta_initializer="ones",
            gamma_initializer="zeros",
            beta_regularizer=np.sum,
            gamma_regularizer=lambda w: np.sum(w + 2.0),
            beta_constraint=lambda b: b * 3.0,
            gamma_constraint=lambda w: w + 4.0,
        )
        np.testing.assert_array_equal(layer([[1.0, 2.0], [3.0, 5.0]]).data, np.ones((2, 2)))
        assert layer.penalty().data == 2.0 + 4.0
        layer.constrain()
        np.testing.assert_array_equal(layer.bias.data, [3.0, 3.0])
        np.testing.assert_array_equal(layer.weight.data, [4.0, 4.0])

    def test_gradients_to_second_order(self, kind):
        layer = kind()
        check_gradients(layer, data(4, 3))

    def test_gradients_of_the_parameters_to_second_order(self, kind):
        x = data(4, 3)

        def out(weight, bias):
            layer = kind()
            layer.build((3,), np.float64)
            vars(layer).update(weight=weight, bias=bias)  # as functions of others
            return layer(x)

        check_gradients(out, data(3), data(3))

    def test_another_axis(self, kind):
        with pytest.raises(OptionError, match=rf"axis = 1 of a {kind.__name__}") as caught:
            kind(axis=1)
        assert "np.moveaxis" in caught.value.instead

    def test_a_negative_epsilon(self, kind):
        with pytest.raises(OptionError, match="epsilon = -1"):
            kind(epsilon=-1)

    def test_another_number_of_features(self, kind):
        layer = kind()
        layer.build((3,))
        with pytest.raises(ShapeError, match=r"input of shape \(2, 1\)"):
            layer(np.ones((2, 1)))


class TestBuffers:
    def test_are_saved_and_not_trained(self):
        layer = BatchNormalization()
        layer.build((2,))
        names = ["weight", "bias", "running_mean", "running_var"]
        assert list(layer.state_dict()) == names
        assert list(layer.named_parameters()) == names[:2]

    def test_start_as_told(self):
        layer = BatchNormalization(
            moving_mean_initializer="ones", moving_variance_initializer="zeros"
        )
        layer.build((2,))
        np.testing.assert_array_equal(layer.running_mean, [1.0, 1.0])
        np.testing.assert_array_equal(layer.running_var, [0.0, 0.0])

    def test_are_rebound_and_never_changed_in_place(self):
        layer = BatchNormalization()
        layer.build((2,))
        mean, variance = layer.running_mean, layer.running_var
        layer(data(5, 2).astype(np.float32))
        np.testing.assert_array_equal(mean, [0.0, 0.0])
        np.testing.assert_array_equal(variance, [1.0, 1.0])
        assert (layer.running_mean != mean).all()

    @pytest.mark.parametrize("momentum", [-0.1, 1.5])
    def test_a_momentum_out_of_range(self, momentum):
        with pytest.raises(OptionError, match="momentum = "):
            BatchNormalization(momentum=momentum)

    def test_without_parameters_the_features_are_still_counted(self):
        layer = BatchNormalization(center=False, scale=False)
        layer.build((3,))
        with pytest.raises(ShapeError, match=r"input of shape \(2, 1\)"):
            layer(np.ones((2, 1)))


def gaussians(x, centres, widths):
    """The definition, with all differences written out; for NumPy and JAX."""
    squared = ((x[..., None, :] - centres) ** 2).sum(-1)
    return jnp.exp(-squared / (2 * widths**2))


def rbf(units=4, features=3, width=0.7):
    layer = RBF(units, width)
    layer.build((features,), np.float64)
    layer.log_widths.data = layer.log_widths.data + data(units) * 0.3
    return layer


class TestRBF:
    @pytest.mark.parametrize("shape", [(6, 3), (2, 5, 3)])
    def test_values_and_gradients_are_jax_s_of_the_definition(self, shape):
        layer, x = rbf(), data(*shape)
        g = data(*shape[:-1], 4)
        v = Value(x)
        out = layer(v)
        np.sum(out * g).backward()

        def f(x, centres, log_widths):
            out = gaussians(x, centres, jnp.exp(log_widths))
            return jnp.sum(out * g), out

        parameters = layer.centres.data, layer.log_widths.data
        gradients, expected = jax.grad(f, argnums=(0, 1, 2), has_aux=True)(x, *parameters)
        np.testing.assert_allclose(out.data, expected, rtol=1e-11, atol=1e-14)
        for part, gradient in zip((v, layer.centres, layer.log_widths), gradients, strict=True):
            np.testing.assert_allclose(part.grad, gradient, rtol=1e-10, atol=1e-13)

    def test_gradients_to_second_order_at_the_centres_too(self):
        layer = rbf()
        check_gradients(layer, np.concatenate([layer.centres.data[:1], data(2, 3)]))

    def test_gradients_of_the_parameters_to_second_order(self):
        x = data(3, 2)

        def out(centres, log_widths):
            layer = rbf(2, 2)
            vars(layer).update(centres=centres, log_widths=log_widths)  # as functions of others
            return layer(x)

        check_gradients(out, data(2, 2), data(2))

    def test_data_far_from_zero_lose_nothing(self):
        layer, x = rbf(), data(6, 3)
        near = layer(x).data
        layer.centres.data = layer.centres.data + 1e6
        np.testing.assert_allclose(layer(x + 1e6).data, near, rtol=1e-8)

    def test_centres_start_in_the_unit_cube_or_as_told(self):
        layer = RBF(100, width=2.0)
        layer.build((5,))
        assert layer.centres.shape == (100, 5)
        assert 0.0 <= layer.centres.data.min() < 0.05 < 0.95 < layer.centres.data.max() < 1.0
        np.testing.assert_allclose(layer.widths.data, np.full(100, 2.0), rtol=1e-6)
        np.testing.assert_array_equal(RBF(2, 1.0, "zeros")([[0.0, 0.0]]).data, [[1.0, 1.0]])
        assert repr(RBF(2)) == "RBF(units=2)"

    def test_fit_centres_puts_them_on_different_samples(self):
        layer, x = RBF(4), data(10, 3)
        assert layer.fit_centres(x) is layer
        places = [np.flatnonzero((x == centre).all(-1)) for centre in layer.centres.data]
        assert len({int(place[0]) for place in places}) == 4
        largest = max(np.linalg.norm(a - b) for a in layer.centres.data for b in layer.centres.data)
        np.testing.assert_allclose(layer.widths.data, np.full(4, largest / np.sqrt(8)))
        layer.fit_centres(x[:4])
        assert sorted(layer.centres.data.tolist()) == sorted(x[:4].tolist())

    def test_fit_centres_of_equal_samples_leaves_the_widths(self):
        layer = RBF(2, width=3.0).fit_centres(np.ones((5, 2)))
        np.testing.assert_allclose(layer.widths.data, [3.0, 3.0])

    @pytest.mark.parametrize("shape", [(3, 2), (5, 2, 2)])
    def test_fit_centres_of_too_few_samples(self, shape):
        with pytest.raises(ShapeError, match=r"for the centres of RBF\(units=4\)"):
            RBF(4).fit_centres(np.ones(shape))

    def test_fit_centres_of_other_features_changes_nothing(self):
        layer = rbf()
        before = layer.state_dict()
        with pytest.raises(ShapeError, match=r"input of shape \(1, 2\)"):
            layer.fit_centres(data(9, 2))
        assert all((before[name] == now).all() for name, now in layer.state_dict().items())

    @pytest.mark.parametrize("options", [{"units": 0}, {"units": 2, "width": 0.0}])
    def test_wrong_options(self, options):
        with pytest.raises(OptionError, match=r" ?= ?0"):
            RBF(**options)

    def test_learns_xor_with_two_units(self):
        x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        layer = RBF(2, width=0.7)
        layer.build((2,), np.float64)
        layer.centres.data = np.array([[0.0, 0.0], [1.0, 1.0]])
        total = layer(x).data.sum(1)
        assert min(total[0], total[3]) > max(total[1], total[2])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("training", [True, False])
class TestEveryLayer:
    def test_keeps_float32(self, kind, training):
        layer = example(kind).train(training)
        x = Value(samples(kind).astype(np.float32))
        for _ in range(2):
            out = layer(x)
        np.sum(out * out).backward()
        assert out.dtype == np.float32
        assert not x.has_grad or x.grad.dtype == np.float32
        assert all(part.dtype == np.float32 for part in layer.state_dict().values())

    def test_takes_plain_arrays_lists_and_integers(self, kind, training):
        layer = example(kind).train(training)
        x = np.abs(np.round(samples(kind)))
        layer(x)
        for given in (x, x.astype(int).tolist(), x.astype(int)):
            set_seed(0)
            out = layer(given)
            first = out.data if isinstance(out, Value) else out
            set_seed(0)
            np.testing.assert_allclose(first, layer(Value(x)).data, rtol=1e-12, atol=1e-14)

    def test_refuses_what_is_no_batch(self, kind, training):
        layer = example(kind).train(training)
        assert isinstance(layer, ArrayLayer)
        with pytest.raises(ShapeError, match=r"input of shape \(\)"):
            layer(1.0)

    def test_is_itself_and_no_other(self, kind, training):
        layer = example(kind).train(training)
        like = type(layer)(**layer.config())
        assert layer != like
        assert len({layer, like, layer}) == 2

    def test_has_no_parameters_before_it_sees_data(self, kind, training):
        layer = example(kind).train(training)
        assert layer.state_dict() == {}
        assert layer.parameters() == []


@dataclass(eq=False, repr=False)
class Scaled(ArrayLayer):
    """One's own layer, as a dataclass."""

    factor: float
    activation: object = None
    gain_initializer: object = "ones"
    gain_regularizer: object = "l2"
    gain_constraint: object = "non_neg"

    def make_parameters(self, input_shape):
        rules = self.gain_initializer, self.gain_regularizer, self.gain_constraint
        self.make_parameter("gain", input_shape, *rules)

    def forward(self, x):
        return self.activation(x * self.gain * self.factor)


class Doubled(Scaled):
    """One's own layer, with a plain __init__."""

    def __init__(self, activation):
        super().__init__(2.0, activation, gain_initializer="zeros")


class TestOwnLayers:
    def test_take_choices_by_name(self):
        layer = Scaled(3.0, "relu")
        assert repr(layer) == "Scaled(factor=3.0, activation=relu)"
        assert layer.config()["activation"] is activations.relu
        assert isinstance(layer.gain_initializer, initializers.Ones)
        assert isinstance(layer.gain_regularizer, regularizers.L2)
        assert isinstance(layer.gain_constraint, constraints.NonNeg)
        np.testing.assert_array_equal(layer([[-1.0, 2.0]]).data, [[0.0, 6.0]])

    @pytest.mark.parametrize("kind", ["initializer", "regularizer", "constraint"])
    def test_refuse_unknown_names(self, kind):
        with pytest.raises(OptionError, match=f"^{kind} 'nothing'"):
            Scaled(3.0, **{f"gain_{kind}": "nothing"})

    def test_need_a_forward(self):
        with pytest.raises(NotImplementedError, match=r"ArrayLayer has no forward\(self, x\)"):
            ArrayLayer()([[1.0]])

    def test_may_have_a_plain_constructor(self):
        layer = Doubled("tanh")
        assert repr(layer) == "Doubled(activation=tanh)"
        assert layer.config() == {"activation": activations.tanh}
        np.testing.assert_array_equal(layer([[-1.0, 2.0]]).data, [[0.0, 0.0]])


@pytest.mark.parametrize(
    "layer",
    [
        LayerNormalization(epsilon=np.float64(0.5)),
        BatchNormalization(momentum=np.float64(0.5)),
        RBF(3, width=np.float64(0.5)),
        GaussianNoise(np.float64(0.5)),
        Scaled(np.float64(0.5), "linear"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_options_that_are_numpy_s_numbers_keep_float32(layer):
    assert np.float64 not in map(type, layer.config().values())
    assert layer(np.ones((2, 3), np.float32)).dtype == np.float32
    assert all(part.dtype == np.float32 for part in layer.state_dict().values())
