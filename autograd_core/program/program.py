"""Program: numbered steps, each of which computes one register from earlier ones."""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..data import Data, Function, Params, shape_of
from ..graph import Node, Primitive


class Step(NamedTuple):
    """What makes one register: a primitive applied to registers; or, of a source, nothing."""

    primitive: Primitive | None
    inputs: tuple[int, ...]
    params: Params | None
    shape: tuple[int, ...]
    dtype: Any  # np.dtype; None of a float

    @property
    def size(self) -> int:
        """How many numbers the register holds."""
        return math.prod(self.shape)


class Effect(NamedTuple):
    """What a program does beside giving results: call `function` with the data of registers."""

    function: Function
    inputs: tuple[int, ...]


class Unanswered(NamedTuple):
    """What a program gives where a derivative holds NaN, with the random numbers it has drawn.

    The function itself knows where that is 0 times infinity behind a choice: see
    structural_zeros.py.
    """

    draws: list[Data]


# The data of a program's outputs; or why there are none
Results: TypeAlias = list[Data] | Unanswered
Executor: TypeAlias = Callable[[list[Data]], Results]


@dataclass
class Program:
    """Numbered steps in single assignment: step i makes register i, from registers before it.

    Registers without a primitive are sources: arguments, captured Values and constants. The data
    of captured Values are read afresh in every replay. Guards are derivatives: where one holds NaN,
    the program gives no result, but `Unanswered`.

    Example: >>> from autograd_core import compile
             >>> f = compile(lambda x, y: x * y + x)
             >>> f(3.0, 4.0)
             15.0
             >>> print(f.program)
             %0 = argument 0
             %1 = argument 1
             %2 = multiply(%0, %1)
             %3 = add(%2, %0)
             return %3
    """

    steps: list[Step]
    arguments: list[int]
    captured: dict[int, Node] = field(default_factory=dict)
    constants: dict[int, Data] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    guards: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.steps)

    def operations(self) -> list[int]:
        """Return the registers that are computed, in order."""
        return [i for i, step in enumerate(self.steps) if step.primitive is not None]

    def wanted(self) -> list[int]:
        """Return the registers whose data leave the program: results, and what effects take."""
        return self.outputs + [i for effect in self.effects for i in effect.inputs]

    def equals(self, other: "Program") -> bool:
        """Tell whether another recording is of the same steps, options, Values and constants."""
        return bool(self._identity() == other._identity())

    def _identity(self) -> Any:
        steps = [step._replace(params=comparable(step.params, by_code=True)) for step in self.steps]
        constants = {i: comparable(data) for i, data in self.constants.items()}
        return steps, self.arguments, self.captured, constants, self.outputs, len(self.effects)

    def rebuilt(self, steps: list[Step], place: Any, constants: dict[int, Data]) -> "Program":
        """Return the program with other steps, where `place[i]` says where register i went.

        Registers that went nowhere have place -1.
        """
        return replace(
            self,
            steps=steps,
            arguments=[place[i] for i in self.arguments],
            captured={place[i]: node for i, node in self.captured.items() if place[i] >= 0},
            constants=constants,
            outputs=[place[i] for i in self.outputs],
            effects=[e._replace(inputs=tuple([place[i] for i in e.inputs])) for e in self.effects],
            guards=list(dict.fromkeys([place[i] for i in self.guards if place[i] >= 0])),
        )

    def cost(self) -> dict[str, int]:
        """Return how many steps there are, how many numbers they compute, and bytes they fill.

        Example: >>> from autograd_core import compile
                 >>> f = compile(lambda x: x * x)
                 >>> f(np.ones((2, 3))).shape
                 (2, 3)
                 >>> f.program.cost()
                 {'steps': 1, 'operations': 6, 'bytes': 48}
        """
        computed = [self.steps[i] for i in self.operations()]
        return {
            "steps": len(computed),
            "operations": sum([_operations(self, step) for step in computed]),
            "bytes": sum([step.size * _itemsize(step) for step in computed]),
        }

    def __str__(self) -> str:
        lines = [self._line(i, step) for i, step in enumerate(self.steps)]
        effects = [f"{_name(e.function)}({_registers(e.inputs)})" for e in self.effects]
        return "\n".join([*lines, *effects, f"return {_registers(self.outputs)}".rstrip()])

    def _line(self, i: int, step: Step) -> str:
        if step.primitive is not None:
            options = [f"{name}={_short(value)}" for name, value in (step.params or {}).items()]
            text = f"{step.primitive.name}({', '.join([_registers(step.inputs), *options])})"
            text = text.replace("(, ", "(")
        elif i in self.captured:
            text = f"captured {self.captured[i].label or 'Value'}"
        elif i in self.constants:
            text = f"constant {_short(self.constants[i])}"
        else:
            text = f"argument {self.arguments.index(i)}"
        kind = f"    {step.dtype}{list(step.shape)}" if step.dtype is not None else ""
        return f"%{i} = {text}{kind}"


def comparable(x: object, by_code: bool = False) -> Any:
    """Return what is equal, and hashable, for equal options, constants and states.

    by_code: functions of the same code are equal, as those that each call makes anew.
    """
    if isinstance(x, dict):
        return tuple([(name, comparable(part, by_code)) for name, part in x.items()])
    if isinstance(x, tuple | list):
        return (type(x), *[comparable(part, by_code) for part in x])
    if isinstance(x, slice):
        return (slice, *[comparable(part, by_code) for part in (x.start, x.stop, x.step)])
    if isinstance(x, np.ndarray):
        return ("array", x.shape, x.dtype.str, x.tobytes())
    if isinstance(x, float | int):
        return (type(x), str(x))  # 0.0 and -0.0 differ, nan equals nan
    if by_code and hasattr(x, "__code__"):
        return x.__code__
    return x if isinstance(x, Hashable) else ("object", id(x))


def source(data: Data) -> Step:
    """Return the step of a register that is filled with such data."""
    return Step(None, (), None, shape_of(data), getattr(data, "dtype", None))


def _operations(program: Program, step: Step) -> int:
    """Count multiplications and additions of products, and numbers computed of all others."""
    name = step.primitive.table_name if step.primitive else ""
    if name in ("matmul", "inner"):
        return 2 * step.size * program.steps[step.inputs[0]].shape[-1]
    return max([step.size, *[program.steps[i].size for i in step.inputs]])


def _itemsize(step: Step) -> int:
    return 8 if step.dtype is None else int(step.dtype.itemsize)


def _registers(numbers: Iterable[int]) -> str:
    return ", ".join([f"%{i}" for i in numbers])


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or type(function).__name__


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"array{list(value.shape)}"
    if isinstance(value, slice):
        ends = ["" if end is None else str(end) for end in (value.start, value.stop)]
        return ":".join(ends) + (f":{value.step}" if value.step is not None else "")
    if isinstance(value, tuple):
        return f"({', '.join([_short(part) for part in value])})"
    return getattr(value, "__name__", None) or repr(value)
