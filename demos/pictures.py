"""Gradients to look at: the graph of a neuron, a page to step through, and a training to replay.

`make demo` leaves them in the folder out/.
"""

from pathlib import Path

import nn
from autograd_core import Value, draw
from nn import Adam, Dense, Sequential

FOLDER = Path("out")


def neuron():
    """Return the picture of one small neuron after backward()."""
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    x1, x2 = Value(2.0, label="x1"), Value(0.5, label="x2")
    b = Value(6.8, label="b")
    out = (w1 * x1 + w2 * x2 + b).tanh()
    out.label = "out"
    out.backward()
    return draw(out, derivatives=True)


def two_layers():
    """Return the picture of a two-layer network's loss, whose page goes through it step by step."""
    nn.set_seed(3)
    model = nn.MLP(2, [2, 1], activation="tanh")
    loss = (model([Value(1.0, label="x1"), Value(-2.0, label="x2")]) - 1.0) ** 2
    loss.label = "loss"
    loss.backward()
    return draw(loss)


def moons():
    """Return the replay of a network that learns to separate two moons."""
    nn.set_seed(0)
    x, y = nn.datasets.moons(200, noise=0.1)
    model = Sequential([Dense(8, "tanh"), Dense(1, "sigmoid")])
    model.compile(Adam(0.03), loss="binary_crossentropy")
    replay = nn.Replay(x, y)
    model.fit(x, y, epochs=40, callbacks=[replay], verbose=0)
    return replay


def main(folder=FOLDER):
    """Write all three and print where they are."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    made = {
        "neuron.svg": neuron(),
        "network.html": two_layers(),
        "moons.html": moons(),
    }
    print()
    for name, picture in made.items():
        picture.save(folder / name)
        print(f"drawn: {folder / name}")


if __name__ == "__main__":
    main()
