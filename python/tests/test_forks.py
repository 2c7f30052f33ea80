"""fork() with calls under way: a child that ends as programs do neither hangs nor harms its parent."""

import subprocess
from pathlib import Path

from silent_server import python

BEGINNING = """
    import asyncio, os, signal, socket, sys, threading
    sys.path.insert(0, sys.argv[1])
    import stepstore
    from stepstore import StepData, aio
    from silent_server import settings

    listening = socket.create_server(("127.0.0.1", 0))

    def fork():  # a child that hangs is ended by a signal
        child = os.fork()
        if child == 0:
            signal.alarm(20)
        return child

    def ended(child):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def silent(kind=aio.StorageManager):
        return kind("s3://bucket", **settings(listening.getsockname()[1]))
"""


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    done = python(BEGINNING + code, Path(__file__).parent, *arguments, timeout=90)
    assert done.returncode == 0, done.stderr + done.stdout
    return done


def test_a_child_of_a_coroutine_may_end_while_calls_are_under_way() -> None:
    done = run("""
    async def main():
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        store = silent()
        tasks = [asyncio.ensure_future(store.store_step_data("s", str(i), "x")) for i in range(3)]
        batch = asyncio.ensure_future(store.store_steps([StepData("s", "b")]))
        iterator = store.iter_steps("s")
        tasks += [batch, asyncio.ensure_future(anext(iterator))]
        peers = [(await loop.sock_accept(listening))[0] for _ in range(5)]
        closing = asyncio.ensure_future(store.aclose())
        await asyncio.sleep(0)
        child = fork()
        if child == 0:
            sys.exit(7)  # asyncio.run cancels the tasks and closes the loop
        print(ended(child))
        # The parent's calls are where they were, and hear of their cancellation.
        print([task.done() for task in tasks])
        for task in tasks:
            task.cancel()
        print([type(each).__name__ for each in await asyncio.gather(*tasks, return_exceptions=True)])
        await closing

    asyncio.run(main())
    """)
    assert done.stdout.splitlines() == ["7", str([False] * 5), str(["CancelledError"] * 5)]


def test_a_child_of_a_generator_may_end_while_its_batch_is_under_way() -> None:
    done = run("""
    store = silent(stepstore.StorageManager)

    def steps():
        for i in range(3):
            yield StepData("s", str(i))
        listening.accept()
        child = fork()
        if child == 0:
            sys.exit(7)
        print(ended(child))
        raise ValueError("enough")

    try:
        store.store_steps(steps())
    except ValueError as error:
        print(error)
    """)
    assert done.stdout == "7\nenough\n"


def test_a_child_is_told_that_it_cannot_wait_for_its_parents_calls() -> None:
    done = run("""
    from stepstore import _core
    port = _core.Port()
    store = silent(stepstore.StorageManager)
    ticket = port.ticket(1)
    store._opened.core.sessions("", "", 0, 60.0, ticket)
    listening.accept()
    child = fork()
    if child == 0:
        taken = []
        port.take(taken)
        ticket.stop()
        try:
            port.wait()
        except stepstore.Unsupported as error:
            os._exit(7 if not taken and "parent" in str(error) else 1)
    print(ended(child))
    ticket.stop()
    taken = []
    while not taken:
        port.wait()
        port.take(taken)
    print(taken[0][0], taken[0][2].code)
    """)
    assert done.stdout == "7\n1 Cancelled\n"


def test_a_child_finds_no_lock_of_its_parents_threads_held(tmp_path: Path) -> None:
    done = run(
        """
    from stepstore import _lanes
    store = aio.StorageManager(sys.argv[2], fsync=False)
    stop = threading.Event()

    def keep_it_locked():
        while not stop.is_set():
            with _lanes._ports_lock:
                for _ in range(1000):
                    pass

    thread = threading.Thread(target=keep_it_locked)
    thread.start()
    codes = []
    for i in range(10):
        child = fork()
        if child == 0:
            asyncio.run(store.store_step_data("s", str(i), "x"))
            sys.exit(7)
        codes.append(ended(child))
    stop.set()
    thread.join()
    print(set(codes), asyncio.run(store.list_sessions()))
    """,
        tmp_path / "store",
    )
    assert done.stdout == "{7} ['s']\n"
