"""Nodes remember how they were computed; primitives compute and record them.

A `Node` holds data, the primitive that made it and that primitive's inputs. A `Primitive` pairs a
forward function with one derivative rule per input. Applied to plain data it computes; applied to
a node it also records, and returns a node of the same type.
"""

import operator
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from itertools import count
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

from . import watching
from .data import Data, DType, Operand, Params, Result, Rule, Shape, Tree, as_data
from .errors import AutogradError, RuleError, UnsupportedError
from .messages import check_function, counted, explained, operation, user_frame, warn_at
from .watching import FORGOTTEN, blocks, open_watches, running

_new_node = object.__new__
next_index = count().__next__
N = TypeVar("N", bound="Node")


class Node:
    """A number or an array of numbers that remembers how it was computed.

    One object a node and no containers: the cyclic garbage collector walks every container, and
    on large scalar graphs that walk costs more than the arithmetic. So one or two inputs are
    stored in `x` and `y`; three and more are a tuple in `x`.
    """

    __slots__ = (
        "_data",  # float, or float32/float64 array with at least one axis
        "_gradient",  # None until a backward sweep has computed it
        "primitive",  # what made this node; None in a leaf
        "x",  # first input, or the tuple of all where the primitive takes any number
        "y",  # second input
        "params",  # the primitive's keyword arguments, or None
        "index",  # age: a node is younger than all its inputs
        "label",  # the user's name for it, or None
        "origin",  # None, ARGUMENT, FORGOTTEN, or what a watcher recorded about the node
        "stepped",  # of a leaf: how many steps of an optimizer have used the gradient it holds
        "assigned",  # of a leaf: its age when it was last given other data, 0 if it never was
    )
    is_condition = False  # whether it is a bool that a compiled function records as 0 or 1
    _data: Data
    _gradient: Operand
    primitive: "Primitive | None"
    x: Operand
    y: Operand
    params: Params | None
    index: int
    label: str | None
    origin: object
    stepped: int
    assigned: int

    def __init__(self, data: Data, label: str | None = None) -> None:
        self._data = data
        self._gradient = None
        self.primitive = None
        self.x = None
        self.y = None
        self.params = None
        self.index = next_index()
        self.label = label
        self.origin = None
        self.stepped = 0
        self.assigned = 0

    @property
    def shape(self) -> Shape:
        """The length of each axis; () for a number."""
        return getattr(self._data, "shape", ())

    @property
    def dtype(self) -> DType:
        """The type of the numbers: float32 or float64; a single number is a float64."""
        return getattr(self._data, "dtype", np.dtype(np.float64))

    def gathered(self, values: Tree) -> "Node":
        """Return a nested list, or an array of objects, that holds nodes as one node."""
        raise NotImplementedError

    @property
    def inputs(self) -> tuple[Operand, ...]:
        """The inputs in order, nodes and constants; parallel edges occur twice; () for a leaf."""
        if self.primitive is None:
            return ()
        if self.primitive.arity == 1:
            return (self.x,)
        if self.primitive.arity == 2:
            return (self.x, self.y)
        return self.x


def plain(x: Operand) -> Operand:
    """Return the data of a node, and anything else as it is."""
    return x._data if isinstance(x, Node) else x


def as_operand(x: Operand, beside: Operand = None) -> Operand:
    """Return a node as it is, Values in a list or an array of objects as one, the rest as data.

    Args:   beside: the other operands, or one of them, as for `as_data`.
    Raises: DataError: it holds neither Values nor real numbers.
    """
    if type(x) is float or (type(x) is ndarray and x.dtype.char in "fd" and x.ndim):
        return x
    if isinstance(x, Node):
        return x
    if type(x) is int:
        return as_data(x)
    values = x
    if not isinstance(x, list | tuple) and hasattr(x, "__array__"):
        values = np.asanyarray(x)  # a column of pandas
    node = node_in(values)
    return as_data(x, beside) if node is None else node.gathered(values)


def as_operands(*operands: Operand) -> list[Operand]:
    """Return the operands of one operation: beside float32, small integers become float32."""
    return [as_operand(x, operands) for x in operands]


def node_in(x: Tree) -> Node | None:
    """Return a node that a nested list, or an array of objects, holds; None if there is none."""
    if isinstance(x, Node):
        return x
    if isinstance(x, ndarray):
        x = x.ravel() if x.dtype == object else ()
    elif not isinstance(x, list | tuple):
        return None
    return next((node for part in x if (node := node_in(part)) is not None), None)


class Primitive:
    """An operation with its derivative: a forward function and one rule for each input.

    The rule of input x is `rule(g, out, *inputs, **params)`: it returns the cotangent of x, given
    the cotangent `g` of the output `out`. Write rules with operators and other primitives, so that
    the same rule serves floats, arrays and Values, and with them derivatives of any order.
    Broadcasting needs no mention: it is undone in the backward sweep.

    Args:    name: shown in pictures and errors.
             forward: function of plain floats and arrays; data to be differentiated is
             positional, everything else keyword-only.
             rules: one for each input; None where no derivative flows.
             scalar: a faster forward for floats, such as `math.exp`; where it raises
             ArithmeticError or ValueError, `forward` decides (NumPy's inf and nan).
             each: instead of `rules`, for any number of inputs: `each(i, g, out, *inputs,
             **params)` returns the cotangent of input number i.
             split: beside `each`, for what only joins its inputs: `split(g, out, *inputs,
             **params)` returns the cotangents of all inputs in a list, which are parts of g.
             into: `into(*inputs, out, **params)` computes into an array, for compiled programs;
             a ufunc as `forward` can do so by itself.
             elementwise: an element of the output depends on those at its place in the inputs
             only; None: where `forward` is a ufunc.
             linear: in each of the inputs, or in those with these numbers.
             chooses: the output's elements are elements of the inputs; the rules drop g, or pass
             on a share of it.
             along_axis: an element of the output depends on all those along the option `axis`.
             within_matrices: it depends on all those of one matrix of a stack.
             composed: the same in other primitives, `composed(*inputs, **params)`: what has no
             entry for this one (the page, ONNX) uses it.
             careful: for derivatives that hold NaN, instead of facts: `careful(i, g, mask, out,
             *inputs)` returns the cotangent of input i and its mask, see structural_zeros.py.
    Raises:  RuleError: neither or both of rules and each; called with a wrong number of inputs.
    Example: >>> cube = Primitive("cube", lambda x: x**3, lambda g, out, x: g * 3 * x**2)
             >>> cube(2.0)
             8.0
    """

    __slots__ = (
        "arity", "along_axis", "careful", "chooses", "composed", "each", "elementwise", "forward",
        "into", "linear", "name", "rules", "scalar", "split", "within_matrices",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        forward: Callable[..., Result],
        *rules: Rule | None,
        scalar: Callable[..., float] | None = None,
        each: Rule | None = None,
        split: Callable[..., list[Result]] | None = None,
        into: Callable[..., object] | None = None,
        elementwise: bool | None = None,
        linear: bool | tuple[int, ...] = (),
        chooses: bool = False,
        along_axis: bool = False,
        within_matrices: bool = False,
        composed: Callable[..., Result] | None = None,
        careful: Callable[..., tuple[Result, Result]] | None = None,
    ) -> None:
        check_function("Primitive", forward)
        if bool(rules) == (each is not None):
            raise RuleError(
                f"primitive {name} with {counted(len(rules), 'rule')}"
                + (" and `each`" if each else ""),
                "every input needs one rule: listed for each, or one `each` for them all",
                f"Primitive({name!r}, forward, lambda g, out, x: ...)",
            )
        self.name = name
        self.forward = forward
        self.scalar = scalar
        self.rules = rules
        self.each = each
        self.split = split
        is_ufunc = isinstance(forward, np.ufunc)
        self.into = forward if into is None and is_ufunc else into
        self.elementwise = is_ufunc if elementwise is None else elementwise
        self.linear = linear
        self.chooses = chooses
        self.along_axis = along_axis
        self.within_matrices = within_matrices
        self.composed = composed
        self.careful = careful
        self.arity = len(rules) if len(rules) <= 2 else 0  # 0: inputs are one tuple in Node.x

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        """Pickle by name, as functions are: the copy is the primitive itself."""
        for module in list(sys.modules.values()):
            if getattr(module, "__dict__", {}).get(self.name) is self:
                return _by_name, (module.__name__, self.name)
        raise UnsupportedError(
            f"a pickle of {self}",
            f"it holds the name of a primitive, and no module has this one as {self.name}",
            f"{self.name} = Primitive({self.name!r}, ...) at the top of a module",
        )

    def __copy__(self) -> "Primitive":
        return self

    def __deepcopy__(self, memo: object) -> "Primitive":
        return self

    @property
    def table_name(self) -> str:
        """The name under which the library's table has this primitive; "" if it has not.

        What knows more of a primitive than its row says asks for this: a user's own primitive may
        have the same `name` and do something else.

        Example: >>> from autograd_core import Value, sigmoid
                 >>> steep = Primitive("sigmoid", lambda x: sigmoid(3 * x), lambda g, out, x: ...)
                 >>> sigmoid(Value(0.0)).primitive.table_name, steep.table_name
                 ('sigmoid', '')
        """
        return self.name if _table().get(self.name) is self else ""

    def rule(self, i: int) -> Rule | None:
        """Return the derivative rule of input number i, or None where no derivative flows."""
        return self.rules[i] if self.each is None else partial(self.each, i)

    def is_linear_in(self, i: int) -> bool:
        """Tell whether the output is linear in input number i."""
        return self.linear is True or (self.linear is not False and i in self.linear)

    def __call__(self, *inputs: Operand, **params: Any) -> Result:
        """Compute, and record if any input is a node."""
        for x in inputs:
            if type(x) is not float and (type(x) is not ndarray or x.dtype.char not in "fd"):
                return self._apply(inputs, params)
        return self.compute(inputs, params, inputs)  # as rules call it: plain data throughout

    def _apply(self, inputs: tuple[Operand, ...], params: Params) -> Result:
        if self.arity == 1 == len(inputs) and isinstance(x := inputs[0], Node):
            out = self.compute((x._data,), params, inputs)
            return record(type(x), out, self, x, None, params or None)
        self._check_number(inputs)
        kind = None
        data, operands = [], []
        for x in inputs:
            if isinstance(x, Node) or isinstance(x := as_operand(x, inputs), Node):
                kind = kind or type(x)
                data.append(x._data)
            else:
                data.append(x)
            operands.append(x)
        out = self.compute(data, params, operands)
        if kind is None:
            return out
        operands = [_constant(x) if type(x) is ndarray else x for x in operands]
        if self.arity == 1:
            return record(kind, out, self, operands[0], None, params or None)
        if self.arity == 2:
            return record(kind, out, self, operands[0], operands[1], params or None)
        return record(kind, out, self, tuple(operands), None, params or None)

    def _check_number(self, inputs: Sequence[Operand]) -> None:
        if self.rules and len(inputs) != len(self.rules):
            raise RuleError(
                f"{self.name} with {counted(len(inputs), 'input')}",
                f"it has {counted(len(self.rules), 'rule')}, one for each input",
                "one positional argument for each rule, everything else by keyword",
            )

    def binary(self, x: Operand, y: Operand) -> Result:
        """The same as calling with two inputs and no params, short for the operators' sake."""
        if isinstance(x, Node):
            kind = type(x)
            a = x._data
            if isinstance(y, Node):
                b = y._data
            elif type(y) is float:
                b = y
            elif type(y) is ndarray and y.ndim and y.dtype.char in "fd":
                b = y = _constant(y)
            elif isinstance(y := as_operand(y, x), Node):
                b = y._data
            else:
                b = y = _constant(y)
        elif isinstance(x := as_operand(x, y), Node):  # a list of Values
            return self.binary(x, y)
        elif isinstance(y, Node):
            kind = type(y)
            a = x if type(x) is float else (x := _constant(x))
            b = y._data
        else:
            return self(x, y)
        try:
            if type(a) is not float or type(b) is not float:
                out = self.forward(a, b)
            elif self.scalar is not None:
                out = self.scalar(a, b)
            else:
                out = self.compute((a, b), {}, (x, y))
        except (ArithmeticError, ValueError, RuntimeWarning):
            out = self.compute((a, b), {}, (x, y))  # NumPy's inf or nan; or what it says about it
        if type(out) is not float and (type(out) is not ndarray or not out.ndim):
            out = as_data(out)
        return record(kind, out, self, x, y, None)

    def compute(self, data: Sequence[Data], params: Params, inputs: Sequence[Operand]) -> Data:
        """Compute on the plain data of `inputs`.

        Floats and arrays agree: where Python's float functions raise, as in 1/0, log(0) and
        exp(1000), NumPy's own inf or nan is the result.
        """
        try:
            if data and type(data[0]) is float and all([type(d) is float for d in data]):
                if self.scalar is not None and not params:
                    try:
                        return float(self.scalar(*data))
                    except (ArithmeticError, ValueError):
                        pass  # NumPy decides
                data = [np.float64(d) for d in data]
            out = self.forward(*data, **params)
        except RuntimeWarning as warning:  # of NumPy, in this module: see below
            warn_at(user_frame(), str(warning), RuntimeWarning)
            with np.errstate(all="ignore"):
                out = self.forward(
                    *[np.float64(d) if type(d) is float else d for d in data], **params
                )
        except AutogradError as error:  # forward has no labels of operands
            raise type(error)(operation(self.name, inputs), error.why, error.instead) from None
        except TypeError as error:
            self._check_number(inputs)
            if not (getattr(self.forward, "__module__", None) or "").startswith(__package__):
                raise  # a mistake in a primitive of the user's
            raise explained(self.name, inputs, error) from error
        except (ValueError, IndexError, np.linalg.LinAlgError) as error:
            raise explained(self.name, inputs, error) from error
        if type(out) is ndarray and out.ndim and out.dtype.char in "fd":
            return out
        return float(out) if isinstance(out, np.floating) else as_data(out)


# NumPy warns at the line that calls it, which would be one above. So it raises there instead, and
# `compute` warns at the user's line; filters of the user's come before this one
_PRIMITIVES = rf"{__package__}\.(graph|primitives\.\w+)$"
warnings.filterwarnings("error", category=RuntimeWarning, module=_PRIMITIVES, append=True)

# Arrays of more numbers are recorded as they are: there a copy takes longer than the operation
_COPIED = 2**17


def _constant(x: Data) -> Data:
    """Return a constant as a node keeps it: the caller may fill the array anew before a sweep."""
    if type(x) is not ndarray or x.size > _COPIED:
        return x
    if not open_watches or (
        blocks.get()[2] not in open_watches and watching.is_keeping_constants()
    ):
        return x.copy("K")
    return x


@cache
def _table() -> dict[str, Primitive]:
    """Return the library's primitives by name."""
    package = f"{__package__}.primitives."
    modules = [module for name, module in sys.modules.items() if name.startswith(package)]
    rows = [row for module in modules for row in vars(module).values()]
    return {row.name: row for row in rows if isinstance(row, Primitive)}


def _by_name(module: str, name: str) -> Primitive:
    return getattr(import_module(module), name)


def record(
    kind: type[N], data: Data, primitive: Primitive, x: Operand, y: Operand, params: Params | None
) -> N:
    """Return a node of type `kind` that holds `data`, made by a primitive: see Node's slots."""
    node = _new_node(kind)
    node._data = data
    node._gradient = None
    node.index = next_index()
    node.label = None
    if open_watches and blocks.get()[2] in open_watches:  # inside no_grad, and seen by none
        node.primitive = node.x = node.y = node.params = None
        node.origin = FORGOTTEN
        node.stepped = node.assigned = 0
        return node
    node.primitive = primitive
    node.x = x
    node.y = y
    node.params = params
    node.origin = None
    if open_watches:
        watching.recorded(node)
    return node


def topological_order(output: Node) -> list[Node]:
    """Return every node that `output` was computed from, and itself, inputs before outputs.

    Inputs exist before what is computed from them, so sorting by age is a topological order.
    """
    return ancestors(output, 0)[0]


def is_differentiated(node: Node) -> bool:
    """Tell whether a function is being differentiated by what a node was computed from."""
    arguments = {x for trace in list(running) for x in trace.primals}
    oldest = min([x.index for x in arguments], default=next_index())
    return not arguments.isdisjoint(ancestors(node, oldest)[0])


def ancestors(output: Node, oldest: int) -> tuple[list[Node], bool]:
    """Return the nodes that `output` was computed from, as far back as the age `oldest`.

    Args:    output: the last node of the graph.
             oldest: nodes with a smaller index are left out, with all they were computed from.
    Returns: the nodes in the order in which they were made; and whether any was left out.
    """
    if output.index < oldest:
        return [], True
    seen = {output}
    order = [output]
    stack = [output]
    add, note, push, pop = seen.add, order.append, stack.append, stack.pop
    has_older = False
    while stack:
        node = pop()
        x = node.x
        for each in x if type(x) is tuple else (x, node.y):
            if isinstance(each, Node) and each not in seen:
                if each.index >= oldest:
                    add(each)
                    note(each)
                    push(each)
                else:
                    has_older = True
    order.sort(key=operator.attrgetter("index"))  # near linear: found in runs of falling age
    return order, has_older
