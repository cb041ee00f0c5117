"""export_onnx: the program of a model, written with the operators of ONNX."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd_core import (
    OptionError,
    ShapeError,
    UnsupportedError,
    Value,
    compile,
    explained_call,
    no_grad,
)
from autograd_core.data import DType, DTypeLike, Function, Operand

from ..files import check_suffix, replacing
from ..module import Module
from .onnx_graph import SAMPLES, Graph, Operation, batch_error, same
from .onnx_operators import OPERATORS, Formula

_SIZED = ("reshape", "broadcast_to", "scatter")  # their options may tell the batch's size


@explained_call
def export_onnx(
    model: Any,
    path: str | os.PathLike[str],
    example: Operand,
    dynamic_batch: bool = True,
) -> None:
    """Write what a model computes in evaluation to an ONNX file, for other runtimes and Netron.

    The operations are traced, and each becomes an operator of ONNX, opset 18. Inputs are named
    x, or x0, x1, ...; outputs y, or y0, y1, ...; parameters as in `state_dict`. Types are those of
    the example: float32 or float64; whole numbers, such as words, are floats, too.

    Args:    model: a Module, or a function of arrays.
             path: of the file; by custom it ends in .onnx.
             example: what the model takes: an array (batch, ...), a tuple of them for several.
             dynamic_batch: the file accepts batches of any size, the first axis of all inputs;
             False: of the example's size.
    Raises:  UnsupportedError: a primitive that ONNX does not have; or a computation that depends
             on the size of the batch. TraceError: it depends on the data.
             OptionError: a path with the suffix of another format. FileError: it cannot be
             written. MissingPackageError: onnx is not installed.
    Example: >>> import tempfile
             >>> from nn import Dense, Sequential
             >>> model = Sequential([Dense(2)], input_shape=(3,))
             >>> with tempfile.TemporaryDirectory() as folder:
             ...     export_onnx(model, f"{folder}/model.onnx", np.zeros((1, 3), np.float32))
    """
    if isinstance(model, type) or not callable(model):
        raise OptionError(
            f"export_onnx of {model!r:.60}",
            "it is neither a model nor a function",
            "export_onnx(model, path, example)",
        )
    check_suffix(path, ".onnx", 'export_onnx(model, "model.onnx", example)')
    is_module = isinstance(model, Module)
    examples = example if isinstance(example, tuple) else (example,)
    arguments = [Value(each).data for each in examples]
    with model.evaluating() if is_module else nullcontext(), no_grad():
        model(*arguments)  # makes the parameters, or refuses the example
        if dynamic_batch and any(isinstance(each, np.ndarray) for each in arguments):
            samples, programs = SAMPLES[0], _programs(model, arguments)
        else:
            samples, programs = None, [_program(model, arguments)] * 2
    content = _content(programs, _names(model) if is_module else {}, samples)
    with replacing(path) as file:
        file.write(content)


def _program(function: Function, arguments: list[Operand]) -> Any:
    """Return the program of a function for such arguments."""
    compiled = compile(function)
    compiled(*arguments)
    return compiled.program


def _programs(function: Function, arguments: list[Operand]) -> list[Any]:
    """Return the programs for two sizes of the batch, which have the same steps.

    Raises:  UnsupportedError: they differ, or the model does not accept the sizes.
    """

    def batch(samples: int) -> list[Operand]:
        return [
            np.repeat(each[:1], samples, 0) if isinstance(each, np.ndarray) else each
            for each in arguments
        ]

    try:
        programs = [_program(function, batch(samples)) for samples in SAMPLES]
    except ShapeError as error:
        raise batch_error(f"a model that takes no batch of any size ({error.given})") from error
    kinds = [[step.primitive for step in program.steps] for program in programs]
    if kinds[0] != kinds[1]:
        raise batch_error("a model that takes other steps for every size of the batch")
    return programs


def _names(model: Module) -> dict[int, str]:
    """Return the names of all parameters and buffers, by identity."""
    names = {id(parameter): name for name, parameter in model.named_parameters().items()}
    for name, part in model.modules().items():
        for own, buffer in part.children().items():
            names.setdefault(id(buffer), f"{name}.{own}".lstrip("."))
    return names


def _content(programs: list[Any], names: dict[int, str], samples: int | None) -> bytes:
    graph = Graph(samples)
    program, larger = programs
    writer = _Writer(graph, program, larger, names)
    inputs, outputs = writer.ends(program.arguments, "x"), writer.ends(program.outputs, "y")
    writer.names.update(zip(program.arguments, [end.name for end in inputs], strict=True))
    if samples is not None:
        with_batch = next(i for i in program.arguments if program.steps[i].shape)
        graph.take_batch_from(writer.names[with_batch])
    for i, node in program.captured.items():
        writer.names[i] = writer.stored(node, node.data)
    for i in program.operations():
        name = writer.names[i] = writer.written(i)
        graph.between[name] = writer.information(i, name)
    for i, end in zip(program.outputs, outputs, strict=True):
        graph.node("Identity", writer.read(i, writer.dtype(i)), output=end.name)
    return graph.content(inputs, outputs)


class _Writer:
    """Writes the steps of a program into a graph; `names` are those of the registers there."""

    def __init__(self, graph: Graph, program: Any, larger: Any, known: dict[int, str]) -> None:
        self.graph, self.program, self.larger = graph, program, larger
        self.names: dict[int, str] = {}
        self._known = known  # names of parameters and buffers, by identity

    def stored(self, thing: Any, data: Operand) -> str:
        """Write the data of a parameter or buffer, under the name that the model has for it."""
        return self.graph.parameter(data, self._known.get(id(thing), "parameter"))

    def ends(self, registers: list[int], letter: str) -> list[Any]:
        """Return the descriptions of inputs or outputs, and reserve their names."""
        several = len(registers) > 1
        return [
            self.information(i, self.graph.name(f"{letter}{number}" if several else letter))
            for number, i in enumerate(registers)
        ]

    def information(self, i: int, name: str) -> Any:
        """Return the description of a register: its name, type and shape."""
        shape, larger = self.program.steps[i].shape, self.larger.steps[i].shape
        return self.graph.information(name, self.dtype(i), shape, larger)

    def dtype(self, i: int) -> DType:
        """Return the type of a register; a number is a float64."""
        return self.program.steps[i].dtype or np.dtype(np.float64)

    def read(self, i: int, dtype: DTypeLike) -> str:
        """Return the name of a register's numbers in a type."""
        if i not in self.program.constants:
            name = self.names[i]
            return name if self.dtype(i) == dtype else self.graph.cast(name, dtype)
        data, larger = self.program.constants[i], self.larger.constants[i]
        if same(data, larger):
            return self.graph.constant(np.asarray(data, dtype))
        return self.graph.repeated(np.asarray(data, dtype), np.asarray(larger, dtype))

    def written(self, i: int) -> str:
        """Write a step, and return the name of its result."""
        step = self.program.steps[i]
        arrays = [self.dtype(x) for x in step.inputs if self.program.steps[x].shape]
        dtype = np.result_type(*arrays) if arrays else np.dtype(np.float64)
        if not step.inputs:
            return self._buffer(step.params["draw"])
        larger = self._operation(self.larger, i, dtype)
        operation = self._operation(self.program, i, dtype)._replace(larger=larger)
        inputs = [self.read(x, dtype) for x in step.inputs]
        entry = OPERATORS.get(step.primitive.table_name)
        if entry is None and step.primitive.composed:
            entry = Formula(step.primitive.composed)
        if entry is None:
            raise UnsupportedError(
                f"the primitive {operation.name} in ONNX",
                "ONNX, opset 18, has no operator for it",
                "what nn.layers and nn.activations consist of; or the values of this part, as data",
            )
        if operation.name not in _SIZED:
            operation.fixed(operation.params, larger.params)
        if isinstance(entry, Formula):
            name = self._composed(entry.function, operation, inputs)
        else:
            name = entry(self.graph, operation, *inputs)
        return name if self.dtype(i) == dtype else self.graph.cast(name, self.dtype(i))

    def _composed(self, composed: Function, operation: Operation, names: Any) -> str:
        """Write an elementwise primitive as it is composed of others; return the result's name."""
        program = _program(
            lambda *inputs: composed(*inputs, **operation.params),
            [np.ones(1, operation.dtype) for _ in names],
        )
        part = _Writer(self.graph, program, program, {})
        part.names.update(zip(program.arguments, names, strict=True))
        for i in program.operations():
            part.names[i] = part.written(i)
        return part.read(program.outputs[0], operation.dtype)

    def _operation(self, program: Any, i: int, dtype: DType) -> Operation:
        step = program.steps[i]
        shapes = [program.steps[x].shape for x in step.inputs]
        return Operation(step.primitive.name, step.params or {}, shapes, step.shape, dtype)

    def _buffer(self, draw: Callable[[], Operand]) -> str:
        """Write what each call reads anew, such as the averages of BatchNormalization."""
        data = draw()
        if not same(data, draw()):
            raise UnsupportedError(
                "random numbers in ONNX",
                "a file gives the same outputs for the same inputs",
                "the model in evaluation, or a function that draws nothing",
            )
        return self.stored(data, data)
