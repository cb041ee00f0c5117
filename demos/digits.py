"""A network learns to read handwritten digits: NumPy, and one gradient.

All of training is in `learn_epoch`: measure the error on a few images, ask for its gradient, take
a step downhill. Run it with `make demo`.
"""

import sys
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from autograd_core import logsumexp, relu, softmax, value_and_grad

PIXELS, HIDDEN, DIGITS = 64, 32, 10
EPOCHS = 20
BATCH_SIZE = 32
LEARNING_RATE = 0.05
MOMENTUM = 0.9
REQUIRED_ACCURACY = 0.95


def initial_parameters(rng):
    """Return what the network will learn: for now, weights at random and biases 0."""
    return {
        "hidden_weights": rng.normal(0, np.sqrt(2 / PIXELS), (PIXELS, HIDDEN)),
        "hidden_bias": np.zeros(HIDDEN),
        "output_weights": rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, DIGITS)),
        "output_bias": np.zeros(DIGITS),
    }


def scores(parameters, images):
    """Return one score for each image and digit (images, 10), from pixels (images, 64)."""
    hidden = relu(images @ parameters["hidden_weights"] + parameters["hidden_bias"])
    return hidden @ parameters["output_weights"] + parameters["output_bias"]


def loss(parameters, images, targets):
    """Return the mean cross-entropy: -log(probability that the right digit is given).

    Digit k with score z[k] has probability exp(z[k]) / sum(exp(z)). `targets` (images, 10) holds
    1 for the right digit and 0 for the others.
    """
    z = scores(parameters, images)
    return (logsumexp(z, axis=1) - (targets * z).sum(axis=1)).mean()


def learn_epoch(parameters, velocities, images, targets, rng):
    """See every image once, in batches, improve the parameters, and return the mean loss."""
    losses = []
    order = rng.permutation(len(images))
    for start in range(0, len(images), BATCH_SIZE):
        batch = order[start : start + BATCH_SIZE]
        value, gradients = value_and_grad(loss)(parameters, images[batch], targets[batch])
        losses.append(value)
        for name, gradient in gradients.items():
            # Momentum: like a heavy ball, keep most of the speed and add the slope to it
            velocities[name] = MOMENTUM * velocities[name] - LEARNING_RATE * gradient
            parameters[name] = parameters[name] + velocities[name]
    return np.mean(losses)


def accuracy(parameters, images, labels):
    """Return the share of images whose highest score is the right digit's."""
    return np.mean(scores(parameters, images).argmax(axis=1) == labels)


def print_confusion(labels, guesses):
    """Print how often each digit (rows) was read as each digit (columns)."""
    counts = np.zeros((DIGITS, DIGITS), int)
    np.add.at(counts, (labels, guesses), 1)
    print("\ndigit  read as" + "".join(f"{digit:4}" for digit in range(DIGITS)))
    for digit, row in enumerate(counts):
        print(f"{digit:5}         " + "".join(f"{count or '.':>4}" for count in row))


def print_images(images, captions):
    """Draw images side by side, two characters a pixel."""
    print("\n" + "".join(f"{caption:20}" for caption in captions))
    for rows in (images.reshape(-1, 8, 8) * 9).astype(int).swapaxes(0, 1):
        print("    ".join("".join(2 * " .:-=+*#%@"[shade] for shade in row) for row in rows))


def main():
    """Train, report, and exit with a message if the network reads too badly."""
    start = time.perf_counter()
    digits = load_digits()  # 1,797 images of 8 x 8 pixels from 0 to 16
    train_images, test_images, train_labels, test_labels = train_test_split(
        digits.data / 16, digits.target, test_size=0.2, stratify=digits.target, random_state=0
    )
    rng = np.random.default_rng(0)
    parameters = initial_parameters(rng)
    velocities = dict.fromkeys(parameters, 0.0)
    targets = np.eye(DIGITS)[train_labels]

    print(f"{len(train_labels)} digits to learn from, {len(test_labels)} to be tested on")
    print("epoch    loss   train    test")
    for epoch in range(1, EPOCHS + 1):
        value = learn_epoch(parameters, velocities, train_images, targets, rng)
        on_train = accuracy(parameters, train_images, train_labels)
        on_test = accuracy(parameters, test_images, test_labels)
        print(f"{epoch:5}  {value:6.4f}  {on_train:6.1%}  {on_test:6.1%}", flush=True)

    probabilities = softmax(scores(parameters, test_images), axis=1)
    guesses, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    print_confusion(test_labels, guesses)
    misread = np.flatnonzero(guesses != test_labels)[:4]
    captions = [f"{test_labels[i]} read as {guesses[i]} ({sure[i]:.0%})" for i in misread]
    print_images(test_images[misread], captions)
    print(f"\n{on_test:.1%} of the test digits read, after {time.perf_counter() - start:.1f} s")
    if on_test < REQUIRED_ACCURACY:
        sys.exit(f"that is less than {REQUIRED_ACCURACY:.0%}")


if __name__ == "__main__":
    main()
