"""MNIST: train, save, load and evaluate 784-128-10.

Run it with `python -m demos.mnist`; the four files are downloaded once, or taken from the folder
that AUTOGRAD_CORE_DATA names. `python -m demos.mnist 2` trains two epochs instead of five, and
`mpiexec -n 4 python -m demos.mnist --parallel` shares every batch out among four processes; with
OPENBLAS_NUM_THREADS=1 they do not get in each other's way.
"""

import argparse
import tempfile
import time
from pathlib import Path

import nn
from nn import Dense, Sequential
from nn.parallel import Ranks


def main(epochs=5, parallel=False):
    """Train, save, load, evaluate; return the accuracy on the test images."""
    if not parallel:
        return report(*train(Sequential.fit, epochs))
    with Ranks() as ranks:
        trained = train(ranks.fit, epochs)
        return report(*trained) if ranks.is_first else None


def train(fit, epochs):
    """Return a model that `fit` has trained, the seconds that it took, and images to test it."""
    nn.set_seed(0)
    (train_images, train_labels), (test_images, test_labels) = nn.datasets.mnist()
    x, x_test = train_images.reshape(-1, 784), test_images.reshape(-1, 784)

    model = Sequential([Dense(128, "relu"), Dense(10, "softmax")], input_shape=(784,))
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    fit(model, x, train_labels, batch_size=100, epochs=epochs, verbose=2)
    return model, time.perf_counter() - start, x_test, test_labels


def report(model, seconds, x_test, test_labels):
    """Save, load, evaluate; return the accuracy on the test images."""
    print(f"trained in {seconds:.1f} s\n\n{model.summary()}\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.safetensors"
        model.save(path)
        print(f"saved: {path.stat().st_size:,} bytes")
        model = nn.load(path)
    loss, accuracy = model.evaluate(x_test, test_labels)
    print(f"loaded again: loss {loss:.4f}, {accuracy:.2%} of the test images read")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demos.mnist", description=__doc__)
    parser.add_argument("epochs", nargs="?", type=int, default=5)
    parser.add_argument("--parallel", action="store_true", help="with all that mpiexec starts")
    main(**vars(parser.parse_args()))
