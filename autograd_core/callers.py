"""What takes plain numbers out of a Value: a call of the user's, a library, or NumPy.

NumPy and C functions ask a Value for numbers through `__array__` and `__float__`, which do not
show who asks. The Python frame that runs them does: its current instruction is the call, and the
instructions before it load what is called.
"""

import builtins
import dis
import inspect
import math
import sys
from collections.abc import Iterable
from functools import lru_cache, partial
from itertools import pairwise
from types import BuiltinFunctionType, CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from .data import DTypeLike, Function, Operand
from .messages import is_library, package_of, user_frame

# Packages that show, store or judge numbers: they take data for themselves
# fmt: off
TAKING = {
    "IPython", "PIL", "_pytest", "altair", "autograd_core", "bokeh", "h5py", "imageio", "joblib",
    "json", "matplotlib", "mlflow", "mpl_toolkits", "nn", "onnx", "onnxruntime", "pandas", "plotly",
    "polars", "pyarrow", "pytest", "rich", "safetensors", "seaborn", "sklearn", "tabulate",
    "tensorboard", "tensorboardX", "tqdm", "wandb", "xarray",
}
# fmt: on
TAKING_OF_NUMPY = (
    "numpy.testing",
    "numpy._core.arrayprint",
    "numpy.lib._npyio",
    "numpy.lib.format",
)
# Those whose results are computed with. In a function that is being differentiated, where a
# derivative would be lost, they are not silent; nor do they compute silently: frame.mul(v)
JUDGING = {"pandas", "polars", "sklearn", "xarray"}
COMPUTING = {
    *("add", "div", "divide", "dot", "floordiv", "matmul", "mod", "mul", "multiply", "pow", "sub"),
    *("subtract", "truediv"),
}
MAKING_ARRAYS = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)
FILLING = (*MAKING_ARRAYS, np.fromiter, np.ndarray.astype)
# Methods of NumPy's random generators that draw whole numbers: these have no derivative
# fmt: off
DRAWING = frozenset([
    "binomial", "geometric", "hypergeometric", "integers", "logseries", "multinomial",
    "negative_binomial", "poisson", "randint", "zipf",
])
# fmt: on
# Functions of Python that lose nothing, since their derivative is 0
CONVERTING = (float, int, complex)
# Packages that call a function for the user, and instructions that take from an iterator
CARRYING_OUT = {"concurrent", "multiprocessing", "threading"}
ITERATING = ("CALL", "FOR_ITER", "LIST_EXTEND", "SET_UPDATE", "UNPACK_SEQUENCE")
LOSSLESS = (math.isnan, math.isfinite, math.isinf, math.isclose, math.floor, math.ceil, math.trunc)


class Site(NamedTuple):
    """An instruction: its name, its argument, the names that make up what it calls, its operands.

    An operand is a number or another constant as it is, a list of such, a `Name`, or a `Result`.
    """

    operation: str
    argument: str
    names: tuple[str, ...]
    operands: tuple[object, ...] = ()


class Name(str):
    """The name of a variable among operands, or of its attribute: math.exp."""

    __slots__ = ()


class Result(NamedTuple):
    """What a call among operands returns, by the names in it: map, math.exp, values."""

    names: tuple[Name, ...]


class Taker(NamedTuple):
    """What takes numbers out of a Value.

    `function` is the function called, None if it is not known; `name` what the user has written
    for it. `is_user` tells a call of the user's from one of a library that loses the derivative,
    `is_silent` is true of what takes data for itself, and `through_numpy` of calls inside NumPy;
    `judges` of libraries that are silent only where nothing is being differentiated.
    """

    function: Any
    name: str
    site: Site
    is_user: bool
    is_silent: bool
    through_numpy: bool
    frame: FrameType | None = None  # which the operands' names are looked up in
    judges: bool = False

    def has_numbers(self, node: object) -> bool:
        """Tell whether a list among the operands holds plain numbers, as far as the code shows.

        A list of Values is looked at when the first of them asks, once for all.
        """
        return any(_first_asks(x, node) and _has_number(x) for x in self._lists())

    def takes_list(self) -> bool:
        """Tell whether what is called takes a list, np.array([v, w]), as far as the code shows."""
        return bool(self._lists())

    def _lists(self) -> list[Iterable[object]]:
        if self.frame is None:
            return []
        operands = [_looked_up(self.frame, x) for x in self.site.operands]
        return [x for x in operands if isinstance(x, list | tuple)]

    @property
    def method(self) -> str:
        """The name of what is called, without its owner's."""
        name: str = getattr(self.function, "__name__", self.name.rpartition(".")[2])
        return name

    @property
    def takes_whole_numbers(self) -> bool:
        """Whether NumPy takes positions or counts, and refuses other numbers than whole ones."""
        return self.method in {"put", "repeat", "take"} | DRAWING

    def draws(self, dtype: DTypeLike | None = None) -> bool:
        """Tell whether a random generator draws whole numbers: rng.poisson(v).

        Args:    dtype: that NumPy asks for; rng.choice(a, p=v) does so for probabilities only.
        """
        is_choice = self.method == "choice" and dtype is not None
        return self.is_user and (is_choice or self.method in DRAWING)

    def fills_with_numbers(self, node: Operand) -> bool:
        """Tell whether the user asks for an array of numbers: np.array(losses, dtype=float).

        np.array(losses).astype(float) is the same. The node is one of the numbers, and not itself
        the array.
        """
        is_asked_for = self.is_user and any(self.function is function for function in FILLING)
        if self.frame is None or self.through_numpy or not is_asked_for:
            return False
        operands = [_looked_up(self.frame, x) for x in self.site.operands]
        return not node.shape and all(x is not node for x in operands)

    @property
    def is_explicit(self) -> bool:
        """Whether a number is taken as such: by float(v), "%g" % v, or what takes data."""
        if self.is_silent or self.through_numpy:
            return self.is_silent
        is_call = self.site.operation.startswith(("CALL", "STORE_SUBSCR"))
        if not is_call and self.function is None:
            return True  # "%g" % v
        is_builtin = self.is_user and getattr(self.function, "__module__", None) == "builtins"
        is_lossless = any(self.function is function for function in LOSSLESS)
        return is_builtin or is_lossless or self.name.endswith("__float__")

    @property
    def is_index(self) -> bool:
        """Whether the Value is in an index of an array, as in array[v]."""
        is_index = self.site.operation == "BINARY_SUBSCR" or self.site.argument == "[]"
        return is_index and not self.through_numpy

    @property
    def is_arithmetic(self) -> bool:
        """Whether NumPy computes with what it takes, rather than make an array of it."""
        if self.through_numpy or self.site.operation.startswith(("BINARY_OP", "COMPARE_")):
            return True
        module = getattr(self.function, "__module__", None) or ""
        owner = getattr(self.function, "__self__", None)  # of np.add.reduce
        of_numpy = module.partition(".")[0] == "numpy" or isinstance(
            self.function, np.ufunc | type(np.ndarray.dot)
        )
        of_numpy = of_numpy or isinstance(owner, np.ufunc)
        return of_numpy and not any(self.function is function for function in MAKING_ARRAYS)


_UNKNOWN = Site("", "", ())
_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF")
_COMPUTED = "(...)"  # instead of a name: what is called, or its owner, was computed
# By the identity of a code object, which is kept so that no other one gets it: its sites, and
# those that take numbers explicitly, such as float(v)
_sites: dict[int, tuple[CodeType, dict[int, Site]]] = {}
_explicit: dict[int, set[int]] = {}


def takes_explicitly(frame: FrameType) -> bool:
    """Tell quickly whether the call float(v) that a frame carries out was met before."""
    return frame.f_lasti in _explicit.get(id(frame.f_code), ())


def note_explicit(frame: FrameType, taker: Taker) -> None:
    """Remember a call that takes numbers explicitly, whatever its names refer to later."""
    first = taker.site.names[:1]
    if taker.is_silent or not first or first[0] in frame.f_code.co_varnames:
        return
    if not any(taker.function is function for function in CONVERTING + LOSSLESS):
        return
    if taker.site.names[-1] != taker.function.__name__:
        return  # list(map(f, values)), where f may be another one later
    _site(frame)
    _explicit.setdefault(id(frame.f_code), set()).add(frame.f_lasti)


def taker(frame: FrameType) -> Taker:
    """Return what takes numbers in this frame, which runs `__array__` or `__float__`."""
    inside = None
    while package_of(frame) == "numpy" and frame.f_back is not None:
        if frame.f_globals["__name__"].startswith(TAKING_OF_NUMPY):
            return Taker(None, "", _UNKNOWN, False, True, True)
        inside = frame.f_code
        frame = frame.f_back
    if package_of(frame) in JUDGING:
        method, site = _method_called(frame), _site(user_frame())
        is_silent = method.co_name.strip("_").removeprefix("r") not in COMPUTING
        is_call = site.operation.startswith("CALL")
        name = ".".join(site.names) if is_call else method.co_qualname
        return Taker(None, name, _UNKNOWN, False, is_silent, inside is not None, judges=True)
    if package_of(frame) in TAKING:
        return Taker(None, "", _UNKNOWN, False, True, inside is not None)
    site = _site(frame)
    function = _functions_of_numpy().get(inside) if inside else _called(frame, *site[::2])
    applied = None if inside else _applied(frame, site, function)
    names = _site(user_frame()).names if is_library(frame) else site.names
    name = ".".join([n for n in names if not n.startswith("@")])  # pytest's own names
    if not name:
        name = f"np.{getattr(function, '__name__', 'array')}"
    if applied is not None:
        function = applied
        name = f"{function.__module__.replace('numpy', 'np', 1)}.{function.__name__}"
    is_user = not is_library(frame) or package_of(frame) in CARRYING_OUT
    return Taker(
        function, name, site, is_user, False, inside is not None, None if inside else frame
    )


def _method_called(frame: FrameType) -> CodeType:
    """Return the code of the method of a library that was called from outside the library."""
    package, outside = package_of(frame), frame.f_back
    while outside is not None and package_of(outside) == package:
        frame, outside = outside, outside.f_back
    return frame.f_code


def _site(frame: FrameType) -> Site:
    """Return the instruction that a frame carries out now."""
    code, sites = _sites.get(id(frame.f_code), (None, {}))
    if code is None:
        if len(_sites) > 10_000:
            _sites.clear()
            _explicit.clear()
        _sites[id(frame.f_code)] = frame.f_code, sites
    site = sites.get(frame.f_lasti)
    if site is None:
        site = sites[frame.f_lasti] = _read_site(frame.f_code, frame.f_lasti)
    return site


def _read_site(code: CodeType, offset: int) -> Site:
    """Find an instruction, and the names loaded for what it calls: they begin where it begins."""
    instructions = list(dis.get_instructions(code))
    # The offset of a call of a Python function is that of its last cache entry
    here = next((i for i in reversed(instructions) if i.offset <= offset), None)
    if here is None:
        return _UNKNOWN
    names: tuple[str, ...] = ()
    if here.positions is not None and here.positions.lineno is not None:
        for instruction in instructions:
            if instruction is here:
                break
            if instruction.positions is None or _start(instruction) != _start(here):
                continue
            if instruction.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")):
                names += (str(instruction.argval),)
            elif instruction.opname.startswith(_LOADS):
                names = _loaded(instruction)[:1]
            elif instruction.opname.startswith(("CALL", "BINARY")):
                names = (_COMPUTED,)
    # A builtin that is called often is called by the instruction before CALL
    operation = "CALL" if here.opname == "PRECALL" else here.opname
    return Site(operation, here.argrepr, names, _operands(instructions, here))


def _operands(instructions: list[Any], here: dis.Instruction) -> tuple[object, ...]:
    """Follow the stack up to an instruction, and return the constants, names and lists on it."""
    stack: list[Any] = []
    if here.positions is None or here.positions.lineno is None:
        return ()
    for i in instructions:
        if i is here:
            break
        is_own = i.opname == "PRECALL" and i.positions == here.positions
        if is_own or i.opname in ("CACHE", "KW_NAMES") or not _is_within(i, here):
            continue
        if i.opname == "GET_ITER":
            continue
        if i.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            is_named = bool(stack) and isinstance(stack[-1], Name)
            name = Name(f"{stack[-1]}.{i.argval}") if is_named else None
            stack[-1:] = [name] + [None] * dis.stack_effect(i.opcode, i.arg)
        elif i.opname in ("BUILD_LIST", "BUILD_TUPLE"):
            parts = stack[len(stack) - i.arg :] if i.arg <= len(stack) else []
            del stack[len(stack) - len(parts) :]
            stack.append(parts)
        elif i.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            stack.append(i.argval)
        elif i.opname.startswith(_LOADS):
            found = [Name(name) for name in _loaded(i)]
            stack += [None] * (dis.stack_effect(i.opcode, i.arg) - len(found)) + found
        else:
            effect = dis.stack_effect(i.opcode, i.arg)
            start = max(len(stack) + min(effect - 1, 0), 0)
            parts = stack[start:]
            stack[start:] = [_result(parts) if i.opname in ("PRECALL", "CALL") else None]
    return tuple(stack)


def _result(parts: list[object]) -> Result:
    """Return a placeholder for the result of a call of these."""
    names: tuple[Name, ...] = ()
    for part in parts:
        if isinstance(part, Name | Result):
            names += (part,) if isinstance(part, Name) else part.names
    return Result(names)


def _is_within(instruction: dis.Instruction, here: dis.Instruction) -> bool:
    """Tell whether an instruction belongs to the expression that another one completes."""
    at = instruction.positions
    return at is not None and _start(instruction) >= _start(here)


def _loaded(instruction: dis.Instruction) -> tuple[str, ...]:
    """Return the names of the variables that an instruction loads, one or two."""
    names = instruction.argval
    return names if isinstance(names, tuple) else (names,)


def _looked_up(frame: FrameType, x: object) -> object:
    """Return an operand with its names resolved."""
    if isinstance(x, Name):
        return _called(frame, "CALL", (x,) if x.startswith(".") else tuple(x.split(".")))
    if isinstance(x, Result):
        return None
    return [_looked_up(frame, part) for part in x] if isinstance(x, list) else x


def _first_asks(x: object, node: object) -> bool:
    """Tell whether a nested list begins with this node, or with what is no Value."""
    while isinstance(x, list | tuple) and x:
        x = x[0]
    return x is node or not isinstance(x, type(node))


def _has_number(x: Iterable[object]) -> bool:
    kinds = set(map(type, x))
    if any(issubclass(kind, int | float | np.generic) for kind in kinds):
        return True
    is_nested = any(issubclass(kind, list | tuple) for kind in kinds)
    return is_nested and any(_has_number(part) for part in x if isinstance(part, list | tuple))


def _start(instruction: dis.Instruction) -> tuple[int, int]:
    """Return line and column at which an instruction's expression begins; (0, -1) without one."""
    at = instruction.positions
    if at is None:
        return 0, -1
    return at.lineno or 0, -1 if at.col_offset is None else at.col_offset


def _called(frame: FrameType, operation: str, names: tuple[str, ...]) -> object:
    """Return what names such as ("math", "exp") refer to in a frame; None if that is not known."""
    if not names or not operation.startswith("CALL"):
        return None
    first, *attributes = names
    if first == _COMPUTED:  # only methods of arrays take numbers from here
        return getattr(np.ndarray, names[-1], None)
    code = frame.f_code
    is_local = first in code.co_varnames or first in code.co_cellvars + code.co_freevars
    scopes = [frame.f_locals] if is_local or code.co_name == "<module>" else []
    for scope in (*scopes, frame.f_globals, vars(builtins)):
        if first in scope:
            found = scope[first]
            break
    else:
        return None
    for name in attributes:
        if isinstance(found, ModuleType):
            found = vars(found).get(name)
        elif isinstance(found, np.ufunc):
            found = getattr(found, name, None)
        else:
            found = inspect.getattr_static(found, name, None)  # carries nothing out
    return found


def _applied(frame: FrameType, site: Site, called: object) -> Any:
    """Return the function that map() or partial() applies for what is called, if that shows.

    One that converts is preferred: in list(map(float, map(f, values))) float takes the numbers.
    """
    is_builtin = called is None or getattr(called, "__module__", None) == "builtins"
    if isinstance(called, partial):
        return called.func if getattr(called.func, "__module__", None) else None
    is_own = any(called is function for function in CONVERTING)
    if is_own or not is_builtin or not site.operation.startswith(ITERATING):
        return None
    found: list[object] = []
    for operand in site.operands:
        names = operand.names if isinstance(operand, Result) else ()
        values = [_looked_up(frame, name) for name in names]
        for applying, function in pairwise(values):
            if applying is map or applying is partial:
                found.append(function)
        x = _looked_up(frame, operand) if isinstance(operand, Name) else None
        if type(x) is map:
            found.append(x.__reduce__()[1][0])
    found = [f.func if isinstance(f, partial) else f for f in found]
    # Functions written in Python have frames of their own; NumPy's do not call __float__
    found = [f for f in found if callable(f) and not hasattr(f, "__code__")]
    found = [f for f in found if getattr(f, "__module__", None) and hasattr(f, "__name__")]
    found = [f for f in found if f not in (partial, map)]
    return next((f for f in found if f in CONVERTING), found[0] if found else None)


def called_by_user(function: Function) -> Function:
    """Return the function of NumPy that the user has called, and which has called this one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and package_of(frame) in ("autograd_core", "numpy"):
        function = _functions_of_numpy().get(frame.f_code, function)
        frame = frame.f_back
    return function


@lru_cache(maxsize=1)
def _functions_of_numpy() -> dict[CodeType | None, Function]:
    """Return NumPy's public functions by the code that they run."""
    modules = (np, np.linalg, np.fft)
    functions = {f for module in modules for f in vars(module).values() if callable(f)}
    found: dict[CodeType | None, Function] = {}
    for function in functions:
        code = getattr(getattr(function, "_implementation", function), "__code__", None)
        if code is not None:
            found[code] = function
    return found


# Which comparisons are searches: v in values, values.remove(v), .index(v) and .count(v). Lists and
# tuples find an element by `is` or `==`. As == of two Values compares their numbers, they would
# find any Value of the same number; so in a search a Value equals itself alone.

_SEARCHES = frozenset(
    ["remove", "index", "count", "__contains__", "contains", "indexOf", "countOf"]  # and operator's
)
_COMPARE = dis.opmap["COMPARE_OP"]
_CALLS = frozenset(["PRECALL", "CALL", "CALL_KW", "CALL_FUNCTION_EX"])


# The latest call that has compared Values: its code, its place there, the names with which it
# begins, and whether one of them is a search. A search compares with many elements in a row
_latest: list[tuple[CodeType | None, int, tuple[str, ...], bool]] = [(None, 0, (), False)]


def is_search(frame: FrameType) -> bool:
    """Tell whether what a frame is carrying out looks for an element, and is no comparison."""
    code, offset, latest = frame.f_code, frame.f_lasti, _latest[0]
    if latest[0] is not code or latest[1] != offset:
        if code.co_code[offset] == _COMPARE:  # as nearly always; what follows costs a microsecond
            return False
        names = _names_of_call(code, offset)
        latest = _latest[0] = code, offset, names, not _SEARCHES.isdisjoint(names)
    return latest[3] or any([_is_search_named(name, frame) for name in latest[2]])


def _is_search_named(name: str, frame: FrameType) -> bool:
    """Tell whether a variable is a method that searches, as in `find = values.index`."""
    function = frame.f_locals.get(name, frame.f_globals.get(name))
    return isinstance(function, BuiltinFunctionType) and function.__name__ in _SEARCHES


@lru_cache(1000)
def _names_of_call(code: CodeType, offset: int) -> tuple[str, ...]:
    """Return the names with which the text of a call begins; none where there is no call."""
    instructions = list(dis.get_instructions(code))
    here = next((i for i in instructions if i.offset == offset), None)
    if here is None or here.opname not in _CALLS:
        return ("contains",) if here and here.opname == "CONTAINS_OP" else ()
    names = []
    for i, after in pairwise(instructions):
        # Python 3.13 loads a function together with something else, and marks it by a null
        is_called = _start(here) in (_start(i), _start(after) if after.opname == "PUSH_NULL" else 0)
        if i.offset < offset and "LOAD" in i.opname and is_called:
            names.append(i.argval[-1] if isinstance(i.argval, tuple) else str(i.argval))
    return tuple(names)
