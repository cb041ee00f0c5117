"""Every public function of NumPy, called with Values in all the ways in which they can be given."""

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd_core import AutogradError, GradientWarning, Value, gradients, messages
from autograd_core.graph import Node, as_operand, node_in

# Not functions of numbers: they read, print, define types, look into NumPy or into Python
LEFT_OUT = re.findall(
    r"\w+",
    """
    test info show_config show_runtime get_include getbufsize setbufsize geterr seterr
    geterrcall seterrcall errstate printoptions get_printoptions set_printoptions
    format_parser save savez savez_compressed savetxt load loadtxt genfromtxt fromfile
    fromregex fromstring frombuffer memmap from_dlpack frompyfunc vectorize nditer
    nested_iters ndenumerate ndindex broadcast flatiter busdaycalendar busday_count
    busday_offset is_busday datetime_as_string datetime_data isnat dtype finfo iinfo typename
    mintypecode isdtype issubdtype promote_types can_cast common_type result_type
    get_array_api_strict_version record recarray matrix bmat asmatrix ndarray chararray
    DataSource einsum_path iterable array_repr array_str array2string format_float_positional
    format_float_scientific base_repr binary_repr set_string_function poly1d LinAlgError empty
    empty_like shares_memory may_share_memory fromfunction isfortran __array_namespace_info__
    ufunc
    """,
)

X = np.array([0.31, 0.72, 0.55])
Y = np.array([0.24, 0.9, 0.43])
M = np.array([[0.82, 0.13, 0.23], [0.31, 0.67, 0.41], [0.2, 0.45, 0.73]])
# What is tried where there is nothing below, in this order
TRIED: list[tuple[Any, ...]] = [(X,), (X, Y), (M,), (M, X), (M, M), ([X, Y],), (0.7,), (0.7, 0.3)]
# Calls with numbers that fit, where the ones above do not, or miss an argument that counts
CALLS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "where": [((np.array([True, False, True]), X, Y), {})],
    "select": [(([X > 0.5, X > 0.4], [X, Y]), {"default": Y})],
    "choose": [((np.array([0, 1, 0]), [X, Y]), {})],
    "full": [((3, 0.7), {}), (((2, 3), X), {})],
    "full_like": [((X, 0.7), {})],
    "arccosh": [((X + 1.5,), {})],
    "acosh": [((X + 1.5,), {})],
    "arange": [((0.3, 2.0), {})],
    "interp": [((0.4, X, Y), {}), ((Y, [0.1, 0.5, 1.0], X), {})],
    "bincount": [((np.array([0, 1, 1]),), {"weights": X})],
    "histogram": [((X,), {}), ((X,), {"weights": Y}), ((X, [0.0, 0.5, 1.0]), {})],
    "pad": [((X, 1), {}), ((X, 1), {"constant_values": 0.7})],
    "sum": [((X,), {"initial": 0.7})],
    "prod": [((X,), {"initial": 0.7})],
    "max": [((X,), {"initial": 0.7})],
    "min": [((X,), {"initial": 0.7})],
    "diff": [((X,), {}), ((X,), {"prepend": 0.7})],
    "ediff1d": [((X,), {}), ((X,), {"to_end": 0.7})],
    "clip": [((X, 0.4, 0.6), {}), ((X, Y, Y + 0.1), {})],
    "average": [((X,), {"weights": Y})],
    "cov": [((X, Y), {}), ((X,), {"aweights": Y})],
    "nan_to_num": [((X,), {"nan": 0.7})],
    "append": [((X, Y), {})],
    "insert": [((X, 1, 0.7), {})],
    "delete": [((X, 1), {})],
    "put": [],
    "take": [((X, [0, 2]), {})],
    "take_along_axis": [((X, np.array([0, 2])), {"axis": 0})],
    "put_along_axis": [((X.copy(), np.array([0, 2]), 0.7), {"axis": 0})],
    "compress": [(([True, False, True], X), {})],
    "extract": [((X > 0.5, X), {})],
    "place": [((X.copy(), X > 0.5, Y), {})],
    "putmask": [((X.copy(), X > 0.5, Y), {})],
    "copyto": [((X.copy(), Y), {})],
    "fill_diagonal": [((M.copy(), 0.7), {})],
    "percentile": [((X, 40.0), {})],
    "quantile": [((X, 0.4), {})],
    "nanpercentile": [((X, 40.0), {})],
    "nanquantile": [((X, 0.4), {})],
    "partition": [((X, 1), {})],
    "argpartition": [((X, 1), {})],
    "reshape": [((M, (9,)), {})],
    "resize": [((X, (2, 2)), {})],
    "broadcast_to": [((X, (2, 3)), {})],
    "expand_dims": [((X, 0), {})],
    "repeat": [((X, 2), {})],
    "tile": [((X, 2), {})],
    "roll": [((X, 1), {})],
    "rollaxis": [((M, 1), {})],
    "moveaxis": [((M, 0, 1), {})],
    "swapaxes": [((M, 0, 1), {})],
    "split": [((X, 3), {})],
    "array_split": [((X, 2), {})],
    "hsplit": [((X, 3), {})],
    "vsplit": [((M, 3), {})],
    "dsplit": [((M[None], 3), {})],
    "einsum": [(("i,i", X, Y), {}), (("ij,j->i", M, X), {})],
    "tensordot": [((M, M), {"axes": 1}), ((M, X), {"axes": 1})],
    "apply_along_axis": [((np.sum, 0, X), {})],
    "apply_over_axes": [((np.sum, M, [0]), {})],
    "piecewise": [((X, [X > 0.5], [2.0, 0.5]), {})],
    "polyfit": [((X, Y, 1), {})],
    "polyval": [((X, 0.7), {}), ((X, Y), {})],
    "polyint": [((X,), {})],
    "vander": [((X,), {})],
    "linspace": [((0.3, 0.7, 4), {})],
    "logspace": [((0.3, 0.7, 4), {})],
    "geomspace": [((0.3, 0.7, 4), {})],
    "fromiter": [((X, float), {})],
    "array": [((X,), {}), ((X,), {"dtype": float})],
    "asarray": [((X,), {}), ((X,), {"dtype": np.float32})],
    "trapezoid": [((X, np.array([0.1, 0.5, 1.1])), {})],
    "unwrap": [((X * 9,), {})],
    "ldexp": [((X, 2), {})],
    "nextafter": [],
    "spacing": [],
    "block": [(([X, Y],), {})],
    "sliding_window_view": [((X, 2), {})],
    "matrix_power": [((M, 2), {})],
    "multi_dot": [(([M, M, X],), {})],
    "tensorsolve": [((M, X), {})],
    "tensorinv": [((M,), {"ind": 1})],
    "lstsq": [((M, X), {})],
    "digitize": [((X, [0.2, 0.5]), {})],
    "searchsorted": [(([0.2, 0.5], X), {})],
    "astype": [((X, np.float64), {})],
    "ix_": [],
    "unravel_index": [],
    "cross": [((X, Y), {})],
    "in1d": [((X, Y), {})],
    "hfft": [((X, 4), {})],
}


# Differentiated on symmetric matrices alone, which test_linear_algebra does
SYMMETRIC = {"np.linalg.cholesky", "np.linalg.eigh", "np.linalg.eigvalsh"}
# With a list and a dtype, or without any other result, they ask for plain numbers, as float(v) does
ASKING = {"np.array", "np.asarray", "np.fromiter"}
# Of objects, NumPy gives one of them instead of True or False
OF_OBJECTS = {"np.logical_and", "np.logical_or"}


# What NumPy raises
RAISED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Given(NamedTuple):
    """A call with Values: the arguments, the Values, and the same call with other numbers."""

    how: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    leaves: list[Value]
    plain: Callable[[list[Any]], tuple[tuple[Any, ...], dict[str, Any]]]


def functions() -> Iterator[tuple[str, Any]]:
    """Yield the names and the public functions of numpy, numpy.linalg and numpy.fft."""
    for module in (np, np.linalg, np.fft):
        prefix = module.__name__.replace("numpy", "np", 1)
        for name in sorted(module.__all__):
            f = getattr(module, name)
            is_class = isinstance(f, type) and issubclass(f, np.generic | BaseException)
            if (
                callable(f)
                and not is_class
                and not isinstance(f, type(np))
                and name not in LEFT_OUT
            ):
                yield f"{prefix}.{name}", f


def calls(name: str, f: Any) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return calls of a function that NumPy carries out on plain numbers."""
    short = name.rpartition(".")[2]
    found = CALLS.get(short)
    if found is None:
        first = [args for args in TRIED if works(f, args, {})][:1]
        also = [(M,)] if first and first[0] is TRIED[0] and works(f, (M,), {}) else []
        return [(args, {}) for args in first + also]
    return [(args, kwargs) for args, kwargs in found if works(f, args, kwargs)]


def works(f: Any, args: Any, kwargs: Any) -> bool:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            f(*map(copied, args), **kwargs)
    except RAISED:
        return False
    return True


def numbers(x: Any) -> bool:
    """Tell whether an argument holds floats, for which there may be Values."""
    return isinstance(x, float) or (isinstance(x, np.ndarray) and x.dtype == float)


def parts(v: Any, kind: type) -> Any:
    if not v.shape:
        return None
    return kind(parts(row, kind) if row.shape else row for row in v)


def mixed(rows: Any) -> Any:
    """Return nested lists in which the last number is plain."""
    if rows is None:
        return None
    last = rows[-1]
    return [*rows[:-1], mixed(last) if isinstance(last, list) else float(last.data)]


def objects(v: Any) -> Any:
    if not v.shape:
        return None
    out = np.empty(v.shape, object)
    for index in np.ndindex(v.shape):
        out[index] = v[index] if index else v
    return out


WAYS: dict[str, Callable[[Any], Any]] = {
    "Value": lambda v: v,
    "list": lambda v: parts(v, list),
    "mixed list": lambda v: mixed(parts(v, list)),
    "array of objects": objects,
    "list of rows": lambda v: [*v] if len(v.shape) == 2 else None,
    "tuple": lambda v: parts(v, tuple),
}


def variants(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Given]:
    """Yield the same call with Values in all ways."""
    names = parameters(f)
    places = [*range(len(args)), *kwargs]
    for place in places:
        x = args[place] if isinstance(place, int) else kwargs[place]
        if numbers(x):
            for way, made in WAYS.items():
                yield from variant(f"{way} as {place}", args, kwargs, place, x, made)
            if isinstance(place, int) and place < len(names) and len(args) == place + 1:
                by_name = {**kwargs, names[place]: x}
                if works(f, args[:place], by_name):
                    how = f"keyword {names[place]}"
                    yield from variant(how, args[:place], by_name, names[place], x, WAYS["Value"])
        elif isinstance(x, list) and all(map(numbers, x)) and x:
            yield from variant(f"list as {place}", args, kwargs, place, x, lambda v: v)


def parameters(f: Any) -> list[str]:
    try:
        return list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return []


def variant(how: Any, args: Any, kwargs: Any, place: Any, x: Any, made: Any) -> Iterator[Given]:
    xs = x if isinstance(x, list) else [x]
    leaves = [Value(each) for each in xs]

    def plain(data: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return put(args, kwargs, place, data if isinstance(x, list) else data[0])

    given = leaves if isinstance(x, list) else made(leaves[0])
    if given is not None:
        yield Given(how, *put(args, kwargs, place, given), leaves, plain)


def put(args: Any, kwargs: Any, place: Any, x: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    args, kwargs = tuple(map(copied, args)), {k: copied(v) for k, v in kwargs.items()}
    if isinstance(place, int):
        return (*args[:place], x, *args[place + 1 :]), kwargs
    return args, {**kwargs, place: x}


def copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def leaves_of(result: Any) -> Iterator[Any]:
    """Yield numbers and arrays of a result, with arrays of Values as Values."""
    if isinstance(result, list | tuple) and not isinstance(result, Node):
        for part in result:
            yield from leaves_of(part)
    elif node_in(result) is not None:
        yield as_operand(result)
    elif isinstance(result, np.ndarray | np.generic | float | int | complex):
        yield result


def total(results: list[Any]) -> Any:
    """Return a sum of all results, each number with another weight."""
    out = 0.0
    for i, result in enumerate(results):
        if isinstance(result, Node) or np.asarray(result).dtype.kind in "fc":
            shape = np.shape(result)
            weights = 1.5 + np.sin(i + 1.0 + np.arange(np.prod(shape, dtype=int))).reshape(shape)
            part = (
                (result * weights).sum() if isinstance(result, Node) else np.sum(result * weights)
            )
            out = out + part
    return out


def numeric(f: Any, given: Given) -> list[Any]:
    """Return the derivatives of the weighted sum of all results by finite differences."""
    data = [np.array(leaf.data, float) for leaf in given.leaves]
    out = []
    for number, x in enumerate(data):
        slopes = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [d.copy() for d in data]
                moved[number][index] += step  # central
                args, kwargs = given.plain([m if m.shape else float(m) for m in moved])
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    ends.append(total(list(leaves_of(f(*args, **kwargs)))))
            slopes[index] = np.real(ends[0] - ends[1]) / 2e-5
        out.append(slopes)
    return out


def without_values(x: Any) -> Any:
    """Return arguments with numbers in place of Values, in the same lists and arrays of objects."""
    if isinstance(x, Node):
        return x._data
    if isinstance(x, list | tuple):
        return type(x)(map(without_values, x))
    if isinstance(x, dict):
        return {name: without_values(part) for name, part in x.items()}
    if isinstance(x, np.ndarray) and x.dtype == object:
        return np.array([without_values(part) for part in x.ravel()], object).reshape(x.shape)
    return x


def raised(f: Any, given: Given, error: Exception) -> str:
    """Return whether NumPy raises the same error for plain numbers in the same places."""
    try:
        f(*without_values(given.args), **without_values(given.kwargs))
    except RAISED as plain:
        if isinstance(error, type(plain)):
            return "raised as by NumPy"
    return f"raw {type(error).__name__}: {error}"[:150]


def outcome(name: str, f: Any, given: Given) -> str:
    """Return what happens to the derivative in a call."""
    messages.warned.clear()
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            args, kwargs = given.args, given.kwargs
            result = f(*args, **kwargs)
            results = list(leaves_of(result))
        except AutogradError:
            return "refused"
        except RAISED as error:
            return raised(f, given, error)
    expected = numeric(f, given)
    if any(issubclass(w.category, GradientWarning) for w in caught):
        return "warned"
    if "mixed" in given.how:  # the last number is plain
        expected = [np.ravel(slopes)[:-1] for slopes in expected]
    output = total(results)
    if isinstance(output, Node):
        found = gradients(output, given.leaves)
        if "mixed" in given.how:
            found = [np.ravel(slopes)[:-1] for slopes in found]
        pairs = list(zip(found, expected, strict=True))
        if all(np.allclose(a, b, 1e-4, 1e-5, equal_nan=True) for a, b in pairs):
            return "recorded"
        return f"wrong {found} {expected}"[:200]
    if all(np.allclose(slopes, 0.0, atol=1e-7) for slopes in expected):
        return "plain"
    return "asked for" if name in ASKING else "silent"


def sweep() -> Iterator[tuple[str, str, str]]:
    """Yield function, way of giving and outcome."""
    for name, f in functions():
        for args, kwargs in calls(name, f):
            for given in variants(f, args, kwargs):
                if name not in OF_OBJECTS or "objects" not in given.how:
                    what = outcome(name, f, given)
                    is_right = name in SYMMETRIC and what.startswith("wrong")
                    yield name, given.how, "recorded" if is_right else what
