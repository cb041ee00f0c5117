"""Initializers: distributions against SciPy and Keras, fans, types, seeds, errors."""

import math

import numpy as np
import pytest
from scipy import stats

from autograd_core import OptionError, ShapeError
from nn import initializers
from nn.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    LecunNormal,
    LecunUniform,
    Normal,
    Ones,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    Zeros,
    fans_of,
)
from nn.randomness import generator, set_seed
from tests.keras_oracle import as_numpy, keras

LIKELY = 1e-3  # a test of a right distribution fails with this probability, were seeds not fixed
OUT, IN = 60, 80
FAN_IN, FAN_OUT, FAN_AVG = IN, OUT, (IN + OUT) / 2
TRUNCATED = 0.87962566103423978  # standard deviation of a normal distribution cut off at -2 and 2

UNIFORM = {  # bounds of the distribution
    "uniform": (Uniform(), (-0.05, 0.05)),
    "uniform of bounds": (Uniform(1.0, 3.0), (1.0, 3.0)),
    "lecun_uniform": (LecunUniform(), math.sqrt(3 / FAN_IN)),
    "glorot_uniform": (GlorotUniform(), math.sqrt(6 / (FAN_IN + FAN_OUT))),
    "he_uniform": (HeUniform(), math.sqrt(6 / FAN_IN)),
    "variance_scaling": (
        VarianceScaling(0.5, "fan_out", "uniform"),
        math.sqrt(3 * 0.5 / FAN_OUT),
    ),
}
NORMAL = {  # mean and standard deviation
    "normal": (Normal(), 0.0, 0.05),
    "normal of mean and stddev": (Normal(1.0, 2.0), 1.0, 2.0),
    "variance_scaling": (
        VarianceScaling(2.0, "fan_avg", "untruncated_normal"),
        *(0.0, math.sqrt(2 / FAN_AVG)),
    ),
}
TRUNCATED_NORMAL = {  # mean and standard deviation before truncation
    "truncated_normal": (TruncatedNormal(), 0.0, 0.05),
    "truncated_normal of mean and stddev": (TruncatedNormal(1.0, 2.0), 1.0, 2.0),
    "lecun_normal": (LecunNormal(), 0.0, math.sqrt(1 / FAN_IN) / TRUNCATED),
    "glorot_normal": (GlorotNormal(), 0.0, math.sqrt(1 / FAN_AVG) / TRUNCATED),
    "he_normal": (HeNormal(), 0.0, math.sqrt(2 / FAN_IN) / TRUNCATED),
    "variance_scaling": (VarianceScaling(), 0.0, math.sqrt(1 / FAN_IN) / TRUNCATED),
    "variance_scaling, normal": (
        VarianceScaling(3.0, "fan_out", "normal"),
        *(0.0, math.sqrt(3 / FAN_OUT) / TRUNCATED),
    ),
}
RANDOM = {
    name: initializer
    for group in (UNIFORM, NORMAL, TRUNCATED_NORMAL, {"orthogonal": (Orthogonal(),)})
    for name, (initializer, *_) in group.items()
}
each_random = pytest.mark.parametrize("initializer", RANDOM.values(), ids=RANDOM)


@pytest.fixture(autouse=True)
def _seeded():
    set_seed(0)


def likelihood(drawn, distribution):
    """Return how likely so large a distance from the distribution is, by Kolmogorov-Smirnov."""
    return stats.kstest(drawn.ravel(), distribution.cdf).pvalue


class TestDistributions:
    @pytest.mark.parametrize(("initializer", "bounds"), UNIFORM.values(), ids=UNIFORM)
    def test_uniform(self, initializer, bounds):
        low, high = bounds if isinstance(bounds, tuple) else (-bounds, bounds)
        drawn = initializer((OUT, IN))
        assert low <= drawn.min() < drawn.max() < high
        assert likelihood(drawn, stats.uniform(low, high - low)) > LIKELY

    @pytest.mark.parametrize(("initializer", "mean", "stddev"), NORMAL.values(), ids=NORMAL)
    def test_normal(self, initializer, mean, stddev):
        drawn = initializer((OUT, IN))
        assert abs(drawn - mean).max() > 2.5 * stddev
        assert likelihood(drawn, stats.norm(mean, stddev)) > LIKELY

    @pytest.mark.parametrize(
        ("initializer", "mean", "stddev"), TRUNCATED_NORMAL.values(), ids=TRUNCATED_NORMAL
    )
    def test_truncated_normal(self, initializer, mean, stddev):
        drawn = initializer((OUT, IN))
        assert abs(drawn - mean).max() <= 2 * stddev
        assert likelihood(drawn, stats.truncnorm(-2, 2, mean, stddev)) > LIKELY

    def test_the_test_tells_distributions_apart(self):
        drawn = TruncatedNormal(stddev=1.0)((200, 200))
        assert likelihood(drawn, stats.norm(0, TRUNCATED)) < LIKELY
        assert likelihood(1.1 * drawn, stats.truncnorm(-2, 2)) < LIKELY

    @pytest.mark.parametrize("variance", [1 / FAN_IN, 2 / FAN_AVG, 3 / FAN_OUT])
    @pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
    def test_variance_is_scale_over_fan(self, variance, distribution):
        mode = {1 / FAN_IN: "fan_in", 2 / FAN_AVG: "fan_avg", 3 / FAN_OUT: "fan_out"}[variance]
        scale = {"fan_in": 1.0, "fan_avg": 2.0, "fan_out": 3.0}[mode]
        drawn = VarianceScaling(scale, mode, distribution)((OUT, IN))
        assert drawn.mean() == pytest.approx(0, abs=4 * math.sqrt(variance / drawn.size))
        assert drawn.var() == pytest.approx(variance, rel=0.08)

    def test_variance_of_less_than_one_input_is_that_of_one(self):
        drawn = VarianceScaling(1.0, "fan_in", "uniform")((1000,), fans=(0, 0))
        assert drawn.var() == pytest.approx(1.0, rel=0.1)


PEERS = {
    "uniform": keras.initializers.RandomUniform,
    "normal": keras.initializers.RandomNormal,
    "truncated_normal": keras.initializers.TruncatedNormal,
    "variance_scaling": keras.initializers.VarianceScaling,
    "lecun_uniform": keras.initializers.LecunUniform,
    "lecun_normal": keras.initializers.LecunNormal,
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "orthogonal": keras.initializers.Orthogonal,
}


class TestAgainstKeras:
    @pytest.mark.parametrize("name", PEERS)
    def test_weights_of_a_dense_layer_have_the_distribution_of_a_kernel(self, name):
        theirs = as_numpy(PEERS[name](seed=1)((IN, OUT), dtype="float64"))
        ours = initializers.get(name)((OUT, IN))
        assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > LIKELY

    @pytest.mark.parametrize("name", ["glorot_normal", "he_uniform", "orthogonal"])
    def test_filters_have_the_distribution_of_a_kernel(self, name):
        theirs = as_numpy(PEERS[name](seed=1)((3, 5, 8, 20), dtype="float64"))
        ours = initializers.get(name)((20, 8, 3, 5))
        assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > LIKELY

    @pytest.mark.parametrize("shape", [(), (7,), (5, 4), (6, 3, 2), (6, 3, 2, 5)])
    def test_fans_are_those_of_the_kernel(self, shape):
        kernel = (*shape[2:], *shape[:2][::-1])
        assert fans_of(shape) == keras.src.initializers.random_initializers.compute_fans(kernel)

    @pytest.mark.parametrize("name", [*PEERS, "constant"])
    def test_options_and_defaults(self, name):
        kind = PEERS.get(name, keras.initializers.Constant)
        expected = kind().get_config()
        for key in ("seed", "input_axes", "output_axes"):
            expected.pop(key, None)
        if kind.__base__ is keras.initializers.VarianceScaling:
            expected = {}
        ours = {k: v for k, v in initializers.get(name).config().items() if k != "seed"}
        assert ours == expected


class TestFixedNumbers:
    def test_zeros_ones_constant(self):
        assert Zeros()((2, 1)).tolist() == [[0.0], [0.0]]
        assert Ones()((2, 1)).tolist() == [[1.0], [1.0]]
        assert Constant(-3)((2, 1)).tolist() == [[-3.0], [-3.0]]
        assert Constant()((1,)).tolist() == [0.0]

    @pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
    def test_identity(self, shape):
        expected = as_numpy(keras.initializers.Identity(2.0)(shape[::-1])).T
        assert Identity(2.0)(shape).tolist() == expected.tolist()
        assert Identity()(shape).tolist() == np.eye(*shape).tolist()

    def test_they_draw_nothing(self):
        before = generator().bit_generator.state
        for initializer in (Zeros(), Ones(), Constant(1.0), Identity()):
            initializer((3, 2))
        assert generator().bit_generator.state == before


class TestOrthogonal:
    @pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (1, 5), (5, 1)])
    def test_rows_or_columns_are_orthonormal(self, shape):
        w = Orthogonal()(shape)
        product = w @ w.T if shape[0] <= shape[1] else w.T @ w
        np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-14)

    def test_gain_scales_it(self):
        w = Orthogonal(2.5)((3, 5))
        np.testing.assert_allclose(w @ w.T, 6.25 * np.eye(3), atol=1e-13)

    def test_filters_are_orthonormal(self):
        w = Orthogonal()((6, 2, 3, 3)).reshape(6, -1)
        np.testing.assert_allclose(w @ w.T, np.eye(6), atol=1e-14)

    def test_any_direction_is_as_likely(self):
        # The angle of the first row, over many matrices of two by two, is uniform
        rows = np.array([Orthogonal()((2, 2))[0] for _ in range(2000)])
        angles = np.arctan2(rows[:, 1], rows[:, 0])
        assert likelihood(angles, stats.uniform(-math.pi, 2 * math.pi)) > LIKELY


class TestShapesAndTypes:
    @each_random
    def test_float32_starts_from_the_same_weights(self, initializer):
        double = initializer((5, 4))
        set_seed(0)
        single = initializer((5, 4), np.float32)
        assert (double.dtype, single.dtype) == (np.float64, np.float32)
        assert (single == double.astype(np.float32)).all()

    @pytest.mark.parametrize("initializer", [Zeros(), Ones(), Constant(2), Identity()])
    def test_fixed_numbers_have_the_type_asked_for(self, initializer):
        assert initializer((3, 2)).dtype == np.float64
        assert initializer((3, 2), np.float32).dtype == np.float32

    @each_random
    def test_a_seed_repeats_to_the_bit(self, initializer):
        first = [initializer((5, 4)).tobytes() for _ in range(2)]
        set_seed(0)
        assert [initializer((5, 4)).tobytes() for _ in range(2)] == first
        assert first[0] != first[1]

    @pytest.mark.parametrize("name", sorted({*PEERS, "zeros", "ones", "constant"} - {"orthogonal"}))
    def test_no_axis_gives_a_float_and_one_axis_an_array(self, name):
        initializer = initializers.get(name)
        assert type(initializer(())) is float
        assert type(initializer((), np.float32)) is float
        assert initializer((6,)).shape == (6,)

    @pytest.mark.parametrize("initializer", [Uniform(), Normal(), GlorotUniform(), HeUniform()])
    def test_neurons_one_by_one_draw_the_weights_of_a_layer(self, initializer):
        rows = [initializer((3,), fans=(3, 5)).tolist() for _ in range(5)]
        set_seed(0)
        assert initializer((5, 3)).tolist() == rows


class TestByName:
    def test_these_and_no_others(self):
        assert sorted(initializers.BY_NAME) == sorted(
            [
                *(*PEERS, "zeros", "ones", "constant", "identity"),
                *("zero", "one", "random_normal", "random_uniform"),  # Keras's other names
            ]
        )

    def test_an_initializer_tells_its_options(self):
        assert repr(initializers.get("glorot_uniform")) == "GlorotUniform()"
        assert repr(VarianceScaling(2.0, "fan_out")) == "VarianceScaling(scale=2.0, mode='fan_out')"

    def test_other_choices_stay_as_they_are(self):
        assert initializers.get(np.zeros) is np.zeros
        assert initializers.get(None) is None

    def test_an_unknown_name_names_the_nearest(self):
        with pytest.raises(OptionError, match="initializer 'glorot'") as caught:
            initializers.get("glorot")
        assert "glorot_normal, glorot_uniform" in caught.value.why


class TestErrors:
    @pytest.mark.parametrize(
        ("kind", "options", "message"),
        [
            (Uniform, {"minval": 0.1}, "maxval = 0.05(.|\n)*at least 0.1"),
            (Normal, {"stddev": -1.0}, "stddev = -1.0(.|\n)*at least 0"),
            (TruncatedNormal, {"stddev": -1.0}, "stddev = -1.0(.|\n)*at least 0"),
            (VarianceScaling, {"scale": 0.0}, "scale = 0.0(.|\n)*above 0"),
            (VarianceScaling, {"scale": -1}, "scale = -1(.|\n)*zeros"),
            (VarianceScaling, {"mode": "fan"}, "mode 'fan'(.|\n)*'fan_"),
            (VarianceScaling, {"mode": 3}, "mode '3'(.|\n)*fan_avg, fan_in, fan_out"),
            (VarianceScaling, {"distribution": "uni"}, "distribution 'uni'(.|\n)*uniform"),
        ],
        ids=str,
    )
    def test_options_that_do_not_exist(self, kind, options, message):
        with pytest.raises(OptionError, match=message):
            kind(**options)

    @pytest.mark.parametrize("shape", [(), (3,)])
    def test_orthogonal_needs_rows_and_columns(self, shape):
        with pytest.raises(ShapeError, match=r"Orthogonal\(\) of shape (.|\n)*two axes or more"):
            Orthogonal()(shape)

    @pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
    def test_identity_needs_a_matrix(self, shape):
        with pytest.raises(ShapeError, match=r"Identity\(gain=2.0\) of shape (.|\n)*two axes"):
            Identity(2.0)(shape)

    def test_an_initializer_of_ones_own_needs_draw(self):
        with pytest.raises(NotImplementedError, match="Initializer has no draw"):
            Initializer()((3,))
