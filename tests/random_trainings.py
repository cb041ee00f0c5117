"""Random trainings, run eagerly and compiled; `python -m benchmarks.differential` runs many."""

import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import nn
from autograd_core import AutogradError
from nn import callbacks as cb
from nn import constraints, initializers, layers, optimizers, regularizers, schedules
from nn.activations import BY_NAME as ACTIVATIONS

LOSSES_OF_NUMBERS = {
    "mean_squared_error": None,
    "half_mean_squared_error": None,
    "mean_absolute_error": None,
    "mean_absolute_percentage_error": None,
    "mean_squared_logarithmic_error": "softplus",
    "huber": None,
    "log_cosh": None,
    "poisson": "exponential",
    "cosine_similarity": None,
}
LOSSES_OF_CLASSES = (
    "binary_crossentropy",
    "hinge",
    "squared_hinge",
    "categorical_hinge",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "kl_divergence",
)
UNSMOOTH = {"step", "sign", "log_softmax", "softmax", "exponential", "prelu"}
SMOOTH = sorted(set(ACTIVATIONS) - UNSMOOTH)
OF_ROWS = [
    *("Dense", "Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU", "RBF"),
    *("Dropout", "GaussianNoise", "Reshape", "RepeatVector"),
    *("BatchNormalization", "LayerNormalization"),
]
UNITS = 5  # of hidden layers
SAMPLES = 20


@dataclass
class Case:
    """One training: what is drawn from a seed, without the numbers.

    Args:    seed: of everything.
             parts: what was chosen, by kind, for coverage and messages.
    """

    seed: int
    parts: dict[str, list[str]] = field(default_factory=dict)
    is_chaotic = False  # whether rounding alone makes a difference

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng([8, self.seed])

    def choose(self, kind: str, choices: Any) -> Any:
        """Draw one of some names or functions, and note it."""
        choices = list(choices)
        chosen = choices[self.rng.integers(len(choices))]
        self.parts.setdefault(kind, []).append(chosen if isinstance(chosen, str) else repr(chosen))
        return chosen

    def maybe(self, share: float) -> bool:
        """Draw whether something happens."""
        return bool(self.rng.random() < share)


def kernel_options(case: Case, recurrent: bool = False) -> dict[str, Any]:
    """Draw initializers, regularizers and constraints."""
    options: dict[str, Any] = {}
    names = ["kernel", "bias"] + (["recurrent"] if recurrent else [])
    for name in names:
        if case.maybe(0.15):
            options[f"{name}_regularizer"] = case.choose(
                "regularizer", [regularizers.L1(0.01), regularizers.L2(0.02), "l1_l2"]
            )
        if case.maybe(0.15):
            chosen = case.choose("constraint", sorted(constraints.BY_NAME))
            options[f"{name}_constraint"] = chosen
    if case.maybe(0.3):
        named = set(initializers.BY_NAME) - {"zeros", "zero", "identity", "ones", "one", "constant"}
        options["kernel_initializer"] = case.choose("initializer", sorted(named))
    if case.maybe(0.2):
        options["activity_regularizer"] = case.choose("regularizer", ["l1", "l2"])
    if case.maybe(0.15):
        options["use_bias"] = False
    return {k: v for k, v in options.items() if "bias" not in k or options.get("use_bias", True)}


def activation(case: Case) -> str:
    """Draw the activation of a hidden layer."""
    flat = ["step", "sign"] if case.maybe(0.05) else []
    name: str = case.choose("activation", flat or SMOOTH)
    return name


def layer_of_rows(case: Case) -> Any:
    """Draw a layer on rows of numbers."""
    name = case.choose("layer", OF_ROWS)
    if name == "Dense":
        return layers.Dense(UNITS, activation(case), **kernel_options(case))
    if name == "RBF":
        return layers.RBF(UNITS, 2.0, "normal")
    if name == "RepeatVector":
        return nn.Sequential([layers.RepeatVector(2), layers.Flatten()])
    return unsized(case, name)


def unsized(case: Case, name: str) -> Any:
    """Return a layer that fits behind any other."""
    scaled = {"center": case.maybe(0.8), "scale": case.maybe(0.8)}
    made = {
        "Activation": lambda: layers.Activation(activation(case)),
        "ReLU": lambda: layers.ReLU(2.0, negative_slope=0.1, threshold=0.2),
        "LeakyReLU": lambda: layers.LeakyReLU(0.1),
        "ELU": lambda: layers.ELU(0.5),
        "Softmax": layers.Softmax,
        "PReLU": lambda: layers.PReLU("ones", alpha_regularizer="l2"),
        "Dropout": lambda: layers.Dropout(0.3),
        "Reshape": lambda: layers.Reshape((-1,)),
        "GaussianNoise": lambda: layers.GaussianNoise(0.1),
        "BatchNormalization": lambda: layers.BatchNormalization(
            momentum=0.8, gamma_regularizer="l1", **scaled
        ),
        "LayerNormalization": lambda: layers.LayerNormalization(
            beta_constraint="unit_norm", **scaled
        ),
    }
    return made[name]()


def layers_of_images(case: Case) -> list[Any]:
    """Draw layers on images (6, 6, 2)."""
    made: list[Any] = []
    if case.maybe(0.5):
        name = case.choose("layer", ["RandomFlip", "RandomRotation", "RandomTranslation"])
        modes = ["reflect", "constant", "wrap", "nearest"]
        factors = {"RandomRotation": (0.1,), "RandomTranslation": (0.2, 0.1)}
        if name == "RandomFlip":
            made.append(layers.RandomFlip(case.choose("mode", ["horizontal", "vertical"])))
        else:
            fill = case.choose("fill_mode", modes)
            made.append(getattr(layers, name)(*factors[name], fill_mode=fill))
    if case.maybe(0.3):
        case.parts.setdefault("layer", []).append("ZeroPadding2D")
        made.append(layers.ZeroPadding2D((1, 0)))
    case.parts.setdefault("layer", []).append("Conv2D")
    options = {
        "strides": int(case.rng.integers(1, 3)),
        "padding": case.choose("padding", ["valid", "same"]),
    }
    if options["strides"] == 1 and case.maybe(0.3):
        options["dilation_rate"] = 2
    made.append(layers.Conv2D(4, 2, activation=activation(case), **options, **kernel_options(case)))
    if case.maybe(0.5):
        name = case.choose("layer", ["BatchNormalization", "LayerNormalization", "Dropout"])
        made.append(unsized(case, name))
    kinds = ["MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D"]
    kinds += ["Flatten"]
    name = case.choose("layer", kinds)
    made.append(getattr(layers, name)(*[2] * (name in kinds[:2])))
    return [*made, layers.Flatten()] if name in kinds[:2] else made


def layers_of_sequences(case: Case, words: bool, every: bool) -> list[Any]:
    """Draw layers on sequences; `every`: with an output at each step."""
    made: list[Any] = []
    if words:
        case.parts.setdefault("layer", []).append("Embedding")
        made.append(layers.Embedding(6, 3, mask_zero=case.maybe(0.5)))
    elif case.maybe(0.5):
        case.parts.setdefault("layer", []).append("Masking")
        made.append(layers.Masking())
    if case.maybe(0.3):
        case.parts.setdefault("layer", []).append("Conv1D")
        padding = case.choose("padding", ["same", "causal"])
        made.append(layers.Conv1D(3, 2, padding=padding, activation=activation(case)))
    if case.maybe(0.3):
        case.parts.setdefault("layer", []).append("TimeDistributed")
        made.append(layers.TimeDistributed(layers.Dense(3, activation(case))))
    if not every and case.maybe(0.3):
        return [*made, *pooled_sequences(case)]
    for last in ([False] if case.maybe(0.3) else []) + [True]:
        name = case.choose("layer", ["SimpleRNN", "GRU", "LSTM"])
        options: dict[str, Any] = {"return_sequences": every or not last}
        if case.maybe(0.3):
            options |= {"dropout": 0.2, "recurrent_dropout": 0.2 * case.maybe(0.5)}
        if name == "GRU" and case.maybe(0.3):
            options["reset_after"] = False
        options |= kernel_options(case, recurrent=True)
        layer = getattr(layers, name)(4, **options)
        if case.maybe(0.3):
            case.parts["layer"].append("Bidirectional")
            mode = case.choose("merge_mode", ["concat", "sum", "mul", "ave"])
            layer = layers.Bidirectional(layer, mode)
        made.append(layer)
    return made


def pooled_sequences(case: Case) -> list[Any]:
    """Draw layers that make rows of sequences, without recurrence."""
    first = {
        "ZeroPadding1D": lambda: layers.ZeroPadding1D((1, 0)),
        "Permute": lambda: layers.Permute((2, 1)),
        "MaxPooling1D": lambda: layers.MaxPooling1D(2),
        "AveragePooling1D": lambda: layers.AveragePooling1D(2, padding="same"),
    }
    last = {
        "GlobalMaxPooling1D": layers.GlobalMaxPooling1D,
        "GlobalAveragePooling1D": layers.GlobalAveragePooling1D,
        "Flatten": layers.Flatten,
    }
    return [choices[case.choose("layer", choices)]() for choices in (first, last)]


def data_and_layers(case: Case) -> tuple[Any, list[Any], tuple[int, ...]]:
    """Draw the inputs, the layers before the last, and the shape of targets before their units."""
    rng = case.rng
    kind = case.choose("data", ["rows", "rows", "images", "sequences", "steps", "words"])
    if kind == "rows":
        count = int(rng.integers(1, 4))
        return rng.normal(size=(SAMPLES, 4)), [layer_of_rows(case) for _ in range(count)], ()
    if kind == "images":
        return rng.normal(size=(SAMPLES, 6, 6, 2)), layers_of_images(case), ()
    every = kind == "steps"
    if kind == "words":
        x = rng.integers(1, 6, (SAMPLES, 5)) * (np.arange(5) < rng.integers(1, 6, (SAMPLES, 1)))
    else:
        x = rng.normal(size=(SAMPLES, 5, 3))
        x[np.arange(5) >= rng.integers(1, 6, (SAMPLES, 1))] = 0.0
    return x, layers_of_sequences(case, kind == "words", every), (5,) * every


def head(case: Case, before: tuple[int, ...]) -> tuple[Any, Any, Any, list[str]]:
    """Draw the last layer, the loss, the targets and metrics."""
    rng = case.rng
    shape = (SAMPLES, *before)
    name = case.choose("loss", [*LOSSES_OF_NUMBERS, *LOSSES_OF_CLASSES])
    if name in LOSSES_OF_NUMBERS:
        units = int(rng.integers(1, 4))
        y = 1.0 + np.abs(rng.normal(size=(*shape, units)))
        loss = partial(nn.losses.huber, delta=0.7) if name == "huber" else name
        last = layers.Dense(units, LOSSES_OF_NUMBERS[name], **kernel_options(case))
        return last, loss, y, case.choose("metrics", [[], ["mae"], ["mse", "r2"]])
    function = nn.losses.get(name)
    if name in ("hinge", "squared_hinge"):
        y = rng.integers(0, 2, shape).astype(float)
        y = 2.0 * y - 1.0 if case.maybe(0.5) else y
        return layers.Dense(1, case.choose("activation", ["tanh", "linear"])), name, y, []
    has_logits = case.maybe(0.4)
    if name == "binary_crossentropy":
        y = rng.integers(0, 2, shape)
        last = layers.Dense(1, None if has_logits else "sigmoid")
    else:
        labels = rng.integers(0, 3, shape)
        y = labels if name.startswith("sparse") else np.eye(3)[labels]
        last = layers.Dense(3, None if has_logits or name == "categorical_hinge" else "softmax")
    options: dict[str, Any] = {}
    if name.endswith("crossentropy"):
        options["from_logits"] = has_logits
        if not name.startswith("sparse") and case.maybe(0.3):
            options["label_smoothing"] = 0.1
    elif name == "kl_divergence":
        last = layers.Dense(3, "softmax")
    return last, partial(function, **options), y, case.choose("metrics", [[], ["accuracy"]])


def optimizer_of(case: Case) -> Any:
    """Draw an optimizer with options, and a learning rate or a schedule."""
    name = case.choose("optimizer", sorted(optimizers.BY_NAME))
    options: dict[str, Any] = {}
    if case.maybe(0.2):
        options["weight_decay"] = 0.1
    if case.maybe(0.4):
        options[case.choose("clipping", ["clipnorm", "clipvalue", "global_clipnorm"])] = 0.1
    if case.maybe(0.2):
        options["gradient_accumulation_steps"] = case.choose("accumulation", [1, 2, 3])
    own = {
        "sgd": [{}, {"momentum": 0.8}, {"momentum": 0.8, "nesterov": True}],
        "rmsprop": [{}, {"momentum": 0.5}, {"centered": True}],
        "adam": [{}, {"amsgrad": True}],
    }
    options |= case.choose("options", own.get(name, [{}]))
    rate: Any = 0.02
    if case.maybe(0.4):
        rate = case.choose(
            "schedule",
            [
                schedules.ConstantRate(0.03),
                schedules.StepDecay(0.05, 2),
                schedules.PiecewiseConstantDecay([2, 4], [0.05, 0.02, 0.01]),
                schedules.ExponentialDecay(0.05, 3, 0.5, staircase=True),
                schedules.InverseTimeDecay(0.05, 2, 0.5),
                schedules.PolynomialDecay(0.05, 5, 0.01),
                schedules.CosineDecay(0.05, 6, warmup_target=0.1, warmup_steps=2),
                schedules.CosineDecayRestarts(0.05, 2),
                schedules.OneCycle(0.05, 10),
                schedules.Warmup(0.05, 3),
            ],
        )
    return optimizers.BY_NAME[name](rate, **options)


def changes() -> dict[str, Any]:
    """Return what callbacks may do to a model, by name."""

    def drop(model: Any) -> None:
        for part in model.layers:
            if isinstance(part, layers.Dropout):
                part.rate = 0.6

    def freeze_norms(model: Any) -> None:
        for part in model.layers:
            if isinstance(part, layers.BatchNormalization):
                part.eval()

    def shrink(model: Any) -> None:
        for parameter in model.parameters():
            parameter.data = parameter.data * 0.9

    def replace(model: Any) -> None:
        model.optimizer = nn.SGD(0.01, momentum=0.5)

    def tune(model: Any) -> None:
        model.optimizer.clipnorm = model.optimizer.global_clipnorm = None
        model.optimizer.clipvalue = 0.05

    return {
        "dropout": drop,
        "normalization": freeze_norms,
        "weights": shrink,
        "optimizer": replace,
        "clipping": tune,
        "loss": lambda model: setattr(model, "loss", partial(model.loss)),
        "state": lambda model: model.load_state_dict(model.state_dict()),
        "count": lambda model: setattr(model.optimizer, "iterations", 7),
        "slots": lambda model: model.optimizer.slots.clear(),
    }


def callbacks_of(case: Case, has_schedule: bool) -> list[Any]:
    """Draw callbacks."""
    made: list[Any] = []
    if case.maybe(0.3):
        choices = ["EarlyStopping", "TerminateOnNaN"]
        choices += [] if has_schedule else ["LearningRateScheduler", "ReduceLROnPlateau"]
        name = case.choose("callback", choices)
        options = {
            "EarlyStopping": {"monitor": "loss", "restore_best_weights": True, "min_delta": 0.1},
            "TerminateOnNaN": {},
            "LearningRateScheduler": {"schedule": lambda epoch, rate: rate * 0.8},
            "ReduceLROnPlateau": {"monitor": "loss", "patience": 1, "min_delta": 0.5},
        }
        made.append(getattr(cb, name)(**options[name]))
    if case.maybe(0.35):
        possible = changes()
        name = case.choose("change", sorted(possible))
        event = case.choose("event", ["on_train_batch_begin", "on_epoch_begin", "on_epoch_end"])
        when = int(case.rng.integers(0, 2))

        def step_in(number: int, logs: Any) -> None:
            if number == when:
                possible[name](callback.model)

        callback = cb.LambdaCallback(**{event: step_in})
        made.append(callback)
    return made


@dataclass
class Drawn:
    """What a training needs."""

    case: Case
    model: Any
    x: Any
    y: Any
    options: dict[str, Any]  # of fit
    callbacks: list[Any]


def draw(seed: int, jit: bool = False, nudge: float = 0.0) -> Drawn:
    """Return what a training needs.

    Args:    nudge: what to change the inputs by, relative to them.
    """
    case = Case(seed)
    nn.set_seed(seed)
    dtype = case.choose("dtype", ["float32", "float64"])
    x, hidden, before = data_and_layers(case)
    last, loss, y, metrics = head(case, before)
    if x.dtype.kind == "f":
        x = (x * (1.0 + nudge)).astype(dtype)
    if y.dtype.kind == "f":
        y = y.astype(dtype)
    model = nn.Sequential([*hidden, last])
    if x.dtype.kind != "f":
        model.build(x.shape[1:], dtype)
    optimizer = optimizer_of(case)
    model.compile(optimizer, loss, metrics=metrics, jit=jit)
    options: dict[str, Any] = {"batch_size": int(case.rng.integers(6, 12)), "verbose": 0}
    weighing = case.choose("weights", ["none", "samples", "classes", "none"])
    if weighing == "samples":
        options["sample_weight"] = case.rng.random(SAMPLES)
    labels = y if y.ndim == 1 else np.zeros(1)
    if weighing == "classes" and np.array_equal(labels, labels.astype(int)) and not before:
        options["class_weight"] = {0: 2.0, 1: 0.5} if y.ndim == 1 else None
    options["shuffle"] = case.maybe(0.7)
    if case.maybe(0.3):
        options["validation_data"] = (x[:7], y[:7])
    return Drawn(case, model, x, y, options, callbacks_of(case, callable(optimizer.learning_rate)))


def trained(seed: int, jit: bool, nudge: float = 0.0) -> tuple[Case, dict[str, Any]]:
    """Return a case with the figures and the state that it ends with."""
    drawn = draw(seed, jit, nudge)
    model, x, y, options = drawn.model, drawn.x, drawn.y, drawn.options
    found: dict[str, Any] = {}
    histories = [model.fit(x, y, epochs=2, callbacks=drawn.callbacks, **options).history]
    histories.append(model.fit(x, y, epochs=1, **options).history)
    for number, history in enumerate(histories):
        found |= {f"{number} {name}": figures for name, figures in history.items()}
    found["step"] = list(model.train_on_batch(x[:8], y[:8]).values())
    found["evaluate"] = np.atleast_1d(model.evaluate(x, y))
    found["iterations"] = [model.optimizer.iterations]
    found |= {f"weights {name}": array for name, array in model.state_dict().items()}
    for number, parameter in enumerate(model.parameters()):
        slots = model.optimizer.slots.get(parameter, {})
        found |= {f"slot {number} {n}": np.asarray(slot) for n, slot in slots.items()}
    return drawn.case, found


def difference(seed: int) -> tuple[Case, str | None]:
    """Return the case, and where the compiled training differs from the eager one, or None.

    Some trainings make much of rounding: a bias before BatchNormalization has the gradient 0, of
    which Adam divides rounding by its own size. There eager training differs as much from itself
    when its inputs are changed by a rounding, and nothing follows.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            case, eager = trained(seed, jit=False)
        except AutogradError as error:
            return Case(seed), f"eager training is refused: {error}"
        try:
            _, compiled = trained(seed, jit=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a difference
            return case, f"{type(error).__name__}: {error}"
        found = compared(case, eager, compiled)
        if found is not None:
            eps = np.finfo(case.parts["dtype"][0]).eps
            nudged = [trained(seed, jit=False, nudge=sign * eps)[1] for sign in (-4.0, 4.0)]
            if any(compared(case, eager, other) for other in nudged):
                case.is_chaotic = True
                return case, None
        return case, found


def compared(case: Case, eager: dict[str, Any], compiled: dict[str, Any]) -> str | None:
    """Return where figures or states differ by more than rounding, or None."""
    rtol, atol = (5e-3, 2e-4) if "float32" in case.parts["dtype"] else (1e-7, 1e-9)
    if eager.keys() != compiled.keys():
        return f"figures {sorted(eager.keys() ^ compiled.keys())}"
    for name, ours in eager.items():
        theirs = compiled[name]
        if getattr(ours, "dtype", None) != getattr(theirs, "dtype", None):
            return f"{name} is {ours.dtype}, compiled {theirs.dtype}"
        if not np.allclose(ours, theirs, rtol, atol, equal_nan=True):
            return f"{name}: {ours} eager, {theirs} compiled"
    return None
