"""Writes what PyTorch says, for tests that do without it: `python -m benchmarks.torch_files`.

Each file holds the state dict of a model as PyTorch saves it, and beside it, as `x` and `y`, an
input and PyTorch's output.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import (
    GRU,
    LSTM,
    RNN,
    BatchNorm1d,
    Conv2d,
    Embedding,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
)

FOLDER = Path(__file__).parent.parent / "tests" / "data"


def write(name, model, x, forward=None):
    """Write a model's state, an input, and the output (batch first, channels last)."""
    model = model.eval()
    with torch.no_grad():
        y = (forward or model)(x)
    tensors = dict(model.state_dict()) | {"x": x, "y": y}
    save_file(
        {name: data.contiguous() for name, data in tensors.items()}, FOLDER / f"{name}.safetensors"
    )


def main():
    """Write all files."""
    torch.manual_seed(0)
    dense = Sequential(
        Linear(6, 8), ReLU(), BatchNorm1d(8, eps=1e-3), LayerNorm(8, eps=1e-3), Linear(8, 3)
    )
    dense(torch.randn(50, 6))  # moves the running averages
    write("torch_dense", dense, torch.randn(5, 6))
    sequence = torch.randn(2, 7, 4)
    for kind in (LSTM, GRU, RNN):
        model = kind(4, 5, batch_first=True)
        write(f"torch_{kind.__name__.lower()}", model, sequence, lambda x, m=model: m(x)[0])
    both = LSTM(4, 5, batch_first=True, bidirectional=True)
    write("torch_bidirectional", both, sequence, lambda x: both(x)[0])
    conv = Conv2d(3, 4, 3)
    channels_first, channels_last = (0, 3, 1, 2), (0, 2, 3, 1)
    image = torch.randn(2, 8, 8, 3)
    write(
        "torch_conv2d",
        conv,
        image,
        lambda x: conv(x.permute(channels_first)).permute(channels_last),
    )
    write("torch_embedding", Embedding(9, 4), torch.tensor([[1, 2, 8]]))


if __name__ == "__main__":
    main()
