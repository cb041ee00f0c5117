"""Which comparisons are searches: v in values, values.remove(v), .index(v) and .count(v).

Lists and tuples find an element by `is` or `==`. As == of two Values compares their numbers, they
would find any Value of the same number; so in a search a Value equals itself alone.
"""

import dis
from functools import lru_cache
from itertools import pairwise
from types import BuiltinFunctionType, CodeType, FrameType

_SEARCHES = frozenset(
    ["remove", "index", "count", "__contains__", "contains", "indexOf", "countOf"]  # and operator's
)
_COMPARE = dis.opmap["COMPARE_OP"]
_CALLS = frozenset(["PRECALL", "CALL", "CALL_KW", "CALL_FUNCTION_EX"])


def is_search(frame: FrameType) -> bool:
    """Tell whether what a frame is carrying out looks for an element, and is no comparison."""
    code, offset = frame.f_code, frame.f_lasti
    if code.co_code[offset] == _COMPARE:  # as nearly always; what follows costs a microsecond
        return False
    names = _called(code, offset)
    return any([name in _SEARCHES or _is_search_named(name, frame) for name in names])


def _is_search_named(name: str, frame: FrameType) -> bool:
    """Tell whether a variable is a method that searches, as in `find = values.index`."""
    function = frame.f_locals.get(name, frame.f_globals.get(name))
    return isinstance(function, BuiltinFunctionType) and function.__name__ in _SEARCHES


@lru_cache(1000)
def _called(code: CodeType, offset: int) -> tuple[str, ...]:
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


def _start(instruction: dis.Instruction) -> tuple[int | None, ...]:
    """Return line and column where the text of an instruction begins."""
    place = instruction.positions
    return (place.lineno, place.col_offset) if place else ()
