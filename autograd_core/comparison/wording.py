"""Sentences about mistakes in gradients, with the learner's numbers."""

import math

import numpy as np

from ..data import Data, Operand, Result, shape_of, shorten
from ..explanation.formulas import (
    Edge,
    contribution,
    derivative_formula,
    expression,
    is_elementwise,
    operand,
)
from ..explanation.names import name_of_use, names_of
from ..explanation.notation import Notation, in_words, short
from ..explanation.terms import ONE, substitute
from ..graph import Node
from ..messages import listed
from ..primitives.shapes import summed_axes
from ..rules import pull
from .backward_pass import BackwardPass
from .mistakes import Mistake, Verdict
from .slips import OUT, X, Y

FEW = 4  # elements of an array that are shown
STEPS = 12  # terms of gradients that are shown
OTHERS = 2  # further explanations that are shown
FORMULAS = {Verdict.POWER, Verdict.DERIVATIVE, Verdict.FACTOR_TWICE}
LOST = {Verdict.MISSING, Verdict.OVERWRITTEN}
# Mistakes in a local derivative, whose sentences name the node
LOCAL = {
    Verdict.FACTOR_MISSING,
    Verdict.FACTOR_TWICE,
    Verdict.POWER,
    Verdict.MEAN_SUM,
    Verdict.DERIVATIVE,
    Verdict.OPERAND,
    Verdict.UPDATED,
    Verdict.DIAGONAL,
    Verdict.OUTPUT_FOR_DERIVATIVE,
    Verdict.INPUT_FOR_DERIVATIVE,
    Verdict.INPUT_FOR_OUTPUT,
    Verdict.OUTPUT_FOR_INPUT,
}
FACTORS = {Verdict.FACTOR_MISSING, Verdict.FACTOR_TWICE}
WITHOUT_FACTOR = ": with G = {incoming} it adds {formula}"
INSTEAD = "{written} was used instead of the derivative {rule} at node {step}"
OF_A_GRADIENT = {
    Verdict.SIGN: "{gradient} is off by a sign",
    Verdict.DOUBLED: "{gradient} is counted twice, as by a second backward() onto gradients that "
    "were not zeroed",
    Verdict.TRANSPOSE: "{gradient} is transposed: write .T",
    Verdict.COPIED_GRADIENT: "the gradient {other_gradient} stands where {gradient} should be",
    Verdict.COPIED_VALUE: "the value of {other} stands where {gradient} should be",
}
OF_A_STEP = {
    Verdict.SIGN: "the path through {path} has the wrong sign; it adds {adds}",
    Verdict.DOUBLED: "the path through {path} is counted twice; it adds {adds}",
    Verdict.FACTOR_MISSING: "the factor {formula} is missing at node {step}",
    Verdict.FACTOR_TWICE: "the factor {formula} is applied twice at node {step}",
    Verdict.POWER: "the factor {factor} of {formula} is missing at node {step}",
    Verdict.OUTPUT_FOR_DERIVATIVE: INSTEAD,
    Verdict.INPUT_FOR_DERIVATIVE: INSTEAD,
    Verdict.INPUT_FOR_OUTPUT: INSTEAD,
    Verdict.OUTPUT_FOR_INPUT: INSTEAD,
    Verdict.DERIVATIVE: "{what}: {written} was used instead of the derivative {formula} "
    "at node {step}",
    Verdict.TRANSPOSE: "a transpose is missing, or one too many, at node {step}: "
    "with G = {incoming} it adds {rule}",
    Verdict.BROADCAST: "the broadcast at node {step} is not summed back over {axes}: write {call}",
    Verdict.OPERAND: "the wrong operand: {other} was used instead of {wanted} at node {step}",
    Verdict.AXIS: "the broadcast at node {step} is summed over the wrong axis, 1 instead of 0: "
    "write .sum(axis=0)",
    Verdict.DIAGONAL: "only the diagonal of the derivative was used, each element by its own "
    "input: with G = {incoming} node {step} adds {rule}",
    Verdict.TARGET: "the target is forgotten in {gradient}: the difference of prediction and "
    "target (one-hot y in p - y) belongs there, not the prediction alone; see node {step}",
    Verdict.UPDATED: "the updated weight was used, {other} less its step, instead of {other} "
    "at node {step}",
}


class Wording:
    """Sentences about the gradients of one graph.

    Args:    work: the graph, its right gradients and the learner's.
    """

    def __init__(self, work: BackwardPass) -> None:
        self.work = work
        self.names = names_of(work.order)

    def derivative(self, node: Node) -> str:
        """Return the name of a gradient: "dL/da"."""
        return Notation().derivative(self.names[self.work.output], self.names[node])

    def made(self, node: Node) -> str:
        """Return a computed node with its expression: "t = a * b"."""
        return f"{self.names[node]} = {shorten(expression(node, self.names))}"

    def right(self, node: Node, given: Data) -> str:
        """Return that a gradient is right; if it was rounded, with more digits."""
        if shape_of(given) or math.isclose(given, self.work.right[node], rel_tol=1e-12):
            return f"{self.derivative(node)} is right"
        return f"{self.derivative(node)} is right but for rounding: {number(self.work.right[node])}"

    def follows(self, node: Node, causes: list[Node]) -> str:
        """Return that a gradient is wrong only because of mistakes further up."""
        above = listed([self.derivative(cause) for cause in causes])
        return f"{self.derivative(node)} follows from the mistake in {above}; this step is right"

    def unexplained(self, node: Node, given: Data) -> str:
        """Return how far off a gradient is whose mistake is not known."""
        right = self.work.now[node]
        text = (
            f"{self.derivative(node)} is off by more than rounding; which mistake gives this "
            f"is not known: you gave {number(given)}, it is {number(self.work.right[node])}"
        )
        h, exact = np.asarray(given, np.float64), np.asarray(right, np.float64)
        with np.errstate(all="ignore"):
            error = np.abs(h - exact)
            ratio = h[exact != 0] / exact[exact != 0]
        if h.ndim:
            element = tuple(int(k) for k in np.unravel_index(np.argmax(error), h.shape))
            text += (
                f"; the largest difference is in element {element}, {short(float(h[element]))} "
                f"instead of {short(float(exact[element]))}"
            )
        same = ratio.size and np.ptp(ratio) <= 1e-6 * np.abs(ratio).max()
        times = float(ratio.flat[0]) if same else 0.0
        if 0.01 < abs(times) < 1000 and abs(times - 1) > 0.01:  # else a coincidence
            text += f"; it is {short(times)} times what it should be"
        return text

    def steps(self, node: Node) -> tuple[str, ...]:
        """Return the terms of a gradient, from the last gradients above it that were given."""
        lines = []
        for x in sorted(self.work.above(node), key=lambda n: -n.index):
            for edge in self.work.uses[x]:
                rule = shorten(derivative_formula(*edge, self.names))
                times = f"* {rule}" if is_elementwise(*edge) else f"= G: {rule}"
                g = number(self.work.now[edge.user])
                lines.append(
                    f"{self.derivative(x)} through {self.names[edge.user]}: "
                    f"{self.derivative(edge.user)} {times}; "
                    f"with {g} it adds {number(self.work.contribution(edge))}"
                )
        return tuple(lines[:STEPS] + ["..."] * (len(lines) > STEPS))

    def wrong_shape(self, node: Node, given: Data) -> str:
        """Return in which axes the shape of a gradient is wrong."""
        m, n = shape_of(given), node.shape
        if len(m) != len(n):
            axes = f"{len(m)} axes instead of {len(n)}"
        else:
            pairs = enumerate(zip(m, n, strict=True))
            axes = listed([f"{i} instead of {j} in axis {k}" for k, (i, j) in pairs if i != j])
        return (
            f"{self.derivative(node)} has shape {n}, one number for each of its value; "
            f"you gave shape {m}: {axes}"
        )

    def undefined(self, node: Node) -> str:
        """Return that there is no right gradient to compare with."""
        right = np.ravel(self.work.right[node])
        kind = "nan" if np.isnan(right).any() else "inf"
        return f"{self.derivative(node)} is itself {kind}; diagnose(output) finds where that begins"

    def explanation(self, mistake: Mistake, node: Node, given: Data, others: list[Mistake]) -> str:
        """Return which mistake was made, where, and the right gradient."""
        text = self._place(mistake, node)
        also = [self._place(each, node) for each in others if _is_another(each, mistake)]
        also = list(dict.fromkeys(also))[:OTHERS]
        if also:
            text += f"; other explanations are possible: {', or '.join(also)}"
        if shape_of(given) != node.shape:
            return f"{text}; you gave shape {shape_of(given)}, it has shape {node.shape}"
        return f"{text}; you gave {number(given)}, it is {number(self.work.right[node])}"

    def _place(self, mistake: Mistake, node: Node) -> str:
        """Return which mistake was made, and where."""
        if mistake.everywhere:
            text = "each contribution overwrites the one before it, at every value used repeatedly"
            if len(self.work.uses[node]) > 1:
                text = f"{self._overwritten(mistake)}; so it is at every value used repeatedly"
        else:
            text = self._sentence(mistake)
        if mistake.node is not node and mistake.verdict not in LOCAL:
            place = self.derivative(mistake.node)
            text = f"further up{'' if place in text else f', in {place}'}: {text}"
        return text

    def _sentence(self, mistake: Mistake) -> str:
        if mistake.verdict is Verdict.MISSING:
            return self._missing(mistake)
        if mistake.verdict is Verdict.OVERWRITTEN:
            return self._overwritten(mistake)
        node, edges, names = mistake.node, mistake.edges, self.names
        other = node if mistake.other is None else mistake.other
        fields = {
            "gradient": self.derivative(node),
            "other": names[other],
            "other_gradient": self.derivative(other),
            "what": mistake.what,
        }
        if mistake.verdict is Verdict.MEAN_SUM:
            return self._mean(mistake)
        if not edges:
            return OF_A_GRADIENT[mistake.verdict].format(**fields)
        user, i = edges[0]
        rule = derivative_formula(user, i, names)
        fields |= {
            "step": self.made(user),
            "incoming": self.derivative(user),
            "rule": rule,
            "formula": shorten(rule),
            "factor": short(mistake.factor or 1.0),
            "path": self.path(edges),
            "adds": self.adds(edges),
            "written": self._written(mistake),
        }
        sentence = OF_A_STEP[mistake.verdict]
        if mistake.verdict in FACTORS and not is_elementwise(user, i):
            sentence = sentence.replace("factor {formula}", "local derivative") + WITHOUT_FACTOR
        elif mistake.verdict is Verdict.OPERAND:
            if mistake.other is None:
                fields["other"] = f"its own operand {in_words(operand(user.inputs[i], names))}"
            else:
                fields["other"] += ", another value,"
            fields["wanted"] = in_words(operand(user.inputs[1 - i], names))
        elif mistake.verdict is Verdict.BROADCAST:
            fields |= self._axes(edges[0])
        return sentence.format(**fields)

    def _written(self, mistake: Mistake) -> str:
        """Return the formula that was used instead of a derivative."""
        user = mistake.edges[0].user
        operands, out = [operand(x, self.names) for x in user.inputs], operand(user, self.names)
        values = dict(zip((X, Y), operands, strict=False)) | {OUT: out}
        term = substitute(mistake.written or ONE, values)
        return shorten(in_words(term))

    def _axes(self, edge: Edge) -> dict[str, str]:
        """Return the axes over which a contribution is to be summed, and how to write that."""
        raw = shape_of(self._raw(edge))
        axes = tuple(summed_axes(raw, edge.node.shape))
        axis = str(axes[0] if len(axes) == 1 else axes)
        option = ", keepdims=True" if len(raw) == len(edge.node.shape) else ""
        call = f".sum(axis={axis}{option})" if edge.node.shape else ".sum()"
        return {"axes": f"{'axis' if len(axes) == 1 else 'axes'} {axis}", "call": call}

    def _missing(self, mistake: Mistake) -> str:
        node, edges, uses = mistake.node, mistake.edges, self.work.uses[mistake.node]
        missing = f"the path through {self.path(edges)}"
        if edges[-1].node is not node:
            return f"{missing} is missing; it adds {self.adds(edges)}"
        left = tuple([edge for edge in uses if not any([edge is each for each in edges])])
        users = list(dict.fromkeys(edge.user for edge in edges))
        if len(users) > 1:
            ways = [tuple([edge for edge in edges if edge.user is user]) for user in users]
            adds = listed([f"{self.adds(way)} through {self.path(way)}" for way in ways])
            missing = f"there is also {adds}"
        else:
            missing += f" adds {self.adds(edges)}"
        if not left:
            return f"{self.derivative(node)} is not 0: {missing}"
        if len({edge.user for edge in left}) > 1:
            return f"a path is missing: {missing}"
        text = f"you took {self.derivative(node)} through {self.path(left)} only; {missing}"
        if len(left) == 1 and left[0] is uses[-1]:
            text += " (= instead of += does this)"
        return text

    def _overwritten(self, mistake: Mistake) -> str:
        left = mistake.edges[0]
        lost = [edge for edge in self.work.uses[mistake.node] if edge is not left]
        adds = listed(
            [f"{self.adds((edge,))} through {name_of_use(*edge, self.names)}" for edge in lost]
        )
        return (
            f"overwritten instead of added: of {self.derivative(mistake.node)} only the last "
            f"contribution, through {name_of_use(*left, self.names)}, is left; there is also {adds}"
        )

    def _mean(self, mistake: Mistake) -> str:
        factor = mistake.factor or 1.0
        if mistake.edges:
            user = mistake.edges[0].user
            raw = shape_of(self._raw(mistake.edges[0]))
            if raw != mistake.node.shape and factor < 1:
                return (
                    f"the broadcast at node {self.made(user)} is averaged instead of summed: "
                    f"mean and sum, a factor of {short(1 / factor)}"
                )
            where = self.made(user)
        else:
            where = self.made(mistake.node)
        if factor > 1:
            what = f"the factor 1/{short(factor)} is missing"
        else:
            what = f"there is no factor 1/{short(1 / factor)}"
        return f"mean and sum are confused: {what} at node {where}"

    def _raw(self, edge: Edge) -> Result:
        return pull(*edge, self.work.now[edge.user])

    def path(self, edges: tuple[Edge, ...]) -> str:
        """Return the users of a node in some of its uses; or the nodes of a path, upward."""
        if edges[-1].node is edges[0].node:
            users = list(dict.fromkeys(edge.user for edge in edges))
            if len(users) < len(edges):
                return listed([self.names[user] for user in users])
        return listed([name_of_use(*edge, self.names) for edge in edges], limit=6)

    def adds(self, edges: tuple[Edge, ...]) -> str:
        """Return the contribution of some uses of a node, or of a path, to its gradient."""
        node = edges[0].node
        if edges[-1].node is node:
            return number(sum([self.work.contribution(edge) for edge in edges]))
        g = self.work.now[edges[-1].user]
        for edge in reversed(edges):
            g = contribution(*edge, g)
        return number(g)


def _is_another(mistake: Mistake, best: Mistake) -> bool:
    """Return whether a mistake with the same effect is another one, and not less likely."""
    if {mistake.verdict, best.verdict} <= LOST:
        return False
    pairs = zip(mistake.edges, best.edges, strict=False)
    is_same_step = bool(best.edges) and all([a is b for a, b in pairs])
    if {mistake.verdict, best.verdict} <= FORMULAS:
        return is_same_step and mistake.written != best.written
    return mistake.verdict is not best.verdict and mistake.cost <= best.cost


def number(data: Operand) -> str:
    """Return a gradient as text: its numbers, or the shape and norm of many of them.

    Example: >>> number(-6.0), number(np.array([1.0, 2.5])), number(np.ones((3, 4)))
             ('-6', '[1, 2.5]', 'shape (3, 4), norm 3.4641')
    """
    if not shape_of(data):
        return short(float(data))
    if np.ndim(data) == 1 and np.size(data) <= FEW:
        return "[" + ", ".join(short(float(x)) for x in data) + "]"
    return f"shape {shape_of(data)}, norm {short(float(np.linalg.norm(np.ravel(data))))}"
