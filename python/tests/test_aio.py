"""asyncio: the calls awaited, cancelled, many at once, on many loops; what is left when loops and managers go."""

import ast
import asyncio
import contextlib
import doctest
import gc
import inspect
import io
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import stepstore
import uvloop
from stepstore import StepData, aio
from stepstore import _lanes as lanes


@pytest.fixture(params=["memory", "local"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be."""
    return "memory:" if request.param == "memory" else str(tmp_path / "store")


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 60))


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "dev", "-W", "ignore", "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


# --- What calls do ---


def test_every_call_does_what_the_blocking_one_does(place: str) -> None:
    async def work() -> None:
        async with aio.StorageManager(place, fsync=False) as store:
            receipt = await store.store_step_data("s", "1", "<p>é", b"png", {"type": "click"}, {"url": "x"})
            assert (receipt.version, receipt["html_path"]) == (1, "s/1/observation.html")
            step = await store.retrieve_step_data("s", "1")
            assert tuple(step) == ("<p>é", b"png", {"type": "click"})
            assert step.metadata == {"url": "x"}
            assert (await store.stat_step("s", "1")).version == 1
            assert await store.list_sessions() == ["s"]
            assert await store.list_steps("s") == ["1"]
            assert [session async for session in store.iter_sessions()] == ["s"]
            assert [step.step_id async for step in store.iter_steps("s")] == ["1"]
            assert (await store.check(data=True)).healthy
            assert (await store.adopt()).adopted == ()
            assert (await store.delete_step("s", "1")).steps == 1
            assert (await store.delete_session("s")).steps == 0
            assert store.get_storage_info().backend in {"memory", "local"}

    run(work())


def test_methods_are_those_of_the_blocking_class() -> None:
    here, there = aio.StorageManager, stepstore.StorageManager
    names = {name for name in vars(there) if not name.startswith("_")} - {"close"} | {"aclose"}
    assert {name for name in vars(here) if not name.startswith("_")} == names
    for name in names - {"aclose"}:
        mine, other = inspect.signature(getattr(here, name)), inspect.signature(getattr(there, name))
        assert list(mine.parameters) == list(other.parameters), name
        assert [p.default for p in mine.parameters.values()] == [p.default for p in other.parameters.values()], name


def test_errors_are_raised_where_they_are_awaited(place: str) -> None:
    async def work() -> None:
        async with aio.StorageManager(place, fsync=False) as store:
            with pytest.raises(stepstore.NotFound):
                await store.retrieve_step_data("s", "none")
            with pytest.raises(stepstore.InvalidArgument):
                await store.store_step_data("", "1")
            with pytest.raises(stepstore.InvalidArgument):
                await store.store_step_data("s", "1", action_data=b"{")
            with pytest.raises(stepstore.Timeout):
                await store.list_sessions(timeout=0)
            with pytest.raises(TypeError):
                await store.store_step_data("s", 1)  # type: ignore[arg-type]
        with pytest.raises(stepstore.Closed):
            await store.list_sessions()
        await store.aclose()

    run(work())


def test_batches_take_iterables_of_both_kinds(place: str) -> None:
    async def stream() -> AsyncIterator[StepData]:
        for i in range(100, 150):
            await asyncio.sleep(0)
            yield StepData("s", str(i), html_content="x", action_data=b"{" if i % 10 == 3 else None)

    async def work() -> None:
        async with aio.StorageManager(place, fsync=False, concurrency=4) as store:
            receipts = await store.store_steps(stream())
            assert [type(r).__name__ for r in receipts[2:5]] == ["Receipt", "InvalidArgument", "Receipt"]
            assert len(receipts) == 50
            again = await store.store_steps(StepData("s", str(i), html_content="y") for i in range(100, 103))
            assert [r.version for r in again if isinstance(r, stepstore.Receipt)] == [2, 2, 2]
            steps = await store.retrieve_steps([("s", "100"), ("s", "103"), ("s", "104")])
            found = [s.html_content if isinstance(s, stepstore.Step) else type(s) for s in steps]
            assert found == ["y", stepstore.NotFound, "x"]
            assert len([step async for step in store.iter_steps("s")]) == 45

    run(work())


def test_what_can_be_changed_is_copied(place: str) -> None:
    async def work() -> None:
        async with aio.StorageManager(place, fsync=False) as store:
            page = bytearray(b"a" * 300_000)
            task = asyncio.ensure_future(store.store_step_data("s", "1", page, memoryview(page)))
            await asyncio.sleep(0)  # the call has begun
            page[:] = b"b" * len(page)
            await task
            step = await store.retrieve_step_data("s", "1")
            assert step.html_bytes == step.screenshot_bytes == b"a" * 300_000

    run(work())


# --- Cancellation and back-pressure ---


def test_a_cancelled_call_leaves_the_step_whole_or_as_it_was(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)

    async def work() -> None:
        cancelled = 0
        async with aio.StorageManager(tmp_path / "store", fsync=False) as store:
            i = 0
            while cancelled < 40:
                i += 1
                text = f"{i} " * 20_000
                task = asyncio.ensure_future(store.store_step_data("s", str(i % 7), text, text.encode()))
                await asyncio.sleep(rng.random() * 0.002)
                task.cancel()
                try:
                    await task
                    written = True
                except asyncio.CancelledError:
                    cancelled += 1
                    written = False
                try:
                    step = await store.retrieve_step_data("s", str(i % 7))
                except stepstore.NotFound:
                    assert not written
                    continue
                assert step.html_bytes == step.screenshot_bytes
                assert not written or step.html_content == text
            assert (await store.check(data=True)).healthy

    run(work())


def test_nothing_goes_on_after_a_cancelled_call(tmp_path: Path) -> None:
    async def work() -> None:
        async with aio.StorageManager(tmp_path / "store", fsync=False) as store:
            for i in range(50):
                task = asyncio.ensure_future(store.store_step_data("s", str(i), b"x" * 500_000))
                await asyncio.sleep(0.0005)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                before = await store.list_steps("s")
                await asyncio.sleep(0.002)
                assert await store.list_steps("s") == before

    run(work())


def test_a_cancelled_batch_stops_its_calls(place: str) -> None:
    async def work() -> None:
        async with aio.StorageManager(place, fsync=False, concurrency=2) as store:
            endless = (StepData("s", str(i), html_content="x") for i in range(10**9))
            task = asyncio.ensure_future(store.store_steps(endless))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await store.check(data=True)).healthy

    run(work())


def test_no_more_is_on_its_way_than_may_be(tmp_path: Path) -> None:
    async def work() -> None:
        held = most = 0

        async def one(store: aio.StorageManager, i: int) -> None:
            await store.store_step_data("s", str(i), b"x" * 40_000)

        async with aio.StorageManager(tmp_path / "store", concurrency=4, in_flight_bytes_max=100_000) as store:
            lane = store._lane()
            tasks = [asyncio.ensure_future(one(store, i)) for i in range(60)]
            while not all(task.done() for task in tasks):
                held = lane._steps
                most = max(most, held)
                assert lane._bytes <= 100_000
                await asyncio.sleep(0)
            assert most == 2
            await store.store_step_data("s", "large", b"x" * 1_000_000)  # alone
            waiting = [asyncio.ensure_future(one(store, i)) for i in range(60)]
            await asyncio.sleep(0)
            for task in waiting[1:]:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await asyncio.wait_for(one(store, 99), 10)  # those who gave up hold no place
            assert (lane._steps, lane._bytes, len(lane._waiting)) == (0, 0, 0)

    run(work())


def test_closing_waits_for_calls_on_their_way(place: str) -> None:
    async def work() -> None:
        store = aio.StorageManager(place, fsync=False)
        tasks = [asyncio.ensure_future(store.store_step_data("s", str(i), b"x" * 100_000)) for i in range(10)]
        await asyncio.sleep(0)
        await store.aclose()
        assert [(await task).version for task in tasks] == [1] * 10

    run(work())


def test_an_unclosed_manager_is_warned_of() -> None:
    with pytest.warns(ResourceWarning, match="unclosed <aio.StorageManager 'memory:'"):
        aio.StorageManager("memory:")


def test_a_call_may_end_between_its_cancellation_and_the_tasks_next_turn() -> None:
    async def work() -> None:
        async with aio.StorageManager("memory:") as store:
            task = asyncio.ensure_future(store.store_step_data("s", "1", "x"))
            await asyncio.sleep(0)  # the call has begun
            time.sleep(0.05)  # and ended, which the loop has not heard of
            task.cancel()
            lanes.port_of(asyncio.get_running_loop()).deliver()  # before the task's turn, as uvloop does
            with pytest.raises(asyncio.CancelledError):
                await task

    run(work())


def test_a_place_may_become_free_between_a_cancellation_and_the_tasks_next_turn() -> None:
    async def work() -> None:
        async with aio.StorageManager("memory:", in_flight_bytes_max=1) as store:
            tasks = [asyncio.ensure_future(store.store_step_data("s", str(i), "xx")) for i in range(3)]
            await asyncio.sleep(0)  # one has begun, the others wait
            time.sleep(0.05)  # it has ended, which the loop has not heard of
            tasks[1].cancel()
            lanes.port_of(asyncio.get_running_loop()).deliver()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(each).__name__ for each in done] == ["Receipt", "CancelledError", "Receipt"]

    run(work())


# --- Loops, threads, processes ---


def test_one_manager_serves_many_loops_in_many_threads(place: str) -> None:
    store = aio.StorageManager(place, fsync=False)
    failures: list[BaseException] = []

    async def use(name: int) -> None:
        for i in range(20):
            await asyncio.gather(*(store.store_step_data(f"s{name}", str(j), f"{i}") for j in range(3)))
            assert [step.html_content async for step in store.iter_steps(f"s{name}")] == [str(i)] * 3

    def thread(name: int) -> None:
        try:
            for _ in range(2):
                run(use(name))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=thread, args=(name,)) for name in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    run(store.aclose())


def test_uvloop_works(place: str) -> None:
    async def work() -> None:
        async with aio.StorageManager(place, fsync=False) as store:
            await asyncio.gather(*(store.store_step_data("s", str(i), "x") for i in range(50)))
            assert len([step async for step in store.iter_steps("s")]) == 50
            task = asyncio.ensure_future(store.store_step_data("s", "c", b"x" * 500_000))
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_is_closed_early_does_no_harm(
    tmp_path: Path, make_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    store = aio.StorageManager(tmp_path / "store", fsync=False)
    for i in range(10):
        loop = make_loop()
        tasks = [loop.create_task(store.store_step_data("s", f"{i}-{j}", b"x" * 100_000)) for j in range(20)]
        loop.call_later(0.001 * i, loop.stop)
        loop.run_forever()
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()
    del loop, tasks
    gc.collect()

    async def after() -> None:
        async with store:
            assert (await store.check(data=True)).healthy

    run(after())


def threads_and_descriptors() -> tuple[int, int]:
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_managers_and_loops_that_come_and_go_leave_nothing(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)

    async def use(store: aio.StorageManager) -> None:
        tasks = [asyncio.ensure_future(store.store_step_data("s", str(i), b"x" * 10_000)) for i in range(3)]
        await asyncio.sleep(0)
        if rng.random() < 0.3:
            tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if rng.random() < 0.5:
            await store.aclose()

    def cycle() -> None:
        store = aio.StorageManager(tmp_path / "store", fsync=False)
        asyncio.run(use(store))
        if rng.random() < 0.5:
            asyncio.run(use(aio.StorageManager(tmp_path / "store", fsync=False)))

    for _ in range(20):
        cycle()
    gc.collect()
    before = threads_and_descriptors()
    tracemalloc.start()
    base = tracemalloc.get_traced_memory()[0]
    for _ in range(150):
        cycle()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - base
    tracemalloc.stop()

    def settled() -> bool:  # managers that were dropped end in the background
        return all(now <= then for now, then in zip(threads_and_descriptors(), before, strict=True))

    deadline = time.monotonic() + 30
    while not settled() and time.monotonic() < deadline:
        os.sched_yield()
    assert settled(), (threads_and_descriptors(), before)
    assert grown < 100_000, "bytes of Python's that were not freed"


def test_the_interpreter_exits_with_calls_on_their_way(tmp_path: Path) -> None:
    code = """
        import asyncio, sys
        from stepstore import aio

        async def main():
            global store
            store = aio.StorageManager(sys.argv[1])
            global tasks
            tasks = [asyncio.ensure_future(store.store_step_data("s", str(i), b"x" * 500_000)) for i in range(40)]
            await asyncio.sleep(0.01)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        print("done")
    """
    began = time.monotonic()
    done = python(code, tmp_path / "store")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert "nanobind" not in done.stderr, done.stderr
    assert time.monotonic() - began < 20
    with stepstore.StorageManager(tmp_path / "store") as store:
        assert store.check(data=True).healthy


def test_a_forked_child_works_with_a_loop_of_its_own(tmp_path: Path) -> None:
    code = """
        import asyncio, os, sys
        from stepstore import aio

        store = aio.StorageManager(sys.argv[1], fsync=False)

        async def use(name):
            await asyncio.gather(*(store.store_step_data(name, str(i), "x") for i in range(20)))

        async def main():
            task = asyncio.ensure_future(use("parent"))
            await asyncio.sleep(0)
            child = os.fork()
            if child == 0:
                asyncio.events._set_running_loop(None)
                asyncio.run(use("child"))
                os._exit(0)
            await task
            assert os.waitpid(child, 0)[1] == 0
            await use("parent")
            assert sorted(await store.list_sessions()) == ["child", "parent"]
            assert (await store.check(data=True)).healthy
            await store.aclose()

        asyncio.run(main())
        print("done")
    """
    done = python(code, tmp_path / "store")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


# --- Documentation ---


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [test for test in finder.find(aio, "stepstore.aio") if test.examples]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # examples are short; they leave closing out
@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_example_runs(example: doctest.DocTest) -> None:
    async def work() -> None:
        names: dict[str, Any] = {"stepstore": stepstore, "aio": aio, "store": aio.StorageManager("memory:")}
        for each in example.examples:
            printed = io.StringIO()
            code = compile(each.source, example.name, "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            with contextlib.redirect_stdout(printed):
                result = eval(code, names)
                if inspect.iscoroutine(result):
                    await result
            assert printed.getvalue() == each.want, each.source

    run(work())


@pytest.mark.parametrize("name", [name for name in vars(aio.StorageManager) if not name.startswith("_")])
def test_public_name_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(aio.StorageManager, name)) or ""), name
