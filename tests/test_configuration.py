"""Choices by name, objects told by their arguments, the one generator, optional packages."""

import re
from functools import partial
from threading import Thread

import numpy as np
import pytest

import nn
from autograd_core import MissingNameError, MissingPackageError, OptionError
from nn.configuration import Configured, check_range, choose, name_of
from nn.packages import optional
from nn.randomness import drawing_from, generator


class Ramp(Configured):
    def __init__(self, start=0.0, slope=1.0, shape="linear", inner=None):
        self.start, self.slope, self.inner = start, slope, inner
        self.shape = {"linear": abs}.get(shape, shape)


class TestConfigured:
    def test_config_is_what_the_constructor_takes(self):
        ramp = Ramp(2.0)
        ramp.slope = 5.0  # as it is now
        config = ramp.config()
        assert config == {"start": 2.0, "slope": 5.0, "shape": abs, "inner": None}
        assert Ramp(**config).config() == config

    def test_repr_names_what_differs_from_the_defaults(self):
        assert repr(Ramp(shape=abs)) == "Ramp(shape=abs)"
        assert repr(Ramp(1.0, shape=np.tanh)) == "Ramp(start=1.0, shape=tanh)"
        assert (
            repr(Ramp(inner=Ramp(slope=2.0))) == "Ramp(shape=abs, inner=Ramp(slope=2.0, shape=abs))"
        )
        assert repr(nn.Dense(3)) == "Dense(units=3)"
        normal = nn.initializers.Normal(0.75, 0.1)
        assert repr(nn.Dense(3, "relu", kernel_initializer=normal)) == (
            "Dense(units=3, activation=relu, kernel_initializer=Normal(mean=0.75, stddev=0.1))"
        )

    def test_what_is_not_kept_is_named(self):
        class Forgetful(Configured):
            def __init__(self, kept, lost):
                self.kept = kept

        with pytest.raises(OptionError, match=r"(?s)no attribute lost.*self.lost = lost"):
            Forgetful(1, 2).config()
        assert repr(Forgetful(1, 2)) == "Forgetful(kept=1)"


class TestChoices:
    CHOICES = {"absolute": abs, "ramp": Ramp}

    def test_a_name_stands_for_a_function_or_an_instance(self):
        assert choose("thing", self.CHOICES, "absolute") is abs
        assert isinstance(choose("thing", self.CHOICES, "ramp"), Ramp)

    def test_whatever_is_no_name_is_the_choice(self):
        ramp = Ramp(3.0)
        assert choose("thing", self.CHOICES, ramp) is ramp
        assert choose("thing", self.CHOICES, None) is None
        assert isinstance(choose("thing", self.CHOICES, Ramp), Ramp)

    @pytest.mark.parametrize("given", [3, 0.5, True, [abs], {"absolute": abs}, object()], ids=type)
    def test_what_can_be_no_choice_is_refused(self, given):
        with pytest.raises(OptionError, match=r"thing (.|\n)*neither a name nor(.|\n)*absolute"):
            choose("thing", self.CHOICES, given)

    def test_an_unknown_name_gets_the_nearest(self):
        with pytest.raises(OptionError, match=r"(?s)thing 'absolut'.*absolute, ramp.*'absolute'"):
            choose("thing", self.CHOICES, "absolut")
        with pytest.raises(OptionError, match="or your own thing"):
            choose("thing", self.CHOICES, "xyz")

    def test_names(self):
        assert name_of(partial(abs)) == "abs"
        assert name_of(nn.initializers.GlorotUniform()) == "glorot_uniform"

    @pytest.mark.parametrize("value", [-1, 11, float("nan"), "5", None])
    def test_ranges(self, value):
        check_range("size", 0, 0, 10)
        check_range("size", 10.0, 0, 10)
        with pytest.raises(OptionError, match=re.escape(f"size = {value!r}")):
            check_range("size", value, 0, 10)


class TestRandomness:
    def test_a_seed_repeats_everything(self):
        def draws():
            nn.set_seed(7)
            return generator().random(3).tolist(), nn.MLP(2, [1]).state_dict()

        first, second = draws(), draws()
        assert first == second

    def test_inside_a_block_draws_come_from_its_generator(self):
        nn.set_seed(0)
        before = generator()
        source = np.random.default_rng(3)
        with drawing_from(source):
            assert generator() is source
        assert generator() is before

    def test_threads_do_not_disturb_each_other(self):
        nn.set_seed(0)
        before = generator()
        thread = Thread(target=nn.set_seed, args=(1,))
        thread.start()
        thread.join()
        assert generator() is before


def test_a_missing_package_is_named_with_its_command():
    with pytest.raises(
        MissingPackageError, match=r"(?s)no-such-package.*pip install no-such-package"
    ):
        optional("no_such_package.inside", "no-such-package")
    with pytest.raises(ImportError):
        optional("no_such_package", "no-such-package")


@pytest.mark.parametrize("count", [2.5, True, 0, "3"])
@pytest.mark.parametrize(
    "make",
    [
        nn.Dense,
        nn.LSTM,
        nn.RBF,
        lambda n: nn.Conv1D(n, 2),
        lambda n: nn.Conv1D(2, n),
        lambda n: nn.Embedding(n, 2),
        lambda n: nn.Embedding(2, n),
    ],
)
def test_counts_are_whole_numbers(make, count):
    with pytest.raises(OptionError, match=re.escape(repr(count))):
        make(count)


@pytest.mark.parametrize(
    "make",
    [
        lambda flag: nn.Dense(1, use_bias=flag),
        lambda flag: nn.GRU(1, return_sequences=flag),
        lambda flag: nn.BatchNormalization(center=flag),
        lambda flag: nn.SGD(0.1, 0.9, nesterov=flag),
    ],
)
def test_flags_are_true_or_false(make):
    make(True), make(np.False_)
    with pytest.raises(OptionError, match="='no'"):
        make("no")


@pytest.mark.parametrize("shape", [3, (None, 3), (2.5,), "3"])
def test_the_shape_of_inputs_is_a_tuple_of_whole_numbers(shape):
    with pytest.raises(OptionError, match="without the batch"):
        nn.Sequential([nn.Dense(1)], input_shape=shape)


@pytest.mark.parametrize(
    ("option", "choice"),
    [
        ("kernel_regularizer", nn.regularizers.L2(1.0)),
        ("bias_constraint", "non_neg"),
        ("kernel_initializer", "zeros"),
    ],
)
def test_what_parameters_were_made_with_is_not_assigned_later(option, choice):
    layer = nn.Dense(1)
    setattr(layer, option, choice)
    layer.build((2,))
    setattr(layer, option, getattr(layer, option))
    with pytest.raises(OptionError, match=f"{option} assigned"):
        setattr(layer, option, None)


def test_an_activation_and_an_activity_regularizer_assigned_later_act():
    layer = nn.Dense(1, kernel_initializer="ones")
    layer.build((2,))
    layer.activation, layer.activity_regularizer = "relu", nn.regularizers.L2(1.0)
    assert layer([[-2.0, 0.0], [1.0, 2.0]]).data.tolist() == [[0.0], [3.0]]
    assert float(layer.own_penalty()) == 4.5


class TestAnUnknownAttribute:
    @pytest.mark.parametrize(
        ("owner", "name", "instead"),
        [
            (nn.Dense(2), "trainible", ".trainable"),
            (nn.Dense(2), "kernel", ".weight.data = ..., with PyTorch's shape: outputs first"),
            (nn.Dense(2), "requires_grad", ".trainable"),
            (nn.BatchNormalization(), "gamma", ".weight.data = ..., with PyTorch's shape: outputs"),
            (nn.BatchNormalization(), "moving_mean", ".running_mean"),
            (nn.Dropout(0.5), "p", ".rate"),
            (nn.Sequential([nn.Dense(1)]), "optimiser", ".optimizer"),
            (nn.MLP(2, [1]), "trainible", ".trainable"),
            (nn.Neuron(2), "bias", ".nin, .nonlin, .activation"),
            (nn.Adam(), "lr", ".learning_rate"),
            (nn.SGD(), "learning_rat", ".learning_rate"),
            (nn.SGD(), "momentun", ".momentum"),
            (nn.SGD(), "beta_1", ".learning_rate, .momentum, .nesterov"),
            (nn.regularizers.L2(0.1), "lambda_", ".l2; or a subclass"),
            (nn.schedules.ExponentialDecay(0.1, 10, 0.5), "decay", ".initial_learning_rate"),
            (nn.EarlyStopping(), "patiance", ".patience"),
            (nn.ModelCheckpoint("model.safetensors"), "save_best", ".save_best_only"),
            (nn.ReduceLROnPlateau(), "min_rl", ".min_lr"),
            (nn.LearningRateScheduler(abs), "scheduler", ".schedule"),
            (nn.CSVLogger("log.csv"), "file_name", ".filename"),
            (nn.LambdaCallback(), "on_epoch_ends", ".on_epoch_end"),
            (nn.TerminateOnNaN(), "patience", "no attribute; or a subclass"),
            (nn.History(), "histroy", ".history"),
            (nn.Replay([[0.0, 1.0]] * 2, [0, 1]), "lable", ".label"),
        ],
    )
    def test_of_an_object_of_the_package_is_refused(self, owner, name, instead):
        with pytest.raises(MissingNameError, match="no attribute of this name") as caught:
            setattr(owner, name, 1.0)
        assert caught.value.given == f".{name} = ... of a {type(owner).__name__}"
        assert caught.value.instead.startswith(instead)
        assert not hasattr(owner, name)

    def test_is_free_in_classes_of_users_in_modules_and_where_it_is_private(self):
        class Mine(nn.Dense):
            pass

        class Descent(nn.SGD):
            pass

        class Watch(nn.EarlyStopping):
            pass

        class Note(nn.Callback):
            pass

        for owner in (Mine(2), Descent(), Watch(), Note(), nn.Module()):
            owner.note = "mine"
            assert owner.note == "mine"
        layer = nn.Dense(2)
        layer._note = "mine"
        assert layer._note == "mine"

    def test_is_none_of_those_that_work(self):
        model = nn.Sequential([nn.Dense(2)])
        model.compile("adam", "mse")
        model.history = model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
        model.optimizer.learning_rate = 0.5
        model.optimizer.iterations = 7
        model.layers[0].activation = "relu"
        model.layers[0].forward = lambda x: x * 2.0
        assert model(np.ones((1, 3))).tolist() == [[2.0, 2.0, 2.0]]
