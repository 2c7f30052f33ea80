"""docs/benchmarks/steps.md: a durable step, its CPU time, and the same over S3, from run.py's rows."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime

import pages
import s3_page
import stepstore
from s3_rows import DELAY_MS

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


def table(rows: Rows, layout: tuple[tuple[str, str, str | None], ...], first: str) -> str:
    lines = [f"| {first} | median | middle half | values | beside the bare calls |", "|---|---|---|---|---|"]
    for name, title, base in layout:
        values = rows[name]
        low, middle, high = statistics.quantiles(values, n=4)
        ratio = f"{middle / statistics.median(rows[base]):.2f} times" if base else ""
        lines.append(f"| {title} | {middle:,.0f} µs | {low:,.0f} to {high:,.0f} µs | {len(values)} | {ratio} |")
    return "\n".join(lines)


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


@dataclass(frozen=True)
class What:
    """What was measured, and where."""

    recording: str
    steps: int
    step_kb: float
    machine: str


def in_short(runs: list[Rows], rows: Rows, over_s3: dict[int, Rows]) -> str:
    beside = statistics.median(statistics.median(ratios(run)) for run in runs)

    def us(found: Rows, name: str) -> float:
        return statistics.median(found[name])

    def cpu(what: str) -> str:
        return f"C++ {us(rows, f'cpu_{what}'):,.0f} µs, Python {us(rows, f'cpu_python_{what}'):,.0f} µs"

    def s3(what: str) -> str:
        near = over_s3[0]
        trips = us(over_s3[DELAY_MS], f"s3_time_{what}") / 1000 / DELAY_MS
        ratio = us(near, f"s3_cpu_python_{what}") / us(near, f"s3_cpu_boto3_{what}")
        return (
            f"C++ {us(near, f's3_cpu_{what}'):,.0f} µs, Python {us(near, f's3_cpu_python_{what}'):,.0f} µs, "
            f"{ratio:.2f} of boto3's four calls; {trips:.2f} round trips"
        )

    return f"""| | store | retrieve |
|---|---|---|
| time until it is durable, beside the bare system calls | {beside:.2f} times | |
| CPU time, local | {cpu("store")} | {cpu("retrieve")} |
| CPU time, S3 | {s3("store")} | {s3("retrieve")} |"""


def page(runs: list[Rows], rows: Rows, over_s3: dict[int, Rows], what: What) -> str:
    middles = [statistics.median(ratios(run)) for run in runs]
    written = f"""Written by `./dev bench` (`bench/run.py`) on {datetime.now(UTC):%Y-%m-%d}; do not edit.
stepstore {stepstore.__version__} on {what.machine}."""
    full = f"""The steps are those of `samples/{what.recording}.tar.zst`: {what.steps} of {what.step_kb:.0f} kB on
average, four files each (page, screenshot, action, and metadata or the manifest that holds it).

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
value is the average over the recording. From C++, bare calls and the store take turns in one process; the rows of
Python come from a process of their own, afterwards, and are set beside the same bare calls. The store's part beyond the
bare calls: checks of ids and JSON, checksums of every byte, locks and the manifest; when reading, the comparison of
every checksum. Python's part: JSON from and to Python's values, text from and to UTF-8.

{table(rows, CPU_ROWS, "CPU time per step")}

{s3_page.text(over_s3)}"""
    return pages.part("A step after the other", written, in_short(runs, rows, over_s3), full)
