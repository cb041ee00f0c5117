"""The precision of gradients worked out by hand: their last digits, and rounded earlier steps."""

from functools import partial

import numpy as np

from ..data import Data, Function, Operand, Result, shape_of
from ..explanation.formulas import Edge, contribution, local_derivative
from ..graph import Node
from ..primitives.shapes import unbroadcast
from .backward_pass import BY_HAND, BackwardPass

RELATIVE = 1e-5  # of the contributions: allows finite differences, but no mistakes
SINGLE = 1e-4  # the same with float32
FINITE_DIFFERENCES = 1e-9  # of the output: its rounding in a difference over a small step
MOST = 6  # digits of a number that counts as rounded; with more it counts as exact
FEWEST = 2  # digits, and decimal places, to which gradients count as rounded; 0.5 is 0.50
SPREAD = 1.75  # half units that are three standard deviations of a rounding error
PROBES = 64  # numbers of a node up to which each is followed through an operation


class Precision:
    """How far each gradient may be from the exact one if it is right.

    A gradient is as precise as its last digit. Steps that are not given may have been rounded,
    too: to as many significant digits, or decimal places, as the most precise gradient has. What
    this changes further down is computed like a standard deviation: contributions of one node's
    errors to another add up, independent errors add in squares.

    Args:    work: the gradients, which may follow from mistakes.
             given: the learner's, by node.
             rtol: relative tolerance; None: by the type of the data.
    """

    def __init__(self, work: BackwardPass, given: dict[Node, Data], rtol: float | None) -> None:
        self.work = work
        self.given = given
        data = [*given.values(), *[node._data for node in work.order]]
        single = any([getattr(x, "dtype", None) == np.float32 for x in data])
        self.rtol = rtol or (SINGLE if single else RELATIVE)
        self.output_size = float(np.sum(np.abs(work.output._data)))
        digits = {node: significant_digits(gradient) for node, gradient in given.items()}
        places = [decimal_places(gradient) for gradient in given.values()]
        self.digits = max(digits.values(), default=MOST + 1)  # of all, and of hidden steps
        self.places = max(places, default=MOST + 1)
        self.is_by_hand = self.digits <= MOST or self.places <= MOST
        self.written = {
            node: self.half_unit(gradient, digits[node]) for node, gradient in given.items()
        }
        self.sizes: dict[Node, Data] = {}

    def half_unit(self, gradient: Operand, digits: int) -> Result:
        """Return half a unit of the last of so many digits, or of the last decimal place."""
        size = np.abs(np.asarray(gradient, np.float64))
        unit = np.zeros(size.shape)
        with np.errstate(all="ignore"):
            if digits <= MOST:
                exponents = np.floor(np.log10(size)) - max(digits, FEWEST) + 1
                unit = np.where(size > 0, 0.5 * 10.0**exponents, 0.0)
            if 1 <= self.places <= MOST:  # a 0 has no digits of its own
                places = max(self.places, FEWEST)
                counts = (size == 0) | (self.places >= FEWEST)
                unit = np.where(counts, np.maximum(unit, 0.5 * 10.0**-places), unit)
        return unit

    def is_rounded(self, node: Node) -> bool:
        """Return whether a given gradient has few digits."""
        return bool(np.any(self.written[node]))

    def apart(
        self, node: Node, candidate: Operand, carried: Operand = 0.0, exactly: bool = False
    ) -> float:
        """Return the distance of a given gradient from another; at most 1: only rounding.

        Args:    carried: what rounded earlier steps may add; see `carried`.
                 exactly: whether all digits count that floats have.
        """
        given = self.given[node]
        if node not in self.sizes:
            self.sizes[node] = self.work.magnitude(node)
        fits = shape_of(given) == node.shape
        unit = 0.0 if exactly else self.written[node] + (carried if fits else 0.0)
        size = self.sizes[node] if fits else 0.0
        return distance(given, candidate, size, self.output_size, self.rtol, unit)

    def carried(self, node: Node) -> Result:
        """Return how far rounded earlier steps may carry the gradient of a node."""
        if not self.is_by_hand or len(self.work.order) > BY_HAND:
            return 0.0
        errors: dict[Node, Result] = {}
        for x in reversed(self.work.order):
            if x.index < node.index:
                break
            errors[x] = self._error(x, errors)
            if x is node:
                return SPREAD * errors[x]
            if x in self.given and shape_of(self.given[x]) == x.shape:
                errors[x] = self.written[x]
            elif np.any(errors[x]) or not self._is_short(self.work.now[x]):
                errors[x] = np.hypot(errors[x], self.half_unit(self.work.now[x], self.digits))
        return 0.0

    def _error(self, node: Node, errors: dict[Node, Result]) -> Result:
        """Return the error of a sum of contributions, before the sum itself is rounded."""
        total, own = np.zeros(node.shape), np.zeros(node.shape)
        edges = self.work.uses[node]
        for edge in edges:
            total = total + reach(edge, errors[edge.user])
            part, g, factor = self.work.contribution(edge), self.work.now[edge.user], None
            if len(edges) > 1 and not self._is_short(part):
                own = np.hypot(own, self.half_unit(part, self.digits))
            if np.any(np.abs(g) != 1):  # else the contribution is the local derivative
                factor = local_derivative(*edge)
            if factor is not None and not self._is_short(factor):
                of_factor = _shaped(g * self.half_unit(factor, self.digits), edge.node)
                own = np.hypot(own, of_factor)
        return np.hypot(total, own)

    def _is_short(self, gradient: Operand) -> bool:
        """Return whether no digits are lost if a gradient is rounded."""
        return significant_digits(gradient) <= max(self.digits, FEWEST) or (
            FEWEST <= self.places <= MOST and decimal_places(gradient) <= self.places
        )


def reach(edge: Edge, error: Operand) -> Result:
    """Return the error of a contribution, given that of the node's gradient.

    Example: >>> from autograd_core import Value
             >>> float(reach(Edge(Value(3.0) * -2.0, 0), 0.5))
             1.0
    """
    user, node = edge.user, edge.node
    if not np.any(error):
        return np.zeros(node.shape)
    factor = local_derivative(*edge)
    if factor is not None:
        return _shaped(factor * error, node)
    n = np.size(user._data)
    signs = np.random.default_rng(0).choice([-0.5, 0.5], (4, n))
    probes = np.eye(n) if n <= PROBES else signs
    error = np.broadcast_to(error, user.shape)
    moved = [contribution(*edge, np.reshape(p, user.shape) * error) for p in probes]
    return np.sqrt(sum([np.square(each) for each in moved]))


def _shaped(error: Operand, node: Node) -> Result:
    """Return independent errors, summed where the node was broadcast."""
    squares = np.square(error)
    if shape_of(squares) != node.shape:
        squares = unbroadcast(squares, node.shape)
    return np.sqrt(squares)


def distance(
    given: Data, exact: Data, magnitude: Data, output: float, rtol: float, unit: Operand = 0.0
) -> float:
    """Return the distance of two gradients, in units of the tolerance for rounding.

    Args:    given: a gradient worked out by hand.
             exact: the gradient to compare it with.
             magnitude: the sum of the absolute contributions, each of which may be rounded.
             output: the number that is differentiated.
             rtol: relative tolerance, of the magnitude.
             unit: absolute tolerance, of each number.
    Returns: at most 1 if the two are equal but for rounding; inf if one is not finite or their
             shapes differ.
    Example: >>> distance(2.0, 2.00001, 2.0, 1.0, 1e-5) < 1 < distance(2.0, 2.0001, 2.0, 1.0, 1e-5)
             True
    """
    if shape_of(given) != shape_of(exact):
        return np.inf
    h, e = np.asarray(given, np.float64), np.asarray(exact, np.float64)
    if not h.size:
        return 0.0
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(magnitude), np.maximum(np.abs(h), np.abs(e)))
        tolerance = rtol * scale + FINITE_DIFFERENCES * abs(output) + unit
        if rtol >= SINGLE:  # sums of float32 lose digits when their terms cancel
            tolerance = tolerance + 0.1 * rtol * scale.max()
        tolerance = tolerance + 1e-13 * scale.max() + np.finfo(np.float64).tiny
        apart = np.where(h == e, 0.0, np.abs(h - e) / tolerance)
    return float(apart.max()) if not np.isnan(apart).any() else np.inf


def significant_digits(gradient: Data) -> int:
    """Return the number of significant digits of the longest number; 7 if there are more than 6.

    Example: >>> significant_digits(0.035), significant_digits(np.array([1.0, 0.333]))
             (2, 3)
             >>> significant_digits(1 / 3)
             7
    """
    x = np.asarray(gradient, np.float64).ravel()
    x = x[(x != 0) & np.isfinite(x)]
    exponents = np.floor(np.log10(np.abs(x)))
    return _fewest(partial(_rounded, x, exponents), x)


def _rounded(x: Operand, exponents: Operand, digits: int) -> Result:
    scale = 10.0 ** (digits - 1 - exponents)
    return np.round(x * scale) / scale


def decimal_places(gradient: Data) -> int:
    """Return the number of decimal places of the longest number; 7 if there are more than 6.

    Example: >>> decimal_places(0.035), decimal_places(np.array([1.0, 0.25])), decimal_places(1 / 3)
             (3, 2, 7)
    """
    x = np.asarray(gradient, np.float64).ravel()
    return _fewest(partial(np.round, x), x, 0)


def _fewest(rounded: Function, x: Operand, start: int = 1) -> int:
    """Return how many digits change nothing."""
    with np.errstate(all="ignore"):
        for digits in range(start, MOST + 1):
            if np.allclose(rounded(digits), x, rtol=1e-12, atol=0.0):
                return digits
    return MOST + 1
