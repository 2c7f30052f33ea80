"""Measures stepstore beside other S3 clients: `./dev bench peers`. Writes docs/benchmarks/peers.md and its picture.

Each client runs in a process of its own, against a server of its own that begins empty; the clients take turns, run
after run, so that all see the machine in the same state. The clients are the files in bench/peers/. The rows are kept
in build/results/peers.jsonl as they come. A client that fails is named at the end, and then no page is written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import basics
import peers_page
import s3_rows
import server as s3_server
from peers_figures import BOUNDS, IN_A_ROW, NATIVE, OBJECTS, OURS, Row, bounds

CLIENTS = (
    *(OURS, OBJECTS, "obstore_async", "opendal_async", "fast_s3_async", "pyarrow_threads", "aiobotocore_async"),
    *("s3fs_async", "boto3_threads", IN_A_ROW, "s5cmd_files", NATIVE),
)
FEW = (OURS, OBJECTS, "obstore_async", "opendal_async", "aiobotocore_async", IN_A_ROW)
RESULTS = basics.BUILD / "results" / "peers.jsonl"
RECORDED = 0  # instead of a size


@dataclass(frozen=True)
class Scenario:
    name: str
    clients: tuple[str, ...]
    delay_ms: int = 0
    https: bool = False
    size: int = RECORDED  # bytes of a page and of a screenshot
    count: int = 300  # steps
    runs: int = 5
    recording: str = basics.LARGE_STEPS
    pages: str = ""  # "bytes": not as str


SCENARIOS = (
    Scenario("near", CLIENTS),
    Scenario("far", CLIENTS, delay_ms=s3_rows.DELAY_MS, runs=3),
    Scenario("https", CLIENTS, https=True, runs=3),
    Scenario("bytes", FEW, pages="bytes", runs=3),
    Scenario("small", FEW, recording=basics.SMALL_STEPS, runs=3),
    Scenario("1 KB", FEW, size=1_000, runs=3),
    Scenario("64 KB", FEW, size=64_000, runs=3),
    Scenario("1 MB", FEW, size=1_000_000, count=60, runs=3),
    Scenario("16 MB", FEW, size=16_000_000, count=8, runs=3),
)


@dataclass(frozen=True)
class Programs:
    """What is run, and with what."""

    python: Path  # of the other clients
    server: Path
    native: Path
    recordings: dict[str, Path]
    certificate: s3_server.Certificate

    def client(self, name: str) -> list[str | Path]:
        if name == NATIVE:
            return [self.native]
        python = sys.executable if name in (OURS, OBJECTS) else self.python
        return [python, basics.ROOT / "bench" / "peers" / "measure_one.py", name]


def measure(client: str, scenario: Scenario, programs: Programs) -> Row:
    count = scenario.count
    if client == IN_A_ROW and scenario.delay_ms:
        count = min(count, 30)  # one call after the other: fewer steps show as much
    environment = dict(os.environ)
    if scenario.https:
        # botocore and stepstore look at the first, the others at the second.
        environment |= dict.fromkeys(("AWS_CA_BUNDLE", "SSL_CERT_FILE"), str(programs.certificate.file))
    with s3_server.server(
        programs.server, scenario.delay_ms, programs.certificate if scenario.https else None
    ) as server:
        source = str(scenario.size) if scenario.size else programs.recordings[scenario.recording]
        command = [*programs.client(client), source, server.endpoint, s3_server.BUCKET, str(count)]
        command += [scenario.pages] if scenario.pages else []
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600, env=environment)
    row: Row = json.loads(done.stdout)
    return row | {"file": client, "scenario": scenario.name}


def measure_all(scenarios: list[Scenario], programs: Programs, keep_in: Path) -> tuple[list[Row], list[str]]:
    """The rows, and what failed."""
    total = sum(scenario.runs * len(scenario.clients) for scenario in scenarios)
    rows: list[Row] = []
    failures: list[str] = []
    begun = time.monotonic()
    turns = (
        (scenario, client)
        for scenario in scenarios
        for turn in range(scenario.runs)
        for client in scenario.clients[:: 1 if turn % 2 == 0 else -1]
    )
    with keep_in.open("w") as kept:
        for number, (scenario, client) in enumerate(turns, 1):
            print(f"{number}/{total}  {time.monotonic() - begun:4.0f} s  {scenario.name:6} ", end="", flush=True)
            try:
                row = measure(client, scenario, programs)
            except (subprocess.SubprocessError, json.JSONDecodeError) as error:
                failures.append(f"{client}, {scenario.name}: {error}")
                print(f"{client} FAILED", flush=True)
                continue
            rows.append(row)
            print(json.dumps(row), file=kept, flush=True)
            print(
                f"{row['client']:33} CPU of a step: store {row['store_cpu_s'] * 1e6:8,.0f} µs, "
                f"retrieve {row['retrieve_cpu_s'] * 1e6:8,.0f} µs",
                flush=True,
            )
    return rows, failures


def chosen(options: argparse.Namespace) -> list[Scenario]:
    """The scenarios that are left when some clients are not wanted, or when it is to be quick."""
    left = []
    for scenario in SCENARIOS:
        if options.smoke and scenario.size:
            continue
        # A delay is the server's: it asks nothing else of a client, so to be quick a few have to do.
        kept = FEW if options.smoke and scenario.delay_ms else scenario.clients
        clients = tuple(name for name in kept if name in options.clients)
        runs, count = (1, 2) if options.smoke else (min(scenario.runs, options.runs), scenario.count)
        recording = scenario.recording if scenario.name == "small" else options.recording
        if clients:
            left.append(replace(scenario, clients=clients, runs=runs, count=count, recording=recording))
    return left


def is_whole(rows: list[Row], native: bool) -> bool:
    """Whether every client of every scenario is there; `native`: the one that needs cargo is expected too."""
    wanted = {(each.name, client) for each in SCENARIOS for client in each.clients if native or client != NATIVE}
    return wanted <= {(row["scenario"], row["file"]) for row in rows}


def report(rows: list[Row]) -> bool:
    """Says what is asked and what came out; whether all that is judged is met."""
    for each in bounds(rows):
        verdict = "met" if each.met else "MISSED" if each.judged else "missed, not judged"
        way = "32 requests" if each.client == OURS else "32 objects"
        print(f"{verdict}, {way}: {each.said()}")
    found = bounds(rows)
    if len(found) < BOUNDS:
        print(f"only {len(found)} of {BOUNDS} things asked were measured: clients or scenarios are missing")
    return len(found) == BOUNDS and all(each.met for each in found if each.judged)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="times at most that every client is measured (default 5)")
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=CLIENTS, help="only these; writes no page")
    parser.add_argument(
        "--recording", choices=basics.RECORDINGS, default=basics.LARGE_STEPS, help="(default %(default)s)"
    )
    parser.add_argument("--smoke", action="store_true", help="once through, two steps each; writes no page")
    parser.add_argument("--check", action="store_true", help="exit status 1 when something that is asked is missed")
    parser.add_argument("--python", type=Path, default=basics.PEERS_BIN / "python")
    parser.add_argument("--server", type=Path, default=basics.SERVER)
    parser.add_argument("--native", type=Path, default=basics.BUILD / "peers" / "release" / "object_store_peer")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs is at least 1")
    native = os.access(options.native, os.X_OK)
    if NATIVE in options.clients and not native:
        print("left out: Rust's object_store, since there is no cargo here that could have built it")
        options.clients = tuple(name for name in options.clients if name != NATIVE)
    if gone := basics.missing((options.python, options.server)):
        parser.error(gone)

    s3_rows.use_any_credentials()
    with tempfile.TemporaryDirectory(prefix="peers-") as work:
        recordings = {name: basics.unpack(name, Path(work)) for name in basics.RECORDINGS}
        programs = Programs(
            options.python, options.server, options.native, recordings, s3_server.certificate(Path(work))
        )
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        keep_in = RESULTS.with_name("peers-smoke.jsonl") if options.smoke else RESULTS
        rows, failures = measure_all(chosen(options), programs, keep_in)
        step_kb = (basics.step_kb(recordings[options.recording]), basics.step_kb(recordings[basics.SMALL_STEPS]))
    all_met = report(rows)
    if options.smoke:
        if set(options.clients) >= {OURS, OBJECTS, IN_A_ROW}:
            peers_page.text(rows, basics.machine(), step_kb)  # that it can be made
    elif is_whole(rows, native) and not failures and options.recording == basics.LARGE_STEPS:
        peers_page.write(rows, basics.machine(), step_kb)
    else:
        print("no page is written: not every client of every scenario was measured as the page says")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if failures or (options.check and not all_met) else 0


if __name__ == "__main__":
    sys.exit(main())
