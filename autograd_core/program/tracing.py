"""From a function to a program: run it once on Values, and take the graph that it recorded."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from .. import watching
from ..anomaly import user_line
from ..data import Data, as_data, shape_of
from ..errors import TraceError
from ..graph import Node, Primitive, make_leaf, next_index, record
from ..primitives.elementwise import identity
from ..value import Value
from .program import Effect, Program, Step, source
from .randomness import Randomness
from .surroundings import Place, Places, Ran, Surroundings

# What to write in place of what would be frozen
INSTEAD = {
    ".backward()": "grad(f) or value_and_grad(f) of a function of the parameters, or "
    "gradients(loss, parameters)",
    ".grad": "the gradients that grad, value_and_grad or gradients(loss, parameters) return",
    "a branch, as in `if v:`": "np.where(condition, a, b), which chooses anew in every replay",
    "a condition as an index": "np.where(condition, v, 0.0), which keeps the shape; how many "
    "elements a condition chooses depends on the data",
    "bits of numbers, as in `v & 1`,": "logic between conditions: (a > 0) & (b > 0)",
    "a position or count": "plain numbers for what decides about shapes",
}

fresh_draw: Primitive = Primitive(
    "fresh", lambda *, draw: draw(), each=lambda i, g, out, *, draw: g
)
# Draws of an earlier run, to be used again: derivatives see the numbers that the value saw
earlier: ContextVar[Iterator[Any] | None] = ContextVar("earlier", default=None)


def fresh(draw: Callable[[], Any]) -> Any:
    """Return random numbers that a compiled function draws anew in every call.

    Args:    draw: returns a number or an array, always of the same shape.
    Returns: what it returned; inside a compiled function, a Value that holds it.
    Example: >>> import numpy as np
             >>> from autograd_core import compile
             >>> rng = np.random.default_rng(0)
             >>> noisy = compile(lambda x: x + fresh(lambda: rng.normal()))
             >>> noisy(1.0) == noisy(1.0)
             False
    """
    draws = earlier.get()
    if draws is not None:
        return next(draws)
    tracer = watching.tracer()
    if tracer is None:
        return draw()
    with watching.unwatched(), tracer.outside(draw):
        data = as_data(draw())
    drawn: Value = record(Value, data, fresh_draw, (), None, {"draw": draw})
    tracer.draws.append(drawn)
    return drawn


@contextmanager
def drawing_again(draws: list[Any]) -> Iterator[None]:
    """Let `fresh` return these, one after another."""
    token = earlier.set(iter(draws))
    try:
        yield
    finally:
        earlier.reset(token)


def callback(function: Callable[..., Any], *values: Any) -> None:
    """Call a function with plain data, also in every call of a compiled function.

    It sees floats and arrays, and returns nothing to the computation: for logs, checks, averages
    that are kept elsewhere.

    Args:    function: takes as many arguments as there are values.
             values: Values, numbers or arrays.
    Example: >>> from autograd_core import compile
             >>> seen = []
             >>> f = compile(lambda x: callback(seen.append, x * x))
             >>> f(2.0), f(3.0), seen
             (None, None, [4.0, 9.0])
    """
    if earlier.get() is not None:  # a derivative of what has called it already
        return
    tracer = watching.tracer()
    data = [v._data if isinstance(v, Node) else as_data(v) for v in values]
    if tracer is not None:
        nodes = [v if isinstance(v, Node) else make_leaf(Value, kept(as_data(v))) for v in values]
        tracer.effects.append((function, tuple([identity(node) for node in nodes])))
    with watching.unwatched(), tracer.outside(function) if tracer else nullcontext():
        function(*data)


def kept(x: Any) -> Any:
    """Return data that stay as they are, whatever happens to the array they were."""
    return x.copy("K") if shape_of(x) else x


def kept_option(x: Any) -> Any:
    """Return an option of an operation, such as an index, with its arrays as they are now."""
    if isinstance(x, np.ndarray):
        return x.copy("K")
    if type(x) in (tuple, list):
        return type(x)([kept_option(part) for part in x])
    return x


class FunctionTracer(watching.Tracer):
    """Watches one run of a function: refuses what replays could not repeat, notes effects.

    Args: arguments: the Values that stand for the arguments, with what was given.
          roots: the function as the user wrote it, and objects among its arguments.
    """

    def __init__(self, arguments: dict[Node, Any], roots: list[Any]) -> None:
        self.start = next_index()
        self.arguments = arguments
        self.forgotten: dict[Node, tuple[Primitive, tuple[Any, ...], Any]] = {}  # inside no_grad
        self.assigned: dict[Node, list[Node]] = {}  # the data each Value was given, in order
        self.effects: list[tuple[Any, tuple[Node, ...]]] = []  # functions, and what they take
        self.draws: list[Node] = []
        self.made: set[Node] = set()  # Values of data, which begin anew in every replay
        self.randomness = Randomness()
        self.refused: TraceError | None = None  # the function may have caught it
        self.roots = roots
        self.ran = Ran(self.randomness.noticed)
        self._places = Places(roots)
        self._changed_outside: dict[tuple[int, Any], Any] = {}  # by owners' ids and keys: owners
        self._before: dict[Node, Any] = {}
        self._copies: dict[int, tuple[Any, Any]] = {}  # of plain arrays, by the arrays' ids

    def recorded(self, node: Node) -> None:
        """Keep plain arrays as they are now, and the history that `no_grad` makes nodes forget."""
        x, y = node.x, node.y
        if type(x) is tuple:
            node.x = tuple([self._copied(part) for part in x])
        elif type(x) is np.ndarray:
            node.x = self._copied(x)
        if type(y) is np.ndarray:
            node.y = self._copied(y)
        if node.params:
            node.params = {name: kept_option(option) for name, option in node.params.items()}
        if not watching.is_recording() and node.primitive is not None:
            self.forgotten[node] = (node.primitive, node.inputs, node.params)

    def made_of_data(self, node: Node) -> None:
        """Note that the function has made a Value."""
        self.made.add(node)

    def _copied(self, x: Any) -> Any:
        """Return a copy of an array; the same one as long as the array does not change."""
        if type(x) is not np.ndarray:
            return x
        known = self._copies.get(id(x))
        if known is None or known[1].tobytes() != x.tobytes():
            known = self._copies[id(x)] = (x, x.copy("K"))  # holds x, so that its id stays its own
        return known[1]

    def taking(self, node: Node, how: str) -> None:
        """Refuse."""
        self._refuse(
            f"{how} of a Value of shape {node.shape}",
            "the number it has now would be frozen into the program and never change again",
            INSTEAD.get(how, "operations on the Value itself: np.where to choose by a condition, "
            "grad for derivatives, callback(function, v) to look at numbers in every call"),
        )  # fmt: skip

    def assigning(self, node: Node, data: Any) -> None:
        """Note that a Value gets other data, which every replay must give it."""
        if node in self.arguments and not isinstance(self.arguments[node], Node):
            self._refuse(
                "data assigned to an argument that was given as plain data",
                "numbers and arrays have no .data: outside a compiled function this fails, too",
                "a Value as the argument; or return the new data",
            )
        made = data if isinstance(data, Node) else make_leaf(Value, kept(as_data(data)))
        self._before.setdefault(node, node._data)
        self.assigned.setdefault(node, []).append(identity(made))

    def _refuse(self, given: str, why: str, instead: str) -> None:
        given = f"{given} inside a compiled function\n  at:    {user_line()}"
        error = TraceError(given, why, instead)
        self.refused = self.refused or error
        raise error

    @contextmanager
    def outside(self, function: Any) -> Iterator[None]:
        """Let a function run that replays call, too: it may draw, and change what it likes."""
        before = Places([function])
        with self.randomness.allowed(), self.ran.paused():
            yield
        for place in before.changes(Places([function])):
            self._changed_outside[id(place.owner), place.key] = place.owner

    def surroundings(self) -> Surroundings:
        """Return what the run has read beside the arguments."""
        return Surroundings(self.roots, self.ran, set(self._changed_outside))

    def changes(self) -> list[Place]:
        """Return the places that the run itself has changed."""
        found = self._places.changes(Places(self.roots, self.ran))
        return [p for p in found if (id(p.owner), p.key) not in self._changed_outside]

    def undo(self) -> None:
        """Give all Values the data back that they had: the run has failed."""
        for node, data in self._before.items():
            node._data = data

    def current(self, node: Node, age: int) -> Node:
        """Return what stands for a Value in an operation of this age: its latest data by then."""
        for made in reversed(self.assigned.get(node, ())):
            if made.index < age:
                return made
        return node

    def making(self, node: Node) -> tuple[Primitive | None, tuple[Any, ...], Any]:
        """Return how a node of this run was made; nothing, if it is a source."""
        if node.index < self.start:
            return None, (), None
        if node.primitive is not None:
            return node.primitive, node.inputs, node.params
        return self.forgotten.get(node, (None, (), None))

    def first_data(self, node: Node) -> Any:
        """Return the data of a Value that the run has made, as they were at first."""
        return kept(self._before.get(node, node._data))


class Trace(NamedTuple):
    """One run of a function: the program that it recorded, and the data that it gave."""

    program: Program
    results: list[Data]
    draws: list[Data]  # those of its random numbers; their registers are the last of the outputs
    made: list[int]  # registers of the Values that the function has made
    given: dict[int, Data]  # the new data of arguments, by their numbers
    surroundings: Surroundings
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
    lines = tracer.randomness.following_lines() if before and is_alone else nullcontext()
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
        except BaseException:
            tracer.undo()
            raise
    return found


def _doubt(
    tracer: FunctionTracer, found: Trace, before: Trace | None, is_alone: bool
) -> TraceError | None:
    """Return why a recording holds for its own call only, if it does."""
    line = definition(tracer.roots[0])
    changed = tracer.changes()
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
    outputs = [r if isinstance(r, Node) else make_leaf(Value, as_data(r)) for r in results]
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
    program, sources = _program(tracer, arguments, [*outputs, *tracer.draws])
    made = [i for i, node in sources.items() if node in tracer.made]
    draws = [draw._data for draw in tracer.draws]
    data = [out._data for out in outputs]
    return Trace(program, data, draws, made, given, tracer.surroundings(), None)


def definition(f: Any) -> str:
    """Return file and line where a function is defined, if it is written in Python."""
    code = getattr(getattr(f, "__func__", f), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(f)


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
    tracer: FunctionTracer, arguments: list[Any], outputs: list[Node]
) -> tuple[Program, dict[int, Node]]:
    """Return the program of a run, and the nodes of its registers that were not computed."""
    effects = tracer.effects
    roots = [*outputs, *[node for _, nodes in effects for node in nodes]]
    steps = [source(argument._data) for argument in arguments]
    number = {argument: i for i, argument in enumerate(arguments)}
    sources, constants = {}, {}
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
                constants[len(steps)] = x
                steps.append(source(x))
            numbers.append(plain[key])
        number[node] = len(steps)
        dtype = getattr(node._data, "dtype", None)
        steps.append(Step(primitive, tuple(numbers), params, node.shape, dtype))
    program = Program(
        steps,
        list(range(len(arguments))),
        {i: node for i, node in sources.items() if i not in constants},
        constants,
        [number[out] for out in outputs],
        [Effect(function, tuple([number[n] for n in nodes])) for function, nodes in effects],
    )
    return program, sources
