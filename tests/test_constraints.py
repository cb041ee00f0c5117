"""Constraints: against Keras, whose kernels are ours transposed."""

import numpy as np
import pytest

from autograd_core import OptionError
from nn import constraints
from nn.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from tests.keras_oracle import as_keras, as_numpy, keras

CASES = {
    "max_norm": (MaxNorm, keras.constraints.MaxNorm, {}),
    "max_norm of 0.7": (MaxNorm, keras.constraints.MaxNorm, {"max_value": 0.7}),
    "max_norm of 0": (MaxNorm, keras.constraints.MaxNorm, {"max_value": 0}),
    "non_neg": (NonNeg, keras.constraints.NonNeg, {}),
    "unit_norm": (UnitNorm, keras.constraints.UnitNorm, {}),
    "min_max_norm": (MinMaxNorm, keras.constraints.MinMaxNorm, {}),
    "min_max_norm of bounds": (
        *(MinMaxNorm, keras.constraints.MinMaxNorm),
        {"min_value": 1.5, "max_value": 2.0},
    ),
    "min_max_norm in part": (
        *(MinMaxNorm, keras.constraints.MinMaxNorm),
        {"min_value": 1.5, "max_value": 2.0, "rate": 0.3},
    ),
}
each = pytest.mark.parametrize(("kind", "peer", "options"), CASES.values(), ids=CASES)
every_kind = pytest.mark.parametrize("kind", [MaxNorm, NonNeg, UnitNorm, MinMaxNorm])


def weights(*shape):
    """Return weights with norms from far below 1 to far above."""
    drawn = np.random.default_rng(1).normal(size=shape)
    return drawn * np.geomspace(0.01, 10, shape[0]).reshape(-1, *[1] * (len(shape) - 1))


def over(axis, peer):
    return {} if peer is keras.constraints.NonNeg else {"axis": axis}


@each
class TestAgainstKeras:
    def test_weights_of_a_dense_layer(self, kind, peer, options):
        w = weights(6, 4)
        expected = as_numpy(peer(**options)(as_keras(w.T))).T
        np.testing.assert_allclose(kind(**options)(w), expected, rtol=1e-14)

    def test_weights_of_a_convolution(self, kind, peer, options):
        w = weights(6, 2, 3, 3)
        expected = peer(**options, **over([0, 1, 2], peer))(as_keras(w.transpose(2, 3, 1, 0)))
        expected = as_numpy(expected).transpose(3, 2, 0, 1)
        np.testing.assert_allclose(kind(**options)(w), expected, rtol=1e-14)

    def test_a_bias(self, kind, peer, options):
        w = weights(6)
        expected = as_numpy(peer(**options)(as_keras(w)))
        np.testing.assert_allclose(kind(**options)(w), expected, rtol=1e-14)

    @pytest.mark.parametrize("number", [3.0, -0.2, 0.0])
    def test_a_single_weight(self, kind, peer, options, number):
        held = kind(**options)(number)
        assert type(held) is float
        expected = as_numpy(peer(**options)(as_keras([number])))[0]
        assert held == pytest.approx(float(expected), rel=1e-14)


@every_kind
class TestEveryConstraint:
    def test_leaves_the_given_array_alone(self, kind):
        w = weights(6, 4)
        before = w.copy()
        held = kind()(w)
        assert not np.shares_memory(held, w)
        assert (w == before).all()

    def test_keeps_float32(self, kind):
        assert kind()(weights(6, 4).astype(np.float32)).dtype == np.float32

    def test_leaves_zeros_at_0(self, kind):
        assert kind()(np.zeros((2, 3))).tolist() == [[0.0] * 3] * 2

    def test_weights_that_are_allowed_stay(self, kind):
        w = np.array([[0.6, 0.8], [1.0, 0.0]])
        np.testing.assert_allclose(kind()(w), w, rtol=1.1e-7)

    def test_holding_twice_is_holding_once(self, kind):
        once = kind()(weights(6, 4))
        np.testing.assert_allclose(kind()(once), once, rtol=1e-5)


def test_options_of_a_wider_type_do_not_widen_the_weights():
    w = weights(6, 4).astype(np.float32)
    assert MaxNorm(np.float64(0.5))(w).dtype == np.float32


def test_norms_of_neurons_come_between_the_bounds():
    held = MinMaxNorm(0.5, 2.0)(weights(6, 4))
    norms = np.linalg.norm(held, axis=1)
    assert norms.min() == pytest.approx(0.5, rel=1e-4)
    assert norms.max() == pytest.approx(2.0, rel=1e-6)


def test_a_constraint_of_ones_own_needs_hold():
    with pytest.raises(NotImplementedError, match="Constraint has no hold"):
        Constraint()(np.ones(3))


class TestByName:
    @pytest.mark.parametrize("name", ["max_norm", "non_neg", "unit_norm", "min_max_norm"])
    def test_a_name_gives_the_defaults_of_keras(self, name):
        ours, theirs = constraints.get(name), keras.constraints.get(name)
        assert type(ours).__name__ == type(theirs).__name__
        expected = theirs.get_config()
        expected.pop("axis", None)
        assert ours.config() == expected

    def test_other_choices_stay_as_they_are(self):
        assert constraints.get(np.abs) is np.abs
        assert constraints.get(None) is None

    def test_an_unknown_name_names_the_nearest(self):
        with pytest.raises(OptionError, match=r"constraint 'maxnorm'(.|\n)*'max_norm'"):
            constraints.get("maxnorm")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (MaxNorm, {"max_value": -1}, "max_value = -1(.|\n)*at least 0"),
        (MinMaxNorm, {"min_value": -1}, "min_value = -1(.|\n)*at least 0"),
        (MinMaxNorm, {"min_value": 3.0}, "max_value = 1.0(.|\n)*at least 3"),
        (MinMaxNorm, {"rate": 1.5}, "rate = 1.5(.|\n)*from 0 to 1"),
        (MinMaxNorm, {"rate": -0.5}, "rate = -0.5(.|\n)*from 0 to 1"),
    ],
    ids=str,
)
def test_options_outside_their_range(kind, options, message):
    with pytest.raises(OptionError, match=message):
        kind(**options)
