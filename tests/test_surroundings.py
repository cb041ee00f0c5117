"""What a compiled function reads beside its arguments: recorded anew if it changed, or refused."""

import configparser
import copy
import csv
import ctypes
import decimal
import functools
import gc
import hashlib
import inspect
import io
import json
import logging
import math
import operator
import os
import queue
import re
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import types
import uuid
import warnings
import weakref
from array import array
from collections import ChainMap, UserDict, UserList, deque
from contextvars import ContextVar
from cProfile import Profile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from mmap import mmap
from multiprocessing.sharedctypes import RawArray
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from oracle import assert_close

import nn
from autograd_core import TraceError, Value, batch, grad, value_and_grad
from autograd_core.program import surroundings
from autograd_core.program.compile import OFTEN, compile
from autograd_core.program.surroundings import LARGE
from autograd_core.program.tracing import callback, fresh

X = np.array([0.3, -0.7, 1.1])


def in_a_module(source: str, **names: Any) -> Any:
    """Return a module of the user's with this source."""
    module = types.ModuleType("users")
    vars(module).update(names)
    exec(source, vars(module))
    return module


class Model:
    """What users write."""

    rate = 0.5
    _hidden = 1.0
    __slots__ = ("__dict__", "slot")

    def __init__(self):
        self.k, self.parts, self.slot, self.act = (
            2.0,
            SimpleNamespace(deep={"k": [1.0]}),
            1.0,
            np.tanh,
        )

    @property
    def hidden(self):
        return self._hidden

    def scaled(self, x):
        return self.k * x


@dataclass
class Settings:
    """Options, as users keep them."""

    count: int = 1
    up: bool = True


CELL = ContextVar("CELL", default=1.0)
DEEP_K, GET_K = operator.attrgetter("parts.deep"), operator.itemgetter("k")
CALL_SCALED = operator.methodcaller("scaled", 2.0)


def of_a_cell():
    k = 1.0

    def change(i):
        nonlocal k
        k = i

    return lambda x: x * k, change


def of_a_global():
    module = in_a_module("def h(x): return x * k\ndef f(x): return h(x) + k", k=1.0)
    return module.f, lambda i: setattr(module, "k", i)


def of_a_module():
    module = in_a_module("", k=1.0)
    return lambda x: x * module.k, lambda i: setattr(module, "k", i)


def of_a_helper():
    module = in_a_module("def f(x): return h(x)", h=np.tanh)
    return module.f, lambda i: setattr(module, "h", lambda x: x * i)


def of_a_class():
    kind = type("Kind", (), {"k": 1.0})
    return lambda x: x * kind.k, lambda i: setattr(kind, "k", i)


def of_an_object(read, change):
    """Return what makes a function of an object, and what changes the object."""

    def made():
        model = Model()
        return lambda x: read(model, x), lambda i: change(model, i)

    return made


def of_a_container(made, read, change):
    """Return what makes a function of a list, an array or the like."""

    def function():
        held = made()
        return lambda x: read(held, x), lambda i: change(held, i)

    return function


def of_defaults():
    def f(x, ks=[1.0]):  # noqa: B006 - this is what users write
        return x * ks[0]

    return f, lambda i: f.__defaults__[0].__setitem__(0, i)


def of_a_partial():
    ks = [1.0]
    return functools.partial(lambda ks, x: x * ks[0], ks), lambda i: ks.__setitem__(0, i)


def of_a_method():
    model = Model()
    return model.scaled, lambda i: setattr(model, "k", i)


def of_a_count():
    settings = Settings()

    def f(x):
        for _ in range(settings.count):
            x = x * 2.0 if settings.up else x - 1.0
        return x

    def change(i):
        settings.count, settings.up = int(i), i < 3

    return f, change


def of_a_derivative():
    ks = [1.0]
    return grad(lambda x: ks[0] * x**3), lambda i: ks.__setitem__(0, i)


NAMES = ["rate1"]


def of_an_import(line, name="settings_of_tests"):
    """Return what makes a function that imports a module in its body."""

    def made():
        sys.modules[name] = module = in_a_module("", k=1.0, k_1=1.0)
        users = in_a_module(f"import sys\ndef f(x):\n    {line}\n    return x * k")
        return users.f, lambda i: vars(module).update(k=i, k_1=i)

    return made


def of_globals(expression):
    """Return what makes a function that reads a global by its text."""

    def made():
        module = in_a_module(f"def f(x): return x * {expression}", k=1.0)
        return module.f, lambda i: setattr(module, "k", i)

    return made


def of_a_proxy():
    held = {"k": 1.0}
    proxy, values = types.MappingProxyType(held), held.values()
    return lambda x: x * proxy["k"] * sum(values), lambda i: held.update(k=i)


class Referred(Model):
    """What weak references can refer to."""


def of_a_weak_reference():
    model = Referred()
    held, models = weakref.ref(model), weakref.WeakValueDictionary(model=model)

    def change(i):
        model.k, model.slot = i, 2.0 * i

    return lambda x: x * held().k * models["model"].slot, change


def of_a_configuration():
    parser = configparser.ConfigParser()
    parser.read_string("[optimizer]\nk = 1.0")
    section = parser["optimizer"]
    return lambda x: x * float(section["k"]), lambda i: parser.set("optimizer", "k", str(i))


def of_a_name(read):
    """Return what makes a function that reads an attribute, given the object and a number."""

    def made():
        held, number = SimpleNamespace(rate1=1.0), 1
        return lambda x: x * read(held, number), lambda i: setattr(held, "rate1", i)

    return made


def of_a_metaclass():
    kind = type("Kind", (type,), {"k": 1.0})
    made = kind("Made", (), {})
    return lambda x: x * made.k, lambda i: setattr(kind, "k", i)


def of_a_vectorized_function():
    ks = [1.0]
    times = np.vectorize(lambda k, x: k[0] * x, excluded=[0])
    return lambda x: x * float(times(ks, 2.0)), lambda i: put(ks, i)


def put(held, i):
    held[0] = i


def put_at(held, place, i):
    held[place] = i


# What is read: a function of x, and what changes it
READ = {
    "a variable of an outer function": of_a_cell,
    "a global, in a function that is called": of_a_global,
    "a name in a module": of_a_module,
    "a function that is called": of_a_helper,
    "an attribute of a class": of_a_class,
    "an attribute": of_an_object(lambda m, x: m.k * x, lambda m, i: setattr(m, "k", i)),
    "an attribute of the class, by an object": of_an_object(
        lambda m, x: m.rate * x, lambda m, i: setattr(m, "rate", i)
    ),
    "a property": of_an_object(lambda m, x: m.hidden * x, lambda m, i: setattr(m, "_hidden", i)),
    "a slot": of_an_object(lambda m, x: m.slot * x, lambda m, i: setattr(m, "slot", i)),
    "deep inside": of_an_object(
        lambda m, x: m.parts.deep["k"][0] * x, lambda m, i: put(m.parts.deep["k"], i)
    ),
    "an attribute by its text": of_an_object(
        lambda m, x: getattr(m, "k") * x,  # noqa: B009 - this is what users write
        lambda m, i: setattr(m, "k", i),
    ),
    "a function as an attribute": of_an_object(
        lambda m, x: m.act(x), lambda m, i: setattr(m, "act", [np.sin, np.cos, np.exp][int(i) % 3])
    ),
    "a method": of_a_method,
    "a default": of_defaults,
    "a partial function": of_a_partial,
    "a count and a flag": of_a_count,
    "inside a derivative": of_a_derivative,
    "an element of a list": of_a_container(lambda: [1.0], lambda a, x: a[0] * x, put),
    "the length of a list": of_a_container(list, lambda a, x: x * len(a), lambda a, i: a.append(i)),
    "a Value in a list": of_a_container(
        lambda: [Value(1.0)], lambda a, x: x * a[0], lambda a, i: put(a, Value(i))
    ),
    "a dict": of_a_container(
        lambda: {"a": {"b": 1.0}}, lambda d, x: x * d["a"]["b"], lambda d, i: d["a"].update(b=i)
    ),
    "the keys of a dict": of_a_container(
        lambda: {1.0: 0.0}, lambda d, x: x * max(d), lambda d, i: d.__setitem__(i, d.pop(max(d)))
    ),
    "a set": of_a_container(lambda: {1.0}, lambda s, x: x * len(s), lambda s, i: s.add(i)),
    "a deque": of_a_container(
        lambda: deque([1.0], 2), lambda d, x: x * sum(d), lambda d, i: d.append(i)
    ),
    "an array": of_a_container(lambda: np.ones(3), lambda a, x: (x * a).sum(), put),
    "an array, by what is computed of it": of_a_container(
        lambda: np.ones(3), lambda a, x: x * (2.0 * a).sum(), put
    ),
    "a number of a large array": of_a_container(
        lambda: np.ones(30 * LARGE), lambda a, x: (x * a).sum(), lambda a, i: put(a[4321:], i)
    ),
    "a number in a part of a large array": of_a_container(
        lambda: np.ones(30 * LARGE), lambda a, x: (x * a[: 2 * LARGE]).sum(), put
    ),
    "a large array of bools": of_a_container(
        lambda: np.zeros(2 * LARGE, bool),
        lambda a, x: (x * a).sum(),
        lambda a, i: put(a[7:], i > 1),
    ),
    "a mask of a large array": of_a_container(
        lambda: np.ones(2 * LARGE), lambda a, x: np.where(a > 1, x, 0.0).sum(), put
    ),
    "all attributes": of_an_object(
        lambda m, x: x * sum([v for v in vars(m).values() if isinstance(v, float)]),
        lambda m, i: setattr(m, "k", i),
    ),
    "a large array, by what is computed of it": of_a_container(
        lambda: np.ones(30 * LARGE), lambda a, x: x * (2.0 * a).sum(), lambda a, i: a.fill(i)
    ),
    "an array of Python": of_a_container(lambda: array("d", [1.0]), lambda a, x: x * a[0], put),
    "a context variable": lambda: (lambda x: x * CELL.get(), CELL.set),
    "an attribute, by operator.attrgetter": of_an_object(
        lambda m, x: DEEP_K(m)["k"][0] * x, lambda m, i: m.parts.deep.update(k=[i])
    ),
    "an attribute, by operator.methodcaller": of_an_object(
        lambda m, x: CALL_SCALED(m) * x, lambda m, i: setattr(m, "k", i)
    ),
    "an element, by operator.itemgetter": of_a_container(
        lambda: {"k": 1.0}, lambda d, x: x * GET_K(d), lambda d, i: d.update(k=i)
    ),
    "an attribute by a text that is put together": of_an_object(
        lambda m, x: getattr(m, f"layer_{1}", 1.0) * x, lambda m, i: setattr(m, "layer_1", i)
    ),
    "a number in a long list": of_a_container(
        lambda: [1.0] * (2 * LARGE), lambda a, x: x * a[77], lambda a, i: put_at(a, 77, i)
    ),
    "the environment": lambda: (
        lambda x: x * float(os.environ.get("SCALE_OF_TESTS", "1")),
        lambda i: os.environ.__setitem__("SCALE_OF_TESTS", str(i)),
    ),
    "arguments of the command line": lambda: (
        lambda x: x * float(sys.argv[-1]),
        lambda i: sys.argv.append(str(i)),
    ),
    "the precision of decimals": lambda: (
        lambda x: x * float(Decimal(1) / 7),
        lambda i: setattr(decimal.getcontext(), "prec", int(i) + 2),
    ),
    "another context of decimals": lambda: (
        lambda x: x * float(Decimal(1) / 7),
        lambda i: decimal.setcontext(decimal.Context(prec=int(i) + 2)),
    ),
    "what NumPy does about errors": lambda: (
        lambda x: x * len(np.geterr()["under"]),
        lambda i: np.seterr(under=("ignore", "warn", "raise")[int(i) % 3]),
    ),
    "how NumPy prints": lambda: (
        lambda x: x * np.get_printoptions()["precision"],
        lambda i: np.set_printoptions(precision=int(i)),
    ),
    "what map reads": of_a_container(
        lambda: [1.0],
        lambda a, x: x * sum(list(map(lambda k: k * a[0], (1.0, 2.0)))),  # noqa: C417
        put,
    ),
    "a module that is imported inside": of_an_import("import settings_of_tests as s; k = s.k"),
    "a name that is imported inside": of_an_import("from settings_of_tests import k"),
    "a module by its name": of_an_import("k = sys.modules['settings_of_tests'].k"),
    "a name in a module, by vars": of_an_import("import settings_of_tests as s; k = vars(s)['k']"),
    "a name in a module by a text that is put together": of_an_import(
        "import settings_of_tests as s; k = getattr(s, f'k_{1}')"
    ),
    "a global by globals": of_globals("globals()['k']"),
    "a global by a text that is put together": of_globals("globals()[f\"{'k'}\"]"),
    "a global by eval": of_globals("eval('k')"),
    "a dict of collections": of_a_container(
        lambda: UserDict(k=1.0), lambda d, x: x * d["k"], lambda d, i: d.update(k=i)
    ),
    "a list of collections": of_a_container(lambda: UserList([1.0]), lambda a, x: x * a[0], put),
    "a chain of dicts": of_a_container(
        lambda: ChainMap({}, {"k": 1.0}),
        lambda d, x: x * d["k"],
        lambda d, i: d.maps[1].update(k=i),
    ),
    "a view of a dict": of_a_proxy,
    "what weak references refer to": of_a_weak_reference,
    "a configuration": of_a_configuration,
    "a queue, without taking from it": of_a_container(
        queue.Queue, lambda q, x: x * q.qsize(), lambda q, i: q.put(i)
    ),
    "a number of ctypes": of_a_container(
        lambda: ctypes.c_double(1.0), lambda c, x: x * c.value, lambda c, i: setattr(c, "value", i)
    ),
    "memory of several processes": of_a_container(
        lambda: RawArray("d", [1.0]), lambda a, x: x * a[0], put
    ),
    "memory that is mapped": of_a_container(
        lambda: mmap(-1, 8), lambda m, x: x * m[0], lambda m, i: put(m, int(i))
    ),
    "a view of memory": of_a_container(
        lambda: memoryview(bytearray(2)), lambda m, x: x * m[0], lambda m, i: put(m, int(i))
    ),
    "what a vectorized function reads": of_a_vectorized_function,
    "a name that is added up": of_a_name(lambda held, i: getattr(held, "rate" + str(i))),
    "a name that is joined": of_a_name(lambda held, i: getattr(held, "".join(("rate", str(i))))),
    "a name by str.format": of_a_name(lambda held, i: getattr(held, "rate{}".format(i))),  # noqa: UP032
    "a name from a list": of_a_name(lambda held, _: getattr(held, NAMES[0])),
    "all names": of_a_name(lambda held, _: sum([getattr(held, name) for name in dir(held)[-1:]])),
    "a name for operator.attrgetter": of_a_name(
        lambda held, _: operator.attrgetter("held.rate1")(SimpleNamespace(held=held))
    ),
    "an attribute of a metaclass": of_a_metaclass,
    "a key of a dict": of_a_container(
        lambda: {Referred(): 1.0},
        lambda held, x: x * next(iter(held)).k,
        lambda held, i: setattr(next(iter(held)), "k", i),
    ),
    "an element of a set": of_a_container(
        lambda: frozenset([Referred()]),
        lambda held, x: x * next(iter(held)).k,
        lambda held, i: setattr(next(iter(held)), "k", i),
    ),
    "the sign of zero": of_a_container(
        lambda: [0.0],
        lambda a, x: np.arctan2(x * a[0], -1.0),
        lambda a, i: put(a, -0.0 if i > 1 else 0.0),
    ),
}


class TestWhatIsRead:
    @pytest.fixture(autouse=True)
    def settings_are_restored(self, monkeypatch):
        monkeypatch.setattr(sys, "argv", ["1.0"])
        with decimal.localcontext(), np.errstate(), np.printoptions():
            yield

    @pytest.mark.parametrize("name", READ)
    def test_is_recorded_anew_when_it_changed(self, name, monkeypatch):
        f, change = READ[name]()
        compiled = compile(f)
        for i in (1.0, 1.0, 2.0, 5.0, 5.0):
            change(i)
            assert_close(compiled(2.0), f(Value(2.0)), 1e-12)
            traces = compiled.traces
            with monkeypatch.context() as patched:
                patched.setattr(surroundings, "Places", None)  # the quick test is enough
                assert_close(compiled(3.0), f(Value(3.0)), 1e-12)
            assert compiled.traces == traces

    def test_by_an_argument_too(self):
        model, compiled = Model(), compile(lambda model, x: model.k * x)
        for k in (2.0, 5.0):
            model.k = k
            assert compiled(model, 3.0) == 3 * k

    def test_finds_earlier_recordings_again(self):
        settings = SimpleNamespace(up=True)
        compiled = compile(lambda x: x + 1.0 if settings.up else x - 1.0)
        for up in (True, False, True, False, True):
            settings.up = up
            assert compiled(1.0) == (2.0 if up else 0.0)
        assert compiled.traces == 2

    def test_may_be_set_to_what_it_is(self):
        model = Model()
        compiled = compile(lambda x: model.k * x)
        for _ in range(3):
            model.k = float("2.0")
            assert compiled(1.0) == 2.0
        assert compiled.traces == 1

    @pytest.mark.parametrize("kind", [list, dict])
    def test_another_value_of_the_same_number_is_another_value(self, kind):
        held: Any = {"a": Value(2.0)} if kind is dict else [Value(2.0)]
        where = "a" if kind is dict else 0
        compiled = compile(lambda x: held[where] * x)
        assert compiled(1.0).data == compiled(1.0).data == 2.0
        held[where] = Value(2.0)
        assert compiled(1.0).data == 2.0
        held[where].data = 5.0
        assert compiled(1.0).data == 5.0

    def test_numbers_in_a_list_that_are_equal_and_new_are_the_same(self):
        ks = [2.0, True]
        compiled = compile(lambda x: ks[0] * x if ks[1] is True else x)
        for flag, right in ((True, 2.0), (True, 2.0), (1, 1.0), (1, 1.0), (True, 2.0)):
            ks[:] = float("2.0"), flag
            assert compiled(1.0) == right
        assert compiled.traces == 2

    def test_does_not_count_where_the_function_does_not_mention_it(self):
        model = Model()
        compiled = compile(model.scaled)
        for i in range(3):
            model.losses = [*getattr(model, "losses", ()), compiled(1.0)]
            model.epoch = i
        assert compiled.traces == 1

    def test_that_changes_in_every_call_is_warned_of(self):
        ks = [0.0]
        compiled = compile(lambda x: x * ks[0])
        for i in range(1, OFTEN):
            ks[0] = float(i)
            compiled(1.0)
        ks[0] = 100.0
        with pytest.warns(UserWarning, match=r"every change of a number, list or attribute"):
            compiled(1.0)

    def test_a_value_of_another_type(self):
        w = Value(X.astype("f"))
        compiled = compile(lambda x: w * x)
        for data in (X, X.astype("f"), 2 * X):
            w.data = data
            result = compiled(2.0)
            assert result.dtype == data.dtype
            assert_close(result.data, 2 * data)

    def test_settings_of_layers(self):
        nn.set_seed(0)
        layer = nn.Dense(2, "tanh")
        model = nn.Sequential([layer], input_shape=(3,))
        compiled = compile(model)
        for activation in ("tanh", "relu", "sigmoid"):
            layer.activation = nn.activations.get(activation)
            assert_close(compiled(X[None]).data, model(X[None]).data, 1e-12)

    @pytest.mark.parametrize("written_in", ["Python", "C"])
    def test_is_the_same_under_a_profiler(self, written_in):
        model, seen, profile = Model(), [], Profile()
        model.losses = []
        compiled = compile(model.scaled)
        drawing = compile(lambda x: x * np.random.default_rng().normal())
        before = sys.gettrace()
        if written_in == "Python":
            sys.setprofile(lambda frame, *_: seen.append(frame.f_code))
        else:
            sys.settrace(None)  # what measures coverage
            profile.enable()
        try:
            results = []
            for model.k in (2.0, 3.0):
                results += [compiled(1.0), compiled(2.0)]
                model.losses.append(model.k)
            drawing(1.0)
            with pytest.raises(TraceError):
                drawing(1.0)
        finally:
            sys.setprofile(None)
            profile.disable()
            sys.settrace(before)
        assert results == [2.0, 4.0, 3.0, 6.0]
        assert compiled.traces == 2
        assert (Model.scaled.__code__ in seen) == (written_in == "Python")

    def test_of_a_training_under_a_profiler(self):
        nn.set_seed(0)
        model = nn.Sequential([nn.Dense(2, "tanh"), nn.Dense(1)], input_shape=(3,))
        model.compile("adam", "mse", jit=True)
        compile(lambda x: x * 2.0)(1.0)  # imports Numba, which takes long under a profiler
        before = sys.gettrace()
        sys.settrace(None)  # what measures coverage
        try:
            with Profile():
                model.fit(np.eye(3), np.ones(3), epochs=5, verbose=0)
        finally:
            sys.settrace(before)
        assert model._compiled.recordings == 1

    def test_between_forward_and_backward_is_refused(self):
        ks, x = [2.0], Value(3.0)
        compiled = compile(lambda x: ks[0] * x)
        y = compiled(x)
        ks[0] = 5.0
        with pytest.raises(TraceError, match="a backward sweep through a compiled function after"):
            y.backward()
        ks[0] = 2.0
        y.backward()
        assert x.grad == 2.0


class Reluctant:
    """An object that answers nothing."""

    __hash__ = None

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError

    @property
    def __dict__(self):
        raise RuntimeError


def ring():
    elements = []
    elements.append(elements)
    return elements


STRANGE = {
    "an object that answers nothing": Reluctant(),
    "a mock": MagicMock(),
    "a list that holds itself": ring(),
    "a proxy": weakref.proxy(Model),
    "keys without a text": {Reluctant: 1.0},
    "an array of objects": np.array([Model, None], dtype=object),
    "an array of records": np.zeros(2, [("a", float)]),
    "a masked array": np.ma.array([1.0, 2.0], mask=[0, 1]),
    "a lock": threading.Lock(),
    "a module": np,
    "a compiled function": compile(np.tanh),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_objects_that_are_captured_do_not_disturb(name):
    thing = STRANGE[name]

    def f(x):
        assert thing is not None
        return x * 2.0

    compiled = compile(f)
    assert [compiled(x) for x in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
    assert compiled.traces == 1


class Momentum:
    """A moving average, kept as users keep it."""

    def __init__(self):
        self.v, self.calls, self.log = 0.0, 0, []


def average(m, x):
    m.v = 0.9 * m.v + x
    return m.v


def count(m, x):
    m.calls += 1
    return x * m.calls


def log(m, x):
    m.log.append(m.calls)
    return x


def attribute_of_a_function(_, x):
    log.calls = getattr(log, "calls", 0) + 1
    return x


def reads_its_log(m, x):
    scale = m.log[-1] if m.log else 1.0
    callback(m.log.append, x)
    return x * scale


MOMENTS, NUMBERS = np.zeros(3), iter(range(100))


def moments(_, x):
    MOMENTS[:] = 0.9 * MOMENTS + 1.0
    return x * MOMENTS


def next_number(_, x):
    return x * next(NUMBERS)


def made_by_a_generator():
    def numbers():
        yield from (1.0, 2.0, 3.0)

    made = numbers()
    return lambda _, x: x * next(made)


def counts_in_a_module(_, x):
    import counter_of_tests  # noqa: PLC0415 - this is what users write

    counter_of_tests.k += 1.0
    return x * counter_of_tests.k


sys.modules["counter_of_tests"] = in_a_module("", k=0.0)
CHANGED = {
    "a module that is imported inside": counts_in_a_module,
    "a Value in an attribute": average,
    "a counter": count,
    "a list": log,
    "an attribute of a function": attribute_of_a_function,
    "a log that is read": reads_its_log,
    "an array": moments,
    "an iterator": next_number,
    "a generator": made_by_a_generator(),
}


def of_a_file(tmp_path):
    path = tmp_path / "scale.txt"
    path.write_text("2.0")
    return lambda: float(path.read_text())


ONE = [sys.executable, "-c", "print(1)"]


class Moment(datetime):
    """A class of a user."""


# What each call reads anew: a function of a folder, which returns what reads it
READ_ANEW = {
    "the time": lambda _: time.time,
    "a clock": lambda _: time.perf_counter_ns,
    "a clock of the process": lambda _: lambda: time.monotonic_ns() + time.process_time_ns(),
    "the parts of the time": lambda _: lambda: time.localtime().tm_year + time.gmtime().tm_mday,
    "the time as a text": lambda _: lambda: float(time.strftime("%Y")),
    "the day": lambda _: lambda: datetime.now().year,
    "today": lambda _: lambda: date.today().year,
    "the time elsewhere": lambda _: lambda: datetime.now(UTC).year,
    "the time in a class of a user": lambda _: lambda: Moment.now().year,
    "the time of NumPy": lambda _: lambda: np.datetime64("now").astype(float),
    "the day of NumPy": lambda _: lambda: np.array("today", dtype="datetime64[D]").astype(float),
    "a file": of_a_file,
    "numbers in a file": lambda path: lambda: np.fromfile(written(path)).sum(),
    "an array in a file": lambda path: lambda: np.memmap(written(path), float, "r").sum(),
    "a file by its number": lambda path: functools.partial(read_by_number, path),
    "a folder": lambda path: lambda: len(os.listdir(path)),
    "a folder by its path": lambda path: lambda: len(list(path.glob("*"))),
    "whether a file exists": lambda path: lambda: float(os.path.exists(path)),
    "whether a path exists": lambda path: lambda: float((path / "file").exists()),
    "the size of a file": lambda path: lambda: os.path.getsize(path),
    "the folder of the process": lambda _: lambda: len(os.getcwd()),
    "the name of the computer": lambda _: lambda: len(socket.gethostname()),
    "another process": lambda _: (
        lambda: float(subprocess.check_output([sys.executable, "-c", "print(1)"]))
    ),
    "what identifies nothing else": lambda _: lambda: float(uuid.uuid1().int % 2 + 1),
    "a database": lambda _: functools.partial(selected, sqlite3.connect(":memory:")),
    "how long a queue is": lambda _: queue.SimpleQueue().qsize,
}


def written(path):
    np.ones(2).tofile(path / "ones")
    return path / "ones"


def read_by_number(path):
    number = os.open(written(path), os.O_RDONLY)
    try:
        return len(os.read(number, 8))
    finally:
        os.close(number)


def selected(connection):
    return connection.execute("select 1.0").fetchone()[0]


class TestWhatEachCallReadsAnew:
    @pytest.mark.parametrize("name", READ_ANEW)
    def test_is_refused_at_the_second_call(self, name, tmp_path):
        read = READ_ANEW[name](tmp_path)

        def f(x):
            return x * read()

        compiled = compile(f)
        compiled(2.0)
        with pytest.raises(TraceError, match=r"(read|opened|called) inside a compiled") as caught:
            compiled(2.0)
        assert f"{__file__}:" in caught.value.given
        assert "fresh(" in caught.value.instead

    @pytest.mark.parametrize("name", READ_ANEW)
    def test_is_read_anew_by_fresh(self, name, tmp_path):
        read = READ_ANEW[name](tmp_path)
        compiled = compile(lambda x: 0.0 * x + fresh(read))
        for _ in range(3):
            before, found, after = read(), compiled(2.0), read()
            assert before <= found <= after or before == after
        assert compiled.traces == 1

    def test_in_a_batch_is_refused_too(self, tmp_path):
        for name in ("the time of NumPy", "a folder", "a database"):
            read = READ_ANEW[name](tmp_path)
            with pytest.raises(TraceError, match=r"(read|called) inside a batched"):
                batch(lambda x, read=read: x * read())(np.ones(3))

    def test_is_refused_beside_another_thread_too(self):
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait)
        thread.start()
        try:
            compiled = compile(lambda x: x + 0.0 * time.time())
            compiled(1.0)
            with pytest.raises(TraceError, match="the time read"):
                compiled(1.0)
        finally:
            stop.set()
            thread.join()

    def test_in_the_first_call_only_is_a_cache(self, tmp_path):
        read, held = of_a_file(tmp_path), []

        def f(x):
            if not held:
                held.append(read())
            return x * held[0]

        compiled = compile(f)
        assert [compiled(1.0), compiled(2.0), compiled(3.0)] == [2.0, 4.0, 6.0]


OPENED: list[Any] = []


def lines(path):
    (path / "lines").write_text("1.0\n2.0\n3.0\n4.0\n")
    OPENED.append((path / "lines").open())
    return OPENED[-1]


def rows():
    connection = sqlite3.connect(":memory:")
    return connection.execute("values (1.0), (2.0), (3.0), (4.0)")


def a_queue(kind):
    held = kind()
    for k in (1.0, 2.0, 3.0, 4.0):
        held.put(k)
    return held


def first_of(values):
    found = None
    for value in values:
        found = value
        break
    return found


# What is read on in each call: a function of a folder, which returns what is held and reads it
READ_ON = {
    "lines of a file": lambda path: (lines(path), lambda file: float(next(file))),
    "lines of a file, in a loop": lambda path: (lines(path), lambda file: float(first_of(file))),
    "lines of a file, by a method": lambda path: (lines(path), lambda f: float(f.readline())),
    "lines of a file, counted": lambda path: (enumerate(lines(path)), lambda e: float(next(e)[1])),
    "lines of a file, mapped": lambda path: (map(float, lines(path)), next),
    "rows of a table": lambda path: (csv.reader(lines(path)), lambda rows: float(next(rows)[0])),
    "rows of a database": lambda _: (rows(), lambda rows: next(rows)[0]),
    "rows of a database, in a loop": lambda _: (rows(), lambda rows: first_of(rows)[0]),
    "a text": lambda _: (io.StringIO("1.0\n2.0\n3.0\n"), lambda text: float(next(text))),
    "a queue": lambda _: (a_queue(queue.Queue), lambda held: held.get()),
    "a simple queue": lambda _: (a_queue(queue.SimpleQueue), lambda held: held.get()),
    "a zip": lambda _: (zip(iter([1.0, 2.0]), "ab", strict=True), lambda held: next(held)[0]),
}


@pytest.mark.parametrize("name", READ_ON)
def test_what_is_read_on_is_refused_at_the_second_call(name, tmp_path):
    held, read = READ_ON[name](tmp_path)
    compiled = compile(lambda x: x * read(held))
    assert compiled(2.0) == 2.0
    with pytest.raises(TraceError, match="inside a compiled function"):
        compiled(2.0)
    while OPENED:
        OPENED.pop().close()


def imports(x):
    import statistics  # noqa: PLC0415 - this is what users write

    return x * statistics.mean([1.0, 3.0])


def warns(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("of a user", stacklevel=1)
    return x * 2.0


def sleeps(x):
    time.sleep(0.0)
    return x * 2.0


def logs(x):
    logging.getLogger("of_tests").warning("of a user")
    return x * 2.0


@functools.lru_cache
def cached(k):
    return 2.0 * k


SECTIONS, LOG = re.compile(r"\d+"), io.StringIO()
ADDED = functools.partial(lambda held, v: held.append(v), [])
# What computes from nothing else, or only tells the user something
COMPUTES = {
    "mathematics": lambda x: x * math.sqrt(4.0) * math.prod([1.0]),
    "texts": lambda x: x * float(" 2.0 ".strip().replace(",", ".").encode().decode()),
    "expressions": lambda x: x * float(SECTIONS.findall("a2b3")[0]),
    "formats": lambda x: (
        x * json.loads(json.dumps([2.0]))[0] * struct.unpack("d", struct.pack("d", 1.0))[0]
    ),
    "digests": lambda x: x * (len(hashlib.sha256(b"").digest()) / 16),
    "paths": lambda x: x * len(os.path.splitext(os.path.join("a", "b.c"))[1]),
    "dates": lambda x: x * (datetime(2000, 1, 3) - datetime.strptime("2000", "%Y")).days,
    "copies": lambda x: x * copy.deepcopy({"k": [2.0]})["k"][0],
    "options": lambda x: x * 2.0 * replace(Settings(), count=1).count,
    "signatures": lambda x: x * (len(inspect.signature(put).parameters)),
    "containers": lambda x: x * deque(sorted({2.0, 1.0})).pop(),
    "a text that is written": lambda x: x * float(io.StringIO("2.0").read()),
    "a cache": lambda x: x * cached(1.0),
    "a generator with a seed": lambda x: x * 2.0 + 0.0 * np.random.default_rng(0).normal(),
    "an import": imports,
    "a warning": warns,
    "a line of a log": logs,
    "a pause": sleeps,
    "a log, in a callback": lambda x: (callback(lambda v: LOG.write(f"{v}"), x), x * 2.0)[1],
    "a part, in a callback": lambda x: (callback(ADDED, x), x * 2.0)[1],
}


@pytest.mark.parametrize("name", COMPUTES)
def test_what_computes_is_recorded_once(name):
    compiled = compile(COMPUTES[name])
    for x in (1.0, 2.0, 3.0, 4.0):
        assert compiled(x) == 2.0 * x
    assert compiled.traces == 1


def test_a_cache_that_is_cleared_is_filled_again():
    ks = [1.0]
    read = functools.cache(lambda: ks[0])
    compiled = compile(lambda x: x * read())
    for k in (1.0, 2.0, 5.0):
        ks[0] = k
        read.cache_clear()
        assert [compiled(2.0) for _ in range(3)] == [2.0 * k] * 3


def test_a_recording_does_not_go_through_all_objects(monkeypatch):
    monkeypatch.setattr(gc, "get_objects", None)
    rng = np.random.default_rng(0)
    compiled = compile(lambda x: x * fresh(rng.normal))
    assert compiled(1.0) != compiled(1.0)
    assert compiled.traces == 1


class TestWhatIsChangedInside:
    @pytest.mark.parametrize("name", CHANGED)
    def test_is_refused_at_the_second_call(self, name):
        held = Momentum()
        compiled = compile(lambda x: CHANGED[name](held, x))
        compiled(2.0)
        with pytest.raises(TraceError, match="changed inside a compiled function") as caught:
            compiled(2.0)
        assert f"{__file__}:" in caught.value.given
        assert "callback(function, v)" in caught.value.instead

    def test_in_the_first_call_only_is_a_cache(self):
        cache = {}

        def f(x):
            if "w" not in cache:
                cache["w"] = Value(2.0)
            return cache["w"] * x

        compiled = compile(f)
        for w in (2.0, 5.0, 7.0):
            assert compiled(3.0).data == 3 * cache["w"].data
            cache["w"].data = w
            assert compiled(3.0).data == 3 * w
        assert compiled.traces == 1

    def test_in_a_module_that_it_imports_first_is_refused_too(self, tmp_path, monkeypatch):
        (tmp_path / "imported_by_tests.py").write_text("k = 0.0")
        monkeypatch.syspath_prepend(tmp_path)
        f = in_a_module("def f(x):\n import imported_by_tests as m\n m.k += 1\n return x * m.k").f
        compiled = compile(f)
        assert compiled(2.0) == 2.0
        with pytest.raises(TraceError, match=r"imported_by_tests\.k changed inside"):
            compiled(2.0)
        del sys.modules["imported_by_tests"]

    def test_in_the_first_call_for_each_whole_number_is_a_cache_too(self):
        cache = {}

        def f(x, n):
            if n not in cache:
                cache[int(n)] = np.arange(float(n))
            return x * cache[n].sum()

        compiled = compile(f)
        for n in (3, 4, 3, 4, 3, 4):
            assert compiled(2.0, n) == 2.0 * sum(range(n))

    def test_by_callbacks_and_fresh_is_theirs(self):
        state = SimpleNamespace(history={"loss": []}, mean=0.0, buffer=np.zeros(1))

        def follow(v):
            state.mean = 0.5 * state.mean + v
            state.buffer[0] = v

        def f(x):
            y = x * x
            callback(state.history["loss"].append, y)
            callback(follow, y)
            return y + fresh(lambda: state.mean)

        compiled = compile(f)
        for x in (1.0, 2.0, 3.0):
            compiled(x)
        assert state.history == {"loss": [1.0, 4.0, 9.0]}
        assert state.mean == 0.5 * (0.5 * 1.0 + 4.0) + 9.0
        assert compiled.traces == 1

    def test_a_training_step_of_a_class(self):
        class Trainer:
            def __init__(self):
                self.w, self.rate, self.losses = Value(X), 0.1, []

            def step(self, x):
                loss, g = value_and_grad(lambda w: np.sum((w * x - 1.0) ** 2))(self.w)
                self.w.data = self.w - self.rate * g
                callback(self.losses.append, loss)

        compiled, eager = Trainer(), Trainer()
        step = compile(compiled.step)
        for i in range(6):
            compiled.rate = eager.rate = 0.1 if i < 3 else 0.05
            step(2.0 + i)
            eager.step(2.0 + i)
        assert_close(compiled.w.data, eager.w.data, 1e-12)
        assert_close(compiled.losses, eager.losses, 1e-12)
        assert step.traces == 2

    def test_what_the_garbage_collector_calls_is_not_read(self):
        gc.callbacks.append(count_collections)
        try:
            compiled = compile(lambda x: x * len([[] for _ in range(5000)]))
            for x in (1.0, 2.0, 3.0):
                gc.collect()
                assert compiled(x) == 5000.0 * x
                assert compiled.traces == 1
        finally:
            gc.callbacks.remove(count_collections)
        assert gc.isenabled()


collections = 0


def count_collections(phase, info):
    global collections  # noqa: PLW0603 - as libraries count
    collections += 1
