"""The array executor: a program as straight NumPy calls into buffers that are allocated once.

A program becomes the source of a Python function with one line for each step. Buffers belong to a
workspace, and each thread inside a call has its own. A buffer is used again once its contents are
not needed any more, and an array that was returned to a caller once it is unreferenced.
"""

import sys
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..data import Data, Function, Index, Params, as_data
from ..graph import Primitive
from ..primitives import elementwise as table
from ..primitives.indexing import getitem
from ..primitives.linear_algebra import inner, matmul
from ..primitives.shapes import reshape, sum, transpose
from .fusion import fuse, fused, loop_into
from .machine_code import has_numba
from .program import Executor, Program, Results, Step, Unanswered
from .tracing import fresh_draw

LONGEST = 20_000  # steps: beyond, Python would compile their source for seconds
_OPERATORS = {table.add: "+", table.subtract: "-", table.multiply: "*"}


class ArrayExecutor:
    """Runs a program on NumPy.

    Calling it with the data of the arguments gives the data of the results.
    """

    def __init__(self, program: Program) -> None:
        program = fuse(program) if has_numba() else program
        self.program = program
        self._idle: list[Executor] = []  # workspaces that are not in use
        self._template = _Source(program)

    def __call__(self, data: list[Data]) -> Results:
        """Replay the program."""
        try:
            run = self._idle.pop()
        except IndexError:
            run = self._template.workspace()
        try:
            return run(data)
        finally:
            self._idle.append(run)


class _Source:
    """The Python source of a program, and what its names stand for."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[str, Any] = {"__name__": __name__, "empty": np.empty, "vacant": vacant}
        self.names |= {"unanswered": Unanswered, "add_up": np.add.reduce}
        self.lines: list[str] = []
        self.before: list[str] = []  # what holds for all replays: views of buffers
        self.handed_out = self._handed_out()
        steps = program.steps
        computed = [i for i in program.operations() if steps[i].shape]
        into = {i for i in computed if not is_view(steps[i], steps) and self._into(i) is not None}
        self.in_buffers = into - self.handed_out
        overwriting = {i for i in into if isinstance(self._into(i), np.ufunc)}
        self.plan = plan(program, self.in_buffers, overwriting - self.handed_out)
        self.fixed = set(self.in_buffers)  # registers that are the same array in every replay
        self.in_order = set(self.in_buffers)  # and lie in memory row by row
        self.into = into
        self._write()

    def _into(self, i: int) -> Function | None:
        step = self.program.steps[i]
        return _into(step, [self.program.steps[x] for x in step.inputs])

    def _number(self, i: int, dtype: Any) -> str:
        """Return the name of an input; a constant number as an array, as ufuncs take it quicker."""
        number = self.program.constants.get(i)
        if not isinstance(number, float):
            return f"r{i}"
        name = f"c{i}{dtype.char}"
        self.names[name] = np.array(number, dtype)
        return name

    def _handed_out(self) -> set[int]:
        """Return the registers whose arrays callers get to keep, whole or by rows."""
        steps = self.program.steps
        kept = set()
        for i in self.program.outputs:
            if steps[i].primitive is not None:
                kept.add(steps[i].inputs[0] if self._is_row(i) else i)
        return {i for i in kept if steps[i].primitive and not is_view(steps[i], steps)}

    def _is_row(self, i: int) -> bool:
        """Tell whether a register is one of the results of a fused step."""
        step = self.program.steps[i]
        return step.primitive is getitem and self.program.steps[step.inputs[0]].primitive is fused

    def _write(self) -> None:
        program = self.program
        for k, i in enumerate(program.arguments):
            self.lines.append(f"r{i} = data[{k}]")
        for i, node in program.captured.items():
            self.names[f"node{i}"] = node
            self.lines.append(f"r{i} = node{i}._data")
        for i, constant in program.constants.items():
            self.names[f"r{i}"] = constant
        for i in sorted(self.handed_out & self.into):
            step = program.steps[i]
            self.before.append(f"p{i} = [empty({step.shape!r}, {step.dtype.char!r})]")
        guards = set(program.guards)
        self.lines += ["squares = 0.0"] if guards else []
        for i in guards - set(program.operations()):
            self._write_guard(i)
        for i in program.operations():
            self._write_step(i, program.steps[i])
            if i in guards:
                self._write_guard(i)
        if guards:
            drawn = [i for i, step in enumerate(program.steps) if step.primitive is fresh_draw]
            draws = ", ".join([f"r{i}" for i in drawn])
            self.lines.append(f"if squares != squares: return unanswered([{draws}])")
        taken: set[int] = set()
        results = ", ".join([self._out(i, taken) for i in program.outputs])
        self.lines.append(f"return [{results}]")

    def _write_guard(self, i: int) -> None:
        """Add the squares of a derivative: the sum is NaN where a number is."""
        rank = len(self.program.steps[i].shape)
        if rank > 1:  # ravelled as it lies in memory, without a copy
            self.lines += [f"n = r{i}.ravel('K')", "squares += n.dot(n)"]
        elif rank:
            self.lines.append(f"squares += r{i}.dot(r{i})")
        else:
            self.lines.append(f"squares += r{i} * r{i}")

    def _out(self, i: int, taken: set[int]) -> str:
        """Return the expression of an array that its receiver may keep and change."""
        step = self.program.steps[i]
        is_own = i in self.handed_out or self._is_row(i)
        if not step.shape or (is_own and i not in taken):
            taken.add(i)
            return f"r{i}"
        return f"r{i}.copy('K')"

    def _write_step(self, i: int, step: Step) -> None:
        primitive, params = step.primitive, step.params or {}
        if primitive is None:
            return
        inputs = [f"r{x}" for x in step.inputs]
        fixed = i in self.in_buffers
        if step.shape and is_view(step, self.program.steps):
            self.names[f"v{i}"] = params.get("index", params.get("shape", params.get("axes")))
            look = {reshape: ".reshape(v{})", transpose: ".transpose(v{})", getitem: "[v{}]"}
            line = f"r{i} = {inputs[0]}{look[primitive].format(i)}"
            # What is out of order in memory would be copied, once for all replays
            in_order = step.inputs[0] in self.in_order
            if step.inputs[0] in self.fixed and (in_order or primitive is not reshape):
                self.fixed.add(i)
                if in_order and primitive is reshape:
                    self.in_order.add(i)
                self.before.append(line)
            else:
                self.lines.append(line)
            return
        if i in self.into:
            self.names[f"f{i}"] = self._into(i)
            if primitive is inner and self._into(i) is np.dot:
                inputs[1] += ".T"
            if isinstance(self._into(i), np.ufunc):
                inputs = [self._number(x, step.dtype) for x in step.inputs]
            if fixed:
                place = self.plan.starts[i]
                self.before.append(f"r{i} = at({place}, {step.shape!r}, {step.dtype.char!r})")
            else:
                self.lines.append(f"r{i} = vacant(p{i})")
            self.lines.append(f"f{i}({', '.join([*inputs, f'r{i}'])})")
            return
        expression = self._expression(step, inputs)
        if expression is not None:
            self.lines.append(f"r{i} = {expression}")
            return
        if primitive is fresh_draw:
            self.names[f"f{i}"] = lambda draw=params["draw"]: as_data(draw())
        else:
            self.names[f"f{i}"] = _computing(primitive, params)
        self.lines.append(f"r{i} = f{i}({', '.join(inputs)})")

    def _expression(self, step: Step, inputs: list[str]) -> str | None:
        """Return how Python itself computes a number, or None where it may raise."""
        primitive, numbers = step.primitive, [self.program.constants.get(x) for x in step.inputs]
        if primitive is sum and (step.params or {}) == {"axis": None, "keepdims": False}:
            return f"add_up({inputs[0]}, None).item()"
        if any([self.program.steps[x].shape for x in step.inputs]):
            return None
        if primitive is table.divide and numbers[1]:  # not by 0
            return f"{inputs[0]} / {inputs[1]}"
        if primitive in _OPERATORS:
            return f"{inputs[0]} {_OPERATORS[primitive]} {inputs[1]}"
        return None

    def workspace(self) -> Executor:
        """Return a function that replays, with buffers of its own."""
        arena = np.empty(self.plan.size + 64, np.uint8)
        shift = -arena.ctypes.data % 64

        def at(start: int, shape: tuple[int, ...], dtype: str) -> ndarray:
            return np.ndarray(shape, dtype, arena, start + shift)

        body = "\n        ".join(self.lines)
        head = "\n    ".join(self.before)
        source = f"def make():\n    {head}\n    def run(data):\n        {body}\n    return run"
        names = {**self.names, "at": at}
        exec(compile(source, "<compiled program>", "exec"), names)
        run: Executor = names["make"]()
        return np.errstate(all="ignore")(run)  # faster than `with`


def _held_by_pool(pool: list[ndarray]) -> int:
    """Count who holds an array of a pool while it is being looked at, as `vacant` does."""
    for array in pool:
        return sys.getrefcount(array)
    return 0


_HELD_BY_POOL = _held_by_pool([np.empty(1)])  # differs between versions of Python


def vacant(pool: list[ndarray]) -> ndarray:
    """Return an array of the pool that is unreferenced elsewhere, or a new one like them."""
    for array in pool:
        if sys.getrefcount(array) == _HELD_BY_POOL:
            return array
    array = np.empty_like(pool[-1])
    if len(pool) == 4:  # a caller that keeps so many will keep more
        del pool[0]
    pool.append(array)
    return array


def _into(step: Step, inputs: list[Step]) -> Function | None:
    """Return what computes the step's array from its inputs into a given one, or None.

    Shapes are known here, so that BLAS is called without a detour: products of matrices, and sums
    of matrices, which as products with ones are several times faster. Comparing with a zero that is
    an array is faster than with a number, which would be converted first.
    """
    primitive = step.primitive
    if primitive is fused and has_numba():
        return loop_into(step, inputs)
    into = primitive.into if primitive else None
    if into is None or not step.shape:
        return None
    ranks = [len(x.shape) for x in inputs]
    if primitive in (matmul, inner) and ranks == [2, 2]:
        return np.dot
    if primitive is sum and ranks == [2]:
        return _matrix_sum(step, *inputs[0].shape)
    if primitive in (table.relu, table.gate):
        zero = np.zeros((), step.dtype)
        if primitive is table.relu:
            return lambda x, out: np.maximum(x, zero, out=out)
        return lambda g, x, out: np.multiply(g, np.greater(x, zero), out)
    return partial(into, **step.params) if step.params else into


def _matrix_sum(step: Step, rows: int, columns: int) -> Function:
    """Return what sums a matrix over one of its axes."""
    axis, keepdims = [(step.params or {})[name] for name in ("axis", "keepdims")]
    if axis in (0, -2) and not keepdims:
        return partial(np.dot, np.ones(rows, step.dtype))
    if axis in (1, -1):
        ones = np.ones((columns, 1) if keepdims else columns, step.dtype)
        return lambda x, out: np.dot(x, ones, out)
    return partial(sum.into, axis=axis, keepdims=keepdims)  # type: ignore[arg-type, misc]


def _computing(primitive: Primitive, params: Params) -> Function:
    """Return what computes a step whose result is a number, or has no buffer.

    An array of its own: no view of a buffer, in which there will soon be something else.
    """
    compute = primitive.compute

    def run(*data: Data) -> Data:
        out = compute(data, params, data)
        if isinstance(out, ndarray) and (out.base is not None or any([out is x for x in data])):
            return out.copy("K")
        return out

    return run


# Where the results of steps lie in memory: one arena, whose parts are lent and given back

ALIGNMENT = 64  # bytes: a cache line


class Block(NamedTuple):
    """Bytes that are needed from one step to another, both included."""

    size: int
    first: int
    last: int


def placed(blocks: list[Block]) -> tuple[list[int], int]:
    """Find a place for every block so that none overlap that are needed at one time.

    The largest come first, each as low as it can lie: large ones leave no gaps, small ones fill
    those that there are.

    Returns: where each begins, in bytes, and how many bytes there are in all.
    Example: >>> placed([Block(100, 0, 1), Block(64, 1, 2), Block(128, 2, 3)])
             ([0, 128, 0], 192)
    """
    starts = [0] * len(blocks)
    order = sorted(range(len(blocks)), key=lambda i: -blocks[i].size)
    sizes = np.array([_aligned(blocks[i].size) for i in order], np.int64)
    firsts = np.array([blocks[i].first for i in order], np.int64)
    lasts = np.array([blocks[i].last for i in order], np.int64)
    begins = np.zeros(len(blocks), np.int64)
    for k, i in enumerate(order):
        busy = np.nonzero((firsts[:k] <= lasts[k]) & (firsts[k] <= lasts[:k]))[0]
        busy = busy[np.argsort(begins[busy], kind="stable")]
        at = 0
        for begin, end in zip(begins[busy].tolist(), (begins + sizes)[busy].tolist(), strict=True):
            if begin - at >= sizes[k]:
                break
            at = max(at, end)
        begins[k] = starts[i] = at
    return starts, int((begins + sizes).max(initial=0))


def _aligned(size: int) -> int:
    return max(ALIGNMENT, -(-size // ALIGNMENT) * ALIGNMENT)


class Plan(NamedTuple):
    """Where registers lie: in the arena, at these bytes; as views of others; or nowhere yet."""

    size: int
    starts: dict[int, int]  # register: first byte in the arena
    views: dict[int, int]  # register: the register of whose elements it consists


def is_view(step: Step, steps: list[Step]) -> bool:
    """Tell whether a step only looks at its input's elements in another way."""
    if not step.inputs or not steps[step.inputs[0]].shape:
        return False
    if step.primitive in (transpose,):
        return True
    if step.primitive is getitem and step.shape:
        index = (step.params or {})["index"]
        parts = index if isinstance(index, tuple) else (index,)
        return all([p is None or p is ... or isinstance(p, slice) or _is_whole(p) for p in parts])
    return step.primitive is reshape and bool(step.shape)


def _is_whole(part: Index) -> bool:
    return isinstance(part, int | np.integer) and not isinstance(part, bool)


def plan(program: Program, in_buffers: set[int], in_place: set[int]) -> Plan:
    """Find a place for each register in `in_buffers`, from its step until its last use.

    Args:    in_buffers: the registers that want a place in the arena.
             in_place: those among them whose step may overwrite an input of the same kind.
    """
    steps = program.steps
    base = list(range(len(steps)))
    for i, step in enumerate(steps):
        if is_view(step, steps):
            base[i] = base[step.inputs[0]]
    last_use = list(range(len(steps)))
    for i, step in enumerate(steps):
        for x in step.inputs:
            last_use[base[x]] = max(last_use[base[x]], i)
    for x in program.wanted():
        last_use[base[x]] = len(steps)
    block_of: dict[int, int] = {}  # register: the number of its block
    blocks: list[Block] = []
    for i, step in enumerate(steps):
        if i not in in_buffers:
            continue
        dying = [x for x in sorted({base[x] for x in step.inputs}) if last_use[x] == i]
        heirs = [x for x in dying if x in block_of and i in in_place and _alike(steps[x], step)]
        if heirs:
            block_of[i] = block_of[heirs[0]]
            blocks[block_of[i]] = blocks[block_of[i]]._replace(last=last_use[i])
        else:
            block_of[i] = len(blocks)
            blocks.append(Block(_bytes(step), i, last_use[i]))
    starts, size = placed(blocks)
    views = {i: base[i] for i in range(len(steps)) if base[i] != i}
    return Plan(size, {i: starts[block] for i, block in block_of.items()}, views)


def _alike(x: Step, y: Step) -> bool:
    return x.shape == y.shape and x.dtype == y.dtype


def _bytes(step: Step) -> int:
    return int(step.size * step.dtype.itemsize)
