"""The ONNX graph: its nodes, its constants, and lengths that depend on the size of the batch."""

from typing import Any, NamedTuple

import numpy as np

from autograd_core import UnsupportedError
from autograd_core.data import Array, DType, DTypeLike, Operand, Params

from ..packages import optional

OPSET = 18  # the first in which all reductions take their axes in the same way
DOMAIN = ""  # ONNX's own operators
# Sizes of the batch for which a program is traced, to find what depends on it. They are far apart,
# so that fractions of the batch differ, too
SAMPLES = (2, 12)


class Operation(NamedTuple):
    """One step of a program, for the table of operators.

    `larger` is the same step for a larger batch if the file accepts batches of any size, else the
    step itself.
    """

    name: str
    params: Params
    shapes: list[tuple[int, ...]]  # of the inputs
    shape: tuple[int, ...]
    dtype: DType  # in which it computes
    larger: Any = None

    def fixed(self, here: object, larger: object) -> Any:
        """Return what is the same for batches of all sizes.

        Raises:  UnsupportedError: it is not.
        """
        if not same(here, larger):
            raise batch_error(
                f"{self.name}, which has {here} for one batch and {larger} for the next"
            )
        return here


class Graph:
    """Nodes and constants; each method that adds one returns the name of its output.

    Args:    samples: in the traced batch; None: the batch's size is fixed.
    """

    def __init__(self, samples: int | None) -> None:
        self.samples = samples
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.names: set[str] = set()
        self.between: dict[str, object] = {}  # descriptions of results, for Netron
        self._onnx = optional("onnx", "onnx")
        self.constants: dict[str, Any] = {}  # their arrays, by name
        self._constants: dict[Any, str] = {}  # their names, by content
        self._casts: dict[tuple[str, str], str] = {}
        self._batch_of = ""  # an input whose first axis is the batch
        self._batch = ""  # the name of the batch's size, an array (1,), if it is used

    def name(self, wanted: str) -> str:
        """Return an unused name, the wanted one if possible."""
        name, number = wanted, 1
        while name in self.names:
            name, number = f"{wanted}_{number}", number + 1
        self.names.add(name)
        return name

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node of an ONNX operator with one output."""
        output = output or self.name(operator.lower())
        made = self._onnx.helper.make_node(operator, inputs, [output], output, **attributes)
        self.nodes.append(made)
        return output

    def parameter(self, array: Array, name: str) -> str:
        """Add an array under a name of its own."""
        name = self.name(name)
        array = np.array(array, order="C")  # a copy that keeps the shape () of a number
        self.initializers.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def constant(self, array: Array) -> str:
        """Add an array, unless there is an equal one."""
        array = np.asarray(array)
        key = array.dtype.char, array.shape, array.tobytes()
        if key not in self._constants:
            self._constants[key] = name = self.parameter(array, "constant")
            self.constants[name] = array
        return self._constants[key]

    def number(self, number: float, dtype: DTypeLike) -> str:
        """Add a single number."""
        return self.constant(np.array(number, dtype))

    def integers(self, numbers: Operand) -> str:
        """Add whole numbers, in an array (n,)."""
        return self.constant(np.array([*numbers], np.int64))

    def cast(self, name: str, dtype: DTypeLike) -> str:
        """Convert numbers to another type."""
        kind = np.dtype(dtype)
        if (name, kind.char) not in self._casts:
            to = self._onnx.helper.np_dtype_to_tensor_dtype(kind)
            self._casts[name, kind.char] = self.node("Cast", name, to=to)
        return self._casts[name, kind.char]

    def take_batch_from(self, name: str) -> None:
        """Take the batch's size from the first axis of an input."""
        self._batch_of = name

    def lengths(self, shape: Any, larger: Any, infers: bool = False) -> str:
        """Return a shape in which the batch's size is computed at run time.

        Args:    shape, larger: for either size of the batch.
                 infers: whether the operator infers a length of -1.
        Raises:  UnsupportedError: a length is no multiple of the batch's size.
        """
        changing = [i for i, n in enumerate(shape) if n != larger[i]]
        if not changing:
            return self.integers(shape)
        if infers and len(changing) == 1:
            return self.integers([-1 if i in changing else n for i, n in enumerate(shape)])
        parts = [self._length(n, m) for n, m in zip(shape, larger, strict=True)]
        return self.node("Concat", *parts, axis=0)

    def _length(self, n: int, larger: int) -> str:
        if n == larger:
            return self.integers([n])
        each = n // SAMPLES[0]
        if n % SAMPLES[0] or each * SAMPLES[1] != larger:
            raise batch_error(f"an axis of length {n} for one batch and {larger} for the next")
        self._batch = self._batch or self.node("Shape", self._batch_of, start=0, end=1)
        return self._batch if each == 1 else self.node("Mul", self._batch, self.integers([each]))

    def repeated(self, data: Operand, larger: Any) -> str:
        """Add a constant array, such as a state of zeros, that has a row for each sample.

        Raises:  UnsupportedError: its rows differ, or it grows in another way with the batch.
        """
        changing = [i for i, n in enumerate(np.shape(data)) if n != np.shape(larger)[i]]
        row = np.take(data, [0], changing[0]) if len(changing) == 1 else None
        if row is None or not all(same(np.broadcast_to(row, x.shape), x) for x in (data, larger)):
            raise batch_error("a constant that is another one for every size of the batch")
        return self.node("Expand", self.constant(row), self.lengths(data.shape, larger.shape))

    def information(self, name: str, dtype: DTypeLike, shape: Any, larger: Any) -> Any:
        """Return the description of an input or output: its name, type and shape."""
        lengths = [
            n if n == m else "batch" if n == self.samples else None
            for n, m in zip(shape, larger, strict=True)
        ]
        helper = self._onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, kind, lengths)

    def content(self, inputs: list[Any], outputs: list[Any]) -> bytes:
        """Return the content of a file."""
        helper = self._onnx.helper
        made = {name for node in self.nodes for name in node.output}
        between = [value for name, value in self.between.items() if name in made]
        used = {name for node in self.nodes for name in node.input}
        stored = [array for array in self.initializers if array.name in used]
        graph = helper.make_graph(self.nodes, "graph", inputs, outputs, stored, value_info=between)
        opsets = [helper.make_opsetid(DOMAIN, OPSET)]
        version = helper.find_min_ir_version_for(opsets)  # the oldest: most runtimes read it
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=version, producer_name="autograd_core"
        )
        content: bytes = model.SerializeToString()
        return content


def same(x: Any, y: Any) -> bool:
    """Return whether two options, or two arrays, are equal; NaN equals NaN."""
    if isinstance(x, tuple | list):
        return type(x) is type(y) and len(x) == len(y) and all(map(same, x, y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(same(x[name], y[name]) for name in x)
    if isinstance(x, np.ndarray | float):
        return np.shape(x) == np.shape(y) and bool(np.array_equal(x, y, equal_nan=True))
    return bool(x == y)


def batch_error(given: str) -> UnsupportedError:
    """Return the error for a computation that accepts only one size of the batch."""
    return UnsupportedError(
        given,
        "the file is to accept batches of any size, the first axis of every input",
        "export_onnx(..., dynamic_batch=False), for batches of the size of the example",
    )
