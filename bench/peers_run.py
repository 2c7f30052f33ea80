"""Measures stepstore beside other S3 clients: `./dev bench peers`. Writes docs/benchmarks_peers.md and its picture.

Each client runs in a process of its own, against a server of its own that begins empty; the clients take turns, run
after run, so that all see the machine in the same state. The clients are the files in bench/peers/. The rows are kept
in build/results/peers.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peers_page
import run
import s3_rows
import server as s3_server

OURS = "stepstore_async"
IN_A_ROW = "boto3_sequence"  # one call after the other: with a delay, fewer steps show as much
NATIVE = "object_store"  # a program, not a Python file
CLIENTS = (
    *(OURS, "obstore_async", "opendal_async", "fast_s3_async", "pyarrow_threads", "aiobotocore_async", "s3fs_async"),
    *("boto3_threads", IN_A_ROW, "s5cmd_files"),
)
FEW = (OURS, "obstore_async", "opendal_async", "aiobotocore_async", IN_A_ROW)
TRUSTING = (OURS, "obstore_async", "aiobotocore_async", IN_A_ROW)  # those that can be told of a certificate
RESULTS = run.ROOT / "build" / "results" / "peers.jsonl"
RECORDED = 0  # instead of a size

Row = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    name: str
    clients: tuple[str, ...]
    delay_ms: int = 0
    https: bool = False
    size: int = RECORDED  # bytes of a page and of a screenshot
    count: int = 10  # steps of that size, or passes through the recording
    runs: int = 5


SCENARIOS = (
    Scenario("near", (*CLIENTS, NATIVE)),
    Scenario("far", (*CLIENTS, NATIVE), delay_ms=s3_rows.DELAY_MS, runs=3),
    Scenario("https", TRUSTING, https=True, runs=3),
    Scenario("1 KB", FEW, size=1_000, count=300, runs=3),
    Scenario("64 KB", FEW, size=64_000, count=300, runs=3),
    Scenario("1 MB", FEW, size=1_000_000, count=60, runs=3),
    Scenario("16 MB", FEW, size=16_000_000, count=8, runs=3),
)


@dataclass(frozen=True)
class Programs:
    """What is run, and with what."""

    python: Path  # of the other clients
    server: Path
    native: Path
    recording: Path
    certificate: s3_server.Certificate

    def client(self, name: str) -> list[str | Path]:
        if name == NATIVE:
            return [self.native]
        python = sys.executable if name == OURS else self.python
        return [python, run.ROOT / "bench" / "peers" / "measure_one.py", name]


def measure(client: str, scenario: Scenario, programs: Programs) -> Row:
    count = scenario.count
    if client == IN_A_ROW and scenario.delay_ms:
        count = 1
    environment = dict(os.environ)
    if scenario.https:
        # botocore and stepstore look at the first, Rust's clients at the second.
        environment |= dict.fromkeys(("AWS_CA_BUNDLE", "SSL_CERT_FILE"), str(programs.certificate.file))
    with s3_server.server(
        programs.server, scenario.delay_ms, programs.certificate if scenario.https else None
    ) as server:
        source = str(scenario.size) if scenario.size else programs.recording
        command = [*programs.client(client), source, server.endpoint, s3_server.BUCKET, str(count)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600, env=environment)
    row: Row = json.loads(done.stdout)
    return row | {"file": client, "scenario": scenario.name}


def measure_all(scenarios: list[Scenario], programs: Programs) -> Iterator[Row]:
    total = sum(scenario.runs * len(scenario.clients) for scenario in scenarios)
    done, begun = 0, time.monotonic()
    for scenario in scenarios:
        for turn in range(scenario.runs):
            for client in scenario.clients if turn % 2 == 0 else scenario.clients[::-1]:
                row = measure(client, scenario, programs)
                done += 1
                print(
                    f"{done}/{total}  {time.monotonic() - begun:4.0f} s  {scenario.name:6} {row['client']:26} "
                    f"CPU of a step: store {row['store_cpu_s'] * 1e6:8,.0f} µs, "
                    f"retrieve {row['retrieve_cpu_s'] * 1e6:8,.0f} µs",
                    flush=True,
                )
                yield row


def chosen(options: argparse.Namespace) -> list[Scenario]:
    """The scenarios that are left when some clients are not wanted, or when it is to be quick."""
    left = []
    for scenario in SCENARIOS:
        clients = tuple(name for name in scenario.clients if name in options.clients)
        runs, count = (1, 1) if options.smoke else (min(scenario.runs, options.runs), scenario.count)
        if clients:
            left.append(Scenario(scenario.name, clients, scenario.delay_ms, scenario.https, scenario.size, count, runs))
    return left


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    build = run.ROOT / "build"
    every = (*CLIENTS, NATIVE)
    parser.add_argument("--runs", type=int, default=5, help="times at most that every client is measured (default 5)")
    parser.add_argument("--clients", nargs="+", choices=every, default=every, help="only these; writes no page")
    parser.add_argument("--smoke", action="store_true", help="once through, one step each; writes no page")
    parser.add_argument("--python", type=Path, default=build / "venv-peers" / "bin" / "python")
    parser.add_argument("--server", type=Path, default=build / "bench" / run.SERVER)
    parser.add_argument("--native", type=Path, default=build / "peers" / "release" / "object_store_peer")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs is at least 1")
    if NATIVE in options.clients and not shutil.which(options.native):
        print("left out: Rust's object_store, since there is no cargo here that could have built it")
        options.clients = tuple(name for name in options.clients if name != NATIVE)
    for program in (options.python, options.server):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there: run ./dev bench peers, or say where it is")

    s3_rows.use_any_credentials()
    with tempfile.TemporaryDirectory(prefix="peers-") as work:
        recording, certificate = run.unpack(Path(work)), s3_server.certificate(Path(work))
        programs = Programs(options.python, options.server, options.native, recording, certificate)
        scenarios = chosen(options)
        rows = list(measure_all(scenarios, programs))
    whole = len(options.clients) >= len(CLIENTS) and not options.smoke
    print(peers_page.summary(rows))
    if whole:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text("".join(json.dumps(row) + "\n" for row in rows))
        peers_page.write(rows, run.machine(run.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
