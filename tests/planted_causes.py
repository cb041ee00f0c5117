"""Planted causes of bad gradients, for diagnose: each is set in a network or formula that is sound.

A plant is a function that returns a Diagnosis. With `cured=True` it does what the advice says, and
then the same finding must be gone.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

import nn
from autograd_core import Value, diagnose, log_softmax, no_grad, relu, sigmoid, softmax, softplus
from autograd_core.diagnosis.examination import Diagnosis
from nn import MLP, SGD, Adam, BatchNormalization, Dense, Dropout, Sequential

RNG = np.random.default_rng(7)
X = RNG.normal(size=(32, 4))
Y = (X[:, :1] * X[:, 1:2] > 0) * 1.0
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


@dataclass(frozen=True)
class Plant:
    """A planted cause.

    Args:    name: what was done wrong.
             made: makes the mistake, and returns what diagnose says.
             named: a regular expression that a finding matches if it names the cause.
             has_cure: whether `made` takes `cured=True`.
    """

    name: str
    made: Callable[..., Diagnosis]
    named: str
    has_cure: bool = True

    def is_named(self, **options: bool) -> bool:
        """Return whether a finding names the cause."""
        found = quiet(partial(self.made, **options))
        return any(re.search(self.named, f"{f.kind}: {f.cause} {f.place}") for f in found)


def quiet(function: Callable[[], Diagnosis]) -> Diagnosis:
    """Call a function from the same random numbers, without warnings."""
    nn.set_seed(1)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function()


def network(*layers, inputs=4):
    model = Sequential(layers)
    model.build((inputs,), np.float64)
    return model


def usual(activation="tanh", **options):
    return network(Dense(8, activation, **options), Dense(1, "sigmoid"))


def squares(model, x=X, y=Y):
    return ((model(x) - y) ** 2).mean()


# Training loops: one call with model and optimizer, after the last step


def loop(model, optimizer, zero=True, steps=4, loss_of=squares, parameters=None, looked="after"):
    for step in range(steps):
        if zero:
            model.zero_grad()
        loss = loss_of(model)
        loss.backward()
        if looked == "before" and step == steps - 1:
            break
        optimizer.step(model if parameters is None else parameters)
    if looked == "model":
        return diagnose(model, optimizer=optimizer)
    return diagnose(loss, model, optimizer=optimizer)


def forgets(cured=False, part=0, looked="after"):
    model = usual()
    layers = model if cured else model.layers[part]
    return loop(model, SGD(0.1), parameters=layers.parameters(), looked=looked)


def above(factor, cured=False, momentum=0.0):
    w = Value(np.zeros(4), label="w")
    x = X * [1.0, 1.0, 1.0, 3.0]
    largest = np.linalg.eigvalsh(2 * x.T @ x / len(x))[-1]
    rate = factor * 2 * (1 + momentum) / largest * (0.5 if cured else 1)
    optimizer = SGD(rate, momentum=momentum)
    for _ in range(3):
        loss = ((x @ w - x @ [1.0, -1.0, 0.5, 2.0]) ** 2).mean()
        w.grad = None
        loss.backward()
        optimizer.step([w])
    return diagnose(loss, [w], optimizer=optimizer)


def in_loops() -> Iterator[Plant]:
    for looked in ("after", "before", "model"):
        for optimizer in (SGD(0.01), Adam(0.001)):
            kind = type(optimizer).__name__
            yield Plant(
                f"zero_grad forgotten, {kind}, looked at {looked}",
                lambda cured=False, o=optimizer, at=looked: loop(
                    usual(), o.__class__(o.learning_rate), zero=cured, looked=at
                ),
                "accumulated",
            )

    for options in ({"clipvalue": 1e-6}, {"clipnorm": 1e-7}, {"global_clipnorm": 1e-7}):
        (name,) = options
        yield Plant(
            f"{name} far too small",
            lambda cured=False, options=options: loop(
                usual(), SGD(0.1, **({} if cured else options))
            ),
            name,
        )
    for decay in (100.0, 30.0):
        for kind in (SGD, nn.AdamW):
            yield Plant(
                f"weight decay of {decay}",
                lambda cured=False, decay=decay, kind=kind: loop(
                    usual(), kind(0.05, weight_decay=1e-4 if cured else decay), steps=1
                ),
                "weight_decay",
            )

    for part in (0, 1):
        for looked in ("after", "model"):
            yield Plant(
                f"optimizer without layer {1 - part}, looked at {looked}",
                partial(forgets, part=part, looked=looked),
                rf"optimizer.*layers\[{1 - part}\]",
            )

    # A line fitted to data: the largest curvature L is known, and 2 / L the limit
    for factor in (1.05, 1.1, 1.3, 2.0):
        yield Plant(f"rate {factor} of the limit", partial(above, factor), "large steps")
    yield Plant("rate above the limit, momentum", partial(above, 1.1, momentum=0.5), "large steps")
    for optimizer in (SGD(3e4), Adam(30.0), nn.RMSprop(30.0)):
        yield Plant(
            f"rate of {optimizer}",
            lambda cured=False, o=optimizer: loop(
                usual("relu"), type(o)(0.01 if cured else o.learning_rate), steps=1
            ),
            "large steps|dead relu|wrong side",
        )
    for optimizer in (SGD(1e-9), Adam(1e-9), SGD(0.0), Adam(0.001, epsilon=1e6)):
        yield Plant(
            f"rate of {optimizer}",
            lambda cured=False, o=optimizer: loop(usual(), Adam(0.001) if cured else o),
            "small steps",
        )
    yield Plant(
        "schedule that has ended at 0",
        lambda cured=False: loop(
            usual(), SGD(nn.schedules.PolynomialDecay(0.1, 10 if cured else 3, 0.0))
        ),
        "small steps",
    )


# Signs, shapes and functions of losses


def with_loss(wrong, right=squares, model=usual, **options):
    def made(cured=False):
        network = model()
        return diagnose((right if cured else wrong)(network), network, **options)

    return made


def bce(model, sign=-1.0):
    p = np.clip(model(X), 1e-7, 1 - 1e-7)
    return sign * (Y * np.log(p) + (1 - Y) * np.log(1 - p)).mean()


def ce(model, sign=-1.0):
    logs = log_softmax(model(X))
    return sign * (np.eye(3)[LABELS] * logs).sum() / len(X)


def in_losses() -> Iterator[Plant]:
    logits = partial(network, Dense(8, "tanh"), Dense(3))
    sign = "sign:"
    yield Plant("-mse", with_loss(lambda m: -squares(m)), sign)
    yield Plant("-1 * mse", with_loss(lambda m: -1.0 * squares(m)), sign)
    yield Plant("0 - mae", with_loss(lambda m: 0 - abs(m(X) - Y).mean()), sign)
    yield Plant("bce without its minus", with_loss(partial(bce, sign=1.0), bce), sign)
    yield Plant("ce without its minus", with_loss(partial(ce, sign=1.0), ce, logits), sign)
    yield Plant(
        "log of the probability of the class",
        with_loss(
            lambda m: np.log(softmax(m(X))[np.arange(32), LABELS]).mean(),
            lambda m: -np.log(softmax(m(X))[np.arange(32), LABELS]).mean(),
            logits,
        ),
        sign,
    )
    for name, y in {"vector": Y[:, 0], "labels": LABELS.astype(float)}.items():
        yield Plant(
            f"(32, 1) - (32,), {name}",
            with_loss(
                lambda m, y=y: ((m(X) - y) ** 2).mean(),
                lambda m, y=y: ((m(X) - y[:, None]) ** 2).mean(),
            ),
            r"broadcast.*\(32, 32\)",
        )
    yield Plant(
        "(32,) - (32, 1)",
        with_loss(lambda m: abs(m(X)[:, 0] - Y).mean(), lambda m: abs(m(X) - Y).mean()),
        r"broadcast.*\(32, 32\)",
    )
    one = partial(network, Dense(8, "tanh"), Dense(1, "softmax"))
    yield Plant("softmax over one class, mse", with_loss(squares, model=one), "one class", False)
    yield Plant(
        "softmax over one class, bce",
        with_loss(lambda m: nn.losses.binary_crossentropy(Y, m(X)), model=one),
        "one class",
        False,
    )
    yield Plant(
        "softmax over the batch's axis of one",
        with_loss(
            lambda m: -np.log(softmax(m(X[:1]), axis=0)[0, 1]),
            lambda m: -np.log(softmax(m(X[:1]), axis=1)[0, 1]),
            logits,
        ),
        "one class",
    )
    twice = partial(network, Dense(8, "tanh"), Dense(3, "softmax"))
    both = nn.losses.CategoricalCrossentropy(from_logits=True)
    yield Plant(
        "softmax, then from_logits",
        with_loss(
            lambda m: both(np.eye(3)[LABELS], m(X)),
            lambda m: nn.losses.categorical_crossentropy(np.eye(3)[LABELS], m(X)),
            twice,
        ),
        "twice",
    )
    yield Plant(
        "softmax of a softmax",
        with_loss(
            lambda m: ((softmax(m(X)) - np.eye(3)[LABELS]) ** 2).mean(),
            lambda m: ((m(X) - np.eye(3)[LABELS]) ** 2).mean(),
            twice,
        ),
        "twice",
    )
    yield Plant(
        "log_softmax of a softmax",
        with_loss(lambda m: -(np.eye(3)[LABELS] * log_softmax(m(X))).mean(), ce, twice),
        "twice",
        False,
    )
    yield Plant(
        "sigmoid, then from_logits",
        with_loss(
            lambda m: nn.losses.BinaryCrossentropy(from_logits=True)(Y, m(X)),
            lambda m: nn.losses.binary_crossentropy(Y, m(X)),
        ),
        "twice",
    )
    yield Plant(
        "sigmoid of a sigmoid", with_loss(lambda m: squares(lambda x: sigmoid(m(x)))), "twice"
    )
    yield Plant(
        "accuracy as loss",
        with_loss(lambda m: 1 - ((m(X) > 0.5) * Y + (m(X) < 0.5) * (1 - Y)).mean()),
        "plain data|compare",
    )
    yield Plant("rounded outputs", with_loss(lambda m: ((np.round(m(X)) - Y) ** 2).mean()), "step")
    yield Plant(
        "weights of samples that are all 0",
        with_loss(lambda m: (np.zeros((32, 1)) * (m(X) - Y) ** 2).mean()),
        "mask|constant.*0",
    )
    yield Plant(
        "padding that hides every step",
        with_loss(lambda m: np.where(np.zeros((32, 1), bool), (m(X) - Y) ** 2, 0.0).mean()),
        "chosen",
    )


# Layers


def dropped(cured=False, rate=0.999):
    model = network(Dense(8, "tanh"), Dropout(0.5 if cured else rate), Dense(1))
    return diagnose(squares(model, X[:4], Y[:4]), model)


def masked(cured=False, shape=8):
    model = network(Dense(8, "tanh"), Dense(1))
    mask = np.full(shape, 1.0 if cured else 0.0)
    hidden = model.layers[0](X) * mask
    return diagnose(((model.layers[1](hidden) - Y) ** 2).mean(), model)


def dead(count, cured=False, width=8, depth=1):
    model = network(*(Dense(width, "relu") for _ in range(depth)), Dense(1))
    model.layers[-2].bias.data = np.array(
        [0.0 if cured else -60.0] * count + [0.1] * (width - count)
    )
    return diagnose(squares(model), model)


def equal(cured=False, initializer=None, activation="tanh", inputs=4):
    initializer = "glorot_uniform" if cured else initializer or nn.initializers.Constant(0.3)
    model = network(
        Dense(6, activation, kernel_initializer=initializer),
        Dense(1, kernel_initializer=initializer),
    )
    return diagnose(squares(model), model)


def equal_neurons(cured=False):
    model = MLP(2, [3, 1], activation="tanh")
    if not cured:
        for layer in model.layers:
            for neuron in layer.neurons:
                for w in neuron.w:
                    w.data = 0.5
    return diagnose(sum((model(row) - 1) ** 2 for row in X[:8, :2].tolist()), model)


def equal_columns(cured=False):
    w = Value(RNG.normal(size=(4, 5)) if cured else np.full((4, 5), 0.2), label="w")
    v = Value(np.full(5, 0.5), label="v")
    return diagnose(((np.tanh(X @ w) @ v - Y[:, 0]) ** 2).mean(), [w, v])


def zeros(cured=False, activation="tanh"):
    options = {} if cured else {"kernel_initializer": "zeros"}
    model = network(
        Dense(8, activation, **options), Dense(8, activation, **options), Dense(1, **options)
    )
    return diagnose(squares(model), model)


def alone(cured=False, layer=BatchNormalization):
    model = network(Dense(8), layer(), nn.Activation("tanh"), Dense(1))
    return diagnose(squares(model, X[: 8 if cured else 1], Y[: 8 if cured else 1]), model)


def own_norm(cured=False):
    w = Value(np.ones((4, 3)), label="w")
    z = (X[: 8 if cured else 1] @ w) * [1.0, 2.0, 3.0]
    return diagnose(((z - z.mean(axis=0)) ** 3).sum(), w)


def one_feature(cured=False):
    model = network(Dense(4 if cured else 1), nn.LayerNormalization(), Dense(1))
    return diagnose(squares(model), model)


def useless_bias(cured=False, dense=8):
    model = network(
        Dense(dense, use_bias=not cured), BatchNormalization(), nn.Activation("tanh"), Dense(1)
    )
    return diagnose(squares(model), model)


def scaled(cured=False, activation="tanh", factor=1000.0):
    model = usual(activation)
    return diagnose(squares(model, X if cured else X * factor), model)


def large_start(cured=False, activation="tanh"):
    start = "glorot_uniform" if cured else nn.initializers.Normal(stddev=30.0)
    return diagnose(squares(m := usual(activation, kernel_initializer=start)), m)


def deep(cured=False, activation="sigmoid", depth=10, start="glorot_uniform"):
    activation, start = ("relu", "he_normal") if cured else (activation, start)
    model = network(
        *(Dense(16, activation, kernel_initializer=start) for _ in range(depth)), Dense(1)
    )
    return diagnose(squares(model), model)


def steps(cured=False, activation="step"):
    model = network(Dense(8, "tanh" if cured else activation), Dense(1))
    return diagnose(squares(model), model)


def recurrent(cured=False, factor=0.3, length=40):
    w, h = Value(1.0 if cured else factor, label="w"), Value(0.5, label="h")
    z = h
    for _ in range(length):
        z = z * w
    return diagnose(z, [h])


def in_layers() -> Iterator[Plant]:
    yield Plant("dropout of nearly all", dropped, "mask")
    yield Plant("mask of zeros", masked, "mask")
    yield Plant("mask of zeros for each sample", partial(masked, shape=(32, 1)), "mask")
    for count in (5, 6, 8):
        yield Plant(f"{count} of 8 relu units dead", partial(dead, count), "dead relu")
    yield Plant("10 of 16 relu units dead", partial(dead, 10, width=16, depth=2), "dead relu")
    yield Plant("weights that start at a constant", equal, "identical")
    yield Plant("weights that start at ones", partial(equal, initializer="ones"), "identical")
    yield Plant("constant weights, sigmoid", partial(equal, activation="sigmoid"), "identical")
    yield Plant("neurons with the same weights", equal_neurons, "identical")
    yield Plant("equal columns of a matrix", equal_columns, "identical")
    for activation in ("tanh", "relu"):
        yield Plant(
            f"all weights 0, {activation}",
            partial(zeros, activation=activation),
            "multiplies by 0|weights.*0",
        )
    yield Plant("BatchNormalization on a batch of one", alone, "one number|batch of one|over 1")
    yield Plant("own normalization of a batch of one", own_norm, "one number|batch of one|over 1")
    yield Plant("LayerNormalization over one feature", one_feature, "one number|over 1")
    yield Plant("a bias before BatchNormalization", useless_bias, "bias.*normali")
    yield Plant("a bias before it, 3 units", partial(useless_bias, dense=3), "bias.*normali")
    for activation in ("tanh", "sigmoid"):
        for factor in (255.0, 1e4):
            yield Plant(
                f"{activation} of inputs times {factor}",
                partial(scaled, activation=activation, factor=factor),
                "saturated",
            )
    yield Plant("weights that start at 30, tanh", large_start, "saturated")
    yield Plant(
        "weights that start at 30, sigmoid", partial(large_start, activation="sigmoid"), "saturated"
    )

    normal = nn.initializers.Normal
    yield Plant("10 layers of sigmoid", deep, "vanish")
    yield Plant("20 layers of sigmoid", partial(deep, depth=20), "vanish")
    yield Plant(
        "6 layers of tanh from tiny weights",
        partial(deep, activation="tanh", depth=6, start=normal(stddev=0.01)),
        "vanish",
    )
    yield Plant(
        "8 layers of relu from small weights",
        partial(deep, activation="relu", depth=8, start=normal(stddev=0.02)),
        "vanish",
    )
    yield Plant(
        "10 layers of relu from large weights",
        partial(deep, activation="relu", start=normal(stddev=2.0)),
        "explode",
    )
    yield Plant(
        "8 linear layers from large weights",
        partial(deep, activation="linear", depth=8, start=normal(stddev=3.0)),
        "explode",
    )
    for activation in ("step", "sign"):
        yield Plant(
            f"hidden units with {activation}", partial(steps, activation=activation), "a step"
        )
    yield Plant("a recurrent factor of 0.3", recurrent, "vanish")
    yield Plant("a recurrent factor of 4", partial(recurrent, factor=4.0), "explode")


# Gradients that do not arrive


def cut(taken, x=X):
    def made(cured=False):
        model = network(Dense(8, "tanh"), Dense(1))
        hidden = model.layers[0](x)
        output = model.layers[1](hidden if cured else taken(hidden))
        return diagnose(((output - Y) ** 2).mean(), model)

    return made


def under_no_grad(h):
    with no_grad():
        return h * 1.0


def number(taken):
    def made(cured=False):
        w, v, x = Value(0.37, label="w"), Value(-1.21, label="v"), 2.3
        h = np.tanh(w * x)
        return diagnose((v * (h if cured else taken(h)) - 1) ** 2, [w, v])

    return made


def own_data(cured=False):
    w, v = Value(RNG.normal(size=4), label="w"), Value(0.5, label="v")
    return diagnose(((X @ (w if cured else w.data)) * v).sum(), [w, v])


def loss_of_data(cured=False):
    model = usual()
    p = model(X)
    return diagnose((((p if cured else p.data) - Y) ** 2).mean(), model)


def unused(cured=False):
    class Two(nn.Module):
        def __init__(self):
            self.first, self.second = Dense(4, "tanh"), Dense(1)

        def __call__(self, x):
            h = self.first(x)
            return self.second(h if cured else x)

    model = Two()
    model.first.build((4,), np.float64)
    model.second.build((4,), np.float64)
    return diagnose(squares(model), model)


def product(cured=False, dtype=np.float64, taken=lambda x: x):
    p = Value(np.full(400, 0.1, dtype), label="p")
    return diagnose(np.log(p).sum() if cured else taken(np.prod(p)), p)


def gauss(cured=False, dtype=np.float64, taken=lambda x: x):
    z = Value(np.array([15.0, 50.0] if taken is np.log else [50.0, 60.0], dtype), label="z")
    squared = -(z**2) / 2
    return diagnose(squared.sum() if cured else taken(np.exp(squared)).sum(), z)


def in_graphs() -> Iterator[Plant]:
    middle = r"layers\[0\].*plain (numbers|data)"
    yield Plant(".data between two layers", cut(lambda h: h.data), middle)
    yield Plant("np.array(h.data) between layers", cut(lambda h: np.array(h.data)), middle)
    yield Plant("tolist between layers", cut(lambda h: np.array(h.data.tolist())), middle)
    yield Plant("Value(h.data) between layers", cut(lambda h: Value(h.data)), middle)
    yield Plant("no_grad between layers", cut(under_no_grad), middle)
    yield Plant("a mask by comparison", cut(lambda h: (h.data > 0) * 1.0), middle)

    alone = r"gradient of w .*plain (numbers|data)"
    yield Plant("float() in the middle", number(float), alone)
    yield Plant(".data in the middle", number(lambda h: h.data), alone)
    yield Plant("Value(float()) in the middle", number(lambda h: Value(float(h))), alone)
    yield Plant("w.data in a formula", own_data, alone)
    yield Plant("a loss of .data", loss_of_data, "plain data")
    yield Plant("a layer that is skipped", unused, r"first.*does not depend|first.*missing")
    for name, function, named in (
        ("floor", np.floor, "step"),
        ("a comparison", lambda a: np.where(a > 0, 1.0, 0.0) * 2, "compar|plain|no gradient"),
        ("clip", lambda a: np.clip(a, 2.0, 3.0), "bounds"),
        ("relu", lambda a: relu(a - 5), "relu"),
    ):
        yield Plant(
            name,
            lambda cured=False, f=function: diagnose((np.tanh if cured else f)(Value(0.7))),
            named,
        )
    for dtype in (np.float32, np.float64):
        for function in (product, gauss):
            name = f"{function.__name__} in {dtype.__name__}"
            small = partial(function, dtype=dtype)
            yield Plant(name, small, "underflow|below the smallest")
            yield Plant(f"log of {name}", partial(small, taken=np.log), "underflow: ")


# NaN and inf


def formula(wrong, right, data, dtype=np.float64):
    def made(cured=False):
        w = Value(np.array(data, dtype), label="w")
        return diagnose(np.sum((right if cured else wrong)(w)), w)

    return made


def dirty(cured=False, inputs=True, bad=np.nan, loss=None):
    x, y = X.copy(), Y.copy()
    if not cured:
        (x if inputs else y)[3, 0] = bad
    model = usual()
    p = model(x)
    return diagnose(((p - y) ** 2).mean() if loss is None else loss(y, p), model)


def lost(cured=False, part=0):
    model = usual()
    if not cured:
        model.layers[part].weight.data = model.layers[part].weight.data * np.nan
    return diagnose(squares(model), model)


def in_numbers() -> Iterator[Plant]:
    tiny = 1e-12

    cases = {
        "log(0)": (np.log, lambda w: np.log(w + tiny), [0.0, 1.0], "log of w = 0"),
        "log(-1)": (np.log, lambda w: np.log(np.maximum(w, tiny)), [-1.0, 1.0], "log of w = -1"),
        "sqrt(-1)": (
            np.sqrt,
            lambda w: np.sqrt(np.maximum(w, tiny)),
            *([-1.0, 1.0], "sqrt of w = -1"),
        ),
        "sqrt(0)": (np.sqrt, lambda w: np.sqrt(w + tiny), [0.0, 1.0], "inf at sqrt of w = 0"),
        "norm of 0": (
            np.linalg.norm,
            lambda w: np.sqrt(np.sum(w * w) + tiny),
            [0.0, 0.0],
            "norm|sqrt|at 0 is 0",
        ),
        "1 / 0": (lambda w: 1 / w, lambda w: 1 / (w + tiny), [0.0, 1.0], "divide of 1 and w = 0"),
        "0 / 0": (lambda w: w / w, lambda w: w / (w + tiny), [0.0, 1.0], "divide of w = 0"),
        "(-1) ** 0.5": (
            lambda w: w**0.5,
            lambda w: np.maximum(w, tiny) ** 0.5,
            [-1.0, 2.0],
            "power of w = -1",
        ),
        "0 ** -1": (
            lambda w: w**-1.0,
            lambda w: (w + tiny) ** -1.0,
            [0.0, 2.0],
            "(power|reciprocal|divide).* of w = 0|w = 0",
        ),
        "arcsin(1.1)": (
            np.arcsin,
            lambda w: np.arcsin(np.clip(w, -1 + 1e-7, 1 - 1e-7)),
            [1.1, 0.0],
            "arcsin of w = 1.1",
        ),
        "arccos(1)": (
            np.arccos,
            lambda w: np.arccos(np.clip(w, -1 + 1e-7, 1 - 1e-7)),
            [1.0, 0.0],
            "arccos of w = 1",
        ),
        "own softmax": (
            lambda w: (np.exp(w) / np.exp(w).sum())[0],
            lambda w: softmax(w)[0],
            *([800.0, 799.0], "exp of w = 800"),
        ),
        "own softplus": (lambda w: np.log(1 + np.exp(w)), softplus, [800.0, 1.0], "exp of w = 800"),
        "own sigmoid": (
            lambda w: np.exp(w) / (1 + np.exp(w)),
            sigmoid,
            [800.0, 1.0],
            "exp of w = 800",
        ),
        "log(1 - p)": (
            lambda w: np.log(1 - sigmoid(w)),
            lambda w: -softplus(w),
            [50.0, 1.0],
            "log of 0",
        ),
        "log of a softmax's 0": (
            lambda w: np.log(np.exp(w) / np.exp(w).sum())[0],
            lambda w: log_softmax(w)[0],
            *([-800.0, 0.0], "underflow|below the smallest"),
        ),
        "deviation 0": (
            lambda w: ((w - w.mean()) / np.sqrt(((w - w.mean()) ** 2).mean()))[0] ** 3,
            lambda w: ((w - w.mean()) / np.sqrt(((w - w.mean()) ** 2).mean() + tiny))[0] ** 3,
            *([2.0, 2.0], "divide|sqrt of 0"),
        ),
    }
    for name, (wrong, right, data, named) in cases.items():
        yield Plant(
            name, formula(wrong, right, data), named, name not in ("norm of 0", "deviation 0")
        )
    for name, wrong, data in (
        ("x ** 2", lambda w: w**2, [1e25, 1.0]),
        ("x * x", lambda w: w * w, [1e25, 1.0]),
        ("x ** 3", lambda w: w**3, [1e14, 1.0]),
        ("x.sum()", lambda w: w.sum() * 2, [3e38, 3e38]),
    ):
        yield Plant(
            f"float32 overflow of {name}",
            lambda cured=False, wrong=wrong, data=data: formula(
                wrong, wrong, data, np.float64 if cured else np.float32
            )(cured),
            "float32",
        )

    for bad in (np.nan, np.inf):
        yield Plant(f"an input of {bad}", partial(dirty, bad=bad), "(the data|inputs) hold")
        yield Plant(
            f"a label of {bad}",
            partial(dirty, inputs=False, bad=bad),
            "(targets|labels).*hold|the data hold",
        )
    yield Plant(
        "a label of NaN, bce",
        partial(dirty, inputs=False, loss=nn.losses.binary_crossentropy),
        "hold NaN",
    )

    for part in (0, 1):
        yield Plant(
            f"lost weights of layer {part}",
            partial(lost, part=part),
            rf"layers\[{part}\].weight holds",
        )


def plants() -> list[Plant]:
    """Return all plants."""
    return [
        plant
        for family in (in_loops, in_losses, in_layers, in_graphs, in_numbers)
        for plant in family()
    ]
