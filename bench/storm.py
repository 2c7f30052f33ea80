"""Measures what clients send while a server answers 503 SlowDown: `./dev bench storm`. Writes docs/benchmarks/storm.md.

Each client stores small steps in a process of its own, against a server of its own that plays the same plan: some
seconds of peace, a storm, and peace again. The figures are the server's: its journal tells every request. Two storms:
in one every request is refused, in the other those beyond a number per second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import basics
import pages
import s3_rows
import server as s3_server

PROGRAM = basics.ROOT / "bench" / "peers" / "measure_storm.py"
CLIENTS = ("stepstore", "boto3", "obstore")
PICTURE = "storm"
DELAY_MS = 20
BEGIN_S, END_S, SECONDS = 5.0, 15.0, 30.0  # of the storm, and of all
WARM_S = 2.0  # left out of what was before
BIN_S = 0.25
RECOVERED = 0.8  # of the requests per second before
ALLOWED_PER_S = 200
REFUSED = {"fault": "answer", "status": 503, "code": "SlowDown", "message": "Please reduce your request rate."}
STORMS: dict[str, dict[str, Any]] = {
    "every request": REFUSED,
    f"beyond {ALLOWED_PER_S} a second": REFUSED | {"above_per_s": ALLOWED_PER_S},
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Times:
    """When the storm is, and the whole; shorter for a smoke test."""

    begin: float
    end: float
    all: float


def plan(storm: str, times: Times) -> dict[str, Any]:
    rule = STORMS[storm] | {"from_ms": int(times.begin * 1000), "until_ms": int(times.end * 1000)}
    return {"start": "first_request", "rules": [rule]}


def per_second(arrivals: list[float], begin: float, end: float) -> float:
    return sum(begin <= at < end for at in arrivals) / (end - begin)


def recovery(done: list[float], before: float, times: Times) -> float | None:
    """Seconds from the end of the storm until as many requests succeed as before, nearly; None: they never do."""
    at = times.end
    while at + BIN_S <= times.all:
        if per_second(done, at, at + BIN_S) >= RECOVERED * before:
            return at - times.end
        at += BIN_S
    return None


def figures(journal: list[Row], times: Times) -> Row:
    arrivals = [each["ms"] / 1000 for each in journal]
    # 404 is an answer, too: stepstore asks for a session's root, which is absent.
    done = [each["ms"] / 1000 for each in journal if each["status"] < 500]
    before = per_second(done, min(WARM_S, times.begin / 2), times.begin)
    bins = [per_second(arrivals, i * BIN_S, (i + 1) * BIN_S) for i in range(int(times.all / BIN_S))]
    during = bins[int(times.begin / BIN_S) + 1 : int(times.end / BIN_S)]
    return {
        "before": before,
        "during": per_second(arrivals, times.begin, times.end),
        "late": per_second(arrivals, (times.begin + times.end) / 2, times.end),
        "most": max(during),
        "good": per_second(done, times.begin, times.end),
        "after": per_second(done, times.end + (times.all - times.end) / 2, times.all),
        "recovery": recovery(done, before, times),
        "bins": bins,
    }


def measure(client: str, storm: str, times: Times, options: argparse.Namespace) -> Row:
    with tempfile.TemporaryDirectory(prefix="storm-") as work:
        rules, journal = Path(work, "plan.json"), Path(work, "journal")
        rules.write_text(json.dumps(plan(storm, times)))
        more = ["--plan", str(rules), "--journal", str(journal)]
        with s3_server.server(options.server, DELAY_MS, more=more) as server:
            python = sys.executable if client == "stepstore" else options.python
            command = [python, PROGRAM, client, server.endpoint, s3_server.BUCKET, str(times.all)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
    row: Row = json.loads(done.stdout) | figures(lines, times) | {"file": client, "storm": storm}
    print(
        f"{row['client']:22} {storm:22} before {row['before']:6,.0f}/s, during {row['during']:6,.0f}/s, at most "
        f"{row['most']:6,.0f}/s, {said(row['recovery'])} to recover, {sum(row['failed'].values())} steps failed",
        flush=True,
    )
    return row


def said(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.2f} s"


def table(rows: list[Row]) -> str:
    lines = [
        "| client | requests/s before | in the storm | most in a quarter of a second | in its second half "
        "| that succeeded in the storm | after | recovered within | steps stored | failed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for client in dict.fromkeys(row["file"] for row in rows):
        mine = [row for row in rows if row["file"] == client]

        def middle(column: str, mine: list[Row] = mine) -> str:
            return f"{statistics.median(row[column] for row in mine):,.0f}"

        recovered = ", ".join(said(row["recovery"]) for row in mine)
        failed: dict[str, int] = {}
        for row in mine:
            for name, count in row["failed"].items():
                failed[name] = failed.get(name, 0) + count
        errors = ", ".join(f"{count:,} {name}" for name, count in failed.items()) or "0"
        lines.append(
            f"| {mine[0]['client']} {mine[0]['version']} | {middle('before')} | {middle('during')} | {middle('most')} "
            f"| {middle('late')} | {middle('good')} | {middle('after')} | {recovered} | {middle('stored')} | {errors} |"
        )
    return "\n".join(lines)


def in_short(rows: list[Row]) -> str:
    lines = []
    for storm in STORMS:
        found = {
            row["file"]: statistics.median(each["during"] for each in rows if same(each, row))
            for row in rows
            if row["storm"] == storm
        }
        told = ", ".join(f"{client} {rate:,.0f}" for client, rate in found.items())
        lines.append(f"- Requests per second while {storm} is refused: {told}.")
    return "\n".join(lines) + f"\n\n![Requests per second over time](../pictures/{PICTURE}.svg)"


def same(one: Row, other: Row) -> bool:
    return (one["file"], one["storm"]) == (other["file"], other["storm"])


def draw(rows: list[Row], path: Path, times: Times) -> None:
    """The first run of each client: requests per second over time."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  # only where the page is written

    plt.rcParams["svg.hashsalt"] = "stepstore"
    figure, axes = plt.subplots(1, len(STORMS), figsize=(11, 3.8), sharey=True)
    for axis, storm in zip(axes, STORMS, strict=True):
        axis.axvspan(times.begin, times.end, color="0.92")
        for client in CLIENTS:
            row = next(each for each in rows if each["file"] == client and each["storm"] == storm)
            axis.plot([i * BIN_S for i in range(len(row["bins"]))], row["bins"], label=row["client"], linewidth=1)
        axis.set_title(f"refused: {storm}", fontsize=10)
        axis.set_xlabel("seconds")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("requests per second")
    axes[0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def page(rows: list[Row], times: Times, runs: int) -> str:
    written = f"""Written by `./dev bench storm` (`bench/storm.py`) on {datetime.now(UTC):%Y-%m-%d}; do not edit.
{basics.machine()}; {runs} runs in turn, none left out."""
    tables = "\n\n".join(
        f"## Refused: {storm}\n\n{table([row for row in rows if row['storm'] == storm])}" for storm in STORMS
    )
    full = f"""For {times.all:g} seconds each client stores small steps with at most 32 requests on their way, to the
project's own server in memory, {DELAY_MS} ms away. From second {times.begin:g} to second {times.end:g} the server
answers 503 SlowDown, without Retry-After, as S3 does. A step that fails is left and the next one begins at once.
stepstore and obstore are as they come; boto3 is in its standard retry mode, with a thread for each request.

Requests are counted by the server. "Recovered": from the end of the storm until {RECOVERED:.0%} of the requests per
second of before succeed; one value for each run, in steps of {BIN_S:g} s.

{tables}"""
    return pages.part("A storm of 503", written, in_short(rows), full)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="times that every client is measured (default 3)")
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=CLIENTS, help="only these; writes no page")
    parser.add_argument("--smoke", action="store_true", help="three seconds, once; writes no page")
    parser.add_argument("--python", type=Path, default=basics.PEERS_BIN / "python")
    parser.add_argument("--server", type=Path, default=basics.SERVER)
    options = parser.parse_args()
    times = Times(1, 2, 3) if options.smoke else Times(BEGIN_S, END_S, SECONDS)
    runs = 1 if options.smoke else options.runs
    if runs < 1:
        parser.error("--runs is at least 1")
    if gone := basics.missing((options.python, options.server)):
        parser.error(gone)

    s3_rows.use_any_credentials()
    rows: list[Row] = []
    for turn in range(runs):
        for storm in STORMS:
            order = options.clients if turn % 2 == 0 else options.clients[::-1]
            rows += [measure(client, storm, times, options) for client in order]
    if set(options.clients) == set(CLIENTS) and not options.smoke:
        rows.sort(key=lambda row: CLIENTS.index(row["file"]))
        draw(rows, pages.picture(PICTURE), times)
        pages.write("storm", page(rows, times, runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
