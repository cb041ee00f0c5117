"""Every option of every constructor and function of nn acts: another value gives other numbers."""

import copy
import inspect
import itertools

import numpy as np
import pytest

import nn
from autograd_core import AutogradError, OptionError, Value
from nn import callbacks, initializers, layers, losses, metrics, optimizers
from nn.configuration import Configured
from nn.integrations.ranks import RankZeroCallbacks
from nn.plots.replay import Replay
from tests.every_layer import KINDS, NEEDED, example, options_of, samples

# What each option of a layer is changed to: flags to the other one, the rest by kind or by name
RULES = {
    "initializer": initializers.Constant(0.7),
    "regularizer": "l2",
    "constraint": "unit_norm",
}
CHANGES = {
    "activation": "sigmoid",
    "alpha": 0.5,
    "backward_layer": layers.SimpleRNN(2, go_backwards=True),
    "dilation_rate": 2,
    "dims": (1, 2),
    "dropout": 0.5,
    "epsilon": 0.5,
    "factor": 0.4,
    "fill_mode": "constant",
    "fill_value": 1.0,
    "filters": 3,
    "height_factor": 0.8,
    "input_dim": 10,
    "kernel_size": 3,
    "layer": layers.LSTM(2),
    "mask_value": 1.0,
    "max_value": 0.5,
    "merge_mode": "sum",
    "mode": "vertical",
    "momentum": 0.5,
    "n": 3,
    "negative_slope": 0.5,
    "output_dim": 3,
    "padding": "same",
    "pool_size": 3,
    "rate": 0.7,
    "recurrent_activation": "tanh",
    "recurrent_dropout": 0.5,
    "seed": 3,
    "stddev": 0.7,
    "strides": 3,
    "target_shape": (3, -1),
    "threshold": 0.3,
    "units": 3,
    "width": 2.0,
    "width_factor": 0.8,
}
BESIDE = {"fill_value": {"fill_mode": "constant"}}  # what an option needs to act
SINGLE = {"axis", "name"}  # of normalizations -1, and others are refused; for messages


def changed(kind, option):
    """Return another value of a layer's option."""
    default = inspect.signature(kind).parameters[option].default
    rule = RULES.get(option.rpartition("_")[2])
    if isinstance(default, bool):
        return not default
    return 2 if option == "padding" and default == 1 else rule or CHANGES[option]


def made_of(layer):
    """Return all that a layer makes of data: outputs, masks, penalties, and a step of training."""
    x = samples(type(layer))
    nn.set_seed(0)
    random = np.random.default_rng(0)
    model = nn.Sequential([layer])
    found = [model(x), model.output_mask(x, None), model.eval()(x)]
    for parameter in model.named_parameters().values():  # biases are 0 at first
        parameter.data = parameter.data - 0.1 * random.normal(size=parameter.shape)
    numbers = [np.asarray(getattr(each, "data", each)) for each in [*found, model.penalty()]]
    if model.state_dict():
        model.compile(nn.SGD(0.5), "mse")
        model.train_on_batch(x, random.normal(size=np.shape(found[0])))
    return [str(each) for each in [*numbers, *model.state_dict().values()]]


each_option = pytest.mark.parametrize(
    ("kind", "option"),
    [(kind, option) for kind in KINDS for option in options_of(kind) if option not in SINGLE],
    ids=lambda each: getattr(each, "__name__", each),
)


@each_option
@pytest.mark.filterwarnings("ignore")  # weights that are all alike, and a mask that ends
def test_each_option_of_a_layer_acts(kind, option):
    options = BESIDE.get(option, {})
    other = options | {option: changed(kind, option)}
    expected = made_of(example(kind, **other))
    assert expected != made_of(example(kind, **options))
    if option != "layer":  # Bidirectional(layer) makes its other layer of it, too
        assigned = example(kind, **options)
        setattr(assigned, option, copy.deepcopy(other[option]))
        assert made_of(assigned) == expected


@each_option
@pytest.mark.filterwarnings("ignore")  # a mask that ends
def test_an_option_assigned_when_parameters_are_made_acts_or_is_refused(kind, option):
    other = BESIDE.get(option, {}) | {option: changed(kind, option)}
    layer, expected = example(kind, **BESIDE.get(option, {})), example(kind, **other)
    for each in (layer, expected):
        nn.set_seed(0)
        each(samples(kind))
    refused = None
    try:
        setattr(layer, option, copy.deepcopy(other[option]))
    except OptionError as error:
        refused = error.why
    if refused:
        assert refused == "its parameters were made with the previous one, and keep it"
        assert layer.state_dict()
    elif option not in ("layer", "backward_layer", "seed"):  # what they bring starts anew
        expected.load_state_dict(layer.state_dict(), strict=False)
        compared = 4 if option in ("use_bias", "center", "scale") else None  # it stays, unused
        assert made_of(layer)[:compared] == made_of(expected)[:compared]


COMMON = {
    "learning_rate": 0.3,
    "weight_decay": 0.1,
    "clipnorm": 0.1,
    "clipvalue": 0.1,
    "global_clipnorm": 0.1,
    "gradient_accumulation_steps": 2,
}
AVERAGED = COMMON | {"beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.5}
OPTIMIZERS = {
    "SGD": COMMON | {"momentum": 0.5, "nesterov": True},
    "Adagrad": COMMON | {"initial_accumulator_value": 0.5, "epsilon": 0.5},
    "Adadelta": COMMON | {"rho": 0.5, "epsilon": 0.5},
    "RMSprop": COMMON | {"rho": 0.5, "momentum": 0.5, "epsilon": 0.5, "centered": True},
    "Adam": AVERAGED | {"amsgrad": True},
    "AdamW": AVERAGED | {"amsgrad": True},
    "Adamax": AVERAGED,
    "Nadam": AVERAGED,
    "Lion": COMMON | {"beta_1": 0.5, "beta_2": 0.5},
}


def steps_of(optimizer):
    """Return where steps with some gradients lead."""
    x = Value(np.ones(3))
    for gradient in ([1.0, -2.0, 0.3], [-0.2, 0.1, 2.0], [0.0, 0.1, -0.1]):
        x.grad = np.array(gradient)
        optimizer.step([x])
    return x.data.tolist()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_option_of_an_optimizer_acts(name):
    kind = getattr(optimizers, name)
    assert set(options_of(kind)) == set(OPTIMIZERS[name])
    for option, value in OPTIMIZERS[name].items():
        needed = {"momentum": 0.9} if option == "nesterov" else {}
        assert steps_of(kind(**needed, **{option: value})) != steps_of(kind(**needed)), option


SHARED = {"sample_weight": [3.0, 1.0], "reduction": "sum"}
LOSSES = {
    "huber": {"delta": 0.1},
    "binary_crossentropy": {"from_logits": True, "label_smoothing": 0.2},
    "categorical_crossentropy": {"from_logits": True, "label_smoothing": 0.2},
    "sparse_categorical_crossentropy": {"from_logits": True},
}
THRESHOLDED = {"threshold": 0.25}
BY_CLASS = {"threshold": 0.25, "average": "micro"}
METRICS = {
    "accuracy": THRESHOLDED,
    "binary_accuracy": THRESHOLDED,
    "precision": BY_CLASS,
    "recall": BY_CLASS,
    "f1_score": BY_CLASS,
    "top_k_categorical_accuracy": {"k": 1},
    "sparse_top_k_categorical_accuracy": {"k": 1},
}
CHANCES = np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]])
ROWS_OF_CLASSES, NUMBERS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.array([0, 1])


@pytest.mark.parametrize("name", sorted({f.__name__ for f in losses.BY_NAME.values()}))
@pytest.mark.filterwarnings("ignore")  # logits where probabilities are expected
def test_each_option_of_a_loss_acts(name):
    loss, changes = getattr(losses, name), SHARED | LOSSES.get(name, {})
    y = NUMBERS if name.startswith("sparse") else ROWS_OF_CLASSES
    assert set(options_of(loss)) == {"y_true", "y_pred", *changes}
    for option, value in changes.items():
        assert float(loss(y, CHANCES, **{option: value})) != float(loss(y, CHANCES)), option


@pytest.mark.parametrize("name", sorted({f.__name__ for f in metrics._METRICS}))
def test_each_option_of_a_metric_acts(name):
    random = np.random.default_rng(0)
    metric, weights = getattr(metrics, name), random.uniform(size=20)
    changes = {"sample_weight": weights} | METRICS.get(name, {})
    y, out = random.integers(0, 7, 20), random.dirichlet(np.full(7, 0.3), 20)
    if name in ("accuracy", "binary_accuracy"):
        y, out = (y > 3) * 1.0, random.uniform(size=20)
    elif not name.startswith("sparse"):
        y = np.eye(7)[y]
    assert set(options_of(metric)) == {"y_true", "y_pred", *changes}
    for option, value in changes.items():
        assert metric(y, out, **{option: value}) != metric(y, out), option


WRONG = [-3, 0, 7.5, float("nan"), "no such", (), None]
REQUIRED = NEEDED | {
    "boundaries": [1],
    "decay_rate": 0.5,
    "decay_steps": 3,
    "epochs": 1,
    "batches": 1,
    "style": 1,
    "filename": "figures.csv",
    "filepath": "model.safetensors",
    "first_decay_steps": 3,
    "hidden": 2,
    "initial_learning_rate": 0.1,
    "learning_rate": 0.1,
    "nin": 2,
    "nout": 2,
    "max_learning_rate": 0.1,
    "nouts": [2],
    "schedule": lambda epoch: 0.1,
    "shape": (2,),
    "total_steps": 5,
    "values": [0.1, 0.2],
    "visible": 2,
    "warmup_steps": 1,
}
OF_OTHERS = [callbacks.LambdaCallback, RankZeroCallbacks, Replay]  # functions, ranks and a model


def classes_with_options(kind=Configured):
    """Return all classes of nn whose objects have options."""
    is_own = kind.__module__.startswith("nn.") and "integrations" not in kind.__module__
    is_public = is_own and not kind.__name__.startswith("_")
    own = [kind] if is_public and kind not in OF_OTHERS and options_of(kind) else []
    return own + [each for part in kind.__subclasses__() for each in classes_with_options(part)]


def with_options(kind, **options):
    parameters = inspect.signature(kind).parameters.items()
    needed = {name: REQUIRED[name] for name, p in parameters if p.default is p.empty}
    return kind(**copy.deepcopy(needed) | options)


@pytest.mark.parametrize("kind", classes_with_options())
def test_what_a_constructor_refuses_an_assignment_refuses(kind):
    for option, wrong in itertools.product(options_of(kind), WRONG):
        try:
            with_options(kind, **{option: wrong})
        except AutogradError:
            made = with_options(kind)
            before = repr(getattr(made, option))
            with pytest.raises(AutogradError):
                setattr(made, option, wrong)
            assert repr(getattr(made, option)) == before
