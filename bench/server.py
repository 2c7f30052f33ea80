"""The project's own S3 server in memory, for measurements: in a process of its own, so that its CPU time is its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BUCKET = "bench"


@dataclass(frozen=True)
class Server:
    """Where it listens, and how long it waits before every answer."""

    endpoint: str
    delay_ms: int

    def uri(self, prefix: str) -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint={self.endpoint}&region=us-east-1"


@dataclass(frozen=True)
class Certificate:
    """Of 127.0.0.1, signed by itself."""

    file: Path
    key_file: Path


def certificate(folder: Path) -> Certificate:
    """Makes one, which lasts a month."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=benchmark", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-addext", "basicConstraints=critical,CA:FALSE"]  # else Rust takes it for an authority only
    command += ["-keyout", str(made.key_file), "-out", str(made.file)]
    subprocess.run(command, check=True, capture_output=True)
    return made


@contextlib.contextmanager
def server(
    program: Path, delay_ms: int, https: Certificate | None = None, more: Sequence[str] = ()
) -> Iterator[Server]:
    """Starts one on a free port, empty; it ends with the block. `more`: further options of the program."""
    command: list[str | Path] = [program, "--bucket", BUCKET, "--delay-ms", str(delay_ms), *more]
    if https:
        command += ["--certificate", https.file, "--key", https.key_file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            if not first.startswith("listening on "):
                raise RuntimeError(f"{program} did not start: {first!r}")
            yield Server(first.split()[-1], delay_ms)
        finally:
            process.terminate()
