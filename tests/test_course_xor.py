"""The exercises of notebook 8: right answers pass, typical wrong ones are told what is wrong."""

import numpy as np
import pytest
from exercises import xor

NAMES = ["by_hand", "single_neuron", "equal_units", "dead_unit", "count_solved", "parameters"]


def _neurons(first, second, output):
    return {"first": first, "second": second, "output": output}


class TestByHand:
    @pytest.mark.parametrize(
        "neurons",
        [
            ((1, 1, -1), (1, 1, -2), (1, -1, -1)),
            ((1, -1, -1), (-1, 1, -1), (1, 1, -1)),
            ((1, 1, -0.5), (-1, -1, 1.5), (2, 2, -3)),
        ],
    )
    def test_right(self, neurons):
        assert xor.by_hand.check(_neurons(*neurons)).is_right

    @pytest.mark.parametrize(
        ("neurons", "words"),
        [
            (((1, 1, -1), (1, 1, -2), (-1, 1, 0)), "opposite of XOR"),
            (((1, 1, -1), (1, 1, -1), (1, -1, -1)), "two equal ones are one"),
            (((1, 1, -1), (1, 1, -2), (1, 1, -1)), "row [1, 1] gives 1, and should give 0"),
            (((1, 1, -1), (1, 1), (1, 1, -1)), "second has to be three numbers"),
        ],
    )
    def test_wrong(self, neurons, words):
        reply = xor.by_hand.check(_neurons(*neurons))
        assert not reply.is_right
        assert words in reply

    def test_names(self):
        assert "asked for by name" in xor.by_hand.check([(1, 1, -1)])


@pytest.mark.parametrize(
    ("name", "right", "slips"),
    [
        ("single_neuron", 14, {16: "XOR included", 15: "opposite", 2: "cannot", 12: "never fires"}),
        ("parameters", 13, {9: "weights alone", 12: "output has a bias", 10: "hidden units have"}),
    ],
)
def test_numbers(name, right, slips):
    exercise = getattr(xor, name)
    assert exercise.check(right).is_right
    for wrong, words in slips.items():
        reply = exercise.check(wrong)
        assert not reply.is_right
        assert words in reply
    assert "too many" in exercise.check(1000)
    assert "too few" in exercise.check(-3)
    assert "one number is asked for" in exercise.check("some")
    assert str(right) in exercise.solution()


class TestEqualUnits:
    right = {"w1": 4.5, "w2": 4.5, "v1": 3.0, "v2": 3.0}

    def test_right(self):
        assert xor.equal_units.check(self.right).is_right

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"w1": -4.5}, "sign"),
            ({"w1": 2.25}, "factor 2 is missing"),
            ({"v1": -3.0}, "sign"),
        ],
    )
    def test_wrong(self, wrong, words):
        reply = xor.equal_units.check(self.right | wrong)
        assert not reply.is_right
        assert f"{next(iter(wrong))}: " in reply
        assert words in reply

    def test_names(self):
        assert "missing, for w2 and v1 and v2" in xor.equal_units.check({"w1": 4.5})


def test_dead_unit():
    assert xor.dead_unit.check((1.0, 1.0, -2.0)).is_right
    assert xor.dead_unit.check([0.5, 0.25, -3]).is_right
    assert "row [1, 1] gives z = 1" in xor.dead_unit.check((1, 1, -1))
    assert "The sum is largest" in xor.dead_unit.check((1, 1, -1))
    assert "above 0: there a gradient passes" in xor.dead_unit.check((1, 1, 5))
    assert "both weights have to be above 0" in xor.dead_unit.check((-1, -1, 0))
    assert "three numbers" in xor.dead_unit.check(-2)


RIGHT = np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda p: int(((p > 0.5) == RIGHT).sum()), "it counts rows"),
        (lambda p: int(((p > 0.5) == RIGHT).any(axis=1).sum()), "one row that is right"),
        (lambda p: ((p > 0.5) == RIGHT).all(axis=1).mean(), "the share"),
        (lambda p: int((np.abs(p - RIGHT) < 0.3).all(axis=1).sum()), "more than the right side"),
        (lambda p: 77, "should give 3"),
        (lambda p: p > 0.5, "one number is asked for"),
        (lambda p: True, "one number is asked for"),
    ],
)
def test_wrong_counts(wrong, words):
    reply = xor.count_solved.check(wrong)
    assert not reply.is_right
    assert words in reply


def test_count_solved():
    names = {"np": np}
    exec(xor.count_solved.solution(), names)
    assert xor.count_solved.check(names["count_solved"]).is_right
    assert "a function is asked for" in xor.count_solved.check(3)


@pytest.mark.parametrize("name", ["by_hand", "equal_units", "dead_unit"])
def test_solutions_that_are_code_pass(name):
    exercise = getattr(xor, name)
    assert exercise.check(eval(exercise.solution())).is_right


@pytest.mark.parametrize("name", NAMES)
def test_dots_and_hints(name):
    exercise = getattr(xor, name)
    assert "Your turn" in exercise.check(...)
    assert exercise.hint() in exercise.check(None)
