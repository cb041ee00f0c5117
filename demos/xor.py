"""Can two or three hidden units learn "one or the other, not both"? A study over many starts.

Hidden layers of 2 sigmoid, 2 relu and 3 relu units, weights from N(0.75, 0.01), biases 0, sigmoid
output, mean squared error, Adam, all four rows in each batch, 1,000 epochs. N(0.75, 0.01) is read
as mean and variance, a standard deviation of 0.1, as is usual. Read as the standard deviation, 0.01
leaves the sigmoid net near 1/2 just as well, so that the results do not tell which was meant; the
notes' own four figures, 0.517, 0.506, 0.506, 0.492, come out of neither.

Run it with `python -m demos.xor`; `python -m demos.xor 20 1000 0.1` takes 20 seeds, 1,000 epochs
and a learning rate of 0.1 instead of 0.001, Keras's default, and finds other counts.
"""

import sys
import time

import numpy as np

import nn
from nn import Adam, Dense, Sequential
from nn.initializers import Normal

FORMS = {"2 sigmoid": (2, "sigmoid"), "2 relu": (2, "relu"), "3 relu": (3, "relu")}
DEVIATION = 0.1


def network(units, activation, learning_rate=0.001):
    """Return a compiled network with new weights, in float64."""
    start = Normal(mean=0.75, stddev=DEVIATION)
    model = Sequential(
        [
            Dense(units, activation, kernel_initializer=start),
            Dense(1, "sigmoid", kernel_initializer=start),
        ]
    )
    model.build((2,), np.float64)
    model.compile(Adam(learning_rate), loss="mean_squared_error")
    return model


def predictions(model, epochs=1000):
    """Train on the four rows, one batch; return the four predictions."""
    x, y = nn.datasets.xor()
    for _ in range(epochs):
        model.train_on_batch(x, y[:, None])
    return model.predict(x)[:, 0]


def study(seeds, epochs=1000, learning_rate=0.001):
    """Return for each form the predictions after training, (seeds, 4)."""
    found = {form: [] for form in FORMS}
    for seed in seeds:
        for form, (units, activation) in FORMS.items():
            nn.set_seed(seed)
            found[form].append(predictions(network(units, activation, learning_rate), epochs))
    return {form: np.array(rows) for form, rows in found.items()}


def count_solved(found):
    """Return how many networks have all four rows on the right side of 1/2."""
    return int(((found > 0.5) == nn.datasets.xor()[1]).all(axis=1).sum())


def main(seeds=20, epochs=1000, learning_rate=0.001):
    """Train every form from every seed, and report."""
    start = time.perf_counter()
    found = study(range(seeds), epochs, learning_rate)
    print(f"{epochs} epochs of Adam at learning rate {learning_rate}\n")
    print("the net of 2 sigmoid units, seed 0:")
    x, y = nn.datasets.xor()
    for row, target, guess in zip(x.astype(int), y.astype(int), found["2 sigmoid"][0], strict=True):
        print(f"  {row[0]} {row[1]} -> {target}   predicted {guess:.3f}")
    print(f"\nof {seeds} seeds, all four rows right, and the range of the predictions:")
    for form, guesses in found.items():
        solved = count_solved(guesses)
        print(f"  {form:10} {solved:3} of {seeds}   {guesses.min():.3f} to {guesses.max():.3f}")
    print(f"\n{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *map(float, sys.argv[3:4]))
