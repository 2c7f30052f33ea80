"""The part of docs/benchmarks/steps.md about S3: tables, and a picture."""

from __future__ import annotations

import statistics
from pathlib import Path

from s3_rows import DELAY_MS, Rows

PICTURE = "s3"

# A row's name, what stands in the table, and the row that it is compared with.
LAYOUT = (
    ("bare_store", "store, bare sockets, C++", None),
    ("store", "`store_step_data`, C++", "bare_store"),
    ("python_store", "`store_step_data`, Python", "boto3_store"),
    ("boto3_store", "four `put_object` in a row, boto3", None),
    ("bare_read", "read, bare sockets, C++", None),
    ("retrieve", "`retrieve_step_data`, C++", "bare_read"),
    ("python_retrieve", "`retrieve_step_data`, Python", "boto3_retrieve"),
    ("boto3_retrieve", "four `get_object` in a row, boto3", None),
)


def _table(rows: Rows) -> str:
    lines = [
        "| | time, median | 90 of 100 below | CPU time, median | middle half | CPU beside |",
        "|---|---|---|---|---|---|",
    ]
    for name, title, base in LAYOUT:
        times, cpu = rows[f"s3_time_{name}"], rows[f"s3_cpu_{name}"]
        low, middle, high = statistics.quantiles(cpu, n=4)
        beside = ""
        if base:
            other = statistics.median(rows[f"s3_cpu_{base}"])
            beside = f"{middle / other:.2f} of {'boto3' if base.startswith('boto3') else 'bare sockets'}"
        late = statistics.quantiles(times, n=10)[-1]
        lines.append(
            f"| {title} | {statistics.median(times) / 1000:.2f} ms | {late / 1000:.2f} ms "
            f"| {middle:,.0f} µs | {low:,.0f} to {high:,.0f} µs | {beside} |"
        )
    return "\n".join(lines)


def _trips(rows: Rows, name: str) -> float:
    return statistics.median(rows[f"s3_time_{name}"]) / 1000 / DELAY_MS


def text(by_delay: dict[int, Rows]) -> str:
    """Markdown, from the heading on."""
    near, far = by_delay[0], by_delay[DELAY_MS]
    turns = len(near["s3_time_store"]), len(far["s3_time_store"])
    return f"""## Over S3

One step after the other, against the project's own server in memory (`stepstore-fault-server`, plain http,
loopback), in a process of its own; CPU time is the client's alone. What is compared takes turns, step by step. Bare
sockets send the same requests from one thread without signatures, checksums, JSON or retries: for a store three PUTs
and a GET of the session's root, which is absent, at once, and then a PUT; for a retrieve five GETs at once, the root's
among them. boto3 is what a hand-written class does: the client as it comes, four calls in a row. If it
stops between them, half a step is left.

Without delay, {turns[0]} steps:

{_table(near)}

With {DELAY_MS} ms before every answer, {turns[1]} steps: a store takes {_trips(far, "store"):.2f} delays and a read
{_trips(far, "retrieve"):.2f}, from C++; from Python {_trips(far, "python_store"):.2f} and
{_trips(far, "python_retrieve"):.2f}; four boto3 calls {_trips(far, "boto3_store"):.2f} and
{_trips(far, "boto3_retrieve"):.2f}; bare sockets {_trips(far, "bare_store"):.2f} and {_trips(far, "bare_read"):.2f}.

{_table(far)}

![CPU and time of a step over S3](../pictures/{PICTURE}.svg)
"""


def draw(by_delay: dict[int, Rows], path: Path) -> None:
    """Bars: CPU time without delay, time with it."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  # only where the page is written

    panels = (
        ("CPU time of a step, µs (no delay)", by_delay[0], "s3_cpu_", 1.0),
        (f"Time of a step, ms ({DELAY_MS} ms before every answer)", by_delay[DELAY_MS], "s3_time_", 1000.0),
    )
    plt.rcParams["svg.hashsalt"] = "stepstore"  # the same figures make the same file
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
    for axis, (title, rows, kind, unit) in zip(axes, panels, strict=True):
        names = [title.replace("`", "") for _, title, _ in LAYOUT][::-1]
        values = [statistics.median(rows[f"{kind}{name}"]) / unit for name, _, _ in LAYOUT][::-1]
        ours = ["step_data" in name for name in names]
        bars = axis.barh(names, values, color=["#1f6feb" if own else "#9aa4b2" for own in ours])
        axis.bar_label(bars, fmt="{:,.0f}", padding=3)
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.15)
    axes[1].set_yticklabels([])
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
