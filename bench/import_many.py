"""Measures `stepstore import` of many steps beside `s5cmd cp`: `./dev bench import`. Writes docs/benchmarks/import.md.

Runs beside a VersityGW that tests/servers/servers.py has started. What is imported is the bundled recording over and
over, as hard links. Both programs take turns, each into a prefix of its own, and who goes first changes with every
turn. Each run starts with the source in the page cache and nothing left to be written to the disk. stepstore gets a
terminal, so that its progress bar is there, and what it shows is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import basics
import pages

SESSIONS = 10
JOBS = 8  # steps at once: 24 parts on their way, and then 8 manifests
WORKERS = 32  # objects at once
SAMPLE_S = 0.05


@dataclass
class Measured:
    """One run of a program."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    # Resident memory without mapped files, in MiB, from the start on.
    memory: list[float] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)  # what the terminal saw, line by line

    @property
    def peak(self) -> float:
        return max(self.memory)

    @property
    def growth(self) -> float:
        """From when a tenth of the time had passed to the highest value after it."""
        tenth = len(self.memory) // 10
        return max(self.memory[tenth:]) - self.memory[tenth]


def links(recording: Path, into: Path, steps: int) -> int:
    """Makes the sessions; returns how many bytes they hold."""
    kinds = sorted(recording.iterdir())
    size = 0
    for i in range(steps):
        kind = kinds[i % len(kinds)]
        folder = into / f"session_{i * SESSIONS // steps}" / f"step_{i:05}"
        folder.mkdir(parents=True)
        for file in kind.iterdir():
            os.link(file, folder / file.name)
            size += file.stat().st_size
    return size


def anonymous_mib(pid: int) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else None


def same_start(source: Path) -> None:
    """Whatever ran before: its last writes are on the disk, and the source is in memory."""
    for file in source.rglob("*"):
        if file.is_file():
            file.read_bytes()
    os.sync()


def watch(command: list[str | Path], terminal: bool) -> Measured:
    """Runs it to its end. Raises CalledProcessError when it fails."""
    measured = Measured()
    mine, its = pty.openpty()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=its if terminal else None
    )
    os.close(its)
    reader = threading.Thread(target=read_all, args=(mine, measured.shown))
    reader.start()
    while process.poll() is None:
        memory = anonymous_mib(process.pid)
        if memory is not None:
            measured.memory.append(memory)
        time.sleep(SAMPLE_S)
    measured.seconds = time.perf_counter() - begun
    reader.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured.cpu_s = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, stderr="\n".join(measured.shown))
    return measured


def read_all(terminal: int, lines: list[str]) -> None:
    text = b""
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            read = b""
        if not read:
            break
        text += read
    os.close(terminal)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode(errors="replace"))
    lines += [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def checked(stepstore: Path, store: str, steps: int) -> None:
    done = subprocess.run([stepstore, "check", "--json", store], stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(done.stdout.splitlines()[-1])
    if report["steps"] != steps or not report["healthy"]:
        raise RuntimeError(f"the imported store is not as it should be: {report}")


def row(name: str, runs: list[Measured], steps: int, size: int) -> str:
    def over(value: list[float], digits: int) -> str:
        return f"{statistics.median(value):,.{digits}f} ({min(value):,.{digits}f} to {max(value):,.{digits}f})"

    seconds = [each.seconds for each in runs]
    return (
        f"| {name} | {over(seconds, 1)} s | {steps / statistics.median(seconds):,.0f} "
        f"| {size / 1e6 / statistics.median(seconds):,.0f} "
        f"| {over([each.cpu_s / steps * 1e6 for each in runs], 0)} µs "
        f"| {over([each.peak for each in runs], 0)} MiB | {over([each.growth for each in runs], 1)} MiB |"
    )


def page(ours: list[Measured], theirs: list[Measured], s5cmd: str, size: int, options: argparse.Namespace) -> str:
    bars = [line for line in ours[0].shown if "steps" in line]
    written = f"""Written by `./dev bench import` (`bench/import_many.py`) on {datetime.now(UTC):%Y-%m-%d}; do not edit.
{basics.machine()}; {options.runs} runs of each program, none left out; medians, the range in brackets."""
    short = f"""{options.steps:,} steps, {size / 1e6:,.0f} MB, from disk to VersityGW on the same machine:

| | time | steps/s | MB/s | CPU of the program, per step | memory, peak | memory, growth |
|---|---|---|---|---|---|---|
{row("`stepstore import`", ours, options.steps, size)}
{row(f"`s5cmd cp` {s5cmd}", theirs, options.steps, size)}"""
    full = f"""The steps are those of `samples/{options.recording}.tar.zst` over and over, in {SESSIONS} sessions.
VersityGW keeps them on disk. The programs take turns, and who goes first changes with every turn; before each run the
source is read and the disk synchronised. `stepstore import` reads each step, checksums its parts, looks whether the
same step is there, and commits it with a manifest ({JOBS} steps at once); afterwards `stepstore check` finds all
of them whole. `s5cmd cp` copies the files ({WORKERS} at once). Memory is the resident memory without mapped files,
looked at every {SAMPLE_S * 1000:.0f} ms; its growth is counted from when a tenth of the time had passed.

The progress bar of the first run, which was drawn {len(bars):,} times: at first, halfway and at the end.

```
{bars[0]}
{bars[len(bars) // 2]}
{bars[-1]}
```"""
    return pages.part("Import of many steps", written, short, full)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="times that each program is measured (default 3)")
    parser.add_argument("--steps", type=int, default=10_000, help="steps of a run (default 10000)")
    parser.add_argument(
        "--recording", choices=basics.RECORDINGS, default=basics.SMALL_STEPS, help="(default %(default)s)"
    )
    parser.add_argument("--smoke", action="store_true", help="200 steps, once; writes no page")
    parser.add_argument("--s5cmd", type=Path, default=basics.PEERS_BIN / "s5cmd")
    parser.add_argument("--stepstore", type=Path, default=basics.BUILD / "stepstore")
    options = parser.parse_args()
    if options.smoke:
        options.runs, options.steps = 1, 200
    if options.runs < 1 or options.steps < SESSIONS:
        parser.error(f"--runs is at least 1, --steps {SESSIONS}")
    if gone := basics.missing((options.s5cmd, options.stepstore)):
        parser.error(gone)
    servers = json.loads(os.environ.get("STEPSTORE_TEST_SERVERS", "[]"))
    if len(servers) != 1:
        parser.error("run it beside one server: tests/servers/servers.py run versitygw -- bench/import_many.py")
    server = servers[0]
    os.environ["AWS_REGION"] = server["region"]
    version = subprocess.run([options.s5cmd, "version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    copy = ["--log", "error", "--endpoint-url", server["endpoint"], "--numworkers", str(WORKERS), "cp"]

    ours: list[Measured] = []
    theirs: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="import-", dir=basics.BUILD) as work:
        source = Path(work, "source")
        size = links(basics.unpack(options.recording, Path(work)), source, options.steps)
        for turn in range(options.runs):
            store = server["uri"].replace("/?", f"/ours-{turn}?")
            imported = [options.stepstore, "import", "--jobs", str(JOBS), store, source]
            copied = [options.s5cmd, *copy, f"{source}/", f"s3://{server['bucket']}/s5cmd-{turn}/"]
            programs = [("stepstore import", imported, ours), ("s5cmd cp", copied, theirs)]
            for name, command, into in programs if turn % 2 == 0 else programs[::-1]:
                same_start(source)
                into.append(watch(command, terminal=into is ours))
                print(f"{name}: {into[-1].seconds:.1f} s, {into[-1].cpu_s:.1f} s of CPU", flush=True)
            checked(options.stepstore, store, options.steps)
    text = page(ours, theirs, version.split("-")[0].strip(), size, options)
    if not options.smoke:
        pages.write("import", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
