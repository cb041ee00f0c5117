"""Conditions and whole numbers in compiled functions: the results of bools and ints outside."""

import math
import operator
from fractions import Fraction
from numbers import Integral

import numpy as np
import pytest
from oracle import assert_close

from autograd_core import TraceError, Value, compile, grad
from nn.losses import categorical_crossentropy

A, B = np.array([0.5, 2.0, -1.0]), np.array([0.3, -2.0, 1.5])
BOOLS = np.array([True, False, True])


def added_in_place(x, y):
    mask = x > 0
    mask += y > 0
    count = (x > 0).sum()
    count -= (y > 0).sum() // 2
    return mask * count * y


def in_place(x, y):
    mask = x > 0
    mask &= y < 5
    mask |= y > 7
    return mask * y


# Programs of masks, as users write them
MASKS = {
    "+": lambda x, y: ((x > 0) + (x < 1)) * y,
    "*": lambda x, y: ((x > 0) * (y < 1)) * y,
    "@": lambda x, y: ((x > 0) @ (y < 1)) * y,
    "np.dot": lambda x, y: np.dot(x > 0, y < 1) * y,
    "np.inner": lambda x, y: np.inner(x > 0, y < 1) * y,
    "np.einsum": lambda x, y: np.einsum("i,i->", x > 0, y < 1) * y,
    "np.outer": lambda x, y: (np.outer(x > 0, y > 0) + np.outer(x > 0, y > 0)) @ y,
    "/": lambda x, y: ((x > 0) / 2) * y,
    "& with a bool": lambda x, y: ((2.0 > 0) & (x < 1)) * y,
    "& with bools": lambda x, y: (BOOLS & (x > 0)) * y,
    "+ with bools": lambda x, y: (BOOLS + (x > 0)) * y,
    "+ with a bool": lambda x, y: ((x > 0) + True) * y,
    "+ with an int": lambda x, y: ((x > 0) + 1) * y,
    "- from a number": lambda x, y: (1 - (x > 0)) * y,
    "+ with a number": lambda x, y: (x > 0) + 0.5,
    "- of numbers": lambda x, y: (x > 0) - y,
    "^": lambda x, y: ((x > 0) ^ (y > 0)) * y,
    "~": lambda x, y: (~(x > 0)) * y,
    "abs": lambda x, y: abs(x > 0) * y,
    "==": lambda x, y: ((x > 0) == (y > 0)) * y,
    "<": lambda x, y: ((x > 0) < (y > 0)) * y,
    "in place": in_place,
    "+= and -=": added_in_place,
    "np.multiply.outer": lambda x, y: np.multiply.outer(x > 0, y)[:, 0],
    "any": lambda x, y: (x > 0).any() * y,
    "all": lambda x, y: (x > 0).all() * y,
    "not any": lambda x, y: (~((x > 0).any())) * y,
    "np.any": lambda x, y: np.any(x[:, None] > y, axis=0) * y,
    "np.all": lambda x, y: np.all(x[:, None] > y, axis=1, keepdims=True) * y,
    "any of none": lambda x, y: (x[:0] > 0).any() + (x[:0] > 0).all() * y,
    "max": lambda x, y: (x > 0).max() * y,
    "sum": lambda x, y: (x > 0).sum() * y,
    "halves": lambda x, y: ((x > 0).sum() // 2) * y,
    "mean": lambda x, y: (x > 0).mean() * y,
    "prod": lambda x, y: (x > 0).prod() * y,
    "cumsum": lambda x, y: (x > 0).cumsum() * y,
    "count_nonzero": lambda x, y: np.count_nonzero(x > 0) * y,
    "sum of a list": lambda x, y: sum([x > 0, y > 0]) * y,
    "maximum": lambda x, y: (np.maximum(x > 0, y > 0) + (x > 0)) * y,
    "an element": lambda x, y: ((x > 0)[0] + (y < 5)[1]) * y,
    "reshape": lambda x, y: ((x > 0).reshape(3, 1) + (y < 5).reshape(3, 1)).ravel() * y,
    "T": lambda x, y: ((x[:, None] > y).T + (y[:, None] > x)) @ y,
    "stack": lambda x, y: (np.stack([x > 0, y > 0]) + np.stack([x > 0, y > 0])).sum(0) * y,
    "tril": lambda x, y: (np.tril(x[:, None] > y) + (x[:, None] > y)) @ y,
    "where of bools": lambda x, y: (np.where(x > 0, x > 0, y > 0) + (x > 0)) * y,
    "where": lambda x, y: np.where(x > 0, x > 0, y),
    "isnan": lambda x, y: (np.isnan(x) + np.isnan(y)) * y,
    "isinf": lambda x, y: (np.isinf(x / np.floor(y)) + np.isinf(x)) * y,
    "logical_not": lambda x, y: np.logical_not(x > 0) * y,
    "astype": lambda x, y: (
        (x > 0).astype(np.float32) * y + (x > 0).astype(int) + (x > 0).astype(bool)
    ),
    "//": lambda x, y: ((x > 0) // (x < 5)) * y,
    "**": lambda x, y: ((x > 0) ** 2) * y,
    "np.diff": lambda x, y: np.diff(x[1:] > 0) * y,
    "np.add.outer": lambda x, y: np.add.outer(x > 0, x > 1) * y,
    "np.add.reduce": lambda x, y: np.add.reduce(x > 0) * y,
    "of numbers, +": lambda x, y: ((x[0] > 0) + (x[1] > 0)) * y,
    "of numbers, &": lambda x, y: ((x[0] > 0) & (x[1] > 0)) * y,
    "of numbers, -": lambda x, y: (-(x[0] > 0)) * y,
    "of numbers and arrays": lambda x, y: ((x[0] > 0) + (x > 0)) * y,
}


@pytest.mark.parametrize("kind", ["d", "f"])
@pytest.mark.parametrize("name", MASKS)
def test_masks_compute_as_bools_do(name, kind):
    f, x, y = MASKS[name], A.astype(kind), B.astype(kind)
    compiled = compile(f)
    with np.errstate(all="ignore"):
        for args in ((x, y), (y, x), (-x, y)):
            expected = f(*map(Value, args))
            expected = np.asarray(getattr(expected, "data", expected))
            actual = compiled(*args)
            assert actual.dtype == (expected.dtype if expected.dtype.kind == "f" else np.float64)
            assert_close(actual, expected.astype(actual.dtype), 0, 0)
    assert compiled.traces == 1


@pytest.mark.parametrize("kind", ["?", "b", "B", "h", "H", "i", "q", "e", "f", "d"])
def test_arguments_of_all_types_give_the_type_that_numpy_gives(kind):
    v, y = Value(A.astype("f")), np.array([1, 0, 1], kind)
    for f in (
        lambda y: v * y,
        lambda y: y + v,
        lambda y: np.maximum(y, v),
        lambda y: np.arctan2(v, y),
        lambda y: np.where(v > 0, v, y),
        lambda y: np.stack([v, y]),
        lambda y: v @ y,
        lambda y: np.einsum("i,i->i", v, y),
        lambda y: np.dot(y, v) * v,
    ):
        compiled = compile(f)
        for _ in range(2):
            result = compiled(y)
            assert result.dtype == f(y).dtype
            assert_close(result.data, f(y).data, 1e-6)


def test_masks_are_results_as_bools():
    compiled = compile(lambda x: (x > 0, (x > 0).any(), x[0] > 0, [~(x > 1)]))
    for x in (A, -A, A):
        mask, any_, first, (rest,) = compiled(x)
        assert mask.dtype == rest.dtype == bool
        assert_close([mask, rest], [x > 0, ~(x > 1)], 0, 0)
        assert any_ == (x > 0).any()
        assert first is bool(x[0] > 0)


# What NumPy refuses, or gives half precision for; what depends on how many are true
REFUSED_MASKS = {
    "-": lambda x: (x > 0) - (x < 1),
    "negative": lambda x: -(x > 0),
    "np.exp": lambda x: np.exp(x > 0),
    "~ of a bool": lambda x: ~(x[0] > 0) * x,
    "an index": lambda x: x[x > 0],
    "nonzero": lambda x: (x > 0).nonzero()[0],
    "np.where": lambda x: np.where(x > 0)[0],
    "a branch": lambda x: x if (x > 0).all() else -x,
    "bits": lambda x: (x > 0) & 3,
}


@pytest.mark.parametrize("name", REFUSED_MASKS)
def test_what_bools_do_otherwise_is_refused(name):
    with pytest.raises(TypeError) as caught:
        compile(REFUSED_MASKS[name])(A)
    assert "\n  why: " in str(caught.value)


# What ints among the arguments decide
WHOLE = {
    "an axis": lambda x, n: np.sum(x, axis=n),
    "an axis of a method": lambda x, n: x.max(n),
    "an axis of concatenate": lambda x, n: np.concatenate([x, x], axis=n),
    "an axis that is new": np.expand_dims,
    "a shape": lambda x, n: x.reshape(n + 1, -1),
    "a shape of np.zeros": lambda x, n: x.sum() + np.zeros((n, 2)),
    "a bound": lambda x, n: x[:n],
    "a bound of an axis": lambda x, n: x[:, n:],
    "a count": np.repeat,
    "a count by keyword": lambda x, n: np.repeat(x, repeats=n, axis=0),
    "a repeated tuple": lambda x, n: x * len((1.0,) * n),
    "a repeated list": lambda x, n: x * sum(n * [2.0]),
    "range": lambda x, n: sum([x * i for i in range(n + 1)]),
    "a branch": lambda x, n: x if n > 0 else -x,
    "an element of a list": lambda x, n: x * [5.0, 6.0, 7.0][n],
    "a shift": np.roll,
    "a power": lambda x, n: np.linalg.matrix_power(x.T @ x, n),
    "text": lambda x, n: x * float(f"{n}{n:02d}"),
    "float": lambda x, n: x * float(n),
    "data": lambda x, n: x * n + n / 2,
    "a key": lambda x, n: x * {0: 5.0, 1: 7.0}.get(n, 0.0),
    "an element of a set": lambda x, n: x * (2.0 if n in {1, 2} else 3.0),
    "both": lambda x, n: x[: n + 1] * n,
    "a diagonal": np.diag,
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_decide_as_outside(name):
    f, x = WHOLE[name], np.arange(6.0).reshape(2, 3) if name != "a shape" else np.arange(6.0)
    compiled = compile(f)
    for n in (0, 1, 0, 1, 1):
        for scale in (1.0, 2.0):
            assert_close(compiled(scale * x, n), f(Value(scale * x), n), 0, 0)
    assert compiled.traces == (1 if name == "data" else 2)


def test_whole_numbers_that_are_data_are_read_afresh():
    compiled = compile(lambda x, n: x * n + x[n])
    assert [compiled(A, n).tolist() for n in (0, 1, 2)] == [
        (A * n + A[n]).tolist() for n in (0, 1, 2)
    ]
    assert compiled.traces == 1


def test_whole_numbers_of_numpy_and_in_structures():
    compiled = compile(lambda x, shape: x.reshape(shape))
    for shape in ((2, 3), (np.int64(3), 2), [3, 2]):
        assert compiled(np.arange(6.0), shape).shape == tuple(shape)


def test_derivatives_are_for_the_same_whole_number():
    compiled = compile(lambda x, n: np.sum(x[:n] ** n))
    for n in (1, 2, 3):
        x = Value(A)
        compiled(x, n).backward()
        assert_close(x.grad, grad(lambda x, n=n: np.sum(x[:n] ** n))(A))


def test_numbers_that_depend_on_data_are_no_positions():
    for f in (
        lambda x, n: x[: n * x[0]],
        lambda x, n: range(n + x[0]),
        lambda x, n: x if n * x[0] > 0 else -x,
    ):
        with pytest.raises(TypeError):
            compile(f)(A, 1)


def _by_flags(x, n):
    for bit in range(4):
        if n & (1 << bit):
            x = x * (2 + bit)
    return x


# What ints have and floats do not: computed from the int, with one program for each
OF_INTS = {
    "flags": _by_flags,
    "&": lambda x, n: x * (n & 6),
    "& from the right": lambda x, n: x * (6 & n),
    "|": lambda x, n: x * (n | 4),
    "| from the right": lambda x, n: x * (4 | n),
    "^": lambda x, n: x * (n ^ 1),
    "~": lambda x, n: x * ~n,
    "<<": lambda x, n: x * (n << 2),
    "<< from the right": lambda x, n: x * (1 << n),
    ">>": lambda x, n: x * (n >> 1),
    "of two": lambda x, n: x * (n & (n + 1) | n << n),
    "of what was computed": lambda x, n: x * (-n * 3 + 2**n & 5),
    "of a comparison": lambda x, n: x * ((n > 2) & 2 | n),
    "np.bitwise_and": lambda x, n: x * np.bitwise_and(n, 6),
    "np.bitwise_or of an array": lambda x, n: x * np.bitwise_or(np.arange(3), n),
    "np.invert": lambda x, n: x * np.invert(n),
    "np.left_shift": lambda x, n: x * np.left_shift(n, 2),
    "np.gcd": lambda x, n: x * np.gcd(n, 6),
    "an int of NumPy": lambda x, n: x * (np.int64(6) & n),
    "operator.or_": lambda x, n: x * operator.or_(n, 4),
    "pow with a modulus": lambda x, n: x * pow(n, 2, 5),
    "bit_length": lambda x, n: x * n.bit_length(),
    "to_bytes": lambda x, n: x * n.to_bytes(2, "big")[1],
    "numerator and imag": lambda x, n: x * n.numerator + n.imag,
    "a ratio": lambda x, n: x * n.as_integer_ratio()[0],
    "Fraction": lambda x, n: x * float(Fraction(n, 4)),
    "round": lambda x, n: x * (round(n) & 1) + round(n, -1),
    "math.gcd": lambda x, n: x * math.gcd(n, 6),
}
# What tells an int from a float: one program for all ints
KINDS = {
    "int": lambda x, n: x * (2.0 if isinstance(n, int) else 3.0),
    "Integral": lambda x, n: x * (2.0 if isinstance(n, Integral) else 3.0),
    "float": lambda x, n: x * (2.0 if isinstance(n, float) else 3.0 * n),
    "a float of an int": lambda x, n: x * (2.0 if isinstance(n * 1.0, int) else 3.0),
    "an int of an int": lambda x, n: x * (2.0 if isinstance(2 * n - 1, int) else 3.0),
    "a quotient": lambda x, n: x * (2.0 if isinstance(n / 1, int) else 3.0),
    "__class__": lambda x, n: x * len(n.__class__.__name__),
}


@pytest.mark.parametrize("name", OF_INTS)
def test_whole_numbers_compute_as_ints(name):
    f, compiled = OF_INTS[name], compile(OF_INTS[name])
    for n in (3, 6, 10, 3, 6, 10):
        for x in (A, 2.0 * A):
            assert_close(compiled(x, n), f(x, n), 0, 0)
    assert compiled.traces == 3


@pytest.mark.parametrize("name", KINDS)
def test_ints_are_told_from_floats(name):
    f, compiled = KINDS[name], compile(KINDS[name])
    for n in (3, 6, 3, 6):
        assert_close(compiled(A, n), f(A, n), 0, 0)
    assert compiled.traces == 1


def test_a_float_is_not_served_by_the_program_of_an_int():
    f = KINDS["int"]
    compiled = compile(f)
    assert [compiled(1.0, n) for n in (3, 3.0, 4, 4.0)] == [2.0, 3.0, 2.0, 3.0]
    with pytest.raises(TypeError):
        compile(lambda x, n: x * (n & 1))(1.0, 3.0)


def test_bits_of_floats_that_follow_from_ints_are_refused():
    for f in (lambda n: n / 2 & 1, lambda n: n * 2.0 & 1, lambda n: np.sqrt(n) & 1):
        with pytest.raises(TypeError):
            f(4)
        with pytest.raises(TraceError, match="bits of numbers"):
            compile(f)(4)


# Each is given several ints in a row: the program that is recorded for one serves all of these
INTS = {
    "a generator's step": lambda n: (n * 1103515245 + 12345) % 10,
    "a product": lambda n: n * n * n % 1000,
    "a difference": lambda n: n * 10**9 - n * 10**9 + n,
    "a power": lambda n: n**5 % 7,
    "a power of two": lambda n: 2 ** (n % 61) % 11,
    "a negative power": lambda n: 0.5 + 2**-n,
    "a quotient": lambda n: (n * n // 7, n // -7, -n // 7),
    "a remainder": lambda n: (n % -7, -n % 7, divmod(-n, 7)),
    "a sum": lambda n: sum([n, n, 1]),
    "signs": lambda n: (-n, +n, abs(-n)),
    "0 times a negative int": lambda n: 1 / (1e-300 + (n - n) * -1 / 3),
    "a float": lambda n: (n + 0.5, n / 4, n * 2.0),
    "beside a float": lambda n: n * 0.1 + n**2 % 3,
    "a large constant": lambda n: (n + 2**53 + 1) % 10,
    "its type": lambda n: isinstance(n * 3, int) + 2 * isinstance(n, np.integer),
    "itself": lambda n: [n, n + 1],
    "a bool": lambda n: (n > 3, not n),
    "a range": lambda n: [i * n for i in range(n % 3)],
    "its bits": lambda n: (n & 3, n << 2, n ^ 1, ~n),
    "its length": lambda n: n.bit_length() if isinstance(n, int) else len(bin(n)),
    "text": lambda n: len(f"{n}{n:3d}{n!s}{n!r}"),
    "items": lambda n: [n.item(), n.tolist()] if isinstance(n, np.integer) else n,
    "np.maximum": lambda n: np.maximum(n, 4),
    "np.sum of a list": lambda n: int(np.sum([n, n])) % 7,
    "np.gcd": lambda n: np.gcd(n, 12),
    "a key": lambda n: {3: 1.0}.get(n, 2.0),
}
KINDS_OF_INTS = (int, np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64)


def _same(actual, expected):
    """Tell whether two results are equal, of the same types."""
    if isinstance(expected, list | tuple):
        return len(actual) == len(expected) and all(map(_same, actual, expected))
    if isinstance(expected, np.ndarray):
        return actual.dtype == expected.dtype and np.array_equal(actual, expected)
    if isinstance(expected, float):
        return isinstance(actual, float) and actual == expected
    return type(actual) is type(expected) and actual == expected


def _outcome(f, *args):
    """Return what a function gives, or the kind of error that it raises."""
    try:
        return f(*args)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        return type(error).__name__


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS_OF_INTS)
@pytest.mark.parametrize("name", INTS)
def test_ints_are_exact_and_of_the_same_type_as_outside(name, kind):
    f = INTS[name]
    compiled = compile(f)
    for n in (3, 5, 100, 3, 10**8 + 7, 2**53 + 1, 0, 5, 2**62, 10**8 + 7):
        if kind is int or n <= np.iinfo(kind).max:
            assert _same(_outcome(compiled, kind(n)), _outcome(f, kind(n))), n


def test_an_int_that_changes_takes_no_recording_while_floats_hold_it():
    compiled = compile(lambda x, n: x * (n + 1) ** 2 % 7)
    assert [compiled(1.0, n) for n in range(50)] == [(n + 1) ** 2 % 7 for n in range(50)]
    assert compiled.traces == 1


# Where NumPy computes with integers, in which sums and products may not fit
ARRAYS = {
    "+": lambda a: a + 100,
    "- from an int": lambda a: 1 - a,
    "* of two": lambda a: a * a,
    "-": lambda a: -a,
    "**": lambda a: a**3,
    "@": lambda a: a.T @ a,
    "//": lambda a: a // 3,
    "%": lambda a: a % 3,
    "+ with an array": lambda a: np.arange(2, dtype=np.uint8) + a,
    "of a part": lambda a: a.reshape(-1)[1:] * 2,
    "of an element": lambda a: a[0, 1] + a[0, 0],
    "+=": lambda a: [b := a.copy(), b := b + 1][-1],
    "np.square": np.square,
    "np.diff": np.diff,
    "np.dot": lambda a: np.dot(a, a),
    "np.kron": lambda a: np.kron(a, a),
    "np.cross": lambda a: np.cross(np.ravel(a)[:3], np.ravel(a)[1:]),
    "np.stack": lambda a: np.stack([a, a]),
    "np.concatenate": lambda a: np.concatenate([a, np.arange(4, dtype=np.int8).reshape(2, 2)]),
    "np.where": lambda a: np.where(a > 3, a, 0),
    "np.sort": np.sort,
    "sum": lambda a: (a.sum(), a.sum(axis=0), np.sum(a, axis=1)),
    "prod": lambda a: a.prod(),
    "cumsum": lambda a: a.cumsum(),
    "mean": lambda a: a.mean(),
    "max": lambda a: (a.max(), a.min(axis=0), np.ptp(a)),
    "any": lambda a: (a.any(), a.all(axis=0), np.count_nonzero(a)),
    "the type": lambda a: a / 255 if a.dtype.kind == "u" else 1.0 * a,
    "astype": lambda a: (a.astype(np.int8), a.astype(float) + 1, a.astype(bool)),
    "zeros_like": np.zeros_like,
    "==": lambda a: (a == 200, a[0] == a[1]),
    "/": lambda a: a / 255,
    "* with a float": lambda a: a * 0.5 + 1,
    "* with floats": lambda a: a * A[:2],
    "* with float32": lambda a: a * A[:2].astype(np.float32),
    "itself": lambda a: [a, a[::-1], a.T],
    "an index": lambda a: np.sum(a[np.array([0, 1, 0])], axis=0),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS_OF_INTS[1:])
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_integers_compute_as_outside(name, kind):
    f = ARRAYS[name]
    compiled = compile(f)
    for numbers in ([[1, 2], [3, 4]], [[5, 100], [127, 0]], [[0, 1], [1, 7]], [[1, 127], [9, 9]]):
        for large in (0, np.iinfo(kind).max - 127):
            a = np.array(numbers, kind) + kind(large)
            assert _same(_outcome(compiled, a), _outcome(f, a))


def test_arrays_of_integers_beside_values_are_floats():
    v = Value(A[:2])
    for kind in KINDS_OF_INTS[1:]:
        a = np.array([200, 5]).astype(kind)
        for f in (lambda a: v * a, lambda a: (a + 1) / v, lambda a: v[a % 2] * a):
            compiled = compile(f)
            for _ in range(2):
                assert_close(compiled(a).data, f(a).data, 1e-15)
            assert compiled.traces == 1


@pytest.mark.parametrize("kind", [np.uint8, np.int32, bool])
def test_losses_take_small_integers_as_floats(kind):
    labels, predictions = np.eye(2).astype(kind), Value([[0.3, 0.7], [0.6, 0.4]])
    actual = compile(categorical_crossentropy)(labels, predictions)
    assert_close(actual.data, -np.log([0.3, 0.4]).mean(), 1e-15)


class TestPrinting:
    @pytest.mark.parametrize(
        "show", [lambda v: f"{v}", lambda v: f"{v:.3f}", str, repr, lambda v: f"{[v]!r}"]
    )
    def test_is_refused(self, show):
        with pytest.raises(TraceError, match=r"callback\(print, v\)"):
            compile(lambda x: x * len(show(x)))(2.0)

    def test_of_whole_numbers_is_theirs(self):
        compiled = compile(lambda x, n: x * float(f"{n}.5"))
        assert [compiled(2.0, 1), compiled(2.0, 3)] == [3.0, 7.0]
