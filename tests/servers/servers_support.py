"""How the tests of servers.py run it, and look at what is left of a run."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVERS = HERE / "servers.py"
# The command notes who runs beside it, itself last, and what it was told.
TELL = (
    'cat "/proc/$PPID/task/$PPID/children" >"$TOLD.pids"; '
    'echo "$STEPSTORE_TEST_SERVERS" >"$TOLD.part"; mv "$TOLD.part" "$TOLD"'
)
SLEEP = f"{TELL}; exec sleep 600"


class Run:
    """One run of `servers.py run`, with its temporary files in a folder of its own."""

    def __init__(self, folder: Path, *arguments: object, **environment: str) -> None:
        self.temporary, self.told = folder / "tmp", folder / "told"
        self.temporary.mkdir(parents=True)
        self.process = subprocess.Popen(
            [sys.executable, SERVERS, "run", *map(str, arguments)],
            env=os.environ | environment | {"TMPDIR": str(self.temporary), "TOLD": str(self.told)},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pids: list[int] = []

    def servers(self) -> list[dict[str, str]]:
        """What the command was told, once it has been started."""
        wait_until(lambda: self.told.exists() or self.process.poll() is not None)
        if not self.pids:
            self.pids = [int(word) for word in Path(f"{self.told}.pids").read_text().split()]
        return json.loads(self.told.read_text())

    def end(self) -> tuple[int, str]:
        error = self.process.communicate(timeout=60)[1]
        return self.process.returncode, error

    def left(self) -> list[str]:
        """What there still is of the run: processes, listening ports, files."""
        ports = [int(each["endpoint"].rsplit(":", 1)[1]) for each in self.servers()] if self.told.exists() else []
        return (
            [f"process {pid}" for pid in self.pids if alive(pid)]
            + [f"port {port}" for port in ports if listening(port)]
            + [f"file {path}" for path in self.temporary.iterdir()]
        )


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def servers_py(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SERVERS, *arguments],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
