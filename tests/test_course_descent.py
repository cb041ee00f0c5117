"""The exercises of notebook 7: right answers pass, typical wrong ones are told what is wrong."""

import pytest
from exercises import descent

NUMBERS = {
    "one_step": (1.4, {0.6: "away from", 5.0: "whole slope", 1.2: "factor 2", 0.4: "is the step"}),
    "largest_rate": (0.25, {0.125: "twice that rate", 0.5: "second derivative", 8: "curvature"}),
    "iterations": (2345, {469: "one epoch", 2340: "round up", 2343.75: "part of a step"}),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    exercise, (right, slips) = getattr(descent, name), NUMBERS[name]
    assert exercise.check(right).is_right
    for wrong, words in slips.items():
        reply = exercise.check(wrong)
        assert not reply.is_right
        assert words in reply
    assert "too large" in exercise.check(right + 123456)
    assert "too small" in exercise.check(right - 123456)
    assert "one number is asked for" in exercise.check("a lot")
    assert f"{right:,}" in exercise.solution()


def test_gradient_of_a_line():
    exercise = descent.gradient_of_a_line
    assert exercise.check({"w": -38 / 3, "b": -16 / 3}).is_right
    assert exercise.check({"w": -12.67, "b": -5.33}).is_right
    assert "sign" in exercise.check({"w": 38 / 3, "b": -16 / 3})
    assert "mean" in exercise.check({"w": -38.0, "b": -16.0})
    assert "w: the gradient dL/dL stands where dL/dw" in exercise.check({"w": 1.0, "b": -16 / 3})
    assert exercise.check((-12.67, -5.33)).is_right
    assert "dict" in exercise.check(-12.67)
    assert "missing, for b" in exercise.check({"w": -38 / 3})
    assert "Your turn" in exercise.check({"w": ..., "b": ...})
    assert "-38/3" in exercise.solution()


WRONG_STEPS = [
    (lambda w, v, g, rate, mu: (w + v, mu * v - rate * g), "old velocity"),
    (lambda w, v, g, rate, mu: (w - rate * g, mu * v - rate * g), "does not move by it"),
    (lambda w, v, g, rate, mu: (w - (mu * v - rate * g), mu * v - rate * g), "downhill already"),
    (lambda w, v, g, rate, mu: (w + mu * v + rate * g, mu * v + rate * g), "uphill"),
    (lambda w, v, g, rate, mu: (w + rate * (mu * v - g), mu * v - g), "gradient alone"),
    (lambda w, v, g, rate, mu: (w + rate * (mu * v - rate * g), mu * v - rate * g), "already"),
    (lambda w, v, g, rate, mu: (w + v - rate * g, v - rate * g), "momentum times"),
    (
        lambda w, v, g, rate, mu: (w + mu * (mu * v - rate * g) - rate * g, mu * v - rate * g),
        "Nesterov",
    ),
    (lambda w, v, g, rate, mu: (mu * v - rate * g, w + mu * v - rate * g), "wrong order"),
    (lambda w, v, g, rate, mu: (w, v), "and should"),
    (lambda w, v, g, rate, mu: w + mu * v - rate * g, "return w, velocity"),
]


@pytest.mark.parametrize(("step", "words"), WRONG_STEPS)
def test_wrong_steps_of_momentum(step, words):
    def named(w, velocity, gradient, learning_rate, momentum):
        return step(w, velocity, gradient, learning_rate, momentum)

    reply = descent.momentum_step.check(named)
    assert not reply.is_right
    assert words in reply


def test_momentum_step():
    names = {}
    exec(descent.momentum_step.solution(), names)
    assert descent.momentum_step.check(names["momentum_step"]).is_right
    assert "a function is asked for" in descent.momentum_step.check(3)
    assert "has to take 5 arguments" in descent.momentum_step.check(lambda: 1)


def test_first_step_of_adam():
    exercise = descent.first_step_of_adam
    assert exercise.check((-0.1, 0.1)).is_right
    assert "plain descent" in exercise.check((-10.0, 0.001))
    assert "uphill" in exercise.check((0.1, -0.1))
    assert "second gradient is negative" in exercise.check([-0.1, -0.1])
    assert "learning rate, 0.1" in exercise.check((-1, 1))
    assert "g / |g|" in exercise.check((5, 5))
    assert "two numbers are asked for" in exercise.check(0.1)
    assert "-0.1 for the first" in exercise.solution()


@pytest.mark.parametrize(
    "name", [*NUMBERS, "gradient_of_a_line", "momentum_step", "first_step_of_adam"]
)
def test_dots_and_hints(name):
    exercise = getattr(descent, name)
    assert "Your turn" in exercise.check(...)
    assert exercise.hint() in exercise.check(None)
