"""Passes: each takes a program, and returns one that computes the same with less work."""

from ..program import Program
from .algebra import simplify
from .common import merge_common
from .dead import drop_dead
from .folding import fold_constants

PASSES = (fold_constants, simplify, merge_common, drop_dead)


def simplified(program: Program) -> Program:
    """Return the program after all passes.

    Example: >>> from autograd_core import compile, grad
             >>> f = compile(grad(lambda x: x * x))
             >>> f(3.0)
             6.0
             >>> print(f.program)
             %0 = argument 0
             %1 = add(%0, %0)
             return %1
    """
    for each in PASSES:
        program = each(program)
    return program
