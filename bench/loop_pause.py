"""Measures how long storing makes an event loop pause: `./dev bench pauses`. Writes docs/benchmarks_pauses.md.

Each client stores the same steps in a process of its own, against a server of its own; a heartbeat on its loop notes
how late it comes (bench/peers/measure_pauses.py). The clients take turns, run after run. `idle` is a loop that does
nothing, in a process beside one that stores with stepstore: what the machine does to any loop at that moment.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import run
import s3_rows
import server as s3_server

PROGRAM = run.ROOT / "bench" / "peers" / "measure_pauses.py"
PAGE = run.ROOT / "docs" / "benchmarks_pauses.md"
OURS = "stepstore_async"
CLIENTS = (OURS, "aiobotocore_async", "boto3_executor", "idle")
LOOPS = ("asyncio", "uvloop")

Row = dict[str, Any]


def store(client: str, loop: str, endpoint: str, options: argparse.Namespace) -> Row:
    python = sys.executable if client == OURS else options.python
    command = [python, PROGRAM, client, loop, endpoint, s3_server.BUCKET, str(options.steps)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=900)
    row: Row = json.loads(done.stdout)
    return row


def idle(loop: str, endpoint: str, options: argparse.Namespace) -> Row:
    command = [options.python, PROGRAM, "idle", loop, endpoint, s3_server.BUCKET, "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the idle loop did not begin")
        store(OURS, loop, endpoint, options)
        said, _ = process.communicate(timeout=60)  # it ends with its standard input
    row: Row = json.loads(said)
    return row


def measure(client: str, loop: str, options: argparse.Namespace) -> Row:
    with s3_server.server(options.server, 0) as server:
        row = (
            idle(loop, server.endpoint, options) if client == "idle" else store(client, loop, server.endpoint, options)
        )
    longest = row["longest"][0]
    print(
        f"{client:18} {loop:8} {row['seconds']:6.1f} s  longest {row['longest_ms']:6.1f} ms (of it "
        f"{longest['ran_ms']:.1f} ms at work, {longest['queued_ms']:.1f} ms waiting for a core), "
        f"{row['over_5_ms']} of {row['beats']} beats over 5 ms",
        flush=True,
    )
    return row


def table(rows: list[Row]) -> str:
    lines = [
        "| client | loop | longest pause, each run | of it at work | 999 of 1,000 below | over 5 ms | steps/s |",
        "|---|---|---|---|---|---|---|",
    ]
    for client in dict.fromkeys(row["client"] for row in rows):
        for loop in dict.fromkeys(row["loop"] for row in rows):
            mine = [row for row in rows if (row["client"], row["loop"]) == (client, loop)]
            if not mine:
                continue
            longest = ", ".join(f"{row['longest_ms']:.1f}" for row in mine)
            work = ", ".join(f"{row['longest'][0]['ran_ms']:.1f}" for row in mine)
            below = statistics.median(row["p999_ms"] for row in mine)
            over = sum(row["over_5_ms"] for row in mine)
            beats = sum(row["beats"] for row in mine)
            speed = statistics.median(row["steps"] / row["seconds"] for row in mine)
            lines.append(
                f"| {client} {mine[0]['version']} | {loop} | {longest} ms | {work} ms | {below:.1f} ms "
                f"| {over} of {beats:,} beats | {f'{speed:,.0f}' if speed else ''} |"
            )
    return "\n".join(lines)


def page(rows: list[Row], options: argparse.Namespace) -> str:
    return f"""# Pauses of the event loop

Written by `./dev bench pauses` on {datetime.now(UTC):%Y-%m-%d}: {run.machine(run.ROOT)};
{options.runs} runs in turn, none left out.

While {options.steps:,} steps of 700 kB (a page of 200,000 characters, a screenshot of 500 kB) are stored, a task on the
same loop sleeps for a millisecond, again and again; what it oversleeps is how long the loop lets everything else wait.
Up to 32 objects are on their way at once, over plain http to the project's own server in memory, which runs on the same
cores. `boto3 in an executor` sends each object from a thread of its own. The idle loop does nothing, beside another
process that stores with stepstore: so late comes any loop on this machine at that moment.

{table(rows)}

"At work" is the processor time of the loop's thread within the longest pause; the rest it waited, for a core or for
the GIL.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="times that every client is measured (default 3)")
    parser.add_argument("--steps", type=int, default=1000, help="steps that each of them stores (default 1000)")
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=CLIENTS, help="only these; writes no page")
    parser.add_argument("--loops", nargs="+", choices=LOOPS, default=LOOPS, help="only these; writes no page")
    parser.add_argument("--python", type=Path, default=run.ROOT / "build" / "venv-peers" / "bin" / "python")
    parser.add_argument("--server", type=Path, default=run.ROOT / "build" / "bench" / run.SERVER)
    options = parser.parse_args()
    if options.runs < 1 or options.steps < 1:
        parser.error("--runs and --steps are at least 1")
    for program in (options.python, options.server):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there: run ./dev bench pauses, or say where it is")

    s3_rows.use_any_credentials()
    rows: list[Row] = []
    for turn in range(options.runs):
        for loop in options.loops:
            order = options.clients if turn % 2 == 0 else options.clients[::-1]
            rows += [measure(client, loop, options) for client in order]
    if tuple(options.clients) == CLIENTS and tuple(options.loops) == LOOPS:
        PAGE.write_text(page(sorted(rows, key=lambda row: row["client"] == "idle"), options))
        print(f"written: {PAGE.relative_to(run.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
