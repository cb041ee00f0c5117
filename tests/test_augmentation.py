"""Augmentation: exact shifts, flips and turns, otherwise as Keras's; only in training."""

import numpy as np
import pytest

from autograd_core import OptionError, ShapeError, Value, check_gradients
from nn.layers.augmentation import RandomFlip, RandomRotation, RandomTranslation
from nn.randomness import set_seed
from tests.keras_oracle import as_numpy, keras

RANDOM = np.random.default_rng(0)
FILL_MODES = ["reflect", "constant", "wrap", "nearest"]
LAYERS = [RandomFlip(), RandomTranslation(0.3, 0.2), RandomRotation(0.4, fill_mode="constant")]
FLIPPED = {
    "horizontal": lambda image: image[:, ::-1],
    "vertical": lambda image: image[::-1],
    "horizontal_and_vertical": lambda image: image[::-1, ::-1],
}


@pytest.fixture(autouse=True)
def _from_one_seed():
    set_seed(0)


def images(count, height=4, width=5, channels=2):
    return RANDOM.normal(size=(count, height, width, channels))


def shifted(x, down, right, **options):
    """Shift all images by the same parts of their height and width."""
    return RandomTranslation((down, down), (right, right), **options)(x)


class TestEveryLayer:
    @pytest.mark.parametrize("layer", LAYERS, ids=repr)
    def test_does_nothing_in_evaluation(self, layer):
        x = images(3)
        layer.eval()
        assert layer(x) is x
        layer.train()
        assert (layer(x) != x).any()

    @pytest.mark.parametrize("layer", LAYERS, ids=repr)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_keeps_shape_and_type_of_arrays_and_values(self, layer, dtype):
        x = images(20).astype(dtype)
        set_seed(1)
        plain = layer(x)
        set_seed(1)
        recorded = layer(Value(x))
        assert type(plain) is np.ndarray
        assert (plain.shape, plain.dtype) == (x.shape, x.dtype)
        assert recorded.dtype == dtype
        np.testing.assert_array_equal(recorded.data, plain)

    @pytest.mark.parametrize("layer", LAYERS, ids=repr)
    def test_repeats_itself_from_the_same_seed_only(self, layer):
        x = images(20)
        set_seed(7)
        first, second = layer(x), layer(x)
        set_seed(7)
        np.testing.assert_array_equal(layer(x), first)
        assert (first != second).any()

    @pytest.mark.parametrize("layer", LAYERS, ids=repr)
    def test_draws_for_each_image_by_itself(self, layer):
        x = np.repeat(images(1), 20, axis=0)
        out = layer(x)
        assert any((image != out[0]).any() for image in out)

    @pytest.mark.parametrize("layer", LAYERS, ids=repr)
    def test_is_differentiable_in_the_images(self, layer):
        def f(x):
            set_seed(3)
            return np.sum(layer(x) ** 2)

        check_gradients(f, images(3, 3, 3, 1))

    @pytest.mark.parametrize("layer", LAYERS, ids=repr)
    def test_leaves_the_images_given_as_they_are(self, layer):
        x = images(5)
        before = x.copy()
        layer(x)
        np.testing.assert_array_equal(x, before)

    @pytest.mark.parametrize("layer", LAYERS, ids=repr)
    def test_refuses_what_is_no_batch_of_images(self, layer):
        with pytest.raises(ShapeError, match=r"4 axes, \(batch, height, width, channels\)"):
            layer(np.ones((10, 28, 28)))

    def test_keeps_its_arguments(self):
        assert [repr(layer) for layer in LAYERS] == [
            "RandomFlip()",
            "RandomTranslation(height_factor=0.3, width_factor=0.2)",
            "RandomRotation(factor=0.4, fill_mode='constant')",
        ]


class TestRandomFlip:
    @pytest.mark.parametrize("mode", FLIPPED)
    def test_flips_half_of_the_images_and_leaves_the_others(self, mode):
        x = images(2000, 2, 3, 1)
        out = RandomFlip(mode)(x)
        is_flipped = [(b == FLIPPED[mode](a)).all() for a, b in zip(x, out, strict=True)]
        is_left = [(b == a).all() for a, b in zip(x, out, strict=True)]
        assert np.logical_xor(is_flipped, is_left).all()
        assert np.mean(is_flipped) == pytest.approx(0.5, abs=0.05)  # over 4 standard deviations

    @pytest.mark.parametrize("mode", FLIPPED)
    def test_has_the_same_two_outcomes_as_in_keras(self, mode):
        x = np.repeat(images(1), 30, axis=0)
        theirs = as_numpy(keras.layers.RandomFlip(mode, seed=1)(x, training=True))
        ours = RandomFlip(mode)(x)
        np.testing.assert_array_equal(np.unique(ours, axis=0), np.unique(theirs, axis=0))

    @pytest.mark.parametrize("mode", ["diagonal", None])
    def test_refuses_unknown_modes(self, mode):
        with pytest.raises(
            OptionError, match=f"mode '{mode}'\n.*horizontal_and_vertical, vertical"
        ):
            RandomFlip(mode)


class TestRandomTranslation:
    @pytest.mark.parametrize("fill_mode", FILL_MODES)
    def test_by_whole_pixels_is_exact(self, fill_mode):
        x = images(3, 4, 5)
        out = shifted(x, 0.25, -0.4, fill_mode=fill_mode)  # one down, two to the left
        np.testing.assert_array_equal(out[:, 1:, :-2], x[:, :-1, 2:])

    def test_fills_what_comes_in_from_outside(self):
        x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1, 1)
        fills = {mode: shifted(x, 0.5, 0.0, fill_mode=mode).ravel().tolist() for mode in FILL_MODES}
        assert fills == {
            "reflect": [2, 1, 1, 2],
            "constant": [0, 0, 1, 2],
            "wrap": [3, 4, 1, 2],
            "nearest": [1, 1, 1, 2],
        }
        out = shifted(x, -0.5, 0.0, fill_mode="constant", fill_value=9)
        assert out.ravel().tolist() == [3, 4, 9, 9]

    def test_by_half_a_pixel_is_the_mean_of_two(self):
        x = images(2, 4, 4)
        out = shifted(x, 0.0, 0.125)
        np.testing.assert_allclose(out[:, :, 1:], (x[:, :, 1:] + x[:, :, :-1]) / 2)

    @pytest.mark.parametrize("fill_mode", FILL_MODES)
    @pytest.mark.parametrize("parts", [(0.3, -0.7), (-1.0, 0.06)])
    def test_is_as_in_keras(self, fill_mode, parts):
        down, right = parts
        x, options = images(2, 6, 7), {"fill_mode": fill_mode, "fill_value": 0.5}
        layer = keras.layers.RandomTranslation((down, down), (right, right), **options)
        theirs = as_numpy(layer(x, training=True))
        ours = shifted(x, down, right, **options)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)  # Keras has its shifts in float32

    def test_shifts_evenly_to_both_sides(self):
        x = np.zeros((4000, 1, 101, 1))
        x[:, :, 50] = 1.0
        out = RandomTranslation(0.0, 0.2, fill_mode="constant")(x)[:, 0, :, 0]
        shifts = (out @ np.arange(101.0) - 50) / 101
        assert np.abs(shifts).max() <= 0.2
        assert shifts.mean() == pytest.approx(0.0, abs=0.01)
        assert shifts.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.05)

    def test_takes_a_pair_in_either_order_and_a_negative_number(self):
        x = images(2)
        outs = []
        for factor in [(0.1, 0.3), (0.3, 0.1), [0.1, 0.3]]:
            set_seed(4)
            outs.append(RandomTranslation(factor, 0.0)(x))
        np.testing.assert_array_equal(outs[0], outs[1])
        np.testing.assert_array_equal(outs[0], outs[2])
        set_seed(4)
        one = RandomTranslation(0.3, 0.3)(x)
        set_seed(4)
        np.testing.assert_array_equal(RandomTranslation(-0.3, -0.3)(x), one)

    @pytest.mark.parametrize("factor", [1.5, (-2, 0), (0.1, 0.2, 0.3), "much", None, float("nan")])
    def test_refuses_factors(self, factor):
        with pytest.raises(OptionError, match=r"height_factor = .*\n.*from -1 to 1\n"):
            RandomTranslation(factor, 0.1)
        with pytest.raises(
            OptionError, match=r"width_factor = .*\n.*\n.*width_factor=\(-0.1, 0.1\)"
        ):
            RandomTranslation(0.1, factor)

    def test_refuses_unknown_fill_modes(self):
        with pytest.raises(OptionError, match=r"fill_mode 'mirror'\n.*constant, nearest, reflect"):
            RandomTranslation(0.1, 0.1, fill_mode="mirror")


class TestRandomRotation:
    @pytest.mark.parametrize("fill_mode", FILL_MODES)
    @pytest.mark.parametrize("quarters", [-4, -1, 0, 1, 2, 3])
    def test_by_quarters_is_rot90(self, quarters, fill_mode):
        x = images(3, 5, 5)
        out = RandomRotation((quarters / 4, quarters / 4), fill_mode=fill_mode)(x)
        np.testing.assert_allclose(out, np.rot90(x, quarters, axes=(1, 2)), atol=1e-12)

    @pytest.mark.parametrize("fill_mode", FILL_MODES)
    @pytest.mark.parametrize("factor", [0.1, -0.37])
    def test_is_as_in_keras(self, fill_mode, factor):
        x, options = images(2, 6, 7), {"fill_mode": fill_mode, "fill_value": 0.5}
        layer = keras.layers.RandomRotation((factor, factor), **options)
        theirs = as_numpy(layer(x, training=True))
        ours = RandomRotation((factor, factor), **options)(x)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)  # Keras has its angles in float32

    def test_refuses_factors_and_unknown_fill_modes(self):
        with pytest.raises(OptionError, match="factor = 2"):
            RandomRotation(2)
        with pytest.raises(OptionError, match="fill_mode 'None'"):
            RandomRotation(0.1, fill_mode=None)
