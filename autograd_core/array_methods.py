"""The methods that arrays have, on nodes; and the common functions as methods."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import callers, watching
from .errors import DataError, ShapeError, UnsupportedError
from .functions import activations, products, rearranging, statistics
from .numpy_protocol import PLAIN_OF_LISTS, NumPyNode, lost
from .primitives import elementwise


class ArrayMethods(NumPyNode):
    """What a NumPy array offers as attributes and methods, recorded where it has a derivative."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """The number of axes; 0 for a number."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers this holds."""
        return int(np.size(self._data))

    @property
    def T(self) -> Any:
        """This Value with its axes in the opposite order."""
        return rearranging.transpose(self)

    def item(self) -> float:
        """Return the one number that this holds, as a plain float.

        Raises: ShapeError: it holds more or fewer than one.
        """
        return self._number(".item()")

    def _converted(self, how: str) -> float:
        """Return the one number for Python's or C's functions, which may not ask for a number."""
        frame = sys._getframe(2)
        if not callers.takes_explicitly(frame) and watching.is_recording():
            taker = callers.taker(frame)
            if taker.is_explicit:
                callers.note_explicit(frame, taker)
            elif taker.function not in PLAIN_OF_LISTS and not self._was_derived(taker):
                lost(self, taker)
        return self._number(how)

    def _was_derived(self, taker: callers.Taker) -> bool:
        """Tell whether a number is put into an array, as into a log, after its derivatives."""
        is_end = type(self._gradient) is float and self._gradient == 1.0  # where a sweep has begun
        return is_end and taker.site.operation == "STORE_SUBSCR"

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

    def tolist(self) -> Any:
        """Return the numbers as a float, or as nested lists of floats."""
        return self._plain_data(".tolist()").tolist()

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether any element is not 0, as a plain bool or array."""
        return np.any(self._plain_data(".any()"), axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether no element is 0, as a plain bool or array."""
        return np.all(self._plain_data(".all()"), axis, keepdims=keepdims)

    def nonzero(self) -> Any:
        """Return the positions of the elements that are not 0, as a tuple of plain arrays."""
        return np.nonzero(self._plain_data(".nonzero()"))

    def argsort(self, axis: int | None = -1) -> Any:
        """Return the positions that sort this along an axis, as a plain array."""
        return np.argsort(self._plain_data(".argsort()"), axis)

    def _plain_data(self, how: str) -> Any:
        if watching.open_watches:
            watching.taking(self, how)
        return np.asarray(self._data)

    def copy(self) -> Any:
        """The same numbers, recorded: as arrays have it."""
        return elementwise.identity(self)

    def __len__(self) -> int:
        if not self.shape:
            # A TypeError, by which Python, NumPy and matplotlib tell numbers from lists
            raise UnsupportedError(
                "len() of a number", "a number has no axes", "v.size, which is 1"
            )
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        return rearranging.getitem(self, index)

    def __setitem__(self, index: Any, data: Any) -> None:
        raise UnsupportedError(
            f"v[{index!r}] = ... of a Value",
            "what was computed from it would no longer fit: recorded data never change",
            "np.where(mask, new, v), which is recorded; or v.data[index] = ... before it is used",
        )

    # Element by element

    def exp(self) -> Any:
        """e to the power of each element."""
        return elementwise.exp(self)

    def log(self) -> Any:
        """The natural logarithm."""
        return elementwise.log(self)

    def log1p(self) -> Any:
        """log(1 + x), exact for small x."""
        return elementwise.log1p(self)

    def expm1(self) -> Any:
        """exp(x) - 1, exact for small x."""
        return elementwise.expm1(self)

    def sqrt(self) -> Any:
        """The square root."""
        return elementwise.sqrt(self)

    def square(self) -> Any:
        """The square."""
        return elementwise.square(self)

    def sin(self) -> Any:
        """The sine."""
        return elementwise.sin(self)

    def cos(self) -> Any:
        """The cosine."""
        return elementwise.cos(self)

    def tan(self) -> Any:
        """The tangent."""
        return elementwise.tan(self)

    def sinh(self) -> Any:
        """The hyperbolic sine."""
        return elementwise.sinh(self)

    def cosh(self) -> Any:
        """The hyperbolic cosine."""
        return elementwise.cosh(self)

    def tanh(self) -> Any:
        """The hyperbolic tangent."""
        return elementwise.tanh(self)

    def arctan(self) -> Any:
        """The angle whose tangent this is."""
        return elementwise.arctan(self)

    def sign(self) -> Any:
        """-1, 0 or 1."""
        return elementwise.sign(self)

    def sigmoid(self) -> Any:
        """1 / (1 + exp(-x))."""
        return activations.sigmoid(self)

    def relu(self) -> Any:
        """x where it is positive, 0 elsewhere."""
        return activations.relu(self)

    def softplus(self) -> Any:
        """log(1 + exp(x))."""
        return activations.softplus(self)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """This, held between two bounds."""
        return statistics.clip(self, min, max)

    def round(self, decimals: int = 0) -> Any:
        """This, rounded; the derivative is 0."""
        return statistics.round(self, decimals)

    def __round__(self, decimals: int = 0) -> Any:
        return statistics.round(self, decimals)

    def astype(self, dtype: Any) -> Any:
        """This array in another type, float32 or float64; a number stays a float.

        Raises: DataError: the type is not one of real numbers.
        """
        if np.dtype(dtype).kind != "f":
            raise DataError(
                f"astype({np.dtype(dtype)}) of a Value",
                "a Value holds float32 or float64",
                "np.floor(v) or np.round(v) for whole numbers; v.data.astype(...) for plain ones",
            )
        return elementwise.astype(self, dtype=np.dtype(dtype))

    # Many numbers into fewer

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The sum, over an axis, several, or all."""
        return statistics.sum(self, axis, keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The product, over an axis, several, or all."""
        return statistics.prod(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The mean, over an axis, several, or all."""
        return statistics.mean(self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The largest element, over an axis, several, or all."""
        return statistics.max(self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The smallest element, over an axis, several, or all."""
        return statistics.min(self, axis, keepdims)

    def var(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
        """The mean squared distance from the mean, over an axis, several, or all."""
        return statistics.var(self, axis, ddof, keepdims)

    def std(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
        """The square root of the variance, over an axis, several, or all."""
        return statistics.std(self, axis, ddof, keepdims)

    def cumsum(self, axis: int | None = None) -> Any:
        """The running sum along an axis."""
        return statistics.cumsum(self, axis)

    def cumprod(self, axis: int | None = None) -> Any:
        """The running product along an axis."""
        return statistics.cumprod(self, axis)

    def softmax(self, axis: Any = -1) -> Any:
        """exp(x) / sum(exp(x)) along an axis."""
        return activations.softmax(self, axis)

    def log_softmax(self, axis: Any = -1) -> Any:
        """The logarithm of softmax along an axis."""
        return activations.log_softmax(self, axis)

    def logsumexp(self, axis: Any = None, keepdims: bool = False) -> Any:
        """log(sum(exp(x))), over an axis, several, or all."""
        return activations.logsumexp(self, axis, keepdims)

    def argmax(self, axis: int | None = None) -> Any:
        """The position of the largest element, as a plain integer or array."""
        if watching.open_watches:
            watching.taking(self, ".argmax()")
        return np.argmax(self._data, axis)

    def argmin(self, axis: int | None = None) -> Any:
        """The position of the smallest element, as a plain integer or array."""
        if watching.open_watches:
            watching.taking(self, ".argmin()")
        return np.argmin(self._data, axis)

    # The same numbers in another shape

    def reshape(self, *shape: Any) -> Any:
        """The same elements in another shape, given as a tuple or as integers; -1: the rest."""
        return rearranging.reshape(self, *shape)

    def ravel(self) -> Any:
        """The elements along one axis."""
        return rearranging.ravel(self)

    def flatten(self) -> Any:
        """The elements along one axis."""
        return rearranging.ravel(self)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order, given as a tuple or as integers; none: in the opposite."""
        return rearranging.transpose(self, *((axes,) if len(axes) > 1 else axes))

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Two axes exchanged."""
        return rearranging.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Any:
        """Without the axes of length 1."""
        return rearranging.squeeze(self, axis)

    def dot(self, other: Any) -> Any:
        """The same as np.dot: the product of matrices, or the inner product of vectors."""
        return products.dot(self, other)
