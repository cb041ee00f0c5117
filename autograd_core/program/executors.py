"""Backend selection: which executor runs a program."""

from collections.abc import Callable
from typing import Any

from .array_executor import ArrayExecutor
from .lowering import in_lanes, lowered
from .machine_code import has_numba
from .program import Program, Results
from .scalar_executor import ScalarExecutor


def executor(program: Program) -> Callable[[list[Any]], Results]:
    """Return what runs a program: from the data of the arguments to the data of the results."""
    return scalar_executor(program) or ArrayExecutor(program)


# An operation of NumPy takes as long as the virtual machine for so many numbers
WORTH = 400
# Groups narrower than this take NumPy longer than one number after another takes Python
NARROW = 6
ROOM = 1_000_000  # numbers in all lanes together, each of which has a register
DEEP = 20_000  # steps, beyond which nothing else runs
FEW = 20  # operations: Python has done them before Numba would be loaded, and nearly as soon later


def scalar_executor(program: Program, compiled: bool | None = None) -> ScalarExecutor | None:
    """Return what runs the program number by number, or None where NumPy's arrays are quicker.

    Programs of numbers alone qualify, those of small arrays if Numba is there, and batches of
    samples, whose arrays have one axis all alike, computed element by element.

    Args:    compiled: with Numba; None: if it is installed.
    Returns: None also for programs of a few operations.
    """
    if len(program.operations()) < FEW:
        return None
    compiled = has_numba() if compiled is None else compiled
    numbers_alone = not any(step.shape for step in program.steps)
    if not numbers_alone and not compiled:
        return None
    is_large = sum([step.size for step in program.steps]) > ROOM
    scalars = None if numbers_alone or is_large else in_lanes(program)
    if scalars is None:
        limit = None if numbers_alone else WORTH * len(program.operations())
        scalars = lowered(program, limit)
    if scalars is None:
        return None
    made = ScalarExecutor(program, scalars, compiled)
    if not compiled and len(program) < DEEP:
        groups = len(made.schedule.groups)
        if len(made.schedule.operands) < NARROW * groups:
            return None
    return made
