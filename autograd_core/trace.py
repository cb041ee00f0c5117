"""One evaluation of a function on fresh Values, from which derivatives are pulled back."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from .backprop import own, paths, refuse_forgotten, sweep
from .data import as_data
from .errors import DataError
from .graph import Node, Primitive, as_operand, make_leaf
from .primitives.elementwise import identity
from .structure import flatten
from .value import Value
from .watching import ARGUMENT, is_live, recording

Function: TypeAlias = Callable[..., Any]


class Trace:
    """One evaluation of a function on fresh Values, which can be pulled back to them.

    The Values that stand for the arguments are fresh, so that derivatives are with respect to
    this use of them alone; one that stands for a Value is computed from it, so that an outer
    derivative sees through.
    """

    def __init__(
        self, f: Function, args: tuple[Any, ...], numbers: Iterable[int], kwargs: dict[str, Any]
    ) -> None:
        self.primals: list[Node] = []
        self.rebuilders: list[tuple[int, Function]] = []  # for each argument, leaves and structure
        stand_ins = list(args)
        for number in numbers:
            if args[number] is None:
                raise DataError(
                    f"None as argument {number}, by which to differentiate",
                    "it holds no numbers",
                    "a number, an array or a structure of them; argnums for another argument",
                )
            leaves, rebuild = flatten(args[number])
            fresh = [_fresh(leaf) for leaf in leaves]
            stand_ins[number] = rebuild(fresh)
            self.primals += fresh
            self.rebuilders.append((len(fresh), rebuild))
        with recording():
            outputs, self.rebuild_output = flatten(f(*stand_ins, **kwargs))
        self.outputs = [as_operand(out) for out in outputs]
        refuse_forgotten(*self.outputs)
        self.handed_out = {id(primal._data) for primal in self.primals}
        self.paths = [
            paths(output, self.primals) if isinstance(output, Node) else ([], None, False)
            for output in self.outputs
        ]

    def keeps(self, i: int) -> bool:
        """Whether results about output i stay Values, for somebody to differentiate."""
        return self.paths[i][2] and is_live()

    def result(self, i: int) -> Any:
        """Return output i, plain unless Values from outside take part in it."""
        output = self.outputs[i]
        return output if self.keeps(i) else own(plain(output), self.handed_out)

    def pull(self, i: int, cotangent: Any, live: bool = False) -> list[Any]:
        """Return the cotangents of the primals, given that of output i; `live`: as Values."""
        order, within, _ = self.paths[i]
        live = live or self.keeps(i)
        found = sweep(order, cotangent, within, live, self.primals) if order else {}
        handed_out = {id(cotangent)}
        gradients = []
        for primal in self.primals:
            gradient = found.get(primal)
            if gradient is None:
                gradient = zeros(primal)
            gradients.append(gradient if live else own(gradient, handed_out))
        return gradients

    def structured(self, gradients: list[Any]) -> list[Any]:
        """Return one gradient for each leaf in the structure of the arguments."""
        start = 0
        out = []
        for count, rebuild in self.rebuilders:
            out.append(rebuild(gradients[start : start + count]))
            start += count
        return out


def composition(primitive: Primitive, inputs: list[Any], params: Any) -> tuple[list[Node], Any]:
    """Return leaves with the data of inputs, and what the primitive's `composed` makes of them."""
    leaves = [make_leaf(Value, plain(x)) for x in inputs]
    with recording(), np.errstate(all="ignore"):
        return leaves, primitive.composed(*leaves, **(params or {}))  # type: ignore[misc]


def _fresh(leaf: Any) -> Any:
    leaf = as_operand(leaf)
    fresh = identity(leaf) if isinstance(leaf, Node) else make_leaf(Value, leaf)
    fresh.origin = fresh.origin or ARGUMENT
    return fresh


def plain(x: Any) -> Any:
    """Return the data of a node, and anything else as it is."""
    return x._data if isinstance(x, Node) else x


def zeros(x: Any) -> Any:
    """Return 0 for each number of x."""
    data = as_data(plain(x))
    return 0.0 if isinstance(data, float) else np.zeros_like(data)
