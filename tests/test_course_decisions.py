"""The exercises of notebook 03 take right answers, and say what is wrong with others."""

import pytest
from course import says
from exercises import decisions

AND, OR, NEITHER = ([1, 1], -2), ([1, 1], -1), ([-1, -1], 0)


class TestOnlyTheFirst:
    @pytest.mark.parametrize("answer", [([1, -1], -1), ([2, -3], -0.5), [[10, -10], -10]])
    def test_every_neuron_that_does_it(self, answer):
        assert decisions.only_the_first.check(answer)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (([1, -1], 1), "minus the threshold"),
            (([-1, 1], -1), "the weights have changed places"),
            (([1, -1], 0), r"for the inputs \(0, 0\) z is 0, and the neuron fires, since z = 0"),
            (([1, 1], -1), r"for the inputs \(0, 1\) z is 0, and the neuron fires"),
            (([1, 0], -1), r"for the inputs \(1, 1\) z is 0, and the neuron fires"),
            (([1, -1], -2), r"for the inputs \(1, 0\) z is -1, and the neuron stays silent\.$"),
            (([1, -1, 0], -1), "a neuron is written"),
            ((1, -1), "a neuron is written"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(decisions.only_the_first, answer, f"(?m){why}")


class TestThreeOfFive:
    @pytest.mark.parametrize("answer", [-3, -2.5, -3.0])
    def test_every_bias_that_does_it(self, answer):
        assert decisions.three_of_five.check(answer)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (3, "the bias is minus the threshold"),
            (-2, "2 of five are enough"),
            (-5, "5 of five are enough"),
            (-6, "stays silent even if all five"),
            (0, "0 of five are enough"),
            ("many", "one number is asked for"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(decisions.three_of_five, answer, why)


class TestOneUpdate:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ((0.5, -1, 2), "nothing has changed"),
            ((0.5, 0, 1), "the bias moves, too"),
            ((-0.5, -2, 3), "it went the wrong way"),
            ((2.5, 1, 0), "twice as long"),
            ((1.5, 0, 3), "d times its own input"),
            ((0, 1, 1.5), "the bias comes first"),
            ((1.5, 7, 1), r"not right: w1\.$"),
            ((9, 9, 9), r"not right: b, w1, w2\.$"),
            ((0, 1), "three numbers"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(decisions.one_update, answer, f"(?m){why}")


def learning(step):
    """Return a rule that makes the step (weights, bias, x, d)."""

    def learn(weights, bias, x, target):
        output = 1 if weights[0] * x[0] + weights[1] * x[1] + bias >= 0 else 0
        return step(weights, bias, x, target - output)

    return learn


def without_edge(weights, bias, x, target):
    d = target - (1 if weights[0] * x[0] + weights[1] * x[1] + bias > 0 else 0)
    return [weights[0] + d * x[0], weights[1] + d * x[1]], bias + d


class TestRule:
    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            (
                learning(lambda w, b, x, d: (w, b)),
                "the output was wrong.*, and nothing has changed",
            ),
            (
                learning(lambda w, b, x, d: ([w[0] - d * x[0], w[1] - d * x[1]], b - d)),
                "it went the wrong way",
            ),
            (
                learning(lambda w, b, x, d: ([w[0] + d * x[0], w[1] + d * x[1]], b)),
                "the bias moves, too",
            ),
            (
                learning(lambda w, b, x, d: ([w[0] + d, w[1] + d], b + d)),
                "each weight moves by d times its own input",
            ),
            (
                learning(lambda w, b, x, d: ([9, 9], 9) if d else (w, b)),
                r"it gives \[9.0, 9.0\] and 9",
            ),
            (
                learning(lambda w, b, x, d: ([*w, 1], b)),
                "a pair: .weights, bias., with two weights",
            ),
            (lambda w, b, x, target: ([w[0] + x[0], w[1] + x[1]], b + 1), "then nothing changes"),
            (without_edge, r"\(z = 0 fires\)"),
            (lambda w, b, x, target: None, "does it end with return"),
            (lambda w, b, x, target: (*w, b), "it returns a pair"),
            ([1, 2], "a function is asked for"),
        ],
    )
    def test_wrong_answers(self, rule, why):
        assert says(decisions.rule, rule, why)

    def test_a_rule_that_changes_the_list_it_was_given(self):
        def learn(weights, bias, x, target):
            d = target - (weights[0] * x[0] + weights[1] * x[1] + bias >= 0)
            for i in range(2):
                weights[i] += d * x[i]
            return weights, bias + d

        assert decisions.rule.check(learn)


class TestBothOrNeither:
    @pytest.mark.parametrize(
        "answer",
        [(AND, NEITHER, OR), (NEITHER, AND, OR), (OR, AND, ([-1, 1], 0)), [AND, OR, ([1, -1], 0)]],
    )
    def test_every_network_that_does_it(self, answer):
        assert decisions.both_or_neither.check(answer)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ((OR, AND, ([1, -1], -1)), "this is XOR, the opposite"),
            ((AND, AND, OR), r"\(0, 0\) for \(0, 0\) and for \(0, 1\), which need different"),
            ((OR, OR, OR), "no output neuron can tell them apart"),
            (
                (AND, NEITHER, AND),
                r"for \(0, 0\) the hidden neurons say \(0, 1\), and the output 0",
            ),
            ((AND, NEITHER), "three neurons"),
            ((AND, NEITHER, 1), "a neuron is written"),
        ],
    )
    def test_wrong_answers(self, answer, why):
        assert says(decisions.both_or_neither, answer, why)
