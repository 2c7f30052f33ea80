"""Programs that are started for a test and never outlive it: free ports, waiting until one answers, stopping."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PORTS = range(20_000, 32_000)  # below those that the system gives to clients
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ServerError(Exception):
    """A server could not be installed or started, or ended too early. The message says what to do."""


class Ports:
    """Free ports of 127.0.0.1 that no other run chooses at the same time.

    A port is held by an abstract Unix socket of its number, which the system gives up with the process: a listening
    socket of the server's own comes only later, and some servers would share its port with another's.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self) -> int:
        for _ in range(1000):
            port = random.choice(PORTS)
            hold = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                hold.bind(f"\0stepstore-test-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                hold.close()
                continue
            finally:
                probe.close()
            self._held.append(hold)
            return port
        raise ServerError(f"found no free port of 127.0.0.1 from {PORTS.start} to {PORTS.stop - 1}")

    def release(self) -> None:
        for hold in self._held:
            hold.close()


def die_with_parent() -> None:
    """In a child: SIGKILL when the process that started it is gone, however that happened."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tail(log: Path, lines: int = 15) -> str:
    text = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "".join(f"\n  | {line}" for line in text) or "\n  | (it wrote nothing)"


class Program:
    """One process of a server, leader of a group of its own."""

    # preexec_fn is safe here and below: these programs have one thread.

    def __init__(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str], stop: signal.Signals
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        self._stop = stop
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )

    def check(self) -> None:
        """Raises ServerError when the process has ended."""
        status = self._process.poll()
        if status is not None:
            raise ServerError(f"{self.name} ended with status {status}; its last lines:{tail(self.log)}")

    def begin_stop(self) -> None:
        self._signal(self._stop)

    def end_stop(self, deadline: float) -> None:
        """Waits for it until the deadline, then kills it and whatever it has started."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, which: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, which)


def stop_all(programs: Sequence[Program], grace: float = 3.0) -> None:
    deadline = time.monotonic() + grace
    for program in programs:
        program.begin_stop()
    for program in programs:
        program.end_stop(deadline)


def wait_for_answer(
    programs: Sequence[Program], port: int, seconds: float, path: str = "/", status: int | None = None
) -> None:
    """Returns once an HTTP request to the port has been answered: with that status, or whatever the answer says."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for program in programs:
            program.check()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if status in (None, answer.status):
                return
            time.sleep(0.05)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    waiting = programs[-1]
    raise ServerError(f"{waiting.name} has not answered for {seconds:.0f} s; its last lines:{tail(waiting.log)}")


def run_tool(command: Sequence[str | Path], log: Path, environment: Mapping[str, str], seconds: float) -> None:
    """Runs a command that ends by itself. Raises ServerError when it fails or takes longer."""
    name = Path(command[0]).name
    with log.open("wb") as out:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=seconds,
                check=False,
                preexec_fn=die_with_parent,
            )
        except subprocess.TimeoutExpired:
            raise ServerError(f"{name} took longer than {seconds:.0f} s; its last lines:{tail(log)}") from None
    if done.returncode != 0:
        raise ServerError(f"{name} ended with status {done.returncode}; its last lines:{tail(log)}")
