"""Measures how long storing makes an event loop pause: `./dev bench pauses`. Writes docs/benchmarks/pauses.md.

Each client stores the same steps in a process of its own, against a server of its own; a heartbeat on its loop notes
how late it comes (bench/peers/measure_pauses.py). The clients take turns, run after run. `idle` is a loop that does
nothing, in a process beside one that stores with stepstore: what the machine does to any loop at that moment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import basics
import pages
import s3_rows
import server as s3_server

PROGRAM = basics.ROOT / "bench" / "peers" / "measure_pauses.py"
BUSY = "stepstore_objects"  # beside the idle loop
OURS = ("stepstore_async", BUSY, "stepstore_tasks", "stepstore_batch")
CLIENTS = (*OURS, "aiobotocore_async", "boto3_executor", "idle")
LOOPS = ("asyncio", "uvloop")
LIMIT_MS = 5.0

Row = dict[str, Any]


def store(client: str, loop: str, endpoint: str, options: argparse.Namespace) -> Row:
    python = sys.executable if client in OURS else options.python
    place = [endpoint, s3_server.BUCKET, options.folder]
    command = [python, PROGRAM, client, loop, *place, str(options.steps)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=900)
    row: Row = json.loads(done.stdout)
    return row | {"file": client}


def idle(loop: str, endpoint: str, options: argparse.Namespace) -> Row:
    command = [sys.executable, PROGRAM, "idle", loop, endpoint, s3_server.BUCKET, options.folder, "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the idle loop did not begin")
        store(BUSY, loop, endpoint, options)
        said, _ = process.communicate(timeout=60)  # it ends with its standard input
    row: Row = json.loads(said)
    return row | {"file": "idle"}


def measure(client: str, loop: str, options: argparse.Namespace) -> Row:
    with s3_server.server(options.server, 0) as server:
        row = (
            idle(loop, server.endpoint, options) if client == "idle" else store(client, loop, server.endpoint, options)
        )
    longest = row["longest"][0]
    print(
        f"{row['client']:33} {loop:8} {row['seconds']:6.1f} s  longest {row['longest_ms']:6.1f} ms (of it "
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
    for client, loop in dict.fromkeys((row["client"], row["loop"]) for row in rows):
        mine = [row for row in rows if (row["client"], row["loop"]) == (client, loop)]
        longest = ", ".join(f"{row['longest_ms']:.1f}" for row in mine)
        work = ", ".join(f"{row['longest'][0]['ran_ms']:.1f}" for row in mine)
        below = statistics.median(row["p999_ms"] for row in mine)
        over = sum(row["over_5_ms"] for row in mine)
        beats = sum(row["beats"] for row in mine)
        speeds = [row["steps"] / row["seconds"] for row in mine if row["steps"]]
        speed = f"{statistics.median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f})" if speeds else ""
        lines.append(
            f"| {client} {mine[0]['version']} | {loop} | {longest} ms | {work} ms | {below:.1f} ms "
            f"| {over} of {beats:,} beats | {speed} |"
        )
    return "\n".join(lines)


def worst(rows: list[Row], client: str) -> float:
    return max(float(row["longest_ms"]) for row in rows if row["file"] == client)


def missed(rows: list[Row]) -> list[str]:
    """Which uses of stepstore make a loop pause for longer than is asked."""
    found = []
    for client in OURS:
        mine = [row for row in rows if row["file"] == client]
        if not mine:
            found.append(f"{client}: not measured")
        elif worst(rows, client) >= LIMIT_MS:
            found.append(
                f"{mine[0]['client']}: the longest pause is {worst(rows, client):.1f} ms, asked: under {LIMIT_MS:g} ms"
            )
    return found


def in_short(rows: list[Row]) -> str:
    lines = []
    for client in dict.fromkeys(row["file"] for row in rows):
        mine = [row for row in rows if row["file"] == client]
        usual = statistics.median(row["longest_ms"] for row in mine)
        verdict = f", {'met' if worst(rows, client) < LIMIT_MS else '**missed**'}" if client in OURS else ""
        lines.append(
            f"| {mine[0]['client']} | {worst(rows, client):.1f} ms{verdict} | {usual:.1f} ms "
            f"| {sum(row['over_5_ms'] for row in mine)} of {sum(row['beats'] for row in mine):,} |"
        )
    head = "| | longest pause of all runs | longest of a run, median | beats over 5 ms |\n|---|---|---|---|"
    return f"Asked of stepstore: no pause of {LIMIT_MS:g} ms.\n\n{head}\n" + "\n".join(lines)


def page(rows: list[Row], options: argparse.Namespace, step_kb: float) -> str:
    written = f"""Written by `./dev bench pauses` (`bench/loop_pause.py`) on {datetime.now(UTC):%Y-%m-%d}; do not edit.
{basics.machine()}; {options.runs} runs in turn, none left out."""
    full = f"""While {options.steps:,} steps are stored, a task on the same loop sleeps for a millisecond, again and
again; what it oversleeps is how long the loop lets everything else wait. The steps are those of
`samples/{options.recording}.tar.zst` in turn, {step_kb:.0f} kB each on average. All goes over plain http to the
project's own server in memory, which runs on the same cores.

- stepstore, at most 32 requests: 8 tasks, each of which stores the next step; 32 objects on average: 16 tasks.
- stepstore, a task for every step: {options.steps:,} tasks at once, as [the manual](../python.md) recommends.
- stepstore, store_steps: one call with a generator.
- aiobotocore: 8 tasks, each of which sends the four objects of the next step at once. boto3 in an executor: the same,
  an object in a thread.
- idle: a loop that does nothing, beside another process that stores with stepstore: so late comes any loop on this
  machine at that moment.

{table(rows)}

"At work" is the processor time of the loop's thread within the longest pause; the rest it waited, for a core or for
the GIL."""
    return pages.part("Pauses of the event loop", written, in_short(rows), full)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="times that every client is measured (default 3)")
    parser.add_argument("--steps", type=int, default=1000, help="steps that each of them stores (default 1000)")
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=CLIENTS, help="only these; writes no page")
    parser.add_argument("--loops", nargs="+", choices=LOOPS, default=LOOPS, help="only these; writes no page")
    parser.add_argument(
        "--recording", choices=basics.RECORDINGS, default=basics.LARGE_STEPS, help="(default %(default)s)"
    )
    parser.add_argument("--smoke", action="store_true", help="20 steps, once; writes no page")
    parser.add_argument("--check", action="store_true", help="exit status 1 when stepstore makes a loop pause too long")
    parser.add_argument("--python", type=Path, default=basics.PEERS_BIN / "python")
    parser.add_argument("--server", type=Path, default=basics.SERVER)
    options = parser.parse_args()
    if options.smoke:
        options.runs, options.steps = 1, 20
    if options.runs < 1 or options.steps < 1:
        parser.error("--runs and --steps are at least 1")
    if gone := basics.missing((options.python, options.server)):
        parser.error(gone)

    s3_rows.use_any_credentials()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="pauses-") as work:
        options.folder = basics.unpack(options.recording, Path(work))
        step_kb = basics.step_kb(options.folder)
        for turn in range(options.runs):
            for loop in options.loops:
                order = options.clients if turn % 2 == 0 else options.clients[::-1]
                rows += [measure(client, loop, options) for client in order]
    rows.sort(key=lambda row: (CLIENTS.index(row["file"]), LOOPS.index(row["loop"])))
    text = page(rows, options, step_kb)
    if set(options.clients) == set(CLIENTS) and set(options.loops) == set(LOOPS) and not options.smoke:
        pages.write("pauses", text)
    for each in missed(rows):
        print(f"MISSED: {each}")
    return 1 if options.check and missed(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
