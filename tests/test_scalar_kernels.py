"""Every primitive has a kernel that computes as it does, or is left to arrays."""

import itertools
import math

import numpy as np
import pytest
from cases import CASES, POINTWISE
from scalar_programs import BOTH, assert_close, executor_of, program_of, quiet

from autograd_core import log_softmax, logsumexp, softmax, value_and_grad
from autograd_core.primitives import elementwise
from autograd_core.primitives.elementwise import astype
from autograd_core.primitives.reductions import recurrence
from autograd_core.program.lowering import lowered
from autograd_core.program.scalar_program import KERNELS
from autograd_core.program.virtual_machine import virtual_machine


class TestKernels:
    def test_every_elementwise_primitive_has_one_but_for_one_that_depends_on_its_order(self):
        missing = {row[0].primitive.name for row in POINTWISE if row[0].primitive not in KERNELS}
        assert missing == {"sinc_derivative"}

    @pytest.mark.parametrize("primitive", KERNELS, ids=lambda primitive: primitive.name)
    def test_computes_what_forward_computes_at_special_points_and_ties(self, primitive):
        special = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1000.0, -1000.0, 0.5, 2.5,
                   -3.3, 1e300, 0.3)  # fmt: skip
        points = list(itertools.product(special, repeat=len(primitive.rules)))
        self.check(primitive, points)

    @pytest.mark.parametrize(
        "case", [row[0] for row in POINTWISE if row[0].primitive in KERNELS], ids=lambda c: c.name
    )
    def test_computes_what_forward_computes_at_the_points_of_the_cases(self, case):
        rng = np.random.default_rng(0)
        points = [[x * s for x in case.inputs] for s in rng.uniform(0.9, 1.0, 20)]
        self.check(case.primitive, points)

    def check(self, primitive, points):
        code, arity = KERNELS.index(primitive), len(primitive.rules)
        columns = np.array(points).T
        r = np.concatenate([columns.ravel(), np.zeros(len(points))])
        groups = np.array([[code, columns.size, len(points), arity, 0, 1, 0]])
        virtual_machine()(r, groups, np.arange(columns.size, dtype=np.uint32), len(r), 1)
        params = {"decimals": 0} if primitive is elementwise.round else {}
        params |= {"dtype": np.dtype(np.float64)} if primitive is elementwise.astype else {}
        with quiet():
            expected = primitive.forward(*columns, **params)
            found = r[columns.size :]
            same = (found == expected) | (np.isnan(found) & np.isnan(expected))
            near = np.abs(found - expected) <= 4 * np.spacing(np.abs(expected))
        assert (same | near).all(), np.array(points)[~(same | near)]


# A primitive alone, whatever shapes it has; those that nobody has told the machine about
UNTOLD = {"sinc_derivative", "getitem_at", "scatter_at", "reorder", "restore", "overlap_add",
          "convolve", "spread_windows", "match_windows", "einsum", "inv", "solve", "pinv",
          "cumprod_adjoint", "cofactor", "det", "log_abs_det", "sign_det", "cholesky", "eigh",
          "determined", "svd"}  # fmt: skip
TOLD = [case for case in CASES if case.primitive.name not in UNTOLD]


@BOTH
class TestEveryPrimitive:
    @pytest.mark.no_cover
    @pytest.mark.parametrize("case", TOLD, ids=lambda case: case.name)
    def test_alone(self, compiled, case):
        run = executor_of(case, *case.moving, compiled=compiled)
        other = [x * 0.97 for x in case.moving]
        for moving in (case.moving, other):
            assert_close(run(list(moving))[0], case(*moving))

    @pytest.mark.parametrize("name", sorted(UNTOLD))
    def test_not_told_is_left_to_arrays(self, compiled, name):
        case = next(case for case in CASES if case.primitive.name == name)
        assert lowered(program_of(case, *case.moving)) is None


# Functions of an array and how each meets arrays without elements
EMPTY = {
    "sum": lambda x: x.sum(),
    "sum of rows": lambda x: x.sum(1),
    "sum of columns": lambda x: x.sum(0, keepdims=True),
    "product": lambda x: x @ x.T @ np.ones(len(x)),
    "elements": lambda x: (x * x)[:, ::-1].T,
    "variance": lambda x: np.var(x, axis=0) * x,
    "running sum": lambda x: np.cumsum(x, 1),
    "recurrence": lambda x: recurrence(x, x, axis=1),
    "softmax": lambda x: softmax(x, axis=0),
    "largest of none of the rows": lambda x: np.max(x.T, axis=1),
    "concatenation": lambda x: np.concatenate([x, 2.0 * x]),
    "places": lambda x: x[:, np.array([], int)],
    "square root of a sum": lambda x: np.sqrt(np.sum(x * x) + 1.0),
}


@pytest.mark.parametrize("name", EMPTY)
def test_arrays_without_elements_are_lowered(name):
    x = np.ones((2, 0))
    f = value_and_grad(lambda x: np.sum(EMPTY[name](x)))
    for found, expected in zip(executor_of(f, x)([x]), f(x), strict=True):
        assert_close(found, expected)
    [found] = executor_of(EMPTY[name], x)([x])
    assert_close(np.asarray(found), np.asarray(EMPTY[name](x)))


def test_a_product_of_nothing_is_1():
    x = np.ones((2, 0))
    [found] = executor_of(lambda x: np.prod(x, axis=1), x, compiled=False)([x])
    assert_close(found, np.ones(2))


@BOTH
def test_a_number_and_an_array_change_their_type_as_in_numpy(compiled):
    double, single = np.dtype(np.float64), np.dtype(np.float32)

    def changed(x, y):
        narrow = astype(y, dtype=single)
        return astype(x, dtype=double) / 3.0, narrow / 3.0, astype(narrow, dtype=double) / 3.0

    args = [0.1, np.array([0.1, 0.2])]
    run = executor_of(changed, *args, compiled=compiled)
    for found, expected in zip(run(args), changed(*args), strict=True):
        assert_close(found, expected, 0.0)


@BOTH
@pytest.mark.parametrize("f", [logsumexp, log_softmax, softmax], ids=lambda f: f.__name__)
def test_a_reduction_keeps_infinite_numbers_apart_as_numpy_does(f, compiled):
    x = np.array([[math.inf, 1.0], [-math.inf, -math.inf], [1000.0, 999.0], [math.nan, 1.0],
                  [math.inf, 709.5], [math.inf, 710.0]])  # fmt: skip  # exp(709.5) is finite

    def by_rows(x):
        return f(x, axis=1)

    with quiet():
        [found] = executor_of(by_rows, x, compiled=compiled)([x])
        assert_close(found, by_rows(x))
