"""From a function to a program: run it once on Values, and take the graph that it recorded."""

import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

from .. import watching
from ..data import Data, shape_of
from ..errors import TraceError
from ..graph import Node, as_operand, make_leaf, next_index
from ..value import Value
from .places import Place
from .program import Effect, Program, Step, source
from .randomness import raised_at
from .surroundings import Surroundings
from .tracing import FunctionTracer


class Trace(NamedTuple):
    """One run of a function: the program that it recorded, and the data that it gave."""

    program: Program
    results: list[Data]
    draws: list[Data]  # those of its random numbers; their registers are the last of the outputs
    made: list[int]  # registers of the Values that the function has made
    fixed: dict[int, Data]  # the ints among the arguments that hold for it, by their numbers
    arrays: set[int]  # registers of captured plain arrays, which replays read afresh
    given: dict[int, Data]  # the new data of arguments, by their numbers
    surroundings: Surroundings
    calls: int | None  # of callbacks, if derivatives hold NaN, so that the function decides itself
    doubt: TraceError | None  # why the next call should not replay it but record again


def trace(
    f: Callable[[list[Any]], list[Any]],
    leaves: list[Any],
    roots: list[Any] | None = None,
    before: Trace | None = None,
) -> Trace:
    """Run a function of leaves once, and record its program.

    Args:    f: takes the Values that stand for the leaves, and returns the leaves of its result.
             leaves: floats and arrays, or Values that hold them.
             roots: the function as the user wrote it, and objects among its arguments.
             before: the recording of the call before, if there was a doubt about it.
    Raises:  TraceError: the function takes data out of the graph; or it draws what is not fresh,
             or changes what it reads, and has done so in the call before.
    """
    arguments = {make_leaf(Value, x._data if isinstance(x, Node) else x): x for x in leaves}
    tracer = FunctionTracer(arguments, [f] if roots is None else roots)
    is_alone = threading.active_count() == 1
    lines = tracer.randomness.following_lines() if before else nullcontext()
    with watching.watch(tracer), watching.recording():
        try:
            with tracer.ran.following(), lines:
                results = f(list(arguments))
            if tracer.refused:
                raise tracer.refused
            found = _found(tracer, results)
            for effect in found.program.effects:
                if isinstance(effect.function, ASSIGNMENTS):
                    effect.function.receiver(leaves)  # refuses those known twice
            is_alone = is_alone and threading.active_count() == 1
            found = found._replace(doubt=_doubt(tracer, found, before, is_alone))
            if before is not None and found.doubt is not None:
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


def _doubt(
    tracer: FunctionTracer, found: Trace, before: Trace | None, is_alone: bool
) -> TraceError | None:
    """Return why a recording holds for its own call only, if it does."""
    line = definition(tracer.roots[0])
    changed = found.surroundings.changes(tracer.places)
    if changed:
        return _changed_inside(changed[0], line)
    if not tracer.randomness.moved():
        return None
    if before is not None and not is_alone and found.program.equals(before.program):
        return None  # another thread has drawn
    return tracer.randomness.refusal(line)


def _changed_inside(place: Place, line: str) -> TraceError:
    what = place.name if isinstance(place.key, str) else f"what {place.name} holds"
    return TraceError(
        f"{what} changed inside a compiled function\n  at:    {line}",
        "replays repeat operations on Values, and would leave it as it is",
        "p.data = ... of a Value that was made outside; or callback(function, v) for what is kept "
        "elsewhere, such as a log, and fresh(function) to read it anew",
    )


def _found(tracer: FunctionTracer, results: list[Any]) -> Trace:
    """Return what a run has recorded."""
    results = [as_operand(r) for r in results]
    outputs = [r if isinstance(r, Node) else make_leaf(Value, r) for r in results]
    arguments = list(tracer.arguments)
    given = {}
    for node, versions in tracer.assigned.items():
        if node in tracer.arguments:
            number = arguments.index(node)
            given[number] = versions[-1]._data
            tracer.effects.append((AssignmentToArgument(number), (versions[-1],)))
        elif node.index < tracer.start:
            tracer.effects.append((Assignment(node), (versions[-1],)))
    nodes = {id(r) for r in results if isinstance(r, Node)}
    last = next_index()
    outputs = [tracer.current(out, last) if id(out) in nodes else out for out in outputs]
    surroundings = tracer.surroundings()
    program, sources = _program(tracer, arguments, [*outputs, *tracer.draws], surroundings)
    arrays = program.captured.keys() - sources.keys()
    surroundings.expect([program.captured[i]._data for i in arrays])
    made = [i for i, node in sources.items() if node in tracer.made]
    draws = [draw._data for draw in tracer.draws]
    data = [out._data for out in outputs]
    fixed = {i: x._data for i, x in enumerate(arguments) if x in tracer.fixed}
    calls = tracer.calls if tracer.is_spoilt else None
    return Trace(program, data, draws, made, fixed, arrays, given, surroundings, calls, None)


def definition(f: Any) -> str:
    """Return file and line where a function is defined, if it is written in Python."""
    while isinstance(f, partial):
        f = f.func
    code = getattr(getattr(f, "__func__", f), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else type(f).__name__


class Assignment(NamedTuple):
    """The effect of `p.data = ...`: a captured Value gets new data."""

    node: Node

    def receiver(self, leaves: list[Any]) -> Node:
        """Return the Value, given the arguments of a call."""
        if any(x is self.node for x in leaves):
            raise _known_twice(self.node)
        return self.node


class AssignmentToArgument(NamedTuple):
    """The effect of `p.data = ...` of an argument: the caller's Value gets new data."""

    number: int

    def receiver(self, leaves: list[Any]) -> Node:
        """Return the Value, given the arguments of a call."""
        node: Node = leaves[self.number]
        if sum(x is node for x in leaves) > 1:
            raise _known_twice(node)
        return node


ASSIGNMENTS = (Assignment, AssignmentToArgument)


def _known_twice(node: Node) -> TraceError:
    return TraceError(
        f"data assigned to a Value of shape {node.shape} inside a compiled function, which has it "
        "as two arguments, or as an argument and captured",
        "a program knows it as two Values, of which only one would get the new data",
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
    tracer: FunctionTracer, arguments: list[Any], outputs: list[Node], surroundings: Surroundings
) -> tuple[Program, dict[int, Node]]:
    """Return the program of a run, and the nodes of its registers that were not computed."""
    effects = tracer.effects
    roots = [*outputs, *[node for _, nodes in effects for node in nodes]]
    steps = [source(argument._data) for argument in arguments]
    number = {argument: i for i, argument in enumerate(arguments)}
    sources, constants = {}, {}
    arrays = {}  # large ones that are captured: replays read them afresh, as they do Values
    plain: dict[Any, int] = {}  # registers of constants, of arrays by identity
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
                    arrays[len(steps)] = make_leaf(Value, original)
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
