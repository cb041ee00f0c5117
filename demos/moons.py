"""A scalar network learns to separate two moons: every weight is a node of the graph.

The network takes an array with a sample in each row and sends its columns through the graph, so
that one pass through the network's 337 parameters serves all 100 samples. Run it with
`python -m demos.moons`, after `make demo` has set up what it needs.
"""

import numpy as np
from sklearn.datasets import make_moons

from nn import MLP, set_seed

STEPS = 60


def loss(model, points, signs):
    """Return the hinge loss: 0 where the score is beyond 1 on the right side; plus decay.

    `points` is (samples, 2), `signs` (samples, 1) is +1 for one moon and -1 for the other. The
    decay keeps weights small, and with them the boundary smooth.
    """
    margins = (1 - signs * model(points)).relu()
    return margins.mean() + 1e-4 * sum(p * p for p in model.parameters())


def step(model, points, signs, learning_rate):
    """Move each parameter a little against its gradient; return the loss before."""
    value = loss(model, points, signs)
    model.zero_grad()
    value.backward()
    for p in model.parameters():
        p.data -= learning_rate * p.grad
    return value.data


def print_boundary(model, points, signs):
    """Draw where the model's score is positive, and the points of both moons."""
    columns = np.linspace(-1.6, 2.6, 72)
    rows = np.linspace(1.6, -1.1, 26)
    across, down = np.meshgrid(columns, rows)
    scores = model(np.stack([across, down], axis=-1).reshape(-1, 2)).data.reshape(across.shape)
    picture = np.where(scores > 0, "+", ".")
    for (x, y), sign in zip(points, signs, strict=True):
        nearest = np.abs(rows - y).argmin(), np.abs(columns - x).argmin()
        picture[nearest] = "O" if sign > 0 else "#"
    print("\n".join("".join(line) for line in picture))


def main():
    """Train, report, and draw what was learnt."""
    points, labels = make_moons(n_samples=100, noise=0.1, random_state=0)
    signs = 2.0 * labels[:, None] - 1
    set_seed(0)
    model = MLP(2, [16, 16, 1])
    print(f"{len(model.parameters())} parameters, {len(signs)} samples\n")
    for k in range(STEPS):
        value = step(model, points, signs, learning_rate=1.0 - 0.9 * k / STEPS)
        if k % 5 == 0 or k == STEPS - 1:
            right = np.mean((model(points).data > 0) == (signs > 0))
            print(f"step {k:2}  loss {value:.4f}  accuracy {right:.0%}", flush=True)
    print("\nO and # are the samples: O should lie on +, where the score is positive, # on dots")
    print_boundary(model, points, signs)


if __name__ == "__main__":
    main()
