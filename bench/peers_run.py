"""Measures stepstore beside other S3 clients: `./dev bench peers`. Writes the rows to build/results/peers.jsonl.

Each client runs in a process of its own, against a server of its own that begins empty; the clients take turns, run
after run, so that all see the machine in the same state. The clients are the files in bench/peers/.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import run
import s3_rows
import server as s3_server

CLIENTS = ("stepstore_async", "obstore_async", "opendal_async", "aiobotocore_async", "boto3_sequence")
OURS = "stepstore_async"
IN_A_ROW = "boto3_sequence"  # one call after the other: with a delay, fewer steps show as much
RESULTS = run.ROOT / "build" / "results" / "peers.jsonl"
COLUMNS = (
    ("store_cpu_s", "store: CPU, µs", 1e6),
    ("retrieve_cpu_s", "retrieve: CPU, µs", 1e6),
    ("store_s", "store: time, µs", 1e6),
    ("retrieve_s", "retrieve: time, µs", 1e6),
    ("list_s", "list all: ms", 1e3),
    ("one_store_s", "one store alone: ms", 1e3),
    ("one_retrieve_s", "one retrieve alone: ms", 1e3),
    ("memory_bytes", "peak memory: MiB", 2**-20),
)

Row = dict[str, Any]


def measure(client: str, options: argparse.Namespace, recording: Path, delay_ms: int) -> Row:
    python = sys.executable if client == OURS else options.python
    passes = 1 if client == IN_A_ROW and delay_ms else options.passes
    program = run.ROOT / "bench" / "peers" / "measure_one.py"
    with s3_server.server(options.server, delay_ms) as server:
        command = [python, program, client, recording, server.endpoint, s3_server.BUCKET, str(passes)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    row: Row = json.loads(done.stdout)
    return row | {"file": client, "delay_ms": delay_ms}


def table(rows: list[Row]) -> str:
    """Medians over the runs, and the range of the first two columns."""
    lines = ["| client | " + " | ".join(title for _, title, _ in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for client in CLIENTS:
        mine = [row for row in rows if row["file"] == client]
        cells = []
        for i, (name, _, unit) in enumerate(COLUMNS):
            values = [row[name] * unit for row in mine]
            digits = 2 if unit == 1e3 else 0
            cell = f"{statistics.median(values):,.{digits}f}"
            cells.append(f"{cell} ({min(values):,.0f} to {max(values):,.0f})" if i < 2 else cell)
        lines.append(f"| {mine[0]['client']} {mine[0]['version']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="times that every client is measured (default 5)")
    parser.add_argument("--passes", type=int, default=10, help="passes through the recording in a run (default 10)")
    parser.add_argument("--python", type=Path, default=run.ROOT / "build" / "venv-peers" / "bin" / "python")
    parser.add_argument("--server", type=Path, default=run.ROOT / "build" / "bench" / run.SERVER)
    parser.add_argument("--output", type=Path, default=RESULTS, help="the rows, a JSON object a line")
    options = parser.parse_args()
    if options.runs < 1 or options.passes < 1:
        parser.error("--runs and --passes are at least 1")
    for program in (options.python, options.server):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there: run ./dev bench peers, or say where it is")

    s3_rows.use_any_credentials()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="peers-") as work:
        recording = run.unpack(Path(work))
        for delay_ms in (0, s3_rows.DELAY_MS):
            for turn in range(options.runs):
                order = CLIENTS if turn % 2 == 0 else CLIENTS[::-1]
                rows += [measure(client, options, recording, delay_ms) for client in order]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for delay_ms in (0, s3_rows.DELAY_MS):
        print(f"{delay_ms} ms before every answer, median of {options.runs} runs, per step (the range in brackets):\n")
        print(table([row for row in rows if row["delay_ms"] == delay_ms]), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
