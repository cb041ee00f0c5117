"""Replay: a recorded function with its program, which gives results of the same structure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..data import as_data, shape_of
from ..derivatives import gradients
from ..graph import Node, Primitive, make_leaf, record
from ..primitives.elementwise import equal
from ..value import Value
from ..watching import is_recording, no_grad, recording
from .executors import executor
from .passes import simplified
from .program import Program
from .signature import Build, builder, is_condition
from .tracing import Assignment, drawing_again, trace


class Replay:
    """One program of a function, for arguments of one structure.

    Recording it has run the function once, with the result `first()`.

    Args:    f: the function.
             args, kwargs: those of the first call.
             differentiable: let results that depend on Values remember how they were made.
             compile: makes programs of the derivatives, when they are asked for.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: Any,
        kwargs: Any,
        differentiable: bool,
        compile: Callable[..., Any],
    ) -> None:
        leaves: list[Any] = []
        self._f, self._compile = f, compile
        self._has_keywords = bool(kwargs)
        self._build = builder((args, kwargs) if kwargs else args, leaves)
        self._build_result: Build
        self._conditions = [i for i, leaf in enumerate(leaves) if is_condition(leaf)]
        leaves = [leaf if isinstance(leaf, Node) else as_data(leaf) for leaf in leaves]
        traced = trace(self._run, [_plain(leaf) for leaf in leaves])
        program, count = traced.program, len(traced.results)
        self._inputs = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Node)]
        self._live = _live(program, self._inputs, count)
        self._differentiable = differentiable
        if not (self._live and differentiable):
            program = replace(program, outputs=program.outputs[:count])
        self.program: Program = simplified(program)
        self._captured = list(program.captured.values())
        self._execute = executor(self.program)
        self._count = count
        self._pullbacks: dict[int, Callable[..., Any]] = {}
        results = [x.copy("K") if shape_of(x) else x for x in traced.results]  # type: ignore[union-attr]
        self._first = [self._finished([*results, *traced.draws], leaves)]

    def __call__(self, leaves: list[Any]) -> Any:
        """Replay with other data."""
        data = [_plain(leaf) for leaf in leaves] if self._inputs else leaves
        return self._finished(self._execute(data), leaves)

    def first(self) -> Any:
        """Return the result of the run that was recorded; once, so that nothing keeps it."""
        return self._first.pop()

    def _run(self, arguments: list[Any]) -> list[Any]:
        """Call the function itself with leaves, and return the leaves of its result."""
        arguments = list(arguments)
        for i in self._conditions:
            arguments[i] = equal(arguments[i], 1.0)  # known as a condition to whoever gets it
        if self._has_keywords:
            args, kwargs = self._build(arguments, 0)
            result = self._f(*args, **kwargs)
        else:
            result = self._f(*self._build(arguments, 0))
        results: list[Any] = []
        self._build_result = builder(result, results)
        return results

    def _finished(self, results: list[Any], leaves: list[Any]) -> Any:
        """Give results their structure; those that depend on Values become Values."""
        if self._live:
            draws = results[self._count :]
            for i in self._live:
                if self._differentiable:
                    results[i] = self._value(i, results[i], leaves, draws)
                else:
                    results[i] = make_leaf(Value, results[i])
        return self._build_result(results, 0)

    def _value(self, i: int, data: Any, leaves: list[Any], draws: list[Any]) -> Any:
        """Return result i as a node, whose rule is the program of its derivatives."""
        pulled: dict[int, Any] = {}  # what this sweep's other rules are about to return
        asked: list[Any] = [None, None]  # the cotangent that was pulled back to it, and how

        def rule(k: int, g: Any, out: Any, *inputs: Any) -> Any:
            live = isinstance(out, Node)
            if k not in pulled or asked[0] is not g or asked[1] is not live:
                given = list(leaves)
                for number, x in zip(self._inputs, inputs, strict=False):
                    given[number] = x
                asked[:] = g, live
                pulled.update(enumerate(self._pull(i, given, draws, g, live)))
            return pulled.pop(k)

        name = getattr(self._f, "__name__", "function")
        primitive = Primitive(f"compiled {name}", lambda *inputs: data, each=rule)
        inputs = (*[leaves[number] for number in self._inputs], *self._captured)
        return record(Value, data, primitive, inputs, None, None)

    def _pull(self, i: int, leaves: list[Any], draws: list[Any], g: Any, live: bool) -> list[Any]:
        """Return the cotangents of the Values that took part, given that of result i.

        live: as Values, which remember how they were computed from them.
        """
        pullback = self._pullbacks.get(i)
        if pullback is None:

            def pull(leaves: list[Any], draws: list[Any], g: Any) -> list[Any]:
                live, leaves = is_recording(), list(leaves)
                for number in self._inputs:
                    if not isinstance(leaves[number], Node):
                        leaves[number] = make_leaf(Value, leaves[number])
                targets = [leaves[number] for number in self._inputs]
                with recording(), drawing_again(draws):
                    result = self._run(leaves)[i]
                found: list[Any] = gradients(result, [*targets, *self._captured], g, live)
                return found

            pullback = self._pullbacks[i] = self._compile(pull)
        if live:
            values: list[Any] = pullback(leaves, draws, g)
            return values
        with no_grad():
            return [_plain(x) for x in pullback(leaves, draws, g)]


def _live(program: Program, inputs: list[int], count: int) -> list[int]:
    """Return the numbers of the results that depend on captured Values or arguments that are some.

    A function that gives its parameters new data gives plain results: they belong to the old.
    """
    if any(isinstance(effect.function, Assignment) for effect in program.effects):
        return []
    reached = {program.arguments[i] for i in inputs} | set(program.captured)
    for i, step in enumerate(program.steps):
        if any(x in reached for x in step.inputs):
            reached.add(i)
    return [k for k, i in enumerate(program.outputs[:count]) if i in reached]


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x
