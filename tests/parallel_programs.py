"""What test_parallel.py runs under mpiexec: `python -m tests.parallel_programs NAMES FOLDER`."""

import copy
import os
import pickle
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

import nn
from autograd_core import OptionError, Value
from nn.callbacks import (
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    TerminateOnNaN,
)
from nn.parallel import RankError, Ranks

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6))
CLASSES = RNG.integers(0, 3, 50)
ROWS = np.eye(3)[CLASSES]
LABELS = (CLASSES > 1).astype(float)
WEIGHTS = RNG.random(50)
STEPS = RNG.normal(size=(50, 5, 2))
SPARSE = "sparse_categorical_crossentropy"


def classifier(optimizer="adam", loss=SPARSE, **options):
    layers = [nn.Dense(8, "tanh", **options), nn.Dense(3, "softmax")]
    model = nn.Sequential(layers)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def recurrent():
    model = nn.Sequential([nn.LSTM(4), nn.Dense(3)])
    model.compile(nn.AdamW(nn.schedules.ExponentialDecay(0.05, 4, 0.5), weight_decay=0.1), "mse")
    return model


def normalized():
    model = nn.Sequential([nn.BatchNormalization(momentum=0.5), nn.Dense(3)])
    model.compile("sgd", "mse")
    return model


def dropping():
    model = nn.Sequential([nn.Dense(64), nn.Dropout(0.5), nn.Dense(3)])
    model.compile("sgd", "mse")
    return model


def scalar():
    model = nn.MLP(6, [3, 1])
    model.compile(nn.SGD(0.05), "mse")
    return model


class Branching(nn.Module):
    """Reaches one weight only by samples whose first feature is large: not on every rank."""

    def __init__(self):
        self.always, self.sometimes = Value(np.full(6, 0.5)), Value(np.full(6, 0.5))

    def __call__(self, x):
        out = x @ self.always
        large = x[:, 0] > 1.0
        if large.any():
            out = out + large * (x @ self.sometimes)
        return out


def branching(unused=None):
    model = Branching()
    if unused is not None:
        model.unused = Value(np.zeros(unused))
    model.compile(nn.SGD(0.1, weight_decay=0.5), "mse")
    return model


def rates():
    return [LearningRateScheduler(lambda epoch, rate: 0.1 / (epoch + 1))]


def stop():
    """Return early stopping that goes back to the first epoch's weights."""
    return [EarlyStopping("loss", min_delta=1.0, patience=2, restore_best_weights=True)]


def in_the_middle():
    """Return a callback that halves the rate, looks at the model, and stops in an epoch."""
    seen = []

    def begin(batch, logs):
        model = callback.model
        model.optimizer.learning_rate /= 2
        seen.append(model.evaluate(X, CLASSES)[0])
        model.train()

    def end(batch, logs):
        callback.model.stop_training = len(seen) == 9

    callback = LambdaCallback(on_train_batch_begin=begin, on_train_batch_end=end)
    return [callback]


def in_batches():
    """Return a callback of rank 0 that shrinks weights and forgets momenta between batches."""

    def shrink(batch, logs):
        if batch == 2:
            model = callback.model
            model.layers[0].weight.data = model.layers[0].weight.data * 0.5
            model.optimizer.slots = {}

    callback = LambdaCallback(on_train_batch_end=shrink)
    return [callback]


def listed(x, y):
    """Return batches, the last of one sample, with and without weights."""
    here = [slice(0, 24), slice(24, 49), slice(49, 50)]
    return [(x[i], y[i], None if n else WEIGHTS[i]) for n, i in enumerate(here)]


def masked():
    model = nn.Sequential([nn.Masking(), nn.GRU(4, return_sequences=True), nn.Dense(1)])
    model.compile(nn.Adam(0.05), "mse", metrics=["mae"])
    return model


PADDED = STEPS * (np.arange(5) < np.arange(50)[:, None] % 5 + 1)[..., None]


L1 = {"kernel_regularizer": "l1", "activity_regularizer": "l2"}
# name: how to make the model, x, y, options of fit, callbacks. The last batch of 7 has one sample
CASES = {
    "weights of samples": (
        partial(classifier, **L1),
        X,
        CLASSES,
        {"batch_size": 7, "sample_weight": WEIGHTS},
        list,
    ),
    "weights of classes, momentum, clipping": (
        partial(classifier, partial(nn.SGD, 0.1, momentum=0.9, global_clipnorm=0.1)),
        X,
        CLASSES,
        {"batch_size": 9, "class_weight": {0: 2.0}, "validation_split": 0.3},
        list,
    ),
    "accumulated gradients, a constraint": (
        partial(
            classifier,
            partial(nn.Adam, 0.05, gradient_accumulation_steps=3),
            "categorical_crossentropy",
            kernel_constraint="max_norm",
        ),
        X,
        ROWS,
        {"batch_size": 8},
        list,
    ),
    "all at once, in order": (
        partial(classifier, partial(nn.SGD, 0.5)),
        X,
        CLASSES,
        {"batch_size": 50, "shuffle": False},
        list,
    ),
    "a recurrent layer, a schedule": (recurrent, STEPS, ROWS, {"batch_size": 16}, list),
    "batches": (classifier, listed(X, CLASSES), None, {"validation_data": (X, CLASSES)}, list),
    "numbers": (scalar, X, LABELS, {"batch_size": 25}, list),
    "rates of epochs": (partial(classifier, "sgd"), X, CLASSES, {"batch_size": 10}, rates),
    "early stopping": (classifier, X, CLASSES, {"batch_size": 10}, stop),
    "stopped in the middle": (classifier, X, CLASSES, {"batch_size": 10}, in_the_middle),
    "weights changed between batches": (classifier, X, CLASSES, {"batch_size": 10}, in_batches),
    "masks": (masked, PADDED, PADDED[..., :1], {"batch_size": 12}, list),
    "float32": (classifier, X.astype(np.float32), CLASSES, {"batch_size": 7}, list),
}
EAGER_CASES = {
    "a branch": (branching, X, LABELS, {"batch_size": 5}, list),
}


def learn(case, jit, fit):
    """Return the history and the state that a case ends with, and the next random number."""
    make, x, y, options, callbacks = case
    model = make()
    if isinstance(model.optimizer, partial):  # made anew for each model
        model.optimizer = model.optimizer()
    model.jit = jit
    history = fit(model, x, y, epochs=4, verbose=0, callbacks=callbacks(), **options)
    return history.history, model.state_dict(), nn.randomness.generator().random()


def all_cases(count=2):
    """Return each case by name, eager and, for two ranks, compiled, too."""
    for name, case in (CASES | EAGER_CASES).items():
        yield (name, False), case
        if count == 2 and name in CASES:
            yield (name, True), case


def learning(ranks, folder):
    """Learn all cases, from other seeds on the other ranks; what rank 0 draws must hold."""
    found = {}
    for (name, jit), case in all_cases(ranks.size):
        nn.set_seed(3 + 10 * ranks.rank)
        found[name, jit] = learn(case, jit, ranks.fit)
    nn.set_seed(ranks.rank)
    model = classifier()
    ranks.fit(model, X, CLASSES, verbose=0)
    found["evaluate"] = ranks.evaluate(model, X, CLASSES, batch_size=16, sample_weight=WEIGHTS)
    found["evaluate alone"] = model.evaluate(X, CLASSES, sample_weight=WEIGHTS)
    for name, make in {"normalized": normalized, "dropping": dropping}.items():
        for turn in range(2):
            nn.set_seed(5)
            model = make()
            ranks.fit(model, X[:48], ROWS[:48], batch_size=12, epochs=2, verbose=0)
            found[name, turn] = model.state_dict()
    return found


def streams(ranks, folder):
    """Return what a layer of noise adds on each rank."""
    drawn = []

    class Noise(nn.Module):
        def __init__(self):
            self.weight = Value(np.ones(6))

        def __call__(self, x):
            drawn.append(nn.randomness.generator().random() if self.training else None)
            return x @ self.weight

    nn.set_seed(1)
    model = Noise()
    model.compile("sgd", "mse")
    ranks.fit(model, X, LABELS, batch_size=50, epochs=3, verbose=0, shuffle=False)
    return drawn


def saving(ranks, folder):
    """Learn two epochs and leave a checkpoint behind, written by rank 0 alone."""
    nn.set_seed(7)
    saved = [ModelCheckpoint(folder / "{epoch}.safetensors")]
    model = classifier()
    ranks.fit(model, X, CLASSES, batch_size=11, epochs=2, verbose=2, callbacks=saved)
    ranks.evaluate(model, X, CLASSES, verbose=1)


def resuming(ranks, folder):
    """Go on where `saving` has ended."""
    model = nn.load(folder / "2.safetensors")
    ranks.fit(model, X, CLASSES, batch_size=11, epochs=4, initial_epoch=2, verbose=0)
    return model.state_dict(), model.optimizer.iterations


def refusals(ranks, folder):
    """Return what the ranks say to whatever is unequal, or cannot be."""
    first, rank = ranks.is_first, ranks.rank
    attempts = {
        "epochs": lambda: ranks.fit(classifier(), X, CLASSES, epochs=1 + rank),
        "batch size": lambda: ranks.fit(classifier(), X, CLASSES, batch_size=10 + rank),
        "optimizer": lambda: ranks.fit(classifier("adam" if first else "sgd"), X, CLASSES),
        "sum": lambda: ranks.fit(
            classifier(loss=partial(nn.losses.get(SPARSE), reduction="sum")), X, CLASSES
        ),
        "units": lambda: ranks.fit(nothing(8 + rank), X, CLASSES),
        "sizes": lambda: ranks.fit(branching(unused=8 + rank), X, LABELS),
        "samples": lambda: ranks.fit(classifier(), X[rank:], CLASSES[rank:], shuffle=False),
        "order": lambda: ranks.fit(classifier(), X[:: 1 - 2 * rank], CLASSES, shuffle=False),
        "batches": lambda: ranks.fit(classifier(), listed(X, CLASSES)[: 3 - rank]),
        "evaluate": lambda: ranks.evaluate(classifier(), X[: 5 + rank], CLASSES[: 5 + rank]),
        "validation": lambda: ranks.fit(
            classifier(), X, CLASSES, **({"validation_data": (X, CLASSES)} if first else {})
        ),
        "activation": lambda: ranks.fit(nothing(8, "relu" if first else "tanh"), X, CLASSES),
        "bucket sizes": lambda: resized(ranks, 300 + rank).fit(classifier(), X, CLASSES),
        "another call": lambda: (ranks.fit if first else ranks.evaluate)(classifier(), X, CLASSES),
        "a later batch": lambda: ranks.fit(classifier(), altered(4 * rank)),
        "a later row": lambda: ranks.fit(
            classifier(), X + (np.arange(50)[:, None] == 49) * rank, CLASSES, shuffle=False
        ),
        "a loss": lambda: ranks.fit(classifier(loss=weighed(1.0 + rank)), X, CLASSES),
        "a loss with options": lambda: ranks.fit(
            classifier(loss=partial(nn.losses.huber, delta=1.0 + rank)), X, ROWS
        ),
        "a schedule": lambda: ranks.fit(
            classifier(nn.SGD(lambda step: 0.1 + rank * (step > 0))), X, CLASSES, verbose=0
        ),
        "an error of all": lambda: ranks.fit(classifier(), X, CLASSES[:, None] * np.ones(7)),
        "not compiled": lambda: ranks.fit(nn.Sequential([nn.Dense(1)]), X, CLASSES),
        "outside": lambda: Ranks().fit(classifier(), X, CLASSES),
        "bucket": lambda: Ranks(bucket_size=0),
    }
    return {name: refused(attempt) for name, attempt in attempts.items()}


def altered(row):
    """Return batches of which the last differs in a row, unless it is row 0."""
    x = X.copy()
    x[40 + row] += row
    return [(x[i : i + 10], CLASSES[i : i + 10]) for i in range(0, 50, 10)]


def weighed(factor):
    def loss(y_true, y_pred, sample_weight=None):
        return factor * nn.losses.get(SPARSE)(y_true, y_pred, sample_weight)

    return loss


def nothing(units, activation=None):
    model = nn.Sequential([nn.Dense(units, activation), nn.Dense(3, "softmax")])
    model.compile("sgd", SPARSE)
    return model


def resized(ranks, size):
    ranks = copy.copy(ranks)
    ranks.bucket_size = size
    return ranks


def refused(attempt):
    try:
        attempt()
    except (OptionError, ValueError, RankError) as error:
        return str(error)
    return "nothing was refused"


def failing(ranks, folder):
    """Fail on rank 1, in the middle of training."""

    class Fragile(nn.Dense):
        def forward(self, x):
            if ranks.rank == 1 and model.optimizer.iterations == 3:
                raise ArithmeticError("the fourth batch is too much")
            return super().forward(x)

    model = nn.Sequential([Fragile(3, "softmax")])
    model.compile("sgd", SPARSE)
    ranks.fit(model, X, CLASSES, batch_size=10, epochs=1000, verbose=0)


def failing_callback(ranks, folder):
    """Fail in a callback, of rank 0."""

    def fail(epoch, logs):
        raise OSError("the disk is full")

    callbacks = [TerminateOnNaN(), LambdaCallback(on_epoch_end=fail)]
    ranks.fit(classifier(), X, CLASSES, epochs=1000, verbose=0, callbacks=callbacks)


def changing(ranks, folder):
    """Change, in a callback, what other ranks do not see."""

    def change(batch, logs):
        callback.model.optimizer.momentum = 0.9

    callback = LambdaCallback(on_train_batch_end=change)
    model = classifier(nn.SGD(0.1, momentum=0.5))
    ranks.fit(model, X, CLASSES, batch_size=10, verbose=0, callbacks=[callback])


def catching(ranks, folder):
    """Catch on rank 1 what fails there, and leave as if all were well."""
    if ranks.is_first:
        failing(ranks, folder)
    else:
        with suppress(ArithmeticError):
            failing(ranks, folder)


def catching_everywhere(ranks, folder):
    """Catch an error of rank 1 on all ranks, and go on to learn something else."""
    try:
        failing(ranks, folder)
    except (ArithmeticError, RankError) as error:
        sys.stdout.write(f"rank {ranks.rank} has caught {type(error).__name__}\n")
    ranks.fit(classifier(), X, CLASSES, verbose=0)


def interrupted(ranks, folder):
    """Press Ctrl-C on rank 1 in the middle of an epoch: all stop after the same batch."""
    model = classifier("sgd")
    taken = []

    class Pressed(nn.Dense):
        def forward(self, x):
            taken.append(len(taken))
            if ranks.rank == 1 and model.optimizer.iterations == 7 and self.training:
                signal.raise_signal(signal.SIGINT)
            return super().forward(x)

    model.layers[0] = Pressed(8, "tanh")
    history = ranks.fit(model, X, CLASSES, batch_size=10, epochs=1000, verbose=0)
    return model.optimizer.iterations, history.history, model.state_dict()


def interrupted_twice(ranks, folder):
    """Press Ctrl-C twice on rank 1."""

    class Pressed(nn.Dense):
        def forward(self, x):
            if ranks.rank == 1 and model.optimizer.iterations == 3:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
            return super().forward(x)

    model = nn.Sequential([Pressed(3, "softmax")])
    model.compile("sgd", SPARSE)
    ranks.fit(model, X, CLASSES, batch_size=10, epochs=1000, verbose=0)


def growing(ranks, folder):
    """Make a parameter on rank 1 alone, in the middle of training."""

    class Growing(nn.Dense):
        def forward(self, x):
            if ranks.rank == 1 and model.optimizer.iterations == 3:
                self.more = Value(np.ones(3))
            return super().forward(x)

    model = nn.Sequential([Growing(3, "softmax")])
    model.compile("sgd", SPARSE)
    ranks.fit(model, X, CLASSES, batch_size=10, epochs=1000, verbose=0)


def leaving(ranks, folder):
    """Leave on rank 1, before training."""
    if ranks.rank == 1:
        sys.exit("no data here")
    ranks.fit(classifier(), X, CLASSES)


def leaving_quietly(ranks, folder):
    """Leave on rank 0, in the middle of training, as if all were done."""
    leave = LambdaCallback(on_train_batch_end=lambda batch, logs: sys.exit())
    ranks.fit(classifier(), X, CLASSES, epochs=1000, verbose=0, callbacks=[leave])


def parting(ranks, folder):
    """Learn on rank 0 only."""
    if ranks.is_first:
        ranks.fit(classifier(), X, CLASSES, epochs=1000, verbose=0)


def killed(ranks, folder):
    """Be killed on rank 1, in the middle of training."""

    class Mortal(nn.Dense):
        def forward(self, x):
            if ranks.rank == 1 and model.optimizer.iterations == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().forward(x)

    model = nn.Sequential([Mortal(3, "softmax")])
    model.compile("sgd", SPARSE)
    ranks.fit(model, X, CLASSES, batch_size=10, epochs=1000, verbose=0)


def main(names, folder):
    """Run programs, and leave what each returned on each rank in a file."""
    for name in names.split(","):
        if name == "outside":  # fail on rank 1 between Ranks() and its block
            if Ranks().rank == 1:
                raise ArithmeticError("no data here")
            name = "streams"
        with Ranks(bucket_size=300) as ranks:
            found = globals()[name](ranks, folder)
        every = ranks._world.gather(found)
        if ranks.is_first:
            (folder / f"{name}-{ranks.size}").write_bytes(pickle.dumps(every))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
