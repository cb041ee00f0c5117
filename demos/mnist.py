"""MNIST: train, save, load and evaluate 784-128-10.

Run it with `python -m demos.mnist`; the four files are downloaded once, or taken from the folder
that AUTOGRAD_CORE_DATA names. `python -m demos.mnist 2` trains two epochs in place of five.
"""

import sys
import tempfile
import time
from pathlib import Path

import nn
from nn import Dense, Sequential


def main(epochs=5):
    """Train, save, load, evaluate; return the accuracy on the test images."""
    nn.set_seed(0)
    (train_images, train_labels), (test_images, test_labels) = nn.datasets.mnist()
    x, x_test = train_images.reshape(-1, 784), test_images.reshape(-1, 784)

    model = Sequential([Dense(128, "relu"), Dense(10, "softmax")], input_shape=(784,))
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    print(model.summary(), "\n")
    start = time.perf_counter()
    model.fit(x, train_labels, batch_size=100, epochs=epochs, verbose=2)
    print(f"{epochs} epochs in {time.perf_counter() - start:.1f} s")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.safetensors"
        model.save(path)
        print(f"saved: {path.stat().st_size:,} bytes")
        model = nn.load(path)
    loss, accuracy = model.evaluate(x_test, test_labels)
    print(f"loaded again: loss {loss:.4f}, {accuracy:.2%} of the test images read")
    return accuracy


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
