"""What batches hold: no more bytes than in_flight_bytes_max, no threads and loops when they are done."""

import asyncio
import gc
import os
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stepstore
from stepstore import StepData, aio

MB = 2**20


def traced_peak(work: Callable[[], object]) -> int:
    """How much more memory of Python's there was at most."""
    gc.collect()
    tracemalloc.start()
    try:
        base = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - base
    finally:
        tracemalloc.stop()


def many(count: int) -> Iterator[StepData]:
    """Steps of half a MB that the library refuses once it has them, so that nothing is written."""
    for i in range(count):
        yield StepData("s", str(i), html_content=bytes(MB // 2), action_data=b"{")


@pytest.mark.parametrize("kind", ["asyncio", "blocking"])
def test_a_batch_holds_no_more_bytes_than_it_may(kind: str) -> None:
    bound = 4 * MB

    async def store() -> list[aio.ReceiptOrError]:
        async with aio.StorageManager("memory:", in_flight_bytes_max=bound) as manager:
            return await manager.store_steps(many(400))

    def work() -> None:
        if kind == "asyncio":
            results = asyncio.run(store())
        else:
            with stepstore.StorageManager("memory:", in_flight_bytes_max=bound) as manager:
                results = manager.store_steps(many(400))
        assert [type(each) for each in results] == [stepstore.InvalidArgument] * 400

    # One more is made by the generator, one waits for its turn.
    assert traced_peak(work) < bound + 2 * MB


def filled(place: str | Path, count: int, size: int) -> None:
    with stepstore.StorageManager(place, fsync=False) as store:
        store.store_steps(StepData("s", str(i), html_content=b"x" * size) for i in range(count))


def test_reads_begin_one_by_one_and_count_what_they_hold(tmp_path: Path) -> None:
    filled(tmp_path / "store", 40, 100_000)

    async def work() -> None:
        async with aio.StorageManager(tmp_path / "store", in_flight_bytes_max=250_000) as store:
            lane = store._lane()
            tasks = [asyncio.ensure_future(store.retrieve_step_data("s", str(i))) for i in range(40)]
            most = 0
            await asyncio.sleep(0)
            assert lane._reading == 1, "nothing is known of their size"
            while not all(task.done() for task in tasks):
                most = max(most, lane._reading)
                await asyncio.sleep(0)
            assert most == 2
            assert (lane._steps, lane.held()) == (0, 0)

    asyncio.run(work())


def test_a_stream_reads_no_further_ahead_than_it_may(tmp_path: Path) -> None:
    filled(tmp_path / "store", 30, 100_000)
    asked = 0

    def names() -> Iterator[tuple[str, str]]:
        nonlocal asked
        for asked in range(1, 31):
            yield "s", str(asked - 1) if asked != 7 else "none"

    def check(given: int) -> None:
        # Two on their way, one to come.
        assert asked <= given + 3

    async def work() -> list[str]:
        async with aio.StorageManager(tmp_path / "store", in_flight_bytes_max=250_000) as store:
            found = []
            async for result in store.stream_steps(names()):
                found.append(result.step_id if isinstance(result, stepstore.Step) else result.code)
                check(len(found))
            return found

    expected = [str(i) if i != 6 else "NotFound" for i in range(30)]
    assert asyncio.run(work()) == expected
    with stepstore.StorageManager(tmp_path / "store", in_flight_bytes_max=250_000) as store:
        found = []
        for result in store.stream_steps(names()):
            found.append(result.step_id if isinstance(result, stepstore.Step) else result.code)
            check(len(found))
        assert found == expected
        stream = store.stream_steps(("s", "1") for _ in iter(int, 1))
        assert next(stream)
        stream.close()  # type: ignore[attr-defined]


def test_files_count_as_what_is_read_of_them(tmp_path: Path) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.har"
    small.write_bytes(b"x" * 100_000)
    with large.open("wb") as file:
        file.truncate(20 * MB)
    manager = stepstore.StorageManager("memory:")
    choices = stepstore._calls.store_choices(stepstore._calls.Arguments("x"), "fail", None, None, None, None, None)

    def size(**parts: object) -> int | None:
        return stepstore._calls.store(StepData("s", "1", **parts), choices).size  # type: ignore[arg-type]

    assert size(screenshot_bytes=small) == 100_000
    assert size(components={"har": large}) == 8 * MB
    assert size(action_data={"a": "b" * 1000}, metadata=b"1") == 1009 + 1
    # Not yet encoded: as Python holds them.
    assert size(html_content="é" * 5000) == 5_000
    assert size(html_content="€" * 5000) == 10_000
    manager.close()


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within seconds: threads end in their own time."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_a_closed_manager_keeps_no_threads(tmp_path: Path) -> None:
    before = threads()

    async def work(store: aio.StorageManager) -> None:
        await asyncio.gather(*(store.store_step_data("s", str(i), "x") for i in range(40)))
        assert threads() > before
        await store.aclose()

    kept = aio.StorageManager(tmp_path / "store", fsync=False)
    asyncio.run(work(kept))
    assert eventually(lambda: threads() == before)
    with stepstore.StorageManager(tmp_path / "store", fsync=False) as blocking:
        blocking.store_steps(StepData("t", str(i)) for i in range(40))
    assert eventually(lambda: threads() == before)
    assert kept.get_storage_info().backend == "local"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_batches_and_streams_of_a_loop_that_has_ended_are_given_up_in_silence(tmp_path: Path) -> None:
    store = aio.StorageManager(tmp_path / "store", fsync=False, concurrency=1)

    async def use() -> None:
        async def read() -> None:
            async for _ in store.stream_steps(("s", str(i)) for i in range(10**9)):
                pass

        steps = (StepData("s", str(i), b"x" * 1000) for i in range(10**9))
        for task in (asyncio.ensure_future(store.store_steps(steps)), asyncio.ensure_future(read())):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        for _ in range(5):
            await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(use())
    loop.close()
    del loop
    gc.collect()  # an exception that cannot be raised would be a warning, and so an error
    asyncio.run(store.aclose())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_manager_keeps_no_loop_that_has_ended(tmp_path: Path) -> None:
    store = aio.StorageManager(tmp_path / "store", fsync=False, concurrency=1)

    async def use() -> None:
        tasks = [asyncio.ensure_future(store.store_step_data("s", str(i), b"x" * 100_000)) for i in range(20)]
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        waiting = asyncio.ensure_future(store._lane().until_idle())
        waiting._log_destroy_pending = False  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    def one() -> weakref.ref[asyncio.AbstractEventLoop]:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(use())
        loop.close()  # with calls on their way, and others that wait for their turn
        return weakref.ref(loop)

    ended = one()
    gc.collect()
    assert ended() is None
    asyncio.run(store.aclose())


def test_a_thousand_tasks_are_looked_at_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each looks at its step when it has its turn: a loop with a task for every step goes on between them."""
    looked = 0
    store_call = stepstore._calls.store

    def counted(*arguments: Any) -> Any:
        nonlocal looked
        looked += 1
        return store_call(*arguments)

    monkeypatch.setattr(stepstore._calls, "store", counted)

    async def main() -> None:
        async with aio.StorageManager(tmp_path, fsync=False, concurrency=4) as store:
            tasks = [asyncio.create_task(store.store_step_data("s", str(i), "<p>")) for i in range(1000)]
            await asyncio.sleep(0)  # one turn, in which every task begins
            assert looked <= 8  # twice the concurrency are on their way
            await asyncio.gather(*tasks)
            with pytest.raises(stepstore.InvalidArgument):
                await store.store_step_data("s", "1", action_data=float("nan"))
            assert store._lane().held() == 0

    asyncio.run(main())
    assert looked == 1001
