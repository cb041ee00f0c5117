"""A network learns to read handwritten digits, with everything the library does by default.

The network is built, compiled and fitted in three statements of `main`. Run it with
`make demo`.
"""

import sys
import time

import numpy as np
from sklearn.model_selection import train_test_split

import nn
from nn import Adam, Dense, EarlyStopping, Sequential

DIGITS = 10
REQUIRED_ACCURACY = 0.95


def print_confusion(labels, guesses):
    """Print how often each digit (rows) was read as each digit (columns)."""
    counts = nn.metrics.confusion_matrix(labels, guesses, DIGITS)
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
    nn.set_seed(0)
    images, labels = nn.datasets.digits()  # 1,797 images of 8 x 8 pixels
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=0.2, stratify=labels, random_state=0
    )

    model = Sequential([Dense(32, "relu"), Dense(DIGITS, "softmax")], input_shape=(64,))
    model.compile(Adam(0.005), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    print(model.summary(), "\n")
    model.fit(
        train_images,
        train_labels,
        epochs=30,
        validation_data=(test_images, test_labels),
        callbacks=[EarlyStopping("val_accuracy", patience=10, restore_best_weights=True)],
        verbose=2,
    )

    _, on_test = model.evaluate(test_images, test_labels)
    probabilities = model.predict(test_images)
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
