"""Interrupts at every line, tasks and forks: nothing stays half done, and nothing stays open."""

import asyncio
import contextvars
import gc
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from autograd_core import Value, compile, detect_anomaly, gradients, no_grad, scope, watching
from autograd_core import value as value_module
from autograd_core.drawing import dot

OURS = os.path.dirname(watching.__file__)


def traced(run, at=-1):
    """Run, interrupt before line number `at` of ours, and return how many lines there were.

    Lines of `__del__` are left out: Python does not pass on what is raised there.
    """
    count = 0

    def line(frame, event, arg):
        nonlocal count
        if event == "line":
            count += 1
            if count == at + 1:
                raise KeyboardInterrupt
        return line

    def call(frame, event, arg):
        code = frame.f_code
        ours = code.co_filename.startswith((OURS, "<compiled")) or "contextlib" in code.co_filename
        return line if ours and code.co_name != "__del__" else None

    outer = sys.gettrace()
    sys.settrace(call)
    try:
        run()
    finally:
        sys.settrace(outer)
    return count


def interrupted_everywhere(prepare, most=300):
    """Yield what `prepare` returns beside a function, after an interrupt at each of its lines.

    Args: most: of more lines only so many, at equal distances.
    """
    count = traced(prepare()[0])
    assert count > 10
    for at in range(0, count, max(1, count // most)):
        run, *rest = prepare()
        try:
            traced(run, at)
        except KeyboardInterrupt:
            pass
        else:
            continue
        yield rest


def is_recording(x=None):
    return bool((Value(1.0) * 2.0).inputs)


def in_all_blocks():
    v = Value(2.0)
    with detect_anomaly(), scope("a"), no_grad():
        v * v
        with watching.recording(), watching.unwatched():
            v + v


def test_no_block_stays_open():
    for _ in interrupted_everywhere(lambda: [in_all_blocks]):
        assert not watching.open_watches
        assert watching.watchers() == ()
        assert is_recording()


def test_blocks_outside_stay_as_they_are():
    with no_grad():
        for _ in interrupted_everywhere(lambda: [in_all_blocks]):
            assert not is_recording()
            assert len(watching.watchers()) == 1
    assert is_recording()


def test_leaves_belong_to_the_same_sweeps():
    def prepare():
        leaves = [Value([1.0, 2.0]), Value(3.0), Value(4.0)]
        (leaves[0].sum() * leaves[1] * leaves[2]).backward()
        return (leaves[0].sum() * leaves[1] * leaves[2]).backward, leaves

    first = [12.0, 12.0, 9.0]
    seen = set()
    for (leaves,) in interrupted_everywhere(prepare):
        found = [float(np.max(leaf.grad)) for leaf in leaves]
        assert found in (first, [2 * g for g in first])
        seen.add(found[0])
    assert seen == {12.0, 24.0}


def test_parameters_belong_to_one_step():
    p, q = Value(1.0), Value(np.ones(3))

    @compile
    def step(x):
        d, e = gradients(((p * x + q) ** 2).sum(), [p, q])
        p.data = p - 0.1 * d
        q.data = q - 0.1 * e
        return p * 1.0

    def prepare():
        step(0.5)
        p.data, q.data = 1.0, np.ones(3)
        return [lambda: step(0.5)]

    step(0.5), step(0.5)
    seen = set()
    for _ in interrupted_everywhere(prepare):
        state = (p.data, q.data[0])
        seen.add(state)
        p.data, q.data = 1.0, np.ones(3)
        again = Value(1.0), Value(np.ones(3))
        (((again[0] * 0.5 + again[1]) ** 2).sum()).backward()
        assert np.isclose(step(0.5), 1.0 - 0.1 * again[0].grad)  # the next step is whole
    assert len(seen) == 2


def test_an_interrupted_recording_leaves_values_as_they_were():
    p, q = Value(1.0), Value(2.0)

    def step(x):
        p.data = p + x
        q.data = q + x

    def prepare():
        p.data, q.data = 1.0, 2.0
        compiled = compile(step)
        return lambda: compiled(1.0), compiled

    seen = set()
    for (compiled,) in interrupted_everywhere(prepare, most=60):
        seen.add((p.data, q.data))
        assert watching.watchers() == ()
        assert sys.getprofile() is None
        assert gc.isenabled()
        p.data, q.data = 1.0, 2.0
        compiled(1.0), compiled(1.0)
        assert (p.data, q.data) == (3.0, 4.0)
    assert seen <= {(1.0, 2.0), (2.0, 3.0)}


class TestTasks:
    def test_made_inside_no_grad_record_after_it(self):
        async def later(started, ended):
            inside = is_recording()
            started.set()
            await ended.wait()
            return inside, is_recording()

        async def main():
            started, ended = asyncio.Event(), asyncio.Event()
            with no_grad():
                task = asyncio.create_task(later(started, ended))
                await started.wait()
            ended.set()
            return await task

        assert asyncio.run(main()) == (False, True)

    def test_in_copies_of_a_context_record_after_the_block(self):
        with no_grad():
            context = contextvars.copy_context()
            assert not context.run(is_recording)
        with no_grad():  # another block is not theirs
            assert context.run(is_recording)

    def test_blocks_of_threads_are_their_own(self):
        with no_grad(), ThreadPoolExecutor(1) as pool:
            assert pool.submit(is_recording).result()

    def test_a_block_may_be_opened_in_itself_and_again(self):
        block = no_grad()
        for _ in range(2):
            with block:
                with block:
                    assert not is_recording()
                assert not is_recording()
            assert is_recording()

    def test_a_decorated_function_opens_a_block_in_every_call(self):
        @no_grad()
        def inner(depth):
            assert not is_recording()
            return inner(depth - 1) if depth else is_recording()

        assert not inner(3)
        assert is_recording()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning", "ignore:.*fork:RuntimeWarning")
def test_a_fork_beside_a_thread_that_holds_all_locks_does_not_hang():
    compiled = compile(lambda x: x * x)
    locks = [value_module._accumulating, compiled._tracing, dot._one_at_a_time]
    held, release = threading.Event(), threading.Event()

    def hold():
        for lock in locks:
            lock.acquire()
        held.set()
        release.wait()
        for lock in locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        v = Value(3.0)
        (v * v).backward()
        os._exit(0 if (v.grad, compiled(2.0)) == (6.0, 4.0) else 1)
    deadline = time.monotonic() + 30
    ended, status = 0, -1
    while not ended and time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    release.set()
    thread.join()
    assert (ended, status) == (child, 0)
