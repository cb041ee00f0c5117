"""Watching the one run of a function that is recorded, and what it may do beside computing."""

import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import numpy as np

from .. import watching
from ..backprop import hold_nan
from ..data import Data, Function, Operand, Params, Result, as_data, shape_of
from ..errors import TraceError
from ..graph import Node, Primitive, next_index, record
from ..messages import check_function, user_line
from ..primitives.elementwise import identity
from ..value import PRINTING, Value, make_leaf
from .conditions import BITS, TRACED
from .integers import Whole, retype
from .surroundings import Run

# What to write instead of what would be frozen
INSTEAD = {
    ".backward()": "grad(f) or value_and_grad(f) of a function of the parameters, or "
    "gradients(loss, parameters)",
    ".grad": "the gradients that grad, value_and_grad or gradients(loss, parameters) return",
    "a branch, as in `if v:`": "np.where(condition, a, b), which chooses anew in every replay",
    "a condition as an index": "np.where(condition, v, 0.0), which keeps the shape; how many "
    "elements a condition chooses depends on the data",
    BITS: "logic between conditions: (a > 0) & (b > 0)",
    PRINTING: "callback(print, v), which prints in every call",
    "np.asarray()": "operations on the Value itself; for array[v], Value(array)[v]",
    "a position or count": "plain numbers for what decides about shapes",
}

_NEVER = (".backward()", ".grad", "a copy", "a copy, or a pickle,")  # of any Value

Making = tuple[
    Primitive | None, tuple[Operand, ...], Params | None
]  # what made a node, its inputs, params

fresh_draw: Primitive = Primitive(
    "fresh", lambda *, draw: draw(), each=lambda i, g, out, *, draw: g
)
# Draws of an earlier run, to be used again: derivatives see the numbers that the value saw
earlier: ContextVar[Iterator[Operand] | None] = ContextVar("earlier", default=None)


def fresh(draw: Callable[[], Operand]) -> Result:
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
    check_function("fresh", draw)
    draws = earlier.get()
    if draws is not None:
        return next(draws)
    tracer = watching.tracer()
    if tracer is None:
        return draw()
    with watching.unwatched(), tracer.outside(draw):
        data = as_data(draw())
    drawn = record(Value, data, fresh_draw, (), None, {"draw": draw})
    tracer.draws.append(drawn)
    return drawn


class Rerun:
    """The draws of a run that a function repeats, after it has called so many callbacks."""

    def __init__(self, draws: Iterable[Operand], called: int = 0) -> None:
        self._draws = iter(draws)
        self._called = called

    def __iter__(self) -> "Rerun":
        return self

    def __next__(self) -> Operand:
        return next(self._draws)

    def calls(self) -> bool:
        """Tell whether the next callback is still to be called."""
        self._called -= 1
        return self._called < 0


@contextmanager
def drawing_again(draws: Iterable[Operand]) -> Iterator[None]:
    """Let `fresh` return these, one after another."""
    token = earlier.set(iter(draws))
    try:
        yield
    finally:
        earlier.reset(token)


def callback(function: Function, *values: Operand) -> None:
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
    check_function("callback", function)
    draws = earlier.get()
    if draws is not None and not (isinstance(draws, Rerun) and draws.calls()):
        return  # the value of which this is a derivative has called it already
    data = [v._data if isinstance(v, Node) else as_data(v) for v in values]
    if not watching.open_watches:
        function(*data)
        return
    tracer = watching.tracer()
    if tracer is not None:
        nodes = [v if isinstance(v, Node) else make_leaf(kept(as_data(v))) for v in values]
        tracer.effects.append((function, tuple([identity(node) for node in nodes])))
        if tracer.is_spoilt:
            return
        tracer.calls += 1
    with watching.unwatched(), tracer.outside(function) if tracer else nullcontext():
        function(*data)


def kept(x: Operand) -> Operand:
    """Return data that stay as they are, whatever happens to the array they were."""
    return x.copy("K") if shape_of(x) else x


def kept_option(x: Operand) -> Any:
    """Return an option of an operation, such as an index, with its arrays as they are now."""
    if isinstance(x, np.ndarray):
        return x.copy("K")
    if type(x) in (tuple, list):
        return type(x)([kept_option(part) for part in x])
    if isinstance(x, slice):
        return slice(kept_option(x.start), kept_option(x.stop), kept_option(x.step))
    return operator.index(x) if isinstance(x, Whole) else x


class GraphTracer(watching.Tracer):
    """A tracer that knows how each node of its run was made, inside `no_grad`, too."""

    functions = TRACED

    def __init__(self) -> None:
        self.start = next_index()
        self._forgotten: dict[Node, Making] = {}  # how those inside no_grad were made

    def recorded(self, node: Node) -> None:
        """Keep the history that `no_grad` is about to make the node forget."""
        if type(node) is not Value:
            retype(node)
        if not watching.is_recording() and node.primitive is not None:
            self._forgotten[node] = (node.primitive, node.inputs, node.params)

    def making(self, node: Node) -> Making:
        """Return how a node of this run was made; nothing, if it is a source."""
        if node.index < self.start:
            return None, (), None
        if node.primitive is not None:
            return node.primitive, node.inputs, node.params
        return self._forgotten.get(node, (None, (), None))

    def is_forgotten(self, node: Node) -> bool:
        """Tell whether a node was made inside `no_grad`."""
        return node in self._forgotten


class FunctionTracer(GraphTracer):
    """Watches one run of a function: refuses what replays could not repeat, notes effects.

    Args: arguments: the Values that stand for the arguments, with what was given.
          run: what the function reads and changes.
    """

    copies_constants = True

    def __init__(self, arguments: dict[Node, Operand], run: Run) -> None:
        super().__init__()
        self.arguments = arguments
        self.assigned: dict[Node, list[Node]] = {}  # the data each Value was given, in order
        self.effects: list[tuple[Any, tuple[Node, ...]]] = []  # functions, and what they take
        self.draws: list[Node] = []
        self.made: set[Node] = set()  # Values of data, which begin anew in every replay
        self.refused: TraceError | None = None  # the function may have caught it
        self.fixed: set[Node] = set()  # ints among the arguments that the function has looked at
        self.run = run
        self.outside = run.outside
        self.differentiated: set[Node] = set()  # by which the function itself differentiates
        self.derivatives: list[Node] = []  # what sweeps have found
        self.calls = 0  # of callbacks
        self.is_spoilt = False  # whether a derivative holds NaN: the function is to decide itself
        self._before: dict[Node, tuple[Data, int]] = {}
        self._copies: dict[int, tuple[Operand, Operand]] = {}  # of plain arrays, by the arrays' ids
        self._originals: dict[int, object] = {}  # by the copies' ids

    def recorded(self, node: Node) -> None:
        """Keep plain arrays and options as they are now."""
        x, y = node.x, node.y
        if type(x) is tuple:
            node.x = tuple([self._copied(part) for part in x])
        elif type(x) is np.ndarray:
            node.x = self._copied(x)
        if type(y) is np.ndarray:
            node.y = self._copied(y)
        if node.params:
            node.params = {name: kept_option(option) for name, option in node.params.items()}
        super().recorded(node)

    def made_of_data(self, node: Node) -> None:
        """Note that the function has made a Value."""
        self.made.add(node)

    def _copied(self, x: Operand) -> Operand:
        """Return a copy of an array; the same one as long as the array does not change."""
        if type(x) is not np.ndarray:
            return x
        known = self._copies.get(id(x))
        if known is None or known[1].tobytes() != x.tobytes():
            known = self._copies[id(x)] = (x, x.copy("K"))  # holds x, so that its id stays its own
            self._originals[id(known[1])] = x
        return known[1]

    def original(self, copied: Operand) -> Operand:
        """Return the array that was copied, if it is still as it was."""
        x = self._originals.get(id(copied))
        return x if x is not None and self._copied(x) is copied else None

    def differentiating(self, values: list[Node]) -> None:
        """Note by which Values `gradients` differentiates."""
        self.differentiated.update(values)

    def derived(self, cotangents: list[Result]) -> None:
        """Let replays look for NaN in derivatives."""
        recorded = [g for g in cotangents if isinstance(g, Node)]
        self.derivatives += recorded
        self.is_spoilt = self.is_spoilt or hold_nan(recorded)

    def taking(self, node: Node, how: str) -> None:
        """Refuse, unless it follows from whole numbers: then the program is for these."""
        if how not in _NEVER and self.fixes(node):
            return
        self.refuse(
            f"{how} of a Value of shape {node.shape}",
            "the number it has now would be frozen into the program and never change again",
            INSTEAD.get(how, "operations on the Value itself: np.where to choose by a condition, "
            "grad for derivatives, callback(function, v) to look at numbers in every call"),
        )  # fmt: skip

    def fixes(self, node: Node) -> bool:
        """Tell whether a Value follows from ints among the arguments alone, and fix these."""
        found: set[Node] = set()
        seen: set[Node] = set()
        stack = [node]
        while stack:
            x = stack.pop()
            if isinstance(x, Whole) and x in self.arguments and not x.shape:
                found.add(x)
            elif x not in seen:
                seen.add(x)
                primitive, inputs, _ = self.making(x)
                is_source = primitive is None and x not in self.made
                if is_source or primitive is fresh_draw or x in self.assigned:
                    return False
                stack += [part for part in inputs if isinstance(part, Node)]
        self.fixed |= found
        return True

    def assigning(self, node: Node, data: Operand) -> None:
        """Note that a Value gets other data, which every replay must give it."""
        if node in self.arguments and not isinstance(self.arguments[node], Node):
            self.refuse(
                "data assigned to an argument that was given as plain data",
                "numbers and arrays have no .data: outside a compiled function this fails, too",
                "a Value as the argument; or return the new data",
            )
        made = data if isinstance(data, Node) else make_leaf(kept(as_data(data)))
        self._before.setdefault(node, (node._data, node.assigned))
        self.assigned.setdefault(node, []).append(identity(made))

    def refuse(self, given: str, why: str, instead: str) -> None:
        """Raise TraceError, and remember it: the function may catch it."""
        given = f"{given} inside a compiled function\n  at:    {user_line()}"
        error = TraceError(given, why, instead)
        self.refused = self.refused or error
        raise error

    def undo(self) -> None:
        """Give all Values the data back that they had: the run has failed."""
        for node, data in self._before.items():
            node._data, node.assigned = data

    def current(self, node: Node, age: int) -> Node:
        """Return what stands for a Value in an operation of this age: its latest data by then."""
        for made in reversed(self.assigned.get(node, ())):
            if made.index < age:
                return made
        return node

    def first_data(self, node: Node) -> Data:
        """Return the data of a Value that the run has made, as they were at first."""
        return kept(self._before.get(node, (node._data, 0))[0])
