"""Warnings for mistakes in training that compute without an error, once at each line."""

import math
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from types import FrameType

import numpy as np

from autograd_core import Value, warn_once
from autograd_core.data import Operand

from . import activations
from .configuration import Model, function_of, name_of


class TrainingWarning(UserWarning):
    """Something that computes, but most likely not what was meant."""


_DERIVING = frozenset(("backward", "grad", "gradients", "value_and_grad"))
# Takes kind, given, why and instead, as warn_once does
warn = partial(warn_once, category=TrainingWarning)


def check_scale(model: Model, x: Operand) -> None:
    """Warn if inputs are far from unit size: their root mean square is above 10 or below 0.01.

    A model that begins with something else than weights, such as a normalization or a layer of the
    user's, may bring them to another size by itself.
    """
    x = np.asarray(x)
    if x.dtype.kind not in "fiu" or not x.size or not model.expects_unit_inputs:
        return
    size = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    if 0 < size < 0.01 or 10 < size < np.inf:
        warn(
            "scale",
            f"inputs of a size around {size:.3g}, from {x.min():.4g} to {x.max():.4g}",
            "weights start for inputs around 1; with others learning is slow, or fails",
            "x / 255 for pixels; scikit-learn's StandardScaler().fit_transform(x) for tables",
        )


def check_reached(model: Model, names: Iterable[str]) -> None:
    """Warn if no gradient has reached parameters in a whole epoch."""
    names = sorted(names)
    if names:
        warn(
            "unreached",
            f"no gradient reaches {', '.join(names)} of {type(model).__name__}",
            "the loss does not depend on it: it is not used, or used through plain numbers (.data)",
            "use it in __call__, compute with Values throughout, or do not keep it as an attribute",
        )


def check_trained(model: Model) -> None:
    """Warn that training changes nothing: all parameters are frozen, or there are none."""
    warn(
        "frozen",
        f"training of {type(model).__name__}, which has no parameter to train",
        "all its parts have trainable = False" if model.named_parameters() else "it has none",
        "trainable = True for the parts that are to learn; evaluate or predict to use it as it is",
    )


def check_loss(loss: float, epoch: int, batch: int, data: Sequence[Operand]) -> None:
    """Warn if the loss of a batch is NaN or infinite.

    Args:    epoch, batch: their numbers, from 0.
             data: the batch, (x, y) or (x, y, sample_weight).
    """
    if math.isfinite(loss) or check_finite(*data):
        return
    warn(
        "diverged",
        f"a loss of {loss} in epoch {epoch + 1}, batch {batch + 1}",
        "parameters that learn from it become NaN, and so does all that is computed from them",
        "a smaller learning rate, inputs and targets around 1, or clipnorm=1.0 of the optimizer, "
        "where losses have grown; detect_anomaly() finds the operation; nn.TerminateOnNaN() ends "
        "such a training without this warning",
    )


def check_finite(x: Operand, y: Operand = None, sample_weight: Operand = None) -> bool:
    """Warn if samples hold NaN or inf; those of weight 0 do not count. Return whether they do."""
    found = False
    counts = None
    if sample_weight is not None and np.all(np.isfinite(sample_weight)):
        counts = np.any(np.reshape(sample_weight, (len(sample_weight), -1)) != 0, axis=1)
    for name, data in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        array = np.asarray(data)
        if data is None or array.dtype.kind != "f" or np.isfinite(array).all() or not array.ndim:
            continue
        wrong = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
        if counts is not None and len(counts) == len(wrong):
            wrong &= counts
        if wrong.any():
            found = True
            warn(
                "not finite",
                f"{name} with NaN or inf in {wrong.sum()} of {len(wrong)} samples, the first in "
                f"sample {wrong.argmax()}",
                "outputs, the loss and all parameters that learn from it become NaN",
                "samples without gaps, or numbers in the gaps, such as the mean of the others",
            )
    return found


def check_mode(model: Model) -> None:
    """Warn of a call after `fit`, which leaves a model in training, if that makes a difference.

    Not in a training loop by hand, where such a call is meant: its code takes derivatives.
    """
    parts = [part for part in model.inside()[0] if part.training and part.acts_in_training]
    if parts and not _learns_by_hand():
        warn(
            "training mode",
            f"{type(model).__name__} called after fit, in training mode, with {parts[0]}",
            "as in PyTorch a call computes as in training: units drop out, batches normalize "
            "themselves and change the averages for evaluation",
            "model.predict(x), or model.eval() before the call; model.train() if it is meant",
        )


def _learns_by_hand() -> bool:
    """Tell whether the code of a caller names a function that gives derivatives."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package not in ("nn", "autograd_core") and _DERIVING.intersection(frame.f_code.co_names):
            return True
        frame = frame.f_back
    return False


def check_layers(model: Model) -> None:
    """Warn of layers that computed a softmax over one number, lost a mask or lost parameters."""
    for layer in model.modules().values():
        for attribute, parts in layer.children().items():
            if type(parts) is list:
                _check_list(layer, attribute, parts)
        if getattr(layer, "_mask", None) is not None:
            warn(
                "mask",
                f"a mask of padded steps that ends inside {type(model).__name__}",
                "its __call__ returns no mask, so that padded steps count in the loss",
                "def output_mask(self, x, mask): return self.part.output_mask(x, mask)",
            )
        activation = getattr(layer, "activation", None)
        shape = getattr(layer, "output_shape", None) or (0,)
        if function_of(activation) in activations.OF_LAYERS and shape[-1] == 1:
            warn(
                "one class",
                f"{name_of(activation)} of one output in {layer}",
                "there is one class only, which softmax gives probability 1 whatever the data",
                "sigmoid with binary_crossentropy, or one output for each class",
            )


def _check_list(layer: Model, attribute: str, parts: list[Model]) -> None:
    """Warn of numbers and results among parameters, where most likely a parameter was."""
    is_parameter = [isinstance(each, Value) and each.primitive is None for each in parts]
    if not any(is_parameter):
        return
    for i, each in enumerate(parts):
        if not is_parameter[i] and isinstance(each, Value | int | float | np.number):
            what = "a Value computed from others" if isinstance(each, Value) else repr(each)
            warn(
                "lost parameter",
                f"{what} as .{attribute}[{i}] of {layer}, among parameters",
                "it is no parameter: it is neither trained nor saved",
                f".{attribute}[{i}].data = ... for new numbers; "
                f".{attribute}[{i}] = Value(...) for another parameter",
            )


def check_mask(layer: Model) -> None:
    """Warn that a mask of padded steps ends at a layer."""
    warn(
        "mask",
        f"a mask of padded steps before {layer}",
        "its output has other steps, so that the mask ends here and padded steps count again",
        "a recurrent layer without return_sequences before it, or sequences of one length",
    )
