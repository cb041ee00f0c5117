"""Regularizers: penalties and their gradients against Keras."""

import jax
import numpy as np
import pytest

from autograd_core import OptionError, Value, check_gradients, grad
from nn import regularizers
from nn.regularizers import L1, L1L2, L2
from tests.keras_oracle import as_keras, keras

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3))
CASES = {
    "l1": (L1(), keras.regularizers.L1()),
    "l1 of a factor": (L1(0.3), keras.regularizers.L1(0.3)),
    "l2": (L2(), keras.regularizers.L2()),
    "l2 of a factor": (L2(0.3), keras.regularizers.L2(0.3)),
    "l1_l2": (L1L2(), keras.regularizers.L1L2()),
    "l1_l2 of l1": (L1L2(l1=0.3), keras.regularizers.L1L2(l1=0.3)),
    "l1_l2 of l2": (L1L2(l2=0.2), keras.regularizers.L1L2(l2=0.2)),
    "l1_l2 of both": (L1L2(0.3, 0.2), keras.regularizers.L1L2(0.3, 0.2)),
}


@pytest.mark.parametrize(("ours", "theirs"), CASES.values(), ids=CASES)
class TestAgainstKeras:
    def test_penalty(self, ours, theirs):
        expected = float(theirs(as_keras(WEIGHTS)))
        assert float(ours(WEIGHTS)) == pytest.approx(expected, rel=1e-14)
        assert ours(Value(WEIGHTS)).data == pytest.approx(expected, rel=1e-14)

    def test_gradient(self, ours, theirs):
        expected = jax.grad(theirs)(as_keras(WEIGHTS))
        np.testing.assert_allclose(grad(ours)(WEIGHTS), expected, rtol=1e-14)

    def test_number(self, ours, theirs):
        expected = float(theirs(as_keras(-0.7)))
        assert ours(-0.7) == pytest.approx(expected, rel=1e-14)
        assert ours(Value(-0.7)).data == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("penalty", [L1(), L2(), L1L2(0.3, 0.2)])
class TestEveryRegularizer:
    def test_second_derivative(self, penalty):
        check_gradients(penalty, WEIGHTS, order=2)

    def test_keeps_float32(self, penalty):
        weights = Value(WEIGHTS.astype(np.float32))
        penalty(weights).backward()
        assert weights.grad.dtype == np.float32
        assert penalty(weights.data).dtype == np.float32


@pytest.mark.parametrize("penalty", [L1(0.5), L1L2(l1=0.5)])
def test_an_absolute_weight_of_0_has_derivative_0(penalty):
    assert grad(penalty)(np.array([0.0, 2.0, -2.0])).tolist() == [0.0, 0.5, -0.5]


class TestByName:
    @pytest.mark.parametrize(("name", "kind"), [("l1", L1), ("l2", L2), ("l1_l2", L1L2)])
    def test_a_name_gives_the_defaults(self, name, kind):
        assert type(regularizers.get(name)) is kind
        assert regularizers.get(name).config() == kind().config()

    def test_defaults_are_those_of_keras(self):
        assert [repr(x) for x in (L1(), L2(), L1L2(0.0, 0.1))] == ["L1()", "L2()", "L1L2(l2=0.1)"]
        assert (L1().config(), L2().config()) == ({"l1": 0.01}, {"l2": 0.01})

    def test_other_choices_stay_as_they_are(self):
        assert regularizers.get(np.sum) is np.sum
        assert regularizers.get(None) is None

    def test_an_unknown_name_names_the_nearest(self):
        with pytest.raises(OptionError, match=r"regularizer 'l3'(.|\n)*l1, l1_l2, l2(.|\n)*write"):
            regularizers.get("l3")


@pytest.mark.parametrize("factor", [-0.1, float("nan"), "much"])
@pytest.mark.parametrize(
    ("kind", "name"), [(L1, "l1"), (L2, "l2"), (L1L2, "l1"), (L1L2, "l2")], ids=str
)
def test_a_factor_is_a_number_from_0(kind, name, factor):
    with pytest.raises(OptionError, match=f"{name} = {factor!r}(.|\n)*at least 0"):
        kind(**{name: factor})
