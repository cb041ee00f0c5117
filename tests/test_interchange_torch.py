"""PyTorch's modules as ours, our weights and files in PyTorch. This file runs PyTorch itself."""

import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torch import nn as T
from torch.nn.utils import prune

import nn
from autograd_core import MissingPackageError, OptionError, UnsupportedError
from nn.interchange import from_torch, torch_weights
from nn.training import plain

CHANNELS_FIRST = (T.Conv1d, T.Conv2d, T.BatchNorm2d, T.MaxPool2d, T.AvgPool2d, T.AdaptiveAvgPool2d)
TYPES = [torch.float32, torch.float64]


def check(module, shape, dtype=torch.float64, words=0):
    """Assert that outputs are equal, and return ours."""
    torch.manual_seed(5)
    module = module.to(dtype).eval()
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 0.9)
    x = torch.randint(0, words, (3, *shape)) if words else torch.randn(3, *shape, dtype=dtype)
    out = module(x)
    y = (out[0] if isinstance(out, tuple) else out).detach().numpy()
    x = x.numpy()
    if isinstance(next(iter(module.children()), module), CHANNELS_FIRST):
        x, y = np.moveaxis(x, 1, -1), np.moveaxis(y, 1, -1) if y.ndim > 2 else y
    ours = from_torch(module)
    given = plain(ours(x))
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(given, y, rtol=tolerance, atol=tolerance)
    assert given.dtype == y.dtype or words
    return ours


def names(module):
    return {name for name in module.state_dict() if "num_batches" not in name}


# Layers


@pytest.mark.parametrize("dtype", TYPES)
def test_rows(dtype):
    inner = T.Sequential(T.Linear(5, 4, bias=False), T.Softmax(dim=1))
    layers = T.Linear(6, 5), T.BatchNorm1d(5), T.Dropout(0.2), T.LayerNorm(5), T.PReLU(5), inner
    module = T.Sequential(*layers)
    ours = check(module, (6,), dtype)
    assert set(ours.state_dict()) == names(module)
    assert ours.layers[1].momentum == 0.9
    assert ours.layers[2].rate == 0.2


@pytest.mark.parametrize("dtype", TYPES)
def test_images_have_their_channels_last(dtype):
    module = T.Sequential(
        *(T.Conv2d(2, 4, 3, padding=1), T.BatchNorm2d(4, affine=False), T.PReLU(4), T.MaxPool2d(2)),
        *(T.Conv2d(4, 3, (2, 3), stride=(2, 1)), T.Softmax(dim=1), T.AvgPool2d(2, 1), T.Flatten()),
        *(T.BatchNorm1d(3), T.Linear(3, 5), T.ReLU(), T.Linear(5, 2)),
    )
    check(module, (2, 9, 9), dtype)


def test_what_stands_behind_flatten():
    layers = T.BatchNorm1d(24), T.PReLU(24), T.LayerNorm(24), T.Linear(24, 3), T.Linear(3, 3)
    check(T.Sequential(T.Conv2d(2, 4, 3), T.Flatten(), *layers), (2, 4, 5))


@pytest.mark.parametrize(
    "layers",
    [
        [T.Conv2d(2, 3, 3, padding="same", dilation=2)],
        [T.Conv2d(2, 3, 3, padding="valid", bias=False)],
        [T.Conv2d(2, 3, 1), T.MaxPool2d(3, 1, padding=1)],
        [T.Conv2d(2, 3, 1), T.AvgPool2d(3, 1, padding=1, count_include_pad=False)],
        [T.Conv2d(2, 3, 1), T.Softmax(dim=3), T.LogSoftmax(dim=-2), T.Softmax(dim=0)],
        [T.AdaptiveAvgPool2d(1)],
        [T.AdaptiveAvgPool2d((1, 1)), T.Conv2d(2, 3, 1), T.Flatten(), T.Linear(3, 2)],
        [T.MaxPool2d(2), T.BatchNorm2d(2), T.Flatten(), T.Linear(32, 2)],
    ],
    ids=str,
)
def test_layers_of_images(layers):
    check(T.Sequential(*layers), (2, 8, 8))


def test_signals_have_their_channels_last():
    check(T.Sequential(T.Conv1d(2, 4, 3, stride=2), T.BatchNorm1d(4), T.ReLU()), (2, 9))


def test_flatten_of_what_has_no_channels():
    check(T.Sequential(T.Flatten(), T.Linear(12, 3)), (3, 4))


def test_axes_of_rows_stay():
    check(T.Sequential(T.Softmax(dim=1), T.LogSoftmax(dim=-1)), (4, 5))


@pytest.mark.parametrize("options", [{}, {"elementwise_affine": False}, {"bias": False}])
def test_layer_norm(options):
    check(T.Sequential(T.LayerNorm(5, **options), T.Linear(5, 2)), (4, 5))


def test_embedding():
    check(T.Embedding(7, 3, padding_idx=0), (5,), words=7)


@pytest.mark.parametrize("kind", [T.RNN, T.LSTM, T.GRU])
@pytest.mark.parametrize(
    "options", [{}, {"bias": False}, {"bidirectional": True}, {"num_layers": 2, "dropout": 0.2},
                {"num_layers": 3, "bidirectional": True}, {"num_layers": 11}],
    ids=str,
)  # fmt: skip
def test_recurrent_layers(kind, options):
    module = kind(3, 4, batch_first=True, **options)
    ours = check(module, (5, 3))
    if "num_layers" not in options:
        assert set(ours.state_dict()) == names(module)


def test_rnn_with_relu_and_dropout_between():
    ours = check(T.RNN(3, 4, 2, nonlinearity="relu", dropout=0.3, batch_first=True), (5, 3))
    assert [type(layer) for layer in ours.layers] == [nn.SimpleRNN, nn.Dropout, nn.SimpleRNN]


ACTIVATIONS = [
    *(T.Identity(), T.ReLU(), T.ReLU6(), T.Tanh(), T.Sigmoid(), T.LogSigmoid(), T.SiLU(), T.SELU()),
    *(T.Mish(), T.Softsign(), T.Hardsigmoid(), T.Hardtanh(), T.Softplus(), T.LeakyReLU(0.3)),
    *(T.ELU(0.5), T.CELU(0.7), T.GELU(), T.GELU("tanh")),
]


@pytest.mark.parametrize("module", ACTIVATIONS, ids=str)
def test_activations(module):
    check(module, (50,))


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_comes_along(training):
    module = T.Sequential(T.Linear(2, 2), T.Dropout(0.5)).train(training)
    assert [part.training for part in from_torch(module).modules().values()] == [training] * 3


def test_half_precision_becomes_single():
    assert from_torch(T.Linear(2, 2).to(torch.bfloat16)).weight.dtype == np.float32


def test_a_module_that_comes_again():
    relu, linear = T.ReLU(), T.Linear(4, 4)
    module = T.Sequential(linear, relu, T.Sequential(linear, relu), T.Linear(4, 2), relu).double()
    x = np.random.default_rng(3).normal(size=(5, 4))
    ours = from_torch(module)
    assert ours.layers[0] is ours.layers[2].layers[0]
    assert len(ours.parameters()) == 4
    np.testing.assert_allclose(ours.predict(x), module(torch.tensor(x)).detach().numpy(), 1e-10)
    assert set(torch_weights(ours)) == set(module.state_dict())


# What does not exist here


class Own(T.Linear):
    pass


REFUSED = [
    ([T.Linear(2, 2), T.Conv3d(1, 1, 1)], "layer 1, PyTorch's Conv3d\n.*there is no such layer"),
    ([T.Sequential(T.ReLU(), Own(2, 2))], "layer 0.1, Own\n.*no layer of PyTorch's own"),
    (
        [T.Conv2d(2, 2, 3, stride=2, padding=1)],
        "layer 0, PyTorch's Conv2d\n.*padding=.1, 1. is nei",
    ),
    ([T.Conv2d(2, 2, 1, groups=2)], "groups=2 does not exist here\n.*groups=1"),
    ([T.Conv2d(2, 2, 3, padding=1, padding_mode="circular")], "padding_mode='circular' does not"),
    ([T.MaxPool2d(2), T.Flatten()], "PyTorch's Flatten\n.*number of channels.*\n.*Conv2d or"),
    ([T.MaxPool2d(2, ceil_mode=True)], "ceil_mode=True"),
    ([T.MaxPool2d(2, dilation=2)], "dilation=2"),
    ([T.AvgPool2d(2, divisor_override=3)], "divisor_override=3"),
    ([T.AvgPool2d(3, 1, padding=1)], "count_include_pad=True"),
    ([T.AdaptiveAvgPool2d(2)], "only the mean of the whole image"),
    ([T.Flatten(0)], "start_dim=0"),
    ([T.Conv2d(2, 2, 3), T.Linear(2, 2)], "Linear\n.*its axis is the last one"),
    ([T.Conv2d(2, 2, 3), T.LayerNorm(2)], "LayerNorm\n.*its axis is the last one"),
    ([T.LayerNorm((2, 2))], "more than the last axis"),
    ([T.Softmax()], "its axis depends on the data\n.*dim=1"),
    ([T.PReLU()], "a slope belongs to each feature here\n.*num_parameters=features"),
    ([T.BatchNorm1d(2, momentum=None)], "averages that do not move by a momentum"),
    ([T.BatchNorm1d(2, track_running_stats=False)], "averages that do not move by a momentum"),
    ([T.Embedding(3, 2, max_norm=1.0)], "max_norm=1.0 does not exist here\n.*max_norm=None"),
    ([T.LSTM(3, 4, proj_size=2)], "proj_size=2"),
    ([T.Softplus(beta=2)], "beta=2"),
    ([T.Softplus(threshold=0.5)], "threshold=0.5 does not exist here\n.*threshold=20.0"),
    ([T.Embedding(3, 2, scale_grad_by_freq=True)], "scale_grad_by_freq=True"),
    ([T.MaxPool2d(2, return_indices=True)], "return_indices=True"),
    ([T.Hardtanh(-2.0)], "min_val=-2.0"),
]


@pytest.mark.parametrize(("layers", "message"), REFUSED, ids=lambda part: str(part)[:40])
def test_what_does_not_exist_is_named(layers, message):
    with pytest.raises(UnsupportedError, match=message):
        from_torch(T.Sequential(*layers))


@pytest.mark.parametrize(
    "make",
    [
        T.utils.weight_norm,
        lambda layer: prune.identity(layer, "weight"),
        lambda _: T.Linear(2, 2, dtype=torch.complex64),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weights_that_do_not_exist_here(make):
    with pytest.raises(UnsupportedError, match=r"^layer 1, PyTorch's Linear\n.*weight.* no weight"):
        from_torch(T.Sequential(T.ReLU(), make(T.Linear(2, 2))))


HOOKS = {
    "forward_hooks": lambda module: module.register_forward_hook(lambda m, x, out: out * 2),
    "forward_pre_hooks": lambda module: module.register_forward_pre_hook(lambda m, x: (x[0] * 2,)),
    "backward_hooks": lambda module: module.register_full_backward_hook(lambda m, g, h: (g[0],)),
    "backward_pre_hooks": lambda module: module.register_full_backward_pre_hook(lambda m, g: g),
}


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("make", [lambda: T.Linear(2, 2), T.ReLU, lambda: T.Sequential(T.Tanh())])
def test_hooks_of_modules_are_refused(name, make):
    module = make()
    handle = HOOKS[name](module)
    with pytest.raises(UnsupportedError, match=rf"^layer 0, .*\n.*its {name},.*\n.*remove"):
        from_torch(T.Sequential(module))
    handle.remove()
    from_torch(T.Sequential(module))


def test_hooks_of_parameters_are_refused():
    first, second = T.Linear(2, 2), T.Linear(2, 2)
    first.weight.register_hook(lambda gradient: gradient * 2)
    second.bias.register_post_accumulate_grad_hook(lambda parameter: None)
    for module, name in ((first, "backward_hooks"), (second, "post_accumulate_grad_hooks")):
        with pytest.raises(UnsupportedError, match=f"its {name},"):
            from_torch(module)


def test_a_forward_of_a_single_module_is_refused():
    module = T.Linear(2, 2)
    module.forward = lambda x: x
    with pytest.raises(UnsupportedError, match="its forward,"):
        from_torch(module)


@pytest.mark.parametrize("threshold", [20, 50])
def test_a_threshold_of_softplus_that_makes_no_difference(threshold):
    check(T.Softplus(threshold=threshold), (50,))


@pytest.mark.parametrize("kind", [T.RNN, T.LSTM, T.GRU])
def test_steps_before_samples_are_warned_of(kind):
    with pytest.warns(nn.TrainingWarning, match=rf"(?s)batch_first=False.*{kind.__name__}\(\.\.\."):
        from_torch(kind(3, 4))


def test_a_parameter_of_two_layers_is_warned_of():
    first, second = T.Linear(2, 2), T.Linear(2, 2)
    second.weight = first.weight
    with pytest.warns(nn.TrainingWarning, match="weight of layer 1, PyTorch's Linear, a parameter"):
        from_torch(T.Sequential(first, second))


def test_parts_keep_a_mode_of_their_own():
    module = T.Sequential(T.Linear(2, 2), T.BatchNorm1d(2), T.Dropout(0.5)).train()
    module[1].eval()
    modes = [part.training for part in from_torch(module).modules().values()]
    assert modes == [part.training for part in module.modules()] == [True, True, False, True]


def test_no_module_at_all():
    with pytest.raises(UnsupportedError, match=r"^the module, int\n"):
        from_torch(3)


def test_pytorch_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackageError, match="pip install torch"):
        from_torch(None)


# Our files in PyTorch

BOTH = {
    "rows": (
        lambda: [nn.Dense(5), nn.BatchNormalization(epsilon=1e-5), nn.LayerNormalization()],
        lambda: T.Sequential(T.Linear(6, 5), T.BatchNorm1d(5), T.LayerNorm(5, 1e-3)),
        (6,),
    ),
    "images": (
        lambda: [nn.Conv2D(4, 3, padding="same"), nn.PReLU(), nn.Conv2D(2, 2)],
        lambda: T.Sequential(T.Conv2d(3, 4, 3, padding=1), T.PReLU(4), T.Conv2d(4, 2, 2)),
        (6, 6, 3),
    ),
    "embedding": (lambda: [nn.Embedding(9, 3)], lambda: T.Sequential(T.Embedding(9, 3)), (4,)),
}  # fmt: skip
RECURRENT = {
    "rnn": (lambda: nn.SimpleRNN(4, return_sequences=True), lambda: T.RNN(3, 4, batch_first=True)),
    "lstm": (lambda: nn.LSTM(4, return_sequences=True), lambda: T.LSTM(3, 4, batch_first=True)),
    "gru": (lambda: nn.GRU(4, return_sequences=True), lambda: T.GRU(3, 4, batch_first=True)),
    "bidirectional": (
        lambda: nn.Bidirectional(nn.LSTM(4, return_sequences=True)),
        lambda: T.LSTM(3, 4, batch_first=True, bidirectional=True),
    ),
}


def loaded(ours, theirs, path):
    """Return PyTorch's module with the weights of a file that ours has saved, all of them."""
    ours.save(path)
    theirs.load_state_dict(load_file(path))
    return theirs.eval()


@pytest.mark.parametrize("kind", BOTH)
def test_pytorch_reads_our_files(kind, tmp_path):
    layers, module, shape = BOTH[kind]
    ours = nn.Sequential(layers())
    is_words = kind == "embedding"
    rng = np.random.default_rng(3)
    x = rng.integers(0, 9, (5, *shape)) if is_words else rng.normal(size=(5, *shape)).astype("f4")
    ours.build(shape)
    ours(x)  # moves the averages
    theirs = loaded(ours, module(), tmp_path / "ours.safetensors")
    given = torch.tensor(np.moveaxis(x, -1, 1) if x.ndim == 4 else x)
    y = theirs(given).detach().numpy()
    y = np.moveaxis(y, 1, -1) if x.ndim == 4 else y
    np.testing.assert_allclose(ours.predict(x), y, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", RECURRENT)
def test_pytorch_reads_our_recurrent_files(kind, tmp_path):
    layer, module = RECURRENT[kind]
    ours = layer()
    ours.build((5, 3))
    theirs = loaded(ours, module(), tmp_path / "ours.safetensors")
    x = np.random.default_rng(3).normal(size=(2, 5, 3)).astype("f4")
    y = theirs(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(ours.predict(x), y, rtol=1e-4, atol=1e-6)


# Our weights behind Flatten

MODELS = {
    "images": (
        lambda: [
            *(nn.Conv2D(4, 3), nn.MaxPooling2D(2), nn.Flatten(), nn.Dropout(0.5)),
            *(nn.BatchNormalization(epsilon=1e-5), nn.PReLU(), nn.Dense(5), nn.Dense(2)),
        ],
        lambda: T.Sequential(
            *(T.Conv2d(2, 4, 3), T.MaxPool2d(2), T.Flatten(), T.Dropout()),
            *(T.BatchNorm1d(24), T.PReLU(24), T.Linear(24, 5), T.Linear(5, 2)),
        ),
        (8, 6, 2),
    ),
    "models inside": (
        lambda: [
            nn.Sequential([nn.BatchNormalization(epsilon=1e-5), nn.AveragePooling2D(2)]),
            nn.Sequential([nn.Reshape((-1,)), nn.Activation("tanh"), nn.Dense(3)]),
        ],
        lambda: T.Sequential(
            T.Sequential(T.BatchNorm2d(3), T.AvgPool2d(2)),
            T.Sequential(T.Flatten(), T.Tanh(), T.Linear(18, 3)),
        ),
        (6, 4, 3),
    ),
    "signals": (
        lambda: [nn.Conv1D(4, 3), nn.Flatten(), nn.LayerNormalization(epsilon=1e-5), nn.Dense(3)],
        lambda: T.Sequential(T.Conv1d(2, 4, 3), T.Flatten(), T.LayerNorm(24), T.Linear(24, 3)),
        (8, 2),
    ),
    "the mean of an image": (
        lambda: [nn.Conv2D(4, 3), nn.GlobalAveragePooling2D(), nn.Flatten(), nn.Dense(3)],
        lambda: T.Sequential(
            T.Conv2d(2, 4, 3), T.AdaptiveAvgPool2d(1), T.Flatten(), T.Linear(4, 3)
        ),
        (5, 5, 2),
    ),
    "rows": (
        lambda: [nn.Flatten(), nn.Dense(4), nn.Reshape((2, 2)), nn.Dense(3)],
        lambda: T.Sequential(
            T.Flatten(), T.Linear(6, 4), T.Unflatten(1, (2, 2)), T.Linear(2, 3)
        ),
        (3, 2),
    ),
}  # fmt: skip


def built(kind):
    """Return our model, with weights and averages that nobody would have guessed, and x."""
    layers, module, shape = MODELS[kind]
    model, x = nn.Sequential(layers()), np.random.default_rng(3).normal(size=(4, *shape))
    model.build(shape, np.float64)
    model(x)  # moves the averages
    return model.eval(), module().double().eval(), x


def computed(module, x, kind):
    """Return PyTorch's outputs for data that have their channels last."""
    given = torch.tensor(x if kind == "rows" else np.moveaxis(x, -1, 1))
    return module(given).detach().numpy()


@pytest.mark.parametrize("kind", MODELS)
def test_outputs_are_equal_behind_flatten(kind, tmp_path):
    ours, theirs, x = built(kind)
    save_file(torch_weights(ours), tmp_path / "weights.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    np.testing.assert_allclose(computed(theirs, x, kind), ours.predict(x), 1e-10, 1e-12)


@pytest.mark.parametrize("kind", ["images", "signals"])
def test_weights_come_back_as_they_were(kind):
    theirs = built(kind)[1]
    ours = from_torch(theirs)
    ours.build(MODELS[kind][2], np.float64)
    given = {k: v for k, v in theirs.state_dict().items() if "num_batches" not in k}
    found = torch_weights(ours)
    assert list(found) == list(given)
    for name, tensor in given.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


def test_a_single_layer():
    layer = nn.LSTM(3)
    with pytest.raises(OptionError, match=r"^the weights of LSTM(.*\n)+.*model\.build"):
        torch_weights(layer)
    layer.build((4, 2))
    assert list(torch_weights(layer)) == list(layer.state_dict())


def test_a_model_that_is_not_built():
    with pytest.raises(OptionError, match=r"^the weights of layer 0\.0, Dense\(units=2\)"):
        torch_weights(nn.Sequential([nn.Sequential([nn.Dense(2), nn.Masking()])]))


def test_shapes_that_take_other_numbers_together():
    model = nn.Sequential([nn.Conv2D(2, 1), nn.Reshape((4, 2)), nn.Dense(1)], input_shape=(2, 2, 1))
    with pytest.raises(UnsupportedError, match=r"weights behind Reshape.*\n.*channels first"):
        torch_weights(model)


def test_what_is_not_trained_is_frozen():
    module = T.Sequential(T.Linear(3, 2), T.ReLU(), T.Linear(2, 1))
    module[0].requires_grad_(False)
    assert [layer.trainable for layer in from_torch(module).layers] == [False, True, True]
    module[2].bias.requires_grad_(False)
    with pytest.raises(UnsupportedError, match=r"layer 2, PyTorch's Linear\n.*frozen whole"):
        from_torch(module)


def test_what_is_frozen_but_for_its_averages_is_refused():
    module = T.BatchNorm1d(3).requires_grad_(False)
    with pytest.raises(UnsupportedError, match="its averages move on"):
        from_torch(module)
    assert not from_torch(module.eval()).trainable
