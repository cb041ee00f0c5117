"""One run of a function on one sample, from which its results for all samples follow."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from ... import watching
from ...anomaly import user_line
from ...backprop import hold_nan
from ...conditions import TRACED, retype
from ...data import Data, as_data, dtype_of, shape_of
from ...errors import TraceError
from ...graph import Node, Primitive, make_leaf, next_index
from ...messages import describe
from ...trace import plain
from ...value import Value
from ..tracing import earlier, fresh
from .rules import carry_out
from .tasks import Register, Task

Making = tuple[Primitive, tuple[Any, ...], dict[str, Any] | None]


class Trial(watching.Tracer):
    """Watches one run of a function on one sample, and carries its operations out for all."""

    def __init__(self, batch_size: int) -> None:
        outer = watching.tracer()
        self.batch_size = batch_size
        self.start = next_index()
        self.registers: dict[Node, Register] = {}  # what the nodes of the run are for all samples
        self.forgotten: dict[Node, Making] = {}  # how those inside no_grad were made
        self.draws: list[Node] = []
        # What may draw and change what it likes, inside a compiled function
        self.outside = outer.outside if outer else nullcontext
        self.drawn: list[Any] = []  # the same for all samples
        self.outer = outer
        self.derivatives: set[Node] = set()
        self.is_spoilt = False  # whether one of them holds NaN, so that samples decide themselves

    def derived(self, cotangents: list[Any]) -> None:
        """Look for NaN in derivatives once they are known for all samples."""
        self.derivatives.update(g for g in cotangents if isinstance(g, Node))

    def _look_for_nan(self, cotangents: list[Any]) -> None:
        if self.outer is not None:
            self.outer.derived(cotangents)
        else:
            self.is_spoilt = self.is_spoilt or hold_nan(cotangents)

    functions = TRACED

    def recorded(self, node: Node) -> None:
        """Keep the history that `no_grad` is about to make the node forget."""
        if type(node) is not Value:
            retype(node)
        if not watching.is_recording() and node.primitive is not None:
            self.forgotten[node] = (node.primitive, node.inputs, node.params)

    def taking(self, node: Node, how: str) -> None:
        """Refuse."""
        self.refuse(
            f"{how} of a Value of shape {node.shape}",
            "it stands for all samples, and has the number of one of them",
            "operations on the Value itself: np.where to choose by a condition, grad for "
            "derivatives, Value(array)[place]; or return it, and look at it after the batch",
        )

    def refuse(self, given: str, why: str, instead: str) -> None:
        """Raise TraceError."""
        given = f"{given} inside a batched function\n  at:    {user_line()}"
        raise TraceError(given, why, instead)

    def assigning(self, node: Node, data: Any) -> None:
        """Refuse."""
        self.refuse(
            f"{describe(data)} assigned to the data of {describe(node)}",
            "each sample would give the Value other data, and it holds one",
            "return the new data, and assign to the Value after the batch",
        )

    @property
    def effects(self) -> Any:
        """What `callback` asks for: refused."""
        return self.refuse(
            "callback",
            "it would see one sample in place of all",
            "return what it is to see, and call it after the batch",
        )

    def stand_in(self, samples: Any) -> Any:
        """Return a Value that holds one sample, the first, and stands for all."""
        data = plain(samples)
        one = as_data(data[0] if len(data) else np.zeros(data.shape[1:], data.dtype))
        node = make_leaf(Value, one)
        self.registers[node] = Register(samples, len(shape_of(one)), True)
        return node

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch what is computed inside the block."""
        draws = earlier.get()  # a derivative uses what the value has drawn for all samples
        token = earlier.set(draws and map(self._drawn_before, draws))
        try:
            with watching.watch(self), watching.recording():
                yield
        finally:
            earlier.reset(token)

    def _drawn_before(self, drawn: Any) -> Any:
        self.drawn.append(drawn)
        return self.stand_in(drawn)

    def for_all(self, results: list[Any]) -> list[Any]:
        """Return what the results of the run are for all samples."""
        for node in self.draws:
            _, _, params = self._making(node) or (None, (), None)
            drawn = fresh(self._draw_each((params or {})["draw"], node._data))
            self.registers[node] = Register(drawn, len(node.shape), True)
            self.drawn.append(drawn)
        order = self._reached(results)
        last_use = {x: node for node in order for x in self._inputs(node)}
        last_use.update((x, x) for x in results if isinstance(x, Node))  # kept to the end
        for node in order:
            with self._as_recorded(node):
                self.registers[node] = carry_out(self._task(node))
            if node in self.derivatives:
                self._look_for_nan([self.registers[node].data])
            for x in self._inputs(node):
                if last_use[x] is node:
                    self.registers.pop(x, None)  # its memory is free for others
        return [self._register(x).for_each(self.batch_size) for x in results]

    def _draw_each(self, draw: Callable[[], Any], first: Data) -> Callable[[], Any]:
        """Return what draws once for each sample; what the run has drawn is for the first."""
        seen = [first]

        def draw_each() -> Any:
            drawn = [as_data(seen.pop() if seen else draw()) for _ in range(self.batch_size or 1)]
            return np.stack(drawn)[: self.batch_size]

        return draw_each

    def _as_recorded(self, node: Node) -> AbstractContextManager[None]:
        forgetting: AbstractContextManager[None] = watching.no_grad()
        return forgetting if node in self.forgotten else nullcontext()

    def _making(self, node: Node) -> Making | None:
        """Return how a node was made in this run; None of what the run started from."""
        if node.index < self.start:
            return None
        if node.primitive is not None:
            return node.primitive, node.inputs, node.params
        return self.forgotten.get(node)

    def _inputs(self, node: Node) -> list[Node]:
        making = self._making(node)
        return [x for x in making[1] if isinstance(x, Node)] if making else []

    def _reached(self, results: list[Any]) -> list[Node]:
        """Return the nodes that are computed for the results, inputs before outputs."""
        seen: set[Node] = set()
        stack = [x for x in results if isinstance(x, Node)]
        while stack:
            node = stack.pop()
            if node not in seen and node not in self.registers and self._making(node):
                seen.add(node)
                stack += self._inputs(node)
        return sorted(seen, key=lambda node: node.index)

    def _task(self, node: Node) -> Task:
        primitive, inputs, params = self._making(node)  # type: ignore[misc]  # it was reached
        registers = [self._register(x) for x in inputs]
        return Task(primitive, params or {}, registers, self.batch_size, node.shape, dtype_of(node))

    def _register(self, x: Any) -> Register:
        """Return what a node or a constant of the run is for all samples."""
        if isinstance(x, Node):
            return self.registers.get(x) or Register(x, len(x.shape), False)
        return Register(as_data(x), len(shape_of(x)), False)
