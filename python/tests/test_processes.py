"""Threads, forks, ctrl-C, interpreter exit and logging: no hang, no leak, no surprise."""

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from stepstore import StorageManager


def run(code: str, *arguments: object, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(code), *map(str, arguments)],
        text=True,
        capture_output=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
    )


def test_many_threads_share_a_manager(store: StorageManager) -> None:
    def work(thread: int) -> None:
        for i in range(20):
            store.store_step_data("s", f"{thread}-{i}", f"<p>{thread} {i}")
            assert store.retrieve_step_data("s", f"{thread}-{i}").html_content == f"<p>{thread} {i}"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(store.list_steps("s")) == 160


def test_forked_children_go_on_with_the_manager(tmp_path: Path) -> None:
    with StorageManager(tmp_path / "store", fsync=False) as store:
        store.store_step_data("s", "parent", "x")
        stop = threading.Event()

        def keep_busy() -> None:  # forks happen while this thread holds whatever it holds
            while not stop.is_set():
                store.store_step_data("s", "busy", os.urandom(100))

        thread = threading.Thread(target=keep_busy)
        thread.start()
        try:
            for i in range(20):
                child = os.fork()
                if child == 0:
                    code = 1
                    try:
                        store.store_step_data("s", f"child-{i}", "y")
                        code = 0 if store.retrieve_step_data("s", "parent").html_content == "x" else 2
                    finally:
                        os._exit(code)
                deadline = time.monotonic() + 30
                while True:
                    done, status = os.waitpid(child, os.WNOHANG)
                    if done:
                        break
                    if time.monotonic() > deadline:
                        os.kill(child, signal.SIGKILL)
                        os.waitpid(child, 0)
                        pytest.fail("a forked child hangs")
                    time.sleep(0.005)
                assert os.waitstatus_to_exitcode(status) == 0
        finally:
            stop.set()
            thread.join()
        assert len(store.list_steps("s", prefix="child-")) == 20
        assert store.check(data=True).healthy


def _store_in_child(path: str, i: int) -> None:
    with StorageManager(path, fsync=False) as store:
        store.store_step_data("s", str(i), "x")


def test_several_processes_share_a_directory(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_store_in_child, args=(str(tmp_path / "store"), i)) for i in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    with StorageManager(tmp_path / "store") as store:
        assert store.list_steps("s") == ["0", "1", "2", "3"]


def test_ctrl_c_ends_a_long_batch_at_once(tmp_path: Path) -> None:
    code = """
        import sys, time, threading, os, signal
        import stepstore
        store = stepstore.StorageManager(sys.argv[1])
        steps = [stepstore.StepData("s", str(i), html_content=b"x" * 50_000) for i in range(20_000)]
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        try:
            store.store_steps(steps, timeout=600)
            print("finished")
        except KeyboardInterrupt:
            print("interrupted after", time.monotonic() - began)
        stored = len(store.list_steps("s"))
        assert 0 < stored < 20_000, stored
        assert store.check(data=True).healthy
        store.close()
    """
    done = run(code, tmp_path / "store", timeout=120)
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert words[:2] == ["interrupted", "after"]
    assert float(words[2]) < 3


def test_interpreter_exit_with_a_live_manager_is_clean(tmp_path: Path) -> None:
    code = """
        import sys, stepstore
        store = stepstore.StorageManager(sys.argv[1])
        store.store_steps([stepstore.StepData("s", str(i), html_content="x") for i in range(50)])
        step = store.retrieve_step_data("s", "1")
        cursor = store.iter_steps("s")
        next(cursor)
    """
    done = run(code, tmp_path / "store")
    assert done.returncode == 0
    assert "nanobind" not in done.stderr, done.stderr
    assert "Error" not in done.stderr, done.stderr


def test_log_lines_reach_logging(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="stepstore"), StorageManager(tmp_path / "store") as store:
        store.list_sessions()
    assert any("the store is" in record.message and record.name == "stepstore" for record in caplog.records)


def test_stepstore_log_goes_to_standard_error(tmp_path: Path) -> None:
    code = "import sys, stepstore; stepstore.StorageManager(sys.argv[1]).close()"
    assert "the store is" in run(code, tmp_path / "store", STEPSTORE_LOG="debug").stderr
    assert run(code, tmp_path / "store", STEPSTORE_LOG="").stderr == ""


def test_memory_stores_are_shared_by_name() -> None:
    with StorageManager("memory:shared") as a, StorageManager("memory:shared") as b, StorageManager("memory:") as c:
        a.store_step_data("s", "1", "x")
        assert b.list_sessions() == ["s"]
        assert c.list_sessions() == []
