"""What an optimizer remembers of a parameter, as seen from inside a compiled step."""

from collections.abc import Callable
from functools import partial
from typing import Any

from autograd_core import Value, callback, fresh


class TracedSlots:
    """Stands for the slots of a parameter while a step is being compiled.

    What is read are Values that every replay takes from the slots; what was assigned is put there
    by every replay once `keep` was called.

    Args:    slots: returns the slots themselves, a dict of floats and arrays.
             put: function of a name and the data that are put there.
    Example: >>> from autograd_core import compile
             >>> slots = {"mean": 1.0}
             >>> def average(x):
             ...     traced = TracedSlots(lambda: slots, slots.__setitem__)
             ...     traced["mean"] = 0.5 * traced["mean"] + 0.5 * x
             ...     traced.keep()
             >>> compiled = compile(average)
             >>> compiled(3.0), compiled(4.0), slots
             (None, None, {'mean': 3.0})
    """

    def __init__(
        self, slots: Callable[[], dict[str, Any]], put: Callable[[str, Any], None]
    ) -> None:
        self._slots = slots
        self._put = put
        self._assigned: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._assigned or name in self._slots()

    def __getitem__(self, name: str) -> Any:
        if name not in self._assigned:
            drawn = fresh(lambda: self._slots()[name])
            # Plain where the function itself answers a call, because a gradient is NaN
            self._assigned[name] = drawn if isinstance(drawn, Value) else Value(drawn)
        return self._assigned[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._assigned[name] = value

    def keep(self) -> None:
        """Let every replay put what was assigned into the slots."""
        for name, value in self._assigned.items():
            callback(partial(self._put, name), value)
