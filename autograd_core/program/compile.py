"""compile: a function that records once, and from then on replays without the graph."""

import copy
import sys
import threading
import warnings
from functools import update_wrapper
from types import FunctionType, MethodType
from typing import Any

from .. import watching
from ..data import Function, Operand, Params, Tree
from ..errors import UnsupportedError
from ..messages import check_function
from ..watching import free_after_fork
from .program import Program
from .recorded_call import RecordedCall
from .signature import signature
from .tracing import earlier

OFTEN = 10  # programs of one function, from which on a warning says that shapes vary
KEPT = 4  # programs of one kind of call, recorded in different states of what is captured


def compile(f: Function) -> "Compiled":
    """Return f as a program: recorded at the first call, and replayed without a graph.

    f computes with floats, arrays, Values and nested lists, tuples and dicts of them; derivatives
    of any order may be inside. The Values that it captures, such as the parameters of a model,
    are read afresh in every call, and may be given new data inside (`p.data = p - step`). Other
    shapes, types or options (True, text, None) are recorded anew, and so are changes of what f
    reads beside its arguments: numbers, arrays, lists, attributes, globals.

    Args:    f: decides by `np.where` and not by `if` of data, and draws with `fresh`.
    Returns: a function of the same arguments and results, to the bit where the order of operations
             is kept, else to 1e-12 (float32: to its rounding). It can be differentiated as f can.
    Raises:  TraceError: at the first call, if f takes data out of the graph, with the line; at the
             second, if in both it draws, reads the time or a file, or changes what it reads; at
             any, if it assigns to, or differentiates by, a Value that it knows as two.
    Example: >>> from autograd_core import value_and_grad
             >>> step = compile(value_and_grad(lambda w, x: (w * x - 6.0) ** 2))
             >>> step(2.0, 4.0)
             (4.0, 16.0)
             >>> step(1.0, 5.0)
             (1.0, -10.0)
    """
    check_function("compile", f)
    return Compiled(f)


class Compiled:
    """A function that replays programs, one for each structure, shape and type of its arguments.

    Example: >>> double = compile(lambda x: x + x)
             >>> double(2.0), double.traces
             (4.0, 1)
    """

    def __init__(self, f: Function) -> None:
        self._f = f
        self._replays: dict[object, list[RecordedCall]] = {}  # of each kind of call, latest first
        self._count = 0
        self._doubted: dict[object, RecordedCall] = {}  # recordings that serve one call only
        self._latest: RecordedCall | None = None
        self._tracing = free_after_fork(threading.RLock())
        update_wrapper(self, f, updated=())

    @property
    def program(self) -> Program:
        """The program of the latest call.

        Raises: AttributeError: there was no call yet.
        """
        if self._latest is None:
            raise AttributeError("no program yet: the first call records it")
        return self._latest.program

    @property
    def traces(self) -> int:
        """How many programs were recorded."""
        return self._count

    def __call__(self, *args: Tree, **kwargs: Any) -> Tree:
        """Replay, or record at the first call; while a watcher is open, run the function itself."""
        is_watched = watching.open_watches and watching.is_watched()
        if is_watched or earlier.get() is not None:
            return self._f(*args, **kwargs)  # watchers see every operation; draws are used again
        leaves: list[Operand] = []
        key: list[object] = [not watching.open_watches or watching.is_recording()]
        signature((args, kwargs) if kwargs else args, leaves, key)
        for replay in self._replays.get(tuple(key), ()):
            if replay.serves(leaves):  # recorded in the same state
                break
        else:
            with self._tracing:
                replays = self._replays.get(tuple(key), ())
                found = next((r for r in replays if r.serves(leaves)), None)
                if found is None:
                    return self._record(tuple(key), leaves, args, kwargs)
                replay = found
        self._latest = replay
        return replay(leaves, args, kwargs)

    def _record(
        self, key: object, leaves: list[Operand], args: tuple[Tree, ...], kwargs: Params
    ) -> Tree:
        recording = watching.is_recording()
        before = self._doubted.get(key)
        if before is not None and not before.is_for(leaves):
            before = None
        replay = RecordedCall(self._f, args, kwargs, recording, compile, before)
        self._latest = replay
        if replay.doubt is not None:
            self._doubted[key] = replay  # the next call records again, and then decides
            return replay.first()
        self._doubted.pop(key, None)
        self._replays[key] = [replay, *self._replays.get(key, ())[: KEPT - 1]]
        self._count += 1
        if self._count == OFTEN:
            name = getattr(self._f, "__name__", "function")
            warnings.warn(
                f"the compiled {name} was recorded {OFTEN} times: every new structure, shape, type "
                "or option takes a recording, and every change of a number, list or attribute that "
                "it captures. Write: arguments of equal shapes (pad the last batch), data as "
                "numbers or arrays, and as arguments or Values what changes",
                stacklevel=3,
            )
        return replay.first()

    def __reduce__(self) -> Any:
        """Pickle the function, by name; programs are recorded anew."""
        f = self._f
        name = getattr(f, "__qualname__", repr(f))
        found: object = sys.modules.get(getattr(f, "__module__", None) or "")
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:  # it was defined as @compile
            return name
        if isinstance(f, FunctionType) and found is not f:
            raise UnsupportedError(
                f"a pickle of the compiled {name}",
                "it holds the name of a function, and no module has this one by its name",
                "a function defined by `def` at the top of a module",
            )
        return compile, (f,)

    def __copy__(self) -> "Compiled":
        return compile(self._f)

    def __deepcopy__(self, memo: dict[int, object]) -> "Compiled":
        return compile(copy.deepcopy(self._f, memo))

    def __get__(self, instance: object, owner: object = None) -> Function:
        """Bind to an instance, as functions do, so that methods can be compiled."""
        return self if instance is None else MethodType(self, instance)
