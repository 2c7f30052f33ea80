"""What the tests of the command use: the real binary, recordings to feed it, a terminal to run it on."""

import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "canary"))

from canary import keep

ROOT = Path(__file__).resolve().parents[2]


def binary() -> Path:
    """The command under test: $STEPSTORE_BIN, else what `./dev build` leaves."""
    path = Path(os.environ.get("STEPSTORE_BIN", ROOT / "build" / "stepstore")).resolve()
    if not os.access(path, os.X_OK):
        pytest.exit(f"there is no stepstore command at {path}: run ./dev build, or set STEPSTORE_BIN", 2)
    return path


class Result:
    def __init__(self, code: int, out: bytes, err: bytes):
        self.code, self.stdout, self.stderr = code, out, err

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def err(self) -> str:
        return self.stderr.decode()

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def json(self):
        """The one JSON object on standard output."""
        (line,) = self.lines
        return json.loads(line)

    def jsons(self) -> list:
        return [json.loads(line) for line in self.lines]

    def error(self) -> dict:
        """The JSON error on standard error."""
        (line,) = self.err.splitlines()
        return json.loads(line)["error"]


class Command:
    """Runs `stepstore`. Expects exit code 0 unless told another; `code=None` takes any."""

    def __init__(self, cwd: Path):
        self.path = binary()
        self.cwd = cwd
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("STEPSTORE_LOG", "NO_COLOR", "SM_"))}
        self.env["TERM"] = "xterm"

    def __call__(self, *args, code=0, stdin=b"", env=None, **kwargs) -> Result:
        done = subprocess.run(
            [self.path, *map(os.fspath, args)],
            input=stdin,
            check=False,
            capture_output=True,
            cwd=self.cwd,
            env={**self.env, **(env or {})},
            timeout=120,
            **kwargs,
        )
        keep("cli.log", f"== {os.environ.get('PYTEST_CURRENT_TEST', '')}\n", done.stdout, done.stderr)
        result = Result(done.returncode, done.stdout, done.stderr)
        if code is not None:
            assert result.code == code, f"exit code {result.code}, not {code}: {result.stderr!r} {result.stdout!r}"
        return result

    def start(self, *args, env=None, **kwargs) -> subprocess.Popen:
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(
            [self.path, *map(os.fspath, args)], cwd=self.cwd, env={**self.env, **(env or {})}, **kwargs
        )

    def on_terminal(self, *args, keys=b"", code=0, streams=("stdin", "stdout", "stderr"), env=None, columns=80):
        """Runs it with these streams on a terminal. Returns what the terminal got, and the Result."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        plain = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = self.start(*args, env=env, **{name: theirs if name in streams else plain[name] for name in plain})
        os.close(theirs)
        if keys:
            os.write(ours, keys)
        seen = b""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    block = os.read(ours, 65536)
                except OSError:  # EIO: everybody has closed the other end
                    break
                if not block:
                    break
                seen += block
        out, err = process.communicate(timeout=60)
        os.close(ours)
        result = Result(process.returncode, out or b"", err or b"")
        assert result.code == code, f"exit code {result.code}, not {code}: {seen!r} {err!r}"
        return seen, result


def png(seed: int = 0) -> bytes:
    """A whole PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixel = zlib.compress(b"\0" + bytes([seed % 256, 0, 0]))
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def make_step(folder: Path, n: int = 0, **extra: bytes) -> Path:
    """A step's folder with the four usual files and `extra` ones."""
    folder.mkdir(parents=True)
    (folder / "observation.html").write_bytes(b"<!doctype html><p>step %d</p>" % n)
    (folder / "screenshot.png").write_bytes(png(n))
    (folder / "action.json").write_bytes(b'{ "type": "click", "n": %d }' % n)
    (folder / "metadata.json").write_bytes(b'{"url": "https://example.com/%d",\n "title": "\xc3\xa9"}\n' % n)
    for name, data in extra.items():
        (folder / name).write_bytes(data)
    return folder


def make_session(folder: Path, steps: int = 3) -> Path:
    for n in range(steps):
        make_step(folder / f"{n:04}", n)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, with its bytes."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def reset_sigint():
    """For Popen(preexec_fn=...): a test runner in the background has SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
