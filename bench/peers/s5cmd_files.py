"""s5cmd, a program that copies files: those of the steps are written to a folder first, and read from one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from peers.memory import Watched
from peers.peer import FILES, IN_FLIGHT, Step, check

PROGRAM = Path(sys.executable).with_name("s5cmd")


class S5cmd:
    name = "s5cmd"
    version = subprocess.run([PROGRAM, "version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split("-")[0]

    def __init__(self, endpoint: str, bucket: str) -> None:
        self._command: list[str | Path] = [PROGRAM, "--endpoint-url", endpoint, "--numworkers", str(IN_FLIGHT)]
        self._place = f"s3://{bucket}/s5cmd"
        self.program_bytes_max = 0

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
            # Each by its name: a wildcard would list the bucket for every step.
            copies = (
                f"cp {self._place}/{step.name}/{file} {work}/{step.name}/{file}" for step in steps for file in FILES
            )
            self._run("run", lines="\n".join(copies))
            for step in steps:
                check(step, [Path(work, step.name, file).read_bytes() for file in FILES])

    def list(self) -> int:
        return self._run("ls", f"{self._place}/*").count("\n")

    def close(self) -> None:
        pass

    def _run(self, *arguments: str, lines: str = "") -> str:
        command: list[str | Path] = [*self._command, *arguments]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            with Watched(program.pid) as watched:
                said, _ = program.communicate(lines)
            self.program_bytes_max = max(self.program_bytes_max, watched.bytes)
        if program.returncode != 0:
            raise subprocess.CalledProcessError(program.returncode, command)
        return str(said)


PEER = S5cmd
