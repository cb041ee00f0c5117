"""From a function to a program: run it once on Values, and take the graph that it recorded."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .. import watching
from ..backprop import paths
from ..data import Data, Operand, Result, shape_of
from ..errors import TraceError
from ..graph import Node, as_operand, next_index, plain
from ..value import make_leaf
from .program import Effect, Program, Step, source
from .running import raised_at
from .surroundings import Run, Surroundings
from .tracing import FunctionTracer


class Recording(NamedTuple):
    """One run of a function: the program that it recorded, and the data that it gave."""

    program: Program
    results: list[Data]
    draws: list[Data]  # those of its random numbers; their registers are the last of the outputs
    made: list[int]  # registers of the Values that the function has made
    fixed: dict[int, Data]  # the ints among the arguments that hold for it, by their numbers
    arrays: set[int]  # registers of captured plain arrays, which replays read afresh
    given: dict[int, Data]  # the new data of arguments, by their numbers
    surroundings: Surroundings
    sole: "Sole"  # Values that arguments must not repeat
    calls: int | None  # of callbacks, if derivatives hold NaN, so that the function decides itself
    lines: list[str]  # that drew in runs before which recorded the same, see Run.doubt
    doubt: TraceError | None  # why the next call should not replay it but record again


def trace(
    f: Callable[[list[Operand]], list[Result]],
    leaves: list[Operand],
    roots: list[object] | None = None,
    before: Recording | None = None,
) -> Recording:
    """Run a function of leaves once, and record its program.

    Args:    f: takes the Values that stand for the leaves, and returns the leaves of its result.
             leaves: floats and arrays, or Values that hold them.
             roots: the function as the user wrote it, and objects among its arguments.
             before: the recording of the call before, if there was a doubt about it.
    Raises:  TraceError: the function takes data out of the graph; or it draws what is not fresh,
             or changes what it reads, and has done so in the call before.
    """
    arguments: dict[Node, Operand] = {make_leaf(plain(x)): x for x in leaves}
    run = Run([f] if roots is None else roots, "compiled", before.surroundings if before else None)
    tracer = FunctionTracer(arguments, run)
    is_alone = threading.active_count() == 1
    with watching.watch(tracer), watching.recording():
        try:
            results = tracer.run.follow(lambda: f(list(arguments)))
            if tracer.refused:
                raise tracer.refused
            found = _found(tracer, results)
            found.sole.check(leaves)
            lines: list[str] = []
            is_alone = is_alone and threading.active_count() == 1
            if before is not None and not is_alone and found.program.equals(before.program):
                lines = [*before.lines, run.line]
            found = found._replace(lines=lines, doubt=run.doubt(found.surroundings, lines))
            if before is not None and found.doubt is not None and not run.is_undecided:
                raise found.doubt
        except BaseException as error:
            tracer.undo()
            is_other = isinstance(error, Exception) and not isinstance(error, TraceError)
            if tracer.refused and is_other:
                raise tracer.refused from error  # which NumPy or the function has hidden
            if type(error) is TypeError and any(text in str(error) for text in _POSITIONS):
                raise _as_position(error) from error
            raise
    if tracer.is_spoilt:
        tracer.undo()
    return found


# What Python says of a Value where it needs an int
_POSITIONS = ("not Value", "'Value' object cannot be interpreted", "slice indices must be")


def _as_position(error: TypeError) -> TraceError:
    """Return what Python's error means in a recording."""
    return TraceError(
        f"{error}: a position or count inside a compiled function\n  at:    {raised_at(error)}",
        "it depends on data, and the program would be the one for the number that it has now",
        "an int as an argument of its own, for which a program is recorded; a Value may be an "
        "index of another Value, v[i]",
    )


def _found(tracer: FunctionTracer, results: list[Result]) -> Recording:
    """Return what a run has recorded."""
    results = [as_operand(r) for r in results]
    outputs = [r if isinstance(r, Node) else make_leaf(r) for r in results]
    arguments = list(tracer.arguments)
    assigned = [_outside(tracer, arguments, x) for x in tracer.assigned]
    given = {}
    for target, versions in zip(assigned, tracer.assigned.values(), strict=True):
        if target is not None:
            tracer.effects.append((Assignment(target), (versions[-1],)))
        if isinstance(target, int):
            given[target] = versions[-1]._data
    nodes = {id(r) for r in results if isinstance(r, Node)}
    last = next_index()
    outputs = [tracer.current(out, last) if id(out) in nodes else out for out in outputs]
    surroundings = tracer.run.surroundings()
    program, sources = _program(tracer, arguments, [*outputs, *tracer.draws], surroundings)
    arrays = program.captured.keys() - sources.keys()
    surroundings.expect([program.captured[i]._data for i in arrays])
    made = [i for i, node in sources.items() if node in tracer.made]
    draws = [draw._data for draw in tracer.draws]
    data = [out._data for out in outputs]
    fixed = {i: x._data for i, x in enumerate(arguments) if x in tracer.fixed}
    calls = tracer.calls if tracer.is_spoilt else None
    differentiated = [_outside(tracer, arguments, x) for x in tracer.differentiated]
    sole = Sole(assigned, differentiated, program.captured.values())
    return Recording(
        program, data, draws, made, fixed, arrays, given, surroundings, sole, calls, [], None
    )


def _outside(tracer: FunctionTracer, arguments: list[Node], x: Node) -> Node | int | None:
    """Return the number of an argument, or a captured Value; None of what the run has made."""
    if x in tracer.arguments:
        return arguments.index(x)
    return x if x.index < tracer.start else None


class Assignment(NamedTuple):
    """The effect of `p.data = ...`: a captured Value, or an argument by number, gets new data."""

    target: Node | int


class Sole:
    """Values that a program assigns to or differentiates by: it must know each as one Value only.

    Args:    assigned, differentiated: captured Values, and arguments by their numbers; None of
             what the run has made.
             captured: all Values that the program reads beside its arguments.
    """

    def __init__(
        self, assigned: list[Any], differentiated: list[Any], captured: Iterable[Node]
    ) -> None:
        self._assigned = [x for x in assigned if x is not None]
        self._differentiated = [x for x in differentiated if x is not None]
        self._captured = set(captured)

    def __bool__(self) -> bool:
        return bool(self._assigned or self._differentiated)

    def check(self, leaves: list[Operand]) -> None:
        """Refuse arguments that are such a Value twice, or were computed from one.

        leaves: the arguments of a call.
        """
        values = [x for x in leaves if isinstance(x, Node)]
        if not values:
            return
        for use, targets in (("assigned", self._assigned), ("by", self._differentiated)):
            for target in targets:
                x = target if isinstance(target, Node) else leaves[target]
                if not isinstance(x, Node):
                    continue
                is_captured = x is target or x in self._captured
                if sum([y is x for y in values]) + is_captured > 1:
                    raise _known_twice(x, use)
        found = [x if isinstance(x, Node) else leaves[x] for x in self._differentiated]
        by = {x for x in found if isinstance(x, Node)}
        for x in values:
            if x.primitive is not None and by and paths(x, list(by - {x}))[0]:
                raise _known_twice(x, "by")


def _known_twice(node: Node, use: str) -> TraceError:
    if use == "assigned":
        given, why = "data assigned to", "of which only one would get the new data"
    else:
        given, why = "gradients with respect to", "and would differentiate by one of them"
    return TraceError(
        f"{given} a Value of shape {node.shape} inside a compiled function, which has it "
        "as two arguments, or as an argument and captured, itself or as part of what it was "
        "computed from",
        f"a program knows it as two Values, {why}",
        "each parameter once: as an argument, or captured by the function",
    )


def _reached(tracer: FunctionTracer, roots: Iterable[Node]) -> list[Node]:
    """Return all nodes that the roots were computed from in this run, oldest first."""
    seen: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            _, inputs, _ = tracer.making(node)
            stack += [tracer.current(x, node.index) for x in inputs if isinstance(x, Node)]
    return sorted(seen, key=lambda node: node.index)


def _program(
    tracer: FunctionTracer,
    arguments: list[Operand],
    outputs: list[Node],
    surroundings: Surroundings,
) -> tuple[Program, dict[int, Node]]:
    """Return the program of a run, and the nodes of its registers that were not computed."""
    effects = tracer.effects
    roots = [*outputs, *[node for _, nodes in effects for node in nodes]]
    steps = [source(argument._data) for argument in arguments]
    number = {argument: i for i, argument in enumerate(arguments)}
    sources, constants = {}, {}
    arrays = {}  # large ones that are captured: replays read them afresh, as they do Values
    plain: dict[object, int] = {}  # registers of constants, of arrays by identity
    for node in _reached(tracer, roots):
        if node in number:
            continue
        primitive, inputs, params = tracer.making(node)
        if primitive is None:
            data = node._data
            if node.index >= tracer.start:
                data = constants[len(steps)] = tracer.first_data(node)
            sources[len(steps)] = node
            number[node] = len(steps)
            steps.append(source(data))
            continue
        numbers = []
        for x in inputs:
            if isinstance(x, Node):
                numbers.append(number[tracer.current(x, node.index)])
                continue
            key = ("array", id(x)) if shape_of(x) else ("number", str(x))  # -0.0 is not 0.0
            if key not in plain:
                plain[key] = len(steps)
                original = tracer.original(x) if shape_of(x) else None
                if original is not None and surroundings.holds(original):
                    arrays[len(steps)] = make_leaf(original)
                else:
                    constants[len(steps)] = x
                steps.append(source(x))
            numbers.append(plain[key])
        number[node] = len(steps)
        dtype = getattr(node._data, "dtype", None)
        steps.append(Step(primitive, tuple(numbers), params, node.shape, dtype))
    guards = [number[node] for node in tracer.derivatives if node in number]
    program = Program(
        steps,
        list(range(len(arguments))),
        arrays | {i: node for i, node in sources.items() if i not in constants},
        constants,
        [number[out] for out in outputs],
        [Effect(function, tuple([number[n] for n in nodes])) for function, nodes in effects],
        guards,
    )
    return program, sources
