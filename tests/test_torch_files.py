"""PyTorch's files: what it has saved gives the same outputs here, and ours have the same tensors.

tests/data holds models that PyTorch saved, each with an input and its output.
"""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from nn import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Dense,
    Embedding,
    LayerNormalization,
    Sequential,
    SimpleRNN,
)

FOLDER = Path(__file__).parent / "data"
MODELS = {
    "dense": lambda: Sequential(
        [Dense(8), Activation("relu"), BatchNormalization(), LayerNormalization(), Dense(3)]
    ),
    "lstm": lambda: LSTM(5, return_sequences=True),
    "gru": lambda: GRU(5, return_sequences=True),
    "rnn": lambda: SimpleRNN(5, return_sequences=True),
    "bidirectional": lambda: Bidirectional(LSTM(5, return_sequences=True)),
    "conv2d": lambda: Conv2D(4, 3),
    "embedding": lambda: Embedding(9, 4),
}


@pytest.fixture(params=MODELS)
def both(request, tmp_path):
    """Return our model, the path of PyTorch's state dict, and PyTorch's input and output."""
    tensors = load_file(FOLDER / f"torch_{request.param}.safetensors")
    x, y = tensors.pop("x"), tensors.pop("y")
    save_file(tensors, tmp_path / "state.safetensors")
    model = MODELS[request.param]()
    model.build(x.shape[1:])
    return model, tmp_path / "state.safetensors", x, y


def test_outputs_are_pytorch_s(both):
    model, path, x, y = both
    model.load_weights(path)
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-5, atol=1e-6)


def test_files_have_pytorch_s_tensors(both, tmp_path):
    model, path, _, _ = both
    model.save(tmp_path / "ours.safetensors")
    theirs, ours = load_file(path), load_file(tmp_path / "ours.safetensors")
    theirs.pop("2.num_batches_tracked", None)  # a count that PyTorch fills in if it is missing
    assert {name: (data.shape, data.dtype) for name, data in ours.items()} == {
        name: (data.shape, data.dtype) for name, data in theirs.items()
    }
