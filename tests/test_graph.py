"""The graph: recording it or not, from many threads; primitives of one's own; watchers; memory."""

import asyncio
import gc
import math
import re
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

import numpy as np
import pytest

from autograd_core import (
    Primitive,
    RuleError,
    Value,
    check_gradients,
    detect_anomaly,
    grad,
    hessian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from autograd_core.graph import topological_order
from autograd_core.watching import Watcher, watch


def records():
    """Return whether operations are recorded here and now."""
    return (Value(1.0) * 2.0).inputs != ()


class TestOrder:
    def test_inputs_come_before_outputs_and_every_node_once(self):
        a, b = Value(2.0), Value(3.0)
        c = a * b
        d = np.stack([c, a, c * 1.0])
        e = (d + c).sum()
        order = topological_order(e)
        places = {node: place for place, node in enumerate(order)}
        assert len(order) == len(places)
        assert places.keys() >= {a, b, c, d, e}
        for node in order:
            assert all(places[x] < places[node] for x in node.inputs if isinstance(x, Value))

    def test_a_shared_node_is_swept_once(self):
        calls = Counter()

        def rule(g, *_):
            calls["rule"] += 1
            return g * 2.0

        double = Primitive("double", lambda x: 2.0 * x, rule)
        x = out = Value(1.0)
        for _ in range(60):
            out = double(out) - out
        out.backward()
        assert (x.grad, calls["rule"]) == (1.0, 60)


class TestNoGrad:
    def test_results_inside_are_values_computed_from_nothing(self):
        a = Value(2.0)
        with no_grad():
            b = np.tanh(a * 3) + np.array([1.0, 2.0])
        assert isinstance(b, Value)
        assert (b.inputs, b.primitive) == ((), None)
        (b * a).sum().backward()
        np.testing.assert_allclose(a.grad, b.data.sum())
        assert b.has_grad

    def test_recording_goes_on_afterwards(self):
        with no_grad():
            assert not records()
        assert records()

    def test_blocks_nest(self):
        with no_grad():
            with no_grad():
                assert not records()
            assert not records()
        assert records()

    def test_an_error_closes_the_block(self):
        with pytest.raises(KeyError), no_grad():
            raise KeyError
        assert records()

    def test_it_decorates_functions(self):
        @no_grad()
        def f(value, depth=0):
            return f(value, depth - 1) if depth else (value, records())

        assert f("value", depth=3) == ("value", False)
        assert records()

    def test_a_generator_records_as_its_consumer_does(self):
        def forever():
            while True:
                yield records()

        generator = forever()
        with no_grad():
            first = next(generator)
        second = next(generator)
        assert [first, second] == [False, True]

    def test_a_block_inside_a_generator_ends_with_it(self):
        def suspended():
            with no_grad():
                yield records()

        generator = suspended()
        assert next(generator) is False
        generator.close()
        assert records()

    def test_blocks_may_end_in_any_order(self):
        def suspended():
            with no_grad():
                yield

        def interleaved():
            generator = suspended()
            next(generator)
            with no_grad():
                generator.close()
                inside = records()
            with detect_anomaly():
                return inside, records()

        assert copy_context().run(interleaved) == (False, True)

    def test_other_threads_are_not_affected(self):
        with no_grad(), ThreadPoolExecutor(1) as pool:
            assert pool.submit(records).result()
            assert not pool.submit(no_grad()(records)).result()
            assert pool.submit(records).result()
            assert not records()

    def test_other_tasks_are_not_affected(self):
        async def off(inside, done):
            with no_grad():
                inside.set()
                await done.wait()
                return records()

        async def on(inside, done):
            await inside.wait()
            done.set()
            return records()

        async def both():
            events = asyncio.Event(), asyncio.Event()
            return await asyncio.gather(off(*events), on(*events))

        assert asyncio.run(both()) == [False, True]


@contextmanager
def switching_often():
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def in_threads(work, number=8):
    """Return what `work` gives for 0, 1, 2, ..., each in a thread of its own, all at once."""
    together = threading.Barrier(number, timeout=10)

    def started_together(i):
        together.wait()
        return work(i)

    with switching_often(), ThreadPoolExecutor(number) as pool:
        return list(pool.map(started_together, range(number)))


class TestThreads:
    def test_graphs_side_by_side_share_parameters(self):
        w, b = Value([[0.5, -0.3], [0.2, 0.8]]), Value([0.1, -0.1])

        def loss(parameters, x):
            w, b = parameters
            return (np.tanh(w @ x + b) ** 2).sum()

        def work(i):
            results = []
            for step in range(50):
                x = Value([i + 1.0, step / 50])
                out = loss((w.data, b.data), x)
                out.backward()
                value, gradients = value_and_grad(loss)((w, b), x.data)
                results.append((x.data, x.grad, out.data, value.data, gradients))
            return results

        for results in in_threads(work):
            for x, slope, out, value, gradients in results:
                h = np.tanh(w.data @ x + b.data)
                g = 2 * h * (1 - h * h)
                np.testing.assert_allclose([out, value], (h * h).sum())
                np.testing.assert_allclose(slope, g @ w.data)
                np.testing.assert_allclose(gradients[0].data, np.outer(g, x))
                np.testing.assert_allclose(gradients[1].data, g)

    def test_no_contribution_to_a_shared_parameter_is_lost(self):
        w = Value(0.0)
        shared = w * 3.0

        def work(i):
            for _ in range(2000):
                (shared + w * i).backward()

        in_threads(work)
        assert w.grad == 2000 * sum(3.0 + i for i in range(8))

    def test_some_threads_record_while_others_do_not(self):
        def work(i):
            results = set()
            for _ in range(200):
                with no_grad() if i % 2 else detect_anomaly():
                    results.add(records())
                results.add(("outside", records()))
            return results

        results = in_threads(work)
        assert results[::2] == [{True, ("outside", True)}] * 4
        assert results[1::2] == [{False, ("outside", True)}] * 4


CUBE = Primitive("cube", lambda x: x**3, lambda g, out, x: g * 3 * x**2)
HYPOTENUSE = Primitive(
    "hypotenuse",
    lambda x, y: np.sqrt(x * x + y * y),
    lambda g, out, x, y: g * x / out,
    lambda g, out, x, y: g * y / out,
)
PRODUCT = Primitive(
    "product",
    lambda *inputs: math.prod(inputs),
    each=lambda i, g, out, *inputs: g * math.prod(inputs[:i] + inputs[i + 1 :]),
)
POWER = Primitive("power", lambda x, *, n: x**n, lambda g, out, x, *, n: g * n * x ** (n - 1))
SWITCH = Primitive("switch", lambda on, x: on * x, None, lambda g, out, on, x: g * on)
INVERSE = Primitive(
    "inverse", lambda x: 1 / x, lambda g, out, x: -g / (x * x), scalar=lambda x: 1 / x
)


class TestPrimitivesOfOnesOwn:
    @pytest.mark.parametrize("x", [2.0, 2, [1, 2], np.array([[1.0, -2.0]]), np.float64(2.0)])
    def test_plain_data_give_plain_data(self, x):
        out = CUBE(x)
        assert type(out) is (np.ndarray if np.ndim(x) else float)
        np.testing.assert_array_equal(out, np.asarray(x) ** 3)

    def test_values_give_recorded_values(self):
        x = Value([1.0, 2.0])
        out = CUBE(x)
        out.sum().backward()
        assert (out.primitive, out.inputs) == (CUBE, (x,))
        np.testing.assert_array_equal(x.grad, [3.0, 12.0])
        assert repr(CUBE) == "<primitive cube>"

    def test_derivatives_of_any_order(self):
        f, derivatives = CUBE, []
        for _ in range(4):
            f = grad(f)
            derivatives.append(f(2.0))
        assert derivatives == [12.0, 12.0, 6.0, 0.0]
        np.testing.assert_array_equal(hessian(lambda x: CUBE(x).sum())(np.ones(2)), 6 * np.eye(2))
        assert jvp(CUBE, (2.0,), (10.0,)) == (8.0, 120.0)

    @pytest.mark.parametrize(
        ("f", "inputs"),
        [
            (CUBE, (np.array([0.5, -1.5]),)),
            (HYPOTENUSE, (3.0, 4.0)),
            (HYPOTENUSE, (np.array([[1.0], [2.0]]), np.array([0.5, 1.5, 2.5]))),
            (PRODUCT, (2.0, 3.0, 4.0)),
            (PRODUCT, (np.array([1.0, 2.0]), 3.0, np.array([[0.5], [1.5]]))),
            (lambda x: POWER(x, n=4), (1.5,)),
            (lambda x: SWITCH(2.0, x), (np.array([1.0, 2.0]),)),
            (INVERSE, (np.array([0.5, -1.5]),)),
        ],
    )
    def test_the_gradient_check_is_content(self, f, inputs):
        check_gradients(f, *inputs, order=3, rtol=1e-5)

    def test_any_number_of_inputs(self):
        inputs = [Value(float(i)) for i in range(1, 6)]
        out = PRODUCT(*inputs, 2.0)
        out.backward()
        assert out.inputs == (*inputs, 2.0)
        assert [x.grad for x in inputs] == [240.0, 120.0, 80.0, 60.0, 48.0]
        assert [PRODUCT(*inputs[:n]).data for n in (1, 2, 3)] == [1.0, 2.0, 6.0]

    def test_no_derivative_flows_where_none_stands_in_place_of_a_rule(self):
        on, x = Value(2.0), Value(3.0)
        (SWITCH(on, x) + SWITCH(x, on)).backward()
        assert (x.grad, on.grad) == (2.0, 3.0)
        assert grad(SWITCH, (0, 1))(2.0, 3.0) == (0.0, 2.0)
        SWITCH(alone := Value(2.0), 3.0).backward()
        assert not alone.has_grad

    def test_keywords_reach_forward_and_rules(self):
        x = Value(2.0)
        out = POWER(x, n=5)
        out.backward()
        assert (out.data, x.grad, out.params) == (32.0, 80.0, {"n": 5})

    def test_broadcasting_is_undone_without_a_word_in_the_rule(self):
        x, y = Value([[3.0], [0.0]]), Value([4.0, 1.0, 0.0])
        HYPOTENUSE(x, y + 1e-9).sum().backward()
        assert (x.grad.shape, y.grad.shape) == ((2, 1), (3,))

    def test_scalar_serves_floats_and_forward_decides_where_it_fails(self):
        calls = []

        def scalar(x):
            calls.append(x)
            return math.log(x)

        log = Primitive("log", np.log, lambda g, out, x: g / x, scalar=scalar)
        assert log(Value(1.0)).data == 0.0
        assert log(2.0) == math.log(2.0)
        np.testing.assert_array_equal(log([1.0, 1.0]), [0.0, 0.0])
        with np.errstate(all="ignore"):
            assert log(0.0) == -np.inf
            assert np.isnan(log(Value(-1.0)).data)
        assert calls == [1.0, 2.0, 0.0, -1.0]

    def test_division_by_zero_gives_inf_and_no_error(self):
        with np.errstate(all="ignore"):
            assert INVERSE(0.0) == INVERSE(Value(0.0)).data == np.inf
            assert grad(INVERSE)(0.0) == -np.inf
            slopes = grad(lambda x: INVERSE(x).sum())(np.array([0.0, 2.0]))
            np.testing.assert_array_equal(slopes, [-np.inf, -0.25])
            x = Value(0.0)
            INVERSE(x).backward()
            assert x.grad == -np.inf
            INVERSE(x).backward(create_graph=True)
            assert x.grad.data == -np.inf

    def test_division_by_zero_in_one_of_two_rules_spares_the_other(self):
        ratio = Primitive(
            "ratio", np.divide, lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y
        )
        with np.errstate(all="ignore"):
            assert grad(ratio, (0, 1))(0.0, 2.0) == (0.5, 0.0)
            assert grad(ratio, (0, 1))(1.0, 0.0) == (np.inf, -np.inf)

    def test_division_by_zero_in_a_recorded_sweep_keeps_the_graph(self):
        scaled = Primitive(
            "scaled", lambda x, y: x * x / y, lambda g, out, x, y: g / y * 2 * x, None
        )
        with np.errstate(all="ignore"):
            assert grad(grad(lambda x: scaled(x, 4.0)))(3.0) == 0.5
            assert grad(grad(lambda x: scaled(x, 0.0)))(3.0) == np.inf

    @pytest.mark.parametrize("options", [{}, {"axis": 0}])
    @pytest.mark.parametrize("i", [0, 1])
    def test_a_number_as_the_cotangent_of_an_array_is_refused(self, i, options):
        rules = [lambda g, out, x, y, **_: g] * 2
        total = Primitive("total", lambda x, y, **_: float(np.sum(x + y)), *rules)
        inputs = [1.0, 1.0]
        inputs[i] = Value([1.0, 2.0])
        with pytest.raises(RuleError) as caught:
            total(*inputs, **options).backward()
        assert caught.value.given == f"the rule of total for input {i}, shape (2,), returned 1"

    def test_overflow_in_a_rule_gives_inf_and_no_error(self):
        steep = Primitive("steep", lambda x: x, lambda g, out, x: g * 2.0**x)
        with np.errstate(over="ignore"):
            assert grad(steep)(5000.0) == np.inf
            assert grad(grad(steep))(5000.0) == np.inf


class Log(Watcher):
    """Writes down what it sees."""

    def __init__(self):
        self.seen = []

    def recorded(self, node):
        self.seen.append(node.primitive.name)

    def sweeping(self, order):
        self.seen.append(f"sweeping {len(order)}")

    def swept(self, order, cotangents):
        self.seen.append(f"swept {len(order)}, {len(cotangents)} cotangents")


class TestWatchers:
    def test_see_nodes_and_sweeps_in_order(self):
        x = Value(2.0)
        log = Log()
        with watch(log):
            out = np.tanh(x) * 3.0 + np.floor(x)
            out.backward()
        assert log.seen == [
            "tanh",
            "multiply",
            "floor",
            "add",
            "sweeping 5",
            "swept 5, 5 cotangents",
        ]

    def test_see_nothing_outside_their_block(self):
        log = Log()
        with watch(log):
            pass
        np.tanh(Value(1.0)).backward()
        assert log.seen == []

    def test_see_the_whole_node_and_all_cotangents(self):
        class Keeper(Watcher):
            def recorded(self, node):
                nodes.append((node, node.inputs))

            def swept(self, order, cotangents):
                kept.append((order, cotangents))

        nodes, kept = [], []
        x = Value(2.0)
        with watch(Keeper()):
            out = x * 3.0
            out.backward()
        assert [(node is out, inputs) for node, inputs in nodes] == [(True, (x, 3.0))]
        assert kept == [([x, out], {out: 1.0, x: 3.0})]

    def test_see_derivatives_of_functions(self):
        log = Log()
        with watch(log):
            grad(lambda x: x * x)(2.0)
        assert log.seen == ["multiply", "sweeping 2", "swept 2, 2 cotangents"]

    def test_several_see_the_same(self):
        outer, inner = Log(), Log()
        with watch(outer):
            with watch(inner):
                np.sin(Value(1.0))
            np.cos(Value(1.0))
        assert (outer.seen, inner.seen) == (["sin", "cos"], ["sin"])

    def test_see_their_own_thread_only(self):
        log = Log()
        with watch(log), ThreadPoolExecutor(1) as pool:
            pool.submit(np.sin, Value(1.0)).result()
            np.cos(Value(1.0))
        assert log.seen == ["cos"]


def live_values():
    return sum(issubclass(type(thing), Value) for thing in gc.get_objects())


@pytest.fixture
def without_collector():
    """Let only reference counts free objects."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def swept_graph():
    x, y = Value([[1.0, 2.0], [3.0, 4.0]]), Value(0.5)
    out = np.tanh(x @ x.T * y + np.stack([x[0], x[1] ** y])).sum() / np.max(x)
    out = out + np.concatenate([x, x]).mean() * np.where(x > 2, x, y).var()
    out.backward()
    return out.data, x.grad, y.grad


def no_grad_graph():
    with no_grad():
        return (Value(1.0) * 2.0).data


def failed_graph():
    with pytest.raises(ValueError, match="shape"):
        (Value([1.0, 2.0]) * 2.0).backward()


@pytest.mark.usefixtures("without_collector")
class TestMemory:
    @pytest.mark.parametrize(
        "work",
        [
            swept_graph,
            no_grad_graph,
            failed_graph,
            detect_anomaly()(swept_graph),
            lambda: grad(grad(lambda x: np.sin(x) * np.exp(x)))(1.0),
            lambda: hessian(lambda x: (np.tanh(x) ** 3).sum())(np.ones(3)),
            lambda: jvp(np.tanh, (np.ones(3),), (np.ones(3),)),
            lambda: vjp(np.tanh, np.ones(3))[1](np.ones(3)),
        ],
    )
    def test_a_graph_is_freed_without_the_collector(self, work):
        before = live_values()
        work()
        assert live_values() == before

    def test_the_graph_lives_as_long_as_its_output(self):
        before = live_values()
        x = Value(1.0)
        out = np.sin(x) * 2.0
        out.backward()
        assert live_values() == before + 3
        del out
        assert live_values() == before + 1

    def test_nodes_carry_no_dictionary(self):
        for node in (Value(1.0), Value(1.0) * 2.0):
            assert not hasattr(node, "__dict__")
            with pytest.raises(AttributeError):
                node.gradient = 1.0


def test_a_block_may_end_in_another_context():
    block = no_grad()
    copy_context().run(block.__enter__)
    block.__exit__(None, None, None)
    assert records()


def test_a_forward_s_own_type_error_is_not_explained_away():
    def join(x):
        return "a" + x

    with pytest.raises(TypeError, match="ufunc 'add'"):
        Primitive("join", join, lambda g, out, x: g)([1.0, 2.0])


@pytest.mark.parametrize("decorate", [no_grad, no_grad()], ids=["no_grad", "no_grad()"])
def test_no_grad_decorates_a_function_with_brackets_and_without(decorate):
    @decorate
    def triple(x):
        return x * 3

    x = Value(2.0)
    assert triple(x).data == 6.0
    assert triple(x).inputs == ()


def test_numpy_warns_at_the_line_of_the_user(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np\n"
        "from autograd_core import Value, compile\n"
        "x = Value([0.0, 1.0])\n"
        "for _ in range(2):\n"
        "    y = np.log(x)\n"
        "print(y.data, (1.0 / Value(0.0)).data)\n"
        "np.linalg.norm(x * 1e200)\n"
        "with np.errstate(all='ignore'):\n"
        "    np.log(x)\n"
        "y.sum().backward()\n"
        "compile(np.log)(x)\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert done.stdout == "[-inf   0.] inf\n"
    at = re.findall(r"program\.py:(\d+): RuntimeWarning: (.*) encountered in (\w+)", done.stderr)
    assert at == [
        ("5", "divide by zero", "log"),
        ("6", "divide by zero", "divide"),
        ("7", "overflow", "multiply"),
        ("11", "divide by zero", "log"),
    ]
    assert done.stderr.count("Warning: ") == len(at)
