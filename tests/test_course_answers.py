"""Every exercise takes a right answer in any form, says why others are wrong, and fails on none."""

import inspect
import re
from decimal import Decimal
from fractions import Fraction
from functools import partial, wraps
from importlib import import_module

import numpy as np
import pytest
from exercises.exercise import Exercise

import nn
from autograd_core import Value, grad
from tests.test_course import COURSE

EXERCISES = {
    f"{name[3:]}.{title}": each
    for name in COURSE
    for title, each in vars(import_module(f"exercises.{name[3:]}")).items()
    if isinstance(each, Exercise)
}
# Right answers of those exercises whose solution explains instead of computing
ANSWERS = {
    "descent.one_step": 1.4,
    "descent.gradient_of_a_line": {"w": -38 / 3, "b": -16 / 3},
    "descent.largest_rate": 0.25,
    "descent.iterations": 2345,
    "descent.first_step_of_adam": (-0.1, 0.1),
    "xor.single_neuron": 14,
    "xor.parameters": 13,
    "tables.columns_after_one_hot": 9,
    "digits.parameters": 101_770,
    "digits.batches": 469,
    "backpropagation.chain": {"w1": -0.375, "b1": -0.1875, "w2": -0.0625, "b2": -0.125},
}


def right_answer(name):
    """Return what the solution of an exercise computes."""
    if name in ANSWERS:
        return ANSWERS[name]
    names = {"np": np, "nn": nn, "ArrayLayer": nn.ArrayLayer, "grad": grad} | {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
        "W2": np.array([[1.0, -2.0, 0.0], [0.0, 1.0, 3.0]]),
        "a1": np.array([0.5, 0.2, 0.9]),
        "delta2": np.array([0.5, -1.0]),
    }
    code = str(EXERCISES[name].solution())
    try:
        return eval(code, names)
    except SyntaxError:
        before = set(names)
        exec(code, names)
        made = [each for each in names if each not in before and each != "__builtins__"]
        return names["answer"] if "answer" in names else names[made[-1]]


def is_number(answer):
    return isinstance(answer, int | float | np.number) and not isinstance(answer, bool)


def is_row(answer):
    return isinstance(answer, tuple | list) and all(map(is_number, answer))


def is_of_numbers(answer):
    return isinstance(answer, dict) and all(map(is_number, answer.values()))


def passed_on(function, change):
    """Return a function whose results are changed, with the same signature."""

    @wraps(function)
    def changed(*given, **named):
        return change(function(*given, **named))

    return changed


def in_parts(change):
    """Return a change of each number of a result, which may be a pair, a dict or a function."""

    def of(result):
        if isinstance(result, dict):
            return {key: of(part) for key, part in result.items()}
        if isinstance(result, tuple | list):
            return type(result)(of(part) for part in result)
        if callable(result):
            return passed_on(result, of)
        return change(result if isinstance(result, Value) else np.asarray(result))

    return of


def right_forms(name, answer):
    """Return five forms of a right answer."""
    if is_number(answer):
        text = f"{answer:,}" if isinstance(answer, int) else repr(float(answer))
        return [answer, np.float64(answer), Value(float(answer)), np.array([answer]), text]
    if is_row(answer):
        array = np.array(answer, float)
        return [tuple(answer), list(answer), array, Value(array), ", ".join(map(str, answer))]
    if is_of_numbers(answer):
        numbers = list(answer.values())
        return [
            answer,
            {key: str(number) for key, number in answer.items()},
            {key: Value(float(number)) for key, number in answer.items()},
            {key: np.array(number) for key, number in reversed(answer.items())},
            tuple(numbers),
        ]
    if isinstance(answer, np.ndarray):
        rows = answer.tolist()
        return [answer, rows, tuple(map(tuple, rows)) if answer.ndim > 1 else tuple(rows),
                Value(answer), [Value(np.array(row)) for row in rows]]  # fmt: skip
    if inspect.isfunction(answer):

        class Callable:
            def __call__(self, *given, **named):
                return answer(*given, **named)

        forms = [
            answer,
            passed_on(answer, lambda result: result),
            partial(answer),
            Callable(),
        ]
        values = in_parts(lambda x: x if x.dtype.kind == "b" else Value(x.astype(float)))
        is_raw = name.startswith("build_your_own")
        return [*forms, Callable().__call__ if is_raw else passed_on(answer, values)]
    return in_words(name)[0]


def wrong_answers(name, answer):
    """Return ten wrong answers: the right one, changed as slips change it."""
    if name in WORDS:
        return in_words(name)[1]
    by = [
        lambda x: ~x if np.asarray(x).dtype.kind == "b" else x * -1.2,
        lambda x: x * 2,
        lambda x: x + 1,
        lambda x: x - 1.0,
        lambda x: x * 10,
        lambda x: x * 0 - 5,
        lambda x: x + 0.3,
        lambda x: x * 1.5 + 0.1,
        lambda x: x / 2 + 8,
        lambda x: 3.0 - x * 5,
    ]
    if inspect.isfunction(answer):
        return [passed_on(answer, in_parts(change)) for change in by]
    return [in_parts(change)(answer) for change in by]


def layer(forward=lambda x, w: x * w, shape=None, start="ones", base=nn.ArrayLayer, is_made=True):
    """Return a class of layers with one parameter."""

    class Made(base):
        def make_parameters(self, input_shape):
            if is_made:
                self.make_parameter("weight", shape or input_shape, start)

        def forward(self, x):
            return forward(x, self.weight if is_made else np.ones(3))

    return Made


def reader(units, outputs=10, epochs=0):
    """Return a network that reads digits."""
    images, labels = nn.datasets.digits()
    nn.set_seed(0)
    layers = [nn.Dense(units, "relu"), nn.Dense(outputs, "softmax")]
    model = nn.Sequential(layers, input_shape=(64,))
    model.compile(nn.Adam(0.005), "sparse_categorical_crossentropy")
    if epochs:
        model.fit(images, labels, epochs=epochs, verbose=0)
    return model


PAIRS = right_answer("losses.pairs")
NEURONS = right_answer("xor.by_hand")
AND, NEITHER, OR = right_answer("decisions.both_or_neither")
ORDER = ["L", "v", "u", "s", "x"]
# Five right forms and ten wrong answers, where these cannot be made of the right answer
WORDS = {
    "losses.pairs": (
        [
            PAIRS,
            {task: list(pair) for task, pair in PAIRS.items()},
            {task: ", ".join(pair) for task, pair in PAIRS.items()},
            PAIRS | {"price": ("linear", "mse"), "digit": ("Softmax", "Categorical crossentropy")},
            PAIRS | {"price": (None, "MAE"), "spam": (nn.activations.sigmoid, "bce")},
        ],
        [PAIRS | {task: (activation, loss)} for task, activation, loss in (
            ("price", "sigmoid", "mse"), ("price", "linear", "bce"), ("price", "softmax", "mse"),
            ("spam", "linear", "bce"), ("spam", "softmax", "bce"), ("spam", "sigmoid", "mse"),
            ("digit", "sigmoid", "cce"), ("digit", "softmax", "bce"), ("topics", "softmax", "bce"),
            ("topics", "sigmoid", "cce"),
        )],
    ),
    "overfitting.reading": (
        [
            {"A": "overfits", "B": "underfits", "C": "fits"},
            {"A": "Overfitting", "B": "Underfitting", "C": "Fitting"},
            {"A": "over-fit", "B": "under-fit", "C": "fit"},
            ["overfits", "underfits", "fits"],
            np.array(["overfits", "underfits", "fits"]),
        ],
        [dict(zip("ABC", row, strict=True)) for row in (
            ("fits", "underfits", "fits"), ("underfits", "overfits", "fits"),
            ("overfits", "fits", "fits"), ("overfits", "underfits", "underfits"),
            ("overfits", "underfits", "overfits"), ("fits", "fits", "fits"),
            ("underfits", "underfits", "underfits"), ("overfits", "overfits", "overfits"),
            ("fits", "overfits", "underfits"), ("good", "bad", "good"),
        )],
    ),
    "overfitting.luck": (
        ["too high", "Too high", " too high ", np.str_("too high"), ["too high"]],
        ["too low", "right", "low", "correct", "unknown", "50 %", "higher", "no", "yes", "mean"],
    ),
    "tables.before_the_split": (
        [{"a", "d"}, ["d", "a"], "ad", "a and d", np.array(["A", "D"])],
        [{"a"}, {"d"}, {"b"}, {"c"}, {"e"}, {"a", "b"}, {"a", "d", "b"}, {"a", "c", "d"}, "abcde",
         ["e", "d"]],
    ),
    "chain_rule.valid_order": (
        [ORDER, tuple(ORDER), np.array(ORDER), "L, v, u, s, x", "L v u s x"],
        [ORDER[::-1], ["L", "u", "v", "s", "x"], ["L", "v", "s", "u", "x"],
         ["v", "L", "u", "s", "x"],
         ["L", "v", "u", "x", "s"], ORDER[:4], [*ORDER, "x"], ["L", "v", "u", "s", "y"], "xsuvL",
         ["x", "L", "v", "u", "s"]],
    ),
    "xor.by_hand": (
        [
            NEURONS,
            list(NEURONS.values()),
            np.array(list(NEURONS.values())),
            {name: list(map(str, neuron)) for name, neuron in NEURONS.items()},
            {name: Value(np.array(neuron, float)) for name, neuron in NEURONS.items()},
        ],
        [NEURONS | {name: neuron} for name, neuron in (
            ("first", (1, 1, -2)), ("first", (0, 0, 0)), ("first", (1, 0, -1)),
            ("second", (1, 1, -1)), ("second", (0, 0, -1)), ("second", (-1, -1, 0)),
            ("output", (1, 1, -1)), ("output", (-1, 1, 0)), ("output", (1, -1, 0)),
            ("output", (1, -1, -2)),
        )],
    ),
    "xor.dead_unit": (
        [(1, 1, -2), [1.0, 0.5, -3.0], np.array([2, 1, -4]), Value(np.array([1.0, 1.0, -2.0])),
         "(1, 1, -2)"],
        [(1, 1, -1), (1, 1, 0), (1, 1, 2), (-1, -1, 0), (-1, 1, -2), (1, 0, -2), (2, 2, -3),
         (0, 0, -1),
         (3, 1, -3.5), (1, 5, -5.9)],
    ),
    "decisions.only_the_first": (
        [([1, -1], -1), (1, -1, -1), np.array([1, -1, -1]), ("1", "-1", "-1"),
         nn.Perceptron.of([1, -1], bias=-1)],
        [([1, -1], 1), ([1, -1], 0), ([-1, 1], -1), ([1, 1], -1), ([1, 1], -2), ([0, 0], 0),
         ([1, -1], -2), ([-1, -1], 1), ([1, 0], -1), ([0, -1], 0)],
    ),
    "decisions.both_or_neither": (
        [(AND, NEITHER, OR), [NEITHER, AND, OR], ((1, 1, -2), (-1, -1, 0), (1, 1, -1)),
         np.array([[1, 1, -2], [-1, -1, 0], [1, 1, -1]]),
         [nn.Perceptron.of(weights, bias=bias) for weights, bias in (AND, NEITHER, OR)]],
        [(AND, NEITHER, AND), (AND, AND, OR), (NEITHER, NEITHER, OR), (AND, OR, OR),
         (OR, NEITHER, OR),
         (AND, OR, ([-1, 1], -1)), (AND, NEITHER, ([-1, -1], 0)), (AND, NEITHER, ([1, 0], -1)),
         (AND, NEITHER, ([0, 1], -1)), (OR, OR, OR)],
    ),
    "decisions.three_of_five": (
        [-3, -2.5, Value(-3.0), np.array([-3]), "\u22123"],
        [3, -2, -4, 0, -1, -5, -6, 2.5, -3.1, 10],
    ),
    "digits.reader": lambda: (
        [reader(13, epochs=30), reader(12, epochs=30), reader(11, epochs=30), reader(10, epochs=30),
         nn.Sequential([reader(13, epochs=30)])],
        [*[reader(units) for units in (2, 5, 9, 13)], *[reader(u, 9) for u in (3, 6)],
         *[reader(u, epochs=1) for u in (14, 20, 32)],
         nn.Sequential([nn.Dense(10)], input_shape=(64,))],
    ),
    "build_your_own.scale_layer": (
        [
            layer(),
            layer(lambda x, w: np.multiply(w, x)),
            layer(start=nn.initializers.Ones()),
            layer(base=layer()),
            layer(lambda x, w: x / (1 / w)),
        ],
        [layer(lambda x, w: x + w), layer(lambda x, w: x + w, start="zeros"), layer(start="zeros"),
         layer(lambda x, w: x * w * 2), layer(lambda x, w: x), layer(lambda x, w: x * w * w),
         layer(shape=(1,)), layer(is_made=False), layer()(),
         layer(lambda x, w: (x * w).sum(axis=1))],
    ),
}  # fmt: skip


def in_words(name):
    """Return five right forms and ten wrong answers; networks are trained when asked for."""
    return WORDS[name]() if callable(WORDS[name]) else WORDS[name]


MEANINGLESS = [None, "nonsense", float("nan"), {}, [], object(), [[1], [2, 3]], print, int, b"1"]
BARE = r"unsupported operand|object is not|has no attribute|not support|Traceback| at 0x|must be a"


@pytest.mark.parametrize("name", EXERCISES)
class TestEveryExercise:
    def test_takes_five_forms_of_a_right_answer(self, name):
        forms = right_forms(name, right_answer(name))
        assert len(forms) == 5
        for form in forms:
            assert EXERCISES[name].check(form) == "Right.", form

    def test_says_why_ten_others_are_wrong(self, name):
        answers = wrong_answers(name, right_answer(name))
        assert len(answers) == 10
        for answer in answers:
            reply = EXERCISES[name].check(answer)
            assert re.match(r"Not yet: \S", reply), answer
            assert not re.search(BARE + "|has not the form|stops with", reply), (answer, reply)

    def test_answers_what_means_nothing_with_a_sentence(self, name):
        for answer in MEANINGLESS:
            reply = EXERCISES[name].check(answer)
            assert re.match(r"Not yet: .*[.?]\nHint: ", reply), answer
            assert not re.search(BARE, reply), (answer, reply)


@pytest.mark.parametrize(
    ("name", "rounded"),
    [
        ("losses.surprise", 0.41),
        ("losses.surprise", "0.408"),
        ("gallery.radial_unit", 0.641),
        ("gallery.radial_unit", 0.64),
        ("backpropagation.hidden_delta", [0.13, -0.32, -0.27]),
        ("backpropagation.chain", {"w1": -0.38, "b1": -0.188, "w2": -0.0625, "b2": -0.125}),
        ("descent.gradient_of_a_line", ("-38/3", "-5.33")),
        ("descent.gradient_of_a_line", {"w": Fraction(-38, 3), "b": Fraction(-16, 3)}),
        ("descent.one_step", Decimal("1.4")),
        ("descent.iterations", " 2,345 "),
    ],
)
def test_rounded_answers_are_right_at_their_own_precision(name, rounded):
    assert EXERCISES[name].check(rounded) == "Right."


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("digits.pixels", lambda pixels: pixels.reshape(len(pixels), -1) / pixels.max()),
        ("digits.gradient", lambda scores, targets: (softmax_of(scores) - targets) / 4),
        ("xor.count_solved", lambda predictions: 3),
        ("tables.outside", lambda numbers: abs(numbers - 50) > 15.5),
        ("losses.surprise", 0.42),
        ("digits.parameters", 102_000),
    ],
)
def test_what_only_coincides_is_refused(name, answer):
    assert not EXERCISES[name].check(answer).is_right


def softmax_of(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
