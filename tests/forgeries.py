"""Forged and damaged files of models: what a saved file becomes in the wrong hands, by a seed."""

import copy
import hashlib
import json
import random

import numpy as np
import safetensors.numpy

import nn
from nn.storage.tensors import read

NAMES = [
    *("NamedTuple", "Any", "partial", "eval", "__import__", "no_grad", "get", "check_range"),
    *("Sequential", "Dense", "relu", "softmax", "mean_squared_error", "accuracy", "Adam", "L2"),
    *("Module", "Configured", "Neuron", "Hopfield", "Bidirectional", "Embedding", "erf", "Warmup"),
]
JUNK = [
    *(None, True, False, -1, 0, 1, 3, 10**6, 10**12, 10**30, 10**400, 0.5, -0.5, 1e308),
    *(float("nan"), float("inf"), "", "a", "float32", "O", "a" * 10_000, "\ud800", "\0"),
    *([], [[]], {}, [10**12], [1, 2], {"a": 1}, {"tuple": []}, {"tuple": [10**9, 10**9]}),
    *({"dict": []}, {"dict": [[[], 1]]}, {"dict": [1]}, {"same": 0}, {"same": 99}, {"same": "0"}),
    *({"ufunc": "tanh"}, {"ufunc": "seterr"}, {"ufunc": 3}, {"array": {}}),
    {"array": {"dtype": "<f8", "shape": [10**9], "base64": "AAAA"}},
    {"array": {"dtype": "O", "shape": [], "base64": "AAAAAAAAAAA="}},
    {"array": {"dtype": "(1000,1000)f8", "shape": [0], "base64": ""}},
    {"array": {"dtype": "<f8", "shape": [-1], "base64": "AAAAAAAAAAA="}},
    {"partial": {"name": "relu", "custom": False}, "arguments": [], "keywords": {"none": 1}},
    {"partial": 3, "arguments": [], "keywords": {}},
    {"partial": {"name": "relu", "custom": False}, "arguments": 3, "keywords": []},
]

LEVELS = [
    *(("[", "]"), ('{"tuple":[', "]}"), ('{"partial":', ',"arguments":[],"keywords":{}}')),
    ('{"class":"Sequential","custom":false,"number":0,"config":{"layers":[', "]}}"),
]


def models():
    """Return models of all kinds, small, built and compiled."""
    for layers, shape in (
        ([nn.Dense(4, "relu", kernel_regularizer="l2"), nn.Dropout(0.5), nn.Dense(2)], (3,)),
        ([nn.Dense(3, kernel_constraint=nn.constraints.MaxNorm(2.0)), nn.RBF(2)], (3,)),
        ([nn.Embedding(5, 3), nn.GRU(2, return_sequences=True), nn.LSTM(2)], (4,)),
        ([nn.Bidirectional(nn.SimpleRNN(2)), nn.BatchNormalization(), nn.PReLU()], (4, 3)),
        ([nn.Conv2D(2, 3), nn.MaxPooling2D(2), nn.Flatten(), nn.LayerNormalization()], (6, 6, 1)),
    ):
        model = nn.Sequential(layers, input_shape=shape)
        model.compile(nn.Adam(nn.schedules.ExponentialDecay(0.1, 10, 0.5)), "mse", ["mae"])
        for name, parameter in model.named_parameters().items():
            model.optimizer.slots[parameter] = {"m": np.zeros(parameter.shape), "name": len(name)}
        yield model
    yield nn.MLP(2, [3, 1])
    yield nn.Perceptron(3)
    yield nn.Hopfield(4)
    yield nn.RestrictedBoltzmannMachine(3, 2)


def forged(content, path, rng):
    """Return the bytes of a saved file with its description changed, and a digest that fits."""
    path.write_bytes(content)
    tensors, metadata = read(path)
    metadata = copy.deepcopy(metadata)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        _change(metadata, rng)
    if rng.random() < 0.2:
        _change_tensors(tensors, rng)
    text = json.dumps(metadata)
    if rng.random() < 0.1:
        text = _nested(text, rng)
    return sealed(tensors, text)


def sealed(tensors, text):
    """Return a file of ours with these metadata, as text, and a digest that fits."""
    ordered = sorted(tensors.items())
    heads = [[name, array.dtype.str, array.shape] for name, array in ordered]
    digest = hashlib.sha256(json.dumps([text, heads]).encode())
    for _, array in ordered:
        digest.update(array.tobytes())
    entry = f"sha256={digest.hexdigest()} {text}"
    return safetensors.numpy.save(tensors, {"autograd_core": entry})


def damaged(content, path, rng):
    """Return the bytes of a saved file with some of them changed, lost or added."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 20])):
        kind, place = rng.randrange(7), rng.randrange(len(content))
        if kind == 0:
            content[place] = rng.randrange(256)
        elif kind == 1:
            del content[place:]
        elif kind == 2:
            content[place:place] = rng.randbytes(rng.randrange(1, 50))
        elif kind == 3:
            content[:8] = rng.randrange(2 ** rng.randrange(1, 64)).to_bytes(8, "little")
        elif kind == 4:  # offsets and shapes of the header
            digits = [i for i, byte in enumerate(content[:2000]) if chr(byte).isdigit()]
            for i in rng.sample(digits, min(3, len(digits))):
                content[i] = ord(rng.choice("0123456789-."))
        elif kind == 5:
            start = rng.choice(
                [b"PK\x03\x04", b"PK\x05\x06", b"\x80\x02", b"\x93NUMPY", b"{", b"["]
            )
            content[: len(start)] = start
        else:
            content[place:] = content[rng.randrange(len(content)) :]
        content = content or bytearray(b"x")
    return bytes(content)


def overlapping(content, path, rng):
    """Return a file with a header of one's own: huge, overlapping, equal or strange tensors."""
    header = {}
    for name in rng.sample(["0.weight", "0.bias", "a", "__metadata__", ""], rng.randrange(1, 5)):
        start = rng.choice([0, 4, 8, 2**40, -1])
        header[name] = {
            "dtype": rng.choice(["F32", "F64", "BF16", "F8_E4M3", "U16", "C64", "O", 3]),
            "shape": rng.choice([[2], [10**12], [2**63, 2], [-1], [0, 10**18], [2.0], "2", []]),
            "data_offsets": rng.choice([[start, start + 8], [0, 2**63], [8, 0], [0], None]),
        }
    text = json.dumps(header).encode()
    if rng.random() < 0.2:
        text = text[:-1] + b", " + text[1:]  # every name twice
    length = rng.choice([len(text), len(text), len(text), 2**63, 10**8, 0])
    return length.to_bytes(8, "little") + text + rng.randbytes(rng.choice([0, 8, 16, 100]))


KINDS = (forged, forged, forged, damaged, overlapping)


def _places(thing):
    """Return every (container, key) in what JSON holds."""
    places, stack = [], [thing]
    while stack:
        each = stack.pop()
        keys = (
            each if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        )
        for key in keys:
            places.append((each, key))
            stack.append(each[key])
    return places


def _change(metadata, rng):
    places = _places(metadata)
    if not places:
        return
    container, key = rng.choice(places)
    other, where = rng.choice(places)
    kind = rng.randrange(8)
    if kind in (0, 1):
        container[key] = copy.deepcopy(rng.choice(JUNK))
    elif kind == 2:
        del container[key]
    elif kind == 3 and isinstance(container, dict):
        container[rng.choice(["class", "name", "config", "none", "units"])] = container.pop(key)
    elif kind == 4:
        container[key] = copy.deepcopy(other[where])
    elif kind == 5:
        named = [place for place in places if place[1] in ("class", "name")]
        container, key = rng.choice(named or places)
        container[key] = rng.choice(NAMES)
    elif kind == 6:
        flags = [place for place in places if isinstance(place[0][place[1]], int | bool)]
        container, key = rng.choice(flags or places)
        container[key] = rng.choice([not container[key], 10**12, -3, "1", 2.5, None])
    else:
        container[key] = [container[key]] if rng.random() < 0.5 else {"tuple": container[key]}


def _change_tensors(tensors, rng):
    name = rng.choice(sorted(tensors) or [""])
    kind = rng.randrange(4)
    if kind == 0:
        tensors.pop(name, None)
    elif kind == 1:
        tensors["another"] = np.ones(3)
    elif kind == 2:
        tensors[name] = np.ones(
            rng.choice([(), (1,), (0,), (7, 7)]), rng.choice(["f", "d", "?", "i"])
        )
    elif name in tensors:
        tensors[name] = tensors[name][..., None]


def _nested(text, rng):
    """Put the description deep into lists, or into layers."""
    depth = rng.choice([10, 400, 3000, 100_000])
    start, end = rng.choice(LEVELS)
    inner = '{"class":"Dropout","custom":false,"number":1,"config":{"rate":0.5}}'
    whole = json.loads(text)
    whole["model"] = "HERE"
    return json.dumps(whole).replace('"HERE"', start * depth + inner + end * depth)


def contents(folder):
    """Return the bytes of each model's file."""
    nn.set_seed(0)
    found = []
    for i, model in enumerate(models()):
        model.save(folder / f"{i}.safetensors")
        found.append((folder / f"{i}.safetensors").read_bytes())
    return found


def forgery(contents, path, seed):
    """Write the forgery of this number to a path; return its kind."""
    rng = random.Random(seed)
    kind = rng.choice(KINDS)
    path.write_bytes(kind(rng.choice(contents), path, rng))
    return kind.__name__
