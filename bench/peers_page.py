"""docs/benchmarks/peers.md: stepstore beside other S3 clients, from peers_run.py's rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pages
from peers_figures import IN_A_ROW, OBJECTS, OURS, WHAT, Row, best, bounds, clients_of, middle, named, of, values
from peers_tables import bound_table, draw, size_table, table

PICTURE = "peers"


def in_short(rows: list[Row]) -> str:
    """What the row that is counted as everybody else's says beside the others, and what is asked of it."""
    near, far = of(rows, "near"), of(rows, "far")
    lines = []
    for what in WHAT:
        other = best(near, what)
        if not other or not {OURS, IN_A_ROW} <= set(clients_of(near)):
            continue
        ours = middle(near, OURS, f"{what}_cpu_s")
        lines.append(
            f"- A {what}, at most 32 requests on their way: {ours * 1e6:,.0f} µs of CPU time, "
            f"{ours / middle(near, other, f'{what}_cpu_s'):.2f} of {named(near, other)}, the best other Python client; "
            f"1/{middle(near, IN_A_ROW, f'{what}_cpu_s') / ours:.0f} of boto3's four calls in a row."
        )
        if {OURS, OBJECTS, IN_A_ROW} <= set(clients_of(far)):
            row = middle(far, IN_A_ROW, f"{what}_s")
            lines.append(
                f"- With 20 ms before every answer it does {1 / middle(far, OURS, f'{what}_s'):,.0f} steps/s, "
                f"{row / middle(far, OURS, f'{what}_s'):.0f} times boto3's four calls in a row; with 32 objects of "
                f"steps on average, {row / middle(far, OBJECTS, f'{what}_s'):.0f} times."
            )
    missed = [each for each in bounds(rows) if not each.met]
    if not missed:
        lines.append("- All that is asked (see the page) is met, in both ways of counting.")
    for each in missed:
        way = "at most 32 requests" if each.client == OURS else "32 objects on average"
        lines.append(f"- Missed, {way}: {each.said()}.")
    return "\n".join(lines)


def text(rows: list[Row], machine: str, step_kb: tuple[float, float]) -> str:
    """`step_kb`: the average step of the large recording, and of the small one."""
    runs = {name: len(values(of(rows, name), OURS, "store_s")) for name in ("near", "far", "https", "bytes", "small")}
    written = f"""Written by `./dev bench peers` (`bench/peers_run.py`) on {datetime.now(UTC):%Y-%m-%d}; do not edit.
{machine}. Medians; the range of all runs in brackets, none left out. The clients take turns, each in a process and
against a server (the project's own, in memory, on the same cores) of its own."""
    short = f"{in_short(rows)}\n\n![CPU time of a step, and steps per second at 20 ms](../pictures/{PICTURE}.svg)"
    full = f"""## What is compared

A step of a recording as a program holds it (text, bytes, dicts) becomes objects, and is read back, metadata included;
each step of the recording is compared whole when it comes for the first time, and by its sizes after that, since
comparing is no client's work. The recording is `samples/pydoc-tour.tar.zst`, {step_kb[0]:.0f} kB a step, unless said
otherwise. The others put four objects independently of each other: after a crash half a step may be left, and nothing
tells.
They are set to neither hash nor check what they send, where they can be told so. stepstore checksums every part,
verifies it when it is read, and commits a step with its manifest.

Everybody has at most 32 requests on their way, boto3's four calls in a row aside. stepstore sends more of them than
there are objects: a store puts three and asks for the session's root at once (4 requests), then puts the manifest (1);
a retrieve asks for root, manifest and three objects at once (5). So it is measured twice:

- **at most 32 requests** at any moment, as everybody else: 8 stores at a time (32 requests at the peak, 20 on average)
  or 6 retrieves (30);
- **32 objects on average**, the root's absence not counted: 16 stores at a time (three objects, then one; 64 requests
  at the peak, 40 on average) or 8 retrieves (four objects; 40 requests).

"One alone" is the time of one small step when nothing else is on its way. Memory is the most that was resident beyond
the steps themselves and the bare interpreter, so the client's code is in it; of s5cmd it is the program's. fast-s3 has
no listing and hashes what it sends; s5cmd reads and writes files, and each call starts a program. boto3, s3fs,
aiobotocore and fast-s3 are written in Python, the rest has a core in another language.

## What is asked

{bound_table(bounds(rows))}

With at most 32 requests and two round trips in turn, 8 stores end every two delays, while four calls in a row take four
delays for a step: beyond 16 times plus the time that boto3 itself takes, no client can be faster.

## No delay

{runs["near"]} runs. The server shares the cores, so CPU time tells clients apart better than steps per second.

{table(of(rows, "near"))}

## 20 ms before every answer

{runs["far"]} runs.

{table(of(rows, "far"))}

## https

{runs["https"]} runs without delay. All are told of the server's certificate, and verify it.

{table(of(rows, "https"))}

## Pages as bytes

{runs["bytes"]} runs without delay. Elsewhere a page is a str, as a browser's driver gives it: every client has to make
UTF-8 of it, and to give it back as str. Python takes about a millisecond for that, and stepstore does it itself. Here
the pages are bytes for everybody, so that this work is left out.

{table(of(rows, "bytes"))}

## Small steps

{runs["small"]} runs without delay, with the recording `samples/pg-tour.tar.zst`, {step_kb[1]:.0f} kB a step.

{table(of(rows, "small"))}

## Sizes

A page and a screenshot of so many bytes each, without delay.

Store:

{size_table(rows, "store")}

Retrieve:

{size_table(rows, "retrieve")}"""
    return pages.part("Beside other S3 clients", written, short, full)


def write(rows: list[Row], machine: str, step_kb: tuple[float, float]) -> Path:
    picture = pages.picture(PICTURE)
    draw(rows, picture)
    pages.write("peers", text(rows, machine, step_kb))
    return picture
