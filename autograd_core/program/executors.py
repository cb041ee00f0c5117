"""Which executor runs a program."""

from collections.abc import Callable
from typing import Any

from .arrays.executor import ArrayExecutor
from .program import Program, Results
from .scalars.choice import scalar_executor


def executor(program: Program) -> Callable[[list[Any]], Results]:
    """Return what runs a program: from the data of the arguments to the data of the results."""
    return scalar_executor(program) or ArrayExecutor(program)
