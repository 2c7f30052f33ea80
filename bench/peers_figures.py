"""What peers_run.py's rows amount to: medians, what is compared with what, and what is asked of it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

OURS = "stepstore_async"  # at most 32 requests at any moment, as everybody else
OBJECTS = "stepstore_objects"  # 32 objects of steps on average
IN_A_ROW = "boto3_sequence"
NATIVE = "object_store"  # a program, not a Python file
WHAT = ("store", "retrieve")
BOUNDS = 12  # for each way of counting and each of the two: beside the best, beside boto3, with a delay

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
    """With its version, which stands before how it is used."""
    row = next(row for row in rows if row["file"] == client)
    name, comma, use = row["client"].partition(", ")
    return f"{name} {row['version']}{comma}{use}"


def best(rows: list[Row], what: str) -> str | None:
    """The other Python client that uses the least CPU."""
    others = [client for client in clients_of(rows) if client not in (OURS, OBJECTS, NATIVE, IN_A_ROW)]
    return min(others, key=lambda client: middle(rows, client, f"{what}_cpu_s"), default=None)


@dataclass(frozen=True)
class Bound:
    """Something that is asked, and what was measured."""

    text: str
    client: str
    measured: float
    limit: float
    at_least: bool  # else at most
    judged: bool  # whether the whole fails when it is missed

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def said(self) -> str:
        limit = f"{'at least' if self.at_least else 'at most'} {self.limit:g}"
        return f"{self.text}: {self.measured:.2f}, asked: {limit}"


def bounds(rows: list[Row]) -> list[Bound]:
    """Of what the rows tell; clients and scenarios that are not there leave theirs out.

    The speed with a delay is judged in the row of 32 objects on average. With at most 32 requests, a store's two round
    trips allow 8 stores in two delays, and four calls in a row take 4: no client could be more than 16 times as fast.
    """
    found = []
    for client in (OURS, OBJECTS):
        for what in WHAT:
            near, far = of(rows, "near"), of(rows, "far")
            if client in clients_of(near):
                ours = middle(near, client, f"{what}_cpu_s")
                other = best(near, what)
                if other:
                    text = f"CPU time of a {what}, beside the best other Python client's ({named(near, other)})"
                    found.append(Bound(text, client, ours / middle(near, other, f"{what}_cpu_s"), 0.7, False, True))
                if IN_A_ROW in clients_of(near):
                    text = f"CPU time of boto3's four calls in a row, beside a {what}'s"
                    found.append(Bound(text, client, middle(near, IN_A_ROW, f"{what}_cpu_s") / ours, 10, True, True))
            if {client, IN_A_ROW} <= set(clients_of(far)):
                speed = middle(far, IN_A_ROW, f"{what}_s") / middle(far, client, f"{what}_s")
                text = f"steps/s of a {what} with 20 ms before every answer, beside boto3's four calls in a row"
                found.append(Bound(text, client, speed, 30, True, client == OBJECTS))
    return found
