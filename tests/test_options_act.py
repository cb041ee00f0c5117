"""Every option of every constructor and function of nn acts: another value gives other numbers."""

import inspect

import numpy as np
import pytest

import nn
from autograd_core import Value
from nn import initializers, layers, losses, metrics, optimizers

IMAGES, SEQUENCES, ROWS, WORDS = (4, 4, 2), (5, 3), (4,), (5,)
RULES = {
    "initializer": initializers.Constant(0.7),
    "regularizer": "l2",
    "constraint": "unit_norm",
}


def of_weights(*names):
    """Return an option of each kind for weights of these names."""
    return {f"{name}_{kind}": choice for name in names for kind, choice in RULES.items()}


WEIGHTED = of_weights("kernel", "bias") | {
    "activation": "sigmoid",
    "use_bias": False,
    "activity_regularizer": "l2",
    "trainable": False,
}
RECURRENT = (
    WEIGHTED
    | of_weights("recurrent")
    | {
        "units": 3,
        "dropout": 0.5,
        "recurrent_dropout": 0.5,
        "return_sequences": True,
        "go_backwards": True,
    }
)
NORMALIZED = of_weights("beta", "gamma") | {
    "epsilon": 0.5,
    "center": False,
    "scale": False,
    "trainable": False,
}
CONVOLVED = WEIGHTED | {
    "filters": 3,
    "kernel_size": 3,
    "strides": 2,
    "padding": "same",
    "dilation_rate": 2,
}
POOLED = {"pool_size": 3, "strides": 1, "padding": "same"}
SEEN = {"fill_mode": "constant", "fill_value": 1.0}
# Of each layer: the options that it needs, its input, and what each option is changed to
LAYERS = {
    "Dense": ({"units": 2}, ROWS, WEIGHTED | {"units": 3}),
    "Activation": ({"activation": "relu"}, ROWS, {"activation": "tanh"}),
    "PReLU": ({}, ROWS, of_weights("alpha") | {"trainable": False}),
    "Dropout": ({"rate": 0.2}, ROWS, {"rate": 0.7}),
    "GaussianNoise": ({"stddev": 0.2}, ROWS, {"stddev": 0.7}),
    "BatchNormalization": (
        {},
        ROWS,
        NORMALIZED
        | {"momentum": 0.5}
        | {"moving_mean_initializer": "ones", "moving_variance_initializer": "zeros"},
    ),
    "LayerNormalization": ({}, ROWS, NORMALIZED),
    "RBF": (
        {"units": 2},
        ROWS,
        {"units": 3, "width": 2.0, "centres_initializer": "ones", "trainable": False},
    ),
    "Flatten": ({}, IMAGES, {}),
    "Reshape": ({"target_shape": (8, 4)}, IMAGES, {"target_shape": (4, 8)}),
    "Conv1D": ({"filters": 2, "kernel_size": 2}, SEQUENCES, CONVOLVED),
    "Conv2D": ({"filters": 2, "kernel_size": 2}, IMAGES, CONVOLVED),
    "MaxPooling2D": ({}, (5, 5, 2), POOLED),
    "AveragePooling2D": ({}, (5, 5, 2), POOLED),
    "GlobalAveragePooling2D": ({}, IMAGES, {"keepdims": True}),
    "RandomFlip": ({}, IMAGES, {"mode": "vertical"}),
    "RandomRotation": ({"factor": 0.2}, IMAGES, SEEN | {"factor": 0.4}),
    "RandomTranslation": (
        {"height_factor": 0.4, "width_factor": 0.4},
        IMAGES,
        SEEN | {"height_factor": 0.8, "width_factor": 0.8},
    ),
    "Embedding": (
        {"input_dim": 9, "output_dim": 2},
        WORDS,
        of_weights("embeddings")
        | {"input_dim": 10, "output_dim": 3, "mask_zero": True, "trainable": False},
    ),
    "Masking": ({}, SEQUENCES, {"mask_value": 1.0}),
    "SimpleRNN": ({"units": 2}, SEQUENCES, RECURRENT),
    "LSTM": (
        {"units": 2},
        SEQUENCES,
        RECURRENT | {"recurrent_activation": "tanh", "unit_forget_bias": False},
    ),
    "GRU": (
        {"units": 2},
        SEQUENCES,
        RECURRENT | {"recurrent_activation": "tanh", "reset_after": False},
    ),
    "Bidirectional": (
        {"layer": layers.GRU(2)},
        SEQUENCES,
        {
            "layer": layers.LSTM(2),
            "merge_mode": "sum",
            "backward_layer": layers.SimpleRNN(2, go_backwards=True),
        },
    ),
}
BESIDE = {"fill_value": {"fill_mode": "constant"}}  # what an option needs to act
SINGLE = {"axis"}  # of normalizations: -1, and others are refused


def options_of(kind):
    return set(inspect.signature(kind).parameters)


def made_of(layer, shape):
    """Return all that a layer makes of data: outputs, masks, penalties, and a step of training."""
    nn.set_seed(0)
    random = np.random.default_rng(0)
    x = random.integers(0, 9, (4, 5)) * 1.0 if shape == WORDS else random.normal(size=(4, *shape))
    x[1, -1] = 0.0
    model = nn.Sequential([layer])
    found = [model(x), model.output_mask(x, None), model.eval()(x)]
    for parameter in model.named_parameters().values():  # biases are 0 at first
        parameter.data = parameter.data - 0.1 * random.normal(size=parameter.shape)
    numbers = [np.asarray(getattr(each, "data", each)) for each in [*found, model.penalty()]]
    if model.state_dict():
        model.compile(nn.SGD(0.5), "mse")
        model.train_on_batch(x, random.normal(size=np.shape(found[0])))
    return [str(each) for each in [*numbers, *model.state_dict().values()]]


def test_all_layers_and_their_options_are_here():
    assert set(LAYERS) == {name for name in layers.__all__ if name != "ArrayLayer"}
    for name, (_, _, changes) in LAYERS.items():
        assert options_of(getattr(layers, name)) - SINGLE == set(changes), name


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name in LAYERS for option in LAYERS[name][2]]
)
@pytest.mark.filterwarnings("ignore")  # weights that are all alike, and a mask that ends
def test_each_option_of_a_layer_acts(name, option):
    needed, shape, changes = LAYERS[name]
    needed = needed | BESIDE.get(option, {})
    kind = getattr(layers, name)
    changed = needed | {option: changes[option]}
    assert made_of(kind(**changed), shape) != made_of(kind(**needed), shape)


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
    assert options_of(kind) == set(OPTIMIZERS[name])
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
    assert options_of(loss) == {"y_true", "y_pred", *changes}
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
    assert options_of(metric) == {"y_true", "y_pred", *changes}
    for option, value in changes.items():
        assert metric(y, out, **{option: value}) != metric(y, out), option
