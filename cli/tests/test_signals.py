"""ctrl-C, a reader that goes away, a full disk behind standard output: each ends as the manual says."""

import os
import signal
import subprocess

from cli_support import make_session, reset_sigint


def end(process, timeout=20):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


def system_call(process) -> list[str]:
    """The system call that the main thread waits in: its number and arguments; empty while it runs."""
    try:
        with open(f"/proc/{process.pid}/syscall") as call:
            words = call.read().split()
    except OSError:
        return []
    return words if len(words) > 2 else []


def wait_until(process, condition):
    """Until the condition holds; the process must not end before."""
    while not condition(process):
        assert process.poll() is None


def waits_for_input(process) -> bool:
    return system_call(process)[:1] in (["7"], ["73"])  # poll on x86-64, ppoll on aarch64


def writes_to_a_pipe(process) -> bool:
    number, fd, *_ = system_call(process) or ["", "0"]
    if number not in ("1", "64"):  # write on x86-64 and aarch64
        return False
    return os.readlink(f"/proc/{process.pid}/fd/{int(fd, 16)}").startswith("pipe:")


def has_taken_its_signals(process) -> bool:
    with open(f"/proc/{process.pid}/status") as status:
        (pending,) = [line.split()[1] for line in status if line.startswith("ShdPnd:")]
    return int(pending, 16) == 0


def test_interrupt_while_it_waits_for_input(stepstore, store):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = stepstore.start("put", store, "s", "1", "--html", "-", stdin=subprocess.PIPE, preexec_fn=reset_sigint)
        process.stdin.write(b"<p>half")
        process.stdin.flush()
        wait_until(process, waits_for_input)
        process.send_signal(number)
        stdin, process.stdin = process.stdin, None
        ended, out, err = end(process)
        stdin.close()
        assert ended == code
        assert out == b""
        assert b"stepstore: " in err
        assert len(err.splitlines()) <= 2
    assert stepstore("ls", store).out == ""


def test_interrupt_in_the_middle_of_an_import(stepstore, store, tmp_path):
    session = make_session(tmp_path / "s", 400)
    process = stepstore.start("import", "--print-acknowledged", "--jobs", "1", store, session, preexec_fn=reset_sigint)
    acknowledged = [process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    code, out, err = end(process)
    acknowledged += [line for line in out.splitlines() if line.startswith(b"stored")]
    assert code == 130
    assert b"interrupted" in err
    listed = set(stepstore("ls", store, "s").lines)
    assert {line.split()[2].decode() for line in acknowledged} <= listed
    assert len(listed) < 400
    assert stepstore("check", "--data", "--json", store).json()["healthy"]
    stepstore("import", store, session)
    assert len(stepstore("ls", store, "s").lines) == 400


def test_a_second_interrupt_kills(stepstore, store, tmp_path):
    """Blocked on a pipe that nobody reads, the first one cannot end it; the second does."""
    page = tmp_path / "page"
    page.write_bytes(b"x" * 1_000_000)
    stepstore("put", store, "s", "1", "--html", page)
    process = stepstore.start("get", store, "s", "1", "--component", "html", preexec_fn=reset_sigint)
    wait_until(process, writes_to_a_pipe)
    process.send_signal(signal.SIGINT)
    wait_until(process, has_taken_its_signals)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == -signal.SIGINT
    process.stdout.close()
    process.stderr.close()


def test_an_ignored_interrupt_stays_ignored(stepstore, store):
    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = stepstore.start("put", store, "s", "1", "--html", "-", stdin=subprocess.PIPE, preexec_fn=ignore)
    wait_until(process, waits_for_input)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(b"<p>", timeout=20)
    assert process.returncode == 0
    assert err == b""


def test_a_reader_that_went_away(stepstore, store, tmp_path):
    """Ends quietly, as other tools do when they are piped into `head`."""
    page = tmp_path / "page"
    page.write_bytes(b"x" * 1_000_000)
    stepstore("put", store, "s", "1", "--html", page)
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = stepstore.start("get", store, "s", "1", "--component", "html", stdout=write_end)
    os.close(write_end)
    code, _, err = end(process)
    assert code == 141
    assert err == b""


def test_a_full_disk_behind_standard_output(stepstore, store):
    stepstore("put", store, "s", "1", "--action-json", "1")
    with open("/dev/full", "wb") as full:
        for args in (("ls", store), ("ls", "--json", store, "s"), ("--version",), ("help",)):
            process = stepstore.start(*args, stdout=full)
            code, _, err = end(process)
            assert code == 8, args
            assert b"cannot write to standard output: No space left on device" in err


def test_closed_standard_descriptors(stepstore, store):
    stepstore("put", store, "s", "1", "--action-json", "1")

    def run(shell):
        return subprocess.run(
            ["bash", "-c", shell, "bash", stepstore.path, store], capture_output=True, timeout=60, check=False
        )

    closed = run('"$1" ls "$2" >&-')
    assert closed.returncode == 13
    assert b"standard output" in closed.stderr
    assert run('"$1" get "$2" s nope 2>&-').returncode == 3
    assert run('"$1" put "$2" s 2 --html - <&-').returncode != 0
    assert run('"$1" put "$2" s 3 --action-json 3 >&- 2>&- <&-').returncode != 139
    assert stepstore("get", store, "s", "3", "--component", "action").out == "3"
    assert stepstore("check", "--data", "--json", store).json()["healthy"]
