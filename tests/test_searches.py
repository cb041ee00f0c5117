"""Lists find the Value that they are asked for; comparisons compare numbers."""

import functools
import operator
import unittest
from collections import Counter, UserList, deque

import numpy as np
import pytest

from autograd_core import Value, compile, grad

NUMBERS = lambda: (Value(1.0), Value(1.0))  # noqa: E731
ARRAYS = lambda: (Value([1.0, 2.0]), Value([1.0, 2.0]))  # noqa: E731
both = pytest.mark.parametrize("pair", [NUMBERS, ARRAYS], ids=["numbers", "arrays"])


@both
class TestASearchFindsTheValueItself:
    @pytest.mark.parametrize("kind", [list, deque, UserList])
    def test_remove(self, pair, kind):
        x, y = pair()
        values = kind([x, y])
        values.remove(y)
        assert len(values) == 1
        assert values[0] is x

    @pytest.mark.parametrize("kind", [list, tuple, deque, UserList])
    def test_index_and_count(self, pair, kind):
        x, y = pair()
        values = kind([x, y, x])
        assert values.index(y) == 1
        assert values.count(x) == 2

    def test_in(self, pair):
        x, y = pair()
        assert y not in [x]
        assert y not in (x,)
        assert y not in {"x": x}.values()
        assert y in [x, y]
        assert not operator.contains([x], y)
        assert operator.indexOf([x, y], y) == 1
        assert not [x].__contains__(y)

    def test_with_arguments_that_are_computed(self, pair):
        x, y = pair()
        values = [[x, y]]
        if True:
            found = values[0].index(
                {"a": [x, y]}["a"][1] if len(values) == len("a") else x, int(False)
            )
        assert found == 1
        assert sum(1 for v in values[0] if v in [y]) == 1
        # fmt: off
        (values
            [0]
            .remove(y))
        # fmt: on
        assert values[0][0] is x

    def test_by_a_method_that_has_a_name(self, pair):
        x, y = pair()
        values = [x, y]
        find, remove = values.index, values.remove
        found = find(y)
        remove(y)
        assert found == 1
        assert values[0] is x

    def test_a_value_that_is_missing_is_not_found(self, pair):
        x, y = pair()
        with pytest.raises(ValueError, match="not in list"):
            [x].index(y)
        with pytest.raises(ValueError, match="not in list"):
            [x].remove(y)

    def test_sets_and_dicts_go_by_identity(self, pair):
        x, y = pair()
        assert len({x, y, x}) == len(Counter([x, y, x])) == 2
        assert {x: "x", y: "y"}[y] == "y"


class TestAComparisonComparesNumbers:
    def test_by_operator_and_function(self):
        x, y = NUMBERS()
        assert x == y
        assert (x != y) is False
        assert operator.eq(x, y)
        assert x.__eq__(y)
        assert functools.reduce(operator.eq, [x, y])
        assert all(map(operator.eq, [x], [y]))
        assert [x] == [y]
        compare = unittest.TestCase().assertEqual
        compare(x, y)
        assert np.equal(x, y)

    def test_of_arrays(self):
        x, y = ARRAYS()
        assert (x == y).tolist() == operator.eq(x, y).tolist() == [True, True]

    def test_with_a_plain_number_also_in_a_list(self):
        x, _ = NUMBERS()
        assert x == 1.0
        assert 1.0 in [x]
        assert [2.0, x].index(1.0) == 1

    def test_in_a_function_named_as_a_search(self):
        def index(x, y):
            return x == y

        assert index(*NUMBERS())


def test_a_search_inside_functions_that_are_differentiated_and_compiled():
    def f(x, y):
        terms = [x, y]
        terms.remove(y)
        return terms[0] * x if y in [x, y] else y

    assert grad(f, (0, 1))(1.0, 1.0) == (2.0, 0.0)
    assert compile(grad(f, (0, 1)))(1.0, 1.0) == (2.0, 0.0)
