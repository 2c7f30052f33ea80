"""Tables and the picture of docs/benchmarks/peers.md."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from peers_figures import OBJECTS, OURS, Bound, Row, clients_of, middle, named, of, values

SIZES = ("1 KB", "64 KB", "1 MB", "16 MB")


def spread(found: list[float], digits: int = 0) -> str:
    """The median, and the range of all runs."""
    if not found:
        return ""
    return f"{statistics.median(found):,.{digits}f} ({min(found):,.{digits}f} to {max(found):,.{digits}f})"


def table(rows: list[Row]) -> str:
    """A line for each client."""

    def cpu(client: str, what: str) -> str:
        return spread([value * 1e6 for value in values(rows, client, f"{what}_cpu_s")])

    def speed(client: str, what: str) -> str:
        return spread([1 / value for value in values(rows, client, f"{what}_s")])

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
        ("memory, MiB", lambda client: spread([value * 2**-20 for value in values(rows, client, "memory_bytes")])),
    )
    lines = ["| client | " + " | ".join(title for title, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for client in clients_of(rows):
        cells = [cell(client) for _, cell in columns]
        lines.append(f"| {named(rows, client)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def size_table(rows: list[Row], what: str) -> str:
    sizes = [size for size in SIZES if of(rows, size)]
    lines = ["| client | " + " | ".join(sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for client in clients_of([row for row in rows if row["scenario"] in sizes]):
        cells = []
        for size in sizes:
            mine = of(rows, size)
            used = spread([value * 1e3 for value in values(mine, client, f"{what}_cpu_s")], 2)
            speed = spread([1 / value for value in values(mine, client, f"{what}_s")])
            cells.append(f"{used} ms CPU, {speed} steps/s" if used else "")
        lines.append(f"| {named(rows, client)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bound_table(found: list[Bound]) -> str:
    """A line for what is asked, with what both ways of counting say."""
    lines = ["| | asked | at most 32 requests at any moment | 32 objects on average |", "|---|---|---|---|"]
    for text in dict.fromkeys(each.text for each in found):
        cells = {}
        for client in (OURS, OBJECTS):
            of_it = next((each for each in found if (each.text, each.client) == (text, client)), None)
            cells[client] = f"{of_it.measured:.2f}, {'met' if of_it.met else '**missed**'}" if of_it else ""
        one = next(each for each in found if each.text == text)
        asked = f"{'at least' if one.at_least else 'at most'} {one.limit:g}"
        lines.append(f"| {text} | {asked} | {cells[OURS]} | {cells[OBJECTS]} |")
    return "\n".join(lines)


def draw(rows: list[Row], path: Path) -> None:
    """Bars: CPU time without delay, steps per second with it."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  # only where the page is written

    near, far = of(rows, "near"), of(rows, "far")
    plt.rcParams["svg.hashsalt"] = "stepstore"  # the same figures make the same file
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.2))
    panels: tuple[tuple[str, list[Row], Callable[[str, str], float]], ...] = (
        ("CPU time of a step, µs (no delay)", near, lambda client, what: middle(near, client, f"{what}_cpu_s") * 1e6),
        (
            "Steps per second (20 ms before every answer)",
            far,
            lambda client, what: 1 / middle(far, client, f"{what}_s"),
        ),
    )
    clients = clients_of(near)[::-1]
    for axis, (title, _, value) in zip(axes, panels, strict=True):
        for i, what in enumerate(("retrieve", "store")):
            places = [at + (i - 0.5) * 0.4 for at in range(len(clients))]
            bars = axis.barh(places, [value(client, what) for client in clients], height=0.38, label=what)
            axis.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=7)
        axis.set_yticks(range(len(clients)), [named(near, client) for client in clients], fontsize=8)
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.15)
    axes[0].legend(reverse=True, frameon=False)
    axes[1].set_yticklabels([])
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
