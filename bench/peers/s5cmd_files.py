"""s5cmd, a program that copies files: those of the steps are written to a folder first, and read from one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from peers.peer import FILES, IN_FLIGHT, Step, check

PROGRAM = Path(sys.executable).with_name("s5cmd")


class S5cmd:
    name = "s5cmd"
    version = subprocess.run([PROGRAM, "version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split("-")[0]

    def __init__(self, endpoint: str, bucket: str) -> None:
        self._command = [PROGRAM, "--endpoint-url", endpoint, "--numworkers", str(IN_FLIGHT)]
        self._place = f"s3://{bucket}/s5cmd"

    def store(self, steps: Sequence[Step]) -> None:
        with tempfile.TemporaryDirectory() as work:
            for step in steps:
                folder = Path(work, step.name)
                folder.mkdir()
                for file, body in zip(FILES, step.objects(), strict=True):
                    (folder / file).write_bytes(body)
            self._run("cp", f"{work}/", f"{self._place}/")

    def retrieve(self, steps: Sequence[Step]) -> None:
        with tempfile.TemporaryDirectory() as work:
            copies = (f"cp {self._place}/{step.name}/* {work}/{step.name}/" for step in steps)
            self._run("run", lines="\n".join(copies))
            for step in steps:
                check(step, [Path(work, step.name, file).read_bytes() for file in FILES])

    def list(self) -> int:
        return self._run("ls", f"{self._place}/*").count("\n")

    def close(self) -> None:
        pass

    def _run(self, *arguments: str, lines: str = "") -> str:
        command = [*self._command, *arguments]
        return subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout


PEER = S5cmd
