"""Scopes: ranges of node numbers that belong together."""

import gc

import numpy as np
import pytest

import nn
from autograd_core import Value, scope
from autograd_core.scopes import scopes


def names_since(node):
    return [s.name for s in scopes(node.index)]


def test_a_scope_holds_the_nodes_made_inside_it():
    a = Value(2.0)
    before = a + 1
    with scope("square"):
        inside = a * a
    after = inside + before
    [square] = scopes(a.index)
    assert square.start < inside.index < square.stop
    assert not square.start < before.index < square.stop
    assert not square.start < after.index < square.stop


def test_scopes_nest_outer_ones_first():
    a = Value(1.0)
    with scope("outer"):
        with scope("first"):
            a + 1
        with scope("second"):
            a + 2
    assert names_since(a) == ["outer", "first", "second"]


def test_a_failure_closes_the_scope():
    a = Value(1.0)
    with pytest.raises(ZeroDivisionError), scope("failing"):
        1 / 0  # noqa: B018
    assert names_since(a) == ["failing"]


def test_every_call_of_a_module_is_one_and_knows_its_owner():
    a = Value(1.0)
    model = nn.MLP(2, [2, 1])
    model([1.0, 2.0])
    model([3.0, 4.0])
    found = scopes(a.index)
    assert [s.name for s in found if s.owner == id(model)] == ["MLP"] * 2
    neurons = {s.owner for s in found if s.name == "Neuron"}
    assert neurons == {id(n) for layer in model.layers for n in layer.neurons}
    dense = nn.Dense(2)
    dense(np.ones((1, 3)))
    assert names_since(dense.bias)[-1] == "Dense" or "Dense" in names_since(a)


def test_old_scopes_are_forgotten():
    first = Value(1.0)
    with scope("old"):
        first + 1
    for _ in range(20_000):
        with scope("new"):
            pass
    assert "old" not in names_since(first)
    gc.collect()
