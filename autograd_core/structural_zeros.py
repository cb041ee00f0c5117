"""Zero times infinity: a second sweep, in which elements that a choice has left out count as 0.

In floating point 0 * inf is NaN. In the chain rule it is 0 where the 0 is there by structure: where
`where`, an index, a maximum or a factor that is the constant 0 has left an element out, the result
does not depend on it, whatever the derivatives behind it are. Elsewhere it is NaN: the derivative
of sqrt(x)^2 at 0 is not 0.

A sweep multiplies first. Only where it gives NaN, which is rare, it is carried out once more, and
each cotangent is accompanied by a mask: 1 for elements that take part, 0 for those left out. A mask
is passed on by the rules themselves, which for what is linear, and for what chooses, find which
elements receive anything; the facts of a primitive say which it is. Where a sweep is recorded, so
are its masks: replays leave out what their own data leave out.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from . import watching
from .data import Operand, Result, shape_of
from .graph import Node, Primitive, plain
from .primitives.elementwise import sign, where
from .primitives.shapes import spread
from .rules import applied, fit

Mask: TypeAlias = Operand  # 1.0 and 0.0: a float, or an array


def careful_sweep(
    order: list[Node], cotangent: Operand, within: set[Node] | None, live: bool, mask: Mask = None
) -> tuple[dict[Node, Result], dict[Node, Mask]]:
    """Return the cotangent of every node, 0 for elements that were left out, and its mask.

    Args:    order, cotangent, within: as for `sweep`.
             live: rules see nodes, so that the cotangents can be differentiated.
             mask: that of the cotangent; None: its zeros are elements that the caller leaves out.
    """
    output = order[-1]
    if mask is None:
        mask = 1.0 if isinstance(cotangent, Node) else _is_not_zero(cotangent)
    cotangents = {output: cotangent}
    masks = {output: _of_shape(mask, output)}
    presence = Presence()
    for node in reversed(order):
        if node.primitive is None or node not in cotangents:
            continue
        step = _Step(node, cotangents[node], masks[node], presence, live)
        shares = step.shares()
        for i, x in enumerate(node.inputs):
            if not isinstance(x, Node) or (within is not None and x not in within):
                continue
            if node.primitive.rule(i) is None:
                continue
            d, taking_part = step.pulled(i, x) if shares is None else step.cut(*shares[i], i, x)
            before = cotangents.get(x)
            cotangents[x] = d if before is None else before + d
            masks[x] = np.maximum(taking_part, masks.get(x, 0.0))
    return cotangents, masks


class _Step:
    """One node of the sweep, with its cotangent and mask."""

    def __init__(
        self, node: Node, g: Operand, mask: Mask, presence: "Presence", live: bool
    ) -> None:
        self.node, self.g, self.mask = node, g, mask
        self.primitive: Primitive = node.primitive  # type: ignore[assignment]  # it has one
        self.params = node.params or {}
        self.out = node if live else node._data
        self.data = [_seen(x) for x in node.inputs]
        self.inputs = list(node.inputs) if live else self.data
        self.stand_ins = presence.stand_ins(node)

    def pulled(self, i: int, x: Node) -> tuple[Result, Mask]:
        """Return the cotangent of input i, and which of its elements take part."""
        primitive = self.primitive
        if primitive.careful is not None:
            d, mask = primitive.careful(i, self.g, self.mask, self.out, *self.inputs)
            return fit(d, x, self.node, i), _of_shape(mask, x)
        if primitive.is_linear_in(i) or primitive.chooses:
            mask = self._flow(i, self.mask, self.stand_ins)
        elif primitive.elementwise:
            mask = self.mask
        else:
            mask = self._mixed(x)
        if primitive.is_linear_in(i):
            d = self._sum_of_products(i)
        else:
            d = self._rule(i, self.g, self.out, self.inputs)
        return self.cut(d, mask, i, x)

    def shares(self) -> list[tuple[Result, Mask]] | None:
        """Return the parts of cotangent and mask for all inputs, where a primitive splits them."""
        split = self.primitive.split
        if split is None:
            return None
        parts = applied(split, self.g, self.out, self.inputs, self.params)
        masks = applied(split, self.mask, _seen(self.node), self.data, self.params)
        return list(zip(parts, masks, strict=True))

    def cut(self, d: Operand, mask: Mask, i: int, x: Node) -> tuple[Result, Mask]:
        """Return a cotangent of input i as it fits there, 0 where the mask is, and the mask."""
        is_cut = shape_of(d) == shape_of(mask)
        if is_cut:
            d = _select(mask, d)
        d, fitted = fit(d, x, self.node, i), fit(mask, x, self.node, i)
        if is_cut and fitted is mask:
            return d, mask
        mask = _is_not_zero(fitted)
        return _select(mask, d), mask

    def _rule(self, i: int, g: Operand, out: Operand, inputs: Sequence[Operand]) -> Result:
        rule: Any = self.primitive.rule(i)
        return applied(rule, g, out, inputs, self.params)

    def _flow(self, i: int, mask: Mask, inputs: list[Operand]) -> Mask:
        return _is_not_zero(self._rule(i, mask, _seen(self.node), inputs))

    def _sum_of_products(self, i: int) -> Result:
        """Apply the rule without the products that have a factor 0 by structure.

        Elements to which a product adds inf or NaN are taken from the whole sum, all others from
        the sum without such numbers: an inf times 0 would spoil them.
        """
        others = [k for k in range(len(self.data)) if k != i and self.primitive.is_linear_in(k)]
        strange = {k: _is_not_finite(self.data[k]) for k in others}
        strange_g = _is_not_finite(_seen(self.g))
        if _is_zero(strange_g) and all(map(_is_zero, strange.values())):
            return self._rule(i, self.g, self.out, self.inputs)
        spoilt = self._flow(i, strange_g, self.stand_ins)
        for k in others:
            spoilt = np.maximum(spoilt, self._flow(i, self.mask, self._with(k, strange[k])))
        whole, clean = list(self.inputs), list(self.inputs)
        for k in others:
            whole[k] = _select(self.stand_ins[k], self.inputs[k])
            clean[k] = where(strange[k], 0.0, whole[k])
        d = self._rule(i, where(strange_g, 0.0, self.g), self.out, clean)
        return where(spoilt, self._rule(i, self.g, self.out, whole), d)

    def _with(self, k: int, stand_in: Operand) -> list[Operand]:
        return [stand_in if n == k else x for n, x in enumerate(self.stand_ins)]

    def _mixed(self, x: Node) -> Mask:
        """Let all elements take part that are mixed with one that does."""
        shape, mask = x.shape, self.mask
        if self.primitive.along_axis:
            axis = self.params["axis"]
            if len(shape_of(mask)) == len(shape):
                mask = _is_not_zero(np.sum(mask, axis))
            return np.broadcast_to(spread(mask, x, axis, False), shape)
        stacked = 0
        if self.primitive.within_matrices:
            stacked = max([len(shape_of(data)) for data in self.data]) - 2
        matrices = tuple(range(stacked, len(shape_of(mask))))
        mask = _is_not_zero(np.sum(mask, matrices))
        return np.ones(shape) * np.reshape(mask, (*np.shape(mask), 1, 1) if stacked > 0 else ())


class Presence:
    """Which elements of a node are 0 by structure, whatever the data of the leaves are.

    Those of a constant are its zeros. They stay in products, and in whatever only moves or adds
    elements; other functions of 0 count as present.
    """

    def __init__(self) -> None:
        self._known: dict[Node, Mask] = {}

    def of(self, x: Operand) -> Mask:
        """Return 1 for elements that are present, and 0 for those that are 0 by structure."""
        if not isinstance(x, Node):
            return _is_not_zero(x)
        stack = [x]
        while stack:
            node = stack[-1]
            if node in self._known:
                stack.pop()
                continue
            sources = self._sources(node)
            unknown = [y for y in sources if isinstance(y, Node) and y not in self._known]
            if unknown:
                stack += unknown
            elif sources or _is_step(node):
                self._known[node] = np.maximum(self._made(node), _is_not_zero(_seen(node)))
            else:
                self._known[node] = _of_shape(1.0, node)
        return self._known[x]

    def stand_ins(self, node: Node) -> list[Operand]:
        """Return masks or data that show through which inputs a cotangent passes.

        In what an operation is linear, only zeros by structure matter; what chooses is as it is.
        """
        primitive: Primitive = node.primitive  # type: ignore[assignment]  # it has inputs
        chooses = primitive.chooses or not primitive.elementwise
        return [
            self.of(x) if primitive.is_linear_in(k) else _seen(x) if chooses else 1.0
            for k, x in enumerate(node.inputs)
        ]

    def _sources(self, node: Node) -> list[Operand]:
        """Return the inputs whose zeros may be those of a node; none if it has no zeros."""
        primitive = node.primitive
        if primitive is None or _is_whole(_seen(node)):
            return []
        if primitive.chooses:
            return list(node.inputs) if primitive.elementwise else []
        return [x for k, x in enumerate(node.inputs) if primitive.is_linear_in(k)]

    def _made(self, node: Node) -> Mask:
        if _is_step(node):
            return 0.0
        primitive: Primitive = node.primitive  # type: ignore[assignment]  # it has sources
        params, data = node.params or {}, [_seen(x) for x in node.inputs]
        if primitive.chooses:
            rules = [(primitive.rule(k), x) for k, x in enumerate(node.inputs)]
            shares = [
                applied(rule, _of_shape(1.0, node), _seen(node), data, params) * self.of(x)
                for rule, x in rules
                if rule is not None
            ]
            return _is_not_zero(sum(shares))
        # Numbers that do not cancel in x - y
        stand_ins = [
            x * (k + 1.0) if primitive.is_linear_in(k) else x
            for k, x in enumerate(self.stand_ins(node))
        ]
        return _is_not_zero(primitive(*stand_ins, **params))


def _is_step(node: Node) -> bool:
    """Tell whether a node has derivative 0, as comparisons have: its zeros stay where they are.

    Not so those of sign: each is a single point, beside which nothing is left out.
    """
    primitive = node.primitive
    is_constant = primitive is not None and bool(primitive.rules) and not any(primitive.rules)
    return is_constant and primitive is not sign


def _of_shape(mask: Mask, node: Node) -> Mask:
    return np.ones(node.shape) * mask


def _is_not_zero(x: Operand) -> Mask:
    return np.not_equal(x, 0.0) * 1.0


def _is_not_finite(x: Operand) -> Mask:
    return 1.0 - np.isfinite(x)


def _select(mask: Mask, x: Operand) -> Result:
    return x if _is_whole(mask) else where(mask, x, 0.0)


def _seen(x: Operand) -> Operand:
    """Return the data of an operand; in a recording itself, as replays have other data."""
    return x if watching.tracer() else plain(x)


def _is_whole(x: Operand) -> bool:
    """Tell whether no element is 0, in any replay."""
    return not isinstance(x, Node) and bool(np.all(x))


def _is_zero(x: Operand) -> bool:
    """Tell whether all elements are 0, in any replay."""
    return not isinstance(x, Node) and not np.any(x)
