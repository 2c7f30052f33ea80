"""Measures stepstore on a recording and writes the figures to docs/benchmarks/steps.md.

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
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import basics
import pages
import s3_page
import s3_rows
import steps_page
import stepstore
from steps_page import Rows


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="one short pass; check that every row is there")
    parser.add_argument("--rounds", type=int, default=20, help="passes through the recording in a run (default 20)")
    parser.add_argument("--runs", type=int, default=5, help="times that all of it is measured (default 5)")
    parser.add_argument("--program", type=Path, default=basics.BUILD / "bench" / "bench" / "stepstore_bench")
    parser.add_argument("--server", type=Path, default=basics.SERVER)
    parser.add_argument("--dir", type=Path, default=basics.BUILD, help="a folder on the disk to be measured")
    parser.add_argument("--memory", type=Path, default=Path("/dev/shm"), help="a folder in memory (default /dev/shm)")
    parser.add_argument(
        "--recording", choices=basics.RECORDINGS, default=basics.SMALL_STEPS, help="(default %(default)s)"
    )
    options = parser.parse_args()
    if options.rounds < 2 or options.runs < 1:
        parser.error("--rounds is at least 2, and --runs at least 1")
    if gone := basics.missing((options.program, options.server)):
        parser.error(gone)
    rounds, runs_wanted = (2, 2) if options.smoke else (options.rounds, options.runs)

    with new_folders(options.dir, options.memory) as work:
        recording = basics.unpack(options.recording, work.disk)
        runs = measure_runs(options.program, recording, work, rounds, runs_wanted)
        recorded = steps_of(recording)
        rows = joined(runs) | measure_python(recorded, work.memory / "python", rounds)
        programs = (options.program, options.server)
        over_s3 = s3_rows.measure(programs, recording, recorded, 1 if options.smoke else rounds)
        what = steps_page.What(options.recording, len(recorded), basics.step_kb(recording), basics.machine(work.disk))

    wanted = {name for name, _, _ in steps_page.TIME_ROWS + steps_page.CPU_ROWS}
    if set(rows) != wanted or not all(values and min(values) > 0 for values in rows.values()):
        print(f"rows are missing or empty: wanted {sorted(wanted)}, got {rows}", file=sys.stderr)
        return 1
    text = steps_page.page(runs, rows, over_s3, what)
    print(text)
    if not options.smoke:
        s3_page.draw(over_s3, pages.picture(s3_page.PICTURE))
        pages.write("steps", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
