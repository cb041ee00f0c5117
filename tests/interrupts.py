"""An interrupt at a chosen line: what Ctrl-C does, without a clock."""

import sys
from collections.abc import Callable
from typing import Any


def interrupted(act: Callable[[], Any], line: int, files: tuple[str, ...]) -> bool:
    """Run `act` and raise KeyboardInterrupt before the given line that it runs; tell whether.

    Args:    line: counted from 0, in the order in which they run.
             files: endings of the paths of the source files whose lines count.
    """
    left = line

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(files):
            return None
        if event == "line":
            left -= 1
            if left == -1:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False
