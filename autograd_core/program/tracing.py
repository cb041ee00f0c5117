"""From a function to a program: run it once on Values, and take the graph that it recorded."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from .. import watching
from ..anomaly import user_line
from ..data import Data, as_data, shape_of
from ..errors import TraceError
from ..graph import Node, Primitive, make_leaf, next_index, record
from ..primitives.elementwise import identity
from ..value import Value
from .program import Effect, Program, Step, source
from .randomness import Randomness, guarded

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
    with watching.unwatched(), tracer.randomness.allowed():
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
        nodes = [v if isinstance(v, Node) else make_leaf(Value, as_data(v)) for v in values]
        tracer.effects.append((function, tuple([identity(node) for node in nodes])))
    with watching.unwatched():
        function(*data)


class FunctionTracer(watching.Tracer):
    """Watches one run of a function: refuses what replays could not repeat, notes effects."""

    def __init__(self) -> None:
        self.start = next_index()
        self.forgotten: dict[Node, tuple[Primitive, tuple[Any, ...], Any]] = {}  # inside no_grad
        self.assigned: dict[Node, list[Node]] = {}  # the data each Value was given, in order
        self.effects: list[tuple[Any, tuple[Node, ...]]] = []  # functions, and what they take
        self.draws: list[Node] = []
        self.randomness = Randomness()
        self._before: dict[Node, Any] = {}

    def recorded(self, node: Node) -> None:
        """Keep the history that `no_grad` is about to make the node forget."""
        if not watching.is_recording() and node.primitive is not None:
            self.forgotten[node] = (node.primitive, node.inputs, node.params)

    def taking(self, node: Node, how: str) -> None:
        """Refuse."""
        raise TraceError(
            f"{how} of a Value of shape {node.shape} inside a compiled function\n"
            f"  at:    {user_line()}",
            "the number it has now would be frozen into the program and never change again",
            INSTEAD.get(how, "operations on the Value itself: np.where to choose by a condition, "
            "grad for derivatives, callback(function, v) to look at numbers in every call"),
        )  # fmt: skip

    def assigning(self, node: Node, data: Any) -> None:
        """Note that a Value gets other data, which every replay must give it."""
        made = data if isinstance(data, Node) else make_leaf(Value, as_data(data))
        self._before.setdefault(node, node._data)
        self.assigned.setdefault(node, []).append(identity(made))

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


class Trace(NamedTuple):
    """One run of a function: the program that it recorded, and the data that it gave."""

    program: Program
    results: list[Data]
    draws: list[Data]  # those of its random numbers; their registers are the last of the outputs


def trace(f: Callable[[list[Any]], list[Any]], leaves: list[Any]) -> Trace:
    """Run a function of leaves once, and take its program down.

    Args:    f: takes the Values that stand for the leaves, and returns the leaves of its result.
             leaves: floats and arrays.
    Raises:  TraceError: the function takes data out of the graph, or draws what is not fresh.
    """
    tracer = FunctionTracer()
    arguments = [make_leaf(Value, data) for data in leaves]
    with watching.watch(tracer), watching.recording(), guarded():
        try:
            results = f(arguments)
            tracer.randomness.check(lambda: f(arguments))
            outputs = [r if isinstance(r, Node) else make_leaf(Value, as_data(r)) for r in results]
            for node, versions in tracer.assigned.items():
                tracer.effects.append((Assignment(node), (versions[-1],)))
        except BaseException:
            tracer.undo()
            raise
    given = {id(r) for r in results if isinstance(r, Node)}
    last = next_index()
    outputs = [tracer.current(out, last) if id(out) in given else out for out in outputs]
    program = _program(tracer, arguments, [*outputs, *tracer.draws])
    draws = [draw._data for draw in tracer.draws]
    return Trace(program, [out._data for out in outputs], draws)


class Assignment(NamedTuple):
    """The effect of `p.data = ...`: a Value gets new data."""

    node: Node

    def __call__(self, data: Any) -> None:
        """Give it the data."""
        self.node._data = data


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


def _kept(x: Any) -> Any:
    """Return a constant that stays as it is, whatever happens to the array it was."""
    return x.copy("K") if shape_of(x) else x


def _program(tracer: FunctionTracer, arguments: list[Any], outputs: list[Node]) -> Program:
    effects = tracer.effects
    roots = [*outputs, *[node for _, nodes in effects for node in nodes]]
    order = _reached(tracer, roots)
    steps = [source(argument._data) for argument in arguments]
    number = {argument: i for i, argument in enumerate(arguments)}
    captured, constants = {}, {}
    plain: dict[Any, int] = {}  # registers of constants, of arrays by identity
    fixed = {id(out) for out in outputs if out.index >= tracer.start}
    for node in order:
        if node in number:
            continue
        primitive, inputs, params = tracer.making(node)
        if primitive is None:
            if id(node) in fixed:
                constants[len(steps)] = _kept(node._data)
            else:
                captured[len(steps)] = node
            number[node] = len(steps)
            steps.append(source(node._data))
            continue
        numbers = []
        for x in inputs:
            if isinstance(x, Node):
                numbers.append(number[tracer.current(x, node.index)])
                continue
            key = ("array", id(x)) if shape_of(x) else ("number", str(x))  # -0.0 is not 0.0
            if key not in plain:
                plain[key] = len(steps)
                constants[len(steps)] = _kept(x)
                steps.append(source(x))
            numbers.append(plain[key])
        number[node] = len(steps)
        dtype = getattr(node._data, "dtype", None)
        steps.append(Step(primitive, tuple(numbers), params, node.shape, dtype))
    return Program(
        steps,
        list(range(len(arguments))),
        captured,
        constants,
        [number[out] for out in outputs],
        [Effect(function, tuple([number[n] for n in nodes])) for function, nodes in effects],
    )
