"""Derivatives as functions, with JAX's signatures: grad, vjp, jvp, jacobian, hessian, hvp.

Each takes a function of numbers, arrays or Values, and of nested lists, tuples and dicts of them,
and gives derivatives of the same structure. Plain arguments give plain results; where a Value
takes part, as an argument or captured by the function, results are Values, and can be
differentiated again.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from types import BuiltinFunctionType
from typing import Any, TypeAlias

import numpy as np

from .backprop import own, paths, refuse_forgotten, seed, sweep, warn_of_constants
from .data import Data, Function, Operand, Params, Result, Tree, as_data, shape_of
from .errors import DataError, IndexRangeError, ShapeError
from .functions.rearranging import reshape, stack
from .functions.statistics import sum
from .graph import Node, Primitive, as_operand, plain
from .messages import GradientWarning, account, check_function, counted, warn_once
from .primitives.elementwise import identity
from .spellings import explained_call
from .value import Value, make_leaf
from .watching import (
    ARGUMENT,
    FORGOTTEN,
    are_sweeps_recorded,
    is_live,
    is_recording,
    recording,
    running,
)
from .watching import tracer as innermost_tracer

Argnums: TypeAlias = int | tuple[int, ...]


def _numbers(argnums: Argnums, args: tuple[Tree, ...]) -> list[int]:
    if type(argnums) is int and 0 <= argnums < len(args):  # as nearly always
        return [argnums]
    numbers: list[int] = []
    for number in argnums if isinstance(argnums, tuple) else (argnums,):
        exists = isinstance(number, int) and -len(args) <= number < len(args)
        if not exists or number % len(args) in numbers:
            raise IndexRangeError(
                f"argnums={argnums!r} of a function called with {counted(len(args), 'argument')}",
                f"argument {number} is named twice"
                if exists
                else f"there is no positional argument {number!r}",
                "the positions of the arguments to differentiate, from 0, each once",
            )
        numbers.append(number % len(args))
    return numbers


def _inner(xs: list[Operand], ys: list[Operand]) -> Result:
    """Return the sum of products of two lists of leaves."""
    total: Operand = 0.0
    for x, y in zip(xs, ys, strict=True):
        total = total + sum(x * y)
    return total


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that gives both f(*args) and its gradient, in one forward and one sweep.

    Args:    f: gives one number.
             argnums: the position of the argument to differentiate, or a tuple of positions.
    Returns: function of f's arguments, giving (value, gradient); the gradient has the structure
             of the argument, or is a tuple of them.
    Raises:  ShapeError: f gives an array, or nothing. IndexRangeError: no such argument.
             CallError: f is no function.
    Example: >>> value_and_grad(lambda p: p["w"] * 3.0 + p["b"])({"w": 2.0, "b": 1.0})
             (7.0, {'w': 3.0, 'b': 1.0})
    """

    check_function("value_and_grad", f)

    @wraps(f)
    def value_and_gradient(*args: Tree, **kwargs: Any) -> tuple[Result, Tree]:
        trace, gradient = _traced_gradient(f, argnums, args, kwargs)
        return trace.result(0), gradient

    return value_and_gradient


def _traced_gradient(
    f: Function, argnums: Argnums, args: tuple[Tree, ...], kwargs: Params
) -> tuple["Trace", Tree]:
    """Return the trace of f(*args), which gives one number, and its gradient."""
    trace = Trace(f, args, _numbers(argnums, args), kwargs)
    if len(trace.outputs) != 1 or math.prod(shape_of(trace.outputs[0])) != 1:
        shapes = [shape_of(output) for output in trace.outputs]
        results = f"{counted(len(shapes), 'result')} of shape {', '.join(map(str, shapes))}"
        if not shapes:
            is_none = trace.rebuild_output([]) is None
            results = "None, as without return," if is_none else "no result"
        raise ShapeError(
            f"the gradient of a function that gives {results}",
            "a gradient is of one number",
            "a function that ends in .sum() or .mean(); or jacobian, or vjp",
        )
    output = trace.outputs[0]
    gradients = trace.pull(0, seed(output, None) if isinstance(output, Node) else None)
    structured = trace.structured(gradients)
    return trace, structured[0] if isinstance(argnums, int) else tuple(structured)


@explained_call
def gradients(
    output: Operand, wrt: Sequence[Value], cotangent: Operand = None, create_graph: bool = False
) -> list[Result]:
    """Return the gradients of a number with respect to Values that it was computed from.

    Nothing is written on any Value: `.grad` stays as it is.

    Args:    output: a Value of one number; or of any shape, with a cotangent.
             wrt: the Values to differentiate by.
             cotangent: weights for each element of the output, of its shape.
             create_graph: return Values, which can be differentiated again; always so inside a
             compiled function. Inside `grad` and its relatives, plain results are warned of.
    Returns: a list with one gradient for each, 0 for those on which the output does not depend.
    Raises:  ShapeError: the output is an array and there is no cotangent, or one of another shape.
             UnsupportedError: the output was computed inside `no_grad`.
    Example: >>> from autograd_core import Value
             >>> x, y = Value(2.0), Value(3.0)
             >>> gradients(x * x * y, [x, y])
             [12.0, 4.0]
    """
    refuse_forgotten(output)
    tracer = innermost_tracer()
    if tracer is not None:
        tracer.differentiating(wrt)
    elif not isinstance(output, Node):
        warn_once(
            "constant",
            f"gradients of plain data, {account(output)}",
            "it has no graph, so that they are 0",
            "a Value; or gradients(..., create_graph=True), whose results are Values",
            GradientWarning,
        )
    live = create_graph or are_sweeps_recorded()
    if running and not live and is_recording():
        warn_of_constants("gradients(...)", output, "gradients(..., create_graph=True)")
    with recording(create_graph):
        return pulled(output, wrt, cotangent, live)


def pulled(output: Operand, wrt: Sequence[Node], cotangent: Operand, live: bool) -> list[Result]:
    """Return what `gradients` does; live: as Values."""
    if not isinstance(output, Node):
        return [zeros(x) for x in wrt]
    start = seed(output, cotangent if live else plain(cotangent))
    order, within, _ = paths(output, wrt)
    found = sweep(order, start, within, live, wrt) if order else {}
    return _handed_over(found, wrt, cotangent, live)


def _handed_over(
    found: dict[Node, Result], targets: Sequence[Node], cotangent: Operand, live: bool
) -> list[Result]:
    """Return the cotangents of the targets that a sweep has found, 0 for the others."""
    cotangents = [zeros(x) if (g := found.get(x)) is None else g for x in targets]
    if live:
        return cotangents if is_recording() else [_constant(g) for g in cotangents]
    handed_out = {id(cotangent)}
    return [own(g, handed_out) for g in cotangents]


def _constant(x: Operand) -> Operand:
    """Return x as a result of `no_grad`, which a compiled function still computes anew."""
    return identity(x) if isinstance(x, Node) and x.origin != FORGOTTEN else x


def grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return the gradient of f as a function.

    Args:    f: gives one number.
             argnums: the position of the argument to differentiate, or a tuple of positions.
    Returns: function of f's arguments; its result has the structure of the argument, and is 0
             where f does not depend on it.
    Raises:  ShapeError: f gives an array, or nothing. IndexRangeError: no such argument.
             CallError: f is no function.
    Example: >>> grad(lambda x: x**3)(2.0), grad(grad(lambda x: x**3))(2.0)
             (12.0, 12.0)
    """

    check_function("grad", f)

    @wraps(f)
    def gradient(*args: Tree, **kwargs: Any) -> Tree:
        return _traced_gradient(f, argnums, args, kwargs)[1]

    return gradient


def _kept(leaf: Operand) -> Operand:
    """Return a leaf of the arguments that stays as it is, whatever the caller does to an array."""
    leaf = as_operand(leaf)
    return leaf.copy("K") if isinstance(leaf, np.ndarray) else leaf


def vjp(f: Function, *primals: Tree) -> tuple[Tree, Function]:
    """Return f(*primals) and the function that pulls a cotangent of the output back.

    Args:    f: any number of results, of any shape.
             primals: f's arguments.
    Returns: (output, pullback); pullback(cotangent), with the output's structure and shapes,
             gives a tuple with one gradient for each primal.
    Raises:  ShapeError: a cotangent of another shape.
    Example: >>> output, pullback = vjp(lambda x, y: x * y, 3.0, 4.0)
             >>> output, pullback(1.0)
             (12.0, (4.0, 3.0))
    """
    check_function("vjp", f)
    leaves, rebuild = flatten(primals)
    kept = rebuild([_kept(leaf) for leaf in leaves])
    trace = Trace(f, kept, range(len(primals)), {})
    trace.handed_out |= {id(plain(output)) for output in trace.outputs}  # rules read them

    def pullback(cotangent: Operand) -> tuple[Tree, ...]:
        cotangents = _matching(trace.rebuild_output(trace.outputs), cotangent, "cotangent")
        total: list[Result] | None = None
        for i, (output, one) in enumerate(zip(trace.outputs, cotangents, strict=True)):
            if isinstance(output, Node):
                live = isinstance(one, Node) and is_live()
                pulled = trace.pull(i, seed(output, one if live else plain(one)), live)
                total = (
                    pulled if total is None else [a + b for a, b in zip(total, pulled, strict=True)]
                )
        return tuple(trace.structured(total or [zeros(primal) for primal in trace.primals]))

    outputs = [trace.result(i) for i in range(len(trace.outputs))]
    return trace.rebuild_output(outputs), pullback


def jvp(f: Function, primals: Sequence[Tree], tangents: Sequence[Tree]) -> tuple[Tree, Tree]:
    """Return f(*primals) and how it changes when the primals move along the tangents.

    A pullback is linear in its cotangent, so pulling it back once more turns it round: this costs
    two backward sweeps and needs no second set of rules.

    Args:    primals: f's arguments, as a tuple.
             tangents: their directions, of the same structure and shapes.
    Returns: (output, tangent of the output).
    Raises:  ShapeError: a tangent of another shape. DataError: no tuples.
    Example: >>> jvp(lambda x: x * x, (3.0,), (1.0,))
             (9.0, 6.0)
    """
    check_function("jvp", f)
    _check_tuples("jvp", primals, tangents)
    trace = Trace(f, primals, range(len(primals)), {})
    directions = _matching(primals, tangents, "tangent")
    moves = []
    for i, output in enumerate(trace.outputs):
        with recording():
            cotangent = make_leaf(zeros(output))
            change = _inner(trace.pull(i, cotangent, live=True), directions)
        keep = trace.keeps(i) or (is_live() and any(isinstance(d, Node) for d in directions))
        move = None
        if isinstance(change, Node):
            order, within, _ = paths(change, [cotangent])
            if order:
                found = sweep(order, 1.0, within, keep, [cotangent])
                move = _handed_over(found, [cotangent], None, keep)[0]
        moves.append(zeros(output) if move is None else move)
    outputs = [trace.result(i) for i in range(len(trace.outputs))]
    return trace.rebuild_output(outputs), trace.rebuild_output(moves)


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """Return the Jacobian of f as a function: the derivative of every output by every input.

    Args:    f: any number of results, of any shape.
             argnums: the position of the argument to differentiate, or a tuple of positions.
    Returns: function of f's arguments; for each output, in the outputs' structure, the structure
             of the argument, with arrays of shape (*output's shape, *argument's shape).
    Raises:  IndexRangeError: no such argument.
    Example: >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
             array([[2., 0.],
                    [0., 4.]])
    """

    check_function("jacobian", f)

    @wraps(f)
    def jacobian_of_f(*args: Tree, **kwargs: Any) -> Tree:
        trace = Trace(f, args, _numbers(argnums, args), kwargs)
        blocks = []
        for i, output in enumerate(trace.outputs):
            rows = [trace.pull(i, one_hot) for one_hot in _basis(output)]
            gradients = [
                _stacked([row[k] for row in rows], output, primal)
                for k, primal in enumerate(trace.primals)
            ]
            structured = trace.structured(gradients)
            blocks.append(structured[0] if isinstance(argnums, int) else tuple(structured))
        return trace.rebuild_output(blocks)

    return jacobian_of_f


def _basis(output: Operand) -> Iterable[Data]:
    """Return, for each number of the output in turn, the cotangent that is 1 there.

    For an output without numbers it is one cotangent, from which types follow.
    """
    if not shape_of(output):
        return [1.0]
    n = np.size(plain(output))
    return np.eye(max(n, 1), n, dtype=output.dtype).reshape(max(n, 1), *shape_of(output))


def _stacked(rows: list[Result], output: Operand, primal: Operand) -> Result:
    """Return the derivatives of each number of an output, with the output's axes first."""
    if not shape_of(output):
        return rows[0]
    derivatives = stack(rows) if np.size(plain(output)) else stack(rows)[:0]
    return reshape(derivatives, (*shape_of(output), *shape_of(primal)))


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """Return the matrix of second derivatives of f as a function.

    Args:    f: gives one number.
             argnums: the position of the argument to differentiate, or a tuple of positions.
    Returns: function of f's arguments; arrays of shape (*argument's shape, *argument's shape), in
             the structure of the argument, twice nested.
    Raises:  ShapeError: f gives an array, or nothing. IndexRangeError: no such argument.
             CallError: f is no function.
    Example: >>> hessian(lambda x: x[0] * x[1])(np.array([2.0, 3.0]))
             array([[0., 1.],
                    [1., 0.]])
    """
    check_function("hessian", f)
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function, primals: Sequence[Tree], vectors: Sequence[Tree]) -> Tree:
    """Return the Hessian of f times a vector, without ever building the Hessian.

    Args:    f: gives one number.
             primals: f's arguments, as a tuple.
             vectors: of the same structure and shapes.
    Returns: the product, in the structure of the one primal, or a tuple for several.
    Raises:  ShapeError: a vector of another shape, or f gives an array. DataError: no tuples.
    Example: >>> hvp(lambda x: x**3, (2.0,), (10.0,))
             120.0
    """
    check_function("hvp", f)
    _check_tuples("hvp", primals, vectors)
    everything = tuple(range(len(primals)))
    directions = _matching(primals, vectors, "vector")

    def slope(*args: Tree) -> Result:
        gradients, _ = flatten(grad(f, everything)(*args))
        return _inner(gradients, directions)

    product = grad(slope, everything)(*primals)
    return product[0] if len(primals) == 1 else product


def _check_tuples(name: str, primals: object, vectors: object) -> None:
    if not (isinstance(primals, tuple | list) and isinstance(vectors, tuple | list)):
        raise DataError(
            f"{name} with {type(primals).__name__} and {type(vectors).__name__}",
            "it takes the arguments of f, and their directions, as tuples",
            f"{name}(f, (x,), (v,))",
        )


def _matching(structure: Tree, other: Tree, name: str) -> list[Operand]:
    """Return the leaves of a structure of directions; each must have the shape of its partner."""
    pairs = paired_leaves(structure, other)
    directions = [as_operand(d) for _, d in pairs or ()]
    expected = [np.shape(plain(leaf)) for leaf in flatten(structure)[0]]
    given = [shape_of(d) for d in directions]
    if pairs is None or given != expected:
        raise ShapeError(
            f"{name} of another structure" if pairs is None else f"{name} of shapes {given}",
            f"what it goes with has shapes {expected}",
            f"one {name} for each, of the same structure and shapes",
        )
    return directions


class Trace:
    """One evaluation of a function on fresh Values, which can be pulled back to them.

    The Values passed for the arguments are new, so that derivatives are with respect to
    this use of them alone; one that stands for a Value is computed from it, so that an outer
    derivative sees through.
    """

    def __init__(
        self, f: Function, args: Sequence[Tree], numbers: Iterable[int], kwargs: Params
    ) -> None:
        self.primals: list[Node] = []
        self.rebuilders: list[tuple[int, Function]] = []  # for each argument, leaves and structure
        stand_ins = list(args)
        with recording():
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
            running.add(self)
            try:
                outputs, self.rebuild_output = flatten(f(*stand_ins, **kwargs))
            finally:
                running.discard(self)
        if type(f) is BuiltinFunctionType and not any(isinstance(out, Node) for out in outputs):
            warn_once(
                "function in C",
                f"the derivative of {f.__module__}.{f.__name__}",
                "it takes plain numbers out of a Value, so that no derivative flows through it",
                f"np.{f.__name__}" if hasattr(np, f.__name__) else "NumPy's functions",
                GradientWarning,
            )
        self.outputs = [as_operand(out) for out in outputs]
        refuse_forgotten(*self.outputs)
        self.handed_out = {id(primal._data) for primal in self.primals}
        self.paths = [
            paths(output, self.primals) if isinstance(output, Node) else ([], None, False)
            for output in self.outputs
        ]

    def keeps(self, i: int) -> bool:
        """Whether results about output i stay Values, which can be differentiated again."""
        return self.paths[i][2] and is_live()

    def result(self, i: int) -> Result:
        """Return output i, plain unless Values from outside take part in it."""
        output = self.outputs[i]
        if self.keeps(i):
            return output if is_recording() else _constant(output)
        return own(plain(output), self.handed_out)

    def pull(self, i: int, cotangent: Operand, live: bool = False) -> list[Result]:
        """Return the cotangents of the primals, given that of output i; `live`: as Values."""
        order, within, _ = self.paths[i]
        live = live or self.keeps(i)
        found = sweep(order, cotangent, within, live, self.primals) if order else {}
        return _handed_over(found, self.primals, cotangent, live)

    def structured(self, gradients: list[Result]) -> list[Tree]:
        """Return one gradient for each leaf in the structure of the arguments."""
        start = 0
        out = []
        for count, rebuild in self.rebuilders:
            out.append(rebuild(gradients[start : start + count]))
            start += count
        return out


def composition(
    primitive: Primitive, inputs: Sequence[Operand], params: Params | None
) -> tuple[list[Node], Result]:
    """Return leaves with the data of inputs, and what the primitive's `composed` makes of them."""
    leaves: list[Node] = [make_leaf(plain(x)) for x in inputs]
    with recording(), np.errstate(all="ignore"):
        return leaves, primitive.composed(*leaves, **(params or {}))  # type: ignore[misc]


def _fresh(leaf: Operand) -> Node:
    leaf = as_operand(leaf)
    fresh = identity(leaf) if isinstance(leaf, Node) else make_leaf(leaf)
    fresh.origin = fresh.origin or ARGUMENT
    return fresh


def zeros(x: Operand) -> Data:
    """Return 0 for each number of x."""
    data = as_data(plain(x))
    return 0.0 if isinstance(data, float) else np.zeros_like(data)


def flatten(structure: Tree) -> tuple[list[Operand], Callable[[list[Any]], Tree]]:
    """Return the leaves of a nested structure, and a function that builds it from other leaves.

    Args:    structure: lists, tuples (named ones too), dicts and None, nested; everything else
             is a leaf.
    Returns: the leaves in order, and `rebuild(leaves)`.
    Example: >>> leaves, rebuild = flatten({"w": [1.0, 2.0], "b": 3.0})
             >>> leaves, rebuild([10.0, 20.0, 30.0])
             ([1.0, 2.0, 3.0], {'w': [10.0, 20.0], 'b': 30.0})
    """
    leaves: list[Operand] = []
    _collect(structure, leaves)

    def rebuild(replacements: list[Any]) -> Tree:
        return _rebuild(structure, iter(replacements))

    return leaves, rebuild


def _collect(structure: Tree, leaves: list[Operand]) -> None:
    if isinstance(structure, (list, tuple, dict)):
        for part in structure.values() if isinstance(structure, dict) else structure:
            _collect(part, leaves)
    elif structure is not None:
        leaves.append(structure)


def _rebuild(structure: Tree, leaves: Iterator[Any]) -> Tree:
    if isinstance(structure, (list, tuple, dict)):
        if isinstance(structure, dict):
            return {name: _rebuild(part, leaves) for name, part in structure.items()}
        parts = [_rebuild(part, leaves) for part in structure]
        if isinstance(structure, list):
            return parts
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    return None if structure is None else next(leaves)


def paired_leaves(structure: Tree, other: Tree) -> list[tuple[Operand, Operand]] | None:
    """Return the leaves of two structures of one kind, side by side; None if they differ.

    Parts of lists and tuples go together by position, those of dicts by key.

    Args:    structure: as in `flatten`, whose order the leaves have.
             other: the same lists, tuples and dicts, with anything instead of the leaves.
    Example: >>> paired_leaves({"w": 1.0, "b": 2.0}, {"b": 20.0, "w": 10.0})
             [(1.0, 10.0), (2.0, 20.0)]
    """
    pairs: list[tuple[Operand, Operand]] = []
    return pairs if _pair(structure, other, pairs) else None


def _pair(structure: Tree, other: Tree, pairs: list[tuple[Operand, Operand]]) -> bool:
    """Collect the pairs; return whether the structures are of one kind."""
    if isinstance(structure, dict):
        if not isinstance(other, dict) or structure.keys() != other.keys():
            return False
        return all(_pair(part, other[name], pairs) for name, part in structure.items())
    if isinstance(structure, (list, tuple)):
        if not isinstance(other, (list, tuple)) or len(structure) != len(other):
            return False
        return all(_pair(part, other[i], pairs) for i, part in enumerate(structure))
    if structure is None:
        return other is None
    pairs.append((structure, other))
    return True
