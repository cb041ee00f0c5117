"""batch: a function of one sample, applied to many at once."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, wraps
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, TypeAlias

import numpy as np

from .. import watching
from ..backprop import hold_nan, own, paths
from ..data import Function, Operand, Result, Tree, as_data, dtype_of, shape_of
from ..errors import OptionError, ShapeError, TraceError
from ..functions.rearranging import stack
from ..graph import Node, Primitive, plain
from ..messages import check_function, describe, user_line
from ..primitives.indexing import getitem
from ..primitives.shapes import transpose
from ..value import make_leaf
from ..watching import Lasting, is_live, recording, watch
from .batching_rules import Register, Task, carry_out
from .running import Ran
from .signature import builder, is_static
from .surroundings import Run, Surroundings
from .tracing import GraphTracer, drawing_again, earlier, fresh

# A leaf of the arguments: its name, itself, its axis of samples, or None
Leaf: TypeAlias = tuple[str, Operand, Any]


def batch(f: Function, in_axes: Tree = 0) -> Function:
    """Return f as a function of many samples at once, along the first axis of its results.

    f runs once, on one sample, and each of its operations is then carried out for all: a network
    of numbers becomes one of columns. Derivatives of any order may be inside or outside, `compile`
    too, and another `batch`. Primitives of one's own are applied sample by sample.

    Args:    f: function of one sample; decides by `np.where` and not by `if` of a sample's data.
             `fresh` draws once for each sample.
             in_axes: along which axis arguments hold the samples; None: all samples share them.
             One for all positional arguments, or a tuple with one for each, each of which may be
             a structure like its argument. Keyword arguments hold them along axis 0.
    Returns: function of f's arguments; the result has f's structure, with a first axis of samples.
    Raises:  ShapeError: other numbers of samples, or no such axis. OptionError: in_axes of
             another structure, or no argument holds samples. TraceError: f takes data out of the
             graph, assigns to a Value, calls `callback`; or, for more than one sample, it draws
             without `fresh`, reads the time or a file, or changes what it reads, again in a second
             try: checked in the first call, and where it reads another function or switch.
    Example: >>> def network(weights, x):
             ...     w, bias, out = weights
             ...     return out * np.tanh(w * x + bias)
             >>> batch(network, in_axes=(None, 0))([1.0, 0.5, 2.0], np.array([-0.5, 0.0, 1.5]))
             array([0.        , 0.92423431, 1.92805516])
    """

    check_function("batch", f)
    check = _Check(f)

    @wraps(f)
    def of_samples(*args: Tree, **kwargs: Any) -> Tree:
        leaves: list[Operand] = []
        build = builder((args, kwargs), leaves)
        places = [*_places(in_axes, args, "", in_axes), *_places(0, kwargs, "", 0)]
        numbers = [i for i, (_, _, axis) in enumerate(places) if axis is not None]
        samples = {places[i][0]: _samples_first(*places[i]) for i in numbers}
        count = _count(f, in_axes, samples)

        def of_one(sample: list[Operand]) -> tuple[list[Result], Tree]:
            one_args, one_kwargs = build(sample, 0)
            results: list[Result] = []
            build_result = builder(f(*one_args, **one_kwargs), results)
            return results, build_result

        def attempt(run: Run | None) -> tuple[Trial, list[Result], Tree]:
            trial = Trial(count, run)
            sample = list(leaves)  # what all samples share is given as it is
            for i, x in zip(numbers, samples.values(), strict=True):
                sample[i] = trial.stand_in(x)

            def run_it() -> tuple[Trial, list[Result], Tree]:
                with trial.running():
                    return trial, *of_one(sample)

            return run_it() if run is None else run.follow(run_it)

        with np.errstate(all="ignore"):
            trial, results, build_result = check.run(attempt, count)
            outputs = trial.for_all(results)
            if trial.spoilt.any():
                given = zip(numbers, samples.values(), strict=True)
                outputs = _mended(outputs, of_one, leaves, given, trial)
        handed_out = {id(leaf) for leaf in leaves}
        return build_result([own(output, handed_out) for output in outputs], 0)

    return of_samples


# By the code of functions that one run for all samples does not get wrong: what ran, and what the
# function reached then
_known: dict[Any, tuple[Ran, Counter[Any]]] = {}
_MOST_KNOWN = 1000


class _Check:
    """Refuses what one run for all samples of a function would get wrong.

    Such as random numbers without `fresh`, which all samples would share.
    """

    def __init__(self, f: Function) -> None:
        self._f, self._code = f, _code(f)
        self._surroundings: Surroundings | None = None  # in which it is known to be right
        self._is_used_again = False

    def run(self, attempt: Callable[[Run | None], Any], count: int) -> Any:
        """Run the function on one sample, in new surroundings twice.

        The first run may fill a cache or make weights, as the first sample would in a loop; the
        second decides, or a later one where other threads may have drawn.
        """
        # A recording around it is checked itself
        is_checked = count < 2 or watching.tracer() is not None or earlier.get() is not None
        if is_checked or self._is_known():
            return attempt(None)
        surroundings = before = None
        lines: list[str] = []
        while True:
            run = Run([self._f], "batched", surroundings)
            found = attempt(run)
            surroundings = run.surroundings()
            results = [plain(result) for result in found[1]]
            is_alike = threading.active_count() > 1 and _are_equal(results, before)
            lines = [*lines, run.line] if is_alike else []
            doubt = run.doubt(surroundings, lines)
            if doubt is None:
                self._note(surroundings)
                return found
            if before is not None and not run.is_undecided:
                raise doubt
            before = results

    def _is_known(self) -> bool:
        """Tell whether it was right where all that may decide what it does was as it is now."""
        if self._surroundings is not None:
            if self._surroundings.are_current():
                return True
            self._surroundings, self._is_used_again = None, False
        if self._code not in _known:
            return False
        ran, reached = _known[self._code]
        surroundings = Surroundings([self._f], ran, {})
        if _reached(surroundings) != reached:
            return False
        if self._is_used_again:  # the quick test takes long to make
            self._note(surroundings)
        self._is_used_again = True
        return True

    def _note(self, surroundings: Surroundings) -> None:
        surroundings.expect([])
        self._surroundings = surroundings
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[self._code] = surroundings.ran, _reached(surroundings)


def _are_equal(results: list[Any], before: list[Any] | None) -> bool:
    """Tell whether two runs on the same sample gave the same."""
    return before is not None and all(
        [np.array_equal(x, y, equal_nan=True) for x, y in zip(results, before, strict=True)]
    )


def _reached(surroundings: Surroundings) -> Counter[Any]:
    """Return what stands in the places that a function reads, as far as it decides what it does."""
    found = surroundings.places.found.values()
    return Counter((place.name, _deciding(place.value)) for place in found)


def _deciding(x: Operand) -> Any:
    """Return what may decide which operations there are: not so the numbers of arrays, Values."""
    if isinstance(x, tuple):
        return tuple(map(_deciding, x))
    if isinstance(x, bool | int | float | complex | str | np.generic):
        return repr(x)
    if isinstance(x, FunctionType | MethodType):
        return x.__code__
    return x.__qualname__ if isinstance(x, BuiltinFunctionType | type) else type(x)


def _code(f: Function) -> Any:
    """Return the code of a function, as its author wrote it; of other callables, their class."""
    while True:
        inner = getattr(f, "__wrapped__", None) or getattr(f, "func", None)
        inner = inner or getattr(f, "__func__", None)
        if inner is None:
            return getattr(f, "__code__", type(f))
        f = inner


def _mended(
    outputs: list[Result],
    f: Function,
    leaves: list[Operand],
    places: Iterable[tuple[int, Operand]],
    trial: "Trial",
) -> list[Result]:
    """Return the outputs after f has been applied to each sample whose derivatives hold NaN.

    There a derivative knows where 0 times infinity is 0. Values are computed anew for all samples.
    """
    rows, places = [], list(places)
    are_plain = not any([isinstance(output, Node) for output in outputs])
    spoilt = np.flatnonzero(trial.spoilt) if are_plain else np.arange(trial.batch_size)
    for k in spoilt.tolist():
        sample = list(leaves)
        for i, x in places:
            one = getitem(x, index=k)
            sample[i] = one if isinstance(one, Node) else make_leaf(one)
        draws = [getitem(drawn, index=k) for drawn in trial.drawn]
        again = drawing_again(draws) if draws else nullcontext()
        with watch(Lasting()), recording(), again:
            results, _ = f(sample)
        made = [x for x in sample if isinstance(x, Node) and x.primitive is None]
        rows.append([_kept_or_plain(result, made) for result in results])
    columns = [stack(column) for column in zip(*rows, strict=True)]
    if len(spoilt) == trial.batch_size:
        return columns
    mended = [output.copy() for output in outputs]
    for output, column in zip(mended, columns, strict=True):
        output[spoilt] = column
    return mended


def _kept_or_plain(output: Result, made: list[Node]) -> Result:
    """Return a result as a Value if any takes part in it beside those made of the sample."""
    if not isinstance(output, Node):
        return output
    is_live_result = paths(output, made)[2] and is_live()
    return output if is_live_result else output._data


def _places(axes: Tree, structure: Tree, name: str, given: Tree) -> Iterator[Leaf]:
    """Yield all leaves with their axes of samples; `given`: the whole in_axes, for the error."""
    if isinstance(axes, tuple | list | dict):
        if not _alike(axes, structure):
            raise OptionError(
                f"in_axes={given!r}",
                f"{name or 'the arguments'}: {_described(structure)}, where in_axes has {axes!r}",
                "one axis or None for all of it, or a structure like it",
            )
    elif axes is not None and not isinstance(axes, int):
        raise OptionError(
            f"in_axes={given!r}", f"{axes!r} is no axis", "an int, None, or a structure of them"
        )
    if isinstance(structure, list | tuple | dict):
        for key in structure if isinstance(structure, dict) else range(len(structure)):
            part = f"{name}[{key!r}]" if name else f"argument {key}"
            below = axes[key] if isinstance(axes, tuple | list | dict) else axes
            yield from _places(below, structure[key], part, given)
    elif not is_static(structure):
        yield name, structure, axes


def _alike(axes: Tree, structure: Tree) -> bool:
    """Tell whether both are dicts with the same keys, or lists or tuples of the same length."""
    if isinstance(axes, dict) or isinstance(structure, dict):
        both = isinstance(axes, dict) and isinstance(structure, dict)
        return both and axes.keys() == structure.keys()
    return isinstance(structure, list | tuple) and len(axes) == len(structure)


def _described(structure: Tree) -> str:
    if isinstance(structure, dict):
        return f"a dict of {list(structure)}"
    kind = type(structure).__name__
    return f"a {kind} of {len(structure)}" if isinstance(structure, list | tuple) else f"a {kind}"


def _samples_first(name: str, x: Operand, axis: int) -> Result:
    """Return a leaf with its axis of samples as the first."""
    x = x if isinstance(x, Node) else as_data(x)
    ndim = len(shape_of(x))
    if not -ndim <= axis < ndim:
        raise ShapeError(
            f"batch with in_axes {axis} for {name}, {describe(x)}",
            "it has no such axis of samples",
            f"an array of samples, such as np.array([...]); or in_axes None for {name}, if all "
            "samples share it",
        )
    order = list(range(ndim))
    order.insert(0, order.pop(axis))
    return transpose(x, axes=tuple(order)) if axis % ndim else x


def _count(f: Function, in_axes: Tree, samples: dict[str, Operand]) -> int:
    """Return the number of samples, which are given with their names."""
    if not samples:
        raise OptionError(
            f"batch of {getattr(f, '__name__', 'a function')} with in_axes={in_axes!r}",
            "no argument holds samples, so that nothing tells how many there are",
            "in_axes=0 for an argument with samples along its first axis; or the function itself",
        )
    counts = {name: shape_of(x)[0] for name, x in samples.items()}
    first, count = next(iter(counts.items()))
    for name, other in counts.items():
        if other != count:
            raise ShapeError(
                f"batch of {first} with {count} samples and {name} with {other}",
                "each sample takes one of each",
                f"as many of each; or in_axes None for {name}, if all samples share it",
            )
    return count


class Trial(GraphTracer):
    """Watches one run of a function on one sample, and carries its operations out for all."""

    def __init__(self, batch_size: int, run: Run | None) -> None:
        outer = watching.tracer()
        self.batch_size = batch_size
        super().__init__()
        self.registers: dict[Node, Register] = {}  # what the nodes of the run are for all samples
        self.draws: list[Node] = []
        # What may draw and change what it likes, inside a compiled function
        self.outside = outer.outside if outer else run.outside if run else nullcontext
        self.drawn: list[Operand] = []  # the same for all samples
        self.outer = outer
        self.derivatives: set[Node] = set()
        self.spoilt = np.zeros(batch_size, bool)  # samples of which one holds NaN
        self.refused: TraceError | None = None  # the function may have caught it

    def differentiating(self, values: list[Node]) -> None:
        """Tell a recording around it."""
        if self.outer is not None:
            self.outer.differentiating(values)

    def derived(self, cotangents: list[Result]) -> None:
        """Look for NaN in derivatives once they are known for all samples."""
        self.derivatives.update(g for g in cotangents if isinstance(g, Node))

    def _look_for_nan(self, cotangent: Register) -> None:
        if self.outer is not None:
            self.outer.derived([cotangent.data])
        elif hold_nan([cotangent.data]):
            is_nan = np.isnan(plain(cotangent.for_each(self.batch_size)))
            self.spoilt |= is_nan.reshape(self.batch_size, -1).any(1)

    def taking(self, node: Node, how: str) -> None:
        """Refuse."""
        self.refuse(
            f"{how} of a Value of shape {node.shape}",
            "it stands for all samples, and has the number of one of them",
            "operations on the Value itself: np.where to choose by a condition, grad for "
            "derivatives, Value(array)[place]; or return it, and look at it after the batch",
        )

    def refuse(self, given: str, why: str, instead: str) -> None:
        """Raise TraceError, and remember it: NumPy or the function may hide it."""
        given = f"{given} inside a batched function\n  at:    {user_line()}"
        error = TraceError(given, why, instead)
        self.refused = self.refused or error
        raise error

    def assigning(self, node: Node, data: Operand) -> None:
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
            "it would see one sample instead of all",
            "return what it is to see, and call it after the batch",
        )

    def stand_in(self, samples: Operand) -> Result:
        """Return a Value that holds one sample, the first, and stands for all."""
        data = plain(samples)
        one = as_data(data[0] if len(data) else np.zeros(data.shape[1:], data.dtype))
        node = make_leaf(one)
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
            if self.refused is not None:
                raise self.refused
        except Exception as error:
            if self.refused is None or isinstance(error, TraceError):
                raise
            raise self.refused from error
        finally:
            earlier.reset(token)

    def _drawn_before(self, drawn: Operand) -> Operand:
        self.drawn.append(drawn)
        return self.stand_in(drawn)

    def for_all(self, results: list[Result]) -> list[Result]:
        """Return what the results of the run are for all samples."""
        for node, draw in zip(self.draws, self._draws_for_all(), strict=True):
            drawn = fresh(draw)
            self.registers[node] = Register(drawn, len(node.shape), True)
            self.drawn.append(drawn)
        order = self._reached(results)
        last_use = {x: node for node in order for x in self._inputs(node)}
        last_use.update((x, x) for x in results if isinstance(x, Node))  # kept to the end
        for node in order:
            with self._as_recorded(node):
                self.registers[node] = carry_out(self._task(node))
            if node in self.derivatives:
                self._look_for_nan(self.registers[node])
            for x in self._inputs(node):
                if last_use[x] is node:
                    self.registers.pop(x, None)  # its memory is free for others
        return [self._register(x).for_each(self.batch_size) for x in results]

    def _draws_for_all(self) -> list[Callable[[], Operand]]:
        """Return what draws for all samples, one function for each draw of the run.

        The first one draws everything, sample after sample, as a loop over the samples would.
        """
        draws = [(self.making(node)[2] or {})["draw"] for node in self.draws]
        first = [[node._data for node in self.draws]]  # the run has drawn for the first sample
        count = self.batch_size or 1
        own = threading.local()  # replays may run in several threads

        def draw(i: int) -> Operand:
            if i == 0:
                rows = [first.pop()] if first else []
                rows += [[as_data(one()) for one in draws] for _ in range(count - len(rows))]
                columns = zip(*rows, strict=True)
                own.columns = [np.stack(column)[: self.batch_size] for column in columns]
            return own.columns[i]

        return [partial(draw, i) for i in range(len(draws))]

    def _as_recorded(self, node: Node) -> AbstractContextManager[None]:
        forgetting: AbstractContextManager[None] = watching.no_grad()
        return forgetting if self.is_forgotten(node) else nullcontext()

    def _inputs(self, node: Node) -> list[Node]:
        return [x for x in self.making(node)[1] if isinstance(x, Node)]

    def _reached(self, results: list[Result]) -> list[Node]:
        """Return the nodes that are computed for the results, inputs before outputs."""
        seen: set[Node] = set()
        stack = [x for x in results if isinstance(x, Node)]
        while stack:
            node = stack.pop()
            if node not in seen and node not in self.registers and self.making(node)[0]:
                seen.add(node)
                stack += self._inputs(node)
        return sorted(seen, key=lambda node: node.index)

    def _task(self, node: Node) -> Task:
        primitive: Primitive
        primitive, inputs, params = self.making(node)  # type: ignore[assignment]  # it was reached
        registers = [self._register(x) for x in inputs]
        return Task(primitive, params or {}, registers, self.batch_size, node.shape, dtype_of(node))

    def _register(self, x: Operand) -> Register:
        """Return what a node or a constant of the run is for all samples."""
        if isinstance(x, Node):
            return self.registers.get(x) or Register(x, len(x.shape), False)
        return Register(as_data(x), len(shape_of(x)), False)
