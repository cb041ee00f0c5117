"""Dead steps: what no result and no effect depends on is not computed."""

from ..program import Program, Step
from ..tracing import fresh_draw


def drop_dead(program: Program) -> Program:
    """Return the program without the steps that nothing needs; draws of random numbers stay."""
    steps = program.steps
    alive = bytearray(len(steps))
    for i in program.arguments + program.wanted():
        alive[i] = 1
    for i in range(len(steps) - 1, -1, -1):
        step = steps[i]
        if alive[i] or step.primitive is fresh_draw:
            alive[i] = 1
            for x in step.inputs:
                alive[x] = 1
    place = [-1] * len(steps)
    kept: list[Step] = []
    for i, step in enumerate(steps):
        if alive[i]:
            place[i] = len(kept)
            kept.append(step._replace(inputs=tuple([place[x] for x in step.inputs])))
    constants = {place[i]: data for i, data in program.constants.items() if alive[i]}
    return program.rebuilt(kept, place, constants)
