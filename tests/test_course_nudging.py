"""The exercises of notebook 01 take right answers, and say what is wrong with others."""

import re

import numpy as np
import pytest
from course import says
from exercises import nudging


class TestSlopeFromBothSides:
    def test_the_mean_of_both_sides_is_right(self):
        def slope(f, x, h):
            return ((f(x + h) - f(x)) / h + (f(x) - f(x - h)) / h) / 2

        assert nudging.slope_from_both_sides.check(slope)

    @pytest.mark.parametrize(
        ("slope", "why"),
        [
            (lambda f, x, h: (f(x + h) - f(x)) / h, "the left side is missing"),
            (lambda f, x, h: (f(x) - f(x - h)) / h, "the right side is missing"),
            (lambda f, x, h: (f(x + h) - f(x - h)) / h, "twice the slope"),
            (lambda f, x, h: f(x + h) - f(x - h), r"divide it by the run, 2 \* h"),
            (lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h), "the sign is turned"),
            (lambda f, x, h: f(x + h) - f(x - h) / (2 * h), "the difference needs brackets"),
            (lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h, r"2 \* h needs brackets"),
            (lambda f, x, h: None, "does it end with return"),
            (lambda f, x, h: 0.0, "it gives 0, and the rise over the run is"),
            (np.exp, "your function has to take 3 arguments"),
            (3.0, "a function is asked for"),
        ],
    )
    def test_wrong_answers(self, slope, why):
        assert says(nudging.slope_from_both_sides, slope, why)


class TestOneCentMore:
    @pytest.mark.parametrize("answer", [-0.4, -0.404])
    def test_with_and_without_the_bend(self, answer):
        assert nudging.one_cent_more.check(answer)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (0.4, "the size is right, the sign is not"),
            (-40, "a whole euro"),
            (40, "a whole euro"),
            (52.5, "what the stand earns at this price"),
            (0.6, "the answer at the price of 1.00"),
            (7, "by 7"),
            ("less", "one number is asked for"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(nudging.one_cent_more, answer, why)


class TestBestPrice:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (44.1, "asked is the price at which it does"),
            (1.75, "while a cup costs 0.50"),
            (1.5, "the slope is 36, not 0: a higher price earns more"),
            (2.5, "the slope is -44, not 0: a lower price earns more"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(nudging.best_price, answer, why)


class TestBox:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ({"side": 15, "height": 9}, "side: overwritten instead of added|side: .* path through"),
            ({"side": 30, "height": -9}, "height: .* sign"),
            ({"side": 30, "height": 3}, "height: "),
            ({"side": 30}, "a gradient is missing, for height"),
            ({"side": 30, "height": ...}, "a gradient is missing, for height"),
            ({"side": 30, "height": 9, "depth": 1}, "not asked for: depth"),
            (30, "the answer is a dict"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(nudging.box, answer, why)

    @pytest.mark.parametrize("side", [15, -30, 1, 777])
    def test_what_is_wrong_is_told_without_the_right_number(self, side):
        assert not re.search(r"\b30\b", nudging.box.check({"side": side, "height": 9}))


class TestSidesOfAKink:
    @pytest.mark.parametrize("answer", [(0, 2), [0.0, 2.0], (1e-12, 2.0)])
    def test_pairs(self, answer):
        assert nudging.sides_of_a_kink.check(answer)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ((2, 0), "left comes first"),
            ((-1, 1), r"what does \+ x add"),
            ((1, 1), "the two sides differ"),
            ((1, 2), "the slope on the left is another one"),
            ((0, 1), "the slope on the right is another one"),
            (1, "two numbers are asked for"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(nudging.sides_of_a_kink, answer, why)
