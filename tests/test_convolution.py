"""Windows, convolution and pooling: the engine's against their definitions, the layers' against
Keras in float64."""

import itertools
import warnings

import jax
import numpy as np
import pytest

from autograd_core import (
    IndexRangeError,
    OptionError,
    ShapeError,
    UnsupportedError,
    Value,
    check_gradients,
    convolve,
    detect_anomaly,
    grad,
    sliding_windows,
)
from autograd_core.primitives import convolution
from autograd_core.primitives.convolution import match_windows, spread_windows
from autograd_core.primitives.shapes import overlap_add, windows
from nn.layers import AveragePooling2D, Conv1D, Conv2D, GlobalAveragePooling2D, MaxPooling2D
from nn.layers.convolution import lengths
from nn.mistakes import TrainingWarning
from tests.keras_oracle import keras

RANDOM = np.random.default_rng(0)
view = np.lib.stride_tricks.sliding_window_view


def data(*shape):
    return RANDOM.normal(size=shape)


def by_definition(x, weight, strides, dilation):
    """Return a convolution over two axes, one product after the other."""
    filters, channels, *size = weight.shape
    steps = list(zip(x.shape[1:3], size, strides, dilation, strict=True))
    places = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in steps]
    out = np.zeros((len(x), *places, filters))
    for n, i, j, f in np.ndindex(out.shape):
        for a, b, c in np.ndindex(*size, channels):
            pixel = x[n, i * strides[0] + a * dilation[0], j * strides[1] + b * dilation[1], c]
            out[n, i, j, f] += pixel * weight[f, c, a, b]
    return out


class TestSlidingWindows:
    @pytest.mark.parametrize(
        ("size", "axis"), [((2, 3, 1), None), (2, 1), ((3, 2), (2, 0)), ((2, 2), (1, 1)), (4, -1)]
    )
    def test_are_those_of_numpy(self, size, axis):
        x = data(3, 4, 5)
        np.testing.assert_array_equal(sliding_windows(x, size, axis), view(x, size, axis))
        np.testing.assert_array_equal(view(Value(x), size, axis).data, view(x, size, axis))

    def test_go_in_strides_over_every_so_many_elements(self):
        x = np.arange(9.0)
        expected = [[0, 2, 4], [3, 5, 7]]
        np.testing.assert_array_equal(sliding_windows(x, 3, strides=3, dilation=2), expected)

    def test_have_strides_and_dilation_for_each_axis(self):
        x = data(5, 7)
        expected = view(x, (2, 5))[::3, :, :, ::2]
        seen = sliding_windows(x, (2, 3), strides=(3, 1), dilation=(1, 2))
        np.testing.assert_array_equal(seen, expected)

    def test_of_an_array_are_a_view(self):
        x = np.arange(5.0)
        seen = sliding_windows(x, 2)
        assert np.shares_memory(seen, x)
        assert not seen.flags.writeable

    def test_take_lists(self):
        np.testing.assert_array_equal(sliding_windows([1, 2, 3], 2), [[1, 2], [2, 3]])

    def test_have_derivatives_of_any_order(self):
        check_gradients(lambda x: np.sum(sliding_windows(x, (2, 2), (1, 0)) ** 3), data(3, 4))
        check_gradients(lambda x: np.sum(view(x, 2) ** 3), data(4), order=3)

    def test_pass_to_each_element_what_arrives_at_its_windows(self):
        assert grad(lambda x: sliding_windows(x, 3).sum())(np.ones(5)).tolist() == [1, 2, 3, 2, 1]

    def test_keep_the_order_of_the_axes_in_memory_in_their_gradients(self):
        g = np.asfortranarray(data(4, 3, 2))
        assert overlap_add(g, length=5, axis=0, stride=1, dilation=1).flags.f_contiguous

    @pytest.mark.parametrize(
        ("size", "axis", "options", "error", "message"),
        [
            (5, 0, {}, ShapeError, "axis 0 is 4 long, and a window reaches over 5"),
            (3, 0, {"dilation": 2}, ShapeError, "axis 0 is 4 long, and a window reaches over 5"),
            ((2, 2), 0, {}, ShapeError, "2 sizes for 1 axes"),
            (2, None, {}, ShapeError, "1 size for 2 axes"),
            (2, 2, {}, IndexRangeError, "there is no such axis"),
            (0, 0, {}, OptionError, "window_shape = .0.\n.*whole numbers from 1"),
            (2.0, 0, {}, OptionError, "window_shape = .2.0."),
            (2, 0, {"strides": 0}, OptionError, "strides = 0"),
            (2, 0, {"strides": (1, 2)}, OptionError, "one for all axes, or 1, one for each"),
            (2, 0, {"dilation": -1}, OptionError, "dilation = -1"),
        ],
    )
    def test_refuse(self, size, axis, options, error, message):
        with pytest.raises(error, match=message):
            sliding_windows(data(4, 3), size, axis, **options)

    def test_name_the_value_that_is_too_short(self):
        with pytest.raises(ShapeError, match=r"windows of signal = shape \(4,\)"):
            sliding_windows(Value(data(4), label="signal"), 5)

    def test_of_a_number_are_refused(self):
        with pytest.raises(ShapeError, match="1 size for 0 axes"):
            sliding_windows(1.0, 1)

    def test_to_write_into_are_refused(self):
        with pytest.raises(UnsupportedError, match="sliding_window_view"):
            view(Value(data(4)), 2, writeable=True)


STEPS = list(itertools.product([(1, 1), (2, 3)], [(1, 1), (3, 2)]))


class TestConvolve:
    @pytest.mark.parametrize(("strides", "dilation"), STEPS)
    @pytest.mark.parametrize("channels", [1, 9])
    def test_is_the_sum_that_defines_it(self, channels, strides, dilation):
        x, weight = data(2, 8, 7, channels), data(3, channels, 2, 3)
        expected = by_definition(x, weight, strides, dilation)
        np.testing.assert_allclose(convolve(x, weight, strides, dilation), expected, atol=1e-12)

    def test_takes_any_number_of_axes(self):
        x, weight = data(2, 5, 4, 6, 3), data(2, 3, 2, 2, 3)
        seen = view(x, (2, 2, 3), (1, 2, 3))
        expected = np.einsum("nijkcxyz,fcxyz->nijkf", seen, weight)
        np.testing.assert_allclose(convolve(x, weight), expected, atol=1e-12)

    def test_takes_lists_and_other_types_together(self):
        out = convolve(np.ones((1, 3, 1), np.float32), [[[1, 2]]])
        assert out.dtype == np.float64
        assert out.ravel().tolist() == [3, 3]

    def test_of_no_samples_is_empty(self):
        assert convolve(np.ones((0, 5, 1)), np.ones((4, 1, 2))).shape == (0, 4, 4)

    @pytest.mark.parametrize(("channels", "filters"), [(0, 4), (1, 0), (9, 0)])
    def test_over_no_channels_is_0_and_of_no_filters_is_empty(self, channels, filters):
        x, weight = Value(data(2, 5, channels)), Value(data(filters, channels, 2))
        out = convolve(x, weight)
        out.sum().backward()
        np.testing.assert_array_equal(out.data, np.zeros((2, 4, filters)))
        np.testing.assert_array_equal(x.grad, np.zeros(x.shape))
        np.testing.assert_array_equal(weight.grad, np.zeros(weight.shape))

    @pytest.mark.parametrize("channels", [1, 8])
    def test_is_the_same_in_parts(self, monkeypatch, channels):
        x, weight = data(5, 6, 6, channels), data(3, channels, 2, 2)

        def results():
            out = convolve(x, weight)
            gradients = grad(lambda x, w: np.sum(convolve(x, w) ** 2), (0, 1))(x, weight)
            return [out, *gradients]

        whole = results()
        monkeypatch.setattr(convolution, "PART", 300)
        for a, b in zip(results(), whole, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)

    @pytest.mark.parametrize(
        ("channels", "limit", "expected"),
        [
            (2, 200, {(200, 1), (50, 4)}),  # 5 * 5 places of windows of 8 numbers, or 2 channels
            (2, 1, {(200, 1), (50, 1)}),  # a sample that is too large is taken alone
            (0, 200, {(0, 200)}),
        ],
    )
    def test_copies_windows_of_as_many_samples_as_fit(self, monkeypatch, channels, limit, expected):
        parts, taken = convolution._parts, set()

        def recorded(samples, numbers):
            found = list(parts(samples, numbers))
            assert found[0].start == 0
            assert found[-1].stop >= samples > found[-1].start
            taken.update((numbers, part.stop - part.start) for part in found)
            return iter(found)

        monkeypatch.setattr(convolution, "_parts", recorded)
        monkeypatch.setattr(convolution, "PART", limit)
        x, weight = Value(data(7, 6, 6, channels)), Value(data(3, channels, 2, 2))
        convolve(x, weight).sum().backward()
        assert taken == expected

    def test_of_single_numbers_takes_the_limit_of_samples(self, monkeypatch):
        monkeypatch.setattr(convolution, "PART", 3)
        assert list(convolution._parts(5, 1)) == [slice(0, 3), slice(3, 6)]

    def test_takes_windows_as_large_as_the_image(self):
        x, weight = data(2, 3, 5, 1), data(4, 1, 2, 3)
        expected = by_definition(x, weight, (1, 1), (2, 2))
        assert expected.shape == (2, 1, 1, 4)
        np.testing.assert_allclose(convolve(x, weight, dilation=2), expected, atol=1e-12)

    @pytest.mark.parametrize(("strides", "dilation"), STEPS)
    def test_has_right_first_and_second_derivatives(self, strides, dilation):
        check_gradients(
            lambda x, w: np.sum(np.tanh(convolve(x, w, strides, dilation))),
            *(data(2, 5, 6, 2), data(2, 2, 2, 3)),
        )

    @pytest.mark.parametrize(
        ("x", "weight"),
        [((2, 5, 5, 3), (4, 2, 3, 3)), ((2, 5, 3), (4, 3, 3, 3)), ((2, 3), (4, 3)), ((), ())],
    )
    def test_refuses_weights_for_other_channels_or_axes(self, x, weight):
        with pytest.raises(ShapeError, match="its channels, must be axis 1 of the weights"):
            convolve(np.ones(x), np.ones(weight))

    def test_refuses_windows_larger_than_the_image(self):
        x, weight = Value(np.ones((2, 5, 4, 3)), label="x"), np.ones((4, 3, 3, 2))
        with pytest.raises(ShapeError, match=r"convolve of x = shape .*\n.*reach over 7 x 4"):
            convolve(x, weight, dilation=3)

    def test_refuses_strides_below_1(self):
        with pytest.raises(OptionError, match="strides = 0"):
            convolve(np.ones((2, 5, 3)), np.ones((4, 3, 3)), strides=0)


class TestAdjoints:
    """<forward(x), g> equals <x, adjoint(g)>: to the last places, for every stride and dilation."""

    @pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 3), (3, 2), (4, 1)])
    def test_of_windows(self, stride, dilation):
        steps = {"axis": 1, "stride": stride, "dilation": dilation}
        x = data(2, 11, 3)
        seen = windows(x, size=3, **steps)
        g = data(*seen.shape)
        back = overlap_add(g, length=11, **steps)
        assert back.shape == x.shape
        assert np.vdot(seen, g) == pytest.approx(np.vdot(x, back), rel=1e-12)

    @pytest.mark.parametrize(("strides", "dilation"), STEPS)
    def test_of_convolve(self, strides, dilation):
        steps = {"strides": strides, "dilation": dilation}
        x, w = data(2, 9, 8, 2), data(3, 2, 2, 3)
        out = convolve(x, w, **steps)
        y = data(*out.shape)
        total = pytest.approx(np.vdot(out, y), rel=1e-12)
        assert np.vdot(x, spread_windows(y, w, lengths=(9, 8), **steps)) == total
        assert np.vdot(w, match_windows(x, y, size=(2, 3), **steps)) == total


def assert_like_keras(ours, theirs, shape, atol=1e-10):
    """Compare output and gradients by input and parameters, with the same random parameters."""
    x = data(4, *shape)
    ours.build(shape, np.float64)
    theirs.build((None, *shape))
    for variable in theirs.weights:
        numbers = data(*variable.shape)
        variable.assign(numbers)
        if variable.name == "kernel":
            ours.weight.data = np.moveaxis(numbers, (-1, -2), (0, 1))
        else:
            ours.bias.data = numbers
    variables = [v.value for v in theirs.trainable_variables]
    shape = jax.eval_shape(lambda x: theirs.stateless_call(variables, [], x)[0], x).shape
    g = data(*shape)

    @jax.jit
    def pulled_back(variables, x):
        out, pull = jax.vjp(lambda *inputs: theirs.stateless_call(*inputs)[0], variables, [], x)
        return out, pull(g)

    out, (to_variables, _, to_x) = pulled_back(variables, x)
    given = Value(x)
    result = ours(given)
    result.backward(g)
    assert result.shape[1:] == ours.output_shape
    np.testing.assert_allclose(result.data, out, atol=atol)
    np.testing.assert_allclose(given.grad, to_x, atol=atol)
    for variable, expected in zip(theirs.trainable_variables, to_variables, strict=True):
        if variable.name == "kernel":
            expected = np.moveaxis(expected, (-1, -2), (0, 1))
            np.testing.assert_allclose(ours.weight.grad, expected, atol=atol)
        else:
            np.testing.assert_allclose(ours.bias.grad, expected, atol=atol)


GRID_2D = [
    {"kernel_size": size, "padding": padding, **steps}
    for size, padding, steps in itertools.product(
        [3, (2, 4)],
        ["valid", "same"],
        [{}, {"strides": 2}, {"strides": (3, 1)}, {"dilation_rate": 2}, {"dilation_rate": (1, 2)}],
    )
]
GRID_1D = [
    {"kernel_size": size, "padding": padding, **steps}
    for size, padding, steps in itertools.product(
        [2, (3,)], ["valid", "same", "causal"], [{}, {"strides": 3}, {"dilation_rate": 2}]
    )
]


class TestConvolutionLayersAgainstKeras:
    @pytest.mark.parametrize("options", GRID_2D, ids=str)
    def test_conv2d(self, options):
        ours, theirs = Conv2D(3, **options), keras.layers.Conv2D(3, **options)
        assert_like_keras(ours, theirs, (7, 8, 2))

    @pytest.mark.parametrize("options", GRID_1D, ids=str)
    def test_conv1d(self, options):
        ours, theirs = Conv1D(3, **options), keras.layers.Conv1D(3, **options)
        assert_like_keras(ours, theirs, (9, 2))

    @pytest.mark.parametrize(
        ("length", "strides"), [(1, 3), (5, 2), (6, 2), (6, 3), (7, 3), (8, 3)]
    )
    def test_same_borders_of_every_kind(self, length, strides):
        options = {"kernel_size": 4, "strides": strides, "padding": "same"}
        assert_like_keras(Conv1D(2, **options), keras.layers.Conv1D(2, **options), (length, 1))

    def test_with_an_activation_and_without_a_bias(self):
        options = {"activation": "tanh", "use_bias": False}
        ours = Conv2D(3, 2, **options)
        assert_like_keras(ours, keras.layers.Conv2D(3, 2, **options), (4, 4, 9))
        assert list(ours.named_parameters()) == ["weight"]


class TestConvolutionLayers:
    def test_weights_have_the_shapes_of_pytorch(self):
        conv1, conv2 = Conv1D(4, 5), Conv2D(4, (3, 2))
        conv1.build((10, 6))
        conv2.build((10, 10, 6))
        assert {name: p.shape for name, p in conv1.named_parameters().items()} == {
            "weight": (4, 6, 5),
            "bias": (4,),
        }
        assert conv2.weight.shape == (4, 6, 3, 2)

    def test_causal_outputs_depend_on_no_later_step(self):
        layer = Conv1D(2, 3, padding="causal", dilation_rate=2)
        x = data(1, 8, 1)
        before = layer(x).data
        x[0, 5:] = 9.0
        np.testing.assert_array_equal(layer(x).data[0, :5], before[0, :5])

    def test_float32_stays_float32(self):
        x = Value(data(2, 6, 6, 1).astype(np.float32))
        out = Conv2D(2, 3, padding="same", activation="relu")(x)
        out.sum().backward()
        assert {out.dtype, x.grad.dtype} == {np.dtype(np.float32)}

    def test_have_right_first_and_second_derivatives(self):
        layer = Conv2D(2, (2, 3), strides=(2, 1), padding="same", activation="tanh")
        x = data(2, 4, 5, 2)
        layer(x)

        def f(x, weight, bias):
            vars(layer).update(weight=weight, bias=bias)  # as functions of others
            return np.sum(layer(x) ** 2)

        check_gradients(f, x, layer.weight.data, layer.bias.data)

    def test_regularizers_and_constraints_reach_their_parameters(self):
        layer = Conv2D(
            *(2, 3),
            kernel_regularizer=lambda w: np.sum(w * w),
            bias_regularizer=lambda b: 100.0 + np.sum(b),
            activity_regularizer=lambda out: 1000.0 * len(out),
            kernel_constraint=lambda w: 0 * w,
            bias_constraint=lambda b: b + 5.0,
            kernel_initializer="ones",
            bias_initializer="ones",
        )
        layer(data(2, 4, 4, 1))
        assert layer.penalty().data == pytest.approx(18 + 102 + 1000)
        layer.constrain()
        assert not layer.weight.data.any()
        assert layer.bias.data.tolist() == [6, 6]

    def test_keep_their_arguments(self):
        layer = Conv2D(8, (3, 2), strides=2, activation="relu")
        assert repr(layer) == "Conv2D(filters=8, kernel_size=(3, 2), strides=2, activation=relu)"
        assert Conv2D(**layer.config()).config() == layer.config()
        assert repr(Conv1D(8, 3, padding="causal", dilation_rate=4)) == (
            "Conv1D(filters=8, kernel_size=3, padding='causal', dilation_rate=4)"
        )

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"filters": 0}, "filters=0"),
            ({"kernel_size": 0}, "kernel_size = 0\n.*2 of them, one for each axis"),
            ({"kernel_size": (3, 3, 3)}, r"kernel_size = \(3, 3, 3\)"),
            ({"kernel_size": 2.5}, "kernel_size = 2.5"),
            ({"strides": (1, 0)}, r"strides = \(1, 0\)"),
            ({"dilation_rate": -1}, r"dilation_rate = -1\n.*\n.*dilation_rate=\(2, 2\)"),
            ({"padding": "sam"}, "padding 'sam'\n.*\n.*'same'"),
            ({"padding": "causal"}, "padding 'causal'\n.*same, valid"),
            ({"padding": None}, "padding 'None'"),
            ({"strides": 2, "dilation_rate": 2}, "not both, as in Keras\n.*strides=1 or dilation"),
            ({"activation": "rely"}, "'relu'"),
        ],
    )
    def test_refuse_options(self, options, message):
        with pytest.raises(OptionError, match=message):
            Conv2D(**{"filters": 2, "kernel_size": 3, **options})

    @pytest.mark.parametrize(
        ("layer", "shape", "message"),
        [
            (
                Conv2D(2, 4),
                (3, 5, 1),
                r"samples of shape \(3, 5, 1\).*\n.*reach over 4 x 4\n.*same",
            ),
            (Conv2D(2, 3), (1, 28, 28), r"reach over 3 x 3\n.*np\.moveaxis\(x, 1, -1\)"),
            (Conv1D(2, 3, dilation_rate=2), (4, 1), "reach over 5"),
            (Conv2D(2, 3, padding="same"), (0, 5, 1), "reach over 1 x 1"),
            (Conv2D(2, 3), (5, 5), r"4 axes, \(batch, height, width, channels\)\n.*x\[..., None\]"),
            (Conv1D(2, 3), (5, 5, 1), r"3 axes, \(batch, steps, channels\)"),
        ],
    )
    def test_refuse_samples_that_do_not_fit_and_stay_as_they_were(self, layer, shape, message):
        with pytest.raises(ShapeError, match=message):
            layer(np.ones((2, *shape)))
        assert not layer.parameters()
        assert layer.input_shape is None

    @pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (3, 32, 48), (3, 64, 32)])
    def test_warn_of_channels_that_come_first_and_not_once_they_are_last(self, shape):
        images = np.ones((2, *shape))
        with pytest.warns(TrainingWarning, match=r"np\.moveaxis\(x, 1, -1\)") as caught:
            Conv2D(2, 3, padding="same")(images)
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Conv2D(2, 3, padding="same")(np.moveaxis(images, 1, -1))

    @pytest.mark.parametrize("shape", [(3, 256, 8), (3, 3, 64), (1, 30, 1), (3, 5, 5), (7, 7, 7)])
    def test_take_flat_and_small_images_silently(self, shape):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert Conv2D(2, (1, 3))(np.ones((2, *shape))).shape[1] == shape[0]

    def test_refuse_other_channels_than_before(self):
        layer = Conv2D(2, 3)
        layer(np.ones((1, 5, 5, 3)))
        assert layer(np.ones((1, 7, 9, 3))).shape == (1, 5, 7, 2)
        with pytest.raises(ShapeError, match="made for samples of shape"):
            layer(np.ones((1, 5, 5, 1)))
        with pytest.raises(ShapeError, match="its input has 4 axes"):
            layer(np.ones((1, 5, 3)))


POOLING = [
    {"padding": padding, **sizes}
    for padding, sizes in itertools.product(
        ["valid", "same"],
        [
            {"pool_size": 2},
            {"pool_size": 3},
            {"pool_size": (2, 3), "strides": (2, 1)},
            {"pool_size": 2, "strides": 3},
            {"pool_size": (4, 2)},
        ],
    )
]


class TestPooling:
    @pytest.mark.parametrize("shape", [(6, 6, 2), (7, 5, 1)])
    @pytest.mark.parametrize("options", POOLING, ids=str)
    def test_is_as_in_keras(self, options, shape):
        for ours, theirs in (
            (MaxPooling2D, keras.layers.MaxPooling2D),
            (AveragePooling2D, keras.layers.AveragePooling2D),
        ):
            assert_like_keras(ours(**options), theirs(**options), shape)

    @pytest.mark.parametrize("keepdims", [False, True])
    def test_over_the_whole_image_is_as_in_keras(self, keepdims):
        ours = GlobalAveragePooling2D(keepdims=keepdims)
        assert_like_keras(ours, keras.layers.GlobalAveragePooling2D(keepdims=keepdims), (4, 5, 3))

    @pytest.mark.parametrize("strides", [None, 1])
    @pytest.mark.parametrize("padding", ["valid", "same"])
    @pytest.mark.parametrize("pooling", [MaxPooling2D, AveragePooling2D])
    def test_has_right_first_and_second_derivatives(self, pooling, padding, strides):
        layer = pooling(2, strides, padding)
        check_gradients(lambda x: np.sum(layer(x) ** 3), data(2, 3, 5, 2))

    def test_numbers_that_tie_share_the_gradient(self):
        x = Value(np.array([[1.0, 1.0], [0.0, 1.0]]).reshape(1, 2, 2, 1))
        MaxPooling2D()(x).backward(np.full((1, 1, 1, 1), 3.0))
        assert x.grad.ravel().tolist() == [1, 1, 0, 1]

    def test_a_border_is_never_the_largest_nor_an_anomaly(self):
        x = np.full((1, 3, 3, 1), -1e300)
        with detect_anomaly():
            out = MaxPooling2D(2, padding="same")(Value(x))
        assert (out.data == -1e300).all()

    @pytest.mark.parametrize(
        "layer",
        [
            MaxPooling2D(),
            MaxPooling2D(3, 2, "same"),
            AveragePooling2D(padding="same"),
            GlobalAveragePooling2D(),
        ],
        ids=repr,
    )
    def test_float32_stays_float32_and_arrays_stay_arrays(self, layer):
        x = data(2, 5, 5, 2).astype(np.float32)
        given = Value(x)
        out = layer(given)
        out.sum().backward()
        plain = layer(x)
        assert type(plain) is np.ndarray
        assert {out.dtype, given.grad.dtype, plain.dtype} == {np.dtype(np.float32)}
        np.testing.assert_array_equal(plain, out.data)

    def test_keeps_its_arguments(self):
        assert repr(MaxPooling2D()) == "MaxPooling2D()"
        assert repr(AveragePooling2D(3, (2, 1), "same")) == (
            "AveragePooling2D(pool_size=3, strides=(2, 1), padding='same')"
        )

    def test_refuses_options(self):
        with pytest.raises(OptionError, match="pool_size = 0"):
            MaxPooling2D(0)
        with pytest.raises(OptionError, match="strides = 'two'"):
            AveragePooling2D(strides="two")
        with pytest.raises(OptionError, match="padding 'causal'"):
            MaxPooling2D(padding="causal")

    def test_refuses_samples_that_do_not_fit(self):
        with pytest.raises(ShapeError, match="windows reach over 3 x 2"):
            MaxPooling2D((3, 2))(np.ones((1, 2, 5, 1)))
        with pytest.raises(ShapeError, match="its input has 4 axes"):
            AveragePooling2D()(np.ones((1, 4, 4)))
        with pytest.raises(ShapeError, match="its input has 4 axes"):
            GlobalAveragePooling2D()(np.ones((1, 4, 4)))


def test_lengths_take_lists_as_files_hold_them():
    assert lengths("strides", [2, 3], 2) == (2, 3)
