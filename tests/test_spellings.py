"""Arguments and names as other libraries spell them, or misspelt: the error says what to write."""

import math

import numpy as np
import pytest

import autograd_core
import nn
from autograd_core import (
    AutogradError,
    CallError,
    GradientWarning,
    MissingNameError,
    OptionError,
    UnknownImportError,
    UnsupportedError,
    Value,
)
from autograd_core.spellings import SAME_OPTION, explained_call


@explained_call
def fit(x, epochs=1, *, shuffle=True):
    if epochs is None:
        raise TypeError("from inside")
    return x, epochs, shuffle


def test_a_call_that_fits_is_carried_out():
    assert fit(0, 2, shuffle=False) == (0, 2, False)


@pytest.mark.parametrize(
    ("call", "why", "instead"),
    [
        (fit, "missing a required argument: 'x'", "fit(x, epochs=1, shuffle=True)"),
        (lambda: fit(0, 1, 2), "too many positional", "fit(x, epochs=1, shuffle=True)"),
        (lambda: fit(0, epoch=3), "no option of this name", "epochs=3"),
        (lambda: fit(0, Epochs=3), "no option of this name", "epochs=3"),
        (lambda: fit(0, color=3), "no option of this name", "one of x, epochs, shuffle"),
    ],
)
def test_a_call_that_does_not_fit_says_what_to_write(call, why, instead):
    with pytest.raises(CallError) as caught:
        call()
    assert why in caught.value.why
    assert caught.value.instead == instead
    assert isinstance(caught.value, TypeError)


def test_an_error_from_inside_the_function_stays_as_it_is():
    with pytest.raises(TypeError, match="from inside") as caught:
        fit(0, epochs=None)
    assert not isinstance(caught.value, AutogradError)


def test_an_option_by_its_older_name_is_taken_with_a_warning():
    with pytest.warns(UserWarning, match="epochs=3"):
        assert fit(0, nb_epoch=3) == (0, 3, True)
    with pytest.raises(CallError, match="nb_epoch"):  # given twice
        fit(0, epochs=2, nb_epoch=3)


@pytest.mark.filterwarnings("ignore:.*with lr")
@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
def test_decay_means_what_keras_2_meant(kind):
    with pytest.warns(UserWarning, match=r"InverseTimeDecay\(.*decay_rate=0.5\)"):
        optimizer = kind(lr=0.2, decay=0.5)
    rates = []
    for optimizer.iterations in range(3):
        rates.append(optimizer.current_learning_rate())
    assert rates == [0.2 / (1 + 0.5 * step) for step in range(3)]


@pytest.mark.filterwarnings("ignore:.*with decay")
def test_decay_starts_from_the_learning_rate_that_is_the_default():
    assert nn.Adam(decay=0.5).current_learning_rate() == nn.Adam().learning_rate


def test_constructors_of_nn_explain_their_calls():
    for wrong in (
        nn.Dense,
        lambda: nn.Dense(8, activaton="relu"),
        lambda: nn.EarlyStopping(patince=3),
        lambda: nn.Conv2D(4),
        lambda: nn.schedules.StepDecay(0.1, drop_rates=0.5),
    ):
        with pytest.raises(CallError):
            wrong()


def test_each_older_name_is_of_no_option_here():
    """Otherwise the older name would be taken for what it means here."""
    assert not set(SAME_OPTION) & set(SAME_OPTION.values())


def test_an_unknown_name_of_a_package_says_what_to_write():
    with pytest.raises(MissingNameError, match=r"write: autograd_core\.hessian"):
        autograd_core.hesian  # noqa: B018
    with pytest.raises(MissingNameError, match=r"write: Value\("):
        autograd_core.tensor  # noqa: B018
    with pytest.raises(UnknownImportError, match=r"np\.exp"):
        exec("from autograd_core import exp")
    assert not hasattr(autograd_core, "exp")


class TestNamesOfNetworks:
    @pytest.mark.parametrize(
        ("name", "instead"),
        [
            ("Linear", "nn.Dense(units)"),
            ("HeNormal", "nn.initializers.HeNormal"),
            ("MeanSquaredError", "nn.losses.MeanSquaredError"),
            ("Denes", "nn.Dense"),
            ("ModuleList", "a list of layers"),
        ],
    )
    def test_an_unknown_one_says_what_to_write(self, name, instead):
        with pytest.raises(MissingNameError) as caught:
            getattr(nn, name)
        assert caught.value.instead.startswith(instead)
        with pytest.raises(UnknownImportError) as caught:
            exec(f"from nn import {name}")
        assert caught.value.instead.startswith(instead)

    def test_what_joins_other_libraries_is_there_when_asked_for(self):
        assert nn.interchange.from_keras
        assert {"interchange", "estimators", "plots"} <= set(dir(nn))

    def test_classes_of_keras_give_their_options_to_functions(self):
        huber = nn.losses.Huber(delta=2.0)
        assert huber([1.0], [5.0]) == nn.losses.huber([1.0], [5.0], delta=2.0)
        assert nn.losses.MeanSquaredError()([1.0], [3.0]) == 4.0
        assert nn.metrics.AUC()([0, 1], [0.2, 0.8]) == 1.0
        with pytest.raises(CallError, match="delta=2"):
            nn.losses.Huber(dleta=2.0)

    def test_other_names_in_keras_are_known(self):
        assert nn.initializers.RandomNormal is nn.initializers.Normal
        assert repr(nn.regularizers.l2(0.1)) == "L2(l2=0.1)"
        assert repr(nn.constraints.max_norm(2.0)) == "MaxNorm(max_value=2.0)"
        assert repr(nn.initializers.get("random_uniform")) == "Uniform()"

    def test_an_initializer_with_a_seed_gives_the_same_numbers_again(self):
        drawn = nn.initializers.HeNormal(seed=1)
        assert (drawn((3, 2)) == drawn((3, 2))).all()
        assert (drawn((3, 2)) != nn.initializers.HeNormal(seed=2)((3, 2))).all()

    @pytest.mark.parametrize("kind", [nn.Dropout, nn.GaussianNoise])
    def test_a_layer_with_a_seed_has_numbers_of_its_own(self, kind):
        x = Value([[1.0] * 50])
        first, second = kind(0.5, seed=3), kind(0.5, seed=3)
        assert (first(x).data == second(x).data).all()
        before = first(x).data
        nn.set_seed(0)
        assert (second(x).data == before).all()
        assert (first(x).data != before).any()


class TestFirstLines:
    """What a newcomer tried."""

    @pytest.mark.parametrize("function", [math.sin, math.exp, math.sqrt])
    def test_a_function_in_c_that_loses_the_derivative_is_warned_of(self, function):
        with pytest.warns(GradientWarning, match=rf"write: np\.{function.__name__}"):
            autograd_core.grad(function)(2.0)

    def test_a_power_is_written_with_two_stars(self):
        with pytest.raises(UnsupportedError, match=r"x \*\* 2"):
            Value(3.0) ^ 2

    def test_the_line_of_pytorch_says_where_the_model_belongs(self):
        with pytest.raises(OptionError, match=r"optimizer\.step\(model\)"):
            nn.SGD([Value(1.0)], lr=0.1)

    def test_an_option_of_keras_2_goes_with_a_rate_by_position(self):
        with pytest.warns(UserWarning, match="decay"):
            assert nn.Adam(0.2, decay=0.5).current_learning_rate() == 0.2

    def test_losses_by_short_names_are_the_functions_themselves(self):
        assert nn.losses.mse([1.0], [3.0]) == nn.losses.MSE([1.0], [3.0]) == 4.0

    def test_nested_lists_of_numbers_are_rows_as_arrays_are(self):
        rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
        model = nn.MLP(3, [4, 1])
        assert (model(rows).data == model(np.array(rows)).data).all()
