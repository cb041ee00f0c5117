"""The exercises of notebook 02 take right answers, and say what is wrong with others."""

import re

import pytest
from course import says
from exercises import chain_rule

RIGHT = {"q": -1.0, "p": -1.0, "x": -3.0, "y": -2.0, "z": 4.0}


class TestFiveNodes:
    @pytest.mark.parametrize(
        ("slip", "why"),
        [
            ({"z": 5.0}, "z: you took dL/dz through L only; the path through q adds -1"),
            ({"z": -1.0}, "z: .*the path through L"),
            ({"x": 3.0}, "x: .*sign"),
            ({"y": -1.0}, "y: the factor x is missing at node p"),
            ({"q": 1.0, "p": 1.0, "x": 3.0, "y": 2.0, "z": 6.0}, "q: "),
        ],
    )
    def test_wrong_answers(self, slip, why):
        assert says(chain_rule.five_nodes, RIGHT | slip, why)

    def test_one_is_missing(self):
        assert says(chain_rule.five_nodes, {"q": -1.0}, "missing, for p and x and y and z")

    @pytest.mark.parametrize("z", [5.0, -4.0, 777.0])
    def test_what_is_wrong_is_told_without_the_right_number(self, z):
        assert not re.search(r"\b4\b", chain_rule.five_nodes.check(RIGHT | {"z": z}).split("\n")[0])


class TestCube:
    @pytest.mark.parametrize("answer", [12, 12.0, 12.0000001])
    def test_right_answers(self, answer):
        assert chain_rule.cube.check(answer)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (4, "one of the three paths"),
            (8, "the cube itself"),
            (3, "each has its factor"),
            (1, "the paths have factors"),
            (-12, "a: .*sign"),
            (7.3, r"a: .*which mistake gives this is not known: you gave 7.3\.$"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(chain_rule.cube, answer, f"(?m){why}")


class TestValidOrder:
    @pytest.mark.parametrize("answer", ["L v u s x", "L, v, u, s, x", ("L", "v", "u", "s", "x")])
    def test_a_list_in_other_forms(self, answer):
        assert chain_rule.valid_order.check(answer)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (["x", "s", "u", "v", "L"], "an order for the forward pass"),
            (["L", "u", "v", "s", "x"], "u has its turn before v"),
            (["L", "v", "s", "u", "x"], "s has its turn before u"),
            (["s", "L", "v", "u", "x"], "s has its turn before u and v"),
            (["L", "v", "u", "s"], "x is missing"),
            (["L", "v", "v", "u", "s", "x"], "a node comes twice"),
            (["L", "w", "u", "s", "x"], "w is no node of this graph"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(chain_rule.valid_order, answer, why)


class TestThreeTimes:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ((81, -37), "81 is the slope of F four times"),
            ((81, -40), "81 is the slope of F four times"),
            ((9, -4), "once more"),
            ((9, -7), "do not add up, they multiply"),
            ((6, 0), r"6 is not 3 \* 3 \* 3"),
            ((27, -3), "the -1 of the inner F is multiplied"),
            ((27, 13), "wrong sign"),
            ((27, -1), r"F\(F\(F\(0\)\)\) is not -1"),
            (27, "two numbers are asked for"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(chain_rule.three_times, answer, why)


class TestDivisionRule:
    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            (lambda x, y, g: (1 / y, -g * x / y**2), "goes to x: g is missing"),
            (lambda x, y, g: (g * y, -g * x / y**2), "goes to x: it multiplies by y"),
            (lambda x, y, g: (-g / y, -g * x / y**2), "goes to x: the sign is turned"),
            (lambda x, y, g: (-g * x / y**2, g / y), "goes to x: x and y have changed places"),
            (lambda x, y, g: (g / y, -x / y**2), "goes to y: g is missing"),
            (lambda x, y, g: (g / y, g * x / y**2), "goes to y: the sign is turned"),
            (lambda x, y, g: (g / y, -g * x / y), "goes to y: y stands below in a square"),
            (lambda x, y, g: (g / y, -g / y**2), "goes to y: the factor x is missing"),
            (lambda x, y, g: (g / y, g / y), "goes to y: x and y have changed places"),
            (lambda x, y, g: (g / y, 100.0), "goes to y: 100 does not agree with nudging"),
            (lambda x, y, g: g / y, "it returns a pair"),
            (lambda x, y, g: None, "it returns nothing"),
            ("g / y", "a function is asked for"),
        ],
    )
    def test_wrong_answers(self, rule, why):
        assert says(chain_rule.division_rule, rule, why)
