"""Names of Keras and PyTorch that are here by another name, and what to write instead."""

import inspect
from collections.abc import Mapping
from functools import partial
from types import ModuleType
from typing import Any

from autograd_core import UnknownImportError, explained_call, unknown_name
from autograd_core.data import Function

_LOSS = "a loss by its name, model.compile(loss={!r}), or nn.losses.{}"
# Attributes of layers and optimizers
ATTRIBUTES = {
    "W": "weight",
    "b": "bias",
    "beta": "bias",
    "eps": "epsilon",
    "gamma": "weight",
    "kernel": "weight",
    "lr": "learning_rate",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "p": "rate",
    "requires_grad": "trainable",
}
# Attributes and methods that are read
MEMBERS = {
    "add_weight": "self.make_parameter(name, shape, initializer) in make_parameters",
    "cuda": "nothing: NumPy computes on the CPU",
    "fit_generator": "model.fit(batches)",
    "get_config": ".config()",
    "get_weights": "model.state_dict(); nn.interchange.keras_weights(model) in Keras's shapes",
    "kernel": ".weight, of PyTorch's shape: outputs first",
    "non_trainable_variables": "model.state_dict(), which has buffers too",
    "non_trainable_weights": "model.state_dict(), which has buffers too",
    "params": "history.history and history.epoch; in a callback self.model",
    "set_weights": "model.load_state_dict(arrays by name)",
    "step": "loss.backward(), then optimizer.step(model)",
    "to": "nothing: NumPy computes on the CPU",
    "to_json": "model.save(path)",
    "trainable_variables": "model.parameters()",
    "trainable_weights": "model.parameters()",
    "variables": "model.state_dict()",
    "weights": "model.state_dict() for arrays, model.parameters() for Values",
    "zero_grad": "model.zero_grad()",
}
_OWN_LAYER = "a subclass of nn.layers.ArrayLayer with forward(self, x), in NumPy's functions"
# Names of the package
NAMES = {
    **dict.fromkeys(("Cropping2D", "Conv2DTranspose", "DepthwiseConv2D"), _OWN_LAYER),
    **dict.fromkeys(("SeparableConv2D", "UpSampling2D", "Concatenate", "Add"), _OWN_LAYER),
    "AdaptiveAvgPool2d": "nn.GlobalAveragePooling2D()",
    "AvgPool2d": "nn.AveragePooling2D(pool_size)",
    "BCELoss": _LOSS.format("binary_crossentropy", "binary_crossentropy"),
    "BCEWithLogitsLoss": "functools.partial(nn.losses.binary_crossentropy, from_logits=True)",
    "BatchNorm1d": "nn.BatchNormalization()",
    "BatchNorm2d": "nn.BatchNormalization()",
    "Conv1d": "nn.Conv1D(filters, kernel_size), channels last",
    "Conv2d": "nn.Conv2D(filters, kernel_size), channels last",
    "CrossEntropyLoss": "functools.partial(nn.losses.sparse_categorical_crossentropy, "
    "from_logits=True)",
    "Convolution2D": "nn.Conv2D(filters, kernel_size)",
    "DataLoader": "nn.batches(x, y, batch_size=32)",
    "InputLayer": "nn.Input(shape=(features,)) first in Sequential, or input_shape= of a layer",
    "Lambda": "a subclass of nn.Module with __call__; nn.Activation(f) for a function f of one "
    "array",
    "Linear": "nn.Dense(units), which finds the number of inputs in its first call",
    "MSELoss": _LOSS.format("mse", "mean_squared_error"),
    "MaxPool2d": "nn.MaxPooling2D(pool_size)",
    "Model": "nn.Sequential([...]), or a subclass of nn.Module with __call__",
    "ModuleDict": "a dict of layers as an attribute of a Module",
    "ModuleList": "a list of layers as an attribute of a Module",
    "Normalization": "sklearn.preprocessing.StandardScaler, or nn.BatchNormalization()",
    "TextVectorization": "whole numbers for words: np.unique(words, return_inverse=True)",
    "manual_seed": "nn.set_seed(seed)",
    "pad_sequences": "np.pad of each row to one length, and Embedding(mask_zero=True)",
    "preprocessing": "np.pad of each row to one length, and Embedding(mask_zero=True)",
    "save": "model.save(path)",
    "tensor": "autograd_core.Value(data)",
    "Parameter": "autograd_core.Value(...) as an attribute of a Module",
    "RNN": "nn.SimpleRNN(units)",
    "Rescaling": "x / 255 before the model sees it",
    "Tanh": 'nn.Activation("tanh")',
    "Sigmoid": 'nn.Activation("sigmoid")',
    "backend": "NumPy, which nn computes with: there is no other backend",
    "functional": "nn.activations, nn.losses, and NumPy's functions on Values",
    "init": "nn.initializers",
    "load_model": "nn.load(path)",
    "models": "nn.Sequential, nn.Module and nn.load",
    "to_categorical": "nn.one_hot(labels)",
    "ops": "NumPy's functions, which take Values: np.exp(v), np.matmul(v, w)",
    "optim": "nn.optimizers",
    "train_test_split": "sklearn.model_selection.train_test_split, or fit(validation_split=0.2)",
    "utils": "nn.one_hot for to_categorical, nn.set_seed for set_random_seed, autograd_core.draw "
    "for plot_model",
}


def unknown(package: str, name: str, public: list[str], modules: list[ModuleType]) -> Exception:
    """Return the error for a name that this package does not have.

    Args:    public: the names that it has.
             modules: of the package; one of them may have the name.
    """
    homes = [module.__name__ for module in modules if _has(module, name)]
    elsewhere = ({name: f"{homes[0]}.{name}"} if homes else {}) | NAMES
    return unknown_name(package, name, public, elsewhere)


def _has(module: ModuleType, name: str) -> bool:
    try:
        return hasattr(module, name)
    except UnknownImportError:
        return False


def by_keras_name(module: str, name: str, choices: Mapping[str, Any]) -> Any:
    """Return a choice by the name of its class or function in Keras, for a module's `__getattr__`.

    Keras has classes for losses and metrics with options: Huber(delta=2.0) is here
    functools.partial(huber, delta=2.0).

    Args:    choices: what the module has, by name.
    Raises:  MissingNameError: there is none.
    """
    if name in choices and name != "AUC":  # losses.mse(y_true, y_pred); AUC is a class of Keras's
        return choices[name]
    found = {key.replace("_", "").lower(): choice for key, choice in choices.items()}
    choice = found.get(name.replace("_", "").lower())
    if choice is None or name.startswith("_"):
        raise unknown_name(module, name, [*choices], NAMES)
    return choice if isinstance(choice, type) else _with_options(name, choice)


def _with_options(name: str, function: Function) -> Function:
    """Return the function that gives options to another one, as Keras's class of this name."""
    parameters = inspect.signature(function).parameters.values()
    signature = inspect.Signature(
        [
            p.replace(kind=p.KEYWORD_ONLY)  # in Keras they have another order
            for p in parameters
            if p.default is not p.empty and p.name != "sample_weight"
        ]
    )

    def make(*args: Any, **options: Any) -> Function:
        return partial(function, **signature.bind(*args, **options).arguments)

    make.__name__ = name
    make.__signature__ = signature  # type: ignore[attr-defined]
    return explained_call(make)
