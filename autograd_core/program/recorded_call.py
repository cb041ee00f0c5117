"""A recorded call: a function with its program, which gives results of the same structure."""

from collections import deque
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from itertools import repeat
from typing import Any

import numpy as np

from .. import watching
from ..backprop import paths
from ..data import Data, Function, Operand, Params, Result, Tree, as_data
from ..derivatives import pulled, zeros
from ..errors import TraceError
from ..graph import Node, Primitive, next_index, plain, record
from ..structural_zeros import careful_sweep
from ..value import Value, make_leaf
from ..watching import FORGOTTEN, Lasting, is_recording, no_grad, recording, tracer, watch
from .array_executor import ArrayExecutor
from .integers import Integers, kind_of, marked
from .passes import simplified
from .program import Executor, Program, Unanswered
from .recording import Assignment, Recording, trace
from .scalar_executor import scalar_executor
from .signature import Build, builder, is_static_result, statics
from .tracing import Rerun, drawing_again, kept


class RecordedCall:
    """One program of a function, for arguments of one structure.

    Recording it has run the function once, with the result `first()`.

    Args:    f: the function.
             args, kwargs: those of the first call.
             differentiable: let results that depend on Values remember how they were made.
             compile: makes programs of the derivatives, when they are asked for.
             before: the replay of the call before, if there was a doubt about it.
    """

    def __init__(
        self,
        f: Function,
        args: tuple[Tree, ...],
        kwargs: Params,
        differentiable: bool,
        compile: Function,
        before: "RecordedCall | None" = None,
    ) -> None:
        leaves: list[Operand] = []
        self._function, self._compile = f, compile
        self._has_keywords = bool(kwargs)
        self._build = builder((args, kwargs) if kwargs else args, leaves)
        self._build_result: Build
        self._special = [(i, kind) for i, leaf in enumerate(leaves) if (kind := kind_of(leaf))]
        leaves = [x if isinstance(x, Node) else as_data(x) for x in leaves]
        roots = [f, *statics((args, kwargs))]
        self._fixed: dict[int, Any] = {}
        traced = trace(self._run, leaves, roots, before.traced if before else None)
        self._surroundings, self._fixed = traced.surroundings, traced.fixed
        self.traced: Recording | None = traced if traced.doubt else None
        self.doubt = traced.doubt
        program, count = traced.program, len(traced.results)
        self._inputs = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Node)]
        assigns = any(isinstance(effect.function, Assignment) for effect in program.effects)
        captured = {i: node for i, node in program.captured.items() if i not in traced.arrays}
        sources = [*[program.arguments[i] for i in self._inputs], *captured]
        # A function that gives Values new data gives plain results: they belong to the old data
        self._live = [] if assigns else _depending(program, sources, count)
        kinds = self._kinds
        self._integers = [(i, kind) for i, kind in enumerate(kinds) if kind is not None]
        self._live = [i for i in self._live if kinds[i] is None]
        made = [i for i in _depending(program, traced.made, count) if kinds[i] is None]
        self._made = [i for i in made if i not in self._live]
        self._differentiable = differentiable
        if not (self._live and differentiable):
            program = replace(program, outputs=program.outputs[:count])
        self.program: Program = simplified(program)
        self._captured = list(captured.values())
        arrays = [node for node in self._captured if node.shape]
        self._dtypes = [(node, node.dtype) for node in arrays]
        # Effects take place once all has been computed
        computed = replace(self.program, outputs=self.program.wanted(), effects=[])
        self._execute = executor(computed)
        self._take_effect = _effects(program)
        self._sole = traced.sole if self._inputs and traced.sole else None
        self._count, self._with_draws = count, len(program.outputs)
        self._pullbacks: dict[int, Function] = {}
        if traced.calls is not None:
            again = Rerun(traced.draws, traced.calls)
            self._first = [self._answered(again, traced.draws, leaves, args, kwargs)]
            return
        for number, data in traced.given.items():
            leaves[number]._data = kept(data)
        self._first = [self._replayed([*map(kept, traced.results), *traced.draws], leaves)]

    def is_for(self, leaves: list[Operand]) -> bool:
        """Tell whether the whole numbers among the arguments are those of the program."""
        return all([leaves[i] == number for i, number in self._fixed.items()])

    def serves(self, leaves: list[Operand]) -> bool:
        """Tell whether all that decided about the program is as it was."""
        if self._fixed and not self.is_for(leaves):
            return False
        for node, dtype in self._dtypes:
            if node._data.dtype is not dtype:  # type: ignore[union-attr]
                return False
        return self._surroundings.are_current()

    def __call__(self, leaves: list[Operand], args: tuple[Tree, ...], kwargs: Params) -> Tree:
        """Replay with other data: the leaves of these arguments."""
        data = leaves
        if self._inputs:
            data = [plain(leaf) for leaf in leaves]
            if self._sole is not None:
                self._sole.check(leaves)
        results = self._execute(data)
        if isinstance(results, Unanswered):
            return self._answered(Rerun(results.draws), results.draws, leaves, args, kwargs)
        if self._take_effect is not None:
            self._take_effect(results[self._with_draws :], leaves)
        return self._replayed(results, leaves)

    def first(self) -> Tree:
        """Return the result of the run that was recorded; once, so that nothing keeps it."""
        return self._first.pop()

    def _answered(
        self,
        again: Rerun,
        draws: list[Operand],
        leaves: list[Operand],
        args: tuple[Tree, ...],
        kwargs: Params,
    ) -> Tree:
        """Let the function itself compute what its program cannot: see `Unanswered`."""
        with recording(), drawing_again(again):
            result = self._function(*args, **kwargs)
        results: list[Result] = []
        self._build_result = builder(result, results, is_static_result)
        data = [plain(x) for x in results]
        data = [x if kind_of(x) else kept(as_data(x)) for x in data]
        return self._finished([*data, *draws], leaves)

    def _run(self, arguments: list[Operand]) -> list[Result]:
        """Call the function itself with leaves, and return the leaves of its result."""
        arguments = list(arguments)
        for i, kind in self._special:
            x = arguments[i]
            if i in self._fixed:  # a derivative of what was recorded for it
                arguments[i] = kind.outside(self._fixed[i])
            else:
                arguments[i] = marked(x, kind) if isinstance(x, Node) else kind.outside(x)
        if self._has_keywords:
            args, kwargs = self._build(arguments, 0)
            result = self._function(*args, **kwargs)
        else:
            result = self._function(*self._build(arguments, 0))
        results: list[Result] = []
        self._build_result = builder(result, results, is_static_result)
        self._kinds = [_integers(x) for x in results]
        results = [0.0 if kind_of(x) else x for x in results]
        if tracer() is not None:
            results = [x.exact() if isinstance(x, Integers) else x for x in results]
        origins = [getattr(x, "origin", None) for x in results]
        self._forgotten = {i for i, origin in enumerate(origins) if origin == FORGOTTEN}
        return results

    def _replayed(self, results: list[Result], leaves: list[Operand]) -> Tree:
        """Make integers and bools of the floats that a program gives for them."""
        for i, kind in self._integers:
            results[i] = kind(results[i])
        return self._finished(results, leaves)

    def _finished(self, results: list[Result], leaves: list[Operand]) -> Tree:
        """Give results their structure; those that depend on Values become Values."""
        for i in self._made:
            results[i] = make_leaf(results[i])
        if self._live:
            draws = results[self._count : self._with_draws]
            for i in self._live:
                if self._differentiable and i not in self._forgotten:
                    results[i] = self._value(i, results[i], leaves, draws)
                else:
                    results[i] = make_leaf(results[i])
                    results[i].origin = FORGOTTEN
        return self._build_result(results, 0)

    def _value(self, i: int, data: Operand, leaves: list[Operand], draws: list[Operand]) -> Result:
        """Return result i as a node, whose rule is the program of its derivatives."""
        pulled: dict[int, Result] = {}  # what this sweep's other rules are about to return
        asked: list[Any] = [None, None]  # the cotangent that was pulled back to it, and how

        def rule(k: int, g: Operand, out: Operand, *inputs: Operand) -> Result:
            live = isinstance(out, Node)
            if k not in pulled or asked[0] is not g or asked[1] is not live:
                given = list(leaves)
                for number, x in zip(self._inputs, inputs, strict=False):
                    given[number] = x
                asked[:] = g, live
                pulled.update(enumerate(self._pull(i, given, draws, g, live)))
            return pulled.pop(k)

        def careful(
            k: int, g: Operand, mask: Operand, out: Operand, *inputs: Operand
        ) -> tuple[Result, Result]:
            given = list(leaves)
            for number, x in zip(self._inputs, inputs, strict=False):
                given[number] = x
            return self._carefully(i, given, draws, g, mask, isinstance(out, Node))[k]

        name = getattr(self._function, "__name__", "function")
        primitive = Primitive(f"compiled {name}", lambda *inputs: data, each=rule, careful=careful)
        inputs = (*[leaves[number] for number in self._inputs], *self._captured)
        return record(Value, data, primitive, inputs, None, None)

    def _pull(
        self, i: int, leaves: list[Operand], draws: list[Operand], g: Operand, live: bool
    ) -> list[Result]:
        """Return the cotangents of the Values that took part, given that of result i.

        live: as Values, which remember how they were computed from them.
        """
        if not self._surroundings.are_current():
            raise TraceError(
                "a backward sweep through a compiled function after a number, array or attribute "
                "that it reads has changed",
                "the sweep computes the function again, and would do so with what is there now",
                "the change after backward(); or an argument instead of what is captured",
            )
        pullback = self._pullbacks.get(i)
        if pullback is None:

            def pull(leaves: list[Operand], draws: list[Operand], g: Operand) -> list[Result]:
                live = is_recording()
                if tracer() is None:  # the program of the pullback has found NaN
                    return [d for d, _ in self._carefully(i, leaves, draws, g, 1.0, live)]
                result, targets = self._again(i, leaves, draws)
                found: list[Result] = pulled(result, targets, g, live=True)
                return found

            pullback = self._pullbacks[i] = self._compile(pull)
        if live:
            values: list[Result] = pullback(leaves, draws, g)
            return values
        with no_grad():
            return [plain(x) for x in pullback(leaves, draws, g)]

    def _again(
        self, i: int, leaves: list[Operand], draws: list[Operand]
    ) -> tuple[Result, list[Node]]:
        """Compute result i from Values, and return it with those."""
        leaves = list(leaves)
        for number in self._inputs:
            if not isinstance(leaves[number], Node):
                leaves[number] = make_leaf(leaves[number])
        with recording(), drawing_again(draws):
            result = self._run(leaves)[i]
        return result, [*[leaves[number] for number in self._inputs], *self._captured]

    def _carefully(
        self,
        i: int,
        leaves: list[Operand],
        draws: list[Operand],
        g: Operand,
        mask: Operand,
        live: bool,
    ) -> list[tuple[Result, Result]]:
        """Return the cotangents of the Values that took part, with their masks, without programs.

        mask: of the elements of g, see structural_zeros.py.
        """
        with np.errstate(all="ignore"), recording():
            with watch(Lasting()):
                result, targets = self._again(i, leaves, draws)
            order, within, _ = paths(result, targets) if isinstance(result, Node) else ([], None, 0)
            if not order:
                return [(zeros(x), 0.0) for x in targets]
            found, masks = careful_sweep(order, g, within, live, mask)
        return [(found.get(x, zeros(x)), masks.get(x, 0.0)) for x in targets]


def _depending(program: Program, sources: list[int], count: int) -> list[int]:
    """Return the numbers of the results, which come first, that depend on these registers."""
    reached = set(sources)
    for i, step in enumerate(program.steps):
        if any(x in reached for x in step.inputs):
            reached.add(i)
    return [k for k, i in enumerate(program.outputs[:count]) if i in reached]


def _effects(program: Program) -> Callable[[list[Data], list[Operand]], None] | None:
    """Return what a replay does with the data of the effects' inputs, beside giving results.

    Callbacks come first. Assignments then take place all at once: an interrupt, or an exception
    in a callback, leaves all Values with the data of one call.
    """
    if not program.effects:
        return None
    callbacks: list[tuple[Function, slice]] = []
    targets: list[Any] = []
    wanted: list[int] = []
    at = 0
    for function, inputs in program.effects:
        if isinstance(function, Assignment):
            targets.append(function.target)
            wanted.append(at)
        else:
            callbacks.append((function, slice(at, at + len(inputs))))
        at += len(inputs)
    are_captured = all([isinstance(target, Node) for target in targets])

    def take_effect(data: list[Data], leaves: list[Operand]) -> None:
        receivers = targets
        if not are_captured:
            receivers = [x if isinstance(x, Node) else leaves[x] for x in targets]
        for function, part in callbacks:
            function(*data[part])
        age = next_index()
        watching.assigned(age)  # what was computed from the old data cannot be differentiated
        for receiver in receivers:
            receiver.assigned = age
        # By one call in C, which no interrupt divides
        deque(map(setattr, receivers, repeat("_data"), map(data.__getitem__, wanted)), 0)

    return take_effect


def _integers(x: Operand) -> Callable[[Any], object] | None:
    """Return what makes of a program's floats the integers that a result is; None of floats."""
    if isinstance(x, Integers):
        made: Callable[[Any], object] = x.outside
        return made
    return None if kind_of(x) is None else lambda _: copy(x)


def executor(program: Program) -> Executor:
    """Return what runs a program: from the data of the arguments to the data of the results."""
    return scalar_executor(program) or ArrayExecutor(program)
