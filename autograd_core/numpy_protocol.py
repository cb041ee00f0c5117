"""NumPy functions on nodes: np.exp(value), np.sum(value), ... reach the same primitives.

NumPy asks its arguments how to carry a function out (`__array_ufunc__`, `__array_function__`).
`RECORDED` answers for every function with a derivative; `PLAIN` lists those that look at data
only and give plain data.
"""

import inspect
import math
import sys
from types import FrameType, ModuleType

import numpy as np

from . import callers, watching
from .callers import Taker
from .data import Array, DTypeLike, Function, Operand, Params, Result, Tree, shape_of
from .errors import AutogradError, OptionError, ShapeError, UnsupportedError
from .functions import activations, decompositions, products, rearranging, statistics
from .functions.compositions import COMPOSED
from .functions.rearranging import moving, permuting, reshaping, splitting
from .functions.windows import sliding_windows
from .graph import Node, as_operands, is_differentiated, node_in
from .messages import GradientWarning, describe, package_of, warn_once
from .primitives import elementwise


def _by_name(source: ModuleType, ours: ModuleType, names: str) -> dict[Function, Function]:
    return {getattr(source, name): getattr(ours, name) for name in names.split()}


RECORDED: dict[Function, Function] = {
    **_by_name(
        np,
        elementwise,
        "add subtract multiply divide floor_divide mod power negative reciprocal square absolute "
        "hypot sqrt cbrt exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 sin cos tan "
        "arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh sinc deg2rad rad2deg "
        "maximum minimum sign heaviside floor ceil",
    ),
    np.fabs: elementwise.absolute,
    np.float_power: statistics.float_power,
    np.radians: elementwise.deg2rad,
    np.degrees: elementwise.rad2deg,
    np.positive: elementwise.identity,
    **_by_name(
        np,
        statistics,
        "sum prod mean var std max min ptp sort partition median cumsum cumprod diff trapezoid "
        "clip fmax fmin where round",
    ),
    np.amax: statistics.max,
    np.amin: statistics.min,
    np.around: statistics.round,
    **_by_name(
        np,
        rearranging,
        "reshape ravel transpose swapaxes squeeze broadcast_to broadcast_arrays concatenate stack "
        "hstack vstack dstack column_stack take pad",
    ),
    np.expand_dims: reshaping(np.expand_dims),
    np.atleast_1d: rearranging.atleast(1),
    np.atleast_2d: rearranging.atleast(2),
    np.atleast_3d: rearranging.atleast(3),
    np.moveaxis: permuting(np.moveaxis),
    np.rollaxis: permuting(np.rollaxis),
    np.tile: moving(np.tile),
    np.repeat: moving(np.repeat),
    np.flip: moving(np.flip),
    np.fliplr: moving(np.fliplr),
    np.flipud: moving(np.flipud),
    np.roll: moving(np.roll),
    np.rot90: moving(np.rot90),
    np.diag: moving(np.diag),
    np.diagonal: moving(np.diagonal),
    np.tril: moving(np.tril),
    np.triu: moving(np.triu),
    np.delete: moving(np.delete),
    np.split: splitting(np.split),
    np.array_split: splitting(np.array_split),
    np.hsplit: splitting(np.hsplit, lambda ndim: 0 if ndim == 1 else 1),
    np.vsplit: splitting(np.vsplit, lambda ndim: 0),
    np.lib.stride_tricks.sliding_window_view: sliding_windows,
    **_by_name(np, products, "dot vdot inner outer matmul tensordot einsum kron cross trace"),
    **_by_name(
        np.linalg,
        decompositions,
        "norm det slogdet inv solve cholesky eigh eigvalsh svd pinv matrix_power",
    ),
}

PLAIN: frozenset[Function] = frozenset(
    _by_name(
        np,
        np,
        "shape ndim size argmax argmin argsort argpartition argwhere nonzero flatnonzero "
        "count_nonzero searchsorted isfinite isnan isinf isposinf isneginf iscomplexobj isrealobj "
        "signbit all any allclose isclose array_equal array_equiv equal not_equal less less_equal "
        "greater greater_equal logical_and logical_or logical_not logical_xor zeros_like "
        "ones_like empty_like result_type can_cast min_scalar_type array_repr array_str "
        "array2string digitize nanargmax nanargmin isin shares_memory may_share_memory isreal "
        "iscomplex save savez savez_compressed savetxt",
    )
)


# Of these, the ones that read shapes and types only
SHAPES: frozenset[Function] = frozenset(
    _by_name(
        np,
        np,
        "shape ndim size iscomplexobj isrealobj zeros_like ones_like empty_like result_type "
        "can_cast shares_memory may_share_memory array_repr array_str array2string isreal "
        "iscomplex",
    )
)


# Of lists, steps give plain data, too: their derivative is 0
PLAIN_OF_LISTS = PLAIN.union(_by_name(np, np, "floor ceil trunc rint fix round around sign"))
# What NumPy cannot do with arrays of objects: it converts them, or calls a method of each number
WITHOUT_OBJECTS = frozenset(
    _by_name(
        np,
        np,
        "arctan2 hypot fmod angle sinc interp polyfit poly cov corrcoef histogram histogram2d "
        "histogramdd histogram_bin_edges copyto percentile quantile nanpercentile nanquantile",
    )
)
WITH_OBJECTS = frozenset(
    _by_name(
        np.linalg,
        np.linalg,
        "norm vector_norm matrix_norm multi_dot matmul outer cross trace diagonal vecdot tensordot "
        "matrix_transpose matrix_power",
    )
)
OPERATORS = frozenset(_by_name(np, np, "negative positive absolute square reciprocal logical_not"))
# Methods of ufuncs that are functions along an axis, the first if none is given
ALONG_AXIS: dict[tuple[np.ufunc, str], Function] = {
    (np.add, "reduce"): statistics.sum,
    (np.multiply, "reduce"): statistics.prod,
    (np.maximum, "reduce"): statistics.max,
    (np.minimum, "reduce"): statistics.min,
    (np.logaddexp, "reduce"): activations.logsumexp,
    (np.add, "accumulate"): statistics.cumsum,
    (np.multiply, "accumulate"): statistics.cumprod,
}
# Above it, one object for each number costs more than rewriting the line
MOST_OBJECTS = 10_000


def carry_out_ufunc(
    ufunc: np.ufunc, method: str, inputs: tuple[Operand, ...], kwargs: Params
) -> Result:
    """Carry a ufunc out on nodes, as `__array_ufunc__` is asked to.

    Raises: UnsupportedError: into an array, by a method without a rule, or with options.
    """
    if method == "__call__" and not kwargs:
        return carry_out(ufunc, inputs, {})
    if "out" in kwargs and callers.called_by_user(ufunc) is ufunc:
        raise UnsupportedError(
            f"{name_of(ufunc)} of a Value into an array (+=, or out=)",
            "an array cannot hold the graph of a Value",
            "a = a + v, which makes a new Value",
        )
    if method == "outer" and not kwargs:
        x, y = as_operands(*inputs)
        x = rearranging.reshape(x, (*shape_of(x), *[1] * len(shape_of(y))))
        return carry_out(ufunc, (x, y), {})
    along_axis = ALONG_AXIS.get((ufunc, method))
    if along_axis is not None and kwargs.keys() <= {"axis", "keepdims"}:
        return along_axis(*inputs, **{"axis": 0, **kwargs})
    raise _unsupported(ufunc, "" if method == "__call__" else f".{method}", *kwargs)


def as_array(node: Node, dtype: DTypeLike | None, copy: bool | None, frame: FrameType) -> Array:
    """Return a node as `__array__` gives it to the code in a frame: see `Value.__array__`."""
    if copy is False:
        raise OptionError(
            "copy=False for a Value",
            "what takes data out takes a copy, so that recorded data do not change",
            "np.asarray(v), or v.data, which is the array itself",
        )
    taker = callers.taker(frame)
    is_silent = taker.is_silent and not (taker.judges and _is_differentiated_now(node))
    is_plain = is_silent or taker.is_index or taker.draws(dtype)
    is_plain = is_plain or taker.function in PLAIN_OF_LISTS
    if taker.is_user and not is_plain and _stays_an_object(node, taker, dtype):
        check_objects(node, taker)
        objects = np.empty(node.shape, object)
        for index in np.ndindex(node.shape):
            objects[index] = rearranging.getitem(node, index) if index else node
        return objects
    if not is_plain and np.dtype(dtype).kind in "fc" and not _is_asked_for(node, taker):
        lost(node, taker)
    if watching.open_watches and taker.function not in SHAPES:
        watching.taking(node, "np.asarray()")
    if np.dtype(dtype).kind in "iu" and taker.takes_whole_numbers:
        return rearranging.whole_numbers(node).astype(dtype)
    return np.array(node._data, dtype=dtype)


def note_taken(node: Node, frame: FrameType) -> None:
    """Note that the code in a frame takes a number by `__float__`: explicitly, or by mistake."""
    if callers.takes_explicitly(frame) or not watching.is_recording():
        return
    taker = callers.taker(frame)
    if taker.is_explicit:
        callers.note_explicit(frame, taker)
    elif taker.function not in PLAIN_OF_LISTS and not (
        taker.draws() or _was_derived(node, taker) or _is_asked_for(node, taker)
    ):
        lost(node, taker)


def note_list(node: Node, frame: FrameType) -> None:
    """Warn of numbers taken as a list, if a function is being differentiated by what gave them."""
    if not watching.running or not watching.is_recording() or watching.tracer():
        return
    if is_differentiated(node) and package_of(frame) not in callers.TAKING:
        warn_once(
            "taken",
            f".tolist() takes the numbers out of a Value: {describe(node)}",
            "plain numbers have no graph, so no derivative flows through them",
            "list(v), whose elements are Values; v.data.tolist() for plain numbers",
            GradientWarning,
        )


def _is_asked_for(node: Node, taker: Taker) -> bool:
    """Tell whether an array of numbers is asked for, and nothing that is being differentiated."""
    return not _is_differentiated_now(node) and taker.fills_with_numbers(node)


def _is_differentiated_now(node: Node) -> bool:
    """Tell whether a function is being differentiated by what a node was computed from."""
    return bool(watching.running) and is_differentiated(node)


def _was_derived(node: Node, taker: Taker) -> bool:
    """Tell whether a number is put into an array, as into a log, after its derivatives."""
    is_end = type(node._gradient) is float and node._gradient == 1.0  # where a sweep has begun
    return is_end and taker.site.operation == "STORE_SUBSCR"


def lost(node: Node, taker: Taker) -> None:
    """Warn that a derivative is lost, unless none is recorded; a compiled function refuses it."""
    is_constant = node.origin == watching.FORGOTTEN
    if is_constant or not watching.is_recording() or watching.tracer():
        return
    how = f"{taker.name or 'a function'}()"
    instead = "NumPy's function of the Value itself, or of np.stack([v, w])"
    ufunc = getattr(np, getattr(taker.function, "__name__", ""), None)
    if taker.site.operation == "STORE_SUBSCR":
        how = "a[i] = v, an assignment into an array,"
        instead = "np.stack([...]) of the elements, or np.where(mask, v, a)"
    elif not taker.site.operation:  # a library that computes
        instead = "operators and NumPy's functions of the Value, as in frame.to_numpy() @ v"
    elif isinstance(ufunc, np.ufunc):
        instead = f"np.{ufunc.__name__}({'v' if ufunc.nin == 1 else 'v, w'})"
    warn_once(
        "taken",
        f"{how} takes the numbers out of a Value: {describe(node)}",
        "plain numbers have no graph, so no derivative flows through them",
        f"{instead}, which keeps the graph; v.data or float(v) for plain numbers",
        GradientWarning,
    )


def _stays_an_object(node: Node, taker: Taker, dtype: DTypeLike | None) -> bool:
    """Tell whether NumPy's computation keeps the graph if it gets an array of objects."""
    if dtype is not None:
        return bool(np.dtype(dtype).kind == "O")
    is_listed = taker.takes_list() and math.prod(node.shape) <= MOST_OBJECTS
    return not node.shape or taker.is_arithmetic or is_listed


def check_objects(node: Node, taker: Taker) -> None:
    """Refuse what NumPy cannot do with an array of objects, or only slowly.

    Raises: UnsupportedError: a function without a loop for objects; += of a list; many elements.
    """
    function = taker.function
    if math.prod(node.shape) > MOST_OBJECTS:
        raise UnsupportedError(
            f"{taker.name} of a list with a Value of shape {node.shape}",
            f"NumPy would compute with one object for each of its {math.prod(node.shape)} numbers",
            "np.stack([v, w]) instead of [v, w], or np.concatenate, or array @ v",
        )
    ufunc = getattr(function, "__self__", None)  # of its method, as np.add.reduce
    if isinstance(ufunc, np.ufunc):
        if function.__name__ == "at" or not _has_loop_for_objects(ufunc):
            raise UnsupportedError(
                f"{name_of(ufunc)}.{function.__name__} of a list of Values",
                "NumPy makes it an array of objects, for which this method has no rule",
                f"np.stack([v, w]), and {name_of(ufunc)} of that; np.stack([v, w]).data for "
                "plain numbers",
            )
    elif not _takes_objects(function, node, taker):
        stacked = "np.stack([v, w])"
        if recorded_form(function) is None:
            stacked += ".data"
        raise UnsupportedError(
            f"{name_of(function)} of a list of Values",
            "NumPy makes it an array of objects, for which this function has no rule",
            f"{name_of(function)}({stacked})",
        )
    if taker.site.operation == "BINARY_OP" and taker.site.argument.endswith("="):
        raise UnsupportedError(
            "a list of Values added to an array in place (+=)",
            "an array of numbers cannot hold the graph of a Value",
            "a = a + np.stack([v, w]), which makes a new Value",
        )


def _takes_objects(function: Function, node: Node, taker: Taker) -> bool:
    """Tell whether a function computes with a list of Values as an array of objects.

    NumPy's loops for np.exp and the like call a method, which numbers in the same list have not.
    """
    if isinstance(function, np.ufunc):
        if function.nin == 1 and function not in OPERATORS and taker.has_numbers(node):
            return False
        return function not in WITHOUT_OBJECTS and _has_loop_for_objects(function)
    module = getattr(function, "__module__", None) or ""
    if module.startswith(("numpy.linalg", "numpy.fft")):
        return function in WITH_OBJECTS
    return not callable(function) or function not in WITHOUT_OBJECTS


def _has_loop_for_objects(ufunc: np.ufunc) -> bool:
    return any("O" in types for types in ufunc.types)


def recorded_form(function: Function) -> Function | None:
    """Return what carries out a function of NumPy with its derivative; None if there is no rule."""
    return RECORDED.get(function) or COMPOSED.get(function)


def carry_out(function: Function, args: tuple[Operand, ...], kwargs: Params) -> Result:
    """Carry a function of NumPy out on nodes.

    Raises: UnsupportedError: it has no derivative rule here.
    """
    recorded = recorded_form(function)
    if recorded is not None:
        return carry_out_by(recorded, function, args, kwargs)
    tracer = watching.tracer()
    if tracer:
        if function in tracer.functions and not kwargs:
            return tracer.functions[function](*args)
        if function in PLAIN - SHAPES:
            node = node_in([*args, *kwargs.values()])
            if node is not None:
                watching.taking(node, f"{name_of(function)}()")
    if function in PLAIN:
        return function(*_plain(args), **{name: _plain(value) for name, value in kwargs.items()})
    raise _unsupported(function)


def carry_out_by(
    recorded: Function, function: Function, args: tuple[Operand, ...], kwargs: Params
) -> Result:
    """Carry a function of NumPy out by one of ours.

    Raises: UnsupportedError: with an option that ours has not. ShapeError: the arguments do not
            fit.
    """
    if not args:
        args, kwargs = _positional(function, kwargs)
    try:
        return recorded(*args, **kwargs)
    except TypeError as error:
        if isinstance(error, AutogradError):
            raise
        raise _explained(function, recorded, args, kwargs) or error from None
    except (ValueError, ArithmeticError) as error:
        if isinstance(error, AutogradError):
            raise
        operands = [describe(x) for x in args if isinstance(x, Node)]
        raise ShapeError(
            f"{name_of(function)} of {' and '.join(operands) or 'Values'}",
            str(error),
            "arguments that it takes for plain arrays of these shapes",
        ) from error


def _positional(function: Function, kwargs: Params) -> tuple[tuple[Operand, ...], Params]:
    """Return the first argument by position, whose name is NumPy's own: np.mean(a=v)."""
    first = next(iter(inspect.signature(function).parameters))
    rest = {name: x for name, x in kwargs.items() if name != first}
    return ((kwargs[first],) if first in kwargs else ()), rest


def _plain(x: Tree) -> Tree:
    if isinstance(x, Node):
        return x._data
    return type(x)(_plain(part) for part in x) if type(x) in (list, tuple) else x


def name_of(function: Function) -> str:
    """Return the name of a function of NumPy, as it is written."""
    name: str = function.__name__
    module = getattr(function, "__module__", None)
    if module is None:  # ufuncs name none
        modules = ("numpy", "scipy.special")
        module = next((m for m in modules if hasattr(sys.modules.get(m), name)), None)
    return f"{module.replace('numpy', 'np', 1)}.{name}" if module else name


def _unsupported(function: Function, method: str = "", *options: str) -> UnsupportedError:
    called = callers.called_by_user(function)
    if called is not function:
        function, method, options = called, "", ()
    ours = "sigmoid" if function.__name__ == "expit" else function.__name__
    if hasattr(activations, ours):
        return UnsupportedError(
            f"{name_of(function)} of a Value",
            "it has no derivative rule here, but there is the same function with one",
            f"autograd_core.{ours}(v)",
        )
    given = f"{name_of(function)}{method} of a Value"
    given += f" with {', '.join(options)}" if options else ""
    return UnsupportedError(
        given,
        "it has no derivative rule here",
        "v.data for plain numbers, or a primitive of your own: "
        'Primitive("name", forward, lambda g, out, x: ...)',
    )


def _explained(
    function: Function, recorded: Function, args: tuple[Operand, ...], kwargs: Params
) -> UnsupportedError | None:
    """Return an error if the arguments do not fit the signature that is supported here."""
    signature = inspect.signature(recorded)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        if callers.called_by_user(function) is not function:
            return _unsupported(function)
        names = ", ".join(signature.parameters)
        return UnsupportedError(
            f"{name_of(function)} of a Value: {error}",
            "that option has no derivative rule here",
            f"{name_of(function)}({names})",
        )
    return None
