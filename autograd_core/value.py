"""Value: a number, or an array of numbers, that remembers how it was computed."""

import math
import operator
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from itertools import chain, repeat
from typing import Any, Concatenate, NoReturn, ParamSpec, Self

import numpy as np

from . import callers, watching
from .backprop import own, refuse_forgotten, seed, sweep, warn_of_constants
from .data import (
    Array,
    Axis,
    Condition,
    Data,
    DType,
    DTypeLike,
    Function,
    Index,
    Operand,
    Params,
    Result,
    Tree,
    as_data,
    shape_of,
)
from .errors import (
    CallError,
    DataError,
    IndexRangeError,
    MissingNameError,
    ShapeError,
    UnsupportedError,
)
from .functions import activations, products, rearranging, statistics
from .functions.compositions import COMPOSED
from .graph import Node, next_index, plain, topological_order
from .messages import GradientWarning, describe, user_line, warn_once
from .numpy_protocol import (
    RECORDED,
    as_array,
    carry_out,
    carry_out_ufunc,
    note_list,
    note_taken,
)
from .primitives import elementwise as table
from .primitives.linear_algebra import matmul
from .spellings import explained_call
from .watching import free_after_fork

P = ParamSpec("P")
PRINTING = "the text, as in print(v) or f'{v}',"  # what a tracer refuses
# Threads that share parameters add to the same gradients
_accumulating = free_after_fork(threading.Lock())


@explained_call
def assign_all(values: list["Value"], data: Iterable[Data], others: Iterable[object] = ()) -> None:
    """Give Values other data, of their shapes, all together: an interrupt divides them nowhere.

    Args:    values: that were computed from no others.
             data: of each, floats or arrays that are held nowhere else.
             others: a map of a function in C, which belongs to the same change.
    Example: >>> x, y = Value(1.0), Value(2.0)
             >>> assign_all([x, y], [y.data, x.data])
             >>> x.data, y.data
             (2.0, 1.0)
    """
    if watching.open_watches:
        for value, new in zip(values, data, strict=True):
            value.data = new
        values, data = [], []
    age = next_index()
    watching.assigned(age)
    ages = map(setattr, values, repeat("assigned"), repeat(age))
    deque(chain(ages, map(setattr, values, repeat("_data"), data), others), 0)


def make_leaf(data: Data) -> "Value":
    """Return a Value that was computed from nothing, and takes `data` as it is."""
    node = object.__new__(Value)
    Node.__init__(node, data)
    return node


def _method(
    function: Callable[Concatenate[Any, P], Any],
) -> Callable[Concatenate["Value", P], "Value"]:
    """Return a function of Values as it is, typed as a method: of a Value it gives a Value."""
    return function


class Value(Node):
    """A number, or an array of numbers, that remembers how it was computed.

    Operators, methods and NumPy functions on Values make new Values that hold their inputs;
    `backward()` then finds how much the result changes with each of them. What takes plain
    numbers, such as np.asarray or float, gets a copy, through which no derivative flows.

    Args:    data: a real number, or an array or nested list of them; copied. float32 arrays stay
             float32, everything else becomes float64; a single number becomes a Python float.
             label: a name, shown in pictures and errors.
    Raises:  DataError: text, objects, complex numbers or a ragged list.
    Example: >>> a, b = Value(-4.0, label="a"), Value(2.0)
             >>> c = a * b + b**3
             >>> c.backward()
             >>> c.data, a.grad, b.grad
             (0.0, 2.0, 8.0)
    """

    __slots__ = ()
    __pandas_priority__ = 5000  # above a frame's: series * v is the Value's to carry out
    __hash__ = object.__hash__  # by identity, although == compares data

    def __init__(self, data: Operand, label: str | None = None, **unknown: Any) -> None:
        if unknown:
            raise _unknown_option(unknown)
        given = data
        if isinstance(data, Node):
            self._note_copy(data)
            given = data._data
        data = as_data(given)
        if data is given and isinstance(data, np.ndarray):
            data = data.copy("K")
        super().__init__(data, label)
        if watching.open_watches:
            watching.made_of_data(self)

    def _note_copy(self, node: Node) -> None:
        """Warn of Value(v): the new Value is a leaf, through which no derivative flows."""
        if watching.open_watches:
            watching.taking(node, "Value(v)")
        if watching.is_recording() and not watching.tracer():
            warn_once(
                "copied",
                f"Value(v) of a Value, {describe(node)}",
                "it copies the numbers into a new leaf, so no derivative flows from it to v",
                "v itself; v + 0.0 for another Value with the same derivative; Value(v.data) for "
                "a new leaf",
                GradientWarning,
            )

    @property
    def data(self) -> Data:
        """The number (float), or the array. Assign to it to change a parameter: `p.data -= step`.

        What was computed before cannot be differentiated any more: its derivatives need the
        numbers that it was computed with. Changes of single elements, `v.data[0] = 1`, belong
        before the first use; of later ones only `detect_anomaly` takes notice.

        Raises: DataError: what is assigned is not real numbers. ShapeError: of another shape.
        """
        if watching.open_watches:
            watching.taking(self, ".data")
        return self._data

    @data.setter
    def data(self, data: Operand) -> None:
        if watching.open_watches:
            watching.assigning(self, data)
        given = plain(data)
        data = as_data(given)
        if shape_of(data) != self.shape:
            raise ShapeError(
                f"data of shape {shape_of(data)} for a Value of shape {self.shape}",
                "a Value keeps its shape, which others were computed with",
                "a new Value, or data of the same shape",
            )
        if data is given and data is not self._data and isinstance(data, np.ndarray):
            data = data.copy("K")  # p.data = q.data, and then p.data -= step, leaves q alone
        self._data = data
        self.assigned = watching.latest_assignment = next_index()

    @property
    def grad(self) -> Result:
        """How much the output of `backward` changes with this, of the shape of `data`.

        Reads 0 before any backward sweep; `has_grad` tells the difference.
        """
        if watching.open_watches:
            watching.taking(self, ".grad")
        if self._gradient is not None:
            return self._gradient
        return 0.0 if isinstance(self._data, float) else np.zeros_like(self._data)

    @grad.setter
    def grad(self, gradient: Operand) -> None:
        if gradient is not None:
            if isinstance(gradient, Node) and watching.open_watches:
                watching.taking(gradient, "v.grad = ...")
            gradient = gradient if isinstance(gradient, Node) else as_data(gradient)
            if isinstance(gradient, float) and self.shape:
                gradient = np.full(self.shape, gradient, self.dtype)
            if shape_of(gradient) != self.shape:
                raise ShapeError(
                    f"a gradient of shape {shape_of(gradient)} for data of shape {self.shape}",
                    "a gradient holds one number for each number of the data",
                    "v.grad = 0, or an array of the data's shape",
                )
        self._gradient = gradient
        self.stepped = 0

    @property
    def has_grad(self) -> bool:
        """Whether a backward sweep has reached this Value (or its gradient was assigned)."""
        return self._gradient is not None

    @partial(explained_call, rewritten={"retain_graph": lambda _given, _options: {}})
    def backward(self, gradient: Operand = None, create_graph: bool = False) -> None:
        """Find the gradient of this Value with respect to everything it was computed from.

        Every Value of the graph gets its `.grad`. Values that were computed get a new one on each
        call; those that were not (inputs, parameters) add it to what they have, until it is reset.

        Args:    gradient: weights for each element of the output, of its shape; 1 for a number.
                 create_graph: make the gradients Values, which can be differentiated again; they
                 hold the graph in memory until `x.grad = None`.
        Raises:  ShapeError: the output is an array and no gradient is given, or one of another
                 shape. UnsupportedError: the output was computed inside `no_grad`.
        Example: >>> x = Value([1.0, 2.0])
                 >>> (x * x).sum().backward()
                 >>> x.grad
                 array([2., 4.])
        """
        if watching.open_watches:
            watching.taking(self, ".backward()")
        if self.origin is watching.FORGOTTEN:
            refuse_forgotten(self)
        if watching.running and not create_graph and watching.is_recording():
            instead = "v.backward(create_graph=True), or gradients(v, [x], create_graph=True)"
            warn_of_constants("v.backward()", self, instead)
        start = seed(self, gradient)
        with watching.recording(create_graph):
            cotangents = sweep(topological_order(self), start, create_graph=create_graph)
        # A leaf accumulates, and its owner may change what it gets: it shares no array, neither
        # with another leaf nor with a computed node; those are all seen first
        handed_out = {id(gradient)}
        leaves = []
        for node, cotangent in cotangents.items():
            if node.primitive is None:
                leaves.append(node)
            else:
                node._gradient = cotangent
                if type(cotangent) is not float:
                    handed_out.add(id(cotangent))
        # Two contexts on one line: an interrupt on the way out of the second releases the lock
        with _accumulating, np.errstate(all="ignore"):
            totals = []
            for leaf in leaves:
                total = cotangents[leaf]
                if leaf._gradient is not None:
                    if leaf.stepped and not np.any(leaf._gradient):  # p.grad[:] = 0
                        leaf.stepped = 0
                    total = leaf._gradient + total
                totals.append(own(total, handed_out))
            # By one call in C, which no interrupt divides: all leaves belong to the same sweeps
            deque(map(setattr, leaves, repeat("_gradient"), totals), 0)

    def __repr__(self) -> str:
        if watching.open_watches:
            watching.taking(self, PRINTING)
        gradient = "not computed" if self._gradient is None else repr(self._gradient)
        label = "" if self.label is None else f", label={self.label!r}"
        return f"Value(data={self._data!r}, grad={gradient}{label})"

    # Operators. `a += b` makes a new Value, as for numbers: nothing recorded ever changes. So
    # `p -= rate * p.grad` leaves p as it was where a model or a list holds it, which is warned of

    def __add__(self, other: Operand) -> "Value":
        return table.add.binary(self, other)

    def __radd__(self, other: Operand) -> "Value":
        return table.add.binary(other, self)

    def __sub__(self, other: Operand) -> "Value":
        return table.subtract.binary(self, other)

    def __rsub__(self, other: Operand) -> "Value":
        return table.subtract.binary(other, self)

    def __iadd__(self, other: Operand) -> "Value":
        if self._gradient is None and type(self) is Value:  # as nearly always
            return table.add.binary(self, other)
        self._note_step("+=", other)
        return self + other

    def __isub__(self, other: Operand) -> "Value":
        if self._gradient is None and type(self) is Value:
            return table.subtract.binary(self, other)
        self._note_step("-=", other)
        return self - other

    def _note_step(self, sign: str, other: Operand) -> None:
        """Warn of a step of gradient descent that makes a new Value."""
        has_gradient = self._gradient is not None and self.primitive is None
        if not has_gradient or isinstance(other, Node) or watching.tracer():
            return
        if not isinstance(other, np.ndarray) and ".grad" not in user_line():
            return
        warn_once(
            "step",
            f"p {sign} step of a parameter, {describe(self)}",
            "it makes a new Value, which takes the name p; the parameter itself stays as it was, "
            "in a list or a model, too",
            f"p.data {sign} step; p = p {sign[0]} step for a new Value that is computed from p",
            GradientWarning,
        )

    def __mul__(self, other: Operand) -> "Value":
        return table.multiply.binary(self, other)

    def __rmul__(self, other: Operand) -> "Value":
        return table.multiply.binary(other, self)

    def __truediv__(self, other: Operand) -> "Value":
        return table.divide.binary(self, other)

    def __rtruediv__(self, other: Operand) -> "Value":
        return table.divide.binary(other, self)

    def __floordiv__(self, other: Operand) -> "Value":
        return table.floor_divide.binary(self, other)

    def __rfloordiv__(self, other: Operand) -> "Value":
        return table.floor_divide.binary(other, self)

    def __mod__(self, other: Operand) -> "Value":
        return table.mod.binary(self, other)

    def __rmod__(self, other: Operand) -> "Value":
        return table.mod.binary(other, self)

    def __divmod__(self, other: Operand) -> tuple["Value", "Value"]:
        return self // other, self % other

    def __rdivmod__(self, other: Operand) -> tuple["Value", "Value"]:
        return other // self, other % self

    def __pow__(self, other: Operand) -> "Value":
        return table.power.binary(self, other)

    def __rpow__(self, other: Operand) -> "Value":
        return table.power.binary(other, self)

    def __matmul__(self, other: Operand) -> "Value":
        return matmul.binary(self, other)

    def __rmatmul__(self, other: Operand) -> "Value":
        return matmul.binary(other, self)

    def __neg__(self) -> "Value":
        return table.negative(self)

    def __pos__(self) -> "Value":
        return self

    def __abs__(self) -> "Value":
        return table.absolute(self)

    # Comparisons read data and give plain bools, or arrays of them; inside a compiled function
    # they give Values of 0 and 1, so that they are made anew in every replay. Where a list searches
    # for a Value, that Value equals itself alone.

    def __eq__(self, other: object) -> Condition:
        if isinstance(other, Node) and callers.is_search(sys._getframe(1)):
            return other is self
        return _compare(operator.eq, self, other)

    def __ne__(self, other: object) -> Condition:
        return _compare(operator.ne, self, other)

    def __lt__(self, other: Operand) -> Condition:
        return _compare(operator.lt, self, other)

    def __le__(self, other: Operand) -> Condition:
        return _compare(operator.le, self, other)

    def __gt__(self, other: Operand) -> Condition:
        return _compare(operator.gt, self, other)

    def __ge__(self, other: Operand) -> Condition:
        return _compare(operator.ge, self, other)

    def __and__(self, other: Operand) -> Condition:
        return np.bitwise_and(self, other)

    def __or__(self, other: Operand) -> Condition:
        return np.bitwise_or(self, other)

    def __xor__(self, other: Operand) -> Condition:
        if isinstance(other, int | float) and not isinstance(other, bool) and not self.is_condition:
            raise UnsupportedError(
                f"{describe(self)} ^ {other}",
                "in Python ^ combines bits; it is no power",
                f"x ** {other}",
            )
        return np.bitwise_xor(self, other)

    def __lshift__(self, other: Operand) -> Condition:
        return np.left_shift(self, other)

    def __rlshift__(self, other: Operand) -> Condition:
        return np.left_shift(other, self)

    def __rshift__(self, other: Operand) -> Condition:
        return np.right_shift(self, other)

    def __rrshift__(self, other: Operand) -> Condition:
        return np.right_shift(other, self)

    def __invert__(self) -> Condition:
        return np.invert(self)

    def __bool__(self) -> bool:
        return bool(self._number("a branch, as in `if v:`"))

    def __float__(self) -> float:
        data = self._data  # at once where float(v) was met before: losses are logged in every loop
        if (
            type(data) is float
            and not watching.open_watches
            and callers.takes_explicitly(sys._getframe(1))
        ):
            return data
        return self._converted("float()")

    def __int__(self) -> int:
        return int(self._converted("int()"))

    def as_integer_ratio(self) -> tuple[int, int]:
        """Refuse what computes with fractions, such as statistics.mean."""
        raise UnsupportedError(
            f"a fraction of a Value, {describe(self)}, as statistics.mean and Fraction make",
            "fractions have no graph, so no derivative flows through them",
            "np.mean([v, w]), which keeps the graph; float(v) for plain numbers",
        )

    def __floor__(self) -> int:
        return math.floor(self._number("math.floor()"))

    def __ceil__(self) -> int:
        return math.ceil(self._number("math.ceil()"))

    def __trunc__(self) -> int:
        return math.trunc(self._number("math.trunc()"))

    def __format__(self, spec: str) -> str:
        if watching.open_watches:
            watching.taking(self, PRINTING)
        if not spec:
            return str(self)
        if self.shape:
            raise UnsupportedError(
                f"format {spec!r} of a Value of shape {self.shape}",
                "a format is of one number, as for arrays of NumPy",
                "f'{v.item():.2f}' for one number; np.array2string(v.data, precision=2) for all",
            )
        return format(self._data, spec)

    # Plain numbers, explicitly

    def item(self, *index: Index) -> float:
        """Return one number as a plain float: the only one, or that at a position, as in NumPy.

        Raises: ShapeError: it holds more or fewer than one. IndexRangeError: no such position.
        """
        if not index:
            return self._number(".item()")
        try:
            return float(self._plain_data(".item()").item(*index))
        except (IndexError, ValueError) as error:
            raise IndexRangeError(
                f"item{index} of a Value of shape {self.shape}", str(error), "a position inside it"
            ) from None

    def _converted(self, how: str) -> float:
        """Return the one number for Python's or C's functions; note or warn of what takes it."""
        note_taken(self, sys._getframe(2))
        return self._number(how)

    def _number(self, how: str) -> float:
        if watching.open_watches:
            watching.taking(self, how)
        if isinstance(self._data, float):
            return self._data
        if self._data.size != 1:
            raise ShapeError(
                f"one number of a Value of shape {self.shape}",
                f"it holds {self._data.size} numbers",
                "v.data for the array; np.any(v) or np.all(v) of a condition; np.where to choose",
            )
        return float(self._data.item())

    def tolist(self) -> Tree:
        """Return the numbers as a float, or as nested lists of floats.

        In a function that is being differentiated, a list of what depends on its arguments is
        warned of: no derivative flows through it.
        """
        numbers = self._plain_data(".tolist()").tolist()
        if self.shape:
            note_list(self, sys._getframe(1))
        return numbers

    def any(
        self, axis: Axis = None, out: None = None, keepdims: bool = False, **options: Any
    ) -> Condition:
        """Return whether any element is not 0, as a plain bool or array."""
        return np.any(self._plain_data(".any()"), axis, out, keepdims, **options)

    def all(
        self, axis: Axis = None, out: None = None, keepdims: bool = False, **options: Any
    ) -> Condition:
        """Return whether no element is 0, as a plain bool or array."""
        return np.all(self._plain_data(".all()"), axis, out, keepdims, **options)

    def nonzero(self) -> tuple[Array, ...]:
        """Return the positions of the elements that are not 0, as a tuple of plain arrays."""
        return np.nonzero(self._plain_data(".nonzero()"))

    def argsort(self, axis: int | None = -1, kind: Any = None, **options: Any) -> Array:
        """Return the positions that sort this along an axis, as a plain array."""
        return np.argsort(self._plain_data(".argsort()"), axis, kind, **options)

    def argpartition(self, kth: Index, axis: int | None = -1, **options: Any) -> Array:
        """Return the positions that partition this along an axis, as a plain array."""
        return np.argpartition(self._plain_data(".argpartition()"), kth, axis, **options)

    def searchsorted(self, v: Operand, side: Any = "left", sorter: Operand = None) -> Index:
        """Return where numbers would be inserted to keep this sorted, as plain integers."""
        return np.searchsorted(self._plain_data(".searchsorted()"), plain(v), side, sorter)

    def _plain_data(self, how: str) -> Array:
        if watching.open_watches:
            watching.taking(self, how)
        return np.asarray(self._data)

    def argmax(self, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Index:
        """The position of the largest element, as a plain integer or array."""
        if watching.open_watches:
            watching.taking(self, ".argmax()")
        return np.argmax(self._data, axis, out, keepdims=keepdims)

    def argmin(self, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Index:
        """The position of the smallest element, as a plain integer or array."""
        if watching.open_watches:
            watching.taking(self, ".argmin()")
        return np.argmin(self._data, axis, out, keepdims=keepdims)

    # Shape and elements

    @property
    def ndim(self) -> int:
        """The number of axes; 0 for a number."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers this holds."""
        return int(np.size(self._data))

    @property
    def T(self) -> "Value":
        """This Value with its axes in the opposite order."""
        return rearranging.transpose(self)

    def __len__(self) -> int:
        if not self.shape:
            # A TypeError, by which Python, NumPy and matplotlib distinguish numbers from lists
            raise UnsupportedError(
                "len() of a number", "a number has no axes", "v.size, which is 1"
            )
        return self.shape[0]

    def __iter__(self) -> Iterator["Value"]:
        return (self[i] for i in range(len(self)))

    def __setitem__(self, index: Index, data: Operand) -> NoReturn:
        raise UnsupportedError(
            f"v[{index!r}] = ... of a Value",
            "what was computed from it would no longer fit: recorded data never change",
            "np.where(mask, new, v), which is recorded; or v.data[index] = ... before it is used",
        )

    def transpose(self, *axes: int | Sequence[int] | None) -> "Value":
        """The axes in another order, given as a tuple or as integers; none: in the opposite."""
        return rearranging.transpose(self, *((axes,) if len(axes) > 1 else axes))

    @property
    def mT(self) -> "Value":  # noqa: N802 - NumPy's name
        """This Value with its last two axes exchanged."""
        return rearranging.swapaxes(self, -1, -2)

    def copy(self, order: str = "C") -> "Value":  # noqa: ARG002 - it is of memory only
        """The same numbers, recorded: as arrays have it."""
        return table.identity(self)

    def astype(
        self,
        dtype: DTypeLike,
        order: str = "K",  # noqa: ARG002 - it is of memory only
        casting: Any = "unsafe",
        subok: bool = True,  # noqa: ARG002 - a Value is no array
        copy: bool = True,  # noqa: ARG002 - a Value does not change
    ) -> "Value":
        """This array in another type, float32 or float64; a number stays a float.

        Raises: DataError: the type is not one of real numbers, or the casting does not allow it.
        """
        found = statistics.in_type(self, dtype)
        if not np.can_cast(self.dtype, np.dtype(dtype), casting):
            raise DataError(
                f"astype({np.dtype(dtype)}, casting={casting!r}) of a Value of {self.dtype}",
                "numbers would be rounded",
                "casting='same_kind', or no casting",
            )
        return found

    # Functions as methods, with the same arguments; those that are ufuncs of NumPy follow below

    sigmoid = _method(activations.sigmoid)
    relu = _method(activations.relu)
    softplus = _method(activations.softplus)
    softmax = _method(activations.softmax)
    log_softmax = _method(activations.log_softmax)
    logsumexp = _method(activations.logsumexp)
    clip = _method(statistics.clip)
    round = __round__ = _method(statistics.round)
    sum = _method(statistics.sum)
    prod = _method(statistics.prod)
    mean = _method(statistics.mean)
    max = _method(statistics.max)
    min = _method(statistics.min)
    var = _method(statistics.var)
    std = _method(statistics.std)
    cumsum = _method(statistics.cumsum)
    cumprod = _method(statistics.cumprod)
    reshape = _method(rearranging.reshape)
    ravel = flatten = _method(rearranging.ravel)
    swapaxes = _method(rearranging.swapaxes)
    take = _method(rearranging.take)
    repeat = _method(RECORDED[np.repeat])
    diagonal = _method(RECORDED[np.diagonal])
    trace = _method(products.trace)
    squeeze = _method(rearranging.squeeze)
    dot = _method(products.dot)
    __getitem__ = _method(rearranging.getitem)

    # NumPy's protocols

    @property
    def dtype(self) -> DType:
        """The type of the numbers: float32 or float64; a single number is a float64.

        Raises: AttributeError: the mean of an array of objects, which NumPy would convert to it.
        """
        data = self._data
        if isinstance(data, np.ndarray):
            return data.dtype
        if sys._getframe(1).f_globals.get("__name__") == "numpy._core._methods":
            raise AttributeError("dtype of an object")
        return np.dtype(np.float64)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Operand, **kwargs: Any
    ) -> Result:
        return carry_out_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Function, types: Iterable[type], args: tuple[Operand, ...], kwargs: Params
    ) -> Result:
        return carry_out(function, args, kwargs)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Return the data as a plain array, a copy; of a single number an array of this object.

        An array of objects holds Values, and its arithmetic is theirs: np.mean([v, w]) keeps the
        graph. Through a copy of the data no derivative flows, which is warned of unless a library
        takes data for itself.

        Raises:  OptionError: copy=False. TraceError: inside a compiled function.
        """
        return as_array(self, dtype, copy, sys._getframe(1))

    @property
    def _mask(self) -> np.bool:
        """The attribute that np.ma reads before it takes the data without a warning.

        Raises: UnsupportedError: unless a library takes data for itself.
        """
        if not callers.taker(sys._getframe(1)).is_silent:
            raise UnsupportedError(
                "a masked array with a Value",
                "np.ma takes the numbers out of a Value, so no derivative flows through them",
                "np.where(array.mask, 0.0, v * array.data), which is recorded",
            )
        return np.ma.nomask

    def gathered(self, values: Tree) -> "Value":
        """Return a nested list, or an array of objects, that holds Values as one Value."""
        return rearranging.gathered(values)

    # Copies

    def __getstate__(self) -> object:
        if watching.open_watches:
            watching.taking(self, "a copy, or a pickle,")
        if self.primitive is not None or self.origin == watching.ARGUMENT:
            made = f"what {self.primitive.name} computed" if self.primitive else self.origin
            raise UnsupportedError(
                f"a deep copy, or a pickle, of {made}, {describe(self)}",
                "it would take the whole graph along that it was computed from, or lose it",
                "v.data, the numbers alone; or a copy of the inputs, and computed from that again",
            )
        return super().__getstate__()

    def __setstate__(self, state: Any) -> None:
        own, slots = state
        for name, each in ((own or {}) | slots).items():
            setattr(self, name, each)
        self.index = next_index()  # it is younger than all that this process has computed
        is_forgotten = self.origin == watching.FORGOTTEN  # whose derivatives stay refused
        self.origin = watching.FORGOTTEN if is_forgotten else None
        self.assigned = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if self.origin == watching.ARGUMENT:
            return table.identity(self)  # a copy in a function that is being differentiated
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(deepcopy(self.__getstate__(), memo))
        return twin

    def __copy__(self) -> Self:
        if self.origin == watching.ARGUMENT:
            return table.identity(self)
        if watching.open_watches:
            watching.taking(self, "a copy")
        twin = object.__new__(type(self))
        twin.__setstate__(super().__getstate__())
        twin.index = self.index  # it was computed from the same data at the same time
        return twin


def _compare(
    comparison: Callable[[Operand, Operand], Condition], x: Value, y: Operand
) -> Condition:
    tracer = watching.tracer()
    if tracer:
        return tracer.functions[comparison](x, y)
    try:
        return comparison(x._data, plain(y))
    except ValueError as error:
        raise ShapeError(
            f"comparison of {describe(x)} with {describe(y)}", str(error), "shapes that broadcast"
        ) from None


def _as_method(function: np.ufunc, recorded: Function) -> Function:
    """Return a ufunc as a method, which NumPy calls for each element of an array of objects."""

    def method(self: Value, *others: Operand) -> Result:
        return recorded(self, *others)

    method.__name__ = function.__name__
    method.__doc__ = f"The same as np.{function.__name__}."
    return method


for _function, _recorded in {**RECORDED, **COMPOSED}.items():
    if isinstance(_function, np.ufunc) and not hasattr(Value, _function.__name__):
        setattr(Value, _function.__name__, _as_method(_function, _recorded))


def _unknown_option(unknown: Params) -> CallError:
    """Return the error for an option that other libraries have."""
    instead = {
        "requires_grad": "Value(data): each is differentiated; a plain number for a constant",
        "dtype": "Value(np.asarray(data, np.float32))",
        "name": "Value(data, label=...)",
    }
    option = next(iter(unknown))
    return CallError(
        f"Value with {option}={unknown[option]!r}",
        "it has no option of this name",
        instead.get(option, "Value(data, label=None)"),
    )


class _Elsewhere:
    """A name of PyTorch's tensors or NumPy's arrays that Values have not."""

    def __init__(self, name: str, instead: str) -> None:
        self.name, self.instead = name, instead

    def __get__(self, value: Value | None, kind: type) -> NoReturn:
        """Refuse, with what to write."""
        raise MissingNameError(
            f".{self.name} of a Value",
            "it would change the Value, or read its memory"
            if hasattr(np.ndarray, self.name)
            else "a Value has the names of NumPy's arrays",
            self.instead,
        )


for _name, _instead in {
    "detach": "v.data for plain numbers; Value(v.data) for a new leaf",
    "clone": "v + 0.0, which is recorded; v.data.copy() for plain numbers",
    "view": "v.reshape(...)",
    "numpy": "v.data",
    "unsqueeze": "np.expand_dims(v, axis), or v[None]",
    "permute": "v.transpose(...)",
    "requires_grad": "Value(...) for what is differentiated, and plain numbers for what is not",
    "requires_grad_": "Value(...) for what is differentiated, and plain numbers for what is not",
    "zero_grad": "v.grad = None",
    "mm": "v @ w",
    "cpu": "v.data",
    "_prev": "v.inputs",
    "_op": "v.primitive.name, None of a leaf",
    "_backward": "v.backward(); the rules stand on v.primitive",
    "clamp": "np.clip(v, low, high)",
    "dim": "v.ndim",
    "expand": "np.broadcast_to(v, shape)",
    "gradient": "v.grad",
    "grad_fn": "v.primitive",
    "is_leaf": "v.primitive is None",
    "norm": "np.linalg.norm(v)",
    "pow": "v ** exponent",
    "retain_grad": "v.grad: each Value of the graph keeps its gradient",
    "t": "v.T",
    "cuda": "v itself: NumPy computes on the CPU",
    "to": "v itself: NumPy computes on the CPU",
    "sort": "np.sort(v), which makes a new Value",
    "partition": "np.partition(v, kth), which makes a new Value",
    "resize": "np.reshape(v, shape), which makes a new Value",
    "fill": "np.full_like(v.data, number), or v.data = ... for a parameter",
    "put": "np.where(mask, new, v), which makes a new Value",
    "compress": "v[mask], or np.compress(mask, v.data)",
    "choose": "np.where(mask, v, w)",
    "real": "v itself, whose numbers are real",
    "imag": "v * 0.0, since its numbers are real",
    "conj": "v itself, whose numbers are real",
    "flat": "v.ravel(), or iteration over that",
    **{
        name: f"v.data.{name}"
        for name in (
            *("base", "byteswap", "ctypes", "device", "dump", "dumps", "flags", "getfield"),
            *("itemsize", "nbytes", "setfield", "setflags", "strides", "to_device", "tobytes"),
            "tofile",
        )
    },
}.items():
    setattr(Value, _name, _Elsewhere(_name, _instead))
