"""Saving: a model with its weights, its architecture and the state of its training in one file."""

import os
from typing import Any

from autograd_core import FileError, OptionError, Value

from ..randomness import generator
from .description import describe
from .tensors import encode_array, read, write

KIND = "autograd_core model"
_FOREIGN = {
    **dict.fromkeys((".keras", ".h5", ".hdf5"), "files of Keras's"),
    **dict.fromkeys((".pt", ".pth", ".ckpt"), "files of PyTorch's"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "pickles"),
    **dict.fromkeys((".npz", ".npy"), "arrays of NumPy's"),
    ".onnx": "graphs, which nn.interchange.export_onnx writes",
}


def save(model: Any, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Write a model to a file; see `Module.save`."""
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix in _FOREIGN:
        raise OptionError(
            f"saving a model as {os.fspath(path)!r}",
            f"the file is in the safetensors format, and {suffix} names {_FOREIGN[suffix]}",
            'model.save("model.safetensors"), which nn.load, and for weights PyTorch, can read',
        )
    _check_owners(model)
    metadata = {
        "kind": KIND,
        "model": describe(model),
        "inputs": {
            name: [list(part.input_shape), part.dtype.name, part.output_shape]
            for name, part in model.modules().items()
            if hasattr(part, "build_for") and part.input_shape is not None
        },
    }
    frozen = [name for name, part in model.modules().items() if not part.trainable]
    if frozen:
        metadata["frozen"] = frozen
    if include_optimizer and model.optimizer is not None:
        metadata["training"] = _training(model)
    write(path, model.state_dict(), metadata)


def _check_owners(model: Any) -> None:
    """Refuse parameters that two parts have in common: each would come back with its own.

    Raises:  OptionError: there are such.
    """
    owners: dict[int, str] = {}
    for name, part in model.modules().items():
        for key, each in vars(part).items():
            if isinstance(each, Value) and not key.startswith("_"):
                place = f"{name}.{key}".lstrip(".")
                if id(each) in owners:
                    raise OptionError(
                        f"saving a model in which {owners[id(each)]} and {place} are one Value",
                        "a file describes each part by itself, and both would learn apart",
                        "one part that stands in both places; or model.state_dict(), and the same "
                        "lines that made the model",
                    )
                owners[id(each)] = place


def _training(model: Any) -> dict[str, Any]:
    """Return all that training needs in order to continue to the bit."""
    slots = model.optimizer.slots
    return {
        "optimizer": describe(model.optimizer),
        "loss": describe(model.loss),
        "metrics": {name: describe(metric) for name, metric in model.metrics.items()},
        "iterations": model.optimizer.iterations,
        "slots": {
            name: {
                slot: data if type(data) is float else encode_array(data)
                for slot, data in slots[parameter].items()
            }
            for name, parameter in model.named_parameters().items()
            if parameter in slots
        },
        "generator": (model._generator or generator()).bit_generator.state,
        **({"jit": True} if model.jit else {}),
    }


def load_weights(model: Any, path: str | os.PathLike[str]) -> None:
    """Take over the weights of a file; see `Module.load_weights`."""
    tensors, _ = read(path)
    # PyTorch's count of batches: its running averages may depend on it, ours do not
    counts = [name for name in tensors if name.endswith("num_batches_tracked")]
    model.load_state_dict({name: tensors[name] for name in tensors if name not in counts})


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the weights and the description in a saved model.

    Raises:  FileError: the file is damaged, or holds weights without a model.
    """
    tensors, metadata = read(path)
    if metadata.get("kind") != KIND:
        raise FileError(
            f"{os.fspath(path)}",
            "it holds weights, but not the model that they belong to",
            "model.load_weights(path) on a model of the same architecture",
        )
    return tensors, metadata
