"""ctrl-C, cancellation and timeouts reach a call wherever it waits, and lose nothing that has ended."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import stepstore
from silent_server import HalfSilent, python, settings
from stepstore import StepData, _log, aio
from stepstore import _core as core


@pytest.fixture
def half_silent() -> Iterator[HalfSilent]:
    """A server that lists steps and gives none."""
    server = HalfSilent()
    yield server
    server.close()


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """The library's log as the next call wants it."""
    yield
    _log._asked_for = None


CTRL_C = """
    import os, signal, socket, sys, threading
    sys.path.insert(0, sys.argv[1])
    import stepstore
    from silent_server import HalfSilent, settings

    signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt(wait):
        wait()
        os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize("where", ["while it lists", "while it reads"])
def test_ctrl_c_ends_an_iteration_that_a_silent_server_holds_up(where: str) -> None:
    listing = """
    listening = socket.create_server(("127.0.0.1", 0))
    store = stepstore.StorageManager("s3://bucket", **settings(listening.getsockname()[1]))
    accepted = []
    waits = lambda: accepted.append(listening.accept())
    """
    reading = """
    server = HalfSilent()
    store = stepstore.StorageManager("s3://bucket", **server.settings)
    waits = server.asked_for_a_step.wait
    """
    code = CTRL_C + (listing if where == "while it lists" else reading)
    code += """
    threading.Thread(target=interrupt, args=(waits,), daemon=True).start()
    try:
        next(store.iter_steps("s", timeout=50))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    os._exit(0)
    """
    done = python(code, Path(__file__).parent, timeout=30)
    assert done.stdout == "interrupted\n", done.stderr


def test_an_iteration_can_be_cancelled_while_a_silent_server_lists() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            store = aio.StorageManager("s3://bucket", **settings(listening.getsockname()[1]))
            task = asyncio.ensure_future(anext(aiter(store.iter_steps("s"))))
            connection, _ = await loop.sock_accept(listening)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(aiter(store.iter_steps("s"))), 0.05)
            assert time.monotonic() - began < 10, "neither waits for the call's own time"
            connection.close()
            await store.aclose()

    asyncio.run(asyncio.wait_for(work(), 20))


def test_an_iteration_can_be_cancelled_while_a_silent_server_gives_no_step(half_silent: HalfSilent) -> None:
    async def work() -> None:
        store = aio.StorageManager("s3://bucket", **half_silent.settings)
        task = asyncio.ensure_future(anext(aiter(store.iter_steps("s"))))
        await asyncio.to_thread(half_silent.asked_for_a_step.wait)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(stepstore.Timeout):
            async for _ in store.iter_steps("s", timeout=0.2):
                pass
        assert time.monotonic() - began < 10
        await store.aclose()

    asyncio.run(asyncio.wait_for(work(), 20))


def test_a_stream_of_steps_can_be_left_and_cancelled(half_silent: HalfSilent) -> None:
    async def work() -> None:
        store = aio.StorageManager("s3://bucket", **half_silent.settings)
        task = asyncio.ensure_future(anext(aiter(store.stream_steps([("s", "1")] * 20))))
        await asyncio.to_thread(half_silent.asked_for_a_step.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        [only] = [each async for each in store.stream_steps([("s", "1")], timeout=0.1)]
        assert isinstance(only, stepstore.Timeout)
        await store.aclose()

    asyncio.run(asyncio.wait_for(work(), 20))


# --- The time of a call ---


def test_the_time_of_a_call_runs_while_it_waits_for_its_turn() -> None:
    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            store = aio.StorageManager("s3://bucket", concurrency=1, **settings(port))
            others = [asyncio.ensure_future(store.store_step_data("s", str(i), "x", timeout=60)) for i in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(stepstore.Timeout, match="before its turn came") as raised:
                await store.retrieve_step_data("s", "1", timeout=0.05)
            assert (raised.value.operation, raised.value.key) == ("retrieve_step_data", "s/1")
            # A batch has its time as a whole: none of its steps gets a turn.
            results = await store.store_steps((StepData("s", str(i)) for i in range(5)), timeout=0.05)
            assert [type(each) for each in results] == [stepstore.Timeout] * 5
            for each in others:
                each.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            lane = store._lane()
            assert (lane._steps, lane.held(), len(lane._waiting)) == (0, 0, 0)
            await store.aclose()

    asyncio.run(asyncio.wait_for(work(), 20))


# --- What has ended when ctrl-C comes ---


def test_ctrl_c_between_outcomes_does_not_make_a_batch_hang(tmp_path: Path) -> None:
    code = """
        import sys, stepstore
        from stepstore import _window

        real = _window._core.Port

        class Port:  # hands over all outcomes at once, as a slow main thread finds them
            def __init__(self):
                self.port, self.count = real(), 0
                self.of_this_process = self.port.of_this_process
                self.wait = self.port.wait

            def ticket(self, number):
                self.count += 1
                return self.port.ticket(number)

            def take(self, into):
                while len(into) < self.count:
                    self.port.wait()
                    self.port.take(into)
                self.count = 0

        class Core:
            def __getattr__(self, name):
                return Port if name == "Port" else getattr(stepstore._core, name)

        _window._core = Core()
        def steps():
            for i in range(6):
                yield stepstore.StepData("s", str(i), "<p>")
        from stepstore import _calls
        def interrupted(raw):
            raise KeyboardInterrupt
        _calls._receipt = interrupted
        store = stepstore.StorageManager(sys.argv[1], fsync=False)
        try:
            store.store_steps(steps())
        except KeyboardInterrupt:
            print("interrupted", len(store.list_steps("s")))
        store.close()
    """
    done = python(code, tmp_path / "store", timeout=30)
    assert done.stdout == "interrupted 6\n", done.stderr


@pytest.mark.usefixtures("quiet_again")
def test_an_exception_while_outcomes_are_taken_loses_none() -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with socket.create_server(("127.0.0.1", 0)) as refusing:
        port_number = refusing.getsockname()[1]
    port = core.Port()
    taken: list[tuple[int, bool, object]] = []
    interrupted = 0
    with (
        stepstore.StorageManager("s3://bucket", **settings(port_number)) as store,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(_log, "emit", fail)  # the log is handed on where outcomes are taken
        core.collect_log("debug")
        for number in range(4):
            store._opened.core.sessions("", "", 0, 0.5, port.ticket(number))  # type: ignore[union-attr]
        while len(taken) < 4:
            port.wait()
            try:
                port.take(taken)
            except KeyboardInterrupt:
                interrupted += 1
        core.collect_log("warning")
    assert interrupted > 0
    assert sorted(number for number, _, _ in taken) == [0, 1, 2, 3]


def test_memory_that_runs_out_on_a_thread_is_an_error_of_the_call(tmp_path: Path) -> None:
    code = """
        import asyncio, resource, sys
        import stepstore
        from stepstore import aio

        async def main():
            store = aio.StorageManager(sys.argv[1], fsync=False, concurrency=1)
            await store.store_step_data("s", "0", "x")  # the thread is there
            text = "\\u20ac" * 50_000_000  # 100 MB here, 150 MB as UTF-8, which is made on that thread
            held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (held + 60 * 2**20, resource.RLIM_INFINITY))
            try:
                await store.store_step_data("s", "1", text)
            except stepstore.StorageManagerError as error:
                print(type(error).__name__, error.operation, "memory" in error.message)
            del text
            print((await store.store_step_data("s", "2", "x")).version)
            await store.aclose()

        asyncio.run(main())
    """
    done = python(code, tmp_path / "store")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Io store_step_data True\n1\n"
