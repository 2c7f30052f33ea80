"""Measures stepstore on a recording and writes the figures to docs/benchmarks.md.

./dev bench               all of it, a minute or two
bench/run.py --smoke      once through, to see that every row is measured; writes nothing

On disk: how long a durable step takes, and how much CPU time a step costs its recorder, from C++ and from Python,
beside the bare system calls for the same promise. Over S3: the same beside bare sockets and beside four boto3 calls in
a row.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import s3_page
import s3_rows
import stepstore

ROOT = Path(__file__).resolve().parents[1]
RECORDING = "pg-tour"
PAGE = ROOT / "docs" / "benchmarks.md"
SERVER = "testing/fault_server/stepstore-fault-server"

Rows = dict[str, list[float]]

# Each row of the page: its name, what stands in the table, the row that it is compared with.
TIME_ROWS = (
    ("durable_bare", "bare system calls", None),
    ("durable_store", "`store_step_data`", "durable_bare"),
)
CPU_ROWS = (
    ("cpu_bare_write", "write 4 files, bare system calls", None),
    ("cpu_store", "`store_step_data`, C++", "cpu_bare_write"),
    ("cpu_python_store", "`store_step_data`, Python", "cpu_bare_write"),
    ("cpu_bare_read", "read 4 files, bare system calls", None),
    ("cpu_retrieve", "`retrieve_step_data`, C++", "cpu_bare_read"),
    ("cpu_python_retrieve", "`retrieve_step_data`, Python", "cpu_bare_read"),
)


def unpack(work: Path) -> Path:
    subprocess.run(["tar", "--zstd", "-xf", ROOT / "samples" / f"{RECORDING}.tar.zst", "-C", work], check=True)
    return work / RECORDING


@dataclass(frozen=True)
class Folders:
    disk: Path
    memory: Path


@contextlib.contextmanager
def new_folders(disk: Path, memory: Path) -> Iterator[Folders]:
    made = []
    try:
        for place in (disk, memory):
            place.mkdir(parents=True, exist_ok=True)
            made.append(Path(tempfile.mkdtemp(prefix="bench-", dir=place)))
        yield Folders(*made)
    finally:
        for each in made:
            shutil.rmtree(each)


def measure_runs(program: Path, recording: Path, work: Folders, rounds: int, runs: int) -> list[Rows]:
    """The program's rows, run after run, each in a process and folders of its own."""
    rows = []
    for i in range(runs):
        disk, memory = work.disk / f"cpp-{i}", work.memory / f"cpp-{i}"
        rows.append(measure_cpp([program, recording, disk, memory, str(rounds)]))
        shutil.rmtree(memory)
    return rows


def joined(runs: list[Rows]) -> Rows:
    return {name: [value for run in runs for value in run[name]] for name in runs[0]}


def measure_cpp(command: list[str | Path]) -> Rows:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {row["row"]: row["values"] for row in map(json.loads, done.stdout.splitlines())}


def steps_of(recording: Path) -> list[dict[str, Any]]:
    """As a recorder in Python holds them: the arguments of `store_step_data`."""
    return [
        {
            "html_content": (folder / "observation.html").read_text(),
            "screenshot_bytes": (folder / "screenshot.png").read_bytes(),
            "action_data": json.loads((folder / "action.json").read_bytes()),
            "metadata": json.loads((folder / "metadata.json").read_bytes()),
        }
        for folder in sorted(recording.iterdir())
    ]


def measure_python(steps: list[dict[str, Any]], work: Path, rounds: int) -> Rows:
    """CPU time per step in microseconds, one value a round."""

    def cpu(one: Callable[[str, dict[str, Any]], None]) -> list[float]:
        values = []
        for turn in range(rounds):
            begun = time.process_time_ns()
            for i, step in enumerate(steps):
                one(f"{turn}-{i}", step)
            values.append((time.process_time_ns() - begun) / len(steps) / 1000)
        return values

    with stepstore.StorageManager(work, fsync=False) as store:
        store.store_step_data("session", "first", **steps[0])

        def write(name: str, step: dict[str, Any]) -> None:
            store.store_step_data("session", name, **step)

        def read(name: str, step: dict[str, Any]) -> None:
            html, screenshot, action = store.retrieve_step_data("session", name)
            if (html, action) != (step["html_content"], step["action_data"]) or screenshot is None:
                raise AssertionError(f"step {name} came back changed")

        return {"cpu_python_store": cpu(write), "cpu_python_retrieve": cpu(read)}


def table(rows: Rows, layout: tuple[tuple[str, str, str | None], ...], first: str) -> str:
    lines = [f"| {first} | median | middle half | values | beside the bare calls |", "|---|---|---|---|---|"]
    for name, title, base in layout:
        values = rows[name]
        low, middle, high = statistics.quantiles(values, n=4)
        ratio = f"{middle / statistics.median(rows[base]):.2f} times" if base else ""
        lines.append(f"| {title} | {middle:,.0f} µs | {low:,.0f} to {high:,.0f} µs | {len(values)} | {ratio} |")
    return "\n".join(lines)


def machine(folder: Path) -> str:
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "")
    kind = subprocess.run(
        ["findmnt", "-no", "FSTYPE", "-T", folder], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model or platform.machine()}), {memory:.0f} GiB of memory, {kind}, "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def ratios(run: Rows) -> list[float]:
    """Each durable store beside the bare calls of its turn."""
    return [store / bare for bare, store in zip(run["durable_bare"], run["durable_store"], strict=True)]


def run_table(runs: list[Rows]) -> str:
    lines = [
        "| run | bare system calls | `store_step_data` | stored beside bare, turn by turn | middle half |",
        "|---|---|---|---|---|",
    ]
    for number, run in enumerate(runs, 1):
        low, middle, high = statistics.quantiles(ratios(run), n=4)
        bare, store = (statistics.median(run[name]) for name in ("durable_bare", "durable_store"))
        lines.append(f"| {number} | {bare:,.0f} µs | {store:,.0f} µs | {middle:.2f} times | {low:.2f} to {high:.2f} |")
    return "\n".join(lines)


def page(runs: list[Rows], rows: Rows, over_s3: dict[int, Rows], described: str, sizes: tuple[int, int]) -> str:
    steps, average = sizes
    middles = [statistics.median(ratios(run)) for run in runs]
    return f"""# Measurements

Written by `./dev bench` (`bench/run.py`), which measures them again; do not edit. stepstore {stepstore.__version__} on
{described}.
The steps are those of `samples/{RECORDING}.tar.zst`: {steps} steps of {average / 1000:.0f} kB on average, four files
each (page, screenshot, action, and metadata or the manifest that holds it).

## A durable step

Time until a step survives a crash of the machine. The bare system calls for the same promise: make a folder, write four
files, sync each, sync the folder, rename it, sync its parent. Both run by turns in one process, so that they see the
same disk in the same state.

{table(rows, TIME_ROWS, "time per step")}

The table joins {len(runs)} runs, one after the other and none left out. A disk's speed drifts, so each stored step is
also set beside the bare one of its turn: {statistics.median(middles):.2f} times in the middle run,
{min(middles):.2f} to {max(middles):.2f} over the runs.

{run_table(runs)}

## CPU time of a step

What a step costs the program that records it, by the process's CPU clock, the kernel's part included, in a file system
in memory (`/dev/shm`) with `fsync=false`; so nothing waits for a disk, and no write-back of older bytes is counted. One
value is the average over the recording; bare calls and the store take turns. The store's part beyond the
bare calls: checks of ids and JSON, checksums of every byte, locks and the manifest; when reading, the comparison of
every checksum. Python's part: JSON from and to Python's values, text from and to UTF-8.

{table(rows, CPU_ROWS, "CPU time per step")}

{s3_page.text(over_s3)}"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="one short pass; check that every row is there")
    parser.add_argument("--rounds", type=int, default=20, help="passes through the recording in a run (default 20)")
    parser.add_argument("--runs", type=int, default=5, help="times that all of it is measured (default 5)")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "bench" / "bench" / "stepstore_bench")
    parser.add_argument("--server", type=Path, default=ROOT / "build" / "bench" / SERVER)
    parser.add_argument("--dir", type=Path, default=ROOT / "build", help="a folder on the disk to be measured")
    parser.add_argument("--memory", type=Path, default=Path("/dev/shm"), help="a folder in memory (default /dev/shm)")
    parser.add_argument("--output", type=Path, default=PAGE, help="the page to write (default docs/benchmarks.md)")
    options = parser.parse_args()
    if options.rounds < 2 or options.runs < 1:
        parser.error("--rounds is at least 2, and --runs at least 1")
    for program in (options.program, options.server):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there: run ./dev bench, or say where it is")
    rounds, runs_wanted = (2, 2) if options.smoke else (options.rounds, options.runs)

    with new_folders(options.dir, options.memory) as work:
        recording = unpack(work.disk)
        runs = measure_runs(options.program, recording, work, rounds, runs_wanted)
        recorded = steps_of(recording)
        rows = joined(runs) | measure_python(recorded, work.memory / "python", rounds)
        programs = (options.program, options.server)
        over_s3 = s3_rows.measure(programs, recording, recorded, 1 if options.smoke else rounds)
        steps = len(recorded)
        total = sum(file.stat().st_size for file in recording.rglob("*") if file.is_file())
        described = machine(work.disk)

    wanted = {name for name, _, _ in TIME_ROWS + CPU_ROWS}
    if set(rows) != wanted or not all(values and min(values) > 0 for values in rows.values()):
        print(f"rows are missing or empty: wanted {sorted(wanted)}, got {rows}", file=sys.stderr)
        return 1
    text = page(runs, rows, over_s3, described, (steps, total // steps))
    print(text)
    if not options.smoke:
        options.output.write_text(text)
        s3_page.draw(over_s3, options.output.parent / s3_page.PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
