"""A command gets the servers that it asked for, and none is left behind, however the command or servers.py ends."""

import os
import pty
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from servers_support import SERVERS, SLEEP, TELL, alive, children, listening, servers_py, wait_until


def test_the_command_is_told_where_the_servers_are_and_how_to_sign(start):
    noting = f'env -0 >"$TOLD.env"; {SLEEP}'
    run = start(
        "moto", "versitygw", "--", "sh", "-c", noting, AWS_SESSION_TOKEN="mine", http_proxy="http://127.0.0.1:9"
    )
    moto, versitygw = run.servers()
    assert (moto["name"], versitygw["name"]) == ("moto", "versitygw")
    assert versitygw["uri"] == f"s3://stepstore-test/?endpoint={versitygw['endpoint']}&region=us-east-1"
    assert "no-signatures" in moto["traits"]
    words = Path(f"{run.told}.env").read_text().split("\0")
    given = dict(word.split("=", 1) for word in words if word)
    assert (given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"]) == ("testkey", "testsecret")
    assert "AWS_SESSION_TOKEN" not in given
    assert "127.0.0.1" in given["no_proxy"].split(",")
    assert list(run.temporary.iterdir())
    run.process.terminate()
    run.end()
    assert run.left() == []


@pytest.mark.parametrize(
    ("last", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
)
def test_the_exit_status_is_the_commands_and_nothing_is_left(start, last, status):
    run = start("versitygw", "moto", "--", "sh", "-c", f"{TELL}; {last}")
    assert len(run.servers()) == 2
    assert run.end() == (status, "")
    assert run.left() == []


def test_a_command_that_is_not_there(start):
    run = start("versitygw", "--", "/no/such/command")
    assert run.end() == (127, "servers.py: cannot run /no/such/command: No such file or directory\n")
    assert run.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_and_the_servers(start, number):
    run = start("moto", "versitygw", "--", "sh", "-c", SLEEP)
    run.servers()
    assert len(run.pids) == 3
    run.process.send_signal(number)
    assert run.end() == (128 + number, "")
    assert run.left() == []


def test_a_command_that_ignores_the_signal_is_killed_with_its_children(start):
    run = start("--grace", "0.2", "versitygw", "--", "sh", "-c", f"trap '' TERM; {TELL}; sleep 600 & exec sleep 600")
    run.servers()
    wait_until(lambda: len(children(run.pids[-1])) == 1)
    run.pids += children(run.pids[-1])
    run.process.terminate()
    assert run.end() == (143, "servers.py: the command did not end within 0.2 s; killing it\n")
    assert run.left() == []


def test_further_signals_do_not_cut_the_grace_short(start):
    run = start("--grace", "1", "versitygw", "--", "sh", "-c", f"trap '' TERM; {TELL}; exec sleep 600")
    run.servers()
    for _ in range(5):
        run.process.terminate()
        time.sleep(0.02)
    assert run.end() == (143, "servers.py: the command did not end within 1 s; killing it\n")
    assert run.left() == []


def test_signals_while_it_ends_do_not_interrupt_the_stopping(start):
    run = start("moto", "versitygw", "--", "sh", "-c", f"{TELL}; read -r _ <$TOLD.go")
    os.mkfifo(f"{run.told}.go")
    run.servers()
    Path(f"{run.told}.go").write_text("go\n")
    wait_until(lambda: not alive(run.pids[-1]))
    while run.process.poll() is None:
        run.process.terminate()
        time.sleep(0.001)
    assert run.end()[0] in (0, 143)
    assert run.left() == []


def test_ctrl_c_at_a_terminal(tmp_path):
    """There the command shares the process group, and reads what is typed."""
    log = tmp_path / "log"
    script = f"read -r line; echo $line >{log}; trap 'echo interrupted >>{log}; exit 1' INT; read -r _"
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TMPDIR"] = str(tmp_path)
        os.execv(sys.executable, [sys.executable, str(SERVERS), "run", "versitygw", "--", "bash", "-c", script])
    os.write(terminal, b"typed\n")
    wait_until(lambda: log.exists() and log.read_text() == "typed\n")
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    os.close(terminal)
    assert log.read_text() == "typed\ninterrupted\n"
    assert list(tmp_path.iterdir()) == [log]


def test_sigkill_leaves_files_and_no_process(start):
    run = start("moto", "versitygw", "--", "sh", "-c", SLEEP)
    run.servers()
    run.process.kill()
    run.end()
    wait_until(lambda: not [each for each in run.left() if not each.startswith("file")])


def test_a_signal_at_any_moment_of_the_start_leaves_nothing(start):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(10):
        run = start("versitygw", "--", "sh", "-c", SLEEP)
        time.sleep(dice.uniform(0, 0.5))
        run.pids = children(run.process.pid) if run.process.poll() is None else []
        run.process.terminate()
        # Before its handlers are there, SIGTERM ends it as any process.
        assert run.end()[0] in (143, -signal.SIGTERM)
        wait_until(lambda run=run: not run.left(), seconds=5)


def test_a_server_that_ends_under_the_command_is_reported(start):
    run = start("moto", "--", "sh", "-c", f"{TELL}; read -r _ <$TOLD.go")
    os.mkfifo(f"{run.told}.go")
    run.servers()
    moto = run.pids[0]
    os.kill(moto, signal.SIGKILL)
    wait_until(lambda: not alive(moto))
    Path(f"{run.told}.go").write_text("go\n")
    status, error = run.end()
    assert status == 125
    assert "ended with status -9; its last lines:" in error
    assert run.left() == []


def test_two_runs_do_not_share_anything(start):
    first, second = (start("moto", "versitygw", "--", "sh", "-c", SLEEP) for _ in range(2))
    endpoints = {each["endpoint"] for run in (first, second) for each in run.servers()}
    assert len(endpoints) == 4
    first.process.terminate()
    first.end()
    assert first.left() == []
    assert all(listening(int(each["endpoint"].rsplit(":", 1)[1])) for each in second.servers())


def test_the_files_are_kept_when_asked_for(start):
    run = start("--keep", "versitygw", "--", "true")
    status, error = run.end()
    (kept,) = run.temporary.iterdir()
    assert (status, error) == (0, f"servers.py: the servers' files are in {kept}\n")
    assert (kept / "versitygw" / "root" / "stepstore-test").is_dir()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "minio", "--", "true"], "invalid choice: 'minio'"),
        (["run", "moto", "moto", "--", "true"], "a server is named twice"),
        (["run", "moto", "--"], "-- stands before the command of run"),
        (["install", "moto", "--", "true"], "-- stands before the command of run"),
    ],
)
def test_wrong_usage(arguments, says):
    done = servers_py(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
