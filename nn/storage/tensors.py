"""The file format: safetensors, with metadata as JSON and a digest over both."""

import base64
import hashlib
import json
import math
import os
import zipfile
from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from stat import S_ISREG
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from autograd_core import DataError, FileError, OptionError
from autograd_core.data import Array, Operand

from ..files import replacing

Json: TypeAlias = Any  # numbers, texts, bools and None in nested dicts and lists
# The one entry in the file's own metadata: "sha256=<digest> <JSON>". It is one, because
# safetensors writes several in random order, and equal models shall give equal files.
_ENTRY = "autograd_core"
_MARK = "sha256="
_START = 1 << 16  # bytes that are read to find the kind of a file
# Numbers that the model of the file being loaded may still have; None: none is being loaded
_LEFT: ContextVar[list[int] | None] = ContextVar("left", default=None)
_SAVE_AGAIN = "a copy of the file, or the model saved again"
_FROM_KERAS = "nn.interchange.from_keras(keras_model), with the Keras model that wrote it"
# How files of other kinds begin, what they are, and what to do
_FOREIGN = [
    (b"\x93NUMPY", "an array of NumPy's (.npy)", "model.load_state_dict({name: np.load(path)})"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes", _FROM_KERAS),
    (
        b"\x80",
        "a pickle, which can run any program when it is opened",
        "in PyTorch: safetensors.torch.save_file(model.state_dict(), path)",
    ),
]


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, Operand], metadata: Mapping[str, Json]
) -> None:
    """Write tensors and metadata into one file, which PyTorch opens through safetensors.

    If the process is killed, the previous file remains.

    Args:    path: of the file; by custom it ends in .safetensors.
             tensors: arrays of real numbers by name.
             metadata: text, numbers, lists, dicts for JSON, at most 100 MB.
    Raises:  DataError: a tensor is no array of real numbers, or metadata do not fit into JSON.
             OptionError: metadata are too large. FileError: the path cannot be written.
    Example: >>> import tempfile
             >>> path = tempfile.mkdtemp() + "/model.safetensors"
             >>> write(path, {"weight": np.ones(2)}, {"epochs": 3})
             >>> read(path)
             ({'weight': array([1., 1.])}, {'epochs': 3})

    Source:  The format: Hugging Face, safetensors, 2022.
    """
    arrays = {name: _as_stored(name, tensor) for name, tensor in tensors.items()}
    try:
        text = json.dumps(metadata)
    except (TypeError, ValueError) as error:
        raise DataError(
            "metadata", str(error), "text, numbers, lists and dicts; encode_array(array) for arrays"
        ) from error
    entry = f"{_MARK}{_digest(arrays, text)} {text}"
    try:
        content = safetensors.numpy.save(arrays, {_ENTRY: entry})
        if int.from_bytes(content[:8], "little") > 100_000_000:  # versions before 0.7 write it
            raise SafetensorError("no version could read this file")
    except SafetensorError as error:
        raise OptionError(
            f"metadata of {len(text)} characters",
            f"a safetensors file holds at most 100 MB of it ({error})",
            "less: the state of an optimizer left out",
        ) from error
    with replacing(path) as file:
        file.write(content)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Json]]:
    """Return the tensors and the metadata of a file from `write` or PyTorch.

    Returns: arrays by name, sorted; metadata, {} for a file that `write` has not written.
    Raises:  FileError: the file is missing, truncated, altered or of another kind.
    Example: >>> read("no_such_model.safetensors")
             Traceback (most recent call last):
             autograd_core.errors.FileError: no_such_model.safetensors
               why:   it cannot be read: No such file or directory
               write: the path of a file that model.save has written
    """
    content = _content(path)
    try:
        found = safetensors.numpy.load(content)
    except SafetensorError as error:
        why = f"it is truncated or altered ({error})"
        raise FileError(str(path), why, _SAVE_AGAIN) from error
    except KeyError as error:
        raise FileError(
            str(path),
            f"it holds tensors of type {error.args[0]}, which NumPy does not have",
            "in PyTorch: save_file({n: t.float() for n, t in model.state_dict().items()}, path)",
        ) from error
    tensors = dict(sorted(found.items()))
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    entries = header.get("__metadata__", {})
    entry = entries.get(_ENTRY)
    # A changed letter in the entry's name must not hide the digest
    if entry is None and not any(text.startswith(_MARK) for text in entries.values()):
        return tensors, {}
    digest, _, text = (entry or "").partition(" ")
    if digest != _MARK + _digest(tensors, text):
        raise FileError(str(path), "it was altered: its digest is another one", _SAVE_AGAIN)
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(str(path), f"its metadata are no JSON: {error}", _SAVE_AGAIN) from error
    if not isinstance(metadata, dict):
        raise FileError(str(path), "its metadata have no names", _SAVE_AGAIN)
    return tensors, metadata


def _content(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file that has the beginning of a safetensors file.

    Raises:  FileError: it has not, or cannot be read.
    """
    try:
        if S_ISREG(os.stat(path).st_mode) or os.path.isdir(path):
            with open(path, "rb") as file:
                start = file.read(_START)
                if start[8:9] != b"{":  # of a large file of another kind no more is read
                    raise FileError(os.fspath(path), *_what_it_is(file, start))
                file.seek(0)
                return file.read()
        why = "a device or a pipe, which may have no end"
    except FileError:
        raise
    except MemoryError:
        why = "it does not fit into memory"
    except (OSError, ValueError) as error:  # a path with a null character
        why = str(getattr(error, "strerror", error))
    raise FileError(
        os.fspath(path),
        f"it cannot be read: {why}",
        "the path of a file that model.save has written",
    )


def encode_array(array: Array) -> dict[str, Json]:
    """Return an array for JSON, exact to the bit.

    Raises:  DataError: an array of objects.
    Example: >>> encode_array(np.array([1.0, 2.0], np.float32))
             {'dtype': '<f4', 'shape': [2], 'base64': 'AACAPwAAAEA='}
    """
    array = np.asarray(array)
    if array.dtype.hasobject:
        raise DataError(f"an array of type {array.dtype}", "objects have no bytes", "numbers")
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode("ascii"),
    }


def decode_array(encoded: Mapping[str, Json]) -> Array:
    """Return the array of `encode_array`.

    Raises:  DataError: it describes none.
    Example: >>> decode_array(encode_array(np.arange(3.0)))
             array([0., 1., 2.])
    """
    try:
        content = base64.b64decode(encoded["base64"], validate=True)
        dtype, shape = np.dtype(str(encoded["dtype"])), encoded["shape"]
        if dtype.shape or dtype.names or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError("numbers in a shape of whole numbers from 0 are expected")
        return np.frombuffer(content, dtype).reshape(shape).copy()
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{encoded!r:.60}", f"it describes no array: {error}", "what encode_array gave"
        ) from error


def _as_stored(name: str, tensor: Operand) -> Array:
    array = np.asarray(tensor)
    if array.dtype.char not in "?bBhHiIlLqQefd" or name == "__metadata__":
        raise DataError(
            f"{name} of type {array.dtype}",
            "a safetensors file holds arrays of real numbers, each under a name of its own",
            "float32, float64, whole numbers or bool, under another name",
        )
    return array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)


def _digest(arrays: Mapping[str, Operand], text: str) -> str:
    ordered = sorted(arrays.items())
    heads = [[name, array.dtype.str, array.shape] for name, array in ordered]
    digest = hashlib.sha256(json.dumps([text, heads]).encode())
    for _, array in ordered:
        digest.update(array)
    return digest.hexdigest()


def _what_it_is(file: BinaryIO, start: bytes) -> tuple[str, str]:
    """Return the kind of a file that is no safetensors file, and what to do."""
    if not start:
        return "it is empty", _SAVE_AGAIN
    names: list[str] = []
    with suppress(Exception):  # a damaged archive is treated as another kind
        names = zipfile.ZipFile(file).namelist()
    if any(name.endswith("data.pkl") for name in names):
        return f"it is {_FOREIGN[-1][1]}", _FOREIGN[-1][2]
    if names and all(name.endswith(".npy") for name in names):
        return "it is an archive of NumPy's (.npz)", "model.load_state_dict(np.load(path))"
    if "config.json" in names and any(name.endswith(".h5") for name in names):
        return "it is a model of Keras's (.keras)", _FROM_KERAS
    for beginning, kind, instead in _FOREIGN:
        if start.startswith(beginning):
            return f"it is {kind}", instead
    try:
        getincrementaldecoder("utf-8")().decode(start)  # its last character may be cut
    except UnicodeDecodeError:
        return "it is no safetensors file (it has no header)", "a file that model.save has written"
    return "it is text", "a file that model.save has written"


@contextmanager
def at_most(numbers: int) -> Iterator[None]:
    """Limit the numbers of models made inside the block: a description can claim any size."""
    token = _LEFT.set([numbers])
    try:
        yield
    finally:
        _LEFT.reset(token)


def reserve(shape: tuple[int, ...]) -> None:
    """Count an array of this shape, about to be made for a model, towards the limit.

    Raises:  OptionError: a file is being loaded, and holds fewer numbers.
    Example: >>> with at_most(6):
             ...     reserve((2, 3))
             ...     reserve((1,))
             Traceback (most recent call last):
             autograd_core.errors.OptionError: an array of shape (1,) for a model in a file
               why:   the file holds no numbers for it
               write: a model whose sizes are those of its tensors
    """
    left = _LEFT.get()
    if left is None:
        return
    sizes_are_whole = all(isinstance(size, int) and size >= 0 for size in shape)
    if sizes_are_whole:
        left[0] -= math.prod(shape)
    if not sizes_are_whole or left[0] < 0:
        raise OptionError(
            f"an array of shape {shape} for a model in a file",
            "the file holds no numbers for it",
            "a model whose sizes are those of its tensors",
        )
