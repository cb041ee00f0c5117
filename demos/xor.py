"""How often do two or three hidden units learn "one or the other, not both"?

The study of a lecture: hidden layers of 2 sigmoid, 2 relu and 3 relu units, whose weights start
from a normal distribution with mean 0.75 and standard deviation 0.01; an output layer of one
sigmoid unit, whose weights start as Keras starts them, from Glorot's uniform distribution; biases
of 0, mean squared error, Adam with a learning rate of 0.001, all four rows in each batch, 1,000
steps. The lecture prints one run of each. Here each is trained from 300 starts.

Run it with `python -m demos.xor`; `python -m demos.xor 100 5000 0.01` takes 100 starts, 5,000 steps
and a learning rate of 0.01.
"""

import sys
import time

import numpy as np

import nn
from autograd_core import Value, relu, sigmoid

FORMS = {"2 sigmoid": (2, sigmoid), "2 relu": (2, relu), "3 relu": (3, relu)}
PRINTED = {  # in the lecture, for the rows 0 0, 0 1, 1 0 and 1 1
    "2 sigmoid": [0.517, 0.506, 0.506, 0.492],
    "2 relu": [0.478, 0.581, 0.581, 0.398],
    "3 relu": [0.320, 0.699, 0.699, 0.297],
}


def many(units, networks, seed=0):
    """Return the parameters w1, b1, w2, b2 of many networks, one entry of the first axis each."""
    rng = np.random.default_rng(seed)
    limit = np.sqrt(6 / (units + 1))
    w1 = rng.normal(0.75, 0.01, (networks, 2, units))
    w2 = rng.uniform(-limit, limit, (networks, units, 1))
    b1, b2 = np.zeros((networks, 1, units)), np.zeros((networks, 1, 1))
    return [Value(each) for each in (w1, b1, w2, b2)]


def predictions(parameters, activation):
    """Return what each network says to the four rows, (networks, 4)."""
    w1, b1, w2, b2 = parameters
    x, _ = nn.datasets.xor()
    return sigmoid(activation(x @ w1 + b1) @ w2 + b2)[:, :, 0]


def train(parameters, activation, steps=1000, learning_rate=0.001):
    """Train all networks at once: the sum of their losses keeps their gradients apart."""
    _, y = nn.datasets.xor()
    optimizer = nn.Adam(learning_rate)
    for _ in range(steps):
        losses = np.mean((predictions(parameters, activation) - y) ** 2, axis=1)
        for parameter in parameters:
            parameter.grad = None
        np.sum(losses).backward()
        optimizer.step(parameters)


def study(networks=300, steps=1000, learning_rate=0.001):
    """Return for each form the predictions after training, (networks, 4)."""
    found = {}
    for form, (units, activation) in FORMS.items():
        parameters = many(units, networks)
        train(parameters, activation, steps, learning_rate)
        found[form] = predictions(parameters, activation).data
    return found


def count_solved(found):
    """Return how many networks have all four rows on the right side of 1/2."""
    return int(((found > 0.5) == nn.datasets.xor()[1]).all(axis=1).sum())


def nearest(found, printed):
    """Return the predictions that come nearest to those printed."""
    return found[np.abs(found - printed).max(axis=1).argmin()]


def main(networks=300, steps=1000, learning_rate=0.001):
    """Train every form from every start, and report."""
    start = time.perf_counter()
    found = study(networks, steps, learning_rate)
    print(f"{steps} steps of Adam at learning rate {learning_rate}, {networks} starts of each\n")
    print("form        solved  predictions printed in the lecture, and the nearest of ours")
    for form, guesses in found.items():
        printed, ours = np.array(PRINTED[form]), nearest(guesses, PRINTED[form])
        row, below = (" ".join(f"{guess:.3f}" for guess in each) for each in (printed, ours))
        print(f"{form:10} {count_solved(guesses) / networks:6.0%}   {row}\n{below:>43}")
    print(f"\n{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *map(float, sys.argv[3:4]))
