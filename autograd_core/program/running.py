"""What runs while a function is recorded, and what it reads that each call would read anew.

A recording would freeze random numbers that are not `fresh`, the time, files, and whatever else a
function in C fetches from outside. The states of the generators that the function reaches are read
before and after a recording, and never set. Generators without a seed that are made inside ask the
system for entropy, and are noticed by that; those made with a seed give the same numbers in every
call anyway.
"""

import dis
import gc
import io
import linecache
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from random import Random, SystemRandom
from types import BuiltinFunctionType, CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from ..errors import TraceError
from .program import comparable

# The user's line is the innermost one that belongs to none of these; their modules' globals and
# classes' attributes do not change
_LIBRARIES = {"autograd_core", "nn", "numpy", *sys.stdlib_module_names} - {"__main__"}

RANDOM, TIME, FILE = "random numbers drawn", "the time read", "a file opened"
WRITTEN = "a file written"
_REFUSED = {  # why, and what to write
    RANDOM: (
        "they would be frozen into the program, the same in every call",
        "fresh(lambda: rng.normal(...)), which every call draws anew",
    ),
    TIME: (
        "it would be frozen into the program, the same in every call",
        "fresh(time.perf_counter), which every call reads anew",
    ),
}
_OTHERWISE = (
    "replays repeat operations on Values, and would neither read nor write it again",
    "fresh(function) for what every call reads anew, callback(function, v) for what it "
    "writes; or what it gives as an argument, read outside",
)


class Randomness:
    """Generators of random numbers, with the states that they should be in by now.

    Args: reached: those that the function reaches, beside NumPy's, Python's and PyTorch's own.
    """

    def __init__(self, reached: Iterable[object]) -> None:
        self._generators = {id(x): x for x in (*_own(), *reached)}
        self._expected = self._states()
        self._moved = self._is_allowed = False
        self.what = RANDOM
        self.is_certain = False  # whether this thread was seen to read, and not only states to move
        self.line = ""  # the user's line that drew, where it is known
        self.latest = ""  # the one that ran before it was seen

    def __contains__(self, generator: object) -> bool:
        return id(generator) in self._generators

    def _states(self) -> list[Any]:
        return [_state(generator) for generator in self._generators.values()]

    def moved(self) -> bool:
        """Tell whether anything was drawn so far that was not `allowed`, by any thread."""
        if not self._moved and not self._is_allowed:
            self._moved = self._states() != self._expected
        return self._moved

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let anything be drawn inside the block."""
        self.moved()
        self._is_allowed = True
        try:
            yield
        finally:
            self._is_allowed = False
            self._expected = self._states()

    def noticed(self, frame: FrameType, what: str) -> None:
        """Note that this frame reads what each call would read anew, unless that is `allowed`."""
        if not self._is_allowed and not self._moved:
            self._moved = self.is_certain = True
            self.what, self.line = what, _line(frame)

    def by_lines(self, before: Any) -> Callable[[Any, str, Any], Any]:
        """Return a function for sys.settrace that finds the line that draws.

        Slow: all states are read at every line.

        Args: before: what was traced with until now.
        """

        def look(frame: FrameType, event: str, argument: object) -> Any:
            if before is not None and event == "call":
                before(frame, event, argument)
                sys.settrace(look)  # coverage, once called, installs itself again
            if not _is_users(frame):
                return None
            if not self.moved():
                self.latest = _line(frame)
            return look

        return look

    def refusal(self, function: str, kind: str) -> TraceError:
        """Return the error of a compiled or batched function that reads them in every call."""
        why, instead = _REFUSED.get(self.what, _OTHERWISE)
        if kind == "batched":
            why = "it runs once for all samples, which would share what it has read"
        line = self.line or self.latest or function
        return TraceError(f"{self.what} inside a {kind} function\n  at:    {line}", why, instead)


def is_library(module: object) -> bool:
    """Tell whether a module is ours, NumPy's or Python's, by its name."""
    return isinstance(module, str) and module.partition(".")[0] in _LIBRARIES


def _is_users(frame: FrameType) -> bool:
    return not is_library(frame.f_globals.get("__name__"))


def _line(frame: FrameType) -> str:
    """Return file, line number and text of the innermost line that is the user's own."""
    while frame.f_back and not _is_users(frame):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    return f"{name}:{number}: {linecache.getline(name, number).strip()}".rstrip(": ")


def raised_at(error: BaseException) -> str:
    """Return the innermost line of the user's own that raised an error."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        if _is_users(trace.tb_frame):
            name, number = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            found = f"{name}:{number}: {linecache.getline(name, number).strip()}".rstrip(": ")
        trace = trace.tb_next
    return found


_GENERATORS = (
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    np.random.SeedSequence,
    Random,
)


def is_generator(x: object) -> bool:
    """Tell whether something gives random numbers, or what they are made of."""
    return isinstance(x, _GENERATORS) or str(type(x)) == "<class 'torch._C.Generator'>"


def generators() -> list[Any]:
    """Return all generators in this process. Slow: there are many objects."""
    kinds = [*_GENERATORS]
    for kind in kinds:
        kinds += kind.__subclasses__()
    ids = {*map(id, kinds)}  # some objects answer strangely when they are asked what they are
    return [x for x in gc.get_objects() if id(type(x)) in ids]


def _own() -> list[object]:
    own = [vars(np.random)["random"].__self__, vars(random)["random"].__self__]
    torchs = getattr(sys.modules.get("torch"), "default_generator", None)
    return own if torchs is None else [*own, torchs]


def _state(generator: Any) -> Any:
    """Return the state in a form that can be compared."""
    if isinstance(generator, SystemRandom):
        return None  # it asks the system
    if isinstance(generator, Random):
        return Random.getstate(generator)
    if isinstance(generator, np.random.RandomState):
        return comparable(generator.get_state(legacy=False))
    if isinstance(generator, np.random.SeedSequence):
        return generator.n_children_spawned
    if isinstance(generator, np.random.Generator):
        generator = generator.bit_generator
    if isinstance(generator, np.random.BitGenerator):
        spawned = getattr(generator.seed_seq, "n_children_spawned", 0)
        return comparable(generator.state), spawned
    return comparable(generator.get_state().numpy())  # PyTorch's


# Modules in C that compute from their arguments, or whose objects are looked into: all other
# functions in C of Python's library may read what changes outside
# fmt: off
_COMPUTING = {
    "abc", "array", "ast", "binascii", "bisect", "blake2", "builtins", "bz2", "cmath", "codecs",
    "collections", "contextvars", "ctypes", "datetime", "decimal", "elementtree", "errno",
    "functools", "gc", "hashlib", "heapq", "imp", "itertools", "json", "locale", "lzma", "marshal",
    "math", "md5", "multiprocessing", "numpy", "opcode", "operator", "pickle", "pyexpat",
    "random", "re", "sha1", "sha2", "sha256", "sha3", "sha512", "sre", "stat", "statistics",
    "string", "struct", "sys", "thread", "tracemalloc", "types", "typing", "unicodedata",
    "warnings", "weakref", "zlib", "zoneinfo",
}
# fmt: on
TOOLS = {"importlib", "inspect", "linecache", "logging", "tokenize", "traceback", "warnings"}
_WRITING = ("write", "writelines", "flush", "isatty", "fileno")
_PUBLIC = {"posix": "os", "nt": "os"}
_OF_NO_DATA = {time.sleep, os.fspath, os.getpid}


def _read_by(function: BuiltinFunctionType) -> str:
    """Return what a function in C reads beside its arguments; nothing, if it computes."""
    owner, name = function.__self__, function.__name__
    if owner is None or isinstance(owner, ModuleType):
        module = function.__module__ or ""
    else:
        kinds = (owner if isinstance(owner, type) else type(owner)).__mro__
        module = next((kind.__module__ for kind in kinds if name in vars(kind)), "")
    package = _package(module)
    if function in (np.fromfile, input):
        return FILE
    if package == "datetime" and name in ("now", "today", "utcnow"):
        return TIME
    if computes(module) or function in _OF_NO_DATA:
        return ""
    if isinstance(owner, io.StringIO | io.BytesIO):
        return ""
    if name in ("urandom", "getrandom"):
        return RANDOM
    known = {"time": TIME, "io": WRITTEN if name in _WRITING else FILE}
    return known.get(package, f"{_PUBLIC.get(package, package)}.{name}() called")


def _package(module: str) -> str:
    return module.partition(".")[0].lstrip("_")


def computes(module: str) -> bool:
    """Tell whether functions in C of a module read nothing but their arguments."""
    return not is_library(module) or _package(module) in _COMPUTING


def _is_for_user(frame: FrameType | None, what: str) -> bool:
    """Tell whether a frame reads something for the user, itself or in a library's function.

    Not so the clock of a progress bar or a logger, what packages ask the system for, and the files
    of tools.
    """
    while frame is not None and what != RANDOM:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package in TOOLS:
            return False
        if package not in _LIBRARIES:
            is_own = "site-packages" not in frame.f_code.co_filename
            return is_own or not (what in (TIME, WRITTEN) or what.startswith("os."))
        frame = frame.f_back
    return frame is not None


def _reads_now(code: CodeType) -> bool:
    """Tell whether code makes np.datetime64("now") or the like, of which no call is seen."""
    names = names_in(code)
    return not names.isdisjoint(("now", "today")) and any(
        [name.startswith(("datetime64", "M8", "Timestamp")) for name in names]
    )


_UNSEEDED = {Random.seed.__code__, SystemRandom.getrandbits.__code__}


class Ran:
    """The code that ran in a function, with the globals that it saw.

    Args: noticed: called with the frame in which something is read that each call would read
          anew, such as the time, and with what it is.
    """

    def __init__(self, noticed: Callable[[Any, str], None]) -> None:
        self.code: dict[CodeType, dict[str, object]] = {}
        self.is_complete = False  # not where both a profiler and a tracing tool were at work
        self._names: dict[Any, set[str]] = {}  # by packages, and by how much code there is
        self._noticed = noticed
        self._is_paused = False

    def follow(
        self, function: Callable[[], Any], by_lines: Callable[[Any], Any] | None = None
    ) -> Any:
        """Return what a function returns, and record what it calls, in this thread.

        The garbage collector waits: its callbacks, which are other libraries', may run anywhere.

        Args: by_lines: returns a function for sys.settrace, given the one of before.
        """
        collects, profiler, tracer = gc.isenabled(), sys.getprofile(), sys.gettrace()
        is_python = profiler is None or callable(profiler)  # not in C, such as cProfile

        def end() -> None:
            if collects:
                gc.enable()
            if by_lines or not is_python:
                sys.settrace(tracer)
            if is_python:
                sys.setprofile(profiler)

        try:
            try:
                gc.disable()
                look = self._look(profiler if is_python else None)
                if is_python:
                    sys.setprofile(look)
                elif tracer is None:
                    sys.settrace(look)
                self.is_complete = is_python or tracer is None
                if by_lines:
                    sys.settrace(by_lines(sys.gettrace()))
                return function()
            finally:
                end()
        finally:
            end()  # again, where an interrupt has divided it

    def _look(self, before: Any) -> Callable[[Any, str, object], None]:
        """Return a function for sys.setprofile or settrace, quick where all has been met before.

        Args: before: a profiler, which sees all events, too.
        """
        met: dict[int, CodeType] = {}  # by their ids: codes compare by what they hold
        computing: set[Any] = {list, dict, set, str, tuple, np.ndarray}  # types, functions in C

        def look(frame: FrameType, event: str, argument: Any) -> None:
            if event == "call":
                if id(frame.f_code) not in met and self._called(frame):
                    met[id(frame.f_code)] = frame.f_code
            elif event == "c_call" and not (
                type(argument.__self__) in computing or argument in computing
            ):
                self._called_c(frame, argument, computing)
            if before is not None:
                before(frame, event, argument)

        return look

    def _called(self, frame: FrameType) -> bool:
        """Note a function that is called; return whether it need not be looked at again."""
        if self._is_paused:
            return False
        code = frame.f_code
        self.code[code] = frame.f_globals
        if code in _UNSEEDED:
            if frame.f_locals.get("a") is None:
                self._noticed(frame, RANDOM)
            return False
        if _is_users(frame) and _reads_now(code):
            self._noticed(frame, TIME)
        return True

    def _called_c(
        self, frame: FrameType, function: BuiltinFunctionType, computing: set[object]
    ) -> None:
        """Note a function in C that is called; add what computes, or its type, to `computing`."""
        what = _read_by(function)
        if what and _is_for_user(frame, what):
            self._noticed(frame, what)
        elif not what:
            kind = type(function.__self__)
            is_method = not issubclass(kind, ModuleType | type | None)
            is_pure = is_method and all([computes(each.__module__) for each in kind.__mro__])
            computing.add(kind if is_pure else function)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what runs in the block."""
        before, self._is_paused = self._is_paused, True
        try:
            yield
        finally:
            self._is_paused = before

    def names(self, packages: frozenset[str] = frozenset()) -> set[str] | None:
        """Return all names and texts in the users' code; None: it is not known which code ran.

        Args: packages: libraries whose code counts, too.
        """
        if not self.is_complete:
            return None
        key = packages, len(self.code)
        if key not in self._names:
            found = []
            for code, names in self.code.items():
                module = str(names.get("__name__"))
                if not is_library(module) or module.partition(".")[0] in packages:
                    found.append(names_in(code))
            self._names[key] = set().union(*found)
        return self._names[key]


COMPUTED = "names that are not in the code"  # as in getattr(x, f"rate_{i}")
_BY_TEXT = {"vars", "__dict__", "globals"}
_BY_NAME = {"getattr", "attrgetter", "methodcaller"}
_FORMATTING = {code for name, code in dis.opmap.items() if name.startswith("FORMAT_")}


def _computes_names(code: CodeType) -> bool:
    """Tell whether code reads attributes or globals by texts that are not in it.

    Packages do so everywhere, for attributes of their own.
    """
    mentioned = {*code.co_names}
    if not mentioned.isdisjoint(_BY_TEXT) and not _FORMATTING.isdisjoint(code.co_code[::2]):
        return True
    if mentioned.isdisjoint(_BY_NAME) or "site-packages" in code.co_filename:
        return False
    steps = [i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "PRECALL")]
    starts = [i.positions[::2] if i.positions else None for i in steps]  # line and column
    for place, step in enumerate(steps):
        if step.argval not in _BY_NAME or not step.opname.startswith("LOAD"):
            continue
        calls = [k for k in range(place, len(steps)) if steps[k].opname.startswith("CALL")]
        call = next((k for k in calls if starts[k] == starts[place]), place)
        given = steps[max(place, call - 2) : call]
        if not any([isinstance(i.argval, str) and i.opname == "LOAD_CONST" for i in given]):
            return True
    return False


def names_in(code: CodeType, inner: bool = False) -> set[str]:
    """Return the names of globals and attributes, and the texts, in the code of a function."""
    names = {*code.co_names}
    if _computes_names(code):
        names.add(COMPUTED)
    for constant in code.co_consts:
        if isinstance(constant, str):
            names.add(constant)
            if "attrgetter" in names:
                names.update(constant.split("."))
        elif isinstance(constant, tuple | frozenset):
            names.update(part for part in constant if isinstance(part, str))
        elif inner and isinstance(constant, CodeType):
            names |= names_in(constant, inner)
    return names
