"""What is done against overfitting, and what each cure does: measured, and printed as found.

A network learns to read digits from 150 images, and is tested on the 1,647 others. The gap between
both accuracies is what it has learnt by heart. Each cure is taken alone, in a strength that is
common and was not tuned here: other strengths, sizes and data give other tables. In each seed all
cures get the same images, and are compared with no cure there. Early stopping needs images to watch
and learns from the others only; so it is compared with no cure on as few images.

Run it with `python -m demos.overfitting`; `python -m demos.overfitting 10 50` takes 10 seeds and 50
epochs, in which early stopping seldom comes to act.
"""

import sys
import time

import numpy as np
from sklearn.model_selection import train_test_split

import nn
from nn import (
    Adam,
    BatchNormalization,
    Dense,
    Dropout,
    EarlyStopping,
    Flatten,
    RandomRotation,
    RandomTranslation,
    Reshape,
    Sequential,
)
from nn.regularizers import L1, L2

TRAIN_IMAGES = 150
HELD_OUT = 0.2  # share of the training images that early stopping watches, and cannot learn from
PIXEL = 1 / 8


def network(before=(), after=(), regularizer=None):
    """Return 64-64-10, with layers before and after the hidden one."""
    hidden = Dense(64, "relu", kernel_regularizer=regularizer)
    output = Dense(10, "softmax", kernel_regularizer=regularizer)
    return Sequential([*before, hidden, *after, output])


def augmentation():
    """Return layers that shift images by up to a pixel and turn them by up to 11 degrees."""
    shift = RandomTranslation(PIXEL, PIXEL, fill_mode="constant")
    turn = RandomRotation(0.03, fill_mode="constant")
    return [Reshape((8, 8, 1)), shift, turn, Flatten()]


CURES = {
    "none": network,
    "dropout": lambda: network(after=[Dropout(0.5)]),
    "batch normalization": lambda: network(after=[BatchNormalization()]),
    "L1": lambda: network(regularizer=L1(0.001)),
    "L2": lambda: network(regularizer=L2(0.001)),
    "augmentation": lambda: network(before=augmentation()),
    "none, fewer images": network,
    "early stopping": network,
}
BESIDE = {"early stopping": "none, fewer images"}  # all others stand beside "none"


def measure(cure, seed, epochs=200):
    """Train with one cure; return both accuracies and the number of epochs.

    The first accuracy is that on the images learnt from, the second that on the test images.
    """
    images, labels = nn.datasets.digits()
    x, x_test, y, y_test = train_test_split(
        images, labels, train_size=TRAIN_IMAGES, stratify=labels, random_state=seed
    )
    options = {}
    if cure in ("none, fewer images", "early stopping"):
        x, x_watched, y, y_watched = train_test_split(
            x, y, test_size=HELD_OUT, stratify=y, random_state=seed
        )
    if cure == "early stopping":
        stop = EarlyStopping("val_loss", patience=10, restore_best_weights=True)
        options = {"validation_data": (x_watched, y_watched), "callbacks": [stop]}
    nn.set_seed(seed)
    model = CURES[cure]()
    model.compile(Adam(0.005), "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, **options)
    epochs_learnt = len(model.history.epoch)
    return model.evaluate(x, y)[1], model.evaluate(x_test, y_test)[1], epochs_learnt


def study(seeds, cures=tuple(CURES), epochs=200):
    """Return for each cure accuracies, their gap, and epochs, one number for each seed."""
    found = {}
    for cure in cures:
        train, test, learnt = np.array([measure(cure, seed, epochs) for seed in seeds]).T
        found[cure] = {"train": train, "test": test, "gap": train - test, "epochs": learnt}
    return found


def spread(figures):
    """Return the standard deviation, 0 of a single figure."""
    return figures.std(ddof=1) if len(figures) > 1 else 0.0


def cell(figures):
    """Return mean and standard deviation (0 of a single figure) in per cent."""
    deviation = figures.std(ddof=1) if len(figures) > 1 else 0.0
    return f"{figures.mean():10.1%} ({deviation:5.1%})"


def print_table(found):
    """Print a line for each cure; the change of the gap is taken seed by seed."""
    heads = ["train", "test", "gap", "change of gap"]
    print(f"{'cure':20}{'epochs':>6}" + "".join(f"{head:>18}" for head in heads))
    for cure, figures in found.items():
        line = f"{cure:20}{figures['epochs'].mean():6.0f}"
        line += "".join(cell(figures[name]) for name in heads[:3])
        beside = BESIDE.get(cure, "none")
        if not cure.startswith("none") and beside in found:
            change = figures["gap"] - found[beside]["gap"]
            line += f"{cell(change)}, smaller in {(change < 0).sum()} of {len(change)}"
        print(line)


def main(seeds=5, epochs=200):
    """Measure every cure from every seed, and print the table."""
    start = time.perf_counter()
    found = study(range(seeds), epochs=epochs)
    print(f"{TRAIN_IMAGES} training images, {seeds} seeds: mean (standard deviation)\n")
    print_table(found)
    print(f"\nfewer images: {1 - HELD_OUT:.0%}; early stopping watches the rest")
    print(f"{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
