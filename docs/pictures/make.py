"""The pictures of the tutorial and the explanations, drawn by the library itself.

`python docs/pictures/make.py` writes them beside this file; matplotlib draws two of them.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import autograd_core
import nn
from autograd_core import Value, draw, value_and_grad
from nn import MLP, Adam, Dense, Sequential, plots

FOLDER = Path(__file__).parent


def expression(a, b):
    """Return micrograd's example."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def whole_expression():
    """Return the graph of micrograd's example."""
    g = expression(Value(-4.0, label="a"), Value(2.0, label="b"))
    g.label = "g"
    g.backward()
    return draw(g)


def part_of_expression():
    """Return the graph of its fourth line, with the derivative at each arrow."""
    a, b = Value(-4.0, label="a"), Value(2.0, label="b")
    d = a * b + b**3
    d.label = "d"
    d.backward()
    return draw(d, derivatives=True)


def used_twice():
    """Return the graph of a number that is added to itself."""
    a = Value(3.0, label="a")
    total = a + a
    total.label = "total"
    total.backward()
    return draw(total, derivatives=True)


def moons():
    """Return the samples of the tutorial, and their targets as -1 and +1."""
    x, y = nn.datasets.moons(100, noise=0.1, seed=0)
    return x, y, 2.0 * y[:, None] - 1


def network():
    """Return the network of the tutorial, before it learns."""
    nn.set_seed(2)
    return MLP(2, [4, 1], activation="tanh")


def trained():
    """Return the same network after its 150 steps."""
    x, _, targets = moons()
    model = network()
    for _ in range(150):
        loss = (1 - targets * model(x)).relu().mean()
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 1.0 * p.grad
    return model


def boundary(path):
    """Write what the trained network says of each place of the plane."""
    x, _, targets = moons()
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    plots.decision_boundary(trained(), x, targets, figure.subplots())
    figure.savefig(path, dpi=110)


def arrays():
    """Return the graph of the same network's scores on arrays, with the gradients of its loss."""
    x, _, targets = moons()
    parameters = [Value(p.data) for p in network().to_dense().parameters()]
    for value, name in zip(parameters, ["w1", "b1", "w2", "b2"], strict=True):
        value.label = name
    w1, b1, w2, b2 = parameters
    scores = np.tanh(x @ w1.T + b1) @ w2.T + b2
    scores.label = "scores"
    (1 - targets * scores).relu().mean().backward()
    return draw(scores)


def learning_curves(path):
    """Write the loss of digits that are learnt for 40 epochs, and of those kept back."""
    nn.set_seed(0)
    x, y = nn.datasets.digits()
    model = Sequential([Dense(32, "relu"), Dense(10, "softmax")], input_shape=(64,))
    model.compile(Adam(0.005), loss="sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=40, validation_split=0.2, verbose=0)
    figure = Figure(figsize=(6.0, 3.2), layout="constrained")
    plots.learning_curves(history, ax=figure.subplots())
    with mpl.rc_context({"svg.hashsalt": "autograd_core"}):
        figure.savefig(path, metadata={"Date": None})


def program():
    """Return the steps of a compiled function with its derivative."""
    step = autograd_core.compile(value_and_grad(lambda w, x: (w * x - 6.0) ** 2))
    step(2.0, 4.0)
    return draw(step.program)


def main():
    """Write them all."""
    for name, picture in {
        "expression": whole_expression(),
        "part": part_of_expression(),
        "twice": used_twice(),
        "network": draw(network(), moons()[0][:1]),
        "arrays": arrays(),
        "program": program(),
    }.items():
        picture.save(FOLDER / f"{name}.svg")
    boundary(FOLDER / "boundary.png")
    learning_curves(FOLDER / "learning_curves.svg")


if __name__ == "__main__":
    main()
