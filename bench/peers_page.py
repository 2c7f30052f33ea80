"""docs/benchmarks_peers.md: stepstore beside other S3 clients, as tables and a picture, from peers_run.py's rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "benchmarks_peers.md"
PICTURE = "pictures/peers.svg"
OURS, IN_A_ROW, NATIVE = "stepstore_async", "boto3_sequence", "object_store"
SIZES = ("1 KB", "64 KB", "1 MB", "16 MB")

Row = dict[str, Any]


def clients_of(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row["file"] for row in rows))


def values(rows: list[Row], client: str, column: str) -> list[float]:
    return [row[column] for row in rows if row["file"] == client and row.get(column) is not None]


def middle(rows: list[Row], client: str, column: str) -> float:
    return statistics.median(values(rows, client, column))


def of(rows: list[Row], scenario: str) -> list[Row]:
    return [row for row in rows if row["scenario"] == scenario]


def named(rows: list[Row], client: str) -> str:
    row = next(row for row in rows if row["file"] == client)
    return f"{row['client']} {row['version']}"


def table(rows: list[Row]) -> str:
    """A line for each client."""

    def cpu(client: str, what: str) -> str:
        found = [value * 1e6 for value in values(rows, client, f"{what}_cpu_s")]
        return f"{statistics.median(found):,.0f} ({min(found):,.0f} to {max(found):,.0f})"

    def speed(client: str, what: str) -> str:
        return f"{1 / middle(rows, client, f'{what}_s'):,.0f}"

    def maybe(client: str, column: str, unit: float, digits: int) -> str:
        found = values(rows, client, column)
        return f"{statistics.median(found) * unit:,.{digits}f}" if found else ""

    columns: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("store: CPU, µs", lambda client: cpu(client, "store")),
        ("steps/s", lambda client: speed(client, "store")),
        ("retrieve: CPU, µs", lambda client: cpu(client, "retrieve")),
        ("steps/s", lambda client: speed(client, "retrieve")),
        ("list, ms", lambda client: maybe(client, "list_s", 1e3, 1)),
        ("one store alone, ms", lambda client: maybe(client, "one_store_s", 1e3, 2)),
        ("one retrieve alone, ms", lambda client: maybe(client, "one_retrieve_s", 1e3, 2)),
        ("peak memory, MiB", lambda client: maybe(client, "memory_bytes", 2**-20, 0)),
    )
    lines = ["| client | " + " | ".join(title for title, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for client in clients_of(rows):
        cells = [cell(client) for _, cell in columns]
        lines.append(f"| {named(rows, client)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def size_table(rows: list[Row], what: str) -> str:
    sizes = [size for size in SIZES if of(rows, size)]
    lines = ["| client | " + " | ".join(sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for client in clients_of(of(rows, sizes[0])):
        cells = []
        for size in sizes:
            mine = of(rows, size)
            used, taken = middle(mine, client, f"{what}_cpu_s"), middle(mine, client, f"{what}_s")
            cells.append(f"{used * 1e3:,.2f} ms CPU, {1 / taken:,.0f} steps/s")
        lines.append(f"| {named(rows, client)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def best(rows: list[Row], what: str) -> str:
    """The other Python client that uses the least CPU."""
    others = [client for client in clients_of(rows) if client not in (OURS, NATIVE)]
    return min(others, key=lambda client: middle(rows, client, f"{what}_cpu_s"))


def summary(rows: list[Row]) -> str:
    """What stepstore's figures are of the others'."""
    lines = []
    for what in ("store", "retrieve"):
        near, far = of(rows, "near"), of(rows, "far")
        mine = {OURS, IN_A_ROW} <= set(clients_of(near)) and len(clients_of(near)) > 1
        if mine:
            other = best(near, what)
            ours = middle(near, OURS, f"{what}_cpu_s")
            lines.append(
                f"- CPU time of a {what}: {ours / middle(near, other, f'{what}_cpu_s'):.2f} of "
                f"{named(near, other)}, the best other Python client; 1/"
                f"{middle(near, IN_A_ROW, f'{what}_cpu_s') / ours:.0f} of boto3's four calls in a row."
            )
        if {OURS, IN_A_ROW} <= set(clients_of(far)):
            ratio = middle(far, IN_A_ROW, f"{what}_s") / middle(far, OURS, f"{what}_s")
            lines.append(f"- With 20 ms before every answer: {ratio:.0f} times its steps per second ({what}).")
    return "\n".join(lines)


def text(rows: list[Row], machine: str) -> str:
    runs = {name: max(len(values(of(rows, name), OURS, "store_s")), 0) for name in ("near", "far", "https")}
    return f"""# Beside other S3 clients

Written by `./dev bench peers` on {datetime.now(UTC):%Y-%m-%d}: {machine}. Medians; the range of all runs in brackets,
none left out. The clients take turns, each in a process and against a server (the project's own, in memory, on the same
two cores) of its own.

{summary(rows)}

![CPU time of a step, and steps per second at 20 ms]({PICTURE})

What is compared: a step of the bundled recording as a program holds it (text, bytes, dicts) becomes four objects and is
read back and compared. Everybody has 32 objects on their way at once, boto3's four calls in a row aside. For stepstore
that is 16 stores (three objects each in a first round trip and the manifest in a second: 48 at the peak, 32 on average)
or 8 retrieves. The others put four objects independently of each other: after a crash, half a step may be left, and
nothing tells; they are set to neither hash nor check what they send where they can be told so. stepstore checksums
every part, verifies it when it is read, and commits a step with its manifest. "One alone" is the time of one small step
when nothing else is on its way. fast-s3 has no listing and hashes what it sends; s5cmd reads and writes files, and
each call starts a program.

## No delay

{runs["near"]} runs. The server shares the cores, so CPU time tells clients apart better than steps per second.

{table(of(rows, "near"))}

## 20 ms before every answer

{runs["far"]} runs.

{table(of(rows, "far"))}

## https

{runs["https"]} runs without delay, TLS 1.3, the server's certificate verified.

{table(of(rows, "https"))}

## Sizes

A page and a screenshot of so many bytes each, without delay.

Store:

{size_table(rows, "store")}

Retrieve:

{size_table(rows, "retrieve")}
"""


def draw(rows: list[Row], path: Path) -> None:
    """Bars: CPU time without delay, steps per second with it."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  # only where the page is written

    near, far = of(rows, "near"), of(rows, "far")
    plt.rcParams["svg.hashsalt"] = "stepstore"  # the same figures make the same file
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6))
    panels: tuple[tuple[str, list[Row], Callable[[str, str], float]], ...] = (
        ("CPU time of a step, µs (no delay)", near, lambda client, what: middle(near, client, f"{what}_cpu_s") * 1e6),
        (
            "Steps per second (20 ms before every answer)",
            far,
            lambda client, what: 1 / middle(far, client, f"{what}_s"),
        ),
    )
    for axis, (title, shown, value) in zip(axes, panels, strict=True):
        clients = clients_of(shown)[::-1]
        for i, what in enumerate(("retrieve", "store")):
            places = [at + (i - 0.5) * 0.4 for at in range(len(clients))]
            bars = axis.barh(places, [value(client, what) for client in clients], height=0.38, label=what)
            axis.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=7)
        axis.set_yticks(range(len(clients)), [named(shown, client).rsplit(" ", 1)[0] for client in clients], fontsize=8)
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.15)
    axes[0].legend(reverse=True, frameon=False)
    axes[1].set_yticklabels([])
    figure.tight_layout()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def write(rows: list[Row], machine: str) -> None:
    PAGE.write_text(text(rows, machine))
    draw(rows, DOCS / PICTURE)
    print(f"written: docs/{PAGE.name}, docs/{PICTURE}")
