"""Threads, forks, ctrl-C, interpreter exit and logging: no hang, no leak, no surprise."""

import logging
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


def test_several_processes_share_a_directory(tmp_path: Path) -> None:
    code = """
        import sys, stepstore
        with stepstore.StorageManager(sys.argv[1], fsync=False) as store:
            store.store_step_data("s", sys.argv[2], "x")
    """
    with ThreadPoolExecutor(4) as pool:
        for done in pool.map(lambda i: run(code, tmp_path / "store", i), range(4)):
            assert done.returncode == 0, done.stderr
    with StorageManager(tmp_path / "store") as store:
        assert store.list_steps("s") == ["0", "1", "2", "3"]


def test_ctrl_c_ends_a_long_batch_at_once(tmp_path: Path) -> None:
    code = """
        import sys, time, threading, os, signal
        import stepstore
        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
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


@pytest.mark.parametrize("again", ["while True:", "if True:"])
def test_interpreter_exit_with_daemon_threads_in_calls_is_clean(tmp_path: Path, again: str) -> None:
    code = f"""
        import sys, threading, stepstore
        threading.excepthook = lambda args: None  # the calls are cancelled or refused
        store = stepstore.StorageManager(sys.argv[1])
        steps = [stepstore.StepData("s", str(i), html_content=b"x" * 20_000) for i in range(20_000)]
        def work():
            {again}
                store.store_steps(steps)
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        while not store.list_steps("s", limit=1):
            pass  # until the threads are inside
        print("main is done")
    """
    began = time.monotonic()
    done = run(code, tmp_path / "store")
    assert (done.returncode, done.stdout, done.stderr) == (0, "main is done\n", "")
    assert time.monotonic() - began < 20
    with StorageManager(tmp_path / "store") as store:
        assert store.check(data=True).healthy


def test_interpreter_exit_waits_for_a_stuck_call_only_so_long(tmp_path: Path) -> None:
    code = """
        import logging, sys, threading, stepstore
        inside = threading.Event()

        class Stuck(logging.Handler):
            def emit(self, record):
                inside.set()
                threading.Event().wait()

        logging.getLogger("stepstore").setLevel(logging.INFO)
        logging.getLogger("stepstore").addHandler(Stuck())
        threading.Thread(target=stepstore.StorageManager, args=sys.argv[1:], daemon=True).start()
        inside.wait()
    """
    # logging's own hook at exit would wait for the handler's lock without end
    code += "    logging.getLogger('stepstore').handlers[0].lock = None\n"
    began = time.monotonic()
    done = run(code, tmp_path / "store")
    assert (done.returncode, done.stderr) == (0, "")
    assert 4 < time.monotonic() - began < 20


def test_calls_after_the_end_are_refused(tmp_path: Path) -> None:
    code = """
        import atexit, sys

        @atexit.register  # before stepstore's own, so it runs after it
        def late():
            try:
                store.list_sessions()
            except stepstore.Closed as error:
                print(error.operation, error.message)

        import stepstore
        store = stepstore.StorageManager(sys.argv[1])
    """
    done = run(code, tmp_path / "store")
    assert (done.returncode, done.stdout) == (0, "list_sessions the interpreter is exiting\n")


def test_a_child_forked_during_a_call_ends_cleanly(tmp_path: Path) -> None:
    code = """
        import logging, os, sys, stepstore
        store = stepstore.StorageManager(sys.argv[1])

        class Fork(logging.Handler):
            def emit(self, record):  # the log is handed on inside the call
                logger.removeHandler(self)
                print("forked", os.fork() and os.wait()[1], flush=True)

        logger = logging.getLogger("stepstore")
        logger.setLevel(logging.DEBUG)
        logger.addHandler(Fork())
        stepstore.StorageManager(sys.argv[1]).close()
        store.store_step_data("s", "1", "x")
        store.close()
    """
    done = run(code, tmp_path / "store")
    assert (done.returncode, done.stdout) == (0, "forked 0\nforked 0\n"), done.stderr


def test_a_failing_log_filter_does_not_fail_the_call(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Bad(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise RuntimeError(record.getMessage())

    logger = logging.getLogger("stepstore")
    bad = Bad()
    logger.addFilter(bad)
    logger.setLevel(logging.DEBUG)
    try:
        with StorageManager(tmp_path / "store") as store:
            assert store.store_step_data("s", "1", "x").version == 1
    finally:
        logger.removeFilter(bad)
        logger.setLevel(logging.NOTSET)
    assert "RuntimeError: the store is" in capfd.readouterr().err


def test_log_level_is_the_loggers_at_each_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="stepstore"):
        StorageManager(tmp_path / "a").close()
        assert caplog.records == []
        with caplog.at_level(logging.INFO, logger="stepstore"):
            StorageManager(tmp_path / "b").close()
        assert caplog.records
        caplog.clear()
        StorageManager(tmp_path / "c").close()
        assert caplog.records == []


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
